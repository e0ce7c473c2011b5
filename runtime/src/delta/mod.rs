//! Signal K deltas: values, or one immutable JSON text with an index into it.
//!
//! [`Delta::parse`] takes text from a plugin or a client and stamps it (source, time, context); [`DeltaWriter`] writes
//! one. What a bus tells is kept as values, and becomes text when somebody reads it ([`Delta::text`]): once, and then
//! REST, WebSocket and plugin feeds all send slices of the same text. Who needs no text asks for
//! [`UpdateRef::entries`], [`UpdateRef::origin`] and [`UpdateRef::time`].
//!
//! ```
//! use skiff_runtime::delta::{DeltaWriter, UpdateHead, Value, ValueSink};
//! use skiff_runtime::json::Decimal;
//!
//! let head = UpdateHead { source_ref: Some("sample.7"), timestamp: Some("2026-11-22T00:00:00.000Z"), ..UpdateHead::default() };
//! let mut writer = DeltaWriter::new(None, Some("vessels.urn:mrn:signalk:uuid:0"));
//! writer.update(&head);
//! writer.value("environment.depth.belowTransducer", Value::Number(Decimal::new(42, -1)));
//! let delta = writer.finish().unwrap();
//! assert_eq!(delta.updates().next().unwrap().values().next(), Some(("environment.depth.belowTransducer", "4.2")));
//! ```

mod parse;
mod path;
mod source;
mod tell;
mod told;
mod visit;
mod write;

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

pub use parse::Stamp;
pub use path::{PathError, check_parts, check_path};
pub use source::{BusInstance, BusLabel, BusSource, hexadecimal};
pub(crate) use tell::ToldWriter;
pub(crate) use told::{BusHead, BusSink};
pub use visit::{Entries, Paths, Texts, Updates};
pub use write::{DeltaWriter, UpdateHead, ValueSink};

pub use crate::json::{Value, Written};

use once_cell::race::OnceBox;

use crate::json::{JsonError, Shown};
use crate::time::UnixMillis;
use told::Told;

/// Bytes of one delta's text; larger ones are refused.
pub const DELTA_BYTES_MAX: usize = 64 * 1024;
/// Values and meta entries of one delta; more are refused.
pub const DELTA_ENTRIES_MAX: usize = 1024;
/// Bytes of one path; the longest of the Signal K 1.7 schema with a UUID in it has about 120.
pub const PATH_BYTES_MAX: usize = 256;
/// Bytes of a context or a `$source`.
pub const NAME_BYTES_MAX: usize = 256;

/// Objects and arrays around an entry.
const ENTRY_DEPTH: usize = 4;

/// Why a delta was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DeltaError {
    /// The text is not JSON.
    Json(JsonError),
    /// Not an object with an `updates` array, or `context` is no string.
    Shape,
    /// Longer than [`DELTA_BYTES_MAX`].
    TooLong {
        /// Bytes of the text.
        bytes: usize,
    },
    /// More values than [`DELTA_ENTRIES_MAX`].
    TooManyEntries,
    /// No update with a value or meta entry is left.
    Empty,
    /// As [`Empty`](Self::Empty), and a path was refused.
    Path(PathError),
}

impl fmt::Display for DeltaError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Json(error) => error.fmt(f),
            Self::Shape => f.write_str("not a delta: an object with an updates array is needed"),
            Self::TooLong { bytes } => write!(f, "delta of {bytes} bytes, {DELTA_BYTES_MAX} allowed"),
            Self::TooManyEntries => write!(f, "delta with more than {DELTA_ENTRIES_MAX} values"),
            Self::Empty => f.write_str("delta without values"),
            Self::Path(error) => error.fmt(f),
        }
    }
}

impl core::error::Error for DeltaError {}

impl From<JsonError> for DeltaError {
    fn from(error: JsonError) -> Self {
        Self::Json(error)
    }
}

