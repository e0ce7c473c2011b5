//! The licences of everything that is in the program.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use serde_json::Value;

use super::bundled;
use super::contents::{Contents, DIST, read};
use super::elf::Linkage;
use crate::{kits, process};

/// Beginnings of the names of files that hold a licence or what it asks to be told.
const FILES: [&str; 6] = ["licen", "copying", "copyright", "notice", "unlicense", "authors"];
/// Folders of a package that are no part of a program.
const NOT_LINKED: [&str; 6] = ["tests", "test", "benches", "examples", "fuzz", "node_modules"];
/// Ends of the names of sources, which can begin as those of licences do.
const SOURCES: [&str; 6] = ["rs", "c", "h", "js", "ts", "py"];

/// A library of others.
#[derive(Debug, PartialEq, Eq)]
pub struct Library {
    /// With its version, where it has one.
    pub name: String,
    /// SPDX expression.
    pub licence: String,
    /// Texts of its own files.
    pub texts: Vec<String>,
}

/// Returns the notice of a program.
///
/// # Errors
/// What cargo or npm said, or a library without a licence.
pub fn of(contents: &Contents) -> Result<String, String> {
    let target = contents.system.target(contents.elf.linkage());
    let mut parts = libraries(target)?;
    parts.push(standard_library()?);
    parts.extend(bundled::all()?);
    if contents.elf.linkage() == Linkage::Static {
        parts.extend(of_zig()?);
    }
    if let Some(library) = parts.iter().find(|part| part.texts.iter().all(String::is_empty)) {
        return Err(format!("{} has no notice", library.name));
    }
    if let Some(missing) =
        bundled::of_the_rust_plugin()?.iter().find(|name| parts.iter().all(|part| part.name != **name))
    {
        return Err(format!("{missing} is in a built-in plugin and has no notice"));
    }
    Ok(format!("{}\n{}", read(&format!("{DIST}/notice.txt"))?, written(&parts)))
}

/// Reads a licence of the folder that comes with Rust's compiler.
fn rust_licence(name: &str) -> Result<String, String> {
    let sysroot = process::output(&mut process::command("rustc", ["--print", "sysroot"]))?;
    let path = Path::new(&sysroot).join("share/doc/rust/licenses").join(name);
    fs::read_to_string(&path).map(|text| text.trim().to_owned()).map_err(|error| format!("{}: {error}", path.display()))
}

fn standard_library() -> Result<Library, String> {
    let texts = ["MIT.txt", "LLVM-exception.txt"].map(rust_licence).into_iter().collect::<Result<_, _>>()?;
    let name = "Rust's standard library".to_owned();
    Ok(Library { name, licence: "MIT OR Apache-2.0, parts Apache-2.0 WITH LLVM-exception".to_owned(), texts })
}

/// What is in programs that are linked to nothing: the C library, whose text Zig carries, whoever linked it; and what Zig brings
/// where it is the linker.
fn of_zig() -> Result<Vec<Library>, String> {
    kits::zig()?;
    let folder = process::target().join("zig/ziglang");
    let library = |name: &str, licence: &str, file: &str| -> Result<Library, String> {
        let path = folder.join(file);
        let text = fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        Ok(Library { name: name.to_owned(), licence: licence.to_owned(), texts: vec![text.trim().to_owned()] })
    };
    Ok(vec![
        library("musl", "MIT", "lib/libc/musl/COPYRIGHT")?,
        library("Zig's compiler runtime (where Zig is the linker)", "MIT", "LICENSE")?,
    ])
}

