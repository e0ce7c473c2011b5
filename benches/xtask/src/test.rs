//! Everything a contributor has to see pass, in one command.

use std::time::Instant;

use crate::guests::GUESTS;
use crate::{cross, go_guest, guests, pgn_tables, process, reference_host, setup, std_guest, templates};

/// Runs `xtask test`: setup, then every test there is.
///
/// # Errors
/// The first thing that failed.
pub fn run(arguments: &[String]) -> Result<(), String> {
    if !arguments.is_empty() {
        return Err("takes no arguments; for one test use `cargo test`".into());
    }
    let began = Instant::now();
    let step = |what: &str| println!("-- {what} ({} s)", began.elapsed().as_secs());
    step("setup");
    setup::run(&[])?;
    step("workspace");
    process::run(&mut process::command("cargo", ["test", "--workspace"]))?;
    // Tail calls depend on the profile: what ships is tested too.
    step("as it ships");
    let shipped = ["test", "--release", "-p", "skiff-runtime", "--test", "native_stack", "--test", "host"];
    process::run(&mut process::command("cargo", shipped))?;
    step("Rust guests");
    for guest in GUESTS.iter().filter(|guest| guest.is_rust()) {
        let mut cargo = process::command("cargo", ["test", "--locked"]);
        process::run(cargo.current_dir(process::top().join(guest.folder)))?;
    }
    step("no_std build");
    cross::no_std(&[])?;
    step("plugin packages");
    guests::run(&["--check".into()])?;
    step("guests of other toolchains");
    std_guest::run(&[])?;
    go_guest::run(&[])?;
    step("templates");
    templates::run(&[])?;
    step("reference host");
    reference_host::run(&[])?;
    step("PGN tables");
    pgn_tables::run(&["--check".into()])?;
    step("ARM Linux");
    cross::test(&[])?;
    println!(
        "every test passed: workspace, guests, no_std build, plugin packages, PGN tables, ARM Linux as told above"
    );
    Ok(())
}
