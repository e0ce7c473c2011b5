//! Formatting and lints of the packages that are no members of the workspace, which `cargo fmt` and `cargo clippy` there
//! do not see.

use crate::toolchain::{CHIP, Toolchain};
use crate::{process, wasmi_edits};

/// Packages and workspaces of their own.
const APART: [&str; 9] = [
    "hal-esp32",
    "hal-esp32/esp32c6",
    "plugins/rust/anchor-watch",
    "plugins/rust/shallow-water-alarm",
    "plugins/rust/true-wind",
    "runtime/fuzz",
    "runtime/tests/std-guest",
    "benches/engines",
    "benches/engines/board",
];
/// Those of them that are built for a chip, and where that is below the target folder.
const CHIPS: [(&str, &str); 2] = [("hal-esp32", "hal-esp32"), ("hal-esp32/esp32c6", "esp32c6/build")];

/// Runs `xtask lint [--format | --chips]`; where no clippy knows the chip, that is told.
///
/// # Errors
/// What is not formatted, or what clippy said.
pub fn run(arguments: &[String]) -> Result<(), String> {
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => format().and_then(|()| chips()),
        ["--format"] => format(),
        ["--chips"] => chips(),
        _ => Err("takes --format or --chips".into()),
    }
}

fn format() -> Result<(), String> {
    for folder in APART {
        let mut format = process::command("cargo", ["fmt", "--check"]);
        process::run(format.current_dir(process::top().join(folder)))?;
    }
    println!("{} packages formatted", APART.len());
    Ok(())
}

fn chips() -> Result<(), String> {
    wasmi_edits::ensure()?;
    let toolchain = Toolchain::ensure(CHIP)?;
    if toolchain == Toolchain::Debian {
        println!("SKIPPED: the chips' code was not linted, the compiler of Debian has no clippy");
        return Ok(());
    }
    for (folder, target) in CHIPS {
        let mut clippy = toolchain.cargo(&process::top().join(folder));
        // What they depend on is linted in the workspace at the top, or is none of ours, as the edited interpreter is.
        clippy.args(["clippy", "--quiet", "--no-deps", "--release", "--locked", "--target", CHIP, "--target-dir"]);
        clippy.arg(process::target().join(target)).args(["--", "-D", "warnings"]);
        process::run(&mut clippy)?;
    }
    println!("{} chips linted", CHIPS.len());
    Ok(())
}
