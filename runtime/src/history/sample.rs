//! The values of one series as bytes: what changed since the one before.
//!
//! ```text
//! time (how much longer or shorter than the step before, ms) | kind | value
//!   kind 0         JSON text
//!   kind 1         position: exponents and mantissas of latitude and longitude
//!   kind 2 and up  number: kind - 32 is the power of ten, then the mantissa less the one before
//! ```
//!
//! A number is kept as the decimal it was told as, so its text is the same again; one a second that changes little takes
//! three to five bytes, a quotient with all digits of a double about twelve.

use alloc::string::String;
use alloc::vec::Vec;

use super::bytes::{Taken, put, put_bytes, put_signed};
use crate::json::{self, Decimal, Shown, Value};
use crate::time::UnixMillis;

const TEXT: u8 = 0;
const POSITION: u8 = 1;
/// Kind of a number with exponent 0.
const NUMBER: i16 = 32;
/// Exponents that a [`Decimal`] can have.
const EXPONENTS: core::ops::RangeInclusive<i8> = -30..=18;
/// Digits that always fit a mantissa.
const DIGITS_MAX: usize = 18;

/// A value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Sample<'b> {
    /// A number.
    Number(Decimal),
    /// `navigation.position` and its like: latitude, longitude in degrees.
    Position(Decimal, Decimal),
    /// Anything else as compact JSON.
    Json(&'b str),
}

impl<'b> Sample<'b> {
    /// Returns its JSON text.
    #[must_use]
    pub fn json(&self) -> Shown<'b> {
        match *self {
            Self::Number(number) => Shown::Short(number.text()),
            Self::Position(latitude, longitude) => Shown::Owned(json::object(|place| {
                place.json("latitude", &latitude.text()).json("longitude", &longitude.text());
            })),
            Self::Json(text) => Shown::Borrowed(text),
        }
    }

    /// Returns its number, where it is one.
    #[must_use]
    pub fn number(&self) -> Option<f64> {
        match *self {
            // The double nearest to the text, as everybody else reads it.
            Self::Number(number) => json::number(&number.text()),
            // One with more digits than a decimal keeps.
            Self::Json(text) => json::number(text),
            Self::Position(..) => None,
        }
    }
}

/// What the next value of a series is told from.
#[derive(Clone, Copy, Debug, Default)]
struct Before {
    at: i64,
    step: i64,
    number: Option<Decimal>,
    place: [Option<Decimal>; 2],
}

/// Writes the values of a series.
#[derive(Clone, Debug, Default)]
pub struct SampleWriter {
    before: Before,
    bytes: Vec<u8>,
    count: u32,
}

impl SampleWriter {
    /// Adds a value; times are told from `base`, Unix ms, the first time of the block.
    pub fn push(&mut self, base: UnixMillis, at: UnixMillis, value: &Value<'_>) {
        let at = at.0.wrapping_sub(base.0);
        let step = at.wrapping_sub(self.before.at);
        put_signed(&mut self.bytes, step.wrapping_sub(self.before.step));
        (self.before.at, self.before.step) = (at, step);
        let text = value.shown();
        match decimal(&text) {
            Some(number) => {
                let number = with_exponent_of(number, self.before.number);
                self.bytes.push(u8::try_from(NUMBER.saturating_add(number.exponent.into())).unwrap_or(TEXT));
                put_signed(&mut self.bytes, change(number, self.before.number));
                self.before.number = Some(number);
            }
            None => match position(&text) {
                Some(place) => {
                    self.bytes.push(POSITION);
                    for (number, before) in place.into_iter().zip(&mut self.before.place) {
                        let number = with_exponent_of(number, *before);
                        self.bytes.push(number.exponent.cast_unsigned());
                        put_signed(&mut self.bytes, change(number, *before));
                        *before = Some(number);
                    }
                }
                None => {
                    self.bytes.push(TEXT);
                    put_bytes(&mut self.bytes, text.as_bytes());
                }
            },
        }
        self.count = self.count.saturating_add(1);
    }

    /// Returns how many bytes there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Returns how many values there are.
    #[must_use]
    pub fn count(&self) -> u32 {
        self.count
    }

    /// Writes all of it: how many values, then their bytes.
    pub fn write(&self, out: &mut Vec<u8>) {
        put(out, self.count.into());
        put_bytes(out, &self.bytes);
    }

    /// Begins anew, in the same memory.
    pub fn clear(&mut self) {
        (self.before, self.count) = (Before::default(), 0);
        self.bytes.clear();
    }
}

/// Reads what a [`SampleWriter`] wrote, and ends at what it could not have written.
pub struct SampleReader<'b> {
    before: Before,
    base: UnixMillis,
    count: u64,
    bytes: Taken<'b>,
}

