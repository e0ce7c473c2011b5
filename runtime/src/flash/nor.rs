//! NOR flash in memory, with the rules of the real one and power that can be cut.

use alloc::boxed::Box;
use alloc::rc::Rc;
use alloc::vec;
use alloc::vec::Vec;
use core::cell::RefCell;
use core::fmt;
use core::ops::Range;

use embedded_storage::nor_flash::{
    ErrorType, MultiwriteNorFlash, NorFlash, NorFlashError, NorFlashErrorKind, ReadNorFlash,
};

use super::{Flash, SECTOR_BYTES};

/// Bytes that are programmed at once.
const WORD_BYTES: usize = 4;

/// State left by the step that the power cut interrupts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Torn {
    /// Nothing of it.
    Nothing,
    /// Some bits of the word are cleared; the first half of the sector is erased.
    Half,
    /// All of it, though nobody is told.
    All,
}

/// Why the simulated flash did not do what it was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum NorError {
    /// The power is off.
    WithoutPower,
    /// A bit that is cleared cannot be set but by erasing its sector.
    NotErased,
    /// Not of whole words or sectors.
    NotAligned,
    /// Beyond the end.
    OutOfBounds,
}

impl fmt::Display for NorError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::WithoutPower => "the power is off",
            Self::NotErased => "a cleared bit was to be set",
            Self::NotAligned => "not of whole words or sectors",
            Self::OutOfBounds => "beyond the end of the flash",
        })
    }
}

impl core::error::Error for NorError {}

impl NorFlashError for NorError {
    fn kind(&self) -> NorFlashErrorKind {
        match self {
            Self::NotAligned => NorFlashErrorKind::NotAligned,
            Self::OutOfBounds => NorFlashErrorKind::OutOfBounds,
            Self::WithoutPower | Self::NotErased => NorFlashErrorKind::Other,
        }
    }
}

/// The flash; clones share it.
#[derive(Clone, Debug)]
pub struct NorSim(Rc<RefCell<State>>);

#[derive(Debug)]
struct State {
    bytes: Vec<u8>,
    steps: u64,
    steps_left: Option<u32>,
    torn: Torn,
    without_power: bool,
    mapped: bool,
}

impl NorSim {
    /// Builds erased flash of this many sectors.
    #[must_use]
    pub fn new(sectors: u16) -> Self {
        Self::with_content(vec![0xff; usize::from(sectors) * SECTOR_BYTES as usize])
    }

    /// Builds flash that holds `bytes`, cut or filled up to whole sectors.
    #[must_use]
    pub fn with_content(mut bytes: Vec<u8>) -> Self {
        bytes.resize(bytes.len().next_multiple_of(SECTOR_BYTES as usize), 0xff);
        let (steps, steps_left, torn) = (0, None, Torn::Nothing);
        Self(Rc::new(RefCell::new(State { bytes, steps, steps_left, torn, without_power: false, mapped: false })))
    }

    /// Returns a copy of what it holds.
    #[must_use]
    pub fn content(&self) -> Vec<u8> {
        self.0.borrow().bytes.clone()
    }

    /// Changes what it holds as damage would, without the rules of writing.
    pub fn damage(&self, damage: impl FnOnce(&mut [u8])) {
        damage(&mut self.0.borrow_mut().bytes);
    }

    /// Returns how many words were written and sectors erased.
    #[must_use]
    pub fn steps(&self) -> u64 {
        self.0.borrow().steps
    }

    /// Lets this many words and sectors be written or erased, then cuts the power.
    pub fn cut_power_after(&self, steps: u32, torn: Torn) {
        let mut state = self.0.borrow_mut();
        (state.steps_left, state.torn) = (Some(steps), torn);
    }

    /// Tells whether the power was cut.
    #[must_use]
    pub fn is_without_power(&self) -> bool {
        self.0.borrow().without_power
    }

    /// Brings the power back.
    pub fn power_on(&self) {
        let mut state = self.0.borrow_mut();
        (state.steps_left, state.without_power) = (None, false);
    }

    /// Gives out ranges to be read in place: copies that are never freed, so that this is for tests only.
    pub fn map(&self) {
        self.0.borrow_mut().mapped = true;
    }
}

impl State {
    /// Counts a step; an error when the power goes in it.
    fn step(&mut self) -> Result<(), Torn> {
        match &mut self.steps_left {
            Some(0) => {
                self.without_power = true;
                Err(self.torn)
            }
            left => {
                if let Some(left) = left {
                    *left = left.saturating_sub(1);
                }
                self.steps = self.steps.saturating_add(1);
                Ok(())
            }
        }
    }

    fn range(&mut self, offset: u32, bytes: usize, unit: usize) -> Result<&mut [u8], NorError> {
        if self.without_power {
            return Err(NorError::WithoutPower);
        }
        let start = usize::try_from(offset).map_err(|_| NorError::OutOfBounds)?;
        if !start.is_multiple_of(unit) || !bytes.is_multiple_of(unit) {
            return Err(NorError::NotAligned);
        }
        let end = start.checked_add(bytes).ok_or(NorError::OutOfBounds)?;
        self.bytes.get_mut(start..end).ok_or(NorError::OutOfBounds)
    }

