//! Reads JSON in place: finds members and elements by skipping over the rest.
//!
//! Nothing is allocated and no depth is limited, because a value is skipped with a counter, not by
//! recursion. The text is not validated: from broken JSON comes `None` or an early end, never a
//! panic. Names and strings with an escape (`\`) are not decoded; Signal K paths have none.
//!
//! ```
//! use skiff_plugin::Json;
//!
//! let delta = Json::new(r#"{"updates":[{"values":[{"path":"environment.depth.belowKeel","value":3.5}]}]}"#);
//! let depth = delta.values().find(|(path, _)| *path == "environment.depth.belowKeel");
//! assert_eq!(depth.and_then(|(_, value)| value.number()), Some(3.5));
//! ```

/// One JSON value, as a slice of the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Json<'t>(&'t str);

impl<'t> Json<'t> {
    /// Wraps a text that holds one value.
    #[must_use]
    pub fn new(text: &'t str) -> Self {
        Self(text.trim_ascii())
    }

    /// Returns the text of the value.
    #[must_use]
    pub fn text(self) -> &'t str {
        self.0
    }

    /// Returns the first member of an object with the name `name`.
    #[must_use]
    pub fn member(self, name: &str) -> Option<Self> {
        self.members().find(|(key, _)| *key == name).map(|(_, value)| value)
    }

    /// Visits the members of an object; nothing for any other value.
    pub fn members(self) -> impl Iterator<Item = (&'t str, Self)> + use<'t> {
        let mut cursor = Cursor::inside(self.0, b'{');
        core::iter::from_fn(move || {
            let key = cursor.value()?.string()?;
            cursor.expect(b':')?;
            let value = cursor.value()?;
            cursor.separator();
            Some((key, value))
        })
    }

    /// Visits the elements of an array; nothing for any other value.
    pub fn elements(self) -> impl Iterator<Item = Self> + use<'t> {
        let mut cursor = Cursor::inside(self.0, b'[');
        core::iter::from_fn(move || {
            let value = cursor.value()?;
            cursor.separator();
            Some(value)
        })
    }

    /// Visits the values of every update of a delta: path and value.
    pub fn values(self) -> impl Iterator<Item = (&'t str, Self)> + use<'t> {
        self.elements_of("updates").flat_map(Self::update_values)
    }

    /// Visits the values of one update: path and value.
    pub fn update_values(self) -> impl Iterator<Item = (&'t str, Self)> + use<'t> {
        self.elements_of("values").filter_map(|entry| Some((entry.member("path")?.string()?, entry.member("value")?)))
    }

    /// Visits the elements of the array that is member `name`.
    pub fn elements_of(self, name: &str) -> impl Iterator<Item = Self> + use<'t> {
        self.member(name).unwrap_or(Self("")).elements()
    }

    /// Returns the content of a string that has no escapes.
    #[must_use]
    pub fn string(self) -> Option<&'t str> {
        let inner = self.0.strip_prefix('"')?.strip_suffix('"')?;
        inner.bytes().all(|byte| byte != b'\\' && byte != b'"').then_some(inner)
    }

    /// Writes the content of a string into `into`, escapes decoded, as many whole characters as fit; `None` when this is
    /// no string or an escape is broken.
    #[must_use]
    pub fn decode(self, into: &mut [u8]) -> Option<Decoded> {
        let inner = self.0.strip_prefix('"')?.strip_suffix('"')?;
        let mut decoded = Decoded { bytes: 0, full_bytes: 0 };
        let mut characters = inner.chars();
        while let Some(character) = characters.next() {
            let character = if character == '\\' { escape(&mut characters)? } else { character };
            let mut utf8 = [0; 4];
            let utf8 = character.encode_utf8(&mut utf8).as_bytes();
            let room = into.get_mut(decoded.bytes..decoded.bytes + utf8.len());
            // A character that does not fit ends the text: what follows it is only counted.
            if let (Some(room), true) = (room, decoded.bytes == decoded.full_bytes) {
                room.iter_mut().zip(utf8).for_each(|(to, from)| *to = *from);
                decoded.bytes += utf8.len();
            }
            decoded.full_bytes += utf8.len();
        }
        Some(decoded)
    }

    /// Returns a number: exact up to 15 digits, nearly so beyond.
    #[must_use]
    pub fn number(self) -> Option<f64> {
        let (negative, digits) = match self.0.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, self.0),
        };
        let mut value: u64 = 0;
        let mut exponent: i32 = 0;
        let mut point: Option<usize> = None;
        let mut count = 0;
        let mut bytes = digits.bytes();
        while let Some(byte) = bytes.next() {
            match byte {
                b'0'..=b'9' if value < u64::MAX / 10 - 1 => {
                    value = value * 10 + u64::from(byte - b'0');
                    exponent = exponent.saturating_sub(i32::from(point.is_some()));
                    count += 1;
                }
                b'0'..=b'9' => {
                    exponent = exponent.saturating_add(i32::from(point.is_none()));
                    count += 1;
                }
                b'.' if point.is_none() && count > 0 => point = Some(count),
                b'e' | b'E' => {
                    exponent = exponent.saturating_add(integer(bytes)?);
                    break;
                }
                _ => return None,
            }
        }
        // Digits are needed in front of the point, and behind it when there is one.
        if count == 0 || point == Some(count) {
            return None;
        }
        let value = scale(value as f64, exponent);
        value.is_finite().then_some(if negative { -value } else { value })
    }
}

