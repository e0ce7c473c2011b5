//! What one message tells another: claims, alert texts, courses, sources that play.

use super::super::memory::{GivenKey, Name, Source};
use super::*;
use crate::n2k::ReceiverLimits;

fn name(bits: u64) -> Name {
    Name::new(bits).unwrap()
}

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
    memory.claim(source, name(0x11_0000_0001));
    memory.keep_alert(source, 1, Some("text"));
    assert_eq!(memory.source(source).and_then(Source::device_instance), Some(0x11));
    memory.claim(source, name(0x11_0000_0001));
    assert!(memory.alert(source, 1).is_some());
    memory.claim(source, name(0x12_0000_0002));
    assert!(memory.alert(source, 1).is_none());
    assert_eq!(memory.source(source).and_then(Source::name), Some(name(0x12_0000_0002)));
}

#[test]
fn the_source_heard_longest_ago_is_forgotten() {
    let mut memory = Memory::default();
    let known =
        |memory: &Memory, address: usize| memory.source(SourceAddress(u8::try_from(address).unwrap())).is_some();
    for address in 0..usize::from(ReceiverLimits::CHIP.sources_max) {
        memory.claim(SourceAddress(u8::try_from(address).unwrap()), name(1));
    }
    memory.claim(SourceAddress(0), name(1));
    memory.claim(SourceAddress(200), name(2));
    assert!(known(&memory, 0) && !known(&memory, 1) && known(&memory, 200));
    assert_eq!(memory.source(SourceAddress(200)).and_then(Source::name), Some(name(2)));
    for address in 0..=255 {
        memory.claim(SourceAddress(address), name(u64::from(address) + 1));
        assert_eq!(memory.source(SourceAddress(address)).and_then(Source::name), Some(name(u64::from(address) + 1)));
    }
}

#[test]
fn a_source_is_named_once_and_nothing_is_forgotten_for_it() {
    let mut memory = Memory::new(ReceiverLimits { sources_max: 2, ..ReceiverLimits::CHIP });
    let of = |memory: &mut Memory, address, made: &str| memory.reference(SourceAddress(address), || made.into());
    assert_eq!((&*of(&mut memory, 1, "a.1"), &*of(&mut memory, 1, "other")), ("a.1", "a.1"));
    memory.keep_given(GivenKey::new(SourceAddress(1), 0, [0, 0]), 7);
    assert!(memory.claim(SourceAddress(2), name(1)), "no NAME before");
    assert_eq!(&*of(&mut memory, 3, "a.3"), "a.3", "there is no room to keep it");
    assert!(memory.source(SourceAddress(3)).is_none() && memory.source(SourceAddress(2)).is_some());
    // A NAME has a place before a `$source` alone, which nobody misses.
    assert!(memory.claim(SourceAddress(4), name(2)));
    assert!(memory.source(SourceAddress(1)).is_none() && memory.source(SourceAddress(2)).is_some());
    assert_eq!((memory.forgotten().sources, memory.given(GivenKey::new(SourceAddress(1), 0, [0, 0]))), (0, 7));
    // Who is known by a NAME now is called by it.
    assert_eq!(&*of(&mut memory, 2, "a.2"), "a.2");
    memory.claim(SourceAddress(2), name(3));
    assert_eq!(&*of(&mut memory, 2, "a.name"), "a.name");
    memory.forget_references();
    assert_eq!(&*of(&mut memory, 2, "b"), "b");
}

#[test]
fn a_computer_remembers_a_full_bus_and_counts_what_it_cannot() {
    let mut memory = Memory::new(ReceiverLimits::COMPUTER);
    for address in 0..=251 {
        assert!(memory.claim(SourceAddress(address), name(u64::from(address) + 1)));
        assert!(!memory.claim(SourceAddress(address), name(u64::from(address) + 1)), "no news");
    }
    assert_eq!((memory.claims().count(), memory.forgotten().sources), (252, 0));
    assert!(!memory.claim(SourceAddress(7), name(0xffff)), "another device, not a late NAME");
    let mut small =
        Memory::new(ReceiverLimits { sources_max: 2, power_factors_max: 2, given_max: 2, ..ReceiverLimits::CHIP });
    for address in 0..5 {
        small.claim(SourceAddress(address), name(9));
        small.keep_alert(SourceAddress(4), 1, None);
    }
    assert_eq!(small.forgotten().sources, 3);
}

