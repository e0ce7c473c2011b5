//! candump of can-utils: the log form (`-l`), the screen form, and the form of version 4.

use super::hex::{self, Data};
use super::{Item, LineError, Record, moment};
use crate::hal::CanFrame;
use crate::time::UnixMillis;

/// Tells whether a line that begins with an interface name can be candump's.
pub(super) fn is_like(text: &str) -> bool {
    let mut words = before(text).1.split_ascii_whitespace().skip(1);
    words.next().is_some_and(|word| word.contains('#') || words.any(|word| word.starts_with('[')))
}

/// Reads one line.
///
/// ```text
/// (1780308000.000000) can0 09F11207#FF103BFF7FFF7FFC      -l, -L; also with R or T at the end
///  (000.010000)  can0  09F11207   [8]  FF 10 3B FF 7F FF 7F FC      the time of -t a, d, z or A, or none
/// <0x09f11207> [8] ff 10 3b ff 7f ff 7f fc      version 4
/// ```
///
/// # Errors
/// [`LineError`] says what is wrong.
pub(super) fn read(text: &str) -> Result<Record, LineError> {
    let (time, rest) = match text.strip_prefix('(') {
        Some(rest) => {
            let (inside, rest) = rest.split_once(')').ok_or(LineError::Time)?;
            (Some(moment::read(inside).ok_or(LineError::Time)?), rest)
        }
        None => before(text),
    };
    let mut words = rest.split_ascii_whitespace();
    let first = words.next().ok_or(LineError::Part("interface"))?;
    let (id, data) = if let Some(inside) = first.strip_prefix("<0x") {
        (hex::identifier(inside.strip_suffix('>').ok_or(LineError::Identifier)?)?, listed(words)?)
    } else {
        // `-x` puts direction and flags between the interface and the identifier.
        let mut words = words.skip_while(|word| matches!(*word, "RX" | "TX" | "-" | "B" | "E"));
        let word = words.next().ok_or(LineError::Part("identifier"))?;
        match word.split_once('#') {
            Some((id, data)) => (hex::identifier(id)?, joined(data)?),
            None => (hex::identifier(word)?, listed(words)?),
        }
    };
    let frame = CanFrame::new(id, &data).ok_or(LineError::Identifier)?;
    Ok(Record { time, item: Item::Frame(frame) })
}

/// Times since the frame before (`-t d`), told from times since the first frame (`-t z`) when one is less than the last.
#[derive(Clone, Debug, Default)]
pub(super) struct Spans {
    last: i64,
    sum: i64,
    are_spans: bool,
}

impl Spans {
    /// Returns a record with the time since the first frame, once it is known that spans are what the lines have.
    pub fn summed(&mut self, record: Record) -> Record {
        let Some(time) = record.time.filter(|time| !time.is_dated()) else { return record };
        self.sum = self.sum.saturating_add(time.0);
        // A fall to zero is the begin of another log.
        self.are_spans |= (1..self.last).contains(&time.0);
        self.last = time.0;
        if self.are_spans { Record { time: Some(UnixMillis(self.sum)), ..record } } else { record }
    }
}

/// Takes off a time that another program wrote before a line: a date, or seconds since 1970.
fn before(text: &str) -> (Option<UnixMillis>, &str) {
    let taken = text.split_once(' ').and_then(|(word, rest)| Some((time(word)?, rest)));
    taken.map_or((None, text), |(time, rest)| (Some(time), rest))
}

/// Reads seconds and a fraction, or a date.
fn time(text: &str) -> Option<UnixMillis> {
    let text = text.trim();
    if text.contains('-') {
        return moment::read(text);
    }
    // Without a fraction it is the name of an interface, or nothing of candump's.
    let (seconds, fraction) = text.split_once('.').filter(|(_, fraction)| !fraction.is_empty())?;
    let whole = seconds.bytes().all(|digit| digit.is_ascii_digit()).then(|| seconds.parse::<i64>().ok()).flatten()?;
    Some(UnixMillis(whole.checked_mul(1000)?.checked_add(moment::thousandths(fraction)?)?))
}

/// Reads bytes written together: `FF103B`, also with points between.
fn joined(text: &str) -> Result<Data, LineError> {
    if text.starts_with(['R', '#']) {
        return Err(LineError::NotDataFrame);
    }
    let mut data = Data::new();
    if text.len() > 16 && !text.contains('.') {
        return Err(LineError::FrameTooLong { bytes: text.len() / 2 });
    }
    for part in text.split('.') {
        hex::bytes(part, &mut data)?;
    }
    Ok(data)
}

/// Reads bytes written apart after their count: `[3] FF 10 3B`; what follows them is not data.
fn listed<'t>(mut words: impl Iterator<Item = &'t str>) -> Result<Data, LineError> {
    let count = words.next().and_then(|word| word.strip_prefix('[')?.strip_suffix(']')?.parse::<usize>().ok());
    let count = count.ok_or(LineError::Part("length"))?;
    if count > 8 {
        return Err(LineError::FrameTooLong { bytes: count });
    }
    hex::listed(words, count)
}
