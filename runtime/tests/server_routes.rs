//! What the admin UI of Signal K Server asks for: routes below `/skServer`, and server events.

mod boat;
mod guests;
mod owned;

use std::time::Duration;

use owned::{Owned, bearer, cookie, read};
use serde_json::{Value, json};
use skiff_runtime::gateway::StreamId;
use skiff_runtime::hal::{Key, Storage};
use skiff_runtime::http::{Door, Method};

fn get(gateway: &mut Owned, target: &str) -> Value {
    let (status, body) = gateway.as_owner(Method::Get, target, &json!({}));
    assert_eq!(status, 200, "{target}: {body}");
    body
}

fn put(gateway: &mut Owned, target: &str, body: &Value) -> u16 {
    gateway.as_owner(Method::Put, target, body).0
}

/// Tells values of the own vessel over a stream, as two sources.
fn tell(gateway: &mut Owned, source: &str, path: &str, value: &Value) {
    let stream = gateway.stream("?subscribe=none", &[("authorization", &format!("Bearer {}", gateway.owner))]).unwrap();
    let delta = json!({ "updates": [{ "$source": source, "values": [{ "path": path, "value": value }] }] });
    gateway.boat.gateway.stream_receive(stream, &delta.to_string());
    gateway.boat.settle();
    gateway.boat.gateway.close_stream(stream);
}

fn file(gateway: &Owned, name: &str) -> Value {
    let bytes = gateway.storage.clone().read_all(&Key::parse(name).unwrap(), 100_000).unwrap();
    serde_json::from_slice(&bytes).unwrap()
}

/// Opens a stream of server events, as the owner or by another token.
fn events(gateway: &mut Owned, token: &str) -> StreamId {
    gateway.stream("?serverevents=all&subscribe=none", &[("authorization", token)]).unwrap()
}

fn kinds(heard: &[Value]) -> Vec<&str> {
    heard.iter().filter_map(|event| event["type"].as_str()).collect()
}

#[test]
fn the_vessel_is_described_at_once_and_after_a_restart() {
    let mut gateway = Owned::new();
    let given = json!({ "name": "Pinta", "mmsi": "230099999", "draft": 1.9, "length": "12.5", "beam": 3.8, "aisShipType": 36, "callsignVhf": "OH1" });
    assert_eq!(put(&mut gateway, "/skServer/vessel", &given), 200);
    // Meta is kept beside it, by another route.
    assert_eq!(put(&mut gateway, "/signalk/v1/api/vessels/self/a/b/meta/displayName", &json!({ "value": "B" })), 200);
    assert_eq!(
        put(&mut gateway, "/skServer/vessel", &json!({ "name": "Nina", "mmsi": "230099999", "draft": 2.5 })),
        200
    );
    for round in 0..2 {
        let vessel = get(&mut gateway, "/skServer/vessel");
        assert_eq!(
            (&vessel["name"], &vessel["draft"], &vessel["beam"]),
            (&json!("Nina"), &json!(2.5), &Value::Null),
            "{round}"
        );
        let own = get(&mut gateway, "/signalk/v1/api/vessels/self");
        assert_eq!((&own["name"], &own["mmsi"]), (&json!("Nina"), &json!("230099999")));
        assert_eq!(own["design"]["draft"]["value"]["maximum"], 2.5);
        assert_eq!((&own["communication"], own["a"]["b"]["meta"]["displayName"].as_str()), (&Value::Null, Some("B")));
        gateway = gateway.restarted();
    }
    assert_eq!(file(&gateway, "skiff/baseDeltas.json").as_array().map(Vec::len), Some(2));
    let other = json!({ "uuid": "urn:mrn:signalk:uuid:00000000-0000-4000-8000-000000000009" });
    assert_eq!(put(&mut gateway, "/skServer/vessel", &other), 501);
}

