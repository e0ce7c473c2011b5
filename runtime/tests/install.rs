//! Packages over the network: stored, checked, admitted, started; refused with numbers; removed.

mod boat;
mod guests;
mod sample_world;
mod tarball;

use boat::Boat;
use guests::buffer_guest;
use sample_world::{Sample, request};
use skiff_runtime::budget::{Board, Limits};
use skiff_runtime::hal::sim::SimStorage;
use skiff_runtime::host::{Fit, ModuleFacts};
use skiff_runtime::http::{Method, Request};
use skiff_runtime::package::{Incoming, Package};
use skiff_runtime::plugin::{Enabled, InstallError, PluginState, ReplaceError};
use skiff_runtime::server::Response;

const IMPORT: &str = r#"(import "env" "sk_set_status" (func $status (param i32 i32)))"#;

/// A package whose plugin shows `status`; `start` is the end of `plugin_start`.
fn package(version: &str, status: char, start: &str) -> Vec<u8> {
    named("@acme/tide", version, status, start)
}

/// The same under a name of its own.
fn named(name: &str, version: &str, status: char, start: &str) -> Vec<u8> {
    tarball::npm_pack(&manifest_of(name, version), &module(status, start))
}

fn module(status: char, start: &str) -> Vec<u8> {
    let guest = buffer_guest(
        IMPORT,
        &format!(
            r#"(data (i32.const 16) "{status}")
            (func (export "plugin_start") (param i32 i32) (result i32) (call $status (i32.const 16) (i32.const 1)) {start})
            (func (export "plugin_stop") (result i32) (i32.const 0))"#
        ),
    );
    wat::parse_str(guest).unwrap()
}

/// A package of this name whose plugin does nothing.
fn idle(name: &str) -> Vec<u8> {
    let start = r#"(func (export "plugin_start") (param i32 i32) (result i32) (i32.const 0))"#;
    tarball::npm_pack(&manifest_of(name, "3.0.0"), &wat::parse_str(buffer_guest("", start)).unwrap())
}

fn manifest(version: &str) -> String {
    manifest_of("@acme/tide", version)
}

fn manifest_of(name: &str, version: &str) -> String {
    format!(
        r#"{{"name":"{name}","version":"{version}","keywords":["signalk-wasm-plugin"],"wasmManifest":"plugin.wasm"}}"#
    )
}

fn post(sample: &mut Sample, body: Vec<u8>) -> Response {
    sample.ask(&Request { body, ..request(Method::Post, "/skiff/v1/plugins", "") })
}

fn text(response: &Response) -> String {
    String::from_utf8_lossy(&response.body).into_owned()
}

