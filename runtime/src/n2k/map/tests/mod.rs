use super::*;
use crate::n2k::SourceAddress;
use crate::n2k::encode::{Input, Inputs, encode, encode_as};
use crate::n2k::table::DefinitionRow;
use crate::n2k::tables::{Definition, Field};
use std::string::String;
use std::vec::Vec;

#[derive(Default)]
struct Collected(Vec<String>);

impl ValueSink for Collected {
    fn value_below(&mut self, base: &str, leaf: &str, value: Value<'_>) {
        let mut text = std::format!("{base}{leaf}=");
        value.write(&mut text).unwrap();
        self.0.push(text);
    }
}

mod gone;
mod makers;
mod memory;
mod power;
mod targets;

/// 2026-06-01T10:00:00Z.
const TIME: UnixMillis = UnixMillis(1_780_308_000_000);

/// Maps one payload, and remembers what it gave.
fn run(memory: &mut Memory, pgn: Pgn, decoded: &Decoded<'_>) -> Vec<String> {
    let mut sink = Collected::default();
    let id = Id { priority: 6, pgn, source: SourceAddress(7), destination: 255 };
    let (rule, mapping) = find(pgn).unwrap();
    let key = mapping.key(rule, id, decoded);
    let given = key.map_or(0, |key| memory.given(key));
    let mut scene = Scene { decoded, id, time: TIME, memory, sink: &mut sink, given };
    mapping.run(&mut scene);
    let given = scene.given;
    if let Some(key) = key {
        memory.keep_given(key, given);
    }
    sink.0
}

