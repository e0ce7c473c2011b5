//! The linear memory, by chunks of 1 KiB: what was never written lies in the image, or nowhere.

use alloc::boxed::Box;
use alloc::vec::Vec;

use zerocopy::IntoBytes;

use super::Fault;
use crate::image::{Image, NONE};

/// Bytes of a chunk.
pub(crate) const CHUNK_BYTES: usize = 1024;
/// Words of a chunk.
const CHUNK_WORDS: usize = CHUNK_BYTES / 4;
/// log2 of the bytes of a chunk.
const CHUNK_LOG2: u32 = CHUNK_BYTES.trailing_zeros();
/// In the table of chunks: all zeros, and nowhere.
const ZEROS: u16 = u16::MAX;
/// From here on: in the image, the number of its chunk in the other bits. Below: taken, in RAM.
const IN_IMAGE: u16 = 1 << 15;
/// What the table of chunks can name, bytes.
pub(crate) const MEMORY_BYTES_MAX: u32 = (IN_IMAGE as u32) << CHUNK_LOG2;
/// Chunks that an image can begin with.
pub(crate) const IMAGE_CHUNKS_MAX: u32 = (ZEROS - IN_IMAGE) as u32;
/// What one more chunk takes of RAM, bytes: itself, its place in the list, and an allocator's own words for it.
pub const CHUNK_RAM_BYTES: u32 = CHUNK_BYTES as u32 + 16;
/// Places of the list of chunks that are taken at a time.
const PLACES_AT_ONCE: usize = 8;
/// Bytes that are copied at a time, by way of the stack.
const PIECE_BYTES: usize = 128;

type Chunk = [u32; CHUNK_WORDS];

static NOTHING: Chunk = [0; CHUNK_WORDS];

/// Chunks of a memory, and how many there may be.
#[derive(Debug)]
pub(super) struct Chunks {
    /// Where each chunk is, up to the memory's size.
    table: Vec<u16>,
    #[expect(clippy::vec_box, reason = "a list that moves its chunks when it grows needs room for all of them twice")]
    taken: Vec<Box<Chunk>>,
    /// Chunks that can be taken in all.
    quota: u32,
    size_bytes: u32,
    page_log2: u32,
    pages_max: u32,
    /// What the host lets it grow to, bytes.
    pub(super) bytes_max: u32,
}

/// What an image's memory begins with: whole chunks.
#[derive(Clone, Copy, Debug)]
pub(super) struct Origin<'i>(&'i [Chunk]);

impl<'i> Origin<'i> {
    pub(super) fn of(image: &'i Image) -> Self {
        let header = image.header();
        let words = header.chunks.count.checked_mul(CHUNK_WORDS as u32);
        let words = words.and_then(|words| image.span(header.chunk_data, words)).unwrap_or_default();
        Self(words.as_chunks().0)
    }
}

impl Chunks {
    /// Makes the memory an image begins with; nothing of it is taken.
    pub(super) fn new(image: &Image, quota: u32, bytes_max: u32) -> Result<Self, Fault> {
        let header = image.header();
        let page_log2 = if header.page_log2 == NONE { 0 } else { header.page_log2.min(16) };
        let size_bytes = header.memory_min.checked_mul(1 << page_log2).ok_or(Fault::Damaged)?;
        let mut chunks = Self {
            table: Vec::new(),
            taken: Vec::new(),
            quota: quota.min(IN_IMAGE.into()),
            size_bytes: 0,
            page_log2,
            pages_max: header.memory_max,
            bytes_max: bytes_max.min(MEMORY_BYTES_MAX),
        };
        if size_bytes > chunks.bytes_max || !chunks.resize(size_bytes) {
            return Err(Fault::Memory);
        }
        let numbers = image.span(header.chunks.at, header.chunks.count).ok_or(Fault::Damaged)?;
        if numbers.len() > IMAGE_CHUNKS_MAX as usize {
            return Err(Fault::Damaged);
        }
        for (place, number) in (IN_IMAGE..ZEROS).zip(numbers) {
            *chunks.table.get_mut(*number as usize).ok_or(Fault::Damaged)? = place;
        }
        Ok(chunks)
    }

    fn resize(&mut self, size_bytes: u32) -> bool {
        let chunks = size_bytes.div_ceil(CHUNK_BYTES as u32) as usize;
        if self.table.try_reserve_exact(chunks.saturating_sub(self.table.len())).is_err() {
            return false;
        }
        self.table.resize(chunks, ZEROS);
        self.size_bytes = size_bytes;
        true
    }

