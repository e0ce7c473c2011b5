//! Sentences of the own vessel's instruments, one function each.

use super::fields::{half_turn, radians};
use super::sentence::{Fields, Sentence};
use crate::delta::{Value, ValueSink};
use crate::json::Decimal;
use crate::time::UnixMillis;

/// Gives the values of a sentence.
pub(super) type Map = fn(&Fields<'_>, &mut dyn ValueSink);

/// Returns what maps a kind of sentence.
pub(super) fn find(kind: &str) -> Option<Map> {
    Some(match kind {
        "RMC" => rmc,
        "GGA" => gga,
        "GLL" => gll,
        "VTG" => vtg,
        "HDT" => hdt,
        "HDM" => hdm,
        "HDG" => hdg,
        "DBT" => dbt,
        "DPT" => dpt,
        "MWV" => mwv,
        "MWD" => mwd,
        "VHW" => vhw,
        "MTW" => mtw,
        _ => return None,
    })
}

/// Returns the time that stands in a sentence with its date.
pub(super) fn own_time(sentence: &Sentence<'_>) -> Option<UnixMillis> {
    if sentence.kind == "RMC" { sentence.fields.time(0, 8) } else { None }
}

fn give(sink: &mut dyn ValueSink, path: &str, value: Option<f64>) {
    if let Some(value) = value {
        sink.value(path, Value::Float(value));
    }
}

fn position(sink: &mut dyn ValueSink, fields: &Fields<'_>, index: usize) {
    if let Some((latitude, longitude)) = fields.position(index) {
        let members = [("longitude", Value::Float(longitude)), ("latitude", Value::Float(latitude))];
        sink.value("navigation.position", Value::Object(&members));
    }
}

/// Time, status, position, speed, course, date, variation.
fn rmc(fields: &Fields<'_>, sink: &mut dyn ValueSink) {
    let time = fields.time(0, 8);
    let is_valid = fields.is(1, "A");
    if is_valid {
        position(sink, fields, 2);
        give(sink, "navigation.courseOverGroundTrue", fields.direction(7));
        give(sink, "navigation.speedOverGround", fields.knots(6));
        if let Some(variation) = fields.deviation(9) {
            give(sink, "navigation.magneticVariation", Some(variation));
            if let Some(time) = time {
                let seconds = Value::Number(Decimal::new(time.0.div_euclid(1000), 0));
                sink.value("navigation.magneticVariationAgeOfService", seconds);
            }
        }
    }
    if let Some(time) = time {
        let mut text = heapless::String::<32>::new();
        // 24 letters.
        let _ = core::fmt::write(&mut text, format_args!("{time}"));
        sink.value("navigation.datetime", Value::Text(&text));
    }
}

/// By quality indicator.
const QUALITIES: [&str; 10] = [
    "no GPS",
    "GNSS Fix",
    "DGNSS fix",
    "Precise GNSS",
    "RTK fixed integer",
    "RTK float",
    "Estimated (DR) mode",
    "Manual input",
    "Simulator mode",
    "Error",
];

/// Time, position, quality, satellites, dilution, altitude, geoid, differential station.
fn gga(fields: &Fields<'_>, sink: &mut dyn ValueSink) {
    let quality = fields.text(5).parse::<usize>().ok();
    if quality.is_some_and(|quality| quality > 0) {
        position(sink, fields, 1);
    }
    if let Some(text) = quality.and_then(|quality| QUALITIES.get(quality)) {
        sink.value("navigation.gnss.methodQuality", Value::Text(text));
    }
    give(sink, "navigation.gnss.satellites", fields.number(6).filter(|count| (0.0..256.0).contains(count)));
    give(sink, "navigation.gnss.antennaAltitude", fields.number(8));
    give(sink, "navigation.gnss.horizontalDilution", fields.number(7));
    give(sink, "navigation.gnss.geoidalSeparation", fields.number(10));
    give(sink, "navigation.gnss.differentialAge", fields.number(12));
    give(sink, "navigation.gnss.differentialReference", fields.number(13));
}

/// Position, time, status; devices of before version 2 send no status.
fn gll(fields: &Fields<'_>, sink: &mut dyn ValueSink) {
    if !fields.is(5, "V") {
        position(sink, fields, 0);
    }
}

/// Course true and magnetic, speed in knots and kilometres per hour.
fn vtg(fields: &Fields<'_>, sink: &mut dyn ValueSink) {
    // The mode "not valid", version 2.3.
    if fields.is(8, "N") {
        return;
    }
    give(sink, "navigation.courseOverGroundMagnetic", fields.direction(2));
    give(sink, "navigation.courseOverGroundTrue", fields.direction(0));
    give(sink, "navigation.speedOverGround", fields.knots(4).or_else(|| fields.kilometres_per_hour(6)));
}

/// Heading, true.
fn hdt(fields: &Fields<'_>, sink: &mut dyn ValueSink) {
    give(sink, "navigation.headingTrue", fields.direction(0));
}

/// Heading, magnetic.
fn hdm(fields: &Fields<'_>, sink: &mut dyn ValueSink) {
    give(sink, "navigation.headingMagnetic", fields.direction(0));
}

/// Heading of the sensor, deviation, variation.
fn hdg(fields: &Fields<'_>, sink: &mut dyn ValueSink) {
    let (deviation, variation) = (fields.deviation_degrees(1), fields.deviation_degrees(3));
    if let Some(compass) = fields.number(0).filter(|degrees| (0.0..=360.0).contains(degrees)) {
        let magnetic = compass + deviation.unwrap_or_default();
        give(sink, "navigation.headingMagnetic", Some(heading(magnetic)));
        give(sink, "navigation.headingCompass", deviation.map(|_| heading(compass)));
        give(sink, "navigation.headingTrue", variation.map(|variation| heading(magnetic + variation)));
    }
    let (variation, deviation) = (variation.map(radians), deviation.map(radians));
    give(sink, "navigation.magneticVariation", variation);
    give(sink, "navigation.magneticDeviation", deviation);
}

/// Returns radians, 0 to 2 pi, of a sum of degrees, in which it has no digits of its own.
fn heading(degrees: f64) -> f64 {
    radians(libm::fmod(libm::round(degrees * 1e6) / 1e6 + 360.0, 360.0))
}

/// Depth below the transducer in feet, metres, fathoms.
fn dbt(fields: &Fields<'_>, sink: &mut dyn ValueSink) {
    let depth = fields.number(2).or_else(|| fields.feet(0)).filter(is_depth);
    give(sink, "environment.depth.belowTransducer", depth);
}

/// Depth below the transducer, and where that is: above zero from the surface, below zero from the keel.
fn dpt(fields: &Fields<'_>, sink: &mut dyn ValueSink) {
    let depth = fields.number(0).filter(is_depth);
    give(sink, "environment.depth.belowTransducer", depth);
    let Some(offset) = fields.number(1).filter(|offset| *offset != 0.0) else { return };
    let (distance, sum) = if offset > 0.0 {
        ("environment.depth.surfaceToTransducer", "environment.depth.belowSurface")
    } else {
        ("environment.depth.transducerToKeel", "environment.depth.belowKeel")
    };
    give(sink, distance, Some(libm::fabs(offset)));
    // To millimetres: the sum would have digits of its own.
    give(sink, sum, depth.map(|depth| libm::round((depth + offset) * 1000.0) / 1000.0));
}

fn is_depth(depth: &f64) -> bool {
    (0.0..20_000.0).contains(depth)
}

/// Wind angle, relative or true, speed, unit, status.
fn mwv(fields: &Fields<'_>, sink: &mut dyn ValueSink) {
    if !fields.is(4, "A") {
        return;
    }
    let speed = match fields.text(3) {
        "K" | "k" => fields.kilometres_per_hour(2),
        "N" | "n" => fields.knots(2),
        "M" | "m" => fields.metres_per_second(2),
        _ => None,
    };
    let (speed_path, angle_path) = match fields.text(1) {
        "R" | "r" => ("environment.wind.speedApparent", "environment.wind.angleApparent"),
        "T" | "t" => ("environment.wind.speedTrue", "environment.wind.angleTrueWater"),
        _ => return,
    };
    give(sink, speed_path, speed);
    give(sink, angle_path, fields.direction(0).map(half_turn));
}

/// Wind direction true and magnetic, speed in knots and metres per second.
fn mwd(fields: &Fields<'_>, sink: &mut dyn ValueSink) {
    give(sink, "environment.wind.directionTrue", fields.direction(0).filter(|_| fields.is(1, "T")));
    give(sink, "environment.wind.directionMagnetic", fields.direction(2).filter(|_| fields.is(3, "M")));
    let metres = fields.metres_per_second(6).filter(|_| fields.is(7, "M"));
    give(sink, "environment.wind.speedTrue", metres.or_else(|| fields.knots(4).filter(|_| fields.is(5, "N"))));
}

/// Heading true and magnetic, speed through water in knots and kilometres per hour.
fn vhw(fields: &Fields<'_>, sink: &mut dyn ValueSink) {
    give(sink, "navigation.headingTrue", fields.direction(0));
    give(sink, "navigation.headingMagnetic", fields.direction(2));
    give(sink, "navigation.speedThroughWater", fields.knots(4).or_else(|| fields.kilometres_per_hour(6)));
}

/// Water temperature.
fn mtw(fields: &Fields<'_>, sink: &mut dyn ValueSink) {
    give(sink, "environment.water.temperature", fields.celsius(0));
}
