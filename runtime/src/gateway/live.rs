//! What is known of an input beside its counters: where it comes from, how much comes, whose server it is.

use alloc::boxed::Box;
use core::time::Duration;

use super::remote::Remote;
use super::{Gateway, InputId};
use crate::json::Object;
use crate::time::Instant;

/// Time over which a rate is measured.
const RATE_TIME: Duration = Duration::from_secs(2);
/// Bytes of an address that are kept.
const ADDRESS_BYTES_MAX: usize = 200;

/// What is known of an input beside its counters.
#[derive(Debug, Default)]
pub(super) struct Live {
    /// Where it comes from, without a secret in it.
    address: Option<Box<str>>,
    rate: Rate,
    /// How much came in all, and when it last was more.
    heard: (u64, Option<Instant>),
    now: Instant,
    /// The server whose deltas it brings; made at the first.
    pub remote: Option<Box<Remote>>,
}

impl Live {
    /// Takes note of how much came so far.
    pub fn measure(&mut self, total: u64, now: Instant) {
        self.rate.measure(total, now);
        self.now = now;
        if self.heard.0 != total {
            self.heard = (total, Some(now));
        }
    }

    fn describe(&mut self, address: &str) {
        self.address = Some(address.get(..address.floor_char_boundary(ADDRESS_BYTES_MAX)).unwrap_or_default().into());
    }

    /// Returns the deltas of another server that were taken.
    pub fn deltas(&self) -> u64 {
        self.remote.as_ref().map_or(0, |remote| remote.deltas)
    }

    /// Writes what `GET /skiff/v1/status` tells of it.
    pub fn status(&self, out: &mut Object<'_>) {
        if let Some(address) = &self.address {
            out.text("address", address);
        }
        out.number("rate", self.rate.per_second);
        if let (_, Some(heard)) = self.heard {
            // To a poll: whatever comes makes one.
            let age = self.now.since(heard).as_millis();
            out.number("age_ms", u64::try_from(age).unwrap_or(u64::MAX));
        }
        if let Some(remote) = &self.remote {
            out.object("server", |out| remote.status(out));
        }
    }
}

/// How many frames, sentences, deltas and bad lines came in a second, of late.
#[derive(Debug, Default)]
struct Rate {
    per_second: u64,
    since: Instant,
    total: u64,
}

impl Rate {
    fn measure(&mut self, total: u64, now: Instant) {
        let passed = now.since(self.since);
        if passed < RATE_TIME {
            return;
        }
        let came = total.saturating_sub(self.total).saturating_mul(1000);
        let millis = u64::try_from(passed.as_millis()).unwrap_or(u64::MAX);
        // To the nearest.
        let half = millis / 2;
        self.per_second = came.saturating_add(half).checked_div(millis).unwrap_or(0);
        (self.since, self.total) = (now, total);
    }
}

impl Gateway {
    /// Takes note of where an input comes from, for the status; the text must hold no secret.
    pub fn describe_input(&mut self, input: InputId, address: &str) {
        if let Some(live) = self.inputs.live(input) {
            live.describe(address);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_is_that_of_the_last_seconds() {
        let mut rate = Rate::default();
        let mut at = |millis, total| {
            rate.measure(total, Instant::from_millis(millis));
            rate.per_second
        };
        assert_eq!((at(1000, 50), at(2000, 200), at(3000, 5000), at(4000, 201)), (0, 100, 100, 1));
        assert_eq!(at(14_000, 201), 0);
    }
}
