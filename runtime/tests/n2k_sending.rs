//! Values of plugins and clients on their way to a simulated bus: which go, how often, and which never do.

mod simulated_bus;

use simulated_bus::Bus;
use skiff_runtime::config::{N2K_FILE, N2kConfig};
use skiff_runtime::gateway::StreamId;
use skiff_runtime::hal::{CanFrame, Key, Storage};
use skiff_runtime::host::Capabilities;
use skiff_runtime::http::{Method, Request};
use skiff_runtime::model::Priorities;
use skiff_runtime::package::Package;
use skiff_runtime::plugin::Enabled;

const WIND: &str =
    r#"{"path":"environment.wind.speedApparent","value":5.12},{"path":"environment.wind.angleApparent","value":-0.5}"#;

/// A client that writes, and the bus once the gateway has its address.
struct Sea {
    bus: Bus,
    client: StreamId,
}

impl Sea {
    fn new(send: &str) -> Self {
        let mut bus = Bus::sending(send);
        bus.run(1000);
        assert_eq!(bus.address(0), Some(100));
        bus.frames.clear();
        let request = Request::new(Method::Get, "/signalk/v1/stream?subscribe=none");
        let client = bus.gateways[0].gateway.open_stream(&request).expect("a stream");
        Self { bus, client }
    }

