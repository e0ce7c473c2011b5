//! The past of the own vessel: listed paths, kept for a day in bounded room, and read again (History API of Signal K).
//!
//! ```text
//! deltas ─► Recorder ─ a block a minute ─► Store (a record an hour) ─► Scan ─► Values, Listing, Moment, Player
//! ```
//!
//! Off unless the owner lists paths. Nothing here waits: who reads calls [`Scan::step`] until it says that all was read.

mod aggregate;
mod block;
mod bytes;
mod listing;
mod player;
mod query;
mod range;
mod recorder;
mod sample;
mod scan;
mod store;
mod values;

use core::time::Duration;

pub use aggregate::Method;
pub use block::Names;
pub use listing::{Listed, Listing, Moment};
pub use player::Player;
pub use query::{PathSpec, Query};
pub use range::Range;
pub use recorder::Counters;
pub use sample::{Sample, told};
pub use scan::{READ_BYTES, Scan, Taker};
pub use values::{CELLS_MAX, Values};

use crate::config::HistoryConfig;
use crate::delta::Delta;
use crate::hal::{Storage, StorageError};
use crate::time::{Instant, UnixMillis};
use recorder::Recorder;
use store::{AWAY_MS, Store};

/// Time between two writes.
const WRITE_EVERY: Duration = Duration::from_secs(60);
/// A clock that is that far from what waits was set.
const CLOCK_SET_MS: u64 = AWAY_MS.unsigned_abs() + 120_000;

/// What is kept of the past, and what waits to be.
#[derive(Debug)]
pub struct History {
    recorder: Recorder,
    store: Store,
    next: Option<Instant>,
    /// The last write did not succeed; said once.
    fails: bool,
}

impl History {
    /// Finds what is stored, and begins to keep what `config` lists.
    ///
    /// # Errors
    /// [`StorageError`] when the storage cannot be listed.
    pub fn open(config: &HistoryConfig, self_context: &str, storage: &mut dyn Storage) -> Result<Self, StorageError> {
        let store = Store::open(storage, config.hours, u64::from(config.mebibytes) << 20)?;
        Ok(Self { recorder: Recorder::new(&config.paths, self_context), store, next: None, fails: false })
    }

    /// Takes what is wanted of a delta.
    pub fn hear(&mut self, delta: &Delta, storage: &mut dyn Storage, wall: UnixMillis) {
        // When the clock is set, what waits is of another hour than what comes.
        let is_of_another = |since: UnixMillis| since.0.abs_diff(wall.0) > CLOCK_SET_MS;
        if wall.is_known() && self.recorder.since().is_some_and(is_of_another) {
            self.save(storage);
        }
        self.recorder.hear(delta, wall);
    }

    /// Writes once a minute; returns when the next write is due.
    pub fn drive(&mut self, storage: &mut dyn Storage, now: Instant) -> Option<Instant> {
        match self.next {
            Some(next) if now < next => {}
            Some(_) => {
                self.save(storage);
                self.next = Some(now + WRITE_EVERY);
            }
            None => self.next = Some(now + WRITE_EVERY),
        }
        self.next
    }

    /// Writes what waits.
    pub fn save(&mut self, storage: &mut dyn Storage) {
        let Some(since) = self.recorder.since() else { return };
        let stored = self.store.make_room(storage, self.recorder.waiting_bytes(), since).and_then(|()| {
            if self.store.begins(since) {
                self.recorder.begin_record();
            }
            let mut block = self.recorder.block().unwrap_or_default();
            self.store.make_room(storage, block.len(), since)?;
            // Where the record had to go, the names go into the next one.
            if self.store.begins(since) {
                self.recorder.begin_record();
                block = self.recorder.block().unwrap_or_default();
            }
            self.store.append(storage, &block, since)
        });
        match stored {
            Ok(()) => {
                if core::mem::take(&mut self.fails) {
                    log::info!("history is stored again");
                }
                self.recorder.written();
            }
            Err(error) => {
                if !core::mem::replace(&mut self.fails, true) {
                    log::warn!("history is not stored: {error}; what is not is counted");
                }
                self.recorder.lost();
            }
        }
    }

    /// Begins to read a range, `piece` bytes at a time.
    #[must_use]
    pub fn scan(&self, from: UnixMillis, to: UnixMillis, piece: usize) -> Scan {
        Scan::new(&self.store, from, to, piece)
    }

    /// Reads on; false when all was read, what waits to be written included.
    pub fn step(&self, scan: &mut Scan, storage: &mut dyn Storage, taker: &mut dyn Taker) -> bool {
        let more = scan.step(storage, taker);
        if !more {
            self.recorder.take(scan.range(), taker);
        }
        more
    }

    /// Returns what was kept and what was not.
    #[must_use]
    pub fn counters(&self) -> Counters {
        self.recorder.counters()
    }

    /// Returns how many bytes are stored, and how many wait.
    #[must_use]
    pub fn bytes(&self) -> (u64, usize) {
        (self.store.bytes(), self.recorder.waiting_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::delta::Stamp;
    use crate::hal::sim::SimStorage;
    use crate::paths::Pattern;
    use alloc::vec::Vec;
    use std::format;

    /// Counts the values of all series.
    #[derive(Default)]
    struct Count(usize);

    impl Taker for Count {
        fn series(&mut self, _: Names<'_>) -> Option<usize> {
            Some(0)
        }

        fn value(&mut self, _: usize, _: UnixMillis, _: &Sample<'_>) {
            self.0 += 1;
        }
    }

    #[test]
    fn in_little_room_the_latest_is_kept_and_can_be_read() {
        const NOON: i64 = 1_800_000_000_000;
        let mut storage = SimStorage::with_capacity(8 << 20);
        let config = HistoryConfig { paths: alloc::vec![Pattern::parse("*").unwrap()], hours: 24, mebibytes: 1 };
        let mut history = History::open(&config, "vessels.a", &mut storage).unwrap();
        let mut most = 0;
        for minute in 0..60 {
            for second in 0..60 {
                let at = UnixMillis(NOON + (minute * 60 + second) * 1000);
                let text = format!(
                    r#"{{"updates":[{{"timestamp":"{}","values":[{{"path":"a.b","value":"{}"}}]}}]}}"#,
                    at.text(),
                    "x".repeat(600)
                );
                let stamp = Stamp { source_ref: "c", self_context: "vessels.a", now: at };
                history.hear(&Delta::parse(&text, &stamp).unwrap(), &mut storage, at);
            }
            history.save(&mut storage);
            most = most.max(history.bytes().0);
        }
        assert!(most <= 1 << 20, "{most} bytes");
        let mut scan = history.scan(UnixMillis(NOON), UnixMillis(NOON + 3_600_000), READ_BYTES);
        let (mut count, mut steps) = (Count::default(), Vec::new());
        while history.step(&mut scan, &mut storage, &mut count) {
            steps.push(count.0);
        }
        assert_eq!((count.0 % 60, scan.damaged()), (0, 0));
        assert!((1500..1800).contains(&count.0), "{}", count.0);
        assert!(steps.len() > 10, "in slices: {steps:?}");
        assert_eq!(history.counters().lost, 0);
    }
}
