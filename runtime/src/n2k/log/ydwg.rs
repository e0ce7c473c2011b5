//! Yacht Devices RAW (manual of YDWG-02 and YDNU-02, appendix "format of messages in RAW mode").

use super::{Item, LineError, Record, hex, moment};
use crate::hal::CanFrame;
use crate::time::UnixMillis;

/// Digits of an identifier.
const ID_DIGITS: usize = 8;

/// Tells whether a line that begins with a digit can be of this format.
pub(super) fn is_like(text: &str) -> bool {
    matches!(text.as_bytes(), [_, _, b':', _, _, b':', ..]) && text.contains(' ')
}

/// Reads one line: time of day, direction, identifier, bytes; what is sent to such a gateway has neither time nor direction.
///
/// ```text
/// 17:33:21.107 R 19F51323 01 2F 30 70 00 2F 30 70
/// 19F51323 01 2F 30 70 00 2F 30 70
/// ```
///
/// # Errors
/// [`LineError`] says what is wrong.
pub(super) fn read(text: &str) -> Result<Record, LineError> {
    let mut words = text.split_ascii_whitespace();
    let mut first = words.next().ok_or(LineError::Time)?;
    let mut time = None;
    if first.len() != ID_DIGITS || !first.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        time = Some(time_of_day(first).ok_or(LineError::Time)?);
        if !matches!(words.next(), Some("R" | "T")) {
            return Err(LineError::Part("direction"));
        }
        first = words.next().ok_or(LineError::Part("identifier"))?;
    }
    let id = hex::identifier(first)?;
    let count = words.clone().count();
    let data = hex::listed(words, count)?;
    let frame = CanFrame::new(id, &data).ok_or(LineError::Identifier)?;
    Ok(Record { time, item: Item::Frame(frame) })
}

/// Reads `hh:mm:ss` with a fraction or none, as a time on 1970-01-01.
pub(super) fn time_of_day(text: &str) -> Option<UnixMillis> {
    let (clock, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let &[h1, h2, b':', m1, m2, b':', s1, s2] = clock.as_bytes() else { return None };
    clock_time([h1, h2, m1, m2, s1, s2], fraction)
}

/// Returns the time of six digits and a fraction.
pub(super) fn clock_time(digits: [u8; 6], fraction: &str) -> Option<UnixMillis> {
    if !digits.iter().all(u8::is_ascii_digit) || fraction.is_empty() {
        return None;
    }
    let [hour, minute, second] = [[digits[0], digits[1]], [digits[2], digits[3]], [digits[4], digits[5]]]
        .map(|[tens, ones]| i64::from(tens - b'0') * 10 + i64::from(ones - b'0'));
    if hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    Some(UnixMillis(((hour * 60 + minute) * 60 + second) * 1000 + moment::thousandths(fraction)?))
}
