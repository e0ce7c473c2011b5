//! Why a module was not loaded and why a call did not return, in the words users see.

use alloc::boxed::Box;
use alloc::string::String;
use core::fmt;

/// Why a call did not return.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Failure {
    /// The call used up its fuel.
    OutOfFuel {
        /// Fuel it was allowed.
        limit: u64,
    },
    /// Calls were nested too deeply, or the value stack was full.
    StackOverflow,
    /// The guest executed `unreachable`: a panic, an assertion or an abort.
    Unreachable,
    /// An access outside the linear memory.
    MemoryOutOfBounds,
    /// No memory was left for what was written.
    Memory,
    /// Another trap, in the engine's words.
    Trap(String),
    /// The guest called `proc_exit`.
    Exit(i32),
    /// The guest's allocator gave nothing for a buffer of this many bytes.
    NoMemory {
        /// Bytes asked for.
        bytes: u32,
    },
    /// The guest answered something that cannot be read.
    BadAnswer(&'static str),
    /// The start section did not return: the module never came up.
    InStartSection(Box<Failure>),
    /// The guest lacks an export that the call needs.
    NoExport {
        /// Its name.
        export: String,
    },
    /// An export has parameters or results the contract does not know.
    BadSignature {
        /// Its name.
        export: String,
    },
}

impl Failure {
    /// Tells whether the instance must not be used again.
    ///
    /// An answer that cannot be read leaves the guest in order; everything else cut it off in mid-call.
    #[must_use]
    pub fn is_fatal(&self) -> bool {
        !matches!(self, Self::BadAnswer(_) | Self::NoExport { .. } | Self::BadSignature { .. } | Self::NoMemory { .. })
    }

    /// Tells whether the call took too long (HTTP 504).
    #[must_use]
    pub fn is_timeout(&self) -> bool {
        matches!(self, Self::OutOfFuel { .. })
    }
}

/// Bytes of an interpreter message that are kept: it can quote names of the module.
const MESSAGE_BYTES_MAX: usize = 200;

/// Returns the beginning of an error's text.
pub(super) fn short(error: &dyn fmt::Display) -> String {
    let mut text = alloc::format!("{error}");
    let mut end = text.len().min(MESSAGE_BYTES_MAX);
    while !text.is_char_boundary(end) {
        end = end.saturating_sub(1);
    }
    text.truncate(end);
    text
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OutOfFuel { limit } => write!(f, "did not return within its fuel limit of {limit}"),
            Self::StackOverflow => f.write_str("call stack exhausted"),
            Self::Unreachable => f.write_str("trap: unreachable code executed (a panic or an abort of the plugin)"),
            Self::MemoryOutOfBounds => f.write_str("trap: memory access out of bounds"),
            Self::Memory => f.write_str("memory: none is left for what the plugin wrote"),
            Self::Trap(message) => write!(f, "trap: {message}"),
            Self::Exit(code) => write!(f, "exited with code {code}"),
            Self::NoMemory { bytes } => write!(f, "the plugin's allocator gave no buffer of {bytes} bytes"),
            Self::BadAnswer(clause) => f.write_str(clause),
            Self::InStartSection(failure) => write!(f, "trap in start: {failure}"),
            Self::NoExport { export } => write!(f, "the module has no function export {export}"),
            Self::BadSignature { export } => {
                write!(f, "export {export} has a signature the plugin contract does not know")
            }
        }
    }
}

impl core::error::Error for Failure {}

/// Why a module that was admitted did not load.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LoadError {
    /// The module is not valid, in the validator's words.
    Invalid(String),
    /// It could not be linked or its memory not be set up.
    Instantiate(String),
    /// Its start section or WASI entry did not return.
    Start(Failure),
    /// It lacks an export that its dialect needs.
    MissingExport(&'static str),
}

impl fmt::Display for LoadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Invalid(message) => write!(f, "invalid module: {message}"),
            Self::Instantiate(message) => write!(f, "module cannot be set up: {message}"),
            Self::Start(failure) => write!(f, "trap in start: {failure}"),
            Self::MissingExport(name) => write!(f, "module has no export {name}"),
        }
    }
}

impl core::error::Error for LoadError {}
