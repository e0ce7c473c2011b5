//! What `--output` names.

use std::fmt;
use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::time::Duration;

use skiff_runtime::n2k::log::{self, To};
use skiff_runtime::nmea0183::out::{Config, Kinds, Paces, Talker};

#[cfg(feature = "influx")]
use super::influx::Server;
#[cfg(feature = "mqtt")]
use super::mqtt::Destination;

/// Bit rate of NMEA 0183.
const BAUD: u32 = 4800;
/// Bit rates that a serial port can be asked for.
const BAUDS: std::ops::RangeInclusive<u32> = 300..=4_000_000;
/// Milliseconds between two sentences of a kind.
const EVERY: std::ops::RangeInclusive<u32> = 50..=3_600_000;

/// Where an output goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Address {
    /// `tcp-listen://ADDR:PORT`: clients that connect to us.
    TcpListen(SocketAddr),
    /// `tcp://HOST:PORT`: a server to connect to.
    Tcp(String),
    /// `udp://ADDR:PORT`: datagrams to an address, also a broadcast one.
    Udp(SocketAddr),
    /// `influx://HOST:PORT?db=NAME`: a server of time series.
    #[cfg(feature = "influx")]
    Influx(Box<Server>),
    /// `mqtt://[USER@]HOST[:PORT]`: a broker.
    #[cfg(feature = "mqtt")]
    Mqtt(Box<Destination>),
    /// `serial:///dev/NAME?baud=N`.
    Serial {
        /// The device.
        path: PathBuf,
        /// Bits per second.
        baud: u32,
    },
}

/// How an output is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Sentences of NMEA 0183.
    Nmea0183(Config),
    /// Signal K's deltas, one a line, after a line that greets.
    Deltas,
    /// Frames or messages of NMEA 2000, a line each; what comes back is for the bus.
    Raw(To),
    /// Values in InfluxDB's line protocol.
    #[cfg(feature = "influx")]
    Influx,
    /// Messages of MQTT.
    #[cfg(feature = "mqtt")]
    Mqtt,
}

/// Formats of NMEA 2000, by their names on the command line.
const RAW: [(&str, To); 5] = [
    ("ydwg", To::Ydwg),
    ("ydraw", To::Ydwg),
    ("candump", To::Candump),
    ("n2kascii", To::N2kAscii),
    ("canboat", To::Canboat),
];
/// What a format can be.
const FORMATS: &str = "formats are nmea0183, deltas, ydwg, candump, n2kascii and canboat";

impl Format {
    fn parse(name: &str) -> Result<Self, String> {
        match name {
            "nmea0183" => Ok(Self::Nmea0183(Config::default())),
            "deltas" => Ok(Self::Deltas),
            _ => {
                let raw = RAW.iter().find(|(known, _)| *known == name);
                raw.map(|(_, to)| Self::Raw(*to)).ok_or_else(|| FORMATS.into())
            }
        }
    }

    /// Returns its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Nmea0183(_) => "nmea0183",
            Self::Deltas => "deltas",
            #[cfg(feature = "influx")]
            Self::Influx => "influx",
            #[cfg(feature = "mqtt")]
            Self::Mqtt => "mqtt",
            Self::Raw(to) => RAW.iter().find(|(_, known)| *known == to).map_or("raw", |(name, _)| name),
        }
    }

    /// Returns how what comes back is read; `None` where nobody listens.
    #[must_use]
    pub fn back(self) -> Option<log::Format> {
        match self {
            Self::Raw(To::Ydwg) => Some(log::Format::Ydwg),
            Self::Raw(To::Candump) => Some(log::Format::Candump),
            Self::Raw(To::N2kAscii) => Some(log::Format::N2kAscii),
            Self::Raw(To::Canboat) => Some(log::Format::Canboat),
            Self::Nmea0183(_) | Self::Deltas => None,
            #[cfg(feature = "influx")]
            Self::Influx => None,
            #[cfg(feature = "mqtt")]
            Self::Mqtt => None,
        }
    }
}

/// One `--output`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Output {
    /// Where it goes.
    pub address: Address,
    /// How it is written.
    pub format: Format,
    name: Option<String>,
}

impl Output {
    /// Returns what it is called: the name given, else where it goes.
    #[must_use]
    pub fn name(&self) -> String {
        self.name.clone().unwrap_or_else(|| self.to_string())
    }

    /// The same, called otherwise.
    #[must_use]
    pub fn with_name(self, name: &str) -> Self {
        Self { name: Some(name.to_owned()), ..self }
    }

