//! Files of packages that were installed over the network: pages and what else a web app needs.
//!
//! The core keeps `package.json` and the module; a host with a disk keeps the rest below `skiff/web/<id>/`.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use skiff_runtime::package::WebFiles;

use super::package_json;

/// Where the files lie, below the configuration folder.
const FOLDER: &str = "skiff/web";
/// A folder that is being filled; the gateway that was stopped meanwhile leaves it, the next one fills it anew.
const UNFINISHED: &str = ".new";

/// Keeps the files of a package in the place of those of the version before.
///
/// # Errors
/// Why they were not kept; the plugin itself does not need them.
pub fn keep(config: &Path, files: &WebFiles) -> io::Result<()> {
    let place = folder(config, &files.id).ok_or_else(|| io::Error::other("its name cannot stand in a file name"))?;
    let new = config.join(FOLDER).join(UNFINISHED);
    remove_if_there(&new)?;
    for file in files.archive.files() {
        let (path, data) = file.map_err(|error| io::Error::other(error.to_string()))?;
        let file = new.join(path);
        fs::create_dir_all(file.parent().unwrap_or(&new))?;
        fs::write(file, data)?;
    }
    remove_if_there(&place)?;
    fs::rename(&new, &place)
}

/// Forgets the files of a package.
///
/// # Errors
/// What the system says.
pub fn forget(config: &Path, id: &str) -> io::Result<()> {
    folder(config, id).map_or(Ok(()), |place| remove_if_there(&place))
}

/// Returns name and folder of each package whose files are kept, sorted by id.
#[must_use]
pub fn folders(config: &Path) -> Vec<(String, PathBuf)> {
    let entries = fs::read_dir(config.join(FOLDER)).into_iter().flatten().flatten();
    let mut found: Vec<(String, PathBuf)> = entries
        .filter(|entry| entry.file_name() != UNFINISHED)
        .filter_map(|entry| {
            let manifest = package_json(&entry.path())?;
            Some((manifest.get("name")?.as_str()?.to_owned(), entry.path()))
        })
        .collect();
    found.sort();
    found
}

/// Returns the folder of a plugin id, which must be one plain name.
fn folder(config: &Path, id: &str) -> Option<PathBuf> {
    let is_plain = !id.is_empty() && !id.starts_with('.') && !id.contains(['/', '\\', '\0']);
    is_plain.then(|| config.join(FOLDER).join(id))
}

fn remove_if_there(folder: &Path) -> io::Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
