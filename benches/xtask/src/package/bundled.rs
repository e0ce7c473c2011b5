//! The licences of what comes from npm and is in the program: the runtime in the built-in plugin, and libraries of the page.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use super::contents::{empty_folder, read};
use super::notice::{Library, texts};
use crate::process;

/// The built-in plugin that is made from AssemblyScript; its module holds the runtime and the toolkit.
const PLUGIN: &str = "plugins/assemblyscript/shallow-water-alarm/package-lock.json";
/// Packages of that lock file that are in the module.
const IN_MODULE: [&str; 2] = ["assemblyscript", "@signalk/assemblyscript-plugin-sdk"];
/// The built-in plugin that is made from Rust: what its module is linked from.
const RUST_PLUGIN: &str = "plugins/rust/true-wind/Cargo.lock";
/// The page; where it is made of libraries, they are in this file.
const PAGE: &str = "runtime/page/package-lock.json";

/// Returns all of it.
///
/// # Errors
/// What npm said, or a package without a text of its licence.
pub fn all() -> Result<Vec<Library>, String> {
    let mut wanted = Vec::new();
    let lock = parse(PLUGIN)?;
    for name in IN_MODULE {
        let package = &lock["packages"][format!("node_modules/{name}")];
        let version = package["version"].as_str().ok_or_else(|| format!("{PLUGIN} names no version of {name}"))?;
        wanted.push((name.to_owned(), version.to_owned()));
    }
    if process::top().join(PAGE).is_file() {
        wanted.extend(shipped(&parse(PAGE)?));
    }
    wanted.iter().map(|(name, version)| library(name, version)).collect()
}

/// Returns names and versions of the libraries in the built-in plugin made from Rust, as the notice names libraries.
///
/// # Errors
/// That its lock file cannot be read.
pub fn of_the_rust_plugin() -> Result<Vec<String>, String> {
    Ok(locked(&read(RUST_PLUGIN)?))
}

/// Reads what a lock file of cargo has from a registry; what has no source is the project's own.
fn locked(text: &str) -> Vec<String> {
    let member = |package: &str, name: &str| {
        let value = package.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(" = \""))?;
        Some(value.trim_end_matches('"').to_owned())
    };
    let packages = text.split("[[package]]").skip(1);
    let foreign = packages.filter(|package| member(package, "source").is_some());
    foreign
        .filter_map(|package| Some(format!("{} {}", member(package, "name")?, member(package, "version")?)))
        .collect()
}

fn parse(lock: &str) -> Result<Value, String> {
    serde_json::from_str(&read(lock)?).map_err(|error| format!("{lock}: {error}"))
}

/// Returns names and versions of what a lock file does not need for development alone.
fn shipped(lock: &Value) -> Vec<(String, String)> {
    let packages = lock["packages"].as_object().into_iter().flatten();
    let shipped = packages.filter(|(_, package)| package["dev"] != true && package["devOptional"] != true);
    let named = |(path, package): (&String, &Value)| {
        let name = path.rsplit_once("node_modules/")?.1.to_owned();
        Some((name, package["version"].as_str()?.to_owned()))
    };
    shipped.filter_map(named).collect()
}

/// Fetches a package, nothing that it depends on, and reads what lies in it; nothing of it is run.
fn library(name: &str, version: &str) -> Result<Library, String> {
    let folder = process::target().join("notice-npm").join(format!("{}-{version}", name.replace('/', "-")));
    let package = folder.join("package");
    if !package.join("package.json").is_file() {
        empty_folder(&folder)?;
        let mut pack = Command::new("npm");
        pack.args(["pack", "--silent", &format!("{name}@{version}")]).current_dir(&folder);
        let archive = process::output(&mut pack)?;
        let archive = archive.lines().last().unwrap_or_default().trim().to_owned();
        process::run(Command::new("tar").args(["-xzf", &archive]).current_dir(&folder))?;
    }
    read_package(&package, format!("{name} {version}"))
}

