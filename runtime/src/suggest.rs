//! Which paths a plugin needs, by what its calls did on a log.
//!
//! A delta is given to a plugin whole, so what is seen is whether a delta had an effect. Which of its paths had it is told
//! by the other deltas they came in:
//!
//! 1. All paths of a delta with an effect are candidates.
//! 2. One is ruled out of that delta where it came [`RULED_OUT_DELTAS`] times or more without an effect, and another path
//!    of the delta has had one [`RULED_OUT_FACTOR`] times as often, of the deltas that each came in.
//! 3. A path that is left in any delta is needed. Paths that always come together stay together.
//!
//! A path too many costs deltas that are not wanted; one too few takes from the plugin what it needs. So everything in
//! doubt stays.

use alloc::boxed::Box;
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;

use crate::host::Acted;

/// Paths that are remembered; a boat with traffic around it has about 1,000.
pub const PATHS_MAX: usize = 4096;
/// Sets of paths that came together and are remembered.
pub const SETS_MAX: usize = 4096;
/// Paths of one delta; one of the bus has 24 at most.
pub const PATHS_PER_DELTA_MAX: usize = 64;
/// Deltas without an effect after which a path can be ruled out.
pub const RULED_OUT_DELTAS: u64 = 8;
/// How much more often another path of the delta must have had an effect.
pub const RULED_OUT_FACTOR: u64 = 4;

/// What is known of deltas.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Deltas.
    pub deltas: u64,
    /// Those of them that had an effect.
    pub acted: u64,
    /// Those that changed static data or a variable.
    pub memory: u64,
    /// Those whose call did not return.
    pub failed: u64,
    /// Imports that changed something outside, sorted.
    pub imports: BTreeSet<&'static str>,
    /// Fuel of their calls.
    pub fuel: u64,
    /// Bytes of their texts.
    pub bytes: u64,
}

impl Tally {
    fn add(&mut self, acted: &Acted, bytes: u64) {
        let one = |is_so: bool| u64::from(is_so);
        self.deltas = self.deltas.saturating_add(1);
        self.acted = self.acted.saturating_add(one(acted.has_effect()));
        self.memory = self.memory.saturating_add(one(acted.memory));
        self.failed = self.failed.saturating_add(one(acted.failed));
        self.imports.extend(&acted.imports);
        self.fuel = self.fuel.saturating_add(acted.fuel);
        self.bytes = self.bytes.saturating_add(bytes);
    }

    fn join(&mut self, other: &Self) {
        self.deltas = self.deltas.saturating_add(other.deltas);
        self.acted = self.acted.saturating_add(other.acted);
        self.memory = self.memory.saturating_add(other.memory);
        self.failed = self.failed.saturating_add(other.failed);
        self.imports.extend(&other.imports);
        self.fuel = self.fuel.saturating_add(other.fuel);
        self.bytes = self.bytes.saturating_add(other.bytes);
    }

    /// Returns the fuel of a byte of text, in tenths.
    #[must_use]
    pub fn fuel_tenths_per_byte(&self) -> u64 {
        self.fuel.saturating_mul(10).checked_div(self.bytes).unwrap_or(0)
    }

    /// Tells whether it had an effect so much more often than `other` that the other is ruled out.
    fn outdoes(&self, other: &Self) -> bool {
        let product = |acted: u64, deltas: u64| u128::from(acted) * u128::from(deltas);
        other.deltas.saturating_sub(other.acted) >= RULED_OUT_DELTAS
            && product(self.acted, other.deltas) >= product(other.acted, self.deltas) * u128::from(RULED_OUT_FACTOR)
    }
}

/// A path and what is known of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PathRow<'e> {
    /// The path.
    pub path: &'e str,
    /// The deltas that it came in.
    pub tally: Tally,
    /// It is needed.
    pub is_needed: bool,
}

/// What calls of one plugin did, by the paths that their deltas had.
#[derive(Clone, Debug, Default)]
pub struct Evidence {
    /// All deltas.
    pub all: Tally,
    /// Deltas beyond a limit; they are in `all` alone.
    pub left_out: Tally,
    /// Imports that a delta with unknown paths used to change something outside, and for how many deltas that was so.
    pub for_any: BTreeMap<&'static str, u64>,
    paths: BTreeMap<Box<str>, usize>,
    sets: BTreeMap<Box<[usize]>, Tally>,
}

