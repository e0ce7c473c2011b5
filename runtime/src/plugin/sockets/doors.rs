//! Which places the sockets of a plugin may reach: every other machine; this one only where its operator says so.

use alloc::vec::Vec;
use core::net::SocketAddr;

use crate::hal::{Destinations, Network, Reach};

/// Refused places of which each is told; more are refused in silence.
const TOLD_MAX: usize = 8;

/// The operator's word, and what was refused.
#[derive(Debug, Default)]
pub(super) struct Doors {
    listed: Destinations,
    told: Vec<SocketAddr>,
    untold: usize,
}

impl Doors {
    /// Opens what `listed` opens, and nothing else of this machine.
    pub(super) fn set(&mut self, listed: Destinations) {
        *self = Self { listed, ..Self::default() };
    }

    /// Tells whether a plugin may send to `to`, which it knows as `host`.
    pub(super) fn allow(&mut self, network: &dyn Network, host: &str, to: SocketAddr) -> bool {
        let allowed = match network.reach(to) {
            Reach::Elsewhere => true,
            Reach::ThisMachine => self.listed.opens(host, to.ip(), to.port()),
            Reach::Gateway => false,
        };
        if !allowed && self.told.len() < TOLD_MAX && !self.told.contains(&to) {
            self.told.push(to);
            self.untold = self.untold.saturating_add(1);
        }
        allowed
    }

    /// Takes the next refused place that was not told yet.
    pub(super) fn next_refused(&mut self) -> Option<SocketAddr> {
        let at = self.told.len().checked_sub(self.untold)?;
        let refused = self.told.get(at).copied()?;
        self.untold = self.untold.saturating_sub(1);
        Some(refused)
    }
}