fn from(memory: &mut Memory, pgn: u32, fields: &[(Field, Input<'_>)]) -> Vec<String> {
    let payload = encode(Pgn(pgn), fields).unwrap();
    run(memory, Pgn(pgn), &Decoded::new(Pgn(pgn), &payload).unwrap())
}

/// Maps one message of a definition with groups of its repeating set.
fn defined(memory: &mut Memory, definition: Definition, fields: Inputs<'_>, groups: &[Inputs<'_>]) -> Vec<String> {
    let payload = encode_as(definition, fields, [groups, &[]]).unwrap();
    let pgn = Pgn(DefinitionRow::find(definition).unwrap().pgn);
    let decoded = Decoded::new(pgn, &payload).unwrap();
    assert_eq!(decoded.definition(), definition);
    run(memory, pgn, &decoded)
}

fn mapped(pgn: u32, fields: &[(Field, Input<'_>)]) -> Vec<String> {
    from(&mut Memory::default(), pgn, fields)
}

#[test]
fn rules_are_sorted_and_none_is_there_twice() {
    assert!(BY_PGN.is_sorted_by(|left, right| left.pgn < right.pgn));
    assert_eq!(find(Pgn(127_250)).map(|(_, mapping)| mapping.pgn), Some(127_250));
    assert!(find(Pgn(127_249)).is_none());
}

#[test]
fn references_pick_the_path() {
    for (reference, path) in [("True", "navigation.headingTrue=1"), ("Magnetic", "navigation.headingMagnetic=1")] {
        assert_eq!(
            mapped(127_250, &[(Field::Heading, Input::Raw(10_000)), (Field::Reference, Input::Text(reference))]),
            [path]
        );
    }
    assert!(mapped(127_250, &[(Field::Heading, Input::Raw(10_000))]).is_empty());
    let course = |reference| {
        mapped(129_026, &[(Field::Cog, Input::Raw(1)), (Field::Sog, Input::Raw(514)), (Field::CogReference, reference)])
    };
    assert_eq!(
        course(Input::Text("True")),
        ["navigation.speedOverGround=5.14", "navigation.courseOverGroundTrue=0.0001"]
    );
    assert_eq!(
        course(Input::Text("Magnetic")),
        ["navigation.speedOverGround=5.14", "navigation.courseOverGroundMagnetic=0.0001"]
    );
    assert_eq!(course(Input::Text("Error")), ["navigation.speedOverGround=5.14"]);
}

#[test]
fn speed_components_are_signed() {
    let speeds = |along, across| {
        let fields = [
            (Field::LongitudinalSpeedWaterReferenced, Input::Raw(along)),
            (Field::TransverseSpeedWaterReferenced, Input::Raw(across)),
        ];
        mapped(130_578, &fields)
    };
    let of = |along: &str, across: &str| {
        [
            std::format!("navigation.speedThroughWaterLongitudinal={along}"),
            std::format!("navigation.speedThroughWaterTransverse={across}"),
        ]
    };
    assert_eq!(speeds(3125, -250), of("3.125", "-0.25"));
    assert_eq!(speeds(-1, 0), of("-0.001", "0"));
    assert!(mapped(130_578, &[]).is_empty());
}

#[test]
fn wind_goes_by_its_reference_and_folds_angles() {
    let wind = |reference: Option<i64>| {
        let mut fields = std::vec![(Field::WindSpeed, Input::Raw(765)), (Field::WindAngle, Input::Raw(60_000))];
        fields.extend(reference.map(|code| (Field::Reference, Input::Raw(code))));
        mapped(130_306, &fields)
    };
    let apparent = ["environment.wind.speedApparent=7.65", "environment.wind.angleApparent=-0.28318530717958623"];
    assert_eq!(wind(None), apparent);
    assert_eq!(wind(Some(2)), apparent);
    assert_eq!(
        wind(Some(3)),
        ["environment.wind.speedTrue=7.65", "environment.wind.angleTrueWater=-0.28318530717958623"]
    );
    assert_eq!(wind(Some(0)), ["environment.wind.speedOverGround=7.65", "environment.wind.directionTrue=6"]);
    assert_eq!(wind(Some(1)), ["environment.wind.directionMagnetic=6"]);
    assert!(wind(Some(4)).is_empty() && wind(Some(5)).is_empty());
    assert_eq!(mapped(130_306, &[]), ["environment.wind.angleApparent=null"]);
}

#[test]
fn depth_counts_from_surface_or_keel_by_the_sign_of_the_offset() {
    let depth = |offset: i64| mapped(128_267, &[(Field::Depth, Input::Raw(250)), (Field::Offset, Input::Raw(offset))]);
    assert_eq!(depth(0), ["environment.depth.belowTransducer=2.5"]);
    assert_eq!(
        depth(305),
        [
            "environment.depth.belowTransducer=2.5",
            "environment.depth.surfaceToTransducer=0.305",
            "environment.depth.belowSurface=2.805"
        ]
    );
    assert_eq!(
        depth(-1305),
        [
            "environment.depth.belowTransducer=2.5",
            "environment.depth.transducerToKeel=1.305",
            "environment.depth.belowKeel=1.195"
        ]
    );
}

#[test]
fn positions_need_both_coordinates() {
    assert_eq!(
        mapped(129_025, &[(Field::Latitude, Input::Raw(-1)), (Field::Longitude, Input::Raw(1_234_567_890))]),
        [r#"navigation.position={"latitude":-1e-7,"longitude":123.456789}"#]
    );
    assert!(mapped(129_025, &[(Field::Latitude, Input::Raw(-1))]).is_empty());
}

#[test]
fn satellite_time_has_a_fraction_only_where_there_is_one() {
    let time =
        |raw: i64| mapped(129_029, &[(Field::Date, Input::Raw(20_605)), (Field::Time, Input::Raw(raw))]).remove(0);
    assert_eq!(time(360_000_000), r#"navigation.datetime="2026-06-01T10:00:00Z""#);
    assert_eq!(time(360_001_234), r#"navigation.datetime="2026-06-01T10:00:00.12340Z""#);
    assert_eq!(time(360_000_001), r#"navigation.datetime="2026-06-01T10:00:00.00010Z""#);
}

#[test]
fn satellite_texts_are_spelled_as_signal_k_does() {
    let values = mapped(
        129_029,
        &[
            (Field::GnssType, Input::Text("GPS+GLONASS")),
            (Field::Method, Input::Text("no GNSS")),
            (Field::Integrity, Input::Text("No integrity checking")),
            (Field::NumberOfSvs, Input::Raw(0)),
            (Field::Hdop, Input::Raw(80)),
        ],
    );
    assert_eq!(
        values,
        [
            "navigation.gnss.satellites=0",
            "navigation.gnss.horizontalDilution=0.8",
            r#"navigation.gnss.type="Combined GPS/GLONASS""#,
            r#"navigation.gnss.methodQuality="no GPS""#,
            r#"navigation.gnss.integrity="no Integrity checking""#,
        ]
    );
}

#[test]
fn engines_are_named_by_instance_and_percent_become_ratios() {
    let rapid = |instance: i64| {
        mapped(
            127_488,
            &[
                (Field::Instance, Input::Raw(instance)),
                (Field::Speed, Input::Raw(7200)),
                (Field::TiltTrim, Input::Raw(-50)),
            ],
        )
    };
    assert_eq!(rapid(0), ["propulsion.port.revolutions=30", "propulsion.port.drive.trimState=-0.5"]);
    assert_eq!(rapid(1), ["propulsion.starboard.revolutions=30", "propulsion.starboard.drive.trimState=-0.5"]);
    assert_eq!(rapid(11), ["propulsion.11.revolutions=30", "propulsion.11.drive.trimState=-0.5"]);
    assert_eq!(mapped(127_488, &[(Field::Instance, Input::Raw(0))]), ["propulsion.port.revolutions=null"]);
    assert!(mapped(127_488, &[(Field::Speed, Input::Raw(7200))]).is_empty());
}

#[test]
fn engine_values_are_in_si_units_and_every_flag_speaks() {
    let values = mapped(
        127_489,
        &[
            (Field::Instance, Input::Raw(1)),
            (Field::FuelRate, Input::Raw(36)),
            (Field::CoolantPressure, Input::Raw(1000)),
            (Field::FuelPressure, Input::Raw(350)),
            (Field::EngineLoad, Input::Raw(45)),
            (Field::TotalEngineHours, Input::Raw(15_389_640)),
            (Field::DiscreteStatus1, Input::Raw(1 << 5)),
            (Field::DiscreteStatus2, Input::Raw(0)),
        ],
    );
    assert_eq!(
        values.get(..6).unwrap(),
        [
            "propulsion.starboard.fuel.rate=0.000001",
            "propulsion.starboard.runTime=15389640",
            "propulsion.starboard.coolantPressure=100000",
            "propulsion.starboard.engineLoad=0.45",
            "propulsion.starboard.fuel.pressure=350000",
            r#"notifications.propulsion.starboard.checkEngine={"state":"normal","method":[],"message":"Check Starboard Engine is Normal"}"#,
        ]
    );
    assert_eq!(values.len(), 5 + 24);
    let alarms: Vec<_> = values.iter().filter(|value| value.contains("alarm")).collect();
    assert_eq!(
        alarms,
        [
            r#"notifications.propulsion.starboard.lowSystemVoltage={"state":"alarm","method":["visual","sound"],"message":"Starboard Low System Voltage"}"#
        ]
    );
}

#[test]
fn every_flag_of_every_engine_is_json() {
    for (instance, bits) in [0, 1, 252].into_iter().flat_map(|instance| [(instance, 0), (instance, 0x1f)]) {
        let status = [(Field::Instance, Input::Raw(instance)), (Field::DiscreteStatus1, Input::Raw(bits))];
        let engine = [status.as_slice(), &[(Field::DiscreteStatus2, Input::Raw(bits))]].concat();
        for (values, count) in [(mapped(127_489, &engine), 24), (mapped(127_493, &status), 5)] {
            let flags: Vec<_> = values.iter().filter_map(|value| value.split_once("={")).collect();
            assert_eq!(flags.len(), count, "{instance} {bits}");
            for (path, json) in flags {
                let value: serde_json::Value = serde_json::from_str(&std::format!("{{{json}")).expect(path);
                assert!(value["message"].as_str().is_some_and(|text| text.len() > 8) && value["method"].is_array());
            }
        }
    }
}

#[test]
fn the_lamps_of_a_gear_speak_of_the_gear() {
    let gear = |status: i64| {
        mapped(127_493, &[(Field::Instance, Input::Raw(0)), (Field::DiscreteStatus1, Input::Raw(status))])
    };
    let [check, rest @ ..] = &gear(1)[..] else { panic!("nothing") };
    assert!(check.starts_with("notifications.propulsion.port.transmission.checkTransmission={"), "{check}");
    assert!(check.contains(r#""state":"alarm""#) && check.ends_with(r#""message":"Check Port Transmission"}"#));
    assert!(rest.iter().all(|lamp| lamp.contains("Port Transmission ") && lamp.contains(r#"is Normal""#)), "{rest:?}");
    assert!(gear(0)[0].ends_with(r#""message":"Check Port Transmission is Normal"}"#));
}

#[test]
fn tanks_and_batteries_go_by_instance() {
    let tank = |kind: i64| {
        mapped(
            127_505,
            &[(Field::Instance, Input::Raw(2)), (Field::Type, Input::Raw(kind)), (Field::Capacity, Input::Raw(1500))],
        )
    };
    assert_eq!(tank(1), ["tanks.freshWater.2.currentLevel=null", "tanks.freshWater.2.capacity=0.15"]);
    assert_eq!(tank(9), ["tanks.undefined.2.currentLevel=null", "tanks.undefined.2.capacity=0.15"]);
    assert!(mapped(127_505, &[(Field::Level, Input::Raw(1))]).is_empty());
    assert_eq!(
        mapped(
            127_508,
            &[
                (Field::Instance, Input::Raw(252)),
                (Field::Voltage, Input::Raw(1280)),
                (Field::Current, Input::Raw(-31))
            ]
        ),
        ["electrical.batteries.252.voltage=12.8", "electrical.batteries.252.current=-3.1"]
    );
    assert!(mapped(127_508, &[(Field::Voltage, Input::Raw(1280))]).is_empty());
}

#[test]
fn temperatures_go_by_their_source() {
    let instance = |source: i64| {
        mapped(
            130_312,
            &[
                (Field::Instance, Input::Raw(3)),
                (Field::Source, Input::Raw(source)),
                (Field::ActualTemperature, Input::Raw(30_000)),
            ],
        )
    };
    assert_eq!(instance(0), ["environment.water.temperature=300"]);
    assert_eq!(instance(2), ["environment.inside.3.temperature=300"]);
    assert_eq!(instance(15), ["generic.temperatures.userDefinedShaft_Seal_Temperature.3.temperature=300"]);
    assert_eq!(instance(143), ["generic.temperatures.userDefined143.3.temperature=300"]);
    assert!(mapped(130_312, &[(Field::ActualTemperature, Input::Raw(30_000))]).is_empty());
    let climate = |source: i64| {
        let fields = [
            (Field::TemperatureSource, Input::Raw(source)),
            (Field::Temperature, Input::Raw(30_000)),
            (Field::Humidity, Input::Raw(15_050)),
        ];
        mapped(130_311, &fields)
    };
    assert_eq!(climate(14), ["propulsion.default.exhaustTemperature=300", "environment.outside.humidity=0.602"]);
    assert_eq!(climate(15), ["environment.outside.humidity=0.602"]);
}

#[test]
fn zero_means_no_sensor_where_devices_send_it_so() {
    assert!(
        mapped(130_310, &[(Field::WaterTemperature, Input::Raw(0)), (Field::AtmosphericPressure, Input::Raw(0))])
            .is_empty()
    );
    assert_eq!(
        mapped(130_310, &[(Field::AtmosphericPressure, Input::Raw(1013))]),
        ["environment.outside.pressure=101300"]
    );
    assert_eq!(
        mapped(128_259, &[(Field::SpeedWaterReferenced, Input::Raw(0)), (Field::SpeedGroundReferenced, Input::Raw(0))]),
        ["navigation.speedThroughWater=0"]
    );
}
