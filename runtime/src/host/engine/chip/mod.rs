//! `skiff-engine`, behind the seam: an image of the module, and a machine whose whole state is data.
//!
//! A function that stops is an activation of the machine, which stays there; its token is nothing but the right to go on.

pub(super) mod image;

use alloc::boxed::Box;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use skiff_abi::export;
use skiff_engine::{BeginError, ExportKind, Fault, Machine, Outcome, Quota, Value, ValueType};

use super::vals::Vals;
use super::{
    Engine, Linear, LinearMut, Module, NO_LONG_RESULT, Ran, RanBy, Reach, StartSection, Val, ValType, fitted,
    lent_by_chip, unknown_import,
};
use crate::budget::{Ledger, PluginLimits};
use crate::host::failure::{Failure, LoadError};
use crate::host::imports::{self, Called, Caller, Linked, Ret};
use crate::host::state::HostState;
use crate::images::{Share, Taken, quota};

/// A module in execution.
pub(in crate::host) struct Guest {
    machine: Machine,
    state: Box<HostState>,
    /// What each import is; `None` for those that this host does not know.
    imports: Vec<Option<Linked>>,
    fuel: u64,
    /// The start section, where it waits.
    start: Option<u32>,
    /// The host found no chunk for what it had to write: the guest ends where it would go on.
    is_short: bool,
}

/// The number of a function.
pub(in crate::host) type Function = u32;
/// The number of a global.
pub(in crate::host) type Variable = u32;
pub(in crate::host) type Access<'e> = &'e mut Guest;

/// The innermost activation has run out of fuel.
#[derive(Debug)]
pub(in crate::host) struct Stopped(());

/// The innermost activation asks for an import.
#[derive(Debug)]
pub(in crate::host) struct Parked {
    import: u32,
}

impl Reach for Guest {
    fn state(&self) -> &HostState {
        &self.state
    }

    fn state_mut(&mut self) -> &mut HostState {
        &mut self.state
    }

    fn memory(&self) -> Linear<'_> {
        Linear::of_chunks(self.machine.memory())
    }

    fn memory_mut(&mut self) -> LinearMut<'_> {
        LinearMut::of_chunks(&mut self.machine, &mut self.is_short)
    }

    fn fuel(&self) -> u64 {
        self.fuel
    }

    fn refuel(&mut self, fuel: u64) {
        self.fuel = fuel;
    }
}

impl Engine for Guest {
    type Function = Function;
    type Variable = Variable;
    type Stopped = Stopped;
    type Parked = Parked;
    type Access<'e> = Access<'e>;

    fn load(module: &Module<'_>, state: Box<HostState>) -> Result<Self, LoadError> {
        let limits = module.limits;
        let image = match module.image.take() {
            Some(image) => {
                // A module whose start section is too long is set up a second time.
                module.image.set(image.is_in_place().then(|| image.clone()));
                image
            }
            None => image::of(module.wasm, limits)?,
        };
        let has_memory =
            image.exports().any(|export| export.name == export::MEMORY && export.kind == ExportKind::Memory);
        let imports = image.imports().map(|import| imports::linked(import.module, import.name)).collect();
        let quota = quota(limits, module.linear_bytes_max);
        let mut machine = Machine::new(image, quota).map_err(|error| LoadError::Instantiate(error.to_string()))?;
        if let Some(bytes) = module.ram_bytes_max {
            machine.allow_memory(machine.chunks_within(bytes), quota.memory_bytes_max);
        }
        let start = machine.start();
        let mut guest = Self { machine, state, imports, fuel: 0, start, is_short: false };
        if module.start == StartSection::Runs {
            guest.run_start_section(limits)?;
        }
        if has_memory { Ok(guest) } else { Err(LoadError::MissingExport(export::MEMORY)) }
    }

    fn start_function(&self) -> Option<u32> {
        self.start
    }

    fn function(&self, name: &str) -> Option<u32> {
        self.machine.image().function(name)
    }

