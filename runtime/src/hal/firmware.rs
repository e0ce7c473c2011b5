//! Two places for firmware, of which the boot loader starts one.

use core::fmt;

/// One of the two places.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Slot {
    /// `ota_0`.
    First,
    /// `ota_1`.
    Second,
}

impl Slot {
    /// Returns the other one.
    #[must_use]
    pub const fn other(self) -> Self {
        match self {
            Self::First => Self::Second,
            Self::Second => Self::First,
        }
    }

    /// Returns 0 or 1.
    #[must_use]
    pub const fn index(self) -> u8 {
        match self {
            Self::First => 0,
            Self::Second => 1,
        }
    }
}

/// The flash refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FlashFailed;

impl fmt::Display for FlashFailed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the flash could not be written or read")
    }
}

impl core::error::Error for FlashFailed {}

/// The firmware slots of a board.
pub trait Firmware {
    /// Returns the chip's number as its boot loader checks it (ESP32-C6: 13).
    fn chip(&self) -> u16;

    /// Returns the slot this firmware runs from.
    fn running(&self) -> Slot;

    /// Returns the bytes of a slot.
    fn slot_bytes(&self) -> u32;

    /// Returns the bytes that are erased at once; slots begin and end with such a block.
    fn block_bytes(&self) -> u32;

    /// Erases the block that begins at `offset` of the slot that does not run.
    ///
    /// # Errors
    /// [`FlashFailed`].
    fn erase(&mut self, offset: u32) -> Result<(), FlashFailed>;

    /// Writes into erased bytes of the slot that does not run; `offset` and length are multiples of four, except at the
    /// end of an image.
    ///
    /// # Errors
    /// [`FlashFailed`].
    fn write(&mut self, offset: u32, data: &[u8]) -> Result<(), FlashFailed>;

    /// Reads from the slot that does not run.
    ///
    /// # Errors
    /// [`FlashFailed`].
    fn read(&mut self, offset: u32, buffer: &mut [u8]) -> Result<(), FlashFailed>;

    /// Lets the boot loader start `slot` from the next start on; atomic: after a power cut the old or the new choice holds.
    ///
    /// # Errors
    /// [`FlashFailed`].
    fn start_next(&mut self, slot: Slot) -> Result<(), FlashFailed>;
}
