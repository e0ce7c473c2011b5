//! Exact decimals in JavaScript's notation.

use core::fmt;

/// An exact decimal number, `mantissa` × 10^`exponent`: what a scaled integer from the bus is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decimal {
    /// Signed digits.
    pub mantissa: i64,
    /// Power of ten, at least -30 and at most 18; others are written clamped.
    pub exponent: i8,
}

impl Decimal {
    /// Builds `mantissa` × 10^`exponent`.
    #[must_use]
    pub const fn new(mantissa: i64, exponent: i8) -> Self {
        Self { mantissa, exponent }
    }

    /// Returns the nearest binary floating point number.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "a nearest value is what the caller asks for")]
    pub fn to_f64(self) -> f64 {
        let mut scale = 1.0_f64;
        for _ in 0..self.exponent.unsigned_abs() {
            scale *= 10.0;
        }
        if self.exponent < 0 { self.mantissa as f64 / scale } else { self.mantissa as f64 * scale }
    }
}

/// Bytes of the longest text of a [`Decimal`]: a sign, 20 digits, a point, `0.` with five zeros or an exponent.
pub(super) const DECIMAL_TEXT_MAX: usize = 32;

impl Decimal {
    /// Returns the digits in JavaScript's notation: plain from 1e-6 up to 1e21, exponent form below.
    ///
    /// Written without the formatting machinery: this is most of what a delta from the bus costs.
    #[must_use]
    pub fn text(self) -> heapless::String<DECIMAL_TEXT_MAX> {
        let mut text = heapless::String::new();
        // Nothing that is pushed below exceeds the text, see its length.
        if self.mantissa == 0 {
            let _ = text.push('0');
            return text;
        }
        let mut digits = self.mantissa.unsigned_abs();
        let mut exponent = i32::from(self.exponent.clamp(-30, 18));
        // Division by 32 bits is an instruction on small machines, by 64 bits a long function.
        while digits > u64::from(u32::MAX) && digits.is_multiple_of(10) {
            digits /= 10;
            exponent += 1;
        }
        if let Ok(mut small) = u32::try_from(digits) {
            while small.is_multiple_of(10) {
                small /= 10;
                exponent += 1;
            }
            digits = small.into();
        }
        let mut buffer = itoa::Buffer::new();
        let digits = decimal_digits(digits, &mut buffer);
        if self.mantissa < 0 {
            let _ = text.push('-');
        }
        let count = i32::try_from(digits.len()).unwrap_or(0);
        // Position of the decimal point relative to the first digit, ECMA-262 Number::toString.
        let point = count + exponent;
        let zeros = |count: i32| ZEROS.get(..usize::try_from(count).unwrap_or(0)).unwrap_or_default();
        let split = |at: i32| digits.split_at_checked(usize::try_from(at).unwrap_or(0)).unwrap_or((digits, ""));
        let mut push = |part: &str| {
            let _ = text.push_str(part);
        };
        if exponent >= 0 && point <= 21 {
            push(digits);
            push(zeros(exponent));
        } else if 0 < point && point <= 21 {
            let (whole, fraction) = split(point);
            push(whole);
            push(".");
            push(fraction);
        } else if -6 < point && point <= 0 {
            push("0.");
            push(zeros(-point));
            push(digits);
        } else {
            let (first, rest) = split(1);
            push(first);
            if !rest.is_empty() {
                push(".");
                push(rest);
            }
            let power = point - 1;
            push(if power < 0 { "e-" } else { "e+" });
            push(decimal_digits(power.unsigned_abs().into(), &mut itoa::Buffer::new()));
        }
        text
    }
}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text())
    }
}

/// The zeros that a number can have before or behind its digits.
const ZEROS: &str = "000000000000000000000";

/// Writes `number` into `buffer` and returns its digits.
pub(crate) fn decimal_digits(number: u64, buffer: &mut itoa::Buffer) -> &str {
    // Division by 32 bits is an instruction on small machines, by 64 bits a long function.
    match u32::try_from(number) {
        Ok(small) => buffer.format(small),
        Err(_) => buffer.format(number),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::string::ToString;

    #[test]
    fn decimals_are_exact_and_in_javascript_notation() {
        for (mantissa, exponent, text) in [
            (0, -7, "0"),
            (1, -7, "1e-7"),
            (15, -7, "0.0000015"),
            (1, -6, "0.000001"),
            (-123_456_789, -7, "-12.3456789"),
            (1_234_567_890_123_456_789, -16, "123.4567890123456789"),
            (250, 2, "25000"),
            (100, -2, "1"),
            (i64::MIN, 0, "-9223372036854775808"),
            (12, 18, "12000000000000000000"),
            (3125, -11, "3.125e-8"),
        ] {
            assert_eq!(Decimal::new(mantissa, exponent).to_string(), text);
        }
    }

    proptest::proptest! {
        #[test]
        fn decimal_text_reads_back_as_the_nearest_float(mantissa: i32, exponent in -12_i8..6) {
            let decimal = Decimal::new(i64::from(mantissa), exponent);
            let text = decimal.to_string();
            let back: f64 = text.parse().unwrap();
            proptest::prop_assert!((back - decimal.to_f64()).abs() <= back.abs() * 1e-15, "{} {}", text, back);
        }
    }
}
