//! The database turned into rows: each kind, range, scale and lookup once, in the order of first use.
//!
//! PGNs of every build come first and lookups that the mapping reads come first of all, so that a
//! smaller build takes a prefix of each list and the same numbers mean the same in all of them.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::database::{Decimal, integer, list, text};
use crate::selection::{MAPPED, READ};

/// How many rows of each list belong to the PGNs of every build.
#[derive(Default)]
pub(crate) struct Prefix {
    pub(crate) definitions: usize,
    pub(crate) fields: usize,
    pub(crate) matches: usize,
    pub(crate) sets: usize,
    pub(crate) kinds: usize,
    pub(crate) ranges: usize,
    pub(crate) scales: usize,
    pub(crate) dynamic: usize,
    pub(crate) read_lookups: usize,
    pub(crate) lookups: usize,
}

/// One definition of a PGN.
pub(crate) struct Definition {
    pub(crate) pgn: u32,
    pub(crate) id: String,
    pub(crate) fields: Vec<(String, usize)>,
    pub(crate) first_match: usize,
    pub(crate) matches: usize,
    /// Indices into the sets, from 1.
    pub(crate) sets: [usize; 2],
    pub(crate) fallback: bool,
}

/// A repeating set: its first field, how many fields it has, and the field that counts it, from 1.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Set {
    pub(crate) first: u32,
    pub(crate) size: u32,
    pub(crate) count: u32,
}

/// A field that must hold a value for its definition to be the right one.
pub(crate) struct Match {
    pub(crate) bit: u32,
    pub(crate) bits: u32,
    pub(crate) value: u32,
}

/// What a field is made of; the numbers are indices.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Kind {
    pub(crate) form: &'static str,
    pub(crate) bits: u32,
    pub(crate) signed: bool,
    pub(crate) conditional: bool,
    pub(crate) lookup: Option<usize>,
    pub(crate) range: usize,
    pub(crate) scale: usize,
    /// Another field of the definition that this one needs, from 1.
    pub(crate) place: u32,
}

/// Texts of codes, ascending.
pub(crate) struct Lookup {
    pub(crate) name: String,
    pub(crate) codes: Vec<(u32, String)>,
}

/// Everything the tables are made of.
#[derive(Default)]
pub struct Tables {
    pub(crate) definitions: Vec<Definition>,
    pub(crate) field_ids: BTreeSet<String>,
    pub(crate) matches: Vec<Match>,
    pub(crate) sets: Vec<Set>,
    pub(crate) kinds: Vec<Kind>,
    pub(crate) ranges: Vec<(i64, i64)>,
    /// Resolution, and the offset in raw numbers.
    pub(crate) scales: Vec<(Decimal, i64)>,
    pub(crate) lookups: Vec<Lookup>,
    /// Lookup, key and kind of values that a key in front of them describes.
    pub(crate) dynamic: Vec<(usize, u32, usize)>,
    pub(crate) fast: Vec<(u32, u32)>,
    /// First and last PGN that a fallback definition (by its id) stands for.
    pub(crate) fallbacks: Vec<(u32, u32, String)>,
    pub(crate) prefix: Prefix,
}

/// Collects the whole database.
///
/// # Errors
/// One clause: which fact is missing or beyond what the tables can hold.
pub fn collect(database: &Value) -> Result<Tables, String> {
    let mut tables = Tables::default();
    for name in READ {
        tables.lookup(database, name)?;
    }
    tables.prefix.read_lookups = tables.lookups.len();
    let rows = list(database, "PGNs")?;
    let is_mapped = |row: &&Value| integer(row, "PGN").is_ok_and(|pgn| MAPPED.contains(&pgn));
    for row in rows.iter().filter(is_mapped) {
        tables.definition(database, row)?;
    }
    tables.prefix = Prefix {
        definitions: tables.definitions.len(),
        fields: tables.definitions.iter().map(|row| row.fields.len()).sum(),
        matches: tables.matches.len(),
        sets: tables.sets.len(),
        kinds: tables.kinds.len(),
        ranges: tables.ranges.len(),
        scales: tables.scales.len(),
        dynamic: tables.dynamic.len(),
        lookups: tables.lookups.len(),
        ..tables.prefix
    };
    for row in rows.iter().filter(|row| !is_mapped(row)) {
        tables.definition(database, row)?;
    }
    tables.fast = fast_ranges(database)?;
    for row in rows.iter().filter(|row| is_fallback(row)) {
        if let Some((first, last)) = fallback_range(text(row, "Id")?) {
            tables.fallbacks.push((first, last, text(row, "Id")?.to_owned()));
        }
    }
    Ok(tables)
}

