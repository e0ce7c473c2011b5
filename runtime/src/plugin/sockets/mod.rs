//! The UDP and TCP sockets of one plugin: its own numbers, bounded buffers, closed when it goes.

mod doors;
mod tcp;
#[cfg(test)]
mod tests;
mod udp;

use alloc::vec::Vec;
use core::net::{IpAddr, SocketAddr};
use core::task::Poll;
use core::time::Duration;

use super::orphans::{Orphan, Orphans};
use crate::budget::PluginLimits;
use crate::hal::{Destinations, NetError, Network, Socket};
use crate::host::sockets::{Datagram, Sockets, UdpOption};
use crate::sorted::SortedMap;
use doors::Doors;
use tcp::Tcp;
use udp::Udp;

/// Time between two looks at the sockets while a plugin has any; kernels and stacks buffer for longer.
pub const SOCKET_PERIOD: Duration = Duration::from_millis(20);

/// Host names that one plugin has looked up at the same time; its others wait.
const LOOKUPS_MAX: usize = 2;

/// Limits of one plugin's sockets.
#[derive(Clone, Copy, Debug)]
pub(super) struct SocketLimits {
    count: usize,
    datagrams: usize,
    receive_bytes: usize,
    send_bytes: usize,
}

impl SocketLimits {
    pub(super) fn of(limits: &PluginLimits) -> Self {
        Self {
            count: limits.sockets_max.into(),
            datagrams: limits.socket_datagrams.into(),
            receive_bytes: limits.socket_receive_bytes as usize,
            send_bytes: limits.socket_send_bytes as usize,
        }
    }
}

#[derive(Debug)]
enum Entry {
    Udp(Udp),
    Tcp(Tcp),
}

/// The sockets of one plugin.
#[derive(Debug)]
pub(super) struct SocketTable {
    entries: SortedMap<u32, Entry>,
    last: u32,
    limits: SocketLimits,
    doors: Doors,
    orphans: Orphans,
}

impl SocketTable {
    pub(super) fn new(limits: SocketLimits, orphans: Orphans) -> Self {
        Self { entries: SortedMap::new(), last: 0, limits, doors: Doors::default(), orphans }
    }

    /// Closes everything; the next socket has number 1 again.
    pub(super) fn release(&mut self) {
        self.last = 0;
        for (_, entry) in core::mem::take(&mut self.entries) {
            if let Some(socket) = entry.socket() {
                self.orphans.leave(Orphan::Socket(socket));
            }
        }
    }

    /// Opens places of this machine for a fresh instance.
    pub(super) fn open(&mut self, listed: Destinations) {
        self.doors.set(listed);
    }

    /// Takes the next place that was refused and not told yet.
    pub(super) fn next_refused(&mut self) -> Option<SocketAddr> {
        self.doors.next_refused()
    }

    /// Tells whether there are sockets to look after.
    pub(super) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Moves what came in and what is to go out.
    pub(super) fn run(&mut self, network: &mut dyn Network) {
        let mut lookups = 0_usize;
        for entry in self.entries.values_mut() {
            if entry.is_looked_up() {
                lookups = lookups.saturating_add(1);
                if lookups > LOOKUPS_MAX {
                    continue;
                }
            }
            match entry {
                Entry::Udp(udp) => udp.run(network, &self.limits, &mut self.doors),
                Entry::Tcp(tcp) => tcp.run(network, &self.limits, &mut self.doors),
            }
        }
    }

    /// Tells whether another host name may be looked up now.
    fn may_look_up(&self) -> bool {
        self.entries.values().filter(|entry| entry.is_looked_up()).count() < LOOKUPS_MAX
    }

    fn add(&mut self, entry: Entry) -> Option<u32> {
        if self.entries.len() >= self.limits.count {
            return None;
        }
        self.last = self.last.checked_add(1).filter(|&id| i32::try_from(id).is_ok())?;
        self.entries.insert(self.last, entry);
        Some(self.last)
    }

    fn udp(&mut self, id: u32) -> Option<(&mut Udp, &mut Doors)> {
        match self.entries.get_mut(&id)? {
            Entry::Udp(udp) => Some((udp, &mut self.doors)),
            Entry::Tcp(_) => None,
        }
    }

    fn tcp(&mut self, id: u32) -> Option<(&mut Tcp, &mut Doors)> {
        match self.entries.get_mut(&id)? {
            Entry::Tcp(tcp) => Some((tcp, &mut self.doors)),
            Entry::Udp(_) => None,
        }
    }
}

impl Drop for SocketTable {
    fn drop(&mut self) {
        self.release();
    }
}

impl Entry {
    /// Tells whether a host name is being looked up for it.
    fn is_looked_up(&self) -> bool {
        match self {
            Self::Udp(udp) => udp.is_looked_up(),
            Self::Tcp(tcp) => tcp.is_looked_up(),
        }
    }

    fn socket(&self) -> Option<Socket> {
        match self {
            Self::Udp(udp) => udp.socket(),
            Self::Tcp(tcp) => tcp.socket(),
        }
    }
}

/// A plugin's sockets with the network they are on, lent.
pub(super) struct Plugged<'p> {
    pub(super) table: &'p mut SocketTable,
    pub(super) network: &'p mut (dyn Network + 'static),
}

