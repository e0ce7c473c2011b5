//! canboat's plain format: time, priority, PGN, source, destination, length, bytes, in every spelling of its tools.

use super::{LineError, hex, moment};
use crate::n2k::id::{Id, Pgn, SourceAddress};
use crate::n2k::payload::{MESSAGE_BYTES_MAX, Payload};
use crate::time::UnixMillis;

/// Largest PGN of a line: three bytes, gateways number their own beyond 18 bits.
const LINE_PGN_MAX: u32 = 0xff_ffff;
/// Lowest priority of a frame; three bits.
const PRIORITY_MAX: u8 = 7;

/// Line at the head of a log whose short lines are whole messages, too.
pub(super) const FAST: &str = "# format=FAST";

/// One line, its bytes not read yet.
pub(super) struct Line<'t> {
    /// `None` where the time is not understood: the data are, and what follows shows that nothing was cut.
    pub time: Option<UnixMillis>,
    pub id: Id,
    /// Bytes that the line says it has.
    pub announced: usize,
    /// Bytes that it has.
    pub count: usize,
    bytes: &'t str,
}

impl<'t> Line<'t> {
    /// Reads all but the bytes.
    ///
    /// # Errors
    /// [`LineError`] names the part that is wrong.
    pub fn read(text: &'t str) -> Result<Self, LineError> {
        let mut parts = text.splitn(7, ',');
        let time = moment::read(parts.next().unwrap_or_default());
        let mut number = |name, max: u32| {
            let value = parts.next().and_then(|part| part.trim().parse::<u32>().ok());
            value.filter(|value| *value <= max).ok_or(LineError::Part(name))
        };
        // Tools pass on what they were given; no value depends on it.
        let priority = byte(number("priority", 255)?).min(PRIORITY_MAX);
        let pgn = Pgn(number("PGN", LINE_PGN_MAX)?);
        let source = SourceAddress(byte(number("source address", 255)?));
        let destination = byte(number("destination", 255)?);
        let announced = usize::try_from(number("length", 0xffff)?).unwrap_or(usize::MAX);
        // Some writers end the line with a comma.
        let bytes = parts.next().unwrap_or_default().trim_end_matches(',');
        let count = if bytes.is_empty() { 0 } else { bytes.split(',').count() };
        Ok(Self { time, id: Id { priority, pgn, source, destination }, announced, count, bytes })
    }

    /// Reads the bytes.
    ///
    /// # Errors
    /// [`LineError::PayloadTooLong`], [`LineError::Data`].
    pub fn payload(&self) -> Result<Payload, LineError> {
        let mut payload = Payload::new();
        if self.count > MESSAGE_BYTES_MAX {
            return Err(LineError::PayloadTooLong { bytes: self.count });
        }
        for part in self.bytes.split(',').take(self.count) {
            hex::byte(part.trim(), &mut payload)?;
        }
        Ok(payload)
    }
}

fn byte(number: u32) -> u8 {
    number.to_le_bytes()[0]
}