fn index_of<T: PartialEq>(rows: &mut Vec<T>, row: T) -> usize {
    rows.iter().position(|known| *known == row).unwrap_or_else(|| {
        rows.push(row);
        rows.len() - 1
    })
}

impl Tables {
    fn definition(&mut self, database: &Value, row: &Value) -> Result<(), String> {
        let mut fields = Vec::new();
        let first_match = self.matches.len();
        for field in list(row, "Fields")? {
            let kind = self.kind(database, field)?;
            let reserved = matches!(text(field, "FieldType")?, "RESERVED" | "SPARE");
            let id = if reserved { "reserved" } else { text(field, "Id")? };
            self.field_ids.insert(id.to_owned());
            fields.push((id.to_owned(), kind));
            if field.get("Match").is_some() {
                self.matches.push(Match {
                    bit: integer(field, "BitOffset")?,
                    bits: integer(field, "BitLength")?,
                    value: integer(field, "Match")?,
                });
            }
        }
        let mut sets = [0; 2];
        for (set, name) in sets.iter_mut().zip(["RepeatingFieldSet1", "RepeatingFieldSet2"]) {
            if row.get(format!("{name}Size")).is_some() {
                let first = integer(row, &format!("{name}StartField"))? - 1;
                let size = integer(row, &format!("{name}Size"))?;
                let count = integer(row, &format!("{name}CountField")).unwrap_or(0);
                *set = index_of(&mut self.sets, Set { first, size, count }) + 1;
            }
        }
        let matches = self.matches.len() - first_match;
        let (pgn, id) = (integer(row, "PGN")?, text(row, "Id")?.to_owned());
        self.definitions.push(Definition { pgn, id, fields, first_match, matches, sets, fallback: is_fallback(row) });
        Ok(())
    }

    /// Adds the lookup, of whatever sort, and returns its index.
    fn lookup(&mut self, database: &Value, name: &str) -> Result<usize, String> {
        if let Some(known) = self.lookups.iter().position(|known| known.name == name) {
            return Ok(known);
        }
        let sorts = [
            ("LookupEnumerations", "EnumValues", "Value", "Name"),
            ("LookupBitEnumerations", "EnumBitValues", "Bit", "Name"),
            ("LookupFieldTypeEnumerations", "EnumFieldTypeValues", "value", "name"),
            ("LookupIndirectEnumerations", "EnumValues", "", "Name"),
        ];
        for (sort, values, code, label) in sorts {
            let found = list(database, sort)?.iter().find(|row| text(row, "Name") == Ok(name));
            let Some(found) = found else { continue };
            let mut codes = BTreeMap::new();
            for value in list(found, values)? {
                let code = match code {
                    "" => integer(value, "Value1")? << 8 | integer(value, "Value2")?,
                    code => integer(value, code)?,
                };
                codes.insert(code, text(value, label)?.to_owned());
            }
            self.lookups.push(Lookup { name: name.to_owned(), codes: codes.into_iter().collect() });
            let index = self.lookups.len() - 1;
            if sort == "LookupFieldTypeEnumerations" {
                self.dynamic(database, index, list(found, values)?)?;
            }
            return Ok(index);
        }
        Err(format!("no lookup {name}"))
    }

    /// Adds the kinds of values that the keys of a lookup describe.
    fn dynamic(&mut self, database: &Value, lookup: usize, keys: &[Value]) -> Result<(), String> {
        let mut kinds = BTreeMap::new();
        for key in keys {
            let bits: u32 = text(key, "Bits")?.parse().map_err(|_| "the bits of a key are no number")?;
            let mut field = key.clone();
            let all = field.as_object_mut().ok_or("a key is no object")?;
            all.insert("Id".to_owned(), key.get("name").cloned().unwrap_or_default());
            all.insert("BitLength".to_owned(), bits.into());
            all.insert("RangeMin".to_owned(), 0.into());
            // Keys name no range: all codes but the one for "not available".
            let unit = Decimal::of(key, "Resolution")?.map_or(1.0, Decimal::to_f64);
            let all_ones = u32::try_from((1_u64 << bits) - 1).map_err(|_| "a key has more than 32 bits")?;
            all.insert("RangeMax".to_owned(), (f64::from(all_ones) * unit).into());
            kinds.insert(integer(key, "value")?, self.kind(database, &field)?);
        }
        self.dynamic.extend(kinds.into_iter().map(|(key, kind)| (lookup, key, kind)));
        Ok(())
    }

