//! Whether an interface takes part in the bus, and when to try again where it does not.
//!
//! A controller that counted too many errors is off the bus and must not be switched on again at once, or a broken cable
//! would be disturbed for ever (ISO 11898-1 §8.4.1: the controller itself waits for 128 times 11 recessive bits).
//! An interface that is down, or an adapter that was unplugged, is looked for in the same way.

use core::time::Duration;

use crate::hal::CanState;
use crate::time::Instant;

/// Pause before the first attempt.
pub const PAUSE_FIRST: Duration = Duration::from_millis(250);
/// Longest pause between two attempts.
pub const PAUSE_MAX: Duration = Duration::from_secs(30);
/// Time on the bus after which the next failure counts as the first again.
pub const STEADY: Duration = Duration::from_secs(10);

/// An order to the owner of the interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinkChange {
    /// Nothing.
    None,
    /// The interface came on the bus: claim an address.
    Up,
    /// It went off the bus: forget what waits.
    Down,
    /// Off for long enough: ask the interface to come back.
    Restart,
}

/// The state machine of one interface.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Link {
    state: State,
    /// How often it went off the bus.
    drops: u64,
    /// How often it was asked to come back.
    restarts: u64,
    /// Attempts since it was steady.
    attempts: u32,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    #[default]
    Unknown,
    Up {
        since: Instant,
    },
    Off {
        restart: Instant,
    },
}

impl Link {
    /// Tells what to do now that the controller's state is `state`.
    pub fn poll(&mut self, state: CanState, now: Instant) -> LinkChange {
        let is_off = matches!(state, CanState::BusOff | CanState::Down);
        match self.state {
            State::Up { since } if !is_off => {
                if now.since(since) >= STEADY {
                    self.attempts = 0;
                }
                LinkChange::None
            }
            State::Unknown | State::Off { .. } if !is_off => {
                self.state = State::Up { since: now };
                LinkChange::Up
            }
            State::Unknown | State::Up { .. } => {
                self.drops = self.drops.saturating_add(1);
                self.state = State::Off { restart: now + self.pause() };
                LinkChange::Down
            }
            State::Off { restart } if restart <= now => {
                self.attempts = self.attempts.saturating_add(1);
                self.restarts = self.restarts.saturating_add(1);
                self.state = State::Off { restart: now + self.pause() };
                LinkChange::Restart
            }
            State::Off { .. } => LinkChange::None,
        }
    }

    /// Returns when [`poll`](Self::poll) has something to do.
    #[must_use]
    pub fn due(&self) -> Option<Instant> {
        match self.state {
            State::Off { restart } => Some(restart),
            State::Unknown | State::Up { .. } => None,
        }
    }

    /// Tells whether the interface is on the bus.
    #[must_use]
    pub fn is_up(&self) -> bool {
        matches!(self.state, State::Up { .. })
    }

    /// Returns how often it went off the bus.
    #[must_use]
    pub fn drops(&self) -> u64 {
        self.drops
    }

    /// Returns how often it was asked to come back.
    #[must_use]
    pub fn restarts(&self) -> u64 {
        self.restarts
    }

    fn pause(&self) -> Duration {
        PAUSE_FIRST.saturating_mul(2_u32.saturating_pow(self.attempts.min(16))).min(PAUSE_MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(millis: u64) -> Instant {
        Instant::from_millis(millis)
    }

    /// Times of all attempts until `end` while the state stays as it is.
    fn attempts(link: &mut Link, from: u64, end: u64) -> Vec<u64> {
        (from..end).filter(|now| link.poll(CanState::BusOff, ms(*now)) == LinkChange::Restart).collect()
    }

    #[test]
    fn attempts_come_later_and_later() {
        let mut link = Link::default();
        assert_eq!(link.poll(CanState::Active, ms(0)), LinkChange::Up);
        assert_eq!(link.poll(CanState::Passive, ms(1)), LinkChange::None, "still on the bus");
        assert_eq!(link.poll(CanState::BusOff, ms(1000)), LinkChange::Down);
        assert_eq!((link.is_up(), link.due()), (false, Some(ms(1250))));
        assert_eq!(attempts(&mut link, 1001, 10_000), [1250, 1750, 2750, 4750, 8750]);
        let later = attempts(&mut link, 10_000, 200_000);
        assert!(later.windows(2).all(|pair| pair[1] - pair[0] <= 30_000), "{later:?}");
        assert_eq!((link.drops(), link.restarts()), (1, 5 + later.len() as u64));
    }

    #[test]
    fn an_interface_that_comes_and_goes_is_not_tried_faster() {
        let mut link = Link::default();
        link.poll(CanState::Active, ms(0));
        link.poll(CanState::BusOff, ms(0));
        assert_eq!(attempts(&mut link, 1, 800), [250, 750]);
        assert_eq!(link.poll(CanState::Active, ms(800)), LinkChange::Up);
        assert_eq!(link.poll(CanState::BusOff, ms(900)), LinkChange::Down);
        assert_eq!(link.due(), Some(ms(1900)), "a second, not a quarter");
        assert_eq!(link.poll(CanState::Active, ms(2000)), LinkChange::Up);
        assert_eq!(link.poll(CanState::Active, ms(12_000)), LinkChange::None);
        assert_eq!(link.poll(CanState::Down, ms(13_000)), LinkChange::Down);
        assert_eq!(link.due(), Some(ms(13_250)), "it was steady");
    }

    #[test]
    fn an_interface_that_is_off_from_the_start_is_tried_too() {
        let mut link = Link::default();
        assert_eq!(link.poll(CanState::Down, ms(5)), LinkChange::Down);
        assert_eq!(link.poll(CanState::Down, ms(255)), LinkChange::Restart);
        assert_eq!(link.poll(CanState::Active, ms(256)), LinkChange::Up);
    }
}
