//! A map by path: part by part in order for who lists, found at once for who tells.
//!
//! A value is told of the same few hundred paths again and again, and a search among them compares long beginnings that
//! are all alike. So where a path was found is remembered by its length, middle and end.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::cell::Cell;
use core::cmp::Ordering;
use core::ops::Bound;

/// Rows from which on it pays to remember where they were found.
const FEW: usize = 12;
/// Rows that there is room for at first.
const GROWTH: usize = 8;
/// Rows that are remembered, each at the place that its path gives.
const NEAR: usize = if cfg!(any(test, feature = "std")) { 2048 } else { 256 };

/// A map by path.
#[derive(Debug)]
pub(super) struct ByPath<T> {
    rows: Vec<(Box<str>, T)>,
    /// Numbers of the rows, in the order of their paths, see [`in_order`].
    order: Vec<u32>,
    /// Numbers of the rows that were found last; empty while there are few.
    near: Vec<Cell<u16>>,
}

impl<T> Default for ByPath<T> {
    fn default() -> Self {
        Self { rows: Vec::new(), order: Vec::new(), near: Vec::new() }
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

    /// Returns the number of a row.
    fn find(&self, path: &str) -> Option<usize> {
        let place = place(path.as_bytes());
        let near = [self.near.get(place), self.near.get(place ^ 1)];
        for near in near.into_iter().flatten() {
            let index = usize::from(near.get());
            if self.rows.get(index).is_some_and(|(known, _)| **known == *path) {
                return Some(index);
            }
        }
        let at = self.search(path).ok()?;
        let index = *self.order.get(at)?;
        // Two that have the same place stand beside each other.
        if let ([Some(near), Some(beside)], Ok(index)) = (near, u16::try_from(index)) {
            beside.set(near.replace(index));
        }
        usize::try_from(index).ok()
    }

    /// Returns where in the order a path stands, or has to be put.
    fn search(&self, path: &str) -> Result<usize, usize> {
        self.order.binary_search_by(|index| in_order(self.path_of(*index), path))
    }

    fn path_of(&self, index: u32) -> &str {
        self.rows.get(index as usize).map_or("", |(path, _)| path)
    }

    /// Adds a path; a known one gets another value.
    pub(super) fn insert(&mut self, path: &str, value: T) {
        let at = match self.search(path) {
            Ok(at) => {
                let index = self.order.get(at).copied().unwrap_or(u32::MAX);
                if let Some((_, known)) = self.rows.get_mut(index as usize) {
                    *known = value;
                }
                return;
            }
            Err(at) => at,
        };
        let Ok(index) = u32::try_from(self.rows.len()) else { return };
        if self.rows.len() == self.rows.capacity() {
            // Doubling would leave half of the room empty.
            let more = (self.rows.len() / 8).max(GROWTH);
            self.rows.reserve_exact(more);
            self.order.reserve_exact(more);
        }
        self.order.insert(at, index);
        self.rows.push((path.into(), value));
        if self.near.is_empty() && self.rows.len() > FEW {
            self.near.resize(NEAR, Cell::new(0));
        }
    }

    /// Keeps the rows that `stays` says yes to.
    pub(super) fn retain(&mut self, mut stays: impl FnMut(&str, &mut T) -> bool) {
        let mut count = 0;
        let mut numbers = Vec::with_capacity(self.rows.len());
        self.rows.retain_mut(|(path, value)| {
            let is_kept = stays(path, value);
            numbers.push(is_kept.then_some(count));
            count += u32::from(is_kept);
            is_kept
        });
        self.order.retain_mut(|index| match numbers.get(*index as usize) {
            Some(Some(number)) => {
                *index = *number;
                true
            }
            _ => false,
        });
    }

    /// Visits the rows from a path on, in order.
    pub(super) fn from<'m>(&'m self, from: Bound<&str>) -> impl Iterator<Item = (&'m str, &'m T)> {
        let at = match from {
            Bound::Unbounded => 0,
            Bound::Included(path) => self.search(path).unwrap_or_else(|at| at),
            Bound::Excluded(path) => self.search(path).map_or_else(|at| at, |at| at.saturating_add(1)),
        };
        let rest = self.order.get(at..).unwrap_or_default();
        rest.iter().filter_map(|index| self.rows.get(*index as usize)).map(|(path, value)| (&**path, value))
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

/// Returns the place of a path by its length, its middle and its end: beginnings are much alike.
fn place(path: &[u8]) -> usize {
    let word = |from: usize| path.get(from..).and_then(<[u8]>::first_chunk).copied().map_or(0, u32::from_le_bytes);
    let last = path.len().saturating_sub(4);
    // Odd numbers of many bits, of the golden ratio and of the square root of 2.
    let sum = word(last).wrapping_mul(0x9e37_79b9) ^ word(last / 2).wrapping_mul(0x6a09_e667);
    let sum = (sum ^ u32::try_from(path.len()).unwrap_or(u32::MAX)).wrapping_mul(0x9e37_79b9);
    (sum >> (u32::BITS - NEAR.trailing_zeros())) as usize
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
    fn paths_with_the_same_place_are_told_apart() {
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
