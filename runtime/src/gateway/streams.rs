//! WebSocket clients: delta streams in both directions, binary streams to clients.

use alloc::format;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::net::IpAddr;
use core::time::Duration;

use super::server_events::vessel_info;
use super::{Gateway, StreamId, StreamOut};
use crate::accounts::{Credential, IS_KEPT};
use crate::budget::Limits;
use crate::config::random_uuid;
use crate::delta::{Delta, Stamp};
use crate::http::Request;
use crate::json;
use crate::model::Model;
use crate::paths::{READERS, Wanted, WantedPaths};
use crate::plugin::Frames;
use crate::queue::Queue;
use crate::server::put::PutState;
use crate::server::stream::{Identity, Rights, Session, SessionEvent, StreamContext};
use crate::server::{self, Response, Route, StreamRoute};
use crate::sorted::SortedMap;
use crate::time::{Instant, UnixMillis};

/// Frames a client of a binary stream may lose in a row before it is closed (plugin ABI §10.4).
const FRAMES_LOST_MAX: u32 = 30;

/// Clients without rights that may wait for some.
const WITHOUT_RIGHTS_MAX: usize = 8;
/// Time in which a client without rights logs in, or is gone.
const LOG_IN_WITHIN: Duration = Duration::from_secs(10);

/// By what a client is in.
struct Held {
    /// `None` is a guest.
    credential: Option<Credential>,
    /// When that ends.
    ends: Option<UnixMillis>,
    /// When the client has to go, unless it logs in.
    leave_at: Option<Instant>,
    peer: Option<IpAddr>,
}

/// One client of a binary stream.
struct BinaryClient {
    stream: String,
    frames: Queue<Arc<[u8]>>,
    lost_in_a_row: u32,
}

/// The clients of delta streams and of binary streams.
pub(super) struct Streams {
    next_id: u64,
    sessions: SortedMap<StreamId, Session>,
    /// Which of them want which path, by their places among `sessions`.
    wanted: WantedPaths,
    binary: SortedMap<StreamId, BinaryClient>,
    /// By what each of both is in, where there is more than one token.
    held: SortedMap<StreamId, Held>,
    /// Deltas that clients sent.
    deltas: u64,
    /// Another one after each start, made for the first client.
    start_id: String,
}

impl Default for Streams {
    fn default() -> Self {
        Self {
            next_id: 1,
            sessions: SortedMap::new(),
            wanted: WantedPaths::default(),
            binary: SortedMap::new(),
            held: SortedMap::new(),
            deltas: 0,
            start_id: String::new(),
        }
    }
}

impl Streams {
    /// Returns how many clients there are.
    pub fn len(&self) -> usize {
        self.sessions.len().saturating_add(self.binary.len())
    }

    /// Returns how many deltas clients sent.
    pub fn deltas(&self) -> u64 {
        self.deltas
    }

    /// Returns how many deltas were left out for slow clients because a newer one of the path came.
    pub fn collapsed(&self) -> u64 {
        self.sessions.values().map(|session| session.counters().collapsed).sum()
    }

    /// Returns how many frames slow clients lost.
    pub fn lost_frames(&self) -> u64 {
        self.binary.values().map(|client| client.frames.counters().dropped).sum()
    }

    pub fn sessions(&self) -> impl Iterator<Item = &Session> {
        self.sessions.values()
    }

    pub fn sessions_mut(&mut self) -> impl Iterator<Item = &mut Session> {
        self.sessions.values_mut()
    }

    /// Offers a delta to the clients that want one of its paths.
    pub fn offer(&mut self, delta: &Arc<Delta>, model: &Model, now: Instant) {
        let Self { sessions, wanted, .. } = self;
        if sessions.is_empty() {
            return;
        }
        let mut readers = Wanted::ALL;
        if WantedPaths::IS_KEPT && sessions.len() <= READERS {
            let mut ask = |path: &str| {
                let mut wanted = Wanted::default();
                let wanting = sessions.values().enumerate().filter(|(_, session)| session.wants_path(path));
                wanting.for_each(|(index, _)| wanted.insert(index));
                wanted
            };
            readers = Wanted::default();
            for path in delta.updates().flat_map(|update| update.paths()) {
                readers.join(wanted.of_path(path, &mut ask));
            }
        }
        for (index, session) in sessions.values_mut().enumerate() {
            // More than a set has room for are asked each.
            if index >= READERS || readers.has(index) {
                session.offer(delta, model, now);
            }
        }
    }

