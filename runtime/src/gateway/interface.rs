//! A CAN interface: frames in, the node's frames out, and one that went away asked to come back.

use alloc::boxed::Box;
use alloc::string::ToString;
use alloc::vec::Vec;
use core::time::Duration;

use super::InputState;
use super::tap::Tap;
use crate::config::{KeptNode, NodeConfig};
use crate::hal::{Can, CanError, CanFrame, CanState, Rng, Storage};
use crate::json::Object;
use crate::n2k::iso_tp::IsoTp;
#[cfg(feature = "outputs")]
use crate::n2k::node::SendError;
use crate::n2k::node::link::{Link, LinkChange};
use crate::n2k::node::{Claim, Information, Name, NameParts, Node};
use crate::n2k::send::{Banks, OutboundMessage, SENT_PGNS};
use crate::n2k::{N2kMessage, SourceAddress};
use crate::sorted;
use crate::time::Instant;

/// Time after which a full transmit queue is tried again.
const FULL_PAUSE: Duration = Duration::from_millis(5);

/// A CAN interface, and the node on it when it takes part in the bus.
pub(super) struct Interface {
    can: Box<dyn Can>,
    link: Link,
    node: Option<Box<OwnNode>>,
    /// Who has which switches.
    banks: Banks,
    /// The driver never sends.
    only_listens: bool,
}

/// The node of this gateway.
struct OwnNode {
    node: Node,
    kept: KeptNode,
    /// The record has not been written since it was made.
    is_new: bool,
}

/// How the gateway takes part in a bus: what its node is, and says of itself.
pub(super) struct Participation<'p> {
    pub node: &'p NodeConfig,
    /// Values are sent, not only the node's own answers.
    pub sends: bool,
    pub software_version: &'p str,
    pub board: &'p str,
}

/// What a look at the interface found.
#[derive(Default)]
pub(super) struct Driven {
    /// The interface came or went.
    pub state: Option<InputState>,
    /// When to look again.
    pub wake: Option<Instant>,
}

impl Interface {
    pub fn new(can: Box<dyn Can>) -> Self {
        Self { can, link: Link::default(), node: None, banks: Banks::default(), only_listens: false }
    }

    /// Takes the next frame that was received.
    pub fn receive(&mut self) -> Option<CanFrame> {
        self.can.receive().map(|(frame, _)| frame)
    }

    /// Frames lost between the bus and [`receive`](Self::receive).
    pub fn lost(&self) -> u64 {
        self.can.lost()
    }

    /// Puts a node on the interface, with the address and number kept for `label`.
    pub fn take_part(&mut self, label: &str, how: &Participation<'_>, storage: &mut dyn Storage, rng: &mut dyn Rng) {
        let is_new = KeptNode::is_new(storage, label);
        let mut kept = KeptNode::load(storage, rng, label);
        if let Some(address) = how.node.address.filter(|_| is_new) {
            kept.address = address;
        }
        let name = Name::new(&NameParts { unique_number: kept.unique_number, ..how.node.name });
        let information = Information {
            model: "Skiff".into(),
            software_version: how.software_version.into(),
            model_version: how.board.into(),
            serial: kept.unique_number.to_string(),
            load_equivalency: 1,
            installation: how.node.installation.clone(),
            manufacturer: "Skiff".into(),
            transmits: if how.sends { SENT_PGNS.to_vec() } else { Vec::new() },
            ..Information::default()
        };
        self.node = Some(Box::new(OwnNode { node: Node::new(name, kept.address, information), kept, is_new }));
        // A node that joins an interface that is up already starts with the next poll.
        self.link = Link::default();
    }

    /// Gives the node a received message.
    pub fn hear(&mut self, message: &N2kMessage, now: Instant) {
        if let Some(own) = &mut self.node {
            own.node.take(message, now);
            self.banks.heard(message);
        }
    }

    /// Looks after the interface: its state, its node, what is to be sent.
    pub fn drive(
        &mut self,
        label: &str,
        transfers: &mut IsoTp,
        storage: &mut dyn Storage,
        tap: &mut Tap,
        now: Instant,
    ) -> Driven {
        let state = self.can.state();
        let mut driven = Driven::default();
        match self.link.poll(state, now) {
            LinkChange::None => {}
            LinkChange::Up => {
                driven.state = Some(InputState::Open);
                if let Some(own) = &mut self.node {
                    own.node.start(now);
                }
            }
            LinkChange::Down => {
                log::warn!("{label}: {}", reason(state));
                driven.state = Some(InputState::Waiting(reason(state).into()));
                if let Some(own) = &mut self.node {
                    own.node.stop();
                }
            }
            LinkChange::Restart => self.can.restart(),
        }
        driven.wake = self.link.due();
        let Some(own) = self.node.as_mut().filter(|_| self.link.is_up()) else { return driven };
        // Under the address that they were written with. One that finds the queue full is asked for again.
        while let Some(reply) = transfers.next_reply() {
            if self.can.transmit(&reply).is_err() {
                break;
            }
        }
        let due = own.node.poll(now);
        transfers.set_address(own.node.address());
        transfers.expire(now);
        own.keep_address(label, storage);
        let paused = transmit(&mut *self.can, &mut own.node, tap, now);
        driven.wake = [driven.wake, due, paused].into_iter().flatten().min();
        driven
    }

