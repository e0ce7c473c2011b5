//! How long somebody who guesses passwords has to wait.

use alloc::vec::Vec;
use core::net::IpAddr;
use core::time::Duration;

use crate::time::Instant;

/// Attempts that cost no wait: everybody mistypes.
const FREE_ATTEMPTS: u32 = 4;
/// Longest wait.
const WAIT_MAX: Duration = Duration::from_secs(60);
/// After so long without an attempt everything is forgiven.
const FORGIVEN: Duration = Duration::from_secs(3600);
/// Addresses that are remembered.
const ROWS_MAX: usize = 64;

#[derive(Clone, Copy, Debug)]
struct Row {
    peer: Option<IpAddr>,
    attempts: u32,
    at: Instant,
}

/// The attempts of each address that did not succeed yet.
#[derive(Debug, Default)]
pub struct Attempts {
    rows: Vec<Row>,
}

impl Attempts {
    /// Counts an attempt.
    ///
    /// # Errors
    /// The time until the next one is looked at; this one was not counted.
    pub fn begin(&mut self, peer: Option<IpAddr>, now: Instant) -> Result<(), Duration> {
        self.rows.retain(|row| now.since(row.at) < FORGIVEN);
        let peer = peer.map(network_of);
        if let Some(row) = self.rows.iter_mut().find(|row| row.peer == peer) {
            let waited = now.since(row.at);
            let wait = wait_after(row.attempts);
            if waited < wait {
                return Err(wait.saturating_sub(waited));
            }
            *row = Row { peer, attempts: row.attempts.saturating_add(1), at: now };
            return Ok(());
        }
        if self.rows.len() >= ROWS_MAX {
            let oldest = self.rows.iter().enumerate().min_by_key(|(_, row)| row.at).map(|(index, _)| index);
            oldest.map(|index| self.rows.swap_remove(index));
        }
        self.rows.push(Row { peer, attempts: 1, at: now });
        Ok(())
    }

    /// Forgives an address whose attempt was right.
    pub fn succeeded(&mut self, peer: Option<IpAddr>) {
        let peer = peer.map(network_of);
        self.rows.retain(|row| row.peer != peer);
    }
}

/// One, two, four … seconds after the free attempts.
fn wait_after(attempts: u32) -> Duration {
    let Some(beyond) = attempts.checked_sub(FREE_ATTEMPTS) else { return Duration::ZERO };
    let seconds = 1_u64.checked_shl(beyond).unwrap_or(u64::MAX);
    Duration::from_secs(seconds).min(WAIT_MAX)
}

/// A host has a whole /64 of IPv6 to ask from (RFC 4291 §2.5.4).
fn network_of(peer: IpAddr) -> IpAddr {
    match peer.to_canonical() {
        IpAddr::V6(address) => {
            let network = address.to_bits() & !u128::from(u64::MAX);
            IpAddr::V6(core::net::Ipv6Addr::from_bits(network))
        }
        address @ IpAddr::V4(_) => address,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Instant {
        Instant::from_millis(seconds * 1000)
    }

    fn peer(text: &str) -> Option<IpAddr> {
        Some(text.parse().unwrap())
    }

    #[test]
    fn the_wait_grows_and_ends_with_a_right_password() {
        let mut attempts = Attempts::default();
        let peer = peer("10.0.0.1");
        for _ in 0..FREE_ATTEMPTS {
            assert_eq!(attempts.begin(peer, at(0)), Ok(()));
        }
        let mut now = 0;
        for wait in [1, 2, 4, 8, 16, 32, 60, 60] {
            assert_eq!(attempts.begin(peer, at(now)), Err(Duration::from_secs(wait)));
            now += wait;
            assert_eq!(attempts.begin(peer, at(now)), Ok(()));
        }
        attempts.succeeded(peer);
        assert_eq!(attempts.begin(peer, at(now)), Ok(()));
        assert_eq!(attempts.begin(peer, at(now)), Ok(()));
    }

    #[test]
    fn an_hour_forgives() {
        let mut attempts = Attempts::default();
        for _ in 0..FREE_ATTEMPTS {
            assert_eq!(attempts.begin(None, at(0)), Ok(()));
        }
        assert!(attempts.begin(None, at(0)).is_err());
        assert_eq!(attempts.begin(None, at(3600)), Ok(()));
        assert_eq!(attempts.begin(None, at(3600)), Ok(()));
    }

    #[test]
    fn addresses_of_one_host_wait_together_and_others_do_not() {
        let mut attempts = Attempts::default();
        for last in 0..FREE_ATTEMPTS {
            assert_eq!(attempts.begin(peer(&std::format!("2001:db8::{last}")), at(0)), Ok(()));
        }
        assert!(attempts.begin(peer("2001:db8::ffff:1"), at(0)).is_err());
        assert_eq!(attempts.begin(peer("2001:db8:0:1::1"), at(0)), Ok(()));
        assert_eq!(attempts.begin(peer("::ffff:10.0.0.2"), at(0)), Ok(()));
        for last in 0..=255 {
            let _ = attempts.begin(peer(&std::format!("10.0.1.{last}")), at(1));
        }
        assert_eq!(attempts.rows.len(), ROWS_MAX);
    }
}
