//! What the socket imports ask of the core (plugin ABI §3.5, §3.6).
//!
//! Numbers of sockets are the plugin's own, from 1, one counter for UDP and TCP. Results are those of the contract: a
//! count or 0 for success, -1 for failure.

use alloc::vec::Vec;
use core::net::SocketAddr;

/// A received datagram.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Datagram {
    /// Who sent it.
    pub from: SocketAddr,
    /// What it holds.
    pub data: Vec<u8>,
}

/// An option of a UDP socket; set before the socket is bound it waits for that.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UdpOption {
    /// Hops of multicast datagrams.
    MulticastTtl(u8),
    /// Own multicast datagrams come back.
    MulticastLoopback(bool),
    /// Datagrams may go to broadcast addresses.
    Broadcast(bool),
}

/// The sockets of one plugin.
pub trait Sockets {
    /// Makes a UDP socket, not bound yet; `None` when there can be no more.
    fn udp_create(&mut self, six: bool) -> Option<u32>;
    /// Binds to a port on all interfaces, 0 for any.
    fn udp_bind(&mut self, id: u32, port: u16) -> bool;
    /// Joins or leaves a multicast group; an empty `interface` is the default one.
    fn udp_group(&mut self, id: u32, group: &str, interface: &str, join: bool) -> bool;
    /// Sets an option.
    fn udp_option(&mut self, id: u32, option: UdpOption) -> bool;
    /// Sends a datagram; `host` may be a name. An unbound socket is bound to any port.
    fn udp_send(&mut self, id: u32, host: &str, port: u16, data: Vec<u8>) -> bool;
    /// Takes the oldest datagram.
    fn udp_receive(&mut self, id: u32) -> Option<Datagram>;
    /// Returns how many datagrams wait, 0 for an unknown socket.
    fn udp_pending(&mut self, id: u32) -> usize;
    /// Makes a TCP socket in line mode; `None` when there can be no more.
    fn tcp_create(&mut self) -> Option<u32>;
    /// Starts a connection, once per socket.
    fn tcp_connect(&mut self, id: u32, host: &str, port: u16) -> bool;
    /// Tells whether the connection stands (or has data to read), `None` for an unknown socket or a closed one.
    fn tcp_connected(&mut self, id: u32) -> Option<bool>;
    /// Chooses between lines and raw bytes.
    fn tcp_set_lines(&mut self, id: u32, lines: bool) -> bool;
    /// Takes bytes to send, all or none.
    fn tcp_send(&mut self, id: u32, data: &[u8]) -> bool;
    /// Takes one line without its end, cut to `max` bytes; `None` when there is none.
    fn tcp_receive_line(&mut self, id: u32, max: usize) -> Option<Vec<u8>>;
    /// Takes at most `max` bytes; `None` when there are none.
    fn tcp_receive_raw(&mut self, id: u32, max: usize) -> Option<Vec<u8>>;
    /// Returns how many lines wait, or in raw mode 1 when bytes do; 0 for an unknown socket.
    fn tcp_pending(&mut self, id: u32) -> usize;
    /// Closes a socket of either kind; unknown ones are ignored.
    fn close(&mut self, id: u32);
}

/// The serial ports of one plugin (`abi-extensions.md`).
pub trait Serial {
    /// Opens a port; `None` when it is not allowed, not there, or there can be no more.
    fn serial_open(&mut self, device: &str, settings: crate::hal::SerialSettings) -> Option<u32>;
    /// Takes at most `max` bytes; empty when there are none, `None` for an unknown or broken port.
    fn serial_read(&mut self, id: u32, max: usize) -> Option<Vec<u8>>;
    /// Writes; returns how many bytes were taken, `None` for an unknown or broken port.
    fn serial_write(&mut self, id: u32, data: &[u8]) -> Option<usize>;
    /// Closes a port; unknown ones are ignored.
    fn serial_close(&mut self, id: u32);
}
