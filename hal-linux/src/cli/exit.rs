//! Exit codes, as the manual promises them, and the one way a command fails.

use std::fmt;
use std::process::ExitCode;

/// Done.
pub const DONE: u8 = 0;
/// A negative verdict: `--expect` differs, or something was refused.
pub const VERDICT: u8 = 1;
/// The command line is wrong, or asks for something this version cannot do.
pub const USAGE: u8 = 2;
/// An input is missing or cannot be read.
pub const INPUT_MISSING: u8 = 3;
/// An input was read and is corrupt.
pub const INPUT_CORRUPT: u8 = 4;
/// A port or an interface is not available.
pub const UNAVAILABLE: u8 = 5;
/// The gateway refuses: no or a wrong token.
pub const UNAUTHORISED: u8 = 6;
/// A second SIGINT or SIGTERM ended the gateway at once (128 and SIGINT, as a shell reports it).
pub const INTERRUPTED: u8 = 130;

/// Why a command ends with another code than 0.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// One of the constants of this module.
    pub code: u8,
    /// What was wrong, where, and what to type next; can hold untrusted text.
    pub text: String,
}

impl Failure {
    /// Builds a failure.
    pub fn new(code: u8, text: impl fmt::Display) -> Self {
        Self { code, text: text.to_string() }
    }

    /// Returns the exit code for the system.
    #[must_use]
    pub fn exit_code(&self) -> ExitCode {
        ExitCode::from(self.code)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl std::error::Error for Failure {}
