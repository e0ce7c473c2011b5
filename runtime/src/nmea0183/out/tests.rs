use super::*;
use crate::delta::{DeltaWriter, UpdateHead, ValueSink};
use crate::json::Value;
use crate::n2k::DeltaForm;
use crate::nmea0183 as input;
use proptest::prelude::*;
use std::format;
use std::string::{String, ToString};
use std::vec;
use std::vec::Vec;

const SELF: &str = "vessels.urn:mrn:signalk:uuid:0";
const NOW: UnixMillis = UnixMillis(1_780_308_000_000);
const STAMP: &str = "2026-06-01T10:00:00.500Z";

fn at(millis: u64) -> Instant {
    Instant::from_millis(millis)
}

fn delta(context: &str, values: &[(&str, &str)]) -> Delta {
    let mut writer = DeltaWriter::new(None, Some(context));
    writer.update(&UpdateHead { source_ref: Some("x.1"), timestamp: Some(STAMP), ..UpdateHead::default() });
    values.iter().for_each(|(path, value)| writer.value(path, Value::Json(value)));
    writer.finish().unwrap()
}

fn lines(sentences: &mut Sentences) -> Vec<String> {
    core::iter::from_fn(|| sentences.next_line()).map(|line| line.to_string()).collect()
}

/// What is made of values of the own vessel, without check sum and end.
fn made(kinds: &str, values: &[(&str, &str)]) -> Vec<String> {
    let config = Config { kinds: Kinds::named(kinds).unwrap(), ..Config::default() };
    let mut sentences = Sentences::new(config, SELF);
    sentences.hear(&delta(SELF, values), at(0));
    sentences.poll(at(0));
    lines(&mut sentences).iter().map(|line| line.split('*').next().unwrap().to_owned()).collect()
}

/// Path and value of what our own parser reads.
fn read(lines: &[String]) -> Vec<(String, String, String)> {
    let mut parser = input::Sentences::new("out");
    let mut all = Vec::new();
    for line in lines {
        assert!(line.len() <= LINE_BYTES_MAX && line.ends_with("\r\n"), "{line}");
        let form = DeltaForm::Stamped { self_context: SELF };
        let Some(delta) = parser.delta(line, NOW, form).unwrap_or_else(|error| panic!("{line}: {error}")) else {
            continue;
        };
        for update in delta.updates() {
            all.extend(update.values().map(|(path, value)| (delta.context().into(), path.into(), value.into())));
        }
    }
    all
}

