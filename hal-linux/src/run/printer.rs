//! Lines on stdout that never hold up the gateway: a slow reader loses lines, counted.

use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{SyncSender, TrySendError, sync_channel};
use std::thread::{self, JoinHandle};

use crate::wake::Waker;

/// Lines waiting for the reader.
const LINES_MAX: usize = 1024;

/// Writes lines on its own thread.
pub struct Printer {
    lines: Option<SyncSender<String>>,
    writer: Option<JoinHandle<()>>,
    is_closed: Arc<AtomicBool>,
    lost: u64,
}

impl Printer {
    /// Starts the thread; the waker is woken when the reader has enough.
    ///
    /// # Errors
    /// What the system said when the thread could not be started.
    pub fn start(mut output: impl Write + Send + 'static, waker: Waker) -> std::io::Result<Self> {
        let (lines, waiting) = sync_channel::<String>(LINES_MAX);
        let is_closed = Arc::new(AtomicBool::new(false));
        let closed = Arc::clone(&is_closed);
        let write = move || {
            for mut line in waiting {
                line.push('\n');
                if output.write_all(line.as_bytes()).and_then(|()| output.flush()).is_err() {
                    closed.store(true, Ordering::SeqCst);
                    waker.wake();
                    return;
                }
            }
        };
        let writer = thread::Builder::new().name("stdout".into()).spawn(write)?;
        Ok(Self { lines: Some(lines), writer: Some(writer), is_closed, lost: 0 })
    }

    /// Queues a line, or counts it as lost when the reader is too slow.
    pub fn line(&mut self, line: String) {
        let Some(lines) = &self.lines else { return };
        if let Err(TrySendError::Full(_)) = lines.try_send(line) {
            if self.lost == 0 {
                log::warn!("the reader of stdout is too slow: lines are left out");
            }
            self.lost = self.lost.saturating_add(1);
        }
    }

    /// Tells whether nobody reads any more.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.is_closed.load(Ordering::SeqCst)
    }

    /// Returns the count of lines that were left out.
    #[must_use]
    pub fn lost(&self) -> u64 {
        self.lost
    }
}

impl Drop for Printer {
    /// Writes what is queued.
    fn drop(&mut self) {
        self.lines = None;
        if let Some(writer) = self.writer.take() {
            // It does not panic: writing errors end it.
            let _ = writer.join();
        }
        if self.lost > 0 {
            log::warn!("{} lines were left out because the reader of stdout was too slow", self.lost);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc::{Receiver, Sender, channel};
    use std::time::Duration;

    /// Takes a line only when told.
    struct Slow(Receiver<()>, Sender<usize>);

    impl Write for Slow {
        fn write(&mut self, data: &[u8]) -> std::io::Result<usize> {
            self.0.recv().map_err(|_| std::io::ErrorKind::BrokenPipe)?;
            let _ = self.1.send(data.len());
            Ok(data.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_slow_reader_loses_lines_and_a_gone_one_is_noticed() {
        let (go, gate) = channel();
        let (sizes, written) = channel();
        let waker = Waker::new().unwrap();
        let mut printer = Printer::start(Slow(gate, sizes), waker.clone()).unwrap();
        for _ in 0..LINES_MAX + 10 {
            printer.line("abc".into());
        }
        // The thread holds at most one line itself.
        assert!((9..=10).contains(&printer.lost()), "{}", printer.lost());
        go.send(()).unwrap();
        assert_eq!(written.recv(), Ok(4));
        assert!(!printer.is_closed());
        drop(go);
        waker.wait(&[], Some(Duration::from_secs(60)));
        assert!(printer.is_closed());
    }
}
