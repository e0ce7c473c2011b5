//! Autopilots that plugins stand behind: registration, every operation of the Autopilot API, deltas.

mod sample_world;

use sample_world::{Sample, request};
use serde_json::{Value, json};
use skiff_runtime::http::Method;
use skiff_runtime::package::Package;

const BASE: &str = "/signalk/v2/api/vessels/self/autopilots";
const DATA: &str = r#"{"options":{"states":[{"name":"auto","engaged":true},{"name":"standby","engaged":false}],"modes":["compass","wind"],"actions":[{"id":"tack","name":"Tack","available":true}]},"target":0.5,"mode":"compass","state":"auto","engaged":true}"#;
/// Handlers that note what they are asked and answer nothing.
const NOTING: [&str; 12] = [
    "set_state",
    "set_mode",
    "set_target",
    "adjust_target",
    "engage",
    "disengage",
    "course_current_point",
    "course_next_point",
    "tack",
    "gybe",
    "dodge",
    "unused",
];

/// A plugin with the autopilots `devices`; what it is asked stands in its status. `more` adds exports.
fn pilot(name: &str, devices: &str, capabilities: &str, more: &str) -> Package {
    let noting: String = NOTING
        .iter()
        .map(|handler| {
            format!(
                "(func (export \"autopilot_{handler}\") (param i32 i32 i32 i32) (result i32)
                    (call $status (local.get 0) (local.get 1)) (i32.const 0))"
            )
        })
        .collect();
    let escape = |text: &str| text.bytes().map(|byte| format!("\\{byte:02x}")).collect::<String>();
    let update = r#"{"state":"auto","target":0.25,"actions":[{"id":"tack","available":true}]}"#;
    let wasm = wat::parse_str(format!(
        r#"(module
            (import "env" "sk_register_autopilot_provider" (func $register (param i32 i32) (result i32)))
            (import "env" "sk_autopilot_update" (func $update (param i32 i32 i32 i32) (result i32)))
            (import "env" "sk_set_status" (func $status (param i32 i32)))
            (import "env" "sk_set_error" (func $error (param i32 i32)))
            (memory (export "memory") 4)
            (data (i32.const 16) "{devices_text}")
            (data (i32.const 512) "{data}")
            (data (i32.const 2048) "{update_text}")
            (data (i32.const 3000) "p1")
            (data (i32.const 3016) "refused")
            (global $next (mut i32) (i32.const 65536))
            (func (export "plugin_id") (param i32 i32) (result i32) (i32.const 0))
            (func (export "allocate") (param $bytes i32) (result i32)
                (global.set $next (i32.add (global.get $next) (local.get $bytes)))
                (i32.sub (global.get $next) (local.get $bytes)))
            (func (export "deallocate") (param i32 i32)
                (global.set $next (i32.sub (global.get $next) (local.get 1))))
            (func (export "plugin_start") (param i32 i32) (result i32)
                (if (i32.eqz (call $register (i32.const 16) (i32.const {devices_len})))
                    (then (call $error (i32.const 3016) (i32.const 7))))
                (i32.const 0))
            (func (export "plugin_stop") (result i32) (i32.const 0))
            (func (export "autopilot_get_data") (param i32 i32 i32 i32) (result i32)
                (memory.copy (local.get 2) (i32.const 512) (i32.const {data_len})) (i32.const {data_len}))
            {noting}
            (func $tell (export "tell") (result i32)
                (call $update (i32.const 3000) (i32.const 2) (i32.const 2048) (i32.const {update_len})))
            {more})"#,
        devices_text = escape(devices),
        devices_len = devices.len(),
        data = escape(DATA),
        data_len = DATA.len(),
        update_text = escape(update),
        update_len = update.len(),
    ))
    .expect("the test's own module is well formed");
    let manifest = format!(
        r#"{{"name":"{name}","version":"1.0.0","keywords":["signalk-wasm-plugin"],"wasmManifest":"p.wasm",
            "wasmCapabilities":{{{capabilities}}}}}"#
    );
    Package::from_parts(manifest.as_bytes(), wasm).unwrap()
}

const GRANTED: &str = r#""autopilotProvider":true"#;

fn world(packages: Vec<Package>) -> Sample {
    let mut sample = Sample::bare();
    for package in packages {
        sample.install(package, "{}");
    }
    sample.play(2);
    sample
}

