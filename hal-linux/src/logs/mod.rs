//! Log files as a stream of entries.

mod dates;
mod timed;

use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use skiff_runtime::n2k::log::{Format, LineError, LogStream, Mode};

pub use dates::Dates;
pub use skiff_runtime::n2k::log::LogEntry;
pub use timed::TimedLog;

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

/// Reads the entries of a log in bounded memory, and gives them the date that stands in it.
///
/// Where no date is known, records keep the time that their format has: [`UnixMillis::is_dated`] tells.
///
/// [`UnixMillis::is_dated`]: skiff_runtime::time::UnixMillis::is_dated
pub struct Log {
    input: Box<dyn Read + Send>,
    stream: LogStream,
    dates: Dates,
    chunk: Vec<u8>,
    read_bytes: u64,
    is_ended: bool,
}

impl Log {
    /// Reads `input` as `format` and `mode` say.
    #[must_use]
    pub fn new(input: Box<dyn Read + Send>, format: Format, mode: Mode) -> Self {
        let stream = LogStream::new(format, mode);
        Self { input, stream, dates: Dates::default(), chunk: vec![0; CHUNK_BYTES], read_bytes: 0, is_ended: false }
    }

    /// Opens a log; of a file the date is looked up ahead.
    ///
    /// # Errors
    /// What the system said.
    pub fn open(source: &Source, format: Format, mode: Mode) -> io::Result<Self> {
        Ok(Self::new(source.open()?, format, mode).with_dates(Dates::of(source, format, mode)?))
    }

    /// Begins with dates that are known already.
    #[must_use]
    pub fn with_dates(self, dates: Dates) -> Self {
        Self { dates, ..self }
    }

    /// Returns the next entry, `None` at the end; lines without a record (blank, comments) are passed over.
    ///
    /// # Errors
    /// What the system said.
    pub fn next_entry(&mut self) -> io::Result<Option<LogEntry>> {
        let mut entry = self.next_raw()?;
        match &mut entry {
            Some(LogEntry::Record { record, .. }) => self.dates.record(record),
            Some(LogEntry::Sentence { text, .. }) => self.dates.sentence(text),
            _ => {}
        }
        Ok(entry)
    }

    /// Returns how many bytes of it were read, those read ahead among them.
    #[must_use]
    pub fn read_bytes(&self) -> u64 {
        self.read_bytes
    }

    /// Warns of a log of `source` that was read in the wrong mode.
    pub fn tell_mode(&self, source: &impl fmt::Display) {
        let misread = self.stream.misread();
        if misread > 0 {
            log::warn!(
                "{source}: holds frames beside whole messages; {misread} fast packets were taken apart. Read it with --mode mixed"
            );
        }
    }

    /// Returns the next entry with the time that its format has.
    fn next_raw(&mut self) -> io::Result<Option<LogEntry>> {
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
                    self.read_bytes = self.read_bytes.saturating_add(count as u64);
                    self.stream.feed(self.chunk.get(..count).unwrap_or_default());
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
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

    #[test]
    fn labels_come_from_the_file() {
        assert_eq!(Source::new("/logs/2014 race.log").label(), "2014 race");
        assert_eq!(Source::new("-").label(), "stdin");
    }
}
