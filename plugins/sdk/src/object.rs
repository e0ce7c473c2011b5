//! Writes the members of a JSON object, with their commas.
//!
//! ```
//! use skiff_plugin::{Object, Text};
//!
//! let mut buffer = [0; 64];
//! let mut text = Text::new(&mut buffer);
//! let mut object = Object::open(&mut text);
//! object.member("depth").push_fixed(3.5, 2);
//! object.member("state").push_json("alarm");
//! object.close();
//! assert_eq!(text.as_str(), r#"{"depth":3.5,"state":"alarm"}"#);
//! ```

use crate::Text;

/// An object that is being written into a text.
pub struct Object<'t, 'b> {
    text: &'t mut Text<'b>,
    members: usize,
}

impl<'t, 'b> Object<'t, 'b> {
    /// Begins an object.
    pub fn open(text: &'t mut Text<'b>) -> Self {
        text.push_str("{");
        Self { text, members: 0 }
    }

    /// Begins a member, whose name needs no escape; its value is written into what is returned.
    // Called for every member, and inlining it costs a kilobyte.
    #[inline(never)]
    pub fn member(&mut self, name: &str) -> &mut Text<'b> {
        self.text.push_str(if self.members == 0 { "\"" } else { ",\"" });
        self.text.push_str(name);
        self.text.push_str("\"");
        self.text.push_str(":");
        self.members += 1;
        self.text
    }

    /// Begins a member as [`Object::member`] does, and lets `write` say whether there is one.
    pub(crate) fn member_if(&mut self, name: &str, write: impl FnOnce(&mut Text<'b>) -> bool) {
        let before = self.text.len();
        if !write(self.member(name)) {
            self.text.truncate(before);
            self.members -= 1;
        }
    }

    /// Ends the object; returns the number of its members.
    pub fn close(self) -> usize {
        self.text.push_str("}");
        self.members
    }
}
