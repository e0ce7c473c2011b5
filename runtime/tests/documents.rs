//! What the documents say of tests is true: every test that is named is there.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Rows of the plugin ABI specification, section 13.
const ROWS: usize = 57;
/// Groups of its appendix D.
const GROUPS: usize = 13;

fn top() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Reads the names of all functions below a folder.
fn functions(folder: &Path, names: &mut BTreeSet<String>) {
    for entry in fs::read_dir(folder).unwrap().flatten() {
        let path = entry.path();
        if path.is_dir() {
            if path.file_name().is_some_and(|name| name != "target") {
                functions(&path, names);
            }
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            let text = fs::read_to_string(&path).unwrap();
            let found = text.split("fn ").skip(1).filter_map(|rest| rest.split(['(', '<']).next());
            names.extend(found.map(str::to_owned));
        }
    }
}

/// Returns the names of all tests and other functions.
fn known_functions() -> BTreeSet<String> {
    let mut known = BTreeSet::new();
    for folder in ["runtime/src", "runtime/tests", "hal-linux/src", "hal-linux/tests"] {
        functions(&top().join(folder), &mut known);
    }
    known
}

/// Demands that every name in backquotes of a table's last column is a test.
fn tests_exist(row: &str, known: &BTreeSet<String>) {
    let tests = row.trim_end_matches('|').rsplit('|').next().unwrap();
    for name in tests.split('`').skip(1).step_by(2).filter(|name| name.matches('_').count() >= 3) {
        assert!(known.contains(name), "{name} is not a test: {row}");
    }
}

#[test]
fn every_upstream_defect_has_a_row_and_every_test_in_it_exists() {
    let known = known_functions();
    let text = fs::read_to_string(top().join("runtime/docs/upstream-differences.md")).unwrap();
    let rows: Vec<&str> = text.lines().filter(|line| line.starts_with("| L-")).collect();
    let numbers: Vec<String> = rows.iter().map(|row| row[2..6].to_owned()).collect();
    let expected: Vec<String> = (1..=ROWS).map(|number| format!("L-{number:02}")).collect();
    assert_eq!(numbers, expected);
    for row in rows {
        tests_exist(row, &known);
    }
}

#[test]
fn every_group_of_conformance_has_scenarios_and_tests_that_exist() {
    let known = known_functions();
    let text = fs::read_to_string(top().join("runtime/docs/conformance.md")).unwrap();
    let rows: Vec<&str> = text.lines().skip_while(|line| !line.starts_with("| ---")).skip(1).collect();
    assert_eq!(rows.len(), GROUPS);
    let folder = top().join("runtime/tests/data/scenarios");
    let mut unlisted: BTreeSet<String> =
        fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    for (number, row) in (1..).zip(rows) {
        assert!(row.starts_with(&format!("| {number} ")), "{row}");
        tests_exist(row, &known);
        for scenario in row.split('|').nth(2).unwrap().split('`').skip(1).step_by(2) {
            assert!(folder.join(scenario).is_dir(), "{scenario} is not a scenario");
            unlisted.remove(scenario);
        }
    }
    assert!(unlisted.is_empty(), "scenarios in no group: {unlisted:?}");
}
