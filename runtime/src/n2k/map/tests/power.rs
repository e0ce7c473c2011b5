//! Alternating current, batteries, switches, watermakers.

use super::super::memory::Name;
use super::*;
use crate::json::Decimal;
use crate::n2k::ReceiverLimits;

#[test]
fn meters_are_named_by_the_device_instance_of_their_claim() {
    let mut memory = Memory::default();
    let power = [(Field::RealPower, Input::Raw(2_000_000_500)), (Field::ApparentPower, Input::Raw(2_000_000_800))];
    assert!(from(&mut memory, 65_013, &power).is_empty());
    memory.claim(SourceAddress(7), Name::new(9 << 32).unwrap());
    assert_eq!(from(&mut memory, 65_013, &power), ["electrical.ac.9.phase.A.realPower=500"]);
    let factor = [(Field::PowerFactor, Input::Raw(16_384)), (Field::PowerFactorLagging, Input::Raw(1))];
    let values = from(&mut memory, 65_012, &factor);
    assert_eq!(values.last().unwrap(), r#"electrical.ac.9.phase.A.powerFactorLagging="lagging""#);
    let values = from(&mut memory, 65_013, &power);
    assert!(values[1].starts_with("electrical.ac.9.phase.A.apparentPower=800"), "{values:?}");
    // The factor of one phase is not that of another, nor of a generator.
    assert_eq!(from(&mut memory, 65_010, &power).len(), 1);
    assert_eq!(from(&mut memory, 65_026, &power), ["electrical.generators.9.phase.A.realPower=500"]);
    assert_eq!(
        from(&mut memory, 65_018, &[(Field::TotalEnergyExport, Input::Raw(2))]),
        ["electrical.generators.9.total.energyExport=7200000"]
    );
    assert_eq!(
        from(&mut memory, 65_030, &[(Field::LineNeutralAcRmsVoltage, Input::Raw(230))]),
        ["electrical.generators.9.average.lineNeutralVoltage=230"]
    );
}

#[test]
fn a_computer_knows_the_power_factor_of_every_meter_on_a_bus() {
    // 65012 and 65013 as the generator of seed 1796024071432623 made them, with the factors of 16 other meters between.
    const FACTOR: [u8; 8] = [0xb4, 0xd7, 0x11, 0x3a, 0x5f, 0x00, 0x22, 0x71];
    const POWER: [u8; 8] = [0x15, 0x12, 0xa9, 0x74, 0xdd, 0x0e, 0xc2, 0xdb];
    let read =
        |pgn: u32, bytes: &[u8; 8], memory: &mut Memory| run(memory, Pgn(pgn), &Decoded::new(Pgn(pgn), bytes).unwrap());
    for (limits, power) in [
        (ReceiverLimits::COMPUTER, Some("electrical.ac.241.phase.A.apparentPower=9784182.939399999")),
        (ReceiverLimits::CHIP, None),
    ] {
        let mut memory = Memory::new(limits);
        memory.claim(SourceAddress(7), Name::new(0x83a1_fdf1_ffe6_c7f7).unwrap());
        read(65_012, &FACTOR, &mut memory);
        for meter in 100..116 {
            memory.keep_power_factor(SourceAddress(meter), Pgn(65_013), Decimal::new(1, 0));
        }
        let values = read(65_013, &POWER, &mut memory);
        assert_eq!(values[0], "electrical.ac.241.phase.A.realPower=-42762731");
        assert_eq!(values.get(1).map(String::as_str), power);
        assert_eq!(memory.forgotten().power_factors, u64::from(power.is_none()), "what is forgotten is counted");
    }
}

#[test]
fn connections_are_named_by_address_and_number() {
    let fields = [(Field::ConnectionNumber, Input::Raw(2)), (Field::Power, Input::Raw(-40))];
    assert_eq!(mapped(127_745, &fields), ["electrical.ac.7.2.phase.B.power=-40"]);
    assert!(mapped(127_745, &[(Field::Power, Input::Raw(-40))]).is_empty());
    let state = [(Field::ConnectionNumber, Input::Raw(2)), (Field::TemperatureState, Input::Raw(1))];
    assert_eq!(mapped(127_750, &state), [r#"electrical.converter.7.2.temperatureState="warning""#]);
}

#[test]
fn lines_of_alternating_current_repeat() {
    let line: Inputs<'_> = &[(Field::Line, Input::Raw(0)), (Field::Voltage, Input::Raw(23_050))];
    assert_eq!(
        defined(&mut Memory::default(), Definition::AcOutputStatus, &[(Field::Instance, Input::Raw(3))], &[line]),
        ["electrical.inverters.3.A.voltage=230.5"]
    );
    let without = defined(&mut Memory::default(), Definition::AcInputStatus, &[], &[line]);
    assert!(without.is_empty(), "{without:?}");
}

#[test]
fn batteries_and_chargers_give_texts_switches_and_times() {
    let instance = (Field::Instance, Input::Raw(1));
    assert_eq!(
        mapped(127_506, &[instance, (Field::StateOfCharge, Input::Raw(85))]),
        ["electrical.batteries.1.capacity.stateOfCharge=0.85", "electrical.batteries.1.capacity.timeRemaining=null"]
    );
    assert_eq!(
        mapped(127_507, &[instance, (Field::ChargeMode, Input::Raw(1)), (Field::Enabled, Input::Raw(1))]),
        [
            r#"electrical.chargers.1.chargeMode="primary""#,
            "electrical.chargers.1.enabled=true",
            "electrical.chargers.1.equalizationTimeRemaining=null",
        ]
    );
    assert_eq!(
        mapped(127_513, &[instance, (Field::Capacity, Input::Raw(20)), (Field::PeukertExponent, Input::Raw(1))]),
        ["electrical.batteries.1.capacity.nominal=72000", "electrical.batteries.1.peukertExponent=1.002"]
    );
    assert!(mapped(127_513, &[(Field::Capacity, Input::Raw(20))]).is_empty());
}

#[test]
fn switches_have_a_state_and_their_number() {
    let fields =
        [(Field::Instance, Input::Raw(0)), (Field::Indicator1, Input::Raw(1)), (Field::Indicator28, Input::Raw(0))];
    assert_eq!(
        mapped(127_501, &fields),
        [
            "electrical.switches.bank.0.1.state=1",
            "electrical.switches.bank.0.1.order=1",
            "electrical.switches.bank.0.28.state=0",
            "electrical.switches.bank.0.28.order=28",
        ]
    );
}

#[test]
fn watermakers_are_in_si_units_and_warn() {
    let fields = [
        (Field::WatermakerOperatingState, Input::Raw(2)),
        (Field::Salinity, Input::Raw(350)),
        (Field::ProductWaterFlow, Input::Raw(36)),
        (Field::FilterStatus, Input::Raw(1)),
        (Field::EmergencyStop, Input::Raw(0)),
    ];
    assert_eq!(
        mapped(130_567, &fields),
        [
            r#"watermaker.0.state="Running""#,
            "watermaker.0.emergencyStop=false",
            "watermaker.0.salinity=0.00035",
            "watermaker.0.productWaterFlow=0.000001",
            r#"notifications.watermaker.0.filter={"state":"alert","method":["visual"],"message":"Watermaker Filter Warning"}"#,
            r#"notifications.watermaker.0.emergencyStop={"state":"normal","method":[],"message":"Watermaker Emergency Stop is Normal"}"#,
        ]
    );
}

#[test]
fn satellites_with_less_than_four_fields_only_count_for_the_others() {
    let whole: Inputs<'_> = &[
        (Field::Prn, Input::Raw(30)),
        (Field::Elevation, Input::Raw(10_646)),
        (Field::Azimuth, Input::Raw(42_935)),
        (Field::Snr, Input::Raw(4100)),
    ];
    let poor: Inputs<'_> = &[(Field::Prn, Input::Raw(31))];
    assert_eq!(
        defined(&mut Memory::default(), Definition::GnssSatsInView, &[], &[whole, poor]),
        [
            r#"navigation.gnss.satellitesInView={"count":1,"satellites":[{"id":30,"elevation":1.0646,"azimuth":4.2935,"SNR":41}]}"#
        ]
    );
}

#[test]
fn spans_of_minutes_beyond_the_range_are_the_peers_and_unknown_ones_null() {
    let of = |minutes: u16| {
        let [low, high] = minutes.to_le_bytes();
        let payload = [1, 0, 0, 0xff, 0xff, low, high, 0xff, 0xff, 0xff, 0xff];
        let decoded = Decoded::new(Pgn(127_506), &payload).unwrap();
        let id = Id { priority: 6, pgn: Pgn(127_506), source: SourceAddress(7), destination: 255 };
        let (mut memory, mut sink) = (Memory::default(), Collected::default());
        let memory = &mut memory;
        let mut scene = Scene { decoded: &decoded, id, time: TIME, memory, sink: &mut sink, given: 0 };
        find(Pgn(127_506)).unwrap().1.run(&mut scene);
        sink.0
    };
    for (minutes, seconds) in [(0, "0"), (60, "3600"), (65_533, "3931980"), (65_534, "3932040"), (65_535, "null")] {
        assert_eq!(of(minutes), [std::format!("electrical.batteries.0.capacity.timeRemaining={seconds}")], "{minutes}");
    }
}