/// One delta: `{"context":…,"updates":[{"source"?,"timestamp","values"?,"meta"?,"$source"}]}`.
///
/// Two are equal when their texts and versions are.
pub struct Delta {
    /// What a bus told, or a plugin by values; `None` where the text came first.
    told: Option<Told>,
    /// Made when somebody reads it.
    text: OnceBox<Text>,
    version: DeltaVersion,
}

/// A text with an index into it.
#[derive(Clone, Debug, Default)]
struct Text {
    text: Box<str>,
    context: Span,
    updates_text: Span,
    updates: Box<[UpdateIndex]>,
    entries: Box<[Entry]>,
}

/// Which API version a delta was sent for (`sk_handle_message` parameter `version`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DeltaVersion {
    /// Goes to listeners and into the full data model.
    #[default]
    V1,
    /// Goes to listeners only.
    V2,
}

/// Bytes `from..to` of the text; [`DELTA_BYTES_MAX`] fits `u32`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Span {
    from: u32,
    to: u32,
}

impl Span {
    fn new(from: usize, to: usize) -> Self {
        Self { from: u32::try_from(from).unwrap_or(u32::MAX), to: u32::try_from(to).unwrap_or(u32::MAX) }
    }

    fn of(self, text: &str) -> &str {
        text.get(self.from as usize..self.to as usize).unwrap_or_default()
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct UpdateIndex {
    source: Option<Span>,
    source_ref: Span,
    timestamp: Span,
    /// Entries of this update: `entries[from..values_to]` are values, `entries[values_to..to]` meta.
    from: u32,
    values_to: u32,
    to: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Entry {
    path: Span,
    value: Span,
}

impl Delta {
    #[inline]
    fn told(told: Told, version: DeltaVersion) -> Self {
        Self { told: Some(told), text: OnceBox::new(), version }
    }

    fn of_text(text: Text) -> Self {
        Self { told: None, text: OnceBox::with_value(Box::new(text)), version: DeltaVersion::V1 }
    }

    fn written(&self) -> &Text {
        self.text.get_or_init(|| Box::new(self.told.as_ref().map(|told| told.write().into_text()).unwrap_or_default()))
    }

    /// Returns the whole text, compact JSON. That of a bus is made now, and kept.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.written().text
    }

    /// Returns the context, `vessels.urn:…`; empty when the text has none (decoder output).
    #[must_use]
    pub fn context(&self) -> &str {
        match &self.told {
            Some(told) => told.context(),
            None => self.written().context.of(self.text()),
        }
    }

    /// Tells whether its context is that of the own vessel, `self_context`.
    #[must_use]
    pub fn is_own(&self, self_context: &str) -> bool {
        if let Some(told) = &self.told {
            return told.is_own();
        }
        let context = self.context();
        context.is_empty() || *context == *self_context
    }

    /// Returns the text of the `updates` array.
    #[must_use]
    pub fn updates_text(&self) -> &str {
        let text = self.written();
        text.updates_text.of(&text.text)
    }

    /// Returns the version it was sent for.
    #[must_use]
    pub fn version(&self) -> DeltaVersion {
        self.version
    }

    /// Returns the same delta sent for another version.
    #[must_use]
    pub fn with_version(mut self, version: DeltaVersion) -> Self {
        self.version = version;
        self
    }

    /// Visits the updates in order.
    #[must_use]
    #[inline(always)]
    pub fn updates(&self) -> Updates<'_> {
        Updates::of(self)
    }

    /// Returns the bytes of its text; at most, where nobody has read it yet.
    #[must_use]
    pub fn text_bytes_max(&self) -> usize {
        match (&self.told, self.text.get()) {
            (Some(told), None) => told.text_bytes_max(),
            _ => self.text().len(),
        }
    }

    /// Returns the bytes of heap this delta holds, its text included, whether or not anybody has read it.
    #[must_use]
    pub fn heap_bytes(&self) -> usize {
        match (&self.told, self.text.get()) {
            (Some(told), None) => told.heap_bytes().saturating_add(told.text_bytes_max()),
            (told, text) => {
                let told = told.as_ref().map_or(0, Told::heap_bytes);
                told.saturating_add(text.map_or(0, Text::heap_bytes))
            }
        }
    }
}

impl Text {
    fn heap_bytes(&self) -> usize {
        self.text.len() + size_of_val(&*self.updates) + size_of_val(&*self.entries)
    }
}

impl Clone for Delta {
    fn clone(&self) -> Self {
        let text = match self.text.get() {
            Some(text) => OnceBox::with_value(Box::new(text.clone())),
            None => OnceBox::new(),
        };
        Self { told: self.told.clone(), text, version: self.version }
    }
}

impl fmt::Debug for Delta {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Delta").field("text", &self.text()).field("version", &self.version).finish()
    }
}

