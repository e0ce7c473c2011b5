//! A map by path: part by part in order for who lists, found at once for who tells.
//!
//! A value is told of the same few hundred paths again and again, and a search among them compares long beginnings that
//! are all alike. So a path is found by a hash of its length, middle and end.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::cmp::Ordering;
use core::ops::Bound;

/// Rows that there is room for at first.
const GROWTH: usize = 8;
/// Places for each row, at least: half of them stay empty, so that what is not there is soon missed.
const PLACES_PER_ROW: usize = 2;

/// The number of a row in a place, from 1; 0 stands for none.
#[cfg(any(test, feature = "std"))]
type Place = u32;
/// As above: chips hold a few hundred paths.
#[cfg(not(any(test, feature = "std")))]
type Place = u16;

/// A map by path.
#[derive(Debug)]
pub(super) struct ByPath<T> {
    rows: Vec<(Box<str>, T)>,
    /// Numbers of the rows, in the order of their paths, see [`in_order`].
    order: Vec<Place>,
    /// Rows by the hash of their paths, or in the next place that was free; a power of two, or none.
    places: Vec<Place>,
}

impl<T> Default for ByPath<T> {
    fn default() -> Self {
        Self { rows: Vec::new(), order: Vec::new(), places: Vec::new() }
    }
}

impl<T> ByPath<T> {
    pub(super) fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    pub(super) fn get(&self, path: &str) -> Option<&T> {
        let (_, value) = self.rows.get(self.find(path)?)?;
        Some(value)
    }

    pub(super) fn get_mut(&mut self, path: &str) -> Option<&mut T> {
        let index = self.find(path)?;
        let (_, value) = self.rows.get_mut(index)?;
        Some(value)
    }

    /// Returns the index of a row.
    #[inline(always)]
    fn find(&self, path: &str) -> Option<usize> {
        let mut at = hash(path.as_bytes());
        loop {
            // Half of the places are empty, so that this ends.
            at &= self.places.len().checked_sub(1)?;
            let index = usize::try_from(self.places.get(at)?.checked_sub(1)?).ok()?;
            if self.rows.get(index).is_some_and(|(known, _)| **known == *path) {
                return Some(index);
            }
            at += 1;
        }
    }

    /// Returns where in the order a path stands, or has to be put.
    fn search(&self, path: &str) -> Result<usize, usize> {
        self.order.binary_search_by(|number| in_order(self.row(*number).map_or("", |(known, _)| known), path))
    }

    fn row(&self, number: Place) -> Option<&(Box<str>, T)> {
        self.rows.get(usize::try_from(number.checked_sub(1)?).ok()?)
    }

    /// Adds a path; a known one gets another value.
    pub(super) fn insert(&mut self, path: &str, value: T) {
        if let Some(known) = self.get_mut(path) {
            *known = value;
            return;
        }
        let Ok(number) = Place::try_from(self.rows.len() + 1) else { return };
        let at = self.search(path).unwrap_or_else(|at| at);
        if self.rows.len() == self.rows.capacity() {
            // Doubling would leave half of the room empty.
            let more = (self.rows.len() / 8).max(GROWTH);
            self.rows.reserve_exact(more);
            self.order.reserve_exact(more);
        }
        self.order.insert(at, number);
        self.rows.push((path.into(), value));
        if self.rows.len() * PLACES_PER_ROW > self.places.len() {
            self.place_all();
        } else {
            place(&mut self.places, path, number);
        }
    }

    /// Gives every row its place, with room for half as many more.
    fn place_all(&mut self) {
        self.places.clear();
        let count = (self.rows.len() * PLACES_PER_ROW * 3 / 2).next_power_of_two();
        self.places.reserve_exact(count);
        self.places.resize(count, 0);
        for (number, (path, _)) in (1..).zip(&self.rows) {
            place(&mut self.places, path, number);
        }
    }

    /// Keeps the rows that `stays` says yes to.
    pub(super) fn retain(&mut self, mut stays: impl FnMut(&str, &mut T) -> bool) {
        let mut count: Place = 0;
        let mut numbers = Vec::with_capacity(self.rows.len());
        self.rows.retain_mut(|(path, value)| {
            let is_kept = stays(path, value);
            count += Place::from(is_kept);
            numbers.push(is_kept.then_some(count));
            is_kept
        });
        self.order.retain_mut(|number| {
            let index = usize::try_from(number.saturating_sub(1)).unwrap_or(usize::MAX);
            let now = numbers.get(index).copied().flatten();
            *number = now.unwrap_or(0);
            now.is_some()
        });
        self.place_all();
    }

    /// Visits the rows from a path on, in order.
    pub(super) fn from<'m>(&'m self, from: Bound<&str>) -> impl Iterator<Item = (&'m str, &'m T)> {
        let at = match from {
            Bound::Unbounded => 0,
            Bound::Included(path) => self.search(path).unwrap_or_else(|at| at),
            Bound::Excluded(path) => self.search(path).map_or_else(|at| at, |at| at.saturating_add(1)),
        };
        let rest = self.order.get(at..).unwrap_or_default();
        rest.iter().filter_map(|number| self.row(*number)).map(|(path, value)| (&**path, value))
    }

    /// Visits all values.
    pub(super) fn values(&self) -> impl Iterator<Item = &T> {
        self.rows.iter().map(|(_, value)| value)
    }

    /// Visits all values.
    pub(super) fn values_mut(&mut self) -> impl Iterator<Item = &mut T> {
        self.rows.iter_mut().map(|(_, value)| value)
    }
}

