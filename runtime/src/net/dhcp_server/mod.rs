//! Gives addresses to the few clients of a network that the board makes itself (RFC 2131).
//!
//! Router and name server are the board itself: the network leads nowhere else, but a device that is given none takes the
//! network for broken (Android wants both before it calls itself connected), and shows nobody the page that it leads to.

use core::net::{Ipv4Addr, SocketAddr};
use core::time::Duration;

use smoltcp::wire::{DHCP_CLIENT_PORT, DHCP_SERVER_PORT, DhcpMessageType, DhcpPacket, DhcpRepr, EthernetAddress};

use super::StaticAddress;
use crate::hal::{NetError, Network, Socket};
use crate::time::Instant;

/// Clients that have an address at the same time.
pub const LEASES_MAX: usize = 8;
/// How long an address is a client's.
const LEASE: Duration = Duration::from_secs(3600);
/// How long an address is kept for a client that was offered it.
const OFFER: Duration = Duration::from_secs(60);
/// How long an address that another device uses is left alone.
const DECLINED: Duration = Duration::from_secs(600);
/// A message without relays' options; every client takes this many bytes (RFC 2131 §2).
const MESSAGE_BYTES_MAX: usize = 576;
/// Messages answered in one poll.
const MESSAGES_PER_POLL: usize = 4;

/// An address that is in use.
#[derive(Clone, Copy, Debug)]
struct Lease {
    /// Nobody, where the address was declined.
    client: Option<EthernetAddress>,
    until: Instant,
}

/// The server.
#[derive(Debug)]
pub struct DhcpServer {
    socket: Socket,
    own: StaticAddress,
    /// The address at index 0 follows the own one.
    leases: [Option<Lease>; LEASES_MAX],
}

impl DhcpServer {
    /// Opens the server's port on a network whose own address is `own`.
    ///
    /// # Errors
    /// [`NetError`] of the port; [`NetError::Unsupported`] when the clients' addresses do not fit behind the own one.
    pub fn open(network: &mut dyn Network, own: StaticAddress) -> Result<Self, NetError> {
        let last = address(own.address, LEASES_MAX.saturating_sub(1));
        let net = |address: Ipv4Addr| address.to_bits() & mask(own.prefix).to_bits();
        let is_whole = last.is_some_and(|last| {
            net(last) == net(own.address) && last.to_bits() | mask(own.prefix).to_bits() != u32::MAX
        });
        if !is_whole {
            return Err(NetError::Unsupported);
        }
        let socket = network.bind_udp(SocketAddr::new(Ipv4Addr::UNSPECIFIED.into(), DHCP_SERVER_PORT))?;
        Ok(Self { socket, own, leases: [None; LEASES_MAX] })
    }

    /// Answers what came.
    pub fn poll(&mut self, network: &mut dyn Network, now: Instant) {
        let mut buffer = [0; MESSAGE_BYTES_MAX];
        for _ in 0..MESSAGES_PER_POLL {
            let Ok(Some((bytes, _))) = network.receive_from(self.socket, &mut buffer) else { return };
            let message = buffer.get(..bytes).and_then(|data| DhcpPacket::new_checked(data).ok());
            let Some((answer, to)) = message.and_then(|message| self.answer(&message, now)) else { continue };
            let Some(room) = buffer.get_mut(..answer.buffer_len()) else { continue };
            room.fill(0);
            if answer.emit(&mut DhcpPacket::new_unchecked(room)).is_ok() {
                let to = SocketAddr::new(to.into(), DHCP_CLIENT_PORT);
                // A client that gets no answer asks again.
                let _ = network.send_to(self.socket, to, room);
            }
        }
    }

