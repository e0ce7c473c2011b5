//! PUT requests, over HTTP and over streams: one handler is asked, and its answer becomes the state of the request.

use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::time::Duration;

use super::exchanges::Pending;
use super::own_meta::IS_KEPT;
use super::{Gateway, StreamId, exchanges};
use crate::accounts::Role;
use crate::delta::check_path;
use crate::host::Call;
use crate::http::Request;
use crate::json;
use crate::plugin::{ExchangeId, Reply};
use crate::server::put::{Put, PutState};
use crate::server::requests::Requests;
use crate::server::url::decode_all;
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
    pub(super) fn put_request(
        &mut self,
        segments: &[&str],
        request: &Request,
        exchange: ExchangeId,
    ) -> Option<Response> {
        let role = self.setup.access.role(request, self.wall());
        let id = crate::config::random_uuid(&mut *self.hal.rng);
        let opened = Put::of_request(segments, &request.body)
            .and_then(|put| self.open_put(&put, role, &id, exchange, PutClient::Http { is_answered: false }));
        Some(self.end_request(&id, opened.err()?))
    }

    /// Answers a request to take a path away: of the gateway and its plugins that is done for meta of the own vessel alone.
    pub(super) fn delete_request(&mut self, path: &[&str], request: &Request) -> Response {
        let id = crate::config::random_uuid(&mut *self.hal.rng);
        let mut done = None;
        if IS_KEPT {
            let role = self.setup.access.role(request, self.wall());
            let path = decode_all(path).unwrap_or_default();
            let path: Vec<&str> = path.iter().map(|segment| &**segment).collect();
            // A DELETE is a PUT of nothing.
            let nothing = json::object(|body| {
                body.json("value", "null");
            });
            done = Put::of_request(&path, nothing.as_bytes()).ok().and_then(|put| self.delete_meta(&put, role));
        }
        self.end_request(&id, done.unwrap_or_else(|| PutState::completed(405, "nothing handles DELETE")))
    }

    /// Ends a request at once; its state can be asked for as that of every other.
    fn end_request(&mut self, id: &str, state: PutState) -> Response {
        self.clients.requests.open(id, self.hal.clock.now());
        let response = put_response(&state, id);
        self.clients.requests.set(id, state);
        response
    }

    /// Takes a PUT request over a stream; its one reply goes to that stream.
    pub(super) fn stream_put(&mut self, stream: StreamId, id: Option<String>, put: &Put) {
        let id = id.unwrap_or_else(|| crate::config::random_uuid(&mut *self.hal.rng));
        let exchange = self.clients.exchanges.new_id();
        let role = self.clients.streams.session_mut(stream).and_then(|session| session.rights().role);
        let opened = if self.clients.exchanges.admit() {
            self.open_put(put, role, &id, exchange, PutClient::Stream(stream))
        } else {
            Err(PutState::completed(503, exchanges::TOO_MANY))
        };
        if let Err(state) = opened {
            self.clients.reply(stream, &state.json(Some(&id), None));
        }
    }

    fn open_put(
        &mut self,
        put: &Put,
        role: Option<Role>,
        id: &str,
        exchange: ExchangeId,
        to: PutClient,
    ) -> Result<(), PutState> {
        check_path(&put.path).map_err(|error| PutState::completed(400, &error.to_string()))?;
        let handler = match put.handler(&self.plugins.registry, &self.setup.self_context) {
            Ok(handler) => handler,
            Err(refused) if refused.status == 405 => {
                let done = self.put_meta(put, role).or_else(|| self.inputs.put(put, &self.setup.self_context));
                return Err(done.unwrap_or(refused));
            }
            Err(refused) => return Err(refused),
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
    let response = Response::json(state.status, state.json(Some(id), Some(&Requests::href(id))));
    // RFC 9110 §15.5.6.
    if state.status == 405 { response.with("allow", "GET, HEAD") } else { response }
}
