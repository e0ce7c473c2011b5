//! What every package holds, wherever it is put.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::elf::Elf;
use super::manual::Manual;
use super::systems::System;
use crate::process;

/// Files for the system, in the repository.
pub const DIST: &str = "hal-linux/dist";
/// A dashboard of the gateway's metrics, in that folder.
pub const DASHBOARD: &str = "grafana-skiff.json";
/// Version of every package: that of the workspace.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// A program, and what goes with it.
pub struct Contents<'c> {
    pub system: &'static System,
    pub program: &'c Path,
    pub elf: &'c Elf,
    pub manual: &'c Manual,
}

impl Contents<'_> {
    /// Puts the program there as it was built; one that was built in a hurry without the names of its functions.
    ///
    /// # Errors
    /// What cannot be written.
    pub fn put_program(&self, to: &Path) -> Result<(), String> {
        process::copy(self.program, to)?;
        if self.elf.has_symbols {
            process::run(Command::new(self.system.strip).arg(to))?;
        }
        set_mode(to, 0o755)
    }
}

/// Puts a file of [`DIST`] somewhere.
///
/// # Errors
/// What cannot be read or written.
pub fn put_dist(name: &str, to: &Path) -> Result<(), String> {
    process::copy(&process::top().join(DIST).join(name), to)?;
    set_mode(to, 0o644)
}

/// Writes a text packed by gzip: the same text gives the same bytes.
///
/// # Errors
/// What cannot be packed or written.
pub fn put_packed(text: &str, to: &Path) -> Result<(), String> {
    process::write(to, text)?;
    process::run(Command::new("gzip").args(["-9", "--no-name", "--force"]).arg(to))?;
    let mut packed = to.to_owned().into_os_string();
    packed.push(".gz");
    set_mode(&PathBuf::from(packed), 0o644)
}

/// Reads a file of the repository.
///
/// # Errors
/// The file and why.
pub fn read(name: &str) -> Result<String, String> {
    let path = process::top().join(name);
    fs::read_to_string(&path).map_err(|error| format!("cannot read {}: {error}", path.display()))
}

/// Sets who may read, write and execute a file.
///
/// # Errors
/// The file and why.
pub fn set_mode(path: &Path, mode: u32) -> Result<(), String> {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).map_err(|error| format!("{}: {error}", path.display()))
}

/// Returns an empty folder below the target folder to lay files out in.
///
/// # Errors
/// Why it cannot be made.
pub fn empty_folder(path: &Path) -> Result<(), String> {
    let _ = fs::remove_dir_all(path);
    fs::create_dir_all(path).map_err(|error| format!("cannot make {}: {error}", path.display()))
}

/// Returns the time of the last commit, seconds of Unix: files in packages have it, so that the same tree gives the same bytes.
pub fn epoch() -> String {
    let git = process::output(&mut process::command("git", ["log", "-1", "--format=%ct"]));
    git.ok().filter(|text| text.parse::<u64>().is_ok()).unwrap_or_else(|| "0".to_owned())
}
