//! Which plugins want a path: asked once for each path, so that a delta costs what its readers are.

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;

use super::filter::PathFilter;
use crate::delta::Delta;

/// Paths that are remembered, each at the place that its hash gives; a boat with traffic around it has about 1,000.
const PATHS: usize = 2048;
/// Plugins that a set has room for: the most that Linux takes.
const PLUGINS: usize = 64;

/// A set of plugins, by their places in the registry.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Wanted(u64);

impl Wanted {
    const ALL: Self = Self(u64::MAX);

    fn insert(&mut self, index: usize) {
        self.0 |= 1_u64.checked_shl(u32::try_from(index).unwrap_or(u32::MAX)).unwrap_or(0);
    }
}

impl Iterator for Wanted {
    type Item = usize;

    fn next(&mut self) -> Option<usize> {
        let index = self.0.trailing_zeros();
        self.0 &= self.0.wrapping_sub(1);
        (index < u64::BITS).then_some(index as usize)
    }
}

/// What is known of one path.
struct Known {
    path: Box<str>,
    wanted: Wanted,
}

/// Marks of paths.
type Marks = [u64; PATHS / u64::BITS as usize];

/// Remembers who wants which path, until a filter changes.
#[derive(Default)]
pub(super) struct Interest {
    /// The filters that hold, by plugin; none means all.
    filters: Vec<Option<Arc<PathFilter>>>,
    /// Somebody has one.
    is_filtered: bool,
    /// Who has none.
    always: Wanted,
    /// The marks of paths that a filter names, where none has a wildcard: a path without one nobody else wants.
    named: Option<Box<Marks>>,
    /// No memory is taken before a plugin has a filter.
    known: Vec<Option<Known>>,
}

impl Interest {
    /// Chips have few plugins, and no room for what is remembered.
    pub(super) const IS_KEPT: bool = cfg!(any(test, feature = "std"));

    /// Takes note of the filters that hold now; what is known is forgotten when one is another.
    pub(super) fn set<'f>(&mut self, filters: impl Iterator<Item = Option<&'f Arc<PathFilter>>> + Clone) {
        let is_same = |old: &Option<Arc<PathFilter>>, new: Option<&Arc<PathFilter>>| match (old, new) {
            (Some(old), Some(new)) => Arc::ptr_eq(old, new),
            (old, new) => old.is_none() && new.is_none(),
        };
        if filters.clone().count() == self.filters.len()
            && self.filters.iter().zip(filters.clone()).all(|(old, new)| is_same(old, new))
        {
            return;
        }
        self.filters = filters.map(Option::<&Arc<_>>::cloned).collect();
        self.known = Vec::new();
        self.is_filtered = self.filters.iter().any(Option::is_some);
        self.always = Wanted::default();
        for (index, _) in self.filters.iter().enumerate().filter(|(_, filter)| filter.is_none()) {
            self.always.insert(index);
        }
        let mut named = Box::new(Marks::default());
        let mut paths = self.filters.iter().flatten().flat_map(|filter| filter.texts());
        let is_marked = paths.all(|path| {
            if let Some((word, bit)) = mark(&mut named, path.as_bytes()) {
                *word |= bit;
            }
            !path.contains('*')
        });
        self.named = is_marked.then_some(named);
    }

    /// Returns the plugins that want a delta: those with a value or meta entry of it at a path they want. `None` where each
    /// is to be asked: on chips, and beyond 64 plugins.
    pub(super) fn of(&mut self, delta: &Delta) -> Option<Wanted> {
        if !Self::IS_KEPT || self.filters.len() > PLUGINS {
            return None;
        }
        if !self.is_filtered {
            return Some(Wanted::ALL);
        }
        let mut wanted = Wanted::default();
        for update in delta.updates() {
            for (path, _) in update.entries() {
                wanted.0 |= self.of_path(path).0;
            }
            for (path, _) in update.meta() {
                wanted.0 |= self.of_path(path).0;
            }
        }
        Some(wanted)
    }

    fn of_path(&mut self, path: &str) -> Wanted {
        if let Some(named) = &mut self.named
            && mark(&mut *named, path.as_bytes()).is_none_or(|(word, bit)| *word & bit == 0)
        {
            return self.always;
        }
        let place = place(path.as_bytes());
        if self.known.is_empty() {
            self.known.resize_with(PATHS, || None);
        }
        if let Some(Some(known)) =
            self.known.get(place).filter(|known| known.as_ref().is_some_and(|known| *known.path == *path))
        {
            return known.wanted;
        }
        let mut wanted = Wanted::default();
        for (index, filter) in self.filters.iter().enumerate() {
            if filter.as_ref().is_none_or(|filter| filter.wants_path(path)) {
                wanted.insert(index);
            }
        }
        if let Some(known) = self.known.get_mut(place) {
            *known = Some(Known { path: path.into(), wanted });
        }
        wanted
    }
}

/// Returns the word and the bit that paths of this length and end have in common.
fn mark<'m>(marks: &'m mut Marks, path: &[u8]) -> Option<(&'m mut u64, u64)> {
    let end = word(path, path.len().saturating_sub(size_of::<u64>())) ^ path.len() as u64;
    let sum = end.wrapping_mul(GOLDEN);
    Some((marks.get_mut((sum >> MARKS_SHIFT) as usize)?, 1 << (sum >> BIT_SHIFT & u64::from(u64::BITS - 1))))
}

