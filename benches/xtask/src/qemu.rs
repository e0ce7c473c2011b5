//! Builds the emulated board, boots it, and holds what it says against Linux.

mod board;
mod hostile;
mod net;
mod partition;

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use board::Ended;
use partition::Partition;

use crate::size::{Flash, TEXT_GOAL};
use crate::{debian, process};

/// What is wanted at most, bytes.
const GOALS: [(&str, u64); 2] = [("stack used", 16 * 1024), ("flash text", TEXT_GOAL)];

/// Runs `xtask qemu [--net]`.
///
/// # Errors
/// What cannot be built or run, the first line that differs from Linux, or with `--net` what does not work.
pub fn run(arguments: &[String]) -> Result<(), String> {
    let with_net = match arguments {
        [] => false,
        [word] if word == "--net" => true,
        _ => return Err("takes nothing but --net".into()),
    };
    prepare()?;
    let image = board::build()?;
    if with_net {
        return net::run(&image);
    }
    let played = board::boot(&image, &Partition::sample())?;
    played.expect_exit(0)?;
    compare(&played)?;
    table(&played, &Flash::of(&image)?);
    predictions(&played)?;
    wedge(&image)?;
    hostile::run(&image)
}

/// Builds the image of the board.
///
/// # Errors
/// What cargo said.
pub fn image() -> Result<PathBuf, String> {
    board::build()
}

/// Installs the emulator.
fn prepare() -> Result<(), String> {
    if process::found(board::EMULATOR) { Ok(()) } else { debian::packages(&["qemu-system-misc"]) }
}

/// Compares what plugins emitted with `skiff replay --sample` on this machine, byte for byte.
fn compare(played: &Ended) -> Result<(), String> {
    process::run(&mut process::command("cargo", ["build", "--quiet", "-p", "skiff-gateway"]))?;
    let linux = process::output(&mut process::command("target/debug/skiff", ["replay", "--sample"]))?;
    let linux: Vec<&str> = linux.lines().filter(|line| line.starts_with("{\"_plugin\":")).collect();
    if linux.is_empty() {
        return Err("no plugin says anything on Linux, so there is nothing to compare".into());
    }
    for (number, pair) in (1..).zip(linux.iter().zip(&played.lines)) {
        if pair.0 != pair.1 {
            return Err(format!("plugin line {number} differs\n  Linux: {}\n  board: {}", pair.0, pair.1));
        }
    }
    if linux.len() != played.lines.len() {
        return Err(format!("Linux has {} plugin lines, the board {}", linux.len(), played.lines.len()));
    }
    println!("{} plugin lines, byte for byte those of `skiff replay --sample` on Linux", linux.len());
    Ok(())
}

/// What admission predicted is never below what the board measured.
fn predictions(played: &Ended) -> Result<(), String> {
    println!("{:<36} {:>10} {:>10}  ratio", "memory of a plugin, peak", "predicted", "measured");
    let mut below = Vec::new();
    for (name, predicted) in played.numbers("predicted: ") {
        let [heap, linear, ..] = predicted[..] else { return Err(format!("no prediction in: {predicted:?}")) };
        let taken = played.numbers("took: ").find(|(other, _)| *other == name);
        let Some([_, peak, ..]) = taken.as_ref().map(|(_, numbers)| &numbers[..]) else {
            return Err(format!("{name}: the board measured nothing"));
        };
        let (predicted, measured) = (heap + linear, *peak);
        println!(
            "{name:<36} {predicted:>10} {measured:>10}  {}.{:02}",
            predicted / measured,
            predicted * 100 / measured % 100
        );
        if predicted < measured {
            below.push(name);
        }
    }
    if below.is_empty() { Ok(()) } else { Err(format!("predicted too little for {}", below.join(", "))) }
}

/// A tick that does not end: the watchdog resets the board, and the next start knows why.
fn wedge(image: &std::path::Path) -> Result<(), String> {
    let ended = board::boot(image, &Partition::sample_seconds(2).words("wedge"))?;
    ended.expect_exit(0)?;
    ended.expect_talk("reset reason: power-on")?;
    ended.expect_talk("reset reason: watchdog")?;
    println!("a tick that does not end: reset by the watchdog, and the reason is kept");
    Ok(())
}

fn table(played: &Ended, flash: &Flash) {
    let mut rows: BTreeMap<&str, u64> = played.measured.iter().map(|(name, value)| (name.as_str(), *value)).collect();
    rows.insert("flash text", flash.text);
    rows.insert("flash rodata", flash.rodata);
    rows.insert("flash data", flash.data);
    println!("{:<28} {:>12}  goal", "measured", "bytes");
    for (name, value) in rows {
        let goal = GOALS.iter().find(|(goal, _)| *goal == name).map(|(_, goal)| goal);
        let verdict =
            goal.map_or(String::new(), |goal| format!("{goal} {}", if value <= *goal { "met" } else { "missed" }));
        println!("{name:<28} {value:>12}  {verdict}");
    }
}

/// Writes a file of the emulated board below `target/qemu`.
fn target_file(name: &str, bytes: &[u8]) -> Result<PathBuf, String> {
    let path = process::top().join("target/qemu").join(name);
    let folder = path.parent().map(PathBuf::from).unwrap_or_default();
    fs::create_dir_all(folder)
        .and_then(|()| fs::write(&path, bytes))
        .map_err(|error| format!("cannot write {}: {error}", path.display()))?;
    Ok(path)
}
