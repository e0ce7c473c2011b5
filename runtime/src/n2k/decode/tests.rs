use super::*;
use crate::n2k::tables::DEFINITIONS;
use proptest::prelude::*;
use std::string::{String, ToString};
use std::vec::Vec;

fn decode(pgn: u32, payload: &[u8]) -> Decoded<'_> {
    Decoded::new(Pgn(pgn), payload).unwrap()
}

#[test]
fn reads_scaled_numbers_and_codes() {
    let heading = decode(127_250, &[0xff, 0x10, 0x3b, 0xff, 0x7f, 0xce, 0xf5, 0xfc]);
    assert_eq!(heading.number(Field::Heading), Some(Decimal::new(15_120, -4)));
    assert_eq!(heading.number(Field::Variation), Some(Decimal::new(-2610, -4)));
    assert_eq!(heading.text(Field::Reference), Some("True"));
    assert_eq!((heading.number(Field::Deviation), heading.raw(Field::Sid)), (None, None));
    assert_eq!(heading.raw(Field::Depth), None);
    assert_eq!((heading.definition(), heading.pgn()), (Definition::VesselHeading, Pgn(127_250)));
}

#[test]
fn reads_64_bits_and_codes_across_bytes() {
    let mut payload = [0_u8; 43];
    payload[7..15].copy_from_slice(&(-123_456_789_012_345_678_i64).to_le_bytes());
    payload[31] = 0x14;
    let position = decode(129_029, &payload);
    assert_eq!(position.number(Field::Latitude), Some(Decimal::new(-123_456_789_012_345_678, -16)));
    assert_eq!(position.text(Field::GnssType), Some("GPS+SBAS/WAAS+GLONASS"));
    assert_eq!(position.text(Field::Method), Some("GNSS fix"));
}

#[test]
fn fields_outside_the_range_are_absent_at_both_ends() {
    let latitude = |raw: i32| {
        let mut payload = [0_u8; 8];
        payload[..4].copy_from_slice(&raw.to_le_bytes());
        decode(129_025, &payload).raw(Field::Latitude)
    };
    assert_eq!(latitude(900_000_000), Some(900_000_000));
    assert_eq!(latitude(-900_000_000), Some(-900_000_000));
    assert_eq!(latitude(900_000_001), None);
    assert_eq!(latitude(-900_000_001), None);
    assert_eq!(latitude(i32::MAX), None);
}

#[test]
fn codes_beyond_the_range_are_told_from_those_not_available() {
    let mut payload = [0xff_u8; 8];
    payload[..4].copy_from_slice(&i32::MAX.to_le_bytes());
    payload[4..].copy_from_slice(&i32::MIN.to_le_bytes());
    let refused: Vec<_> = decode(129_025, &payload).refused().collect();
    assert_eq!(refused, [Field::Longitude]);
    assert_eq!(decode(129_025, &payload[..4]).refused().count(), 0);
}

#[test]
fn a_short_payload_ends_the_fields() {
    let speed = decode(128_259, &[0, 0x4e, 0x01, 0x22]);
    assert_eq!(speed.number(Field::SpeedWaterReferenced), Some(Decimal::new(334, -2)));
    assert_eq!(speed.raw(Field::SpeedGroundReferenced), None);
    assert_eq!(speed.raw(Field::SpeedWaterReferencedType), None);
}

#[test]
fn codes_without_a_text_stay_numbers() {
    assert_eq!(
        decode(128_259, &[0, 0, 0, 0, 0, 0xe3, 0, 0]).lookup(Field::SpeedWaterReferencedType),
        Some(Lookup::Code(227))
    );
    assert_eq!(decode(128_259, &[0, 0, 0, 0, 0, 0xff, 0, 0]).lookup(Field::SpeedWaterReferencedType), None);
    // All ones with a text of its own is a value.
    let mut payload = [0_u8; 43];
    payload[32] = 3;
    assert_eq!(decode(129_029, &payload).text(Field::Integrity), Some("Unsafe"));
}

