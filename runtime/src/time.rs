//! Points in time: monotonic for decisions, wall clock for time stamps.

use core::fmt;
use core::ops::{Add, Sub};
use core::time::Duration;

/// Microseconds since the HAL booted; never goes back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Instant(pub u64);

impl Instant {
    /// Builds an instant from milliseconds since boot.
    #[must_use]
    pub const fn from_millis(millis: u64) -> Self {
        Self(millis.saturating_mul(1000))
    }

    /// Returns whole milliseconds since boot.
    #[must_use]
    pub const fn as_millis(self) -> u64 {
        self.0 / 1000
    }

    /// Returns the time from `earlier` to `self`, zero when `earlier` is later.
    #[must_use]
    pub const fn since(self, earlier: Self) -> Duration {
        Duration::from_micros(self.0.saturating_sub(earlier.0))
    }
}

impl Add<Duration> for Instant {
    type Output = Self;

    fn add(self, span: Duration) -> Self {
        Self(self.0.saturating_add(u64::try_from(span.as_micros()).unwrap_or(u64::MAX)))
    }
}

impl Sub<Duration> for Instant {
    type Output = Self;

    fn sub(self, span: Duration) -> Self {
        Self(self.0.saturating_sub(u64::try_from(span.as_micros()).unwrap_or(u64::MAX)))
    }
}

/// Milliseconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UnixMillis(pub i64);

impl UnixMillis {
    /// Stands for a wall clock that is not known: its text is empty, and what it stamps stays without a time stamp.
    pub const UNKNOWN: Self = Self(i64::MIN);

    /// Tells whether this is a point in time.
    #[must_use]
    pub const fn is_known(self) -> bool {
        self.0 != i64::MIN
    }

    /// Tells whether its date can be one: logs whose format has no date give times of day and times since a device's
    /// start as times in 1970. NMEA 2000 and Signal K are younger than 1990, and no device runs for 20 years.
    #[must_use]
    pub const fn is_dated(self) -> bool {
        self.0 >= DATED_FROM
    }
}

/// 1990-01-01, see [`UnixMillis::is_dated`].
const DATED_FROM: i64 = days_from_civil(1990, 1, 1) * MILLIS_PER_DAY;
/// Days from 0000-03-01 to 1970-01-01.
const DAYS_TO_EPOCH: i64 = 719_468;
const DAYS_PER_ERA: i64 = 146_097;
const MILLIS_PER_DAY: i64 = 86_400_000;
/// 0000-01-01 and 10000-01-01, the range that four year digits can write.
const RANGE_DAYS: core::ops::Range<i64> = -719_528..2_932_897;

impl UnixMillis {
    /// Builds a point in time from a civil UTC date and milliseconds of that day.
    #[must_use]
    pub const fn from_civil(year: i64, month: i64, day: i64, millis_of_day: i64) -> Self {
        Self(days_from_civil(year, month, day) * MILLIS_PER_DAY + millis_of_day)
    }

    /// Reads ISO 8601 as Signal K writes it: `2026-11-22T23:14:43.123Z`.
    ///
    /// `T` can be a blank or `-` (canboat's log format), the fraction 0 to 9 digits, `Z` absent; no other
    /// zone is understood. Digits below a millisecond are cut off.
    #[must_use]
    pub fn parse_iso(text: &str) -> Option<Self> {
        let bytes = text.as_bytes();
        let digits = |from: usize, count: usize| -> Option<i64> {
            let mut value = 0_i64;
            for byte in bytes.get(from..from.checked_add(count)?)? {
                if !byte.is_ascii_digit() {
                    return None;
                }
                value = value * 10 + i64::from(byte - b'0');
            }
            Some(value)
        };
        let is = |at: usize, set: &[u8]| bytes.get(at).is_some_and(|byte| set.contains(byte));
        if !(is(4, b"-") && is(7, b"-") && is(10, b"T -") && is(13, b":") && is(16, b":")) {
            return None;
        }
        let (year, month, day) = (digits(0, 4)?, digits(5, 2)?, digits(8, 2)?);
        let (hour, minute, second) = (digits(11, 2)?, digits(14, 2)?, digits(17, 2)?);
        if !(1..=12).contains(&month) || !(1..=31).contains(&day) || hour > 23 || minute > 59 || second > 60 {
            return None;
        }
        let mut rest = bytes.get(19..)?;
        let mut millis = 0;
        if let Some(fraction) = rest.strip_prefix(b".") {
            let count = fraction.iter().take_while(|byte| byte.is_ascii_digit()).count();
            if count == 0 || count > 9 {
                return None;
            }
            for index in 0..3 {
                let digit = fraction.get(index).filter(|_| index < count).map_or(0, |byte| i64::from(byte - b'0'));
                millis = millis * 10 + digit;
            }
            rest = fraction.get(count..)?;
        }
        if !(rest.is_empty() || rest == b"Z") {
            return None;
        }
        Some(Self::from_civil(year, month, day, ((hour * 60 + minute) * 60 + second) * 1000 + millis))
    }
}

