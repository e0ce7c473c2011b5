//! Access to guest memory: every range a guest names is an allegation until it was checked here.
//!
//! Nobody outside of this file has the memory as one slice: what is read comes as the bytes of one range, or piece by
//! piece; what is written goes range by range.

use alloc::borrow::Cow;

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
pub(in crate::host) struct Linear<'m>(&'m [u8]);

impl<'m> Linear<'m> {
    /// Of a guest that has no memory yet.
    pub(in crate::host) const NONE: Self = Self(&[]);

    /// Of a memory that lies in one piece.
    pub(in crate::host) fn of_bytes(memory: &'m [u8]) -> Self {
        Self(memory)
    }

    /// Returns the bytes of a range, or `None` when it leaves the memory. They are borrowed where they lie in one piece.
    pub(in crate::host) fn bytes(self, slice: GuestSlice) -> Option<Cow<'m, [u8]>> {
        self.0.get(slice.range()?).map(Cow::Borrowed)
    }

    /// Tells whether a range lies in the memory.
    pub(in crate::host) fn holds(self, slice: GuestSlice) -> bool {
        slice.range().is_some_and(|range| self.0.get(range).is_some())
    }

    /// Reads a little-endian `u32`.
    pub(in crate::host) fn word(self, ptr: u32) -> Option<u32> {
        let bytes = self.0.get(GuestSlice { ptr, len: 4 }.range()?)?;
        Some(u32::from_le_bytes(bytes.try_into().ok()?))
    }
}

/// The linear memory of a guest, to write to.
#[derive(Debug)]
pub(in crate::host) struct LinearMut<'m>(&'m mut [u8]);

impl<'m> LinearMut<'m> {
    /// Of a guest that has no memory yet.
    pub(in crate::host) fn none() -> Self {
        Self(&mut [])
    }

    /// Of a memory that lies in one piece.
    pub(in crate::host) fn of_bytes(memory: &'m mut [u8]) -> Self {
        Self(memory)
    }

    /// Writes so many bytes from an address on, where they lie in the memory.
    pub(in crate::host) fn put<const N: usize>(&mut self, ptr: u32, bytes: [u8; N]) {
        let room = usize::try_from(ptr).ok().and_then(|at| self.0.get_mut(at..)?.first_chunk_mut());
        if let Some(to) = room {
            *to = bytes;
        }
    }

    /// Writes a text at the start of a range that its UTF-16 fits; false when the range leaves the memory.
    pub(in crate::host) fn write_utf16(&mut self, slice: GuestSlice, text: &str) -> bool {
        let room = slice.range().and_then(|range| self.0.get_mut(range));
        room.map(|room| text::write_utf16(text, room)).is_some()
    }

    /// Writes `data` at the start of a range; false, and nothing is written, when the range leaves the memory or is too
    /// short.
    pub(in crate::host) fn write(&mut self, slice: GuestSlice, data: &[u8]) -> bool {
        let room = slice.range().and_then(|range| self.0.get_mut(range));
        match room.and_then(|room| room.get_mut(..data.len())) {
            Some(to) => {
                to.copy_from_slice(data);
                true
            }
            None => false,
        }
    }
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