#[test]
fn groups_that_are_not_in_the_tables_are_refused() {
    assert!(Decoded::new(Pgn(1), &[0; 8]).is_none());
}

#[test]
fn proprietary_codes_pick_the_definition() {
    // Raymarine (1851, marine) 65359, and the same PGN of nobody.
    assert_eq!(decode(65_359, &[0x3b, 0x9f, 0, 0, 0, 0x10, 0x27, 0xff]).definition(), Definition::SeatalkPilotHeading);
    assert!(Decoded::new(Pgn(65_359), &[0x3b, 0x9e, 0, 0, 0, 0x10, 0x27, 0xff]).is_none());
    assert!(Decoded::new(Pgn(65_359), &[0x3b]).is_none());
    // Without a code that tells them apart the plain one is left.
    assert_eq!(decode(129_808, &[0x70, 0x70]).definition(), Definition::DscDistressCallInformation);
    assert_eq!(decode(129_808, &[0x70, 0x64]).definition(), Definition::DscCallInformation);
}

#[cfg(feature = "pgn-all")]
#[test]
fn what_fits_no_definition_falls_back_to_the_one_of_its_range() {
    let unknown = Decoded::fallback(Pgn(65_300), &[0x3b, 0x9f, 1, 2, 3, 4, 5, 6]).unwrap();
    assert_eq!(unknown.text(Field::ManufacturerCode), Some("Raymarine"));
    assert_eq!(unknown.bytes(Field::Data), Some(&[1, 2, 3, 4, 5, 6][..]));
    assert!(Decoded::fallback(Pgn(131_073), &[0; 8]).is_none());
}

#[test]
fn repeating_sets_end_with_their_count_or_the_payload() {
    // Satellites in view: mode, count 2, then 12 bytes each; a third one is not asked for.
    let satellite = |number: u8| [number, 0x10, 0x27, 0x20, 0x4e, 0xb8, 0x0b, 0, 0, 0, 0, 0xf2];
    let mut payload = std::vec![1, 0xfe, 2];
    for number in [7, 8, 9] {
        payload.extend(satellite(number));
    }
    let view = decode(129_540, &payload);
    let numbers = |view: Decoded<'_>| view.groups().map(|group| group.raw(Field::Prn)).collect::<Vec<_>>();
    assert_eq!(numbers(view), [Some(7), Some(8)]);
    assert_eq!(view.groups().next().unwrap().number(Field::Snr), Some(Decimal::new(3000, -2)));
    assert_eq!(numbers(decode(129_540, &payload[..20])), [Some(7), Some(8)]);
    assert_eq!(numbers(decode(129_540, &payload[..15])), [Some(7)]);
    assert_eq!(view.groups().next().unwrap().groups().count(), 0);
    assert_eq!(view.second_groups().count(), 0);
    // A count that is not available is none.
    payload[2] = 0xff;
    assert!(numbers(decode(129_540, &payload)).is_empty());
    // A set without a count lasts as long as the payload.
    let list = decode(126_464, &[0, 0x14, 0xf0, 0x01, 0x00, 0xee, 0x00, 0xff]);
    let pgns: Vec<_> = list.groups().map(|group| group.raw(Field::Pgn)).collect();
    assert_eq!(pgns, [Some(126_996), Some(60_928), None]);
}

#[test]
fn texts_of_varying_length_move_what_follows() {
    let text = |text: &[u8]| [&[u8::try_from(text.len() + 2).unwrap(), 1], text].concat();
    let payload = [text(b"north"), text(b""), text(b"maker")].concat();
    let info = decode(126_998, &payload);
    let string = |field| info.string(field).map(|text| text.to_string());
    assert_eq!(string(Field::InstallationDescription1).as_deref(), Some("north"));
    assert_eq!(string(Field::InstallationDescription2), None);
    assert_eq!(string(Field::ManufacturerInformation).as_deref(), Some("maker"));
    let cut = decode(126_998, &payload[..4]);
    assert_eq!(cut.string(Field::InstallationDescription1).unwrap().to_string(), "no");
    assert_eq!(cut.string(Field::ManufacturerInformation), None);
    // A length of nothing still takes its two bytes.
    let info = decode(126_998, &[0, 0, 3, 1, b'x']);
    assert_eq!(info.string(Field::InstallationDescription2).unwrap().to_string(), "x");
}