    /// Takes what a user typed: an address, and options behind `?`: `format=`, `sentences=`, `talker=`, `every=`, `baud=`.
    ///
    /// # Errors
    /// What to write instead.
    pub fn parse(text: &str) -> Result<Self, String> {
        let (address, options) = text.split_once('?').unwrap_or((text, ""));
        #[cfg(feature = "influx")]
        if let Some((scheme @ ("influx" | "influxs"), host)) = address.split_once("://") {
            let server = Server::parse(scheme == "influxs", host, options)?;
            return Ok(Self { address: Address::Influx(Box::new(server)), format: Format::Influx, name: None });
        }
        #[cfg(feature = "mqtt")]
        if let Some((scheme @ ("mqtt" | "mqtts"), place)) = address.split_once("://") {
            let destination = Destination::parse(scheme == "mqtts", place, options)?;
            return Ok(Self { address: Address::Mqtt(Box::new(destination)), format: Format::Mqtt, name: None });
        }
        let mut format = Format::Nmea0183(Config::default());
        let (mut config, mut of_sentences, mut baud) = (Config::default(), None, None);
        for option in options.split('&').filter(|option| !option.is_empty()) {
            let (name, value) = option.split_once('=').unwrap_or((option, ""));
            match name {
                "format" => format = Format::parse(value)?,
                "sentences" => config.kinds = kinds(value)?,
                "talker" => {
                    config.talker = Talker::parse(value).ok_or("talker is two capital letters such as II or GP")?;
                }
                "every" => (config.every, config.paces) = pace(value, config.every)?,
                "baud" => {
                    let rate = value.parse().ok().filter(|rate| BAUDS.contains(rate));
                    baud = Some(rate.ok_or("baud is a number such as 4800 or 38400")?);
                }
                _ => {
                    return Err(format!(
                        "{option} is no option; there are format=, sentences=, talker=, every= and, for serial, baud="
                    ));
                }
            }
            if matches!(name, "sentences" | "talker" | "every") {
                of_sentences = Some(name.to_owned());
            }
        }
        let address = match address.split_once("://") {
            Some(("tcp-listen", address)) => Address::TcpListen(socket_address(address)?),
            Some(("tcp", host)) => Address::Tcp(host_and_port(host)?),
            Some(("udp", address)) => Address::Udp(socket_address(address)?),
            Some(("serial", path)) if path.starts_with('/') => {
                Address::Serial { path: path.into(), baud: baud.take().unwrap_or(BAUD) }
            }
            Some(("serial", _)) => return Err("write the device with its path: serial:///dev/ttyUSB0".into()),
            _ => {
                return Err(format!(
                    "{address} is no kind of output; there are tcp-listen://ADDR:PORT, tcp://HOST:PORT, \
                     udp://ADDR:PORT, serial:///dev/NAME?baud=N{}{}",
                    if cfg!(feature = "influx") { ", influx://HOST:PORT?db=NAME" } else { "" },
                    if cfg!(feature = "mqtt") { ", mqtt://HOST" } else { "" }
                ));
            }
        };
        if baud.is_some() {
            return Err("baud= is for serial ports only".into());
        }
        if let Some(name) = of_sentences.filter(|_| !matches!(format, Format::Nmea0183(_))) {
            return Err(format!("{name}= is for format=nmea0183 only"));
        }
        if format == Format::Deltas && !matches!(address, Address::TcpListen(_) | Address::Tcp(_)) {
            return Err("format=deltas is for tcp-listen:// and tcp:// only".into());
        }
        let format = if matches!(format, Format::Nmea0183(_)) { Format::Nmea0183(config) } else { format };
        Ok(Self { address, format, name: None })
    }
}

impl fmt::Display for Output {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.address {
            Address::TcpListen(address) => write!(f, "tcp-listen://{address}"),
            Address::Tcp(host) => write!(f, "tcp://{host}"),
            Address::Udp(address) => write!(f, "udp://{address}"),
            #[cfg(feature = "influx")]
            Address::Influx(server) => server.fmt(f),
            #[cfg(feature = "mqtt")]
            Address::Mqtt(destination) => destination.fmt(f),
            Address::Serial { path, baud } => write!(f, "serial://{}?baud={baud}", path.display()),
        }
    }
}

/// Reads the times between two sentences, joined by commas: `500` of all, `HDG:100` of a kind.
fn pace(text: &str, all: Duration) -> Result<(Duration, Paces), String> {
    let (mut all, mut paces) = (all, Paces::NONE);
    for part in text.split(',') {
        let (name, millis) = part.split_once(':').map_or((None, part), |(name, millis)| (Some(name), millis));
        let millis: Option<u32> = millis.parse().ok().filter(|millis| EVERY.contains(millis));
        let millis = millis.and_then(NonZeroU32::new);
        let millis = millis.ok_or("every is milliseconds, from 50 to 3600000, or HDG:100 for single sentences")?;
        match name {
            None => all = Duration::from_millis(millis.get().into()),
            Some(name) => paces.set(kinds(name)?, millis),
        }
    }
    Ok((all, paces))
}

