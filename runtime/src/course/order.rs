//! What a client orders, read from the body of its request.

use alloc::string::String;

use super::{CourseError, Href, Position};
use crate::json;
use crate::time::UnixMillis;

/// Bytes of a time; ISO 8601 with nanoseconds and a zone has 35.
const TIME_BYTES_MAX: usize = 40;

/// A change of the course.
#[derive(Clone, Debug, PartialEq)]
pub enum Order {
    /// Go to a position or a waypoint.
    Destination {
        /// Where to.
        to: Target,
        /// Radius of arrival, metres, where it changes.
        arrival_circle: Option<f64>,
    },
    /// Sail a route.
    ActiveRoute {
        /// The route.
        href: Href,
        /// The point that is the first destination, as [`Index`] of the order in which points are sailed.
        index: Index,
        /// From its end to its begin.
        reverse: bool,
        /// Radius of arrival, metres, where it changes.
        arrival_circle: Option<f64>,
    },
    /// Go on with the route in another way.
    Step(Step),
    /// Begin the leg anew where the vessel is.
    Restart,
    /// Set the radius of arrival, metres.
    ArrivalCircle(f64),
    /// Set when to arrive, ISO 8601, or no time.
    TargetArrivalTime(Option<String>),
    /// Go nowhere.
    Clear,
}

/// A destination.
#[derive(Clone, Debug, PartialEq)]
pub enum Target {
    /// A position.
    Position(Position),
    /// A waypoint.
    Waypoint(Href),
}

/// The number of a point; beyond an end of the route it is that end.
pub type Index = i64;

/// A change of the way a route is sailed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// So many points on; back where it is negative.
    On(Index),
    /// To this point.
    To(Index),
    /// The other way, to this point of it; to the same point where none is said.
    Reverse(Option<Index>),
    /// As the route is stored now.
    Refresh,
}

impl Order {
    /// Reads the body of `PUT …/destination`.
    ///
    /// # Errors
    /// [`CourseError`] of what cannot be meant.
    pub fn destination(body: &str) -> Result<Self, CourseError> {
        let arrival_circle = arrival_circle(body)?;
        let to = match (json::member(body, "href"), json::member(body, "position")) {
            (Some(_), Some(_)) => return Err(CourseError::Invalid),
            (Some(href), None) => Target::Waypoint(read_href(href, "waypoints")?),
            (None, Some(position)) => Target::Position(Position::read(position).ok_or(CourseError::Position)?),
            (None, None) => return Err(CourseError::NoTarget),
        };
        Ok(Self::Destination { to, arrival_circle })
    }

    /// Reads the body of `PUT …/activeRoute`.
    ///
    /// # Errors
    /// [`CourseError`] of what cannot be meant.
    pub fn active_route(body: &str) -> Result<Self, CourseError> {
        let href = json::member(body, "href").ok_or(CourseError::NoRouteNamed)?;
        let reverse = match json::member(body, "reverse") {
            None | Some("null") => false,
            Some(flag) => json::boolean(flag).ok_or(CourseError::Invalid)?,
        };
        let index = match json::member(body, "pointIndex") {
            None | Some("null") => 0,
            Some(number) => index(number)?,
        };
        Ok(Self::ActiveRoute {
            href: read_href(href, "routes")?,
            index,
            reverse,
            arrival_circle: arrival_circle(body)?,
        })
    }

    /// Reads the body of `PUT …/activeRoute/<action>`; `None` for an action that there is not.
    ///
    /// # Errors
    /// [`CourseError::Invalid`].
    pub fn step(action: &str, body: &str) -> Option<Result<Self, CourseError>> {
        let value = json::member(body, "value");
        let step = match action {
            // No number, and 0, are one point on, as in Signal K Server 2.32.
            "nextPoint" => match value.filter(|value| json::number(value).is_some_and(|number| number != 0.0)) {
                Some(number) => index(number).map(Step::On),
                None => Ok(Step::On(1)),
            },
            "pointIndex" => value.ok_or(CourseError::Invalid).and_then(index).map(Step::To),
            "reverse" => match json::member(body, "pointIndex").filter(|value| json::number(value).is_some()) {
                Some(number) => index(number).map(|index| Step::Reverse(Some(index))),
                None => Ok(Step::Reverse(None)),
            },
            "refresh" => Ok(Step::Refresh),
            _ => return None,
        };
        Some(step.map(Self::Step))
    }

    /// Reads the body of `PUT …/arrivalCircle`.
    ///
    /// # Errors
    /// [`CourseError::Invalid`].
    pub fn arrival_circle(body: &str) -> Result<Self, CourseError> {
        json::member(body, "value").and_then(radius).map(Self::ArrivalCircle).ok_or(CourseError::Invalid)
    }

    /// Reads the body of `PUT …/targetArrivalTime`.
    ///
    /// # Errors
    /// [`CourseError::Invalid`].
    pub fn target_arrival_time(body: &str) -> Result<Self, CourseError> {
        match json::member(body, "value").ok_or(CourseError::Invalid)? {
            "null" => Ok(Self::TargetArrivalTime(None)),
            text => {
                let text = json::string(text).filter(|text| parse_time(text).is_some()).ok_or(CourseError::Invalid)?;
                Ok(Self::TargetArrivalTime(Some(text.into_owned())))
            }
        }
    }
}

