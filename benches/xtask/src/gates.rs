//! Gates that do not depend on the machine: fuel, and instructions as callgrind counts them in the program that ships.
//!
//! `skiff bench --only` does one row so many times, in one thread. The difference of two runs is free of what loading
//! and starting takes. The board's own numbers are held against the same file by `cargo xtask qemu`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use skiff_measure::baseline::{self, Measured};

use crate::guests::GUESTS;
use crate::toolchain::Toolchain;
use crate::{built, debian, process};

/// The checked-in numbers.
const BASELINE: &str = "benches/baseline.json";
/// Rows with the times of the shorter run and those that the longer one has more.
const ROWS: [(&str, u32, u32); 9] = [
    ("call.empty", 1000, 10_000),
    ("call.import", 10, 50),
    ("frames.decode", 1000, 10_000),
    ("load.translate", 4, 8),
    ("delta.unwanted", 40, 200),
    ("delta.answered", 40, 200),
    ("http.endpoint", 40, 200),
    ("gateway.frame:0:uninterested", 10, 60),
    ("gateway.frame:1:unfiltered", 10, 30),
];
/// Rows that are of no plugin.
const OF_NO_PLUGIN: [&str; 4] = ["call.empty", "call.import", "frames.decode", "gateway.frame:0:uninterested"];
/// Rows whose fuel counts.
const WITH_FUEL: [&str; 4] = ["load.start", "delta.unwanted", "delta.answered", "http.endpoint"];

/// Runs `xtask gates [--bless]`.
///
/// # Errors
/// The numbers that are not where they were.
pub fn run(arguments: &[String]) -> Result<(), String> {
    let is_blessed = match arguments {
        [] => std::env::var_os("BLESS").is_some_and(|value| value == "1"),
        [flag] if flag == "--bless" => true,
        _ => return Err("the only argument is --bless".into()),
    };
    let skiff = built::shipped()?;
    debian::packages(&["valgrind"])?;
    let mut measured = fuel(&skiff)?;
    for guest in &GUESTS {
        let folder = process::top().join(guest.folder);
        for (row, few, more) in ROWS {
            // One plugin is enough for what has to do with none, and not every plugin has an endpoint.
            let is_first = guest.package == GUESTS[0].package;
            if OF_NO_PLUGIN.contains(&row) && !is_first {
                continue;
            }
            if let Some(instructions) = per_unit(&skiff, &folder, row, few, more)? {
                let of = if OF_NO_PLUGIN.contains(&row) { "" } else { guest.package };
                measured.push((format!("instructions {row} {of}").trim_end().to_owned(), instructions));
            }
        }
    }
    let compiler = Toolchain::Default.version()?;
    baseline::hold(&process::top().join(BASELINE), &compiler, &part(), &measured, is_blessed)
}

/// Instructions are those of one processor.
fn part() -> String {
    format!("linux {}", std::env::consts::ARCH)
}

/// Reads the fuel of one unit from a report.
fn fuel(skiff: &Path) -> Result<Vec<Measured>, String> {
    let report = process::output(Command::new(skiff).args(["bench", "--quick", "--json"]))?;
    let report: Value = serde_json::from_str(&report).map_err(|error| format!("skiff bench: {error}"))?;
    let rows = report["rows"].as_array().ok_or("skiff bench gave no rows")?;
    let with_fuel = rows.iter().filter_map(|row| {
        let id = row["id"].as_str().filter(|id| WITH_FUEL.contains(id))?;
        Some((format!("fuel {id} {}", row["package"].as_str()?), row["fuel"].as_u64()?))
    });
    let measured: Vec<Measured> = with_fuel.collect();
    if measured.is_empty() { Err("skiff bench told no fuel".into()) } else { Ok(measured) }
}

/// Counts the instructions of one unit; `None` where the plugin does not have the row.
fn per_unit(skiff: &Path, package: &Path, row: &str, few: u32, more: u32) -> Result<Option<u64>, String> {
    let Some((units, instructions)) = counted(skiff, package, row, few)? else { return Ok(None) };
    let Some((all_units, all)) = counted(skiff, package, row, few + more)? else { return Ok(None) };
    let units = all_units.saturating_sub(units);
    if units == 0 {
        return Err(format!("{row}: the longer run did no more than the shorter one"));
    }
    Ok(Some(all.saturating_sub(instructions) / units))
}

/// Runs a row under callgrind; returns its units and instructions.
fn counted(skiff: &Path, package: &Path, row: &str, times: u32) -> Result<Option<(u64, u64)>, String> {
    let out: PathBuf = process::target().join("gates.callgrind");
    let mut valgrind = Command::new("valgrind");
    valgrind.args(["--tool=callgrind", "--quiet"]).arg(format!("--callgrind-out-file={}", out.display()));
    valgrind.arg(skiff).args(["bench", "--quiet", "--only", row, "--times", &times.to_string()]).arg(package);
    let said = match process::output(&mut valgrind) {
        Err(reason) if reason.contains("has no endpoint") => return Ok(None),
        said => said?,
    };
    let units = said.trim().parse().map_err(|_| format!("skiff bench --only {row} said: {said}"))?;
    let text = fs::read_to_string(&out).map_err(|error| format!("cannot read {}: {error}", out.display()))?;
    let _ = fs::remove_file(&out);
    let total = text.lines().find_map(|line| line.strip_prefix("summary: ").or(line.strip_prefix("totals: ")));
    let total = total.and_then(|number| number.trim().parse().ok()).ok_or("callgrind counted nothing")?;
    Ok(Some((units, total)))
}
