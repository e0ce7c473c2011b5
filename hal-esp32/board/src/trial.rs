//! Whether a new firmware stays, or the one before comes back.
//!
//! The boot loader of ESP-IDF starts an image whose state in the OTA data is "new" or "pending verification" once; when
//! it is not confirmed before the next reset, the slot before is started again. So the firmware has only to decide when
//! it confirms, and to reset when it gives up; a crash or the watchdog resets anyway.

use core::time::Duration;

use skiff_runtime::time::Instant;

/// The gateway has to run so long.
pub const PROBATION: Duration = Duration::from_secs(60);
/// After so long without everything it needs, the firmware gives up.
pub const PATIENCE: Duration = Duration::from_secs(300);

/// What is known of this start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Signs {
    /// The storage was mounted.
    pub storage: bool,
    /// A network is up: its own or one it joined.
    pub network: bool,
    /// The web server listens, so that another firmware can be loaded.
    pub server: bool,
}

/// What is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing yet, or nothing any more.
    Wait,
    /// Mark this firmware as good.
    Confirm,
    /// Mark it as bad and reset: the one before comes back.
    RollBack,
}

/// The trial of a firmware.
#[derive(Clone, Debug)]
pub struct Trial {
    began: Instant,
    good_since: Option<Instant>,
    over: bool,
}

impl Trial {
    /// Begins at the start; `is_new` says whether the OTA data asks for a decision.
    #[must_use]
    pub fn begin(is_new: bool, now: Instant) -> Self {
        Self { began: now, good_since: None, over: !is_new }
    }

    /// Takes the signs and decides.
    pub fn poll(&mut self, signs: Signs, now: Instant) -> Verdict {
        if self.over {
            return Verdict::Wait;
        }
        if signs.storage && signs.network && signs.server {
            let since = *self.good_since.get_or_insert(now);
            if now.since(since) >= PROBATION {
                self.over = true;
                return Verdict::Confirm;
            }
            return Verdict::Wait;
        }
        self.good_since = None;
        if now.since(self.began) >= PATIENCE {
            self.over = true;
            return Verdict::RollBack;
        }
        Verdict::Wait
    }
}

/// Returns the slot that takes the next firmware, of `slots` with one in use.
///
/// The slot that runs is never written, whatever the OTA data say.
#[must_use]
pub fn next_slot(running: u8, slots: u8) -> Option<u8> {
    (slots >= 2 && running < slots).then(|| (running + 1) % slots)
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: Signs = Signs { storage: true, network: true, server: true };

    fn at(seconds: u64) -> Instant {
        Instant(seconds * 1_000_000)
    }

    #[test]
    fn a_firmware_that_runs_for_a_minute_is_confirmed_once() {
        let mut trial = Trial::begin(true, at(0));
        assert_eq!(trial.poll(GOOD, at(5)), Verdict::Wait);
        assert_eq!(trial.poll(GOOD, at(64)), Verdict::Wait);
        assert_eq!(trial.poll(GOOD, at(65)), Verdict::Confirm);
        assert_eq!(trial.poll(GOOD, at(66)), Verdict::Wait);
        assert_eq!(trial.poll(Signs { network: false, ..GOOD }, at(999)), Verdict::Wait);
    }

    #[test]
    fn one_that_lacks_something_for_five_minutes_goes() {
        for signs in
            [Signs { storage: false, ..GOOD }, Signs { network: false, ..GOOD }, Signs { server: false, ..GOOD }]
        {
            let mut trial = Trial::begin(true, at(0));
            assert_eq!(trial.poll(GOOD, at(1)), Verdict::Wait);
            assert_eq!(trial.poll(signs, at(59)), Verdict::Wait);
            assert_eq!(trial.poll(GOOD, at(100)), Verdict::Wait, "the minute begins anew");
            assert_eq!(trial.poll(signs, at(150)), Verdict::Wait);
            assert_eq!(trial.poll(signs, at(300)), Verdict::RollBack);
            assert_eq!(trial.poll(signs, at(301)), Verdict::Wait);
        }
    }

    #[test]
    fn one_that_is_not_new_is_left_alone() {
        let mut trial = Trial::begin(false, at(0));
        assert_eq!(trial.poll(GOOD, at(100)), Verdict::Wait);
        assert_eq!(trial.poll(Signs { server: false, ..GOOD }, at(1000)), Verdict::Wait);
    }

    #[test]
    fn the_running_slot_is_never_written() {
        assert_eq!((next_slot(0, 2), next_slot(1, 2), next_slot(1, 3)), (Some(1), Some(0), Some(2)));
        assert_eq!((next_slot(0, 1), next_slot(2, 2), next_slot(0, 0)), (None, None, None));
    }
}
