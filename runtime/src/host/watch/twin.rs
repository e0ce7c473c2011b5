//! The twin of a delta: the same text under names that nobody knows.
//!
//! It has the length, the numbers and the structure of the delta, so that a guest takes the same memory for it and gives
//! the same back. What a call with the twin does is done for any delta: the bookkeeping of an allocator, a counter, a
//! sign of life. Letters of paths, and of names that are no part of every delta, are moved by 13 in the alphabet.

use alloc::string::String;
use alloc::vec::Vec;
use core::task::Poll;

use crate::delta::{DeltaVersion, ValueSink};
use crate::host::fetch::{FetchRequest, Fetched, Ticket};
use crate::host::{Registration, Services};
use crate::time::{Instant, UnixMillis};

/// Names that stand in every delta.
const COMMON: [&str; 14] = [
    "context",
    "updates",
    "source",
    "$source",
    "timestamp",
    "values",
    "meta",
    "path",
    "value",
    "label",
    "type",
    "pgn",
    "src",
    "sentence",
];

/// Returns the twin of a delta's text, which is JSON, of the same length.
pub(super) fn of(text: &str) -> String {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    // What follows the name `path` is a path.
    let mut is_path = false;
    while let Some((before, from_quote)) = rest.split_once('"') {
        let Some(end) = end_of_string(from_quote) else { break };
        let (string, behind) = from_quote.split_at(end);
        let is_name = behind.get(1..).is_some_and(|behind| behind.starts_with(':'));
        let is_strange = if is_name { !COMMON.contains(&string) } else { is_path };
        is_path = is_name && string == "path";
        out.extend_from_slice(before.as_bytes());
        out.push(b'"');
        match is_strange {
            // An escape is no letter.
            true if !string.contains('\\') => out.extend(string.bytes().map(moved)),
            _ => out.extend_from_slice(string.as_bytes()),
        }
        out.push(b'"');
        rest = behind.get(1..).unwrap_or_default();
    }
    out.extend_from_slice(rest.as_bytes());
    // Only ASCII letters were changed, to such.
    String::from_utf8(out).unwrap_or_default()
}

/// Returns where a string ends whose first quote was passed.
fn end_of_string(text: &str) -> Option<usize> {
    let mut is_escaped = false;
    text.bytes().position(|byte| {
        let is_end = byte == b'"' && !is_escaped;
        is_escaped = byte == b'\\' && !is_escaped;
        is_end
    })
}

fn moved(byte: u8) -> u8 {
    let by = |first: u8| first.wrapping_add(byte.wrapping_sub(first).wrapping_add(13) % 26);
    match byte {
        b'a'..=b'z' => by(b'a'),
        b'A'..=b'Z' => by(b'A'),
        other => other,
    }
}

/// Services that answer what is asked and do nothing: what a call with a twin does reaches nobody.
pub(super) struct Muted<'s>(pub(super) &'s mut dyn Services);

impl Services for Muted<'_> {
    fn wall(&self) -> UnixMillis {
        self.0.wall()
    }
    fn monotonic(&self) -> Instant {
        self.0.monotonic()
    }
    fn random(&mut self, buffer: &mut [u8]) {
        self.0.random(buffer);
    }
    fn log(&mut self, _: log::Level, _: &str) {}
    fn set_status(&mut self, _: &str) {}
    fn set_error(&mut self, _: &str) {}
    fn read_config(&mut self) -> Option<String> {
        self.0.read_config()
    }
    fn save_config(&mut self, _: &str) -> bool {
        true
    }
    fn emit(&mut self, _: &str, _: DeltaVersion) {}
    fn publish(&mut self, _: usize, _: &mut dyn FnMut(&mut dyn ValueSink)) {}
    fn refuse(&mut self, _: u64, _: &str) {}
    fn self_path(&mut self, path: &str) -> Option<String> {
        self.0.self_path(path)
    }
    fn path(&mut self, path: &str) -> Option<String> {
        self.0.path(path)
    }
    fn register(&mut self, _: Registration) -> bool {
        true
    }
    fn emit_binary(&mut self, _: &str, _: &[u8], _: bool) -> bool {
        true
    }
    fn publish_notification(&mut self, _: &str, _: &str) -> bool {
        true
    }
    fn fetch(&mut self, _: FetchRequest) -> Ticket {
        Ticket(0)
    }
    fn fetch_poll(&mut self, _: Ticket) -> Poll<Fetched> {
        Poll::Ready(Fetched::default())
    }
    fn fetch_later(&mut self, _: FetchRequest, _: i32) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_twin_has_other_paths_and_is_the_same_otherwise() {
        let text = r#"{"context":"vessels.a","updates":[{"source":{"label":"path","pgn":1},"$source":"x.y","timestamp":"T","values":[{"path":"navigation.position","value":{"latitude":1.5,"longitude":-2}},{"path":"a.state","value":"alarm \"path\":"}]}]}"#;
        let twin = r#"{"context":"vessels.a","updates":[{"source":{"label":"path","pgn":1},"$source":"x.y","timestamp":"T","values":[{"path":"anivtngvba.cbfvgvba","value":{"yngvghqr":1.5,"ybatvghqr":-2}},{"path":"n.fgngr","value":"alarm \"path\":"}]}]}"#;
        assert_eq!(of(text), twin);
        assert_eq!(of(&of(text)), text);
    }

    proptest::proptest! {
        #[test]
        fn it_is_as_long_and_comes_back(text in "[\\PC\"\\\\{}:,a-z]{0,60}") {
            let twin = of(&text);
            proptest::prop_assert_eq!(twin.len(), text.len());
        }
    }
}
