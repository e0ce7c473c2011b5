//! The delta bus: who gets which delta, and what happens when a taker is slow.
//!
//! A delta is published once and offered to every taker. A taker says with [`Pattern`]s what it
//! wants ([`PatternSet`] keeps many of them cheap to ask), and owns a [`Queue`] that drops the
//! oldest when full and counts what it dropped. [`Hops`] ends loops between plugins that answer
//! each other's deltas.

mod pattern;
mod queue;
mod set;

pub use pattern::{PATTERN_BYTES_MAX, Pattern, PatternError, WILDCARDS_MAX};
pub use queue::{Queue, QueueCounters};
pub use set::{PatternSet, SetFull};

/// Deltas that may answer one another in a row before the last one is dropped.
pub const HOPS_MAX: u8 = 8;

/// How many plugins a delta has already been caused by.
///
/// A delta from an input has none. What a plugin emits while it handles a delta has one more than
/// that delta; beyond [`HOPS_MAX`] it is not delivered to plugins any more.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Hops(u8);

impl Hops {
    /// Returns the count of a delta caused by this one, or `None` when the chain is too long.
    #[must_use]
    pub fn next(self) -> Option<Self> {
        let next = self.0.checked_add(1)?;
        (next <= HOPS_MAX).then_some(Self(next))
    }

    /// Returns the number of plugins in the chain.
    #[must_use]
    pub fn count(self) -> u8 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::{HOPS_MAX, Hops};

    #[test]
    fn a_chain_of_deltas_ends() {
        let mut hops = Hops::default();
        let mut length = 0;
        while let Some(next) = hops.next() {
            hops = next;
            length += 1;
        }
        assert_eq!((length, hops.count()), (HOPS_MAX, HOPS_MAX));
    }
}
