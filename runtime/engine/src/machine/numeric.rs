//! What operators compute that are no single instruction of a chip: 64 bits, floats, conversions.

use super::Fault;

type Computed<T> = Result<T, Fault>;

/// A comparison or operation of 64 bits, by its place behind `i64.eq`.
pub(super) fn i64_binary(operator: u8, left: u64, right: u64) -> Computed<u64> {
    let (signed_left, signed_right) = (left.cast_signed(), right.cast_signed());
    let shift = right as u32;
    Ok(match operator {
        0 => (left == right).into(),
        1 => (left != right).into(),
        2 => (signed_left < signed_right).into(),
        3 => (left < right).into(),
        4 => (signed_left > signed_right).into(),
        5 => (left > right).into(),
        6 => (signed_left <= signed_right).into(),
        7 => (left <= right).into(),
        8 => (signed_left >= signed_right).into(),
        9 => (left >= right).into(),
        10 => left.wrapping_add(right),
        11 => left.wrapping_sub(right),
        12 => left.wrapping_mul(right),
        13..=16 if right == 0 => return Err(Fault::DivideByZero),
        13 => signed_left.checked_div(signed_right).ok_or(Fault::IntegerOverflow)?.cast_unsigned(),
        14 => left.wrapping_div(right),
        15 => signed_left.wrapping_rem(signed_right).cast_unsigned(),
        16 => left.wrapping_rem(right),
        17 => left & right,
        18 => left | right,
        19 => left ^ right,
        20 => left.wrapping_shl(shift),
        21 => signed_left.wrapping_shr(shift).cast_unsigned(),
        22 => left.wrapping_shr(shift),
        23 => left.rotate_left(shift & 63),
        _ => left.rotate_right(shift & 63),
    })
}

/// Division of 32 bits, by its place behind `i32.eq`.
pub(super) fn i32_divide(operator: u8, left: u32, right: u32) -> Computed<u32> {
    let (signed_left, signed_right) = (left.cast_signed(), right.cast_signed());
    if right == 0 {
        return Err(Fault::DivideByZero);
    }
    Ok(match operator {
        13 => signed_left.checked_div(signed_right).ok_or(Fault::IntegerOverflow)?.cast_unsigned(),
        14 => left.wrapping_div(right),
        15 => signed_left.wrapping_rem(signed_right).cast_unsigned(),
        _ => left.wrapping_rem(right),
    })
}

/// Makes the operators of a float type of 32 or 64 bits.
macro_rules! float {
    ($binary:ident, $unary:ident, $float:ident, $bits:ident, $sign:expr, $quiet:expr, $ceil:path, $floor:path, $trunc:path, $nearest:path, $sqrt:path) => {
        /// A comparison or operation, by its place behind `eq`; a comparison gives 0 or 1.
        pub(super) fn $binary(operator: u8, left: $bits, right: $bits) -> $bits {
            let (a, b) = ($float::from_bits(left), $float::from_bits(right));
            let either_nan = a.is_nan() || b.is_nan();
            let result = match operator {
                0 => return (a == b).into(),
                1 => return (a != b).into(),
                2 => return (a < b).into(),
                3 => return (a > b).into(),
                4 => return (a <= b).into(),
                5 => return (a >= b).into(),
                6 => a + b,
                7 => a - b,
                8 => a * b,
                9 => a / b,
                10 | 11 if either_nan => a + b,
                // Of two zeros the negative one is less.
                10 | 11 if a == b => return if operator == 10 { left | right } else { left & right },
                10 => {
                    if a < b {
                        a
                    } else {
                        b
                    }
                }
                11 => {
                    if a > b {
                        a
                    } else {
                        b
                    }
                }
                _ => return left & !$sign | right & $sign,
            };
            result.to_bits()
        }

        /// abs, neg, ceil, floor, trunc, nearest, sqrt.
        fn $unary(operator: u8, bits: $bits) -> $bits {
            let value = $float::from_bits(bits);
            match operator {
                0 => bits & !$sign,
                1 => bits ^ $sign,
                // A NaN becomes a quiet one, whatever the library does with it.
                _ if value.is_nan() => bits | $quiet,
                2 => $ceil(value).to_bits(),
                3 => $floor(value).to_bits(),
                4 => $trunc(value).to_bits(),
                5 => $nearest(value).to_bits(),
                _ => $sqrt(value).to_bits(),
            }
        }
    };
}

