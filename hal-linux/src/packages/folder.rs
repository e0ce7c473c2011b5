//! The packages of a configuration folder: those in `node_modules`, and those that Skiff has installed.
//!
//! Where no gateway runs on the folder, packages come and go here by the steps that the gateway takes too.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use skiff_runtime::budget::Limits;
use skiff_runtime::config::{ConfigError, PluginConfig};
use skiff_runtime::package::store::{self, Slot};
use skiff_runtime::package::{Asks, Clash, Incoming, IncomingError, Package, PackageError, asks, plugin_id};
use skiff_runtime::plugin::Unusable;

use super::{apps, in_folder, manifest, web};
use crate::hal::Folder;

/// Packages looked at in one `node_modules`; a Signal K server with every plugin of its store has about 1,500.
pub(super) const ENTRIES_MAX: usize = 10_000;
/// Bytes of a package that was installed over the network.
pub const STORED_BYTES_MAX: u32 = 16 * 1024 * 1024;

/// The packages of a configuration folder.
#[derive(Debug, Default)]
pub struct Discovery {
    /// Plugin packages, `@signalk` first, then by name.
    pub packages: Vec<Package>,
    /// Those that look like plugins and cannot be used, the second of two with one plugin id among them.
    pub unusable: Vec<Unusable>,
    /// One line for each folder that cannot be listed.
    pub warnings: Vec<String>,
}

impl Discovery {
    /// Adds a package; one whose id another has that was found before cannot be used.
    fn add(&mut self, package: Package) {
        match self.packages.iter().find_map(|other| Clash::between(&package.name, &other.name)) {
            None => self.packages.push(package),
            Some(clash) => {
                let row = Unusable::new(&package.name, &package.version, &clash.to_string());
                // The id is that of the other one.
                self.unusable.push(Unusable { id: package.name, ..row });
            }
        }
    }
}

/// Finds the WebAssembly plugins in `<config>/node_modules` (plugin ABI §1.5): two levels, links followed.
#[must_use]
pub fn discover(config: &Path, module_bytes_max: u32) -> Discovery {
    let mut discovery = Discovery::default();
    for (name, path) in plugin_folders(config, &mut discovery.warnings) {
        match found(config, &name, &path, module_bytes_max) {
            Ok(package) => discovery.add(package),
            Err(row) => discovery.unusable.push(row),
        }
    }
    discovery
}

/// Reads the package in a folder of `node_modules` that is called `name`.
///
/// # Errors
/// Why it cannot be used.
pub fn found(config: &Path, name: &str, path: &Path, module_bytes_max: u32) -> Result<Package, Unusable> {
    match in_folder(path, module_bytes_max) {
        Ok(package) if package.name != name => {
            let clause = format!("the package calls itself {}, its folder says {name}", package.name);
            Err(Unusable::new(name, &package.version, &clause))
        }
        Ok(package) => Ok(package),
        // Who sees the list knows the folder, and need not know where it lies on this machine.
        Err(error) => Err(Unusable::new(name, "", &error.to_string().replace(&format!("{}/", config.display()), ""))),
    }
}

/// Finds the plugins of a configuration folder: those in `node_modules`, and those installed over the network, which
/// are the newer decision where both have one. Nothing in the folder changes.
#[must_use]
pub fn installed(config: &Path, module_bytes_max: u32) -> Discovery {
    let mut all = Discovery::default();
    let folder = &mut Folder::new(config);
    for id in store::stored_ids(folder) {
        match store::load(folder, &id, Slot::InForce, STORED_BYTES_MAX) {
            Ok(package) => package.into_iter().for_each(|package| all.add(package)),
            Err(error) => {
                all.unusable.push(Unusable::new(&id, "", &format!("the stored package is damaged: {error}")));
            }
        }
    }
    let found = discover(config, module_bytes_max);
    let is_stored = |all: &Discovery, name: &str| all.packages.iter().any(|stored| stored.name == name);
    for package in found.packages {
        if !is_stored(&all, &package.name) {
            all.add(package);
        }
    }
    all.unusable.extend(found.unusable.into_iter().filter(|row| !is_stored(&all, &row.package)).collect::<Vec<_>>());
    all.warnings = found.warnings;
    all
}

/// Returns name and path of each package that may have files to serve: those in `node_modules`, `@signalk` first, then
/// by name, and those that were installed over the network, which take the place of the former.
#[must_use]
pub fn module_folders(config: &Path) -> Vec<(String, PathBuf)> {
    let mut folders = named_folders(config, &mut Vec::new());
    for (name, path) in apps::installed(config).into_iter().chain(web::folders(config)) {
        folders.retain(|(other, _)| *other != name);
        folders.push((name, path));
    }
    folders
}

