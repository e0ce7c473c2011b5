//! A number that goes through the gateway comes out with every bit, whichever way it takes.

mod sample_world;

use sample_world::{Sample, request};
use skiff_runtime::http::Method;
use skiff_runtime::json;
use skiff_runtime::package::Package;

/// Numbers of one text, and texts of each test.
const IN_A_TEXT: usize = 100;
const TEXTS: usize = 150;

/// A guest that emits each delta about `double` as one about `echoed`, and keeps what it is started with, what is PUT
/// and what is stored with it.
fn keeper() -> Package {
    let wasm = wat::parse_str(
        r#"(module
            (import "env" "sk_handle_message" (func $emit (param i32 i32)))
            (import "env" "sk_register_put_handler" (func $put (param i32 i32 i32 i32) (result i32)))
            (import "env" "sk_register_resource_provider" (func $resources (param i32 i32) (result i32)))
            (memory (export "memory") 16)
            (data (i32.const 16) "vessels.selfkeep.numbers")
            (data (i32.const 64) "waypoints")
            (data (i32.const 80) "{\"state\":\"COMPLETED\",\"statusCode\":200}")
            (data (i32.const 128) "\"double.\"echoed.")
            (data (i32.const 524280) "{\"kept\":")
            (global $next (mut i32) (i32.const 65536))
            (global $kept (mut i32) (i32.const 0))
            (func (export "plugin_id") (param i32 i32) (result i32) (i32.const 0))
            (func (export "allocate") (param $bytes i32) (result i32)
                (global.set $next (i32.add (global.get $next) (local.get $bytes)))
                (i32.sub (global.get $next) (local.get $bytes)))
            (func (export "deallocate") (param i32 i32) (global.set $next (i32.const 65536)))
            (func $keep (param $from i32) (param $bytes i32)
                (memory.copy (i32.const 524288) (local.get $from) (local.get $bytes))
                (i32.store8 (i32.add (i32.const 524288) (local.get $bytes)) (i32.const 125))
                (global.set $kept (i32.add (local.get $bytes) (i32.const 9))))
            (func (export "plugin_start") (param i32 i32) (result i32)
                (call $keep (local.get 0) (local.get 1))
                (drop (call $put (i32.const 16) (i32.const 12) (i32.const 28) (i32.const 12)))
                (drop (call $resources (i32.const 64) (i32.const 9)))
                (i32.const 0))
            (func (export "plugin_stop") (result i32) (i32.const 0))
            (func (export "delta_handler") (param $text i32) (param $bytes i32)
                (local $at i32) (local $found i32)
                (local.set $at (local.get $text))
                (loop $next
                    (if (i64.eq (i64.load (local.get $at)) (i64.load (i32.const 128)))
                        (then (i64.store (local.get $at) (i64.load (i32.const 136))) (local.set $found (i32.const 1))))
                    (local.set $at (i32.add (local.get $at) (i32.const 1)))
                    (br_if $next (i32.lt_u (local.get $at) (i32.add (local.get $text) (local.get $bytes)))))
                (if (local.get $found) (then (call $emit (local.get $text) (local.get $bytes)))))
            (func $answer (param $into i32) (result i32)
                (memory.copy (local.get $into) (i32.const 80) (i32.const 38)) (i32.const 38))
            (func (export "handle_put_vessels_self_keep_numbers") (param i32 i32 i32 i32) (result i32)
                (call $keep (local.get 0) (local.get 1)) (call $answer (local.get 2)))
            (func (export "resources_set_resource") (param i32 i32 i32 i32) (result i32)
                (call $keep (local.get 0) (local.get 1)) (i32.const 0))
            (func (export "resources_get_resource") (param i32 i32 i32 i32) (result i32)
                (memory.copy (local.get 2) (i32.const 524280) (global.get $kept)) (global.get $kept)))"#,
    )
    .expect("the test's own module is well formed");
    let manifest = br#"{"name":"keeper","version":"1.0.0","keywords":["signalk-wasm-plugin"],"wasmManifest":"p.wasm",
        "wasmCapabilities":{"putHandlers":true,"resourceProvider":true,"dataRead":true,"dataWrite":true}}"#;
    Package::from_parts(manifest, wasm).unwrap()
}

/// Numbers as boats have them, and any that there are.
struct Doubles(u64);

impl Iterator for Doubles {
    type Item = f64;

    fn next(&mut self) -> Option<f64> {
        // Xorshift (Marsaglia 2003).
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        let bits = self.0;
        let unit = f64::from(u32::try_from(bits >> 32).unwrap()) / 4_294_967_296.0;
        Some(match bits % 6 {
            0 => unit * 180.0 - 90.0,
            1 => unit * core::f64::consts::TAU,
            2 => unit * 1e-9,
            3 => unit * 1e6,
            4 => 250.0 + unit * 60.0,
            _ => Some(f64::from_bits(bits)).filter(|any| any.is_finite()).unwrap_or(0.1),
        })
    }
}

