//! Other engines: each is built alone in `benches/engines`, run with the packages, and void where it differs.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};

use super::{node, rounds};
use crate::guests::GUESTS;
use crate::process;

/// An engine.
pub struct Engine {
    /// Short name, also the feature of `benches/engines`.
    pub name: &'static str,
    /// Name for people.
    pub title: &'static str,
    /// Package whose version is told.
    of: &'static str,
    feature: &'static str,
    /// Set while it runs.
    variable: Option<&'static str>,
}

/// Every engine, those that build fast first.
pub const ENGINES: [Engine; 11] = [
    engine("native", "native Rust, no WebAssembly", "true-wind", "native", None),
    engine("v8", "V8 (Node 22, JavaScript host)", "", "", None),
    engine("wasmi", "wasmi, tail calls, no fuel", "wasmi", "wasmi-auto", None),
    engine("wasmi-portable", "wasmi, portable, no fuel", "wasmi", "wasmi-portable", None),
    engine("wasm3", "wasm3", "wasm3-sys", "wasm3", None),
    engine("wamr-classic", "WAMR, classic interpreter", "wamr-sys", "wamr-classic", None),
    engine("wamr-fast", "WAMR, fast interpreter", "wamr-sys", "wamr-fast", None),
    engine("tinywasm", "tinywasm", "tinywasm", "tinywasm", None),
    engine("dlr", "dlr-wasm-interpreter", "dlr-wasm-interpreter", "dlr", None),
    engine("wasmtime", "wasmtime, Cranelift", "wasmtime", "wasmtime", None),
    engine("pulley", "wasmtime, Pulley", "wasmtime", "wasmtime", Some("SKIFF_PULLEY")),
];

const fn engine(
    name: &'static str,
    title: &'static str,
    of: &'static str,
    feature: &'static str,
    variable: Option<&'static str>,
) -> Engine {
    Engine { name, title, of, feature, variable }
}

/// Folders in C of packages that are not built by cargo: variable, package, version, folder.
const SOURCES: [(&str, &str, &str, &str); 2] = [
    ("WASM3_SOURCE", "wasm3-sys", "=0.3.0", "wasm3/source"),
    ("WAMR_SOURCE", "wamr-sys", "=0.1.1", "wasm-micro-runtime"),
];

/// Lays out the packages so that every engine gets the same module, with pages of 64 KiB.
pub fn packages() -> Result<Vec<PathBuf>, String> {
    GUESTS
        .iter()
        .map(|guest| {
            let from = process::top().join(guest.folder);
            let to = process::target().join("bench").join(guest.package.rsplit('/').next().unwrap_or(guest.package));
            for file in ["plugin.wasm", "sample-config.json"] {
                process::copy(&from.join(file), &to.join(file))?;
            }
            let text =
                fs::read_to_string(from.join("package.json")).map_err(|error| format!("{}: {error}", guest.folder))?;
            let mut manifest: Value =
                serde_json::from_str(&text).map_err(|error| format!("{}: {error}", guest.folder))?;
            if let Some(own) = manifest["skiff"].as_object_mut() {
                own.remove("wasmManifest");
            }
            process::write(&to.join("package.json"), &manifest.to_string())?;
            Ok(to)
        })
        .collect()
}

/// An engine that was built.
pub struct Built {
    /// What is run.
    pub program: PathBuf,
    /// Its arguments before the package.
    pub arguments: Vec<PathBuf>,
    /// Set while it runs.
    pub variable: Option<&'static str>,
    /// Version of the engine.
    pub version: String,
    /// Processes of which the median counts in each round.
    pub processes: usize,
}

/// Builds an engine, and installs what that needs.
///
/// # Errors
/// Why it cannot be built here: the last words of what tried.
pub fn built(engine: &Engine) -> Result<Built, String> {
    let built = if engine.name == "v8" { node::built() } else { of_cargo(engine) };
    built.map_err(|reason| short(&reason))
}

impl Built {
    /// Measures packages; what goes wrong is said in the place of the rows.
    pub fn measured(&self, packages: &[PathBuf]) -> Vec<Value> {
        // One process a package: none finds memory that another has freed.
        packages
            .iter()
            .map(|package| {
                let runs: Result<Vec<Value>, String> = (0..self.processes).map(|_| self.once(package)).collect();
                match runs {
                    Ok(runs) => rounds::middle(&runs),
                    Err(reason) => {
                        json!({ "package": package.file_name().unwrap_or_default().to_string_lossy(), "failed": short(&reason) })
                    }
                }
            })
            .collect()
    }

