//! A whole network in memory: every handle is a host on the same wire.

use alloc::collections::{BTreeMap, VecDeque};
use alloc::rc::Rc;
use alloc::string::String;
use alloc::vec::Vec;
use core::cell::RefCell;
use core::net::{IpAddr, Ipv4Addr, SocketAddr};
use core::task::Poll;

use super::SimRng;
use crate::hal::{NetError, Network, Reach, Received, Socket};
use crate::time::Instant;

/// Bytes that one direction of a connection holds; then [`Network::send`] takes nothing more.
pub const SIM_STREAM_BYTES: usize = 4096;
/// Longest datagram, bytes: 65,535 less the IPv4 and UDP headers (RFC 791, RFC 768).
pub const SIM_DATAGRAM_BYTES_MAX: usize = 65_507;
/// Datagrams waiting at one socket; the newest is lost when full.
const DATAGRAMS_WAITING: usize = 64;
/// Connections waiting at one listener; more are refused.
const BACKLOG: usize = 8;
/// Open sockets unless [`SimNetwork::set_sockets_max`] says otherwise.
const SOCKETS_MAX: usize = 32;
/// First of the ports given out for port 0 (RFC 6335 §6).
const DYNAMIC_PORTS: core::ops::RangeInclusive<u16> = 49_152..=u16::MAX;

/// Simulated network; clones are on the same wire, sockets of one handle work on another.
#[derive(Clone, Debug)]
pub struct SimNetwork(Rc<RefCell<State>>);

#[derive(Debug)]
struct State {
    sockets: BTreeMap<u32, Entry>,
    next_socket: u32,
    sockets_max: usize,
    hosts: BTreeMap<String, IpAddr>,
    /// Names that nobody answers for.
    unanswered: Vec<String>,
    /// Addresses that lead back to this machine.
    own: BTreeMap<SocketAddr, Reach>,
    refused: Vec<SocketAddr>,
    lost_per_mille: u16,
    rng: SimRng,
    /// Address and bits of the network's prefix.
    address: Option<(Ipv4Addr, u8)>,
}

#[derive(Debug)]
enum Entry {
    Listener { address: SocketAddr, waiting: VecDeque<(Socket, SocketAddr)> },
    Stream(Stream),
    Udp { address: SocketAddr, groups: Vec<IpAddr>, waiting: VecDeque<(Vec<u8>, SocketAddr)> },
}

#[derive(Debug)]
struct Stream {
    address: SocketAddr,
    /// The other end, `None` once it is closed.
    peer: Option<u32>,
    received: VecDeque<u8>,
    /// Told once, then the socket counts as closed.
    error: Option<NetError>,
    broken: bool,
}

impl Default for SimNetwork {
    fn default() -> Self {
        Self::new()
    }
}

impl SimNetwork {
    /// Builds a wire without loss and without names.
    #[must_use]
    pub fn new() -> Self {
        Self(Rc::new(RefCell::new(State {
            sockets: BTreeMap::new(),
            next_socket: 1,
            sockets_max: SOCKETS_MAX,
            hosts: BTreeMap::new(),
            unanswered: Vec::new(),
            own: BTreeMap::new(),
            refused: Vec::new(),
            lost_per_mille: 0,
            rng: SimRng::new(0),
            address: None,
        })))
    }

    /// Loses this many of 1000 datagrams, drawn from `seed`.
    pub fn lose_datagrams(&self, per_mille: u16, seed: u64) {
        let mut state = self.0.borrow_mut();
        state.lost_per_mille = per_mille;
        state.rng = SimRng::new(seed);
    }

    /// Gives this machine an address and the network its prefix, or takes them away.
    pub fn give_address(&self, address: Option<(Ipv4Addr, u8)>) {
        self.0.borrow_mut().address = address;
    }

    /// Refuses connections to `address` from now on.
    pub fn refuse(&self, address: SocketAddr) {
        self.0.borrow_mut().refused.push(address);
    }

    /// Gives a host its name.
    pub fn name(&self, host: &str, address: IpAddr) {
        self.0.borrow_mut().hosts.insert(String::from(host), address);
    }

    /// Leaves everybody who asks for a host without an answer.
    pub fn leave_unanswered(&self, host: &str) {
        self.0.borrow_mut().unanswered.push(String::from(host));
    }

    /// Says that an address leads back to this machine; no other does.
    pub fn lead_back(&self, address: SocketAddr, to: Reach) {
        self.0.borrow_mut().own.insert(address, to);
    }

    /// Allows this many open sockets.
    pub fn set_sockets_max(&self, count: usize) {
        self.0.borrow_mut().sockets_max = count;
    }

