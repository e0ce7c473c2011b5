//! Deltas of other Signal K servers: whose vessel, which source, and nothing twice.

use serde_json::{Value, json};
use skiff_runtime::budget::{Board, Limits};
use skiff_runtime::config::Vessel;
use skiff_runtime::gateway::{Gateway, HOPS_MAX, InputId, REMOTE_SOURCES_MAX, Setup};
use skiff_runtime::hal::Hal;
use skiff_runtime::hal::sim::{SimClock, SimRng, SimStorage};
use skiff_runtime::server::Access;
use skiff_runtime::time::UnixMillis;

/// A gateway among others.
struct Station {
    gateway: Gateway,
    own: String,
}

impl Station {
    fn new(number: u32) -> Self {
        let own = format!("vessels.urn:mrn:signalk:uuid:00000000-0000-4000-8000-00000000000{number}");
        let hal = Hal {
            clock: Box::new(SimClock::new(UnixMillis(1_764_000_000_000))),
            rng: Box::new(SimRng::new(7)),
            storage: Box::new(SimStorage::new()),
            network: None,
            fetch: None,
            serial: None,
            can: Vec::new(),
        };
        let setup = Setup {
            limits: Limits::of(Board::Linux),
            vessel: Vessel { mmsi: Some("230099999".into()), ..Vessel::default() },
            self_context: own.clone(),
            access: Access::with_new_token(&mut SimRng::new(7)).0.allow_anyone(),
            strict: false,
            version: "test",
            events: false,
            poll_on_whole_seconds: false,
        };
        let mut gateway = Gateway::new(setup, hal);
        gateway.listen();
        Self { gateway, own }
    }

    /// Adds an input that hears the server of this vessel.
    fn hear(&mut self, label: &str, own: &str) -> InputId {
        let input = self.gateway.input(label);
        let hello = json!({"name": "other", "version": "2.32.0", "self": own, "roles": ["main"]});
        self.gateway.receive_remote(input, &hello.to_string());
        input
    }

    /// Returns what it gives out.
    fn given(&mut self) -> Vec<Value> {
        self.gateway.poll();
        let next = || self.gateway.next_output().map(|delta| serde_json::from_str(delta.text()).unwrap());
        std::iter::from_fn(next).collect()
    }

    fn input_status(&self, at: usize) -> Value {
        let status: Value = serde_json::from_str(&self.gateway.status_json()).unwrap();
        status["inputs"][at].clone()
    }
}

const SPEED: &str = "navigation.speedThroughWater";

fn speed(context: Option<&str>, source: &str, knots: f64) -> String {
    let mut delta = json!({"updates": [{"$source": source, "timestamp": "2025-11-24T16:00:00.000Z",
        "values": [{"path": SPEED, "value": knots}]}]});
    if let Some(context) = context {
        delta["context"] = context.into();
    }
    delta.to_string()
}

/// Source and value of the only value given out.
fn only(given: &[Value]) -> (String, Value) {
    assert_eq!(given.len(), 1, "{given:?}");
    let update = &given[0]["updates"][0];
    (update["$source"].as_str().unwrap().to_owned(), update["values"][0]["value"].clone())
}

#[test]
fn the_own_vessel_of_the_other_is_the_own_one_here_and_others_stay_others() {
    let mut here = Station::new(1);
    let there = "vessels.urn:mrn:imo:mmsi:211234560";
    let input = here.hear("bow", there);
    for (context, knots) in [(Some(there), 2.5), (Some("vessels.self"), 3.5), (None, 4.5)] {
        here.gateway.receive_remote(input, &speed(context, "can0.7", knots));
        let given = here.given();
        let (source, value) = only(&given);
        assert!(source.starts_with("bow.@") && source.ends_with(".can0.7") && source.len() == 20, "{source}");
        assert_eq!((&given[0]["context"], value), (&here.own.clone().into(), knots.into()));
        assert_eq!(given[0]["updates"][0]["timestamp"], "2025-11-24T16:00:00.000Z");
    }
    let target = "vessels.urn:mrn:imo:mmsi:211000001";
    here.gateway.receive_remote(input, &speed(Some(target), "can0.43", 1.0));
    assert_eq!(here.given()[0]["context"], target);
    // What others say of this vessel is not what it says itself.
    for own in [here.own.clone(), "vessels.urn:mrn:imo:mmsi:230099999".into()] {
        here.gateway.receive_remote(input, &speed(Some(&own), "can0.43", 9.0));
    }
    assert_eq!(here.given(), [] as [Value; 0]);
    let status = here.input_status(0);
    assert_eq!((&status["server"]["self"], &status["deltas"]), (&there.into(), &4.into()), "{status}");
    assert_eq!(status["server"]["refused"], json!({"loop": 0, "own_vessel": 2, "hops": 0, "sources": 0}));
}