    /// Returns the clients that subscribed to a path by its name, of those that are meant.
    #[cfg(any(test, feature = "server-routes"))]
    pub fn readers_of(&self, path: &str, is_meant: fn(&Session) -> bool) -> Vec<StreamId> {
        let readers = self.sessions.iter().filter(|(_, session)| is_meant(session) && session.has_subscribed(path));
        readers.map(|(id, _)| *id).collect()
    }

    /// Takes note that a client came, went, or wants something else.
    fn changed(&mut self) {
        self.wanted.forget();
    }

    /// Returns where a client is.
    pub fn peer(&self, id: StreamId) -> Option<IpAddr> {
        self.held.get(&id).and_then(|held| held.peer)
    }

    pub fn session_mut(&mut self, id: StreamId) -> Option<&mut Session> {
        self.sessions.get_mut(&id)
    }

    /// Returns when a client is to be given something although nothing new came.
    pub fn due(&self) -> Option<Instant> {
        self.sessions.values().filter_map(Session::due).min()
    }

    fn new_id(&mut self) -> StreamId {
        let id = StreamId(self.next_id);
        self.next_id = self.next_id.wrapping_add(1);
        id
    }

    fn open_session(&mut self, session: Session) -> StreamId {
        let id = self.new_id();
        self.sessions.insert(id, session);
        self.changed();
        id
    }

    fn open_binary(&mut self, stream: &str, limits: &Limits, frames: &mut Frames) -> StreamId {
        let id = self.new_id();
        frames.listen(stream);
        let frames = Queue::new(limits.stream_frames_max, limits.stream_bytes_max);
        self.binary.insert(id, BinaryClient { stream: stream.into(), frames, lost_in_a_row: 0 });
        id
    }

    /// Hands the frames of plugins to the clients of their streams.
    pub fn publish_frames(&mut self, frames: &mut Frames) {
        while let Some(frame) = frames.take() {
            for client in self.binary.values_mut().filter(|client| client.stream == frame.stream) {
                let lost = client.frames.push(frame.data.clone(), frame.data.len());
                client.lost_in_a_row = client.lost_in_a_row.saturating_add(lost);
            }
        }
    }

    /// Takes the next message for a client.
    fn next(&mut self, id: StreamId, model: &Model, now: Instant) -> StreamOut {
        if let Some(session) = self.sessions.get_mut(&id) {
            return session.next(now, model).map_or(StreamOut::Idle, StreamOut::Text);
        }
        let Some(client) = self.binary.get_mut(&id) else { return StreamOut::Closed };
        if client.lost_in_a_row > FRAMES_LOST_MAX {
            return StreamOut::TooSlow;
        }
        match client.frames.pop() {
            Some(frame) => {
                client.lost_in_a_row = 0;
                StreamOut::Binary(frame)
            }
            None => StreamOut::Idle,
        }
    }

    fn close(&mut self, id: StreamId, frames: &mut Frames) {
        self.sessions.remove(&id);
        if IS_KEPT {
            self.held.remove(&id);
        }
        self.changed();
        if let Some(client) = self.binary.remove(&id) {
            frames.leave(&client.stream);
        }
    }
}

