//! Back to how the board was made: starts that ask for it, and what goes. (A held button is the HAL's.)

use alloc::vec::Vec;
use core::fmt;
use core::ops::ControlFlow;
use core::time::Duration;

use super::ResetReason;
use crate::hal::{Key, Storage, StorageError};
use crate::time::Instant;

/// The board is started this many times in a row,
pub const SHORT_BOOTS: u8 = 5;
/// each time for less than this.
pub const SHORT_BOOT: Duration = Duration::from_secs(10);
/// Keys that stay: what firmware is there, and what was measured on the boat.
const KEPT: [&str; 2] = ["skiff/firmware", "calibration/"];
/// There while a reset is on its way, so that a power cut does not end it half done.
const MARK: &str = "skiff/resetting";
const BOOTS: &str = "skiff/boots";
/// Keys taken from the storage at once.
const KEYS_AT_ONCE: usize = 16;

/// Counts starts that did not last.
#[derive(Clone, Copy, Debug, Default)]
pub struct ShortBoots {
    counted: bool,
}

impl ShortBoots {
    /// Counts this start; true when it is the [`SHORT_BOOTS`]th short one in a row. Starts that nobody made by hand end
    /// the row: a supply that fails when the engine is cranked is no call for a reset.
    ///
    /// # Errors
    /// [`StorageError`] when the count cannot be kept.
    pub fn start(storage: &mut dyn Storage, reason: ResetReason) -> Result<(Self, bool), StorageError> {
        let key = key(BOOTS)?;
        if !reason.is_by_hand() {
            storage.remove(&key)?;
            return Ok((Self { counted: false }, false));
        }
        let before = match storage.read_all(&key, 1) {
            Ok(data) => data.first().copied().unwrap_or(0),
            // A record that cannot be read begins a new row.
            Err(_) => 0,
        };
        let count = before.saturating_add(1);
        if count >= SHORT_BOOTS {
            storage.remove(&key)?;
            return Ok((Self { counted: false }, true));
        }
        storage.replace(&key, &[count])?;
        Ok((Self { counted: true }, false))
    }

    /// Ends the row once this start has lasted; call it at every poll.
    ///
    /// # Errors
    /// [`StorageError`] when the count cannot be removed; it is tried again.
    pub fn poll(&mut self, storage: &mut dyn Storage, now: Instant) -> Result<(), StorageError> {
        if self.counted && now.since(Instant::default()) >= SHORT_BOOT {
            storage.remove(&key(BOOTS)?)?;
            self.counted = false;
        }
        Ok(())
    }
}

/// Result of a reset.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Erased {
    /// Records that are gone.
    pub records: u32,
}

impl fmt::Display for Erased {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} records removed; firmware and calibration stay, the next start makes a new token", self.records)
    }
}

/// Lets the next start begin with [`finish`]: for a reset that is asked for while plugins may still write.
///
/// # Errors
/// [`StorageError`] of the medium; nothing will happen then.
pub fn request(storage: &mut dyn Storage) -> Result<(), StorageError> {
    storage.replace(&key(MARK)?, &[1])
}

/// Removes configuration, token, Wi-Fi credentials, plugins and their files; firmware and calibration stay. The next
/// start makes a new token and identity.
///
/// # Errors
/// [`StorageError`] of the medium; [`finish`] goes on at the next start.
pub fn erase(storage: &mut dyn Storage) -> Result<Erased, StorageError> {
    request(storage)?;
    finish(storage).map(Option::unwrap_or_default)
}

