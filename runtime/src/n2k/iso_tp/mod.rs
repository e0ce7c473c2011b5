//! ISO transport protocol: messages of 9 to 1,785 bytes in up to 255 packets.
//!
//! A connection management frame (PGN 60416) announces size, packets and PGN; data transfer frames (PGN 60160)
//! follow with 7 bytes each (ISO 11783-3 §5.10-5.13, SAE J1939-21 §5.10). A broadcast (BAM) runs by itself, an
//! addressed transfer (RTS) waits for its receiver's CTS. [`IsoTp`] follows both, whoever the receiver is; where that
//! is the address of [`IsoTp::set_address`], it also answers: the frames to send come out of [`IsoTp::next_reply`].

use alloc::vec;
use alloc::vec::Vec;
use core::fmt;
use core::time::Duration;

use super::id::{BROADCAST, Id, Pgn, SourceAddress};
use super::payload::{MESSAGE_BYTES_MAX, Payload};
use crate::hal::CanFrame;
use crate::time::Instant;

/// PGN of connection management.
pub const PGN_CONNECTION: Pgn = Pgn(60_416);
/// PGN of data transfer.
pub const PGN_DATA: Pgn = Pgn(60_160);
/// Transfers that can be open at once, unless configured otherwise.
pub const SESSIONS: u8 = 2;
/// Longest pause within a broadcast (T1).
pub const BROADCAST_PAUSE_MAX: Duration = Duration::from_millis(750);
/// Longest pause within an addressed transfer (T2, T3); a receiver may hold the sender as long.
pub const ADDRESSED_PAUSE_MAX: Duration = Duration::from_millis(1250);
/// A transfer is also given up after this many frames of the protocol, for logs, whose clock cannot be used.
pub const AGE_FRAMES_MAX: u32 = 2048;
/// Packets asked for at once where we are the receiver.
const WINDOW: u8 = 16;
/// Replies that wait for the bus; one more is lost, and the sender asks again.
const REPLIES_MAX: usize = 8;
const PACKET_BYTES: usize = 7;

const RTS: u8 = 16;
const CTS: u8 = 17;
const END: u8 = 19;
const BAM: u8 = 32;
const ABORT: u8 = 255;
/// Reasons of an abort, SAE J1939-21 table 7.
const ABORT_BUSY: u8 = 1;
const ABORT_TIMEOUT: u8 = 3;

/// Why a frame did not become part of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum IsoTpError {
    /// Too short, or size and number of packets do not go together.
    Malformed,
    /// A data frame of no announced transfer, or a packet that it does not have.
    NoStart,
}

impl fmt::Display for IsoTpError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Malformed => "transport protocol frame whose parts do not go together",
            Self::NoStart => "transport protocol data that were not announced",
        })
    }
}

impl core::error::Error for IsoTpError {}

/// Transfers that did not end, each counted once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Dropped {
    /// Without a packet for too long.
    pub timed_out: u64,
    /// The stalest of all when one more began.
    pub evicted: u64,
    /// Begun anew by the same sender.
    pub restarted: u64,
    /// Given up by sender or receiver.
    pub aborted: u64,
}

#[derive(Clone, Debug)]
struct Session {
    source: SourceAddress,
    destination: u8,
    priority: u8,
    pgn: Pgn,
    /// Last frame of it, by the clock and by the count of frames.
    active: Instant,
    active_frames: u32,
    packets: u8,
    /// Bit per packet that was received, packet 1 first.
    received: [u64; 4],
    /// Last packet that we asked for.
    asked: u8,
    data: Vec<u8>,
}

/// Puts transfers of all senders together.
#[derive(Clone, Debug)]
pub struct IsoTp {
    sessions: Vec<Session>,
    sessions_max: usize,
    frames: u32,
    address: Option<SourceAddress>,
    replies: heapless::Deque<CanFrame, REPLIES_MAX>,
    dropped: Dropped,
}

impl Default for IsoTp {
    fn default() -> Self {
        Self::new(usize::from(SESSIONS))
    }
}

impl IsoTp {
    /// Builds a receiver of at most `sessions_max` transfers at a time, each of up to [`MESSAGE_BYTES_MAX`] bytes.
    #[must_use]
    pub const fn new(sessions_max: usize) -> Self {
        Self {
            sessions: Vec::new(),
            sessions_max,
            frames: 0,
            address: None,
            replies: heapless::Deque::new(),
            dropped: Dropped { timed_out: 0, evicted: 0, restarted: 0, aborted: 0 },
        }
    }

    /// Answers transfers to this address; `None`, as at first, only listens.
    pub fn set_address(&mut self, address: Option<SourceAddress>) {
        if self.address != address {
            self.address = address;
            self.replies.clear();
        }
    }

    /// Takes the next frame to send.
    pub fn next_reply(&mut self) -> Option<CanFrame> {
        self.replies.pop_front()
    }

    /// Returns how many transfers have begun and not ended.
    #[must_use]
    pub fn unfinished(&self) -> usize {
        self.sessions.len()
    }

    /// Returns the counts of transfers given up so far.
    #[must_use]
    pub fn dropped(&self) -> Dropped {
        self.dropped
    }