/// Compares paths part by part: what is below a path follows it at once, as in a tree.
fn in_order(one: &str, other: &str) -> Ordering {
    // No path has a zero in it.
    let first = |byte: u8| if byte == b'.' { 0 } else { byte };
    one.bytes().map(first).cmp(other.bytes().map(first))
}

/// Puts a row into the first place that is free for its path; there is one, for half of them are.
fn place(places: &mut [Place], path: &str, number: Place) {
    let Some(mask) = places.len().checked_sub(1) else { return };
    let mut at = hash(path.as_bytes()) & mask;
    while let Some(place) = places.get_mut(at) {
        if *place == 0 {
            *place = number;
            return;
        }
        at = (at + 1) & mask;
    }
}

/// Returns the hash of a path by its length, its middle and its end: beginnings are much alike.
pub(super) fn hash(path: &[u8]) -> usize {
    let word = |from: usize| path.get(from..).and_then(<[u8]>::first_chunk).copied().map_or(0, u32::from_le_bytes);
    let last = path.len().saturating_sub(4);
    // Odd numbers of many bits, of the golden ratio and of the square root of 2. A product has the last bytes of its word in
    // its upper bits alone: they are brought down.
    let sum = word(last).wrapping_mul(0x9e37_79b9) ^ word(last / 2).wrapping_mul(0x6a09_e667);
    let sum = sum ^ sum >> 15 ^ u32::try_from(path.len()).unwrap_or(u32::MAX);
    let sum = sum.wrapping_mul(0x9e37_79b9);
    (sum ^ sum >> 15) as usize
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;
    use std::format;
    use std::string::String;
    use std::vec::Vec;

    fn listed<T: Copy>(map: &ByPath<T>, from: Bound<&str>) -> Vec<(String, T)> {
        map.from(from).map(|(path, value)| (path.into(), *value)).collect()
    }

    #[test]
    fn rows_are_found_and_listed_in_order() {
        let mut map = ByPath::default();
        for path in ["b", "a.c", "a", "a.b"] {
            map.insert(path, path.len());
        }
        map.insert("a", 7);
        assert_eq!((map.get("a"), map.get("a.c"), map.get("c"), map.get("")), (Some(&7), Some(&3), None, None));
        let paths = |from| listed(&map, from).into_iter().map(|(path, _)| path).collect::<Vec<_>>();
        assert_eq!(paths(Bound::Unbounded), ["a", "a.b", "a.c", "b"]);
        assert_eq!(paths(Bound::Included("a.b")), ["a.b", "a.c", "b"]);
        assert_eq!(paths(Bound::Excluded("a.b")), ["a.c", "b"]);
        assert_eq!(paths(Bound::Excluded("a.bb")), ["a.c", "b"]);
        assert_eq!(paths(Bound::Included("c")), [""; 0]);
    }

    #[test]
    fn what_is_below_a_path_follows_it() {
        let mut map = ByPath::default();
        for path in ["a-b", "a", "a b", "a.b", "a.b.c", "a!", "a.b-c"] {
            map.insert(path, ());
        }
        let paths: Vec<String> = listed(&map, Bound::Unbounded).into_iter().map(|(path, ())| path).collect();
        assert_eq!(paths, ["a", "a.b", "a.b.c", "a.b-c", "a b", "a!", "a-b"]);
        let mut parts = paths.clone();
        parts.sort_by(|a, b| a.split('.').cmp(b.split('.')));
        assert_eq!(parts, paths);
    }

    #[test]
    fn what_differs_in_its_last_letters_has_places_of_its_own() {
        for (before, after) in [("can0.", ""), ("tanks.fuel.", ".currentLevel"), ("electrical.batteries.", "")] {
            let places = (0..32).map(|number| hash(format!("{before}{number}{after}").as_bytes()) % 32);
            let places: std::collections::BTreeSet<usize> = places.collect();
            assert!(places.len() > 16, "{before}: {places:?}");
        }
    }

    #[test]
    fn paths_are_told_apart_however_many() {
        let paths: Vec<String> = (0..4000).map(|number| format!("electrical.batteries.{number}.voltage")).collect();
        let mut map = ByPath::default();
        paths.iter().enumerate().for_each(|(number, path)| map.insert(path, number));
        for _ in 0..2 {
            for (number, path) in paths.iter().enumerate() {
                assert_eq!(map.get(path), Some(&number), "{path}");
            }
        }
        map.retain(|_, number| *number % 3 == 0);
        for (number, path) in paths.iter().enumerate() {
            assert_eq!(map.get(path), Some(&number).filter(|number| **number % 3 == 0), "{path}");
        }
    }

    proptest::proptest! {
        #[test]
        fn it_is_a_map(steps in proptest::collection::vec(("[ab]{0,3}", 0..9_u8), 0..200)) {
            let (mut map, mut wanted) = (ByPath::default(), BTreeMap::new());
            for (path, value) in steps {
                if value == 0 {
                    map.retain(|known, _| known != path);
                    wanted.remove(&path);
                } else {
                    map.insert(&path, value);
                    wanted.insert(path.clone(), value);
                }
                proptest::prop_assert_eq!(map.get(&path), wanted.get(&path));
            }
            proptest::prop_assert_eq!(listed(&map, Bound::Unbounded), wanted.into_iter().collect::<Vec<_>>());
        }
    }
}
