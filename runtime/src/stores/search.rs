//! What a listing of resources is asked for: `limit`, `bbox`, `position` and `distance`, `href`, `group`.
//!
//! Shapes are laid on a plane around the middle of what is asked for, longitudes counted from there, so that the antimeridian
//! is no edge:
//!
//! ```text
//!        +-----------+      a route is found when a leg crosses the box or comes near enough, not only when one of
//!   o----|---        |      its points does; a region also when it holds the middle.
//!        |     +-----|--o
//!        +-----------+
//! ```

use alloc::string::String;
use alloc::vec::Vec;

use crate::json::{self, JsonError};

/// Radius of the Earth that Signal K Server's provider reckons with, metres (WGS 84, equator).
const EARTH_RADIUS_M: f64 = 6_378_137.0;

/// What a listing is asked for.
#[derive(Clone, Debug, Default)]
pub struct Search {
    limit: Option<usize>,
    area: Option<Area>,
    circle: Option<Circle>,
    href: Option<(String, String)>,
    group: Option<String>,
}

/// A box of longitudes and latitudes.
#[derive(Clone, Copy, Debug)]
struct Area {
    middle: Position,
    half_width: f64,
    half_height: f64,
}

/// All that is less than this far from a position.
#[derive(Clone, Copy, Debug)]
struct Circle {
    middle: Position,
    radius_m: f64,
}

/// Degrees.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Position {
    longitude: f64,
    latitude: f64,
}

/// A place on the plane around a middle, in the unit of that plane.
type Point = (f64, f64);

/// The lines of a shape.
struct Shape {
    lines: Vec<Vec<Position>>,
    /// The lines are rings around what belongs to it.
    is_filled: bool,
}

impl Search {
    /// Reads the members of a query, a JSON object. Without a position `distance` is one from the boat's, latitude and
    /// longitude in degrees; where that is not known either, it leaves nothing out (Signal K Server 2.32).
    #[must_use]
    pub fn parse(query: &str, boat: Option<(f64, f64)>) -> Self {
        let member = |name: &str| json::member(query, name);
        let number = |name: &str| member(name).and_then(number);
        let text = |name: &str| member(name).and_then(json::string).filter(|text| !text.is_empty());
        let boat = boat.map(|(latitude, longitude)| Position { longitude, latitude });
        let middle = member("position").and_then(position_of_list).or(boat);
        Self {
            limit: member("limit").and_then(number_text).and_then(|text| text.parse().ok()),
            area: member("bbox").and_then(Area::parse),
            circle: middle.zip(number("distance")).map(|(middle, radius_m)| Circle { middle, radius_m }),
            href: text("href").map(|href| target(&href)),
            group: text("group").map(alloc::borrow::Cow::into_owned),
        }
    }

    /// Returns how many resources are asked for at most.
    #[must_use]
    pub fn limit(&self) -> usize {
        self.limit.unwrap_or(usize::MAX)
    }

    /// Tells whether a resource, compact JSON, is asked for.
    #[must_use]
    pub fn finds(&self, kind: &str, resource: &str) -> bool {
        let text = |name: &str| json::member(resource, name).and_then(json::string).filter(|text| !text.is_empty());
        if self.href.is_some() && text("href").map(|href| target(&href)) != self.href {
            return false;
        }
        if self.group.is_some() && text("group").as_deref() != self.group.as_deref() {
            return false;
        }
        if self.area.is_none() && self.circle.is_none() {
            return true;
        }
        let Some(shape) = Shape::of(kind, resource) else {
            // What is nowhere is in no box, and at no distance that could be too long.
            return self.area.is_none();
        };
        self.area.is_none_or(|area| area.meets(&shape)) && self.circle.is_none_or(|circle| circle.meets(&shape))
    }
}

/// Returns type and id that a link of a note leads to: `/resources/regions/<id>`, or the id of a region alone.
fn target(href: &str) -> (String, String) {
    let mut parts = href.rsplit('/');
    let id = parts.next().unwrap_or_default();
    let kind = parts.next().filter(|kind| !kind.is_empty()).unwrap_or("regions");
    (kind.into(), id.into())
}

/// Returns a number that can stand as a text, too.
fn number_text(value: &str) -> Option<String> {
    json::string(value).map(alloc::borrow::Cow::into_owned).or_else(|| Some(value.into()))
}

fn number(value: &str) -> Option<f64> {
    json::number(&number_text(value)?).filter(|number| number.is_finite())
}