impl PartialEq for Delta {
    fn eq(&self, other: &Self) -> bool {
        self.text() == other.text() && self.version == other.version
    }
}

impl Eq for Delta {}

/// One update of a [`Delta`].
#[derive(Clone, Copy, Debug)]
pub struct UpdateRef<'d> {
    delta: &'d Delta,
    /// `None` for that of a bus.
    index: Option<&'d UpdateIndex>,
}

/// Who sent an update.
#[derive(Clone, Copy, Debug)]
pub enum Origin<'d> {
    /// A device on a bus.
    Bus(&'d BusSource),
    /// What this `source` object says, compact JSON.
    Object(&'d str),
}

/// Time stamp of an update.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Time<'d> {
    /// This one; unknown for none.
    At(UnixMillis),
    /// As it was written, ISO 8601; empty for none.
    Text(&'d str),
}

impl<'d> Time<'d> {
    /// Returns its text.
    #[must_use]
    pub fn text(self) -> Shown<'d> {
        match self {
            Self::At(time) => Shown::of_time(time),
            Self::Text(text) => Shown::Borrowed(text),
        }
    }

    /// Returns the point in time; `None` where there is none, or it cannot be read.
    #[must_use]
    pub fn millis(self) -> Option<UnixMillis> {
        match self {
            Self::At(time) => Some(time).filter(|time| time.is_known()),
            Self::Text(text) => UnixMillis::parse_iso(text),
        }
    }
}

impl<'d> UpdateRef<'d> {
    fn indexed(&self) -> (&'d Text, Option<&'d UpdateIndex>) {
        let text = self.delta.written();
        (text, self.index.or_else(|| text.updates.first()))
    }

    /// Returns the context of its delta.
    #[must_use]
    pub fn context(&self) -> &'d str {
        self.delta.context()
    }

    /// Returns the version that its delta was sent for.
    #[must_use]
    pub fn version(&self) -> DeltaVersion {
        self.delta.version
    }

    fn span(&self, of: fn(&UpdateIndex) -> Span) -> &'d str {
        let (text, index) = self.indexed();
        index.map_or("", |index| of(index).of(&text.text))
    }

    /// Returns `$source`: `can0.7`, a plugin's package name.
    #[must_use]
    pub fn source_ref(&self) -> &'d str {
        match &self.delta.told {
            Some(told) => told.source_ref(),
            None => self.span(|index| index.source_ref),
        }
    }

    /// Returns who sent it, where that is known.
    #[must_use]
    pub fn origin(&self) -> Option<Origin<'d>> {
        match &self.delta.told {
            Some(told) => told.source().map(Origin::Bus),
            None => self.source().map(Origin::Object),
        }
    }

    /// Returns the text of the `source` object, when there is one.
    #[must_use]
    pub fn source(&self) -> Option<&'d str> {
        let (text, index) = self.indexed();
        Some(index?.source?.of(&text.text))
    }

    /// Returns the time stamp.
    #[must_use]
    #[inline(always)]
    pub fn time(&self) -> Time<'d> {
        match &self.delta.told {
            Some(told) => Time::At(told.time()),
            None => Time::Text(self.timestamp()),
        }
    }

    /// Returns the text of the time stamp, ISO 8601.
    #[must_use]
    pub fn timestamp(&self) -> &'d str {
        self.span(|index| index.timestamp)
    }

    /// Visits path and value of each value, without making a text: a bus tells numbers, all else is JSON.
    #[must_use]
    #[inline(always)]
    pub fn entries(&self) -> Entries<'d> {
        Entries::of(self)
    }

    /// Visits the paths of what a bus told, or a plugin by values; `None` where the text came first.
    pub(crate) fn told_paths(&self) -> Option<impl Iterator<Item = &'d str>> {
        self.delta.told.as_ref().map(Told::paths)
    }

    /// Visits the paths of its values, then those of its meta entries.
    #[must_use]
    pub fn paths(&self) -> Paths<'d> {
        Paths { values: self.entries(), meta: self.meta() }
    }

    /// Visits path and JSON text of each value.
    #[must_use]
    pub fn values(&self) -> Texts<'d> {
        self.texts(|index| (index.from, index.values_to))
    }

    /// Visits path and JSON text of each meta entry; a bus tells none.
    #[must_use]
    pub fn meta(&self) -> Texts<'d> {
        if self.delta.told.is_some() { Texts::none() } else { self.texts(|index| (index.values_to, index.to)) }
    }

    fn texts(&self, range: fn(&UpdateIndex) -> (u32, u32)) -> Texts<'d> {
        let (text, index) = self.indexed();
        let (from, to) = index.map_or((0, 0), range);
        let entries = text.entries.get(from as usize..to as usize).unwrap_or_default();
        Texts { text: &text.text, entries: entries.iter() }
    }
}