    /// Finds the answer to a message, and where it goes.
    fn answer(&mut self, packet: &DhcpPacket<&[u8]>, now: Instant) -> Option<(DhcpRepr<'static>, Ipv4Addr)> {
        let message = DhcpRepr::parse(packet).ok()?;
        let client = message.client_hardware_address;
        if !client.is_unicast() {
            return None;
        }
        for lease in &mut self.leases {
            *lease = lease.filter(|lease| lease.until > now);
        }
        let is_for_us = message.server_identifier.is_none_or(|server| server == self.own.address);
        let asked = message.requested_ip.or(Some(message.client_ip)).filter(|address| !address.is_unspecified());
        let (kind, given) = match message.message_type {
            DhcpMessageType::Discover => {
                let index = self.place(client, asked)?;
                self.lease(index, Some(client), now + OFFER);
                (DhcpMessageType::Offer, address(self.own.address, index)?)
            }
            DhcpMessageType::Request if !is_for_us => {
                self.release(client);
                return None;
            }
            DhcpMessageType::Request => match self.place(client, asked).and_then(|index| {
                let given = address(self.own.address, index)?;
                (Some(given) == asked).then_some((index, given))
            }) {
                Some((index, given)) => {
                    self.lease(index, Some(client), now + LEASE);
                    (DhcpMessageType::Ack, given)
                }
                None => (DhcpMessageType::Nak, Ipv4Addr::UNSPECIFIED),
            },
            DhcpMessageType::Decline if is_for_us => {
                self.release(client);
                if let Some(index) = asked.and_then(|address| self.index(address)) {
                    self.lease(index, None, now + DECLINED);
                }
                return None;
            }
            DhcpMessageType::Release => {
                self.release(client);
                return None;
            }
            DhcpMessageType::Inform => (DhcpMessageType::Ack, Ipv4Addr::UNSPECIFIED),
            _ => return None,
        };
        let has_lease = !given.is_unspecified();
        let seconds = u32::try_from(LEASE.as_secs()).unwrap_or(u32::MAX);
        let is_reached = !message.client_ip.is_unspecified() && kind == DhcpMessageType::Ack;
        let answer = DhcpRepr {
            message_type: kind,
            transaction_id: message.transaction_id,
            secs: 0,
            client_hardware_address: client,
            client_ip: Ipv4Addr::UNSPECIFIED,
            your_ip: given,
            server_ip: Ipv4Addr::UNSPECIFIED,
            router: has_lease.then_some(self.own.address),
            subnet_mask: (kind != DhcpMessageType::Nak).then(|| mask(self.own.prefix)),
            relay_agent_ip: Ipv4Addr::UNSPECIFIED,
            broadcast: !is_reached,
            requested_ip: None,
            client_identifier: None,
            server_identifier: Some(self.own.address),
            parameter_request_list: None,
            dns_servers: has_lease.then(|| [self.own.address].into_iter().collect()),
            max_size: None,
            lease_duration: has_lease.then_some(seconds),
            renew_duration: None,
            rebind_duration: None,
            additional_options: &[],
        };
        Some((answer, if is_reached { message.client_ip } else { Ipv4Addr::BROADCAST }))
    }

    /// Finds an address for a client: the one it has, the one it asks for when that is free, any free one.
    fn place(&self, client: EthernetAddress, asked: Option<Ipv4Addr>) -> Option<usize> {
        let own = self.leases.iter().position(|lease| lease.is_some_and(|lease| lease.client == Some(client)));
        let wanted = asked.and_then(|address| self.index(address));
        let wanted = wanted.filter(|index| self.leases.get(*index).is_some_and(Option::is_none));
        own.or(wanted).or_else(|| self.leases.iter().position(Option::is_none))
    }

    fn lease(&mut self, index: usize, client: Option<EthernetAddress>, until: Instant) {
        if let Some(lease) = self.leases.get_mut(index) {
            *lease = Some(Lease { client, until });
        }
    }

    fn release(&mut self, client: EthernetAddress) {
        for lease in &mut self.leases {
            *lease = lease.filter(|lease| lease.client != Some(client));
        }
    }

    /// Returns the place of an address that can be given.
    fn index(&self, wanted: Ipv4Addr) -> Option<usize> {
        (0..LEASES_MAX).find(|index| address(self.own.address, *index) == Some(wanted))
    }
}

/// Returns the address at a place.
fn address(own: Ipv4Addr, index: usize) -> Option<Ipv4Addr> {
    let offset = u32::try_from(index).ok()?.checked_add(1)?;
    own.to_bits().checked_add(offset).map(Ipv4Addr::from_bits)
}

fn mask(prefix: u8) -> Ipv4Addr {
    Ipv4Addr::from_bits(u32::MAX.checked_shl(32_u32.saturating_sub(prefix.into())).unwrap_or(0))
}

#[cfg(test)]
mod tests;
