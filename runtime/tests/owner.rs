//! What needs the token, and what others are told instead.

mod boat;
mod guests;

use boat::Boat;
use guests::managed_guest;
use std::convert::Infallible;

use skiff_runtime::gateway::StreamOut;
use skiff_runtime::hal::sim::SimStorage;
use skiff_runtime::http::{Method, Request};
use skiff_runtime::server::Response;

const SECRET: &str = "password.txt";

/// A request of this machine, with the token where there is one.
fn request(method: Method, target: &str, token: &str, body: &str) -> Request {
    let mut request = Request::new(method, target);
    request.local = true;
    request.headers.push(("content-type".into(), "application/json".into()));
    if !token.is_empty() {
        request.headers.push(("authorization".into(), format!("Bearer {token}")));
    }
    request.body = body.into();
    request
}

fn ask(boat: &mut Boat, request: &Request) -> Response {
    let exchange = boat.gateway.request(request);
    boat.answer(exchange).expect("an answer")
}

fn get(boat: &mut Boat, target: &str, token: &str) -> (u16, String) {
    let response = ask(boat, &request(Method::Get, target, token, ""));
    (response.status, String::from_utf8(response.body.into_owned()).unwrap())
}

/// A plugin that starts with an error that has a name in it, or does not start, saying the same.
fn talking(then: &str) -> String {
    managed_guest(
        r#"(import "env" "sk_set_error" (func $error (param i32 i32)))"#,
        &format!(
            r#"(data (i32.const 1000) "{SECRET}")
               (func (export "plugin_name") (result i32) (i32.const 0))
               (func (export "plugin_schema") (result i32) (i32.const 0))
               (func (export "plugin_start") (param i32 i32) (result i32)
                   (call $error (i32.const 1000) (i32.const {}))
                   {then})
               (func (export "plugin_stop") (result i32) (i32.const 0))"#,
            SECRET.len()
        ),
    )
}