    fn once(&self, package: &Path) -> Result<Value, String> {
        let mut run = Command::new(&self.program);
        if let Some(variable) = self.variable {
            run.env(variable, "1");
        }
        let text = process::output(run.args(&self.arguments).arg(package))?;
        let found: Value = serde_json::from_str(&text).map_err(|error| format!("it printed no table: {error}"))?;
        Ok(found["packages"][0].clone())
    }
}

/// The last part of a reason that says something, without folders of this machine.
pub fn short(reason: &str) -> String {
    let reason = reason.replace(&process::top().display().to_string(), ".");
    let is_folder = |word: &&str| {
        word.trim_start_matches(|letter: char| letter.is_ascii_punctuation() && !matches!(letter, '/' | '.'))
            .starts_with('/')
    };
    let words: Vec<&str> = reason.split_whitespace().filter(|word| !is_folder(word)).collect();
    let text = words.join(" ");
    let from = text.char_indices().rev().nth(239).map_or(0, |(at, _)| at);
    text.get(from..).unwrap_or_default().to_owned()
}

/// Where the engines' program is.
pub fn folder() -> PathBuf {
    process::top().join("benches/engines")
}

/// Returns the program of an engine that is built by cargo.
///
/// # Errors
/// That there is none of this name, or what cargo said.
pub fn program_of(name: &str) -> Result<PathBuf, String> {
    let engine =
        ENGINES.iter().find(|engine| engine.name == name).ok_or_else(|| format!("there is no engine {name}"))?;
    of_cargo(engine).map(|built| built.program)
}

/// Builds the program of `benches/engines` with one engine in it, and keeps it under the engine's name: the next has the
/// same one.
fn of_cargo(engine: &Engine) -> Result<Built, String> {
    let target = process::target().join("engines");
    let mut cargo = Command::new("cargo");
    cargo.args(["build", "--quiet", "--release", "--features", engine.feature, "--target-dir"]).arg(&target);
    for (variable, package, version, below) in SOURCES {
        if engine.of == package {
            cargo.env(variable, source(package, version)?.join(below));
        }
    }
    // Its last lines are the reason where it fails.
    process::output(cargo.current_dir(folder()))?;
    let program = target.join(engine.name);
    process::copy(&target.join("release/skiff-engines"), &program)?;
    let version = SOURCES
        .iter()
        .find(|(_, package, ..)| *package == engine.of)
        .map(|(_, package, version, _)| format!("sources of {package} {}", version.trim_start_matches('=')));
    let version = version.map_or_else(|| locked(&folder(), engine.of), Ok)?;
    Ok(Built { program, arguments: Vec::new(), variable: engine.variable, version, processes: 1 })
}

/// The version of a package in the lock file of a folder.
pub fn locked(folder: &Path, package: &str) -> Result<String, String> {
    let text = fs::read_to_string(folder.join("Cargo.lock")).map_err(|error| format!("Cargo.lock: {error}"))?;
    let mark = format!("name = \"{package}\"\nversion = \"");
    let version = text.split_once(&mark).and_then(|(_, rest)| rest.split('"').next());
    version.map(str::to_owned).ok_or_else(|| format!("Cargo.lock does not name {package}"))
}

/// Where cargo has unpacked a package of the registry.
fn source(package: &str, version: &str) -> Result<PathBuf, String> {
    let probe = process::target().join("bench").join(format!("source-{package}"));
    let manifest = format!(
        "[workspace]\n[package]\nname = \"probe\"\nversion = \"0.0.0\"\nedition = \"2021\"\n[dependencies]\n{package} = \"{version}\"\n"
    );
    process::write(&probe.join("Cargo.toml"), &manifest)?;
    process::write(&probe.join("src/lib.rs"), "")?;
    let mut cargo = Command::new("cargo");
    let text = process::output(cargo.args(["metadata", "--format-version", "1"]).current_dir(&probe))?;
    let metadata: Value = serde_json::from_str(&text).map_err(|error| format!("cargo metadata: {error}"))?;
    let packages = metadata["packages"].as_array().into_iter().flatten();
    let found = packages.filter(|found| found["name"] == package).find_map(|found| found["manifest_path"].as_str());
    found
        .and_then(|path| Path::new(path).parent())
        .map(Path::to_path_buf)
        .ok_or_else(|| format!("{package} is not in the registry"))
}

