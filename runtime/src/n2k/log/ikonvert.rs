//! Digital Yacht iKonvert: whole messages in base64 (iKonvert developer guide).

use super::{Item, LineError, Record, moment};
use crate::n2k::id::{BROADCAST, Id, Pgn, SourceAddress};
use crate::n2k::payload::Payload;
use crate::time::UnixMillis;

/// Tells whether a line is one of this gateway; its status lines begin with `$`.
pub(super) fn is_like(text: &str) -> bool {
    text.strip_prefix(['!', '$']).is_some_and(|rest| rest.starts_with("PDGY,"))
}

/// Reads one line; `None` for the gateway's own status and for a message without data.
///
/// ```text
/// !PDGY,127250,2,3,255,481.734,2C20AAAAAAE=     PGN, priority, source, destination, seconds since its start
/// !PDGY,126992,255,d2009e45b3Y=                 to be sent: PGN and destination
/// $PDGY,000000,4,,5,482,1,0                     status
/// ```
///
/// # Errors
/// [`LineError`] says what is wrong.
pub(super) fn read(text: &str) -> Result<Option<Record>, LineError> {
    if text.starts_with('$') {
        return Ok(None);
    }
    let mut parts = text.split(',').skip(1);
    let mut number = |name, max: u32| {
        let value = parts.next().and_then(|part| part.parse::<u32>().ok());
        value.filter(|value| *value <= max).ok_or(LineError::Part(name))
    };
    let pgn = Pgn(number("PGN", 0xff_ffff)?);
    if text.split(',').count() == 4 {
        let destination = number("destination", 255)?.to_le_bytes()[0];
        let payload = base64(parts.next().unwrap_or_default())?;
        let id = Id { priority: 0, pgn, source: SourceAddress(0), destination };
        return Ok(Some(Record { time: None, item: Item::Whole { id, payload } }));
    }
    let priority = number("priority", 255)?.to_le_bytes()[0].min(7);
    let source = SourceAddress(number("source address", 255)?.to_le_bytes()[0]);
    let destination = number("destination", u32::from(BROADCAST))?.to_le_bytes()[0];
    let time = parts.next().and_then(seconds).ok_or(LineError::Time)?;
    let Some(data) = parts.next() else { return Ok(None) };
    let payload = base64(data)?;
    Ok(Some(Record { time: Some(time), item: Item::Whole { id: Id { priority, pgn, source, destination }, payload } }))
}

/// Reads seconds with a fraction or none.
fn seconds(text: &str) -> Option<UnixMillis> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    if !whole.bytes().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    whole.parse::<i64>().ok()?.checked_mul(1000)?.checked_add(moment::thousandths(fraction)?).map(UnixMillis)
}

/// Reads base64 (RFC 4648 §4); the padding and bits beyond the last byte are not looked at, the gateway leaves them out.
fn base64(text: &str) -> Result<Payload, LineError> {
    let mut payload = Payload::new();
    let (mut pending, mut bits) = (0_u32, 0_u32);
    for letter in text.trim_end_matches('=').bytes() {
        let six = match letter {
            b'A'..=b'Z' => letter - b'A',
            b'a'..=b'z' => letter - b'a' + 26,
            b'0'..=b'9' => letter - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => return Err(LineError::Base64),
        };
        pending = (pending << 6 | u32::from(six)) & 0xffff;
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            let byte = (pending >> bits).to_le_bytes()[0];
            payload.push(byte).map_err(|_| LineError::PayloadTooLong { bytes: text.len() / 4 * 3 })?;
        }
    }
    Ok(payload)
}
