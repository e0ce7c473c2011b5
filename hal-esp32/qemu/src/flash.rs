//! The part of the flash that the board writes: RAM of the emulator with the rules of NOR flash.
//!
//! Bits are cleared by writing and set by erasing whole sectors. Nothing of the image lies there, so that a reset leaves
//! it as it is; power-on finds zeros, which no storage has written, and erases them.

use core::fmt;
use core::ops::Range;

use embedded_storage::nor_flash::{
    ErrorType, MultiwriteNorFlash, NorFlash, NorFlashError, NorFlashErrorKind, ReadNorFlash,
};
use skiff_runtime::budget::Board;
use skiff_runtime::flash::{Flash, Layout, SECTOR_BYTES};

/// Sectors of the records; the images have the others.
const RECORD_SECTORS: u32 = 16;
/// Sectors of the images where the budget is that of the ESP32-C6: what its `partitions.csv` gives them.
const ESP32C6_IMAGE_SECTORS: u32 = 64;

unsafe extern "C" {
    static mut _storage_start: u8;
    static mut _storage_end: u8;
}

/// Returns where records and images lie with the budget of a board.
pub fn layout(board: Board) -> Layout {
    let records = 0..RECORD_SECTORS * SECTOR_BYTES;
    let end = match board {
        Board::Esp32C6 => records.end + ESP32C6_IMAGE_SECTORS * SECTOR_BYTES,
        _ => bytes() as u32,
    };
    Layout { images: records.end..end, records }
}

fn bytes() -> usize {
    (&raw const _storage_end).addr() - (&raw const _storage_start).addr()
}

/// Errors of the flash.
#[derive(Clone, Copy, Debug)]
pub enum Refused {
    /// Not of whole words or sectors, or beyond the end.
    Range,
    /// A cleared bit was to be set.
    NotErased,
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Range => "not of whole words or sectors, or beyond the end",
            Self::NotErased => "a cleared bit was to be set",
        })
    }
}

impl core::error::Error for Refused {}

impl NorFlashError for Refused {
    fn kind(&self) -> NorFlashErrorKind {
        match self {
            Self::Range => NorFlashErrorKind::OutOfBounds,
            Self::NotErased => NorFlashErrorKind::Other,
        }
    }
}

/// The flash. There is one.
pub struct RamFlash(());

impl RamFlash {
    /// Takes the flash; called once.
    pub fn open() -> Self {
        Self(())
    }

    /// Returns where a range of whole units lies.
    fn cells(offset: u32, count: usize, unit: u32) -> Result<*mut u8, Refused> {
        let start = offset as usize;
        let end = start.checked_add(count).filter(|end| *end <= bytes()).ok_or(Refused::Range)?;
        let whole = offset.is_multiple_of(unit) && end.is_multiple_of(unit as usize);
        if whole { Ok((&raw mut _storage_start).wrapping_add(start)) } else { Err(Refused::Range) }
    }
}

impl ErrorType for RamFlash {
    type Error = Refused;
}

impl ReadNorFlash for RamFlash {
    const READ_SIZE: usize = 4;

    fn read(&mut self, offset: u32, out: &mut [u8]) -> Result<(), Refused> {
        let cells = Self::cells(offset, out.len(), 4)?;
        for (at, byte) in out.iter_mut().enumerate() {
            // SAFETY: `cells` has checked the range, which link.x gives to the flash alone.
            *byte = unsafe { cells.wrapping_add(at).read_volatile() };
        }
        Ok(())
    }

    fn capacity(&self) -> usize {
        bytes()
    }
}

impl NorFlash for RamFlash {
    const WRITE_SIZE: usize = 4;
    const ERASE_SIZE: usize = SECTOR_BYTES as usize;

    fn erase(&mut self, from: u32, to: u32) -> Result<(), Refused> {
        let count = to.checked_sub(from).ok_or(Refused::Range)? as usize;
        let cells = Self::cells(from, count, SECTOR_BYTES)?;
        for at in 0..count {
            // SAFETY: as in `read`; the storage writes no sector that somebody reads in place.
            unsafe { cells.wrapping_add(at).write_volatile(0xff) };
        }
        Ok(())
    }

    fn write(&mut self, offset: u32, data: &[u8]) -> Result<(), Refused> {
        let cells = Self::cells(offset, data.len(), 4)?;
        for (at, byte) in data.iter().enumerate() {
            let cell = cells.wrapping_add(at);
            // SAFETY: as in `read`.
            let before = unsafe { cell.read_volatile() };
            if before & byte != *byte {
                return Err(Refused::NotErased);
            }
            // SAFETY: as in `erase`.
            unsafe { cell.write_volatile(before & byte) };
        }
        Ok(())
    }
}

impl MultiwriteNorFlash for RamFlash {}

impl Flash for RamFlash {
    fn mapped(&self, range: Range<u32>) -> Option<&'static [u8]> {
        let count = range.end.checked_sub(range.start)? as usize;
        let start = Self::cells(range.start, 0, 1).ok()?;
        Self::cells(range.end, 0, 1).ok()?;
        // SAFETY: the range lies in the flash, and the storage does not write it while the lease that it gives out with
        // the bytes lives.
        Some(unsafe { core::slice::from_raw_parts(start, count) })
    }
}
