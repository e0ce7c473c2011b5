//! One client of the delta stream `/signalk/v1/stream` (plugin ABI §12.4), without its socket.
//!
//! The gateway offers every delta to every [`Session`]; a session keeps what its client asked for in
//! a bounded queue and gives it out as text when the socket can take it. When the client is too
//! slow, the queue collapses to the latest value of each path and source, and the deltas made of
//! it say so with `$backpressure`.

mod client;
mod contexts;
mod pace;
mod pending_value;
#[cfg(any(test, feature = "history"))]
mod playback;
mod root;
mod text;

use alloc::boxed::Box;
use alloc::collections::{BTreeSet, VecDeque};
use alloc::format;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

use super::Response;
use super::put::{Put, PutState};
use super::url::decode_query;
use crate::accounts::Role;
use crate::budget::Limits;
use crate::delta::{DELTA_BYTES_MAX, Delta, DeltaWriter, Stamp, UpdateHead, UpdateRef, ValueSink};
use crate::http::Request;
use crate::json::{self, List, Member, Value};
use crate::model::{CachedCursor, Model, Scope};
use crate::paths::PatternSet;
use crate::queue::Queue;
use crate::server::SERVER_ROUTES;
use crate::time::{Instant, UnixMillis};
pub use client::Identity;
use client::{ClientMessage, SOURCE_POLICY, Subscriptions, is_all_sources};
use contexts::Contexts;
use pace::{Pace, Pacer};
use pending_value::{PendingValue, write};
pub use text::StreamText;

/// Subscriptions of one client.
pub const SUBSCRIPTIONS_MAX: usize = 256;
/// Messages of one client that ask for new paths to be announced.
const ANNOUNCED_MAX: usize = 16;
/// Answers waiting for one client; more are dropped and counted.
const REPLIES_MAX: u16 = 16;
const REPLY_BYTES_MAX: u32 = 8 * 1024;
/// The same for an admin who asked for server events: a list of all sources has 60 KB on a busy bus.
const EVENTS_MAX: u16 = 96;
const EVENT_BYTES_MAX: u32 = 256 * 1024;
/// Values in one delta that was made of collapsed ones.
const VALUES_PER_DELTA: usize = 64;

/// Settings of a session when it opens.
#[derive(Clone, Copy, Debug)]
pub struct StreamContext<'a> {
    /// Context of the own vessel.
    pub self_context: &'a str,
    /// Version of the gateway, for the hello.
    pub version: &'a str,
    /// Wall clock, for the hello.
    pub wall: UnixMillis,
    /// Another one after each start of the gateway, for the hello.
    pub start_id: &'a str,
    /// What the client may do.
    pub rights: Rights,
    /// Limits of the board.
    pub limits: &'a Limits,
}

/// What a client may do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rights {
    /// It is given the boat's data; without this it can only log in, show a token, or ask to be let in.
    pub reads: bool,
    /// What its token or login allows; `None` is a guest.
    pub role: Option<Role>,
}

impl Rights {
    /// Tells whether the client may change values and send deltas.
    #[must_use]
    pub fn may_write(self) -> bool {
        self.role >= Some(Role::ReadWrite)
    }
}

/// The request in a client's text.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SessionEvent {
    /// Publish this delta; the client may.
    Delta(Delta),
    /// Hand this PUT request to its plugin and send the reply; the client may.
    Put {
        /// The client's own id.
        request_id: Option<String>,
        /// What it wants.
        put: Put,
    },
    /// Send the state of a request.
    Query {
        /// Its id.
        request_id: String,
    },
    /// Judge who the client is, or wants to be.
    Identity {
        /// The client's own id.
        request_id: Option<String>,
        /// What it shows or asks.
        identity: Identity,
    },
}

/// Counters of a session since it opened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StreamCounters {
    /// Deltas offered.
    pub offered: u64,
    /// Texts given out.
    pub sent: u64,
    /// Values that were replaced by later ones because the client was too slow.
    pub collapsed: u64,
    /// Values and answers that found no room at all.
    pub dropped: u64,
    /// Times the client fell behind.
    pub backpressure: u64,
    /// Texts of the client that were refused.
    pub refused: u64,
}

/// One subscription of a client; the path stands in the set.
#[derive(Debug)]
struct Subscription {
    contexts: Contexts,
    pace: Pace,
}

