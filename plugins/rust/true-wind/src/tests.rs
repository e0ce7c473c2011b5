//! Deltas in, deltas out, with a host that records.

use super::TrueWind;
use skiff_plugin::bench::Boat;
use skiff_plugin::{Json, Refused};

const OWN: &str = "vessels.urn:mrn:signalk:uuid:00000000-0000-4000-8000-000000000001";

struct Rig(Boat<TrueWind>);

impl Rig {
    fn new(config: &str) -> Self {
        let mut boat = Boat::new(TrueWind::new());
        boat.start(config).unwrap();
        Self(boat)
    }

    fn emitted(&self) -> &[String] {
        &self.0.host.deltas
    }

    fn hear(&mut self, context: &str, second: f64, values: &[(&str, &str)]) {
        let values: Vec<String> =
            values.iter().map(|(path, value)| format!(r#"{{"path":"{path}","value":{value}}}"#)).collect();
        let text = format!(
            r#"{{"context":"{context}","updates":[{{"source":{{"label":"x"}},"timestamp":"2026-11-22T00:00:{second:06.3}Z","values":[{}],"$source":"x.1"}}]}}"#,
            values.join(",")
        );
        self.0.delta(&text);
    }

    fn wind(&mut self, second: f64, speed: &str, angle: &str) {
        self.hear(OWN, second, &[("environment.wind.speedApparent", speed), ("environment.wind.angleApparent", angle)]);
    }

    fn values(&self, index: usize) -> Vec<(&str, f64)> {
        Json::new(&self.emitted()[index]).values().map(|(path, value)| (path, value.number().unwrap())).collect()
    }
}

#[test]
fn each_apparent_wind_gives_one_true_wind() {
    let mut rig = Rig::new("{}");
    rig.wind(0.0, "5", "1");
    rig.hear(OWN, 0.0, &[("navigation.speedThroughWater", "3")]);
    rig.hear(OWN, 0.0, &[("navigation.headingTrue", "6")]);
    assert!(rig.emitted().is_empty());
    rig.wind(0.5, "5", "1.5707963");
    rig.wind(1.0, "5", "-1.5707963");
    assert_eq!(rig.emitted().len(), 2);
    // 5 m/s abeam and 3 m/s ahead: sqrt(34) from 2.1112 rad.
    let expected = [
        ("environment.wind.speedTrue", 5.831),
        ("environment.wind.angleTrueWater", 2.1112),
        ("environment.wind.directionTrue", 1.828),
    ];
    assert_eq!(rig.values(0), expected);
    assert_eq!(rig.values(1)[1].1, -2.1112);
    assert_eq!(rig.0.host.status.len(), 3, "{:?}", rig.0.host.status);
}

#[test]
fn without_a_heading_there_is_no_direction() {
    let mut rig = Rig::new("{}");
    rig.wind(0.0, "5", "1");
    rig.hear(OWN, 0.0, &[("navigation.speedThroughWater", "3"), ("navigation.headingMagnetic", "1")]);
    rig.wind(0.1, "5", "1");
    assert_eq!(rig.values(0).len(), 2);
    rig.hear(OWN, 0.2, &[("navigation.magneticVariation", "-0.5")]);
    rig.wind(0.3, "5", "0");
    assert_eq!(rig.values(1)[2], ("environment.wind.directionTrue", 0.5));
}

#[test]
fn stale_values_are_not_used() {
    let mut rig = Rig::new(r#"{"maxAgeSeconds":2}"#);
    rig.wind(0.0, "5", "1");
    rig.hear(OWN, 1.0, &[("navigation.speedThroughWater", "3"), ("navigation.headingTrue", "0")]);
    rig.wind(3.0, "5", "1");
    assert_eq!(rig.emitted().len(), 1);
    rig.wind(3.001, "5", "1");
    assert_eq!(rig.emitted().len(), 1);
    rig.hear(OWN, 3.1, &[("navigation.speedThroughWater", "3")]);
    rig.wind(3.2, "5", "1");
    assert_eq!(rig.values(1).len(), 2, "the heading is still stale");
    rig.wind(0.5, "5", "1");
    assert_eq!(rig.emitted().len(), 2, "a clock set back makes the speed useless");
}

#[test]
fn null_and_nonsense_forget_an_input() {
    for value in ["null", "\"3\"", "1e9", "{}", "[3]", "true"] {
        let mut rig = Rig::new("{}");
        rig.wind(0.0, "5", "1");
        rig.hear(OWN, 0.0, &[("navigation.speedThroughWater", "3")]);
        rig.hear(OWN, 0.1, &[("navigation.speedThroughWater", value)]);
        rig.wind(0.2, "5", "1");
        assert!(rig.emitted().is_empty(), "{value}");
        rig.hear(OWN, 0.3, &[("navigation.speedThroughWater", "3")]);
        rig.wind(0.4, value, "1");
        assert!(rig.emitted().is_empty(), "{value}");
    }
}

#[test]
fn other_vessels_are_ignored() {
    let mut rig = Rig::new("{}");
    let other = "vessels.urn:mrn:imo:mmsi:244000000";
    rig.hear(other, 0.0, &[("navigation.headingTrue", "1"), ("navigation.speedThroughWater", "9")]);
    rig.wind(0.0, "5", "0");
    rig.wind(0.1, "5", "0");
    rig.hear(other, 0.2, &[("navigation.headingTrue", "1"), ("navigation.speedThroughWater", "9")]);
    rig.wind(0.3, "5", "0");
    assert!(rig.emitted().is_empty());
    rig.hear(OWN, 0.4, &[("navigation.speedThroughWater", "1")]);
    rig.hear(other, 0.5, &[("environment.wind.speedApparent", "50"), ("environment.wind.angleApparent", "3")]);
    assert!(rig.emitted().is_empty());
    rig.wind(0.6, "5", "0");
    assert_eq!(rig.values(0), [("environment.wind.speedTrue", 4.0), ("environment.wind.angleTrueWater", 0.0)]);
}

#[test]
fn the_halves_of_an_apparent_wind_can_come_apart() {
    let mut rig = Rig::new("{}");
    rig.hear("vessels.self", 0.0, &[("navigation.speedThroughWater", "0")]);
    rig.hear("vessels.self", 0.1, &[("environment.wind.speedApparent", "4")]);
    assert!(rig.emitted().is_empty());
    rig.hear("vessels.self", 0.2, &[("environment.wind.angleApparent", "2")]);
    assert_eq!(rig.values(0), [("environment.wind.speedTrue", 4.0), ("environment.wind.angleTrueWater", 2.0)]);
    rig.hear("vessels.self", 0.3, &[("environment.wind.angleApparent", "2.5")]);
    assert_eq!(rig.emitted().len(), 1, "a half is used once");
}

#[test]
fn speed_over_ground_is_used_only_when_configured() {
    for (config, emitted) in [(r#"{"speed":"ground"}"#, 1), ("{}", 0)] {
        let mut rig = Rig::new(config);
        rig.hear("vessels.self", 0.0, &[("navigation.speedOverGround", "2")]);
        rig.wind(0.1, "4", "0");
        assert_eq!(rig.emitted().len(), emitted);
    }
}

#[test]
fn a_bad_configuration_refuses_to_start_and_says_why() {
    let mut boat = Boat::new(TrueWind::new());
    assert_eq!(boat.start(r#"{"speed":"air"}"#), Err(Refused));
    assert_eq!(boat.host.errors, [r#"speed must be "water" or "ground""#]);
}

#[test]
fn any_text_is_survived() {
    let mut rig = Rig::new("{}");
    for text in [
        "",
        "null",
        "[]",
        "{",
        r#"{"updates":7}"#,
        r#"{"updates":[null,{"values":{}},{"values":[null,7,{"path":7,"value":1},{"path":"x"}]}]}"#,
        r#"{"context":null,"updates":[]}"#,
        r#"{"updates":[{"timestamp":"soon","values":[{"path":"environment.wind.speedApparent","value":4},{"path":"environment.wind.angleApparent","value":1}]}]}"#,
    ] {
        rig.0.delta(text);
    }
    assert!(rig.emitted().is_empty());
}

#[test]
fn own_deltas_are_ignored() {
    let mut rig = Rig::new("{}");
    let text =
        r#"{"updates":[{"values":[{"path":"navigation.speedThroughWater","value":4}],"$source":"@skiff/true-wind"}]}"#;
    rig.0.delta(text);
    rig.wind(0.0, "5", "1");
    assert!(rig.emitted().is_empty());
}

#[test]
fn a_host_that_writes_rows_gets_the_same_wind() {
    let mut rig = Rig::new("{}");
    rig.0.set("navigation.speedThroughWater", "3");
    rig.0.set("navigation.headingTrue", "6");
    rig.0.set("environment.wind.speedApparent", "5");
    rig.0.update();
    assert!(rig.emitted().is_empty(), "one half");
    rig.0.wait(100);
    rig.0.set("environment.wind.angleApparent", "1.5707963");
    rig.0.update();
    assert_eq!(rig.values(0)[0], ("environment.wind.speedTrue", 5.831));
    rig.0.wait(6000);
    rig.0.set("environment.wind.speedApparent", "5");
    rig.0.set("environment.wind.angleApparent", "1");
    rig.0.update();
    assert_eq!(rig.emitted().len(), 1, "speed and heading are stale");
}
