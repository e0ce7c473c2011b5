//! The calls of the system that change files, so that tests can stop after any of them.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;

/// What changes files. Errors are the system's.
pub trait Disk {
    /// Makes one folder.
    ///
    /// # Errors
    /// As [`DirBuilder::create`].
    fn create_folder(&self, path: &Path, mode: u32) -> io::Result<()>;

    /// Makes a file that must not be there yet.
    ///
    /// # Errors
    /// As [`OpenOptions::open`].
    fn create_file(&self, path: &Path, mode: u32) -> io::Result<File>;

    /// Opens a file to append to it, making it where it is not there.
    ///
    /// # Errors
    /// As [`OpenOptions::open`].
    fn open_to_append(&self, path: &Path, mode: u32) -> io::Result<File>;

    /// Writes all of `data`.
    ///
    /// # Errors
    /// As [`Write::write_all`]; a part can have been written then.
    fn write(&self, file: &mut File, data: &[u8]) -> io::Result<()>;

    /// Cuts a file to `bytes`.
    ///
    /// # Errors
    /// As [`File::set_len`].
    fn cut(&self, file: &File, bytes: u64) -> io::Result<()>;

    /// Waits until what was written to a file lasts.
    ///
    /// # Errors
    /// As [`File::sync_all`].
    fn sync_file(&self, file: &File) -> io::Result<()>;

    /// Gives a file another name, in place of what had it.
    ///
    /// # Errors
    /// As [`fs::rename`].
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;

    /// Removes a file.
    ///
    /// # Errors
    /// As [`fs::remove_file`].
    fn remove_file(&self, path: &Path) -> io::Result<()>;

    /// Gives a file a second name, which must not be there yet.
    ///
    /// # Errors
    /// As [`fs::hard_link`].
    fn link(&self, from: &Path, to: &Path) -> io::Result<()>;

    /// Waits until everything lasts that was written to the file system of a folder: for many files, where waiting for
    /// each would take long.
    ///
    /// # Errors
    /// As syncfs(2).
    fn sync_all(&self, folder: &Path) -> io::Result<()>;

    /// Waits until the names in a folder last.
    ///
    /// # Errors
    /// As [`File::sync_all`].
    fn sync_folder(&self, path: &Path) -> io::Result<()>;
}

/// The system itself.
#[derive(Clone, Copy, Debug, Default)]
pub struct System;

impl Disk for System {
    fn create_folder(&self, path: &Path, mode: u32) -> io::Result<()> {
        DirBuilder::new().mode(mode).create(path)
    }

    fn create_file(&self, path: &Path, mode: u32) -> io::Result<File> {
        OpenOptions::new().write(true).create_new(true).mode(mode).open(path)
    }

    fn open_to_append(&self, path: &Path, mode: u32) -> io::Result<File> {
        OpenOptions::new().append(true).create(true).mode(mode).open(path)
    }

    fn write(&self, file: &mut File, data: &[u8]) -> io::Result<()> {
        file.write_all(data)
    }

    fn cut(&self, file: &File, bytes: u64) -> io::Result<()> {
        file.set_len(bytes)
    }

    fn sync_file(&self, file: &File) -> io::Result<()> {
        file.sync_all()
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)
    }

    fn remove_file(&self, path: &Path) -> io::Result<()> {
        fs::remove_file(path)
    }

    fn link(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::hard_link(from, to)
    }

    fn sync_all(&self, folder: &Path) -> io::Result<()> {
        rustix::fs::syncfs(File::open(folder)?)?;
        Ok(())
    }

    fn sync_folder(&self, path: &Path) -> io::Result<()> {
        File::open(path)?.sync_all()
    }
}
