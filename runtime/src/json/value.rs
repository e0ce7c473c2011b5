//! A value on its way into JSON text.

use alloc::string::String;
use core::fmt::{self, Write};
use core::ops::Deref;

use super::decimal::DECIMAL_TEXT_MAX;
use super::{Decimal, write_f64, write_string};
use crate::time::UnixMillis;

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

/// JSON text that is borrowed, or short and made for who reads it.
#[derive(Clone, Debug)]
pub enum Shown<'a> {
    /// It stands somewhere.
    Borrowed(&'a str),
    /// A number or a time stamp.
    Short(heapless::String<DECIMAL_TEXT_MAX>),
    /// Anything else.
    Owned(String),
}

impl Shown<'_> {
    /// Returns the text of a time stamp, empty where none is known.
    #[must_use]
    pub fn of_time(time: UnixMillis) -> Self {
        // 24 bytes fit.
        Self::Short(heapless::String::try_from(&*time.text()).unwrap_or_default())
    }
}

impl Deref for Shown<'_> {
    type Target = str;

    fn deref(&self) -> &str {
        match self {
            Self::Borrowed(text) => text,
            Self::Short(text) => text,
            Self::Owned(text) => text,
        }
    }
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

impl<'a> Value<'a> {
    /// Returns its compact JSON.
    #[must_use]
    pub fn shown(&self) -> Shown<'a> {
        match *self {
            Self::Null => Shown::Borrowed("null"),
            Self::Bool(value) => Shown::Borrowed(if value { "true" } else { "false" }),
            Self::Json(text) => Shown::Borrowed(text),
            Self::Number(value) => Shown::Short(value.text()),
            _ => {
                let mut text = String::new();
                // Writing into a String cannot fail.
                let _ = self.write(&mut text);
                Shown::Owned(text)
            }
        }
    }
}

impl Value<'_> {
    /// Returns a whole number, at most `i64::MAX`.
    #[must_use]
    pub fn whole(number: u64) -> Self {
        Self::Number(Decimal::new(i64::try_from(number).unwrap_or(i64::MAX), 0))
    }

    /// Returns a number's value: the double nearest to it.
    #[must_use]
    pub fn number(&self) -> Option<f64> {
        match *self {
            Self::Number(value) => Some(value.to_f64()),
            Self::Float(value) => Some(value),
            Self::Json(text) => super::number(text),
            _ => None,
        }
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
                let mut before = "{";
                for (name, value) in members {
                    out.write_str(before)?;
                    write_string(out, name)?;
                    out.write_str(":")?;
                    value.write(out)?;
                    before = ",";
                }
                out.write_str(if members.is_empty() { "{}" } else { "}" })
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