/// Reads eight bytes, or all of fewer.
fn word(path: &[u8], from: usize) -> u64 {
    let bytes = path.get(from..).and_then(<[u8]>::first_chunk).copied();
    bytes.map_or_else(|| path.iter().fold(0, |sum, byte| sum << 8 | u64::from(*byte)), u64::from_le_bytes)
}

/// An odd number of many bits, of the golden ratio.
const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;
/// The upper bits of a sum name the word among the marks, those below them the bit.
const MARKS_SHIFT: u32 = u64::BITS - (PATHS / 64).trailing_zeros();
const BIT_SHIFT: u32 = MARKS_SHIFT - u64::BITS.trailing_zeros();

/// Returns the place of a path by its length, its middle and its end: beginnings are much alike.
fn place(path: &[u8]) -> usize {
    let end = path.len().saturating_sub(size_of::<u64>());
    // Another odd number, of the square root of 2.
    let sum = word(path, end).wrapping_mul(GOLDEN)
        ^ word(path, end / 2).wrapping_mul(0x6a09_e667_f3bc_c909)
        ^ path.len() as u64;
    (sum.wrapping_mul(GOLDEN) >> (u64::BITS - PATHS.trailing_zeros())) as usize
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::PluginConfig;
    use crate::delta::Stamp;
    use crate::package::Package;
    use crate::time::UnixMillis;
    use std::format;

    fn filter(paths: &str) -> Arc<PathFilter> {
        let json = br#"{"name":"p","keywords":["signalk-wasm-plugin"],"wasmManifest":"p.wasm"}"#;
        let package = Package::from_parts(json, b"\0asm\x01\0\0\0".to_vec()).unwrap();
        let config = PluginConfig::parse(&format!(r#"{{"skiff":{{"subscribe":[{paths}]}}}}"#));
        Arc::new(PathFilter::of(&package, Some(&config), 8, &mut |_| {}).unwrap())
    }

    fn of(interest: &mut Interest, path: &str) -> Vec<usize> {
        let text = format!(
            r#"{{"updates":[{{"values":[{{"path":"x","value":1}}]}},{{"meta":[{{"path":"{path}","value":{{"units":"m"}}}}]}}]}}"#
        );
        let stamp = Stamp { source_ref: "s", self_context: "vessels.x", now: UnixMillis(0) };
        interest.of(&Delta::parse(&text, &stamp).unwrap()).unwrap().take_while(|index| *index < 4).collect()
    }

    #[test]
    fn a_delta_goes_to_those_who_want_one_of_its_paths() {
        let filters = [Some(filter(r#""a.*""#)), None, Some(filter(r#""a.b","x.y""#)), Some(filter(""))];
        let mut interest = Interest::default();
        interest.set(filters.iter().map(Option::as_ref));
        for _ in 0..2 {
            assert_eq!(of(&mut interest, "a.b"), [0, 1, 2]);
            assert_eq!(of(&mut interest, "a.c"), [0, 1]);
            assert_eq!(of(&mut interest, "b"), [1]);
        }
        interest.set(filters.iter().skip(1).map(Option::as_ref));
        assert!(interest.named.is_some(), "no wildcard is left");
        for _ in 0..2 {
            assert_eq!(of(&mut interest, "a.b"), [0, 1]);
            assert_eq!(of(&mut interest, "a.c"), [0]);
        }
    }

    #[test]
    fn another_filter_is_heeded_at_once() {
        let mut interest = Interest::default();
        let old = Some(filter(r#""a""#));
        interest.set([old.as_ref()].into_iter());
        assert_eq!(of(&mut interest, "b"), [0; 0]);
        let new = Some(filter(r#""b""#));
        interest.set([new.as_ref()].into_iter());
        assert_eq!(of(&mut interest, "b"), [0]);
        interest.set([new.as_ref(), None].into_iter());
        assert_eq!(of(&mut interest, "a"), [1]);
        interest.set([None].into_iter());
        assert_eq!(of(&mut interest, "b"), [0, 1, 2, 3], "without a filter nobody is asked");
    }

    #[test]
    fn paths_at_one_place_are_told_apart_and_memory_is_bounded() {
        let mut interest = Interest::default();
        let filters = [Some(filter(r#""a.7.*""#)), Some(filter(r#""a.*.x""#))];
        interest.set(filters.iter().map(Option::as_ref));
        for _ in 0..2 {
            for number in 0..5000 {
                let path = format!("a.{number}.x");
                let wanted: Vec<usize> = interest.of_path(&path).collect();
                assert_eq!(wanted, if number == 7 { [0, 1].as_slice() } else { &[1] }, "{path}");
            }
        }
        assert_eq!(interest.known.len(), PATHS);
        for path in ["", "a", "abcdefg", "abcdefgh", "abcdefghi"] {
            assert!(interest.of_path(path).next().is_none() && place(path.as_bytes()) < PATHS);
        }
    }

    #[test]
    fn more_plugins_than_a_set_has_room_for_are_asked_each() {
        let mut interest = Interest::default();
        let one = Some(filter(r#""a""#));
        interest.set(core::iter::repeat_n(one.as_ref(), PLUGINS + 1));
        let stamp = Stamp { source_ref: "s", self_context: "vessels.x", now: UnixMillis(0) };
        let delta = Delta::parse(r#"{"updates":[{"values":[{"path":"a","value":1}]}]}"#, &stamp).unwrap();
        assert_eq!(interest.of(&delta), None);
        interest.set(core::iter::repeat_n(one.as_ref(), PLUGINS));
        assert_eq!(interest.of(&delta).unwrap().count(), PLUGINS);
    }
}
