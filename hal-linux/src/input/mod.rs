//! Inputs: what `--input` and the settings name, and how it is read.
//!
//! Files and standard input are played once ([`crate::logs`]); connections and serial ports are kept up ([`live`]).

#[cfg(feature = "mqtt")]
pub mod broker;
pub mod live;
pub(crate) mod serial;
pub mod server;
pub mod stop;

use std::fmt;
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, UdpSocket};
use std::path::PathBuf;

use skiff_runtime::n2k::log::Format;

use crate::hal::queue;
use crate::logs::Source;
#[cfg(feature = "mqtt")]
use broker::Listener;
use live::Link;
use server::Server;

/// What can be an input.
const KINDS: &str = "a file, -, can://IFACE, tcp://HOST:PORT, tcp-listen://ADDR:PORT, udp://ADDR:PORT, \
                     serial:///dev/NAME?baud=N, and other Signal K servers: ws://HOST:PORT, wss://HOST:PORT, \
                     http://HOST:PORT, https://HOST:PORT and mdns://NAME; brokers: mqtt://HOST and mqtts://HOST";
/// Options behind an address.
const OPTIONS: &str = "there are format=, label=, for serial baud=, and for Signal K servers token=, token-file=, ca=, \
                       fingerprint=, subscribe= and self=";
/// Bit rate of a serial port when none is given: that of Actisense's NGT-1.
const BAUD: u32 = 115_200;
/// Bit rates that a serial port can be asked for.
const BAUDS: std::ops::RangeInclusive<u32> = 300..=4_000_000;

/// Where an input comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Address {
    /// A file or standard input.
    Log(Source),
    /// `tcp://HOST:PORT`: a server to connect to.
    Tcp(String),
    /// `tcp-listen://ADDR:PORT`: clients that connect to us.
    TcpListen(SocketAddr),
    /// `udp://ADDR:PORT`: datagrams to that port; a multicast address is joined.
    Udp(SocketAddr),
    /// `serial:///dev/NAME?baud=N`.
    Serial {
        /// The device.
        path: PathBuf,
        /// Bits per second.
        baud: u32,
    },
    /// `can://IFACE`: as `--can`.
    Can(String),
    /// `ws://`, `wss://`, `http://`, `https://`, `signalk://`, `mdns://`: another Signal K server.
    Server(Box<Server>),
    /// `mqtt://`, `mqtts://`: a broker.
    #[cfg(feature = "mqtt")]
    Broker(Box<Listener>),
}

/// How an input is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wire {
    /// Frames, messages and sentences.
    Records(Format),
    /// Deltas of Signal K, one a line.
    Deltas,
}

impl Wire {
    /// Returns the format that a log and an adapter are read by.
    #[must_use]
    pub fn format(self) -> Format {
        match self {
            Self::Records(format) => format,
            // No adapter is spoken to that sends deltas.
            Self::Deltas => Format::Canboat,
        }
    }
}

/// Name of [`Wire::Deltas`].
const DELTAS: &str = "deltas";

/// One `--input`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Input {
    /// Where it comes from.
    pub address: Address,
    /// How it is written.
    pub wire: Wire,
    label: Option<String>,
}

impl Input {
    /// Takes what a user typed: an address, and options behind `?`.
    ///
    /// # Errors
    /// What to write instead.
    pub fn parse(text: &str) -> Result<Self, String> {
        // A file's name can hold `?`; options are `name=value`.
        let (address, options) =
            text.rsplit_once('?').filter(|(_, options)| options.contains('=')).unwrap_or((text, ""));
        #[cfg(feature = "mqtt")]
        if let Some((scheme @ ("mqtt" | "mqtts"), place)) = address.split_once("://") {
            let (listener, label) = Listener::parse(scheme == "mqtts", place, options)?;
            return Ok(Self { address: Address::Broker(Box::new(listener)), wire: Wire::Deltas, label });
        }
        let (mut wire, mut label, mut baud) = (None, None, None);
        let mut server = match address.split_once("://").map(|(scheme, rest)| Server::parse(scheme, rest)) {
            Some(Some(server)) => Some(server?),
            _ => None,
        };
        for option in options.split('&').filter(|option| !option.is_empty()) {
            match option.split_once('=') {
                Some((name, value)) if is_of(server.as_mut(), name, value)? => {}
                Some(("format", DELTAS)) => wire = Some(Wire::Deltas),
                Some(("format", name)) => {
                    let names = || Format::ALL.map(|(name, _)| name).join(", ");
                    let format = Format::from_name(name).ok_or_else(|| format!("formats are {}, {DELTAS}", names()))?;
                    wire = Some(Wire::Records(format));
                }
                Some(("label", name)) if !name.is_empty() => label = Some(name.to_owned()),
                Some(("baud", rate)) => {
                    let rate = rate.parse().ok().filter(|rate| BAUDS.contains(rate));
                    baud = Some(rate.ok_or("baud is a number such as 4800, 38400 or 115200")?);
                }
                // What stands behind it can be a secret.
                _ => {
                    let name = option.split('=').next().unwrap_or_default();
                    return Err(format!("{name} is no option; {OPTIONS}"));
                }
            }
        }
        let address = match address.split_once("://") {
            _ if server.is_some() => match server {
                Some(_) if wire.is_some() => return Err("format= is not for servers: they speak Signal K".into()),
                Some(server) => Address::Server(Box::new(server)),
                None => return Err("no server".into()),
            },
            None if address.is_empty() => return Err("the name of the file is missing".into()),
            None => Address::Log(Source::new(address)),
            Some(("tcp", host)) => Address::Tcp(host_and_port(host)?),
            Some(("tcp-listen", address)) => Address::TcpListen(socket_address(address)?),
            Some(("udp", address)) => Address::Udp(socket_address(address)?),
            Some(("serial", path)) if path.starts_with('/') => {
                Address::Serial { path: path.into(), baud: baud.take().unwrap_or(BAUD) }
            }
            Some(("serial", _)) => return Err("write the device with its path: serial:///dev/ttyUSB0".into()),
            Some(("can", name)) if !name.is_empty() => Address::Can(name.to_owned()),
            Some(("can", _)) => return Err("write the interface, for example can://can0".into()),
            Some((scheme, _)) => return Err(format!("{scheme}:// is no kind of input; there are {KINDS}")),
        };
        if baud.is_some() {
            return Err("baud= is for serial ports only".into());
        }
        match (&address, wire) {
            (Address::Log(_), Some(Wire::Deltas)) => {
                return Err("format=deltas is for tcp://, tcp-listen://, udp:// and serial://".into());
            }
            (Address::Can(_), Some(_)) => return Err("format= is not for CAN interfaces".into()),
            _ => {}
        }
        Ok(Self { address, wire: wire.unwrap_or(Wire::Records(Format::Auto)), label })
    }

