//! Installs what the other commands need on a fresh machine.

use crate::toolchain::{CHIP, GUEST, GUEST_WASI, Toolchain};
use crate::{cross, guests};

/// Runs `xtask setup`.
///
/// # Errors
/// What cannot be installed, and what to type where that can help.
pub fn run(arguments: &[String]) -> Result<(), String> {
    if !arguments.is_empty() {
        return Err("takes no arguments".into());
    }
    for target in [GUEST, GUEST_WASI, CHIP] {
        let toolchain = Toolchain::ensure(target)?;
        println!("{target}: {}", toolchain.version()?);
    }
    guests::node_packages()?;
    println!("node packages: installed");
    for arm in &cross::ARM {
        match arm.prepare() {
            Ok(toolchain) => println!("{}: {}", arm.target, toolchain.version()?),
            Err(reason) => println!("{}: cannot be built here: {reason}", arm.target),
        }
    }
    Ok(())
}
