//! Host functions: what a guest can import, built from the type it declares (plugin ABI §2.5, §3).
//!
//! Every row of [`skiff_abi::imports!`] is one function here, in the room the row names. It has the row's parameters,
//! acts, and gives its result. Functions of `host` rows run where the guest calls them. For those of `core` rows the
//! guest is suspended with its arguments, and the call machine runs them with [`Services`] at hand. A guest mistake
//! gives the import's failure value, never a trap.

mod args;
#[cfg(any(test, feature = "std"))]
mod autopilots;
mod basics;
mod caller;
mod data;
mod fetch;
#[cfg(any(test, feature = "std"))]
mod math;
mod outcome;
mod providers;
mod sockets;
mod status;
mod wasi;

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use skiff_abi::Capability;
use skiff_abi::import::{AS_FETCH, DATE, ENV, MATH, WASI};
use wasmi::{AsContextMut, Error, ExternType, Func, FuncType, Module, Store, Val, errors::HostError};

pub(super) use caller::Caller;
pub(super) use outcome::{Outcome, Ret};

use super::state::HostState;
use super::trace;
use super::{Nobody, Services};
use crate::budget::PluginLimits;
use args::{Args, WrongType, kinds};
use wasi::{environment, files, no_sockets, poll};

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

type Answered = Result<Outcome, WrongType>;

/// The function of a row.
enum Run {
    /// Runs in the guest's call.
    Host(fn(&mut Caller<'_>, &mut Args<'_>) -> Answered),
    /// Runs while the guest is suspended.
    Core(fn(&mut Caller<'_>, &mut dyn Services, &mut Args<'_>) -> Answered),
}

/// The part of an import's row that linking needs; the texts for readers stay out of a board's image.
pub(super) struct ImportRow {
    module: &'static str,
    name: &'static str,
    /// Without it every call gives `failure`.
    capability: Option<Capability>,
    /// The value that a guest's mistake gives.
    failure: Ret,
    run: Run,
}

impl ImportRow {
    fn failed(&self) -> Outcome {
        Outcome::Ret(self.failure)
    }
}

/// A function from a row. Parameters have the types of their kinds, so one that takes others does not compile.
macro_rules! run {
    (host $room:ident $name:ident ($($parameter:ident : $kind:ident),*)) => {
        Run::Host(|caller, args| {
            let _ = &args;
            $(let $parameter: kinds::$kind = args.take()?;)*
            Ok($room::$name(caller, $($parameter),*).into())
        })
    };
    (core $room:ident $name:ident ($($parameter:ident : $kind:ident),*)) => {
        Run::Core(|caller, services, args| {
            let _ = &args;
            $(let $parameter: kinds::$kind = args.take()?;)*
            Ok($room::$name(caller, services, $($parameter),*).into())
        })
    };
}

macro_rules! name {
    ($name:ident) => {
        stringify!($name)
    };
    ($name:ident $import:literal) => {
        $import
    };
}

macro_rules! failure {
    () => {
        Ret::Nothing
    };
    (I32 $failure:expr) => {
        Ret::Int($failure)
    };
    (F64 $failure:expr) => {
        Ret::Float($failure)
    };
}

macro_rules! capability {
    () => {
        None
    };
    ($capability:ident) => {
        Some(Capability::$capability)
    };
}

/// The rows of a group, where they are on this host.
macro_rules! group {
    (all $rows:expr) => {
        $rows
    };
    (std $rows:expr) => {{
        #[cfg(any(test, feature = "std"))]
        const ROWS: &[ImportRow] = $rows;
        #[cfg(not(any(test, feature = "std")))]
        const ROWS: &[ImportRow] = &[];
        ROWS
    }};
}

macro_rules! groups {
    ($($module:ident $room:ident $section:literal $hosts:ident {
        $($(#[doc = $about:literal])* $by:ident $name:ident $(= $import:literal)?
            ($($parameter:ident : $kind:ident),*) $(-> $result:ident or $failure:expr)?,
            $(needs $capability:ident,)? shows $shape:ident;)*
    })*) => {
        /// Every import this host knows, group by group.
        static GROUPS: &[&[ImportRow]] = &[$(group!($hosts &[$(ImportRow {
            module: $module,
            name: name!($name $($import)?),
            capability: capability!($($capability)?),
            failure: failure!($($result $failure)?),
            run: run!($by $room $name ($($parameter: $kind),*)),
        }),*])),*];
    };
}

skiff_abi::imports!(groups);

fn find(module: &str, name: &str) -> Option<&'static ImportRow> {
    GROUPS.iter().copied().flatten().find(|import| import.module == module && import.name == name)
}

