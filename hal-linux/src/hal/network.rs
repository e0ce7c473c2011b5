//! The kernel's TCP/IP stack behind non-blocking sockets.

use std::collections::BTreeMap;
use std::io::{ErrorKind, Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, TcpStream, ToSocketAddrs, UdpSocket};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Poll;
use std::thread;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketFlags, SocketType, socket_with, sockopt};
use skiff_runtime::hal::{NetError, Network, Reach, Received, Socket};
use skiff_runtime::time::Instant;

/// Open sockets of all plugins together; each plugin has its own limit far below ([`PluginLimits::sockets_max`]).
///
/// [`PluginLimits::sockets_max`]: skiff_runtime::budget::PluginLimits::sockets_max
const SOCKETS_MAX: usize = 512;
/// A peer that does not answer is given up after this.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// Host names waiting for an answer; more are asked again later by the caller. A plugin has few of them at a time.
const LOOKUPS_MAX: usize = 64;
/// Names that are asked for at the same time: one that nobody answers takes seconds, and holds up no other.
const RESOLVERS: usize = 4;
/// Answers kept for callers that come back; the whole table is dropped when it is full.
const ANSWERS_MAX: usize = 64;
/// Any port will do to ask for a route (RFC 863).
const DISCARD: u16 = 9;
/// Longest datagram, bytes: 65,535 less the IPv4 and UDP headers (RFC 791, RFC 768).
const DATAGRAM_BYTES_MAX: usize = 65_507;

/// Non-blocking sockets of the standard library. Buffers are the kernel's, so they are bounded by it.
pub struct StdNetwork {
    sockets: BTreeMap<u32, Entry>,
    next_socket: u32,
    resolver: Option<Resolver>,
    answers: BTreeMap<String, Lookup>,
    /// Ports of the gateway's own listeners.
    own_ports: Vec<u16>,
}

enum Entry {
    Listener(TcpListener),
    /// On its way since then.
    Connecting(TcpStream, std::time::Instant),
    Stream(TcpStream),
    /// Failed, and that was told.
    Failed,
    Udp(UdpSocket),
}

struct Resolver {
    questions: SyncSender<String>,
    answers: Receiver<(String, Result<IpAddr, NetError>)>,
}

enum Lookup {
    Asked,
    Answered(Result<IpAddr, NetError>),
}

impl Default for StdNetwork {
    fn default() -> Self {
        Self::new()
    }
}

impl StdNetwork {
    /// Builds a network without sockets.
    #[must_use]
    pub fn new() -> Self {
        Self::beside(Vec::new())
    }

    /// Builds a network for a gateway that listens on these ports, which no plugin reaches.
    #[must_use]
    pub fn beside(own_ports: Vec<u16>) -> Self {
        Self { sockets: BTreeMap::new(), next_socket: 1, resolver: None, answers: BTreeMap::new(), own_ports }
    }

    fn open(&mut self, entry: impl FnOnce() -> Result<Entry, NetError>) -> Result<Socket, NetError> {
        if self.sockets.len() >= SOCKETS_MAX {
            return Err(NetError::TooMany);
        }
        let socket = self.next_socket;
        let next = socket.checked_add(1).ok_or(NetError::TooMany)?;
        self.sockets.insert(socket, entry()?);
        self.next_socket = next;
        Ok(Socket(socket))
    }

    /// Returns an established connection, `Ok(None)` while it is not yet one.
    fn stream(&mut self, socket: Socket) -> Result<Option<&mut TcpStream>, NetError> {
        let entry = self.sockets.get_mut(&socket.0).ok_or(NetError::Closed)?;
        if let Entry::Connecting(stream, since) = entry {
            if !is_settled(stream) {
                if since.elapsed() < CONNECT_TIMEOUT {
                    return Ok(None);
                }
                *entry = Entry::Failed;
                return Err(NetError::Unreachable);
            }
            let failed = stream.take_error().map_or(true, |error| error.is_some());
            let Entry::Connecting(stream, _) = std::mem::replace(entry, Entry::Failed) else {
                return Err(NetError::Closed);
            };
            if failed {
                return Err(NetError::Unreachable);
            }
            *entry = Entry::Stream(stream);
        }
        match entry {
            Entry::Stream(stream) => Ok(Some(stream)),
            _ => Err(NetError::Closed),
        }
    }

    fn udp(&self, socket: Socket) -> Result<&UdpSocket, NetError> {
        match self.sockets.get(&socket.0) {
            Some(Entry::Udp(udp)) => Ok(udp),
            _ => Err(NetError::Closed),
        }
    }

