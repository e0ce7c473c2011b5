//! Strings and numbers as JSON text.

use alloc::string::String;
use core::fmt::{self, Write};

/// Returns `text` as a JSON string, see [`write_string`].
#[must_use]
pub fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len().saturating_add(2));
    // Writing into a String cannot fail.
    let _ = write_string(&mut out, text);
    out
}

/// Writes `text` as a JSON string with the escapes of `JSON.stringify`.
///
/// # Errors
/// What the sink returns.
pub fn write_string<W: Write + ?Sized>(out: &mut W, text: &str) -> fmt::Result {
    out.write_str("\"")?;
    // Nearly all texts: one write.
    if is_verbatim(text) {
        out.write_str(text)?;
        return out.write_str("\"");
    }
    let mut plain_from = 0;
    for (at, byte) in text.bytes().enumerate() {
        let escape = match byte {
            b'"' => "\\\"",
            b'\\' => "\\\\",
            b'\n' => "\\n",
            b'\r' => "\\r",
            b'\t' => "\\t",
            0x08 => "\\b",
            0x0c => "\\f",
            0..0x20 => "",
            _ => continue,
        };
        // Escaped bytes are ASCII, so both cuts lie on character boundaries.
        out.write_str(text.get(plain_from..at).unwrap_or_default())?;
        if escape.is_empty() {
            write!(out, "\\u{byte:04x}")?;
        } else {
            out.write_str(escape)?;
        }
        plain_from = at + 1;
    }
    out.write_str(text.get(plain_from..).unwrap_or_default())?;
    out.write_str("\"")
}

/// Tells whether `text` is printable ASCII without quotes and backslashes, which stands in JSON as it is; four bytes at a
/// time, since every delta's paths and texts are looked at.
pub(crate) fn is_verbatim(text: &str) -> bool {
    const fn each(byte: u8) -> u32 {
        u32::from_ne_bytes([byte; 4])
    }
    let (words, rest) = text.as_bytes().as_chunks();
    // A byte that is not wanted sets its highest bit in one of the terms: it has it, or taking away borrows from it, or
    // adding reaches it. A borrow can spoil the next byte too, but only behind one that is not wanted.
    let mut spoilt = 0;
    for word in words {
        let word = u32::from_le_bytes(*word);
        spoilt |= word | word.wrapping_sub(each(b' ')) | word.wrapping_add(each(1));
        spoilt |= (word ^ each(b'"')).wrapping_sub(each(1)) | (word ^ each(b'\\')).wrapping_sub(each(1));
    }
    spoilt & each(0x80) == 0 && rest.iter().all(|byte| matches!(byte, b' ' | b'!' | b'#'..=b'[' | b']'..=b'~'))
}

/// Writes a number in JavaScript's notation; NaN and infinities become `null` as in `JSON.stringify`.
///
/// # Errors
/// What the sink returns.
pub fn write_f64<W: Write + ?Sized>(out: &mut W, value: f64) -> fmt::Result {
    if value.is_finite() { out.write_str(ryu_js::Buffer::new().format_finite(value)) } else { out.write_str("null") }
}

#[cfg(test)]
mod tests {
    use super::super::string;
    use super::*;
    use std::format;

    #[test]
    fn strings_are_escaped_as_json_stringify_does() {
        let mut out = String::new();
        write_string(&mut out, "a\"\\\u{1f}\n\u{7f}☃").unwrap();
        assert_eq!(out, "\"a\\\"\\\\\\u001f\\n\u{7f}☃\"");
        assert_eq!(string(&out).unwrap(), "a\"\\\u{1f}\n\u{7f}☃");
    }

    #[test]
    fn each_byte_is_seen_where_a_word_holds_it() {
        for at in 0..9 {
            for letter in (0..=0x7f_u8).map(char::from).chain(['é', '☃']) {
                let mut text = String::from("#[]!~ az");
                text.insert(at, letter);
                let wanted = matches!(letter, ' '..='~') && letter != '"' && letter != '\\';
                assert_eq!(is_verbatim(&text), wanted, "{text:?}");
            }
        }
        assert!(is_verbatim(""));
    }

    proptest::proptest! {
        #[test]
        fn what_is_verbatim_is_so_at_every_place(before in "[ -~]{0,9}", letter: char, after in "[ -~]{0,9}") {
            let text = format!("{before}{letter}{after}");
            let wanted = text.chars().all(|letter| matches!(letter, ' '..='~') && !matches!(letter, '"' | '\\'));
            proptest::prop_assert_eq!(is_verbatim(&text), wanted, "{:?}", text);
        }
    }
}
