//! TCP listeners and connections.

use alloc::vec;
use alloc::vec::Vec;
use core::net::{IpAddr, Ipv4Addr, SocketAddr};
use core::time::Duration;

use smoltcp::iface::SocketHandle;
use smoltcp::phy::Device;
use smoltcp::socket::tcp::{self, RecvError, SocketBuffer, State};
use smoltcp::wire::IpListenEndpoint;

use super::stack::{SmolNet, SocketEntry, ipv4};
use crate::hal::{NetError, Received, Socket};
use crate::time::Instant;

/// A peer that acknowledges nothing for this long is given up.
const TIMEOUT: smoltcp::time::Duration = smoltcp::time::Duration::from_secs(20);
/// A silent peer is asked whether it is still there.
const KEEP_ALIVE: smoltcp::time::Duration = smoltcp::time::Duration::from_secs(10);
/// Time a closed connection gets to hand over what was sent; then it is reset.
const LINGER: Duration = Duration::from_secs(10);

/// A port that takes connections: a handful of sockets that wait for one each.
pub(super) struct Listener {
    pub(super) address: SocketAddr,
    waiting: Vec<SocketHandle>,
}

/// A connection.
pub(super) struct TcpConnection {
    handle: SocketHandle,
    pub(super) local: SocketAddr,
    /// It was opened from here.
    is_outgoing: bool,
    /// The connection stood once: what breaks it now is a reset.
    stood: bool,
    /// The error was told.
    failed: bool,
}

/// A connection that was closed on this side and hands over what was sent.
pub(super) struct Closing {
    handle: SocketHandle,
    until: Instant,
}

impl<D: Device> SmolNet<D> {
    /// Counts the TCP sockets of the stack.
    pub(super) fn tcp_count(&self) -> usize {
        let open = self.entries.values().map(|entry| match entry {
            SocketEntry::Listener(listener) => listener.waiting.len(),
            SocketEntry::Stream(_) => 1,
            SocketEntry::Udp(_) => 0,
        });
        open.sum::<usize>().saturating_add(self.closing.len())
    }

