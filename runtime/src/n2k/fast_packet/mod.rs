//! Fast packets: messages of up to 223 bytes in up to 32 frames.
//!
//! The first byte of each frame holds a sequence counter (3 bits) and the frame's index (5 bits);
//! frame 0 also announces the length. [`FastPackets`] puts frames together again, also when they come out of
//! order; [`Frames`] splits.

use alloc::vec::Vec;
use core::fmt;
use core::time::Duration;

use super::id::{Id, Pgn, SourceAddress};
use super::payload::Payload;
use super::table::is_fast;
use crate::hal::CanFrame;
use crate::time::Instant;

/// Bytes of the longest fast packet: 6 in frame 0, 7 in each of 31 more (NMEA 2000 main document).
pub const PAYLOAD_BYTES_MAX: usize = 6 + 31 * 7;
/// Messages that can be open at once; a boat with 44 devices had 6 at most.
pub const SLOTS: usize = 16;
/// A message that has not ended by then is given up; the longest gap on that boat was 199 ms.
pub const AGE_MAX: Duration = Duration::from_millis(750);
/// Frames that came before their frame 0 wait that long for it. Beyond it they are the rest of a message whose
/// frame 0 was lost, and must not be joined to the next one of a sender that never counts its messages.
pub const REORDER_MAX: Duration = Duration::from_millis(50);
/// The same limit in frames of fast packets, for logs, whose clock cannot be used.
pub const REORDER_FRAMES_MAX: u32 = 64;
/// A message is also given up after this many frames of fast packets, for the same reason.
pub const AGE_FRAMES_MAX: u32 = 2048;

const INDEX_MASK: u8 = 0x1f;

/// Why a frame did not become part of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FastPacketError {
    /// The frame is too short, announces more than [`PAYLOAD_BYTES_MAX`], or lies behind the end of its message.
    Malformed,
}

impl fmt::Display for FastPacketError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Malformed => "fast packet frame that is too short, announces too much, or lies behind the end",
        })
    }
}

impl core::error::Error for FastPacketError {}

/// Open messages that were given up, each counted once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Dropped {
    /// Whose frame 0 was never seen.
    pub no_start: u64,
    /// With a frame missing in between when the sender's next message began.
    pub gap: u64,
    /// Begun anew by the same sender before the end, nothing missing so far.
    pub restarted: u64,
    /// Older than [`AGE_MAX`].
    pub timed_out: u64,
    /// The oldest of [`SLOTS`] when one more began.
    pub evicted: u64,
}

/// Key of an open message.
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
    /// Count of frames when it began.
    begun_frames: u32,
    /// Bit per index that was received.
    received: u32,
    /// Sequence counter, in the upper three bits.
    sequence: u8,
    /// Length; known once frame 0 is there.
    announced: u8,
    data: [u8; PAYLOAD_BYTES_MAX],
}

/// Puts fast packets of all senders together.
#[derive(Clone, Debug, Default)]
pub struct FastPackets {
    /// At most [`SLOTS`]; on the heap, since a chip's stack has no room for them.
    slots: Vec<Slot>,
    frames: u32,
    dropped: Dropped,
}

// The RAM that a chip gives to it.
/// RAM that fast packets on their way take, bytes.
pub const REASSEMBLY_BYTES: usize = size_of::<Slot>() * SLOTS;

const _: () = assert!(REASSEMBLY_BYTES <= 4608);

impl FastPackets {
    /// Returns the counts of open messages given up so far.
    #[must_use]
    pub fn dropped(&self) -> Dropped {
        self.dropped
    }

    /// Returns how many messages have begun and not ended.
    #[must_use]
    pub fn unfinished(&self) -> usize {
        self.slots.len()
    }

    /// Returns the payload, cut to the announced length, once its last frame has arrived.
    ///
    /// `data` are the 0 to 8 bytes of one frame of a fast packet PGN; `now` is monotonic (never a log's clock,
    /// which can jump) and ages open messages.
    ///
    /// # Errors
    /// [`FastPacketError`]. A frame that cannot belong to the sender's open message (another sequence counter, an
    /// index that is there already) gives that up and begins another.
    pub fn push(&mut self, id: &Id, data: &[u8], now: Instant) -> Result<Option<Payload>, FastPacketError> {
        let mut payload = Payload::new();
        let whole = self.push_into(id, data, now, &mut payload)?;
        Ok(whole.then_some(payload))
    }

    /// As [`push`](Self::push), but puts the payload into `out`: true when it is there.
    ///
    /// # Errors
    /// As [`push`](Self::push).
    pub fn push_into(
        &mut self,
        id: &Id,
        data: &[u8],
        now: Instant,
        out: &mut Payload,
    ) -> Result<bool, FastPacketError> {
        self.frames = self.frames.wrapping_add(1);
        self.expire(now);
        let (&head, rest) = data.split_first().ok_or(FastPacketError::Malformed)?;
        let (index, sequence) = (head & INDEX_MASK, head & !INDEX_MASK);
        let key = Key { source: id.source, destination: id.destination, pgn: id.pgn };
        let mut open = self.slots.iter().position(|slot| slot.key == key);
        if let Some(at) = open
            && let Some(slot) = self.slots.get(at)
            && (!slot.fits(sequence, index, now, self.frames) || slot.is_stale_body(index, rest))
        {
            self.replace(at);
            open = None;
        }
        let (announced, part) = if index == 0 {
            let (&announced, part) = rest.split_first().ok_or(FastPacketError::Malformed)?;
            (Some(announced), part)
        } else {
            (None, rest)
        };
        if let Some(announced) = announced {
            // The usual short message needs no slot.
            let whole = usize::from(announced);
            if let (None, Some(whole)) = (open, part.get(..whole).filter(|_| whole <= 6)) {
                return out.set(whole).map(|()| true).map_err(|_| FastPacketError::Malformed);
            }
            if whole > PAYLOAD_BYTES_MAX || part.len() < whole.min(6) {
                self.forget(open);
                return Err(FastPacketError::Malformed);
            }
        }
        let at = match open {
            Some(at) => at,
            None => self.open(key, sequence, now),
        };
        let Some(slot) = self.slots.get_mut(at) else { return Err(FastPacketError::Malformed) };
        if let Err(error) = slot.take(index, announced, part) {
            self.forget(Some(at));
            return Err(error);
        }
        if !slot.is_complete() {
            return Ok(false);
        }
        let taken = slot.data.get(..usize::from(slot.announced)).map(|data| out.set(data));
        self.slots.swap_remove(at);
        taken.and_then(Result::ok).map(|()| true).ok_or(FastPacketError::Malformed)
    }

