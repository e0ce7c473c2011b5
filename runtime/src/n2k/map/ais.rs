//! AIS: other vessels, base stations, aircraft and marks, each in a context of its own.

use super::Scene;
use super::ais_names::{aton_type, ship_type};
use super::faults;
use super::navigation::{coordinates, position};
use super::rule::{How, Leaf, Mapping, Root, Target, leaf, leaves};
use super::text::{Digits, digits, padded, without_padding};
use crate::delta::Value;
use crate::json::Decimal;
use crate::n2k::tables::Field;
use crate::n2k::text::FieldText;
use crate::time::UnixMillis;

pub(super) const MAPPINGS: &[Mapping] = &[
    Mapping::fields(129_038, Root::None, CLASS_A).and(class_a).of(Target::Vessel),
    Mapping::fields(129_039, Root::None, CLASS_B).and(class_b).of(Target::Vessel),
    Mapping::fields(129_040, Root::None, EXTENDED).and(extended).of(Target::Vessel),
    Mapping::fields(129_041, Root::None, MARK).and(mark).of(Target::Aton),
    Mapping::code(129_793, station).of(Target::Station),
    Mapping::fields(129_794, Root::None, STATIC_A).and(static_a).of(Target::Vessel),
    Mapping::fields(129_798, Root::None, MOTION).and(aircraft).of(Target::Aircraft),
    Mapping::code(129_809, static_b_part_a).of(Target::Vessel),
    Mapping::fields(129_810, Root::None, STATIC).and(static_b_part_b).of(Target::Vessel),
    Mapping::code(130_842, simnet_static_b).of(Target::Vessel),
];

const MOTION: &[Leaf] = &[
    leaf(Field::Sog, "navigation.speedOverGround", How::Same),
    leaf(Field::Cog, "navigation.courseOverGroundTrue", How::Same),
];
const CLASS_A: &[Leaf] = &[
    leaf(Field::Sog, "navigation.speedOverGround", How::Same),
    leaf(Field::Cog, "navigation.courseOverGroundTrue", How::Same),
    leaf(Field::RateOfTurn, "navigation.rateOfTurn", How::Same),
    leaf(Field::Heading, "navigation.headingTrue", How::Same),
];
const CLASS_B: &[Leaf] = &[
    leaf(Field::Sog, "navigation.speedOverGround", How::Same),
    leaf(Field::Cog, "navigation.courseOverGroundTrue", How::Same),
    leaf(Field::Heading, "navigation.headingTrue", How::Same),
];
const EXTENDED: &[Leaf] = &[
    leaf(Field::Sog, "navigation.speedOverGround", How::Same),
    leaf(Field::Cog, "navigation.courseOverGroundTrue", How::Same),
    leaf(Field::TrueHeading, "navigation.headingTrue", How::Same),
    leaf(Field::Beam, "design.beam", How::Same),
    leaf(Field::PositionReferenceFromBow, "sensors.ais.fromBow", How::Same),
];
const STATIC: &[Leaf] = &[
    leaf(Field::Beam, "design.beam", How::Same),
    leaf(Field::PositionReferenceFromBow, "sensors.ais.fromBow", How::Same),
];
const STATIC_A: &[Leaf] = STATIC;
const MARK: &[Leaf] = &[
    leaf(Field::BeamDiameter, "design.beam", How::Same),
    leaf(Field::VirtualAtonFlag, "virtual", How::Switch),
    leaf(Field::OffPositionIndicator, "offPosition", How::Switch),
];

/// PGN 129038.
fn class_a(scene: &mut Scene<'_>) {
    target_position(scene);
    let state = scene.decoded.raw(Field::NavStatus).and_then(|code| usize::try_from(code).ok());
    if let Some(state) = state.and_then(|code| STATES.get(code)).filter(|state| !state.is_empty()) {
        scene.value("navigation.state", Value::Text(state));
    }
    let maneuver = scene.decoded.raw(Field::SpecialManeuverIndicator).and_then(|code| usize::try_from(code).ok());
    if let Some(maneuver) = maneuver.and_then(|code| MANEUVERS.get(code)) {
        scene.value("navigation.specialManeuver", Value::Text(maneuver));
    }
    identity(scene, "A");
}