    /// Takes buffers for one more socket; a closing one makes room, the oldest whose peer has all that was sent first.
    fn new_tcp(&mut self) -> Result<tcp::Socket<'static>, NetError> {
        let max = usize::from(self.limits.tcp_sockets_max);
        if self.tcp_count() >= max && !self.closing.is_empty() {
            let has_everything = |closing: &Closing| {
                let tcp: &tcp::Socket<'_> = self.sockets.get(closing.handle);
                tcp.send_queue() == 0
            };
            let index = self.closing.iter().position(has_everything).unwrap_or(0);
            let victim = self.closing.remove(index);
            self.sockets.remove(victim.handle);
        }
        if self.tcp_count() >= max {
            return Err(NetError::TooMany);
        }
        let buffer = |bytes: u16| SocketBuffer::new(vec![0; usize::from(bytes)]);
        let mut socket = tcp::Socket::new(buffer(self.limits.tcp_receive_bytes), buffer(self.limits.tcp_send_bytes));
        socket.set_timeout(Some(TIMEOUT));
        socket.set_keep_alive(Some(KEEP_ALIVE));
        // Answers are written whole; waiting to fill a packet would only delay them.
        socket.set_nagle_enabled(false);
        Ok(socket)
    }

    fn is_tcp_taken(&self, port: u16) -> bool {
        self.entries.values().any(|entry| match entry {
            SocketEntry::Listener(listener) => listener.address.port() == port,
            SocketEntry::Stream(stream) => stream.local.port() == port,
            SocketEntry::Udp(_) => false,
        })
    }

    /// Makes one more socket that waits for a connection.
    fn add_waiting(&mut self, address: SocketAddr) -> Result<SocketHandle, NetError> {
        let mut socket = self.new_tcp()?;
        listen_again(&mut socket, address)?;
        Ok(self.sockets.add(socket))
    }

    pub(super) fn open_listener(&mut self, address: SocketAddr) -> Result<Socket, NetError> {
        ipv4(address.ip())?;
        let port = match address.port() {
            0 => self.free_port(Self::is_tcp_taken).ok_or(NetError::InUse)?,
            port if self.is_tcp_taken(port) => return Err(NetError::InUse),
            port => port,
        };
        let address = SocketAddr::new(address.ip(), port);
        let first = self.add_waiting(address)?;
        let listener = self.insert(SocketEntry::Listener(Listener { address, waiting: vec![first] }))?;
        self.replenish(listener);
        Ok(listener)
    }

    /// Brings a listener back to its number of waiting sockets, as far as there are sockets.
    fn replenish(&mut self, socket: Socket) {
        for _ in 0..self.limits.backlog {
            let Some(SocketEntry::Listener(listener)) = self.entries.get(&socket.0) else { return };
            if listener.waiting.len() >= usize::from(self.limits.backlog) {
                return;
            }
            let address = listener.address;
            let Ok(handle) = self.add_waiting(address) else { return };
            if let Some(SocketEntry::Listener(listener)) = self.entries.get_mut(&socket.0) {
                listener.waiting.push(handle);
            }
        }
    }

    /// Gives back what a burst of clients left: listening sockets beyond the usual number.
    fn shed(&mut self, socket: Socket) {
        let Some(SocketEntry::Listener(listener)) = self.entries.get_mut(&socket.0) else { return };
        let surplus = listener.waiting.len().saturating_sub(usize::from(self.limits.backlog));
        for _ in 0..surplus {
            let listens = |handle: &SocketHandle| {
                let tcp: &tcp::Socket<'_> = self.sockets.get(*handle);
                tcp.state() == State::Listen
            };
            let Some(last) = listener.waiting.iter().rposition(listens) else { return };
            if listener.waiting.iter().position(listens) == Some(last) {
                return;
            }
            let handle = listener.waiting.swap_remove(last);
            self.sockets.remove(handle);
        }
    }

    /// Makes sure that each listener still has a socket for the next client: a browser opens a handful of connections
    /// in one breath, and the stack resets what finds none. What plugins connect with stays free.
    pub(super) fn keep_listening(&mut self) {
        let room = usize::from(self.limits.tcp_sockets_max.saturating_sub(self.limits.connects_max));
        let is_listening = |handle: &SocketHandle| {
            let tcp: &tcp::Socket<'_> = self.sockets.get(*handle);
            tcp.state() == State::Listen
        };
        let deaf = self.entries.iter().find_map(|(socket, entry)| match entry {
            SocketEntry::Listener(listener) if !listener.waiting.iter().any(is_listening) => {
                Some((*socket, listener.address))
            }
            _ => None,
        });
        if let Some((socket, address)) = deaf
            && self.tcp_count().saturating_sub(self.closing.len()) < room
            && let Ok(handle) = self.add_waiting(address)
            && let Some(SocketEntry::Listener(listener)) = self.entries.get_mut(&socket)
        {
            listener.waiting.push(handle);
        }
    }

    pub(super) fn accept_connection(&mut self, socket: Socket) -> Option<(Socket, SocketAddr)> {
        let Some(SocketEntry::Listener(listener)) = self.entries.get_mut(&socket.0) else { return None };
        let address = listener.address;
        let mut found = None;
        for (index, handle) in listener.waiting.iter().enumerate() {
            let waiting: &mut tcp::Socket<'_> = self.sockets.get_mut(*handle);
            match waiting.state() {
                State::Listen | State::SynReceived => {}
                State::Closed => {
                    // A client that went away again; listening on a closed socket cannot fail.
                    let _ = listen_again(waiting, address);
                }
                _ => {
                    if let (Some(local), Some(remote)) = (waiting.local_endpoint(), waiting.remote_endpoint()) {
                        found = found.or(Some((index, *handle, local, remote)));
                    }
                }
            }
        }
        let accepted = found.map(|(index, handle, local, remote)| {
            listener.waiting.swap_remove(index);
            (
                TcpConnection { handle, local: local.into(), is_outgoing: false, stood: true, failed: false },
                SocketAddr::from(remote),
            )
        });
        self.shed(socket);
        self.replenish(socket);
        let (stream, remote) = accepted?;
        let stream = self.insert(SocketEntry::Stream(stream)).ok()?;
        Some((stream, remote))
    }

    pub(super) fn open_stream(&mut self, to: SocketAddr) -> Result<Socket, NetError> {
        let remote = smoltcp::wire::IpEndpoint::new(ipv4(to.ip())?, to.port());
        let outgoing = |entry: &&SocketEntry| matches!(entry, SocketEntry::Stream(stream) if stream.is_outgoing);
        if self.entries.values().filter(outgoing).count() >= usize::from(self.limits.connects_max) {
            return Err(NetError::TooMany);
        }
        let mut socket = self.new_tcp()?;
        let port = self.free_port(Self::is_tcp_taken).ok_or(NetError::InUse)?;
        socket.connect(self.interface.context(), remote, port).map_err(|_| NetError::Unreachable)?;
        let local =
            socket.local_endpoint().map_or(SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), port), Into::into);
        let handle = self.sockets.add(socket);
        self.insert(SocketEntry::Stream(TcpConnection {
            handle,
            local,
            is_outgoing: true,
            stood: false,
            failed: false,
        }))
    }

    /// Returns a connection and its socket; the error of a broken one once, `Closed` afterwards.
    fn stream(&mut self, socket: Socket) -> Result<(&mut TcpConnection, &mut tcp::Socket<'static>), NetError> {
        let Some(SocketEntry::Stream(stream)) = self.entries.get_mut(&socket.0) else { return Err(NetError::Closed) };
        if stream.failed {
            return Err(NetError::Closed);
        }
        let tcp: &mut tcp::Socket<'static> = self.sockets.get_mut(stream.handle);
        stream.stood |= !matches!(tcp.state(), State::SynSent | State::Closed);
        Ok((stream, tcp))
    }

    pub(super) fn stream_stands(&mut self, socket: Socket) -> Result<bool, NetError> {
        let (stream, tcp) = self.stream(socket)?;
        match tcp.state() {
            State::SynSent | State::SynReceived => Ok(false),
            State::Closed if !stream.stood => Err(stream.fail()),
            _ => Ok(true),
        }
    }

    pub(super) fn stream_receive(&mut self, socket: Socket, buffer: &mut [u8]) -> Result<Received, NetError> {
        let (stream, tcp) = self.stream(socket)?;
        if matches!(tcp.state(), State::SynSent | State::SynReceived) {
            return Ok(Received::Pending);
        }
        match tcp.recv_slice(buffer) {
            Ok(0) => Ok(Received::Pending),
            Ok(count) => Ok(Received::Bytes(count)),
            Err(RecvError::Finished) => Ok(Received::Closed),
            Err(RecvError::InvalidState) => Err(stream.fail()),
        }
    }

    pub(super) fn stream_send(&mut self, socket: Socket, data: &[u8]) -> Result<usize, NetError> {
        let (stream, tcp) = self.stream(socket)?;
        if matches!(tcp.state(), State::SynSent | State::SynReceived) {
            return Ok(0);
        }
        tcp.send_slice(data).map_err(|_| stream.fail())
    }

    pub(super) fn close_listener(&mut self, listener: Listener) {
        for handle in listener.waiting {
            self.linger(handle, true);
        }
    }

    pub(super) fn close_stream(&mut self, stream: TcpConnection) {
        self.linger(stream.handle, false);
    }

    /// Closes a socket; it is removed when its peer knows.
    fn linger(&mut self, handle: SocketHandle, abort: bool) {
        let until = self.now + LINGER;
        let tcp: &mut tcp::Socket<'_> = self.sockets.get_mut(handle);
        if abort {
            tcp.abort();
        } else {
            tcp.close();
        }
        self.closing.push(Closing { handle, until });
    }

    /// Removes closed connections whose peer knows, and resets those that take too long.
    pub(super) fn reap(&mut self, now: Instant) {
        let mut index = 0;
        while let Some(closing) = self.closing.get(index) {
            let (handle, until) = (closing.handle, closing.until);
            let tcp: &mut tcp::Socket<'_> = self.sockets.get_mut(handle);
            // A client that is still sending reads the answer when it is through: what it sends is thrown away
            // (RFC 9112 section 9.6), or it would be stuck at a full window until the reset.
            while tcp.can_recv() && tcp.recv(|bytes| (bytes.len(), bytes.len())).is_ok_and(|count| count > 0) {}
            match tcp.state() {
                // A reset that is still to be sent leaves the peer's address in the socket.
                State::Closed if tcp.remote_endpoint().is_none() || until < now => {
                    self.closing.remove(index);
                    self.sockets.remove(handle);
                    continue;
                }
                // Packets of ours that got lost now are answered with a reset, to a peer that has everything.
                State::TimeWait | State::Listen => {
                    self.closing.remove(index);
                    self.sockets.remove(handle);
                    continue;
                }
                State::Closed => {}
                _ if until < now => tcp.abort(),
                _ => {}
            }
            index = index.saturating_add(1);
        }
        // Where the stack was out of sockets, listeners get theirs back.
        let hungry = self.entries.iter().find_map(|(socket, entry)| match entry {
            SocketEntry::Listener(listener) if listener.waiting.len() < usize::from(self.limits.backlog) => {
                Some(*socket)
            }
            _ => None,
        });
        if let Some(socket) = hungry
            && self.tcp_count() < usize::from(self.limits.tcp_sockets_max)
        {
            self.replenish(Socket(socket));
        }
    }
}

impl TcpConnection {
    /// Marks the connection as broken and returns why.
    fn fail(&mut self) -> NetError {
        self.failed = true;
        if self.stood { NetError::Reset } else { NetError::Unreachable }
    }
}

fn listen_again(socket: &mut tcp::Socket<'static>, address: SocketAddr) -> Result<(), NetError> {
    let addr = (!address.ip().is_unspecified()).then_some(ipv4(address.ip())?);
    socket.listen(IpListenEndpoint { addr, port: address.port() }).map_err(|_| NetError::InUse)
}
