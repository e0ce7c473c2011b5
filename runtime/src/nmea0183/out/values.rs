//! The latest values of the own vessel that sentences are made of, and when they were heard.

use core::time::Duration;

use crate::json::{self, Value};
use crate::nmea0183::instruments::QUALITIES;
use crate::time::{Instant, UnixMillis};

/// A value of the own vessel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Slot {
    Latitude,
    Longitude,
    DateTime,
    SpeedOverGround,
    CourseTrue,
    CourseMagnetic,
    Variation,
    Deviation,
    Quality,
    Satellites,
    HorizontalDilution,
    AntennaAltitude,
    GeoidalSeparation,
    DifferentialAge,
    DifferentialReference,
    HeadingMagnetic,
    HeadingCompass,
    HeadingTrue,
    SpeedThroughWater,
    RateOfTurn,
    Pitch,
    Roll,
    AngleApparent,
    SpeedApparent,
    AngleTrueWater,
    SpeedTrue,
    BelowTransducer,
    SurfaceToTransducer,
    TransducerToKeel,
    WaterTemperature,
    OutsideTemperature,
    Pressure,
    RudderAngle,
    CourseError,
    CourseTrack,
    CourseBearing,
    CourseBearingMagnetic,
    CircleError,
    CircleTrack,
    CircleBearing,
    CircleBearingMagnetic,
    LineError,
    LineTrack,
    LineBearing,
    LineBearingMagnetic,
    /// One where the boat is inside the arrival circle, zero where it is not.
    ArrivalCircle,
    /// The same of the perpendicular at the waypoint.
    Perpendicular,
}

const SLOTS: usize = Slot::Perpendicular as usize + 1;

/// Notifications, and where is kept whether they stand.
const ALARMS: [(&str, Slot); 2] = [
    ("notifications.navigation.course.arrivalCircleEntered", Slot::ArrivalCircle),
    ("notifications.navigation.course.perpendicularPassed", Slot::Perpendicular),
];

/// How long a value holds: what moves, what hardly does, what is told once.
const LIVE: Duration = Duration::from_secs(10);
const SLOW: Duration = Duration::from_secs(120);
const STANDING: Duration = Duration::MAX;

/// Paths of one number, where it is kept, and how long it holds.
const PATHS: [(&str, Slot, Duration); 40] = [
    ("navigation.speedOverGround", Slot::SpeedOverGround, LIVE),
    ("navigation.courseOverGroundTrue", Slot::CourseTrue, LIVE),
    ("navigation.courseOverGroundMagnetic", Slot::CourseMagnetic, LIVE),
    ("navigation.magneticVariation", Slot::Variation, SLOW),
    ("navigation.magneticDeviation", Slot::Deviation, LIVE),
    ("navigation.gnss.satellites", Slot::Satellites, LIVE),
    ("navigation.gnss.horizontalDilution", Slot::HorizontalDilution, LIVE),
    ("navigation.gnss.antennaAltitude", Slot::AntennaAltitude, LIVE),
    ("navigation.gnss.geoidalSeparation", Slot::GeoidalSeparation, SLOW),
    ("navigation.gnss.differentialAge", Slot::DifferentialAge, LIVE),
    ("navigation.gnss.differentialReference", Slot::DifferentialReference, LIVE),
    ("navigation.headingMagnetic", Slot::HeadingMagnetic, LIVE),
    ("navigation.headingCompass", Slot::HeadingCompass, LIVE),
    ("navigation.headingTrue", Slot::HeadingTrue, LIVE),
    ("navigation.speedThroughWater", Slot::SpeedThroughWater, LIVE),
    ("navigation.rateOfTurn", Slot::RateOfTurn, LIVE),
    ("environment.wind.angleApparent", Slot::AngleApparent, LIVE),
    ("environment.wind.speedApparent", Slot::SpeedApparent, LIVE),
    ("environment.wind.angleTrueWater", Slot::AngleTrueWater, LIVE),
    ("environment.wind.speedTrue", Slot::SpeedTrue, LIVE),
    ("environment.depth.belowTransducer", Slot::BelowTransducer, LIVE),
    ("environment.depth.surfaceToTransducer", Slot::SurfaceToTransducer, STANDING),
    ("environment.depth.transducerToKeel", Slot::TransducerToKeel, STANDING),
    ("environment.water.temperature", Slot::WaterTemperature, SLOW),
    ("environment.outside.temperature", Slot::OutsideTemperature, SLOW),
    ("environment.outside.pressure", Slot::Pressure, SLOW),
    ("steering.rudderAngle", Slot::RudderAngle, LIVE),
    ("navigation.course.calcValues.crossTrackError", Slot::CourseError, LIVE),
    ("navigation.course.calcValues.bearingTrackTrue", Slot::CourseTrack, LIVE),
    ("navigation.course.calcValues.bearingTrue", Slot::CourseBearing, LIVE),
    ("navigation.course.calcValues.bearingMagnetic", Slot::CourseBearingMagnetic, LIVE),
    ("navigation.courseGreatCircle.crossTrackError", Slot::CircleError, LIVE),
    ("navigation.courseGreatCircle.bearingTrackTrue", Slot::CircleTrack, LIVE),
    ("navigation.courseGreatCircle.nextPoint.bearingTrue", Slot::CircleBearing, LIVE),
    ("navigation.courseGreatCircle.nextPoint.bearingMagnetic", Slot::CircleBearingMagnetic, LIVE),
    ("navigation.courseRhumbline.crossTrackError", Slot::LineError, LIVE),
    ("navigation.courseRhumbline.bearingTrackTrue", Slot::LineTrack, LIVE),
    ("navigation.courseRhumbline.nextPoint.bearingTrue", Slot::LineBearing, LIVE),
    ("navigation.courseRhumbline.bearingToDestinationTrue", Slot::LineBearing, LIVE),
    ("navigation.courseRhumbline.nextPoint.bearingMagnetic", Slot::LineBearingMagnetic, LIVE),
];

