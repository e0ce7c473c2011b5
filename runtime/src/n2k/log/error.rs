//! Why a line or a record of a log was not read.

use core::fmt;

use super::{Format, LINE_BYTES_MAX};
use crate::n2k::payload::MESSAGE_BYTES_MAX;

/// Why a line or a record was not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LineError {
    /// Longer than [`LINE_BYTES_MAX`].
    TooLong {
        /// Bytes of it that were seen.
        bytes: usize,
    },
    /// Not UTF-8, and not a known format in another code either.
    NotText,
    /// The format is binary: there are no lines in it.
    Binary(Format),
    /// Not in any format.
    UnknownFormat,
    /// Not in the format that was named.
    NotOfFormat(Format),
    /// A sentence of NMEA 0183 that holds no NMEA 2000.
    Nmea0183,
    /// A delta that Signal K Server logged.
    Delta,
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
    /// Data that are not base64.
    Base64,
    /// The check sum is another one.
    Checksum,
    /// More than 8 bytes in one CAN frame.
    FrameTooLong {
        /// Bytes of the line.
        bytes: usize,
    },
    /// A message longer than NMEA 2000 can carry.
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
    /// The log ends within a record.
    CutOff,
    /// A capture of another kind of network: its link type.
    LinkType(u32),
    /// A file that gzip packed.
    Packed,
    /// A file that another program packed: its name.
    PackedBy(&'static str),
    /// Text of two bytes a letter.
    Utf16,
    /// JSON of canboat's analyzer: fields, and no bytes that could be decoded.
    Analyzed,
    /// A capture in pcapng, which is another format than pcap.
    PcapNg,
}

impl LineError {
    /// Tells whether the line is a sound one whose content is not for us: another kind of frame, an NMEA 0183
    /// sentence, a delta, or a message longer than NMEA 2000 can carry. A log of such lines is not corrupt.
    #[must_use]
    pub fn is_understood(&self) -> bool {
        matches!(
            self,
            Self::ElevenBit | Self::NotDataFrame | Self::PayloadTooLong { .. } | Self::Nmea0183 | Self::Delta
        )
    }

    /// Tells whether it says of a whole file what it is, in place of a log.
    #[must_use]
    pub fn is_of_file(&self) -> bool {
        matches!(self, Self::LinkType(_) | Self::Packed | Self::PackedBy(_) | Self::Utf16 | Self::PcapNg)
    }
}

impl fmt::Display for LineError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::TooLong { .. } => write!(f, "line of more than {LINE_BYTES_MAX} bytes"),
            Self::NotText => f.write_str("line is no text"),
            Self::Binary(format) => write!(f, "format {} is binary and has no lines", format.name()),
            Self::UnknownFormat => f.write_str("not in any format that is known"),
            Self::NotOfFormat(format) => write!(f, "not in the format {}", format.name()),
            Self::Nmea0183 => f.write_str("sentence of NMEA 0183, which holds no NMEA 2000"),
            Self::Delta => f.write_str("Signal K delta, which holds no NMEA 2000"),
            Self::Time => f.write_str("time stamp missing or not understood"),
            Self::Part(part) => write!(f, "{part} missing or out of range"),
            Self::Identifier => f.write_str("identifier of 8 hexadecimal digits up to 1FFFFFFF needed"),
            Self::ElevenBit => f.write_str("11-bit identifier, which NMEA 2000 does not use"),
            Self::NotDataFrame => f.write_str("remote, error or CAN FD frame, which NMEA 2000 does not use"),
            Self::Data => f.write_str("data are not hexadecimal bytes"),
            Self::Base64 => f.write_str("data are not base64"),
            Self::Checksum => f.write_str("check sum does not agree"),
            Self::FrameTooLong { bytes } => write!(f, "{bytes} bytes in a CAN frame, 8 allowed"),
            Self::PayloadTooLong { bytes } => write!(f, "message of {bytes} bytes, {MESSAGE_BYTES_MAX} allowed"),
            Self::Length { announced, found } => write!(f, "{announced} bytes announced, {found} found"),
            Self::CutOff => f.write_str("cut off in the middle"),
            Self::LinkType(link) => write!(f, "capture of link type {link}, 227 (SocketCAN) is needed"),
            Self::Packed => f.write_str("packed by gzip; unpack it first: gunzip -c FILE | skiff decode -"),
            Self::PackedBy(program) => write!(f, "packed by {program}; unpack it first"),
            Self::Utf16 => f.write_str("text in UTF-16; convert it first: iconv -f UTF-16 -t UTF-8 IN > OUT"),
            Self::Analyzed => {
                f.write_str("output of canboat's analyzer, which holds no bytes; give the log it was made of")
            }
            Self::PcapNg => f.write_str("capture in pcapng; make it a pcap first: editcap -F pcap IN OUT"),
        }
    }
}

impl core::error::Error for LineError {}
