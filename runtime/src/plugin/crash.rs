//! When a crashed plugin is started again, and when it is given up.

use core::time::Duration;

use crate::time::Instant;

/// Restarts before a plugin is given up (plugin ABI §5.5).
pub const RESTARTS_MAX: usize = 3;
/// Crashes older than this are forgotten.
pub const CRASH_WINDOW: Duration = Duration::from_secs(600);

/// Remembers the crashes of one plugin.
#[derive(Clone, Debug, Default)]
pub struct CrashHistory {
    recent: heapless::Vec<Instant, { RESTARTS_MAX + 1 }>,
    restarts: u32,
}

/// What to do after a crash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Start a fresh instance at this time; it is restart number `attempt` of [`RESTARTS_MAX`].
    Restart {
        /// When.
        at: Instant,
        /// Seconds from the crash to the restart: 1, 2, 4.
        after_s: u64,
        /// Which restart, from 1.
        attempt: usize,
    },
    /// The fourth crash within ten minutes: leave it.
    GiveUp,
}

impl CrashHistory {
    /// Notes a crash at `now` and decides.
    pub fn crash(&mut self, now: Instant) -> Verdict {
        self.recent.retain(|&at| now.since(at) < CRASH_WINDOW);
        let attempt = self.recent.len() + 1;
        if attempt > RESTARTS_MAX || self.recent.push(now).is_err() {
            return Verdict::GiveUp;
        }
        self.restarts = self.restarts.saturating_add(1);
        let after_s = 1_u64 << (attempt - 1);
        Verdict::Restart { at: now + Duration::from_secs(after_s), after_s, attempt }
    }

    /// Forgets the crashes, as when somebody corrects the configuration.
    pub fn forgive(&mut self) {
        self.recent.clear();
    }

    /// Returns how often the plugin was restarted after a crash since boot.
    #[must_use]
    pub fn restarts(&self) -> u32 {
        self.restarts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Instant {
        Instant::from_millis(seconds * 1000)
    }

    #[test]
    fn restarts_after_one_two_and_four_seconds_and_then_gives_up() {
        let mut history = CrashHistory::default();
        for (now, after_s, attempt) in [(0, 1, 1), (5, 2, 2), (10, 4, 3)] {
            assert_eq!(history.crash(at(now)), Verdict::Restart { at: at(now + after_s), after_s, attempt });
        }
        assert_eq!(history.crash(at(599)), Verdict::GiveUp);
        assert_eq!(history.restarts(), 3);
    }

    #[test]
    fn ten_minutes_of_health_clear_the_count() {
        let mut history = CrashHistory::default();
        for now in [0, 1, 2] {
            history.crash(at(now));
        }
        assert_eq!(history.crash(at(602)), Verdict::Restart { at: at(603), after_s: 1, attempt: 1 });
    }

    #[test]
    fn forgiving_starts_the_schedule_again() {
        let mut history = CrashHistory::default();
        for now in 0..4 {
            history.crash(at(now));
        }
        history.forgive();
        assert!(matches!(history.crash(at(5)), Verdict::Restart { attempt: 1, .. }));
    }
}
