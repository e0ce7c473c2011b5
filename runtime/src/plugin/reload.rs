//! A new version of an installed plugin: prepared beside the old one, switched between two calls, undone when it fails.
//!
//! Where both fit into memory, the old instance goes on until `plugin_start` of the new one has returned 0; then the
//! new one takes over the queues, and the old one is stopped. Where they do not, the old one is stopped first,
//! deltas and requests wait, and the old version comes back when the new one fails. Either way no delta is lost as
//! long as the queue holds, and none is given twice.

use alloc::boxed::Box;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use super::entry::{Phase, Plugin, State};
use super::{ExchangeId, Finished, Outcome, Turn, World};
use crate::budget::{Account, Ledger, Reservation, Shortage};
use crate::host::Refusal;
use crate::package::Package;

/// Why a new version is not even tried; the old one goes on.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ReplaceError {
    /// No package of this name is installed.
    NotFound,
    /// Another version is on its way in.
    Busy,
    /// The module is refused.
    Refused(Refusal),
    /// It does not fit, not even without the old one.
    Shortage(Shortage),
}

impl fmt::Display for ReplaceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotFound => f.write_str("no such plugin"),
            Self::Busy => f.write_str("another version of this plugin is being started"),
            Self::Refused(refusal) => refusal.fmt(f),
            Self::Shortage(shortage) => shortage.fmt(f),
        }
    }
}

impl core::error::Error for ReplaceError {}

/// A change of version under way.
pub(super) struct Reload {
    /// The new version, while it comes up beside the old one.
    candidate: Option<Box<Plugin>>,
    /// The old version, while it is being stopped.
    retiring: Option<Box<Plugin>>,
    /// What comes back when the new version fails and the old one has been stopped.
    fallback: Option<Package>,
    /// Why the version before is on its way back.
    failure: Option<String>,
    exchange: Option<ExchangeId>,
}

impl Plugin {
    /// Begins to put another version in the place of this one.
    pub(super) fn replace(
        &mut self,
        package: Package,
        strict: bool,
        exchange: Option<ExchangeId>,
        ledger: &mut Ledger,
        world: &World<'_>,
    ) -> Result<(), ReplaceError> {
        if self.reload.is_some() {
            return Err(ReplaceError::Busy);
        }
        let mut candidate = self.version(package, strict);
        let needed = match &candidate.facts {
            Ok(facts) => facts.reserved_bytes(&self.limits),
            Err(refusal) => return Err(ReplaceError::Refused(refusal.clone())),
        };
        let (free, own) = (ledger.free(), self.memory.as_ref().map_or(0, Reservation::bytes));
        let mut reload = Box::new(Reload { candidate: None, retiring: None, fallback: None, failure: None, exchange });
        if needed > free.saturating_add(own) {
            return Err(ReplaceError::Shortage(Shortage { needed, free: free.saturating_add(own) }));
        }
        if self.state != State::Running {
            // Nothing runs that could go on meanwhile.
            self.take_over(candidate);
            self.phase = Phase::Load(world.now);
        } else if needed <= free {
            candidate.account = Account::NextVersion(self.face.id.clone());
            reload.candidate = Some(Box::new(candidate));
        } else {
            candidate.phase = Phase::Rest;
            reload.fallback = Some(self.package.clone());
            reload.retiring = Some(Box::new(self.take_over(candidate)));
            self.holding = true;
        }
        self.reload = Some(reload);
        Ok(())
    }

    /// Builds another version of this plugin, with its configuration.
    fn version(&self, package: Package, strict: bool) -> Self {
        let orphans = self.face.orphans.clone();
        Self::new(package, &self.limits, strict, self.poll_on_whole_seconds, orphans).configured(self.config.clone())
    }

    /// Gives up a version that has not started yet, as when the plugin is configured or shut down meanwhile.
    pub(super) fn abandon_reload(&mut self, finished: &mut Vec<Finished>) {
        let Some(reload) = &mut self.reload else { return };
        if reload.candidate.take().is_some() {
            self.end_reload(
                Err(String::from("given up for a change of the configuration or the end of the gateway")),
                finished,
            );
        }
    }

    /// Does a bounded amount of work for the plugin and for the version that comes or goes.
    pub(super) fn turn_with_reload(
        &mut self,
        strict: bool,
        ledger: &mut Ledger,
        world: &mut World<'_>,
        finished: &mut Vec<Finished>,
    ) -> Turn {
        let turn = self.turn(ledger, world, finished);
        match self.reload.take() {
            None => turn,
            Some(reload) => turn.and(self.reload_turn(reload, strict, ledger, world, finished)),
        }
    }

