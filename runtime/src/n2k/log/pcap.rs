//! libpcap captures of a SocketCAN interface (tcpdump.org, link type 227).

use super::{Item, LINE_BYTES_MAX, LineError, Record};
use crate::hal::CanFrame;
use crate::time::UnixMillis;

/// Bytes of the file's head, and of the head of each packet.
pub(super) const HEAD_BYTES: usize = 24;
const PACKET_HEAD_BYTES: usize = 16;
/// `LINKTYPE_CAN_SOCKETCAN`.
const LINK_TYPE: u32 = 227;
const MAGIC_MICROS: u32 = 0xa1b2_c3d4;
const MAGIC_NANOS: u32 = 0xa1b2_3c4d;
const MAGIC_PCAPNG: u32 = 0x0a0d_0d0a;
/// Flags of the identifier, linux/can.h.
const EXTENDED: u32 = 0x8000_0000;
const REMOTE_OR_ERROR: u32 = 0x6000_0000;

/// What the head of a file says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Capture {
    is_little_endian: bool,
    /// Units of the time's fraction in one millisecond.
    per_milli: u32,
}

/// Tells whether a file that begins so is a capture, of either kind.
pub(super) fn is_like(first: [u8; 4]) -> bool {
    let is_known = |magic| matches!(magic, MAGIC_MICROS | MAGIC_NANOS | MAGIC_PCAPNG);
    is_known(u32::from_le_bytes(first)) || is_known(u32::from_be_bytes(first))
}

impl Capture {
    /// Reads the head.
    ///
    /// # Errors
    /// [`LineError::LinkType`], [`LineError::PcapNg`], or it is no capture.
    pub fn read(head: &[u8; HEAD_BYTES]) -> Result<Self, LineError> {
        let word = |at: usize, little: bool| word(head, at, little).unwrap_or_default();
        let (is_little_endian, per_milli) = match (word(0, true), word(0, false)) {
            (MAGIC_MICROS, _) => (true, 1000),
            (MAGIC_NANOS, _) => (true, 1_000_000),
            (_, MAGIC_MICROS) => (false, 1000),
            (_, MAGIC_NANOS) => (false, 1_000_000),
            (MAGIC_PCAPNG, _) => return Err(LineError::PcapNg),
            _ => return Err(LineError::NotOfFormat(super::Format::Pcap)),
        };
        // The upper bits say whether packets end in a check sum of the network.
        let link = word(20, is_little_endian) & 0x0fff_ffff;
        if link != LINK_TYPE {
            return Err(LineError::LinkType(link));
        }
        Ok(Self { is_little_endian, per_milli })
    }

    /// Returns the bytes that the packet at the begin of `data` takes with its head; `None` when that is not all there.
    ///
    /// # Errors
    /// [`LineError::Length`] when it says to be longer than any is: the rest of the file cannot be found.
    pub fn packet_bytes(&self, data: &[u8]) -> Result<Option<usize>, LineError> {
        let Some(length) = word(data, 8, self.is_little_endian).filter(|_| data.len() >= PACKET_HEAD_BYTES) else {
            return Ok(None);
        };
        let announced = usize::try_from(length).unwrap_or(usize::MAX);
        if announced > LINE_BYTES_MAX {
            return Err(LineError::Length { announced, found: LINE_BYTES_MAX });
        }
        Ok(Some(PACKET_HEAD_BYTES + announced))
    }

    /// Reads a packet with its head.
    ///
    /// # Errors
    /// [`LineError`] says what is wrong.
    pub fn packet(&self, packet: &[u8]) -> Result<Record, LineError> {
        let short = LineError::Part("head of the packet");
        let part = |at| word(packet, at, self.is_little_endian).ok_or(short);
        let (seconds, fraction) = (part(0)?, part(4)?);
        let millis = i64::from(seconds) * 1000 + i64::from(fraction / self.per_milli);
        // The identifier's bytes come in the order of the network, whatever wrote the file.
        let id = word(packet, PACKET_HEAD_BYTES, false).ok_or(short)?;
        if id & REMOTE_OR_ERROR != 0 {
            return Err(LineError::NotDataFrame);
        }
        if id & EXTENDED == 0 {
            return Err(LineError::ElevenBit);
        }
        let length = usize::from(*packet.get(PACKET_HEAD_BYTES + 4).ok_or(short)?);
        if length > 8 {
            return Err(LineError::FrameTooLong { bytes: length });
        }
        let data = packet.get(PACKET_HEAD_BYTES + 8..).unwrap_or_default();
        let data = data.get(..length).ok_or(LineError::Length { announced: length, found: data.len() })?;
        let frame = CanFrame::new(id & CanFrame::ID_MAX, data).ok_or(LineError::Identifier)?;
        Ok(Record { time: Some(UnixMillis(millis)), item: Item::Frame(frame) })
    }
}

fn word(data: &[u8], at: usize, is_little_endian: bool) -> Option<u32> {
    let bytes = *data.get(at..)?.first_chunk::<4>()?;
    Some(if is_little_endian { u32::from_le_bytes(bytes) } else { u32::from_be_bytes(bytes) })
}
