//! Courses that a plotter calculates: cross track error, next point, route.

use super::Scene;
use super::faults;
use super::memory::Course;
use super::navigation::{MAGNETIC, TRUE};
use super::rule::{How, Mapping, leaf, leaves};
use super::text::{ShortText, has_letters, join};
use crate::delta::Value;
use crate::json::Decimal;
use crate::n2k::decode::Decoded;
use crate::n2k::tables::Field;

pub(super) const MAPPINGS: &[Mapping] = &[
    Mapping::code(129_283, cross_track_error),
    Mapping::code(129_284, navigation_data),
    Mapping::code(129_285, route),
];

/// Returns what paths begin with, once 129284 told how the source calculates.
fn root(scene: &Scene<'_>) -> Option<ShortText> {
    let course = scene.memory.source(scene.id.source)?.course()?;
    let name = match course {
        Course::GreatCircle => "GreatCircle",
        Course::Rhumbline => "Rhumbline",
    };
    Some(join(&["navigation.course", name, "."]))
}

/// PGN 129283, while navigating.
fn cross_track_error(scene: &mut Scene<'_>) {
    if scene.decoded.raw(Field::NavigationTerminated) != Some(0) {
        return;
    }
    if let Some(root) = root(scene) {
        leaves(scene, &root, &[leaf(Field::Xte, "crossTrackError", How::Same)]);
    }
}

/// PGN 129284: tells how the course is calculated, also for 129283 and 129285 of this source.
fn navigation_data(scene: &mut Scene<'_>) {
    let great_circle = scene.decoded.raw(Field::CalculationType) == Some(0);
    let Some(source) = scene.memory.source_mut(scene.id.source) else { return };
    source.set_course(if great_circle { Course::GreatCircle } else { Course::Rhumbline });
    let Some(root) = root(scene) else { return };
    let reference = match scene.decoded.raw(Field::CourseBearingReference) {
        Some(TRUE) => "True",
        Some(MAGNETIC) => "Magnetic",
        Some(2) => "Error",
        _ => "undefined",
    };
    let bearing_track = join(&[&root, "bearingTrack", reference]);
    How::Same.give(scene, Field::BearingOriginToDestinationWaypoint, &bearing_track);
    let next = join(&[&root, "nextPoint."]);
    leaves(
        scene,
        &next,
        &[
            leaf(Field::DistanceToWaypoint, "distance", How::Same),
            leaf(Field::WaypointClosingVelocity, "velocityMadeGood", How::Same),
        ],
    );
    let bearing = join(&[&next, "bearing", reference]);
    How::Same.give(scene, Field::BearingPositionToDestinationWaypoint, &bearing);
    let member = |field| scene.decoded.number(field).map_or(Value::Null, Value::Number);
    let members =
        [("latitude", member(Field::DestinationLatitude)), ("longitude", member(Field::DestinationLongitude))];
    scene.value_at(&join(&[&next, "position"]), Value::Object(&members));
    if let Some(millis) = time_to_go(scene) {
        scene.value_at(&join(&[&next, "timeToGo"]), Value::Number(Decimal::new(millis, -3)));
    }
}

/// Returns the milliseconds from the message to the time of arrival, where both are known.
fn time_to_go(scene: &Scene<'_>) -> Option<i64> {
    let (arrival, _) = scene.decoded.instant(Field::EtaDate, Field::EtaTime)?;
    let now = Some(scene.time).filter(|now| now.is_dated())?;
    arrival.0.checked_sub(now.0)
}

/// Way points of 129285 that have paths, in order.
const POINTS: [&str; 3] = ["previousPoint.", "nextPoint.", "followingPoint."];

/// Tells whether anything is known of a way point.
fn is_point(point: &Decoded<'_>) -> bool {
    [Field::WpId, Field::WpLatitude, Field::WpLongitude].into_iter().any(|field| point.raw(field).is_some())
        || has_letters(point, Field::WpName)
}

/// PGN 129285: the route's name and its first three way points; only the last one's position is needed.
fn route(scene: &mut Scene<'_>) {
    let Some(root) = root(scene) else { return };
    name(scene, Field::RouteName, &join(&[&root, "activeRoute.name"]));
    // A way point of which nothing is known does not count.
    let points = scene.decoded.groups().filter(is_point);
    for (index, (point, base)) in points.zip(POINTS).enumerate() {
        let base = join(&[&root, base]);
        let member = |field| point.number(field).map(Value::Number);
        let coordinates = [("latitude", member(Field::WpLatitude)), ("longitude", member(Field::WpLongitude))];
        let is_partial = coordinates.iter().any(|(_, value)| value.is_none());
        if faults::ON && index == 2 && is_partial {
            return;
        }
        name(&mut scene.of(&point), Field::WpName, &join(&[&base, "name"]));
        if index == 0 || index == 2 && !is_partial {
            let there = coordinates.into_iter().filter_map(|(name, value)| Some((name, value?)));
            let members: heapless::Vec<_, 2> = there.collect();
            scene.value_at(&join(&[&base, "position"]), Value::Object(&members));
        }
    }
}

/// Gives a name; one of blanks is one, other than a field without letters.
fn name(scene: &mut Scene<'_>, field: Field, path: &str) {
    match scene.decoded.string(field) {
        Some(text) => {
            let text = text.to_stack();
            // Asked first: where the fault is not wanted, the reader of decimals is not even linked.
            let as_number = faults::ON && field == Field::RouteName;
            let number = as_number.then(|| text.trim().parse().ok()).flatten();
            scene.value_at(path, number.map_or(Value::Text(&text), Value::Float));
        }
        None if faults::ON && field == Field::RouteName && has_letters(scene.decoded, field) => {
            scene.value_at(path, Value::Float(0.0));
        }
        None if has_letters(scene.decoded, field) => scene.value_at(path, Value::Text("")),
        None => {}
    }
}
