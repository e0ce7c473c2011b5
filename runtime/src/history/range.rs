//! The time range of a query: `from`, `to`, `duration`, as ISO 8601 writes them.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use crate::time::UnixMillis;

const SECOND: i64 = 1000;
const MINUTE: i64 = 60 * SECOND;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;
/// Longest range, ms: more than is ever kept.
const LONGEST: i64 = 366 * DAY;

/// From when to when, both included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Range {
    /// Begin.
    pub from: UnixMillis,
    /// End.
    pub to: UnixMillis,
}

impl Range {
    /// Reads the parameters of a query; what is left out ends now.
    ///
    /// # Errors
    /// A clause for each of them that is wrong.
    pub fn read(parameter: &dyn Fn(&str) -> Option<String>, now: UnixMillis) -> Result<Self, Vec<String>> {
        let mut wrong = Vec::new();
        let mut read = |name: &str, read: &dyn Fn(&str) -> Option<i64>, what: &str| {
            let text = parameter(name).filter(|text| !text.is_empty())?;
            let value = read(&text);
            if value.is_none() {
                wrong.push(format!("{name} must be {what}"));
            }
            value
        };
        let time = "an ISO 8601 time such as 2026-11-22T23:14:43Z";
        let from = read("from", &instant, time);
        let to = read("to", &instant, time);
        let what = "an ISO 8601 duration of days and less such as PT15M, or whole seconds";
        let duration = read("duration", &span, what);
        let (from, to) = match (from, to, duration) {
            _ if !wrong.is_empty() => return Err(wrong),
            (Some(_), Some(_), Some(_)) => {
                wrong.push(String::from("of from, to and duration at most two can be given"));
                return Err(wrong);
            }
            (None, _, None) => {
                wrong.push(String::from("from or duration is required"));
                return Err(wrong);
            }
            (Some(from), to, None) => (from, to.unwrap_or(now.0)),
            (Some(from), None, Some(duration)) => (from, from.saturating_add(duration)),
            (None, to, Some(duration)) => {
                let to = to.unwrap_or(now.0);
                (to.saturating_sub(duration), to)
            }
        };
        if from >= to || to.saturating_sub(from) > LONGEST {
            wrong.push(String::from("from must be before to, by at most a year"));
            return Err(wrong);
        }
        Ok(Self { from: UnixMillis(from), to: UnixMillis(to) })
    }

    /// Returns its length, ms; at least 1.
    #[must_use]
    pub fn millis(&self) -> i64 {
        self.to.0.saturating_sub(self.from.0).max(1)
    }
}

/// Reads a point in time with its zone, Unix ms.
#[must_use]
pub fn instant(text: &str) -> Option<i64> {
    if let Some(time) = text.strip_suffix(['Z', 'z']) {
        return UnixMillis::parse_iso(time).map(|time| time.0);
    }
    let (time, zone) = text.split_at_checked(text.len().checked_sub(6)?)?;
    // A plus that nobody encoded arrives as a blank.
    let sign = match zone.bytes().next()? {
        b'+' | b' ' => 1,
        b'-' => -1,
        _ => return None,
    };
    let (hours, minutes) = zone.get(1..)?.split_once(':')?;
    let two = |digits: &str, most: i64| {
        let number = digits.parse::<i64>().ok().filter(|number| (0..=most).contains(number))?;
        digits.bytes().all(|digit| digit.is_ascii_digit()).then_some(number)
    };
    let zone = two(hours, 23)?.saturating_mul(HOUR).saturating_add(two(minutes, 59)?.saturating_mul(MINUTE));
    Some(UnixMillis::parse_iso(time.trim_end_matches('Z'))?.0.saturating_sub(sign * zone))
}

/// Reads whole seconds or an ISO 8601 duration (`P1DT2H30M`), ms. Years and months have no fixed length and are refused.
#[must_use]
pub fn span(text: &str) -> Option<i64> {
    if !text.is_empty() && text.len() <= 9 && text.bytes().all(|byte| byte.is_ascii_digit()) {
        return text.parse::<i64>().ok().map(|seconds| seconds.saturating_mul(SECOND)).filter(|span| *span > 0);
    }
    let text = text.to_ascii_uppercase();
    let (days, times) = match text.strip_prefix('P')?.split_once('T') {
        Some((_, "")) => return None,
        Some((days, times)) => (days, times),
        None => (text.get(1..)?, ""),
    };
    let mut total = 0_i64;
    for (mut part, units) in
        [(days, &[('W', 7 * DAY), ('D', DAY)][..]), (times, &[('H', HOUR), ('M', MINUTE), ('S', SECOND)])]
    {
        for (unit, millis) in units {
            if let Some((number, rest)) = part.split_once(*unit) {
                total = total.saturating_add(times_unit(number, *millis)?);
                part = rest;
            }
        }
        if !part.is_empty() {
            return None;
        }
    }
    Some(total).filter(|total| *total > 0)
}

