//! The one contract of storage, kept by each medium there is, and after a power cut at any step.

mod stopping_disk;

use skiff_gateway::hal::Folder;
use skiff_runtime::flash::nor::{NorSim, Torn};
use skiff_runtime::flash::{FlashStorage, Layout, SECTOR_BYTES};
use skiff_runtime::hal::Storage;
use skiff_runtime::hal::sim::contract;
use skiff_runtime::hal::sim::cuts::{Cuttable, storage_cuts};
use skiff_runtime::hal::sim::{PowerCut, SimStorage, Survivor};
use stopping_disk::{Loss, StoppingDisk};
use tempfile::TempDir;

/// What the core calls a simulated medium: a step is a write.
struct Simulated {
    medium: SimStorage,
    leaves: Survivor,
}

impl Cuttable for Simulated {
    fn blank(&mut self) {
        self.medium = SimStorage::new();
    }

    fn mount(&mut self) -> Result<Box<dyn Storage>, String> {
        Ok(Box::new(self.medium.clone()))
    }

    fn cut_after(&mut self, steps: u32) {
        self.medium.cut_power(PowerCut { after_writes: steps, leaves: self.leaves });
    }

    fn power_on(&mut self) -> bool {
        let was_cut = self.medium.is_without_power();
        self.medium.power_on();
        was_cut
    }
}

/// Flash: a step is a word that is written or a sector that is erased.
struct Flash {
    flash: NorSim,
    torn: Torn,
}

const FLASH_SECTORS: u16 = 24;

impl Cuttable for Flash {
    fn blank(&mut self) {
        self.flash = NorSim::new(FLASH_SECTORS);
    }

    fn mount(&mut self) -> Result<Box<dyn Storage>, String> {
        let records = 0..8 * SECTOR_BYTES;
        let layout = Layout { images: records.end..u32::from(FLASH_SECTORS) * SECTOR_BYTES, records };
        match FlashStorage::mount(self.flash.clone(), &layout) {
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

/// The folder of Linux: a step is a call of the system that changes files.
struct Linux {
    folder: TempDir,
    disk: StoppingDisk,
}

impl Linux {
    fn new(loss: Loss) -> Self {
        Self { folder: tempfile::tempdir().unwrap(), disk: StoppingDisk::new(loss) }
    }
}

impl Cuttable for Linux {
    fn blank(&mut self) {
        self.folder = tempfile::tempdir().unwrap();
    }

    fn mount(&mut self) -> Result<Box<dyn Storage>, String> {
        Ok(Box::new(Folder::on(self.disk.clone(), self.folder.path().join("config"))))
    }

    fn cut_after(&mut self, steps: u32) {
        self.disk.cut_after(steps);
    }

    fn power_on(&mut self) -> bool {
        self.disk.power_on()
    }
}

#[test]
fn every_medium_keeps_the_contract() {
    let mut media: Vec<Box<dyn Cuttable>> = vec![
        Box::new(Simulated { medium: SimStorage::new(), leaves: Survivor::Old }),
        Box::new(Flash { flash: NorSim::new(FLASH_SECTORS), torn: Torn::Nothing }),
        Box::new(Linux::new(Loss::Nothing)),
    ];
    for medium in &mut media {
        contract::storage(&mut *medium.mount().unwrap()).unwrap();
    }
}

#[test]
fn the_simulated_medium_survives_a_cut_in_every_write() {
    for leaves in [Survivor::Old, Survivor::New, Survivor::Part] {
        let mut medium = Simulated { medium: SimStorage::new(), leaves };
        let cuts = storage_cuts(&mut medium, 0).unwrap_or_else(|clause| panic!("{leaves:?}: {clause}"));
        println!("simulated, {leaves:?}: {cuts} cuts");
        assert!(cuts >= 20, "{cuts}");
    }
}

#[test]
fn the_folder_survives_a_cut_after_every_call() {
    for loss in [Loss::Nothing, Loss::Bytes, Loss::Names, Loss::All] {
        let mut medium = Linux::new(loss);
        let cuts = storage_cuts(&mut medium, 0).unwrap_or_else(|clause| panic!("{loss:?}: {clause}"));
        println!("folder, loses {loss:?}: {cuts} cuts");
        assert!(cuts >= 60, "{cuts}");
    }
}

#[test]
fn flash_survives_a_cut_after_every_word() {
    // What stands before differs, so that in some sequences sectors are moved and erased.
    for (rounds, torn) in [(0, Torn::Half), (3, Torn::Nothing), (3, Torn::Half), (3, Torn::All)] {
        let mut medium = Flash { flash: NorSim::new(FLASH_SECTORS), torn };
        let cuts = storage_cuts(&mut medium, rounds).unwrap_or_else(|clause| panic!("{torn:?}: {clause}"));
        println!("flash, {torn:?}, {rounds} rounds before: {cuts} cuts");
        assert!(cuts > if rounds > 0 { 5500 } else { 5000 }, "{cuts}");
    }
}
