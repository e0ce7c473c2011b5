//! NMEA 2000 inside of NMEA 0183 sentences: PCDIN and MXPGN; the check sum and the tag block of any sentence.

use super::{Item, LineError, Record, hex, moment};
use crate::hal::CanFrame;
use crate::n2k::id::{BROADCAST, Id, Pgn, SourceAddress};
use crate::time::UnixMillis;

/// Takes off the tag block in front of a line: `\s:serial,c:1696759212*3E\$PCDIN,…` (NMEA 0183 version 4). Returns the
/// time that stands in it, seconds or milliseconds since 1970.
pub(super) fn without_tag_block(text: &str) -> (Option<UnixMillis>, &str) {
    let Some((block, sentence)) = text.strip_prefix('\\').and_then(|rest| rest.split_once('\\')) else {
        return (None, text);
    };
    let tags = block.split_once('*').map_or(block, |(tags, _)| tags);
    let time = tags.split(',').find_map(|tag| tag.strip_prefix("c:")).and_then(moment::read);
    (time.filter(|time| time.is_dated()), sentence)
}

/// Returns the fields of a sentence, between `$` or `!` and the check sum; a sentence without one is let pass.
///
/// # Errors
/// [`LineError::Checksum`].
fn checked(text: &str) -> Result<&str, LineError> {
    let body = text.get(1..).unwrap_or_default();
    let Some((fields, sum)) = body.rsplit_once('*') else { return Ok(body) };
    let found = fields.bytes().fold(0, |sum, byte| sum ^ byte);
    if hex::number(sum, 2) == Some(u32::from(found)) { Ok(fields) } else { Err(LineError::Checksum) }
}

/// Reads `$PCDIN,01F119,00000000,0F,2AAF00D1067414FF*59`: PGN, a counter, source, bytes (SeaSmart.Net protocol).
///
/// The counter is not used: devices count in units of their own.
///
/// # Errors
/// [`LineError`] says what is wrong.
pub(super) fn pcdin(text: &str) -> Result<Record, LineError> {
    let mut parts = checked(text)?.split(',').skip(1);
    let pgn = parts.next().and_then(|part| hex::number(part, 6)).ok_or(LineError::Part("PGN"))?;
    parts.next().ok_or(LineError::Time)?;
    let source = parts.next().and_then(|part| hex::number(part, 2)).ok_or(LineError::Part("source address"))?;
    let payload = hex::payload(parts.next().ok_or(LineError::Data)?)?;
    let id = Id { priority: 0, pgn: Pgn(pgn), source: SourceAddress(source.to_le_bytes()[0]), destination: BROADCAST };
    Ok(Record { time: None, item: Item::Whole { id, payload } })
}

/// Reads `$MXPGN,01F801,2801,43E35D0CC48A30C1*…`: PGN, attributes, the bytes of one frame (ShipModul MiniPlex-3 manual).
///
/// Attributes: a bit for sent, three of priority, four of length, the address. A device can be set to either order of
/// the bytes; the one of the bus is taken here.
///
/// # Errors
/// [`LineError`] says what is wrong.
pub(super) fn mxpgn(text: &str) -> Result<Record, LineError> {
    let mut parts = checked(text)?.split(',').skip(1);
    let pgn = parts.next().and_then(|part| hex::number(part, 6)).ok_or(LineError::Part("PGN"))?;
    let attributes = parts.next().and_then(|part| hex::number(part, 4)).ok_or(LineError::Part("attributes"))?;
    let [address, head, ..] = attributes.to_le_bytes();
    let announced = usize::from(head & 0xf);
    let mut data = hex::Data::new();
    let text = parts.next().ok_or(LineError::Data)?;
    if text.len() > 16 {
        return Err(LineError::FrameTooLong { bytes: text.len() / 2 });
    }
    hex::bytes(text, &mut data)?;
    if data.len() != announced {
        return Err(LineError::Length { announced, found: data.len() });
    }
    // The address of what was sent is the destination, of what was received the source.
    let is_sent = head & 0x80 != 0;
    let (source, destination) = if is_sent { (0, address) } else { (address, BROADCAST) };
    let id = Id { priority: head >> 4 & 7, pgn: Pgn(pgn), source: SourceAddress(source), destination };
    let frame = CanFrame::new(id.to_can(), &data).ok_or(LineError::Part("PGN"))?;
    Ok(Record { time: None, item: Item::Frame(frame) })
}
