//! The web apps that people have, in a real browser on a gateway with users: logged in, live values, one thing stored. The admin
//! UI beside them: its store on a registry of this machine, backup and restore, the API documents.
//!
//! What an app asks for and does not get is on a closed list in the script. Screenshots lie in `target/webapps`.

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use serde_json::Value;

use crate::{built, debian, npm, process, sample};

/// Packages and the version that is tried.
const PACKAGES: [(&str, &str); 6] = [
    ("@mxtommy/kip", "4.8.5"),
    ("@signalk/freeboard-sk", "3.1.1"),
    ("@signalk/instrumentpanel", "0.26.0"),
    ("@signalk/server-admin-ui", "2.32.0"),
    ("@signalk/vesselpositions", "1.5.1"),
    ("playwright-core", "1.65.1"),
];
/// The user who logs in, made for the run.
pub const PASSWORD: &str = "half past two";
/// Time until the gateway has said where it listens: for a machine that does ten other things, too.
const START_TIME: Duration = Duration::from_secs(240);
/// Deltas that an app must have been given.
const LIVE_MIN: u64 = 3;

/// Runs `xtask webapps`.
///
/// # Errors
/// What cannot be built or started, or what an app does not do. Without a browser or the registry it says SKIPPED.
pub fn run(_: &[String]) -> Result<(), String> {
    let folder = process::target().join("webapps");
    // The gateway finds them in its configuration folder.
    let config = folder.join("config");
    let installed = debian::packages(&["chromium"]).and_then(|()| npm::install(&config, "webapps", &PACKAGES));
    if let Err(reason) = installed {
        println!("SKIPPED, no web app was opened: {reason}");
        return Ok(());
    }
    let _ = std::fs::remove_dir_all(config.join("skiff"));
    // The admin UI configures it.
    let from = process::top().join("plugins/rust/true-wind");
    let to = config.join("node_modules/@skiff/true-wind");
    for file in ["package.json", "plugin.wasm", "plugin-small.wasm"] {
        process::copy(&from.join(file), &to.join(file))?;
    }
    let _ = std::fs::remove_dir_all(config.join("plugin-config-data"));
    let log = folder.join("boat.candump");
    sample::write(&log)?;
    add_user(&config)?;
    let registry = Registry::start()?;
    let gateway = Gateway::start(&config, &log, Some(&registry.url))?;
    let mut script = Command::new("node");
    script.arg(process::top().join("benches/xtask/webapps/walk.mjs"));
    script.args([&gateway.boat, &gateway.admin, "/usr/bin/chromium"]).arg(&folder).arg(&registry.url);
    let mut said = process::output(script.env("SKIPPERS_PASSWORD", PASSWORD).current_dir(&config))?;
    drop(gateway);
    // What was chosen of a backup comes back with the next start.
    let gateway = Gateway::start(&config, &log, Some(&registry.url))?;
    let mut script = Command::new("node");
    script.arg(process::top().join("benches/xtask/webapps/restored.mjs")).arg(&gateway.boat);
    said = said + "\n" + &process::output(script.arg(config.join("skiff/token")))?;
    drop(gateway);
    let mut wrong = Vec::new();
    for line in said.lines() {
        let row: Value = serde_json::from_str(line).map_err(|error| format!("{line}: {error}"))?;
        println!("{line}");
        if !is_right(&row) {
            wrong.push(line.to_owned());
        }
    }
    if said.lines().count() < ROWS {
        return Err(format!("{} of {ROWS} rows were told", said.lines().count()));
    }
    if !wrong.is_empty() {
        return Err(wrong.join("; "));
    }
    println!(
        "each app is live, keeps something and fails at nothing that is not listed; screenshots: {}",
        folder.display()
    );
    Ok(())
}

/// Rows that the scripts tell: nobody, three apps, a part, three found again, the admin's port, the admin UI, what came back.
const ROWS: usize = 11;

/// Served at the admin's door alone.
const ADMIN_UI: &str = "@signalk/server-admin-ui";

/// Tells whether a row says what it should.
fn is_right(row: &Value) -> bool {
    match row["app"].as_str() {
        Some("nobody") => row["refused"] == 401,
        Some("admin") => row["users"] == 200 && row["reached"] == "nothing" && row["framed"] == "closed",
        Some(ADMIN_UI) => {
            let is_live = row["live"].as_u64() >= Some(LIVE_MIN) && row["rows"].as_u64() >= Some(LIVE_MIN);
            let is_kept = ["configured", "user", "vessel", "logged"].iter().all(|what| row[what] == true);
            is_live
                && is_kept
                && are_described(&row["described"])
                && is_stored(&row["stored"])
                && (&row["saved"]["renamed"], &row["saved"]["marked"]) == (&200.into(), &true.into())
                && row["boat"] == 404
                && row["unknown"].as_array().is_some_and(Vec::is_empty)
                && row["scripts"].as_array().is_some_and(Vec::is_empty)
        }
        Some("restored") => row["name"] == "Nina",
        Some(_) if row.get("found").is_some() => row["found"] == true,
        Some(_) if row.get("part").is_some() => row["part"] == 200,
        Some(_) => {
            row["live"].as_u64() >= Some(LIVE_MIN)
                && row["stored"] == 200
                && row["unknown"].as_array().is_some_and(Vec::is_empty)
        }
        None => false,
    }
}

