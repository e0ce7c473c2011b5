//! The layout of Skiff's own files in a configuration folder, and how those of an older one move over.
//!
//! `skiff/layout` holds the number of the layout; without it that is 1. Each step can be cut at any moment and is taken
//! again then; the number is written last.

use std::fmt;
use std::fs;
use std::io;

use skiff_runtime::budget::{Board, Limits};
use skiff_runtime::hal::{Key, Storage, StorageError};
use skiff_runtime::package::asks::grant_what_runs;
use skiff_runtime::package::store;

use crate::backup;
use crate::hal::{Disk, Folder};
use crate::packages::{self, folder, web};

/// Key of the file with the number.
pub const LAYOUT_FILE: &str = "skiff/layout";
/// The layout that this version writes: the files of a package lie in the folder that its record names, and what was
/// granted stands in `skiff/grants.json`.
const LAYOUT: u32 = 2;
/// Bytes of the file.
const BYTES_MAX: u32 = 64;

/// Why a folder cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LayoutError {
    /// A later version of Skiff has written it.
    Newer(u32),
    /// The file holds no number.
    Damaged,
    /// A backup was put in place in part: nobody may use the folder before the rest is, with what the system says.
    Restore(String),
    /// A step was not taken, with what the system says.
    Step(String),
}

impl fmt::Display for LayoutError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Newer(number) => {
                write!(f, "{LAYOUT_FILE} is {number}, of a later Skiff; this one knows {LAYOUT}: update it")
            }
            Self::Damaged => write!(f, "{LAYOUT_FILE}: no number; remove it, and the folder is looked through again"),
            Self::Restore(clause) => write!(f, "a backup was not put in place yet: {clause}; try again"),
            Self::Step(clause) => write!(f, "its files of an older layout were not moved: {clause}"),
        }
    }
}

impl std::error::Error for LayoutError {}

/// Reads the number of the layout.
fn number(folder: &mut dyn Storage) -> Result<u32, LayoutError> {
    let key = Key::parse(LAYOUT_FILE).map_err(|_| LayoutError::Damaged)?;
    match folder.read_all(&key, BYTES_MAX) {
        Ok(text) => {
            let text = std::str::from_utf8(&text).map_err(|_| LayoutError::Damaged)?;
            text.trim().parse().map_err(|_| LayoutError::Damaged)
        }
        Err(StorageError::NotFound) => Ok(1),
        Err(error) => Err(LayoutError::Step(error.to_string())),
    }
}

/// Tells whether the files have the layout of today; nothing changes.
///
/// # Errors
/// [`LayoutError`], as [`bring_up_to_date`] has it.
pub fn is_current(folder: &mut dyn Storage) -> Result<bool, LayoutError> {
    let number = number(folder)?;
    if number > LAYOUT { Err(LayoutError::Newer(number)) } else { Ok(number == LAYOUT) }
}

/// Moves the files of an older layout over; call it before anything else reads or writes the folder.
///
/// # Errors
/// [`LayoutError`]. [`LayoutError::Newer`] and [`LayoutError::Damaged`] mean that the folder must be left alone; after a
/// step that was not taken the folder can be used, and the step is tried again the next time.
pub fn bring_up_to_date<D: Disk>(config: &mut Folder<D>) -> Result<(), LayoutError> {
    // First of all: what was there before must not be read any more.
    backup::finish(config).map_err(|error| LayoutError::Restore(error.to_string()))?;
    let number = number(config)?;
    if number > LAYOUT {
        return Err(LayoutError::Newer(number));
    }
    if number == LAYOUT {
        return Ok(());
    }
    let step = |error: &dyn fmt::Display| LayoutError::Step(error.to_string());
    name_folders(config).map_err(|error| step(&error))?;
    let limits = Limits::of(Board::Linux).plugin;
    let found = folder::installed(config.root(), packages::module_bytes_max());
    grant_what_runs(config, &mut found.packages.iter(), limits.config_bytes_max).map_err(|error| step(&error))?;
    let key = Key::parse(LAYOUT_FILE).map_err(|_| LayoutError::Damaged)?;
    config.replace(&key, format!("{LAYOUT}\n").as_bytes()).map_err(|error| step(&error))
}

/// Gives the records of the layout before the name of a folder, and their files that folder: `skiff/web/<id>` moves
/// first, and a record that was not reached finds the same name again.
fn name_folders<D: Disk>(config: &mut Folder<D>) -> io::Result<()> {
    let failed = |error: store::StoreError| io::Error::other(error.to_string());
    for id in store::stored_ids(config) {
        // A damaged record stays what it is.
        let Ok(Some((name, record))) = store::with_tag(config, &id, folder::STORED_BYTES_MAX) else { continue };
        let root = config.root().join(web::FOLDER);
        let (before, now) = (root.join(&id), root.join(name));
        if fs::symlink_metadata(&before).is_ok_and(|found| found.is_dir()) && !now.exists() {
            config.disk().sync_all(&before)?;
            config.disk().rename(&before, &now)?;
            config.disk().sync_folder(&root)?;
        }
        store::save(config, &id, &record).map_err(failed)?;
    }
    Ok(())
}