#[test]
fn the_vessel_of_the_other_can_stay_another_one() {
    let mut here = Station::new(1);
    let there = "vessels.urn:mrn:imo:mmsi:211234560";
    let input = here.hear("fleet", there);
    here.gateway.keep_vessel_apart(input);
    here.gateway.receive_remote(input, &speed(None, "can0.7", 2.5));
    assert_eq!(here.given()[0]["context"], there);
    // Before its hello nobody knows whose it is.
    let input = here.gateway.input("silent");
    here.gateway.keep_vessel_apart(input);
    here.gateway.receive_remote(input, &speed(None, "can0.7", 2.5));
    assert_eq!(here.given(), [] as [Value; 0]);
}

#[test]
fn meta_and_source_objects_come_along_and_the_identity_does_not() {
    let mut here = Station::new(1);
    let input = here.hear("bow", "urn:mrn:signalk:uuid:00000000-0000-4000-8000-000000000009");
    let text = r#"{"updates":[{"source":{"label":"can0","type":"NMEA2000","pgn":128259,"src":"7"},
        "values":[{"path":"","value":{"name":"Another","mmsi":"211234560"}},{"path":"navigation.speedThroughWater","value":2}],
        "meta":[{"path":"navigation.speedThroughWater","value":{"displayName":"Log"}}]}]}"#;
    here.gateway.receive_remote(input, text);
    let given = here.given();
    let update = &given[0]["updates"][0];
    assert_eq!(update["source"], json!({"label": "bow", "type": "NMEA2000", "pgn": 128_259, "src": "7"}));
    assert!(update["$source"].as_str().unwrap().ends_with(".can0.7"), "{update}");
    assert_eq!(update["values"].as_array().unwrap().len(), 1, "{update}");
    assert_eq!(update["meta"][0]["value"]["displayName"], "Log");
    assert_eq!(update["timestamp"], "2025-11-24T16:00:00.000Z", "it had none");
}

/// Hands all that `from` has given to `to`, as the servers do.
fn hand(given: &[Value], to: &mut Station, input: InputId) {
    given.iter().for_each(|delta| to.gateway.receive_remote(input, &delta.to_string()));
}

#[test]
fn two_that_hear_each_other_take_nothing_twice() {
    let (mut one, mut two) = (Station::new(1), Station::new(2));
    let (of_two, of_one) = (one.hear("to-two", &two.own.clone()), two.hear("to-one", &one.own.clone()));
    let bus = one.gateway.input("can0");
    one.gateway.receive_delta(bus, &speed(None, "can0.7", 2.5), None);
    let from_one = one.given();
    hand(&from_one, &mut two, of_one);
    let from_two = two.given();
    assert_eq!(only(&from_two).1, 2.5);
    hand(&from_two, &mut one, of_two);
    assert_eq!(one.given(), [] as [Value; 0]);
    assert_eq!(one.input_status(0)["server"]["refused"]["loop"], 1);
    // What two has of its own comes through.
    let bus = two.gateway.input("can0");
    two.gateway.receive_delta(bus, &speed(None, "can0.7", 3.5), None);
    let from_two = two.given();
    hand(&from_two, &mut one, of_two);
    assert_eq!(only(&one.given()).1, 3.5);
}

#[test]
fn nothing_goes_round_a_ring_whatever_the_labels() {
    let mut ring = [Station::new(1), Station::new(2), Station::new(3)];
    let contexts: Vec<String> = ring.iter().map(|station| station.own.clone()).collect();
    let inputs: Vec<InputId> = (0..3).map(|at| ring[at].hear("same", &contexts[(at + 2) % 3])).collect();
    let bus = ring[0].gateway.input("can0");
    ring[0].gateway.receive_delta(bus, &speed(None, "can0.7", 2.5), None);
    let mut sources = Vec::new();
    for at in 0..3 {
        let given = ring[at].given();
        sources.push(only(&given).0);
        let next = (at + 1) % 3;
        hand(&given, &mut ring[next], inputs[next]);
    }
    assert_eq!(ring[0].given(), [] as [Value; 0], "round: {sources:?}");
    assert_eq!(sources[2].matches('@').count(), 2, "{sources:?}");
}

/// The same at so many milliseconds.
fn at(text: &str, millis: u32) -> String {
    text.replace("16:00:00.000", &format!("16:00:{:02}.{:03}", millis / 1000, millis % 1000))
}

#[test]
fn what_a_server_of_another_make_gives_back_under_its_own_name_is_known_again() {
    let mut here = Station::new(1);
    let input = here.hear("sk", "vessels.urn:mrn:imo:mmsi:211234560");
    let bus = here.gateway.input("can0");
    let own = |knots: f64, millis| at(&speed(None, "can0.7", knots), millis);
    let back = |knots: f64, millis| at(&speed(None, "here.10.0.0.7:3000", knots), millis);
    for step in 0..100 {
        here.gateway.receive_delta(bus, &own(2.5 + f64::from(step), 100 * step), None);
    }
    here.given();
    // All of it comes back, late.
    for step in 0..100 {
        here.gateway.receive_remote(input, &back(2.5 + f64::from(step), 100 * step));
    }
    assert_eq!(here.given(), [] as [Value; 0]);
    // Its own bus has a device that tells something else.
    here.gateway.receive_remote(input, &at(&speed(None, "can0.7", 4.5), 20));
    let given = here.given();
    assert_eq!(only(&given).1, 4.5);
    // And that, when it comes back from there.
    here.gateway.receive_remote(input, &at(&speed(None, &only(&given).0, 4.5), 20));
    here.gateway.receive_remote(input, &back(4.5, 20));
    assert_eq!((here.given().len(), here.input_status(0)["server"]["refused"]["loop"].as_u64()), (0, Some(102)));
}

