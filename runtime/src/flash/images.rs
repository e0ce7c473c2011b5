//! The raw area: one run of sectors for each image.

use alloc::vec::Vec;
use core::ops::Range;

use embedded_storage::nor_flash::{NorFlash, ReadNorFlash};

use super::device::Flash;
use super::map::Buffer;
use super::{Layout, SECTOR_BYTES};
use crate::hal::{Lease, StorageError};
use crate::sorted;

/// Sectors of one image, counted from the start of the area.
pub type Run = Range<u16>;

/// Returns how many sectors `bytes` take.
pub fn sectors(bytes: u32) -> u16 {
    // The area has at most u16::MAX sectors; what needs more does not fit.
    u16::try_from(bytes.div_ceil(SECTOR_BYTES)).unwrap_or(u16::MAX)
}

/// The area of images.
pub struct Area {
    range: Range<u32>,
    /// Runs that somebody reads in place, perhaps longer than the image is stored.
    leased: Vec<(Run, Lease)>,
}

pub(super) fn failed<E: core::fmt::Debug>(error: E) -> StorageError {
    log::warn!("flash: {error:?}");
    StorageError::Failed
}

impl Area {
    /// Takes the area of a layout.
    pub fn new(layout: &Layout) -> Self {
        Self { range: layout.images.clone(), leased: Vec::new() }
    }

    /// Returns the area's bytes.
    pub fn bytes(&self) -> u32 {
        self.range.end.saturating_sub(self.range.start)
    }

    /// Returns the gaps between `stored` runs and those that are read in place, in order.
    fn gaps(&mut self, stored: impl Iterator<Item = Run>) -> Vec<Run> {
        self.leased.retain(|(_, lease)| lease.is_shared());
        let mut busy: Vec<Run> = stored.chain(self.leased.iter().map(|(run, _)| run.clone())).collect();
        sorted::sort_by(&mut busy, |a, b| a.start < b.start);
        let end = sectors(self.bytes());
        let mut gaps = Vec::new();
        let mut free_from = 0;
        for run in busy {
            if run.start > free_from {
                gaps.push(free_from..run.start);
            }
            free_from = free_from.max(run.end);
        }
        if end > free_from {
            gaps.push(free_from..end);
        }
        gaps
    }

    /// Returns the bytes of the largest image that could be stored beside the others.
    pub fn free_bytes(&mut self, stored: impl Iterator<Item = Run>) -> u32 {
        let longest = self.gaps(stored).into_iter().map(|gap| gap.end.saturating_sub(gap.start)).max();
        u32::from(longest.unwrap_or(0)).saturating_mul(SECTOR_BYTES)
    }

    /// Finds the smallest gap that takes `bytes`.
    pub fn find(&mut self, bytes: u32, stored: impl Iterator<Item = Run>) -> Result<Run, StorageError> {
        let wanted = sectors(bytes);
        let fits = |gap: &Run| gap.end.saturating_sub(gap.start) >= wanted;
        let gap = self.gaps(stored).into_iter().filter(fits).min_by_key(|gap| gap.end.saturating_sub(gap.start));
        let start = gap.ok_or(StorageError::Full)?.start;
        Ok(start..start.saturating_add(wanted))
    }

    /// Returns where a run lies in the flash; `None` when it leaves the area.
    pub fn addresses(&self, run: &Run) -> Option<Range<u32>> {
        let address = |sector: u16| self.range.start.checked_add(u32::from(sector).checked_mul(SECTOR_BYTES)?);
        let (start, end) = (address(run.start)?, address(run.end)?);
        (start <= end && end <= self.range.end).then_some(start..end)
    }

    /// Writes `data` to a free run, and reads it back.
    pub fn write<F: Flash>(
        &self,
        flash: &mut F,
        buffer: &mut Buffer,
        run: &Run,
        data: &[u8],
    ) -> Result<(), StorageError> {
        let addresses = self.addresses(run).ok_or(StorageError::Full)?;
        NorFlash::erase(flash, addresses.start, addresses.end).map_err(failed)?;
        // One program page of the usual chips at a time.
        for (address, piece) in (addresses.start..addresses.end).step_by(256).zip(data.chunks(256)) {
            let words = buffer.0.get_mut(..piece.len().next_multiple_of(4)).ok_or(StorageError::Failed)?;
            words.fill(0xff);
            words.iter_mut().zip(piece).for_each(|(to, from)| *to = *from);
            NorFlash::write(flash, address, words).map_err(failed)?;
        }
        for (address, piece) in (addresses.start..addresses.end).step_by(256).zip(data.chunks(256)) {
            let words = buffer.0.get_mut(..piece.len().next_multiple_of(4)).ok_or(StorageError::Failed)?;
            ReadNorFlash::read(flash, address, words).map_err(failed)?;
            if words.get(..piece.len()) != Some(piece) {
                log::warn!("flash: an image does not read back as it was written");
                return Err(StorageError::Failed);
            }
        }
        Ok(())
    }

    /// Reads part of an image into `out`.
    pub fn read<F: Flash>(
        &self,
        flash: &mut F,
        buffer: &mut Buffer,
        run: &Run,
        offset: u32,
        out: &mut [u8],
    ) -> Result<(), StorageError> {
        let addresses = self.addresses(run).ok_or(StorageError::Failed)?;
        let mut address = addresses.start.checked_add(offset).ok_or(StorageError::Failed)?;
        let mut rest = out;
        while !rest.is_empty() {
            let skipped = (address % 4) as usize;
            let count = rest.len().min(256);
            let (piece, after) = rest.split_at_mut_checked(count).ok_or(StorageError::Failed)?;
            let wanted = skipped.saturating_add(count).next_multiple_of(4);
            let words = buffer.0.get_mut(..wanted).ok_or(StorageError::Failed)?;
            ReadNorFlash::read(flash, address - address % 4, words).map_err(failed)?;
            let bytes = words.get(skipped..).unwrap_or_default();
            piece.iter_mut().zip(bytes).for_each(|(to, from)| *to = *from);
            address = address.checked_add(u32::try_from(count).unwrap_or(0)).ok_or(StorageError::Failed)?;
            rest = after;
        }
        Ok(())
    }

    /// Tells whether somebody reads a run in place, or writes it.
    #[cfg(feature = "engine-chip")]
    pub fn is_leased(&self, run: &Run) -> bool {
        let overlaps = |other: &Run| other.start < run.end && run.start < other.end;
        self.leased.iter().any(|(other, lease)| lease.is_shared() && overlaps(other))
    }

    /// Keeps a run from being written while `lease` lives.
    pub fn lease(&mut self, run: Run) -> Lease {
        if let Some((_, lease)) = self.leased.iter().find(|(leased, _)| *leased == run) {
            return lease.clone();
        }
        let lease = Lease::new();
        self.leased.push((run, lease.clone()));
        lease
    }
}
