//! Members that can stand once in an update and stand there twice: the last one decides.

use alloc::string::String;
use alloc::vec::Vec;

use super::plain_string;
use super::visit::Name;
use crate::delta::NAME_BYTES_MAX;
use crate::json::{self, JsonError};

/// Which of the members that can stand once in an update are kept.
#[derive(Debug)]
pub(super) enum Repeats {
    /// Each that is usable; `seen` has a bit for each name in the update at hand, `found` tells that one stands twice.
    Watched { seen: u8, found: bool },
    /// The text is known: as decided, in its order.
    Decided { kept: Vec<bool>, next: usize },
}

impl Repeats {
    pub(super) fn begin_updates(&mut self) {
        match self {
            Self::Watched { found, .. } => *found = false,
            Self::Decided { next, .. } => *next = 0,
        }
    }

    pub(super) fn begin_update(&mut self) {
        if let Self::Watched { seen, .. } = self {
            *seen = 0;
        }
    }

    pub(super) fn keeps(&mut self, name: Name, is_usable: bool) -> bool {
        match self {
            Self::Watched { seen, found } => {
                let bit = match name {
                    Name::Source => 1,
                    Name::SourceRef => 2,
                    Name::Timestamp => 4,
                    _ => 8,
                };
                *found |= *seen & bit != 0;
                *seen |= bit;
                is_usable
            }
            Self::Decided { kept, next } => {
                let keeps = kept.get(*next).copied().unwrap_or_default();
                *next = next.saturating_add(1);
                keeps
            }
        }
    }
}

/// The last members of an update that are usable.
#[derive(Default)]
struct Last<'a> {
    source: Option<&'a str>,
    has_source_ref: bool,
    has_timestamp: bool,
    meta: Option<&'a str>,
}

impl<'a> Last<'a> {
    fn of(update: &'a str) -> Self {
        let mut last = Self::default();
        let _ = json::members::<JsonError>(update, |key, value| {
            let text = plain_string(value, NAME_BYTES_MAX);
            match key {
                "source" if value.starts_with('{') => last.source = Some(value),
                "$source" => last.has_source_ref = text.is_some_and(|name| !name.is_empty()),
                "timestamp" => last.has_timestamp = text.is_some(),
                "meta" if value.starts_with('[') => last.meta = Some(value),
                _ => {}
            }
            Ok(())
        });
        last
    }

    /// Tells whether a member is kept; `None` when it may stand any number of times.
    fn keeps(&self, key: &str, value: &str) -> Option<bool> {
        match key {
            "source" => Some(self.source == Some(value)),
            "$source" => Some(self.has_source_ref),
            "timestamp" => Some(self.has_timestamp),
            "meta" => Some(self.meta == Some(value)),
            _ => None,
        }
    }
}

/// Returns, for each `source`, `$source`, `timestamp` and `meta` of the updates of `text` in order, whether it is kept:
/// a `$source` or a time stamp when the last one of its update is usable, the others when they are the last usable one.
pub(super) fn kept(text: &str) -> Vec<bool> {
    let mut kept = Vec::new();
    let text = json::compact(text).unwrap_or_else(|_| String::new());
    let updates = json::member(&text, "updates").unwrap_or_default();
    let _ = json::items::<JsonError>(updates, |update| {
        let last = Last::of(update);
        // What is no object has no members.
        let _ = json::members::<JsonError>(update, |key, value| {
            kept.extend(last.keeps(key, value));
            Ok(())
        });
        Ok(())
    });
    kept
}
