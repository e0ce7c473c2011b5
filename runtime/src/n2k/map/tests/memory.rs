//! What one message tells another: claims, alert texts, courses, sources that play.

use super::super::memory::{Name, Source};
use super::*;

#[test]
fn alerts_wait_for_their_text() {
    let mut memory = Memory::default();
    let alert = [
        (Field::AlertType, Input::Raw(2)),
        (Field::AlertCategory, Input::Raw(1)),
        (Field::AlertSystem, Input::Raw(5)),
        (Field::AlertId, Input::Raw(42)),
        (Field::AlertOccurrenceNumber, Input::Raw(3)),
        (Field::AcknowledgeStatus, Input::Raw(0)),
        (Field::TemporarySilenceStatus, Input::Raw(0)),
        (Field::DataSourceNetworkIdName, Input::Bits(0x10)),
    ];
    assert!(from(&mut memory, 126_983, &alert).is_empty());
    let text = [(Field::AlertId, Input::Raw(42)), (Field::AlertTextDescription, Input::Text("Bilge high"))];
    assert!(from(&mut memory, 126_985, &text).is_empty());
    let [value] = from(&mut memory, 126_983, &alert).try_into().unwrap();
    let begin = r#"notifications.nmea.alarm.technical.5.42={"state":"alarm","method":["visual","sound"],"message":"Bilge high","alertType":"Alarm","alertCategory":"Technical","alertSystem":5,"alertId":42,"dataSourceNetworkIDNAME":16,"occurrence":3,"temporarySilenceStatus":"No","acknowledgeStatus":"No","#;
    assert!(value.starts_with(begin), "{value}");
    let mut acknowledged = alert;
    acknowledged[5].1 = Input::Raw(1);
    assert!(from(&mut memory, 126_983, &acknowledged)[0].contains(r#""method":[]"#));
    let mut other = alert;
    other[3].1 = Input::Raw(43);
    assert!(from(&mut memory, 126_983, &other).is_empty());
}

#[test]
fn alerts_of_a_category_that_is_not_listed_have_its_number_in_their_path() {
    let mut memory = Memory::default();
    memory.keep_alert(SourceAddress(7), 42, Some("Bilge high"));
    let path = |memory: &mut Memory, category: Option<i64>, system: Option<i64>| {
        let mut alert = std::vec![(Field::AlertType, Input::Raw(4)), (Field::AlertId, Input::Raw(42))];
        alert.extend(category.map(|code| (Field::AlertCategory, Input::Raw(code))));
        alert.extend(system.map(|code| (Field::AlertSystem, Input::Raw(code))));
        let [value] = from(memory, 126_983, &alert).try_into().unwrap();
        String::from(value.split_once('=').unwrap().0)
    };
    assert_eq!(path(&mut memory, Some(0), Some(5)), "notifications.nmea.caution.navigational.5.42");
    assert_eq!(path(&mut memory, Some(6), Some(5)), "notifications.nmea.caution.6.5.42");
    assert_eq!(path(&mut memory, None, None), "notifications.nmea.caution.undefined.undefined.42");
}

#[test]
fn the_oldest_alert_text_is_forgotten_and_long_ones_are_cut() {
    let mut memory = Memory::default();
    let source = SourceAddress(7);
    let long = "ü".repeat(ALERT_TEXT_BYTES_MAX);
    for id in 0..=i64::try_from(ALERT_TEXTS_MAX).unwrap() {
        memory.keep_alert(source, id, Some(&long));
    }
    assert_eq!(memory.alert(source, 0), None);
    assert_eq!(memory.alert(source, 1).flatten().map(str::len), Some(ALERT_TEXT_BYTES_MAX - 1));
    memory.keep_alert(source, 1, Some("short"));
    assert_eq!(memory.alert(source, 1), Some(Some("short")));
    assert_eq!(memory.alert(SourceAddress(8), 1), None);
}

#[test]
fn a_new_device_at_an_address_inherits_nothing() {
    let mut memory = Memory::default();
    let source = SourceAddress(7);
    memory.claim(source, Name(0x11_0000_0001));
    memory.keep_alert(source, 1, Some("text"));
    assert_eq!(memory.source(source).and_then(Source::device_instance), Some(0x11));
    memory.claim(source, Name(0x11_0000_0001));
    assert!(memory.alert(source, 1).is_some());
    memory.claim(source, Name(0x12_0000_0002));
    assert!(memory.alert(source, 1).is_none());
    assert_eq!(memory.source(source).and_then(Source::name), Some(Name(0x12_0000_0002)));
}

#[test]
fn the_source_heard_longest_ago_is_forgotten() {
    let mut memory = Memory::default();
    let known =
        |memory: &Memory, address: usize| memory.source(SourceAddress(u8::try_from(address).unwrap())).is_some();
    for address in 0..SOURCES_MAX {
        memory.claim(SourceAddress(u8::try_from(address).unwrap()), Name(1));
    }
    memory.claim(SourceAddress(0), Name(1));
    memory.claim(SourceAddress(200), Name(2));
    assert!(known(&memory, 0) && !known(&memory, 1) && known(&memory, 200));
    assert_eq!(memory.source(SourceAddress(200)).and_then(Source::name), Some(Name(2)));
    for address in 0..=255 {
        memory.claim(SourceAddress(address), Name(u64::from(address)));
        assert_eq!(memory.source(SourceAddress(address)).and_then(Source::name), Some(Name(u64::from(address))));
    }
}

#[test]
fn routes_and_cross_track_errors_wait_for_the_way_of_calculating() {
    let mut memory = Memory::default();
    let error = [(Field::NavigationTerminated, Input::Raw(0)), (Field::Xte, Input::Raw(-1234))];
    assert!(from(&mut memory, 129_283, &error).is_empty());
    let data = [
        (Field::CalculationType, Input::Raw(0)),
        (Field::CourseBearingReference, Input::Raw(1)),
        (Field::BearingPositionToDestinationWaypoint, Input::Raw(15_000)),
        (Field::EtaDate, Input::Raw(20_605)),
        (Field::EtaTime, Input::Raw(360_305_000)),
    ];
    assert_eq!(
        from(&mut memory, 129_284, &data),
        [
            "navigation.courseGreatCircle.nextPoint.bearingMagnetic=1.5",
            r#"navigation.courseGreatCircle.nextPoint.position={"latitude":null,"longitude":null}"#,
            "navigation.courseGreatCircle.nextPoint.timeToGo=30.5",
        ]
    );
    assert_eq!(from(&mut memory, 129_283, &error), ["navigation.courseGreatCircle.crossTrackError=-12.34"]);
    from(&mut memory, 129_284, &[(Field::CalculationType, Input::Raw(1))]);
    assert_eq!(from(&mut memory, 129_283, &error), ["navigation.courseRhumbline.crossTrackError=-12.34"]);
    let ended = [(Field::NavigationTerminated, Input::Raw(1)), (Field::Xte, Input::Raw(1))];
    assert!(from(&mut memory, 129_283, &ended).is_empty());
}

#[test]
fn routes_name_three_way_points() {
    let mut memory = Memory::default();
    let point = |name: &'static str, raw: i64| {
        [
            (Field::WpName, Input::Text(name)),
            (Field::WpLatitude, Input::Raw(raw)),
            (Field::WpLongitude, Input::Raw(raw)),
        ]
    };
    let (first, second, third) = (point("A", 10_000_000), point("B", 20_000_000), point("C", 30_000_000));
    let route = [(Field::RouteName, Input::Text("12"))];
    let points: [Inputs<'_>; 3] = [&first, &second, &third];
    assert!(defined(&mut memory, Definition::NavigationRouteWpInformation, &route, &points).is_empty());
    from(&mut memory, 129_284, &[]);
    assert_eq!(
        defined(&mut memory, Definition::NavigationRouteWpInformation, &route, &points),
        [
            r#"navigation.courseRhumbline.activeRoute.name="12""#,
            r#"navigation.courseRhumbline.previousPoint.name="A""#,
            r#"navigation.courseRhumbline.previousPoint.position={"latitude":1,"longitude":1}"#,
            r#"navigation.courseRhumbline.nextPoint.name="B""#,
            r#"navigation.courseRhumbline.followingPoint.name="C""#,
            r#"navigation.courseRhumbline.followingPoint.position={"latitude":3,"longitude":3}"#,
        ]
    );
}

#[test]
fn way_points_of_which_nothing_is_known_do_not_count() {
    let mut memory = Memory::default();
    from(&mut memory, 129_284, &[]);
    let named = [(Field::WpName, Input::Text("B"))];
    let numbered = [(Field::WpId, Input::Raw(7))];
    let points: [Inputs<'_>; 4] = [&[], &numbered, &[], &named];
    assert_eq!(
        defined(&mut memory, Definition::NavigationRouteWpInformation, &[], &points),
        ["navigation.courseRhumbline.previousPoint.position={}", r#"navigation.courseRhumbline.nextPoint.name="B""#,]
    );
}
