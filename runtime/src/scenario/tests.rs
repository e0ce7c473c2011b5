//! The step `delta` for a plugin that takes values.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::{Scenario, play};
use crate::budget::{Board, Limits};
use crate::json;

/// Takes `a` and gives `b`, by a counter at 168 + 24; flags at 84.
fn guest(flags: u32) -> String {
    format!(
        r#"(module (memory (export "memory") 1)
            (data (i32.const 64) "SKV1\01\00\01\00\80\00\00\00\a8\00\00\00\00\00\00\00\{flags:02x}")
            (data (i32.const 128) "\00\02\00\00\01\00\01") (data (i32.const 168) "\01\02\00\00\01\00\01")
            (data (i32.const 512) "ab")
            (func (export "plugin_id") (param i32 i32) (result i32) (i32.const 0))
            (func (export "allocate") (param i32) (result i32) (i32.const 4096))
            (func (export "plugin_start") (param i32 i32) (result i32) (i32.const 0))
            (func (export "delta_handler") (param i32 i32) (call $count (f64.const -1)))
            (func $count (param f64)
                (f64.store (i32.const 176) (local.get 0))
                (i32.store (i32.const 192) (i32.add (i32.load (i32.const 192)) (i32.const 1))))
            (func (export "skiff_values") (result i32) (i32.const 64))
            (func (export "skiff_update") (result i32) (call $count (f64.load (i32.const 136))) (i32.const 0)))"#
    )
}

/// Plays deltas; returns the `app` and `result` lines behind the start, without their numbers.
fn played(flags: u32, deltas: &[&str]) -> Vec<String> {
    let steps: String = deltas.iter().map(|delta| format!(r#",{{"op":"delta","delta":{delta}}}"#)).collect();
    let script = format!(r#"{{"name":"s","package":"p","steps":[{{"op":"start"}}{steps}]}}"#);
    let (scenario, wasm) = (Scenario::parse(&script).unwrap(), wat::parse_str(guest(flags)).unwrap());
    let mut lines = Vec::new();
    play(&scenario, &wasm, &Limits::of(Board::Linux).plugin, &mut |line| {
        let kind = json::member(line, "t").and_then(json::string).unwrap_or_default();
        if kind == "app" || kind == "result" {
            lines.push(line.split_once(r#""t":"#).map_or(line, |(_, rest)| rest).to_string());
        }
    });
    let start = lines.iter().position(|line| line.contains(r#""step":"start""#)).unwrap();
    lines.split_off(start + 1)
}

fn emitted(value: &str) -> String {
    format!(
        r#""app","ev":"delta","from":"p","v":1,"delta":{{"updates":[{{"values":[{{"path":"b","value":{value}}}]}}]}}}}"#
    )
}

const A: &str = r#"{"updates":[{"values":[{"path":"a","value":4.2}]}]}"#;
const OTHER: &str = r#"{"context":"vessels.self","updates":[{"values":[{"path":"c","value":1}]}]}"#;

#[test]
fn the_step_delta_is_an_update_and_null_when_nothing_arrived() {
    let result = |value: &str| format!(r#""result","step":"delta","value":{value}}}"#);
    assert_eq!(played(0, &[A, OTHER]), [emitted("4.2"), result("0"), result("null")]);
    let own = r#"{"updates":[{"$source":"p","values":[{"path":"a","value":1}]}]}"#;
    assert_eq!(played(0, &[own]), [result("null")], "its own value is none");
}

#[test]
fn other_deltas_are_text_behind_the_update_where_the_plugin_wants_them() {
    let result = |value: &str| format!(r#""result","step":"delta","value":{value}}}"#);
    assert_eq!(played(1, &[A, OTHER]), [emitted("4.2"), result("0"), emitted("-1"), result("null")]);
    let both = r#"{"updates":[{"values":[{"path":"a","value":2},{"path":"c","value":1}]}]}"#;
    assert_eq!(played(1, &[both]), [emitted("2"), emitted("-1"), result("0")]);
}
