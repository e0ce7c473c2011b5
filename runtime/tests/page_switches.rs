//! What the page switches: whether devices may ask, a device's end, whether a past is kept, what may be sent to the bus.

mod boat;
mod guests;
mod owned;

use owned::{Owned, read};
use serde_json::{Value, json};
use skiff_runtime::config::{N2kConfig, Settings};
use skiff_runtime::hal::{Key, Storage};
use skiff_runtime::http::Method;

const SECURITY: &str = "/skServer/security/config";
const SETTINGS: &str = "/skServer/settings";
const N2K: &str = "/skiff/v1/n2k";

fn get(gateway: &mut Owned, target: &str) -> Value {
    let (status, body) = gateway.as_owner(Method::Get, target, &Value::Null);
    assert_eq!(status, 200, "{target}: {body}");
    body
}

fn put(gateway: &mut Owned, target: &str, body: &Value) -> (u16, Value) {
    gateway.as_owner(Method::Put, target, body)
}

fn file(gateway: &Owned, name: &str) -> Option<Value> {
    let mut bytes = vec![0; 4096];
    let read = gateway.storage.clone().read(&Key::parse(name).unwrap(), 0, &mut bytes).ok()?;
    Some(serde_json::from_slice(&bytes[..read]).unwrap())
}

/// What the next start reads.
fn settings(gateway: &Owned) -> Settings {
    Settings::load(&mut gateway.storage.clone()).unwrap()
}

fn asks(gateway: &mut Owned, client_id: &str) -> u16 {
    let body = json!({ "clientId": client_id, "description": "Tank" }).to_string();
    let headers = [("content-type", "application/json")];
    gateway.ask(Method::Post, "/signalk/v1/access/requests", &headers, &body).status
}

#[test]
fn devices_may_ask_until_the_owner_says_no_and_it_stays() {
    let mut gateway = Owned::new();
    assert_eq!(get(&mut gateway, SECURITY)["allowDeviceAccessRequests"], true);
    let security = |asks: Value| json!({ "allow_readonly": false, "allowDeviceAccessRequests": asks });
    assert_eq!(put(&mut gateway, SECURITY, &security(json!("no"))).0, 400);
    assert_eq!(put(&mut gateway, SECURITY, &security(json!(false))).0, 200);
    assert!(!settings(&gateway).takes_requests);
    assert_eq!(asks(&mut gateway, "late"), 403);
    let status = read(&gateway.ask(Method::Get, "/skServer/loginStatus", &[], ""));
    assert_eq!(status["allowDeviceAccessRequests"], false);
    // Another change leaves it alone.
    assert_eq!(put(&mut gateway, SECURITY, &json!({ "allow_readonly": true })).0, 200);
    assert_eq!(get(&mut gateway, SECURITY)["allowDeviceAccessRequests"], false);
    assert_eq!(put(&mut gateway, SECURITY, &security(json!(true))).0, 200);
    assert_eq!(asks(&mut gateway, "late"), 202);
}

#[test]
fn a_device_that_was_let_in_gets_another_end() {
    let mut gateway = Owned::new();
    assert_eq!(asks(&mut gateway, "sensor"), 202);
    let approved = "/skServer/security/access/requests/sensor/approved";
    assert_eq!(put(&mut gateway, approved, &json!({ "permissions": "readonly" })).0, 200);
    let row = |gateway: &mut Owned| get(gateway, "/skServer/security/devices")[0].clone();
    assert_eq!(row(&mut gateway)["expires"], Value::Null);
    let device = "/skServer/security/devices/sensor";
    assert_eq!(put(&mut gateway, device, &json!({ "expiration": "30d" })).0, 200);
    let limited = row(&mut gateway);
    assert!(limited["expires"].is_string(), "{limited}");
    assert_eq!(limited["permissions"], "readonly");
    assert_eq!(put(&mut gateway, device, &json!({ "expiration": "soon" })).0, 400);
    assert_eq!(put(&mut gateway, device, &json!({ "permissions": "readwrite" })).0, 200);
    assert_eq!(row(&mut gateway)["expires"], limited["expires"], "what is not named stays");
    assert_eq!(put(&mut gateway, device, &json!({ "expiration": "NEVER" })).0, 200);
    assert_eq!(row(&mut gateway)["expires"], Value::Null);
}

#[test]
fn a_past_is_kept_from_now_on_and_no_more() {
    let mut gateway = Owned::new();
    let providers = |gateway: &mut Owned| get(gateway, "/signalk/v2/api/history/_providers");
    assert_eq!(get(&mut gateway, SETTINGS)["history"]["isKept"], false);
    assert_eq!(providers(&mut gateway), json!({}));
    let switch = |is_kept: Value| json!({ "history": { "isKept": is_kept } });
    assert_eq!(put(&mut gateway, SETTINGS, &switch(json!("yes"))).0, 400);
    assert_eq!(put(&mut gateway, SETTINGS, &switch(json!(true))).0, 200);
    assert_eq!(get(&mut gateway, SETTINGS)["history"]["isKept"], true);
    assert_ne!(providers(&mut gateway), json!({}));
    assert!(settings(&gateway).history.is_some());
    // Off, and what the owner has listed is there when it is on again.
    let own = json!({ "skiff": { "history": { "paths": ["navigation.position"], "hours": 2 } } });
    let key = Key::parse("skiff/settings.json").unwrap();
    gateway.storage.clone().replace(&key, own.to_string().as_bytes()).unwrap();
    assert_eq!(put(&mut gateway, SETTINGS, &switch(json!(false))).0, 200);
    assert_eq!(providers(&mut gateway), json!({}));
    assert!(settings(&gateway).history.is_none());
    assert_eq!(get(&mut gateway, SETTINGS)["history"]["isKept"], false);
    assert_eq!(put(&mut gateway, SETTINGS, &switch(json!(true))).0, 200);
    let kept = file(&gateway, "skiff/settings.json").unwrap();
    assert_eq!(kept["skiff"]["history"], json!({ "paths": ["navigation.position"], "hours": 2, "enabled": true }));
}

#[test]
fn what_may_be_sent_is_kept_and_said_to_wait() {
    let mut gateway = Owned::new();
    let first = get(&mut gateway, N2K);
    assert_eq!((&first["node"], &first["send"], &first["waits"]), (&json!(false), &json!([]), &json!(false)));
    let (status, words) = put(&mut gateway, N2K, &json!({ "send": ["environment.wind.*"] }));
    assert_eq!(status, 400);
    assert!(words["error"].as_str().unwrap().contains("send needs node.enabled"), "{words}");
    assert_eq!(file(&gateway, "skiff/n2k.json"), None, "nothing or all");
    let (status, kept) = put(&mut gateway, N2K, &json!({ "node": true, "send": ["environment.wind.*"] }));
    assert_eq!((status, &kept["node"], &kept["waits"]), (200, &json!(true), &json!(true)));
    // As the next start does.
    let config = N2kConfig::load(&mut gateway.storage.clone(), false).unwrap();
    gateway.boat.gateway.take_part(&config);
    let now = get(&mut gateway, N2K);
    assert_eq!((&now["node"], &now["waits"]), (&json!(true), &json!(false)));
    // Which paths are sent is no news to the bus.
    let (_, kept) = put(&mut gateway, N2K, &json!({ "send": ["environment.depth.*"] }));
    assert_eq!((&kept["send"], &kept["waits"]), (&json!(["environment.depth.*"]), &json!(false)));
    assert_eq!(gateway.as_owner(Method::Delete, N2K, &Value::Null).0, 405);
    assert_eq!(put(&mut gateway, N2K, &json!([])).0, 400);
}
