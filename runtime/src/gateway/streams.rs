//! WebSocket clients: delta streams in both directions, binary streams to clients.

use alloc::format;
use alloc::string::String;
use alloc::sync::Arc;

use super::server_events::vessel_info;
use super::{Gateway, StreamId, StreamOut};
use crate::accounts::Role;
use crate::budget::Limits;
use crate::config::random_uuid;
use crate::delta::{Delta, Stamp};
use crate::http::Request;
use crate::model::Model;
use crate::paths::{READERS, Wanted, WantedPaths};
use crate::plugin::Frames;
use crate::queue::Queue;
use crate::server::put::PutState;
use crate::server::stream::{Session, SessionEvent, StreamContext};
use crate::server::{self, Response, Route, StreamRoute};
use crate::sorted::SortedMap;
use crate::time::Instant;

/// Frames a client of a binary stream may lose in a row before it is closed (plugin ABI §10.4).
const FRAMES_LOST_MAX: u32 = 30;

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

    /// Takes note that a client came, went, or wants something else.
    fn changed(&mut self) {
        self.wanted.forget();
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
        self.admit(request, &route)?;
        if !request.method.is_read() {
            return Err(Response::not_found());
        }
        if self.clients.streams.len() >= usize::from(self.setup.limits.clients_max) {
            return Err(Response::error(503, "too many stream clients"));
        }
        if let StreamRoute::Frames { stream } = wanted {
            return Ok(self.clients.streams.open_binary(stream, &self.setup.limits, &mut self.plugins.frames));
        }
        if self.clients.streams.start_id.is_empty() {
            self.clients.streams.start_id = random_uuid(&mut *self.hal.rng);
        }
        let role = self.setup.access.role(request, self.wall());
        let context = StreamContext {
            start_id: &self.clients.streams.start_id,
            self_context: &self.setup.self_context,
            version: self.setup.version,
            limits: &self.setup.limits,
            may_write: role >= Some(Role::ReadWrite),
            wall: self.wall(),
        };
        let mut session = Session::open(request, &context)?;
        session.take_role(role);
        if session.wants_server_events() {
            session.reply(&vessel_info(&self.setup.vessel, &self.setup.self_context));
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
            SessionEvent::Query { request_id } => {
                let state = self.clients.requests.state(&request_id, now).cloned();
                let state = state.unwrap_or_else(|| PutState::completed(404, "no such request"));
                self.clients.reply(id, &state.json(Some(&request_id), None));
            }
        }
    }

    /// Takes the next message for a stream client.
    pub fn stream_next(&mut self, id: StreamId) -> StreamOut {
        self.clients.streams.next(id, &self.model, self.hal.clock.now())
    }

    /// Forgets a stream client.
    pub fn close_stream(&mut self, id: StreamId) {
        self.clients.streams.close(id, &mut self.plugins.frames);
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
    use crate::time::UnixMillis;
    use std::vec::Vec;

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
            may_write: false,
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
