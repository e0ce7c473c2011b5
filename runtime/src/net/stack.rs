//! The stack: interface, sockets and their handles.

use alloc::vec::Vec;
use core::net::{IpAddr, Ipv4Addr, SocketAddr};
use core::task::Poll;

use smoltcp::iface::{Config, Interface, PollIngressSingleResult, PollResult, SocketHandle, SocketSet};
use smoltcp::phy::Device;
use smoltcp::socket::{dhcpv4, dns};
use smoltcp::wire::{EthernetAddress, HardwareAddress};

use super::address::{self, Addressing, DhcpNews, Lease};
use super::resolve::Names;
use super::tcp::{Closing, Listener, TcpConnection};
use super::udp::Udp;
use crate::budget::NetLimits;
use crate::hal::{NetError, Network, Received, Socket};
use crate::sorted::SortedMap;
use crate::time::Instant;

/// Rounds in which sockets may send in one poll; each socket sends one packet a round.
const EGRESS_ROUNDS: usize = 4;
/// First of the ports given out for port 0 (RFC 6335 §6).
pub(super) const DYNAMIC_PORT_FIRST: u16 = 49_152;

/// Settings of a network stack.
#[derive(Clone, Copy, Debug)]
pub struct NetSetup {
    /// Sizes and numbers.
    pub limits: NetLimits,
    /// Own hardware address (EUI-48); must be an individual one.
    pub hardware_address: [u8; 6],
    /// How the interface gets its address.
    pub addressing: Addressing,
    /// Random: sequence numbers and ports must not be guessed (RFC 6528).
    pub seed: u64,
}

/// The end that a [`Socket`] names.
pub(super) enum SocketEntry {
    Listener(Listener),
    Stream(TcpConnection),
    Udp(Udp),
}

/// `smoltcp` over a device.
pub struct SmolNet<D: Device> {
    pub(super) device: D,
    pub(super) interface: Interface,
    pub(super) sockets: SocketSet<'static>,
    pub(super) limits: NetLimits,
    pub(super) entries: SortedMap<u32, SocketEntry>,
    next_socket: u32,
    next_port: u16,
    pub(super) closing: Vec<Closing>,
    pub(super) names: Names,
    dhcp: Option<SocketHandle>,
    lease: Option<Lease>,
    pub(super) now: Instant,
}

/// Time as `smoltcp` counts it.
pub(super) fn stack_time(now: Instant) -> smoltcp::time::Instant {
    smoltcp::time::Instant::from_micros(i64::try_from(now.0).unwrap_or(i64::MAX))
}

impl<D: Device> SmolNet<D> {
    /// Builds a stack; with DHCP it has no address until [`Network::poll`] got one.
    #[must_use]
    pub fn new(mut device: D, setup: &NetSetup, now: Instant) -> Self {
        let mut config = Config::new(HardwareAddress::Ethernet(EthernetAddress(setup.hardware_address)));
        config.random_seed = setup.seed;
        let mut interface = Interface::new(config, &mut device, stack_time(now));
        let mut sockets = SocketSet::new(Vec::new());
        let mut resolver = dns::Socket::new(&[], Vec::new());
        let (mut dhcp, mut lease) = (None, None);
        match setup.addressing {
            Addressing::Dhcp => dhcp = Some(sockets.add(dhcpv4::Socket::new())),
            Addressing::Static(fixed) => {
                lease = Some(Lease { address: fixed.address, prefix: fixed.prefix, gateway: fixed.gateway });
                address::apply(&mut interface, &mut resolver, lease, fixed.name_server);
            }
        }
        let names = Names::new(sockets.add(resolver), setup.limits.lookups_max);
        let spread = u16::try_from(setup.seed >> 17 & 0x3fff).unwrap_or(0);
        Self {
            device,
            interface,
            sockets,
            limits: setup.limits,
            entries: SortedMap::new(),
            next_socket: 1,
            next_port: DYNAMIC_PORT_FIRST.saturating_add(spread),
            closing: Vec::new(),
            names,
            dhcp,
            lease,
            now,
        }
    }

    /// Returns the address of the interface, `None` while DHCP has none.
    #[must_use]
    pub fn lease(&self) -> Option<Lease> {
        self.lease
    }

    /// Returns the device.
    pub fn device_mut(&mut self) -> &mut D {
        &mut self.device
    }

    pub(super) fn insert(&mut self, entry: SocketEntry) -> Result<Socket, NetError> {
        let socket = self.next_socket;
        self.next_socket = socket.checked_add(1).ok_or(NetError::TooMany)?;
        self.entries.insert(socket, entry);
        Ok(Socket(socket))
    }

    /// Returns the next dynamic port that `is_taken` does not know, `None` when all are.
    pub(super) fn free_port(&mut self, is_taken: impl Fn(&Self, u16) -> bool) -> Option<u16> {
        for _ in DYNAMIC_PORT_FIRST..=u16::MAX {
            let port = self.next_port;
            self.next_port = port.checked_add(1).unwrap_or(DYNAMIC_PORT_FIRST);
            if !is_taken(self, port) {
                return Some(port);
            }
        }
        None
    }

