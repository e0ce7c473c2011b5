//! Values that are not available any more: null, once, where they were given before.

use super::*;

type Fields = &'static [(Field, Input<'static>)];

/// Maps a message with values, the same without, again, and with values again.
fn gone(pgn: u32, with: Fields, without: Fields) -> Vec<String> {
    let mut memory = Memory::default();
    let first = from(&mut memory, pgn, without);
    let given = from(&mut memory, pgn, with);
    let gone = from(&mut memory, pgn, without);
    let after = from(&mut memory, pgn, without);
    assert_eq!(after, first, "{pgn}: told once, and never before there was a value");
    assert_eq!(from(&mut memory, pgn, with), given, "{pgn}: it is back");
    gone
}

#[test]
fn a_lost_bottom_is_told_with_the_depths_made_of_it() {
    let offset = (Field::Offset, Input::Raw(-500));
    assert_eq!(
        gone(128_267, &[(Field::Depth, Input::Raw(900)), (Field::Offset, Input::Raw(-500))], &[]),
        ["environment.depth.belowTransducer=null", "environment.depth.belowKeel=null"]
    );
    let mut memory = Memory::default();
    from(&mut memory, 128_267, &[(Field::Depth, Input::Raw(900)), offset]);
    assert_eq!(
        from(&mut memory, 128_267, &[offset]),
        [
            "environment.depth.belowTransducer=null",
            "environment.depth.transducerToKeel=0.5",
            "environment.depth.belowKeel=null"
        ]
    );
}

#[test]
fn a_lost_fix_is_told() {
    const HERE: Fields = &[(Field::Latitude, Input::Raw(600_000_000)), (Field::Longitude, Input::Raw(240_000_000))];
    assert_eq!(gone(129_025, HERE, &[]), ["navigation.position=null"]);
    assert_eq!(gone(129_029, HERE, &[])[0], "navigation.position=null");
    let moving: Fields =
        &[(Field::Sog, Input::Raw(514)), (Field::Cog, Input::Raw(1)), (Field::CogReference, Input::Raw(0))];
    for without in [&[][..], &[(Field::CogReference, Input::Raw(0))]] {
        assert_eq!(
            gone(129_026, moving, without),
            ["navigation.speedOverGround=null", "navigation.courseOverGroundTrue=null"]
        );
    }
}

#[test]
fn lost_sensors_are_told() {
    let heading: Fields = &[(Field::Heading, Input::Raw(1)), (Field::Reference, Input::Raw(1))];
    assert_eq!(gone(127_250, heading, &[]), ["navigation.headingMagnetic=null"]);
    assert_eq!(gone(127_250, heading, &[(Field::Reference, Input::Raw(1))]), ["navigation.headingMagnetic=null"]);
    let speed: Fields = &[(Field::SpeedWaterReferenced, Input::Raw(514))];
    assert_eq!(gone(128_259, speed, &[]), ["navigation.speedThroughWater=null"]);
    let temperatures: Fields = &[(Field::WaterTemperature, Input::Raw(29_000))];
    assert_eq!(gone(130_310, temperatures, &[]), ["environment.water.temperature=null"]);
    let oil: Fields = &[(Field::Instance, Input::Raw(0)), (Field::OilPressure, Input::Raw(3000))];
    let values = gone(127_489, oil, &[(Field::Instance, Input::Raw(0))]);
    let nulls: Vec<_> = values.iter().filter(|value| value.ends_with("=null")).collect();
    assert_eq!(nulls, ["propulsion.port.oilPressure=null"]);
}

#[test]
fn a_lost_wind_is_told_on_the_paths_that_it_had() {
    let wind = |memory: &mut Memory, reference: Option<i64>, speed: Option<i64>| {
        let mut fields = std::vec![];
        fields.extend(reference.map(|code| (Field::Reference, Input::Raw(code))));
        fields.extend(speed.map(|raw| (Field::WindSpeed, Input::Raw(raw))));
        fields.extend(speed.map(|raw| (Field::WindAngle, Input::Raw(raw))));
        from(memory, 130_306, &fields)
    };
    // One instrument tells both winds in turn: neither takes the other away.
    let mut memory = Memory::default();
    for _ in 0..2 {
        assert_eq!(wind(&mut memory, Some(2), Some(100))[0], "environment.wind.speedApparent=1");
        assert_eq!(wind(&mut memory, Some(3), Some(200))[0], "environment.wind.speedTrue=2");
    }
    assert_eq!(
        wind(&mut memory, Some(3), None),
        ["environment.wind.speedTrue=null", "environment.wind.angleTrueWater=null"]
    );
    wind(&mut memory, Some(3), Some(200));
    assert_eq!(
        wind(&mut memory, None, None),
        [
            "environment.wind.speedApparent=null",
            "environment.wind.angleApparent=null",
            "environment.wind.speedTrue=null",
            "environment.wind.angleTrueWater=null"
        ]
    );
}

#[test]
fn instances_and_sources_are_told_apart() {
    let mut memory = Memory::default();
    let mut inside = |source: i64, instance: i64, temperature: Option<i64>| {
        let mut fields = std::vec![(Field::Instance, Input::Raw(instance)), (Field::Source, Input::Raw(source))];
        fields.extend(temperature.map(|raw| (Field::ActualTemperature, Input::Raw(raw))));
        from(&mut memory, 130_312, &fields)
    };
    inside(2, 1, Some(29_000));
    inside(0, 1, Some(28_000));
    assert!(inside(2, 2, None).is_empty());
    assert_eq!(inside(2, 1, None), ["environment.inside.1.temperature=null"]);
    assert_eq!(inside(0, 1, None), ["environment.water.temperature=null"]);
}

#[test]
fn zero_that_stands_for_no_sensor_says_nothing() {
    let mut memory = Memory::default();
    let mut ground = |raw: Option<i64>| {
        let fields: Vec<_> = raw.map(|raw| (Field::SpeedGroundReferenced, Input::Raw(raw))).into_iter().collect();
        from(&mut memory, 128_259, &fields)
    };
    assert_eq!(ground(Some(100)), ["navigation.speedOverGround=1"]);
    assert!(ground(Some(0)).is_empty());
    assert_eq!(ground(None), ["navigation.speedOverGround=null"]);
}

#[test]
fn other_vessels_send_what_they_have() {
    let mut memory = Memory::default();
    let vessel = (Field::UserId, Input::Raw(211_234_567));
    from(&mut memory, 129_039, &[vessel, (Field::Heading, Input::Raw(1))]);
    assert!(from(&mut memory, 129_039, &[vessel]).iter().all(|value| !value.contains("null")));
}
