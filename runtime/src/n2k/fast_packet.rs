//! Fast packets: messages of up to 223 bytes in up to 32 frames.
//!
//! The first byte of each frame holds a sequence counter (3 bits) and the frame's index (5 bits);
//! frame 0 also announces the length. [`FastPackets`] puts frames together again, [`Frames`] splits.

use core::fmt;
use core::time::Duration;

use super::id::{Id, Pgn, SourceAddress};
use super::table::is_fast;
use crate::hal::CanFrame;
use crate::time::Instant;

/// Bytes of the longest fast packet: 6 in frame 0, 7 in each of 31 more (NMEA 2000 main document).
pub const PAYLOAD_BYTES_MAX: usize = 6 + 31 * 7;
/// Messages that can be open at once; a boat with 44 devices had 6 at most.
pub const SLOTS: usize = 16;
/// A message that has not ended by then is given up; the longest gap on that boat was 199 ms.
pub const AGE_MAX: Duration = Duration::from_millis(750);

/// The data of one message, fast packet or single frame.
pub type Payload = heapless::Vec<u8, PAYLOAD_BYTES_MAX>;

const INDEX_MASK: u8 = 0x1f;

/// Why a frame did not become part of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FastPacketError {
    /// Frame 0 of this message was never seen.
    NoStart,
    /// A frame in between is missing or came out of order; the message is dropped.
    Gap,
    /// The frame is too short, or announces more than [`PAYLOAD_BYTES_MAX`].
    Malformed,
}

impl fmt::Display for FastPacketError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoStart => "fast packet frame without the first frame before it",
            Self::Gap => "fast packet with a frame missing or out of order",
            Self::Malformed => "fast packet frame that is too short or announces too much",
        })
    }
}

impl core::error::Error for FastPacketError {}

/// Open messages that were given up for others' sake.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Dropped {
    /// Older than [`AGE_MAX`].
    pub timed_out: u64,
    /// The oldest of [`SLOTS`] when one more began.
    pub evicted: u64,
    /// Begun anew by the same sender before the end.
    pub restarted: u64,
}

/// What tells open messages apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Key {
    source: SourceAddress,
    destination: u8,
    pgn: Pgn,
}

#[derive(Clone, Debug)]
struct Slot {
    key: Key,
    begun: Instant,
    /// First byte that the next frame must have.
    next: u8,
    announced: u8,
    payload: Payload,
}

/// Puts fast packets of all senders together.
#[derive(Clone, Debug, Default)]
pub struct FastPackets {
    slots: heapless::Vec<Slot, SLOTS>,
    dropped: Dropped,
}

impl FastPackets {
    /// Returns the counts of open messages given up so far.
    #[must_use]
    pub fn dropped(&self) -> Dropped {
        self.dropped
    }

    /// Returns the payload, cut to the announced length, once its last frame has arrived.
    ///
    /// `data` are the 0 to 8 bytes of one frame of a fast packet PGN; `now` is monotonic (never a log's clock,
    /// which can jump) and ages open messages.
    ///
    /// # Errors
    /// [`FastPacketError`]; frame 0 starts anew whatever was open, a frame that is not the next one drops it.
    pub fn push(&mut self, id: &Id, data: &[u8], now: Instant) -> Result<Option<Payload>, FastPacketError> {
        self.expire(now);
        let key = Key { source: id.source, destination: id.destination, pgn: id.pgn };
        let Some((&head, rest)) = data.split_first() else { return Err(FastPacketError::Malformed) };
        let open = self.slots.iter().position(|slot| slot.key == key);
        if head & INDEX_MASK == 0 {
            let Some((&announced, rest)) = rest.split_first() else { return Err(FastPacketError::Malformed) };
            if let Some(index) = open {
                self.slots.swap_remove(index);
                self.dropped.restarted = self.dropped.restarted.saturating_add(1);
            }
            if usize::from(announced) > PAYLOAD_BYTES_MAX {
                return Err(FastPacketError::Malformed);
            }
            return Ok(self.start(
                Slot { key, begun: now, next: head.wrapping_add(1), announced, payload: Payload::new() },
                rest,
            ));
        }
        let index = open.ok_or(FastPacketError::NoStart)?;
        let slot = self.slots.get_mut(index).ok_or(FastPacketError::NoStart)?;
        if slot.next != head {
            self.slots.swap_remove(index);
            return Err(FastPacketError::Gap);
        }
        slot.next = slot.next.wrapping_add(1);
        let ended = slot.append(rest);
        // Index 31 is the last there is: the next head would begin another sequence.
        if ended || head & INDEX_MASK == INDEX_MASK {
            let slot = self.slots.swap_remove(index);
            return if ended { Ok(Some(slot.payload)) } else { Err(FastPacketError::Malformed) };
        }
        Ok(None)
    }