/// A number, and until when it holds.
#[derive(Clone, Copy, Debug)]
struct Held {
    number: f64,
    heard: Instant,
    holds: Duration,
}

/// The latest values.
#[derive(Debug)]
pub(super) struct Values {
    slots: [Option<Held>; SLOTS],
    /// When the position is from, as its update says.
    fixed: UnixMillis,
}

/// Some of the values.
pub(super) type Slots = u64;

/// Returns the set that has one value.
pub(super) fn set_of(slot: Slot) -> Slots {
    1 << slot as u8
}

impl Values {
    pub fn new() -> Self {
        Self { slots: [None; SLOTS], fixed: UnixMillis::UNKNOWN }
    }

    /// Takes a value of a path; returns which of the values are new.
    pub fn hear(&mut self, path: &str, value: &Value<'_>, time: UnixMillis, now: Instant) -> Slots {
        match path {
            "navigation.position" => {
                self.fixed = time;
                let places = [("latitude", Slot::Latitude, 90.0), ("longitude", Slot::Longitude, 180.0)];
                let text = value.shown();
                let sound = |(name, slot, max): (&str, Slot, f64)| {
                    let number = json::member(&text, name).and_then(json::number);
                    (slot, number.filter(|degrees| libm::fabs(*degrees) <= max))
                };
                self.both(places.map(sound), now)
            }
            "navigation.attitude" => {
                let text = value.shown();
                let part = |(name, slot): (&str, Slot)| (slot, json::member(&text, name).and_then(json::number));
                self.both([("pitch", Slot::Pitch), ("roll", Slot::Roll)].map(part), now)
            }
            "navigation.datetime" => {
                let text = value.shown();
                let time = json::string(&text).and_then(|text| UnixMillis::parse_iso(&text));
                // Exact: milliseconds of any year fit 53 bits.
                self.set(Slot::DateTime, time.map(|time| time.0 as f64), LIVE, now)
            }
            "navigation.gnss.methodQuality" => {
                let text = value.shown();
                let known = json::string(&text).and_then(|text| QUALITIES.iter().position(|known| *known == &*text));
                self.set(Slot::Quality, known.and_then(|index| u8::try_from(index).ok()).map(f64::from), LIVE, now)
            }
            _ => {
                if let Some((_, slot)) = ALARMS.iter().find(|(known, _)| *known == path) {
                    let text = value.shown();
                    let stands = json::member(&text, "state").and_then(json::string);
                    let stands = stands.is_some_and(|state| !matches!(&*state, "normal" | "nominal"));
                    return self.set(*slot, Some(f64::from(u8::from(stands))), STANDING, now);
                }
                let Some((_, slot, holds)) = PATHS.iter().find(|(known, ..)| *known == path) else { return 0 };
                self.set(*slot, value.number(), *holds, now)
            }
        }
    }

