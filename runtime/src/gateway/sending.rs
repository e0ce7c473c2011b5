//! What goes from the data model to the bus: paths the operator named, nothing that came from a bus.

use alloc::vec::Vec;

use super::input::Input;
use crate::delta::{Delta, UpdateRef};
use crate::json::{self, Object};
use crate::n2k::send::{self, Outgoing};
use crate::paths::Pattern;
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

    /// Sends these paths from now on.
    #[cfg(any(test, feature = "server-routes"))]
    pub fn choose(&mut self, paths: &[Pattern]) {
        self.paths = paths.to_vec();
    }

    fn is_wanted(&self, path: &str) -> bool {
        self.paths.iter().any(|pattern| pattern.matches(path))
    }

    /// Takes the values of a delta that may be sent; `buses` are the labels of inputs that read a bus.
    pub fn offer<'l>(
        &mut self,
        delta: &Delta,
        self_context: &str,
        buses: impl Iterator<Item = &'l str> + Clone,
        now: Instant,
    ) {
        let context = delta.context();
        if !context.is_empty() && *context != *self_context {
            return;
        }
        for update in delta.updates() {
            let is_guarded = is_from_bus(&update, buses.clone());
            for (path, value) in update.values() {
                if !self.is_wanted(path) {
                    continue;
                }
                if is_guarded {
                    self.guarded = self.guarded.saturating_add(1);
                } else {
                    self.outgoing.offer(path, value, now);
                }
            }
        }
    }

    /// Gives the nodes what is due; returns when more will be.
    pub fn send_due(&mut self, inputs: &mut [Input], now: Instant) -> Option<Instant> {
        let unsent = &mut self.unsent;
        self.outgoing.poll(now, |message| {
            for interface in inputs.iter_mut().filter_map(Input::interface_mut) {
                if !interface.send(message) {
                    *unsent = unsent.saturating_add(1);
                }
            }
        });
        self.outgoing.due(now)
    }

    /// Answers a PUT that no plugin handles: a switch of the bus, where its path may be sent.
    ///
    /// `None` when the path is none, or is not opted in.
    pub fn put(&self, put: &Put, self_context: &str, inputs: &mut [Input]) -> Option<PutState> {
        let is_own = matches!(&*put.context, "vessels.self" | "self" | "") || put.context == self_context;
        let (bank, switch) = send::switch(&put.path).filter(|_| is_own && self.is_wanted(&put.path))?;
        let Some(on) = send::switch_state(&put.value) else {
            return Some(PutState::completed(400, "a switch takes true, false, 0, 1, \"on\" or \"off\""));
        };
        let (mut sent, mut has_address) = (false, false);
        let interfaces = inputs.iter_mut().filter_map(Input::interface_mut);
        for switched in interfaces.filter_map(|interface| interface.switch(bank, switch, on)) {
            has_address |= switched.has_address;
            sent |= switched.is_sent;
        }
        Some(match (sent, has_address) {
            (true, _) => PutState::completed(200, "sent to the bus"),
            (false, true) => PutState::completed(503, "too many frames wait for the bus"),
            (false, false) => PutState::completed(503, "the gateway has no address on the bus now"),
        })
    }

    /// Writes what `GET /skiff/v1/status` tells of it.
    pub fn status(&self, out: &mut Object<'_>) {
        let counters = self.outgoing.counters();
        out.number("built", counters.built).number("unsent", self.unsent).number("from_bus", self.guarded);
        out.number("out_of_range", counters.out_of_range).number("full", counters.full);
    }
}

/// Tells whether values came from a bus: by their source object, or by the label of an input that reads one.
fn is_from_bus<'l>(update: &UpdateRef<'_>, mut labels: impl Iterator<Item = &'l str>) -> bool {
    let kind = update.source().and_then(|source| json::member(source, "type"));
    let reference = update.source_ref();
    kind == Some("\"NMEA2000\"")
        || labels
            .any(|label| reference.strip_prefix(label).is_some_and(|rest| rest.is_empty() || rest.starts_with('.')))
}
