//! Two results beside each other: how far the ratios of Skiff to each engine have drifted.

use std::fmt::Write as _;
use std::path::Path;

use serde_json::Value;

use super::ratio;
use super::results::{FOLDER, ROWS, read};
use crate::guests::GUESTS;
use crate::process;

/// Drift that two runs on one machine may have, per cent.
const DRIFT_PERCENT: f64 = 10.0;

/// Compares `results.json` of this tree with another one.
///
/// # Errors
/// The file that cannot be read, or the ratios that are further from each other than [`DRIFT_PERCENT`].
pub fn run(other: &Path) -> Result<(), String> {
    let here = read(&process::top().join(FOLDER).join("results.json"))?;
    let (table, drifted) = compared(&read(other)?, &here);
    println!("{table}");
    if drifted.is_empty() {
        println!("every ratio is within {DRIFT_PERCENT} % of that of {}", other.display());
        return Ok(());
    }
    Err(format!("ratios more than {DRIFT_PERCENT} % apart: {}", drifted.join("; ")))
}

/// Returns the table, and the rows that are too far apart.
fn compared(before: &Value, now: &Value) -> (String, Vec<String>) {
    let mut table =
        format!("{:<28} {:<28} {:<28} {:>8} {:>8} {:>8}\n", "Skiff to", "package", "row", "before", "now", "drift");
    let mut drifted = Vec::new();
    let engines = |found: &'_ Value| found["engines"].as_array().cloned().unwrap_or_default();
    let old = engines(before);
    for engine in engines(now) {
        let Some(other) = old.iter().find(|other| other["name"] == engine["name"] && engine["name"] != "skiff") else {
            continue;
        };
        for (guest, (id, heading, _)) in GUESTS.iter().flat_map(|guest| ROWS.iter().map(move |row| (guest, row))) {
            let Some((before, now)) = ratio(other, guest.package, id).zip(ratio(&engine, guest.package, id)) else {
                continue;
            };
            let drift = (now / before - 1.0) * 100.0;
            let title = engine["title"].as_str().unwrap_or_default();
            // Writing into a String cannot fail.
            let _ = writeln!(
                table,
                "{title:<28} {:<28} {heading:<28} {before:>8.2} {now:>8.2} {drift:>+6.1} %",
                guest.package
            );
            if drift.abs() > DRIFT_PERCENT {
                drifted.push(format!("{title}, {}, {heading}: {before:.2}, now {now:.2}", guest.package));
            }
        }
    }
    (table, drifted)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_ratio_may_drift_by_a_tenth() {
        let results = |ratio: f64| {
            let rows = json!({ "load": { "median": 1.0, "ratio": ratio }, "memory": { "median": 1.0 } });
            let engine = |name: &str| json!({ "name": name, "title": name, "packages": [{ "package": GUESTS[0].package, "rows": rows }] });
            json!({ "engines": [engine("skiff"), engine("v8")] })
        };
        let (table, drifted) = compared(&results(2.0), &results(2.19));
        assert!(drifted.is_empty() && table.contains("+9.5 %"), "{table}");
        for now in [1.79, 2.21] {
            assert_eq!(compared(&results(2.0), &results(now)).1.len(), 1, "{now}");
        }
        assert!(compared(&json!({}), &results(1.0)).1.is_empty());
    }
}
