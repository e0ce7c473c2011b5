//! Where blocks lie: a record for each hour, which is only appended to, and removed as a whole.
//!
//! A record is `skiff/history/<hour>-<count>`, the hour since 1970 in which it was begun. Every start of the gateway begins a
//! new one, so nothing is ever written behind what a power cut left.

use alloc::format;
use alloc::vec::Vec;
use core::ops::ControlFlow;

use crate::hal::{Key, Storage, StorageError};
use crate::time::UnixMillis;

/// Beginning of the keys of all records.
pub const PREFIX: &str = "skiff/history/";
/// Parts of the room that one record has at most: what is removed at a time.
const PARTS: u64 = 16;
/// Records at a time: a month of hours, and as many starts within it.
const SEGMENTS_MAX: usize = 2048;
const MILLIS_PER_HOUR: i64 = 3_600_000;
/// How far from the clock a value's time can be. What is farther is of another day: a log that is played, a device without
/// the time.
pub const AWAY_MS: i64 = 5 * 60_000;
/// How far a value's time can be from the hour of its record: both it and the first one of its block can be that far from the
/// clock, and the block waits a minute.
const SLACK_MS: i64 = 2 * AWAY_MS + 2 * 60_000;

/// One record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Segment {
    /// Hours since 1970 when it was begun.
    hour: i64,
    /// Counts those of one hour.
    count: u32,
}

impl Segment {
    /// Reads the end of a key.
    fn parse(name: &str) -> Option<Self> {
        let (hour, count) = name.split_once('-')?;
        Some(Self { hour: hour.parse().ok()?, count: count.parse().ok()? })
    }

    /// Returns its key.
    pub fn key(self) -> Result<Key, StorageError> {
        Key::parse(&format!("{PREFIX}{}-{}", self.hour, self.count)).map_err(|_| StorageError::Failed)
    }

    /// Tells whether it can have values between two times.
    fn can_have(self, from: UnixMillis, to: UnixMillis) -> bool {
        let begun = self.hour.saturating_mul(MILLIS_PER_HOUR);
        let ended = begun.saturating_add(MILLIS_PER_HOUR).saturating_add(SLACK_MS);
        begun.saturating_sub(SLACK_MS) <= to.0 && from.0 <= ended
    }
}

/// The records, and what may be in them.
#[derive(Debug)]
pub struct Store {
    /// In the order of time, with their lengths.
    segments: Vec<(Segment, u32)>,
    bytes: u64,
    bytes_max: u64,
    hours: i64,
    /// The one that is appended to.
    open: Option<Segment>,
}

