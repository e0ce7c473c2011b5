//! Fields to numbers in the units of Signal K.

use core::f64::consts::{PI, TAU};

use super::sentence::Fields;
use crate::time::UnixMillis;

/// Metres per second of a knot.
const KNOT: f64 = 1852.0 / 3600.0;
/// Metres of a nautical mile.
const MILE: f64 = 1852.0;
/// Metres per second of a statute mile per hour.
const MILE_PER_HOUR: f64 = 0.447_04;
/// Metres of a foot and of a fathom.
const FOOT: f64 = 0.3048;
const FATHOM: f64 = 6.0 * FOOT;
/// Pascals of an inch of mercury, and of a bar.
const INCH_OF_MERCURY: f64 = 3386.389;
const BAR: f64 = 1e5;
const CELSIUS_ZERO: f64 = 273.15;
/// Fastest speed in metres per second that is believed.
const SPEED_MAX: f64 = 1000.0;
/// Greatest depth in metres that is believed; no sea is deeper than 11,000 m.
const DEPTH_MAX: f64 = 20_000.0;

/// How a field is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unit {
    /// As Signal K has it.
    Same,
    /// A count of at most 255.
    Count,
    /// Degrees from north, 0 to 360.
    Direction,
    /// Degrees to either side of something, as -180 to 180.
    Side,
    /// Degrees per minute.
    DegreesPerMinute,
    /// Revolutions per minute.
    PerMinute,
    Knots,
    KilometresPerHour,
    MilesPerHour,
    MetresPerSecond,
    /// Depth in metres, feet, fathoms.
    Metres,
    Feet,
    Fathoms,
    /// Distance in nautical miles, kilometres.
    Miles,
    Kilometres,
    Celsius,
    InchesOfMercury,
    Bar,
    Percent,
}

impl Unit {
    /// Converts a number, `None` when no instrument can mean it.
    fn convert(self, number: f64) -> Option<f64> {
        let speed = |factor: f64| Some(number * factor).filter(|speed| (0.0..SPEED_MAX).contains(speed));
        let depth = |factor: f64| Some(number * factor).filter(|depth| (0.0..DEPTH_MAX).contains(depth));
        match self {
            Self::Same => Some(number),
            Self::Count => Some(number).filter(|count| (0.0..256.0).contains(count)),
            Self::Direction => Some(number).filter(|it| (0.0..=360.0).contains(it)).map(radians).map(turn),
            Self::Side => Some(half_turn(radians(libm::fmod(number, 360.0)))),
            Self::DegreesPerMinute => Some(radians(number) / 60.0),
            Self::PerMinute => Some(number / 60.0),
            Self::Knots => speed(KNOT),
            Self::KilometresPerHour => speed(1.0 / 3.6),
            Self::MilesPerHour => speed(MILE_PER_HOUR),
            Self::MetresPerSecond => speed(1.0),
            Self::Metres => depth(1.0),
            Self::Feet => depth(FOOT),
            Self::Fathoms => depth(FATHOM),
            Self::Miles => Some(number * MILE),
            Self::Kilometres => Some(number * 1000.0),
            Self::Celsius => Some(number).filter(|it| (-100.0..=100.0).contains(it)).map(kelvin),
            Self::InchesOfMercury => Some(number * INCH_OF_MERCURY),
            Self::Bar => Some(number * BAR),
            Self::Percent => Some(number / 100.0),
        }
    }
}

/// What a field says.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Reading {
    Value(f64),
    /// Nothing: the sensor has lost it. Told as `null`.
    Lost,
    /// No number, or one that cannot be.
    Bad,
}

impl Reading {
    /// Returns the number that is there.
    pub fn value(self) -> Option<f64> {
        if let Self::Value(value) = self { Some(value) } else { None }
    }

    /// Returns what another field says when this one is empty.
    pub fn or(self, other: impl FnOnce() -> Self) -> Self {
        if self == Self::Lost { other() } else { self }
    }

    /// Changes the number that is there.
    pub fn map(self, change: impl FnOnce(f64) -> f64) -> Self {
        if let Self::Value(value) = self { Self::Value(change(value)) } else { self }
    }

    /// Takes it for lost where `is_valid` is not so.
    pub fn when(self, is_valid: bool) -> Self {
        if is_valid { self } else { Self::Lost }
    }
}

