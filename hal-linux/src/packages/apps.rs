//! Web apps without a plugin, installed by Skiff: their files below `skiff/app-files/`, each version in a folder of its own.
//!
//! The files are there, and last, before the record names their folder; what no record names is removed. A cut at any
//! moment leaves the version before in force, with its own files.

use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use skiff_runtime::hal::Storage;
use skiff_runtime::package::apps::{self, APP_FILES_FOLDER, APPS_MAX, App, AppError, IncomingApp};
use skiff_runtime::package::{Asks, Clash, asks, plugin_id, store};

use super::folder;
use super::web::{UNFINISHED, fill, remove_if_there};
use crate::hal::{Disk, Folder};

/// Why a web app was not installed.
#[derive(Debug)]
pub enum KeepError {
    /// It is none, or none that is taken.
    App(AppError),
    /// The folder did not take it, with what the system says.
    Disk(String),
}

impl fmt::Display for KeepError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::App(error) => error.fmt(f),
            Self::Disk(text) => write!(f, "its files were not kept: {text}"),
        }
    }
}

impl std::error::Error for KeepError {}

/// A web app that was installed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// Its record.
    pub app: App,
    /// It also has a plugin in JavaScript, which is not run.
    pub has_node_plugin: bool,
    /// Nobody has granted `webapp` to it: it is not served.
    pub asks: Asks,
}

/// Installs a web app, in place of the version before.
///
/// # Errors
/// [`KeepError`]; the version before is in force then.
pub fn keep<D: Disk>(config: &mut Folder<D>, tgz: &[u8]) -> Result<Kept, KeepError> {
    let IncomingApp { app, has_node_plugin, archive } = IncomingApp::read(tgz).map_err(KeepError::App)?;
    check_place(config, &app)?;
    let disk = |error: &dyn fmt::Display| KeepError::Disk(error.to_string());
    let root = config.root().join(APP_FILES_FOLDER);
    let (new, place) = (root.join(UNFINISHED), root.join(&app.folder));
    // The same archive once more: what is served already is not touched.
    let is_served = apps::find(config, &app.id()).is_some_and(|before| before.folder == app.folder) && place.is_dir();
    if !is_served {
        let kept = remove_if_there(&new).and_then(|()| remove_if_there(&place)).and_then(|()| {
            fill(config.disk(), &root, &new, &archive)?;
            config.disk().rename(&new, &place)?;
            config.disk().sync_folder(&root)
        });
        if let Err(error) = kept {
            // What stays is removed at the next start.
            let _ = remove_if_there(&new);
            return Err(disk(&error));
        }
    }
    apps::save(config, &app).map_err(|error| disk(&error))?;
    tidy(config, &app.id());
    let asks = missing(config, &app.name);
    Ok(Kept { app, has_node_plugin, asks })
}

/// Refuses one whose id is another package's, and one too many.
fn check_place<D: Disk>(config: &mut Folder<D>, app: &App) -> Result<(), KeepError> {
    let id = app.id();
    let before = apps::find(config, &id);
    let plugin = store::name(config, &id);
    let others = before.as_ref().map(|other| other.name.clone()).into_iter().chain(plugin);
    if let Some(clash) = others.filter_map(|other| Clash::between(&app.name, &other)).next() {
        return Err(KeepError::App(AppError::Clash(clash)));
    }
    if before.is_none() && apps::list(config).len() >= APPS_MAX {
        return Err(KeepError::App(AppError::TooMany));
    }
    Ok(())
}

/// Returns what a web app lacks before it is served.
pub fn missing(config: &mut dyn Storage, name: &str) -> Asks {
    if apps::is_granted(config, name) { Asks::NONE } else { Asks::WEB_APP }
}

/// Grants a web app what it asks for, or takes that away.
///
/// # Errors
/// What is wrong with the file of grants.
pub fn grant(config: &mut dyn Storage, name: &str, is_granted: bool) -> Result<(), String> {
    let before = asks::granted(config, name).map_err(|error| error.to_string())?;
    let now = if is_granted { before.and(Asks::WEB_APP) } else { before.without(Asks::WEB_APP) };
    asks::grant(config, name, now).map_err(|error| error.to_string())
}

