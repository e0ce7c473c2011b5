//! Images that this machine made itself: written piece by piece, and the first to go when there is no room.

use embedded_storage::nor_flash::{NorFlash, ReadNorFlash};

use super::images::{Run, failed, sectors};
use super::storage::{Entry, FlashStorage, Place};
use super::{Flash, SECTOR_BYTES};
use crate::crc32::Crc32;
use crate::hal::{APPEND_BYTES_MAX, Draft, IMAGES_MADE, Images, Key, Mapped, StorageError};

/// Whether an entry is such an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Made(bool);

impl Made {
    /// Tells it by the name.
    pub fn of(name: &str) -> Self {
        Self(name.starts_with(IMAGES_MADE))
    }

    /// Tells whether it can be made again.
    pub const fn can_go(self) -> bool {
        self.0
    }
}

impl<F: Flash> FlashStorage<F> {
    /// Finds a run, for which the oldest of what nobody reads goes, and no more than has to.
    pub(super) fn run_at_a_cost(&mut self, bytes: u32) -> Result<Run, StorageError> {
        // Where everything that can go would not be enough, nothing does.
        self.area.find(bytes, Self::runs_that_stay(&self.entries))?;
        loop {
            match self.area.find(bytes, Self::runs(&self.entries)) {
                Err(StorageError::Full) => {}
                found => return found,
            }
            let area = &self.area;
            let unused = |entry: &&Entry| entry.made.can_go() && entry.run().is_some_and(|run| !area.is_leased(&run));
            let oldest = self.entries.iter().filter(unused).min_by_key(|entry| entry.generation).copied();
            let oldest = oldest.ok_or(StorageError::Full)?;
            log::info!("flash: an image of {} bytes makes room, it is made again when it is needed", oldest.bytes);
            self.forget(oldest.name)?;
        }
    }
}

impl<F: Flash> Images for FlashStorage<F> {
    fn begin_image(&mut self, key: &Key, bytes: u32) -> Result<Draft, StorageError> {
        if !Made::of(key.as_str()).can_go() {
            return Err(StorageError::ReadOnly);
        }
        self.write(|storage| {
            let run = storage.run_for(bytes)?;
            let entry = storage.new_entry(key, bytes, 0, Place::Image(run.start));
            let is_new = storage.find(entry.name).is_none();
            storage.admit(entry.record_bytes(), is_new)?;
            let sector = run.start;
            let lease = storage.area.lease(run);
            Ok(Draft { key: key.clone(), bytes, written: 0, crc: Crc32::default(), sector, _lease: lease })
        })
    }

    fn write_image(&mut self, draft: &mut Draft, bytes: &[u8]) -> Result<(), StorageError> {
        if bytes.len() > draft.left() as usize || bytes.len() > APPEND_BYTES_MAX {
            return Err(StorageError::TooLong { bytes: draft.bytes });
        }
        let run = draft.sector..draft.sector.saturating_add(sectors(draft.bytes));
        let addresses = self.area.addresses(&run).ok_or(StorageError::Failed)?;
        let address = addresses.start.checked_add(draft.written).ok_or(StorageError::Failed)?;
        let end = address.saturating_add(bytes.len() as u32);
        let (flash, buffer) = self.map.flash();
        // The first sector that begins among these bytes; there is at most one.
        let sector = address.next_multiple_of(SECTOR_BYTES);
        if sector < end {
            NorFlash::erase(flash, sector, sector.saturating_add(SECTOR_BYTES)).map_err(failed)?;
        }
        let words = buffer.0.get_mut(..bytes.len()).ok_or(StorageError::Failed)?;
        words.copy_from_slice(bytes);
        NorFlash::write(flash, address, words).map_err(failed)?;
        words.fill(0);
        ReadNorFlash::read(flash, address, words).map_err(failed)?;
        if words != bytes {
            log::warn!("flash: an image does not read back as it was written");
            return Err(StorageError::Failed);
        }
        draft.written = draft.written.saturating_add(bytes.len() as u32);
        draft.crc = draft.crc.with(bytes);
        Ok(())
    }

    fn commit_image(&mut self, draft: Draft) -> Result<(), StorageError> {
        if draft.left() > 0 {
            return Err(StorageError::Failed);
        }
        self.write(|storage| {
            let entry = storage.new_entry(&draft.key, draft.bytes, draft.crc.sum(), Place::Image(draft.sector));
            let is_new = storage.find(entry.name).is_none();
            storage.admit(entry.record_bytes(), is_new)?;
            storage.commit(&draft.key, entry)
        })
    }

    fn image(&mut self, key: &Key) -> Option<Mapped> {
        self.in_place(key).map(|(bytes, _, lease)| Mapped::new(bytes, lease))
    }
}