    fn reload_turn(
        &mut self,
        mut reload: Box<Reload>,
        strict: bool,
        ledger: &mut Ledger,
        world: &mut World<'_>,
        finished: &mut Vec<Finished>,
    ) -> Turn {
        let mut turn = Turn::default();
        if let Some(mut candidate) = reload.candidate.take() {
            if self.stop_wanted || self.shutting_down {
                reload.candidate = Some(candidate);
                self.reload = Some(reload);
                self.abandon_reload(finished);
                return turn;
            }
            if candidate.state != State::Running {
                turn = turn.and(candidate.turn(ledger, world, finished));
            }
            match candidate.state {
                State::Running if self.is_between_calls() => {
                    candidate.account = Account::Plugin(self.face.id.clone());
                    ledger.exchange_versions(&self.face.id);
                    reload.retiring = Some(Box::new(self.take_over(*candidate)));
                    turn.busy = true;
                }
                State::Running | State::Starting | State::Stopped => {
                    // A call of the old version that is under way ends first; its own turn says when.
                    reload.candidate = Some(candidate);
                }
                State::Error | State::Crashed => {
                    let reason = candidate.reason.take().unwrap_or_default();
                    self.reload = Some(reload);
                    self.end_reload(Err(reason), finished);
                    return turn;
                }
            }
        }
        if let Some(mut retiring) = reload.retiring.take() {
            turn = turn.and(retiring.turn(ledger, world, finished));
            if retiring.is_at_rest() {
                if self.holding && !self.shutting_down {
                    self.phase = Phase::Load(world.now);
                }
                turn.busy = true;
            } else {
                reload.retiring = Some(retiring);
            }
        }
        if reload.candidate.is_some() || reload.retiring.is_some() {
            self.reload = Some(reload);
            return turn;
        }
        self.settle_reload(reload, strict, world, finished);
        turn.and(Turn { busy: self.reload.is_some() && matches!(self.phase, Phase::Load(_)), wake: None })
    }

    /// Ends the change of version when the new one has come up or failed.
    fn settle_reload(
        &mut self,
        mut reload: Box<Reload>,
        strict: bool,
        world: &World<'_>,
        finished: &mut Vec<Finished>,
    ) {
        let outcome = match self.state {
            State::Running => Some(Ok(())),
            State::Stopped if self.is_at_rest() => Some(Ok(())),
            State::Starting | State::Stopped => None,
            State::Error | State::Crashed => Some(Err(self.reason.clone().unwrap_or_default())),
        };
        match (outcome, reload.fallback.take()) {
            (None, fallback) => {
                reload.fallback = fallback;
                self.reload = Some(reload);
            }
            (Some(Err(reason)), Some(package)) => {
                self.memory = None;
                let back = self.version(package, strict);
                self.take_over(back);
                self.holding = true;
                self.phase = Phase::Load(world.now);
                reload.failure = Some(reason);
                self.reload = Some(reload);
            }
            (Some(outcome), _) => {
                let failure = reload.failure.take();
                self.reload = Some(reload);
                self.end_reload(failure.map_or(outcome, Err), finished);
            }
        }
    }

    fn end_reload(&mut self, result: Result<(), String>, finished: &mut Vec<Finished>) {
        self.holding = false;
        let exchange = self.reload.take().and_then(|reload| reload.exchange);
        match &result {
            Ok(()) => self.face.log(log::Level::Info, &format!("version {} is in place", self.package.version)),
            Err(reason) => self.face.log(log::Level::Error, &format!("new version refused: {reason}")),
        }
        finished.extend(exchange.map(|exchange| Finished { exchange, result: Outcome::Replaced(result) }));
    }

    fn is_between_calls(&self) -> bool {
        !matches!(self.phase, Phase::Live(_, Some(_)))
    }

    /// Puts `next` in the place of this version, with all that waits and all that was counted; returns this version,
    /// on its way to its end.
    fn take_over(&mut self, next: Self) -> Self {
        let mut old = core::mem::replace(self, next);
        core::mem::swap(&mut self.deltas, &mut old.deltas);
        core::mem::swap(&mut self.requests, &mut old.requests);
        core::mem::swap(&mut self.configuring, &mut old.configuring);
        core::mem::swap(&mut self.face.log, &mut old.face.log);
        // What the new version logged while it started comes after the lines of the old one.
        while let Some(line) = old.face.log.pop() {
            let bytes = line.len();
            self.face.log.push(line, bytes);
        }
        self.face.drops = core::mem::take(&mut old.face.drops);
        self.face.offers.succeed(&mut old.face.offers);
        self.fuel_spent = self.fuel_spent.saturating_add(old.fuel_spent);
        self.endpoints_version = old.endpoints_version.wrapping_add(1);
        old.shut_down();
        old
    }
}
