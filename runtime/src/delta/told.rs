//! What a bus told, or a plugin that gives values: path, source, time and typed value. Its text is made when somebody
//! reads it.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;
use core::{fmt, slice};

use super::source::BusSource;
use super::write::{DeltaWriter, UpdateHead, ValueSink};
use super::{DELTA_BYTES_MAX, DELTA_ENTRIES_MAX, Delta, DeltaError, Span, Stamp, UpdateRef, is_plain};
use crate::json::{Decimal, Value, Written};
use crate::time::UnixMillis;

/// Bytes that an entry takes in the text beside its path and a JSON value, at most: its frame and a number.
const ENTRY_TEXT_BYTES: usize = 56;
/// Bytes that a text takes beside its entries and texts, at most: a `source` object without label, time stamp, braces.
const HEAD_TEXT_BYTES: usize = 256;

/// What stands between texts.
const PADDING: &str = "\0\0\0\0";

/// One delta of one update, as values.
#[derive(Clone, Debug)]
pub(super) struct Told {
    /// Context, `$source`, paths, and what is JSON among the values.
    texts: Box<str>,
    context: Span,
    is_own: bool,
    /// `None` for a plugin.
    source: Option<BusSource>,
    source_ref: Span,
    time: UnixMillis,
    entries: Box<[Entry]>,
    order: Order,
}

/// Where `$source` and time stamp stand in the text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Order {
    /// As a decoder writes them: the time stamp before the values.
    #[default]
    Decoded,
    /// As in a delta that is completed: both behind the values.
    Stamped,
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    path: Span,
    value: Held,
}

#[derive(Clone, Copy, Debug)]
enum Held {
    Null,
    Bool(bool),
    Number(Decimal),
    Json(Span),
}

impl Held {
    fn of(self, texts: &str) -> Value<'_> {
        match self {
            Self::Null => Value::Null,
            Self::Bool(value) => Value::Bool(value),
            Self::Number(value) => Value::Number(value),
            Self::Json(span) => Value::Json(span.of(texts)),
        }
    }
}

/// Path and value of each entry.
pub(super) struct Entries<'t> {
    texts: &'t str,
    entries: slice::Iter<'t, Entry>,
}

impl<'t> Iterator for Entries<'t> {
    type Item = (&'t str, Value<'t>);

    fn next(&mut self) -> Option<Self::Item> {
        let entry = self.entries.next()?;
        Some((entry.path.of(self.texts), entry.value.of(self.texts)))
    }
}

impl Told {
    pub(super) fn context(&self) -> &str {
        self.context.of(&self.texts)
    }

    pub(super) fn is_own(&self) -> bool {
        self.is_own
    }

    pub(super) fn source(&self) -> Option<&BusSource> {
        self.source.as_ref()
    }

    pub(super) fn source_ref(&self) -> &str {
        self.source_ref.of(&self.texts)
    }

    pub(super) fn time(&self) -> UnixMillis {
        self.time
    }

    /// Visits path and value of each entry.
    pub(super) fn entries(&self) -> Entries<'_> {
        Entries { texts: &self.texts, entries: self.entries.iter() }
    }

    /// Returns the bytes of heap it holds.
    pub(super) fn heap_bytes(&self) -> usize {
        self.texts.len().saturating_add(size_of_val(&*self.entries))
    }

    /// Returns the bytes that its text can take, at most, without making it.
    pub(super) fn text_bytes_max(&self) -> usize {
        text_bytes_max(self.texts.len(), self.entries.len())
    }

    /// Writes its text.
    pub(super) fn write(&self) -> DeltaWriter {
        let mut writer = DeltaWriter::with_room(self.context(), self.text_bytes_max(), self.entries.len());
        let source_ref = self.source_ref();
        let timestamp = self.time.text();
        let write_source = |out: &mut dyn fmt::Write| self.source.as_ref().map_or(Ok(()), |source| source.write(out));
        match self.order {
            Order::Decoded => writer.update(&UpdateHead {
                source: Some(Value::Written(Written(&write_source))),
                source_ref: Some(source_ref),
                timestamp: Some(&*timestamp).filter(|text| !text.is_empty()),
            }),
            Order::Stamped => {
                let mut source = String::new();
                // Writing into a String cannot fail.
                let _ = write_source(&mut source);
                writer.values_of(Some(&*source).filter(|source| !source.is_empty()), source_ref, &timestamp);
            }
        }
        for (path, value) in self.entries() {
            writer.value(path, value);
        }
        writer
    }
}

fn text_bytes_max(texts: usize, entries: usize) -> usize {
    let around = entries.saturating_mul(ENTRY_TEXT_BYTES).saturating_add(HEAD_TEXT_BYTES);
    texts.saturating_add(around)
}

/// What stands in a message's delta beside its values.
pub(crate) struct BusHead<'a> {
    /// Number of the line that completed the message, for a decoder's output: no `$source` then.
    pub line: Option<u64>,
    /// Context; `None` for the own vessel in a decoder's output.
    pub context: Option<&'a str>,
    /// It is the own vessel's.
    pub is_own: bool,
    /// Who sent it.
    pub source: BusSource,
    /// `$source`.
    pub source_ref: &'a str,
    /// Time of the message; unknown for none.
    pub time: UnixMillis,
}

