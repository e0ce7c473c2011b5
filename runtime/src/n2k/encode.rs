//! Fields to payload, from the same tables as the decoder.

use core::fmt;

use super::id::Pgn;
use super::payload::Payload;
use super::table::{Form, PgnRow};
use super::tables::Field;
use crate::json::Decimal;

/// What a field is set to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Input<'a> {
    /// The unscaled number.
    Raw(i64),
    /// A value in the database's unit, rounded to the field's resolution.
    Number(Decimal),
    /// A text of the field's lookup.
    Text(&'a str),
}

/// Why a payload could not be built.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum EncodeError {
    /// The tables do not hold this PGN.
    UnknownPgn(Pgn),
    /// The PGN has no such field, or it was set twice.
    UnknownField(Field),
    /// The value does not fit the range of the field.
    OutOfRange(Field),
    /// The lookup of the field has no such text.
    UnknownText(Field),
}

impl fmt::Display for EncodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownPgn(pgn) => write!(f, "PGN {pgn} is not in the tables"),
            Self::UnknownField(field) => write!(f, "the PGN has no field {field:?}, or it is set twice"),
            Self::OutOfRange(field) => write!(f, "value out of the range of field {field:?}"),
            Self::UnknownText(field) => write!(f, "text that field {field:?} does not know"),
        }
    }
}

impl core::error::Error for EncodeError {}

/// Builds the payload of `pgn` from `fields`, in any order.
///
/// A field that is not named gets its "not available" code, a reserved one ones. Repeating sets are not
/// written: set their count field to 0.
///
/// # Errors
/// [`EncodeError`] names the field that is wrong.
pub fn encode(pgn: Pgn, fields: &[(Field, Input<'_>)]) -> Result<Payload, EncodeError> {
    let row = PgnRow::find(pgn).ok_or(EncodeError::UnknownPgn(pgn))?;
    for (index, (field, _)) in fields.iter().enumerate() {
        let twice = fields.iter().take(index).any(|(other, _)| other == field);
        if twice || *field == Field::Reserved || row.field(*field).is_none() {
            return Err(EncodeError::UnknownField(*field));
        }
    }
    let mut payload = Payload::new();
    // Bits that do not fill a byte yet; at most 7 are left over from one field to the next.
    let (mut pending, mut pending_bits) = (0_u128, 0_u32);
    for field in row.fields() {
        let kind = field.kind();
        let input = fields.iter().find(|(name, _)| *name == field.field).filter(|_| kind.form != Form::Reserved);
        let raw = match input {
            None => kind.not_available(),
            Some((name, input)) => {
                let raw = match *input {
                    Input::Raw(raw) => Some(raw),
                    Input::Number(value) => kind.raw(value),
                    Input::Text(text) => Some(kind.code(text).ok_or(EncodeError::UnknownText(*name))?),
                };
                raw.filter(|raw| (kind.min..=kind.max).contains(raw)).ok_or(EncodeError::OutOfRange(*name))?
            }
        };
        let bits = u128::from(raw.cast_unsigned()) & ((1_u128 << kind.bits) - 1);
        pending |= bits << pending_bits;
        pending_bits += u32::from(kind.bits);
        while pending_bits >= 8 {
            let [byte, ..] = pending.to_le_bytes();
            // A table row never exceeds a fast packet, tested below.
            let _ = payload.push(byte);
            pending >>= 8;
            pending_bits -= 8;
        }
    }
    Ok(payload)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::n2k::decode::Decoded;
    use crate::n2k::table::FieldRow;
    use crate::n2k::tables::PGNS;
    use proptest::prelude::*;
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
        for (field, input, error) in [
            (Field::Depth, Input::Raw(0), EncodeError::UnknownField(Field::Depth)),
            (Field::Reserved, Input::Raw(0), EncodeError::UnknownField(Field::Reserved)),
            (Field::Heading, Input::Raw(62_832), EncodeError::OutOfRange(Field::Heading)),
            (Field::Heading, Input::Number(Decimal::new(-1, -4)), EncodeError::OutOfRange(Field::Heading)),
            (Field::Reference, Input::Text("True north"), EncodeError::UnknownText(Field::Reference)),
        ] {
            assert_eq!(encode(Pgn(127_250), &[(field, input)]), Err(error));
        }
        let twice = [(Field::Sid, Input::Raw(1)), (Field::Sid, Input::Raw(2))];
        assert_eq!(encode(Pgn(127_250), &twice), Err(EncodeError::UnknownField(Field::Sid)));
    }

    #[test]
    fn every_group_fills_whole_bytes_and_is_absent_when_empty() {
        for row in &PGNS {
            let bits: usize = row.fields().iter().map(|field| usize::from(field.kind().bits)).sum();
            // The count in front of a repeating set ends a byte too.
            assert_eq!((bits % 8, bits / 8 <= 223), (0, true), "{}", row.pgn);
            let decoded = Decoded::new(row.pgn, &encode(row.pgn, &[]).unwrap()).unwrap();
            for field in row.fields().iter().filter(|field| field.kind().not_available() != 0) {
                assert_eq!(decoded.raw(field.field), None, "{} {:?}", row.pgn, field.field);
            }
        }
    }

    /// A raw number of `field`, edges more often than their share, or nothing where the field has a code for that.
    fn any_raw(field: &'static FieldRow) -> impl Strategy<Value = Option<i64>> {
        let kind = field.kind();
        let some = prop_oneof![Just(kind.min), Just(kind.max), Just(0.clamp(kind.min, kind.max)), kind.min..=kind.max]
            .prop_map(Some);
        if kind.not_available() == 0 { some.boxed() } else { prop_oneof![1 => Just(None), 4 => some].boxed() }
    }

    fn any_fields() -> impl Strategy<Value = (Pgn, Vec<(Field, Option<i64>)>)> {
        (0..PGNS.len()).prop_flat_map(|index| {
            let row = &PGNS[index];
            let named: Vec<&FieldRow> =
                row.fields().iter().filter(|field| field.kind().form != Form::Reserved).collect();
            let raws: Vec<_> = named.iter().map(|field| any_raw(field)).collect();
            let names: Vec<Field> = named.iter().map(|field| field.field).collect();
            (Just(row.pgn), raws.prop_map(move |raws| names.iter().copied().zip(raws).collect()))
        })
    }

    proptest! {
        #[test]
        fn decoding_gives_back_what_was_encoded((pgn, fields) in any_fields()) {
            let given: Vec<_> = fields.iter().filter_map(|(field, raw)| raw.map(|raw| (*field, Input::Raw(raw)))).collect();
            let decoded = Decoded::new(pgn, &encode(pgn, &given).unwrap()).unwrap();
            for (field, raw) in &fields {
                prop_assert_eq!(decoded.raw(*field), *raw, "{:?}", field);
            }
            // Values and texts find the same codes again.
            let values: Vec<_> = fields
                .iter()
                .filter_map(|(field, _)| match decoded.text(*field) {
                    Some(text) => Some((*field, Input::Text(text))),
                    None => decoded.number(*field).map(|value| (*field, Input::Number(value))),
                })
                .collect();
            prop_assert_eq!(encode(pgn, &values).unwrap(), encode(pgn, &given).unwrap());
        }
    }
}
