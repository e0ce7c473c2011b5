//! The stored configuration of a plugin: `plugin-config-data/<id>.json` (plugin ABI §6.1).

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use super::{ConfigError, ConfigReason, read_object, write_object};
use crate::hal::{Key, Storage, StorageError};
use crate::json::{self, JsonError};

/// Member with Skiff's own settings of a plugin: `{"subscribe":["environment.wind.*"]}`.
const OWN_SECTION: &str = "skiff";
/// Member of it with the operator's filter.
const SUBSCRIBE: &str = "subscribe";

/// Copies a damaged file, so that the next change of it loses nothing.
fn keep_aside(storage: &mut dyn Storage, file: &str, limit_bytes: u32) -> Result<(), StorageError> {
    let (from, to) = (Key::parse(file), Key::parse(&format!("{file}.damaged")));
    let (Ok(from), Ok(to)) = (from, to) else { return Err(StorageError::NotFound) };
    let data = storage.read_all(&from, limit_bytes)?;
    storage.replace(&to, &data)
}

/// The configuration file of a plugin.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PluginConfig {
    /// Whether the plugin starts; `None` loads it without starting it.
    pub enabled: Option<bool>,
    /// Passed on to the plugin.
    pub enable_debug: Option<bool>,
    /// The user's configuration, compact JSON; `None` when never configured.
    pub configuration: Option<String>,
    /// Other members: name and compact JSON.
    pub others: Vec<(String, String)>,
}

/// Why the body of a configuration request was refused; the request is answered 400.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PostError {
    /// Not one JSON object.
    Body(JsonError),
    /// `enabled` or `enableDebug` is neither true nor false.
    NotBoolean,
    /// `configuration` or `skiff` is no object.
    NotObject,
}

impl fmt::Display for PostError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Body(error) => error.fmt(f),
            Self::NotBoolean => f.write_str("enabled and enableDebug must be true or false"),
            Self::NotObject => f.write_str("configuration and skiff must be objects"),
        }
    }
}

impl core::error::Error for PostError {}

impl From<JsonError> for PostError {
    fn from(error: JsonError) -> Self {
        Self::Body(error)
    }
}

impl PluginConfig {
    /// Returns the name of the file of the plugin `id`.
    #[must_use]
    pub fn file(id: &str) -> String {
        format!("plugin-config-data/{id}.json")
    }

    /// Reads the file of the plugin `id`, at most `limit_bytes`; `None` when there is none.
    ///
    /// # Errors
    /// [`ConfigError`] when it cannot be read or is damaged; it is left as it is.
    pub fn load(storage: &mut dyn Storage, id: &str, limit_bytes: u32) -> Result<Option<Self>, ConfigError> {
        Ok(read_object(storage, &Self::file(id), limit_bytes)?.map(|text| Self::parse(&text)))
    }

    /// Reads the file as [`load`](Self::load) does; a damaged one is kept aside, as `<id>.json.damaged`, stands for a plugin
    /// that is disabled, and comes back as the second.
    ///
    /// # Errors
    /// [`ConfigError`] when the file cannot be read.
    pub fn load_or_keep_aside(
        storage: &mut dyn Storage,
        id: &str,
        limit_bytes: u32,
    ) -> Result<(Option<Self>, Option<ConfigError>), ConfigError> {
        match Self::load(storage, id, limit_bytes) {
            Ok(config) => Ok((config, None)),
            Err(error) if error.reason == ConfigReason::Damaged => {
                if let Err(reason) = keep_aside(storage, &Self::file(id), limit_bytes) {
                    log::warn!("{}.damaged: {reason}; the damaged file has no copy", Self::file(id));
                }
                Ok((Some(Self { enabled: Some(false), ..Self::default() }), Some(error)))
            }
            Err(error) => Err(error),
        }
    }

