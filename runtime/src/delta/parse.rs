//! Takes a delta from a plugin or a client and stamps it with what its sender left out.
//!
//! The steps are those of the plugin ABI, §11.2: context, source, `$source`, time stamp; members
//! the sender gave keep their order, added ones follow. Updates that carry nothing are dropped.
//!
//! Foreign text is read once: a [`Node`] visits each object and array whose meaning is known here and writes it,
//! compact and indexed, as it goes; everything below is left to [`Compact`]. What turns out to be of no use is cut off
//! again. Only where a member of an update stands twice does the last one decide, and then the text is read again with
//! the decisions of [`repeated::kept`].

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use super::{
    DELTA_BYTES_MAX, DELTA_ENTRIES_MAX, Delta, DeltaError, Draft, ENTRY_DEPTH, Entry, List, NAME_BYTES_MAX, PATH_BYTES_MAX, Span,
    UpdateIndex, is_plain, repeated,
};
use crate::json::{self, Compact, JsonError};
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
        let repeats = Repeats::Decided { kept: repeated::kept(text), next: 0 };
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

/// What a [`Node`] reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Delta,
    Updates,
    Update,
    Source,
    Entries(List),
    Entry(List),
}

impl Place {
    /// Objects and arrays around it.
    const fn depth(self) -> usize {
        match self {
            Self::Delta => 0,
            Self::Updates => 1,
            Self::Update => 2,
            Self::Source | Self::Entries(_) => 3,
            Self::Entry(_) => ENTRY_DEPTH,
        }
    }
}

/// A member whose meaning is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Name {
    Other,
    // Of a delta.
    Context,
    Updates,
    // Of an update.
    Source,
    SourceRef,
    Timestamp,
    Values,
    Meta,
    // Of an entry.
    Path,
    Value,
    // Of a source.
    Label,
    Can,
    Src,
    Type,
    Talker,
}

impl Name {
    fn of(place: Place, key: &str) -> Self {
        match (place, key) {
            (Place::Delta, "context") => Self::Context,
            (Place::Delta, "updates") => Self::Updates,
            (Place::Update, "source") => Self::Source,
            (Place::Update, "$source") => Self::SourceRef,
            (Place::Update, "timestamp") => Self::Timestamp,
            (Place::Update, "values") => Self::Values,
            (Place::Update, "meta") => Self::Meta,
            (Place::Entry(_), "path") => Self::Path,
            (Place::Entry(_), "value") => Self::Value,
            (Place::Source, "label") => Self::Label,
            (Place::Source, "canName") => Self::Can,
            (Place::Source, "src") => Self::Src,
            (Place::Source, "type") => Self::Type,
            (Place::Source, "talker") => Self::Talker,
            _ => Self::Other,
        }
    }
}

/// Where a `source` object says whom it is about: JSON texts of its members.
#[derive(Clone, Copy, Debug, Default)]
struct SourceNames {
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
    fn source_ref(&self, text: &str, stamp: &Stamp<'_>) -> String {
        let of = |span: Option<Span>| {
            let raw = span?.of(text);
            plain_string(raw, NAME_BYTES_MAX).or_else(|| raw.bytes().all(|byte| byte.is_ascii_digit()).then_some(raw))
        };
        let label = of(self.label).unwrap_or(stamp.source_ref);
        match of(self.can_name).or_else(|| of(self.src)) {
            Some(suffix) => [label, ".", suffix].concat(),
            None if of(self.kind) == Some("plugin") => label.into(),
            None => [label, ".", of(self.talker).unwrap_or("XX")].concat(),
        }
    }
}

/// Whom a delta is about.
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

/// Which of the members that can stand once in an update are kept.
#[derive(Debug)]
enum Repeats {
    /// Each that is usable; `seen` has a bit for each name in the update at hand, `found` tells that one stands twice.
    Watched { seen: u8, found: bool },
    /// The text is known: as decided, in its order.
    Decided { kept: Vec<bool>, next: usize },
}

impl Repeats {
    fn begin_updates(&mut self) {
        match self {
            Self::Watched { found, .. } => *found = false,
            Self::Decided { next, .. } => *next = 0,
        }
    }

    fn begin_update(&mut self) {
        if let Self::Watched { seen, .. } = self {
            *seen = 0;
        }
    }

