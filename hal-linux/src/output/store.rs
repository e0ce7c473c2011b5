//! Lines that wait for a server that may be gone for days: the newest in memory, older ones in files, up to a limit.
//!
//! Lines are kept in batches, and batches in the order they came. One that was made and not sent yet is a file in the output's
//! folder as soon as too many wait in memory, and all are when the program ends; the next start sends them first. Where there is
//! no room, the oldest batch gives way and is counted.

use std::collections::VecDeque;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use skiff_runtime::crc32::crc32;

/// Bytes after which a batch is closed.
const BATCH_BYTES: usize = 64 * 1024;
/// Closed batches in memory: what a power cut loses, with the one that is open.
const IN_MEMORY_MAX: usize = 4;
/// Where there is no folder: batches in memory.
const WITHOUT_FOLDER_MAX: usize = 64;
/// The end of the name of a batch's file.
const ENDING: &str = "lines";

/// A batch that is to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Batch {
    number: u64,
    /// Its lines, each with its end.
    pub text: Arc<str>,
}

/// What comes next.
pub enum Next {
    /// The oldest batch.
    Batch(Batch),
    /// None is there; the open one is closed after this time, where there is one.
    Later(Option<Duration>),
    /// It is over.
    Over,
}

/// A batch that waits.
struct Waiting {
    number: u64,
    /// None of one that is in a file.
    text: Option<Arc<str>>,
    bytes: u64,
}

/// What waits.
struct Inner {
    folder: Option<PathBuf>,
    /// Bytes of files, at most.
    bytes_max: u64,
    open: String,
    opened: Instant,
    waiting: VecDeque<Waiting>,
    /// Those of `waiting` that are in memory alone, and the bytes of the others: counted as they come and go, since a store that has
    /// been filled for days has a hundred thousand files.
    in_memory: usize,
    file_bytes: u64,
    /// Time after which an open batch is closed that has less than [`BATCH_BYTES`].
    batch_time: Duration,
    next: u64,
    /// Lines that gave way since this was asked last.
    lost: u64,
    /// Why the folder took nothing, until it takes something again.
    trouble: Option<String>,
    is_over: bool,
}

/// Lines between who makes them and who sends them.
pub struct Store {
    inner: Mutex<Inner>,
    moved: Condvar,
}

impl Store {
    /// Opens the store of an output, with what the last run has left in its folder. Files take `bytes_max` at most; a batch is closed
    /// after `batch_time` where somebody waits for it.
    ///
    /// # Errors
    /// The folder can be neither made nor read.
    pub fn open(folder: Option<PathBuf>, bytes_max: u64, batch_time: Duration) -> io::Result<Self> {
        let mut waiting = VecDeque::new();
        if let Some(folder) = &folder {
            fs::create_dir_all(folder)?;
            waiting.extend(left_over(folder)?);
        }
        let next = waiting.back().map_or(0, |last: &Waiting| last.number.saturating_add(1));
        let file_bytes = waiting.iter().map(|batch| batch.bytes).sum();
        let inner = Inner {
            folder,
            bytes_max,
            open: String::new(),
            opened: Instant::now(),
            waiting,
            in_memory: 0,
            file_bytes,
            batch_time,
            next,
            lost: 0,
            trouble: None,
            is_over: false,
        };
        let store = Self { inner: Mutex::new(inner), moved: Condvar::new() };
        store.locked().make_room();
        Ok(store)
    }

    fn locked(&self) -> MutexGuard<'_, Inner> {
        // Nothing in here panics while it holds the lock.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds lines, each with its end; returns how many gave way, these or others.
    pub fn push(&self, lines: &str) -> u64 {
        let mut inner = self.locked();
        for line in lines.split_inclusive('\n') {
            if inner.open.is_empty() {
                inner.opened = Instant::now();
            }
            inner.open.push_str(line);
            if inner.open.len() >= BATCH_BYTES {
                inner.close_batch();
            }
        }
        let lost = std::mem::take(&mut inner.lost);
        drop(inner);
        self.moved.notify_one();
        lost
    }

    /// Waits for the oldest batch; `None` when it is over. It stays until it is [`done`](Self::done).
    #[cfg(any(test, feature = "influx"))]
    pub fn first(&self) -> Option<Batch> {
        let mut inner = self.locked();
        loop {
            inner = match inner.next() {
                Next::Over => return None,
                Next::Batch(batch) => return Some(batch),
                Next::Later(Some(time)) => {
                    self.moved.wait_timeout(inner, time).unwrap_or_else(PoisonError::into_inner).0
                }
                Next::Later(None) => self.moved.wait(inner).unwrap_or_else(PoisonError::into_inner),
            };
        }
    }

    /// Returns the oldest batch, or when there can be one, without waiting; as [`first`](Self::first) else.
    #[cfg(feature = "mqtt")]
    pub fn next(&self) -> Next {
        self.locked().next()
    }

    /// Forgets a batch: it was sent, or is to be sent no more.
    pub fn done(&self, batch: &Batch) {
        let mut inner = self.locked();
        // It can have given way meanwhile.
        if let Some(at) = inner.waiting.iter().position(|waiting| waiting.number == batch.number)
            && let Some(waiting) = inner.waiting.remove(at)
        {
            inner.forget(&waiting);
        }
    }

    /// Returns why the folder takes nothing, where it does not.
    pub fn trouble(&self) -> Option<String> {
        self.locked().trouble.clone()
    }

    /// Ends it: what waits is kept for the next start.
    pub fn close(&self) {
        let mut inner = self.locked();
        if !std::mem::replace(&mut inner.is_over, true) {
            if !inner.open.is_empty() {
                inner.close_batch();
            }
            inner.write_all_but(0);
        }
        drop(inner);
        self.moved.notify_all();
    }
}

