//! The storage as core and firmware share it.

use alloc::rc::Rc;
use core::cell::RefCell;
use core::ops::ControlFlow;

use skiff_runtime::flash::FlashStorage;
use skiff_runtime::hal::{Capacity, Key, Mapped, Storage, StorageError};
#[cfg(feature = "engine-chip")]
use skiff_runtime::hal::{Draft, Images};

use crate::flash::BoardFlash;

/// The storage and the flash below it.
pub type BoardStorage = Rc<RefCell<FlashStorage<BoardFlash>>>;

/// The storage, which the firmware's own slots share with the core.
pub struct Shared(pub BoardStorage);

impl Storage for Shared {
    fn len(&mut self, key: &Key) -> Result<u32, StorageError> {
        self.0.borrow_mut().len(key)
    }

    fn read(&mut self, key: &Key, offset: u32, buffer: &mut [u8]) -> Result<usize, StorageError> {
        self.0.borrow_mut().read(key, offset, buffer)
    }

    fn replace(&mut self, key: &Key, data: &[u8]) -> Result<(), StorageError> {
        self.0.borrow_mut().replace(key, data)
    }

    fn append(&mut self, key: &Key, data: &[u8]) -> Result<(), StorageError> {
        self.0.borrow_mut().append(key, data)
    }

    fn remove(&mut self, key: &Key) -> Result<(), StorageError> {
        self.0.borrow_mut().remove(key)
    }

    fn list(&mut self, prefix: &str, visit: &mut dyn FnMut(&Key, u32) -> ControlFlow<()>) -> Result<(), StorageError> {
        self.0.borrow_mut().list(prefix, visit)
    }

    fn capacity(&mut self) -> Capacity {
        self.0.borrow_mut().capacity()
    }

    fn room_for(&mut self, key: &Key) -> u64 {
        self.0.borrow_mut().room_for(key)
    }

    fn mapped(&mut self, key: &Key) -> Option<Mapped> {
        self.0.borrow_mut().mapped(key)
    }

    fn reads_in_place(&mut self) -> bool {
        self.0.borrow_mut().reads_in_place()
    }

    fn rename(&mut self, from: &Key, to: &Key) -> Result<(), StorageError> {
        self.0.borrow_mut().rename(from, to)
    }

    #[cfg(feature = "engine-chip")]
    fn images(&mut self) -> Option<&mut dyn Images> {
        Some(self)
    }
}

#[cfg(feature = "engine-chip")]
impl Images for Shared {
    fn begin_image(&mut self, key: &Key, bytes: u32) -> Result<Draft, StorageError> {
        self.0.borrow_mut().begin_image(key, bytes)
    }

    fn write_image(&mut self, draft: &mut Draft, bytes: &[u8]) -> Result<(), StorageError> {
        self.0.borrow_mut().write_image(draft, bytes)
    }

    fn commit_image(&mut self, draft: Draft) -> Result<(), StorageError> {
        self.0.borrow_mut().commit_image(draft)
    }

    fn image(&mut self, key: &Key) -> Option<Mapped> {
        self.0.borrow_mut().image(key)
    }
}
