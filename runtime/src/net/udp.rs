//! UDP sockets.

use alloc::vec;
use alloc::vec::Vec;
use core::net::{IpAddr, SocketAddr};

use smoltcp::iface::SocketHandle;
use smoltcp::phy::Device;
use smoltcp::socket::udp::{self, PacketBuffer, PacketMetadata};
use smoltcp::wire::{IpAddress, IpEndpoint, IpListenEndpoint};

use super::stack::{SmolNet, SocketEntry, ipv4};
use crate::hal::{NetError, Socket};

/// Headers of IPv4 and UDP before a payload (RFC 791, RFC 768), bytes.
const HEADERS_BYTES: usize = 28;
/// Ethernet header, which the device's size of a packet counts, bytes.
const ETHERNET_BYTES: usize = 14;
/// Multicast groups of one socket; the interface has room for four in all.
const GROUPS_MAX: usize = 4;

/// A bound socket.
pub(super) struct Udp {
    handle: SocketHandle,
    pub(super) address: SocketAddr,
    groups: Vec<IpAddress>,
}

impl<D: Device> SmolNet<D> {
    pub(super) fn open_udp(&mut self, address: SocketAddr) -> Result<Socket, NetError> {
        let ip = ipv4(address.ip())?;
        let port = match address.port() {
            0 => self.free_port(Self::is_udp_taken).ok_or(NetError::InUse)?,
            port if self.is_udp_taken(port) => return Err(NetError::InUse),
            port => port,
        };
        let count = self.entries.values().filter(|entry| matches!(entry, SocketEntry::Udp(_))).count();
        if count >= usize::from(self.limits.udp_sockets_max) {
            return Err(NetError::TooMany);
        }
        let buffer = |limits: &crate::budget::NetLimits| {
            PacketBuffer::new(
                vec![PacketMetadata::EMPTY; usize::from(limits.udp_datagrams_max)],
                vec![0; usize::from(limits.udp_bytes)],
            )
        };
        let mut socket = udp::Socket::new(buffer(&self.limits), buffer(&self.limits));
        let bound = IpListenEndpoint { addr: (!address.ip().is_unspecified()).then_some(ip), port };
        socket.bind(bound).map_err(|_| NetError::InUse)?;
        let handle = self.sockets.add(socket);
        let address = SocketAddr::new(address.ip(), port);
        self.insert(SocketEntry::Udp(Udp { handle, address, groups: Vec::new() }))
    }

    fn is_udp_taken(&self, port: u16) -> bool {
        self.entries.values().any(|entry| matches!(entry, SocketEntry::Udp(udp) if udp.address.port() == port))
    }

    fn udp(&self, socket: Socket) -> Result<&Udp, NetError> {
        match self.entries.get(&socket.0) {
            Some(SocketEntry::Udp(udp)) => Ok(udp),
            _ => Err(NetError::Closed),
        }
    }

    pub(super) fn udp_receive(
        &mut self,
        socket: Socket,
        buffer: &mut [u8],
    ) -> Result<Option<(usize, SocketAddr)>, NetError> {
        let handle = self.udp(socket)?.handle;
        let Ok((payload, metadata)) = self.sockets.get_mut::<udp::Socket<'_>>(handle).recv() else { return Ok(None) };
        for (to, from) in buffer.iter_mut().zip(payload) {
            *to = *from;
        }
        Ok(Some((payload.len().min(buffer.len()), metadata.endpoint.into())))
    }

    pub(super) fn udp_send(&mut self, socket: Socket, to: SocketAddr, data: &[u8]) -> Result<(), NetError> {
        let handle = self.udp(socket)?.handle;
        let packet_bytes = self.device.capabilities().max_transmission_unit.saturating_sub(ETHERNET_BYTES);
        if data.len() > packet_bytes.saturating_sub(HEADERS_BYTES) {
            // Packets are not taken apart.
            return Err(NetError::TooLong);
        }
        let to = IpEndpoint::new(ipv4(to.ip())?, to.port());
        if self.interface.get_source_address(&to.addr).is_none() {
            return Err(NetError::Unreachable);
        }
        let socket: &mut udp::Socket<'_> = self.sockets.get_mut(handle);
        if data.len() > socket.payload_send_capacity() {
            return Err(NetError::TooLong);
        }
        socket.send_slice(data, to).map_err(|error| match error {
            udp::SendError::Unaddressable => NetError::Unreachable,
            udp::SendError::BufferFull => NetError::Pending,
        })
    }

    pub(super) fn join_group(&mut self, socket: Socket, group: IpAddr) -> Result<(), NetError> {
        let group = ipv4(group).ok().filter(IpAddress::is_multicast).ok_or(NetError::Unsupported)?;
        let Some(SocketEntry::Udp(udp)) = self.entries.get_mut(&socket.0) else { return Err(NetError::Closed) };
        if udp.groups.contains(&group) {
            return Ok(());
        }
        if udp.groups.len() >= GROUPS_MAX {
            return Err(NetError::TooMany);
        }
        self.interface.join_multicast_group(group).map_err(|_| NetError::TooMany)?;
        udp.groups.push(group);
        if group == IpAddress::v4(224, 0, 0, 251) {
            // Older ones take multicast DNS from nobody whose packets could have been routed (RFC 6762 §11).
            self.sockets.get_mut::<udp::Socket<'_>>(udp.handle).set_hop_limit(Some(255));
        }
        Ok(())
    }

    pub(super) fn leave_group(&mut self, socket: Socket, group: IpAddr) -> Result<(), NetError> {
        let group = ipv4(group)?;
        let Some(SocketEntry::Udp(udp)) = self.entries.get_mut(&socket.0) else { return Err(NetError::Closed) };
        let at = udp.groups.iter().position(|known| *known == group).ok_or(NetError::Unsupported)?;
        udp.groups.remove(at);
        self.interface.leave_multicast_group(group).map_err(|_| NetError::Unsupported)
    }

    pub(super) fn close_udp(&mut self, udp: Udp) {
        for group in udp.groups {
            // The interface counts how often a group was joined; one that it does not know is left already.
            let _ = self.interface.leave_multicast_group(group);
        }
        self.sockets.remove(udp.handle);
    }
}