    fn write_word(&mut self, offset: u32, word: &[u8]) -> Result<(), NorError> {
        let cells = self.range(offset, word.len(), WORD_BYTES)?;
        if cells.iter().zip(word).any(|(cell, byte)| cell & byte != *byte) {
            return Err(NorError::NotErased);
        }
        let step = self.step();
        // Every other bit that was to be cleared.
        let kept = match step {
            Ok(()) | Err(Torn::All) => 0,
            Err(Torn::Nothing) => 0xff,
            Err(Torn::Half) => 0x55,
        };
        let start = usize::try_from(offset).map_err(|_| NorError::OutOfBounds)?;
        for (cell, byte) in self.bytes.iter_mut().skip(start).zip(word) {
            *cell &= byte | kept;
        }
        step.map_err(|_| NorError::WithoutPower)
    }

    fn erase_sector(&mut self, offset: u32) -> Result<(), NorError> {
        self.range(offset, SECTOR_BYTES as usize, SECTOR_BYTES as usize)?;
        let step = self.step();
        let erased = match step {
            Ok(()) | Err(Torn::All) => SECTOR_BYTES as usize,
            Err(Torn::Nothing) => 0,
            Err(Torn::Half) => SECTOR_BYTES as usize / 2,
        };
        let start = usize::try_from(offset).map_err(|_| NorError::OutOfBounds)?;
        self.bytes.iter_mut().skip(start).take(erased).for_each(|cell| *cell = 0xff);
        step.map_err(|_| NorError::WithoutPower)
    }
}

impl ErrorType for NorSim {
    type Error = NorError;
}

impl ReadNorFlash for NorSim {
    const READ_SIZE: usize = WORD_BYTES;

    fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), NorError> {
        let mut state = self.0.borrow_mut();
        let cells = state.range(offset, bytes.len(), WORD_BYTES)?;
        bytes.iter_mut().zip(cells).for_each(|(to, from)| *to = *from);
        Ok(())
    }

    fn capacity(&self) -> usize {
        self.0.borrow().bytes.len()
    }
}

impl NorFlash for NorSim {
    const WRITE_SIZE: usize = WORD_BYTES;
    const ERASE_SIZE: usize = SECTOR_BYTES as usize;

    fn erase(&mut self, from: u32, to: u32) -> Result<(), NorError> {
        let mut state = self.0.borrow_mut();
        let bytes = to.checked_sub(from).ok_or(NorError::OutOfBounds)? as usize;
        state.range(from, bytes, SECTOR_BYTES as usize)?;
        (from..to).step_by(SECTOR_BYTES as usize).try_for_each(|sector| state.erase_sector(sector))
    }

    fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), NorError> {
        let mut state = self.0.borrow_mut();
        state.range(offset, bytes.len(), WORD_BYTES)?;
        (offset..)
            .step_by(WORD_BYTES)
            .zip(bytes.chunks(WORD_BYTES))
            .try_for_each(|(at, word)| state.write_word(at, word))
    }
}

impl MultiwriteNorFlash for NorSim {}

impl Flash for NorSim {
    fn mapped(&self, range: Range<u32>) -> Option<&'static [u8]> {
        let state = self.0.borrow();
        let range = usize::try_from(range.start).ok()?..usize::try_from(range.end).ok()?;
        let bytes = state.bytes.get(range)?;
        state.mapped.then(|| &*Box::leak(Box::<[u8]>::from(bytes)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_are_set_by_erasing_only() {
        let mut flash = NorSim::new(2);
        assert_eq!(flash.write(8, &[0x0f; 4]), Ok(()));
        assert_eq!(flash.write(8, &[0x0e; 4]), Ok(()));
        assert_eq!(flash.write(8, &[0x0f; 4]), Err(NorError::NotErased));
        assert_eq!(flash.erase(0, 4096), Ok(()));
        assert_eq!(flash.write(8, &[0xff; 4]), Ok(()));
        for (offset, bytes) in [(2, 4), (0, 3)] {
            assert_eq!(flash.write(offset, &[0xff; 4][..bytes]), Err(NorError::NotAligned));
        }
        assert_eq!(flash.erase(0, 100), Err(NorError::NotAligned));
        assert_eq!(flash.erase(0, 3 * 4096), Err(NorError::OutOfBounds));
        assert_eq!(flash.read(8192, &mut [0; 4]), Err(NorError::OutOfBounds));
    }

    #[test]
    fn a_cut_leaves_nothing_half_or_all_of_a_step() {
        for (torn, word, erased) in [(Torn::Nothing, 0xff, 0), (Torn::Half, 0x55, 2048), (Torn::All, 0, 4096)] {
            let mut flash = NorSim::new(1);
            flash.cut_power_after(1, torn);
            assert_eq!(flash.write(0, &[0; 8]), Err(NorError::WithoutPower));
            assert_eq!(flash.read(0, &mut [0; 4]), Err(NorError::WithoutPower));
            flash.power_on();
            assert_eq!(flash.content()[..8], [0, 0, 0, 0, word, word, word, word], "{torn:?}");
            flash.write(0, &[0; 4096]).unwrap();
            flash.cut_power_after(0, torn);
            assert_eq!(flash.erase(0, 4096), Err(NorError::WithoutPower));
            assert_eq!(flash.content().iter().filter(|byte| **byte == 0xff).count(), erased, "{torn:?}");
        }
    }
}