/// Does a reset that was asked for, or that a power cut interrupted; `None` where there was none. Call it before anything is read at a start.
///
/// # Errors
/// [`StorageError`] of the medium.
pub fn finish(storage: &mut dyn Storage) -> Result<Option<Erased>, StorageError> {
    let mark = key(MARK)?;
    match storage.len(&mark) {
        Err(StorageError::NotFound) => return Ok(None),
        Err(error) => return Err(error),
        Ok(_) => {}
    }
    let mut erased = Erased::default();
    loop {
        let mut keys = Vec::new();
        storage.list("", &mut |key, _| {
            let stays = KEPT.iter().any(|kept| key.as_str().starts_with(kept)) || *key == mark;
            if !stays {
                keys.push(key.clone());
            }
            if keys.len() < KEYS_AT_ONCE { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        })?;
        if keys.is_empty() {
            break;
        }
        for key in keys {
            storage.remove(&key)?;
            erased.records = erased.records.saturating_add(1);
        }
    }
    storage.remove(&mark)?;
    Ok(Some(erased))
}

fn key(text: &str) -> Result<Key, StorageError> {
    Key::parse(text).map_err(|_| StorageError::Failed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hal::sim::{PowerCut, SimStorage, Survivor};
    use std::format;
    use std::string::{String, ToString};

    fn at(millis: u64) -> Instant {
        Instant::from_millis(millis)
    }

    #[test]
    fn five_short_boots_ask_for_a_reset() {
        let mut storage = SimStorage::new();
        let starts: Vec<bool> =
            (0..10).map(|_| ShortBoots::start(&mut storage, ResetReason::PowerOn).unwrap().1).collect();
        assert_eq!(starts, [false, false, false, false, true, false, false, false, false, true]);
    }

    #[test]
    fn a_long_boot_or_a_failing_supply_ends_the_row() {
        let mut storage = SimStorage::new();
        for round in 0..20 {
            let (mut boots, asks) = ShortBoots::start(&mut storage, ResetReason::Pin).unwrap();
            assert!(!asks, "round {round}");
            boots.poll(&mut storage, at(if round % 4 == 3 { 10_000 } else { 9_999 })).unwrap();
        }
        for _ in 0..20 {
            assert!(!ShortBoots::start(&mut storage, ResetReason::BrownOut).unwrap().1);
            assert!(!ShortBoots::start(&mut storage, ResetReason::Watchdog).unwrap().1);
            assert!(!ShortBoots::start(&mut storage, ResetReason::PowerOn).unwrap().1);
        }
    }

    fn filled() -> SimStorage {
        let storage = SimStorage::new();
        let mut writer = storage.clone();
        let names = ["skiff/auth.json", "settings.json", "skiff/wifi.json", "skiff/firmware", "calibration/compass"];
        let plugins = (0..40).map(|number| format!("plugin-config-data/p{number}.json"));
        for name in names.into_iter().map(String::from).chain(plugins) {
            writer.replace(&key(&name).unwrap(), b"{}").unwrap();
        }
        storage
    }

    fn left(storage: &mut SimStorage) -> Vec<String> {
        let mut keys = Vec::new();
        storage
            .list("", &mut |key, _| {
                keys.push(key.to_string());
                ControlFlow::Continue(())
            })
            .unwrap();
        keys.sort();
        keys
    }

    #[test]
    fn only_firmware_and_calibration_stay() {
        let mut storage = filled();
        assert_eq!(erase(&mut storage), Ok(Erased { records: 43 }));
        assert_eq!(left(&mut storage), ["calibration/compass", "skiff/firmware"]);
        assert_eq!(finish(&mut storage), Ok(None));
    }

    #[test]
    fn a_power_cut_at_any_write_does_not_end_it_half_done() {
        for after_writes in 0..50 {
            for leaves in [Survivor::Old, Survivor::New] {
                let mut storage = filled();
                storage.cut_power(PowerCut { after_writes, leaves });
                let cut = erase(&mut storage).is_err();
                storage.power_on();
                finish(&mut storage).unwrap();
                let left = left(&mut storage);
                // Before the mark was there, nothing has happened.
                let untouched = after_writes == 0 && leaves == Survivor::Old && left.len() == 45;
                assert!(untouched || left.len() == 2, "{after_writes} {leaves:?} {cut}: {left:?}");
            }
        }
    }
}
