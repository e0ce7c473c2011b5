//! JSON as people edit it.

use alloc::string::String;

/// Returns compact JSON as `JSON.stringify(value, null, 2)` would write it: two blanks a level.
#[must_use]
pub fn pretty(compact: &str) -> String {
    let mut out = String::with_capacity(compact.len().saturating_mul(2));
    let mut depth = 0_usize;
    let (mut in_string, mut escaped) = (false, false);
    let mut characters = compact.chars().peekable();
    while let Some(character) = characters.next() {
        if in_string {
            out.push(character);
            in_string = escaped || character != '"';
            escaped = !escaped && character == '\\';
            continue;
        }
        match character {
            '{' | '[' => {
                out.push(character);
                if let Some(close) = characters.next_if(|next| matches!(next, '}' | ']')) {
                    out.push(close);
                } else {
                    depth = depth.saturating_add(1);
                    line(&mut out, depth);
                }
            }
            '}' | ']' => {
                depth = depth.saturating_sub(1);
                line(&mut out, depth);
                out.push(character);
            }
            ',' => {
                out.push(',');
                line(&mut out, depth);
            }
            ':' => out.push_str(": "),
            _ => {
                in_string = character == '"';
                out.push(character);
            }
        }
    }
    out
}

fn line(out: &mut String, depth: usize) {
    out.push('\n');
    for _ in 0..depth {
        out.push_str("  ");
    }
}

#[cfg(test)]
mod tests {
    use super::pretty;
    use crate::json::compact;

    #[test]
    fn indents_by_two_blanks_and_leaves_strings_alone() {
        let text = r#"{"a":{"b":[1,{}],"c":[]},"d":"x{,:}\"\\","e":null}"#;
        let expected = "{\n  \"a\": {\n    \"b\": [\n      1,\n      {}\n    ],\n    \"c\": []\n  },\n  \"d\": \"x{,:}\\\"\\\\\",\n  \"e\": null\n}";
        assert_eq!(pretty(text), expected);
    }

    proptest::proptest! {
        #[test]
        fn compacting_gives_the_text_back(key in "\\PC{0,12}", value in "\\PC{0,12}", number in -1000_i32..1000) {
            let mut text = String::from("{");
            crate::json::write_string(&mut text, &key).unwrap();
            text.push_str(":[{},[],");
            crate::json::write_string(&mut text, &value).unwrap();
            text.push_str(&std::format!(",{number},{{\"n\":[true]}}]}}"));
            proptest::prop_assert_eq!(compact(&pretty(&text)).unwrap(), text);
        }
    }
}
