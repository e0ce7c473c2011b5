//! Exchanges that wait for plugins: questions out, replies in, exactly one answer each.

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

use super::Gateway;
use super::install::Arrival;
use super::puts::PendingPut;
use crate::accounts::IS_KEPT;
use crate::delta::{Delta, DeltaVersion, Stamp};
use crate::json;
use crate::plugin::{ExchangeId, Finished, Outcome, Reply};
use crate::server::providers::{Done, Effect, Step, Then};
use crate::server::put::PutState;
use crate::server::{self, Access, Response, patience};
use crate::sorted::SortedMap;
use crate::time::Instant;

/// Said with status 503 to clients beyond those that may wait.
pub(super) const TOO_MANY: &str = "too many requests are waiting, try again later";

/// The event that an exchange waits for.
pub(super) enum Pending {
    /// The HAL does something about connections.
    #[cfg(any(test, feature = "server-routes"))]
    Connection,
    /// A new configuration of this package.
    Configuration(String),
    /// The HAL is keeping the files of a package.
    Files(Box<Arrival>),
    /// A version comes up, which is staged or in force already.
    Install { id: String, staged: bool },
    /// The HAL is reading a plugin's files again.
    Reload { id: String },
    /// A plugin is being removed.
    Remove { id: String },
    /// One of the questions of another exchange.
    Part { of: ExchangeId, index: usize },
    /// The handler of a PUT request.
    Put(PendingPut),
}

/// An exchange with questions out.
struct Job {
    replies: Vec<Option<Reply>>,
    then: Then,
    deadline: Instant,
}

impl Job {
    /// Goes on; a reply that is not there is late.
    fn next(self) -> Step {
        (self.then)(self.replies.into_iter().map(|reply| reply.unwrap_or(Reply::Late)).collect())
    }
}

/// What is added to an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mark {
    /// A page of another origin is to read it.
    Elsewhere,
    /// Nobody may frame it.
    Unframed,
}

/// All exchanges that wait, and the answers that are ready.
pub(super) struct Exchanges {
    next_id: u64,
    waiting_max: usize,
    pending: SortedMap<ExchangeId, Pending>,
    jobs: SortedMap<ExchangeId, Job>,
    responses: VecDeque<(ExchangeId, Response)>,
    /// Those whose answers get header fields of their own.
    marked: Vec<(ExchangeId, Mark)>,
    /// Exchanges that were not admitted.
    refused: u64,
    /// The exchange of the gateway itself, and its answer.
    #[cfg(any(test, feature = "appstore"))]
    own: Option<(ExchangeId, Option<Response>)>,
}

impl Exchanges {
    /// Lets `waiting_max` clients wait at a time.
    pub fn new(waiting_max: u16) -> Self {
        Self {
            next_id: 1,
            waiting_max: usize::from(waiting_max),
            pending: SortedMap::new(),
            jobs: SortedMap::new(),
            responses: VecDeque::new(),
            marked: Vec::new(),
            refused: 0,
            #[cfg(any(test, feature = "appstore"))]
            own: None,
        }
    }

    pub fn new_id(&mut self) -> ExchangeId {
        let id = ExchangeId(self.next_id);
        self.next_id = self.next_id.wrapping_add(1);
        id
    }

    /// Makes an exchange whose answer nobody but [`take_own`](Self::take_own) gets; there is one at a time.
    #[cfg(any(test, feature = "appstore"))]
    pub fn new_own_id(&mut self) -> ExchangeId {
        let id = self.new_id();
        self.own = Some((id, None));
        id
    }

    /// Tells whether the answer to the gateway's own exchange is there.
    #[cfg(any(test, feature = "appstore"))]
    pub fn has_own_answer(&self) -> bool {
        self.own.as_ref().is_some_and(|(_, answer)| answer.is_some())
    }

    /// Takes the answer to the gateway's own exchange.
    #[cfg(any(test, feature = "appstore"))]
    pub fn take_own(&mut self, exchange: ExchangeId) -> Option<Response> {
        let response = self.own.as_mut().filter(|(own, _)| *own == exchange)?.1.take();
        if response.is_some() {
            self.own = None;
        }
        response
    }

