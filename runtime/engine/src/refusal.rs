//! Why a module is not taken.

use alloc::vec::Vec;
use core::fmt;

/// A module that is not taken: what is wrong, and where.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// Byte of the module that was reached.
    pub at: u32,
    /// What is wrong there.
    pub kind: RefusalKind,
}

/// What is wrong with a module.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RefusalKind {
    /// It is no WebAssembly, or damaged.
    Malformed(&'static str),
    /// It breaks a rule of validation.
    Invalid(&'static str),
    /// It uses what this engine does not have.
    Unsupported(&'static str),
    /// It asks for more than the limit of this name.
    Limit {
        /// What there is too much of.
        what: &'static str,
        /// The limit.
        max: u32,
    },
    /// Starting it would trap: a segment lies outside of its table or memory.
    SegmentOutOfBounds,
    /// The image found no room.
    NoRoom,
    /// A buffer of the translator found no memory.
    OutOfMemory,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            RefusalKind::Malformed(what) => write!(f, "malformed module at byte {}: {what}", self.at),
            RefusalKind::Invalid(what) => write!(f, "invalid module at byte {}: {what}", self.at),
            RefusalKind::Unsupported(what) => write!(f, "{what} at byte {} is not supported", self.at),
            RefusalKind::Limit { what, max } => write!(f, "more than {max} {what} at byte {}", self.at),
            RefusalKind::SegmentOutOfBounds => write!(f, "a segment leaves its table or memory at byte {}", self.at),
            RefusalKind::NoRoom => f.write_str("no room for the image"),
            RefusalKind::OutOfMemory => f.write_str("no memory to translate the module"),
        }
    }
}

impl core::error::Error for Refusal {}

impl From<RefusalKind> for Refusal {
    fn from(kind: RefusalKind) -> Self {
        Self { at: 0, kind }
    }
}

pub(crate) const fn malformed<T>(what: &'static str) -> Result<T, RefusalKind> {
    Err(RefusalKind::Malformed(what))
}

pub(crate) const fn invalid<T>(what: &'static str) -> Result<T, RefusalKind> {
    Err(RefusalKind::Invalid(what))
}

/// Refuses a count beyond its limit, before memory is spent on it.
pub(crate) const fn at_most(what: &'static str, count: u32, max: u32) -> Result<(), RefusalKind> {
    if count > max { Err(RefusalKind::Limit { what, max }) } else { Ok(()) }
}

/// Pushes what input can be much of: where the heap is used up the module is refused.
#[inline]
pub(crate) fn push<T>(list: &mut Vec<T>, item: T) -> Result<(), RefusalKind> {
    list.try_reserve(1).map_err(|_| RefusalKind::OutOfMemory)?;
    list.push(item);
    Ok(())
}
