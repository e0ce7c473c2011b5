//! Takes a delta from a plugin or a client and stamps it with what its sender left out.
//!
//! The steps are those of the plugin ABI, §11.2: context, source, `$source`, time stamp; members
//! the sender gave keep their order, added ones follow. Updates that carry nothing are dropped.
//!
//! Foreign text is read once: a [`Node`] visits each object and array whose meaning is known here and writes it,
//! compact and indexed, as it goes; everything below is left to [`Compact`]. What turns out to be of no use is cut off
//! again. Only where a member of an update stands twice does the last one decide, and then the text is read again with
//! the decisions of [`repeats::kept`].

mod entry;
mod repeats;
mod source;
mod update;
mod visit;

use alloc::string::String;
use alloc::vec::Vec;

use serde::de::{DeserializeSeed, MapAccess, SeqAccess};

use repeats::Repeats;
use source::SourceNames;
use visit::{Key, Name, Node, Place};

use super::{DELTA_BYTES_MAX, Delta, DeltaError, Draft, Entry, NAME_BYTES_MAX, PathError, Span, is_plain};
use crate::json::{Compact, JsonError};
use crate::time::UnixMillis;

/// What is written into a delta where its sender said nothing.
#[derive(Clone, Copy, Debug)]
pub struct Stamp<'a> {
    /// `$source` of an update that names none: the plugin's package name, a client's identity.
    pub source_ref: &'a str,
    /// Full context of the own vessel, `vessels.urn:…`.
    pub self_context: &'a str,
    /// Time stamp of an update that has none; [`UnixMillis::UNKNOWN`] leaves it without.
    pub now: UnixMillis,
}

impl Delta {
    /// Parses delta text and completes it with `stamp`.
    ///
    /// # Errors
    /// [`DeltaError`] when it is no delta, exceeds a limit, or nothing of it is left.
    pub fn parse(text: &str, stamp: &Stamp<'_>) -> Result<Self, DeltaError> {
        if text.len() > DELTA_BYTES_MAX {
            return Err(DeltaError::TooLong { bytes: text.len() });
        }
        match Self::parse_message(text, stamp, &mut |_, _| {}) {
            Ok(Some(delta)) => delta,
            Ok(None) | Err(JsonError::WrongKind) => Err(DeltaError::Shape),
            Err(error) => Err(DeltaError::Json(error)),
        }
    }

    /// Parses a message that may be a delta: gives each member but `updates` to `other`, its value as compact text.
    ///
    /// `None` is a message without `updates`. The caller limits its length.
    ///
    /// # Errors
    /// [`JsonError`] when it is not a JSON object.
    pub(crate) fn parse_message(
        text: &str,
        stamp: &Stamp<'_>,
        other: &mut dyn FnMut(&str, &str),
    ) -> Result<Option<Result<Self, DeltaError>>, JsonError> {
        let mut reading = Reading::new(text, Repeats::Watched { seen: 0, found: false }, stamp, other);
        reading.read(text)?;
        if !matches!(reading.repeats, Repeats::Watched { found: true, .. }) {
            return Ok(reading.finish());
        }
        drop(reading);
        let repeats = Repeats::Decided { kept: repeats::kept(text), next: 0 };
        let mut heard = |_: &str, _: &str| {};
        let mut reading = Reading::new(text, repeats, stamp, &mut heard);
        reading.read(text)?;
        Ok(reading.finish())
    }
}

/// Returns the inside of a JSON string that holds no escape and at most `limit` bytes.
pub(super) fn plain_string(raw: &str, limit: usize) -> Option<&str> {
    let inside = raw.strip_prefix('"')?.strip_suffix('"')?;
    (inside.len() <= limit && is_plain(inside)).then_some(inside)
}

/// The context of a delta.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Context {
    /// The own vessel: `vessels.self`, empty, `null` or not said.
    Own,
    Given,
    /// Not a text, too long or with escapes.
    Refused,
}

impl Context {
    fn of(raw: &str) -> Self {
        match raw {
            "null" | "\"\"" | "\"vessels.self\"" => Self::Own,
            raw if plain_string(raw, NAME_BYTES_MAX).is_some() => Self::Given,
            _ => Self::Refused,
        }
    }
}

/// `updates` so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Updates {
    Missing,
    Read,
    /// Not an array.
    Refused,
}

/// A delta while its text is read.
struct Reading<'a> {
    stamp: &'a Stamp<'a>,
    draft: Draft,
    context: Context,
    /// A context that stands behind the updates.
    late_context: Option<String>,
    updates: Updates,
    too_many_entries: bool,
    /// Why an entry was refused for its path.
    refused: Option<PathError>,
    /// Meta entries of the update at hand: values are indexed before them, whatever the sender's order.
    meta: Vec<Entry>,
    source_names: SourceNames,
    repeats: Repeats,
    other: &'a mut dyn FnMut(&str, &str),
}

/// What stands before the context.
const LEAD: &str = "{\"context\":";

