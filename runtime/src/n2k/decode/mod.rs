//! Payload to fields: a walk over the bits along the tables.
//!
//! [`Decoded::new`] picks the definition and finds where each field begins; a field is read when it is
//! asked for. A field is absent when its code says "not available", when it lies outside the database's
//! range at either end, or when the payload ends before it. Nothing is allocated.

mod bits;
mod groups;
mod reading;
#[cfg(test)]
mod tests;

pub use groups::Groups;
pub(super) use groups::is_proprietary;
pub use reading::{Flags, Lookup, Reading};

use self::bits::{extend, read};
use self::groups::GroupTarget;
use super::id::Pgn;
use super::payload::MESSAGE_BYTES_MAX;
use super::table::{DefinitionRow, FIELDS_MAX, FieldRow, Form, Kind};
use super::tables::{Definition, Field};
use super::text::FieldText;
use crate::json::Decimal;
use crate::time::UnixMillis;

/// Letters of the name of an aid to navigation (129041; ITU-R M.1371, message 21); devices send more.
const ATON_NAME_LETTERS: usize = 20;

/// Length and control byte of a text that a device left unset: it has no letters, and what follows begins behind them.
pub(super) const UNSET: (u8, u8) = (0xff, 0xff);

/// The fields of one payload, or of one group of a repeating set.
#[derive(Clone, Copy)]
pub struct Decoded<'a> {
    row: &'static DefinitionRow,
    /// The fields that are in it: of the head, or of one set.
    fields: &'static [FieldRow],
    payload: &'a [u8],
    /// The bit at which each field begins, and the one behind the last.
    at: [u16; FIELDS_MAX + 1],
    /// The PGN that the message is about (126208).
    target: GroupTarget,
    /// A group of a repeating set, which has no sets of its own.
    is_group: bool,
}

/// Milliseconds of one day.
const DAY_MILLIS: i64 = 86_400_000;

impl<'a> Decoded<'a> {
    /// Decodes `payload`; `None` when the tables hold no definition of `pgn` that fits it.
    ///
    /// Where the proprietary codes of several definitions fit, the first in the database's order is taken.
    #[must_use]
    pub fn new(pgn: Pgn, payload: &'a [u8]) -> Option<Self> {
        let row = DefinitionRow::of(pgn).iter().find(|row| !row.fallback && fits(row, payload))?;
        Some(Self::head(row, payload))
    }

    /// Decodes `payload` by the definition that canboat has for all PGNs of a range, such as the proprietary ones:
    /// manufacturer and bytes. `None` where there is none, and without the feature `pgn-all`.
    #[must_use]
    pub fn fallback(pgn: Pgn, payload: &'a [u8]) -> Option<Self> {
        #[cfg(feature = "pgn-all")]
        {
            let ranges = &super::tables::FALLBACKS;
            let (_, _, definition) = ranges.iter().find(|(first, last, _)| (*first..=*last).contains(&pgn.0))?;
            Some(Self::head(DefinitionRow::find(*definition)?, payload))
        }
        #[cfg(not(feature = "pgn-all"))]
        {
            let _ = (pgn, payload);
            None
        }
    }

    // Else it is copied where it is returned.
    #[inline(always)]
    fn head(row: &'static DefinitionRow, payload: &'a [u8]) -> Self {
        let payload = payload.get(..MESSAGE_BYTES_MAX).unwrap_or(payload);
        let mut decoded = Self {
            row,
            fields: row.head(),
            payload,
            at: [0; FIELDS_MAX + 1],
            target: GroupTarget::default(),
            is_group: false,
        };
        decoded.walk(0);
        decoded
    }

    /// Finds where each field begins, the first at bit `start`; returns the bit behind the last.
    fn walk(&mut self, start: usize) -> usize {
        let mut bit = start;
        for (index, row) in self.fields.iter().enumerate().take(FIELDS_MAX) {
            self.set_at(index, bit);
            let kind = row.kind();
            let width = match kind.bits {
                0 => self.varying_width(index, kind, bit),
                _ if self.is_skipped(kind) => 0,
                bits => usize::from(bits),
            };
            bit = bit.saturating_add(width).min(self.bits_total());
            if row.field == Field::Pgn {
                self.target = read(self.payload, self.bit_of(index), 24)
                    .filter(|_| kind.bits == 24)
                    .and_then(|pgn| u32::try_from(pgn).ok())
                    .map_or(GroupTarget::default(), |pgn| GroupTarget::new(Pgn(pgn)));
            }
        }
        self.set_at(self.fields.len(), bit);
        bit
    }

