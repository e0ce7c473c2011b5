//! One connection: requests one after the other, perhaps a stream in the end.

use alloc::borrow::Cow;
use alloc::boxed::Box;
use alloc::format;
use core::net::IpAddr;
use core::time::Duration;

use super::CarrierLimits;
use super::send_buffer::SendBuffer;
use super::stream::StreamClient;
use crate::gateway::{Gateway, StreamId};
use crate::hal::{NetError, Received, Socket};
use crate::http::handshake::{self, HandshakeError};
use crate::http::{self, Reader, RequestStep, ResponseHead};
use crate::http::{Method, Request};
use crate::plugin::ExchangeId;
use crate::server::{ClientCounters, Response, patience};
use crate::time::{Instant, UnixMillis};

/// When all connections are in use, a client that has not sent its head in this time makes room.
const HEAD_GRACE: Duration = Duration::from_secs(2);
/// Time a client has to take a response, in all.
const WRITE_TIMEOUT: Duration = Duration::from_secs(60);
/// Bytes read at a time; on the stack.
const READ_BYTES: usize = 512;
/// Reads of a connection in one poll.
pub(super) const READS_PER_TURN: usize = 8;

/// Everything that a connection uses in one poll.
pub(super) struct Turn<'t> {
    pub(super) gateway: &'t mut Gateway,
    pub(super) limits: &'t CarrierLimits,
    pub(super) counters: &'t mut ClientCounters,
    /// The listener is bound to a loopback address.
    pub(super) local: bool,
    /// Bytes that other connections hold.
    pub(super) others_hold: usize,
    pub(super) now: Instant,
}

/// Why a connection is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ended {
    /// As it should be.
    Done,
    /// The client missed a deadline.
    Slow,
    /// The connection was reset, or what came was no HTTP.
    Broken,
}

enum Phase {
    /// Reads a request, or waits for one.
    Reading,
    /// The gateway has the request.
    Waiting { exchange: ExchangeId, keep_alive: bool, is_head: bool },
    /// A response is on its way; then the next request, or the end.
    Writing { then: Option<Ended> },
    /// The WebSocket answer is on its way or was sent.
    Streaming(Box<StreamClient>),
    /// To be closed.
    Over(Ended),
}

/// One client.
pub(super) struct Connection {
    socket: Socket,
    peer: IpAddr,
    phase: Phase,
    reader: Reader,
    outgoing: SendBuffer,
    /// When the client counts as slow.
    deadline: Instant,
    /// The client sends nothing more; what it asked for is answered all the same.
    peer_is_done: bool,
}

impl Connection {
    pub(super) fn new(socket: Socket, peer: IpAddr, limits: &CarrierLimits, now: Instant) -> Self {
        Self {
            socket,
            peer,
            phase: Phase::Reading,
            reader: Reader::new(limits.http),
            outgoing: SendBuffer::default(),
            deadline: now + patience::IDLE,
            peer_is_done: false,
        }
    }

    pub(super) fn socket(&self) -> Socket {
        self.socket
    }

    /// Returns the stream to close in the gateway when the connection ends.
    pub(super) fn stream(&self) -> Option<StreamId> {
        match &self.phase {
            Phase::Streaming(stream) => Some(stream.id()),
            _ => None,
        }
    }

    pub(super) fn ended(&self) -> Option<Ended> {
        match &self.phase {
            Phase::Over(ended) => Some(*ended),
            Phase::Streaming(stream) => stream.ended(),
            _ => None,
        }
    }

    pub(super) fn deadline(&self) -> Instant {
        match &self.phase {
            Phase::Streaming(stream) => stream.deadline(),
            _ => self.deadline,
        }
    }

    /// Tells whether it only waits for a next request.
    pub(super) fn is_idle(&self) -> bool {
        matches!(self.phase, Phase::Reading) && self.reader.is_idle()
    }

    /// Tells whether it is so late with its head that another client may have its place.
    pub(super) fn is_late(&self, now: Instant) -> bool {
        matches!(self.phase, Phase::Reading)
            && !self.reader.is_in_body()
            && !self.reader.is_idle()
            && now + patience::HEAD >= self.deadline + HEAD_GRACE
    }

    pub(super) fn waits_for(&self, wanted: ExchangeId) -> bool {
        matches!(self.phase, Phase::Waiting { exchange, .. } if exchange == wanted)
    }

