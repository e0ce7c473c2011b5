//! WebSocket frames and messages (RFC 6455 §5).

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

/// Bytes of a control frame's payload at most (RFC 6455 §5.5).
pub const CONTROL_BYTES_MAX: usize = 125;
/// Bytes of a frame's head at most: two, a 64-bit length, a mask (RFC 6455 §5.2).
pub const HEAD_BYTES_MAX: usize = 14;

/// Kind of a frame (RFC 6455 §11.8).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Opcode {
    /// Goes on with a fragmented message.
    Continuation,
    /// UTF-8 text.
    Text,
    /// Bytes.
    Binary,
    /// Ends the connection.
    Close,
    /// Asks for a pong.
    Ping,
    /// Answers a ping.
    Pong,
}

impl Opcode {
    const fn bits(self) -> u8 {
        match self {
            Self::Continuation => 0,
            Self::Text => 1,
            Self::Binary => 2,
            Self::Close => 8,
            Self::Ping => 9,
            Self::Pong => 10,
        }
    }

    fn from_bits(bits: u8) -> Option<Self> {
        let all = [Self::Continuation, Self::Text, Self::Binary, Self::Close, Self::Ping, Self::Pong];
        all.into_iter().find(|opcode| opcode.bits() == bits)
    }

    const fn is_control(self) -> bool {
        self.bits() >= 8
    }
}

/// Payload of a control frame.
pub type Control = heapless::Vec<u8, CONTROL_BYTES_MAX>;

/// A whole message of the peer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WebSocketMessage {
    /// Text, fragments joined.
    Text(String),
    /// Bytes, fragments joined.
    Binary(Vec<u8>),
    /// To be answered by a pong of the same payload.
    Ping(Control),
    /// Answers a ping, or nothing.
    Pong(Control),
    /// The peer ends the connection, with its code when it gave one. Nothing follows.
    Close(Option<u16>),
}

/// Why the stream of a peer cannot be understood; each has its close code (RFC 6455 §7.4.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Violation {
    /// Against the protocol.
    Protocol(&'static str),
    /// Text that is no UTF-8.
    Text,
    /// A message longer than the limit.
    TooLong {
        /// The limit, bytes.
        limit: usize,
    },
    /// No memory for the message now.
    NoRoom,
}

impl Violation {
    /// Returns the close code to answer with.
    #[must_use]
    pub const fn code(self) -> u16 {
        match self {
            Self::Protocol(_) => 1002,
            Self::Text => 1007,
            Self::TooLong { .. } => 1009,
            Self::NoRoom => 1013,
        }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Protocol(clause) => f.write_str(clause),
            Self::Text => f.write_str("text that is no utf-8"),
            Self::TooLong { limit } => write!(f, "message longer than {limit} bytes"),
            Self::NoRoom => f.write_str("no memory for the message"),
        }
    }
}

impl core::error::Error for Violation {}

/// Which end of the connection the decoder listens to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Peer {
    /// Its frames must be masked.
    Client,
    /// Its frames must not be masked.
    Server,
}

/// The frame whose payload is being read.
#[derive(Clone, Copy, Debug)]
struct Frame {
    opcode: Opcode,
    fin: bool,
    mask: [u8; 4],
    /// Bytes read already, of `bytes`.
    read: usize,
    bytes: usize,
}

/// Turns the bytes of a peer into messages. Holds one message at most.
#[derive(Debug)]
pub struct Decoder {
    peer: Peer,
    message_bytes_max: usize,
    head: heapless::Vec<u8, HEAD_BYTES_MAX>,
    frame: Option<Frame>,
    /// Kind of the fragmented message that is being joined.
    joining: Option<Opcode>,
    data: Vec<u8>,
    control: Control,
    failed: Option<Violation>,
}

impl Decoder {
    /// Builds a decoder for a new connection; longer messages are a violation.
    #[must_use]
    pub fn new(peer: Peer, message_bytes_max: usize) -> Self {
        Self {
            peer,
            message_bytes_max,
            head: heapless::Vec::new(),
            frame: None,
            joining: None,
            data: Vec::new(),
            control: Control::new(),
            failed: None,
        }
    }

    /// Returns how many bytes of memory the decoder holds for a message.
    #[must_use]
    pub fn held_bytes(&self) -> usize {
        self.data.capacity()
    }