    /// Tells whether a PGN is one of this protocol.
    #[must_use]
    pub fn is_transport(pgn: Pgn) -> bool {
        pgn == PGN_CONNECTION || pgn == PGN_DATA
    }

    /// Takes a frame of [`PGN_CONNECTION`] or [`PGN_DATA`], and returns the message that it completes: the PGN that
    /// was announced, with sender, receiver and priority of the transfer.
    ///
    /// # Errors
    /// [`IsoTpError`] for frames that fit no transfer.
    pub fn push(&mut self, id: &Id, data: &[u8], now: Instant) -> Result<Option<(Id, Payload)>, IsoTpError> {
        self.frames = self.frames.wrapping_add(1);
        self.expire(now);
        // Every frame of the protocol has 8 bytes; the last of a transfer can be cut by a gateway.
        if id.pgn == PGN_DATA {
            let (&number, part) = data.split_first().ok_or(IsoTpError::Malformed)?;
            return self.packet(id, number, part, now);
        }
        let &[control, first, second, third, _, low, middle, high] = data else { return Err(IsoTpError::Malformed) };
        let pgn = Pgn(u32::from_le_bytes([low, middle, high, 0]));
        match control {
            RTS | BAM => {
                let size = usize::from(u16::from_le_bytes([first, second]));
                let is_sound = (9..=MESSAGE_BYTES_MAX).contains(&size)
                    && usize::from(third) == size.div_ceil(PACKET_BYTES)
                    && (control == BAM) == (id.destination == BROADCAST);
                if !is_sound {
                    return Err(IsoTpError::Malformed);
                }
                self.open(id, pgn, size, third, now);
            }
            // The receiver asks for packets: the transfer is alive.
            CTS => self.touch(SourceAddress(id.destination), id.source.0, now),
            END => self.close(SourceAddress(id.destination), id.source.0),
            ABORT => {
                self.close(SourceAddress(id.destination), id.source.0);
                self.close(id.source, id.destination);
            }
            _ => return Err(IsoTpError::Malformed),
        }
        Ok(None)
    }

    fn find(&self, source: SourceAddress, destination: u8) -> Option<usize> {
        self.sessions.iter().position(|session| session.source == source && session.destination == destination)
    }

    fn open(&mut self, id: &Id, pgn: Pgn, size: usize, packets: u8, now: Instant) {
        if let Some(at) = self.find(id.source, id.destination) {
            self.sessions.swap_remove(at);
            count(&mut self.dropped.restarted);
        }
        let is_ours = self.is_ours(id.destination);
        if self.sessions.len() >= self.sessions_max {
            let stalest = self.sessions.iter().enumerate().min_by_key(|(_, session)| session.active);
            let Some((at, _)) = stalest.filter(|_| !is_ours) else {
                // We can ask the sender to try again later; what is only overheard must give way.
                count(&mut self.dropped.evicted);
                if is_ours {
                    self.reply(id.source, [ABORT, ABORT_BUSY, 0xff, 0xff, 0xff], pgn);
                }
                return;
            };
            self.sessions.swap_remove(at);
            count(&mut self.dropped.evicted);
        }
        let asked = packets.min(WINDOW);
        self.sessions.push(Session {
            source: id.source,
            destination: id.destination,
            priority: id.priority,
            pgn,
            active: now,
            active_frames: self.frames,
            packets,
            received: [0; 4],
            asked,
            data: vec![0; size],
        });
        if is_ours {
            self.reply(id.source, [CTS, asked, 1, 0xff, 0xff], pgn);
        }
    }

    fn packet(&mut self, id: &Id, number: u8, part: &[u8], now: Instant) -> Result<Option<(Id, Payload)>, IsoTpError> {
        let is_ours = self.is_ours(id.destination);
        let frames = self.frames;
        let at = self.find(id.source, id.destination).ok_or(IsoTpError::NoStart)?;
        let session = self.sessions.get_mut(at).ok_or(IsoTpError::NoStart)?;
        let index = usize::from(number).checked_sub(1).filter(|_| number <= session.packets);
        let index = index.ok_or(IsoTpError::NoStart)?;
        let from = index * PACKET_BYTES;
        let end = (from + PACKET_BYTES).min(session.data.len());
        let part = part.get(..end.saturating_sub(from)).ok_or(IsoTpError::Malformed)?;
        let to = session.data.get_mut(from..end).ok_or(IsoTpError::NoStart)?;
        to.copy_from_slice(part);
        if let Some(word) = session.received.get_mut(index / 64) {
            *word |= 1 << (index % 64);
        }
        (session.active, session.active_frames) = (now, frames);
        let next = session.missing();
        if let Some(next) = next {
            let (source, pgn) = (session.source, session.pgn);
            // The end of the window: ask for what is missing, and on.
            if is_ours && number == session.asked {
                let window = (session.packets - next).saturating_add(1).min(WINDOW);
                session.asked = next.saturating_add(window - 1);
                self.reply(source, [CTS, window, next, 0xff, 0xff], pgn);
            }
            return Ok(None);
        }
        let session = self.sessions.swap_remove(at);
        if is_ours {
            let [low, high, ..] = session.data.len().to_le_bytes();
            self.reply(session.source, [END, low, high, session.packets, 0xff], session.pgn);
        }
        let id = Id {
            priority: session.priority,
            pgn: session.pgn,
            source: session.source,
            destination: session.destination,
        };
        Payload::from_vec(session.data).map(|payload| Some((id, payload))).map_err(|_| IsoTpError::Malformed)
    }

