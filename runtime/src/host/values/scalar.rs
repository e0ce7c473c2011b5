//! A delta's value as what an input can take.

use alloc::borrow::Cow;

use crate::json::{self, Value};

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

/// Integers up to here, and powers of ten up to 10^22, are exact in a double: so is what one division makes of them.
const EXACT_MAX: u64 = 1 << 53;
const POWER_MAX: u8 = 22;

/// Reads a value of a delta, or one member of it; an object without the member has none.
///
/// `None` where nothing is said of the member: root values (path `""`) are merged, so that one that is not named stays.
pub(super) fn scalar<'v>(value: Value<'v>, member: Option<&str>, is_root: bool) -> Option<Scalar<'v>> {
    let Some(name) = member else { return Some(whole(value)) };
    let found = match value {
        Value::Json(json) if json.starts_with('{') => json::member(json, name).map(Value::Json),
        Value::Object(members) => members.iter().find(|(known, _)| *known == name).map(|(_, value)| *value),
        Value::Null | Value::Json("null") => Some(Value::Null),
        _ => return Some(Scalar::Other),
    };
    match found {
        Some(value) => Some(whole(value)),
        None => (!is_root).then_some(Scalar::Null),
    }
}

fn whole(value: Value<'_>) -> Scalar<'_> {
    match value {
        Value::Null => Scalar::Null,
        Value::Bool(value) => Scalar::Bool(value),
        Value::Float(number) => Scalar::Number(number),
        Value::Number(decimal)
            if decimal.mantissa.unsigned_abs() <= EXACT_MAX && decimal.exponent.unsigned_abs() <= POWER_MAX =>
        {
            Scalar::Number(decimal.to_f64())
        }
        Value::Number(decimal) => json::number(&decimal.text()).map_or(Scalar::Other, Scalar::Number),
        Value::Text(text) => Scalar::Text(Cow::Borrowed(text)),
        Value::Json(json) => match json.as_bytes().first() {
            Some(b'n') => Scalar::Null,
            Some(b't' | b'f') => Scalar::Bool(json == "true"),
            Some(b'"') => json::string(json).map_or(Scalar::Other, Scalar::Text),
            Some(b'{' | b'[') => Scalar::Other,
            _ => json::number(json).map_or(Scalar::Other, Scalar::Number),
        },
        _ => Scalar::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::Decimal;

    #[test]
    fn each_kind_of_value_is_told_from_the_others() {
        let of = |json| scalar(Value::Json(json), None, false).unwrap();
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
    fn a_decimal_of_the_bus_is_the_number_that_its_text_is() {
        for (mantissa, exponent) in [(1, -1), (-435, -2), (i64::MAX, -18), (i64::MIN, 0), (123_456_789, -30), (7, 18)] {
            let decimal = Decimal::new(mantissa, exponent);
            let wanted = json::number(&decimal.text()).map(Scalar::Number);
            assert_eq!(scalar(Value::Number(decimal), None, false), wanted, "{decimal}");
        }
        assert_eq!(scalar(Value::Text("a"), None, false), Some(Scalar::Text("a".into())));
        let position = Value::Object(&[("latitude", Value::Float(52.5))]);
        assert_eq!(scalar(position, Some("latitude"), false), Some(Scalar::Number(52.5)));
    }

    #[test]
    fn a_member_is_taken_of_an_object_alone() {
        let position = r#"{"longitude":4.5,"latitude":52.1}"#;
        let of = |json, is_root| scalar(Value::Json(json), Some("latitude"), is_root);
        assert_eq!(of(position, false), Some(Scalar::Number(52.1)));
        assert_eq!(of("null", false), Some(Scalar::Null), "the whole value was withdrawn");
        assert_eq!(of("{}", false), Some(Scalar::Null), "the value has no such member any more");
        assert_eq!(of("5", false), Some(Scalar::Other));
        assert_eq!(of("{}", true), None, "root values are merged");
    }
}