    /// Takes bytes from the front of `input` until a message is whole or nothing is left.
    ///
    /// # Errors
    /// [`Violation`]; it stays, since the rest of the stream cannot be understood.
    pub fn decode(&mut self, input: &mut &[u8]) -> Result<Option<WebSocketMessage>, Violation> {
        if let Some(violation) = self.failed {
            return Err(violation);
        }
        self.advance(input).inspect_err(|violation| {
            self.failed = Some(*violation);
            self.data = Vec::new();
        })
    }

    fn advance(&mut self, input: &mut &[u8]) -> Result<Option<WebSocketMessage>, Violation> {
        loop {
            if self.frame.is_none() {
                self.frame = self.read_head(input)?;
            }
            let Some(mut frame) = self.frame else { return Ok(None) };
            let count = frame.bytes.saturating_sub(frame.read).min(input.len());
            let (part, rest) = input.split_at_checked(count).unwrap_or((input, &[]));
            *input = rest;
            let unmasked =
                part.iter().zip(frame.mask.iter().cycle().skip(frame.read % 4)).map(|(byte, mask)| byte ^ mask);
            if frame.opcode.is_control() {
                // Cannot be full: the length was checked with the head.
                self.control.extend(unmasked);
            } else {
                self.data.try_reserve(count).map_err(|_| Violation::NoRoom)?;
                self.data.extend(unmasked);
            }
            frame.read = frame.read.saturating_add(count);
            if frame.read < frame.bytes {
                self.frame = Some(frame);
                return Ok(None);
            }
            self.frame = None;
            if let Some(message) = self.finish(frame)? {
                return Ok(Some(message));
            }
        }
    }

    /// Reads the head of a frame, which can arrive in pieces; checks all that can be told from it.
    fn read_head(&mut self, input: &mut &[u8]) -> Result<Option<Frame>, Violation> {
        loop {
            let (first, second) = (self.head.first().copied().unwrap_or(0), self.head.get(1).copied().unwrap_or(0));
            if self.head.len() >= 2 {
                self.check_start(first, second)?;
            }
            let extended = match second & 0x7f {
                126 => 2_usize,
                127 => 8,
                _ => 0,
            };
            let mask_bytes = if second & 0x80 == 0 { 0 } else { 4 };
            let wanted = 2_usize.saturating_add(extended).saturating_add(mask_bytes);
            if self.head.len() >= 2 && self.head.len() >= wanted {
                let frame = self.frame_of_head(first, second, extended)?;
                self.head.clear();
                return Ok(Some(frame));
            }
            let Some((byte, rest)) = input.split_first() else { return Ok(None) };
            *input = rest;
            // Cannot be full: no head is longer.
            let _ = self.head.push(*byte);
        }
    }

    fn check_start(&self, first: u8, second: u8) -> Result<(), Violation> {
        let Some(opcode) = Opcode::from_bits(first & 0x0f) else { return Err(Violation::Protocol("unknown opcode")) };
        if first & 0x70 != 0 {
            return Err(Violation::Protocol("reserved bits without an extension"));
        }
        if (second & 0x80 != 0) != (self.peer == Peer::Client) {
            return Err(Violation::Protocol("frames of clients are masked, those of servers are not"));
        }
        if opcode.is_control() && (first & 0x80 == 0 || second & 0x7f > 125) {
            return Err(Violation::Protocol("control frames are short and in one piece"));
        }
        match (opcode, self.joining) {
            (Opcode::Continuation, None) => Err(Violation::Protocol("continuation of nothing")),
            (Opcode::Text | Opcode::Binary, Some(_)) => Err(Violation::Protocol("a message inside a fragmented one")),
            _ => Ok(()),
        }
    }

