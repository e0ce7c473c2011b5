//! The HTTP requests of one plugin: those its guest waits for, and those that call it back.

use alloc::collections::VecDeque;
use alloc::format;
use alloc::string::String;
use core::task::Poll;
use core::time::Duration;

use super::orphans::{Orphan, Orphans};
use crate::budget::PluginLimits;
use crate::fetch::{Exchange, FetchClient, Order};
use crate::hal::{Destinations, FetchError};
use crate::host::fetch::{FetchRequest, Fetched, Ticket};
use crate::sorted::SortedMap;
use crate::time::Instant;

/// Time between two tries of a request that `plugin_start` waits for while there is no network.
pub const OFFLINE_RETRY: Duration = Duration::from_secs(5);
/// Time between two tries of a request for which the requests of other plugins leave no place.
const PLACE_RETRY: Duration = Duration::from_millis(100);
/// Time after which such a request fails.
const PLACE_PATIENCE: Duration = Duration::from_secs(30);
/// Bytes of a URL that a status shows.
const SHOWN_URL_BYTES: usize = 120;

/// The requests of one plugin.
#[derive(Debug)]
pub(super) struct Fetches {
    jobs: SortedMap<Ticket, Job>,
    last: u32,
    /// Answers whose callbacks have not been called.
    answers: VecDeque<(Fetched, i32)>,
    destinations: Destinations,
    body_bytes_max: u32,
    jobs_max: usize,
    /// The plugin is being stopped: nothing is fetched any more.
    closed: bool,
    /// `plugin_start` runs: its requests wait for the network instead of failing.
    patient: bool,
    /// A request failed on its way, not by its answer.
    failed: bool,
    /// What to log, of calls that had no log at hand.
    notes: VecDeque<String>,
    orphans: Orphans,
}

#[derive(Debug)]
struct Job {
    request: FetchRequest,
    /// `None` while it waits for the next try.
    exchange: Option<Exchange>,
    /// When it is tried again, and why it could not go.
    retry: Option<(Instant, FetchError)>,
    asked_at: Instant,
    callback: Option<i32>,
    /// Its result, until it is asked for.
    ended: Option<Fetched>,
}

impl Fetches {
    pub(super) fn new(limits: &PluginLimits, orphans: Orphans) -> Self {
        Self {
            jobs: SortedMap::new(),
            last: 0,
            answers: VecDeque::new(),
            destinations: Destinations::default(),
            body_bytes_max: limits.fetch_body_bytes_max,
            jobs_max: limits.fetches_max.into(),
            closed: false,
            patient: false,
            failed: false,
            notes: VecDeque::new(),
            orphans,
        }
    }

    /// Makes ready for a fresh instance.
    pub(super) fn open(&mut self, destinations: Destinations) {
        self.destinations = destinations;
        (self.closed, self.patient, self.failed) = (false, false, false);
    }

    /// Tells whether `plugin_start` runs, whose requests wait for the network.
    pub(super) fn set_patient(&mut self, patient: bool) {
        self.patient = patient;
    }

    /// Tells whether a request of this instance did not reach its server.
    pub(super) fn has_failed(&self) -> bool {
        self.failed
    }

    /// Begins a request; the failure of one that cannot begin is its answer.
    pub(super) fn begin(
        &mut self,
        request: FetchRequest,
        callback: Option<i32>,
        client: &mut FetchClient<'_>,
    ) -> Ticket {
        self.last = self.last.wrapping_add(1);
        let ticket = Ticket(self.last);
        // One more for the guest that waits: callbacks must not take its place.
        let room = if callback.is_some() { self.jobs_max } else { self.jobs_max.saturating_add(1) };
        let mut job = Job { request, exchange: None, retry: None, asked_at: client.now, callback, ended: None };
        if self.closed {
            job.ended = Some(self.failure(&job.request, &FetchError::Cancelled));
        } else if self.jobs.len().saturating_add(self.answers.len()) >= room {
            job.ended = Some(self.failure(&job.request, &FetchError::TooMany));
        } else {
            self.attempt(&mut job, client);
        }
        match (callback, job.ended.take()) {
            (Some(callback), Some(fetched)) => self.called_back(fetched, callback),
            (_, ended) => {
                job.ended = ended;
                self.jobs.insert(ticket, job);
            }
        }
        ticket
    }

    fn called_back(&mut self, fetched: Fetched, callback: i32) {
        // A guest that never lets its callbacks run loses the oldest of them.
        if self.answers.len() >= self.jobs_max.saturating_mul(2) {
            self.answers.pop_front();
        }
        self.answers.push_back((fetched, callback));
    }

    /// Plans a callback for a request that could not be read.
    pub(super) fn refuse(&mut self, callback: i32) {
        self.called_back(Fetched::default(), callback);
    }

    fn attempt(&mut self, job: &mut Job, client: &mut FetchClient<'_>) {
        let request = &job.request;
        let order = Order {
            method: request.method,
            url: &request.url,
            headers: &request.headers,
            body: request.body.as_deref().unwrap_or_default(),
            body_bytes_max: self.body_bytes_max,
            destinations: &self.destinations,
        };
        match Exchange::begin(&order, client.now, client) {
            Ok(exchange) => job.exchange = Some(exchange),
            Err(error) => self.end(job, Err(error), client.now),
        }
    }

