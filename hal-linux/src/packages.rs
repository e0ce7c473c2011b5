//! Plugin packages on disk: the ones a user names, and the ones of a configuration folder.

pub mod unpacked;

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use crate::hal::Folder;
use skiff_runtime::package::{Manifest, PACKAGE_JSON_BYTES_MAX, Package, PackageError, UNPACKED_BYTES_MAX, store};

/// Packages looked at in one `node_modules`; a Signal K server with every plugin of its store has about 1,500.
const ENTRIES_MAX: usize = 10_000;
/// Bytes of a package that was installed over the network.
pub const STORED_BYTES_MAX: u32 = 16 * 1024 * 1024;

/// Why a package cannot be used; the text names the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LoadError {
    /// Missing or unreadable.
    Missing(String),
    /// There, and not what it should be.
    Corrupt(String),
}

impl std::fmt::Display for LoadError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Missing(text) | Self::Corrupt(text) => f.write_str(text),
        }
    }
}

impl std::error::Error for LoadError {}

/// Reads a package as a user names it: a folder, an `npm pack` `.tgz`, or a bare `.wasm`.
///
/// # Errors
/// [`LoadError`], naming the file and what is wrong with it.
pub fn load(path: &Path, module_bytes_max: u32) -> Result<Package, LoadError> {
    let corrupt = |error: &dyn std::fmt::Display| LoadError::Corrupt(format!("{}: {error}", path.display()));
    let metadata = fs::metadata(path).map_err(|error| missing(path, &error))?;
    if metadata.is_dir() {
        return folder(path, module_bytes_max);
    }
    match path.extension().and_then(|extension| extension.to_str()) {
        Some("wasm") => {
            let name = path.file_stem().map_or_else(String::new, |stem| stem.to_string_lossy().into_owned());
            Package::from_wasm(&name, read(path, module_bytes_max.into())?).map_err(|error| corrupt(&error))
        }
        Some("tgz" | "gz") => {
            let package =
                Package::from_tgz(&read(path, UNPACKED_BYTES_MAX as u64)?).map_err(|error| corrupt(&error))?;
            if u32::try_from(package.wasm.len()).is_ok_and(|bytes| bytes <= module_bytes_max) {
                Ok(package)
            } else {
                Err(corrupt(&format_args!("module of {} bytes, {module_bytes_max} are allowed", package.wasm.len())))
            }
        }
        _ => Err(LoadError::Corrupt(format!("{}: neither a package folder nor a .tgz nor a .wasm", path.display()))),
    }
}

/// Reads the package in a folder; the core keeps the module's path inside it, this keeps links from leading it out.
fn folder(path: &Path, module_bytes_max: u32) -> Result<Package, LoadError> {
    let (json_path, manifest) = manifest(path)?;
    let corrupt = |error: &dyn std::fmt::Display| LoadError::Corrupt(format!("{}: {error}", json_path.display()));
    let manifest = manifest.map_err(|error| corrupt(&error))?;
    let wasm_path = path.join(&manifest.wasm_path);
    let real = wasm_path.canonicalize().map_err(|error| missing(&wasm_path, &error))?;
    if !real.starts_with(path.canonicalize().map_err(|error| missing(path, &error))?) {
        return Err(corrupt(&"wasmManifest leads out of the package"));
    }
    let wasm = read(&real, module_bytes_max.into())?;
    manifest.with_wasm(wasm).map_err(|error| LoadError::Corrupt(format!("{}: {error}", wasm_path.display())))
}

/// Reads the `package.json` of a folder, and returns its path.
fn manifest(folder: &Path) -> Result<(PathBuf, Result<Manifest, PackageError>), LoadError> {
    let path = folder.join("package.json");
    let json = read(&path, PACKAGE_JSON_BYTES_MAX as u64)?;
    Ok((path, Manifest::parse(&json)))
}

fn missing(path: &Path, error: &io::Error) -> LoadError {
    LoadError::Missing(format!("{}: {error}", path.display()))
}

/// Reads a file of at most `limit` bytes.
///
/// # Errors
/// [`LoadError`], naming the file.
pub fn read(path: &Path, limit: u64) -> Result<Vec<u8>, LoadError> {
    let mut data = Vec::new();
    let file = File::open(path).map_err(|error| missing(path, &error))?;
    file.take(limit.saturating_add(1)).read_to_end(&mut data).map_err(|error| missing(path, &error))?;
    if u64::try_from(data.len()).is_ok_and(|length| length <= limit) {
        return Ok(data);
    }
    Err(LoadError::Corrupt(format!("{}: longer than the {limit} bytes that are allowed", path.display())))
}

/// The packages of a configuration folder.
#[derive(Debug, Default)]
pub struct Discovery {
    /// Plugin packages, `@signalk` first, then by name.
    pub packages: Vec<Package>,
    /// One line for each package that looks like a plugin and cannot be used.
    pub warnings: Vec<String>,
}

/// Finds the WebAssembly plugins in `<config>/node_modules` (plugin ABI §1.5): two levels, links followed.
#[must_use]
pub fn discover(config: &Path, module_bytes_max: u32) -> Discovery {
    let mut discovery = Discovery::default();
    for (name, path) in plugin_folders(config, &mut discovery.warnings) {
        match folder(&path, module_bytes_max) {
            Ok(package) if package.name != name => {
                let line =
                    format!("{}: the package calls itself {}, its folder says {name}", path.display(), package.name);
                discovery.warnings.push(line);
            }
            Ok(package) => discovery.packages.push(package),
            Err(error) => discovery.warnings.push(error.to_string()),
        }
    }
    discovery
}

