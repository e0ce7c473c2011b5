//! What follows from the course at a position: distance, bearings, time to go.
//!
//! The values and what they mean are those of npm `@signalk/course-provider` 1.4.0; where they differ stands in
//! `docs/upstream-differences.md`.

use core::time::Duration;

use super::geometry::{Line, has_passed, wrapped};
use super::order::parse_time;
use super::{Course, Position};
use crate::time::UnixMillis;

/// Time to go beyond which nobody arrives, milliseconds: 100 years.
const TIME_TO_GO_MAX_MS: i64 = 100 * 365 * 86_400_000;

/// Where the vessel is, and how it moves.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Motion {
    /// Where it is.
    pub position: Position,
    /// Course over ground from true north, radians.
    pub course_true: Option<f64>,
    /// Speed over ground, m/s.
    pub speed: Option<f64>,
    /// Variation, radians; positive where the compass points east of true north.
    pub variation: Option<f64>,
    /// Now; unknown for none.
    pub now: UnixMillis,
}

/// What follows from a course.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Derived {
    /// How it was calculated.
    pub line: Line,
    /// Bearing from the begin of the leg to its end, radians from true north.
    pub bearing_track: f64,
    /// Distance from the leg, metres; positive to the right of it.
    pub cross_track: f64,
    /// Metres from the begin of the leg.
    pub previous_distance: f64,
    /// Metres to the next point.
    pub distance: f64,
    /// Bearing of the next point, radians from true north.
    pub bearing: f64,
    /// Variation, radians.
    pub variation: Option<f64>,
    /// Speed towards the next point, m/s.
    pub velocity: Option<f64>,
    /// When the next point is reached.
    pub arrival: Option<Arrival>,
    /// Metres to the end of the route, where one is sailed, and when that is reached.
    pub route: Option<(f64, Option<Arrival>)>,
    /// Speed that is needed to arrive in time, m/s.
    pub target_speed: Option<f64>,
    /// The vessel is inside of the circle of arrival.
    pub has_arrived: bool,
    /// The vessel has passed the perpendicular at the next point.
    pub has_passed: bool,
}

/// When a point is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arrival {
    /// Milliseconds from now.
    pub to_go_ms: i64,
    /// The time then; `None` where the time now is not known.
    pub at: Option<UnixMillis>,
}

impl Arrival {
    fn of(distance: f64, velocity: f64, now: UnixMillis) -> Option<Self> {
        // No negative speed, and none so small that the time is no number of seconds.
        let time = Duration::try_from_secs_f64(distance / velocity).ok()?;
        let to_go_ms = i64::try_from(time.as_millis()).ok().filter(|millis| *millis <= TIME_TO_GO_MAX_MS)?;
        let at = now.0.checked_add(to_go_ms).map(UnixMillis).filter(|_| now.is_known());
        Some(Self { to_go_ms, at })
    }
}

impl Derived {
    /// Calculates what follows from a course; `None` where it leads nowhere.
    #[must_use]
    pub fn of(course: &Course, motion: &Motion, line: Line) -> Option<Self> {
        let at = motion.position.place();
        let to = course.next_point.as_ref()?.position.place();
        let from = course.previous_point.as_ref()?.position.place();
        let (distance, bearing) = (line.distance(at, to), line.bearing(at, to));
        let velocity = motion.speed.zip(motion.course_true).map(|(speed, way)| libm::cos(bearing - way) * speed);
        let arrival = |distance| Arrival::of(distance, velocity?, motion.now);
        let route = course.active_route.as_ref().map(|route| {
            let legs = route.points.get(route.index..).unwrap_or_default().windows(2);
            let rest: f64 =
                legs.map(|leg| if let [from, to] = leg { line.distance(from.place(), to.place()) } else { 0.0 }).sum();
            distance + rest
        });
        let target_speed = || {
            let target = parse_time(course.target_arrival_time.as_deref()?)?;
            let left = target.0.checked_sub(motion.now.0).filter(|left| *left > 0 && motion.now.is_known())?;
            let left = Duration::from_millis(u64::try_from(left).ok()?);
            Some(route.unwrap_or(distance) / left.as_secs_f64())
        };
        Some(Self {
            line,
            bearing_track: line.bearing(from, to),
            cross_track: line.cross_track(at, from, to),
            previous_distance: line.distance(at, from),
            distance,
            bearing,
            variation: motion.variation,
            velocity,
            arrival: arrival(distance),
            route: route.map(|distance| (distance, arrival(distance))),
            target_speed: target_speed(),
            has_arrived: course.arrival_circle > 0.0 && Line::GreatCircle.distance(at, to) <= course.arrival_circle,
            has_passed: has_passed(at, from, to),
        })
    }

