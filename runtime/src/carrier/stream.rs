//! A connection that became a WebSocket with a delta stream.

use alloc::borrow::Cow;
use alloc::vec::Vec;
use core::time::Duration;

use super::CarrierLimits;
use super::connection::{Ended, READS_PER_TURN, Turn};
use super::send_buffer::SendBuffer;
use crate::gateway::{StreamId, StreamOut};
use crate::hal::{Received, Socket};
use crate::http::websocket::{Control, Decoder, Opcode, Peer, WebSocketMessage, frame_head, write_frame};
use crate::server::patience;
use crate::time::Instant;

/// Time a client has to take the close frame.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(5);
/// Texts given to a client in one poll.
const TEXTS_PER_TURN: usize = 8;
/// Bytes read at a time; on the stack.
const READ_BYTES: usize = 256;
/// The gateway ends the stream (RFC 6455 §7.4.1).
const GOING_AWAY: u16 = 1001;
/// Close code of a client that takes too little (RFC 6455 §7.4.1).
const POLICY: u16 = 1008;
/// Close code of a client that sends bytes which are no JSON (RFC 6455 §7.4.1).
const UNSUPPORTED: u16 = 1003;
/// The close code that answers a close frame without one.
const NORMAL: u16 = 1000;

/// A stream client.
pub(super) struct StreamClient {
    id: StreamId,
    decoder: Decoder,
    /// Arrived with the request.
    early: Vec<u8>,
    /// The latest ping that has no answer yet; older ones need none (RFC 6455 §5.5.3).
    pong: Option<Control>,
    /// Close code that is to be sent.
    close: Option<u16>,
    /// The close frame is on its way: nothing follows it.
    is_closing: bool,
    ended: Option<Ended>,
    /// Next ping.
    ping_at: Instant,
    /// Something came since the last ping.
    heard: bool,
    /// When a client that takes nothing is given up.
    stalled_at: Instant,
}

impl StreamClient {
    pub(super) fn new(id: StreamId, early: Vec<u8>, limits: &CarrierLimits, now: Instant) -> Self {
        Self {
            id,
            decoder: Decoder::new(Peer::Client, limits.message_bytes_max),
            early,
            pong: None,
            close: None,
            is_closing: false,
            ended: None,
            ping_at: now + patience::PING,
            heard: true,
            stalled_at: now + patience::STALL,
        }
    }

    pub(super) fn id(&self) -> StreamId {
        self.id
    }

    pub(super) fn ended(&self) -> Option<Ended> {
        self.ended
    }

    pub(super) fn held_bytes(&self) -> usize {
        self.decoder.held_bytes().saturating_add(self.early.capacity())
    }

    pub(super) fn deadline(&self) -> Instant {
        self.ping_at.min(self.stalled_at)
    }

    /// Does a bounded amount of work; true when there can be more.
    pub(super) fn turn(&mut self, turn: &mut Turn<'_>, socket: Socket, outgoing: &mut SendBuffer) -> bool {
        let mut moved = self.read(turn, socket);
        moved |= self.write(turn, socket, outgoing);
        if outgoing.is_sent() {
            // Nothing is owed by the client.
            if !self.is_closing {
                self.stalled_at = turn.now + patience::STALL;
            }
        } else if turn.now >= self.stalled_at {
            self.end(Ended::Slow);
        }
        if self.is_closing && outgoing.is_sent() {
            self.end(Ended::Done);
        }
        if turn.now >= self.ping_at {
            self.ping_at = turn.now + patience::PING;
            if !core::mem::take(&mut self.heard) {
                self.end(Ended::Slow);
            } else if outgoing.is_sent() && !self.is_closing {
                *outgoing = SendBuffer::bytes(frame_head(Opcode::Ping, 0).to_vec(), Cow::Borrowed(&[]));
            }
            moved = true;
        }
        moved
    }

    fn end(&mut self, ended: Ended) {
        self.ended = self.ended.or(Some(ended));
    }

