//! What a bus told, or a plugin that gives values: path, source, time and typed value. Its text is made when somebody
//! reads it.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::{fmt, slice};

use super::source::BusSource;
use super::write::{DeltaWriter, UpdateHead, ValueSink};
use super::{DELTA_BYTES_MAX, DELTA_ENTRIES_MAX, Delta, DeltaError, DeltaVersion, Span, UpdateRef, is_plain};
use crate::json::{Decimal, Value, Written};
use crate::time::UnixMillis;

/// Bytes that an entry takes in the text beside its path and a JSON value, at most: its frame and a number.
const ENTRY_TEXT_BYTES: usize = 56;
/// Bytes that a text takes beside its entries and texts, at most: a `source` object without label, time stamp, braces.
const HEAD_TEXT_BYTES: usize = 256;

/// Room for the texts of a plugin's delta at first: some paths.
const OWN_TEXT_BYTES: usize = 128;

/// What stands between texts.
const PADDING: &str = "\0\0\0\0";

/// One delta of one update, as values.
#[derive(Clone, Debug)]
pub(super) struct Told {
    /// Paths that are put together, and what is JSON among the values.
    texts: Box<str>,
    context: Arc<str>,
    is_own: bool,
    /// `None` for a plugin.
    source: Option<BusSource>,
    source_ref: Arc<str>,
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
    path: Path,
    value: Held,
}

/// Most paths of a bus are constants of the program: nothing of them is copied.
#[derive(Clone, Copy, Debug)]
enum Path {
    Fixed(&'static str),
    /// Bytes of the texts, from and to: in eight bytes on a small machine.
    Joined(u16, u16),
}

impl Path {
    fn of(self, texts: &str) -> &str {
        match self {
            Self::Fixed(path) => path,
            Self::Joined(from, to) => texts.get(from.into()..to.into()).unwrap_or_default(),
        }
    }
}

#[derive(Clone, Copy, Debug)]
enum Held {
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

    /// Visits path and value of each entry.
    pub(super) fn entries(&self) -> Entries<'_> {
        Entries { texts: &self.texts, entries: self.entries.iter() }
    }

    /// Returns the bytes of heap it holds.
    pub(super) fn heap_bytes(&self) -> usize {
        let of_foreign = if self.is_own { 0 } else { self.context.len() };
        self.texts.len().saturating_add(size_of_val(&*self.entries)).saturating_add(of_foreign)
    }

    /// Returns the bytes that its text can take, at most, without making it.
    pub(super) fn text_bytes_max(&self) -> usize {
        text_bytes_max(&self.context, &self.source_ref, &self.texts, &self.entries)
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

fn text_bytes_max(context: &str, source_ref: &str, texts: &str, entries: &[Entry]) -> usize {
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
        let timestamp = head.time.text();
        self.update(&UpdateHead {
            source: Some(Value::Written(Written(&|out| head.source.write(out)))),
            source_ref: head.source_ref.map(|name| &**name),
            timestamp: Some(&*timestamp).filter(|text| !text.is_empty()),
        });
    }
}

/// Takes a message as values, in memory that is used again.
#[derive(Clone, Debug, Default)]
pub(crate) struct ToldWriter {
    texts: String,
    entries: Vec<Entry>,
    /// That of the own vessel stays from one delta to the next.
    context: Arc<str>,
    is_own: bool,
    source: Option<BusSource>,
    source_ref: Arc<str>,
    time: UnixMillis,
    order: Order,
    version: DeltaVersion,
    /// It has a head.
    is_begun: bool,
}

impl BusSink for ToldWriter {
    fn begin(&mut self, head: BusHead<'_>) {
        self.texts.clear();
        self.entries.clear();
        let context = head.context.unwrap_or_default();
        if *self.context != *context {
            self.context = context.into();
        }
        self.source_ref = head.source_ref.cloned().unwrap_or_default();
        (self.is_own, self.source, self.time, self.is_begun) = (head.is_own, Some(head.source), head.time, true);
    }
}

impl ToldWriter {
    /// Begins a delta of the own vessel that has a `$source` alone.
    pub(super) fn of_own(context: &Arc<str>, source_ref: &Arc<str>, time: UnixMillis) -> Self {
        Self {
            texts: String::with_capacity(OWN_TEXT_BYTES),
            entries: Vec::new(),
            context: context.clone(),
            is_own: true,
            source: None,
            source_ref: source_ref.clone(),
            time,
            order: Order::Stamped,
            version: DeltaVersion::V1,
            is_begun: true,
        }
    }