/// Returns what is linked into the program for a target.
fn libraries(target: &str) -> Result<Vec<Library>, String> {
    let words = ["tree", "--locked", "-p", "skiff-gateway", "--target", target, "--edges", "normal,no-proc-macro"];
    let tree = process::output(process::command("cargo", words).args(["--prefix", "none", "--format", "{p}"]))?;
    let linked: BTreeSet<(&str, &str)> = tree.lines().filter_map(name_and_version).collect();
    let words = ["metadata", "--locked", "--format-version", "1"];
    let said: Value = serde_json::from_str(&process::output(&mut process::command("cargo", words))?)
        .map_err(|error| format!("cargo metadata: {error}"))?;
    let mut libraries = Vec::new();
    for package in said["packages"].as_array().into_iter().flatten() {
        let text = |member: &str| package[member].as_str().unwrap_or_default();
        let (name, version) = (text("name"), text("version"));
        // What has no source is the project's own.
        if package["source"].is_null() || !linked.contains(&(name, version)) {
            continue;
        }
        let name = format!("{name} {version}");
        let licence = match (text("license"), text("license_file")) {
            ("", "") => return Err(format!("{name} has no licence")),
            ("", file) => format!("see {file}"),
            (licence, _) => licence.to_owned(),
        };
        let folder = Path::new(text("manifest_path")).parent().unwrap_or(Path::new("/"));
        let mut texts = texts(folder, &licence)?;
        if texts.is_empty() {
            texts.push(stand_in(&name, &licence, &package["authors"], &rust_licence("MIT.txt")?)?);
        }
        libraries.push(Library { texts, name, licence });
    }
    libraries.sort_by(|left, right| left.name.cmp(&right.name));
    if libraries.len() < 50 { Err(format!("only {} libraries were found", libraries.len())) } else { Ok(libraries) }
}

/// Returns the text for a library whose package has none: whom its manifest names, and the licence itself.
fn stand_in(name: &str, licence: &str, authors: &Value, mit: &str) -> Result<String, String> {
    if !offers_mit(licence) {
        return Err(format!("{name} brings no text of its licence, {licence}"));
    }
    let authors: Vec<&str> = authors.as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let by = if authors.is_empty() { format!("the authors of {name}") } else { authors.join(", ") };
    Ok(format!("By {by}. The package holds no text; its manifest names this licence:\n\n{mit}"))
}

fn offers_mit(licence: &str) -> bool {
    licence.split(" OR ").flat_map(|one| one.split('/')).any(|one| one.trim() == "MIT")
}

/// Reads `name v1.2.3 (…)`.
fn name_and_version(line: &str) -> Option<(&str, &str)> {
    let mut words = line.split_whitespace();
    Some((words.next()?, words.next()?.strip_prefix('v')?))
}

/// Returns the texts that lie in a library, those of its parts too: C code of others has folders of its own. Where MIT is one of
/// the licences that a folder offers, that is the one taken, and only its text and notices are needed.
pub(super) fn texts(folder: &Path, licence: &str) -> Result<Vec<String>, String> {
    let unreadable = |error: std::io::Error| format!("{}: {error}", folder.display());
    let lower = |path: &Path| path.file_name().unwrap_or_default().to_string_lossy().to_lowercase();
    let (mut files, mut parts) = (Vec::new(), Vec::new());
    for path in fs::read_dir(folder).map_err(unreadable)?.flatten().map(|entry| entry.path()) {
        let name = lower(&path);
        if path.is_dir() {
            if !NOT_LINKED.contains(&name.as_str()) && !name.starts_with('.') {
                parts.push(path);
            }
        } else if FILES.iter().any(|beginning| name.starts_with(beginning))
            && !SOURCES.iter().any(|end| path.extension().is_some_and(|found| found == *end))
        {
            files.push(path);
        }
    }
    files.sort();
    parts.sort();
    if offers_mit(licence) && files.iter().any(|path| lower(path).contains("mit")) {
        files.retain(|path| lower(path).contains("mit") || lower(path).starts_with("notice"));
    }
    let own = files.iter().map(|path| fs::read_to_string(path).map(|text| text.trim().to_owned()).map_err(unreadable));
    let mut found = own.collect::<Result<Vec<String>, String>>()?;
    for part in parts {
        found.extend(texts(&part, licence)?);
    }
    Ok(found)
}

