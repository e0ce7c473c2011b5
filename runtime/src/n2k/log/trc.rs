//! PEAK PCAN traces, file versions 1.0 to 2.1 (PEAK-System, "PCAN trace file formats").

use super::{Item, LineError, Record, hex};
use crate::hal::CanFrame;
use crate::time::UnixMillis;

/// Tells whether a line that begins with a digit can be of this format.
pub(super) fn is_like(text: &str) -> bool {
    let mut words = text.split_ascii_whitespace();
    let first = words.next().unwrap_or_default();
    let number = first.strip_suffix(')');
    let is_numbered = number.unwrap_or(first).bytes().all(|digit| digit.is_ascii_digit());
    let is_offset = words.next().is_some_and(|word| word.parse::<f64>().is_ok());
    is_numbered && is_offset && (number.is_some() || words.next().is_some_and(is_type))
}

/// Message types of version 2.
fn is_type(word: &str) -> bool {
    matches!(word, "DT" | "FD" | "FB" | "FE" | "BI" | "RR" | "ST" | "EC" | "ER" | "EV")
}

/// Reads one line; times are milliseconds since the trace began.
///
/// ```text
///      1)      1841  0DF80523  8  C0 2B 7E 9A 47 70 F8 2F              1.0
///      1)      1841.2  Rx  0DF80523  8  C0 2B 7E 9A 47 70 F8 2F        1.1
///      1)      1841.2 1  Rx  0DF80523 -  8    C0 2B 7E 9A 47 70 F8 2F  1.2, 1.3
///      1      1841.200 DT  0DF80523 Rx 8  C0 2B 7E 9A 47 70 F8 2F      2.0
///      1      1841.200 DT 1  0DF80523 Rx -  8  C0 2B 7E 9A 47 70 F8 2F 2.1
/// ```
///
/// # Errors
/// [`LineError`] says what is wrong.
pub(super) fn read(text: &str) -> Result<Record, LineError> {
    let mut words = text.split_ascii_whitespace().skip(1);
    let time = words.next().and_then(millis).ok_or(LineError::Time)?;
    // A bus number, the direction and the type stand around the identifier, which has 4 or 8 digits.
    let mut id = None;
    let mut count = None;
    for word in words.by_ref() {
        match word {
            "DT" | "Rx" | "Tx" | "-" => {}
            _ if is_type(word) || matches!(word, "Error" | "Warng" | "RTR") => return Err(LineError::NotDataFrame),
            _ if id.is_none() && word.len() >= 4 => id = Some(word),
            // The number of the bus.
            _ if id.is_none() => {}
            _ => {
                count = word.parse::<usize>().ok();
                break;
            }
        }
    }
    let id = id.ok_or(LineError::Part("identifier"))?;
    if id.len() == 4 && hex::number(id, 4).is_some() {
        return Err(LineError::ElevenBit);
    }
    let id = hex::identifier(id)?;
    let count = count.ok_or(LineError::Part("length"))?;
    if words.clone().next() == Some("RTR") {
        return Err(LineError::NotDataFrame);
    }
    let data = hex::listed(words, count)?;
    let frame = CanFrame::new(id, &data).ok_or(LineError::Identifier)?;
    Ok(Record { time: Some(time), item: Item::Frame(frame) })
}

/// Reads milliseconds and a fraction, which is cut off.
fn millis(text: &str) -> Option<UnixMillis> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let is_number = fraction.bytes().all(|digit| digit.is_ascii_digit());
    whole.parse::<u32>().ok().filter(|_| is_number).map(|millis| UnixMillis(millis.into()))
}
