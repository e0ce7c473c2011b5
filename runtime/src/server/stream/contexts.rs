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
            Self::Near { latitude, longitude, radius } => model
                .position_of(context)
                .is_some_and(|(lat, lon)| distance((latitude, longitude), (lat, lon)) <= radius),
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

/// Metres between two places, latitude and longitude in degrees, along a great circle of the sphere (haversine).
fn distance(a: (f64, f64), b: (f64, f64)) -> f64 {
    let half_sine = |degrees: f64| {
        let sine = libm::sin(degrees.to_radians() / 2.0);
        sine * sine
    };
    let across = libm::cos(a.0.to_radians()) * libm::cos(b.0.to_radians()) * half_sine(b.1 - a.1);
    2.0 * EARTH_RADIUS_M * libm::asin(libm::sqrt((half_sine(b.0 - a.0) + across).clamp(0.0, 1.0)))
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

    #[test]
    fn distances_are_those_of_the_sphere() {
        let minute = distance((54.0, 11.0), (54.0 + 1.0 / 60.0, 11.0));
        assert!((minute - 1853.2).abs() < 0.5, "{minute}");
        let across = distance((0.0, 179.9), (0.0, -179.9));
        assert!((across - 22_239.0).abs() < 1.0, "over the date line: {across}");
        assert!((distance((90.0, 0.0), (-90.0, 0.0)) - 20_015_115.0).abs() < 10.0);
    }
}
