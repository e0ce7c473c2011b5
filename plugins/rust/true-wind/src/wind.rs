//! The wind triangle.

use core::f64::consts::{FRAC_PI_2, PI, TAU};

/// Speed and angle of a wind, relative to the boat.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Wind {
    /// m/s.
    pub speed: f64,
    /// Where it comes from, rad from the bow, positive to starboard.
    pub angle: f64,
}

/// Returns the true wind: the apparent wind without the boat's own motion.
///
/// `speed` is the boat's speed along its centre line, m/s, negative when going astern; leeway and
/// the heel of the sensor are not corrected. The angle is in -π..π.
#[must_use]
pub fn true_wind(apparent: Wind, speed: f64) -> Wind {
    let (sin, cos) = sin_cos(apparent.angle);
    let ahead = apparent.speed * cos - speed;
    let starboard = apparent.speed * sin;
    let angle = libm::atan2(starboard, ahead);
    // The projection on its own direction: the length without a square root, which is software in `no_std`.
    let (sin, cos) = sin_cos(angle);
    Wind { speed: ahead * cos + starboard * sin, angle }
}

/// Returns where a wind comes from, rad from true north in 0..2π; `heading` is true, rad.
#[must_use]
pub fn direction(heading: f64, angle: f64) -> f64 {
    let mut direction = heading + angle;
    // Both are within ANGLE_MAX, so these run at most twice.
    while direction < 0.0 {
        direction += TAU;
    }
    while direction >= TAU {
        direction -= TAU;
    }
    // The rounding of the sum can reach 2π, which is north again; so can four decimals.
    if direction >= TAU - 0.000_05 { 0.0 } else { direction }
}

/// Tells whether an angle or heading is one at all: sensors send at most one turn either way.
#[must_use]
pub fn is_angle(value: f64) -> bool {
    (-ANGLE_MAX..=ANGLE_MAX).contains(&value)
}

/// One turn and a half, rad.
const ANGLE_MAX: f64 = 3.0 * PI;

/// Returns sine and cosine of an angle for which [`is_angle`] holds, to 1e-15.
///
/// `libm`'s pair brings in 5 KB for the reduction of huge angles, which cannot occur here.
fn sin_cos(angle: f64) -> (f64, f64) {
    // The nearest quarter turn; at most 6, so the rest is exact to the last bits of the angle.
    let quarters = (angle / FRAC_PI_2 + if angle < 0.0 { -0.5 } else { 0.5 }) as i32;
    let rest = angle - f64::from(quarters) * FRAC_PI_2;
    // Taylor series up to rest^17 and rest^18; the next term is below 1e-18 for |rest| <= pi / 4.
    let square = rest * rest;
    let (mut sin, mut cos) = (0.0, 0.0);
    for step in (1..=9).rev() {
        let even = f64::from(2 * step);
        sin = (1.0 + sin) * -square / (even * (even + 1.0));
        cos = (1.0 + cos) * -square / (even * (even - 1.0));
    }
    let (sin, cos) = (rest * (1.0 + sin), 1.0 + cos);
    match quarters & 3 {
        0 => (sin, cos),
        1 => (cos, -sin),
        2 => (-sin, -cos),
        _ => (-cos, sin),
    }
}

#[cfg(test)]
mod tests {
    use super::{ANGLE_MAX, Wind, direction, sin_cos, true_wind};
    use core::f64::consts::{FRAC_PI_2, PI, TAU};

    #[test]
    fn gives_back_the_wind_that_made_the_apparent_one() {
        for degrees in -179..180 {
            let truth = Wind { speed: 6.5, angle: f64::from(degrees).to_radians() };
            let boat = 3.2;
            let (ahead, starboard) = (truth.speed * truth.angle.cos() + boat, truth.speed * truth.angle.sin());
            let apparent = Wind { speed: ahead.hypot(starboard), angle: starboard.atan2(ahead) };
            let found = true_wind(apparent, boat);
            assert!((found.speed - truth.speed).abs() < 1e-12, "{degrees}");
            assert!((found.angle - truth.angle).abs() < 1e-12, "{degrees}");
        }
    }

    #[test]
    fn sine_and_cosine_agree_with_the_standard_library() {
        for step in -100_000..=100_000 {
            let angle = ANGLE_MAX * f64::from(step) / 100_000.0;
            let (sin, cos) = sin_cos(angle);
            assert!((sin - angle.sin()).abs() < 2e-15 && (cos - angle.cos()).abs() < 2e-15, "{angle}");
        }
    }

    #[test]
    fn no_true_wind_when_all_of_it_is_the_boats_own() {
        assert_eq!(true_wind(Wind { speed: 4.0, angle: 0.0 }, 4.0), Wind { speed: 0.0, angle: 0.0 });
    }

    #[test]
    fn angles_above_a_half_turn_are_to_port() {
        let wind = true_wind(Wind { speed: 5.0, angle: 1.5 * PI }, 0.0);
        assert!((wind.angle + FRAC_PI_2).abs() < 1e-12);
    }

    #[test]
    fn directions_stay_within_one_turn() {
        assert_eq!(direction(0.0, -0.000_001), 0.0);
        assert_eq!(direction(TAU, 0.0), 0.0);
        assert!((direction(6.0, 1.0) - (7.0 - TAU)).abs() < 1e-12);
        assert!((direction(0.5, -1.0) - (TAU - 0.5)).abs() < 1e-12);
    }
}