    fn end(&mut self, job: &mut Job, result: Result<crate::fetch::Fetched, FetchError>, now: Instant) {
        job.exchange = None;
        job.ended = match result {
            Ok(fetched) => Some(Fetched { status: fetched.status, redirected: fetched.redirected, body: fetched.body }),
            Err(FetchError::Offline) if self.patient && job.callback.is_none() => {
                job.retry = Some((now + OFFLINE_RETRY, FetchError::Offline));
                None
            }
            // The places are all plugins' together: what is over waits.
            Err(FetchError::TooMany) if now < job.asked_at + PLACE_PATIENCE => {
                job.retry = Some((now + PLACE_RETRY, FetchError::TooMany));
                None
            }
            Err(error) => Some(self.failure(&job.request, &error)),
        };
    }

    fn failure(&mut self, request: &FetchRequest, error: &FetchError) -> Fetched {
        // What the plugin itself did wrong does not get better with time.
        self.failed |= !matches!(
            error,
            FetchError::Request(_)
                | FetchError::Denied
                | FetchError::NoTls
                | FetchError::Cancelled
                | FetchError::TooMany
        );
        if self.notes.len() < self.jobs_max {
            self.notes.push_back(format!("{} {}: {error}", request.method.name(), shown(&request.url)));
        }
        Fetched::default()
    }

    /// Takes the answer of the request a guest waits for.
    pub(super) fn poll(&mut self, ticket: Ticket, client: &mut FetchClient<'_>) -> Poll<Fetched> {
        let Some(mut job) = self.jobs.remove(&ticket) else { return Poll::Ready(Fetched::default()) };
        self.advance(&mut job, client);
        match job.ended.take() {
            Some(fetched) => Poll::Ready(fetched),
            None => {
                self.jobs.insert(ticket, job);
                Poll::Pending
            }
        }
    }

    fn advance(&mut self, job: &mut Job, client: &mut FetchClient<'_>) {
        if job.retry.as_ref().is_some_and(|(at, _)| *at <= client.now) {
            job.retry = None;
            self.attempt(job, client);
        }
        let polled = job.exchange.as_mut().map(|exchange| exchange.poll(client.now, client));
        if let Some(Poll::Ready(result)) = polled {
            self.end(job, result, client.now);
        }
    }

    /// Goes on with the requests that call back; returns when one wants to be looked at again.
    pub(super) fn run(&mut self, client: &mut FetchClient<'_>) -> Option<Instant> {
        let tickets: heapless::Vec<Ticket, 64> =
            self.jobs.iter().filter(|(_, job)| job.callback.is_some()).map(|(ticket, _)| *ticket).take(64).collect();
        for ticket in tickets {
            let Some(mut job) = self.jobs.remove(&ticket) else { continue };
            self.advance(&mut job, client);
            match (job.ended.take(), job.callback) {
                (Some(fetched), Some(callback)) => self.called_back(fetched, callback),
                _ => {
                    self.jobs.insert(ticket, job);
                }
            }
        }
        self.wake()
    }

    /// Tells whether there is no request, no answer and no note.
    pub(super) fn is_empty(&self) -> bool {
        self.jobs.is_empty() && self.answers.is_empty() && self.notes.is_empty()
    }

    /// Returns when a request is given up or tried again.
    pub(super) fn wake(&self) -> Option<Instant> {
        let at =
            |job: &Job| job.retry.as_ref().map(|(at, _)| *at).or_else(|| job.exchange.as_ref().map(Exchange::deadline));
        self.jobs.values().filter_map(at).min()
    }

    /// Takes an answer whose callback is to be called.
    pub(super) fn next_answer(&mut self) -> Option<(Fetched, i32)> {
        self.answers.pop_front()
    }

    /// Takes a line for the plugin's log.
    pub(super) fn next_note(&mut self) -> Option<String> {
        self.notes.pop_front()
    }

    /// Says what the guest waits for, and whether it waits for the network itself.
    pub(super) fn waits_for(&self) -> Option<(String, bool)> {
        let job = self.jobs.values().find(|job| job.callback.is_none())?;
        let what = format!("{} {}", job.request.method.name(), shown(&job.request.url));
        Some(match &job.retry {
            Some((_, reason)) => (format!("waits for the network: {what}: {reason}"), true),
            None => (format!("waits for the answer to {what}"), false),
        })
    }

    /// Ends every request; the guest that waits gets an empty answer, and so does each later request.
    pub(super) fn close(&mut self) {
        self.closed = true;
        self.answers.clear();
        for job in self.jobs.values_mut() {
            if let Some(exchange) = job.exchange.take() {
                self.orphans.leave(Orphan::Request(exchange.id()));
            }
            job.retry = None;
            job.ended = Some(Fetched::default());
        }
        self.jobs.retain(|_, job| job.callback.is_none());
    }

    /// Forgets everything: the instance is gone.
    pub(super) fn release(&mut self) {
        self.close();
        self.jobs.clear();
    }
}

impl Drop for Fetches {
    fn drop(&mut self) {
        self.release();
    }
}

/// Returns a URL without its query, which may hold keys, cut to what a status shows.
fn shown(url: &str) -> &str {
    let end = url.find(['?', '#']).unwrap_or(url.len()).min(SHOWN_URL_BYTES);
    let end = (0..=end).rev().find(|&end| url.is_char_boundary(end)).unwrap_or(0);
    url.get(..end).unwrap_or_default()
}