    /// Resets a connection: both ends fail with [`NetError::Reset`] once.
    pub fn reset(&self, socket: Socket) {
        let mut state = self.0.borrow_mut();
        let peer = state.stream(socket.0).and_then(|stream| stream.peer);
        for end in [Some(socket.0), peer].into_iter().flatten() {
            if let Some(stream) = state.stream(end) {
                *stream = Stream {
                    address: stream.address,
                    peer: None,
                    received: VecDeque::new(),
                    error: Some(NetError::Reset),
                    broken: true,
                };
            }
        }
    }
}

impl State {
    fn stream(&mut self, socket: u32) -> Option<&mut Stream> {
        match self.sockets.get_mut(&socket)? {
            Entry::Stream(stream) => Some(stream),
            _ => None,
        }
    }

    fn open(&mut self, entry: Entry) -> Result<Socket, NetError> {
        if self.sockets.len() >= self.sockets_max {
            return Err(NetError::TooMany);
        }
        let socket = self.next_socket;
        self.next_socket = socket.checked_add(1).ok_or(NetError::TooMany)?;
        self.sockets.insert(socket, entry);
        Ok(Socket(socket))
    }

    /// Gives the address a free port when it has none; UDP and TCP ports are counted apart.
    fn bind(&self, address: SocketAddr, udp: bool) -> Result<SocketAddr, NetError> {
        let taken = |port: u16| {
            self.sockets.values().any(|entry| match entry {
                Entry::Listener { address, .. } => !udp && address.port() == port,
                Entry::Udp { address, .. } => udp && address.port() == port,
                Entry::Stream(_) => false,
            })
        };
        let port = match address.port() {
            0 => DYNAMIC_PORTS.into_iter().find(|&port| !taken(port)).ok_or(NetError::TooMany)?,
            port if taken(port) => return Err(NetError::InUse),
            port => port,
        };
        Ok(SocketAddr::new(address.ip(), port))
    }

    fn listener(&mut self, to: SocketAddr) -> Option<&mut VecDeque<(Socket, SocketAddr)>> {
        self.sockets.values_mut().find_map(|entry| match entry {
            Entry::Listener { address, waiting } if reaches(*address, to) => Some(waiting),
            _ => None,
        })
    }
}

/// Tells whether a socket bound to `bound` gets what is sent to `to` without having joined a group.
fn reaches(bound: SocketAddr, to: SocketAddr) -> bool {
    bound.port() == to.port() && (bound.ip() == to.ip() || (bound.ip().is_unspecified() && !to.ip().is_multicast()))
}

impl Network for SimNetwork {
    fn reach(&self, to: SocketAddr) -> Reach {
        self.0.borrow().own.get(&to).copied().unwrap_or(Reach::Elsewhere)
    }

    fn poll(&mut self, _now: Instant) -> Option<Instant> {
        None
    }

    fn listen(&mut self, address: SocketAddr) -> Result<Socket, NetError> {
        let mut state = self.0.borrow_mut();
        let address = state.bind(address, false)?;
        state.open(Entry::Listener { address, waiting: VecDeque::new() })
    }

    fn local_address(&self, socket: Socket) -> Result<SocketAddr, NetError> {
        match self.0.borrow().sockets.get(&socket.0) {
            Some(
                Entry::Listener { address, .. } | Entry::Udp { address, .. } | Entry::Stream(Stream { address, .. }),
            ) => Ok(*address),
            None => Err(NetError::Closed),
        }
    }

    fn accept(&mut self, listener: Socket) -> Option<(Socket, SocketAddr)> {
        match self.0.borrow_mut().sockets.get_mut(&listener.0)? {
            Entry::Listener { waiting, .. } => waiting.pop_front(),
            _ => None,
        }
    }