    fn gives_number(&self, function: u32) -> bool {
        let ty = self.machine.image().type_of(function);
        ty.is_some_and(|ty| ty.params.is_empty() && ty.results.iter().eq([ValueType::I32]))
    }

    fn variable(&self, name: &str) -> Option<u32> {
        let found = self.machine.image().exports().find(|export| export.name == name)?;
        (found.kind == ExportKind::Global).then_some(found.index)
    }

    #[cfg(any(test, feature = "trace"))]
    fn get(&self, variable: u32) -> Val {
        self.machine.global(variable).map_or(Val::Reference, Val::from)
    }

    fn set(&mut self, variable: u32, value: Val) {
        if let Some(value) = value.given() {
            self.machine.set_global(variable, value);
        }
    }

    fn call(&mut self, function: u32, arguments: &[u32]) -> Option<RanBy<Self>> {
        let ty = self.machine.image().type_of(function)?;
        let mut values = Vals::new();
        for (index, ty) in ty.params.iter().enumerate() {
            values.push(fitted(ValType::from(ty), arguments.get(index).copied())?.given()?);
        }
        Some(match self.machine.begin(function, &values) {
            Ok(()) => self.run(),
            Err(BeginError::NoRoom) => Ran::Ended(Failure::StackOverflow),
            Err(error) => Ran::Ended(Failure::Trap(error.to_string())),
        })
    }

    fn go_on(&mut self, Stopped(()): Stopped) -> RanBy<Self> {
        self.run()
    }

    fn answer(&mut self, parked: Parked, ret: Ret) -> RanBy<Self> {
        match self.give(parked.import, ret) {
            Ok(()) => self.run(),
            Err(failure) => self.ended(failure),
        }
    }

    fn forget(&mut self) {
        while self.machine.abandon() {}
    }

    fn access(&mut self) -> &mut Self {
        self
    }

    fn linear_bytes(&self) -> u64 {
        self.machine.memory().size_bytes().into()
    }

    fn image_bytes(&self) -> Option<usize> {
        Some(self.machine.image().size_bytes())
    }

    fn allow_growth(&mut self, linear_bytes_max: u64) {
        let Quota { chunks, memory_bytes_max, .. } = quota(&self.state.limits, linear_bytes_max);
        self.machine.allow_memory(chunks, memory_bytes_max);
    }

    fn allow_share(&mut self, share: &Share, beside: u64, ledger: &Ledger) {
        share.allow(&mut self.machine, beside, ledger);
    }

    fn note_share(&self, share: &mut Share, beside: u64) -> Option<Taken> {
        Some(share.note(&self.machine, beside))
    }
}

impl Guest {
    fn run_start_section(&mut self, limits: &PluginLimits) -> Result<(), LoadError> {
        let Some(start) = self.start.take() else { return Ok(()) };
        self.fuel = limits.fuel_start_section;
        let failure = match self.call(start, &[]) {
            Some(Ran::Returned(_)) => return Ok(()),
            Some(Ran::OutOfFuel { .. } | Ran::Ended(Failure::OutOfFuel { .. })) => {
                Failure::OutOfFuel { limit: limits.fuel_start_section }
            }
            Some(Ran::Ended(failure)) => failure,
            // Nobody can be asked before the guest is there.
            Some(Ran::Asks(_)) | None => Failure::Trap(WAITS.into()),
        };
        Err(LoadError::Start(failure))
    }

    /// Runs the innermost activation, and answers what the host can answer by itself.
    fn run(&mut self) -> RanBy<Self> {
        loop {
            if self.is_short {
                return self.ended(Failure::Memory);
            }
            match self.machine.run(&mut self.fuel) {
                Outcome::Done => {
                    let result = self.machine.results().and_then(|mut results| results.next()).map(Val::from);
                    self.machine.abandon();
                    return Ran::Returned(result);
                }
                Outcome::OutOfFuel { required } => return Ran::OutOfFuel { stopped: Stopped(()), required },
                Outcome::Faulted(fault) => return self.ended(failure(fault)),
                Outcome::Asks { import } => match self.asked(import) {
                    Ok(None) => {}
                    Ok(Some(parked)) => return Ran::Asks(parked),
                    Err(failure) => return self.ended(failure),
                },
            }
        }
    }

