//! Packages of npm's, at pinned versions.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use crate::process;

/// Installs `packages` (name and version) below `folder`, unless just these are there; their scripts do not run.
///
/// # Errors
/// What npm said.
pub fn install(folder: &Path, name: &str, packages: &[(&str, &str)]) -> Result<(), String> {
    let dependencies: serde_json::Map<_, _> =
        packages.iter().map(|(name, version)| ((*name).to_owned(), json!(version))).collect();
    install_as(folder, &json!({ "name": name, "private": true, "dependencies": dependencies }))
}

/// The same for a whole `package.json`.
///
/// # Errors
/// What npm said.
pub fn install_as(folder: &Path, manifest: &Value) -> Result<(), String> {
    let manifest = manifest.to_string();
    let path = folder.join("package.json");
    let done = folder.join("node_modules/.package-lock.json").is_file();
    if done && fs::read_to_string(&path).is_ok_and(|present| present == manifest) {
        return Ok(());
    }
    process::write(&path, &manifest)?;
    let mut npm = process::command("npm", ["install", "--omit=dev", "--ignore-scripts", "--no-audit", "--no-fund"]);
    process::run(npm.current_dir(folder))
}
