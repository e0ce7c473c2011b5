//! Builds a delta's text from values, straight from scaled integers.

use alloc::string::String;

use super::{Delta, DeltaError, Draft, Entry, Span, UpdateIndex};
use crate::json::Value;

/// Takes path and value pairs, as the NMEA 2000 mapping gives them.
pub trait ValueSink {
    /// Takes one value; its Signal K path, such as `navigation.speedThroughWater`, is `base` and `leaf` in one.
    fn value_below(&mut self, base: &str, leaf: &str, value: Value<'_>);

    /// Takes one value; `path` is its Signal K path.
    fn value(&mut self, path: &str, value: Value<'_>) {
        self.value_below("", path, value);
    }
}

/// What stands in an update beside its values.
#[derive(Clone, Copy, Debug, Default)]
pub struct UpdateHead<'a> {
    /// The `source` object.
    pub source: Option<Value<'a>>,
    /// `$source`; written after the values.
    pub source_ref: Option<&'a str>,
    /// ISO 8601 time.
    pub timestamp: Option<&'a str>,
}

/// Writes a delta: [`update`](Self::update), then its values, then [`finish`](Self::finish).
#[derive(Clone, Debug, Default)]
pub struct DeltaWriter {
    draft: Draft,
    /// `$source` of the open update, where it has one; written in the same memory.
    source_ref: String,
    has_source_ref: bool,
    /// An update without values is cut off again down to here.
    update_from: usize,
    open: bool,
    /// The end is written.
    ended: bool,
}

/// Bytes that are reserved for a text; most deltas of a bus are shorter.
const TEXT_BYTES_AT_FIRST: usize = 512;

impl DeltaWriter {
    /// Starts a delta. `prefix` is text to put before `"context"`, such as `"_line":12,`.
    #[must_use]
    pub fn new(prefix: &str, context: Option<&str>) -> Self {
        let mut writer = Self::default();
        writer.restart(prefix, context);
        writer
    }

    /// Starts another delta in the same memory; what was not taken out is lost.
    pub fn restart(&mut self, prefix: &str, context: Option<&str>) {
        let draft = &mut self.draft;
        draft.text.clear();
        draft.updates.clear();
        draft.entries.clear();
        draft.context = Span::default();
        draft.text.reserve(TEXT_BYTES_AT_FIRST);
        // Few long parts, here and below: adding one costs a small machine as much as thirty of its bytes.
        if !prefix.is_empty() {
            draft.text.push('{');
            draft.text.push_str(prefix);
        }
        let mut lead = if prefix.is_empty() { "{\"updates\":[" } else { "\"updates\":[" };
        if let Some(context) = context.filter(|context| super::is_plain(context)) {
            draft.text.push_str(if prefix.is_empty() { "{\"context\":\"" } else { "\"context\":\"" });
            let from = draft.text.len();
            draft.text.push_str(context);
            draft.context = Span::new(from, draft.text.len());
            lead = "\",\"updates\":[";
        }
        draft.text.push_str(lead);
        let inside = draft.text.len();
        // The bracket belongs to it.
        draft.updates_text = Span::new(inside - 1, inside - 1);
        (self.update_from, self.open, self.ended, self.has_source_ref) = (inside, false, false, false);
    }

