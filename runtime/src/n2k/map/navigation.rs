//! Position, course, speed, heading, attitude and rudder.

use core::fmt::Write;

use super::{copy, copy_text, copy_unless_zero};
use crate::delta::{Value, ValueSink};
use crate::n2k::decode::Decoded;
use crate::n2k::tables::Field;

/// PGN 127245.
pub(super) fn rudder(decoded: &Decoded, sink: &mut dyn ValueSink) {
    copy(decoded, Field::Position, "steering.rudderAngle", sink);
}

/// PGN 127250: the reference picks the path, without one there is no heading.
pub(super) fn heading(decoded: &Decoded, sink: &mut dyn ValueSink) {
    match decoded.text(Field::Reference) {
        Some("Magnetic") => copy(decoded, Field::Heading, "navigation.headingMagnetic", sink),
        Some("True") => copy(decoded, Field::Heading, "navigation.headingTrue", sink),
        _ => {}
    }
    copy(decoded, Field::Variation, "navigation.magneticVariation", sink);
    copy(decoded, Field::Deviation, "navigation.magneticDeviation", sink);
}

/// PGN 127251.
pub(super) fn rate_of_turn(decoded: &Decoded, sink: &mut dyn ValueSink) {
    copy(decoded, Field::Rate, "navigation.rateOfTurn", sink);
}

/// PGN 127257: always, an absent member is null.
pub(super) fn attitude(decoded: &Decoded, sink: &mut dyn ValueSink) {
    let member = |field| decoded.number(field).map_or(Value::Null, Value::Number);
    let members = [("yaw", member(Field::Yaw)), ("pitch", member(Field::Pitch)), ("roll", member(Field::Roll))];
    sink.value("navigation.attitude", Value::Object(&members));
}

/// PGN 128259.
pub(super) fn speed(decoded: &Decoded, sink: &mut dyn ValueSink) {
    copy(decoded, Field::SpeedWaterReferenced, "navigation.speedThroughWater", sink);
    copy_unless_zero(decoded, Field::SpeedGroundReferenced, "navigation.speedOverGround", sink);
    copy_text(decoded, Field::SpeedWaterReferencedType, "navigation.speedThroughWaterReferenceType", &[], sink);
}

/// PGNs 129025 and 129029: both coordinates or nothing.
pub(super) fn position(decoded: &Decoded, sink: &mut dyn ValueSink) {
    if let (Some(latitude), Some(longitude)) = (decoded.number(Field::Latitude), decoded.number(Field::Longitude)) {
        let members = [("latitude", Value::Number(latitude)), ("longitude", Value::Number(longitude))];
        sink.value("navigation.position", Value::Object(&members));
    }
}

/// PGN 129026: the reference picks the path of the course.
pub(super) fn course(decoded: &Decoded, sink: &mut dyn ValueSink) {
    copy(decoded, Field::Sog, "navigation.speedOverGround", sink);
    match decoded.text(Field::CogReference) {
        Some("True") => copy(decoded, Field::Cog, "navigation.courseOverGroundTrue", sink),
        Some("Magnetic") => copy(decoded, Field::Cog, "navigation.courseOverGroundMagnetic", sink),
        _ => {}
    }
}

/// PGN 129029; the age and id of reference stations stand in its repeating set, which has no paths.
pub(super) fn gnss(decoded: &Decoded, sink: &mut dyn ValueSink) {
    position(decoded, sink);
    datetime(decoded, sink);
    copy(decoded, Field::Altitude, "navigation.gnss.antennaAltitude", sink);
    copy(decoded, Field::NumberOfSvs, "navigation.gnss.satellites", sink);
    copy(decoded, Field::Hdop, "navigation.gnss.horizontalDilution", sink);
    copy(decoded, Field::Pdop, "navigation.gnss.positionDilution", sink);
    copy(decoded, Field::GeoidalSeparation, "navigation.gnss.geoidalSeparation", sink);
    copy_text(decoded, Field::GnssType, "navigation.gnss.type", &TYPES, sink);
    copy_text(decoded, Field::Method, "navigation.gnss.methodQuality", &METHODS, sink);
    copy_text(decoded, Field::Integrity, "navigation.gnss.integrity", &INTEGRITIES, sink);
}

/// Writes date and time of day; the fraction, five digits, only where there is one.
fn datetime(decoded: &Decoded, sink: &mut dyn ValueSink) {
    let Some((time, below)) = decoded.instant(Field::Date, Field::Time) else { return };
    let mut text = heapless::String::<40>::new();
    if write!(text, "{time}").is_err() {
        return;
    }
    // `2026-06-01T10:00:00.123Z`: the fraction begins at byte 19.
    let whole = time.0.rem_euclid(1000) == 0 && below == 0;
    text.truncate(if whole { 19 } else { 23 });
    let written = if whole { text.push('Z').is_ok() } else { write!(text, "{below}0Z").is_ok() };
    if written {
        sink.value("navigation.datetime", Value::Text(&text));
    }
}

/// Texts of canboat that Signal K spells otherwise.
const TYPES: [(&str, &str); 3] =
    [("GPS+GLONASS", "Combined GPS/GLONASS"), ("integrated", "Integrated navigation system"), ("surveyed", "Surveyed")];
const METHODS: [(&str, &str); 4] = [
    ("no GNSS", "no GPS"),
    ("GNSS fix", "GNSS Fix"),
    ("RTK Fixed Integer", "RTK fixed integer"),
    ("Simulate mode", "Simulator mode"),
];
const INTEGRITIES: [(&str, &str); 1] = [("No integrity checking", "no Integrity checking")];
