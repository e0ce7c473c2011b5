//! Exchanges that wait for plugins: questions out, replies in, exactly one answer each.

use alloc::string::String;
use alloc::vec::Vec;
use core::time::Duration;

use super::{Gateway, StreamId};
use crate::delta::{Delta, DeltaVersion, Stamp};
use crate::host::Call;
use crate::plugin::{ExchangeId, Finished, Outcome, Unavailable};
use crate::server::providers::{Done, Effect, Reply, Step, Then};
use crate::server::put::{Put, PutState};
use crate::server::requests::Requests;
use crate::server::{self, Response};
use crate::sorted::SortedMap;
use crate::time::Instant;

/// Time that plugins have for an answer together; a plugin that computes is stopped by its fuel long before, one that
/// fetches can be late.
const ANSWER_TIME: Duration = Duration::from_secs(45);
/// Time after which an HTTP client is told that its PUT is pending, where to ask for its state, and waits no longer.
const PUT_PATIENCE: Duration = Duration::from_secs(5);

/// How a package that is being installed is stored.
pub(super) enum Stored {
    /// In force.
    InForce,
    /// Beside the version that is in force.
    Staged,
    /// Not yet: this is to be stored.
    Not(Vec<u8>),
}

/// What an exchange waits for.
pub(super) enum Pending {
    /// A new configuration of this package.
    Configuration(String),
    /// A package, and how it is stored.
    Install { id: String, stored: Stored },
    /// A plugin is being read again by whoever has its files.
    Reload { id: String },
    /// A plugin is being removed.
    Remove,
    /// One of the questions of another exchange.
    Part { of: ExchangeId, index: usize },
    /// The handler of a PUT request.
    Put(PendingPut),
}

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

/// An exchange with questions out.
struct Job {
    replies: Vec<Option<Reply>>,
    then: Then,
    deadline: Instant,
}

/// All exchanges that wait.
#[derive(Default)]
pub(super) struct Exchanges {
    pending: SortedMap<ExchangeId, Pending>,
    jobs: SortedMap<ExchangeId, Job>,
}

impl Exchanges {
    /// Returns how many clients wait.
    pub(super) fn waiting(&self) -> usize {
        let parts = |pending: &&Pending| !matches!(pending, Pending::Part { .. });
        self.jobs.len().saturating_add(self.pending.values().filter(parts).count())
    }

    pub(super) fn open(&mut self, exchange: ExchangeId, pending: Pending) {
        self.pending.insert(exchange, pending);
    }

    pub(super) fn close(&mut self, exchange: ExchangeId) {
        self.pending.remove(&exchange);
    }

    /// Returns when somebody has waited long enough.
    fn next_deadline(&self) -> Option<Instant> {
        let puts = self.pending.values().filter_map(|pending| match pending {
            Pending::Put(put) => Some(put.deadline()),
            _ => None,
        });
        self.jobs.values().map(|job| job.deadline).chain(puts).min()
    }
}

impl PendingPut {
    fn deadline(&self) -> Instant {
        match self.to {
            PutClient::Http { is_answered: false } => self.opened + PUT_PATIENCE,
            _ => self.opened + ANSWER_TIME,
        }
    }
}

impl Gateway {
    pub(super) fn new_exchange(&mut self) -> ExchangeId {
        let exchange = ExchangeId(self.next_exchange);
        self.next_exchange = self.next_exchange.wrapping_add(1);
        exchange
    }

    /// Takes the steps of an answer until plugins have to be asked; returns the response when it is there.
    pub(super) fn take_step(&mut self, exchange: ExchangeId, mut step: Step) -> Option<Response> {
        loop {
            let (questions, then) = match step {
                Step::Done(done) => return Some(self.done(done)),
                Step::Ask(questions, then) => (questions, then),
            };
            let mut replies = Vec::new();
            for (index, question) in questions.into_iter().enumerate() {
                let part = self.new_exchange();
                replies.push(match self.plugins.registry.ask(&question.package, part, question.call) {
                    Ok(()) => {
                        self.exchanges.pending.insert(part, Pending::Part { of: exchange, index });
                        None
                    }
                    Err(Unavailable::NotRunning) => Some(Reply::Stopped),
                    Err(Unavailable::Busy) => Some(Reply::Busy),
                });
            }
            if replies.iter().any(Option::is_none) {
                let deadline = self.hal.clock.now() + ANSWER_TIME;
                self.exchanges.jobs.insert(exchange, Job { replies, then, deadline });
                return None;
            }
            step = then(replies.into_iter().flatten().collect());
        }
    }