    fn read(&mut self, turn: &mut Turn<'_>, socket: Socket) -> bool {
        if self.is_closing {
            return false;
        }
        let early = core::mem::take(&mut self.early);
        let mut moved = !early.is_empty();
        self.take(turn, &early);
        for _ in 0..READS_PER_TURN {
            if self.close.is_some() {
                // Nothing behind it counts; a close frame of ours waits until the client takes it.
                return moved;
            }
            let held = turn.others_hold.saturating_add(self.held_bytes());
            if held.saturating_add(READ_BYTES) > turn.limits.held_bytes_max {
                // Others end or time out; meanwhile the client waits.
                return moved;
            }
            let mut buffer = [0; READ_BYTES];
            let Some(network) = turn.gateway.network_mut() else { return moved };
            match network.receive(socket, &mut buffer) {
                Ok(Received::Bytes(count)) => {
                    (self.heard, moved) = (true, true);
                    self.take(turn, buffer.get(..count).unwrap_or_default());
                }
                Ok(Received::Pending) => return moved,
                // A client that closes without a close frame reads nothing more either.
                Ok(Received::Closed) => {
                    self.end(Ended::Done);
                    return true;
                }
                Err(_) => {
                    self.end(Ended::Broken);
                    return true;
                }
            }
        }
        true
    }

    /// Takes bytes of the client.
    fn take(&mut self, turn: &mut Turn<'_>, mut bytes: &[u8]) {
        loop {
            match self.decoder.decode(&mut bytes) {
                Ok(Some(WebSocketMessage::Text(text))) => turn.gateway.stream_receive(self.id, &text),
                Ok(Some(WebSocketMessage::Ping(payload))) => self.pong = Some(payload),
                // Some clients send their JSON as bytes.
                Ok(Some(WebSocketMessage::Binary(bytes))) => match core::str::from_utf8(&bytes) {
                    Ok(text) => turn.gateway.stream_receive(self.id, text),
                    Err(_) => {
                        self.close = Some(UNSUPPORTED);
                        return;
                    }
                },
                Ok(Some(WebSocketMessage::Pong(_))) => {}
                Ok(Some(WebSocketMessage::Close(code))) => {
                    self.close = Some(code.unwrap_or(NORMAL));
                    return;
                }
                Ok(None) => return,
                Err(violation) => {
                    log::debug!("stream client: {violation}");
                    turn.counters.malformed = turn.counters.malformed.saturating_add(1);
                    self.close = Some(violation.code());
                    return;
                }
            }
        }
    }

    /// Sends what the client can take: answers first, then texts. True when there can be more.
    fn write(&mut self, turn: &mut Turn<'_>, socket: Socket, outgoing: &mut SendBuffer) -> bool {
        let mut moved = false;
        for _ in 0..TEXTS_PER_TURN {
            if outgoing.is_sent() {
                if self.is_closing {
                    return moved;
                }
                let Some(next) = self.next(turn) else { return moved };
                *outgoing = next;
            }
            let Some(network) = turn.gateway.network_mut() else { return moved };
            match outgoing.flush(network, socket) {
                Ok(0) => return moved,
                Ok(_) => {
                    moved = true;
                    if !self.is_closing {
                        self.stalled_at = turn.now + patience::STALL;
                    }
                }
                Err(_) => {
                    self.end(Ended::Broken);
                    return true;
                }
            }
        }
        true
    }

    fn next(&mut self, turn: &mut Turn<'_>) -> Option<SendBuffer> {
        if let Some(payload) = self.pong.take() {
            let mut frame = Vec::new();
            write_frame(&mut frame, Opcode::Pong, true, &payload, None);
            return Some(SendBuffer::bytes(frame, Cow::Borrowed(&[])));
        }
        if self.close.is_none() {
            match turn.gateway.stream_next(self.id) {
                StreamOut::Text(text) => {
                    return Some(SendBuffer::text(&frame_head(Opcode::Text, text.len()), text));
                }
                StreamOut::Binary(frame) => {
                    return Some(SendBuffer::bytes(
                        frame_head(Opcode::Binary, frame.len()).to_vec(),
                        frame.to_vec().into(),
                    ));
                }
                StreamOut::TooSlow => self.close = Some(POLICY),
                StreamOut::Idle => return None,
                StreamOut::Closed => self.close = Some(GOING_AWAY),
            }
        }
        let code = self.close?;
        self.is_closing = true;
        self.stalled_at = turn.now + CLOSE_TIMEOUT;
        let mut frame = Vec::new();
        write_frame(&mut frame, Opcode::Close, true, &code.to_be_bytes(), None);
        Some(SendBuffer::bytes(frame, Cow::Borrowed(&[])))
    }
}
