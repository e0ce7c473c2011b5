//! Puts an unpacked backup in place.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde_json::Value;
use skiff_runtime::hal::{Key, Storage, StorageError};

use super::{BackupError, FOLDER, NEW, OLD, READY};
use crate::hal::{Disk, Folder};
use crate::packages::web::{make_folders, remove_if_there};

/// Bytes of the list.
const READY_BYTES_MAX: u32 = 64 * 1024;

fn key() -> io::Result<Key> {
    Key::parse(READY).map_err(|error| io::Error::other(error.to_string()))
}

/// Has the next who takes the folder for itself put parts of what was unpacked in place: these of its names.
///
/// # Errors
/// [`BackupError`]; everything stays as it is then.
pub fn commit<D: Disk>(config: &mut Folder<D>, names: &[String]) -> Result<(), BackupError> {
    if !config.root().join(FOLDER).join(NEW).is_dir() {
        return Err(BackupError::NothingExamined);
    }
    let list = Value::from(names.to_vec()).to_string();
    let kept = config.replace(&key()?, list.as_bytes());
    kept.map_err(|error| BackupError::Disk(io::Error::other(error.to_string())))
}

/// Puts in place what was committed, and forgets what was unpacked and not. Call it before anything else reads or writes
/// the folder.
///
/// # Errors
/// What the system says; the next call goes on.
pub fn finish<D: Disk>(config: &mut Folder<D>) -> io::Result<()> {
    let root = config.root().join(FOLDER);
    if !root.exists() {
        return Ok(());
    }
    let wanted = match config.read_all(&key()?, READY_BYTES_MAX) {
        Ok(list) => serde_json::from_slice::<Vec<String>>(&list).map_err(io::Error::other)?,
        Err(StorageError::NotFound) => return remove_if_there(&root),
        Err(error) => return Err(io::Error::other(error.to_string())),
    };
    for part in parts(&root.join(NEW), &wanted)? {
        exchange(config, &root, &part)?;
    }
    // From here on nothing is exchanged any more: a later start must not put the files of today away.
    config.disk().remove_file(&config.root().join(READY))?;
    config.disk().sync_folder(&root)?;
    remove_if_there(&root)
}

/// Returns what is exchanged as a whole, by path: files and folders at the top, and those in `skiff/`.
fn parts(new: &Path, wanted: &[String]) -> io::Result<Vec<PathBuf>> {
    let is_wanted = |name: &str| wanted.iter().any(|wanted| wanted.trim_end_matches('/') == name);
    let mut parts = Vec::new();
    for name in names(new)? {
        if !is_wanted(&name) {
            continue;
        }
        if name == "skiff" {
            parts.extend(names(&new.join(&name))?.into_iter().map(|inner| Path::new("skiff").join(inner)));
        } else {
            parts.push(PathBuf::from(name));
        }
    }
    Ok(parts)
}

fn names(folder: &Path) -> io::Result<Vec<String>> {
    let listing = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        listing => listing?,
    };
    let mut names = Vec::new();
    for entry in listing {
        names.extend(entry?.file_name().into_string().ok());
    }
    names.sort();
    Ok(names)
}

/// Gives one part the place of what was there. A cut between the two renames leaves the place empty, and the next call
/// fills it.
fn exchange<D: Disk>(config: &Folder<D>, root: &Path, part: &Path) -> io::Result<()> {
    let (new, place, old) = (root.join(NEW).join(part), config.root().join(part), root.join(OLD).join(part));
    let disk = config.disk();
    if fs::symlink_metadata(&place).is_ok() {
        if let Some(folder) = old.parent() {
            make_folders(disk, folder)?;
        }
        // There only where somebody made the place again in between: what is put away is what is there now.
        remove_if_there(&old)?;
        disk.rename(&place, &old)?;
        sync_folder_of(disk, &old)?;
    }
    if let Some(folder) = place.parent() {
        make_folders(disk, folder)?;
    }
    disk.rename(&new, &place)?;
    sync_folder_of(disk, &place)?;
    sync_folder_of(disk, &new)
}

fn sync_folder_of<D: Disk>(disk: &D, path: &Path) -> io::Result<()> {
    path.parent().map_or(Ok(()), |folder| disk.sync_folder(folder))
}
