//! What the boot loader of ESP-IDF does with the flash before the firmware runs: it reads the partition table, chooses a
//! slot by `otadata`, checks the image, maps what lies in flash and copies what belongs into RAM.
//!
//! Sources: ESP-IDF "Application Startup Flow" and "Over The Air Updates"; the image's format: esptool, "Firmware Image
//! Format". The loader that ships is not executed here.

use sha2::{Digest, Sha256};

use crate::bus::{Bus, MAPPED, PAGE_BYTES, VALID};
use crate::cpu::Fault;

const TABLE: usize = 0x8000;
const ENTRY_BYTES: usize = 32;
const SECTOR: usize = 4096;

/// What was started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Started {
    /// Number of the slot.
    pub slot: usize,
    /// First instruction.
    pub entry: u32,
}

/// Loads the firmware.
///
/// # Errors
/// That no slot has an image that can be used.
pub fn load(bus: &mut Bus) -> Result<Started, Fault> {
    let (slots, choice) = partitions(&bus.flash.bytes)?;
    let wanted = chosen(&bus.flash.bytes, choice, slots.len());
    let mut why = String::new();
    for turn in 0..slots.len() {
        // One that cannot be used is passed over for the next.
        let slot = (wanted + turn) % slots.len();
        match image(bus, slots[slot]) {
            Ok(entry) => return Ok(Started { slot, entry }),
            Err(error) => why += &format!("slot {slot}: {error}; "),
        }
    }
    Err(format!("no slot can be started: {why}"))
}

fn word(bytes: &[u8], at: usize) -> u32 {
    bytes.get(at..).and_then(|bytes| bytes.first_chunk()).map_or(u32::MAX, |bytes| u32::from_le_bytes(*bytes))
}

/// Returns where the slots begin, and where the choice lies.
fn partitions(flash: &[u8]) -> Result<(Vec<usize>, usize), Fault> {
    let (mut slots, mut choice) = (Vec::new(), None);
    for entry in flash[TABLE..TABLE + 0xc00].chunks(ENTRY_BYTES).take_while(|entry| entry.starts_with(&[0xaa, 0x50])) {
        match (entry[2], entry[3]) {
            (0, 0x10..0x20) => slots.push(word(entry, 4) as usize),
            (1, 0) => choice = Some(word(entry, 4) as usize),
            _ => {}
        }
    }
    let choice = choice.filter(|_| !slots.is_empty()).ok_or("the partition table has no slots, or no otadata")?;
    Ok((slots, choice))
}

/// The slot of the higher sequence number of two records whose checksum is right; the first slot without one.
fn chosen(flash: &[u8], choice: usize, slots: usize) -> usize {
    let record = |index: usize| {
        let at = choice + index * SECTOR;
        let (sequence, state, sum) = (word(flash, at), word(flash, at + 24), word(flash, at + 28));
        let is_usable = sequence != u32::MAX && !matches!(state, 3 | 4);
        (is_usable && sum == crc(&sequence.to_le_bytes())).then_some(sequence)
    };
    let highest = [record(0), record(1)].into_iter().flatten().max();
    highest.map_or(0, |sequence| (sequence.wrapping_sub(1) as usize) % slots)
}

/// `esp_rom_crc32_le(UINT32_MAX, …)`.
fn crc(bytes: &[u8]) -> u32 {
    let mut crc = 0_u32;
    for byte in bytes {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = if crc & 1 == 1 { crc >> 1 ^ 0xedb8_8320 } else { crc >> 1 };
        }
    }
    !crc
}

/// Checks and loads the image of a slot.
fn image(bus: &mut Bus, slot: usize) -> Result<u32, Fault> {
    let flash = bus.flash.bytes.clone();
    let header = &flash[slot..slot + 24];
    if header[0] != 0xe9 {
        return Err("no image".into());
    }
    let mut at = slot + 24;
    let mut sum = 0xef_u8;
    let mut segments = Vec::new();
    for _ in 0..header[1] {
        let (address, bytes) = (word(&flash, at), word(&flash, at + 4) as usize);
        let data = flash.get(at + 8..at + 8 + bytes).ok_or("a segment is longer than the flash")?;
        sum = data.iter().fold(sum, |sum, byte| sum ^ byte);
        segments.push((address, at + 8, bytes));
        at += 8 + bytes;
    }
    let end = (at - slot + 1).next_multiple_of(16) + slot;
    if flash.get(end - 1) != Some(&sum) {
        return Err("its checksum is wrong".into());
    }
    let hash = Sha256::digest(&flash[slot..end]);
    if header[23] == 1 && flash.get(end..end + 32) != Some(hash.as_slice()) {
        return Err("its hash is wrong".into());
    }
    for (address, from, bytes) in segments {
        if (MAPPED..MAPPED + 0x100_0000).contains(&address) {
            let page = (address - MAPPED) / PAGE_BYTES;
            let pages = (address % PAGE_BYTES + bytes as u32).div_ceil(PAGE_BYTES);
            for index in 0..pages {
                bus.map[(page + index) as usize] = (from as u32 / PAGE_BYTES + index) | VALID;
            }
        } else if address != 0 {
            // What is for no address fills up to the next page.
            for (offset, byte) in (0..).zip(&flash[from..from + bytes]) {
                bus.write8(address + offset, *byte)?;
            }
        }
    }
    Ok(word(header, 4))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_higher_number_with_a_right_sum_is_chosen() {
        let mut flash = vec![0xff; 3 * SECTOR];
        assert_eq!(chosen(&flash, 0, 2), 0, "none");
        let mut record = |index: usize, sequence: u32, sum: u32| {
            flash[index * SECTOR..index * SECTOR + 4].copy_from_slice(&sequence.to_le_bytes());
            flash[index * SECTOR + 28..index * SECTOR + 32].copy_from_slice(&sum.to_le_bytes());
            chosen(&flash, 0, 2)
        };
        // The sums of 1 and 2 as `otatool.py` of ESP-IDF writes them.
        assert_eq!(record(0, 1, 0x4743_989a), 0);
        assert_eq!(record(1, 2, 0x55f6_3774), 1);
        assert_eq!(record(1, 2, 0), 0, "cut while it was written");
    }
}
