//! What a plugin's turn is lent, and what it leaves behind.

use alloc::collections::VecDeque;
use alloc::sync::Arc;
use alloc::vec::Vec;

use super::exchange::{ExchangeId, Finished, Outcome};
use super::offers::Frames;
use crate::budget::Ledger;
use crate::delta::Delta;
use crate::fetch::FetchClient;
use crate::fetch::plain::PlainHttp;
use crate::hal::{Fetch, Network, Rng, SerialPorts, Storage};
use crate::model::Model;
use crate::time::{Instant, UnixMillis};

/// The parts of the gateway that plugins use while they run, lent for one turn.
pub struct World<'w> {
    /// Latest values; a plugin sees its own deltas there at once.
    pub model: &'w mut Model,
    /// Configuration files.
    pub storage: &'w mut dyn Storage,
    /// Randomness.
    pub rng: &'w mut dyn Rng,
    /// Sockets and what goes over them.
    pub net: Net<'w>,
    /// Monotonic time of this turn.
    pub now: Instant,
    /// Wall time of this turn.
    pub wall: UnixMillis,
    /// Full context of the own vessel.
    pub self_context: &'w str,
    /// Deltas that plugins emitted, to be published after the turn.
    pub outbox: &'w mut Vec<Emitted>,
    /// Binary frames of plugins, to be published after the turn.
    pub frames: &'w mut Frames,
}

/// The parts of a HAL that lead outside.
pub struct Net<'n> {
    /// TCP/IP.
    pub network: Option<&'n mut (dyn Network + 'static)>,
    /// HTTP client of the HAL.
    pub fetch: Option<&'n mut (dyn Fetch + 'static)>,
    /// Requests that go over `network` because there is no `fetch`.
    pub plain: &'n mut PlainHttp,
    /// Serial ports.
    pub serial: Option<&'n mut (dyn SerialPorts + 'static)>,
}

impl Net<'_> {
    pub(crate) fn client(&mut self, now: Instant) -> FetchClient<'_> {
        FetchClient { fetch: self.fetch.as_deref_mut(), network: self.network.as_deref_mut(), plain: self.plain, now }
    }
}

/// A delta that a plugin emitted, stamped and already in the data model.
#[derive(Clone, Debug)]
pub struct Emitted {
    /// Package name of the plugin.
    pub package: Arc<str>,
    /// The delta as the plugin meant it, stamped.
    pub delta: Arc<Delta>,
    /// What is published of it: notifications apart, with id and status.
    pub parts: Vec<Arc<Delta>>,
    /// Values of it to which those of other sources are preferred, for those who ask.
    pub lesser: Option<Arc<Delta>>,
    /// Plugins it came through, this one included.
    pub hops: u8,
}

/// Everything a plugin's turn may change outside of the plugin.
pub(super) struct TurnContext<'c, 'w> {
    pub(super) world: &'c mut World<'w>,
    pub(super) ledger: &'c mut Ledger,
    pub(super) finished: &'c mut VecDeque<Finished>,
}

impl TurnContext<'_, '_> {
    /// Notes how an exchange ended.
    pub(super) fn finish(&mut self, exchange: ExchangeId, result: Outcome) {
        self.finished.push_back(Finished { exchange, result });
    }
}

/// Work left after a turn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Turn {
    /// A plugin has more to do now.
    pub busy: bool,
    /// The next poll or restart.
    pub wake: Option<Instant>,
}

impl Turn {
    /// Joins what two have left to do.
    pub(crate) fn and(self, other: Self) -> Self {
        let wake = match (self.wake, other.wake) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        };
        Self { busy: self.busy || other.busy, wake }
    }
}
