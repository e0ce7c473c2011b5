//! wasmi, behind the seam.

#[cfg(feature = "components")]
mod component;
mod config;
mod link;

use alloc::boxed::Box;
use alloc::string::ToString;
use alloc::vec::Vec;

use ::wasmi::{
    AsContext, AsContextMut, Error, Extern, Func, Global, Instance, Memory, Module as Translated, ResumableCall,
    ResumableCallHostTrap, ResumableCallOutOfFuel, Store, StoreContextMut, StoreLimits, TrapCode, Val as Value,
    ValType as Type,
};
use skiff_abi::export;

#[cfg(feature = "components")]
use super::Lifted;
use super::vals::Vals;
use super::{Engine, Linear, LinearMut, Module, NO_LONG_RESULT, Ran, RanBy, Reach, StartSection, Val, ValType, fitted};
use crate::budget::PluginLimits;
use crate::host::facts::Refusal;
use crate::host::failure::{Failure, LoadError, short};
use crate::host::imports::Ret;
use crate::host::start_section;
use crate::host::state::HostState;

/// Data of the store.
pub(in crate::host) struct Data {
    host: Box<HostState>,
    /// The guest's memory, from when it is set up.
    memory: Option<Memory>,
    /// Limits of what can grow.
    growth: StoreLimits,
    /// What gives room for the answer of the import that was called last.
    #[cfg(feature = "components")]
    realloc: Option<Func>,
}

/// A module in execution. An engine of its own: one keeps translated code until it is dropped.
pub(in crate::host) struct Guest {
    store: Store<Data>,
    exported: Exported,
    memory: Memory,
    /// The function whose slice of fuel has ended.
    stopped: Option<Box<(ResumableCallOutOfFuel, Vals<Value>)>>,
    /// Functions that wait for the result of an import, the innermost one last. What they hold is large: it lies here and not in
    /// every frame that a token passes through.
    parked: Vec<(ResumableCallHostTrap, Vals<Value>)>,
}

/// Where its exports are found.
enum Exported {
    Module(Instance),
    #[cfg(feature = "components")]
    Component(component::Lifts),
}

pub(in crate::host) type Function = Func;
pub(in crate::host) type Variable = Global;
pub(in crate::host) type Access<'e> = StoreContextMut<'e, Data>;

/// The function whose slice of fuel has ended goes on.
#[derive(Debug)]
pub(in crate::host) struct Stopped(());

/// The innermost function that is parked goes on.
#[derive(Debug)]
pub(in crate::host) struct Parked(());

impl Reach for Access<'_> {
    fn state(&self) -> &HostState {
        &self.data().host
    }

    fn state_mut(&mut self) -> &mut HostState {
        &mut self.data_mut().host
    }

    fn memory(&self) -> Linear<'_> {
        self.data().memory.map_or(Linear::NONE, |memory| Linear::of_bytes(memory.data(self.as_context())))
    }

    fn memory_mut(&mut self) -> LinearMut<'_> {
        match self.data().memory {
            Some(memory) => LinearMut::of_bytes(memory.data_mut(self.as_context_mut())),
            None => LinearMut::none(),
        }
    }

    // Reading and setting fuel fail only where metering is off.
    fn fuel(&self) -> u64 {
        self.get_fuel().unwrap_or(0)
    }

    fn refuel(&mut self, fuel: u64) {
        let _ = self.set_fuel(fuel);
    }
}

impl Reach for Guest {
    fn state(&self) -> &HostState {
        &self.store.data().host
    }

    fn state_mut(&mut self) -> &mut HostState {
        &mut self.store.data_mut().host
    }

    fn memory(&self) -> Linear<'_> {
        Linear::of_bytes(self.memory.data(&self.store))
    }

    fn memory_mut(&mut self) -> LinearMut<'_> {
        LinearMut::of_bytes(self.memory.data_mut(&mut self.store))
    }

    fn fuel(&self) -> u64 {
        self.store.get_fuel().unwrap_or(0)
    }

    fn refuel(&mut self, fuel: u64) {
        let _ = self.store.set_fuel(fuel);
    }
}

impl Engine for Guest {
    type Function = Function;
    type Variable = Variable;
    type Stopped = Stopped;
    type Parked = Parked;
    type Access<'e> = Access<'e>;

