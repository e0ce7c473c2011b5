//! Runs the image in an emulated chip: without the radio, everything else as it ships.

use std::fs;
use std::path::{Path, PathBuf};

use super::esptool::Esptool;
use crate::{built, process};

/// Tests of `benches/emulator` that run the firmware.
const TESTS: &str = "esp32c6-firmware";

/// What of the build the tests need.
pub struct Parts<'p> {
    /// The program, with its symbols.
    pub program: &'p Path,
    /// What goes into flash before the firmware: boot loader and partition table, with their places.
    pub before: [(u32, &'p Path); 2],
    /// Where the firmware goes.
    pub slot_at: u32,
    /// Folder for what is made.
    pub out: &'p Path,
}

/// Makes the flash, and runs the tests on it.
///
/// # Errors
/// What cannot be made, or which tests failed.
pub fn run(parts: &Parts<'_>, esptool: &Esptool) -> Result<(), String> {
    let image = parts.out.join("skiff-esp32c6.bin");
    esptool.convert(parts.program, &image)?;
    let flash = parts.out.join("flash.bin");
    let [boot_loader, table] = parts.before;
    esptool.merge(&[boot_loader, table, (parts.slot_at, &image)], &flash)?;
    let skiff = built::tested()?;
    let mut cargo = process::command("cargo", ["test", "--quiet", "--workspace", "--test", TESTS]);
    cargo.args(["--", "--ignored", "--show-output"]);
    cargo.env("SKIFF", skiff).env("SKIFF_CHIP_FLASH", flash).env("SKIFF_CHIP_PROGRAM", parts.program);
    process::run(&mut cargo)
}

/// Keeps a program that another build would replace.
///
/// # Errors
/// That it cannot be copied.
pub fn keep(program: &Path, out: &Path) -> Result<PathBuf, String> {
    fs::create_dir_all(out).map_err(|error| format!("{}: {error}", out.display()))?;
    let kept = out.join("skiff-esp32c6.elf");
    process::copy(program, &kept)?;
    Ok(kept)
}
