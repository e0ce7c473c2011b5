//! Access to guest memory: every range a guest names is an allegation until it was checked here.
//!
//! Nobody outside of this file has the memory as one slice: what is read comes as the bytes of one range, or piece by
//! piece; what is written goes range by range.

use alloc::borrow::Cow;
#[cfg(feature = "engine-chip")]
use alloc::vec::Vec;

use crate::host::text;

/// A range of guest memory as the guest named it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::host) struct GuestSlice {
    pub(in crate::host) ptr: u32,
    pub(in crate::host) len: u32,
}

impl GuestSlice {
    /// Returns its beginning, `max` bytes at most.
    pub(in crate::host) fn cut(self, max: usize) -> Self {
        Self { len: self.len.min(u32::try_from(max).unwrap_or(u32::MAX)), ..self }
    }

    /// Returns the range in a memory that is one slice; `None` where its numbers are larger than addresses of the host.
    fn range(self) -> Option<core::ops::Range<usize>> {
        let from = usize::try_from(self.ptr).ok()?;
        Some(from..from.checked_add(usize::try_from(self.len).ok()?)?)
    }
}

/// The linear memory of a guest, to read from.
#[derive(Clone, Copy, Debug)]
pub(in crate::host) struct Linear<'m>(Bytes<'m>);

/// How it lies.
#[derive(Clone, Copy, Debug)]
enum Bytes<'m> {
    InOnePiece(&'m [u8]),
    #[cfg(feature = "engine-chip")]
    InChunks(skiff_engine::LinearMemory<'m>),
}

impl<'m> Linear<'m> {
    /// Of a guest that has no memory yet.
    pub(in crate::host) const NONE: Self = Self(Bytes::InOnePiece(&[]));

    /// Of a memory that lies in one piece.
    #[cfg(any(test, feature = "engine-wasmi"))]
    pub(in crate::host) fn of_bytes(memory: &'m [u8]) -> Self {
        Self(Bytes::InOnePiece(memory))
    }

    /// Of a memory that lies in chunks.
    #[cfg(feature = "engine-chip")]
    pub(super) fn of_chunks(memory: skiff_engine::LinearMemory<'m>) -> Self {
        Self(Bytes::InChunks(memory))
    }

    /// Returns the bytes of a range, or `None` when it leaves the memory. They are borrowed where they lie in one piece.
    pub(in crate::host) fn bytes(self, slice: GuestSlice) -> Option<Cow<'m, [u8]>> {
        match self.0 {
            Bytes::InOnePiece(bytes) => bytes.get(slice.range()?).map(Cow::Borrowed),
            #[cfg(feature = "engine-chip")]
            Bytes::InChunks(memory) => gathered(memory, slice),
        }
    }

    /// Tells whether a range lies in the memory.
    pub(in crate::host) fn holds(self, slice: GuestSlice) -> bool {
        match self.0 {
            Bytes::InOnePiece(bytes) => slice.range().is_some_and(|range| bytes.get(range).is_some()),
            #[cfg(feature = "engine-chip")]
            Bytes::InChunks(memory) => memory.holds(slice.ptr, slice.len),
        }
    }

    /// Reads a little-endian `u32`.
    pub(in crate::host) fn word(self, ptr: u32) -> Option<u32> {
        match self.0 {
            Bytes::InOnePiece(bytes) => {
                let bytes = bytes.get(GuestSlice { ptr, len: 4 }.range()?)?;
                Some(u32::from_le_bytes(bytes.try_into().ok()?))
            }
            #[cfg(feature = "engine-chip")]
            Bytes::InChunks(memory) => memory.word(ptr),
        }
    }
}

