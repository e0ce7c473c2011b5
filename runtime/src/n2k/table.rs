//! The shape of the generated tables, and searching in them.
//!
//! A definition's row names a run of field rows, a field row names its kind; positions are not stored
//! but walked. All of it is const data: nothing is built at start and nothing is held in RAM. The
//! features `pgn-mapped`, `pgn-all` and `names` say how much of the database is in it.

use super::id::Pgn;
use super::tables::{DEFINITIONS, DYNAMIC, Definition, FAST, FIELDS, Field, KINDS, MATCHES, RANGES, SCALES, SETS};

/// Fields in front of the repeating sets of one definition, or in one set, at most (128538 has as many).
pub(super) const FIELDS_MAX: usize = 32;

/// How the bits of a field are read (`FieldType` of canboat).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// A scaled integer.
    Number,
    /// A code with texts.
    Lookup,
    /// A code whose texts depend on another field.
    Indirect,
    /// One flag a bit.
    Bits,
    /// Days since 1970-01-01.
    Date,
    /// Time of day.
    Time,
    /// A span of time.
    Duration,
    /// A number of IEEE 754, 32 bits.
    Float,
    /// Two decimal digits a byte, the highest pair first.
    Digits,
    /// The 64 bits of an ISO 11783 NAME.
    Name,
    /// Bytes, or as many bits as another field says.
    Bytes,
    /// Text of a fixed length.
    Text,
    /// Text behind its length.
    CountedText,
    /// Text behind its length and a code for its encoding.
    CodedText,
    /// Number of a field of the PGN that the message is about, from 1.
    FieldIndex,
    /// That field's value, in whole bytes.
    Variable,
    /// Says what [`Form::KeyValue`] is made of.
    Key,
    /// Bytes of [`Form::KeyValue`].
    KeyLength,
    /// A value that its key describes.
    KeyValue,
    /// Sent as ones, never read.
    Reserved,
}

impl Form {
    /// Tells whether the bits are an integer, of whatever meaning.
    pub const fn is_number(self) -> bool {
        matches!(
            self,
            Self::Number
                | Self::Lookup
                | Self::Indirect
                | Self::Bits
                | Self::Date
                | Self::Time
                | Self::Duration
                | Self::FieldIndex
                | Self::Key
                | Self::KeyLength
        )
    }
}

/// One kind of field; the numbers point into other tables.
#[derive(Clone, Copy)]
pub(super) struct Kind {
    /// Zero where the length varies.
    pub bits: u16,
    pub form: Form,
    pub signed: bool,
    /// Only there when the PGN that the message is about is a proprietary one.
    pub conditional: bool,
    /// From 1; zero for none.
    lookup: u8,
    range: u8,
    scale: u8,
    /// Another field of the definition that this one needs, from 1; zero for none.
    place: u8,
}

/// Resolution and offset of a number.
#[derive(Clone, Copy)]
pub(super) struct Scale {
    /// Resolution: `mantissa` × 10^`exponent` of the unit.
    pub mantissa: u32,
    /// Added to the raw number before scaling.
    pub offset: i32,
    pub exponent: i8,
    /// Decimals of a value, see [`Kind::value`].
    pub decimals: u8,
}

/// One definition of a PGN: its fields are `count` rows from `first` on.
#[derive(Clone, Copy, Debug)]
pub(super) struct DefinitionRow {
    pub pgn: u32,
    pub definition: Definition,
    first: u16,
    first_match: u16,
    count: u8,
    matches: u8,
    sets: [u8; 2],
    /// Stands for PGNs that have no definition of their own.
    pub fallback: bool,
}

/// One field of a PGN.
#[derive(Clone, Copy, Debug)]
pub(super) struct FieldRow {
    pub field: Field,
    kind: u16,
}

/// Bits that must hold a value for a definition to be the right one.
#[derive(Clone, Copy)]
pub(super) struct MatchRow {
    pub bit: u8,
    pub bits: u8,
    pub value: u16,
}

