//! The packages of every language on a real Signal K server: packed, installed, and played their scenarios, one at a time.
//!
//! What comes out there must be what `skiff test` gives for the same deltas. The table of both is written to
//! `plugins/docs`; what the server cannot run is a row of [`NOT_UPSTREAM`] with the reason.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};

use crate::kits::{self, Package};
use crate::{built, process, signalk_server};

const RECORD: &str = "plugins/docs/signalk-server-2.32.md";
/// Languages whose modules the server does not start, and why; what it says of them is in the table, too.
const NOT_UPSTREAM: [(&str, &str); 1] = [("go", "calls `_initialize` twice")];

/// One start of a plugin and what followed.
#[derive(Debug, PartialEq)]
struct Start {
    runs: bool,
    /// Path and value, by path and in their order: the server tells the notifications of a delta before its other values.
    values: Vec<(String, Value)>,
}

impl Start {
    fn new(runs: bool, values: impl Iterator<Item = (String, Value)>) -> Self {
        let mut values: Vec<_> = values.collect();
        values.sort_by(|one, other| one.0.cmp(&other.0));
        Self { runs, values }
    }
}

/// Runs `xtask signalk-server --kits`.
///
/// # Errors
/// What cannot be built, installed or started, or which package behaves otherwise than on Skiff.
pub fn run() -> Result<(), String> {
    let packages = kits::packages()?;
    let folder = process::target().join("signalk-kits");
    let config = folder.join("config");
    let names = install(&packages, &folder, &config)?;
    let plays = packages.iter().zip(&names);
    let plays: Vec<Value> =
        plays.map(|(package, name)| json!({ "package": name, "scenario": package.scenario })).collect();
    process::write(&folder.join("plays.json"), &Value::from(plays).to_string())?;
    let transcript = signalk_server::drive("kits.mjs", &config, &[&folder.join("plays.json")])?;
    process::write(&folder.join("transcript.ndjson"), &transcript)?;
    let skiff = built::tested()?;
    let title = format!("# The packages of every language on Signal K Server {}\n\n", signalk_server::SERVER);
    let (mut table, mut wrong) = (title + HEAD, Vec::new());
    for (package, name) in packages.iter().zip(&names) {
        let module = config.join("node_modules").join(name).join(crate::guests::MODULE);
        let expected = on_skiff(&skiff, &package.scenario, &module)?;
        let found = upstream(&transcript, name);
        let (row, is_right) = row(package, name, &expected, &found, &transcript);
        table.push_str(&row);
        if !is_right {
            wrong.push(format!("{name}: {}", difference(&expected, &found)));
        }
    }
    println!("{table}");
    if !wrong.is_empty() {
        return Err(wrong.join("; "));
    }
    process::write(&process::top().join(RECORD), &table)
}

/// Packs every package as npm does, and installs the packs into a configuration folder, disabled; returns the names.
fn install(packages: &[Package], folder: &Path, config: &Path) -> Result<Vec<String>, String> {
    signalk_server::lay_out(config)?;
    let mut npm = process::command("npm", ["install", "--offline", "--ignore-scripts", "--no-audit", "--no-fund"]);
    let mut names = Vec::new();
    for (number, package) in packages.iter().enumerate() {
        let staged = folder.join(format!("staged/{number}"));
        for file in ["package.json", "README.md"] {
            process::copy(&package.folder.join(file), &staged.join(file))?;
        }
        for (file, module) in &package.modules {
            process::copy(module, &staged.join(file))?;
        }
        let mut pack = process::command("npm", ["pack", "--json", "--ignore-scripts", "--pack-destination"]);
        let said = process::output(pack.arg(folder).current_dir(&staged))?;
        let said: Value = serde_json::from_str(&said).map_err(|error| format!("npm pack: {error}"))?;
        let text = |member: &str| said[0][member].as_str().unwrap_or_default().to_owned();
        npm.arg(folder.join(text("filename")));
        let data = config.join("plugin-config-data").join(signalk_server::id(&text("name"))).with_extension("json");
        process::write(&data, "{\"enabled\":false}\n")?;
        names.push(text("name"));
    }
    process::run(npm.current_dir(config))?;
    Ok(names)
}

/// Plays a scenario with `skiff test`.
fn on_skiff(skiff: &Path, scenario: &Path, module: &PathBuf) -> Result<Vec<Start>, String> {
    let transcript = process::output(Command::new(skiff).arg("test").arg(scenario).arg(module))?;
    let mut starts: Vec<(bool, Vec<_>)> = Vec::new();
    for line in lines(&transcript) {
        if line["t"] == "result" && line["step"] == "start" {
            starts.push((line["value"] == 0, Vec::new()));
        } else if let (Some(start), "delta") = (starts.last_mut(), line["ev"].as_str().unwrap_or_default()) {
            start.1.extend(updates(&line["delta"]).map(entry));
        }
    }
    Ok(starts.into_iter().map(|(runs, values)| Start::new(runs, values.into_iter())).collect())
}