    /// Tells whether one of its entries is a root value.
    pub(super) fn has_root(&self) -> bool {
        self.entries.iter().any(|entry| entry.path.of(&self.texts).is_empty())
    }

    /// Begins a part of a delta that a bus told, with room for so many entries, and bytes beside those it has; `None`
    /// where it is another's.
    pub(crate) fn part_of(update: &UpdateRef<'_>, entries: usize, bytes: usize) -> Option<Self> {
        let told = update.delta.told.as_ref()?;
        let mut part = Self {
            texts: String::new(),
            entries: Vec::new(),
            context: told.context.clone(),
            is_own: told.is_own,
            source: told.source.clone(),
            source_ref: told.source_ref.clone(),
            time: told.time,
            order: Order::Stamped,
            version: update.version(),
            is_begun: true,
        };
        part.texts.reserve_exact(told.texts.len().saturating_add(bytes));
        part.entries.reserve_exact(entries);
        Some(part)
    }

    /// Takes an entry that stands in a delta, so that its path needs no check.
    pub(crate) fn copy(&mut self, path: &str, value: &Value<'_>) {
        self.push_joined(path, "", value);
    }

    /// Lets the next text begin at a whole word, where a small machine compares it in words.
    fn align(&mut self) {
        let over = self.texts.len() % size_of::<u32>();
        if over > 0 {
            self.texts.push_str(PADDING.get(over..).unwrap_or_default());
        }
    }

    #[inline]
    fn push_joined(&mut self, base: &str, leaf: &str, value: &Value<'_>) {
        self.align();
        let from = self.texts.len();
        self.texts.push_str(base);
        self.texts.push_str(leaf);
        let place = |at: usize| u16::try_from(at).unwrap_or(u16::MAX);
        self.push(Path::Joined(place(from), place(self.texts.len())), value);
    }

    fn push(&mut self, path: Path, value: &Value<'_>) {
        let value = match *value {
            Value::Null => Held::Null,
            Value::Bool(value) => Held::Bool(value),
            Value::Number(value) => Held::Number(value),
            Value::Float(value) if value.is_finite() => Held::Float(value),
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
    pub(crate) fn delta(&mut self) -> Result<Arc<Delta>, DeltaError> {
        let source = self.source.take();
        if !core::mem::take(&mut self.is_begun) || self.entries.is_empty() {
            return Err(DeltaError::Empty);
        }
        if self.entries.len() > DELTA_ENTRIES_MAX {
            return Err(DeltaError::TooManyEntries);
        }
        // Below the limit the places of all texts fit 16 bits.
        let bytes = text_bytes_max(&self.context, &self.source_ref, &self.texts, &self.entries);
        if bytes > DELTA_BYTES_MAX {
            return Err(DeltaError::TooLong { bytes });
        }
        Ok(Arc::new(Delta::told(
            Told {
                texts: self.texts.as_str().into(),
                context: self.context.clone(),
                is_own: self.is_own,
                source,
                source_ref: self.source_ref.clone(),
                time: self.time,
                entries: self.entries.as_slice().into(),
                order: self.order,
            },
            self.version,
        )))
    }
}

impl ValueSink for ToldWriter {
    /// Ignored when the path needs escapes: no such path exists.
    fn value_below(&mut self, base: &str, leaf: &str, value: Value<'_>) {
        if self.is_begun && is_plain(base) && is_plain(leaf) {
            self.push_joined(base, leaf, &value);
        }
    }

    fn fixed(&mut self, path: &'static str, value: Value<'_>) {
        debug_assert!(is_plain(path), "{path}");
        if self.is_begun {
            self.push(Path::Fixed(path), &value);
        }
    }
}

/// Takes entries whose paths were checked.
pub(super) struct Checked<'w>(pub(super) &'w mut ToldWriter);

impl ValueSink for Checked<'_> {
    fn value_below(&mut self, base: &str, leaf: &str, value: Value<'_>) {
        self.0.push_joined(base, leaf, &value);
    }
}
