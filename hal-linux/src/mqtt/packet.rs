//! Packets of MQTT 3.1.1 and 5 as a client writes and reads them, without a socket and without a clock.
//!
//! ```text
//! | kind, flags: 1 | length of the rest: 1 to 4 | the rest: what the kind says |
//! ```
//!
//! A client that publishes at most once acknowledged (QoS 1), subscribes, and keeps no session at the broker has use for eleven kinds.
//! Of version 5's properties it reads what a broker asks it to keep to, and passes over the others.

use std::fmt;

/// Bytes of a packet that is read; a longer one ends the connection.
pub const PACKET_BYTES_MAX: usize = 256 * 1024;
/// Bytes of a text or of a password (MQTT 5 §1.5.4).
const TEXT_BYTES_MAX: usize = 65_535;
/// Largest length that four bytes hold (MQTT 5 §1.5.5).
const LENGTH_MAX: usize = 268_435_455;

/// Which protocol is spoken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Version {
    /// 3.1.1 (level 4).
    #[default]
    V3,
    /// 5.
    V5,
}

/// Something that is published.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Message<'a> {
    /// Where.
    pub topic: &'a str,
    /// What.
    pub payload: &'a [u8],
    /// It is kept for those who come later.
    pub is_retained: bool,
}

/// Who a client is, and what is to be said of it when it goes without a word.
#[derive(Clone, Copy, Debug)]
pub struct Connect<'a> {
    /// Its name among the clients of the broker.
    pub client: &'a str,
    /// Seconds without a word after which it is taken for gone.
    pub keep_alive_s: u16,
    /// Who logs in.
    pub user: Option<&'a str>,
    /// With what.
    pub password: Option<&'a [u8]>,
    /// The last will, QoS 1.
    pub will: Option<Message<'a>>,
}

/// A packet of a broker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Packet<'a> {
    /// It lets the client in.
    Accepted(Terms),
    /// It does not, by this code.
    Refused(u8),
    /// Something that was subscribed to; `id` is to be acknowledged.
    Publish {
        /// What.
        message: Message<'a>,
        /// Of QoS 1.
        id: Option<u16>,
    },
    /// It has a message; or does not want it, by this code.
    Acknowledged(u16, Option<u8>),
    /// It took a subscription; or refuses one of its filters.
    Subscribed(u16, bool),
    /// It is there.
    Pong,
    /// It ends the connection, by this code.
    Ended(u8),
}

/// What a broker asks its clients to keep to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Terms {
    /// Messages that may be under way at a time.
    pub receive_max: u16,
    /// Bytes of a packet that it takes.
    pub packet_bytes_max: u32,
    /// Seconds of keep alive that it wants instead.
    pub keep_alive_s: Option<u16>,
}

impl Default for Terms {
    /// What holds where it asks nothing (MQTT 5 §3.2.2.3).
    fn default() -> Self {
        Self { receive_max: u16::MAX, packet_bytes_max: u32::MAX, keep_alive_s: None }
    }
}

/// Why what came is no packet for a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// A length or a text that cannot be.
    Malformed,
    /// Longer than [`PACKET_BYTES_MAX`].
    TooLong,
    /// Of a kind that no client gets.
    Unexpected(u8),
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed => f.write_str("what came is no MQTT"),
            Self::TooLong => write!(f, "a packet of more than {PACKET_BYTES_MAX} bytes came"),
            Self::Unexpected(kind) => write!(f, "a packet of kind {kind} came, which no client gets"),
        }
    }
}

impl std::error::Error for Fault {}

// Kinds with their flags (MQTT 5 §2.1.2, §2.1.3).
const CONNECT: u8 = 0x10;
const PUBLISH: u8 = 0x30;
const PUBLISH_RETAIN: u8 = 0x01;
const PUBLISH_QOS_1: u8 = 0x02;
const PUBACK: u8 = 0x40;
const SUBSCRIBE: u8 = 0x82;
const PINGREQ: u8 = 0xc0;
const DISCONNECT: u8 = 0xe0;
/// Codes from here on are refusals (MQTT 5 §2.4).
const REFUSALS: u8 = 0x80;

/// Writes one packet: its kind, then the length of what `fill` has written.
fn packet(out: &mut Vec<u8>, kind: u8, fill: impl FnOnce(&mut Vec<u8>)) {
    let mut rest = Vec::new();
    fill(&mut rest);
    out.push(kind);
    let mut length = rest.len().min(LENGTH_MAX);
    loop {
        let digit = u8::try_from(length % 128).unwrap_or(0);
        length /= 128;
        out.push(if length > 0 { digit | 0x80 } else { digit });
        if length == 0 {
            break;
        }
    }
    out.append(&mut rest);
}

