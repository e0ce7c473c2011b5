use super::*;
use crate::n2k::{DeltaForm, Id, N2kMessage, Pgn, Receiver, SourceAddress};
use crate::time::UnixMillis;

fn ms(millis: u64) -> Instant {
    Instant::from_millis(millis)
}

fn sent(outgoing: &mut Outgoing, at: u64) -> Vec<(u32, Vec<u8>)> {
    let mut all = Vec::new();
    outgoing.poll(ms(at), |(pgn, _, _, payload)| all.push((pgn.0, payload.to_vec())));
    all
}

/// What the values become, from a fresh start.
fn of(values: &[(&str, &str)]) -> Vec<(u32, Vec<u8>)> {
    let mut outgoing = Outgoing::default();
    for (path, value) in values {
        assert!(outgoing.offer(path, value, ms(0)), "{path}");
    }
    sent(&mut outgoing, 0)
}

#[test]
fn payloads_are_exact() {
    for (values, pgn, payload) in [
        (
            &[("environment.wind.speedApparent", "5.12"), ("environment.wind.angleApparent", "-0.5")][..],
            130_306,
            [0xff, 0x00, 0x02, 0xe8, 0xe1, 0xfa, 0xff, 0xff],
        ),
        (
            &[("environment.depth.belowTransducer", "4.32"), ("environment.depth.surfaceToTransducer", "0.5")],
            128_267,
            [0xff, 0xb0, 0x01, 0x00, 0x00, 0xf4, 0x01, 0xff],
        ),
        (
            &[("environment.depth.belowTransducer", "4.32"), ("environment.depth.transducerToKeel", "1.25")],
            128_267,
            [0xff, 0xb0, 0x01, 0x00, 0x00, 0x1e, 0xfb, 0xff],
        ),
        (
            &[("navigation.position", r#"{"latitude":60.1234567,"longitude":-24.5}"#)],
            129_025,
            [0x87, 0x1c, 0xd6, 0x23, 0xc0, 0x98, 0x65, 0xf1],
        ),
        (
            &[("navigation.headingMagnetic", "1.512"), ("navigation.magneticVariation", "0.1")],
            127_250,
            [0xff, 0x10, 0x3b, 0xff, 0x7f, 0xe8, 0x03, 0xfd],
        ),
        (
            &[("electrical.batteries.1.voltage", "12.61"), ("electrical.batteries.1.current", "-3.4")],
            127_508,
            [0x01, 0xed, 0x04, 0xde, 0xff, 0xff, 0xff, 0xff],
        ),
        (
            &[("tanks.freshWater.2.currentLevel", "0.5"), ("tanks.freshWater.2.capacity", "0.2")],
            127_505,
            [0x12, 0xd4, 0x30, 0xd0, 0x07, 0x00, 0x00, 0xff],
        ),
        (&[("environment.outside.temperature", "293.15")], 130_312, [0xff, 0x00, 0x01, 0x83, 0x72, 0xff, 0xff, 0xff]),
        (&[("environment.outside.temperature", "293.15")], 130_316, [0xff, 0x00, 0x01, 0x1e, 0x79, 0x04, 0xff, 0xff]),
        (
            &[("electrical.switches.bank.3.1.state", "true"), ("electrical.switches.bank.3.5.state", "0")],
            127_501,
            [0x03, 0xfd, 0xfc, 0xff, 0xff, 0xff, 0xff, 0xff],
        ),
    ] {
        let sent = of(values);
        let (_, found) = sent.iter().find(|(number, _)| *number == pgn).unwrap();
        assert_eq!(*found, payload, "{pgn} of {values:?}");
    }
}

#[test]
fn parts_alone_are_not_sent() {
    for (path, value) in [
        ("environment.wind.speedApparent", "5"),
        ("environment.depth.surfaceToTransducer", "0.5"),
        ("navigation.magneticVariation", "0.1"),
        ("tanks.fuel.0.capacity", "0.2"),
        ("navigation.position", r#"{"latitude":60}"#),
        ("environment.depth.belowTransducer", "null"),
        ("environment.depth.belowTransducer", "\"deep\""),
    ] {
        assert_eq!(of(&[(path, value)]), [], "{path} {value}");
    }
    assert!(!Outgoing::default().offer("navigation.speedOverGround", "1", ms(0)));
}

#[test]
fn values_no_field_can_hold_are_counted() {
    let mut outgoing = Outgoing::default();
    for (path, value) in [
        ("environment.depth.belowTransducer", "-1"),
        ("environment.depth.belowTransducer", "1e300"),
        ("environment.outside.temperature", "-5"),
        ("navigation.position", r#"{"latitude":600,"longitude":0}"#),
    ] {
        outgoing.offer(path, value, ms(0));
        assert_eq!(sent(&mut outgoing, 0), [], "{path} {value}");
    }
    assert_eq!(outgoing.counters().out_of_range, 5, "a temperature is two messages");
}

#[test]
fn the_period_of_the_pgn_is_kept() {
    let mut outgoing = Outgoing::default();
    let mut counts = std::collections::BTreeMap::<u32, u32>::new();
    for at in 0..10_000 {
        for (path, value) in [
            ("environment.wind.speedApparent", "5"),
            ("environment.wind.angleApparent", "1"),
            ("environment.depth.belowTransducer", "4"),
            ("electrical.batteries.0.voltage", "12"),
            ("tanks.fuel.0.currentLevel", "0.4"),
            ("environment.water.temperature", "290"),
        ] {
            outgoing.offer(path, value, ms(at));
        }
        for (pgn, _) in sent(&mut outgoing, at) {
            *counts.entry(pgn).or_default() += 1;
        }
    }
    let expected = [(127_505, 4), (127_508, 7), (128_267, 10), (130_306, 100), (130_312, 5), (130_316, 5)];
    assert_eq!(counts.into_iter().collect::<Vec<_>>(), expected);
}

#[test]
fn a_value_is_sent_once_and_not_when_it_is_old() {
    let mut outgoing = Outgoing::default();
    outgoing.offer("environment.wind.speedApparent", "5", ms(0));
    outgoing.offer("environment.wind.angleApparent", "1", ms(0));
    assert_eq!(outgoing.due(ms(0)), Some(ms(0)));
    assert_eq!(sent(&mut outgoing, 0).len(), 1);
    assert_eq!((sent(&mut outgoing, 5000).len(), outgoing.due(ms(5000))), (0, None));
    outgoing.offer("environment.wind.speedApparent", "6", ms(10_001));
    assert_eq!(sent(&mut outgoing, 10_001), [], "the angle is older than ten seconds");
    outgoing.offer("environment.wind.angleApparent", "1", ms(10_002));
    assert_eq!(sent(&mut outgoing, 10_002).len(), 1);
    outgoing.offer("environment.wind.angleApparent", "2", ms(10_050));
    assert_eq!((sent(&mut outgoing, 10_050).len(), outgoing.due(ms(10_050))), (0, Some(ms(10_102))));
    outgoing.offer("environment.wind.angleApparent", "null", ms(10_060));
    assert_eq!(sent(&mut outgoing, 10_102), [], "it ended");
}

#[test]
fn messages_are_bounded() {
    let mut outgoing = Outgoing::default();
    for instance in 0..=252 {
        outgoing.offer(&std::format!("electrical.batteries.{instance}.voltage"), "12", ms(0));
    }
    assert_eq!((sent(&mut outgoing, 0).len(), outgoing.counters().full), (SUBJECTS_MAX, 253 - SUBJECTS_MAX as u64));
}

#[test]
fn switches_are_on_off_or_refused() {
    for (text, state) in [
        ("true", Some(true)),
        ("0", Some(false)),
        ("1", Some(true)),
        ("\"on\"", Some(true)),
        ("\"off\"", Some(false)),
        ("2", None),
        ("null", None),
        ("\"maybe\"", None),
        ("{}", None),
    ] {
        assert_eq!(switch_state(text), state, "{text}");
    }
}

/// Returns path and value of all values that the own decoder makes of a payload.
fn decoded(pgn: u32, payload: &[u8]) -> Vec<(String, String)> {
    let id = Id { priority: 2, pgn: Pgn(pgn), source: SourceAddress(7), destination: 255 };
    let mut receiver = Receiver::new("x");
    let message = N2kMessage { id, payload: crate::n2k::Payload::from_slice(payload).unwrap() };
    let delta = receiver.delta(&message, UnixMillis(1_780_308_000_000), DeltaForm::Line { line: 1 });
    let delta = delta.as_ref();
    delta
        .into_iter()
        .flat_map(|delta| delta.updates())
        .flat_map(|update| update.values())
        .map(|(path, value)| (path.into(), value.into()))
        .collect()
}

proptest::proptest! {
    /// What goes out reads back through the own decoder, within the resolution of the field.
    #[test]
    fn values_read_back(
        angle in -3.1_f64..3.1, speed in 0.0_f64..60.0, depth in 0.0_f64..1000.0, volts in 0.0_f64..60.0,
        level in 0.0_f64..1.0, kelvin in 200.0_f64..400.0,
    ) {
        for (path, value, step, more) in [
            ("environment.wind.angleApparent", angle, 1e-4, &[("environment.wind.speedApparent", "1")][..]),
            ("environment.wind.speedApparent", speed, 0.01, &[("environment.wind.angleApparent", "1")]),
            ("environment.depth.belowTransducer", depth, 0.01, &[]),
            ("electrical.batteries.7.voltage", volts, 0.01, &[]),
            ("tanks.blackWater.3.currentLevel", level, 0.000_04, &[]),
            ("environment.outside.temperature", kelvin, 0.01, &[]),
            ("navigation.headingTrue", angle + 3.1, 1e-4, &[]),
        ] {
            let text = std::format!("{value}");
            let mut values = std::vec![(path, text.as_str())];
            values.extend(more);
            let sent = of(&values);
            proptest::prop_assert!(!sent.is_empty());
            for (pgn, payload) in sent {
                let back = decoded(pgn, &payload);
                let found = back.iter().find(|(found, _)| found == path || path.contains("temperature"));
                let number: f64 = found.unwrap().1.parse().unwrap();
                proptest::prop_assert!((number - value).abs() <= step, "{path}: {value} came back as {number}");
            }
        }
    }

    #[test]
    fn any_path_and_value_are_survived(
        path in "(environment|tanks|electrical|navigation|propulsion)(\\.[a-zA-Z0-9]{1,12}){1,6}",
        value in "(-?[0-9]{1,20}(e[0-9]{1,3})?|true|null|\\{\\}|\"\")",
    ) {
        let mut outgoing = Outgoing::default();
        outgoing.offer(&path, &value, ms(0));
        sent(&mut outgoing, 0);
    }
}
