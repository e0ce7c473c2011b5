//! Measures NMEA 2000 decoding beside the npm packages in one run, and counts instructions per frame.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::{debian, differential, process, sample};

/// Rates that are wanted at least, a second on one core.
const FRAMES_GOAL: f64 = 1_000_000.0;
const MESSAGES_GOAL: f64 = 400_000.0;
/// Rounds of the two runs whose instructions are compared.
const ROUNDS: [u64; 2] = [1, 3];
/// Time for the peer, which gets faster while it is compiled.
const PEER_SECONDS: &str = "6";

/// Runs `xtask n2k-speed [LOG] [--check]`.
///
/// # Errors
/// What cannot be built or measured; with `--check` also a rate below its goal.
pub fn run(arguments: &[String]) -> Result<(), String> {
    let (flags, files): (Vec<&String>, Vec<&String>) = arguments.iter().partition(|word| word.starts_with("--"));
    let is_checked = match flags.as_slice() {
        [] => false,
        [word] if *word == "--check" => true,
        _ => return Err("the only option is --check".into()),
    };
    let log = match files.as_slice() {
        [] => {
            let file = process::target().join("speed.candump");
            sample::write(&file)?;
            file
        }
        [file] => std::path::absolute(file).map_err(|error| error.to_string())?,
        _ => return Err("takes one log at most".into()),
    };
    debian::packages(&["valgrind"])?;
    let bench = build()?;
    println!("log: {}", log.display());
    let rates = process::output(Command::new(&bench).arg("--bench").arg(&log))?;
    rates.lines().for_each(|line| println!("skiff, {line}"));
    let frames = frames(&bench, &log)?;
    let [few, many] = ROUNDS.map(|rounds| instructions(&bench, &log, rounds));
    let (few, many) = (few?, many?);
    #[expect(clippy::cast_precision_loss, reason = "counts of a short run")]
    let per_frame = many.saturating_sub(few) as f64 / (frames * (ROUNDS[1] - ROUNDS[0])) as f64;
    println!("skiff, instructions: {per_frame:.0} a frame, text to delta JSON, x86-64");
    let peer = differential::packages()?;
    let script = process::top().join("benches/peers/scripts/speed.mjs");
    let mut node = process::command("node", [script.as_path(), &peer, &log]);
    println!("canboatjs and n2k-signalk: {}", process::output(node.arg(PEER_SECONDS))?);
    if is_checked { check(&rates) } else { Ok(()) }
}

/// Builds the bench and returns its program.
fn build() -> Result<PathBuf, String> {
    let arguments = ["bench", "--quiet", "-p", "skiff-benches", "--bench", "n2k", "--no-run", "--message-format=json"];
    let messages = process::output(&mut process::command("cargo", arguments))?;
    let program = messages.lines().rev().find_map(|line| {
        let message: serde_json::Value = serde_json::from_str(line).ok()?;
        (message["target"]["name"] == "n2k").then(|| message["executable"].as_str().map(PathBuf::from))?
    });
    program.ok_or_else(|| "cargo names no program of the bench".into())
}

/// Returns the number of frames in a log.
fn frames(bench: &Path, log: &Path) -> Result<u64, String> {
    let counts = process::output(Command::new(bench).args(["--rounds", "1"]).arg(log))?;
    let frames = counts.split(' ').next().and_then(|number| number.parse().ok()).filter(|frames| *frames > 0);
    frames.ok_or_else(|| format!("no frames: {counts}"))
}

/// Counts the instructions of a run that reads the log this many times.
fn instructions(bench: &Path, log: &Path, rounds: u64) -> Result<u64, String> {
    let out = process::target().join("speed.callgrind");
    let mut valgrind = Command::new("valgrind");
    valgrind.arg("--tool=callgrind").arg(format!("--callgrind-out-file={}", out.display()));
    valgrind.arg(bench).arg("--rounds").arg(rounds.to_string()).arg(log);
    process::output(&mut valgrind)?;
    let text = std::fs::read_to_string(&out).map_err(|error| format!("cannot read {}: {error}", out.display()))?;
    let _ = std::fs::remove_file(&out);
    let total = text.lines().find_map(|line| line.strip_prefix("summary: ").or(line.strip_prefix("totals: ")));
    total.and_then(|number| number.trim().parse().ok()).ok_or_else(|| "callgrind counted nothing".into())
}

/// Holds the rates of text to JSON against the goals.
fn check(rates: &str) -> Result<(), String> {
    let line = rates.lines().next().unwrap_or_default();
    let rate = |unit: &str| -> Option<f64> {
        let (before, _) = line.split_once(unit)?;
        before.rsplit(' ').find(|word| !word.is_empty())?.parse().ok()
    };
    match (rate(" frames/s"), rate(" messages/s")) {
        (Some(frames), Some(messages)) if frames >= FRAMES_GOAL && messages >= MESSAGES_GOAL => Ok(()),
        _ => Err(format!("{line}: below {FRAMES_GOAL} frames/s or {MESSAGES_GOAL} messages/s")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_held_against_the_goals() {
        assert!(check("text to delta JSON: 1000000 frames/s, 400000 messages/s, 1 deltas/s").is_ok());
        assert!(check("text to delta JSON: 999999 frames/s, 400000 messages/s, 1 deltas/s").is_err());
        assert!(check("text to delta JSON: 1000000 frames/s, 399999 messages/s, 1 deltas/s").is_err());
        assert!(check("").is_err());
    }
}