    fn frame_of_head(&self, first: u8, second: u8, extended: usize) -> Result<Frame, Violation> {
        let number = self.head.iter().skip(2).take(extended).fold(0_u64, |sum, byte| sum << 8 | u64::from(*byte));
        let bytes = match second & 0x7f {
            short @ 0..=125 => u64::from(short),
            126 if number < 126 => return Err(Violation::Protocol("a length in more bytes than it needs")),
            127 if number <= 0xffff => return Err(Violation::Protocol("a length in more bytes than it needs")),
            127 if number >> 63 != 0 => return Err(Violation::Protocol("a length of 64 bits")),
            _ => number,
        };
        let opcode = Opcode::from_bits(first & 0x0f).ok_or(Violation::Protocol("unknown opcode"))?;
        let bytes = usize::try_from(bytes).unwrap_or(usize::MAX);
        if !opcode.is_control() && bytes > self.message_bytes_max.saturating_sub(self.data.len()) {
            return Err(Violation::TooLong { limit: self.message_bytes_max });
        }
        let mut mask = [0; 4];
        for (to, from) in mask.iter_mut().zip(self.head.iter().skip(2_usize.saturating_add(extended))) {
            *to = *from;
        }
        Ok(Frame { opcode, fin: first & 0x80 != 0, mask, read: 0, bytes })
    }

    fn finish(&mut self, frame: Frame) -> Result<Option<WebSocketMessage>, Violation> {
        Ok(Some(match frame.opcode {
            Opcode::Ping => WebSocketMessage::Ping(core::mem::take(&mut self.control)),
            Opcode::Pong => WebSocketMessage::Pong(core::mem::take(&mut self.control)),
            Opcode::Close => WebSocketMessage::Close(close_code(&core::mem::take(&mut self.control))?),
            Opcode::Continuation | Opcode::Text | Opcode::Binary => {
                let kind = self.joining.take().unwrap_or(frame.opcode);
                if !frame.fin {
                    self.joining = Some(kind);
                    return Ok(None);
                }
                let data = core::mem::take(&mut self.data);
                match kind {
                    Opcode::Text => WebSocketMessage::Text(String::from_utf8(data).map_err(|_| Violation::Text)?),
                    _ => WebSocketMessage::Binary(data),
                }
            }
        }))
    }
}

/// Reads the payload of a close frame (RFC 6455 §5.5.1, §7.4).
fn close_code(payload: &[u8]) -> Result<Option<u16>, Violation> {
    let (code, reason) = match payload {
        [] => return Ok(None),
        [high, low, reason @ ..] => (u16::from_be_bytes([*high, *low]), reason),
        [_] => return Err(Violation::Protocol("half a close code")),
    };
    if core::str::from_utf8(reason).is_err() {
        return Err(Violation::Text);
    }
    match code {
        1000..=1003 | 1007..=1014 | 3000..=4999 => Ok(Some(code)),
        _ => Err(Violation::Protocol("a close code that must not be sent")),
    }
}

/// Returns the head of an unfragmented, unmasked frame, as servers send it; `bytes` of payload follow it.
#[must_use]
pub fn frame_head(opcode: Opcode, bytes: usize) -> heapless::Vec<u8, HEAD_BYTES_MAX> {
    head_of(opcode, true, bytes, None)
}

fn head_of(opcode: Opcode, fin: bool, bytes: usize, mask: Option<[u8; 4]>) -> heapless::Vec<u8, HEAD_BYTES_MAX> {
    let mut head = heapless::Vec::new();
    // Nothing below fills it: no head is longer than 14 bytes.
    let _ = head.push(opcode.bits() | if fin { 0x80 } else { 0 });
    let masked = if mask.is_some() { 0x80 } else { 0 };
    match (u8::try_from(bytes), u16::try_from(bytes)) {
        (Ok(short @ 0..=125), _) => {
            let _ = head.push(masked | short);
        }
        (_, Ok(middle)) => {
            let _ = head.push(masked | 126);
            let _ = head.extend_from_slice(&middle.to_be_bytes());
        }
        _ => {
            let _ = head.push(masked | 127);
            let _ = head.extend_from_slice(&u64::try_from(bytes).unwrap_or(u64::MAX).to_be_bytes());
        }
    }
    let _ = head.extend_from_slice(mask.as_ref().map_or(&[], |mask| mask));
    head
}

/// Appends a whole frame; clients give a random `mask`, servers none.
pub fn write_frame(out: &mut Vec<u8>, opcode: Opcode, fin: bool, payload: &[u8], mask: Option<[u8; 4]>) {
    out.extend_from_slice(&head_of(opcode, fin, payload.len(), mask));
    let mask = mask.unwrap_or_default();
    out.extend(payload.iter().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask));
}

#[cfg(test)]
mod tests;
