//! The kernel's clocks.

use std::time::{SystemTime, UNIX_EPOCH};

use skiff_runtime::hal::Clock;
use skiff_runtime::time::{Instant, UnixMillis};

/// Time since the process started, and the system's wall clock, which is not ours to set.
#[derive(Clone, Copy, Debug)]
pub struct SystemClock {
    started: std::time::Instant,
}

impl SystemClock {
    /// Starts counting now.
    #[must_use]
    pub fn start() -> Self {
        Self { started: std::time::Instant::now() }
    }
}

impl Clock for SystemClock {
    fn now(&self) -> Instant {
        Instant(u64::try_from(self.started.elapsed().as_micros()).unwrap_or(u64::MAX))
    }

    fn wall(&self) -> Option<UnixMillis> {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).ok()?;
        i64::try_from(since.as_millis()).ok().map(UnixMillis)
    }

    fn set_wall(&mut self, _time: UnixMillis) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wall_clock_is_past_the_day_this_was_written() {
        let clock = SystemClock::start();
        assert!(clock.wall() > UnixMillis::parse_iso("2024-01-01T00:00:00Z"));
        assert!(clock.now() <= clock.now());
    }
}
