//! Position, course, speed, heading, attitude, time and satellites.

use core::fmt::Write;

use super::rule::{How, Leaf, Mapping, Root, leaf, told_leaves};
use super::text::digits;
use super::{Place, Scene};
use crate::delta::{Value, Written};
use crate::json::Decimal;
use crate::n2k::decode::Decoded;
use crate::n2k::tables::Field;

pub(super) const MAPPINGS: &[Mapping] = &[
    Mapping::code(126_992, datetime),
    Mapping::code(127_250, heading),
    Mapping::fields(127_251, Root::None, &[leaf(Field::Rate, "navigation.rateOfTurn", How::Same)]),
    Mapping::code(127_257, attitude),
    Mapping::fields(127_258, Root::None, &[leaf(Field::Variation, "navigation.magneticVariation", How::Same)]),
    Mapping::fields(
        128_259,
        Root::None,
        &[
            leaf(Field::SpeedWaterReferenced, "navigation.speedThroughWater", How::Same),
            leaf(Field::SpeedGroundReferenced, "navigation.speedOverGround", How::UnlessZero),
            leaf(Field::SpeedWaterReferencedType, "navigation.speedThroughWaterReferenceType", How::Same),
        ],
    ),
    Mapping::fields(
        128_275,
        Root::None,
        &[leaf(Field::TripLog, "navigation.trip.log", How::Same), leaf(Field::Log, "navigation.log", How::Same)],
    ),
    Mapping::code(129_025, position),
    Mapping::fields(129_026, Root::None, &[leaf(Field::Sog, "navigation.speedOverGround", How::Same)]).and(course),
    Mapping::code(129_029, gnss),
    Mapping::code(129_540, satellites),
    Mapping::code(130_577, direction),
    Mapping::fields(
        130_578,
        Root::None,
        &[
            leaf(Field::LongitudinalSpeedWaterReferenced, "navigation.speedThroughWaterLongitudinal", How::Same),
            leaf(Field::TransverseSpeedWaterReferenced, "navigation.speedThroughWaterTransverse", How::Same),
        ],
    ),
];

/// Age and id of reference stations (129029) stand in its repeating set, which has no paths.
const GNSS: &[Leaf] = &[
    leaf(Field::Altitude, "navigation.gnss.antennaAltitude", How::Same),
    leaf(Field::NumberOfSvs, "navigation.gnss.satellites", How::Same),
    leaf(Field::Hdop, "navigation.gnss.horizontalDilution", How::Same),
    leaf(Field::Pdop, "navigation.gnss.positionDilution", How::Same),
    leaf(Field::GeoidalSeparation, "navigation.gnss.geoidalSeparation", How::Same),
    leaf(
        Field::GnssType,
        "navigation.gnss.type",
        How::Renamed(&[
            ("GPS+GLONASS", "Combined GPS/GLONASS"),
            ("integrated", "Integrated navigation system"),
            ("surveyed", "Surveyed"),
        ]),
    ),
    leaf(
        Field::Method,
        "navigation.gnss.methodQuality",
        How::Renamed(&[
            ("no GNSS", "no GPS"),
            ("GNSS fix", "GNSS Fix"),
            ("RTK Fixed Integer", "RTK fixed integer"),
            ("Simulate mode", "Simulator mode"),
        ]),
    ),
    leaf(
        Field::Integrity,
        "navigation.gnss.integrity",
        How::Renamed(&[("No integrity checking", "no Integrity checking")]),
    ),
];

/// Codes of lookup DIRECTION_REFERENCE.
pub(super) const TRUE: i64 = 0;
pub(super) const MAGNETIC: i64 = 1;

/// PGN 127250: the reference picks the path, without one there is no heading.
fn heading(scene: &mut Scene<'_>) {
    by_reference(scene, Field::Reference, Field::Heading, ["navigation.headingTrue", "navigation.headingMagnetic"]);
    How::Same.tell(scene, 2, Field::Variation, "navigation.magneticVariation");
    How::Same.tell(scene, 3, Field::Deviation, "navigation.magneticDeviation");
}

/// Gives a direction to the path of its reference, true or magnetic; without a reference both are gone.
fn by_reference(scene: &mut Scene<'_>, reference: Field, field: Field, paths: [&'static str; 2]) {
    let against = scene.decoded.raw(reference);
    for ((bit, code), path) in [(TRUE_BIT, TRUE), (MAGNETIC_BIT, MAGNETIC)].into_iter().zip(paths) {
        match against {
            Some(against) if against == code => How::Same.tell(scene, bit, field, path),
            Some(_) => {}
            None => scene.tell(bit, Place::Fixed(path), None),
        }
    }
}

/// Numbers of the leaves of a direction, behind those of a table.
const TRUE_BIT: u8 = 16;
const MAGNETIC_BIT: u8 = 17;
const POSITION_BIT: u8 = 18;