/// By code of lookup NAV_STATUS. The peer compares other spellings than the database's for 3, 9 and 10, so
/// these have no state there.
const STATES: [&str; 15] = [
    "motoring",
    "anchored",
    "not under command",
    "",
    "constrained by draft",
    "moored",
    "aground",
    "fishing",
    "sailing",
    "",
    "",
    "",
    "",
    "",
    "ais-sart",
];
/// By code of lookup AIS_SPECIAL_MANEUVER.
const MANEUVERS: [&str; 3] = ["not available", "not engaged", "engaged"];

/// PGN 129039.
fn class_b(scene: &mut Scene<'_>) {
    target_position(scene);
    identity(scene, "B");
}

/// PGN 129040.
fn extended(scene: &mut Scene<'_>) {
    name(scene, Field::Name);
    target_position(scene);
    dimensions(scene);
    identity(scene, "B");
}

/// PGN 129041.
fn mark(scene: &mut Scene<'_>) {
    name(scene, Field::AtonName);
    target_position(scene);
    length(scene, Field::LengthDiameter);
    typed(scene, Field::AtonType, "atonType", aton_type);
    from_center(scene, Field::PositionReferenceFromStarboardEdge, Field::BeamDiameter);
    identity(scene, "ATON");
}

/// PGN 129793: a position of zero counts here, and the MMSI has its zeros in front.
fn station(scene: &mut Scene<'_>) {
    position(scene);
    padded_identity(scene, "BASE");
}

/// PGN 129794.
fn static_a(scene: &mut Scene<'_>) {
    name(scene, Field::Name);
    callsign(scene);
    if let Some(text) = scene.decoded.string(Field::Destination).map(FieldText::to_stack) {
        let destination = letters(&text);
        if !destination.is_empty() {
            scene.value("navigation.destination.commonName", Value::Text(destination));
        }
    }
    arrival(scene);
    if let Some(draft) = scene.decoded.number(Field::Draft).filter(|draft| draft.mantissa != 0) {
        scene.value("design.draft", Value::Object(&[("maximum", Value::Number(draft))]));
    }
    dimensions(scene);
    identity(scene, "A");
    if let Some(number) = scene.decoded.raw(Field::ImoNumber).filter(|number| *number != 0) {
        let mut imo = heapless::String::<24>::new();
        let _ = imo.push_str("IMO ");
        let _ = imo.push_str(&digits(number));
        scene.value("", Value::Object(&[("registrations", Value::Object(&[("imo", Value::Text(&imo))]))]));
    }
}

/// PGN 129798.
fn aircraft(scene: &mut Scene<'_>) {
    if let Some([latitude, longitude]) = placed(scene) {
        let members = [latitude, longitude, ("altitude", Value::Null)];
        match scene.decoded.number(Field::Altitude) {
            Some(altitude) => {
                let [latitude, longitude, _] = members;
                let members = [latitude, longitude, ("altitude", Value::Number(altitude))];
                scene.value("navigation.position", Value::Object(&members));
            }
            None => scene.value("navigation.position", Value::Object(&[latitude, longitude])),
        }
    }
    padded_identity(scene, "SAR");
}

/// PGN 129809.
fn static_b_part_a(scene: &mut Scene<'_>) {
    name(scene, Field::Name);
    if let Some(mmsi) = mmsi(scene) {
        scene.value("sensors.ais.class", Value::Text("B"));
        scene.value("", Value::Object(&[("mmsi", Value::Text(&mmsi))]));
    }
}

/// PGN 129810.
fn static_b_part_b(scene: &mut Scene<'_>) {
    callsign(scene);
    dimensions(scene);
    mmsi_object(scene);
}

/// PGN 130842 of Simrad, the same in two parts without the call sign.
fn simnet_static_b(scene: &mut Scene<'_>) {
    name(scene, Field::Name);
    leaves(
        scene,
        "",
        &[
            leaf(Field::Beam, "design.beam", How::UnlessZero),
            leaf(Field::PositionReferenceFromBow, "sensors.ais.fromBow", How::Same),
        ],
    );
    dimensions(scene);
    mmsi_object(scene);
}

fn name(scene: &mut Scene<'_>, field: Field) {
    let Some(text) = scene.decoded.string(field).map(FieldText::to_stack) else { return };
    let name = letters(&text);
    if !name.is_empty() {
        scene.value("", Value::Object(&[("name", Value::Text(name))]));
    }
}

fn callsign(scene: &mut Scene<'_>) {
    let Some(text) = scene.decoded.string(Field::Callsign).map(FieldText::to_stack) else { return };
    let sign = letters(&text);
    if !sign.is_empty() {
        scene.value("", Value::Object(&[("communication", Value::Object(&[("callsignVhf", Value::Text(sign))]))]));
    }
}