/// One client.
#[derive(Debug)]
pub struct Session {
    self_context: Box<str>,
    rights: Rights,
    /// It is told the past, and nothing that happens now.
    #[cfg(any(test, feature = "history"))]
    is_played: bool,
    /// Kept until the client may read.
    hello: Option<String>,
    send_cached: bool,
    send_meta: bool,
    server_events: bool,
    /// Values of sources that others are preferred to are told, too.
    all_sources: bool,
    /// Contexts whose deltas are sent whole, as `?subscribe=` says.
    scope: Option<Scope>,
    subscriptions: PatternSet<Subscription>,
    /// Contexts of which each path is told once.
    announce: Vec<Contexts>,
    /// Hashes of the paths that were; a collision leaves one path out.
    announced: BTreeSet<u64>,
    cached: Option<CachedCursor>,
    replies: Queue<Arc<str>>,
    /// Goes out before anything live: cached values, collapsed and paced ones.
    ready: VecDeque<Arc<Delta>>,
    live: Queue<Arc<Delta>>,
    collapsed: BTreeSet<PendingValue>,
    collapsed_since: Instant,
    values_max: usize,
    pacer: Pacer,
    /// Hashes of the paths whose meta was sent; a collision costs one path its meta.
    meta_sent: BTreeSet<u64>,
    counters: StreamCounters,
}

impl Session {
    /// Opens a session as the query of `request` asks for; the hello waits to be sent.
    ///
    /// # Errors
    /// A 400 that says which value of the query is not known.
    pub fn open(request: &Request, context: &StreamContext<'_>) -> Result<Self, Response> {
        let limits = context.limits;
        let values_max = usize::try_from(limits.model_paths_max).unwrap_or(usize::MAX);
        let mut session = Self {
            self_context: context.self_context.into(),
            rights: context.rights,
            #[cfg(any(test, feature = "history"))]
            is_played: false,
            hello: None,
            send_cached: true,
            send_meta: false,
            server_events: false,
            all_sources: false,
            scope: Some(Scope::Own),
            subscriptions: PatternSet::new(SUBSCRIPTIONS_MAX),
            announce: Vec::new(),
            announced: BTreeSet::new(),
            cached: None,
            replies: Queue::new(REPLIES_MAX, REPLY_BYTES_MAX),
            ready: VecDeque::new(),
            live: Queue::new(limits.client_queue_len, limits.plugin.delta_queue_bytes),
            collapsed: BTreeSet::new(),
            collapsed_since: Instant::default(),
            values_max,
            pacer: Pacer::new(values_max),
            meta_sent: BTreeSet::new(),
            counters: StreamCounters::default(),
        };
        session.hello(context);
        for pair in request.query().split('&') {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let value = decode_query(value).unwrap_or_default();
            match (name, &*value) {
                ("subscribe", "self" | "") => {}
                ("subscribe", "all") => session.scope = Some(Scope::All),
                ("subscribe", "none") => session.scope = None,
                ("subscribe", _) => {
                    return Err(Response::error(400, "subscribe must be self, all or none"));
                }
                ("sendCachedValues", value) => session.send_cached = value != "false",
                ("sendMeta", "all") => session.send_meta = true,
                ("sourcePolicy", policy) => match is_all_sources(policy) {
                    Some(all) => session.all_sources = all,
                    None => return Err(Response::error(400, SOURCE_POLICY)),
                },
                ("serverevents", "all") => session.want_server_events(),
                ("startTime" | "playbackRate", _) => {
                    session.reply_text(&format!("{name} is not supported, it is ignored"));
                }
                _ => {}
            }
        }
        session.cached = (session.send_cached && session.scope.is_some()).then(CachedCursor::default);
        Ok(session)
    }

    /// Server events come in bursts, and tell an admin of every source.
    fn want_server_events(&mut self) {
        self.server_events = true;
        if SERVER_ROUTES && self.rights.role == Some(Role::Admin) {
            let mut replies = Queue::new(EVENTS_MAX, EVENT_BYTES_MAX);
            while let Some(reply) = self.replies.pop() {
                let bytes = reply.len();
                replies.push(reply, bytes);
            }
            self.replies = replies;
        }
    }

