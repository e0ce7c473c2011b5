//! Text as devices send it: padded, cut, and in one of several encodings.

use core::fmt;

/// Letters of one text at most: the longest field has 230 bytes, a counted one 255.
pub const TEXT_LETTERS_MAX: usize = 255;

/// Text of a payload, its padding taken off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FieldText<'a> {
    bytes: &'a [u8],
    encoding: Encoding,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Encoding {
    /// UTF-8 where it is, else Latin-1.
    Bytes,
    /// UTF-16, low byte first.
    Wide,
}

impl<'a> FieldText<'a> {
    /// Reads a field of fixed length: padding (ones, blanks, zeros, `@`) taken off, cut at the first zero.
    pub(super) fn fixed(bytes: &'a [u8]) -> Option<Self> {
        let end = bytes.iter().rposition(|byte| !matches!(byte, 0xff | b' ' | 0 | b'@'));
        let bytes = end.and_then(|end| bytes.get(..=end)).unwrap_or_default();
        let cut = bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len());
        Self { bytes: bytes.get(..cut).unwrap_or_default(), encoding: Encoding::Bytes }.unless_empty()
    }

    /// Reads text behind its length, as it is.
    pub(super) fn counted(bytes: &'a [u8]) -> Option<Self> {
        Self { bytes, encoding: Encoding::Bytes }.unless_empty()
    }

    /// Reads text behind its length and control byte (0: UTF-16, 1: bytes): one zero at the end and blanks taken off.
    pub(super) fn coded(control: u8, bytes: &'a [u8]) -> Option<Self> {
        let text = match control {
            0 => {
                let whole = bytes.len() & !1;
                let bytes = bytes.get(..whole).unwrap_or_default();
                Self { bytes: bytes.strip_suffix(&[0, 0]).unwrap_or(bytes), encoding: Encoding::Wide }
            }
            1 => Self { bytes: bytes.strip_suffix(&[0]).unwrap_or(bytes), encoding: Encoding::Bytes },
            _ => return None,
        };
        text.trimmed().unless_empty()
    }

    /// Returns the first `letters` letters.
    pub(super) fn cut(self, letters: usize) -> Self {
        let unit = if self.encoding == Encoding::Wide { 2 } else { 1 };
        Self { bytes: self.bytes.get(..letters.saturating_mul(unit)).unwrap_or(self.bytes), ..self }
    }

    fn trimmed(self) -> Self {
        let bytes = match self.encoding {
            Encoding::Bytes => self.bytes.trim_ascii(),
            Encoding::Wide => {
                let mut bytes = self.bytes;
                while let Some(rest) = bytes.strip_prefix(b" \0") {
                    bytes = rest;
                }
                while let Some(rest) = bytes.strip_suffix(b" \0") {
                    bytes = rest;
                }
                bytes
            }
        };
        Self { bytes, ..self }
    }

    fn unless_empty(self) -> Option<Self> {
        Some(self).filter(|text| !text.bytes.is_empty())
    }

    /// Returns the letters; what is no letter in the text's encoding is the replacement character.
    pub fn chars(self) -> impl Iterator<Item = char> + 'a {
        let utf8 = match self.encoding {
            Encoding::Bytes => core::str::from_utf8(self.bytes).ok(),
            Encoding::Wide => None,
        };
        let latin = if utf8.is_none() && self.encoding == Encoding::Bytes { self.bytes } else { &[] };
        let wide = if self.encoding == Encoding::Wide { self.bytes } else { &[] };
        let units = wide.chunks_exact(2).map(|pair| match pair {
            [low, high] => u16::from_le_bytes([*low, *high]),
            _ => 0,
        });
        let wide = char::decode_utf16(units).map(|letter| letter.unwrap_or(char::REPLACEMENT_CHARACTER));
        utf8.unwrap_or_default().chars().chain(latin.iter().map(|byte| char::from(*byte))).chain(wide)
    }

    /// Returns the text where it needs no conversion.
    #[must_use]
    pub fn as_str(self) -> Option<&'a str> {
        match self.encoding {
            Encoding::Bytes => core::str::from_utf8(self.bytes).ok(),
            Encoding::Wide => None,
        }
    }

    /// Returns the text as a string on the stack; three bytes hold any letter that two bytes can mean.
    #[must_use]
    pub fn to_stack(self) -> heapless::String<{ TEXT_LETTERS_MAX * 3 }> {
        let mut out = heapless::String::new();
        // What does not fit is left out, which no field can cause.
        let _ = self.chars().try_for_each(|letter| out.push(letter));
        out
    }
}

impl fmt::Display for FieldText<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.chars().try_for_each(|letter| fmt::Write::write_char(f, letter))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::string::{String, ToString};

    fn fixed(bytes: &[u8]) -> Option<String> {
        FieldText::fixed(bytes).map(|text| text.to_string())
    }

    fn coded(control: u8, bytes: &[u8]) -> Option<String> {
        FieldText::coded(control, bytes).map(|text| text.to_string())
    }

    #[test]
    fn padding_is_no_text() {
        for pad in [0xff, b' ', 0, b'@'] {
            assert_eq!(fixed(&[b'A', b'B', pad, pad]).as_deref(), Some("AB"));
            assert_eq!(fixed(&[pad; 4]), None);
        }
        assert_eq!(fixed(b"AB\0garbage\xff").as_deref(), Some("AB"));
        assert_eq!(fixed(b" a@b ").as_deref(), Some(" a@b"));
        assert_eq!(fixed(b""), None);
        assert_eq!(fixed(b"\0AB"), None);
    }

    #[test]
    fn bytes_are_utf8_or_latin_1() {
        assert_eq!(fixed("Café".as_bytes()).as_deref(), Some("Café"));
        assert_eq!(fixed(b"Caf\xe9").as_deref(), Some("Café"));
        assert_eq!(FieldText::fixed(b"Caf\xe9").unwrap().as_str(), None);
    }

    #[test]
    fn coded_text_follows_its_control_byte() {
        assert_eq!(coded(1, b" Boat \0").as_deref(), Some("Boat"));
        assert_eq!(coded(0, b"B\0\xe9\0\0\0").as_deref(), Some("Bé"));
        assert_eq!(coded(0, b" \0B\0 \0").as_deref(), Some("B"));
        assert_eq!(coded(0, &[0x00, 0xd8]).as_deref(), Some("\u{fffd}"));
        assert_eq!((coded(1, b""), coded(1, b"  "), coded(0, b"B"), coded(0xff, b"AB")), (None, None, None, None));
    }

    #[test]
    fn cutting_counts_letters() {
        assert_eq!(FieldText::coded(0, b"A\0B\0C\0").unwrap().cut(2).to_string(), "AB");
        assert_eq!(FieldText::counted(b"ABC").unwrap().cut(9).to_string(), "ABC");
    }

    proptest! {
        #[test]
        fn any_bytes_fit_the_stack(bytes in proptest::collection::vec(0_u8.., 0..=TEXT_LETTERS_MAX), control in 0_u8..3) {
            for text in [FieldText::fixed(&bytes), FieldText::counted(&bytes), FieldText::coded(control, &bytes)].into_iter().flatten() {
                let stack = text.to_stack();
                prop_assert_eq!(stack.as_str(), text.to_string());
            }
        }
    }
}
