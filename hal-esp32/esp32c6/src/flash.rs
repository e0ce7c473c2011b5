//! The flash: ROM routines for writing, a window of the memory map for reading images in place.

use core::ops::Range;

use embedded_storage::nor_flash::{ErrorType, MultiwriteNorFlash, NorFlash, ReadNorFlash};
use esp_hal::interrupt::{ElevatedRunLevel, Priority, RunLevel};
use esp_hal::peripherals::FLASH;
use esp_hal::ram;
use esp_storage::FlashStorage;
use skiff_runtime::flash::{Flash, Layout};

/// As `partitions.csv` says.
pub fn layout() -> Layout {
    Layout { records: 0x3b_0000..0x3c_0000, images: 0x3c_0000..0x40_0000 }
}

/// Bytes of a page of the memory map.
const PAGE_BYTES: u32 = 0x1_0000;
/// Start of the addresses that flash is mapped to (ESP32-C6 technical reference manual, "System and Memory").
const MAPPED_AT: usize = 0x4200_0000;
/// First of the table's 256 entries that the window takes: the last megabyte but one, far behind any image.
const FIRST_ENTRY: u32 = 224;
/// Registers of the memory map: content and index of an entry.
const ITEM_CONTENT: *mut u32 = 0x6000_237c as *mut u32;
const ITEM_INDEX: *mut u32 = 0x6000_2380 as *mut u32;
/// Bit of an entry that says that it is valid.
const VALID: u32 = 1 << 9;

/// The flash of the module.
pub struct BoardFlash {
    inner: FlashStorage<'static>,
    window: Range<u32>,
}

impl BoardFlash {
    /// Takes the flash, and maps the images.
    pub fn open(flash: FLASH<'static>) -> Self {
        let window = layout().images;
        for (entry, page) in (FIRST_ENTRY..).zip(window.start / PAGE_BYTES..window.end.div_ceil(PAGE_BYTES)) {
            critical_section::with(|_| map(entry, page));
        }
        Self { inner: FlashStorage::new(flash), window }
    }

    /// Returns the flash for the firmware's own slots.
    pub fn raw(&mut self) -> &mut FlashStorage<'static> {
        &mut self.inner
    }
}

/// Maps a page of flash. The storage checks a CRC before it believes what is read there.
#[ram]
fn map(entry: u32, page: u32) {
    // SAFETY: the entry lies behind everything that the boot loader maps, and interrupts are off, so that nobody else
    // uses the pair of registers.
    unsafe { ITEM_INDEX.write_volatile(entry) };
    // SAFETY: as above.
    unsafe { ITEM_CONTENT.write_volatile(page | VALID) };
}

/// Does something with the flash while only the interrupt of the bus is served: its handler lies in RAM, and all others
/// may execute from flash, which cannot be read now.
#[ram]
pub fn alone<T>(work: impl FnOnce() -> T) -> T {
    let quiet = RunLevel::Interrupt(ElevatedRunLevel::from(Priority::Priority2));
    // SAFETY: the level is raised, unless it is higher already, and set back below.
    let before = unsafe { RunLevel::change(quiet) };
    let done = work();
    // SAFETY: this is the level from before.
    unsafe { RunLevel::change(before) };
    done
}

impl ErrorType for BoardFlash {
    type Error = esp_storage::FlashStorageError;
}

impl ReadNorFlash for BoardFlash {
    const READ_SIZE: usize = 4;

    fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), Self::Error> {
        alone(|| self.inner.read_nor(offset, bytes))
    }

    fn capacity(&self) -> usize {
        self.inner.capacity()
    }
}

impl NorFlash for BoardFlash {
    const WRITE_SIZE: usize = 4;
    const ERASE_SIZE: usize = 4096;

    fn erase(&mut self, from: u32, to: u32) -> Result<(), Self::Error> {
        // One sector at a time, so that others have their turn in between.
        (from..to).step_by(4096).try_for_each(|sector| alone(|| self.inner.erase(sector, sector + 4096)))
    }

    fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), Self::Error> {
        (offset..)
            .step_by(256)
            .zip(bytes.chunks(256))
            .try_for_each(|(address, page)| alone(|| self.inner.write_nor(address, page)))
    }
}

impl MultiwriteNorFlash for BoardFlash {}

impl Flash for BoardFlash {
    fn mapped(&self, range: Range<u32>) -> Option<&'static [u8]> {
        if range.start < self.window.start || range.end > self.window.end || range.start > range.end {
            return None;
        }
        // The window begins at a whole page, as `partitions.csv` says.
        let offset = (range.start - self.window.start) as usize;
        let start = MAPPED_AT + (FIRST_ENTRY * PAGE_BYTES) as usize + offset;
        let bytes = (range.end - range.start) as usize;
        // SAFETY: the range is mapped since `open` and stays so; the storage does not write it while the lease it gives
        // out with it lives.
        Some(unsafe { core::slice::from_raw_parts(start as *const u8, bytes) })
    }
}
