//! What the gateway's thread waits for besides its waker: CAN interfaces, which come and go, and the tap interface.

use std::os::fd::OwnedFd;

use skiff_runtime::gateway::InputId;

/// Descriptors, and whose they are.
#[derive(Default)]
pub struct Waiters {
    list: Vec<OwnedFd>,
    /// `None` is nobody's, and stays.
    of: Vec<Option<InputId>>,
}

impl Waiters {
    /// Adds one.
    pub fn add(&mut self, of: Option<InputId>, descriptor: OwnedFd) {
        self.list.push(descriptor);
        self.of.push(of);
    }

    /// Removes that of an input.
    pub fn remove(&mut self, input: InputId) {
        if let Some(place) = self.of.iter().position(|of| *of == Some(input)) {
            self.of.remove(place);
            self.list.remove(place);
        }
    }

    /// Returns them all.
    pub fn list(&self) -> &[OwnedFd] {
        &self.list
    }
}