/// Tells whether the host has a function of this name.
pub(super) fn is_known(module: &str, name: &str) -> bool {
    find(module, name).is_some()
}

/// A call for which the guest is suspended; its arguments stand in the state of the store.
pub(super) struct Pending(&'static ImportRow);

impl Pending {
    /// Runs the function.
    pub(super) fn run(&self, caller: &mut Caller<'_>, services: &mut dyn Services, args: &[Val]) -> Outcome {
        let outcome = match self.0.run {
            Run::Core(run) => run(caller, services, &mut Args::of(args)),
            Run::Host(run) => run(caller, &mut Args::of(args)),
        };
        outcome.unwrap_or_else(|WrongType| self.0.failed())
    }
}

/// Stops the interpreter while the [`Pending`] call in the state is answered; then the guest is resumed.
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
            Some(import) => import_function(store, ty, import),
            None => unknown_function(store, ty, entry.module(), entry.name()),
        };
        externs.push(wasmi::Extern::Func(function));
    }
    Ok(externs)
}

fn import_function(store: &mut Store<HostState>, ty: &FuncType, import: &'static ImportRow) -> Func {
    let row = trace::row(import.module, import.name);
    Func::new(store, ty.clone(), move |mut store, params, results| {
        let mut caller = Caller::of(store.as_context_mut());
        let shown = trace::shown(row, &mut caller, params);
        let outcome = match called(&mut caller, params, import) {
            Some(outcome) => outcome,
            None => {
                let state = caller.state_mut();
                trace::suspended(state, shown);
                state.args.clear();
                state.args.extend_from_slice(params);
                state.pending = Some(Pending(import));
                return Err(Error::host(Suspended));
            }
        };
        match outcome {
            Outcome::Ret(ret) => {
                trace::finished(caller.state_mut(), shown, ret);
                if ret.write(results) { Ok(()) } else { Err(Error::new(NO_LONG_RESULT)) }
            }
            Outcome::Exit(code) => Err(Error::i32_exit(code)),
            // Only functions that run while the guest is suspended let it wait.
            Outcome::Fetch(_) | Outcome::Sleep { .. } => Err(Error::host(Suspended)),
        }
    })
}

/// What a guest is told that declares a result of 64 bits.
pub(super) const NO_LONG_RESULT: &str = "an import gives no 64-bit result";

/// Runs a function as far as the host can by itself; `None` where the guest is to be suspended for it.
fn called(caller: &mut Caller<'_>, params: &[Val], import: &ImportRow) -> Option<Outcome> {
    let inert = caller.is_inert();
    // During the start section upstream has no handle on the guest: imports do nothing (plugin ABI §2.3).
    if inert && import.module != WASI {
        return Some(Outcome::Ret(match import.failure {
            Ret::Nothing => Ret::Nothing,
            Ret::Int(_) => Ret::Int(0),
            Ret::Float(_) => Ret::Float(0.0),
        }));
    }
    caller.take_fuel(PluginLimits::IMPORT_FUEL);
    if import.capability.is_some_and(|capability| !caller.state().capabilities.allows(capability, false)) {
        return Some(import.failed());
    }
    let outcome = match import.run {
        Run::Host(run) => run(caller, &mut Args::of(params)),
        // It may run in one piece, and then nobody can be asked.
        Run::Core(run) if inert => run(caller, &mut Nobody::<()>::default(), &mut Args::of(params)),
        Run::Core(_) => {
            caller.take_fuel(PluginLimits::SUSPENSION_FUEL);
            return None;
        }
    };
    Some(outcome.unwrap_or_else(|WrongType| import.failed()))
}

fn unknown_function(store: &mut Store<HostState>, ty: &FuncType, module: &str, name: &str) -> Func {
    let message = format!("called the import {module}.{name}, which this host does not know");
    Func::new(store, ty.clone(), move |_, _, _| Err(Error::new(message.clone())))
}
