//! JSON text, the form every value has between floors.
//!
//! A value travels as compact JSON text in JavaScript's notation, because plugins search it for
//! literal fragments (`"path":"x.y"` and then `"value":`) and because text needs no tree in RAM.
//! [`compact`] turns foreign text into that form; [`members`] and [`items`] walk it again.
//! Depth is bounded by [`DEPTH_MAX`]; length is the caller's limit, checked before the call.

use alloc::borrow::Cow;
use alloc::string::String;
use core::fmt::{self, Write};

use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

/// Nesting that is accepted; deeper text is refused.
pub const DEPTH_MAX: usize = 32;

/// Why a text was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum JsonError {
    /// Not JSON, or nested deeper than [`DEPTH_MAX`]; `column` counts bytes of the refused line from 1.
    Malformed {
        /// Line from 1.
        line: usize,
        /// Column from 1.
        column: usize,
    },
    /// JSON, but not of the kind asked for (object, array, string, number).
    WrongKind,
}

impl fmt::Display for JsonError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed { line, column } => write!(f, "malformed JSON at line {line} column {column}"),
            Self::WrongKind => f.write_str("JSON of another kind than expected"),
        }
    }
}

impl core::error::Error for JsonError {}

impl From<serde_json::Error> for JsonError {
    fn from(error: serde_json::Error) -> Self {
        Self::Malformed { line: error.line(), column: error.column() }
    }
}

/// Returns `text` as `JSON.stringify(JSON.parse(text))` would: no blanks, JavaScript numbers, order kept.
///
/// # Errors
/// [`JsonError::Malformed`] for anything that is not one JSON value.
pub fn compact(text: &str) -> Result<String, JsonError> {
    let mut out = String::with_capacity(text.len());
    let mut de = serde_json::Deserializer::from_str(text);
    Compact { out: &mut out, depth: 0 }.deserialize(&mut de)?;
    de.end()?;
    Ok(out)
}

/// Calls `visit` with each member of the object `text`: the key decoded, the value as raw text.
///
/// # Errors
/// [`JsonError`] when `text` is not an object, or the error `visit` returned.
pub fn members<'a, E: From<JsonError>>(
    text: &'a str,
    mut visit: impl FnMut(&str, &'a str) -> Result<(), E>,
) -> Result<(), E> {
    if !text.trim_start().starts_with('{') {
        return Err(JsonError::WrongKind.into());
    }
    let mut failed = None;
    let mut de = serde_json::Deserializer::from_str(text);
    let walked = de.deserialize_map(Members { visit: &mut visit, failed: &mut failed });
    if let Some(error) = failed {
        return Err(error);
    }
    walked.and_then(|()| de.end()).map_err(|error| JsonError::from(error).into())
}

/// Calls `visit` with each item of the array `text` as raw text.
///
/// # Errors
/// [`JsonError`] when `text` is not an array, or the error `visit` returned.
pub fn items<'a, E: From<JsonError>>(text: &'a str, mut visit: impl FnMut(&'a str) -> Result<(), E>) -> Result<(), E> {
    if !text.trim_start().starts_with('[') {
        return Err(JsonError::WrongKind.into());
    }
    let mut failed = None;
    let mut de = serde_json::Deserializer::from_str(text);
    let walked = de.deserialize_seq(Items { visit: &mut visit, failed: &mut failed });
    if let Some(error) = failed {
        return Err(error);
    }
    walked.and_then(|()| de.end()).map_err(|error| JsonError::from(error).into())
}

/// Returns the object `text` with `name` set to `value`: in place where it exists, else appended.
///
/// A text that is no object cannot carry members: the result has only the new one.
#[must_use]
pub fn with_member(text: &str, name: &str, value: &str) -> String {
    let mut out = String::from("{");
    let mut found = false;
    let read = members::<JsonError>(text, |key, raw| {
        if out.len() > 1 {
            out.push(',');
        }
        // Writing into a String cannot fail.
        let _ = write_string(&mut out, key);
        out.push(':');
        found |= key == name;
        out.push_str(if key == name { value } else { raw });
        Ok(())
    });
    if read.is_err() {
        out.truncate(1);
        found = false;
    }
    if !found {
        if out.len() > 1 {
            out.push(',');
        }
        out.push('"');
        out.push_str(name);
        out.push_str("\":");
        out.push_str(value);
    }
    out.push('}');
    out
}