    /// Maps the error of a connection, which is over after it, and returns it.
    fn fail(&mut self, socket: Socket, error: &std::io::Error) -> NetError {
        self.sockets.insert(socket.0, Entry::Failed);
        told(error)
    }
}

/// Begins a connection without waiting for it, which the standard library cannot.
fn begin(to: SocketAddr) -> rustix::io::Result<TcpStream> {
    let family = if to.is_ipv4() { AddressFamily::INET } else { AddressFamily::INET6 };
    let socket = socket_with(family, SocketType::STREAM, SocketFlags::NONBLOCK | SocketFlags::CLOEXEC, None)?;
    match rustix::net::connect(&socket, &to) {
        Ok(()) | Err(Errno::INPROGRESS) => Ok(socket.into()),
        Err(error) => Err(error),
    }
}

/// Tells whether a connection that was begun stands or has failed (connect(2), EINPROGRESS: then it is writable).
fn is_settled(stream: &TcpStream) -> bool {
    let mut watched = [PollFd::new(stream, PollFlags::OUT)];
    // An interrupted look is as good as none.
    poll(&mut watched, Some(&Timespec::default())).is_ok_and(|ready| ready > 0)
}

/// Tells whether an address is one of this machine: what is sent there comes from there.
fn is_own(address: IpAddr) -> bool {
    let address = address.to_canonical();
    address.is_loopback() || address.is_unspecified() || sent_from(address) == Some(address)
}

/// Returns the own address from which the kernel would send to `to`; nothing is sent to find out.
fn sent_from(to: IpAddr) -> Option<IpAddr> {
    let any = if to.is_ipv4() { IpAddr::V4(Ipv4Addr::UNSPECIFIED) } else { IpAddr::V6(Ipv6Addr::UNSPECIFIED) };
    let socket = UdpSocket::bind((any, 0)).ok()?;
    socket.connect((to, DISCARD)).ok()?;
    socket.local_addr().ok().map(|address| address.ip())
}

/// Binds with address reuse, which the standard library cannot set before it binds.
fn bind_shared(address: SocketAddr) -> rustix::io::Result<UdpSocket> {
    let family = if address.is_ipv4() { AddressFamily::INET } else { AddressFamily::INET6 };
    let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
    let socket = socket_with(family, SocketType::DGRAM, flags, None)?;
    sockopt::set_socket_reuseaddr(&socket, true)?;
    if address.is_ipv6() {
        sockopt::set_ipv6_v6only(&socket, true)?;
    }
    rustix::net::bind(&socket, &address)?;
    Ok(socket.into())
}

fn told(error: &std::io::Error) -> NetError {
    match error.kind() {
        ErrorKind::AddrInUse => NetError::InUse,
        ErrorKind::PermissionDenied => NetError::Denied,
        ErrorKind::ConnectionReset | ErrorKind::ConnectionAborted | ErrorKind::BrokenPipe => NetError::Reset,
        ErrorKind::AddrNotAvailable | ErrorKind::Unsupported | ErrorKind::InvalidInput => NetError::Unsupported,
        _ => NetError::Unreachable,
    }
}

impl Network for StdNetwork {
    fn poll(&mut self, _now: Instant) -> Option<Instant> {
        None
    }

    fn listen(&mut self, address: SocketAddr) -> Result<Socket, NetError> {
        self.open(|| {
            let listener = TcpListener::bind(address).map_err(|error| told(&error))?;
            listener.set_nonblocking(true).map_err(|error| told(&error))?;
            Ok(Entry::Listener(listener))
        })
    }

    fn local_address(&self, socket: Socket) -> Result<SocketAddr, NetError> {
        let address = match self.sockets.get(&socket.0) {
            Some(Entry::Listener(listener)) => listener.local_addr(),
            Some(Entry::Stream(stream)) => stream.local_addr(),
            Some(Entry::Udp(udp)) => udp.local_addr(),
            Some(Entry::Connecting(..) | Entry::Failed) | None => return Err(NetError::Closed),
        };
        address.map_err(|error| told(&error))
    }

    fn accept(&mut self, listener: Socket) -> Option<(Socket, SocketAddr)> {
        if self.sockets.len() >= SOCKETS_MAX {
            return None;
        }
        let (stream, peer) = match self.sockets.get(&listener.0)? {
            Entry::Listener(listener) => listener.accept().ok()?,
            _ => return None,
        };
        stream.set_nonblocking(true).ok()?;
        self.open(|| Ok(Entry::Stream(stream))).ok().map(|socket| (socket, peer))
    }

