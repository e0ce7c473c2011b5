//! Actisense N2K ASCII: whole messages as text (Actisense knowledge base, "NMEA 2000 ASCII output format").

use super::ydwg::clock_time;
use super::{Item, LineError, Record, hex};
use crate::n2k::id::{Id, Pgn, SourceAddress};

/// Tells whether a line can be of this format.
pub(super) fn is_like(text: &str) -> bool {
    matches!(text.as_bytes(), [b'A', digits @ .., ] if digits.iter().take(6).all(u8::is_ascii_digit) && digits.len() > 6)
}

/// Reads one line: time of day, source, destination and priority, PGN, bytes.
///
/// ```text
/// A173321.107 23FF7 1F513 012F3070002F30709F
/// ```
///
/// # Errors
/// [`LineError`] says what is wrong.
pub(super) fn read(text: &str) -> Result<Record, LineError> {
    let mut words = text.split_ascii_whitespace();
    let time = words.next().and_then(|word| word.strip_prefix('A')).ok_or(LineError::Time)?;
    let (clock, fraction) = time.split_once('.').unwrap_or((time, "0"));
    let digits = clock.as_bytes().try_into().map_err(|_| LineError::Time)?;
    let time = clock_time(digits, fraction).ok_or(LineError::Time)?;
    let address = words.next().and_then(|word| hex::number(word, 5)).ok_or(LineError::Part("addresses"))?;
    let [low, high, ..] = (address >> 4).to_le_bytes();
    // A digit of which three bits are used; no value depends on it.
    let priority = (address.to_le_bytes()[0] & 0xf).min(7);
    let pgn = words.next().and_then(|word| hex::number(word, 5)).ok_or(LineError::Part("PGN"))?;
    let payload = hex::payload(words.next().unwrap_or_default())?;
    let id = Id { priority, pgn: Pgn(pgn), source: SourceAddress(high), destination: low };
    Ok(Record { time: Some(time), item: Item::Whole { id, payload } })
}