    /// Returns how many clients wait.
    pub fn waiting(&self) -> usize {
        let parts = |pending: &&Pending| !matches!(pending, Pending::Part { .. });
        self.jobs.len().saturating_add(self.pending.values().filter(parts).count())
    }

    /// Tells whether one more may wait; one that may not is counted.
    pub fn admit(&mut self) -> bool {
        let has_room = self.waiting() < self.waiting_max;
        self.refused = self.refused.saturating_add(u64::from(!has_room));
        has_room
    }

    /// Returns how many were not admitted.
    pub fn refused(&self) -> u64 {
        self.refused
    }

    pub fn open(&mut self, exchange: ExchangeId, pending: Pending) {
        self.pending.insert(exchange, pending);
    }

    /// Ends the wait of an exchange and returns what it waited for.
    pub fn close(&mut self, exchange: ExchangeId) -> Option<Pending> {
        self.pending.remove(&exchange)
    }

    /// Takes note that the answer gets header fields of its own.
    pub fn mark(&mut self, exchange: ExchangeId, mark: Mark) {
        self.marked.push((exchange, mark));
    }

    /// Answers a client.
    pub fn respond(&mut self, exchange: ExchangeId, response: Response) {
        #[cfg(any(test, feature = "appstore"))]
        if let Some((_, answer)) = self.own.as_mut().filter(|(own, _)| *own == exchange) {
            *answer = Some(response);
            return;
        }
        // Only where there are two doors, and pages of another origin get something.
        let place = self.marked.iter().position(|(marked, _)| *marked == exchange);
        let response = match place.filter(|_| IS_KEPT).map(|place| self.marked.swap_remove(place)) {
            Some((_, Mark::Elsewhere)) => Access::readable(response),
            Some((_, Mark::Unframed)) => Access::unframed(response),
            None => response,
        };
        self.responses.push_back((exchange, response));
    }

    pub fn next_response(&mut self) -> Option<(ExchangeId, Response)> {
        self.responses.pop_front()
    }

    /// Takes the reply to one question of an exchange; returns the job when it was the last one that was missing.
    fn reply(&mut self, exchange: ExchangeId, index: usize, reply: Reply) -> Option<Job> {
        let job = self.jobs.get_mut(&exchange)?;
        if let Some(slot) = job.replies.get_mut(index) {
            *slot = Some(reply);
        }
        if job.replies.iter().any(Option::is_none) {
            return None;
        }
        self.jobs.remove(&exchange)
    }

    /// Takes the jobs whose plugins have had long enough; answers that come later belong to nobody.
    fn late_jobs(&mut self, now: Instant) -> Vec<(ExchangeId, Job)> {
        let late = self.jobs.iter().filter(|(_, job)| job.deadline <= now).map(|(exchange, _)| *exchange);
        let late: Vec<ExchangeId> = late.collect();
        let is_late = |pending: &Pending| matches!(pending, Pending::Part { of, .. } if late.contains(of));
        self.pending.retain(|_, pending| !is_late(pending));
        late.iter().filter_map(|exchange| Some((*exchange, self.jobs.remove(exchange)?))).collect()
    }

    /// Takes the PUT requests whose clients have waited long enough.
    fn late_puts(&mut self, now: Instant) -> Vec<(ExchangeId, PendingPut)> {
        let is_late = |pending: &Pending| matches!(pending, Pending::Put(put) if put.deadline() <= now);
        let late = self.pending.iter().filter(|(_, pending)| is_late(pending)).map(|(exchange, _)| *exchange);
        let late: Vec<ExchangeId> = late.collect();
        let puts = late.into_iter().filter_map(|exchange| match self.pending.remove(&exchange)? {
            Pending::Put(put) => Some((exchange, put)),
            _ => None,
        });
        puts.collect()
    }

    /// Returns the next time at which an exchange has waited long enough.
    fn next_deadline(&self) -> Option<Instant> {
        let puts = self.pending.values().filter_map(|pending| match pending {
            Pending::Put(put) => Some(put.deadline()),
            _ => None,
        });
        self.jobs.values().map(|job| job.deadline).chain(puts).min()
    }
}