    pub(super) fn held_bytes(&self) -> usize {
        let stream = match &self.phase {
            Phase::Streaming(stream) => stream.held_bytes(),
            _ => 0,
        };
        self.reader.held_bytes().saturating_add(self.outgoing.held_bytes()).saturating_add(stream)
    }

    /// Takes the answer to the request it waits with.
    pub(super) fn respond(&mut self, response: Response, wall: Option<UnixMillis>, now: Instant) {
        let Phase::Waiting { keep_alive, is_head, .. } = self.phase else { return };
        self.write(response, keep_alive, is_head, wall, now);
    }

    /// Does a bounded amount of work; true when there can be more.
    pub(super) fn turn(&mut self, turn: &mut Turn<'_>) -> bool {
        let mut moved = false;
        if let Phase::Streaming(_) = self.phase {
            let Phase::Streaming(stream) = &mut self.phase else { return false };
            return stream.turn(turn, self.socket, &mut self.outgoing);
        }
        if let Phase::Reading = self.phase {
            moved |= self.read(turn);
        }
        if !self.outgoing.is_sent() {
            moved |= self.flush(turn);
        }
        if matches!(self.phase, Phase::Writing { .. }) && self.outgoing.is_sent() {
            if let Phase::Writing { then } = self.phase {
                self.phase = then.map_or(Phase::Reading, Phase::Over);
            }
            self.deadline = turn.now + patience::IDLE;
            moved = true;
        }
        if turn.now >= self.deadline {
            self.miss_deadline(turn);
            moved = true;
        }
        moved
    }

    fn flush(&mut self, turn: &mut Turn<'_>) -> bool {
        let Some(network) = turn.gateway.network_mut() else { return false };
        match self.outgoing.flush(network, self.socket) {
            Ok(count) => count > 0,
            Err(_) => {
                self.phase = Phase::Over(Ended::Broken);
                true
            }
        }
    }

    /// Reads until a request is whole or nothing more is there.
    fn read(&mut self, turn: &mut Turn<'_>) -> bool {
        let mut moved = false;
        for _ in 0..READS_PER_TURN {
            if self.step(turn) {
                return true;
            }
            let held = turn.others_hold.saturating_add(self.held_bytes());
            if held.saturating_add(READ_BYTES) > turn.limits.held_bytes_max {
                if self.reader.is_idle() {
                    // What it sends waits in the network's buffer.
                    return moved;
                }
                turn.counters.no_memory = turn.counters.no_memory.saturating_add(1);
                let refusal = Response::error(503, "no memory for the request now, try again later");
                self.write(refusal, false, false, turn.gateway.wall_clock(), turn.now);
                return true;
            }
            let mut buffer = [0; READ_BYTES];
            let room = buffer.get_mut(..self.reader.room().min(READ_BYTES)).unwrap_or_default();
            let received = match turn.gateway.network_mut() {
                Some(network) if !self.peer_is_done => network.receive(self.socket, room),
                _ => Ok(Received::Closed),
            };
            match received {
                Ok(Received::Bytes(count)) => {
                    let was_idle = self.reader.is_idle();
                    self.reader.push(room.get(..count).unwrap_or_default());
                    if was_idle {
                        self.deadline = turn.now + patience::HEAD;
                    }
                    moved = true;
                }
                Ok(Received::Pending) => return moved,
                Ok(Received::Closed) => {
                    self.peer_is_done = true;
                    self.phase = Phase::Over(if self.reader.is_idle() { Ended::Done } else { Ended::Broken });
                    return true;
                }
                Err(NetError::Closed) => {
                    self.phase = Phase::Over(Ended::Done);
                    return true;
                }
                Err(_) => {
                    self.phase = Phase::Over(Ended::Broken);
                    return true;
                }
            }
        }
        true
    }

    /// Works on the bytes that were read; true when the connection is not reading any more.
    fn step(&mut self, turn: &mut Turn<'_>) -> bool {
        let was_in_body = self.reader.is_in_body();
        let step = self.reader.step();
        if !was_in_body && let Some(refused) = self.refused_by_head(turn) {
            self.write(refused, false, false, turn.gateway.wall_clock(), turn.now);
            return true;
        }
        match step {
            Ok(RequestStep::Pending) => {
                if self.reader.is_in_body() && !was_in_body {
                    self.deadline = turn.now + patience::BODY;
                }
                false
            }
            Ok(RequestStep::Continue) => {
                self.deadline = turn.now + patience::BODY;
                self.outgoing = SendBuffer::bytes(b"HTTP/1.1 100 Continue\r\n\r\n".to_vec(), Cow::Borrowed(&[]));
                self.flush(turn);
                false
            }
            Ok(RequestStep::Request { request, keep_alive }) => {
                let request = Request { peer: Some(self.peer), local: turn.local, ..request };
                self.ask(&request, keep_alive, turn);
                true
            }
            Err(refusal) => {
                turn.counters.malformed = turn.counters.malformed.saturating_add(1);
                let response = Response::error(refusal.status(), &format!("{refusal}"));
                self.write(response, false, false, turn.gateway.wall_clock(), turn.now);
                true
            }
        }
    }

