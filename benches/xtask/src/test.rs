//! Everything a contributor has to see pass, in one command.

use crate::guests::GUESTS;
use crate::{cross, guests, pgn_tables, process, reference_host, setup, std_guest, templates};

/// Runs `xtask test`: setup, then every test there is.
///
/// # Errors
/// The first thing that failed.
pub fn run(arguments: &[String]) -> Result<(), String> {
    if !arguments.is_empty() {
        return Err("takes no arguments; for one test use `cargo test`".into());
    }
    setup::run(&[])?;
    process::run(&mut process::command("cargo", ["test", "--workspace"]))?;
    // Tail calls depend on the profile: what ships is tested too.
    let shipped = ["test", "--release", "-p", "skiff-runtime", "--test", "native_stack", "--test", "host"];
    process::run(&mut process::command("cargo", shipped))?;
    for guest in GUESTS.iter().filter(|guest| guest.is_rust()) {
        let mut cargo = process::command("cargo", ["test", "--locked"]);
        process::run(cargo.current_dir(process::top().join(guest.folder)))?;
    }
    cross::no_std(&[])?;
    guests::run(&["--check".into()])?;
    std_guest::run(&[])?;
    templates::run(&[])?;
    reference_host::run(&[])?;
    pgn_tables::run(&["--check".into()])?;
    cross::test(&[])?;
    println!(
        "every test passed: workspace, guests, no_std build, plugin packages, PGN tables, ARM Linux as told above"
    );
    Ok(())
}
