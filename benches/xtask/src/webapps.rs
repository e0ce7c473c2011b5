//! The web apps that people have, in a real browser on a gateway with users: logged in, live values, one thing stored.
//!
//! What an app asks for and does not get is on a closed list in the script. Screenshots lie in `target/webapps`.

use std::io::{BufRead, BufReader};
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
/// Time until the gateway has said where it listens.
const START_TIME: Duration = Duration::from_secs(60);
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
    let gateway = Gateway::start(&config, &log)?;
    let mut script = Command::new("node");
    script.arg(process::top().join("benches/xtask/webapps/walk.mjs"));
    script.args([&gateway.boat, &gateway.admin, "/usr/bin/chromium"]).arg(&folder);
    let said = process::output(script.env("SKIPPERS_PASSWORD", PASSWORD).current_dir(&config))?;
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

/// Rows that the script tells: nobody, three apps, a part, three found again, the admin's port, the admin UI.
const ROWS: usize = 10;

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
                && row["boat"] == 404
                && row["unknown"].as_array().is_some_and(Vec::is_empty)
                && row["scripts"].as_array().is_some_and(Vec::is_empty)
        }
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

/// A gateway with one user, on the boat of the sample.
pub struct Gateway {
    child: Child,
    /// The boat's door.
    pub boat: String,
    /// The admin's.
    pub admin: String,
}

impl Gateway {
    /// Starts it on a folder, with a log to play; its user is `skipper`.
    ///
    /// # Errors
    /// What cannot be built or started.
    pub fn start(config: &Path, log: &Path) -> Result<Self, String> {
        let skiff: PathBuf = built::tested()?;
        let mut user = Command::new(&skiff);
        user.args(["user", "add", "skipper", "--role", "admin", "--config"]).arg(config).stdin(Stdio::piped());
        let mut user = user.spawn().map_err(|error| error.to_string())?;
        // Dropped at once: that ends the line.
        let written = user.stdin.take().map(|mut input| std::io::Write::write_all(&mut input, PASSWORD.as_bytes()));
        let added = user.wait().map_err(|error| error.to_string())?;
        if !added.success() || written.is_none_or(|written| written.is_err()) {
            return Err("skiff user add failed".into());
        }
        let mut command = Command::new(&skiff);
        command
            .args(["run", "--listen", "127.0.0.1:0", "--speed", "1", "--config"])
            .arg(config)
            .arg("--input")
            .arg(log);
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

impl Drop for Gateway {
    fn drop(&mut self) {
        process::stop(&mut self.child);
    }
}
