use super::*;
use aivdm::NavigationStatus;
use std::format;
use std::string::{String, ToString};
use std::vec::Vec;

const NOW: UnixMillis = UnixMillis(1_780_308_000_000);
const SELF: &str = "vessels.urn:mrn:signalk:uuid:0";

/// Adds the check sum.
fn summed(body: &str) -> String {
    let sum = body.bytes().skip(1).fold(0, |sum, byte| sum ^ byte);
    format!("{body}*{sum:02X}")
}

fn read(sentences: &mut Sentences, line: &str) -> Option<Delta> {
    sentences.delta(line, NOW, DeltaForm::Stamped { self_context: SELF }).unwrap()
}

/// Path and value of all that a sentence gives.
fn values(body: &str) -> Vec<String> {
    let delta = read(&mut Sentences::new("gps"), &summed(body));
    let list = |delta: Delta| {
        delta
            .updates()
            .flat_map(|update| update.values().map(|(path, value)| format!("{path}={value}")).collect::<Vec<_>>())
            .collect()
    };
    delta.map_or(Vec::new(), list)
}

#[test]
fn positions_speeds_and_times_of_rmc() {
    assert_eq!(
        values("$GPRMC,100000.50,A,5430.0000,N,01015.6000,W,7.0,90.0,010626,003.0,W,A"),
        [
            r#"navigation.position={"longitude":-10.26,"latitude":54.5}"#,
            "navigation.courseOverGroundTrue=1.5707963267948966",
            "navigation.speedOverGround=3.6011111111111114",
            "navigation.magneticVariation=-0.05235987755982988",
            "navigation.magneticVariationAgeOfService=1780308000",
            "navigation.datetime=\"2026-06-01T10:00:00.500Z\"",
        ]
    );
    // Without a fix there is the time only, and without that nothing.
    assert_eq!(values("$GPRMC,100000,V,,,,,,,010626,,,N"), ["navigation.datetime=\"2026-06-01T10:00:00.000Z\""]);
    assert_eq!(values("$GPRMC,,V,,,,,,,,,,N"), [""; 0]);
    // Its time is the delta's.
    let delta = read(&mut Sentences::new("gps"), &summed("$GPRMC,235959.9,V,,,,,,,311285,,,N")).unwrap();
    assert_eq!(delta.updates().next().unwrap().timestamp(), "1985-12-31T23:59:59.900Z");
}

#[test]
fn gga_has_the_quality_and_no_position_without_a_fix() {
    assert_eq!(
        values("$GPGGA,100000,5430.00,S,01015.60,E,2,08,0.9,-1.5,M,46.9,M,4,0120"),
        [
            r#"navigation.position={"longitude":10.26,"latitude":-54.5}"#,
            "navigation.gnss.methodQuality=\"DGNSS fix\"",
            "navigation.gnss.satellites=8",
            "navigation.gnss.antennaAltitude=-1.5",
            "navigation.gnss.horizontalDilution=0.9",
            "navigation.gnss.geoidalSeparation=46.9",
            "navigation.gnss.differentialAge=4",
            "navigation.gnss.differentialReference=120",
        ]
    );
    assert_eq!(
        values("$GPGGA,100000,5430.00,N,01015.60,E,0,00,,,M,,M,,"),
        ["navigation.gnss.methodQuality=\"no GPS\"", "navigation.gnss.satellites=0"]
    );
}

