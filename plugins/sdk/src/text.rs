//! Writes text into an array: no heap, no `core::fmt`.

/// Text under construction in a borrowed buffer; what does not fit is left out and noted.
pub struct Text<'b> {
    buffer: &'b mut [u8],
    length: usize,
    complete: bool,
}

/// Powers of ten that [`Text::push_fixed`] scales by.
const SCALE: [f64; 20] =
    [1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19];
/// Above this a double has no exact unit digit any more (2^53).
const EXACT: f64 = 9_007_199_254_740_992.0;

impl<'b> Text<'b> {
    /// Returns an empty text over `buffer`.
    pub fn new(buffer: &'b mut [u8]) -> Self {
        Self { buffer, length: 0, complete: true }
    }

    /// Appends `text`, or nothing of it when it does not fit.
    pub fn push_str(&mut self, text: &str) {
        let room = self.buffer.get_mut(self.length..).unwrap_or_default();
        match room.get_mut(..text.len()) {
            Some(room) if self.complete => {
                // Not `copy_from_slice`: its check would bring the formatting of a panic into the module.
                room.iter_mut().zip(text.bytes()).for_each(|(to, from)| *to = from);
                self.length += text.len();
            }
            _ => self.complete = false,
        }
    }

    /// Appends a number in JavaScript notation, rounded half up to at most `decimals` (0 to 19) without trailing zeros; to
    /// fewer where so many digits are not exact, and `null` when it is not finite or has more than 15 in front of the point.
    pub fn push_fixed(&mut self, value: f64, decimals: usize) {
        let magnitude = if value < 0.0 { -value } else { value };
        let mut decimals = decimals;
        let mut rest = loop {
            let scaled = magnitude * SCALE.get(decimals).copied().unwrap_or(1.0);
            // False for NaN and for infinity, too. Hosts that read rows round in the same way.
            if scaled < EXACT {
                // Above 2^52 there is no fraction any more.
                break (scaled + if scaled < EXACT / 2.0 { 0.5 } else { 0.0 }) as u64;
            }
            match decimals.checked_sub(1) {
                Some(fewer) => decimals = fewer,
                None => return self.push_str("null"),
            }
        };
        let mut places = if decimals < SCALE.len() { decimals } else { 0 };
        while places > 0 && rest.is_multiple_of(10) {
            rest /= 10;
            places -= 1;
        }
        if value < 0.0 && rest != 0 {
            self.push_str("-");
        }
        let mut digits = [b'0'; 24];
        let mut at = digits.len();
        let mut written = 0;
        while rest != 0 || written <= places {
            if written == places && places != 0 {
                at -= 1;
                if let Some(digit) = digits.get_mut(at) {
                    *digit = b'.';
                }
            }
            at -= 1;
            if let Some(digit) = digits.get_mut(at) {
                *digit = b'0' + (rest % 10) as u8;
            }
            rest /= 10;
            written += 1;
        }
        self.push_str(core::str::from_utf8(digits.get(at..).unwrap_or_default()).unwrap_or_default());
    }

    /// Appends a number in the shortest text that means this double, of at most 16 digits; `null` as in
    /// [`Text::push_fixed`].
    pub fn push_shortest(&mut self, value: f64) {
        let magnitude = if value < 0.0 { -value } else { value };
        let fits = |scale: &f64| {
            let scaled = magnitude * scale;
            let whole = scaled as u64;
            let digits = whole + u64::from(scaled - whole as f64 >= 0.5);
            // Digits and power are exact, so this is what a reader makes of the text.
            scaled >= EXACT || digits as f64 / scale == magnitude
        };
        let places = SCALE.iter().position(fits).unwrap_or(SCALE.len() - 1);
        self.push_fixed(value, places);
    }

    /// Takes back what was written behind the first `length` bytes.
    pub fn truncate(&mut self, length: usize) {
        self.length = self.length.min(length);
    }