/// Returns the folder of the package `name`.
#[must_use]
pub fn folder_of(config: &Path, name: &str) -> Option<PathBuf> {
    if let Some((_, folder)) = web::folder_of(config, &plugin_id(name)).filter(|(other, _)| other == name) {
        return Some(folder);
    }
    if let Some(folder) = apps::folder_of(config, name) {
        return Some(folder);
    }
    let plain = |part: &str| !part.is_empty() && !part.starts_with('.') && !part.contains(['/', '\\', '\0']);
    let (scope, inner) = match name.split_once('/') {
        Some((scope, inner)) => (Some(scope.strip_prefix('@')?), inner),
        None => (None, name),
    };
    let folder = modules(config).join(name);
    (scope.is_none_or(plain) && plain(inner) && folder.is_dir()).then_some(folder)
}

/// Why a package was not installed in the folder, or not removed from it.
#[derive(Debug)]
pub enum FolderError {
    /// It is no package, or none that is taken.
    Incoming(IncomingError),
    /// Another package has its id.
    Clash(Clash),
    /// It was not installed by Skiff.
    Foreign,
    /// There is no version to go back to.
    NoneBefore,
    /// Its configuration file or that with the grants is damaged or was not written.
    Config(ConfigError),
    /// The folder did not take it, with what the system says.
    Disk(String),
}

impl std::fmt::Display for FolderError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Incoming(error) => error.fmt(f),
            Self::Clash(clash) => clash.fmt(f),
            Self::Foreign => f.write_str(
                "was not installed with `install`: remove it where it lies, for example with `npm uninstall`",
            ),
            Self::NoneBefore => f.write_str("has no version to go back to"),
            Self::Config(error) => error.fmt(f),
            Self::Disk(text) => f.write_str(text),
        }
    }
}

impl std::error::Error for FolderError {}

fn disk(error: &dyn std::fmt::Display) -> FolderError {
    FolderError::Disk(error.to_string())
}

/// What an installation without a gateway came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Installed {
    /// Package name.
    pub name: String,
    /// The version that was installed.
    pub version: String,
    /// What it asks for and nobody has granted.
    pub missing: Asks,
    /// The version before stays in force until that is granted.
    pub waits: bool,
    /// It starts with the gateway.
    pub enabled: bool,
}

/// Installs a package; the next gateway on the folder starts it, unless it was disabled before or lacks something it asks
/// for.
///
/// # Errors
/// [`FolderError`]; what was there is in force then. A package of another name that has its id is left as it is.
pub fn install(folder: &mut Folder, tgz: &[u8], limits: &Limits, grant: Asks) -> Result<Installed, FolderError> {
    let incoming = Incoming::read(tgz, limits).map_err(FolderError::Incoming)?;
    let (id, name) = (incoming.id().to_owned(), incoming.manifest().name().to_owned());
    if let Some(clash) = clash(folder, &name) {
        return Err(FolderError::Clash(clash));
    }
    let kept = incoming.stage(folder).map_err(|error| disk(&error)).and_then(|package| {
        web::keep(folder, &incoming.web_files()).map_err(|error| disk(&error))?;
        put_in_place(folder, &id, &package, limits, grant)
    });
    if kept.is_err() {
        // What cannot be removed now is removed at the next start.
        let _ = store::discard(folder, &id);
    }
    tidy(folder, &id);
    kept
}

/// Puts a staged version in force, or lets it wait.
fn put_in_place(
    folder: &mut Folder,
    id: &str,
    package: &Package,
    limits: &Limits,
    grant: Asks,
) -> Result<Installed, FolderError> {
    let config = PluginConfig::load(folder, id, limits.plugin.config_bytes_max).map_err(FolderError::Config)?;
    let granted = add_grant(folder, &package.name, package.asks().within(grant))?;
    let missing = package.asks().without(granted);
    let before = store::describe(folder, id, Slot::InForce);
    let waits = !missing.is_empty() && before.is_some_and(|before| before.manifest.asks().without(granted).is_empty());
    let mut config = config.unwrap_or_default();
    if waits {
        store::shift(folder, id, Slot::Staged, Slot::Waiting).map_err(|error| disk(&error))?;
    } else {
        // First, so that a version in force is never without it.
        if config.enabled.is_none() && missing.is_empty() {
            config.enabled = Some(true);
            config.save(folder, id).map_err(|error| disk(&error))?;
        }
        store::adopt(folder, id).map_err(|error| disk(&error))?;
    }
    let enabled = config.enabled == Some(true) && (missing.is_empty() || waits);
    Ok(Installed { name: package.name.clone(), version: package.version.clone(), missing, waits, enabled })
}