    /// Returns a bearing from magnetic north, radians; `None` where the variation is not known.
    #[must_use]
    pub fn magnetic(&self, bearing: f64) -> Option<f64> {
        Some(wrapped(bearing - self.variation?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::course::{Facts, Order};

    const NOW: UnixMillis = UnixMillis(1_796_025_600_000);

    fn motion(latitude: f64, longitude: f64) -> Motion {
        let position = Position::new(latitude, longitude, None).unwrap();
        Motion { position, course_true: Some(0.0), speed: Some(5.0), variation: Some(0.05), now: NOW }
    }

    /// A vessel at 54 north 10 east is sent north.
    fn course(order: &str, resource: Option<&str>) -> Course {
        let mut course = Course::default();
        let facts = Facts { vessel: Position::new(54.0, 10.0, None), now: None, resource };
        let order = if resource.is_some() { Order::active_route(order) } else { Order::destination(order) };
        course.obey(&order.unwrap(), &facts).unwrap();
        course
    }

    fn north() -> Course {
        course(r#"{"position":{"latitude":54.1,"longitude":10},"arrivalCircle":1000}"#, None)
    }

    fn is_near(found: f64, wanted: f64) {
        assert!((found - wanted).abs() <= 1e-6 * wanted.abs().max(1.0), "{found} is not {wanted}");
    }

    #[test]
    fn what_follows_from_a_destination() {
        let minute = 6_371_000.0 * core::f64::consts::PI / 10_800.0;
        for line in [Line::GreatCircle, Line::Rhumb] {
            let found = Derived::of(&north(), &motion(54.05, 10.0), line).unwrap();
            is_near(found.distance, 3.0 * minute);
            is_near(found.previous_distance, 3.0 * minute);
            assert!(found.cross_track.abs() < 1e-3 && found.bearing_track < 1e-9 && found.bearing < 1e-9);
            is_near(found.magnetic(found.bearing).unwrap(), core::f64::consts::TAU - 0.05);
            is_near(found.velocity.unwrap(), 5.0);
            let seconds = (3.0 * minute / 5.0 * 1000.0).floor();
            let arrival = found.arrival.unwrap();
            assert!((arrival.to_go_ms as f64 - seconds).abs() < 2.0);
            assert_eq!(arrival.at, Some(UnixMillis(NOW.0 + arrival.to_go_ms)));
            assert!(!found.has_arrived && !found.has_passed && found.route.is_none());
        }
    }

    #[test]
    fn arrival_and_the_perpendicular_are_seen() {
        let seen = |latitude, longitude| {
            let found = Derived::of(&north(), &motion(latitude, longitude), Line::GreatCircle).unwrap();
            (found.has_arrived, found.has_passed)
        };
        assert_eq!([seen(54.05, 10.0), seen(54.095, 10.0)], [(false, false), (true, false)]);
        assert_eq!([seen(54.105, 10.0), seen(54.11, 10.1)], [(true, true), (false, true)]);
        let without = Course { arrival_circle: 0.0, ..north() };
        assert!(!Derived::of(&without, &motion(54.1, 10.0), Line::GreatCircle).unwrap().has_arrived);
    }

    #[test]
    fn what_is_not_known_is_not_told() {
        let still = Motion { speed: Some(0.0), variation: None, ..motion(54.0, 10.0) };
        let found = Derived::of(&north(), &still, Line::GreatCircle).unwrap();
        assert_eq!((found.arrival, found.magnetic(1.0), found.target_speed), (None, None, None));
        let away = Motion { course_true: Some(3.0), ..motion(54.0, 10.0) };
        assert_eq!(Derived::of(&north(), &away, Line::GreatCircle).unwrap().arrival, None);
        let timeless = Motion { now: UnixMillis::UNKNOWN, ..motion(54.0, 10.0) };
        let found = Derived::of(&north(), &timeless, Line::GreatCircle).unwrap();
        assert_eq!(found.arrival.map(|arrival| arrival.at), Some(None));
        assert_eq!(Derived::of(&Course::default(), &still, Line::GreatCircle), None);
    }

    #[test]
    fn a_route_is_summed_up_in_the_order_it_is_sailed() {
        let route = r#"{"feature":{"geometry":{"coordinates":[[10,54.2],[10,54.1],[10.0,54.3]]}}}"#;
        let minutes = |body: &str| {
            let course = course(body, Some(route));
            let found = Derived::of(&course, &motion(54.0, 10.0), Line::GreatCircle).unwrap();
            (found.route.unwrap().0 / (6_371_000.0 * core::f64::consts::PI / 10_800.0)).round()
        };
        assert_eq!(minutes(r#"{"href":"/resources/routes/r"}"#), 12.0 + 6.0 + 12.0);
        assert_eq!(minutes(r#"{"href":"/resources/routes/r","pointIndex":1,"reverse":true}"#), 6.0 + 6.0);
        assert_eq!(minutes(r#"{"href":"/resources/routes/r","pointIndex":2}"#), 18.0);
    }

    #[test]
    fn the_target_speed_is_that_of_the_time_that_is_left() {
        let at = |time: &str| {
            let course = Course { target_arrival_time: Some(time.into()), ..north() };
            Derived::of(&course, &motion(54.0, 10.0), Line::GreatCircle).unwrap()
        };
        let found = at("2026-11-30T09:00:00+01:00");
        assert_eq!(UnixMillis::parse_iso("2026-11-30T08:00:00Z"), Some(NOW));
        assert_eq!(found.target_speed, None, "it is that time now");
        let found = at("2026-11-30T10:00:00Z");
        is_near(found.target_speed.unwrap() * 7200.0, found.distance);
    }
}