/// Returns the raw text of member `key` of the object `text`; the last one when it stands twice.
#[must_use]
pub fn member<'a>(text: &'a str, key: &str) -> Option<&'a str> {
    let mut found = None;
    members::<JsonError>(text, |name, value| {
        if name == key {
            found = Some(value);
        }
        Ok(())
    })
    .ok()?;
    found
}

/// Returns the text of a JSON string, unescaped.
#[must_use]
pub fn string(text: &str) -> Option<Cow<'_, str>> {
    struct Text;
    impl<'de> Visitor<'de> for Text {
        type Value = Cow<'de, str>;
        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a string")
        }
        fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
            Ok(Cow::Borrowed(text))
        }
        fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
            Ok(Cow::Owned(text.into()))
        }
    }
    let mut de = serde_json::Deserializer::from_str(text);
    let value = de.deserialize_str(Text).ok()?;
    de.end().ok()?;
    Some(value)
}

/// Returns the value of a JSON number.
#[must_use]
pub fn number(text: &str) -> Option<f64> {
    serde_json::from_str(text).ok()
}

/// Returns the value of a JSON `true` or `false`.
#[must_use]
pub fn boolean(text: &str) -> Option<bool> {
    match text.trim() {
        "true" => Some(true),
        "false" => Some(false),
        _ => None,
    }
}

/// Writes `text` as a JSON string with the escapes of `JSON.stringify`.
///
/// # Errors
/// What the sink returns.
pub fn write_string<W: Write + ?Sized>(out: &mut W, text: &str) -> fmt::Result {
    out.write_char('"')?;
    // Nearly all texts: one write.
    if is_verbatim(text) {
        out.write_str(text)?;
        return out.write_char('"');
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
    out.write_char('"')
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

/// Integers up to here are exact in a JavaScript number.
const SAFE_INTEGER_MAX: u64 = 1 << 53;

/// An exact decimal number, `mantissa` × 10^`exponent`: what a scaled integer from the bus is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decimal {
    /// Signed digits.
    pub mantissa: i64,
    /// Power of ten, at least -30 and at most 18; others are written clamped.
    pub exponent: i8,
}

impl Decimal {
    /// Builds `mantissa` × 10^`exponent`.
    #[must_use]
    pub const fn new(mantissa: i64, exponent: i8) -> Self {
        Self { mantissa, exponent }
    }

    /// Returns the nearest binary floating point number.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "a nearest value is what the caller asks for")]
    pub fn to_f64(self) -> f64 {
        let mut scale = 1.0_f64;
        for _ in 0..self.exponent.unsigned_abs() {
            scale *= 10.0;
        }
        if self.exponent < 0 { self.mantissa as f64 / scale } else { self.mantissa as f64 * scale }
    }
}

/// Bytes of the longest text of a [`Decimal`]: a sign, 20 digits, a point, `0.` with five zeros or an exponent.
const DECIMAL_TEXT_MAX: usize = 32;

impl Decimal {
    /// Returns the digits in JavaScript's notation: plain from 1e-6 up to 1e21, exponent form below.
    ///
    /// Written without the formatting machinery: this is most of what a delta from the bus costs.
    #[must_use]
    pub fn text(self) -> heapless::String<DECIMAL_TEXT_MAX> {
        let mut text = heapless::String::new();
        // Nothing that is pushed below exceeds the text, see its length.
        if self.mantissa == 0 {
            let _ = text.push('0');
            return text;
        }
        let mut digits = self.mantissa.unsigned_abs();
        let mut exponent = i32::from(self.exponent.clamp(-30, 18));
        // Division by 32 bits is an instruction on small machines, by 64 bits a long function.
        while digits > u64::from(u32::MAX) && digits.is_multiple_of(10) {
            digits /= 10;
            exponent += 1;
        }
        if let Ok(mut small) = u32::try_from(digits) {
            while small.is_multiple_of(10) {
                small /= 10;
                exponent += 1;
            }
            digits = small.into();
        }
        let mut buffer = [0; 20];
        let digits = decimal_digits(digits, &mut buffer);
        if self.mantissa < 0 {
            let _ = text.push('-');
        }
        let count = i32::try_from(digits.len()).unwrap_or(0);
        // Position of the decimal point relative to the first digit, ECMA-262 Number::toString.
        let point = count + exponent;
        let zeros = |count: i32| ZEROS.get(..usize::try_from(count).unwrap_or(0)).unwrap_or_default();
        let split = |at: i32| digits.split_at_checked(usize::try_from(at).unwrap_or(0)).unwrap_or((digits, ""));
        let mut push = |part: &str| {
            let _ = text.push_str(part);
        };
        if exponent >= 0 && point <= 21 {
            push(digits);
            push(zeros(exponent));
        } else if 0 < point && point <= 21 {
            let (whole, fraction) = split(point);
            push(whole);
            push(".");
            push(fraction);
        } else if -6 < point && point <= 0 {
            push("0.");
            push(zeros(-point));
            push(digits);
        } else {
            let (first, rest) = split(1);
            push(first);
            if !rest.is_empty() {
                push(".");
                push(rest);
            }
            let power = point - 1;
            push(if power < 0 { "e-" } else { "e+" });
            push(decimal_digits(power.unsigned_abs().into(), &mut [0; 20]));
        }
        text
    }
}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text())
    }
}

