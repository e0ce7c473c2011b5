//! The CAN interfaces: frames in, the node's frames out, and an interface that went away asked to come back.

use alloc::boxed::Box;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt::{self, Write};
use core::time::Duration;

use super::sending::Sending;
use super::{Gateway, InputId, InputState};
use crate::config::{KeptNode, N2kConfig};
use crate::hal::{CanError, CanState};
use crate::json;
use crate::n2k::log::{Item, Record};
use crate::n2k::node::link::{Link, LinkChange};
use crate::n2k::node::{Claim, Information, Name, NameParts, Node};
use crate::n2k::send::{Banks, SENT_PGNS};
use crate::n2k::{Assembled, SourceAddress};
use crate::sorted;
use crate::time::Instant;

/// CAN frames taken from each interface in one poll.
const FRAMES_PER_POLL: usize = 64;
/// Time after which a full transmit queue is tried again.
const FULL_PAUSE: Duration = Duration::from_millis(5);

/// One CAN interface and what stands behind it.
pub(super) struct Port {
    pub input: InputId,
    pub link: Link,
    pub node: Option<Box<PortNode>>,
    /// Who has which switches.
    pub banks: Banks,
    /// The driver never sends.
    only_listens: bool,
}

/// The node on an interface.
pub(super) struct PortNode {
    pub node: Node,
    kept: KeptNode,
    /// The record has not been written since it was made.
    is_new: bool,
}

impl Port {
    pub fn new(input: InputId) -> Self {
        Self { input, link: Link::default(), node: None, banks: Banks::default(), only_listens: false }
    }
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

impl Gateway {
    /// Takes part in the bus on every CAN interface as `config` says; without a node in it the gateway only listens.
    pub fn take_part(&mut self, config: &N2kConfig) {
        self.inputs.iter_mut().for_each(|input| input.receiver.use_name(config.use_can_name));
        let Some(wanted) = &config.node else { return };
        self.sending = (!config.send.is_empty()).then(|| Box::new(Sending::new(&config.send)));
        for (index, port) in self.ports.iter_mut().enumerate() {
            let Some(label) = self.hal.can.get(index).map(|port| port.label.clone()) else { continue };
            let is_new = KeptNode::is_new(&mut *self.hal.storage, &label);
            let mut kept = KeptNode::load(&mut *self.hal.storage, &mut *self.hal.rng, &label);
            if let Some(address) = wanted.address.filter(|_| is_new) {
                kept.address = address;
            }
            let name = Name::new(&NameParts { unique_number: kept.unique_number, ..wanted.name });
            let information = Information {
                model: "Skiff".into(),
                software_version: self.setup.version.into(),
                model_version: self.setup.limits.board.name().into(),
                serial: kept.unique_number.to_string(),
                load_equivalency: 1,
                installation: wanted.installation.clone(),
                manufacturer: "Skiff".into(),
                transmits: if config.send.is_empty() { Vec::new() } else { SENT_PGNS.to_vec() },
                ..Information::default()
            };
            port.node = Some(Box::new(PortNode { node: Node::new(name, kept.address, information), kept, is_new }));
            // A node that joins an interface that is up already starts with the next poll.
            port.link = Link::default();
        }
    }

    /// Notes for the status that no interface can be more than a listener.
    pub(super) fn only_listen(&mut self) {
        self.ports.iter_mut().for_each(|port| port.only_listens = true);
    }

    /// Takes frames of all interfaces and sends those of the nodes; true when there is more to take, and when to poll.
    pub(super) fn drive_can(&mut self) -> (bool, Option<Instant>) {
        self.totals.lost_frames = self.hal.can.iter().map(|port| port.can.lost()).sum();
        let (mut more, mut wake) = (false, self.send_due(self.hal.clock.now()));
        for index in 0..self.ports.len() {
            more |= self.receive_can(index);
            let due = self.drive_port(index);
            wake = [wake, due].into_iter().flatten().min();
        }
        (more, wake)
    }

    /// Takes up to [`FRAMES_PER_POLL`] frames of one interface; true when it had more.
    fn receive_can(&mut self, index: usize) -> bool {
        let Some(input) = self.ports.get(index).map(|port| port.input) else { return false };
        for _ in 0..FRAMES_PER_POLL {
            let Some((frame, _)) = self.hal.can.get_mut(index).and_then(|port| port.can.receive()) else {
                return false;
            };
            if let Some(message) = self.receive(input, &Record { time: None, item: Item::Frame(frame) }) {
                self.tell_node(index, &message);
            }
        }
        true
    }

    /// Gives the node what was received.
    fn tell_node(&mut self, index: usize, message: &Assembled) {
        let now = self.hal.clock.now();
        if let Some(port) = self.ports.get_mut(index)
            && let Some(node) = port.node.as_mut()
        {
            node.node.take(message, now);
            port.banks.heard(message);
        }
    }

