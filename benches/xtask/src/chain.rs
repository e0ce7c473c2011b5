//! A real Signal K server and Skiff, one the client of the other: all paths of the first arrive at the second.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};

use crate::{built, process, sample, signalk_server};

const RECORDS: &str = "benches/results";
const PORT: u16 = 4503;
/// Where the boat of the server speaks.
const FEED: u16 = 4513;

/// Which of both is the client.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// The server: its connection of type SignalK is the gateway's stream.
    Downstream,
    /// The gateway: its input is the server's stream.
    Upstream,
}

impl Way {
    fn name(self) -> &'static str {
        match self {
            Self::Downstream => "downstream",
            Self::Upstream => "upstream",
        }
    }
}

/// Runs `xtask signalk-server --downstream [--record]` and `--upstream [--record]`.
///
/// # Errors
/// What cannot be installed or started, or the paths that did not arrive.
pub fn run(way: Way, record: bool) -> Result<(), String> {
    let folder = process::target().join("signalk-chain").join(way.name());
    let config = folder.join("server");
    signalk_server::lay_out(&config)?;
    let skiff = built::tested()?;
    let log = folder.join("boat.candump");
    sample::write(&log)?;
    let options = match way {
        Way::Downstream => {
            let connection =
                json!({ "type": "ws", "host": "127.0.0.1", "port": PORT.to_string(), "selfHandling": "useRemoteSelf" });
            json!({ "type": "SignalK", "logging": false, "subOptions": connection })
        }
        Way::Upstream => {
            let input = json!({ "type": "ydwg02-canboatjs", "host": "127.0.0.1", "port": FEED.to_string(), "useCanName": false });
            json!({ "type": "NMEA2000", "logging": false, "subOptions": input })
        }
    };
    let provider =
        json!({ "id": "boat", "enabled": true, "pipeElements": [{ "type": "providers/simple", "options": options }] });
    let settings = json!({ "interfaces": {}, "mdns": false, "pipedProviders": [provider] });
    process::write(&config.join("settings.json"), &settings.to_string())?;
    let gateway = format!("http://127.0.0.1:{PORT}");
    let mut arguments = vec![PathBuf::from(&gateway), PathBuf::from(way.name())];
    let input = match way {
        Way::Downstream => log.display().to_string(),
        Way::Upstream => {
            let told = folder.join("boat.ydwg");
            let lines = process::output(Command::new(&skiff).args(["decode", "--quiet", "--to", "ydwg"]).arg(&log))?;
            process::write(&told, &lines)?;
            arguments.extend([PathBuf::from(FEED.to_string()), told]);
            format!("ws://127.0.0.1:{}", signalk_server::PORT)
        }
    };
    let mut child = start(&skiff, &folder.join("skiff"), &input)?;
    let arguments: Vec<&Path> = arguments.iter().map(PathBuf::as_path).collect();
    let said = signalk_server::drive("chain.mjs", &config, &arguments);
    process::stop(&mut child);
    let said = said?;
    println!("{said}");
    verdict(&said)?;
    let kept = process::top().join(RECORDS).join(format!("signalk-server-{}.ndjson", way.name()));
    if record { process::write(&kept, &format!("{said}\n")) } else { Ok(()) }
}

fn start(skiff: &Path, config: &Path, input: &str) -> Result<Child, String> {
    let _ = fs::remove_dir_all(config);
    let mut gateway = Command::new(skiff);
    gateway.args(["run", "--quiet", "--admin-listen", "none", "--listen", &format!("127.0.0.1:{PORT}"), "--config"]);
    gateway.arg(config).args(["--input", input]).stdin(Stdio::null()).stderr(Stdio::null());
    gateway.spawn().map_err(|error| format!("cannot start skiff: {error}"))
}

fn verdict(said: &str) -> Result<(), String> {
    let row: Value = said.lines().next().and_then(|line| serde_json::from_str(line).ok()).unwrap_or_default();
    let count = |member: &str| row[member].as_u64().unwrap_or_default();
    if count("paths") == 0 || count("arrived") != count("paths") {
        return Err(format!("{} of {} paths arrived; missing: {}", count("arrived"), count("paths"), row["missing"]));
    }
    for (member, what) in [("other", "have another value"), ("units", "have another unit")] {
        if row[member].as_array().is_some_and(|paths| !paths.is_empty()) {
            return Err(format!("these paths {what} behind: {}", row[member]));
        }
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

    #[test]
    fn a_value_that_is_another_one_behind_is_told() {
        let row = |other: &str| format!(r#"{{"paths":1,"arrived":1,"missing":[],"other":{other},"units":[]}}"#);
        assert_eq!(verdict(&row("[]")), Ok(()));
        assert_eq!(verdict(&row(r#"["a.b"]"#)), Err(r#"these paths have another value behind: ["a.b"]"#.into()));
    }
}
