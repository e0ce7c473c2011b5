//! The linear memory as the host sees it: ranges, piece by piece.

use super::chunks::{Chunks, Origin};
use super::{Fault, Machine};

/// The linear memory, to read from. Every range is checked where it is used.
#[derive(Clone, Copy, Debug)]
pub struct LinearMemory<'m> {
    chunks: &'m Chunks,
    origin: Origin<'m>,
}

impl<'m> LinearMemory<'m> {
    /// Returns its size, bytes.
    #[must_use]
    pub fn size_bytes(self) -> u32 {
        self.chunks.size_bytes()
    }

    /// Returns how many chunks of 1 KiB of RAM it has taken.
    #[must_use]
    pub fn used_chunks(self) -> u32 {
        self.chunks.used_chunks()
    }

    /// Tells whether a range lies in it.
    #[must_use]
    pub fn holds(self, address: u32, length: u32) -> bool {
        self.chunks.holds(address, length)
    }

    /// Returns a range piece by piece, `None` where it leaves the memory.
    #[must_use]
    pub fn pieces(self, address: u32, length: u32) -> Option<impl Iterator<Item = &'m [u8]>> {
        self.chunks.pieces(self.origin, address, length)
    }

    /// Reads a range into a buffer; false, and the buffer is as it was, where the range leaves the memory.
    #[must_use]
    pub fn read(self, address: u32, into: &mut [u8]) -> bool {
        self.chunks.read(self.origin, address, into).is_ok()
    }

    /// Reads a word.
    #[must_use]
    pub fn word(self, address: u32) -> Option<u32> {
        self.chunks.load_32(self.origin, address, 0).ok()
    }
}

impl Machine {
    /// The linear memory, to read from; a module without one has one of no bytes.
    #[must_use]
    pub fn memory(&self) -> LinearMemory<'_> {
        LinearMemory { chunks: &self.chunks, origin: Origin::of(&self.image) }
    }

    /// Writes a range.
    ///
    /// # Errors
    /// [`Fault::MemoryOutOfBounds`], and nothing is written; [`Fault::Memory`] where no chunk was left for it.
    pub fn write_memory(&mut self, address: u32, bytes: &[u8]) -> Result<(), Fault> {
        self.chunks.write(Origin::of(&self.image), address, bytes)
    }

    /// Takes the chunks of a range at once, so that later writes there find them.
    ///
    /// # Errors
    /// As [`write_memory`](Self::write_memory).
    pub fn take_memory(&mut self, address: u32, length: u32) -> Result<(), Fault> {
        self.chunks.take_range(Origin::of(&self.image), address, length)
    }

    /// Grows the memory; returns how many pages there were, `None` where it may not grow so far.
    pub fn grow_memory(&mut self, pages: u32) -> Option<u32> {
        Some(self.chunks.grow(pages)).filter(|before| *before != u32::MAX)
    }

    /// Returns how many chunks can be taken in all so that [`ram_bytes`](Self::ram_bytes) stays within `bytes`.
    #[must_use]
    pub fn chunks_within(&self, bytes: u64) -> u32 {
        let beside = self.ram_bytes().saturating_sub(self.chunks.ram_bytes());
        self.chunks.count_within(usize::try_from(bytes).unwrap_or(usize::MAX).saturating_sub(beside))
    }

    /// Sets how many chunks can be taken in all, and how far the memory can grow, bytes.
    pub fn allow_memory(&mut self, chunks: u32, bytes_max: u32) {
        self.chunks.set_quota(chunks);
        self.chunks.bytes_max = bytes_max.min(super::MEMORY_BYTES_MAX);
    }
}