    fn connect(&mut self, to: SocketAddr) -> Result<Socket, NetError> {
        let mut state = self.0.borrow_mut();
        let port = DYNAMIC_PORTS.start().saturating_add(u16::try_from(state.next_socket % 16_000).unwrap_or(0));
        let address = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port);
        let stream = |peer: Option<u32>, address| Stream {
            address,
            peer,
            received: VecDeque::new(),
            error: None,
            broken: false,
        };
        let refused = state.refused.contains(&to) || state.listener(to).is_none_or(|waiting| waiting.len() >= BACKLOG);
        if refused {
            return state.open(Entry::Stream(Stream {
                error: Some(NetError::Unreachable),
                broken: true,
                ..stream(None, address)
            }));
        }
        let client = state.open(Entry::Stream(stream(None, address)))?;
        let served = match state.open(Entry::Stream(stream(Some(client.0), to))) {
            Ok(served) => served,
            Err(error) => {
                state.sockets.remove(&client.0);
                return Err(error);
            }
        };
        if let Some(end) = state.stream(client.0) {
            end.peer = Some(served.0);
        }
        if let Some(waiting) = state.listener(to) {
            waiting.push_back((served, address));
        }
        Ok(client)
    }

    fn is_connected(&mut self, socket: Socket) -> Result<bool, NetError> {
        let mut state = self.0.borrow_mut();
        let stream = state.stream(socket.0).ok_or(NetError::Closed)?;
        if stream.broken { Err(stream.error.take().unwrap_or(NetError::Closed)) } else { Ok(true) }
    }

    fn receive(&mut self, socket: Socket, buffer: &mut [u8]) -> Result<Received, NetError> {
        let mut state = self.0.borrow_mut();
        let stream = state.stream(socket.0).ok_or(NetError::Closed)?;
        if stream.broken {
            return Err(stream.error.take().unwrap_or(NetError::Closed));
        }
        if stream.received.is_empty() {
            return Ok(if stream.peer.is_some() { Received::Pending } else { Received::Closed });
        }
        let count = stream.received.len().min(buffer.len());
        for (to, from) in buffer.iter_mut().zip(stream.received.drain(..count)) {
            *to = from;
        }
        Ok(Received::Bytes(count))
    }

    fn send(&mut self, socket: Socket, data: &[u8]) -> Result<usize, NetError> {
        let mut state = self.0.borrow_mut();
        let stream = state.stream(socket.0).ok_or(NetError::Closed)?;
        if stream.broken {
            return Err(stream.error.take().unwrap_or(NetError::Closed));
        }
        let peer = stream.peer.and_then(|peer| state.stream(peer)).ok_or(NetError::Reset)?;
        let room = SIM_STREAM_BYTES.saturating_sub(peer.received.len());
        let taken = data.get(..room.min(data.len())).unwrap_or_default();
        peer.received.extend(taken);
        Ok(taken.len())
    }

    fn close(&mut self, socket: Socket) {
        let mut state = self.0.borrow_mut();
        let mut gone = Vec::new();
        match state.sockets.remove(&socket.0) {
            Some(Entry::Stream(Stream { peer: Some(peer), .. })) => gone.push(peer),
            Some(Entry::Listener { waiting, .. }) => {
                // Connections nobody accepted end with their listener.
                for (served, _) in waiting {
                    if let Some(Entry::Stream(Stream { peer: Some(client), .. })) = state.sockets.remove(&served.0) {
                        gone.push(client);
                    }
                }
            }
            _ => {}
        }
        for peer in gone {
            if let Some(stream) = state.stream(peer) {
                stream.peer = None;
            }
        }
    }

    fn bind_udp(&mut self, address: SocketAddr) -> Result<Socket, NetError> {
        let mut state = self.0.borrow_mut();
        let address = state.bind(address, true)?;
        state.open(Entry::Udp { address, groups: Vec::new(), waiting: VecDeque::new() })
    }

    fn join(&mut self, socket: Socket, group: IpAddr) -> Result<(), NetError> {
        if !group.is_multicast() {
            return Err(NetError::Unsupported);
        }
        match self.0.borrow_mut().sockets.get_mut(&socket.0) {
            Some(Entry::Udp { groups, .. }) => {
                if !groups.contains(&group) {
                    groups.push(group);
                }
                Ok(())
            }
            _ => Err(NetError::Closed),
        }
    }

    fn leave(&mut self, socket: Socket, group: IpAddr) -> Result<(), NetError> {
        match self.0.borrow_mut().sockets.get_mut(&socket.0) {
            Some(Entry::Udp { groups, .. }) => {
                let at = groups.iter().position(|known| *known == group).ok_or(NetError::Unsupported)?;
                groups.remove(at);
                Ok(())
            }
            _ => Err(NetError::Closed),
        }
    }

    fn receive_from(&mut self, socket: Socket, buffer: &mut [u8]) -> Result<Option<(usize, SocketAddr)>, NetError> {
        match self.0.borrow_mut().sockets.get_mut(&socket.0) {
            Some(Entry::Udp { waiting, .. }) => Ok(waiting.pop_front().map(|(data, from)| {
                for (to, from) in buffer.iter_mut().zip(&data) {
                    *to = *from;
                }
                (data.len().min(buffer.len()), from)
            })),
            _ => Err(NetError::Closed),
        }
    }

    fn send_to(&mut self, socket: Socket, to: SocketAddr, data: &[u8]) -> Result<(), NetError> {
        let mut state = self.0.borrow_mut();
        let Some(Entry::Udp { address: from, .. }) = state.sockets.get(&socket.0) else {
            return Err(NetError::Closed);
        };
        let from = *from;
        if data.len() > SIM_DATAGRAM_BYTES_MAX {
            return Err(NetError::TooLong);
        }
        if state.rng.draw() % 1000 < u64::from(state.lost_per_mille) {
            return Ok(());
        }
        for entry in state.sockets.values_mut() {
            if let Entry::Udp { address, groups, waiting } = entry {
                let wanted = reaches(*address, to) || (address.port() == to.port() && groups.contains(&to.ip()));
                if wanted && waiting.len() < DATAGRAMS_WAITING {
                    waiting.push_back((data.to_vec(), from));
                }
            }
        }
        Ok(())
    }

    fn own_network(&self) -> Option<(Ipv4Addr, u8)> {
        self.0.borrow().address
    }

    fn resolve(&mut self, host: &str) -> Poll<Result<IpAddr, NetError>> {
        if self.0.borrow().unanswered.iter().any(|name| name == host) {
            return Poll::Pending;
        }
        let known = self.0.borrow().hosts.get(host).copied();
        Poll::Ready(host.parse().ok().or(known).ok_or(NetError::UnknownHost))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hal::sim::contract;

    const HOST: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

    #[test]
    fn keeps_the_network_contract() {
        contract::network(&mut SimNetwork::new(), &mut |_| {}).unwrap();
    }

    #[test]
    fn a_connection_holds_only_so_much() {
        let mut network = SimNetwork::new();
        let listener = network.listen(SocketAddr::new(HOST, 10110)).unwrap();
        let client = network.connect(SocketAddr::new(HOST, 10110)).unwrap();
        let (served, _) = network.accept(listener).unwrap();
        assert_eq!(network.send(client, &[1; SIM_STREAM_BYTES + 1]), Ok(SIM_STREAM_BYTES));
        assert_eq!(network.send(client, &[1]), Ok(0));
        assert_eq!(network.receive(served, &mut [0; 100]), Ok(Received::Bytes(100)));
        assert_eq!(network.send(client, &[1; 200]), Ok(100));
    }

    #[test]
    fn a_reset_is_told_once_to_both_ends() {
        let mut network = SimNetwork::new();
        let listener = network.listen(SocketAddr::new(HOST, 0)).unwrap();
        let client = network.connect(network.local_address(listener).unwrap()).unwrap();
        let (served, _) = network.accept(listener).unwrap();
        network.reset(served);
        for end in [client, served] {
            assert_eq!(network.receive(end, &mut [0; 4]), Err(NetError::Reset));
            assert_eq!(network.receive(end, &mut [0; 4]), Err(NetError::Closed));
        }
    }

    #[test]
    fn refused_and_full_addresses_are_unreachable() {
        let mut network = SimNetwork::new();
        let address = SocketAddr::new(HOST, 80);
        network.listen(address).unwrap();
        network.refuse(address);
        let client = network.connect(address).unwrap();
        assert_eq!(network.receive(client, &mut [0; 4]), Err(NetError::Unreachable));
        network.set_sockets_max(2);
        assert_eq!(network.connect(address), Err(NetError::TooMany));
    }

    #[test]
    fn loses_the_same_datagrams_for_the_same_seed() {
        let arrived = |seed| {
            let mut network = SimNetwork::new();
            network.lose_datagrams(500, seed);
            let to = SocketAddr::new(HOST, 2000);
            let (left, right) = (network.bind_udp(SocketAddr::new(HOST, 0)).unwrap(), network.bind_udp(to).unwrap());
            for byte in 0..50 {
                network.send_to(left, to, &[byte]).unwrap();
            }
            let mut bytes = Vec::new();
            let mut buffer = [0];
            while network.receive_from(right, &mut buffer).unwrap().is_some() {
                bytes.push(buffer[0]);
            }
            bytes
        };
        assert_eq!(arrived(3), arrived(3));
        assert!((10..40).contains(&arrived(3).len()), "{:?}", arrived(3));
    }

    #[test]
    fn multicast_reaches_its_members_and_names_resolve() {
        let mut network = SimNetwork::new();
        let group: IpAddr = "239.2.1.1".parse().unwrap();
        let member = network.bind_udp("0.0.0.0:60001".parse().unwrap()).unwrap();
        let sender = network.bind_udp(SocketAddr::new(HOST, 0)).unwrap();
        network.send_to(sender, SocketAddr::new(group, 60001), b"a").unwrap();
        network.join(member, group).unwrap();
        network.send_to(sender, SocketAddr::new(group, 60001), b"b").unwrap();
        let mut buffer = [0];
        assert!(network.receive_from(member, &mut buffer).unwrap().is_some());
        assert_eq!((buffer, network.receive_from(member, &mut buffer.clone())), (*b"b", Ok(None)));
        network.name("boat.local", group);
        assert_eq!(network.resolve("boat.local"), Poll::Ready(Ok(group)));
        assert_eq!(network.resolve("shore.local"), Poll::Ready(Err(NetError::UnknownHost)));
    }
}
