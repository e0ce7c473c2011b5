//! Devices that ask to be let in (Signal K, "Access Requests"): a sensor says who it is, the owner answers, and the
//! sensor finds its token where it was told to look.
//!
//! The list is kept in memory: after a restart a device asks again.

use alloc::collections::VecDeque;
use alloc::string::String;
use core::net::IpAddr;
use core::time::Duration;

use super::Role;
use crate::time::Instant;

/// Requests that wait for the owner.
pub const PENDING_MAX: usize = 32;
/// Of these, those of one address.
pub const PER_PEER_MAX: usize = 4;
/// Bytes of a `clientId`; it is a UUID mostly.
pub const CLIENT_ID_BYTES_MAX: usize = 128;
/// Bytes of a `description`.
pub const DESCRIPTION_BYTES_MAX: usize = 256;
/// Time in which the owner can answer.
const PENDING_KEPT: Duration = Duration::from_secs(24 * 3600);
/// Time in which the answer can be fetched; the token is in it.
const ANSWER_KEPT: Duration = Duration::from_secs(3600);
/// Requests in all, those that were answered too.
const ROWS_MAX: usize = 64;

/// What the owner said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AccessAnswer {
    /// The device is let in with this token.
    Approved(String),
    /// It is not.
    Denied,
}

/// How far a request is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RequestState {
    /// The owner has not answered yet.
    Pending,
    /// The answer.
    Answered(AccessAnswer),
}

/// A request of a device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccessRequest {
    /// Id of the request; it is random, and who knows it may read the answer.
    pub id: String,
    /// What the device calls itself.
    pub client_id: String,
    /// What it says of itself.
    pub description: String,
    /// What it wants to do.
    pub role: Role,
    /// Where it asked from.
    pub peer: Option<IpAddr>,
    /// The stream it asked on, and its own id of the request there.
    pub stream: Option<(u64, Option<String>)>,
    /// How far it is.
    pub state: RequestState,
    at: Instant,
}

/// Why a request is not taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AskError {
    /// This device has asked already; the id of that request.
    AlreadyAsked(String),
    /// Too many wait, of this address or in all.
    TooMany,
}

/// The requests, oldest first.
#[derive(Debug, Default)]
pub struct AccessRequests {
    rows: VecDeque<AccessRequest>,
}

impl AccessRequests {
    /// Takes a request.
    ///
    /// # Errors
    /// [`AskError`].
    pub fn ask(&mut self, request: Asking<'_>, id: String, now: Instant) -> Result<&AccessRequest, AskError> {
        self.forget_old(now);
        let pending = || self.rows.iter().filter(|row| row.state == RequestState::Pending);
        if let Some(same) = pending().find(|row| row.client_id == request.client_id) {
            return Err(AskError::AlreadyAsked(same.id.clone()));
        }
        let of_peer = pending().filter(|row| row.peer == request.peer).count();
        if pending().count() >= PENDING_MAX || of_peer >= PER_PEER_MAX {
            return Err(AskError::TooMany);
        }
        if self.rows.len() >= ROWS_MAX {
            // Fewer wait than there is room for, so that there is one.
            let answered = self.rows.iter().position(|row| row.state != RequestState::Pending);
            answered.and_then(|index| self.rows.remove(index));
        }
        self.rows.push_back(AccessRequest {
            id,
            client_id: request.client_id.into(),
            description: request.description.into(),
            role: request.role,
            peer: request.peer,
            stream: request.stream,
            state: RequestState::Pending,
            at: now,
        });
        self.rows.back().ok_or(AskError::TooMany)
    }

    /// Returns the request of an id.
    #[must_use]
    pub fn of_id(&self, id: &str, now: Instant) -> Option<&AccessRequest> {
        self.rows.iter().find(|row| row.id == id && !is_old(row, now))
    }

    /// Returns the requests that wait.
    pub fn pending(&self, now: Instant) -> impl Iterator<Item = &AccessRequest> {
        self.rows.iter().filter(move |row| row.state == RequestState::Pending && !is_old(row, now))
    }