    fn take_dhcp_news(&mut self) {
        let Some(handle) = self.dhcp else { return };
        let Some(news) = address::dhcp_news(self.sockets.get_mut(handle)) else { return };
        let name_server = match news {
            DhcpNews::Configured(lease, name_server) => {
                log::info!("network address {lease}");
                self.lease = Some(lease);
                name_server
            }
            DhcpNews::Lost => {
                if self.lease.take().is_some() {
                    log::warn!("the network address is lost, asking for another");
                }
                None
            }
        };
        address::apply(&mut self.interface, self.sockets.get_mut(self.names.handle()), self.lease, name_server);
    }
}

/// Turns an address of the core into one of the stack, which speaks IPv4 only.
pub(super) fn ipv4(address: IpAddr) -> Result<smoltcp::wire::IpAddress, NetError> {
    match address.to_canonical() {
        IpAddr::V4(address) => Ok(address.into()),
        IpAddr::V6(_) => Err(NetError::Unsupported),
    }
}

impl<D: Device> Network for SmolNet<D> {
    fn poll(&mut self, now: Instant) -> Option<Instant> {
        self.now = now;
        let time = stack_time(now);
        self.interface.poll_maintenance(time);
        let mut more = true;
        for _ in 0..self.limits.packets_per_poll {
            match self.interface.poll_ingress_single(time, &mut self.device, &mut self.sockets) {
                PollIngressSingleResult::None => {
                    more = false;
                    break;
                }
                PollIngressSingleResult::PacketProcessed => {}
                PollIngressSingleResult::SocketStateChanged => self.keep_listening(),
            }
        }
        for _ in 0..EGRESS_ROUNDS {
            if self.interface.poll_egress(time, &mut self.device, &mut self.sockets) == PollResult::None {
                break;
            }
        }
        self.take_dhcp_news();
        self.reap(now);
        if more {
            return Some(now);
        }
        let wake = self.interface.poll_at(time, &self.sockets)?;
        Some(Instant(u64::try_from(wake.total_micros()).unwrap_or(0)).max(now))
    }

    fn listen(&mut self, address: SocketAddr) -> Result<Socket, NetError> {
        self.open_listener(address)
    }

    fn local_address(&self, socket: Socket) -> Result<SocketAddr, NetError> {
        match self.entries.get(&socket.0).ok_or(NetError::Closed)? {
            SocketEntry::Listener(listener) => Ok(listener.address),
            SocketEntry::Stream(stream) => Ok(stream.local),
            SocketEntry::Udp(udp) => Ok(udp.address),
        }
    }

    fn accept(&mut self, listener: Socket) -> Option<(Socket, SocketAddr)> {
        self.accept_connection(listener)
    }

    fn connect(&mut self, to: SocketAddr) -> Result<Socket, NetError> {
        self.open_stream(to)
    }

    fn is_connected(&mut self, socket: Socket) -> Result<bool, NetError> {
        self.stream_stands(socket)
    }

    fn receive(&mut self, socket: Socket, buffer: &mut [u8]) -> Result<Received, NetError> {
        self.stream_receive(socket, buffer)
    }

    fn send(&mut self, socket: Socket, data: &[u8]) -> Result<usize, NetError> {
        self.stream_send(socket, data)
    }

    fn close(&mut self, socket: Socket) {
        match self.entries.remove(&socket.0) {
            Some(SocketEntry::Listener(listener)) => self.close_listener(listener),
            Some(SocketEntry::Stream(stream)) => self.close_stream(stream),
            Some(SocketEntry::Udp(udp)) => self.close_udp(udp),
            None => {}
        }
    }

    fn bind_udp(&mut self, address: SocketAddr) -> Result<Socket, NetError> {
        self.open_udp(address)
    }

    fn join(&mut self, socket: Socket, group: IpAddr) -> Result<(), NetError> {
        self.join_group(socket, group)
    }

    fn leave(&mut self, socket: Socket, group: IpAddr) -> Result<(), NetError> {
        self.leave_group(socket, group)
    }

    fn receive_from(&mut self, socket: Socket, buffer: &mut [u8]) -> Result<Option<(usize, SocketAddr)>, NetError> {
        self.udp_receive(socket, buffer)
    }

    fn send_to(&mut self, socket: Socket, to: SocketAddr, data: &[u8]) -> Result<(), NetError> {
        self.udp_send(socket, to, data)
    }

    fn own_network(&self) -> Option<(Ipv4Addr, u8)> {
        self.lease.map(|lease| (lease.address, lease.prefix))
    }

    fn resolve(&mut self, host: &str) -> Poll<Result<IpAddr, NetError>> {
        if let Ok(address) = host.parse() {
            return Poll::Ready(Ok(address));
        }
        self.names.resolve(host, &mut self.sockets, self.interface.context())
    }
}
