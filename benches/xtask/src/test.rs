//! Everything a contributor has to see pass, in one command, and each part of it alone.

use std::time::Instant;

use crate::guests::GUESTS;
use crate::{cross, go_guest, guests, kits, pgn_tables, process, reference_host, setup, shipped, std_guest, templates};

/// A part: its name, what it is, and the function.
type Part = (&'static str, &'static str, fn() -> Result<(), String>);

/// `.ci/run` calls each of them in one of its lanes.
const PARTS: &[Part] = &[
    ("setup", "setup", || setup::run(&[])),
    ("workspace", "workspace", workspace),
    ("shipped", "as it ships", shipped::run),
    ("guests", "Rust guests", rust_guests),
    ("no-std", "no_std build", || cross::no_std(&[])),
    ("packages", "plugin packages", || guests::run(&["--check".into()])),
    ("toolchains", "guests of other toolchains", || std_guest::run(&[]).and_then(|()| go_guest::run(&[]))),
    ("kits", "plugins in every language", || kits::run(&[])),
    ("templates", "templates", || templates::run(&[])),
    ("reference-host", "reference host", || reference_host::run(&[])),
    ("pgn-tables", "PGN tables", || pgn_tables::run(&["--check".into()])),
    ("arm", "ARM Linux", || cross::test(&[])),
];

/// Runs `xtask test [PART]…`; all parts where none is named.
///
/// # Errors
/// A part that there is not, or the first thing that failed.
pub fn run(arguments: &[String]) -> Result<(), String> {
    let wanted = parts(arguments)?;
    let began = Instant::now();
    for (_, what, run) in &wanted {
        println!("-- {what} ({} s)", began.elapsed().as_secs());
        run()?;
    }
    if arguments.is_empty() {
        println!(
            "every test passed: workspace, guests, no_std build, plugin packages, PGN tables, ARM Linux as told above"
        );
    }
    Ok(())
}

fn parts(names: &[String]) -> Result<Vec<&'static Part>, String> {
    let known = || PARTS.iter().map(|(name, ..)| *name).collect::<Vec<_>>().join(", ");
    let find = |name: &String| {
        let part = PARTS.iter().find(|(known, ..)| known == name);
        part.ok_or_else(|| format!("there is no part {name}; there are {}; for one test use `cargo test`", known()))
    };
    if names.is_empty() { Ok(PARTS.iter().collect()) } else { names.iter().map(find).collect() }
}

fn workspace() -> Result<(), String> {
    process::run(&mut process::command("cargo", ["test", "--workspace"]))
}

fn rust_guests() -> Result<(), String> {
    for guest in GUESTS.iter().filter(|guest| guest.is_rust()) {
        let mut cargo = process::command("cargo", ["test", "--locked"]);
        process::run(cargo.current_dir(process::top().join(guest.folder)))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_that_there_is_not_is_refused() {
        assert!(parts(&["wrkspace".to_owned()]).unwrap_err().contains("wrkspace"));
        assert_eq!(parts(&[]).unwrap().len(), PARTS.len());
    }

    #[test]
    fn ci_runs_every_part_once() {
        let script = std::fs::read_to_string(process::top().join(".ci/run")).unwrap();
        let called: Vec<&str> = script
            .lines()
            .filter_map(|line| line.split_once("xtask test "))
            .flat_map(|(_, parts)| parts.split_whitespace())
            .collect();
        // What a lane lacks it installs by itself.
        for (name, ..) in PARTS.iter().filter(|(name, ..)| *name != "setup") {
            assert_eq!(called.iter().filter(|other| *other == name).count(), 1, "{name} in {called:?}");
        }
    }
}
