//! The date of a log whose format has none: what its own GNSS receivers and clocks say.
//!
//! Times of day and times since a device's start come as times in 1970 ([`UnixMillis::is_dated`]). The first message
//! that tells the time (126992, 129029, 129033, RMC, ZDA) says how far off they are; [`Dates::of`] looks for it ahead, so
//! that what stands before it has its date too. A log in which nobody tells the time keeps times without a date.

use std::io;

use skiff_runtime::clock::Sighting;
use skiff_runtime::clock::sighting::{self, Origin, SourceName};
use skiff_runtime::n2k::log::{Format, LogEntry, Mode, Record};
use skiff_runtime::n2k::{N2kMessage, Receiver};
use skiff_runtime::time::{Instant, UnixMillis};

use super::{Log, Source};

const DAY_MS: i64 = 86_400_000;
/// A clock that shows less than the line before by more than this passed midnight.
const MIDNIGHT_MS: i64 = DAY_MS / 2;
/// Differences up to this are delays of messages, and the log's own times are kept.
const DELAY_MS_MAX: i64 = 60_000;
/// Time that a record takes in a log that has no times.
const RECORD_STEP_MS: i64 = 1;

/// Who told the date, and what it adds to the log's times.
#[derive(Clone, Debug)]
struct Anchor {
    shift_ms: i64,
    origin: Origin,
    source: SourceName,
}

/// Gives records a date.
#[derive(Debug)]
pub struct Dates {
    /// Puts messages of several frames together.
    receiver: Receiver,
    message: N2kMessage,
    anchor: Option<Anchor>,
    /// Time of the last record without a date, as the log has it.
    last: Option<UnixMillis>,
    /// Time of the last record that has a date of its own.
    dated: Option<UnixMillis>,
    /// Milliseconds of the midnights that passed.
    midnights_ms: i64,
}

impl Default for Dates {
    fn default() -> Self {
        Self {
            receiver: Receiver::new(""),
            message: N2kMessage::default(),
            anchor: None,
            last: None,
            dated: None,
            midnights_ms: 0,
        }
    }
}

impl Dates {
    /// Looks through a file for the date that its begin has; what can be read only once is not looked at.
    ///
    /// # Errors
    /// What the system said.
    pub fn of(source: &Source, format: Format, mode: Mode) -> io::Result<Self> {
        let mut dates = Self::default();
        // A pipe can be named like a file.
        let is_file = matches!(source, Source::File(path) if path.metadata().is_ok_and(|found| found.is_file()));
        if !is_file {
            return Ok(dates);
        }
        let mut log = Log::new(source.open()?, format, mode);
        while let Some(entry) = log.next_raw()? {
            match entry {
                LogEntry::Record { mut record, .. } => dates.record(&mut record),
                LogEntry::Sentence { text, .. } => dates.sentence(&text),
                LogEntry::Delta { .. } | LogEntry::Bad { .. } => {}
            }
            if dates.dated.is_some() {
                // The log has dates of its own.
                return Ok(Self::default());
            }
            if let Some(anchor) = dates.anchor {
                let shift_ms = anchor.shift_ms.saturating_sub(dates.midnights_ms);
                return Ok(Self { anchor: Some(Anchor { shift_ms, ..anchor }), ..Self::default() });
            }
        }
        Ok(dates.forgotten())
    }

    fn forgotten(self) -> Self {
        Self { anchor: self.anchor, ..Self::default() }
    }

    /// Gives a record the date that is known; without one it keeps the time it has.
    pub fn record(&mut self, record: &mut Record) {
        if let Some(time) = record.time.filter(|time| time.is_dated()) {
            self.dated = Some(time);
            return;
        }
        let time = self.step(record.time);
        // A log's clock jumps where two were joined: fast packets are told apart by their counters alone here.
        if self.receiver.item_into(&record.item, Instant::default(), &mut self.message)
            && let Some(sighting) = sighting::of_message("", &self.message)
        {
            self.hear(&sighting, time, record.time.is_some());
        }
        if self.anchor.is_none()
            && let Some(dated) = self.dated
        {
            let exact = dated.0.saturating_sub(time.0);
            let shift_ms = if record.time.is_some() { whole_days(exact) } else { exact };
            self.anchor = Some(Anchor { shift_ms, origin: Origin::Crystal, source: SourceName::new() });
        }
        if let Some(anchor) = &self.anchor {
            record.time = Some(UnixMillis(time.0.saturating_add(anchor.shift_ms)));
        }
    }