/// What [`Json::decode`] wrote.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decoded {
    /// Bytes written.
    pub bytes: usize,
    /// Bytes of the whole text; more than were written when it was cut.
    pub full_bytes: usize,
}

/// Reads an escape behind its `\\`, RFC 8259 §7; half a surrogate pair is U+FFFD.
fn escape(characters: &mut core::str::Chars<'_>) -> Option<char> {
    Some(match characters.next()? {
        'n' => '\n',
        't' => '\t',
        'r' => '\r',
        'b' => '\u{8}',
        'f' => '\u{c}',
        'u' => {
            let first = unit(characters)?;
            let mut ahead = characters.clone();
            let second = (ahead.next() == Some('\\') && ahead.next() == Some('u')).then(|| unit(&mut ahead)).flatten();
            match (first, second) {
                (0xd800..=0xdbff, Some(low @ 0xdc00..=0xdfff)) => {
                    *characters = ahead;
                    char::from_u32(0x10000 + ((first - 0xd800) << 10) + (low - 0xdc00))?
                }
                _ => char::from_u32(first).unwrap_or('\u{fffd}'),
            }
        }
        other @ ('"' | '\\' | '/') => other,
        _ => return None,
    })
}

/// Reads four hexadecimal digits.
fn unit(characters: &mut core::str::Chars<'_>) -> Option<u32> {
    (0..4).try_fold(0, |unit, _| Some(unit * 16 + characters.next()?.to_digit(16)?))
}

/// Exponents further from zero only give 0 or infinity.
const EXPONENT_MAX: i32 = 400;

fn integer(text: core::str::Bytes<'_>) -> Option<i32> {
    let mut value: Option<i32> = None;
    let mut sign = None;
    for byte in text {
        match byte {
            b'0'..=b'9' => value = Some(value.unwrap_or(0).saturating_mul(10).saturating_add(i32::from(byte - b'0'))),
            b'+' | b'-' if value.is_none() && sign.is_none() => sign = Some(byte),
            _ => return None,
        }
    }
    value.map(|value| if sign == Some(b'-') { -value } else { value })
}

/// Multiplies by a power of ten; exact while value and power are (up to 2^53 and 10^22).
fn scale(mut value: f64, exponent: i32) -> f64 {
    let mut rest = exponent.clamp(-EXPONENT_MAX, EXPONENT_MAX);
    while rest > 0 {
        let step = rest.min(22);
        value *= power(step);
        rest -= step;
    }
    while rest < 0 {
        let step = (-rest).min(22);
        value /= power(step);
        rest += step;
    }
    value
}

fn power(exponent: i32) -> f64 {
    (0..exponent).fold(1.0, |power, _| power * 10.0)
}

/// Walks over the values inside one object or array.
struct Cursor<'t> {
    text: &'t str,
    at: usize,
}