    /// A client sends values; `head` is what stands before them in the update.
    fn values(&mut self, head: &str, values: &str) {
        let text = format!(r#"{{"updates":[{{{head}"values":[{values}]}}]}}"#);
        self.bus.gateways[0].gateway.stream_receive(self.client, &text);
    }

    /// Returns what was sent since the last call, heartbeats left out.
    fn sent(&mut self, millis: u64) -> Vec<String> {
        self.bus.run(millis);
        let frames = std::mem::take(&mut self.bus.frames);
        frames.into_iter().filter(|frame| !frame.starts_with("1DF011")).collect()
    }

    fn put(&mut self, path: &str, value: &str) -> (u16, String) {
        let gateway = &mut self.bus.gateways[0].gateway;
        let target = format!("/signalk/v1/api/vessels/self/{}", path.replace('.', "/"));
        let body = format!(r#"{{"value":{value}}}"#).into_bytes();
        gateway.request(&Request { body, ..Request::new(Method::Put, &target) });
        let (_, response) = gateway.next_response().expect("answered at once");
        (response.status, String::from_utf8(response.body.to_vec()).expect("text"))
    }
}

#[test]
fn only_paths_that_were_opted_in_are_sent() {
    for send in ["[]", r#"["environment.depth.*"]"#, r#"["environment.wind.speedApparent"]"#] {
        let mut sea = Sea::new(send);
        sea.values("", WIND);
        assert_eq!(sea.sent(2000), [""; 0], "{send}");
    }
    let mut sea = Sea::new(r#"["environment.wind.*"]"#);
    sea.values("", WIND);
    assert_eq!(sea.sent(2000), ["09FD0264#FF0002E8E1FAFFFF"]);
}

#[test]
fn a_node_that_sends_says_so_in_its_list() {
    let mut sea = Sea::new(r#"["environment.wind.*"]"#);
    sea.bus.inject(&CanFrame::new(0x18ea_6423, &[0x00, 0xee, 0x01]).unwrap());
    let lists = sea.sent(100).concat();
    assert!(lists.contains("02FD01"), "130306: {lists}");
}

#[test]
fn the_period_of_the_pgn_is_kept_whatever_comes() {
    let mut sea = Sea::new(r#"["environment.wind.*","environment.depth.belowTransducer"]"#);
    let mut frames = Vec::new();
    for _ in 0..5000 {
        sea.values("", WIND);
        sea.values("", r#"{"path":"environment.depth.belowTransducer","value":4.2}"#);
        frames.extend(sea.sent(1));
    }
    let count = |id: &str| frames.iter().filter(|frame| frame.starts_with(id)).count();
    assert_eq!((count("09FD0264#"), count("0DF50B64#")), (50, 5));
}

#[test]
fn nothing_that_came_from_the_bus_goes_back() {
    let mut sea = Sea::new(r#"["*"]"#);
    // Wind, heading and depth of another device.
    for (id, data) in [
        (0x09fd_0223, [0xff, 0x00, 0x02, 0xe8, 0xe1, 0xfa, 0xff, 0xff]),
        (0x09f1_1223, [0xff, 0x10, 0x3b, 0xff, 0x7f, 0xff, 0x7f, 0xfc]),
        (0x0df5_0b23, [0xff, 0xb0, 0x01, 0x00, 0x00, 0xf4, 0x01, 0xff]),
    ] {
        sea.bus.inject(&CanFrame::new(id, &data).unwrap());
    }
    assert_eq!(sea.sent(3000), [""; 0]);
    // A client or plugin that repeats what it heard, with the source it came from in either form.
    for head in [
        r#""$source":"can0.35","#,
        r#""$source":"can0","#,
        r#""source":{"label":"other","type":"NMEA2000","pgn":130306,"src":"35"},"#,
    ] {
        sea.values(head, WIND);
        assert_eq!(sea.sent(1000), [""; 0], "{head}");
    }
    let status = sea.bus.status(0);
    // Speed and angle of the bus, heading, depth and its two offsets; then three times two.
    assert!(status.contains(r#""sending":{"built":0,"unsent":0,"from_bus":1"#), "{status}");
    sea.values(r#""$source":"can01.35","#, WIND);
    assert_eq!(sea.sent(1000).len(), 1, "another source whose name begins alike");
}

#[test]
fn values_of_other_vessels_are_not_sent() {
    let mut sea = Sea::new(r#"["*"]"#);
    let text = format!(r#"{{"context":"vessels.urn:mrn:imo:mmsi:211000000","updates":[{{"values":[{WIND}]}}]}}"#);
    sea.bus.gateways[0].gateway.stream_receive(sea.client, &text);
    assert_eq!(sea.sent(1000), [""; 0]);
}

#[test]
fn what_a_plugin_emits_is_sent() {
    let mut sea = Sea::new(r#"["environment.depth.*"]"#);
    let delta = r#"{"updates":[{"values":[{"path":"environment.depth.belowTransducer","value":4.32}]}]}"#;
    let text = format!(
        r#"(module
            (import "env" "sk_handle_message" (func $emit (param i32 i32)))
            (memory (export "memory") 1)
            (data (i32.const 64) "{}")
            (func (export "plugin_id") (param i32 i32) (result i32) (i32.const 0))
            (func (export "allocate") (param i32) (result i32) (i32.const 4096))
            (func (export "deallocate") (param i32 i32))
            (func (export "plugin_start") (param i32 i32) (result i32)
                (call $emit (i32.const 64) (i32.const {})) (i32.const 0)))"#,
        delta.replace('"', "\\\""),
        delta.len()
    );
    let mut package = Package::from_wasm("sounder", wat::parse_str(text).expect("well formed")).expect("a module");
    package.capabilities = Capabilities::parse(r#"{"dataWrite":true}"#);
    let gateway = &mut sea.bus.gateways[0].gateway;
    gateway.install(package, Enabled::Always { config: None }).expect("installs");
    assert_eq!(sea.sent(1000), ["0DF50B64#FFB0010000FF7FFF"]);
}

#[test]
fn a_put_switches_the_device_that_has_the_bank() {
    let mut sea = Sea::new(r#"["electrical.switches.*"]"#);
    sea.bus.inject(&CanFrame::new(0x0df2_0d3c, &[2, 0xfc, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]).unwrap());
    sea.sent(10);
    let (status, body) = sea.put("electrical.switches.bank.2.5.state", "true");
    assert_eq!(status, 200, "{body}");
    assert!(body.contains(r#""state":"COMPLETED""#) && body.contains("sent to the bus"), "{body}");
    assert_eq!(sea.sent(100), ["0DED3C64#000A010DF201F802", "0DED3C64#0101020601FFFFFF", "0DF20E64#02FFFDFFFFFFFFFF"]);
    let (status, _) = sea.put("electrical.switches.bank.7.1.state", "0");
    assert_eq!((status, sea.sent(100)), (200, vec!["0DF20E64#07FCFFFFFFFFFFFF".to_owned()]));
}

#[test]
fn puts_that_cannot_be_sent_say_why() {
    let mut sea = Sea::new(r#"["electrical.switches.bank.2.*"]"#);
    let path = "electrical.switches.bank.2.5.state";
    assert_eq!(sea.put(path, "\"dim\"").0, 400);
    assert_eq!(sea.put("electrical.switches.bank.3.5.state", "true").0, 405, "not opted in");
    assert_eq!(sea.put("environment.wind.speedApparent", "5").0, 405, "no switch");
    assert_eq!(sea.sent(1000), [""; 0]);
    sea.bus.gateways[0].can.set_state(skiff_runtime::hal::CanState::BusOff);
    sea.sent(10);
    let (status, body) = sea.put(path, "true");
    assert!(status == 503 && body.contains("no address on the bus"), "{status} {body}");
    let mut listening = Bus::new(&[None]);
    listening.run(10);
    let client = listening.gateways[0].gateway.open_stream(&Request::new(Method::Get, "/signalk/v1/stream")).unwrap();
    let mut listening = Sea { bus: listening, client };
    assert_eq!((listening.put(path, "true").0, listening.sent(1000).len()), (405, 0));
}

#[test]
fn sources_have_their_priorities_across_inputs() {
    let mut sea = Sea::new("[]");
    let gateway = &mut sea.bus.gateways[0].gateway;
    let text =
        r#"{"navigation.headingTrue":[{"sourceRef":"can0.35","timeout":0},{"sourceRef":"can0.36","timeout":2000}]}"#;
    gateway.prefer(Priorities::parse(text).unwrap());
    let heading =
        |source: u32, raw: u8| CanFrame::new(0x09f1_1200 | source, &[0xff, raw, 0x3b, 0xff, 0x7f, 0xff, 0x7f, 0xfc]);
    let value = |sea: &Sea| {
        let own = ["vessels", "self", "navigation", "headingTrue", "value"];
        sea.bus.gateways[0].gateway.model().json_at(&own).map(|text| text.to_string())
    };
    sea.bus.inject(&heading(35, 0x10).unwrap());
    sea.sent(10);
    sea.bus.inject(&heading(36, 0x1a).unwrap());
    sea.sent(10);
    assert_eq!(value(&sea).as_deref(), Some("1.512"));
    sea.sent(2000);
    sea.bus.inject(&heading(36, 0x1a).unwrap());
    sea.sent(10);
    assert_eq!(value(&sea).as_deref(), Some("1.513"), "the better one is silent for more than two seconds");
    assert!(sea.bus.status(0).contains(r#""not_preferred":1"#));
}

#[test]
fn a_name_that_comes_late_leaves_no_second_source() {
    let mut bus = Bus::new(&[None]);
    let heading = |address: u32, raw: u8| {
        CanFrame::new(0x09f1_1200 | address, &[0xff, raw, 0x3b, 0xff, 0x7f, 0xff, 0x7f, 0xfc]).unwrap()
    };
    let claim = |address: u32, number: u8| {
        CanFrame::new(0x18ee_ff00 | address, &[number, 0, 0, 0, 0, 0x82, 0x32, 0xc0]).unwrap()
    };
    let leaf = |bus: &Bus| {
        let own = ["vessels", "self", "navigation", "headingTrue"];
        bus.gateways[0].gateway.model().json_at(&own).unwrap().to_string()
    };
    bus.inject(&heading(35, 0x10));
    bus.inject(&heading(36, 0x1a));
    bus.run(60_000);
    assert!(leaf(&bus).contains(r#""can0.35":{"#) && leaf(&bus).contains(r#""can0.36""#), "{}", leaf(&bus));
    bus.inject(&claim(35, 1));
    bus.run(10);
    let text = leaf(&bus);
    assert!(text.contains(r#""can0.c032820000000001":{"#) && !text.contains("can0.35"), "{text}");
    assert!(text.contains(r#""value":1.513,"$source":"can0.36""#), "the other one is not touched: {text}");
    // The device moved, and speaks before it claims its new address.
    bus.inject(&heading(40, 0x24));
    bus.inject(&claim(40, 1));
    bus.inject(&claim(36, 2));
    bus.run(10);
    let text = leaf(&bus);
    assert!(text.contains(r#""value":1.514,"$source":"can0.c032820000000001""#), "{text}");
    assert!(!text.contains("can0.40") && !text.contains("can0.36"), "{text}");
    let sources = bus.gateways[0].gateway.model().json_at(&["sources", "can0"]).unwrap();
    assert_eq!(sources.matches(r#""n2k":"#).count(), 2, "{sources}");
}

#[test]
fn a_source_is_its_name_wherever_it_sits() {
    let mut bus = Bus::new(&[None]);
    let name = [1, 0, 0, 0, 0, 0x82, 0x32, 0xc0];
    let claim = |address: u32| CanFrame::new(0x18ee_ff00 | address, &name).unwrap();
    let heading =
        |address: u32| CanFrame::new(0x09f1_1200 | address, &[0xff, 0x10, 0x3b, 0xff, 0x7f, 0xff, 0x7f, 0xfc]);
    let source = |bus: &Bus| {
        let own = ["vessels", "self", "navigation", "headingTrue", "$source"];
        bus.gateways[0].gateway.model().json_at(&own).map(|text| text.to_string())
    };
    for address in [35, 36] {
        bus.inject(&claim(address));
        bus.inject(&heading(address).unwrap());
        bus.run(10);
        assert_eq!(source(&bus).as_deref(), Some(r#""can0.c032820000000001""#), "{address}");
    }
    // As the operator of a Signal K server knows it, when asked for.
    let storage = &mut bus.gateways[0].storage;
    storage.replace(&Key::parse(N2K_FILE).unwrap(), br#"{"useCanName":false}"#).unwrap();
    let config = N2kConfig::load(storage, false).unwrap();
    bus.gateways[0].gateway.take_part(&config);
    bus.inject(&heading(36).unwrap());
    bus.run(10);
    let own = ["vessels", "self", "navigation", "headingTrue", "$source"];
    let now = bus.gateways[0].gateway.model().json_at(&own).map(|text| text.to_string());
    assert_eq!(now.as_deref(), Some(r#""can0.36""#));
}