#[test]
fn a_signal_k_folder_describes_the_vessel_and_is_left_alone() {
    let gateway = Owned::new();
    let root = json!({ "path": "", "value": { "name": "Aava", "uuid": "urn:mrn:signalk:uuid:00000000-0000-4000-8000-00000000000a" } });
    let draft = json!({ "path": "design.draft", "value": { "maximum": 1.5 } });
    let folder = json!([{ "context": "vessels.self", "updates": [{ "values": [root, draft] }] }]);
    let key = Key::parse("baseDeltas.json").unwrap();
    gateway.storage.clone().replace(&key, folder.to_string().as_bytes()).unwrap();
    let mut gateway = gateway.restarted();
    let vessel = get(&mut gateway, "/skServer/vessel");
    assert_eq!((&vessel["name"], &vessel["draft"]), (&json!("Aava"), &json!(1.5)));
    // Who it is was settled at the first start.
    let uuid = "urn:mrn:signalk:uuid:00000000-0000-4000-8000-000000000001";
    assert_eq!(get(&mut gateway, "/signalk/v1/api/vessels/self")["uuid"], uuid);
    assert_eq!(put(&mut gateway, "/skServer/vessel", &json!({ "name": "Nina" })), 200);
    assert_eq!(file(&gateway, "baseDeltas.json"), folder);
    let mut gateway = gateway.restarted();
    assert_eq!(get(&mut gateway, "/skServer/vessel")["name"], "Nina");
}

#[test]
fn preferred_sources_hold_at_once_and_after_a_restart() {
    let mut gateway = Owned::new();
    let depth = "environment.depth.belowKeel";
    let chosen = json!({
        "groups": [{ "id": "g", "sources": ["best", "spare"] }],
        "overrides": { "a.b": [{ "sourceRef": "best", "timeout": 0 }, { "sourceRef": "spare", "timeout": "5000" }] },
        "defaults": { "fallbackMs": 60_000 },
    });
    assert_eq!(put(&mut gateway, "/skServer/priorities", &chosen), 200);
    assert_eq!(put(&mut gateway, "/skServer/sourceAliases", &json!({ "best": "Bow" })), 200);
    for round in 0..2 {
        assert_eq!(get(&mut gateway, "/skServer/priorities"), chosen);
        assert_eq!(get(&mut gateway, "/skServer/sourceAliases"), json!({ "best": "Bow" }));
        for path in ["a.b", depth] {
            tell(&mut gateway, "best", path, &json!(1));
            tell(&mut gateway, "spare", path, &json!(2));
        }
        let own = get(&mut gateway, "/signalk/v1/api/vessels/self");
        assert_eq!(
            (&own["a"]["b"]["value"], &own["environment"]["depth"]["belowKeel"]["value"]),
            (&json!(1), &json!(1)),
            "{round}"
        );
        gateway = gateway.restarted();
    }
    assert_eq!(gateway.as_owner(Method::Delete, "/skServer/priorities", &json!({})).0, 200);
    assert_eq!(get(&mut gateway, "/skServer/priorities"), json!({ "groups": [], "overrides": {}, "defaults": {} }));
    for (target, wrong) in [
        ("priorities", json!({ "groups": [] })),
        ("priorityOverrides", json!({ "a": [{}] })),
        ("priorityGroups", json!([{ "id": "a", "sources": ["x"] }, { "id": "b", "sources": ["x"] }])),
        ("priorityDefaults", json!({ "fallbackMs": -1 })),
        ("sourceAliases", json!([])),
    ] {
        assert_eq!(put(&mut gateway, &format!("/skServer/{target}"), &wrong), 400, "{target}");
    }
}

