//! A real Signal K server as a client of Skiff: its connection of type SignalK is the gateway's stream, and all of the
//! gateway's paths arrive there.

use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::{built, process, sample, signalk_server};

const RECORD: &str = "benches/results/signalk-server-downstream.ndjson";
const PORT: u16 = 4503;

/// Runs `xtask signalk-server --downstream [--record]`.
///
/// # Errors
/// What cannot be installed or started, or the paths that did not arrive.
pub fn run(record: bool) -> Result<(), String> {
    let folder = process::target().join("signalk-downstream");
    let config = folder.join("upstream");
    signalk_server::lay_out(&config)?;
    let connection =
        json!({ "type": "ws", "host": "127.0.0.1", "port": PORT.to_string(), "selfHandling": "useRemoteSelf" });
    let options = json!({ "type": "SignalK", "logging": false, "subOptions": connection });
    let provider =
        json!({ "id": "skiff", "enabled": true, "pipeElements": [{ "type": "providers/simple", "options": options }] });
    let settings = json!({ "interfaces": {}, "mdns": false, "pipedProviders": [provider] });
    process::write(&config.join("settings.json"), &settings.to_string())?;
    let own = folder.join("skiff");
    let _ = std::fs::remove_dir_all(&own);
    let log = folder.join("boat.candump");
    sample::write(&log)?;
    let mut gateway = Command::new(built::tested()?);
    gateway
        .args(["run", "--quiet", "--admin-listen", "none", "--listen", &format!("127.0.0.1:{PORT}"), "--config"])
        .arg(&own);
    let mut gateway = gateway.arg("--input").arg(&log).stdin(Stdio::null()).stderr(Stdio::null()).spawn();
    let gateway = gateway.as_mut().map_err(|error| format!("cannot start skiff: {error}"))?;
    let said = signalk_server::drive("downstream.mjs", &config, &[Path::new(&format!("http://127.0.0.1:{PORT}"))]);
    process::stop(gateway);
    let said = said?;
    println!("{said}");
    verdict(&said)?;
    if record { process::write(&process::top().join(RECORD), &format!("{said}\n")) } else { Ok(()) }
}

fn verdict(said: &str) -> Result<(), String> {
    let row: Value = said.lines().next().and_then(|line| serde_json::from_str(line).ok()).unwrap_or_default();
    let count = |member: &str| row[member].as_u64().unwrap_or_default();
    if count("paths") == 0 || count("arrived") != count("paths") {
        return Err(format!("{} of {} paths arrived; missing: {}", count("arrived"), count("paths"), row["missing"]));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_that_did_not_arrive_is_told() {
        assert!(verdict(r#"{"t":"downstream","paths":40,"arrived":40,"missing":[]}"#).is_ok());
        let missing = verdict(r#"{"t":"downstream","paths":40,"arrived":39,"missing":["a.b"]}"#);
        assert_eq!(missing, Err(r#"39 of 40 paths arrived; missing: ["a.b"]"#.into()));
        assert!(verdict("").is_err() && verdict(r#"{"paths":0,"arrived":0}"#).is_err());
    }
}
