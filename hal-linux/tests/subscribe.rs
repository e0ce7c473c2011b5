//! `skiff plugin subscribe`: which filter holds, what a log suggests, and how it comes into the configuration.

mod support;

use std::fs;
use std::path::Path;

use serde_json::{Value, json};
use support::{Gateway, assert_refused, data, run, run_with, talk};
use tempfile::tempdir;

/// A guest that is called with every delta; `$depth` is set where it speaks of a depth.
fn module(start: i32, handler: &str) -> Vec<u8> {
    let text = format!(
        r#"(module
            (import "env" "sk_handle_message" (func $emit (param i32 i32)))
            (memory (export "memory") 2)
            (global $count (mut i32) (i32.const 0))
            (data (i32.const 16) "{{\"updates\":[{{\"values\":[{{\"path\":\"own.path\",\"value\":1}}]}}]}}")
            (func (export "plugin_id") (param i32 i32) (result i32) (i32.const 0))
            (func (export "plugin_start") (param i32 i32) (result i32) (i32.const {start}))
            (func (export "allocate") (param i32) (result i32) (i32.const 65536))
            {handler})"#
    );
    wat::parse_str(text).unwrap()
}

fn handler(body: &str) -> String {
    format!(
        r#"(func (export "delta_handler") (param $at i32) (param $length i32) (local $depth i32)
            (loop $next
                (if (i32.eq (i32.load (local.get $at)) (i32.const 0x74706564)) (then (local.set $depth (i32.const 1))))
                (local.set $at (i32.add (local.get $at) (i32.const 1)))
                (local.set $length (i32.sub (local.get $length) (i32.const 1)))
                (br_if $next (i32.gt_s (local.get $length) (i32.const 0))))
            {body})"#
    )
}

const REMEMBERS: &str =
    "(if (local.get $depth) (then (global.set $count (i32.add (global.get $count) (i32.const 1)))))";
const PASSES_ON: &str = "(call $emit (i32.const 16) (i32.const 56))";

/// Puts a package into `node_modules`; it has a wish of its own.
fn install(config: &Path, members: &str, wasm: &[u8]) {
    let folder = config.join("node_modules/@acme/tide");
    fs::create_dir_all(&folder).unwrap();
    let json = format!(
        r#"{{"name":"@acme/tide","version":"1.0.0","keywords":["signalk-wasm-plugin"],"wasmManifest":"p.wasm",
            "skiff":{{"subscribe":["navigation.*"]}},"wasmCapabilities":{{"dataRead":true,"dataWrite":true{members}}}}}"#
    );
    fs::write(folder.join("package.json"), json).unwrap();
    fs::write(folder.join("p.wasm"), wasm).unwrap();
}

