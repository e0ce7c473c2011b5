//! Signal K deltas: one immutable JSON text with an index into it.
//!
//! A delta is written once and then shared: REST, WebSocket and plugin feeds all send slices of
//! the same text. [`Delta::parse`] takes text from a plugin or a client and stamps it (source,
//! time, context); [`DeltaWriter`] builds one from values, as the NMEA 2000 path does.
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
mod write;

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

pub use parse::Stamp;
pub use path::{PathError, check_parts, check_path};
pub use write::{DeltaWriter, UpdateHead, ValueSink};

pub use crate::json::{Value, Written};

use crate::json::JsonError;

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
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delta {
    text: Box<str>,
    context: Span,
    updates_text: Span,
    updates: Box<[UpdateIndex]>,
    entries: Box<[Entry]>,
    version: DeltaVersion,
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
    /// Returns the whole text, compact JSON.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Returns the context, `vessels.urn:…`; empty when the text has none (decoder output).
    #[must_use]
    pub fn context(&self) -> &str {
        self.context.of(&self.text)
    }

    /// Returns the text of the `updates` array.
    #[must_use]
    pub fn updates_text(&self) -> &str {
        self.updates_text.of(&self.text)
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
    pub fn updates(&self) -> impl Iterator<Item = UpdateRef<'_>> {
        self.updates.iter().map(|index| UpdateRef { delta: self, index })
    }

    /// Returns the bytes of heap this delta holds.
    #[must_use]
    pub fn heap_bytes(&self) -> usize {
        self.text.len() + size_of_val(&*self.updates) + size_of_val(&*self.entries)
    }
}

/// One update of a [`Delta`].
#[derive(Clone, Copy, Debug)]
pub struct UpdateRef<'d> {
    delta: &'d Delta,
    index: &'d UpdateIndex,
}

impl<'d> UpdateRef<'d> {
    /// Returns `$source`: `can0.7`, a plugin's package name.
    #[must_use]
    pub fn source_ref(&self) -> &'d str {
        self.index.source_ref.of(&self.delta.text)
    }

    /// Returns the text of the `source` object, when there is one.
    #[must_use]
    pub fn source(&self) -> Option<&'d str> {
        self.index.source.map(|span| span.of(&self.delta.text))
    }

    /// Returns the time stamp, ISO 8601.
    #[must_use]
    pub fn timestamp(&self) -> &'d str {
        self.index.timestamp.of(&self.delta.text)
    }

    /// Visits path and JSON text of each value.
    pub fn values(&self) -> impl Iterator<Item = (&'d str, &'d str)> + use<'d> {
        self.entries(self.index.from, self.index.values_to)
    }

    /// Visits path and JSON text of each meta entry.
    pub fn meta(&self) -> impl Iterator<Item = (&'d str, &'d str)> + use<'d> {
        self.entries(self.index.values_to, self.index.to)
    }

    fn entries(&self, from: u32, to: u32) -> impl Iterator<Item = (&'d str, &'d str)> + use<'d> {
        let delta = self.delta;
        let entries = delta.entries.get(from as usize..to as usize).unwrap_or_default();
        entries.iter().map(move |entry| (entry.path.of(&delta.text), entry.value.of(&delta.text)))
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

    fn finish(self) -> Result<Delta, DeltaError> {
        self.check()?;
        Ok(Delta {
            text: self.text.into_boxed_str(),
            context: self.context,
            updates_text: self.updates_text,
            updates: self.updates.into_boxed_slice(),
            entries: self.entries.into_boxed_slice(),
            version: DeltaVersion::V1,
        })
    }

    fn copied(&self) -> Result<Delta, DeltaError> {
        self.check()?;
        Ok(Delta {
            text: self.text.as_str().into(),
            context: self.context,
            updates_text: self.updates_text,
            updates: self.updates.as_slice().into(),
            entries: self.entries.as_slice().into(),
            version: DeltaVersion::V1,
        })
    }
}

/// Tells whether `text` can stand in a delta as a path, context or `$source` without any escape.
#[must_use]
pub fn is_plain(text: &str) -> bool {
    crate::json::is_verbatim(text)
        || text.chars().all(|character| !character.is_control() && character != '"' && character != '\\')
}
