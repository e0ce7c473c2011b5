//! The configuration, and where an anchor lies.

use skiff_plugin::Json;

/// JSON Schema of the configuration; hosts apply no defaults, [`Settings::read`] does.
pub const SCHEMA: &str = concat!(
    r#"{"$schema":"http://json-schema.org/draft-07/schema#","title":"Anchor watch","type":"object","properties":{"#,
    r#""radius":{"type":"number","title":"Radius in m","description":"The alarm rings when the boat is farther from its anchor","minimum":5,"maximum":10000,"default":30},"#,
    r#""latitude":{"type":"number","title":"Latitude of the anchor in degrees","description":"Without it the first position after the start is the anchor's","minimum":-90,"maximum":90},"#,
    r#""longitude":{"type":"number","title":"Longitude of the anchor in degrees","minimum":-180,"maximum":180}}}"#
);

/// Degrees to radians.
const DEGREE: f64 = core::f64::consts::PI / 180.0;
/// Mean radius of the earth, m (IUGG).
const EARTH: f64 = 6_371_008.8;

/// A position, degrees.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Anchor {
    /// -90 to 90.
    pub latitude: f64,
    /// -180 to 180.
    pub longitude: f64,
}

impl Anchor {
    /// Returns a position, when it is one on earth.
    #[must_use]
    pub fn new(latitude: f64, longitude: f64) -> Option<Self> {
        let is_one = (-90.0..=90.0).contains(&latitude) && (-180.0..=180.0).contains(&longitude);
        is_one.then_some(Self { latitude, longitude })
    }

    /// Returns the metres to another position: on a plane, which is right to a millimetre within a few kilometres.
    #[must_use]
    pub fn distance(self, boat: Self) -> f64 {
        let turn = match boat.longitude - self.longitude {
            turn if turn > 180.0 => turn - 360.0,
            turn if turn < -180.0 => turn + 360.0,
            turn => turn,
        };
        let half = sine((boat.latitude + self.latitude) / 4.0 * DEGREE);
        let ahead = (boat.latitude - self.latitude) * DEGREE;
        let aside = turn * DEGREE * (1.0 - 2.0 * half * half);
        EARTH * libm::sqrt(ahead * ahead + aside * aside)
    }
}

/// Sine of an angle of at most a quarter turn either way, by its series.
fn sine(angle: f64) -> f64 {
    let square = angle * angle;
    let mut sum = 0.0;
    for step in (1..=9).rev() {
        let even = f64::from(2 * step);
        sum = (1.0 + sum) * -square / (even * (even + 1.0));
    }
    angle * (1.0 + sum)
}

/// What the operator set.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Settings {
    /// Radius of the circle, m.
    pub radius: f64,
    /// Where the anchor lies; without it the first position is the anchor's.
    pub anchor: Option<Anchor>,
}

impl Settings {
    /// What an empty configuration means.
    pub const DEFAULT: Self = Self { radius: 30.0, anchor: None };

    /// Reads a configuration object; absent and `null` members mean the default.
    ///
    /// # Errors
    /// The clause to show when a member has a value it cannot have.
    pub fn read(config: Json<'_>) -> Result<Self, &'static str> {
        let set = |name| config.member(name).filter(|value| value.text() != "null");
        let mut settings = Self::DEFAULT;
        if let Some(radius) = set("radius") {
            let radius = radius.number().filter(|radius| (5.0..=10_000.0).contains(radius));
            settings.radius = radius.ok_or("radius must be a number of m, 5 to 10000")?;
        }
        let (latitude, longitude) = (set("latitude"), set("longitude"));
        if latitude.is_some() || longitude.is_some() {
            let numbers = latitude.and_then(Json::number).zip(longitude.and_then(Json::number));
            let anchor = numbers.and_then(|(latitude, longitude)| Anchor::new(latitude, longitude));
            settings.anchor = Some(anchor.ok_or("latitude and longitude must be degrees, both or none")?);
        }
        Ok(settings)
    }
}
