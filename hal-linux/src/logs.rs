//! Log files as a stream of records.

use std::fmt;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use skiff_runtime::n2k::log::{Format, LINE_BYTES_MAX, LineError, LogReader, Mode, Record};

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
    pub fn open(&self) -> io::Result<Box<dyn BufRead + Send>> {
        Ok(match self {
            Self::Stdin => Box::new(BufReader::new(io::stdin())),
            Self::File(path) => {
                let file = File::open(path)?;
                if file.metadata()?.is_dir() {
                    return Err(io::ErrorKind::IsADirectory.into());
                }
                Box::new(BufReader::with_capacity(64 * 1024, file))
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

/// What a log gives next.
#[derive(Debug)]
pub enum Entry {
    /// A record, and the number of its line, from 1.
    Record(u64, Box<Record>),
    /// A line that could not be read.
    Bad(BadLine),
}

/// A line that could not be read.
#[derive(Debug)]
pub struct BadLine {
    /// Its number, from 1.
    pub number: u64,
    /// What is wrong with it.
    pub reason: BadReason,
    /// It is the last one and has no end: the log was cut off in it.
    pub is_cut_off: bool,
}

/// Why a line could not be read.
#[derive(Debug)]
pub enum BadReason {
    /// Longer than any line of a log.
    TooLong,
    /// Not of the format.
    Line(LineError),
}

impl BadLine {
    /// Tells whether the line is a sound one whose content is not for us: another kind of frame, or a message longer
    /// than a fast packet. A log of such lines is not corrupt.
    fn is_understood(&self) -> bool {
        let error = match &self.reason {
            BadReason::Line(error) => error,
            BadReason::TooLong => return false,
        };
        matches!(error, LineError::ElevenBit | LineError::NotDataFrame | LineError::PayloadTooLong { .. })
    }
}

impl fmt::Display for BadLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: ", self.number)?;
        match (&self.reason, self.is_cut_off) {
            (_, true) => f.write_str("cut off in the middle"),
            (BadReason::TooLong, _) => write!(f, "longer than {LINE_BYTES_MAX} bytes"),
            (BadReason::Line(error), _) => error.fmt(f),
        }
    }
}

/// Reads the entries of a log, line by line, in bounded memory.
pub struct Log {
    input: Box<dyn BufRead + Send>,
    reader: LogReader,
    number: u64,
    line: Vec<u8>,
}

impl Log {
    /// Reads `input` as `format` and `mode` say.
    #[must_use]
    pub fn new(input: Box<dyn BufRead + Send>, format: Format, mode: Mode) -> Self {
        Self { input, reader: LogReader::new(format, mode), number: 0, line: Vec::new() }
    }

    /// Returns the next entry, `None` at the end; lines without a record (blank, comments) are passed over.
    ///
    /// # Errors
    /// What the system said.
    pub fn next_entry(&mut self) -> io::Result<Option<Entry>> {
        loop {
            self.line.clear();
            let limit = u64::try_from(LINE_BYTES_MAX).unwrap_or(u64::MAX);
            if self.input.by_ref().take(limit).read_until(b'\n', &mut self.line)? == 0 {
                return Ok(None);
            }
            self.number = self.number.saturating_add(1);
            let number = self.number;
            let is_ended = self.line.last() == Some(&b'\n');
            if !is_ended && self.line.len() >= LINE_BYTES_MAX {
                let is_cut_off = !skip_line(&mut *self.input)?;
                return Ok(Some(Entry::Bad(BadLine { number, reason: BadReason::TooLong, is_cut_off })));
            }
            while self.line.last().is_some_and(|byte| matches!(byte, b'\n' | b'\r')) {
                self.line.pop();
            }
            match self.reader.line(&self.line) {
                Ok(Some(record)) => return Ok(Some(Entry::Record(number, Box::new(record)))),
                Ok(None) => {}
                Err(error) => {
                    let reason = BadReason::Line(error);
                    return Ok(Some(Entry::Bad(BadLine { number, reason, is_cut_off: !is_ended })));
                }
            }
        }
    }
}

/// Passes over the rest of a line; false when the log ends before it does.
fn skip_line(input: &mut dyn BufRead) -> io::Result<bool> {
    loop {
        let buffer = input.fill_buf()?;
        if buffer.is_empty() {
            return Ok(false);
        }
        let end = buffer.iter().position(|&byte| byte == b'\n');
        let used = end.map_or(buffer.len(), |end| end.saturating_add(1));
        input.consume(used);
        if end.is_some() {
            return Ok(true);
        }
    }
}

/// Counts bad lines and warns of the first few.
#[derive(Debug, Default)]
pub struct Losses {
    records: u64,
    bad: u64,
    /// Bad lines that are of the log's format all the same.
    understood: u64,
    is_cut_off: bool,
}

/// Bad lines that are told one by one.
const TOLD_MAX: u64 = 5;

impl Losses {
    /// Counts a record.
    pub fn record(&mut self) {
        self.records = self.records.saturating_add(1);
    }

    /// Counts and tells a bad line of `source`.
    pub fn bad(&mut self, source: &Source, line: &BadLine) {
        self.bad = self.bad.saturating_add(1);
        self.is_cut_off = line.is_cut_off;
        self.understood = self.understood.saturating_add(u64::from(line.is_understood()));
        if self.bad <= TOLD_MAX {
            log::warn!("{source}: {line}");
        }
    }

    /// Tells how many there were, and returns what makes the log a corrupt one: no line of it could be read, or it
    /// is cut off in its last line.
    pub fn verdict(&self, source: &Source) -> Result<(), String> {
        if self.bad > TOLD_MAX {
            log::warn!("{source}: {} lines could not be read, {} could", self.bad, self.records);
        }
        if self.records.saturating_add(self.understood) == 0 {
            return Err(format!("{source}: no line of it could be read as a log"));
        }
        if self.is_cut_off {
            return Err(format!("{source}: the log is cut off in its last line"));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entries(text: &'static str) -> Vec<Entry> {
        let mut log = Log::new(Box::new(text.as_bytes()), Format::Candump, Mode::Auto);
        std::iter::from_fn(|| log.next_entry().unwrap()).collect()
    }

    const FRAME: &str = "(1700000000.000000) can0 09F80107#0102030405060708\n";

    #[test]
    fn numbers_count_every_line() {
        let text: &'static str = Box::leak(format!("\n{FRAME}nonsense\r\n\n{FRAME}").into_boxed_str());
        match &entries(text)[..] {
            [Entry::Record(2, _), Entry::Bad(bad), Entry::Record(5, _)] => {
                assert_eq!((bad.number, bad.is_cut_off), (3, false));
            }
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn an_unfinished_bad_line_is_a_cut_off_log() {
        let text: &'static str = Box::leak(format!("{FRAME}(1700000000.1").into_boxed_str());
        let mut losses = Losses::default();
        for entry in entries(text) {
            match entry {
                Entry::Record(..) => losses.record(),
                Entry::Bad(bad) => losses.bad(&Source::Stdin, &bad),
            }
        }
        assert!(losses.verdict(&Source::Stdin).unwrap_err().contains("cut off"));
    }

    #[test]
    fn a_line_without_end_takes_bounded_memory() {
        let endless = io::repeat(b'x').take(10 * 1024 * 1024).chain(format!("\n{FRAME}").leak().as_bytes());
        let mut log = Log::new(Box::new(BufReader::new(endless)), Format::Candump, Mode::Auto);
        assert!(matches!(
            log.next_entry().unwrap(),
            Some(Entry::Bad(BadLine { number: 1, reason: BadReason::TooLong, .. }))
        ));
        assert!(log.line.capacity() <= 2 * LINE_BYTES_MAX, "{}", log.line.capacity());
        assert!(matches!(log.next_entry().unwrap(), Some(Entry::Record(2, _))));
    }

    #[test]
    fn labels_come_from_the_file() {
        assert_eq!(Source::new("/logs/2014 race.log").label(), "2014 race");
        assert_eq!(Source::new("-").label(), "stdin");
    }
}
