//! The clients: those who asked something and wait, and those who listen to a stream.

use super::exchanges::Exchanges;
use super::log_in::LogIns;
use super::refusals::Refusals;
use super::server_events::ServerEvents;
use super::streams::Streams;
use super::{Gateway, StreamId};
use crate::accounts::AccessRequests;
use crate::budget::Limits;
use crate::hal::Storage;
use crate::plugin::ExchangeId;
use crate::server::providers::Defaults;
use crate::server::requests::Requests;
use crate::server::{ClientCounters, Response};

/// Every client, and what is kept for them.
pub(super) struct Clients {
    pub exchanges: Exchanges,
    /// The states of PUT requests.
    pub requests: Requests,
    /// Who answers where several plugins could.
    pub defaults: Defaults,
    pub streams: Streams,
    pub server_events: ServerEvents,
    pub refusals: Refusals,
    /// Devices that ask to be let in.
    pub access_requests: AccessRequests,
    pub log_ins: LogIns,
    /// What the carrier said last; `None` where a HAL carries HTTP itself.
    pub carried: Option<ClientCounters>,
}

impl Clients {
    /// Begins without a client; the default providers are those that were chosen last.
    pub fn new(limits: &Limits, storage: &mut dyn Storage) -> Self {
        let defaults = Defaults::load(storage).unwrap_or_else(|error| {
            log::warn!("default providers not read: {error}");
            Defaults::default()
        });
        Self {
            exchanges: Exchanges::new(limits.exchanges_max),
            requests: Requests::new(limits.requests_max),
            defaults,
            streams: Streams::default(),
            server_events: ServerEvents::default(),
            refusals: Refusals::default(),
            access_requests: AccessRequests::default(),
            log_ins: LogIns::default(),
            carried: None,
        }
    }

    /// Sends a text to a stream client, before anything else that waits for it.
    pub fn reply(&mut self, stream: StreamId, json: &str) {
        if let Some(session) = self.streams.session_mut(stream) {
            session.reply(json);
        }
    }

    /// Tells whether an admin wants server events.
    #[cfg(any(test, feature = "appstore", feature = "server-routes"))]
    pub fn admins_listen(&self) -> bool {
        self.streams.sessions().any(is_admin)
    }

    /// Sends a server event to the admins who want them; `data` is JSON.
    #[cfg(any(test, feature = "appstore", feature = "server-routes"))]
    pub fn tell_admins(&mut self, kind: &str, data: &str) {
        let text = crate::json::object(|out| _ = out.text("type", kind).text("from", "skiff").json("data", data));
        self.streams.sessions_mut().filter(|session| is_admin(session)).for_each(|session| session.reply(&text));
    }
}

#[cfg(any(test, feature = "appstore", feature = "server-routes"))]
pub(super) fn is_admin(session: &crate::server::stream::Session) -> bool {
    session.wants_server_events() && session.rights().role == Some(crate::accounts::Role::Admin)
}

impl Gateway {
    /// Takes a response that is ready.
    pub fn next_response(&mut self) -> Option<(ExchangeId, Response)> {
        self.clients.exchanges.next_response()
    }

    /// Takes what the carrier counted, for [`status_json`](Self::status_json).
    pub fn set_client_counters(&mut self, counters: ClientCounters) {
        self.clients.carried = Some(counters);
    }
}
