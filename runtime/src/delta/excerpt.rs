//! Deltas out of parts of another one, entry by entry into one text: a board has no room for lists beside it, and reading
//! again what was just written costs it more than everything else that happens to a frame.

use super::{Delta, Draft, Entry, Span, UpdateIndex, UpdateRef};

/// The list of an update that an entry belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum List {
    Values,
    Meta,
}

/// Writes a delta of some entries of another one, their values as they were or others.
pub(crate) struct Excerpt {
    draft: Draft,
    /// The update at hand and its list that is open.
    open: Option<(UpdateIndex, List)>,
}

impl Excerpt {
    /// Begins a delta of so many bytes and entries; it may become longer. `context` needs no escape.
    pub fn new(context: &str, bytes: usize, entries: usize) -> Self {
        let mut draft = Draft::default();
        draft.text.reserve_exact(context.len().saturating_add(bytes));
        draft.entries.reserve_exact(entries);
        draft.text.push_str("{\"context\":\"");
        let from = draft.text.len();
        draft.text.push_str(context);
        draft.context = Span::new(from, draft.text.len());
        draft.text.push_str("\",\"updates\":");
        draft.updates_text = Span::new(draft.text.len(), draft.text.len());
        draft.text.push('[');
        Self { draft, open: None }
    }

    /// Writes a value; `path` needs no escape, `value` is compact JSON. Values stand before meta.
    pub fn value(&mut self, update: &UpdateRef<'_>, path: &str, value: &str) {
        self.entry(update, List::Values, path, value);
    }

    /// Writes a meta entry.
    pub fn meta(&mut self, update: &UpdateRef<'_>, path: &str, value: &str) {
        self.entry(update, List::Meta, path, value);
    }

    fn entry(&mut self, update: &UpdateRef<'_>, list: List, path: &str, value: &str) {
        if matches!(self.open, Some((_, List::Meta))) && list == List::Values {
            self.close(update);
        }
        let entries = self.entries();
        let text = &mut self.draft.text;
        match &mut self.open {
            Some((_, open)) if *open == list => text.push_str(",{\"path\":\""),
            Some((index, open)) => {
                index.values_to = entries;
                *open = list;
                text.push_str("],\"meta\":[{\"path\":\"");
            }
            None => {
                let mut index = UpdateIndex { from: entries, values_to: entries, ..UpdateIndex::default() };
                text.push_str(if self.draft.updates.is_empty() { "{" } else { ",{" });
                if let Some(source) = update.source() {
                    text.push_str("\"source\":");
                    let from = text.len();
                    text.push_str(source);
                    index.source = Some(Span::new(from, text.len()));
                    text.push(',');
                }
                text.push_str(match list {
                    List::Values => "\"values\":[{\"path\":\"",
                    List::Meta => "\"meta\":[{\"path\":\"",
                });
                self.open = Some((index, list));
            }
        }
        let from = text.len();
        text.push_str(path);
        let path = Span::new(from, text.len());
        text.push_str("\",\"value\":");
        let from = text.len();
        text.push_str(value);
        self.draft.entries.push(Entry { path, value: Span::new(from, text.len()) });
        text.push('}');
    }

    /// Ends an update; nothing is written of one without entries.
    pub fn close(&mut self, update: &UpdateRef<'_>) {
        let Some((mut index, list)) = self.open.take() else { return };
        index.to = self.entries();
        if list == List::Values {
            index.values_to = index.to;
        }
        let text = &mut self.draft.text;
        text.push_str("],\"$source\":\"");
        let from = text.len();
        text.push_str(update.source_ref());
        index.source_ref = Span::new(from, text.len());
        if !update.timestamp().is_empty() {
            text.push_str("\",\"timestamp\":\"");
            let from = text.len();
            text.push_str(update.timestamp());
            index.timestamp = Span::new(from, text.len());
        }
        text.push_str("\"}");
        self.draft.updates.push(index);
    }