    fn connect(&mut self, to: SocketAddr) -> Result<Socket, NetError> {
        self.open(|| {
            let stream = begin(to).map_err(|error| told(&error.into()))?;
            Ok(Entry::Connecting(stream, std::time::Instant::now()))
        })
    }

    fn reach(&self, to: SocketAddr) -> Reach {
        match (is_own(to.ip()), self.own_ports.contains(&to.port())) {
            (false, _) => Reach::Elsewhere,
            (true, false) => Reach::ThisMachine,
            (true, true) => Reach::Gateway,
        }
    }

    fn is_connected(&mut self, socket: Socket) -> Result<bool, NetError> {
        self.stream(socket).map(|stream| stream.is_some())
    }

    fn receive(&mut self, socket: Socket, buffer: &mut [u8]) -> Result<Received, NetError> {
        let Some(stream) = self.stream(socket)? else {
            return Ok(Received::Pending);
        };
        if buffer.is_empty() {
            return Ok(Received::Pending);
        }
        match stream.read(buffer) {
            Ok(0) => Ok(Received::Closed),
            Ok(count) => Ok(Received::Bytes(count)),
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => {
                Ok(Received::Pending)
            }
            Err(error) => Err(self.fail(socket, &error)),
        }
    }

    fn send(&mut self, socket: Socket, data: &[u8]) -> Result<usize, NetError> {
        let Some(stream) = self.stream(socket)? else {
            return Ok(0);
        };
        match stream.write(data) {
            Ok(count) => Ok(count),
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => Ok(0),
            Err(error) => Err(self.fail(socket, &error)),
        }
    }

    fn close(&mut self, socket: Socket) {
        self.sockets.remove(&socket.0);
    }

    fn bind_udp(&mut self, address: SocketAddr) -> Result<Socket, NetError> {
        self.open(|| {
            let udp = UdpSocket::bind(address).map_err(|error| told(&error))?;
            udp.set_nonblocking(true).and_then(|()| udp.set_broadcast(true)).map_err(|error| told(&error))?;
            Ok(Entry::Udp(udp))
        })
    }

    fn bind_udp_shared(&mut self, address: SocketAddr) -> Result<Socket, NetError> {
        self.open(|| {
            let udp = bind_shared(address).map_err(|error| told(&error.into()))?;
            udp.set_broadcast(true).map_err(|error| told(&error))?;
            Ok(Entry::Udp(udp))
        })
    }

    fn join_on(&mut self, socket: Socket, group: IpAddr, interface: IpAddr) -> Result<(), NetError> {
        let udp = self.udp(socket)?;
        match (group, interface) {
            (IpAddr::V4(group), IpAddr::V4(interface)) if group.is_multicast() => {
                udp.join_multicast_v4(&group, &interface).map_err(|error| told(&error))
            }
            // The kernel wants the number of an interface for IPv6; its address does not give it.
            _ => Err(NetError::Unsupported),
        }
    }

    fn leave(&mut self, socket: Socket, group: IpAddr) -> Result<(), NetError> {
        let udp = self.udp(socket)?;
        match group {
            IpAddr::V4(group) => udp.leave_multicast_v4(&group, &Ipv4Addr::UNSPECIFIED),
            IpAddr::V6(group) => udp.leave_multicast_v6(&group, 0),
        }
        .map_err(|error| told(&error))
    }

    fn set_multicast_ttl(&mut self, socket: Socket, hops: u8) -> Result<(), NetError> {
        let udp = self.udp(socket)?;
        match udp.local_addr().map_err(|error| told(&error))? {
            SocketAddr::V4(_) => udp.set_multicast_ttl_v4(hops.into()).map_err(|error| told(&error)),
            SocketAddr::V6(_) => {
                sockopt::set_ipv6_multicast_hops(udp, hops.into()).map_err(|error| told(&error.into()))
            }
        }
    }

    fn set_multicast_loopback(&mut self, socket: Socket, on: bool) -> Result<(), NetError> {
        let udp = self.udp(socket)?;
        match udp.local_addr().map_err(|error| told(&error))? {
            SocketAddr::V4(_) => udp.set_multicast_loop_v4(on),
            SocketAddr::V6(_) => udp.set_multicast_loop_v6(on),
        }
        .map_err(|error| told(&error))
    }

    fn join(&mut self, socket: Socket, group: IpAddr) -> Result<(), NetError> {
        let Some(Entry::Udp(udp)) = self.sockets.get(&socket.0) else {
            return Err(NetError::Closed);
        };
        if !group.is_multicast() {
            return Err(NetError::Unsupported);
        }
        match group {
            IpAddr::V4(group) => udp.join_multicast_v4(&group, &Ipv4Addr::UNSPECIFIED),
            IpAddr::V6(group) => udp.join_multicast_v6(&group, 0),
        }
        .map_err(|error| told(&error))
    }

