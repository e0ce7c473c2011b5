//! A new version of an installed plugin: prepared beside the old one, switched between two calls, undone when it fails.
//!
//! Where both fit into memory, the old instance goes on until `plugin_start` of the new one has returned 0; then the
//! new one takes over the queues, and the old one is stopped. Where they do not, the old one is stopped first,
//! deltas and requests wait, and the old version comes back when the new one fails. Either way no delta is lost as
//! long as the queue holds, and none is given twice.

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::format;
use alloc::string::String;
use core::mem;

use super::context::{Turn, TurnContext};
use super::errors::ReplaceError;
use super::exchange::{ExchangeId, Finished, Outcome};
use super::installed::Plugin;
use super::life::{Life, PluginState, Why};
use super::queues::Queues;
use super::version::Version;
use crate::budget::{Account, Ledger, Shortage};
use crate::package::{Asks, Package};
use crate::time::Instant;

/// A change of version under way.
pub(super) struct Reload {
    stage: Stage,
    exchange: Option<ExchangeId>,
}

/// How far a change of version has come.
enum Stage {
    /// The new version comes up beside the one in force.
    Beside(Box<Version>),
    /// The new version is in force; the one before is being stopped.
    Retiring { before: Box<Version>, fallback: Option<Package> },
    /// The new version comes up alone; where it fails, the fallback comes back.
    Alone { fallback: Option<Package> },
    /// The version before is on its way back; why the new one failed.
    Back(String),
}

impl Plugin {
    /// Begins to put another version in the place of this one.
    pub(super) fn replace(
        &mut self,
        package: Package,
        missing: Asks,
        exchange: Option<ExchangeId>,
        ledger: &Ledger,
        now: Instant,
    ) -> Result<(), ReplaceError> {
        if self.reload.is_some() {
            return Err(ReplaceError::Busy);
        }
        if !missing.is_empty() && self.version.missing.is_empty() {
            return Err(ReplaceError::Asks(missing));
        }
        let mut next = self.version.sibling(package);
        let needed = match &next.facts {
            Ok(facts) => facts.reserved_bytes(&next.limits),
            Err(refusal) => return Err(ReplaceError::Refused(refusal.clone())),
        };
        let free = ledger.free();
        let free_without_this = free.saturating_add(self.version.life.reserved_bytes());
        if needed > free_without_this {
            return Err(ReplaceError::Shortage(Shortage { needed, free: free_without_this }));
        }
        let stage = if self.state() != PluginState::Running {
            // Nothing runs that could go on meanwhile.
            next.lacks(missing, now);
            self.take_over(next);
            Stage::Alone { fallback: None }
        } else if needed.max(self.promised()) <= free {
            next.account = Account::NextVersion(next.view.id.clone());
            Stage::Beside(Box::new(next))
        } else {
            next.life.rest(Why::Stopped(None));
            let fallback = Some(self.version.package.clone());
            let before = Box::new(self.take_over(next));
            self.queues.hold_for_reload();
            Stage::Retiring { before, fallback }
        };
        self.reload = Some(Box::new(Reload { stage, exchange }));
        Ok(())
    }

    /// Returns what the version in force was promised, where that is the best that is known of the next one before it is
    /// translated; bytes.
    fn promised(&self) -> u64 {
        if self.version.limits.is_promised() { self.version.life.reserved_bytes() } else { 0 }
    }

    /// Gives up a version that has not started yet, as when the plugin is configured or shut down meanwhile.
    pub(super) fn abandon_reload(&mut self, finished: &mut VecDeque<Finished>) {
        if let Some(reload) = self.reload.take_if(|reload| matches!(reload.stage, Stage::Beside(_))) {
            let reason = String::from("given up for a change of the configuration or the end of the gateway");
            self.end_reload(reload.exchange, Err(reason), finished);
        }
    }

    /// Does a bounded amount of work for the plugin and for the version that comes or goes.
    pub(super) fn turn(&mut self, cx: &mut TurnContext<'_, '_>) -> Turn {
        let turn = self.version.turn(&mut self.queues, self.reload.is_none(), cx);
        if self.version.life.stop_wanted() || self.version.is_leaving {
            self.abandon_reload(cx.finished);
        }
        match self.reload.take() {
            None => turn,
            Some(reload) => turn.and(self.reload_turn(reload, cx)),
        }
    }

