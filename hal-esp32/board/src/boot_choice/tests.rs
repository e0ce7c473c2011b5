use std::vec;
use std::vec::Vec;

use embedded_storage::nor_flash::{ErrorType, NorFlashError, NorFlashErrorKind, ReadNorFlash};
use proptest::prelude::*;

use super::*;

/// The partition does not begin where the flash does.
const AT: u32 = 0xd000;

/// Flash whose power goes after some words: erasing and writing count a word at a time.
struct Chip {
    bytes: Vec<u8>,
    words_left: Option<usize>,
    /// Value of a word when the power goes while it changes.
    torn: u32,
}

#[derive(Debug)]
struct PowerWent;

impl NorFlashError for PowerWent {
    fn kind(&self) -> NorFlashErrorKind {
        NorFlashErrorKind::Other
    }
}

impl Chip {
    fn erased() -> Self {
        Self { bytes: vec![0xff; (AT + PARTITION_BYTES) as usize], words_left: None, torn: 0 }
    }

    fn with(first: [u8; RECORD_BYTES], second: [u8; RECORD_BYTES]) -> Self {
        let mut chip = Self::erased();
        chip.set(0, first);
        chip.set(1, second);
        chip
    }

    fn set(&mut self, sector: usize, record: [u8; RECORD_BYTES]) {
        let begin = AT as usize + sector * SECTOR_BYTES as usize;
        self.bytes[begin..begin + RECORD_BYTES].copy_from_slice(&record);
    }

    fn record(&self, sector: usize) -> &[u8] {
        let begin = AT as usize + sector * SECTOR_BYTES as usize;
        &self.bytes[begin..begin + RECORD_BYTES]
    }

    /// Changes a word, or a part of its bits where the power goes.
    fn change(&mut self, at: usize, new: u32) -> Result<(), PowerWent> {
        let word = &mut self.bytes[at..at + 4];
        let old = u32::from_le_bytes(word.try_into().expect("four bytes"));
        let goes = self.words_left == Some(0);
        self.words_left = self.words_left.map(|left| left.saturating_sub(1));
        let now = if goes { (old & !self.torn) | (new & self.torn) } else { new };
        word.copy_from_slice(&now.to_le_bytes());
        if goes { Err(PowerWent) } else { Ok(()) }
    }

    /// What the boot loader starts, told in another way than the module under test tells it: a list of slots, or none.
    fn boots(&self) -> usize {
        let mut best = None;
        for sector in 0..2 {
            let word = |index: usize| {
                u32::from_le_bytes(self.record(sector)[index * 4..index * 4 + 4].try_into().expect("four bytes"))
            };
            let crc = {
                let mut crc = 0_u32;
                for byte in word(0).to_le_bytes() {
                    crc ^= u32::from(byte);
                    for _ in 0..8 {
                        crc = if crc & 1 == 1 { (crc >> 1) ^ 0xedb8_8320 } else { crc >> 1 };
                    }
                }
                !crc
            };
            if word(0) != u32::MAX && word(6) != 3 && word(6) != 4 && word(7) == crc && best.is_none_or(|b| word(0) > b)
            {
                best = Some(word(0));
            }
        }
        best.map_or(0, |sequence| (sequence.wrapping_sub(1) % 2) as usize)
    }
}

impl ErrorType for Chip {
    type Error = PowerWent;
}

impl ReadNorFlash for Chip {
    const READ_SIZE: usize = 4;

    fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), PowerWent> {
        assert!(offset.is_multiple_of(4) && bytes.len().is_multiple_of(4) && offset >= AT);
        bytes.copy_from_slice(&self.bytes[offset as usize..offset as usize + bytes.len()]);
        Ok(())
    }

    fn capacity(&self) -> usize {
        self.bytes.len()
    }
}

impl NorFlash for Chip {
    const WRITE_SIZE: usize = 4;
    const ERASE_SIZE: usize = SECTOR_BYTES as usize;

    fn erase(&mut self, from: u32, to: u32) -> Result<(), PowerWent> {
        assert!(from.is_multiple_of(SECTOR_BYTES) && to == from + SECTOR_BYTES && from >= AT);
        // Only the words of the record matter here.
        (from as usize..from as usize + RECORD_BYTES).step_by(4).try_for_each(|at| self.change(at, u32::MAX))
    }

    fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), PowerWent> {
        assert!(offset.is_multiple_of(4) && bytes.len().is_multiple_of(4) && offset >= AT);
        for (at, word) in (offset as usize..).step_by(4).zip(bytes.chunks(4)) {
            assert_eq!(self.bytes[at..at + 4], [0xff; 4], "only erased words are written");
            self.change(at, u32::from_le_bytes(word.try_into().expect("four bytes")))?;
        }
        Ok(())
    }
}