    fn receive_from(&mut self, socket: Socket, buffer: &mut [u8]) -> Result<Option<(usize, SocketAddr)>, NetError> {
        let Some(Entry::Udp(udp)) = self.sockets.get(&socket.0) else {
            return Err(NetError::Closed);
        };
        match udp.recv_from(buffer) {
            Ok(received) => Ok(Some(received)),
            // An ICMP answer to an earlier datagram comes back as an error of this call; the socket goes on.
            Err(error) => match error.kind() {
                ErrorKind::WouldBlock | ErrorKind::Interrupted | ErrorKind::ConnectionRefused => Ok(None),
                _ => Err(told(&error)),
            },
        }
    }

    fn send_to(&mut self, socket: Socket, to: SocketAddr, data: &[u8]) -> Result<(), NetError> {
        let Some(Entry::Udp(udp)) = self.sockets.get(&socket.0) else {
            return Err(NetError::Closed);
        };
        if data.len() > DATAGRAM_BYTES_MAX {
            return Err(NetError::TooLong);
        }
        match udp.send_to(data, to) {
            Ok(_) => Ok(()),
            // The kernel's buffer is full: the datagram is lost, as on any wire.
            Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(()),
            Err(error) => Err(told(&error)),
        }
    }

    fn resolve(&mut self, host: &str) -> Poll<Result<IpAddr, NetError>> {
        if let Ok(address) = host.parse() {
            return Poll::Ready(Ok(address));
        }
        let Some(resolver) = self.resolver.take().or_else(|| Resolver::start().ok()) else {
            return Poll::Ready(Err(NetError::TooMany));
        };
        while let Ok((host, answer)) = resolver.answers.try_recv() {
            self.answers.insert(host, Lookup::Answered(answer));
        }
        let resolver = self.resolver.insert(resolver);
        match self.answers.get(host) {
            Some(Lookup::Asked) => return Poll::Pending,
            Some(Lookup::Answered(answer)) => {
                let answer = *answer;
                self.answers.remove(host);
                return Poll::Ready(answer);
            }
            None => {}
        }
        if self.answers.len() >= ANSWERS_MAX {
            self.answers.retain(|_, lookup| matches!(lookup, Lookup::Asked));
        }
        // A full queue is not told: the caller comes back anyway.
        if resolver.questions.try_send(host.to_owned()).is_ok() {
            self.answers.insert(host.to_owned(), Lookup::Asked);
        }
        Poll::Pending
    }
}

impl Resolver {
    /// Starts the threads that ask the system, which can take seconds.
    fn start() -> std::io::Result<Self> {
        let (questions, asked) = sync_channel::<String>(LOOKUPS_MAX);
        let (answer, answers) = sync_channel(ANSWERS_MAX);
        let asked = Arc::new(Mutex::new(asked));
        for _ in 0..RESOLVERS {
            let (asked, answer) = (Arc::clone(&asked), answer.clone());
            thread::Builder::new().name("resolve".into()).spawn(move || {
                loop {
                    // A thread that panicked has left the queue whole all the same.
                    let next = asked.lock().unwrap_or_else(PoisonError::into_inner).recv();
                    let Ok(host) = next else { return };
                    let address = lookup(&host).ok_or(NetError::UnknownHost);
                    if answer.send((host, address)).is_err() {
                        return;
                    }
                }
            })?;
        }
        Ok(Self { questions, answers })
    }
}

/// Asks the system; prefers IPv4, which every device on a boat speaks.
fn lookup(host: &str) -> Option<IpAddr> {
    let found: Vec<IpAddr> = (host, 0).to_socket_addrs().ok()?.map(|address| address.ip()).collect();
    let usable = |address: &&IpAddr| **address != IpAddr::V6(Ipv6Addr::UNSPECIFIED);
    found.iter().find(|address| address.is_ipv4()).or_else(|| found.iter().find(usable)).copied()
}

#[cfg(test)]
mod tests {
    use super::*;
    use skiff_runtime::hal::sim::contract;

    /// Lets the kernel and the helper threads go on; bounded by the tries of the contract.
    fn wait(_: &mut dyn Network) {
        thread::park_timeout(Duration::from_millis(1));
    }

    #[test]
    fn keeps_the_network_contract() {
        contract::network(&mut StdNetwork::new(), &mut wait).unwrap();
    }

