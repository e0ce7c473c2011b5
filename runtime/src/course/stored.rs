//! A course as JSON: what clients are answered, and what is kept over a restart.

use alloc::string::String;
use alloc::vec::Vec;

use super::order::{parse_time, radius};
use super::resource::cut;
use super::{ActiveRoute, Course, Href, Point, Position, ROUTE_POINTS_MAX};
use crate::json::{self, JsonError, Object};

impl Point {
    fn read(text: &str) -> Option<Self> {
        let of = |name| json::member(text, name).and_then(json::string).map(|text| cut(&text));
        Some(Self {
            position: Position::read(json::member(text, "position")?)?,
            href: of("href"),
            kind: of("type")?,
            name: of("name"),
        })
    }

    /// Adds `position`, `href`, `type` and `name`.
    pub(super) fn write(&self, out: &mut Object<'_>) {
        out.object("position", |out| self.position.write(out));
        if let Some(href) = &self.href {
            out.text("href", href);
        }
        out.text("type", &self.kind);
        if let Some(name) = &self.name {
            out.text("name", name);
        }
    }
}

impl ActiveRoute {
    fn read(text: &str, points: Vec<Position>) -> Option<Self> {
        let text_of = |name| json::member(text, name).and_then(json::string);
        let index = json::member(text, "pointIndex")?.parse::<usize>().ok().filter(|index| *index < points.len())?;
        Some(Self {
            href: Href::parse(&text_of("href")?, "routes")?,
            name: text_of("name").map(|name| cut(&name)),
            reverse: json::member(text, "reverse") == Some("true"),
            index,
            points,
        })
    }

    /// Adds `href`, `name`, `reverse`, `pointIndex` and `pointTotal`.
    pub(super) fn write(&self, out: &mut Object<'_>) {
        out.text("href", self.href.text());
        if let Some(name) = &self.name {
            out.text("name", name);
        }
        out.boolean("reverse", self.reverse).number("pointIndex", self.index).number("pointTotal", self.points.len());
    }
}

impl Course {
    /// Returns what `GET …/course` answers.
    #[must_use]
    pub fn json(&self) -> String {
        json::object(|out| {
            out.text_or_null("startTime", self.start_time.as_deref());
            out.text_or_null("targetArrivalTime", self.target_arrival_time.as_deref());
            out.number("arrivalCircle", self.arrival_circle);
            match &self.active_route {
                Some(route) => out.object("activeRoute", |out| route.write(out)),
                None => out.null("activeRoute"),
            };
            for (name, point) in [("nextPoint", &self.next_point), ("previousPoint", &self.previous_point)] {
                match point {
                    Some(point) => out.object(name, |out| point.write(out)),
                    None => out.null(name),
                };
            }
        })
    }

    /// Returns the points of the route as they are stored beside [`json`](Self::json), a list of GeoJSON positions.
    #[must_use]
    pub fn points_json(&self) -> String {
        json::list(|out| {
            for point in self.active_route.iter().flat_map(|route| &route.points) {
                out.json(&point.coordinates());
            }
        })
    }

    /// Reads what [`json`](Self::json) and [`points_json`](Self::points_json) wrote; `None` for what they did not.
    #[must_use]
    pub fn read(text: &str, points: &str) -> Option<Self> {
        let mut read = Vec::new();
        json::items::<JsonError>(points, |item| {
            let point = Position::read_coordinates(item).filter(|_| read.len() < ROUTE_POINTS_MAX);
            read.push(point.ok_or(JsonError::WrongKind)?);
            Ok(())
        })
        .ok()?;
        let there = |name: &str| json::member(text, name).filter(|value| *value != "null");
        let time = |name: &str| match there(name) {
            Some(time) => json::string(time).filter(|time| parse_time(time).is_some()).map(|time| Some(time.into())),
            None => Some(None),
        };
        let point = |name: &str| match there(name) {
            Some(point) => Point::read(point).map(Some),
            None => Some(None),
        };
        Some(Self {
            start_time: time("startTime")?,
            target_arrival_time: time("targetArrivalTime")?,
            arrival_circle: radius(there("arrivalCircle")?)?,
            active_route: match there("activeRoute") {
                Some(route) => Some(ActiveRoute::read(route, read)?),
                None => None,
            },
            next_point: point("nextPoint")?,
            previous_point: point("previousPoint")?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::course::{Facts, Order};
    use proptest::prelude::*;
    use std::format;

    #[test]
    fn what_is_stored_is_read_again() {
        for (text, points) in [
            ("{}", "[]"),
            ("[]", "[]"),
            (r#"{"arrivalCircle":-1}"#, "[]"),
            (r#"{"arrivalCircle":0,"nextPoint":{}}"#, "[]"),
            (r#"{"arrivalCircle":0}"#, "{}"),
        ] {
            assert_eq!(Course::read(text, points), None, "{text}");
        }
    }

    fn positions() -> impl Strategy<Value = Position> {
        (-90.0..=90.0, -180.0..=180.0)
            .prop_map(|(latitude, longitude)| Position::new(latitude, longitude, None).unwrap())
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_again(
            points in proptest::collection::vec(positions(), 1..6), vessel in positions(), name in "\\PC{0,12}",
            index in -2..8_i64, reverse: bool, arrival_circle in 0.0..1e6,
        ) {
            let coordinates: Vec<String> = points.iter().map(Position::coordinates).collect();
            let resource = json::object(|out| {
                out.text("name", &name).object("feature", |feature| {
                    feature.object("geometry", |geometry| {
                        geometry.json("coordinates", &format!("[{}]", coordinates.join(",")));
                    });
                });
            });
            let href = Href::parse("/resources/routes/r", "routes").unwrap();
            let order = Order::ActiveRoute { href, index, reverse, arrival_circle: Some(arrival_circle) };
            let now = Some("2026-11-30T08:00:00.000Z");
            let mut course = Course::default();
            course.obey(&order, &Facts { vessel: Some(vessel), now, resource: Some(&resource) }).unwrap();
            course.target_arrival_time = Some("2026-12-01T08:00:00+01:00".into());
            prop_assert_eq!(Course::read(&course.json(), &course.points_json()), Some(course));
        }

        #[test]
        fn never_panics(text in "\\PC{0,60}", points in "\\PC{0,20}") {
            let _ = Course::read(&text, &points);
            let _ = crate::course::Route::read(&text);
            for order in [Order::destination, Order::active_route, Order::arrival_circle, Order::target_arrival_time] {
                let _ = order(&text);
            }
            let _ = parse_time(&text);
        }
    }
}
