//! Hostile modules on the board: each is refused or contained, and the plugin beside it gets the sample as if alone.

mod own;

use std::fs;
use std::path::{Path, PathBuf};

use super::board::{self, Ended};
use super::partition::Partition;
use crate::process;

/// Seconds of the sample that flow past each module.
const SECONDS: u32 = 6;
/// Package of the plugin beside it.
const NEIGHBOUR: &str = "plugins/rust/true-wind";

/// Boots the board once with every module of a folder, or with the project's own where there is no folder.
///
/// # Errors
/// The modules that were not contained.
pub fn run(image: &Path, folder: Option<&Path>) -> Result<(), String> {
    let modules = match folder {
        Some(folder) => in_folder(folder)?,
        None => own::modules(),
    };
    let alone = board::boot(image, &neighbour()?)?;
    alone.expect_exit(0)?;
    if alone.lines.is_empty() {
        return Err("the plugin beside the hostile modules says nothing, so there is nothing to compare".into());
    }
    let mut wrong = Vec::new();
    for (name, text) in &modules {
        let wasm = wat::parse_bytes(text).map_err(|error| format!("{name}: the text does not parse: {error}"))?;
        let ended = board::boot(image, &neighbour()?.package(name.as_bytes(), &wasm, Some("{}")))?;
        match judge(&alone, &ended) {
            Ok(()) => println!("{name}: {}", state(&ended, name)),
            Err(reason) => wrong.push(format!("{name}: {reason}")),
        }
    }
    println!("{} hostile modules were booted, {} not contained", modules.len(), wrong.len());
    if wrong.is_empty() { Ok(()) } else { Err(format!("not contained:\n  {}", wrong.join("\n  "))) }
}

/// Where a checkout of the project has the corpus beside it.
pub fn corpus() -> Option<PathBuf> {
    let folder = process::top().join("../shared/corpora/hostile");
    folder.is_dir().then_some(folder)
}

/// Reads the modules of a folder, text or binary, by name.
fn in_folder(folder: &Path) -> Result<Vec<(String, Vec<u8>)>, String> {
    let unreadable = |error| format!("cannot read {}: {error}", folder.display());
    let mut modules = Vec::new();
    for entry in fs::read_dir(folder).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        if path.extension().is_some_and(|extension| extension == "wat" || extension == "wasm") {
            let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            modules.push((name, fs::read(&path).map_err(unreadable)?));
        }
    }
    modules.sort();
    if modules.is_empty() { Err(format!("{} has no module", folder.display())) } else { Ok(modules) }
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
