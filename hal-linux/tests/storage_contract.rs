//! The one contract of storage, kept by each medium there is, and after a power cut at any step.

use std::cell::RefCell;
use std::fs::{self, File};
use std::io::{self, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use skiff_gateway::hal::{Disk, Folder, System};
use skiff_runtime::flash::nor::{NorSim, Torn};
use skiff_runtime::flash::{FlashStorage, Layout, SECTOR_BYTES};
use skiff_runtime::hal::Storage;
use skiff_runtime::hal::sim::contract;
use skiff_runtime::hal::sim::cuts::{Cuttable, storage_cuts};
use skiff_runtime::hal::sim::{PowerCut, SimStorage, Survivor};
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
        let state = Stopping { steps_left: None, stopped: false, loss, unsynced: Vec::new(), undo: Vec::new() };
        Self { folder: tempfile::tempdir().unwrap(), disk: StoppingDisk(Rc::new(RefCell::new(state))) }
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
        let mut state = self.disk.0.borrow_mut();
        state.steps_left = Some(steps);
        // What was done before has lasted.
        state.unsynced.clear();
        state.undo.clear();
    }

    fn power_on(&mut self) -> bool {
        self.disk.0.borrow_mut().power_on()
    }
}

/// What a disk loses of what nobody waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Loss {
    /// Nothing: the system had written it anyway.
    Nothing,
    /// Half of each file's new bytes.
    Bytes,
    /// New names, and names that were given up come back.
    Names,
    /// Both.
    All,
}

/// A disk whose power goes after this many calls.
#[derive(Clone)]
struct StoppingDisk(Rc<RefCell<Stopping>>);

struct Stopping {
    steps_left: Option<u32>,
    stopped: bool,
    loss: Loss,
    /// Files nobody waited for, and how long they were when somebody did.
    unsynced: Vec<(File, u64)>,
    /// Names nobody waited for, and what they stood for: a file's bytes, nothing.
    undo: Vec<(PathBuf, Option<Vec<u8>>)>,
}

fn power_off() -> io::Error {
    io::Error::other("the power is off")
}

impl Stopping {
    /// Counts a call; `false` when the power goes in it.
    fn step(&mut self) -> io::Result<bool> {
        if self.stopped {
            return Err(power_off());
        }
        match &mut self.steps_left {
            Some(0) => {
                self.stopped = true;
                Ok(false)
            }
            Some(left) => {
                *left -= 1;
                Ok(true)
            }
            None => Ok(true),
        }
    }

    /// A call whose last moment the power goes in is not done at all.
    fn whole_step(&mut self) -> io::Result<()> {
        if self.step()? { Ok(()) } else { Err(power_off()) }
    }

    fn remember(&mut self, path: &Path) {
        self.undo.push((path.to_path_buf(), fs::read(path).ok()));
    }

    fn file_changes(&mut self, file: &File) -> io::Result<()> {
        let inode = file.metadata()?.ino();
        for (other, _) in &self.unsynced {
            if other.metadata()?.ino() == inode {
                return Ok(());
            }
        }
        self.unsynced.push((file.try_clone()?, file.metadata()?.len()));
        Ok(())
    }

    fn power_on(&mut self) -> bool {
        if matches!(self.loss, Loss::Bytes | Loss::All) {
            for (file, synced) in &self.unsynced {
                let bytes = file.metadata().unwrap().len();
                file.set_len(synced + bytes.saturating_sub(*synced) / 2).unwrap();
            }
        }
        if matches!(self.loss, Loss::Names | Loss::All) {
            for (path, content) in self.undo.iter().rev() {
                match content {
                    Some(content) => fs::write(path, content).unwrap(),
                    None if path.is_dir() => fs::remove_dir_all(path).unwrap(),
                    None => drop(fs::remove_file(path)),
                }
            }
        }
        let was_cut = self.stopped;
        (self.steps_left, self.stopped) = (None, false);
        self.unsynced.clear();
        self.undo.clear();
        was_cut
    }
}

impl Disk for StoppingDisk {
    fn create_folder(&self, path: &Path, mode: u32) -> io::Result<()> {
        let mut state = self.0.borrow_mut();
        state.whole_step()?;
        state.remember(path);
        System.create_folder(path, mode)
    }

    fn create_file(&self, path: &Path, mode: u32) -> io::Result<File> {
        let mut state = self.0.borrow_mut();
        state.whole_step()?;
        state.remember(path);
        let file = System.create_file(path, mode)?;
        state.file_changes(&file)?;
        Ok(file)
    }

    fn open_to_append(&self, path: &Path, mode: u32) -> io::Result<File> {
        let mut state = self.0.borrow_mut();
        state.whole_step()?;
        if !path.exists() {
            state.remember(path);
        }
        System.open_to_append(path, mode)
    }

    fn write(&self, file: &mut File, data: &[u8]) -> io::Result<()> {
        let mut state = self.0.borrow_mut();
        let whole = state.step()?;
        state.file_changes(file)?;
        if whole {
            return file.write_all(data);
        }
        file.write_all(&data[..data.len() / 2])?;
        Err(power_off())
    }

    fn cut(&self, file: &File, bytes: u64) -> io::Result<()> {
        self.0.borrow_mut().whole_step()?;
        System.cut(file, bytes)
    }

    fn sync_file(&self, file: &File) -> io::Result<()> {
        let mut state = self.0.borrow_mut();
        state.whole_step()?;
        let inode = file.metadata()?.ino();
        state.unsynced.retain(|(other, _)| other.metadata().is_ok_and(|other| other.ino() != inode));
        Ok(())
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let mut state = self.0.borrow_mut();
        state.whole_step()?;
        // Its own name comes back only where that is not the temporary one.
        if state.undo.iter().all(|(path, _)| path != from) {
            state.remember(from);
        }
        state.remember(to);
        System.rename(from, to)
    }

    fn remove_file(&self, path: &Path) -> io::Result<()> {
        let mut state = self.0.borrow_mut();
        state.whole_step()?;
        state.remember(path);
        System.remove_file(path)
    }

    fn sync_folder(&self, path: &Path) -> io::Result<()> {
        let mut state = self.0.borrow_mut();
        state.whole_step()?;
        state.undo.retain(|(other, _)| {
            other.parent().is_some_and(|folder| folder.canonicalize().ok() != path.canonicalize().ok())
        });
        Ok(())
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