/// Writes a table of the libraries, then each text once with those that it is of.
fn written(libraries: &[Library]) -> String {
    let mut out = String::from("Libraries in the program, and the licences they can be used under\n\n");
    for library in libraries {
        out.push_str(&format!("  {:<40} {}\n", library.name, library.licence));
    }
    let mut of_text: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for library in libraries {
        for text in &library.texts {
            of_text.entry(text).or_default().push(&library.name);
        }
    }
    let mut texts: Vec<(&str, Vec<&str>)> = of_text.into_iter().collect();
    texts.sort_by(|left, right| left.1.cmp(&right.1));
    for (text, names) in texts {
        out.push_str(&format!("\n{}\n{}\n\n{text}\n", "-".repeat(80), names.join(", ")));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_text_stands_once_with_the_names_of_all_that_have_it() {
        let library = |name: &str, texts: &[&str]| Library {
            name: name.into(),
            licence: "MIT".into(),
            texts: texts.iter().map(|text| (*text).to_owned()).collect(),
        };
        let text = written(&[library("a 1.0.0", &["T one"]), library("b 2.0.0", &["T one", "T two"])]);
        assert_eq!(text.matches("T one").count(), 1);
        assert!(text.contains("a 1.0.0, b 2.0.0\n\nT one\n") && text.contains("b 2.0.0\n\nT two\n"), "{text}");
        assert_eq!(name_and_version("ring v0.17.14"), Some(("ring", "0.17.14")));
        assert_eq!(name_and_version("x v1.0.0 (/a/b)"), Some(("x", "1.0.0")));
    }

    #[test]
    fn a_package_without_a_text_names_its_authors_and_the_licence_itself() {
        let text = stand_in("a 1.0.0", "MIT/Apache-2.0", &serde_json::json!(["Ann Author"]), "Permission").unwrap();
        assert!(text.starts_with("By Ann Author.") && text.ends_with("Permission"), "{text}");
        assert!(stand_in("a 1.0.0", "MIT", &Value::Null, "").unwrap().contains("the authors of a 1.0.0"));
        assert!(stand_in("b 2.0.0", "BSD-3-Clause", &Value::Null, "").unwrap_err().contains("b 2.0.0"));
    }

    #[test]
    fn of_two_licences_the_short_one_is_told() {
        let folder = process::target().join("notice-test");
        for file in ["LICENSE-MIT", "LICENSE-APACHE", "NOTICE", "lib.rs"] {
            process::write(&folder.join(file), file).unwrap();
        }
        assert_eq!(texts(&folder, "MIT OR Apache-2.0").unwrap(), ["LICENSE-MIT", "NOTICE"]);
        assert_eq!(texts(&folder, "Apache-2.0").unwrap(), ["LICENSE-APACHE", "LICENSE-MIT", "NOTICE"]);
    }

    #[test]
    fn parts_of_others_in_a_library_have_their_own_texts() {
        let folder = process::target().join("notice-parts-test");
        for file in ["LICENSE", "third_party/fiat/LICENSE", "tests/LICENSE-of-a-test", "src/license.rs"] {
            process::write(&folder.join(file), file).unwrap();
        }
        assert_eq!(texts(&folder, "MIT").unwrap(), ["LICENSE", "third_party/fiat/LICENSE"]);
    }

    #[test]
    fn the_c_code_of_cryptography_is_told_with_its_parts() {
        let libraries = libraries("x86_64-unknown-linux-gnu").unwrap();
        let ring = libraries.iter().find(|library| library.name.starts_with("ring ")).unwrap();
        for holder in ["BoringSSL", "Brian Smith", "the fiat-crypto authors"] {
            assert!(ring.texts.iter().any(|text| text.contains(holder)), "{holder}");
        }
        let void = libraries.iter().find(|library| library.texts.iter().all(|text| text.trim().is_empty()));
        assert_eq!(void, None, "a library without a notice");
    }
}
