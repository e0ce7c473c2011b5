//! Log files as a stream of entries, each with its time.

use std::collections::VecDeque;
use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use skiff_runtime::n2k::log::{Format, LineError, LogStream, Mode};
use skiff_runtime::nmea0183;
use skiff_runtime::time::UnixMillis;

pub use skiff_runtime::n2k::log::LogEntry;

/// Where a log comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// Standard input, `-`.
    Stdin,
    /// A file.
    File(PathBuf),
}

impl Source {
    /// Takes what a user typed.
    #[must_use]
    pub fn new(text: &str) -> Self {
        if text == "-" { Self::Stdin } else { Self::File(PathBuf::from(text)) }
    }

    /// Returns the source label of its deltas: the file's stem, `stdin`.
    #[must_use]
    pub fn label(&self) -> String {
        match self {
            Self::Stdin => "stdin".into(),
            Self::File(path) => {
                path.file_stem().map_or_else(|| "log".into(), |stem| stem.to_string_lossy().into_owned())
            }
        }
    }

    /// Opens it.
    ///
    /// # Errors
    /// What the system said; a folder is an error here and not at the first read.
    pub fn open(&self) -> io::Result<Box<dyn Read + Send>> {
        Ok(match self {
            Self::Stdin => Box::new(io::stdin()),
            Self::File(path) => {
                let file = File::open(path)?;
                if file.metadata()?.is_dir() {
                    return Err(io::ErrorKind::IsADirectory.into());
                }
                Box::new(file)
            }
        })
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stdin => f.write_str("standard input"),
            Self::File(path) => write!(f, "{}", Path::display(path)),
        }
    }
}

/// Bytes read at once.
const CHUNK_BYTES: usize = 64 * 1024;

/// Reads the entries of a log in bounded memory.
pub struct Log {
    input: Box<dyn Read + Send>,
    stream: LogStream,
    chunk: Vec<u8>,
    is_ended: bool,
}

impl Log {
    /// Reads `input` as `format` and `mode` say.
    #[must_use]
    pub fn new(input: Box<dyn Read + Send>, format: Format, mode: Mode) -> Self {
        Self { input, stream: LogStream::new(format, mode), chunk: vec![0; CHUNK_BYTES], is_ended: false }
    }

    /// Returns the next entry, `None` at the end; lines without a record (blank, comments) are passed over.
    ///
    /// # Errors
    /// What the system said.
    pub fn next_entry(&mut self) -> io::Result<Option<LogEntry>> {
        loop {
            if let Some(entry) = self.stream.next_entry() {
                return Ok(Some(entry));
            }
            if self.is_ended {
                return Ok(None);
            }
            match self.input.read(&mut self.chunk) {
                Ok(0) => {
                    self.is_ended = true;
                    self.stream.end();
                }
                // The stream takes a whole chunk once it has nothing more to give.
                Ok(count) => {
                    self.stream.feed(self.chunk.get(..count).unwrap_or_default());
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }
}

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
        Some(last) if (0..DAY_MILLIS).contains(&time.0) && last.0 >= DAY_MILLIS => {
            let off = time.0 - last.0.rem_euclid(DAY_MILLIS);
            let days = if off > DAY_MILLIS / 2 { -1 } else { i64::from(off < -DAY_MILLIS / 2) };
            UnixMillis(last.0.saturating_add(off).saturating_add(days * DAY_MILLIS))
        }
        _ => time,
    }
}

/// Counts what could be read and what not, and warns of the first few.
#[derive(Debug, Default)]
pub struct Losses {
    records: u64,
    sentences: u64,
    deltas: u64,
    bad: u64,
    /// Bad lines that are of the log's format all the same.
    understood: u64,
    /// What is wrong with the end of the log.
    end: Option<LineError>,
}

/// Bad lines that are told one by one.
const TOLD_MAX: u64 = 5;

impl Losses {
    /// Counts a record.
    pub fn record(&mut self) {
        self.records = self.records.saturating_add(1);
    }

