//! Raw numbers to exact values and back.

use super::table::{Form, Kind};
use crate::json::Decimal;

impl Kind {
    /// Returns the code that means "not available": all ones, the sign bit apart (NMEA 2000 main
    /// document, appendix B); zero where the whole range is valid.
    pub fn not_available(&self) -> i64 {
        let ones = if self.bits >= 64 { u64::MAX } else { (1_u64 << self.bits) - 1 };
        let ones = if self.signed { ones >> 1 } else { ones };
        match i64::try_from(ones) {
            Ok(ones) if self.form != Form::Reserved && self.holds(ones) => 0,
            Ok(ones) => ones,
            Err(_) => -1,
        }
    }

    /// Returns the value of a raw number in the field's unit.
    ///
    /// Resolutions that are no power of ten (1/4 rpm, 3.125e-8 rad/s) are rounded to the decimals up to
    /// their first digit, as the peer prints them (canboatjs 3.20.0, `convertField`).
    pub fn value(&self, raw: i64) -> Option<Decimal> {
        let scale = self.scale();
        let shifted = raw.checked_add(i64::from(scale.offset))?;
        let wanted = i8::try_from(scale.decimals).map_or(i8::MIN, |decimals| -decimals);
        if scale.exponent < wanted && scale.mantissa != 1 {
            #[expect(clippy::cast_precision_loss, reason = "kinds that are rounded have at most 32 bits")]
            let product = shifted as f64 * Decimal::new(i64::from(scale.mantissa), scale.exponent).to_f64();
            // The tie is judged on the binary product, as the peer does.
            return Some(Decimal::new(to_fixed(product, scale.decimals)?, wanted));
        }
        Some(Decimal::new(shifted.checked_mul(i64::from(scale.mantissa))?, scale.exponent))
    }

    /// Returns the raw number nearest to `value`, whether or not it is in range.
    pub fn raw(&self, value: Decimal) -> Option<i64> {
        let unit = self.scale();
        let shift = i32::from(value.exponent) - i32::from(unit.exponent);
        let scale = 10_i128.checked_pow(shift.unsigned_abs())?;
        let (above, below) = if shift >= 0 {
            (i128::from(value.mantissa).checked_mul(scale)?, i128::from(unit.mantissa))
        } else {
            (i128::from(value.mantissa), scale.checked_mul(i128::from(unit.mantissa))?)
        };
        if below == 0 {
            return None;
        }
        let half = if above < 0 { -below / 2 } else { below / 2 };
        i64::try_from(above.checked_add(half)? / below).ok()?.checked_sub(i64::from(unit.offset))
    }
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
    use crate::n2k::table::DefinitionRow;
    use crate::n2k::{Field, Pgn};

    fn kind(pgn: u32, field: Field) -> &'static Kind {
        let row = &DefinitionRow::of(Pgn(pgn))[0];
        row.fields().iter().find(|row| row.field == field).unwrap().kind()
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
        let speed = kind(127_488, Field::Speed);
        for raw in [0, 1, 2, 3, 4, 4801, 65_532] {
            assert_eq!(speed.raw(speed.value(raw).unwrap()), Some(raw));
        }
        assert_eq!(speed.value(57_637), Some(Decimal::new(144_093, -1)));
        assert_eq!(speed.raw(Decimal::new(i64::MAX, 18)), None);
    }

    #[test]
    fn offsets_move_the_whole_range() {
        let power = kind(65_007, Field::RealPower);
        assert_eq!((power.signed, power.range()), (false, (0, 4_294_967_292)));
        assert_eq!(power.value(2_000_001_500), Some(Decimal::new(1500, 0)));
        assert_eq!(power.raw(Decimal::new(-1, 0)), Some(1_999_999_999));
        let peukert = kind(127_513, Field::PeukertExponent);
        assert_eq!((peukert.range(), peukert.value(125)), ((0, 250), Some(Decimal::new(1250, -3))));
    }

    #[test]
    fn odd_widths_whose_whole_range_is_valid_have_no_code_to_spare() {
        assert_eq!(kind(60_928, Field::DeviceInstanceLower).range(), (0, 7));
        assert_eq!(kind(129_025, Field::Latitude).not_available(), i64::from(i32::MAX));
        assert_eq!(kind(129_029, Field::Altitude).range().1, i64::MAX - 3);
    }
}
