//! What apps keep on the gateway is there again, whole, after a restart; what is wrong or too much is refused.

mod boat;
mod guests;

use boat::Boat;
use skiff_runtime::hal::sim::SimStorage;
use skiff_runtime::hal::{Key, Storage};
use skiff_runtime::http::{Method, Request};
use skiff_runtime::stores::FILE_BYTES_MAX;

const ROOT: &str = "/signalk/v1/applicationData";

fn ask(boat: &mut Boat, method: Method, below: &str, body: &str) -> (u16, String) {
    let mut request = Request::new(method, &format!("{ROOT}/{below}"));
    request.body = body.into();
    let exchange = boat.gateway.request(&request);
    let response = boat.answer(exchange).expect("an answer at once");
    (response.status, String::from_utf8(response.body.into_owned()).unwrap())
}

fn get(boat: &mut Boat, below: &str) -> (u16, String) {
    ask(boat, Method::Get, below, "")
}

fn saved() -> (u16, String) {
    (200, "\"ApplicationData saved\"".into())
}

#[test]
fn a_document_is_kept_by_path_by_patch_and_whole() {
    let storage = SimStorage::new();
    let mut boat = Boat::with_storage(storage.clone());
    assert_eq!(get(&mut boat, "user/kip/1.0"), (200, "{}".into()));
    assert_eq!(ask(&mut boat, Method::Post, "user/kip/1.0", r#"{"z":0.1000,"a":[1]}"#), saved());
    assert_eq!(ask(&mut boat, Method::Post, "user/kip/1.0/theme/night", r#"{"on":true}"#), saved());
    let patch = r#"[{"op":"add","path":"/a/-","value":2.5e-310},{"op":"move","from":"/z","path":"/y"}]"#;
    assert_eq!(ask(&mut boat, Method::Post, "user/kip/1.0.0", patch), saved());
    assert_eq!(get(&mut boat, "user/kip/1/theme.night"), (200, r#"{"on":true}"#.into()));
    assert_eq!(get(&mut boat, "user/kip/1.0.0?keys=true"), (200, r#"["a","theme","y"]"#.into()));
    assert_eq!(get(&mut boat, "user/kip"), (200, r#"["1.0.0"]"#.into()));
    assert_eq!(get(&mut boat, "global/kip").0, 404);
    let mut again = Boat::with_storage(storage);
    let kept = r#"{"a":[1,2.5e-310],"theme":{"night":{"on":true}},"y":0.1}"#;
    assert_eq!(get(&mut again, "user/kip/1.0.0"), (200, kept.into()));
}

#[test]
fn documents_of_a_signal_k_folder_are_read_and_never_written() {
    let mut storage = SimStorage::new();
    let old = Key::parse("applicationData/global/freeboard/1.0.0.json").unwrap();
    storage.replace(&old, b"{\n  \"zoom\": 12\n}").unwrap();
    let mut boat = Boat::with_storage(storage.clone());
    assert_eq!(get(&mut boat, "global/freeboard/1.0.0/zoom"), (200, "12".into()));
    assert_eq!(ask(&mut boat, Method::Post, "global/freeboard/1.0.0/zoom", "7"), saved());
    assert_eq!(get(&mut boat, "global/freeboard/1.0.0"), (200, r#"{"zoom":7}"#.into()));
    assert_eq!(get(&mut boat, "global/freeboard"), (200, r#"["1.0.0"]"#.into()));
    assert_eq!(storage.read_all(&old, 100).unwrap(), b"{\n  \"zoom\": 12\n}");
}

#[test]
fn what_is_wrong_or_too_much_changes_nothing() {
    let mut boat = Boat::new();
    assert_eq!(ask(&mut boat, Method::Post, "global/a/1", r#"{"x":1}"#), saved());
    let long = format!("\"{}\"", "x".repeat(FILE_BYTES_MAX as usize));
    for (below, body, status) in [
        ("global/__proto__/1", "{}", 400),
        ("global/%2e%2e/1", "{}", 400),
        ("global/a%2Fb/1", "{}", 400),
        ("global/a/beta", "{}", 400),
        ("global/a/1/__proto__/y", "{}", 400),
        ("global/a/1", "{", 400),
        ("global/a/1", r#"[{"op":"remove","path":"/x"},{"op":"test","path":"/x","value":1}]"#, 400),
        ("global/a/1/x/y", &long, 413),
        ("device/a/1", "{}", 404),
    ] {
        assert_eq!(ask(&mut boat, Method::Post, below, body).0, status, "{below}");
    }
    assert_eq!(ask(&mut boat, Method::Delete, "global/a/1", "").0, 405);
    assert_eq!(get(&mut boat, "global/a/1"), (200, r#"{"x":1}"#.into()));
    assert_eq!(get(&mut boat, "global/a/1/y").0, 404);
}

#[test]
fn a_full_storage_is_told_and_a_change_needs_a_token() {
    let mut boat = Boat::with_storage(SimStorage::with_capacity(64));
    assert_eq!(ask(&mut boat, Method::Post, "global/a/1", &format!("\"{}\"", "x".repeat(100))).0, 507);
    let (mut boat, _) = Boat::guarded(SimStorage::new());
    assert_eq!(ask(&mut boat, Method::Post, "global/a/1", "{}").0, 401);
}
