//! canboat's database, and reading its numbers exactly.

use serde_json::Value;

/// The package that carries the database which the peer decodes with.
pub const PACKAGE: &str = "@canboat/ts-pgns@1.11.18";
/// Version key of the database inside.
pub const DATABASE_VERSION: &str = "6.2.0";

/// Reads the database from its JSON.
///
/// # Errors
/// One clause: that it is no JSON, or not the version that is pinned.
pub fn parse(json: &str) -> Result<Value, String> {
    let database: Value =
        serde_json::from_str(json).map_err(|error| format!("canboat.json in {PACKAGE} is not JSON: {error}"))?;
    let version = text(&database, "Version")?;
    if version != DATABASE_VERSION {
        return Err(format!("database is version {version}, wanted is {DATABASE_VERSION}"));
    }
    Ok(database)
}

/// Returns the text under `key`.
pub fn text<'a>(value: &'a Value, key: &str) -> Result<&'a str, String> {
    value.get(key).and_then(Value::as_str).ok_or_else(|| format!("no text {key} in {}", shortened(value)))
}

/// Returns the unsigned number under `key`.
pub fn integer(value: &Value, key: &str) -> Result<u32, String> {
    let number = value.get(key).and_then(Value::as_u64).and_then(|number| u32::try_from(number).ok());
    number.ok_or_else(|| format!("no number {key} in {}", shortened(value)))
}

/// Returns the list under `key`.
pub fn list<'a>(value: &'a Value, key: &str) -> Result<&'a [Value], String> {
    value
        .get(key)
        .and_then(Value::as_array)
        .map(Vec::as_slice)
        .ok_or_else(|| format!("no list {key} in {}", shortened(value)))
}

fn shortened(value: &Value) -> String {
    value.to_string().chars().take(80).collect()
}

/// A decimal number: `mantissa` × 10^`exponent`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decimal {
    /// Its digits.
    pub mantissa: i128,
    /// Power of ten they are multiplied with.
    pub exponent: i32,
}

impl Decimal {
    /// One unit.
    pub const ONE: Self = Self::new(1, 0);

    /// Builds `mantissa` × 10^`exponent`.
    pub const fn new(mantissa: i128, exponent: i32) -> Self {
        Self { mantissa, exponent }
    }

    /// Returns the nearest binary number.
    #[expect(clippy::cast_precision_loss, reason = "a nearest value is what the caller asks for")]
    pub fn to_f64(self) -> f64 {
        self.mantissa as f64 * 10_f64.powi(self.exponent)
    }

    /// Reads the shortest text of the database's number, so that 1e-07 is exact again.
    pub fn of(value: &Value, key: &str) -> Result<Option<Self>, String> {
        let Some(number) = value.get(key).and_then(Value::as_f64) else { return Ok(None) };
        let text = format!("{number:e}");
        let (digits, exponent) = text.split_once('e').ok_or("a number has no exponent")?;
        let fraction = digits.split_once('.').map_or(0, |(_, fraction)| fraction.len());
        let parsed = digits.replace('.', "").parse::<i128>().ok().zip(exponent.parse::<i32>().ok());
        let (mantissa, exponent) = parsed.ok_or_else(|| format!("{key} {text} is no decimal"))?;
        Ok(Some(Self { mantissa, exponent: exponent - i32::try_from(fraction).map_err(|error| error.to_string())? }))
    }

    /// Returns the least multiple of `unit` that is not below, as a count of units.
    pub fn raw_ceil(self, unit: Self) -> i128 {
        -Self { mantissa: -self.mantissa, ..self }.raw_floor(unit)
    }

    /// Returns the greatest multiple of `unit` that is not above, as a count of units.
    ///
    /// The database writes ranges with 15 digits at most: a thousandth of a unit below a multiple is that multiple.
    pub fn raw_floor(self, unit: Self) -> i128 {
        let shift = self.exponent - unit.exponent;
        // Beyond this many digits one side is nothing beside the other.
        let scale = 10_i128.pow(shift.unsigned_abs().min(24));
        let (above, below) =
            if shift >= 0 { (self.mantissa * scale, unit.mantissa) } else { (self.mantissa, unit.mantissa * scale) };
        (above + below / 1000).div_euclid(below)
    }

    /// Returns how many decimals the peer keeps: up to the first digit of the resolution.
    pub fn decimals(self) -> i32 {
        let digits = i32::try_from(self.mantissa.to_string().len()).unwrap_or(i32::MAX);
        (-(self.exponent + digits - 1)).max(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decimal(number: f64) -> Decimal {
        Decimal::of(&serde_json::json!({ "n": number }), "n").unwrap().unwrap()
    }

    #[test]
    fn ranges_become_raw_codes_exactly() {
        assert_eq!(decimal(655.328).raw_floor(decimal(0.01)), 65_532);
        assert_eq!(decimal(-327.678).raw_ceil(decimal(0.01)), -32_767);
        assert_eq!(decimal(-67.108_863_968_75).raw_ceil(decimal(3.125e-8)), -2_147_483_647);
        assert_eq!(decimal(6_553_200.0).raw_floor(decimal(100.0)), 65_532);
        assert_eq!(decimal(90.0).raw_floor(decimal(1e-16)), 900_000_000_000_000_000);
    }

    #[test]
    fn decimals_reach_to_the_first_digit_of_the_resolution() {
        for (resolution, decimals) in [(1e-7, 7), (0.25, 1), (3.125e-8, 8), (0.004, 3), (1.0, 0), (100.0, 0)] {
            assert_eq!(decimal(resolution).decimals(), decimals, "{resolution}");
        }
    }
}