impl Fields<'_> {
    /// Reads a field as `unit` says.
    pub fn read(&self, index: usize, unit: Unit) -> Reading {
        if self.text(index).is_empty() {
            return Reading::Lost;
        }
        self.number(index).and_then(|number| unit.convert(number)).map_or(Reading::Bad, Reading::Value)
    }

    /// Reads a decimal number; no other notation is one.
    pub fn number(&self, index: usize) -> Option<f64> {
        let text = self.text(index);
        let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
        let is_number = digits.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
        if is_number { text.parse().ok().filter(|number: &f64| number.is_finite()) } else { None }
    }

    /// Tells whether a field is one of these letters, whatever its case.
    pub fn is(&self, index: usize, letter: &str) -> bool {
        self.text(index).eq_ignore_ascii_case(letter)
    }

    /// Tells whether all of these fields are empty.
    pub fn are_empty(&self, indices: &[usize]) -> bool {
        indices.iter().all(|index| self.text(*index).is_empty())
    }

    /// Reads a deviation in degrees, east positive, from a number and the letter behind it.
    pub fn deviation(&self, index: usize) -> Reading {
        if self.text(index).is_empty() || self.text(index + 1).is_empty() {
            return Reading::Lost;
        }
        let degrees = self.number(index).filter(|degrees| (0.0..=180.0).contains(degrees));
        match degrees {
            Some(degrees) if self.is(index + 1, "E") => Reading::Value(degrees),
            Some(degrees) if self.is(index + 1, "W") => Reading::Value(-degrees),
            _ => Reading::Bad,
        }
    }

    /// Returns latitude and longitude in degrees, from `ddmm.mm,N,dddmm.mm,E`.
    pub fn position(&self, index: usize) -> Option<(f64, f64)> {
        let latitude = self.coordinate(index, 90.0, "N", "S")?;
        let longitude = self.coordinate(index + 2, 180.0, "E", "W")?;
        Some((latitude, longitude))
    }

    fn coordinate(&self, index: usize, max: f64, positive: &str, negative: &str) -> Option<f64> {
        let number = self.number(index).filter(|number| *number >= 0.0)?;
        let whole = libm::floor(number / 100.0);
        let minutes = number - whole * 100.0;
        // To a tenth of a millimetre: the division has digits of its own.
        let degrees = rounded(whole + minutes / 60.0, 1e9);
        if minutes >= 60.0 || degrees > max {
            return None;
        }
        if self.is(index + 1, positive) { Some(degrees) } else { self.is(index + 1, negative).then_some(-degrees) }
    }

    /// Returns milliseconds of the day from `hhmmss.ss`.
    pub fn time_of_day(&self, index: usize) -> Option<i64> {
        let (clock, fraction) = self.text(index).split_once('.').unwrap_or((self.text(index), "0"));
        let [hour, minute, second] = pairs(clock)?;
        if hour > 23 || minute > 59 || second > 60 || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let thousandths =
            fraction.bytes().chain(*b"000").take(3).fold(0, |sum, digit| sum * 10 + i64::from(digit - b'0'));
        Some(((hour * 60 + minute) * 60 + second) * 1000 + thousandths)
    }

    /// Returns a point in time from `hhmmss.ss` and `ddmmyy`.
    pub fn time(&self, time: usize, date: usize) -> Option<UnixMillis> {
        let [day, month, year] = pairs(self.text(date))?;
        let is_sound = (1..=31).contains(&day) && (1..=12).contains(&month);
        // No receiver is older than GPS.
        let year = if year >= 80 { 1900 + year } else { 2000 + year };
        Some(UnixMillis::from_civil(year, month, day, self.time_of_day(time).filter(|_| is_sound)?))
    }
}

/// Reads three numbers of two digits.
fn pairs(text: &str) -> Option<[i64; 3]> {
    let digits: [u8; 6] = text.as_bytes().try_into().ok()?;
    if !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let [a, b, c, d, e, f] = digits.map(|digit| i64::from(digit - b'0'));
    Some([a * 10 + b, c * 10 + d, e * 10 + f])
}

/// Returns radians of degrees.
pub(super) fn radians(degrees: f64) -> f64 {
    degrees * PI / 180.0
}

/// Returns kelvin of degrees Celsius.
pub(super) fn kelvin(celsius: f64) -> f64 {
    // To hundredths, which is more than any sensor has; the sum would have digits of its own.
    rounded(celsius + CELSIUS_ZERO, 100.0)
}

/// Brings an angle into 0 to 2 pi.
pub(super) fn turn(angle: f64) -> f64 {
    let turned = libm::fmod(angle, TAU);
    if turned < 0.0 { turned + TAU } else { turned }
}

/// Brings an angle into -pi to pi.
pub(super) fn half_turn(angle: f64) -> f64 {
    let turned = turn(angle);
    if turned > PI { turned - TAU } else { turned }
}

/// Returns metres per second of knots.
pub(super) fn knots(knots: f64) -> f64 {
    knots * KNOT
}

/// Rounds to a part of one: the sum or quotient has digits of its own.
pub(super) fn rounded(value: f64, steps: f64) -> f64 {
    libm::round(value * steps) / steps
}
