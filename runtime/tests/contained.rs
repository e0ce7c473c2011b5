//! A plugin that misbehaves is stopped, reported, restarted and given up; nobody else notices.

mod sample_world;
mod tarball;

use sample_world::{Sample, bare_package, request};
use skiff_runtime::budget::{Board, Limits};
use skiff_runtime::http::Method;
use skiff_runtime::plugin::PluginState;

/// Exports of a module in the AssemblyScript dialect, completed with the body under test.
fn module(poll: &str, start: &str, delta_handler: &str) -> Vec<u8> {
    wat::parse_str(format!(
        r#"(module
            (import "env" "sk_handle_message" (func $emit (param i32 i32)))
            (memory (export "memory") 1)
            (data (i32.const 64) "{{\"updates\":[{{\"values\":[{{\"path\":\"a.b\",\"value\":1}}]}}]}}")
            (global $heap (mut i32) (i32.const 1024))
            (func (export "__new") (param $size i32) (param i32) (result i32)
                (local $at i32)
                (local.set $at (i32.add (global.get $heap) (i32.const 20)))
                (i32.store (i32.sub (local.get $at) (i32.const 8)) (i32.const 2))
                (i32.store (i32.sub (local.get $at) (i32.const 4)) (local.get $size))
                (if (i32.gt_u (local.get $at) (i32.const 40000)) (then (global.set $heap (i32.const 1024)))
                    (else (global.set $heap (i32.and (i32.add (i32.add (local.get $at) (local.get $size)) (i32.const 7)) (i32.const -8)))))
                (local.get $at))
            (func (export "plugin_name") (result i32) (i32.const 0))
            (func (export "plugin_schema") (result i32) (i32.const 0))
            (func $recurse (param i32) (result i32) (i32.add (i32.const 1) (call $recurse (local.get 0))))
            (func (export "plugin_start") (param i32 i32) (result i32) {start} (i32.const 0))
            (func (export "plugin_stop") (result i32) (i32.const 0))
            (func (export "poll") (result i32) {poll} (i32.const 0))
            (func (export "delta_handler") (param i32) {delta_handler}))"#
    ))
    .expect("the test's own module is well formed")
}

const LOOP: &str = "(loop $again (br $again))";
const RECURSE: &str = "(drop (call $recurse (i32.const 1)))";
const GROW: &str = "(loop $again (br_if $again (i32.ne (memory.grow (i32.const 1)) (i32.const -1))) (unreachable))";
const TRAP: &str = "(unreachable)";

/// Plays the sample with a misbehaving plugin beside the two good ones.
///
/// Returns the state and reason it had along the way, after asserting that the good ones said the same as without it.
fn beside_the_sample(poll: &str, start: &str, delta_handler: &str) -> (PluginState, String, u32) {
    let undisturbed = Sample::new().play(30);
    let mut sample = Sample::new();
    sample.install(bare_package("hostile", module(poll, start, delta_handler)), "{}");
    let lines = sample.play(30);
    assert!(undisturbed.iter().any(|line| line.contains("@skiff/true-wind")), "the sample itself says nothing");
    assert_eq!(lines, undisturbed, "the other plugins noticed");
    let plugin = sample.plugin("hostile");
    (plugin.state(), plugin.reason().unwrap_or_default().to_string(), plugin.restarts())
}

#[test]
fn an_endless_loop_in_any_call_is_stopped_and_given_up_after_three_restarts() {
    for (export, (state, reason, restarts)) in [
        ("poll", beside_the_sample(LOOP, "", "")),
        ("plugin_start", beside_the_sample("", LOOP, "")),
        ("delta_handler", beside_the_sample("", "", LOOP)),
    ] {
        assert_eq!((state, restarts), (PluginState::Crashed, 3), "{export}: {reason}");
        assert!(
            reason.contains(export) && reason.contains("fuel") && reason.contains("given up"),
            "{export}: {reason}"
        );
    }
}

