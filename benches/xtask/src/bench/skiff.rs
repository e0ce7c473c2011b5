//! Skiff's own rows, from `skiff bench`.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Map, Value, json};

use crate::process;

/// Steps of a load whose sum stands beside other engines' load.
const LOAD: [&str; 3] = ["load.check", "load.translate", "load.start"];

/// Measures Skiff with these packages; returns its report, and its row among the engines.
pub fn measured(skiff: &Path, packages: &[PathBuf]) -> Result<(Value, Value), String> {
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
    let row = row(&report)?;
    Ok((report, row))
}

fn row(report: &Value) -> Result<Value, String> {
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
        .map(|name| {
            let load: f64 = LOAD.iter().filter_map(|id| of(id, name)["median"].as_f64()).sum();
            let mut found = Map::new();
            found.insert("load".into(), json!({ "median": load }));
            for (id, to) in [
                ("delta.unwanted", "delta.unwanted"),
                ("delta.answered", "delta.answered"),
                ("memory.resident", "memory"),
            ] {
                let row = of(id, name);
                found.insert(to.into(), json!({ "median": row["median"], "low": row["low"], "high": row["high"] }));
            }
            json!({ "package": name, "rows": found })
        })
        .collect();
    Ok(json!({
        "name": "skiff",
        "title": "Skiff (wasmi, fuel, limits)",
        "version": report["skiff"],
        "packages": packages,
    }))
}
