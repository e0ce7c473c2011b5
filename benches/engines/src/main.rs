//! The packages of the project on one WebAssembly engine: `engine FOLDER…`, each folder an npm package.
//!
//! Prints one JSON object: rows with median and quartiles, and what the plugins answered, which has to be the same on
//! every engine. Which engine that is, the features say; `cargo xtask bench` builds each alone.
//!
//! With wasmtime, `engine --precompile MODULE FILE` writes a module for the board.

use std::fs;
use std::path::Path;
use std::process::ExitCode;

use serde_json::{Value, json};
use skiff_measure::clock::timed;
use skiff_measure::rounds::{Done, Plan, Work, interleaved};
use skiff_measure::statistics::Summary;

use skiff_engines::emitted::take_emitted;
use skiff_engines::engine::Failed;
use skiff_engines::guest::{self, Guest, Plugin};

/// Plugins beside each other while the resident set is looked at.
const COPIES: usize = 16;

fn main() -> ExitCode {
    let folders: Vec<String> = std::env::args().skip(1).collect();
    #[cfg(feature = "wasmtime")]
    if let [flag, module, file] = &folders[..]
        && flag == "--precompile"
    {
        return precompile(module, file);
    }
    let mut packages = Vec::new();
    for folder in &folders {
        packages.push(match measured(Path::new(folder)) {
            Ok(found) => found,
            Err(reason) => json!({ "package": folder.rsplit('/').next(), "failed": reason }),
        });
    }
    println!("{}", json!({ "packages": packages, "process": resident() }));
    ExitCode::SUCCESS
}

#[cfg(feature = "wasmtime")]
fn precompile(module: &str, file: &str) -> ExitCode {
    let read = fs::read(module).map_err(|error| format!("{module}: {error}"));
    let code = read.and_then(|wasm| skiff_engines::precompiled(&wasm));
    match code.and_then(|code| fs::write(file, code).map_err(|error| format!("{file}: {error}"))) {
        Ok(()) => ExitCode::SUCCESS,
        Err(reason) => {
            eprintln!("{reason}");
            ExitCode::FAILURE
        }
    }
}

fn measured(folder: &Path) -> Result<Value, Failed> {
    let read = |name: &str| fs::read(folder.join(name)).map_err(|error| format!("{name}: {error}"));
    let manifest: Value = serde_json::from_slice(&read("package.json")?).map_err(|error| error.to_string())?;
    let name = manifest["name"].as_str().ok_or("has no name")?.to_owned();
    let config = String::from_utf8_lossy(&read("sample-config.json")?).into_owned();
    let wasm = read("plugin.wasm")?;
    let feed = skiff_measure::input::feed(&name).ok_or("has no deltas")?;
    let plugin = Plugin {
        wasm: &wasm,
        config: &config,
        before: feed.before.iter().map(String::as_str).collect(),
        answered: feed.answered.iter().map(String::as_str).collect(),
        unwanted: &feed.unwanted,
    };
    let answers = guest::answers(&plugin)?;
    // First: what is freed later would be taken again.
    let memory = growth(&plugin)?;

    let load: Work<'_> = Box::new(|times| {
        let (units, nanos) = timed(|| (0..times).take_while(|_| Guest::started(&plugin).is_ok()).count() as u64);
        Done { nanos, units }
    });
    let unwanted = deltas(Guest::fed(&plugin)?, vec![plugin.unwanted]);
    let answered = deltas(Guest::fed(&plugin)?, plugin.answered.clone());
    let samples = interleaved(&mut [load, unwanted, answered], Plan::FULL, &mut |_, _| {});
    let mut rows = serde_json::Map::new();
    for (id, samples) in ["load", "delta.unwanted", "delta.answered"].iter().zip(samples) {
        let summary = Summary::of(&samples).ok_or_else(|| format!("{id} failed while it was measured"))?;
        rows.insert((*id).into(), json!({ "median": summary.median, "low": summary.low, "high": summary.high }));
    }
    rows.insert("memory".into(), json!({ "median": memory }));
    Ok(json!({ "package": name, "answers": answers, "rows": rows }))
}

fn deltas<'w>(mut guest: Guest, texts: Vec<&'w str>) -> Work<'w> {
    let mut next = 0_usize;
    Box::new(move |times| {
        let (units, nanos) = timed(|| {
            let one = |_: &u32| {
                next += 1;
                guest.delta(texts[next % texts.len()]).is_ok()
            };
            (0..times).take_while(one).count() as u64
        });
        take_emitted();
        Done { nanos, units }
    })
}

/// Growth of the resident set with each further plugin, bytes.
fn growth(plugin: &Plugin<'_>) -> Result<Option<u64>, Failed> {
    let mut plugins = vec![Guest::fed(plugin)?];
    let before = resident();
    for _ in 0..COPIES {
        let mut guest = Guest::fed(plugin)?;
        for text in &plugin.answered {
            guest.delta(text)?;
        }
        plugins.push(guest);
    }
    take_emitted();
    Ok(before.zip(resident()).map(|(before, after)| after.saturating_sub(before) / COPIES as u64))
}

/// The resident set of this process, bytes (proc(5)).
fn resident() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    Some(line.trim().strip_suffix(" kB")?.parse::<u64>().ok()? * 1024)
}