#[test]
fn every_kind_gives_its_paths_in_units_of_signal_k() {
    for (body, wanted) in [
        ("$GPGLL,5430.00,N,01015.60,E,100000,A,A", r#"navigation.position={"longitude":10.26,"latitude":54.5}"#),
        ("$GPVTG,,T,,M,,N,36.0,K,A", "navigation.speedOverGround=10"),
        (
            "$GPVTG,180,T,90,M,3600,N,,K,D",
            "navigation.courseOverGroundMagnetic=1.5707963267948966 navigation.courseOverGroundTrue=3.141592653589793",
        ),
        ("$HEHDT,360.0,T", "navigation.headingTrue=0"),
        ("$HCHDM,180.0,M", "navigation.headingMagnetic=3.141592653589793"),
        ("$HCHDG,180.0,,,,", "navigation.headingMagnetic=3.141592653589793"),
        (
            "$HCHDG,359.0,2.0,E,1.0,W",
            "navigation.headingMagnetic=0.017453292519943295 navigation.headingCompass=6.265732014659642 \
             navigation.headingTrue=0 navigation.magneticVariation=-0.017453292519943295 \
             navigation.magneticDeviation=0.03490658503988659",
        ),
        ("$SDDBT,32.8,f,10.0,M,5.4,F", "environment.depth.belowTransducer=10"),
        ("$SDDBT,10.0,f,,M,,F", "environment.depth.belowTransducer=3.048"),
        (
            "$SDDPT,4.1,0.2",
            "environment.depth.belowTransducer=4.1 environment.depth.surfaceToTransducer=0.2 environment.depth.belowSurface=4.3",
        ),
        (
            "$SDDPT,4.1,-1.0",
            "environment.depth.belowTransducer=4.1 environment.depth.transducerToKeel=1 environment.depth.belowKeel=3.1",
        ),
        (
            "$WIMWV,270.0,R,36.0,K,A",
            "environment.wind.speedApparent=10 environment.wind.angleApparent=-1.5707963267948966",
        ),
        ("$WIMWV,180.0,T,5.5,M,A", "environment.wind.speedTrue=5.5 environment.wind.angleTrueWater=3.141592653589793"),
        ("$WIMWV,180.0,T,5.5,M,V", ""),
        (
            "$WIMWD,90,T,180,M,9,N,4.5,M",
            "environment.wind.directionTrue=1.5707963267948966 environment.wind.directionMagnetic=3.141592653589793 \
             environment.wind.speedTrue=4.5",
        ),
        ("$VWVHW,,T,180,M,,N,18.0,K", "navigation.headingMagnetic=3.141592653589793 navigation.speedThroughWater=5"),
        ("$IIMTW,17.75,C", "environment.water.temperature=290.9"),
    ] {
        assert_eq!(values(body).join(" "), wanted, "{body}");
    }
}

#[test]
fn numbers_that_cannot_be_are_left_out() {
    for body in [
        "$GPGLL,5460.00,N,01015.60,E,100000,A,A",
        "$GPGLL,9130.00,N,01015.60,E,100000,A,A",
        "$GPGLL,5430.00,X,01015.60,E,100000,A,A",
        "$GPGLL,5430.00,N,01015.60,E,100000,V,N",
        "$GPGLL,-5430.00,N,01015.60,E,100000,A,A",
        "$HEHDT,361.0,T",
        "$HEHDT,nan,T",
        "$HEHDT,1e1,T",
        "$HEHDT,inf,T",
        "$HEHDT,,T",
        "$HEHDT",
        "$IIMTW,200,C",
        "$SDDBT,-1,f,-1,M,,F",
        "$GPRMC,996060,A,,,,,,,010626,,",
    ] {
        assert_eq!(values(body), [""; 0], "{body}");
    }
}

#[test]
fn the_source_is_label_and_talker() {
    let mut sentences = Sentences::new("gps");
    let line = format!("\\s:serial,c:1696759212*3E\\{}\r\n", summed("$HEHDT,180.0,T"));
    let delta = read(&mut sentences, &line).unwrap();
    let update = delta.updates().next().unwrap();
    assert_eq!((delta.context(), update.source_ref()), (SELF, "gps.HE"));
    assert_eq!(update.timestamp(), NOW.to_string());
    assert_eq!(update.source(), Some(r#"{"label":"gps","type":"NMEA0183","sentence":"HDT","talker":"HE"}"#));
    let bare = sentences.delta("$HEHDT,1,T", NOW, DeltaForm::Line { line: 7 }).unwrap().unwrap();
    assert!(
        bare.text().starts_with(r#"{"_line":7,"updates":[{"source":{"label":"","type":"NMEA0183""#),
        "{}",
        bare.text()
    );
    let long = Sentences::new(&"é".repeat(300)).delta("$HEHDT,1,T", NOW, DeltaForm::Stamped { self_context: SELF });
    assert!(long.unwrap().unwrap().updates().next().unwrap().source_ref().ends_with("é.HE"));
}

#[test]
fn losses_are_counted_by_their_kind() {
    let mut sentences = Sentences::new("gps");
    let form = DeltaForm::Stamped { self_context: SELF };
    for (line, error) in [
        ("$HEHDT,180.0,T*00", SentenceError::Checksum),
        ("$HEHDT,180.0,T*", SentenceError::Checksum),
        ("HEHDT,180.0,T", SentenceError::Malformed),
        ("$HDT,180.0,T", SentenceError::Malformed),
        ("", SentenceError::Malformed),
        ("!AIVDM,1,1,,A,15M67FC000G?ufbE`FepT@3n00Sa,0", SentenceError::NoChecksum),
    ] {
        assert_eq!(sentences.delta(line, NOW, form), Err(error), "{line}");
    }
    let part = summed("!AIVDM,2,2,3,A,1,0");
    assert_eq!(sentences.delta(&part, NOW, form), Err(SentenceError::Fragment));
    let short = summed("!AIVDM,1,1,,A,15M6,0");
    assert_eq!(sentences.delta(&short, NOW, form), Err(SentenceError::Ais));
    assert_eq!(
        sentences.delta(&format!("${}", "x".repeat(SENTENCE_BYTES_MAX)), NOW, form),
        Err(SentenceError::Malformed)
    );
    assert_eq!(sentences.delta("$GPZDA,1", NOW, form), Ok(None));
    assert_eq!(sentences.delta("$HEHDT,,T", NOW, form), Ok(None));
    assert!(sentences.delta("$HEHDT,1,T", NOW, form).unwrap().is_some());
    let counters = sentences.counters();
    assert_eq!((counters.sentences, counters.deltas, counters.unmapped, counters.without_value), (12, 1, 1, 1));
    assert_eq!((counters.malformed, counters.checksum, counters.fragments, counters.ais), (4, 3, 1, 1));
    let mut twice = counters;
    twice.add(&counters);
    assert_eq!(twice.losses().map(|(_, count)| count), [8, 6, 2, 2]);
}

/// An AIS message as sentences of at most `letters` letters.
fn sentences_of(message: &aivdm::AisMessage, kind: &str, id: u8, letters: usize) -> Vec<String> {
    let mut buffer = [0; 256];
    let (payload, fill) = aivdm::encode_payload(message, &mut buffer).unwrap();
    let parts: Vec<&[u8]> = payload.chunks(letters).collect();
    let part = |(index, part): (usize, &&[u8])| {
        let text = std::str::from_utf8(part).unwrap();
        let (count, number) = (parts.len(), index + 1);
        let id = if count == 1 { String::new() } else { id.to_string() };
        let fill = if number == count { fill } else { 0 };
        summed(&format!("!AI{kind},{count},{number},{id},A,{text},{fill}"))
    };
    parts.iter().enumerate().map(part).collect()
}

fn class_a() -> aivdm::AisMessage {
    aivdm::AisMessage::PositionReportClassA(aivdm::message::PositionReportClassA {
        message_type: 1,
        repeat_indicator: 0,
        mmsi: aivdm::Mmsi::from_raw(2_000_001),
        navigation_status: NavigationStatus::from_raw(7),
        rate_of_turn: aivdm::RateOfTurn::from_raw(-128),
        sog: aivdm::Sog::from_raw(100),
        position_accuracy: true,
        longitude: aivdm::Longitude::from_raw(6_000_000),
        latitude: aivdm::Latitude::from_raw(-30_000_000),
        cog: aivdm::Cog::from_raw(1800),
        heading: aivdm::Heading::from_raw(511),
        timestamp: aivdm::Timestamp::from_raw(1),
        maneuver_indicator: aivdm::ManeuverIndicator::from_raw(1),
        raim: false,
        radio_status: 0,
    })
}

#[test]
fn an_ais_report_is_a_delta_of_its_vessel() {
    let line = &sentences_of(&class_a(), "VDM", 0, 256)[0];
    let delta = read(&mut Sentences::new("ais"), line).unwrap();
    assert_eq!(delta.context(), "vessels.urn:mrn:imo:mmsi:002000001");
    let values: Vec<_> = delta.updates().next().unwrap().values().collect();
    assert_eq!(
        values,
        [
            ("navigation.speedOverGround", "5.144444444444445"),
            ("navigation.courseOverGroundTrue", "3.141592653589793"),
            ("navigation.position", r#"{"longitude":10,"latitude":-50}"#),
            ("", r#"{"mmsi":"002000001"}"#),
            ("sensors.ais.class", "\"A\""),
            ("navigation.state", "\"fishing\""),
            ("navigation.specialManeuver", "\"not engaged\""),
        ]
    );
    // The own vessel's: how it moves, in its own context.
    let line = &sentences_of(&class_a(), "VDO", 0, 256)[0];
    let own = read(&mut Sentences::new("ais"), line).unwrap();
    assert_eq!((own.context(), own.updates().next().unwrap().values().count()), (SELF, 3));
}

fn fixed<const N: usize>(text: &str) -> aivdm::string::FixedStr<N> {
    let mut letters = [0; N];
    letters[..text.len()].copy_from_slice(text.as_bytes());
    aivdm::string::FixedStr::from_raw(letters, text.len())
}

fn static_data(mmsi: u32, name: &str) -> aivdm::AisMessage {
    aivdm::AisMessage::StaticVoyageData(aivdm::message::StaticVoyageData {
        repeat_indicator: 0,
        mmsi: aivdm::Mmsi::from_raw(mmsi),
        ais_version: 0,
        imo_number: 9_000_001,
        call_sign: fixed("CALL"),
        name: fixed(name),
        ship_type: 36,
        dimension_to_bow: 10,
        dimension_to_stern: 5,
        dimension_to_port: 1,
        dimension_to_starboard: 4,
        epfd_type: aivdm::EpfdType::from_raw(1),
        eta_month: 5,
        eta_day: 31,
        eta_hour: 12,
        eta_minute: 30,
        draught_decimeters: 21,
        destination: fixed("HARBOUR"),
        dte_not_ready: false,
    })
}

#[test]
fn messages_of_several_parts_are_joined_between_others() {
    let (one, two) = (
        sentences_of(&static_data(200_000_001, "ONE"), "VDM", 1, 60),
        sentences_of(&static_data(200_000_002, "TWO"), "VDM", 2, 60),
    );
    assert_eq!(one.len(), 2);
    let mut sentences = Sentences::new("ais");
    assert_eq!(read(&mut sentences, &one[0]), None);
    assert_eq!(read(&mut sentences, &two[0]), None);
    let first = read(&mut sentences, &one[1]).unwrap();
    let second = read(&mut sentences, &two[1]).unwrap();
    assert_eq!(
        (first.context(), second.context()),
        ("vessels.urn:mrn:imo:mmsi:200000001", "vessels.urn:mrn:imo:mmsi:200000002")
    );
    let values: Vec<_> =
        first.updates().next().unwrap().values().map(|(path, value)| format!("{path}={value}")).collect();
    assert_eq!(
        values,
        [
            r#"={"mmsi":"200000001"}"#,
            "sensors.ais.class=\"A\"",
            r#"={"name":"ONE"}"#,
            r#"={"communication":{"callsignVhf":"CALL"}}"#,
            r#"design.aisShipType={"id":36,"name":"Sailing"}"#,
            r#"design.length={"overall":15}"#,
            "design.beam=5",
            "sensors.ais.fromBow=10",
            "sensors.ais.fromCenter=-1.5",
            r#"design.draft={"current":2.1}"#,
            "navigation.destination.commonName=\"HARBOUR\"",
            "navigation.destination.eta=\"2027-05-31T12:30:00.000Z\"",
            r#"={"registrations":{"imo":"IMO 9000001"}}"#,
        ]
    );
    // More open messages than there is room for: the oldest gives way.
    for id in 0..5 {
        assert_eq!(read(&mut sentences, &sentences_of(&static_data(1, "X"), "VDM", id, 60)[0]), None);
    }
    let lost = &sentences_of(&static_data(1, "X"), "VDM", 0, 60)[1];
    assert_eq!(sentences.delta(lost, NOW, DeltaForm::Line { line: 1 }), Err(SentenceError::Fragment));
    assert!(read(&mut sentences, &sentences_of(&static_data(1, "X"), "VDM", 4, 60)[1]).is_some());
}

proptest::proptest! {
    #[test]
    fn never_panics_on_any_line(head in 0_usize..4, rest in "[ -~]{0,100}") {
        let head = ["$GPRMC,", "!AIVDM,1,1,,A,", "$GPGGA,", ""][head];
        let form = DeltaForm::Stamped { self_context: SELF };
        let _ = Sentences::new("x").delta(&summed(&format!("{head}{rest}")), NOW, form);
        let _ = Sentences::new("x").delta(&rest, NOW, form);
    }
}
