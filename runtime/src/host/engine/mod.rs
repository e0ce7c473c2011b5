//! The engine: what runs a module. Nothing outside of this folder knows which one it is.
//!
//! [`Engine`] is the seam. A guest's function is [called](Engine::call) and runs until it returns, its fuel ends, or an import
//! asks the core; what it has on its stacks then waits in the guest, and a token takes it on. Imports that need nothing
//! of the core are answered on the way ([`imports::call`](super::imports::call)).
//!
//! ```text
//! call ─┬─► Returned                        fuel spent ─► Stopped ──► go_on ─┬─► ...
//!       ├─► OutOfFuel(Stopped)              import asks ─► Parked ──► answer ┤
//!       ├─► Asks(Parked)   meanwhile another function can be called          ├─► ...
//!       └─► Ended
//! ```
//!
//! wasmi is the engine of Linux and the reference, and skiff-engine that of chips. Where both are compiled in,
//! `PluginLimits::engine` says which one runs a module.

#[cfg(feature = "engine-chip")]
mod chip;
#[cfg(all(feature = "engine-chip", feature = "engine-wasmi"))]
mod either;
mod memory;
mod vals;
mod value;
#[cfg(feature = "engine-wasmi")]
mod wasmi;

#[cfg(not(any(feature = "engine-chip", feature = "engine-wasmi")))]
compile_error!("skiff-runtime needs an engine: the feature engine-wasmi or engine-chip");

use alloc::boxed::Box;
use alloc::format;
use alloc::string::String;
#[cfg(feature = "engine-chip")]
use core::cell::Cell;

#[cfg(feature = "engine-chip")]
use crate::budget::Ledger;
use crate::budget::PluginLimits;
#[cfg(feature = "engine-chip")]
use crate::images::{Share, Taken};

use super::failure::{Failure, LoadError};
use super::imports::Ret;
use super::state::HostState;

#[cfg(all(feature = "engine-chip", not(feature = "engine-wasmi")))]
use self::chip as running;
#[cfg(all(feature = "engine-chip", feature = "engine-wasmi"))]
use self::either as running;
#[cfg(all(feature = "engine-wasmi", not(feature = "engine-chip")))]
use self::wasmi as running;

#[cfg(feature = "engine-chip")]
pub use skiff_engine::Image;

#[cfg(feature = "engine-chip")]
pub(super) use chip::image::of as translate;

pub(super) use memory::{GuestSlice, Linear, LinearMut};
pub(super) use running::{Access, Function, Guest, Parked, Stopped, Variable};
pub(super) use value::{Val, ValType};

/// What is loaded.
pub(super) struct Module<'m> {
    pub(super) wasm: &'m [u8],
    /// Its image, where it was translated before; else the engine translates.
    #[cfg(feature = "engine-chip")]
    pub(super) image: Cell<Option<Image>>,
    /// Bytes that its machine may take while it is set up; `None` where only its linear memory is bounded.
    #[cfg(feature = "engine-chip")]
    pub(super) ram_bytes_max: Option<u64>,
    pub(super) limits: &'m PluginLimits,
    /// What the linear memory may grow to while the module is set up, bytes.
    pub(super) linear_bytes_max: u64,
    pub(super) start: StartSection,
}

/// What becomes of a start section.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum StartSection {
    /// It runs as part of the load, in one piece.
    Runs,
    /// It waits, to be called: [`Engine::start_function`].
    Waits,
}

/// How far a function got.
pub(super) enum Ran<Stopped, Parked> {
    /// It returned, with the first of its results.
    Returned(Option<Val>),
    /// What is left of the fuel does not do for the next step.
    OutOfFuel {
        stopped: Stopped,
        /// Fuel that the next step takes at least.
        required: u64,
    },
    /// It called an import that asks the core, which stands in [`HostState::pending`] with its arguments.
    Asks(Parked),
    /// It will not return.
    Ended(Failure),
}

/// [`Ran`] with the tokens of an engine.
pub(super) type RanBy<E> = Ran<<E as Engine>::Stopped, <E as Engine>::Parked>;

/// What imports reach of their guest, while it runs and while it waits.
pub(super) trait Reach {
    /// What the host keeps for the guest.
    fn state(&self) -> &HostState;
    fn state_mut(&mut self) -> &mut HostState;
    /// Its linear memory, to read from and to write to; nothing before the module was set up.
    fn memory(&self) -> Linear<'_>;
    fn memory_mut(&mut self) -> LinearMut<'_>;
    /// Fuel that is left of the slice.
    fn fuel(&self) -> u64;
    /// Sets it.
    fn refuel(&mut self, fuel: u64);
}

/// The state of a guest that is lent.
impl<R: Reach> Reach for &mut R {
    fn state(&self) -> &HostState {
        (**self).state()
    }

    fn state_mut(&mut self) -> &mut HostState {
        (**self).state_mut()
    }

    fn memory(&self) -> Linear<'_> {
        (**self).memory()
    }

    fn memory_mut(&mut self) -> LinearMut<'_> {
        (**self).memory_mut()
    }

    fn fuel(&self) -> u64 {
        (**self).fuel()
    }

    fn refuel(&mut self, fuel: u64) {
        (**self).refuel(fuel);
    }
}

