//! The trial of new firmware: starts are counted, good health confirms it, anything else rolls it back.

use core::time::Duration;

use crate::hal::{Firmware, FlashFailed, Key, Slot, Storage, StorageError};
use crate::time::Instant;

/// Bytes of a version that are kept.
pub const VERSION_BYTES_MAX: usize = 32;
/// Starts that a new image gets.
const STARTS_MAX: u8 = 3;
/// It is confirmed after being in good health for this long without a break,
const CONFIRM_AFTER: Duration = Duration::from_secs(60);
/// and rolled back when it was not by then.
const CONFIRM_UNTIL: Duration = Duration::from_secs(600);

const KEY: &str = "skiff/firmware";
/// Layout, state, slot, starts; then the version.
const RECORD_BYTES_MAX: u32 = 4 + VERSION_BYTES_MAX as u32;
const LAYOUT: u8 = 1;
const TRYING: u8 = 1;
const ROLLED_BACK: u8 = 2;

/// What the record says.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Record {
    state: u8,
    slot: Slot,
    starts: u8,
    version: heapless::String<VERSION_BYTES_MAX>,
}

impl Record {
    /// Reads the record; one that is damaged counts as none, since without one the image that runs is taken as good.
    fn load(storage: &mut dyn Storage) -> Result<Option<Self>, StorageError> {
        let data = match storage.read_all(&key()?, RECORD_BYTES_MAX) {
            Ok(data) => data,
            Err(StorageError::NotFound | StorageError::TooLong { .. }) => return Ok(None),
            Err(error) => return Err(error),
        };
        let [LAYOUT, state @ (TRYING | ROLLED_BACK), slot @ (0 | 1), starts, version @ ..] = &*data else {
            return Ok(None);
        };
        let slot = if *slot == 0 { Slot::First } else { Slot::Second };
        let version = core::str::from_utf8(version).unwrap_or_default();
        let version = heapless::String::try_from(version).unwrap_or_default();
        Ok(Some(Self { state: *state, slot, starts: *starts, version }))
    }

    fn save(&self, storage: &mut dyn Storage) -> Result<(), StorageError> {
        let mut data = heapless::Vec::<u8, { RECORD_BYTES_MAX as usize }>::new();
        let head = [LAYOUT, self.state, self.slot.index(), self.starts];
        // Four bytes and a version that is no longer than its place.
        let _ = data.extend_from_slice(&head);
        let _ = data.extend_from_slice(self.version.as_bytes());
        storage.replace(&key()?, &data)
    }
}

fn key() -> Result<Key, StorageError> {
    Key::parse(KEY).map_err(|_| StorageError::Failed)
}

/// Result of the check at a start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Start {
    /// Confirmed firmware runs.
    Normal,
    /// New firmware runs and has to prove itself.
    OnTrial(Trial),
    /// New firmware failed; the one before runs again.
    RolledBack {
        /// Version that failed.
        version: heapless::String<VERSION_BYTES_MAX>,
    },
    /// This firmware had its starts, and the boot loader's choice is the one before: restart now.
    Restart,
}

/// How a trial goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TrialEnd {
    /// Undecided.
    Running,
    /// Confirmed.
    Confirmed,
    /// The boot loader's choice is the firmware before: restart now.
    Restart,
}

/// New firmware on trial.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trial {
    slot: Slot,
    version: heapless::String<VERSION_BYTES_MAX>,
    healthy_since: Option<Instant>,
}

impl Trial {
    /// Writes down that the image in `slot` is to be tried.
    pub(super) fn announce(storage: &mut dyn Storage, slot: Slot, version: &str) -> Result<(), StorageError> {
        let version = heapless::String::try_from(version).unwrap_or_default();
        Record { state: TRYING, slot, starts: 0, version }.save(storage)
    }

    /// Tells whether new firmware is on trial, or waits for its first start.
    pub(super) fn is_on(storage: &mut dyn Storage) -> Result<bool, StorageError> {
        Ok(Record::load(storage)?.is_some_and(|record| record.state == TRYING))
    }

    /// Looks at the record at the start of the board, as early as possible: a start that comes this far is counted.
    ///
    /// # Errors
    /// [`StorageError`] of the medium, [`StorageError::Failed`] where the boot loader's choice cannot be changed.
    pub fn start(flash: &mut dyn Firmware, storage: &mut dyn Storage) -> Result<Start, StorageError> {
        let Some(mut record) = Record::load(storage)? else { return Ok(Start::Normal) };
        if record.state == ROLLED_BACK {
            return Ok(Start::RolledBack { version: record.version });
        }
        if flash.running() != record.slot {
            if record.starts == 0 {
                // The power went before the boot loader's choice was changed: the update did not happen.
                storage.remove(&key()?)?;
                return Ok(Start::Normal);
            }
            // It was rolled back, and the power went before that was written down.
            record.state = ROLLED_BACK;
            record.save(storage)?;
            return Ok(Start::RolledBack { version: record.version });
        }
        if record.starts >= STARTS_MAX {
            return roll_back(flash, storage, record).map(|()| Start::Restart);
        }
        record.starts = record.starts.saturating_add(1);
        record.save(storage)?;
        Ok(Start::OnTrial(Self { slot: record.slot, version: record.version, healthy_since: None }))
    }

    /// Returns the version on trial.
    #[must_use]
    pub fn version(&self) -> &str {
        &self.version
    }

    /// Takes note of the board's health: the network is up or needs none, and the bus or a client was heard.
    ///
    /// # Errors
    /// [`StorageError`] of the medium; ask again.
    pub fn poll(
        &mut self,
        flash: &mut dyn Firmware,
        storage: &mut dyn Storage,
        is_healthy: bool,
        now: Instant,
    ) -> Result<TrialEnd, StorageError> {
        if is_healthy {
            let since = *self.healthy_since.get_or_insert(now);
            if now.since(since) >= CONFIRM_AFTER {
                storage.remove(&key()?)?;
                return Ok(TrialEnd::Confirmed);
            }
            return Ok(TrialEnd::Running);
        }
        self.healthy_since = None;
        if now.since(Instant::default()) < CONFIRM_UNTIL {
            return Ok(TrialEnd::Running);
        }
        let record = Record { state: TRYING, slot: self.slot, starts: STARTS_MAX, version: self.version.clone() };
        roll_back(flash, storage, record).map(|()| TrialEnd::Restart)
    }
}

/// Chooses the firmware before. The choice first: a power cut behind it leaves a record that says the rest.
fn roll_back(flash: &mut dyn Firmware, storage: &mut dyn Storage, mut record: Record) -> Result<(), StorageError> {
    flash.start_next(record.slot.other()).map_err(|FlashFailed| StorageError::Failed)?;
    record.state = ROLLED_BACK;
    record.save(storage)
}
