//! Devices of the bus in `sources`: what they said of themselves, and that a node asks those that did not.

mod simulated_bus;

use serde_json::{Value, json};
use simulated_bus::Bus;
use skiff_runtime::http::{Door, Method, Request};
use skiff_runtime::n2k::node::{Information, Name, NameParts};
use skiff_runtime::n2k::{Frames, Id, Pgn, SourceAddress};

/// Sends a message of somebody else's device.
fn say(bus: &Bus, pgn: u32, address: u8, payload: &[u8]) {
    let id = Id { priority: 6, pgn: Pgn(pgn), source: SourceAddress(address), destination: 255 };
    for frame in Frames::new(&id, 3, payload).expect("short enough") {
        bus.inject(&frame);
    }
}

fn name(unique_number: u32) -> [u8; 8] {
    Name::new(&NameParts { unique_number, manufacturer: 229, ..NameParts::default() }).payload()
}

fn device(bus: &Bus, called: &str) -> Value {
    let sources = bus.gateways[0].gateway.model().json_at(&["sources"]).unwrap();
    serde_json::from_str::<Value>(&sources).unwrap()["can0"][called]["n2k"].take()
}

/// Requests that the gateway sent, `to` one address.
fn asked(bus: &mut Bus, to: u8) -> Vec<String> {
    let id = format!("18EA{to:02X}");
    bus.frames.drain(..).filter(|frame| frame.starts_with(&id)).map(|frame| frame[9..].to_owned()).collect()
}

#[test]
fn a_gateway_that_only_listens_tells_what_it_hears_and_asks_nobody() {
    let mut bus = Bus::new(&[None]);
    say(&bus, 60_928, 35, &name(77));
    let information = Information { model: "GPS 19x".into(), software_version: "3.1".into(), ..Information::default() };
    say(&bus, 126_996, 35, &information.product().unwrap());
    bus.run(60_000);
    let canonical = format!("{:016x}", u64::from_le_bytes(name(77)));
    let told = device(&bus, &canonical);
    assert_eq!((&told["manufacturerCode"], &told["modelId"]), (&"Garmin".into(), &"GPS 19x".into()), "{told}");
    assert_eq!((&told["src"], &told["canName"]), (&"35".into(), &(*canonical).into()));
    assert_eq!(bus.frames, [""; 0]);
}