fn number(out: &mut Vec<u8>, number: u16) {
    out.extend(number.to_be_bytes());
}

/// Writes a text or bytes; what is too long is cut.
fn text(out: &mut Vec<u8>, bytes: &[u8]) {
    let bytes = bytes.get(..TEXT_BYTES_MAX).unwrap_or(bytes);
    number(out, u16::try_from(bytes.len()).unwrap_or(u16::MAX));
    out.extend(bytes);
}

/// Writes that there are no properties, where there could be some.
fn no_properties(out: &mut Vec<u8>, version: Version) {
    if version == Version::V5 {
        out.push(0);
    }
}

/// Writes who the client is (MQTT 5 §3.1). It keeps no session at the broker: what waits for it waits here.
pub fn connect(out: &mut Vec<u8>, version: Version, connect: &Connect<'_>) {
    packet(out, CONNECT, |out| {
        text(out, b"MQTT");
        out.push(if version == Version::V5 { 5 } else { 4 });
        let mut flags = 0x02;
        flags |= if connect.user.is_some() { 0x80 } else { 0 };
        flags |= if connect.password.is_some() { 0x40 } else { 0 };
        if let Some(will) = &connect.will {
            flags |= 0x0c | if will.is_retained { 0x20 } else { 0 };
        }
        out.push(flags);
        number(out, connect.keep_alive_s);
        no_properties(out, version);
        text(out, connect.client.as_bytes());
        if let Some(will) = &connect.will {
            no_properties(out, version);
            text(out, will.topic.as_bytes());
            text(out, will.payload);
        }
        connect.user.iter().for_each(|user| text(out, user.as_bytes()));
        connect.password.iter().for_each(|password| text(out, password));
    });
}

/// Writes something that is published (MQTT 5 §3.3); with an `id` it is QoS 1.
pub fn publish(out: &mut Vec<u8>, version: Version, message: &Message<'_>, id: Option<u16>) {
    let retain = if message.is_retained { PUBLISH_RETAIN } else { 0 };
    let qos = if id.is_some() { PUBLISH_QOS_1 } else { 0 };
    packet(out, PUBLISH | retain | qos, |out| {
        text(out, message.topic.as_bytes());
        id.iter().for_each(|id| number(out, *id));
        no_properties(out, version);
        out.extend(message.payload);
    });
}

/// Writes which topics are wanted, at QoS 1 at most (MQTT 5 §3.8). Those of version 5 come without what this client publishes itself.
pub fn subscribe<'f>(out: &mut Vec<u8>, version: Version, id: u16, filters: impl Iterator<Item = &'f str>) {
    packet(out, SUBSCRIBE, |out| {
        number(out, id);
        no_properties(out, version);
        for filter in filters {
            text(out, filter.as_bytes());
            out.push(if version == Version::V5 { 0x05 } else { 0x01 });
        }
    });
}

/// Writes that a message has come (MQTT 5 §3.4).
pub fn acknowledge(out: &mut Vec<u8>, id: u16) {
    packet(out, PUBACK, |out| number(out, id));
}

/// Asks whether the broker is there (MQTT 5 §3.12).
pub fn ping(out: &mut Vec<u8>) {
    packet(out, PINGREQ, |_| {});
}

/// Says good-bye (MQTT 5 §3.14): no last will is told.
pub fn disconnect(out: &mut Vec<u8>) {
    packet(out, DISCONNECT, |_| {});
}

/// What is left of a packet.
struct Rest<'a>(&'a [u8]);

impl<'a> Rest<'a> {
    fn bytes(&mut self, count: usize) -> Result<&'a [u8], Fault> {
        let (taken, rest) = self.0.split_at_checked(count).ok_or(Fault::Malformed)?;
        self.0 = rest;
        Ok(taken)
    }

    fn byte(&mut self) -> Result<u8, Fault> {
        self.bytes(1)?.first().copied().ok_or(Fault::Malformed)
    }

    fn number(&mut self) -> Result<u16, Fault> {
        self.bytes(2)?.try_into().map(u16::from_be_bytes).map_err(|_| Fault::Malformed)
    }

    fn text(&mut self) -> Result<&'a str, Fault> {
        let count = self.number()?.into();
        str::from_utf8(self.bytes(count)?).map_err(|_| Fault::Malformed)
    }

    /// Reads a length of one to four bytes.
    fn length(&mut self) -> Result<usize, Fault> {
        let mut length = 0;
        for place in [1, 1 << 7, 1 << 14, 1 << 21] {
            let digit = self.byte()?;
            length += usize::from(digit & 0x7f) * place;
            if digit < 0x80 {
                return Ok(length);
            }
        }
        Err(Fault::Malformed)
    }

    /// Takes the properties; none of version 3.1.1.
    fn properties(&mut self, version: Version) -> Result<Self, Fault> {
        if version == Version::V3 || self.0.is_empty() {
            return Ok(Self(&[]));
        }
        let count = self.length()?;
        self.bytes(count).map(Self)
    }
}

