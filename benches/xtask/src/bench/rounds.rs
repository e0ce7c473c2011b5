//! Rounds of the whole table: in each, every engine is measured once, right behind Skiff.
//!
//! What a machine does otherwise from one minute to the next meets both sides of a ratio, and the median of the rounds'
//! ratios is what is told.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::engines::{Engine, built, void_what_differs};
use super::{skiff, value};

/// Rounds of a whole run.
const ROUNDS: usize = 5;

/// What was measured.
pub struct Measured {
    /// Skiff's report.
    pub report: Value,
    /// A row for each engine, Skiff's first.
    pub rows: Vec<Value>,
    /// What the plugins answered, by package.
    pub answers: Value,
}

/// Measures Skiff and the engines.
///
/// # Errors
/// What Skiff could not do: an engine that cannot be built or fails is a row that says why.
pub fn measured(program: &Path, engines: &[&Engine], packages: &[PathBuf]) -> Result<Measured, String> {
    let all: Vec<_> = engines
        .iter()
        .map(|engine| {
            eprintln!("== build {}", engine.title);
            built(engine).inspect_err(|reason| eprintln!("{}: {reason}", engine.title))
        })
        .collect();
    let (mut reports, mut rounds, mut answers) = (Vec::new(), Vec::new(), Value::Null);
    for round in 1..=ROUNDS {
        eprintln!("== round {round} of {ROUNDS}: Skiff");
        let (report, mut rows) = skiff::measured(program, packages)?;
        reports.push(report);
        for (engine, built) in engines.iter().zip(&all) {
            eprintln!("== round {round} of {ROUNDS}: {}", engine.title);
            let mut row = json!({ "name": engine.name, "title": engine.title });
            match built {
                Ok(built) => {
                    row["version"] = built.version.clone().into();
                    row["packages"] = built.measured(packages).into();
                }
                Err(reason) => row["void"] = reason.clone().into(),
            }
            rows.push(row);
        }
        answers = void_what_differs(&mut rows);
        rounds.push(rows);
    }
    Ok(Measured { report: middle_report(&reports), rows: middle_rows(&rounds), answers })
}

/// Returns the rows with the median of all rounds, and each engine's with the median of the rounds' ratios to Skiff.
fn middle_rows(rounds: &[Vec<Value>]) -> Vec<Value> {
    let Some(first) = rounds.first() else { return Vec::new() };
    let merged = |(index, row): (usize, &Value)| {
        let all = |rows: &'_ Vec<Value>| rows.get(index).cloned().unwrap_or_default();
        let rows: Vec<Value> = rounds.iter().map(all).collect();
        let mut found = row.clone();
        for (place, package) in found["packages"].as_array_mut().into_iter().flatten().enumerate() {
            let runs: Vec<Value> = rows.iter().map(|row| row["packages"][place].clone()).collect();
            *package = middle(&runs);
            let name = package["package"].as_str().unwrap_or_default().to_owned();
            for (id, found) in package["rows"].as_object_mut().into_iter().flatten() {
                let ratio = |rows: &Vec<Value>| {
                    let own = value(rows.first()?, &name, id)?;
                    Some(own / value(rows.get(index)?, &name, id).filter(|value| *value > 0.0)?)
                };
                if let Some(ratio) = median(rounds.iter().filter_map(ratio).collect()) {
                    found["ratio"] = ratio.into();
                }
            }
        }
        found
    };
    first.iter().enumerate().map(merged).collect()
}

/// Returns what was found of one package with the median, the least and the greatest of all runs; a run that failed is what
/// is found.
pub fn middle(runs: &[Value]) -> Value {
    if let Some(failed) = runs.iter().find(|run| run["failed"].is_string()) {
        return failed.clone();
    }
    let mut found = runs.first().cloned().unwrap_or_default();
    for (id, row) in found.get_mut("rows").and_then(Value::as_object_mut).into_iter().flatten() {
        put_median(row, runs.iter().map(|run| &run["rows"][id]));
    }
    found
}

/// The same of Skiff's reports, whose rows are a list.
fn middle_report(reports: &[Value]) -> Value {
    let mut found = reports.first().cloned().unwrap_or_default();
    for (index, row) in found["rows"].as_array_mut().into_iter().flatten().enumerate() {
        put_median(row, reports.iter().map(|report| &report["rows"][index]));
    }
    found
}

fn put_median<'r>(row: &mut Value, all: impl Iterator<Item = &'r Value>) {
    let mut medians: Vec<f64> = all.filter_map(|row| row["median"].as_f64()).collect();
    medians.sort_by(f64::total_cmp);
    if let (Some(median), [low, .., high]) = (median(medians.clone()), medians.as_slice()) {
        row["median"] = median.into();
        row["low"] = (*low).into();
        row["high"] = (*high).into();
    }
}

fn median(mut all: Vec<f64>) -> Option<f64> {
    all.sort_by(f64::total_cmp);
    all.get(all.len() / 2).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(name: &str, median: f64) -> Value {
        json!({ "name": name, "packages": [{ "package": "@a/b", "rows": { "load": { "median": median }, "bare": null } }] })
    }

    #[test]
    fn several_runs_have_the_median_of_each_row() {
        let run = |median: f64| json!({ "rows": { "load": { "median": median }, "bare": null } });
        let found = middle(&[run(3.0), run(1.0), run(2.0)]);
        assert_eq!(found["rows"], json!({ "load": { "median": 2.0, "low": 1.0, "high": 3.0 }, "bare": null }));
        assert_eq!(middle(&[]), Value::Null);
    }

    #[test]
    fn a_run_that_failed_is_what_is_told() {
        let failed = json!({ "package": "b", "failed": "out of memory" });
        assert_eq!(middle(&[row("a", 1.0)["packages"][0].clone(), failed.clone()]), failed);
    }

    #[test]
    fn a_ratio_is_of_one_round_and_the_median_of_all() {
        // A machine that becomes three times as slow: medians by themselves would say 1, 2 or 3.
        let rounds = [(10.0, 5.0), (30.0, 15.0), (30.0, 14.0)];
        let rounds: Vec<Vec<Value>> =
            rounds.iter().map(|(own, other)| vec![row("skiff", *own), row("v8", *other)]).collect();
        let found = middle_rows(&rounds);
        assert_eq!(found[1]["packages"][0]["rows"]["load"]["median"], 14.0);
        assert_eq!(found[1]["packages"][0]["rows"]["load"]["ratio"], 2.0);
        assert_eq!(found[0]["packages"][0]["rows"]["load"]["ratio"], 1.0);
    }
}
