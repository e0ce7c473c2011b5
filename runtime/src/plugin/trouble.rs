//! What is wrong with a plugin that runs all the same: it loses deltas, or its call does not end.

use alloc::string::String;
use core::fmt::Write;
use core::time::Duration;

use crate::time::Instant;

/// How often it is looked at; the words are about the time since the last look.
const EVERY: Duration = Duration::from_secs(10);
/// A call that lasts longer is told: nothing else of the plugin happens meanwhile.
const LONG_CALL: Duration = Duration::from_secs(5);

/// Counters that are looked at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Losses {
    /// Deltas that it emitted and that were dropped: too many in one call, or no deltas.
    pub(super) dropped: u64,
    /// What the model did not take of it, since it holds its share.
    pub(super) refused: u64,
    /// Deltas that it was too slow for.
    pub(super) missed: u64,
}

/// What was seen at the last look.
#[derive(Debug, Default)]
pub(super) struct Trouble {
    at: Instant,
    counted: Losses,
    words: Option<String>,
    loses: bool,
}

impl Trouble {
    /// Returns when it is time to look.
    pub(super) fn due(&self) -> Instant {
        self.at + EVERY
    }

    /// Looks at what was counted and at how long the call under way has lasted.
    pub(super) fn look(&mut self, now: Instant, counted: Losses, call: Duration) {
        let before = core::mem::replace(&mut self.counted, counted);
        self.at = now;
        let dropped = counted.dropped.saturating_sub(before.dropped);
        let refused = counted.refused.saturating_sub(before.refused);
        self.loses = dropped > 0 || refused > 0;
        let mut words = String::new();
        // One clause for each, written by one piece of code: this is on chips, too.
        for (count, clause) in [
            (if call >= LONG_CALL { call.as_secs() } else { 0 }, " s in one call"),
            (dropped, " of its deltas dropped"),
            (refused, " of its values over its share of the model"),
            (counted.missed.saturating_sub(before.missed), " deltas missed"),
        ] {
            if count > 0 {
                let comma = if words.is_empty() { "lately " } else { ", " };
                // A `String` takes all.
                let _ = write!(words, "{comma}{count}{clause}");
            }
        }
        self.words = Some(words).filter(|words| !words.is_empty());
    }

    /// Returns what there is to say.
    pub(super) fn words(&self) -> Option<&str> {
        self.words.as_deref()
    }

    /// Tells whether something of what it emits was lost.
    pub(super) fn loses(&self) -> bool {
        self.loses
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Instant {
        Instant::from_millis(seconds * 1000)
    }

    #[test]
    fn losses_are_told_until_a_look_without_them() {
        let mut trouble = Trouble::default();
        assert_eq!(trouble.due(), at(10));
        let counted = Losses { dropped: 90, missed: 3, refused: 7 };
        trouble.look(at(10), counted, Duration::ZERO);
        let words = "lately 90 of its deltas dropped, 7 of its values over its share of the model, 3 deltas missed";
        assert_eq!((trouble.words(), trouble.loses()), (Some(words), true));
        assert_eq!(trouble.due(), at(20));
        trouble.look(at(20), counted, Duration::ZERO);
        assert_eq!((trouble.words(), trouble.loses()), (None, false));
    }

    #[test]
    fn a_call_that_lasts_is_told() {
        let mut trouble = Trouble::default();
        trouble.look(at(10), Losses::default(), Duration::from_secs(4));
        assert_eq!(trouble.words(), None);
        trouble.look(at(20), Losses::default(), Duration::from_secs(19));
        assert_eq!((trouble.words(), trouble.loses()), (Some("lately 19 s in one call"), false));
    }
}
