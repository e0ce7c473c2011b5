//! Values and meta entries of an update.

use alloc::string::String;
use alloc::vec::Vec;

use serde::de::{MapAccess, SeqAccess};

use super::visit::{Name, Place};
use super::{Reading, plain_string};
use crate::delta::{DELTA_ENTRIES_MAX, Entry, List, PATH_BYTES_MAX, Span, check_parts};

impl Reading<'_> {
    /// Writes `[{"path","value"}…]`; false when an entry is malformed (ABI §11.2 step 3).
    pub(super) fn entries<'de, A: SeqAccess<'de>>(&mut self, mut seq: A, list: List) -> Result<bool, A::Error> {
        self.draft.text.push('[');
        let body = self.len();
        let mut well_formed = true;
        loop {
            let mark = self.len();
            if mark != body {
                self.draft.text.push(',');
            }
            let count = self.list(list).len();
            let Some(entry_well_formed) = seq.next_element_seed(self.node(Place::Entry(list)))? else {
                self.draft.text.truncate(mark);
                break;
            };
            well_formed &= entry_well_formed;
            if self.list(list).len() == count {
                self.draft.text.truncate(mark);
            }
        }
        self.draft.text.push(']');
        Ok(well_formed)
    }

    fn list(&mut self, list: List) -> &mut Vec<Entry> {
        match list {
            List::Values => &mut self.draft.entries,
            List::Meta => &mut self.meta,
        }
    }

    /// Writes an entry with `path` first, and indexes it; false when it is malformed. What is not indexed is cut off by
    /// the caller.
    pub(super) fn entry<'de, A: MapAccess<'de>>(&mut self, mut map: A, list: List) -> Result<bool, A::Error> {
        let place = Place::Entry(list);
        let start = self.len();
        let (mut path, mut value) = (None, None);
        // `{"path":…,"value":…` stands in the text, as nearly all senders write it.
        let mut in_order = true;
        loop {
            let mark = self.len();
            let Some(name) = map.next_key_seed(self.key(place, true))? else { break };
            match name {
                Name::Path if mark == start => self.draft.text.push_str("{\"path\":"),
                Name::Value if in_order && path.is_some() && value.is_none() => {
                    self.draft.text.push_str(",\"value\":");
                }
                Name::Path | Name::Value => in_order = false,
                _ => {}
            }
            let from = self.len();
            map.next_value_seed(self.value(place))?;
            let span = Span::new(from, self.len());
            match name {
                Name::Path => path = Some(span),
                Name::Value => value = Some(span),
                _ => self.draft.text.truncate(mark),
            }
        }
        let text = &mut self.draft.text;
        let Some((mut path, inside)) = path.and_then(|span| Some((span, plain_string(span.of(text), PATH_BYTES_MAX)?)))
        else {
            return Ok(false);
        };
        if let Err(error) = check_parts(inside) {
            self.refused = Some(error);
            return Ok(false);
        }
        // A value JavaScript would call undefined is an error of the sender, and only of this entry.
        let Some(mut value) = value else { return Ok(true) };
        if !in_order {
            let texts = (String::from(path.of(text)), String::from(value.of(text)));
            text.truncate(start);
            text.push_str("{\"path\":");
            let from = text.len();
            text.push_str(&texts.0);
            path = Span::new(from, text.len());
            text.push_str(",\"value\":");
            let from = text.len();
            text.push_str(&texts.1);
            value = Span::new(from, text.len());
        }
        text.push('}');
        if self.list(list).len() >= DELTA_ENTRIES_MAX {
            self.too_many_entries = true;
            return Ok(true);
        }
        let path = Span { from: path.from + 1, to: path.to - 1 };
        self.list(list).push(Entry { path, value });
        Ok(true)
    }
}
