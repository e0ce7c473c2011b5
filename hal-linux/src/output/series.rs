//! Pauses between two values of a series: a path of a vessel from one source.

use std::collections::HashMap;
use std::time::Duration;

use skiff_runtime::time::Instant;

/// Series whose last time is kept; when more come, all are told once anew.
pub const SERIES_MAX: usize = 4096;

/// When each series was told last.
pub struct Series {
    every: Duration,
    last: HashMap<String, Instant>,
}

impl Series {
    /// Lets a series be told once `every` so long; always where that is zero.
    pub fn new(every: Duration) -> Self {
        Self { every, last: HashMap::new() }
    }

    /// Tells whether a series may be told again, and takes note that it is.
    pub fn is_due(&mut self, context: &str, path: &str, source: &str, now: Instant) -> bool {
        if self.every.is_zero() {
            return true;
        }
        let series = [context, path, source].join("\n");
        if self.last.get(&series).is_some_and(|last| now.since(*last) < self.every) {
            return false;
        }
        if self.last.len() >= SERIES_MAX {
            self.last.clear();
        }
        self.last.insert(series, now);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_series_is_told_once_in_its_time_and_others_beside_it() {
        let mut series = Series::new(Duration::from_secs(1));
        let mut is_due = |path: &str, now| series.is_due("vessels.a", path, "can0.7", Instant::from_millis(now));
        let told = [("a.b", 0), ("a.b", 999), ("a.c", 999), ("a.b", 1000), ("a.b", 1001)];
        assert_eq!(told.map(|(path, now)| is_due(path, now)), [true, false, true, true, false]);
        // However many series there are, memory is bounded.
        for number in 0..=SERIES_MAX {
            is_due(&format!("x.y{number}"), 2000);
        }
        assert!(series.last.len() <= SERIES_MAX);
        let mut always = Series::new(Duration::ZERO);
        assert!((0..3).all(|_| always.is_due("", "a", "", Instant::default())));
    }
}
