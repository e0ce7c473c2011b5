//! Bits of an AIS message, six a letter, and the sentences that carry them (ITU-R M.1371-5 §3, IEC 61162-1 VDM).

use super::line::{Line, Talker, Writer};

/// Letters of the longest message that is made: type 5, 424 bits.
const LETTERS_MAX: usize = 71;
/// Letters that one sentence carries within 82 bytes.
const LETTERS_PER_SENTENCE: usize = 60;

/// Bits of a message, from the first one on.
#[derive(Default)]
pub(super) struct Bits {
    letters: heapless::Vec<u8, LETTERS_MAX>,
    /// The bits of the next letter, and how many there are.
    part: u8,
    filled: u8,
}

impl Bits {
    /// Adds the lowest `count` bits of a number.
    pub fn put(&mut self, number: u32, count: u32) -> &mut Self {
        for bit in (0..count).rev() {
            self.part = self.part << 1 | u8::from(number.checked_shr(bit).unwrap_or(0) & 1 == 1);
            self.filled += 1;
            if self.filled == 6 {
                // No message that is made is longer.
                let _ = self.letters.push(armoured(self.part));
                (self.part, self.filled) = (0, 0);
            }
        }
        self
    }

    /// Adds the lowest `count` bits of a number below or above zero, two's complement.
    pub fn put_signed(&mut self, number: i32, count: u32) -> &mut Self {
        self.put(number.cast_unsigned(), count)
    }

    /// Adds a text of so many letters of six bits, filled with `@`; what has no letter is `?`.
    pub fn put_text(&mut self, text: &str, letters: usize) -> &mut Self {
        let mut text = text.chars();
        for _ in 0..letters {
            let letter = text.next().map_or('@', |letter| letter.to_ascii_uppercase());
            let code = match u32::from(letter) {
                code @ 0x40..0x60 => code - 0x40,
                code @ 0x20..0x40 => code,
                _ => u32::from(b'?'),
            };
            self.put(code, 6);
        }
        self
    }

    /// Gives the sentences of the message, `VDM` or `VDO`; `sequence` is the number of a message of several.
    pub fn sentences(mut self, talker: Talker, name: &str, sequence: u8, mut give: impl FnMut(Line)) {
        let fill = (6 - self.filled) % 6;
        if fill > 0 {
            self.put(0, fill.into());
        }
        let count = self.letters.len().div_ceil(LETTERS_PER_SENTENCE);
        for (index, letters) in self.letters.chunks(LETTERS_PER_SENTENCE).enumerate() {
            let number = index + 1;
            let mut line = Writer::new('!', talker, name);
            line.field(count).field(number);
            if count > 1 {
                line.field(sequence % 10)
            } else {
                line.field("")
            };
            // Letters of ASCII.
            line.field("A").field(core::str::from_utf8(letters).unwrap_or_default());
            line.field(if number == count { fill } else { 0 });
            if let Some(line) = line.finish() {
                give(line);
            }
        }
    }
}

/// Returns the letter of six bits.
fn armoured(bits: u8) -> u8 {
    if bits < 40 { bits + 48 } else { bits + 56 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::string::{String, ToString};
    use std::vec::Vec;

    fn lines(bits: Bits) -> Vec<String> {
        let mut lines = Vec::new();
        bits.sentences(Talker::AI, "VDM", 13, |line| lines.push(line.to_string()));
        lines
    }

    #[test]
    fn bits_become_letters_and_what_is_missing_of_one_is_filled() {
        let mut bits = Bits::default();
        // ITU-R M.1371-5, table of letters: 0 is `0`, 39 is `W`, 40 is a grave accent, 63 is `w`.
        bits.put(0, 6).put(39, 6).put(40, 6).put_signed(-1, 6).put(1, 1);
        assert_eq!(lines(bits), ["!AIVDM,1,1,,A,0W`wP,5*03\r\n"]);
    }

    #[test]
    fn texts_are_six_bits_a_letter() {
        let mut bits = Bits::default();
        bits.put_text("aZ 9é", 6);
        assert_eq!(lines(bits), ["!AIVDM,1,1,,A,1JPqw0,0*3B\r\n"]);
    }

    #[test]
    fn a_long_message_is_two_sentences() {
        let mut bits = Bits::default();
        (0..70).for_each(|_| {
            bits.put(1, 6);
        });
        let lines = lines(bits);
        assert_eq!(lines.len(), 2);
        assert!(lines[0].starts_with("!AIVDM,2,1,3,A,1111") && lines[1].starts_with("!AIVDM,2,2,3,A,1111111111,0*"));
        assert_eq!(lines[0].len(), 82);
    }
}