impl<'a> Reading<'a> {
    fn new(text: &str, repeats: Repeats, stamp: &'a Stamp<'a>, other: &'a mut dyn FnMut(&str, &str)) -> Self {
        let mut draft = Draft::default();
        draft.text.reserve(text.len().saturating_add(128));
        draft.text.push_str(LEAD);
        Self {
            stamp,
            draft,
            context: Context::Own,
            late_context: None,
            updates: Updates::Missing,
            too_many_entries: false,
            refused: None,
            meta: Vec::new(),
            source_names: SourceNames::default(),
            repeats,
            other,
        }
    }

    fn read(&mut self, text: &str) -> Result<(), JsonError> {
        let mut de = serde_json::Deserializer::from_str(text);
        let is_object = Node { reading: self, place: Place::Delta }.deserialize(&mut de)?;
        de.end()?;
        if is_object { Ok(()) } else { Err(JsonError::WrongKind) }
    }

    fn finish(mut self) -> Option<Result<Delta, DeltaError>> {
        let refused = match self.updates {
            Updates::Missing => return None,
            Updates::Refused => Some(DeltaError::Shape),
            Updates::Read if self.context == Context::Refused => Some(DeltaError::Shape),
            Updates::Read if self.too_many_entries => Some(DeltaError::TooManyEntries),
            Updates::Read => None,
        };
        if let Some(error) = refused {
            return Some(Err(error));
        }
        if let Some(late) = self.late_context {
            let context = if self.context == Context::Given { &*late } else { self.stamp.self_context };
            self.draft.replace_context(context);
        }
        let refused = self.refused.map(DeltaError::Path);
        Some(self.draft.finish().map_err(|error| refused.filter(|_| error == DeltaError::Empty).unwrap_or(error)))
    }

    fn node(&mut self, place: Place) -> Node<'_, 'a> {
        Node { reading: self, place }
    }

    /// Reads any value that stands in `place`.
    fn value(&mut self, place: Place) -> Compact<'_> {
        Compact { out: &mut self.draft.text, depth: place.depth() + 1 }
    }

    fn key(&mut self, place: Place, is_first: bool) -> Key<'_> {
        Key { out: &mut self.draft.text, place, is_first }
    }

    fn len(&self) -> usize {
        self.draft.text.len()
    }

    fn text_from(&self, from: usize) -> &str {
        self.draft.text.get(from..).unwrap_or_default()
    }

    fn delta<'de, A: MapAccess<'de>>(&mut self, mut map: A) -> Result<(), A::Error> {
        loop {
            let mark = self.len();
            let Some(name) = map.next_key_seed(self.key(Place::Delta, true))? else { return Ok(()) };
            if name == Name::Updates {
                self.begin_updates();
                let is_list = map.next_value_seed(self.node(Place::Updates))?;
                self.end_updates(is_list);
                continue;
            }
            let from = self.len();
            map.next_value_seed(self.value(Place::Delta))?;
            let text = &mut self.draft.text;
            let (key, value) = (text.get(mark..from).unwrap_or_default(), text.get(from..).unwrap_or_default());
            let key = if name == Name::Context { "context" } else { key };
            (self.other)(key, value);
            if name != Name::Context {
                text.truncate(mark);
                continue;
            }
            self.context = Context::of(value);
            if self.updates == Updates::Missing {
                // The last one is it.
                text.drain(LEAD.len()..from);
            } else {
                self.late_context = Some(plain_string(value, NAME_BYTES_MAX).unwrap_or_default().into());
                text.truncate(mark);
            }
        }
    }

    fn begin_updates(&mut self) {
        let draft = &mut self.draft;
        if self.updates == Updates::Missing {
            if self.context == Context::Given {
                draft.context = Span::new(LEAD.len() + 1, draft.text.len() - 1);
            } else {
                draft.text.truncate(LEAD.len());
                draft.text.push('"');
                let from = draft.text.len();
                draft.text.push_str(self.stamp.self_context);
                draft.context = Span::new(from, draft.text.len());
                draft.text.push('"');
            }
        } else {
            // The last one is it.
            draft.text.truncate(draft.context.to as usize + 1);
            draft.updates.clear();
            draft.entries.clear();
            self.too_many_entries = false;
        }
        draft.text.push_str(",\"updates\":");
        let from = draft.text.len();
        draft.updates_text = Span::new(from, from);
        self.repeats.begin_updates();
    }

    fn end_updates(&mut self, is_list: bool) {
        self.updates = if is_list { Updates::Read } else { Updates::Refused };
        let draft = &mut self.draft;
        draft.updates_text = Span::new(draft.updates_text.from as usize, draft.text.len());
        draft.text.push('}');
    }

    fn updates<'de, A: SeqAccess<'de>>(&mut self, mut seq: A) -> Result<(), A::Error> {
        self.draft.text.push('[');
        loop {
            let mark = self.len();
            match seq.next_element_seed(self.node(Place::Update))? {
                Some(true) => {}
                Some(false) => self.draft.text.truncate(mark),
                None => break,
            }
        }
        self.draft.text.push(']');
        Ok(())
    }
}

#[cfg(test)]
mod tests;