/// Reads the next packet and its length; `None` where not all of it is there.
///
/// # Errors
/// What came is none; nothing that follows can be read.
pub fn next(bytes: &[u8], version: Version) -> Result<Option<(Packet<'_>, usize)>, Fault> {
    let mut rest = Rest(bytes);
    let Ok(kind) = rest.byte() else { return Ok(None) };
    let length = match rest.length() {
        Ok(length) => length,
        // One to four bytes hold it; the next may be under way.
        Err(_) if bytes.len() < 5 => return Ok(None),
        Err(fault) => return Err(fault),
    };
    if length > PACKET_BYTES_MAX {
        return Err(Fault::TooLong);
    }
    let Ok(body) = rest.bytes(length) else { return Ok(None) };
    let taken = bytes.len().saturating_sub(rest.0.len());
    read(kind, Rest(body), version).map(|packet| Some((packet, taken)))
}

fn read(kind: u8, mut rest: Rest<'_>, version: Version) -> Result<Packet<'_>, Fault> {
    Ok(match kind & 0xf0 {
        0x20 => {
            let _has_session = rest.byte()?;
            match rest.byte()? {
                0 => Packet::Accepted(terms(rest.properties(version)?)?),
                code => Packet::Refused(code),
            }
        }
        PUBLISH => {
            let topic = rest.text()?;
            let id = match kind & 0x06 {
                0 => None,
                PUBLISH_QOS_1 => Some(rest.number()?),
                // It was not subscribed to so.
                _ => return Err(Fault::Unexpected(kind)),
            };
            rest.properties(version)?;
            let message = Message { topic, payload: rest.0, is_retained: kind & PUBLISH_RETAIN != 0 };
            Packet::Publish { message, id }
        }
        PUBACK => {
            let id = rest.number()?;
            Packet::Acknowledged(id, rest.byte().ok().filter(|code| *code >= REFUSALS))
        }
        0x90 => {
            let id = rest.number()?;
            rest.properties(version)?;
            Packet::Subscribed(id, rest.0.iter().any(|code| *code >= REFUSALS))
        }
        0xd0 => Packet::Pong,
        0xe0 => Packet::Ended(rest.byte().unwrap_or(0)),
        _ => return Err(Fault::Unexpected(kind)),
    })
}

/// Reads what a broker asks (MQTT 5 §2.2.2.2).
fn terms(mut properties: Rest<'_>) -> Result<Terms, Fault> {
    let mut terms = Terms::default();
    while let Ok(property) = properties.byte() {
        match property {
            0x21 => terms.receive_max = properties.number()?.max(1),
            0x13 => terms.keep_alive_s = Some(properties.number()?),
            0x27 => {
                let bytes = properties.bytes(4)?.try_into().map_err(|_| Fault::Malformed)?;
                terms.packet_bytes_max = u32::from_be_bytes(bytes);
            }
            // One byte each.
            0x24 | 0x25 | 0x28..=0x2a => drop(properties.byte()?),
            0x22 => drop(properties.number()?),
            0x11 => drop(properties.bytes(4)?),
            0x12 | 0x15 | 0x16 | 0x1a | 0x1c | 0x1f => {
                let count = properties.number()?.into();
                properties.bytes(count)?;
            }
            // A pair.
            0x26 => {
                for _ in 0..2 {
                    let count = properties.number()?.into();
                    properties.bytes(count)?;
                }
            }
            _ => return Err(Fault::Malformed),
        }
    }
    Ok(terms)
}

/// Says what a code means; those of 3.1.1 to a login are 1 to 5 (MQTT 3.1.1 §3.2.2.3, MQTT 5 §2.4).
pub fn meaning(code: u8) -> &'static str {
    match code {
        0x01 | 0x84 => "the broker does not speak this version of MQTT: version=3.1.1 or version=5",
        0x02 | 0x85 => "the broker does not take the client's name",
        0x03 | 0x88 | 0x89 => "the broker is not available",
        0x04 | 0x86 => "the broker does not take user and password",
        0x05 | 0x87 => "the broker does not allow it",
        0x8b => "the broker shuts down",
        0x8d => "the broker has heard nothing for too long",
        0x8e => "another client has come with the same name",
        0x90 => "the broker does not take the topic",
        0x93 | 0x96 => "too much at a time for the broker",
        0x95 => "the packet is too large for the broker",
        0x97 => "the quota is used up",
        _ => "the broker refuses it",
    }
}

#[cfg(test)]
mod tests;
