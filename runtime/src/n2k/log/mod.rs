//! Log files of NMEA 2000, line by line: candump and canboat's plain format.
//!
//! The reader takes one line and gives what stands in it; files, line numbers and clocks are the
//! caller's. In canboat's format a short line can be a CAN frame or a whole fast packet: [`Mode`] says which.

mod canboat;
mod candump;

use core::fmt;

use super::fast_packet::Payload;
use super::id::Id;
use crate::hal::CanFrame;
use crate::time::UnixMillis;

/// Bytes of one line that are read; the longest message of a log (1,785 bytes) takes about 5,400.
pub const LINE_BYTES_MAX: usize = 8 * 1024;

/// How lines are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// Each line is looked at: candump or canboat.
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
    /// Actisense BST.
    Bst,
    /// libpcap.
    Pcap,
}

impl Format {
    /// Every format and its name on the command line.
    pub const ALL: [(&'static str, Self); 14] = [
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

    /// Tells whether [`LogReader`] reads it; the others are refused with [`LineError::NotSupported`].
    #[must_use]
    pub fn is_supported(self) -> bool {
        matches!(self, Self::Auto | Self::Candump | Self::Canboat)
    }
}

/// What a canboat line of at most 8 bytes is, when its PGN is a fast packet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// A frame until a line of more than 8 bytes comes, from then on a whole message.
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

/// Why a line was not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LineError {
    /// Longer than [`LINE_BYTES_MAX`].
    TooLong {
        /// Bytes of the line.
        bytes: usize,
    },
    /// Not UTF-8.
    NotText,
    /// The format has a name, but no reader yet.
    NotSupported(Format),
    /// Neither candump nor canboat.
    UnknownFormat,
    /// No time where one must be, or no such time.
    Time,
    /// A part is missing or no number in its range: which one.
    Part(&'static str),
    /// No 29-bit identifier of 8 hexadecimal digits.
    Identifier,
    /// A frame with an 11-bit identifier: not NMEA 2000.
    ElevenBit,
    /// A remote, error or CAN FD frame: not NMEA 2000.
    NotDataFrame,
    /// Data that are no hexadecimal bytes.
    Data,
    /// More than 8 bytes in one CAN frame.
    FrameTooLong {
        /// Bytes of the line.
        bytes: usize,
    },
    /// A message longer than a fast packet can be.
    PayloadTooLong {
        /// Bytes of the line.
        bytes: usize,
    },
    /// Not as many bytes as the line says.
    Length {
        /// What it says.
        announced: usize,
        /// What it holds.
        found: usize,
    },
}

impl fmt::Display for LineError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::TooLong { bytes } => write!(f, "line of {bytes} bytes, {LINE_BYTES_MAX} allowed"),
            Self::NotText => f.write_str("line is no text"),
            Self::NotSupported(format) => write!(f, "format {} is not supported yet", format.name()),
            Self::UnknownFormat => f.write_str("neither candump nor canboat plain"),
            Self::Time => f.write_str("time stamp missing or not understood"),
            Self::Part(part) => write!(f, "{part} missing or out of range"),
            Self::Identifier => f.write_str("identifier of 8 hexadecimal digits up to 1FFFFFFF needed"),
            Self::ElevenBit => f.write_str("11-bit identifier, which NMEA 2000 does not use"),
            Self::NotDataFrame => f.write_str("remote, error or CAN FD frame, which NMEA 2000 does not use"),
            Self::Data => f.write_str("data are not hexadecimal bytes"),
            Self::FrameTooLong { bytes } => write!(f, "{bytes} bytes in a CAN frame, 8 allowed"),
            Self::PayloadTooLong { bytes } => {
                write!(f, "message of {bytes} bytes, {} allowed", super::fast_packet::PAYLOAD_BYTES_MAX)
            }
            Self::Length { announced, found } => write!(f, "{announced} bytes announced, {found} found"),
        }
    }
}

impl core::error::Error for LineError {}

/// Reads a log, one line at a time.
#[derive(Clone, Debug)]
pub struct LogReader {
    format: Format,
    mode: Mode,
    /// In [`Mode::Auto`]: a line of more than 8 bytes was seen.
    whole_lines: bool,
}

impl LogReader {
    /// Builds a reader; a format without a reader makes every line a [`LineError::NotSupported`].
    #[must_use]
    pub fn new(format: Format, mode: Mode) -> Self {
        Self { format, mode, whole_lines: mode == Mode::Fast }
    }

    /// Reads one line, with or without its end; `None` for blank lines and comments (`#`, `;`).
    ///
    /// # Errors
    /// [`LineError`] says what is wrong with the line; the next one can be read as if nothing was.
    pub fn line(&mut self, line: &[u8]) -> Result<Option<Record>, LineError> {
        if line.len() > LINE_BYTES_MAX {
            return Err(LineError::TooLong { bytes: line.len() });
        }
        let text = str::from_utf8(line).map_err(|_| LineError::NotText)?.trim();
        let Some(&first) = text.as_bytes().first().filter(|first| !b"#;".contains(first)) else { return Ok(None) };
        match self.format {
            Format::Candump => candump::read(text),
            Format::Canboat => self.canboat(text),
            Format::Auto if first == b'(' || first == b'<' => candump::read(text),
            Format::Auto if first.is_ascii_digit() && text.contains(',') => self.canboat(text),
            Format::Auto if candump::is_like(text) => candump::read(text),
            Format::Auto => Err(LineError::UnknownFormat),
            other => Err(LineError::NotSupported(other)),
        }
        .map(Some)
    }

    fn canboat(&mut self, text: &str) -> Result<Record, LineError> {
        let line = canboat::Line::read(text)?;
        let is_long = line.count > 8;
        if is_long && self.mode == Mode::Plain {
            return Err(LineError::FrameTooLong { bytes: line.count });
        }
        self.whole_lines |= is_long && self.mode == Mode::Auto;
        if line.count != line.announced {
            return Err(LineError::Length { announced: line.announced, found: line.count });
        }
        let payload = line.payload()?;
        let frame = Some(&payload).filter(|_| !is_long && !self.whole_lines && line.id.pgn <= super::id::PGN_MAX);
        let item = match frame.and_then(|data| CanFrame::new(line.id.to_can(), data)) {
            Some(frame) => Item::Frame(frame),
            None => Item::Whole { id: line.id, payload },
        };
        Ok(Record { time: Some(line.time), item })
    }
}

/// Reads the hexadecimal bytes of `text`, two digits each, and adds them to `data`; `None` when they are not or do not fit.
fn hexadecimal<const N: usize>(text: &str, data: &mut heapless::Vec<u8, N>) -> Option<()> {
    let bytes = text.as_bytes();
    let (pairs, []) = bytes.as_chunks::<2>() else { return None };
    for [high, low] in pairs {
        data.push(nibble(*high)? << 4 | nibble(*low)?).ok()?;
    }
    Some(())
}

fn nibble(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok())
}

#[cfg(test)]
mod tests;