    fn done(&mut self, done: Done) -> Response {
        match done.effect {
            Effect::Nothing => {}
            Effect::Resource { package, path, value } => self.publish_resource(&package, &path, &value),
            Effect::Default { api, package } => {
                if let Err(error) = self.defaults.choose(&api, &package, &mut *self.hal.storage) {
                    log::warn!("the default provider is forgotten at the next start: {error}");
                }
            }
        }
        done.response
    }

    /// Tells clients and plugins of a changed resource (plugin ABI §10.1); the data model is not touched.
    fn publish_resource(&mut self, package: &str, path: &str, value: &str) {
        let text = alloc::format!(
            "{{\"updates\":[{{\"values\":[{{\"path\":{},\"value\":{value}}}]}}]}}",
            server::quoted(path)
        );
        let stamp = Stamp { source_ref: package, self_context: &self.setup.self_context, now: self.wall() };
        match Delta::parse(&text, &stamp) {
            Ok(delta) => self.take_in(delta.with_version(DeltaVersion::V2), 0),
            Err(error) => log::warn!("clients are not told of the change of {path}: {error}"),
        }
    }

    /// Takes in how a call ended.
    pub(super) fn finish(&mut self, finished: Finished) {
        let Some(pending) = self.exchanges.pending.remove(&finished.exchange) else { return };
        match (pending, finished.result) {
            (Pending::Configuration(package), Outcome::Configured(result)) => {
                self.responses.push_back((finished.exchange, server::plugins::configured(&package, &result)));
            }
            (Pending::Configuration(_), _) => {
                self.responses.push_back((finished.exchange, Response::error(500, "the plugin gave no answer")));
            }
            (Pending::Install { id, stored }, outcome) => {
                let response = self.installed(&id, stored, &outcome);
                self.responses.push_back((finished.exchange, response));
            }
            (Pending::Reload { id }, outcome) => {
                let response = self.installed(&id, Stored::InForce, &outcome);
                self.responses.push_back((finished.exchange, response));
            }
            (Pending::Remove, _) => {
                self.responses.push_back((finished.exchange, Response::json(200, "{\"removed\":true}")));
            }
            (Pending::Part { of, index }, outcome) => self.replied(of, index, reply(outcome)),
            (Pending::Put(put), outcome) => self.put_done(finished.exchange, put, PutState::of(&reply(outcome))),
        }
    }

    fn replied(&mut self, exchange: ExchangeId, index: usize, reply: Reply) {
        let Some(job) = self.exchanges.jobs.get_mut(&exchange) else { return };
        if let Some(slot) = job.replies.get_mut(index) {
            *slot = Some(reply);
        }
        if job.replies.iter().any(Option::is_none) {
            return;
        }
        if let Some(job) = self.exchanges.jobs.remove(&exchange) {
            let step = (job.then)(job.replies.into_iter().flatten().collect());
            if let Some(response) = self.take_step(exchange, step) {
                self.responses.push_back((exchange, response));
            }
        }
    }

    /// Answers those who have waited long enough; returns when the next one will have.
    pub(super) fn end_waiting(&mut self, now: Instant) -> Option<Instant> {
        if self.exchanges.next_deadline().is_none_or(|deadline| deadline > now) {
            return self.exchanges.next_deadline();
        }
        let late: Vec<ExchangeId> =
            self.exchanges.jobs.iter().filter(|(_, job)| job.deadline <= now).map(|(id, _)| *id).collect();
        for exchange in late {
            // Answers that come later belong to nobody.
            self.exchanges.pending.retain(|_, pending| !matches!(pending, Pending::Part { of, .. } if *of == exchange));
            if let Some(job) = self.exchanges.jobs.remove(&exchange) {
                let step = (job.then)(job.replies.into_iter().map(|reply| reply.unwrap_or(Reply::Late)).collect());
                if let Some(response) = self.take_step(exchange, step) {
                    self.responses.push_back((exchange, response));
                }
            }
        }
        let due = |pending: &Pending| matches!(pending, Pending::Put(put) if put.deadline() <= now);
        let late: Vec<ExchangeId> =
            self.exchanges.pending.iter().filter(|(_, pending)| due(pending)).map(|(id, _)| *id).collect();
        for exchange in late {
            match self.exchanges.pending.remove(&exchange) {
                Some(Pending::Put(PendingPut { id, to: PutClient::Http { is_answered: false }, opened })) => {
                    self.responses.push_back((exchange, put_response(&PutState::waiting(), &id)));
                    let put = PendingPut { id, to: PutClient::Http { is_answered: true }, opened };
                    self.exchanges.pending.insert(exchange, Pending::Put(put));
                }
                Some(Pending::Put(put)) => self.put_done(exchange, put, PutState::of(&Reply::Late)),
                _ => {}
            }
        }
        self.exchanges.next_deadline()
    }

