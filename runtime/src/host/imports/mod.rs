//! Host functions: what a guest can import, built from the type it declares (plugin ABI §2.5, §3).
//!
//! A handler reads its arguments, and either answers at once or asks the core: then the guest is
//! suspended, [`Ask::answer`] gets the answer from [`Services`], and the guest is resumed. A guest
//! mistake gives the import's failure value, never a trap.

mod ask;
mod basics;
mod data;
mod fetch;
#[cfg(any(test, feature = "std"))]
mod math;
mod providers;
mod sockets;
mod status;
mod wasi;

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use skiff_abi::import;
use wasmi::{
    AsContext, AsContextMut, Caller, Error, ExternType, F32, F64, Func, FuncType, Module, Store, Val, ValType,
    errors::HostError,
};

pub(super) use ask::Ask;
pub(super) use wasi::FileAsk;

use super::memory::GuestSlice;
use super::state::HostState;
use super::text;
use super::trace;
use crate::budget::PluginLimits;

/// Bytes of one text a guest hands over, beyond its own limits elsewhere.
const TEXT_BYTES_MAX: u32 = 256 * 1024;

/// The natural result of an import.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Ret {
    /// None.
    Nothing,
    /// An integer.
    Int(i32),
    /// A number.
    Float(f64),
}

impl Ret {
    /// Adapts the result to what the guest declared; `None` where JavaScript would throw.
    pub(super) fn values(self, declared: &[ValType]) -> Option<Vec<Val>> {
        declared
            .iter()
            .enumerate()
            .map(|(index, ty)| if index == 0 { self.value(*ty) } else { Self::Nothing.value(*ty) })
            .collect()
    }

    fn value(self, ty: ValType) -> Option<Val> {
        let number = match self {
            Self::Nothing => f64::NAN,
            Self::Int(value) => f64::from(value),
            Self::Float(value) => value,
        };
        #[expect(clippy::cast_possible_truncation, reason = "what a 32-bit float import gets in JavaScript")]
        match (ty, self) {
            (ValType::I32, Self::Int(value)) => Some(Val::I32(value)),
            (ValType::I32, _) => Some(Val::I32(to_int32(number))),
            (ValType::F64, _) => Some(Val::F64(F64::from(number))),
            (ValType::F32, _) => Some(Val::F32(F32::from(number as f32))),
            _ => None,
        }
    }
}

/// ECMA-262 `ToInt32`.
fn to_int32(number: f64) -> i32 {
    if !number.is_finite() {
        return 0;
    }
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the remainder fits 32 bits")]
    let bits = (number % 4_294_967_296.0) as i64 as u64;
    let [a, b, c, d, ..] = bits.to_le_bytes();
    i32::from_le_bytes([a, b, c, d])
}

/// Returns the fuel that copying `bytes` costs.
pub(super) fn fuel_for(bytes: u32) -> u64 {
    (u64::from(bytes) / PluginLimits::IMPORT_BYTES_PER_FUEL).saturating_add(1)
}

/// What a handler decided.
pub(super) enum Outcome {
    /// The answer.
    Done(Ret),
    /// The core must be asked.
    Ask(Ask),
    /// The guest ends its call (`proc_exit`).
    Exit(i32),
}

/// An argument had a type that the binding cannot use, such as `i64` for a pointer.
pub(super) struct WrongType;

/// The arguments as the guest gave them.
pub(super) struct Args<'a>(&'a [Val]);

