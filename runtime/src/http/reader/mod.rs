//! Requests out of a stream of bytes.

use alloc::vec::Vec;

use super::chunked::{Chunks, Piece};
use super::head::{self, Framing};
use super::{Limits, Refusal, Request};

/// What a reader has of the next request.
#[derive(Debug)]
pub enum RequestStep {
    /// More bytes are needed.
    Pending,
    /// The client waits for `HTTP/1.1 100 Continue`, which is to be sent now; told once per request.
    Continue,
    /// A whole request. What the client sent behind it stays in the reader.
    Request {
        /// The request; of its caller it says nothing.
        request: Request,
        /// Whether the connection goes on after the response.
        keep_alive: bool,
    },
}

#[derive(Debug)]
enum State {
    Head {
        /// Bytes that were searched for the empty line already.
        searched: usize,
    },
    Body {
        request: Request,
        keep_alive: bool,
        missing: usize,
    },
    Chunks {
        request: Request,
        keep_alive: bool,
        at: Chunks,
    },
    /// A request was refused: nothing behind it can be understood.
    Broken(Refusal),
}

/// Reads the requests of one connection, one after the other (RFC 9112 §9.3.2).
///
/// It holds at most one head, one body, and what arrived behind them, and nothing at all between requests.
#[derive(Debug)]
pub struct Reader {
    limits: Limits,
    /// Arrived and not yet used; at most `head_bytes_max`.
    buffer: Vec<u8>,
    state: State,
    /// `RequestStep::Continue` is due.
    owes_continue: bool,
}

