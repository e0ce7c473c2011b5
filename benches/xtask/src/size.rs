//! Measures flash, the stripped release binary and the resident set, and prints them as a table.

use std::fs;
use std::path::Path;

use crate::process;
use crate::resident;
use crate::toolchain::{CHIP, Toolchain};

/// Largest stripped `skiff` that is wanted, bytes.
const BINARY_GOAL: u64 = 8_000_000;
/// Largest resident set of `skiff run --sample` that is wanted, bytes.
const RESIDENT_GOAL: u64 = 12_000_000;

/// Runs `xtask size [--check]`; with `--check` a missed goal is a failure.
///
/// # Errors
/// What cannot be built or measured, and with `--check` the goals that are missed.
pub fn run(arguments: &[String]) -> Result<(), String> {
    let check = match arguments {
        [] => false,
        [flag] if flag == "--check" => true,
        _ => return Err("the only argument is --check".into()),
    };
    let flash = flash()?;
    let binary = binary()?;
    let resident = resident::of_sample(&process::top().join("target/release/skiff"))?;

    let rows = [
        (format!("{CHIP}: text"), flash.text, None),
        (format!("{CHIP}: rodata"), flash.rodata, None),
        (format!("{CHIP}: data"), flash.data, None),
        ("skiff, stripped".to_string(), binary, Some(BINARY_GOAL)),
        (format!("skiff run --sample: resident after {} s", resident::SECONDS), resident.now, Some(RESIDENT_GOAL)),
        ("skiff run --sample: resident, peak".to_string(), resident.peak, Some(RESIDENT_GOAL)),
    ];
    println!("{:<52} {:>12}  goal", "measured", "bytes");
    let mut missed = Vec::new();
    for (name, bytes, goal) in rows {
        let verdict = match goal {
            Some(goal) if bytes > goal => {
                missed.push(format!("{name}: {bytes} of {goal}"));
                format!("{goal} missed")
            }
            Some(goal) => format!("{goal} met"),
            None => String::new(),
        };
        println!("{name:<52} {bytes:>12}  {verdict}");
    }
    println!("flash: benches/flash, a linked no_std image of the whole gateway on the simulated HAL, opt-level s");
    if check && !missed.is_empty() { Err(format!("goals missed: {}", missed.join(", "))) } else { Ok(()) }
}

/// What an image takes of a chip's flash, bytes.
pub struct Flash {
    /// Code.
    pub text: u64,
    /// Constants.
    pub rodata: u64,
    /// Initial values of variables.
    pub data: u64,
}

impl Flash {
    /// Reads what an image takes.
    ///
    /// # Errors
    /// That it cannot be read, or is no ELF file of a chip.
    pub fn of(image: &Path) -> Result<Self, String> {
        let sections = sections_of(image)?;
        let sum =
            |prefix: &str| sections.iter().filter(|(name, _)| name.starts_with(prefix)).map(|(_, size)| size).sum();
        Ok(Self { text: sum(".text"), rodata: sum(".rodata"), data: sum(".data") })
    }
}

/// Reads names and sizes of an image's sections.
///
/// # Errors
/// That it cannot be read, or is no ELF file of a chip.
pub fn sections_of(image: &Path) -> Result<Vec<(String, u64)>, String> {
    let bytes = fs::read(image).map_err(|error| format!("cannot read {}: {error}", image.display()))?;
    sections(&bytes).ok_or(format!("{} is no 32-bit little-endian ELF file", image.display()))
}

fn flash() -> Result<Flash, String> {
    let toolchain = Toolchain::ensure(CHIP)?;
    let target = process::top().join("target/flash");
    let mut cargo = toolchain.cargo(&process::top());
    cargo
        .args([
            "build",
            "--release",
            "-p",
            "skiff-flash",
            "--target",
            CHIP,
            "--config",
            "profile.release.opt-level='s'",
        ])
        .arg("--target-dir")
        .arg(&target);
    process::run(&mut cargo)?;
    Flash::of(&target.join(CHIP).join("release/skiff-flash"))
}

/// Reads names and sizes of the sections of a 32-bit little-endian ELF file (System V ABI, chapter 4).
fn sections(elf: &[u8]) -> Option<Vec<(String, u64)>> {
    let half = |at: usize| Some(usize::from(u16::from_le_bytes(elf.get(at..at + 2)?.try_into().ok()?)));
    let word = |at: usize| Some(u32::from_le_bytes(elf.get(at..at + 4)?.try_into().ok()?) as usize);
    if elf.get(..6)? != b"\x7fELF\x01\x01" {
        return None;
    }
    let (table, entry, count, names) = (word(32)?, half(46)?, half(48)?, half(50)?);
    let header = |index: usize| table + index * entry;
    let strings = word(header(names) + 16)?;
    (0..count)
        .map(|index| {
            let name = elf.get(strings + word(header(index))?..)?;
            let name = name.split(|byte| *byte == 0).next()?;
            Some((String::from_utf8_lossy(name).into_owned(), word(header(index) + 20)? as u64))
        })
        .collect()
}

fn binary() -> Result<u64, String> {
    process::run(&mut process::command("cargo", ["build", "--release", "-p", "skiff-gateway"]))?;
    let built = process::top().join("target/release/skiff");
    let stripped = process::top().join("target/skiff.stripped");
    let mut strip = process::command("strip", ["-o"]);
    process::run(strip.arg(&stripped).arg(&built))?;
    length(&stripped)
}

fn length(path: &Path) -> Result<u64, String> {
    fs::metadata(path).map(|data| data.len()).map_err(|error| format!("cannot read {}: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::sections;

    #[test]
    fn what_is_no_elf_file_has_no_sections() {
        assert!(sections(b"").is_none());
        assert!(sections(b"\x7fELF\x02\x01 is 64-bit").is_none());
        assert!(sections(b"\x7fELF\x01\x01 but cut off").is_none());
    }
}