fn slot(index: usize) -> Slot {
    if index == 0 { Slot::First } else { Slot::Second }
}

#[test]
fn a_record_has_the_bytes_that_esp_idf_writes() {
    // CRCs of the sequence numbers 1 and 2 as ESP-IDF's otatool writes them.
    let one = record(1);
    assert_eq!(one[..4], [1, 0, 0, 0]);
    assert_eq!(one[4..24], [0xff; 20]);
    assert_eq!(one[24..28], [2, 0, 0, 0]);
    assert_eq!(one[28..], [0x9a, 0x98, 0x43, 0x47]);
    assert_eq!(record(2)[28..], [0x74, 0x37, 0xf6, 0x55]);
}

#[test]
fn a_new_board_starts_the_first_slot_and_can_be_told_either() {
    for index in [0, 1] {
        let mut chip = Chip::erased();
        assert_eq!(chosen(&mut chip, AT), Ok(Slot::First));
        choose(&mut chip, AT, slot(index)).expect("chosen");
        assert_eq!((chosen(&mut chip, AT), chip.boots()), (Ok(slot(index)), index));
    }
}

#[test]
fn choices_go_to_and_fro_and_the_records_take_turns() {
    let mut chip = Chip::erased();
    for turn in 1..=9_usize {
        let before = [chip.record(0).to_vec(), chip.record(1).to_vec()];
        choose(&mut chip, AT, slot(turn % 2)).expect("chosen");
        assert_eq!((chosen(&mut chip, AT), chip.boots()), (Ok(slot(turn % 2)), turn % 2));
        let changed = [0, 1].map(|sector| chip.record(sector) != before[sector]);
        assert_eq!(changed, [turn % 2 == 1, turn % 2 == 0], "turn {turn}");
    }
}

#[test]
fn the_choice_that_holds_already_writes_nothing() {
    let mut chip = Chip::with(record(1), record(2));
    chip.words_left = Some(0);
    assert_eq!(choose(&mut chip, AT, Slot::Second), Ok(()));
    assert_eq!(choose(&mut chip, AT, Slot::First), Err(FlashFailed));
}

#[test]
fn damaged_records_do_not_stand_in_the_way() {
    let mut garbled = record(8);
    garbled[0] = 9;
    let mut given_up = record(8);
    given_up[24] = 4;
    for bad in [garbled, given_up, [0; RECORD_BYTES], [0xff; RECORD_BYTES]] {
        for (first, second, started) in [(bad, record(6), 1), (record(5), bad, 0), (bad, bad, 0)] {
            let mut chip = Chip::with(first, second);
            assert_eq!((chosen(&mut chip, AT), chip.boots()), (Ok(slot(started)), started));
            choose(&mut chip, AT, slot(1 - started)).expect("chosen");
            assert_eq!((chosen(&mut chip, AT), chip.boots()), (Ok(slot(1 - started)), 1 - started));
        }
    }
}

#[test]
fn sequence_numbers_that_are_used_up_are_an_error_and_the_old_choice_holds() {
    for last in [ERASED - 1, ERASED - 2] {
        let mut chip = Chip::with(record(last), [0xff; RECORD_BYTES]);
        let started = chip.boots();
        let done = choose(&mut chip, AT, slot(1 - started));
        assert_eq!(done.is_err(), last == ERASED - 1);
        assert_eq!(chip.boots(), if done.is_err() { started } else { 1 - started });
    }
}

proptest! {
    /// After a cut at any word, with any part of its bits changed, the boot loader starts what it started before or the
    /// new choice; and the next try succeeds.
    #[test]
    fn a_power_cut_leaves_the_old_or_the_new_choice(
        begin in 0_usize..5, target in 0_usize..2, words in 0_usize..17, torn in any::<u32>(),
    ) {
        let mut damaged = record(4);
        damaged[1] = 7;
        let mut chip = match begin {
            0 => Chip::erased(),
            1 => Chip::with(record(1), [0xff; RECORD_BYTES]),
            2 => Chip::with(record(3), record(2)),
            3 => Chip::with(record(3), damaged),
            _ => Chip::with(damaged, damaged),
        };
        let old = chip.boots();
        (chip.words_left, chip.torn) = (Some(words), torn);
        let done = choose(&mut chip, AT, slot(target));
        let now = chip.boots();
        prop_assert!(now == old || now == target);
        prop_assert_eq!(chosen(&mut chip, AT), Ok(slot(now)));
        if done.is_ok() {
            prop_assert_eq!(now, target);
        }
        chip.words_left = None;
        prop_assert_eq!(choose(&mut chip, AT, slot(target)), Ok(()));
        prop_assert_eq!(chip.boots(), target);
    }
}