    /// Returns the delta, `None` when it has no update or exceeds a limit of [`super`].
    pub fn finish(mut self, like: &Delta) -> Option<Delta> {
        let draft = &mut self.draft;
        draft.text.push(']');
        draft.updates_text = Span::new(draft.updates_text.from as usize, draft.text.len());
        draft.text.push('}');
        self.draft.finish().ok().map(|delta| delta.with_version(like.version()))
    }

    fn entries(&self) -> u32 {
        u32::try_from(self.draft.entries.len()).unwrap_or(u32::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::delta::{DELTA_BYTES_MAX, Stamp};
    use crate::time::UnixMillis;

    const STAMP: Stamp<'static> = Stamp { source_ref: "s", self_context: "vessels.x", now: UnixMillis::UNKNOWN };
    const TEXT: &str = r#"{"context":"vessels.x","updates":[
        {"source":{"label":"can0"},"values":[{"path":"a","value":1},{"path":"b","value":{"c":2}}],
         "meta":[{"path":"a","value":{"units":"m"}}],"$source":"can0.1","timestamp":"2026-01-01T00:00:00.000Z"},
        {"values":[{"path":"d","value":null}],"$source":"t"},
        {"meta":[{"path":"e","value":{"units":"m"}},{"path":"f","value":{}}],"$source":"u"}]}"#;

    fn whole(delta: &Delta) -> Excerpt {
        let mut excerpt = Excerpt::new(delta.context(), 0, 0);
        for update in delta.updates() {
            update.values().for_each(|(path, value)| excerpt.value(&update, path, value));
            update.meta().for_each(|(path, value)| excerpt.meta(&update, path, value));
            excerpt.close(&update);
        }
        excerpt
    }

    #[test]
    fn is_what_reading_its_text_gives() {
        let delta = Delta::parse(TEXT, &STAMP).unwrap();
        let copy = whole(&delta).finish(&delta).unwrap();
        assert_eq!(copy, Delta::parse(copy.text(), &STAMP).unwrap());
        assert_eq!(copy, delta);
    }

    #[test]
    fn updates_without_entries_are_left_out() {
        let delta = Delta::parse(TEXT, &STAMP).unwrap();
        let mut excerpt = Excerpt::new(delta.context(), 0, 0);
        for update in delta.updates() {
            update.values().filter(|(path, _)| *path == "d").for_each(|(path, _)| excerpt.value(&update, path, "7"));
            excerpt.close(&update);
        }
        let one = excerpt.finish(&delta).unwrap();
        let wanted = r#"{"context":"vessels.x","updates":[{"values":[{"path":"d","value":7}],"$source":"t"}]}"#;
        assert_eq!((one.text(), &one), (wanted, &Delta::parse(wanted, &STAMP).unwrap()));
        assert_eq!(Excerpt::new("vessels.x", 0, 0).finish(&delta), None);
    }

    #[test]
    fn values_behind_meta_begin_another_update() {
        let delta = Delta::parse(TEXT, &STAMP).unwrap();
        let update = delta.updates().next().unwrap();
        let mut excerpt = Excerpt::new(delta.context(), 0, 0);
        excerpt.meta(&update, "a", "{}");
        excerpt.value(&update, "a", "1");
        excerpt.close(&update);
        let both = excerpt.finish(&delta).unwrap();
        assert_eq!((both.updates().count(), &both), (2, &Delta::parse(both.text(), &STAMP).unwrap()));
    }

    #[test]
    fn one_that_becomes_too_long_is_none() {
        let delta = Delta::parse(TEXT, &STAMP).unwrap();
        let mut excerpt = whole(&delta);
        let update = delta.updates().next().unwrap();
        let long = std::format!("\"{}\"", "x".repeat(DELTA_BYTES_MAX));
        excerpt.value(&update, "a", &long);
        excerpt.close(&update);
        assert_eq!(excerpt.finish(&delta), None);
    }
}
