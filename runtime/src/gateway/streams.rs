//! WebSocket clients: delta streams in both directions, binary streams to clients.

use alloc::format;
use alloc::string::String;
use alloc::sync::Arc;

use super::server_events::vessel_info;
use super::{Gateway, StreamId, StreamOut};
use crate::budget::Limits;
use crate::config::random_uuid;
use crate::delta::Stamp;
use crate::http::Request;
use crate::model::Model;
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
    binary: SortedMap<StreamId, BinaryClient>,
    /// Deltas that clients sent.
    deltas: u64,
    /// Another one after each start, made for the first client.
    start_id: String,
}

impl Default for Streams {
    fn default() -> Self {
        Self { next_id: 1, sessions: SortedMap::new(), binary: SortedMap::new(), deltas: 0, start_id: String::new() }
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
        let context = StreamContext {
            start_id: &self.clients.streams.start_id,
            self_context: &self.setup.self_context,
            version: self.setup.version,
            limits: &self.setup.limits,
            may_write: self.setup.access.may_write(request),
            wall: self.wall(),
        };
        let mut session = Session::open(request, &context)?;
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
