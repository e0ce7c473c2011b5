//! A time as tools spell it: dates in several forms, times of day, seconds or milliseconds since 1970.

use crate::time::UnixMillis;

const MINUTE_MILLIS: i64 = 60_000;
const HOUR_MILLIS: i64 = 60 * MINUTE_MILLIS;
const DAY_MILLIS: i64 = 24 * HOUR_MILLIS;
/// Seconds since 1970 have fewer digits until 5138; milliseconds have as many from 1973 on.
const MILLIS_DIGITS: usize = 12;

/// Reads a time; `None` when it is not understood.
///
/// ```text
/// 2016-02-28T19:57:02.364Z    also with blank, `-`, `_` or Z in place of T, `/` in the date, no fraction, no Z
/// 2016-02-28T20:57:02+01:00   also +0100, +01
/// 1456689422.364              seconds since 1970, also milliseconds: 1456689422364
/// 19:57:02.364                a time of day, which stands on 1970-01-01
/// ```
pub(super) fn read(text: &str) -> Option<UnixMillis> {
    let text = text.trim();
    let bytes = text.as_bytes();
    if bytes.get(2) == Some(&b':') {
        return time_of_day(text).map(UnixMillis);
    }
    let is_date = matches!(bytes, [_, _, _, _, b'-' | b'/', _, _, b'-' | b'/', _, _, ..]);
    if !is_date {
        return since_1970(text);
    }
    let (date, clock) = text.split_at_checked(10)?;
    let clock = clock.strip_prefix(['T', 't', ' ', '-', '_', 'Z'])?;
    let (clock, east) = zone(clock)?;
    let (year, month, day) = (number(date.get(..4)?)?, number(date.get(5..7)?)?, number(date.get(8..10)?)?);
    if !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    Some(UnixMillis(UnixMillis::from_civil(year, month, day, time_of_day(clock)?).0.saturating_sub(east)))
}

/// Reads `hh:mm:ss` with a fraction or none, as milliseconds.
fn time_of_day(text: &str) -> Option<i64> {
    let (clock, fraction) = text.split_once(['.', ',']).unwrap_or((text, "0"));
    let &[h1, h2, b':', m1, m2, b':', s1, s2] = clock.as_bytes() else { return None };
    super::ydwg::clock_time([h1, h2, m1, m2, s1, s2], fraction).map(|time| time.0)
}

/// Takes the zone off the end of a time of day; returns the milliseconds that it is east of Greenwich.
fn zone(clock: &str) -> Option<(&str, i64)> {
    if let Some(clock) = clock.strip_suffix(['Z', 'z']) {
        return Some((clock, 0));
    }
    let Some(at) = clock.rfind(['+', '-']) else { return Some((clock, 0)) };
    let (clock, zone) = clock.split_at_checked(at)?;
    let (sign, digits) = zone.split_at_checked(1)?;
    let (hours, minutes) = match digits.len() {
        2 => (digits, "0"),
        4 => digits.split_at_checked(2)?,
        5 => digits.split_once(':')?,
        _ => return None,
    };
    let east =
        number(hours)?.saturating_mul(HOUR_MILLIS).saturating_add(number(minutes)?.saturating_mul(MINUTE_MILLIS));
    (east <= DAY_MILLIS).then_some((clock.trim_end(), if sign == "-" { -east } else { east }))
}

/// Reads a count of seconds, with a fraction or none, or of milliseconds.
fn since_1970(text: &str) -> Option<UnixMillis> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let count = number(whole)?;
    if whole.len() >= MILLIS_DIGITS {
        return Some(UnixMillis(count));
    }
    let thousandths = thousandths(fraction)?;
    Some(UnixMillis(count.checked_mul(1000)?.checked_add(thousandths)?))
}

/// Reads the digits behind the point of a second, as milliseconds; what is smaller is cut off.
pub(super) fn thousandths(fraction: &str) -> Option<i64> {
    if !fraction.bytes().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    Some(fraction.bytes().chain(*b"000").take(3).fold(0, |sum, digit| sum * 10 + i64::from(digit - b'0')))
}

fn number(text: &str) -> Option<i64> {
    text.parse().ok().filter(|_| text.bytes().all(|digit| digit.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling_is_the_same_moment() {
        for text in [
            "2016-02-28T19:57:02.364Z",
            "2016-02-28-19:57:02.364",
            "2016-02-28 19:57:02,364",
            "2016-02-28Z19:57:02.364",
            "2016-02-28_19:57:02.364",
            "2016/02/28-19:57:02.364999",
            "2016-02-28T20:57:02.364+01:00",
            "2016-02-28T14:27:02.364-0530",
            " 2016-02-28T18:57:02.364-01 ",
            "1456689422364",
            "1456689422.364",
        ] {
            assert_eq!(read(text), Some(UnixMillis(1_456_689_422_364)), "{text}");
        }
        assert_eq!(read("2016-02-28T19:57:17"), Some(UnixMillis(1_456_689_437_000)));
        assert_eq!(read("1456689437"), Some(UnixMillis(1_456_689_437_000)));
        assert_eq!(read("00:00:01.5"), Some(UnixMillis(1500)));
    }

    #[test]
    fn what_is_no_time_is_none() {
        for text in [
            "",
            "-",
            "yesterday",
            "2016-02-28",
            "2016-02-28T",
            "2016-02-28T19:57",
            "2016-13-28T19:57:02",
            "2016-02-28T25:00:00",
            "2016-02-28T19:57:02.3x4",
            "2016-02-28T19:57:02+1",
            "2016-02-28T19:57:02+99:99",
            "12:34",
            "-5",
            "+5",
            "1.x",
            "99999999999999999999",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn never_panics(text in "[-0-9:T.Z+/ é]{0,40}") {
            let _ = read(&text);
        }
    }
}
