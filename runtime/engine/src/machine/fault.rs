//! Why an activation ends before its end, and why one does not begin.

use core::fmt;

/// Why an activation ended: the traps of WebAssembly, and what is particular to this machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// `unreachable` was executed.
    Unreachable,
    /// An address outside of the memory.
    MemoryOutOfBounds,
    /// An element outside of a table.
    TableOutOfBounds,
    /// An indirect call of no function.
    IndirectCallToNull,
    /// An indirect call of a function of another type.
    BadSignature,
    /// A division of integers by zero.
    DivideByZero,
    /// A result that its type does not hold.
    IntegerOverflow,
    /// A conversion of no number to an integer.
    BadConversion,
    /// More calls inside of each other than there is room for.
    StackOverflow,
    /// No chunk of memory was left for what was written.
    Memory,
    /// The image is not what the translator writes.
    Damaged,
    /// Nothing was begun.
    NothingBegun,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unreachable => "unreachable code was executed",
            Self::MemoryOutOfBounds => "memory access out of bounds",
            Self::TableOutOfBounds => "table access out of bounds",
            Self::IndirectCallToNull => "indirect call of no function",
            Self::BadSignature => "indirect call of a function of another type",
            Self::DivideByZero => "integer division by zero",
            Self::IntegerOverflow => "integer overflow",
            Self::BadConversion => "conversion of no number to an integer",
            Self::StackOverflow => "calls inside of each other use up the stack",
            Self::Memory => "no memory is left for what was written",
            Self::Damaged => "the image is damaged",
            Self::NothingBegun => "nothing was begun",
        })
    }
}

impl core::error::Error for Fault {}

/// Why a call does not begin, or an answer is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BeginError {
    /// Another activation runs, or too many wait.
    Busy,
    /// There is no such function.
    NoFunction,
    /// Values of other types than the function's.
    Arguments,
    /// No registers are left.
    NoRoom,
    /// The machine asks nothing.
    NotAsked,
}

impl fmt::Display for BeginError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Busy => "another activation is under way",
            Self::NoFunction => "there is no such function",
            Self::Arguments => "values of other types than the function's",
            Self::NoRoom => "no registers are left",
            Self::NotAsked => "nothing is asked",
        })
    }
}

impl core::error::Error for BeginError {}

/// Why a machine is not set up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SetupError {
    /// Memory or table begin larger than the quota allows.
    Quota,
    /// There is no memory for its registers or globals.
    OutOfMemory,
    /// The image is not what the translator writes.
    Damaged,
}

impl fmt::Display for SetupError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Quota => "memory or a table begins larger than allowed",
            Self::OutOfMemory => "no memory for registers or globals",
            Self::Damaged => "the image is damaged",
        })
    }
}

impl core::error::Error for SetupError {}

impl From<Fault> for SetupError {
    fn from(fault: Fault) -> Self {
        if fault == Fault::Memory { Self::Quota } else { Self::Damaged }
    }
}