const POSITION: (&str, &str) = ("navigation.position", r#"{"longitude":-10.26,"latitude":54.5}"#);
const SPEED: (&str, &str) = ("navigation.speedOverGround", "3.6011111111111114");
const COURSE: (&str, &str) = ("navigation.courseOverGroundTrue", "1.5707963267948966");
const VARIATION: (&str, &str) = ("navigation.magneticVariation", "-0.05235987755982988");

/// Checked by hand against the field order of NMEA 0183 version 2.3.
#[test]
fn each_sentence_has_its_fields_in_order() {
    for (kind, values, wanted) in [
        (
            "RMC",
            vec![POSITION, SPEED, COURSE, VARIATION, ("navigation.datetime", "\"2026-05-31T23:59:59.250Z\"")],
            "$IIRMC,235959.25,A,5430.0000,N,01015.6000,W,7.00,90.00,310526,3.00,W,A",
        ),
        // A boat at rest has no course; without a clock the time is the update's.
        ("RMC", vec![POSITION], "$IIRMC,100000.50,A,5430.0000,N,01015.6000,W,,,010626,,,A"),
        (
            "GGA",
            vec![
                ("navigation.position", r#"{"longitude":10.26,"latitude":-54.5}"#),
                ("navigation.gnss.methodQuality", "\"DGNSS fix\""),
                ("navigation.gnss.satellites", "8"),
                ("navigation.gnss.horizontalDilution", "0.9"),
                ("navigation.gnss.antennaAltitude", "-1.5"),
                ("navigation.gnss.geoidalSeparation", "46.9"),
                ("navigation.gnss.differentialAge", "4"),
                ("navigation.gnss.differentialReference", "120"),
            ],
            "$IIGGA,100000.50,5430.0000,S,01015.6000,E,2,08,0.9,-1.5,M,46.9,M,4,0120",
        ),
        ("GGA", vec![POSITION], "$IIGGA,100000.50,5430.0000,N,01015.6000,W,1,,,,M,,M,,"),
        ("GLL", vec![POSITION], "$IIGLL,5430.0000,N,01015.6000,W,100000.50,A,A"),
        ("VTG", vec![SPEED, COURSE, VARIATION], "$IIVTG,90.00,T,93.00,M,7.00,N,12.96,K,A"),
        ("VTG", vec![SPEED], "$IIVTG,,T,,M,7.00,N,12.96,K,A"),
        ("HDG", vec![("navigation.headingMagnetic", "1.5707963267948966"), VARIATION], "$IIHDG,90.00,,,3.00,W"),
        (
            "HDG",
            vec![
                ("navigation.headingMagnetic", "1.5707963267948966"),
                ("navigation.headingCompass", "1.5358897417550099"),
                ("navigation.magneticDeviation", "0.03490658503988659"),
            ],
            "$IIHDG,88.00,2.00,E,,",
        ),
        ("HDT", vec![("navigation.headingTrue", "6.2831853")], "$IIHDT,0.00,T"),
        ("HDT", vec![("navigation.headingMagnetic", "0"), VARIATION], "$IIHDT,357.00,T"),
        ("HDM", vec![("navigation.headingMagnetic", "3.141592653589793")], "$IIHDM,180.00,M"),
        ("HDM", vec![("navigation.headingTrue", "0"), VARIATION], "$IIHDM,3.00,M"),
        (
            "MWVR",
            vec![("environment.wind.angleApparent", "-0.7853981633974483"), ("environment.wind.speedApparent", "8.25")],
            "$IIMWV,315.00,R,8.25,M,A",
        ),
        (
            "MWVT",
            vec![("environment.wind.angleTrueWater", "2.356194490192345"), ("environment.wind.speedTrue", "10")],
            "$IIMWV,135.00,T,10.00,M,A",
        ),
        (
            "VHW",
            vec![("navigation.speedThroughWater", "3.6011111111111114"), ("navigation.headingTrue", "0"), VARIATION],
            "$IIVHW,0.00,T,3.00,M,7.00,N,12.96,K",
        ),
        ("VHW", vec![("navigation.speedThroughWater", "0")], "$IIVHW,,T,,M,0.00,N,0.00,K"),
        ("DBT", vec![("environment.depth.belowTransducer", "10")], "$IIDBT,32.8,f,10.00,M,5.5,F"),
        ("DPT", vec![("environment.depth.belowTransducer", "4.1")], "$IIDPT,4.10,"),
        (
            "DPT",
            vec![("environment.depth.belowTransducer", "4.1"), ("environment.depth.surfaceToTransducer", "0.2")],
            "$IIDPT,4.10,0.200",
        ),
        (
            "DPT",
            vec![("environment.depth.belowTransducer", "4.1"), ("environment.depth.transducerToKeel", "0.5")],
            "$IIDPT,4.10,-0.500",
        ),
        ("MTW", vec![("environment.water.temperature", "290.9")], "$IIMTW,17.75,C"),
        ("XDRBaro", vec![("environment.outside.pressure", "102481")], "$IIXDR,P,1.02481,B,Barometer"),
        ("XDRTemp", vec![("environment.outside.temperature", "272.65")], "$IIXDR,C,-0.50,C,TempAir"),
        (
            "XDRNA",
            vec![("navigation.attitude", r#"{"yaw":null,"pitch":-0.0122173,"roll":0.0157080}"#)],
            "$IIXDR,A,-0.7,D,PTCH,A,0.9,D,ROLL",
        ),
        ("ROT", vec![("navigation.rateOfTurn", "-0.0029088820866572")], "$IIROT,-10.00,A"),
        ("RSA", vec![("steering.rudderAngle", "-0.08726646259971647")], "$IIRSA,-5.00,A,,"),
        (
            "APB",
            vec![
                ("navigation.courseRhumbline.crossTrackError", "-185.2"),
                ("navigation.courseRhumbline.bearingTrackTrue", "0.19198621771937624"),
                ("navigation.courseRhumbline.nextPoint.bearingTrue", "0.20943951023931953"),
            ],
            "$IIAPB,A,A,0.100,R,N,V,V,11.00,T,,12.00,T,12.00,T",
        ),
        (
            "APB",
            vec![
                ("navigation.course.calcValues.crossTrackError", "1852"),
                ("navigation.course.calcValues.bearingTrackTrue", "0"),
                ("navigation.course.calcValues.bearingTrue", "0"),
                ("navigation.course.calcValues.bearingMagnetic", "0.05235987755982988"),
            ],
            "$IIAPB,A,A,1.000,L,N,V,V,0.00,T,,0.00,T,3.00,M",
        ),
        (
            "APB",
            vec![
                ("navigation.course.calcValues.crossTrackError", "1852"),
                ("navigation.course.calcValues.bearingTrackTrue", "0"),
                ("navigation.course.calcValues.bearingTrue", "0"),
                ("notifications.navigation.course.arrivalCircleEntered", r#"{"state":"alert","method":[]}"#),
                ("notifications.navigation.course.perpendicularPassed", r#"{"state":"normal","method":[]}"#),
            ],
            "$IIAPB,A,A,1.000,L,N,A,V,0.00,T,,0.00,T,0.00,T",
        ),
        ("XTE", vec![("navigation.courseGreatCircle.crossTrackError", "9.26")], "$IIXTE,A,A,0.005,L,N,A"),
        ("ZDA", vec![("navigation.datetime", "\"2026-05-31T23:59:59.250Z\"")], "$IIZDA,235959.25,31,05,2026,00,00"),
    ] {
        assert_eq!(made(kind, &values), [wanted], "{kind}");
    }
}

#[test]
fn without_what_it_needs_no_sentence_is_made() {
    let no_fix = ("navigation.gnss.methodQuality", "\"no GPS\"");
    let wind = ("environment.wind.angleApparent", "1");
    let error = ("navigation.courseGreatCircle.crossTrackError", "9");
    for (kind, values) in [
        ("RMC", vec![no_fix, POSITION]),
        ("GGA", vec![no_fix, POSITION]),
        ("GLL", vec![POSITION, ("navigation.position", "null")]),
        ("MWV", vec![wind]),
        ("HDT", vec![("navigation.headingMagnetic", "1")]),
        ("APB", vec![error]),
        ("XDRNA", vec![("navigation.attitude", r#"{"pitch":0.1}"#)]),
        ("ZDA", vec![("navigation.datetime", "\"noon\"")]),
        ("ZDA", vec![("navigation.datetime", "\"1970-01-01T00:00:01Z\"")]),
        ("VDO", vec![POSITION]),
        ("MTW", vec![("environment.water.temperature", "\"warm\"")]),
    ] {
        assert_eq!(made(kind, &values), [""; 0], "{kind}");
    }
}

#[test]
fn single_kinds_have_their_own_pace() {
    let mut paces = Paces::NONE;
    paces.set(Kinds::named("HDT").unwrap(), 250.try_into().unwrap());
    let mut kinds = Kinds::named("HDT").unwrap();
    kinds.join(Kinds::named("RMC").unwrap());
    let mut sentences = Sentences::new(Config { kinds, paces, ..Config::default() }, SELF);
    let mut made = [0, 0];
    for step in 0..40 {
        sentences.hear(&delta(SELF, &[POSITION, ("navigation.headingTrue", "1")]), at(step * 50));
        sentences.poll(at(step * 50));
        for line in lines(&mut sentences) {
            made[usize::from(line.starts_with("$IIHDT"))] += 1;
        }
    }
    assert_eq!(made, [2, 8], "RMC each second, HDT each quarter of one");
}

#[test]
fn a_sentence_comes_once_in_a_period_and_ends_with_what_it_is_made_of() {
    let config = Config { kinds: Kinds::named("RMC").unwrap(), ..Config::default() };
    let mut sentences = Sentences::new(config, SELF);
    assert_eq!(sentences.poll(at(0)), None);
    let mut count = 0;
    for tenth in 0..30 {
        sentences.hear(&delta(SELF, &[POSITION]), at(tenth * 100));
        let due = sentences.poll(at(tenth * 100));
        let lines = lines(&mut sentences);
        count += lines.len();
        assert_eq!(due.is_some(), lines.is_empty(), "what waits says when it is due");
    }
    assert_eq!(count, 3);
    // What came in the period is told at its end, and then nothing more.
    assert_eq!(sentences.poll(at(2900)), Some(at(3000)));
    assert_eq!((sentences.poll(at(3000)), lines(&mut sentences).len()), (None, 1));
    assert_eq!((sentences.poll(at(9000)), lines(&mut sentences).len()), (None, 0));
    // A speed that is too old leaves its field empty.
    sentences.hear(&delta(SELF, &[SPEED, POSITION]), at(10_000));
    sentences.poll(at(10_000));
    assert!(lines(&mut sentences)[0].contains(",W,7.00,,"));
    sentences.hear(&delta(SELF, &[POSITION]), at(20_001));
    sentences.poll(at(20_001));
    assert!(lines(&mut sentences)[0].contains(",W,,,"));
}

#[test]
fn what_is_switched_off_is_not_made_and_the_talker_is_the_one_given() {
    let mut kinds = Kinds::named("HDT").unwrap();
    kinds.join(Kinds::named("HDM").unwrap());
    kinds.remove(Kind::Hdm);
    let config = Config { kinds, talker: Talker::parse("HE").unwrap(), ..Config::default() };
    let mut sentences = Sentences::new(config, SELF);
    sentences.hear(&delta(SELF, &[("navigation.headingTrue", "0"), VARIATION, POSITION]), at(0));
    sentences.poll(at(0));
    assert_eq!(lines(&mut sentences), ["$HEHDT,0.00,T*1F\r\n"]);
    assert_eq!(
        (Talker::parse("PG"), Talker::parse("G"), Talker::parse("gp"), Talker::parse("é")),
        (None, None, None, None)
    );
}

#[test]
fn of_lines_that_nobody_takes_the_oldest_are_lost() {
    let mut sentences = Sentences::new(Config::default(), SELF);
    for second in 0..1000 {
        sentences.hear(&delta(SELF, &[POSITION, SPEED]), at(second * 1000));
        sentences.poll(at(second * 1000));
    }
    let counters = sentences.counters();
    assert!(counters.dropped > 0 && lines(&mut sentences).len() == usize::from(LINES_MAX));
}

const OTHER: &str = "vessels.urn:mrn:imo:mmsi:211234560";

const NAMED: [(&str, &str); 12] = [
    ("", r#"{"name":"SEA EAGLE"}"#),
    ("", r#"{"communication":{"callsignVhf":"DABC1"}}"#),
    ("", r#"{"registrations":{"imo":"IMO 9074729"}}"#),
    ("design.length", r#"{"overall":42}"#),
    ("design.beam", "8"),
    ("sensors.ais.fromBow", "12"),
    ("sensors.ais.fromCenter", "-1"),
    ("design.aisShipType", r#"{"id":36,"name":"Sailing"}"#),
    ("design.draft", r#"{"maximum":3.4}"#),
    ("navigation.destination.commonName", r#""KIEL""#),
    ("navigation.destination.eta", r#""2026-06-02T14:30:00.000Z""#),
    ("navigation.speedOverGround", "3.6011111111111114"),
];

fn targets(context: &str, class: &str, values: &[(&str, &str)]) -> Vec<String> {
    let mut sentences = Sentences::new(Config::default(), SELF);
    let class = [("sensors.ais.class", class)];
    sentences.hear(&delta(context, &[values, &class].concat()), at(0));
    sentences.poll(at(0));
    lines(&mut sentences)
}

/// Asserts that our own parser reads a value of a context.
fn assert_reads(all: &[(String, String, String)], context: &str, wanted: &[(&str, &str)]) {
    for (path, value) in wanted {
        let found = all.iter().any(|(of, known, read)| of == context && known == path && read == value);
        assert!(found, "{path} {value} is not in {all:#?}");
    }
}

#[test]
fn class_a_sends_where_it_is_and_who_it_is() {
    let motion = [
        POSITION,
        ("navigation.courseOverGroundTrue", "1.5707963267948966"),
        ("navigation.headingTrue", "1.5533430342749535"),
        ("navigation.state", r#""sailing""#),
        ("navigation.specialManeuver", r#""not engaged""#),
    ];
    let lines = targets(OTHER, "\"A\"", &[&motion[..], &NAMED].concat());
    assert_eq!(lines.len(), 3, "{lines:?}");
    assert!(
        lines[0].starts_with("!AIVDM,1,1,,A,1")
            && lines[1].starts_with("!AIVDM,2,1,")
            && lines[2].starts_with("!AIVDM,2,2,")
    );
    let all = read(&lines);
    assert_reads(&all, OTHER, &motion);
    assert_reads(&all, OTHER, &NAMED[..8]);
    assert_reads(
        &all,
        OTHER,
        &[
            ("design.draft", r#"{"current":3.4}"#),
            ("navigation.destination.commonName", "\"KIEL\""),
            ("navigation.destination.eta", "\"2026-06-02T14:30:00.000Z\""),
            ("navigation.speedOverGround", "3.6011111111111114"),
            ("sensors.ais.class", "\"A\""),
            ("", r#"{"mmsi":"211234560"}"#),
        ],
    );
}

#[test]
fn class_b_sends_its_name_and_its_ship_apart() {
    let lines = targets(OTHER, "\"B\"", &[&[POSITION][..], &NAMED].concat());
    let types: Vec<&str> = lines.iter().filter_map(|line| line.split(',').nth(5)?.get(..1)).collect();
    assert_eq!(types, ["B", "H", "H"], "18, 24 A, 24 B");
    let all = read(&lines);
    assert_reads(
        &all,
        OTHER,
        &[POSITION, NAMED[0], NAMED[1], NAMED[3], NAMED[4], NAMED[5], NAMED[6], NAMED[7], NAMED[11]],
    );
}

#[test]
fn a_mark_sends_what_and_where_it_is() {
    let mark = "atons.urn:mrn:imo:mmsi:992111111";
    let values = [
        POSITION,
        ("", r#"{"name":"KIEL LH"}"#),
        ("atonType", r#"{"id":20,"name":"Cardinal mark N"}"#),
        ("offPosition", "true"),
        ("virtual", "true"),
    ];
    let lines = targets(mark, "\"ATON\"", &values);
    assert_eq!(lines.len(), 1);
    let all = read(&lines);
    for (path, value) in [values[0], values[1], values[3], values[4]] {
        assert_reads(&all, mark, &[(path, value)]);
    }
    assert!(all.iter().any(|(_, path, value)| path == "atonType" && value.contains("\"id\":20")));
}

#[test]
fn a_target_of_unknown_class_or_without_a_number_sends_nothing() {
    for (context, class) in [(OTHER, "\"BASE\""), (OTHER, "null"), ("vessels.urn:mrn:signalk:uuid:1", "\"A\"")] {
        assert_eq!(targets(context, class, &[POSITION]), [""; 0], "{context} {class}");
    }
}

#[test]
fn the_own_vessel_is_told_as_vdo_when_its_number_is_known() {
    for (class, kind) in [("\"A\"", '1'), ("\"B\"", 'B')] {
        let mut sentences = Sentences::new(Config { kinds: Kinds::named("VDO").unwrap(), ..Config::default() }, OTHER);
        sentences.hear(&delta(OTHER, &[("sensors.ais.class", class), POSITION, SPEED, COURSE]), at(0));
        sentences.poll(at(0));
        let lines = lines(&mut sentences);
        assert!(lines[0].starts_with(&format!("!AIVDO,1,1,,A,{kind}")), "{lines:?}");
        // What the own vessel tells is the own vessel's.
        assert_reads(&read(&lines), SELF, &[POSITION, SPEED, COURSE]);
    }
}

#[test]
fn targets_are_bounded_and_all_are_told_although_the_queue_is_short() {
    let mut sentences = Sentences::new(Config::default(), SELF);
    for number in 0..TARGETS_MAX + 100 {
        let context = format!("vessels.urn:mrn:imo:mmsi:{:09}", 200_000_000 + number);
        sentences.hear(&delta(&context, &[("sensors.ais.class", "\"B\""), POSITION]), at(number as u64));
    }
    assert_eq!(sentences.targets(), TARGETS_MAX);
    let mut told = 0;
    while sentences.poll(at(5000)).is_some() {
        told += lines(&mut sentences).len();
    }
    told += lines(&mut sentences).len();
    assert_eq!((told, sentences.counters().dropped), (TARGETS_MAX, 0));
    // Who they are is told again after a while only, where they are each second.
    for (millis, count) in [(5999, 0), (6000, 1)] {
        let context = "vessels.urn:mrn:imo:mmsi:200000500";
        sentences.hear(&delta(context, &[POSITION, ("", r#"{"name":"A"}"#)]), at(millis));
        sentences.poll(at(millis));
        assert_eq!(lines(&mut sentences).iter().filter(|line| line.contains("A,B")).count(), count, "{millis}");
    }
}

/// What the parser reads of a path of the own vessel.
fn number(all: &[(String, String, String)], path: &str) -> f64 {
    let (_, _, value) = all.iter().find(|(_, known, _)| known == path).unwrap_or_else(|| panic!("{path}: {all:?}"));
    value.parse().unwrap()
}

/// How far two angles are apart.
fn apart(a: f64, b: f64) -> f64 {
    let apart = (a - b).rem_euclid(core::f64::consts::TAU);
    apart.min(core::f64::consts::TAU - apart)
}

/// Half of a hundredth of a degree, and what arithmetic adds.
const ANGLE: f64 = 0.005 * core::f64::consts::PI / 180.0 + 1e-9;

fn around(kinds: &str, values: &[(&str, f64)]) -> Vec<(String, String, String)> {
    let texts: Vec<String> = values.iter().map(|(_, value)| format!("{value}")).collect();
    let values: Vec<(&str, &str)> = values.iter().zip(&texts).map(|((path, _), text)| (*path, text.as_str())).collect();
    let mut sentences = Sentences::new(Config { kinds: Kinds::named(kinds).unwrap(), ..Config::default() }, SELF);
    sentences.hear(&delta(SELF, &values), at(0));
    sentences.poll(at(0));
    read(&lines(&mut sentences))
}

proptest! {
    #[test]
    fn positions_come_back_within_a_ten_thousandth_of_a_minute(latitude in -90.0..=90.0_f64, longitude in -180.0..=180.0_f64) {
        let value = format!(r#"{{"latitude":{latitude},"longitude":{longitude}}}"#);
        for kind in ["RMC", "GGA", "GLL"] {
            let mut sentences = Sentences::new(Config { kinds: Kinds::named(kind).unwrap(), ..Config::default() }, SELF);
            sentences.hear(&delta(SELF, &[("navigation.position", &value)]), at(0));
            sentences.poll(at(0));
            let all = read(&lines(&mut sentences));
            let (_, _, read) = all.iter().find(|(_, path, _)| path == "navigation.position").unwrap();
            let member = |name| json::member(read, name).and_then(json::number).unwrap();
            prop_assert!((member("latitude") - latitude).abs() <= 0.5 / 600_000.0 + 1e-9, "{read}");
            prop_assert!((member("longitude") - longitude).abs() <= 0.5 / 600_000.0 + 1e-9, "{read}");
        }
    }

    #[test]
    fn angles_and_speeds_come_back_within_the_last_digit(
        angle in -3.2..6.4_f64, speed in 0.0..100.0_f64, side in -3.1..3.1_f64, rate in -1.0..1.0_f64,
    ) {
        let knot = 1852.0 / 3600.0;
        let all = around("VTG", &[("navigation.courseOverGroundTrue", angle), ("navigation.speedOverGround", speed)]);
        prop_assert!(apart(number(&all, "navigation.courseOverGroundTrue"), angle) <= ANGLE);
        prop_assert!((number(&all, "navigation.speedOverGround") - speed).abs() <= 0.005 / 3.6 + 1e-9);
        let all = around("VHW", &[("navigation.headingTrue", angle), ("navigation.speedThroughWater", speed)]);
        prop_assert!(apart(number(&all, "navigation.headingTrue"), angle) <= ANGLE);
        prop_assert!((number(&all, "navigation.speedThroughWater") - speed).abs() <= 0.005 * knot + 1e-9);
        for (kind, angle_path, speed_path) in [
            ("MWVR", "environment.wind.angleApparent", "environment.wind.speedApparent"),
            ("MWVT", "environment.wind.angleTrueWater", "environment.wind.speedTrue"),
        ] {
            let all = around(kind, &[(angle_path, side), (speed_path, speed)]);
            prop_assert!(apart(number(&all, angle_path), side) <= ANGLE);
            prop_assert!((number(&all, speed_path) - speed).abs() <= 0.005 + 1e-9);
        }
        for (kind, path) in [("HDT", "navigation.headingTrue"), ("HDM", "navigation.headingMagnetic"), ("HDG", "navigation.headingMagnetic")] {
            prop_assert!(apart(number(&around(kind, &[(path, angle)]), path), angle) <= ANGLE);
        }
        prop_assert!(apart(number(&around("RSA", &[("steering.rudderAngle", side)]), "steering.rudderAngle"), side) <= ANGLE);
        prop_assert!((number(&around("ROT", &[("navigation.rateOfTurn", rate)]), "navigation.rateOfTurn") - rate).abs() <= ANGLE / 60.0);
    }

    #[test]
    fn depths_temperatures_and_errors_come_back_within_the_last_digit(
        depth in 0.0..12_000.0_f64, keel in 0.01..10.0_f64, kelvin in 174.0..372.0_f64, error in -1e6..1e6_f64,
    ) {
        for kind in ["DBT", "DPT"] {
            let all = around(kind, &[("environment.depth.belowTransducer", depth)]);
            prop_assert!((number(&all, "environment.depth.belowTransducer") - depth).abs() <= 0.005 + 1e-9);
        }
        let all = around("DPT", &[("environment.depth.belowTransducer", depth), ("environment.depth.transducerToKeel", keel)]);
        prop_assert!((number(&all, "environment.depth.transducerToKeel") - keel).abs() <= 0.0005 + 1e-9);
        let all = around("MTW", &[("environment.water.temperature", kelvin)]);
        prop_assert!((number(&all, "environment.water.temperature") - kelvin).abs() <= 0.0051);
        let all = around("XTE", &[("navigation.courseRhumbline.crossTrackError", error)]);
        prop_assert!((number(&all, "navigation.courseRhumbline.crossTrackError") - error).abs() <= 0.0005 * 1852.0 + 1e-6);
    }

    #[test]
    fn no_value_makes_a_line_that_is_none(number in any::<f64>(), text in ".{0,40}") {
        let quoted = json::quoted(&text);
        let number = if number.is_finite() { format!("{number}") } else { "null".to_string() };
        let place = format!(r#"{{"latitude":{number},"longitude":{number},"pitch":{number},"roll":{number}}}"#);
        for context in [SELF, OTHER] {
            let mut sentences = Sentences::new(Config { mmsi: Some(211_000_000), ..Config::default() }, SELF);
            let mut all = vec![("sensors.ais.class", "\"A\""), ("navigation.position", &*place), ("navigation.attitude", &*place)];
            let name = format!(r#"{{"name":{quoted},"communication":{{"callsignVhf":{quoted}}}}}"#);
            all.push(("", &name));
            for path in [
                "navigation.speedOverGround", "navigation.courseOverGroundTrue", "navigation.magneticVariation",
                "navigation.headingMagnetic", "navigation.headingTrue", "navigation.rateOfTurn", "environment.depth.belowTransducer",
                "environment.depth.transducerToKeel", "environment.wind.angleApparent", "environment.wind.speedApparent",
                "environment.outside.pressure", "steering.rudderAngle", "navigation.courseRhumbline.crossTrackError",
                "navigation.gnss.satellites", "navigation.gnss.differentialReference", "design.beam", "sensors.ais.fromBow",
                "sensors.ais.fromCenter",
            ] {
                all.push((path, &number));
            }
            all.push(("navigation.datetime", &quoted));
            sentences.hear(&delta(context, &all), at(0));
            sentences.poll(at(0));
            read(&lines(&mut sentences));
        }
    }
}
