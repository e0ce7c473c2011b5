//! AIS and radio: context and values of a delta.

use super::super::target::DeltaContext;
use super::*;

fn context(pgn: u32, fields: Inputs<'_>) -> DeltaContext {
    let payload = encode(Pgn(pgn), fields).unwrap();
    find(Pgn(pgn)).unwrap().1.target.context(&Decoded::new(Pgn(pgn), &payload).unwrap())
}

fn other(text: &str) -> DeltaContext {
    DeltaContext::Other(text.try_into().unwrap())
}

#[test]
fn contexts_are_named_by_mmsi() {
    let vessel = [(Field::UserId, Input::Raw(211_234_567))];
    assert_eq!(context(127_250, &[]), DeltaContext::Own);
    for pgn in [129_038, 129_039, 129_040, 129_794, 129_809, 129_810] {
        assert_eq!(context(pgn, &vessel), other("vessels.urn:mrn:imo:mmsi:211234567"), "{pgn}");
        assert_eq!(context(pgn, &[]), other("vessels.unknown"), "{pgn}");
        // A number with fewer than nine digits is no vessel's.
        assert_eq!(context(pgn, &[(Field::UserId, Input::Raw(2_320_001))]), DeltaContext::Invalid, "{pgn}");
    }
    assert_eq!(
        context(129_041, &[(Field::UserId, Input::Raw(992_111_840))]),
        other("atons.urn:mrn:imo:mmsi:992111840")
    );
    assert_eq!(context(129_041, &[]), other("atons.unknown"));
}

#[test]
fn stations_and_aircraft_have_zeros_in_front() {
    let coast = [(Field::UserId, Input::Raw(2_320_001))];
    assert_eq!(context(129_793, &coast), other("shore.basestations.urn:mrn:imo:mmsi:002320001"));
    assert_eq!(context(129_798, &coast), other("sar.urn:mrn:imo:mmsi:002320001"));
    assert_eq!((context(129_793, &[]), context(129_798, &[])), (other("shore.unknown"), other("sar.unknown")));
    assert_eq!(
        context(129_802, &[(Field::SourceId, Input::Raw(2_320_001))]),
        other("vessels.urn:mrn:imo:mmsi:002320001")
    );
    assert_eq!(context(129_802, &[]), DeltaContext::Invalid);
}

#[test]
fn numbers_below_the_range_of_an_mmsi_are_none() {
    let mut payload = encode(Pgn(129_038), &[]).unwrap().to_vec();
    payload[1..5].copy_from_slice(&1_193_046_u32.to_le_bytes());
    let decoded = Decoded::new(Pgn(129_038), &payload).unwrap();
    assert_eq!(find(Pgn(129_038)).unwrap().1.target.context(&decoded), DeltaContext::Invalid);
}

#[test]
fn class_a_reports_say_where_and_how() {
    let fields = [
        (Field::UserId, Input::Raw(211_234_567)),
        (Field::Latitude, Input::Raw(540_000_000)),
        (Field::Longitude, Input::Raw(100_000_000)),
        (Field::Sog, Input::Raw(514)),
        (Field::NavStatus, Input::Raw(5)),
        (Field::SpecialManeuverIndicator, Input::Raw(1)),
    ];
    assert_eq!(
        mapped(129_038, &fields),
        [
            "navigation.speedOverGround=5.14",
            r#"navigation.position={"latitude":54,"longitude":10}"#,
            r#"navigation.state="moored""#,
            r#"navigation.specialManeuver="not engaged""#,
            r#"={"mmsi":"211234567"}"#,
            r#"sensors.ais.class="A""#,
        ]
    );
    // A transponder without a fix sends zero.
    let nowhere = [(Field::Latitude, Input::Raw(0)), (Field::Longitude, Input::Raw(100_000_000))];
    assert!(mapped(129_038, &nowhere).iter().all(|value| !value.starts_with("navigation.position")));
}

