//! A node of its own on the bus: claims an address, tells who it is, and sends.
//!
//! A [`Node`] holds no interface and no clock. Whoever has them gives it the messages that were received
//! ([`Node::take`]), the time ([`Node::poll`]), and sends the frames of [`Node::front`]. Without a node nothing is ever
//! sent: listening is the default.
//!
//! ```
//! use skiff_runtime::n2k::SourceAddress;
//! use skiff_runtime::n2k::node::{Claim, Information, Name, NameParts, Node};
//! use skiff_runtime::time::Instant;
//!
//! let name = Name::new(&NameParts { unique_number: 42, ..NameParts::default() });
//! let mut node = Node::new(name, SourceAddress(100), Information::default());
//! node.start(Instant::from_millis(0));
//! node.poll(Instant::from_millis(250));
//! node.poll(Instant::from_millis(500));
//! assert_eq!(node.claim(), Claim::Claimed(SourceAddress(100)));
//! ```

mod claim;
mod group;
mod information;
pub mod link;
mod name;
mod outbox;

use core::fmt;
use core::time::Duration;

pub use self::claim::{ADDRESS_MAX, CLAIM_WAIT, Claim, RETRY};
use self::claim::{Claimer, Say};
use self::group::{GroupRequest, Period, acknowledge};
pub use self::group::{IntervalError, PGN_GROUP, PgnError, command, command_text};
pub use self::information::{CONFIGURATION_TEXT_MAX, Information, PRODUCT_TEXT_MAX};
pub use self::name::{CLASS_NETWORK, FUNCTION_PC_GATEWAY, MANUFACTURER_UNREGISTERED, Name, NameParts};
use self::outbox::Outbox;
use crate::hal::CanFrame;
use crate::n2k::id::{BROADCAST, Id, Pgn, SourceAddress};
use crate::n2k::receiver::N2kMessage;
use crate::time::Instant;

const PGN_ACKNOWLEDGE: Pgn = Pgn(59_392);
const PGN_REQUEST: Pgn = Pgn(59_904);
const PGN_CLAIM: Pgn = Pgn(60_928);
const PGN_COMMANDED_ADDRESS: Pgn = Pgn(65_240);
const PGN_LIST: Pgn = Pgn(126_464);
const PGN_HEARTBEAT: Pgn = Pgn(126_993);
const PGN_PRODUCT: Pgn = Pgn(126_996);
const PGN_CONFIGURATION: Pgn = Pgn(126_998);

/// Period of the heartbeat, ms, unless another device asks for a shorter one.
pub const HEARTBEAT_MS: u16 = 60_000;
/// Shortest period of the heartbeat that another device can ask for, ms.
pub const HEARTBEAT_MIN_MS: u16 = 1000;
/// Counts of heartbeats, 0 to 252.
const HEARTBEAT_COUNTS: u8 = 253;
/// Control byte of a negative acknowledgement (ISO 11783-3 §5.4.4).
const CONTROL_NAK: u8 = 1;

/// Why a message was not taken for sending.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SendError {
    /// The node has no address now.
    NoAddress,
    /// Too many frames wait, or the message is longer than a fast packet.
    Full,
}

impl fmt::Display for SendError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoAddress => "the node has no address on the bus",
            Self::Full => "too many frames wait for the bus",
        })
    }
}

impl core::error::Error for SendError {}

/// Counters of a node.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NodeCounters {
    /// Messages put into the queue, claims included.
    pub sent: u64,
    /// Messages that found no room in it.
    pub lost: u64,
    /// Requests and group functions that were refused.
    pub refused: u64,
}

/// One device on the bus.
#[derive(Clone, Debug)]
pub struct Node {
    claimer: Claimer,
    information: Information,
    outbox: Outbox,
    heartbeat_ms: u16,
    heartbeat_count: u8,
    next_heartbeat: Option<Instant>,
    counters: NodeCounters,
}

impl Node {
    /// Builds a node that tries `preferred` first; it says nothing before [`start`](Self::start).
    #[must_use]
    pub fn new(name: Name, preferred: SourceAddress, information: Information) -> Self {
        Self {
            claimer: Claimer::new(name, preferred),
            information,
            outbox: Outbox::default(),
            heartbeat_ms: HEARTBEAT_MS,
            heartbeat_count: 0,
            next_heartbeat: None,
            counters: NodeCounters::default(),
        }
    }

    /// The bus is there: begins to claim an address.
    pub fn start(&mut self, now: Instant) {
        let say = self.claimer.start(now);
        self.say(say);
    }

    /// The bus is gone: forgets what waits to be sent, and the address with it.
    pub fn stop(&mut self) {
        self.claimer.stop();
        self.outbox.clear();
        self.next_heartbeat = None;
    }