impl Gateway {
    /// Takes the steps of an answer until plugins have to be asked; returns the response when it is there.
    pub(super) fn take_step(&mut self, exchange: ExchangeId, mut step: Step) -> Option<Response> {
        loop {
            let (questions, then) = match step {
                Step::Done(done) => return Some(self.done(done)),
                Step::Ask(questions, then) => (questions, then),
            };
            let mut replies = Vec::new();
            for (index, question) in questions.into_iter().enumerate() {
                let part = self.clients.exchanges.new_id();
                if let Some(reply) = self.own_reply(&question) {
                    replies.push(Some(reply));
                    continue;
                }
                replies.push(match self.plugins.registry.ask(&question.package, part, question.call) {
                    Ok(()) => {
                        self.clients.exchanges.open(part, Pending::Part { of: exchange, index });
                        None
                    }
                    Err(reply) => Some(reply),
                });
            }
            if replies.iter().any(Option::is_none) {
                let deadline = self.hal.clock.now() + patience::PLUGINS;
                self.clients.exchanges.jobs.insert(exchange, Job { replies, then, deadline });
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
                if let Err(error) = self.clients.defaults.choose(&api, &package, &mut *self.hal.storage) {
                    log::warn!("the default provider is forgotten at the next start: {error}");
                }
            }
            #[cfg(any(test, feature = "course"))]
            Effect::Course { order, href, found } => return self.obey_with(&order, &href, found.as_deref()),
        }
        done.response
    }

    /// Tells clients and plugins of a changed resource (plugin ABI §10.1); the data model is not touched.
    fn publish_resource(&mut self, package: &str, path: &str, value: &str) {
        let stamp = Stamp { source_ref: package, self_context: &self.setup.self_context, now: self.wall() };
        match Delta::of_value("", path, value, &stamp) {
            Ok(delta) => self.take_in(Arc::new(delta.with_version(DeltaVersion::V2)), 0),
            Err(error) => log::warn!("clients are not told of the change of {path}: {error}"),
        }
    }

    /// Takes in how a call ended.
    pub(super) fn finish(&mut self, finished: Finished) {
        let exchange = finished.exchange;
        if matches!(finished.result, Outcome::Removed) {
            // What it told of the boat goes with it.
            let registry = &self.plugins.registry;
            self.model.keep_packages(|name| registry.plugins().any(|plugin| plugin.package_name() == name));
        }
        let Some(pending) = self.clients.exchanges.close(exchange) else { return };
        let response = match (pending, finished.result) {
            (Pending::Configuration(package), Outcome::Configured(result)) => {
                server::plugins::configured(&package, &result)
            }
            #[cfg(any(test, feature = "server-routes"))]
            (Pending::Connection, _) => Response::error(500, "no plugin was asked"),
            (Pending::Configuration(_), _) => Response::error(500, "the plugin gave no answer"),
            (Pending::Install { id, staged }, outcome) => self.installed(&id, staged, &outcome),
            (Pending::Files(_), _) => Response::error(500, "the package was given up"),
            (Pending::Reload { id }, outcome) => self.reloaded(&id, &outcome),
            (Pending::Remove { id }, _) => {
                let body = json::object(|body| {
                    body.boolean("removed", true);
                });
                self.sweep_files(&id);
                Response::json(200, body)
            }
            (Pending::Part { of, index }, outcome) => {
                if let Some(job) = self.clients.exchanges.reply(of, index, outcome.into_reply()) {
                    self.go_on(of, job);
                }
                return;
            }
            (Pending::Put(put), outcome) => return self.put_done(exchange, put, PutState::of(&outcome.into_reply())),
        };
        self.clients.exchanges.respond(exchange, response);
    }

    fn go_on(&mut self, exchange: ExchangeId, job: Job) {
        if let Some(response) = self.take_step(exchange, job.next()) {
            self.clients.exchanges.respond(exchange, response);
        }
    }

    /// Answers those who have waited long enough; returns when the next one will have.
    pub(super) fn end_waiting(&mut self, now: Instant) -> Option<Instant> {
        if self.clients.exchanges.next_deadline().is_some_and(|deadline| deadline <= now) {
            for (exchange, job) in self.clients.exchanges.late_jobs(now) {
                self.go_on(exchange, job);
            }
            for (exchange, put) in self.clients.exchanges.late_puts(now) {
                self.put_is_late(exchange, put);
            }
        }
        self.clients.exchanges.next_deadline()
    }
}