/// Returns the numbers of a list, which can stand as a text with commas, too; others than `N` are `None`.
fn numbers<const N: usize>(value: &str) -> Option<[f64; N]> {
    let mut found = Vec::new();
    if let Some(text) = json::string(value) {
        for part in text.split(',').take(N.saturating_add(1)) {
            found.push(json::number(part.trim())?);
        }
    } else {
        json::items::<JsonError>(value, |item| {
            if found.len() <= N {
                found.push(number(item).ok_or(JsonError::WrongKind)?);
            }
            Ok(())
        })
        .ok()?;
    }
    found.try_into().ok()
}

/// Reads `[longitude,latitude]`.
fn position_of_list(value: &str) -> Option<Position> {
    let [longitude, latitude] = numbers(value)?;
    Some(Position { longitude, latitude })
}

/// Reads `{"latitude","longitude"}`.
fn position_of_members(value: &str) -> Option<Position> {
    let member = |name| json::member(value, name).and_then(json::number);
    Some(Position { longitude: member("longitude")?, latitude: member("latitude")? })
}

/// Returns the angle that is the same, from -180 to 180 degrees.
fn turned(degrees: f64) -> f64 {
    libm::remainder(degrees, 360.0)
}

/// Returns the angle that is the same, from 0 to 360 degrees.
fn eastward(degrees: f64) -> f64 {
    let turned = turned(degrees);
    if turned < 0.0 { turned + 360.0 } else { turned }
}

impl Area {
    /// Reads `[west,south,east,north]`; where west is more than east the box spans the antimeridian (RFC 7946 §5.2).
    fn parse(value: &str) -> Option<Self> {
        let [west, south, east, north]: [f64; 4] = numbers(value)?;
        let width = if west <= east { (east - west).min(360.0) } else { eastward(east - west) };
        let middle = Position { longitude: turned(west + width / 2.0), latitude: (south + north) / 2.0 };
        Some(Self { middle, half_width: width / 2.0, half_height: libm::fabs(north - south) / 2.0 })
    }

    fn meets(&self, shape: &Shape) -> bool {
        shape.meets(self.middle, (1.0, 1.0), |from, to| {
            // A leg can lie a turn further on.
            [-360.0, 0.0, 360.0]
                .into_iter()
                .any(|turn| crosses((from.0 + turn, from.1), (to.0 + turn, to.1), (self.half_width, self.half_height)))
        })
    }
}

impl Circle {
    fn meets(&self, shape: &Shape) -> bool {
        let is_near = |position: &Position| distance_m(self.middle, *position) < self.radius_m;
        if shape.lines.iter().flatten().any(is_near) {
            return true;
        }
        // Metres a degree; as flat as the Earth is over the length of a leg.
        let north = EARTH_RADIUS_M.to_radians();
        let east = north * libm::cos(self.middle.latitude.to_radians());
        shape.meets(self.middle, (east, north), |from, to| nearest_squared(from, to) < self.radius_m * self.radius_m)
    }
}

/// Returns the distance on the sphere, metres (haversine).
fn distance_m(one: Position, two: Position) -> f64 {
    let half = |from: f64, to: f64| libm::sin((to - from).to_radians() / 2.0);
    let (up, along) = (half(one.latitude, two.latitude), half(one.longitude, two.longitude));
    let across = libm::cos(one.latitude.to_radians()) * libm::cos(two.latitude.to_radians()) * along * along;
    2.0 * EARTH_RADIUS_M * libm::asin(libm::sqrt((up * up + across).min(1.0)))
}

impl Shape {
    /// Finds what a resource says of its place.
    fn of(kind: &str, resource: &str) -> Option<Self> {
        if kind == "notes"
            && let Some(position) = json::member(resource, "position").and_then(position_of_members)
        {
            return Some(Self { lines: alloc::vec![alloc::vec![position]], is_filled: false });
        }
        let geometry = json::member(json::member(resource, "feature")?, "geometry")?;
        let shape = json::member(geometry, "type").and_then(json::string)?;
        let coordinates = json::member(geometry, "coordinates")?;
        let lines = match &*shape {
            "Point" => alloc::vec![alloc::vec![position(coordinates)?]],
            "LineString" | "MultiPoint" => alloc::vec![line(coordinates)?],
            "Polygon" | "MultiLineString" => list_of(coordinates, line)?,
            "MultiPolygon" => list_of(coordinates, |polygon| list_of(polygon, line))?.concat(),
            _ => return None,
        };
        Some(Self { lines, is_filled: shape.ends_with("Polygon") })
    }

