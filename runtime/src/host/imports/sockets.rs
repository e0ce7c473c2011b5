//! UDP, TCP and serial ports (plugin ABI §3.5, §3.6, `abi-extensions.md`).
//!
//! A count or 0 says success, -1 failure. Fuel is taken for the bytes that arrive, and for what the system makes,
//! binds or takes down: these cost extra, so that a loop of them ends.

use alloc::boxed::Box;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::Caller;
use crate::budget::PluginLimits;
use crate::hal::SerialSettings;
use crate::host::Services;
use crate::host::engine::GuestSlice;
use crate::host::sockets::{Serial, Sockets, UdpOption};

/// Bytes of a host name or an address.
const HOST_BYTES_MAX: u32 = 255;
/// Bytes of a serial port's name.
const DEVICE_BYTES_MAX: u32 = 255;
/// Longest datagram, bytes: 65,535 less the IPv4 and UDP headers (RFC 791, RFC 768).
const DATAGRAM_BYTES_MAX: u32 = 65_507;
/// Longest address as text with its NUL (`INET6_ADDRSTRLEN`).
const ADDRESS_TEXT_BYTES: usize = 46;

const FAILED: i32 = -1;

/// Acts on the plugin's sockets; [`FAILED`] where there is no network.
fn on_sockets(services: &mut dyn Services, act: impl FnOnce(&mut dyn Sockets) -> i32) -> i32 {
    services.sockets().map_or(FAILED, |mut sockets| act(&mut *sockets))
}

/// Acts on the plugin's serial ports; [`FAILED`] where there are none.
fn on_ports(services: &mut dyn Services, act: impl FnOnce(&mut dyn Serial) -> i32) -> i32 {
    services.serial().map_or(FAILED, |mut ports| act(&mut *ports))
}

/// Takes fuel for what the system did.
fn of_the_system(caller: &mut Caller<'_>, ret: i32) -> i32 {
    caller.pay(PluginLimits::PATH_WORK_BYTES, 1);
    ret
}

/// Takes fuel for the bytes that a result counts.
fn counted(caller: &mut Caller<'_>, ret: i32) -> i32 {
    caller.pay(u32::try_from(ret).unwrap_or(0), 1);
    ret
}

fn success(done: bool) -> i32 {
    if done { 0 } else { FAILED }
}

fn count(number: usize) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}

/// Gives the number of a new socket; says so where the host makes none.
fn made(services: &mut dyn Services, there: bool, id: Option<u32>) -> i32 {
    if !there {
        services.log(log::Level::Warn, "this gateway gives plugins no such sockets or ports");
    }
    id.and_then(|id| i32::try_from(id).ok()).unwrap_or(FAILED)
}

fn host(caller: &mut Caller<'_>, slice: GuestSlice) -> Option<String> {
    caller.text_of(slice, HOST_BYTES_MAX).filter(|host| !host.is_empty()).map(Into::into)
}

fn written(caller: &mut Caller<'_>, into: GuestSlice, data: &[u8]) -> i32 {
    if caller.write(into, data) { count(data.len()) } else { FAILED }
}

pub(super) fn sk_udp_create(caller: &mut Caller<'_>, services: &mut dyn Services, family: i32) -> i32 {
    let made_id = services.sockets().map(|mut sockets| sockets.udp_create(family == 1));
    let ret = made(services, made_id.is_some(), made_id.flatten());
    of_the_system(caller, ret)
}

pub(super) fn sk_udp_bind(caller: &mut Caller<'_>, services: &mut dyn Services, socket: u32, port: i32) -> i32 {
    let Ok(port) = u16::try_from(port) else { return FAILED };
    let ret = on_sockets(services, |sockets| success(sockets.udp_bind(socket, port)));
    of_the_system(caller, ret)
}

pub(super) fn sk_udp_join_multicast(
    caller: &mut Caller<'_>,
    services: &mut dyn Services,
    socket: u32,
    group: GuestSlice,
    interface: GuestSlice,
) -> i32 {
    multicast(caller, services, (socket, true), group, interface)
}

pub(super) fn sk_udp_leave_multicast(
    caller: &mut Caller<'_>,
    services: &mut dyn Services,
    socket: u32,
    group: GuestSlice,
    interface: GuestSlice,
) -> i32 {
    multicast(caller, services, (socket, false), group, interface)
}

fn multicast(
    caller: &mut Caller<'_>,
    services: &mut dyn Services,
    (socket, join): (u32, bool),
    group: GuestSlice,
    interface: GuestSlice,
) -> i32 {
    let group = host(caller, group);
    // A length that is negative means none, as 0 does upstream.
    let interface = if interface.len.cast_signed() <= 0 {
        Some(String::new())
    } else {
        caller.text_of(interface, HOST_BYTES_MAX).map(Into::into)
    };
    let Some((group, interface)) = group.zip(interface) else { return FAILED };
    let ret = on_sockets(services, |sockets| success(sockets.udp_group(socket, &group, &interface, join)));
    of_the_system(caller, ret)
}

