//! The calls of the system that change files, so that tests can stop after any of them.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, fchown};
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

/// Gives what root has just made to whom the folder around it belongs: `sudo skiff plugin install` on the folder of a service
/// must leave nothing there that the service cannot read. By the open file: a name could be another's by now.
fn keep_owner(made: &File, path: &Path) -> io::Result<()> {
    if !rustix::process::geteuid().is_root() {
        return Ok(());
    }
    let Some(around) = path.parent().and_then(|folder| fs::metadata(folder).ok()) else { return Ok(()) };
    match around.uid() {
        0 => Ok(()),
        owner => fchown(made, Some(owner), Some(around.gid())),
    }
}

/// The system itself.
#[derive(Clone, Copy, Debug, Default)]
pub struct System;

impl Disk for System {
    fn create_folder(&self, path: &Path, mode: u32) -> io::Result<()> {
        DirBuilder::new().mode(mode).create(path)?;
        let flags = rustix::fs::OFlags::DIRECTORY | rustix::fs::OFlags::NOFOLLOW;
        let flags = i32::try_from(flags.bits()).unwrap_or_default();
        keep_owner(&OpenOptions::new().read(true).custom_flags(flags).open(path)?, path)
    }

    fn create_file(&self, path: &Path, mode: u32) -> io::Result<File> {
        let file = OpenOptions::new().write(true).create_new(true).mode(mode).open(path)?;
        keep_owner(&file, path)?;
        Ok(file)
    }

    fn open_to_append(&self, path: &Path, mode: u32) -> io::Result<File> {
        match OpenOptions::new().append(true).create_new(true).mode(mode).open(path) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => OpenOptions::new().append(true).open(path),
            Err(error) => Err(error),
            Ok(file) => {
                keep_owner(&file, path)?;
                Ok(file)
            }
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_root_makes_in_a_folder_of_somebody_is_that_persons() {
        if !rustix::process::geteuid().is_root() {
            println!("SKIPPED: only root can make files for others");
            return;
        }
        let home = tempfile::tempdir().unwrap();
        let owner = |name: &str| {
            let made = fs::symlink_metadata(home.path().join(name)).unwrap();
            (made.uid(), made.gid())
        };
        System.create_file(&home.path().join("roots"), 0o600).unwrap();
        assert_eq!(owner("roots").0, 0);
        std::os::unix::fs::chown(home.path(), Some(1234), Some(5678)).unwrap();
        System.create_folder(&home.path().join("folder"), 0o700).unwrap();
        System.create_file(&home.path().join("folder/file"), 0o600).unwrap();
        System.open_to_append(&home.path().join("appended"), 0o600).unwrap();
        for name in ["folder", "folder/file", "appended"] {
            assert_eq!(owner(name), (1234, 5678), "{name}");
        }
        // What was there before is not given away.
        System.open_to_append(&home.path().join("roots"), 0o600).unwrap();
        assert_eq!(owner("roots").0, 0);
    }
}
