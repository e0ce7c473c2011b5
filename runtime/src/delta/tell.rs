//! Tells a delta value by value, in memory that is used again: the writer's own, and that of a delta that nobody has any
//! more.

use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

use once_cell::race::OnceBox;

use super::source::BusSource;
use super::told::{BusHead, BusSink, Entry, Held, Order, Path, Told, text_bytes_max};
use super::write::ValueSink;
use super::{DELTA_BYTES_MAX, DELTA_ENTRIES_MAX, Delta, DeltaError, DeltaVersion, Span, UpdateRef, is_plain};
use crate::json::Value;
use crate::time::UnixMillis;

/// Room for the texts of a plugin's delta at first: some paths.
const OWN_TEXT_BYTES: usize = 128;
/// What stands between texts.
const PADDING: &str = "\0\0\0\0";
/// Bytes of texts and entries of a delta whose memory is kept for the next one, at most: most deltas of a bus take less.
const KEPT_BYTES_MAX: usize = 512;
/// Bytes of texts and entries below which the text of a delta is never too long.
const SHORT_BYTES: usize = 4096;
const SHORT_ENTRIES: usize = 64;
/// Bytes of texts that a delta may have beside what it needs, in memory that was another's.
const SLACK_BYTES: usize = 64;
/// As [`SLACK_BYTES`], entries.
const SLACK_ENTRIES: usize = 2;

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
    /// The delta that was returned last: its memory is used again when nobody else has it any more.
    last: Option<Arc<Delta>>,
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
            last: None,
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
            last: None,
        };
        part.texts.reserve_exact(told.texts.len().saturating_add(bytes));
        part.entries.reserve_exact(entries);
        Some(part)
    }

    /// Takes an entry that stands in a delta, so that its path needs no check.
    pub(crate) fn copy(&mut self, path: &str, value: &Value<'_>) {
        self.push_joined(path, "", value);
    }

    /// Lets the next text begin at a whole word, where a small machine compares and copies it in words.
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
                self.align();
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
        if !core::mem::take(&mut self.is_begun) || self.entries.is_empty() {
            return Err(DeltaError::Empty);
        }
        if self.entries.len() > DELTA_ENTRIES_MAX {
            return Err(DeltaError::TooManyEntries);
        }
        // Below the limit the places of all texts fit 16 bits. A short one is: its paths and names have limits, too.
        if self.texts.len() > SHORT_BYTES || self.entries.len() > SHORT_ENTRIES {
            let bytes = text_bytes_max(&self.context, &self.source_ref, &self.texts, &self.entries);
            if bytes > DELTA_BYTES_MAX {
                return Err(DeltaError::TooLong { bytes });
            }
        }
        let last = self.last.take().and_then(|mut last| {
            let told = self.refill(Arc::get_mut(&mut last)?)?;
            core::mem::swap(&mut told.source, &mut self.source);
            Some(last)
        });
        let delta = last.unwrap_or_else(|| Arc::new(Delta::told(self.told(), self.version)));
        let is_kept = delta.told.as_ref().is_some_and(|told| told.memory_bytes() <= KEPT_BYTES_MAX);
        self.last = is_kept.then(|| delta.clone());
        Ok(delta)
    }

    fn told(&mut self) -> Told {
        Told {
            texts: self.texts.as_str().into(),
            context: self.context.clone(),
            is_own: self.is_own,
            source: self.source.take(),
            source_ref: self.source_ref.clone(),
            time: self.time,
            entries: self.entries.as_slice().into(),
            order: self.order,
        }
    }

    /// Tells all but the source in the memory of a delta that nobody has any more.
    fn refill<'d>(&self, delta: &'d mut Delta) -> Option<&'d mut Told> {
        (delta.text, delta.version) = (OnceBox::new(), self.version);
        let told = delta.told.as_mut()?;
        let (texts, entries) = (self.texts.len(), self.entries.len());
        if has_other_room(told.texts.capacity(), texts, SLACK_BYTES) {
            told.texts = String::with_capacity(texts);
        }
        told.texts.clear();
        told.texts.push_str(&self.texts);
        if has_other_room(told.entries.capacity(), entries, SLACK_ENTRIES) {
            told.entries = Vec::with_capacity(entries);
        }
        told.entries.clear();
        told.entries.extend_from_slice(&self.entries);
        if !Arc::ptr_eq(&told.context, &self.context) {
            told.context = self.context.clone();
        }
        if !Arc::ptr_eq(&told.source_ref, &self.source_ref) {
            told.source_ref = self.source_ref.clone();
        }
        (told.is_own, told.time, told.order) = (self.is_own, self.time, self.order);
        Some(told)
    }
}

/// Tells whether memory is too small, or much larger than it has to be.
fn has_other_room(has: usize, needs: usize, slack: usize) -> bool {
    has < needs || has > needs.saturating_add(slack)
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::Decimal;

    fn told(writer: &mut ToldWriter, leaf: &str, count: i64) -> Arc<Delta> {
        let source = BusSource { label: None, pgn: 1, address: 7, name: None, device_instance: None, instance: None };
        let source_ref = "can0.7".into();
        let source_ref = Some(&source_ref);
        writer.begin(BusHead { line: None, context: Some("c"), is_own: true, source, source_ref, time: UnixMillis(0) });
        for number in 0..count {
            writer.value_below("a.", leaf, Value::Number(Decimal::new(number, 0)));
        }
        writer.delta().unwrap()
    }

    fn fresh(leaf: &str, count: i64) -> Arc<Delta> {
        told(&mut ToldWriter::default(), leaf, count)
    }

    #[test]
    fn memory_of_a_delta_that_nobody_has_is_used_again_and_says_nothing_of_it() {
        let mut writer = ToldWriter::default();
        let first = Arc::as_ptr(&told(&mut writer, "b", 1));
        for (leaf, count) in [("c", 1), ("longer.than.that.one", 3), ("b", 1), ("b", 9), ("d", 2)] {
            let delta = told(&mut writer, leaf, count);
            assert_eq!((Arc::as_ptr(&delta), &delta), (first, &fresh(leaf, count)));
            assert!(
                delta.heap_bytes()
                    < fresh(leaf, count).heap_bytes() + SLACK_BYTES + SLACK_ENTRIES * size_of::<Entry>() + 1
            );
        }
    }

    #[test]
    fn a_delta_that_somebody_has_stays_as_it_is() {
        let mut writer = ToldWriter::default();
        let kept = told(&mut writer, "b", 1);
        let _text = kept.text();
        let other = told(&mut writer, "c", 1);
        assert_eq!((&kept, &other), (&fresh("b", 1), &fresh("c", 1)));
        // Memory of a large one is not held for a small one.
        drop((kept, other));
        let large = Arc::downgrade(&told(&mut writer, "b", 200));
        assert!(large.upgrade().is_none());
        assert_eq!(told(&mut writer, "b", 1), fresh("b", 1));
    }
}