    fn load(module: &Module<'_>, state: Box<HostState>) -> Result<Self, LoadError> {
        #[cfg(feature = "components")]
        if crate::host::component::is_component(module.wasm) {
            return component::load(module, state);
        }
        let sliced = match module.start {
            StartSection::Runs => None,
            StartSection::Waits => Some(start_section::exported(module.wasm).ok_or_else(|| too_long(module.limits))?),
        };
        let limits = module.limits;
        let engine = config::engine(limits);
        let translated = Translated::new(&engine, sliced.as_deref().unwrap_or(module.wasm))
            .map_err(|error| LoadError::Invalid(short(&error)))?;
        drop(sliced);
        let growth = config::store_limits(limits, module.linear_bytes_max);
        let mut store = Store::new(
            &engine,
            Data {
                host: state,
                memory: None,
                growth,
                #[cfg(feature = "components")]
                realloc: None,
            },
        );
        store.limiter(|data| &mut data.growth);
        let _ = store.set_fuel(limits.fuel_start_section);
        let externs = link::externs(&mut store, &translated)
            .map_err(|name| LoadError::Instantiate(Refusal::ImportKind { name }.to_string()))?;
        let instance = Instance::new(&mut store, &translated, &externs).map_err(|error| start_error(&error, limits))?;
        let memory = instance.get_memory(&store, export::MEMORY).ok_or(LoadError::MissingExport(export::MEMORY))?;
        store.data_mut().memory = Some(memory);
        Ok(Self { store, exported: Exported::Module(instance), memory, stopped: None, parked: Vec::new() })
    }

    fn start_function(&self) -> Option<Func> {
        self.function(start_section::EXPORT)
    }

    fn function(&self, name: &str) -> Option<Func> {
        match &self.exported {
            Exported::Module(instance) => instance.get_export(&self.store, name).and_then(Extern::into_func),
            #[cfg(feature = "components")]
            Exported::Component(lifts) => lifts.get(name).map(|lift| lift.function),
        }
    }

    fn gives_number(&self, function: Func) -> bool {
        let ty = function.ty(&self.store);
        ty.params().is_empty() && matches!(ty.results(), [Type::I32])
    }

    fn variable(&self, name: &str) -> Option<Global> {
        match &self.exported {
            Exported::Module(instance) => instance.get_global(&self.store, name),
            #[cfg(feature = "components")]
            Exported::Component(_) => None,
        }
    }

    #[cfg(any(test, feature = "trace"))]
    fn get(&self, variable: Global) -> Val {
        Val::from(&variable.get(&self.store))
    }

    fn set(&mut self, variable: Global, value: Val) {
        if let Some(value) = value.lent() {
            let _ = variable.set(&mut self.store, value);
        }
    }

    fn call(&mut self, function: Func, arguments: &[u32]) -> Option<RanBy<Self>> {
        let ty = function.ty(&self.store);
        let (mut inputs, mut outputs) = (Vals::new(), Vals::new());
        for (index, ty) in ty.params().iter().enumerate() {
            inputs.push(fitted(ValType::from(*ty), arguments.get(index).copied())?.lent()?);
        }
        ty.results().iter().for_each(|ty| outputs.push(Value::default_for_ty(*ty)));
        let called = function.call_resumable(&mut self.store, &inputs, &mut outputs);
        Some(self.ran(called, outputs))
    }

    fn go_on(&mut self, Stopped(()): Stopped) -> RanBy<Self> {
        let Some(stopped) = self.stopped.take() else { return lost() };
        let (call, mut outputs) = *stopped;
        let called = call.resume(&mut self.store, &mut outputs);
        self.ran(called, outputs)
    }

    fn answer(&mut self, Parked(()): Parked, ret: Ret) -> RanBy<Self> {
        let Some((call, mut outputs)) = self.parked.pop() else { return lost() };
        let ty = call.host_func().ty(&self.store);
        let mut values = Vals::new();
        ty.results().iter().for_each(|ty| values.push(Value::default_for_ty(*ty)));
        if !write(ret, &mut values) {
            return Ran::Ended(Failure::Trap(NO_LONG_RESULT.into()));
        }
        let called = call.resume(&mut self.store, &values, &mut outputs);
        self.ran(called, outputs)
    }

    fn forget(&mut self) {
        self.stopped = None;
        self.parked.clear();
    }

