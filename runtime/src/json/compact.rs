//! Foreign text into compact form.

use alloc::string::String;
use core::fmt::{self, Write};

use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};

use super::{DEPTH_MAX, JsonError, write_f64, write_string};

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

/// Integers up to here are exact in a JavaScript number.
const SAFE_INTEGER_MAX: u64 = 1 << 53;

/// Writes one value in compact form while parsing it.
pub(crate) struct Compact<'o> {
    /// Where it is written.
    pub out: &'o mut String,
    /// Objects and arrays around it.
    pub depth: usize,
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

#[cfg(test)]
mod tests {
    use super::super::number;
    use super::*;
    use std::format;

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
    fn numbers_between_two_doubles_are_rounded_rightly() {
        for (text, wanted) in [
            // Half way, then a little more: to the even one, then up (IEEE 754 §4.3.1).
            ("1.00000000000000011102230246251565404236316680908203125", "1"),
            ("1.00000000000000011102230246251565404236316680908203126", "1.0000000000000002"),
            ("9007199254740993", "9007199254740992"),
            ("9007199254740993.0000000000000000000000000000000001", "9007199254740994"),
            ("2.2250738585072011e-308", "2.225073858507201e-308"),
            ("2.4703282292062327e-324", "0"),
            ("2.4703282292062328e-324", "5e-324"),
            ("1.7976931348623157e+308", "1.7976931348623157e+308"),
            // As JSON.stringify does.
            ("-0.0", "0"),
        ] {
            assert_eq!(compact(text).as_deref(), Ok(wanted), "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn doubles_keep_every_bit(bits: u64) {
            let value = f64::from_bits(bits);
            proptest::prop_assume!(value.is_finite() && value != 0.0);
            let mut shortest = String::new();
            write_f64(&mut shortest, value).unwrap();
            for text in [&shortest, &format!("{value:e}"), &format!("{value:.16e}"), &format!("{value:.40e}")] {
                proptest::prop_assert_eq!(number(text).map(f64::to_bits), Some(bits), "{}", text);
                proptest::prop_assert_eq!(compact(text), Ok(shortest.clone()), "{}", text);
            }
        }

        #[test]
        fn compact_is_idempotent_and_never_panics(text in "\\PC*") {
            if let Ok(once) = compact(&text) {
                proptest::prop_assert_eq!(compact(&once).unwrap(), once);
            }
        }
    }
}
