use super::*;
use crate::n2k::decode::Decoded;
use crate::n2k::tables::DEFINITIONS;
use proptest::prelude::*;
use std::string::{String, ToString};
use std::vec::Vec;

#[test]
fn writes_what_a_device_would() {
    let payload = encode(
        Pgn(127_250),
        &[
            (Field::Heading, Input::Number(Decimal::new(1512, -3))),
            (Field::Variation, Input::Raw(-2610)),
            (Field::Reference, Input::Text("True")),
        ],
    );
    assert_eq!(payload.unwrap(), [0xff, 0x10, 0x3b, 0xff, 0x7f, 0xce, 0xf5, 0xfc]);
}

#[test]
fn refuses_what_the_table_does_not_allow() {
    assert_eq!(encode(Pgn(1), &[]), Err(EncodeError::UnknownPgn(Pgn(1))));
    assert_eq!(encode(Pgn(126_720), &[]), Err(EncodeError::SeveralDefinitions(Pgn(126_720))));
    for (field, input, error) in [
        (Field::Depth, Input::Raw(0), EncodeError::UnknownField(Field::Depth)),
        (Field::Reserved, Input::Raw(0), EncodeError::UnknownField(Field::Reserved)),
        (Field::Heading, Input::Raw(62_832), EncodeError::OutOfRange(Field::Heading)),
        (Field::Heading, Input::Number(Decimal::new(-1, -4)), EncodeError::OutOfRange(Field::Heading)),
        (Field::Heading, Input::Bytes(&[1, 2]), EncodeError::OutOfRange(Field::Heading)),
        (Field::Heading, Input::Float(1.0), EncodeError::OutOfRange(Field::Heading)),
        (Field::Reference, Input::Text("True north"), EncodeError::UnknownText(Field::Reference)),
    ] {
        assert_eq!(encode(Pgn(127_250), &[(field, input)]), Err(error));
    }
    let twice = [(Field::Sid, Input::Raw(1)), (Field::Sid, Input::Raw(2))];
    assert_eq!(encode(Pgn(127_250), &twice), Err(EncodeError::UnknownField(Field::Sid)));
    let long = [(Field::ModelId, Input::Text("a text that has more than its thirty-two letters"))];
    assert_eq!(encode(Pgn(126_996), &long), Err(EncodeError::OutOfRange(Field::ModelId)));
    let groups: Vec<Inputs<'_>> = std::iter::repeat_n(&[][..], 100).collect();
    assert_eq!(encode_as(Definition::PgnListTransmitAndReceive, &[], [&groups, &[]]), Err(EncodeError::TooLong));
}