/// A repeating set.
#[derive(Clone, Copy)]
pub(super) struct SetRow {
    /// Its first field, from 0.
    pub first: u8,
    /// Fields in it.
    pub size: u8,
    /// The field that says how often, from 1; zero: until the payload ends.
    pub count: u8,
}

/// The kind of value that a key names.
#[derive(Clone, Copy)]
pub(super) struct DynamicRow {
    key: u16,
    kind: u16,
    lookup: u8,
}

/// A part of the lookups: rows from lookup `first` on, texts from place `start` on.
pub(super) struct TextPart {
    pub first: u8,
    pub start: u16,
    pub rows: &'static [(u16, u16)],
    pub codes: &'static [(u16, u16)],
    pub texts: &'static str,
}

// Short names, since the generated files call these thousands of times.
#[expect(clippy::too_many_arguments, reason = "one for each column of a generated table")]
pub(super) const fn d(
    pgn: u32,
    definition: Definition,
    first: u16,
    count: u8,
    first_match: u16,
    matches: u8,
    set1: u8,
    set2: u8,
    fallback: bool,
) -> DefinitionRow {
    DefinitionRow { pgn, definition, first, first_match, count, matches, sets: [set1, set2], fallback }
}

pub(super) const fn f(field: Field, kind: u16) -> FieldRow {
    FieldRow { field, kind }
}

#[expect(clippy::too_many_arguments, reason = "one for each column of a generated table")]
pub(super) const fn k(
    form: Form,
    bits: u16,
    signed: bool,
    conditional: bool,
    lookup: u8,
    range: u8,
    scale: u8,
    place: u8,
) -> Kind {
    Kind { bits, form, signed, conditional, lookup, range, scale, place }
}

pub(super) const fn m(bit: u8, bits: u8, value: u16) -> MatchRow {
    MatchRow { bit, bits, value }
}

pub(super) const fn s(first: u8, size: u8, count: u8) -> SetRow {
    SetRow { first, size, count }
}

pub(super) const fn v(lookup: u8, key: u16, kind: u16) -> DynamicRow {
    DynamicRow { key, kind, lookup }
}

pub(super) const fn x(mantissa: u32, exponent: i8, decimals: u8, offset: i32) -> Scale {
    Scale { mantissa, offset, exponent, decimals }
}

impl DefinitionRow {
    /// Returns the definitions of `pgn`, none where the tables do not hold it.
    pub fn of(pgn: Pgn) -> &'static [Self] {
        let first = DEFINITIONS.partition_point(|row| row.pgn < pgn.0);
        let rest = DEFINITIONS.get(first..).unwrap_or_default();
        let count = rest.iter().take_while(|row| row.pgn == pgn.0).count();
        rest.get(..count).unwrap_or_default()
    }

    /// Returns the row of a definition when the tables hold it.
    pub fn find(definition: Definition) -> Option<&'static Self> {
        DEFINITIONS.iter().find(|row| row.definition == definition)
    }

    /// Returns the fields in the order they stand in the payload, those of the repeating sets once.
    pub fn fields(&self) -> &'static [FieldRow] {
        let first = usize::from(self.first);
        FIELDS.get(first..first + usize::from(self.count)).unwrap_or_default()
    }

    /// Returns the fields in front of the repeating sets.
    pub fn head(&self) -> &'static [FieldRow] {
        let fields = self.fields();
        self.set(0).map_or(fields, |set| fields.get(..usize::from(set.first)).unwrap_or_default())
    }

    /// Returns the values that must be there.
    pub fn matches(&self) -> &'static [MatchRow] {
        let first = usize::from(self.first_match);
        MATCHES.get(first..first + usize::from(self.matches)).unwrap_or_default()
    }

    /// Returns the first (0) or second (1) repeating set.
    pub fn set(&self, which: usize) -> Option<&'static SetRow> {
        let number = usize::from(*self.sets.get(which)?);
        SETS.get(number.checked_sub(1)?)
    }

    /// Returns the fields of a repeating set.
    pub fn set_fields(&self, which: usize) -> &'static [FieldRow] {
        let fields = self.set(which).and_then(|set| {
            let first = usize::from(set.first);
            self.fields().get(first..first + usize::from(set.size))
        });
        fields.unwrap_or_default()
    }
}