    /// Answers the request of a device; `None` when it has none that waits.
    pub fn answer(&mut self, client_id: &str, answer: AccessAnswer, now: Instant) -> Option<&AccessRequest> {
        self.forget_old(now);
        let is_asked = |row: &&mut AccessRequest| row.client_id == client_id && row.state == RequestState::Pending;
        let row = self.rows.iter_mut().find(is_asked)?;
        row.state = RequestState::Answered(answer);
        row.at = now;
        Some(row)
    }

    fn forget_old(&mut self, now: Instant) {
        self.rows.retain(|row| !is_old(row, now));
    }
}

/// What a device asks.
#[derive(Clone, Debug)]
pub struct Asking<'a> {
    /// What it calls itself.
    pub client_id: &'a str,
    /// What it says of itself.
    pub description: &'a str,
    /// What it wants to do.
    pub role: Role,
    /// Where it asks from.
    pub peer: Option<IpAddr>,
    /// The stream it asks on, and its own id of the request there; `None` over HTTP.
    pub stream: Option<(u64, Option<String>)>,
}

fn is_old(row: &AccessRequest, now: Instant) -> bool {
    let kept = if row.state == RequestState::Pending { PENDING_KEPT } else { ANSWER_KEPT };
    now.since(row.at) >= kept
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::format;
    use std::string::ToString;

    fn asking<'a>(client_id: &'a str, last: u8) -> Asking<'a> {
        let peer = Some(IpAddr::from([10, 0, 0, last]));
        Asking { client_id, description: "a sensor", role: Role::ReadWrite, peer, stream: None }
    }

    fn after(seconds: u64) -> Instant {
        Instant::from_millis(seconds * 1000)
    }

    #[test]
    fn a_device_asks_once_and_finds_the_answer() {
        let mut requests = AccessRequests::default();
        assert_eq!(requests.ask(asking("mast", 1), "r1".into(), after(0)).unwrap().state, RequestState::Pending);
        let again = requests.ask(asking("mast", 2), "r2".into(), after(1)).err();
        assert_eq!(again, Some(AskError::AlreadyAsked("r1".into())));
        let approved = AccessAnswer::Approved("t".into());
        assert_eq!(requests.answer("other", approved.clone(), after(2)), None);
        assert_eq!(requests.answer("mast", approved.clone(), after(2)).map(|row| row.id.clone()), Some("r1".into()));
        assert_eq!(requests.of_id("r1", after(3)).unwrap().state, RequestState::Answered(approved));
        assert_eq!(requests.answer("mast", AccessAnswer::Denied, after(3)), None, "it was answered");
        assert!(requests.ask(asking("mast", 1), "r3".into(), after(4)).is_ok(), "it may have lost its token");
        assert!(requests.of_id("r1", after(2 + 3599)).is_some() && requests.of_id("r1", after(2 + 3600)).is_none());
    }

    #[test]
    fn nobody_takes_the_room_of_others() {
        let mut requests = AccessRequests::default();
        let mut ask = |name: &str, last| requests.ask(asking(name, last), name.to_string(), after(0)).err();
        for index in 0..PER_PEER_MAX {
            assert_eq!(ask(&format!("a{index}"), 1), None);
        }
        assert_eq!(ask("one more", 1), Some(AskError::TooMany));
        for index in PER_PEER_MAX..PENDING_MAX {
            assert_eq!(ask(&format!("b{index}"), u8::try_from(index).unwrap()), None);
        }
        assert_eq!(ask("late", 99), Some(AskError::TooMany));
        assert_eq!(requests.pending(after(24 * 3600 - 1)).count(), PENDING_MAX);
        assert_eq!(requests.pending(after(24 * 3600)).count(), 0, "an owner who never answers");
        assert!(requests.ask(asking("late", 99), "x".into(), after(24 * 3600)).is_ok());
    }

    #[test]
    fn answered_requests_make_room() {
        let mut requests = AccessRequests::default();
        for index in 0..3 * ROWS_MAX {
            let name = format!("d{index}");
            requests.ask(asking(&name, 1), name.clone(), after(0)).unwrap();
            requests.answer(&name, AccessAnswer::Denied, after(0)).unwrap();
        }
        assert_eq!(requests.rows.len(), ROWS_MAX);
    }
}
