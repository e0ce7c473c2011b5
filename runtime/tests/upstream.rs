//! What Signal K Server does badly and no other test has as its subject (plugin ABI §13).

mod sample_world;

use sample_world::{Sample, bare_package, request};
use skiff_runtime::http::Method;
use skiff_runtime::package::Package;
use skiff_runtime::plugin::PluginState;

/// A guest of the buffer dialect: `poll` and `delta_handler` are the test's, `plugin_start` shows its configuration.
fn buffer(imports: &str, poll: &str, delta_handler: &str) -> Vec<u8> {
    wat::parse_str(format!(
        r#"(module
            (import "env" "sk_set_status" (func $status (param i32 i32)))
            (import "env" "sk_debug" (func $debug (param i32 i32)))
            (import "env" "sk_handle_message" (func $emit (param i32 i32)))
            {imports}
            (memory (export "memory") 2)
            (data (i32.const 16) "{{\"n\":2}}")
            (data (i32.const 64) "{{\"updates\":[]}}")
            (data (i32.const 128) "{{\"updates\":[{{\"values\":[{{\"path\":\"own.x\",\"value\":1}}]}}]}}")
            (global $next (mut i32) (i32.const 65536))
            (global $inside (mut i32) (i32.const 0))
            (func (export "plugin_id") (param i32 i32) (result i32) (i32.const 0))
            (func (export "allocate") (param $bytes i32) (result i32)
                (global.set $next (i32.add (global.get $next) (local.get $bytes)))
                (i32.sub (global.get $next) (local.get $bytes)))
            (func (export "deallocate") (param i32 i32) (global.set $next (i32.const 65536)))
            (func (export "plugin_start") (param i32 i32) (result i32)
                (call $status (local.get 0) (local.get 1)) (i32.const 0))
            (func (export "plugin_stop") (result i32) (i32.const 0))
            (func (export "poll") (result i32) {poll} (i32.const 0))
            (func (export "delta_handler") (param i32 i32) {delta_handler}))"#
    ))
    .expect("the test's own module is well formed")
}

const EMIT_OWN: &str = "(call $emit (i32.const 128) (i32.const 53))";
const EMIT_EMPTY: &str = "(call $emit (i32.const 64) (i32.const 14))";

/// The module as a package that is told of its own paths only.
fn of_own_paths(wasm: Vec<u8>) -> Package {
    Package { subscribe: Some(vec!["own.*".into()]), ..bare_package("guest", wasm) }
}

fn log(sample: &mut Sample) -> String {
    sample.get("/skiff/v1/plugins/guest/log")
}

#[test]
fn what_a_plugin_saved_is_what_its_next_start_gets() {
    let save = r#"(import "env" "sk_save_config" (func $save (param i32 i32) (result i32)))"#;
    let wasm = buffer(save, "(drop (call $save (i32.const 16) (i32.const 7)))", "");
    let mut sample = Sample::bare();
    sample.install(bare_package("guest", wasm), r#"{"n":1}"#);
    sample.play(1);
    assert_eq!(sample.plugin("guest").status(), Some(r#"{"n":1,"enableDebug":false}"#));
    sample.play(3);
    for enabled in ["false", "true"] {
        let body = format!("{{\"enabled\":{enabled}}}");
        let answer = sample.ask(&request(Method::Post, "/plugins/guest/config", &body));
        assert_eq!(answer.status, 200);
    }
    sample.play(1);
    assert_eq!(sample.plugin("guest").status(), Some(r#"{"n":2,"enableDebug":false}"#));
}

#[test]
fn empty_deltas_are_not_delivered_and_own_ones_are() {
    let wasm = buffer("", &format!("{EMIT_EMPTY} {EMIT_OWN}"), "(call $debug (local.get 0) (local.get 1))");
    let mut sample = Sample::bare();
    sample.install(bare_package("guest", wasm), "{}");
    sample.play(4);
    let log = log(&mut sample);
    assert!(log.contains(r#"{"path":"own.x","value":1}"#), "{log}");
    assert!(!log.contains(r#""updates":[]"#), "{log}");
}

#[test]
fn a_plugin_that_emits_inside_its_handler_is_not_entered_again_before_it_has_returned() {
    let handler = format!(
        "(if (global.get $inside) (then (unreachable)))
         (global.set $inside (i32.const 1)) {EMIT_OWN} (global.set $inside (i32.const 0))
         (call $debug (local.get 0) (local.get 1))"
    );
    let mut sample = Sample::bare();
    sample.install(of_own_paths(buffer("", EMIT_OWN, &handler)), "{}");
    sample.play(4);
    let plugin = sample.plugin("guest");
    assert_eq!((plugin.state(), plugin.restarts()), (PluginState::Running, 0), "{:?}", plugin.reason());
    assert!(plugin.drops().looped > 0, "answers to answers have an end");
    assert!(log(&mut sample).matches("own.x").count() > 8);
}

#[test]
fn a_disabled_plugin_has_told_its_name_and_holds_no_instance() {
    let mut sample = Sample::bare();
    sample.install(bare_package("guest", buffer("", "", "")), "{}");
    sample.play(2);
    assert!(sample.plugin("guest").instance().is_some());
    let answer = sample.ask(&request(Method::Post, "/plugins/guest/config", r#"{"enabled":false}"#));
    assert_eq!(answer.status, 200);
    sample.play(2);
    assert!(sample.plugin("guest").instance().is_none());
    assert_eq!(sample.plugin("guest").state(), PluginState::Stopped);
}

#[test]
fn wasi_works_in_the_assemblyscript_dialect_too() {
    let wasm = wat::parse_str(
        r#"(module
            (import "wasi_snapshot_preview1" "random_get" (func $random (param i32 i32) (result i32)))
            (import "wasi_snapshot_preview1" "clock_time_get" (func $clock (param i32 i64 i32) (result i32)))
            (import "wasi_snapshot_preview1" "fd_prestat_get" (func $prestat (param i32 i32) (result i32)))
            (memory (export "memory") 1)
            (func (export "__new") (param i32 i32) (result i32) (i32.const 4096))
            (func (export "plugin_name") (result i32) (i32.const 0))
            (func (export "plugin_schema") (result i32) (i32.const 0))
            (func (export "plugin_start") (param i32 i32) (result i32)
                (i32.or (call $random (i32.const 16) (i32.const 8))
                    (i32.or (call $clock (i32.const 0) (i64.const 0) (i32.const 32)) (call $prestat (i32.const 3) (i32.const 64)))))
            (func (export "plugin_stop") (result i32) (i32.const 0)))"#,
    )
    .unwrap();
    let mut sample = Sample::bare();
    sample.install(bare_package("guest", wasm), "{}");
    sample.play(2);
    let plugin = sample.plugin("guest");
    assert_eq!(plugin.state(), PluginState::Running, "{:?}", plugin.reason());
}
