//! Walks Skiff and Signal K Server side by side: the same boat, the same packages, every route and every form of a stream.
//!
//! `signalk-server/walk/walk.mjs` asks; what differs must be on the closed list `signalk-server/walk/differences.txt`, with its
//! reason. `--record` writes what was found to `benches/results`; `--again` judges what the last walk heard, for who changes the
//! list.

mod compare;
mod normal;

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};

use crate::closed_list::{List, Verdict};
use crate::guests::{GUESTS, SMALL_MODULE};
use crate::{built, process, sample, signalk_server};
use normal::Names;

const FOLDER: &str = "benches/xtask/signalk-server/walk";
const RECORD: &str = "benches/results/signalk-server-walk.md";
const HOST: &str = "127.0.0.1";
/// Operations of the OpenAPI documents that the server ships.
const OPERATIONS: usize = 130;
const OWN: &str = "urn:mrn:signalk:uuid:00000000-0000-4000-8000-000000000001";
/// The user of both servers, an admin.
const PASSWORD: &str = "half past two";
/// That password, for `security.json`.
const PASSWORD_HASH: &str = "$2a$10$jV0ZKmvh73AZmmhtd3LJ4OicuFVfaavNHdQs/wRJmAnk4UiXScWwK";

/// Where a server listens, and where its boat speaks.
struct Ports {
    listen: u16,
    boat: u16,
}

const UPSTREAM: Ports = Ports { listen: 4501, boat: 4511 };
const SKIFF: Ports = Ports { listen: 4502, boat: 4512 };

/// Judges what the last walk heard.
///
/// # Errors
/// As [`run`], and that there was none.
pub fn again() -> Result<(), String> {
    let folder = process::target().join("signalk-walk");
    let lines = [heard(&folder.join("upstream.ndjson"), &UPSTREAM)?, heard(&folder.join("skiff.ndjson"), &SKIFF)?];
    judge(&folder, &lines, false)
}

/// Runs `xtask signalk-server --walk [--record]`.
///
/// # Errors
/// What cannot be installed or started, an operation that was not asked, and differences that are not listed or listed in vain.
pub fn run(record: bool) -> Result<(), String> {
    let folder = process::target().join("signalk-walk");
    let (node, program) = signalk_server::installed()?;
    let skiff = built::tested()?;
    let log = boat(&folder, &skiff)?;
    let modules = process::target().join("signalk-server/node_modules");
    let upstream = {
        let config = configure(&folder.join("upstream"), &UPSTREAM)?;
        let settings = config.join("settings.json");
        // What Skiff does by itself is done upstream by two plugins, which the server finds beside those of its owner only.
        for plugin in ["resources-provider", "course-provider"] {
            let on = json!({ "enabled": true, "configuration": {} }).to_string();
            process::write(&config.join("plugin-config-data").join(plugin).with_extension("json"), &on)?;
            let name = Path::new("@signalk").join(plugin);
            link(&modules.join(&name), &config.join("node_modules").join(&name))?;
        }
        json!({
            "command": [node, program, "-c", config],
            "environment": { "PORT": UPSTREAM.listen.to_string(), "SIGNALK_NODE_CONFIG_DIR": config, "SIGNALK_NODE_SETTINGS": settings },
            "base": format!("http://{HOST}:{}", UPSTREAM.listen),
            "feed": UPSTREAM.boat, "log": log, "password": PASSWORD,
            "openApi": modules.join("signalk-server/dist/api"),
        })
    };
    let skiff = {
        let config = configure(&folder.join("skiff"), &SKIFF)?;
        let input = format!("tcp://{HOST}:{}?format=ydwg&label=boat", SKIFF.boat);
        let listen = format!("{HOST}:{}", SKIFF.listen);
        json!({
            "command": [skiff, "run", "--config", config, "--listen", listen, "--admin-listen", "none", "--input", input],
            "environment": {},
            "base": format!("http://{listen}"),
            "feed": SKIFF.boat, "log": log, "password": PASSWORD, "token": config.join("skiff/token"),
        })
    };
    // Side by side: a walk is mostly waiting.
    let walks = [(upstream, "upstream", &UPSTREAM), (skiff, "skiff", &SKIFF)];
    let started: Vec<_> =
        walks.iter().map(|(setup, name, _)| start(&node, &folder, name, setup)).collect::<Result<_, _>>()?;
    let mut lines = Vec::new();
    for ((child, (_, name, ports)), _) in started.into_iter().zip(&walks).zip(0..) {
        lines.push(finish(child, &folder.join(name).with_extension("ndjson"), ports)?);
    }
    judge(&folder, &lines, record)
}