fn ask(sample: &mut Sample, method: Method, path: &str, body: &str) -> (u16, Value) {
    let response = sample.ask(&request(method, &format!("{BASE}{path}"), body));
    (response.status, serde_json::from_slice(&response.body).unwrap_or(Value::Null))
}

#[test]
fn autopilots_are_listed_and_asked_by_their_ids() {
    let mut sample = world(vec![pilot("@acme/pilot", r#"["p1","p2"]"#, GRANTED, "")]);
    let both = json!({
        "p1": { "provider": "@acme/pilot", "isDefault": true },
        "p2": { "provider": "@acme/pilot", "isDefault": false },
    });
    assert_eq!(ask(&mut sample, Method::Get, "", ""), (200, both));
    assert_eq!(ask(&mut sample, Method::Get, "/_providers/_default", ""), (200, json!({ "id": "p1" })));
    let data: Value = serde_json::from_str(DATA).unwrap();
    for id in ["p1", "p2", "_default"] {
        assert_eq!(ask(&mut sample, Method::Get, &format!("/{id}"), ""), (200, data.clone()), "{id}");
    }
    assert_eq!(ask(&mut sample, Method::Get, "/p1/options", ""), (200, data["options"].clone()));
    // It has no handlers for these: they stand in the data.
    for (member, value) in [("state", json!("auto")), ("mode", json!("compass")), ("target", json!(0.5))] {
        assert_eq!(ask(&mut sample, Method::Get, &format!("/p1/{member}"), ""), (200, json!({ "value": value })));
    }
    assert_eq!(ask(&mut sample, Method::Get, "/p3", "").0, 400);
    assert_eq!(sample.get("/signalk/v1/api/vessels/self/steering/autopilot/defaultPilot/value"), "\"p1\"");
    assert_eq!(ask(&mut sample, Method::Post, "/_providers/_default/p2", "").0, 200);
    assert_eq!(ask(&mut sample, Method::Get, "/_providers/_default", "").1, json!({ "id": "p2" }));
    sample.play(1);
    assert_eq!(sample.get("/signalk/v1/api/vessels/self/steering/autopilot/defaultPilot/value"), "\"p2\"");
    assert_eq!(ask(&mut sample, Method::Post, "/_providers/_default/p3", "").0, 400);
}

#[test]
fn every_operation_reaches_its_handler() {
    let mut sample = world(vec![pilot("@acme/pilot", r#"["p1"]"#, GRANTED, "")]);
    let done = json!({ "state": "COMPLETED", "statusCode": 200, "message": "OK" });
    for (method, path, body, expected) in [
        (Method::Put, "state", r#"{"value":"standby"}"#, r#"{"deviceId":"p1","value":"standby"}"#),
        (Method::Put, "mode", r#"{"value":"wind"}"#, r#"{"deviceId":"p1","value":"wind"}"#),
        (Method::Put, "target", r#"{"value":1.25}"#, r#"{"deviceId":"p1","value":1.25}"#),
        (Method::Put, "target", r#"{"value":180,"units":"deg"}"#, r#"{"deviceId":"p1","value":3.141592653589793}"#),
        (Method::Put, "target/adjust", r#"{"value":-0.5}"#, r#"{"deviceId":"p1","value":-0.5}"#),
        (Method::Post, "engage", "", r#"{"deviceId":"p1"}"#),
        (Method::Post, "disengage", "", r#"{"deviceId":"p1"}"#),
        (Method::Post, "courseCurrentPoint", "", r#"{"deviceId":"p1"}"#),
        (Method::Post, "courseNextPoint", "", r#"{"deviceId":"p1"}"#),
        (Method::Post, "tack/port", "", r#"{"deviceId":"p1","direction":"port"}"#),
        (Method::Post, "tack/starboard", "", r#"{"deviceId":"p1","direction":"starboard"}"#),
        (Method::Post, "gybe/port", "", r#"{"deviceId":"p1","direction":"port"}"#),
        (Method::Post, "gybe/starboard", "", r#"{"deviceId":"p1","direction":"starboard"}"#),
        (Method::Post, "dodge", "", r#"{"deviceId":"p1","value":0}"#),
        (Method::Put, "dodge", r#"{"value":-1}"#, r#"{"deviceId":"p1","value":-0.3490658503988659}"#),
        (Method::Delete, "dodge", "", r#"{"deviceId":"p1","value":null}"#),
    ] {
        for id in ["p1", "_default"] {
            let (status, answer) = ask(&mut sample, method, &format!("/{id}/{path}"), body);
            assert_eq!((status, &answer), (200, &done), "{method} {id}/{path}");
            assert_eq!(sample.plugin("_acme_pilot").status(), Some(expected), "{method} {id}/{path}");
        }
    }
    for (path, body) in [("state", "{}"), ("mode", r#"{"value":7}"#), ("target", r#"{"value":"north"}"#), ("dodge", "")]
    {
        assert_eq!(ask(&mut sample, Method::Put, &format!("/p1/{path}"), body).0, 400, "{path}");
    }
    assert_eq!(ask(&mut sample, Method::Get, "/p1/engage", "").0, 405);
}

#[test]
fn what_a_handler_refuses_or_lacks_is_told() {
    let refusing = r#"
        (data (i32.const 3100) "{\"error\":\"not while it stands by\",\"statusCode\":409}")
        (func (export "autopilot_get_state") (param i32 i32 i32 i32) (result i32)
            (memory.copy (local.get 2) (i32.const 3100) (i32.const 51)) (i32.const 51))
        (func (export "autopilot_get_mode") (param i32 i32 i32 i32) (result i32) (unreachable))"#;
    let mut sample = world(vec![pilot("@acme/pilot", r#"["p1"]"#, GRANTED, refusing)]);
    let (status, body) = ask(&mut sample, Method::Get, "/p1/state", "");
    assert_eq!((status, &body["message"]), (409, &json!("not while it stands by")), "{body}");
    assert_eq!(ask(&mut sample, Method::Get, "/p1/mode", "").0, 500);
}

#[test]
fn an_update_becomes_deltas_of_the_autopilot() {
    let telling = r#"(func (export "poll") (result i32) (drop (call $tell)) (i32.const 0))"#;
    let mut sample = world(vec![pilot("@acme/pilot", r#"["p1"]"#, GRANTED, telling)]);
    sample.play(3);
    let told = |sample: &mut Sample, path: &str| {
        sample.get(&format!("/signalk/v1/api/vessels/self/steering/autopilot/{path}"))
    };
    assert_eq!(told(&mut sample, "state/value"), "\"auto\"");
    assert_eq!(told(&mut sample, "target/value"), "0.25");
    assert_eq!(told(&mut sample, "availableActions/value"), "[\"tack\"]");
    assert_eq!(told(&mut sample, "state/$source"), "\"@acme/pilot\"");
}

#[test]
fn without_an_autopilot_the_answer_is_501() {
    let mut sample = world(vec![]);
    assert_eq!(ask(&mut sample, Method::Get, "", ""), (200, json!({})));
    assert_eq!(ask(&mut sample, Method::Get, "/_providers/_default", ""), (200, json!({})));
    for (method, path) in [(Method::Get, "/_default"), (Method::Post, "/_default/engage"), (Method::Get, "/p1/state")] {
        let (status, body) = ask(&mut sample, method, path, "");
        assert_eq!((status, &body["state"]), (501, &json!("FAILED")), "{method} {path}");
    }
}

#[test]
fn what_cannot_be_registered_is_refused() {
    let nine: Vec<String> = (0..9).map(|pilot| format!("p{pilot}")).collect();
    let nine = json!(nine).to_string();
    for (devices, capabilities) in [
        (r#"["p1"]"#, r#""dataWrite":true"#),
        (r#"["_default"]"#, GRANTED),
        (r#"["a/b"]"#, GRANTED),
        ("[]", GRANTED),
        ("p1", GRANTED),
        (nine.as_str(), GRANTED),
    ] {
        let mut sample = world(vec![pilot("@acme/pilot", devices, capabilities, "")]);
        assert_eq!(sample.plugin("_acme_pilot").error(), Some("refused"), "{devices}");
        let listed = ask(&mut sample, Method::Get, "", "").1.as_object().unwrap().len();
        assert_eq!(listed, if devices == nine { 8 } else { 0 }, "{devices}");
    }
}

#[test]
fn of_two_plugins_with_one_id_the_first_has_it() {
    let first = pilot("@acme/first", r#"["p1"]"#, GRANTED, "");
    let second = pilot("@acme/second", r#"["p1","p2"]"#, GRANTED, "");
    let mut sample = world(vec![first, second]);
    let (_, listed) = ask(&mut sample, Method::Get, "", "");
    assert_eq!((&listed["p1"]["provider"], &listed["p2"]["provider"]), (&json!("@acme/first"), &json!("@acme/second")));
}
