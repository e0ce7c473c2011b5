//! `skiff bench`, run as a user runs it, with one round: every row, and no time is looked at.

mod support;

use std::fs;

use serde_json::Value;
use support::{assert_refused, data, run, talk};
use tempfile::tempdir;

const ALARM: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../plugins/assemblyscript/shallow-water-alarm");

#[test]
fn the_report_has_every_row_with_its_unit_and_can_be_compared_with() {
    let home = tempdir().unwrap();
    let output = run(home.path(), &["bench", "--quick", "--json"]);
    assert_eq!((output.status.code(), talk(&output).as_str()), (Some(0), ""));
    let [line] = &data(&output)[..] else { panic!("one line") };
    let report: Value = serde_json::from_str(line).unwrap();
    assert_eq!((&report["format"], &report["formatVersion"]), (&"skiff-bench".into(), &1.into()));
    assert_eq!(report["skiff"], env!("CARGO_PKG_VERSION"));
    assert_eq!(report["command"], "skiff bench --quick --json");
    assert!(report["date"].as_str().is_some_and(|date| date.ends_with('Z')), "{line}");
    for member in ["processor", "processors", "memoryBytes", "system", "emulated"] {
        assert!(!report["machine"][member].is_null(), "{member}");
    }
    rows_are_there(report["rows"].as_array().unwrap());

    // The same report beside itself in the table, with a picture.
    let other = home.path().join("other.json");
    fs::write(&other, line).unwrap();
    let picture = home.path().join("bench.svg");
    let [other, picture] = [&other, &picture].map(|path| path.to_str().unwrap());
    let output = run(home.path(), &["bench", ALARM, "--quick", "--compare", other, "--svg", picture]);
    assert_eq!(output.status.code(), Some(0), "{}", talk(&output));
    let table = data(&output).join("\n");
    for part in
        ["ratio", "@skiff/shallow-water-alarm", "a delta that it answers", "a frame, 50 unfiltered", "linear memory"]
    {
        assert!(table.contains(part), "{part}: {table}");
    }
    assert!(!table.contains("@skiff/true-wind"), "{table}");
    // What is the same on every machine is the same as in the report before.
    let linear = table.lines().find(|line| line.contains("linear memory of a plugin")).unwrap();
    assert!(linear.ends_with("1.00"), "{linear}");
    let picture = fs::read_to_string(picture).unwrap();
    assert!(picture.starts_with("<svg") && picture.contains("prefers-color-scheme"), "{picture}");
}