    pub(super) fn size_bytes(&self) -> u32 {
        self.size_bytes
    }

    pub(super) fn used_chunks(&self) -> u32 {
        self.taken.len() as u32
    }

    /// Bytes of RAM: chunks, and what knows where they are.
    pub(super) fn ram_bytes(&self) -> usize {
        let tables = self.table.capacity().saturating_mul(2);
        let rows = self.taken.capacity().saturating_mul(size_of::<Box<Chunk>>());
        self.taken.len().saturating_mul(CHUNK_BYTES).saturating_add(tables).saturating_add(rows)
    }

    /// Returns how many chunks there can be so that they and what knows where they are take no more than `bytes`, however
    /// far the memory grows.
    pub(super) fn count_within(&self, bytes: usize) -> u32 {
        /// A place in the list, and what a full step of the list takes.
        const PLACE: usize = size_of::<Box<Chunk>>();
        const STEP_BYTES: usize = PLACES_AT_ONCE * (CHUNK_BYTES + PLACE);
        let whole = (self.bytes_max as usize).div_ceil(CHUNK_BYTES).max(self.table.capacity());
        let left = bytes.saturating_sub(whole.saturating_mul(2));
        let (steps, rest) = (left / STEP_BYTES, left % STEP_BYTES);
        // Places of a step are taken with its first chunk.
        let more = rest.saturating_sub(PLACES_AT_ONCE * PLACE) / CHUNK_BYTES;
        u32::try_from(steps.saturating_mul(PLACES_AT_ONCE).saturating_add(more)).unwrap_or(u32::MAX)
    }

    pub(super) fn set_quota(&mut self, chunks: u32) {
        self.quota = chunks.min(IN_IMAGE.into());
    }

    pub(super) fn pages(&self) -> u32 {
        self.size_bytes >> self.page_log2
    }

    /// Grows by pages; returns how many there were, or −1.
    pub(super) fn grow(&mut self, pages: u32) -> u32 {
        let before = self.pages();
        let wanted = before.checked_add(pages).filter(|wanted| self.pages_max == NONE || *wanted <= self.pages_max);
        let bytes = wanted.and_then(|wanted| wanted.checked_mul(1 << self.page_log2));
        match bytes.filter(|bytes| *bytes <= self.bytes_max) {
            Some(bytes) if self.resize(bytes) => before,
            _ => u32::MAX,
        }
    }

    /// Returns a chunk that has something in it, by its number.
    pub(super) fn content<'c>(&'c self, origin: Origin<'c>, number: u32) -> Option<&'c [u32]> {
        let chunk = self.chunk(origin, number.checked_mul(CHUNK_BYTES as u32)?)?;
        chunk.iter().any(|word| *word != 0).then_some(chunk)
    }

    /// Returns how many chunks the memory has.
    pub(super) fn count(&self) -> u32 {
        self.table.len() as u32
    }

    /// Checks a range.
    pub(super) fn holds(&self, address: u32, length: u32) -> bool {
        address.checked_add(length).is_some_and(|end| end <= self.size_bytes)
    }

    #[inline]
    fn chunk<'c>(&'c self, origin: Origin<'c>, address: u32) -> Option<&'c Chunk> {
        let place = *self.table.get((address >> CHUNK_LOG2) as usize)?;
        match self.taken.get(usize::from(place)) {
            Some(chunk) => Some(chunk),
            None if place == ZEROS => Some(&NOTHING),
            None => origin.0.get(usize::from(place.wrapping_sub(IN_IMAGE))),
        }
    }

    #[inline]
    fn chunk_mut(&mut self, origin: Origin<'_>, address: u32) -> Result<&mut Chunk, Fault> {
        let number = (address >> CHUNK_LOG2) as usize;
        let place = self.table.get(number).copied().ok_or(Fault::MemoryOutOfBounds)?;
        let place = if usize::from(place) < self.taken.len() { place } else { self.take(origin, number, place)? };
        self.taken.get_mut(usize::from(place)).map(|chunk| &mut **chunk).ok_or(Fault::Damaged)
    }

