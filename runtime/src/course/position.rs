//! Where something is, as Signal K and GeoJSON write it.

use alloc::string::String;

use super::Place;
use crate::json::{self, JsonError, Object};

/// A position in the own numbers of who gave it, so that it is told again to the last bit.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Position {
    latitude: f64,
    longitude: f64,
    altitude: Option<f64>,
    place: Place,
}

impl Position {
    /// Takes degrees north and east, and metres above the sea; `None` beyond 90 and 180 degrees.
    #[must_use]
    pub fn new(latitude: f64, longitude: f64, altitude: Option<f64>) -> Option<Self> {
        let place = Place::of_degrees(latitude, longitude)?;
        Some(Self { latitude, longitude, altitude: altitude.filter(|altitude| altitude.is_finite()), place })
    }

    /// Returns the position at a place.
    #[must_use]
    pub fn at(place: Place) -> Self {
        let (latitude, longitude) = place.degrees();
        Self { latitude, longitude, altitude: None, place }
    }

    /// Reads `{"latitude","longitude","altitude"?}`.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        let number = |name| json::member(text, name).and_then(json::number);
        Self::new(number("latitude")?, number("longitude")?, number("altitude"))
    }

    /// Reads a position of GeoJSON (RFC 7946 §3.1.1), `[longitude,latitude,altitude?]`.
    #[must_use]
    pub fn read_coordinates(text: &str) -> Option<Self> {
        let mut numbers = heapless::Vec::<f64, 3>::new();
        json::items::<JsonError>(text, |item| {
            let number = json::number(item).ok_or(JsonError::WrongKind)?;
            // What stands behind the altitude has no meaning.
            let _ = numbers.push(number);
            Ok(())
        })
        .ok()?;
        let [longitude, latitude, rest @ ..] = numbers.as_slice() else { return None };
        Self::new(*latitude, *longitude, rest.first().copied())
    }

    /// Returns the place on the sphere.
    #[must_use]
    pub fn place(&self) -> Place {
        self.place
    }

    /// Returns `{"latitude","longitude","altitude"?}`.
    #[must_use]
    pub fn json(&self) -> String {
        json::object(|out| self.write(out))
    }

    /// Adds the members of [`json`](Self::json).
    pub(super) fn write(&self, out: &mut Object<'_>) {
        out.number("latitude", self.latitude).number("longitude", self.longitude);
        if let Some(altitude) = self.altitude {
            out.number("altitude", altitude);
        }
    }

    /// Returns `[longitude,latitude]`.
    #[must_use]
    pub fn coordinates(&self) -> String {
        json::list(|out| {
            out.number(self.longitude).number(self.latitude);
        })
    }

    /// Tells whether both have the same coordinates, whatever their altitudes.
    #[must_use]
    pub fn is_at(&self, other: &Self) -> bool {
        self.place == other.place
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_position_is_refused() {
        for text in [
            "null",
            "{}",
            r#"{"latitude":1}"#,
            r#"{"latitude":"1","longitude":2}"#,
            r#"{"latitude":90.5,"longitude":2}"#,
            r#"{"latitude":null,"longitude":null}"#,
            "[]",
        ] {
            assert_eq!(Position::read(text), None, "{text}");
        }
        for text in ["{}", "[1]", "[1,91]", "[\"1\",2]", "[181,0]"] {
            assert_eq!(Position::read_coordinates(text), None, "{text}");
        }
    }

    #[test]
    fn numbers_are_told_as_they_came() {
        let text = r#"{"latitude":54.30000000000001,"longitude":-10.1,"altitude":2.5}"#;
        assert_eq!(Position::read(text).unwrap().json(), text);
        let read = Position::read_coordinates("[-10.1,54.30000000000001,2.5,9]").unwrap();
        assert_eq!((read.json(), read.coordinates().as_str()), (text.into(), "[-10.1,54.30000000000001]"));
    }
}