/// Texts of numbers, with the bits of each.
fn texts() -> impl Iterator<Item = (Vec<u64>, Vec<String>)> {
    let mut doubles = Doubles(0x5ca1_ab1e);
    (0..TEXTS).map(move |_| {
        let numbers: Vec<f64> = doubles.by_ref().take(IN_A_TEXT).collect();
        (numbers.iter().map(|number| number.to_bits()).collect(), numbers.iter().map(f64::to_string).collect())
    })
}

/// The bits of the numbers of a JSON array.
fn bits(array: &str) -> Vec<u64> {
    let inner = array.trim().strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    let inner = inner.unwrap_or_else(|| panic!("no array: {array}"));
    inner.split(',').map(|number| number.parse::<f64>().unwrap().to_bits()).collect()
}

fn world() -> Sample {
    let mut sample = Sample::bare();
    sample.install(keeper(), "{}");
    sample.play(1);
    sample
}

/// Sends a body that is to be taken.
fn send(sample: &mut Sample, method: Method, path: &str, body: &str) {
    let response = sample.ask(&request(method, path, body));
    assert_eq!(response.status, 200, "{}", String::from_utf8_lossy(&response.body));
}

const WAYPOINT: &str = "/signalk/v2/api/resources/waypoints/ac3a3b2d-07e8-4f25-92bc-98e7c92f7f1a";

/// Reads what the guest was given last.
fn kept(sample: &mut Sample) -> String {
    let answer = sample.get(WAYPOINT);
    json::member(&answer, "kept").unwrap_or_else(|| panic!("{answer}")).to_string()
}

#[test]
fn in_a_delta_from_a_client_through_a_plugin_to_rest() {
    let mut sample = world();
    let stream =
        sample.replay().gateway_mut().open_stream(&request(Method::Get, "/signalk/v1/stream?subscribe=none", ""));
    let stream = stream.unwrap();
    for (expected, numbers) in texts() {
        let values = numbers.iter().enumerate();
        let values: Vec<String> =
            values.map(|(index, number)| format!(r#"{{"path":"double.n{index}","value":{number}}}"#)).collect();
        let delta = format!(r#"{{"updates":[{{"$source":"client","values":[{}]}}]}}"#, values.join(","));
        sample.replay().gateway_mut().stream_receive(stream, &delta);
        for _ in 0..100 {
            sample.replay().gateway_mut().poll();
        }
        for way in ["double", "echoed"] {
            let tree = sample.get(&format!("/signalk/v1/api/vessels/self/{way}"));
            let number = |index: usize| {
                let leaf = json::member(&tree, &format!("n{index}"))?;
                Some(json::member(leaf, "value")?.parse::<f64>().ok()?.to_bits())
            };
            let found: Vec<_> = (0..IN_A_TEXT).map(|index| number(index).unwrap_or_default()).collect();
            assert_eq!(found, expected, "{tree}");
        }
    }
}

#[test]
fn in_a_configuration_to_the_plugin_and_back() {
    let mut sample = world();
    for (expected, numbers) in texts() {
        let body = format!(r#"{{"enabled":true,"configuration":{{"numbers":[{}]}}}}"#, numbers.join(","));
        send(&mut sample, Method::Post, "/plugins/keeper/config", &body);
        let stored = sample.get("/plugins/keeper/config");
        let stored = json::member(&stored, "configuration").and_then(|own| json::member(own, "numbers"));
        assert_eq!(stored.map(bits).as_ref(), Some(&expected));
        let started = kept(&mut sample);
        assert_eq!(json::member(&started, "numbers").map(bits).as_ref(), Some(&expected), "{started}");
    }
}

#[test]
fn in_a_put_and_in_a_resource() {
    let mut sample = world();
    for (expected, numbers) in texts() {
        let array = format!("[{}]", numbers.join(","));
        send(&mut sample, Method::Put, "/signalk/v1/api/vessels/self/keep/numbers", &format!(r#"{{"value":{array}}}"#));
        let given = kept(&mut sample);
        assert_eq!(bits(&given), expected, "a handler is given the value alone: {given}");
        let waypoint = format!(
            r#"{{"feature":{{"type":"Feature","geometry":{{"type":"Point","coordinates":[1,2]}},"properties":{{"n":{array}}}}}}}"#
        );
        send(&mut sample, Method::Put, WAYPOINT, &waypoint);
        let given = kept(&mut sample);
        let at = given.find(r#""n":["#).unwrap_or_else(|| panic!("{given}")) + 4;
        let end = given[at..].find(']').unwrap() + at + 1;
        assert_eq!(bits(&given[at..end]), expected, "{given}");
    }
}
