//! Which firmware slot the boot loader starts: its two records in the partition `otadata`.
//!
//! Each record has a sector of its own. The boot loader takes the valid one with the higher sequence number, and starts
//! slot `(sequence - 1) % 2`; without a valid one it starts the first slot (ESP-IDF, "Over The Air Updates", "OTA data
//! partition"). A new choice goes into the sector that does *not* decide, and its sequence number is written last, so
//! that the choice from before holds until the new record is whole, whenever the power goes.

use embedded_storage::nor_flash::NorFlash;
use skiff_runtime::crc32::Crc32;
use skiff_runtime::hal::{FlashFailed, Slot};

/// Bytes of a sector, which are erased at once.
pub const SECTOR_BYTES: u32 = 4096;
/// Bytes of the partition.
pub const PARTITION_BYTES: u32 = 2 * SECTOR_BYTES;

/// Bytes of a record: sequence number, a label that nobody reads (20 bytes), state, CRC-32 of the sequence number.
const RECORD_BYTES: usize = 32;
/// Bytes of the sequence number.
const SEQUENCE_BYTES: usize = 4;
/// The sequence number of erased flash.
const ERASED: u32 = u32::MAX;
/// State "valid" (`ESP_OTA_IMG_VALID`): the boot loader shall start it without a trial of its own.
const VALID: u32 = 2;
/// States that the boot loader passes over: "invalid" and "aborted".
const PASSED_OVER: [u32; 2] = [3, 4];
/// Slots that the sequence number counts through.
const SLOTS: u32 = 2;

/// Returns the slot that the boot loader starts; `at` is where the partition begins.
///
/// # Errors
/// [`FlashFailed`] where the flash cannot be read.
pub fn chosen<F: NorFlash>(flash: &mut F, at: u32) -> Result<Slot, FlashFailed> {
    Ok(deciding(flash, at)?.map_or(Slot::First, |(_, sequence)| slot_of(sequence)))
}

/// Lets the boot loader start `slot` from the next start on.
///
/// # Errors
/// [`FlashFailed`] where the flash refuses, or reads back something else: the choice from before holds. Also once the
/// sequence numbers are used up, long after the flash is worn out.
pub fn choose<F: NorFlash>(flash: &mut F, at: u32, slot: Slot) -> Result<(), FlashFailed> {
    let (sector, sequence) = match deciding(flash, at)? {
        Some((_, sequence)) if slot_of(sequence) == slot => return Ok(()),
        Some((sector, sequence)) => (1 - sector, sequence.checked_add(1).ok_or(FlashFailed)?),
        None => (0, u32::from(slot.index()) + 1),
    };
    if sequence == ERASED {
        return Err(FlashFailed);
    }
    let record = record(sequence);
    let begin = at + sector * SECTOR_BYTES;
    flash.erase(begin, begin + SECTOR_BYTES).map_err(|_| FlashFailed)?;
    // Without its sequence number a record is none, so that this comes last.
    let (number, rest) = record.split_at(SEQUENCE_BYTES);
    flash.write(begin + SEQUENCE_BYTES as u32, rest).map_err(|_| FlashFailed)?;
    flash.write(begin, number).map_err(|_| FlashFailed)?;
    if read(flash, begin)? == Some(sequence) { Ok(()) } else { Err(FlashFailed) }
}

/// Returns sector and sequence number of the record that decides.
fn deciding<F: NorFlash>(flash: &mut F, at: u32) -> Result<Option<(u32, u32)>, FlashFailed> {
    let first = read(flash, at)?.map(|sequence| (0, sequence));
    let second = read(flash, at + SECTOR_BYTES)?.map(|sequence| (1, sequence));
    Ok(match (first, second) {
        // Of two that are equal, the boot loader takes the first.
        (Some(first), Some(second)) if second.1 > first.1 => Some(second),
        (first, second) => first.or(second),
    })
}

/// Returns the sequence number of a record, if the boot loader believes it.
fn read<F: NorFlash>(flash: &mut F, begin: u32) -> Result<Option<u32>, FlashFailed> {
    let mut bytes = [0; RECORD_BYTES];
    flash.read(begin, &mut bytes).map_err(|_| FlashFailed)?;
    let (words, _) = bytes.as_chunks::<4>();
    let &[sequence, _, _, _, _, _, state, crc] = words else { return Ok(None) };
    let (sequence, state, crc) = (u32::from_le_bytes(sequence), u32::from_le_bytes(state), u32::from_le_bytes(crc));
    let is_believed = sequence != ERASED && !PASSED_OVER.contains(&state) && crc == crc_of(sequence);
    Ok(is_believed.then_some(sequence))
}

/// Returns the bytes of a record.
fn record(sequence: u32) -> [u8; RECORD_BYTES] {
    let mut bytes = [0xff; RECORD_BYTES];
    let (words, _) = bytes.as_chunks_mut::<4>();
    if let [number, _, _, _, _, _, state, crc] = words {
        *number = sequence.to_le_bytes();
        *state = VALID.to_le_bytes();
        *crc = crc_of(sequence).to_le_bytes();
    }
    bytes
}

/// The ROM's `crc32_le` begins with all bits set where the usual CRC-32 begins with none.
fn crc_of(sequence: u32) -> u32 {
    Crc32::after(u32::MAX).with(&sequence.to_le_bytes()).sum()
}

/// The boot loader's rule; a sequence number of zero counts as the one before one.
fn slot_of(sequence: u32) -> Slot {
    if sequence.wrapping_sub(1).is_multiple_of(SLOTS) { Slot::First } else { Slot::Second }
}

#[cfg(test)]
mod tests;
