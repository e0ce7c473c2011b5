//! Back to how the board was made: who asks for it, and what goes.

use alloc::vec::Vec;
use core::fmt;
use core::ops::ControlFlow;
use core::time::Duration;

use super::ResetReason;
use crate::hal::{Key, Storage, StorageError};
use crate::time::Instant;

/// The button is held for this long.
pub const HOLD: Duration = Duration::from_secs(10);
/// Or the board is started so many times in a row,
pub const SHORT_BOOTS: u8 = 5;
/// each time for less than this.
pub const SHORT_BOOT: Duration = Duration::from_secs(10);
/// A contact bounces for less than this.
const BOUNCE: Duration = Duration::from_millis(50);
/// Keys that stay: what firmware is there, and what was measured on the boat.
const KEPT: [&str; 2] = ["skiff/firmware", "calibration/"];
/// There while a reset is on its way, so that a power cut does not end it half done.
const MARK: &str = "skiff/resetting";
const BOOTS: &str = "skiff/boots";
/// Keys taken from the storage at once.
const KEYS_AT_ONCE: usize = 16;

/// A button that is held.
#[derive(Clone, Copy, Debug, Default)]
pub struct Hold {
    /// Seen released since the start: one that is stuck, or held to reach the loader, asks for nothing.
    released: bool,
    down_since: Option<Instant>,
    up_since: Option<Instant>,
    asked: bool,
}

impl Hold {
    /// Takes the state of the button; true once, when it has been held for [`HOLD`].
    pub fn sample(&mut self, is_down: bool, now: Instant) -> bool {
        if !is_down {
            let since = *self.up_since.get_or_insert(now);
            if now.since(since) >= BOUNCE {
                (self.down_since, self.asked, self.released) = (None, false, true);
            }
            return false;
        }
        self.up_since = None;
        if !self.released {
            return false;
        }
        let since = *self.down_since.get_or_insert(now);
        let asks = !self.asked && now.since(since) >= HOLD;
        self.asked |= asks;
        asks
    }

    /// Returns how long it has been held, for a light that shows it.
    #[must_use]
    pub fn held(&self, now: Instant) -> Duration {
        self.down_since.map_or(Duration::ZERO, |since| now.since(since))
    }
}

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

/// What a reset did.
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
    use crate::hal::sim::{PowerCut, SimRng, SimStorage, Survivor};
    use std::format;
    use std::string::{String, ToString};

    fn at(millis: u64) -> Instant {
        Instant::from_millis(millis)
    }

    /// Holds the button from 1 s on, sampled each 10 ms; returns when it asked.
    fn asked(until: u64, is_down: impl Fn(u64) -> bool) -> Vec<u64> {
        let mut hold = Hold::default();
        (0..until).step_by(10).filter(|millis| hold.sample(is_down(*millis), at(*millis))).collect()
    }

    #[test]
    fn ten_seconds_ask_once() {
        assert_eq!(asked(60_000, |millis| millis >= 1_000), [11_000]);
        assert_eq!(asked(60_000, |millis| (1_000..10_900).contains(&millis)), [0; 0]);
        assert_eq!(asked(60_000, |millis| millis >= 1_000 && millis % 5_000 > 100), [0; 0]);
        // Bounces of the contact do not end it.
        assert_eq!(asked(20_000, |millis| millis >= 1_000 && millis != 5_000), [11_000]);
        assert_eq!(asked(40_000, |millis| millis > 1_000 && !(15_000..16_000).contains(&millis)).len(), 2);
    }

    #[test]
    fn a_button_that_is_stuck_from_the_start_asks_for_nothing() {
        assert_eq!(asked(60_000, |_| true), [0; 0]);
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

    #[test]
    fn secrets_are_made_anew_afterwards() {
        let (storage, mut rng) = (SimStorage::new(), SimRng::new(1));
        let mut secret = || crate::device::SetUpAccess::open_or_create(&mut storage.clone(), &mut rng).unwrap();
        let before = secret();
        assert_eq!(before, secret());
        erase(&mut storage.clone()).unwrap();
        assert_ne!(before, secret());
    }
}
