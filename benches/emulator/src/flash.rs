//! The flash chip: 4 MiB of NOR flash. Bits are cleared by writing and set by erasing, and both take their time.

use crate::bus::PER_US;

/// Bytes of the chip.
pub const BYTES: usize = 4 * 1024 * 1024;
/// Bytes of a sector.
const SECTOR: usize = 4096;
/// Time to erase a sector (typical of the chips on modules: W25Q32JV, table 9.6).
const ERASE_US: u64 = 45_000;
/// Time to write 256 bytes (as above).
const PROGRAM_US: u64 = 700;

/// The chip.
#[derive(Clone, Debug)]
pub struct Flash {
    /// What it holds.
    pub bytes: Vec<u8>,
    /// It cannot be read until then.
    pub busy_until: Option<u64>,
    /// Changes so far, and after how many the power goes.
    pub changes: u64,
    /// The power is cut in the middle of this change.
    pub cut_at: Option<u64>,
}

impl Flash {
    /// Returns one with the content of a file from its first byte.
    #[must_use]
    pub fn with(content: &[u8]) -> Self {
        let mut bytes = vec![0xff; BYTES];
        bytes.iter_mut().zip(content).for_each(|(to, from)| *to = *from);
        Self { bytes, busy_until: None, changes: 0, cut_at: None }
    }

    /// Tells whether it cannot be read.
    #[must_use]
    pub fn is_busy(&self, now: u64) -> bool {
        self.busy_until.is_some_and(|until| now < until)
    }

    /// Erases sectors; `None` where there are none, or the power goes in the middle.
    pub fn erase(&mut self, at: usize, bytes: usize, now: u64) -> Option<()> {
        let is_cut = self.count();
        let sectors = self.bytes.get_mut(at..at.checked_add(bytes)?)?;
        let done = if is_cut { bytes / 2 } else { bytes };
        sectors.get_mut(..done)?.fill(0xff);
        self.busy_until = Some(now + (bytes / SECTOR) as u64 * ERASE_US * PER_US);
        (!is_cut).then_some(())
    }

    /// Writes bytes; as above.
    pub fn program(&mut self, at: usize, data: &[u8], now: u64) -> Option<()> {
        let is_cut = self.count();
        let place = self.bytes.get_mut(at..at.checked_add(data.len())?)?;
        let done = if is_cut { data.len() / 2 } else { data.len() };
        place.iter_mut().zip(data).take(done).for_each(|(to, from)| *to &= from);
        self.busy_until = Some(now + data.len().div_ceil(256) as u64 * PROGRAM_US * PER_US);
        (!is_cut).then_some(())
    }

    fn count(&mut self) -> bool {
        self.changes += 1;
        self.cut_at == Some(self.changes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writing_clears_bits_and_erasing_sets_them() {
        let mut flash = Flash::with(&[0x0f, 0xff]);
        assert_eq!(flash.program(0, &[0xf1, 0x55], 0), Some(()));
        assert_eq!(flash.bytes[..3], [0x01, 0x55, 0xff]);
        assert!(flash.is_busy(1) && !flash.is_busy(PROGRAM_US * PER_US));
        assert_eq!(flash.erase(0, SECTOR, 0), Some(()));
        assert_eq!(flash.bytes[..2], [0xff, 0xff]);
        assert_eq!(flash.erase(BYTES - 100, SECTOR, 0), None, "beyond its end");
    }

    #[test]
    fn a_cut_leaves_half() {
        let mut flash = Flash { cut_at: Some(1), ..Flash::with(&[]) };
        assert_eq!(flash.program(0, &[0; 8], 0), None);
        assert_eq!(flash.bytes[..8], [0, 0, 0, 0, 255, 255, 255, 255]);
    }
}
