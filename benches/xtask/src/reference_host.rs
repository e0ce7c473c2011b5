//! Plays the conformance scenarios on the JavaScript reference host and compares what counts with Skiff's transcripts.
//!
//! The reference host does what Signal K Server does. Where Skiff does better, the scenario's folder has a file
//! `upstream.diff`: its reasons in lines that begin with `#`, then the lines that differ. The list is closed: a
//! difference that is not in it is an error, and so is one that is in it and does not occur any more.

use std::fmt::Write as _;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use skiff_peers::transcripts;

use crate::process;

const SCENARIOS: &str = "runtime/tests/data/scenarios";
/// Where the host lies beside a checkout that has the specification.
const HARNESS: &str = "../shared/spec/reference-host/harness.mjs";
/// The reference host has no limit of its own: a guest that loops is ended by us.
const PATIENCE: Duration = Duration::from_secs(8);
/// Stands for what it would have said afterwards.
const NEVER_RETURNED: &str = "(the reference host never returned)";

/// Runs `xtask reference-host [--bless] [HARNESS]`.
///
/// # Errors
/// The first scenarios that differ otherwise than they should.
pub fn run(arguments: &[String]) -> Result<(), String> {
    let (flags, rest): (Vec<&String>, Vec<&String>) = arguments.iter().partition(|word| word.starts_with("--"));
    let bless = match flags.as_slice() {
        [] => false,
        [flag] if *flag == "--bless" => true,
        _ => return Err("the only option is --bless".into()),
    };
    let harness = rest.first().map_or_else(|| process::top().join(HARNESS), |path| PathBuf::from(path.as_str()));
    if !harness.is_file() {
        println!("SKIPPED: the scenarios were not compared with the reference host, which is not beside this checkout");
        return Ok(());
    }
    if !process::found("node") {
        println!(
            "SKIPPED: the scenarios were not compared with the reference host, there is no `node` on this machine"
        );
        return Ok(());
    }
    let (mut equal, mut better, mut wrong) = (0, 0, Vec::new());
    for case in cases()? {
        let name = case.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let found = difference(&case, &harness)?;
        let file = case.join("upstream.diff");
        let known = fs::read_to_string(&file).unwrap_or_default();
        let (reasons, lines): (Vec<&str>, Vec<&str>) = known.lines().partition(|line| line.starts_with('#'));
        match (found.is_empty(), lines.join("\n") == found.join("\n")) {
            (true, true) if known.is_empty() => equal += 1,
            (false, true) => better += 1,
            _ if bless && found.is_empty() => {
                fs::remove_file(&file).map_err(|error| format!("cannot remove {}: {error}", file.display()))?;
            }
            _ if bless => {
                let reasons = if reasons.is_empty() { vec!["# L-??: say why"] } else { reasons };
                process::write(&file, &format!("{}\n{}\n", reasons.join("\n"), found.join("\n")))?;
            }
            _ => wrong.push(format!("{name}:\n{}", found.join("\n"))),
        }
    }
    if let Some(first) = wrong.first() {
        return Err(format!(
            "{} scenarios differ from the reference host otherwise than {SCENARIOS}/*/upstream.diff say; {first}",
            wrong.len()
        ));
    }
    println!("{equal} scenarios as on the reference host, {better} better in the ways that their upstream.diff lists");
    Ok(())
}

fn cases() -> Result<Vec<PathBuf>, String> {
    let folder = process::top().join(SCENARIOS);
    let entries = fs::read_dir(&folder).map_err(|error| format!("cannot read {}: {error}", folder.display()))?;
    let mut cases: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    cases.sort();
    Ok(cases)
}

/// Returns the lines that differ, `-` for the reference host and `+` for Skiff.
fn difference(case: &Path, harness: &Path) -> Result<Vec<String>, String> {
    let name = case.file_name().unwrap_or_default();
    let wasm = process::target().join("reference-host").join(name).with_extension("wasm");
    let bytes = wat::parse_file(case.join("plugin.wat")).map_err(|error| format!("{}: {error}", case.display()))?;
    let folder = wasm.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder)
        .and_then(|()| fs::write(&wasm, bytes))
        .map_err(|error| format!("cannot write {}: {error}", wasm.display()))?;
    let upstream = play(harness, &case.join("scenario.json"), &wasm)?;
    let file = case.join("expected.jsonl");
    let own = fs::read_to_string(&file).map_err(|error| format!("cannot read {}: {error}", file.display()))?;
    transcripts::difference(&upstream, &own)
}

/// Runs the reference host and returns its transcript.
fn play(harness: &Path, scenario: &Path, wasm: &Path) -> Result<String, String> {
    let mut command = process::command("node", [harness, scenario, wasm]);
    // Plugins that fetch need asyncify there, which guests written as text have not: they are refused, always.
    command.env("AS_MODULES", "/nonexistent");
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = command.spawn().map_err(|error| format!("cannot start node: {error}"))?;
    // The pipe is emptied meanwhile, or a long transcript would stop the host.
    let mut pipe = child.stdout.take().ok_or("node has no output")?;
    let reader = std::thread::spawn(move || {
        let mut text = String::new();
        pipe.read_to_string(&mut text).map(|_| text)
    });
    let returned = wait(&mut child)?;
    let text = reader.join().map_err(|_| "the reader ended early")?;
    let mut text = text.map_err(|error| format!("cannot read what the reference host says: {error}"))?;
    if !returned {
        let _ = writeln!(text, "{}", serde_json::json!({ "t": "result", "step": NEVER_RETURNED }));
    }
    Ok(text)
}

/// Waits for a process that may never end by itself; false when it had to be ended.
fn wait(child: &mut Child) -> Result<bool, String> {
    let began = Instant::now();
    while began.elapsed() < PATIENCE {
        if child.try_wait().map_err(|error| format!("cannot wait for node: {error}"))?.is_some() {
            return Ok(true);
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    child.kill().and_then(|()| child.wait()).map_err(|error| format!("cannot end node: {error}"))?;
    Ok(false)
}
