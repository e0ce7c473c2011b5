//! Paths and texts put together from parts, without the formatting machinery.

use crate::json::decimal_digits;
use crate::n2k::decode::{Decoded, UNSET};
use crate::n2k::tables::Field;

/// Bytes of the longest path or text that is put together; the longest is a path of 126983 with 90.
const TEXT_BYTES_MAX: usize = 128;
/// A path or text put together from parts.
pub(in crate::n2k) type ShortText = heapless::String<TEXT_BYTES_MAX>;
/// A small number as text.
pub(in crate::n2k) type Digits = heapless::String<20>;

/// Joins parts; what is longer than [`TEXT_BYTES_MAX`] is cut at a part, which no caller's parts are.
pub(super) fn join(parts: &[&str]) -> ShortText {
    let mut text = ShortText::new();
    for part in parts {
        let _ = text.push_str(part);
    }
    text
}

/// Writes a number; of a negative one, which no caller has, the magnitude.
pub(in crate::n2k) fn digits(number: i64) -> Digits {
    padded(number, 1)
}

/// Writes a number with zeros in front, `width` (at most 20) digits at least.
pub(super) fn padded(number: i64, width: usize) -> Digits {
    let mut buffer = itoa::Buffer::new();
    let digits = decimal_digits(number.unsigned_abs(), &mut buffer);
    let mut text = Digits::new();
    for _ in digits.len()..width {
        let _ = text.push('0');
    }
    let _ = text.push_str(digits);
    text
}

/// Returns `text` in lower case; ASCII only, as all texts of lookups are.
pub(super) fn lower(text: &str) -> ShortText {
    text.chars().map(|letter| letter.to_ascii_lowercase()).take(TEXT_BYTES_MAX).collect()
}

/// Returns `text` without blanks.
pub(super) fn without_blanks(text: &str) -> ShortText {
    text.chars().filter(|letter| *letter != ' ').take(TEXT_BYTES_MAX).collect()
}

/// Returns `text` as one word: blanks, points, dashes and underscores go, the letter after one of them or
/// after a digit is upper case, all others are lower case.
pub(super) fn camel_case(text: &str) -> ShortText {
    let (mut word, mut raised) = (ShortText::new(), false);
    for letter in text.trim_start().chars().take(TEXT_BYTES_MAX / 4) {
        if matches!(letter, ' ' | '.' | '-' | '_') {
            raised = true;
            continue;
        }
        let letter = if raised && !word.is_empty() { letter.to_ascii_uppercase() } else { letter.to_ascii_lowercase() };
        let _ = word.push(letter);
        raised = letter.is_ascii_digit();
    }
    word
}

/// Tells whether a text with a control byte announces letters: they may be blanks, or cut off.
pub(super) fn has_letters(decoded: &Decoded<'_>, field: Field) -> bool {
    // The length counts itself and the control byte; two bytes of ones are a text that nobody set.
    matches!(decoded.bytes(field), Some([length, control, ..]) if *length > 2 && (*length, *control) != UNSET)
}

/// Returns a text of AIS without the `@` that fills the places behind it (ITU-R M.1371, table 47).
pub(super) fn without_padding(text: &str) -> &str {
    text.trim_end_matches(['@', ' '])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_without_formatting() {
        for number in [0, 7, 10, 255, i64::MAX] {
            assert_eq!(digits(number).as_str(), std::format!("{number}"));
        }
        assert_eq!(padded(2_320_001, 9), "002320001");
        assert_eq!(padded(0, 9), "000000000");
    }

    #[test]
    fn padding_of_ais_is_no_letter() {
        for (sent, text) in [("BUOY-148@@@@", "BUOY-148"), ("A @", "A"), ("@@@", ""), ("a@b", "a@b"), ("", "")] {
            assert_eq!(without_padding(sent), text);
        }
    }

    #[test]
    fn words_are_joined_as_paths_need_them() {
        assert_eq!(camel_case("Helm 1"), "helm1");
        assert_eq!(camel_case("Red/Black"), "red/black");
        assert_eq!(camel_case("No. of-things_left 2day"), "noOfThingsLeft2Day");
        assert_eq!(lower("Good, OK"), "good, ok");
        assert_eq!(without_blanks("WP Arrival"), "WPArrival");
    }
}
