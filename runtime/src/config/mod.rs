//! Files of the config folder, laid out like Signal K's.
//!
//! `settings.json` is only read; `plugin-config-data/<id>.json` is read and written;
//! `skiff/` is Skiff's own. A file that is damaged is reported with its name and left as it is.

#[cfg(any(test, feature = "history"))]
mod history;
mod identity;
mod n2k;
mod operator;
mod plugin;
mod pretty;
#[cfg(any(test, feature = "std"))]
mod schema;
#[cfg(not(any(test, feature = "std")))]
#[path = "unchecked.rs"]
mod schema;
mod settings;

use alloc::boxed::Box;
use core::fmt;

#[cfg(any(test, feature = "history"))]
pub use history::HistoryConfig;
pub use identity::{Identity, SAMPLE_SELF_CONTEXT, random_uuid};
#[cfg(feature = "outputs")]
pub use n2k::Relay;
pub use n2k::{KeptNode, N2K_FILE, N2kConfig, NodeConfig};
pub use operator::{OPERATOR_FILE, Operator};
pub use plugin::{PluginConfig, PostError};
pub use pretty::pretty;
pub use schema::misfit;
#[cfg(any(test, feature = "server-routes"))]
pub use settings::keep_settings;
pub use settings::{OWN_SETTINGS_FILE, SETTINGS_FILE, Settings, Vessel, read_settings};

use crate::hal::{Key, Storage, StorageError};
use alloc::string::String;

/// Bytes of `settings.json`, `identity.json` and other files that only the gateway reads.
pub const FILE_BYTES_MAX: u32 = 64 * 1024;

/// A file could not be used; `Display` names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigError {
    /// Name of the file below the config folder.
    pub file: Box<str>,
    /// What is wrong with it.
    pub reason: ConfigReason,
}

/// Why a file could not be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ConfigReason {
    /// The name of the file is none.
    Name,
    /// Storage did not read or write it.
    Storage(StorageError),
    /// Not UTF-8 text with one JSON object in it.
    Damaged,
    /// A member has a value that cannot be meant.
    Member(&'static str),
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.file)?;
        match self.reason {
            ConfigReason::Name => f.write_str("not a usable file name"),
            ConfigReason::Storage(error) => error.fmt(f),
            ConfigReason::Damaged => f.write_str("not a JSON object"),
            ConfigReason::Member(what) => f.write_str(what),
        }
    }
}

impl core::error::Error for ConfigError {}

impl ConfigError {
    /// Builds the error for `file`.
    #[must_use]
    pub fn new(file: &str, reason: ConfigReason) -> Self {
        Self { file: file.into(), reason }
    }
}

/// Reads a JSON object of at most `limit_bytes`, compact; `None` when there is no such file.
///
/// # Errors
/// [`ConfigError`] when storage fails or the file is no JSON object.
pub fn read_object(storage: &mut dyn Storage, file: &str, limit_bytes: u32) -> Result<Option<String>, ConfigError> {
    let key = key(file)?;
    let data = match storage.read_all(&key, limit_bytes) {
        Ok(data) => data,
        Err(StorageError::NotFound) => return Ok(None),
        Err(error) => return Err(ConfigError::new(file, ConfigReason::Storage(error))),
    };
    let damaged = || ConfigError::new(file, ConfigReason::Damaged);
    let text = core::str::from_utf8(&data).map_err(|_| damaged())?;
    // Some editors put a byte order mark before the text; Node's parser is given it without.
    let text = crate::json::compact(text.trim_start_matches('\u{feff}')).map_err(|_| damaged())?;
    if text.starts_with('{') { Ok(Some(text)) } else { Err(damaged()) }
}

/// Writes JSON text pretty-printed with two blanks, atomically.
///
/// # Errors
/// [`ConfigError`] when storage fails; the old content is kept then.
pub fn write_object(storage: &mut dyn Storage, file: &str, json: &str) -> Result<(), ConfigError> {
    let key = key(file)?;
    storage.replace(&key, pretty(json).as_bytes()).map_err(|error| ConfigError::new(file, ConfigReason::Storage(error)))
}

