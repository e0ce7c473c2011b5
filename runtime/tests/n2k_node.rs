//! The gateway as a node on a simulated bus: two gateways, one virtual clock, every frame seen.

mod simulated_bus;

use simulated_bus::{Bus, hex};
use skiff_runtime::hal::{CanFrame, CanState};

/// A device of somebody else asks for something: address 35 to all or to one.
fn request(pgn: u32, destination: u8) -> CanFrame {
    let [low, middle, high, _] = pgn.to_le_bytes();
    CanFrame::new(0x18ea_0023 | u32::from(destination) << 8, &[low, middle, high]).unwrap()
}

fn frame(text: &str) -> CanFrame {
    let (id, data) = text.split_once('#').unwrap();
    let data: Vec<u8> =
        data.as_bytes().chunks(2).map(|pair| u8::from_str_radix(str::from_utf8(pair).unwrap(), 16).unwrap()).collect();
    CanFrame::new(u32::from_str_radix(id, 16).unwrap(), &data).unwrap()
}

#[test]
fn a_gateway_that_only_listens_never_sends_a_frame() {
    let mut bus = Bus::new(&[None]);
    bus.run(1000);
    for pgn in [60_928, 126_464, 126_996, 126_998, 126_993, 127_250] {
        bus.inject(&request(pgn, 255));
        bus.inject(&request(pgn, 100));
        bus.run(200);
    }
    // A command, an address command, a transfer that wants its receiver's CTS, a claim of the address it would take.
    for text in [
        "0DED6423#000A010DF201F802",
        "18ECFF23#2009000200D8FE00",
        "18EC6423#1009000200D8FE00",
        "18EEFF64#0000000000000000",
    ] {
        bus.inject(&frame(text));
        bus.run(2000);
    }
    bus.gateways[0].can.set_state(CanState::BusOff);
    bus.run(5000);
    bus.gateways[0].can.set_state(CanState::Active);
    bus.run(100_000);
    assert_eq!(bus.frames, [""; 0]);
    assert!(bus.status(0).contains(r#""state":"active","drops":1,"#), "{}", bus.status(0));
    assert!(bus.status(0).contains(r#""node":null,"devices":[{"address":100,"name":"0000000000000000","#));
}

#[test]
fn two_gateways_share_a_bus_and_know_each_other() {
    let mut bus = Bus::new(&[Some("{}"), Some("{}")]);
    bus.run(3000);
    let mut addresses = [bus.address(0), bus.address(1)];
    addresses.sort_unstable();
    assert_eq!(addresses, [Some(100), Some(101)]);
    for (index, other) in [(0, 1), (1, 0)] {
        let device = format!(r#""devices":[{{"address":{},"#, bus.address(other).unwrap());
        assert!(bus.status(index).contains(&device), "{}", bus.status(index));
    }
    // Claims, then one heartbeat each; later one a minute.
    let heartbeats = |bus: &Bus| bus.frames.iter().filter(|frame| frame.starts_with("1DF011")).count();
    assert_eq!(heartbeats(&bus), 2);
    bus.run(180_000);
    assert_eq!(heartbeats(&bus), 8);
}

#[test]
fn the_address_is_kept_over_a_restart() {
    let mut bus = Bus::new(&[Some(r#"{"address":42}"#)]);
    bus.run(1000);
    assert_eq!(bus.address(0), Some(42));
    let name = bus.name(0);
    bus.inject(&frame("18EEFF2A#0000000000000000"));
    bus.run(1000);
    assert_eq!(bus.address(0), Some(43), "a lower NAME has 42 now");
    bus.restart(0, Some(r#"{"address":42}"#));
    bus.run(1000);
    assert_eq!((bus.address(0), bus.name(0)), (Some(43), name), "not the configured one, and the same NAME");
}

#[test]
fn requests_over_the_bus_are_answered() {
    let mut bus = Bus::new(&[Some(r#"{"installation":["bridge"]}"#)]);
    bus.run(1000);
    let mut ask = |pgn: u32, destination: u8| {
        bus.frames.clear();
        bus.inject(&request(pgn, destination));
        bus.run(500);
        bus.frames.clone()
    };
    assert_eq!(ask(126_996, 255).len(), 20);
    assert_eq!(ask(126_998, 100)[0], "19F01664#0011080162726964");
    assert_eq!(ask(126_464, 100).len(), 10);
    assert_eq!(ask(129_025, 100), ["18E82364#01FFFFFFFF01F801"]);
    assert_eq!(ask(129_025, 255), [""; 0]);
}

#[test]
fn a_commanded_address_comes_by_broadcast_and_by_transfer() {
    let mut bus = Bus::new(&[Some("{}")]);
    bus.run(1000);
    let name = u64::from_str_radix(&bus.name(0), 16).unwrap().to_le_bytes();
    let command = |address: u8, to: u8| {
        let [first, second] = [[&[1], &name[..7]].concat(), vec![2, name[7], address]];
        [first, second].map(|data| CanFrame::new(0x18eb_0023 | u32::from(to) << 8, &data).unwrap())
    };
    bus.inject(&frame("18ECFF23#20090002FFD8FE00"));
    command(77, 255).iter().for_each(|frame| bus.inject(frame));
    bus.run(1000);
    assert_eq!(bus.address(0), Some(77));
    // The same as an addressed transfer: this node must say when to send, and that it has all.
    bus.frames.clear();
    bus.inject(&frame("18EC4D23#10090002FFD8FE00"));
    bus.run(50);
    assert_eq!(bus.frames, ["1CEC234D#110201FFFFD8FE00"]);
    command(78, 77).iter().for_each(|frame| bus.inject(frame));
    bus.run(1000);
    assert_eq!(bus.frames[1], "1CEC234D#13090002FFD8FE00");
    assert_eq!(bus.address(0), Some(78));
}

#[test]
fn off_the_bus_it_waits_longer_and_longer_and_claims_again() {
    let mut bus = Bus::new(&[Some("{}")]);
    bus.run(1000);
    bus.frames.clear();
    bus.gateways[0].can.set_state(CanState::BusOff);
    bus.run(10_000);
    assert_eq!((bus.frames.len(), bus.address(0)), (0, None));
    let restarts = bus.gateways[0].can.restarts();
    assert!((4..=6).contains(&restarts), "{restarts}: after 0.25, 0.75, 1.75, 3.75, 7.75 s");
    let status = bus.status(0);
    assert!(status.contains(r#""state":"waiting","reason":"the controller is off the bus after too many errors""#));
    assert!(
        status.contains(r#""state":"bus-off","drops":1,"#) && status.contains(r#""node":{"state":"off""#),
        "{status}"
    );
    bus.gateways[0].can.set_state_after_restart(Some(CanState::Active));
    bus.run(20_000);
    assert_eq!(bus.address(0), Some(100));
    assert_eq!(bus.frames[..2], ["18EAFFFE#00EE00".to_owned(), format!("18EEFF64#{}", bus.payload_of_name(0))]);
    assert!(bus.status(0).contains(r#"{"label":"can0","state":"open","#));
}

#[test]
fn every_frame_is_extended_and_bounded() {
    let mut bus = Bus::new(&[Some("{}"), Some("{}"), Some("{}")]);
    bus.run(2000);
    (0..40).for_each(|_| bus.inject(&request(126_996, 255)));
    bus.run(5000);
    assert!(bus.frames.iter().all(|frame| hex(&self::frame(frame)) == *frame));
    let status = bus.status(0);
    assert!(status.contains("\"lost\":"), "{status}");
}
