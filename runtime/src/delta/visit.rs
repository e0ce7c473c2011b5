//! Visits what stands in a delta. Written out, for a small machine goes through a chain of adapters item by item.

use core::slice;

use super::told::{self, Told};
use super::{Delta, Entry, UpdateIndex, UpdateRef};
use crate::json::Value;

/// The updates of a delta, in order.
pub struct Updates<'d> {
    delta: &'d Delta,
    /// That of a bus is still to come.
    told: bool,
    indexed: slice::Iter<'d, UpdateIndex>,
}

impl<'d> Updates<'d> {
    pub(super) fn of(delta: &'d Delta) -> Self {
        let told = delta.told.is_some();
        let indexed: &[UpdateIndex] = if told { &[] } else { &delta.written().updates };
        Self { delta, told, indexed: indexed.iter() }
    }
}

impl<'d> Iterator for Updates<'d> {
    type Item = UpdateRef<'d>;

    fn next(&mut self) -> Option<Self::Item> {
        if core::mem::take(&mut self.told) {
            return Some(UpdateRef { delta: self.delta, index: None });
        }
        Some(UpdateRef { delta: self.delta, index: Some(self.indexed.next()?) })
    }
}

/// Path and JSON text of each entry of a list.
pub struct Texts<'d> {
    pub(super) text: &'d str,
    pub(super) entries: slice::Iter<'d, Entry>,
}

impl Texts<'_> {
    pub(super) fn none() -> Self {
        Self { text: "", entries: [].iter() }
    }
}

impl<'d> Iterator for Texts<'d> {
    type Item = (&'d str, &'d str);

    fn next(&mut self) -> Option<Self::Item> {
        let entry = self.entries.next()?;
        Some((entry.path.of(self.text), entry.value.of(self.text)))
    }
}

/// Path and value of each value: a bus tells numbers, all else is JSON.
pub struct Entries<'d> {
    told: Option<told::Entries<'d>>,
    texts: Texts<'d>,
}

impl<'d> Entries<'d> {
    pub(super) fn of(update: &UpdateRef<'d>) -> Self {
        let told = update.delta.told.as_ref().map(Told::entries);
        let texts = if told.is_some() { Texts::none() } else { update.values() };
        Self { told, texts }
    }
}

impl<'d> Iterator for Entries<'d> {
    type Item = (&'d str, Value<'d>);

    fn next(&mut self) -> Option<Self::Item> {
        match &mut self.told {
            Some(told) => told.next(),
            None => self.texts.next().map(|(path, value)| (path, Value::Json(value))),
        }
    }
}

/// The paths of values, then those of meta entries.
pub struct Paths<'d> {
    pub(super) values: Entries<'d>,
    pub(super) meta: Texts<'d>,
}

impl<'d> Iterator for Paths<'d> {
    type Item = &'d str;

    fn next(&mut self) -> Option<Self::Item> {
        if let Some((path, _)) = self.values.next() {
            return Some(path);
        }
        self.meta.next().map(|(path, _)| path)
    }
}
