//! UDP, TCP and serial ports (plugin ABI §3.5, §3.6, `abi-extensions.md`).

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use skiff_abi::Capability;
use skiff_abi::import::ENV;

use super::{Args, Ask, Guest, Known, Outcome, Ret, WrongType};
use crate::hal::SerialSettings;
use crate::host::Services;
use crate::host::memory::GuestSlice;
use crate::host::sockets::{Serial, Sockets, UdpOption};

/// Bytes of a host name or an address.
const HOST_BYTES_MAX: u32 = 255;
/// Bytes of a serial port's name.
const DEVICE_BYTES_MAX: u32 = 255;
/// Longest datagram, bytes: 65,535 less the IPv4 and UDP headers (RFC 791, RFC 768).
const DATAGRAM_BYTES_MAX: u32 = 65_507;
/// Longest address as text with its NUL (`INET6_ADDRSTRLEN`).
const ADDRESS_TEXT_BYTES: u32 = 46;

/// Builds a row whose failure is -1, or nothing where the import gives nothing.
macro_rules! rows {
    ($capability:expr; $($name:literal => $failure:expr, $handler:expr),+ $(,)?) => {
        &[$(Known {
            module: ENV,
            name: $name,
            handler: |guest, args| {
                if !guest.state().capabilities.allows($capability, false) {
                    return Ok(Outcome::Done($failure));
                }
                let ask: Option<SocketAsk> = $handler(guest, args)?;
                Ok(ask.map_or(Outcome::Done($failure), |ask| Outcome::Ask(Ask::Socket(ask))))
            },
            failure: $failure,
        }),+]
    };
}

type Asked = Result<Option<SocketAsk>, WrongType>;

const FAILED: Ret = Ret::Int(-1);