    /// Hears what a sentence of NMEA 0183 between the records says about the time.
    pub fn sentence(&mut self, text: &str) {
        let Some(sighting) = sighting::of_sentence("", text) else { return };
        match self.last {
            Some(last) => self.hear(&sighting, last, false),
            // What the times of the records are is not known yet.
            None => self.dated = Some(sighting.time).filter(|time| time.is_dated()).or(self.dated),
        }
    }

    /// Returns the time of a record in the log's own count, and takes note of a midnight.
    fn step(&mut self, time: Option<UnixMillis>) -> UnixMillis {
        let next = |last: UnixMillis| UnixMillis(last.0.saturating_add(RECORD_STEP_MS));
        let time = time.or(self.last.map(next)).unwrap_or_default();
        if let Some(last) = self.last
            && last.0 < DAY_MS
            && last.0.saturating_sub(time.0) > MIDNIGHT_MS
        {
            self.midnights_ms = self.midnights_ms.saturating_add(DAY_MS);
            if let Some(anchor) = &mut self.anchor {
                anchor.shift_ms = anchor.shift_ms.saturating_add(DAY_MS);
            }
        }
        self.last = Some(time);
        time
    }

    /// Takes what a device says about the time at `time` of the log's own count.
    fn hear(&mut self, sighting: &Sighting, time: UnixMillis, has_time: bool) {
        let may_tell = |anchor: &Anchor| sighting.origin > anchor.origin || sighting.source == anchor.source;
        if !sighting.time.is_dated() || !self.anchor.as_ref().is_none_or(may_tell) {
            return;
        }
        let exact = sighting.time.0.saturating_sub(time.0);
        let off = self.anchor.as_ref().map(|anchor| exact.saturating_sub(anchor.shift_ms));
        // Records without times follow whoever tells it, forwards.
        let agrees = |off: i64| off.abs() <= DELAY_MS_MAX && (has_time || off <= 0);
        if off.is_some_and(agrees) {
            return;
        }
        let days = whole_days(exact);
        let is_time_of_day = has_time && time.0 < DAY_MS && exact.abs_diff(days) <= DELAY_MS_MAX.unsigned_abs();
        let shift_ms = if is_time_of_day { days } else { exact };
        self.anchor = Some(Anchor { shift_ms, origin: sighting.origin, source: sighting.source.clone() });
    }
}

