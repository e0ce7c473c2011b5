//! Both engines, where both are compiled in: `PluginLimits::engine` says which one runs a module.

use alloc::boxed::Box;

#[cfg(feature = "components")]
use super::Lifted;
use super::{Engine, Linear, LinearMut, Module, Ran, RanBy, Reach, Val, chip, wasmi};
use crate::budget;
use crate::host::failure::{Failure, LoadError};
use crate::host::imports::Ret;
use crate::host::state::HostState;
use crate::images::{Share, Taken};

/// What an engine has, of the one that runs the module.
#[derive(Clone, Copy, Debug)]
pub(in crate::host) enum Either<W, C> {
    Wasmi(W),
    Chip(C),
}

use Either::{Chip, Wasmi};

pub(in crate::host) type Guest = Either<wasmi::Guest, chip::Guest>;
pub(in crate::host) type Function = Either<wasmi::Function, chip::Function>;
pub(in crate::host) type Variable = Either<wasmi::Variable, chip::Variable>;
pub(in crate::host) type Stopped = Either<wasmi::Stopped, chip::Stopped>;
pub(in crate::host) type Parked = Either<wasmi::Parked, chip::Parked>;
pub(in crate::host) type Access<'e> = Either<wasmi::Access<'e>, chip::Access<'e>>;

macro_rules! each {
    ($either:expr, $one:ident => $does:expr) => {
        match $either {
            Wasmi($one) => $does,
            Chip($one) => $does,
        }
    };
}

impl<W: Reach, C: Reach> Reach for Either<W, C> {
    fn state(&self) -> &HostState {
        each!(self, one => one.state())
    }

    fn state_mut(&mut self) -> &mut HostState {
        each!(self, one => one.state_mut())
    }

    fn memory(&self) -> Linear<'_> {
        each!(self, one => one.memory())
    }

    fn memory_mut(&mut self) -> LinearMut<'_> {
        each!(self, one => one.memory_mut())
    }

    fn fuel(&self) -> u64 {
        each!(self, one => one.fuel())
    }

    fn refuel(&mut self, fuel: u64) {
        each!(self, one => one.refuel(fuel));
    }
}

/// What is said of a token of one engine that comes to the other, which the types cannot forbid.
const STRANGE: &str = "a function of another engine";

impl Engine for Guest {
    type Function = Function;
    type Variable = Variable;
    type Stopped = Stopped;
    type Parked = Parked;
    type Access<'e> = Access<'e>;

    fn load(module: &Module<'_>, state: Box<HostState>) -> Result<Self, LoadError> {
        match state.limits.engine {
            budget::Engine::Wasmi => wasmi::Guest::load(module, state).map(Wasmi),
            budget::Engine::Skiff => chip::Guest::load(module, state).map(Chip),
        }
    }

    fn start_function(&self) -> Option<Function> {
        match self {
            Wasmi(guest) => guest.start_function().map(Wasmi),
            Chip(guest) => guest.start_function().map(Chip),
        }
    }

    fn function(&self, name: &str) -> Option<Function> {
        match self {
            Wasmi(guest) => guest.function(name).map(Wasmi),
            Chip(guest) => guest.function(name).map(Chip),
        }
    }

    fn gives_number(&self, function: Function) -> bool {
        match (self, function) {
            (Wasmi(guest), Wasmi(function)) => guest.gives_number(function),
            (Chip(guest), Chip(function)) => guest.gives_number(function),
            _ => false,
        }
    }

    fn variable(&self, name: &str) -> Option<Variable> {
        match self {
            Wasmi(guest) => guest.variable(name).map(Wasmi),
            Chip(guest) => guest.variable(name).map(Chip),
        }
    }

    #[cfg(any(test, feature = "trace"))]
    fn get(&self, variable: Variable) -> Val {
        match (self, variable) {
            (Wasmi(guest), Wasmi(variable)) => guest.get(variable),
            (Chip(guest), Chip(variable)) => guest.get(variable),
            _ => Val::Reference,
        }
    }

