//! When to come back to a bus that the CAN controller was thrown off.
//!
//! A controller goes off the bus after 255 transmit errors (ISO 11898-1 §12.1.4). Coming back at once, again and again,
//! lets one broken node disturb all others, so that the pauses grow.

use core::time::Duration;

use skiff_runtime::time::Instant;

/// Pause before the first attempt.
const FIRST: Duration = Duration::from_secs(1);
/// Longest pause.
const LONGEST: Duration = Duration::from_secs(64);
/// Time on the bus after which the next pause is the first one again.
const STABLE: Duration = Duration::from_secs(60);

/// Keeps the pauses.
#[derive(Clone, Debug, Default)]
pub struct BackOff {
    attempts: u32,
    /// Since when the controller is off, and the pause before it is to come back; `None` while it is on the bus or on its way.
    due: Option<(Instant, Duration)>,
    /// Since when it is on the bus.
    on_bus_since: Option<Instant>,
}

impl BackOff {
    /// Tells what the controller says; `true` when it is to start its recovery now.
    pub fn poll(&mut self, is_off: bool, now: Instant) -> bool {
        if !is_off {
            let since = *self.on_bus_since.get_or_insert(now);
            self.due = None;
            if now.since(since) >= STABLE {
                self.attempts = 0;
            }
            return false;
        }
        if self.on_bus_since.take().is_some() || self.due.is_none() {
            let pause = FIRST.saturating_mul(1 << self.attempts.min(6)).min(LONGEST);
            self.due = Some((now, pause));
            self.attempts = self.attempts.saturating_add(1);
            return false;
        }
        if self.due.is_some_and(|(since, pause)| now.since(since) >= pause) {
            // The controller says that it is off until it has seen 128 times eleven recessive bits.
            self.due = None;
            return true;
        }
        false
    }

    /// Returns how often it went off the bus since that was last stable.
    #[must_use]
    pub fn attempts(&self) -> u32 {
        self.attempts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Instant {
        Instant(seconds * 1_000_000)
    }

    /// Seconds of the recoveries of a controller that is always off.
    fn recoveries(back_off: &mut BackOff, from: u64, to: u64) -> std::vec::Vec<u64> {
        (from..to).filter(|second| back_off.poll(true, at(*second))).collect()
    }

    #[test]
    fn pauses_grow_to_about_a_minute() {
        let mut back_off = BackOff::default();
        assert!(!back_off.poll(false, at(0)));
        let times = recoveries(&mut back_off, 1, 400);
        assert_eq!(times[..4], [2, 5, 10, 19]);
        let pauses: std::vec::Vec<u64> = times.windows(2).map(|pair| pair[1] - pair[0]).collect();
        assert!(pauses.iter().all(|pause| *pause <= LONGEST.as_secs() + 1), "{pauses:?}");
        assert_eq!(pauses.last(), Some(&65));
    }

    #[test]
    fn a_stable_bus_forgives() {
        let mut back_off = BackOff::default();
        recoveries(&mut back_off, 0, 100);
        assert!(back_off.attempts() > 3);
        assert!(!back_off.poll(false, at(100)));
        assert!(!back_off.poll(false, at(159)));
        assert!(back_off.attempts() > 3);
        assert!(!back_off.poll(false, at(160)));
        assert_eq!(back_off.attempts(), 0);
        assert_eq!(recoveries(&mut back_off, 161, 164), [162]);
    }

    #[test]
    fn a_short_return_does_not() {
        let mut back_off = BackOff::default();
        recoveries(&mut back_off, 0, 100);
        let attempts = back_off.attempts();
        assert!(!back_off.poll(false, at(100)));
        assert!(recoveries(&mut back_off, 101, 103).is_empty());
        assert_eq!(back_off.attempts(), attempts + 1);
    }
}
