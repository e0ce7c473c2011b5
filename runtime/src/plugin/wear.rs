//! Planned recycling: a fresh instance in the place of one whose linear memory is nearly used up.
//!
//! AssemblyScript's `stub` runtime, the SDK's default, never frees anything (plugin ABI §2.6): such a plugin traps when
//! its memory is full, however well it is written; on a chip that is one page, which never grows. It is stopped and started between two calls instead, with the
//! saved configuration; deltas and requests wait meanwhile. This is no crash.

use core::time::Duration;

use crate::host::Instance;
use crate::time::Instant;

/// An instance is worn when it takes this part of what its linear memory may grow to.
const WORN_SHARE: (u64, u64) = (7, 8);
/// An instance that fills its memory sooner after its start is left to the schedule of crashes.
pub(super) const RECYCLE_AFTER: Duration = Duration::from_secs(5);

/// Measurements of the running instance's memory.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Wear {
    started: Instant,
    /// Bytes taken when `plugin_start` had returned.
    bytes_at_start: u64,
    recycled: u32,
}

impl Wear {
    /// A fresh instance runs.
    pub(super) fn started(&mut self, now: Instant, taken: u64) {
        (self.started, self.bytes_at_start) = (now, taken);
    }

    /// Counts one more instance that is replaced by a fresh one.
    pub(super) fn recycle(&mut self) -> u32 {
        self.recycled = self.recycled.saturating_add(1);
        self.recycled
    }

    pub(super) fn recycled(&self) -> u32 {
        self.recycled
    }

    /// Tells whether an instance that takes `taken` bytes of at most `ceiling` is due.
    pub(super) fn is_due(&self, now: Instant, taken: u64, ceiling: u64) -> bool {
        self.is_worn(taken, ceiling) && now.since(self.started) >= RECYCLE_AFTER
    }

    /// Tells whether it would be due if it had lived long enough.
    pub(super) fn is_worn(&self, taken: u64, ceiling: u64) -> bool {
        // One that was born large would be as large again.
        taken > self.bytes_at_start && taken.saturating_mul(WORN_SHARE.1) >= ceiling.saturating_mul(WORN_SHARE.0)
    }
}

/// Returns what an instance takes of its linear memory: all of it, where it cannot be told how much is free inside.
pub(super) fn taken(instance: &Instance) -> u64 {
    instance.filled_bytes().unwrap_or_else(|| instance.usage().linear_bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instance_is_due_when_it_has_grown_to_seven_eighths_and_lived_a_while() {
        let mut wear = Wear::default();
        wear.started(Instant::from_millis(1000), 100);
        let late = Instant::from_millis(6000);
        assert!(wear.is_due(late, 700, 800));
        assert!(!wear.is_due(late, 699, 800), "there is room");
        assert!(!wear.is_due(Instant::from_millis(5999), 700, 800), "it has only just started");
        wear.started(Instant::from_millis(1000), 700);
        assert!(!wear.is_due(late, 700, 800), "it was born like that");
    }
}
