//! Packages that come and go: checked, tested, installed, replaced under a running gateway, removed.

mod support;
#[path = "../../runtime/tests/tarball/mod.rs"]
mod tarball;

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use support::{Gateway, assert_refused, data, run, skiff, talk};
use tempfile::tempdir;

const ALARM: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../plugins/assemblyscript/shallow-water-alarm");

/// Packs the alarm under a version of its own.
fn pack(folder: &Path, version: &str) -> String {
    let json = support::alarm_json();
    let json = json.replace("\"version\": \"0.1.0\"", &format!("\"version\": \"{version}\""));
    let wasm = fs::read(Path::new(ALARM).join("plugin.wasm")).unwrap();
    let path = folder.join(format!("alarm-{version}.tgz"));
    fs::write(&path, tarball::npm_pack(&json, &wasm)).unwrap();
    path.to_str().unwrap().to_owned()
}

/// Copies the alarm into `node_modules`.
fn copy(config: &Path) -> PathBuf {
    let to = config.join("node_modules/@skiff/shallow-water-alarm");
    fs::create_dir_all(&to).unwrap();
    fs::copy(Path::new(ALARM).join("plugin.wasm"), to.join("plugin.wasm")).unwrap();
    fs::write(to.join("package.json"), support::alarm_json()).unwrap();
    to
}

fn version(rows: &str) -> Option<String> {
    let rows: serde_json::Value = serde_json::from_str(rows).ok()?;
    Some(rows.as_array()?.first()?.get("version")?.as_str()?.to_owned())
}

#[test]
fn check_tells_kind_size_and_verdict() {
    let home = tempdir().unwrap();
    let checked = run(home.path(), &["check", ALARM, "--json"]);
    assert_eq!(checked.status.code(), Some(0), "{}", talk(&checked));
    let report: serde_json::Value = serde_json::from_slice(&checked.stdout).unwrap();
    assert_eq!(
        (report["package"].as_str(), report["kind"].as_str()),
        (Some("@skiff/shallow-water-alarm"), Some("assemblyscript"))
    );
    assert_eq!(report["boards"][0]["board"], "linux");
    assert!(report["boards"][0]["needed"].as_u64() > Some(65_536));
    let large = home.path().join("large.wasm");
    fs::write(
        &large,
        wat::parse_str(r#"(module (memory 5000) (func (export "plugin_id")) (func (export "allocate")))"#).unwrap(),
    )
    .unwrap();
    let refused = run(home.path(), &["check", large.to_str().unwrap(), "--board", "linux"]);
    assert_refused(&refused, 1, &["does not fit linux", "327680000"]);
    assert!(data(&refused).iter().any(|line| line.contains("fix: ") && line.contains("-zstack-size")), "{refused:?}");
    let cut = home.path().join("cut.wasm");
    fs::write(&cut, b"\0asm\x01\0\0\0\x01\x7f").unwrap();
    assert_refused(&run(home.path(), &["check", cut.to_str().unwrap()]), 4, &["corrupt module"]);
    assert_refused(&run(home.path(), &["check", "/nowhere/gone"]), 3, &["/nowhere/gone"]);
}

#[test]
fn check_and_install_refuse_what_would_not_start() {
    let home = tempdir().unwrap();
    let package = home.path().join("mute");
    let managed = r#"(module (memory (export "memory") 1) (func (export "plugin_name") (result i32) (i32.const 0))
        (func (export "plugin_start") (param i32) (result i32) (i32.const 0)))"#;
    fs::create_dir(&package).unwrap();
    fs::write(package.join("plugin.wasm"), wat::parse_str(managed).unwrap()).unwrap();
    fs::write(
        package.join("package.json"),
        r#"{"name":"mute","version":"1.0.0","keywords":["signalk-wasm-plugin"],"wasmManifest":"plugin.wasm","wasmCapabilities":{"netwrok":true}}"#,
    )
    .unwrap();
    let named = package.to_str().unwrap();
    let words = ["would not start: no export __new", "exportRuntime"];
    let checked = run(home.path(), &["check", named, "--json"]);
    assert_refused(&checked, 1, &words);
    let report: serde_json::Value = serde_json::from_slice(&checked.stdout).unwrap();
    assert_eq!(report["boards"][0]["fits"], false);
    assert_eq!(report["warnings"][0], "unknown capability netwrok: network is meant?");
    assert_refused(
        &run(home.path(), &["plugin", "--config", home.path().join("config").to_str().unwrap(), "install", named]),
        1,
        &words[1..],
    );
    // What cannot be read at all is JSON, too.
    fs::write(package.join("package.json"), "{").unwrap();
    let refused = run(home.path(), &["check", named, "--json"]);
    assert_refused(&refused, 4, &["not JSON"]);
    let report: serde_json::Value = serde_json::from_slice(&refused.stdout).unwrap();
    assert!(
        report["error"].as_str().is_some_and(|error| error.contains("not JSON"))
            && report["boards"] == serde_json::json!([])
    );
}

