//! Handlers that failed: each is left alone for a while, so that who calls them cannot keep their plugin from its work.

use core::time::Duration;

use super::crash::CRASH_WINDOW;
use crate::time::Instant;

/// Handlers that are remembered; with more the one that is free soonest is forgotten.
const HANDLERS_MAX: usize = 8;
/// Longest time that a handler is left alone, seconds; the first is one, each that follows twice as long.
const CLOSED_S_MAX: u64 = 64;

/// A handler that failed.
#[derive(Clone, Copy, Debug)]
struct Fault {
    handler: HandlerSum,
    at: Instant,
    seconds: u64,
}

/// Checksum of the name of an export.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct HandlerSum(u32);

impl HandlerSum {
    pub(super) fn of(export: &str) -> Self {
        Self(crate::crc32::crc32(export.as_bytes()))
    }
}

/// The handlers of one plugin that failed lately.
#[derive(Debug, Default)]
pub(super) struct Faults(heapless::Vec<Fault, HANDLERS_MAX>);

impl Faults {
    /// Notes that a handler failed; returns for how many seconds it is left alone.
    pub(super) fn note(&mut self, handler: HandlerSum, now: Instant) -> u64 {
        self.0.retain(|fault| now.since(fault.at) < CRASH_WINDOW);
        let before = self.0.iter().position(|fault| fault.handler == handler).map(|at| self.0.swap_remove(at));
        let seconds = before.map_or(1, |fault| fault.seconds.saturating_mul(2).min(CLOSED_S_MAX));
        if self.0.is_full()
            && let Some(soonest) = (0..self.0.len()).min_by_key(|&at| self.0.get(at).map(Fault::until))
        {
            self.0.swap_remove(soonest);
        }
        // There is room now.
        let _ = self.0.push(Fault { handler, at: now, seconds });
        seconds
    }

    /// Tells whether none failed lately.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Tells whether a handler is left alone.
    pub(super) fn is_closed(&self, handler: HandlerSum, now: Instant) -> bool {
        self.0.iter().any(|fault| fault.handler == handler && now < fault.until())
    }
}

impl Fault {
    fn until(&self) -> Instant {
        self.at + Duration::from_secs(self.seconds)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Instant {
        Instant::from_millis(seconds * 1000)
    }

    #[test]
    fn a_handler_is_left_alone_longer_each_time() {
        let (mut faults, x) = (Faults::default(), HandlerSum::of("x"));
        let mut now = 0;
        for seconds in [1, 2, 4, 8, 16, 32, 64, 64] {
            assert_eq!(faults.note(x, at(now)), seconds);
            assert!(faults.is_closed(x, at(now + seconds - 1)) && !faults.is_closed(x, at(now + seconds)));
            now += seconds;
        }
        assert!(!faults.is_closed(HandlerSum::of("y"), at(0)), "others go on");
        assert_eq!(faults.note(x, at(now + 600)), 1, "ten minutes of health clear it");
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let mut faults = Faults::default();
        let name = |number: usize| HandlerSum::of(&std::format!("h{number}"));
        faults.note(name(0), at(0));
        for number in 0..100 {
            faults.note(name(number), at(0));
        }
        assert!(faults.is_closed(name(0), at(1)) && faults.is_closed(name(99), at(0)));
        assert_eq!(faults.0.len(), HANDLERS_MAX);
    }
}
