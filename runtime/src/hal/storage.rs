//! Stored records: a folder on Linux, flash on a chip.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;
use core::ops::ControlFlow;

use super::Key;
use crate::time::UnixMillis;

/// Why storage did not do what it was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum StorageError {
    /// No record has this key.
    NotFound,
    /// The record does not fit any more.
    Full,
    /// The medium may not be written.
    ReadOnly,
    /// The record is longer than the caller's limit.
    TooLong {
        /// Bytes of the record.
        bytes: u32,
    },
    /// The medium failed or holds damaged data.
    Failed,
}

impl fmt::Display for StorageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotFound => f.write_str("no such record"),
            Self::Full => f.write_str("storage full"),
            Self::ReadOnly => f.write_str("storage is read-only"),
            Self::TooLong { bytes } => write!(f, "record of {bytes} bytes is too long"),
            Self::Failed => f.write_str("storage failed"),
        }
    }
}

impl core::error::Error for StorageError {}

/// Room of a storage, bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Capacity {
    /// Bytes in all.
    pub total_bytes: u64,
    /// Bytes that can still be written.
    pub free_bytes: u64,
}

/// Keeps bytes that are read in place from being written: the storage leaves them alone while a clone lives.
#[derive(Clone, Debug, Default)]
pub struct Lease(Arc<()>);

impl Lease {
    /// Builds a lease that nobody else holds yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Tells whether anybody holds a clone.
    #[must_use]
    pub fn is_shared(&self) -> bool {
        Arc::strong_count(&self.0) > 1
    }
}

/// A lease says nothing about the bytes, so that what holds one compares by its other fields.
impl PartialEq for Lease {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Lease {}

/// A record where it lies.
#[derive(Clone, Debug)]
pub struct Mapped {
    bytes: &'static [u8],
    lease: Lease,
}

impl Mapped {
    /// Joins bytes and the lease that keeps them as they are.
    #[must_use]
    pub const fn new(bytes: &'static [u8], lease: Lease) -> Self {
        Self { bytes, lease }
    }

    /// Returns the bytes and their lease, which must be kept as long as the bytes are used.
    #[must_use]
    pub fn into_parts(self) -> (&'static [u8], Lease) {
        (self.bytes, self.lease)
    }
}

/// Records by key.
pub trait Storage {
    /// Returns the length of a record, bytes.
    ///
    /// # Errors
    /// [`StorageError::NotFound`] when there is none.
    fn len(&mut self, key: &Key) -> Result<u32, StorageError>;

    /// Reads into `buffer` from `offset`, returns how many bytes were read; 0 means the end.
    ///
    /// # Errors
    /// [`StorageError::NotFound`] when there is no such record.
    fn read(&mut self, key: &Key, offset: u32, buffer: &mut [u8]) -> Result<usize, StorageError>;

    /// Makes `data` the whole content of the record, creating it.
    ///
    /// Atomic and durable: after a power cut at any moment the record has the old or the new content, and the
    /// new one once this call has returned.
    ///
    /// # Errors
    /// [`StorageError::Full`] and others; the old content is kept then.
    fn replace(&mut self, key: &Key, data: &[u8]) -> Result<(), StorageError>;

    /// Appends to a record, creating it; a power cut can lose what was appended last, never what stood before.
    ///
    /// # Errors
    /// [`StorageError::Full`] and others; nothing was appended then.
    fn append(&mut self, key: &Key, data: &[u8]) -> Result<(), StorageError>;

    /// Removes a record; none is no error.
    ///
    /// # Errors
    /// [`StorageError`] when the medium refuses.
    fn remove(&mut self, key: &Key) -> Result<(), StorageError>;

    /// Visits key and length of each record whose key begins with `prefix` (any text), in no particular order.
    ///
    /// # Errors
    /// [`StorageError::Failed`] when the medium cannot be listed.
    fn list(&mut self, prefix: &str, visit: &mut dyn FnMut(&Key, u32) -> ControlFlow<()>) -> Result<(), StorageError>;

    /// Returns the record where it can be read in place (memory-mapped flash); `None` elsewhere, and for a record that
    /// is damaged.
    fn mapped(&mut self, key: &Key) -> Option<Mapped> {
        let _ = key;
        None
    }

    /// Tells whether records can be read in place ([`mapped`](Self::mapped)).
    fn reads_in_place(&mut self) -> bool {
        false
    }

    /// Gives a record another key, in place of what had it; `from` is gone then.
    ///
    /// After a power cut `to` has the old or the new content, and `from` can be there still.
    ///
    /// # Errors
    /// [`StorageError::NotFound`] when there is no `from`, and others; `to` is kept then.
    fn rename(&mut self, from: &Key, to: &Key) -> Result<(), StorageError> {
        let data = self.read_all(from, u32::MAX)?;
        self.replace(to, &data)?;
        self.remove(from)
    }

    /// Gives a record a second key, in place of what had it, as atomically as [`replace`](Self::replace) does.
    ///
    /// # Errors
    /// [`StorageError::NotFound`] when there is no `from`, and others; `to` is kept then.
    fn copy(&mut self, from: &Key, to: &Key) -> Result<(), StorageError> {
        let data = self.read_all(from, u32::MAX)?;
        self.replace(to, &data)
    }

    /// Returns where images are kept that are read in place; `None` where none are.
    #[cfg(feature = "engine-chip")]
    fn images(&mut self) -> Option<&mut dyn super::Images> {
        None
    }

    /// Returns when a record was last written; `None` where the medium does not note that.
    fn modified(&mut self, key: &Key) -> Option<UnixMillis> {
        let _ = key;
        None
    }

    /// Returns how many bytes of content this record could be given, what it holds now being kept until then.
    fn room_for(&mut self, key: &Key) -> u64 {
        let _ = key;
        self.capacity().free_bytes
    }

    /// Returns the room.
    fn capacity(&mut self) -> Capacity;

    /// Reads a whole record of at most `limit_bytes`.
    ///
    /// # Errors
    /// [`StorageError::TooLong`] before anything is read, [`StorageError::NotFound`] and others.
    fn read_all(&mut self, key: &Key, limit_bytes: u32) -> Result<Vec<u8>, StorageError> {
        let bytes = self.len(key)?;
        if bytes > limit_bytes {
            return Err(StorageError::TooLong { bytes });
        }
        let mut data = Vec::new();
        let wanted = usize::try_from(bytes).map_err(|_| StorageError::TooLong { bytes })?;
        data.try_reserve_exact(wanted).map_err(|_| StorageError::Full)?;
        data.resize(wanted, 0);
        let mut filled = 0_usize;
        while let Some(rest) = data.get_mut(filled..).filter(|rest| !rest.is_empty()) {
            let offset = u32::try_from(filled).map_err(|_| StorageError::Failed)?;
            match self.read(key, offset, rest)? {
                0 => break,
                count => filled = filled.saturating_add(count),
            }
        }
        data.truncate(filled);
        Ok(data)
    }
}