float!(
    f32_binary,
    f32_unary,
    f32,
    u32,
    1_u32 << 31,
    1_u32 << 22,
    libm::ceilf,
    libm::floorf,
    libm::truncf,
    libm::roundevenf,
    libm::sqrtf
);
float!(
    f64_binary,
    f64_unary,
    f64,
    u64,
    1_u64 << 63,
    1_u64 << 51,
    libm::ceil,
    libm::floor,
    libm::trunc,
    libm::roundeven,
    libm::sqrt
);

/// Cuts a float to an integer; the bounds are the first values beyond it.
fn truncated(value: f64, below: f64, above: f64) -> Computed<f64> {
    if value.is_nan() {
        Err(Fault::BadConversion)
    } else if value <= below || value >= above {
        Err(Fault::IntegerOverflow)
    } else {
        Ok(value)
    }
}

/// 2³¹, 2³², 2⁶³, 2⁶⁴ as doubles; all are exact.
const TWO_31: f64 = 2_147_483_648.0;
const TWO_32: f64 = 4_294_967_296.0;
const TWO_63: f64 = 9_223_372_036_854_775_808.0;
const TWO_64: f64 = 18_446_744_073_709_551_616.0;
/// The next double below −2⁶³, where 53 bits end.
const BELOW_63: f64 = -9_223_372_036_854_777_856.0;

/// An operator of one operand, by its WebAssembly number; saturating ones count from 0xf0.
///
/// Narrow operands are in the low word, narrow results come in it.
pub(super) fn unary(operator: u8, bits: u64) -> Computed<u64> {
    let low = bits as u32;
    let single = f32::from_bits(low);
    let double = f64::from_bits(bits);
    // Every single is a double, so that both are cut alike.
    let wide = f64::from(single);
    let of_32 = |value: i32| u64::from(value.cast_unsigned());
    Ok(match operator {
        0x50 => (bits == 0).into(),
        0x67 => low.leading_zeros().into(),
        0x68 => low.trailing_zeros().into(),
        0x69 => low.count_ones().into(),
        0x79 => bits.leading_zeros().into(),
        0x7a => bits.trailing_zeros().into(),
        0x7b => bits.count_ones().into(),
        0x8b..=0x91 => f32_unary(operator.wrapping_sub(0x8b), low).into(),
        0x99..=0x9f => f64_unary(operator.wrapping_sub(0x99), bits),
        0xa8 => of_32(truncated(wide, -TWO_31 - 1.0, TWO_31)? as i32),
        0xa9 => u64::from(truncated(wide, -1.0, TWO_32)? as u32),
        0xaa => of_32(truncated(double, -TWO_31 - 1.0, TWO_31)? as i32),
        0xab => u64::from(truncated(double, -1.0, TWO_32)? as u32),
        0xac => i64::from(low.cast_signed()).cast_unsigned(),
        0xad => low.into(),
        0xae => (truncated(wide, BELOW_63, TWO_63)? as i64).cast_unsigned(),
        0xaf => truncated(wide, -1.0, TWO_64)? as u64,
        0xb0 => (truncated(double, BELOW_63, TWO_63)? as i64).cast_unsigned(),
        0xb1 => truncated(double, -1.0, TWO_64)? as u64,
        0xb2 => (low.cast_signed() as f32).to_bits().into(),
        0xb3 => (low as f32).to_bits().into(),
        0xb4 => (bits.cast_signed() as f32).to_bits().into(),
        0xb5 => (bits as f32).to_bits().into(),
        0xb6 => (double as f32).to_bits().into(),
        0xb7 => f64::from(low.cast_signed()).to_bits(),
        0xb8 => f64::from(low).to_bits(),
        0xb9 => (bits.cast_signed() as f64).to_bits(),
        0xba => (bits as f64).to_bits(),
        0xbb => wide.to_bits(),
        0xc0 => of_32((low as i8).into()),
        0xc1 => of_32((low as i16).into()),
        0xc2 => i64::from(bits as i8).cast_unsigned(),
        0xc3 => i64::from(bits as i16).cast_unsigned(),
        0xc4 => i64::from(bits as i32).cast_unsigned(),
        0xf0 => of_32(wide as i32),
        0xf1 => u64::from(wide as u32),
        0xf2 => of_32(double as i32),
        0xf3 => u64::from(double as u32),
        0xf4 => (wide as i64).cast_unsigned(),
        0xf5 => wide as u64,
        0xf6 => (double as i64).cast_unsigned(),
        0xf7 => double as u64,
        _ => return Err(Fault::Damaged),
    })
}