    fn hello(&mut self, context: &StreamContext<'_>) {
        let hello = json::object(|hello| {
            hello.text("name", "skiff").text("version", context.version).text("self", context.self_context);
            hello.list("roles", |roles| {
                roles.text("master").text("main");
            });
            if context.wall.is_known() {
                hello.text("timestamp", &context.wall.text());
            }
            hello.text("serverStartId", context.start_id);
        });
        if self.rights.reads {
            self.reply(&hello);
        } else {
            self.hello = Some(hello);
        }
    }

    /// Offers a delta; costs little when the client did not ask for it.
    ///
    /// `model` says where contexts are, for those who ask for what is near a place.
    pub fn offer(&mut self, delta: &Arc<Delta>, model: &Model, now: Instant) {
        self.counters.offered = self.counters.offered.saturating_add(1);
        #[cfg(any(test, feature = "history"))]
        if self.is_played {
            return;
        }
        if !self.rights.reads {
            return;
        }
        if let Some(delta) = self.select(delta, model, now) {
            self.enqueue(delta, now);
        }
    }

    /// Takes a text of the client; what it asks of the gateway comes back.
    ///
    /// A delta of the client's is completed with `stamp`. What is malformed, not supported or not allowed is answered
    /// with a JSON string and otherwise ignored.
    pub fn receive(&mut self, text: &str, stamp: &Stamp<'_>) -> Option<SessionEvent> {
        if text.len() > DELTA_BYTES_MAX {
            self.refuse(&format!("message longer than {DELTA_BYTES_MAX} bytes"));
            return None;
        }
        match ClientMessage::parse(text, stamp) {
            Err(error) => self.refuse(&format!("{error}")),
            Ok(ClientMessage::Updates(Ok(delta))) if self.rights.may_write() => {
                return Some(SessionEvent::Delta(delta));
            }
            Ok(ClientMessage::Updates(Err(error))) if self.rights.may_write() => {
                log::info!("delta of a stream client refused: {error}");
                self.refuse(&format!("delta refused: {error}"));
            }
            Ok(ClientMessage::Updates(_)) => {
                self.refuse("deltas are refused: the stream was opened without a token that may write");
            }
            Ok(ClientMessage::Put { request_id, put }) if self.rights.may_write() => {
                return Some(SessionEvent::Put { request_id, put });
            }
            Ok(ClientMessage::Put { request_id, .. }) => {
                let refused = PutState::completed(403, "the stream was opened without a token that may write");
                self.reply(&refused.json(request_id.as_deref(), None));
            }
            Ok(ClientMessage::Identity { request_id, identity }) => {
                return Some(SessionEvent::Identity { request_id, identity });
            }
            Ok(ClientMessage::Query { .. }) if !self.rights.reads => self.refuse("log in first, or send a token"),
            Ok(ClientMessage::Query { request_id }) => return Some(SessionEvent::Query { request_id }),
            Ok(ClientMessage::Request { answer }) => self.reply(&answer),
            Ok(ClientMessage::Subscriptions(change)) => self.change(change),
        }
        None
    }

    /// Returns the next text for the client, `None` when there is nothing to send now.
    ///
    /// `model` gives cached values and meta.
    pub fn next(&mut self, now: Instant, model: &Model) -> Option<StreamText> {
        let text = match self.replies.pop() {
            Some(reply) => Some(StreamText::Other(reply)),
            None if self.rights.reads => self.next_delta(now, model),
            None => None,
        };
        if text.is_some() {
            self.counters.sent = self.counters.sent.saturating_add(1);
        }
        text
    }

    /// Returns when [`next`](Self::next) has something to send even if nothing is offered until then.
    #[must_use]
    pub fn due(&self) -> Option<Instant> {
        self.pacer.due()
    }

    /// Tells whether the client asked for server events (`?serverevents=all`).
    #[must_use]
    pub fn wants_server_events(&self) -> bool {
        self.server_events && self.rights.reads
    }

    /// Tells whether one of the client's subscriptions is called so.
    #[cfg(any(test, feature = "server-routes"))]
    #[must_use]
    pub fn has_subscribed(&self, path: &str) -> bool {
        self.subscriptions.texts().any(|text| text == path)
    }

    /// Lets the client do this from now on; one that could not read yet is greeted.
    pub fn set_rights(&mut self, rights: Rights) {
        self.rights = rights;
        if rights.reads
            && let Some(hello) = self.hello.take()
        {
            self.reply(&hello);
        }
    }

    /// Returns what the client may do.
    #[must_use]
    pub fn rights(&self) -> Rights {
        self.rights
    }

