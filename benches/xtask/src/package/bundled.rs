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
    use super::*;

    #[test]
    fn what_only_development_needs_is_not_shipped() {
        let lock = serde_json::json!({ "packages": {
            "": { "name": "page", "version": "0.1.0" },
            "node_modules/preact": { "version": "10.0.0" },
            "node_modules/a/node_modules/@b/c": { "version": "2.0.0" },
            "node_modules/esbuild": { "version": "0.25.0", "dev": true },
        } });
        let mut found = shipped(&lock);
        found.sort();
        assert_eq!(found, [("@b/c".into(), "2.0.0".into()), ("preact".into(), "10.0.0".to_owned())]);
    }

    #[test]
    fn the_runtime_in_the_built_in_plugin_is_pinned() {
        let lock = parse(PLUGIN).unwrap();
        for name in IN_MODULE {
            assert!(lock["packages"][format!("node_modules/{name}")]["version"].is_string(), "{name}");
        }
    }

    #[test]
    fn a_package_without_a_text_is_refused() {
        let folder = process::target().join("bundled-test");
        process::write(&folder.join("package.json"), "{\"license\": \"MIT\"}").unwrap();
        assert!(read_package(&folder, "a 1.0.0".into()).unwrap_err().contains("a 1.0.0"));
    }
}
