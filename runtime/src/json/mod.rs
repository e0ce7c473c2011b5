//! JSON text, the form every value has between floors.
//!
//! A value travels as compact JSON text in JavaScript's notation, because plugins search it for
//! literal fragments (`"path":"x.y"` and then `"value":`) and because text needs no tree in RAM.
//! [`compact`] turns foreign text into that form, [`members`] and [`items`] walk it again, and
//! [`object`] and [`list`] write it: commas, brackets and escapes are theirs alone.
//! Depth is bounded by [`DEPTH_MAX`]; length is the caller's limit, checked before the call.

mod compact;
mod decimal;
mod edit;
mod nested;
mod read;
mod text;
mod value;
mod write;

pub(crate) use compact::Compact;
pub use compact::compact;
pub use decimal::Decimal;
pub(crate) use decimal::decimal_digits;
pub use edit::{rewritten, with_member};
pub use nested::{Nested, nested};
pub use read::{boolean, items, member, members, number, string};
pub(crate) use text::is_verbatim;
pub use text::{quoted, write_f64, write_string};
pub use value::{Member, Shown, Value, Written};
pub use write::{List, Number, Object, list, object, write_list, write_object};

use core::fmt;

/// Nesting that is accepted; deeper text is refused.
pub const DEPTH_MAX: usize = 32;

/// Why a text was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum JsonError {
    /// Not JSON, or nested deeper than [`DEPTH_MAX`]; `column` counts bytes of the refused line from 1.
    Malformed {
        /// Line from 1.
        line: usize,
        /// Column from 1.
        column: usize,
    },
    /// JSON, but not of the kind asked for (object, array, string, number).
    WrongKind,
}

impl fmt::Display for JsonError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed { line, column } => write!(f, "malformed JSON at line {line} column {column}"),
            Self::WrongKind => f.write_str("JSON of another kind than expected"),
        }
    }
}

impl core::error::Error for JsonError {}

impl From<serde_json::Error> for JsonError {
    fn from(error: serde_json::Error) -> Self {
        Self::Malformed { line: error.line(), column: error.column() }
    }
}