/// Writes a package into `node_modules`.
fn lay(config: &Path, name: &str, json: &str, wasm: &[u8]) -> PathBuf {
    let folder = config.join("node_modules").join(name);
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("package.json"), json).unwrap();
    fs::write(folder.join("plugin.wasm"), wasm).unwrap();
    folder
}

fn manifest(name: &str) -> String {
    format!(r#"{{"name":"{name}","version":"1.0.0","keywords":["signalk-wasm-plugin"],"wasmManifest":"plugin.wasm"}}"#)
}

/// Returns package, state and reason of each row.
fn rows(text: &str) -> Vec<[String; 3]> {
    let rows: serde_json::Value = serde_json::from_str(text).unwrap();
    let text = |value: Option<&serde_json::Value>| value.and_then(|text| text.as_str()).unwrap_or("").to_owned();
    let row =
        |row: &serde_json::Value| [row.get("packageName"), row.get("state"), row.pointer("/skiff/reason")].map(text);
    rows.as_array().unwrap().iter().map(row).collect()
}

#[test]
fn a_package_that_cannot_be_used_is_a_row_and_hides_no_other() {
    let home = tempdir().unwrap();
    let config = home.path().join("config");
    let wasm = fs::read(Path::new(ALARM).join("plugin.wasm")).unwrap();
    for name in ["@acme/tide_table", "@acme_tide/table"] {
        lay(&config, name, &manifest(name), &wasm);
    }
    let broken = lay(&config, "broken", "{", &wasm);
    lay(&config, "page", &manifest("page"), b"<html>");
    fs::create_dir_all(config.join("skiff/packages")).unwrap();
    fs::write(config.join("skiff/packages/old.pkg"), "cut").unwrap();
    let expected = |rows: &[[String; 3]]| {
        let row = |package: &str, state: &str, reason: &str| {
            rows.iter().any(|row| row[0] == package && row[1] == state && row[2].contains(reason))
        };
        assert_eq!(rows.len(), 5, "{rows:?}");
        assert!(row("@acme_tide/table", "error", "which @acme/tide_table has"), "{rows:?}");
        assert!(row("broken", "error", "node_modules/broken/package.json: package.json: not JSON"), "{rows:?}");
        assert!(row("page", "error", "no WebAssembly"), "{rows:?}");
        assert!(row("old", "error", "the stored package is damaged"), "{rows:?}");
    };
    let plugin =
        |arguments: &[&str]| run(home.path(), &[&["plugin", "--config", config.to_str().unwrap()], arguments].concat());
    let list = |output: std::process::Output| rows(&String::from_utf8(output.stdout).unwrap());
    expected(&list(plugin(&["list", "--json"])));
    let doctor = run(home.path(), &["doctor", "--config", config.to_str().unwrap(), "--listen", "127.0.0.1:0"]);
    assert_refused(&doctor, 1, &["4 things are bad"]);
    let gateway = Gateway::start(home.path(), &["--config", config.to_str().unwrap()]);
    expected(&list(plugin(&["list", "--json"])));
    assert_refused(&plugin(&["enable", "@acme_tide/table"]), 1, &["cannot be used", "which @acme/tide_table has"]);
    assert!(data(&plugin(&["inspect", "broken"])).iter().any(|line| line.contains("not JSON")));
    assert_refused(&plugin(&["remove", "broken"]), 1, &["npm uninstall"]);
    assert_eq!(plugin(&["remove", "old"]).status.code(), Some(0));
    // What is mended is a plugin, what is gone is no row, and what breaks is one, all while it runs.
    fs::write(broken.join("package.json"), manifest("broken")).unwrap();
    fs::remove_dir_all(config.join("node_modules/page")).unwrap();
    lay(&config, "late", "[", &wasm);
    gateway.get_until("/skServer/plugins", |text| {
        let rows = rows(text);
        let state = |name: &str| rows.iter().find(|row| row[0] == name).map(|row| row[1].clone());
        let gone = state("page").is_none() && state("old").is_none();
        gone && state("broken").as_deref() == Some("stopped") && state("late").as_deref() == Some("error")
    });
    assert_eq!(gateway.terminate(), Some(0));
}

#[test]
fn a_configuration_that_does_not_fit_is_not_stored_offline_or_live() {
    let home = tempdir().unwrap();
    let config = home.path().join("config");
    let config_text = config.to_str().unwrap();
    copy(&config);
    let file = home.path().join("alarm.json");
    let set = |text: &str| {
        fs::write(&file, text).unwrap();
        let name = "@skiff/shallow-water-alarm";
        run(home.path(), &["plugin", "--config", config_text, "config", name, "--set", file.to_str().unwrap()])
    };
    let stored = || fs::read_to_string(config.join("plugin-config-data/_skiff_shallow-water-alarm.json")).unwrap();
    let words = ["not saved", "limit must be of type number"];
    assert_eq!(set(r#"{"limit":4}"#).status.code(), Some(0));
    let before = stored();
    assert_refused(&set(r#"{"limit":"abc"}"#), 1, &words);
    assert_eq!(stored(), before);
    let gateway = Gateway::start(home.path(), &["--config", config_text]);
    assert_eq!(
        run(home.path(), &["plugin", "--config", config_text, "enable", "@skiff/shallow-water-alarm"]).status.code(),
        Some(0)
    );
    let before = stored();
    assert_refused(&set(r#"{"limit":"abc"}"#), 1, &words);
    assert_refused(&set(r#"{"limit":-1}"#), 1, &["limit must be at least 0"]);
    assert_eq!(stored(), before);
    assert_eq!(set(r#"{"limit":5}"#).status.code(), Some(0));
    assert_eq!(gateway.terminate(), Some(0));
}

#[test]
fn test_plays_a_scenario_and_shows_its_transcript() {
    let home = tempdir().unwrap();
    let scenario = home.path().join("scenario.json");
    fs::write(&scenario, r#"{"package":"alarm","steps":[{"op":"start","config":{"limitMetres":3}},{"op":"stop"}]}"#)
        .unwrap();
    let scenario = scenario.to_str().unwrap();
    let played = run(home.path(), &["test", scenario, ALARM]);
    assert_eq!(played.status.code(), Some(0), "{}", talk(&played));
    let lines = data(&played);
    assert!(
        lines[0].contains("\"host\":\"skiff\"") && lines[0].contains("\"kind\":\"assemblyscript\""),
        "{}",
        lines[0]
    );
    assert!(lines.iter().any(|line| line.contains(r#""t":"result","step":"start","value":"#)), "{lines:?}");
    assert_eq!(run(home.path(), &["test", scenario, ALARM]).stdout, played.stdout, "two runs differ");
    assert_refused(&run(home.path(), &["test", scenario]), 2, &["name the plugin"]);
    assert_refused(&run(home.path(), &["test", "/nowhere/gone.json"]), 3, &["/nowhere/gone.json"]);
    let odd = home.path().join("odd.json");
    fs::write(&odd, r#"{"package":"alarm","steps":[{"op":"dance"}]}"#).unwrap();
    assert_refused(&run(home.path(), &["test", odd.to_str().unwrap(), ALARM]), 4, &["step 1", "dance"]);
}

#[test]
fn a_package_is_installed_replaced_and_removed_under_a_running_gateway() {
    let home = tempdir().unwrap();
    let config = home.path().join("config");
    let config_text = config.to_str().unwrap();
    let gateway = Gateway::start(home.path(), &["--config", config_text]);
    let plugin = |arguments: &[&str]| {
        let mut all = vec!["plugin", "--config", config_text];
        all.extend(arguments);
        run(home.path(), &all)
    };
    let installed = plugin(&["install", &pack(home.path(), "1.0.0")]);
    assert!(talk(&installed).contains("@skiff/shallow-water-alarm 1.0.0 is running"), "{}", talk(&installed));
    let replaced = plugin(&["install", &pack(home.path(), "1.1.0")]);
    assert!(talk(&replaced).contains("1.1.0 is running"), "{}", talk(&replaced));
    assert_eq!(plugin(&["reload", "@skiff/shallow-water-alarm"]).status.code(), Some(0));
    let logs = data(&plugin(&["logs", "@skiff/shallow-water-alarm"]));
    assert!(logs.iter().any(|line| line.contains("version 1.1.0 is in place")), "{logs:?}");
    assert!(data(&plugin(&["inspect", "_skiff_shallow-water-alarm"])).iter().any(|line| line.contains("\"budget\"")));
    let damaged = home.path().join("damaged.tgz");
    fs::write(&damaged, b"no archive").unwrap();
    assert_refused(&plugin(&["install", damaged.to_str().unwrap()]), 4, &["damaged.tgz", "gzip"]);
    let unauthorised = run(
        home.path(),
        &["plugin", "--url", &format!("http://{}", gateway.authority), "install", &pack(home.path(), "1.2.0")],
    );
    assert_refused(&unauthorised, 6, &["SKIFF_TOKEN"]);
    assert_eq!(gateway.terminate(), Some(0));

    // What was installed is there at the next start.
    let gateway = Gateway::start(home.path(), &["--config", config_text]);
    gateway.get_until("/skServer/plugins", |rows| {
        version(rows).as_deref() == Some("1.1.0") && rows.contains("\"running\"")
    });
    assert_eq!(plugin(&["remove", "@skiff/shallow-water-alarm"]).status.code(), Some(0));
    gateway.get_until("/skServer/plugins", |rows| rows == "[]");
    assert_eq!(gateway.terminate(), Some(0));
}

#[test]
fn a_package_is_installed_and_removed_without_a_gateway() {
    let home = tempdir().unwrap();
    let config = home.path().join("config");
    let plugin = |arguments: &[&str]| {
        let mut all = vec!["plugin", "--config", config.to_str().unwrap()];
        all.extend(arguments);
        run(home.path(), &all)
    };
    let installed = plugin(&["install", &pack(home.path(), "1.0.0")]);
    assert_eq!(installed.status.code(), Some(0), "{}", talk(&installed));
    assert!(data(&plugin(&["list"])).iter().any(|line| line.contains("1.0.0") && line.contains("enabled")));
    assert_refused(&plugin(&["logs", "@skiff/shallow-water-alarm"]), 5, &["needs a running gateway"]);
    assert_eq!(plugin(&["remove", "@skiff/shallow-water-alarm"]).status.code(), Some(0));
    assert_refused(&plugin(&["remove", "@skiff/shallow-water-alarm"]), 3, &["no plugin is named"]);
    copy(&config);
    assert_refused(&plugin(&["remove", "@skiff/shallow-water-alarm"]), 1, &["npm uninstall"]);
}

#[test]
fn a_changed_package_is_taken_over_and_a_broken_one_is_not() {
    let home = tempdir().unwrap();
    let config = home.path().join("config");
    let folder = copy(&config);
    let data_folder = config.join("plugin-config-data");
    fs::create_dir_all(&data_folder).unwrap();
    fs::write(data_folder.join("_skiff_shallow-water-alarm.json"), r#"{"enabled":true,"configuration":{}}"#).unwrap();
    let gateway = Gateway::start(home.path(), &["--config", config.to_str().unwrap()]);
    gateway.get_until("/skServer/plugins", |rows| rows.contains("\"running\""));
    let json = fs::read_to_string(folder.join("package.json")).unwrap();
    fs::write(folder.join("package.json"), json.replace("\"version\": \"0.1.0\"", "\"version\": \"2.0.0\"")).unwrap();
    gateway.said("version 2.0.0 is in place");
    gateway.get_until("/skServer/plugins", |rows| version(rows).as_deref() == Some("2.0.0"));
    fs::write(folder.join("plugin.wasm"), b"\0asm\x01\0\0\0").unwrap();
    gateway.said("the version before goes on");
    gateway.get_until("/skServer/plugins", |rows| {
        rows.contains("\"running\"") && version(rows).as_deref() == Some("2.0.0")
    });
    assert_eq!(gateway.terminate(), Some(0));
}

/// Packs the alarm under another name.
fn pack_as(folder: &Path, name: &str) -> String {
    let json = support::alarm_json();
    let json = json.replace("@skiff/shallow-water-alarm", name);
    let wasm = fs::read(Path::new(ALARM).join("plugin.wasm")).unwrap();
    let path = folder.join(format!("{}.tgz", name.replace('/', "+")));
    fs::write(&path, tarball::npm_pack(&json, &wasm)).unwrap();
    path.to_str().unwrap().to_owned()
}

#[test]
fn a_package_that_would_take_the_id_of_another_one_is_refused_with_and_without_a_gateway() {
    let home = tempdir().unwrap();
    let config = home.path().join("config");
    let (first, second) = (pack_as(home.path(), "@aa/wind_b"), pack_as(home.path(), "@aa_wind/b"));
    let plugin = |arguments: &[&str]| {
        let mut all = vec!["plugin", "--config", config.to_str().unwrap()];
        all.extend(arguments);
        run(home.path(), &all)
    };
    let both = ["@aa/wind_b", "@aa_wind/b"];
    assert_eq!(plugin(&["install", &first]).status.code(), Some(0));
    let record = fs::read(config.join("skiff/packages/_aa_wind_b.pkg")).unwrap();
    assert_refused(&plugin(&["install", &second]), 1, &both);
    let gateway = Gateway::start(home.path(), &["--config", config.to_str().unwrap()]);
    gateway.get_until("/skServer/plugins", |rows| rows.contains("\"running\""));
    assert_refused(&plugin(&["install", &second]), 1, &both);
    // One that appears in node_modules meanwhile is a row with the reason, and takes no place either.
    let folder = config.join("node_modules/@aa_wind/b");
    copy(&config);
    fs::create_dir_all(folder.parent().unwrap()).unwrap();
    fs::rename(config.join("node_modules/@skiff/shallow-water-alarm"), &folder).unwrap();
    let json = fs::read_to_string(folder.join("package.json")).unwrap();
    fs::write(folder.join("package.json"), json.replace("@skiff/shallow-water-alarm", "@aa_wind/b")).unwrap();
    gateway.said("@aa_wind/b would have the id _aa_wind_b, which @aa/wind_b has");
    let found = rows(&gateway.get_until("/skServer/plugins", |rows| rows.contains("\"@aa_wind/b\"")));
    let states: Vec<[&str; 2]> = found.iter().map(|row| [row[0].as_str(), row[1].as_str()]).collect();
    assert_eq!(states, [["@aa/wind_b", "running"], ["@aa_wind/b", "error"]]);
    assert_eq!(gateway.terminate(), Some(0));
    assert_eq!(fs::read(config.join("skiff/packages/_aa_wind_b.pkg")).unwrap(), record);
    // Which of them is meant is told by the name, and that of node_modules is in the way too.
    assert_eq!(plugin(&["remove", "@aa/wind_b"]).status.code(), Some(0));
    assert_refused(&plugin(&["remove", "@aa_wind/b"]), 1, &["npm uninstall"]);
    assert_refused(&plugin(&["install", &first]), 1, &both);
}

/// Packs the alarm with pages, so that it asks for `webapp`; `more` are its other capabilities.
fn pack_asking(folder: &Path, version: &str, more: &str) -> String {
    let json = support::alarm_json();
    let json = json
        .replace("\"signalk-wasm-plugin\"", "\"signalk-wasm-plugin\", \"signalk-webapp\"")
        .replace("\"dataRead\": true", &format!("\"dataRead\": true{more}"))
        .replace("\"version\": \"0.1.0\"", &format!("\"version\": \"{version}\""));
    let wasm = fs::read(Path::new(ALARM).join("plugin.wasm")).unwrap();
    let path = folder.join(format!("asking-{version}.tgz"));
    fs::write(&path, tarball::npm_pack_with(&json, &wasm, &[("public/index.html", version.as_bytes())])).unwrap();
    path.to_str().unwrap().to_owned()
}

#[test]
fn what_asks_for_rights_is_disabled_until_somebody_grants_them_with_and_without_a_gateway() {
    const NAME: &str = "@skiff/shallow-water-alarm";
    for runs in [false, true] {
        let home = tempdir().unwrap();
        let config = home.path().join("config");
        let gateway = runs.then(|| Gateway::start(home.path(), &["--config", config.to_str().unwrap()]));
        let plugin = |arguments: &[&str]| {
            let mut all = vec!["plugin", "--config", config.to_str().unwrap()];
            all.extend(arguments);
            run(home.path(), &all)
        };
        let (first, wider) =
            (pack_asking(home.path(), "1.0.0", ""), pack_asking(home.path(), "2.0.0", ", \"network\": true"));
        let listed = |words: &[&str]| {
            let lines = data(&plugin(&["list"]));
            assert!(lines.iter().any(|line| words.iter().all(|word| line.contains(word))), "{words:?}: {lines:?}");
        };
        let way = "skiff plugin enable @skiff/shallow-water-alarm --grant webapp";
        assert_refused(&plugin(&["install", &first]), 1, &["1.0.0 is installed and disabled", way]);
        listed(&["1.0.0", "asks for webapp, which nobody has granted"]);
        assert_refused(&plugin(&["enable", NAME]), 1, &["webapp", "--grant webapp"]);
        assert_refused(&plugin(&["enable", NAME, "--grant", "web"]), 2, &["network", "webapp"]);
        assert_eq!(plugin(&["enable", NAME, "--grant", "all"]).status.code(), Some(0));
        listed(&["1.0.0", if runs { "running" } else { "enabled" }]);
        assert_refused(&plugin(&["install", &wider]), 1, &["2.0.0 is installed and waits", "--grant network"]);
        listed(&["1.0.0", if runs { "running" } else { "enabled" }]);
        assert_refused(&plugin(&["rollback", NAME]), 1, &[if runs { "no other version" } else { "no version" }]);
        assert_eq!(plugin(&["enable", NAME, "--grant", "network"]).status.code(), Some(0));
        listed(&["2.0.0", if runs { "running" } else { "enabled" }]);
        assert_eq!(plugin(&["rollback", NAME]).status.code(), Some(0));
        listed(&["1.0.0", if runs { "running" } else { "enabled" }]);
        let granted = fs::read_to_string(config.join("skiff/grants.json")).unwrap();
        assert!(granted.contains("network") && granted.contains("webapp"), "{granted}");
        assert_eq!(plugin(&["install", &wider, "--grant", "all"]).status.code(), Some(0));
        if let Some(gateway) = gateway {
            assert_eq!(gateway.ask("GET", "/@skiff/shallow-water-alarm/", &[], "").2, "2.0.0");
        }
        assert_eq!(plugin(&["remove", NAME]).status.code(), Some(0));
        assert_refused(&plugin(&["install", &first]), 1, &["--grant webapp"]);
    }
}

#[test]
fn a_folder_and_a_bare_module_are_packages_too_and_what_is_neither_is_told() {
    let home = tempdir().unwrap();
    let config = home.path().join("config");
    let plugin = |arguments: &[&str]| {
        let mut all = vec!["plugin", "--config", config.to_str().unwrap()];
        all.extend(arguments);
        run(home.path(), &all)
    };
    let module = home.path().join("tide.wasm");
    fs::copy(Path::new(ALARM).join("plugin.wasm"), &module).unwrap();
    for package in [ALARM, module.to_str().unwrap()] {
        let installed = plugin(&["install", package]);
        assert_eq!(installed.status.code(), Some(0), "{}", talk(&installed));
    }
    let lines = data(&plugin(&["list"]));
    for name in ["@skiff/shallow-water-alarm", "tide "] {
        assert!(lines.iter().any(|line| line.starts_with(name)), "{lines:?}");
    }
    // Nobody answers there: what is no file is a name of npm's.
    let mut named = skiff(home.path(), &["plugin", "install", "@acme/tide"]);
    let nowhere = named.env("npm_config_registry", "http://127.0.0.1:9/").output().unwrap();
    assert_refused(&nowhere, 3, &["http://127.0.0.1:9/@acme%2ftide"]);
    assert_refused(&plugin(&["install", "http://127.0.0.1:9/t.tgz"]), 3, &["http://127.0.0.1:9/t.tgz"]);
    assert_refused(&plugin(&["install", "Tide Table"]), 3, &["Tide Table", "lower case"]);
}

#[test]
fn a_folder_of_a_later_version_is_left_alone() {
    let home = tempdir().unwrap();
    let config = home.path().join("config");
    fs::create_dir_all(config.join("skiff")).unwrap();
    fs::write(config.join("skiff/layout"), "9\n").unwrap();
    let config = config.to_str().unwrap();
    assert_refused(&run(home.path(), &["run", "--listen", "127.0.0.1:0", "--config", config]), 5, &["layout", "later"]);
    let package = pack(home.path(), "1.0.0");
    assert_refused(&run(home.path(), &["plugin", "--config", config, "install", &package]), 5, &["layout", "later"]);
}

#[test]
fn what_check_refuses_for_a_board_is_refused_by_run_replay_and_test_too() {
    let home = tempdir().unwrap();
    let wind = Path::new(ALARM).join("../../rust/true-wind");
    // The module for every host, whose pages are 64 KiB, is larger than the one for Skiff.
    let standard = wind.join("plugin.wasm");
    let large = home.path().join("large.wasm");
    let wat = r#"(module (memory (export "memory") 2) (func (export "plugin_id") (param i32 i32) (result i32) (i32.const 0))
        (func (export "allocate") (param i32) (result i32) (i32.const 0)))"#;
    fs::write(&large, wat::parse_str(wat).unwrap()).unwrap();
    let scenario = home.path().join("scenario.json");
    fs::write(&scenario, r#"{"package":"p","steps":[{"op":"start","config":{}},{"op":"stop"}]}"#).unwrap();
    let mut verdicts = Vec::new();
    let alarm = Path::new(ALARM).join("plugin.wasm");
    for plugin in [&alarm, &wind, &standard, &large].map(|path| path.to_str().unwrap()) {
        for board in ["qemu-riscv32", "esp32c6"] {
            let checked = run(home.path(), &["check", plugin, "--board", board]);
            let replayed = run(home.path(), &["replay", "--sample", "--plugin", plugin, "--board", board]);
            let tested = run(home.path(), &["test", scenario.to_str().unwrap(), plugin, "--board", board]);
            let code = checked.status.code();
            assert_eq!((replayed.status.code(), tested.status.code()), (code, code), "{plugin}, {board}");
            if code != Some(0) {
                let reason = talk(&checked).rsplit("does not fit").next().unwrap().trim().to_owned();
                assert!(talk(&replayed).contains(&reason) && talk(&tested).contains(&reason), "{reason}");
                assert_eq!((data(&replayed).len(), data(&tested).len()), (0, 0));
            }
            verdicts.push(code == Some(0));
        }
    }
    // The alarm with pages of 64 KiB, then true wind: beside the radio of the ESP32-C6 only the latter has room.
    assert_eq!(verdicts.first_chunk(), Some(&[true, false, true, true]));
    assert_eq!(verdicts.last_chunk(), Some(&[false, false]));
    let replayed = run(home.path(), &["replay", "--sample", "--board", "esp32c6"]);
    assert_refused(&replayed, 1, &["@skiff/shallow-water-alarm: does not fit: ", "bytes needed"]);
    // One that fits alone, and not beside another of its kind.
    let twin = home.path().join("twin");
    fs::create_dir_all(&twin).unwrap();
    let json = fs::read_to_string(wind.join("package.json")).unwrap();
    fs::write(twin.join("package.json"), json.replace("@skiff/true-wind", "twin")).unwrap();
    for file in ["plugin.wasm", "plugin-small.wasm"] {
        fs::copy(wind.join(file), twin.join(file)).unwrap();
    }
    let (wind, twin) = (wind.to_str().unwrap(), twin.to_str().unwrap());
    let both = run(home.path(), &["replay", "--sample", "--plugin", wind, "--plugin", twin, "--board", "esp32c6"]);
    assert_refused(&both, 1, &["twin: does not fit: ", "bytes needed"]);
}

#[test]
fn a_plugin_that_does_not_fit_is_a_row_of_run_and_the_gateway_goes_on() {
    let home = tempdir().unwrap();
    let gateway = Gateway::start(home.path(), &["--sample", "--board", "esp32c6"]);
    let status = gateway.get_until("/skiff/v1/status", |status| status.contains("\"row\":\"network\""));
    let status: serde_json::Value = serde_json::from_str(&status).unwrap();
    assert_eq!(
        status["memory"]["rows"][1],
        serde_json::json!({"row":"network","reserved":203900,"used":null,"limit":203900})
    );
    let rows = gateway.owner_gets_until(&gateway.token(), "/skServer/plugins", |rows| {
        rows.contains("\"state\":\"running\"") && rows.contains("does not fit: ")
    });
    // Each fits alone.
    assert_eq!(reason(&rows, "@skiff/shallow-water-alarm"), "running: ");
    assert!(reason(&rows, "@skiff/true-wind").starts_with("error: does not fit: "), "{rows}");
    assert_eq!(gateway.terminate(), Some(0));
}

/// State and reason of the row of a package.
fn reason(rows: &str, package: &str) -> String {
    let rows: Vec<serde_json::Value> = serde_json::from_str(rows).unwrap();
    let row = rows.iter().find(|row| row["packageName"] == package).unwrap();
    format!("{}: {}", row["state"].as_str().unwrap(), row["skiff"]["reason"].as_str().unwrap_or_default())
}

#[test]
fn alone_on_an_empty_board_run_refuses_what_check_refuses_with_the_same_numbers() {
    let home = tempdir().unwrap();
    let config = home.path().join("config");
    let package = copy(&config);
    let data_folder = config.join("plugin-config-data");
    fs::create_dir_all(&data_folder).unwrap();
    fs::write(data_folder.join("_skiff_shallow-water-alarm.json"), r#"{"enabled":true,"configuration":{}}"#).unwrap();
    for board in ["esp32c6", "qemu-riscv32"] {
        let checked = run(home.path(), &["check", package.to_str().unwrap(), "--json", "--board", board]);
        let verdict: serde_json::Value = serde_json::from_slice(&checked.stdout).unwrap();
        let verdict = &verdict["boards"][0];
        let gateway = Gateway::start(home.path(), &["--config", config.to_str().unwrap(), "--board", board]);
        let token = fs::read_to_string(config.join("skiff/token")).unwrap();
        let rows = gateway.owner_gets_until(token.trim(), "/skServer/plugins", |rows| {
            rows.contains("\"state\":\"running\"") || rows.contains("\"state\":\"error\"")
        });
        let refused = format!("error: does not fit: {} bytes needed, {} free", verdict["needed"], verdict["limit"]);
        let expected = if verdict["fits"] == true { "running: " } else { &*refused };
        assert_eq!(reason(&rows, "@skiff/shallow-water-alarm"), expected, "{board}");
        assert_eq!(verdict["fits"] == true, board == "qemu-riscv32", "both verdicts were tried");
        assert_eq!(gateway.terminate(), Some(0));
    }
}

/// A package whose build script copies the alarm, with pages so that it asks for something; returns its folder.
fn scripted_package(home: &Path) -> PathBuf {
    let folder = home.join("scripted");
    fs::create_dir_all(folder.join("src")).unwrap();
    fs::write(folder.join("src/text"), "one").unwrap();
    fs::copy(Path::new(ALARM).join("plugin.wasm"), folder.join("src/alarm.wasm")).unwrap();
    let json = support::alarm_json();
    let start = json.find("\"scripts\"").unwrap();
    let end = start + json[start..].find('}').unwrap();
    let script = r#""scripts": {"build": "cp src/alarm.wasm plugin.wasm.new && mv plugin.wasm.new plugin.wasm && cp src/text built""#;
    let mut json = format!("{}{script}{}", &json[..start], &json[end..]);
    let start = json.find("\"devDependencies\"").unwrap();
    let end = start + json[start..].find('}').unwrap();
    json.replace_range(start..end, "\"devDependencies\": {");
    let json = json.replace("\"dataRead\": true", "\"dataRead\": true, \"putHandlers\": true");
    fs::write(folder.join("package.json"), json).unwrap();
    fs::copy(Path::new(ALARM).join("sample-config.json"), folder.join("sample-config.json")).unwrap();
    folder
}

#[test]
fn what_was_built_is_packed_and_the_pack_can_be_installed() {
    let home = tempdir().unwrap();
    let folder = scripted_package(home.path());
    let built = run(home.path(), &["plugin", "build", folder.to_str().unwrap(), "--pack"]);
    assert_eq!(built.status.code(), Some(0), "{}", talk(&built));
    let pack = folder.join("skiff-shallow-water-alarm-0.1.0.tgz");
    assert_eq!(data(&built).last().unwrap(), pack.to_str().unwrap());
    let config = home.path().join("config");
    let install = ["plugin", "--config", config.to_str().unwrap(), "install", pack.to_str().unwrap(), "--grant", "all"];
    assert_eq!(run(home.path(), &install).status.code(), Some(0));
    // What does not fit is not packed.
    fs::remove_file(&pack).unwrap();
    let refused = ["plugin", "build", folder.to_str().unwrap(), "--pack", "--board", "esp32c6"];
    assert_refused(&run(home.path(), &refused), 1, &["does not fit"]);
    assert!(!pack.exists());
}

#[test]
fn an_author_sees_what_the_plugin_emits_and_nothing_goes_on_after_the_end() {
    let home = tempdir().unwrap();
    let folder = scripted_package(home.path());
    let arguments = ["plugin", "dev", folder.to_str().unwrap(), "--listen", "127.0.0.1:0"];
    let mut child = skiff(home.path(), &arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut said = BufReader::new(child.stderr.take().unwrap()).lines();
    let line = BufReader::new(child.stdout.take().unwrap()).lines().next().unwrap().unwrap();
    assert!(line.starts_with("{\"_plugin\":\"@skiff/shallow-water-alarm\""), "{line}");
    assert_eq!(fs::read_to_string(folder.join("built")).unwrap(), "one");
    fs::write(folder.join("src/text"), "two").unwrap();
    assert!(said.any(|line| line.unwrap().contains("built; the gateway puts it in place")));
    assert_eq!(fs::read_to_string(folder.join("built")).unwrap(), "two");
    let id = child.id().to_string();
    assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
    // Standard error is the gateway's, too: it ends when both have ended.
    let rest: Vec<String> = said.map(Result::unwrap).collect();
    assert_eq!(child.wait().unwrap().code(), Some(0), "{rest:?}");
    assert!(rest.iter().any(|line| line.contains("stopping")), "{rest:?}");
}
