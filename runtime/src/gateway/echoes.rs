//! What was told of late, so that it is known again when another server gives it back under another name.
//!
//! A server of another make calls what it heard from here by its own connection (`fromBow.10.0.0.7:3000`, Signal K Server
//! 2.32), so path, value and time are all that is left. They are kept as sums, in a table with a place for each; a sum that
//! was written over is not known again, which lets one echo through and not two: then it is no newer than what is known.

use alloc::vec::Vec;

use crate::crc32::Crc32;
use crate::delta::Delta;

/// Sums that are kept, 32 KiB: some seconds of a busy boat.
const SUMS: usize = 8192;

/// Sums of values that were told.
#[derive(Debug, Default)]
pub(super) struct Echoes {
    /// No memory is taken before there is another server.
    sums: Vec<u32>,
}

impl Echoes {
    /// Begins to remember; there is another server.
    pub fn begin(&mut self) {
        if self.sums.is_empty() {
            self.sums.resize(SUMS, 0);
        }
    }

    /// Remembers the entries of a delta that is told.
    pub fn tell(&mut self, delta: &Delta) {
        if self.sums.is_empty() {
            return;
        }
        for update in delta.updates() {
            let time = update.timestamp();
            let values = update.values().map(|(path, value)| sum_of(delta.context(), path, Entry::Value(value), time));
            let meta = update.meta().map(|(path, _)| sum_of(delta.context(), path, Entry::Meta, time));
            for sum in values.chain(meta) {
                if let Some(place) = self.sums.get_mut(sum as usize % SUMS) {
                    *place = sum;
                }
            }
        }
    }

    /// Tells whether an entry was told of late.
    pub fn has(&self, context: &str, path: &str, entry: Entry<'_>, timestamp: &str) -> bool {
        let sum = sum_of(context, path, entry, timestamp);
        self.sums.get(sum as usize % SUMS) == Some(&sum)
    }
}

/// What an update says of a path.
#[derive(Clone, Copy, Debug)]
pub(super) enum Entry<'e> {
    /// This value, JSON.
    Value(&'e str),
    /// Its meta. Each server writes into that (units to display, say), so path and time tell it.
    Meta,
}

/// Tells whether each server writes into the values of a path: an id and what may be done about it, into a notification. Then
/// path and time tell it.
pub(super) fn is_written_into(path: &str) -> bool {
    path.starts_with("notifications.")
}

fn sum_of(context: &str, path: &str, entry: Entry<'_>, timestamp: &str) -> u32 {
    let (kind, value) = match entry {
        Entry::Value(_) if is_written_into(path) => ("v", ""),
        Entry::Value(value) => ("v", value),
        Entry::Meta => ("m", ""),
    };
    let parts = [context, path, kind, value, timestamp];
    parts.iter().fold(Crc32::default(), |sum, part| sum.with(part.as_bytes()).with(b"\0")).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_known_again_by_all_of_its_parts() {
        let text = r#"{"context":"vessels.a","updates":[{"$source":"x","timestamp":"t","values":[{"path":"p","value":1.5}]}]}"#;
        let stamp = crate::delta::Stamp { source_ref: "", self_context: "", now: crate::time::UnixMillis::UNKNOWN };
        let delta = Delta::parse(text, &stamp).unwrap();
        let mut echoes = Echoes::default();
        echoes.tell(&delta);
        assert!(!echoes.has("vessels.a", "p", Entry::Value("1.5"), "t"), "nobody is listened to");
        echoes.begin();
        echoes.tell(&delta);
        assert!(echoes.has("vessels.a", "p", Entry::Value("1.5"), "t"));
        let raised = text.replace("\"p\"", "\"notifications.mob\"").replace("1.5", r#"{"state":"alarm","id":"1"}"#);
        echoes.tell(&Delta::parse(&raised, &stamp).unwrap());
        assert!(echoes.has("vessels.a", "notifications.mob", Entry::Value(r#"{"state":"alarm","id":"2"}"#), "t"));
        for (context, path, value, time) in [
            ("vessels.b", "p", "1.5", "t"),
            ("vessels.a", "q", "1.5", "t"),
            ("vessels.a", "p", "1.6", "t"),
            ("vessels.a", "p", "1.5", "u"),
        ] {
            assert!(!echoes.has(context, path, Entry::Value(value), time), "{context} {path} {value} {time}");
        }
    }
}