    /// Returns how many bits a field of varying length takes; what cannot be told takes the rest.
    fn varying_width(&self, index: usize, kind: &'static Kind, bit: usize) -> usize {
        let rest = self.bits_total().saturating_sub(bit);
        let counted = |bit| read(self.payload, bit, 8).and_then(|count| usize::try_from(count).ok());
        match kind.form {
            Form::CountedText => counted(bit).map_or(rest, |count| (count + 1) * 8),
            Form::CodedText => match (counted(bit), counted(bit.saturating_add(8))) {
                (Some(count), Some(control)) if [count, control] == [UNSET.0, UNSET.1].map(usize::from) => 16,
                (count, _) => count.map_or(rest, |count| count.max(2) * 8),
            },
            Form::Bytes => self.counted_bits(kind).unwrap_or(0),
            Form::KeyValue => self.key_bytes().map_or_else(|| self.resolved_width(index, bit, rest), |bytes| bytes * 8),
            Form::Variable => self.resolved_width(index, bit, rest),
            _ => 0,
        }
    }

    fn resolved_width(&self, index: usize, bit: usize, rest: usize) -> usize {
        match self.resolved(index) {
            Some(kind) if kind.bits > 0 => usize::from(kind.bits).next_multiple_of(8),
            // A field that is described by another one never is described itself.
            Some(kind) if !matches!(kind.form, Form::Variable | Form::KeyValue) => self.varying_width(index, kind, bit),
            _ => rest,
        }
    }

    /// Returns the bits of a field whose length another field says.
    fn counted_bits(&self, kind: &Kind) -> Option<usize> {
        usize::try_from(self.raw_at(kind.place()?)?).ok()
    }

    /// Returns the length of the key's value where the message says it, in bytes.
    fn key_bytes(&self) -> Option<usize> {
        let index = self.fields.iter().position(|row| row.kind().form == Form::KeyLength)?;
        usize::try_from(self.raw_at(index)?).ok()
    }

    fn is_skipped(&self, kind: &Kind) -> bool {
        kind.conditional && !self.target.is_proprietary()
    }

    fn bits_total(&self) -> usize {
        self.payload.len() * 8
    }

    fn set_at(&mut self, index: usize, bit: usize) {
        if let Some(slot) = self.at.get_mut(index) {
            // A payload has at most 14,280 bits.
            *slot = u16::try_from(bit).unwrap_or(u16::MAX);
        }
    }

    fn bit_of(&self, index: usize) -> usize {
        self.at.get(index).map_or(usize::MAX, |bit| usize::from(*bit))
    }

