//! End to end: Skiff and the whole Signal K Server with copies of the alarm, as their clients see them.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use crate::guests::GUESTS;
use crate::{process, signalk_server};

/// Copies of the package that a server runs.
const PLUGINS: [usize; 4] = [0, 1, 5, 20];
const PORT: &str = "3912";
const ENDPOINT: &str = "/plugins/_bench_alarm-0/api/status";
/// Messages in a circle: the depth changes the alarm's state twice in ten.
const CIRCLE: usize = 10;

/// Measures both servers; one that cannot be installed is a row that says why.
pub fn measured(skiff: &Path) -> Vec<Value> {
    let node = signalk_server::installed();
    let mut rows = Vec::new();
    for title in ["Skiff", "Signal K Server 2.32.0"] {
        let of = |plugins: usize| -> Result<Value, String> {
            let (node, server) = node.clone()?;
            let config = process::target().join("bench/server-config");
            lay_out(&config, plugins)?;
            let deltas = process::target().join("bench/messages.json");
            process::write(&deltas, &messages()?.to_string())?;
            let mut run =
                process::command(&node.to_string_lossy(), [process::top().join("benches/engines/node/server.mjs")]);
            run.arg(PORT).arg(&deltas).arg(&config).arg(plugins.to_string()).arg(ENDPOINT);
            if title == "Skiff" {
                run.arg(skiff).args(["run", "--quiet", "--allow-anyone", "--config"]).arg(&config);
                run.args(["--listen", &format!("127.0.0.1:{PORT}")]);
            } else {
                run.arg(&node).arg(server).arg("-c").arg(&config);
            }
            let text = process::output(&mut run)?;
            serde_json::from_str(&text).map_err(|error| format!("it printed no table: {error}"))
        };
        let found = PLUGINS.map(|plugins| {
            eprintln!("== {title}, {plugins} plugins");
            let mut row = of(plugins).unwrap_or_else(|reason| json!({ "failed": reason }));
            row["plugins"] = plugins.into();
            row
        });
        rows.push(json!({ "title": title, "rows": found }));
    }
    rows
}

/// A Signal K folder with copies of the alarm that are handed everything.
fn lay_out(config: &Path, plugins: usize) -> Result<(), String> {
    let _ = fs::remove_dir_all(config);
    process::write(&config.join("package.json"), "{\"name\":\"bench-config\",\"version\":\"0.0.0\"}\n")?;
    let settings = "{\"vessel\":{\"name\":\"Bench\",\"uuid\":\"urn:mrn:signalk:uuid:00000000-0000-4000-8000-000000000001\"},\
                    \"interfaces\":{},\"pipedProviders\":[],\"mdns\":false}\n";
    process::write(&config.join("settings.json"), settings)?;
    let from = process::top().join(GUESTS[1].folder);
    let read = |name: &str| fs::read_to_string(from.join(name)).map_err(|error| format!("{name}: {error}"));
    for number in 0..plugins {
        let mut manifest: Value = serde_json::from_str(&read("package.json")?).map_err(|error| error.to_string())?;
        manifest["name"] = format!("@bench/alarm-{number}").into();
        manifest["skiff"] = json!({});
        let to = config.join(format!("node_modules/@bench/alarm-{number}"));
        process::write(&to.join("package.json"), &manifest.to_string())?;
        process::copy(&from.join("plugin.wasm"), &to.join("plugin.wasm"))?;
        let own =
            format!("{{\"enabled\":true,\"enableDebug\":false,\"configuration\":{}}}\n", read("sample-config.json")?);
        process::write(&config.join(format!("plugin-config-data/_bench_alarm-{number}.json")), &own)?;
    }
    Ok(())
}

/// The messages of a client: mostly what the alarm does not want.
fn messages() -> Result<Value, String> {
    let feed = skiff_measure::input::feed(GUESTS[1].package).ok_or("the alarm has no deltas")?;
    let message = |number: usize| match number {
        0 => feed.answered.first(),
        5 => feed.answered.get(1),
        _ => Some(&feed.unwanted),
    };
    Ok((0..CIRCLE).filter_map(message).cloned().collect())
}
