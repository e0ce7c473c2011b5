//! The contexts that a subscription is for: names with wildcards, or everything near a place.

use super::client::ClientError;
use crate::json;
use crate::model::Model;
use crate::paths::Pattern;

/// Mean radius of the earth, metres (IUGG).
const EARTH_RADIUS_M: f64 = 6_371_008.8;

/// Contexts of a subscription.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Contexts {
    /// Those whose name matches.
    Named(Pattern),
    /// Those whose position is known and inside a circle (Signal K 1.7, subscription protocol: `{radius,position}`).
    Near {
        /// Degrees, north positive.
        latitude: f64,
        /// Degrees, east positive.
        longitude: f64,
        /// Metres.
        radius: f64,
    },
}

impl Contexts {
    /// Reads the member `context` of a message, JSON; none or an empty text stands for every context.
    pub(super) fn parse(raw: Option<&str>, self_context: &str) -> Result<Self, ClientError> {
        let Some(raw) = raw.filter(|raw| *raw != "null") else { return Self::named("*") };
        let Some(text) = json::string(raw) else { return Self::near(raw).ok_or(ClientError::Context) };
        Self::named(match &*text {
            "" => "*",
            "self" | "vessels.self" => self_context,
            other => other,
        })
    }

    fn named(text: &str) -> Result<Self, ClientError> {
        Pattern::parse(text).map(Self::Named).map_err(ClientError::Pattern)
    }

    fn near(raw: &str) -> Option<Self> {
        let place = json::member(raw, "position")?;
        let number = |of: &str, name: &str| json::member(of, name).and_then(json::number);
        let (latitude, longitude) = (number(place, "latitude")?, number(place, "longitude")?);
        let radius = number(raw, "radius").filter(|radius| *radius >= 0.0)?;
        (latitude.abs() <= 90.0 && longitude.abs() <= 360.0).then_some(Self::Near { latitude, longitude, radius })
    }

    /// Tells whether every context is meant.
    pub(super) fn is_all(&self) -> bool {
        matches!(self, Self::Named(pattern) if pattern.as_str() == "*")
    }

    /// Tells whether a context is meant, by where `model` knows it to be.
    pub(super) fn matches(&self, context: &str, model: &Model) -> bool {
        match *self {
            Self::Named(ref pattern) => pattern.matches(context),
            Self::Near { latitude, longitude, radius } => {
                model.position_of(context).is_some_and(|place| is_within((latitude, longitude), place, radius))
            }
        }
    }

    /// Tells whether a context can be meant, wherever it is.
    pub(super) fn can_match(&self, context: &str) -> bool {
        match self {
            Self::Named(pattern) => pattern.matches(context),
            Self::Near { .. } => true,
        }
    }
}

/// Tells whether two places, latitude and longitude in degrees, lie within `radius` metres along a great circle of the
/// sphere (haversine).
fn is_within(a: (f64, f64), b: (f64, f64), radius: f64) -> bool {
    let square = |sine: f64| sine * sine;
    let cosine = |latitude: f64| sine(90.0 - latitude.abs());
    let turn = |degrees: f64| if degrees.abs() > 180.0 { 360.0 - degrees.abs() } else { degrees.abs() };
    let apart =
        square(sine((b.0 - a.0).abs() / 2.0)) + cosine(a.0) * cosine(b.0) * square(sine(turn(turn(b.1 - a.1)) / 2.0));
    let half_angle = (radius / (2.0 * EARTH_RADIUS_M)).to_degrees();
    half_angle >= 90.0 || apart <= square(sine(half_angle))
}

/// The sine of 0 to 90 degrees, to eleven places: the first terms of its series. A chip has no room for a whole library.
fn sine(degrees: f64) -> f64 {
    let x = degrees.to_radians();
    let square = -(x * x);
    let (mut term, mut sum) = (x, x);
    for step in [2.0 * 3.0, 4.0 * 5.0, 6.0 * 7.0, 8.0 * 9.0, 10.0 * 11.0, 12.0 * 13.0, 14.0 * 15.0, 16.0 * 17.0] {
        term *= square / step;
        sum += term;
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(raw: &str) -> Result<Contexts, ClientError> {
        Contexts::parse(Some(raw), "vessels.me")
    }

    #[test]
    fn names_are_patterns_and_none_is_all() {
        let of = |raw| match parse(raw) {
            Ok(Contexts::Named(pattern)) => pattern.as_str().into(),
            other => std::format!("{other:?}"),
        };
        assert_eq!([of("\"\""), of("null"), of("\"vessels.*\"")], ["*", "*", "vessels.*"]);
        assert_eq!([of("\"self\""), of("\"vessels.self\"")], ["vessels.me", "vessels.me"]);
        assert!(Contexts::parse(None, "vessels.me").unwrap().is_all());
    }

    #[test]
    fn a_circle_needs_a_place_and_a_radius() {
        assert!(parse(r#"{"radius":100,"position":{"latitude":54,"longitude":11}}"#).is_ok());
        for raw in [
            "7",
            "{}",
            r#"{"radius":-1,"position":{"latitude":54,"longitude":11}}"#,
            r#"{"radius":1,"position":{"latitude":91,"longitude":11}}"#,
            r#"{"radius":1,"position":{"latitude":54}}"#,
            r#"{"position":{"latitude":54,"longitude":11}}"#,
        ] {
            assert_eq!(parse(raw), Err(ClientError::Context), "{raw}");
        }
    }

    /// Checks that two places are so many metres apart, to a metre.
    fn apart(a: (f64, f64), b: (f64, f64), metres: f64) {
        assert!(is_within(a, b, metres + 1.0) && !is_within(a, b, metres - 1.0), "{a:?} {b:?} {metres}");
        assert!(is_within(b, a, metres + 1.0) && !is_within(b, a, metres - 1.0), "{b:?} {a:?} {metres}");
    }

    #[test]
    fn distances_are_those_of_the_sphere() {
        apart((54.0, 11.0), (54.0 + 1.0 / 60.0, 11.0), 1853.25);
        apart((0.0, 179.9), (0.0, -179.9), 22_239.0);
        apart((0.0, 350.0), (0.0, -9.0), 111_195.0);
        apart((60.0, 0.0), (60.0, 180.0), 6_671_704.8);
        apart((-33.9, 151.2), (51.5, -0.1), 16_994_741.5);
        assert!(is_within((90.0, 0.0), (-90.0, 0.0), 20_015_116.0));
        assert!(is_within((1.0, 2.0), (1.0, 2.0), 0.0));
    }

    #[test]
    fn sines_are_those_of_the_library() {
        for tenth in 0..=900 {
            let degrees = f64::from(tenth) / 10.0;
            assert!((sine(degrees) - degrees.to_radians().sin()).abs() < 1e-11, "{degrees}");
        }
    }
}