/// What the server's transcript has of a package.
fn upstream(transcript: &str, package: &str) -> Vec<Start> {
    let starts = lines(transcript).filter(|line| line["t"] == "start" && line["package"] == package);
    let values = |line: &Value| line["values"].as_array().into_iter().flatten().map(entry).collect::<Vec<_>>();
    starts.map(|line| Start::new(line["state"] == "running", values(&line).into_iter())).collect()
}

fn lines(transcript: &str) -> impl Iterator<Item = Value> {
    transcript.lines().filter_map(|line| serde_json::from_str(line).ok())
}

fn updates(delta: &Value) -> impl Iterator<Item = &Value> {
    let updates = delta["updates"].as_array().into_iter().flatten();
    updates.flat_map(|update| update["values"].as_array().into_iter().flatten())
}

/// A value of a path; of a notification what the plugin said, since each server gives it an id and a status.
fn entry(entry: &Value) -> (String, Value) {
    let mut value = entry["value"].clone();
    let path = entry["path"].as_str().unwrap_or_default();
    if let Some(members) = value.as_object_mut().filter(|_| path.starts_with("notifications.")) {
        members.retain(|name, _| ["state", "method", "message"].contains(&name.as_str()));
    }
    // 3.0 and 3 are one number.
    if let Some(number) = value.as_f64() {
        value = number.into();
    }
    (path.to_owned(), value)
}

/// Writes a row; tells whether it is as it should be.
fn row(package: &Package, name: &str, expected: &[Start], found: &[Start], transcript: &str) -> (String, bool) {
    let runs = |starts: &[Start]| starts.iter().filter(|start| start.runs).count();
    let refused = |starts: &[Start]| starts.len() - runs(starts);
    let values = |starts: &[Start]| starts.iter().map(|start| start.values.len()).sum::<usize>();
    let listed = NOT_UPSTREAM.iter().find(|(language, _)| *language == package.language);
    let is_equal = expected == found;
    let verdict = match listed {
        _ if is_equal => "as on Skiff".to_owned(),
        Some((_, why)) => format!("not started: the server {why} ({})", reason(transcript, name)),
        None => difference(expected, found),
    };
    let scenario = package.scenario.file_stem().unwrap_or_default().to_string_lossy().replace('-', " ");
    let mut row = String::new();
    // Writing to a string cannot fail.
    let _ = writeln!(
        row,
        "| {scenario} | {} | `{name}` | {} of {} | {} | {} of {} | {verdict} |",
        language(&package.language),
        runs(found),
        runs(expected),
        if runs(found) == 0 { "".to_owned() } else { format!("{} of {}", refused(found), refused(expected)) },
        values(found),
        values(expected),
    );
    (row, if listed.is_some() { runs(found) == 0 } else { is_equal })
}

/// What the server says of a package that it does not run.
fn reason(transcript: &str, package: &str) -> String {
    // Behind the time and the part of the server that says it.
    let failed = format!("Failed to load WASM plugin {package}: ");
    let log = lines(transcript).filter(|line| line["t"] == "log");
    let said = log.filter_map(|line| Some(line["line"].as_str()?.split_once(&failed)?.1.to_owned()));
    said.last().map_or_else(|| "it says nothing".to_owned(), |said| format!("it says `{said}`"))
}

/// Says where two plays differ first.
fn difference(expected: &[Start], found: &[Start]) -> String {
    for (number, (expected, found)) in expected.iter().zip(found).enumerate() {
        if expected.runs != found.runs {
            return format!("start {} ends otherwise", number + 1);
        }
        let count = expected.values.len().max(found.values.len());
        if let Some(at) = (0..count).find(|at| expected.values.get(*at) != found.values.get(*at)) {
            return format!(
                "start {}, value {} is {:?}, on Skiff {:?}",
                number + 1,
                at + 1,
                found.values.get(at),
                expected.values.get(at)
            );
        }
    }
    format!("{} starts, on Skiff {}", found.len(), expected.len())
}

fn language(folder: &str) -> &str {
    match folder {
        "rust" => "Rust",
        "assemblyscript" => "AssemblyScript",
        "c" => "C",
        "zig" => "Zig",
        "go" => "Go",
        other => other,
    }
}

const HEAD: &str = "\
`cargo xtask signalk-server --kits` wrote this. It builds the packages, packs them with npm, installs the packs into the configuration
folder of a real server under node 22, and lets each play its [scenario](../scenarios) alone: the configuration of every start over
`POST /skServer/plugins/ID/config`, every delta over the WebSocket, behind a temperature from which the toolkits learn which
vessel is the own one. What the server tells with the package as `$source` is compared with what `skiff test` gives for the same module
and the same deltas, value by value: numbers as they are, of notifications `state`, `method` and `message`. Values are counted path by
path, because the server tells the notifications of a delta before its other values.

It is not a part of CI, for the same reason as [the other record](README.md).

| plugin | language | package | starts | bad configurations refused | values | |
| --- | --- | --- | --- | --- | --- | --- |
";
