//! PUT requests, over HTTP and over streams: one handler is asked, and its answer becomes the state of the request.

use alloc::string::String;
use core::time::Duration;

use super::exchanges::Pending;
use super::{Gateway, StreamId, exchanges};
use crate::host::Call;
use crate::plugin::{ExchangeId, Reply};
use crate::server::put::{Put, PutState};
use crate::server::requests::Requests;
use crate::server::{Response, patience};
use crate::time::Instant;

/// Time after which an HTTP client is told that its PUT is pending, where to ask for its state, and waits no longer.
const PUT_PATIENCE: Duration = Duration::from_secs(5);

/// A PUT request whose handler was asked.
pub(super) struct PendingPut {
    id: String,
    to: PutClient,
    opened: Instant,
}

/// Who sent a PUT request.
enum PutClient {
    Http { is_answered: bool },
    Stream(StreamId),
}

impl PendingPut {
    /// Returns when its client has waited long enough.
    pub fn deadline(&self) -> Instant {
        match self.to {
            PutClient::Http { is_answered: false } => self.opened + PUT_PATIENCE,
            _ => self.opened + patience::PLUGINS,
        }
    }
}

impl Gateway {
    /// Takes a PUT request over HTTP.
    pub(super) fn put_request(&mut self, segments: &[&str], body: &[u8], exchange: ExchangeId) -> Option<Response> {
        let id = crate::config::random_uuid(&mut *self.hal.rng);
        let opened = Put::of_request(segments, body)
            .and_then(|put| self.open_put(&put, &id, exchange, PutClient::Http { is_answered: false }));
        let refused = opened.err()?;
        // Its state can be asked for as that of every other.
        self.clients.requests.open(&id, self.hal.clock.now());
        self.clients.requests.set(&id, refused.clone());
        Some(put_response(&refused, &id))
    }

    /// Takes a PUT request over a stream; its one reply goes to that stream.
    pub(super) fn stream_put(&mut self, stream: StreamId, id: Option<String>, put: &Put) {
        let id = id.unwrap_or_else(|| crate::config::random_uuid(&mut *self.hal.rng));
        let exchange = self.clients.exchanges.new_id();
        let opened = if self.clients.exchanges.admit() {
            self.open_put(put, &id, exchange, PutClient::Stream(stream))
        } else {
            Err(PutState::completed(503, exchanges::TOO_MANY))
        };
        if let Err(state) = opened {
            self.clients.reply(stream, &state.json(Some(&id), None));
        }
    }

    fn open_put(&mut self, put: &Put, id: &str, exchange: ExchangeId, to: PutClient) -> Result<(), PutState> {
        let handler = match put.handler(&self.plugins.registry, &self.setup.self_context) {
            Ok(handler) => handler,
            Err(refused) => {
                return Err(self
                    .inputs
                    .put(put, &self.setup.self_context)
                    .filter(|_| refused.status == 405)
                    .unwrap_or(refused));
            }
        };
        let now = self.hal.clock.now();
        if !self.clients.requests.open(id, now) {
            return Err(PutState::completed(400, "there is a request with this requestId already"));
        }
        let call = Call::Put { handler: handler.export, value: put.value.clone() };
        match self.plugins.registry.ask(&handler.package, exchange, call) {
            Ok(()) => {
                let put = PendingPut { id: id.into(), to, opened: now };
                self.clients.exchanges.open(exchange, Pending::Put(put));
                Ok(())
            }
            Err(reply) => {
                let state = PutState::of(&reply);
                self.clients.requests.set(id, state.clone());
                Err(state)
            }
        }
    }

    /// Tells the client of a PUT request that has waited long enough.
    pub(super) fn put_is_late(&mut self, exchange: ExchangeId, put: PendingPut) {
        match put.to {
            PutClient::Http { is_answered: false } => {
                self.clients.exchanges.respond(exchange, put_response(&PutState::waiting(), &put.id));
                let put = PendingPut { to: PutClient::Http { is_answered: true }, ..put };
                self.clients.exchanges.open(exchange, Pending::Put(put));
            }
            _ => self.put_done(exchange, put, PutState::of(&Reply::Late)),
        }
    }

    /// Ends a PUT request.
    pub(super) fn put_done(&mut self, exchange: ExchangeId, put: PendingPut, state: PutState) {
        match put.to {
            PutClient::Http { is_answered: false } => {
                self.clients.exchanges.respond(exchange, put_response(&state, &put.id));
            }
            PutClient::Http { is_answered: true } => {}
            PutClient::Stream(stream) => self.clients.reply(stream, &state.json(Some(&put.id), None)),
        }
        self.clients.requests.set(&put.id, state);
    }

    /// Answers `GET /signalk/v1/requests/<id>`.
    pub(super) fn request_state(&self, id: &str) -> Response {
        match self.clients.requests.state(id, self.hal.clock.now()) {
            Some(state) => Response::json(200, state.json(Some(id), Some(&Requests::href(id)))),
            None => Response::error(404, "no such request, or it is older than an hour"),
        }
    }
}

fn put_response(state: &PutState, id: &str) -> Response {
    Response::json(state.status, state.json(Some(id), Some(&Requests::href(id))))
}
