//! Measures the flash of the emulated board, the release binary and the resident set, as a table.

mod image;

use std::fs;
use std::path::Path;

pub use image::{Flash, sections_of};

use crate::toolchain::CHIP;
use crate::{built, qemu, resident};

/// Largest `skiff` that is wanted with everything a boat's server has, bytes.
const BINARY_GOAL: u64 = 10_000_000;
/// Largest resident set of `skiff run --sample` that is wanted, bytes.
const RESIDENT_GOAL: u64 = 12_000_000;
/// Largest text of the board's image, bytes: what was reached (`runtime/docs/size.md`) and 2 %, so that growth is seen.
/// What is wanted is [`TEXT_GOAL`].
const TEXT_MAX: u64 = 1_082_000;
/// The same of its constants.
const RODATA_MAX: u64 = 335_000;
/// Largest text of interpreter and gateway that is wanted, bytes.
const TEXT_GOAL: u64 = 700_000;
/// Crates of the board's image that are neither interpreter nor gateway: its network stack, drivers and start code.
const BOARD_CRATES: [&str; 8] = [
    "managed",
    "rand_chacha",
    "rand_core",
    "safe_mmio",
    "skiff_qemu_riscv32",
    "skiff_virt",
    "smoltcp",
    "virtio_drivers",
];

/// Runs `xtask size [--check] [--board | --by-crate | --linux]`; with `--check` a missed limit is a failure, with `--board`
/// only the board's image is measured, with `--by-crate` also crate by crate, with `--linux` only the program.
///
/// # Errors
/// What cannot be built or measured, and with `--check` the limits that are missed.
pub fn run(arguments: &[String]) -> Result<(), String> {
    let (mut check, mut by_crate, mut of_board, mut of_linux) = (false, false, true, true);
    for argument in arguments {
        match argument.as_str() {
            "--check" => check = true,
            "--by-crate" => (by_crate, of_linux) = (true, false),
            "--board" => of_linux = false,
            "--linux" => of_board = false,
            _ => return Err("the only arguments are --check, --board, --by-crate and --linux".into()),
        }
    }
    if !of_board && !of_linux {
        return Err("--linux leaves out what --board and --by-crate ask for".into());
    }
    let mut rows = Vec::new();
    if of_board {
        let image = qemu::image()?;
        let flash = Flash::of(&image)?;
        if by_crate {
            print_crates(&image, &flash)?;
        }
        rows.push((format!("{CHIP}: text"), flash.text, Some(TEXT_MAX)));
        rows.push((format!("{CHIP}: text of interpreter and gateway"), core_text(&image)?, None));
        rows.push((format!("{CHIP}: rodata"), flash.rodata, Some(RODATA_MAX)));
        rows.push((format!("{CHIP}: data"), flash.data, None));
    }
    if of_linux {
        let skiff = built::shipped()?;
        let resident = resident::of_sample(&skiff)?;
        // As it was built, for that is the file that ships.
        rows.push(("skiff".to_string(), length(&skiff)?, Some(BINARY_GOAL)));
        let name = format!("skiff run --sample: resident after {} s", resident::SECONDS);
        rows.push((name, resident.now, Some(RESIDENT_GOAL)));
        rows.push(("skiff run --sample: resident, peak".to_string(), resident.peak, Some(RESIDENT_GOAL)));
    }
    println!("{:<66} {:>10}  limit", "measured", "bytes");
    let mut missed = Vec::new();
    for (name, bytes, limit) in rows {
        let verdict = match limit {
            Some(limit) if bytes > limit => {
                missed.push(format!("{name}: {bytes} of {limit}"));
                format!("{limit} missed")
            }
            Some(limit) => format!("{limit} met"),
            None => String::new(),
        };
        println!("{name:<66} {bytes:>10}  {verdict}");
    }
    if of_board {
        println!("{CHIP}: the image of hal-esp32/qemu with network and drivers; {TEXT_GOAL} bytes of text are wanted");
    }
    if check && !missed.is_empty() { Err(format!("limits missed: {}", missed.join(", "))) } else { Ok(()) }
}

/// Returns the text without the board's own crates; the modules `net` and `carrier` of the runtime count as gateway.
fn core_text(image: &Path) -> Result<u64, String> {
    let crates = image::code_by_crate(image)?;
    Ok(crates.iter().filter(|(name, _)| !BOARD_CRATES.contains(&name.as_str())).map(|(_, code)| code.bytes).sum())
}

fn print_crates(image: &Path, flash: &Flash) -> Result<(), String> {
    let mut crates: Vec<_> = image::code_by_crate(image)?.into_iter().collect();
    crates.sort_by_key(|(_, code)| std::cmp::Reverse(code.bytes));
    println!("{:<32} {:>10} {:>10}", "code by crate", "bytes", "functions");
    for (name, code) in &crates {
        println!("{name:<32} {:>10} {:>10}", code.bytes, code.functions);
    }
    let named: u64 = crates.iter().map(|(_, code)| code.bytes).sum();
    println!("{:<32} {:>10}\n", "(no symbol)", flash.text.saturating_sub(named));
    Ok(())
}

fn length(path: &Path) -> Result<u64, String> {
    fs::metadata(path).map(|data| data.len()).map_err(|error| format!("cannot read {}: {error}", path.display()))
}
