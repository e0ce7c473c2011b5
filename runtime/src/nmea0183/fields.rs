//! Fields to numbers in the units of Signal K.

use core::f64::consts::{PI, TAU};

use super::sentence::Fields;
use crate::time::UnixMillis;

/// Metres per second of a knot.
const KNOT: f64 = 1852.0 / 3600.0;
/// Metres of a foot.
const FOOT: f64 = 0.3048;
const CELSIUS_ZERO: f64 = 273.15;
/// Fastest speed in metres per second that is believed.
const SPEED_MAX: f64 = 1000.0;

impl Fields<'_> {
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

    /// Returns a direction in radians, 0 to 2 pi, from degrees.
    pub fn direction(&self, index: usize) -> Option<f64> {
        self.number(index).filter(|degrees| (0.0..=360.0).contains(degrees)).map(radians).map(turn)
    }

    /// Returns a deviation in radians, east positive, from degrees and the letter behind them.
    pub fn deviation(&self, index: usize) -> Option<f64> {
        self.deviation_degrees(index).map(radians)
    }

    /// Returns a deviation in degrees, east positive.
    pub fn deviation_degrees(&self, index: usize) -> Option<f64> {
        let degrees = self.number(index).filter(|degrees| (0.0..=180.0).contains(degrees))?;
        match self.text(index + 1) {
            "E" | "e" => Some(degrees),
            "W" | "w" => Some(-degrees),
            _ => None,
        }
    }

    /// Returns a speed in metres per second from knots.
    pub fn knots(&self, index: usize) -> Option<f64> {
        self.number(index).map(|speed| speed * KNOT).filter(is_speed)
    }

    /// Returns a speed in metres per second from kilometres per hour.
    pub fn kilometres_per_hour(&self, index: usize) -> Option<f64> {
        self.number(index).map(|speed| speed / 3.6).filter(is_speed)
    }

    /// Returns a speed in metres per second.
    pub fn metres_per_second(&self, index: usize) -> Option<f64> {
        self.number(index).filter(is_speed)
    }

    /// Returns a length in metres from feet.
    pub fn feet(&self, index: usize) -> Option<f64> {
        self.number(index).map(|feet| feet * FOOT)
    }

    /// Returns a temperature in kelvin from degrees Celsius, -100 to 100.
    pub fn celsius(&self, index: usize) -> Option<f64> {
        // To hundredths, which is more than any sensor has; the sum would have digits of its own.
        let celsius = self.number(index).filter(|celsius| (-100.0..=100.0).contains(celsius))?;
        Some(rounded(celsius + CELSIUS_ZERO, 100.0))
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

    /// Returns a point in time from `hhmmss.ss` and `ddmmyy`.
    pub fn time(&self, time: usize, date: usize) -> Option<UnixMillis> {
        let (clock, fraction) = self.text(time).split_once('.').unwrap_or((self.text(time), "0"));
        let [hour, minute, second] = pairs(clock)?;
        let [day, month, year] = pairs(self.text(date))?;
        let is_sound = hour < 24 && minute < 60 && second <= 60 && (1..=31).contains(&day) && (1..=12).contains(&month);
        if !is_sound || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let thousandths =
            fraction.bytes().chain(*b"000").take(3).fold(0, |sum, digit| sum * 10 + i64::from(digit - b'0'));
        // No receiver is older than GPS.
        let year = if year >= 80 { 1900 + year } else { 2000 + year };
        Some(UnixMillis::from_civil(year, month, day, ((hour * 60 + minute) * 60 + second) * 1000 + thousandths))
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

fn is_speed(speed: &f64) -> bool {
    (0.0..SPEED_MAX).contains(speed)
}

/// Returns radians of degrees.
pub(super) fn radians(degrees: f64) -> f64 {
    degrees * PI / 180.0
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

fn rounded(value: f64, steps: f64) -> f64 {
    libm::round(value * steps) / steps
}
