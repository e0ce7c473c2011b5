//! A radio by script: the boot words say which networks there are and which passwords they take.
//!
//! The packets go through the same card either way. What the board decides by its radio (which network it makes or joins,
//! what its set-up page shows) is what a chip decides.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use skiff_board::wifi;
use skiff_runtime::device::wifi::{JoinFailure, Seen, Station, WifiMode, listed};
use skiff_runtime::hal::Storage;

use crate::partition::Partition;

/// The radio at one start of the board.
pub struct Radio {
    /// The network that it is on.
    pub mode: WifiMode,
    /// Networks that it has seen.
    pub seen: Vec<Seen>,
}

impl Radio {
    /// Reads the boot words `radio=NAME:PASSWORD:DBM`, an open network without a password, and joins the network of the
    /// record, or makes the own one; `None` without such a word.
    ///
    /// # Errors
    /// A clause that says what cannot be read or kept.
    pub fn open(partition: &Partition, storage: &mut dyn Storage) -> Result<Option<Self>, String> {
        let words: Vec<&str> = partition.words().filter_map(|word| word.strip_prefix("radio=")).collect();
        if words.is_empty() {
            return Ok(None);
        }
        let mut networks = Vec::new();
        for word in words {
            let parts: Option<(&str, &str, i8)> = (|| {
                let (name, rest) = word.split_once(':')?;
                let (password, dbm) = rest.split_once(':')?;
                Some((name, password, dbm.parse().ok()?))
            })();
            networks.push(parts.ok_or_else(|| format!("radio={word}: write NAME:PASSWORD:DBM"))?);
        }
        let station = Station::load(storage);
        let mode = match &station {
            // This radio knows at once what a chip's finds out by trying.
            Some(station) if JoinFailure::last(storage).is_none() => {
                let failure = failure(&networks, station);
                JoinFailure::keep(failure, storage).map_err(|error| format!("radio: {error}"))?;
                log::info!("radio: {} {}", station.ssid, failure.map_or("is joined", JoinFailure::name));
                wifi::choose(true, failure.map(|_| WifiMode::SetUp))
            }
            _ => WifiMode::SetUp,
        };
        log::info!("radio: {}", mode.name());
        let seen = networks.iter().map(|(name, password, dbm)| Seen {
            ssid: String::from(*name),
            dbm: *dbm,
            is_open: password.is_empty(),
        });
        Ok(Some(Self { mode, seen: listed(seen.collect()) }))
    }
}

fn failure(networks: &[(&str, &str, i8)], station: &Station) -> Option<JoinFailure> {
    let Some((_, password, _)) = networks.iter().find(|(name, ..)| *name == station.ssid) else {
        return Some(JoinFailure::NotFound);
    };
    (*password != station.password.as_deref().unwrap_or_default()).then_some(JoinFailure::Password)
}
