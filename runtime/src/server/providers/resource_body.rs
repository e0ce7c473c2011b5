//! What a resource of the five standard types must look like (Signal K resources API, version 2).

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use crate::json;
use crate::server::url::decode_query;

/// Types with a published schema.
const STANDARD: [&str; 5] = ["routes", "waypoints", "notes", "regions", "charts"];
/// What a chart can be (Signal K Server 2.32, `ChartSchema`).
const CHART_TYPES: [&str; 6] = ["tilelayer", "tileJSON", "WMS", "WMTS", "mapstyleJSON", "S-57"];

pub(super) fn is_standard(kind: &str) -> bool {
    STANDARD.contains(&kind)
}

/// Tells whether `text` is a UUID of version 4 (RFC 9562 §5.4).
pub(super) fn is_uuid(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => byte == b'-',
            14 => byte == b'4',
            19 => matches!(byte.to_ascii_lowercase(), b'8' | b'9' | b'a' | b'b'),
            _ => byte.is_ascii_hexdigit(),
        })
}

/// Checks a resource, compact JSON; other types than the standard ones may hold anything.
///
/// # Errors
/// What is wrong with it.
pub(super) fn check(kind: &str, body: &str) -> Result<(), String> {
    let geometry = || {
        let feature = json::member(body, "feature").ok_or("feature is missing")?;
        if json::member(feature, "type").is_some_and(|kind| kind != "\"Feature\"") {
            return Err("feature.type must be Feature");
        }
        json::member(feature, "geometry").ok_or("feature.geometry is missing")
    };
    let shape = |wanted: &[&str]| {
        let geometry = geometry()?;
        let kind = json::member(geometry, "type").and_then(json::string).unwrap_or_default();
        let coordinates = json::member(geometry, "coordinates").unwrap_or_default();
        if !wanted.contains(&&*kind) {
            return Err("feature.geometry.type is not the one of this type of resource");
        }
        // A leg has two ends, and a ring comes back to where it began (RFC 7946 §3.1).
        let (depth, positions_min) = match &*kind {
            "Point" => (0, 1),
            "LineString" => (1, 2),
            "Polygon" => (2, 4),
            _ => (3, 4),
        };
        if is_position(coordinates, depth, positions_min) {
            Ok(())
        } else {
            Err("feature.geometry.coordinates are no positions, or too few")
        }
    };
    let text = |name: &str| json::member(body, name).is_none_or(|value| value.starts_with('"'));
    let checked = match kind {
        "routes" => shape(&["LineString"]),
        "waypoints" => shape(&["Point"]),
        "regions" => shape(&["Polygon", "MultiPolygon"]),
        "notes" => {
            let position = json::member(body, "position").is_none_or(|position| {
                [("latitude", 90.0), ("longitude", 180.0)].iter().all(|(name, max)| {
                    json::member(position, name).and_then(json::number).is_some_and(|degrees| degrees.abs() <= *max)
                })
            });
            let href =
                json::member(body, "href").is_none_or(|href| json::string(href).is_some_and(|href| is_href(&href)));
            match (position, href) {
                (false, _) => Err("position must have a latitude and a longitude, in degrees"),
                (_, false) => Err("href must be /resources/<type>/<id>, the id a UUID"),
                _ => Ok(()),
            }
        }
        "charts" => {
            let kind = json::member(body, "type").and_then(json::string).unwrap_or_default();
            if !CHART_TYPES.contains(&&*kind) {
                Err("type must be tilelayer, tileJSON, WMS, WMTS, mapstyleJSON or S-57")
            } else if text("identifier") {
                Ok(())
            } else {
                Err("identifier must be a text")
            }
        }
        _ => return Ok(()),
    };
    checked.map_err(String::from)?;
    match ["name", "description", "title"].iter().find(|name| !text(name)) {
        Some(name) => Err(format!("{name} must be a text")),
        None => Ok(()),
    }
}

