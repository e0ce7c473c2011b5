//! HTTP/1.1 without TLS over a [`Network`]: the client of a chip.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::net::{IpAddr, SocketAddr};
use core::task::Poll;

use crate::hal::{FetchError, FetchHop, FetchId, FetchReply, NetError, Network, Received, Socket};
use crate::sorted::SortedMap;
use crate::time::Instant;

/// Requests on their way at the same time.
pub const PLAIN_REQUESTS_MAX: usize = 4;
/// Bytes of status line and headers of an answer.
pub const HEAD_BYTES_MAX: usize = 4096;
/// Headers of an answer.
const HEADERS_MAX: usize = 48;
/// Bytes of a chunk's length line with its extensions, of one trailer line.
const CHUNK_LINE_BYTES_MAX: usize = 256;
/// Bytes read at once.
const READ_BYTES: usize = 512;
/// Reads in one poll, so that a fast server does not hold up the bus.
const READS_PER_POLL: usize = 32;

/// Every request of this client.
#[derive(Debug, Default)]
pub struct PlainHttp {
    requests: SortedMap<FetchId, Request>,
    last: u32,
}

#[derive(Debug)]
struct Request {
    hop: FetchHop,
    deadline: Instant,
    step: Step,
}

#[derive(Debug)]
enum Step {
    Resolving,
    Sending { socket: Socket, data: Vec<u8>, sent: usize },
    Reading { socket: Socket, reader: Reader },
}

impl PlainHttp {
    pub(super) fn begin(&mut self, hop: FetchHop, now: Instant) -> Result<FetchId, FetchError> {
        if hop.secure {
            return Err(FetchError::NoTls);
        }
        if self.requests.len() >= PLAIN_REQUESTS_MAX {
            return Err(FetchError::TooMany);
        }
        self.last = self.last.checked_add(1).ok_or(FetchError::TooMany)?;
        let id = FetchId(self.last);
        self.requests.insert(id, Request { deadline: now + hop.timeout, hop, step: Step::Resolving });
        Ok(id)
    }

    pub(super) fn poll(
        &mut self,
        id: FetchId,
        network: &mut dyn Network,
        now: Instant,
    ) -> Poll<Result<FetchReply, FetchError>> {
        let Some(request) = self.requests.get_mut(&id) else { return Poll::Ready(Err(FetchError::Cancelled)) };
        let mut polled = request.poll(network);
        if polled.is_pending() && now >= request.deadline {
            polled = Poll::Ready(Err(FetchError::Timeout));
        }
        if polled.is_ready() {
            self.cancel(id, network);
        }
        polled
    }

    pub(super) fn cancel(&mut self, id: FetchId, network: &mut dyn Network) {
        match self.requests.remove(&id).map(|request| request.step) {
            Some(Step::Sending { socket, .. } | Step::Reading { socket, .. }) => network.close(socket),
            Some(Step::Resolving) | None => {}
        }
    }
}

impl Request {
    fn poll(&mut self, network: &mut dyn Network) -> Poll<Result<FetchReply, FetchError>> {
        loop {
            let next = match &mut self.step {
                Step::Resolving => match network.resolve(&self.hop.host) {
                    Poll::Pending => return Poll::Pending,
                    Poll::Ready(Err(error)) => return Poll::Ready(Err(told(error))),
                    Poll::Ready(Ok(address)) => match self.connect(address, network) {
                        Ok(step) => step,
                        Err(error) => return Poll::Ready(Err(error)),
                    },
                },
                Step::Sending { socket, data, sent } => {
                    match network.send(*socket, data.get(*sent..).unwrap_or_default()) {
                        Err(error) => return Poll::Ready(Err(told(error))),
                        // A connection that was refused is told by reading.
                        Ok(0) => match network.receive(*socket, &mut [0; 0]) {
                            Err(error) => return Poll::Ready(Err(told(error))),
                            Ok(_) => return Poll::Pending,
                        },
                        Ok(count) => *sent = sent.saturating_add(count),
                    }
                    if *sent < data.len() {
                        continue;
                    }
                    Step::Reading { socket: *socket, reader: Reader::new(self.hop.body_bytes_max) }
                }
                Step::Reading { socket, reader } => return read(*socket, reader, network),
            };
            self.step = next;
        }
    }

    /// Connects to the very address that the policy has seen.
    fn connect(&self, address: IpAddr, network: &mut dyn Network) -> Result<Step, FetchError> {
        let hop = &self.hop;
        if !hop.destinations.allow(&hop.host, address, hop.port) {
            return Err(FetchError::Denied);
        }
        let socket = network.connect(SocketAddr::new(address, hop.port)).map_err(told)?;
        Ok(Step::Sending { socket, data: request_bytes(hop), sent: 0 })
    }
}

