//! Many patterns, asked at once.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::fmt;

use super::Pattern;

/// A bounded set of patterns, each with a payload.
///
/// Patterns without a wildcard are found by binary search; only those with one are tried in turn,
/// and these fail at their first differing byte.
#[derive(Debug)]
pub struct PatternSet<T> {
    /// Sorted by text.
    exact: Vec<(Box<str>, T)>,
    wild: Vec<(Pattern, T)>,
    len_max: usize,
}

/// The set holds as many patterns as it may.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SetFull {
    /// Patterns allowed.
    pub limit: usize,
}

impl fmt::Display for SetFull {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "more than {} subscriptions", self.limit)
    }
}

impl core::error::Error for SetFull {}

impl<T> PatternSet<T> {
    /// Makes an empty set for at most `len_max` patterns.
    #[must_use]
    pub fn new(len_max: usize) -> Self {
        Self { exact: Vec::new(), wild: Vec::new(), len_max }
    }

    /// Adds a pattern; the same pattern can stand in the set more than once.
    ///
    /// # Errors
    /// [`SetFull`] when there is no room.
    pub fn insert(&mut self, pattern: Pattern, payload: T) -> Result<(), SetFull> {
        if self.len() >= self.len_max {
            return Err(SetFull { limit: self.len_max });
        }
        if pattern.is_exact() {
            let at = self.exact.partition_point(|(text, _)| **text <= *pattern.as_str());
            // `partition_point` gives an index up to the length, as `insert` asks for.
            self.exact.insert(at, (pattern.as_str().into(), payload));
        } else {
            self.wild.push((pattern, payload));
        }
        Ok(())
    }

    /// Visits the payloads of all patterns that match `text`.
    pub fn matching<'s>(&'s self, text: &'s str) -> impl Iterator<Item = &'s T> {
        let from = self.exact.partition_point(|(known, _)| **known < *text);
        let exact = self.exact.iter().skip(from).take_while(move |(known, _)| **known == *text);
        let wild = self.wild.iter().filter(move |(pattern, _)| pattern.matches(text));
        exact.map(|(_, payload)| payload).chain(wild.map(|(_, payload)| payload))
    }

    /// Visits the texts of the patterns.
    pub fn texts(&self) -> impl Iterator<Item = &str> {
        self.exact.iter().map(|(text, _)| &**text).chain(self.wild.iter().map(|(pattern, _)| pattern.as_str()))
    }

    /// Removes the patterns for which `keep`, asked with pattern text and payload, says no.
    pub fn retain(&mut self, mut keep: impl FnMut(&str, &T) -> bool) {
        self.exact.retain(|(text, payload)| keep(text, payload));
        self.wild.retain(|(pattern, payload)| keep(pattern.as_str(), payload));
    }

    /// Returns the number of patterns.
    #[must_use]
    pub fn len(&self) -> usize {
        self.exact.len().saturating_add(self.wild.len())
    }

    /// Tells whether there is no pattern.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.exact.is_empty() && self.wild.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::string::String;
    use std::vec;

    fn set(patterns: &[&str]) -> PatternSet<usize> {
        let mut set = PatternSet::new(100);
        for (index, text) in patterns.iter().enumerate() {
            set.insert(Pattern::parse(text).unwrap(), index).unwrap();
        }
        set
    }

    #[test]
    fn finds_exact_and_wild_patterns() {
        let set = set(&["b", "a", "b", "c.*", "*"]);
        let of = |text| {
            let mut found: Vec<usize> = set.matching(text).copied().collect();
            found.sort_unstable();
            found
        };
        assert_eq!(of("b"), vec![0, 2, 4]);
        assert_eq!(of("c.d"), vec![3, 4]);
        assert_eq!(of("zz"), vec![4]);
    }

    #[test]
    fn is_bounded_and_can_shrink() {
        let mut set = PatternSet::new(1);
        assert!(set.insert(Pattern::parse("a").unwrap(), ()).is_ok());
        assert_eq!(set.insert(Pattern::parse("*").unwrap(), ()), Err(SetFull { limit: 1 }));
        set.retain(|text, ()| text != "a");
        assert!(set.is_empty() && set.matching("a").next().is_none());
    }

    proptest::proptest! {
        #[test]
        fn agrees_with_asking_each_pattern(patterns in proptest::collection::vec("[ab*]{1,4}", 0..12), text in "[ab]{0,5}") {
            let texts: Vec<&str> = patterns.iter().map(String::as_str).collect();
            let set = set(&texts);
            let mut found: Vec<usize> = set.matching(&text).copied().collect();
            found.sort_unstable();
            let each: Vec<usize> = (0..texts.len()).filter(|&at| Pattern::parse(texts[at]).unwrap().matches(&text)).collect();
            proptest::prop_assert_eq!(found, each);
        }
    }
}