    /// Tells whether the client asked for the values of every source (`sourcePolicy=all`).
    #[must_use]
    pub fn wants_all_sources(&self) -> bool {
        self.all_sources
    }

    /// Returns what the session did.
    #[must_use]
    pub fn counters(&self) -> StreamCounters {
        self.counters
    }

    /// Returns what of `delta` is to be sent now; paced values are kept back.
    fn select(&mut self, delta: &Arc<Delta>, model: &Model, now: Instant) -> Option<Arc<Delta>> {
        match self.scope {
            Some(Scope::All) => return Some(delta.clone()),
            Some(Scope::Own) if delta.is_own(&self.self_context) => return Some(delta.clone()),
            _ => {}
        }
        // The text of a delta is not made for who wants none of it.
        if !delta.updates().any(|update| update.entries().any(|(path, _)| self.wants_of_any_context(path))) {
            return None;
        }
        let context: Box<str> =
            if delta.context().is_empty() { self.self_context.clone() } else { delta.context().into() };
        let announces = self.announce.iter().any(|contexts| contexts.matches(&context, model));
        let mut wanted = Vec::new();
        let mut whole = true;
        for (update_index, update) in delta.updates().enumerate() {
            whole &= update.meta().next().is_none();
            for (entry_index, (path, value)) in update.values().enumerate() {
                let pace = self.pace_of(path, &context, model);
                let is_new = announces && self.is_new(&context, path);
                match pace {
                    // Who a vessel is comes seldom, and is told at once.
                    Some(pace) if pace.is_immediate() || path.is_empty() => {
                        wanted.extend(PendingValue::new(delta, update_index, entry_index));
                    }
                    _ if is_new => wanted.extend(PendingValue::new(delta, update_index, entry_index)),
                    Some(pace) => {
                        let held = PendingValue::new(delta, update_index, entry_index);
                        if !held.is_some_and(|held| self.pacer.put(held, pace, now)) {
                            self.counters.dropped = self.counters.dropped.saturating_add(1);
                        }
                        whole = false;
                    }
                    None => {
                        whole = false;
                        if path.is_empty() {
                            wanted.extend(self.members(delta.context(), &update, value, |path| {
                                self.pace_of(path, &context, model).is_some()
                            }));
                        }
                    }
                }
            }
        }
        if wanted.is_empty() {
            return None;
        }
        if whole { Some(delta.clone()) } else { write(None, &self.self_context, &wanted).map(Arc::new) }
    }

    /// Tells whether a delta with this path can be wanted: whole ones are, whatever is in them.
    #[must_use]
    pub fn wants_path(&self, path: &str) -> bool {
        self.rights.reads && (self.scope.is_some() || self.wants_of_any_context(path))
    }

    /// Tells whether a value of this path can be subscribed to, in whatever context.
    fn wants_of_any_context(&self, path: &str) -> bool {
        // Below the root stands what a vessel is called.
        !self.announce.is_empty()
            || self.subscriptions.matching(path).next().is_some()
            || path.is_empty() && !self.subscriptions.is_empty()
    }

    /// Returns the fastest pace that is asked for a path of a context.
    fn pace_of(&self, path: &str, context: &str, model: &Model) -> Option<Pace> {
        let of_path = self.subscriptions.matching(path);
        let matching = of_path.filter(|subscription| subscription.contexts.matches(context, model));
        matching.map(|subscription| subscription.pace).reduce(Pace::faster)
    }

    /// Tells whether a path was not announced before; it is from now on.
    fn is_new(&mut self, context: &str, path: &str) -> bool {
        let has_room = self.announced.len() < self.values_max;
        let is_new = has_room && self.announced.insert(hash(context, path));
        if !has_room {
            self.counters.dropped = self.counters.dropped.saturating_add(1);
        }
        is_new
    }

    /// Returns those members of a root value that are `wanted`, as values of paths of their own.
    fn members(
        &self,
        context: &str,
        update: &UpdateRef<'_>,
        root: &str,
        wanted: impl Fn(&str) -> bool,
    ) -> Vec<PendingValue> {
        let mut writer = DeltaWriter::new(None, Some(if context.is_empty() { &self.self_context } else { context }));
        writer.update(&UpdateHead {
            source: update.source().map(Value::Json),
            source_ref: Some(update.source_ref()).filter(|name| !name.is_empty()),
            timestamp: Some(update.timestamp()).filter(|time| !time.is_empty()),
        });
        let mut count = 0_usize;
        root::visit_members(root, &mut |path, value| {
            let is_wanted = wanted(path);
            if is_wanted {
                writer.value(path, Value::Json(value));
                count = count.saturating_add(1);
            }
            is_wanted
        });
        // Nothing fits no delta, and neither does more than one takes, which the root value was part of.
        let delta = if count > 0 { writer.finish().ok().map(Arc::new) } else { None };
        delta.map_or_else(Vec::new, |delta| (0..count).filter_map(|at| PendingValue::new(&delta, 0, at)).collect())
    }

