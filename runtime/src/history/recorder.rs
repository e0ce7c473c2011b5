//! Takes the values of listed paths out of deltas, and gives a block of them once a minute.

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use super::block::{BLOCK_BYTES_MAX, BlockWriter, Found, Names, find};
use super::sample::SampleWriter;
use super::scan::{Taker, take};
use super::store::AWAY_MS;
use crate::delta::{Delta, DeltaVersion, NAME_BYTES_MAX, PATH_BYTES_MAX};
use crate::json::Value;
use crate::paths::{Pattern, PatternSet};
use crate::time::UnixMillis;

/// Series at a time: paths, once for each source.
const SERIES_MAX: usize = 512;
/// Series of one source, so that none takes the place of all others.
const SERIES_OF_SOURCE_MAX: usize = SERIES_MAX / 2;
/// Bytes of values that wait to be written.
const WAITING_BYTES_MAX: usize = 256 * 1024;
/// Bytes of one value's text.
const VALUE_BYTES_MAX: usize = 4 * 1024;
/// Time between two values of a series: of each second the first is kept.
const EVERY_MS: i64 = 1000;

// A block has the names of all series at most, and their values.
const _: () = assert!(WAITING_BYTES_MAX + SERIES_MAX * (PATH_BYTES_MAX + 2 * NAME_BYTES_MAX + 32) < BLOCK_BYTES_MAX);

/// What was kept, and what was not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Values taken.
    pub values: u64,
    /// Values without a time, or of another day than the clock's.
    pub untimed: u64,
    /// Values that found no room before the next write.
    pub no_room: u64,
    /// Values that could not be written.
    pub lost: u64,
    /// Blocks written.
    pub writes: u64,
}

/// One series since the last write.
#[derive(Debug)]
struct Series {
    path: Box<str>,
    source: Box<str>,
    /// Its number in the record, where that knows it.
    number: Option<usize>,
    last: UnixMillis,
    samples: SampleWriter,
}

/// The values since the last write.
#[derive(Debug)]
pub struct Recorder {
    wanted: PatternSet<()>,
    self_context: Box<str>,
    series: Vec<Series>,
    /// Their places by path, one for each source.
    places: BTreeMap<Box<str>, Vec<usize>>,
    /// Series that the record knows.
    known: usize,
    /// Times of the first value and of the farthest to both sides.
    span: Option<[UnixMillis; 3]>,
    bytes: usize,
    counters: Counters,
}

impl Recorder {
    /// Begins with nothing.
    #[must_use]
    pub fn new(paths: &[Pattern], self_context: &str) -> Self {
        let mut wanted = PatternSet::new(paths.len());
        for pattern in paths {
            // There is room for all.
            let _ = wanted.insert(pattern.clone(), ());
        }
        Self {
            wanted,
            self_context: self_context.into(),
            series: Vec::new(),
            places: BTreeMap::new(),
            known: 0,
            span: None,
            bytes: 0,
            counters: Counters::default(),
        }
    }

    /// Returns what was kept and what was not.
    #[must_use]
    pub fn counters(&self) -> Counters {
        self.counters
    }

    /// Returns how many bytes wait.
    #[must_use]
    pub fn waiting_bytes(&self) -> usize {
        self.bytes
    }

    /// Returns the time of the first value that waits.
    #[must_use]
    pub fn since(&self) -> Option<UnixMillis> {
        self.span.map(|[base, ..]| base)
    }

    /// Takes what is wanted of a delta; without the time nothing is.
    pub fn hear(&mut self, delta: &Delta, wall: UnixMillis) {
        if !wall.is_known() || delta.version() != DeltaVersion::V1 || !delta.is_own(&self.self_context) {
            return;
        }
        for update in delta.updates() {
            let mut at = None;
            for (path, value) in update.entries() {
                if self.wanted.matching(path).next().is_none() {
                    continue;
                }
                let at = *at.get_or_insert_with(|| {
                    update.time().millis().filter(|at| at.0.abs_diff(wall.0) <= AWAY_MS.unsigned_abs())
                });
                match at {
                    Some(at) => self.keep(path, update.source_ref(), at, &value),
                    None => self.counters.untimed = self.counters.untimed.saturating_add(1),
                }
            }
        }
    }

