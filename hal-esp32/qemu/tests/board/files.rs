//! What the tests read: files of the project, and what `cargo xtask qemu` says in the environment.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

/// Returns the top folder of the repository.
#[must_use]
pub fn top() -> PathBuf {
    // Invariant: this crate lies in hal-esp32/qemu/tests.
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(3).map(Path::to_path_buf).unwrap_or_default()
}

/// Reads a file of a package of the project.
///
/// # Errors
/// The file and why it cannot be read.
pub fn file_of(package: &str, file: &str) -> Result<Vec<u8>, String> {
    let path = top().join(package).join(file);
    fs::read(&path).map_err(|error| format!("cannot read {}: {error}", path.display()))
}

/// Reads the configuration that a package has in the sample.
///
/// # Errors
/// As [`file_of`], or that it is no text.
pub fn config_of(package: &str) -> Result<String, String> {
    String::from_utf8(file_of(package, "sample-config.json")?).map_err(|error| format!("{package}: {error}"))
}

/// Returns a file that the environment names.
///
/// # Errors
/// That it is not named.
pub fn path_from(name: &str) -> Result<PathBuf, String> {
    env::var_os(name)
        .map(PathBuf::from)
        .ok_or_else(|| format!("{name} is not set: `cargo xtask qemu` runs these tests"))
}

/// Returns a number that the environment names.
///
/// # Errors
/// That it is not named, or is no number.
pub fn number_from(name: &str) -> Result<u64, String> {
    let text = env::var(name).map_err(|error| format!("{name}: {error}: `cargo xtask qemu` runs these tests"))?;
    text.parse().map_err(|error| format!("{name} is {text}: {error}"))
}

/// Returns the same module for a host that knows no rows of values: the exports by which one finds them have other names, so
/// that the plugin takes the JSON way.
///
/// # Errors
/// That it has no such exports.
pub fn by_json(module: &[u8]) -> Result<Vec<u8>, String> {
    let mut module = module.to_vec();
    for export in [b"skiff_values", b"skiff_update"] {
        let found = module.windows(export.len()).position(|bytes| bytes == export);
        let last = found.and_then(|at| module.get_mut(at + export.len() - 1)).ok_or("the module has no rows")?;
        *last = b'_';
    }
    Ok(module)
}