    fn set(&mut self, variable: Variable, value: Val) {
        match (self, variable) {
            (Wasmi(guest), Wasmi(variable)) => guest.set(variable, value),
            (Chip(guest), Chip(variable)) => guest.set(variable, value),
            _ => {}
        }
    }

    fn call(&mut self, function: Function, arguments: &[u32]) -> Option<RanBy<Self>> {
        match (self, function) {
            (Wasmi(guest), Wasmi(function)) => guest.call(function, arguments).map(by_wasmi),
            (Chip(guest), Chip(function)) => guest.call(function, arguments).map(by_chip),
            _ => None,
        }
    }

    fn go_on(&mut self, stopped: Stopped) -> RanBy<Self> {
        match (self, stopped) {
            (Wasmi(guest), Wasmi(stopped)) => by_wasmi(guest.go_on(stopped)),
            (Chip(guest), Chip(stopped)) => by_chip(guest.go_on(stopped)),
            _ => Ran::Ended(Failure::Trap(STRANGE.into())),
        }
    }

    fn answer(&mut self, parked: Parked, ret: Ret) -> RanBy<Self> {
        match (self, parked) {
            (Wasmi(guest), Wasmi(parked)) => by_wasmi(guest.answer(parked, ret)),
            (Chip(guest), Chip(parked)) => by_chip(guest.answer(parked, ret)),
            _ => Ran::Ended(Failure::Trap(STRANGE.into())),
        }
    }

    fn forget(&mut self) {
        each!(self, guest => guest.forget());
    }

    fn access(&mut self) -> Access<'_> {
        match self {
            Wasmi(guest) => Wasmi(guest.access()),
            Chip(guest) => Chip(guest.access()),
        }
    }

    fn linear_bytes(&self) -> u64 {
        each!(self, guest => guest.linear_bytes())
    }

    fn image_bytes(&self) -> Option<usize> {
        each!(self, guest => guest.image_bytes())
    }

    fn allow_growth(&mut self, linear_bytes_max: u64) {
        each!(self, guest => guest.allow_growth(linear_bytes_max));
    }

    fn allow_share(&mut self, share: &Share, beside: u64, ledger: &budget::Ledger) {
        each!(self, guest => guest.allow_share(share, beside, ledger));
    }

    fn note_share(&self, share: &mut Share, beside: u64) -> Option<Taken> {
        each!(self, guest => guest.note_share(share, beside))
    }

    #[cfg(feature = "components")]
    fn lifted(&self, name: &str) -> Option<Lifted<Function>> {
        let Wasmi(guest) = self else { return None };
        let Lifted { realloc, post_return } = guest.lifted(name)?;
        Some(Lifted { realloc: realloc.map(Wasmi), post_return: post_return.map(Wasmi) })
    }

    #[cfg(feature = "components")]
    fn realloc(&self) -> Option<Function> {
        match self {
            Wasmi(guest) => guest.realloc().map(Wasmi),
            Chip(_) => None,
        }
    }
}

fn by_wasmi(ran: RanBy<wasmi::Guest>) -> RanBy<Guest> {
    match ran {
        Ran::Returned(result) => Ran::Returned(result),
        Ran::OutOfFuel { stopped, required } => Ran::OutOfFuel { stopped: Wasmi(stopped), required },
        Ran::Asks(parked) => Ran::Asks(Wasmi(parked)),
        Ran::Ended(failure) => Ran::Ended(failure),
    }
}

fn by_chip(ran: RanBy<chip::Guest>) -> RanBy<Guest> {
    match ran {
        Ran::Returned(result) => Ran::Returned(result),
        Ran::OutOfFuel { stopped, required } => Ran::OutOfFuel { stopped: Chip(stopped), required },
        Ran::Asks(parked) => Ran::Asks(Chip(parked)),
        Ran::Ended(failure) => Ran::Ended(failure),
    }
}
