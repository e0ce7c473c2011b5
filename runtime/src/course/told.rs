//! The course as deltas, for clients of version 2 of the API and for older ones.

use alloc::format;
use alloc::string::String;

use super::derived::{Arrival, Derived};
use super::{Changed, Course, Line, Navigation, Point};
use crate::json::{self, List, Object};
use crate::time::UnixMillis;

/// `$source` of what clients order (Signal K Server 2.32 `API_CMD_SRC`).
pub const API_SOURCE: &str = "courseApi";
/// `$source` of what follows from it: the plugin's that derives it elsewhere.
pub const PROVIDER_SOURCE: &str = "course-provider";

const COURSE: &str = "navigation.course";
const DERIVED: &str = "navigation.course.calcValues";
const ROOTS: [&str; 2] = ["navigation.courseGreatCircle", "navigation.courseRhumbline"];

/// Name, unit and meaning of each value that follows from a course.
const META: [(&str, &str, &str); 15] = [
    ("calcMethod", "", "how the values are calculated: GreatCircle or Rhumbline"),
    ("bearingTrackTrue", "rad", "bearing from the previous point to the next point, from true north"),
    ("bearingTrackMagnetic", "rad", "bearing from the previous point to the next point, from magnetic north"),
    ("crossTrackError", "m", "distance from the track between the two points; negative to the left of it"),
    ("previousPoint.distance", "m", "distance from the previous point"),
    ("distance", "m", "distance to the next point"),
    ("bearingTrue", "rad", "bearing of the next point, from true north"),
    ("bearingMagnetic", "rad", "bearing of the next point, from magnetic north"),
    ("velocityMadeGood", "m/s", "speed towards the next point"),
    ("timeToGo", "s", "time until the next point is reached at this speed"),
    ("estimatedTimeOfArrival", "", "when the next point is reached at this speed"),
    ("route.timeToGo", "s", "time until the end of the route is reached at this speed"),
    ("route.estimatedTimeOfArrival", "", "when the end of the route is reached at this speed"),
    ("route.distance", "m", "distance to the end of the route, along it"),
    ("targetSpeed", "m/s", "speed that is needed to arrive at the target arrival time"),
];

impl Line {
    /// Returns the name of the method, as `calcMethod` has it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::GreatCircle => "GreatCircle",
            Self::Rhumb => "Rhumbline",
        }
    }
}