/// The zeros that a number can have before or behind its digits.
const ZEROS: &str = "000000000000000000000";

/// Writes `number` at the end of `buffer` and returns its digits.
pub(crate) fn decimal_digits(mut number: u64, buffer: &mut [u8; 20]) -> &str {
    let mut from = buffer.len();
    let mut slots = buffer.iter_mut().rev();
    let mut put = |digit: u32| {
        if let (Some(slot), Ok(digit)) = (slots.next(), u8::try_from(digit)) {
            *slot = b'0' + digit;
            from -= 1;
        }
    };
    let mut small = loop {
        match u32::try_from(number) {
            Ok(small) => break small,
            Err(_) => {
                put(u32::try_from(number % 10).unwrap_or(0));
                number /= 10;
            }
        }
    };
    loop {
        put(small % 10);
        small /= 10;
        if small == 0 {
            break;
        }
    }
    buffer.get(from..).and_then(|digits| core::str::from_utf8(digits).ok()).unwrap_or_default()
}

/// Writes one value in compact form while parsing it.
struct Compact<'o> {
    out: &'o mut String,
    depth: usize,
}

impl Compact<'_> {
    fn nested(&mut self) -> Compact<'_> {
        Compact { out: self.out, depth: self.depth + 1 }
    }
}

impl<'de> DeserializeSeed<'de> for Compact<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, de: D) -> Result<(), D::Error> {
        if self.depth > DEPTH_MAX {
            return Err(D::Error::custom("nested too deeply"));
        }
        de.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Compact<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        self.out.push_str("null");
        Ok(())
    }

    fn visit_bool<E>(self, value: bool) -> Result<(), E> {
        self.out.push_str(if value { "true" } else { "false" });
        Ok(())
    }

    fn visit_u64<E: serde::de::Error>(self, value: u64) -> Result<(), E> {
        if value <= SAFE_INTEGER_MAX {
            return write!(self.out, "{value}").map_err(E::custom);
        }
        #[expect(clippy::cast_precision_loss, reason = "JavaScript rounds such numbers too")]
        write_f64(self.out, value as f64).map_err(E::custom)
    }

    fn visit_i64<E: serde::de::Error>(self, value: i64) -> Result<(), E> {
        if value.unsigned_abs() <= SAFE_INTEGER_MAX {
            return write!(self.out, "{value}").map_err(E::custom);
        }
        #[expect(clippy::cast_precision_loss, reason = "JavaScript rounds such numbers too")]
        write_f64(self.out, value as f64).map_err(E::custom)
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<(), E> {
        write_f64(self.out, value).map_err(E::custom)
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<(), E> {
        write_string(self.out, text).map_err(E::custom)
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut seq: A) -> Result<(), A::Error> {
        self.out.push('[');
        let start = self.out.len();
        loop {
            let before = self.out.len();
            if before > start {
                self.out.push(',');
            }
            if seq.next_element_seed(self.nested())?.is_none() {
                self.out.truncate(before);
                self.out.push(']');
                return Ok(());
            }
        }
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<(), A::Error> {
        self.out.push('{');
        let start = self.out.len();
        loop {
            let before = self.out.len();
            if before > start {
                self.out.push(',');
            }
            if map.next_key_seed(Key { out: self.out })?.is_none() {
                self.out.truncate(before);
                self.out.push('}');
                return Ok(());
            }
            self.out.push(':');
            map.next_value_seed(self.nested())?;
        }
    }
}

/// Writes an object key while parsing it.
struct Key<'o> {
    out: &'o mut String,
}

impl<'de> DeserializeSeed<'de> for Key<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, de: D) -> Result<(), D::Error> {
        de.deserialize_str(self)
    }
}