    #[test]
    fn names_resolve_without_blocking() {
        let mut network = StdNetwork::new();
        assert_eq!(network.resolve("192.0.2.1"), Poll::Ready(Ok("192.0.2.1".parse().unwrap())));
        let mut first = network.resolve("localhost");
        assert_eq!(first, Poll::Pending);
        for _ in 0..5000 {
            first = network.resolve("localhost");
            if first.is_ready() {
                break;
            }
            wait(&mut network);
        }
        assert!(matches!(first, Poll::Ready(Ok(address)) if address.is_loopback()), "{first:?}");
    }

    /// A port where connections stay on their way: its queue is full, and nobody takes from it.
    fn deaf() -> (TcpListener, Vec<TcpStream>, SocketAddr) {
        let socket = socket_with(AddressFamily::INET, SocketType::STREAM, SocketFlags::CLOEXEC, None).unwrap();
        rustix::net::bind(&socket, &SocketAddr::from(([127, 0, 0, 1], 0))).unwrap();
        rustix::net::listen(&socket, 0).unwrap();
        let listener = TcpListener::from(socket);
        let address = listener.local_addr().unwrap();
        let queued = (0..4).map(|_| begin(address).unwrap()).collect();
        (listener, queued, address)
    }

    #[test]
    fn connections_on_their_way_are_no_threads_and_hold_up_no_others() {
        let threads = || std::fs::read_dir("/proc/self/task").unwrap().count();
        let (_listener, _queued, silent) = deaf();
        let mut network = StdNetwork::new();
        let before = threads();
        for _ in 0..100 {
            let socket = network.connect(silent).unwrap();
            assert_eq!(network.is_connected(socket), Ok(false));
        }
        // Other tests have threads of their own: far fewer than these.
        assert!(threads() < before + 50);
        let answering = TcpListener::bind("127.0.0.1:0").unwrap();
        let socket = network.connect(answering.local_addr().unwrap()).unwrap();
        for _ in 0..5000 {
            if network.is_connected(socket) == Ok(true) {
                return;
            }
            wait(&mut network);
        }
        panic!("not connected");
    }

    #[test]
    fn a_port_without_a_listener_is_told() {
        // Bound, so that it is nobody else's, and not listening.
        let socket = socket_with(AddressFamily::INET, SocketType::STREAM, SocketFlags::CLOEXEC, None).unwrap();
        rustix::net::bind(&socket, &SocketAddr::from(([127, 0, 0, 1], 0))).unwrap();
        let bound = TcpListener::from(socket);
        let closed = bound.local_addr().unwrap();
        let mut network = StdNetwork::new();
        let Ok(socket) = network.connect(closed) else { return };
        for _ in 0..5000 {
            match network.is_connected(socket) {
                Ok(false) => wait(&mut network),
                outcome => return assert_eq!(outcome, Err(NetError::Unreachable)),
            }
        }
        panic!("still on its way");
    }

    #[test]
    fn what_leads_back_to_this_machine_is_known() {
        let network = StdNetwork::beside(vec![3000]);
        let reach = |to: &str| network.reach(to.parse().unwrap());
        for own in ["127.0.0.1:80", "127.9.9.9:80", "0.0.0.0:80", "[::1]:80", "[::ffff:127.0.0.1]:80", "[::]:80"] {
            assert_eq!(reach(own), Reach::ThisMachine, "{own}");
        }
        for own in ["127.0.0.1:3000", "0.0.0.0:3000", "[::ffff:127.0.0.1]:3000"] {
            assert_eq!(reach(own), Reach::Gateway, "{own}");
        }
        // An address without an owner (RFC 5737), a group, everybody.
        for other in ["192.0.2.1:3000", "239.2.1.1:3000", "255.255.255.255:3000"] {
            assert_eq!(reach(other), Reach::Elsewhere, "{other}");
        }
        // Where this machine has another address, that is its own, too.
        if let Some(own) = sent_from("192.0.2.1".parse().unwrap()) {
            assert_eq!(network.reach(SocketAddr::new(own, 80)), Reach::ThisMachine, "{own}");
        }
    }

    #[test]
    fn sockets_are_limited() {
        let mut network = StdNetwork::new();
        let any = SocketAddr::from(([127, 0, 0, 1], 0));
        for _ in 0..SOCKETS_MAX {
            network.bind_udp(any).unwrap();
        }
        assert_eq!(network.bind_udp(any), Err(NetError::TooMany));
        network.close(Socket(1));
        assert!(network.bind_udp(any).is_ok());
    }
}
