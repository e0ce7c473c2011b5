//! The network a board joins: a record that the operator sets over HTTP and the firmware reads at its start.

use alloc::string::String;
use core::fmt;

use crate::hal::{Key, Storage, StorageError};
use crate::json;

/// Record of the network to join: `{"ssid": …, "password": …}`.
pub const STATION_FILE: &str = "skiff/wifi.json";
/// Bytes of the record.
const FILE_BYTES_MAX: u32 = 512;

/// Which network the radio is on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WifiMode {
    /// It joins the network of the record.
    Join,
    /// It makes its own, for setting the board up.
    SetUp,
}

impl WifiMode {
    /// Returns the word for it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Join => "join",
            Self::SetUp => "set-up",
        }
    }
}

/// A network to join.
#[derive(Clone, PartialEq, Eq)]
pub struct Station {
    /// Its name, 1 to 32 bytes (IEEE 802.11).
    pub ssid: String,
    /// Its password: 8 to 63 bytes, or none for an open network.
    pub password: Option<String>,
}

/// Never tells the password.
impl fmt::Debug for Station {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Station").field("ssid", &self.ssid).finish_non_exhaustive()
    }
}

/// Why a text names no network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StationError {
    /// Not a JSON object with `ssid` and `password`.
    Json,
    /// The name is empty or longer than 32 bytes.
    Ssid,
    /// The password has fewer than 8 or more than 63 bytes.
    Password,
}

impl fmt::Display for StationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Json => "not a JSON object with ssid and password",
            Self::Ssid => "the name of a network has 1 to 32 bytes",
            Self::Password => "the password of a network has 8 to 63 bytes",
        })
    }
}

impl core::error::Error for StationError {}

impl Station {
    /// Reads the record.
    ///
    /// # Errors
    /// [`StationError`] that says what is wrong with it.
    pub fn parse(text: &[u8]) -> Result<Self, StationError> {
        let text = core::str::from_utf8(text).map_err(|_| StationError::Json)?;
        let text = json::compact(text).map_err(|_| StationError::Json)?;
        if !text.starts_with('{') {
            return Err(StationError::Json);
        }
        let member = |name| match json::member(&text, name) {
            None | Some("null") => Ok(None),
            Some(value) => json::string(value).map(|value| Some(value.into_owned())).ok_or(StationError::Json),
        };
        let ssid = member("ssid")?.ok_or(StationError::Json)?;
        let password = member("password")?.filter(|password| !password.is_empty());
        if !(1..=32).contains(&ssid.len()) {
            return Err(StationError::Ssid);
        }
        if password.as_ref().is_some_and(|password| !(8..=63).contains(&password.len())) {
            return Err(StationError::Password);
        }
        Ok(Self { ssid, password })
    }

    /// Writes the record.
    ///
    /// # Errors
    /// [`StorageError`]; the record is as it was.
    pub fn save(&self, storage: &mut dyn Storage) -> Result<(), StorageError> {
        let text = json::object(|record| {
            record.text("ssid", &self.ssid);
            if let Some(password) = &self.password {
                record.text("password", password);
            }
        });
        storage.replace(&key()?, text.as_bytes())
    }

    /// Removes the record.
    ///
    /// # Errors
    /// [`StorageError`]; none when there was no record.
    pub fn forget(storage: &mut dyn Storage) -> Result<(), StorageError> {
        match storage.remove(&key()?) {
            Err(StorageError::NotFound) => Ok(()),
            done => done,
        }
    }

    /// Reads the record from the storage; `None` when there is none, or none that can be used, which is told.
    pub fn load(storage: &mut dyn Storage) -> Option<Self> {
        let data = match storage.read_all(&key().ok()?, FILE_BYTES_MAX) {
            Ok(data) => data,
            Err(StorageError::NotFound) => return None,
            Err(error) => {
                log::warn!("{STATION_FILE}: {error}");
                return None;
            }
        };
        Self::parse(&data).inspect_err(|error| log::warn!("{STATION_FILE}: {error}")).ok()
    }
}

fn key() -> Result<Key, StorageError> {
    Key::parse(STATION_FILE).map_err(|_| StorageError::Failed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hal::sim::SimStorage;
    use std::format;

    #[test]
    fn networks_are_read_strictly() {
        let station = Station::parse(br#"{"ssid": "boat", "password": "12345678"}"#).unwrap();
        assert_eq!((station.ssid.as_str(), station.password.as_deref()), ("boat", Some("12345678")));
        assert_eq!(format!("{station:?}"), r#"Station { ssid: "boat", .. }"#);
        for open in
            [r#"{"ssid": "boat"}"#, r#"{"ssid": "boat", "password": ""}"#, r#"{"ssid": "boat", "password": null}"#]
        {
            assert_eq!(Station::parse(open.as_bytes()).unwrap().password, None);
        }
        for (text, error) in [
            ("", StationError::Json),
            ("[]", StationError::Json),
            (r#"{"ssid": 7}"#, StationError::Json),
            (r#"{"ssid": "a", "password": 12345678}"#, StationError::Json),
            (r#"{"ssid": "", "password": "12345678"}"#, StationError::Ssid),
            (r#"{"ssid": "123456789012345678901234567890123"}"#, StationError::Ssid),
            (r#"{"ssid": "a", "password": "1234567"}"#, StationError::Password),
        ] {
            assert_eq!(Station::parse(text.as_bytes()), Err(error), "{text}");
        }
    }

    #[test]
    fn what_is_saved_is_what_is_read() {
        let mut storage = SimStorage::new();
        for station in [
            Station { ssid: "Bo\"at\\ ⚓".into(), password: Some("pass\"word".into()) },
            Station { ssid: "open".into(), password: None },
        ] {
            station.save(&mut storage).unwrap();
            assert!(Station::load(&mut storage) == Some(station));
        }
        Station::forget(&mut storage).unwrap();
        Station::forget(&mut storage).unwrap();
        assert!(Station::load(&mut storage).is_none());
    }
}