/// A log of Signal K Server with deltas, one a line, a second apart.
fn log(folder: &Path) -> String {
    let line = |second: u32, path: &str| {
        format!(
            r#"{}000;I;{{"context":"vessels.self","updates":[{{"$source":"log","timestamp":"2026-06-01T10:00:{second:02}.000Z","values":[{{"path":"{path}","value":{second}}}]}}]}}"#,
            1_780_308_000 + second
        ) + "\n"
    };
    let text: String = (0..30)
        .map(|second| line(second, ["environment.depth.belowKeel", "navigation.speedOverGround"][second as usize % 2]))
        .collect();
    let path = folder.join("trip.log");
    fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

fn file(config: &Path) -> Value {
    serde_json::from_slice(&fs::read(config.join("plugin-config-data/_acme_tide.json")).unwrap()).unwrap()
}

#[test]
fn a_suggestion_is_shown_written_and_taken_away() {
    let home = tempdir().unwrap();
    let config = home.path().to_str().unwrap();
    install(home.path(), "", &module(0, &handler(REMEMBERS)));
    let log = log(home.path());
    fs::create_dir_all(home.path().join("plugin-config-data")).unwrap();
    let stored = r#"{"configuration":{"a":1},"enabled":true,"mine":2,"skiff":{"other":3}}"#;
    fs::write(home.path().join("plugin-config-data/_acme_tide.json"), stored).unwrap();
    let asked = |more: &[&str]| {
        let mut all = vec!["plugin", "subscribe", "@acme/tide", "--config", config];
        all.extend(more);
        run(home.path(), &all)
    };

    let shown = data(&asked(&[]));
    assert_eq!(shown[0], "text    of deltas with navigation.*");
    let suggested = data(&asked(&["--suggest", &log]));
    assert!(suggested[0].starts_with("PATH") && suggested[0].contains("FUEL/BYTE"), "{suggested:?}");
    assert!(suggested[1].starts_with("environment.depth.belowKeel  15      15"), "{suggested:?}");
    assert!(suggested[1].ends_with("yes     memory 15"), "{suggested:?}");
    assert!(suggested[2].starts_with("navigation.speedOverGround   15      0 "), "{suggested:?}");
    assert_eq!(suggested.last().unwrap(), r#"{"skiff":{"subscribe":["environment.depth.belowKeel"]}}"#);
    assert_eq!(file(home.path()), serde_json::from_str::<Value>(stored).unwrap(), "nothing is written unasked");

    let written = asked(&["--suggest", &log, "--write", "--json"]);
    assert_eq!(written.status.code(), Some(0), "{}", talk(&written));
    let report: Value = serde_json::from_slice(&written.stdout).unwrap();
    assert_eq!((&report["filter"], &report["reason"]), (&json!(["environment.depth.belowKeel"]), &Value::Null));
    assert_eq!((&report["deltas"], &report["withEffect"]), (&json!(30), &json!(15)));
    assert_eq!(report["paths"][0]["imports"], json!([]));
    assert!(report["paths"][1]["fuelPerByte"].as_f64() > Some(0.0));
    let wanted = json!({"configuration":{"a":1},"enabled":true,"mine":2,
        "skiff":{"other":3,"subscribe":["environment.depth.belowKeel"]}});
    assert_eq!(file(home.path()), wanted);
    let shown: Value = serde_json::from_slice(&asked(&["--json"]).stdout).unwrap();
    assert_eq!(shown["text"], json!({"paths":["environment.depth.belowKeel"],"setBy":"operator"}));

    assert_eq!(asked(&["--reset"]).status.code(), Some(0));
    assert_eq!(file(home.path())["skiff"], json!({"other":3}));
}

#[test]
fn a_running_gateway_takes_the_filter() {
    let home = tempdir().unwrap();
    let config = home.path().to_str().unwrap();
    install(home.path(), "", &module(0, &handler(REMEMBERS)));
    let gateway = Gateway::start(home.path(), &["--config", config]);
    let enabled = run(home.path(), &["plugin", "enable", "@acme/tide", "--config", config]);
    assert_eq!(enabled.status.code(), Some(0), "{}", talk(&enabled));
    let log = fs::read(log(home.path())).unwrap();
    let ask = ["plugin", "subscribe", "@acme/tide", "--config", config, "--suggest", "-", "--write"];
    let written = run_with(home.path(), &ask, &log);
    assert_eq!(written.status.code(), Some(0), "{}", talk(&written));
    assert_eq!(file(home.path())["skiff"], json!({"subscribe":["environment.depth.belowKeel"]}));
    assert_eq!(file(home.path())["enabled"], true);
    gateway.get_until("/skServer/plugins", |rows| rows.contains(r#""state":"running""#));
}

#[test]
fn a_package_is_asked_where_it_lies() {
    let home = tempdir().unwrap();
    install(home.path(), "", &module(0, &handler(REMEMBERS)));
    let folder = home.path().join("node_modules/@acme/tide");
    let folder = folder.to_str().unwrap();
    let elsewhere = home.path().join("elsewhere");
    let elsewhere = elsewhere.to_str().unwrap();
    let ask = |more: &[&str]| {
        let mut all = vec!["plugin", "subscribe", folder, "--config", elsewhere];
        all.extend(more);
        run(home.path(), &all)
    };
    let told = data(&ask(&["--sample"]));
    assert!(told.last().unwrap().contains("environment.depth.belowTransducer"), "{told:?}");
    assert!(!told.last().unwrap().contains("wind"), "{told:?}");
    assert_refused(&ask(&["--sample", "--write"]), 2, &["install it first"]);
    assert_refused(&ask(&["--reset"]), 2, &["install it first"]);
}

#[test]
fn what_cannot_be_suggested_is_refused_with_the_reason() {
    let home = tempdir().unwrap();
    let config = home.path().to_str().unwrap();
    let log = log(home.path());
    let ask = |more: &[&str]| {
        let mut all = vec!["plugin", "subscribe", "@acme/tide", "--config", config];
        all.extend(more);
        run(home.path(), &all)
    };
    let suggest = ["--suggest", log.as_str(), "--write"];
    assert_refused(&ask(&suggest), 3, &["no plugin is named @acme/tide", "there is none"]);

    install(home.path(), "", &module(0, &handler(PASSES_ON)));
    let any = ask(&suggest);
    assert_refused(&any, 1, &["it may want every delta"]);
    assert!(data(&any).iter().any(|line| line.starts_with("sk_handle_message: called for ")), "{:?}", data(&any));
    install(home.path(), "", &module(0, &handler("")));
    assert_refused(&ask(&suggest), 1, &["no delta of the log had an effect"]);
    install(home.path(), "", &module(0, &handler("unreachable")));
    assert_refused(&ask(&suggest), 1, &["did not last to the end of the log", "unreachable"]);
    install(home.path(), "", &module(7, &handler("")));
    assert_refused(&ask(&suggest), 1, &["does not start", "error code: 7"]);
    install(home.path(), "", &module(0, ""));
    assert_refused(&ask(&suggest), 1, &["has no delta_handler"]);
    install(home.path(), r#","dataRead":false"#, &module(0, &handler("")));
    assert_refused(&ask(&suggest), 1, &["gives up dataRead"]);
    install(home.path(), "", b"\0asm\x01\0\0\0\xff");
    assert_refused(&ask(&suggest), 4, &["corrupt module"]);
    assert!(!home.path().join("plugin-config-data/_acme_tide.json").exists(), "nothing was written");

    install(home.path(), "", &module(0, &handler(REMEMBERS)));
    assert_refused(&ask(&["--suggest", "gone.log"]), 3, &["gone.log"]);
    let empty = home.path().join("empty.log");
    fs::write(&empty, "").unwrap();
    assert_refused(&ask(&["--suggest", empty.to_str().unwrap()]), 4, &["no line of it could be read"]);
    assert_refused(&ask(&["--write"]), 2, &["--suggest"]);

    let wind = concat!(env!("CARGO_MANIFEST_DIR"), "/../plugins/rust/true-wind");
    let values = run(home.path(), &["plugin", "subscribe", wind, "--sample"]);
    assert_refused(&values, 1, &["takes values", "environment.wind.speedApparent", "needs no filter"]);
}