/// Adds the user who logs in.
///
/// # Errors
/// What cannot be built or started.
pub fn add_user(config: &Path) -> Result<(), String> {
    let mut user = Command::new(built::tested()?);
    user.args(["user", "add", "skipper", "--role", "admin", "--config"]).arg(config).stdin(Stdio::piped());
    let mut user = user.spawn().map_err(|error| error.to_string())?;
    // Dropped at once: that ends the line.
    let written = user.stdin.take().map(|mut input| std::io::Write::write_all(&mut input, PASSWORD.as_bytes()));
    let added = user.wait().map_err(|error| error.to_string())?;
    if !added.success() || written.is_none_or(|written| written.is_err()) {
        return Err("skiff user add failed".into());
    }
    Ok(())
}

/// Tells whether the pages of API documents show all of them.
fn are_described(row: &Value) -> bool {
    let count = |name: &str| row[name].as_u64().unwrap_or_default();
    count("streams") >= 4 && count("apis") >= 15 && count("operations") >= 10 && row["isCourse"] == true
}

/// Tells whether a package of the store came, asked, ran once it was let, was renewed and went, without a restart.
fn is_stored(row: &Value) -> bool {
    let steps = ["installed", "asked", "waits", "accepted", "updated", "removed"];
    steps.iter().all(|step| row[step] == true) && row["restart"] == 0
}

/// A registry with one package, on loopback.
struct Registry {
    child: Child,
    url: String,
}

impl Registry {
    fn start() -> Result<Self, String> {
        let mut command = Command::new("node");
        command.arg(process::top().join("benches/xtask/webapps/registry.mjs"));
        command.arg(process::top().join("plugins/assemblyscript/shallow-water-alarm/plugin.wasm"));
        let mut child = command.stdout(Stdio::piped()).spawn().map_err(|error| error.to_string())?;
        let mut url = String::new();
        let read = child.stdout.take().map(|lines| BufReader::new(lines).read_line(&mut url));
        if !matches!(read, Some(Ok(_))) || url.is_empty() {
            process::stop(&mut child);
            return Err("the registry did not say where it listens".into());
        }
        Ok(Self { child, url: url.trim().to_owned() })
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        process::stop(&mut self.child);
    }
}

/// A gateway with one user, on the boat of the sample.
pub struct Gateway {
    child: Child,
    /// The boat's door.
    pub boat: String,
    /// The admin's.
    pub admin: String,
}

impl Gateway {
    /// Starts it on a folder, with a log to play, and packages from a registry of the run's own, if there is one.
    ///
    /// # Errors
    /// What cannot be built or started.
    pub fn start(config: &Path, log: &Path, registry: Option<&str>) -> Result<Self, String> {
        let skiff: PathBuf = built::tested()?;
        let [boat, admin] = free_ports().map_err(|error| error.to_string())?.map(|port| format!("127.0.0.1:{port}"));
        let mut command = Command::new(&skiff);
        command
            .args(["run", "--listen", &boat, "--admin-listen", &admin, "--speed", "1", "--config"])
            .arg(config)
            .arg("--input")
            .arg(log)
            .envs(registry.map(|registry| ("npm_config_registry", registry)));
        let mut child = command.stderr(Stdio::piped()).spawn().map_err(|error| error.to_string())?;
        let lines = child.stderr.take().ok_or("no stderr")?;
        let (found, told) = mpsc::channel();
        std::thread::spawn(move || {
            for line in BufReader::new(lines).lines().map_while(Result::ok) {
                let url =
                    ["Skiff listens on ", "to administrate: "].into_iter().find_map(|start| line.strip_prefix(start));
                // Who has both does not listen any more; the rest is read all the same, so that the gateway can speak.
                let _ = url.map(|url| found.send(url.to_owned()));
            }
        });
        let next = || told.recv_timeout(START_TIME).map_err(|_| "the gateway did not say where it listens".to_owned());
        let urls = next().and_then(|boat| Ok((boat, next()?)));
        match urls {
            Ok((boat, admin)) => Ok(Self { child, boat, admin }),
            Err(reason) => {
                process::stop(&mut child);
                Err(reason)
            }
        }
    }
}

/// Finds two ports that nobody has: a gateway that starts itself anew is to be where it was.
fn free_ports() -> std::io::Result<[u16; 2]> {
    let listeners = [TcpListener::bind("127.0.0.1:0")?, TcpListener::bind("127.0.0.1:0")?];
    Ok([listeners[0].local_addr()?.port(), listeners[1].local_addr()?.port()])
}

impl Drop for Gateway {
    fn drop(&mut self) {
        process::stop(&mut self.child);
    }
}
