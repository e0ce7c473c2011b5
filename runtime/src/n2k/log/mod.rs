//! What gateways and tools write down of NMEA 2000: log files and the streams of serial and network gateways.
//!
//! [`LogStream`] is fed bytes and gives entries; it finds out the format, text or binary. [`LogReader`] takes one line
//! of a text format; [`LogWriter`] writes lines. Files, sockets and clocks are the caller's. In canboat's format a
//! short line can be a CAN frame or a whole fast packet: [`Mode`] says which.

pub mod bst;
mod canboat;
mod candump;
mod dle;
mod error;
mod garmin;
mod hex;
mod ikonvert;
mod moment;
mod n2kascii;
mod pcap;
mod prefix;
mod reader;
mod sentence;
mod stream;
mod trc;
mod write;
mod ydvr;
mod ydwg;

pub use error::LineError;
pub use reader::LogReader;
pub use stream::{CHUNK_BYTES_MAX, LogEntry, LogStream};
pub use write::{LogWriter, To, WriteError};

use super::id::Id;
use super::payload::Payload;
use crate::hal::CanFrame;
use crate::time::UnixMillis;

/// Bytes of one line that are read; the longest message of a log (1,785 bytes) takes about 5,400.
pub const LINE_BYTES_MAX: usize = 8 * 1024;

/// How lines are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// Found out by what stands in it, line by line in text.
    #[default]
    Auto,
    /// Linux can-utils, all of its forms, with or without times.
    Candump,
    /// canboat's plain format: `2016-02-28T19:57:02.364Z,2,127250,7,255,8,ff,10,…`.
    Canboat,
    /// Yacht Devices RAW.
    Ydwg,
    /// Actisense N2K ASCII.
    N2kAscii,
    /// Actisense NGT-1 binary.
    Ngt1,
    /// Actisense EBL.
    Ebl,
    /// Digital Yacht iKonvert.
    IKonvert,
    /// NMEA 0183 sentence PCDIN.
    Pcdin,
    /// NMEA 0183 sentence MXPGN.
    Mxpgn,
    /// Garmin CSV.
    Garmin,
    /// PEAK PCAN trace.
    Trc,
    /// Actisense BST messages as lines of JSON: `{"pgn":…,"payload":[147,…]}`.
    Bst,
    /// libpcap with the link type of SocketCAN.
    Pcap,
    /// Binary file of Yacht Devices' voyage recorder, `.DAT`.
    Ydvr,
}

impl Format {
    /// Every format and its name on the command line.
    pub const ALL: [(&'static str, Self); 15] = [
        ("auto", Self::Auto),
        ("candump", Self::Candump),
        ("canboat", Self::Canboat),
        ("ydwg", Self::Ydwg),
        ("n2kascii", Self::N2kAscii),
        ("ngt1", Self::Ngt1),
        ("ebl", Self::Ebl),
        ("ikonvert", Self::IKonvert),
        ("pcdin", Self::Pcdin),
        ("mxpgn", Self::Mxpgn),
        ("garmin", Self::Garmin),
        ("trc", Self::Trc),
        ("bst", Self::Bst),
        ("pcap", Self::Pcap),
        ("ydvr", Self::Ydvr),
    ];

    /// Returns the format of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|(known, _)| *known == name).map(|(_, format)| *format)
    }

    /// Returns the name.
    #[must_use]
    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|(_, format)| *format == self).map_or("auto", |(name, _)| *name)
    }

    /// Tells whether it is no text: [`LogStream`] reads it, and [`LogReader`] refuses it.
    #[must_use]
    pub fn is_binary(self) -> bool {
        matches!(self, Self::Ngt1 | Self::Ebl | Self::Pcap | Self::Ydvr)
    }
}

/// What a canboat line of at most 8 bytes is, when its PGN is a fast packet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// A frame until a line of more than 8 bytes or `# format=FAST` comes, from then on a whole message.
    #[default]
    Auto,
    /// A whole message.
    Fast,
    /// A frame; longer lines are refused.
    Plain,
    /// A frame; longer lines are whole messages.
    Mixed,
}

impl Mode {
    /// Every mode and its name on the command line.
    pub const ALL: [(&'static str, Self); 4] =
        [("auto", Self::Auto), ("fast", Self::Fast), ("plain", Self::Plain), ("mixed", Self::Mixed)];

    /// Returns the mode of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|(known, _)| *known == name).map(|(_, mode)| *mode)
    }
}

/// What one line holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Its time, when the line has one; offsets count from 1970.
    pub time: Option<UnixMillis>,
    /// Its data.
    pub item: Item,
}

/// The data of a line.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::large_enum_variant, reason = "one record at a time, and the core has no allocation for it")]
pub enum Item {
    /// One CAN frame.
    Frame(CanFrame),
    /// One whole message.
    Whole {
        /// Who sent what to whom; the PGN can be one of a gateway's own, beyond 18 bits.
        id: Id,
        /// Its data.
        payload: Payload,
    },
}

#[cfg(test)]
mod tests;