    /// Does what is due; returns when something will be.
    pub fn poll(&mut self, now: Instant) -> Option<Instant> {
        let say = self.claimer.poll(now);
        if let Some(say) = say {
            self.say(say);
        }
        if self.claimer.address().is_none() {
            self.next_heartbeat = None;
        } else if self.next_heartbeat.is_none_or(|due| due <= now) {
            self.next_heartbeat = Some(now + Duration::from_millis(self.heartbeat_ms.into()));
            self.send_heartbeat();
        }
        [self.claimer.until(), self.next_heartbeat].into_iter().flatten().min()
    }

    /// Takes a message that was received from another device.
    pub fn take(&mut self, message: &N2kMessage, now: Instant) {
        let (id, payload) = (message.id, message.payload.as_slice());
        if id.pgn == PGN_CLAIM {
            if let Some(name) = Name::from_payload(payload)
                && let Some(say) = self.claimer.heard(id.source, name, now)
            {
                self.next_heartbeat = None;
                self.say(say);
            }
            return;
        }
        if id.source.0 <= ADDRESS_MAX && self.claimer.address() != Some(id.source) {
            self.claimer.note(id.source);
        }
        let is_ours = self.claimer.address().is_some_and(|address| address.0 == id.destination);
        if !is_ours && id.destination != BROADCAST {
            return;
        }
        match id.pgn {
            PGN_REQUEST => {
                if let Some(&[low, middle, high]) = payload.first_chunk::<3>() {
                    self.answer_request(Pgn(u32::from_le_bytes([low, middle, high, 0])), id.source, is_ours);
                }
            }
            PGN_COMMANDED_ADDRESS => {
                if let Some((name, &[address])) = payload.split_first_chunk::<8>()
                    && let Some(say) =
                        self.claimer.commanded(Name(u64::from_le_bytes(*name)), SourceAddress(address), now)
                {
                    self.say(say);
                }
            }
            PGN_GROUP if is_ours => {
                if let Some(asked) = group::read(payload) {
                    self.answer_group(asked, id.source, now);
                }
            }
            _ => {}
        }
    }

    /// Queues a message to one address or to all ([`BROADCAST`]).
    ///
    /// # Errors
    /// [`SendError`]; nothing was queued then.
    pub fn send(&mut self, pgn: Pgn, priority: u8, destination: u8, payload: &[u8]) -> Result<(), SendError> {
        let source = self.claimer.address().ok_or(SendError::NoAddress)?;
        if !self.outbox.push(&Id { priority, pgn, source, destination }, payload) {
            return Err(SendError::Full);
        }
        self.counters.sent = self.counters.sent.saturating_add(1);
        Ok(())
    }

    /// Returns the next frame to send.
    #[must_use]
    pub fn front(&self) -> Option<&CanFrame> {
        self.outbox.front()
    }

    /// Takes the frame of [`front`](Self::front) away: it was sent.
    pub fn pop(&mut self) {
        self.outbox.pop();
    }

    /// Returns the address when it may be used.
    #[must_use]
    pub fn address(&self) -> Option<SourceAddress> {
        self.claimer.address()
    }

    /// Returns how far the claim has come.
    #[must_use]
    pub fn claim(&self) -> Claim {
        self.claimer.state()
    }

    /// Returns the NAME; its device instance changes when another device has the same.
    #[must_use]
    pub fn name(&self) -> Name {
        self.claimer.name()
    }

    /// Returns what was done so far.
    #[must_use]
    pub fn counters(&self) -> NodeCounters {
        NodeCounters { lost: self.outbox.lost, ..self.counters }
    }

    fn say(&mut self, say: Say) {
        self.counters.sent = self.counters.sent.saturating_add(1);
        let claim = |source, payload: &[u8], outbox: &mut Outbox| {
            outbox.push_first(&Id { priority: 6, pgn: PGN_CLAIM, source, destination: BROADCAST }, payload);
        };
        match say {
            Say::AskClaims => {
                let [low, middle, high, _] = PGN_CLAIM.0.to_le_bytes();
                let id = Id { priority: 6, pgn: PGN_REQUEST, source: SourceAddress::NULL, destination: BROADCAST };
                self.outbox.push_first(&id, &[low, middle, high]);
            }
            Say::Claim(address) => {
                // What waits was written under another address.
                if self.claimer.address().is_none() {
                    self.outbox.clear();
                }
                claim(address, &self.claimer.name().payload(), &mut self.outbox);
            }
            Say::CannotClaim => {
                self.outbox.clear();
                claim(SourceAddress::NULL, &self.claimer.name().payload(), &mut self.outbox);
            }
        }
    }

