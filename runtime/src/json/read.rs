//! Walks JSON text: members, items, strings, numbers.

use alloc::borrow::Cow;
use core::fmt;

use serde::de::{Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::JsonError;

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
    use alloc::string::String;
    use std::format;

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
}
