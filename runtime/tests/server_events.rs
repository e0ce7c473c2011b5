//! Server events for stream clients that ask for them (plugin ABI §12.4).

mod sample_world;

use sample_world::{Sample, bare_package, request};
use skiff_runtime::gateway::{StreamId, StreamOut};
use skiff_runtime::http::Method;

/// Sets the status `fine`, the error `broken` at the second poll, the status `again` at the fourth.
fn moody() -> Vec<u8> {
    let module = r#"(module
        (import "env" "sk_set_status" (func $status (param i32 i32)))
        (import "env" "sk_set_error" (func $error (param i32 i32)))
        (memory (export "memory") 1)
        (data (i32.const 16) "finebrokenagain")
        (global $polls (mut i32) (i32.const 0))
        (global $next (mut i32) (i32.const 1024))
        (func (export "plugin_id") (param i32 i32) (result i32) (i32.const 0))
        (func (export "allocate") (param i32) (result i32)
            (global.set $next (i32.add (global.get $next) (local.get 0)))
            (i32.sub (global.get $next) (local.get 0)))
        (func (export "deallocate") (param i32 i32) (global.set $next (i32.const 1024)))
        (func (export "plugin_start") (param i32 i32) (result i32)
            (call $status (i32.const 16) (i32.const 4)) (i32.const 0))
        (func (export "plugin_stop") (result i32) (i32.const 0))
        (func (export "poll") (result i32)
            (global.set $polls (i32.add (global.get $polls) (i32.const 1)))
            (if (i32.eq (global.get $polls) (i32.const 2)) (then (call $error (i32.const 20) (i32.const 6))))
            (if (i32.eq (global.get $polls) (i32.const 4)) (then (call $status (i32.const 26) (i32.const 5))))
            (i32.const 0)))"#;
    wat::parse_str(module).expect("the test's own module is well formed")
}

fn open(sample: &mut Sample, query: &str) -> StreamId {
    let target = format!("/signalk/v1/stream?subscribe=none&{query}");
    sample.replay().gateway_mut().open_stream(&request(Method::Get, &target, "")).unwrap()
}

/// Returns the server events that wait for a client.
fn events(sample: &mut Sample, client: StreamId) -> Vec<serde_json::Value> {
    let mut events = Vec::new();
    while let StreamOut::Text(text) = sample.replay().gateway_mut().stream_next(client) {
        events.push(serde_json::from_str::<serde_json::Value>(&text).unwrap());
    }
    // Of the gateway's events those about plugins and the vessel; of inputs and sources is told elsewhere.
    events.retain(|event| event["type"] == "VESSEL_INFO" || event["type"] == "PROVIDERSTATUS");
    for rows in events.iter_mut().filter_map(|event| event["data"].as_array_mut()) {
        rows.retain(|row| row["statusType"] == "plugin");
    }
    events
}

#[test]
fn a_client_is_told_of_the_vessel_and_of_every_change_of_a_plugins_status() {
    let mut sample = Sample::bare();
    sample.install(bare_package("moody", moody()), "{}");
    sample.play(1);
    let client = open(&mut sample, "serverevents=all");
    let deaf = open(&mut sample, "");
    let mut seen = Vec::new();
    for _ in 0..12 {
        sample.play(1);
        seen.extend(events(&mut sample, client));
    }
    assert_eq!(events(&mut sample, deaf), Vec::<serde_json::Value>::new());
    assert_eq!(seen[0]["type"], "VESSEL_INFO");
    assert!(seen[0]["data"]["uuid"].as_str().unwrap().starts_with("urn:mrn:signalk:uuid:"), "{seen:?}");
    let told: Vec<(&str, &str)> = seen[1..]
        .iter()
        .map(|event| {
            assert_eq!(
                (event["type"].as_str(), event["data"][0]["id"].as_str()),
                (Some("PROVIDERSTATUS"), Some("moody"))
            );
            (event["data"][0]["type"].as_str().unwrap(), event["data"][0]["message"].as_str().unwrap())
        })
        .collect();
    let mut changes = told.clone();
    changes.dedup();
    assert_eq!(changes, [("status", "fine"), ("error", "broken"), ("status", "again")]);
    // Said again every five seconds, and not more often.
    assert!((1..=2).contains(&(told.len() - changes.len())), "{told:?}");
    let last = &seen.last().unwrap()["data"][0];
    assert_eq!(last["lastError"], "broken");
    assert!(last["lastErrorTimeStamp"].as_str() < last["timeStamp"].as_str(), "{last}");
}

#[test]
fn why_a_plugin_does_not_run_is_an_error_and_a_disabled_plugin_is_gone() {
    let mut sample = Sample::bare();
    let wasm = wat::parse_str(
        r#"(module (memory (export "memory") 1)
            (func (export "plugin_id") (param i32 i32) (result i32) (i32.const 0))
            (func (export "allocate") (param i32) (result i32) (i32.const 1024))
            (func (export "plugin_start") (param i32 i32) (result i32) (i32.const 7))
            (func (export "plugin_stop") (result i32) (i32.const 0)))"#,
    )
    .unwrap();
    sample.install(bare_package("failing", wasm), "{}");
    sample.play(2);
    let client = open(&mut sample, "serverevents=all");
    sample.play(1);
    let seen = events(&mut sample, client);
    let row = &seen[1]["data"][0];
    assert_eq!((row["type"].as_str(), row["id"].as_str()), (Some("error"), Some("failing")), "{seen:?}");
    assert!(row["message"].as_str().unwrap().contains('7'), "{row}");
    let disabled = sample.ask(&request(Method::Post, "/plugins/failing/config", r#"{"enabled":false}"#));
    assert!(disabled.status < 300, "{disabled:?}");
    sample.play(6);
    let last = events(&mut sample, client).pop().unwrap();
    assert_eq!(last["data"].as_array().map(Vec::len), Some(0), "{last}");
}