impl Gateway {
    /// Opens a delta stream (plugin ABI §12.4) or a binary stream (§10.4) for a WebSocket client.
    ///
    /// # Errors
    /// The response to refuse the upgrade with.
    pub fn open_stream(&mut self, request: &Request) -> Result<StreamId, Response> {
        let route = server::route(request);
        let Route::Stream(wanted) = &route else { return Err(Response::not_found()) };
        let admitted = self.admit(request, &route);
        if !request.method.is_read() {
            return Err(Response::not_found());
        }
        if self.clients.streams.len() >= usize::from(self.setup.limits.clients_max) {
            return Err(Response::error(503, "too many stream clients"));
        }
        let leave_at = match admitted {
            Err(refused) if !IS_KEPT => return Err(refused),
            Ok(()) => None,
            Err(_) if self.may_wait_for_rights(request, wanted) => Some(self.hal.clock.now() + LOG_IN_WITHIN),
            Err(refused) => return Err(refused),
        };
        let id = match wanted {
            StreamRoute::Frames { stream } => {
                self.clients.streams.open_binary(stream, &self.setup.limits, &mut self.plugins.frames)
            }
            StreamRoute::Deltas => self.open_deltas(request, leave_at.is_none())?,
            #[cfg(any(test, feature = "history"))]
            StreamRoute::Playback => self.open_playback(request)?,
        };
        if IS_KEPT {
            let wall = self.wall();
            let credential = self.setup.access.credential(request, wall).filter(|_| leave_at.is_none());
            let ends = credential.and_then(|credential| self.setup.access.accounts().ends(&credential, wall));
            let held = Held { credential, ends, leave_at, peer: self.setup.access.caller(request) };
            self.clients.streams.held.insert(id, held);
        }
        Ok(id)
    }

    /// Opens a stream of deltas.
    pub(super) fn open_deltas(&mut self, request: &Request, reads: bool) -> Result<StreamId, Response> {
        if self.clients.streams.start_id.is_empty() {
            self.clients.streams.start_id = random_uuid(&mut *self.hal.rng);
        }
        let role = self.setup.access.role(request, self.wall()).filter(|_| reads);
        let context = StreamContext {
            start_id: &self.clients.streams.start_id,
            self_context: &self.setup.self_context,
            version: self.setup.version,
            limits: &self.setup.limits,
            rights: Rights { reads, role },
            wall: self.wall(),
        };
        let mut session = Session::open(request, &context)?;
        if session.wants_server_events() {
            session.reply(&vessel_info(&self.setup.vessel, &self.setup.self_context));
            #[cfg(any(test, feature = "server-routes"))]
            self.begin_server_events(&mut session, &server::login_status(request, &self.setup.access, self.wall()));
            self.clients.server_events.send_soon();
        }
        let id = self.clients.streams.open_session(session);
        self.tell_lesser();
        Ok(id)
    }

    /// Takes a text a stream client sent; unknown streams are ignored, and clients of binary streams have nothing to say.
    pub fn stream_receive(&mut self, id: StreamId, text: &str) {
        let (now, wall) = (self.hal.clock.now(), self.wall());
        let Some(session) = self.clients.streams.session_mut(id) else { return };
        let source_ref = format!("ws.{}", id.0);
        let stamp = Stamp { source_ref: &source_ref, self_context: &self.setup.self_context, now: wall };
        let event = session.receive(text, &stamp);
        if event.is_none() {
            self.clients.streams.changed();
        }
        self.tell_lesser();
        let Some(event) = event else { return };
        match event {
            SessionEvent::Delta(delta) => {
                self.clients.streams.deltas = self.clients.streams.deltas.saturating_add(1);
                self.take_in(Arc::new(delta), 0);
            }
            SessionEvent::Put { request_id, put } => self.stream_put(id, request_id, &put),
            SessionEvent::Identity { request_id, identity } => self.identify(id, request_id, &identity),
            SessionEvent::Query { request_id } => {
                let state = self.clients.requests.state(&request_id, now).cloned();
                let state = state.unwrap_or_else(|| PutState::completed(404, "no such request"));
                self.clients.reply(id, &state.json(Some(&request_id), None));
            }
        }
    }

    /// Tells whether a client that is not let in may open a stream all the same, and log in on it.
    fn may_wait_for_rights(&self, request: &Request, wanted: &StreamRoute) -> bool {
        let waiting = self.clients.streams.held.values().filter(|held| held.leave_at.is_some()).count();
        IS_KEPT
            && *wanted == StreamRoute::Deltas
            && !self.setup.access.allows_anyone()
            && waiting < WITHOUT_RIGHTS_MAX
            && self.setup.access.may_open_and_wait(request, self.wall())
    }

