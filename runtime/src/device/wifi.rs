//! The network a board joins: a record that the operator sets over HTTP and the firmware reads at its start.

use alloc::string::String;
use alloc::vec::Vec;
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

/// Networks that are listed; the weaker of more are left out.
pub const SEEN_MAX: usize = 16;

/// A network that the radio has seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// Its name.
    pub ssid: String,
    /// How strong it is here, dBm.
    pub dbm: i8,
    /// It takes no password.
    pub is_open: bool,
}

/// Sorts what was seen, the strongest first, each name once; what has no name is not listed.
#[must_use]
pub fn listed(mut seen: Vec<Seen>) -> Vec<Seen> {
    crate::sorted::sort_by(&mut seen, |a, b| a.dbm > b.dbm);
    let mut list: Vec<Seen> = Vec::new();
    for network in seen {
        let is_known = list.iter().any(|known| known.ssid == network.ssid);
        if list.len() < SEEN_MAX && !is_known && (1..=32).contains(&network.ssid.len()) {
            list.push(network);
        }
    }
    list
}

/// Why a network was not joined.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JoinFailure {
    /// It is not there.
    NotFound,
    /// It does not take the password.
    Password,
    /// It gives no address, or the radio cannot say more.
    Other,
}

/// Record of the last failure: one letter.
const FAILURE_FILE: &str = "skiff/wifi-failed";

impl JoinFailure {
    /// Every failure, with its letter and its word.
    const ALL: [(Self, u8, &'static str); 3] =
        [(Self::NotFound, b'n', "not-found"), (Self::Password, b'p', "password"), (Self::Other, b'o', "other")];

    /// Returns the word for it.
    #[must_use]
    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|(failure, ..)| *failure == self).map_or("other", |(_, _, name)| name)
    }

    /// Keeps why the board goes back to its own network, for who looks there; `None` when it has joined.
    ///
    /// # Errors
    /// [`StorageError`]; what stood there stays.
    pub fn keep(failure: Option<Self>, storage: &mut dyn Storage) -> Result<(), StorageError> {
        let key = Key::parse(FAILURE_FILE).map_err(|_| StorageError::Failed)?;
        let letter = Self::ALL.iter().find(|(known, ..)| Some(*known) == failure);
        match letter {
            Some((_, letter, _)) => storage.replace(&key, &[*letter]),
            None => match storage.remove(&key) {
                Err(StorageError::NotFound) => Ok(()),
                done => done,
            },
        }
    }

    /// Returns why the network of the record was not joined the last time.
    #[must_use]
    pub fn last(storage: &mut dyn Storage) -> Option<Self> {
        let data = storage.read_all(&Key::parse(FAILURE_FILE).ok()?, 1).ok()?;
        let letter = data.first()?;
        Self::ALL.iter().find(|(_, known, _)| known == letter).map(|(failure, ..)| *failure)
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
        Self::of(ssid, member("password")?.filter(|password| !password.is_empty()))
    }

    /// Checks name and password.
    ///
    /// # Errors
    /// [`StationError`] that says which of them cannot be.
    pub fn of(ssid: String, password: Option<String>) -> Result<Self, StationError> {
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
    fn networks_are_listed_once_the_strongest_first() {
        let seen = |ssid: &str, dbm| Seen { ssid: ssid.into(), dbm, is_open: false };
        let many =
            (0..20).map(|at| seen(&format!("n{at}"), -90)).chain([seen("a", -70), seen("b", -40), seen("a", -50)]);
        let list = listed(many.chain([seen("", -10), seen(&"x".repeat(33), -10)]).collect());
        let first: Vec<_> = list.iter().take(3).map(|network| (network.ssid.as_str(), network.dbm)).collect();
        assert_eq!((first, list.len()), ([("b", -40), ("a", -50), ("n0", -90)].into(), SEEN_MAX));
    }

    #[test]
    fn why_a_network_was_not_joined_is_kept_until_one_is() {
        let mut storage = SimStorage::new();
        JoinFailure::keep(None, &mut storage).unwrap();
        for (failure, _, name) in JoinFailure::ALL {
            JoinFailure::keep(Some(failure), &mut storage).unwrap();
            assert_eq!((JoinFailure::last(&mut storage), failure.name()), (Some(failure), name));
        }
        JoinFailure::keep(None, &mut storage).unwrap();
        assert_eq!(JoinFailure::last(&mut storage), None);
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