/// Tells whether `href` leads to a resource with a UUID.
fn is_href(href: &str) -> bool {
    let target = href.strip_prefix("/resources/").and_then(|target| target.split_once('/'));
    target
        .is_some_and(|(kind, id)| kind.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') && is_uuid(id))
}

/// Tells whether `text` is a position (`depth` 0), or lists of positions nested so deep, the innermost of at least
/// `positions_min`.
fn is_position(text: &str, depth: u8, positions_min: usize) -> bool {
    let (mut count, mut sound) = (0_usize, true);
    let read = json::items::<json::JsonError>(text, |item| {
        count = count.saturating_add(1);
        sound &= match depth.checked_sub(1) {
            None => json::number(item).is_some(),
            Some(below) => is_position(item, below, positions_min),
        };
        Ok(())
    });
    let enough = match depth {
        0 => (2..=3).contains(&count),
        1 => count >= positions_min,
        _ => count > 0,
    };
    read.is_ok() && sound && enough
}

/// Checks the parameters that all standard types know: `limit`, `distance`, `position`, `bbox`, `zoom`.
///
/// # Errors
/// What is wrong with them.
pub(super) fn check_query(kind: &str, query: &str) -> Result<(), String> {
    if !is_standard(kind) {
        return Ok(());
    }
    for pair in query.split('&') {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let value = decode_query(value).unwrap_or_default();
        let numbers = |wanted: usize| {
            let inside = value.trim().trim_start_matches('[').trim_end_matches(']');
            let numbers: Option<Vec<f64>> = inside.split(',').map(|part| json::number(part.trim())).collect();
            numbers.is_some_and(|numbers| numbers.len() == wanted)
        };
        let (sound, wanted) = match name {
            "limit" => (value.parse::<u32>().is_ok_and(|limit| limit > 0), "a whole number above 0"),
            "distance" | "zoom" => (json::number(&value).is_some_and(|number| number >= 0.0), "a number of at least 0"),
            "position" => (numbers(2), "[longitude,latitude]"),
            "bbox" => (numbers(4), "[west,south,east,north]"),
            _ => continue,
        };
        if !sound {
            return Err(format!("{name} must be {wanted}"));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn feature(kind: &str, coordinates: &str) -> String {
        format!(
            r#"{{"name":"x","feature":{{"type":"Feature","geometry":{{"type":"{kind}","coordinates":{coordinates}}}}}}}"#
        )
    }

    #[test]
    fn geometries_belong_to_their_types() {
        for (kind, shape, coordinates) in [
            ("waypoints", "Point", "[10.1,54.2]"),
            ("routes", "LineString", "[[10,54],[10.5,54,0]]"),
            ("regions", "Polygon", "[[[1,2],[3,4],[5,6],[1,2]]]"),
            ("regions", "MultiPolygon", "[[[[1,2],[3,4],[5,6],[1,2]]]]"),
        ] {
            assert_eq!(check(kind, &feature(shape, coordinates)), Ok(()), "{kind}");
        }
        for (kind, shape, coordinates) in [
            ("waypoints", "LineString", "[[10,54]]"),
            ("waypoints", "Point", "[10]"),
            ("routes", "LineString", "[]"),
            ("routes", "LineString", "[[10,54]]"),
            ("regions", "Polygon", "[[[1,2],[3,4],[1,2]]]"),
            ("routes", "LineString", "[[10,\"x\"]]"),
            ("regions", "Polygon", "[[1,2]]"),
        ] {
            assert!(check(kind, &feature(shape, coordinates)).is_err(), "{kind} {coordinates}");
        }
        assert!(check("routes", r#"{"name":"x"}"#).is_err());
        assert_eq!(check("fishing", r#"{"any":"thing"}"#), Ok(()));
        assert!(check("charts", "{}").is_err() && check("notes", r#"{"title":7}"#).is_err());
        let note = |members: &str| check("notes", &format!(r#"{{"title":"a",{members}}}"#)).is_ok();
        assert!(
            note(r#""position":{"latitude":1,"longitude":2}"#) && !note(r#""position":{"latitude":91,"longitude":2}"#)
        );
        let region = r#""href":"/resources/regions/ac3a3b2d-07e8-4f25-92bc-98e7c92f7f1a""#;
        assert!(note(region) && !note(r#""href":"https://example.org""#) && !note(r#""href":7"#));
        assert_eq!(check("charts", r#"{"type":"WMS"}"#), Ok(()));
        assert_eq!(check("waypoints", r#"{"feature":{"geometry":{"type":"Point","coordinates":[1,2]}}}"#), Ok(()));
    }

    #[test]
    fn queries_are_checked_for_standard_types_only() {
        assert_eq!(check_query("routes", "limit=5&bbox=[1,2,3,4]&position=%5B10,54%5D&distance=1000&x=y"), Ok(()));
        for bad in ["limit=0", "limit=x", "bbox=1,2,3", "position=[a,b]", "distance=-1"] {
            assert!(check_query("routes", bad).is_err(), "{bad}");
            assert_eq!(check_query("things", bad), Ok(()));
        }
    }
}