    /// Returns that of a CAN interface.
    #[must_use]
    pub fn of_can(name: &str) -> Self {
        Self { address: Address::Can(name.to_owned()), wire: Wire::Records(Format::Auto), label: None }
    }

    /// The same, called otherwise.
    #[must_use]
    pub fn with_label(self, label: &str) -> Self {
        Self { label: Some(label.to_owned()), ..self }
    }

    /// Returns the source label of its deltas: the one given, the file's stem, the device's name, or kind and port.
    #[must_use]
    pub fn label(&self) -> String {
        if let Some(label) = &self.label {
            return label.clone();
        }
        match &self.address {
            Address::Log(source) => source.label(),
            Address::Tcp(host) => format!("tcp-{}", host.rsplit(':').next().unwrap_or_default()),
            Address::TcpListen(address) => format!("tcp-listen-{}", address.port()),
            Address::Udp(address) => format!("udp-{}", address.port()),
            Address::Serial { path, .. } => {
                path.file_name().map_or_else(|| "serial".into(), |name| name.to_string_lossy().into_owned())
            }
            Address::Can(name) => name.clone(),
            Address::Server(server) => server.label(),
            #[cfg(feature = "mqtt")]
            Address::Broker(listener) => listener.broker.label(),
        }
    }

    /// Tells whether the vessel of the server that it comes from stays another one.
    #[must_use]
    pub fn is_apart(&self) -> bool {
        matches!(&self.address, Address::Server(server) if server.is_apart)
    }

    /// Opens what must be there from the start: our own ports. Others are connected to later, again and again.
    ///
    /// # Errors
    /// What the system said; `None` for a log, which is opened as a file, and for a CAN interface.
    pub fn link(&self) -> io::Result<Option<Link>> {
        Ok(Some(match &self.address {
            Address::Log(_) | Address::Can(_) => return Ok(None),
            Address::Server(server) => Link::Server(server.clone()),
            #[cfg(feature = "mqtt")]
            Address::Broker(listener) => Link::Broker(Box::new(listener.labelled(&self.label()))),
            Address::Tcp(host) => Link::Tcp(host.clone()),
            Address::Serial { path, baud } => Link::Serial { path: path.clone(), baud: *baud },
            Address::TcpListen(address) => Link::TcpListen(TcpListener::bind(address)?),
            Address::Udp(address) => Link::Udp(udp(*address)?),
        }))
    }
}

impl fmt::Display for Input {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.address {
            Address::Log(source) => source.fmt(f),
            Address::Tcp(host) => write!(f, "tcp://{host}"),
            Address::TcpListen(address) => write!(f, "tcp-listen://{address}"),
            Address::Udp(address) => write!(f, "udp://{address}"),
            Address::Serial { path, baud } => write!(f, "serial://{}?baud={baud}", path.display()),
            Address::Can(name) => write!(f, "can://{name}"),
            Address::Server(server) => server.fmt(f),
            #[cfg(feature = "mqtt")]
            Address::Broker(listener) => listener.broker.fmt(f),
        }
    }
}

/// Gives a server's option to the server; false where there is none, or it is none of its.
fn is_of(server: Option<&mut Server>, name: &str, value: &str) -> Result<bool, String> {
    server.map_or(Ok(false), |server| server.set(name, value))
}

