//! One UDP socket.

use alloc::collections::VecDeque;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use core::task::Poll;

use super::doors::Doors;
use super::{Host, SocketLimits, resolve};
use crate::hal::{NetError, Network, Socket};
use crate::host::sockets::{Datagram, UdpOption};

/// Datagrams taken from the network at once.
const DATAGRAMS_PER_RUN: usize = 64;
/// Groups one socket may join.
const GROUPS_MAX: usize = 16;
/// Datagrams that wait for a host name; more are refused.
const UNRESOLVED_MAX: usize = 16;
/// Longest datagram, bytes: 65,535 less the IPv4 and UDP headers (RFC 791, RFC 768).
const DATAGRAM_BYTES_MAX: usize = 65_507;

#[derive(Debug)]
pub(super) struct Udp {
    six: bool,
    socket: Option<Socket>,
    groups: Vec<(IpAddr, Option<IpAddr>)>,
    ttl: Option<u8>,
    loopback: Option<bool>,
    broadcast: bool,
    received: VecDeque<Datagram>,
    received_bytes: usize,
    /// Datagrams whose receiver's name is being looked up.
    unresolved: VecDeque<(String, u16, Vec<u8>)>,
}

impl Udp {
    pub(super) fn new(six: bool) -> Self {
        Self {
            six,
            socket: None,
            groups: Vec::new(),
            ttl: None,
            loopback: None,
            broadcast: false,
            received: VecDeque::new(),
            received_bytes: 0,
            unresolved: VecDeque::new(),
        }
    }

    pub(super) fn socket(&self) -> Option<Socket> {
        self.socket
    }

    /// Binds to all interfaces, and brings what was set before into force.
    pub(super) fn bind(&mut self, network: &mut dyn Network, port: u16) -> Result<Socket, NetError> {
        if self.socket.is_some() {
            return Err(NetError::InUse);
        }
        let any = if self.six { IpAddr::V6(Ipv6Addr::UNSPECIFIED) } else { IpAddr::V4(Ipv4Addr::UNSPECIFIED) };
        let address = SocketAddr::new(any, port);
        let socket = if port == 0 { network.bind_udp(address)? } else { network.bind_udp_shared(address)? };
        self.socket = Some(socket);
        // The plugin has been told that these were taken; what the stack cannot do is as upstream: without effect.
        for (group, interface) in &self.groups {
            let _ = join(network, socket, *group, *interface);
        }
        if let Some(hops) = self.ttl {
            let _ = network.set_multicast_ttl(socket, hops);
        }
        if let Some(on) = self.loopback {
            let _ = network.set_multicast_loopback(socket, on);
        }
        Ok(socket)
    }

    pub(super) fn group(
        &mut self,
        network: &mut dyn Network,
        group: IpAddr,
        interface: Option<IpAddr>,
        joins: bool,
    ) -> Result<(), NetError> {
        if !group.is_multicast() || group.is_ipv6() != self.six {
            return Err(NetError::Unsupported);
        }
        let known = self.groups.iter().position(|(other, _)| *other == group);
        match (joins, known) {
            (true, Some(_)) => Ok(()),
            (true, None) if self.groups.len() >= GROUPS_MAX => Err(NetError::TooMany),
            (true, None) => {
                if let Some(socket) = self.socket {
                    join(network, socket, group, interface)?;
                }
                self.groups.push((group, interface));
                Ok(())
            }
            (false, None) => Err(NetError::Unsupported),
            (false, Some(at)) => {
                self.groups.remove(at);
                self.socket.map_or(Ok(()), |socket| network.leave(socket, group))
            }
        }
    }

    pub(super) fn option(&mut self, network: &mut dyn Network, option: UdpOption) -> Result<(), NetError> {
        match (option, self.socket) {
            (UdpOption::Broadcast(on), _) => self.broadcast = on,
            (UdpOption::MulticastTtl(hops), None) => self.ttl = Some(hops),
            (UdpOption::MulticastLoopback(on), None) => self.loopback = Some(on),
            (UdpOption::MulticastTtl(hops), Some(socket)) => network.set_multicast_ttl(socket, hops)?,
            (UdpOption::MulticastLoopback(on), Some(socket)) => network.set_multicast_loopback(socket, on)?,
        }
        Ok(())
    }