impl FieldRow {
    /// Returns what the field is made of.
    pub fn kind(&self) -> &'static Kind {
        Kind::at(self.kind)
    }
}

impl Kind {
    fn at(index: u16) -> &'static Self {
        // The generator writes no index past the end; the first kind stands in so that nothing can panic.
        KINDS.get(usize::from(index)).unwrap_or(&KINDS[0])
    }

    /// Returns the lowest and the highest valid raw number.
    pub fn range(&self) -> (i64, i64) {
        RANGES.get(usize::from(self.range)).copied().unwrap_or_default()
    }

    /// Tells whether a raw number is one of the valid ones.
    #[inline(always)]
    pub fn holds(&self, raw: i64) -> bool {
        let (min, max) = self.range();
        (min..=max).contains(&raw)
    }

    /// Returns resolution and offset.
    pub fn scale(&self) -> &'static Scale {
        SCALES.get(usize::from(self.scale)).unwrap_or(&SCALES[0])
    }

    /// Returns the number of the lookup, from 0.
    pub fn lookup(&self) -> Option<u8> {
        self.lookup.checked_sub(1)
    }

    /// Returns which other field this one needs, from 0.
    pub fn place(&self) -> Option<usize> {
        usize::from(self.place).checked_sub(1)
    }

    /// Returns what the value is made of that `key` of this lookup describes.
    pub fn described(&self, key: i64) -> Option<&'static Self> {
        let wanted = (self.lookup, u16::try_from(key).ok()?);
        let index = DYNAMIC.binary_search_by_key(&wanted, |row| (row.lookup, row.key)).ok()?;
        DYNAMIC.get(index).map(|row| Self::at(row.kind))
    }
}

/// Tells whether frames of `pgn` are parts of a fast packet.
///
/// Known for every PGN of the database, also for those that are not decoded.
#[must_use]
pub fn is_fast(pgn: Pgn) -> bool {
    let after = FAST.partition_point(|(first, _)| *first <= pgn.0);
    after.checked_sub(1).and_then(|index| FAST.get(index)).is_some_and(|(_, last)| pgn.0 <= *last)
}

/// Puts two tables one behind the other while compiling.
#[cfg(feature = "pgn-all")]
#[expect(clippy::indexing_slicing, reason = "evaluated while compiling, where a bad index is an error")]
pub(super) const fn joined<T: Copy, const A: usize, const B: usize, const N: usize>(
    first: &[T; A],
    second: &[T; B],
) -> [T; N] {
    let mut out = [first[0]; N];
    let mut index = 0;
    while index < N {
        out[index] = if index < A { first[index] } else { second[index - A] };
        index += 1;
    }
    out
}

