//! Writes deltas, text and index in one: of values that the bus gives, straight from scaled integers, of entries of
//! another delta, and of what the gateway itself has to say.

use alloc::borrow::Cow;
use alloc::string::String;
use alloc::sync::Arc;

use serde::de::DeserializeSeed;

use super::tell::Checked;
use super::{
    DELTA_BYTES_MAX, Delta, DeltaError, Draft, ENTRY_DEPTH, Entry, List, NAME_BYTES_MAX, Span, Stamp, Text, Time,
    ToldWriter, UpdateIndex, UpdateRef, check_path, is_plain,
};
use crate::json::{Compact, JsonError, Member, Value, write_string};
use crate::time::{TimeText, UnixMillis};

/// Takes path and value pairs, as the NMEA 2000 mapping gives them.
pub trait ValueSink {
    /// Takes one value; its Signal K path, such as `navigation.speedThroughWater`, is `base` and `leaf` in one.
    fn value_below(&mut self, base: &str, leaf: &str, value: Value<'_>);

    /// Takes one value; `path` is its Signal K path.
    fn value(&mut self, path: &str, value: Value<'_>) {
        self.value_below("", path, value);
    }

    /// As [`value`](Self::value), at a path that is a constant of the program and needs no escapes in JSON.
    fn fixed(&mut self, path: &'static str, value: Value<'_>) {
        self.value(path, value);
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
    /// `$source` of the open update, where it has one, and what follows it; written in the same memory.
    tail: String,
    /// Bytes of `$source` in it.
    source_ref_len: Option<usize>,
    /// An update without entries is cut off again down to here.
    update_from: usize,
    open: bool,
    /// The list that is open.
    list: List,
    /// The end is written.
    ended: bool,
    /// Time stamps of a bus.
    times: TimeText,
}

/// Bytes that are reserved for a text; most deltas of a bus are shorter.
const TEXT_BYTES_AT_FIRST: usize = 512;
/// Between `$source` and a time stamp behind it.
const TIMESTAMP_BEHIND: &str = "\",\"timestamp\":\"";

/// Bytes of a delta with one entry, without context, `$source`, time stamp, path and value.
const ONE_ENTRY_BYTES: usize = 128;

impl Delta {
    /// Returns a delta with one value, as the gateway itself has it to say: `value` is any JSON text, which may be
    /// foreign; `context` may be empty for the own vessel, and `$source` is the stamp's.
    ///
    /// # Errors
    /// As [`Delta::parse`] of its text.
    pub fn of_value(context: &str, path: &str, value: &str, stamp: &Stamp<'_>) -> Result<Self, DeltaError> {
        Self::of_entry(List::Values, context, path, value, stamp)
    }

    /// Returns a delta with one meta entry; the rest as for [`of_value`](Self::of_value).
    ///
    /// # Errors
    /// As [`Delta::parse`] of its text.
    pub fn of_meta(context: &str, path: &str, meta: &str, stamp: &Stamp<'_>) -> Result<Self, DeltaError> {
        Self::of_entry(List::Meta, context, path, meta, stamp)
    }

    /// Returns a delta of the own vessel, `context`, with the values that `fill` gives, whose paths were checked.
    ///
    /// # Errors
    /// As [`DeltaWriter::finish`].
    pub fn of_values(
        context: &Arc<str>,
        source_ref: &Arc<str>,
        now: UnixMillis,
        fill: &mut dyn FnMut(&mut dyn ValueSink),
    ) -> Result<Arc<Self>, DeltaError> {
        let mut writer = ToldWriter::of_own(context, source_ref, now);
        fill(&mut Checked(&mut writer));
        let has_root = writer.has_root();
        let delta = writer.delta()?;
        // Identity is taken out of root values as text.
        Ok(if has_root { Arc::new(Self::of_text(delta.written().clone())) } else { delta })
    }

    fn of_entry(list: List, context: &str, path: &str, json: &str, stamp: &Stamp<'_>) -> Result<Self, DeltaError> {
        let context = match context {
            "" | "vessels.self" => stamp.self_context,
            given if given.len() <= NAME_BYTES_MAX && is_plain(given) => given,
            _ => return Err(DeltaError::Shape),
        };
        check_path(path).map_err(DeltaError::Path)?;
        if json.len() > DELTA_BYTES_MAX {
            return Err(DeltaError::TooLong { bytes: json.len() });
        }
        let texts = [path.len(), json.len(), stamp.source_ref.len(), ONE_ENTRY_BYTES];
        let mut writer = DeltaWriter::with_room(context, texts.into_iter().fold(0, usize::saturating_add), 1);
        let timestamp = stamp.now.is_known().then(|| stamp.now.text());
        writer.stamped_update(None, stamp.source_ref, timestamp.as_deref().unwrap_or_default(), list);
        let mut read = Ok(());
        writer.write_entry(path, "", |out| read = write_foreign(out, json));
        read?;
        writer.finish()
    }
}

/// Appends the value of an entry that somebody else wrote, compact.
fn write_foreign(out: &mut String, json: &str) -> Result<(), JsonError> {
    let mut de = serde_json::Deserializer::from_str(json);
    Compact { out, depth: ENTRY_DEPTH + 1 }.deserialize(&mut de)?;
    de.end()?;
    Ok(())
}

impl DeltaWriter {
    /// Starts a delta. `first` is a member to put before `"context"`, such as `"_line":12`.
    #[must_use]
    pub fn new(first: Option<Member<'_>>, context: Option<&str>) -> Self {
        let mut writer = Self::default();
        writer.restart(first, context);
        writer
    }

    /// Starts a delta of about this many bytes behind its context, and of this many entries; it may become longer.
    pub(crate) fn with_room(context: &str, bytes: usize, entries: usize) -> Self {
        let mut writer = Self::default();
        writer.draft.text.reserve_exact(context.len().saturating_add(bytes));
        writer.draft.entries.reserve_exact(entries);
        writer.begin(None, Some(context));
        writer
    }

    /// Starts another delta in the same memory; what was not taken out is lost.
    pub fn restart(&mut self, first: Option<Member<'_>>, context: Option<&str>) {
        let draft = &mut self.draft;
        draft.text.clear();
        draft.updates.clear();
        draft.entries.clear();
        draft.context = Span::default();
        draft.text.reserve(TEXT_BYTES_AT_FIRST);
        self.begin(first, context);
    }

    fn begin(&mut self, first: Option<Member<'_>>, context: Option<&str>) {
        let draft = &mut self.draft;
        // Few long parts, here and below: adding one costs a small machine as much as thirty of its bytes.
        if let Some((name, value)) = first {
            draft.text.push('{');
            // Writing into a String cannot fail.
            let _ = write_string(&mut draft.text, name);
            draft.text.push(':');
            let _ = value.write(&mut draft.text);
            draft.text.push(',');
        }
        let mut lead = if first.is_none() { "{\"updates\":[" } else { "\"updates\":[" };
        if let Some(context) = context.filter(|context| is_plain(context)) {
            draft.text.push_str(if first.is_none() { "{\"context\":\"" } else { "\"context\":\"" });
            let from = draft.text.len();
            draft.text.push_str(context);
            draft.context = Span::new(from, draft.text.len());
            lead = "\",\"updates\":[";
        }
        draft.text.push_str(lead);
        let inside = draft.text.len();
        // The bracket belongs to it.
        draft.updates_text = Span::new(inside - 1, inside - 1);
        (self.update_from, self.open, self.ended, self.source_ref_len) = (inside, false, false, None);
    }

    /// Starts an update; the one before it is dropped when it got no values.
    pub fn update(&mut self, head: &UpdateHead<'_>) {
        self.update_at(head, Time::Text(head.timestamp.filter(|text| is_plain(text)).unwrap_or_default()));
    }

    /// As [`update`](Self::update), at a time whose text needs no escapes.
    pub(super) fn update_at(&mut self, head: &UpdateHead<'_>, time: Time<'_>) {
        self.close_update();
        let mut index = UpdateIndex::default();
        let text = self.open_update();
        text.push_str(if head.source.is_some() { "{\"source\":" } else { "{" });
        if let Some(source) = head.source {
            let from = text.len();
            // Writing into a String cannot fail.
            let _ = source.write(text);
            index.source = Some(Span::new(from, text.len()));
        }
        let timestamp = match time {
            Time::At(time) => self.times.of(time),
            Time::Text(timestamp) => timestamp,
        };
        let text = &mut self.draft.text;
        if !timestamp.is_empty() {
            text.push_str(if head.source.is_some() { ",\"timestamp\":\"" } else { "\"timestamp\":\"" });
            let from = text.len();
            text.push_str(timestamp);
            index.timestamp = Span::new(from, text.len());
        }
        text.push_str(match (timestamp, head.source) {
            ("", Some(_)) => ",\"values\":[",
            ("", None) => "\"values\":[",
            (_, _) => "\",\"values\":[",
        });
        let source_ref = head.source_ref.filter(|name| name.len() <= NAME_BYTES_MAX && is_plain(name));
        self.tail.push_str(source_ref.unwrap_or_default());
        self.source_ref_len = source_ref.map(str::len);
        self.index_update(index, List::Values);
    }

    /// Starts an update as [`Delta::parse`] completes one: `$source` and time stamp, where there is one, stand behind
    /// the entries. Neither needs an escape; `source` is the text of an object.
    fn stamped_update(&mut self, source: Option<&str>, source_ref: &str, timestamp: &str, list: List) {
        self.close_update();
        let mut index = UpdateIndex::default();
        let text = self.open_update();
        text.push('{');
        if let Some(source) = source {
            text.push_str("\"source\":");
            let from = text.len();
            text.push_str(source);
            index.source = Some(Span::new(from, text.len()));
            text.push(',');
        }
        text.push_str(match list {
            List::Values => "\"values\":[",
            List::Meta => "\"meta\":[",
        });
        self.tail.push_str(source_ref);
        self.source_ref_len = Some(source_ref.len());
        if !timestamp.is_empty() {
            self.tail.push_str(TIMESTAMP_BEHIND);
            self.tail.push_str(timestamp);
        }
        self.index_update(index, list);
    }

    /// Starts an update of values as [`Delta::parse`] completes one, see [`stamped_update`](Self::stamped_update).
    pub(super) fn values_of(&mut self, source: Option<&str>, source_ref: &str, timestamp: &str) {
        self.stamped_update(source, source_ref, timestamp, List::Values);
    }

    /// Ends the delta and returns its text, whatever its length.
    pub(super) fn into_text(mut self) -> Text {
        self.end();
        self.draft.into_text()
    }

    /// Copies an update: the values that `take` returns a value for, the meta entries where they are wanted.
    ///
    /// Nothing is written when no entry is left. This is how a delta becomes parts of it: entry by entry into one text,
    /// for a board has no room for lists beside it, and reading again what was just written costs it more than
    /// everything else that happens to a frame.
    pub(crate) fn copy_update<'d>(
        &mut self,
        update: &UpdateRef<'d>,
        with_meta: bool,
        take: &mut dyn FnMut(&'d str, &'d str) -> Option<Cow<'d, str>>,
    ) {
        let mut begun = false;
        for (path, value) in update.values() {
            let Some(value) = take(path, value) else { continue };
            if !core::mem::replace(&mut begun, true) {
                self.stamped_update(update.source(), update.source_ref(), update.timestamp(), List::Values);
            }
            self.entry(path, &value);
        }
        for (path, value) in update.meta().filter(|_| with_meta) {
            if !core::mem::replace(&mut begun, true) {
                self.stamped_update(update.source(), update.source_ref(), update.timestamp(), List::Meta);
            }
            self.begin_meta();
            self.entry(path, value);
        }
    }

    /// Copies an update under another `source` object and `$source`: the entries that are taken, which are told whether
    /// they are meta. Nothing is written when none is left.
    #[cfg(any(test, feature = "remote"))]
    pub(crate) fn copy_update_as(
        &mut self,
        update: &UpdateRef<'_>,
        source: Option<&str>,
        source_ref: &str,
        takes: &mut dyn FnMut(bool, &str, &str) -> bool,
    ) {
        let mut begun = false;
        for (path, value) in update.values() {
            if takes(false, path, value) {
                if !core::mem::replace(&mut begun, true) {
                    self.stamped_update(source, source_ref, update.timestamp(), List::Values);
                }
                self.entry(path, value);
            }
        }
        for (path, value) in update.meta() {
            if takes(true, path, value) {
                if !core::mem::replace(&mut begun, true) {
                    self.stamped_update(source, source_ref, update.timestamp(), List::Meta);
                }
                self.begin_meta();
                self.entry(path, value);
            }
        }
    }

    /// Ends the values of the open update; entries that follow are meta.
    fn begin_meta(&mut self) {
        if self.list == List::Meta {
            return;
        }
        self.list = List::Meta;
        self.draft.text.push_str("],\"meta\":[");
        let entries = self.entry_count();
        if let Some(index) = self.draft.updates.last_mut() {
            index.values_to = entries;
        }
    }

    /// Writes an entry whose value is compact JSON.
    fn entry(&mut self, path: &str, json: &str) {
        self.write_entry(path, "", |text| text.push_str(json));
    }

    #[inline]
    fn write_entry(&mut self, base: &str, leaf: &str, write_value: impl FnOnce(&mut String)) {
        let text = &mut self.draft.text;
        // Behind the bracket of its list it is the first one.
        text.push_str(if text.as_bytes().last() == Some(&b'[') { "{\"path\":\"" } else { ",{\"path\":\"" });
        let from = text.len();
        if !base.is_empty() {
            text.push_str(base);
        }
        text.push_str(leaf);
        let path = Span::new(from, text.len());
        text.push_str("\",\"value\":");
        let from = text.len();
        write_value(text);
        self.draft.entries.push(Entry { path, value: Span::new(from, text.len()) });
        text.push('}');
    }

    /// Returns where the update goes.
    fn open_update(&mut self) -> &mut String {
        self.tail.clear();
        let text = &mut self.draft.text;
        self.update_from = text.len();
        if !self.draft.updates.is_empty() {
            text.push(',');
        }
        text
    }

    fn index_update(&mut self, mut index: UpdateIndex, list: List) {
        let entries = self.entry_count();
        (index.from, index.values_to, index.to) = (entries, entries, entries);
        self.draft.updates.push(index);
        (self.open, self.list) = (true, list);
    }

    fn entry_count(&self) -> u32 {
        u32::try_from(self.draft.entries.len()).unwrap_or(u32::MAX)
    }

    fn close_update(&mut self) {
        if !self.open {
            return;
        }
        self.open = false;
        let entries = self.entry_count();
        let text = &mut self.draft.text;
        let Some(index) = self.draft.updates.last_mut() else { return };
        if index.from == entries {
            text.truncate(self.update_from);
            self.draft.updates.pop();
            return;
        }
        if self.list == List::Values {
            index.values_to = entries;
        }
        index.to = entries;
        let Some(source_ref_len) = self.source_ref_len else {
            text.push_str("]}");
            return;
        };
        text.push_str("],\"$source\":\"");
        let from = text.len();
        text.push_str(&self.tail);
        index.source_ref = Span::new(from, from + source_ref_len);
        if self.tail.len() > source_ref_len {
            index.timestamp = Span::new(from + source_ref_len + TIMESTAMP_BEHIND.len(), text.len());
        }
        text.push_str("\"}");
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
        if !self.open || !is_plain(base) || !is_plain(leaf) {
            return;
        }
        // Writing into a String cannot fail.
        self.write_entry(base, leaf, |text| {
            let _ = value.write(text);
        });
    }

    fn fixed(&mut self, path: &'static str, value: Value<'_>) {
        debug_assert!(is_plain(path), "{path}");
        if self.open {
            // Writing into a String cannot fail.
            self.write_entry(path, "", |text| {
                let _ = value.write(text);
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::{self, DEPTH_MAX, Decimal};
    use std::vec::Vec;

    #[test]
    fn writes_members_in_the_order_plugins_search_for() {
        let mut writer = DeltaWriter::new(Some(("_line", Value::whole(3))), Some("vessels.urn:x"));
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
    fn values_of_a_plugin_are_kept_as_values_until_their_text_is_read() {
        let of = |now, path: &str| {
            let fill = &mut |sink: &mut dyn ValueSink| {
                sink.value(path, Value::Json(r#"{"name":"a"}"#));
                sink.value("b", Value::Number(Decimal::new(15, -1)));
                sink.value("c", Value::Float(0.1));
                sink.value("d", Value::Text("e\"f"));
                sink.value("g", Value::Null);
            };
            Delta::of_values(&"vessels.urn:x".into(), &"@acme/p".into(), now, fill).unwrap()
        };
        for (now, path, is_text) in
            [(UnixMillis(0), "a", false), (UnixMillis::UNKNOWN, "a", false), (UnixMillis(0), "", true)]
        {
            let delta = of(now, path);
            assert_eq!(delta.told.is_none(), is_text, "a root value is parted as text");
            assert!(delta.is_own("vessels.urn:x"));
            let update = delta.updates().next().unwrap();
            assert_eq!((update.source_ref(), update.time().millis().is_some()), ("@acme/p", now.is_known()));
            assert!(update.origin().is_none());
            let stamp = Stamp { source_ref: "@acme/p", self_context: "vessels.urn:x", now };
            let text = format!(
                r#"{{"updates":[{{"values":[{{"path":"{path}","value":{{"name":"a"}}}},{{"path":"b","value":1.5}},{{"path":"c","value":0.1}},{{"path":"d","value":"e\"f"}},{{"path":"g","value":null}}]}}]}}"#
            );
            assert_eq!(delta.text(), Delta::parse(&text, &stamp).unwrap().text());
        }
        let none = Delta::of_values(&Arc::default(), &Arc::default(), UnixMillis(0), &mut |_| ());
        assert_eq!(none, Err(DeltaError::Empty));
    }

    #[test]
    fn every_head_is_json_of_what_was_given() {
        let line = Some(("_line", Value::whole(1)));
        for (first, context) in [(None, Some("c")), (None, None), (line, Some("c")), (line, None)] {
            for parts in 0..8 {
                let [source, stamp, name] = [1, 2, 4].map(|part| (parts & part != 0).then_some("x"));
                let head = UpdateHead { source: source.map(Value::Text), source_ref: name, timestamp: stamp };
                let mut writer = DeltaWriter::new(first, context);
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
            writer.restart(None, context);
            assert_eq!(writer.text(), Err(DeltaError::Empty));
            writer.restart(None, context);
            writer.update(&UpdateHead { source_ref: Some("s"), ..UpdateHead::default() });
            writer.value("x", Value::Bool(true));
            let length = writer.text().unwrap().len();
            let delta = writer.delta().unwrap();
            let mut other = DeltaWriter::new(None, context);
            other.update(&UpdateHead { source_ref: Some("s"), ..UpdateHead::default() });
            other.value("x", Value::Bool(true));
            assert_eq!((delta.text().len(), &delta), (length, &other.finish().unwrap()));
        }
    }

    #[test]
    fn updates_without_values_vanish() {
        let mut writer = DeltaWriter::new(None, None);
        writer.update(&UpdateHead::default());
        writer.update(&UpdateHead::default());
        writer.value("x", Value::Null);
        writer.update(&UpdateHead::default());
        assert_eq!(writer.finish().unwrap().text(), r#"{"updates":[{"values":[{"path":"x","value":null}]}]}"#);
        let mut empty = DeltaWriter::new(None, None);
        empty.update(&UpdateHead::default());
        assert_eq!(empty.finish(), Err(DeltaError::Empty));
    }

    const STAMP: Stamp<'static> = Stamp { source_ref: "s", self_context: "vessels.x", now: UnixMillis::UNKNOWN };
    const TEXT: &str = r#"{"context":"vessels.x","updates":[
        {"source":{"label":"can0"},"values":[{"path":"a","value":1},{"path":"b","value":{"c":2}}],
         "meta":[{"path":"a","value":{"units":"m"}}],"$source":"can0.1","timestamp":"2026-01-01T00:00:00.000Z"},
        {"values":[{"path":"d","value":null}],"$source":"t"},
        {"meta":[{"path":"e","value":{"units":"m"}},{"path":"f","value":{}}],"$source":"u"}]}"#;

    fn copied(delta: &Delta, with_meta: bool, only: &str, value: Option<&'static str>) -> Result<Delta, DeltaError> {
        let mut writer = DeltaWriter::with_room(delta.context(), 0, 0);
        for update in delta.updates() {
            writer.copy_update(&update, with_meta, &mut |path, given| {
                (only.is_empty() || only == path).then(|| Cow::Borrowed(value.unwrap_or(given)))
            });
        }
        writer.finish()
    }

    #[test]
    fn a_copy_is_what_reading_its_text_gives() {
        let delta = Delta::parse(TEXT, &STAMP).unwrap();
        let copy = copied(&delta, true, "", None).unwrap();
        assert_eq!(copy, Delta::parse(copy.text(), &STAMP).unwrap());
        assert_eq!(copy, delta);
    }

    #[test]
    fn updates_of_which_no_entry_is_copied_are_left_out() {
        let delta = Delta::parse(TEXT, &STAMP).unwrap();
        let one = copied(&delta, false, "d", Some("7")).unwrap();
        let wanted = r#"{"context":"vessels.x","updates":[{"values":[{"path":"d","value":7}],"$source":"t"}]}"#;
        assert_eq!((one.text(), &one), (wanted, &Delta::parse(wanted, &STAMP).unwrap()));
        let meta = copied(&delta, true, "none", None).unwrap();
        assert_eq!(meta, Delta::parse(meta.text(), &STAMP).unwrap());
        assert_eq!(
            meta.updates().map(|update| (update.values().count(), update.meta().count())).collect::<Vec<_>>(),
            [(0, 1), (0, 2)]
        );
        assert_eq!(copied(&delta, false, "none", None), Err(DeltaError::Empty));
    }

    #[test]
    fn a_copy_that_becomes_too_long_is_refused() {
        let delta = Delta::parse(TEXT, &STAMP).unwrap();
        let mut writer = DeltaWriter::with_room(delta.context(), 0, 0);
        let long = std::format!("\"{}\"", "x".repeat(DELTA_BYTES_MAX));
        for update in delta.updates() {
            writer.copy_update(&update, true, &mut |_, _| Some(Cow::Owned(long.clone())));
        }
        assert!(matches!(writer.finish(), Err(DeltaError::TooLong { .. })));
    }

    #[test]
    fn what_the_gateway_says_is_what_reading_its_text_gives() {
        let now = UnixMillis(1_780_308_000_000);
        for stamp in [STAMP, Stamp { now, ..STAMP }] {
            for context in ["", "vessels.self", "vessels.y"] {
                for value in ["1", " [ 1.0 , {\"a\" : null} ] ", "\"\\u00e9\""] {
                    let lead =
                        if context.is_empty() { String::new() } else { std::format!("\"context\":\"{context}\",") };
                    let text = |list: &str| {
                        std::format!(
                            r#"{{{lead}"updates":[{{"{list}":[{{"path":"notifications.a","value":{value}}}]}}]}}"#
                        )
                    };
                    let said = Delta::of_value(context, "notifications.a", value, &stamp);
                    assert_eq!(said, Delta::parse(&text("values"), &stamp));
                    let said = Delta::of_meta(context, "notifications.a", value, &stamp);
                    assert_eq!(said, Delta::parse(&text("meta"), &stamp));
                }
            }
        }
    }

    #[test]
    fn the_gateway_says_nothing_that_is_no_delta() {
        let said = |context: &str, path: &str, value: &str| Delta::of_value(context, path, value, &STAMP);
        assert_eq!(said("a\"b", "a", "1"), Err(DeltaError::Shape));
        assert_eq!(said(&"x".repeat(NAME_BYTES_MAX + 1), "a", "1"), Err(DeltaError::Shape));
        for path in ["a\"b", "a.__proto__", "a..b"] {
            assert!(matches!(said("", path, "1"), Err(DeltaError::Path(_))), "{path}");
        }
        for value in ["", "nul", "1},{\"path\":\"b\",\"value\":2", "1 2"] {
            assert!(matches!(said("", "a", value), Err(DeltaError::Json(_))), "{value}");
        }
        let deep = |depth: usize| std::format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        assert!(said("", "a", &deep(DEPTH_MAX - 5)).is_ok());
        assert!(matches!(said("", "a", &deep(DEPTH_MAX + 1)), Err(DeltaError::Json(_))));
        let long = std::format!("\"{}\"", "x".repeat(DELTA_BYTES_MAX));
        assert!(matches!(said("", "a", &long), Err(DeltaError::TooLong { .. })));
    }
}