fn told(error: NetError) -> FetchError {
    match error {
        NetError::UnknownHost => FetchError::UnknownHost,
        NetError::TooMany => FetchError::TooMany,
        NetError::Reset | NetError::Closed => FetchError::Broken,
        NetError::Unsupported => FetchError::Unsupported,
        _ => FetchError::Unreachable,
    }
}

fn request_bytes(hop: &FetchHop) -> Vec<u8> {
    let mut head = format!("{} {} HTTP/1.1\r\nHost: {}\r\n", hop.method.name(), hop.target, hop.authority());
    head.push_str("Connection: close\r\nAccept-Encoding: identity\r\n");
    for (name, value) in &hop.headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    for (name, value) in [("Accept", "*/*"), ("User-Agent", concat!("Skiff/", env!("CARGO_PKG_VERSION")))] {
        if !hop.headers.iter().any(|(own, _)| own.eq_ignore_ascii_case(name)) {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
    }
    if hop.method == crate::hal::FetchMethod::Post {
        head.push_str(&format!("Content-Length: {}\r\n", hop.body.len()));
    }
    head.push_str("\r\n");
    let mut bytes = head.into_bytes();
    bytes.extend_from_slice(&hop.body);
    bytes
}

fn read(socket: Socket, reader: &mut Reader, network: &mut dyn Network) -> Poll<Result<FetchReply, FetchError>> {
    let mut buffer = [0; READ_BYTES];
    for _ in 0..READS_PER_POLL {
        let done = match network.receive(socket, &mut buffer) {
            Ok(Received::Pending) => return Poll::Pending,
            Ok(Received::Bytes(count)) => reader.take(buffer.get(..count).unwrap_or_default()),
            Ok(Received::Closed) => reader.end(),
            Err(error) => Err(told(error)),
        };
        match done {
            Ok(false) => {}
            Ok(true) => return Poll::Ready(Ok(reader.reply())),
            Err(error) => return Poll::Ready(Err(error)),
        }
    }
    Poll::Pending
}

/// Reads an answer as it comes in (RFC 9112).
#[derive(Debug)]
pub struct Reader {
    /// Bytes received and not parsed yet: the head, or a chunk's length line.
    raw: Vec<u8>,
    state: State,
    status: u16,
    location: Option<String>,
    body: Vec<u8>,
    limit: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Head,
    /// This many bytes of the body are missing.
    Counted(u64),
    ChunkLine,
    Chunk(u64),
    /// The line end behind a chunk.
    ChunkEnd,
    Trailer,
    /// The body ends with the connection.
    UntilClosed,
    Done,
}

impl Reader {
    /// Builds a reader that takes at most `body_bytes_max` bytes of body.
    #[must_use]
    pub fn new(body_bytes_max: u32) -> Self {
        Self { raw: Vec::new(), state: State::Head, status: 0, location: None, body: Vec::new(), limit: body_bytes_max }
    }

    /// Takes bytes; true when the answer is complete.
    ///
    /// # Errors
    /// [`FetchError::Malformed`], [`FetchError::TooLarge`].
    pub fn take(&mut self, mut data: &[u8]) -> Result<bool, FetchError> {
        while !data.is_empty() && self.state != State::Done {
            data = match self.state {
                State::Head => self.head(data)?,
                State::Counted(left) => {
                    let (rest, left) = self.part(data, left)?;
                    self.state = if left == 0 { State::Done } else { State::Counted(left) };
                    rest
                }
                State::Chunk(left) => {
                    let (rest, left) = self.part(data, left)?;
                    self.state = if left == 0 { State::ChunkEnd } else { State::Chunk(left) };
                    rest
                }
                State::ChunkLine | State::ChunkEnd | State::Trailer => self.line(data)?,
                State::UntilClosed => self.part(data, u64::MAX)?.0,
                State::Done => data,
            };
        }
        Ok(self.state == State::Done)
    }

    /// Takes the end of the connection.
    ///
    /// # Errors
    /// [`FetchError::Broken`] when the answer is not complete.
    pub fn end(&mut self) -> Result<bool, FetchError> {
        match self.state {
            State::UntilClosed | State::Done => Ok(true),
            _ => Err(FetchError::Broken),
        }
    }

    /// Takes the answer out.
    pub fn reply(&mut self) -> FetchReply {
        FetchReply { status: self.status, location: self.location.take(), body: core::mem::take(&mut self.body) }
    }

    /// Adds at most `left` bytes to the body; returns what is over, and what is left.
    fn part<'d>(&mut self, data: &'d [u8], left: u64) -> Result<(&'d [u8], u64), FetchError> {
        let count = data.len().min(usize::try_from(left).unwrap_or(usize::MAX));
        let (part, rest) = data.split_at_checked(count).unwrap_or((data, &[]));
        if self.body.len().saturating_add(part.len()) > self.limit as usize {
            return Err(FetchError::TooLarge { limit: self.limit });
        }
        self.body.extend_from_slice(part);
        Ok((rest, left.saturating_sub(count as u64)))
    }

    /// Collects the head; returns what is over.
    fn head<'d>(&mut self, data: &'d [u8]) -> Result<&'d [u8], FetchError> {
        let before = self.raw.len();
        let room = HEAD_BYTES_MAX.saturating_sub(before);
        self.raw.extend_from_slice(data.get(..room.min(data.len())).unwrap_or_default());
        let mut headers = [httparse::EMPTY_HEADER; HEADERS_MAX];
        let mut response = httparse::Response::new(&mut headers);
        let bytes = match response.parse(&self.raw) {
            Ok(httparse::Status::Complete(bytes)) => bytes,
            Ok(httparse::Status::Partial) if self.raw.len() < HEAD_BYTES_MAX => return Ok(&[]),
            _ => return Err(FetchError::Malformed),
        };
        let status = response.code.unwrap_or_default();
        let (mut length, mut chunked, mut location) = (None, false, None);
        for header in response.headers.iter() {
            let value = core::str::from_utf8(header.value).unwrap_or_default().trim();
            if header.name.eq_ignore_ascii_case("content-length") {
                let value: u64 = value.parse().map_err(|_| FetchError::Malformed)?;
                // Two lengths that differ are an attempt to confuse (RFC 9112 §6.3).
                if length.is_some_and(|other| other != value) {
                    return Err(FetchError::Malformed);
                }
                length = Some(value);
            } else if header.name.eq_ignore_ascii_case("transfer-encoding") {
                if !value.eq_ignore_ascii_case("chunked") {
                    return Err(FetchError::Malformed);
                }
                chunked = true;
            } else if header.name.eq_ignore_ascii_case("location") {
                location = Some(String::from(value));
            }
        }
        let over = bytes.saturating_sub(before);
        self.raw.clear();
        if (100..200).contains(&status) {
            // An interim answer: the real one follows.
            return Ok(data.get(over..).unwrap_or_default());
        }
        (self.status, self.location) = (status, location);
        self.state = match (status, chunked, length) {
            (204 | 304, ..) | (_, false, Some(0)) => State::Done,
            (_, true, _) => State::ChunkLine,
            (_, false, Some(length)) if length > self.limit.into() => {
                return Err(FetchError::TooLarge { limit: self.limit });
            }
            (_, false, Some(length)) => State::Counted(length),
            (_, false, None) => State::UntilClosed,
        };
        Ok(data.get(over..).unwrap_or_default())
    }

    /// Collects a line between chunks; returns what is over.
    fn line<'d>(&mut self, data: &'d [u8]) -> Result<&'d [u8], FetchError> {
        let end = data.iter().position(|&byte| byte == b'\n');
        let (line, rest) =
            data.split_at_checked(end.map_or(data.len(), |end| end.saturating_add(1))).unwrap_or_default();
        if self.raw.len().saturating_add(line.len()) > CHUNK_LINE_BYTES_MAX {
            return Err(FetchError::Malformed);
        }
        self.raw.extend_from_slice(line);
        if end.is_none() {
            return Ok(&[]);
        }
        let raw = core::mem::take(&mut self.raw);
        let line = raw.trim_ascii();
        self.state = match self.state {
            State::ChunkEnd if line.is_empty() => State::ChunkLine,
            State::ChunkLine => match chunk_length(line).ok_or(FetchError::Malformed)? {
                0 => State::Trailer,
                length => State::Chunk(length),
            },
            State::Trailer if line.is_empty() => State::Done,
            State::Trailer => State::Trailer,
            _ => return Err(FetchError::Malformed),
        };
        Ok(rest)
    }
}

/// Reads `1a;extension`.
fn chunk_length(line: &[u8]) -> Option<u64> {
    let digits = line.split(|&byte| byte == b';').next()?.trim_ascii();
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_hexdigit) {
        return None;
    }
    u64::from_str_radix(core::str::from_utf8(digits).ok()?, 16).ok()
}
