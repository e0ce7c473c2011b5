//! Frames that go out raw, and messages of clients of outputs on their way to a simulated bus.

mod simulated_bus;

use simulated_bus::Bus;
use skiff_runtime::gateway::Relayed;
use skiff_runtime::hal::CanFrame;
use skiff_runtime::n2k::log::{Format, Item, LogReader, Mode};
use skiff_runtime::n2k::{N2kMessage, Receiver};
use skiff_runtime::time::Instant;

/// The message that lines of candump hold.
fn message(lines: &[&str]) -> N2kMessage {
    let (mut reader, mut receiver) = (LogReader::new(Format::Candump, Mode::Auto), Receiver::new(""));
    let mut message = N2kMessage::default();
    let done = lines.iter().fold(false, |_, line| {
        let record = reader.line(line.as_bytes()).unwrap().unwrap();
        receiver.item_into(&record.item, Instant(0), &mut message)
    });
    assert!(done, "{lines:?}");
    message
}

/// A gateway with an address, which relays this.
fn bus(relay: &str) -> Bus {
    let mut bus = Bus::sending(&format!(r#"[],"relay":{relay}"#));
    bus.run(1000);
    assert_eq!(bus.address(0), Some(100));
    bus.frames.clear();
    bus
}

/// What was sent since the last call, heartbeats left out.
fn sent(bus: &mut Bus) -> Vec<String> {
    bus.run(100);
    std::mem::take(&mut bus.frames).into_iter().filter(|frame| !frame.starts_with("1DF011")).collect()
}

const HEADING: &str = "can0 09F11207#FF103B0000000001";
const CLAIM: &str = "can0 18EEFF07#0102030405060708";

#[test]
fn nothing_is_relayed_unless_the_operator_has_said_so() {
    let heading = message(&[HEADING]);
    for (relay, relayed) in [
        ("false", Relayed::NotAllowed),
        ("[130306]", Relayed::NotAllowed),
        ("[127250]", Relayed::Sent),
        ("true", Relayed::Sent),
    ] {
        let mut bus = bus(relay);
        assert_eq!(bus.gateways[0].gateway.relay(&heading), relayed, "{relay}");
        // From the node's own address.
        let wanted: &[&str] = if relayed == Relayed::Sent { &["09F11264#FF103B0000000001"] } else { &[] };
        assert_eq!(sent(&mut bus), wanted, "{relay}");
    }
}

#[test]
fn what_keeps_the_network_together_is_never_relayed() {
    for relay in ["true", "[60928]"] {
        let mut bus = bus(relay);
        assert_eq!(bus.gateways[0].gateway.relay(&message(&[CLAIM])), Relayed::NotAllowed);
        assert_eq!(sent(&mut bus), [""; 0]);
        let status: serde_json::Value = serde_json::from_str(&bus.gateways[0].gateway.status_json()).unwrap();
        assert_eq!(status["relay"], serde_json::json!({"sent": 0, "not_allowed": 1, "no_address": 0, "full": 0}));
    }
}

#[test]
fn a_fast_packet_is_put_together_and_sent_again_with_the_nodes_own_counter() {
    let mut bus = bus("true");
    let position = message(&["can0 0DF80507#A008010203040506", "can0 0DF80507#A10708FFFFFFFFFF"]);
    assert_eq!(bus.gateways[0].gateway.relay(&position), Relayed::Sent);
    let frames = sent(&mut bus);
    assert!(frames.len() == 2 && frames.iter().all(|frame| frame.starts_with("0DF80564#")), "{frames:?}");
    assert!(frames[0].ends_with("08010203040506") && frames[1].ends_with("0708FFFFFFFFFF"), "{frames:?}");
}

#[test]
fn without_an_address_and_without_room_nothing_is_sent_and_it_is_counted() {
    let mut bus = Bus::sending(r#"[],"relay":true"#);
    let heading = message(&[HEADING]);
    assert_eq!(bus.gateways[0].gateway.relay(&heading), Relayed::NoAddress);
    bus.run(1000);
    let results: Vec<Relayed> = (0..1000).map(|_| bus.gateways[0].gateway.relay(&heading)).collect();
    assert!(results.contains(&Relayed::Sent) && results.last() == Some(&Relayed::Full));
    let mut listener = Bus::new(&[None]);
    assert_eq!(listener.gateways[0].gateway.relay(&heading), Relayed::NotAllowed);
}

#[test]
fn what_passes_is_kept_for_who_listens_both_ways() {
    let mut bus = bus("true");
    assert_eq!(bus.gateways[0].gateway.next_passed(), None);
    bus.inject(&CanFrame::new(0x09f1_1207, &[1, 2]).unwrap());
    bus.run(10);
    assert_eq!(bus.gateways[0].gateway.next_passed(), None, "nobody has listened");
    bus.gateways[0].gateway.listen_raw();
    bus.inject(&CanFrame::new(0x09f1_1207, &[1, 2]).unwrap());
    bus.run(10);
    bus.gateways[0].gateway.relay(&message(&[HEADING]));
    bus.run(10);
    let mut passed = Vec::new();
    while let Some(one) = bus.gateways[0].gateway.next_passed() {
        let Item::Frame(frame) = one.record.item else { panic!() };
        assert!(one.record.time.is_some());
        passed.push((one.is_sent, frame.id()));
    }
    assert_eq!(passed, [(false, 0x09f1_1207), (true, 0x09f1_1264)]);
}