    /// Tells whether a leg, from and to a point of the plane around `middle` with `units` a degree, meets what is asked
    /// for, or the shape holds the middle.
    fn meets(&self, middle: Position, units: (f64, f64), leg_meets: impl Fn(Point, Point) -> bool) -> bool {
        let mut is_inside = false;
        for line in &self.lines {
            let mut before: Option<(Point, f64)> = None;
            for position in line {
                // The shorter way round from the point before.
                let longitude = before.map_or_else(
                    || turned(position.longitude - middle.longitude),
                    |(_, longitude)| longitude + turned(position.longitude - middle.longitude - longitude),
                );
                let point = (longitude * units.0, (position.latitude - middle.latitude) * units.1);
                let from = before.map_or(point, |(from, _)| from);
                if leg_meets(from, point) {
                    return true;
                }
                is_inside ^= self.is_filled && passes_east(from, point);
                before = Some((point, longitude));
            }
        }
        is_inside
    }
}

/// Reads each item of a list; `None` where one cannot be read.
fn list_of<T>(list: &str, read: impl Fn(&str) -> Option<T>) -> Option<Vec<T>> {
    let mut items = Vec::new();
    let visited = json::items(list, |item| {
        items.push(read(item).ok_or(JsonError::WrongKind)?);
        Ok::<(), JsonError>(())
    });
    visited.ok().map(|()| items)
}

/// Reads longitude and latitude of a GeoJSON position; an altitude is passed over.
fn position(coordinates: &str) -> Option<Position> {
    let [longitude, latitude, ..] = *list_of(coordinates, json::number)?.as_slice() else { return None };
    Some(Position { longitude, latitude })
}

fn line(coordinates: &str) -> Option<Vec<Position>> {
    list_of(coordinates, position)
}

/// Tells whether a leg crosses the box around the middle with these halves of width and height (Liang and Barsky).
fn crosses(from: Point, to: Point, half: Point) -> bool {
    let (mut enters, mut leaves) = (0.0_f64, 1.0_f64);
    for (start, end, half) in [(from.0, to.0, half.0), (from.1, to.1, half.1)] {
        let way = end - start;
        if way == 0.0 {
            if libm::fabs(start) > half {
                return false;
            }
            continue;
        }
        let (one, two) = ((-half - start) / way, (half - start) / way);
        enters = enters.max(one.min(two));
        leaves = leaves.min(one.max(two));
    }
    enters <= leaves
}

/// Returns the square of the distance of a leg from the middle.
fn nearest_squared(from: Point, to: Point) -> f64 {
    let (east, north) = (to.0 - from.0, to.1 - from.1);
    let length_squared = east * east + north * north;
    let along = if length_squared > 0.0 { -(from.0 * east + from.1 * north) / length_squared } else { 0.0 };
    let along = along.clamp(0.0, 1.0);
    let (nearest_east, nearest_north) = (from.0 + along * east, from.1 + along * north);
    nearest_east * nearest_east + nearest_north * nearest_north
}