/// Gives the values of an update.
type Fill<'f> = &'f mut dyn FnMut(&mut List<'_>);

/// Returns a delta with one update for each `$source`.
fn delta<const N: usize>(updates: [(&str, Fill<'_>); N]) -> String {
    json::object(|out| {
        out.list("updates", |list| {
            for (source, fill) in updates {
                list.object(|update| {
                    update.text("$source", source).list("values", fill);
                });
            }
        });
    })
}

fn value(list: &mut List<'_>, path: &str, value: &str) {
    list.object(|entry| {
        entry.text("path", path).json("value", value);
    });
}

fn point_json(point: Option<&Point>) -> String {
    point.map_or_else(null, |point| json::object(|out| point.write(out)))
}

fn text_json(text: Option<&str>) -> String {
    text.map_or_else(null, json::quoted)
}

fn null() -> String {
    "null".into()
}

/// Returns what a number is as JSON.
fn number_json(number: Option<f64>) -> String {
    let mut text = String::new();
    match number {
        // Writing into a String cannot fail.
        Some(number) => _ = json::write_f64(&mut text, number),
        None => text = null(),
    }
    text
}

/// Returns what has changed as the delta of version 2.
#[must_use]
pub fn v2_delta(navigation: &Navigation, changed: Changed) -> String {
    let course = navigation.course();
    let has = |part| changed == Changed::All || changed == part;
    let mut values = |list: &mut List<'_>| {
        let mut tell = |name: &str, json: &str| value(list, &format!("{COURSE}.{name}"), json);
        if changed == Changed::All {
            tell("startTime", &text_json(course.start_time.as_deref()));
        }
        if has(Changed::TargetArrivalTime) {
            tell("targetArrivalTime", &text_json(course.target_arrival_time.as_deref()));
        }
        if changed == Changed::All {
            let route = course.active_route.as_ref().map(|route| json::object(|out| route.write(out)));
            tell("activeRoute", &route.unwrap_or_else(null));
        }
        if has(Changed::ArrivalCircle) {
            tell("arrivalCircle", &number_json(Some(course.arrival_circle)));
        }
        if has(Changed::PreviousPoint) {
            tell("previousPoint", &point_json(course.previous_point.as_ref()));
        }
    };
    let mut next = |list: &mut List<'_>| {
        value(list, &format!("{COURSE}.nextPoint"), &point_json(course.next_point.as_ref()));
    };
    delta([(API_SOURCE, &mut values), (navigation.source(), &mut next)])
}

/// Returns what has changed as the delta of version 1, under the paths of both methods; `None` where those have nothing
/// of it.
#[must_use]
pub fn v1_delta(course: &Course, changed: Changed) -> Option<String> {
    let has = |part| changed == Changed::All || changed == part;
    let route = course.active_route.as_ref();
    let (next, previous) = (course.next_point.as_ref(), course.previous_point.as_ref());
    let position = |point: Option<&Point>| point.map_or_else(null, |point| point.position.json());
    let mut values = |list: &mut List<'_>| {
        let mut tell = |name: &str, json: &str| {
            for root in ROOTS {
                value(list, &format!("{root}.{name}"), json);
            }
        };
        if changed == Changed::All {
            tell("activeRoute.href", &text_json(route.map(|route| route.href.text())));
            tell("activeRoute.startTime", &text_json(course.start_time.as_deref()));
            tell("nextPoint.value.href", &text_json(next.and_then(|point| point.href.as_deref())));
            tell("nextPoint.value.type", &text_json(next.map(|point| &*point.kind)));
            tell("nextPoint.position", &position(next));
        }
        if has(Changed::ArrivalCircle) {
            tell("nextPoint.arrivalCircle", &number_json(Some(course.arrival_circle)));
        }
        if has(Changed::PreviousPoint) {
            tell("previousPoint.position", &position(previous));
            tell("previousPoint.value.type", &text_json(previous.map(|point| &*point.kind)));
        }
    };
    (changed != Changed::TargetArrivalTime).then(|| delta([(API_SOURCE, &mut values)]))
}

fn to_go_json(arrival: Option<Arrival>) -> String {
    // Milliseconds, in seconds.
    arrival.map_or_else(null, |arrival| json::Decimal::new(arrival.to_go_ms, -3).text().as_str().into())
}

fn time_json(arrival: Option<Arrival>) -> String {
    text_json(arrival.and_then(|arrival| arrival.at).map(UnixMillis::text).as_deref())
}

impl Derived {
    /// Visits name and JSON of each value in the order of [`META`].
    fn visit(of: Option<&Self>, line: Line, tell: &mut dyn FnMut(&str, &str)) {
        let number = |of_derived: fn(&Self) -> Option<f64>| number_json(of.and_then(of_derived));
        let arrival = of.and_then(|derived| derived.arrival);
        let route = of.and_then(|derived| derived.route);
        let route_arrival = route.and_then(|(_, arrival)| arrival);
        tell("calcMethod", &json::quoted(line.name()));
        tell("bearingTrackTrue", &number(|derived| Some(derived.bearing_track)));
        tell("bearingTrackMagnetic", &number(|derived| derived.magnetic(derived.bearing_track)));
        tell("crossTrackError", &number(|derived| Some(derived.cross_track)));
        tell("previousPoint.distance", &number(|derived| Some(derived.previous_distance)));
        tell("distance", &number(|derived| Some(derived.distance)));
        tell("bearingTrue", &number(|derived| Some(derived.bearing)));
        tell("bearingMagnetic", &number(|derived| derived.magnetic(derived.bearing)));
        tell("velocityMadeGood", &number(|derived| derived.velocity));
        tell("timeToGo", &to_go_json(arrival));
        tell("estimatedTimeOfArrival", &time_json(arrival));
        tell("route.timeToGo", &to_go_json(route_arrival));
        tell("route.estimatedTimeOfArrival", &time_json(route_arrival));
        tell("route.distance", &number_json(route.map(|(distance, _)| distance)));
        tell("targetSpeed", &number(|derived| derived.target_speed));
    }

