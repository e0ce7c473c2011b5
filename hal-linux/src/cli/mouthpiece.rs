//! Who writes to stderr: a thread of its own where a gateway runs.

use std::io::{self, Write};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::{Duration, Instant};

use super::progress;

/// Writes one line to stderr; never waits for a reader where a [`Mouthpiece`] speaks.
pub(super) fn speak(line: String) {
    match SPOKEN.get() {
        Some(spoken) => spoken.push(line),
        None => {
            progress::clear();
            // Nobody can be told that stderr is gone.
            let _ = writeln!(io::stderr().lock(), "{line}");
        }
    }
}

/// Lines that wait for a reader of stderr; more are counted and left out.
const WAITING_LINES_MAX: usize = 1024;
/// Time that what was said last has when the program ends.
const LAST_WORDS: Duration = Duration::from_secs(1);

static SPOKEN: OnceLock<Spoken> = OnceLock::new();

/// Lines on their way to the thread that writes them.
struct Spoken {
    lines: SyncSender<String>,
    waiting: Arc<AtomicUsize>,
    left_out: Arc<AtomicU64>,
}

impl Spoken {
    fn push(&self, line: String) {
        self.waiting.fetch_add(1, Ordering::SeqCst);
        if self.lines.try_send(line).is_err() {
            self.waiting.fetch_sub(1, Ordering::SeqCst);
            self.left_out.fetch_add(1, Ordering::SeqCst);
        }
    }

    /// Starts the thread that writes to `out`.
    fn start(mut out: impl Write + Send + 'static) -> io::Result<Self> {
        let (lines, said) = sync_channel::<String>(WAITING_LINES_MAX);
        let spoken = Self { lines, waiting: Arc::default(), left_out: Arc::default() };
        let (waiting, left_out) = (Arc::clone(&spoken.waiting), Arc::clone(&spoken.left_out));
        thread::Builder::new().name("log".into()).spawn(move || {
            for line in said {
                // Nobody can be told that stderr is gone.
                let _ = writeln!(out, "{line}");
                let lost = left_out.swap(0, Ordering::SeqCst);
                if lost > 0 {
                    let _ = writeln!(out, "warning: {lost} lines were left out here: nobody read the log");
                }
                waiting.fetch_sub(1, Ordering::SeqCst);
            }
        })?;
        Ok(spoken)
    }
}

/// Speaks to stderr from a thread of its own, so that one who does not read it (a stopped pager, Ctrl-S, a stuck
/// collector) holds up nobody. What was said last is written when it is dropped, if somebody reads.
pub struct Mouthpiece(());

impl Mouthpiece {
    /// Begins to speak.
    ///
    /// # Errors
    /// What the system said when it started no thread.
    pub fn begin() -> io::Result<Self> {
        let spoken = Spoken::start(io::stderr())?;
        // The first stays where a process runs two gateways, as tests do.
        let _ = SPOKEN.set(spoken);
        Ok(Self(()))
    }
}

impl Drop for Mouthpiece {
    fn drop(&mut self) {
        let Some(spoken) = SPOKEN.get() else { return };
        let end = Instant::now() + LAST_WORDS;
        while spoken.waiting.load(Ordering::SeqCst) > 0 && Instant::now() < end {
            thread::sleep(Duration::from_millis(1));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_that_nobody_reads_holds_up_nobody() {
        let (reader, writer) = io::pipe().unwrap();
        let spoken = Spoken::start(writer).unwrap();
        let long = "x".repeat(1000);
        for _ in 0..3 * WAITING_LINES_MAX {
            spoken.push(long.clone());
        }
        assert!(spoken.left_out.load(Ordering::SeqCst) > 0);
        // Now somebody reads: what waited comes, and how much is missing.
        drop(spoken);
        let read = io::read_to_string(reader).unwrap();
        let missing = read.lines().find(|line| line.starts_with("warning: ")).unwrap();
        assert!(missing.ends_with(" lines were left out here: nobody read the log"), "{missing}");
        assert!(read.lines().count() >= WAITING_LINES_MAX);
    }
}