impl<'t> Cursor<'t> {
    fn inside(text: &'t str, open: u8) -> Self {
        let at = if text.as_bytes().first() == Some(&open) { 1 } else { text.len() };
        Self { text, at }
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn skip_white(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn expect(&mut self, byte: u8) -> Option<()> {
        self.skip_white();
        (self.peek()? == byte).then(|| self.at += 1)
    }

    /// Takes the comma behind a value; anything else ends the walk.
    fn separator(&mut self) {
        if self.expect(b',').is_none() {
            self.at = self.text.len();
        }
    }

    fn value(&mut self) -> Option<Json<'t>> {
        self.skip_white();
        let from = self.at;
        match self.peek()? {
            b'"' => self.skip_string()?,
            b'{' | b'[' => self.skip_nested()?,
            _ => {
                while self
                    .peek()
                    .is_some_and(|byte| !matches!(byte, b',' | b'}' | b']' | b':' | b' ' | b'\t' | b'\n' | b'\r'))
                {
                    self.at += 1;
                }
            }
        }
        // Both ends lie beside ASCII bytes, so the slice is whole characters.
        self.text.get(from..self.at).filter(|text| !text.is_empty()).map(Json)
    }

    fn skip_string(&mut self) -> Option<()> {
        self.at += 1;
        loop {
            match self.peek()? {
                b'"' => break,
                b'\\' => self.at += 2,
                _ => self.at += 1,
            }
        }
        self.at += 1;
        Some(())
    }

    fn skip_nested(&mut self) -> Option<()> {
        let mut depth = 0_usize;
        loop {
            match self.peek()? {
                b'"' => {
                    self.skip_string()?;
                    continue;
                }
                b'{' | b'[' => depth += 1,
                b'}' | b']' => depth -= 1,
                _ => {}
            }
            self.at += 1;
            if depth == 0 {
                return Some(());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Json;
    use std::vec::Vec;

    const DELTA: &str = r#"{"context":"vessels.a","updates":[{"source":{"label":"x","values":[{"path":"no","value":1}]},"values":[{"path":"a.b","value":1.5},{"path":"c","value":null}]},{"values":[{"path":"a.b","value":-2e-3}],"$source":"x.7"}]}"#;

    #[test]
    fn finds_values_of_every_update() {
        let found: Vec<_> = Json::new(DELTA).values().map(|(path, value)| (path, value.number())).collect();
        assert_eq!(found, [("a.b", Some(1.5)), ("c", None), ("a.b", Some(-0.002))]);
    }

    #[test]
    fn white_space_and_member_order_do_not_matter() {
        let json = Json::new(" { \"updates\" : [ { \"values\" : [ { \"value\" : 7 , \"path\" : \"p\" } ] } ] } ");
        assert_eq!(json.values().next(), Some(("p", Json::new("7"))));
    }

    #[test]
    fn braces_and_quotes_inside_strings_do_not_count() {
        let json = Json::new(r#"{"a":"}]\"{","b":{"c":"\\"},"d":4}"#);
        assert_eq!(json.member("d").and_then(Json::number), Some(4.0));
        assert_eq!(json.member("a").and_then(Json::string), None, "escapes are not decoded");
    }

    #[test]
    fn numbers_equal_those_of_the_standard_library() {
        for text in
            ["0", "-0", "12", "3.25", "0.1", "1e3", "1E+3", "2.5e-7", "123456.789", "0.0001", "6.283185307179586"]
        {
            assert_eq!(Json::new(text).number(), text.parse().ok(), "{text}");
        }
        for text in ["1234567890123456789012", "0.12345678901234567890123", "1e308"] {
            let expected: f64 = text.parse().unwrap();
            let found = Json::new(text).number().unwrap();
            assert!((found / expected - 1.0).abs() < 1e-14, "{text}");
        }
        assert_eq!(Json::new("1e-999999999999").number(), Some(0.0));
    }

    #[test]
    fn strings_are_decoded_and_cut_at_whole_characters() {
        let decode = |text: &str, room: usize| {
            let mut buffer = [0; 32];
            let decoded = Json::new(text).decode(&mut buffer[..room])?;
            Some((std::string::String::from_utf8(buffer[..decoded.bytes].to_vec()).unwrap(), decoded.full_bytes))
        };
        let some = |text: &str, full: usize| Some((text.into(), full));
        assert_eq!(decode(r#""a\n\"\\\/\u00e4""#, 32), some("a\n\"\\/ä", 7));
        assert_eq!(decode(r#""\ud83d\ude00""#, 32), some("😀", 4));
        assert_eq!(decode(r#""\ud83dx""#, 32), some("\u{fffd}x", 4));
        assert_eq!(decode("\"aäbc\"", 2), some("a", 5), "cut before the character that does not fit");
        for text in ["7", "\"", r#""\x""#, r#""\u12""#, "null"] {
            assert_eq!(decode(text, 32), None, "{text}");
        }
    }

    #[test]
    fn what_is_no_number_is_none() {
        for text in ["", "-", ".5", "1.", "1e", "e5", "null", "\"1\"", "1 2", "0x10", "NaN", "1e999", "--1", "1.2.3"] {
            assert_eq!(Json::new(text).number(), None, "{text}");
        }
    }

    #[test]
    fn every_truncation_and_every_changed_byte_is_survived() {
        for end in 0..DELTA.len() {
            Json::new(&DELTA[..end]).values().for_each(|(_, value)| {
                let _ = value.number();
            });
            for byte in [b'"', b'{', b'}', b'[', b']', b'\\', b',', b':', b' '] {
                let mut bytes = DELTA.as_bytes().to_vec();
                bytes[end] = byte;
                let text = std::string::String::from_utf8(bytes).unwrap();
                Json::new(&text).values().for_each(|(_, value)| {
                    let _ = value.number();
                });
            }
        }
    }

    #[test]
    fn deep_nesting_needs_no_stack() {
        let text = "[".repeat(200_000);
        assert_eq!(Json::new(&text).elements().count(), 0);
        let text = std::format!("{}{}", text, "]".repeat(200_000));
        assert_eq!(Json::new(&text).elements().count(), 1);
    }
}