    /// Reads compact JSON; anything that is no object gives the empty configuration.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let mut config = Self::default();
        let read = json::members::<JsonError>(text, |key, value| {
            match key {
                "enabled" => config.enabled = switch(value),
                "enableDebug" => config.enable_debug = switch(value),
                "configuration" => config.configuration = (value != "null").then(|| value.into()),
                _ => config.others.push((key.into(), value.into())),
            }
            Ok(())
        });
        if read.is_err() { Self::default() } else { config }
    }

    /// Returns Skiff's own settings of the plugin, compact JSON; `None` where there are none.
    #[must_use]
    pub fn own_section(&self) -> Option<&str> {
        self.others.iter().find(|(name, _)| name == OWN_SECTION).map(|(_, section)| section.as_str())
    }

    /// Returns Skiff's own settings with the filter of the operator: the paths, `None` to take it away. `null` where nothing
    /// is left.
    #[must_use]
    pub fn own_section_with(&self, filter: Option<&[String]>) -> String {
        let mut left = false;
        let section = json::object(|out| {
            let read = json::members::<JsonError>(self.own_section().unwrap_or("{}"), |name, value| {
                if name != SUBSCRIBE {
                    left = true;
                    out.json(name, value);
                }
                Ok(())
            });
            // What was no object has no members.
            let _ = read;
            if let Some(filter) = filter {
                left = true;
                out.list(SUBSCRIBE, |list| {
                    for path in filter {
                        list.text(path);
                    }
                });
            }
        });
        if left { section } else { "null".into() }
    }

    /// Sets Skiff's own settings, compact JSON; `null` takes them away.
    pub fn set_own_section(&mut self, section: String) {
        self.others.retain(|(name, _)| name != OWN_SECTION);
        if section != "null" {
            self.others.push((OWN_SECTION.into(), section));
        }
    }

    /// Writes the file of the plugin `id`, all members.
    ///
    /// # Errors
    /// [`ConfigError`] when storage refuses; the old file is kept then.
    pub fn save(&self, storage: &mut dyn Storage, id: &str) -> Result<(), ConfigError> {
        write_object(storage, &Self::file(id), &self.json())
    }

    /// Returns what everybody may see: `enabled` and `enableDebug`.
    #[must_use]
    pub fn without_configuration(&self) -> Self {
        Self { enabled: self.enabled, enable_debug: self.enable_debug, ..Self::default() }
    }

    /// Returns all members as compact JSON, the three known ones first.
    #[must_use]
    pub fn json(&self) -> String {
        json::object(|out| {
            if let Some(configuration) = &self.configuration {
                out.json("configuration", configuration);
            }
            if let Some(enabled) = self.enabled {
                out.boolean("enabled", enabled);
            }
            if let Some(enable_debug) = self.enable_debug {
                out.boolean("enableDebug", enable_debug);
            }
            for (name, value) in &self.others {
                out.json(name, value);
            }
        })
    }

    /// Returns what the body of `POST …/config` makes of this configuration.
    ///
    /// The three known members and `skiff` are all that is kept. One that the body leaves out keeps its stored
    /// value (plugin ABI §6.2, BETTER); upstream erases `configuration` then.
    ///
    /// # Errors
    /// [`PostError`] when the body is no such object.
    pub fn posted(&self, body: &str) -> Result<Self, PostError> {
        let body = json::compact(body)?;
        // What Skiff itself keeps there is no member of upstream's.
        let own = self.others.iter().filter(|(name, _)| name == OWN_SECTION).cloned().collect();
        let mut next = Self { others: own, ..self.clone() };
        json::members::<PostError>(&body, |key, value| {
            match key {
                "enabled" => next.enabled = Some(json::boolean(value).ok_or(PostError::NotBoolean)?),
                "enableDebug" => next.enable_debug = Some(json::boolean(value).ok_or(PostError::NotBoolean)?),
                "configuration" if value.starts_with('{') => next.configuration = Some(value.into()),
                "configuration" => return Err(PostError::NotObject),
                OWN_SECTION if matches!(value, "null" | "{}") => next.others.clear(),
                OWN_SECTION if value.starts_with('{') => next.others = alloc::vec![(key.into(), value.into())],
                OWN_SECTION => return Err(PostError::NotObject),
                _ => {}
            }
            Ok(())
        })?;
        Ok(next)
    }

    /// Returns this configuration with `configuration` replaced, as `sk_save_config` does (plugin ABI §3.2).
    ///
    /// `stored` is `None` when there is no file yet; the result says `enabled` then.
    ///
    /// # Errors
    /// [`JsonError`] when `configuration` is not JSON.
    pub fn with_configuration(stored: Option<Self>, configuration: &str) -> Result<Self, JsonError> {
        let configuration = json::compact(configuration)?;
        let mut next = stored.unwrap_or_else(|| Self { enabled: Some(true), ..Self::default() });
        next.configuration = Some(configuration);
        Ok(next)
    }
}

/// Reads a switch as upstream's JavaScript does: `false` is off, other falsy values are unset, the rest is on.
fn switch(value: &str) -> Option<bool> {
    match value {
        "false" => Some(false),
        "null" | "\"\"" | "0" => None,
        _ => Some(true),
    }
}

#[cfg(test)]
mod tests {
    use super::super::fake::Files;
    use super::*;
    use std::string::ToString;

    const FILE: &str = "plugin-config-data/_acme_tide.json";