/// A list of an update.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum List {
    #[default]
    Values,
    Meta,
}

/// Collects text and index of a delta under construction.
#[derive(Clone, Debug, Default)]
struct Draft {
    text: String,
    context: Span,
    updates_text: Span,
    updates: Vec<UpdateIndex>,
    entries: Vec<Entry>,
}

impl Draft {
    fn check(&self) -> Result<(), DeltaError> {
        if self.text.len() > DELTA_BYTES_MAX {
            return Err(DeltaError::TooLong { bytes: self.text.len() });
        }
        if self.entries.len() > DELTA_ENTRIES_MAX {
            return Err(DeltaError::TooManyEntries);
        }
        if self.entries.is_empty() {
            return Err(DeltaError::Empty);
        }
        Ok(())
    }

    /// Puts another context in the place of the one that is written.
    fn replace_context(&mut self, context: &str) {
        let (from, to) = (self.context.from as usize, self.context.to as usize);
        if self.text.get(from..to).is_none() {
            return;
        }
        self.text.replace_range(from..to, context);
        self.context = Span::new(from, from + context.len());
        let end = self.context.to as usize;
        let moved = |at: u32| (at as usize).checked_sub(to).map_or(at, |behind| Span::new(0, end + behind).to);
        let shift = |span: &mut Span| *span = Span { from: moved(span.from), to: moved(span.to) };
        shift(&mut self.updates_text);
        for update in &mut self.updates {
            update.source.iter_mut().for_each(shift);
            shift(&mut update.source_ref);
            shift(&mut update.timestamp);
        }
        for entry in &mut self.entries {
            shift(&mut entry.path);
            shift(&mut entry.value);
        }
    }

    fn into_text(self) -> Text {
        Text {
            text: self.text.into_boxed_str(),
            context: self.context,
            updates_text: self.updates_text,
            updates: self.updates.into_boxed_slice(),
            entries: self.entries.into_boxed_slice(),
        }
    }

    fn finish(self) -> Result<Delta, DeltaError> {
        self.check()?;
        Ok(Delta::of_text(self.into_text()))
    }

    fn copied(&self) -> Result<Delta, DeltaError> {
        self.check()?;
        Ok(Delta::of_text(Text {
            text: self.text.as_str().into(),
            context: self.context,
            updates_text: self.updates_text,
            updates: self.updates.as_slice().into(),
            entries: self.entries.as_slice().into(),
        }))
    }
}

/// Tells whether `text` can stand in a delta as a path, context or `$source` without any escape.
#[must_use]
pub fn is_plain(text: &str) -> bool {
    crate::json::is_verbatim(text)
        || text.chars().all(|character| !character.is_control() && character != '"' && character != '\\')
}