    fn reload_turn(&mut self, mut reload: Box<Reload>, cx: &mut TurnContext<'_, '_>) -> Turn {
        let mut turn = Turn::default();
        reload.stage = match reload.stage {
            Stage::Beside(mut next) => {
                if next.life.state() != PluginState::Running {
                    turn = turn.and(next.turn_beside(cx));
                }
                match next.life.state() {
                    PluginState::Running if self.version.life.is_between_calls() => {
                        turn.busy = true;
                        Stage::Retiring { before: Box::new(self.switch_to(*next, cx.ledger)), fallback: None }
                    }
                    // A call of the old version that is under way ends first; its own turn says when.
                    PluginState::Running | PluginState::Starting | PluginState::Stopped => Stage::Beside(next),
                    PluginState::Error | PluginState::Crashed => {
                        let reason = String::from(next.life.reason().unwrap_or_default());
                        self.end_reload(reload.exchange, Err(reason), cx.finished);
                        return turn;
                    }
                }
            }
            later => later,
        };
        reload.stage = match reload.stage {
            Stage::Retiring { mut before, fallback } => {
                turn = turn.and(before.turn_beside(cx));
                if before.life.is_at_rest() {
                    if self.queues.is_held_for_reload() && !self.version.is_leaving {
                        self.version.life.plan_again(cx.world.now);
                    }
                    turn.busy = true;
                    Stage::Alone { fallback }
                } else {
                    Stage::Retiring { before, fallback }
                }
            }
            other => other,
        };
        if matches!(reload.stage, Stage::Alone { .. } | Stage::Back(_)) {
            self.settle_reload(reload, cx);
            turn.busy |= self.reload.is_some() && matches!(self.version.life, Life::Due(..));
        } else {
            self.reload = Some(reload);
        }
        turn
    }

    /// Ends the change of version when the new one has come up or failed.
    fn settle_reload(&mut self, mut reload: Box<Reload>, cx: &mut TurnContext<'_, '_>) {
        let life = &self.version.life;
        let outcome = match life.state() {
            PluginState::Running => Ok(()),
            PluginState::Stopped if life.is_at_rest() => Ok(()),
            PluginState::Error | PluginState::Crashed => Err(String::from(life.reason().unwrap_or_default())),
            PluginState::Starting | PluginState::Stopped => {
                self.reload = Some(reload);
                return;
            }
        };
        match (outcome, reload.stage) {
            (Err(reason), Stage::Alone { fallback: Some(package) }) => {
                // What failed is gone, and its bytes are free, before the version before is loaded.
                let mut back = self.version.sibling(package);
                back.life.plan(cx.world.now, Why::Stopped(None));
                self.take_over(back);
                self.queues.hold_for_reload();
                reload.stage = Stage::Back(reason);
                self.reload = Some(reload);
            }
            (_, Stage::Back(failure)) => self.end_reload(reload.exchange, Err(failure), cx.finished),
            (outcome, _) => self.end_reload(reload.exchange, outcome, cx.finished),
        }
    }

    fn end_reload(
        &mut self,
        exchange: Option<ExchangeId>,
        result: Result<(), String>,
        finished: &mut VecDeque<Finished>,
    ) {
        self.queues.end_reload();
        let version = &mut self.version;
        match &result {
            Ok(()) => version.view.log(log::Level::Info, &format!("version {} is in place", version.package.version)),
            Err(reason) => version.view.log(log::Level::Error, &format!("new version refused: {reason}")),
        }
        finished.extend(exchange.map(|exchange| Finished { exchange, result: Outcome::Replaced(result) }));
    }

    /// Puts a version that runs beside this one in its place, with its account.
    fn switch_to(&mut self, mut next: Version, ledger: &mut Ledger) -> Version {
        next.account = Account::Plugin(next.view.id.clone());
        ledger.exchange_versions(&next.view.id);
        self.take_over(next)
    }

    /// Puts `next` in the place of the version in force; returns that one, on its way to its end.
    fn take_over(&mut self, mut next: Version) -> Version {
        next.succeed(&mut self.version);
        self.queues.end_hold();
        let mut before = mem::replace(&mut self.version, next);
        before.shut_down();
        before
    }
}

impl Version {
    /// A turn of a version that is not in force: nothing waits for it.
    fn turn_beside(&mut self, cx: &mut TurnContext<'_, '_>) -> Turn {
        let mut nothing = Queues::new(&self.limits);
        self.turn(&mut nothing, false, cx)
    }
}
