//! Makes the interpreter that boards are built with: the registry's sources of wasmi, and a few edits of ours.
//!
//! `runtime/docs/wasmi-edits.md` says what each edit is for and what it brings. Nothing of wasmi lies in this repository:
//! the sources come through cargo, the edited copy lies below `hal-esp32/target`, where `[patch.crates-io]` of the boards'
//! workspaces looks for it.

mod edits;

use std::fs;
use std::path::{Path, PathBuf};

use edits::{EDITS, Edit, Part};
use sha2::{Digest, Sha256};

use crate::process;

/// The packages that are edited, and the versions the edits are written for.
const PACKAGES: [(&str, &str); 3] = [("wasmi", "2.0.0"), ("wasmi_ir", "2.0.0"), ("wasmparser", "0.228.0")];
/// Where the edited sources lie, from the top folder.
const FOLDER: &str = "hal-esp32/target/made-by-cargo-xtask-wasmi-edits";
/// Makes a package as quiet as cargo makes those of a registry.
const QUIET: &str = "#![allow(warnings)]\n";
/// Tells in that folder what it was made of.
const STAMP: &str = "made-of";
/// What cargo keeps beside a package's own files.
const NOT_COPIED: [&str; 3] = [".cargo-ok", ".cargo_vcs_info.json", "Cargo.lock"];

/// Runs `xtask wasmi-edits`.
///
/// # Errors
/// As [`ensure`].
pub fn run(arguments: &[String]) -> Result<(), String> {
    if !arguments.is_empty() {
        return Err("takes no arguments".into());
    }
    ensure()?;
    let packages = PACKAGES.map(|(name, version)| format!("{name} {version}"));
    println!("{FOLDER}: {}, {} edits", packages.join(", "), EDITS.len());
    Ok(())
}

/// Makes the edited sources where they are missing, or were made of another version or with other edits.
///
/// # Errors
/// That another version is locked, that the sources cannot be fetched, or the edit that does not match exactly once.
pub fn ensure() -> Result<(), String> {
    let folder = process::top().join(FOLDER);
    let sources = sources()?;
    let stamp = stamp(&sources)?;
    let is_made = || fs::read_to_string(folder.join(STAMP)).is_ok_and(|made| made == stamp);
    if is_made() {
        return Ok(());
    }
    eprintln!("+ edit the interpreter into {FOLDER}");
    let fresh = folder.with_extension(std::process::id().to_string());
    for ((name, _), source) in PACKAGES.iter().zip(&sources) {
        copy_folder(source, &fresh.join(name))?;
    }
    for edit in EDITS {
        let path = fresh.join(edit.file);
        let text = fs::read_to_string(&path).map_err(|error| format!("{}: {error}", edit.file))?;
        process::write(&path, &edited(&text, edit)?)?;
    }
    // Cargo hides the warnings of packages from a registry, but not those of packages that lie in a folder.
    for (name, _) in PACKAGES {
        let path = fresh.join(name).join("src/lib.rs");
        let text = fs::read_to_string(&path).map_err(|error| format!("{name}: {error}"))?;
        process::write(&path, &format!("{QUIET}{text}"))?;
    }
    process::write(&fresh.join(STAMP), &stamp)?;
    // Another command may have made the same meanwhile.
    let _ = fs::remove_dir_all(&folder);
    if let Err(error) = fs::rename(&fresh, &folder) {
        let _ = fs::remove_dir_all(&fresh);
        return if is_made() { Ok(()) } else { Err(format!("cannot make {FOLDER}: {error}")) };
    }
    Ok(())
}

/// Asks cargo where the sources of the packages lie; it fetches what is missing.
fn sources() -> Result<Vec<PathBuf>, String> {
    let metadata = process::output(&mut process::command("cargo", ["metadata", "--format-version", "1", "--locked"]))?;
    let metadata: serde_json::Value =
        serde_json::from_str(&metadata).map_err(|error| format!("cargo metadata: {error}"))?;
    let packages = metadata["packages"].as_array().ok_or("cargo metadata names no packages")?;
    PACKAGES.iter().map(|(name, version)| source(packages, name, version)).collect()
}

