//! The `source` object of an update, and the `$source` that follows from it.

use alloc::string::String;

use serde::de::MapAccess;

use super::visit::{Name, Place};
use super::{Reading, Stamp, plain_string};
use crate::delta::{NAME_BYTES_MAX, Span};
use crate::json;

/// Where a `source` object says whom it is about: JSON texts of its members.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct SourceNames {
    label: Option<Span>,
    can_name: Option<Span>,
    src: Option<Span>,
    kind: Option<Span>,
    talker: Option<Span>,
}

impl SourceNames {
    fn set(&mut self, name: Name, span: Span) {
        match name {
            Name::Label => self.label = Some(span),
            Name::Can => self.can_name = Some(span),
            Name::Src => self.src = Some(span),
            Name::Type => self.kind = Some(span),
            Name::Talker => self.talker = Some(span),
            _ => {}
        }
    }

    /// Returns the `$source` that follows from the members, which stand in `text`.
    pub(super) fn source_ref(&self, text: &str, stamp: &Stamp<'_>) -> String {
        let of = |span: Option<Span>| {
            let raw = span?.of(text);
            plain_string(raw, NAME_BYTES_MAX).or_else(|| raw.bytes().all(|byte| byte.is_ascii_digit()).then_some(raw))
        };
        let label = of(self.label).unwrap_or(stamp.source_ref);
        let name = match of(self.can_name).or_else(|| of(self.src)) {
            Some(suffix) => [label, ".", suffix].concat(),
            None if of(self.kind) == Some("plugin") => label.into(),
            None => [label, ".", of(self.talker).unwrap_or("XX")].concat(),
        };
        // Each part has a limit, and so has the whole.
        if name.len() > NAME_BYTES_MAX { stamp.source_ref.into() } else { name }
    }
}

impl Reading<'_> {
    /// Writes a `source` object; a label that is not of `[A-Za-z0-9-_.]` is replaced (ABI §11.2 step 4).
    pub(super) fn source<'de, A: MapAccess<'de>>(&mut self, mut map: A) -> Result<(), A::Error> {
        self.source_names = SourceNames::default();
        self.draft.text.push('{');
        let body = self.len();
        loop {
            let is_first = self.len() == body;
            let Some(name) = map.next_key_seed(self.key(Place::Source, is_first))? else { break };
            let from = self.len();
            map.next_value_seed(self.value(Place::Source))?;
            if name == Name::Label && !plain_string(self.text_from(from), NAME_BYTES_MAX).is_some_and(is_label) {
                self.draft.text.truncate(from);
                self.write_own_label();
            }
            self.source_names.set(name, Span::new(from, self.len()));
        }
        if self.source_names.label.is_none() {
            self.draft.text.push_str(if self.len() == body { "\"label\":" } else { ",\"label\":" });
            let from = self.len();
            self.write_own_label();
            self.source_names.set(Name::Label, Span::new(from, self.len()));
        }
        self.draft.text.push('}');
        Ok(())
    }

    fn write_own_label(&mut self) {
        // Writing into a String cannot fail.
        let _ = json::write_string(&mut self.draft.text, self.stamp.source_ref);
    }
}

fn is_label(label: &str) -> bool {
    !label.is_empty() && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'))
}
