//! A disk whose power goes after any call, and what it loses then.
#![allow(dead_code)] // each test file uses its part

use std::cell::RefCell;
use std::fs::{self, File};
use std::io::{self, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use skiff_gateway::hal::{Disk, System};

/// What a disk loses of what nobody waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loss {
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
pub struct StoppingDisk(Rc<RefCell<Stopping>>);

impl StoppingDisk {
    /// Builds one whose power stays on.
    pub fn new(loss: Loss) -> Self {
        let state = Stopping { steps_left: None, stopped: false, loss, unsynced: Vec::new(), undo: Vec::new() };
        Self(Rc::new(RefCell::new(state)))
    }

    /// Lets the power go after so many calls; what was done before has lasted.
    pub fn cut_after(&self, steps: u32) {
        let mut state = self.0.borrow_mut();
        state.steps_left = Some(steps);
        state.unsynced.clear();
        state.undo.clear();
    }

    /// Brings the power back; true where it was gone.
    pub fn power_on(&self) -> bool {
        self.0.borrow_mut().power_on()
    }
}

struct Stopping {
    steps_left: Option<u32>,
    stopped: bool,
    loss: Loss,
    /// Files nobody waited for, and how long they were when somebody did.
    unsynced: Vec<(File, u64)>,
    /// Names nobody waited for, and what they stood for.
    undo: Vec<(PathBuf, Before)>,
}

/// What a name stood for.
enum Before {
    Nothing,
    /// A file with these bytes.
    File(Vec<u8>),
    /// Nothing: the folder had this name.
    FolderAt(PathBuf),
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
        let before = fs::read(path).map_or(Before::Nothing, Before::File);
        self.undo.push((path.to_path_buf(), before));
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
                    Before::File(content) => fs::write(path, content).unwrap(),
                    Before::FolderAt(from) => fs::rename(path, from).unwrap(),
                    Before::Nothing if path.is_dir() => fs::remove_dir_all(path).unwrap(),
                    Before::Nothing => drop(fs::remove_file(path)),
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
        if from.is_dir() {
            state.undo.push((to.to_path_buf(), Before::FolderAt(from.to_path_buf())));
            return System.rename(from, to);
        }
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

    fn link(&self, from: &Path, to: &Path) -> io::Result<()> {
        let mut state = self.0.borrow_mut();
        state.whole_step()?;
        state.remember(to);
        System.link(from, to)
    }

    fn sync_all(&self, _: &Path) -> io::Result<()> {
        let mut state = self.0.borrow_mut();
        state.whole_step()?;
        state.unsynced.clear();
        state.undo.clear();
        Ok(())
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
