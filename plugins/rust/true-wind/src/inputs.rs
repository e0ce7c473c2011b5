//! Remembers the latest value of each input of the own vessel.
//!
//! No import tells a plugin which context is its own vessel's, and the feed also carries AIS
//! targets, which have headings and speeds. Apparent wind is measured on board and not sent by
//! AIS, so the context of the first apparent wind is taken for the own vessel's until the plugin
//! is restarted; before it, nothing else is remembered. `vessels.self` is always the own vessel.

use crate::wind::{Wind, is_angle};

/// What the plugin listens to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Input {
    /// Apparent wind speed, m/s.
    WindSpeed,
    /// Apparent wind angle, rad from the bow.
    WindAngle,
    /// Boat speed, m/s.
    Speed,
    /// Heading from true north, rad.
    HeadingTrue,
    /// Heading from magnetic north, rad.
    HeadingMagnetic,
    /// Magnetic variation, rad, east positive.
    Variation,
}

/// A value and the time of its delta, ms since 1970.
#[derive(Clone, Copy)]
struct Heard {
    value: f64,
    time: i64,
}

/// The latest value of each [`Input`].
pub struct Inputs {
    own: [u8; CONTEXT_BYTES_MAX],
    own_bytes: usize,
    now: i64,
    wind_speed: Option<Heard>,
    wind_angle: Option<Heard>,
    speed: Option<Heard>,
    heading_true: Option<Heard>,
    heading_magnetic: Option<Heard>,
    variation: Option<Heard>,
}

/// Longest context taken for the own vessel's; with a UUID it has 62 bytes.
const CONTEXT_BYTES_MAX: usize = 128;
/// No boat and no wind is faster, m/s; guards the arithmetic against nonsense.
const SPEED_MAX: f64 = 1000.0;

impl Inputs {
    /// Returns a memory that has heard nothing.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            own: [0; CONTEXT_BYTES_MAX],
            own_bytes: 0,
            now: 0,
            wind_speed: None,
            wind_angle: None,
            speed: None,
            heading_true: None,
            heading_magnetic: None,
            variation: None,
        }
    }

    /// Takes in one value; `None` for null and whatever is no number, which forgets the input.
    ///
    /// `time` is that of the update, ms since 1970; without one the latest time heard is used.
    pub fn hear(&mut self, context: &str, time: Option<i64>, input: Input, value: Option<f64>) {
        if !self.is_own(context, input) {
            return;
        }
        self.now = time.unwrap_or(self.now);
        let possible = |value: &f64| match input {
            Input::WindSpeed => (0.0..SPEED_MAX).contains(value),
            Input::Speed => (-SPEED_MAX..SPEED_MAX).contains(value),
            _ => is_angle(*value),
        };
        let heard = value.filter(possible).map(|value| Heard { value, time: self.now });
        *match input {
            Input::WindSpeed => &mut self.wind_speed,
            Input::WindAngle => &mut self.wind_angle,
            Input::Speed => &mut self.speed,
            Input::HeadingTrue => &mut self.heading_true,
            Input::HeadingMagnetic => &mut self.heading_magnetic,
            Input::Variation => &mut self.variation,
        } = heard;
    }

    /// Returns an apparent wind once both its halves are new, at most `age_max_ms` apart.
    pub fn take_wind(&mut self, age_max_ms: i64) -> Option<Wind> {
        let (speed, angle) = (self.wind_speed?, self.wind_angle?);
        // The older half of a pair that does not match waits no longer.
        if speed.time.abs_diff(angle.time) > age_max_ms.unsigned_abs() {
            *(if speed.time < angle.time { &mut self.wind_speed } else { &mut self.wind_angle }) = None;
            return None;
        }
        (self.wind_speed, self.wind_angle) = (None, None);
        Some(Wind { speed: speed.value, angle: angle.value })
    }

    /// Returns the boat speed, m/s, when it is known and not older than `age_max_ms`.
    #[must_use]
    pub fn speed(&self, age_max_ms: i64) -> Option<f64> {
        self.fresh(self.speed, age_max_ms)
    }

    /// Returns the true heading, rad: as heard, else from the magnetic one and the variation.
    ///
    /// The variation has no maximum age: it changes over miles, and some devices send it once.
    #[must_use]
    pub fn heading(&self, age_max_ms: i64) -> Option<f64> {
        self.fresh(self.heading_true, age_max_ms)
            .or_else(|| Some(self.fresh(self.heading_magnetic, age_max_ms)? + self.variation?.value))
    }

    /// A clock that was set back makes a value useless too, so both directions count as age.
    fn fresh(&self, heard: Option<Heard>, age_max_ms: i64) -> Option<f64> {
        heard.filter(|heard| self.now.abs_diff(heard.time) <= age_max_ms.unsigned_abs()).map(|heard| heard.value)
    }

    fn is_own(&mut self, context: &str, input: Input) -> bool {
        if context == "vessels.self" {
            return true;
        }
        if self.own_bytes == 0
            && matches!(input, Input::WindSpeed | Input::WindAngle)
            && context.starts_with("vessels.")
        {
            if let Some(room) = self.own.get_mut(..context.len()) {
                room.iter_mut().zip(context.bytes()).for_each(|(to, from)| *to = from);
                self.own_bytes = context.len();
            }
        }
        self.own_bytes != 0 && self.own.get(..self.own_bytes) == Some(context.as_bytes())
    }
}

impl Default for Inputs {
    fn default() -> Self {
        Self::new()
    }
}
