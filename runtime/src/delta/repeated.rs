//! Which members of updates are kept where one stands twice in an update: the last one decides.

use alloc::string::String;
use alloc::vec::Vec;

use super::NAME_BYTES_MAX;
use super::parse::plain_string;
use crate::json::{self, JsonError};

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
