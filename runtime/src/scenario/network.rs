//! The mock network: canned HTTP answers and datagrams, sockets that reach nobody.

use alloc::collections::{BTreeMap, VecDeque};
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::net::{IpAddr, Ipv4Addr, SocketAddr};

use super::script::Scenario;
use crate::host::sockets::{Datagram, Sockets, UdpOption};

/// Sockets of the mock network; a plugin that makes more gets none.
const SOCKETS_MAX: usize = 10_000;

/// Something that reached the network, for the transcript.
pub(super) enum Sent {
    Datagram { id: u32, host: String, port: u16, data: Vec<u8> },
    Connect { id: u32, host: String, port: u16 },
}

enum Socket {
    Udp { port: Option<u16>, queue: VecDeque<Datagram> },
    Tcp { connecting: bool },
}

/// The sockets of the plugin. Numbers count from 1, UDP and TCP together.
#[derive(Default)]
pub(super) struct MockSockets {
    sockets: BTreeMap<u32, Socket>,
    last: u32,
    sent: Vec<Sent>,
    canned: Vec<(u32, u16, Datagram)>,
}

impl MockSockets {
    pub(super) fn new(scenario: &Scenario) -> Self {
        let canned = scenario.datagrams.iter().map(|datagram| {
            let address: IpAddr = datagram.from.parse().unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED));
            let from = SocketAddr::new(address, datagram.from_port);
            (datagram.after_poll, datagram.port, Datagram { from, data: datagram.data.clone() })
        });
        Self { canned: canned.collect(), ..Self::default() }
    }

    /// Takes what was sent since the last time.
    pub(super) fn take_sent(&mut self) -> Vec<Sent> {
        core::mem::take(&mut self.sent)
    }

    /// Delivers the datagrams that arrive after poll number `poll`.
    pub(super) fn arrive(&mut self, poll: u32) {
        let due: Vec<_> = self.canned.extract_if(.., |(after, _, _)| *after == poll).collect();
        for (_, to, datagram) in due {
            for socket in self.sockets.values_mut() {
                if let Socket::Udp { port: Some(port), queue } = socket
                    && *port == to
                {
                    queue.push_back(datagram.clone());
                }
            }
        }
    }

    /// Closes every socket, as the end of an instance does; the next instance counts from 1.
    pub(super) fn close_all(&mut self) {
        self.sockets.clear();
        self.last = 0;
    }

    fn add(&mut self, socket: Socket) -> Option<u32> {
        if self.sockets.len() >= SOCKETS_MAX {
            return None;
        }
        self.last = self.last.checked_add(1)?;
        self.sockets.insert(self.last, socket);
        Some(self.last)
    }
}

impl Sockets for &mut MockSockets {
    fn udp_create(&mut self, _six: bool) -> Option<u32> {
        self.add(Socket::Udp { port: None, queue: VecDeque::new() })
    }

    fn udp_bind(&mut self, id: u32, port: u16) -> bool {
        match self.sockets.get_mut(&id) {
            Some(Socket::Udp { port: bound, .. }) => {
                *bound = Some(port);
                true
            }
            _ => false,
        }
    }

    fn udp_group(&mut self, id: u32, _group: &str, _interface: &str, _join: bool) -> bool {
        matches!(self.sockets.get(&id), Some(Socket::Udp { .. }))
    }

    fn udp_option(&mut self, id: u32, _option: UdpOption) -> bool {
        matches!(self.sockets.get(&id), Some(Socket::Udp { .. }))
    }

    fn udp_send(&mut self, id: u32, host: &str, port: u16, data: Vec<u8>) -> bool {
        if !matches!(self.sockets.get(&id), Some(Socket::Udp { .. })) {
            return false;
        }
        self.sent.push(Sent::Datagram { id, host: host.to_string(), port, data });
        true
    }

    fn udp_receive(&mut self, id: u32) -> Option<Datagram> {
        match self.sockets.get_mut(&id) {
            Some(Socket::Udp { queue, .. }) => queue.pop_front(),
            _ => None,
        }
    }

    fn udp_pending(&mut self, id: u32) -> usize {
        match self.sockets.get(&id) {
            Some(Socket::Udp { queue, .. }) => queue.len(),
            _ => 0,
        }
    }

    fn tcp_create(&mut self) -> Option<u32> {
        self.add(Socket::Tcp { connecting: false })
    }

    fn tcp_connect(&mut self, id: u32, host: &str, port: u16) -> bool {
        match self.sockets.get_mut(&id) {
            Some(Socket::Tcp { connecting }) if !*connecting => {
                *connecting = true;
                self.sent.push(Sent::Connect { id, host: host.to_string(), port });
                true
            }
            _ => false,
        }
    }

    fn tcp_connected(&mut self, id: u32) -> Option<bool> {
        // Nobody ever answers here.
        matches!(self.sockets.get(&id), Some(Socket::Tcp { .. })).then_some(false)
    }

    fn tcp_set_lines(&mut self, id: u32, _lines: bool) -> bool {
        matches!(self.sockets.get(&id), Some(Socket::Tcp { .. }))
    }

    fn tcp_send(&mut self, id: u32, _data: &[u8]) -> bool {
        matches!(self.sockets.get(&id), Some(Socket::Tcp { .. }))
    }

    fn tcp_receive_line(&mut self, _id: u32, _max: usize) -> Option<Vec<u8>> {
        None
    }

    fn tcp_receive_raw(&mut self, _id: u32, _max: usize) -> Option<Vec<u8>> {
        None
    }

    fn tcp_pending(&mut self, _id: u32) -> usize {
        0
    }

    fn close(&mut self, id: u32) {
        self.sockets.remove(&id);
    }
}