    /// Makes a slot, from the oldest one when there is no place left, and returns where.
    fn open(&mut self, key: Key, sequence: u8, now: Instant) -> usize {
        if self.slots.len() >= SLOTS {
            // Frames without their frame 0 go first: they are the least likely to become a message.
            // Age counts in frames: a log that is read at once has one time for all.
            let age = |slot: &Slot| self.frames.wrapping_sub(slot.begun_frames);
            let worst = self.slots.iter().enumerate().max_by_key(|(_, slot)| (!slot.has_start(), age(slot)));
            if let Some(at) = worst.map(|(at, _)| at) {
                self.slots.swap_remove(at);
                count(&mut self.dropped.evicted);
            }
        }
        let at = self.slots.len();
        let begun_frames = self.frames;
        self.slots.push(Slot {
            key,
            begun: now,
            begun_frames,
            received: 0,
            sequence,
            announced: 0,
            data: [0; PAYLOAD_BYTES_MAX],
        });
        at
    }

    /// Drops a slot whose frame was refused; that is counted as the frame's fault.
    fn forget(&mut self, open: Option<usize>) {
        if let Some(at) = open.filter(|at| *at < self.slots.len()) {
            self.slots.swap_remove(at);
        }
    }

    /// Gives up a message for the next one of its sender.
    fn replace(&mut self, at: usize) {
        if at >= self.slots.len() {
            return;
        }
        let slot = self.slots.swap_remove(at);
        let highest_missing = slot.received & slot.received.wrapping_add(1) != 0;
        count(match (slot.has_start(), highest_missing) {
            (false, _) => &mut self.dropped.no_start,
            (true, true) => &mut self.dropped.gap,
            (true, false) => &mut self.dropped.restarted,
        });
    }

    fn expire(&mut self, now: Instant) {
        let (frames, dropped) = (self.frames, &mut self.dropped);
        self.slots.retain(|slot| {
            let old = now.since(slot.begun) >= AGE_MAX || frames.wrapping_sub(slot.begun_frames) > AGE_FRAMES_MAX;
            if old {
                count(if slot.has_start() { &mut dropped.timed_out } else { &mut dropped.no_start });
            }
            !old
        });
    }
}

impl Slot {
    fn has_start(&self) -> bool {
        self.received & 1 != 0
    }

    /// Tells whether a frame can be the next one of this message.
    fn fits(&self, sequence: u8, index: u8, now: Instant, frames: u32) -> bool {
        let waited = now.since(self.begun) > REORDER_MAX || frames.wrapping_sub(self.begun_frames) > REORDER_FRAMES_MAX;
        let is_late_start = index == 0 && waited;
        self.sequence == sequence && self.received & (1 << index) == 0 && !is_late_start
    }

    /// Tells whether frame 0 comes behind every other frame of its message: then those are the rest of a message
    /// whose frame 0 was lost, and this one begins the next. Frames change places with their neighbours; none is
    /// overtaken by all.
    fn is_stale_body(&self, index: u8, rest: &[u8]) -> bool {
        let announced = rest.first().copied().unwrap_or_default();
        index == 0 && !self.has_start() && self.received | 1 == (self.received | 1) | needed(announced)
    }

    /// Takes the bytes of one frame.
    fn take(&mut self, index: u8, announced: Option<u8>, part: &[u8]) -> Result<(), FastPacketError> {
        if let Some(announced) = announced {
            self.announced = announced;
        }
        let from = if index == 0 { 0 } else { usize::from(index) * 7 - 1 };
        let room = if index == 0 { 6 } else { 7 };
        let end = if announced.is_some() || self.has_start() { self.announced.into() } else { PAYLOAD_BYTES_MAX };
        // The last frame is filled up; before frame 0 is there, any frame can be the last one.
        let wanted = room.min(end.saturating_sub(from));
        if wanted == 0 && index != 0 {
            return Err(FastPacketError::Malformed);
        }
        // A short frame before frame 0 could be the last one, which cannot be told yet: no device is known to send
        // its last frame both short and first.
        let given = part.get(..wanted).ok_or(FastPacketError::Malformed)?;
        if let Some(to) = self.data.get_mut(from..from + wanted) {
            to.copy_from_slice(given);
        }
        self.received |= 1 << index;
        Ok(())
    }

    fn is_complete(&self) -> bool {
        let needed = needed(self.announced);
        self.has_start() && self.received & needed == needed
    }
}

/// Returns a bit for each frame that a message of that length has.
fn needed(announced: u8) -> u32 {
    let frames = usize::from(announced).checked_sub(6).map_or(1, |beyond| 1 + beyond.div_ceil(7));
    u32::MAX >> 32_usize.saturating_sub(frames).min(31)
}

fn count(counter: &mut u64) {
    *counter = counter.saturating_add(1);
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