    pub(super) fn send(
        &mut self,
        network: &mut dyn Network,
        host: Host<'_>,
        port: u16,
        data: Vec<u8>,
        limits: &SocketLimits,
        doors: &mut Doors,
    ) -> Result<(), NetError> {
        if data.len() > DATAGRAM_BYTES_MAX {
            return Err(NetError::TooLong);
        }
        if self.socket.is_none() {
            self.bind(network, 0)?;
        }
        let is_address = host.name.parse::<IpAddr>().is_ok();
        let found = if is_address || host.may_look_up { resolve(network, host.name) } else { Poll::Pending };
        match found {
            Poll::Ready(address) => self.send_to(network, doors, host.name, SocketAddr::new(address?, port), &data),
            Poll::Pending => {
                let waiting: usize = self.unresolved.iter().map(|(_, _, data)| data.len()).sum();
                let full = waiting.saturating_add(data.len()) > limits.send_bytes;
                if full || self.unresolved.len() >= UNRESOLVED_MAX {
                    return Err(NetError::TooMany);
                }
                self.unresolved.push_back((host.name.to_string(), port, data));
                Ok(())
            }
        }
    }

    /// Tells whether a datagram waits for the name of its receiver.
    pub(super) fn is_looked_up(&self) -> bool {
        !self.unresolved.is_empty()
    }

    fn send_to(
        &self,
        network: &mut dyn Network,
        doors: &mut Doors,
        host: &str,
        to: SocketAddr,
        data: &[u8],
    ) -> Result<(), NetError> {
        let Some(socket) = self.socket else { return Err(NetError::Closed) };
        if to.ip() == IpAddr::V4(Ipv4Addr::BROADCAST) && !self.broadcast {
            return Err(NetError::Denied);
        }
        if !doors.allow(network, host, to) {
            return Err(NetError::Denied);
        }
        network.send_to(socket, to, data)
    }

    /// Sends what waited for a name and takes in what arrived.
    pub(super) fn run(&mut self, network: &mut dyn Network, limits: &SocketLimits, doors: &mut Doors) {
        if self.socket.is_some() {
            self.send_resolved(network, doors);
            self.take_in(network, limits);
        }
    }

    /// Sends what waited for a name; one name is looked up at a time.
    fn send_resolved(&mut self, network: &mut dyn Network, doors: &mut Doors) {
        while let Some((host, port, data)) = self.unresolved.pop_front() {
            match resolve(network, &host) {
                Poll::Pending => return self.unresolved.push_front((host, port, data)),
                // A datagram to nobody, or to where the plugin may not send, is lost, as on any wire.
                Poll::Ready(Err(_)) => {}
                Poll::Ready(Ok(address)) => {
                    let _ = self.send_to(network, doors, &host, SocketAddr::new(address, port), &data);
                }
            }
        }
    }

    /// Takes in what arrived, the oldest making room.
    pub(super) fn take_in(&mut self, network: &mut dyn Network, limits: &SocketLimits) {
        let Some(socket) = self.socket else { return };
        let mut buffer = Vec::new();
        for _ in 0..DATAGRAMS_PER_RUN {
            // Taken only when needed; what does not fit the socket's share is cut, as `max` would cut it.
            buffer.resize(DATAGRAM_BYTES_MAX.min(limits.receive_bytes), 0);
            let Ok(Some((count, from))) = network.receive_from(socket, &mut buffer) else { break };
            let data = buffer.get(..count).unwrap_or_default().to_vec();
            self.received_bytes = self.received_bytes.saturating_add(data.len());
            self.received.push_back(Datagram { from, data });
            while self.received.len() > limits.datagrams || self.received_bytes > limits.receive_bytes {
                self.receive();
            }
        }
    }

    pub(super) fn receive(&mut self) -> Option<Datagram> {
        let datagram = self.received.pop_front()?;
        self.received_bytes = self.received_bytes.saturating_sub(datagram.data.len());
        Some(datagram)
    }

    pub(super) fn pending(&self) -> usize {
        self.received.len()
    }
}

fn join(network: &mut dyn Network, socket: Socket, group: IpAddr, interface: Option<IpAddr>) -> Result<(), NetError> {
    match interface {
        Some(interface) if !interface.is_unspecified() => network.join_on(socket, group, interface),
        _ => network.join(socket, group),
    }
}
