//! What goes from the data model to the bus: paths the operator named, nothing that came from a bus.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt::{self, Write};

use super::Gateway;
use crate::bus::Pattern;
use crate::delta::{Delta, UpdateRef};
use crate::json;
use crate::n2k::send::{self, Message, Outgoing};
use crate::server::put::{Put, PutState};
use crate::time::Instant;

/// Sending, as it is configured.
pub(super) struct Sending {
    paths: Vec<Pattern>,
    outgoing: Outgoing,
    /// Values of a path to send that came from a bus.
    guarded: u64,
    /// Messages that no node could take.
    unsent: u64,
}

impl Sending {
    pub fn new(paths: &[Pattern]) -> Self {
        Self { paths: paths.to_vec(), outgoing: Outgoing::default(), guarded: 0, unsent: 0 }
    }

    fn is_wanted(&self, path: &str) -> bool {
        self.paths.iter().any(|pattern| pattern.matches(path))
    }

    /// Writes `{"built":…,…}`.
    pub fn write_status(&self, out: &mut String) -> fmt::Result {
        let counters = self.outgoing.counters();
        write!(
            out,
            "{{\"built\":{},\"unsent\":{},\"from_bus\":{},\"out_of_range\":{},\"full\":{}}}",
            counters.built, self.unsent, self.guarded, counters.out_of_range, counters.full
        )
    }
}

impl Gateway {
    /// Takes the values of a delta that may be sent.
    pub(super) fn offer_to_bus(&mut self, delta: &Delta, now: Instant) {
        let Some(sending) = &mut self.sending else { return };
        let context = delta.context();
        if !context.is_empty() && *context != *self.setup.self_context {
            return;
        }
        for update in delta.updates() {
            let labels = self.inputs.iter().filter(|input| input.is_n2k()).map(|input| input.label.as_str());
            let is_guarded = is_from_bus(&update, labels);
            for (path, value) in update.values() {
                if !sending.is_wanted(path) {
                    continue;
                }
                if is_guarded {
                    sending.guarded = sending.guarded.saturating_add(1);
                } else {
                    sending.outgoing.offer(path, value, now);
                }
            }
        }
    }

    /// Gives the nodes what is due; returns when more will be.
    pub(super) fn send_due(&mut self, now: Instant) -> Option<Instant> {
        let sending = self.sending.as_mut()?;
        let (ports, unsent) = (&mut self.ports, &mut sending.unsent);
        sending.outgoing.poll(now, |message| {
            for node in ports.iter_mut().filter_map(|port| port.node.as_mut()) {
                if !give(&mut node.node, message) {
                    *unsent = unsent.saturating_add(1);
                }
            }
        });
        sending.outgoing.due(now)
    }

    /// Answers a PUT that no plugin handles: a switch of the bus, where its path may be sent.
    ///
    /// `None` when the path is none, or is not opted in.
    pub(super) fn put_to_bus(&mut self, put: &Put) -> Option<PutState> {
        let sending = self.sending.as_mut()?;
        let is_own = matches!(&*put.context, "vessels.self" | "self" | "") || put.context == self.setup.self_context;
        let (bank, switch) = send::switch(&put.path).filter(|_| is_own && sending.is_wanted(&put.path))?;
        let Some(on) = send::switch_state(&put.value) else {
            return Some(PutState::completed(400, "a switch takes true, false, 0, 1, \"on\" or \"off\""));
        };
        let (mut sent, mut has_address) = (false, false);
        for port in &mut self.ports {
            let Some(node) = port.node.as_mut() else { continue };
            has_address |= node.node.address().is_some();
            for message in port.banks.switch(bank, switch, on).into_iter().flatten() {
                sent |= give(&mut node.node, &message);
            }
        }
        Some(match (sent, has_address) {
            (true, _) => PutState::completed(200, "sent to the bus"),
            (false, true) => PutState::completed(503, "too many frames wait for the bus"),
            (false, false) => PutState::completed(503, "the gateway has no address on the bus now"),
        })
    }
}

fn give(node: &mut crate::n2k::node::Node, (pgn, priority, destination, payload): &Message) -> bool {
    node.send(*pgn, *priority, *destination, payload).is_ok()
}

/// Tells whether values came from a bus: by their source object, or by the label of an input that reads one.
fn is_from_bus<'l>(update: &UpdateRef<'_>, mut labels: impl Iterator<Item = &'l str>) -> bool {
    let kind = update.source().and_then(|source| json::member(source, "type"));
    let reference = update.source_ref();
    kind == Some("\"NMEA2000\"")
        || labels
            .any(|label| reference.strip_prefix(label).is_some_and(|rest| rest.is_empty() || rest.starts_with('.')))
}