#[test]
fn names_of_devices_and_indirect_texts() {
    let claim = decode(60_928, &[0x2a, 0x00, 0x60, 0x3b, 0x0b, 0x96, 0x32, 0xc0]);
    assert_eq!(claim.raw(Field::UniqueNumber), Some(42));
    assert_eq!((claim.raw(Field::DeviceInstanceLower), claim.raw(Field::DeviceInstanceUpper)), (Some(3), Some(1)));
    assert_eq!(claim.raw(Field::DeviceClass), Some(25));
    #[cfg(feature = "pgn-mapped")]
    {
        assert_eq!(claim.text(Field::DeviceClass), Some("Internetwork device"));
        assert_eq!(claim.text(Field::DeviceFunction), Some("Bridge"));
        // The same code means something else in another class.
        let claim = decode(60_928, &[0x2a, 0x00, 0x60, 0x3b, 0x0b, 0x96, 0x50, 0xc0]);
        assert_eq!(claim.text(Field::DeviceFunction), Some("Autopilot"));
        let claim = decode(60_928, &[0x2a, 0x00, 0x60, 0x3b, 0x0b, 0x01, 0x50, 0xc0]);
        assert_eq!(claim.lookup(Field::DeviceFunction), Some(Lookup::Code(1)));
    }
}

#[test]
fn digits_are_pairs_of_decimals() {
    let mut payload = [0xff_u8; 40];
    payload[..7].copy_from_slice(&[0x78, 0x64, 21, 12, 34, 56, 70]);
    let call = decode(129_808, &payload);
    assert_eq!(call.number(Field::DscMessageAddress), Some(Decimal::new(2_112_345_670, 0)));
    payload[3] = 100;
    assert_eq!(decode(129_808, &payload).number(Field::DscMessageAddress), None);
}

#[test]
fn flags_are_read_bit_by_bit() {
    let mut payload = [0xff_u8; 26];
    payload[20..22].copy_from_slice(&[0x03, 0x80]);
    let engine = decode(127_489, &payload);
    let flags = engine.flags(Field::DiscreteStatus1).unwrap();
    let names: Vec<_> = flags.filter_map(|(_, name)| name).collect();
    assert_eq!(names, ["Check Engine", "Over Temperature", "Emergency Stop"]);
    assert!(flags.is_set(15) && !flags.is_set(14) && !flags.is_set(200));
    assert_eq!(engine.flags(Field::Temperature), None);
}

#[test]
fn parameters_of_group_functions_are_read_as_the_fields_they_name() {
    // Command (1) of 127501, priority unchanged, two parameters: instance 1, switch 2 on.
    let command = decode(126_208, &[1, 0x0d, 0xf2, 0x01, 0xf8, 2, 1, 1, 3, 1]);
    assert_eq!(command.definition(), Definition::NmeaCommandGroupFunction);
    let pairs: Vec<_> =
        command.groups().map(|group| (group.raw(Field::Parameter), group.lookup(Field::Value))).collect();
    assert_eq!(pairs.len(), 2);
    assert_eq!(pairs[0], (Some(1), Some(Lookup::Code(1))));
    assert_eq!(pairs[1].0, Some(3));
    assert!(matches!(pairs[1].1, Some(Lookup::Text("On") | Lookup::Code(1))), "{:?}", pairs[1]);
}

