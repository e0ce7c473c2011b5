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
    let mut failed = None;
    let walked = walk_members(text, &mut |key, value| visit(key, value).map_err(|error| failed = Some(error)).is_ok());
    failed.map_or_else(|| walked.map_err(E::from), Err)
}

/// Calls `visit` with each item of the array `text` as raw text.
///
/// # Errors
/// [`JsonError`] when `text` is not an array, or the error `visit` returned.
pub fn items<'a, E: From<JsonError>>(text: &'a str, mut visit: impl FnMut(&'a str) -> Result<(), E>) -> Result<(), E> {
    let mut failed = None;
    let walked = walk_items(text, &mut |item| visit(item).map_err(|error| failed = Some(error)).is_ok());
    failed.map_or_else(|| walked.map_err(E::from), Err)
}

/// Walks an object until `visit` says no. One reader for all who walk: a chip has no room for one each.
fn walk_members<'a>(text: &'a str, visit: &mut dyn FnMut(&str, &'a str) -> bool) -> Result<(), JsonError> {
    if !text.trim_start().starts_with('{') {
        return Err(JsonError::WrongKind);
    }
    let mut de = serde_json::Deserializer::from_str(text);
    de.deserialize_map(Members(visit)).and_then(|()| de.end()).map_err(JsonError::from)
}

/// Walks an array until `visit` says no.
fn walk_items<'a>(text: &'a str, visit: &mut dyn FnMut(&'a str) -> bool) -> Result<(), JsonError> {
    if !text.trim_start().starts_with('[') {
        return Err(JsonError::WrongKind);
    }
    let mut de = serde_json::Deserializer::from_str(text);
    de.deserialize_seq(Items(visit)).and_then(|()| de.end()).map_err(JsonError::from)
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

struct Members<'v, 'de>(&'v mut dyn FnMut(&str, &'de str) -> bool);

impl<'de> Visitor<'de> for Members<'_, 'de> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(key) = map.next_key::<Text<'de>>()? {
            let value: &'de RawValue = map.next_value()?;
            if !(self.0)(&key.0, value.get()) {
                return Err(A::Error::custom(STOPPED));
            }
        }
        Ok(())
    }
}

/// Never shown: who stops has an error of its own.
const STOPPED: &str = "stopped by the visitor";

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

struct Items<'v, 'de>(&'v mut dyn FnMut(&'de str) -> bool);

impl<'de> Visitor<'de> for Items<'_, 'de> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        while let Some(item) = seq.next_element::<&'de RawValue>()? {
            if !(self.0)(item.get()) {
                return Err(A::Error::custom(STOPPED));
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
