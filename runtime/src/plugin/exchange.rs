//! Requests to plugins that are answered later, and how they end.

use alloc::string::String;

use crate::host::Failure;

/// Number of an HTTP exchange that waits for an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ExchangeId(pub u64);

/// Why a plugin does not do what it was asked to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unavailable {
    /// It does not run.
    NotRunning,
    /// Its queue is full.
    Busy,
}

/// An exchange that came to its end.
#[derive(Clone, Debug)]
pub struct Finished {
    /// The exchange.
    pub exchange: ExchangeId,
    /// How it ended.
    pub result: Outcome,
}

/// How an exchange ended.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// The handler's answer text, `None` where the guest gave none.
    Answered(Option<String>),
    /// The export that was asked for does not exist.
    MissingHandler,
    /// The call failed.
    Failed(Failure),
    /// The plugin stopped before it answered.
    Stopped,
    /// A new configuration is in force, and whether the plugin came up with it.
    Configured(Result<(), String>),
    /// Another version is in place, or why the one before is still, or again, in force.
    Replaced(Result<(), String>),
    /// The plugin is gone.
    Removed,
}