    fn start(&mut self, mut slot: Slot, data: &[u8]) -> Option<Payload> {
        if slot.append(data) {
            return Some(slot.payload);
        }
        if self.slots.is_full() {
            let oldest = self.slots.iter().enumerate().min_by_key(|(_, slot)| slot.begun).map(|(index, _)| index);
            if let Some(index) = oldest {
                self.slots.swap_remove(index);
                self.dropped.evicted = self.dropped.evicted.saturating_add(1);
            }
        }
        // A place was made above, so this cannot fail.
        let _ = self.slots.push(slot);
        None
    }

    fn expire(&mut self, now: Instant) {
        let before = self.slots.len();
        self.slots.retain(|slot| now.since(slot.begun) < AGE_MAX);
        let gone = u64::try_from(before.saturating_sub(self.slots.len())).unwrap_or(0);
        self.dropped.timed_out = self.dropped.timed_out.saturating_add(gone);
    }
}

impl Slot {
    /// Adds what is still missing of the announced length and tells whether it is complete.
    fn append(&mut self, data: &[u8]) -> bool {
        let missing = usize::from(self.announced).saturating_sub(self.payload.len());
        let taken = data.get(..missing).unwrap_or(data);
        // `announced` fits the payload, checked at frame 0.
        let _ = self.payload.extend_from_slice(taken);
        self.payload.len() >= usize::from(self.announced)
    }
}

/// The frames of one message, in order: one for a single-frame PGN, else a fast packet.
#[derive(Clone, Debug)]
pub struct Frames<'p> {
    can: u32,
    fast: bool,
    /// Sequence counter and index of the next frame.
    head: u8,
    rest: &'p [u8],
    announced: u8,
    done: bool,
}

impl<'p> Frames<'p> {
    /// Splits `payload`; `sequence_counter` (modulo 8) tells this message from the one before it.
    ///
    /// `None` when the payload is longer than 8 bytes of a single frame or [`PAYLOAD_BYTES_MAX`].
    #[must_use]
    pub fn new(id: &Id, sequence_counter: u8, payload: &'p [u8]) -> Option<Self> {
        let fast = is_fast(id.pgn);
        if payload.len() > if fast { PAYLOAD_BYTES_MAX } else { 8 } {
            return None;
        }
        let announced = u8::try_from(payload.len()).ok()?;
        Some(Self { can: id.to_can(), fast, head: sequence_counter << 5, rest: payload, announced, done: false })
    }
}

impl Iterator for Frames<'_> {
    type Item = CanFrame;

    fn next(&mut self) -> Option<CanFrame> {
        if self.done {
            return None;
        }
        if !self.fast {
            self.done = true;
            return CanFrame::new(self.can, self.rest);
        }
        // Bytes after the end are sent as ones.
        let mut data = [0xff; 8];
        let first = self.head & INDEX_MASK == 0;
        let head: &[u8] = if first { &[self.head, self.announced] } else { &[self.head] };
        let (taken, rest) = self.rest.split_at(self.rest.len().min(8 - head.len()));
        for (to, from) in data.iter_mut().zip(head.iter().chain(taken)) {
            *to = *from;
        }
        self.rest = rest;
        self.done = rest.is_empty();
        self.head = self.head.wrapping_add(1);
        CanFrame::new(self.can, &data)
    }
}

#[cfg(test)]
mod tests;