    fn enqueue(&mut self, delta: Arc<Delta>, now: Instant) {
        let bytes = delta.heap_bytes();
        if self.collapsed.is_empty() && self.live.has_room(bytes) {
            self.live.push(delta, bytes);
            return;
        }
        if self.collapsed.is_empty() {
            self.counters.backpressure = self.counters.backpressure.saturating_add(1);
            self.collapsed_since = now;
            while let Some(waiting) = self.live.pop() {
                self.collapse(&waiting);
            }
        }
        self.collapse(&delta);
    }

    /// Keeps only the latest value of each path and source.
    fn collapse(&mut self, delta: &Arc<Delta>) {
        for (update_index, update) in delta.updates().enumerate() {
            for entry_index in 0..update.values().count() {
                let Some(held) = PendingValue::new(delta, update_index, entry_index) else {
                    continue;
                };
                if self.collapsed.replace(held).is_some() {
                    self.counters.collapsed = self.counters.collapsed.saturating_add(1);
                } else if self.collapsed.len() > self.values_max {
                    self.collapsed.pop_first();
                    self.counters.dropped = self.counters.dropped.saturating_add(1);
                }
            }
            let lost = u64::try_from(update.meta().count()).unwrap_or(u64::MAX);
            self.counters.dropped = self.counters.dropped.saturating_add(lost);
        }
    }

    fn next_delta(&mut self, now: Instant, model: &Model) -> Option<StreamText> {
        self.fill_ready(now, model);
        let delta = match self.ready.pop_front() {
            Some(delta) => delta,
            None => self.live.pop().or_else(|| self.uncollapse(now))?,
        };
        if self.send_meta
            && let Some(meta) = self.meta_before(&delta, model)
        {
            self.ready.push_front(delta);
            return Some(StreamText::Other(meta.into()));
        }
        Some(StreamText::Delta(delta))
    }

    /// Moves what is due into `ready`: cached values first, then paced ones.
    fn fill_ready(&mut self, now: Instant, model: &Model) {
        while self.ready.is_empty()
            && let Some(mut cursor) = self.cached.take()
        {
            let contexts =
                if self.scope == Some(Scope::Own) && self.subscriptions.is_empty() { Scope::Own } else { Scope::All };
            let Some(piece) = model.cached_after(contexts, self.all_sources, &mut cursor) else {
                break;
            };
            self.cached = Some(cursor);
            if let Some(piece) = self.select(&Arc::new(piece), model, now) {
                self.ready.push_back(piece);
            }
        }
        if self.ready.is_empty() {
            let due = self.pacer.take_due(now);
            for values in due.chunks(VALUES_PER_DELTA) {
                self.write_ready(None, values);
            }
        }
    }

    /// Writes values of any contexts as deltas into `ready`.
    fn write_ready(&mut self, first: Option<Member<'_>>, mut values: &[PendingValue]) {
        while let Some(next) = values.first() {
            let same = values.iter().take_while(|held| held.context() == next.context()).count();
            let Some((now, later)) = values.split_at_checked(same) else {
                return;
            };
            self.ready.extend(write(first, &self.self_context, now).map(Arc::new));
            values = later;
        }
    }

    /// Makes a delta of collapsed values, marked with `$backpressure`.
    fn uncollapse(&mut self, now: Instant) -> Option<Arc<Delta>> {
        let waiting = u64::try_from(self.collapsed.len()).unwrap_or(u64::MAX);
        let mut values = Vec::new();
        while values.len() < VALUES_PER_DELTA
            && let Some(held) = self.collapsed.pop_first()
        {
            values.push(held);
        }
        let millis = u64::try_from(now.since(self.collapsed_since).as_millis()).unwrap_or(u64::MAX);
        let pressure = [("accumulated", Value::whole(waiting)), ("duration", Value::whole(millis))];
        self.write_ready(Some(("$backpressure", Value::Object(&pressure))), &values);
        self.ready.pop_front()
    }

