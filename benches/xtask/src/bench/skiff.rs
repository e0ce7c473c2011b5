//! Skiff's own rows, from `skiff bench`.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Map, Value, json};

use super::results::IN_ROWS;
use crate::process;

/// Steps of a load whose sum stands beside other engines' load.
const LOAD: [&str; 3] = ["load.check", "load.translate", "load.start"];

/// A row of Skiff's among the engines: its name, its title, and which of its rows are those of an engine.
struct Told(&'static str, &'static str, [(&'static str, &'static str); 3]);

/// First as the other engines are told, which know nothing of values.
const TOLD: [Told; 2] = [
    Told(
        "skiff",
        "Skiff (wasmi, fuel, limits)",
        [("text.unwanted", "delta.unwanted"), ("text.answered", "delta.answered"), ("memory.resident", "memory")],
    ),
    Told(
        IN_ROWS,
        "Skiff, values in rows",
        [("delta.unwanted", "delta.unwanted"), ("delta.answered", "delta.answered"), ("memory.resident", "memory")],
    ),
];

/// Measures Skiff with these packages; returns its report, and its rows among the engines.
pub fn measured(skiff: &Path, packages: &[PathBuf]) -> Result<(Value, Vec<Value>), String> {
    let (mut report, mut rows) = (Value::Null, Vec::new());
    // One process a package: none finds memory that another has freed, and each has its minute.
    for package in packages {
        let mut command = Command::new(skiff);
        let text = process::output(command.args(["bench", "--json"]).arg(package))?;
        let mut one: Value = serde_json::from_str(&text).map_err(|error| format!("skiff bench: {error}"))?;
        let found = one["rows"].as_array_mut().map(std::mem::take).unwrap_or_default();
        let is_first = rows.is_empty();
        rows.extend(found.into_iter().filter(|row| is_first || row["package"].is_string()));
        if is_first {
            report = one;
        }
    }
    report["rows"] = rows.into();
    // The folders are of this machine.
    report["command"] = "skiff bench --json PACKAGE".into();
    let own = TOLD.iter().map(|told| row(&report, told)).collect::<Result<_, _>>()?;
    Ok((report, own))
}

fn row(report: &Value, Told(name, title, told): &Told) -> Result<Value, String> {
    let rows = report["rows"].as_array().ok_or("skiff bench gave no rows")?;
    let of = |id: &str, package: &str| {
        rows.iter().find(|row| row["id"] == id && row["package"] == package).cloned().unwrap_or(Value::Null)
    };
    let mut names: Vec<&str> = rows.iter().filter_map(|row| row["package"].as_str()).collect();
    names.dedup();
    names.sort_unstable();
    names.dedup();
    let packages: Vec<Value> = names
        .into_iter()
        .map(|package| {
            let load: f64 = LOAD.iter().filter_map(|id| of(id, package)["median"].as_f64()).sum();
            let mut found = Map::new();
            found.insert("load".into(), json!({ "median": load }));
            for (id, to) in told {
                let row = of(id, package);
                found.insert((*to).into(), json!({ "median": row["median"], "low": row["low"], "high": row["high"] }));
            }
            json!({ "package": package, "rows": found })
        })
        .collect();
    Ok(json!({
        "name": name,
        "title": title,
        "version": report["skiff"],
        "packages": packages,
    }))
}