#[test]
fn parameters_tell_proprietary_definitions_apart() {
    // Command of 126720: Raymarine, marine, brightness of the displays of group 2 at 50 %. Other definitions of
    // Raymarine have other fields at number 9.
    let pairs = [(1, &[0x3b, 0x07][..]), (3, &[4]), (4, &[0x8c]), (5, &[0x0c]), (8, &[0]), (6, &[2]), (9, &[50])];
    let mut payload = std::vec![1, 0x00, 0xef, 0x01, 0xf8, 7];
    for (number, value) in pairs {
        payload.push(number);
        payload.extend(value);
    }
    let command = decode(126_208, &payload);
    let raws: Vec<_> = command.groups().map(|group| group.bits(Field::Value)).collect();
    assert_eq!(raws, [Some(0x73b), Some(4), Some(0x8c), Some(0x0c), Some(0), Some(2), Some(50)]);
    let names: Vec<_> = command.groups().map(|group| group.text(Field::Value)).collect();
    assert_eq!(names[5], Some("Helm 2"));
    assert_eq!(names[6], None);
}

#[test]
fn parameters_of_unknown_groups_take_the_rest() {
    let command = decode(126_208, &[1, 0x01, 0x00, 0x00, 0xf8, 2, 1, 1, 3, 1]);
    assert_eq!(command.groups().count(), 1);
    assert_eq!(command.groups().next().unwrap().lookup(Field::Value), None);
}

#[test]
fn conditional_fields_are_there_for_proprietary_groups_only() {
    let plain = decode(126_208, &[3, 0x12, 0xf1, 0x01, 9, 0, 1, 2]);
    assert_eq!((plain.raw(Field::UniqueId), plain.raw(Field::ManufacturerCode)), (Some(9), None));
    let own = decode(126_208, &[3, 0x00, 0xff, 0x00, 0x3b, 0x9f, 9, 0, 1, 2]);
    assert_eq!((own.raw(Field::UniqueId), own.raw(Field::ManufacturerCode)), (Some(9), Some(1851)));
}

#[test]
fn keys_describe_their_values() {
    // Simnet 130845 (manufacturer 1857): key 0, 16 bits at 0.0001 rad.
    let mut payload = std::vec![0x41, 0x9f, 0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0xff, 0xff, 0x10, 0x27];
    let keyed = decode(130_845, &payload);
    let value = |keyed: &Decoded<'_>| keyed.number(Field::Value);
    if keyed.definition() == Definition::SimnetKeyValue {
        assert_eq!(value(&keyed), Some(Decimal::new(10_000, -4)));
        // A key that nobody described has no value.
        payload[6..8].copy_from_slice(&[0xfe, 0x7f]);
        assert_eq!(value(&decode(130_845, &payload)), None);
    } else {
        panic!("{:?}", keyed.definition());
    }
}

/// Reads all there is, in every way there is.
fn read_everything(decoded: &Decoded<'_>) -> usize {
    let mut texts = String::new();
    for (field, reading) in decoded.readings() {
        match reading {
            Reading::Text(text) => texts.push_str(&text.to_stack()),
            Reading::Flags(flags) => texts.extend(flags.filter_map(|(_, name)| name)),
            _ => {}
        }
        let _ = (decoded.raw(field), decoded.bits(field), decoded.number(field), decoded.lookup(field));
        let _ = (decoded.float(field), decoded.string(field), decoded.bytes(field));
    }
    decoded.groups().chain(decoded.second_groups()).map(|group| 1 + read_everything(&group)).sum()
}

proptest! {
    #[test]
    fn never_panics_on_any_bytes(row in 0..DEFINITIONS.len(), matching: bool, payload in proptest::collection::vec(0_u8.., 0..=223)) {
        let row = &DEFINITIONS[row];
        let mut payload = payload;
        for wanted in row.matches().iter().filter(|_| matching) {
            for bit in 0..usize::from(wanted.bits) {
                let at = usize::from(wanted.bit) + bit;
                if let Some(byte) = payload.get_mut(at / 8) {
                    *byte = *byte & !(1 << (at % 8)) | u8::from(u64::from(wanted.value) >> bit & 1 == 1) << (at % 8);
                }
            }
        }
        let groups = Decoded::new(Pgn(row.pgn), &payload).map_or(0, |decoded| read_everything(&decoded));
        prop_assert!(groups <= payload.len() * 8);
        let groups = Decoded::fallback(Pgn(row.pgn), &payload).map_or(0, |decoded| read_everything(&decoded));
        prop_assert_eq!(groups, 0);
    }
}