#[test]
fn growth_without_end_is_refused_at_the_limit() {
    let (state, reason, restarts) = beside_the_sample(GROW, "", "");
    assert_eq!((state, restarts), (PluginState::Crashed, 3), "{reason}");
}

#[test]
fn plugins_together_never_grow_beyond_the_board() {
    let mut sample = Sample::new();
    let hoard = "(loop $again (br_if $again (i32.ne (memory.grow (i32.const 1)) (i32.const -1))))";
    for index in 0..6 {
        sample.install(bare_package(&format!("hoard{index}"), module(hoard, "", "")), "{}");
    }
    sample.play(5);
    let ledger = sample.replay().gateway().plugins().ledger();
    let taken: u64 = ledger.accounts().map(|(_, bytes)| bytes).sum();
    assert!(taken <= ledger.total() && ledger.free() < 128 * 1024, "{taken} of {} taken", ledger.total());
    for index in 0..6 {
        assert_eq!(sample.plugin(&format!("hoard{index}")).state(), PluginState::Running);
    }
    assert_eq!(sample.plugin("_skiff_true-wind").state(), PluginState::Running);
}

#[test]
fn recursion_without_end_is_a_trap_of_the_plugin_alone() {
    let (state, reason, restarts) = beside_the_sample("", RECURSE, "");
    assert_eq!((state, restarts), (PluginState::Crashed, 3), "{reason}");
    assert!(reason.contains("stack"), "{reason}");
}

#[test]
fn a_trap_takes_the_instance_and_shows_in_the_plugin_list() {
    let mut sample = Sample::new();
    sample.install(bare_package("hostile", module(TRAP, "", "")), "{}");
    sample.play(30);
    let list = sample.get("/skServer/plugins");
    let row = list.split("{\"id\":").find(|row| row.starts_with("\"hostile\"")).expect("the plugin is listed");
    assert!(
        row.contains("\"state\":\"crashed\"") && row.contains("\"restarts\":3") && row.contains("given up"),
        "{row}"
    );
    assert!(row.contains("\"row\":\"linear memory\""), "{row}");
}

#[test]
fn a_flood_of_deltas_is_cut_off_counted_and_harms_nobody() {
    let undisturbed = Sample::new().play(10);
    let mut sample = Sample::new();
    let flood = r#"(local $left i32) (local.set $left (i32.const 100000))
        (loop $again (call $emit (i32.const 64) (i32.const 51))
            (br_if $again (local.tee $left (i32.sub (local.get $left) (i32.const 1)))))"#;
    sample.install(bare_package("flood", module(flood, "", "")), "{}");
    let lines = sample.play(10);
    let (flood, others): (Vec<_>, Vec<_>) =
        lines.into_iter().partition(|line| line.starts_with("{\"_plugin\":\"flood\""));
    assert_eq!(others, undisturbed, "the other plugins noticed");
    let plugin = sample.plugin("flood");
    assert!(plugin.drops().emitted > 0, "{:?}", plugin.drops());
    let calls = flood.len() / usize::from(plugin.limits().emit_queue_len);
    assert!(
        (1..=10).contains(&calls) && flood.len() % usize::from(plugin.limits().emit_queue_len) == 0,
        "{}",
        flood.len()
    );
    sample.play(12);
    let reason = sample.plugin("flood").reason().expect("a word of what is lost").to_string();
    assert!(reason.starts_with("lately ") && reason.ends_with(" of its deltas dropped"), "{reason}");
    assert_eq!(sample.replay().gateway().health().name(), "plugin-over-share");
}

#[test]
fn deltas_that_cannot_be_read_take_the_places_of_a_call_too() {
    let mut sample = Sample::new();
    // The last byte of the delta is left out.
    let flood = r#"(local $left i32) (local.set $left (i32.const 100000))
        (loop $again (call $emit (i32.const 64) (i32.const 50))
            (br_if $again (local.tee $left (i32.sub (local.get $left) (i32.const 1)))))"#;
    sample.install(bare_package("flood", module(flood, "", "")), "{}");
    sample.play(3);
    let plugin = sample.plugin("flood");
    let (drops, places) = (plugin.drops(), u64::from(plugin.limits().emit_queue_len));
    assert_eq!(drops.malformed % places, 0, "{drops:?}");
    assert!(drops.malformed >= places && drops.malformed + drops.emitted >= 100_000, "{drops:?}");
}

