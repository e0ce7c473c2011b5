//! One value inside a shared delta, ordered by what it is a value of.

use alloc::sync::Arc;
use core::cmp::Ordering;

use crate::delta::{Delta, DeltaWriter, UpdateHead, UpdateRef, Value, ValueSink};
use crate::json::Member;

/// A value that waits; two are equal when context, path and source are.
#[derive(Clone, Debug)]
pub(super) struct PendingValue {
    delta: Arc<Delta>,
    update: u16,
    entry: u16,
}

impl PendingValue {
    /// Points at a value; a delta has at most 1024.
    pub(super) fn new(delta: &Arc<Delta>, update: usize, entry: usize) -> Option<Self> {
        Some(Self { delta: delta.clone(), update: u16::try_from(update).ok()?, entry: u16::try_from(entry).ok()? })
    }

    /// Returns the context; empty for the own vessel when the delta says nothing.
    pub(super) fn context(&self) -> &str {
        self.delta.context()
    }

    /// Returns the path.
    pub(super) fn path(&self) -> &str {
        self.path_and_value().0
    }

    fn update(&self) -> Option<UpdateRef<'_>> {
        self.delta.updates().nth(usize::from(self.update))
    }

    fn path_and_value(&self) -> (&str, &str) {
        self.update().and_then(|update| update.values().nth(usize::from(self.entry))).unwrap_or_default()
    }

    fn source_ref(&self) -> &str {
        self.update().map_or("", |update| update.source_ref())
    }

    fn is_of_same_update(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.delta, &other.delta) && self.update == other.update
    }
}

impl PartialEq for PendingValue {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for PendingValue {}

impl PartialOrd for PendingValue {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for PendingValue {
    fn cmp(&self, other: &Self) -> Ordering {
        if self.is_of_same_update(other) && self.entry == other.entry {
            return Ordering::Equal;
        }
        let contexts = self.context().cmp(other.context());
        contexts.then_with(|| self.path().cmp(other.path())).then_with(|| self.source_ref().cmp(other.source_ref()))
    }
}

/// Writes values of one context as a delta; `first` is a member before its context.
pub(super) fn write(first: Option<Member<'_>>, self_context: &str, values: &[PendingValue]) -> Option<Delta> {
    let context = values.first()?.context();
    let mut writer = DeltaWriter::new(first, Some(if context.is_empty() { self_context } else { context }));
    let mut before: Option<&PendingValue> = None;
    for held in values {
        let update = held.update()?;
        if !before.is_some_and(|before| before.is_of_same_update(held)) {
            writer.update(&UpdateHead {
                source: update.source().map(Value::Json),
                source_ref: Some(update.source_ref()).filter(|name| !name.is_empty()),
                timestamp: Some(update.timestamp()).filter(|time| !time.is_empty()),
            });
        }
        before = Some(held);
        let (path, value) = held.path_and_value();
        writer.value(path, Value::Json(value));
    }
    // Only too many or too long values fail, and these were parts of deltas that did not.
    writer.finish().ok()
}