#[test]
fn static_data_names_and_measures() {
    let fields = [
        (Field::UserId, Input::Raw(211_234_567)),
        (Field::Name, Input::Text("ALBATROS")),
        (Field::Callsign, Input::Text("DABC")),
        (Field::Destination, Input::Text("KIEL")),
        (Field::EtaDate, Input::Raw(20_605)),
        (Field::EtaTime, Input::Raw(360_000_005)),
        (Field::Draft, Input::Raw(250)),
        (Field::Length, Input::Raw(120)),
        (Field::Beam, Input::Raw(35)),
        (Field::PositionReferenceFromStarboard, Input::Raw(20)),
        (Field::PositionReferenceFromBow, Input::Raw(80)),
        (Field::TypeOfShip, Input::Raw(36)),
        (Field::ImoNumber, Input::Raw(9_074_729)),
    ];
    let values = mapped(129_794, &fields);
    for wanted in [
        r#"={"name":"ALBATROS"}"#,
        r#"={"communication":{"callsignVhf":"DABC"}}"#,
        r#"navigation.destination.commonName="KIEL""#,
        r#"navigation.destination.eta="2026-06-01T10:00:00.001Z""#,
        r#"design.draft={"maximum":2.5}"#,
        r#"design.length={"overall":12}"#,
        "design.beam=3.5",
        "sensors.ais.fromCenter=-0.25",
        "sensors.ais.fromBow=8",
        r#"design.aisShipType={"id":36,"name":"Sailing"}"#,
        r#"={"registrations":{"imo":"IMO 9074729"}}"#,
        r#"={"mmsi":"211234567"}"#,
    ] {
        assert!(values.iter().any(|value| value == wanted), "{wanted} in {values:#?}");
    }
    assert_eq!(values.len(), 13);
    assert_eq!(mapped(129_794, &[(Field::Length, Input::Raw(0))]), [r#"sensors.ais.class="A""#]);
    assert!(mapped(129_809, &[]).is_empty());
}

#[test]
fn texts_of_varying_length_lose_their_padding() {
    let mark = [(Field::UserId, Input::Raw(992_111_840)), (Field::AtonName, Input::Text("BUOY-148@@@@@@@@@@@@"))];
    assert!(mapped(129_041, &mark).contains(&String::from(r#"={"name":"BUOY-148"}"#)));
    let nameless = [(Field::UserId, Input::Raw(992_111_840)), (Field::AtonName, Input::Text("@@@@"))];
    assert!(mapped(129_041, &nameless).iter().all(|value| !value.contains("name")));
}

#[test]
fn marks_say_what_they_are() {
    let fields = [
        (Field::UserId, Input::Raw(992_111_840)),
        (Field::AtonName, Input::Text("REEDE")),
        (Field::AtonType, Input::Raw(30)),
        (Field::VirtualAtonFlag, Input::Raw(1)),
        (Field::OffPositionIndicator, Input::Raw(0)),
        (Field::BeamDiameter, Input::Raw(40)),
        (Field::PositionReferenceFromStarboardEdge, Input::Raw(20)),
    ];
    assert_eq!(
        mapped(129_041, &fields),
        [
            "design.beam=4",
            "virtual=true",
            "offPosition=false",
            r#"={"name":"REEDE"}"#,
            r#"atonType={"id":30,"name":"Special Mark"}"#,
            "sensors.ais.fromCenter=0",
            r#"={"mmsi":"992111840"}"#,
            r#"sensors.ais.class="ATON""#,
        ]
    );
}

#[test]
fn aircraft_have_a_height() {
    let at = |altitude: Option<i64>| {
        let mut fields =
            std::vec![(Field::Latitude, Input::Raw(10_000_000)), (Field::Longitude, Input::Raw(20_000_000))];
        fields.extend(altitude.map(|raw| (Field::Altitude, Input::Raw(raw))));
        mapped(129_798, &fields).remove(0)
    };
    assert_eq!(at(None), r#"navigation.position={"latitude":1,"longitude":2}"#);
    assert_eq!(at(Some(15_050)), r#"navigation.position={"latitude":1,"longitude":2,"altitude":150.5}"#);
}

#[test]
fn distress_calls_notify_in_the_callers_context() {
    // Ten digits, two a byte (ITU-R M.825), behind format and category.
    let call = |address: [u8; 5]| {
        let mut payload = encode_as(Definition::DscDistressCallInformation, &[], [&[], &[]]).unwrap().to_vec();
        payload[2..7].copy_from_slice(&address);
        find(Pgn(129_808)).unwrap().1.target.context(&Decoded::new(Pgn(129_808), &payload).unwrap())
    };
    assert_eq!(call([21, 11, 23, 45, 60]), other("vessels.urn:mrn:imo:mmsi:211123456"));
    assert_eq!((call([0; 5]), call([0xff; 5])), (DeltaContext::Invalid, DeltaContext::Invalid));
    let fields = [
        (Field::NatureOfDistress, Input::Raw(110)),
        (Field::LatitudeOfVesselReported, Input::Raw(10_000_000)),
        (Field::LongitudeOfVesselReported, Input::Raw(0)),
    ];
    assert_eq!(
        defined(&mut Memory::default(), Definition::DscDistressCallInformation, &fields, &[]),
        [
            r#"navigation.position={"latitude":1,"longitude":0}"#,
            r#"notifications.mob={"message":"DSC Distress Received! Nature of distress: mob"}"#,
        ]
    );
    let routine = [(Field::DscCategorySymbol, Input::Raw(100))];
    assert!(defined(&mut Memory::default(), Definition::DscCallInformation, &routine, &[]).is_empty());
}

#[test]
fn safety_broadcasts_are_trimmed_and_blank_ones_left_out() {
    assert_eq!(
        mapped(129_802, &[(Field::SafetyRelatedText, Input::Text("SART ACTIVE"))]),
        [r#"communication.ais.safetyRelatedBroadcast="SART ACTIVE""#]
    );
    assert!(mapped(129_802, &[]).is_empty());
}
