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

use std::fmt;

use skiff_runtime::host::Acted;
use skiff_runtime::sorted::{self, SortedMap};

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
    /// Imports that changed something outside, each once.
    pub imports: Vec<&'static str>,
    /// Fuel of their calls.
    pub fuel: u64,
    /// Bytes of their texts.
    pub bytes: u64,
}

impl Tally {
    fn of(acted: &Acted) -> Self {
        Self {
            deltas: 1,
            acted: acted.has_effect().into(),
            memory: acted.memory.into(),
            failed: acted.failed.into(),
            imports: acted.imports.clone(),
            fuel: acted.fuel,
            bytes: acted.delta.text().len() as u64,
        }
    }

    fn join(&mut self, other: &Self) {
        self.deltas = self.deltas.saturating_add(other.deltas);
        self.acted = self.acted.saturating_add(other.acted);
        self.memory = self.memory.saturating_add(other.memory);
        self.failed = self.failed.saturating_add(other.failed);
        for name in &other.imports {
            if !self.imports.contains(name) {
                self.imports.push(name);
            }
        }
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
    pub for_any: Vec<(&'static str, u64)>,
    paths: SortedMap<String, usize>,
    sets: SortedMap<Vec<usize>, Tally>,
}

impl Evidence {
    /// Takes in what a call did.
    pub fn add(&mut self, acted: &Acted) {
        let tally = Tally::of(acted);
        self.all.join(&tally);
        for name in &acted.for_any {
            match self.for_any.iter_mut().find(|(known, _)| known == name) {
                Some((_, count)) => *count = count.saturating_add(1),
                None => self.for_any.push((name, 1)),
            }
        }
        let Some(set) = self.set_of(acted) else { return self.left_out.join(&tally) };
        let has_room = self.sets.len() < SETS_MAX;
        match self.sets.get_mut(&set) {
            Some(known) => known.join(&tally),
            None if has_room => {
                self.sets.insert(set, tally);
            }
            None => self.left_out.join(&tally),
        }
    }

    /// The numbers of a delta's paths, each once; `None` beyond a limit.
    fn set_of(&mut self, acted: &Acted) -> Option<Vec<usize>> {
        let mut set = Vec::new();
        for path in acted.delta.updates().flat_map(|update| update.paths()) {
            let number = match self.paths.get(path) {
                Some(number) => *number,
                None if self.paths.len() < PATHS_MAX => {
                    let number = self.paths.len();
                    self.paths.insert(path.to_owned(), number);
                    number
                }
                None => return None,
            };
            if !set.contains(&number) {
                set.push(number);
            }
            if set.len() > PATHS_PER_DELTA_MAX {
                return None;
            }
        }
        sorted::sort(&mut set);
        Some(set)
    }

    /// Returns a row for each path: those that are needed first, then by deltas with an effect, deltas and path.
    #[must_use]
    pub fn rows(&self) -> Vec<PathRow<'_>> {
        let mut tallies = vec![Tally::default(); self.paths.len()];
        for (set, tally) in self.sets.iter() {
            for number in set {
                if let Some(known) = tallies.get_mut(*number) {
                    known.join(tally);
                }
            }
        }
        let mut needed = vec![false; tallies.len()];
        for (set, tally) in self.sets.iter() {
            if tally.acted == 0 {
                continue;
            }
            let of = |number: &usize| tallies.get(*number);
            for number in set {
                let is_outdone = |own: &Tally| set.iter().filter_map(of).any(|other| other.outdoes(own));
                if let (Some(own), Some(is_needed)) = (of(number), needed.get_mut(*number)) {
                    *is_needed |= !is_outdone(own);
                }
            }
        }
        let mut rows = Vec::new();
        // Sorted by path as they are.
        for (path, number) in self.paths.iter() {
            if let (Some(tally), Some(is_needed)) = (tallies.get_mut(*number), needed.get(*number))
                && tally.deltas > 0
            {
                rows.push(PathRow { path, tally: std::mem::take(tally), is_needed: *is_needed });
            }
        }
        let key = |row: &PathRow<'_>| (row.is_needed, row.tally.acted, row.tally.deltas);
        sorted::sort_by(&mut rows, |one, other| key(one) > key(other));
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
        sorted::sort(&mut paths);
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

impl fmt::Display for NoFilter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
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
    use skiff_runtime::delta::{Delta, Stamp};
    use skiff_runtime::time::UnixMillis;
    use std::sync::Arc;

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
        assert_eq!(evidence.filter(), Ok(vec!["a"]));
        let rows = evidence.rows();
        assert_eq!((rows[0].path, rows[0].tally.deltas, rows[0].tally.acted), ("a", 1000, 1));
        assert!(!rows[1].is_needed && rows[1].tally.fuel == 99_900);
    }

    #[test]
    fn paths_that_always_come_together_stay_together() {
        assert_eq!(evidence(&[(&["b", "a"], 5, 5), (&["c"], 0, 9)]).filter(), Ok(vec!["a", "b"]));
    }

    #[test]
    fn a_path_that_came_often_without_an_effect_is_ruled_out() {
        let often = evidence(&[(&["a", "time"], 10, 2), (&["time"], 0, 60)]);
        assert_eq!(often.filter(), Ok(vec!["a"]));
        let seldom = evidence(&[(&["a", "time"], 3, 0), (&["time"], 0, RULED_OUT_DELTAS - 1)]);
        assert_eq!(seldom.filter(), Ok(vec!["a", "time"]), "in doubt it stays");
    }

    #[test]
    fn an_alarm_that_is_rare_on_every_path_rules_none_out() {
        let rare = evidence(&[(&["a", "b"], 1, 99), (&["a"], 1, 99)]);
        assert_eq!(rare.filter(), Ok(vec!["a", "b"]));
    }

    #[test]
    fn who_acts_on_anything_or_on_nothing_gets_no_filter() {
        assert_eq!(Evidence::default().filter(), Err(NoFilter::NoDeltas));
        assert_eq!(evidence(&[(&["a"], 0, 5)]).filter(), Err(NoFilter::NoEffect));
        let mut any = evidence(&[(&["a"], 5, 5)]);
        any.add(&Acted { for_any: vec!["sk_handle_message"], ..acted(&["b"]) });
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
