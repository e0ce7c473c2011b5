//! The states of PUT requests, kept so that clients can ask for them (`GET /signalk/v1/requests/<id>`).

use alloc::collections::VecDeque;
use alloc::format;
use alloc::string::String;
use core::time::Duration;

use super::put::PutState;
use crate::time::Instant;

/// How long a state can be asked for (plugin ABI §12.2).
pub const REQUEST_KEPT: Duration = Duration::from_secs(3600);

#[derive(Debug)]
struct Row {
    id: String,
    at: Instant,
    state: PutState,
}

/// The latest requests, oldest first; bounded.
#[derive(Debug)]
pub struct Requests {
    rows: VecDeque<Row>,
    limit: usize,
}

impl Requests {
    /// Keeps at most `limit` requests.
    #[must_use]
    pub fn new(limit: u16) -> Self {
        Self { rows: VecDeque::new(), limit: usize::from(limit.max(1)) }
    }

    /// Returns the address of a request.
    #[must_use]
    pub fn href(id: &str) -> String {
        format!("/signalk/v1/requests/{id}")
    }

    /// Adds a request; the oldest finished one makes room, else the oldest. False when the id is taken.
    pub fn open(&mut self, id: &str, now: Instant) -> bool {
        self.rows.retain(|row| now.since(row.at) < REQUEST_KEPT);
        if self.rows.iter().any(|row| row.id == id) {
            return false;
        }
        if self.rows.len() >= self.limit {
            let finished = self.rows.iter().position(|row| !row.state.pending);
            self.rows.remove(finished.unwrap_or(0));
        }
        self.rows.push_back(Row { id: id.into(), at: now, state: PutState::waiting() });
        true
    }

    /// Sets the state of a request.
    pub fn set(&mut self, id: &str, state: PutState) {
        if let Some(row) = self.rows.iter_mut().find(|row| row.id == id) {
            row.state = state;
        }
    }

    /// Returns the state of a request.
    #[must_use]
    pub fn state(&self, id: &str, now: Instant) -> Option<&PutState> {
        self.rows.iter().find(|row| row.id == id && now.since(row.at) < REQUEST_KEPT).map(|row| &row.state)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn states_are_kept_for_an_hour() {
        let mut requests = Requests::new(2);
        assert!(requests.open("a", Instant(0)));
        assert!(!requests.open("a", Instant(0)), "the id is taken");
        assert_eq!(requests.state("a", Instant(0)).map(|state| state.status), Some(202));
        requests.set("a", PutState::completed(200, "done"));
        assert_eq!(requests.state("a", Instant::from_millis(3_599_999)).map(|state| state.status), Some(200));
        assert_eq!(requests.state("a", Instant::from_millis(3_600_000)), None);
        assert_eq!(requests.state("b", Instant(0)), None);
    }

    #[test]
    fn finished_requests_make_room_first() {
        let mut requests = Requests::new(2);
        assert!(requests.open("a", Instant(0)) && requests.open("b", Instant(0)));
        requests.set("b", PutState::completed(200, ""));
        assert!(requests.open("c", Instant(0)));
        assert!(requests.state("b", Instant(0)).is_none() && requests.state("a", Instant(0)).is_some());
        assert!(requests.open("d", Instant(0)), "a plugin that never finishes takes no room for ever");
        assert!(requests.state("a", Instant(0)).is_none());
    }
}
