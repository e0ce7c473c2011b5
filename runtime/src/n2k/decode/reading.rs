//! What a field can hold.

use super::super::table::Kind;
use super::super::text::FieldText;
use crate::json::Decimal;

/// A code and the text that the tables have for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lookup {
    /// A code with a text.
    Text(&'static str),
    /// A code without one.
    Code(i64),
}

/// What a field holds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Reading<'a> {
    /// An exact number in the database's unit; dates in days, times and durations in seconds.
    Number(Decimal),
    /// A number of floating point.
    Float(f32),
    /// A code.
    Lookup(Lookup),
    /// One flag a bit.
    Flags(Flags),
    /// Text that a device wrote.
    Text(FieldText<'a>),
    /// Binary data.
    Bytes(&'a [u8]),
    /// Up to 64 bits that are no number: the NAME of a device, binary data that does not fill bytes.
    Name(u64),
}

/// Flags of a field; iterates over those that are set, lowest bit first, with the text that the tables have.
#[derive(Clone, Copy)]
pub struct Flags {
    bits: u64,
    kind: &'static Kind,
}

impl Flags {
    pub(super) fn new(bits: u64, kind: &'static Kind) -> Self {
        Self { bits, kind }
    }

    /// Tells whether bit `number` (from 0) is set.
    #[must_use]
    pub fn is_set(&self, number: u8) -> bool {
        self.bits.checked_shr(u32::from(number)).is_some_and(|bits| bits & 1 == 1)
    }
}

impl Iterator for Flags {
    type Item = (u8, Option<&'static str>);

    fn next(&mut self) -> Option<Self::Item> {
        let number = u8::try_from(self.bits.trailing_zeros()).ok().filter(|number| *number < 64)?;
        self.bits &= self.bits - 1;
        Some((number, self.kind.text(i64::from(number))))
    }
}

impl PartialEq for Flags {
    fn eq(&self, other: &Self) -> bool {
        self.bits == other.bits
    }
}

impl core::fmt::Debug for Flags {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_list().entries(*self).finish()
    }
}