#[test]
fn a_node_asks_a_device_that_joins_and_is_answered_by_those_that_can() {
    let mut bus = Bus::new(&[Some("{}"), Some(r#"{"installation":["mast"]}"#)]);
    bus.run(1000);
    say(&bus, 60_928, 35, &name(77));
    bus.run(30_000);
    assert_eq!(asked(&mut bus, 35).len(), 12, "both gateways ask it for both, three times");
    let other = device(&bus, &bus.name(1));
    assert_eq!((&other["modelId"], &other["installationDescription1"]), (&"Skiff".into(), &"mast".into()), "{other}");
    bus.run(600_000);
    assert_eq!(asked(&mut bus, 35), [""; 0], "it never answers");
    // It is told what it is called otherwise once its NAME is known, and keeps what it said.
    let late = Information { model: "wind".into(), ..Information::default() }.product().unwrap();
    say(&bus, 126_996, 40, &late);
    bus.run(100);
    assert_eq!(device(&bus, "40")["modelId"], "wind");
    say(&bus, 60_928, 40, &name(5));
    bus.run(100);
    let canonical = format!("{:016x}", u64::from_le_bytes(name(5)));
    assert_eq!((device(&bus, &canonical)["modelId"].take(), device(&bus, "40")), ("wind".into(), Value::Null));
}

fn ask(bus: &mut Bus, method: Method, target: &str, body: &Value) -> (u16, Value) {
    let headers = vec![("host".to_owned(), "localhost:3000".to_owned())];
    let peer = Some("127.0.0.1".parse().unwrap());
    let body = body.to_string().into_bytes();
    let request = Request { headers, peer, local: true, body, door: Door::Admin, ..Request::new(method, target) };
    let gateway = &mut bus.gateways[0].gateway;
    let exchange = gateway.request(&request);
    gateway.poll();
    let (of, response) = gateway.next_response().expect("an answer");
    assert_eq!(of, exchange);
    (response.status, serde_json::from_slice(&response.body).unwrap_or(Value::Null))
}

#[test]
fn an_admin_sees_the_devices_has_them_asked_and_sets_them() {
    let mut bus = Bus::new(&[Some("{}")]);
    bus.run(1000);
    say(&bus, 60_928, 35, &name(77));
    say(&bus, 126_996, 35, &Information { model: "GPS".into(), ..Information::default() }.product().unwrap());
    say(&bus, 60_928, 36, &name(78));
    bus.run(30_000);
    let (_, status) = ask(&mut bus, Method::Get, "/skServer/n2kDeviceStatus", &Value::Null);
    assert_eq!(
        (&status["knownAddresses"], &status["discoveredAddresses"]),
        (&json!([35, 36]), &json!([35])),
        "{status}"
    );
    assert_eq!(status["n2kOutAvailable"], true);
    let (_, identities) = ask(&mut bus, Method::Get, "/skServer/deviceIdentities", &Value::Null);
    let canonical = format!("{:016x}", u64::from_le_bytes(name(77)));
    let gps = identities.as_array().unwrap().iter().find(|row| row["canName"] == *canonical).unwrap();
    assert_eq!((&gps["modelId"], &gps["manufacturerCode"]), (&"GPS".into(), &"Garmin".into()));
    assert_eq!(gps["sourceRefs"], json!(["can0.35", format!("can0.{canonical}")]));
    bus.frames.clear();
    assert_eq!(ask(&mut bus, Method::Post, "/skServer/n2kDiscoverDevices", &Value::Null).0, 200);
    bus.run(5000);
    assert_eq!(asked(&mut bus, 35), ["14F001", "16F001"]);
    bus.frames.clear();
    let set = |bus: &mut Bus, body: Value| {
        let (status, _) = ask(bus, Method::Post, "/skServer/n2kConfigDevice", &body);
        bus.run(1);
        (status, bus.frames.drain(..).filter(|frame| frame.starts_with("0DED")).collect::<Vec<_>>())
    };
    let instance = set(&mut bus, json!({ "dst": 35, "field": "deviceInstance", "value": 10 }));
    assert_eq!((instance.0, instance.1.len(), &instance.1[0][..8]), (200, 2, "0DED2364"));
    // A command for 60928: field 3 becomes 2 and field 4 becomes 1, the lower three bits and the rest of 10.
    assert!(instance.1[0].ends_with("0A0100EE00F802") && instance.1[1].ends_with("03020401FFFFFF"), "{instance:?}");
    let text = set(&mut bus, json!({ "dst": 35, "field": "installationDescription1", "value": "mast" }));
    assert!(
        text.0 == 200 && text.1[0].ends_with("0D0116F001F801") && text.1[1].ends_with("0106016D617374"),
        "{text:?}"
    );
    for (status, bad) in [
        (400, json!({ "dst": 99, "field": "deviceInstance", "value": 1 })),
        (400, json!({ "dst": 35, "field": "deviceInstance", "value": 254 })),
        (400, json!({ "dst": 35, "field": "deviceInstanceLower", "value": 8 })),
        (400, json!({ "dst": 35, "field": "installationDescription2", "value": "\u{e9}" })),
        (400, json!({ "field": "deviceInstance" })),
        (501, json!({ "dst": 35, "field": "batteryInstance", "value": 1 })),
    ] {
        assert_eq!(set(&mut bus, bad.clone()), (status, Vec::new()), "{bad}");
    }
    let mut listens = Bus::new(&[None]);
    say(&listens, 60_928, 35, &name(77));
    listens.run(10);
    assert_eq!(ask(&mut listens, Method::Post, "/skServer/n2kDiscoverDevices", &Value::Null).0, 503);
    let body = json!({ "dst": 35, "field": "deviceInstance", "value": 1 });
    assert_eq!(ask(&mut listens, Method::Post, "/skServer/n2kConfigDevice", &body).0, 503);
}

#[test]
fn many_devices_that_change_all_the_time_stay_in_bounds() {
    let mut bus = Bus::new(&[Some("{}")]);
    bus.run(1000);
    for round in 0..20_u32 {
        for address in 0..=253 {
            say(&bus, 60_928, address, &name(round * 1000 + u32::from(address)));
        }
        bus.run(50);
    }
    let sources = bus.gateways[0].gateway.model().json_at(&["sources"]).unwrap();
    let sources: Value = serde_json::from_str(&sources).unwrap();
    assert!(sources["can0"].as_object().unwrap().len() <= 514, "512 sources, label and type");
}