#[test]
fn one_plugin_cannot_take_the_model_from_the_boat_and_from_others() {
    let limits = Limits { model_paths_max: 400, ..Limits::of(Board::Linux) };
    let mut sample = Sample::bare_with(limits);
    let before = sample.replay().gateway().model().counts().paths;
    // 250 other paths in each poll, 676 in all: `a.a` to `z.z`.
    let flood = r#"(local $left i32) (local.set $left (i32.const 250))
        (loop $again
            (i32.store (i32.const 0) (i32.add (i32.load (i32.const 0)) (i32.const 1)))
            (i32.store8 (i32.const 96) (i32.add (i32.const 97) (i32.rem_u (i32.load (i32.const 0)) (i32.const 26))))
            (i32.store8 (i32.const 98) (i32.add (i32.const 97)
                (i32.rem_u (i32.div_u (i32.load (i32.const 0)) (i32.const 26)) (i32.const 26))))
            (call $emit (i32.const 64) (i32.const 51))
            (br_if $again (local.tee $left (i32.sub (local.get $left) (i32.const 1)))))"#;
    let manifest = r#"{"name":"flood","version":"1.0.0","keywords":["signalk-wasm-plugin"],"wasmManifest":"plugin.wasm","wasmCapabilities":{"dataWrite":true},"signalk-plugin-enabled-by-default":true}"#;
    let mut install = request(Method::Post, "/skiff/v1/plugins", "");
    install.body = tarball::npm_pack(manifest, &module(flood, "", ""));
    let installed = sample.ask(&install);
    assert_eq!(installed.status, 201, "{}", String::from_utf8_lossy(&installed.body));
    sample.play(5);
    let held = sample.replay().gateway().model().held("flood");
    assert_eq!(held.paths, 100, "a quarter");
    assert!(held.refused > 0);
    let (wind, config) = sample_world::true_wind();
    sample.install(wind, config);
    sample.play(10);
    for path in ["environment/depth/belowTransducer", "navigation/position", "environment/wind/speedTrue"] {
        assert!(sample.get(&format!("/signalk/v1/api/vessels/self/{path}")).contains("value"), "{path}");
    }
    let list = sample.get("/skServer/plugins");
    let row = list.split("{\"id\":").find(|row| row.starts_with("\"flood\"")).expect("the plugin is listed");
    assert!(
        row.contains(r#"{"row":"paths of the model","used":100,"reserved":0,"limit":100,"unit":"paths"}"#),
        "{row}"
    );
    assert!(sample.get("/skiff/v1/status").contains("\"health\":\"plugin-over-share\""));
    let with_flood = sample.replay().gateway().model().counts();
    assert_eq!(sample.ask(&request(Method::Delete, "/skiff/v1/plugins/flood", "")).status, 200);
    let after = sample.replay().gateway().model().counts();
    assert_eq!(after.paths, with_flood.paths - 100);
    assert!(after.paths > before && after.bytes < with_flood.bytes);
    assert!(!sample.get("/signalk/v1/api/").contains("\"flood\""), "neither value nor source is left");
    assert!(!sample.get("/skiff/v1/status").contains("plugin-over-share"));
}

#[test]
fn correcting_the_configuration_starts_a_given_up_plugin_again() {
    let mut sample = Sample::new();
    sample.install(bare_package("hostile", module(TRAP, "", "")), "{}");
    sample.play(30);
    assert_eq!(sample.plugin("hostile").state(), PluginState::Crashed);
    let response = sample.ask(&request(
        Method::Post,
        "/skServer/plugins/hostile/config",
        "{\"enabled\":true,\"configuration\":{}}",
    ));
    assert_eq!(response.status, 200, "{}", String::from_utf8_lossy(&response.body));
    assert_eq!(sample.plugin("hostile").state(), PluginState::Running);
}