impl Evidence {
    /// Takes in what a call did.
    pub fn add(&mut self, acted: &Acted) {
        let bytes = acted.delta.text().len() as u64;
        self.all.add(acted, bytes);
        for name in &acted.for_any {
            let count = self.for_any.entry(name).or_default();
            *count = count.saturating_add(1);
        }
        match self.set_of(acted) {
            Some(set) => self.sets.entry(set).or_default().add(acted, bytes),
            None => self.left_out.add(acted, bytes),
        }
    }

    /// The numbers of a delta's paths, each once; `None` beyond a limit.
    fn set_of(&mut self, acted: &Acted) -> Option<Box<[usize]>> {
        let mut set = BTreeSet::new();
        for path in acted.delta.updates().flat_map(|update| update.paths()) {
            let known = self.paths.get(path).copied();
            let number = known.or_else(|| {
                let number = self.paths.len();
                (number < PATHS_MAX).then(|| {
                    self.paths.insert(path.into(), number);
                    number
                })
            })?;
            set.insert(number);
            if set.len() > PATHS_PER_DELTA_MAX {
                return None;
            }
        }
        let set: Box<[usize]> = set.into_iter().collect();
        (self.sets.len() < SETS_MAX || self.sets.contains_key(&set)).then_some(set)
    }

    /// Returns a row for each path: those that are needed first, then by deltas with an effect, deltas and path.
    #[must_use]
    pub fn rows(&self) -> Vec<PathRow<'_>> {
        let mut tallies = alloc::vec![Tally::default(); self.paths.len()];
        for (set, tally) in &self.sets {
            for number in set {
                if let Some(known) = tallies.get_mut(*number) {
                    known.join(tally);
                }
            }
        }
        let mut needed = BTreeSet::new();
        for (set, _) in self.sets.iter().filter(|(_, tally)| tally.acted > 0) {
            let of = |number: &usize| tallies.get(*number);
            for number in set {
                let is_outdone = |own: &Tally| set.iter().filter_map(of).any(|other| other.outdoes(own));
                if of(number).is_some_and(|own| !is_outdone(own)) {
                    needed.insert(*number);
                }
            }
        }
        let mut rows = Vec::new();
        for (path, number) in &self.paths {
            let tally = tallies.get(*number).cloned().unwrap_or_default();
            rows.push(PathRow { path: path.as_ref(), tally, is_needed: needed.contains(number) });
        }
        rows.sort_by(|one, other| {
            let key = |row: &PathRow<'_>| (row.is_needed, row.tally.acted, row.tally.deltas);
            key(other).cmp(&key(one)).then_with(|| one.path.cmp(other.path))
        });
        rows.retain(|row| row.tally.deltas > 0);
        rows
    }

    /// Returns the paths of a filter that gives the plugin every delta that had an effect, sorted.
    ///
    /// # Errors
    /// Why none can be told.
    pub fn filter(&self) -> Result<Vec<&str>, NoFilter> {
        if self.all.deltas == 0 {
            return Err(NoFilter::NoDeltas);
        }
        if !self.for_any.is_empty() {
            return Err(NoFilter::ForAny);
        }
        if self.all.acted == 0 {
            return Err(NoFilter::NoEffect);
        }
        if self.left_out.acted > 0 {
            return Err(NoFilter::LeftOut);
        }
        let mut paths: Vec<&str> = self.rows().iter().filter(|row| row.is_needed).map(|row| row.path).collect();
        paths.sort_unstable();
        Ok(paths)
    }
}

/// Why no filter can be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoFilter {
    /// No delta reached the plugin.
    NoDeltas,
    /// No delta had an effect.
    NoEffect,
    /// It acts on deltas that it cannot know, too: it may want every one.
    ForAny,
    /// Deltas with an effect had paths beyond a limit.
    LeftOut,
}

