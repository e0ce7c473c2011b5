//! CRC-32 (ISO 3309) of an image, by a table of 16 words: an image is summed once at its start.

/// What each value of four bits makes of an empty sum; polynomial 0xedb88320, its lowest power in the highest bit.
const TABLE: [u32; 16] = {
    let mut table = [0; 16];
    let mut value = 0;
    while value < 16 {
        let mut sum = value;
        let mut bit = 0;
        while bit < 4 {
            sum = (sum >> 1) ^ (0xedb8_8320 & 0_u32.wrapping_sub(sum & 1));
            bit += 1;
        }
        #[expect(clippy::indexing_slicing, reason = "worked out by the compiler, where a wrong index does not compile")]
        {
            table[value as usize] = sum;
        }
        value += 1;
    }
    table
};

/// A sum that is not finished.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Crc32(u32);

impl Default for Crc32 {
    fn default() -> Self {
        Self(u32::MAX)
    }
}

impl Crc32 {
    /// Goes on over more bytes.
    pub(crate) fn with(self, bytes: &[u8]) -> Self {
        let nibble = |sum: u32| TABLE.get((sum & 15) as usize).copied().unwrap_or_default() ^ (sum >> 4);
        Self(bytes.iter().fold(self.0, |sum, byte| nibble(nibble(sum ^ u32::from(*byte)))))
    }

    /// Returns the sum.
    pub(crate) const fn sum(self) -> u32 {
        !self.0
    }
}

#[cfg(test)]
mod tests {
    use super::Crc32;

    #[test]
    fn the_check_value_of_the_catalogues_comes_out() {
        assert_eq!(Crc32::default().with(b"1234").with(b"56789").sum(), 0xcbf4_3926);
    }
}
