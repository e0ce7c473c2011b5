//! Plugin packages on disk, as a user names them.

mod answers;
pub mod apps;
mod chip;
mod deltas;
pub mod folder;
mod hints;
pub mod pack;
mod schema;
mod seen;
pub mod watch;
pub mod web;

use std::fs::{self, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

pub use answers::refused_id;
pub use chip::OnChips;
pub use deltas::Deltas;
pub use hints::hints;
pub use schema::schema;
use skiff_runtime::package::{Manifest, PACKAGE_JSON_BYTES_MAX, Package, PackageError, UNPACKED_BYTES_MAX};

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

/// Bytes of a module that is read from disk, whichever board it is tried for: the most that an operator may set. What the
/// board takes is for the board to say, with its reason.
#[must_use]
pub const fn module_bytes_max() -> u32 {
    folder::STORED_BYTES_MAX
}

/// Reads a package as a user names it: a folder, an `npm pack` `.tgz`, or a bare `.wasm`.
///
/// # Errors
/// [`LoadError`], naming the file and what is wrong with it.
pub fn load(path: &Path, module_bytes_max: u32) -> Result<Package, LoadError> {
    let corrupt = |error: &dyn std::fmt::Display| LoadError::Corrupt(format!("{}: {error}", path.display()));
    let metadata = fs::metadata(path).map_err(|error| missing(path, &error))?;
    if metadata.is_dir() {
        return in_folder(path, module_bytes_max);
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
fn in_folder(path: &Path, module_bytes_max: u32) -> Result<Package, LoadError> {
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
    // A named pipe that nobody writes to would block whoever opens it.
    let nonblocking = i32::try_from(rustix::fs::OFlags::NONBLOCK.bits()).unwrap_or(0);
    let file = OpenOptions::new().read(true).custom_flags(nonblocking).open(path);
    let file = file.map_err(|error| missing(path, &error))?;
    if !file.metadata().is_ok_and(|metadata| metadata.is_file()) {
        return Err(LoadError::Missing(format!("{}: not a file", path.display())));
    }
    file.take(limit.saturating_add(1)).read_to_end(&mut data).map_err(|error| missing(path, &error))?;
    if u64::try_from(data.len()).is_ok_and(|length| length <= limit) {
        return Ok(data);
    }
    Err(LoadError::Corrupt(format!("{}: longer than the {limit} bytes that are allowed", path.display())))
}

/// Returns what the `package.json` of a folder says, `None` when there is none that can be read.
#[must_use]
pub fn package_json(folder: &Path) -> Option<serde_json::Map<String, serde_json::Value>> {
    let text = read(&folder.join("package.json"), PACKAGE_JSON_BYTES_MAX as u64).ok()?;
    serde_json::from_slice(&text).ok()
}

#[cfg(test)]
pub(super) mod tests {
    use std::os::unix::fs::symlink;

    use super::*;
    use crate::sample;

    const LIMIT: u32 = 4 * 1024 * 1024;

    /// Writes a package that differs from an embedded one in its name only.
    pub(super) fn write_package(folder: &Path, name: &str, manifest: &str) {
        fs::create_dir_all(folder).unwrap();
        let json = format!(
            r#"{{"name":"{name}","version":"1.0.0","keywords":["signalk-wasm-plugin"],"wasmManifest":"{manifest}"}}"#
        );
        fs::write(folder.join("package.json"), json).unwrap();
        fs::write(folder.join("plugin.wasm"), sample::PACKAGES[0].package().unwrap().wasm).unwrap();
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