/// Takes a message: its head, then its values.
pub(crate) trait BusSink: ValueSink {
    /// Begins anew.
    fn begin(&mut self, head: BusHead<'_>);
}

impl BusSink for DeltaWriter {
    fn begin(&mut self, head: BusHead<'_>) {
        self.restart(head.line.map(|line| ("_line", Value::whole(line))), head.context);
        let timestamp = head.time.text();
        self.update(&UpdateHead {
            source: Some(Value::Written(Written(&|out| head.source.write(out)))),
            source_ref: Some(head.source_ref).filter(|_| head.line.is_none()),
            timestamp: Some(&*timestamp).filter(|text| !text.is_empty()),
        });
    }
}

/// Takes a message as values, in memory that is used again.
#[derive(Clone, Debug, Default)]
pub(crate) struct ToldWriter {
    texts: String,
    entries: Vec<Entry>,
    context: Span,
    is_own: bool,
    source: Option<BusSource>,
    source_ref: Span,
    time: UnixMillis,
    order: Order,
    /// It has a head.
    is_begun: bool,
}

impl BusSink for ToldWriter {
    fn begin(&mut self, head: BusHead<'_>) {
        self.head(head.context.unwrap_or_default(), head.source_ref, head.time);
        (self.is_own, self.source) = (head.is_own, Some(head.source));
    }
}

impl ToldWriter {
    fn head(&mut self, context: &str, source_ref: &str, time: UnixMillis) {
        self.texts.clear();
        self.entries.clear();
        self.context = self.text(context);
        self.source_ref = self.text(source_ref);
        (self.time, self.is_begun) = (time, true);
    }

    /// Begins a delta of the own vessel that has a `$source` alone, with room for so many bytes of texts.
    pub(super) fn of_stamp(stamp: &Stamp<'_>, bytes: usize) -> Self {
        let mut writer = Self { order: Order::Stamped, is_own: true, ..Self::default() };
        writer.texts.reserve_exact(stamp.self_context.len().saturating_add(bytes));
        writer.head(stamp.self_context, stamp.source_ref, stamp.now);
        writer
    }

    /// Tells whether one of its entries is a root value.
    pub(super) fn has_root(&self) -> bool {
        self.entries.iter().any(|entry| entry.path.from == entry.path.to)
    }

    /// Begins a part of a delta that a bus told, with room for so many entries, and bytes beside those it has; `None`
    /// where it is another's.
    pub(crate) fn part_of(update: &UpdateRef<'_>, entries: usize, bytes: usize) -> Option<Self> {
        let told = update.delta.told.as_ref()?;
        let mut part = Self { order: Order::Stamped, ..Self::default() };
        part.texts.reserve_exact(told.texts.len().saturating_add(bytes));
        part.entries.reserve_exact(entries);
        part.head(told.context(), told.source_ref(), told.time);
        (part.is_own, part.source) = (told.is_own, told.source.clone());
        Some(part)
    }

    /// Takes an entry that stands in a delta, so that its path needs no check.
    pub(crate) fn copy(&mut self, path: &str, value: &Value<'_>) {
        self.align();
        let path = self.text(path);
        self.push(path, value);
    }

    #[inline]
    fn add(&mut self, base: &str, leaf: &str, value: &Value<'_>) {
        self.align();
        let from = self.texts.len();
        self.texts.push_str(base);
        self.texts.push_str(leaf);
        self.push(Span::new(from, self.texts.len()), value);
    }

    /// Lets the next text begin at a whole word, where a small machine compares it in words.
    fn align(&mut self) {
        let over = self.texts.len() % size_of::<u32>();
        if over > 0 {
            self.texts.push_str(PADDING.get(over..).unwrap_or_default());
        }
    }

    fn text(&mut self, text: &str) -> Span {
        let from = self.texts.len();
        self.texts.push_str(text);
        Span::new(from, self.texts.len())
    }

    fn push(&mut self, path: Span, value: &Value<'_>) {
        let value = match *value {
            Value::Null => Held::Null,
            Value::Bool(value) => Held::Bool(value),
            Value::Number(value) => Held::Number(value),
            _ => {
                let from = self.texts.len();
                // Writing into a String cannot fail.
                let _ = value.write(&mut self.texts);
                Held::Json(Span::new(from, self.texts.len()))
            }
        };
        self.entries.push(Entry { path, value });
    }

    /// Returns what was told, so that the writer can be used again.
    ///
    /// # Errors
    /// [`DeltaError::Empty`] without a value, or a limit of [`super`] that its text can exceed.
    pub(crate) fn delta(&mut self) -> Result<Delta, DeltaError> {
        let source = self.source.take();
        if !core::mem::take(&mut self.is_begun) || self.entries.is_empty() {
            return Err(DeltaError::Empty);
        }
        if self.entries.len() > DELTA_ENTRIES_MAX {
            return Err(DeltaError::TooManyEntries);
        }
        let bytes = text_bytes_max(self.texts.len(), self.entries.len());
        if bytes > DELTA_BYTES_MAX {
            return Err(DeltaError::TooLong { bytes });
        }
        Ok(Delta::told(Told {
            texts: self.texts.as_str().into(),
            context: self.context,
            is_own: self.is_own,
            source,
            source_ref: self.source_ref,
            time: self.time,
            entries: self.entries.as_slice().into(),
            order: self.order,
        }))
    }
}

impl ValueSink for ToldWriter {
    /// Ignored when the path needs escapes: no such path exists.
    fn value_below(&mut self, base: &str, leaf: &str, value: Value<'_>) {
        if self.is_begun && is_plain(base) && is_plain(leaf) {
            self.add(base, leaf, &value);
        }
    }
}

/// Takes entries whose paths were checked.
pub(super) struct Checked<'w>(pub(super) &'w mut ToldWriter);

impl ValueSink for Checked<'_> {
    fn value_below(&mut self, base: &str, leaf: &str, value: Value<'_>) {
        self.0.add(base, leaf, &value);
    }
}
