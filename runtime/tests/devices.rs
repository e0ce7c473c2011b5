//! Devices of the bus in `sources`: what they said of themselves, and that a node asks those that did not.

mod simulated_bus;

use serde_json::Value;
use simulated_bus::Bus;
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