/// Returns a text without its padding, which the peer leaves in.
fn letters(text: &str) -> &str {
    if faults::ON { text } else { without_padding(text) }
}

/// Gives the time of arrival; without a time of day the day begins.
fn arrival(scene: &mut Scene<'_>) {
    let Some(days) = scene.decoded.raw(Field::EtaDate) else { return };
    let tenths = scene.decoded.raw(Field::EtaTime).unwrap_or(0);
    let millis = days.checked_mul(DAY_MILLIS).and_then(|day| day.checked_add(tenths.checked_add(5)? / 10));
    if let Some(millis) = millis {
        scene.value("navigation.destination.eta", Value::Text(&UnixMillis(millis).text()));
    }
}

/// Milliseconds of one day.
const DAY_MILLIS: i64 = 86_400_000;

/// Returns a position with neither coordinate exactly zero: transponders without a fix send that.
fn placed(scene: &Scene<'_>) -> Option<[(&'static str, Value<'static>); 2]> {
    let zero = |field| scene.decoded.raw(field) == Some(0);
    coordinates(scene.decoded, Field::Latitude, Field::Longitude)
        .filter(|_| !zero(Field::Latitude) && !zero(Field::Longitude))
}

fn target_position(scene: &mut Scene<'_>) {
    if let Some(members) = placed(scene) {
        scene.value("navigation.position", Value::Object(&members));
    }
}

/// Gives MMSI and class.
fn identity(scene: &mut Scene<'_>, class: &str) {
    mmsi_object(scene);
    scene.value("sensors.ais.class", Value::Text(class));
}

fn padded_identity(scene: &mut Scene<'_>, class: &str) {
    if let Some(mmsi) = scene.decoded.raw(Field::UserId).filter(|mmsi| *mmsi != 0) {
        scene.value("", Value::Object(&[("mmsi", Value::Text(&padded(mmsi, 9)))]));
    }
    scene.value("sensors.ais.class", Value::Text(class));
}

fn mmsi(scene: &Scene<'_>) -> Option<Digits> {
    scene.decoded.raw(Field::UserId).filter(|mmsi| *mmsi != 0).map(digits)
}

fn mmsi_object(scene: &mut Scene<'_>) {
    if let Some(mmsi) = mmsi(scene) {
        scene.value("", Value::Object(&[("mmsi", Value::Text(&mmsi))]));
    }
}

/// Gives length, type and where the antenna stands across.
fn dimensions(scene: &mut Scene<'_>) {
    length(scene, Field::Length);
    typed(scene, Field::TypeOfShip, "design.aisShipType", ship_type);
    from_center(scene, Field::PositionReferenceFromStarboard, Field::Beam);
}

fn length(scene: &mut Scene<'_>, field: Field) {
    if let Some(length) = scene.decoded.number(field).filter(|length| length.mantissa != 0) {
        scene.value("design.length", Value::Object(&[("overall", Value::Number(length))]));
    }
}

/// Gives a code together with its name in the schema; nothing without a name.
fn typed(scene: &mut Scene<'_>, field: Field, path: &'static str, name: fn(i64) -> Option<&'static str>) {
    let Some(code) = scene.decoded.raw(field) else { return };
    if let Some(name) = name(code) {
        let members = [("id", Value::Number(Decimal::new(code, 0))), ("name", Value::Text(name))];
        scene.value(path, Value::Object(&members));
    }
}

/// Gives how far the antenna stands from the middle: half the beam less the distance from starboard.
fn from_center(scene: &mut Scene<'_>, from_starboard: Field, beam: Field) {
    let there = |field| scene.decoded.number(field).filter(|value| value.mantissa != 0);
    let (Some(distance), Some(beam)) = (there(from_starboard), there(beam)) else { return };
    if faults::ON && from_starboard == Field::PositionReferenceFromStarboardEdge {
        scene.value("sensors.ais.fromCenter", Value::Null);
        return;
    }
    // Both have the same resolution, 0.1 m.
    let tenths = beam.mantissa.checked_mul(5).zip(distance.mantissa.checked_mul(10));
    if let Some(mantissa) = tenths.and_then(|(half, distance)| half.checked_sub(distance)) {
        let value = Decimal::new(mantissa, beam.exponent.saturating_sub(1));
        scene.value("sensors.ais.fromCenter", Value::Number(value));
    }
}