impl Inner {
    /// Closes the open batch where its time has come, and returns the oldest.
    fn next(&mut self) -> Next {
        if self.is_over {
            return Next::Over;
        }
        let left = self.batch_time.saturating_sub(self.opened.elapsed());
        if self.waiting.is_empty() && !self.open.is_empty() && left.is_zero() {
            self.close_batch();
        }
        match self.read_first() {
            Some(batch) => Next::Batch(batch),
            None => Next::Later(Some(left).filter(|_| !self.open.is_empty())),
        }
    }

    fn close_batch(&mut self) {
        let text: Arc<str> = std::mem::take(&mut self.open).into();
        let bytes = u64::try_from(text.len()).unwrap_or(u64::MAX);
        self.waiting.push_back(Waiting { number: self.next, text: Some(text), bytes });
        self.in_memory = self.in_memory.saturating_add(1);
        self.next = self.next.saturating_add(1);
        self.write_all_but(IN_MEMORY_MAX);
        self.make_room();
    }

    /// Writes the oldest of those in memory, until so many are left there.
    fn write_all_but(&mut self, left: usize) {
        let Some(folder) = &self.folder else { return };
        // The newest are in memory, always: the oldest of them is written first, and none behind it before it is.
        let in_files = self.waiting.len().saturating_sub(self.in_memory);
        for batch in self.waiting.iter_mut().skip(in_files).take(self.in_memory.saturating_sub(left)) {
            let Some(text) = &batch.text else { continue };
            match write(folder, batch.number, text) {
                Ok(()) => {
                    batch.text = None;
                    self.in_memory = self.in_memory.saturating_sub(1);
                    self.file_bytes = self.file_bytes.saturating_add(batch.bytes);
                    self.trouble = None;
                }
                // Those that follow would fail as well; what finds no room in memory gives way.
                Err(error) => {
                    self.trouble = Some(format!("{}: {error}", folder.display()));
                    break;
                }
            }
        }
    }

    /// Lets the oldest go until the rest is within the limits.
    fn make_room(&mut self) {
        let in_memory_max = if self.folder.is_some() { IN_MEMORY_MAX } else { WITHOUT_FOLDER_MAX };
        loop {
            if self.in_memory <= in_memory_max && self.file_bytes <= self.bytes_max {
                return;
            }
            let is_file_wanted = self.file_bytes > self.bytes_max;
            let oldest = self.waiting.iter().position(|batch| batch.text.is_none() == is_file_wanted);
            let Some(gone) = oldest.and_then(|at| self.waiting.remove(at)) else { return };
            let lines = self.text_of(&gone).map_or(0, |text| text.lines().count());
            self.lost = self.lost.saturating_add(u64::try_from(lines).unwrap_or(u64::MAX));
            self.forget(&gone);
        }
    }

    fn text_of(&self, batch: &Waiting) -> Option<Arc<str>> {
        match (&batch.text, &self.folder) {
            (Some(text), _) => Some(Arc::clone(text)),
            (None, Some(folder)) => fs::read_to_string(path(folder, batch.number)).ok().map(Into::into),
            (None, None) => None,
        }
    }

    /// Reads the oldest; files that cannot be read are passed over.
    fn read_first(&mut self) -> Option<Batch> {
        loop {
            let first = self.waiting.front()?;
            if let Some(text) = self.text_of(first) {
                return Some(Batch { number: first.number, text });
            }
            let gone = self.waiting.pop_front()?;
            log::warn!("a batch of {} bytes cannot be read any more, and is left out", gone.bytes);
            self.forget(&gone);
        }
    }

    /// Takes note that a batch was taken out of those that wait.
    fn forget(&mut self, batch: &Waiting) {
        if batch.text.is_some() {
            self.in_memory = self.in_memory.saturating_sub(1);
            return;
        }
        self.file_bytes = self.file_bytes.saturating_sub(batch.bytes);
        if let Some(folder) = &self.folder {
            // The next start looks at the folder again.
            let _ = fs::remove_file(path(folder, batch.number));
        }
    }
}

/// Returns the name of the folder of an output: its own, with what a path could take for something else as `_`.
pub fn folder_of(name: &str) -> String {
    let plain = |letter: char| if letter.is_ascii_alphanumeric() || letter == '-' { letter } else { '_' };
    let hash = crc32(name.as_bytes());
    format!("{}-{hash:08x}", name.chars().take(40).map(plain).collect::<String>())
}

fn path(folder: &Path, number: u64) -> PathBuf {
    folder.join(format!("{number:020}.{ENDING}"))
}

/// Writes a batch so that it is there whole or not at all.
fn write(folder: &Path, number: u64, text: &str) -> io::Result<()> {
    let (made, whole) = (folder.join("being-written"), path(folder, number));
    let written = File::create(&made).and_then(|mut file| {
        file.write_all(text.as_bytes())?;
        file.sync_data()?;
        fs::rename(&made, &whole)
    });
    // What is left of it would take the room that is missing.
    written.inspect_err(|_| drop(fs::remove_file(&made)))
}

/// Lists what the last run has left, the oldest first.
fn left_over(folder: &Path) -> io::Result<Vec<Waiting>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name();
        let number = Path::new(&name).file_stem().and_then(|stem| stem.to_str()).and_then(|stem| stem.parse().ok());
        match number {
            Some(number) if path(folder, number) == entry.path() => {
                found.push(Waiting { number, text: None, bytes: entry.metadata()?.len() });
            }
            _ => {}
        }
    }
    found.sort_by_key(|batch| batch.number);
    Ok(found)
}

#[cfg(test)]
mod tests;