    /// Takes a PUT request over HTTP.
    pub(super) fn put_request(&mut self, segments: &[&str], body: &[u8], exchange: ExchangeId) -> Option<Response> {
        let id = crate::config::random_uuid(&mut *self.hal.rng);
        let put = match Put::of_request(segments, body) {
            Ok(put) => put,
            Err(state) => return Some(Response::json(state.status, state.json(Some(&id), None))),
        };
        match self.open_put(&put, &id, exchange, PutClient::Http { is_answered: false }) {
            Ok(()) => None,
            Err(state) => Some(Response::json(state.status, state.json(Some(&id), None))),
        }
    }

    /// Takes a PUT request over a stream; its one reply goes to that stream.
    pub(super) fn stream_put(&mut self, stream: StreamId, id: Option<String>, put: &Put) {
        let id = id.unwrap_or_else(|| crate::config::random_uuid(&mut *self.hal.rng));
        let exchange = self.new_exchange();
        let refused = if self.exchanges.waiting() >= usize::from(self.setup.limits.exchanges_max) {
            self.totals.refused_exchanges = self.totals.refused_exchanges.saturating_add(1);
            Some(PutState::completed(503, "too many requests are waiting, try again later"))
        } else {
            self.open_put(put, &id, exchange, PutClient::Stream(stream)).err()
        };
        if let Some(state) = refused {
            self.stream_reply(stream, &state.json(Some(&id), None));
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
        if !self.requests.open(id, now) {
            return Err(PutState::completed(400, "there is a request with this requestId already"));
        }
        let call = Call::Put { handler: handler.export, value: put.value.clone() };
        match self.plugins.registry.ask(&handler.package, exchange, call) {
            Ok(()) => {
                self.exchanges.pending.insert(exchange, Pending::Put(PendingPut { id: id.into(), to, opened: now }));
                Ok(())
            }
            Err(unavailable) => {
                let state = PutState::of(&match unavailable {
                    Unavailable::NotRunning => Reply::Stopped,
                    Unavailable::Busy => Reply::Busy,
                });
                self.requests.set(id, state.clone());
                Err(state)
            }
        }
    }

    fn put_done(&mut self, exchange: ExchangeId, put: PendingPut, state: PutState) {
        match put.to {
            PutClient::Http { is_answered: false } => {
                self.responses.push_back((exchange, put_response(&state, &put.id)));
            }
            PutClient::Http { is_answered: true } => {}
            PutClient::Stream(stream) => self.stream_reply(stream, &state.json(Some(&put.id), None)),
        }
        self.requests.set(&put.id, state);
    }

    /// Answers `GET /signalk/v1/requests/<id>`.
    pub(super) fn request_state(&self, id: &str) -> Response {
        match self.requests.state(id, self.hal.clock.now()) {
            Some(state) => Response::json(200, state.json(Some(id), Some(&Requests::href(id)))),
            None => Response::error(404, "no such request, or it is older than an hour"),
        }
    }
}

fn put_response(state: &PutState, id: &str) -> Response {
    Response::json(state.status, state.json(Some(id), Some(&Requests::href(id))))
}

fn reply(outcome: Outcome) -> Reply {
    match outcome {
        Outcome::Answered(text) => Reply::Text(text),
        Outcome::MissingHandler => Reply::Missing,
        Outcome::Failed(failure) if failure.is_timeout() => Reply::Late,
        Outcome::Failed(failure) => Reply::Failed(alloc::format!("{failure}")),
        Outcome::Stopped | Outcome::Configured(_) | Outcome::Replaced(_) | Outcome::Removed => Reply::Stopped,
    }
}
