//! Requests without a valid token: counted, and told of.

use core::net::IpAddr;
use core::time::Duration;

use crate::time::Instant;

/// Time between two warnings.
const WARNING_PERIOD: Duration = Duration::from_secs(60);

/// Requests that were refused for want of a valid token.
#[derive(Debug, Default)]
pub(super) struct Refusals {
    count: u64,
    /// Those since the last warning.
    untold: u64,
    told_at: Option<Instant>,
}

impl Refusals {
    /// Takes note of one; the first is told at once, others once a minute.
    pub fn note(&mut self, peer: Option<IpAddr>, now: Instant) {
        self.count = self.count.saturating_add(1);
        self.untold = self.untold.saturating_add(1);
        if self.told_at.is_some_and(|at| now.since(at) < WARNING_PERIOD) {
            return;
        }
        match peer {
            Some(peer) => log::warn!("refused without a valid token: {} requests, the last of {peer}", self.untold),
            None => log::warn!("refused without a valid token: {} requests", self.untold),
        }
        (self.untold, self.told_at) = (0, Some(now));
    }

    /// Returns how many there were.
    pub fn count(&self) -> u64 {
        self.count
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_are_counted_and_few_are_told() {
        let mut refusals = Refusals::default();
        for second in 0..120 {
            refusals.note(None, Instant::from_millis(second * 1000));
        }
        assert_eq!((refusals.count(), refusals.untold), (120, 59), "told at 0 and at 60 s");
    }
}