    /// Takes RAM for a chunk that is to be written.
    #[cold]
    #[inline(never)]
    fn take(&mut self, origin: Origin<'_>, number: usize, place: u16) -> Result<u16, Fault> {
        let new = self.taken.len() as u32;
        if new >= self.quota {
            return Err(Fault::Memory);
        }
        let from = if place == ZEROS {
            &NOTHING
        } else {
            origin.0.get(usize::from(place.wrapping_sub(IN_IMAGE))).ok_or(Fault::Damaged)?
        };
        let mut words = Vec::new();
        words.try_reserve_exact(CHUNK_WORDS).map_err(|_| Fault::Memory)?;
        words.extend_from_slice(from);
        if self.taken.len() == self.taken.capacity() {
            self.taken.try_reserve_exact(PLACES_AT_ONCE).map_err(|_| Fault::Memory)?;
        }
        self.taken.push(words.into_boxed_slice().try_into().map_err(|_| Fault::Damaged)?);
        let new = new as u16;
        if let Some(place) = self.table.get_mut(number) {
            *place = new;
        }
        Ok(new)
    }

    /// Adds an offset, and checks the range.
    #[inline]
    fn at(&self, address: u32, offset: u32, length: u32) -> Result<u32, Fault> {
        let at = address.checked_add(offset).ok_or(Fault::MemoryOutOfBounds)?;
        if self.holds(at, length) { Ok(at) } else { Err(Fault::MemoryOutOfBounds) }
    }

    #[inline]
    pub(super) fn load_8(&self, origin: Origin<'_>, address: u32, offset: u32) -> Result<u8, Fault> {
        let at = self.at(address, offset, 1)?;
        let chunk = self.chunk(origin, at).ok_or(Fault::Damaged)?;
        chunk.as_bytes().get(at as usize % CHUNK_BYTES).copied().ok_or(Fault::Damaged)
    }

    #[inline]
    pub(super) fn load_32(&self, origin: Origin<'_>, address: u32, offset: u32) -> Result<u32, Fault> {
        let at = self.at(address, offset, 4)?;
        if at & 3 != 0 {
            return self.load(origin, at, 0).map(u32::from_le_bytes);
        }
        let chunk = self.chunk(origin, at).ok_or(Fault::Damaged)?;
        chunk.get(at as usize / 4 % CHUNK_WORDS).copied().ok_or(Fault::Damaged)
    }

    #[inline]
    pub(super) fn store_32(&mut self, origin: Origin<'_>, address: u32, offset: u32, value: u32) -> Result<(), Fault> {
        let at = self.at(address, offset, 4)?;
        if at & 3 != 0 {
            return self.store(origin, at, 0, value.to_le_bytes());
        }
        let chunk = self.chunk_mut(origin, at)?;
        if let Some(word) = chunk.get_mut(at as usize / 4 % CHUNK_WORDS) {
            *word = value;
        }
        Ok(())
    }

    #[inline]
    pub(super) fn store_8(&mut self, origin: Origin<'_>, address: u32, offset: u32, value: u8) -> Result<(), Fault> {
        let at = self.at(address, offset, 1)?;
        let chunk = self.chunk_mut(origin, at)?;
        if let Some(byte) = chunk.as_mut_bytes().get_mut(at as usize % CHUNK_BYTES) {
            *byte = value;
        }
        Ok(())
    }

    /// Loads bytes, wherever they lie.
    #[inline(never)]
    pub(super) fn load<const N: usize>(&self, origin: Origin<'_>, address: u32, offset: u32) -> Result<[u8; N], Fault> {
        let at = self.at(address, offset, N as u32)?;
        let chunk = self.chunk(origin, at).ok_or(Fault::Damaged)?.as_bytes();
        // In one chunk, but for few.
        if let Some(bytes) = chunk.get(at as usize % CHUNK_BYTES..).and_then(|rest| rest.first_chunk()) {
            return Ok(*bytes);
        }
        let mut bytes = [0; N];
        self.read(origin, at, &mut bytes)?;
        Ok(bytes)
    }

    /// Stores bytes, wherever they lie.
    #[inline(never)]
    pub(super) fn store<const N: usize>(
        &mut self,
        origin: Origin<'_>,
        address: u32,
        offset: u32,
        bytes: [u8; N],
    ) -> Result<(), Fault> {
        let at = self.at(address, offset, N as u32)?;
        let chunk = self.chunk_mut(origin, at)?.as_mut_bytes();
        if let Some(place) = chunk.get_mut(at as usize % CHUNK_BYTES..).and_then(|rest| rest.first_chunk_mut()) {
            *place = bytes;
            return Ok(());
        }
        self.write(origin, at, &bytes)
    }

    /// Returns what there is of a range in one chunk, from its start on.
    fn piece<'c>(&'c self, origin: Origin<'c>, address: u32, length: u32) -> Option<&'c [u8]> {
        let bytes = self.chunk(origin, address)?.as_bytes().get(address as usize % CHUNK_BYTES..)?;
        Some(bytes.get(..length as usize).unwrap_or(bytes))
    }

