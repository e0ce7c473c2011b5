//! Images that a machine makes for itself: written piece by piece, read where they lie.

use super::{Key, Lease, Mapped, StorageError};
use crate::crc32::Crc32;

/// An image that is being written. Dropping it gives its room back; nobody sees it before it is committed.
#[derive(Debug)]
#[cfg_attr(
    not(any(test, feature = "flash")),
    expect(dead_code, reason = "a storage reads them, and only flash keeps images")
)]
pub struct Draft {
    /// What it will be found by.
    pub(crate) key: Key,
    /// Its length, bytes.
    pub(crate) bytes: u32,
    /// Bytes that are written.
    pub(crate) written: u32,
    /// Sum of those.
    pub(crate) crc: Crc32,
    /// Its first sector.
    pub(crate) sector: u16,
    /// Keeps its room from being given to anybody else.
    pub(crate) _lease: Lease,
}

impl Draft {
    /// Returns how many bytes are still to be written.
    #[must_use]
    pub fn left(&self) -> u32 {
        self.bytes.saturating_sub(self.written)
    }

    /// Tells whether what is written next begins a sector of this many bytes.
    #[must_use]
    pub const fn is_at_sector(&self, bytes: u32) -> bool {
        self.written.is_multiple_of(bytes)
    }
}

/// Where a storage keeps images that are read in place, beside its records.
///
/// What lies here was made by this machine and can be made again, so that it goes, the oldest first, when there is no room
/// for something new; what somebody reads in place never does. There is no other way to write it: no record can be given
/// such a key.
pub trait Images {
    /// Finds room for an image, which needs no more than a look; what has this key is there until the image is committed.
    ///
    /// # Errors
    /// [`StorageError::Full`] where there is no room though everything that can go would; nothing has gone then.
    fn begin_image(&mut self, key: &Key, bytes: u32) -> Result<Draft, StorageError>;

    /// Writes the next bytes, a multiple of four and at most [`APPEND_BYTES_MAX`], and reads them back. What lies there is
    /// erased as it is reached: at most one sector a call.
    ///
    /// # Errors
    /// [`StorageError::TooLong`] for more bytes than there is room for, [`StorageError::Failed`] where they do not read back.
    fn write_image(&mut self, draft: &mut Draft, bytes: &[u8]) -> Result<(), StorageError>;

    /// Puts the image in place of what has its key. After a power cut, at any moment, the key has the old or the new one.
    ///
    /// # Errors
    /// [`StorageError::Failed`] for an image that is not whole, and others; the old one is kept then.
    fn commit_image(&mut self, draft: Draft) -> Result<(), StorageError>;

    /// Returns an image where it lies, without a look at its sum: who runs it sums it. `None` where there is none, or where
    /// nothing can be read in place.
    fn image(&mut self, key: &Key) -> Option<Mapped>;
}

/// Prefix of the keys of images.
pub const IMAGES_MADE: &str = "skiff/engine/";
/// Bytes that [`Images::write_image`] takes at a time: a page of the usual flash chips.
pub const APPEND_BYTES_MAX: usize = 256;
