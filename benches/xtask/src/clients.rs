//! Programs that boats have, as clients of a gateway with users: `@signalk/client`, python's `signalk-client`, and what SensESP and
//! pypilot do on the wire, each a script of `benches/xtask/clients`; both libraries find it by mDNS, too ([`crate::discovery`]).

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use serde_json::Value;

use crate::{built, discovery, npm, process, sample};

const PACKAGES: [(&str, &str); 3] = [("@signalk/client", "2.4.0"), ("bonjour", "3.5.0"), ("ws", "8.18.0")];
const PYTHON_CLIENT: &str = "signalk-client==0.2.3";
const PASSWORD: &str = "half past two";
const START_TIME: Duration = Duration::from_secs(60);
/// Scripts and the rows that each tells at least.
const SCRIPTS: [(&str, usize); 3] = [("client.mjs", 17), ("sensesp.mjs", 13), ("pypilot.mjs", 7)];
const PYTHON_ROWS: usize = 4;

/// Runs `xtask clients`.
///
/// # Errors
/// What cannot be built or started, or what a client does not get. Without a registry it says SKIPPED.
pub fn run(_: &[String]) -> Result<(), String> {
    let folder = process::target().join("clients");
    if let Err(reason) = npm::install(&folder, "clients", &PACKAGES) {
        println!("SKIPPED, no client was tried: {reason}");
        return Ok(());
    }
    let gateway = Gateway::start(&folder.join("config"), &folder)?;
    let mut wrong = Vec::new();
    for (script, least) in SCRIPTS {
        let mut node = Command::new("node");
        node.arg(process::top().join("benches/xtask/clients").join(script)).arg(&gateway.url);
        node.args([&folder.join("node_modules"), &folder.join("config/skiff/token")]);
        wrong.extend(judge(script, &process::output(node.env("SKIPPERS_PASSWORD", PASSWORD))?, least)?);
    }
    let python = python(&folder);
    match &python {
        Err(reason) => println!("SKIPPED, python's client was not tried: {reason}"),
        Ok(packages) => {
            let mut python = Command::new("python3");
            python.arg(process::top().join("benches/xtask/clients/reader.py"));
            python.arg(gateway.url.trim_start_matches("http://").trim_end_matches('/'));
            let said = process::output(python.env("PYTHONPATH", packages))?;
            wrong.extend(judge("reader.py", &said, PYTHON_ROWS)?);
        }
    }
    drop(gateway);
    match discovery::run(&built::tested()?, &folder, python.ok().as_deref())? {
        None => {
            println!("SKIPPED, nobody looked for the gateway: no network namespace can be made (ip netns, as root)");
        }
        Some(said) => {
            for (said, least) in said {
                wrong.extend(judge("discovery", &said, least)?);
            }
        }
    }
    if wrong.is_empty() { Ok(()) } else { Err(wrong.join("\n")) }
}

/// Prints what a script told; returns the rows that are wrong.
fn judge(script: &str, said: &str, least: usize) -> Result<Vec<String>, String> {
    let mut wrong = Vec::new();
    for line in said.lines() {
        let row: Value = serde_json::from_str(line).map_err(|error| format!("{script}: {line}: {error}"))?;
        println!("{line}");
        if row["ok"] != true {
            wrong.push(line.to_owned());
        }
    }
    let count = said.lines().count();
    if count < least {
        wrong.push(format!("{script} told {count} rows, {least} were to be"));
    }
    Ok(wrong)
}

/// Installs python's client below `folder`; returns where.
fn python(folder: &Path) -> Result<PathBuf, String> {
    let packages = folder.join("python");
    if !packages.join("signalk_client").is_dir() {
        let mut pip =
            process::command("python3", ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--target"]);
        process::output(pip.arg(&packages).arg(PYTHON_CLIENT))?;
    }
    Ok(packages)
}

/// A gateway with one user, on the boat of the sample.
struct Gateway {
    child: Child,
    url: String,
}

impl Gateway {
    fn start(config: &Path, folder: &Path) -> Result<Self, String> {
        let _ = std::fs::remove_dir_all(config);
        let skiff = built::tested()?;
        let log = folder.join("boat.candump");
        sample::write(&log)?;
        let mut user = Command::new(&skiff);
        user.args(["user", "add", "skipper", "--role", "admin", "--config"]).arg(config).stdin(Stdio::piped());
        let mut user = user.spawn().map_err(|error| format!("cannot start skiff: {error}"))?;
        // Dropped at once: that ends the line.
        let written = user.stdin.take().map(|mut input| input.write_all(PASSWORD.as_bytes()));
        let added = user.wait().map_err(|error| format!("cannot wait for skiff: {error}"))?;
        if !added.success() || written.is_none_or(|written| written.is_err()) {
            return Err("skiff user add failed".into());
        }
        let mut command = Command::new(&skiff);
        command.args(["run", "--listen", "127.0.0.1:0", "--admin-listen", "none", "--speed", "1", "--config"]);
        command.arg(config).arg("--input").arg(&log).stderr(Stdio::piped());
        let mut child = command.spawn().map_err(|error| format!("cannot start skiff: {error}"))?;
        let lines = child.stderr.take().ok_or("no stderr")?;
        let (found, told) = mpsc::channel();
        std::thread::spawn(move || {
            for line in BufReader::new(lines).lines().map_while(Result::ok) {
                // Who has it does not listen any more; the rest is read all the same, so that the gateway can speak.
                let _ =
                    line.strip_prefix("Skiff listens on ").map(|url| found.send(url.trim_end_matches('/').to_owned()));
            }
        });
        match told.recv_timeout(START_TIME) {
            Ok(url) => Ok(Self { child, url }),
            Err(_) => {
                process::stop(&mut child);
                Err("the gateway did not say where it listens".into())
            }
        }
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        process::stop(&mut self.child);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_that_is_not_right_and_one_that_is_missing_are_told() {
        let right = r#"{"client":"c","step":"s","ok":true}"#;
        assert_eq!(judge("x", right, 1), Ok(Vec::new()));
        assert_eq!(judge("x", right, 2).unwrap(), ["x told 1 rows, 2 were to be"]);
        let wrong = right.replace("true", "false");
        assert_eq!(judge("x", &wrong, 1).unwrap(), std::slice::from_ref(&wrong));
        assert!(judge("x", "Error: no stream", 0).is_err());
    }
}
