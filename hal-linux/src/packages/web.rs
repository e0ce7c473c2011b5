//! Files of packages that were installed: pages and what else a web app needs.
//!
//! The core keeps `package.json` and the module; a host with a disk keeps all files below `skiff/web/`, each version in a
//! folder that its record names. They are there, and last, before that record is in force, and what no record names is
//! removed: served is always what belongs to the module that runs.

use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, Receiver, SendError, Sender};
use std::thread;

use skiff_runtime::gateway::{FilesWork, Gateway};
use skiff_runtime::package::store::{self, Slot};
use skiff_runtime::package::{Archive, WebFiles};
use skiff_runtime::plugin::ExchangeId;

use crate::hal::{Disk, Folder};
use crate::wake::Waker;

/// Where the folders lie, below the configuration folder.
pub const FOLDER: &str = "skiff/web";
/// A folder that is being filled; one that a stopped gateway left is removed.
pub(super) const UNFINISHED: &str = ".new";
const FOLDER_MODE: u32 = 0o755;
const FILE_MODE: u32 = 0o644;

/// Keeps the files of a version in the folder that its record names.
///
/// # Errors
/// Why they were not kept; nothing of them is left then.
pub fn keep<D: Disk>(config: &mut Folder<D>, files: &WebFiles) -> io::Result<()> {
    let root = config.root().join(FOLDER);
    let (new, place) = (root.join(UNFINISHED), root.join(&files.folder));
    // The same archive once more: what is served already is not touched.
    if place.is_dir() && is_served(config, files) {
        return Ok(());
    }
    remove_if_there(&new)?;
    remove_if_there(&place)?;
    let kept = fill(config.disk(), &root, &new, &files.archive).and_then(|()| {
        config.disk().rename(&new, &place)?;
        config.disk().sync_folder(&root)
    });
    if kept.is_err() {
        // What stays is removed at the next start.
        let _ = remove_if_there(&new);
    }
    kept
}

/// Tells whether the files are those of a version that has come to its end, and not of the one that is being staged.
fn is_served<D: Disk>(config: &mut Folder<D>, files: &WebFiles) -> bool {
    let mut names = |slot| store::describe(config, &files.id, slot).is_some_and(|found| found.folder == files.folder);
    names(Slot::InForce) || names(Slot::Before) || names(Slot::Waiting)
}

/// Writes all files of a package to a new folder, so that they last.
pub(super) fn fill<D: Disk>(disk: &D, root: &Path, new: &Path, archive: &Archive) -> io::Result<()> {
    make_folders(disk, root)?;
    disk.create_folder(new, FOLDER_MODE)?;
    for (path, data) in archive.files() {
        let path = new.join(path);
        if let Some(folder) = path.parent() {
            make_folders(disk, folder)?;
        }
        let mut file = disk.create_file(&path, FILE_MODE)?;
        disk.write(&mut file, data)?;
    }
    disk.sync_all(new)
}

/// Makes a folder and those above it that are not there.
pub(crate) fn make_folders<D: Disk>(disk: &D, folder: &Path) -> io::Result<()> {
    if folder.is_dir() {
        return Ok(());
    }
    if let Some(above) = folder.parent() {
        make_folders(disk, above)?;
    }
    disk.create_folder(folder, FOLDER_MODE)
}

/// Removes the folders of a plugin that no record names; none while a record cannot be read.
///
/// # Errors
/// What the system says.
pub fn sweep<D: Disk>(config: &mut Folder<D>, id: &str) -> io::Result<()> {
    let Some(named) = store::folders(config, id) else { return Ok(()) };
    for (folder, owner) in kept_folders(config.root()) {
        if owner == id && !named.contains(&folder) {
            remove_if_there(&config.root().join(FOLDER).join(folder))?;
        }
    }
    Ok(())
}

/// Removes every folder that no record names: what interrupted installations and removals left.
///
/// # Errors
/// What the system says.
pub fn sweep_all<D: Disk>(config: &mut Folder<D>) -> io::Result<()> {
    remove_if_there(&config.root().join(FOLDER).join(UNFINISHED))?;
    let mut ids: Vec<String> = kept_folders(config.root()).into_iter().map(|(_, id)| id).collect();
    ids.dedup();
    ids.iter().try_for_each(|id| sweep(config, id))
}

/// Returns the folders that are kept, each with the id of its plugin, sorted.
fn kept_folders(config: &Path) -> Vec<(String, String)> {
    let entries = fs::read_dir(config.join(FOLDER)).into_iter().flatten().flatten();
    let names = entries.filter_map(|entry| entry.file_name().into_string().ok()).filter(|name| !name.starts_with('.'));
    let mut found: Vec<(String, String)> = names
        .map(|name| {
            let id = name.rsplit_once('@').map_or(name.as_str(), |(id, _)| id).to_owned();
            (name, id)
        })
        .collect();
    found.sort();
    found
}

/// Returns name and folder of the package with this plugin id, as its record in force says.
#[must_use]
pub fn folder_of(config: &Path, id: &str) -> Option<(String, PathBuf)> {
    let found = store::describe(&mut Folder::new(config), id, Slot::InForce)?;
    Some((found.manifest.name().to_owned(), config.join(FOLDER).join(found.folder)))
}

/// Returns name and folder of each package whose record is in force, sorted by id.
#[must_use]
pub fn folders(config: &Path) -> Vec<(String, PathBuf)> {
    let ids = store::stored_ids(&mut Folder::new(config)).into_iter();
    ids.filter_map(|id| folder_of(config, &id)).collect()
}

/// Removes a folder with all in it, or a file, where there is one.
pub(crate) fn remove_if_there(folder: &Path) -> io::Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() == ErrorKind::NotADirectory => fs::remove_file(folder),
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Works with the files of packages beside the gateway's thread, one piece after another.
pub struct Keeper {
    work: Sender<FilesWork>,
    kept: Receiver<(ExchangeId, Result<(), String>)>,
}

impl Keeper {
    /// Starts its thread, which ends with it.
    ///
    /// # Errors
    /// The thread that could not be started.
    pub fn start(config: PathBuf, waker: Waker) -> io::Result<Self> {
        let ((work, todo), (done, kept)) = (mpsc::channel(), mpsc::channel());
        let mut config = Folder::new(config);
        thread::Builder::new().name("packages".into()).spawn(move || {
            while let Ok(work) = todo.recv() {
                match work {
                    FilesWork::Keep(exchange, files) => {
                        let kept = keep(&mut config, &files).map_err(|error| error.to_string());
                        if done.send((exchange, kept)).is_err() {
                            return;
                        }
                        waker.wake();
                    }
                    FilesWork::Sweep(id) => {
                        if let Err(error) = sweep(&mut config, &id) {
                            log::warn!("files of {id} that nobody needs were not removed: {error}");
                        }
                    }
                }
            }
        })?;
        Ok(Self { work, kept })
    }

    /// Takes work from the gateway, and gives it what is done.
    pub fn drive(&self, gateway: &mut Gateway) {
        while let Some(work) = gateway.next_files() {
            if let Err(SendError(FilesWork::Keep(exchange, _))) = self.work.send(work) {
                gateway.files_kept(exchange, Err("the thread for files has ended".into()));
            }
        }
        while let Ok((exchange, kept)) = self.kept.try_recv() {
            gateway.files_kept(exchange, kept);
        }
    }
}
