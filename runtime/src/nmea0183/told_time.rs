//! What a sentence says about the time of day and the date.

use super::sentence::{Fields, Sentence};
use crate::time::UnixMillis;

const DAY_MILLIS: i64 = 86_400_000;

/// Time as a sentence tells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ToldTime {
    /// Who speaks: two letters.
    pub talker: heapless::String<2>,
    /// Coordinated universal time.
    pub time: UnixMillis,
    /// The receiver has a fix (RMC, status A); ZDA does not say.
    pub by_fix: bool,
    /// Local time in minutes east of UTC (ZDA).
    pub local_offset_minutes: Option<i16>,
}

/// Returns the time of an RMC with a valid fix or of a ZDA; `None` for every other line.
#[must_use]
pub fn told_time(line: &str) -> Option<ToldTime> {
    // Most lines are something else, and need no check sum for that.
    if !line.get(..16.min(line.len())).is_some_and(|head| head.contains("RMC") || head.contains("ZDA"))
        && !line.starts_with('\\')
    {
        return None;
    }
    let sentence = Sentence::read(line).ok()?;
    let talker = heapless::String::try_from(sentence.talker).ok()?;
    let fields = &sentence.fields;
    match sentence.kind {
        "RMC" if fields.is(1, "A") => {
            Some(ToldTime { talker, time: fields.time(0, 8)?, by_fix: true, local_offset_minutes: None })
        }
        "ZDA" => {
            let time = date_and_time(fields)?;
            Some(ToldTime { talker, time, by_fix: false, local_offset_minutes: zone(fields.text(4), fields.text(5)) })
        }
        _ => None,
    }
}

/// Returns when the line of a log was written, by its tag block or by itself; `last` is the time of the line before it.
///
/// A time of day alone is of the day that is nearest to `last`. A receiver without a fix is believed while nothing is
/// known, or when its time follows the last one: before their first fix many begin at a day long past.
#[must_use]
pub fn log_time(line: &str, last: Option<UnixMillis>) -> Option<UnixMillis> {
    let sentence = Sentence::read(line).ok()?;
    if let Some(time) = sentence.tag_time {
        return Some(time);
    }
    let time = sentence.own_time(last)?;
    let is_sure = sentence.kind != "RMC" || sentence.fields.is(1, "A");
    let follows = |last: UnixMillis| (0..DAY_MILLIS).contains(&time.0.saturating_sub(last.0));
    Some(time).filter(|_| is_sure || last.is_none_or(follows))
}

impl Sentence<'_> {
    /// Returns the time that stands in a sentence: with its date, or on the day nearest to `now`.
    pub fn own_time(&self, now: Option<UnixMillis>) -> Option<UnixMillis> {
        let fields = &self.fields;
        let of_day = match self.kind {
            "RMC" => return fields.time(0, 8),
            "ZDA" => return date_and_time(fields),
            "GGA" if fields.is(5, "0") => return None,
            "GGA" | "GNS" | "BWC" | "BWR" => fields.time_of_day(0)?,
            "GLL" if !fields.is(5, "V") => fields.time_of_day(4)?,
            _ => return None,
        };
        let now = now.filter(|now| now.is_known())?;
        let off = of_day.checked_sub(now.0.rem_euclid(DAY_MILLIS))?;
        let days = if off > DAY_MILLIS / 2 { -1 } else { i64::from(off < -DAY_MILLIS / 2) };
        Some(UnixMillis(now.0.checked_add(off)?.checked_add(days * DAY_MILLIS)?))
    }
}

/// Returns the time of ZDA: time of day, day, month, year.
pub(super) fn date_and_time(fields: &Fields<'_>) -> Option<UnixMillis> {
    let number = |index: usize| fields.text(index).parse::<u16>().ok().map(i64::from);
    let (day, month, year) = (number(1)?, number(2)?, number(3)?);
    let is_sound = (1..=31).contains(&day) && (1..=12).contains(&month) && (1980..=9999).contains(&year);
    Some(UnixMillis::from_civil(year, month, day, fields.time_of_day(0).filter(|_| is_sound)?))
}

/// Returns the minutes east of UTC of ZDA's zone, which counts hours and minutes to be added to local time.
fn zone(hours: &str, minutes: &str) -> Option<i16> {
    let hours: i16 = hours.parse().ok().filter(|hours| (-14..=14).contains(hours))?;
    let minutes: i16 = if minutes.is_empty() { 0 } else { minutes.parse().ok()? };
    let minutes = i16::try_from(minutes.unsigned_abs()).ok().filter(|minutes| *minutes < 60)?;
    let to_utc = hours.checked_mul(60)?.checked_add(if hours < 0 { -minutes } else { minutes })?;
    Some(-to_utc)
}