fn key(file: &str) -> Result<Key, ConfigError> {
    Key::parse(file).map_err(|_| ConfigError::new(file, ConfigReason::Name))
}

#[cfg(test)]
pub(crate) mod fake {
    //! The least storage and randomness these tests need.

    use crate::hal::{Capacity, Key, Rng, Storage, StorageError};
    use core::ops::ControlFlow;
    use std::collections::BTreeMap;
    use std::string::String;
    use std::vec::Vec;

    #[derive(Default)]
    pub struct Files {
        pub files: BTreeMap<Key, Vec<u8>>,
        pub full: bool,
    }

    impl Files {
        pub fn with(name: &str, text: &str) -> Self {
            let mut files = Self::default();
            files.files.insert(Key::parse(name).unwrap(), text.into());
            files
        }

        pub fn text(&self, name: &str) -> String {
            String::from_utf8(self.files[&Key::parse(name).unwrap()].clone()).unwrap()
        }
    }

    impl Storage for Files {
        fn len(&mut self, key: &Key) -> Result<u32, StorageError> {
            Ok(self.files.get(key).ok_or(StorageError::NotFound)?.len() as u32)
        }
        fn read(&mut self, key: &Key, offset: u32, buffer: &mut [u8]) -> Result<usize, StorageError> {
            let data = &self.files.get(key).ok_or(StorageError::NotFound)?[offset as usize..];
            let count = data.len().min(buffer.len());
            buffer[..count].copy_from_slice(&data[..count]);
            Ok(count)
        }
        fn replace(&mut self, key: &Key, data: &[u8]) -> Result<(), StorageError> {
            if self.full {
                return Err(StorageError::Full);
            }
            self.files.insert(key.clone(), data.into());
            Ok(())
        }
        fn append(&mut self, key: &Key, data: &[u8]) -> Result<(), StorageError> {
            self.files.entry(key.clone()).or_default().extend_from_slice(data);
            Ok(())
        }
        fn remove(&mut self, key: &Key) -> Result<(), StorageError> {
            self.files.remove(key);
            Ok(())
        }
        fn list(&mut self, _: &str, _: &mut dyn FnMut(&Key, u32) -> ControlFlow<()>) -> Result<(), StorageError> {
            Ok(())
        }
        fn capacity(&mut self) -> Capacity {
            Capacity::default()
        }
    }

    /// Counts up.
    pub struct Counting(pub u8);

    impl Rng for Counting {
        fn fill(&mut self, buffer: &mut [u8]) {
            for byte in buffer {
                *byte = self.0;
                self.0 = self.0.wrapping_add(1);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::fake::Files;
    use super::*;
    use std::string::ToString;

    #[test]
    fn damaged_files_are_named_and_kept() {
        for text in ["", "{", "[]", "7", "{} x"] {
            let mut files = Files::with("settings.json", text);
            let error = read_object(&mut files, "settings.json", 100).unwrap_err();
            assert_eq!(error.to_string(), "settings.json: not a JSON object", "{text:?}");
            assert_eq!(files.text("settings.json"), text);
        }
    }

    #[test]
    fn files_that_are_too_long_or_missing_are_told_apart() {
        let mut files = Files::with("a.json", "{ \"long\": 1 }");
        assert_eq!(
            read_object(&mut files, "a.json", 5).unwrap_err().to_string(),
            "a.json: record of 13 bytes is too long"
        );
        assert_eq!(read_object(&mut files, "b.json", 5), Ok(None));
        assert_eq!(read_object(&mut files, "../b", 5).unwrap_err().reason, ConfigReason::Name);
    }

    #[test]
    fn a_byte_order_mark_is_no_damage() {
        let mut files = Files::with("a.json", "\u{feff}{\"a\":1}");
        assert_eq!(read_object(&mut files, "a.json", 50), Ok(Some("{\"a\":1}".into())));
    }
}