impl Args<'_> {
    /// Returns integer argument `index`, 0 when the guest declares fewer.
    pub(super) fn int(&self, index: usize) -> Result<i32, WrongType> {
        self.int_or(index, 0)
    }

    /// Returns integer argument `index`, `default` when the guest declares fewer.
    pub(super) fn int_or(&self, index: usize, default: i32) -> Result<i32, WrongType> {
        match self.0.get(index) {
            None => Ok(default),
            Some(Val::I32(value)) => Ok(*value),
            Some(Val::F64(value)) => Ok(to_int32(f64::from(*value))),
            Some(Val::F32(value)) => Ok(to_int32(f64::from(f32::from(*value)))),
            Some(_) => Err(WrongType),
        }
    }

    /// Returns integer argument `index` as an unsigned number.
    pub(super) fn uint(&self, index: usize) -> Result<u32, WrongType> {
        self.int(index).map(i32::cast_unsigned)
    }

    /// Returns 64-bit argument `index`.
    pub(super) fn long(&self, index: usize) -> Result<i64, WrongType> {
        match self.0.get(index) {
            None => Ok(0),
            Some(Val::I64(value)) => Ok(*value),
            Some(Val::I32(value)) => Ok(i64::from(*value)),
            Some(_) => Err(WrongType),
        }
    }

    /// Returns number argument `index`.
    pub(super) fn float(&self, index: usize) -> Result<f64, WrongType> {
        match self.0.get(index) {
            None => Ok(f64::NAN),
            Some(Val::F64(value)) => Ok(f64::from(*value)),
            Some(Val::F32(value)) => Ok(f64::from(f32::from(*value))),
            Some(Val::I32(value)) => Ok(f64::from(*value)),
            Some(_) => Err(WrongType),
        }
    }

    /// Returns the range in arguments `index` and `index + 1`.
    pub(super) fn slice(&self, index: usize) -> Result<GuestSlice, WrongType> {
        Ok(GuestSlice { ptr: self.uint(index)?, len: self.uint(index.saturating_add(1))? })
    }

    /// Returns how many arguments the guest declares.
    pub(super) fn count(&self) -> usize {
        self.0.len()
    }
}

/// The calling guest.
pub(super) struct Guest<'c> {
    caller: Caller<'c, HostState>,
}

impl Guest<'_> {
    pub(super) fn state(&self) -> &HostState {
        self.caller.data()
    }

    pub(super) fn state_mut(&mut self) -> &mut HostState {
        self.caller.data_mut()
    }

    pub(super) fn memory(&self) -> &[u8] {
        match self.caller.data().memory {
            Some(memory) => memory.data(self.caller.as_context()),
            None => &[],
        }
    }

    pub(super) fn memory_mut(&mut self) -> &mut [u8] {
        match self.caller.data().memory {
            Some(memory) => memory.data_mut(self.caller.as_context_mut()),
            None => &mut [],
        }
    }

    /// Reads a text; `None` when the range leaves the memory or is too long.
    pub(super) fn text(&mut self, slice: GuestSlice) -> Option<String> {
        if slice.len > TEXT_BYTES_MAX {
            return None;
        }
        let text = text::from_utf8(slice.read(self.memory())?);
        self.charge(slice.len);
        Some(text)
    }

    /// Reads an AssemblyScript string.
    pub(super) fn managed(&mut self, ptr: u32) -> Option<String> {
        match text::managed_string(self.memory(), ptr, TEXT_BYTES_MAX) {
            text::Managed::Text(text) => {
                self.charge(u32::try_from(text.len()).unwrap_or(u32::MAX));
                Some(text)
            }
            text::Managed::Null | text::Managed::Wrong => None,
        }
    }

    /// Takes fuel for `bytes` copied; a guest that has none left runs dry at its next step.
    pub(super) fn charge(&mut self, bytes: u32) {
        // What is counted in overlapping ranges is not copied more than once.
        let cost = fuel_for(bytes.min(self.state().limits.linear_bytes_max));
        if let Ok(fuel) = self.caller.get_fuel() {
            // Setting fuel fails only where metering is off.
            let _ = self.caller.set_fuel(fuel.saturating_sub(cost));
            let debt = &mut self.caller.data_mut().fuel_debt;
            *debt = debt.saturating_add(cost.saturating_sub(fuel));
        }
    }
}

type Handler = fn(&mut Guest<'_>, &Args<'_>) -> Result<Outcome, WrongType>;

/// One known import.
pub(super) struct Known {
    pub(super) module: &'static str,
    pub(super) name: &'static str,
    pub(super) handler: Handler,
    /// What a guest mistake gives.
    pub(super) failure: Ret,
}

#[cfg(any(test, feature = "std"))]
const MATH_TABLE: &[Known] = math::TABLE;
#[cfg(not(any(test, feature = "std")))]
const MATH_TABLE: &[Known] = &[];