#[test]
fn a_power_factor_that_is_renewed_is_not_the_next_to_go() {
    let mut memory = Memory::new(ReceiverLimits { power_factors_max: 2, ..ReceiverLimits::CHIP });
    let factor = |mantissa| crate::json::Decimal::new(mantissa, 0);
    let known = |memory: &Memory, address| memory.power_factor(SourceAddress(address), Pgn(65_007)).is_some();
    for (address, mantissa) in [(1, 1), (2, 2), (1, 3), (3, 4)] {
        memory.keep_power_factor(SourceAddress(address), Pgn(65_007), factor(mantissa));
    }
    assert!(known(&memory, 1) && !known(&memory, 2) && known(&memory, 3));
    assert_eq!(memory.power_factor(SourceAddress(1), Pgn(65_007)), Some(factor(3)));
    assert_eq!(memory.forgotten().power_factors, 1);
}

#[test]
fn what_messages_gave_is_bounded() {
    use super::super::memory::GivenKey;
    let mut memory = Memory::new(ReceiverLimits { given_max: 2, ..ReceiverLimits::CHIP });
    let key = |address| GivenKey::new(SourceAddress(address), 0, [0, 0]);
    memory.keep_given(key(9), 0);
    for address in [9, 3, 4, 1] {
        memory.keep_given(key(address), 1);
    }
    assert_eq!([1, 3, 4, 9].map(|address| memory.given(key(address))), [0, 1, 0, 1]);
    assert_eq!(memory.forgotten().given, 2);
    memory.keep_given(key(3), 3);
    assert_eq!(memory.given(key(3)), 3);
    memory.claim(SourceAddress(9), name(1));
    memory.claim(SourceAddress(9), name(2));
    assert_eq!(memory.given(key(9)), 0, "another device");
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
fn one_wrong_way_point_takes_nothing_with_it() {
    let mut memory = Memory::default();
    from(&mut memory, 129_284, &[]);
    let at = |raw| [(Field::WpLatitude, Input::Raw(raw)), (Field::WpLongitude, Input::Raw(raw))];
    let named = |name| [(Field::WpName, Input::Text(name)), (Field::WpLatitude, Input::Raw(10_000_000))];
    let points: [Inputs<'_>; 4] = [&at(10_000_000), &at(20_000_000), &named("C"), &at(40_000_000)];
    let values = defined(&mut memory, Definition::NavigationRouteWpInformation, &[], &points);
    assert_eq!(
        values,
        [
            r#"navigation.courseRhumbline.previousPoint.position={"latitude":1,"longitude":1}"#,
            r#"navigation.courseRhumbline.followingPoint.name="C""#,
        ]
    );
    // A name that nobody set is two bytes of ones; the way points behind it are read.
    let payload = encode_as(Definition::NavigationRouteWpInformation, &[], [&[&at(10_000_000), &named("B")], &[]]);
    let mut bytes = payload.unwrap().to_vec();
    let begin = bytes.windows(4).position(|bytes| bytes == 10_000_000_i32.to_le_bytes()).unwrap();
    assert_eq!(bytes[begin - 2..begin], [2, 1], "an empty name");
    bytes[begin - 2..begin].fill(0xff);
    let decoded = Decoded::new(Pgn(129_285), &bytes).unwrap();
    assert_eq!(
        run(&mut memory, Pgn(129_285), &decoded),
        [
            r#"navigation.courseRhumbline.previousPoint.position={"latitude":1,"longitude":1}"#,
            r#"navigation.courseRhumbline.nextPoint.name="B""#,
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
