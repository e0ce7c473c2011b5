//! A plugin's place in the registry. While it has nothing to do it rests, and turns pass it over.

use alloc::vec::Vec;
use core::time::Duration;

use super::context::{Turn, TurnContext};
use super::installed::Plugin;
use super::offers::PutOffer;
use super::values::Offer;
use crate::time::Instant;

/// A plugin is looked at this often though it has nothing to do: its losses are told, its log's minute ends.
const REST_MAX: Duration = Duration::from_secs(1);

/// How long there is nothing to do.
#[derive(Clone, Copy, Debug)]
struct Rest {
    until: Instant,
    /// What its last turn asked for.
    wake: Option<Instant>,
}

/// A plugin and whether it rests.
pub(super) struct Seat {
    plugin: Plugin,
    rest: Option<Rest>,
}

impl Seat {
    pub(super) fn of(plugin: Plugin) -> Self {
        Self { plugin, rest: None }
    }

    pub(super) fn plugin(&self) -> &Plugin {
        &self.plugin
    }

    /// Returns the plugin to be changed: there may be something to do then.
    pub(super) fn stirred(&mut self) -> &mut Plugin {
        self.rest = None;
        &mut self.plugin
    }

    /// Queues a delta that it wants.
    pub(super) fn offer(&mut self, offer: &Offer<'_>) {
        if self.plugin.offer(offer) {
            self.rest = None;
        }
    }

    /// Returns what is left to do while it rests; `None` when it is to have a turn.
    pub(super) fn resting(&self, now: Instant) -> Option<Turn> {
        let rest = self.rest.filter(|rest| now < rest.until)?;
        Some(Turn { busy: false, wake: rest.wake })
    }

    /// Takes the PUT handlers that its turn left behind for good.
    pub(super) fn take_withdrawn_puts(&mut self) -> Vec<PutOffer> {
        self.plugin.take_withdrawn_puts()
    }

    /// Gives it a turn.
    pub(super) fn turn(&mut self, cx: &mut TurnContext<'_, '_>) -> Turn {
        let now = cx.world.now;
        let turn = self.plugin.turn(cx);
        let latest = now + REST_MAX;
        let until = turn.wake.map_or(latest, |wake| wake.min(latest));
        self.rest = (!turn.busy && self.plugin.may_rest()).then_some(Rest { until, wake: turn.wake });
        turn
    }
}