/// Grants rights to a package besides those it has; returns them all.
fn add_grant(folder: &mut Folder, package: &str, grant: Asks) -> Result<Asks, FolderError> {
    let granted = asks::granted(folder, package).map_err(FolderError::Config)?.and(grant);
    if !grant.is_empty() {
        asks::grant(folder, package, granted).map_err(FolderError::Config)?;
    }
    Ok(granted)
}

/// Grants what a package asks for; the version that waited for it is put in force. Returns what it still lacks.
///
/// # Errors
/// [`FolderError`].
pub fn grant(folder: &mut Folder, package: &Package, grant: Asks) -> Result<Asks, FolderError> {
    let id = package.id();
    let waiting = store::describe(folder, &id, Slot::Waiting).map(|found| found.manifest.asks());
    let asks = package.asks().and(waiting.unwrap_or_default());
    let granted = add_grant(folder, &package.name, asks.within(grant))?;
    let Some(waiting) = waiting else { return Ok(asks.without(granted)) };
    if waiting.without(granted).is_empty() {
        let shifted = store::shift(folder, &id, Slot::Waiting, Slot::Staged);
        shifted.and_then(|()| store::adopt(folder, &id)).map_err(|error| disk(&error))?;
        tidy(folder, &id);
    }
    Ok(waiting.without(granted))
}

/// Puts the version in force again that was in force before; returns its number.
///
/// # Errors
/// [`FolderError`].
pub fn roll_back(folder: &mut Folder, package: &str) -> Result<String, FolderError> {
    let id = plugin_id(package);
    let before = store::describe(folder, &id, Slot::Before).filter(|before| before.manifest.name() == package);
    let before = before.ok_or(FolderError::NoneBefore)?;
    let shifted = store::shift(folder, &id, Slot::Before, Slot::Staged);
    shifted.and_then(|()| store::adopt(folder, &id)).map_err(|error| disk(&error))?;
    Ok(before.manifest.version().to_owned())
}

/// Removes the files that no version needs any more.
fn tidy(folder: &mut Folder, id: &str) {
    if let Err(error) = web::sweep(folder, id) {
        log::warn!("files of {id} that nobody needs were not removed: {error}");
    }
}

/// Removes a package that was installed by Skiff, with what was granted to it; its configuration stays.
///
/// # Errors
/// [`FolderError`].
pub fn remove(folder: &mut Folder, package: &str) -> Result<(), FolderError> {
    let id = plugin_id(package);
    if !store::holds(folder, &id, package) {
        return Err(FolderError::Foreign);
    }
    store::remove(folder, &id).map_err(|error| disk(&error))?;
    tidy(folder, &id);
    asks::grant(folder, package, Asks::NONE).map_err(FolderError::Config)
}

/// Looks for a package of another name with the same id.
fn clash(folder: &mut Folder, name: &str) -> Option<Clash> {
    let stored = store::name(folder, &plugin_id(name));
    let others = plugin_folders(folder.root(), &mut Vec::new()).into_iter().map(|(other, _)| other);
    others.chain(stored).find_map(|other| Clash::between(name, &other))
}

/// Returns name and path of each folder that holds a plugin package.
fn plugin_folders(config: &Path, warnings: &mut Vec<String>) -> Vec<(String, PathBuf)> {
    let mut folders = named_folders(config, warnings);
    // Most of node_modules are libraries.
    folders.retain(|(_, path)| {
        path.join("package.json").is_file() && !matches!(manifest(path), Ok((_, Err(PackageError::NotAPlugin))))
    });
    folders
}

/// Returns the folder that packages from npm lie in.
#[must_use]
pub fn modules(config: &Path) -> PathBuf {
    config.join("node_modules")
}

fn named_folders(config: &Path, warnings: &mut Vec<String>) -> Vec<(String, PathBuf)> {
    let mut folders = Vec::new();
    let root = modules(config);
    for (name, path) in entries(&root, warnings) {
        if name.starts_with('@') {
            let scoped = entries(&path, warnings);
            folders.extend(scoped.into_iter().map(|(inner, path)| (format!("{name}/{inner}"), path)));
        } else {
            folders.push((name, path));
        }
    }
    folders
        .sort_by_key(|(name, _)| name.strip_prefix("@signalk").map_or_else(|| name.clone(), |rest| format!(" {rest}")));
    folders.truncate(ENTRIES_MAX);
    folders
}