    /// Counts a sentence of NMEA 0183.
    pub fn sentence(&mut self) {
        self.sentences = self.sentences.saturating_add(1);
    }

    /// Counts a delta that another server logged.
    pub fn delta(&mut self) {
        self.deltas = self.deltas.saturating_add(1);
    }

    /// Returns the count of sentences of NMEA 0183.
    #[must_use]
    pub fn sentences(&self) -> u64 {
        self.sentences
    }

    /// Counts and tells a line, message or packet of `source` that could not be read.
    pub fn bad(&mut self, source: &impl fmt::Display, number: u64, error: LineError, is_last: bool) {
        self.bad = self.bad.saturating_add(1);
        self.end = Some(error).filter(|_| is_last);
        self.understood = self.understood.saturating_add(u64::from(error.is_understood()));
        if self.bad <= TOLD_MAX {
            log::warn!("{source}: line {number}: {error}");
        }
    }

    /// Tells how many there were, and returns what makes the log a corrupt one: nothing of it could be read, or it
    /// is cut off in its last line.
    pub fn verdict(&self, source: &impl fmt::Display) -> Result<(), String> {
        if self.bad > TOLD_MAX {
            log::warn!("{source}: {} lines could not be read, {} could", self.bad, self.records);
        }
        match self.end {
            Some(error) if error.is_of_file() => Err(format!("{source}: {error}")),
            _ if [self.records, self.understood, self.sentences, self.deltas].iter().all(|count| *count == 0) => {
                Err(format!("{source}: no line of it could be read as a log"))
            }
            Some(_) => Err(format!("{source}: the log is cut off in its last line")),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entries(text: &'static str) -> Vec<LogEntry> {
        let mut log = Log::new(Box::new(text.as_bytes()), Format::Candump, Mode::Auto);
        std::iter::from_fn(|| log.next_entry().unwrap()).collect()
    }

    const FRAME: &str = "(1700000000.000000) can0 09F80107#0102030405060708\n";

    #[test]
    fn numbers_count_every_line() {
        let text: &'static str = Box::leak(format!("\n{FRAME}nonsense\r\n\n{FRAME}").into_boxed_str());
        match &entries(text)[..] {
            [
                LogEntry::Record { number: 2, .. },
                LogEntry::Bad { number: 3, is_last: false, .. },
                LogEntry::Record { number: 5, .. },
            ] => {}
            other => panic!("{other:?}"),
        }
    }

    fn verdict(text: &'static str) -> Result<(), String> {
        let mut losses = Losses::default();
        for entry in entries(text) {
            match entry {
                LogEntry::Record { .. } => losses.record(),
                LogEntry::Sentence { .. } => losses.sentence(),
                LogEntry::Delta { .. } => losses.delta(),
                LogEntry::Bad { number, error, is_last } => losses.bad(&Source::Stdin, number, error, is_last),
            }
        }
        losses.verdict(&Source::Stdin)
    }

    #[test]
    fn an_unfinished_bad_line_is_a_cut_off_log() {
        let text: &'static str = Box::leak(format!("{FRAME}(1700000000.1").into_boxed_str());
        assert!(verdict(text).unwrap_err().contains("cut off"));
        assert!(verdict("morse\n").unwrap_err().contains("no line"));
        assert_eq!(verdict(FRAME), Ok(()));
    }

    #[test]
    fn a_line_without_end_takes_bounded_memory() {
        let endless = io::repeat(b'x').take(10 * 1024 * 1024).chain(format!("\n{FRAME}").leak().as_bytes());
        let mut log = Log::new(Box::new(endless), Format::Candump, Mode::Auto);
        assert!(matches!(
            log.next_entry().unwrap(),
            Some(LogEntry::Bad { number: 1, error: LineError::TooLong { .. }, is_last: false })
        ));
        assert!(matches!(log.next_entry().unwrap(), Some(LogEntry::Record { number: 2, .. })));
    }

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

    #[test]
    fn labels_come_from_the_file() {
        assert_eq!(Source::new("/logs/2014 race.log").label(), "2014 race");
        assert_eq!(Source::new("-").label(), "stdin");
    }
}
