//! Requests to plugins that are answered later, and how they end.

use alloc::format;
use alloc::string::String;

use crate::host::Failure;

/// Number of an HTTP exchange that waits for an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ExchangeId(pub u64);

/// A plugin's reply to a call, or the reason why there is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    /// The text the handler gave, `None` where it gave none.
    Text(Option<String>),
    /// The plugin has no such export.
    Missing,
    /// The call failed: why.
    Failed(String),
    /// The plugin has too much to do.
    Busy,
    /// Its handler failed a moment ago, and is left alone for a while.
    Closed,
    /// The plugin does not run (any more).
    Stopped,
    /// It did not answer in time.
    Late,
}

impl Reply {
    /// Returns the text, when it gave one.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => text.as_deref(),
            _ => None,
        }
    }

    /// Returns what went wrong as a clause.
    #[must_use]
    pub fn trouble(&self) -> &str {
        match self {
            Self::Text(_) => "the plugin gave no usable answer",
            Self::Missing => "the plugin has no such handler",
            Self::Failed(reason) => reason,
            Self::Busy => "the plugin has too many requests waiting",
            Self::Closed => "the handler failed and is left alone for a while, ask later",
            Self::Stopped => "the plugin does not run",
            Self::Late => "the plugin did not answer in time",
        }
    }
}

impl From<&Failure> for Reply {
    fn from(failure: &Failure) -> Self {
        if failure.is_timeout() { Self::Late } else { Self::Failed(format!("{failure}")) }
    }
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
    /// A call ended, or the plugin stopped before it did.
    Replied(Reply),
    /// A new configuration is in force, and whether the plugin came up with it.
    Configured(Result<(), String>),
    /// Another version is in place, or why the one before is still, or again, in force.
    Replaced(Result<(), String>),
    /// The plugin is gone.
    Removed,
}

impl Outcome {
    /// Returns the reply to a call; there is none from a plugin of which something else became.
    #[must_use]
    pub fn into_reply(self) -> Reply {
        match self {
            Self::Replied(reply) => reply,
            Self::Configured(_) | Self::Replaced(_) | Self::Removed => Reply::Stopped,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_that_used_up_its_fuel_is_late_and_others_say_why_they_failed() {
        assert_eq!(Reply::from(&Failure::OutOfFuel { limit: 1 }), Reply::Late);
        let Reply::Failed(reason) = Reply::from(&Failure::Unreachable) else { panic!("not failed") };
        assert_eq!(reason, std::format!("{}", Failure::Unreachable));
    }

    #[test]
    fn a_plugin_that_was_replaced_or_removed_replies_nothing_more() {
        assert_eq!(Outcome::Replied(Reply::Missing).into_reply(), Reply::Missing);
        assert_eq!(Outcome::Removed.into_reply(), Reply::Stopped);
        assert_eq!(Outcome::Replaced(Ok(())).into_reply(), Reply::Stopped);
    }
}