#[test]
fn what_is_forgotten_goes_round_once_and_a_clock_that_is_set_back_is_believed() {
    let mut here = Station::new(1);
    let input = here.hear("sk", "vessels.urn:mrn:imo:mmsi:211234560");
    let mut taken = |knots: f64, millis| {
        here.gateway.receive_remote(input, &at(&speed(None, "x", knots), millis));
        here.given().len()
    };
    assert_eq!((taken(1.0, 59_000), taken(2.0, 59_100)), (1, 1));
    assert_eq!((taken(1.5, 59_050), taken(2.5, 59_100)), (0, 1), "older, and of the same moment");
    here.gateway.receive_remote(input, &speed(None, "x", 9.0).replace("T16:00:00", "T15:00:00"));
    assert_eq!(here.given().len(), 1);
}

#[test]
fn a_ring_with_a_server_that_renames_comes_to_rest() {
    let (mut here, there) = (Station::new(1), "vessels.urn:mrn:imo:mmsi:211234560");
    let input = here.hear("sk", there);
    let bus = here.gateway.input("can0");
    let mut rounds = 0;
    for step in 0..50 {
        for device in ["can0.7", "can0.8"] {
            here.gateway.receive_delta(bus, &at(&speed(None, device, f64::from(step)), 100 * step), None);
        }
        let alarm =
            speed(None, "can0.7", 1.0).replace(SPEED, "notifications.mob").replace("1.0", r#"{"state":"alarm"}"#);
        here.gateway.receive_delta(bus, &at(&alarm, 100 * step), None);
        let meta =
            alarm.replace("\"values\"", "\"meta\"").replace("notifications.mob", SPEED).replace("state", "description");
        here.gateway.receive_delta(bus, &at(&meta, 100 * step), None);
        // The other server gives back all that it hears.
        loop {
            let given = here.given();
            if given.is_empty() {
                break;
            }
            rounds += 1;
            for mut delta in given {
                delta["context"] = there.into();
                delta["updates"][0]["$source"] = "here.10.0.0.7:3000".into();
                for list in ["/updates/0/values/0/value", "/updates/0/meta/0/value"] {
                    if let Some(object) = delta.pointer_mut(list).and_then(Value::as_object_mut) {
                        object.insert("id".into(), "its own".into());
                    }
                }
                here.gateway.receive_remote(input, &delta.to_string());
            }
        }
    }
    assert_eq!((rounds, here.input_status(0)["deltas"].as_u64()), (50, Some(0)));
}

#[test]
fn hops_and_sources_are_limited_and_what_is_no_delta_is_counted() {
    let mut here = Station::new(1);
    let input = here.hear("bow", "vessels.urn:mrn:imo:mmsi:211234560");
    let far = |hops: usize| (0..hops).map(|hop| format!("l.@0000000{hop}.")).collect::<String>() + "can0.7";
    here.gateway.receive_remote(input, &speed(None, &far(HOPS_MAX - 1), 1.0));
    assert_eq!(here.given().len(), 1);
    here.gateway.receive_remote(input, &speed(None, &far(HOPS_MAX), 2.0));
    for number in 0..REMOTE_SOURCES_MAX + 10 {
        here.gateway
            .receive_remote(input, &at(&speed(None, &format!("x.{number}"), 3.0), u32::try_from(number).unwrap()));
    }
    for bad in ["", "{", "[]", "7", r#"{"updates":7}"#, &format!("{{\"a\":\"{}\"}}", "x".repeat(70_000))] {
        here.gateway.receive_remote(input, bad);
    }
    for empty in
        ["{}", r#"{"updates":[]}"#, r#"{"requestId":"x","state":"COMPLETED"}"#, r#"{"self":7}"#, r#"{"self":""}"#]
    {
        here.gateway.receive_remote(input, empty);
    }
    let status = here.input_status(0);
    assert_eq!(status["server"]["refused"], json!({"loop": 0, "own_vessel": 0, "hops": 1, "sources": 11}), "{status}");
    assert_eq!((&status["bad_lines"], &status["deltas"]), (&6.into(), &REMOTE_SOURCES_MAX.into()), "{status}");
}

#[test]
fn an_input_says_where_it_comes_from() {
    let mut here = Station::new(1);
    let input = here.gateway.input("bow");
    here.gateway.describe_input(input, "ws://bow.local:3000");
    let status = here.input_status(0);
    assert_eq!(
        (&status["label"], &status["address"], &status["rate"]),
        (&"bow".into(), &"ws://bow.local:3000".into(), &0.into())
    );
    assert_eq!(status.get("server"), None);
}
