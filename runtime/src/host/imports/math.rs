//! JavaScript's `Math` as an import module, which older AssemblyScript compilers use (plugin ABI §2.4).
//!
//! On hosts with the standard library only: a chip has no room for functions that current compilers bring themselves.
//! There they are linked to a trap and named in the plugin's status, as any unknown import.

use super::Caller;

macro_rules! functions {
    ($($name:ident ($($x:ident),+) $function:expr;)+) => {
        $(pub(super) fn $name(_: &mut Caller<'_>, $($x: f64),+) -> f64 {
            $function
        })+
    };
}

functions! {
    abs(x) libm::fabs(x);
    acos(x) libm::acos(x);
    acosh(x) libm::acosh(x);
    asin(x) libm::asin(x);
    asinh(x) libm::asinh(x);
    atan(x) libm::atan(x);
    atan2(y, x) libm::atan2(y, x);
    atanh(x) libm::atanh(x);
    cbrt(x) libm::cbrt(x);
    ceil(x) libm::ceil(x);
    clz32(x) f64::from(bits(x).leading_zeros());
    cos(x) libm::cos(x);
    cosh(x) libm::cosh(x);
    exp(x) libm::exp(x);
    expm1(x) libm::expm1(x);
    floor(x) libm::floor(x);
    fround(x) f64::from(single(x));
    hypot(x, y) libm::hypot(x, y);
    imul(x, y) f64::from(bits(x).wrapping_mul(bits(y)).cast_signed());
    log(x) libm::log(x);
    log10(x) libm::log10(x);
    log1p(x) libm::log1p(x);
    log2(x) libm::log2(x);
    max(x, y) if x.is_nan() || y.is_nan() { f64::NAN } else { libm::fmax(x, y) };
    min(x, y) if x.is_nan() || y.is_nan() { f64::NAN } else { libm::fmin(x, y) };
    pow(base, exponent) power(base, exponent);
    round(x) halves_up(x);
    sign(x) if x.is_nan() || x == 0.0 { x } else { libm::copysign(1.0, x) };
    sin(x) libm::sin(x);
    sinh(x) libm::sinh(x);
    sqrt(x) libm::sqrt(x);
    tan(x) libm::tan(x);
    tanh(x) libm::tanh(x);
    trunc(x) libm::trunc(x);
}

/// To an integer of 32 bits as ECMA-262 §7.1.7 has it.
fn bits(x: f64) -> u32 {
    super::to_int32(x).cast_unsigned()
}

#[expect(clippy::cast_possible_truncation, reason = "that is what it is for")]
fn single(x: f64) -> f32 {
    x as f32
}

/// Halves go up (ECMA-262 §21.3.2.28), also from the negative side.
fn halves_up(x: f64) -> f64 {
    let down = libm::floor(x);
    let rounded = if x - down >= 0.5 { down + 1.0 } else { down };
    libm::copysign(rounded, x)
}

/// One to the power of something without a number or without an end is no number (ECMA-262 §6.1.6.1.3), unlike in C.
fn power(x: f64, y: f64) -> f64 {
    if y.is_nan() || libm::fabs(x) == 1.0 && y.is_infinite() { f64::NAN } else { libm::pow(x, y) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves_go_up() {
        for (x, rounded) in [(0.5, 1.0), (1.5, 2.0), (-0.5, 0.0), (-1.5, -1.0), (2.4, 2.0), (-2.6, -3.0)] {
            assert_eq!(halves_up(x), rounded, "{x}");
        }
        assert!(halves_up(-0.2).is_sign_negative() && halves_up(f64::NAN).is_nan());
        assert_eq!(halves_up(9_007_199_254_740_991.0), 9_007_199_254_740_991.0);
        assert_eq!(halves_up(0.499_999_999_999_999_94), 0.0);
    }

    #[test]
    fn powers_of_one_are_not_those_of_c() {
        assert!(power(1.0, f64::NAN).is_nan() && power(-1.0, f64::INFINITY).is_nan());
        assert_eq!((power(f64::NAN, 0.0), power(2.0, 10.0)), (1.0, 1024.0));
    }

    #[test]
    fn integers_are_of_32_bits() {
        assert_eq!((bits(-1.0), bits(4_294_967_296.0 + 5.0), bits(f64::NAN)), (u32::MAX, 5, 0));
    }
}
