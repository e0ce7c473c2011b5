//! A value on its way into JSON text.

use alloc::string::String;
use core::fmt::{self, Write};

use super::{Decimal, write_f64, write_string};

/// A value on its way into JSON text.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Value<'a> {
    /// `null`: the value was cleared or is not available.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// An exact decimal.
    Number(Decimal),
    /// A quotient that has no exact decimal.
    Float(f64),
    /// Text.
    Text(&'a str),
    /// An object, members in order.
    Object(&'a [Member<'a>]),
    /// An array.
    List(&'a [Value<'a>]),
    /// Text that is compact JSON already.
    Json(&'a str),
    /// Compact JSON that is written when it is needed: lists too long for the stack.
    Written(Written<'a>),
}

/// A member of an object: name and value.
pub type Member<'a> = (&'a str, Value<'a>);

/// Writes compact JSON.
#[derive(Clone, Copy)]
pub struct Written<'a>(pub &'a dyn Fn(&mut dyn Write) -> fmt::Result);

impl fmt::Debug for Written<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (self.0)(f)
    }
}

impl PartialEq for Written<'_> {
    /// Compares what is written.
    fn eq(&self, other: &Self) -> bool {
        let (mut left, mut right) = (String::new(), String::new());
        (self.0)(&mut left).is_ok() && (other.0)(&mut right).is_ok() && left == right
    }
}

/// Gives a writer of any sort as a trait object.
struct Through<'w, W: ?Sized>(&'w mut W);

impl<W: Write + ?Sized> Write for Through<'_, W> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0.write_str(text)
    }
}

impl Value<'_> {
    /// Returns a whole number, at most `i64::MAX`.
    #[must_use]
    pub fn whole(number: u64) -> Self {
        Self::Number(Decimal::new(i64::try_from(number).unwrap_or(i64::MAX), 0))
    }

    /// Writes the value as compact JSON.
    ///
    /// # Errors
    /// What the sink returns.
    pub fn write<W: Write + ?Sized>(&self, out: &mut W) -> fmt::Result {
        match *self {
            Self::Null => out.write_str("null"),
            Self::Bool(value) => out.write_str(if value { "true" } else { "false" }),
            Self::Number(value) => out.write_str(&value.text()),
            Self::Float(value) => write_f64(out, value),
            Self::Text(text) => write_string(out, text),
            Self::Json(text) => out.write_str(text),
            Self::Written(written) => (written.0)(&mut Through(out)),
            Self::Object(members) => {
                out.write_char('{')?;
                for (index, (name, value)) in members.iter().enumerate() {
                    if index > 0 {
                        out.write_char(',')?;
                    }
                    write_string(out, name)?;
                    out.write_char(':')?;
                    value.write(out)?;
                }
                out.write_char('}')
            }
            Self::List(items) => {
                out.write_char('[')?;
                for (index, value) in items.iter().enumerate() {
                    if index > 0 {
                        out.write_char(',')?;
                    }
                    value.write(out)?;
                }
                out.write_char(']')
            }
        }
    }
}
