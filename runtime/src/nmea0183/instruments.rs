//! Sentences of the own vessel's instruments: rows where a field is a path, functions where it takes more.
//!
//! A path whose field is empty is told as `null`: the instrument speaks, and has lost what it measures. Fields that an
//! instrument may leave empty for ever (a heading in a log's sentence) are left out instead.

use super::fields::{Reading, Unit, half_turn, radians, rounded};
use super::sentence::{Fields, Sentence};
use super::told_time::date_and_time;
use super::{proprietary, route};
use crate::delta::{Value, ValueSink};
use crate::json::Decimal;
use crate::time::UnixMillis;

/// How a kind of sentence becomes values.
#[derive(Clone, Copy)]
pub(super) enum Map {
    /// A path a field; an empty one is lost.
    Rows(&'static [Row]),
    /// A path a field, each of which an instrument may not have.
    Optional(&'static [Row]),
    /// One field, valid when the one behind it is `A`.
    WithStatus(Row),
    Code(fn(&Fields<'_>, &mut dyn ValueSink)),
}

/// Path, number of the field, and how it is written.
type Row = (&'static str, usize, Unit);

/// Every kind but AIS, satellites in view, SeaTalk and calls for help, which take more than a sentence's own fields.
const KINDS: [(&str, Map); 36] = [
    ("APB", Map::Code(route::apb)),
    ("BOD", Map::Code(route::bod)),
    ("BWC", Map::Code(route::bwc)),
    ("BWR", Map::Code(route::bwr)),
    ("DBK", Map::Code(|fields, sink| give(sink, "environment.depth.belowKeel", depth(fields)))),
    ("DBS", Map::Code(|fields, sink| give(sink, "environment.depth.belowSurface", depth(fields)))),
    ("DBT", Map::Code(|fields, sink| give(sink, BELOW_TRANSDUCER, depth(fields)))),
    ("DPT", Map::Code(dpt)),
    ("GGA", Map::Code(gga)),
    ("GLL", Map::Code(gll)),
    ("GNS", Map::Code(gns)),
    ("HDG", Map::Code(hdg)),
    ("HDM", Map::Rows(&[(HEADING_MAGNETIC, 0, Unit::Direction)])),
    ("HDT", Map::Rows(&[(HEADING_TRUE, 0, Unit::Direction)])),
    ("HSC", Map::Code(route::hsc)),
    ("MDA", Map::Code(mda)),
    ("MTA", Map::Code(mta)),
    ("MTW", Map::Rows(&[(WATER_TEMPERATURE, 0, Unit::Celsius)])),
    ("MWD", Map::Code(mwd)),
    ("MWV", Map::Code(mwv)),
    ("PBVE", Map::Code(proprietary::pbve)),
    ("PNKEP", Map::Code(proprietary::pnkep)),
    ("RMB", Map::Code(route::rmb)),
    ("RMC", Map::Code(rmc)),
    ("ROT", Map::WithStatus(("navigation.rateOfTurn", 0, Unit::DegreesPerMinute))),
    ("RPM", Map::Code(rpm)),
    ("RSA", Map::WithStatus(("steering.rudderAngle", 0, Unit::Side))),
    ("VDR", Map::Code(vdr)),
    ("VHW", Map::Code(vhw)),
    ("VLW", Map::Optional(&[("navigation.log", 0, Unit::Miles), ("navigation.trip.log", 2, Unit::Miles)])),
    ("VPW", Map::Code(vpw)),
    ("VTG", Map::Code(vtg)),
    ("VWR", Map::Code(|fields, sink| vwr(fields, sink, SPEED_APPARENT, ANGLE_APPARENT))),
    ("VWT", Map::Code(|fields, sink| vwr(fields, sink, SPEED_TRUE, ANGLE_TRUE))),
    ("XTE", Map::Code(route::xte)),
    ("ZDA", Map::Code(zda)),
];

const BELOW_TRANSDUCER: &str = "environment.depth.belowTransducer";
const HEADING_MAGNETIC: &str = "navigation.headingMagnetic";
const HEADING_TRUE: &str = "navigation.headingTrue";
const SPEED_OVER_GROUND: &str = "navigation.speedOverGround";
const METHOD_QUALITY: &str = "navigation.gnss.methodQuality";
const WATER_TEMPERATURE: &str = "environment.water.temperature";
const OUTSIDE_TEMPERATURE: &str = "environment.outside.temperature";
const DIRECTION_TRUE: &str = "environment.wind.directionTrue";
const DIRECTION_MAGNETIC: &str = "environment.wind.directionMagnetic";
const SPEED_APPARENT: &str = "environment.wind.speedApparent";
const ANGLE_APPARENT: &str = "environment.wind.angleApparent";
const SPEED_TRUE: &str = "environment.wind.speedTrue";
const ANGLE_TRUE: &str = "environment.wind.angleTrueWater";

/// Returns how a kind of sentence is mapped.
pub(super) fn find(kind: &str) -> Option<Map> {
    KINDS.iter().find(|(known, _)| *known == kind).map(|(_, map)| *map)
}

impl Map {
    /// Gives the values of a sentence.
    pub fn give(self, sentence: &Sentence<'_>, sink: &mut dyn ValueSink) {
        let fields = &sentence.fields;
        match self {
            Self::Rows(rows) => {
                for (path, index, unit) in rows {
                    give(sink, path, fields.read(*index, *unit));
                }
            }
            Self::Optional(rows) => optional(fields, sink, rows),
            Self::WithStatus((path, index, unit)) => {
                give(sink, path, fields.read(index, unit).when(fields.is(index + 1, "A")));
            }
            Self::Code(code) => code(fields, sink),
        }
    }
}

/// Gives a number, and `null` for one that is lost.
pub(super) fn give(sink: &mut dyn ValueSink, path: &str, reading: Reading) {
    match reading {
        Reading::Value(value) => sink.value(path, Value::Float(value)),
        Reading::Lost => sink.value(path, Value::Null),
        Reading::Bad => {}
    }
}

/// Gives the numbers that are there.
fn optional(fields: &Fields<'_>, sink: &mut dyn ValueSink, rows: &[Row]) {
    for (path, index, unit) in rows {
        if let Some(value) = fields.read(*index, *unit).value() {
            sink.value(path, Value::Float(value));
        }
    }
}

/// Gives a text that is there.
pub(super) fn give_text(sink: &mut dyn ValueSink, path: &str, text: &str) {
    if !text.is_empty() {
        sink.value(path, Value::Text(text));
    }
}

/// Gives the position that begins at a field; without one, `null`.
pub(super) fn position(sink: &mut dyn ValueSink, path: &str, position: Option<(f64, f64)>) {
    match position {
        Some((latitude, longitude)) => {
            let members = [("longitude", Value::Float(longitude)), ("latitude", Value::Float(latitude))];
            sink.value(path, Value::Object(&members));
        }
        None => sink.value(path, Value::Null),
    }
}

/// Gives the own position, `null` without a fix.
fn fix(sink: &mut dyn ValueSink, fields: &Fields<'_>, index: usize, is_valid: bool) {
    position(sink, "navigation.position", fields.position(index).filter(|_| is_valid));
}

/// Time, status, position, speed, course, date, variation.
fn rmc(fields: &Fields<'_>, sink: &mut dyn ValueSink) {
    let time = fields.time(0, 8);
    let is_valid = fields.is(1, "A");
    fix(sink, fields, 2, is_valid);
    give(sink, "navigation.courseOverGroundTrue", fields.read(7, Unit::Direction).when(is_valid));
    give(sink, SPEED_OVER_GROUND, fields.read(6, Unit::Knots).when(is_valid));
    give(sink, "navigation.magneticVariation", fields.deviation(9).map(radians));
    if let Some(time) = time {
        let seconds = Value::Number(Decimal::new(time.0.div_euclid(1000), 0));
        sink.value("navigation.magneticVariationAgeOfService", seconds);
        datetime(sink, time);
    }
}

fn datetime(sink: &mut dyn ValueSink, time: UnixMillis) {
    sink.value("navigation.datetime", Value::Text(&time.text()));
}

/// Time, day, month, year.
fn zda(fields: &Fields<'_>, sink: &mut dyn ValueSink) {
    if let Some(time) = date_and_time(fields) {
        datetime(sink, time);
    }
}

/// By quality indicator.
pub(super) const QUALITIES: [&str; 10] = [
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
    fix(sink, fields, 1, quality.is_some_and(|quality| quality > 0));
    let quality = match quality {
        Some(quality) => QUALITIES.get(quality).map(|text| Value::Text(text)),
        None => Some(Value::Null),
    };
    if let Some(quality) = quality {
        sink.value(METHOD_QUALITY, quality);
    }
    reception(fields, sink, [8, 10, 12, 13]);
}

/// Gives satellites, altitude, dilution, and what stands behind them: altitude, geoid, age and number of the
/// differential station.
fn reception(fields: &Fields<'_>, sink: &mut dyn ValueSink, [altitude, geoid, age, station]: [usize; 4]) {
    for (leaf, index, unit) in [
        ("satellites", 6, Unit::Count),
        ("antennaAltitude", altitude, Unit::Same),
        ("horizontalDilution", 7, Unit::Same),
        ("geoidalSeparation", geoid, Unit::Same),
        ("differentialAge", age, Unit::Same),
        ("differentialReference", station, Unit::Same),
    ] {
        let value = match fields.read(index, unit) {
            Reading::Value(value) => Value::Float(value),
            Reading::Lost => Value::Null,
            Reading::Bad => continue,
        };
        sink.value_below("navigation.gnss.", leaf, value);
    }
}

/// Satellite systems in the order of GNS's mode letters.
const SYSTEMS: [&str; 5] = ["GPS", "GLONASS", "Galileo", "BeiDou", "QZSS"];
/// By mode letter.
const MODES: [(char, &str); 9] = [
    ('A', "Autonomous"),
    ('D', "Differential"),
    ('E', "Estimated"),
    ('F', "RTK Float"),
    ('M', "Manual"),
    ('N', "No Valid Fix"),
    ('P', "Precise"),
    ('R', "RTK Integer"),
    ('S', "Simulator"),
];
/// By letter of the navigational status.
const SAFETY: [(&str, &str); 4] = [("S", "Safe"), ("C", "Caution"), ("U", "Unsafe"), ("V", "Not Valid")];

/// Time, position, a mode a system, satellites, dilution, altitude, geoid, differential station, status.
fn gns(fields: &Fields<'_>, sink: &mut dyn ValueSink) {
    let modes = fields.text(5);
    fix(sink, fields, 1, modes.chars().any(|mode| mode != 'N'));
    let member = |(system, mode): (&'static str, char)| {
        let (_, text) = MODES.iter().find(|(letter, _)| *letter == mode)?;
        Some((system, Value::Text(text)))
    };
    let members: heapless::Vec<_, 5> = SYSTEMS.into_iter().zip(modes.chars()).filter_map(member).collect();
    sink.value(METHOD_QUALITY, if members.is_empty() { Value::Null } else { Value::Object(&members) });
    reception(fields, sink, [8, 9, 10, 11]);
    if let Some((_, text)) = SAFETY.iter().find(|(letter, _)| *letter == fields.text(12)) {
        sink.value("navigation.gnss.status", Value::Text(text));
    }
}

/// Position, time, status; devices of before version 2 send no status.
fn gll(fields: &Fields<'_>, sink: &mut dyn ValueSink) {
    fix(sink, fields, 0, !fields.is(5, "V"));
}

/// Course true and magnetic, speed in knots and kilometres per hour, mode.
fn vtg(fields: &Fields<'_>, sink: &mut dyn ValueSink) {
    // The mode "not valid", version 2.3.
    let is_valid = !fields.is(8, "N");
    give(sink, "navigation.courseOverGroundMagnetic", fields.read(2, Unit::Direction).when(is_valid));
    give(sink, "navigation.courseOverGroundTrue", fields.read(0, Unit::Direction).when(is_valid));
    // Kilometres are the finer unit.
    let speed = fields.read(6, Unit::KilometresPerHour).or(|| fields.read(4, Unit::Knots));
    give(sink, SPEED_OVER_GROUND, speed.when(is_valid));
}

/// Heading of the sensor, deviation, variation.
fn hdg(fields: &Fields<'_>, sink: &mut dyn ValueSink) {
    let (deviation, variation) = (fields.deviation(1).value(), fields.deviation(3).value());
    let compass = fields.number(0).filter(|degrees| (0.0..=360.0).contains(degrees));
    if let Some(compass) = compass {
        let magnetic = compass + deviation.unwrap_or_default();
        for (path, degrees) in [
            (HEADING_MAGNETIC, Some(magnetic)),
            ("navigation.headingCompass", deviation.map(|_| compass)),
            (HEADING_TRUE, variation.map(|variation| magnetic + variation)),
        ] {
            if let Some(degrees) = degrees {
                sink.value(path, Value::Float(heading(degrees)));
            }
        }
    } else if fields.text(0).is_empty() {
        sink.value(HEADING_MAGNETIC, Value::Null);
        sink.value(HEADING_TRUE, Value::Null);
    }
    for (path, degrees) in [("navigation.magneticVariation", variation), ("navigation.magneticDeviation", deviation)] {
        if let Some(degrees) = degrees {
            sink.value(path, Value::Float(radians(degrees)));
        }
    }
}

/// Returns radians, 0 to 2 pi, of a sum of degrees, in which it has no digits of its own.
fn heading(degrees: f64) -> f64 {
    radians(libm::fmod(rounded(degrees, 1e6) + 360.0, 360.0))
}

/// Reads a depth: in feet, metres, fathoms.
fn depth(fields: &Fields<'_>) -> Reading {
    fields.read(2, Unit::Metres).or(|| fields.read(0, Unit::Feet)).or(|| fields.read(4, Unit::Fathoms))
}

/// Depth below the transducer, and where that is: above zero from the surface, below zero from the keel.
fn dpt(fields: &Fields<'_>, sink: &mut dyn ValueSink) {
    let depth = fields.read(0, Unit::Metres);
    give(sink, BELOW_TRANSDUCER, depth);
    let Some(offset) = fields.number(1).filter(|offset| *offset != 0.0) else { return };
    let (distance, sum) = if offset > 0.0 {
        ("environment.depth.surfaceToTransducer", "environment.depth.belowSurface")
    } else {
        ("environment.depth.transducerToKeel", "environment.depth.belowKeel")
    };
    give(sink, distance, Reading::Value(libm::fabs(offset)));
    // To millimetres: the sum would have digits of its own.
    give(sink, sum, depth.map(|depth| rounded(depth + offset, 1000.0)));
}

/// Wind angle, relative or true, speed, unit, status.
fn mwv(fields: &Fields<'_>, sink: &mut dyn ValueSink) {
    let is_valid = fields.is(4, "A");
    let unit = match fields.text(3) {
        "K" | "k" => Unit::KilometresPerHour,
        "N" | "n" => Unit::Knots,
        "S" | "s" => Unit::MilesPerHour,
        _ => Unit::MetresPerSecond,
    };
    let (speed, angle) = (fields.read(2, unit).when(is_valid), fields.read(0, Unit::Side).when(is_valid));
    // Who does not say which wind has lost both.
    let is_lost = fields.are_empty(&[0, 1, 2]);
    for (letter, speed_path, angle_path) in [("R", SPEED_APPARENT, ANGLE_APPARENT), ("T", SPEED_TRUE, ANGLE_TRUE)] {
        if is_lost || fields.is(1, letter) {
            give(sink, speed_path, speed);
            give(sink, angle_path, angle);
        }
    }
}

/// Wind angle off the bow, its side, speed in knots, metres per second, kilometres per hour.
fn vwr(fields: &Fields<'_>, sink: &mut dyn ValueSink, speed_path: &str, angle_path: &str) {
    let (knots, metres, kilometres) = (
        || fields.read(2, Unit::Knots),
        || fields.read(4, Unit::MetresPerSecond),
        || fields.read(6, Unit::KilometresPerHour),
    );
    // The true wind's finest unit first, as the peer has it.
    let speed =
        if speed_path == SPEED_TRUE { metres().or(kilometres).or(knots) } else { knots().or(metres).or(kilometres) };
    let angle = match (fields.read(0, Unit::Side), fields.text(1)) {
        (Reading::Value(angle), "L" | "l") => Reading::Value(half_turn(-angle)),
        (Reading::Value(_), side) if !side.eq_ignore_ascii_case("R") => Reading::Bad,
        (reading, _) => reading,
    };
    give(sink, speed_path, speed);
    give(sink, angle_path, angle);
}

/// Wind direction true and magnetic, speed in knots and metres per second.
fn mwd(fields: &Fields<'_>, sink: &mut dyn ValueSink) {
    let lettered = |index: usize, letter: &str, unit: Unit| match fields.read(index, unit) {
        Reading::Value(_) if !fields.is(index + 1, letter) => Reading::Bad,
        reading => reading,
    };
    let is_lost = fields.are_empty(&[0, 2]);
    for (path, index, letter) in [(DIRECTION_TRUE, 0, "T"), (DIRECTION_MAGNETIC, 2, "M")] {
        let direction = lettered(index, letter, Unit::Direction);
        if is_lost || direction != Reading::Lost {
            give(sink, path, direction);
        }
    }
    give(sink, SPEED_TRUE, lettered(6, "M", Unit::MetresPerSecond).or(|| lettered(4, "N", Unit::Knots)));
}

/// Heading true and magnetic, speed through water in knots and kilometres per hour.
fn vhw(fields: &Fields<'_>, sink: &mut dyn ValueSink) {
    optional(fields, sink, &[(HEADING_TRUE, 0, Unit::Direction), (HEADING_MAGNETIC, 2, Unit::Direction)]);
    let speed = fields.read(4, Unit::Knots).or(|| fields.read(6, Unit::KilometresPerHour));
    give(sink, "navigation.speedThroughWater", speed);
}

/// Speed along the wind in knots and metres per second.
fn vpw(fields: &Fields<'_>, sink: &mut dyn ValueSink) {
    // Below zero it goes before the wind.
    let knots = |knots: f64| knots * (1852.0 / 3600.0);
    let speed = fields.read(2, Unit::Same).or(|| fields.read(0, Unit::Same).map(knots));
    give(sink, "performance.velocityMadeGood", speed);
}

/// Set true and magnetic, drift in knots.
fn vdr(fields: &Fields<'_>, sink: &mut dyn ValueSink) {
    let member = |index, unit| fields.read(index, unit).value().map_or(Value::Null, Value::Float);
    let members = [
        ("setTrue", member(0, Unit::Direction)),
        ("setMagnetic", member(2, Unit::Direction)),
        ("drift", member(4, Unit::Knots)),
    ];
    sink.value("environment.current", Value::Object(&members));
}

/// Air temperature.
fn mta(fields: &Fields<'_>, sink: &mut dyn ValueSink) {
    if fields.is(1, "C") {
        give(sink, OUTSIDE_TEMPERATURE, fields.read(0, Unit::Celsius));
    }
}

/// Pressure in inches and bar, air and water temperature, humidity, dew point, wind true, magnetic, in knots and metres
/// per second. A station has what it has: what it leaves empty is not lost.
fn mda(fields: &Fields<'_>, sink: &mut dyn ValueSink) {
    let (pressure, speed) = ("environment.outside.pressure", "environment.wind.speedOverGround");
    let either = |first: Row, second: Row| if fields.text(first.1).is_empty() { second } else { first };
    let rows = [
        either((pressure, 2, Unit::Bar), (pressure, 0, Unit::InchesOfMercury)),
        (OUTSIDE_TEMPERATURE, 4, Unit::Celsius),
        (WATER_TEMPERATURE, 6, Unit::Celsius),
        ("environment.outside.humidity", 8, Unit::Percent),
        ("environment.outside.humidityAbsolute", 9, Unit::Percent),
        ("environment.outside.dewPointTemperature", 10, Unit::Celsius),
        (DIRECTION_TRUE, 12, Unit::Direction),
        (DIRECTION_MAGNETIC, 14, Unit::Direction),
        either((speed, 18, Unit::MetresPerSecond), (speed, 16, Unit::Knots)),
    ];
    optional(fields, sink, &rows);
}

/// Shaft or engine, its number, revolutions per minute, pitch, status.
fn rpm(fields: &Fields<'_>, sink: &mut dyn ValueSink) {
    let number = fields.text(1);
    // It becomes part of a path.
    if number.is_empty() || !number.bytes().all(|letter| letter.is_ascii_alphanumeric()) {
        return;
    }
    let mut path = heapless::String::<64>::new();
    let what = if fields.is(0, "S") { "shaft" } else { "engine" };
    if core::fmt::write(&mut path, format_args!("propulsion.{what}_{number}.revolutions")).is_ok() {
        give(sink, &path, fields.read(2, Unit::PerMinute).when(!fields.is(4, "V")));
    }
}
