//! What a bus told, or a plugin that gives values: path, source, time and typed value. Its text is made when somebody
//! reads it.

use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::{fmt, slice};

use super::source::BusSource;
use super::write::{DeltaWriter, UpdateHead, ValueSink};
use super::{Span, Time};
use crate::json::{Decimal, Value, Written};
use crate::time::UnixMillis;

/// Bytes that an entry takes in the text beside its path and a JSON value, at most: its frame and a number.
const ENTRY_TEXT_BYTES: usize = 56;
/// Bytes that a text takes beside its entries and texts, at most: a `source` object without label, time stamp, braces.
const HEAD_TEXT_BYTES: usize = 256;

/// One delta of one update, as values.
#[derive(Clone, Debug)]
pub(super) struct Told {
    /// Paths that are put together, and what is JSON among the values.
    pub(super) texts: String,
    pub(super) context: Arc<str>,
    pub(super) is_own: bool,
    /// `None` for a plugin.
    pub(super) source: Option<BusSource>,
    pub(super) source_ref: Arc<str>,
    pub(super) time: UnixMillis,
    pub(super) entries: Vec<Entry>,
    pub(super) order: Order,
}

/// Where `$source` and time stamp stand in the text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Order {
    /// As a decoder writes them: the time stamp before the values.
    #[default]
    Decoded,
    /// As in a delta that is completed: both behind the values.
    Stamped,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Entry {
    pub(super) path: Path,
    pub(super) value: Held,
}

/// Most paths of a bus are constants of the program: nothing of them is copied.
#[derive(Clone, Copy, Debug)]
pub(super) enum Path {
    Fixed(&'static str),
    /// Bytes of the texts, from and to: in eight bytes on a small machine.
    Joined(u16, u16),
}

impl Path {
    #[inline(always)]
    pub(super) fn of(self, texts: &str) -> &str {
        match self {
            Self::Fixed(path) => path,
            Self::Joined(from, to) => texts.get(from.into()..to.into()).unwrap_or_default(),
        }
    }
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Held {
    Null,
    Bool(bool),
    Number(Decimal),
    /// A finite one.
    Float(f64),
    Json(Span),
}

impl Held {
    fn of(self, texts: &str) -> Value<'_> {
        match self {
            Self::Null => Value::Null,
            Self::Bool(value) => Value::Bool(value),
            Self::Number(value) => Value::Number(value),
            Self::Float(value) => Value::Float(value),
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
        &self.context
    }

    pub(super) fn is_own(&self) -> bool {
        self.is_own
    }

    pub(super) fn source(&self) -> Option<&BusSource> {
        self.source.as_ref()
    }

    pub(super) fn source_ref(&self) -> &str {
        &self.source_ref
    }

    pub(super) fn time(&self) -> UnixMillis {
        self.time
    }

    /// Visits the paths alone.
    pub(super) fn paths(&self) -> impl Iterator<Item = &str> {
        self.entries.iter().map(|entry| entry.path.of(&self.texts))
    }

    /// Visits path and value of each entry.
    pub(super) fn entries(&self) -> Entries<'_> {
        Entries { texts: &self.texts, entries: self.entries.iter() }
    }

    /// Returns the bytes of heap it holds.
    pub(super) fn heap_bytes(&self) -> usize {
        let of_foreign = if self.is_own { 0 } else { self.context.len() };
        self.memory_bytes().saturating_add(of_foreign)
    }

    /// Returns the bytes of its texts and entries, with room that is not used.
    pub(super) fn memory_bytes(&self) -> usize {
        self.texts.capacity().saturating_add(self.entries.capacity().saturating_mul(size_of::<Entry>()))
    }

    /// Returns the bytes that its text can take, at most, without making it.
    pub(super) fn text_bytes_max(&self) -> usize {
        text_bytes_max(&self.context, &self.source_ref, &self.texts, &self.entries)
    }

    /// Writes its text.
    pub(super) fn write(&self) -> DeltaWriter {
        let mut writer = DeltaWriter::with_room(self.context(), self.text_bytes_max(), self.entries.len());
        let source_ref = self.source_ref();
        let write_source = |out: &mut dyn fmt::Write| self.source.as_ref().map_or(Ok(()), |source| source.write(out));
        match self.order {
            Order::Decoded => {
                let source = Some(Value::Written(Written(&write_source)));
                let head = UpdateHead { source, source_ref: Some(source_ref), timestamp: None };
                writer.update_at(&head, Time::At(self.time));
            }
            Order::Stamped => {
                let mut source = String::new();
                // Writing into a String cannot fail.
                let _ = write_source(&mut source);
                writer.values_of(Some(&*source).filter(|source| !source.is_empty()), source_ref, &self.time.text());
            }
        }
        for (path, value) in self.entries() {
            writer.value(path, value);
        }
        writer
    }
}

pub(super) fn text_bytes_max(context: &str, source_ref: &str, texts: &str, entries: &[Entry]) -> usize {
    let of_entry = |entry: &Entry| match entry.path {
        Path::Fixed(path) => ENTRY_TEXT_BYTES.saturating_add(path.len()),
        Path::Joined(..) => ENTRY_TEXT_BYTES,
    };
    let around = [HEAD_TEXT_BYTES, context.len(), source_ref.len(), texts.len()];
    entries.iter().map(of_entry).chain(around).fold(0, usize::saturating_add)
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
    /// `$source`; `None` in a decoder's output.
    pub source_ref: Option<&'a Arc<str>>,
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
        let time = head.time;
        let head = UpdateHead {
            source: Some(Value::Written(Written(&|out| head.source.write(out)))),
            source_ref: head.source_ref.map(|name| &**name),
            timestamp: None,
        };
        self.update_at(&head, Time::At(time));
    }
}