fn source(packages: &[serde_json::Value], name: &str, version: &str) -> Result<PathBuf, String> {
    let named: Vec<_> = packages.iter().filter(|package| package["name"] == name).collect();
    let Some(package) = named.iter().find(|package| package["version"] == version) else {
        let locked: Vec<_> = named.iter().filter_map(|package| package["version"].as_str()).collect();
        return Err(format!(
            "{name} {version} is what the edits are written for, locked is {}: adapt benches/xtask/src/wasmi_edits and \
             runtime/docs/wasmi-edits.md",
            if locked.is_empty() { "none".to_owned() } else { locked.join(", ") }
        ));
    };
    let text = |field: &str| package[field].as_str().unwrap_or_default();
    if !text("source").starts_with("registry+") {
        return Err(format!("{name} does not come from a registry but from `{}`", text("source")));
    }
    let folder = Path::new(text("manifest_path")).parent().map(Path::to_path_buf);
    folder.ok_or(format!("cargo does not tell where {name} lies"))
}

/// What the edited sources are made of, as one number: another version, place or edit gives another.
fn stamp(sources: &[PathBuf]) -> Result<String, String> {
    let mut hash = Sha256::new();
    hash.update(format!("{PACKAGES:?}"));
    for source in sources {
        hash.update(process::sha256(&source.join("Cargo.toml"))?);
    }
    hash.update(format!("{EDITS:?} {QUIET}"));
    Ok(hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
}

fn copy_folder(from: &Path, to: &Path) -> Result<(), String> {
    let failed = |error| format!("cannot copy {}: {error}", from.display());
    for entry in fs::read_dir(from).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let name = entry.file_name();
        if NOT_COPIED.iter().any(|file| name == *file) {
            continue;
        }
        if entry.file_type().map_err(failed)?.is_dir() {
            copy_folder(&entry.path(), &to.join(name))?;
        } else {
            process::copy(&entry.path(), &to.join(name))?;
        }
    }
    Ok(())
}

/// Makes one edit in the text of its file.
fn edited(text: &str, edit: &Edit) -> Result<String, String> {
    let wrong = |what: &str, count| format!("{}: {what} is there {count} times, not once:\n{}", edit.file, edit.why);
    let (start, end) = match edit.part {
        Part::Text(part) => {
            let start = only(text, part).map_err(|count| wrong("what is replaced", count))?;
            (start, start + part.len())
        }
        Part::Between { from, until } => {
            let start = only(text, from).map_err(|count| wrong("where it begins", count))?;
            let end = only(text, until).map_err(|count| wrong("where it ends", count))?;
            (start, end)
        }
    };
    let (Some(before), Some(after)) = (text.get(..start), text.get(end.max(start)..)) else {
        return Err(wrong("a part that ends before it begins", 1));
    };
    Ok([before, edit.with, after].concat())
}

/// Returns where a part is, or how many times it is there.
fn only(text: &str, part: &str) -> Result<usize, usize> {
    let mut places = text.match_indices(part);
    match (places.next(), places.count()) {
        (Some((at, _)), 0) => Ok(at),
        (None, _) => Err(0),
        (Some(_), more) => Err(more + 1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn edit(part: Part) -> Edit {
        Edit { file: "a.rs", why: "a test", part, with: "new" }
    }

    #[test]
    fn a_part_that_is_there_once_is_replaced() {
        assert_eq!(edited("a old b", &edit(Part::Text("old"))), Ok("a new b".into()));
        let between = Part::Between { from: "old", until: "b" };
        assert_eq!(edited("a old and older", &edit(between)).err().map(|error| error.contains("2 times")), Some(true));
        assert_eq!(edited("a old, more b", &edit(between)), Ok("a newb".into()));
    }

    #[test]
    fn a_part_that_is_missing_or_there_twice_is_an_error() {
        for (text, count) in [("nothing", "0 times"), ("old old", "2 times")] {
            let error = edited(text, &edit(Part::Text("old"))).err().unwrap_or_default();
            assert!(error.contains("a.rs") && error.contains(count), "{error}");
        }
    }

    #[test]
    fn another_version_is_refused_with_its_number() {
        let package = serde_json::json!([{ "name": "wasmi", "version": "2.1.0", "source": "registry+x", "manifest_path": "/a/Cargo.toml" }]);
        let error = source(package.as_array().expect("an array"), "wasmi", "2.0.0").expect_err("another version");
        assert!(error.contains("2.1.0") && error.contains("2.0.0"), "{error}");
    }

    #[test]
    fn every_edit_matches_the_locked_sources() {
        let mut texts = std::collections::BTreeMap::new();
        let sources = sources().expect("the locked version");
        for edit in EDITS {
            let (package, file) = edit.file.split_once('/').expect("a package and a file");
            let index = PACKAGES.iter().position(|(name, _)| *name == package).expect("a package that is copied");
            let text = texts
                .entry(edit.file)
                .or_insert_with(|| fs::read_to_string(sources[index].join(file)).expect("a file of the package"));
            *text = edited(text, edit).expect("an edit that matches");
        }
    }
}
