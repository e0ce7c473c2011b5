//! What there is in a range: its contexts, its paths, or the last values of all.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::string::String;
use alloc::vec::Vec;

use super::block::Names;
use super::sample::Sample;
use super::scan::Taker;
use crate::json;
use crate::time::UnixMillis;

/// Names in an answer.
const NAMES_MAX: usize = 2048;
/// Values of one moment.
const VALUES_MAX: usize = 2048;

/// What is listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Listed {
    /// Contexts that have values.
    Contexts,
    /// Paths that have values.
    Paths,
}

/// Lists what has a value in a range.
#[derive(Debug)]
pub struct Listing {
    listed: Listed,
    places: BTreeMap<String, usize>,
    found: BTreeSet<usize>,
}

impl Listing {
    /// Begins an empty list.
    #[must_use]
    pub fn new(listed: Listed) -> Self {
        Self { listed, places: BTreeMap::new(), found: BTreeSet::new() }
    }

    /// Returns the names as a list, sorted.
    #[must_use]
    pub fn json(&self) -> String {
        json::list(|out| {
            for (name, _) in self.places.iter().filter(|(_, place)| self.found.contains(place)) {
                out.text(name);
            }
        })
    }
}

impl Taker for Listing {
    fn series(&mut self, names: Names<'_>) -> Option<usize> {
        let name = match self.listed {
            Listed::Contexts => names.context,
            Listed::Paths => names.path,
        };
        if let Some(place) = self.places.get(name) {
            return Some(*place);
        }
        let place = self.places.len();
        if place >= NAMES_MAX {
            return None;
        }
        self.places.insert(name.into(), place);
        Some(place)
    }

    fn wants(&self, number: usize) -> bool {
        !self.found.contains(&number)
    }

    fn value(&mut self, number: usize, _: UnixMillis, _: &Sample<'_>) {
        self.found.insert(number);
    }
}

/// The last value of each path and source.
#[derive(Debug, Default)]
pub struct Moment {
    places: BTreeMap<(String, String), usize>,
    values: Vec<Option<(UnixMillis, String)>>,
}

impl Moment {
    /// Visits path, source, time and value.
    pub fn values(&self) -> impl Iterator<Item = (&str, &str, UnixMillis, &str)> {
        self.places.iter().filter_map(|((path, source), place)| {
            let (at, value) = self.values.get(*place)?.as_ref()?;
            Some((path.as_str(), source.as_str(), *at, value.as_str()))
        })
    }
}

impl Taker for Moment {
    fn series(&mut self, names: Names<'_>) -> Option<usize> {
        let key = (String::from(names.path), String::from(names.source));
        if let Some(place) = self.places.get(&key) {
            return Some(*place);
        }
        let place = self.values.len();
        if place >= VALUES_MAX {
            return None;
        }
        self.places.insert(key, place);
        self.values.push(None);
        Some(place)
    }

    fn value(&mut self, number: usize, at: UnixMillis, value: &Sample<'_>) {
        if let Some(slot) = self.values.get_mut(number)
            && slot.as_ref().is_none_or(|(last, _)| *last <= at)
        {
            *slot = Some((at, String::from(&*value.json())));
        }
    }
}