    /// Takes what a client says of who it is.
    fn identify(&mut self, id: StreamId, request_id: Option<String>, identity: &Identity) {
        // Such messages were answered where there is one token only.
        if !IS_KEPT {
            return;
        }
        let member = |json: &str| json::member(json, "token").and_then(json::string).unwrap_or_default().into_owned();
        let wall = self.wall();
        let mut let_in = None;
        let state = match identity {
            Identity::LogIn(login) => return self.stream_log_in(id, request_id, login),
            Identity::AccessRequest(asking) => {
                let text = self.stream_access_request(id, request_id, asking);
                return self.clients.reply(id, &text);
            }
            Identity::Token(token) => match self.setup.access.of_token(token, wall) {
                Some(credential) => {
                    let_in = Some(credential);
                    PutState::completed(200, "the token is valid")
                }
                None => PutState::completed(401, "the token is not valid"),
            },
            Identity::Validate(json) => match self.setup.access.of_token(&member(json), wall) {
                Some(_) => PutState::completed(200, "the token is valid"),
                None => PutState::completed(401, "the token is not valid"),
            },
            Identity::LogOut(json) => {
                self.log_out_token(&member(json));
                PutState::completed(200, "Logout OK")
            }
        };
        self.clients.reply(id, &state.json(request_id.as_deref(), None));
        // What it is given comes after the answer.
        if let Some(credential) = let_in {
            self.give_rights(id, credential);
        }
    }

    /// Lets a client do what its token or login allows.
    pub(super) fn give_rights(&mut self, id: StreamId, credential: Credential) {
        let wall = self.wall();
        let ends = self.setup.access.accounts().ends(&credential, wall);
        let role = self.setup.access.role_of(&credential, wall);
        let streams = &mut self.clients.streams;
        let (Some(held), Some(session)) = (streams.held.get_mut(&id), streams.sessions.get_mut(&id)) else { return };
        held.credential = Some(credential);
        (held.ends, held.leave_at) = (ends, None);
        session.set_rights(Rights { reads: true, role });
        streams.changed();
    }

    /// Looks again what the clients' tokens and logins allow: those of which one was revoked, or has ended, are over.
    pub(super) fn judge_streams(&mut self) {
        if !IS_KEPT {
            return;
        }
        let wall = self.wall();
        let streams = &mut self.clients.streams;
        let mut over = Vec::new();
        for (id, held) in streams.held.iter() {
            let Some(credential) = &held.credential else { continue };
            match (self.setup.access.role_of(credential, wall), streams.sessions.get_mut(id)) {
                (None, _) => over.push(*id),
                (role, Some(session)) => session.set_rights(Rights { reads: true, role }),
                (Some(_), None) => {}
            }
        }
        over.into_iter().for_each(|id| self.close_stream(id));
    }

    /// Ends the streams whose time is over; returns when the next one's is.
    pub(super) fn drive_streams(&mut self, now: Instant) -> Option<Instant> {
        if !IS_KEPT || self.clients.streams.held.is_empty() {
            return None;
        }
        let wall = self.wall();
        let held = || self.clients.streams.held.iter();
        let late = |held: &Held| held.leave_at.is_some_and(|at| at <= now);
        let over: Vec<StreamId> = held().filter(|(_, held)| late(held)).map(|(id, _)| *id).collect();
        let ended = held().any(|(_, held)| held.ends.is_some_and(|ends| !wall.is_known() || wall >= ends));
        over.into_iter().for_each(|id| self.close_stream(id));
        if ended {
            self.judge_streams();
        }
        let due = |held: &Held| {
            let left = held.ends.map(|ends| u64::try_from(ends.0.saturating_sub(wall.0)).unwrap_or(0));
            let ends = left.filter(|_| wall.is_known()).map(|left| now + Duration::from_millis(left));
            [held.leave_at, ends].into_iter().flatten().min()
        };
        self.clients.streams.held.values().filter_map(due).min()
    }