pub(super) const TABLE: &[Known] = rows! { Capability::RawSockets;
    "sk_udp_create" => FAILED, |_: &mut Guest<'_>, args: &Args<'_>| -> Asked {
        Ok(Some(SocketAsk::UdpCreate { six: args.int(0)? == 1 }))
    },
    "sk_udp_bind" => FAILED, |_: &mut Guest<'_>, args: &Args<'_>| -> Asked {
        let id = args.uint(0)?;
        Ok(port(args, 1)?.map(|port| SocketAsk::UdpBind { id, port }))
    },
    "sk_udp_join_multicast" => FAILED, |guest: &mut Guest<'_>, args: &Args<'_>| -> Asked { group(guest, args, true) },
    "sk_udp_leave_multicast" => FAILED, |guest: &mut Guest<'_>, args: &Args<'_>| -> Asked { group(guest, args, false) },
    "sk_udp_set_multicast_ttl" => FAILED, |_: &mut Guest<'_>, args: &Args<'_>| -> Asked {
        let id = args.uint(0)?;
        Ok(u8::try_from(args.int(1)?).ok().map(|ttl| SocketAsk::UdpOption { id, option: UdpOption::MulticastTtl(ttl) }))
    },
    "sk_udp_set_multicast_loopback" => FAILED, |_: &mut Guest<'_>, args: &Args<'_>| -> Asked {
        Ok(Some(SocketAsk::UdpOption { id: args.uint(0)?, option: UdpOption::MulticastLoopback(args.int(1)? != 0) }))
    },
    "sk_udp_set_broadcast" => FAILED, |_: &mut Guest<'_>, args: &Args<'_>| -> Asked {
        Ok(Some(SocketAsk::UdpOption { id: args.uint(0)?, option: UdpOption::Broadcast(args.int(1)? != 0) }))
    },
    "sk_udp_send" => FAILED, |guest: &mut Guest<'_>, args: &Args<'_>| -> Asked {
        let (id, host, port) = (args.uint(0)?, host(guest, args.slice(1)?), port(args, 3)?);
        let data = bytes(guest, args.slice(4)?, DATAGRAM_BYTES_MAX);
        let all = host.zip(port).zip(data);
        Ok(all.map(|((host, port), data)| SocketAsk::UdpSend { id, host, port, data }))
    },
    "sk_udp_recv" => FAILED, |_: &mut Guest<'_>, args: &Args<'_>| -> Asked {
        Ok(Some(SocketAsk::UdpReceive {
            id: args.uint(0)?,
            into: args.slice(1)?,
            address: args.uint(3)?,
            port: args.uint(4)?,
        }))
    },
    "sk_udp_pending" => FAILED, |_: &mut Guest<'_>, args: &Args<'_>| -> Asked {
        Ok(Some(SocketAsk::UdpPending { id: args.uint(0)? }))
    },
    "sk_udp_close" => Ret::Nothing, |_: &mut Guest<'_>, args: &Args<'_>| -> Asked {
        Ok(Some(SocketAsk::Close { id: args.uint(0)? }))
    },
    "sk_tcp_create" => FAILED, |_: &mut Guest<'_>, _: &Args<'_>| -> Asked { Ok(Some(SocketAsk::TcpCreate)) },
    "sk_tcp_connect" => FAILED, |guest: &mut Guest<'_>, args: &Args<'_>| -> Asked {
        let (id, host, port) = (args.uint(0)?, host(guest, args.slice(1)?), port(args, 3)?);
        Ok(host.zip(port).map(|(host, port)| SocketAsk::TcpConnect { id, host, port }))
    },
    "sk_tcp_connected" => FAILED, |_: &mut Guest<'_>, args: &Args<'_>| -> Asked {
        Ok(Some(SocketAsk::TcpConnected { id: args.uint(0)? }))
    },
    "sk_tcp_set_line_buffering" => FAILED, |_: &mut Guest<'_>, args: &Args<'_>| -> Asked {
        Ok(Some(SocketAsk::TcpSetLines { id: args.uint(0)?, lines: args.int(1)? != 0 }))
    },
    "sk_tcp_send" => FAILED, |guest: &mut Guest<'_>, args: &Args<'_>| -> Asked {
        let (id, limit) = (args.uint(0)?, guest.state().limits.socket_send_bytes);
        Ok(bytes(guest, args.slice(1)?, limit).map(|data| SocketAsk::TcpSend { id, data }))
    },
    "sk_tcp_recv_line" => FAILED, |_: &mut Guest<'_>, args: &Args<'_>| -> Asked {
        Ok(Some(SocketAsk::TcpReceive { id: args.uint(0)?, into: args.slice(1)?, line: true }))
    },
    "sk_tcp_recv_raw" => FAILED, |_: &mut Guest<'_>, args: &Args<'_>| -> Asked {
        Ok(Some(SocketAsk::TcpReceive { id: args.uint(0)?, into: args.slice(1)?, line: false }))
    },
    "sk_tcp_pending" => FAILED, |_: &mut Guest<'_>, args: &Args<'_>| -> Asked {
        Ok(Some(SocketAsk::TcpPending { id: args.uint(0)? }))
    },
    "sk_tcp_close" => Ret::Nothing, |_: &mut Guest<'_>, args: &Args<'_>| -> Asked {
        Ok(Some(SocketAsk::Close { id: args.uint(0)? }))
    },
};

pub(super) const SERIAL_TABLE: &[Known] = rows! { Capability::SerialPorts;
    "sk_serial_open" => FAILED, |guest: &mut Guest<'_>, args: &Args<'_>| -> Asked {
        let device = text(guest, args.slice(0)?, DEVICE_BYTES_MAX);
        let small = |value: i32| u8::try_from(value).unwrap_or(u8::MAX);
        let settings = SerialSettings {
            baud: args.uint(2)?,
            data_bits: small(or(args.int(3)?, 8)),
            parity: small(args.int(4)?),
            stop_bits: small(or(args.int(5)?, 1)),
        };
        Ok(device.filter(|_| settings.is_sound()).map(|device| SocketAsk::SerialOpen { device, settings }))
    },
    "sk_serial_read" => FAILED, |_: &mut Guest<'_>, args: &Args<'_>| -> Asked {
        Ok(Some(SocketAsk::SerialRead { id: args.uint(0)?, into: args.slice(1)? }))
    },
    "sk_serial_write" => FAILED, |guest: &mut Guest<'_>, args: &Args<'_>| -> Asked {
        let (id, limit) = (args.uint(0)?, guest.state().limits.socket_send_bytes);
        Ok(bytes(guest, args.slice(1)?, limit).map(|data| SocketAsk::SerialWrite { id, data }))
    },
    "sk_serial_close" => Ret::Nothing, |_: &mut Guest<'_>, args: &Args<'_>| -> Asked {
        Ok(Some(SocketAsk::SerialClose { id: args.uint(0)? }))
    },
};

