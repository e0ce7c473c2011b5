//! Checks Skiff's tree and 10,000 of its deltas with npm `@signalk/signalk-schema`: violations are of listed kinds only. Its API
//! documents are checked with npm `@apidevtools/swagger-parser` (OpenAPI) and the schema of `@asyncapi/specs`: without any.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::closed_list::List;
use crate::{built, npm, process, sample};

/// The packages that check, with those below them.
const PACKAGES: [(&str, &str); 4] = [
    ("@apidevtools/swagger-parser", "12.1.0"),
    ("@asyncapi/specs", "6.11.1"),
    ("@signalk/signalk-schema", "1.8.2"),
    ("ajv", "8.20.0"),
];
/// API documents at least: of APIs and of streams.
const DOCUMENTS_MIN: [u64; 2] = [15, 4];
const LIST: &str = "benches/xtask/schema/violations.txt";
/// Logs of real boats, where they lie beside a checkout.
const CORPORA: &str = "../shared/corpora";
/// Three boats, the last with AIS and two engines.
const LOGS: [&str; 3] =
    ["n2k/input/aava.first8000.raw", "n2k/input/candumpSample1.txt", "n2k/input/dirona.first15000.raw"];
const DELTAS_MIN: u64 = 10_000;
/// Deltas of one log, taken at equal distances.
const DELTAS_OF_LOG: usize = 10_000;
const LISTEN: &str = "127.0.0.1:4521";
const START_TIME: Duration = Duration::from_secs(30);

/// Runs `xtask schema`.
///
/// # Errors
/// What cannot be built or started, violations that are not listed, and those that are and do not occur any more. Without the
/// registry it says SKIPPED.
pub fn run(_: &[String]) -> Result<(), String> {
    let folder = process::target().join("schema");
    if let Err(reason) = npm::install(&folder, "schema", &PACKAGES) {
        println!("SKIPPED, nothing was checked with the schema: {reason}");
        return Ok(());
    }
    let skiff = built::tested()?;
    let boat = folder.join("boat.candump");
    sample::write(&boat)?;
    check_documents(&skiff, &folder, &boat)?;
    let (deltas, trees) = tell(&skiff, &folder, &boat)?;
    let mut check = process::command("node", [process::top().join("benches/xtask/schema/check.mjs")]);
    let said = process::output(check.arg(folder.join("node_modules")).arg(&deltas).args(&trees))?;
    let rows: Vec<Value> = said.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    let checked = rows.first().and_then(|row| row["checked"].as_u64()).unwrap_or_default();
    if checked < DELTAS_MIN {
        return Err(format!("{checked} deltas were checked, {DELTAS_MIN} were to be"));
    }
    let kinds: Vec<String> = rows.iter().filter_map(|row| row["kind"].as_str()).map(str::to_owned).collect();
    let path = process::top().join(LIST);
    let text = fs::read_to_string(&path).map_err(|error| format!("cannot read {}: {error}", path.display()))?;
    let (list, reasons) = List::parse(&text).map_err(|reason| format!("{LIST}: {reason}"))?;
    let verdict = list.judge(&reasons, &kinds);
    // The logs beside a checkout have more kinds than the sample, which is all that other machines have.
    let has_all = process::top().join(CORPORA).is_dir();
    let mut wrong: Vec<String> = verdict.unknown.iter().map(|kind| format!("not listed: {kind}")).collect();
    if has_all {
        wrong.extend(verdict.outlived.iter().map(|kind| format!("listed, does not occur any more: {kind}")));
    } else {
        println!("the logs of real boats are not beside this checkout: the sample alone was checked");
    }
    if !wrong.is_empty() {
        return Err(wrong.join("\n"));
    }
    println!("{checked} deltas and {} trees: {} kinds of violations, all listed", trees.len(), kinds.len());
    Ok(())
}

