//! Makes an object anew with other members.

use alloc::string::String;

use super::{JsonError, Object, members, object};

/// Returns the object `text` made anew: `each` is given the new object and each member of the old one, key and JSON.
///
/// # Errors
/// [`JsonError`] when `text` is not an object.
pub fn rewritten(text: &str, mut each: impl FnMut(&mut Object<'_>, &str, &str)) -> Result<String, JsonError> {
    let mut read = Ok(());
    let out = object(|out| {
        read = members(text, |key, value| {
            each(out, key, value);
            Ok(())
        });
    });
    read.map(|()| out)
}

/// Returns the object `text` with `name` set to `value`, JSON: in place where it exists, else appended.
///
/// A text that is no object cannot carry members: the result has only the new one.
#[must_use]
pub fn with_member(text: &str, name: &str, value: &str) -> String {
    let mut found = false;
    let mut read = Ok(());
    let out = object(|out| {
        read = members::<JsonError>(text, |key, raw| {
            found |= key == name;
            out.json(key, if key == name { value } else { raw });
            Ok(())
        });
        if !found {
            out.json(name, value);
        }
    });
    if read.is_ok() {
        return out;
    }
    object(|out| {
        out.json(name, value);
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_are_dropped_and_changed_on_the_way() {
        let halved = rewritten(r#"{"a":{"x":1},"b":2,"c\"":[3]}"#, |out, key, value| {
            if key != "b" {
                out.json(key, value);
            }
        });
        assert_eq!(halved.as_deref(), Ok(r#"{"a":{"x":1},"c\"":[3]}"#));
        assert_eq!(rewritten("[1]", |_, _, _| ()), Err(JsonError::WrongKind));
        assert!(rewritten(r#"{"a":1,"#, |_, _, _| ()).is_err());
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
