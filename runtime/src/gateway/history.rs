//! History: kept as its settings say, read slice by slice, so that the bus never waits for a long query.

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::time::Duration;

use super::{Gateway, StreamId, Wake};
use crate::config::HistoryConfig;
use crate::delta::{Delta, DeltaWriter, UpdateHead, ValueSink};
use crate::hal::Hal;
use crate::history::{History, Listed, Listing, Moment, Player, Query, READ_BYTES, Range, Scan, Values};
use crate::json::{self, Object, Value};
use crate::model::Model;
use crate::plugin::ExchangeId;
use crate::server::Response;
use crate::sorted::SortedMap;
use crate::time::{Instant, UnixMillis};

/// Queries that are worked at; more are told to come again.
const QUERIES_MAX: usize = 4;
/// Clients that are played to.
const PLAYERS_MAX: usize = 4;
/// Deltas that one client is played in one go.
const PLAYED_AT_A_TIME: usize = 64;
/// Time until a client that takes nothing now is looked at again.
const LOOK_AGAIN: Duration = Duration::from_millis(100);
/// How far before a moment its values are looked for.
const MOMENT: Duration = Duration::from_secs(3600);
/// Said where nothing is kept.
pub(super) const OFF: &str =
    "no history is kept: list its paths as skiff.history.paths in settings.json and start again";

/// A query that is worked at.
struct Job {
    exchange: ExchangeId,
    scan: Scan,
    /// All was read, and the answer is written.
    is_read: bool,
    asks: Asks,
}

/// What a query asks for.
enum Asks {
    Values(Box<Values>),
    Names(Listing),
    /// The tree of a moment, below these segments.
    Moment(Moment, Vec<String>),
}

/// What is kept of the past, and who reads it.
#[derive(Default)]
pub(super) struct HistoryKeeper {
    history: Option<History>,
    jobs: VecDeque<Job>,
    players: SortedMap<StreamId, Player>,
}

impl HistoryKeeper {
    /// Takes what is listed of a delta.
    pub fn hear(&mut self, delta: &Delta, hal: &mut Hal) {
        if let Some(history) = &mut self.history {
            let wall = hal.clock.wall().unwrap_or(UnixMillis::UNKNOWN);
            history.hear(delta, &mut *hal.storage, wall);
        }
    }

    /// Tells whether a past is kept.
    pub fn is_kept(&self) -> bool {
        self.history.is_some()
    }

    /// Tells whether somebody reads it at the moment.
    #[cfg(any(test, feature = "server-routes"))]
    pub fn is_read(&self) -> bool {
        !self.jobs.is_empty() || !self.players.is_empty()
    }

    /// Forgets a client that was played to.
    pub fn leave(&mut self, id: StreamId) {
        self.players.remove(&id);
    }

    /// Writes what it did.
    pub fn status(&self, out: &mut Object<'_>) {
        let Some(history) = &self.history else { return };
        let (counters, (stored, waiting)) = (history.counters(), history.bytes());
        out.object("history", |out| {
            out.number("values", counters.values).number("writes", counters.writes);
            out.number("bytes", stored).number("waiting_bytes", waiting);
            out.number("untimed", counters.untimed).number("no_room", counters.no_room);
            out.number("lost", counters.lost).number("queries", self.jobs.len()).number("players", self.players.len());
        });
    }
}

impl Gateway {
    /// Begins to keep the past, or keeps none.
    pub fn keep_history(&mut self, config: Option<&HistoryConfig>) {
        let open = |config| History::open(config, &self.setup.self_context, &mut *self.hal.storage);
        self.history.history = match config.map(open) {
            Some(Ok(history)) => Some(history),
            Some(Err(error)) => {
                log::warn!("no history is kept: {error}");
                None
            }
            None => None,
        };
    }

    /// Writes once a minute, works at one query, plays what is due.
    pub(super) fn drive_history(&mut self, now: Instant, wake: &mut Wake) {
        let Some(history) = &mut self.history.history else { return };
        let write = history.drive(&mut *self.hal.storage, now);
        self.work_at_queries(wake);
        let play = self.play(now, wake);
        wake.at = [wake.at, write, play].into_iter().flatten().min();
    }

    /// Stores what waits, when the gateway stops.
    pub(super) fn save_history(&mut self) {
        if let Some(history) = &mut self.history.history {
            history.save(&mut *self.hal.storage);
        }
    }

    /// Begins a query; returns the answer where there can be none, else it comes later.
    fn begin(&mut self, exchange: ExchangeId, range: Range, asks: Asks) -> Option<Response> {
        let Some(history) = &self.history.history else { return Some(Response::error(501, OFF)) };
        if self.history.jobs.len() >= QUERIES_MAX {
            return Some(Response::error(503, "too many queries of history are worked at, try again later"));
        }
        let scan = history.scan(range.from, range.to, READ_BYTES);
        self.history.jobs.push_back(Job { exchange, scan, is_read: false, asks });
        None
    }

