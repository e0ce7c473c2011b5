//! Changes one member of an object.

use alloc::string::String;

use super::{JsonError, members, object};

/// Returns the object `text` with `name` set to `value`: in place where it exists, else appended.
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
        out
    } else {
        object(|out| {
            out.json(name, value);
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