    /// Appends `text` as a JSON string with its quotes.
    pub fn push_json(&mut self, text: &str) {
        self.push_str("\"");
        for character in text.chars() {
            match character {
                '"' => self.push_str("\\\""),
                '\\' => self.push_str("\\\\"),
                control if control < ' ' => {
                    let code = control as u32;
                    self.push_str(if code < 16 { "\\u000" } else { "\\u001" });
                    let digit = char::from_digit(code % 16, 16).unwrap_or('0');
                    self.push_str(digit.encode_utf8(&mut [0; 4]));
                }
                other => self.push_str(other.encode_utf8(&mut [0; 4])),
            }
        }
        self.push_str("\"");
    }

    /// Returns what was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        core::str::from_utf8(self.buffer.get(..self.length).unwrap_or_default()).unwrap_or_default()
    }

    /// Returns the bytes written.
    #[must_use]
    pub fn len(&self) -> usize {
        self.length
    }

    /// Tells whether nothing was written.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.length == 0
    }

    /// Tells whether everything fitted; a text that did not must not be sent.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.complete
    }
}

#[cfg(test)]
mod tests {
    use super::Text;
    use std::string::{String, ToString};

    fn fixed(value: f64, decimals: usize) -> String {
        let mut buffer = [0; 40];
        let mut text = Text::new(&mut buffer);
        text.push_fixed(value, decimals);
        text.as_str().to_string()
    }

    #[test]
    fn numbers_are_in_javascript_notation() {
        assert_eq!(fixed(0.0, 4), "0");
        assert_eq!(fixed(-0.0, 4), "0");
        assert_eq!(fixed(-0.000_01, 4), "0");
        assert_eq!(fixed(5.0, 4), "5");
        assert_eq!(fixed(-1.5, 4), "-1.5");
        assert_eq!(fixed(0.05, 4), "0.05");
        assert_eq!(fixed(1.234_56, 4), "1.2346");
        assert_eq!(fixed(9.999_99, 4), "10");
        assert_eq!(fixed(1200.0, 0), "1200");
        assert_eq!(fixed(123_456_789.5, 1), "123456789.5");
    }

    #[test]
    fn the_shortest_text_means_the_same_double() {
        let shortest = |value: f64| {
            let mut buffer = [0; 40];
            let mut text = Text::new(&mut buffer);
            text.push_shortest(value);
            text.as_str().to_string()
        };
        for value in [0.0, 1.0, -0.1, 0.3, 9.04, 5e-7, 0.731_485_307_179_585_9, 123_456_789.125, 1e15, 1234.5678] {
            assert_eq!(shortest(value).parse::<f64>(), Ok(value));
            assert_eq!(shortest(value), value.to_string(), "as the standard library writes it");
        }
        assert_eq!(shortest(0.1 + 0.2), "0.3000000000000001", "17 digits are more than is written");
    }

    #[test]
    fn what_is_taken_back_is_gone() {
        let mut buffer = [0; 8];
        let mut text = Text::new(&mut buffer);
        text.push_str("abc");
        text.truncate(1);
        text.push_str("d");
        assert_eq!(text.as_str(), "ad");
    }

    #[test]
    fn what_is_no_number_is_null() {
        for value in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 1e300, -1e16] {
            assert_eq!(fixed(value, 4), "null");
        }
    }

    #[test]
    fn agrees_with_the_standard_library() {
        let mut value = -7.123_456_789;
        for _ in 0..2000 {
            let parsed: f64 = fixed(value, 4).parse().unwrap();
            assert!((parsed - value).abs() <= 0.000_050_000_1, "{value}");
            value += 0.012_345_678_9;
        }
    }

    #[test]
    fn a_text_that_does_not_fit_says_so_and_keeps_its_beginning() {
        let mut buffer = [0; 4];
        let mut text = Text::new(&mut buffer);
        text.push_str("abc");
        text.push_str("de");
        text.push_str("f");
        assert_eq!((text.as_str(), text.is_complete()), ("abc", false));
    }

    #[test]
    fn strings_are_escaped() {
        let mut buffer = [0; 40];
        let mut text = Text::new(&mut buffer);
        text.push_json("a\"\\\n\u{1f}ä");
        assert_eq!(text.as_str(), "\"a\\\"\\\\\\u000a\\u001fä\"");
    }
}