/// Compares what both said, and holds the differences against the list.
fn judge(folder: &Path, lines: &[Vec<Value>], record: bool) -> Result<(), String> {
    let [upstream, skiff] = lines else { return Err("two servers were to be walked".into()) };
    covered(upstream)?;
    let found = compare::differences(upstream, skiff);
    process::write(&folder.join("differences.txt"), &(found.join("\n") + "\n"))?;
    let path = process::top().join(FOLDER).join("differences.txt");
    let text = fs::read_to_string(&path).map_err(|error| format!("cannot read {}: {error}", path.display()))?;
    let (list, reasons) = List::parse(&text).map_err(|reason| format!("{}: {reason}", path.display()))?;
    let verdict = list.judge(&reasons, &found);
    let report = report(upstream, &found, &verdict);
    println!("{report}");
    if !verdict.unknown.is_empty() || !verdict.outlived.is_empty() {
        let mut all: Vec<String> = verdict.unknown.iter().map(|one| format!("not listed: {one}")).collect();
        all.extend(verdict.outlived.iter().map(|one| format!("listed, does not occur any more: {one}")));
        return Err(all.join("\n"));
    }
    if record { process::write(&process::top().join(RECORD), &report) } else { Ok(()) }
}

/// Writes the simulated boat as a gateway of Yacht Devices tells it, which both servers read.
fn boat(folder: &Path, skiff: &Path) -> Result<PathBuf, String> {
    let (log, told) = (folder.join("boat.candump"), folder.join("boat.ydwg"));
    fs::create_dir_all(folder).map_err(|error| format!("cannot make {}: {error}", folder.display()))?;
    sample::write(&log)?;
    let lines = process::output(Command::new(skiff).args(["decode", "--quiet", "--to", "ydwg"]).arg(&log))?;
    process::write(&told, &lines)?;
    Ok(told)
}

/// Lays out a configuration folder with both packages, a user, and the boat as an input.
fn configure(config: &Path, ports: &Ports) -> Result<PathBuf, String> {
    signalk_server::configure(config)?;
    // The simulated devices claim no address: with `useCanName` the server would wait for their names and tell nothing.
    let input =
        json!({ "type": "ydwg02-canboatjs", "host": HOST, "port": ports.boat.to_string(), "useCanName": false });
    let options = json!({ "type": "NMEA2000", "logging": false, "subOptions": input });
    let settings = json!({
        "interfaces": {}, "mdns": false, "vessel": { "name": "Trial", "uuid": OWN }, "security": { "strategy": "./tokensecurity" },
        "pipedProviders": [{ "id": "boat", "enabled": true, "pipeElements": [{ "type": "providers/simple", "options": options }] }],
    });
    process::write(&config.join("settings.json"), &settings.to_string())?;
    let vessel = json!([{ "context": "vessels.self", "updates": [{ "values": [{ "path": "", "value": { "name": "Trial", "uuid": OWN } }] }] }]);
    process::write(&config.join("baseDeltas.json"), &vessel.to_string())?;
    let user = json!({ "username": "skipper", "type": "admin", "password": PASSWORD_HASH });
    let security = json!({
        "immutableConfig": false, "allow_readonly": true, "expiration": "1d", "secretKey": "walk".repeat(16),
        "allowDeviceAccessRequests": true, "allowNewUserRegistration": true, "acls": [], "devices": [], "users": [user],
    });
    process::write(&config.join("security.json"), &security.to_string())?;
    for guest in &GUESTS {
        let (from, to) = (process::top().join(guest.folder), config.join("node_modules").join(guest.package));
        process::copy(&from.join(SMALL_MODULE), &to.join(SMALL_MODULE))?;
    }
    Ok(config.to_path_buf())
}

fn link(from: &Path, to: &Path) -> Result<(), String> {
    let folder = to.parent().unwrap_or(Path::new("."));
    let made = fs::create_dir_all(folder).and_then(|()| std::os::unix::fs::symlink(from, to));
    made.map_err(|error| format!("cannot link {}: {error}", to.display()))
}

