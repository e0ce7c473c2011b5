//! Builds the emulated board and runs the tests that boot it (`hal-esp32/qemu/tests`).

use std::fs;
use std::path::{Path, PathBuf};

use crate::size::Flash;
use crate::toolchain::{CHIP, Toolchain};
use crate::{built, debian, kits, process, wasmi_edits};

/// The emulator.
const EMULATOR: &str = "qemu-system-riscv32";

/// Runs `xtask qemu [--net | --storage | --board esp32c6 [--engine skiff] | --engine skiff | --hostile [FOLDER]]
/// [--only NAME]`.
///
/// # Errors
/// What cannot be built, or which tests failed.
pub fn run(arguments: &[String]) -> Result<(), String> {
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let (words, only) = match words.as_slice() {
        [words @ .., "--only", name] => (words, Some(*name)),
        words => (words, None),
    };
    let (tests, folder): (&[&str], Option<&str>) =
        match words {
            [] => (&["board-sample", "board-shapes", "board-hostile"], None),
            ["--net"] => (&["board-net", "board-set-up"], None),
            ["--storage"] => (&["board-storage"], None),
            ["--board", "esp32c6"] => (&["board-esp32c6"], None),
            ["--board", "esp32c6", "--engine", "skiff"] => (&["board-chip"], None),
            ["--engine", "skiff"] => (&["board-engine", "board-hostile"], None),
            ["--hostile"] => (&["board-hostile"], None),
            ["--hostile", folder] => (&["board-hostile"], Some(folder)),
            _ => return Err(
                "takes --net, --storage, --board esp32c6, --engine skiff, the last two together, or --hostile and a \
                 folder of modules; then --only and a test"
                    .into(),
            ),
        };
    prepare()?;
    let is_compared = words.first() == Some(&"--engine");
    let is_other = words.contains(&"--engine");
    let modules = if is_other && !is_compared { Some(kits::chip_modules()?) } else { None };
    // All have the same name, and the next one is built over it.
    let beside = if is_compared { Some(kept(&image()?, "wasmi")?) } else { None };
    let bare = if is_compared { Some(Flash::of(&image_with(&CHIP_BARE)?)?.text) } else { None };
    let image = if is_other { image_with(&CHIP_WHOLE)? } else { image()? };
    let flash = Flash::of(&image)?;
    let skiff = built::tested()?;
    let mut cargo = process::command("cargo", ["test", "--workspace"]);
    cargo.args(tests.iter().flat_map(|name| ["--test", name]));
    // They are ignored elsewhere; what they measure is shown, test by test.
    cargo.args(["--", "--ignored", "--show-output"]).args(only);
    cargo.env("SKIFF", skiff).env("SKIFF_BOARD_IMAGE", image);
    cargo.env("SKIFF_BOARD_COMPILER", Toolchain::ensure(CHIP)?.version()?);
    for (name, bytes) in [("TEXT", flash.text), ("RODATA", flash.rodata), ("DATA", flash.data)] {
        cargo.env(format!("SKIFF_BOARD_{name}"), bytes.to_string());
    }
    if let Some(image) = beside {
        cargo.env("SKIFF_BOARD_TEXT_WASMI", Flash::of(&image)?.text.to_string());
        cargo.env("SKIFF_BOARD_IMAGE_WASMI", image);
    }
    if let Some(text) = bare {
        cargo.env("SKIFF_BOARD_TEXT_BARE", text.to_string());
    }
    if let Some(folder) = modules {
        cargo.env("SKIFF_BOARD_MODULES", folder);
    }
    if let Some(folder) = folder {
        cargo.env("SKIFF_HOSTILE", std::path::absolute(folder).map_err(|error| error.to_string())?);
    }
    process::run(&mut cargo)
}

/// Features of the image with the engine for chips.
const CHIP_WHOLE: [&str; 3] = ["--no-default-features", "--features", "engine-chip,page"];
/// The same without the page.
const CHIP_BARE: [&str; 3] = ["--no-default-features", "--features", "engine-chip"];

/// Keeps an image under a name of its own.
fn kept(image: &Path, ending: &str) -> Result<PathBuf, String> {
    let kept = image.with_extension(ending);
    fs::copy(image, &kept).map_err(|error| format!("{}: {error}", kept.display()))?;
    Ok(kept)
}

/// Builds the image of the board.
///
/// # Errors
/// What cargo said.
pub fn image() -> Result<PathBuf, String> {
    image_with(&[])
}

fn image_with(features: &[&str]) -> Result<PathBuf, String> {
    wasmi_edits::ensure()?;
    let toolchain = Toolchain::ensure(CHIP)?;
    let target = process::target().join("hal-esp32");
    let mut cargo = toolchain.cargo(&process::top().join("hal-esp32"));
    cargo.args(["build", "--release", "--locked", "-p", "skiff-qemu-riscv32", "--target", CHIP, "--target-dir"]);
    process::run(cargo.arg(&target).args(features))?;
    Ok(target.join(CHIP).join("release/skiff-qemu-riscv32"))
}

/// Installs the emulator, and `npm`, which packs packages for the board.
///
/// # Errors
/// What to type.
pub fn prepare() -> Result<(), String> {
    for (program, packages) in [(EMULATOR, &["qemu-system-misc"][..]), ("npm", &["nodejs", "npm"]), ("curl", &["curl"])]
    {
        if !process::found(program) {
            debian::packages(packages)?;
        }
    }
    Ok(())
}
