//! Objects and lists under construction.
//!
//! A member or an item is added by name and value; commas, brackets and escapes are written here and nowhere else, so
//! that none of them can be forgotten:
//!
//! ```
//! use skiff_runtime::json;
//!
//! let text = json::object(|row| {
//!     row.text("id", "a \"b\"").number("restarts", 3_u8);
//!     row.list("used", |used| {
//!         used.number(0.5).null();
//!     });
//! });
//! assert_eq!(text, r#"{"id":"a \"b\"","restarts":3,"used":[0.5,null]}"#);
//! ```

use alloc::string::String;

use super::{decimal_digits, write_f64, write_string};

/// Returns the object that `fill` gives members to.
pub fn object(fill: impl FnOnce(&mut Object<'_>)) -> String {
    let mut out = String::new();
    write_object(&mut out, fill);
    out
}

/// Appends the object that `fill` gives members to.
pub fn write_object(out: &mut String, fill: impl FnOnce(&mut Object<'_>)) {
    out.push('{');
    fill(&mut Object { out, empty: true });
    out.push('}');
}

/// Returns the array that `fill` gives items to.
pub fn list(fill: impl FnOnce(&mut List<'_>)) -> String {
    let mut out = String::new();
    write_list(&mut out, fill);
    out
}

/// Appends the array that `fill` gives items to.
pub fn write_list(out: &mut String, fill: impl FnOnce(&mut List<'_>)) {
    out.push('[');
    fill(&mut List { out, empty: true });
    out.push(']');
}

/// A number of any kind, see [`Object::number`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Number {
    /// A whole number from 0.
    Unsigned(u64),
    /// A whole number.
    Signed(i64),
    /// A double; what is not finite is written as `null`.
    Float(f64),
}

macro_rules! number_from {
    ($($kind:ident: $($from:ty),+;)+) => {
        $($(impl From<$from> for Number {
            fn from(value: $from) -> Self {
                Self::$kind(value.into())
            }
        })+)+
    };
}

number_from! {
    Unsigned: u8, u16, u32, u64;
    Signed: i8, i16, i32, i64;
    Float: f32, f64;
}

impl From<usize> for Number {
    fn from(value: usize) -> Self {
        // No machine that Skiff runs on has more than 64 bits.
        Self::Unsigned(u64::try_from(value).unwrap_or(u64::MAX))
    }
}

impl Number {
    fn write(self, out: &mut String) {
        match self {
            Self::Unsigned(value) => out.push_str(decimal_digits(value, &mut itoa::Buffer::new())),
            Self::Signed(value) => {
                if value < 0 {
                    out.push('-');
                }
                out.push_str(decimal_digits(value.unsigned_abs(), &mut itoa::Buffer::new()));
            }
            Self::Float(value) => {
                // Writing into a String cannot fail, here and below.
                let _ = write_f64(out, value);
            }
        }
    }
}

/// An object under construction; each method adds one member.
#[derive(Debug)]
pub struct Object<'o> {
    out: &'o mut String,
    empty: bool,
}

/// An array under construction; each method adds one item.
#[derive(Debug)]
pub struct List<'o> {
    out: &'o mut String,
    empty: bool,
}

impl Object<'_> {
    /// Writes what stands before a value and returns where the value goes.
    fn key(&mut self, name: &str) -> &mut String {
        if !core::mem::take(&mut self.empty) {
            self.out.push(',');
        }
        let _ = write_string(self.out, name);
        self.out.push(':');
        self.out
    }

    /// Adds a text.
    pub fn text(&mut self, name: &str, value: &str) -> &mut Self {
        let _ = write_string(self.key(name), value);
        self
    }

    /// Adds a text, or `null` where there is none.
    pub fn text_or_null(&mut self, name: &str, value: Option<&str>) -> &mut Self {
        match value {
            Some(value) => self.text(name, value),
            None => self.null(name),
        }
    }

    /// Adds a number.
    pub fn number(&mut self, name: &str, value: impl Into<Number>) -> &mut Self {
        value.into().write(self.key(name));
        self
    }

    /// Adds `true` or `false`.
    pub fn boolean(&mut self, name: &str, value: bool) -> &mut Self {
        self.json(name, if value { "true" } else { "false" })
    }

    /// Adds `null`.
    pub fn null(&mut self, name: &str) -> &mut Self {
        self.json(name, "null")
    }

    /// Adds `value`, which is JSON already.
    pub fn json(&mut self, name: &str, value: &str) -> &mut Self {
        self.key(name).push_str(value);
        self
    }

    /// Adds the object that `fill` gives members to.
    pub fn object(&mut self, name: &str, fill: impl FnOnce(&mut Object<'_>)) -> &mut Self {
        write_object(self.key(name), fill);
        self
    }

    /// Adds the array that `fill` gives items to.
    pub fn list(&mut self, name: &str, fill: impl FnOnce(&mut List<'_>)) -> &mut Self {
        write_list(self.key(name), fill);
        self
    }
}

impl<'o> Object<'o> {
    /// Goes on with an object whose brace is open already.
    pub(super) fn opened(out: &'o mut String) -> Self {
        let empty = out.ends_with('{');
        Self { out, empty }
    }

    /// Opens an object as member `name` and goes on inside of it.
    pub(super) fn open(&mut self, name: &str) {
        self.key(name).push('{');
        self.empty = true;
    }

    /// Closes what [`open`](Self::open) opened.
    pub(super) fn close(&mut self) {
        self.out.push('}');
        self.empty = false;
    }
}

impl List<'_> {
    fn next(&mut self) -> &mut String {
        if !core::mem::take(&mut self.empty) {
            self.out.push(',');
        }
        self.out
    }

    /// Adds a text.
    pub fn text(&mut self, value: &str) -> &mut Self {
        let _ = write_string(self.next(), value);
        self
    }

    /// Adds a number.
    pub fn number(&mut self, value: impl Into<Number>) -> &mut Self {
        value.into().write(self.next());
        self
    }

    /// Adds `true` or `false`.
    pub fn boolean(&mut self, value: bool) -> &mut Self {
        self.json(if value { "true" } else { "false" })
    }

    /// Adds `null`.
    pub fn null(&mut self) -> &mut Self {
        self.json("null")
    }

    /// Adds `value`, which is JSON already.
    pub fn json(&mut self, value: &str) -> &mut Self {
        self.next().push_str(value);
        self
    }

    /// Adds the object that `fill` gives members to.
    pub fn object(&mut self, fill: impl FnOnce(&mut Object<'_>)) -> &mut Self {
        write_object(self.next(), fill);
        self
    }

    /// Adds the array that `fill` gives items to.
    pub fn list(&mut self, fill: impl FnOnce(&mut List<'_>)) -> &mut Self {
        write_list(self.next(), fill);
        self
    }
}

#[cfg(test)]
mod tests {
    use super::super::compact;
    use super::*;

    #[test]
    fn every_kind_of_member_and_item_is_written() {
        let text = object(|out| {
            out.text("a\"", "\n").text_or_null("b", None).text_or_null("c", Some("x")).number("d", -3);
            out.boolean("e", true).null("f").json("g", "[1,2]").boolean("h", false);
            out.object("i", |_| ());
            out.list("j", |items| {
                items.text("\\").number(u64::MAX).number(i64::MIN).boolean(false).null().json("{}").null();
                items.object(|inner| {
                    inner.number("half", 0.5).number("nothing", f64::NAN);
                });
                items.list(|_| ());
            });
        });
        let wanted = r#"{"a\"":"\n","b":null,"c":"x","d":-3,"e":true,"f":null,"g":[1,2],"h":false,"i":{},"j":["\\",18446744073709551615,-9223372036854775808,false,null,{},null,{"half":0.5,"nothing":null},[]]}"#;
        assert_eq!(text, wanted);
        assert_eq!(list(|_| ()), "[]");
    }

    proptest::proptest! {
        #[test]
        fn what_is_written_is_compact_json(names in proptest::collection::vec("\\PC{0,6}", 0..6), number: f64) {
            let text = object(|out| {
                for name in &names {
                    out.text(name, name);
                    out.list(name, |items| {
                        for name in &names {
                            items.text(name).number(number);
                        }
                    });
                }
            });
            let read = compact(&text);
            proptest::prop_assert!(read.is_ok(), "{}", text);
        }
    }
}