impl Store {
    /// Finds what is stored; `hours` and `bytes_max` are what may be.
    ///
    /// # Errors
    /// [`StorageError`] when the medium cannot be listed.
    pub fn open(storage: &mut dyn Storage, hours: u16, bytes_max: u64) -> Result<Self, StorageError> {
        let mut segments = Vec::new();
        storage.list(PREFIX, &mut |key, bytes| {
            if let Some(segment) = key.as_str().strip_prefix(PREFIX).and_then(Segment::parse) {
                segments.push((segment, bytes));
            }
            if segments.len() < SEGMENTS_MAX { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        })?;
        segments.sort_unstable();
        let bytes = segments.iter().map(|(_, bytes)| u64::from(*bytes)).sum();
        Ok(Self { segments, bytes, bytes_max, hours: hours.into(), open: None })
    }

    /// Returns how many bytes are stored.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Tells whether a block whose first value is of this time begins a record, in which every series is new.
    #[must_use]
    pub fn begins(&self, now: UnixMillis) -> bool {
        let is_full = |open: Segment| {
            let found = self.segments.iter().rev().find(|(known, _)| *known == open);
            found.is_none_or(|(_, bytes)| u64::from(*bytes) >= self.bytes_max / PARTS)
        };
        self.open.is_none_or(|open| open.hour != hour_of(now) || is_full(open))
    }

    /// Removes what has no room beside so many bytes, or is too old.
    ///
    /// # Errors
    /// [`StorageError`] when a record cannot be removed.
    pub fn make_room(&mut self, storage: &mut dyn Storage, bytes: usize, now: UnixMillis) -> Result<(), StorageError> {
        let bytes = u64::try_from(bytes).unwrap_or(u64::MAX);
        let hour = hour_of(now);
        let oldest = hour.saturating_sub(self.hours).saturating_sub(1);
        loop {
            let is_full = self.bytes.saturating_add(bytes) > self.bytes_max || self.segments.len() >= SEGMENTS_MAX;
            let first = self.segments.first().filter(|(segment, _)| segment.hour < oldest || is_full);
            // What is of a time to come goes first: the clock was wrong when it was stored.
            let last = self.segments.last().filter(|(segment, _)| is_full && segment.hour > hour);
            let Some((segment, length)) = last.or(first).copied() else { return Ok(()) };
            storage.remove(&segment.key()?)?;
            self.segments.retain(|(known, _)| *known != segment);
            self.bytes = self.bytes.saturating_sub(length.into());
            if self.open == Some(segment) {
                self.open = None;
            }
        }
    }

    /// Appends a block whose first value is of the time `now`, after [`make_room`](Self::make_room).
    ///
    /// # Errors
    /// [`StorageError`]; the block is lost then, and nothing else.
    pub fn append(&mut self, storage: &mut dyn Storage, block: &[u8], now: UnixMillis) -> Result<(), StorageError> {
        let length = u32::try_from(block.len()).map_err(|_| StorageError::Full)?;
        if self.begins(now) {
            self.open = None;
        }
        self.make_room(storage, block.len(), now)?;
        let segment = self.open.unwrap_or_else(|| self.next_segment(now));
        storage.append(&segment.key()?, block)?;
        self.open = Some(segment);
        match self.segments.iter_mut().find(|(known, _)| *known == segment) {
            Some((_, bytes)) => *bytes = bytes.saturating_add(length),
            None => {
                let at = self.segments.partition_point(|(known, _)| *known < segment);
                self.segments.insert(at, (segment, length));
            }
        }
        self.bytes = self.bytes.saturating_add(length.into());
        Ok(())
    }

    fn next_segment(&self, now: UnixMillis) -> Segment {
        let hour = hour_of(now);
        let counts = self.segments.iter().filter(|(known, _)| known.hour == hour).map(|(known, _)| known.count);
        Segment { hour, count: counts.max().map_or(0, |count| count.saturating_add(1)) }
    }

    /// Returns the records that can have values between two times, in the order of time.
    #[must_use]
    pub fn between(&self, from: UnixMillis, to: UnixMillis) -> Vec<Segment> {
        let all = self.segments.iter().map(|(segment, _)| *segment);
        all.filter(|segment| segment.can_have(from, to)).collect()
    }
}

fn hour_of(time: UnixMillis) -> i64 {
    time.0.div_euclid(MILLIS_PER_HOUR)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hal::sim::SimStorage;

    const HOUR: i64 = MILLIS_PER_HOUR;
    const NOON: UnixMillis = UnixMillis(500_000 * HOUR);

    fn hours(store: &Store) -> Vec<i64> {
        store.segments.iter().map(|(segment, _)| segment.hour - 500_000).collect()
    }

    fn at(hour: i64) -> UnixMillis {
        UnixMillis(NOON.0 + hour * HOUR + 60_000)
    }

    #[test]
    fn an_hour_is_a_record_and_old_ones_go() {
        let mut storage = SimStorage::new();
        let mut store = Store::open(&mut storage, 3, 1000).unwrap();
        for hour in [0, 0, 1, 2, 3, 4, 5, 6] {
            store.append(&mut storage, &[7; 10], at(hour)).unwrap();
        }
        assert_eq!((hours(&store), store.bytes()), (alloc::vec![2, 3, 4, 5, 6], 50));
        let again = Store::open(&mut storage, 3, 1000).unwrap();
        assert_eq!((hours(&again), again.bytes()), (hours(&store), 50));
        assert!(again.begins(at(6)), "after a start nothing is written behind what stands there");
    }

    #[test]
    fn a_restart_within_the_hour_begins_another_record() {
        let mut storage = SimStorage::new();
        for _ in 0..3 {
            let mut store = Store::open(&mut storage, 3, 1000).unwrap();
            store.append(&mut storage, &[7; 10], at(0)).unwrap();
            store.append(&mut storage, &[7; 10], at(0)).unwrap();
        }
        let store = Store::open(&mut storage, 3, 1000).unwrap();
        assert_eq!((hours(&store), store.bytes()), (alloc::vec![0, 0, 0], 60));
    }

    #[test]
    fn the_room_is_kept_and_what_is_to_come_goes_first() {
        let mut storage = SimStorage::new();
        let mut store = Store::open(&mut storage, 100, 30).unwrap();
        for hour in [0, 1, 50, 2] {
            store.append(&mut storage, &[7; 10], at(hour)).unwrap();
        }
        assert_eq!(hours(&store), [0, 1, 2], "the clock was wrong at 50");
        store.append(&mut storage, &[7; 10], at(3)).unwrap();
        assert_eq!((hours(&store), store.bytes()), (alloc::vec![1, 2, 3], 30));
    }

    #[test]
    fn records_are_found_by_time() {
        let mut storage = SimStorage::new();
        let mut store = Store::open(&mut storage, 100, 1000).unwrap();
        for hour in 0..5 {
            store.append(&mut storage, &[7; 10], at(hour)).unwrap();
        }
        let found = store.between(UnixMillis(NOON.0 + 2 * HOUR + 30 * 60_000), UnixMillis(NOON.0 + 3 * HOUR - 1));
        // What was stored shortly after three can be from before.
        assert_eq!(found.iter().map(|segment| segment.hour - 500_000).collect::<Vec<_>>(), [2, 3]);
    }
}