    /// Takes the next message for a stream client.
    pub fn stream_next(&mut self, id: StreamId) -> StreamOut {
        self.clients.streams.next(id, &self.model, self.hal.clock.now())
    }

    /// Forgets a stream client.
    pub fn close_stream(&mut self, id: StreamId) {
        self.clients.streams.close(id, &mut self.plugins.frames);
        #[cfg(any(test, feature = "history"))]
        self.history.leave(id);
        self.tell_lesser();
    }

    /// Lets the model keep values to which others are preferred apart, while a client wants every source.
    fn tell_lesser(&mut self) {
        self.model.tell_lesser(self.clients.streams.sessions().any(Session::wants_all_sources));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::budget::Board;
    use crate::http::get;
    use crate::n2k::encode::{Input, encode};
    use crate::n2k::{DeltaForm, Field, Id, Pgn, Receiver, SourceAddress};

    const SELF: &str = "vessels.me";

    /// What a bus tells of a depth: nobody has read its text.
    fn depth() -> Arc<Delta> {
        let mut receiver = Receiver::new("can0");
        let id = Id { priority: 6, pgn: Pgn(128_267), source: SourceAddress(7), destination: 255 };
        let payload = encode(id.pgn, &[(Field::Depth, Input::Raw(420))]).unwrap();
        let message = receiver.whole(id, &payload).unwrap();
        receiver.delta(&message, UnixMillis(0), DeltaForm::Stamped { self_context: SELF }).unwrap()
    }

    fn client(streams: &mut Streams, subscribe: &str) -> StreamId {
        let context = StreamContext {
            self_context: SELF,
            version: "1",
            wall: UnixMillis(0),
            start_id: "s",
            rights: Rights { reads: true, role: None },
            limits: &Limits::of(Board::Linux),
        };
        let mut session = Session::open(&get("/signalk/v1/stream?subscribe=none"), &context).unwrap();
        let text = format!(r#"{{"subscribe":[{{"path":"{subscribe}","policy":"instant"}}]}}"#);
        let stamp = Stamp { source_ref: "s", self_context: SELF, now: UnixMillis(0) };
        assert!(session.receive(&text, &stamp).is_none());
        streams.open_session(session)
    }

    fn offered(streams: &Streams) -> Vec<u64> {
        streams.sessions().map(|session| session.counters().offered).collect()
    }

    #[test]
    fn a_delta_goes_to_the_clients_that_want_one_of_its_paths() {
        let (mut streams, model) = (Streams::default(), Model::new(&Limits::of(Board::Linux), SELF));
        client(&mut streams, "navigation.*");
        client(&mut streams, "environment.depth.*");
        let delta = depth();
        for _ in 0..2 {
            streams.offer(&delta, &model, Instant(0));
        }
        assert_eq!(offered(&streams), [0, 2]);
        let late = client(&mut streams, "environment.depth.belowTransducer");
        streams.offer(&delta, &model, Instant(0));
        assert_eq!(offered(&streams), [0, 3, 1], "who comes late is known");
        streams.close(late, &mut Frames::default());
        streams.offer(&delta, &model, Instant(0));
        assert_eq!(offered(&streams), [0, 4]);
    }

    #[test]
    fn the_text_of_a_delta_is_not_made_for_who_wants_none_of_it() {
        let (mut streams, model) = (Streams::default(), Model::new(&Limits::of(Board::Linux), SELF));
        let delta = depth();
        let unread = delta.heap_bytes();
        // Beyond those that a set has room for, too.
        (0..READERS + 2).for_each(|_| _ = client(&mut streams, "navigation.*"));
        streams.offer(&delta, &model, Instant(0));
        assert_eq!(delta.heap_bytes(), unread);
        assert_eq!(offered(&streams), [1; READERS + 2]);
        client(&mut streams, "environment.*");
        streams.offer(&delta, &model, Instant(0));
        assert_ne!(delta.heap_bytes(), unread, "now it is");
    }
}