fn set(services: &mut dyn Services, socket: u32, option: UdpOption) -> i32 {
    on_sockets(services, |sockets| success(sockets.udp_option(socket, option)))
}

pub(super) fn sk_udp_set_multicast_ttl(_: &mut Caller<'_>, services: &mut dyn Services, socket: u32, hops: i32) -> i32 {
    u8::try_from(hops).map_or(FAILED, |hops| set(services, socket, UdpOption::MulticastTtl(hops)))
}

pub(super) fn sk_udp_set_multicast_loopback(
    _: &mut Caller<'_>,
    services: &mut dyn Services,
    socket: u32,
    on: i32,
) -> i32 {
    set(services, socket, UdpOption::MulticastLoopback(on != 0))
}

pub(super) fn sk_udp_set_broadcast(_: &mut Caller<'_>, services: &mut dyn Services, socket: u32, on: i32) -> i32 {
    set(services, socket, UdpOption::Broadcast(on != 0))
}

pub(super) fn sk_udp_send(
    caller: &mut Caller<'_>,
    services: &mut dyn Services,
    socket: u32,
    to: GuestSlice,
    port: i32,
    data: GuestSlice,
) -> i32 {
    let to = host(caller, to).zip(u16::try_from(port).ok());
    let data: Option<Vec<u8>> = caller.bytes_of(data, DATAGRAM_BYTES_MAX).map(Into::into);
    let Some(((host, port), data)) = to.zip(data) else { return FAILED };
    let len = count(data.len());
    let ret = on_sockets(services, |sockets| if sockets.udp_send(socket, &host, port, data) { len } else { FAILED });
    counted(caller, ret)
}

/// Takes one datagram and writes it, its sender's address and port; null out-pointers are skipped.
pub(super) fn sk_udp_recv(
    caller: &mut Caller<'_>,
    services: &mut dyn Services,
    socket: u32,
    into: GuestSlice,
    address: u32,
    port: u32,
) -> i32 {
    // Ranges are checked before anything is taken: a guest mistake loses no datagram.
    let is_writable = |ptr: u32, len: u32| ptr == 0 || caller.holds(GuestSlice { ptr, len });
    if !caller.holds(into) || !is_writable(address, 1) || !is_writable(port, 2) {
        // Where nothing waits no range matters, as upstream has it.
        return on_sockets(services, |sockets| success(sockets.udp_pending(socket) == 0));
    }
    let Some(mut sockets) = services.sockets() else { return FAILED };
    let Some(datagram) = sockets.udp_receive(socket) else { return 0 };
    let data = datagram.data.get(..datagram.data.len().min(into.len as usize)).unwrap_or_default();
    let ret = written(caller, into, data);
    if address != 0 {
        let text = format!("{}\0", datagram.from.ip());
        // The buffer's size is not told; the contract reserves this much.
        let len = u32::try_from(text.len().min(ADDRESS_TEXT_BYTES)).unwrap_or(0);
        caller.write(GuestSlice { ptr: address, len }, text.as_bytes());
    }
    if port != 0 {
        caller.write(GuestSlice { ptr: port, len: 2 }, &datagram.from.port().to_le_bytes());
    }
    counted(caller, ret)
}

pub(super) fn sk_udp_pending(caller: &mut Caller<'_>, services: &mut dyn Services, socket: u32) -> i32 {
    let ret = on_sockets(services, |sockets| count(sockets.udp_pending(socket)));
    counted(caller, ret)
}

pub(super) fn sk_udp_close(caller: &mut Caller<'_>, services: &mut dyn Services, socket: u32) {
    close(caller, services.sockets(), socket);
}

fn close(caller: &mut Caller<'_>, sockets: Option<Box<dyn Sockets + '_>>, socket: u32) {
    if let Some(mut sockets) = sockets {
        sockets.close(socket);
    }
    of_the_system(caller, 0);
}

pub(super) fn sk_tcp_create(caller: &mut Caller<'_>, services: &mut dyn Services) -> i32 {
    let made_id = services.sockets().map(|mut sockets| sockets.tcp_create());
    let ret = made(services, made_id.is_some(), made_id.flatten());
    of_the_system(caller, ret)
}

pub(super) fn sk_tcp_connect(
    caller: &mut Caller<'_>,
    services: &mut dyn Services,
    socket: u32,
    to: GuestSlice,
    port: i32,
) -> i32 {
    let Some((host, port)) = host(caller, to).zip(u16::try_from(port).ok()) else { return FAILED };
    let ret = on_sockets(services, |sockets| success(sockets.tcp_connect(socket, &host, port)));
    of_the_system(caller, ret)
}