/// Tells whether a leg crosses the line from the middle to the east: an odd number of such legs goes around the middle.
fn passes_east(from: Point, to: Point) -> bool {
    if (from.1 > 0.0) == (to.1 > 0.0) {
        return false;
    }
    from.0 + (to.0 - from.0) * (-from.1 / (to.1 - from.1)) > 0.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::format;

    fn found(query: &str, kind: &str, resource: &str) -> bool {
        let search = Search::parse(query, Some((54.0, 10.0)));
        search.finds(kind, &json::compact(resource).unwrap())
    }

    fn feature(shape: &str, coordinates: &str) -> String {
        format!(r#"{{"feature":{{"geometry":{{"type":"{shape}","coordinates":{coordinates}}}}}}}"#)
    }

    #[test]
    fn a_box_finds_points_legs_and_regions_around_it() {
        let query = r#"{"bbox":[10,54,11,55]}"#;
        for (shape, coordinates, is_found) in [
            ("Point", "[10.5,54.5]", true),
            ("Point", "[10.5,54.5,3]", true),
            ("Point", "[9.9,54.5]", false),
            ("LineString", "[[9,54.5],[12,54.5]]", true),
            ("LineString", "[[9,54.5],[9.9,54.5],[9.9,53]]", false),
            ("LineString", "[[9,54.9],[10.2,56]]", false),
            ("Polygon", "[[[5,50],[15,50],[15,60],[5,60],[5,50]]]", true),
            ("Polygon", "[[[5,50],[15,50],[15,60],[5,60],[5,50]],[[9,53],[12,53],[12,56],[9,56],[9,53]]]", false),
            ("MultiPolygon", "[[[[0,0],[1,0],[1,1],[0,0]]],[[[10.2,54.2],[12,54],[12,55],[10.2,54.2]]]]", true),
            ("GeometryCollection", "[]", false),
        ] {
            assert_eq!(found(query, "x", &feature(shape, coordinates)), is_found, "{shape} {coordinates}");
        }
        assert!(found(query, "notes", r#"{"position":{"latitude":54.1,"longitude":10.1}}"#));
        assert!(!found(query, "notes", r#"{"title":"nowhere"}"#));
        assert!(found(r#"{"bbox":"10,55,11,54"}"#, "x", &feature("Point", "[10.5,54.5]")), "corners the other way");
    }

    #[test]
    fn the_antimeridian_is_no_edge() {
        let query = r#"{"bbox":[170,-20,-170,-10]}"#;
        for (coordinates, is_found) in [("[179,-15]", true), ("[-175,-15]", true), ("[0,-15]", false)] {
            assert_eq!(found(query, "x", &feature("Point", coordinates)), is_found, "{coordinates}");
        }
        assert!(found(query, "x", &feature("LineString", "[[165,-15],[-165,-15]]")), "the shorter way round");
        let near = r#"{"position":[179.99,0],"distance":5000}"#;
        assert!(found(near, "x", &feature("LineString", "[[-179.99,0.1],[-179.99,-0.1]]")));
    }

    #[test]
    fn a_distance_is_one_from_the_position_or_the_boat() {
        let metres =
            |query: &str, latitude: f64| found(query, "waypoints", &feature("Point", &format!("[10,{latitude}]")));
        // A minute of latitude has 1855 m on that sphere.
        assert!(
            metres(r#"{"distance":1900}"#, 54.0 + 1.0 / 60.0) && !metres(r#"{"distance":1800}"#, 54.0 + 1.0 / 60.0)
        );
        assert!(
            metres(r#"{"distance":"1900","position":[10,20]}"#, 20.0)
                && !metres(r#"{"position":[10,20],"distance":9}"#, 54.0)
        );
        assert!(found(r#"{"distance":1000}"#, "routes", &feature("LineString", "[[9,54.001],[11,54.001]]")), "a leg");
        assert!(found(
            r#"{"distance":1000}"#,
            "regions",
            &feature("Polygon", "[[[9,53],[11,53],[11,55],[9,55],[9,53]]]")
        ));
        assert!(found(r#"{"distance":1000}"#, "notes", r#"{"title":"nowhere"}"#));
        assert!(Search::parse(r#"{"distance":1}"#, None).finds("x", &feature("Point", "[0,0]")));
    }

    #[test]
    fn links_and_groups_are_compared() {
        let note = r#"{"href":"/resources/regions/ab","group":"g"}"#;
        for (query, is_found) in [
            (r#"{"href":"/resources/regions/ab"}"#, true),
            (r#"{"href":"ab"}"#, true),
            (r#"{"href":"/resources/routes/ab"}"#, false),
            (r#"{"group":"g"}"#, true),
            (r#"{"group":"h"}"#, false),
            ("{}", true),
        ] {
            assert_eq!(found(query, "notes", note), is_found, "{query}");
        }
        assert!(!found(r#"{"href":"ab"}"#, "notes", "{}"));
        assert_eq!(Search::parse(r#"{"limit":3}"#, None).limit(), 3);
        assert_eq!(Search::parse("{}", None).limit(), usize::MAX);
    }

    proptest::proptest! {
        #[test]
        fn a_point_is_in_a_box_when_its_numbers_are(
            west in -180.0..180.0_f64, width in 0.0..90.0_f64, south in -80.0..70.0_f64, height in 0.0..10.0_f64,
            longitude in -180.0..180.0_f64, latitude in -90.0..90.0_f64,
        ) {
            let east = turned(west + width);
            let query = format!(r#"{{"bbox":[{west},{south},{east},{}]}}"#, south + height);
            let beyond = eastward(longitude - west);
            // Not where rounding decides.
            let edges = [beyond - width, beyond, latitude - south, latitude - south - height];
            proptest::prop_assume!(edges.iter().all(|edge| edge.abs() > 1e-9));
            let inside = beyond < width && latitude > south && latitude < south + height;
            proptest::prop_assert_eq!(found(&query, "x", &feature("Point", &format!("[{longitude},{latitude}]"))), inside);
        }

        #[test]
        fn never_panics(query in "\\PC{0,40}", resource in "\\PC{0,60}") {
            let _ = Search::parse(&query, None).finds("notes", &resource);
        }
    }
}
