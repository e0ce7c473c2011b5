//! Bits to bytes, lowest first.

use super::EncodeError;
use crate::n2k::fast_packet::PAYLOAD_BYTES_MAX;
use crate::n2k::payload::Payload;

/// A payload that is being written.
#[derive(Default)]
pub(super) struct Writer {
    payload: Payload,
    /// Bits that do not fill a byte yet, at most 7 between two calls.
    pending: u128,
    pending_bits: u16,
}

impl Writer {
    /// Returns how many bits were written.
    pub fn bits(&self) -> usize {
        self.payload.len() * 8 + usize::from(self.pending_bits)
    }

    /// Writes the lowest `count` (at most 64) of `bits`.
    pub fn push(&mut self, bits: u64, count: u16) -> Result<(), EncodeError> {
        let count = count.min(64);
        self.pending |= (u128::from(bits) & ((1_u128 << count) - 1)) << self.pending_bits;
        self.pending_bits += count;
        while self.pending_bits >= 8 {
            let [byte, ..] = self.pending.to_le_bytes();
            if self.payload.len() >= PAYLOAD_BYTES_MAX {
                return Err(EncodeError::TooLong);
            }
            self.payload.push(byte).map_err(|_| EncodeError::TooLong)?;
            self.pending >>= 8;
            self.pending_bits -= 8;
        }
        Ok(())
    }

    /// Writes `count` ones.
    pub fn ones(&mut self, count: u16) -> Result<(), EncodeError> {
        let mut left = count;
        while left > 0 {
            let part = left.min(64);
            self.push(u64::MAX, part)?;
            left -= part;
        }
        Ok(())
    }

    /// Writes whole bytes.
    pub fn bytes(&mut self, bytes: &[u8]) -> Result<(), EncodeError> {
        bytes.iter().try_for_each(|byte| self.push(u64::from(*byte), 8))
    }

    /// Fills the last byte with ones.
    pub fn finish(mut self) -> Result<Payload, EncodeError> {
        let missing = (8 - self.pending_bits % 8) % 8;
        self.ones(missing)?;
        Ok(self.payload)
    }
}