/// Writes deltas and the trees of gateways that took the same logs.
fn tell(skiff: &Path, folder: &Path, boat: &Path) -> Result<(PathBuf, Vec<PathBuf>), String> {
    let mut logs = vec![boat.to_path_buf()];
    let corpora = process::top().join(CORPORA);
    logs.extend(LOGS.iter().map(|log| corpora.join(log)).filter(|log| log.is_file()));
    let mut all = String::new();
    let mut trees = Vec::new();
    for (number, log) in logs.iter().enumerate() {
        let said = process::output(Command::new(skiff).args(["replay", "--quiet"]).arg(log))?;
        let lines: Vec<&str> = said.lines().collect();
        for line in lines.iter().step_by(lines.len().div_ceil(DELTAS_OF_LOG).max(1)) {
            all.push_str(line);
            all.push('\n');
        }
        let tree = folder.join(format!("tree{number}.json"));
        process::write(&tree, &tree_of(skiff, folder, log)?)?;
        trees.push(tree);
    }
    let deltas = folder.join("deltas.ndjson");
    process::write(&deltas, &all)?;
    Ok((deltas, trees))
}

/// Checks the API documents of a gateway.
fn check_documents(skiff: &Path, folder: &Path, log: &Path) -> Result<(), String> {
    let mut child = start(skiff, folder, log)?;
    let mut check = process::command("node", [process::top().join("benches/xtask/schema/documents.mjs")]);
    check.arg(folder.join("node_modules")).arg(format!("http://{LISTEN}")).arg(folder.join("config/skiff/token"));
    let said = process::output(&mut check);
    process::stop(&mut child);
    let said = said?;
    let rows: Vec<Value> = said.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    let wrong: Vec<String> = rows.iter().filter(|row| row["ok"] != true).map(Value::to_string).collect();
    let of = |form: &str| rows.iter().filter(|row| row["form"] == form).count() as u64;
    let counts = ["openapi", "asyncapi"].map(of);
    if counts.iter().zip(DOCUMENTS_MIN).any(|(count, least)| *count < least) {
        return Err(format!("{counts:?} API documents were checked, {DOCUMENTS_MIN:?} were to be"));
    }
    if !wrong.is_empty() {
        return Err(wrong.join("\n"));
    }
    println!("{} OpenAPI and {} AsyncAPI documents are as their specifications say", counts[0], counts[1]);
    Ok(())
}

/// Starts a gateway that takes a log in as fast as it goes.
fn start(skiff: &Path, folder: &Path, log: &Path) -> Result<Child, String> {
    let config = folder.join("config");
    let _ = fs::remove_dir_all(&config);
    let mut command = Command::new(skiff);
    command.args(["run", "--quiet", "--listen", LISTEN, "--admin-listen", "none", "--speed", "max", "--config"]);
    command.arg(&config).arg("--input").arg(log).stdin(Stdio::null()).stderr(Stdio::null());
    command.spawn().map_err(|error| format!("cannot start skiff: {error}"))
}

/// Lets a gateway take a log in; returns its tree.
fn tree_of(skiff: &Path, folder: &Path, log: &Path) -> Result<String, String> {
    let mut child = start(skiff, folder, log)?;
    let until = Instant::now() + START_TIME;
    let mut last: Result<String, String> = Err("the gateway did not answer".to_owned());
    while Instant::now() < until {
        thread::sleep(Duration::from_millis(500));
        let next = get("/signalk/v1/api/");
        // It is all in when two answers are as long, but for the times in them.
        let done = matches!((&last, &next), (Ok(one), Ok(other)) if one.len() == other.len() && one.contains("\"navigation\""));
        last = next;
        if done {
            break;
        }
    }
    process::stop(&mut child);
    last
}

fn get(target: &str) -> Result<String, String> {
    let ask = || -> std::io::Result<String> {
        let mut stream = TcpStream::connect(LISTEN)?;
        write!(stream, "GET {target} HTTP/1.0\r\nHost: {LISTEN}\r\n\r\n")?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        Ok(answer)
    };
    let answer = ask().map_err(|error| error.to_string())?;
    answer.split_once("\r\n\r\n").map(|(_, body)| body.to_owned()).ok_or_else(|| "no answer".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_that_is_kept_can_be_read() {
        let text = fs::read_to_string(process::top().join(LIST)).expect("the list");
        assert!(List::parse(&text).is_ok());
    }
}