#[test]
fn proprietary_codes_and_counts_fill_themselves() {
    let payload = encode_as(Definition::SeatalkPilotHeading, &[], [&[], &[]]).unwrap();
    assert_eq!(payload[..2], [0x3b, 0x9f]);
    let groups: [Inputs<'_>; 2] = [&[(Field::Prn, Input::Raw(3))], &[(Field::Prn, Input::Raw(4))]];
    let payload = encode_as(Definition::GnssSatsInView, &[], [&groups, &[]]).unwrap();
    let view = Decoded::new(Pgn(129_540), &payload).unwrap();
    let numbers: Vec<_> = view.groups().map(|group| group.raw(Field::Prn)).collect();
    assert_eq!(numbers, [Some(3), Some(4)]);
}

#[test]
fn names_digits_and_bytes_come_back() {
    let claim = [(Field::UniqueNumber, Input::Raw(42)), (Field::ManufacturerCode, Input::Raw(1851))];
    let payload = encode(Pgn(60_928), &claim).unwrap();
    assert_eq!(Decoded::new(Pgn(60_928), &payload).unwrap().raw(Field::UniqueNumber), Some(42));
    let call = [(Field::DscMessageAddress, Input::Raw(2_112_345_670))];
    let payload = encode_as(Definition::DscCallInformation, &call, [&[], &[]]).unwrap();
    let number = Decoded::new(Pgn(129_808), &payload).unwrap().number(Field::DscMessageAddress);
    assert_eq!(number, Some(Decimal::new(2_112_345_670, 0)));
    let alert = [(Field::DataSourceNetworkIdName, Input::Bits(u64::MAX - 5))];
    let payload = encode(Pgn(126_983), &alert).unwrap();
    assert_eq!(Decoded::new(Pgn(126_983), &payload).unwrap().bits(Field::DataSourceNetworkIdName), Some(u64::MAX - 5));
}

#[test]
fn every_definition_fills_whole_bytes_and_is_absent_when_empty() {
    for row in DEFINITIONS.iter().filter(|row| !row.fallback) {
        let payload = match encode_as(row.definition, &[], [&[], &[]]) {
            Err(EncodeError::TooLong) => {
                let bits: usize = row.head().iter().map(|field| usize::from(field.kind().bits)).sum();
                assert!(bits > 223 * 8, "{row:?}");
                continue;
            }
            payload => payload.unwrap(),
        };
        let decoded = Decoded::new(Pgn(row.pgn), &payload).unwrap();
        if decoded.definition() != row.definition {
            // The database has definitions that an earlier one hides.
            continue;
        }
        for field in row.head().iter().filter(|field| field.kind().form.is_number() && !field.kind().conditional) {
            let given = row.matches().iter().any(|wanted| {
                let before = row.head().iter().take_while(|other| other.field != field.field);
                before.map(|field| u32::from(field.kind().bits)).sum::<u32>() == u32::from(wanted.bit)
            });
            let counted = (0..2).any(|which| {
                row.set(which).is_some_and(|set| {
                    row.head()
                        .get(usize::from(set.count).wrapping_sub(1))
                        .is_some_and(|count| count.field == field.field)
                })
            });
            if !given && !counted && field.kind().not_available() != 0 {
                assert_eq!(decoded.raw(field.field), None, "{row:?} {:?}", field.field);
            }
        }
    }
}

/// What a field is set to, with the text it needs.
#[derive(Clone, Debug)]
enum Given {
    Raw(i64),
    Bits(u64),
    Float(f32),
    Text(String),
}

impl Given {
    fn input(&self) -> Input<'_> {
        match self {
            Self::Raw(raw) => Input::Raw(*raw),
            Self::Bits(bits) => Input::Bits(*bits),
            Self::Float(number) => Input::Float(*number),
            Self::Text(text) => Input::Text(text),
        }
    }
}

/// A value of `field`, edges more often than their share, or nothing where the field has a code for that.
fn any_value(field: &'static FieldRow) -> Option<BoxedStrategy<Option<Given>>> {
    let kind = field.kind();
    let bytes = usize::from(kind.bits / 8);
    let some = match kind.form {
        form if form.is_number() => {
            let (min, max) = kind.range();
            let raw = prop_oneof![Just(min), Just(max), Just(0.clamp(min, max)), min..=max];
            let some = raw.prop_map(|raw| Some(Given::Raw(raw)));
            return Some(if kind.not_available() == 0 {
                some.boxed()
            } else {
                prop_oneof![1 => Just(None), 4 => some].boxed()
            });
        }
        Form::Name => any::<u64>().prop_map(Given::Bits).boxed(),
        Form::Float => (-1e30_f32..1e30).prop_map(Given::Float).boxed(),
        Form::Digits => (0..100_i64.pow(u32::from(kind.bits / 8))).prop_map(Given::Raw).boxed(),
        Form::Text => text(bytes.min(40)),
        Form::CountedText => text(if bytes == 0 { 30 } else { bytes - 1 }),
        Form::CodedText => text(20),
        _ => return None,
    };
    Some(some.prop_map(Some).boxed())
}

