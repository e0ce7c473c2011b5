//! The shape of the generated tables, and searching in them.
//!
//! A PGN's row names a run of field rows, a field row names its kind; positions are not stored but
//! walked. All of it is const data: nothing is built at start and nothing is held in RAM.

use super::id::Pgn;
use super::tables::{FAST, FIELDS, Field, KINDS, LOOKUPS, PGNS};
use crate::json::Decimal;

/// Fields of one PGN that are decoded at most.
pub(super) const FIELDS_MAX: usize = 32;

/// How the bits of a field are read (`FieldType` of canboat).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// A scaled integer.
    Number,
    /// A code with texts.
    Lookup,
    /// One flag a bit.
    Bits,
    /// Days since 1970-01-01.
    Date,
    /// Time of day.
    Time,
    /// A span of time.
    Duration,
    /// Sent as ones, never read.
    Reserved,
}

/// One kind of field.
pub(super) struct Kind {
    pub form: Form,
    /// 1 to 64.
    pub bits: u8,
    pub signed: bool,
    /// Resolution: `mantissa` × 10^`exponent` of the SI unit.
    pub mantissa: u32,
    pub exponent: i8,
    /// Decimals of a value, see [`Kind::value`].
    pub decimals: u8,
    /// Added to the raw number before scaling (`Offset` of canboat).
    pub offset: i32,
    /// Index into the lookups, or [`NO_LOOKUP`].
    pub lookup: u8,
    /// Valid raw numbers, both ends included.
    pub min: i64,
    pub max: i64,
}

/// [`Kind::lookup`] of a kind without texts.
pub(super) const NO_LOOKUP: u8 = u8::MAX;

/// One PGN: its fields are `count` rows from `first` on.
pub(super) struct PgnRow {
    pub pgn: Pgn,
    pub first: u16,
    pub count: u8,
}

/// One field of a PGN.
pub(super) struct FieldRow {
    pub field: Field,
    pub kind: u8,
}

impl PgnRow {
    /// Returns the row of `pgn` when it is decoded.
    pub fn find(pgn: Pgn) -> Option<&'static Self> {
        PGNS.binary_search_by_key(&pgn, |row| row.pgn).ok().and_then(|index| PGNS.get(index))
    }

    /// Returns the fields in the order they stand in the payload.
    pub fn fields(&self) -> &'static [FieldRow] {
        let first = usize::from(self.first);
        FIELDS.get(first..first + usize::from(self.count)).unwrap_or_default()
    }

    /// Returns the first row of `field` and its place among the fields.
    pub fn field(&self, field: Field) -> Option<(usize, &'static FieldRow)> {
        self.fields().iter().enumerate().find(|(_, row)| row.field == field)
    }
}

impl FieldRow {
    /// Returns what the field is made of.
    pub fn kind(&self) -> &'static Kind {
        // The generator writes no index past the end; the first kind stands in so that nothing can panic.
        KINDS.get(usize::from(self.kind)).unwrap_or(&KINDS[0])
    }
}

impl Kind {
    /// Returns the code that means "not available": all ones, the sign bit apart (NMEA 2000 main
    /// document, appendix B); zero where the whole range is valid.
    pub fn not_available(&self) -> i64 {
        let ones = if self.bits >= 64 { u64::MAX } else { (1_u64 << self.bits) - 1 };
        let ones = if self.signed { ones >> 1 } else { ones };
        match i64::try_from(ones) {
            Ok(ones) if ones <= self.max && self.form != Form::Reserved => 0,
            Ok(ones) => ones,
            Err(_) => -1,
        }
    }

    /// Returns the value of a raw number in the field's unit.
    ///
    /// Resolutions that are no power of ten (1/4 rpm, 3.125e-8 rad/s) are rounded to the decimals up to
    /// their first digit, as the peer prints them (canboatjs 3.20.0, `convertField`).
    pub fn value(&self, raw: i64) -> Option<Decimal> {
        let shifted = raw.checked_add(i64::from(self.offset))?;
        let wanted = i8::try_from(self.decimals).map_or(i8::MIN, |decimals| -decimals);
        if self.exponent < wanted && self.mantissa != 1 {
            return Some(Decimal::new(self.rounded(shifted)?, wanted));
        }
        Some(Decimal::new(shifted.checked_mul(i64::from(self.mantissa))?, self.exponent))
    }

    /// Rounds half away from zero; the tie is judged on the binary product, as the peer does.
    fn rounded(&self, raw: i64) -> Option<i64> {
        #[expect(clippy::cast_precision_loss, reason = "kinds that are rounded have at most 32 bits")]
        let product = raw as f64 * Decimal::new(i64::from(self.mantissa), self.exponent).to_f64();
        to_fixed(product, self.decimals)
    }

    /// Returns the raw number nearest to `value`, whether or not it is in range.
    pub fn raw(&self, value: Decimal) -> Option<i64> {
        let shift = i32::from(value.exponent) - i32::from(self.exponent);
        let scale = 10_i128.checked_pow(shift.unsigned_abs())?;
        let (above, below) = if shift >= 0 {
            (i128::from(value.mantissa).checked_mul(scale)?, i128::from(self.mantissa))
        } else {
            (i128::from(value.mantissa), scale.checked_mul(i128::from(self.mantissa))?)
        };
        if below == 0 {
            return None;
        }
        let half = if above < 0 { -below / 2 } else { below / 2 };
        i64::try_from(above.checked_add(half)? / below).ok()?.checked_sub(i64::from(self.offset))
    }

