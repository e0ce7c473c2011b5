//! `cargo xtask bench`: the packages of the project on Skiff and on other engines, and what is written about it.

mod engines;
mod results;
mod server;
mod skiff;

use serde_json::{Value, json};

use crate::toolchain::Toolchain;
use crate::{built, process};

/// Runs `xtask bench [--only ENGINE]…`: all engines without a name.
///
/// # Errors
/// What Skiff itself could not do, or what cannot be written. An engine that cannot be built is a row that says why.
pub fn run(arguments: &[String]) -> Result<(), String> {
    let wanted: Vec<&str> = match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        [] => Vec::new(),
        ["--only", names @ ..] if !names.is_empty() => names.to_vec(),
        _ => return Err("takes nothing, or --only and names of engines".into()),
    };
    let skiff = built::shipped()?;
    let packages = engines::packages()?;
    let (report, own) = skiff::measured(&skiff, &packages)?;
    let mut rows = vec![own];
    for engine in engines::ENGINES.iter().filter(|engine| wanted.is_empty() || wanted.contains(&engine.name)) {
        eprintln!("== {}", engine.title);
        let row = engines::measured(engine, &packages);
        if let Some(reason) = row["void"].as_str() {
            eprintln!("{}: {reason}", engine.title);
        }
        rows.push(row);
    }
    engines::void_what_differs(&mut rows);
    let servers = if wanted.is_empty() || wanted.contains(&"server") { server::measured(&skiff) } else { Vec::new() };
    let words = ["cargo xtask bench"].into_iter().chain(arguments.iter().map(String::as_str));
    let command = words.collect::<Vec<_>>().join(" ");
    let found = json!({
        "format": "skiff-results",
        "formatVersion": 1,
        "date": report["date"],
        "command": command,
        "machine": report["machine"],
        "compiler": Toolchain::Default.version()?,
        "engines": rows,
        "servers": servers,
        "skiff": report,
    });
    println!("{}", results::tables(&found));
    results::write(&process::top(), &found)
}

/// A value of a row, by engine and package.
fn value(engine: &Value, package: &str, row: &str) -> Option<f64> {
    let packages = engine["packages"].as_array()?;
    packages.iter().find(|found| found["package"] == package)?["rows"][row]["median"].as_f64()
}
