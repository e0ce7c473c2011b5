//! Host functions: what a guest can import (plugin ABI §3).
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

use skiff_abi::Capability;
use skiff_abi::import::{AS_FETCH, DATE, ENV, MATH, WASI};

pub(super) use caller::Caller;
pub(super) use outcome::{Outcome, Ret};

#[cfg(feature = "components")]
use super::engine::GuestSlice;
use super::engine::Val;
use super::trace::{self, TracedImport};
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
pub(super) enum Run {
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

#[cfg(feature = "components")]
impl ImportRow {
    /// Of an import that only components have: it needs no capability, and gives nothing that is a number.
    pub(super) const fn of(module: &'static str, name: &'static str, run: Run) -> Self {
        Self { module, name, capability: None, failure: Ret::Nothing, run }
    }

    /// Tells whether it is this function of an interface in a version that it knows.
    pub(super) fn is(&self, interface: &str, name: &str) -> bool {
        self.name == name && interface.starts_with(self.module)
    }
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

/// A call for which the guest is parked; its arguments stand in its state.
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

/// An import as a guest calls it.
#[derive(Clone, Copy)]
pub(super) struct Linked {
    row: &'static ImportRow,
    traced: TracedImport,
}

/// Finds the function of this name; `None` where this host has none.
pub(super) fn linked(module: &str, name: &str) -> Option<Linked> {
    find(module, name).map(|row| Linked { row, traced: trace::row(module, name) })
}

/// Links a row that only components have.
#[cfg(feature = "components")]
pub(super) fn linked_row(row: &'static ImportRow) -> Linked {
    Linked { row, traced: trace::row(row.module, row.name) }
}

/// Publishes a notification as `sk_publish_notification` does; false when it was refused.
#[cfg(feature = "components")]
pub(super) fn publish_notification(
    caller: &mut Caller<'_>,
    services: &mut dyn Services,
    path: GuestSlice,
    value: GuestSlice,
) -> bool {
    data::sk_publish_notification(caller, services, path, value) == 0
}

/// What the host has for a guest that calls an import.
pub(super) enum Called {
    /// Its result.
    Ret(Ret),
    /// The guest ends its call.
    Exit(i32),
    /// Only the core can answer: the guest is parked for what is pending in its state.
    Asks,
}

/// Calls an import, whose arguments stand in the state.
pub(super) fn call(caller: &mut Caller<'_>, import: Linked) -> Called {
    let args = core::mem::take(&mut caller.state_mut().args);
    let shown = trace::shown(import.traced, caller, &args);
    let outcome = called(caller, &args, import.row);
    let state = caller.state_mut();
    state.args = args;
    match outcome {
        Some(Outcome::Ret(ret)) => {
            trace::finished(state, shown, ret);
            Called::Ret(ret)
        }
        Some(Outcome::Exit(code)) => Called::Exit(code),
        // Only functions that run while the guest is parked let it wait; it ends where nothing is pending.
        Some(Outcome::Fetch(_) | Outcome::Sleep { .. }) => Called::Asks,
        #[cfg(feature = "components")]
        Some(Outcome::Answer(_) | Outcome::Trap(_)) => Called::Asks,
        None => {
            trace::suspended(state, shown);
            state.pending = Some(Pending(import.row));
            Called::Asks
        }
    }
}

/// Runs a function as far as the host can by itself; `None` where the guest is to be parked for it.
fn called(caller: &mut Caller<'_>, params: &[Val], import: &ImportRow) -> Option<Outcome> {
    let inert = caller.is_inert();
    // During the start section upstream has no handle on the guest: imports do nothing (plugin ABI §2.3).
    if inert && import.module != WASI {
        return Some(Outcome::Ret(match import.failure {
            Ret::Nothing => Ret::Nothing,
            Ret::Int(_) => Ret::Int(0),
            Ret::Float(_) => Ret::Float(0.0),
            #[cfg(feature = "components")]
            Ret::Long(_) => Ret::Long(0),
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
