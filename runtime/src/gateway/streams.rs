//! WebSocket clients: delta streams in both directions, binary streams to clients.

use alloc::string::String;
use alloc::sync::Arc;

use super::server_events::vessel_info;
use super::{Gateway, StreamId, StreamOut, http::client_source};
use crate::bus::Queue;
use crate::delta::{Delta, Stamp};
use crate::server::put::PutState;
use crate::server::stream::{Session, SessionEvent, StreamContext};
use crate::server::{self, Request, Response, Route};

/// Frames a client of a binary stream may lose in a row before it is closed (plugin ABI §10.4).
const FRAMES_LOST_MAX: u32 = 30;

/// One client of a binary stream.
pub(super) struct BinaryClient {
    stream: String,
    frames: Queue<Arc<[u8]>>,
    lost_in_a_row: u32,
}

impl BinaryClient {
    /// Returns the frames it lost.
    pub(super) fn lost(&self) -> u64 {
        self.frames.counters().dropped
    }
}

impl Gateway {
    /// Opens a delta stream (plugin ABI §12.4) or a binary stream (§10.4) for a WebSocket client.
    ///
    /// # Errors
    /// The response to refuse the upgrade with.
    pub fn open_stream(&mut self, request: &Request) -> Result<StreamId, Response> {
        let route = server::route(request);
        if !matches!(route, Route::Stream | Route::BinaryStream { .. }) {
            return Err(Response::not_found());
        }
        self.setup.access.check(request, &route)?;
        let clients = self.sessions.len().saturating_add(self.binary.len());
        if clients >= usize::from(self.setup.limits.clients_max) {
            return Err(Response::error(503, "too many stream clients"));
        }
        let id = StreamId(self.next_stream);
        if let Route::BinaryStream { stream } = route {
            self.plugins.frames.listen(&stream);
            let limits = &self.setup.limits;
            let frames = Queue::new(limits.stream_frames_max, limits.stream_bytes_max);
            self.binary.insert(id, BinaryClient { stream, frames, lost_in_a_row: 0 });
        } else {
            let context = StreamContext {
                self_context: &self.setup.self_context,
                version: self.setup.version,
                limits: &self.setup.limits,
                may_write: self.setup.access.may_write(request),
                wall: self.wall(),
            };
            let mut session = Session::open(request, &context)?;
            if session.wants_server_events() {
                session.reply(&vessel_info(&self.setup.vessel, &self.setup.self_context));
                self.server_events.send_soon();
            }
            self.sessions.insert(id, session);
        }
        self.next_stream = self.next_stream.wrapping_add(1);
        Ok(id)
    }

    /// Takes a text a stream client sent; unknown streams are ignored, and clients of binary streams have nothing to say.
    pub fn stream_receive(&mut self, id: StreamId, text: &str) {
        let (now, wall) = (self.hal.clock.now(), self.wall());
        let Some(session) = self.sessions.get_mut(&id) else { return };
        let Some(event) = session.receive(text, now) else { return };
        match event {
            SessionEvent::Delta(text) => {
                let source_ref = client_source(id);
                let stamp = Stamp { source_ref: &source_ref, self_context: &self.setup.self_context, now: wall };
                match Delta::parse(&text, &stamp) {
                    Ok(delta) => {
                        self.totals.client_deltas = self.totals.client_deltas.saturating_add(1);
                        self.take_in(delta, 0);
                    }
                    Err(error) => log::info!("delta of a stream client refused: {error}"),
                }
            }
            SessionEvent::Put { request_id, put } => self.stream_put(id, request_id, &put),
            SessionEvent::Query { request_id } => {
                let state = self.requests.state(&request_id, now).cloned();
                let state = state.unwrap_or_else(|| PutState::completed(404, "no such request"));
                self.stream_reply(id, &state.json(Some(&request_id), None));
            }
        }
    }

    /// Sends a text to a stream client, before anything else that waits for it.
    pub(super) fn stream_reply(&mut self, id: StreamId, json: &str) {
        if let Some(session) = self.sessions.get_mut(&id) {
            session.reply(json);
        }
    }

    /// Hands the frames of plugins to the clients of their streams.
    pub(super) fn publish_frames(&mut self) {
        while let Some(frame) = self.plugins.frames.take() {
            for client in self.binary.values_mut().filter(|client| client.stream == frame.stream) {
                let lost = client.frames.push(frame.data.clone(), frame.data.len());
                client.lost_in_a_row = client.lost_in_a_row.saturating_add(lost);
            }
        }
    }

    /// Takes the next message for a stream client.
    pub fn stream_next(&mut self, id: StreamId) -> StreamOut {
        let now = self.hal.clock.now();
        if let Some(session) = self.sessions.get_mut(&id) {
            return session.next(now, &self.model).map_or(StreamOut::Idle, StreamOut::Text);
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

    /// Forgets a stream client.
    pub fn close_stream(&mut self, id: StreamId) {
        self.sessions.remove(&id);
        if let Some(client) = self.binary.remove(&id) {
            self.plugins.frames.leave(&client.stream);
        }
    }
}