/// What belongs to the function behind an export of a component.
#[cfg(feature = "components")]
#[derive(Clone, Copy, Debug)]
pub(super) struct Lifted<F> {
    /// Gives room for the texts of its arguments.
    pub(super) realloc: Option<F>,
    /// Is called with its result when that has been read.
    pub(super) post_return: Option<F>,
}

/// A module in execution.
pub(super) trait Engine: Reach + Sized {
    /// A function of the guest's, for as long as the guest is there.
    type Function: Copy;
    /// A global, the same.
    type Variable: Copy;
    /// A function whose slice of fuel has ended.
    type Stopped;
    /// A function that waits for the answer to its import.
    type Parked;
    /// The guest as imports reach it while the core answers them.
    type Access<'e>: Reach
    where
        Self: 'e;

    /// Makes a module ready to be called: checks it, links its imports, sets up its memory.
    ///
    /// # Errors
    /// [`LoadError`]; nothing is left then. A start section that did not return within the fuel for it is
    /// [`Failure::OutOfFuel`]: load it again with [`StartSection::Waits`].
    fn load(module: &Module<'_>, state: Box<HostState>) -> Result<Self, LoadError>;

    /// Returns the start section where it waits.
    fn start_function(&self) -> Option<Self::Function>;
    /// Finds an exported function.
    fn function(&self, name: &str) -> Option<Self::Function>;
    /// Tells whether it takes nothing and gives one `i32`.
    fn gives_number(&self, function: Self::Function) -> bool;
    /// Finds an exported global.
    fn variable(&self, name: &str) -> Option<Self::Variable>;
    #[cfg(any(test, feature = "trace"))]
    fn get(&self, variable: Self::Variable) -> Val;
    /// Sets a global; a constant is not set.
    fn set(&mut self, variable: Self::Variable, value: Val);

    /// Calls a function; `None` where it takes what the host cannot give. Arguments are fitted to what it declares:
    /// surplus ones dropped, missing ones 0 or no number. Functions that are parked stay so: the new one has to end before
    /// they go on.
    fn call(&mut self, function: Self::Function, arguments: &[u32]) -> Option<RanBy<Self>>;
    /// Goes on where the fuel has ended.
    fn go_on(&mut self, stopped: Self::Stopped) -> RanBy<Self>;
    /// Gives a function the result of its import, in the types it declares, and goes on.
    fn answer(&mut self, parked: Self::Parked, ret: Ret) -> RanBy<Self>;
    /// Forgets functions that were parked or stopped and whose tokens are gone.
    fn forget(&mut self);

    fn access(&mut self) -> Self::Access<'_>;
    /// Returns how large the linear memory is, bytes.
    fn linear_bytes(&self) -> u64;
    /// Returns how long the image is that it runs; `None` where it has none.
    fn image_bytes(&self) -> Option<usize>;
    /// Sets what the linear memory may grow to, bytes; beyond that `memory.grow` gives -1.
    fn allow_growth(&mut self, linear_bytes_max: u64);
    /// Lets its machine take of its share what the ledger has, `beside` bytes of it being the host's.
    #[cfg(feature = "engine-chip")]
    fn allow_share(&mut self, _share: &Share, _beside: u64, _ledger: &Ledger) {}
    /// Notes what its machine holds; `None` where it has no machine with a share.
    #[cfg(feature = "engine-chip")]
    fn note_share(&self, _share: &mut Share, _beside: u64) -> Option<Taken> {
        None
    }

    /// Returns what belongs to the function behind an export of a component.
    #[cfg(feature = "components")]
    fn lifted(&self, _name: &str) -> Option<Lifted<Self::Function>> {
        None
    }
    /// Returns what gives room for the answer of the import that a component called last.
    #[cfg(feature = "components")]
    fn realloc(&self) -> Option<Self::Function> {
        None
    }
}

/// Returns an argument for a parameter: surplus ones are dropped, missing ones are 0 or no number; `None` for types of
/// no use.
fn fitted(ty: ValType, given: Option<u32>) -> Option<Val> {
    Some(match ty {
        ValType::I32 => Val::I32(given.unwrap_or(0).cast_signed()),
        ValType::I64 => Val::I64(i64::from(given.unwrap_or(0))),
        ValType::F64 => Val::F64(given.map_or(f64::NAN, f64::from)),
        #[expect(clippy::cast_precision_loss, reason = "what JavaScript passes to a 32-bit float")]
        ValType::F32 => Val::F32(given.map_or(f32::NAN, |value| value as f32)),
        ValType::Reference => return None,
    })
}

/// What a guest is told that declares a result of 64 bits.
const NO_LONG_RESULT: &str = "an import gives no 64-bit result";

/// What a guest is told that calls an import of this name.
fn unknown_import(module: &str, name: &str) -> String {
    format!("called the import {module}.{name}, which this host does not know")
}

/// Returns a guest of wasmi as imports reach it.
#[cfg(feature = "engine-wasmi")]
#[allow(unused_qualifications)] // with one engine it is `Access` itself
fn lent_by_wasmi(access: wasmi::Access<'_>) -> Access<'_> {
    #[cfg(feature = "engine-chip")]
    let access = Access::Wasmi(access);
    access
}

/// Returns a guest of skiff-engine as imports reach it.
#[cfg(feature = "engine-chip")]
#[allow(unused_qualifications)] // with one engine it is `Access` itself
fn lent_by_chip(access: chip::Access<'_>) -> Access<'_> {
    #[cfg(feature = "engine-wasmi")]
    let access = Access::Chip(access);
    access
}