    /// Adds the kind of `field` and returns its index.
    fn kind(&mut self, database: &Value, field: &Value) -> Result<usize, String> {
        let id = text(field, "Id")?;
        let bits = integer(field, "BitLength").unwrap_or(0);
        let form = match text(field, "FieldType")? {
            "NUMBER" | "MMSI" | "PGN" => "Number",
            "LOOKUP" => "Lookup",
            "BITLOOKUP" => "Bits",
            "INDIRECT_LOOKUP" => "Indirect",
            "DATE" => "Date",
            "TIME" => "Time",
            "DURATION" => "Duration",
            "RESERVED" | "SPARE" => "Reserved",
            "STRING_FIX" => "Text",
            "STRING_LZ" => "CountedText",
            "STRING_LAU" => "CodedText",
            "BINARY" => "Bytes",
            "FLOAT" => "Float",
            "DECIMAL" => "Digits",
            "ISO_NAME" => "Name",
            "FIELD_INDEX" => "FieldIndex",
            "VARIABLE" => "Variable",
            "DYNAMIC_FIELD_KEY" => "Key",
            "DYNAMIC_FIELD_LENGTH" => "KeyLength",
            "DYNAMIC_FIELD_VALUE" => "KeyValue",
            other => return Err(format!("field {id} has type {other}, which the decoder does not know yet")),
        };
        let lookup =
            ["LookupEnumeration", "LookupBitEnumeration", "LookupIndirectEnumeration", "LookupFieldTypeEnumeration"]
                .iter()
                .find_map(|key| text(field, key).ok());
        let lookup = lookup.map(|name| self.lookup(database, name)).transpose()?;
        let unit = Decimal::of(field, "Resolution")?.unwrap_or(Decimal::ONE);
        let offset = offset(field, unit);
        // Numbers in excess of an offset are written as signed ones, though their codes are not.
        let signed = field.get("Signed").and_then(Value::as_bool).unwrap_or(false) && offset == 0;
        let has_scale = matches!(form, "Number" | "Date" | "Time" | "Duration");
        let scale = index_of(&mut self.scales, if has_scale { (unit, offset) } else { (Decimal::ONE, 0) });
        let range = self.raw_range(field, form, bits, signed, lookup)?;
        let range = index_of(&mut self.ranges, range);
        let place = integer(field, "BitLengthField").or_else(|_| integer(field, "LookupIndirectEnumerationFieldOrder"));
        let conditional = field.get("Condition").is_some();
        let kind = Kind { form, bits, signed, conditional, lookup, range, scale, place: place.unwrap_or(0) };
        Ok(index_of(&mut self.kinds, kind))
    }

