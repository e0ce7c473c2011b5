//! Messages that clients of outputs want on the bus: sent by the own node, where the operator allows it.
//!
//! They go out from the node's own address, whatever their sender calls itself: two on one address would break the bus. What
//! keeps the network together (addresses, transfers) is the node's own business and never relayed.

use super::Gateway;
use crate::config::Relay;
use crate::json::Object;
use crate::n2k::N2kMessage;
use crate::n2k::node::SendError;

/// PGNs of the network itself (ISO 11783-3, ISO 11783-5): acknowledgement, transfers, address claim, commanded address.
const OF_THE_NETWORK: [u32; 5] = [59_392, 60_160, 60_416, 60_928, 65_240];

/// What became of a message that a client of an output wants on the bus.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Relayed {
    /// It waits for the bus.
    Sent,
    /// The operator has not allowed it.
    NotAllowed,
    /// No interface has a node with an address.
    NoAddress,
    /// Too many frames wait, or it is longer than a fast packet.
    Full,
}

/// What may be relayed, and what was.
#[derive(Debug, Default)]
pub(super) struct Relaying {
    pub allowed: Relay,
    sent: u64,
    not_allowed: u64,
    no_address: u64,
    full: u64,
}

impl Relaying {
    fn count(&mut self, relayed: Relayed) {
        let counter = match relayed {
            Relayed::Sent => &mut self.sent,
            Relayed::NotAllowed => &mut self.not_allowed,
            Relayed::NoAddress => &mut self.no_address,
            Relayed::Full => &mut self.full,
        };
        *counter = counter.saturating_add(1);
    }

    /// Writes what `GET /skiff/v1/status` tells of it.
    pub fn status(&self, out: &mut Object<'_>) {
        out.number("sent", self.sent).number("not_allowed", self.not_allowed);
        out.number("no_address", self.no_address).number("full", self.full);
    }
}

impl Gateway {
    /// Sends a message of a client of an output to every bus that the gateway has a node on, where `relay` of
    /// `skiff/n2k.json` allows it; counted in the status.
    pub fn relay(&mut self, message: &N2kMessage) -> Relayed {
        let pgn = message.id.pgn;
        let is_allowed = !OF_THE_NETWORK.contains(&pgn.0) && self.inputs.relaying.allowed.has(pgn.0);
        let relayed = if is_allowed { self.inputs.relay(message) } else { Relayed::NotAllowed };
        self.inputs.relaying.count(relayed);
        relayed
    }
}

/// Returns the better of what became of a message on two interfaces; the first has none where `so_far` is `None`.
pub(super) fn better(so_far: Option<Relayed>, result: Result<(), SendError>) -> Relayed {
    match (so_far, result) {
        (Some(Relayed::Sent), _) | (_, Ok(())) => Relayed::Sent,
        (_, Err(SendError::Full)) | (Some(Relayed::Full), _) => Relayed::Full,
        _ => Relayed::NoAddress,
    }
}
