//! Carries HTTP and WebSocket between a [`hal::Network`](crate::hal::Network) and the gateway, without a thread.
//!
//! The chip's counterpart of what axum does on Linux. The gateway decides everything (routes,
//! access, bodies); this floor turns bytes into requests and back, and keeps clients from taking
//! more than their share: each connection does a bounded piece of work per [`Carrier::poll`], has a
//! deadline for everything it owes us, and shares one limit of memory with the others. A client
//! that does not keep up is dropped and counted.

mod connection;
mod limits;
mod send_buffer;
mod stream;

use alloc::vec::Vec;
use core::net::SocketAddr;

use crate::gateway::{Gateway, Wake};
use crate::hal::{NetError, Socket};
use crate::http;
use crate::server::ClientCounters;
use crate::time::Instant;
use connection::{Connection, Ended, Turn};
pub use limits::CarrierLimits;

/// Connections taken from the listener in one poll.
const ACCEPTS_PER_POLL: usize = 4;

/// The web server of a gateway that has a [`hal::Network`](crate::hal::Network).
///
/// Poll it after each [`Gateway::poll`]. It takes all of [`Gateway::next_response`].
pub struct Carrier {
    listener: Socket,
    address: SocketAddr,
    limits: CarrierLimits,
    connections: Vec<Connection>,
    counters: ClientCounters,
}

impl Carrier {
    /// Listens on an address of the gateway's network.
    ///
    /// # Errors
    /// [`NetError`]; [`NetError::Unsupported`] where the gateway has no network.
    pub fn listen(gateway: &mut Gateway, address: SocketAddr, limits: CarrierLimits) -> Result<Self, NetError> {
        let network = gateway.network_mut().ok_or(NetError::Unsupported)?;
        let listener = network.listen(address)?;
        let address = network.local_address(listener)?;
        Ok(Self { listener, address, limits, connections: Vec::new(), counters: ClientCounters::default() })
    }

    /// Returns the address it listens on, with the port that was really taken.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Returns what clients did so far.
    #[must_use]
    pub fn counters(&self) -> ClientCounters {
        self.counters
    }

    /// Returns the number of open connections.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.connections.len()
    }

    /// Does a bounded amount of work for every client; returns when it wants to run again.
    pub fn poll(&mut self, gateway: &mut Gateway) -> Wake {
        let now = gateway.now();
        self.take_responses(gateway, now);
        let mut wake = Wake { busy: self.accept(gateway, now), at: None };
        let mut held: usize = self.connections.iter().map(Connection::held_bytes).sum();
        for connection in &mut self.connections {
            let before = connection.held_bytes();
            let mut turn = Turn {
                gateway,
                limits: &self.limits,
                counters: &mut self.counters,
                local: self.address.ip().is_loopback(),
                others_hold: held.saturating_sub(before),
                now,
            };
            wake.busy |= connection.turn(&mut turn);
            held = turn.others_hold.saturating_add(connection.held_bytes());
            wake.at = [wake.at, Some(connection.deadline())].into_iter().flatten().min();
        }
        let counters = &mut self.counters;
        self.connections.retain(|connection| {
            let Some(ended) = connection.ended() else { return true };
            end(connection, ended, gateway, counters);
            wake.busy = true;
            false
        });
        self.counters.connections = u32::try_from(self.connections.len()).unwrap_or(u32::MAX);
        gateway.set_client_counters(self.counters);
        wake
    }

    /// Closes everything; exchanges that are under way get no answer.
    pub fn close(mut self, gateway: &mut Gateway) {
        for connection in self.connections.drain(..) {
            end(&connection, Ended::Done, gateway, &mut self.counters);
        }
        if let Some(network) = gateway.network_mut() {
            network.close(self.listener);
        }
    }

    fn take_responses(&mut self, gateway: &mut Gateway, now: Instant) {
        while let Some((exchange, response)) = gateway.next_response() {
            let wall = gateway.wall_clock();
            match self.connections.iter_mut().find(|connection| connection.waits_for(exchange)) {
                Some(connection) => connection.respond(response, wall, now),
                // Its client went away.
                None => self.counters.unread = self.counters.unread.saturating_add(1),
            }
        }
    }

    /// Takes new connections; true when there can be more.
    fn accept(&mut self, gateway: &mut Gateway, now: Instant) -> bool {
        for _ in 0..ACCEPTS_PER_POLL {
            let Some((socket, peer)) = gateway.network_mut().and_then(|network| network.accept(self.listener)) else {
                return false;
            };
            if self.connections.len() >= self.limits.connections_max {
                self.evict(gateway, now);
            }
            if self.connections.len() < self.limits.connections_max {
                self.counters.accepted = self.counters.accepted.saturating_add(1);
                self.connections.push(Connection::new(socket, peer.ip(), &self.limits, now));
                continue;
            }
            self.counters.refused = self.counters.refused.saturating_add(1);
            if let Some(network) = gateway.network_mut() {
                // Fits any send buffer; a client that is gone already does not mind.
                let _ = network.send(socket, http::NO_CONNECTION);
                network.close(socket);
            }
        }
        true
    }

    /// Closes the connection that has been waiting for a next request for the longest time, else one whose client is
    /// late with its head.
    fn evict(&mut self, gateway: &mut Gateway, now: Instant) {
        let longest = |wanted: &dyn Fn(&Connection) -> bool| {
            let found = self.connections.iter().enumerate().filter(|(_, connection)| wanted(connection));
            found.min_by_key(|(_, connection)| connection.deadline()).map(|(index, _)| index)
        };
        let idle = longest(&Connection::is_idle).map(|index| (index, Ended::Done));
        let late = || longest(&|connection| connection.is_late(now)).map(|index| (index, Ended::Slow));
        let Some((index, ended)) = idle.or_else(late) else { return };
        let connection = self.connections.swap_remove(index);
        end(&connection, ended, gateway, &mut self.counters);
        self.counters.evicted = self.counters.evicted.saturating_add(1);
    }
}

fn end(connection: &Connection, ended: Ended, gateway: &mut Gateway, counters: &mut ClientCounters) {
    if let Some(stream) = connection.stream() {
        gateway.close_stream(stream);
    }
    if let Some(network) = gateway.network_mut() {
        network.close(connection.socket());
    }
    let counter = match ended {
        Ended::Done => return,
        Ended::Slow => &mut counters.slow,
        Ended::Broken => &mut counters.broken,
    };
    *counter = counter.saturating_add(1);
}