#[test]
fn who_tells_what_is_shown() {
    let mut gateway = Owned::new();
    for source in ["gps", "plotter"] {
        tell(&mut gateway, source, "navigation.position", &json!({ "latitude": 60, "longitude": 24 }));
    }
    tell(&mut gateway, "gps", "navigation.speedOverGround", &json!(2.5));
    assert_eq!(get(&mut gateway, "/skServer/multiSourcePaths"), json!({ "navigation.position": ["gps", "plotter"] }));
    assert_eq!(get(&mut gateway, "/skServer/positionSources"), json!(["gps", "plotter"]));
    let paths = get(&mut gateway, "/skServer/availablePaths");
    assert_eq!(paths, json!(["", "navigation.position", "navigation.speedOverGround"]));
    let known = get(&mut gateway, "/skServer/paths");
    assert_eq!(known["/vessels/*/navigation/speedOverGround"]["units"], "m/s");
    let groups = get(&mut gateway, "/skServer/reconciledGroups");
    assert_eq!((&groups[0]["matchedSavedId"], &groups[0]["paths"]), (&Value::Null, &json!(["navigation.position"])));
    let saved = json!([{ "id": "g", "sources": ["gps"] }]);
    assert_eq!(put(&mut gateway, "/skServer/priorityGroups", &saved), 200);
    let groups = get(&mut gateway, "/skServer/reconciledGroups");
    assert_eq!((&groups[0]["matchedSavedId"], &groups[0]["newcomerSources"]), (&json!("g"), &json!(["plotter"])));
}

#[test]
fn guests_are_let_in_and_out_while_it_runs() {
    let mut gateway = Owned::new();
    let asks = |gateway: &mut Owned| gateway.ask(Method::Get, "/signalk/v1/api", &[], "").status;
    assert_eq!(asks(&mut gateway), 401);
    let security = |reads: bool| json!({ "allow_readonly": reads, "expiration": "1d", "allowedCorsOrigins": "", "allowNewUserRegistration": false });
    assert_eq!(put(&mut gateway, "/skServer/security/config", &security(true)), 200);
    assert_eq!(
        (asks(&mut gateway), get(&mut gateway, "/skServer/security/config")["allow_readonly"].as_bool()),
        (200, Some(true))
    );
    assert_eq!(file(&gateway, "skiff/settings.json"), json!({ "skiff": { "guests": "read" } }));
    let mut longer = security(true);
    longer["expiration"] = json!("30d");
    assert_eq!(put(&mut gateway, "/skServer/security/config", &longer), 501);
    assert_eq!(put(&mut gateway, "/skServer/security/config", &json!({ "allow_readonly": "yes" })), 400);
    assert_eq!(put(&mut gateway, "/skServer/security/config", &security(false)), 200);
    assert_eq!(asks(&mut gateway), 401);
}

#[test]
fn settings_that_can_be_changed_are_and_others_are_named() {
    let mut gateway = Owned::new();
    let mut settings = get(&mut gateway, "/skServer/settings");
    assert_eq!(put(&mut gateway, "/skServer/settings", &settings), 200, "nothing differs");
    settings["options"]["mdns"] = json!(false);
    settings["courseApi"]["apiOnly"] = json!(true);
    // A page sends what it does not know, too.
    settings["port"] = Value::Null;
    assert_eq!(put(&mut gateway, "/skServer/settings", &settings), 200);
    let now = get(&mut gateway, "/skServer/settings");
    assert_eq!((&now["options"]["mdns"], &now["courseApi"]["apiOnly"]), (&json!(false), &json!(true)));
    assert_eq!(file(&gateway, "skiff/settings.json"), json!({ "skiff": { "mdns": false } }));
    settings["options"]["mdns"] = json!(true);
    settings["port"] = json!(80);
    let (status, refused) = gateway.as_owner(Method::Put, "/skServer/settings", &settings);
    assert!(status == 501 && refused["error"].as_str().unwrap().starts_with("port is not set here"), "{refused}");
    assert_eq!(file(&gateway, "skiff/settings.json"), json!({ "skiff": { "mdns": false } }), "nothing or all");
}