    /// Returns a meta delta for the paths of `delta` whose meta was not sent yet.
    fn meta_before(&mut self, delta: &Delta, model: &Model) -> Option<String> {
        let context = if delta.context().is_empty() { &*self.self_context } else { delta.context() };
        let mut fresh = Vec::new();
        for (path, _) in delta.updates().flat_map(|update| update.values()) {
            if path.is_empty() || self.meta_sent.len() >= self.values_max || !self.meta_sent.insert(hash(context, path))
            {
                continue;
            }
            if let Some(meta) = model.meta_at(context, path) {
                fresh.push((path, meta));
            }
        }
        if fresh.is_empty() {
            return None;
        }
        let entries = |entries: &mut List<'_>| {
            for (path, meta) in &fresh {
                entries.object(|entry| {
                    entry.text("path", path).json("value", meta);
                });
            }
        };
        Some(json::object(|out| {
            out.text("context", context).list("updates", |updates| {
                updates.object(|update| {
                    update.list("meta", entries);
                });
            });
        }))
    }

    /// Changes what the client gets, as it asks.
    fn change(&mut self, change: Subscriptions) {
        let Subscriptions { contexts, unsubscribe, subscribe, announce, all_sources, refused } = change;
        for clause in &refused {
            self.refuse(clause);
        }
        self.all_sources = all_sources.unwrap_or(self.all_sources);
        if !unsubscribe.is_empty() {
            self.unsubscribe(&contexts, &unsubscribe);
        }
        let before = self.subscriptions.len();
        for row in subscribe {
            for warning in &row.warnings {
                self.reply_text(warning);
            }
            let subscription = Subscription { contexts: contexts.clone(), pace: row.pace };
            if let Err(full) = self.subscriptions.insert(row.path, subscription) {
                self.refuse(&format!("{full}"));
                break;
            }
        }
        let mut restarts = self.send_cached && self.subscriptions.len() > before;
        if announce && !self.announce.contains(&contexts) {
            if self.announce.len() < ANNOUNCED_MAX {
                self.announce.push(contexts);
                // What is known already is told once, too, whatever was said of cached values.
                restarts = true;
            } else {
                self.refuse(&format!("more than {ANNOUNCED_MAX} contexts of which new paths are announced"));
            }
        }
        if restarts {
            self.cached = Some(CachedCursor::default());
        }
    }

    fn unsubscribe(&mut self, contexts: &Contexts, paths: &[String]) {
        if contexts.is_all() && paths.iter().any(|path| path == "*") {
            self.subscriptions = PatternSet::new(SUBSCRIPTIONS_MAX);
            self.pacer.clear();
            (self.scope, self.cached) = (None, None);
            self.announce.clear();
            self.announced.clear();
            self.ready.clear();
            return;
        }
        let before = self.subscriptions.len();
        self.subscriptions
            .retain(|path, subscription| subscription.contexts != *contexts || !paths.iter().any(|gone| gone == path));
        if self.subscriptions.len() == before {
            self.refuse("unsubscribe: there is no such subscription; context * with path * ends all");
        }
        let subscriptions = &self.subscriptions;
        let self_context = &*self.self_context;
        self.pacer.retain(|held| {
            let context = if held.context().is_empty() { self_context } else { held.context() };
            subscriptions.matching(held.path()).any(|subscription| subscription.contexts.can_match(context))
        });
    }

    fn refuse(&mut self, clause: &str) {
        self.counters.refused = self.counters.refused.saturating_add(1);
        self.reply_text(clause);
    }

    /// Answers with a JSON string.
    fn reply_text(&mut self, clause: &str) {
        self.reply(&json::quoted(clause));
    }

    /// Sends a text before anything else that waits.
    pub(crate) fn reply(&mut self, json: &str) {
        // The oldest waits longest for an answer: it is the new one that is dropped.
        if self.replies.has_room(json.len()) {
            self.replies.push(json.into(), json.len());
        } else {
            self.counters.dropped = self.counters.dropped.saturating_add(1);
        }
    }
}

/// FNV-1a, 64 bits (RFC 9923), of context and path.
fn hash(context: &str, path: &str) -> u64 {
    let bytes = context.bytes().chain([0]).chain(path.bytes());
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3))
}

#[cfg(test)]
mod tests;
