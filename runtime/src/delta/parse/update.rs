//! An update: its members in the sender's order, and what its sender left out.

use serde::de::MapAccess;

use super::visit::{Name, Place};
use super::{Reading, plain_string};
use crate::delta::{Draft, List, NAME_BYTES_MAX, Span, UpdateIndex};

impl Reading<'_> {
    /// Writes the members in the sender's order and the missing ones after them; false when nothing is left.
    pub(super) fn update<'de, A: MapAccess<'de>>(&mut self, mut map: A) -> Result<bool, A::Error> {
        let entry_mark = self.draft.entries.len();
        let mut index = UpdateIndex { from: entry_count(&self.draft), ..UpdateIndex::default() };
        let (mut source_ref, mut timestamp) = (None, None);
        let mut well_formed = true;
        self.repeats.begin_update();
        self.draft.text.push_str(if self.draft.updates.is_empty() { "{" } else { ",{" });
        let body = self.len();
        loop {
            let mark = self.len();
            let Some(name) = map.next_key_seed(self.key(Place::Update, mark == body))? else { break };
            let from = self.len();
            let is_kept = match name {
                Name::Values => {
                    well_formed &= map.next_value_seed(self.node(Place::Entries(List::Values)))?;
                    true
                }
                Name::Meta => {
                    let before = (self.meta.len(), self.too_many_entries);
                    let meta_well_formed = map.next_value_seed(self.node(Place::Entries(List::Meta)))?;
                    let is_kept = self.repeats.keeps(name, self.text_from(from).starts_with('['));
                    if is_kept {
                        well_formed &= meta_well_formed;
                    } else {
                        self.meta.truncate(before.0);
                        self.too_many_entries = before.1;
                    }
                    is_kept
                }
                Name::Source => {
                    let before = self.source_names;
                    let is_object = map.next_value_seed(self.node(Place::Source))?;
                    let is_kept = self.repeats.keeps(name, is_object);
                    if is_kept {
                        index.source = Some(Span::new(from, self.len()));
                    } else {
                        self.source_names = before;
                    }
                    is_kept
                }
                Name::SourceRef | Name::Timestamp => {
                    map.next_value_seed(self.value(Place::Update))?;
                    let text = plain_string(self.text_from(from), NAME_BYTES_MAX);
                    let is_usable = text.is_some_and(|text| name == Name::Timestamp || !text.is_empty());
                    let is_kept = self.repeats.keeps(name, is_usable);
                    if is_kept {
                        let inside = Span::new(from + 1, self.len().saturating_sub(1));
                        *(if name == Name::Timestamp { &mut timestamp } else { &mut source_ref }) = Some(inside);
                    }
                    is_kept
                }
                _ => {
                    map.next_value_seed(self.value(Place::Update))?;
                    true
                }
            };
            if !is_kept {
                self.draft.text.truncate(mark);
            }
        }
        let draft = &mut self.draft;
        index.values_to = entry_count(draft);
        draft.entries.append(&mut self.meta);
        index.to = entry_count(draft);
        if !well_formed || index.from == index.to {
            draft.entries.truncate(entry_mark);
            return Ok(false);
        }
        index.source_ref = source_ref.unwrap_or_else(|| {
            draft.text.push_str(",\"$source\":\"");
            let from = draft.text.len();
            if index.source.is_some() {
                let name = self.source_names.source_ref(&draft.text, self.stamp);
                draft.text.push_str(&name);
            } else {
                draft.text.push_str(self.stamp.source_ref);
            }
            let to = draft.text.len();
            draft.text.push('"');
            Span::new(from, to)
        });
        if let Some(span) = timestamp {
            index.timestamp = span;
        } else if self.stamp.now.is_known() {
            draft.text.push_str(",\"timestamp\":\"");
            let from = draft.text.len();
            draft.text.push_str(&self.stamp.now.text());
            index.timestamp = Span::new(from, draft.text.len());
            draft.text.push('"');
        }
        draft.text.push('}');
        draft.updates.push(index);
        Ok(true)
    }
}

fn entry_count(draft: &Draft) -> u32 {
    u32::try_from(draft.entries.len()).unwrap_or(u32::MAX)
}