/// Every import this host knows, in tables by group.
fn tables() -> impl Iterator<Item = &'static Known> {
    basics::TABLE
        .iter()
        .chain(status::TABLE)
        .chain(data::TABLE)
        .chain(providers::TABLE)
        .chain(fetch::TABLE)
        .chain(sockets::TABLE)
        .chain(sockets::SERIAL_TABLE)
        .chain(MATH_TABLE)
        .chain(wasi::TABLE)
}

fn find(module: &str, name: &str) -> Option<&'static Known> {
    tables().find(|known| known.module == module && known.name == name)
}

/// Tells whether the host has a function of this name.
pub(super) fn is_known(module: &str, name: &str) -> bool {
    find(module, name).is_some()
}

/// A question of the guest and the types in which it wants the answer.
#[derive(Debug)]
pub(super) struct Pending {
    pub(super) ask: Ask,
    pub(super) results: Vec<ValType>,
}

/// Stops the interpreter while the [`Pending`] question in the state is answered; then the guest is resumed.
#[derive(Debug)]
pub(super) struct Suspended;

impl fmt::Display for Suspended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("waits for the core")
    }
}

impl HostError for Suspended {}

/// Builds one host function per function import of the module, in order.
///
/// # Errors
/// The name of an import that is no function.
pub(super) fn build(store: &mut Store<HostState>, module: &Module) -> Result<Vec<wasmi::Extern>, String> {
    let mut externs = Vec::new();
    for entry in module.imports() {
        let ExternType::Func(ty) = entry.ty() else {
            return Err(format!("{}.{}", entry.module(), entry.name()));
        };
        let function = match find(entry.module(), entry.name()) {
            Some(known) => known_function(store, ty, known),
            None => unknown_function(store, ty, entry.module(), entry.name()),
        };
        externs.push(wasmi::Extern::Func(function));
    }
    Ok(externs)
}

fn known_function(store: &mut Store<HostState>, ty: &FuncType, known: &'static Known) -> Func {
    let declared: Vec<ValType> = ty.results().to_vec();
    Func::new(store, ty.clone(), move |caller, params, results| {
        let mut guest = Guest { caller };
        let shown = match guest.state().trace {
            Some(_) => {
                let memory = guest.state().memory.is_some().then(|| guest.memory());
                trace::call(known.module, known.name, params, memory)
            }
            None => None,
        };
        // During the start section upstream has no handle on the guest: imports do nothing (plugin ABI §2.3).
        let inert = guest.state().memory.is_none() && known.module != import::WASI;
        let outcome =
            if inert { Outcome::Done(inert_answer(known.failure)) } else { called(&mut guest, params, known) };
        match outcome {
            Outcome::Done(ret) => {
                if let (Some(trace), Some(shown)) = (&mut guest.state_mut().trace, shown) {
                    trace.finished(*shown, ret);
                }
                give(ret, &declared, results)
            }
            Outcome::Ask(ask) => {
                if let (Some(trace), Some(shown)) = (&mut guest.state_mut().trace, shown) {
                    trace.suspended(*shown);
                }
                guest.state_mut().pending = Some(Pending { ask, results: declared.clone() });
                Err(Error::host(Suspended))
            }
            Outcome::Exit(code) => Err(Error::i32_exit(code)),
        }
    })
}

fn called(guest: &mut Guest<'_>, params: &[Val], known: &Known) -> Outcome {
    guest.charge(0);
    (known.handler)(guest, &Args(params)).unwrap_or(Outcome::Done(known.failure))
}

fn inert_answer(failure: Ret) -> Ret {
    match failure {
        Ret::Nothing => Ret::Nothing,
        Ret::Int(_) => Ret::Int(0),
        Ret::Float(_) => Ret::Float(0.0),
    }
}

/// Writes a result in the types the guest declared.
fn give(ret: Ret, declared: &[ValType], results: &mut [Val]) -> Result<(), Error> {
    let Some(values) = ret.values(declared) else {
        return Err(Error::new("an import gives no 64-bit result"));
    };
    for (to, from) in results.iter_mut().zip(values) {
        *to = from;
    }
    Ok(())
}

fn unknown_function(store: &mut Store<HostState>, ty: &FuncType, module: &str, name: &str) -> Func {
    let message = format!("called the import {module}.{name}, which this host does not know");
    Func::new(store, ty.clone(), move |_, _, _| Err(Error::new(message.clone())))
}
