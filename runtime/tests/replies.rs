//! Whoever asks a plugin gets exactly one reply: when it fetches, is slow, crashes or stops meanwhile.

mod boat;
mod guests;

use boat::{Boat, fetching};
use guests::{buffer_guest, managed_guest};
use std::collections::BTreeMap;
use std::time::Duration;

use skiff_runtime::hal::sim::SimStorage;
use skiff_runtime::hal::{Key, Storage};
use skiff_runtime::http::{Method, Request};
use skiff_runtime::plugin::{ExchangeId, PluginState};
use skiff_runtime::server::Response;

/// Lays a text down as a managed string; its pointer is 8 bytes behind `at`.
fn managed(at: u32, text: &str) -> String {
    let bytes: String = text.encode_utf16().flat_map(u16::to_le_bytes).map(|byte| format!("\\{byte:02x}")).collect();
    let length: String = (text.len() as u32 * 2).to_le_bytes().iter().map(|byte| format!("\\{byte:02x}")).collect();
    format!("(data (i32.const {at}) \"\\02\\00\\00\\00{length}{bytes}\")")
}

fn request(method: Method, target: &str, body: &str) -> Request {
    let mut request = Request::new(method, target);
    request.headers.push(("content-type".into(), "application/json".into()));
    request.body = body.into();
    request.local = true;
    request
}

/// Collects every response there is; an exchange that was answered twice fails the test.
fn responses(boat: &mut Boat, found: &mut BTreeMap<ExchangeId, Response>) {
    boat.settle();
    while let Some((exchange, response)) = boat.gateway.next_response() {
        assert!(found.insert(exchange, response).is_none(), "{exchange:?} was answered twice");
    }
}

/// Returns the first path of a delta.
fn first_path(delta: &str) -> String {
    delta.split_once("\"path\":\"").and_then(|(_, rest)| rest.split_once('"')).map(|(path, _)| path.to_owned()).unwrap()
}

const PUT_PATH: &str = "/signalk/v1/api/vessels/self/a/b";
/// Answers to everything a guest of these tests is asked for.
const ENDPOINTS: &str = r#"[{"method":"GET","path":"/x","handler":"x"},{"method":"GET","path":"/","handler":"x"},{"method":"POST","path":"/config","handler":"x"}]"#;