impl Visitor<'_> for Key<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object key")
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<(), E> {
        write_string(self.out, text).map_err(E::custom)
    }
}

struct Members<'v, V, E> {
    visit: &'v mut V,
    failed: &'v mut Option<E>,
}

impl<'de, V: FnMut(&str, &'de str) -> Result<(), E>, E> Visitor<'de> for Members<'_, V, E> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(key) = map.next_key::<Text<'de>>()? {
            let value: &'de RawValue = map.next_value()?;
            if let Err(error) = (self.visit)(&key.0, value.get()) {
                *self.failed = Some(error);
                return Err(A::Error::custom("stopped by the visitor"));
            }
        }
        Ok(())
    }
}

/// A key: borrowed where it holds no escape.
struct Text<'a>(Cow<'a, str>);

impl<'de: 'a, 'a> serde::Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(de: D) -> Result<Self, D::Error> {
        struct Keep;
        impl<'de> Visitor<'de> for Keep {
            type Value = Text<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }
            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
                Ok(Text(Cow::Borrowed(text)))
            }
            fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
                Ok(Text(Cow::Owned(text.into())))
            }
        }
        de.deserialize_str(Keep)
    }
}

struct Items<'v, V, E> {
    visit: &'v mut V,
    failed: &'v mut Option<E>,
}