/// PGN 127257: always, an absent member is null.
fn attitude(scene: &mut Scene<'_>) {
    let member = |field| scene.decoded.number(field).map_or(Value::Null, Value::Number);
    let members = [("yaw", member(Field::Yaw)), ("pitch", member(Field::Pitch)), ("roll", member(Field::Roll))];
    scene.value("navigation.attitude", Value::Object(&members));
}

/// PGNs 129025 and 129029: both coordinates or nothing. A receiver without a fix can send its last ones; they are given,
/// because its 129025 does not say so.
pub(super) fn position(scene: &mut Scene<'_>) {
    let members = coordinates(scene.decoded, Field::Latitude, Field::Longitude);
    let position = members.as_ref().map(|members| Value::Object(members));
    scene.tell(POSITION_BIT, Place::Fixed("navigation.position"), position);
}

/// Returns the members of a position when both coordinates are there.
pub(super) fn coordinates(
    decoded: &Decoded<'_>,
    latitude: Field,
    longitude: Field,
) -> Option<[(&'static str, Value<'static>); 2]> {
    let (latitude, longitude) = (decoded.number(latitude)?, decoded.number(longitude)?);
    Some([("latitude", Value::Number(latitude)), ("longitude", Value::Number(longitude))])
}

/// PGN 129026: the reference picks the path of the course.
fn course(scene: &mut Scene<'_>) {
    let paths = ["navigation.courseOverGroundTrue", "navigation.courseOverGroundMagnetic"];
    by_reference(scene, Field::CogReference, Field::Cog, paths);
}

/// PGN 130577: course and current only against true north.
fn direction(scene: &mut Scene<'_>) {
    let against_true = scene.decoded.raw(Field::CogReference) == Some(TRUE);
    if against_true {
        How::Same.tell(scene, 0, Field::Cog, "navigation.courseOverGroundTrue");
    }
    How::UnlessZero.tell(scene, 1, Field::Sog, "navigation.speedOverGround");
    let there = |field| scene.decoded.raw(field).is_some_and(|raw| raw != 0);
    if against_true && there(Field::Set) && there(Field::Drift) {
        super::environment::current(scene);
    }
}

/// PGN 129029.
fn gnss(scene: &mut Scene<'_>) {
    position(scene);
    datetime(scene);
    told_leaves(scene, "", GNSS);
}

/// PGNs 126992 and 129029: date and time of day; the fraction, five digits, only where there is one.
fn datetime(scene: &mut Scene<'_>) {
    let Some((time, below)) = scene.decoded.instant(Field::Date, Field::Time) else { return };
    let mut text = heapless::String::<32>::new();
    let _ = text.push_str(&time.text());
    // `2026-06-01T10:00:00.123Z`: the fraction begins at byte 19.
    let whole = time.0.rem_euclid(1000) == 0 && below == 0;
    text.truncate(if whole { 19 } else { 23 });
    let rest = if whole { Ok(()) } else { text.push_str(&digits(below)).and_then(|()| text.push('0')) };
    let written = rest.and_then(|()| text.push('Z')).is_ok();
    if written {
        scene.value("navigation.datetime", Value::Text(&text));
    }
}

/// Fields of a satellite that count, whether or not they have a member.
const SATELLITE_FIELDS: [Field; 6] =
    [Field::Prn, Field::Elevation, Field::Azimuth, Field::Snr, Field::RangeResiduals, Field::Status];
/// Members of a satellite.
const SATELLITE_MEMBERS: [(&str, Field); 4] =
    [("id", Field::Prn), ("elevation", Field::Elevation), ("azimuth", Field::Azimuth), ("SNR", Field::Snr)];

/// PGN 129540: satellites with fewer than four fields are left out, their number counts the others.
fn satellites(scene: &mut Scene<'_>) {
    let decoded = scene.decoded;
    let there = |group: &Decoded<'_>| SATELLITE_FIELDS.into_iter().filter(|field| group.raw(*field).is_some()).count();
    let satellites = || decoded.groups().filter(|group| there(group) >= 4);
    let count = Decimal::new(i64::try_from(satellites().count()).unwrap_or(i64::MAX), 0);
    let list = |out: &mut dyn Write| {
        out.write_char('[')?;
        for (index, satellite) in satellites().enumerate() {
            let member = |(name, field)| Some((name, Value::Number(satellite.number(field)?)));
            let members: heapless::Vec<_, 4> = SATELLITE_MEMBERS.into_iter().filter_map(member).collect();
            out.write_str(if index > 0 { "," } else { "" })?;
            Value::Object(&members).write(out)?;
        }
        out.write_char(']')
    };
    let members = [("count", Value::Number(count)), ("satellites", Value::Written(Written(&list)))];
    scene.value("navigation.gnss.satellitesInView", Value::Object(&members));
}