/// Returns the whole days that are nearest to a span.
fn whole_days(span_ms: i64) -> i64 {
    span_ms.saturating_add(DAY_MS / 2).div_euclid(DAY_MS).saturating_mul(DAY_MS)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-06-01T23:59:58Z in 126992, days and 0.1 ms.
    fn system_time(days: u16, seconds: u32) -> String {
        let ([a, b], [c, d, e, f]) = (days.to_le_bytes(), (seconds * 10_000).to_le_bytes());
        format!("01 F0 {a:02X} {b:02X} {c:02X} {d:02X} {e:02X} {f:02X}")
    }

    fn log(text: &str) -> Vec<LogEntry> {
        let mut log = Log::new(Box::new(io::Cursor::new(text.to_owned())), Format::Auto, Mode::Auto);
        std::iter::from_fn(|| log.next_entry().unwrap()).collect()
    }

    fn times(entries: &[LogEntry]) -> Vec<String> {
        let time = |entry: &LogEntry| match entry {
            LogEntry::Record { record, .. } => record.time.map(|time| time.text().as_str().to_owned()),
            _ => None,
        };
        entries.iter().filter_map(time).collect()
    }

    const HEADING: &str = "09F11207 FF 10 3B FF 7F FF 7F FC";

    #[test]
    fn times_of_day_get_the_date_that_is_told_and_pass_midnight() {
        let told = system_time(20_605, 86_398);
        let text = format!(
            "23:59:57.900 R {HEADING}\n23:59:58.100 R 09F01003 {told}\n23:59:59.500 R {HEADING}\n00:00:00.250 R {HEADING}\n"
        );
        assert_eq!(
            times(&log(&text)),
            [
                "1970-01-01T23:59:57.900Z",
                "2026-06-01T23:59:58.100Z",
                "2026-06-01T23:59:59.500Z",
                "2026-06-02T00:00:00.250Z",
            ]
        );
    }

    #[test]
    fn times_since_a_start_are_shifted_exactly() {
        // 10:00:00 was told 5 s after the start.
        let told = system_time(20_605, 36_000);
        let text = format!("00:00:05.000 R 09F01003 {told}\n00:00:06.500 R {HEADING}\n");
        assert_eq!(times(&log(&text)), ["2026-06-01T10:00:00.000Z", "2026-06-01T10:00:01.500Z"]);
    }

    #[test]
    fn records_without_times_follow_who_tells_it() {
        let frame = |seconds| format!("can0 09F01003 [8] {}\n", system_time(20_605, seconds));
        let heading = "can0 09F11207 [8] FF 10 3B FF 7F FF 7F FC\n";
        let text = [&frame(36_000), heading, &frame(36_001), heading].concat();
        assert_eq!(
            times(&log(&text)),
            [
                "2026-06-01T10:00:00.000Z",
                "2026-06-01T10:00:00.001Z",
                "2026-06-01T10:00:01.000Z",
                "2026-06-01T10:00:01.001Z"
            ]
        );
    }

    #[test]
    fn a_file_is_dated_from_its_begin() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("boat.log");
        let told = system_time(20_606, 1);
        let text = format!("23:59:59.000 R {HEADING}\n00:00:01.100 R 09F01003 {told}\n00:00:02.000 R {HEADING}\n");
        std::fs::write(&path, text).unwrap();
        let mut log = Log::open(&Source::File(path), Format::Auto, Mode::Auto).unwrap();
        let entries: Vec<_> = std::iter::from_fn(|| log.next_entry().unwrap()).collect();
        assert_eq!(
            times(&entries),
            ["2026-06-01T23:59:59.000Z", "2026-06-02T00:00:01.100Z", "2026-06-02T00:00:02.000Z"]
        );
    }

    #[test]
    fn a_date_in_one_line_is_the_date_of_the_next() {
        let text = format!("2026-06-01T10:00:00.000Z,2,127250,7,255,1,ff\n10:00:01.000 R {HEADING}\n");
        assert_eq!(times(&log(&text)), ["2026-06-01T10:00:00.000Z", "2026-06-01T10:00:01.000Z"]);
    }

    #[test]
    fn sentences_tell_the_date_too() {
        let text = format!(
            "10:00:01.000 R {HEADING}\n$GPRMC,100001,A,6000.00,N,02400.00,E,0.0,0.0,010626,,\n10:00:02.000 R {HEADING}\n"
        );
        assert_eq!(times(&log(&text)), ["1970-01-01T10:00:01.000Z", "2026-06-01T10:00:02.000Z"]);
    }

    #[test]
    fn a_worse_clock_does_not_move_a_better_ones_date() {
        let gnss = system_time(20_605, 36_000);
        let crystal = system_time(20_000, 36_001).replacen("F0", "F5", 1);
        let text = format!("10:00:00.000 R 09F01003 {gnss}\n10:00:01.000 R 09F01004 {crystal}\n");
        assert_eq!(times(&log(&text)), ["2026-06-01T10:00:00.000Z", "2026-06-01T10:00:01.000Z"]);
    }
}