    /// Returns what `GET …/course/calcValues` answers.
    #[must_use]
    pub fn json(&self) -> String {
        json::object(|out| {
            let mut route = String::from("{}");
            let mut members = |name: &str, value: &str| match name.split_once('.') {
                None => _ = out.json(name, value),
                Some(("route", name)) => route = json::with_member(&route, name, value),
                Some((object, name)) => {
                    let fill = |inner: &mut Object<'_>| _ = inner.json(name, value);
                    out.object(object, fill);
                }
            };
            Self::visit(Some(self), self.line, &mut members);
            out.json("route", &route);
        })
    }
}

/// Returns what follows from a course as the delta of version 2; without anything every value is `null`.
#[must_use]
pub fn derived_delta(derived: Option<&Derived>, line: Line) -> String {
    let mut values = |list: &mut List<'_>| {
        Derived::visit(derived, line, &mut |name, json| value(list, &format!("{DERIVED}.{name}"), json));
        let velocity = number_json(derived.and_then(|derived| derived.velocity));
        value(list, "performance.velocityMadeGoodToWaypoint", &velocity);
    };
    delta([(PROVIDER_SOURCE, &mut values)])
}

/// Returns the same as the delta of version 1, under the paths of the method.
#[must_use]
pub fn derived_v1_delta(derived: Option<&Derived>, line: Line) -> String {
    let root = format!("navigation.course{}", line.name());
    let mut values = |list: &mut List<'_>| {
        Derived::visit(derived, line, &mut |name, json| match name {
            "bearingTrackTrue" | "bearingTrackMagnetic" | "crossTrackError" | "previousPoint.distance" => {
                value(list, &format!("{root}.{name}"), json);
            }
            "distance"
            | "bearingTrue"
            | "bearingMagnetic"
            | "velocityMadeGood"
            | "timeToGo"
            | "estimatedTimeOfArrival" => value(list, &format!("{root}.nextPoint.{name}"), json),
            _ => {}
        });
    };
    delta([(PROVIDER_SOURCE, &mut values)])
}

