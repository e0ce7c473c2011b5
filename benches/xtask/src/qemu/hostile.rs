//! Hostile modules on the board: each is refused or contained, and the plugin beside it gets the sample as if alone.

use std::fs;
use std::path::{Path, PathBuf};

use super::board::{self, Ended};
use super::partition::Partition;
use crate::process;

/// Seconds of the sample that flow past each module.
const SECONDS: u32 = 6;
/// Package of the plugin beside it.
const NEIGHBOUR: &str = "plugins/rust/true-wind";

/// Boots the board once with every module.
///
/// # Errors
/// The modules that were not contained.
pub fn run(image: &Path) -> Result<(), String> {
    let mut modules = modules();
    if modules.is_empty() {
        eprintln!("SKIPPED: the hostile modules are not beside the project");
        return Ok(());
    }
    modules.sort();
    let alone = board::boot(image, &neighbour()?)?;
    alone.expect_exit(0)?;
    if alone.lines.is_empty() {
        return Err("the plugin beside the hostile modules says nothing, so there is nothing to compare".into());
    }
    let mut wrong = Vec::new();
    for path in &modules {
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let wasm = match wat::parse_file(path) {
            Ok(wasm) => wasm,
            Err(error) => {
                eprintln!("SKIPPED {name}: the text does not parse: {error}");
                continue;
            }
        };
        let ended = board::boot(image, &neighbour()?.package(name.as_bytes(), &wasm, Some("{}")))?;
        match judge(&alone, &ended) {
            Ok(()) => println!("{name}: {}", state(&ended, &name)),
            Err(reason) => wrong.push(format!("{name}: {reason}")),
        }
    }
    if wrong.is_empty() { Ok(()) } else { Err(format!("not contained:\n  {}", wrong.join("\n  "))) }
}

fn modules() -> Vec<PathBuf> {
    let folder = process::top().join("../shared/corpora/hostile");
    let entries = fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    entries.filter(|path| path.extension().is_some_and(|extension| extension == "wat")).collect()
}

/// Returns a partition with the sample and the plugin beside it.
fn neighbour() -> Result<Partition, String> {
    let file = |name: &str| {
        let path = process::top().join(NEIGHBOUR).join(name);
        fs::read(&path).map_err(|error| format!("cannot read {}: {error}", path.display()))
    };
    let config = String::from_utf8(file("sample-config.json")?).map_err(|error| error.to_string())?;
    let partition = Partition::sample_seconds(SECONDS);
    Ok(partition.package(&file("package.json")?, &file("plugin-small.wasm")?, Some(&config)))
}

/// The board came to the end of the log without a reset, and its neighbour said what it says alone.
fn judge(alone: &Ended, ended: &Ended) -> Result<(), String> {
    ended.expect_exit(0)?;
    if ended.talk.iter().any(|line| line.contains("reset reason: watchdog")) {
        return Err("the board was reset".into());
    }
    let neighbour = |ended: &Ended| -> Vec<String> {
        ended.lines.iter().filter(|line| line.starts_with("{\"_plugin\":\"@skiff/true-wind\"")).cloned().collect()
    };
    let (wanted, got) = (neighbour(alone), neighbour(ended));
    if wanted == got { Ok(()) } else { Err(format!("its neighbour said {} lines of {}", got.len(), wanted.len())) }
}

/// Returns what the board says of the module.
fn state(ended: &Ended, name: &str) -> String {
    let mark = format!("{name}: ");
    let said = ended.talk.iter().rev().find_map(|line| line.split_once(&mark).map(|(_, rest)| rest.to_string()));
    said.unwrap_or_else(|| "the board says nothing of it".into())
}
