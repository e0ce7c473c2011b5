//! Payload to fields: a walk over the bits along the table.
//!
//! A field is absent when its code says "not available", when it lies outside the database's range at
//! either end, or when the payload ends before it. Nothing is allocated.

use super::id::Pgn;
use super::table::{FIELDS_MAX, FieldRow, Form, PgnRow};
use super::tables::Field;
use crate::json::Decimal;
use crate::time::UnixMillis;

/// The fields of one payload.
#[derive(Clone, Copy)]
pub struct Decoded {
    row: &'static PgnRow,
    raw: [i64; FIELDS_MAX],
    /// Bit *n* says that field *n* is there.
    present: u32,
}

const _: () = assert!(FIELDS_MAX <= 32);

/// A code and the text that the database has for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lookup {
    /// A code with a text.
    Text(&'static str),
    /// A code without one.
    Code(i64),
}

/// Milliseconds of one day.
const DAY_MILLIS: i64 = 86_400_000;

impl Decoded {
    /// Decodes `payload`; `None` when the tables do not hold `pgn`.
    #[must_use]
    pub fn new(pgn: Pgn, payload: &[u8]) -> Option<Self> {
        let row = PgnRow::find(pgn)?;
        let mut decoded = Self { row, raw: [0; FIELDS_MAX], present: 0 };
        let mut bit = 0_usize;
        for (index, (slot, field)) in decoded.raw.iter_mut().zip(row.fields()).enumerate() {
            let kind = field.kind();
            let end = bit + usize::from(kind.bits);
            if end > payload.len() * 8 {
                break;
            }
            if kind.form != Form::Reserved {
                let raw = extend(read(payload, bit, kind.bits), kind.bits, kind.signed);
                if let Some(raw) = raw.filter(|raw| (kind.min..=kind.max).contains(raw)) {
                    *slot = raw;
                    decoded.present |= 1 << index;
                }
            }
            bit = end;
        }
        Some(decoded)
    }

    fn entry(&self, field: Field) -> Option<(i64, &'static FieldRow)> {
        let (index, row) = self.row.field(field)?;
        let there = self.present >> index & 1 == 1;
        self.raw.get(index).filter(|_| there).map(|raw| (*raw, row))
    }

    /// Returns the unscaled number of a field that is there.
    #[must_use]
    pub fn raw(&self, field: Field) -> Option<i64> {
        self.entry(field).map(|(raw, _)| raw)
    }

    /// Returns the exact value of a field that is there, in the database's unit.
    #[must_use]
    pub fn number(&self, field: Field) -> Option<Decimal> {
        let (raw, row) = self.entry(field)?;
        row.kind().value(raw)
    }

    /// Returns the text of a code, or the code where the database has none.
    #[must_use]
    pub fn lookup(&self, field: Field) -> Option<Lookup> {
        let (raw, row) = self.entry(field)?;
        Some(row.kind().text(raw).map_or(Lookup::Code(raw), Lookup::Text))
    }

    /// Returns the text of a code that has one.
    #[must_use]
    pub fn text(&self, field: Field) -> Option<&'static str> {
        let (raw, row) = self.entry(field)?;
        row.kind().text(raw)
    }

    /// Returns the point in time of a date and a time of day, and the 0.1 ms below the millisecond.
    #[must_use]
    pub fn instant(&self, date: Field, time: Field) -> Option<(UnixMillis, i64)> {
        let (days, time) = (self.raw(date)?, self.raw(time)?);
        let millis = days.checked_mul(DAY_MILLIS)?.checked_add(time.div_euclid(10))?;
        Some((UnixMillis(millis), time.rem_euclid(10)))
    }
}

/// Reads `count` (1 to 64) bits, lowest first, from bit `from` on; bits after the end are zero.
fn read(payload: &[u8], from: usize, count: u8) -> u64 {
    let (byte, shift) = (from / 8, from % 8);
    let mut window = [0_u8; 16];
    for (to, from) in window.iter_mut().zip(payload.get(byte..).unwrap_or_default().iter().take(9)) {
        *to = *from;
    }
    // 7 + 64 bits fit the 72 that were copied.
    let [low, high] = [u128::from_le_bytes(window) >> shift, u128::from(u64::MAX)];
    let bits = u64::try_from(low & high).unwrap_or(0);
    if count >= 64 { bits } else { bits & ((1 << count) - 1) }
}

/// Returns the number that `count` bits hold; `None` for an unsigned one beyond `i64`.
fn extend(bits: u64, count: u8, signed: bool) -> Option<i64> {
    if !signed {
        return i64::try_from(bits).ok();
    }
    let unused = 64_u32.saturating_sub(u32::from(count));
    Some((bits << unused).cast_signed() >> unused)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn decode(pgn: u32, payload: &[u8]) -> Decoded {
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
        assert!(Decoded::new(Pgn(127_249), &[0; 8]).is_none());
    }

    proptest! {
        #[test]
        fn never_panics_on_any_bytes(row in 0..super::super::tables::PGNS.len(), payload in proptest::collection::vec(0_u8.., 0..=223)) {
            let row = &super::super::tables::PGNS[row];
            let decoded = Decoded::new(row.pgn, &payload).unwrap();
            for field in row.fields() {
                let _ = (decoded.number(field.field), decoded.lookup(field.field));
            }
        }

        #[test]
        fn bits_are_read_where_they_stand(before in 0_usize..40, value: u64, count in 1_u8..=64) {
            let wanted = if count == 64 { value } else { value & ((1 << count) - 1) };
            let mut payload = [0xff_u8; 16];
            let wide = (u128::from(wanted) << before) | !((u128::from(u64::MAX) >> (64 - count)) << before);
            payload.copy_from_slice(&wide.to_le_bytes());
            prop_assert_eq!(read(&payload, before, count), wanted);
        }
    }
}
