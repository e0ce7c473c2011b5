//! Time that a thread had a processor: other programs take their share of the wall clock.

use rustix::time::{ClockId, clock_gettime};

/// Returns the time this thread has had a processor, nanoseconds (POSIX.1 `CLOCK_THREAD_CPUTIME_ID`).
#[must_use]
pub fn busy_ns() -> u64 {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    let seconds = u64::try_from(time.tv_sec).unwrap_or(0);
    seconds.saturating_mul(1_000_000_000).saturating_add(u64::try_from(time.tv_nsec).unwrap_or(0))
}

/// Runs something; returns what it gave and the nanoseconds of processor time it took.
pub fn timed<T>(run: impl FnOnce() -> T) -> (T, u64) {
    let begun = busy_ns();
    let result = run();
    (result, busy_ns().saturating_sub(begun))
}