/// Returns unit and meaning of a value that follows from a course; the unit is empty where it has none.
#[must_use]
pub fn meta(path: &str) -> Option<(&'static str, &'static str)> {
    let name = path.strip_prefix(DERIVED)?.strip_prefix('.')?;
    META.iter().find(|(known, ..)| *known == name).map(|(_, units, description)| (*units, *description))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::course::{Facts, Motion, Order, Position};
    use crate::delta::{Delta, Stamp};
    use std::vec::Vec;

    const ROUTE: &str = r#"{"name":"Round","feature":{"geometry":{"coordinates":[[10,54.1],[10,54.2]]}}}"#;

    fn sailing() -> Navigation {
        let mut navigation = Navigation::default();
        let vessel = Position::new(54.0, 10.0, None);
        let facts = Facts { vessel, now: Some("2026-11-30T08:00:00.000Z"), resource: Some(ROUTE) };
        let order = Order::active_route(r#"{"href":"/resources/routes/r","arrivalCircle":0.1}"#).unwrap();
        navigation.obey(&order, &facts).unwrap();
        navigation
    }

    fn rows(text: &str) -> Vec<(String, String, String)> {
        let stamp = Stamp { source_ref: "", self_context: "vessels.x", now: UnixMillis::UNKNOWN };
        let delta = Delta::parse(text, &stamp).unwrap();
        let of_update = |update: crate::delta::UpdateRef<'_>| -> Vec<(String, String, String)> {
            update.values().map(|(path, value)| (update.source_ref().into(), path.into(), value.into())).collect()
        };
        delta.updates().flat_map(of_update).collect()
    }

    #[test]
    fn all_of_a_course_is_told_in_both_versions() {
        let v2 = rows(&v2_delta(&sailing(), Changed::All));
        let route = r#"{"href":"/resources/routes/r","name":"Round","reverse":false,"pointIndex":0,"pointTotal":2}"#;
        let previous = r#"{"position":{"latitude":54,"longitude":10},"type":"VesselPosition","name":"VP"}"#;
        let next = r#"{"position":{"latitude":54.1,"longitude":10},"type":"RoutePoint","name":""}"#;
        let wanted = [
            ("startTime", "\"2026-11-30T08:00:00.000Z\""),
            ("targetArrivalTime", "null"),
            ("activeRoute", route),
            ("arrivalCircle", "0.1"),
            ("previousPoint", previous),
            ("nextPoint", next),
        ];
        let wanted = wanted.map(|(name, value)| (API_SOURCE.into(), format!("{COURSE}.{name}"), String::from(value)));
        assert_eq!(v2, wanted);
        let v1 = rows(&v1_delta(sailing().course(), Changed::All).unwrap());
        assert_eq!(v1.len(), 16, "eight paths of both methods");
        assert!(v1.iter().any(|(_, path, value)| path == "navigation.courseRhumbline.nextPoint.position"
            && value == r#"{"latitude":54.1,"longitude":10}"#));
    }

    #[test]
    fn a_part_is_told_alone() {
        for (changed, v2_count, v1_count) in [
            (Changed::ArrivalCircle, 2, Some(2)),
            (Changed::PreviousPoint, 2, Some(4)),
            (Changed::TargetArrivalTime, 2, None),
        ] {
            assert_eq!(rows(&v2_delta(&sailing(), changed)).len(), v2_count, "{changed:?}");
            assert_eq!(v1_delta(sailing().course(), changed).map(|text| rows(&text).len()), v1_count, "{changed:?}");
        }
    }

    #[test]
    fn what_follows_is_told_and_taken_back_value_by_value() {
        let position = Position::new(54.05, 10.0, None).unwrap();
        let motion =
            Motion { position, course_true: Some(0.0), speed: Some(5.0), variation: Some(0.05), now: UnixMillis(0) };
        let derived = Derived::of(sailing().course(), &motion, Line::GreatCircle).unwrap();
        let told = rows(&derived_delta(Some(&derived), Line::GreatCircle));
        let taken_back = rows(&derived_delta(None, Line::GreatCircle));
        assert_eq!((told.len(), taken_back.len()), (META.len() + 1, META.len() + 1));
        for ((source, path, value), (_, same, nothing)) in told.iter().zip(&taken_back) {
            assert_eq!((source.as_str(), path), (PROVIDER_SOURCE, same));
            let is_method = path.ends_with("calcMethod");
            assert!(value != "null" || path.ends_with("targetSpeed"), "{path}");
            assert_eq!(nothing == "null", !is_method, "{path}");
            assert!(meta(path).is_some() || path.starts_with("performance"), "{path}");
        }
        let old = rows(&derived_v1_delta(Some(&derived), Line::Rhumb));
        assert_eq!(old.len(), 10);
        assert!(old.iter().any(|(_, path, _)| path == "navigation.courseRhumbline.nextPoint.timeToGo"));
        let body = derived.json();
        let route = json::member(&body, "route").unwrap();
        assert!(json::member(route, "distance").and_then(json::number).is_some_and(|metres| metres > 16_000.0));
        let previous = json::member(&body, "previousPoint").unwrap();
        assert!(json::member(previous, "distance").and_then(json::number).is_some());
        assert_eq!(json::member(&body, "calcMethod"), Some("\"GreatCircle\""));
    }
}
