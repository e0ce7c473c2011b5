//! Sentences of the way to a waypoint: bearings, distances, how far off the track.

use super::fields::{Reading, Unit, radians};
use super::instruments::{give, give_text, position};
use super::sentence::Fields;
use crate::delta::{Value, ValueSink};

/// Of the rhumb line, and of the great circle.
const RHUMB_LINE: &str = "navigation.courseRhumbline.";
const GREAT_CIRCLE: &str = "navigation.courseGreatCircle.";
const CROSS_TRACK_ERROR: &str = "navigation.courseRhumbline.crossTrackError";
const NEXT_ID: &str = "navigation.courseRhumbline.nextPoint.ID";
const PREVIOUS_ID: &str = "navigation.courseRhumbline.previousPoint.ID";

/// Gives a number below a path, and `null` for one that is lost.
fn give_below(sink: &mut dyn ValueSink, base: &str, leaf: &str, reading: Reading) {
    match reading {
        Reading::Value(value) => sink.value_below(base, leaf, Value::Float(value)),
        Reading::Lost => sink.value_below(base, leaf, Value::Null),
        Reading::Bad => {}
    }
}

/// Reads a bearing; unlike a heading it may be told as 0 to 360 or beyond.
fn bearing(fields: &Fields<'_>, index: usize) -> Reading {
    fields.read(index, Unit::Same).map(radians)
}

/// Reads a distance and the unit behind it: nautical miles, else kilometres.
fn distance(fields: &Fields<'_>, index: usize, unit: usize) -> Reading {
    fields.read(index, if fields.is(unit, "N") { Unit::Miles } else { Unit::Kilometres })
}

/// Reads how far off the track, left of it below zero, from the distance and the side to steer to.
fn off_track(distance: Reading, fields: &Fields<'_>, side: usize) -> Reading {
    distance.map(|distance| if fields.is(side, "L") { distance } else { -distance })
}

/// Reads two directions with their letters behind them, as true and magnetic.
fn true_and_magnetic(fields: &Fields<'_>, index: usize) -> [Reading; 2] {
    let mut both = [Reading::Lost; 2];
    for index in [index, index + 2] {
        let [of_true, of_magnetic] = &mut both;
        *(if fields.is(index + 1, "T") { of_true } else { of_magnetic }) = bearing(fields, index);
    }
    both
}

/// Tells whether none of the first fields is empty.
fn are_there(fields: &Fields<'_>, count: usize) -> bool {
    (0..count).all(|index| !fields.text(index).is_empty())
}

/// Autopilot sentence B: status twice, cross track error, side, unit, arrival, bearings, destination, heading to steer.
pub(super) fn apb(fields: &Fields<'_>, sink: &mut dyn ValueSink) {
    let is_void = fields.is(0, "V") || fields.is(1, "V");
    if is_void || !are_there(fields, 5) {
        // What leads the boat is gone.
        sink.value(CROSS_TRACK_ERROR, Value::Null);
        return;
    }
    give(sink, CROSS_TRACK_ERROR, off_track(distance(fields, 2, 4), fields, 3));
    let north = |index: usize| usize::from(fields.is(index, "M"));
    for (leaves, index, letter) in [
        (["bearingTrackTrue", "bearingTrackMagnetic"], 7, 8),
        (["bearingOriginToDestinationTrue", "bearingOriginToDestinationMagnetic"], 7, 8),
        (["bearingToDestinationTrue", "bearingToDestinationMagnetic"], 10, 11),
        (["nextPoint.bearingTrue", "nextPoint.bearingMagnetic"], 10, 11),
    ] {
        let [of_true, of_magnetic] = leaves;
        let leaf = if north(letter) == 0 { of_true } else { of_magnetic };
        give_below(sink, RHUMB_LINE, leaf, bearing(fields, index));
    }
    give_text(sink, NEXT_ID, fields.text(9));
    let leaf = if north(13) == 0 { "headingTrue" } else { "headingMagnetic" };
    give_below(sink, "steering.autopilot.target.", leaf, bearing(fields, 12));
    for (path, index, message) in [
        ("notifications.arrivalCircleEntered", 5, "WP arrival circle entered!"),
        ("notifications.perpendicularPassed", 6, "Perpendicular passed!"),
    ] {
        let members = [
            ("method", Value::List(&[Value::Text("sound"), Value::Text("visual")])),
            ("state", Value::Text("alarm")),
            ("message", Value::Text(message)),
        ];
        sink.value(path, if fields.is(index, "A") { Value::Object(&members) } else { Value::Null });
    }
}