impl<'de, V: FnMut(&'de str) -> Result<(), E>, E> Visitor<'de> for Items<'_, V, E> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        while let Some(item) = seq.next_element::<&'de RawValue>()? {
            if let Err(error) = (self.visit)(item.get()) {
                *self.failed = Some(error);
                return Err(A::Error::custom("stopped by the visitor"));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::format;
    use std::string::ToString;

    #[test]
    fn compact_writes_what_javascript_would() {
        let text = " { \"b\" : 5.0 , \"a\":[ 1e-7, 1E21, -0.5,12345678901234567890 , true,null ], \"s\":\"\\u0041\\/\\u0001é\" } ";
        assert_eq!(
            compact(text).unwrap(),
            r#"{"b":5,"a":[1e-7,1e+21,-0.5,12345678901234567000,true,null],"s":"A/\u0001é"}"#
        );
        assert_eq!(compact("[]").unwrap(), "[]");
        assert_eq!(compact("{\"a\":{}}").unwrap(), "{\"a\":{}}");
    }

    #[test]
    fn compact_refuses_what_is_not_one_value() {
        for text in ["", "{", "{}{}", "nul", "[1,]", "{\"a\"}", "\"\\ud800\"", "01", "NaN"] {
            assert!(compact(text).is_err(), "{text}");
        }
    }

    #[test]
    fn depth_is_bounded() {
        let nest = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        assert!(compact(&nest(DEPTH_MAX)).is_ok());
        assert!(compact(&nest(DEPTH_MAX + 2)).is_err());
        assert!(compact(&nest(100_000)).is_err());
    }

    #[test]
    fn members_and_items_give_raw_text_in_order() {
        let mut seen = String::new();
        members::<JsonError>(r#"{"a":{"x":1},"b\n":[1,2]}"#, |key, value| {
            seen.push_str(&format!("{key}={value};"));
            Ok(())
        })
        .unwrap();
        assert_eq!(seen, "a={\"x\":1};b\n=[1,2];");
        let mut count = 0;
        items::<JsonError>("[1,{\"a\":2},\"z\"]", |_| {
            count += 1;
            Ok(())
        })
        .unwrap();
        assert_eq!(count, 3);
        assert_eq!(members::<JsonError>("[1]", |_, _| Ok(())), Err(JsonError::WrongKind));
        assert_eq!(member(r#"{"a":1,"a":2}"#, "a"), Some("2"));
    }

    #[test]
    fn decimals_are_exact_and_in_javascript_notation() {
        for (mantissa, exponent, text) in [
            (0, -7, "0"),
            (1, -7, "1e-7"),
            (15, -7, "0.0000015"),
            (1, -6, "0.000001"),
            (-123_456_789, -7, "-12.3456789"),
            (1_234_567_890_123_456_789, -16, "123.4567890123456789"),
            (250, 2, "25000"),
            (100, -2, "1"),
            (i64::MIN, 0, "-9223372036854775808"),
            (12, 18, "12000000000000000000"),
            (3125, -11, "3.125e-8"),
        ] {
            assert_eq!(Decimal::new(mantissa, exponent).to_string(), text);
        }
    }

    #[test]
    fn strings_are_escaped_as_json_stringify_does() {
        let mut out = String::new();
        write_string(&mut out, "a\"\\\u{1f}\n\u{7f}☃").unwrap();
        assert_eq!(out, "\"a\\\"\\\\\\u001f\\n\u{7f}☃\"");
        assert_eq!(string(&out).unwrap(), "a\"\\\u{1f}\n\u{7f}☃");
    }

    proptest::proptest! {
        #[test]
        fn compact_is_idempotent_and_never_panics(text in "\\PC*") {
            if let Ok(once) = compact(&text) {
                proptest::prop_assert_eq!(compact(&once).unwrap(), once);
            }
        }

        #[test]
        fn what_is_verbatim_is_so_at_every_place(before in "[ -~]{0,9}", letter: char, after in "[ -~]{0,9}") {
            let text = format!("{before}{letter}{after}");
            let wanted = text.chars().all(|letter| matches!(letter, ' '..='~') && !matches!(letter, '"' | '\\'));
            proptest::prop_assert_eq!(is_verbatim(&text), wanted, "{:?}", text);
        }

        #[test]
        fn decimal_text_reads_back_as_the_nearest_float(mantissa: i32, exponent in -12_i8..6) {
            let decimal = Decimal::new(i64::from(mantissa), exponent);
            let text = decimal.to_string();
            let back: f64 = text.parse().unwrap();
            proptest::prop_assert!((back - decimal.to_f64()).abs() <= back.abs() * 1e-15, "{} {}", text, back);
        }
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

    #[test]
    fn a_member_is_set_in_place_or_appended() {
        assert_eq!(with_member(r#"{"rate":5}"#, "enableDebug", "false"), r#"{"rate":5,"enableDebug":false}"#);
        assert_eq!(
            with_member(r#"{"enableDebug":1,"rate":5}"#, "enableDebug", "true"),
            r#"{"enableDebug":true,"rate":5}"#
        );
        assert_eq!(with_member("{}", "enableDebug", "false"), r#"{"enableDebug":false}"#);
        assert_eq!(with_member("[1]", "enableDebug", "false"), r#"{"enableDebug":false}"#);
    }
}