#[test]
fn what_a_plugin_said_when_it_failed_is_for_the_owner() {
    let (mut boat, token) = Boat::guarded(SimStorage::new());
    boat.install("talks", &talking("(i32.const 0)"));
    boat.install("fails", &talking("unreachable"));
    boat.settle();
    for target in ["/skServer/plugins", "/plugins"] {
        let (_, body) = get(&mut boat, target, &token);
        assert_eq!(body.matches(SECRET).count(), 3, "two messages and a reason: {body}");
        let (_, body) = get(&mut boat, target, "");
        assert!(!body.contains(SECRET) && body.contains(r#""reason":null"#), "{body}");
        assert!(body.contains(r#""statusMessage":"running","state":"running""#), "{body}");
        assert!(!body.contains(r#""statusMessage":"","#), "the state is told: {body}");
    }
    for (query, is_told) in [(String::new(), false), (format!("&token={token}"), true)] {
        let target = format!("/signalk/v1/stream?serverevents=all&subscribe=none{query}");
        let stream = boat.gateway.open_stream(&request(Method::Get, &target, "", "")).unwrap();
        boat.settle();
        let mut texts = String::new();
        while let StreamOut::Text(text) = boat.gateway.stream_next(stream) {
            texts.push_str(&text);
        }
        assert!(texts.contains(r#""type":"error","id":"talks""#), "{texts}");
        assert_eq!(texts.contains(SECRET), is_told, "{texts}");
    }
}

#[test]
fn a_request_is_judged_once_and_an_answer_at_hand_is_for_those_who_may_have_it() {
    let (mut boat, token) = Boat::guarded(SimStorage::new());
    let unauthorised = |boat: &Boat| {
        let status = boat.gateway.status_json();
        status.split_once(r#""unauthorised":"#).and_then(|(_, rest)| rest.split_once(',')).unwrap().0.to_owned()
    };
    let mut elsewhere = request(Method::Get, "/signalk/v1/api/", "", "");
    elsewhere.local = false;
    let refused = boat.gateway.request_unless(&elsewhere, || -> Option<Infallible> { panic!("it may not have it") });
    let Ok(exchange) = refused;
    assert_eq!(boat.answer(exchange).map(|response| response.status), Some(401));
    assert_eq!(unauthorised(&boat), "1", "counted once");
    let with_token = request(Method::Get, "/signalk/v1/api/", &token, "");
    assert_eq!(boat.gateway.request_unless(&with_token, || Some("at hand")), Err("at hand"));
    assert_eq!(ask(&mut boat, &with_token).status, 200);
    assert_eq!(unauthorised(&boat), "1");
}

const ZONES: &str = "/signalk/v1/api/vessels/self/a/b/meta/zones";

#[test]
fn the_owner_sets_zones_that_hold_after_a_restart() {
    let storage = SimStorage::new();
    let (mut boat, token) = Boat::guarded(storage.clone());
    let zones = r#"{"value":[{"lower":370,"state":"alarm","message":"too hot"}]}"#;
    assert_eq!(ask(&mut boat, &request(Method::Put, ZONES, "", zones)).status, 401);
    let done = ask(&mut boat, &request(Method::Put, ZONES, &token, zones));
    let body = String::from_utf8(done.body.into_owned()).unwrap();
    assert!(done.status == 200 && body.contains(r#""state":"COMPLETED""#) && body.contains(r#""href":"#), "{body}");
    for wrong in [r#"{"value":7}"#, r#"{"value":"x"}"#, r#"{"value":[{"lower":2,"upper":1,"state":"alarm"}]}"#] {
        assert_eq!(ask(&mut boat, &request(Method::Put, ZONES, &token, wrong)).status, 400, "{wrong}");
    }
    let other = ask(&mut boat, &request(Method::Put, "/signalk/v1/api/vessels/urn:x/a/b/meta/zones", &token, zones));
    assert_eq!(other.status, 405, "only the own vessel's");
    drop(boat);

    let (mut boat, token) = Boat::guarded(storage.clone());
    let (_, meta) = get(&mut boat, "/signalk/v1/api/vessels/self/a/b/meta", "");
    assert!(meta.contains(r#""zones":[{"lower":370,"#), "{meta}");
    let target = format!("/signalk/v1/stream?subscribe=none&token={token}");
    let stream = boat.gateway.open_stream(&request(Method::Get, &target, "", "")).unwrap();
    boat.gateway.stream_receive(stream, r#"{"updates":[{"values":[{"path":"a.b","value":380}]}]}"#);
    let state = "/signalk/v1/api/vessels/self/notifications/a/b/value/state";
    assert_eq!(get(&mut boat, state, ""), (200, r#""alarm""#.to_owned()));
    ask(&mut boat, &request(Method::Put, ZONES, &token, r#"{"value":[{"lower":400,"state":"alarm"}]}"#));
    assert_eq!(get(&mut boat, state, ""), (200, r#""normal""#.to_owned()), "judged at once");

    ask(&mut boat, &request(Method::Put, ZONES, &token, r#"{"value":[{"lower":300,"state":"warn"}]}"#));
    assert_eq!(get(&mut boat, state, "").1, r#""warn""#);
    assert_eq!(ask(&mut boat, &request(Method::Delete, ZONES, "", "")).status, 401);
    assert_eq!(ask(&mut boat, &request(Method::Delete, ZONES, &token, "")).status, 200);
    assert_eq!(get(&mut boat, state, "").1, r#""normal""#, "without zones nothing is raised");
    assert_eq!(ask(&mut boat, &request(Method::Delete, ZONES, &token, "")).status, 404);
    let (_, meta) = get(&mut boat, "/signalk/v1/api/vessels/self/a/b/meta", "");
    assert!(!meta.contains("zones"), "{meta}");

    storage.set_read_only(true);
    assert_eq!(ask(&mut boat, &request(Method::Put, ZONES, &token, zones)).status, 507);
    assert_eq!(get(&mut boat, state, "").1, r#""normal""#, "what cannot be kept is not set");
}

#[test]
fn a_delete_and_a_put_of_nobody_have_a_state() {
    let (mut boat, token) = Boat::guarded(SimStorage::new());
    let path = "/signalk/v1/api/vessels/self/a/b";
    assert_eq!(ask(&mut boat, &request(Method::Delete, path, "", "")).status, 401);
    for (method, body) in [(Method::Delete, ""), (Method::Put, r#"{"value":1}"#)] {
        let refused = ask(&mut boat, &request(method, path, &token, body));
        assert_eq!((refused.status, refused.header("allow")), (405, Some("GET, HEAD")));
        let text = String::from_utf8(refused.body.into_owned()).unwrap();
        assert!(text.starts_with(r#"{"state":"COMPLETED","requestId":""#), "{text}");
        let href = text.split_once(r#""href":""#).and_then(|(_, rest)| rest.split_once('"')).unwrap().0;
        assert!(get(&mut boat, href, "").1.contains(r#""statusCode":405"#));
    }
}

#[test]
fn a_path_with_an_empty_part_is_refused_at_every_door() {
    let (mut boat, token) = Boat::guarded(SimStorage::new());
    for path in ["a//b", "/a", "a..b", ".a", "a."] {
        let target = format!("/signalk/v1/api/vessels/self/{path}");
        let refused = ask(&mut boat, &request(Method::Put, &target, &token, r#"{"value":1}"#));
        let text = String::from_utf8(refused.body.into_owned()).unwrap();
        assert!(refused.status == 400 && text.contains("a path has an empty part"), "{path}: {text}");
        assert_eq!(get(&mut boat, &target, "").0, 404, "{path}");
    }
    let target = format!("/signalk/v1/stream?subscribe=none&token={token}");
    let stream = boat.gateway.open_stream(&request(Method::Get, &target, "", "")).unwrap();
    let mut say = |text: &str| {
        boat.gateway.stream_receive(stream, text);
        let mut last = String::new();
        while let StreamOut::Text(text) = boat.gateway.stream_next(stream) {
            last = text.to_string();
        }
        last
    };
    let empty_part = "a path has an empty part";
    assert!(say(r#"{"updates":[{"values":[{"path":"a..b","value":1}]}]}"#).contains(empty_part));
    assert!(say(r#"{"updates":[{"meta":[{"path":"a..b","value":{}}]}]}"#).contains(empty_part));
    assert!(say(r#"{"context":"vessels.self","subscribe":[{"path":"a..b"}]}"#).contains(empty_part));
    assert!(say(r#"{"requestId":"1","put":{"path":"a..b","value":1}}"#).contains(empty_part));
    say(r#"{"updates":[{"values":[{"path":"","value":{"name":"x","communication":{"c":"root values"}}}]}]}"#);
    assert_eq!(get(&mut boat, "/signalk/v1/api/vessels/self/communication/c", "").1, r#""root values""#);
}

#[test]
fn the_answer_for_a_value_says_how_old_it_is() {
    let (mut boat, token) = Boat::guarded(SimStorage::new());
    let target = format!("/signalk/v1/stream?subscribe=none&token={token}");
    let stream = boat.gateway.open_stream(&request(Method::Get, &target, "", "")).unwrap();
    boat.gateway.stream_receive(stream, r#"{"updates":[{"values":[{"path":"a.b","value":1}]}]}"#);
    boat.pass(12);
    for (path, age) in [("a/b", Some("12")), ("a/b/value", Some("12")), ("a", None), ("", None)] {
        let response = ask(&mut boat, &request(Method::Get, &format!("/signalk/v1/api/vessels/self/{path}"), "", ""));
        assert_eq!((response.status, response.header("skiff-age")), (200, age), "{path}");
    }
}