/// Returns what answers say, path by path: a host that writes a delta of values puts its own stamp into the text.
pub fn said(answers: &Value) -> Value {
    let of_text = |text: &str| -> Option<Value> {
        let delta: Value = serde_json::from_str(text).ok()?;
        let updates = delta["updates"].as_array()?.iter();
        Some(updates.flat_map(|update| update["values"].as_array().cloned().unwrap_or_default()).collect())
    };
    let of = |answer: &Value| answer.as_str().and_then(of_text).unwrap_or_else(|| answer.clone());
    answers.as_array().map_or(Value::Null, |answers| answers.iter().map(of).collect())
}

/// Makes rows void whose plugins answered otherwise than most, or did not run; returns what most answered, by package.
pub fn void_what_differs(rows: &mut [Value]) -> Value {
    let mut agreed = json!({});
    for guest in &GUESTS {
        let answers = |row: &Value| -> Option<Value> {
            let packages = row["packages"].as_array()?;
            let found = packages.iter().find(|found| found["package"] == guest.package)?;
            Some(said(&found["answers"])).filter(Value::is_array)
        };
        let all: Vec<Value> = rows.iter().filter_map(answers).collect();
        let most = all.iter().max_by_key(|one| all.iter().filter(|other| other == one).count()).cloned();
        agreed[guest.package] = most.clone().unwrap_or_default();
        for row in &mut *rows {
            let differs = answers(row).is_some_and(|answers| Some(&answers) != most.as_ref());
            for found in row["packages"].as_array_mut().into_iter().flatten() {
                if found["package"] == guest.package && differs {
                    found["failed"] = "other results than the other engines".into();
                    found["rows"] = Value::Null;
                }
            }
        }
    }
    for row in rows {
        for found in row["packages"].as_array_mut().into_iter().flatten() {
            // They are compared, and said once: by the tests of the packages.
            if let Some(found) = found.as_object_mut() {
                found.remove("answers");
            }
            let folder = GUESTS.iter().find(|guest| {
                found["package"].as_str().is_some_and(|name| guest.package.ends_with(&format!("/{name}")))
            });
            if let Some(guest) = folder {
                found["package"] = guest.package.into();
            }
        }
    }
    agreed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_answers_otherwise_is_void() {
        let row = |name: &str, answer: &str| json!({ "name": name, "packages": [{ "package": GUESTS[0].package, "answers": [answer], "rows": { "load": { "median": 1.0 } } }] });
        let mut rows = vec![row("a", "x"), row("b", "y"), row("c", "x"), json!({ "name": "d", "void": "no compiler" })];
        assert_eq!(void_what_differs(&mut rows)[GUESTS[0].package], json!(["x"]));
        assert!(rows[0]["packages"][0]["failed"].is_null() && rows[2]["packages"][0]["failed"].is_null());
        assert_eq!(rows[1]["packages"][0]["failed"], "other results than the other engines");
        assert!(rows[1]["packages"][0]["rows"].is_null());
        assert!(rows[0]["packages"][0].get("answers").is_none());
    }

    #[test]
    fn answers_are_compared_by_their_values() {
        let plain = json!([r#"{"updates":[{"values":[{"path":"a","value":1.50}]}]}"#, "x"]);
        let stamped =
            json!([r#"{"context":"c","updates":[{"$source":"s","values":[{"path":"a","value":1.5}]}]}"#, "x"]);
        assert_eq!(said(&plain), said(&stamped));
        assert_eq!(said(&plain), json!([[{ "path": "a", "value": 1.5 }], "x"]));
        assert_eq!(said(&Value::Null), Value::Null);
    }

    #[test]
    fn a_reason_names_no_folder_of_this_machine() {
        let elsewhere = std::env::temp_dir().join("x");
        let reason =
            format!("cannot build {}/benches in `{}`: no compiler", process::top().display(), elsewhere.display());
        assert_eq!(short(&reason), "cannot build ./benches in no compiler");
    }
}
