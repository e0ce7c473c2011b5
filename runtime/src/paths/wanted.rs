//! Who wants which path: asked once for each path, so that a delta costs what its readers are.

use alloc::boxed::Box;
use alloc::vec::Vec;

/// Paths that are remembered, each at the place that its hash gives; a boat with traffic around it has about 1,000.
const PATHS: usize = 2048;
/// Readers that a set has room for: more plugins or stream clients are asked each.
pub(crate) const READERS: usize = 64;

/// A set of readers, by their places in whatever lists them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Wanted(u64);

impl Wanted {
    /// Every reader.
    pub(crate) const ALL: Self = Self(u64::MAX);

    /// Adds the reader at a place.
    pub(crate) fn insert(&mut self, index: usize) {
        self.0 |= 1_u64.checked_shl(u32::try_from(index).unwrap_or(u32::MAX)).unwrap_or(0);
    }

    /// Adds the readers of another set.
    pub(crate) fn join(&mut self, other: Self) {
        self.0 |= other.0;
    }

    /// Tells whether the reader at a place is in it.
    pub(crate) fn has(self, index: usize) -> bool {
        u32::try_from(index).ok().and_then(|index| self.0.checked_shr(index)).is_some_and(|rest| rest & 1 == 1)
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

/// Remembers who wants which path, until a reader wants something else.
#[derive(Default)]
pub(crate) struct WantedPaths {
    /// No memory is taken before somebody asks.
    known: Vec<Option<Known>>,
}

impl WantedPaths {
    /// Chips have few readers, and no room for what is remembered.
    pub(crate) const IS_KEPT: bool = cfg!(any(test, feature = "std"));

    /// Forgets everything: somebody wants something else now.
    pub(crate) fn forget(&mut self) {
        self.known = Vec::new();
    }

    /// Returns who wants a path; `ask` finds out where it is not known.
    pub(crate) fn of_path(&mut self, path: &str, ask: &mut dyn FnMut(&str) -> Wanted) -> Wanted {
        if self.known.is_empty() {
            self.known.resize_with(PATHS, || None);
        }
        let place = place(path.as_bytes());
        if let Some(Some(known)) =
            self.known.get(place).filter(|known| known.as_ref().is_some_and(|known| *known.path == *path))
        {
            return known.wanted;
        }
        let wanted = ask(path);
        if let Some(known) = self.known.get_mut(place) {
            *known = Some(Known { path: path.into(), wanted });
        }
        wanted
    }
}

/// Marks of paths, by length and end: a path without one is not among those that were marked.
pub(crate) struct Marks([u64; PATHS / u64::BITS as usize]);

impl Default for Marks {
    fn default() -> Self {
        Self([0; PATHS / u64::BITS as usize])
    }
}

impl Marks {
    /// Marks a path.
    pub(crate) fn set(&mut self, path: &str) {
        let (word, bit) = Self::place(path);
        if let Some(word) = self.0.get_mut(word) {
            *word |= bit;
        }
    }

    /// Tells whether a path can be among those that were marked.
    pub(crate) fn may_have(&self, path: &str) -> bool {
        let (word, bit) = Self::place(path);
        self.0.get(word).is_some_and(|word| word & bit != 0)
    }

    /// Returns the word of a path and its bit in it.
    fn place(path: &str) -> (usize, u64) {
        let path = path.as_bytes();
        let sum = (word(path, path.len().saturating_sub(size_of::<u64>())) ^ path.len() as u64).wrapping_mul(GOLDEN);
        ((sum >> MARKS_SHIFT) as usize, 1 << (sum >> BIT_SHIFT & u64::from(u64::BITS - 1)))
    }
}

/// An odd number of many bits, of the golden ratio.
const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;
/// The upper bits of a sum name the word among the marks, those below them the bit.
const MARKS_SHIFT: u32 = u64::BITS - (PATHS / 64).trailing_zeros();
const BIT_SHIFT: u32 = MARKS_SHIFT - u64::BITS.trailing_zeros();

/// Reads eight bytes, or all of fewer.
fn word(path: &[u8], from: usize) -> u64 {
    let bytes = path.get(from..).and_then(<[u8]>::first_chunk).copied();
    bytes.map_or_else(|| path.iter().fold(0, |sum, byte| sum << 8 | u64::from(*byte)), u64::from_le_bytes)
}

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
    use std::format;

    #[test]
    fn a_set_has_what_was_put_in() {
        let mut wanted = Wanted::default();
        for index in [0, 7, 63, 64, usize::MAX] {
            wanted.insert(index);
        }
        assert_eq!(wanted.collect::<Vec<_>>(), [0, 7, 63], "beyond the room nobody is in");
        assert!(wanted.has(7) && wanted.has(63) && !wanted.has(8) && !wanted.has(64) && !wanted.has(usize::MAX));
        assert!(Wanted::ALL.has(0) && Wanted::ALL.has(63));
        let mut both = Wanted::default();
        both.join(wanted);
        assert_eq!(both, wanted);
    }

    #[test]
    fn paths_at_one_place_are_told_apart_and_memory_is_bounded() {
        let mut paths = WantedPaths::default();
        let (mut asked, mut seven) = (0, Wanted::default());
        seven.insert(7);
        for _ in 0..2 {
            for number in 0..5000 {
                let path = format!("a.{number}.x");
                let mut ask = |path: &str| {
                    asked += 1;
                    if path == "a.7.x" { seven } else { Wanted::default() }
                };
                let wanted = paths.of_path(&path, &mut ask);
                assert_eq!(wanted, if number == 7 { seven } else { Wanted::default() }, "{path}");
            }
        }
        assert!((5000..10_000).contains(&asked), "{asked}");
        assert_eq!(paths.known.len(), PATHS);
        for path in ["", "a", "abcdefg", "abcdefgh", "abcdefghi"] {
            assert!(place(path.as_bytes()) < PATHS);
        }
    }

    #[test]
    fn what_was_marked_may_be_there_and_most_else_is_not() {
        let mut marks = Marks::default();
        let paths = ["environment.wind.speedApparent", "a", ""];
        paths.iter().for_each(|path| marks.set(path));
        assert!(paths.iter().all(|path| marks.may_have(path)));
        let others = (0..1000).filter(|number| marks.may_have(&format!("tanks.fuel.{number}.currentLevel"))).count();
        assert!(others < 20, "{others}");
    }

    #[test]
    fn what_was_forgotten_is_asked_again() {
        let mut paths = WantedPaths::default();
        let of = |paths: &mut WantedPaths, wanted| paths.of_path("a", &mut |_| wanted);
        assert_eq!(of(&mut paths, Wanted::ALL), Wanted::ALL);
        assert_eq!(of(&mut paths, Wanted::default()), Wanted::ALL);
        paths.forget();
        assert_eq!(of(&mut paths, Wanted::default()), Wanted::default());
    }
}