impl UnixMillis {
    /// Returns `YYYY-MM-DDThh:mm:ss.mmmZ`, nothing for [`UNKNOWN`](Self::UNKNOWN); points outside years 0 to 9999 are
    /// clamped to that range.
    ///
    /// Written without the formatting machinery: every delta from a bus has one.
    #[must_use]
    pub fn text(self) -> heapless::String<24> {
        if !self.is_known() {
            return heapless::String::new();
        }
        let range = RANGE_DAYS.start * MILLIS_PER_DAY..=RANGE_DAYS.end * MILLIS_PER_DAY - 1;
        let millis = self.0.clamp(*range.start(), *range.end());
        let days = millis.div_euclid(MILLIS_PER_DAY);
        let part = |number: i64| u32::try_from(number).unwrap_or(0);
        let of_day = part(millis - days * MILLIS_PER_DAY);
        let (year, month, day) = civil_from_days(days);
        let (seconds, fraction) = (of_day / 1000, of_day % 1000);
        let (hour, minute, second) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
        let mut text = *b"0000-00-00T00:00:00.000Z";
        let year = part(year);
        let pairs = [
            (0, year / 100),
            (2, year % 100),
            (5, part(month)),
            (8, part(day)),
            (11, hour),
            (14, minute),
            (17, second),
            (20, fraction / 10),
        ];
        for (at, number) in pairs {
            if let Some(place) = text.get_mut(at..at + 2) {
                place.copy_from_slice(&pair(number));
            }
        }
        if let (Some(place), [_, digit]) = (text.get_mut(22), pair(fraction % 10)) {
            *place = digit;
        }
        // Digits and signs of ASCII, and the length is exactly that.
        heapless::String::try_from(core::str::from_utf8(&text).unwrap_or_default()).unwrap_or_default()
    }
}

/// Texts of time stamps, one after the other: those of one second differ in three digits.
#[derive(Clone, Debug, Default)]
pub(crate) struct TimeText {
    text: heapless::String<24>,
    /// The first millisecond of the second that it is of.
    second: Option<i64>,
}

/// Bytes of a time stamp before its milliseconds.
const SECOND_BYTES: usize = 20;

impl TimeText {
    /// Returns what [`UnixMillis::text`] returns.
    pub fn of(&mut self, time: UnixMillis) -> &str {
        let since = self.second.and_then(|second| u16::try_from(time.0.wrapping_sub(second)).ok());
        match since.filter(|since| *since < 1000) {
            Some(since) => {
                let digit = |number: u16| u8::try_from(number % 10).map_or(b'0', |digit| b'0' + digit);
                let rest = [digit(since / 100), digit(since / 10), digit(since), b'Z'];
                self.text.truncate(SECOND_BYTES);
                // ASCII, as long as what stood there.
                let _ = self.text.push_str(core::str::from_utf8(&rest).unwrap_or_default());
            }
            None => {
                self.text = time.text();
                // The text of a time that is clamped, or unknown, is no other's.
                let is_exact = UnixMillis::parse_iso(&self.text) == Some(time);
                self.second = is_exact.then(|| time.0.wrapping_sub(time.0.rem_euclid(1000)));
            }
        }
        &self.text
    }
}

/// Returns two digits.
fn pair(number: u32) -> [u8; 2] {
    let digit = |number: u32| b'0'.saturating_add(u8::try_from(number).unwrap_or(0));
    [digit(number / 10 % 10), digit(number % 10)]
}

impl fmt::Display for UnixMillis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text())
    }
}

/// A point in time as HTTP writes it, `Sun, 06 Nov 1994 08:49:37 GMT` (RFC 9110 §5.6.7).
#[derive(Clone, Copy, Debug)]
pub struct HttpDate(UnixMillis);

impl UnixMillis {
    /// Returns the point in time for a header field, cut to whole seconds.
    #[must_use]
    pub const fn http_date(self) -> HttpDate {
        HttpDate(self)
    }
}