#[test]
fn units_are_those_of_the_preset_that_was_chosen() {
    let mut gateway = Owned::new();
    let config = "/signalk/v1/unitpreferences/config";
    assert_eq!(get(&mut gateway, config), json!({ "activePreset": "nautical-metric" }));
    assert_eq!(put(&mut gateway, config, &json!({ "activePreset": "imperial-us" })), 200);
    assert_eq!(put(&mut gateway, config, &json!({ "activePreset": "smoots" })), 400);
    let mut gateway = gateway.restarted();
    let depth = get(&mut gateway, "/signalk/v1/unitpreferences/active")["categories"]["depth"].clone();
    assert_eq!((&depth["targetUnit"], &depth["symbol"]), (&json!("foot"), &json!("ft")));
    assert_eq!(depth["formula"], "value * 3.280839895013123");
    let presets = get(&mut gateway, "/signalk/v1/unitpreferences/presets");
    assert_eq!(presets["builtIn"].as_array().map(Vec::len), Some(6));
    let units = get(&mut gateway, "/signalk/v1/unitpreferences/definitions");
    assert_eq!(units["K"]["conversions"]["C"]["inverseFormula"], "value + 273.15");
    let paths = get(&mut gateway, "/signalk/v1/unitpreferences/default-categories");
    assert!(paths["categories"]["speed"]["paths"].as_array().unwrap().contains(&json!("navigation.speedOverGround")));
    assert_eq!(put(&mut gateway, "/signalk/v1/unitpreferences/presets/custom/x", &json!({})), 501);
}

#[test]
fn what_is_not_here_says_what_does_it() {
    let mut gateway = Owned::new();
    for (method, target, status) in [
        (Method::Post, "/skServer/providers", 501),
        (Method::Delete, "/skServer/providers/x", 501),
        (Method::Put, "/skServer/runDiscovery", 501),
        (Method::Put, "/skServer/restart", 501),
        (Method::Post, "/skServer/inputTest", 400),
        (Method::Post, "/skServer/disableSecurity", 501),
        (Method::Post, "/skServer/enableSecurity", 403),
        (Method::Put, "/skServer/security/oidc", 501),
        (Method::Delete, "/skServer/removeSource?sourceRef=unknown", 404),
        (Method::Get, "/skServer/eventsRoutingData", 501),
        (Method::Put, "/skServer/availablePaths", 405),
        (Method::Get, "/skServer/nothing", 404),
        (Method::Put, "/skServer/nothing", 404),
    ] {
        let (found, body) = gateway.as_owner(method, target, &json!({}));
        assert_eq!(found, status, "{target}");
        assert!(status == 404 || body["error"].as_str().is_some_and(|clause| clause.len() > 20), "{target}: {body}");
    }
    assert_eq!(gateway.as_owner(Method::Post, "/skServer/debug", &json!({ "value": "" })).0, 200);
    assert_eq!(gateway.as_owner(Method::Post, "/skServer/debug", &json!({ "value": "*" })).0, 501);
}

#[test]
fn admins_are_told_of_sources_and_choices_and_others_are_not() {
    let mut gateway = Owned::new();
    let reader = gateway.as_owner(Method::Post, "/skServer/security/tokens/r", &json!({ "role": "readwrite" })).1;
    let (owner, reader) = (format!("Bearer {}", gateway.owner), bearer(&reader["token"]));
    let [admin, other] = [events(&mut gateway, &owner), events(&mut gateway, &reader)];
    gateway.boat.settle();
    let heard = gateway.heard(admin);
    for kind in [
        "VESSEL_INFO",
        "RECEIVE_LOGIN_STATUS",
        "DEBUG_SETTINGS",
        "HISTORYPROVIDERS",
        "PRIORITYOVERRIDES",
        "PRIORITYGROUPS",
        "PRIORITYDEFAULTS",
        "SOURCEALIASES",
        "MULTISOURCEPATHS",
        "RECONCILEDGROUPS",
        "LIVEPREFERREDSOURCES",
        "POSITION_SOURCES",
        "SOURCESTATUS",
        "PROVIDERSTATUS",
        "SERVERSTATISTICS",
    ] {
        assert!(kinds(&heard).contains(&kind), "{kind}");
    }
    let heard = gateway.heard(other);
    assert_eq!(kinds(&heard), ["VESSEL_INFO", "RECEIVE_LOGIN_STATUS", "PROVIDERSTATUS", "SERVERSTATISTICS"]);
    assert_eq!(heard[2]["data"]["userLevel"], "readwrite");
    put(&mut gateway, "/skServer/sourceAliases", &json!({ "x": "Bow" }));
    put(&mut gateway, "/skServer/vessel", &json!({ "name": "Nina" }));
    gateway.boat.settle();
    assert!(kinds(&gateway.heard(admin)).contains(&"SOURCEALIASES"));
    let heard = gateway.heard(other);
    assert!(kinds(&heard).contains(&"VESSEL_INFO") && !kinds(&heard).contains(&"SOURCEALIASES"), "{heard:?}");
}

