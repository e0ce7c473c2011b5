//! A TCP/IP stack of our own, `smoltcp`, as [`hal::Network`](crate::hal::Network).
//!
//! For boards without a system below, over whatever [`smoltcp::phy::Device`] a HAL has (virtio-net,
//! Wi-Fi), and for `--net tap` on Linux. IPv4 only. Every buffer is taken when its socket opens and
//! counted by [`NetLimits`](crate::budget::NetLimits); one poll takes a bounded number of packets.

mod address;
mod dhcp_server;
mod resolve;
mod stack;
mod tcp;
mod udp;

pub use address::{Addressing, Lease, StaticAddress};
pub use dhcp_server::{DhcpServer, LEASES_MAX};
pub use smoltcp;
pub use stack::{NetSetup, SmolNet};

#[cfg(test)]
mod tests;
