//! The time of each entry of a log, NMEA 0183 among it.

use std::collections::VecDeque;
use std::io;

use skiff_runtime::n2k::log::LogEntry;
use skiff_runtime::nmea0183;
use skiff_runtime::time::UnixMillis;

use super::Log;

/// Entries that are read ahead for the first time in a log: what comes before it happened then, too.
const AHEAD_MAX: usize = 256;
const DAY_MILLIS: i64 = 86_400_000;

/// A log whose entries have the time at which they happened, as far as the log says.
///
/// A line's time is what stands before it (Signal K Server) or in it; for sentences of NMEA 0183 that is the tag block, the
/// date and time of RMC and ZDA, or a time of day on the day that is known. A line without any has the time of the one
/// before it. A log that says nothing of the time leaves its entries without.
pub struct TimedLog {
    log: Log,
    /// The time of the last entry.
    now: Option<UnixMillis>,
    ahead: VecDeque<LogEntry>,
    has_begun: bool,
}

impl TimedLog {
    /// Reads a log.
    #[must_use]
    pub fn new(log: Log) -> Self {
        Self { log, now: None, ahead: VecDeque::new(), has_begun: false }
    }

    /// Returns the log, to ask how it was read.
    #[must_use]
    pub fn log(&self) -> &Log {
        &self.log
    }

    /// Returns the next entry as [`Log::next_entry`] does, with its time.
    ///
    /// # Errors
    /// What the system said.
    pub fn next_entry(&mut self) -> io::Result<Option<LogEntry>> {
        if !self.has_begun {
            self.has_begun = true;
            while self.now.is_none() && self.ahead.len() < AHEAD_MAX {
                let Some(mut entry) = self.log.next_entry()? else { break };
                self.tell(&mut entry);
                self.ahead.push_back(entry);
            }
            // Everything before the first time.
            for entry in &mut self.ahead {
                if let Some(time) = time_of(entry) {
                    *time = time.or(self.now);
                }
            }
        }
        if let Some(entry) = self.ahead.pop_front() {
            return Ok(Some(entry));
        }
        let mut entry = self.log.next_entry()?;
        if let Some(entry) = &mut entry {
            self.tell(entry);
        }
        Ok(entry)
    }

    /// Gives an entry its time.
    fn tell(&mut self, entry: &mut LogEntry) {
        let last = self.now;
        let told = match entry {
            LogEntry::Sentence { time: None, text, .. } => nmea0183::log_time(text, last),
            LogEntry::Record { record, .. } => record.time.map(|time| dated(time, last)),
            LogEntry::Sentence { time, .. } | LogEntry::Delta { time, .. } => *time,
            LogEntry::Bad { .. } => None,
        };
        self.now = told.or(last);
        if let Some(time) = time_of(entry) {
            *time = self.now;
        }
    }
}

/// Returns where the time of an entry stands.
fn time_of(entry: &mut LogEntry) -> Option<&mut Option<UnixMillis>> {
    match entry {
        LogEntry::Record { record, .. } => Some(&mut record.time),
        LogEntry::Sentence { time, .. } | LogEntry::Delta { time, .. } => Some(time),
        LogEntry::Bad { .. } => None,
    }
}

/// Puts a time of day, as Yacht Devices' lines have it, on the day that is known by other lines.
fn dated(time: UnixMillis, last: Option<UnixMillis>) -> UnixMillis {
    match last {
        Some(last) if (0..DAY_MILLIS).contains(&time.0) && last.is_dated() => {
            let off = time.0 - last.0.rem_euclid(DAY_MILLIS);
            let days = if off > DAY_MILLIS / 2 { -1 } else { i64::from(off < -DAY_MILLIS / 2) };
            UnixMillis(last.0.saturating_add(off).saturating_add(days * DAY_MILLIS))
        }
        _ => time,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use skiff_runtime::n2k::log::{Format, Mode};

    /// The times of a log's entries, in seconds and milliseconds after 10:00 of 8 October 2023.
    fn times(text: &'static str) -> Vec<Option<i64>> {
        let mut log = TimedLog::new(Log::new(Box::new(text.as_bytes()), Format::Auto, Mode::Auto));
        let entries = std::iter::from_fn(|| log.next_entry().unwrap());
        entries
            .filter_map(|mut entry| time_of(&mut entry).map(|time| time.map(|time| time.0 - 1_696_759_200_000)))
            .collect()
    }

    const RMC: &str = "$GPRMC,100010.00,A,5104.6828,N,00415.3691,E,1.0,90.0,081023,,,A*67\n";

    #[test]
    fn sentences_give_a_log_its_time_and_what_came_before_has_it_too() {
        let log = [
            "$IIMTW,17.9,C*1C\n$IIHDM,100.0,M*23\n",
            RMC,
            "$IIMTW,17.9,C*1C\n",
            "\\s:log,c:1696759211*59\\$IIMTW,17.9,C*1C\nnonsense\n",
            "$GPGLL,5104.6828,N,00415.3691,E,100012.00,A,A*62\n",
            "09:59:59.500 R 09F80107 01 02 03 04 05 06 07 08\n",
            "$GPZDA,100014.25,08,10,2023,00,00\n$IIHDM,100.0,M*23\n",
        ];
        let times = times(log.concat().leak());
        let wanted = [10_000, 10_000, 10_000, 10_000, 11_000, 12_000, -500, 14_250, 14_250].map(Some);
        assert_eq!(times, wanted);
        assert_eq!(self::times("$IIMTW,17.9,C*1C\n$IIHDM,100.0,M*23\n"), [None, None]);
        // A receiver that has just been switched on.
        assert_eq!(self::times([RMC, "$GPRMC,000001,V,,,,,,,060180,,\n"].concat().leak()), [Some(10_000); 2]);
    }

    #[test]
    fn a_servers_time_stands_before_every_line_of_its_log() {
        let lines = format!(
            "1696759210100;N;$IIMTW,17.9,C*1C\n1696759210200;N;{RMC}1696759210300;I;{{\"updates\":[]}}\n\
             1696759210400;A;2023-10-08T10:00:10.350Z,2,127250,7,255,8,ff,10,00,ff,7f,ff,7f,fc\n"
        );
        assert_eq!(times(lines.leak()), [10_100, 10_200, 10_300, 10_350].map(Some));
    }
}