    fn keep(&mut self, path: &str, source: &str, at: UnixMillis, value: &Value<'_>) {
        let Some(place) = self.place_of(path, source) else {
            self.counters.no_room = self.counters.no_room.saturating_add(1);
            return;
        };
        let Some(series) = self.series.get_mut(place) else { return };
        if at.0.div_euclid(EVERY_MS) == series.last.0.div_euclid(EVERY_MS) {
            return;
        }
        let text = value.shown();
        if self.bytes.saturating_add(text.len()) > WAITING_BYTES_MAX || text.len() > VALUE_BYTES_MAX {
            self.counters.no_room = self.counters.no_room.saturating_add(1);
            return;
        }
        let [base, first, last] = *self.span.get_or_insert([at; 3]);
        self.span = Some([base, first.min(at), last.max(at)]);
        let before = series.samples.len();
        series.samples.push(base, at, value);
        series.last = at;
        self.bytes = self.bytes.saturating_add(series.samples.len().saturating_sub(before));
        self.counters.values = self.counters.values.saturating_add(1);
    }

    /// Finds a series or makes one; `None` where there is no room.
    fn place_of(&mut self, path: &str, source: &str) -> Option<usize> {
        let is_of = |place: &&usize| self.series.get(**place).is_some_and(|series| *series.source == *source);
        if let Some(place) = self.places.get(path).and_then(|places| places.iter().find(is_of)) {
            return Some(*place);
        }
        let of_source = self.series.iter().filter(|series| *series.source == *source).count();
        if self.series.len() >= SERIES_MAX || of_source >= SERIES_OF_SOURCE_MAX {
            return None;
        }
        let place = self.series.len();
        self.series.push(Series {
            path: path.into(),
            source: source.into(),
            number: None,
            last: UnixMillis::UNKNOWN,
            samples: SampleWriter::default(),
        });
        self.places.entry(path.into()).or_default().push(place);
        Some(place)
    }

    /// Forgets the numbers of the series: the next block begins a record. What was not heard since the last write is
    /// forgotten as a whole.
    pub fn begin_record(&mut self) {
        self.known = 0;
        self.series.retain(|series| series.samples.count() > 0);
        self.places.clear();
        for (place, series) in self.series.iter_mut().enumerate() {
            series.number = None;
            self.places.entry(series.path.clone()).or_default().push(place);
        }
    }

    /// Returns what waits as a block; `None` where nothing does. [`written`](Self::written) or [`lost`](Self::lost) says
    /// what became of it.
    #[must_use]
    pub fn block(&self) -> Option<Vec<u8>> {
        self.write(self.known, |series| series.number)
    }

    fn write(&self, mut next: usize, number_of: impl Fn(&Series) -> Option<usize>) -> Option<Vec<u8>> {
        let [base, first, last] = self.span?;
        let mut block = BlockWriter::new(base, first, last);
        for series in self.series.iter().filter(|series| series.samples.count() > 0) {
            let names = Names { context: &self.self_context, path: &series.path, source: &series.source };
            let out = match number_of(series) {
                Some(number) => block.series(number, None),
                None => {
                    let number = next;
                    next = next.saturating_add(1);
                    block.series(number, Some(names))
                }
            };
            series.samples.write(out);
        }
        Some(block.finish())
    }

    /// Takes note that the block is in the record.
    pub fn written(&mut self) {
        self.counters.writes = self.counters.writes.saturating_add(1);
        for series in self.series.iter_mut().filter(|series| series.samples.count() > 0 && series.number.is_none()) {
            series.number = Some(self.known);
            self.known = self.known.saturating_add(1);
        }
        self.clear();
    }

    /// Takes note that the block could not be written.
    pub fn lost(&mut self) {
        let lost: u64 = self.series.iter().map(|series| u64::from(series.samples.count())).sum();
        self.counters.lost = self.counters.lost.saturating_add(lost);
        self.clear();
    }

    fn clear(&mut self) {
        (self.span, self.bytes) = (None, 0);
        for series in &mut self.series {
            series.samples.clear();
        }
    }

