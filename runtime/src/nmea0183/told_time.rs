//! What a sentence says about the time of day and the date.

use super::sentence::Sentence;
use crate::time::UnixMillis;

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
            let number = |index: usize| fields.text(index).parse::<u16>().ok();
            let (day, month, year) = (number(1)?, number(2)?, number(3)?);
            let mut text = heapless::String::<40>::new();
            let (clock, fraction) = fields.text(0).split_once('.').unwrap_or((fields.text(0), "0"));
            let [hour, minute, second] = [clock.get(..2)?, clock.get(2..4)?, clock.get(4..)?];
            core::fmt::Write::write_fmt(
                &mut text,
                format_args!("{year:04}-{month:02}-{day:02}T{hour}:{minute}:{second}.{fraction}"),
            )
            .ok()?;
            let time = UnixMillis::parse_iso(&text)?;
            Some(ToldTime { talker, time, by_fix: false, local_offset_minutes: zone(fields.text(4), fields.text(5)) })
        }
        _ => None,
    }
}

/// Returns the minutes east of UTC of ZDA's zone, which counts hours and minutes to be added to local time.
fn zone(hours: &str, minutes: &str) -> Option<i16> {
    let hours: i16 = hours.parse().ok().filter(|hours| (-14..=14).contains(hours))?;
    let minutes: i16 = if minutes.is_empty() { 0 } else { minutes.parse().ok()? };
    let minutes = i16::try_from(minutes.unsigned_abs()).ok().filter(|minutes| *minutes < 60)?;
    let to_utc = hours.checked_mul(60)?.checked_add(if hours < 0 { -minutes } else { minutes })?;
    Some(-to_utc)
}
