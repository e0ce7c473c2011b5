//! `cargo xtask bench`: the packages of the project on Skiff and on other engines, and what is written about it.

mod board;
mod board_tables;
mod compare;
mod engines;
mod node;
mod results;
mod rounds;
mod server;
mod skiff;

use std::path::Path;

use serde_json::{Value, json};

use rounds::Measured;

use crate::toolchain::Toolchain;
use crate::{built, process};

/// Runs `xtask bench [--only ENGINE]…`: all engines without a name; or, without measuring,
/// `xtask bench --compare OTHER.json` and `xtask bench --tables`, which writes tables and plots anew.
///
/// # Errors
/// What Skiff itself could not do, or what cannot be written. An engine that cannot be built is a row that says why.
pub fn run(arguments: &[String]) -> Result<(), String> {
    let wanted: Vec<&str> = match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        [] => Vec::new(),
        ["--only", names @ ..] if !names.is_empty() => names.to_vec(),
        ["--compare", other] => return compare::run(Path::new(other)),
        ["--tables"] => return results::rewrite(&process::top()),
        _ => {
            return Err(
                "takes nothing, --only and names of engines, --compare and another results.json, or --tables".into()
            );
        }
    };
    let skiff = built::shipped()?;
    let packages = engines::packages()?;
    let is_wanted = |name: &str| wanted.is_empty() || wanted.contains(&name);
    let chosen: Vec<_> = engines::ENGINES.iter().filter(|engine| is_wanted(engine.name)).collect();
    let Measured { report, rows, answers } = rounds::measured(&skiff, &chosen, &packages)?;
    let board = if is_wanted("board") { board::measured(&packages, &answers)? } else { Value::Null };
    let servers = if is_wanted("server") { server::measured(&skiff) } else { Vec::new() };
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
        "board": board,
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

/// How many times an engine's value Skiff's is in a row: the median of the rounds' ratios.
fn ratio(engine: &Value, package: &str, row: &str) -> Option<f64> {
    let packages = engine["packages"].as_array()?;
    packages.iter().find(|found| found["package"] == package)?["rows"][row]["ratio"].as_f64()
}