#[test]
fn statistics_come_every_five_seconds_with_rates() {
    let mut gateway = Owned::new();
    let owner = format!("Bearer {}", gateway.owner);
    let input = gateway.boat.gateway.input("gps");
    let stream = events(&mut gateway, &owner);
    gateway.boat.settle();
    gateway.heard(stream);
    for _ in 0..10 {
        gateway.boat.gateway.receive_sentence(input, "$IIDBT,32.0,f,9.8,M,5.3,F*27", None);
        gateway.boat.clock.advance(Duration::from_secs(1));
        gateway.boat.settle();
    }
    let heard = gateway.heard(stream);
    let statistics: Vec<&Value> = heard.iter().filter(|event| event["type"] == "SERVERSTATISTICS").collect();
    assert_eq!(statistics.len(), 2, "{:?}", kinds(&heard));
    let data = &statistics[1]["data"];
    assert_eq!((&data["deltaRate"], &data["wsClients"]), (&json!(1), &json!(1)), "{data}");
    assert_eq!(data["providerStatistics"]["gps"]["deltaCount"], 10, "{data}");
    let status = heard.iter().rfind(|event| event["type"] == "PROVIDERSTATUS").unwrap();
    assert_eq!((&status["data"][0]["id"], &status["data"][0]["statusType"]), (&json!("gps"), &json!("provider")));
    let rows = get(&mut gateway, "/skServer/providers");
    assert_eq!(
        (&rows[0]["id"], &rows[0]["type"], &rows[0]["editable"]),
        (&json!("gps"), &json!("NMEA0183"), &json!(false))
    );
}

#[test]
fn admins_hear_at_once_of_devices_that_ask() {
    let mut gateway = Owned::new();
    let owner = format!("Bearer {}", gateway.owner);
    let stream = events(&mut gateway, &owner);
    gateway.boat.settle();
    gateway.heard(stream);
    let asks = json!({ "clientId": "sensor", "description": "Tank" }).to_string();
    let asked =
        gateway.ask(Method::Post, "/signalk/v1/access/requests", &[("content-type", "application/json")], &asks);
    assert_eq!(asked.status, 202, "{:?}", read(&asked));
    gateway.boat.pass(2);
    let heard = gateway.heard(stream);
    let told: Vec<&Value> = heard.iter().filter(|event| event["type"] == "ACCESS_REQUEST").collect();
    assert_eq!(told.len(), 1);
    assert_eq!(told[0]["data"][0]["accessIdentifier"], "sensor");
}

#[test]
fn a_login_at_the_admins_door_administrates_and_one_at_the_boats_does_not() {
    let mut gateway = Owned::new();
    gateway.add("skipper", "admin");
    for (door, status) in [(Door::Admin, 200), (Door::Boat, 403)] {
        gateway.door = door;
        let login = gateway.log_in("skipper", "skipper-secret");
        let cookie = cookie(&login);
        let brought = [("cookie", cookie.as_str())];
        assert_eq!(gateway.ask(Method::Get, "/skServer/settings", &brought, "").status, status);
        let body = json!({ "name": "Nina" }).to_string();
        assert_eq!(gateway.ask(Method::Put, "/skServer/vessel", &brought, &body).status, status);
    }
}