/// Returns `value`, or `default` for 0: what a guest leaves out arrives as 0.
fn or(value: i32, default: i32) -> i32 {
    if value == 0 { default } else { value }
}

fn port(args: &Args<'_>, index: usize) -> Result<Option<u16>, WrongType> {
    Ok(u16::try_from(args.int(index)?).ok())
}

fn text(guest: &mut Guest<'_>, slice: GuestSlice, limit: u32) -> Option<String> {
    if slice.len > limit { None } else { guest.text(slice) }
}

fn host(guest: &mut Guest<'_>, slice: GuestSlice) -> Option<String> {
    text(guest, slice, HOST_BYTES_MAX).filter(|host| !host.is_empty())
}

fn bytes(guest: &mut Guest<'_>, slice: GuestSlice, limit: u32) -> Option<Vec<u8>> {
    if slice.len > limit {
        return None;
    }
    let data = slice.read(guest.memory())?.to_vec();
    guest.charge(slice.len);
    Some(data)
}

fn group(guest: &mut Guest<'_>, args: &Args<'_>, join: bool) -> Asked {
    let id = args.uint(0)?;
    let group = host(guest, args.slice(1)?);
    let interface = args.slice(3)?;
    // A length that is negative means none, as 0 does upstream.
    let interface =
        if interface.len.cast_signed() <= 0 { Some(String::new()) } else { text(guest, interface, HOST_BYTES_MAX) };
    Ok(group.zip(interface).map(|(group, interface)| SocketAsk::UdpGroup { id, group, interface, join }))
}

/// A question about a socket or a serial port.
#[derive(Debug)]
pub(in crate::host) enum SocketAsk {
    UdpCreate { six: bool },
    UdpBind { id: u32, port: u16 },
    UdpGroup { id: u32, group: String, interface: String, join: bool },
    UdpOption { id: u32, option: UdpOption },
    UdpSend { id: u32, host: String, port: u16, data: Vec<u8> },
    UdpReceive { id: u32, into: GuestSlice, address: u32, port: u32 },
    UdpPending { id: u32 },
    TcpCreate,
    TcpConnect { id: u32, host: String, port: u16 },
    TcpConnected { id: u32 },
    TcpSetLines { id: u32, lines: bool },
    TcpSend { id: u32, data: Vec<u8> },
    TcpReceive { id: u32, into: GuestSlice, line: bool },
    TcpPending { id: u32 },
    Close { id: u32 },
    SerialOpen { device: String, settings: SerialSettings },
    SerialRead { id: u32, into: GuestSlice },
    SerialWrite { id: u32, data: Vec<u8> },
    SerialClose { id: u32 },
}

impl SocketAsk {
    /// Tells whether the system makes, binds or takes down something for it: a storm of those has to cost.
    pub(super) fn is_of_the_system(&self) -> bool {
        matches!(
            self,
            Self::UdpCreate { .. }
                | Self::UdpBind { .. }
                | Self::UdpGroup { .. }
                | Self::TcpCreate
                | Self::TcpConnect { .. }
                | Self::Close { .. }
                | Self::SerialOpen { .. }
                | Self::SerialClose { .. }
        )
    }

    pub(super) fn answer(self, services: &mut dyn Services, memory: &mut [u8]) -> Ret {
        let opens = matches!(self, Self::UdpCreate { .. } | Self::TcpCreate | Self::SerialOpen { .. });
        let answered = match self {
            Self::SerialOpen { .. } | Self::SerialRead { .. } | Self::SerialWrite { .. } | Self::SerialClose { .. } => {
                services.serial().map(|mut serial| self.of_port(&mut *serial, memory))
            }
            _ => services.sockets().map(|mut sockets| self.of_socket(&mut *sockets, memory)),
        };
        answered.unwrap_or_else(|| {
            if opens {
                services.log(log::Level::Warn, "this gateway gives plugins no such sockets or ports");
            }
            FAILED
        })
    }

