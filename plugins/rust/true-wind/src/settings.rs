//! The plugin's configuration.

use skiff_plugin::Json;

/// JSON Schema of the configuration; hosts apply no defaults, [`Settings::read`] does.
pub const SCHEMA: &str = concat!(
    r#"{"$schema":"http://json-schema.org/draft-07/schema#","title":"True wind","type":"object","properties":{"#,
    r#""speed":{"type":"string","title":"Boat speed","description":"water: speed through water; ground: speed over ground, for a boat without a log","#,
    r#""enum":["water","ground"],"default":"water"},"#,
    r#""maxAgeSeconds":{"type":"number","title":"Maximum age of a value in seconds","description":"Older values are not used","#,
    r#""minimum":0.1,"maximum":3600,"default":5}}}"#
);

/// Which boat speed is taken off the apparent wind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Speed {
    /// `navigation.speedThroughWater`.
    Water,
    /// `navigation.speedOverGround`, as if the boat moved along its heading.
    Ground,
}

impl Speed {
    /// Returns the path of the boat speed.
    #[must_use]
    pub fn path(self) -> &'static str {
        match self {
            Self::Water => "navigation.speedThroughWater",
            Self::Ground => "navigation.speedOverGround",
        }
    }

    /// Returns the status text while no speed is known.
    #[must_use]
    pub fn waiting(self) -> &'static str {
        match self {
            Self::Water => "waiting for navigation.speedThroughWater",
            Self::Ground => "waiting for navigation.speedOverGround",
        }
    }
}

/// What the operator set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Which boat speed is used.
    pub speed: Speed,
    /// Values that differ in time by more than this, ms, are not combined.
    pub age_max_ms: u32,
}

impl Settings {
    /// What an empty configuration means.
    pub const DEFAULT: Self = Self { speed: Speed::Water, age_max_ms: 5000 };

    /// Reads a configuration object; absent and `null` members, and an empty text, mean the default.
    ///
    /// # Errors
    /// The clause to show when a member has a value it cannot have.
    pub fn read(config: Json<'_>) -> Result<Self, &'static str> {
        let mut settings = Self::DEFAULT;
        if !config.text().is_empty() && !config.text().starts_with('{') {
            return Err("the configuration is not an object");
        }
        let set = |name| config.member(name).filter(|value| value.text() != "null");
        if let Some(speed) = set("speed") {
            settings.speed = match speed.string() {
                Some("water") => Speed::Water,
                Some("ground") => Speed::Ground,
                _ => return Err(r#"speed must be "water" or "ground""#),
            };
        }
        if let Some(age) = set("maxAgeSeconds") {
            settings.age_max_ms = match age.number() {
                Some(seconds) if (0.1..=3600.0).contains(&seconds) => (seconds * 1000.0) as u32,
                _ => return Err("maxAgeSeconds must be a number from 0.1 to 3600"),
            };
        }
        Ok(settings)
    }
}

#[cfg(test)]
mod tests {
    use super::{SCHEMA, Settings, Speed};
    use skiff_plugin::Json;

    #[test]
    fn absent_members_mean_the_defaults() {
        for text in ["", "{}", r#"{"enableDebug":false}"#, r#"{"speed":null,"maxAgeSeconds":null}"#] {
            assert_eq!(Settings::read(Json::new(text)), Ok(Settings::DEFAULT), "{text}");
        }
    }

    #[test]
    fn reads_both_members() {
        let found = Settings::read(Json::new(r#"{"maxAgeSeconds":2.5,"speed":"ground"}"#));
        assert_eq!(found, Ok(Settings { speed: Speed::Ground, age_max_ms: 2500 }));
    }

    #[test]
    fn refuses_what_cannot_be_meant() {
        for text in [
            "[]",
            "7",
            r#"{"speed":"air"}"#,
            r#"{"speed":1}"#,
            r#"{"maxAgeSeconds":0}"#,
            r#"{"maxAgeSeconds":-5}"#,
            r#"{"maxAgeSeconds":"5"}"#,
            r#"{"maxAgeSeconds":1e9}"#,
        ] {
            assert!(Settings::read(Json::new(text)).is_err(), "{text}");
        }
    }

    #[test]
    fn the_schema_names_the_defaults() {
        let properties = Json::new(SCHEMA).member("properties").unwrap();
        assert_eq!(properties.member("speed").unwrap().member("default").unwrap().string(), Some("water"));
        assert_eq!(properties.member("maxAgeSeconds").unwrap().member("default").unwrap().number(), Some(5.0));
    }
}