    /// Returns the valid raw numbers of a field, both ends included.
    fn raw_range(
        &self,
        field: &Value,
        form: &str,
        bits: u32,
        signed: bool,
        lookup: Option<usize>,
    ) -> Result<(i64, i64), String> {
        let all_ones = match (bits, signed) {
            (0 | 65.., _) => 0,
            (bits, true) => (1_i128 << (bits - 1)) - 1,
            (bits, false) => (1_i128 << bits) - 1,
        };
        let (min, max) = match form {
            "Lookup" | "Indirect" | "Key" => {
                let codes = lookup.and_then(|index| self.lookups.get(index)).map_or(&[][..], |lookup| &lookup.codes);
                let has_all_ones = form == "Lookup" && codes.iter().any(|(code, _)| i128::from(*code) == all_ones);
                (0, if has_all_ones || bits == 1 { all_ones } else { all_ones - 1 })
            }
            "Bits" => (0, all_ones),
            "Number" | "Date" | "Time" | "Duration" | "FieldIndex" | "KeyLength" => {
                let unit = Decimal::of(field, "Resolution")?.unwrap_or(Decimal::ONE);
                let missing = || format!("field {} has no range", text(field, "Id").unwrap_or_default());
                let min = Decimal::of(field, "RangeMin")?.ok_or_else(missing)?.raw_ceil(unit);
                let max = Decimal::of(field, "RangeMax")?.ok_or_else(missing)?.raw_floor(unit);
                let offset = i128::from(offset(field, unit));
                let (min, max) = (min - offset, max - offset);
                // One bit has no code to spare, and neither have odd widths whose whole range is valid.
                let full = bits == 1 || !bits.is_multiple_of(8) && max >= all_ones;
                let max = if full { max.min(all_ones) } else { max.min(all_ones - 1) };
                // The range of these is written in floating point, which hides the two reserved codes below all ones.
                let max = if signed && bits == 64 { max.min(all_ones - 3) } else { max };
                (min.max(if signed { -all_ones - 1 } else { 0 }), max)
            }
            _ => (0, 0),
        };
        let clamped = |number: i128| i64::try_from(number).unwrap_or(if number < 0 { i64::MIN } else { i64::MAX });
        Ok((clamped(min), clamped(max)))
    }
}

/// Returns the offset of a field as raw numbers; the database counts it in units (127513: 1 + raw × 0.002).
fn offset(field: &Value, unit: Decimal) -> i64 {
    let offset = field.get("Offset").and_then(Value::as_i64).unwrap_or(0);
    i64::try_from(Decimal::new(offset.into(), 0).raw_floor(unit)).unwrap_or(0)
}

fn is_fallback(row: &Value) -> bool {
    row.get("Fallback").and_then(Value::as_bool) == Some(true)
}

/// Fallback definitions name their PGNs in their ids: `0x1ff000x1ffff…`, or one, `0xef00…`.
fn fallback_range(id: &str) -> Option<(u32, u32)> {
    let hex = |part: &str| {
        let digits = if part.starts_with('1') { 5 } else { 4 };
        u32::from_str_radix(part.get(..digits)?, 16).ok()
    };
    let mut bounds = id.split("0x").skip(1);
    let first = hex(bounds.next()?)?;
    Some((first, bounds.next().map_or(Some(first), hex)?))
}

/// Returns the PGNs sent as fast packets, as ranges of neighbours.
///
/// All of a fallback's range that has no definition of its own is as the fallback says.
fn fast_ranges(database: &Value) -> Result<Vec<(u32, u32)>, String> {
    let mut fast = BTreeMap::new();
    let definitions = list(database, "PGNs")?;
    for definition in definitions.iter().filter(|row| !is_fallback(row)) {
        let pgn = integer(definition, "PGN")?;
        let is_fast = text(definition, "Type")? == "Fast";
        if fast.insert(pgn, is_fast).is_some_and(|other| other != is_fast) {
            return Err(format!("PGN {pgn} is defined both as a single frame and as a fast packet"));
        }
    }
    for definition in definitions.iter().filter(|row| is_fallback(row) && text(row, "Type") == Ok("Fast")) {
        let Some((first, last)) = fallback_range(text(definition, "Id")?) else { continue };
        // Below 0x1f000 the low byte is the destination, so PGNs step by 256.
        for pgn in (first..=last).filter(|pgn| *pgn >= 0x1_f000 || pgn % 256 == 0) {
            fast.entry(pgn).or_insert(true);
        }
    }
    let mut ranges: Vec<(u32, u32)> = Vec::new();
    for (pgn, _) in fast.into_iter().filter(|(_, is_fast)| *is_fast) {
        match ranges.last_mut() {
            Some(range) if range.1 + 1 == pgn => range.1 = pgn,
            _ => ranges.push((pgn, pgn)),
        }
    }
    Ok(ranges)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fallbacks_name_their_groups_in_their_ids() {
        assert_eq!(fallback_range("0x1ff000x1ffffManufacturer"), Some((0x1_ff00, 0x1_ffff)));
        assert_eq!(fallback_range("0xe8000xee00Standardized"), Some((0xe800, 0xee00)));
        assert_eq!(fallback_range("0xef00Manufacturer"), Some((0xef00, 0xef00)));
        assert_eq!(fallback_range("vesselHeading"), None);
    }
}