/// Reads names of sentences, joined by commas.
fn kinds(text: &str) -> Result<Kinds, String> {
    let mut kinds = Kinds::NONE;
    for name in text.split(',') {
        let named = Kinds::named(name).ok_or_else(|| {
            let names: Vec<_> = Kinds::names().collect();
            format!("sentences are {}, and MWV, XDR, AIS for all of theirs", names.join(", "))
        })?;
        kinds.join(named);
    }
    Ok(kinds)
}

fn host_and_port(text: &str) -> Result<String, String> {
    let port =
        text.rsplit_once(':').filter(|(host, _)| !host.is_empty()).and_then(|(_, port)| port.parse::<u16>().ok());
    port.map(|_| text.to_owned()).ok_or_else(|| "write host and port, for example tcp://192.168.1.20:10110".into())
}

fn socket_address(text: &str) -> Result<SocketAddr, String> {
    text.parse().map_err(|_| "write address and port, for example 0.0.0.0:10110 or 192.168.1.255:2000".into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use skiff_runtime::nmea0183::out::Kind;

    #[test]
    fn every_kind_of_output_has_its_address() {
        let all = Format::Nmea0183(Config::default());
        let any: SocketAddr = "0.0.0.0:10110".parse().unwrap();
        for (text, address, format) in [
            ("tcp-listen://0.0.0.0:10110", Address::TcpListen(any), all),
            ("tcp-listen://0.0.0.0:10110?format=deltas", Address::TcpListen(any), Format::Deltas),
            ("tcp-listen://0.0.0.0:10110?format=ydraw", Address::TcpListen(any), Format::Raw(To::Ydwg)),
            ("tcp-listen://0.0.0.0:10110?format=candump", Address::TcpListen(any), Format::Raw(To::Candump)),
            ("tcp://boat.local:10110?format=nmea0183", Address::Tcp("boat.local:10110".into()), all),
            ("udp://192.168.1.255:2000", Address::Udp("192.168.1.255:2000".parse().unwrap()), all),
            ("serial:///dev/ttyUSB0", Address::Serial { path: "/dev/ttyUSB0".into(), baud: 4800 }, all),
            ("serial:///dev/x?baud=38400", Address::Serial { path: "/dev/x".into(), baud: 38400 }, all),
        ] {
            let output = Output::parse(text).unwrap();
            assert_eq!((output.address, output.format), (address, format), "{text}");
        }
        let output = Output::parse("udp://127.0.0.1:1?sentences=rmc,MWV&talker=GP&every=200").unwrap();
        let Format::Nmea0183(config) = output.format else { panic!() };
        let paced = Output::parse("udp://127.0.0.1:1?every=500,HDG:100,AIS:5000").unwrap();
        let Format::Nmea0183(paced) = paced.format else { panic!() };
        let millis = Duration::from_millis;
        assert_eq!(
            (paced.every, paced.paces.of(Kind::Hdg), paced.paces.of(Kind::Vdm)),
            (millis(500), Some(millis(100)), Some(millis(5000)))
        );
        assert_eq!(paced.paces.of(Kind::Rmc), None);
        assert!(config.kinds.has(Kind::Rmc) && config.kinds.has(Kind::MwvT) && !config.kinds.has(Kind::Gga));
        assert_eq!((config.talker, config.every), (Talker::parse("GP").unwrap(), Duration::from_millis(200)));
    }

    #[test]
    fn what_is_no_output_says_what_to_write() {
        for (text, wanted) in [
            ("", "no kind of output"),
            ("a.log", "tcp-listen://ADDR:PORT"),
            ("ftp://x", "no kind of output"),
            ("tcp://boat", "host and port"),
            ("tcp-listen://10110", "address and port"),
            ("udp://boat:2000", "address and port"),
            ("serial://ttyUSB0", "with its path"),
            ("serial:///dev/x?baud=7", "baud is a number"),
            ("udp://127.0.0.1:1?baud=4800", "serial ports only"),
            ("udp://127.0.0.1:1?format=morse", "formats are nmea0183, deltas, ydwg"),
            ("udp://127.0.0.1:1?format=deltas", "tcp-listen:// and tcp:// only"),
            ("udp://127.0.0.1:1?sentences=RMC,XYZ", "sentences are RMC, GGA"),
            ("udp://127.0.0.1:1?talker=P", "two capital letters"),
            ("udp://127.0.0.1:1?every=1", "milliseconds"),
            ("udp://127.0.0.1:1?every=HDG:x", "milliseconds"),
            ("udp://127.0.0.1:1?every=XYZ:100", "sentences are RMC"),
            ("tcp-listen://127.0.0.1:1?format=ydwg&talker=GP", "talker= is for format=nmea0183"),
            ("udp://127.0.0.1:1?speed=1", "no option"),
            ("tcp-listen://127.0.0.1:1?format=deltas&every=100", "every= is for format=nmea0183"),
        ] {
            let error = Output::parse(text).unwrap_err();
            assert!(error.contains(wanted), "{text}: {error}");
        }
    }
}
