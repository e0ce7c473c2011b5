//! What the JSON reader calls: each object and array whose meaning is known, and the names of members.

use alloc::string::String;
use core::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use super::Reading;
use crate::delta::{ENTRY_DEPTH, List};
use crate::json::{self, Compact};

/// What a [`Node`] reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    Delta,
    Updates,
    Update,
    Source,
    Entries(List),
    Entry(List),
}

impl Place {
    /// Objects and arrays around it.
    pub(super) const fn depth(self) -> usize {
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
pub(super) enum Name {
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

/// Reads one value of a delta; tells whether it was of the kind its place needs, and usable.
///
/// What it was not is cut off by whoever reads around it.
pub(super) struct Node<'r, 'a> {
    pub(super) reading: &'r mut Reading<'a>,
    pub(super) place: Place,
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
pub(super) struct Key<'r> {
    pub(super) out: &'r mut String,
    pub(super) place: Place,
    pub(super) is_first: bool,
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
