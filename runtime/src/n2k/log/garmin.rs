//! CSV that Garmin's chart plotters write: whole messages, the columns named in the first line.

use super::{Item, LineError, Record, hex};
use crate::n2k::id::{Id, Pgn, SourceAddress};
use crate::time::UnixMillis;

/// Where the columns are; names hold no commas.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Columns {
    time: usize,
    pgn: usize,
    source: usize,
    destination: usize,
    priority: usize,
    size: usize,
    packet: usize,
}

/// The order of the first firmware that wrote it.
const USUAL: Columns = Columns { time: 1, pgn: 2, source: 5, destination: 6, priority: 7, size: 9, packet: 10 };
/// The order of newer firmware, which writes the PGN twice.
const NEWER: Columns = Columns { time: 1, pgn: 2, source: 6, destination: 7, priority: 8, size: 10, packet: 11 };

/// Returns the order of a line whose columns nobody named: there are 11 or 12.
pub(super) fn usual(text: &str) -> &'static Columns {
    if text.split(',').count() > NEWER.packet { &NEWER } else { &USUAL }
}

/// Reads the line that names the columns; `None` when it is another line.
pub(super) fn columns(text: &str) -> Option<Columns> {
    if !text.starts_with("Sequence #,") {
        return None;
    }
    let find = |name: &str| text.split(',').position(|column| column.trim().eq_ignore_ascii_case(name));
    // `msTicks_`, or a date in front of it: `Month_Day_Year_Hours_Minutes_Seconds_msTicks`.
    let is_ticks = |column: &str| column.trim().trim_end_matches('_').to_ascii_lowercase().ends_with("msticks");
    Some(Columns {
        time: find("Timestamp").or_else(|| text.split(',').position(is_ticks))?,
        pgn: find("PGN")?,
        source: find("Remote Address")?,
        destination: find("Local Address")?,
        priority: find("Priority")?,
        size: find("Size")?,
        packet: find("Packet")?,
    })
}

/// Reads one line; the time is in milliseconds since the plotter's start, in newer firmware behind the date.
///
/// ```text
/// 0,486942,127508,Battery Status,Garmin,6,255,2,1,8,0x017505FF7FFFFFFF
/// 0,6_21_2015_16_8_6_486942,127508,127508,Battery Status,Garmin,6,255,2,1,8,0x017505FF7FFFFFFF
/// ```
///
/// # Errors
/// [`LineError`] says what is wrong.
pub(super) fn read(text: &str, columns: &Columns) -> Result<Record, LineError> {
    let column = |index: usize| text.split(',').nth(index).map(str::trim);
    let number = |index, name, max: u32| {
        let value = column(index).and_then(|part| part.parse::<u32>().ok());
        value.filter(|value| *value <= max).ok_or(LineError::Part(name))
    };
    let time = column(columns.time).and_then(time).ok_or(LineError::Time)?;
    let id = Id {
        priority: number(columns.priority, "priority", 255)?.to_le_bytes()[0].min(7),
        pgn: Pgn(number(columns.pgn, "PGN", 0xff_ffff)?),
        source: SourceAddress(number(columns.source, "source address", 255)?.to_le_bytes()[0]),
        destination: number(columns.destination, "destination", 255)?.to_le_bytes()[0],
    };
    let announced = usize::try_from(number(columns.size, "size", 0xffff)?).unwrap_or(usize::MAX);
    let payload =
        hex::payload(column(columns.packet).and_then(|part| part.strip_prefix("0x")).ok_or(LineError::Data)?)?;
    if payload.len() != announced {
        return Err(LineError::Length { announced, found: payload.len() });
    }
    Ok(Record { time: Some(time), item: Item::Whole { id, payload } })
}

/// Reads ticks, or month, day, year, hours, minutes, seconds and ticks: these give the thousandths, as canboat takes them.
fn time(text: &str) -> Option<UnixMillis> {
    let mut parts = heapless::Vec::<i64, 7>::new();
    for part in text.split('_').filter(|part| !part.is_empty()) {
        parts.push(part.parse::<u32>().ok()?.into()).ok()?;
    }
    match parts[..] {
        [month @ 1..=12, day @ 1..=31, year @ 1970..=9999, hour @ 0..=23, minute @ 0..=59, second @ 0..=60, ticks] => {
            let millis = ((hour * 60 + minute) * 60 + second) * 1000 + ticks % 1000;
            Some(UnixMillis::from_civil(year, month, day, millis))
        }
        // An unknown date is zeros.
        [.., ticks] => Some(UnixMillis(ticks)),
        [] => None,
    }
}
