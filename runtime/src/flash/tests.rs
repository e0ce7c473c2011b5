//! The storage over simulated flash.

use std::boxed::Box;
use std::string::{String, ToString};
use std::vec;
use std::vec::Vec;

use proptest::prelude::*;

use super::nor::{NorSim, Torn};
use super::*;
use crate::hal::sim::{contract, cuts};
use crate::hal::{Key, Storage, StorageError};

const SECTORS: u16 = 24;

fn layout() -> Layout {
    Layout { records: 0..8 * SECTOR_BYTES, images: 8 * SECTOR_BYTES..u32::from(SECTORS) * SECTOR_BYTES }
}

fn mount(flash: &NorSim) -> FlashStorage<NorSim> {
    FlashStorage::mount(flash.clone(), &layout()).unwrap()
}

fn key(text: &str) -> Key {
    Key::parse(text).unwrap()
}

struct Medium {
    flash: NorSim,
    torn: Torn,
}

impl cuts::Cuttable for Medium {
    fn blank(&mut self) {
        self.flash = NorSim::new(SECTORS);
    }

    fn mount(&mut self) -> Result<Box<dyn Storage>, String> {
        match FlashStorage::mount(self.flash.clone(), &layout()) {
            Ok(storage) => Ok(Box::new(storage)),
            Err(error) => Err(error.to_string()),
        }
    }

    fn cut_after(&mut self, steps: u32) {
        self.flash.cut_power_after(steps, self.torn);
    }

    fn power_on(&mut self) -> bool {
        let was_cut = self.flash.is_without_power();
        self.flash.power_on();
        was_cut
    }
}

#[test]
fn keeps_the_storage_contract() {
    contract::storage(&mut mount(&NorSim::new(SECTORS))).unwrap();
}

#[test]
fn survives_a_cut_after_every_word() {
    for torn in [Torn::Nothing, Torn::Half, Torn::All] {
        let mut medium = Medium { flash: NorSim::new(SECTORS), torn };
        let cuts = cuts::storage_cuts(&mut medium, 0).unwrap_or_else(|clause| panic!("{torn:?}: {clause}"));
        assert!(cuts > 1000, "{cuts}");
    }
}
