//! CRC-32 (ISO 3309, gzip, zlib): checksums of records in flash, of packages, of the boot loader's choice.
//!
//! One table of 1 KiB. Faster ones take 16 KiB, which a chip's flash has better uses for; what is summed here is short.

/// The polynomial, its lowest power in the highest bit.
const POLYNOMIAL: u32 = 0xedb8_8320;
/// What each value of a byte makes of an empty sum.
const TABLE: [u32; 256] = table();

/// A sum that is not finished.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Crc32(u32);

impl Default for Crc32 {
    fn default() -> Self {
        Self::after(0)
    }
}

impl Crc32 {
    /// Goes on after bytes whose sum is known; that of no bytes is 0.
    #[must_use]
    pub const fn after(sum: u32) -> Self {
        Self(!sum)
    }

    /// Goes on over more bytes.
    #[must_use]
    pub fn with(self, bytes: &[u8]) -> Self {
        Self(bytes.iter().fold(self.0, |sum, byte| {
            let [low, ..] = sum.to_le_bytes();
            // Never missing: the table has a place for each value of a byte.
            let places = TABLE.get(usize::from(low ^ byte)).copied().unwrap_or_default();
            places ^ (sum >> 8)
        }))
    }

    /// Returns the sum.
    #[must_use]
    pub const fn sum(self) -> u32 {
        !self.0
    }
}

/// Returns the CRC-32 of bytes.
#[must_use]
pub fn crc32(bytes: &[u8]) -> u32 {
    Crc32::default().with(bytes).sum()
}

/// Divides each byte by the polynomial, a bit at a time.
#[expect(clippy::indexing_slicing, reason = "worked out by the compiler, where a wrong index does not compile")]
const fn table() -> [u32; 256] {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < table.len() {
        let mut sum = byte as u32;
        let mut bit = 0;
        while bit < u8::BITS {
            sum = (sum >> 1) ^ (POLYNOMIAL & 0_u32.wrapping_sub(sum & 1));
            bit += 1;
        }
        table[byte] = sum;
        byte += 1;
    }
    table
}

#[cfg(test)]
mod tests {
    use super::{Crc32, crc32};

    #[test]
    fn the_check_value_of_the_catalogues_comes_out() {
        assert_eq!(crc32(b"123456789"), 0xcbf4_3926);
        assert_eq!(crc32(b""), 0);
    }

    #[test]
    fn a_sum_in_pieces_is_that_of_the_whole() {
        let bytes: Vec<u8> = (0..=u8::MAX).cycle().take(1000).collect();
        for cut in [0, 1, 9, 999, 1000] {
            let (before, behind) = bytes.split_at(cut);
            assert_eq!(Crc32::after(crc32(before)).with(behind).sum(), crc32(&bytes), "cut at {cut}");
        }
    }

    #[test]
    fn a_bit_that_is_wrong_is_seen() {
        let bytes = [0x5a_u8; 40];
        for bit in 0..bytes.len() * 8 {
            let mut wrong = bytes;
            wrong[bit / 8] ^= 1 << (bit % 8);
            assert_ne!(crc32(&wrong), crc32(&bytes), "bit {bit}");
        }
    }
}
