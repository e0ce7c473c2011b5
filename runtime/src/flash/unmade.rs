//! Without the engine for chips this machine makes no images: nothing can go when there is no room.

use super::Flash;
use super::images::Run;
use super::storage::FlashStorage;
use crate::hal::StorageError;

/// Whether an entry is an image that can be made again: none is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Made;

impl Made {
    pub const fn of(_: &str) -> Self {
        Self
    }

    pub const fn can_go(self) -> bool {
        false
    }
}

impl<F: Flash> FlashStorage<F> {
    #[expect(clippy::unused_self, reason = "as where there are such images")]
    pub(super) const fn run_at_a_cost(&mut self, _: u32) -> Result<Run, StorageError> {
        Err(StorageError::Full)
    }
}