#[test]
fn a_package_is_installed_started_replaced_and_removed() {
    let mut sample = Sample::bare();
    let installed = post(&mut sample, package("1.0.0", 'a', "(i32.const 0)"));
    assert_eq!(
        (installed.status, text(&installed).as_str()),
        (201, r#"{"id":"_acme_tide","name":"@acme/tide","version":"1.0.0","state":"running"}"#)
    );
    assert_eq!(sample.plugin("_acme_tide").status(), Some("a"));
    let replaced = post(&mut sample, package("1.1.0", 'b', "(i32.const 0)"));
    assert!(replaced.status == 201 && text(&replaced).contains("1.1.0"), "{}", text(&replaced));
    assert_eq!(sample.plugin("_acme_tide").status(), Some("b"));
    let log = sample.get("/skiff/v1/plugins/_acme_tide/log");
    assert!(log.contains("version 1.1.0 is in place"), "{log}");
    let removed = sample.ask(&request(Method::Delete, "/skiff/v1/plugins/_acme_tide", ""));
    assert_eq!(removed.status, 200);
    assert!(sample.replay().gateway().plugins().find("_acme_tide").is_none());
    let again = sample.ask(&request(Method::Delete, "/skiff/v1/plugins/_acme_tide", ""));
    assert_eq!(again.status, 404);
}

#[test]
fn a_new_version_that_does_not_start_leaves_the_old_one_in_force_and_stored() {
    let mut sample = Sample::bare();
    post(&mut sample, package("1.0.0", 'a', "(i32.const 0)"));
    let refused = post(&mut sample, package("1.1.0", 'b', "(i32.const 5)"));
    assert!(refused.status == 500 && text(&refused).contains("error code: 5"), "{}", text(&refused));
    let plugin = sample.plugin("_acme_tide");
    assert_eq!((plugin.state(), plugin.package().version.as_str()), (PluginState::Running, "1.0.0"));
}

#[test]
fn a_first_version_that_needs_a_configuration_stays_installed() {
    let mut sample = Sample::bare();
    let installed = post(&mut sample, package("1.0.0", 'a', "(i32.const 5)"));
    assert_eq!(installed.status, 201);
    assert!(text(&installed).contains(r#""state":"error","reason":"Plugin start() returned"#), "{}", text(&installed));
    assert_eq!(sample.plugin("_acme_tide").state(), PluginState::Error);
}

#[test]
fn what_is_damaged_or_does_not_fit_is_refused_and_changes_nothing() {
    let mut sample = Sample::bare();
    let good = package("1.0.0", 'a', "(i32.const 0)");
    let mut damaged = good.clone();
    damaged[40] ^= 0xff;
    for body in [Vec::new(), b"no archive".to_vec(), good[..good.len() / 2].to_vec(), damaged] {
        assert_eq!(post(&mut sample, body).status, 400);
    }
    let no_plugin = tarball::npm_pack(&manifest("1.0.0"), b"\0asm\x01\0\0\0");
    let refused = post(&mut sample, no_plugin);
    assert!(refused.status == 400 && text(&refused).contains("plugin_id"), "{}", text(&refused));
    let large = buffer_guest("", "").replace("\"memory\") 1", "\"memory\") 60000");
    let refused = post(&mut sample, tarball::npm_pack(&manifest("1.0.0"), &wat::parse_str(large).unwrap()));
    assert_eq!(refused.status, 507);
    assert!(text(&refused).contains(r#""needed":3932160000,"free":16777216"#), "{}", text(&refused));
    assert_eq!(sample.replay().gateway().plugins().plugins().count(), 0);
}

#[test]
fn what_was_not_installed_here_cannot_be_removed_here() {
    let mut sample = Sample::new();
    let refused = sample.ask(&request(Method::Delete, "/skiff/v1/plugins/_skiff_true-wind", ""));
    assert!(refused.status == 409 && text(&refused).contains("npm uninstall"), "{}", text(&refused));
}

#[test]
fn a_reload_goes_to_whoever_has_the_files() {
    let mut sample = Sample::new();
    let gateway = sample.replay().gateway_mut();
    let wanted = gateway.request(&request(Method::Post, "/skiff/v1/plugins/_skiff_true-wind/reload", ""));
    let (exchange, id) = gateway.next_reload().unwrap();
    assert_eq!((exchange, id.as_str()), (wanted, "_skiff_true-wind"));
    gateway.reload(exchange, Ok(sample_world::true_wind().0));
    let response = (0..1000).find_map(|_| {
        gateway.poll();
        gateway.next_response()
    });
    assert!(response.is_some_and(|(id, response)| id == wanted && response.status == 201));
    let wanted = gateway.request(&request(Method::Post, "/skiff/v1/plugins/_skiff_true-wind/reload", ""));
    let (exchange, _) = gateway.next_reload().unwrap();
    gateway.reload(exchange, Err("the file is gone".into()));
    let (id, response) = gateway.next_response().unwrap();
    assert_eq!((id, response.status), (wanted, 500));
}

#[test]
fn a_package_that_would_take_the_id_of_another_one_is_refused() {
    let mut sample = Sample::bare();
    let installed = post(&mut sample, named("@acme/tide_table", "1.0.0", 'a', "(i32.const 0)"));
    assert_eq!(installed.status, 201);
    let refused = post(&mut sample, idle("@acme_tide/table"));
    assert_eq!(refused.status, 409);
    assert!(
        text(&refused).contains("@acme/tide_table") && text(&refused).contains("@acme_tide/table would"),
        "{}",
        text(&refused)
    );
    let plugin = sample.plugin("_acme_tide_table");
    assert_eq!(
        (plugin.package_name(), plugin.state(), plugin.status()),
        ("@acme/tide_table", PluginState::Running, Some("a"))
    );
    // Whoever drives the gateway finds the same wall.
    let newcomer = Package::from_tgz(&idle("@acme_tide/table")).unwrap();
    let gateway = sample.replay().gateway_mut();
    assert!(
        matches!(gateway.replace(newcomer.clone()), Err(ReplaceError::Clash(clash)) if clash.installed == "@acme/tide_table")
    );
    let installed = gateway.install(newcomer, Enabled::FromConfig);
    assert!(matches!(installed, Err(InstallError::Clash(clash)) if clash.incoming == "@acme_tide/table"));
    // Nothing of the first was lost: another version of it still comes in, and it is removed by its own name.
    assert_eq!(post(&mut sample, named("@acme/tide_table", "1.1.0", 'b', "(i32.const 0)")).status, 201);
    assert_eq!(sample.ask(&request(Method::Delete, "/skiff/v1/plugins/_acme_tide_table", "")).status, 200);
    assert_eq!(post(&mut sample, idle("@acme_tide/table")).status, 201, "the id is free now");
}

#[test]
fn a_stored_package_of_another_name_is_neither_overwritten_nor_removed() {
    // A record that no plugin was made of, as where plugins are switched off.
    let (mut storage, limits) = (SimStorage::new(), Limits::of(Board::Linux));
    Incoming::read(&idle("@acme/tide_table"), &limits).unwrap().save(&mut storage).unwrap();
    let mut boat = Boat::with_storage(storage);
    let ask = |boat: &mut Boat, request: Request| {
        boat.gateway.request(&request);
        let response = (0..1000).find_map(|_| {
            boat.gateway.poll();
            boat.gateway.next_response()
        });
        response.unwrap().1
    };
    let body = idle("@acme_tide/table");
    let refused = ask(&mut boat, Request { body, ..request(Method::Post, "/skiff/v1/plugins", "") });
    assert!(refused.status == 409 && text(&refused).contains("@acme/tide_table"), "{}", text(&refused));
    boat.gateway.install(Package::from_tgz(&idle("@acme_tide/table")).unwrap(), Enabled::FromConfig).unwrap();
    let refused = ask(&mut boat, request(Method::Delete, "/skiff/v1/plugins/_acme_tide_table", ""));
    assert!(refused.status == 409 && text(&refused).contains("npm uninstall"), "{}", text(&refused));
}

/// Name and reserved bytes of each row of the budget table.
fn rows(sample: &mut Sample) -> Vec<(String, u64)> {
    let gateway = sample.replay().gateway();
    let rows: Vec<(String, u64)> = gateway.budget().into_iter().map(|row| (row.name, row.reserved)).collect();
    let ledger = gateway.plugins().ledger();
    assert_eq!(rows.iter().map(|(_, bytes)| bytes).sum::<u64>(), ledger.total() - ledger.free(), "{rows:?}");
    rows
}

/// Reserved bytes of the row of a plugin.
fn reserved(sample: &mut Sample, name: &str) -> u64 {
    rows(sample).into_iter().skip(4).find(|row| row.0 == name).map_or(0, |row| row.1)
}

fn put_in(sample: &mut Sample, name: &str, version: &str) {
    let response = post(sample, named(name, version, 'a', "(i32.const 0)"));
    assert!(response.status == 201 && text(&response).contains("running"), "{}", text(&response));
}

fn take_out(sample: &mut Sample, name: &str) {
    let response = sample.ask(&request(Method::Delete, &format!("/skiff/v1/plugins/{name}"), ""));
    assert_eq!(response.status, 200, "{}", text(&response));
}

#[test]
fn a_package_named_like_a_row_of_the_gateway_leaves_that_row_as_it_was() {
    let mut sample = Sample::bare_with(Limits::of(Board::Esp32S3));
    let own = rows(&mut sample);
    assert!(own.len() == 4 && own.iter().all(|row| row.1 > 0), "{own:?}");
    for name in ["runtime", "network", "model", "queues", "x", "x-"] {
        for version in ["0.1.0", "0.2.0", "0.3.0"] {
            put_in(&mut sample, name, version);
            let rows = rows(&mut sample);
            assert_eq!(rows[..4], own, "{name} {version}");
            assert!(rows[4].0 == name && rows[4].1 > 0x1_0000, "{rows:?}");
        }
        take_out(&mut sample, name);
        assert_eq!(rows(&mut sample), own, "{name}");
    }
}

#[test]
fn packages_named_like_each_others_next_version_keep_their_bytes_apart() {
    let mut sample = Sample::bare_with(Limits::of(Board::Esp32S3));
    put_in(&mut sample, "x", "0.1.0");
    let bytes = reserved(&mut sample, "x");
    put_in(&mut sample, "x-", "0.1.0");
    for (name, version) in [("x-", "0.2.0"), ("x", "0.2.0"), ("x-", "0.3.0"), ("x", "0.3.0"), ("x", "0.4.0")] {
        put_in(&mut sample, name, version);
        assert_eq!((reserved(&mut sample, "x"), reserved(&mut sample, "x-")), (bytes, bytes), "{name} {version}");
    }
    take_out(&mut sample, "x");
    assert_eq!((reserved(&mut sample, "x"), reserved(&mut sample, "x-")), (0, bytes));
    take_out(&mut sample, "x-");
}

#[test]
fn the_most_a_plugin_may_have_is_the_same_in_the_budget_and_in_the_verdict_on_its_module() {
    let (package, config) = sample_world::true_wind();
    for board in Board::ALL {
        let limits = Limits::of(board);
        let mut sample = Sample::bare_with(limits);
        sample.install(package.clone(), config);
        let shown = sample.replay().gateway().budget().pop().map(|row| row.limit);
        let verdict = Fit::of(&ModuleFacts::survey(&package.wasm).unwrap(), &package.capabilities, &limits);
        assert_eq!(shown, Some(verdict.limit), "{board:?}");
    }
}
