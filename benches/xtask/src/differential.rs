//! Compares what Skiff makes of generated logs and sentences with what the npm packages make of them.
//!
//! For each seed two logs are generated: whole messages in canboat's format, and CAN frames in candump's,
//! interleaved and with one in a hundred lost. The peer (installed below cargo's target folder, in `differential`) decodes and
//! maps the messages that arrive whole; the test `n2k_corpus` of the runtime, which holds the closed list of
//! differences, judges. Sentences of NMEA 0183 go the same way, to the test `nmea0183_corpus`. Five seeds are fixed; one
//! more is fresh each time and printed.

use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::json;
use skiff_peers::logs;
use skiff_peers::messages::Generator;
use skiff_peers::random::Random;
use skiff_peers::sentences::Sentences;

use crate::{npm, pgn_tables, process};

/// Seeds that every run takes. The fourth has more AC meters than a chip remembers, the last a way point whose name is cut.
const SEEDS: [u64; 5] = [1, 2000, 31_337, 1_796_024_071_432_623, 1_796_788_376_000_312];
/// Messages of each definition and log.
const MESSAGES: usize = 8;
/// Sentences of each form.
const SENTENCES: usize = 20;
/// What the peer is made of, with the versions that Skiff is compared to.
const PEER: [(&str, &str); 5] = [
    ("@canboat/canboatjs", "3.20.0"),
    ("@canboat/ts-pgns", "1.11.18"),
    ("@signalk/n2k-signalk", "4.6.0"),
    ("@signalk/nmea0183-signalk", "3.20.1"),
    // n2k-signalk needs it without saying so.
    ("@signalk/signalk-schema", "1.3.1"),
];

/// Runs `xtask differential [--seed N]… [--messages N]`.
///
/// # Errors
/// A usage error, what cannot be installed, or that a delta differs beyond the list.
pub fn run(arguments: &[String]) -> Result<(), String> {
    let (mut seeds, mut count) = (Vec::new(), MESSAGES);
    let mut words = arguments.iter();
    while let Some(word) = words.next() {
        let number = words.next().and_then(|text| text.parse::<u64>().ok());
        match (word.as_str(), number) {
            ("--seed", Some(seed)) => seeds.push(seed),
            ("--messages", Some(number @ 1..=1000)) => count = usize::try_from(number).unwrap_or(MESSAGES),
            ("--seed" | "--messages", _) => return Err(format!("{word} wants a number")),
            (other, _) => return Err(format!("unknown argument {other}; known are --seed N and --messages N")),
        }
    }
    if seeds.is_empty() {
        seeds = SEEDS.to_vec();
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_err(|error| error.to_string())?;
        seeds.push(now.as_micros().try_into().unwrap_or(u64::MAX));
    }
    let folder = packages()?;
    let database = pgn_tables::database(None)?;
    let logs = folder.join("logs");
    let mut manifest = Vec::new();
    for seed in &seeds {
        let mut generator = Generator::new(&database, Random::new(*seed))?;
        let (definitions, groups) = generator.size();
        let messages = generator.messages(count);
        println!("seed {seed}: {} messages of {definitions} definitions of {groups} PGNs", messages.len());
        for (name, syntax, mode, log) in [
            (format!("whole-{seed}.raw"), "canboat", "fast", logs::whole(&messages)),
            (format!("frames-{seed}.log"), "candump", "auto", logs::frames(&messages, &mut generator.random)?),
        ] {
            process::write(&logs.join("input").join(&name), &log.text)?;
            let input = logs.join("messages").join(&name);
            process::write(&input, &log.messages)?;
            println!("{name}: {}", peer(&folder, &input, &logs.join("expected").join(format!("{name}.jsonl")))?);
            manifest.push(json!({ "file": name, "syntax": syntax, "mode": mode }));
        }
    }
    process::write(&logs.join("manifest.json"), &json!(manifest).to_string())?;
    let mut judge = process::command("cargo", ["test", "--workspace", "--test", "n2k_corpus", "--", "--nocapture"]);
    let named: Vec<String> = seeds.iter().map(u64::to_string).collect();
    let named = named.join(", ");
    process::run(judge.env("SKIFF_N2K_LOGS", &logs)).map_err(|error| format!("seeds {named}: {error}"))?;
    println!("seeds {named}: every delta is the peer's, or on the list of runtime/docs/n2k-differences.md");
    sentences(&folder, &seeds).map_err(|error| format!("seeds {named}: {error}"))
}

/// Compares the deltas of generated sentences of NMEA 0183.
fn sentences(folder: &Path, seeds: &[u64]) -> Result<(), String> {
    let rows = seeds.iter().flat_map(|seed| Sentences { random: Random::new(*seed) }.rows(SENTENCES));
    let lines: String = rows.map(|row| format!("{row}\n")).collect();
    let (input, output) = (folder.join("sentences.jsonl"), folder.join("sentences-expected.jsonl"));
    process::write(&input, &lines)?;
    println!("NMEA 0183: {}", peer_of("peer0183.mjs", folder, &input, &output)?);
    let words = ["test", "--workspace", "--test", "nmea0183_corpus", "--", "--nocapture"];
    process::run(process::command("cargo", words).env("SKIFF_NMEA0183_DELTAS", &output))?;
    println!("every delta is the peer's, or on the list of runtime/docs/nmea0183-differences.md");
    Ok(())
}

/// Installs the peer and returns the folder of its packages.
///
/// # Errors
/// What npm said.
pub fn packages() -> Result<PathBuf, String> {
    let folder = process::target().join("differential");
    install(&folder)?;
    Ok(folder)
}

fn install(folder: &Path) -> Result<(), String> {
    npm::install(folder, "differential", &PEER)
}

/// Has the peer decode `input`; returns what it says about it.
fn peer(packages: &Path, input: &Path, output: &Path) -> Result<String, String> {
    peer_of("peer.mjs", packages, input, output)
}

fn peer_of(script: &str, packages: &Path, input: &Path, output: &Path) -> Result<String, String> {
    process::write(output, "")?;
    let script = process::top().join("benches/peers/scripts").join(script);
    process::output(&mut process::command("node", [script.as_path(), packages, input, output]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refuses_what_it_does_not_know() {
        for (arguments, reason) in
            [(&["--sead", "1"][..], "--sead"), (&["--seed"], "a number"), (&["--seed", "x"], "a number")]
        {
            let arguments: Vec<String> = arguments.iter().map(|word| (*word).to_owned()).collect();
            assert!(run(&arguments).unwrap_err().contains(reason));
        }
    }
}