impl<'b> SampleReader<'b> {
    /// Takes the values from the beginning of `bytes`.
    pub fn of(bytes: &mut Taken<'b>, base: UnixMillis) -> Option<Self> {
        let count = bytes.number()?;
        Some(Self { before: Before::default(), base, count, bytes: Taken(bytes.bytes()?) })
    }
}

impl<'b> Iterator for SampleReader<'b> {
    type Item = (UnixMillis, Sample<'b>);

    fn next(&mut self) -> Option<Self::Item> {
        self.count = self.count.checked_sub(1)?;
        let before = &mut self.before;
        before.step = before.step.wrapping_add(self.bytes.signed()?);
        before.at = before.at.wrapping_add(before.step);
        let sample = match self.bytes.byte()? {
            TEXT => Sample::Json(self.bytes.text()?),
            POSITION => {
                let mut place = [Decimal::new(0, 0); 2];
                for (number, before) in place.iter_mut().zip(&mut before.place) {
                    let exponent = self.bytes.byte()?.cast_signed();
                    *number = changed(exponent, self.bytes.signed()?, *before)?;
                    *before = Some(*number);
                }
                let [latitude, longitude] = place;
                Sample::Position(latitude, longitude)
            }
            kind => {
                let exponent = i8::try_from(i16::from(kind).saturating_sub(NUMBER)).ok()?;
                let number = changed(exponent, self.bytes.signed()?, before.number)?;
                before.number = Some(number);
                Sample::Number(number)
            }
        };
        Some((UnixMillis(self.base.0.wrapping_add(before.at)), sample))
    }
}

/// Returns what is to be added to the mantissa before, which counts as 0 where its exponent was another.
fn change(number: Decimal, before: Option<Decimal>) -> i64 {
    let before = before.filter(|before| before.exponent == number.exponent);
    number.mantissa.wrapping_sub(before.map_or(0, |before| before.mantissa))
}

fn changed(exponent: i8, change: i64, before: Option<Decimal>) -> Option<Decimal> {
    let before = before.filter(|before| before.exponent == exponent);
    let mantissa = before.map_or(0, |before| before.mantissa).wrapping_add(change);
    EXPONENTS.contains(&exponent).then_some(Decimal::new(mantissa, exponent))
}

/// Returns the same number with the exponent of the one before, where that takes no more than a few zeros: 3.2 behind 3.14
/// is 3.20, a small change.
fn with_exponent_of(number: Decimal, before: Option<Decimal>) -> Decimal {
    let Some(before) = before else { return number };
    let zeros = i16::from(number.exponent).saturating_sub(before.exponent.into());
    let scale = u32::try_from(zeros).ok().filter(|zeros| *zeros <= 9).and_then(|zeros| 10_i64.checked_pow(zeros));
    match scale.and_then(|scale| number.mantissa.checked_mul(scale)) {
        // More digits than can be read back are not made.
        Some(mantissa) if mantissa.unsigned_abs() < 10_u64.pow(18) => Decimal::new(mantissa, before.exponent),
        _ => number,
    }
}

/// Reads a number whose text comes back the same.
fn decimal(text: &str) -> Option<Decimal> {
    let (digits, is_negative) = text.strip_prefix('-').map_or((text, false), |digits| (digits, true));
    let (digits, power) = digits.split_once('e').unwrap_or((digits, "0"));
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    if whole.len().saturating_add(fraction.len()) > DIGITS_MAX
        || !whole.starts_with(|first: char| first.is_ascii_digit())
    {
        return None;
    }
    let mut mantissa = 0_i64;
    for digit in whole.bytes().chain(fraction.bytes()) {
        let digit = digit.checked_sub(b'0').filter(|digit| *digit < 10)?;
        mantissa = mantissa.checked_mul(10)?.checked_add(digit.into())?;
    }
    let power: i16 = power.strip_prefix('+').unwrap_or(power).parse().ok()?;
    let exponent = i8::try_from(power.checked_sub(i16::try_from(fraction.len()).ok()?)?).ok()?;
    let number = Decimal::new(if is_negative { mantissa.checked_neg()? } else { mantissa }, exponent);
    (EXPONENTS.contains(&exponent) && *number.text() == *text).then_some(number)
}

/// Reads an object that has a latitude and a longitude alone.
fn position(text: &str) -> Option<[Decimal; 2]> {
    let mut place = [None; 2];
    let [latitude, longitude] = &mut place;
    let read = json::members::<json::JsonError>(text, |name, value| {
        let number = match name {
            "latitude" if latitude.is_none() => &mut *latitude,
            "longitude" if longitude.is_none() => &mut *longitude,
            _ => return Err(json::JsonError::WrongKind),
        };
        *number = Some(decimal(value).ok_or(json::JsonError::WrongKind)?);
        Ok(())
    });
    read.ok()?;
    let [latitude, longitude] = place;
    Some([latitude?, longitude?])
}

/// Returns a value as history tells it: a position is `[longitude, latitude]`, as in GeoJSON.
#[must_use]
pub fn told(sample: &Sample<'_>) -> String {
    let place = |longitude: &str, latitude: &str| {
        json::list(|place| {
            place.json(longitude).json(latitude);
        })
    };
    match *sample {
        Sample::Position(latitude, longitude) => place(&longitude.text(), &latitude.text()),
        Sample::Json(text) if text.starts_with('{') => {
            // One with an altitude, or with more digits than a decimal keeps.
            let number = |name| json::member(text, name).filter(|text| json::number(text).is_some());
            match (number("longitude"), number("latitude")) {
                (Some(longitude), Some(latitude)) => place(longitude, latitude),
                _ => String::from(text),
            }
        }
        ref other => String::from(&*other.json()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::format;

    const NOON: UnixMillis = UnixMillis(1_800_000_000_000);

    fn written(values: &[(i64, &str)]) -> Vec<u8> {
        let mut writer = SampleWriter::default();
        for (after, text) in values {
            writer.push(NOON, UnixMillis(NOON.0 + after), &Value::Json(text));
        }
        let mut out = Vec::new();
        writer.write(&mut out);
        out
    }

    fn read(bytes: &[u8]) -> Vec<(i64, String)> {
        let reader = SampleReader::of(&mut Taken(bytes), NOON).unwrap();
        reader.map(|(at, sample)| (at.0 - NOON.0, String::from(&*sample.json()))).collect()
    }

    #[test]
    fn values_come_back_as_they_were_told() {
        let position = r#"{"latitude":60.1234567,"longitude":-24.5}"#;
        let values = [
            (0, "3.14"),
            (1000, "3.2"),
            (1990, "-0"),
            (3000, "1e-7"),
            (2000, "123456789012345678901"),
            (4000, "0.000001"),
            (5000, "\"text ü\""),
            (6000, "null"),
            (7000, position),
            (8000, r#"{"latitude":60.12,"longitude":-24.51}"#),
            (9000, r#"{"latitude":60.12,"longitude":-24.51,"altitude":1}"#),
            (10_000, r#"{"longitude":1}"#),
            (-500, "true"),
            (11_000, "5"),
        ];
        let expected: Vec<(i64, String)> = values.iter().map(|(at, text)| (*at, String::from(*text))).collect();
        assert_eq!(read(&written(&values)), expected);
    }

    #[test]
    fn a_value_a_second_takes_few_bytes() {
        let values: Vec<(i64, String)> =
            (0..60).map(|at| (at * 1000, format!("{}", 5.5 + (at % 7) as f64 / 100.0))).collect();
        let values: Vec<(i64, &str)> = values.iter().map(|(at, text)| (*at, text.as_str())).collect();
        assert!(written(&values).len() < 60 * 4, "{}", written(&values).len());
    }

    fn told_of(text: &str) -> String {
        told(&Sample::Json(text))
    }

    #[test]
    fn a_position_is_told_longitude_first() {
        let bytes = written(&[(0, r#"{"longitude":20.25,"latitude":60.5}"#)]);
        let told = SampleReader::of(&mut Taken(&bytes), NOON).unwrap().map(|(_, sample)| told(&sample));
        assert_eq!(told.collect::<Vec<_>>(), ["[20.25,60.5]"]);
        let high = r#"{"latitude":1,"longitude":2,"altitude":3}"#;
        assert_eq!((told_of(high), told_of("{\"roll\":1}")), ("[2,1]".into(), "{\"roll\":1}".into()));
    }

    proptest::proptest! {
        #[test]
        fn any_numbers_come_back(numbers in proptest::collection::vec((proptest::num::f64::NORMAL, -5000_i64..5000), 1..20)) {
            let values: Vec<(i64, String)> = numbers.iter().map(|(number, at)| {
                let mut text = String::new();
                json::write_f64(&mut text, *number).unwrap();
                (*at, text)
            }).collect();
            let borrowed: Vec<(i64, &str)> = values.iter().map(|(at, text)| (*at, text.as_str())).collect();
            proptest::prop_assert_eq!(read(&written(&borrowed)), values);
        }

        #[test]
        fn any_bytes_are_read_without_a_panic(bytes: Vec<u8>) {
            if let Some(reader) = SampleReader::of(&mut Taken(&bytes), NOON) {
                for (_, sample) in reader {
                    let _ = (told(&sample), sample.number());
                }
            }
        }
    }
}
