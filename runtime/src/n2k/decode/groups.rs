//! Repeating sets, and the fields of another PGN that a group function is about.

use super::super::id::Pgn;
use super::super::table::{DefinitionRow, Form, Kind};
use super::Decoded;

/// The groups of a repeating set, each decoded like a message of its own.
///
/// There are as many as the message says, and never more than the payload holds.
#[derive(Clone, Copy)]
pub struct Groups<'a> {
    /// The next group, not walked yet.
    group: Decoded<'a>,
    bit: usize,
    left: u32,
}

impl<'a> Groups<'a> {
    pub(super) fn first(message: &Decoded<'a>) -> Self {
        Self::new(message, 0, message.bit_of(message.fields.len()), message.target)
    }

    pub(super) fn second(message: &Decoded<'a>) -> Self {
        let mut first = Self::first(message);
        while first.next().is_some() {}
        Self::new(message, 1, first.bit, first.group.target)
    }

    fn new(message: &Decoded<'a>, which: usize, bit: usize, target: GroupTarget) -> Self {
        let left = match message.row.set(which) {
            _ if message.is_group => 0,
            None => 0,
            Some(set) if set.count == 0 => u32::MAX,
            Some(set) => usize::from(set.count)
                .checked_sub(1)
                .and_then(|index| message.raw_at(index))
                .and_then(|count| u32::try_from(count).ok())
                .unwrap_or(0),
        };
        let group = Decoded { fields: message.row.set_fields(which), target, is_group: true, ..*message };
        Self { group, bit, left }
    }
}

impl<'a> Iterator for Groups<'a> {
    type Item = Decoded<'a>;

    fn next(&mut self) -> Option<Decoded<'a>> {
        if self.left == 0 || self.bit >= self.group.bits_total() {
            return None;
        }
        self.left -= 1;
        let end = self.group.walk(self.bit);
        if end <= self.bit {
            self.left = 0;
            return None;
        }
        self.bit = end;
        let group = self.group;
        self.group.target.narrow(&group);
        Some(group)
    }
}

/// Tells whether a PGN belongs to a manufacturer (NMEA 2000 main document, table of PGN ranges).
pub(in crate::n2k) fn is_proprietary(pgn: u32) -> bool {
    matches!(pgn, 0xef00 | 0xff00..=0xffff | 0x1_ef00 | 0x1_ff00..=0x1_ffff)
}

/// The definitions that a group function (126208) may be about.
///
/// It names a PGN, and fields of it by number. Where the PGN has several definitions, pairs of number and
/// value that stand in front tell which one is meant.
#[derive(Clone, Copy, Default)]
pub(super) struct GroupTarget {
    pgn: u32,
    rows: &'static [DefinitionRow],
    /// Bit *n*: row *n* is still possible.
    possible: u64,
}

impl GroupTarget {
    pub fn new(pgn: Pgn) -> Self {
        let rows = DefinitionRow::of(pgn);
        let possible = rows.iter().take(64).enumerate().filter(|(_, row)| !row.fallback);
        Self { pgn: pgn.0, rows, possible: possible.fold(0, |all, (index, _)| all | 1 << index) }
    }

    /// Tells whether the PGN belongs to a manufacturer.
    pub fn is_proprietary(&self) -> bool {
        is_proprietary(self.pgn)
    }

    /// Returns what field `number` (from 1) of the PGN is made of; those of repeating sets go on being counted.
    pub fn kind(&self, number: i64) -> Option<&'static Kind> {
        let row = self.rows.get(usize::try_from(self.possible.trailing_zeros()).ok()?)?;
        let index = usize::try_from(number).ok()?.checked_sub(1)?;
        let (fields, head) = (row.fields(), row.head().len());
        let index = match row.set(0) {
            Some(set) if index >= head => head + (index - head).checked_rem(usize::from(set.size))?,
            _ => index,
        };
        let kind = fields.get(index)?.kind();
        Some(kind).filter(|kind| !matches!(kind.form, Form::Variable | Form::KeyValue))
    }

    /// Rules out the definitions that a pair of number and value does not fit.
    fn narrow(&mut self, group: &Decoded<'_>) {
        let Some(number) = group.fields.iter().position(|row| row.kind().form == Form::FieldIndex) else { return };
        let value = group.resolved(number + 1).and_then(|kind| group.bits_at(number + 1, kind));
        let index = group.raw_at(number).and_then(|number| usize::try_from(number).ok()?.checked_sub(1));
        let (Some(value), Some(index)) = (value, index) else { return };
        for (row, bit) in self.rows.iter().zip(0_u32..64) {
            let in_front = row.fields().iter().take(index);
            let at: u32 = in_front.map(|field| u32::from(field.kind().bits)).sum();
            let mut wanted = row.matches().iter().filter(|wanted| u32::from(wanted.bit) == at);
            if index < row.fields().len() && wanted.any(|wanted| u64::from(wanted.value) != value) {
                self.possible &= !(1 << bit);
            }
        }
    }
}
