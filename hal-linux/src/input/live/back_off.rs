//! How long a lost source is left alone.

use std::time::Duration;

/// Pauses between attempts.
#[derive(Clone, Copy, Debug)]
pub struct BackOff {
    /// After the first failure; doubled after each one that follows.
    pub first: Duration,
    /// The longest.
    pub max: Duration,
}

impl Default for BackOff {
    fn default() -> Self {
        Self { first: Duration::from_millis(500), max: Duration::from_secs(30) }
    }
}

impl BackOff {
    /// Those of servers, which others depend on, too.
    pub const SERVERS: Self = Self { first: Duration::from_secs(1), max: Duration::from_secs(60) };
}