    fn of_socket(self, sockets: &mut dyn Sockets, memory: &mut [u8]) -> Ret {
        let number = |id: Option<u32>| Ret::Int(id.and_then(|id| i32::try_from(id).ok()).unwrap_or(-1));
        let success = |done: bool| Ret::Int(if done { 0 } else { -1 });
        match self {
            Self::UdpCreate { six } => number(sockets.udp_create(six)),
            Self::UdpBind { id, port } => success(sockets.udp_bind(id, port)),
            Self::UdpGroup { id, group, interface, join } => success(sockets.udp_group(id, &group, &interface, join)),
            Self::UdpOption { id, option } => success(sockets.udp_option(id, option)),
            Self::UdpSend { id, host, port, data } => {
                let len = count(data.len());
                if sockets.udp_send(id, &host, port, data) { len } else { FAILED }
            }
            Self::UdpReceive { id, into, address, port } => udp_receive(sockets, memory, id, into, address, port),
            Self::UdpPending { id } => count(sockets.udp_pending(id)),
            Self::TcpCreate => number(sockets.tcp_create()),
            Self::TcpConnect { id, host, port } => success(sockets.tcp_connect(id, &host, port)),
            Self::TcpConnected { id } => Ret::Int(sockets.tcp_connected(id).map_or(-1, i32::from)),
            Self::TcpSetLines { id, lines } => success(sockets.tcp_set_lines(id, lines)),
            Self::TcpSend { id, data } => {
                if sockets.tcp_send(id, &data) {
                    count(data.len())
                } else {
                    FAILED
                }
            }
            Self::TcpReceive { id, into, line } => {
                if into.read(memory).is_none() {
                    // Where nothing waits no range matters, as upstream has it.
                    return if sockets.tcp_pending(id) == 0 { Ret::Int(0) } else { FAILED };
                }
                let max = into.len as usize;
                let data = if line { sockets.tcp_receive_line(id, max) } else { sockets.tcp_receive_raw(id, max) };
                written(memory, into, data.as_deref().unwrap_or_default())
            }
            Self::TcpPending { id } => count(sockets.tcp_pending(id)),
            Self::Close { id } => {
                sockets.close(id);
                Ret::Nothing
            }
            Self::SerialOpen { .. } | Self::SerialRead { .. } | Self::SerialWrite { .. } | Self::SerialClose { .. } => {
                FAILED
            }
        }
    }

    fn of_port(self, serial: &mut dyn Serial, memory: &mut [u8]) -> Ret {
        match self {
            Self::SerialOpen { device, settings } => {
                let id = serial.serial_open(&device, settings);
                Ret::Int(id.and_then(|id| i32::try_from(id).ok()).unwrap_or(-1))
            }
            Self::SerialRead { id, into } => {
                if into.read(memory).is_none() {
                    return FAILED;
                }
                serial.serial_read(id, into.len as usize).map_or(FAILED, |data| written(memory, into, &data))
            }
            Self::SerialWrite { id, data } => serial.serial_write(id, &data).map_or(FAILED, count),
            Self::SerialClose { id } => {
                serial.serial_close(id);
                Ret::Nothing
            }
            _ => FAILED,
        }
    }
}

fn count(number: usize) -> Ret {
    Ret::Int(i32::try_from(number).unwrap_or(i32::MAX))
}

fn written(memory: &mut [u8], into: GuestSlice, data: &[u8]) -> Ret {
    if into.write(memory, data) { count(data.len()) } else { FAILED }
}

/// Takes one datagram and writes it, its sender's address and port; null out-pointers are skipped.
fn udp_receive(
    sockets: &mut dyn Sockets,
    memory: &mut [u8],
    id: u32,
    into: GuestSlice,
    address: u32,
    port: u32,
) -> Ret {
    // Ranges are checked before anything is taken: a guest mistake loses no datagram.
    let is_writable = |ptr: u32, len: u32| ptr == 0 || GuestSlice { ptr, len }.read(memory).is_some();
    if into.read(memory).is_none() || !is_writable(address, 1) || !is_writable(port, 2) {
        // Where nothing waits no range matters, as upstream has it.
        return if sockets.udp_pending(id) == 0 { Ret::Int(0) } else { FAILED };
    }
    let Some(datagram) = sockets.udp_receive(id) else { return Ret::Int(0) };
    let data = datagram.data.get(..datagram.data.len().min(into.len as usize)).unwrap_or_default();
    let ret = written(memory, into, data);
    if address != 0 {
        let text = format!("{}\0", datagram.from.ip());
        // The buffer's size is not told; the contract reserves this much.
        GuestSlice { ptr: address, len: ADDRESS_TEXT_BYTES.min(count_u32(text.len())) }.write(memory, text.as_bytes());
    }
    if port != 0 {
        GuestSlice { ptr: port, len: 2 }.write(memory, &datagram.from.port().to_le_bytes());
    }
    ret
}

fn count_u32(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}
