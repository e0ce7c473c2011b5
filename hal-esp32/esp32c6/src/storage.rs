//! The storage as core and firmware share it, and the board as its administrator sees it.

use alloc::rc::Rc;
use alloc::string::{String, ToString};
use core::cell::RefCell;
use core::ops::ControlFlow;

use skiff_board::wifi::{STATION_FILE, Station};
use skiff_runtime::flash::FlashStorage;
use skiff_runtime::hal::{Capacity, Device, Key, Mapped, Storage, StorageError};

use crate::flash::BoardFlash;
use crate::{log_sink, mode, update};

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
}

/// What an administrator may do with the board.
pub struct Hardware(pub BoardStorage);

impl Device for Hardware {
    fn log(&mut self) -> String {
        log_sink::lines()
    }

    fn set_network(&mut self, json: &[u8]) -> Result<(), String> {
        Station::parse(json).map_err(|error| error.to_string())?;
        let key = Key::parse(STATION_FILE).map_err(|error| error.to_string())?;
        self.0.borrow_mut().replace(&key, json).map_err(|error| error.to_string())
    }

    fn write_firmware(&mut self, offset: u32, data: &[u8]) -> Result<(), String> {
        update::write(self.0.borrow_mut().flash().raw(), offset, data)
    }

    fn activate_firmware(&mut self) -> Result<(), String> {
        update::activate(self.0.borrow_mut().flash().raw())
    }

    fn restart(&mut self) {
        mode::restart_soon();
    }
}