/// Finds the plugins of a configuration folder: those in `node_modules`, and those installed over the network, which
/// are the newer decision where both have one.
#[must_use]
pub fn installed(config: &Path, module_bytes_max: u32) -> Discovery {
    let mut discovery = discover(config, module_bytes_max);
    for (id, stored) in store::load_all(&mut Folder::new(config), STORED_BYTES_MAX) {
        match stored {
            Ok(package) => {
                discovery.packages.retain(|other| other.name != package.name);
                discovery.packages.push(package);
            }
            Err(error) => discovery.warnings.push(format!("the stored package {id} cannot be used: {error}")),
        }
    }
    discovery
}

/// Returns the folders of the plugin packages with the files that make a version: `package.json` and the module.
#[must_use]
pub fn plugin_files(config: &Path) -> Vec<(PathBuf, Vec<PathBuf>)> {
    let folders = plugin_folders(config, &mut Vec::new()).into_iter();
    folders
        .map(|(_, path)| {
            let module = manifest(&path).ok().and_then(|(_, manifest)| Some(path.join(manifest.ok()?.wasm_path)));
            let files = std::iter::once(path.join("package.json")).chain(module).collect();
            (path, files)
        })
        .collect()
}

/// Returns name and path of each package that may have files to serve: those in `node_modules`, `@signalk` first, then
/// by name, and those that were installed over the network, which take the place of the former.
#[must_use]
pub fn module_folders(config: &Path) -> Vec<(String, PathBuf)> {
    let mut folders = named_folders(config, &mut Vec::new());
    for (name, path) in unpacked::folders(config) {
        folders.retain(|(other, _)| *other != name);
        folders.push((name, path));
    }
    folders
}

/// Returns the folder of the package `name`.
#[must_use]
pub fn folder_of(config: &Path, name: &str) -> Option<PathBuf> {
    let installed = unpacked::folders(config).into_iter().find(|(other, _)| other == name);
    if let Some((_, folder)) = installed {
        return Some(folder);
    }
    let plain = |part: &str| !part.is_empty() && !part.starts_with('.') && !part.contains(['/', '\\', '\0']);
    let (scope, inner) = match name.split_once('/') {
        Some((scope, inner)) => (Some(scope.strip_prefix('@')?), inner),
        None => (None, name),
    };
    let folder = config.join("node_modules").join(name);
    (scope.is_none_or(plain) && plain(inner) && folder.is_dir()).then_some(folder)
}

/// Returns what the `package.json` of a folder says, `None` when there is none that can be read.
#[must_use]
pub fn package_json(folder: &Path) -> Option<serde_json::Map<String, serde_json::Value>> {
    let text = read(&folder.join("package.json"), PACKAGE_JSON_BYTES_MAX as u64).ok()?;
    serde_json::from_slice(&text).ok()
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

fn named_folders(config: &Path, warnings: &mut Vec<String>) -> Vec<(String, PathBuf)> {
    let mut folders = Vec::new();
    let root = config.join("node_modules");
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

    use super::*;
    use crate::sample;

    const LIMIT: u32 = 4 * 1024 * 1024;

    /// Writes a package that differs from an embedded one in its name only.
    fn write_package(folder: &Path, name: &str, manifest: &str) {
        fs::create_dir_all(folder).unwrap();
        let json = format!(
            r#"{{"name":"{name}","version":"1.0.0","keywords":["signalk-wasm-plugin"],"wasmManifest":"{manifest}"}}"#
        );
        fs::write(folder.join("package.json"), json).unwrap();
        fs::write(folder.join("plugin.wasm"), sample::PACKAGES[0].package().unwrap().wasm).unwrap();
    }

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
    fn a_corrupt_package_is_one_warning_that_names_it() {
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
        assert_eq!(discovery.packages.len(), 1);
        assert_eq!(discovery.warnings.len(), 5, "{:?}", discovery.warnings);
        for (name, warning) in ["broken", "empty", "leaves", "lost", "misnamed"].iter().zip(&discovery.warnings) {
            assert!(warning.contains(name), "{warning}");
        }
    }

    #[test]
    fn a_link_in_the_package_cannot_lead_the_module_out() {
        let temporary = tempfile::tempdir().unwrap();
        let package = temporary.path().join("package");
        write_package(&package, "package", "plugin.wasm");
        fs::rename(package.join("plugin.wasm"), temporary.path().join("outside.wasm")).unwrap();
        symlink(temporary.path().join("outside.wasm"), package.join("plugin.wasm")).unwrap();
        assert!(matches!(load(&package, LIMIT), Err(LoadError::Corrupt(text)) if text.contains("out of the package")));
    }

    #[test]
    fn named_packages_are_told_apart() {
        let temporary = tempfile::tempdir().unwrap();
        write_package(&temporary.path().join("tide"), "tide", "plugin.wasm");
        assert_eq!(load(&temporary.path().join("tide"), LIMIT).unwrap().name, "tide");
        assert_eq!(load(&temporary.path().join("tide/plugin.wasm"), LIMIT).unwrap().name, "plugin");
        assert!(
            matches!(load(&temporary.path().join("gone"), LIMIT), Err(LoadError::Missing(text)) if text.contains("gone"))
        );
        assert!(
            matches!(load(&temporary.path().join("tide"), 100), Err(LoadError::Corrupt(text)) if text.contains("100 bytes"))
        );
        fs::write(temporary.path().join("a.tgz"), "not an archive").unwrap();
        assert!(matches!(load(&temporary.path().join("a.tgz"), LIMIT), Err(LoadError::Corrupt(_))));
    }
}
