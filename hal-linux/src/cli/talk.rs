//! What goes to the terminal: talk on stderr, data on stdout.

use std::io::{self, BufWriter, ErrorKind, StdoutLock, Write};
use std::sync::{Mutex, OnceLock, PoisonError};

use log::{Level, LevelFilter, Log, Metadata, Record};
use skiff_runtime::device::LogRing;
use skiff_runtime::hal::{Clock, Logs};

use super::exit::{self, Failure};
use super::mouthpiece;
use crate::hal::SystemClock;

/// Replaces what could steer a terminal (ESC sequences, line breaks, direction marks) in text from elsewhere.
#[must_use]
pub fn sanitised(text: &str) -> String {
    text.chars().map(|character| if steers(character) { '\u{fffd}' } else { character }).collect()
}

/// Tells whether a character acts on a terminal instead of showing: controls (Unicode category Cc) and the
/// bidirectional formatting characters (Unicode Standard Annex 9 §2).
fn steers(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Says one line on stderr; never waits for a reader where a gateway runs (`mouthpiece`).
pub fn say(text: &str) {
    mouthpiece::speak(sanitised(text));
}

/// Prints lines of data on stdout.
///
/// # Errors
/// [`Failure`] when stdout cannot be written; a reader who has enough is no failure.
pub fn print(lines: impl IntoIterator<Item = String>) -> Result<(), Failure> {
    let mut data = Data::stdout();
    let written = lines.into_iter().try_for_each(|line| data.line(&line)).and_then(|()| data.flush());
    written.or_else(DataError::into_result)
}

struct Sink;

impl Log for Sink {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        // Libraries below talk about their own insides: only what is wrong there is of interest.
        metadata.level()
            <= if metadata.target().starts_with("skiff") { log::max_level() } else { Level::Warn.to_level_filter() }
    }

    fn log(&self, record: &Record<'_>) {
        if self.enabled(record.metadata()) {
            let level = match record.level() {
                Level::Error => "error: ",
                Level::Warn => "warning: ",
                Level::Info => "",
                Level::Debug | Level::Trace => "debug: ",
            };
            say(&format!("{level}{}", record.args()));
            if let Some((clock, ring)) = KEPT.get() {
                // A thread that panicked while it held the lock has left whole lines all the same.
                let mut ring = ring.lock().unwrap_or_else(PoisonError::into_inner);
                ring.push(clock.now(), clock.wall(), record.level(), record.args());
            }
        }
    }

    fn flush(&self) {}
}

/// Sends the log to stderr: `-q` errors only, `-v` details, `-vv` everything.
pub fn start_log(verbose: u8, quiet: bool) {
    log::set_max_level(match (quiet, verbose) {
        (true, _) => LevelFilter::Error,
        (false, 0) => LevelFilter::Info,
        (false, 1) => LevelFilter::Debug,
        (false, _) => LevelFilter::Trace,
    });
    // Fails only when there is a logger already, as in a test that runs two commands.
    let _ = log::set_logger(&Sink);
}

/// Bytes of the log that a running gateway keeps for `GET /skiff/v1/log`.
const KEPT_BYTES: usize = 64 * 1024;

static KEPT: OnceLock<(SystemClock, Mutex<LogRing>)> = OnceLock::new();

/// The last lines of the log.
pub struct KeptLog(());

impl KeptLog {
    /// Keeps the log from now on, with times by `clock`.
    #[must_use]
    pub fn begin(clock: SystemClock) -> Self {
        // The first clock stays where a process runs two gateways, as tests do.
        let _ = KEPT.set((clock, Mutex::new(LogRing::new(KEPT_BYTES))));
        Self(())
    }
}

impl Logs for KeptLog {
    fn tail(&mut self, lines: usize) -> String {
        KEPT.get().map(|(_, ring)| ring.lock().unwrap_or_else(PoisonError::into_inner).tail(lines)).unwrap_or_default()
    }
}

/// Buffered lines on stdout.
pub struct Data(BufWriter<StdoutLock<'static>>);

/// Why stdout takes no more.
#[derive(Debug)]
pub enum DataError {
    /// The reader has enough (`| head`): a quiet end.
    Closed,
    /// Anything else, such as a full disk.
    Failed(io::Error),
}

impl From<io::Error> for DataError {
    fn from(error: io::Error) -> Self {
        if error.kind() == ErrorKind::BrokenPipe { Self::Closed } else { Self::Failed(error) }
    }
}

impl DataError {
    /// Turns the end of a command into its result: a reader who has enough is no failure.
    ///
    /// # Errors
    /// [`Failure`] when stdout failed otherwise.
    pub fn into_result(self) -> Result<(), Failure> {
        match self {
            Self::Closed => Ok(()),
            Self::Failed(error) => {
                Err(Failure::new(exit::UNAVAILABLE, format_args!("stdout cannot be written: {error}")))
            }
        }
    }
}

impl Data {
    /// Takes stdout.
    #[must_use]
    pub fn stdout() -> Self {
        Self(BufWriter::with_capacity(64 * 1024, io::stdout().lock()))
    }

    /// Writes one line.
    ///
    /// # Errors
    /// [`DataError`] when stdout takes no more.
    pub fn line(&mut self, text: &str) -> Result<(), DataError> {
        self.0.write_all(text.as_bytes())?;
        self.0.write_all(b"\n")?;
        Ok(())
    }

    /// Writes out what is buffered.
    ///
    /// # Errors
    /// [`DataError`] when stdout takes no more.
    pub fn flush(&mut self) -> Result<(), DataError> {
        self.0.flush()?;
        Ok(())
    }
}

/// Pads cells to the width of their columns.
pub fn aligned(rows: &[Vec<String>]) -> Vec<String> {
    let mut widths = Vec::new();
    for row in rows {
        widths.resize(row.len().max(widths.len()), 0);
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = cell.chars().count().max(*width);
        }
    }
    let line = |row: &Vec<String>| {
        let padded = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}"));
        padded.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    rows.iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn untrusted_text_cannot_steer_the_terminal() {
        assert_eq!(
            sanitised("a\u{1b}[31mred\r\nb\u{202e}c\u{9b}d"),
            "a\u{fffd}[31mred\u{fffd}\u{fffd}b\u{fffd}c\u{fffd}d"
        );
        assert_eq!(sanitised("Möwe 30° ☸"), "Möwe 30° ☸");
    }

    #[test]
    fn a_closed_pipe_is_no_failure() {
        assert_eq!(DataError::from(io::Error::from(ErrorKind::BrokenPipe)).into_result(), Ok(()));
        let failure = DataError::from(io::Error::from(ErrorKind::StorageFull)).into_result().unwrap_err();
        assert_eq!(failure.code, exit::UNAVAILABLE);
    }
}