fn read_package(package: &Path, name: String) -> Result<Library, String> {
    let manifest = package.join("package.json");
    let manifest = fs::read_to_string(&manifest).map_err(|error| format!("{}: {error}", manifest.display()))?;
    let manifest: Value = serde_json::from_str(&manifest).map_err(|error| format!("{name}: {error}"))?;
    let licence = manifest["license"].as_str().ok_or_else(|| format!("{name} has no licence"))?.to_owned();
    let texts = texts(package, &licence)?;
    if texts.is_empty() {
        Err(format!("{name} brings no text of its licence"))
    } else {
        Ok(Library { name, licence, texts })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// Packages of npm that the files below a folder import, tests left out.
    fn imported(folder: &str) -> BTreeSet<String> {
        let mut found = BTreeSet::new();
        for path in crate::machine::walk(&process::top().join(folder)) {
            let name = path.to_string_lossy().into_owned();
            let is_source = name.ends_with(".ts") || name.ends_with(".tsx");
            if !is_source || name.contains(".test.") || name.contains("/node_modules/") {
                continue;
            }
            let text = fs::read_to_string(&path).unwrap();
            let froms = text.lines().filter(|line| !line.trim_start().starts_with("//")).flat_map(|line| {
                let from = line.split_once(" from ").map(|(_, rest)| rest);
                from.or_else(|| line.strip_prefix("import "))
            });
            for from in froms {
                let Some(name) = from.trim().strip_prefix(['\'', '"']).and_then(|rest| rest.split(['\'', '"']).next())
                else {
                    continue;
                };
                let parts: Vec<&str> = name.split('/').collect();
                match parts.as_slice() {
                    [".", ..] | ["..", ..] => {}
                    [scope, package, ..] if scope.starts_with('@') => {
                        found.insert(format!("{scope}/{package}"));
                    }
                    [package, ..] => {
                        found.insert((*package).to_owned());
                    }
                    [] => {}
                }
            }
        }
        found
    }

    #[test]
    fn whatever_the_page_imports_has_a_notice() {
        let told: BTreeSet<String> = shipped(&parse(PAGE).unwrap()).into_iter().map(|(name, _)| name).collect();
        let imported = imported("runtime/page/src");
        assert!(imported.contains("preact"), "{imported:?}");
        assert_eq!(imported.difference(&told).collect::<Vec<_>>(), Vec::<&String>::new());
        // Written into the page by the compiler's setting `jsxImportSource`, and what its library is made of.
        assert!(told.contains("preact") && told.contains("@preact/signals-core"), "{told:?}");
    }

    #[test]
    fn whatever_the_built_in_plugin_imports_has_a_notice() {
        let folders = ["plugins/assemblyscript/shallow-water-alarm/assembly", "plugins/assemblyscript/toolkit"];
        let imported: BTreeSet<String> = folders.into_iter().flat_map(imported).collect();
        assert!(imported.contains("@signalk/assemblyscript-plugin-sdk"), "{imported:?}");
        // `rt` is the runtime of AssemblyScript, the toolkit the project's own.
        for name in imported.iter().filter(|name| !["rt", "@skiff/assemblyscript-toolkit"].contains(&name.as_str())) {
            assert!(IN_MODULE.contains(&name.as_str()), "{name}");
        }
    }

    #[test]
    fn a_lock_file_tells_what_comes_from_a_registry() {
        let text = "version = 4\n\n[[package]]\nname = \"libm\"\nversion = \"0.2.16\"\nsource = \"registry+x\"\n\n\
                    [[package]]\nname = \"true-wind\"\nversion = \"0.1.0\"\n";
        assert_eq!(locked(text), ["libm 0.2.16"]);
        assert!(of_the_rust_plugin().unwrap().iter().any(|name| name.starts_with("libm ")));
    }

    /// Who puts another file into the program asks whose it is, tells of it above, and adds it here.
    #[test]
    fn no_file_from_elsewhere_is_in_the_program_unseen() {
        let mut found = BTreeSet::new();
        for folder in ["runtime/src", "runtime/abi/src", "hal-linux/src"] {
            for path in crate::machine::walk(&process::top().join(folder)) {
                if path.extension().is_none_or(|end| end != "rs") || path.ends_with("tests.rs") {
                    continue;
                }
                let text = fs::read_to_string(&path).unwrap();
                // Tests are no part of the program.
                let text = text.split("#[cfg(test)]").next().unwrap_or_default();
                // What lies beside its source is the project's own.
                let files = text.split("include_bytes!(").skip(1).filter_map(|rest| rest.lines().next());
                let elsewhere = files.filter(|file| file.contains("..") || file.contains("OUT_DIR"));
                found.extend(
                    elsewhere.filter_map(|file| Some(file.rsplit('"').nth(1)?.trim_start_matches("../").to_owned())),
                );
            }
        }
        let known = [
            // Made by `runtime/build.rs` from the page, and from the project's own tables.
            "/documents.zlib",
            "/page.zlib",
            "plugins/assemblyscript/shallow-water-alarm/package.json",
            "plugins/assemblyscript/shallow-water-alarm/plugin-small.wasm",
            "plugins/rust/true-wind/package.json",
            "plugins/rust/true-wind/plugin-small.wasm",
        ];
        assert_eq!(found, known.map(str::to_owned).into());
    }

    #[test]
    fn a_package_without_a_text_is_refused() {
        let folder = process::target().join("bundled-test");
        process::write(&folder.join("package.json"), "{\"license\": \"MIT\"}").unwrap();
        assert!(read_package(&folder, "a 1.0.0".into()).unwrap_err().contains("a 1.0.0"));
    }
}
