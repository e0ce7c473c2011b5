//! One TCP connection of a plugin.

use alloc::collections::VecDeque;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::net::SocketAddr;
use core::task::Poll;

use super::doors::Doors;
use super::{SocketLimits, resolve};
use crate::hal::{Network, Received, Socket};

/// Bytes read at once.
const READ_BYTES: usize = 1024;
/// Reads in one run, so that a fast peer does not hold up the bus.
const READS_PER_RUN: usize = 64;
/// Bytes of a line; longer ones are cut, as `max` would cut them.
const LINE_BYTES_MAX: usize = 16 * 1024;

#[derive(Debug)]
enum State {
    /// Not connected yet.
    New,
    Resolving {
        host: String,
        port: u16,
    },
    Connecting(Socket),
    Open(Socket),
    /// Over; what was received can still be read. The socket is there until it is closed.
    Over(Option<Socket>),
}

#[derive(Debug)]
pub(super) struct Tcp {
    state: State,
    lines: bool,
    received: VecDeque<u8>,
    to_send: VecDeque<u8>,
    /// The rest of a line that was too long is thrown away.
    skipping: bool,
}

impl Tcp {
    pub(super) fn new() -> Self {
        Self { state: State::New, lines: true, received: VecDeque::new(), to_send: VecDeque::new(), skipping: false }
    }

    pub(super) fn socket(&self) -> Option<Socket> {
        match &self.state {
            State::Connecting(socket) | State::Open(socket) => Some(*socket),
            State::Over(socket) => *socket,
            State::New | State::Resolving { .. } => None,
        }
    }

    /// Tells whether the name of its peer is being looked up; an address needs no look-up.
    pub(super) fn is_looked_up(&self) -> bool {
        matches!(&self.state, State::Resolving { host, .. } if host.parse::<core::net::IpAddr>().is_err())
    }

    pub(super) fn connect(&mut self, host: &str, port: u16) -> bool {
        if !matches!(self.state, State::New) {
            return false;
        }
        self.state = State::Resolving { host: host.to_string(), port };
        true
    }

    /// `Some(true)` while there is a connection or data to read, `None` when it is over.
    pub(super) fn connected(&self) -> Option<bool> {
        match self.state {
            State::New | State::Resolving { .. } | State::Connecting(_) => Some(false),
            State::Open(_) => Some(true),
            State::Over(_) if self.received.is_empty() => None,
            State::Over(_) => Some(true),
        }
    }

    pub(super) fn set_lines(&mut self, lines: bool) {
        self.lines = lines;
        self.skipping = false;
    }

    /// Takes all or nothing; before the connection stands it waits for that.
    pub(super) fn send(&mut self, data: &[u8], limits: &SocketLimits) -> bool {
        let room = limits.send_bytes.saturating_sub(self.to_send.len());
        if matches!(self.state, State::Over(_)) || data.len() > room {
            return false;
        }
        self.to_send.extend(data);
        true
    }

    /// Goes on with the connection, sends and receives; where the buffer is full, the peer waits.
    pub(super) fn run(&mut self, network: &mut dyn Network, limits: &SocketLimits, doors: &mut Doors) {
        if let State::Resolving { host, port } = &self.state {
            self.state = match resolve(network, host) {
                Poll::Pending => return,
                Poll::Ready(Ok(address)) => {
                    let to = SocketAddr::new(address, *port);
                    let connected = doors.allow(network, host, to).then(|| network.connect(to));
                    connected.and_then(Result::ok).map_or(State::Over(None), State::Connecting)
                }
                Poll::Ready(Err(_)) => State::Over(None),
            };
        }
        if let State::Connecting(socket) = self.state {
            // A connection that is on its way takes nothing and has no peer.
            match network.is_connected(socket) {
                Ok(true) => self.state = State::Open(socket),
                Ok(false) => return,
                Err(_) => self.state = State::Over(Some(socket)),
            }
        }
        if let State::Open(socket) = self.state {
            self.push(socket, network);
            self.pull(socket, network, limits);
        }
    }

    fn push(&mut self, socket: Socket, network: &mut dyn Network) {
        while !self.to_send.is_empty() {
            let (first, _) = self.to_send.as_slices();
            match network.send(socket, first) {
                Ok(0) => return,
                Ok(count) => drop(self.to_send.drain(..count.min(self.to_send.len()))),
                // What was received before is still to be read: `pull` finds the end.
                Err(_) => return self.to_send.clear(),
            }
        }
    }

    fn pull(&mut self, socket: Socket, network: &mut dyn Network, limits: &SocketLimits) {
        let mut buffer = [0; READ_BYTES];
        for _ in 0..READS_PER_RUN {
            let room = limits.receive_bytes.saturating_sub(self.received.len()).min(READ_BYTES);
            let Some(part) = buffer.get_mut(..room).filter(|part| !part.is_empty()) else { return };
            match network.receive(socket, part) {
                Ok(Received::Bytes(count)) => self.received.extend(part.get(..count).unwrap_or_default()),
                Ok(Received::Pending) => return,
                Ok(Received::Closed) | Err(_) => {
                    self.state = State::Over(Some(socket));
                    return;
                }
            }
        }
    }

    fn is_over(&self) -> bool {
        matches!(self.state, State::Over(_))
    }

    /// Bytes of a line that fit here.
    fn line_max(limits: &SocketLimits) -> usize {
        LINE_BYTES_MAX.min(limits.receive_bytes)
    }

    pub(super) fn receive_line(&mut self, max: usize, limits: &SocketLimits) -> Option<Vec<u8>> {
        if !self.lines {
            return None;
        }
        loop {
            let end = self.received.iter().position(|&byte| byte == b'\n');
            let (count, whole) = match end {
                Some(end) => (end, true),
                None if self.received.len() >= Self::line_max(limits) => (self.received.len(), false),
                None if self.is_over() && !self.received.is_empty() => (self.received.len(), true),
                None => return None,
            };
            let mut line: Vec<u8> = self.received.drain(..count).collect();
            if end.is_some() {
                self.received.pop_front();
            }
            let skipped = core::mem::replace(&mut self.skipping, !whole);
            if line.last() == Some(&b'\r') {
                line.pop();
            }
            if line.is_empty() || skipped {
                continue;
            }
            line.truncate(max.min(Self::line_max(limits)));
            return Some(line);
        }
    }

    pub(super) fn receive_raw(&mut self, max: usize) -> Option<Vec<u8>> {
        if self.lines || self.received.is_empty() {
            return None;
        }
        Some(self.received.drain(..max.min(self.received.len())).collect())
    }

    pub(super) fn pending(&self, limits: &SocketLimits) -> usize {
        if !self.lines {
            return usize::from(!self.received.is_empty());
        }
        let (mut lines, mut bytes, mut last) = (0_usize, 0_usize, 0);
        for &byte in &self.received {
            if byte == b'\n' {
                lines = lines.saturating_add(usize::from(bytes > usize::from(last == b'\r')));
                bytes = 0;
            } else {
                bytes = bytes.saturating_add(1);
            }
            last = byte;
        }
        let rest = bytes > 0 && (self.is_over() || bytes >= Self::line_max(limits));
        lines.saturating_add(usize::from(rest))
    }
}
