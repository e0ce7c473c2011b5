//! Rudder and autopilot.

use super::Scene;
use super::navigation::MAGNETIC;
use super::rule::{How, Mapping, Root, leaf};
use crate::n2k::tables::Field;

pub(super) const MAPPINGS: &[Mapping] = &[
    Mapping::code(127_237, heading_to_steer),
    Mapping::fields(127_245, Root::None, &[leaf(Field::Position, "steering.rudderAngle", How::Same)]),
];

/// PGN 127237: magnetic only where it says so.
fn heading_to_steer(scene: &mut Scene<'_>) {
    let path = if scene.decoded.raw(Field::HeadingReference) == Some(MAGNETIC) {
        "steering.autopilot.target.headingMagnetic"
    } else {
        "steering.autopilot.target.headingTrue"
    };
    How::Same.give(scene, Field::HeadingToSteerCourse, path);
}