    /// Answers a request for a PGN (59904); only what was asked of this node alone is refused.
    fn answer_request(&mut self, pgn: Pgn, from: SourceAddress, is_ours: bool) {
        if pgn == PGN_CLAIM {
            if let Some(say) = self.claimer.asked() {
                self.say(say);
            }
        } else if !self.send_information(pgn, from) && is_ours {
            self.refuse();
            let [low, middle, high, _] = pgn.0.to_le_bytes();
            let nak = [CONTROL_NAK, 0xff, 0xff, 0xff, 0xff, low, middle, high];
            let _ = self.send(PGN_ACKNOWLEDGE, 6, from.0, &nak);
        }
    }

    /// Sends what this node can tell; false when it cannot tell this PGN. A full queue is counted there.
    fn send_information(&mut self, pgn: Pgn, to: SourceAddress) -> bool {
        // Who has no address sees only what is sent to all.
        let to = if to.0 <= ADDRESS_MAX { to.0 } else { BROADCAST };
        match pgn {
            PGN_LIST => {
                for list in self.information.lists() {
                    let _ = self.send(PGN_LIST, 6, to, &list);
                }
            }
            PGN_PRODUCT | PGN_CONFIGURATION => {
                let information = &self.information;
                let payload = if pgn == PGN_PRODUCT { information.product() } else { information.configuration() };
                let Ok(payload) = payload else { return false };
                let _ = self.send(pgn, 6, BROADCAST, &payload);
            }
            PGN_HEARTBEAT => self.send_heartbeat(),
            _ => return false,
        }
        true
    }

    fn send_heartbeat(&mut self) {
        let payload = information::heartbeat(self.heartbeat_ms, self.heartbeat_count);
        if self.send(PGN_HEARTBEAT, 7, BROADCAST, &payload).is_ok() {
            self.heartbeat_count = (self.heartbeat_count + 1) % HEARTBEAT_COUNTS;
        }
    }

    fn answer_group(&mut self, asked: GroupRequest, from: SourceAddress, now: Instant) {
        let (pgn, error, interval, parameters) = match asked {
            GroupRequest::Send { pgn, period, parameters } => {
                let (error, interval) = self.requested(pgn, period, now);
                if error == PgnError::Acknowledge && interval == IntervalError::Acknowledge && parameters == 0 {
                    self.answer_request(pgn, from, true);
                    return;
                }
                (pgn, error, interval, parameters)
            }
            GroupRequest::Change { pgn, changes_priority, parameters } => {
                let error = if self.knows(pgn) { PgnError::RequestNotSupported } else { PgnError::NotSupported };
                let interval = if changes_priority { IntervalError::NotSupported } else { IntervalError::Acknowledge };
                (pgn, error, interval, parameters)
            }
            GroupRequest::ReadWrite { pgn } => {
                let error = if self.knows(pgn) { PgnError::ReadWriteNotSupported } else { PgnError::NotSupported };
                (pgn, error, IntervalError::Acknowledge, 0)
            }
        };
        self.refuse();
        let payload = acknowledge(pgn, error, interval, parameters);
        let _ = self.send(PGN_GROUP, 3, from.0, &payload);
    }

    /// Judges a request group function; sets the period of the heartbeat where that is asked.
    fn requested(&mut self, pgn: Pgn, period: Period, now: Instant) -> (PgnError, IntervalError) {
        if !self.knows(pgn) {
            return (PgnError::NotSupported, IntervalError::Acknowledge);
        }
        let is_heartbeat = pgn == PGN_HEARTBEAT;
        let wanted = match period {
            Period::Unchanged => return (PgnError::Acknowledge, IntervalError::Acknowledge),
            Period::Default => HEARTBEAT_MS,
            Period::Millis(millis) if is_heartbeat => match u16::try_from(millis) {
                Ok(millis) if millis >= HEARTBEAT_MIN_MS => millis.min(HEARTBEAT_MS),
                Ok(_) => return (PgnError::Acknowledge, IntervalError::TooLow),
                Err(_) => return (PgnError::Acknowledge, IntervalError::NotSupported),
            },
            Period::Millis(_) | Period::Offset => return (PgnError::Acknowledge, IntervalError::NotSupported),
        };
        if is_heartbeat {
            self.heartbeat_ms = wanted;
            self.next_heartbeat = Some(now + Duration::from_millis(wanted.into()));
        }
        (PgnError::Acknowledge, IntervalError::Acknowledge)
    }

    /// Tells whether this node can tell a PGN when it is asked.
    fn knows(&self, pgn: Pgn) -> bool {
        matches!(pgn, PGN_CLAIM | PGN_LIST | PGN_PRODUCT | PGN_CONFIGURATION | PGN_HEARTBEAT)
            || self.information.transmits.contains(&pgn)
    }

    fn refuse(&mut self) {
        self.counters.refused = self.counters.refused.saturating_add(1);
    }
}

#[cfg(test)]
mod tests;