/// Removes a web app with its files and what was granted to it.
///
/// # Errors
/// What the system says; it is still there then.
pub fn remove<D: Disk>(config: &mut Folder<D>, app: &App) -> Result<(), String> {
    drop_files(config, app)?;
    asks::grant(config, &app.name, Asks::NONE).map_err(|error| error.to_string())
}

/// Removes a web app with its files; what was granted to it stays.
///
/// # Errors
/// What the system says; it is still there then.
pub fn drop_files<D: Disk>(config: &mut Folder<D>, app: &App) -> Result<(), String> {
    apps::remove(config, &app.id()).map_err(|error| error.to_string())?;
    tidy(config, &app.id());
    Ok(())
}

/// Removes the folders of a web app that its record does not name.
fn tidy<D: Disk>(config: &mut Folder<D>, id: &str) {
    let named = apps::find(config, id).map(|app| app.folder);
    let is_old = |folder: &String| owner(folder) == id && Some(folder) != named.as_ref();
    for folder in folders(config.root()).into_iter().filter(is_old) {
        if let Err(error) = remove_if_there(&config.root().join(APP_FILES_FOLDER).join(&folder)) {
            log::warn!("{folder}: files of a web app that nobody needs were not removed: {error}");
        }
    }
}

/// Removes every folder that no record names: what interrupted installations and removals left.
///
/// # Errors
/// What the system says.
pub fn sweep_all<D: Disk>(config: &mut Folder<D>) -> io::Result<()> {
    remove_if_there(&config.root().join(APP_FILES_FOLDER).join(UNFINISHED))?;
    let mut ids: Vec<String> = folders(config.root()).iter().map(|folder| owner(folder).to_owned()).collect();
    ids.dedup();
    ids.iter().for_each(|id| tidy(config, id));
    Ok(())
}

/// Returns the id of the web app that a folder belongs to.
fn owner(folder: &str) -> &str {
    folder.rsplit_once('@').map_or(folder, |(id, _)| id)
}

fn folders(config: &Path) -> Vec<String> {
    let entries = fs::read_dir(config.join(APP_FILES_FOLDER)).into_iter().flatten().flatten();
    let names = entries.filter_map(|entry| entry.file_name().into_string().ok());
    let mut found: Vec<String> = names.filter(|name| !name.starts_with('.')).collect();
    found.sort();
    found
}

/// Returns the folder with the files of the web app `name`, where Skiff has installed it.
#[must_use]
pub fn folder_of(config: &Path, name: &str) -> Option<PathBuf> {
    let app = apps::find(&mut Folder::new(config), &plugin_id(name)).filter(|app| app.name == name)?;
    Some(config.join(APP_FILES_FOLDER).join(app.folder))
}

/// Returns name and folder of each web app that Skiff has installed.
#[must_use]
pub fn installed(config: &Path) -> Vec<(String, PathBuf)> {
    let found = apps::list(&mut Folder::new(config)).into_iter();
    found.map(|app| (app.name, config.join(APP_FILES_FOLDER).join(app.folder))).collect()
}

/// Finds an installed web app by its name or id.
#[must_use]
pub fn named(config: &mut Folder, name: &str) -> Option<App> {
    // A package of that name in `node_modules` alone is none of ours.
    apps::find(config, &plugin_id(name)).or_else(|| apps::find(config, name))
}

/// Returns how a version compares with the one that is there: that of a plugin or of a web app, from wherever it came.
#[must_use]
pub fn installed_version(config: &mut Folder, name: &str) -> Option<String> {
    if let Some(app) = apps::find(config, &plugin_id(name)).filter(|app| app.name == name) {
        return Some(app.version);
    }
    let folder = folder::folder_of(config.root(), name)?;
    super::package_json(&folder)?.get("version")?.as_str().map(str::to_owned)
}
