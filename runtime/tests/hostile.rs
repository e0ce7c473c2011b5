//! Modules that mean harm, many at a time, beside the sample: each is refused or contained, and nobody else notices.

mod sample_world;

use sample_world::{Sample, request};
use skiff_runtime::budget::{Board, Limits};
use skiff_runtime::http::Method;
use skiff_runtime::package::Package;
use skiff_runtime::plugin::PluginState;

/// Everything a module may ask for.
const IMPORTS: &str = r#"
    (import "env" "sk_debug" (func $debug (param i32 i32)))
    (import "env" "sk_set_status" (func $status (param i32 i32)))
    (import "env" "sk_handle_message" (func $emit (param i32 i32)))
    (import "env" "sk_register_put_handler" (func $put (param i32 i32 i32 i32) (result i32)))
    (import "env" "sk_register_resource_provider" (func $resources (param i32 i32) (result i32)))
    (import "env" "sk_emit_binary_stream" (func $stream (param i32 i32 i32 i32) (result i32)))
    (import "env" "sk_udp_create" (func $udp (param i32) (result i32)))
    (import "env" "sk_udp_close" (func $udp_close (param i32)))
    (import "env" "sk_tcp_create" (func $tcp (result i32)))
    (import "env" "sk_get_self_path" (func $get (param i32 i32 i32 i32) (result i32)))
    (import "env" "sk_save_config" (func $save (param i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "poll_oneoff" (func $sleep (param i32 i32 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))"#;

/// A buffer-dialect module; the allocator is the module's own, so that it can lie.
fn module(allocate: &str, start: &str, poll: &str, more: &str) -> String {
    format!(
        r#"(module {IMPORTS}
            (memory (export "memory") 2)
            (data (i32.const 16) "{{\"updates\":[{{\"values\":[{{\"path\":\"hostile.x\",\"value\":1}}]}}]}}")
            (data (i32.const 100) "plugins/h/raw")
            (data (i32.const 128) "a line\n\n\r\nand another\1b[31m\n")
            (data (i32.const 160) "\80\00\00\00\1b\00\00\00")
            (data (i32.const 200) "abcdefghijklmnopqrstuvwxyz")
            (global $n (mut i32) (i32.const 0))
            (func (export "plugin_id") (param i32 i32) (result i32) (i32.const 0))
            (func (export "allocate") (param $bytes i32) (result i32) {allocate})
            (func (export "plugin_start") (param i32 i32) (result i32) {start} (i32.const 0))
            (func (export "plugin_stop") (result i32) (i32.const 0))
            (func (export "poll") (result i32) {poll} (i32.const 0))
            {more})"#
    )
}

const HEAP: &str = "(i32.const 65536)";
const FOREVER: &str = "(br $again)";

fn storm(act: &str) -> String {
    module(HEAP, "", &format!("(loop $again {act} {FOREVER})"), "")
}

/// Guests whose own functions answer with nonsense.
fn liars() -> Vec<(&'static str, String)> {
    let getter =
        |name: &str, body: &str| format!("(func (export \"{name}\") (param i32 i32) (result i32) (i32.const {body}))");
    vec![
        ("allocates-nothing", module("(i32.const 0)", "", "", "")),
        ("allocates-behind-the-end", module("(i32.const 0x7fffffff)", "", "", "")),
        ("allocates-negative", module("(i32.const -16)", "", "", "")),
        ("allocates-at-the-last-byte", module("(i32.const 131071)", "", "", "")),
        ("allocates-its-own-stack", module("(i32.const 1)", "", "", "")),
        (
            "allocates-by-growing",
            module(
                "(drop (memory.grow (i32.const 3))) (i32.sub (i32.mul (memory.size) (i32.const 65536)) (local.get 0))",
                "",
                "",
                "",
            ),
        ),
        ("allocator-traps", module("unreachable", "", "", "")),
        ("allocator-loops", module("(loop $again (br $again)) (i32.const 0)", "", "", "")),
        ("name-is-negative", module(HEAP, "", "", &getter("plugin_name", "-2147483648"))),
        ("name-is-endless", module(HEAP, "", "", &getter("plugin_name", "0x7fffffff"))),
        ("schema-is-garbage", module(HEAP, "", "", &getter("plugin_schema", "8192"))),
        ("endpoints-are-garbage", module(HEAP, "", "", &getter("http_endpoints", "8192"))),
        ("deallocate-traps", module(HEAP, "", "", r#"(func (export "deallocate") (param i32 i32) unreachable)"#)),
        (
            "deallocate-loops",
            module(HEAP, "", "", r#"(func (export "deallocate") (param i32 i32) (loop $again (br $again)))"#),
        ),
        (
            "wrong-types",
            module(HEAP, "", "", r#"(func (export "delta_handler") (param f64) (result i64) (i64.const 1))"#),
        ),
        ("handler-is-a-global", module(HEAP, "", "", r#"(global (export "delta_handler") i32 (i32.const 5))"#)),
        (
            "handler-takes-ten",
            module(HEAP, "", "", r#"(func (export "delta_handler") (param i32 i64 f32 f64 i32 i32 i32 i32 i32 i32))"#),
        ),
        (
            "leaves-in-its-handler",
            module(HEAP, "", "", r#"(func (export "delta_handler") (param i32 i32) (call $exit (i32.const 0)))"#),
        ),
    ]
}

/// Guests that do one thing without end.
fn storms() -> Vec<(&'static str, String)> {
    vec![
        ("log-storm", storm("(call $debug (i32.const 128) (i32.const 27))")),
        ("print-storm", storm("(drop (call $write (i32.const 2) (i32.const 160) (i32.const 1) (i32.const 176)))")),
        ("status-storm", storm("(call $status (i32.const 200) (i32.const 26))")),
        ("delta-storm", storm("(call $emit (i32.const 16) (i32.const 57))")),
        ("junk-storm", storm("(call $emit (i32.const 128) (i32.const 20))")),
        (
            "put-storm",
            storm(
                "(global.set $n (i32.add (global.get $n) (i32.const 1))) (i32.store (i32.const 300) (global.get $n))
                 (drop (call $put (i32.const 200) (i32.const 8) (i32.const 300) (i32.const 4)))",
            ),
        ),
        (
            "provider-storm",
            storm(
                "(global.set $n (i32.add (global.get $n) (i32.const 1)))
                 (i32.store (i32.const 300) (i32.or (i32.and (global.get $n) (i32.const 0x0f0f0f0f)) (i32.const 0x61616161)))
                 (drop (call $resources (i32.const 300) (i32.const 4)))",
            ),
        ),
        ("stream-storm", storm("(drop (call $stream (i32.const 100) (i32.const 13) (i32.const 0) (i32.const 65536)))")),
        ("socket-storm", storm("(drop (call $udp (i32.const 0))) (drop (call $tcp))")),
        ("socket-churn", storm("(call $udp_close (call $udp (i32.const 0)))")),
        ("read-storm", storm("(drop (call $get (i32.const 200) (i32.const 26) (i32.const 1024) (i32.const 4096)))")),
        ("save-storm", storm("(drop (call $save (i32.const 16) (i32.const 57)))")),
        ("sleep-storm", storm("(drop (call $sleep (i32.const 0) (i32.const 512) (i32.const 1) (i32.const 600)))")),
        ("float-storm", storm("(drop (f64.sqrt (f64.const nan:0x4000000000001))) (f64.store (i32.const 512) (f64.const -nan))")),
        (
            "deep-indirect",
            module(
                HEAP,
                "",
                "(drop (call_indirect $t (type $down) (i32.const 1) (i32.const 0)))",
                "(type $down (func (param i32) (result i32))) (table $t 1 1 funcref) (elem (i32.const 0) $deep)
                 (func $deep (type $down) (i32.add (i32.const 1)
                    (call_indirect $t (type $down) (local.get 0) (i32.const 0))))",
            ),
        ),
        ("wrong-indirect", module(HEAP, "", "(drop (call_indirect $t (result i32) (i32.const 0)))", "(table $t 3 funcref)")),
        ("table-growth", module(HEAP, "", "(loop $again (br_if $again (i32.ne (table.grow $t (ref.null func) (i32.const 1000)) (i32.const -1)))) unreachable", "(table $t 1 funcref)")),
        ("memory-growth", module(HEAP, "(loop $again (br_if $again (i32.ne (memory.grow (i32.const 1)) (i32.const -1))))", "unreachable", "")),
    ]
}

/// Modules that are refused when they are read.
fn refused() -> Vec<(&'static str, String)> {
    let exports = r#"(func (export "plugin_id") (param i32 i32) (result i32) (i32.const 0))
        (func (export "allocate") (param i32) (result i32) (i32.const 0))
        (func (export "plugin_start") (param i32 i32) (result i32) (i32.const 0))"#;
    let many = |count: usize, one: &dyn Fn(usize) -> String| (0..count).map(one).collect::<String>();
    vec![
        ("memory-of-64-bits", format!("(module (memory (export \"memory\") i64 1) {exports})")),
        ("two-memories", format!("(module (memory (export \"memory\") 1) (memory 1) {exports})")),
        ("shared-memory", format!("(module (memory (export \"memory\") 1 2 shared) {exports})")),
        ("memory-of-the-host", format!("(module (import \"env\" \"memory\" (memory 1)) {exports})")),
        (
            "exceptions",
            format!("(module (memory (export \"memory\") 1) (tag $e) (func (export \"poll\") (throw $e)) {exports})"),
        ),
        ("giant-memory", format!("(module (memory (export \"memory\") 65536) {exports})")),
        ("giant-table", format!("(module (memory (export \"memory\") 1) (table 100000000 funcref) {exports})")),
        ("no-memory", format!("(module {exports})")),
        ("memory-is-a-function", format!("(module (func (export \"memory\")) {exports})")),
        ("data-outside", format!("(module (memory (export \"memory\") 1) (data (i32.const 65535) \"ab\") {exports})")),
        (
            "elements-outside",
            format!(
                "(module (memory (export \"memory\") 1) (table 1 funcref) (func $f) (elem (i32.const 1) $f) {exports})"
            ),
        ),
        (
            "start-section-loops",
            format!("(module (memory (export \"memory\") 1) (func $s (loop $l (br $l))) (start $s) {exports})"),
        ),
        (
            "start-section-traps",
            format!("(module (memory (export \"memory\") 1) (func $s unreachable) (start $s) {exports})"),
        ),
        (
            "many-imports",
            format!(
                "(module {} (memory (export \"memory\") 1) {exports})",
                many(20_000, &|n| format!("(import \"env\" \"f{n}\" (func))"))
            ),
        ),
        ("many-functions", format!("(module (memory (export \"memory\") 1) {} {exports})", "(func)".repeat(200_000))),
        (
            "many-exports",
            format!(
                "(module (memory (export \"memory\") 1) (func $f) {} {exports})",
                many(20_000, &|n| format!("(export \"e{n}\" (func $f))"))
            ),
        ),
        (
            "many-locals",
            format!(
                "(module (memory (export \"memory\") 1) (func (export \"poll\") (local {})) {exports})",
                "i64 ".repeat(49_000)
            ),
        ),
    ]
}

fn package(name: &str, wasm: Vec<u8>) -> Package {
    let manifest = format!(
        r#"{{"name":"{name}","version":"1.0.0","keywords":["signalk-wasm-plugin"],"wasmManifest":"p.wasm",
            "wasmCapabilities":{{"putHandlers":true,"resourceProvider":true,"rawSockets":true,"httpEndpoints":true}}}}"#
    );
    Package::from_parts(manifest.as_bytes(), wasm).unwrap()
}

/// Those of Linux, with less fuel, so that endless loops end sooner.
fn limits() -> Limits {
    let mut limits = Limits::of(Board::Linux);
    limits.plugin.fuel_per_call = 2_000_000;
    limits.plugin.fuel_per_start = 4_000_000;
    limits
}

/// Plays the sample with this many of them beside it, and returns what became of each: state, reason, lines of its log.
fn beside_the_sample(modules: Vec<(&'static str, String)>) -> Vec<(&'static str, PluginState, String, usize)> {
    const SECONDS: i64 = 12;
    /// Installed at a time, beside the sample's own two.
    const AT_ONCE: usize = 6;
    let limits = limits();
    let undisturbed = Sample::new_with(limits).play(SECONDS);
    let mut ends = Vec::new();
    for group in modules.chunks(AT_ONCE) {
        let mut sample = Sample::new_with(limits);
        for (name, text) in group {
            let wasm = wat::parse_str(text).unwrap_or_else(|error| panic!("{name}: {error}"));
            sample.install(package(name, wasm), "{}");
        }
        let lines: Vec<String> = sample.play(SECONDS).into_iter().filter(|line| !line.contains("hostile.x")).collect();
        let names: Vec<&str> = group.iter().map(|(name, _)| *name).collect();
        assert_eq!(lines, undisturbed, "others noticed {names:?}");
        let list = sample.ask(&request(Method::Get, "/skServer/plugins", ""));
        assert_eq!(list.status, 200);
        for (name, _) in group {
            let plugin = sample.plugin(name);
            let reason = plugin.reason().unwrap_or_default().to_string();
            ends.push((*name, plugin.state(), reason, plugin.log_lines().count()));
        }
    }
    ends
}

#[test]
fn guests_that_lie_about_memory_harm_themselves_only() {
    for (name, state, reason, _) in beside_the_sample(liars()) {
        match state {
            PluginState::Running | PluginState::Stopped => {}
            PluginState::Error | PluginState::Crashed | PluginState::Starting => {
                assert!(!reason.is_empty(), "{name}: {state:?}");
            }
        }
    }
}

#[test]
fn guests_that_storm_are_stopped_by_their_fuel_or_their_limits() {
    let ends = beside_the_sample(storms());
    for (name, state, reason, _) in &ends {
        // Sleeping costs fuel too, but slowly; growing is refused and then traps.
        let is_stopped = matches!(state, PluginState::Crashed | PluginState::Error) && !reason.is_empty();
        let is_asleep = *name == "sleep-storm" && reason.ends_with(" s in one call");
        assert!(is_stopped || is_asleep, "{name}: {state:?} {reason}");
    }
    for (name, _, _, lines) in ends {
        // The ring of a plugin's log holds this many at most, whatever was printed.
        assert!(lines <= 200, "{name}: {lines} lines");
    }
}

#[test]
fn modules_beyond_any_limit_are_refused_with_a_reason() {
    for (name, state, reason, _) in beside_the_sample(refused()) {
        assert!(matches!(state, PluginState::Error | PluginState::Crashed), "{name}: {state:?}");
        assert!(!reason.is_empty(), "{name}");
    }
}

#[test]
fn a_call_logs_so_many_lines_and_tells_what_it_left_out() {
    let mut sample = Sample::bare();
    let twice = module(
        HEAP,
        "",
        "(loop $again (call $debug (i32.const 128) (i32.const 27))
            (global.set $n (i32.add (global.get $n) (i32.const 1)))
            (br_if $again (i32.ne (i32.rem_u (global.get $n) (i32.const 500)) (i32.const 0))))",
        "",
    );
    sample.install(package("talker", wat::parse_str(twice).unwrap()), "{}");
    sample.play(2);
    let plugin = sample.plugin("talker");
    assert_eq!(plugin.state(), PluginState::Running);
    let lines: Vec<&str> = plugin.log_lines().collect();
    // Two lines each time, 256 in all; empty ones are none, and nothing steers a terminal.
    assert!(lines.iter().any(|line| line.ends_with("744 more lines of one call were left out")), "{lines:?}");
    assert!(lines.iter().all(|line| !line.contains(char::is_control)), "{lines:?}");
    assert!(lines.iter().any(|line| line.ends_with(" a line")), "{lines:?}");
    assert!(lines.iter().any(|line| line.ends_with(" and another\u{fffd}[31m")), "{lines:?}");
}
