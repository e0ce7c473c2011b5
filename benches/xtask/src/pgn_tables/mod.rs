//! Generates `runtime/src/n2k/tables` from canboat's PGN database.
//!
//! The database comes out of one pinned npm package. Only facts go into the tables (numbers, field and
//! PGN ids, lookup texts), under canboat's own notice; its prose stays outside. `--check` compares
//! instead of writing, `--tarball FILE` works without a network.

mod collect;
pub mod database;
pub mod selection;
mod write;

use std::fs;
use std::path::{Path, PathBuf};

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
    let top = crate::process::top();
    let database = database::database(tarball)?;
    let tables = collect::collect(&database)?;
    for (name, generated) in write::files(&database, &tables)? {
        let output = top.join(OUTPUT).join(name);
        if check { compare(&output, &generated)? } else { write(&output, &generated)? }
    }
    Ok(())
}

fn write(output: &Path, generated: &str) -> Result<(), String> {
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