    /// Answers with values.
    pub(super) fn history_values(&mut self, exchange: ExchangeId, context: &str, query: Query) -> Option<Response> {
        let range = query.range;
        let is_angle = |path: &str| {
            let meta = self.model.meta_at(context, path);
            meta.as_deref().and_then(|meta| json::member(meta, "units")) == Some("\"rad\"")
        };
        match Values::new(query, context, is_angle) {
            Some(values) => self.begin(exchange, range, Asks::Values(Box::new(values))),
            None => Some(too_much()),
        }
    }

    /// Answers with the names that have values.
    pub(super) fn history_names(&mut self, exchange: ExchangeId, range: Range, listed: Listed) -> Option<Response> {
        self.begin(exchange, range, Asks::Names(Listing::new(listed)))
    }

    /// Answers with the tree as it was.
    pub(super) fn history_moment(
        &mut self,
        exchange: ExchangeId,
        time: UnixMillis,
        path: Vec<String>,
    ) -> Option<Response> {
        let span = i64::try_from(MOMENT.as_millis()).unwrap_or(0);
        let range = Range { from: UnixMillis(time.0.saturating_sub(span)), to: time };
        self.begin(exchange, range, Asks::Moment(Moment::default(), path))
    }

    /// Works at the query whose turn it is: reads a piece, or writes one.
    fn work_at_queries(&mut self, wake: &mut Wake) {
        let keeper = &mut self.history;
        let (Some(history), Some(mut job)) = (&keeper.history, keeper.jobs.pop_front()) else { return };
        wake.busy = true;
        let mut answer = None;
        if job.is_read {
            answer = match &mut job.asks {
                Asks::Values(values) => values.write().map(|text| Response::json(200, text)),
                Asks::Names(listing) => Some(Response::json(200, listing.json())),
                Asks::Moment(moment, path) => Some(self.tree_of(moment, path)),
            };
        } else {
            let storage = &mut *self.hal.storage;
            job.is_read = !match &mut job.asks {
                Asks::Values(values) => history.step(&mut job.scan, storage, &mut **values),
                Asks::Names(listing) => history.step(&mut job.scan, storage, listing),
                Asks::Moment(moment, _) => history.step(&mut job.scan, storage, moment),
            };
            if matches!(&job.asks, Asks::Values(values) if values.is_too_much()) {
                answer = Some(too_much());
            }
        }
        match answer {
            Some(answer) => self.clients.exchanges.respond(job.exchange, answer),
            None => self.history.jobs.push_back(job),
        }
    }

    /// Builds the full data model of a moment, and answers with what stands at a path of it.
    fn tree_of(&self, moment: &Moment, path: &[String]) -> Response {
        let mut model = Model::new(&self.setup.limits, &self.setup.self_context);
        let mut is_empty = true;
        for (path, source, at, value) in moment.values() {
            let mut writer = DeltaWriter::new(None, Some(&self.setup.self_context));
            let time = at.text();
            let head = UpdateHead { source_ref: Some(source), timestamp: Some(&time), ..UpdateHead::default() };
            writer.update(&head);
            writer.value(path, Value::Json(value));
            if let Ok(delta) = writer.finish() {
                model.apply(&delta);
                is_empty = false;
            }
        }
        if is_empty {
            return Response::error(404, "there is no value of the hour before that time");
        }
        let path: Vec<&str> = path.iter().map(String::as_str).collect();
        match model.json_at(&path) {
            Some(tree) => Response::json(200, tree),
            None => Response::not_found(),
        }
    }

    /// Begins to play the past to a client; `None` where too many are played to.
    pub(super) fn begin_to_play(&mut self, id: StreamId, from: UnixMillis, rate: f64) -> bool {
        let (now, wall) = (self.hal.clock.now(), self.wall());
        let Some(history) = &self.history.history else { return false };
        let player = Player::new(history, &self.setup.self_context, from, wall, rate, now);
        self.history.players.insert(id, player);
        true
    }

    /// Tells whether one more client can be played to.
    pub(super) fn may_play(&self) -> bool {
        self.history.players.len() < PLAYERS_MAX
    }

    /// Plays what is due; returns when the next is.
    fn play(&mut self, now: Instant, wake: &mut Wake) -> Option<Instant> {
        let keeper = &mut self.history;
        let history = keeper.history.as_ref()?;
        let (mut due, mut ended) = (None::<Instant>, Vec::new());
        for (id, player) in &mut keeper.players {
            let goes_on = player.read(history, &mut *self.hal.storage);
            let Some(session) = self.clients.streams.session_mut(*id) else {
                ended.push(*id);
                continue;
            };
            let mut played = 0_usize;
            while played < PLAYED_AT_A_TIME
                && session.has_room()
                && let Some(delta) = player.next(now)
            {
                session.play(&Arc::new(delta), &self.model, now);
                played = played.saturating_add(1);
            }
            wake.busy |= played > 0 || player.is_hungry();
            let next = if session.has_room() && goes_on { player.due() } else { Some(now + LOOK_AGAIN) };
            due = [due, next].into_iter().flatten().min();
            if !goes_on && session.is_idle() {
                ended.push(*id);
            }
        }
        for id in ended {
            self.close_stream(id);
        }
        due
    }
}

fn too_much() -> Response {
    Response::error(400, "the answer would be too long: ask for fewer paths, a shorter time, or a coarser resolution")
}