fn udp(address: SocketAddr) -> io::Result<UdpSocket> {
    let socket = bound(address)?;
    queue::lengthen(&socket);
    Ok(socket)
}

fn bound(address: SocketAddr) -> io::Result<UdpSocket> {
    match address {
        SocketAddr::V4(address) if address.ip().is_multicast() => {
            let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, address.port()))?;
            socket.join_multicast_v4(address.ip(), &Ipv4Addr::UNSPECIFIED)?;
            Ok(socket)
        }
        _ => UdpSocket::bind(address),
    }
}

fn host_and_port(text: &str) -> Result<String, String> {
    let port =
        text.rsplit_once(':').filter(|(host, _)| !host.is_empty()).and_then(|(_, port)| port.parse::<u16>().ok());
    port.map(|_| text.to_owned()).ok_or_else(|| "write host and port, for example tcp://192.168.1.20:1457".into())
}

fn socket_address(text: &str) -> Result<SocketAddr, String> {
    text.parse().map_err(|_| "write address and port, for example 0.0.0.0:2000 or 127.0.0.1:2000".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_input_has_its_address() {
        let parse = |text: &str| Input::parse(text).unwrap();
        let any: SocketAddr = "0.0.0.0:2000".parse().unwrap();
        for (text, address, format, label) in [
            ("logs/a.log", Address::Log(Source::File("logs/a.log".into())), Format::Auto, "a"),
            ("what?.log", Address::Log(Source::File("what?.log".into())), Format::Auto, "what?"),
            ("-?format=canboat", Address::Log(Source::Stdin), Format::Canboat, "stdin"),
            ("tcp://boat.local:1457", Address::Tcp("boat.local:1457".into()), Format::Auto, "tcp-1457"),
            ("tcp://[::1]:1457?format=ydwg", Address::Tcp("[::1]:1457".into()), Format::Ydwg, "tcp-1457"),
            ("tcp-listen://0.0.0.0:2000", Address::TcpListen(any), Format::Auto, "tcp-listen-2000"),
            ("udp://0.0.0.0:2000?label=wifi", Address::Udp(any), Format::Auto, "wifi"),
            (
                "serial:///dev/ttyUSB0?baud=4800&format=pcdin",
                Address::Serial { path: "/dev/ttyUSB0".into(), baud: 4800 },
                Format::Pcdin,
                "ttyUSB0",
            ),
            ("serial:///dev/ngt", Address::Serial { path: "/dev/ngt".into(), baud: 115_200 }, Format::Auto, "ngt"),
        ] {
            let input = parse(text);
            let wire = Wire::Records(format);
            assert_eq!((&input.address, input.wire, input.label().as_str()), (&address, wire, label), "{text}");
        }
        assert_eq!(parse("serial:///dev/ngt").to_string(), "serial:///dev/ngt?baud=115200");
        let can = parse("can://can1?label=engine");
        assert_eq!(
            (can.address.clone(), can.label(), can.to_string()),
            (Address::Can("can1".into()), "engine".into(), "can://can1".into())
        );
        for text in ["tcp://boat:8375", "tcp-listen://0.0.0.0:2000", "udp://0.0.0.0:2000", "serial:///dev/x"] {
            assert_eq!(parse(&format!("{text}?format=deltas")).wire, Wire::Deltas, "{text}");
        }
    }

    #[test]
    fn what_is_no_input_says_what_to_write() {
        for (text, wanted) in [
            ("", "missing"),
            ("?format=candump", "missing"),
            ("ftp://x", "no kind of input"),
            ("tcp://boat", "host and port"),
            ("tcp://:80", "host and port"),
            ("udp://boat:2000", "address and port"),
            ("serial://ttyUSB0", "with its path"),
            ("serial:///dev/x?baud=7", "baud is a number"),
            ("a.log?baud=4800", "serial ports only"),
            ("a.log?format=morse", "formats are auto"),
            ("a.log?speed=1", "no option"),
            ("a.log?token=secret", "token is no option"),
            ("a.log?format=deltas", "tcp://"),
            ("can://", "can://can0"),
            ("can://can0?format=candump", "not for CAN"),
            ("ws://", "host and port"),
            ("ws://boat:port", "host and port"),
            ("signalk://boat", "host and port"),
            ("ws://user@boat:3000", "host and port"),
            ("ws://boat:3000?format=deltas", "they speak Signal K"),
            ("ws://boat:3000?baud=4800", "serial ports only"),
            ("ws://boat:3000?token=", "token= is empty"),
            ("ws://boat:3000?subscribe=some", "all or self"),
            ("ws://boat:3000?self=mine", "own or other"),
            ("wss://boat:3443?fingerprint=AB", "64 hexadecimal digits"),
            ("ws://boat:3000?tokn=secret", "tokn is no option"),
        ] {
            let error = Input::parse(text).unwrap_err();
            assert!(error.contains(wanted) && !error.contains("secret"), "{text}: {error}");
        }
    }
}
