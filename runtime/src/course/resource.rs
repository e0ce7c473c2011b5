//! What a course is made of: routes and waypoints, resources of Signal K that are named by an `href`.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::{CourseError, Position};
use crate::json::{self, JsonError};

/// Points of a route that is sailed; the longest public routes have a few hundred.
pub const ROUTE_POINTS_MAX: usize = 4096;
/// Bytes of a name or type that are kept; what is longer is cut off.
const NAME_BYTES_MAX: usize = 256;
/// Bytes of an `href`; one with a UUID has 56.
const HREF_BYTES_MAX: usize = 256;

/// The name of a resource, `/resources/<kind>/<id>`; what stands before that is kept and does not count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Href(String);

impl Href {
    /// Takes the name of a resource of this kind; `None` for any other text.
    #[must_use]
    pub fn parse(text: &str, kind: &str) -> Option<Self> {
        let href = Self(text.into());
        let is_plain = text.len() <= HREF_BYTES_MAX && crate::delta::is_plain(text) && !href.id().is_empty();
        (is_plain && href.parts() == Some(("resources", kind))).then_some(href)
    }

    /// Returns the whole text.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.0
    }

    /// Returns the type, `routes` or `waypoints`.
    #[must_use]
    pub fn kind(&self) -> &str {
        self.parts().map_or("", |(_, kind)| kind)
    }

    /// Returns the resource's id.
    #[must_use]
    pub fn id(&self) -> &str {
        self.0.rsplit('/').next().unwrap_or_default()
    }

    /// Returns the path under which its changes are told: `resources.routes.<id>`.
    #[must_use]
    pub fn path(&self) -> String {
        format!("resources.{}.{}", self.kind(), self.id())
    }

    fn parts(&self) -> Option<(&str, &str)> {
        let mut parts = self.0.rsplit('/').skip(1);
        let kind = parts.next()?;
        Some((parts.next()?, kind))
    }
}

/// A route, GeoJSON in `feature`.
#[derive(Clone, Debug, PartialEq)]
pub struct Route {
    /// Its name.
    pub name: Option<String>,
    points: Vec<Position>,
    /// Names of its points, where it has a list of them.
    names: Option<Vec<Option<String>>>,
}

/// A waypoint.
#[derive(Clone, Debug, PartialEq)]
pub struct Waypoint {
    /// Where it is.
    pub position: Position,
    /// Its type, `Waypoint` where it has none.
    pub kind: String,
    /// Its name, `WP1` where it has none.
    pub name: String,
}

impl Route {
    /// Reads a route of one point or more.
    ///
    /// # Errors
    /// [`CourseError::RouteCoordinates`], [`CourseError::RouteTooLong`].
    pub fn read(text: &str) -> Result<Self, CourseError> {
        let mut points = Vec::new();
        json::items::<CourseError>(coordinates(text).unwrap_or_default(), |item| {
            if points.len() == ROUTE_POINTS_MAX {
                return Err(CourseError::RouteTooLong);
            }
            points.push(Position::read_coordinates(item).ok_or(CourseError::RouteCoordinates)?);
            Ok(())
        })?;
        if points.is_empty() {
            return Err(CourseError::RouteCoordinates);
        }
        let meta = json::member(text, "feature")
            .and_then(|feature| json::member(feature, "properties"))
            .and_then(|properties| json::member(properties, "coordinatesMeta"));
        Ok(Self { name: name(text), points, names: meta.and_then(names) })
    }

    /// Returns its points in the order in which they are sailed.
    #[must_use]
    pub fn sailed(&self, reverse: bool) -> Vec<Position> {
        let mut points = self.points.clone();
        if reverse {
            points.reverse();
        }
        points
    }

    /// Returns how many points it has.
    #[must_use]
    pub fn len(&self) -> usize {
        self.points.len()
    }

    /// Tells whether it has no points; one that was read has.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.points.is_empty()
    }

    /// Returns the point with this number in the order in which they are sailed.
    #[must_use]
    pub fn point(&self, index: usize, reverse: bool) -> Option<Position> {
        self.points.get(place(index, self.points.len(), reverse)?).copied()
    }

    /// Returns the name of that point: `WP1` and so on where it has none, nothing where the route names no points.
    #[must_use]
    pub fn point_name(&self, index: usize, reverse: bool) -> String {
        let Some(names) = &self.names else { return String::new() };
        let name = place(index, names.len(), reverse).and_then(|place| names.get(place)?.clone());
        name.unwrap_or_else(|| format!("WP{}", index.saturating_add(1)))
    }

    /// Returns the number of the last point at this position, in the order in which they are sailed.
    #[must_use]
    pub fn find(&self, position: &Position, reverse: bool) -> Option<usize> {
        let found = self.points.iter().rposition(|point| point.is_at(position))?;
        place(found, self.points.len(), reverse)
    }
}

