//! Generates `runtime/src/n2k/tables` from canboat's PGN database.
//!
//! The database comes out of one pinned npm package. Only facts go into the tables (numbers, field and
//! PGN ids, lookup texts), under canboat's own notice; its prose stays outside. `--check` compares
//! instead of writing, `--tarball FILE` works without a network.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use skiff_pgn_tables::{collect, database, write};

use crate::process;

/// SHA-256 of the package's tarball.
const TARBALL_SHA256: &str = "95262e3aedd09d0acd9ced6b945e7af2a9b5755eb0867fbe74130a2ae434ca77";
/// What is generated, from the top of the workspace.
const OUTPUT: &str = "runtime/src/n2k/tables";

/// Runs `xtask pgn-tables [--check] [--tarball FILE]`.
///
/// # Errors
/// One clause: which argument, file or fact is wrong.
pub fn run(arguments: &[String]) -> Result<(), String> {
    let mut check = false;
    let mut tarball = None;
    let mut rest = arguments.iter();
    while let Some(argument) = rest.next() {
        match argument.as_str() {
            "--check" => check = true,
            "--tarball" => tarball = Some(PathBuf::from(rest.next().ok_or("--tarball needs a file")?)),
            other => return Err(format!("unknown argument {other}; known are --check and --tarball FILE")),
        }
    }
    let top = process::top();
    let database = database(tarball)?;
    let tables = collect::collect(&database)?;
    for (name, generated) in write::files(&database, &tables)? {
        let output = top.join(OUTPUT).join(name);
        if check { compare(&output, &generated)? } else { keep(&output, &generated)? }
    }
    Ok(())
}

/// Fetches the tarball where none is given, checks it, and reads the database out of it.
///
/// # Errors
/// One clause: what cannot be fetched or read, or is not what is pinned.
pub fn database(tarball: Option<PathBuf>) -> Result<Value, String> {
    let tarball = match tarball {
        Some(tarball) => tarball,
        None => fetch(&process::target().join("pgn-tables"))?,
    };
    let found = process::sha256(&tarball)?;
    if found != TARBALL_SHA256 {
        return Err(format!("{} has SHA-256 {found}, pinned is {TARBALL_SHA256}", tarball.display()));
    }
    database::parse(&process::output(Command::new("tar").arg("-xzOf").arg(&tarball).arg("package/canboat.json"))?)
}

fn fetch(folder: &Path) -> Result<PathBuf, String> {
    let package = database::PACKAGE;
    fs::create_dir_all(folder).map_err(|error| format!("cannot create {}: {error}", folder.display()))?;
    let listing = process::output(Command::new("npm").args(["pack", "--silent", package]).current_dir(folder))?;
    let name = listing.lines().last().ok_or_else(|| format!("npm pack {package} named no file"))?;
    Ok(folder.join(name.trim()))
}

fn keep(output: &Path, generated: &str) -> Result<(), String> {
    let folder = output.parent().unwrap_or(output);
    fs::create_dir_all(folder)
        .and_then(|()| fs::write(output, generated))
        .map_err(|error| format!("cannot write {}: {error}", output.display()))?;
    println!("{}: {} bytes", output.display(), generated.len());
    Ok(())
}

fn compare(output: &Path, generated: &str) -> Result<(), String> {
    let name = output.display();
    let present = fs::read_to_string(output).map_err(|error| format!("cannot read {name}: {error}"))?;
    if present == generated {
        println!("{name} is what {} gives", database::PACKAGE);
        return Ok(());
    }
    let line = present.lines().zip(generated.lines()).take_while(|(left, right)| left == right).count() + 1;
    let package = database::PACKAGE;
    Err(format!("{name} differs from what {package} gives, first in line {line}; run `cargo xtask pgn-tables`"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refuses_unknown_arguments_and_other_tarballs() {
        assert!(run(&["--chek".to_owned()]).unwrap_err().contains("--chek"));
        let other = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml");
        let error = run(&["--check".to_owned(), "--tarball".to_owned(), other.to_owned()]).unwrap_err();
        assert!(error.contains("pinned is"), "{error}");
    }
}
