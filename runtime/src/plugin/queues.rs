//! What waits for a plugin: deltas, requests, and those who want to know that a configuration is in force.

use alloc::collections::VecDeque;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

use super::context::TurnContext;
use super::exchange::{ExchangeId, Outcome, Reply};
use super::faults::{Faults, HandlerSum};
use crate::budget::PluginLimits;
use crate::delta::Delta;
use crate::host::Call;
use crate::queue::Queue;
use crate::time::Instant;

/// A request that waits for the plugin.
pub(super) struct Waiting {
    pub(super) exchange: ExchangeId,
    pub(super) call: Call,
}

/// A delta that waits for the plugin.
pub(super) struct Incoming {
    pub(super) delta: Arc<Delta>,
    /// Plugins it came through.
    pub(super) hops: u8,
}

/// Why deltas and requests wait although the plugin does not run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Hold {
    /// A fresh instance takes the place of one whose memory was used up.
    Recycling,
    /// Another version takes its place.
    Reload,
}

/// The queues of one plugin; they outlive its instances and its versions.
pub(super) struct Queues {
    pub(super) deltas: Queue<Incoming>,
    pub(super) requests: VecDeque<Waiting>,
    requests_max: usize,
    /// Exchanges that end when the plugin has come up or failed to.
    settling: Vec<ExchangeId>,
    hold: Option<Hold>,
    faults: Faults,
    /// Time of the turn.
    now: Instant,
}

impl Queues {
    /// Makes empty queues; no memory is taken before something waits.
    pub(super) fn new(limits: &PluginLimits) -> Self {
        Self {
            deltas: Queue::new(limits.delta_queue_len, limits.delta_queue_bytes),
            requests: VecDeque::new(),
            requests_max: limits.request_queue_len.into(),
            settling: Vec::new(),
            hold: None,
            faults: Faults::default(),
            now: Instant::default(),
        }
    }

    /// Takes note of the time.
    pub(super) fn tick(&mut self, now: Instant) {
        self.now = now;
    }

    pub(super) fn request(&mut self, exchange: ExchangeId, call: Call) -> Result<(), Reply> {
        if call.handler().is_some_and(|export| self.faults.is_closed(HandlerSum::of(export), self.now)) {
            return Err(Reply::Closed);
        }
        if self.requests.len() >= self.requests_max {
            return Err(Reply::Busy);
        }
        self.requests.push_back(Waiting { exchange, call });
        Ok(())
    }

    /// Leaves a handler alone that failed, and answers those who wait for it; returns for how many seconds.
    pub(super) fn close_handler(&mut self, handler: HandlerSum, cx: &mut TurnContext<'_, '_>) -> u64 {
        let seconds = self.faults.note(handler, cx.world.now);
        self.requests.retain(|waiting| {
            let goes_on = waiting.call.handler().map(HandlerSum::of) != Some(handler);
            if !goes_on {
                cx.finish(waiting.exchange, Outcome::Replied(Reply::Closed));
            }
            goes_on
        });
        seconds
    }

    /// Lets everything wait for the instance that is to come.
    pub(super) fn hold_for_recycling(&mut self) {
        self.hold = Some(Hold::Recycling);
    }

    /// Lets everything wait for the version that is to come.
    pub(super) fn hold_for_reload(&mut self) {
        self.hold = Some(Hold::Reload);
    }

    /// The plugin runs, or another version has taken over.
    pub(super) fn end_hold(&mut self) {
        self.hold = None;
    }

    /// No fresh instance will come.
    pub(super) fn end_recycling(&mut self) {
        self.hold = self.hold.filter(|hold| *hold != Hold::Recycling);
    }

    /// The change of version is over.
    pub(super) fn end_reload(&mut self) {
        self.hold = self.hold.filter(|hold| *hold != Hold::Reload);
    }

    /// Tells whether deltas and requests wait for an instance to come.
    pub(super) fn is_holding(&self) -> bool {
        self.hold.is_some()
    }

    pub(super) fn is_held_for_reload(&self) -> bool {
        self.hold == Some(Hold::Reload)
    }

    /// Tells whether nothing waits, and no handler is left alone for a while.
    pub(super) fn are_at_rest(&self) -> bool {
        let is_empty = self.deltas.is_empty() && self.requests.is_empty() && self.settling.is_empty();
        is_empty && self.hold.is_none() && self.faults.is_empty()
    }

    /// Ends what waits, unless an instance is to come for it.
    pub(super) fn withdraw(&mut self, cx: &mut TurnContext<'_, '_>) {
        if self.is_holding() {
            return;
        }
        for waiting in self.requests.drain(..) {
            cx.finish(waiting.exchange, Outcome::Replied(Reply::Stopped));
        }
        self.deltas.clear();
    }

    /// Notes an exchange that ends when the plugin has come up or failed to.
    pub(super) fn tell_when_settled(&mut self, exchange: ExchangeId) {
        self.settling.push(exchange);
    }

    /// Answers those who wait for a configuration to be in force.
    pub(super) fn settle(&mut self, result: &Result<(), String>, cx: &mut TurnContext<'_, '_>) {
        for exchange in self.settling.drain(..) {
            cx.finish(exchange, Outcome::Configured(result.clone()));
        }
    }

    pub(super) fn is_anyone_waiting_to_settle(&self) -> bool {
        !self.settling.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::budget::{Board, Limits};

    #[test]
    fn a_hold_ends_with_its_own_cause_or_when_the_plugin_runs() {
        let mut queues = Queues::new(&Limits::of(Board::Linux).plugin);
        queues.hold_for_recycling();
        queues.end_reload();
        assert!(queues.is_holding() && !queues.is_held_for_reload());
        queues.end_recycling();
        assert!(!queues.is_holding());
        queues.hold_for_reload();
        queues.end_recycling();
        assert!(queues.is_held_for_reload(), "the version before may come back");
        queues.end_hold();
        assert!(!queues.is_holding());
    }

    #[test]
    fn requests_beyond_the_limit_are_refused() {
        let limits = Limits::of(Board::Linux).plugin;
        let mut queues = Queues::new(&limits);
        for number in 0..limits.request_queue_len {
            assert_eq!(queues.request(ExchangeId(number.into()), Call::Poll), Ok(()));
        }
        assert_eq!(queues.request(ExchangeId(0), Call::Poll), Err(Reply::Busy));
    }
}