/// Bearing from origin to destination, true and magnetic, and their names.
pub(super) fn bod(fields: &Fields<'_>, sink: &mut dyn ValueSink) {
    if !are_there(fields, 5) {
        return;
    }
    let [of_true, of_magnetic] = true_and_magnetic(fields, 0);
    give_below(sink, RHUMB_LINE, "bearingTrackTrue", of_true);
    give_below(sink, RHUMB_LINE, "bearingTrackMagnetic", of_magnetic);
    give_text(sink, NEXT_ID, fields.text(4));
    give_text(sink, PREVIOUS_ID, fields.text(5));
}

/// Time, waypoint, bearings true and magnetic, distance, along the great circle.
pub(super) fn bwc(fields: &Fields<'_>, sink: &mut dyn ValueSink) {
    position(sink, "navigation.courseGreatCircle.nextPoint.position", fields.position(1));
    for (leaf, reading, is_there) in [
        ("nextPoint.distance", distance(fields, 9, 10), !fields.text(10).is_empty()),
        ("bearingTrackTrue", bearing(fields, 5), fields.is(6, "T")),
        ("bearingTrackMagnetic", bearing(fields, 7), fields.is(8, "M")),
    ] {
        if is_there && reading != Reading::Lost {
            give_below(sink, GREAT_CIRCLE, leaf, reading);
        }
    }
}

/// The same along the rhumb line; without a waypoint nothing of it holds.
pub(super) fn bwr(fields: &Fields<'_>, sink: &mut dyn ValueSink) {
    let is_there = are_there(fields, 5);
    let [of_true, of_magnetic] = true_and_magnetic(fields, 5);
    give_below(sink, RHUMB_LINE, "bearingTrackTrue", of_true.when(is_there));
    give_below(sink, RHUMB_LINE, "bearingTrackMagnetic", of_magnetic.when(is_there));
    give_below(sink, RHUMB_LINE, "nextPoint.distance", distance(fields, 9, 10).when(is_there));
    let place = fields.position(1).filter(|_| is_there);
    position(sink, "navigation.courseRhumbline.nextPoint.position", place);
}

/// Status, cross track error in miles, side, names, waypoint, distance, bearing, speed towards it.
pub(super) fn rmb(fields: &Fields<'_>, sink: &mut dyn ValueSink) {
    let is_valid = !fields.is(0, "V");
    position(sink, "navigation.courseRhumbline.nextPoint.position", fields.position(5).filter(|_| is_valid));
    // Away from it is no speed towards it.
    let towards = fields.read(11, Unit::Same).map(|knots| super::fields::knots(knots.max(0.0)));
    for (leaf, reading) in [
        ("nextPoint.bearingTrue", bearing(fields, 10)),
        ("nextPoint.velocityMadeGood", towards),
        ("nextPoint.distance", fields.read(9, Unit::Miles)),
        ("crossTrackError", off_track(fields.read(1, Unit::Miles), fields, 2)),
    ] {
        give_below(sink, RHUMB_LINE, leaf, reading.when(is_valid));
    }
    for (path, index) in [(NEXT_ID, 4), (PREVIOUS_ID, 3)] {
        if is_valid {
            give_text(sink, path, fields.text(index));
        } else {
            sink.value(path, Value::Null);
        }
    }
}

/// Status twice, cross track error, side, unit.
pub(super) fn xte(fields: &Fields<'_>, sink: &mut dyn ValueSink) {
    let is_void = fields.is(0, "V") || fields.is(1, "V");
    give(sink, CROSS_TRACK_ERROR, off_track(distance(fields, 2, 4), fields, 3).when(!is_void));
}

/// Heading to steer, true and magnetic.
pub(super) fn hsc(fields: &Fields<'_>, sink: &mut dyn ValueSink) {
    if !are_there(fields, 4) {
        return;
    }
    let [of_true, of_magnetic] = true_and_magnetic(fields, 0);
    give_below(sink, "steering.autopilot.target.", "headingTrue", of_true);
    give_below(sink, "steering.autopilot.target.", "headingMagnetic", of_magnetic);
}