impl Sockets for Plugged<'_> {
    fn udp_create(&mut self, six: bool) -> Option<u32> {
        self.table.add(Entry::Udp(Udp::new(six)))
    }

    fn udp_bind(&mut self, id: u32, port: u16) -> bool {
        let network = &mut *self.network;
        self.table.udp(id).is_some_and(|(udp, _)| udp.bind(network, port).is_ok())
    }

    fn udp_group(&mut self, id: u32, group: &str, interface: &str, join: bool) -> bool {
        let Ok(group) = group.parse::<IpAddr>() else { return false };
        let interface = match interface.is_empty() {
            true => None,
            false => match interface.parse() {
                Ok(address) => Some(address),
                Err(_) => return false,
            },
        };
        let network = &mut *self.network;
        self.table.udp(id).is_some_and(|(udp, _)| udp.group(network, group, interface, join).is_ok())
    }

    fn udp_option(&mut self, id: u32, option: UdpOption) -> bool {
        let network = &mut *self.network;
        self.table.udp(id).is_some_and(|(udp, _)| udp.option(network, option).is_ok())
    }

    fn udp_send(&mut self, id: u32, host: &str, port: u16, data: Vec<u8>) -> bool {
        let (network, limits) = (&mut *self.network, self.table.limits);
        let may_look_up = self.table.may_look_up();
        let host = Host { name: host, may_look_up };
        self.table.udp(id).is_some_and(|(udp, doors)| udp.send(network, host, port, data, &limits, doors).is_ok())
    }

    fn udp_receive(&mut self, id: u32) -> Option<Datagram> {
        let (network, limits) = (&mut *self.network, self.table.limits);
        let (udp, _) = self.table.udp(id)?;
        udp.take_in(network, &limits);
        udp.receive()
    }

    fn udp_pending(&mut self, id: u32) -> usize {
        let (network, limits) = (&mut *self.network, self.table.limits);
        self.table.udp(id).map_or(0, |(udp, _)| {
            udp.take_in(network, &limits);
            udp.pending()
        })
    }

    fn tcp_create(&mut self) -> Option<u32> {
        self.table.add(Entry::Tcp(Tcp::new()))
    }

    fn tcp_connect(&mut self, id: u32, host: &str, port: u16) -> bool {
        let (network, limits) = (&mut *self.network, self.table.limits);
        let may_look_up = self.table.may_look_up();
        self.table.tcp(id).is_some_and(|(tcp, doors)| {
            let started = tcp.connect(host, port);
            if may_look_up {
                tcp.run(network, &limits, doors);
            }
            started
        })
    }

    fn tcp_connected(&mut self, id: u32) -> Option<bool> {
        let (network, limits) = (&mut *self.network, self.table.limits);
        let (tcp, doors) = self.table.tcp(id)?;
        if !tcp.is_looked_up() {
            tcp.run(network, &limits, doors);
        }
        let state = tcp.connected();
        if state.is_none() {
            self.close(id);
        }
        state
    }

    fn tcp_set_lines(&mut self, id: u32, lines: bool) -> bool {
        self.table.tcp(id).is_some_and(|(tcp, _)| {
            tcp.set_lines(lines);
            true
        })
    }

    fn tcp_send(&mut self, id: u32, data: &[u8]) -> bool {
        let (network, limits) = (&mut *self.network, self.table.limits);
        self.table.tcp(id).is_some_and(|(tcp, doors)| {
            let taken = tcp.send(data, &limits);
            if !tcp.is_looked_up() {
                tcp.run(network, &limits, doors);
            }
            taken
        })
    }

    fn tcp_receive_line(&mut self, id: u32, max: usize) -> Option<Vec<u8>> {
        let (network, limits) = (&mut *self.network, self.table.limits);
        let (tcp, doors) = self.table.tcp(id)?;
        if !tcp.is_looked_up() {
            tcp.run(network, &limits, doors);
        }
        tcp.receive_line(max, &limits)
    }

    fn tcp_receive_raw(&mut self, id: u32, max: usize) -> Option<Vec<u8>> {
        let (network, limits) = (&mut *self.network, self.table.limits);
        let (tcp, doors) = self.table.tcp(id)?;
        if !tcp.is_looked_up() {
            tcp.run(network, &limits, doors);
        }
        tcp.receive_raw(max)
    }

    fn tcp_pending(&mut self, id: u32) -> usize {
        let (network, limits) = (&mut *self.network, self.table.limits);
        self.table.tcp(id).map_or(0, |(tcp, doors)| {
            if !tcp.is_looked_up() {
                tcp.run(network, &limits, doors);
            }
            tcp.pending(&limits)
        })
    }

    fn close(&mut self, id: u32) {
        if let Some(socket) = self.table.entries.remove(&id).and_then(|entry| entry.socket()) {
            self.network.close(socket);
        }
    }
}

/// A host as a plugin names it.
#[derive(Clone, Copy)]
struct Host<'h> {
    name: &'h str,
    /// Its plugin has not too many names looked up already.
    may_look_up: bool,
}

/// Looks a host up; an address needs no network.
fn resolve(network: &mut dyn Network, host: &str) -> Poll<Result<IpAddr, NetError>> {
    match host.parse() {
        Ok(address) => Poll::Ready(Ok(address)),
        Err(_) => network.resolve(host),
    }
}
