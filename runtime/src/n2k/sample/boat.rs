//! How the simulated boat moves, and what wind and water are around her.

use core::f64::consts::{PI, TAU};

use libm::{atan2, cos, exp, hypot, sin};

/// What is true at one moment; angles in radians, speeds in m/s.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Truth {
    /// True wind speed, referenced to the water.
    pub wind_speed: f64,
    /// True wind angle off the bow, -pi to pi, port negative.
    pub wind_angle: f64,
    /// Direction the true wind comes from, 0 to 2 pi from true north.
    pub wind_direction: f64,
    /// Apparent wind speed.
    pub apparent_speed: f64,
    /// Apparent wind angle off the bow, -pi to pi.
    pub apparent_angle: f64,
    /// Heading from true north, 0 to 2 pi.
    pub heading: f64,
    /// Rate of turn, rad/s, to starboard positive.
    pub rate_of_turn: f64,
    /// Speed through the water, m/s.
    pub speed_through_water: f64,
    /// Speed over ground, m/s.
    pub speed_over_ground: f64,
    /// Course over ground from true north, 0 to 2 pi.
    pub course_over_ground: f64,
    /// Depth below the transducer, m.
    pub depth: f64,
}

/// The boat.
#[derive(Clone, Debug)]
pub(super) struct Boat {
    /// Shift of each wave, rad.
    phases: [f64; WAVES],
    /// Degrees.
    pub latitude: f64,
    pub longitude: f64,
}

/// Count of [`Wave`]s below.
const WAVES: usize = 7;
const DEGREE: f64 = PI / 180.0;
/// Milliseconds from one step of the position to the next.
const STEP_MILLIS: i64 = 100;
/// Metres of one degree of latitude, mean of WGS 84.
const METRES_PER_DEGREE: f64 = 111_132.95;
/// Where the water goes, from true north, and how fast.
const CURRENT_SET: f64 = 80.0 * DEGREE;
const CURRENT_DRIFT: f64 = 0.3;
/// Seconds from one shallow patch to the next, and half the width of one.
const PATCH_EVERY: f64 = 60.0;
const PATCH_WIDTH: f64 = 7.0;
const PATCH_DEPTH: f64 = 2.0;

/// A slow change around a mean.
#[derive(Clone, Copy)]
struct Wave {
    phase: usize,
    amplitude: f64,
    period: f64,
}

const fn wave(phase: usize, amplitude: f64, period: f64) -> Wave {
    Wave { phase, amplitude, period }
}

const WIND_DIRECTION: (f64, [Wave; 2]) = (215.0 * DEGREE, [wave(0, 6.0 * DEGREE, 97.0), wave(1, 2.0 * DEGREE, 31.0)]);
const WIND_SPEED: (f64, [Wave; 2]) = (7.2, [wave(2, 1.1, 53.0), wave(3, 0.4, 17.0)]);
const HEADING: (f64, [Wave; 2]) = (268.0 * DEGREE, [wave(4, 4.0 * DEGREE, 41.0), wave(5, 1.0 * DEGREE, 9.0)]);
const SPEED: (f64, [Wave; 1]) = (3.1, [wave(6, 0.25, 29.0)]);

impl Boat {
    pub fn new(seed: u64) -> Self {
        let mut state = seed;
        let mut phases = [0.0; WAVES];
        for phase in &mut phases {
            *phase = fraction(&mut state) * TAU;
        }
        Self { phases, latitude: 54.6, longitude: 10.6 }
    }

    fn at<const N: usize>(&self, (mean, waves): (f64, [Wave; N]), seconds: f64) -> f64 {
        waves.iter().fold(mean, |sum, wave| sum + wave.amplitude * sin(self.angle(wave, seconds)))
    }

    fn slope<const N: usize>(&self, (_, waves): (f64, [Wave; N]), seconds: f64) -> f64 {
        waves.iter().fold(0.0, |sum, wave| sum + wave.amplitude * TAU / wave.period * cos(self.angle(wave, seconds)))
    }

    fn angle(&self, wave: &Wave, seconds: f64) -> f64 {
        TAU * seconds / wave.period + self.phases.get(wave.phase).copied().unwrap_or(0.0)
    }

    /// Returns what is true `elapsed` milliseconds after the start.
    pub fn truth(&self, elapsed: i64) -> Truth {
        #[expect(clippy::cast_precision_loss, reason = "a century of milliseconds is exact")]
        let seconds = elapsed as f64 / 1000.0;
        let (wind_direction, wind_speed) = (self.at(WIND_DIRECTION, seconds), self.at(WIND_SPEED, seconds));
        let (heading, speed) = (self.at(HEADING, seconds), self.at(SPEED, seconds));
        let wind_angle = half_turn(wind_direction - heading);
        let (ahead, abeam) = (wind_speed * cos(wind_angle) + speed, wind_speed * sin(wind_angle));
        let north = speed * cos(heading) + CURRENT_DRIFT * cos(CURRENT_SET);
        let east = speed * sin(heading) + CURRENT_DRIFT * sin(CURRENT_SET);
        Truth {
            wind_speed,
            wind_angle,
            wind_direction: full_turn(wind_direction),
            apparent_speed: hypot(ahead, abeam),
            apparent_angle: atan2(abeam, ahead),
            heading: full_turn(heading),
            rate_of_turn: self.slope(HEADING, seconds),
            speed_through_water: speed,
            speed_over_ground: hypot(north, east),
            course_over_ground: full_turn(atan2(east, north)),
            depth: depth(seconds),
        }
    }

    /// Moves the position to `elapsed`, called at every tick.
    pub fn advance(&mut self, elapsed: i64) {
        if elapsed % STEP_MILLIS != 0 {
            return;
        }
        let truth = self.truth(elapsed);
        let degrees = truth.speed_over_ground * 0.1 / METRES_PER_DEGREE;
        self.latitude += degrees * cos(truth.course_over_ground);
        self.longitude += degrees * sin(truth.course_over_ground) / cos(self.latitude * DEGREE);
    }
}

/// Returns the depth: a sloping bottom with a shallow patch in the middle of every [`PATCH_EVERY`] seconds.
fn depth(seconds: f64) -> f64 {
    let bottom = 9.0 + 1.5 * sin(TAU * seconds / 37.0);
    let from_patch = (libm::fmod(seconds, PATCH_EVERY) - PATCH_EVERY / 2.0) / PATCH_WIDTH;
    // The fourth power gives a flat top with steep sides.
    bottom - (bottom - PATCH_DEPTH) * exp(-from_patch * from_patch * from_patch * from_patch)
}

/// Returns the same angle within 0 to 2 pi.
pub(super) fn full_turn(angle: f64) -> f64 {
    angle - TAU * libm::floor(angle / TAU)
}

/// Returns the same angle within -pi to pi.
pub(super) fn half_turn(angle: f64) -> f64 {
    angle - TAU * libm::round(angle / TAU)
}

/// Returns the next number of 0 to 1 (SplitMix64, Steele, Lea and Flood, "Fast splittable pseudorandom number generators").
fn fraction(state: &mut u64) -> f64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut bits = *state;
    bits = (bits ^ bits >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ bits >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^= bits >> 31;
    #[expect(clippy::cast_precision_loss, reason = "53 bits are exact")]
    let fraction = (bits >> 11) as f64 / (1_u64 << 53) as f64;
    fraction
}