    /// Starts an update; the one before it is dropped when it got no values.
    pub fn update(&mut self, head: &UpdateHead<'_>) {
        self.close_update();
        let text = &mut self.draft.text;
        self.update_from = text.len();
        if !self.draft.updates.is_empty() {
            text.push(',');
        }
        let mut index = UpdateIndex::default();
        text.push_str(if head.source.is_some() { "{\"source\":" } else { "{" });
        if let Some(source) = head.source {
            let from = text.len();
            // Writing into a String cannot fail.
            let _ = source.write(text);
            index.source = Some(Span::new(from, text.len()));
        }
        let timestamp = head.timestamp.filter(|text| super::is_plain(text));
        if let Some(timestamp) = timestamp {
            text.push_str(if head.source.is_some() { ",\"timestamp\":\"" } else { "\"timestamp\":\"" });
            let from = text.len();
            text.push_str(timestamp);
            index.timestamp = Span::new(from, text.len());
        }
        text.push_str(match (timestamp, head.source) {
            (Some(_), _) => "\",\"values\":[",
            (None, Some(_)) => ",\"values\":[",
            (None, None) => "\"values\":[",
        });
        let entries = u32::try_from(self.draft.entries.len()).unwrap_or(u32::MAX);
        (index.from, index.values_to, index.to) = (entries, entries, entries);
        let source_ref = head.source_ref.filter(|name| name.len() <= super::NAME_BYTES_MAX && super::is_plain(name));
        self.has_source_ref = source_ref.is_some();
        self.source_ref.clear();
        self.source_ref.push_str(source_ref.unwrap_or_default());
        self.draft.updates.push(index);
        self.open = true;
    }

    fn close_update(&mut self) {
        if !self.open {
            return;
        }
        self.open = false;
        let text = &mut self.draft.text;
        let entries = u32::try_from(self.draft.entries.len()).unwrap_or(u32::MAX);
        let Some(index) = self.draft.updates.last_mut() else { return };
        if index.from == entries {
            text.truncate(self.update_from);
            self.draft.updates.pop();
            return;
        }
        (index.values_to, index.to) = (entries, entries);
        if self.has_source_ref {
            text.push_str("],\"$source\":\"");
            let from = text.len();
            text.push_str(&self.source_ref);
            index.source_ref = Span::new(from, text.len());
            text.push_str("\"}");
        } else {
            text.push_str("]}");
        }
    }

    fn end(&mut self) {
        self.close_update();
        if self.ended {
            return;
        }
        self.ended = true;
        let draft = &mut self.draft;
        draft.text.push_str("]}");
        draft.updates_text = Span::new(draft.updates_text.from as usize, draft.text.len() - 1);
    }

    /// Ends the delta.
    ///
    /// # Errors
    /// [`DeltaError::Empty`] without a value, or a limit of [`super`] that it exceeds.
    pub fn finish(mut self) -> Result<Delta, DeltaError> {
        self.end();
        self.draft.finish()
    }

    /// Ends the delta and returns a copy of it, so that the writer can be used again.
    ///
    /// # Errors
    /// As [`finish`](Self::finish).
    pub fn delta(&mut self) -> Result<Delta, DeltaError> {
        self.end();
        self.draft.copied()
    }

    /// Ends the delta and returns its text, without a copy.
    ///
    /// # Errors
    /// As [`finish`](Self::finish).
    pub fn text(&mut self) -> Result<&str, DeltaError> {
        self.end();
        self.draft.check()?;
        Ok(&self.draft.text)
    }
}