/// Puts two tables of definitions together while compiling, ascending by PGN as both are.
#[cfg(feature = "pgn-all")]
#[expect(clippy::indexing_slicing, reason = "evaluated while compiling, where a bad index is an error")]
pub(super) const fn merged<const A: usize, const B: usize, const N: usize>(
    first: &[DefinitionRow; A],
    second: &[DefinitionRow; B],
) -> [DefinitionRow; N] {
    let mut out = [first[0]; N];
    let (mut left, mut right) = (0, 0);
    while left + right < N {
        let take_left = right == B || left < A && first[left].pgn < second[right].pgn;
        out[left + right] = if take_left { first[left] } else { second[right] };
        left += take_left as usize;
        right += !take_left as usize;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::n2k::tables::TEXTS;
    #[cfg(feature = "pgn-all")]
    use std::vec::Vec;

    #[test]
    fn tables_are_sorted_and_closed() {
        assert!(DEFINITIONS.is_sorted_by_key(|row| row.pgn));
        assert!(FAST.is_sorted());
        assert!(DYNAMIC.is_sorted_by_key(|row| (row.lookup, row.key)));
        for row in &DEFINITIONS {
            assert_eq!(row.fields().len(), usize::from(row.count), "{row:?}");
            assert_eq!(row.matches().len(), usize::from(row.matches), "{row:?}");
            assert!(row.head().len() <= FIELDS_MAX, "{row:?}");
            for which in 0..2 {
                assert_eq!(row.sets[which] > 0, !row.set_fields(which).is_empty(), "{row:?}");
                let count = row.set(which).map_or(0, |set| usize::from(set.count));
                assert!(count <= row.head().len(), "{row:?}");
            }
        }
        assert_eq!(DEFINITIONS.iter().map(|row| row.fields().len()).sum::<usize>(), FIELDS.len());
        assert!(FIELDS.iter().all(|row| usize::from(row.kind) < KINDS.len()));
        for kind in &KINDS {
            assert!(usize::from(kind.range) < RANGES.len() && usize::from(kind.scale) < SCALES.len());
            assert!(kind.scale().mantissa > 0 && kind.range().0 <= kind.range().1);
        }
        assert!(DYNAMIC.iter().all(|row| usize::from(row.kind) < KINDS.len()));
        let mut next = (0, 0);
        for part in TEXTS {
            assert_eq!((usize::from(part.first), usize::from(part.start)), next);
            next = (next.0 + part.rows.len(), next.1 + part.texts.len());
        }
    }

    #[test]
    fn every_build_holds_the_mapped_groups() {
        assert!(DEFINITIONS.len() >= 227);
        for pgn in [59_904, 60_928, 65_285, 126_208, 126_720, 127_250, 129_038, 130_820, 130_850] {
            assert!(!DefinitionRow::of(Pgn(pgn)).is_empty(), "{pgn}");
        }
        assert!(DefinitionRow::of(Pgn(1)).is_empty());
    }

    #[cfg(feature = "pgn-all")]
    #[test]
    fn the_whole_database_is_there() {
        let mut pgns: Vec<u32> = DEFINITIONS.iter().map(|row| row.pgn).collect();
        pgns.dedup();
        assert_eq!((pgns.len(), DEFINITIONS.len(), FIELDS.len()), (339, 543, 4178));
    }

    /// Bytes of flash; no row holds a pointer, so that a chip takes the same.
    #[test]
    fn tables_stay_as_small_as_the_architecture_says() {
        let rows = [
            size_of_val(&DEFINITIONS),
            size_of_val(&FIELDS),
            size_of_val(&KINDS),
            size_of_val(&RANGES),
            size_of_val(&SCALES),
            size_of_val(&MATCHES),
            size_of_val(&SETS),
            size_of_val(&DYNAMIC),
            size_of_val(&FAST),
        ];
        let texts = TEXTS.iter().map(|part| size_of_val(part.rows) + size_of_val(part.codes) + part.texts.len());
        #[cfg(feature = "names")]
        let names = crate::n2k::tables::DEFINITION_NAMES.len() + crate::n2k::tables::FIELD_NAMES.len();
        #[cfg(not(feature = "names"))]
        let names = 0;
        let (rows, texts) = (rows.iter().sum::<usize>(), texts.sum::<usize>());
        let max = match (cfg!(feature = "pgn-all"), cfg!(feature = "pgn-mapped")) {
            (true, _) => 81_000,
            (_, true) => 51_000,
            _ => 29_000,
        };
        std::println!("tables: {rows} rows, {texts} texts, {names} names = {}", rows + texts + names);
        assert!(rows + texts <= max && names <= 36_000, "{rows} + {texts}, {names}");
    }

    #[test]
    fn fast_groups_are_known_beyond_the_decoded_ones() {
        for fast in [126_208, 127_489, 129_029, 129_540, 130_820, 130_999, 131_071] {
            assert!(is_fast(Pgn(fast)), "{fast}");
        }
        for single in [0, 59_904, 60_928, 127_250, 129_025, 130_306, 130_312, 131_072] {
            assert!(!is_fast(Pgn(single)), "{single}");
        }
    }
}