    /// Returns a range, piece by piece.
    pub(super) fn pieces<'c>(
        &'c self,
        origin: Origin<'c>,
        address: u32,
        length: u32,
    ) -> Option<impl Iterator<Item = &'c [u8]>> {
        let (mut at, mut left) = (address, length);
        let next = move || {
            let piece = if left == 0 { None } else { self.piece(origin, at, left) }?;
            at = at.wrapping_add(piece.len() as u32);
            left = left.saturating_sub(piece.len() as u32);
            Some(piece)
        };
        self.holds(address, length).then(|| core::iter::from_fn(next))
    }

    /// Reads a range.
    pub(super) fn read(&self, origin: Origin<'_>, address: u32, mut into: &mut [u8]) -> Result<(), Fault> {
        let length = u32::try_from(into.len()).map_err(|_| Fault::MemoryOutOfBounds)?;
        for piece in self.pieces(origin, address, length).ok_or(Fault::MemoryOutOfBounds)? {
            let (to, rest) = into.split_at_mut_checked(piece.len()).ok_or(Fault::Damaged)?;
            to.copy_from_slice(piece);
            into = rest;
        }
        if into.is_empty() { Ok(()) } else { Err(Fault::Damaged) }
    }

    /// Writes a range; zeros where nothing but zeros has been take no chunk.
    pub(super) fn write(&mut self, origin: Origin<'_>, address: u32, bytes: &[u8]) -> Result<(), Fault> {
        let length = u32::try_from(bytes.len()).map_err(|_| Fault::MemoryOutOfBounds)?;
        let mut left = bytes;
        self.change(
            origin,
            address,
            length,
            |to| {
                let (now, rest) = left.split_at_checked(to.len()).unwrap_or((left, &[]));
                left = rest;
                to.copy_from_slice(now);
            },
            bytes.iter().all(|byte| *byte == 0),
        )
    }

    /// Changes a range, piece by piece; `zeros` where it becomes zero.
    fn change(
        &mut self,
        origin: Origin<'_>,
        address: u32,
        length: u32,
        mut change: impl FnMut(&mut [u8]),
        zeros: bool,
    ) -> Result<(), Fault> {
        if !self.holds(address, length) {
            return Err(Fault::MemoryOutOfBounds);
        }
        let (mut at, mut left) = (address, length);
        while left > 0 {
            let within = at as usize % CHUNK_BYTES;
            let here = CHUNK_BYTES.saturating_sub(within).min(left as usize);
            let is_nothing = self.table.get((at >> CHUNK_LOG2) as usize).is_some_and(|place| *place == ZEROS);
            // Nothing is taken, and nothing changes.
            if !(zeros && is_nothing) {
                let chunk = self.chunk_mut(origin, at)?.as_mut_bytes();
                let range = within..within.saturating_add(here);
                change(chunk.get_mut(range).ok_or(Fault::Damaged)?);
            }
            at = at.wrapping_add(here as u32);
            left = left.saturating_sub(here as u32);
        }
        Ok(())
    }

    /// Takes all chunks of a range, so that writing there finds them.
    pub(super) fn take_range(&mut self, origin: Origin<'_>, address: u32, length: u32) -> Result<(), Fault> {
        self.change(origin, address, length, |_| {}, false)
    }

    pub(super) fn fill(&mut self, origin: Origin<'_>, address: u32, byte: u8, length: u32) -> Result<(), Fault> {
        self.change(origin, address, length, |to| to.fill(byte), byte == 0)
    }

    /// Copies a range onto another, which it may overlap; both were checked.
    pub(super) fn copy(&mut self, origin: Origin<'_>, to: u32, from: u32, length: u32) -> Result<(), Fault> {
        let mut done = 0_u32;
        while done < length {
            let count = length.saturating_sub(done).min(PIECE_BYTES as u32);
            // From the end where what is read would else have been written before.
            let offset = if to > from { length.saturating_sub(done).saturating_sub(count) } else { done };
            let mut buffer = [0; PIECE_BYTES];
            let bytes = buffer.get_mut(..count as usize).ok_or(Fault::Damaged)?;
            self.read(origin, from.wrapping_add(offset), bytes)?;
            self.write(origin, to.wrapping_add(offset), bytes)?;
            done = done.saturating_add(count);
        }
        Ok(())
    }
}