impl Reader {
    /// Builds a reader for a new connection.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        Self { limits, buffer: Vec::new(), state: State::Head { searched: 0 }, owes_continue: false }
    }

    /// Returns how many bytes [`push`](Self::push) takes now.
    #[must_use]
    pub fn room(&self) -> usize {
        self.limits.head_bytes_max.saturating_sub(self.buffer.len())
    }

    /// Tells whether nothing of a next request has arrived.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.buffer.is_empty() && matches!(self.state, State::Head { .. })
    }

    /// Tells whether a head was read and its body is awaited.
    #[must_use]
    pub fn is_in_body(&self) -> bool {
        matches!(self.state, State::Body { .. } | State::Chunks { .. })
    }

    /// Returns the request whose body is awaited, its caller to be filled in.
    pub fn awaited(&mut self) -> Option<&mut Request> {
        match &mut self.state {
            State::Body { request, .. } | State::Chunks { request, .. } => Some(request),
            State::Head { .. } | State::Broken(_) => None,
        }
    }

    /// Returns how many bytes of memory the reader holds for heads and bodies.
    #[must_use]
    pub fn held_bytes(&self) -> usize {
        let body = match &self.state {
            State::Body { request, .. } | State::Chunks { request, .. } => request.body.capacity(),
            State::Head { .. } | State::Broken(_) => 0,
        };
        self.buffer.capacity().saturating_add(body)
    }

    /// Takes bytes that arrived, and returns how many it took.
    pub fn push(&mut self, bytes: &[u8]) -> usize {
        let taken = bytes.get(..self.room().min(bytes.len())).unwrap_or_default();
        if self.buffer.try_reserve(taken.len()).is_err() {
            return 0;
        }
        self.buffer.extend_from_slice(taken);
        taken.len()
    }

    /// Gives up the bytes that follow the last request, for another protocol (RFC 9110 §7.8).
    #[must_use]
    pub fn into_rest(self) -> Vec<u8> {
        self.buffer
    }

    /// Parses the bytes that were pushed. Call it again after a request: the next one can be there already.
    ///
    /// # Errors
    /// [`Refusal`]; it stays, since the rest of the stream cannot be understood.
    pub fn step(&mut self) -> Result<RequestStep, Refusal> {
        match self.advance() {
            Err(refusal) => {
                self.buffer = Vec::new();
                self.owes_continue = false;
                self.state = State::Broken(refusal);
                Err(refusal)
            }
            done => done,
        }
    }

    fn advance(&mut self) -> Result<RequestStep, Refusal> {
        loop {
            match &mut self.state {
                State::Broken(refusal) => return Err(*refusal),
                State::Head { .. } => {
                    let Some(end) = self.head_end()? else { return Ok(RequestStep::Pending) };
                    let head = head::parse(self.buffer.get(..end).unwrap_or_default(), &self.limits)?;
                    self.use_up(end);
                    self.owes_continue = head.expects_continue;
                    let (request, keep_alive) = (head.request, head.keep_alive);
                    self.state = match head.framing {
                        Framing::Length(missing) => State::Body { request, keep_alive, missing },
                        Framing::Chunked => State::Chunks { request, keep_alive, at: Chunks::Size },
                    };
                }
                State::Body { request, missing, .. } => {
                    let count = (*missing).min(self.buffer.len());
                    // The announced length is within the limit, but memory is taken for what really comes.
                    extend(&mut request.body, self.buffer.get(..count).unwrap_or_default())?;
                    *missing = missing.saturating_sub(count);
                    let is_whole = *missing == 0;
                    self.use_up(count);
                    if is_whole {
                        return Ok(self.finish());
                    }
                    return Ok(self.wait());
                }
                State::Chunks { request, at, .. } => {
                    let room = self.limits.body_bytes_max.saturating_sub(request.body.len());
                    let limit = self.limits.body_bytes_max;
                    let piece =
                        at.next(&self.buffer, room, self.limits.head_bytes_max).map_err(|refusal| match refusal {
                            Refusal::BodyTooLarge { .. } => Refusal::BodyTooLarge { limit },
                            other => other,
                        })?;
                    let is_over = *at == Chunks::End;
                    match piece {
                        Piece::Body(count) => {
                            extend(&mut request.body, self.buffer.get(..count).unwrap_or_default())?;
                            self.use_up(count);
                        }
                        Piece::Framing(count) => self.use_up(count),
                        Piece::Pending => return Ok(self.wait()),
                    }
                    if is_over {
                        return Ok(self.finish());
                    }
                }
            }
        }
    }

    /// Asks for more of a body, and for `100 Continue` first when the client waits for it.
    fn wait(&mut self) -> RequestStep {
        if core::mem::take(&mut self.owes_continue) && self.buffer.is_empty() {
            RequestStep::Continue
        } else {
            RequestStep::Pending
        }
    }

    fn finish(&mut self) -> RequestStep {
        self.owes_continue = false;
        match core::mem::replace(&mut self.state, State::Head { searched: 0 }) {
            State::Body { request, keep_alive, .. } | State::Chunks { request, keep_alive, .. } => {
                RequestStep::Request { request, keep_alive }
            }
            other => {
                self.state = other;
                RequestStep::Pending
            }
        }
    }

    /// Finds the end of the head: the bytes up to its empty line.
    fn head_end(&mut self) -> Result<Option<usize>, Refusal> {
        // Empty lines before a request are read over (RFC 9112 §2.2).
        let blank = self.buffer.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
        self.use_up(blank);
        let State::Head { searched } = &mut self.state else { return Ok(None) };
        if let Some(first) = self.buffer.first()
            && !first.is_ascii_alphabetic()
        {
            // Another protocol, TLS for instance, is told so at once.
            return Err(Refusal::Malformed("not an HTTP/1.1 request"));
        }
        // The line break before the empty line may have been searched already.
        let from = searched.saturating_sub(2);
        let rest = self.buffer.get(from..).unwrap_or_default();
        for (index, pair) in rest.windows(2).enumerate() {
            let after = match (pair, rest.get(index.saturating_add(2))) {
                ([b'\n', b'\n'], _) => 2,
                ([b'\n', b'\r'], Some(b'\n')) => 3,
                _ => continue,
            };
            return Ok(Some(from.saturating_add(index).saturating_add(after)));
        }
        *searched = self.buffer.len();
        if self.buffer.len() >= self.limits.head_bytes_max { Err(Refusal::HeadTooLarge) } else { Ok(None) }
    }

    /// Removes what was used; an empty buffer gives its memory back.
    fn use_up(&mut self, count: usize) {
        if count >= self.buffer.len() {
            self.buffer = Vec::new();
        } else {
            self.buffer.drain(..count);
        }
        if let State::Head { searched } = &mut self.state {
            *searched = searched.saturating_sub(count);
        }
    }
}

fn extend(body: &mut Vec<u8>, bytes: &[u8]) -> Result<(), Refusal> {
    if body.capacity().saturating_sub(body.len()) < bytes.len() {
        // Doubling would hold up to twice what came, and on a board what one request holds is what others cannot.
        let more = bytes.len().max(body.len() / 8);
        body.try_reserve_exact(more).map_err(|_| Refusal::NoRoom)?;
    }
    body.extend_from_slice(bytes);
    Ok(())
}

#[cfg(test)]
mod tests;
