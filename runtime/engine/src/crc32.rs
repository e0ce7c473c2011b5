//! CRC-32 (ISO 3309) of an image, a word at a time: an image is summed at each start.

/// What each byte makes of an empty sum, and what it makes of one after as many bytes of zero as the table's number;
/// polynomial 0xedb88320, its lowest power in the highest bit.
#[expect(clippy::indexing_slicing, reason = "worked out by the compiler, where a wrong index does not compile")]
static TABLES: [[u32; 256]; 4] = {
    let mut tables = [[0; 256]; 4];
    let mut value = 0;
    while value < 256 {
        let mut sum = value as u32;
        let mut table = 0;
        while table < 4 {
            let mut bit = 0;
            while bit < 8 {
                sum = (sum >> 1) ^ (0xedb8_8320 & 0_u32.wrapping_sub(sum & 1));
                bit += 1;
            }
            tables[table][value] = sum;
            table += 1;
        }
        value += 1;
    }
    tables
};

/// Looks a byte up, the lowest of a word.
const fn looked_up(table: &[u32; 256], byte: u32) -> u32 {
    #[expect(clippy::indexing_slicing, reason = "a byte is below 256, and the table has 256 entries")]
    table[(byte & 0xff) as usize]
}

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
        let [one, ..] = &TABLES;
        Self(bytes.iter().fold(self.0, |sum, byte| looked_up(one, sum ^ u32::from(*byte)) ^ (sum >> 8)))
    }

    /// Goes on over the bytes of a little-endian word.
    pub(crate) fn with_word(self, word: u32) -> Self {
        let [last, third, second, first] = &TABLES;
        let sum = self.0 ^ word;
        Self(
            looked_up(first, sum)
                ^ looked_up(second, sum >> 8)
                ^ looked_up(third, sum >> 16)
                ^ looked_up(last, sum >> 24),
        )
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

    #[test]
    fn a_word_is_its_four_bytes() {
        let mut word = 1_u32;
        let (mut by_words, mut by_bytes) = (Crc32::default(), Crc32::default());
        for _ in 0..1000 {
            word = word.wrapping_mul(0x9e37_79b9).rotate_left(7);
            (by_words, by_bytes) = (by_words.with_word(word), by_bytes.with(&word.to_le_bytes()));
            assert_eq!(by_words.sum(), by_bytes.sum());
        }
    }
}
