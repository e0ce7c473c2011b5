//! The configuration of a plugin: fields with defaults and bounds, from which reader and JSON Schema are made.
//!
//! serde's reader of JSON would be larger than most plugins: this one reads the text in place, as everything here does.
//!
//! ```
//! use skiff_plugin::Json;
//!
//! skiff_plugin::settings! {
//!     /// What the operator sets.
//!     pub struct Settings("Depth alarm") {
//!         /// m.
//!         pub limit: number("limit", "Limit in m", 0.0, 12000.0, 3.0),
//!         /// Rings, or is only shown.
//!         pub loud: boolean("loud", "Rings", true),
//!         /// Which depth.
//!         pub depth: choice("depth", "Measured from", ["keel", "transducer"], "keel"),
//!         /// Shown in messages.
//!         pub place: text("place", "Name of the place", 20, "here"),
//!     }
//! }
//!
//! let settings = Settings::read(Json::new(r#"{"limit":2.5,"place":"Sill"}"#)).unwrap();
//! assert_eq!((settings.limit, settings.loud, settings.depth, settings.place.as_str()), (2.5, true, "keel", "Sill"));
//! assert_eq!(Settings::read(Json::new(r#"{"limit":-1}"#)).err(), Some("limit must be a number from 0.0 to 12000.0"));
//! assert!(Settings::SCHEMA.contains(r#""limit":{"type":"number","title":"Limit in m","minimum":0.0,"maximum":12000.0,"default":3.0}"#));
//! ```

use crate::Json;

/// A text of a configuration, of at most `BYTES`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Word<const BYTES: usize> {
    bytes: [u8; BYTES],
    length: usize,
}

impl<const BYTES: usize> Word<BYTES> {
    /// Keeps a text; `None` when it is too long.
    #[must_use]
    pub const fn new(text: &str) -> Option<Self> {
        let text = text.as_bytes();
        if text.len() > BYTES {
            return None;
        }
        let mut word = Self { bytes: [0; BYTES], length: text.len() };
        let mut at = 0;
        while at < text.len() {
            word.bytes[at] = text[at];
            at += 1;
        }
        Some(word)
    }

    /// Returns the text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        core::str::from_utf8(self.bytes.get(..self.length).unwrap_or_default()).unwrap_or_default()
    }
}

/// Returns a member that is set: neither absent nor null.
#[must_use]
pub fn member<'t>(config: Json<'t>, name: &str) -> Option<Json<'t>> {
    config.member(name).filter(|value| value.text() != "null")
}

/// Returns a member as a boolean; `Err` when it is none.
#[doc(hidden)]
pub fn boolean(value: Json<'_>) -> Option<bool> {
    match value.text() {
        "true" => Some(true),
        "false" => Some(false),
        _ => None,
    }
}