    /// Calls the import that is asked for; returns what waits where only the core can answer.
    fn asked(&mut self, import: u32) -> Result<Option<Parked>, Failure> {
        let Some(linked) = self.imports.get(import as usize).copied().flatten() else {
            return Err(Failure::Trap(self.unknown(import)));
        };
        self.state.args.clear();
        self.state.args.extend(self.machine.arguments().map(Val::from));
        match imports::call(&mut Caller::of(lent_by_chip(self)), linked) {
            Called::Ret(ret) => self.give(import, ret).map(|()| None),
            Called::Exit(code) => Err(Failure::Exit(code)),
            Called::Asks if self.state.pending.is_some() => Ok(Some(Parked { import })),
            Called::Asks => Err(Failure::Trap(WAITS.into())),
        }
    }

    /// Gives the activation that asks the result of its import, in the types that it declares.
    fn give(&mut self, import: u32, mut ret: Ret) -> Result<(), Failure> {
        let mut values = Vals::new();
        if let Some(ty) = self.machine.image().type_of(import) {
            for ty in ty.results.iter() {
                let value = ret.value(ValType::from(ty)).and_then(Val::given);
                values.push(value.ok_or_else(|| Failure::Trap(NO_LONG_RESULT.into()))?);
                ret = Ret::Nothing;
            }
        }
        self.machine.answer(&values).map_err(|error| Failure::Trap(error.to_string()))
    }

    /// Takes the innermost activation away: it will not return.
    fn ended(&mut self, failure: Failure) -> RanBy<Self> {
        self.machine.abandon();
        Ran::Ended(failure)
    }

    fn unknown(&self, import: u32) -> String {
        let named = self.machine.image().imports().nth(import as usize);
        named.map_or_else(String::new, |import| unknown_import(import.module, import.name))
    }
}

/// What a guest is told for which nobody can be asked.
const WAITS: &str = "waits for the core";

/// Reads a fault; its words are those of wasmi, so that they are the same with both.
fn failure(fault: Fault) -> Failure {
    let words = match fault {
        Fault::Unreachable => return Failure::Unreachable,
        Fault::MemoryOutOfBounds => return Failure::MemoryOutOfBounds,
        Fault::StackOverflow => return Failure::StackOverflow,
        Fault::Memory => return Failure::Memory,
        Fault::TableOutOfBounds => "undefined element: out of bounds table access",
        Fault::IndirectCallToNull => "uninitialized element 2",
        Fault::BadSignature => "indirect call type mismatch",
        Fault::DivideByZero => "integer divide by zero",
        Fault::IntegerOverflow => "integer overflow",
        Fault::BadConversion => "invalid conversion to integer",
        other => return Failure::Trap(other.to_string()),
    };
    Failure::Trap(words.into())
}

impl From<ValueType> for ValType {
    fn from(ty: ValueType) -> Self {
        match ty {
            ValueType::I32 => Self::I32,
            ValueType::I64 => Self::I64,
            ValueType::F32 => Self::F32,
            ValueType::F64 => Self::F64,
            ValueType::FuncRef | ValueType::ExternRef => Self::Reference,
        }
    }
}

impl From<Value> for Val {
    fn from(value: Value) -> Self {
        match value {
            Value::I32(value) => Self::I32(value),
            Value::I64(value) => Self::I64(value),
            Value::F32(value) => Self::F32(value),
            Value::F64(value) => Self::F64(value),
            Value::FuncRef(_) | Value::ExternRef(_) => Self::Reference,
        }
    }
}

impl Val {
    /// Returns it as the machine takes it; `None` for a reference.
    fn given(self) -> Option<Value> {
        Some(match self {
            Self::I32(value) => Value::I32(value),
            Self::I64(value) => Value::I64(value),
            Self::F32(value) => Value::F32(value),
            Self::F64(value) => Value::F64(value),
            Self::Reference => return None,
        })
    }
}