impl ValueSink for DeltaWriter {
    /// Ignored before the first [`update`](Self::update), and when the path needs escapes: no such path exists.
    fn value_below(&mut self, base: &str, leaf: &str, value: Value<'_>) {
        if !self.open || !super::is_plain(base) || !super::is_plain(leaf) {
            return;
        }
        let text = &mut self.draft.text;
        let first = self.draft.updates.last().is_some_and(|index| index.from as usize == self.draft.entries.len());
        text.push_str(if first { "{\"path\":\"" } else { ",{\"path\":\"" });
        let from = text.len();
        if !base.is_empty() {
            text.push_str(base);
        }
        text.push_str(leaf);
        let path = Span::new(from, text.len());
        text.push_str("\",\"value\":");
        let from = text.len();
        // Writing into a String cannot fail.
        let _ = value.write(text);
        self.draft.entries.push(Entry { path, value: Span::new(from, text.len()) });
        text.push('}');
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::{self, Decimal};

    #[test]
    fn writes_members_in_the_order_plugins_search_for() {
        let mut writer = DeltaWriter::new("\"_line\":3,", Some("vessels.urn:x"));
        writer.update(&UpdateHead {
            source: Some(Value::Object(&[
                ("label", Value::Text("can0")),
                ("pgn", Value::Number(Decimal::new(128_267, 0))),
            ])),
            source_ref: Some("can0.7"),
            timestamp: Some("2026-11-22T00:00:00.000Z"),
        });
        writer.value("a.b", Value::Number(Decimal::new(15, -1)));
        writer.value("a.c", Value::List(&[Value::Null, Value::Bool(true)]));
        let delta = writer.finish().unwrap();
        assert_eq!(
            delta.text(),
            r#"{"_line":3,"context":"vessels.urn:x","updates":[{"source":{"label":"can0","pgn":128267},"timestamp":"2026-11-22T00:00:00.000Z","values":[{"path":"a.b","value":1.5},{"path":"a.c","value":[null,true]}],"$source":"can0.7"}]}"#
        );
        let update = delta.updates().next().unwrap();
        assert_eq!((update.source_ref(), update.timestamp()), ("can0.7", "2026-11-22T00:00:00.000Z"));
        assert_eq!(update.values().collect::<Vec<_>>(), [("a.b", "1.5"), ("a.c", "[null,true]")]);
        assert_eq!(delta.context(), "vessels.urn:x");
    }

    #[test]
    fn every_head_is_json_of_what_was_given() {
        for (prefix, context) in [("", Some("c")), ("", None), ("\"_line\":1,", Some("c")), ("\"_line\":1,", None)] {
            for parts in 0..8 {
                let [source, stamp, name] = [1, 2, 4].map(|part| (parts & part != 0).then_some("x"));
                let head = UpdateHead { source: source.map(Value::Text), source_ref: name, timestamp: stamp };
                let mut writer = DeltaWriter::new(prefix, context);
                for path in ["a", "b"] {
                    writer.update(&head);
                    writer.value_below("p.", path, Value::Null);
                }
                let delta = writer.finish().unwrap();
                let text = delta.text();
                assert_eq!(json::compact(text).as_deref(), Ok(text));
                assert_eq!(delta.context(), context.unwrap_or_default(), "{text}");
                let updates: Vec<_> = delta.updates().collect();
                assert_eq!(updates.len(), 2);
                for (update, path) in updates.iter().zip(["p.a", "p.b"]) {
                    assert_eq!(update.values().collect::<Vec<_>>(), [(path, "null")], "{text}");
                    assert_eq!(update.source_ref(), name.unwrap_or_default(), "{text}");
                    assert_eq!(update.timestamp(), stamp.unwrap_or_default(), "{text}");
                    assert_eq!(update.source(), source.map(|_| "\"x\""), "{text}");
                }
            }
        }
    }

    #[test]
    fn a_writer_is_used_again() {
        let mut writer = DeltaWriter::default();
        for context in [Some("a"), None] {
            writer.restart("", context);
            assert_eq!(writer.text(), Err(DeltaError::Empty));
            writer.restart("", context);
            writer.update(&UpdateHead { source_ref: Some("s"), ..UpdateHead::default() });
            writer.value("x", Value::Bool(true));
            let length = writer.text().unwrap().len();
            let delta = writer.delta().unwrap();
            let mut other = DeltaWriter::new("", context);
            other.update(&UpdateHead { source_ref: Some("s"), ..UpdateHead::default() });
            other.value("x", Value::Bool(true));
            assert_eq!((delta.text().len(), &delta), (length, &other.finish().unwrap()));
        }
    }

    #[test]
    fn updates_without_values_vanish() {
        let mut writer = DeltaWriter::new("", None);
        writer.update(&UpdateHead::default());
        writer.update(&UpdateHead::default());
        writer.value("x", Value::Null);
        writer.update(&UpdateHead::default());
        assert_eq!(writer.finish().unwrap().text(), r#"{"updates":[{"values":[{"path":"x","value":null}]}]}"#);
        let mut empty = DeltaWriter::new("", None);
        empty.update(&UpdateHead::default());
        assert_eq!(empty.finish(), Err(DeltaError::Empty));
    }
}