impl fmt::Display for HttpDate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // 1970-01-01 was a Thursday.
        const DAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
        const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
        let range = RANGE_DAYS.start * MILLIS_PER_DAY..=RANGE_DAYS.end * MILLIS_PER_DAY - 1;
        let millis = self.0.0.clamp(*range.start(), *range.end());
        let days = millis.div_euclid(MILLIS_PER_DAY);
        let (year, month, day) = civil_from_days(days);
        let name = |names: &'static [&'static str], index: i64| {
            usize::try_from(index).ok().and_then(|index| names.get(index)).copied().unwrap_or_default()
        };
        let (weekday, month) = (name(&DAYS, days.rem_euclid(7)), name(&MONTHS, month - 1));
        let seconds = millis.rem_euclid(MILLIS_PER_DAY) / 1000;
        let (hour, minute, second) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
        write!(f, "{weekday}, {day:02} {month} {year:04} {hour:02}:{minute:02}:{second:02} GMT")
    }
}

/// Days since 1970-01-01 of a civil date (H. Hinnant, "chrono-Compatible Low-Level Date Algorithms").
const fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * DAYS_PER_ERA + day_of_era - DAYS_TO_EPOCH
}

/// The inverse of [`days_from_civil`], same source, for years 0 to 9999: in 32 bits, since a division of 64 bits is a long
/// function on small machines.
fn civil_from_days(days: i64) -> (i64, i64, i64) {
    const ERA: u32 = 146_097;
    // January and February of year 0 belong to the era before: one more is counted, and taken away below.
    let shifted = u32::try_from(days + DAYS_TO_EPOCH + DAYS_PER_ERA).unwrap_or(ERA);
    let (era, day_of_era) = (shifted / ERA, shifted % ERA);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_index = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_index + 2) / 5 + 1;
    let month = if month_index < 10 { month_index + 3 } else { month_index - 9 };
    let year = year_of_era + era * 400 + u32::from(month <= 2);
    (i64::from(year) - 400, month.into(), day.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn iso_text_survives_a_round_trip() {
        for text in [
            "1970-01-01T00:00:00.000Z",
            "2000-02-29T23:59:59.999Z",
            "2026-11-22T23:14:43.120Z",
            "0001-01-01T00:00:00.000Z",
        ] {
            let parsed = UnixMillis::parse_iso(text).expect(text);
            assert_eq!(std::format!("{parsed}"), text);
        }
    }

    #[test]
    fn iso_accepts_the_log_separators_and_short_fractions() {
        let expected = UnixMillis::parse_iso("2014-08-15T19:00:00.042Z");
        assert!(expected.is_some());
        assert_eq!(UnixMillis::parse_iso("2014-08-15-19:00:00.042"), expected);
        assert_eq!(UnixMillis::parse_iso("2014-08-15 19:00:00.0421234"), expected);
    }

    #[test]
    fn iso_refuses_what_is_not_a_utc_time() {
        for text in [
            "",
            "2014-08-15",
            "2014-13-15T19:00:00Z",
            "2014-08-15T24:00:00Z",
            "2014-08-15T19:00:00+02:00",
            "2014-08-15T19:00:00.",
        ] {
            assert_eq!(UnixMillis::parse_iso(text), None, "{text}");
        }
    }

    #[test]
    fn display_clamps_instead_of_growing() {
        assert_eq!(std::format!("{}", UnixMillis(i64::MAX)), "9999-12-31T23:59:59.999Z");
        assert_eq!(std::format!("{}", UnixMillis(i64::MIN + 1)), "0000-01-01T00:00:00.000Z");
    }

    #[test]
    fn texts_one_after_the_other_are_those_of_their_times() {
        let at = |text: &str| UnixMillis::parse_iso(text).expect(text);
        let dated = at("2026-11-22T23:59:59.000Z");
        let mut times =
            std::vec![UnixMillis::UNKNOWN, UnixMillis(i64::MAX), UnixMillis(i64::MAX - 1), UnixMillis(i64::MIN + 1)];
        times.extend([-1001, -1, 0, 1, 999, 1000, 1001, 500, 999, -1].map(|more| UnixMillis(dated.0 + more)));
        times.extend([UnixMillis(-1), UnixMillis(0), UnixMillis(-999), UnixMillis(-1000), UnixMillis::UNKNOWN, dated]);
        let mut text = TimeText::default();
        for time in times.iter().flat_map(|time| [*time, *time]).chain(times.iter().rev().copied()) {
            assert_eq!(text.of(time), &*time.text(), "{time:?}");
        }
    }

    #[test]
    fn an_unknown_time_has_no_text() {
        assert_eq!(std::format!("{}", UnixMillis::UNKNOWN), "");
        assert!(!UnixMillis::UNKNOWN.is_known() && UnixMillis::default().is_known());
    }

    #[test]
    fn instants_saturate() {
        assert_eq!(Instant(5).since(Instant(9)), Duration::ZERO);
        assert_eq!(Instant(u64::MAX) + Duration::from_secs(1), Instant(u64::MAX));
    }
}