    /// Returns what a field is made of, also where another field says it.
    fn resolved(&self, index: usize) -> Option<&'static Kind> {
        let kind = self.fields.get(index)?.kind();
        match kind.form {
            Form::Variable => self.target.kind(self.raw_at(index.checked_sub(1)?)?),
            Form::KeyValue => {
                let key = self.fields.iter().position(|row| row.kind().form == Form::Key)?;
                self.fields.get(key)?.kind().described(self.raw_at(key)?)
            }
            _ if self.is_skipped(kind) => None,
            _ => Some(kind),
        }
    }

    /// Returns index and kind of a field that this message or group can have.
    fn entry(&self, field: Field) -> Option<(usize, &'static Kind)> {
        let index = self.fields.iter().position(|row| row.field == field)?;
        Some((index, self.resolved(index)?))
    }

    /// Returns all bits of a field of at most 64, whatever they mean.
    #[inline(always)]
    fn bits_at(&self, index: usize, kind: &Kind) -> Option<u64> {
        let bits = u8::try_from(kind.bits).ok().filter(|bits| (1..=64).contains(bits))?;
        read(self.payload, self.bit_of(index), bits)
    }

    fn raw_at(&self, index: usize) -> Option<i64> {
        self.raw_of(index, self.resolved(index)?)
    }

    #[inline(always)]
    fn raw_of(&self, index: usize, kind: &Kind) -> Option<i64> {
        let bits = self.bits_at(index, kind)?;
        let bytes = u8::try_from(kind.bits).unwrap_or(u8::MAX);
        extend(bits, bytes, kind.signed).filter(|raw| kind.form.is_number() && kind.holds(*raw))
    }

    /// Returns the bytes that belong to a field and are there, of a field that begins with a byte.
    fn bytes_at(&self, index: usize) -> Option<&'a [u8]> {
        let (from, to) = (self.bit_of(index), self.bit_of(index.checked_add(1)?));
        if !from.is_multiple_of(8) {
            return None;
        }
        self.payload.get(from / 8..to / 8).filter(|bytes| !bytes.is_empty())
    }

    /// Returns the definition that fits the payload.
    #[must_use]
    pub fn definition(&self) -> Definition {
        self.row.definition
    }

    /// Returns the PGN of the definition.
    #[must_use]
    pub fn pgn(&self) -> Pgn {
        Pgn(self.row.pgn)
    }

    /// Returns the unscaled number of a field that is there.
    #[must_use]
    pub fn raw(&self, field: Field) -> Option<i64> {
        let (index, kind) = self.entry(field)?;
        self.raw_of(index, kind)
    }

    /// Returns the bits of a field of at most 64 whole bits, without looking at its range: NAMEs, masks.
    #[must_use]
    pub fn bits(&self, field: Field) -> Option<u64> {
        let (index, kind) = self.entry(field)?;
        self.bits_at(index, kind)
    }

    /// Returns the exact value of a field that is there, in the database's unit.
    #[must_use]
    pub fn number(&self, field: Field) -> Option<Decimal> {
        let (index, kind) = self.entry(field)?;
        self.number_of(index, kind)
    }

    fn number_of(&self, index: usize, kind: &Kind) -> Option<Decimal> {
        if kind.form == Form::Digits {
            let pairs = self.bytes_at(index).filter(|bytes| bytes.len() * 8 == usize::from(kind.bits))?;
            let number = pairs.iter().try_fold(0_i64, |sum, pair| {
                sum.checked_mul(100)?.checked_add(i64::from(*pair)).filter(|_| *pair < 100)
            });
            return number.map(|number| Decimal::new(number, 0));
        }
        kind.value(self.raw_of(index, kind)?)
    }

    /// Returns the number of a field of floating point; not one that is no number or infinite.
    #[must_use]
    pub fn float(&self, field: Field) -> Option<f32> {
        let (index, kind) = self.entry(field)?;
        self.float_of(index, kind)
    }

    fn float_of(&self, index: usize, kind: &Kind) -> Option<f32> {
        let bits = self.bits_at(index, kind).filter(|_| kind.form == Form::Float)?;
        Some(f32::from_bits(u32::try_from(bits).ok()?)).filter(|number| number.is_finite())
    }

    /// Returns the text of a code, or the code where the tables have none.
    #[must_use]
    pub fn lookup(&self, field: Field) -> Option<Lookup> {
        let (index, kind) = self.entry(field)?;
        self.lookup_of(index, kind)
    }

    fn lookup_of(&self, index: usize, kind: &Kind) -> Option<Lookup> {
        let raw = self.raw_of(index, kind)?;
        let code = match kind.form {
            Form::Indirect => kind.place().and_then(|place| self.raw_at(place)).map(|other| other << 8 | raw),
            _ => Some(raw),
        };
        Some(code.and_then(|code| kind.text(code)).map_or(Lookup::Code(raw), Lookup::Text))
    }

    /// Returns the text of a code that has one, of every other field that is there the number, as [`lookup`](Self::lookup)
    /// and [`number`](Self::number) give them; one walk, because most values are either.
    pub(super) fn text_or_number(&self, field: Field) -> Option<Result<&'static str, Decimal>> {
        let (index, kind) = self.entry(field)?;
        if (kind.lookup().is_some() || kind.form == Form::Indirect)
            && let Lookup::Text(text) = self.lookup_of(index, kind)?
        {
            return Some(Ok(text));
        }
        Some(Err(kind.value(self.raw_of(index, kind)?)?))
    }

    /// Returns the text of a code that has one.
    #[must_use]
    pub fn text(&self, field: Field) -> Option<&'static str> {
        match self.lookup(field)? {
            Lookup::Text(text) => Some(text),
            Lookup::Code(_) => None,
        }
    }

    /// Returns the flags of a field that is there, whether or not one is set.
    #[must_use]
    pub fn flags(&self, field: Field) -> Option<Flags> {
        let (index, kind) = self.entry(field)?;
        self.bits_at(index, kind).filter(|_| kind.form == Form::Bits).map(|bits| Flags::new(bits, kind))
    }

    /// Returns the text that a device wrote into a field; an empty one is absent.
    #[must_use]
    pub fn string(&self, field: Field) -> Option<FieldText<'a>> {
        let (index, kind) = self.entry(field)?;
        let text = self.string_of(index, kind)?;
        Some(if field == Field::AtonName { text.cut(ATON_NAME_LETTERS) } else { text })
    }

    fn string_of(&self, index: usize, kind: &Kind) -> Option<FieldText<'a>> {
        let bytes = self.bytes_at(index)?;
        match (kind.form, bytes) {
            (Form::Text, bytes) => FieldText::fixed(bytes),
            (Form::CountedText, [count, bytes @ ..]) => {
                FieldText::counted(bytes.get(..usize::from(*count)).unwrap_or(bytes))
            }
            (Form::CodedText, [_, control, bytes @ ..]) => FieldText::coded(*control, bytes),
            _ => None,
        }
    }

    /// Returns the bytes of a field that begins with a byte: binary data, or text as it was sent.
    #[must_use]
    pub fn bytes(&self, field: Field) -> Option<&'a [u8]> {
        let (index, _) = self.entry(field)?;
        self.bytes_at(index)
    }

    /// Returns the point in time of a date and a time of day, and the 0.1 ms below the millisecond.
    #[must_use]
    pub fn instant(&self, date: Field, time: Field) -> Option<(UnixMillis, i64)> {
        let (days, time) = (self.raw(date)?, self.raw(time)?);
        let millis = days.checked_mul(DAY_MILLIS)?.checked_add(time.div_euclid(10))?;
        Some((UnixMillis(millis), time.rem_euclid(10)))
    }

    /// Returns the groups of the first repeating set.
    #[must_use]
    pub fn groups(&self) -> Groups<'a> {
        Groups::first(self)
    }

    /// Returns the groups of the second repeating set.
    #[must_use]
    pub fn second_groups(&self) -> Groups<'a> {
        Groups::second(self)
    }

    /// Returns every field that is there, in the payload's order, those of repeating sets apart.
    pub fn readings(&self) -> impl Iterator<Item = (Field, Reading<'a>)> + '_ {
        self.fields.iter().enumerate().filter_map(|(index, row)| Some((row.field, self.reading(index)?)))
    }

    /// Returns the fields whose code is neither a value nor the one for "not available": outside of the database's
    /// range at either end. What a device means by them is not known, so they are absent.
    pub fn refused(&self) -> impl Iterator<Item = Field> + '_ {
        self.fields.iter().enumerate().filter_map(|(index, row)| {
            let kind = self.resolved(index).filter(|kind| kind.form.is_number())?;
            let bits = self.bits_at(index, kind)?;
            let raw = extend(bits, u8::try_from(kind.bits).ok()?, kind.signed)?;
            (!kind.holds(raw) && raw != kind.not_available()).then_some(row.field)
        })
    }

    fn reading(&self, index: usize) -> Option<Reading<'a>> {
        let kind = self.resolved(index)?;
        Some(match kind.form {
            Form::Lookup | Form::Indirect | Form::Key => Reading::Lookup(self.lookup_of(index, kind)?),
            Form::Bits => Reading::Flags(Flags::new(self.bits_at(index, kind)?, kind)),
            Form::Float => Reading::Float(self.float_of(index, kind)?),
            Form::Name => Reading::Name(self.bits_at(index, kind)?),
            Form::Bytes => match self.bytes_at(index) {
                Some(bytes) => Reading::Bytes(bytes),
                None => Reading::Name(self.bits_at(index, kind)?),
            },
            Form::Text | Form::CountedText | Form::CodedText => Reading::Text(self.string_of(index, kind)?),
            Form::Number
            | Form::Digits
            | Form::Date
            | Form::Time
            | Form::Duration
            | Form::FieldIndex
            | Form::KeyLength => Reading::Number(self.number_of(index, kind)?),
            Form::Variable | Form::KeyValue | Form::Reserved => return None,
        })
    }
}

/// Tells whether a payload holds the values that a definition asks for.
fn fits(row: &DefinitionRow, payload: &[u8]) -> bool {
    let holds = |bit, bits, value| read(payload, usize::from(bit), bits) == Some(u64::from(value));
    row.matches().iter().all(|wanted| holds(wanted.bit, wanted.bits, wanted.value))
}
