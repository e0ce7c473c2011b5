//! The configuration.

use skiff_plugin::{Json, settings};

/// JSON Schema of the configuration; hosts apply no defaults, [`Settings::read`] does.
pub const SCHEMA: &str = concat!(
    r#"{"$schema":"http://json-schema.org/draft-07/schema#","title":"Shallow water alarm","type":"object","properties":{"#,
    r#""limit":{"type":"number","title":"Limit in m","description":"The alarm rings below this depth","minimum":0,"maximum":12000,"default":3},"#,
    r#""hysteresis":{"type":"number","title":"Hysteresis in m","description":"The alarm ends when the depth exceeds the limit by this","minimum":0,"maximum":1000,"default":0.5},"#,
    r#""path":{"type":"string","title":"Path of the depth","default":"environment.depth.belowTransducer"}}}"#
);

/// No sea is deeper, m.
pub const DEPTH_MAX: f64 = 12_000.0;
/// The depth that is listened to unless another is configured.
pub const DEFAULT_PATH: &str = "environment.depth.belowTransducer";
/// Longest path: `notifications.` fits in front of it.
pub const PATH_BYTES_MAX: u16 = 239;

/// What the operator set, but for the path.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Settings {
    /// The alarm rings below this depth, m.
    pub limit: f64,
    /// It ends when the depth exceeds the limit by this, m.
    pub hysteresis: f64,
}

impl Settings {
    /// What an empty configuration means.
    pub const DEFAULT: Self = Self { limit: 3.0, hysteresis: 0.5 };

    /// Reads a configuration object: settings, and the path of the depth. Absent and `null` members mean the default.
    ///
    /// # Errors
    /// The clause to show when a member has a value it cannot have.
    pub fn read(config: Json<'_>) -> Result<(Self, &str), &'static str> {
        let number = |name, default: f64, most: f64| match settings::member(config, name) {
            Some(value) => value.number().filter(|value| (0.0..=most).contains(value)),
            None => Some(default),
        };
        let limit = number("limit", Self::DEFAULT.limit, DEPTH_MAX).ok_or("limit must be a depth in m, 0 to 12000")?;
        let hysteresis = number("hysteresis", Self::DEFAULT.hysteresis, 1000.0)
            .ok_or("hysteresis must be a number of m, 0 to 1000")?;
        let path = settings::member(config, "path").map_or(Some(DEFAULT_PATH), Json::string);
        let path = path.filter(|path| is_path(path)).ok_or("path must be a Signal K path")?;
        Ok((Self { limit, hysteresis }, path))
    }
}

/// Tells whether a text can be declared as a path: `"`, `#` and `\` mean something in JSON or to the host.
fn is_path(path: &str) -> bool {
    let is_plain = |byte: u8| byte > b'#' && byte < 0x7f && byte != b'\\';
    (1..=usize::from(PATH_BYTES_MAX)).contains(&path.len()) && path.bytes().all(is_plain)
}

#[cfg(test)]
mod tests {
    use super::{DEFAULT_PATH, Settings};
    use skiff_plugin::Json;

    #[test]
    fn absent_members_mean_the_defaults() {
        for text in ["{}", r#"{"enableDebug":false}"#, r#"{"limit":null,"hysteresis":null,"path":null}"#] {
            assert_eq!(Settings::read(Json::new(text)), Ok((Settings::DEFAULT, DEFAULT_PATH)), "{text}");
        }
    }

    #[test]
    fn reads_every_member() {
        let text = r#"{"path":"environment.depth.belowKeel","hysteresis":0,"limit":12000}"#;
        let settings = Settings { limit: 12_000.0, hysteresis: 0.0 };
        assert_eq!(Settings::read(Json::new(text)), Ok((settings, "environment.depth.belowKeel")));
    }

    #[test]
    fn refuses_what_cannot_be_meant() {
        let long = format!(r#"{{"path":"{}"}}"#, "a".repeat(240));
        for text in [
            r#"{"limit":"3"}"#,
            r#"{"limit":12000.1}"#,
            r#"{"hysteresis":-0.1}"#,
            r#"{"path":7}"#,
            r#"{"path":""}"#,
            r#"{"path":"a b"}"#,
            r#"{"path":"a#b"}"#,
            r#"{"path":"a\u0041"}"#,
            &long,
        ] {
            assert!(Settings::read(Json::new(text)).is_err(), "{text}");
        }
    }
}
