//! Resources that the gateway keeps itself: what Freeboard-SK asks for, what is kept, told to streams, and refused.

mod boat;
mod guests;

use boat::Boat;
use skiff_runtime::gateway::{StreamId, StreamOut};
use skiff_runtime::hal::sim::SimStorage;
use skiff_runtime::hal::{Key, Storage};
use skiff_runtime::http::{Method, Request};
use skiff_runtime::json;
use skiff_runtime::stores::resources::{KINDS_MAX, RESOURCE_BYTES_MAX, RESOURCES_MAX};

const ROOT: &str = "/signalk/v2/api/resources";
const ID: &str = "ac3a3b2d-07e8-4f25-92bc-98e7c92f7f1a";
const HARBOUR: &str = r#"{"name":"Harbour","feature":{"type":"Feature","geometry":{"type":"Point","coordinates":[10.150,54.3250000001]},"properties":{}}}"#;

fn keeping(storage: SimStorage) -> Boat {
    let mut boat = Boat::with_storage(storage);
    boat.gateway
        .keep_resources(Box::new(|| vec![("harbour-chart".into(), r#"{"type":"tilelayer","name":"x"}"#.into())]));
    boat
}

fn send(boat: &mut Boat, method: Method, target: &str, body: &str) -> (u16, String) {
    let mut request = Request::new(method, target);
    request.body = body.into();
    let exchange = boat.gateway.request(&request);
    let response = boat.answer(exchange).expect("an answer at once");
    (response.status, String::from_utf8(response.body.into_owned()).unwrap())
}

fn ask(boat: &mut Boat, method: Method, below: &str, body: &str) -> (u16, String) {
    send(boat, method, &format!("{ROOT}{below}"), body)
}

fn get(boat: &mut Boat, below: &str) -> (u16, String) {
    ask(boat, Method::Get, below, "")
}

fn drain(boat: &mut Boat, stream: StreamId) -> String {
    boat.settle();
    let mut out = String::new();
    while let StreamOut::Text(text) = boat.gateway.stream_next(stream) {
        out.push_str(&format!("{text:?}").replace("\\\"", "\""));
    }
    out
}

fn member<'a>(text: &'a str, path: &[&str]) -> &'a str {
    path.iter().fold(text, |text, name| json::member(text, name).unwrap_or_default())
}

#[test]
fn a_waypoint_is_made_read_changed_and_deleted_as_on_the_server() {
    let storage = SimStorage::new();
    let mut boat = keeping(storage.clone());
    let (status, made) = ask(&mut boat, Method::Post, "/waypoints", HARBOUR);
    let id = member(&made, &["id"]).trim_matches('"').to_owned();
    assert_eq!((status, made), (201, format!(r#"{{"state":"COMPLETED","statusCode":201,"id":"{id}"}}"#)));
    let (status, read) = get(&mut boat, &format!("/waypoints/{id}"));
    assert_eq!((status, member(&read, &["$source"])), (200, r#""resources-provider""#));
    assert_eq!(member(&read, &["timestamp"]), r#""2025-11-24T16:00:00.000Z""#);
    assert_eq!(member(&read, &["feature", "geometry", "coordinates"]), "[10.15,54.3250000001]");
    let part = get(&mut boat, &format!("/waypoints/{id}/feature/geometry/type")).1;
    assert_eq!(member(&part, &["value"]), r#""Point""#);
    let put = ask(&mut boat, Method::Put, &format!("/waypoints/{ID}"), HARBOUR);
    assert_eq!(put, (200, format!(r#"{{"state":"COMPLETED","statusCode":200,"message":"{ID}"}}"#)));
    let mut again = keeping(storage);
    let (_, all) = get(&mut again, "/waypoints");
    assert!(all.contains(&id) && all.contains(ID), "kept over a restart: {all}");
    let deleted = ask(&mut again, Method::Delete, &format!("/waypoints/{id}"), "");
    assert_eq!(deleted, (200, format!(r#"{{"state":"COMPLETED","statusCode":200,"message":"{id}"}}"#)));
    assert_eq!(ask(&mut again, Method::Delete, &format!("/waypoints/{id}"), "").0, 404);
    assert_eq!(get(&mut again, &format!("/waypoints/{id}")).0, 404);
}

#[test]
fn the_types_are_listed_and_apps_make_their_own() {
    let storage = SimStorage::new();
    let mut boat = keeping(storage.clone());
    let (_, kinds) = get(&mut boat, "");
    for kind in ["charts", "notes", "regions", "routes", "waypoints"] {
        assert_eq!(member(&kinds, &[kind, "$source"]), r#""resources-provider""#, "{kinds}");
    }
    assert_eq!(member(&kinds, &["routes", "description"]), r#""Path containing route resources""#);
    assert_eq!(get(&mut boat, "/infolayers").0, 404);
    let config = "/plugins/resources-provider/_config";
    // What Freeboard-SK sends when a collection is not there.
    let make =
        |boat: &mut Boat| send(boat, Method::Post, &format!("{config}/infolayers"), r#"{"description":"layers"}"#);
    assert_eq!(make(&mut boat), (200, r#"{"state":"COMPLETED","statusCode":200,"message":"OK"}"#.into()));
    assert_eq!(make(&mut boat).0, 400, "there already");
    assert_eq!(send(&mut boat, Method::Post, &format!("{config}/Routes"), "").0, 400);
    assert_eq!(send(&mut boat, Method::Post, &format!("{config}/a%2Fb"), "").0, 400);
    assert_eq!(send(&mut boat, Method::Put, &format!("{config}/layers"), "").0, 405);
    assert_eq!(ask(&mut boat, Method::Put, "/infolayers/tides", r#"{"any":["thing"]}"#).0, 200);
    let mut again = keeping(storage);
    assert_eq!(member(&get(&mut again, "/infolayers").1, &["tides", "any"]), r#"["thing"]"#);
    let (_, listed) = send(&mut again, Method::Get, config, "");
    assert_eq!(member(&listed, &["custom"]), r#"[{"name":"infolayers","description":"layers"}]"#);
    assert_eq!(send(&mut again, Method::Delete, &format!("{config}/infolayers"), "").0, 200);
    assert_eq!(send(&mut again, Method::Delete, &format!("{config}/infolayers"), "").0, 400);
    assert_eq!(get(&mut again, "/infolayers").0, 200, "its files are there still");
}

#[test]
fn collections_have_a_limit_and_never_push_out_the_standard_ones() {
    let mut boat = keeping(SimStorage::new());
    let refused = (0..KINDS_MAX).find_map(|count| {
        let made = send(&mut boat, Method::Post, &format!("/plugins/resources-provider/_config/a{count}"), "");
        (made.0 != 200).then_some((count, made))
    });
    let Some((27, (507, text))) = refused else { panic!("{refused:?}") };
    assert!(text.contains("32"), "{text}");
    assert_eq!(get(&mut boat, "/waypoints").0, 200);
}

#[test]
fn each_change_is_told_to_streams_by_a_delta() {
    let mut boat = keeping(SimStorage::new());
    let stream = boat.gateway.open_stream(&Request::new(Method::Get, "/signalk/v1/stream?subscribe=all")).unwrap();
    drain(&mut boat, stream);
    assert_eq!(ask(&mut boat, Method::Put, &format!("/waypoints/{ID}"), HARBOUR).0, 200);
    let told = drain(&mut boat, stream);
    assert!(told.contains(&format!(r#""path":"resources.waypoints.{ID}","value":{{"name":"Harbour""#)), "{told}");
    assert!(told.contains(r#""$source":"resources-provider""#), "{told}");
    assert_eq!(ask(&mut boat, Method::Delete, &format!("/waypoints/{ID}"), "").0, 200);
    assert!(drain(&mut boat, stream).contains(&format!(r#""path":"resources.waypoints.{ID}","value":null"#)));
    assert_eq!(ask(&mut boat, Method::Put, &format!("/waypoints/{ID}"), "{}").0, 400);
    assert_eq!(drain(&mut boat, stream), "", "nothing changed");
}

#[test]
fn a_folder_of_signal_k_server_is_served_and_left_as_it_is() {
    let mut storage = SimStorage::new();
    let old = Key::parse(&format!("resources/notes/{ID}")).unwrap();
    let note = br#"{"title":"Reef","position":{"latitude":54.5,"longitude":10.5},"href":"/resources/regions/x"}"#;
    storage.replace(&old, note).unwrap();
    storage.replace(&Key::parse("resources/notes/half").unwrap(), b"{\"title\":").unwrap();
    storage.replace(&Key::parse("resources/fishing/spot").unwrap(), b"{}").unwrap();
    let mut boat = keeping(storage.clone());
    for (query, count) in [
        ("", 1),
        ("?bbox=[10,54,11,55]&zoom=10", 1),
        ("?bbox=[11,54,12,55]", 0),
        ("?position=[10.5,54.5]&distance=1000&limit=5", 1),
        ("?position=[10.5,53.5]&distance=1000", 0),
        ("?href=/resources/regions/x", 1),
        ("?href=/resources/routes/x", 0),
    ] {
        let (status, list) = get(&mut boat, &format!("/notes{query}"));
        assert_eq!((status, list.matches("Reef").count()), (200, count), "{query}: {list}");
    }
    assert_eq!(get(&mut boat, "/notes?limit=0").0, 400);
    assert_eq!(get(&mut boat, "/fishing").1, r#"{"spot":{"$source":"resources-provider"}}"#);
    assert_eq!(ask(&mut boat, Method::Delete, &format!("/notes/{ID}"), "").0, 200);
    assert_eq!(get(&mut boat, "/notes").1, "{}");
    assert_eq!(get(&mut keeping(storage.clone()), "/notes").1, "{}", "deleted for good");
    assert_eq!(storage.read_all(&old, 1000).unwrap(), note);
}

#[test]
fn what_is_wrong_or_too_much_is_refused_with_numbers_and_changes_nothing() {
    let mut storage = SimStorage::with_capacity(16 * 1024 * 1024);
    let mut boat = keeping(storage.clone());
    let long = HARBOUR.replace("Harbour", &"x".repeat(RESOURCE_BYTES_MAX as usize));
    for (method, below, body, status) in [
        (Method::Post, "/waypoints", r#"{"name":"nowhere"}"#, 400),
        (Method::Post, "/waypoints", "[1]", 400),
        (Method::Post, "/waypoints", "{", 400),
        (Method::Post, "/routes", HARBOUR, 400),
        (Method::Post, "/waypoints", &long, 413),
        (Method::Post, "/unknown", "{}", 404),
        (Method::Put, "/waypoints/7", HARBOUR, 400),
        (Method::Put, "/waypoints/%2e%2e%2fx", HARBOUR, 400),
        (Method::Put, "/charts/harbour-chart", r#"{"identifier":"x","type":"tilelayer"}"#, 405),
        (Method::Delete, "/charts/harbour-chart", "", 405),
        (Method::Delete, "/waypoints", "", 405),
    ] {
        let (answered, text) = ask(&mut boat, method, below, body);
        assert_eq!(answered, status, "{method} {below}: {text}");
        assert!(text.contains("FAILED") || status == 405, "{text}");
    }
    assert_eq!(get(&mut boat, "/waypoints").1, "{}");
    assert!(ask(&mut boat, Method::Post, "/waypoints", &long).1.contains("524288"), "tells the limit");
    let charts = r#"{"harbour-chart":{"type":"tilelayer","name":"x"}}"#;
    assert_eq!(get(&mut boat, "/charts").1, charts);
    assert_eq!(send(&mut boat, Method::Get, "/signalk/v1/api/resources/charts", "").1, charts);
    assert_eq!(send(&mut boat, Method::Get, "/signalk/v1/api/resources/routes", "").0, 404);
    for count in 0..RESOURCES_MAX {
        storage.replace(&Key::parse(&format!("resources/waypoints/{count}")).unwrap(), b"{}").unwrap();
    }
    let (status, text) = ask(&mut boat, Method::Post, "/waypoints", HARBOUR);
    assert!(status == 507 && text.contains("4096"), "{text}");
    let mut full = keeping(SimStorage::with_capacity(64));
    assert_eq!(ask(&mut full, Method::Post, "/waypoints", HARBOUR).0, 507);
}

#[test]
fn a_plugin_comes_first_and_the_operator_chooses() {
    let mut boat = keeping(SimStorage::new());
    let guest = guests::managed_guest(
        r#"(import "env" "sk_register_resource_provider" (func $resources (param i32 i32) (result i32)))"#,
        r#"(data (i32.const 100) "routes")
           (func (export "plugin_name") (result i32) (i32.const 0))
           (func (export "plugin_schema") (result i32) (i32.const 0))
           (func (export "plugin_start") (param i32) (result i32)
               (drop (call $resources (i32.const 100) (i32.const 6))) (i32.const 0))"#,
    );
    boat.install("@acme/routes", &guest);
    boat.settle();
    let providers = get(&mut boat, "/routes/_providers").1;
    assert_eq!(providers, r#"["@acme/routes","resources-provider"]"#);
    let choice = "/routes/_providers/_default/resources-provider";
    assert_eq!(ask(&mut boat, Method::Post, choice, "").0, 201);
    assert_eq!(get(&mut boat, "/routes/_providers/_default").1, r#""resources-provider""#);
    let route = r#"{"feature":{"type":"Feature","geometry":{"type":"LineString","coordinates":[[1,2],[3,4]]}}}"#;
    assert_eq!(ask(&mut boat, Method::Put, &format!("/routes/{ID}"), route).0, 200);
    let (status, list) = get(&mut boat, "/routes?provider=resources-provider");
    assert!(status == 200 && list.contains(ID), "{list}");
}

#[test]
fn a_change_needs_a_token_and_a_reader_none_of_it() {
    let (mut boat, token) = Boat::guarded(SimStorage::new());
    boat.gateway.keep_resources(Box::new(Vec::new));
    assert_eq!(ask(&mut boat, Method::Post, "/waypoints", HARBOUR).0, 401);
    let mut request = Request::new(Method::Post, &format!("{ROOT}/waypoints"));
    request.headers.push(("authorization".into(), format!("Bearer {token}")));
    request.body = HARBOUR.into();
    let exchange = boat.gateway.request(&request);
    assert_eq!(boat.answer(exchange).unwrap().status, 201);
}

#[test]
fn a_gateway_that_keeps_none_says_so() {
    let mut boat = Boat::with_storage(SimStorage::new());
    assert_eq!(get(&mut boat, "").1, "{}");
    assert_eq!(get(&mut boat, "/routes").0, 404);
}