/// Declares the settings of a plugin; see the example of the module [`settings`](mod@crate::settings).
///
/// A field is `number(name, title, least, most, default)`, `boolean(name, title, default)`,
/// `choice(name, title, [text, …], default)` or `text(name, title, bytes, default)`. The type has `SCHEMA` for
/// [`Plugin::SCHEMA`](crate::Plugin::SCHEMA), `DEFAULT`, and `read`, which says what is wrong.
#[macro_export]
macro_rules! settings {
    (
        $(#[$about:meta])*
        $visible:vis struct $settings:ident($title:literal) {
            $(#[$first_about:meta])* $first_visible:vis $first:ident: $first_kind:ident $first_arguments:tt
            $(, $(#[$field_about:meta])* $field_visible:vis $field:ident: $kind:ident $arguments:tt)* $(,)?
        }
    ) => {
        $(#[$about])*
        #[derive(Clone, Copy, Debug, PartialEq)]
        $visible struct $settings {
            $(#[$first_about])*
            $first_visible $first: $crate::settings!(@ type $first_kind $first_arguments),
            $($(#[$field_about])* $field_visible $field: $crate::settings!(@ type $kind $arguments),)*
        }

        #[allow(dead_code)]
        impl $settings {
            /// JSON Schema (draft 07) of the configuration; no host applies its defaults, `read` does.
            pub const SCHEMA: &'static str = concat!(
                r#"{"$schema":"http://json-schema.org/draft-07/schema#","title":""#, $title,
                r#"","type":"object","properties":{"#,
                $crate::settings!(@ schema $first_kind $first_arguments),
                $(",", $crate::settings!(@ schema $kind $arguments),)*
                "}}"
            );

            /// What an empty configuration means.
            pub const DEFAULT: Self = Self {
                $first: $crate::settings!(@ default $first_kind $first_arguments),
                $($field: $crate::settings!(@ default $kind $arguments),)*
            };

            /// Reads a configuration object; absent and `null` members mean the default.
            ///
            /// # Errors
            /// The clause to show when a member has a value it cannot have.
            pub fn read(config: $crate::Json<'_>) -> Result<Self, &'static str> {
                let mut settings = Self::DEFAULT;
                $crate::settings!(@ read config (settings.$first) $first_kind $first_arguments);
                $($crate::settings!(@ read config (settings.$field) $kind $arguments);)*
                Ok(settings)
            }
        }
    };

    (@ type number $arguments:tt) => { f64 };
    (@ type boolean $arguments:tt) => { bool };
    (@ type choice $arguments:tt) => { &'static str };
    (@ type text ($name:literal, $title:literal, $bytes:literal, $default:literal)) => { $crate::settings::Word<$bytes> };

    (@ default number ($name:literal, $title:literal, $least:literal, $most:literal, $default:literal)) => { $default };
    (@ default boolean ($name:literal, $title:literal, $default:literal)) => { $default };
    (@ default choice ($name:literal, $title:literal, $choices:tt, $default:literal)) => { $default };
    (@ default text ($name:literal, $title:literal, $bytes:literal, $default:literal)) => {
        match $crate::settings::Word::new($default) {
            Some(word) => word,
            None => panic!("the default is longer than the field"),
        }
    };

    (@ schema number ($name:literal, $title:literal, $least:literal, $most:literal, $default:literal)) => {
        concat!("\"", $name, r#"":{"type":"number","title":""#, $title, r#"","minimum":"#, $least, r#","maximum":"#, $most,
            r#","default":"#, $default, "}")
    };
    (@ schema boolean ($name:literal, $title:literal, $default:literal)) => {
        concat!("\"", $name, r#"":{"type":"boolean","title":""#, $title, r#"","default":"#, $default, "}")
    };
    (@ schema choice ($name:literal, $title:literal, [$first:literal $(, $choice:literal)*], $default:literal)) => {
        concat!("\"", $name, r#"":{"type":"string","title":""#, $title, r#"","enum":[""#, $first, "\"",
            $(",\"", $choice, "\"",)* r#"],"default":""#, $default, "\"}")
    };
    (@ schema text ($name:literal, $title:literal, $bytes:literal, $default:literal)) => {
        concat!("\"", $name, r#"":{"type":"string","title":""#, $title, r#"","maxLength":"#, $bytes, r#","default":""#,
            $default, "\"}")
    };

    (@ read $config:ident ($field:expr) $kind:ident ($name:literal, $($rest:tt)*)) => {
        if let Some(value) = $crate::settings::member($config, $name) {
            $field = $crate::settings!(@ value value $kind ($name, $($rest)*))?;
        }
    };
    (@ value $value:ident number ($name:literal, $title:literal, $least:literal, $most:literal, $default:literal)) => {
        $value.number().filter(|number| ($least..=$most).contains(number))
            .ok_or(concat!($name, " must be a number from ", $least, " to ", $most))
    };
    (@ value $value:ident boolean ($name:literal, $title:literal, $default:literal)) => {
        $crate::settings::boolean($value).ok_or(concat!($name, " must be true or false"))
    };
    (@ value $value:ident choice ($name:literal, $title:literal, [$($choice:literal),*], $default:literal)) => {
        $value.string().and_then(|text| [$($choice),*].into_iter().find(|choice| *choice == text))
            .ok_or(concat!($name, " must be one of" $(, " \"", $choice, "\"")*))
    };
    (@ value $value:ident text ($name:literal, $title:literal, $bytes:literal, $default:literal)) => {
        $value.string().and_then($crate::settings::Word::new)
            .ok_or(concat!($name, " must be a text of at most ", $bytes, " bytes, without escapes"))
    };
}

#[cfg(test)]
mod tests {
    use crate::Json;

    crate::settings! {
        /// One of each.
        struct Settings("All") {
            rate: number("rate", "Rate", -0.5, 10.0, 1.0),
            on: boolean("on", "On", false),
            side: choice("side", "Side", ["port", "starboard"], "port"),
            path: text("path", "Path", 4, "a.b"),
        }
    }

    fn read(text: &str) -> Result<Settings, &'static str> {
        Settings::read(Json::new(text))
    }

    #[test]
    fn absent_and_null_members_mean_the_defaults() {
        for text in ["", "{}", r#"{"enableDebug":false}"#, r#"{"rate":null,"on":null,"side":null,"path":null}"#] {
            assert_eq!(read(text), Ok(Settings::DEFAULT), "{text}");
        }
        assert_eq!(
            (Settings::DEFAULT.rate, Settings::DEFAULT.side, Settings::DEFAULT.path.as_str()),
            (1.0, "port", "a.b")
        );
    }

    #[test]
    fn members_are_read_and_their_bounds_kept() {
        let read_all = read(r#"{"path":"c","side":"starboard","on":true,"rate":10}"#).unwrap();
        assert_eq!((read_all.rate, read_all.on, read_all.side, read_all.path.as_str()), (10.0, true, "starboard", "c"));
        for (text, clause) in [
            (r#"{"rate":-0.6}"#, "rate must be a number from -0.5 to 10.0"),
            (r#"{"rate":"1"}"#, "rate must be a number from -0.5 to 10.0"),
            (r#"{"on":1}"#, "on must be true or false"),
            (r#"{"side":"aft"}"#, r#"side must be one of "port" "starboard""#),
            (r#"{"path":"a.b.c"}"#, "path must be a text of at most 4 bytes, without escapes"),
        ] {
            assert_eq!(read(text), Err(clause), "{text}");
        }
    }

    #[test]
    fn the_schema_says_what_is_read() {
        let schema = Json::new(Settings::SCHEMA);
        assert_eq!(schema.member("title").and_then(Json::string), Some("All"));
        let properties = schema.member("properties").unwrap();
        assert_eq!(properties.members().count(), 4);
        let of =
            |name: &str, member: &str| properties.member(name).and_then(|field| field.member(member)).unwrap().text();
        assert_eq!((of("rate", "minimum"), of("rate", "default")), ("-0.5", "1.0"));
        assert_eq!((of("on", "type"), of("on", "default")), (r#""boolean""#, "false"));
        assert_eq!(of("side", "enum"), r#"["port","starboard"]"#);
        assert_eq!((of("path", "maxLength"), of("path", "default")), ("4", r#""a.b""#));
    }
}