    #[test]
    fn the_file_is_pretty_and_keeps_other_members() {
        let mut files = Files::with(FILE, r#"{"enableLogging":true,"enabled":false,"configuration":{"a":[1.0]}}"#);
        let config = PluginConfig::load(&mut files, "_acme_tide", 1000).unwrap();
        let config = PluginConfig::with_configuration(config, r#"{ "b" : 2 }"#).unwrap();
        config.save(&mut files, "_acme_tide").unwrap();
        assert_eq!(
            files.text(FILE),
            "{\n  \"configuration\": {\n    \"b\": 2\n  },\n  \"enabled\": false,\n  \"enableLogging\": true\n}"
        );
    }

    #[test]
    fn a_filter_comes_and_goes_and_other_settings_stay() {
        let mut config = PluginConfig::parse(r#"{"enabled":true,"skiff":{"a":1,"subscribe":["x"]},"mine":[2]}"#);
        config.set_own_section(config.own_section_with(Some(&["b.*".to_string(), "c".to_string()])));
        assert_eq!(config.json(), r#"{"enabled":true,"mine":[2],"skiff":{"a":1,"subscribe":["b.*","c"]}}"#);
        config.set_own_section(config.own_section_with(None));
        assert_eq!(config.own_section(), Some(r#"{"a":1}"#));
        let mut config = PluginConfig::parse(r#"{"skiff":{"subscribe":["x"]}}"#);
        config.set_own_section(config.own_section_with(None));
        assert_eq!((config.json(), config.own_section()), ("{}".to_string(), None));
        config.set_own_section(config.own_section_with(Some(&[])));
        assert_eq!(config.json(), r#"{"skiff":{"subscribe":[]}}"#);
    }

    #[test]
    fn saving_without_a_file_enables_the_plugin() {
        assert_eq!(PluginConfig::load(&mut Files::default(), "x", 10), Ok(None));
        let config = PluginConfig::with_configuration(None, "{}").unwrap();
        assert_eq!(config.json(), r#"{"configuration":{},"enabled":true}"#);
        assert!(PluginConfig::with_configuration(None, "nonsense").is_err());
    }

    #[test]
    fn a_post_keeps_what_it_does_not_name_and_drops_strangers() {
        let stored = PluginConfig::parse(r#"{"configuration":{"a":1},"enabled":true,"enableLogging":true}"#);
        let next = stored.posted(r#"{"enabled":false,"other":1}"#).unwrap();
        assert_eq!(next.json(), r#"{"configuration":{"a":1},"enabled":false}"#);
        let next = next.posted(r#"{"configuration":{"z":9.50},"enableDebug":true}"#).unwrap();
        assert_eq!(next.json(), r#"{"configuration":{"z":9.5},"enabled":false,"enableDebug":true}"#);
    }

    #[test]
    fn a_post_that_cannot_be_meant_is_refused() {
        let stored = PluginConfig::default();
        assert!(matches!(stored.posted("[]"), Err(PostError::Body(JsonError::WrongKind))));
        assert!(matches!(stored.posted(""), Err(PostError::Body(_))));
        assert_eq!(stored.posted(r#"{"enabled":1}"#), Err(PostError::NotBoolean));
        assert_eq!(stored.posted(r#"{"configuration":[]}"#), Err(PostError::NotObject));
    }

    #[test]
    fn enabled_is_read_like_javascript_does() {
        let enabled = |text: &str| PluginConfig::parse(text).enabled;
        assert_eq!(enabled(r#"{"enabled":true}"#), Some(true));
        assert_eq!(enabled(r#"{"enabled":false}"#), Some(false));
        assert_eq!(enabled(r#"{"enabled":null}"#), None);
        assert_eq!(enabled(r#"{"enabled":"yes"}"#), Some(true));
        assert_eq!(enabled("{}"), None);
    }

    #[test]
    fn a_damaged_file_is_named_and_a_full_storage_keeps_the_old_one() {
        let mut files = Files::with(FILE, "{\"enabled\":tru");
        let error = PluginConfig::load(&mut files, "_acme_tide", 1000).unwrap_err();
        assert_eq!(error.to_string(), "plugin-config-data/_acme_tide.json: not a JSON object");
        files.full = true;
        assert!(PluginConfig::default().save(&mut files, "_acme_tide").is_err());
        assert_eq!(files.text(FILE), "{\"enabled\":tru");
    }

    proptest::proptest! {
        #[test]
        fn doubles_keep_every_bit_in_the_file(bits: u64) {
            let value = f64::from_bits(bits);
            proptest::prop_assume!(value.is_finite() && value != 0.0);
            let mut files = Files::default();
            let posted = PluginConfig::default().posted(&format!(r#"{{"configuration":{{"a":[{value:.16e}]}}}}"#)).unwrap();
            posted.save(&mut files, "_acme_tide").unwrap();
            let read = PluginConfig::load(&mut files, "_acme_tide", 1000).unwrap().unwrap();
            proptest::prop_assert_eq!(&read, &posted);
            let kept = read.configuration.unwrap();
            let number = kept.strip_prefix("{\"a\":[").and_then(|text| json::number(text.strip_suffix("]}")?));
            proptest::prop_assert_eq!(number.map(f64::to_bits), Some(bits), "{}", kept);
        }
    }
}
