//! Reads the blocks of a time range, slice by slice, so that nobody waits for a long one.

use alloc::collections::VecDeque;
use alloc::vec::Vec;

use super::block::{BLOCK_BYTES_MAX, Block, Found, HEAD_BYTES, Names, find};
use super::sample::Sample;
use super::store::{Segment, Store};
use crate::hal::Storage;
use crate::time::UnixMillis;

/// Bytes that are read at a time: some dozen blocks, a millisecond's work.
pub const READ_BYTES: usize = 64 * 1024;
/// Series of one record; the recorder makes no more.
const SERIES_MAX: usize = 1024;

/// Takes what is read.
pub trait Taker {
    /// Is told of a series; returns the number by which it wants to hear of its values, `None` to hear nothing.
    fn series(&mut self, names: Names<'_>) -> Option<usize>;

    /// Tells whether it still wants the values of a series.
    fn wants(&self, number: usize) -> bool {
        let _ = number;
        true
    }

    /// Takes a value inside the range, those of one series mostly in the order of time.
    fn value(&mut self, number: usize, at: UnixMillis, value: &Sample<'_>);
}

/// A reader of a time range.
#[derive(Debug)]
pub struct Scan {
    from: UnixMillis,
    to: UnixMillis,
    /// Bytes that are read at a time.
    piece: usize,
    segments: VecDeque<Segment>,
    /// What the taker calls the series of the record that is read, by their numbers in it.
    numbers: Vec<Option<usize>>,
    /// What was read and is to be looked at.
    buffer: Vec<u8>,
    /// Where in the record the buffer ends.
    offset: u32,
    /// Blocks that could not be read.
    damaged: u32,
}

impl Scan {
    /// Begins to read what is between two times, both included; each step looks at no more than `piece` bytes or one block.
    #[must_use]
    pub fn new(store: &Store, from: UnixMillis, to: UnixMillis, piece: usize) -> Self {
        Self {
            from,
            to,
            piece,
            segments: store.between(from, to).into(),
            numbers: Vec::new(),
            buffer: Vec::new(),
            offset: 0,
            damaged: 0,
        }
    }

    /// Returns its range.
    #[must_use]
    pub fn range(&self) -> (UnixMillis, UnixMillis) {
        (self.from, self.to)
    }

    /// Returns how many records ended in a block that could not be read.
    #[must_use]
    pub fn damaged(&self) -> u32 {
        self.damaged
    }

    /// Reads on; false when all was read.
    pub fn step(&mut self, storage: &mut dyn Storage, taker: &mut dyn Taker) -> bool {
        let Some(segment) = self.segments.front().copied() else { return false };
        if self.buffer.is_empty() && !self.fill(storage, segment, self.piece) {
            return self.next_segment();
        }
        let mut at = 0_usize;
        loop {
            match find(self.buffer.get(at..).unwrap_or_default()) {
                Found::Block(block, length) => {
                    take(block, (self.from, self.to), &mut self.numbers, taker);
                    at = at.saturating_add(length);
                }
                Found::Part(length) => {
                    self.buffer.drain(..at);
                    let missing = length.min(BLOCK_BYTES_MAX).saturating_sub(self.buffer.len());
                    // At the end of the record there is nothing more, or the beginning of what a power cut left.
                    let more = self.fill(storage, segment, missing.max(self.piece));
                    return if more && self.buffer.len() >= HEAD_BYTES { true } else { self.next_segment() };
                }
                Found::Nothing => {
                    self.damaged = self.damaged.saturating_add(1);
                    return self.next_segment();
                }
            }
        }
    }

    /// Goes on to the next record; false when there is none.
    fn next_segment(&mut self) -> bool {
        self.segments.pop_front();
        self.numbers.clear();
        self.buffer.clear();
        self.offset = 0;
        !self.segments.is_empty()
    }

    /// Reads more of a record; false when there is no more, or no such record any more.
    fn fill(&mut self, storage: &mut dyn Storage, segment: Segment, bytes: usize) -> bool {
        let filled = self.buffer.len();
        self.buffer.resize(filled.saturating_add(bytes), 0);
        let read = segment
            .key()
            .and_then(|key| storage.read(&key, self.offset, self.buffer.get_mut(filled..).unwrap_or_default()));
        let count = read.unwrap_or(0);
        self.buffer.truncate(filled.saturating_add(count));
        self.offset = self.offset.saturating_add(u32::try_from(count).unwrap_or(u32::MAX));
        count > 0
    }
}

/// Gives a block to a taker.
pub fn take(
    mut block: Block<'_>,
    (from, to): (UnixMillis, UnixMillis),
    numbers: &mut Vec<Option<usize>>,
    taker: &mut dyn Taker,
) {
    let overlaps = block.first <= to && from <= block.last;
    while let Some(series) = block.next(numbers.len()) {
        if let Some(names) = series.names {
            if numbers.len() >= SERIES_MAX {
                return;
            }
            numbers.push(taker.series(names));
        }
        let wanted = numbers.get(series.number).copied().flatten().filter(|number| overlaps && taker.wants(*number));
        let Some(number) = wanted else { continue };
        for (at, value) in series.values {
            if from <= at && at <= to {
                taker.value(number, at, &value);
            }
        }
    }
}