    fn access(&mut self) -> Access<'_> {
        self.store.as_context_mut()
    }

    fn linear_bytes(&self) -> u64 {
        self.memory.data_size(&self.store) as u64
    }

    fn image_bytes(&self) -> Option<usize> {
        None
    }

    fn allow_growth(&mut self, linear_bytes_max: u64) {
        let data = self.store.data_mut();
        data.growth = match &self.exported {
            Exported::Module(_) => config::store_limits(&data.host.limits, linear_bytes_max),
            #[cfg(feature = "components")]
            Exported::Component(_) => component::store_limits(&data.host.limits, linear_bytes_max),
        };
    }

    #[cfg(feature = "components")]
    fn lifted(&self, name: &str) -> Option<Lifted<Func>> {
        let Exported::Component(lifts) = &self.exported else { return None };
        lifts.get(name).map(|lift| Lifted { realloc: lift.realloc, post_return: lift.post_return })
    }

    #[cfg(feature = "components")]
    fn realloc(&self) -> Option<Func> {
        self.store.data().realloc
    }
}

impl Guest {
    fn ran(&mut self, called: Result<ResumableCall, Error>, outputs: Vals<Value>) -> RanBy<Self> {
        match called {
            Ok(ResumableCall::Finished) => Ran::Returned(outputs.first().map(Val::from)),
            Ok(ResumableCall::OutOfFuel(call)) => {
                let required = call.required_fuel();
                self.stopped = Some(Box::new((call, outputs)));
                Ran::OutOfFuel { required, stopped: Stopped(()) }
            }
            Ok(ResumableCall::HostTrap(call)) if self.state().pending.is_some() => {
                // One as a rule: another is parked only while the first waits for a fetch.
                self.parked.reserve_exact(1);
                self.parked.push((call, outputs));
                Ran::Asks(Parked(()))
            }
            Ok(ResumableCall::HostTrap(call)) => Ran::Ended(failure(call.host_error())),
            Err(error) => Ran::Ended(failure(&error)),
        }
    }
}

/// What becomes of a token that was forgotten.
fn lost<S, P>() -> Ran<S, P> {
    Ran::Ended(Failure::Trap("the call was forgotten".into()))
}

/// Writes the result of an import in the types that `to` has; false where JavaScript would throw.
fn write(mut ret: Ret, to: &mut [Value]) -> bool {
    let mut fits = true;
    for value in to {
        match ret.value(ValType::from(value.ty())).and_then(Val::lent) {
            Some(adapted) => *value = adapted,
            None => fits = false,
        }
        ret = Ret::Nothing;
    }
    fits
}

/// Reads the interpreter's error.
fn failure(error: &Error) -> Failure {
    if let Some(code) = error.i32_exit_status() {
        return Failure::Exit(code);
    }
    match error.as_trap_code() {
        Some(TrapCode::StackOverflow) => Failure::StackOverflow,
        Some(TrapCode::UnreachableCodeReached) => Failure::Unreachable,
        Some(TrapCode::MemoryOutOfBounds) => Failure::MemoryOutOfBounds,
        Some(TrapCode::OutOfFuel) => Failure::OutOfFuel { limit: 0 },
        _ => Failure::Trap(short(error)),
    }
}

fn too_long(limits: &PluginLimits) -> LoadError {
    LoadError::Start(Failure::OutOfFuel { limit: limits.fuel_start_section })
}

fn start_error(error: &Error, limits: &PluginLimits) -> LoadError {
    use ::wasmi::errors::ErrorKind;
    match error.kind() {
        ErrorKind::Instantiation(_) | ErrorKind::Memory(_) | ErrorKind::Table(_) => {
            LoadError::Instantiate(short(error))
        }
        _ => match failure(error) {
            Failure::OutOfFuel { .. } => too_long(limits),
            other => LoadError::Start(other),
        },
    }
}

impl From<Type> for ValType {
    fn from(ty: Type) -> Self {
        match ty {
            Type::I32 => Self::I32,
            Type::I64 => Self::I64,
            Type::F32 => Self::F32,
            Type::F64 => Self::F64,
            _ => Self::Reference,
        }
    }
}

impl From<&Value> for Val {
    fn from(value: &Value) -> Self {
        match value {
            Value::I32(value) => Self::I32(*value),
            Value::I64(value) => Self::I64(*value),
            Value::F32(value) => Self::F32(f32::from(*value)),
            Value::F64(value) => Self::F64(f64::from(*value)),
            _ => Self::Reference,
        }
    }
}

impl Val {
    /// Returns it as the interpreter has it; `None` for a reference.
    fn lent(self) -> Option<Value> {
        Some(match self {
            Self::I32(value) => Value::I32(value),
            Self::I64(value) => Value::I64(value),
            Self::F32(value) => Value::F32(value.into()),
            Self::F64(value) => Value::F64(value.into()),
            Self::Reference => return None,
        })
    }
}