/// Returns a range of chunks: where it lies within one, or a copy. `None` also where the heap has no room for the copy.
#[cfg(feature = "engine-chip")]
#[inline(never)]
fn gathered(memory: skiff_engine::LinearMemory<'_>, slice: GuestSlice) -> Option<Cow<'_, [u8]>> {
    let mut pieces = memory.pieces(slice.ptr, slice.len)?;
    let first = pieces.next().unwrap_or_default();
    let length = usize::try_from(slice.len).ok()?;
    if first.len() == length {
        return Some(Cow::Borrowed(first));
    }
    let mut all = Vec::new();
    all.try_reserve_exact(length).ok()?;
    all.extend_from_slice(first);
    pieces.for_each(|piece| all.extend_from_slice(piece));
    Some(Cow::Owned(all))
}

/// The linear memory of a guest, to write to.
#[derive(Debug)]
pub(in crate::host) struct LinearMut<'m>(BytesMut<'m>);

#[derive(Debug)]
enum BytesMut<'m> {
    #[cfg(any(test, feature = "engine-wasmi"))]
    InOnePiece(&'m mut [u8]),
    /// The other one is set when a chunk was needed and none was left.
    #[cfg(feature = "engine-chip")]
    InChunks(&'m mut skiff_engine::Machine, &'m mut bool),
}

impl<'m> LinearMut<'m> {
    /// Of a guest that has no memory yet.
    #[cfg(feature = "engine-wasmi")]
    pub(super) fn none() -> Self {
        Self(BytesMut::InOnePiece(&mut []))
    }

    /// Of a memory that lies in one piece.
    #[cfg(any(test, feature = "engine-wasmi"))]
    pub(super) fn of_bytes(memory: &'m mut [u8]) -> Self {
        Self(BytesMut::InOnePiece(memory))
    }

    /// Of a memory that lies in chunks; `is_short` is set when one was needed and none was left.
    #[cfg(feature = "engine-chip")]
    pub(super) fn of_chunks(machine: &'m mut skiff_engine::Machine, is_short: &'m mut bool) -> Self {
        Self(BytesMut::InChunks(machine, is_short))
    }

    /// Makes room for what the host will write into a range that lies in the memory; false where none is left.
    pub(in crate::host) fn take(&mut self, slice: GuestSlice) -> bool {
        match &mut self.0 {
            #[cfg(any(test, feature = "engine-wasmi"))]
            BytesMut::InOnePiece(memory) => slice.range().is_some_and(|range| memory.get(range).is_some()),
            #[cfg(feature = "engine-chip")]
            BytesMut::InChunks(machine, _) => machine.take_memory(slice.ptr, slice.len).is_ok(),
        }
    }

    /// Writes so many bytes from an address on, where they lie in the memory.
    pub(in crate::host) fn put<const N: usize>(&mut self, ptr: u32, bytes: [u8; N]) {
        match &mut self.0 {
            #[cfg(any(test, feature = "engine-wasmi"))]
            BytesMut::InOnePiece(memory) => {
                let room = usize::try_from(ptr).ok().and_then(|at| memory.get_mut(at..)?.first_chunk_mut());
                if let Some(to) = room {
                    *to = bytes;
                }
            }
            #[cfg(feature = "engine-chip")]
            BytesMut::InChunks(machine, is_short) => {
                write_chunks(machine, is_short, ptr, &bytes);
            }
        }
    }

    /// Writes a text at the start of a range that its UTF-16 fits; false when the range leaves the memory.
    pub(in crate::host) fn write_utf16(&mut self, slice: GuestSlice, text: &str) -> bool {
        match &mut self.0 {
            #[cfg(any(test, feature = "engine-wasmi"))]
            BytesMut::InOnePiece(memory) => {
                let room = slice.range().and_then(|range| memory.get_mut(range));
                room.map(|room| text::write_utf16(text, room)).is_some()
            }
            #[cfg(feature = "engine-chip")]
            BytesMut::InChunks(machine, is_short) => write_utf16_chunks(machine, is_short, slice, text),
        }
    }

