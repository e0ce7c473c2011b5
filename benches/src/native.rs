//! Native twins: the same work in Rust without an interpreter, as the baseline of each bench.

use std::fmt::Write;

use skiff_runtime::delta::Delta;
use skiff_runtime::json;

/// True wind as a native function of deltas: the twin of `@skiff/true-wind`.
#[derive(Clone, Debug, Default)]
pub struct TrueWind {
    heading: Option<f64>,
    speed: Option<f64>,
}

impl TrueWind {
    /// Takes the text of a delta; returns the text of the delta that follows from it.
    #[must_use]
    pub fn delta(&mut self, delta: &Delta) -> Option<String> {
        let (mut wind, mut angle) = (None, None);
        for update in delta.updates() {
            for (path, value) in update.values() {
                match path {
                    "navigation.headingTrue" => self.heading = json::number(value),
                    "navigation.speedThroughWater" => self.speed = json::number(value),
                    "environment.wind.speedApparent" => wind = json::number(value),
                    "environment.wind.angleApparent" => angle = json::number(value),
                    _ => {}
                }
            }
        }
        let (wind, angle, speed) = (wind?, angle?, self.speed?);
        let (ahead, abeam) = (wind * angle.cos() - speed, wind * angle.sin());
        let (true_speed, true_angle) = (ahead.hypot(abeam), abeam.atan2(ahead));
        let mut out = String::new();
        write!(
            out,
            r#"{{"updates":[{{"values":[{{"path":"environment.wind.speedTrue","value":{true_speed:.4}}},{{"path":"environment.wind.angleTrueWater","value":{true_angle:.4}}}"#
        )
        .ok()?;
        if let Some(heading) = self.heading {
            let direction = (heading + true_angle).rem_euclid(std::f64::consts::TAU);
            write!(out, r#",{{"path":"environment.wind.directionTrue","value":{direction:.4}}}"#).ok()?;
        }
        out.push_str("]}]}");
        Some(out)
    }
}

/// An empty function that the optimiser may not see through.
#[inline(never)]
#[must_use]
pub fn empty(value: i32) -> i32 {
    std::hint::black_box(value)
}