/// Text of at most `letters` letters that no padding touches.
fn text(letters: usize) -> BoxedStrategy<Given> {
    proptest::string::string_regex(&std::format!("[A-Za-z0-9]([ -~]{{0,{}}}[A-Za-z0-9])?", letters.saturating_sub(2)))
        .unwrap()
        .prop_map(move |text| {
            Given::Text(text.chars().take(letters).collect::<String>().trim_end_matches(['@', ' ']).to_string())
        })
        .boxed()
}

/// A definition and values for those of its fields that can stand alone.
fn any_message() -> impl Strategy<Value = (Definition, Vec<(Field, Option<Given>)>)> {
    (0..DEFINITIONS.len()).prop_filter("fallback", |index| !DEFINITIONS[*index].fallback).prop_flat_map(|index| {
        let row = &DEFINITIONS[index];
        let mut at = 0;
        let mut values = Vec::new();
        for (place, field) in row.head().iter().enumerate() {
            let bits = u32::from(field.kind().bits);
            let is_match = row.matches().iter().any(|wanted| u32::from(wanted.bit) == at);
            // Fields that say how long others are, or what they mean, stay away.
            let is_used = row.fields().iter().any(|other| other.kind().place() == Some(place))
                || (0..2).any(|which| row.set(which).is_some_and(|set| usize::from(set.count) == place + 1))
                || matches!(field.kind().form, Form::Key | Form::KeyLength)
                || row.pgn == 126_208;
            at += bits;
            if !is_match && !is_used && field.field != Field::AtonName {
                values.extend(any_value(field).map(|value| value.prop_map(move |value| (field.field, value))));
            }
        }
        (Just(row.definition), values)
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1024))]

    #[test]
    fn decoding_gives_back_what_was_encoded((definition, fields) in any_message()) {
        let given: Vec<_> = fields.iter().filter_map(|(field, value)| Some((*field, value.as_ref()?.input()))).collect();
        let payload = encode_as(definition, &given, [&[], &[]]);
        prop_assume!(payload != Err(EncodeError::TooLong));
        let payload = payload.unwrap();
        let decoded = Decoded::new(Pgn(DefinitionRow::find(definition).unwrap().pgn), &payload).unwrap();
        prop_assume!(decoded.definition() == definition);
        for (field, value) in &fields {
            match value {
                None => prop_assert_eq!(decoded.raw(*field), None, "{:?}", field),
                Some(Given::Raw(raw)) => {
                    let found = decoded.raw(*field).or_else(|| decoded.number(*field).map(|number| number.mantissa));
                    prop_assert_eq!(found, Some(*raw), "{:?}", field);
                }
                Some(Given::Bits(bits)) => prop_assert_eq!(decoded.bits(*field), Some(*bits), "{:?}", field),
                Some(Given::Float(number)) => prop_assert_eq!(decoded.float(*field), Some(*number), "{:?}", field),
                Some(Given::Text(text)) => {
                    let found = decoded.string(*field).map(|text| text.to_string());
                    prop_assert_eq!(found.as_ref(), Some(text), "{:?}", field);
                }
            }
        }
        // Values and texts find the same codes again.
        let values: Vec<_> = given
            .iter()
            .map(|(field, input)| match (input, decoded.text(*field), decoded.number(*field)) {
                (Input::Raw(_), Some(text), _) => (*field, Input::Text(text)),
                (Input::Raw(raw), None, Some(value)) if value.mantissa != *raw || value.exponent != 0 => (*field, Input::Number(value)),
                _ => (*field, *input),
            })
            .collect();
        let again = encode_as(definition, &values, [&[], &[]]).unwrap();
        let again = Decoded::new(decoded.pgn(), &again).unwrap();
        for (field, _) in &given {
            prop_assert_eq!(again.lookup(*field), decoded.lookup(*field), "{:?}", field);
            prop_assert_eq!(again.number(*field), decoded.number(*field), "{:?}", field);
        }
    }
}
