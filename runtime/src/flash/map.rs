//! The map of items that `sequential-storage` keeps, behind blocking calls.

use alloc::boxed::Box;
use core::ops::Range;

use sequential_storage::Error;
use sequential_storage::cache::Cache;
use sequential_storage::cache::key_pointers::HeapKeyPointers;
use sequential_storage::cache::page_pointers::HeapPagePointers;
use sequential_storage::cache::page_states::HeapPageStates;
use sequential_storage::map::{MapConfig, MapStorage};

use super::device::{Blocking, Flash, ready};
use super::head::{ItemKey, KEY_BYTES, NameHash, PIECE_HEADER_BYTES};
use super::{PIECE_BYTES, SECTOR_BYTES};
use crate::hal::StorageError;

/// Bytes of the longest item: key, generation, content.
pub const ITEM_BYTES_MAX: usize = KEY_BYTES + PIECE_HEADER_BYTES + PIECE_BYTES;
/// Bytes the map puts before each item.
const ITEM_HEADER_BYTES: usize = 8;
/// Bytes of a sector that hold items: two words mark its state.
const SECTOR_ITEM_BYTES: u32 = SECTOR_BYTES - 8;
/// Places of items that are remembered; each takes about 24 bytes of RAM.
const PLACES: usize = 48;

/// Returns what an item with a value of `value_bytes` takes of a sector.
pub const fn item_bytes(value_bytes: usize) -> u32 {
    // Values are bounded by ITEM_BYTES_MAX.
    (ITEM_HEADER_BYTES + (KEY_BYTES + value_bytes).next_multiple_of(4)) as u32
}

/// Returns how many bytes of items an area of `sectors` is sure to take.
///
/// One sector is kept empty by the map, one is being written, and the end of each can be too short for the next item.
pub const fn usable_bytes(sectors: u32) -> u32 {
    let sure = SECTOR_ITEM_BYTES - item_bytes(ITEM_BYTES_MAX - KEY_BYTES);
    sectors.saturating_sub(2).saturating_mul(sure)
}

type Places = Cache<HeapPageStates, HeapPagePointers, HeapKeyPointers<ItemKey>, ItemKey>;

/// Aligned, so that a flash driver needs no buffer of its own.
#[repr(align(4))]
pub struct Buffer(pub [u8; ITEM_BYTES_MAX.next_multiple_of(4)]);

/// The map, and the flash it lies in.
pub struct Map<F: Flash> {
    inner: MapStorage<ItemKey, Blocking<F>, Places>,
    buffer: Box<Buffer>,
}

/// An error of the library as the core knows it.
fn told<E: core::fmt::Debug>(error: &Error<E>) -> StorageError {
    match error {
        Error::FullStorage => StorageError::Full,
        Error::Storage { value, .. } => {
            log::warn!("flash: {value:?}");
            StorageError::Failed
        }
        Error::Corrupted { .. } => {
            log::warn!("flash: the area of records is damaged");
            StorageError::Failed
        }
        _ => {
            log::warn!("flash: holds items of another layout");
            StorageError::Failed
        }
    }
}

fn done<T, E: core::fmt::Debug>(result: Option<Result<T, Error<E>>>) -> Result<T, StorageError> {
    // Blocking flash never waits.
    result.ok_or(StorageError::Failed)?.map_err(|error| told(&error))
}

impl<F: Flash> Map<F> {
    /// Takes the flash; `None` when it is none the map can be kept in.
    pub fn new(flash: F, records: Range<u32>) -> Option<Self> {
        let sectors = usize::try_from(records.end.checked_sub(records.start)? / SECTOR_BYTES).ok()?;
        let config = MapConfig::try_new(records).ok()?;
        let places =
            Cache::new(HeapPageStates::new(sectors), HeapPagePointers::new(sectors), HeapKeyPointers::new(PLACES));
        let buffer = Box::new(Buffer([0; ITEM_BYTES_MAX.next_multiple_of(4)]));
        Some(Self { inner: MapStorage::new(Blocking(flash), config, places), buffer })
    }

    /// Returns the flash and the buffer, for the area of images.
    pub fn flash(&mut self) -> (&mut F, &mut Buffer) {
        (&mut self.inner.flash().0, &mut self.buffer)
    }

    /// Fetches the value of an item.
    pub fn fetch(&mut self, key: ItemKey) -> Result<Option<&[u8]>, StorageError> {
        done(ready(self.inner.fetch_item::<&[u8]>(&mut self.buffer.0, &key)))
    }

    /// Stores an item in place of the one before; a power cut leaves one of the two.
    pub fn store(&mut self, key: ItemKey, value: &[u8]) -> Result<(), StorageError> {
        done(ready(self.inner.store_item(&mut self.buffer.0, &key, &value)))
    }

    /// Removes an item; none is no error.
    pub fn remove(&mut self, key: ItemKey) -> Result<(), StorageError> {
        done(ready(self.inner.remove_item(&mut self.buffer.0, &key)))
    }

    /// Repairs what a power cut in the middle of moving or erasing a sector left: fetching does, visiting does not.
    pub fn repair(&mut self) -> Result<(), StorageError> {
        self.fetch(ItemKey::head(NameHash::default())).map(|_| ())
    }

    /// Visits all items, older ones first: of items with the same key the last one counts.
    pub fn visit(&mut self, visit: &mut dyn FnMut(ItemKey, &[u8])) -> Result<(), StorageError> {
        let mut items = done(ready(self.inner.fetch_all_items(&mut self.buffer.0)))?;
        while let Some((key, value)) = done(ready(items.next::<&[u8]>(&mut self.buffer.0)))? {
            visit(key, value);
        }
        Ok(())
    }

    /// Erases the whole area.
    pub fn format(&mut self) -> Result<(), StorageError> {
        done(ready(self.inner.erase_all()))
    }
}
