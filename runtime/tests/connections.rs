//! Connections as an admin changes them: what reaches the HAL, what is kept, inputs that come and go, sources that are removed.

mod boat;
mod guests;
mod owned;

use boat::Boat;
use owned::{Owned, read};
use serde_json::{Value, json};
use skiff_runtime::gateway::{BoardParts, ConnectionForm, ConnectionWish};
use skiff_runtime::hal::sim::{PowerCut, SimStorage, Survivor};
use skiff_runtime::hal::{Key, Storage};
use skiff_runtime::http::Method;
use skiff_runtime::server::Response;

const DEPTH: &str = "$IIDBT,32.0,f,9.8,M,5.3,F*27";

fn kept() -> Owned {
    let mut gateway = Owned::new();
    gateway.boat.gateway.attach(BoardParts { connections: true, ..BoardParts::default() });
    gateway
}

#[test]
fn each_wish_reaches_who_keeps_the_connections_and_is_answered_by_it() {
    use ConnectionForm::{AdminUi, Own};
    let mut gateway = kept();
    let body = || Box::<str>::from(r#"{"url":"x"}"#);
    for (method, target, wish) in [
        (Method::Get, "/skiff/v1/connections", ConnectionWish::List(Own)),
        (Method::Post, "/skiff/v1/connections", ConnectionWish::Add(Own, body())),
        (Method::Put, "/skiff/v1/connections/input.a%2Fb", ConnectionWish::Change(Own, "input.a/b".into(), body())),
        (Method::Delete, "/skiff/v1/connections/output.x", ConnectionWish::Remove(Own, "output.x".into())),
        (Method::Post, "/skiff/v1/connections/test", ConnectionWish::Test(body())),
        (Method::Get, "/skServer/providers", ConnectionWish::List(AdminUi)),
        (Method::Post, "/skServer/providers/", ConnectionWish::Add(AdminUi, body())),
        (Method::Put, "/skServer/providers/x", ConnectionWish::Change(AdminUi, "x".into(), body())),
        (Method::Delete, "/skServer/providers/x", ConnectionWish::Remove(AdminUi, "x".into())),
        (Method::Put, "/skServer/runDiscovery", ConnectionWish::Discover),
        (Method::Post, "/skServer/testSignalKConnection", ConnectionWish::Server(body())),
        (Method::Post, "/skServer/requestAccess", ConnectionWish::AskAccess(body())),
        (Method::Post, "/skServer/checkAccessRequest", ConnectionWish::CheckAccess(body())),
    ] {
        let exchange = gateway.send_as_owner(method, target, &json!({ "url": "x" }));
        let (asked, wished) = gateway.boat.gateway.next_wish().expect(target);
        assert_eq!((asked, wished), (exchange, wish), "{target}");
        assert!(gateway.boat.answer(exchange).is_none(), "it waits");
        gateway.boat.gateway.answer_wish(exchange, Response::json(200, "[]"));
        assert_eq!(gateway.boat.answer(exchange).map(|answer| answer.status), Some(200), "{target}");
        // Once.
        gateway.boat.gateway.answer_wish(exchange, Response::json(200, "[]"));
        assert!(gateway.boat.answer(exchange).is_none(), "{target}");
    }
    for (method, target, status) in [
        (Method::Patch, "/skiff/v1/connections", 405),
        (Method::Get, "/skiff/v1/connections/test", 405),
        (Method::Post, "/skiff/v1/connections/input.x", 405),
        (Method::Get, "/skiff/v1/connections/input.x/y", 404),
        (Method::Put, "/skiff/v1/connections/%ff", 404),
    ] {
        assert_eq!(gateway.as_owner(method, target, &json!({})).0, status, "{target}");
    }
    assert!(gateway.boat.gateway.next_wish().is_none());
}

#[test]
fn who_keeps_none_shows_the_inputs_and_changes_nothing() {
    let mut gateway = Owned::new();
    gateway.boat.gateway.input("gps");
    let rows = gateway.as_owner(Method::Get, "/skServer/providers", &json!({})).1;
    assert_eq!((&rows[0]["id"], &rows[0]["editable"]), (&json!("gps"), &json!(false)));
    let (status, refused) = gateway.as_owner(Method::Post, "/skiff/v1/connections", &json!({}));
    assert!(status == 501 && refused["error"].as_str().unwrap().contains("skiff run"), "{refused}");
}

#[test]
fn an_input_that_goes_while_it_sends_leaves_its_counts_and_nothing_comes_of_it_any_more() {
    let mut boat = Boat::new();
    let [gps, wind] = ["gps", "wind"].map(|label| boat.gateway.input(label));
    boat.gateway.receive_sentence(gps, DEPTH, None);
    boat.gateway.receive_sentence(wind, "$IIMTW,17.75,C*27", None);
    boat.gateway.set_input_lost(gps, 5);
    let status = |boat: &Boat| serde_json::from_str::<Value>(&boat.gateway.status_json()).unwrap();
    let before = status(&boat);
    boat.gateway.remove_input(gps);
    // What was on its way.
    boat.gateway.receive_sentence(gps, DEPTH, None);
    boat.gateway.count_bad_line(gps);
    boat.gateway.remove_input(gps);
    assert_eq!(boat.gateway.input_status(gps), None);
    let after = status(&boat);
    assert_eq!(after["deltas"], before["deltas"], "totals stay");
    assert_eq!((after["inputs"].as_array().unwrap().len(), &after["inputs"][0]["label"]), (1, &json!("wind")));
    // The other has its number still, and the next one gets none that was.
    boat.gateway.receive_sentence(wind, "$IIMTW,18.75,C*28", None);
    let next = boat.gateway.input("next");
    assert!(next != gps && next != wind);
    boat.gateway.receive_sentence(next, DEPTH, None);
    let last = status(&boat);
    assert_eq!((&last["inputs"][0]["sentences"], &last["inputs"][1]["sentences"]), (&json!(2), &json!(1)));
    // What it told goes when that is wished, and not what another one with a longer name told.
    let longer = boat.gateway.input("gps2");
    boat.gateway.receive_sentence(longer, DEPTH, None);
    boat.gateway.forget_label("gps");
    let sources = boat.gateway.model().json_at(&["sources"]).unwrap();
    assert!(!sources.contains(r#""gps":"#) && sources.contains(r#""gps2":"#), "{sources}");
}

#[test]
fn the_age_of_the_last_data_is_told() {
    let mut boat = Boat::new();
    let gps = boat.gateway.input("gps");
    boat.settle();
    let age = |boat: &Boat| {
        let (_, text) = boat.gateway.input_status(gps).unwrap();
        serde_json::from_str::<Value>(&text).unwrap()["age_ms"].clone()
    };
    assert_eq!(age(&boat), Value::Null, "nothing came yet");
    boat.gateway.receive_sentence(gps, DEPTH, None);
    boat.settle();
    boat.pass(3);
    assert_eq!(age(&boat), json!(3000));
}

#[test]
fn a_source_is_removed_with_its_alias_and_is_there_again_when_it_tells_something() {
    let mut gateway = Owned::new();
    let gps = gateway.boat.gateway.input("gps");
    gateway.boat.gateway.receive_sentence(gps, DEPTH, None);
    let source = "/skServer/removeSource?sourceRef=gps.II";
    let inspect = "/skServer/cacheInspect?sourceRef=gps.II";
    let seen = gateway.as_owner(Method::Get, inspect, &json!({})).1;
    assert!(seen["clean"] == false && !seen["deltaCachePaths"].as_array().unwrap().is_empty(), "{seen}");
    let aliases = json!({ "gps.II": "Old", "other": "Other" });
    assert_eq!(gateway.as_owner(Method::Put, "/skServer/sourceAliases", &aliases).0, 200);
    let (status, done) = gateway.as_owner(Method::Delete, source, &json!({}));
    assert_eq!((status, &done["state"]), (200, &json!("COMPLETED")), "{done}");
    assert_eq!(gateway.as_owner(Method::Get, inspect, &json!({})).1["clean"], true);
    assert_eq!(gateway.as_owner(Method::Get, "/skServer/sourceAliases", &json!({})).1, json!({ "other": "Other" }));
    assert_eq!(gateway.as_owner(Method::Delete, source, &json!({})).0, 404);
    assert_eq!(gateway.as_owner(Method::Delete, "/skServer/n2kRemoveSource", &json!({})).0, 400);
    gateway.boat.gateway.receive_sentence(gps, DEPTH, None);
    assert_eq!(gateway.as_owner(Method::Get, inspect, &json!({})).1["clean"], false);
    // It brings no NMEA 2000: it is no device.
    let (status, done) = gateway.as_owner(Method::Post, "/skServer/resetN2kDevices", &json!({}));
    assert_eq!((status, &done["message"]), (200, &json!("Cleared 0 stale device entries")));
}

#[test]
fn lines_are_tried_and_reach_the_boat_only_when_that_is_wished() {
    let mut gateway = Owned::new();
    let mut try_out = |value: &str, flags: &[&str]| {
        let mut body = json!({ "value": value });
        flags.iter().for_each(|flag| body[*flag] = true.into());
        gateway.as_owner(Method::Post, "/skServer/inputTest", &body)
    };
    let paths = |answer: &Value| -> Vec<String> {
        let deltas = answer["deltas"].as_array().unwrap().iter();
        let values = deltas.flat_map(|delta| delta["updates"][0]["values"].as_array().unwrap().clone());
        values.map(|value| value["path"].as_str().unwrap().to_owned()).collect()
    };
    let (status, answer) = try_out(DEPTH, &[]);
    assert_eq!((status, paths(&answer)), (200, vec!["environment.depth.belowTransducer".to_owned()]), "{answer}");
    assert_eq!((&answer["n2kJson"], &answer["n2kOutAvailable"]), (&json!([]), &json!(false)));
    let (status, answer) = try_out("can0 09F50307#00FA00FFFF00FFFF\n", &[]);
    assert_eq!((status, &*paths(&answer)[0]), (200, "navigation.speedThroughWater"), "{answer}");
    let (_, answer) = try_out(r#"[{"updates":[{"values":[{"path":"a.b","value":1}]}]}]"#, &["sendToServer"]);
    assert_eq!(paths(&answer), ["a.b"]);
    for (value, flags, wanted) in [
        ("$IIDBT,32.0,f,9.8,M,5.3,F*00", &[][..], "line 1"),
        ("{\"pgn\":127250}", &[], "no delta"),
        ("{", &[], "no JSON"),
        (DEPTH, &["sendToN2K"], "relay"),
    ] {
        let (status, refused) = try_out(value, flags);
        assert!(status == 400 && refused["error"].as_str().unwrap().contains(wanted), "{value}: {refused}");
    }
    let (status, answer) = try_out("", &[]);
    assert_eq!((status, &answer["deltas"]), (200, &json!([])));
    let own = gateway.boat.gateway.model().json_at(&["vessels", "self"]).unwrap();
    assert!(own.contains(r#""$source":"input-test""#) && !own.contains("belowTransducer"), "{own}");
}

#[test]
fn the_power_goes_while_connections_are_kept_and_all_of_a_change_is_there_or_nothing() {
    let file = Key::parse("skiff/settings.json").unwrap();
    let lists = |storage: &SimStorage| {
        let text = storage.clone().read_all(&file, 65_536).unwrap();
        let kept: Value = serde_json::from_slice(&text).unwrap();
        assert_eq!(kept["skiff"]["guests"], "read", "what else was set stays");
        (kept["skiff"]["inputs"].clone(), kept["pipedProviders"].clone())
    };
    let (old, new) = ((json!(["can://can0"]), json!([{"id":"a"}])), (json!([]), json!([])));
    let mut seen = Vec::new();
    for leaves in [Survivor::Old, Survivor::New] {
        for after_writes in 0.. {
            let storage = SimStorage::new();
            storage.clone().replace(&file, br#"{"skiff":{"guests":"read"}}"#).unwrap();
            let mut boat = Boat::with_storage(storage.clone());
            let both = |inputs: &'static str, piped: &'static str| {
                [(Some("skiff"), "inputs", inputs), (None, "pipedProviders", piped)]
            };
            boat.gateway.keep_connections(&both(r#"["can://can0"]"#, r#"[{"id":"a"}]"#)).unwrap();
            storage.cut_power(PowerCut { after_writes, leaves });
            let kept = boat.gateway.keep_connections(&both("[]", "[]"));
            let was_cut = storage.is_without_power();
            storage.power_on();
            let found = lists(&storage);
            assert!(found == old || found == new, "{found:?}");
            assert!(kept.is_err() || found == new, "what was answered is there");
            seen.push(found == new);
            if !was_cut {
                break;
            }
        }
    }
    assert!(seen.contains(&true) && seen.contains(&false));
    // What could not be read again is not written.
    let mut boat = Boat::new();
    let long = format!("[\"{}\"]", "x".repeat(65_536));
    assert!(boat.gateway.keep_connections(&[(Some("skiff"), "inputs", &long)]).is_err());
}

#[test]
fn antennas_and_bluetooth_are_answered_as_by_a_server_that_has_neither() {
    let mut gateway = Owned::new();
    let own = "/signalk/v2/api/vessels/self";
    let mut ask = |method, below: &str, body: Value| gateway.as_owner(method, &format!("{own}/{below}"), &body);
    let (status, gnss) = ask(Method::Get, "sensors/gnss", json!({}));
    assert_eq!((status, &gnss["correction"], &gnss["sensors"]), (200, &json!("off"), &json!([])));
    assert_eq!(ask(Method::Put, "sensors/gnss", gnss).0, 200);
    let sensor = json!({ "correction": "primary", "sensors": [{ "sensorId": "gnss1" }] });
    assert_eq!(ask(Method::Put, "sensors/gnss", sensor).0, 501);
    assert_eq!(ask(Method::Put, "sensors/gnss", json!([])).0, 400);
    assert_eq!(ask(Method::Put, "sensors/gnss", json!({ "sensors": [] })).0, 400);
    assert_eq!(ask(Method::Delete, "sensors/gnss", json!({})).0, 200);
    assert_eq!(ask(Method::Get, "ble/devices", json!({})), (200, json!([])));
    assert_eq!(ask(Method::Get, "ble/_providers", json!({})), (200, json!({})));
    assert_eq!(ask(Method::Get, "ble/settings", json!({})).1["localBLESupported"], false);
    assert_eq!(ask(Method::Get, "ble/devices/00:11:22:33:44:55", json!({})).0, 404);
    assert_eq!(ask(Method::Put, "ble/settings", json!({ "localBluetoothManaged": true })).0, 501);
}

#[test]
fn what_is_found_on_the_network_is_told_to_admins() {
    let mut gateway = kept();
    let owner = format!("Bearer {}", gateway.owner);
    let stream = gateway.stream("?subscribe=none&serverevents=all", &[("authorization", &owner)]).unwrap();
    gateway.boat.settle();
    gateway.heard(stream);
    gateway.boat.gateway.tell_found(r#"[{"id":"ws-Bow"}]"#);
    let told: Vec<Value> =
        gateway.heard(stream).into_iter().filter(|event| event["type"] == "DISCOVERY_CHANGED").collect();
    assert_eq!((told.len(), &told[0]["data"]), (1, &json!([{ "id": "ws-Bow" }])));
    let response = gateway.ask(Method::Get, "/skiff/v1/connections", &[], "");
    assert_eq!((response.status, read(&response).get("error").is_some()), (401, true), "addresses can hold a token");
}
