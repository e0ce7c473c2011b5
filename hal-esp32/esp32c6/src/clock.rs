//! The clocks: the system timer, and the time of day from the bus.

use alloc::rc::Rc;
use core::cell::RefCell;

use skiff_board::clock::BusClock;
use skiff_runtime::hal::Clock;
use skiff_runtime::time::{Instant, UnixMillis};

/// Returns the time since the start.
pub fn now() -> Instant {
    Instant(esp_hal::time::Instant::now().duration_since_epoch().as_micros())
}

/// Both clocks.
pub struct BoardClock(pub Rc<RefCell<BusClock>>);

impl Clock for BoardClock {
    fn now(&self) -> Instant {
        now()
    }

    fn wall(&self) -> Option<UnixMillis> {
        self.0.borrow().wall(now())
    }

    fn set_wall(&mut self, time: UnixMillis) {
        self.0.borrow_mut().set(time, now());
    }
}