    /// Looks after one interface: its state, its node, what is to be sent.
    fn drive_port(&mut self, index: usize) -> Option<Instant> {
        let now = self.hal.clock.now();
        let (port, hal) = (self.ports.get_mut(index)?, self.hal.can.get_mut(index)?);
        let state = hal.can.state();
        let mut input_state = None;
        match port.link.poll(state, now) {
            LinkChange::None => {}
            LinkChange::Up => {
                input_state = Some(InputState::Open);
                if let Some(node) = &mut port.node {
                    node.node.start(now);
                }
            }
            LinkChange::Down => {
                log::warn!("{}: {}", hal.label, reason(state));
                input_state = Some(InputState::Waiting(reason(state).into()));
                if let Some(node) = &mut port.node {
                    node.node.stop();
                }
            }
            LinkChange::Restart => hal.can.restart(),
        }
        let input = port.input;
        let mut wake = port.link.due();
        if let Some(state) = input_state {
            self.set_input_state(input, state);
        }
        let (port, hal) = (self.ports.get_mut(index)?, self.hal.can.get_mut(index)?);
        let Some(node) = port.node.as_mut().filter(|_| port.link.is_up()) else { return wake };
        if let Some(input) = self.inputs.get_mut(input.0) {
            // Under the address that they were written with. One that finds the queue full is asked for again.
            while let Some(reply) = input.receiver.transfers_mut().next_reply() {
                if hal.can.transmit(&reply).is_err() {
                    break;
                }
            }
        }
        let due = node.node.poll(now);
        wake = [wake, due].into_iter().flatten().min();
        let address = node.node.address();
        if let Some(input) = self.inputs.get_mut(input.0) {
            let transfers = input.receiver.transfers_mut();
            transfers.set_address(address);
            transfers.expire(now);
        }
        self.keep_address(index);
        let paused = self.transmit(index, now);
        [wake, paused].into_iter().flatten().min()
    }

    /// Writes down the address that the node has now.
    fn keep_address(&mut self, index: usize) {
        let Some(port) = self.ports.get_mut(index) else { return };
        let Some(node) = &mut port.node else { return };
        let Some(address) = node.node.address() else { return };
        if node.kept.address == address && !node.is_new {
            return;
        }
        (node.kept.address, node.is_new) = (address, false);
        let Some(hal) = self.hal.can.get(index) else { return };
        log::info!("{}: this node has address {} on the bus, NAME {}", hal.label, address.0, node.node.name());
        if let Err(error) = node.kept.save(&mut *self.hal.storage, &hal.label) {
            log::warn!("the address on the bus is forgotten at the next start: {error}");
        }
    }

    /// Sends what waits; returns when to try again where the interface is full.
    fn transmit(&mut self, index: usize, now: Instant) -> Option<Instant> {
        let (port, hal) = (self.ports.get_mut(index)?, self.hal.can.get_mut(index)?);
        let node = &mut port.node.as_mut()?.node;
        while let Some(frame) = node.front() {
            match hal.can.transmit(frame) {
                Ok(()) => node.pop(),
                Err(CanError::Full) => return Some(now + FULL_PAUSE),
                // The link finds out at the next poll.
                Err(CanError::Off) => return Some(now + FULL_PAUSE),
            }
        }
        None
    }

    /// Writes the list of interfaces for the status.
    pub(super) fn write_can_status(&self, out: &mut String) -> fmt::Result {
        out.push('[');
        for (index, (port, hal)) in self.ports.iter().zip(&self.hal.can).enumerate() {
            out.push_str(if index == 0 { "{\"interface\":" } else { ",{\"interface\":" });
            json::write_string(out, &hal.label)?;
            write!(
                out,
                ",\"state\":\"{}\",\"drops\":{},\"restarts\":{},\"lost\":{},\"node\":",
                state_name(hal.can.state()),
                port.link.drops(),
                port.link.restarts(),
                hal.can.lost()
            )?;
            match &port.node {
                Some(node) => write_node(&node.node, out)?,
                None => out.push_str("null"),
            }
            if port.only_listens {
                out.push_str(",\"only_listens\":true");
            }
            out.push_str(",\"devices\":[");
            let devices = self.inputs.get(port.input.0).map(|input| input.receiver.devices());
            let mut devices: Vec<(SourceAddress, u64)> = devices.into_iter().flatten().collect();
            sorted::sort(&mut devices);
            for (number, (address, name)) in devices.into_iter().enumerate() {
                out.push_str(if number == 0 { "" } else { "," });
                write_device(address, Name(name), out)?;
            }
            out.push_str("]}");
        }
        out.push(']');
        Ok(())
    }
}

fn write_node(node: &Node, out: &mut String) -> fmt::Result {
    let (state, address) = match node.claim() {
        Claim::Off => ("off", None),
        Claim::Listening => ("listening", None),
        Claim::Claiming(address) => ("claiming", Some(address)),
        Claim::Claimed(address) => ("claimed", Some(address)),
        Claim::CannotClaim => ("cannot claim", None),
    };
    let address = address.map_or_else(|| "null".into(), |address| format!("{}", address.0));
    let counters = node.counters();
    write!(
        out,
        "{{\"state\":\"{state}\",\"address\":{address},\"name\":\"{}\",\"sent\":{},\"lost\":{},\"refused\":{}}}",
        node.name(),
        counters.sent,
        counters.lost,
        counters.refused
    )
}

fn write_device(address: SourceAddress, name: Name, out: &mut String) -> fmt::Result {
    let parts = name.parts();
    write!(
        out,
        "{{\"address\":{},\"name\":\"{name}\",\"manufacturer\":{},\"function\":{},\"class\":{},\"instance\":{}}}",
        address.0, parts.manufacturer, parts.function, parts.class, parts.device_instance
    )
}
