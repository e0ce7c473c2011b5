//! A delta's value as what an input can take.

use alloc::borrow::Cow;

use crate::json;

/// What an input can take of a value.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Scalar<'v> {
    Null,
    /// The double nearest to the exact decimal.
    Number(f64),
    Bool(bool),
    Text(Cow<'v, str>),
    /// An object or an array.
    Other,
}

/// Reads a value of a delta, compact JSON, or one member of it; an object without the member has none.
///
/// `None` where nothing is said of the member: root values (path `""`) are merged, so that one that is not named stays.
pub(super) fn scalar<'v>(json: &'v str, member: Option<&str>, is_root: bool) -> Option<Scalar<'v>> {
    let json = match member {
        Some(name) if json.starts_with('{') => match json::member(json, name) {
            Some(value) => value,
            None => return (!is_root).then_some(Scalar::Null),
        },
        Some(_) if json != "null" => return Some(Scalar::Other),
        _ => json,
    };
    Some(match json.as_bytes().first() {
        Some(b'n') => Scalar::Null,
        Some(b't' | b'f') => Scalar::Bool(json == "true"),
        Some(b'"') => json::string(json).map_or(Scalar::Other, Scalar::Text),
        Some(b'{' | b'[') => Scalar::Other,
        _ => json::number(json).map_or(Scalar::Other, Scalar::Number),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_of_value_is_told_from_the_others() {
        let of = |json| scalar(json, None, false).unwrap();
        assert_eq!((of("null"), of("true"), of("false")), (Scalar::Null, Scalar::Bool(true), Scalar::Bool(false)));
        assert_eq!((of("{\"a\":1}"), of("[1]")), (Scalar::Other, Scalar::Other));
        assert_eq!(of("\"a\\\"b\""), Scalar::Text("a\"b".into()));
        // The nearest double, where a careless reader is one step beside it.
        for (text, number) in
            [("0.1", 0.1), ("-4.35", -4.35), ("8.12345678901234567", 8.123_456_789_012_346), ("1e-7", 1e-7)]
        {
            assert_eq!(of(text), Scalar::Number(number), "{text}");
        }
    }

    #[test]
    fn a_member_is_taken_of_an_object_alone() {
        let position = r#"{"longitude":4.5,"latitude":52.1}"#;
        let of = |json, is_root| scalar(json, Some("latitude"), is_root);
        assert_eq!(of(position, false), Some(Scalar::Number(52.1)));
        assert_eq!(of("null", false), Some(Scalar::Null), "the whole value was withdrawn");
        assert_eq!(of("{}", false), Some(Scalar::Null), "the value has no such member any more");
        assert_eq!(of("5", false), Some(Scalar::Other));
        assert_eq!(of("{}", true), None, "root values are merged");
    }
}
