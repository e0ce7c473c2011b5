//! The clocks: the system timer, and the time of day that the gateway sets from the bus.

use skiff_runtime::hal::Clock;
use skiff_runtime::time::{Instant, UnixMillis};

/// Returns the time since the start.
pub fn now() -> Instant {
    Instant(esp_hal::time::Instant::now().duration_since_epoch().as_micros())
}

/// Both clocks.
#[derive(Default)]
pub struct BoardClock {
    /// The time of day at a moment.
    set: Option<(UnixMillis, Instant)>,
}

impl Clock for BoardClock {
    fn now(&self) -> Instant {
        now()
    }

    fn wall(&self) -> Option<UnixMillis> {
        let (time, at) = self.set?;
        let passed = i64::try_from(now().since(at).as_millis()).ok()?;
        Some(UnixMillis(time.0.saturating_add(passed)))
    }

    fn set_wall(&mut self, time: UnixMillis) {
        self.set = Some((time, now()));
    }
}