    /// Has a request judged whose body is still to come; what is refused needs no room.
    fn refused_by_head(&mut self, turn: &mut Turn<'_>) -> Option<Response> {
        let head = self.reader.awaited()?;
        (head.peer, head.local) = (Some(self.peer), turn.local);
        turn.gateway.judge(head).err()
    }

    /// Hands a request to the gateway.
    fn ask(&mut self, request: &Request, keep_alive: bool, turn: &mut Turn<'_>) {
        turn.counters.requests = turn.counters.requests.saturating_add(1);
        let upgrade = handshake::is_upgrade(request).then(|| handshake::accept(request));
        let is_head = request.method == Method::Head;
        let wall = turn.gateway.wall_clock();
        match upgrade {
            None => {
                let exchange = turn.gateway.request(request);
                self.phase = Phase::Waiting { exchange, keep_alive, is_head };
                self.deadline = turn.now + patience::ANSWER;
            }
            Some(Ok(accept)) => match turn.gateway.open_stream(request) {
                Ok(id) => {
                    turn.counters.streams = turn.counters.streams.saturating_add(1);
                    let mut head = core::mem::take(&mut self.outgoing).into_rest();
                    handshake::write_accept(&mut head, &accept);
                    self.outgoing = SendBuffer::bytes(head, Cow::Borrowed(&[]));
                    // A client may send its first frames right behind the request.
                    let reader = core::mem::replace(&mut self.reader, Reader::new(turn.limits.http));
                    self.phase =
                        Phase::Streaming(Box::new(StreamClient::new(id, reader.into_rest(), turn.limits, turn.now)));
                }
                Err(refused) => self.write(refused, keep_alive, is_head, wall, turn.now),
            },
            Some(Err(error)) => {
                let (status, clause) = match error {
                    HandshakeError::Version => (426, format!("{error}")),
                    HandshakeError::Malformed(_) => (400, format!("{error}")),
                };
                let refused = Response::error(status, &clause).with("sec-websocket-version", "13");
                self.write(refused, keep_alive, is_head, wall, turn.now);
            }
        }
    }

    /// Puts a response on its way.
    fn write(&mut self, response: Response, keep_alive: bool, is_head: bool, date: Option<UnixMillis>, now: Instant) {
        let keep_alive = keep_alive && !self.peer_is_done;
        // An interim response may still be on its way.
        let mut head = core::mem::take(&mut self.outgoing).into_rest();
        let body_bytes = response.body.len();
        http::write_head(
            &mut head,
            &ResponseHead { status: response.status, headers: &response.headers, body_bytes, keep_alive, date },
        );
        let has_body = !is_head && !http::is_bodiless(response.status);
        self.outgoing = SendBuffer::bytes(head, if has_body { response.body } else { Cow::Borrowed(&[]) });
        self.phase = Phase::Writing { then: (!keep_alive).then_some(Ended::Done) };
        self.deadline = now + WRITE_TIMEOUT;
    }

    fn miss_deadline(&mut self, turn: &mut Turn<'_>) {
        match self.phase {
            // Nothing was asked: nothing is owed.
            Phase::Reading if self.reader.is_idle() => self.phase = Phase::Over(Ended::Done),
            Phase::Reading => {
                turn.counters.slow = turn.counters.slow.saturating_add(1);
                let clause = "the request did not arrive in time";
                self.write(Response::error(408, clause), false, false, turn.gateway.wall_clock(), turn.now);
            }
            Phase::Waiting { is_head, .. } => {
                let late = Response::error(504, "no answer in time");
                self.write(late, false, is_head, turn.gateway.wall_clock(), turn.now);
            }
            Phase::Writing { .. } => self.phase = Phase::Over(Ended::Slow),
            Phase::Streaming(_) | Phase::Over(_) => {}
        }
    }
}
