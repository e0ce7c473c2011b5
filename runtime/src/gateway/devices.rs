//! Devices of a bus: what they say of themselves goes to `sources`, and a node of the gateway asks those that said nothing.

use super::interface::Interface;
use crate::model::Model;
use crate::n2k::{self, N2kMessage, Receiver};
use crate::time::Instant;

/// The devices that one input has heard of.
#[derive(Default)]
pub(super) struct Devices(n2k::devices::Devices);

impl Devices {
    /// Takes a message that tells no value.
    pub fn hear(&mut self, message: &N2kMessage, receiver: &mut Receiver, label: &str, model: &mut Model) {
        let address = message.id.source;
        if let Some(about) = self.0.hear(message) {
            model.describe_device(&receiver.source_ref(address), label, address.0, &about);
        }
    }

    /// The devices.
    #[cfg(any(test, feature = "server-routes"))]
    pub fn all(&self) -> &n2k::devices::Devices {
        &self.0
    }

    /// The devices, to be asked.
    #[cfg(any(test, feature = "server-routes"))]
    pub fn all_mut(&mut self) -> &mut n2k::devices::Devices {
        &mut self.0
    }

    /// Has the node of the gateway ask devices for what they did not tell; returns when to ask again.
    pub fn ask(&mut self, interface: &mut Interface, now: Instant) -> Option<Instant> {
        let own = interface.address()?;
        while let Some(request) = self.0.next_request(now, own) {
            // One that finds no room is asked for again.
            interface.send(&request);
        }
        self.0.due(own)
    }
}