    /// Gives what waits to be written to a taker, as if it stood in a record of its own.
    pub fn take(&self, range: (UnixMillis, UnixMillis), taker: &mut dyn Taker) {
        if let Some(bytes) = self.write(0, |_| None)
            && let Found::Block(block, _) = find(&bytes)
        {
            take(block, range, &mut Vec::new(), taker);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::sample::Sample;
    use std::format;
    use std::string::{String, ToString};

    const NOON: UnixMillis = UnixMillis(1_800_000_000_000);

    /// Notes each series and value as a line.
    #[derive(Default)]
    struct Lines(Vec<String>, Vec<String>);

    impl Taker for Lines {
        fn series(&mut self, names: Names<'_>) -> Option<usize> {
            self.0.push(format!("{} {}", names.path, names.source));
            Some(self.0.len() - 1)
        }

        fn value(&mut self, number: usize, at: UnixMillis, value: &Sample<'_>) {
            self.1.push(format!("{} {} {}", self.0[number], at.0 - NOON.0, &*value.json()));
        }
    }

    fn recorder(paths: &[&str]) -> Recorder {
        let paths: Vec<Pattern> = paths.iter().map(|path| Pattern::parse(path).unwrap()).collect();
        Recorder::new(&paths, "vessels.self-id")
    }

    fn delta(context: &str, source: &str, time: &str, path: &str, value: &str) -> Delta {
        let stamp = crate::delta::Stamp { source_ref: source, self_context: "vessels.self-id", now: NOON };
        let text = format!(
            r#"{{"context":"{context}","updates":[{{"$source":"{source}","timestamp":"{time}","values":[{{"path":"{path}","value":{value}}}]}}]}}"#
        );
        Delta::parse(&text, &stamp).unwrap()
    }

    fn hear(recorder: &mut Recorder, after: i64, path: &str, value: &str) {
        let time = UnixMillis(NOON.0 + after).text().to_string();
        recorder.hear(&delta("vessels.self-id", "can0.7", &time, path, value), UnixMillis(NOON.0 + after));
    }

    fn lines(recorder: &Recorder) -> Vec<String> {
        let mut lines = Lines::default();
        recorder.take((UnixMillis(0), UnixMillis(i64::MAX)), &mut lines);
        lines.1
    }

    #[test]
    fn of_each_second_the_first_value_of_a_listed_path_is_kept() {
        let mut recorder = recorder(&["navigation.*", "environment.depth.belowKeel"]);
        for (after, value) in [(0, "1"), (400, "2"), (999, "3"), (1000, "4"), (1999, "5"), (900, "6"), (3000, "7")] {
            hear(&mut recorder, after, "navigation.speedOverGround", value);
        }
        hear(&mut recorder, 0, "environment.depth.belowKeel", "4.5");
        hear(&mut recorder, 0, "environment.depth.belowSurface", "4.5");
        let expected = [
            "navigation.speedOverGround can0.7 0 1",
            "navigation.speedOverGround can0.7 1000 4",
            "navigation.speedOverGround can0.7 900 6",
            "navigation.speedOverGround can0.7 3000 7",
            "environment.depth.belowKeel can0.7 0 4.5",
        ];
        assert_eq!(lines(&recorder), expected);
        assert_eq!(recorder.counters().values, 5);
    }

    #[test]
    fn what_has_no_time_or_another_day_is_not_kept() {
        let mut recorder = recorder(&["*"]);
        let own = |time: &str| delta("vessels.self-id", "a", time, "a.b", "1");
        recorder.hear(&own("2019-01-01T00:00:00.000Z"), NOON);
        recorder.hear(&own("2099-01-01T00:00:00.000Z"), NOON);
        assert_eq!((recorder.counters().untimed, lines(&recorder).len()), (2, 0));
        recorder.hear(&own(&NOON.text()), UnixMillis::UNKNOWN);
        recorder.hear(&delta("vessels.urn:mrn:imo:mmsi:230000001", "a", &NOON.text(), "a.b", "1"), NOON);
        assert_eq!(recorder.counters().values, 0, "the time is not known, and another vessel's is not ours");
        recorder.hear(&own(&NOON.text()), NOON);
        assert_eq!(recorder.counters().values, 1);
    }

    #[test]
    fn names_stand_once_in_a_record() {
        let mut recorder = recorder(&["*"]);
        let length = |recorder: &mut Recorder, at| {
            hear(recorder, at, "navigation.speedOverGround", "1");
            let bytes = recorder.block().unwrap().len();
            recorder.written();
            bytes
        };
        let (first, second) = (length(&mut recorder, 0), length(&mut recorder, 60_000));
        assert!(first > second + 40, "{first} {second}");
        recorder.begin_record();
        assert_eq!(length(&mut recorder, 120_000), first);
        assert_eq!(recorder.block(), None);
    }

    #[test]
    fn no_source_takes_all_places_and_what_finds_none_is_counted() {
        let mut recorder = recorder(&["*"]);
        for path in 0..SERIES_MAX {
            hear(&mut recorder, 0, &format!("a.p{path}"), "1");
        }
        assert_eq!((recorder.series.len(), recorder.counters().no_room), (SERIES_OF_SOURCE_MAX, 256));
        recorder.hear(&delta("vessels.self-id", "b", &NOON.text(), "a.b", "1"), NOON);
        assert_eq!(recorder.series.len(), SERIES_OF_SOURCE_MAX + 1);
        let long = format!("\"{}\"", "x".repeat(4000));
        for second in 1..100 {
            hear(&mut recorder, second * 1000, "a.p1", &long);
        }
        assert!(recorder.waiting_bytes() <= WAITING_BYTES_MAX && recorder.counters().no_room > 256);
        assert!(recorder.block().unwrap().len() < BLOCK_BYTES_MAX);
        recorder.lost();
        assert_eq!((recorder.waiting_bytes(), recorder.counters().lost > 256), (0, true));
    }
}