    fn keeps(&mut self, name: Name, is_usable: bool) -> bool {
        match self {
            Self::Watched { seen, found } => {
                let bit = match name {
                    Name::Source => 1,
                    Name::SourceRef => 2,
                    Name::Timestamp => 4,
                    _ => 8,
                };
                *found |= *seen & bit != 0;
                *seen |= bit;
                is_usable
            }
            Self::Decided { kept, next } => {
                let keeps = kept.get(*next).copied().unwrap_or_default();
                *next = next.saturating_add(1);
                keeps
            }
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
        Some(self.draft.finish())
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

    /// Writes the members in the sender's order and the missing ones after them; false when nothing is left.
    fn update<'de, A: MapAccess<'de>>(&mut self, mut map: A) -> Result<bool, A::Error> {
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

    /// Writes a `source` object; a label that is not of `[A-Za-z0-9-_.]` is replaced (ABI §11.2 step 4).
    fn source<'de, A: MapAccess<'de>>(&mut self, mut map: A) -> Result<(), A::Error> {
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

    /// Writes `[{"path","value"}…]`; false when an entry is malformed (ABI §11.2 step 3).
    fn entries<'de, A: SeqAccess<'de>>(&mut self, mut seq: A, list: List) -> Result<bool, A::Error> {
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
    fn entry<'de, A: MapAccess<'de>>(&mut self, mut map: A, list: List) -> Result<bool, A::Error> {
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
        if refused_segment(inside) {
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

fn entry_count(draft: &Draft) -> u32 {
    u32::try_from(draft.entries.len()).unwrap_or(u32::MAX)
}

/// Names that would reach into a JavaScript client's prototypes (ABI §11.3).
pub(super) fn refused_segment(path: &str) -> bool {
    path.split('.').any(|segment| matches!(segment, "__proto__" | "constructor" | "prototype"))
}

fn is_label(label: &str) -> bool {
    !label.is_empty() && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'))
}

/// Reads one value of a delta; tells whether it was of the kind its place needs, and usable.
///
/// What it was not is cut off by whoever reads around it.
struct Node<'r, 'a> {
    reading: &'r mut Reading<'a>,
    place: Place,
}

impl Node<'_, '_> {
    /// Reads what has another form than this place needs.
    fn stray(&mut self) -> Compact<'_> {
        Compact { out: &mut self.reading.draft.text, depth: self.place.depth() }
    }
}

impl<'de> DeserializeSeed<'de> for Node<'_, '_> {
    type Value = bool;

    fn deserialize<D: Deserializer<'de>>(self, de: D) -> Result<bool, D::Error> {
        de.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Node<'_, '_> {
    type Value = bool;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a delta")
    }

    fn visit_unit<E>(self) -> Result<bool, E> {
        Ok(false)
    }

    fn visit_bool<E>(self, _: bool) -> Result<bool, E> {
        Ok(false)
    }

    fn visit_u64<E: Error>(self, _: u64) -> Result<bool, E> {
        Ok(false)
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<bool, E> {
        Ok(false)
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<bool, E> {
        Ok(false)
    }

    fn visit_str<E: Error>(self, _: &str) -> Result<bool, E> {
        Ok(false)
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, seq: A) -> Result<bool, A::Error> {
        match self.place {
            Place::Updates => self.reading.updates(seq).map(|()| true),
            Place::Entries(list) => self.reading.entries(seq, list),
            _ => self.stray().visit_seq(seq).map(|()| false),
        }
    }

    fn visit_map<A: MapAccess<'de>>(mut self, map: A) -> Result<bool, A::Error> {
        match self.place {
            Place::Delta => self.reading.delta(map).map(|()| true),
            Place::Update => self.reading.update(map),
            Place::Source => self.reading.source(map).map(|()| true),
            Place::Entry(list) => self.reading.entry(map, list),
            Place::Updates | Place::Entries(_) => self.stray().visit_map(map).map(|()| false),
        }
    }
}

/// Reads the name of a member, and writes it where its place keeps all members.
struct Key<'r> {
    out: &'r mut String,
    place: Place,
    is_first: bool,
}

impl<'de> DeserializeSeed<'de> for Key<'_> {
    type Value = Name;

    fn deserialize<D: Deserializer<'de>>(self, de: D) -> Result<Name, D::Error> {
        de.deserialize_str(self)
    }
}

impl Visitor<'_> for Key<'_> {
    type Value = Name;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object key")
    }

    fn visit_str<E: Error>(self, key: &str) -> Result<Name, E> {
        let name = Name::of(self.place, key);
        match self.place {
            Place::Update | Place::Source => {
                if !self.is_first {
                    self.out.push(',');
                }
                match name {
                    // Most members of all deltas.
                    Name::Values => self.out.push_str("\"values\":"),
                    _ => {
                        json::write_string(self.out, key).map_err(E::custom)?;
                        self.out.push(':');
                    }
                }
            }
            // Its reader hands it on.
            Place::Delta if name == Name::Other => self.out.push_str(key),
            _ => {}
        }
        Ok(name)
    }
}

#[cfg(test)]
mod tests;
