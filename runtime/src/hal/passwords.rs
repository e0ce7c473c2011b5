//! One-way hashes of passwords: slow and hungry on purpose, so they are made beside the gateway.

use alloc::string::String;
use core::fmt;

/// Tasks that may wait while one is worked at.
pub const PASSWORDS_WAITING_MAX: usize = 4;

/// What is to be done with a password.
#[derive(Clone, PartialEq, Eq)]
pub enum PasswordTask {
    /// Tell whether it is the one of a hash.
    Check {
        /// The password given.
        password: String,
        /// The hash kept.
        hash: String,
    },
    /// Make a hash to keep.
    Hash {
        /// The password to set.
        password: String,
    },
}

impl fmt::Debug for PasswordTask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Check { .. } => "Check(…)",
            Self::Hash { .. } => "Hash(…)",
        })
    }
}

/// What came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PasswordAnswer {
    /// It is the one.
    Right,
    /// It is not.
    Wrong,
    /// The hash to keep, as a PHC string.
    Hash(String),
    /// It could not be done: the kind of hash is not known, or there was no memory.
    Failed(String),
}

/// As many tasks wait as there is room for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PasswordsBusy;

impl fmt::Display for PasswordsBusy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("too many passwords are being checked, try again later")
    }
}

impl core::error::Error for PasswordsBusy {}

/// Hashes passwords, one at a time; nothing here waits.
pub trait Passwords {
    /// Takes a task under a number; its answer comes from [`next`](Self::next).
    ///
    /// # Errors
    /// [`PasswordsBusy`] when [`PASSWORDS_WAITING_MAX`] wait.
    fn ask(&mut self, ticket: u64, task: PasswordTask) -> Result<(), PasswordsBusy>;

    /// Takes an answer, with the number of its task.
    fn next(&mut self) -> Option<(u64, PasswordAnswer)>;
}
