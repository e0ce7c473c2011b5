//! Access to guest memory: every range a guest names is an allegation until it was checked here.

/// A range of guest memory as the guest named it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct GuestSlice {
    pub(super) ptr: u32,
    pub(super) len: u32,
}

impl GuestSlice {
    /// Returns the bytes, or `None` when the range leaves the memory.
    pub(super) fn read(self, memory: &[u8]) -> Option<&[u8]> {
        let from = usize::try_from(self.ptr).ok()?;
        memory.get(from..from.checked_add(usize::try_from(self.len).ok()?)?)
    }

    /// Writes `data` at the start of the range; false, and nothing is written, when the range leaves the memory or
    /// is too short.
    pub(super) fn write(self, memory: &mut [u8], data: &[u8]) -> bool {
        let range = usize::try_from(self.ptr).ok().zip(usize::try_from(self.len).ok());
        let room = range.and_then(|(from, len)| memory.get_mut(from..from.checked_add(len)?));
        match room.and_then(|room| room.get_mut(..data.len())) {
            Some(to) => {
                to.copy_from_slice(data);
                true
            }
            None => false,
        }
    }
}

/// Reads a little-endian `u32`.
pub(super) fn read_u32(memory: &[u8], ptr: u32) -> Option<u32> {
    let bytes = GuestSlice { ptr, len: 4 }.read(memory)?;
    Some(u32::from_le_bytes(bytes.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_checked_to_the_byte() {
        let memory = [7_u8; 16];
        let read = |ptr, len| GuestSlice { ptr, len }.read(&memory).map(<[u8]>::len);
        assert_eq!((read(15, 1), read(16, 0)), (Some(1), Some(0)));
        for (ptr, len) in [(15, 2), (16, 1), (17, 0), (0x7fff_ff00, 7), (8, u32::MAX), (u32::MAX, u32::MAX)] {
            assert_eq!(read(ptr, len), None, "{ptr} {len}");
        }
    }

    #[test]
    fn what_does_not_fit_writes_nothing() {
        let mut memory = [0_u8; 8];
        assert!(!GuestSlice { ptr: 0, len: 2 }.write(&mut memory, b"abc"));
        assert!(!GuestSlice { ptr: 6, len: 8 }.write(&mut memory, b"abc"));
        assert_eq!(memory, [0; 8]);
        assert!(GuestSlice { ptr: 5, len: 3 }.write(&mut memory, b"abc"));
        assert_eq!(&memory[5..], b"abc");
    }
}