    fn both(&mut self, parts: [(Slot, Option<f64>); 2], now: Instant) -> Slots {
        let are_there = parts.iter().all(|(_, number)| number.is_some());
        parts.into_iter().fold(0, |new, (slot, number)| new | self.set(slot, number.filter(|_| are_there), LIVE, now))
    }

    fn set(&mut self, slot: Slot, number: Option<f64>, holds: Duration, now: Instant) -> Slots {
        let held = number.filter(|number| number.is_finite()).map(|number| Held { number, heard: now, holds });
        if let Some(place) = self.slots.get_mut(slot as usize) {
            *place = held;
        }
        if held.is_some() { set_of(slot) } else { 0 }
    }

    /// Looks at the values as they are now.
    pub fn at(&self, now: Instant) -> Look<'_> {
        Look { values: self, now }
    }
}

/// The values at a point in time: what is too old is not there.
#[derive(Clone, Copy)]
pub(super) struct Look<'v> {
    values: &'v Values,
    now: Instant,
}

impl Look<'_> {
    fn held(self, slot: Slot) -> Option<Held> {
        let held = self.values.slots.get(slot as usize).copied().flatten()?;
        Some(held).filter(|held| self.now.since(held.heard) <= held.holds)
    }

    /// Returns a value in the unit of Signal K.
    pub fn of(self, slot: Slot) -> Option<f64> {
        self.held(slot).map(|held| held.number)
    }

    /// Returns latitude and longitude in degrees; `None` where the receiver says that it has no fix.
    pub fn position(self) -> Option<(f64, f64)> {
        let is_fix = self.of(Slot::Quality).is_none_or(|quality| quality > 0.0);
        self.of(Slot::Latitude).zip(self.of(Slot::Longitude)).filter(|_| is_fix)
    }

    /// Returns when the position is from: by the receiver's clock, else as its update says.
    pub fn fix_time(self) -> Option<UnixMillis> {
        let told = self.held(Slot::DateTime).zip(self.held(Slot::Latitude)).map(|(clock, fix)| {
            let later = |a: Instant, b: Instant| i64::try_from(a.since(b).as_millis()).unwrap_or(0);
            let apart = later(fix.heard, clock.heard).saturating_sub(later(clock.heard, fix.heard));
            UnixMillis((clock.number as i64).saturating_add(apart))
        });
        told.or(Some(self.values.fixed)).filter(|time| time.is_known() && time.is_dated())
    }

    /// Returns date and time by the receiver's clock.
    pub fn datetime(self) -> Option<UnixMillis> {
        self.of(Slot::DateTime).map(|millis| UnixMillis(millis as i64)).filter(|time| time.is_dated())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_holds_for_its_time_and_null_takes_it_away() {
        let mut values = Values::new();
        let at = Instant::from_millis;
        let time = UnixMillis::UNKNOWN;
        let hear = |values: &mut Values, path, text| values.hear(path, &Value::Json(text), time, at(0));
        assert_eq!(hear(&mut values, "navigation.headingTrue", "1.5"), set_of(Slot::HeadingTrue));
        assert_eq!(hear(&mut values, "navigation.headingTrue.x", "1.5"), 0);
        assert_eq!(values.at(at(10_000)).of(Slot::HeadingTrue), Some(1.5));
        assert_eq!(values.at(at(10_001)).of(Slot::HeadingTrue), None);
        assert_eq!(hear(&mut values, "navigation.headingTrue", "null"), 0);
        assert_eq!(values.at(at(0)).of(Slot::HeadingTrue), None);
        hear(&mut values, "environment.depth.transducerToKeel", "0.5");
        assert_eq!(values.at(at(1 << 50)).of(Slot::TransducerToKeel), Some(0.5));
        for half in [r#"{"latitude":54.5}"#, r#"{"latitude":54.5,"longitude":181}"#, "null", "7", "\"x\""] {
            hear(&mut values, "navigation.position", r#"{"latitude":1,"longitude":2}"#);
            assert_eq!(hear(&mut values, "navigation.position", half), 0, "{half}");
            assert_eq!(values.at(at(0)).position(), None, "{half}");
        }
    }

    #[test]
    fn a_path_stands_once_in_the_table() {
        for (at, (path, ..)) in PATHS.iter().enumerate() {
            assert!(PATHS.iter().skip(at + 1).all(|(other, ..)| other != path), "{path}");
        }
    }
}