/// Returns name and path of the folders in a folder, without hidden ones; a missing folder has none.
fn entries(folder: &Path, warnings: &mut Vec<String>) -> Vec<(String, PathBuf)> {
    let listing = match fs::read_dir(folder) {
        Ok(listing) => listing,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Vec::new(),
        Err(error) => {
            warnings.push(format!("{}: {error}", folder.display()));
            return Vec::new();
        }
    };
    let named = listing.flatten().filter_map(|entry| Some((entry.file_name().into_string().ok()?, entry.path())));
    named.filter(|(name, path)| !name.starts_with('.') && path.is_dir()).take(ENTRIES_MAX).collect()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::super::tests::write_package;
    use super::*;

    const LIMIT: u32 = 4 * 1024 * 1024;

    #[test]
    fn finds_scoped_linked_and_plain_packages_in_order() {
        let temporary = tempfile::tempdir().unwrap();
        let modules = temporary.path().join("node_modules");
        for name in ["zebra", "alpha", "@acme/tide", "@signalk/wind"] {
            write_package(&modules.join(name), name, "plugin.wasm");
        }
        let elsewhere = temporary.path().join("elsewhere");
        write_package(&elsewhere, "linked", "./plugin.wasm");
        symlink(&elsewhere, modules.join("linked")).unwrap();
        write_package(&modules.join(".hidden"), ".hidden", "plugin.wasm");
        fs::create_dir_all(modules.join("plain-library")).unwrap();
        fs::write(modules.join("plain-library/package.json"), r#"{"name":"plain-library"}"#).unwrap();
        let discovery = discover(temporary.path(), LIMIT);
        let names: Vec<&str> = discovery.packages.iter().map(|package| &*package.name).collect();
        assert_eq!(names, ["@signalk/wind", "@acme/tide", "alpha", "linked", "zebra"]);
        assert_eq!(discovery.warnings, [""; 0]);
    }

    #[test]
    fn a_package_that_cannot_be_used_is_a_row_with_the_reason() {
        let temporary = tempfile::tempdir().unwrap();
        let modules = temporary.path().join("node_modules");
        write_package(&modules.join("good"), "good", "plugin.wasm");
        write_package(&modules.join("leaves"), "leaves", "../good/plugin.wasm");
        write_package(&modules.join("lost"), "lost", "other.wasm");
        write_package(&modules.join("misnamed"), "named", "plugin.wasm");
        fs::create_dir_all(modules.join("broken")).unwrap();
        fs::write(modules.join("broken/package.json"), "{").unwrap();
        write_package(&modules.join("empty"), "empty", "plugin.wasm");
        fs::write(modules.join("empty/plugin.wasm"), "").unwrap();
        let discovery = discover(temporary.path(), LIMIT);
        // A library whose name npm does not allow any more is none.
        fs::create_dir_all(modules.join("JSONStream")).unwrap();
        fs::write(modules.join("JSONStream/package.json"), r#"{"name":"JSONStream"}"#).unwrap();
        assert_eq!(discovery.packages.len(), 1);
        let rows: Vec<(&str, &str)> =
            discovery.unusable.iter().map(|row| (row.package.as_str(), row.reason.as_str())).collect();
        let expected = [
            ("broken", "node_modules/broken/package.json: package.json: not JSON"),
            ("empty", "node_modules/empty/plugin.wasm: the module is no WebAssembly"),
            ("leaves", "node_modules/leaves/package.json: package.json: wasmManifest leads out of the package"),
            ("lost", "node_modules/lost/other.wasm: No such file or directory (os error 2)"),
            ("misnamed", "the package calls itself named, its folder says misnamed"),
        ];
        assert_eq!(rows, expected);
        assert_eq!(discovery.warnings, [""; 0]);
    }

    #[test]
    fn the_second_of_two_with_one_id_is_a_row_too_and_harms_no_other() {
        let temporary = tempfile::tempdir().unwrap();
        let modules = temporary.path().join("node_modules");
        for name in ["@acme/tide_table", "@acme_tide/table", "zebra"] {
            write_package(&modules.join(name), name, "plugin.wasm");
        }
        let found = installed(temporary.path(), LIMIT);
        let names: Vec<&str> = found.packages.iter().map(|package| &*package.name).collect();
        assert_eq!(names, ["@acme/tide_table", "zebra"]);
        let [row] = &*found.unusable else { panic!("{:?}", found.unusable) };
        assert_eq!((row.id.as_str(), row.version.as_str()), ("@acme_tide/table", "1.0.0"));
        assert!(row.reason.contains("which @acme/tide_table has"), "{}", row.reason);
    }

    #[test]
    fn a_look_changes_nothing() {
        let temporary = tempfile::tempdir().unwrap();
        let staged = temporary.path().join("skiff/packages/tide.new");
        fs::create_dir_all(staged.parent().unwrap()).unwrap();
        fs::write(&staged, "half of it").unwrap();
        fs::write(temporary.path().join("skiff/packages/tide.pkg"), "damaged").unwrap();
        let found = installed(temporary.path(), LIMIT);
        assert!(found.unusable[0].reason.starts_with("the stored package is damaged: "), "{:?}", found.unusable);
        assert!(staged.exists(), "a gateway may be installing it just now");
    }
}
