//! Rudder and autopilots: the standard's, Raymarine's (Seatalk) and Simrad's (Simnet).

use super::Scene;
use super::environment::folded;
use super::faults;
use super::navigation::MAGNETIC;
use super::rule::{How, Instance, Mapping, Root, leaf};
use crate::delta::Value;
use crate::n2k::tables::{Definition, Field};

pub(super) const MAPPINGS: &[Mapping] = &[
    Mapping::code(65_305, simnet_mode),
    Mapping::code(65_341, simnet_angle),
    Mapping::code(65_345, wind_datum),
    Mapping::fields(
        65_359,
        Root::None,
        &[
            leaf(Field::HeadingTrue, "navigation.headingTrue", How::Same),
            leaf(Field::HeadingMagnetic, "navigation.headingMagnetic", How::Same),
        ],
    ),
    Mapping::fields(
        65_360,
        Root::None,
        &[
            leaf(Field::TargetHeadingTrue, "steering.autopilot.target.headingTrue", How::UnlessZero),
            leaf(Field::TargetHeadingMagnetic, "steering.autopilot.target.headingMagnetic", How::UnlessZero),
        ],
    ),
    Mapping::code(65_379, pilot_mode),
    Mapping::code(127_237, heading_to_steer),
    Mapping::fields(127_245, Root::None, &[leaf(Field::Position, "steering.rudderAngle", How::Same)])
        .instance(Instance::Picks(Field::Instance)),
];

const STATE: &str = "steering.autopilot.state";
const TARGET_MAGNETIC: &str = "steering.autopilot.target.headingMagnetic";
const TARGET_WIND: &str = "steering.autopilot.target.windAngleApparent";

/// PGN 127237: magnetic only where it says so.
fn heading_to_steer(scene: &mut Scene<'_>) {
    let magnetic = scene.decoded.raw(Field::HeadingReference) == Some(MAGNETIC);
    let (bit, path) = if magnetic { (0, TARGET_MAGNETIC) } else { (1, "steering.autopilot.target.headingTrue") };
    How::Same.tell(scene, bit, Field::HeadingToSteerCourse, path);
}

/// Bits of lookup SIMNET_AP_MODE_BITFIELD; of several, the last one counts.
const SIMNET_MODES: [(u8, &str); 5] = [(3, "standby"), (8, "auto"), (4, "heading"), (10, "wind"), (6, "route")];

/// PGN 65305 of Simrad, when it tells the pilot's mode.
fn simnet_mode(scene: &mut Scene<'_>) {
    if scene.decoded.definition() != Definition::SimnetPilotMode {
        return;
    }
    let Some(flags) = scene.decoded.flags(Field::Mode) else { return };
    if let Some((_, state)) = SIMNET_MODES.iter().rfind(|(bit, _)| flags.is_set(*bit)) {
        scene.value(STATE, Value::Text(state));
    }
}

/// PGN 65341 of Simrad: the mode (lookup SIMNET_AP_MODE) says what the angle is.
fn simnet_angle(scene: &mut Scene<'_>) {
    let path = match scene.decoded.raw(Field::Mode) {
        // Heading, navigation, no drift.
        Some(2 | 10 | 11) => TARGET_MAGNETIC,
        // Wind, which counts port negative.
        Some(3) if !faults::ON => {
            if let Some(angle) = scene.decoded.number(Field::Angle) {
                scene.value(TARGET_WIND, folded(angle));
            }
            return;
        }
        Some(3) => TARGET_WIND,
        _ => return,
    };
    How::Same.give(scene, Field::Angle, path);
}

/// PGN 65345 of Raymarine: always, null when absent.
fn wind_datum(scene: &mut Scene<'_>) {
    let angle = scene.decoded.number(Field::WindDatum).map_or(Value::Null, folded);
    scene.value(TARGET_WIND, angle);
}

/// PGN 65379 of Raymarine (lookup SEATALK_PILOT_MODE_16); modes without a name count as standby.
fn pilot_mode(scene: &mut Scene<'_>) {
    let state = match scene.decoded.raw(Field::PilotMode) {
        Some(64) => "auto",
        Some(256) => "wind",
        // Track mode, and no drift in a track.
        Some(384 | 385) => "route",
        _ => "standby",
    };
    scene.value(STATE, Value::Text(state));
}

/// PGN 126720 of Raymarine, its pilot messages.
pub(super) fn seatalk(scene: &mut Scene<'_>, definition: Definition) {
    match definition {
        Definition::Seatalk1PilotMode => {
            // Codes of lookup SEATALK_PILOT_MODE, and what the sub mode adds: off course, wind shift.
            let state = match (scene.decoded.raw(Field::PilotMode), scene.decoded.raw(Field::SubMode)) {
                (Some(0 | 64 | 68 | 72), Some(0)) => "standby",
                (Some(70), Some(0 | 4 | 8 | 12)) => "wind",
                (Some(74), Some(0)) => "route",
                (Some(66), Some(0 | 4)) => "auto",
                _ => return,
            };
            scene.value(STATE, Value::Text(state));
        }
        Definition::Seatalk1PilotHullType => {
            // Lookup SEATALK_PILOT_HULL_TYPE.
            let hull = match scene.decoded.raw(Field::HullType) {
                Some(0) => "sail",
                Some(1) => "sailSlowTurn",
                Some(2) => "sailCatamaran",
                Some(3) => "powerSlowTurn",
                Some(4) => "powerFastTurn",
                Some(8) => "power",
                _ => "unknown",
            };
            scene.value("steering.autopilot.hullType", Value::Text(hull));
        }
        Definition::SeatalkPilotAutoTurn => {
            let enabled = scene.decoded.raw(Field::Enabled) == Some(1);
            scene.value("steering.autopilot.autoTurn.state", Value::Bool(enabled));
        }
        _ => {}
    }
}
