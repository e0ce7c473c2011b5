//! [`Storage`](crate::hal::Storage) in NOR flash: records in a log, images of plugins in a raw area.
//!
//! The flash has two areas ([`Layout`]). **Records** (configuration, state of plugins, tokens) lie in a map of the crate
//! `sequential-storage`, which levels the wear. A record is a head ([`head`]: version, name, length, CRC) and pieces of
//! at most [`PIECE_BYTES`]; new pieces are written beside the old ones, then the head, which is the moment the record
//! changes. **Images** (keys below [`IMAGES`]) lie in one run of sectors each, so that a chip reads them in place; the
//! new image is written to a free run, then its head. So a power cut leaves the old or the new content, and what it
//! left half written is cleared away at the next start.
//!
//! All calls block: the flash of a chip has no interrupt to wait for, and [`ready`] polls the library's futures once.

mod device;
mod head;
mod images;
#[cfg(feature = "engine-chip")]
mod made;
#[cfg(not(feature = "engine-chip"))]
#[path = "unmade.rs"]
mod made;
mod map;
pub mod nor;
mod storage;
#[cfg(test)]
mod tests;

use core::ops::Range;

pub use device::Flash;
pub use storage::{FlashStorage, MountError};

/// Prefix of the keys whose records are images.
pub const IMAGES: &str = "skiff/packages/";
/// Content bytes in one piece of a record; four of them fill a sector.
pub const PIECE_BYTES: usize = 992;
/// Bytes of a record that is no image.
pub const RECORD_BYTES_MAX: usize = 64 * 1024;
/// Records and images a storage holds; each takes 40 bytes of RAM.
pub const RECORDS_MAX: usize = 256;
/// Bytes of a sector: what is erased at once.
pub const SECTOR_BYTES: u32 = 4096;

/// Where the two areas lie, bytes from the start of the flash, whole sectors.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layout {
    /// Records, at least four sectors.
    pub records: Range<u32>,
    /// Images of plugins, in whole sectors.
    pub images: Range<u32>,
}

impl Layout {
    fn is_sound(&self, flash_bytes: usize) -> bool {
        let whole = |range: &Range<u32>| {
            range.start.is_multiple_of(SECTOR_BYTES)
                && range.end.is_multiple_of(SECTOR_BYTES)
                && range.start <= range.end
        };
        let inside = |range: &Range<u32>| usize::try_from(range.end).is_ok_and(|end| end <= flash_bytes);
        let apart = self.records.end <= self.images.start || self.images.end <= self.records.start;
        let records = self.records.end.saturating_sub(self.records.start);
        whole(&self.records)
            && whole(&self.images)
            && inside(&self.records)
            && inside(&self.images)
            && apart
            && records >= 4 * SECTOR_BYTES
            && self.images.end.saturating_sub(self.images.start) / SECTOR_BYTES <= u32::from(u16::MAX)
    }
}