fn rows_are_there(rows: &[Value]) {
    let of = |package: Option<&str>, plugins: Option<u64>, handed: Option<&str>| -> Vec<&str> {
        rows.iter()
            .filter(|row| row["package"].as_str() == package)
            .filter(|row| row["plugins"].as_u64() == plugins && row["handed"].as_str() == handed)
            .filter_map(|row| row["id"].as_str())
            .collect()
    };
    assert_eq!(of(None, None, None), ["call.empty", "call.import", "frames.decode", "process.resident"]);
    for package in ["@skiff/true-wind", "@skiff/shallow-water-alarm"] {
        let ids = [
            "load.read",
            "load.check",
            "load.translate",
            "load.start",
            "delta.unwanted",
            "delta.answered",
            "text.unwanted",
            "text.answered",
            "http.endpoint",
            "reload.gap",
            "memory.linear",
            "memory.resident",
            "memory.heap",
        ];
        assert_eq!(of(Some(package), None, None), ids);
        assert_eq!(of(Some(package), Some(0), Some("uninterested")), ["gateway.frame"]);
        for handed in ["uninterested", "filtered", "unfiltered"] {
            for plugins in [1, 5, 20, 50] {
                assert_eq!(of(Some(package), Some(plugins), Some(handed)), ["gateway.frame"], "{plugins} {handed}");
            }
        }
    }
    for row in rows {
        let id = row["id"].as_str().unwrap();
        let is_memory = id.starts_with("memory.") || id.starts_with("process.");
        assert_eq!(row["unit"], if is_memory { "bytes" } else { "ns" }, "{row}");
        let (low, median, high) = (row["low"].as_f64(), row["median"].as_f64(), row["high"].as_f64());
        if (id, row["package"].as_str()) == ("http.endpoint", Some("@skiff/true-wind")) {
            assert_eq!((median, row["note"].as_str()), (None, Some("has no endpoint that can be read")));
        } else if id.starts_with("text.") {
            // Those that come along have the module for Skiff alone.
            assert_eq!((median, row["note"].as_str()), (None, Some("its module takes values alone")));
        } else {
            assert!(low <= median && median <= high && median.is_some(), "{row}");
        }
        let has_fuel = id.starts_with("delta.") || id == "load.start" || row["handed"] == "unfiltered";
        // A plugin that takes values is not called for what is no input.
        let least = if id == "delta.unwanted" { None } else { Some(0) };
        assert!(!has_fuel || row["fuel"].as_u64() > least, "{row}");
        let has_bytes =
            id.starts_with("delta.") || id.starts_with("text.") || id == "load.read" || id == "frames.decode";
        assert!(!has_bytes || row["bytes"].as_u64() > Some(0), "{row}");
    }
    let fuel = |id: &str, package: &str| {
        rows.iter().find(|row| row["id"] == id && row["package"] == package).and_then(|row| row["fuel"].as_u64())
    };
    for package in ["@skiff/true-wind", "@skiff/shallow-water-alarm"] {
        assert!(fuel("delta.unwanted", package) < fuel("delta.answered", package), "{package}");
    }
}

#[test]
fn one_row_alone_tells_how_much_it_did() {
    let home = tempdir().unwrap();
    for (row, units) in [("delta.answered", "7"), ("call.import", "7000"), ("frames.decode", "64")] {
        let output = run(home.path(), &["bench", "--only", row, "--times", "7"]);
        assert_eq!((output.status.code(), data(&output)), (Some(0), vec![units.to_owned()]), "{}", talk(&output));
    }
}

#[test]
fn what_cannot_be_measured_ends_with_the_code_of_its_cause() {
    let home = tempdir().unwrap();
    let refused = |arguments: &[&str], code, parts: &[&str]| {
        let mut all = vec!["bench", "--quick"];
        all.extend(arguments);
        assert_refused(&run(home.path(), &all), code, parts);
    };
    refused(&["./nowhere"], 3, &["nowhere"]);
    let module = |name: &str, text: &str| {
        let path = home.path().join(name);
        fs::write(&path, wat::parse_str(text).unwrap()).unwrap();
        path.to_str().unwrap().to_owned()
    };
    refused(&[&module("none.wasm", "(module)")], 1, &["none"]);
    let failing = r#"(module (memory (export "memory") 1)
        (func (export "plugin_id") (param i32 i32) (result i32) (i32.const 0))
        (func (export "allocate") (param i32) (result i32) (i32.const 1024))
        (func (export "plugin_start") (param i32 i32) (result i32) (i32.const 7)))"#;
    refused(&[&module("failing.wasm", failing)], 1, &["failing", "error code 7"]);
    let broken = home.path().join("broken.wasm");
    fs::write(&broken, b"\0asm\x01\0\0\0\x01").unwrap();
    refused(&[broken.to_str().unwrap()], 4, &["broken"]);
    refused(&["--compare", "nowhere.json"], 3, &["nowhere.json"]);
    refused(&["--compare", broken.to_str().unwrap()], 4, &["broken.wasm is no JSON"]);
    assert_refused(&run(home.path(), &["bench", "--only", "delta"]), 2, &["there is no row delta"]);
    assert_refused(&run(home.path(), &["bench", "--only", "http.endpoint"]), 1, &["no endpoint"]);
    let svg = home.path().join("no/folder.svg");
    refused(&[ALARM, "--svg", svg.to_str().unwrap()], 5, &["folder.svg"]);
}