/// Multiplies a decimal of at most nine digits before and three behind the point by milliseconds.
fn times_unit(number: &str, millis: i64) -> Option<i64> {
    let (whole, fraction) = number.split_once(['.', ',']).unwrap_or((number, "0"));
    let digits = |text: &str, most: usize| {
        let is_number = !text.is_empty() && text.len() <= most && text.bytes().all(|byte| byte.is_ascii_digit());
        is_number.then(|| text.parse::<i64>().ok()).flatten()
    };
    let scale = 10_i64.checked_pow(u32::try_from(fraction.len()).ok()?)?;
    let part = digits(fraction, 3)?.checked_mul(millis)?.checked_div(scale)?;
    digits(whole, 9)?.checked_mul(millis)?.checked_add(part)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: UnixMillis = UnixMillis(1_800_000_000_000);

    fn read(query: &str) -> Result<(i64, i64), String> {
        let parameter = |name: &str| {
            crate::http::Request::new(crate::http::Method::Get, "/").query().is_empty().then(|| {
                query.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('=')).map(String::from)
            })?
        };
        Range::read(&parameter, NOW)
            .map(|range| (range.from.0 - NOW.0, range.to.0 - NOW.0))
            .map_err(|wrong| wrong.join(", "))
    }

    #[test]
    fn what_is_left_out_ends_now() {
        assert_eq!(read("duration=60"), Ok((-60_000, 0)));
        assert_eq!(read("duration=PT1H"), Ok((-HOUR, 0)));
        // 1,800,000,000 s are 2027-01-15T08:00:00Z.
        assert_eq!(read("from=2027-01-15T07:00:00Z"), Ok((-HOUR, 0)));
        assert_eq!(read("from=2027-01-15T07:00:00Z&duration=PT10M"), Ok((-HOUR, -HOUR + 10 * MINUTE)));
        assert_eq!(read("to=2027-01-15T07:00:00.500Z&duration=1"), Ok((-HOUR - 500, -HOUR + 500)));
        assert_eq!(
            read("from=2027-01-15T06:00:00Z&to=2027-01-15T09:00:00%2B02:00".replace("%2B", "+").as_str()),
            Ok((-2 * HOUR, -HOUR))
        );
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (query, clause) in [
            ("", "from or duration is required"),
            ("to=2027-01-15T07:00:00Z", "from or duration is required"),
            ("from=yesterday&duration=x", "from must be an ISO 8601 time"),
            ("from=2027-01-15T07:00:00Z&to=2027-01-15T07:00:00Z", "from must be before to"),
            ("from=2027-01-15T07:00:00Z&to=2027-01-15T07:00:00Z&duration=1", "at most two"),
            ("duration=P2Y", "duration must be"),
            ("from=1900-01-01T00:00:00Z", "by at most a year"),
        ] {
            assert!(read(query).unwrap_err().contains(clause), "{query}: {:?}", read(query));
        }
    }

    #[test]
    fn durations_are_iso_8601_or_seconds() {
        for (text, millis) in [
            ("900", 900_000),
            ("PT15M", 900_000),
            ("pt0.5s", 500),
            ("P1DT2H30M", DAY + 2 * HOUR + 30 * MINUTE),
            ("P1W", 7 * DAY),
            ("PT1,5H", 90 * MINUTE),
        ] {
            assert_eq!(span(text), Some(millis), "{text}");
        }
        for wrong in
            ["", "0", "-1", "1.5", "P", "PT", "P1M", "P1Y", "PT1H1D", "PT1M1H", "PTS", "1e3", "PT1.2345S", "PT-1S"]
        {
            assert_eq!(span(wrong), None, "{wrong}");
        }
    }

    proptest::proptest! {
        #[test]
        fn never_panics(text in "\\PC{0,30}") {
            let _ = (span(&text), instant(&text));
        }
    }
}