pub(super) fn sk_tcp_connected(caller: &mut Caller<'_>, services: &mut dyn Services, socket: u32) -> i32 {
    let ret = on_sockets(services, |sockets| sockets.tcp_connected(socket).map_or(FAILED, i32::from));
    counted(caller, ret)
}

pub(super) fn sk_tcp_set_line_buffering(_: &mut Caller<'_>, services: &mut dyn Services, socket: u32, on: i32) -> i32 {
    on_sockets(services, |sockets| success(sockets.tcp_set_lines(socket, on != 0)))
}

pub(super) fn sk_tcp_send(caller: &mut Caller<'_>, services: &mut dyn Services, socket: u32, data: GuestSlice) -> i32 {
    let limit = caller.state().limits.socket_send_bytes;
    let Some(data) = caller.bytes_of(data, limit) else { return FAILED };
    let send = |sockets: &mut dyn Sockets| if sockets.tcp_send(socket, &data) { count(data.len()) } else { FAILED };
    let ret = on_sockets(services, send);
    counted(caller, ret)
}

pub(super) fn sk_tcp_recv_line(
    caller: &mut Caller<'_>,
    services: &mut dyn Services,
    socket: u32,
    into: GuestSlice,
) -> i32 {
    receive(caller, services, socket, into, |sockets, max| sockets.tcp_receive_line(socket, max))
}

pub(super) fn sk_tcp_recv_raw(
    caller: &mut Caller<'_>,
    services: &mut dyn Services,
    socket: u32,
    into: GuestSlice,
) -> i32 {
    receive(caller, services, socket, into, |sockets, max| sockets.tcp_receive_raw(socket, max))
}

fn receive(
    caller: &mut Caller<'_>,
    services: &mut dyn Services,
    socket: u32,
    into: GuestSlice,
    take: impl FnOnce(&mut dyn Sockets, usize) -> Option<Vec<u8>>,
) -> i32 {
    let Some(mut sockets) = services.sockets() else { return FAILED };
    if !caller.holds(into) {
        // Where nothing waits no range matters, as upstream has it.
        return success(sockets.tcp_pending(socket) == 0);
    }
    let data = take(&mut *sockets, into.len as usize);
    let ret = written(caller, into, data.as_deref().unwrap_or_default());
    counted(caller, ret)
}

pub(super) fn sk_tcp_pending(caller: &mut Caller<'_>, services: &mut dyn Services, socket: u32) -> i32 {
    let ret = on_sockets(services, |sockets| count(sockets.tcp_pending(socket)));
    counted(caller, ret)
}

pub(super) fn sk_tcp_close(caller: &mut Caller<'_>, services: &mut dyn Services, socket: u32) {
    close(caller, services.sockets(), socket);
}

pub(super) fn sk_serial_open(
    caller: &mut Caller<'_>,
    services: &mut dyn Services,
    device: GuestSlice,
    baud: u32,
    data_bits: i32,
    parity: i32,
    stop_bits: i32,
) -> i32 {
    let device: Option<String> = caller.text_of(device, DEVICE_BYTES_MAX).map(Into::into);
    let small = |value: i32| u8::try_from(value).unwrap_or(u8::MAX);
    // What a guest leaves out arrives as 0.
    let or = |value: i32, default: i32| if value == 0 { default } else { value };
    let settings = SerialSettings {
        baud,
        data_bits: small(or(data_bits, 8)),
        parity: small(parity),
        stop_bits: small(or(stop_bits, 1)),
    };
    let Some(device) = device.filter(|_| settings.is_sound()) else { return FAILED };
    let made_id = services.serial().map(|mut ports| ports.serial_open(&device, settings));
    let ret = made(services, made_id.is_some(), made_id.flatten());
    of_the_system(caller, ret)
}

pub(super) fn sk_serial_read(caller: &mut Caller<'_>, services: &mut dyn Services, port: u32, into: GuestSlice) -> i32 {
    if !caller.holds(into) {
        return FAILED;
    }
    let data = services.serial().and_then(|mut ports| ports.serial_read(port, into.len as usize));
    let ret = data.map_or(FAILED, |data| written(caller, into, &data));
    counted(caller, ret)
}

pub(super) fn sk_serial_write(
    caller: &mut Caller<'_>,
    services: &mut dyn Services,
    port: u32,
    data: GuestSlice,
) -> i32 {
    let limit = caller.state().limits.socket_send_bytes;
    let Some(data) = caller.bytes_of(data, limit) else { return FAILED };
    let ret = on_ports(services, |ports| ports.serial_write(port, &data).map_or(FAILED, count));
    counted(caller, ret)
}

pub(super) fn sk_serial_close(caller: &mut Caller<'_>, services: &mut dyn Services, port: u32) {
    on_ports(services, |ports| {
        ports.serial_close(port);
        0
    });
    of_the_system(caller, 0);
}
