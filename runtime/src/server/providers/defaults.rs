//! Which provider answers where several could: the operator's choice, kept in `skiff/providers.json`.

use alloc::format;
use alloc::string::String;
use core::fmt;

use crate::config::{ConfigError, FILE_BYTES_MAX, read_object, write_object};
use crate::hal::Storage;
use crate::json;
use crate::sorted::SortedMap;

const FILE: &str = "skiff/providers.json";
/// Choices that are kept; there are as many as there are resource types, and two more.
const CHOICES_MAX: usize = 64;

/// An API that plugins stand behind.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Api {
    /// Resources of one type.
    Resources(String),
    /// Weather.
    Weather,
    /// Radar.
    Radar,
    /// Autopilots; what is chosen is one of them, not a package.
    #[cfg(any(test, feature = "autopilot"))]
    Autopilot,
}

impl fmt::Display for Api {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Resources(kind) => write!(f, "resources/{kind}"),
            Self::Weather => f.write_str("weather"),
            Self::Radar => f.write_str("radar"),
            #[cfg(any(test, feature = "autopilot"))]
            Self::Autopilot => f.write_str("autopilot"),
        }
    }
}

/// The operator's choices. Where there is none, the first registered provider is the default.
#[derive(Clone, Debug, Default)]
pub struct Defaults {
    chosen: SortedMap<String, String>,
}

impl Defaults {
    /// Reads the choices; without a file there are none.
    ///
    /// # Errors
    /// [`ConfigError`] when the file is damaged.
    pub fn load(storage: &mut dyn Storage) -> Result<Self, ConfigError> {
        let mut defaults = Self::default();
        if let Some(text) = read_object(storage, FILE, FILE_BYTES_MAX)? {
            // The text was read as an object, so it has members.
            let _ = json::members::<json::JsonError>(&text, |api, package| {
                if let Some(package) = json::string(package).filter(|_| defaults.chosen.len() < CHOICES_MAX) {
                    defaults.chosen.insert(String::from(api), package.into_owned());
                }
                Ok(())
            });
        }
        Ok(defaults)
    }

    /// Returns the package chosen for an API.
    #[must_use]
    pub fn chosen(&self, api: &Api) -> Option<&str> {
        self.chosen.get(&format!("{api}")).map(String::as_str)
    }

    /// Chooses a package and writes the file.
    ///
    /// # Errors
    /// [`ConfigError`] when the file cannot be written; the choice holds until the next start all the same.
    pub fn choose(&mut self, api: &Api, package: &str, storage: &mut dyn Storage) -> Result<(), ConfigError> {
        let key = format!("{api}");
        if self.chosen.len() < CHOICES_MAX || self.chosen.contains_key(&key) {
            self.chosen.insert(key, package.into());
        }
        let text = json::object(|chosen| {
            for (api, package) in &self.chosen {
                chosen.text(api, package);
            }
        });
        write_object(storage, FILE, &text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::fake::Files;

    #[test]
    fn choices_are_kept() {
        let mut files = Files::default();
        let mut defaults = Defaults::load(&mut files).unwrap();
        let routes = Api::Resources("routes".into());
        assert_eq!(defaults.chosen(&routes), None);
        defaults.choose(&routes, "@acme/routes", &mut files).unwrap();
        defaults.choose(&Api::Weather, "w", &mut files).unwrap();
        defaults.choose(&Api::Weather, "@acme/w", &mut files).unwrap();
        let again = Defaults::load(&mut files).unwrap();
        assert_eq!((again.chosen(&routes), again.chosen(&Api::Weather)), (Some("@acme/routes"), Some("@acme/w")));
        assert_eq!(again.chosen(&Api::Radar), None);
    }
}