impl Waypoint {
    /// Reads a waypoint.
    ///
    /// # Errors
    /// [`CourseError::WaypointCoordinates`].
    pub fn read(text: &str) -> Result<Self, CourseError> {
        let position = coordinates(text).and_then(Position::read_coordinates);
        let kind = json::member(text, "type").and_then(json::string).map(|kind| cut(&kind));
        Ok(Self {
            position: position.ok_or(CourseError::WaypointCoordinates)?,
            kind: kind.unwrap_or_else(|| "Waypoint".into()),
            name: name(text).unwrap_or_else(|| "WP1".into()),
        })
    }
}

/// Returns the place in a list of `len` items that is sailed as number `index`.
fn place(index: usize, len: usize, reverse: bool) -> Option<usize> {
    if reverse { len.checked_sub(1)?.checked_sub(index) } else { Some(index) }
}

fn coordinates(resource: &str) -> Option<&str> {
    json::member(json::member(json::member(resource, "feature")?, "geometry")?, "coordinates")
}

fn name(resource: &str) -> Option<String> {
    json::member(resource, "name").and_then(json::string).map(|name| cut(&name))
}

fn names(meta: &str) -> Option<Vec<Option<String>>> {
    let mut found = Vec::new();
    json::items::<JsonError>(meta, |item| {
        // Names beyond the last point name nothing.
        if found.len() < ROUTE_POINTS_MAX {
            found.push(name(item));
        }
        Ok(())
    })
    .ok()?;
    Some(found)
}

/// Returns as much of a text as is kept.
pub(super) fn cut(text: &str) -> String {
    text.get(..text.floor_char_boundary(NAME_BYTES_MAX)).unwrap_or_default().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROUTE: &str = r#"{"name":"Round","feature":{"type":"Feature","geometry":{"type":"LineString",
        "coordinates":[[10,54],[10.5,54.5,3],[11,55]]},"properties":{"coordinatesMeta":[{"name":"Kiel"},{"href":"x"}]}}}"#;

    #[test]
    fn a_route_is_sailed_both_ways() {
        let route = Route::read(&json::compact(ROUTE).unwrap()).unwrap();
        assert_eq!((route.name.as_deref(), route.len()), (Some("Round"), 3));
        let at = |index, reverse| route.point(index, reverse).map(|point| point.json());
        assert_eq!(at(1, false).as_deref(), Some(r#"{"latitude":54.5,"longitude":10.5,"altitude":3}"#));
        assert_eq!(at(0, true).as_deref(), Some(r#"{"latitude":55,"longitude":11}"#));
        assert_eq!((at(3, false), at(3, true)), (None, None));
        assert_eq!([0, 1, 2].map(|index| route.point_name(index, false)), ["Kiel", "WP2", "WP3"]);
        let last = route.point(2, false).unwrap();
        assert_eq!((route.find(&last, false), route.find(&last, true)), (Some(2), Some(0)));
    }

    #[test]
    fn what_is_no_route_or_too_long_is_refused() {
        let of = |coordinates: &str| format!(r#"{{"feature":{{"geometry":{{"coordinates":{coordinates}}}}}}}"#);
        for bad in ["{}", "null", &of("[]"), &of("[[1]]"), &of("[1,2]"), &of("{}"), &of("[[0,95]]")] {
            assert_eq!(Route::read(bad), Err(CourseError::RouteCoordinates), "{bad}");
        }
        let many = |count| of(&format!("[{}]", vec!["[1,2]"; count].join(",")));
        assert_eq!(Route::read(&many(ROUTE_POINTS_MAX)).unwrap().len(), ROUTE_POINTS_MAX);
        assert_eq!(Route::read(&many(ROUTE_POINTS_MAX + 1)), Err(CourseError::RouteTooLong));
        assert_eq!(Waypoint::read(&of("[[1,2]]")), Err(CourseError::WaypointCoordinates));
        let point = Waypoint::read(&of("[1,2]")).unwrap();
        assert_eq!((point.kind.as_str(), point.name.as_str()), ("Waypoint", "WP1"));
    }

    #[test]
    fn an_href_names_a_resource_of_a_kind() {
        let href = Href::parse("/resources/routes/a-b", "routes").unwrap();
        assert_eq!((href.kind(), href.id(), href.path().as_str()), ("routes", "a-b", "resources.routes.a-b"));
        assert!(Href::parse("/signalk/v2/api/resources/routes/a", "routes").is_some());
        for bad in [
            "",
            "a",
            "routes/a",
            "/resources/waypoints/a",
            "/resources/routes/",
            "/resources/routes/a\"",
            "/a/routes/b",
        ] {
            assert_eq!(Href::parse(bad, "routes"), None, "{bad}");
        }
        assert_eq!(Href::parse(&format!("/resources/routes/{}", "a".repeat(HREF_BYTES_MAX)), "routes"), None);
    }
}
