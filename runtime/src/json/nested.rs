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
}