    fn touch(&mut self, source: SourceAddress, destination: u8, now: Instant) {
        let frames = self.frames;
        if let Some(session) = self.find(source, destination).and_then(|at| self.sessions.get_mut(at)) {
            (session.active, session.active_frames) = (now, frames);
        }
    }

    fn close(&mut self, source: SourceAddress, destination: u8) {
        if let Some(at) = self.find(source, destination) {
            self.sessions.swap_remove(at);
            count(&mut self.dropped.aborted);
        }
    }

    /// Gives up transfers that stand still, and tells their senders where they were for us.
    ///
    /// Each frame of the protocol does it too; without any, call it when a transfer to us must not hang.
    pub fn expire(&mut self, now: Instant) {
        let frames = self.frames;
        let is_old = |session: &Session| {
            let is_broadcast = session.destination == BROADCAST;
            let pause = if is_broadcast { BROADCAST_PAUSE_MAX } else { ADDRESSED_PAUSE_MAX };
            now.since(session.active) > pause || frames.wrapping_sub(session.active_frames) > AGE_FRAMES_MAX
        };
        while let Some(at) = self.sessions.iter().position(is_old) {
            let session = self.sessions.swap_remove(at);
            count(&mut self.dropped.timed_out);
            if self.is_ours(session.destination) {
                self.reply(session.source, [ABORT, ABORT_TIMEOUT, 0xff, 0xff, 0xff], session.pgn);
            }
        }
    }

    fn is_ours(&self, destination: u8) -> bool {
        self.address.is_some_and(|address| address.0 == destination)
    }

    fn reply(&mut self, to: SourceAddress, head: [u8; 5], pgn: Pgn) {
        let Some(address) = self.address else { return };
        let id = Id { priority: 7, pgn: PGN_CONNECTION, source: address, destination: to.0 };
        let [control, first, second, third, fourth] = head;
        let [low, middle, high, _] = pgn.0.to_le_bytes();
        let frame = CanFrame::new(id.to_can(), &[control, first, second, third, fourth, low, middle, high]);
        // A reply that finds no place is asked for again by the sender.
        let _ = frame.map(|frame| self.replies.push_back(frame));
    }
}

impl Session {
    /// Returns the number of the first packet that was not received.
    fn missing(&self) -> Option<u8> {
        (1..=self.packets).find(|number| {
            let index = usize::from(*number) - 1;
            self.received.get(index / 64).is_none_or(|word| word & (1 << (index % 64)) == 0)
        })
    }
}

/// The frames of one message as a transfer: its announcement, then its packets.
///
/// A message to one address is announced by RTS; on a bus the packets must wait for the receiver's CTS.
#[derive(Clone, Debug)]
pub struct TransferFrames<'p> {
    id: Id,
    payload: &'p [u8],
    /// Number of the next packet, 0 for the announcement.
    number: usize,
}

impl<'p> TransferFrames<'p> {
    /// Splits `payload`; `None` when it has not 9 to [`MESSAGE_BYTES_MAX`] bytes.
    #[must_use]
    pub fn new(id: &Id, payload: &'p [u8]) -> Option<Self> {
        (9..=MESSAGE_BYTES_MAX).contains(&payload.len()).then_some(Self { id: *id, payload, number: 0 })
    }
}

impl Iterator for TransferFrames<'_> {
    type Item = CanFrame;

    fn next(&mut self) -> Option<CanFrame> {
        let packets = self.payload.len().div_ceil(PACKET_BYTES).to_le_bytes()[0];
        let number = self.number;
        self.number += 1;
        if number == 0 {
            let control = if self.id.destination == BROADCAST { BAM } else { RTS };
            let [size_low, size_high, ..] = self.payload.len().to_le_bytes();
            let [low, middle, high, _] = self.id.pgn.0.to_le_bytes();
            let id = Id { pgn: PGN_CONNECTION, ..self.id };
            return CanFrame::new(id.to_can(), &[control, size_low, size_high, packets, 0xff, low, middle, high]);
        }
        let from = (number - 1) * PACKET_BYTES;
        let part = self.payload.get(from..).filter(|part| !part.is_empty())?;
        // Bytes after the end are sent as ones.
        let mut data = [0xff; 8];
        for (to, byte) in data.iter_mut().zip([number.to_le_bytes()[0]].iter().chain(part)) {
            *to = *byte;
        }
        CanFrame::new(Id { pgn: PGN_DATA, ..self.id }.to_can(), &data)
    }
}

fn count(counter: &mut u64) {
    *counter = counter.saturating_add(1);
}

#[cfg(test)]
mod tests;