/// A plugin with a PUT handler, a resource provider and an endpoint, each of which runs `$work` first.
fn offering(work: &str) -> String {
    let texts = [
        managed(2000, ENDPOINTS),
        managed(3000, r#"{"state":"COMPLETED","statusCode":200}"#),
        managed(3200, r#"{"harbour":{"name":"Made up"}}"#),
        managed(3400, r#"{"statusCode":200,"body":"done"}"#),
    ];
    fetching(&format!(
        r#"{}
           (data (i32.const 1900) "vessels.selfa.bharbours")
           (func (export "plugin_start") (param i32 i32) (result i32)
               (drop (call $put (i32.const 1900) (i32.const 12) (i32.const 1912) (i32.const 3)))
               (drop (call $resources (i32.const 1915) (i32.const 8)))
               (i32.const 0))
           (func (export "plugin_stop") (result i32) (i32.const 0))
           (func $work {work})
           (func (export "http_endpoints") (result i32) (i32.const 2008))
           (func (export "handle_put_vessels_self_a_b") (param i32) (result i32) (call $work) (i32.const 3008))
           (func (export "resources_list_resources") (param i32) (result i32) (call $work) (i32.const 3208))
           (func (export "x") (param i32 i32) (result i32) (call $work) (i32.const 3408))"#,
        texts.concat()
    ))
}

/// Asks for each of the three things.
fn ask_everything(boat: &mut Boat) -> [ExchangeId; 3] {
    [
        request(Method::Put, PUT_PATH, r#"{"value":1}"#),
        request(Method::Get, "/signalk/v2/api/resources/harbours", ""),
        request(Method::Get, "/plugins/offers/x", ""),
    ]
    .map(|request| boat.gateway.request(&request))
}

#[test]
fn handlers_that_fetch_answer_once_the_answer_is_there() {
    let mut boat = Boat::new();
    boat.web.serve_after("http://sea.example/w", Duration::from_secs(1), 200, b"100");
    boat.install("offers", &offering("(drop (call $fetch (i32.const 119)))"));
    boat.settle();
    let (asked, mut found) = (ask_everything(&mut boat), BTreeMap::new());
    responses(&mut boat, &mut found);
    assert!(found.is_empty(), "all three wait for the network");
    for _ in 0..4 {
        boat.pass(1);
        responses(&mut boat, &mut found);
    }
    let bodies: Vec<_> =
        asked.iter().map(|id| (found[id].status, String::from_utf8_lossy(&found[id].body).into_owned())).collect();
    assert_eq!(bodies[0].0, 200, "{bodies:?}");
    assert!(bodies[1].1.contains("Made up") && bodies[2].1 == "done", "{bodies:?}");
}

#[test]
fn a_crash_answers_everyone_who_waits_exactly_once() {
    let mut boat = Boat::new();
    boat.install("offers", &offering("unreachable"));
    boat.settle();
    let (asked, mut found) = (ask_everything(&mut boat), BTreeMap::new());
    for _ in 0..60 {
        responses(&mut boat, &mut found);
        boat.pass(1);
    }
    // Each handler traps: that is the fault of its request, and a fresh instance answers the next.
    let statuses = asked.map(|id| found[&id].status);
    assert_eq!((statuses[0], statuses[2]), (500, 500), "{statuses:?}");
    assert_eq!(found.len(), 3);
    assert_eq!(boat.plugin("offers").state(), PluginState::Running);
}

#[test]
fn a_damaged_configuration_is_a_row_and_is_kept_aside() {
    let mut storage = SimStorage::new();
    let key = |file: &str| Key::parse(&format!("plugin-config-data/offers.json{file}")).unwrap();
    storage.replace(&key(""), b"{\"enabled\":tr").unwrap();
    let mut boat = Boat::with_storage(storage.clone());
    boat.install("offers", &offering(""));
    boat.settle();
    let plugin = boat.plugin("offers");
    assert_eq!(plugin.state(), PluginState::Error);
    let reason = plugin.reason().unwrap_or_default();
    assert!(reason.contains("plugin-config-data/offers.json: not a JSON object"), "{reason}");
    let configured = boat.gateway.request(&request(Method::Post, "/plugins/offers/config", r#"{"enabled":true}"#));
    let mut found = BTreeMap::new();
    for _ in 0..5 {
        responses(&mut boat, &mut found);
        boat.pass(1);
    }
    assert_eq!(found[&configured].status, 200);
    assert_eq!(boat.plugin("offers").state(), PluginState::Running);
    assert_eq!(storage.read_all(&key(".damaged"), 100).unwrap(), b"{\"enabled\":tr");
}

#[test]
fn a_handler_that_traps_takes_nothing_else_from_its_plugin() {
    let mut boat = Boat::new();
    boat.install("offers", &offering("unreachable"));
    boat.settle();
    let mut statuses = Vec::new();
    for _ in 0..40 {
        let asked = boat.gateway.request(&request(Method::Get, "/plugins/offers/x", ""));
        let mut found = BTreeMap::new();
        responses(&mut boat, &mut found);
        statuses.push(found[&asked].status);
        let state = boat.plugin("offers").state();
        assert!(matches!(state, PluginState::Running), "{state:?} after {statuses:?}");
        boat.pass(1);
    }
    let failed = statuses.iter().filter(|status| **status == 500).count();
    assert_eq!((failed, statuses[0]), (6, 500), "at 0, 1, 3, 7, 15 and 31 s: {statuses:?}");
    assert!(statuses.iter().all(|status| matches!(status, 500 | 503)), "{statuses:?}");
    assert_eq!(boat.plugin("offers").restarts(), 0, "no crash of its own");
}

#[test]
fn stopping_a_plugin_answers_everyone_who_waits_exactly_once() {
    let mut boat = Boat::new();
    boat.web.serve_after("http://sea.example/w", Duration::from_secs(20), 200, b"100");
    boat.install("offers", &offering("(drop (call $fetch (i32.const 119)))"));
    boat.settle();
    let (asked, mut found) = (ask_everything(&mut boat), BTreeMap::new());
    responses(&mut boat, &mut found);
    let stop = boat.gateway.request(&request(Method::Post, "/plugins/offers/config", r#"{"enabled":false}"#));
    for _ in 0..60 {
        responses(&mut boat, &mut found);
        boat.pass(1);
    }
    assert_eq!(found[&stop].status, 200);
    assert_eq!(found.len(), 4, "{asked:?}");
    assert_eq!(boat.plugin("offers").state(), PluginState::Stopped);
}

#[test]
fn a_slow_put_is_accepted_after_five_seconds_and_ends_after_forty_five() {
    let mut boat = Boat::new();
    boat.web.serve_after("http://sea.example/w", Duration::from_secs(25), 200, b"100");
    // Two requests one after the other: fifty seconds.
    boat.install("offers", &offering("(drop (call $fetch (i32.const 119))) (drop (call $fetch (i32.const 119)))"));
    boat.settle();
    let put = boat.gateway.request(&request(Method::Put, PUT_PATH, r#"{"value":1}"#));
    let mut found = BTreeMap::new();
    boat.pass(4);
    responses(&mut boat, &mut found);
    assert!(found.is_empty());
    boat.pass(1);
    responses(&mut boat, &mut found);
    let accepted = String::from_utf8(found[&put].body.to_vec()).unwrap();
    assert_eq!(found[&put].status, 202, "{accepted}");
    let href = skiff_runtime::json::member(&accepted, "href").unwrap().trim_matches('"').to_owned();
    let mut state = |boat: &mut Boat| {
        let asked = boat.gateway.request(&request(Method::Get, &href, ""));
        responses(boat, &mut found);
        String::from_utf8(found[&asked].body.to_vec()).unwrap()
    };
    boat.pass(35);
    assert!(state(&mut boat).contains("\"PENDING\""));
    boat.pass(6);
    let ended = state(&mut boat);
    assert!(ended.contains("\"COMPLETED\"") && ended.contains("504"), "{ended}");
    // The late answer of the plugin changes nothing any more.
    boat.pass(20);
    assert_eq!(state(&mut boat), ended);
}

#[test]
fn clients_are_told_when_a_put_handler_comes_and_goes() {
    let mut boat = Boat::new();
    boat.install("offers", &offering(""));
    boat.settle();
    let meta = |text: &str| text.contains("\"supportsPut\":true");
    assert_eq!(boat.emitted.iter().filter(|text| meta(text)).count(), 1, "{:?}", boat.emitted);
    boat.emitted.clear();
    boat.gateway.request(&request(Method::Post, "/plugins/offers/config", r#"{"enabled":false}"#));
    boat.settle();
    let told: Vec<_> = boat.emitted.iter().filter(|text| text.contains("supportsPut")).collect();
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].contains("\"path\":\"a.b\"") && told[0].contains("\"supportsPut\":false"), "{told:?}");
}

#[test]
fn clients_are_told_which_put_handlers_another_version_has_no_more() {
    // The same plugin but for its handler's path, and one that fails to start.
    let elsewhere = offering("").replace("vessels.selfa.bharbours", "vessels.selfc.dharbours");
    let broken = offering("")
        .replace("(i32.const 8)))\n               (i32.const 0))", "(i32.const 8)))\n               unreachable)");
    assert_ne!(broken, offering(""));
    let mut boat = Boat::new();
    boat.install("offers", &offering(""));
    boat.settle();
    let told = |boat: &mut Boat, guest: &str| {
        boat.emitted.clear();
        boat.replace("offers", guest);
        assert_eq!(boat.plugin("offers").state(), PluginState::Running);
        let about = |text: &&String| text.contains("supportsPut");
        boat.emitted.iter().filter(about).map(|text| (first_path(text), text.contains("true"))).collect::<Vec<_>>()
    };
    let (had, has) = (|path: &str| (path.to_owned(), false), |path: &str| (path.to_owned(), true));
    assert_eq!(told(&mut boat, &elsewhere), [has("c.d"), had("a.b")]);
    // A version that has the same handler takes nothing away.
    assert!(!told(&mut boat, &elsewhere).contains(&had("c.d")));
    // One that does not come up, neither.
    assert!(!told(&mut boat, &broken).contains(&had("c.d")));
}

#[test]
fn the_routes_of_administration_cannot_be_taken() {
    let mut boat = Boat::new();
    boat.install("offers", &offering(""));
    boat.settle();
    let mut found = BTreeMap::new();
    let top = boat.gateway.request(&request(Method::Get, "/plugins/offers/", ""));
    let config = boat.gateway.request(&request(Method::Post, "/plugins/offers/config", r#"{"configuration":{"a":1}}"#));
    let own = boat.gateway.request(&request(Method::Get, "/plugins/offers/x", ""));
    for _ in 0..3 {
        boat.pass(1);
        responses(&mut boat, &mut found);
    }
    let body = |id: &ExchangeId| String::from_utf8_lossy(&found[id].body).into_owned();
    assert!(body(&top).contains("\"enabled\":true"), "{}", body(&top));
    assert!(!body(&config).contains("done"), "{}", body(&config));
    let stored = boat.gateway.request(&request(Method::Get, "/plugins/offers/config", ""));
    responses(&mut boat, &mut found);
    let body = |id: &ExchangeId| String::from_utf8_lossy(&found[id].body).into_owned();
    assert!(body(&stored).contains("{\"a\":1}"), "{}", body(&stored));
    assert_ne!(found[&own].status, 404);
}

#[test]
fn a_gateway_whose_plugins_all_fail_serves_its_clients() {
    let mut boat = Boat::new();
    let starts = |body: &str| format!(r#"(func (export "plugin_start") (param i32 i32) (result i32) {body})"#);
    boat.install("refuses", &buffer_guest("", &starts("(i32.const 7)")));
    boat.install("traps", &buffer_guest("", &starts("unreachable")));
    boat.install("loops", &buffer_guest("", &starts("(loop $l (br $l)) (i32.const 0)")));
    boat.install("nothing", "(module)");
    boat.install("strange", &managed_guest("", r#"(func (export "plugin_name") (result i32) unreachable)"#));
    let mut found = BTreeMap::new();
    for _ in 0..40 {
        boat.pass(1);
        responses(&mut boat, &mut found);
    }
    for id in ["refuses", "traps", "loops", "nothing", "strange"] {
        let plugin = boat.plugin(id);
        assert!(matches!(plugin.state(), PluginState::Error | PluginState::Crashed), "{id}: {:?}", plugin.state());
    }
    let list = boat.gateway.request(&request(Method::Get, "/skServer/plugins", ""));
    let root = boat.gateway.request(&request(Method::Get, "/signalk", ""));
    responses(&mut boat, &mut found);
    assert_eq!((found[&list].status, found[&root].status), (200, 200));
}
