//! The two slots of the firmware: written through the flash of the storage, chosen in the boot loader's data.

use alloc::boxed::Box;
use alloc::format;
use alloc::string::String;

use embedded_storage::nor_flash::{NorFlash, ReadNorFlash};
use esp_bootloader_esp_idf::partitions::{Error, PARTITION_TABLE_MAX_LEN, read_partition_table};
use skiff_board::boot_choice;
use skiff_runtime::hal::{Firmware, FlashFailed, Slot};

use crate::storage::BoardStorage;

/// Where the boot loader's choice lies (`otadata`), as `partitions.csv` says.
const BOOT_CHOICE: u32 = 0xd000;
/// Where the slots begin, as `partitions.csv` says.
const BEGIN: [u32; 2] = [0x1_0000, 0x1e_0000];
/// Bytes of a slot.
const SLOT_BYTES: u32 = 0x1d_0000;
/// Bytes that are erased at once.
const BLOCK_BYTES: u32 = 4096;
/// The chip's number in images (ESP-IDF, `esp_chip_id_t`).
const ESP32_C6: u16 = 13;
/// Writes begin and end at words.
const WORD: usize = 4;

/// The slots.
pub struct Slots {
    storage: BoardStorage,
    running: Slot,
}

impl Slots {
    /// Finds out which slot runs.
    ///
    /// # Errors
    /// A clause that says what the partition table lacks.
    pub fn open(storage: BoardStorage) -> Result<Self, String> {
        let failed = |error: Error| format!("firmware slots: {error:?}");
        let mut buffer = Box::new([0; PARTITION_TABLE_MAX_LEN]);
        let booted = {
            let mut storage = storage.borrow_mut();
            let table = read_partition_table(storage.flash().raw(), &mut buffer[..]).map_err(failed)?;
            table.booted_partition().map_err(failed)?.map(|partition| partition.offset())
        };
        let running = match booted {
            Some(offset) if offset == BEGIN[0] => Slot::First,
            Some(offset) if offset == BEGIN[1] => Slot::Second,
            other => return Err(format!("firmware slots: this runs from {other:?}, which is no slot")),
        };
        Ok(Self { storage, running })
    }

    /// Returns the place of a range of the slot that does not run.
    fn place(&self, offset: u32, bytes: usize) -> Result<u32, FlashFailed> {
        let end = u32::try_from(bytes).ok().and_then(|bytes| offset.checked_add(bytes)).ok_or(FlashFailed)?;
        let begin = BEGIN[usize::from(self.running.other().index())];
        if end <= SLOT_BYTES { Ok(begin + offset) } else { Err(FlashFailed) }
    }
}

impl Firmware for Slots {
    fn chip(&self) -> u16 {
        ESP32_C6
    }

    fn running(&self) -> Slot {
        self.running
    }

    fn slot_bytes(&self) -> u32 {
        SLOT_BYTES
    }

    fn block_bytes(&self) -> u32 {
        BLOCK_BYTES
    }

    fn erase(&mut self, offset: u32) -> Result<(), FlashFailed> {
        let from = self.place(offset, BLOCK_BYTES as usize)?;
        self.storage.borrow_mut().flash().erase(from, from + BLOCK_BYTES).map_err(|_| FlashFailed)
    }

    fn write(&mut self, offset: u32, data: &[u8]) -> Result<(), FlashFailed> {
        let at = self.place(offset, data.len().next_multiple_of(WORD))?;
        let mut storage = self.storage.borrow_mut();
        let (whole, rest) = data.split_at(data.len() - data.len() % WORD);
        storage.flash().write(at, whole).map_err(|_| FlashFailed)?;
        if rest.is_empty() {
            return Ok(());
        }
        // The end of an image: what is not written stays erased.
        let mut word = [0xff; WORD];
        word[..rest.len()].copy_from_slice(rest);
        let behind = u32::try_from(whole.len()).map_err(|_| FlashFailed)?;
        storage.flash().write(at + behind, &word).map_err(|_| FlashFailed)
    }

    fn read(&mut self, offset: u32, buffer: &mut [u8]) -> Result<(), FlashFailed> {
        let at = self.place(offset, buffer.len())?;
        let mut storage = self.storage.borrow_mut();
        // Reads go by words, too; images are read back in pieces that are.
        let (whole, rest) = buffer.split_at_mut(buffer.len() - buffer.len() % WORD);
        storage.flash().read(at, whole).map_err(|_| FlashFailed)?;
        if rest.is_empty() {
            return Ok(());
        }
        let mut word = [0; WORD];
        let behind = u32::try_from(whole.len()).map_err(|_| FlashFailed)?;
        storage.flash().read(at + behind, &mut word).map_err(|_| FlashFailed)?;
        rest.copy_from_slice(&word[..rest.len()]);
        Ok(())
    }

    fn start_next(&mut self, slot: Slot) -> Result<(), FlashFailed> {
        // The core keeps the record of the trial and counts the starts: the boot loader only has to start what it is told.
        boot_choice::choose(self.storage.borrow_mut().flash(), BOOT_CHOICE, slot)
    }
}
