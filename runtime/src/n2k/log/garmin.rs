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
pub(super) const USUAL: Columns =
    Columns { time: 1, pgn: 2, source: 5, destination: 6, priority: 7, size: 9, packet: 10 };

/// Reads the line that names the columns; `None` when it is another line.
pub(super) fn columns(text: &str) -> Option<Columns> {
    if !text.starts_with("Sequence #,") {
        return None;
    }
    let find = |name: &str| text.split(',').position(|column| column.trim().eq_ignore_ascii_case(name));
    Some(Columns {
        time: find("Timestamp").or_else(|| find("msTicks_"))?,
        pgn: find("PGN")?,
        source: find("Remote Address")?,
        destination: find("Local Address")?,
        priority: find("Priority")?,
        size: find("Size")?,
        packet: find("Packet")?,
    })
}

/// Reads one line; the time is in milliseconds since the plotter's start, in newer firmware after a date and `_`.
///
/// ```text
/// 0,486942,127508,Battery Status,Garmin,6,255,2,1,8,0x017505FF7FFFFFFF
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
    let time = column(columns.time).and_then(|part| part.rsplit('_').next()?.parse::<u32>().ok());
    let time = UnixMillis(time.ok_or(LineError::Time)?.into());
    let id = Id {
        priority: number(columns.priority, "priority", 7)?.to_le_bytes()[0],
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