/// Returns metres from 0.
pub(super) fn radius(text: &str) -> Option<f64> {
    json::number(text).filter(|radius| radius.is_finite() && *radius >= 0.0)
}

fn arrival_circle(body: &str) -> Result<Option<f64>, CourseError> {
    match json::member(body, "arrivalCircle") {
        None | Some("null") => Ok(None),
        Some(text) => radius(text).map(Some).ok_or(CourseError::Invalid),
    }
}

/// Reads a whole number; compact JSON has no point in it.
fn index(text: &str) -> Result<Index, CourseError> {
    text.parse().map_err(|_| CourseError::Invalid)
}

fn read_href(text: &str, kind: &str) -> Result<Href, CourseError> {
    json::string(text).and_then(|href| Href::parse(&href, kind)).ok_or(CourseError::Href)
}

/// Reads a time with a zone, `2026-11-30T08:00:00Z` or `…+02:00`.
pub(super) fn parse_time(text: &str) -> Option<UnixMillis> {
    if text.len() > TIME_BYTES_MAX || text.as_bytes().get(10) != Some(&b'T') {
        return None;
    }
    if text.ends_with('Z') {
        return UnixMillis::parse_iso(text);
    }
    let (local, zone) = text.split_at_checked(text.len().checked_sub(6)?)?;
    let (hours, minutes) = zone.get(1..)?.split_once(':')?;
    let part = |digits: &str, max: i64| {
        let is_plain = digits.len() == 2 && digits.bytes().all(|byte| byte.is_ascii_digit());
        digits.parse::<i64>().ok().filter(|part| is_plain && *part <= max)
    };
    let minutes = part(hours, 23)?.checked_mul(60)?.checked_add(part(minutes, 59)?)?;
    let east = match zone.as_bytes().first()? {
        b'+' => minutes,
        b'-' => minutes.checked_neg()?,
        _ => return None,
    };
    let local = UnixMillis::parse_iso(local).filter(|_| !local.ends_with('Z'))?;
    Some(UnixMillis(local.0.checked_sub(east.checked_mul(60_000)?)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_destination_is_a_position_or_a_waypoint() {
        let position = r#"{"position":{"latitude":1,"longitude":2},"arrivalCircle":50}"#;
        let to = Target::Position(Position::new(1.0, 2.0, None).unwrap());
        assert_eq!(Order::destination(position), Ok(Order::Destination { to, arrival_circle: Some(50.0) }));
        for (body, error) in [
            ("{}", CourseError::NoTarget),
            ("[]", CourseError::NoTarget),
            (r#"{"position":{"latitude":"1","longitude":2}}"#, CourseError::Position),
            (r#"{"position":{"latitude":1,"longitude":200}}"#, CourseError::Position),
            (r#"{"position":{"latitude":1,"longitude":2},"arrivalCircle":-1}"#, CourseError::Invalid),
            (r#"{"position":{"latitude":1,"longitude":2},"href":"/resources/waypoints/a"}"#, CourseError::Invalid),
            (r#"{"href":"/resources/routes/a"}"#, CourseError::Href),
            (r#"{"href":5}"#, CourseError::Href),
        ] {
            assert_eq!(Order::destination(body), Err(error), "{body}");
        }
    }

    #[test]
    fn steps_take_whole_numbers() {
        let step = |action, body| Order::step(action, body).unwrap();
        for body in ["{}", r#"{"value":0}"#, r#"{"value":"x"}"#, r#"{"value":1}"#] {
            assert_eq!(step("nextPoint", body), Ok(Order::Step(Step::On(1))), "{body}");
        }
        assert_eq!(step("nextPoint", r#"{"value":-2}"#), Ok(Order::Step(Step::On(-2))));
        assert_eq!(step("reverse", "{}"), Ok(Order::Step(Step::Reverse(None))));
        for (action, body) in
            [("nextPoint", r#"{"value":1.5}"#), ("pointIndex", "{}"), ("pointIndex", r#"{"value":"1"}"#)]
        {
            assert_eq!(step(action, body), Err(CourseError::Invalid), "{action} {body}");
        }
        assert_eq!(Order::step("sideways", "{}"), None);
    }

    #[test]
    fn times_have_a_zone() {
        let of = |text: &str| parse_time(text).map(|time| time.0);
        let noon = of("2026-11-30T12:00:00Z");
        assert!(
            noon.is_some() && of("2026-11-30T14:00:00.000+02:00") == noon && of("2026-11-30T10:30:00-01:30") == noon
        );
        for bad in [
            "",
            "2026-11-30",
            "2026-11-30T12:00:00",
            "2026-11-30 12:00:00Z",
            "2026-11-30T12:00:00+2:00",
            "soon",
            "2026-11-30T12:00:00Z+02:00",
            "2026-11-30T12:00:00+25:00",
        ] {
            assert_eq!(of(bad), None, "{bad}");
        }
        assert_eq!(Order::target_arrival_time(r#"{"value":null}"#), Ok(Order::TargetArrivalTime(None)));
        assert_eq!(Order::target_arrival_time("{}"), Err(CourseError::Invalid));
    }
}
