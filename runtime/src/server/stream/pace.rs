//! Values that are sent at a given pace: policies `instant` with `minPeriod`, `ideal`, `fixed`.
//!
//! Signal K 1.7, subscription protocol: `instant` sends changes, no two closer than `minPeriod`; `fixed` sends
//! the last known value each `period`; `ideal` sends changes like `instant` and repeats after `period`.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use core::time::Duration;

use super::pending_value::PendingValue;
use crate::time::Instant;

/// How often a value is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Pace {
    /// Shortest time between two of a value; `None` when changes alone send nothing.
    pub(super) on_change: Option<Duration>,
    /// Time after which the last value is repeated.
    pub(super) repeat: Option<Duration>,
}

impl Pace {
    /// Every change, at once.
    pub(super) const INSTANT: Self = Self { on_change: Some(Duration::ZERO), repeat: None };

    /// Tells whether every change is sent at once and nothing is repeated.
    pub(super) fn is_immediate(self) -> bool {
        self == Self::INSTANT
    }

    /// Returns the one that sends more.
    pub(super) fn faster(self, other: Self) -> Self {
        let interval = |pace: Self| pace.on_change.or(pace.repeat).unwrap_or(Duration::MAX);
        if interval(other) < interval(self) { other } else { self }
    }
}

#[derive(Clone, Copy, Debug)]
struct Row {
    pace: Pace,
    fresh: bool,
    sent: Option<Instant>,
}

impl Row {
    fn due(&self) -> Option<Instant> {
        let Some(sent) = self.sent else {
            return Some(Instant::default());
        };
        let change = self.pace.on_change.filter(|_| self.fresh).map(|least| sent + least);
        let repeat = self.pace.repeat.map(|period| sent + period);
        [change, repeat].into_iter().flatten().min()
    }
}

/// The latest value of each path and source that waits for its time.
#[derive(Debug)]
pub(super) struct Pacer {
    rows: BTreeMap<PendingValue, Row>,
    rows_max: usize,
    due: Option<Instant>,
}

impl Pacer {
    pub(super) fn new(rows_max: usize) -> Self {
        Self { rows: BTreeMap::new(), rows_max, due: None }
    }

    /// Keeps a value; false when there is no room for another path.
    pub(super) fn put(&mut self, held: PendingValue, pace: Pace, now: Instant) -> bool {
        let sent = match self.rows.remove_entry(&held) {
            Some((_, row)) => row.sent,
            None if self.rows.len() >= self.rows_max => return false,
            None => None,
        };
        let row = Row { pace, fresh: true, sent };
        self.rows.insert(held, row);
        // What is due already is due now, not before.
        let due = row.due().map(|due| due.max(now));
        self.due = [self.due, due].into_iter().flatten().min();
        true
    }

    /// Returns when the next value is due.
    pub(super) fn due(&self) -> Option<Instant> {
        self.due
    }

    /// Returns the values that are due, ordered by context and path.
    pub(super) fn take_due(&mut self, now: Instant) -> Vec<PendingValue> {
        if self.due.is_none_or(|due| due > now) {
            return Vec::new();
        }
        let mut values = Vec::new();
        for (held, row) in &mut self.rows {
            if row.due().is_some_and(|due| due <= now) {
                (row.fresh, row.sent) = (false, Some(now));
                values.push(held.clone());
            }
        }
        self.due = self.rows.values().filter_map(Row::due).min();
        values
    }

    /// Forgets the values for which `keep` says no.
    pub(super) fn retain(&mut self, mut keep: impl FnMut(&PendingValue) -> bool) {
        self.rows.retain(|held, _| keep(held));
        self.due = self.rows.values().filter_map(Row::due).min();
    }

    pub(super) fn clear(&mut self) {
        self.rows.clear();
        self.due = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::delta::{Delta, Stamp};
    use crate::time::UnixMillis;
    use alloc::sync::Arc;

    fn value(path: &str) -> PendingValue {
        let stamp = Stamp { source_ref: "s", self_context: "vessels.urn:x", now: UnixMillis(0) };
        let delta =
            Delta::parse(&std::format!(r#"{{"updates":[{{"values":[{{"path":"{path}","value":1}}]}}]}}"#), &stamp)
                .unwrap();
        PendingValue::new(&Arc::new(delta), 0, 0).unwrap()
    }

    const SECOND: Duration = Duration::from_secs(1);

    fn sent_at(pace: Pace, changes: &[u64]) -> Vec<u64> {
        let mut pacer = Pacer::new(10);
        let mut sent = Vec::new();
        for now in (0..=3000).step_by(100) {
            if changes.contains(&now) {
                assert!(pacer.put(value("a"), pace, Instant::from_millis(now)));
            }
            if !pacer.take_due(Instant::from_millis(now)).is_empty() {
                sent.push(now);
            }
        }
        sent
    }

    #[test]
    fn instant_waits_the_least_time_and_sends_the_last_change() {
        let pace = Pace { on_change: Some(SECOND), repeat: None };
        assert_eq!(sent_at(pace, &[0, 100, 200, 2500]), [0, 1000, 2500]);
    }

    #[test]
    fn fixed_repeats_and_does_not_hurry() {
        let pace = Pace { on_change: None, repeat: Some(SECOND) };
        assert_eq!(sent_at(pace, &[100, 300]), [100, 1100, 2100]);
    }

    #[test]
    fn ideal_does_both() {
        let pace = Pace { on_change: Some(Duration::from_millis(200)), repeat: Some(SECOND) };
        assert_eq!(sent_at(pace, &[0, 100, 1500]), [0, 200, 1200, 1500, 2500]);
    }

    #[test]
    fn the_faster_of_two_subscriptions_wins() {
        let slow = Pace { on_change: None, repeat: Some(SECOND) };
        let fast = Pace { on_change: Some(Duration::from_millis(100)), repeat: None };
        assert_eq!((slow.faster(fast), fast.faster(slow)), (fast, fast));
        assert!(fast.faster(Pace::INSTANT).is_immediate() && !fast.is_immediate());
    }

    #[test]
    fn paths_are_bounded() {
        let mut pacer = Pacer::new(1);
        assert!(pacer.put(value("a"), Pace::INSTANT, Instant(0)) && !pacer.put(value("b"), Pace::INSTANT, Instant(0)));
        assert!(pacer.put(value("a"), Pace::INSTANT, Instant(0)), "a known path has its place");
        pacer.retain(|held| held.path() != "a");
        assert_eq!(pacer.due(), None);
    }
}
