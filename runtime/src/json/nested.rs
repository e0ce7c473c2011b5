//! An object whose inner objects are opened and closed one by one, for walks over sorted paths.

use alloc::string::String;

use super::Object;

/// Returns the object that `fill` opens, fills and closes; what it leaves open is closed.
pub fn nested(fill: impl FnOnce(&mut Nested<'_>)) -> String {
    let mut out = String::from("{");
    let mut tree = Nested { members: Object::opened(&mut out), depth: 0 };
    fill(&mut tree);
    while tree.depth > 0 {
        tree.close();
    }
    out.push('}');
    out
}

/// Appends `members` to the object `text`; a text that ends without a brace is left as it is.
pub fn append(text: &mut String, fill: impl FnOnce(&mut Object<'_>)) {
    if text.ends_with('}') {
        text.pop();
        let mut members = Object::opened(text);
        fill(&mut members);
        text.push('}');
    }
}

/// An object and the objects that are open inside of it.
#[derive(Debug)]
pub struct Nested<'o> {
    members: Object<'o>,
    depth: usize,
}

impl<'o> Nested<'o> {
    /// Opens an object as member `name` of the innermost open one.
    pub fn open(&mut self, name: &str) {
        self.members.open(name);
        self.depth = self.depth.saturating_add(1);
    }

    /// Closes the innermost open object; the outermost is closed at the end.
    pub fn close(&mut self) {
        if self.depth > 0 {
            self.members.close();
            self.depth = self.depth.saturating_sub(1);
        }
    }

    /// Returns the innermost open object, to add members to.
    pub fn members(&mut self) -> &mut Object<'o> {
        &mut self.members
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_open_is_closed() {
        let text = nested(|tree| {
            tree.open("a");
            tree.members().number("b", 1_u8);
            tree.open("c");
            tree.close();
            tree.close();
            tree.close();
            tree.members().null("d");
            tree.open("e");
            tree.open("f");
        });
        assert_eq!(text, r#"{"a":{"b":1,"c":{}},"d":null,"e":{"f":{}}}"#);
    }

    #[test]
    fn members_are_appended_to_objects_only() {
        for (before, after) in [("{}", r#"{"x":1}"#), (r#"{"a":{}}"#, r#"{"a":{},"x":1}"#), ("[1]", "[1]"), ("", "")] {
            let mut text = String::from(before);
            append(&mut text, |members| {
                members.number("x", 1_u8);
            });
            assert_eq!(text, after);
        }
    }
}