    /// Returns the address of its node, while it has one.
    #[cfg(any(test, feature = "devices"))]
    pub fn address(&self) -> Option<SourceAddress> {
        self.node.as_ref()?.node.address()
    }

    /// Gives the node a message to send; false when it has no room for it. Without a node there is nothing to send.
    pub fn send(&mut self, message: &OutboundMessage) -> bool {
        self.node.as_mut().is_none_or(|own| give(&mut own.node, message))
    }

    /// Gives the node a message of a client of an output; `None` without a node.
    #[cfg(feature = "outputs")]
    pub fn relay(&mut self, message: &N2kMessage) -> Option<Result<(), SendError>> {
        let own = self.node.as_mut()?;
        Some(own.node.send(message.id.pgn, message.id.priority, message.id.destination, &message.payload))
    }

    /// Switches one of the switches that were heard of; `None` without a node.
    pub fn switch(&mut self, bank: u8, switch: u8, on: bool) -> Option<Switched> {
        let own = self.node.as_mut()?;
        let mut switched = Switched { has_address: own.node.address().is_some(), is_sent: false };
        for message in self.banks.switch(bank, switch, on).into_iter().flatten() {
            switched.is_sent |= give(&mut own.node, &message);
        }
        Some(switched)
    }

    /// Notes for the status that it can be no more than a listener.
    pub fn only_listen(&mut self) {
        self.only_listens = true;
    }

    /// Writes what `GET /skiff/v1/status` tells of it.
    pub fn status(&self, label: &str, devices: impl Iterator<Item = (SourceAddress, u64)>, out: &mut Object<'_>) {
        out.text("interface", label).text("state", state_name(self.can.state()));
        out.number("drops", self.link.drops()).number("restarts", self.link.restarts());
        out.number("lost", self.can.lost());
        match &self.node {
            Some(own) => out.object("node", |out| node_status(&own.node, out)),
            None => out.null("node"),
        };
        if self.only_listens {
            out.boolean("only_listens", true);
        }
        let mut devices: Vec<(SourceAddress, u64)> = devices.collect();
        sorted::sort(&mut devices);
        out.list("devices", |out| {
            for (address, name) in devices {
                out.object(|out| device_status(address, Name(name), out));
            }
        });
    }
}

/// Result of switching on one interface.
#[derive(Clone, Copy, Debug)]
pub(super) struct Switched {
    pub has_address: bool,
    pub is_sent: bool,
}

impl OwnNode {
    /// Writes down the address that the node has now.
    fn keep_address(&mut self, label: &str, storage: &mut dyn Storage) {
        let Some(address) = self.node.address() else { return };
        if self.kept.address == address && !self.is_new {
            return;
        }
        (self.kept.address, self.is_new) = (address, false);
        log::info!("{label}: this node has address {} on the bus, NAME {}", address.0, self.node.name());
        if let Err(error) = self.kept.save(storage, label) {
            log::warn!("the address on the bus is forgotten at the next start: {error}");
        }
    }
}

/// Sends what waits; returns when to try again where the interface is full.
fn transmit(can: &mut dyn Can, node: &mut Node, tap: &mut Tap, now: Instant) -> Option<Instant> {
    while let Some(frame) = node.front() {
        match can.transmit(frame) {
            Ok(()) => {
                tap.sent(frame);
                node.pop();
            }
            Err(CanError::Full) => return Some(now + FULL_PAUSE),
            // The link finds out at the next poll.
            Err(CanError::Off) => return Some(now + FULL_PAUSE),
        }
    }
    None
}

fn give(node: &mut Node, (pgn, priority, destination, payload): &OutboundMessage) -> bool {
    node.send(*pgn, *priority, *destination, payload).is_ok()
}

/// What the operator reads while an interface is away.
fn reason(state: CanState) -> &'static str {
    match state {
        CanState::BusOff => "the controller is off the bus after too many errors",
        _ => "the interface is down or gone",
    }
}

fn state_name(state: CanState) -> &'static str {
    match state {
        CanState::Active => "active",
        CanState::Warning => "warning",
        CanState::Passive => "passive",
        CanState::BusOff => "bus-off",
        CanState::Down => "down",
    }
}

fn node_status(node: &Node, out: &mut Object<'_>) {
    let (state, address) = match node.claim() {
        Claim::Off => ("off", None),
        Claim::Listening => ("listening", None),
        Claim::Claiming(address) => ("claiming", Some(address)),
        Claim::Claimed(address) => ("claimed", Some(address)),
        Claim::CannotClaim => ("cannot claim", None),
    };
    out.text("state", state);
    match address {
        Some(address) => out.number("address", address.0),
        None => out.null("address"),
    };
    let counters = node.counters();
    out.text("name", &node.name().to_string()).number("sent", counters.sent);
    out.number("lost", counters.lost).number("refused", counters.refused);
}

fn device_status(address: SourceAddress, name: Name, out: &mut Object<'_>) {
    let parts = name.parts();
    out.number("address", address.0).text("name", &name.to_string()).number("manufacturer", parts.manufacturer);
    out.number("function", parts.function).number("class", parts.class);
    out.number("instance", parts.device_instance);
}