impl core::fmt::Display for NoFilter {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Self::NoDeltas => "no delta of the log reached the plugin",
            Self::NoEffect => "no delta of the log had an effect that can be seen; a plugin that keeps what it reads on its heap, or acts later, needs deltas all the same",
            Self::ForAny => "it acts on deltas with paths that it cannot know, too: it may want every delta",
            Self::LeftOut => "deltas with an effect had more paths than are remembered",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::delta::{Delta, Stamp};
    use crate::time::UnixMillis;
    use alloc::format;
    use alloc::string::String;
    use alloc::sync::Arc;

    fn acted(paths: &[&str]) -> Acted {
        let values: Vec<String> = paths.iter().map(|path| format!(r#"{{"path":"{path}","value":1}}"#)).collect();
        let text = format!(r#"{{"updates":[{{"values":[{}]}}]}}"#, values.join(","));
        let stamp = Stamp { source_ref: "s", self_context: "vessels.x", now: UnixMillis(0) };
        let delta = Arc::new(Delta::parse(&text, &stamp).unwrap());
        Acted { delta, imports: Vec::new(), memory: false, failed: false, for_any: Vec::new(), fuel: 100 }
    }

    fn evidence(deltas: &[(&[&str], u64, u64)]) -> Evidence {
        let mut evidence = Evidence::default();
        for (paths, with, without) in deltas {
            for _ in 0..*with {
                evidence.add(&Acted { memory: true, ..acted(paths) });
            }
            for _ in 0..*without {
                evidence.add(&acted(paths));
            }
        }
        evidence
    }

    #[test]
    fn a_path_that_had_an_effect_once_is_needed() {
        let evidence = evidence(&[(&["a"], 1, 999), (&["b"], 0, 999)]);
        assert_eq!(evidence.filter(), Ok(alloc::vec!["a"]));
        let rows = evidence.rows();
        assert_eq!((rows[0].path, rows[0].tally.deltas, rows[0].tally.acted), ("a", 1000, 1));
        assert!(!rows[1].is_needed && rows[1].tally.fuel == 99_900);
    }

    #[test]
    fn paths_that_always_come_together_stay_together() {
        assert_eq!(evidence(&[(&["b", "a"], 5, 5), (&["c"], 0, 9)]).filter(), Ok(alloc::vec!["a", "b"]));
    }

    #[test]
    fn a_path_that_came_often_without_an_effect_is_ruled_out() {
        let often = evidence(&[(&["a", "time"], 10, 2), (&["time"], 0, 60)]);
        assert_eq!(often.filter(), Ok(alloc::vec!["a"]));
        let seldom = evidence(&[(&["a", "time"], 3, 0), (&["time"], 0, RULED_OUT_DELTAS - 1)]);
        assert_eq!(seldom.filter(), Ok(alloc::vec!["a", "time"]), "in doubt it stays");
    }

    #[test]
    fn an_alarm_that_is_rare_on_every_path_rules_none_out() {
        let rare = evidence(&[(&["a", "b"], 1, 99), (&["a"], 1, 99)]);
        assert_eq!(rare.filter(), Ok(alloc::vec!["a", "b"]));
    }

    #[test]
    fn who_acts_on_anything_or_on_nothing_gets_no_filter() {
        assert_eq!(Evidence::default().filter(), Err(NoFilter::NoDeltas));
        assert_eq!(evidence(&[(&["a"], 0, 5)]).filter(), Err(NoFilter::NoEffect));
        let mut any = evidence(&[(&["a"], 5, 5)]);
        any.add(&Acted { for_any: alloc::vec!["sk_handle_message"], ..acted(&["b"]) });
        assert_eq!(any.filter(), Err(NoFilter::ForAny));
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let mut evidence = Evidence::default();
        for number in 0..PATHS_MAX + 3 {
            evidence.add(&acted(&[&format!("a.{number}")]));
        }
        assert_eq!((evidence.paths.len(), evidence.left_out.deltas), (PATHS_MAX, 3));
        let many: Vec<String> = (0..=PATHS_PER_DELTA_MAX).map(|number| format!("a.{number}")).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        evidence.add(&Acted { failed: true, ..acted(&many) });
        assert_eq!((evidence.left_out.deltas, evidence.filter()), (4, Err(NoFilter::LeftOut)));
        assert_eq!(evidence.rows().len(), PATHS_MAX);
    }
}
