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
fn a_long_range_report_is_anywhere_on_earth_and_nowhere_else() {
    // 910 tenths of a minute north are a place; 91 degrees (54,600 tenths) say that there is none.
    let near = values("!AIVDM,1,1,,A,Kh1r4PIA6IP770F@,0");
    let position = near.iter().find_map(|value| value.strip_prefix("navigation.position="));
    assert_eq!(position, Some(r#"{"longitude":30.036666666666665,"latitude":1.5166666666666666}"#), "{near:?}");
    let at = |longitude: i64, latitude: i64| {
        let head = [(27, 6), (0, 2), (200_000_001, 30), (0, 6)];
        let line = armored(&[&head[..], &[(longitude, 18), (latitude, 17), (63, 6), (511, 9), (0, 2)]].concat());
        let delta = read(&mut Sentences::new("ais"), &line);
        delta.is_some_and(|delta| delta.text().contains("navigation.position"))
    };
    assert!(at(1810, 910) && at(-1810, -910) && at(107_999, 53_999));
    assert!(!at(108_600, 54_600) && !at(108_600, 910) && !at(1810, 54_600));
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
    // Without a fix all but the time is lost, whatever stands there.
    const LOST: [&str; 3] =
        ["navigation.position=null", "navigation.courseOverGroundTrue=null", "navigation.speedOverGround=null"];
    for body in [
        "$GPRMC,100000,V,,,,,,,010626,,,N",
        "$GPRMC,100000,V,5430.00,N,01015.60,E,7.0,90.0,010626,003.0,W,N",
        "$GPRMC,,V,,,,,,,,,,N",
    ] {
        assert_eq!(values(body)[..3], LOST, "{body}");
    }
    assert_eq!(values("$GPRMC,,V,,,,,,,,,,N")[3..], ["navigation.magneticVariation=null"]);
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
        [
            "navigation.position=null",
            "navigation.gnss.methodQuality=\"no GPS\"",
            "navigation.gnss.satellites=0",
            "navigation.gnss.antennaAltitude=null",
            "navigation.gnss.horizontalDilution=null",
            "navigation.gnss.geoidalSeparation=null",
            "navigation.gnss.differentialAge=null",
            "navigation.gnss.differentialReference=null",
        ]
    );
    // The last position stands there although the fix is gone.
    assert_eq!(values("$GPGGA,100000,5430.00,N,01015.60,E,0,00,,,M,,M,,")[0], "navigation.position=null");
}

#[test]
fn every_kind_gives_its_paths_in_units_of_signal_k() {
    for (body, wanted) in [
        ("$GPGLL,5430.00,N,01015.60,E,100000,A,A", r#"navigation.position={"longitude":10.26,"latitude":54.5}"#),
        (
            "$GPVTG,,T,,M,,N,36.0,K,A",
            "navigation.courseOverGroundMagnetic=null navigation.courseOverGroundTrue=null navigation.speedOverGround=10",
        ),
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
        (
            "$WIMWV,180.0,T,10,S,A",
            "environment.wind.speedTrue=4.4704 environment.wind.angleTrueWater=3.141592653589793",
        ),
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
        "$HEHDT,361.0,T",
        "$HEHDT,nan,T",
        "$HEHDT,1e1,T",
        "$HEHDT,inf,T",
        "$IIMTW,200,C",
        "$SDDBT,-1,f,-1,M,,F",
        "$IIHDG,400,,,,",
        "$IIRPM,E,../a,1000,,A",
        "$GPZDA,996060,01,06,2026,00,00",
    ] {
        assert_eq!(values(body), [""; 0], "{body}");
    }
    for body in [
        "$GPGLL,5460.00,N,01015.60,E,100000,A,A",
        "$GPGLL,9130.00,N,01015.60,E,100000,A,A",
        "$GPGLL,5430.00,X,01015.60,E,100000,A,A",
        "$GPGLL,-5430.00,N,01015.60,E,100000,A,A",
    ] {
        assert_eq!(values(body), ["navigation.position=null"], "{body}");
    }
}

#[test]
fn what_a_sensor_has_lost_is_null() {
    let (wind, both) = ("environment.wind.speedApparent=null environment.wind.angleApparent=null", |wind: &str| {
        std::format!("{wind} environment.wind.speedTrue=null environment.wind.angleTrueWater=null")
    });
    for (body, wanted) in [
        ("$GPGLL,5430.00,N,01015.60,E,100000,V,N", "navigation.position=null"),
        ("$GPGLL,,,,,,V,N", "navigation.position=null"),
        (
            "$GPVTG,90,T,,M,3.0,N,5.6,K,N",
            "navigation.courseOverGroundMagnetic=null navigation.courseOverGroundTrue=null navigation.speedOverGround=null",
        ),
        ("$SDDBT,,f,,M,,F", "environment.depth.belowTransducer=null"),
        ("$SDDPT,,", "environment.depth.belowTransducer=null"),
        (
            "$SDDPT,,-0.5",
            "environment.depth.belowTransducer=null environment.depth.transducerToKeel=0.5 environment.depth.belowKeel=null",
        ),
        ("$IIMTW,,C", "environment.water.temperature=null"),
        ("$IIMTA,,C", "environment.outside.temperature=null"),
        ("$WIMWV,,R,,N,V", wind),
        ("$WIMWV,12,R,3.0,N,V", wind),
        ("$WIMWV,,,,,V", &both(wind)),
        ("$IIVWR,,,,,,,,", wind),
        ("$HCHDG,,,,,", "navigation.headingMagnetic=null navigation.headingTrue=null"),
        ("$HCHDM,,M", "navigation.headingMagnetic=null"),
        ("$HEHDT,,T", "navigation.headingTrue=null"),
        ("$HEHDT", "navigation.headingTrue=null"),
        ("$TIROT,12.0,V", "navigation.rateOfTurn=null"),
        ("$IIRSA,,A,,V", "steering.rudderAngle=null"),
        ("$VWVHW,,T,,M,,N,,K", "navigation.speedThroughWater=null"),
        ("$GPXTE,V,V,,,N", "navigation.courseRhumbline.crossTrackError=null"),
        ("$IIRPM,E,1,,,V", "propulsion.engine_1.revolutions=null"),
        ("$STALK,00,02,04,64,00", "environment.depth.belowTransducer=null"),
    ] {
        assert_eq!(values(body).join(" "), wanted, "{body}");
    }
}

#[test]
fn what_a_route_needs_comes_with_units_and_signs() {
    for (body, wanted) in [
        ("$GPXTE,A,A,0.5,L,N", "navigation.courseRhumbline.crossTrackError=926"),
        ("$GPXTE,A,A,0.5,R,K", "navigation.courseRhumbline.crossTrackError=-500"),
        (
            "$GPRMB,A,0.5,R,HOME,BAY,5430.00,N,01015.60,E,2.0,180.0,-3.0,V",
            "navigation.courseRhumbline.nextPoint.position={\"longitude\":10.26,\"latitude\":54.5} \
             navigation.courseRhumbline.nextPoint.bearingTrue=3.141592653589793 \
             navigation.courseRhumbline.nextPoint.velocityMadeGood=0 navigation.courseRhumbline.nextPoint.distance=3704 \
             navigation.courseRhumbline.crossTrackError=-926 navigation.courseRhumbline.nextPoint.ID=\"BAY\" \
             navigation.courseRhumbline.previousPoint.ID=\"HOME\"",
        ),
        (
            "$GPBOD,180,T,90,M,BAY,HOME",
            "navigation.courseRhumbline.bearingTrackTrue=3.141592653589793 \
             navigation.courseRhumbline.bearingTrackMagnetic=1.5707963267948966 \
             navigation.courseRhumbline.nextPoint.ID=\"BAY\" navigation.courseRhumbline.previousPoint.ID=\"HOME\"",
        ),
        ("$FTHSC,90,T,,M", ""),
        (
            "$FTHSC,90,T,180,M",
            "steering.autopilot.target.headingTrue=1.5707963267948966 \
             steering.autopilot.target.headingMagnetic=3.141592653589793",
        ),
        ("$GPBWC,100000,,,,,,T,,M,,N,", "navigation.courseGreatCircle.nextPoint.position=null"),
        ("$PNKEP,02,180", "performance.tackMagnetic=3.141592653589793"),
        ("$IIRPM,S,2,1800,,A", "propulsion.shaft_2.revolutions=30"),
        (
            "$IIVDR,180,T,,M,3.6,N",
            "environment.current={\"setTrue\":3.141592653589793,\"setMagnetic\":null,\"drift\":1.852}",
        ),
    ] {
        assert_eq!(values(body).join(" "), wanted, "{body}");
    }
    let autopilot = values("$GPAPB,A,A,0.5,L,N,A,V,180,T,BAY,90,M,90,M");
    assert!(
        autopilot.contains(&"navigation.courseRhumbline.bearingTrackTrue=3.141592653589793".into()),
        "{autopilot:?}"
    );
    assert!(autopilot.contains(&"notifications.perpendicularPassed=null".into()), "{autopilot:?}");
    assert!(autopilot.iter().any(|value| value.starts_with("notifications.arrivalCircleEntered={")), "{autopilot:?}");
}

#[test]
fn satellites_in_view_are_told_once_all_parts_came() {
    let mut sentences = Sentences::new("gps");
    let mut take = |body: &str| read(&mut sentences, &summed(body)).map(|delta| delta.text().to_string());
    assert_eq!(take("$GPGSV,2,1,05,01,90,180,40,02,,,,03,0,0,1,04,1,1,1,1"), None);
    // Another system between, whose second part comes first: both are begun anew.
    let whole = take("$GPGSV,2,2,05,05,45,090,30,1").unwrap();
    assert!(whole.contains(r#"{"count":5,"satellites":[{"id":1,"elevation":1.5707963267948966,"azimuth":3.141592653589793,"SNR":40},{"id":2,"SNR":0},"#), "{whole}");
    assert!(whole.contains(r#""SNR":30}],"gnss":"GPS"}"#), "{whole}");
    assert_eq!(take("$GLGSV,2,2,05,65,45,090,30"), None);
    assert_eq!(take("$GLGSV,1,x,1,65,45,090,30"), None);
    assert_eq!(take("$GPGSV,2,1,05,01,90,180,40"), None);
    let glonass = take("$GLGSV,1,1,01,65,45,090,30").unwrap();
    assert!(glonass.contains(r#"[{"id":1,"#) && glonass.contains("GLONASS"), "{glonass}");
    assert_eq!(take("$GPGSV,2,2,05,05,45,090,30"), None);
    let second = take("$GNGSVH,1,1,00").unwrap();
    assert!(second.contains(r#"{"count":0,"satellites":[],"antennaType":"SLAVE"}"#), "{second}");
}

#[test]
fn a_distress_call_is_an_alarm_of_its_caller() {
    let read = |body: &str| read(&mut Sentences::new("vhf"), &summed(body)).map(|delta| delta.text().to_string());
    let fire = read("$CDDSC,12,2000000010,12,00,00,2423008315,2019,,,S,E").unwrap();
    for part in [
        "vessels.urn:mrn:imo:mmsi:200000001",
        r#"{"longitude":83.25,"latitude":-42.5}"#,
        r#""path":"notifications.fire","value":{"message":"DSC Distress Recieved! Nature of distress: fire","state":"emergency""#,
    ] {
        assert!(fire.contains(part), "{fire}");
    }
    let unknown = read("$CDDSC,12,2000000010,12,11,00,9999999999,8888,,,S,E").unwrap();
    assert!(unknown.contains("notifications.unassigned") && !unknown.contains("position"), "{unknown}");
    let place = read("$CDDSC,20,2000000010,00,21,26,1423008315,1902,,,B,E").unwrap();
    assert!(place.contains(r#"{"longitude":-83.25,"latitude":42.5}"#) && !place.contains("notifications"), "{place}");
    assert!(read("$CDDSC,20,2000000010,08,21,26,,,,,B,E").unwrap().contains(r#""state":"normal""#));
    assert_eq!(read("$CDDSC,,,,,,,,,,,"), None);
}

#[test]
fn seatalk_datagrams_come_as_sentences() {
    for (body, wanted) in [
        ("$STALK,00,02,00,64,00", "environment.depth.belowTransducer=3.048"),
        ("$PSMDST,R,10,01,02,1C", "environment.wind.angleApparent=-1.5707963267948966"),
        ("$STALK,11,01,0A,05", "environment.wind.speedApparent=5.401666666666667"),
        ("$STALK,20,01,90,01", "navigation.speedThroughWater=20.57777777777778"),
        ("$STALK,22,02,0A,00,00", "navigation.log=1852"),
        ("$STALK,27,01,2C,01", "environment.water.temperature=293.15"),
        ("$STALK,57,80,02", "navigation.gnss.satellites=8 navigation.gnss.horizontalDilution=2"),
        ("$STALK,99,00,FD", "navigation.magneticVariation=0.05235987755982988"),
        (
            "$STALK,9C,21,00,FE",
            "navigation.headingMagnetic=3.141592653589793 steering.rudderAngle=-0.03490658503988659",
        ),
        (
            "$STALK,84,26,00,B4,02,00,00,00,08",
            "navigation.headingMagnetic=3.141592653589793 steering.autopilot.target.headingMagnetic=1.5707963267948966 steering.rudderAngle=0 steering.autopilot.state=\"auto\"",
        ),
        ("$STALK,22,02,0A", ""),
        ("$STALK", ""),
    ] {
        assert_eq!(values(body).join(" "), wanted, "{body}");
    }
    let mut sentences = Sentences::new("st");
    assert_eq!(read(&mut sentences, &summed("$STALK,50,02,36,B8,0B")), None);
    let place = read(&mut sentences, &summed("$STALK,51,02,0A,B8,8B")).unwrap();
    assert!(place.text().contains(r#"{"longitude":10.5,"latitude":54.5}"#), "{}", place.text());
    assert_eq!(read(&mut sentences, &summed("$STALK,56,61,01,1A")), None);
    let time = read(&mut sentences, &summed("$STALK,54,51,7A,0A")).unwrap();
    assert!(time.text().contains("2026-06-01T10:30:37.000Z"), "{}", time.text());
}

#[test]
fn kinds_without_a_mapping_are_counted_one_by_one() {
    let mut sentences = Sentences::new("gps");
    let lines = [
        "$GPGSA,A,3",
        "$GPGSA,A,3",
        "$PGRME,1",
        "$STALK,36,00,01",
        "$PXYZABC,1",
        "$GPTXT,01,01,02,hello",
        "$CCGPQ,GLL",
    ];
    for line in lines {
        assert_eq!(read(&mut sentences, &summed(line)), None, "{line}");
    }
    let kinds: Vec<_> = sentences.unmapped().iter().map(|(kind, count)| (kind.as_str(), *count)).collect();
    assert_eq!(kinds, [("GSA", 2), ("PGRME", 1), ("ALK-36", 1), ("PXYZABC", 1), ("TXT", 1), ("GPQ", 1)]);
    let counters = sentences.counters();
    assert_eq!((counters.unmapped, counters.malformed, counters.without_value), (7, 0, 0));
    // A noisy line makes many kinds: they are counted together then.
    for number in 0..100 {
        let _ = read(&mut sentences, &summed(&format!("$XXA{number:02},1")));
    }
    assert_eq!((sentences.unmapped().len(), sentences.counters().unmapped), (UNMAPPED_KINDS_MAX, 107));
}

#[test]
fn a_time_of_day_is_of_the_day_nearest_to_now() {
    let stamp = |body: &str, now: &str| {
        let now = UnixMillis::parse_iso(now).unwrap();
        let delta = Sentences::new("gps").delta(body, now, DeltaForm::Stamped { self_context: SELF });
        delta.unwrap().unwrap().updates().next().unwrap().timestamp().to_string()
    };
    let late = "$GPGLL,5430.00,N,01015.60,E,235959.50,A,A";
    assert_eq!(stamp(late, "2026-06-01T23:59:59Z"), "2026-06-01T23:59:59.500Z");
    assert_eq!(stamp(late, "2026-06-02T00:00:01Z"), "2026-06-01T23:59:59.500Z");
    assert_eq!(
        stamp("$GPGGA,000001,5430.00,N,01015.60,E,1,08,1,1,M,1,M,,", "2026-05-31T23:59:59Z"),
        "2026-06-01T00:00:01.000Z"
    );
    // Without a fix its clock is not believed.
    assert_eq!(stamp("$GPGLL,,,,,235959,V,N", "2026-06-01T10:00:00Z"), "2026-06-01T10:00:00.000Z");
    assert_eq!(stamp("\\c:1696759211*58\\$HEHDT,1,T", "2026-06-01T10:00:00Z"), "2023-10-08T10:00:11.000Z");
    assert_eq!(stamp("\\c:1696759211*00\\$HEHDT,1,T", "2026-06-01T10:00:00Z"), "2026-06-01T10:00:00.000Z");
    assert_eq!(stamp("\\s:x,c:1696759211250\\$HEHDT,1,T", "2026-06-01T10:00:00Z"), "2023-10-08T10:00:11.250Z");
}

#[test]
fn a_log_has_the_time_of_its_lines() {
    let time = |line: &str, last: Option<&str>| {
        log_time(line, last.and_then(UnixMillis::parse_iso)).map(|time| time.text().to_string())
    };
    let rmc = |status: &str| format!("$GPRMC,100010.00,{status},,,,,,,081023,,");
    assert_eq!(time(&rmc("A"), None).as_deref(), Some("2023-10-08T10:00:10.000Z"));
    assert_eq!(time(&rmc("V"), None), time(&rmc("A"), None));
    assert_eq!(time(&rmc("V"), Some("2023-10-08T09:59:00Z")), time(&rmc("A"), None));
    assert_eq!(time(&rmc("V"), Some("2026-01-01T00:00:00Z")), None);
    assert_eq!(time(&rmc("A"), Some("2026-01-01T00:00:00Z")), time(&rmc("A"), None));
    assert_eq!(time("$GPZDA,100010,08,10,2023,,", None), time(&rmc("A"), None));
    assert_eq!(time("\\c:1696759210*59\\$IIMTW,1,C", None), time(&rmc("A"), None));
    let gll = "$GPGLL,5430.00,N,01015.60,E,100010,A,A";
    assert_eq!(time(gll, Some("2023-10-08T10:00:09Z")), time(&rmc("A"), None));
    assert_eq!((time(gll, None), time("$IIMTW,1,C", None), time("nonsense", None)), (None, None, None));
}

#[test]
fn a_message_without_its_last_spare_bits_is_read() {
    let line = &sentences_of(&static_data(200_000_001, "ONE"), "VDM", 0, 256)[0];
    let payload = line.split(',').nth(5).unwrap();
    let read = |letters: usize| {
        let line = summed(&format!("!AIVDM,1,1,,A,{},0", &payload[..letters]));
        Sentences::new("ais").delta(&line, NOW, DeltaForm::Line { line: 1 })
    };
    assert_eq!(payload.len(), 71);
    assert!(read(70).unwrap().unwrap().text().contains("HARBOUR"));
    assert_eq!(read(60), Err(SentenceError::Ais));
}

#[test]
fn padding_is_no_part_of_a_name() {
    for (sent, wanted) in [("ONE", "ONE"), ("ONE  @@@@", "ONE"), ("ONE@ @@TWO", "ONE"), ("  ONE@@", "ONE")] {
        let line = &sentences_of(&static_data(200_000_001, sent), "VDM", 0, 256)[0];
        let text = read(&mut Sentences::new("ais"), line).unwrap().text().to_string();
        assert!(text.contains(&format!("{{\"name\":\"{wanted}\"}}")), "{sent}: {text}");
    }
}

/// An AIS sentence of numbers and how many bits each takes.
fn armored(parts: &[(i64, u32)]) -> String {
    let bit = |value: i64, bit: u32| value.checked_shr(bit).unwrap_or(0) & 1 == 1;
    let bits: Vec<bool> =
        parts.iter().flat_map(|(value, width)| (0..*width).rev().map(move |at| bit(*value, at))).collect();
    let letter = |six: &[bool]| {
        let value = (0..6).fold(0_u8, |sum, bit| sum << 1 | u8::from(six.get(bit) == Some(&true)));
        char::from(if value < 40 { value + 48 } else { value + 56 })
    };
    let payload: String = bits.chunks(6).map(letter).collect();
    summed(&format!("!AIVDM,1,1,,A,{payload},{}", (6 - bits.len() % 6) % 6))
}

#[test]
fn a_ship_of_inland_waterways_and_a_site_of_many_are_told_apart_by_their_area() {
    const HEAD: [(i64, u32); 4] = [(8, 6), (0, 2), (200_000_001, 30), (0, 2)];
    let text = |rest: &[(i64, u32)]| {
        let line = armored(&[&HEAD, rest].concat());
        read(&mut Sentences::new("ais"), &line).map(|delta| delta.text().to_string())
    };
    let ship =
        text(&[(200, 10), (10, 6), (0, 48), (1100, 13), (114, 10), (0, 14), (0, 3), (280, 11), (0, 11)]).unwrap();
    for part in [
        r#""context":"vessels.urn:mrn:imo:mmsi:200000001""#,
        r#"{"path":"design.length","value":{"overall":110}}"#,
        r#"{"path":"design.beam","value":11.4}"#,
        r#"{"path":"design.draft","value":{"current":2.8}}"#,
    ] {
        assert!(ship.contains(part), "{part}: {ship}");
    }
    // Wind of 10 knots, and the water's level of -1.25 m that falls, at site 65.
    let time = [(2, 5), (12, 5), (30, 6), (65, 7)];
    let wind = [&[(2, 4)], &time[..], &[(10, 7), (127, 7), (180, 9), (360, 9), (0, 53)]].concat();
    let level = [&[(3, 4)], &time[..], &[(-125, 16), (2, 2), (0, 5), (1, 3), (0, 59)]].concat();
    let site = text(&[&[(367, 10), (33, 6)], &wind[..], &level[..]].concat()).unwrap();
    for part in [
        r#""context":"meteo.urn:mrn:imo:mmsi:200000001:65""#,
        r#"{"path":"environment.wind.averageSpeed","value":5.14}"#,
        r#"{"path":"environment.wind.directionTrue","value":3.141592653589793}"#,
        r#"{"path":"environment.water.level","value":-1.25}"#,
        r#"{"path":"environment.water.levelTendency","value":"steady"}"#,
        r#"{"path":"environment.date","value":"2026-06-02T12:30:00.000Z"}"#,
    ] {
        assert!(site.contains(part), "{part}: {site}");
    }
    assert!(!site.contains("gust"), "{site}");
    assert_eq!(text(&[(1, 10), (22, 6), (0, 100)]), None);
}

#[test]
fn a_weather_station_tells_wind_and_water() {
    // Function 31 of area 1: place, day, then wind of 10 knots from 180 degrees.
    let mut bits = std::vec![false; 304];
    let mut put = |from: usize, width: usize, value: i64| {
        for bit in 0..width {
            bits[from + bit] = value >> (width - 1 - bit) & 1 == 1;
        }
    };
    for (from, width, value) in
        [(0, 25, 10 * 60_000), (25, 24, -60_000 * 50 - 7_380), (50, 5, 2), (55, 5, 12), (60, 6, 30)]
    {
        put(from, width, value);
    }
    for (from, width, value) in [(66, 7, 10), (73, 7, 127), (80, 9, 180), (98, 11, -15), (116, 10, 501), (126, 9, 214)]
    {
        put(from, width, value);
    }
    for (from, width, value) in [(138, 7, 127), (145, 12, 1250), (266, 4, 3), (270, 10, 501), (292, 2, 3)] {
        put(from, width, value);
    }
    let bytes: Vec<u8> = bits.chunks(8).map(|byte| byte.iter().fold(0, |sum, bit| sum << 1 | u8::from(*bit))).collect();
    let values = |function: u8| {
        let mut writer = DeltaWriter::new(None, None);
        writer.update(&UpdateHead::default());
        broadcast::weather(function, &bytes, NOW, &mut writer);
        writer.finish().unwrap().text().to_string()
    };
    let text = values(31);
    for part in [
        r#"{"path":"environment.wind.averageSpeed","value":5.14}"#,
        r#"{"path":"environment.wind.directionTrue","value":3.141592653589793}"#,
        r#"{"path":"environment.outside.temperature","value":271.65}"#,
        r#"{"path":"environment.outside.pressure","value":101300}"#,
        r#"{"path":"environment.water.level","value":2.5}"#,
        r#"{"path":"environment.water.seaState","value":"gentle breeze, 3.4-5.4 m/s"},{"path":"environment.water.seaStateValue","value":3}"#,
        r#"{"path":"environment.date","value":"2026-06-02T12:30:00.000Z"}"#,
        r#"{"longitude":10,"latitude":-50.123}"#,
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    for absent in ["gust\"", "dewPoint", "water.temperature", "Visibility", "ice"] {
        assert!(!text.contains(absent), "{absent}: {text}");
    }
    // The older function has its fields elsewhere; no message is too short for either.
    let _ = values(11);
    for length in 0..bytes.len() {
        let mut writer = DeltaWriter::new(None, None);
        writer.update(&UpdateHead::default());
        broadcast::weather(31, &bytes[..length], NOW, &mut writer);
        broadcast::weather(11, &bytes[..length], NOW, &mut writer);
    }
}

#[test]
fn the_source_is_label_and_talker() {
    let mut sentences = Sentences::new("gps");
    let line = format!("\\s:serial,c:1696759212*3E\\{}\r\n", summed("$HEHDT,180.0,T"));
    let delta = read(&mut sentences, &line).unwrap();
    let update = delta.updates().next().unwrap();
    assert_eq!((delta.context(), update.source_ref()), (SELF, "gps.HE"));
    assert_eq!(update.timestamp(), "2023-10-08T10:00:12.000Z");
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
        ("$GP-DT,180.0,T", SentenceError::Malformed),
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
    assert_eq!(sentences.delta("$GPGSA,1", NOW, form), Ok(None));
    assert!(sentences.delta("$HEHDT,1,T", NOW, form).unwrap().is_some());
    let counters = sentences.counters();
    assert_eq!((counters.sentences, counters.deltas, counters.unmapped, counters.without_value), (13, 1, 1, 1));
    assert_eq!((counters.malformed, counters.checksum, counters.fragments, counters.ais), (5, 3, 1, 1));
    let mut twice = counters;
    twice.add(&counters);
    assert_eq!(twice.losses().map(|(_, count)| count), [10, 6, 2, 2]);
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
    fn never_panics_on_any_line(head in 0_usize..7, rest in "[ -~]{0,100}") {
        let head = ["$GPRMC,", "!AIVDM,1,1,,A,", "$GPGSV,1,1,", "$STALK,", "$CDDSC,12,", "$PBVE,B", ""][head];
        let form = DeltaForm::Stamped { self_context: SELF };
        let _ = Sentences::new("x").delta(&summed(&format!("{head}{rest}")), NOW, form);
        let _ = Sentences::new("x").delta(&rest, NOW, form);
    }
}
