//! Sockets, cut above the TCP/IP stack: the kernel's on Linux, smoltcp on a chip.

use core::fmt;
use core::net::{IpAddr, Ipv4Addr, SocketAddr};
use core::task::Poll;

use crate::time::Instant;

/// Handle of an open socket; never reused while the HAL lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Socket(pub u32);

/// Answer of a read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Received {
    /// This many bytes were read, at least 1.
    Bytes(usize),
    /// Nothing is there now.
    Pending,
    /// The peer sent everything it will ever send.
    Closed,
}

/// Where a connection or datagram would end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// On another machine.
    Elsewhere,
    /// On this machine, whichever of its addresses is used.
    ThisMachine,
    /// At the gateway's own listener.
    Gateway,
}

/// Why a socket call failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum NetError {
    /// No such socket, or it is closed.
    Closed,
    /// No more sockets can be opened.
    TooMany,
    /// The port or address is taken.
    InUse,
    /// The system forbids it.
    Denied,
    /// The peer refused or cannot be reached.
    Unreachable,
    /// The connection was reset.
    Reset,
    /// A datagram is too long to send.
    TooLong,
    /// No such host name.
    UnknownHost,
    /// The stack cannot do this.
    Unsupported,
    /// Nothing can be read or written now ([`super::Stream`]).
    Pending,
}

impl fmt::Display for NetError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Closed => "socket closed",
            Self::TooMany => "too many sockets",
            Self::InUse => "address in use",
            Self::Denied => "not permitted",
            Self::Unreachable => "peer unreachable",
            Self::Reset => "connection reset",
            Self::TooLong => "datagram too long",
            Self::UnknownHost => "unknown host",
            Self::Unsupported => "not supported by this network stack",
            Self::Pending => "nothing to read or no room to write now",
        })
    }
}

impl core::error::Error for NetError {}

/// A TCP/IP stack.
pub trait Network {
    /// Moves packets; returns when it wants to run again, `None` when only traffic wakes it.
    fn poll(&mut self, now: Instant) -> Option<Instant>;

    /// Opens a TCP listener; port 0 takes any free one.
    ///
    /// # Errors
    /// [`NetError::InUse`], [`NetError::Denied`], [`NetError::TooMany`].
    fn listen(&mut self, address: SocketAddr) -> Result<Socket, NetError>;

    /// Returns the address a socket is bound to.
    ///
    /// # Errors
    /// [`NetError::Closed`] for an unknown socket.
    fn local_address(&self, socket: Socket) -> Result<SocketAddr, NetError>;

    /// Takes a waiting connection.
    fn accept(&mut self, listener: Socket) -> Option<(Socket, SocketAddr)>;

    /// Starts a TCP connection; [`receive`](Self::receive) is `Pending` and [`send`](Self::send) is 0 until it stands.
    ///
    /// # Errors
    /// [`NetError`] when it cannot even be started.
    fn connect(&mut self, to: SocketAddr) -> Result<Socket, NetError>;

    /// Tells whether a TCP connection stands by now; one that the peer has closed counts as standing.
    ///
    /// # Errors
    /// As [`receive`](Self::receive), when it failed.
    fn is_connected(&mut self, socket: Socket) -> Result<bool, NetError>;

    /// Reads from a TCP connection.
    ///
    /// # Errors
    /// [`NetError::Reset`], [`NetError::Unreachable`] once; [`NetError::Closed`] afterwards.
    fn receive(&mut self, socket: Socket, buffer: &mut [u8]) -> Result<Received, NetError>;

    /// Writes to a TCP connection, returns how many bytes were taken; 0 means no room now.
    ///
    /// # Errors
    /// [`NetError`] when the connection is gone.
    fn send(&mut self, socket: Socket, data: &[u8]) -> Result<usize, NetError>;

    /// Closes any socket; unknown ones are ignored.
    fn close(&mut self, socket: Socket);

    /// Opens a UDP socket; port 0 takes any free one.
    ///
    /// # Errors
    /// [`NetError::InUse`], [`NetError::Denied`], [`NetError::TooMany`].
    fn bind_udp(&mut self, address: SocketAddr) -> Result<Socket, NetError>;

    /// Joins a multicast group.
    ///
    /// # Errors
    /// [`NetError::Unsupported`] when `group` is no multicast address.
    fn join(&mut self, socket: Socket, group: IpAddr) -> Result<(), NetError>;

    /// Opens a UDP socket on a port that other sockets of this machine may have too, as multicast listeners do.
    /// A stack that cannot share ports opens an exclusive one.
    ///
    /// # Errors
    /// As [`bind_udp`](Self::bind_udp).
    fn bind_udp_shared(&mut self, address: SocketAddr) -> Result<Socket, NetError> {
        self.bind_udp(address)
    }

    /// Joins a multicast group on the interface that has this address.
    ///
    /// # Errors
    /// [`NetError::Unsupported`] where the stack has one interface only or `group` is no multicast address.
    fn join_on(&mut self, _socket: Socket, _group: IpAddr, _interface: IpAddr) -> Result<(), NetError> {
        Err(NetError::Unsupported)
    }

    /// Leaves a multicast group.
    ///
    /// # Errors
    /// [`NetError::Unsupported`] where the stack cannot, or the group was not joined.
    fn leave(&mut self, _socket: Socket, _group: IpAddr) -> Result<(), NetError> {
        Err(NetError::Unsupported)
    }

    /// Sets how many hops multicast datagrams of a socket go; 1 stays in the own network.
    ///
    /// # Errors
    /// [`NetError::Unsupported`].
    fn set_multicast_ttl(&mut self, _socket: Socket, _hops: u8) -> Result<(), NetError> {
        Err(NetError::Unsupported)
    }

    /// Sets whether multicast datagrams of a socket come back to this machine.
    ///
    /// # Errors
    /// [`NetError::Unsupported`].
    fn set_multicast_loopback(&mut self, _socket: Socket, _on: bool) -> Result<(), NetError> {
        Err(NetError::Unsupported)
    }

    /// Takes one datagram, cut to the buffer, and its sender.
    ///
    /// # Errors
    /// [`NetError::Closed`] for an unknown socket.
    fn receive_from(&mut self, socket: Socket, buffer: &mut [u8]) -> Result<Option<(usize, SocketAddr)>, NetError>;

    /// Sends one datagram.
    ///
    /// # Errors
    /// [`NetError::TooLong`], [`NetError::Unreachable`].
    fn send_to(&mut self, socket: Socket, to: SocketAddr, data: &[u8]) -> Result<(), NetError>;

    /// Tells where something sent to `to` would end, for those who may not talk to everything on this machine.
    fn reach(&self, to: SocketAddr) -> Reach {
        if to.ip().to_canonical().is_loopback() || to.ip().is_unspecified() {
            Reach::ThisMachine
        } else {
            Reach::Elsewhere
        }
    }

    /// Returns the address on the network and the bits of that network's prefix; `None` while there is none, and where the
    /// system below has several.
    fn own_network(&self) -> Option<(Ipv4Addr, u8)> {
        None
    }

    /// Looks a host name up; call again until it is ready.
    fn resolve(&mut self, host: &str) -> Poll<Result<IpAddr, NetError>>;
}
