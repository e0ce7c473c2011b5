//! What the plugin reads and gives, and what of it can be used together.

use skiff_plugin::rows::NumberInput;

use crate::settings::Settings;
use crate::wind::{Wind, is_angle};

skiff_plugin::values! {
    /// Inputs and outputs.
    pub struct Values {
        inputs {
            /// Apparent wind speed, m/s.
            wind_speed: number("environment.wind.speedApparent"),
            /// Apparent wind angle, rad from the bow.
            wind_angle: number("environment.wind.angleApparent"),
            /// Boat speed, m/s; the other path for a boat without a log.
            speed: number("navigation.speedThroughWater").quiet().configured(32),
            /// Heading from true north, rad.
            heading_true: number("navigation.headingTrue").quiet(),
            /// Heading from magnetic north, rad.
            heading_magnetic: number("navigation.headingMagnetic").quiet(),
            /// Magnetic variation, rad, east positive.
            variation: number("navigation.magneticVariation").quiet(),
        }
        // Four decimals: 0.1 mm/s and 0.0001 rad, the resolution of PGN 130306 angles.
        outputs {
            /// True wind speed, m/s.
            speed_true: number("environment.wind.speedTrue", 4),
            /// True wind angle, rad from the bow.
            angle_true: number("environment.wind.angleTrueWater", 4),
            /// Where the true wind comes from, rad from true north.
            direction_true: number("environment.wind.directionTrue", 4),
        }
    }
}

/// Which halves of an apparent wind wait for the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Halves {
    speed: bool,
    angle: bool,
}

/// No boat and no wind is faster, m/s; guards the arithmetic against nonsense.
const SPEED_MAX: f64 = 1000.0;

impl Halves {
    /// None has arrived.
    pub const NONE: Self = Self { speed: false, angle: false };

    /// Returns an apparent wind once both its halves are new, at most the maximum age apart.
    pub fn take_wind(&mut self, values: &Values, settings: &Settings) -> Option<Wind> {
        let (speed, angle) = (values.wind_speed(), values.wind_angle());
        let speed_now = speed.get().filter(|value| (0.0..SPEED_MAX).contains(value));
        let angle_now = angle.get().filter(|value| is_angle(*value));
        self.speed = speed_now.is_some() && (self.speed || speed.is_new());
        self.angle = angle_now.is_some() && (self.angle || angle.is_new());
        let (speed_now, angle_now) = (speed_now.filter(|_| self.speed)?, angle_now.filter(|_| self.angle)?);
        // The older half of a pair that does not match waits no longer.
        if speed.age_ms().abs_diff(angle.age_ms()) > settings.age_max_ms {
            (self.speed, self.angle) = (speed.age_ms() < angle.age_ms(), speed.age_ms() >= angle.age_ms());
            return None;
        }
        *self = Self::NONE;
        Some(Wind { speed: speed_now, angle: angle_now })
    }
}

impl Values {
    /// Returns the boat speed, m/s, when it is known and not too old.
    #[must_use]
    pub fn boat_speed(&self, settings: &Settings) -> Option<f64> {
        fresh(self.speed(), settings).filter(|value| (-SPEED_MAX..SPEED_MAX).contains(value))
    }

    /// Returns the true heading, rad: as heard, else from the magnetic one and the variation.
    ///
    /// The variation has no maximum age: it changes over miles, and some devices send it once.
    #[must_use]
    pub fn heading(&self, settings: &Settings) -> Option<f64> {
        let angle = |input| fresh(input, settings).filter(|value| is_angle(*value));
        let variation = || self.variation().get().filter(|value| is_angle(*value));
        angle(self.heading_true()).or_else(|| Some(angle(self.heading_magnetic())? + variation()?))
    }
}

fn fresh(input: NumberInput<'_>, settings: &Settings) -> Option<f64> {
    input.get().filter(|_| input.age_ms() <= settings.age_max_ms)
}
