//! Plays the past again: deltas in the order of their times, as fast as is asked for.

use alloc::collections::{BTreeMap, VecDeque};
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::time::Duration;

use super::History;
use super::block::Names;
use super::sample::Sample;
use super::scan::{Scan, Taker};
use crate::delta::{Delta, DeltaWriter, UpdateHead, ValueSink};
use crate::hal::Storage;
use crate::json::Value;
use crate::time::{Instant, UnixMillis};

/// Bytes that are read at a time: about a block.
const PIECE_BYTES: usize = 4 * 1024;
/// Paths, once for each source, of one client.
const SERIES_MAX: usize = 1024;
/// Values of one delta.
const VALUES_MAX: usize = 64;

/// What was read and is to be told.
#[derive(Debug, Default)]
struct Waiting {
    series: Vec<(Arc<str>, Arc<str>)>,
    places: BTreeMap<(Arc<str>, Arc<str>), usize>,
    /// Time, series and value.
    values: Vec<(UnixMillis, usize, String)>,
}

impl Taker for Waiting {
    fn series(&mut self, names: Names<'_>) -> Option<usize> {
        let key: (Arc<str>, Arc<str>) = (names.source.into(), names.path.into());
        if let Some(place) = self.places.get(&key) {
            return Some(*place);
        }
        let place = self.series.len();
        if place >= SERIES_MAX {
            return None;
        }
        self.series.push(key.clone());
        self.places.insert(key, place);
        Some(place)
    }

    fn value(&mut self, number: usize, at: UnixMillis, value: &Sample<'_>) {
        self.values.push((at, number, String::from(&*value.json())));
    }
}

/// One playback.
#[derive(Debug)]
pub struct Player {
    scan: Scan,
    /// All was read.
    is_read: bool,
    context: String,
    waiting: Waiting,
    ready: VecDeque<(UnixMillis, Delta)>,
    /// The past's time when it began, and when that was.
    from: UnixMillis,
    begun: Instant,
    /// How many times faster than it was.
    rate: f64,
}

impl Player {
    /// Begins at a time, `rate` times as fast as it was.
    #[must_use]
    pub fn new(history: &History, context: &str, from: UnixMillis, until: UnixMillis, rate: f64, now: Instant) -> Self {
        Self {
            scan: history.scan(from, until, PIECE_BYTES),
            is_read: false,
            context: context.into(),
            waiting: Waiting::default(),
            ready: VecDeque::new(),
            from,
            begun: now,
            rate,
        }
    }

    /// Reads on where nothing is ready; tells whether something is, or may be later.
    pub fn read(&mut self, history: &History, storage: &mut dyn Storage) -> bool {
        if self.ready.is_empty() && !self.is_read {
            self.is_read = !history.step(&mut self.scan, storage, &mut self.waiting);
            self.make_ready();
        }
        !self.ready.is_empty() || !self.is_read
    }

    /// Tells whether nothing is ready and more is to be read.
    #[must_use]
    pub fn is_hungry(&self) -> bool {
        self.ready.is_empty() && !self.is_read
    }

    /// Makes deltas of what was read: values of one source and time are one.
    fn make_ready(&mut self) {
        let mut values = core::mem::take(&mut self.waiting.values);
        values.sort_by_key(|(at, number, _)| {
            (*at, self.waiting.series.get(*number).map(|(source, _)| source.clone()), *number)
        });
        let source_of = |number: &usize| self.waiting.series.get(*number).map(|(source, _)| source);
        let same = |(a, first, _): &(UnixMillis, usize, String), (b, second, _): &(UnixMillis, usize, String)| {
            a == b && source_of(first) == source_of(second)
        };
        for values in values.chunk_by(same).flat_map(|values| values.chunks(VALUES_MAX)) {
            let Some((at, number, _)) = values.first() else { continue };
            let mut writer = DeltaWriter::new(None, Some(&self.context));
            let time = at.text();
            writer.update(&UpdateHead {
                source_ref: source_of(number).map(|source| &**source),
                timestamp: Some(&time),
                ..UpdateHead::default()
            });
            for (_, number, value) in values {
                if let Some((_, path)) = self.waiting.series.get(*number) {
                    writer.value(path, Value::Json(value));
                }
            }
            // What was taken out of deltas fits one again.
            self.ready.extend(writer.finish().ok().map(|delta| (*at, delta)));
        }
    }

    /// Takes the next delta whose time has come.
    pub fn next(&mut self, now: Instant) -> Option<Delta> {
        let (at, _) = self.ready.front()?;
        if self.due_at(*at) > now {
            return None;
        }
        self.ready.pop_front().map(|(_, delta)| delta)
    }

    /// Returns when the next delta's time comes.
    #[must_use]
    pub fn due(&self) -> Option<Instant> {
        self.ready.front().map(|(at, _)| self.due_at(*at))
    }

    fn due_at(&self, at: UnixMillis) -> Instant {
        let after = u64::try_from(at.0.saturating_sub(self.from.0)).unwrap_or(0);
        let after = Duration::from_millis(after).as_secs_f64() / self.rate;
        // A rate near nothing is a day that does not end.
        self.begun + Duration::try_from_secs_f64(after.min(1e9)).unwrap_or_default()
    }
}