    /// Writes `data` at the start of a range; false, and nothing is written, when the range leaves the memory or is too
    /// short. Also false where the guest has no memory left for it, and ends.
    pub(in crate::host) fn write(&mut self, slice: GuestSlice, data: &[u8]) -> bool {
        match &mut self.0 {
            #[cfg(any(test, feature = "engine-wasmi"))]
            BytesMut::InOnePiece(memory) => {
                let room = slice.range().and_then(|range| memory.get_mut(range));
                match room.and_then(|room| room.get_mut(..data.len())) {
                    Some(to) => {
                        to.copy_from_slice(data);
                        true
                    }
                    None => false,
                }
            }
            #[cfg(feature = "engine-chip")]
            BytesMut::InChunks(machine, is_short) => {
                let fits = u32::try_from(data.len()).is_ok_and(|bytes| bytes <= slice.len);
                fits && machine.memory().holds(slice.ptr, slice.len) && write_chunks(machine, is_short, slice.ptr, data)
            }
        }
    }
}

/// Writes a range of chunks.
#[cfg(feature = "engine-chip")]
fn write_chunks(machine: &mut skiff_engine::Machine, is_short: &mut bool, ptr: u32, data: &[u8]) -> bool {
    let written = machine.write_memory(ptr, data);
    *is_short |= written == Err(skiff_engine::Fault::Memory);
    written.is_ok()
}

/// Writes a text as UTF-16 over chunks, part by part.
#[cfg(feature = "engine-chip")]
fn write_utf16_chunks(
    machine: &mut skiff_engine::Machine,
    is_short: &mut bool,
    slice: GuestSlice,
    mut text: &str,
) -> bool {
    /// Bytes of UTF-8 that are written at a time.
    const PART_BYTES: usize = 64;
    if !machine.memory().holds(slice.ptr, slice.len) {
        return false;
    }
    let (mut at, mut left) = (slice.ptr, slice.len);
    while !text.is_empty() && left > 0 {
        let (part, rest) = text.split_at(text.floor_char_boundary(PART_BYTES));
        let mut units = [0; 2 * PART_BYTES];
        text::write_utf16(part, &mut units);
        let bytes = text::utf16_bytes(part).min(left);
        let Some(written) = usize::try_from(bytes).ok().and_then(|bytes| units.get(..bytes)) else { return false };
        if !write_chunks(machine, is_short, at, written) {
            return false;
        }
        at = at.saturating_add(bytes);
        left = left.saturating_sub(bytes);
        text = rest;
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_checked_to_the_byte() {
        let memory = Linear::of_bytes(&[7_u8; 16]);
        let read = |ptr, len| {
            let slice = GuestSlice { ptr, len };
            let bytes = memory.bytes(slice).map(|bytes| bytes.len());
            assert_eq!(bytes.is_some(), memory.holds(slice));
            bytes
        };
        assert_eq!((read(15, 1), read(16, 0)), (Some(1), Some(0)));
        for (ptr, len) in [(15, 2), (16, 1), (17, 0), (0x7fff_ff00, 7), (8, u32::MAX), (u32::MAX, u32::MAX)] {
            assert_eq!(read(ptr, len), None, "{ptr} {len}");
        }
        assert_eq!((memory.word(12), memory.word(13)), (Some(0x0707_0707), None));
    }

    #[test]
    fn what_does_not_fit_writes_nothing() {
        let mut memory = [0_u8; 8];
        assert!(!LinearMut::of_bytes(&mut memory).write(GuestSlice { ptr: 0, len: 2 }, b"abc"));
        assert!(!LinearMut::of_bytes(&mut memory).write(GuestSlice { ptr: 6, len: 8 }, b"abc"));
        assert_eq!(memory, [0; 8]);
        assert!(LinearMut::of_bytes(&mut memory).write(GuestSlice { ptr: 5, len: 3 }, b"abc"));
        assert_eq!(&memory[5..], b"abc");
    }
}