fn start(node: &Path, folder: &Path, name: &str, setup: &Value) -> Result<Child, String> {
    let (file, said) = (folder.join(name).with_extension("json"), folder.join(name).with_extension("ndjson"));
    process::write(&file, &setup.to_string())?;
    let out = fs::File::create(&said).map_err(|error| format!("cannot write {}: {error}", said.display()))?;
    let script = process::top().join(FOLDER).join("walk.mjs");
    let mut command = process::command(&node.to_string_lossy(), [script.as_path(), &file]);
    command.stdin(Stdio::null()).stdout(out).spawn().map_err(|error| format!("cannot start node: {error}"))
}

/// Waits for a walk; returns its normalised lines.
fn finish(mut child: Child, said: &Path, ports: &Ports) -> Result<Vec<Value>, String> {
    let ended = child.wait().map_err(|error| format!("cannot wait for node: {error}"))?;
    if !ended.success() {
        let text = fs::read_to_string(said).unwrap_or_default();
        return Err(format!("the walk of {} failed: {}", said.display(), text.lines().last().unwrap_or_default()));
    }
    heard(said, ports)
}

/// Reads the lines of a walk, normalised.
fn heard(said: &Path, ports: &Ports) -> Result<Vec<Value>, String> {
    let text = fs::read_to_string(said).map_err(|error| format!("cannot read {}: {error}", said.display()))?;
    let lines: Vec<Value> = text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    let hello = lines.iter().find_map(|line| line["other"][0]["self"].as_str());
    let names =
        Names::new(hello.ok_or("no stream said which vessel is the own one")?, &format!("{HOST}:{}", ports.listen));
    Ok(lines.iter().map(|line| names.normal(line)).collect())
}

/// Checks that every operation of the server's documents was asked.
fn covered(lines: &[Value]) -> Result<(), String> {
    let operations: Vec<&Value> = lines.iter().filter(|line| line["t"] == "operation").collect();
    let missing = operations.iter().filter(|line| line["asked"] == 0.0).filter_map(|line| line["name"].as_str());
    let missing: Vec<&str> = missing.collect();
    if operations.len() != OPERATIONS {
        return Err(format!("the server's documents have {} operations, {OPERATIONS} were known", operations.len()));
    }
    if missing.is_empty() { Ok(()) } else { Err(format!("not asked: {}", missing.join(", "))) }
}

fn report(lines: &[Value], found: &[String], verdict: &Verdict) -> String {
    let count = |kind: &str| lines.iter().filter(|line| line["t"] == kind).count();
    let names = |kind: &'static str, start: &'static str| {
        lines
            .iter()
            .filter(move |line| line["t"] == kind)
            .filter_map(move |line| Some(format!("{start}{}", line["name"].as_str()?)))
    };
    // Each stream begins with a hello that names the server.
    let differs = |name: &str| {
        let mut told = found.iter().filter(|one| !one.contains(" messages/0/"));
        told.any(|one| one.strip_prefix(name).is_some_and(|rest| rest.starts_with([' ', ':'])))
    };
    let equal = |kind, start| names(kind, start).filter(|name| !differs(name)).count();
    let mut text = format!("# Skiff beside Signal K Server {}\n\n", signalk_server::SERVER);
    let _ = write!(
        text,
        "`cargo xtask signalk-server --walk --record` wrote this. {} operations of the server's OpenAPI documents and the tree, {} requests,\n\
         {} equal in status, type and body; {} stream cases, {} equal in paths, values, sources and counts but for the hello. {} differences in all,\n\
         each with its reason in [differences.txt](../xtask/signalk-server/walk/differences.txt):\n\n| differences | why |\n| --- | --- |\n",
        count("operation"),
        count("request"),
        equal("request", ""),
        count("stream"),
        equal("stream", "stream "),
        found.len(),
    );
    for (reason, times) in &verdict.explained {
        let _ = writeln!(text, "| {times} | {reason} |");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_operation_that_was_not_asked_is_told() {
        let all = |asked: f64| {
            let line = move |number| json!({ "t": "operation", "name": format!("GET /{number}"), "asked": if number == 7 { asked } else { 1.0 } });
            (0..OPERATIONS).map(line).collect::<Vec<_>>()
        };
        assert_eq!(covered(&all(1.0)), Ok(()));
        assert_eq!(covered(&all(0.0)), Err("not asked: GET /7".into()));
        assert!(covered(&all(1.0)[1..]).is_err());
    }

    #[test]
    fn the_list_that_is_kept_can_be_read() {
        let text = fs::read_to_string(process::top().join(FOLDER).join("differences.txt")).expect("the list");
        assert!(List::parse(&text).is_ok());
    }
}
