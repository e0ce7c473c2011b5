//! A clock that moves only when told.

use alloc::rc::Rc;
use core::cell::Cell;
use core::time::Duration;

use crate::hal::Clock;
use crate::time::{Instant, UnixMillis};

/// Virtual monotonic and wall clock; clones show the same time.
#[derive(Clone, Debug)]
pub struct SimClock(Rc<State>);

#[derive(Debug, Default)]
struct State {
    now: Cell<Instant>,
    /// What the wall clock was set to, and when.
    wall: Cell<Option<(UnixMillis, Instant)>>,
}

impl SimClock {
    /// Builds a clock at boot whose wall clock shows `wall`.
    #[must_use]
    pub fn new(wall: UnixMillis) -> Self {
        let mut clock = Self::without_wall();
        clock.set_wall(wall);
        clock
    }

    /// Builds a clock at boot whose wall clock is not known.
    #[must_use]
    pub fn without_wall() -> Self {
        Self(Rc::default())
    }

    /// Moves both clocks on.
    pub fn advance(&self, span: Duration) {
        self.0.now.set(self.0.now.get() + span);
    }

    /// Moves both clocks on to `now`; an earlier instant changes nothing, since a monotonic clock never goes back.
    pub fn advance_to(&self, now: Instant) {
        self.0.now.set(self.0.now.get().max(now));
    }

    /// Moves both clocks on until the wall clock shows `wall`.
    ///
    /// When `wall` lies before what it shows, or nothing was shown, only the wall clock is set.
    pub fn advance_to_wall(&self, wall: UnixMillis) {
        let mut this = self.clone();
        if let Some(shown) = this.wall() {
            let ahead = wall.0.saturating_sub(shown.0);
            self.advance(Duration::from_millis(u64::try_from(ahead).unwrap_or(0)));
        }
        this.set_wall(wall);
    }
}

impl Clock for SimClock {
    fn now(&self) -> Instant {
        self.0.now.get()
    }

    fn wall(&self) -> Option<UnixMillis> {
        let (wall, set_at) = self.0.wall.get()?;
        if set_at == self.now() {
            return Some(wall);
        }
        let passed = i64::try_from(self.now().since(set_at).as_millis()).unwrap_or(i64::MAX);
        Some(UnixMillis(wall.0.saturating_add(passed)))
    }

    fn set_wall(&mut self, time: UnixMillis) {
        self.0.wall.set(Some((time, self.now())));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wall_clock_runs_with_the_monotonic_one() {
        let mut clock = SimClock::without_wall();
        assert_eq!(clock.wall(), None);
        clock.advance(Duration::from_secs(5));
        clock.set_wall(UnixMillis(1000));
        clock.advance(Duration::from_millis(250));
        assert_eq!(clock.clone().wall(), Some(UnixMillis(1250)));
    }

    #[test]
    fn monotonic_clock_never_goes_back() {
        let clock = SimClock::new(UnixMillis(0));
        clock.advance_to(Instant::from_millis(20));
        clock.advance_to(Instant::from_millis(10));
        assert_eq!((clock.now(), clock.wall()), (Instant::from_millis(20), Some(UnixMillis(20))));
    }

    #[test]
    fn wall_clock_can_be_the_lead() {
        let clock = SimClock::new(UnixMillis(5000));
        clock.advance_to_wall(UnixMillis(5250));
        assert_eq!((clock.now(), clock.wall()), (Instant::from_millis(250), Some(UnixMillis(5250))));
        clock.advance_to_wall(UnixMillis(1000));
        assert_eq!((clock.now(), clock.wall()), (Instant::from_millis(250), Some(UnixMillis(1000))));
    }
}