    /// Returns the text of a code.
    pub fn text(&self, code: i64) -> Option<&'static str> {
        let texts = self.texts();
        let code = u16::try_from(code).ok()?;
        let index = texts.binary_search_by_key(&code, |(code, _)| *code).ok()?;
        texts.get(index).map(|(_, text)| *text)
    }

    /// Returns the code of a text.
    pub fn code(&self, text: &str) -> Option<i64> {
        self.texts().iter().find(|(_, known)| *known == text).map(|(code, _)| i64::from(*code))
    }

    fn texts(&self) -> &'static [(u16, &'static str)] {
        LOOKUPS.get(usize::from(self.lookup)).copied().unwrap_or_default()
    }
}

/// Tells whether frames of `pgn` are parts of a fast packet.
///
/// Known for every PGN of the database, also for those that are not decoded.
#[must_use]
pub fn is_fast(pgn: Pgn) -> bool {
    let after = FAST.partition_point(|(first, _)| *first <= pgn.0);
    after.checked_sub(1).and_then(|index| FAST.get(index)).is_some_and(|(_, last)| pgn.0 <= *last)
}

/// Returns `value` × 10^`decimals` rounded to the nearest integer, ties away from zero, judged on the
/// exact binary value (ECMA-262 `Number.prototype.toFixed`). `None` when the result is no `i64`.
fn to_fixed(value: f64, decimals: u8) -> Option<i64> {
    let bits = value.abs().to_bits();
    let mantissa = i128::from(bits & ((1 << 52) - 1) | 1 << 52);
    let shift = 1075_u64.checked_sub(bits >> 52)?;
    let scaled = mantissa.checked_mul(10_i128.checked_pow(u32::from(decimals))?)?;
    let shift = u32::try_from(shift).ok()?;
    // Below 2^-126 of the scaled mantissa nothing is left to round up.
    let magnitude = if shift > 126 { 0 } else { scaled.checked_add(1_i128 << shift >> 1)? >> shift };
    let magnitude = i64::try_from(magnitude).ok()?;
    Some(if value < 0.0 { -magnitude } else { magnitude })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_are_sorted_and_closed() {
        assert!(PGNS.is_sorted_by_key(|row| row.pgn));
        assert!(FAST.is_sorted());
        assert!(LOOKUPS.iter().all(|texts| texts.is_sorted_by_key(|(code, _)| *code)));
        let mut next = 0;
        for row in &PGNS {
            assert_eq!(usize::from(row.first), next);
            assert_eq!(row.fields().len(), usize::from(row.count));
            assert!(row.fields().len() <= FIELDS_MAX);
            next += row.fields().len();
        }
        assert_eq!(next, FIELDS.len());
        assert!(FIELDS.iter().all(|row| usize::from(row.kind) < KINDS.len()));
        assert!(KINDS.iter().all(|kind| kind.lookup == NO_LOOKUP || usize::from(kind.lookup) < LOOKUPS.len()));
        assert!(KINDS.iter().all(|kind| (1..=64).contains(&kind.bits) && kind.mantissa > 0 && kind.min <= kind.max));
    }

    #[test]
    fn fast_groups_are_known_beyond_the_decoded_ones() {
        for fast in [126_208, 127_489, 129_029, 129_540, 130_820, 130_999, 131_071] {
            assert!(is_fast(Pgn(fast)), "{fast}");
        }
        for single in [0, 59_904, 60_928, 127_250, 129_025, 130_306, 130_312, 131_072] {
            assert!(!is_fast(Pgn(single)), "{single}");
        }
    }

    #[test]
    fn rounds_as_javascript_prints() {
        for (value, decimals, fixed) in [
            (0.25, 1, 3),
            (0.75, 1, 8),
            (-0.25, 1, -3),
            (14409.25, 1, 144_093),
            (1.005, 2, 100),
            (0.0, 3, 0),
            (1e-300, 8, 0),
            (3.0, 0, 3),
        ] {
            assert_eq!(to_fixed(value, decimals), Some(fixed), "{value}");
        }
        assert_eq!(to_fixed(1e300, 8), None);
        assert_eq!(to_fixed(f64::NAN, 8), None);
    }

    #[test]
    fn values_find_their_raw_number_again() {
        let speed = PgnRow::find(Pgn(127_488)).and_then(|row| row.field(Field::Speed)).unwrap().1.kind();
        for raw in [0, 1, 2, 3, 4, 4801, 65_532] {
            assert_eq!(speed.raw(speed.value(raw).unwrap()), Some(raw));
        }
        assert_eq!(speed.value(57_637), Some(Decimal::new(144_093, -1)));
        assert_eq!(speed.raw(Decimal::new(i64::MAX, 18)), None);
        assert_eq!(PgnRow::find(Pgn(127_249)).map(|row| row.count), None);
    }
}
