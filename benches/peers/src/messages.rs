//! Messages of every definition that is mapped or that mapping needs, with edge values on purpose.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use skiff_pgn_tables::database::{Decimal, integer, list, text};
use skiff_pgn_tables::selection::MAPPED;

use crate::random::Random;

/// Groups of the transport and of the network: nothing of them is mapped, and some carry other groups.
const WITHOUT: [u32; 4] = [59_392, 60_160, 60_416, 126_208];
/// Bytes of a fast packet, and of a single frame, at most.
const BYTES_MAX: [usize; 2] = [223, 8];
/// Addresses that send.
const SOURCES: [u8; 10] = [1, 2, 7, 12, 35, 36, 80, 128, 201, 251];
/// Texts that devices write: padded, cut, with letters beyond ASCII, looking like numbers.
const WORDS: [&str; 12] = [
    "PORT",
    "ALFA",
    "Boat 7",
    "M/V Lady",
    "x",
    "Caf\u{e9}",
    "Sea-Dog",
    "a@b",
    " lead",
    "tail ",
    "1234",
    "A NAME LONGER THAN TWENTY LETTERS",
];

/// A whole message.
pub struct TestMessage {
    /// Parameter group number.
    pub pgn: u32,
    /// Address that sends it.
    pub source: u8,
    /// Address it is for, 255 for all.
    pub destination: u8,
    /// 0 to 7, 0 is the most urgent.
    pub priority: u8,
    /// Its bytes.
    pub payload: Vec<u8>,
    /// It is sent as a fast packet, whatever its length.
    pub is_fast: bool,
}

/// Makes messages of the database's definitions.
pub struct Generator<'a> {
    /// What chooses.
    pub random: Random,
    definitions: Vec<&'a Value>,
    codes: BTreeMap<&'a str, Vec<u64>>,
}

impl<'a> Generator<'a> {
    /// Reads what there is to make messages of.
    ///
    /// # Errors
    /// What the database lacks.
    pub fn new(database: &'a Value, random: Random) -> Result<Self, String> {
        let wanted = |row: &&Value| {
            let pgn = integer(row, "PGN").unwrap_or(0);
            MAPPED.contains(&pgn) && !WITHOUT.contains(&pgn) && row.get("Fallback").is_none()
        };
        let mut codes = BTreeMap::new();
        for (lists, values, code) in [
            ("LookupEnumerations", "EnumValues", "Value"),
            ("LookupFieldTypeEnumerations", "EnumFieldTypeValues", "value"),
        ] {
            for lookup in list(database, lists)? {
                let of_lookup = list(lookup, values)?.iter().filter_map(|row| row.get(code)?.as_u64());
                codes.insert(text(lookup, "Name")?, of_lookup.collect());
            }
        }
        Ok(Self { random, definitions: list(database, "PGNs")?.iter().filter(wanted).collect(), codes })
    }

    /// Returns the number of definitions and of PGNs.
    pub fn size(&self) -> (usize, usize) {
        let groups: BTreeSet<_> = self.definitions.iter().filter_map(|row| integer(row, "PGN").ok()).collect();
        (self.definitions.len(), groups.len())
    }

    /// Makes `count` messages of each definition, mixed; address claims come more often, since others wait for them.
    pub fn messages(&mut self, count: usize) -> Vec<TestMessage> {
        let mut rows = Vec::new();
        for row in self.definitions.clone() {
            let times = if integer(row, "PGN") == Ok(60_928) { 3 * count } else { count };
            rows.extend(std::iter::repeat_n(row, times));
        }
        for index in (1..rows.len()).rev() {
            let other = usize::try_from(self.random.below(index as u64 + 1)).unwrap_or(0);
            rows.swap(index, other);
        }
        rows.into_iter().map(|row| self.message(row)).collect()
    }

    fn message(&mut self, row: &Value) -> TestMessage {
        let pgn = integer(row, "PGN").unwrap_or(0);
        let single = text(row, "Type") == Ok("Single");
        let mut payload = self.payload(row);
        payload.truncate(BYTES_MAX[usize::from(single && pgn != 65_240)]);
        if single && self.random.chance(90) {
            payload.resize(8, 0xff);
        }
        // The peer fills a claim that is cut with ones, and all that follows from the NAME differs.
        if pgn != 60_928 && self.random.chance(5) {
            let kept = self.random.between(1, payload.len().max(1) as u64);
            payload.truncate(usize::try_from(kept).unwrap_or(8));
        }
        if payload.is_empty() {
            payload.push(0xff);
        }
        let addressed = (pgn >> 8) & 0xff < 240;
        TestMessage {
            pgn,
            source: if self.random.chance(2) { 254 } else { self.random.pick(&SOURCES) },
            destination: if addressed { self.random.pick(&[255, 255, 0, 23]) } else { 255 },
            priority: u8::try_from(self.random.between(2, 7)).unwrap_or(6),
            payload,
            is_fast: !single,
        }
    }

    fn payload(&mut self, row: &Value) -> Vec<u8> {
        let fields = list(row, "Fields").unwrap_or_default();
        let size = |key: &str| integer(row, key).map_or(0, |size| size as usize);
        let (first, second) = (size("RepeatingFieldSet1Size"), size("RepeatingFieldSet2Size"));
        let (head, sets) = fields.split_at(fields.len() - first - second);
        let (set1, set2) = sets.split_at(first);
        let most = self.random.pick(&[1, 3, 4]);
        let counts = [self.random.below(most + 1), self.random.below(3)];
        let mut bits = Bits::default();
        for field in head {
            let order = integer(field, "Order").ok();
            let forced = ["RepeatingFieldSet1CountField", "RepeatingFieldSet2CountField"].iter().zip(counts);
            let forced = forced
                .filter(|(key, _)| order.is_some() && integer(row, key).ok() == order)
                .map(|(_, count)| count)
                .next();
            match forced {
                // Now and then a count is not available, or more than there is.
                Some(count) => {
                    let count = if self.random.chance(5) { self.random.pick(&[0xff, count + 1]) } else { count };
                    bits.push(count, integer(field, "BitLength").unwrap_or(8));
                }
                None => self.field(&mut bits, field),
            }
        }
        for (set, count) in [(set1, counts[0]), (set2, counts[1])] {
            for _ in 0..if set.is_empty() { 0 } else { count } {
                set.iter().for_each(|field| self.field(&mut bits, field));
            }
        }
        bits.bytes()
    }

    fn field(&mut self, bits: &mut Bits, field: &Value) {
        let width = integer(field, "BitLength").unwrap_or(0);
        if let Ok(value) = integer(field, "Match") {
            return bits.push(value.into(), width);
        }
        match text(field, "FieldType").unwrap_or_default() {
            "STRING_FIX" | "STRING_LAU" | "STRING_LZ" => self.string(bits, field, width as usize / 8),
            "RESERVED" | "SPARE" if self.random.chance(80) => bits.ones(width),
            "RESERVED" | "SPARE" => self.noise(bits, width),
            "BINARY" if self.random.chance(20) => bits.ones(width),
            "BINARY" => self.noise(bits, width),
            "DECIMAL" => (0..width / 8).for_each(|_| bits.push(self.random.below(100), 8)),
            "FLOAT" => bits.push((self.random.below(1 << 24) as f32 / 1e3).to_bits().into(), 32),
            "LOOKUP" | "DYNAMIC_FIELD_KEY" => self.code(bits, field, width),
            "BITLOOKUP" if self.random.chance(30) => bits.push(0, width),
            "BITLOOKUP" => bits.push(self.random.bits() & self.random.bits(), width),
            "VARIABLE" | "DYNAMIC_FIELD_VALUE" => {
                let count = self.random.pick(&[1, 2, 4]);
                (0..count).for_each(|_| bits.push(self.random.bits(), 8));
            }
            "MMSI" => {
                let mmsi = match self.random.below(20) {
                    0..=14 => self.random.between(200_000_000, 775_999_999),
                    15 | 16 => self.random.between(2_000_000, 9_999_999),
                    17 => self.random.between(970_000_000, 999_999_999),
                    18 => 0,
                    _ => u64::MAX,
                };
                bits.push(mmsi, width);
            }
            "DATE" if self.random.chance(75) => bits.push(self.random.between(14_000, 22_000), width),
            "TIME" if self.random.chance(75) => bits.push(self.random.below(863_990_000), width),
            _ => self.number(bits, field, width),
        }
    }

    fn code(&mut self, bits: &mut Bits, field: &Value, width: u32) {
        let lookup = text(field, "LookupEnumeration").or_else(|_| text(field, "LookupFieldTypeEnumeration"));
        let codes = lookup.ok().and_then(|name| self.codes.get(name)).map_or(&[][..], Vec::as_slice);
        match self.random.below(100) {
            0..78 if !codes.is_empty() => bits.push(self.random.pick(codes), width),
            0..90 => bits.ones(width),
            _ => self.noise(bits, width),
        }
    }

    /// Writes a number: mostly within its range, else one of the codes at its edges, or anything.
    fn number(&mut self, bits: &mut Bits, field: &Value, width: u32) {
        let id = text(field, "Id").unwrap_or_default();
        if id == "alertId" {
            return bits.push(self.random.between(1, 3), width);
        }
        if id.to_ascii_lowercase().ends_with("instance") && width >= 8 && self.random.chance(70) {
            return bits.push(self.random.below(4), width);
        }
        let signed = field.get("Signed").and_then(Value::as_bool) == Some(true) && field.get("Offset").is_none();
        let ones = if width >= 64 { u64::MAX } else { (1 << width) - 1 };
        let not_available = if signed { ones >> 1 } else { ones };
        match self.random.below(100) {
            0..13 => bits.push(not_available, width),
            13..17 => bits.push(not_available.wrapping_sub(1), width),
            17..21 => bits.push(not_available.wrapping_sub(2), width),
            21..27 => bits.push(0, width),
            27..31 => bits.push(if signed { not_available + 1 } else { 1 }, width),
            31..39 => self.noise(bits, width),
            _ => {
                let (min, max) = raw_range(field, not_available);
                let span = u64::try_from(max.saturating_sub(min)).unwrap_or(u64::MAX);
                // Small numbers of a wide range come often on a boat.
                let part = self.random.below(span.saturating_add(1)) >> self.random.pick(&[0, 0, 2, 8]);
                let raw =
                    if signed { i128::from(part) + min.max(-i128::from(span >> 1)) } else { min + i128::from(part) };
                bits.push(u64::try_from(raw & i128::from(u64::MAX)).unwrap_or(0), width);
            }
        }
    }

    fn noise(&mut self, bits: &mut Bits, width: u32) {
        let mut left = width;
        while left > 0 {
            let part = left.min(32);
            bits.push(self.random.bits(), part);
            left -= part;
        }
    }

    fn string(&mut self, bits: &mut Bits, field: &Value, length: usize) {
        let word = self.random.pick(&WORDS);
        let latin: Vec<u8> = word.chars().map(|letter| u8::try_from(u32::from(letter)).unwrap_or(b'?')).collect();
        let ascii: Vec<u8> = latin.iter().map(|byte| if byte.is_ascii() { *byte } else { b'e' }).collect();
        match text(field, "FieldType").unwrap_or_default() {
            "STRING_FIX" => {
                let pad = self.random.pick(&[0x40, 0xff, 0x20, 0x00]);
                let mut bytes = if self.random.chance(15) { vec![self.random.pick(&[0xff, 0])] } else { latin };
                let pad = if bytes.len() == 1 { *bytes.first().unwrap_or(&pad) } else { pad };
                bytes.resize(length, pad);
                bits.bytes_in(&bytes);
            }
            "STRING_LZ" => {
                bits.push(ascii.len() as u64, 8);
                bits.bytes_in(&ascii);
                if length > 0 {
                    (ascii.len() + 1..length).for_each(|_| bits.push(0xff, 8));
                }
            }
            _ => match self.random.below(100) {
                0..12 => bits.bytes_in(&[2, 1]),
                12..20 => {
                    let units: Vec<u8> = word.encode_utf16().flat_map(u16::to_le_bytes).collect();
                    bits.bytes_in(&[units.len() as u8 + 2, 0]);
                    bits.bytes_in(&units);
                }
                chance => {
                    let end: &[u8] = if chance < 35 { &[0] } else { &[] };
                    bits.bytes_in(&[(ascii.len() + end.len()) as u8 + 2, 1]);
                    bits.bytes_in(&ascii);
                    bits.bytes_in(end);
                }
            },
        }
    }
}

/// Returns the raw numbers that the database calls valid.
fn raw_range(field: &Value, not_available: u64) -> (i128, i128) {
    let number = |key| Decimal::of(field, key).ok().flatten();
    let unit = number("Resolution").unwrap_or(Decimal::ONE);
    let offset =
        field.get("Offset").and_then(Value::as_i64).map_or(0, |offset| Decimal::new(offset.into(), 0).raw_floor(unit));
    let min = number("RangeMin").map_or(0, |min| min.raw_ceil(unit) - offset);
    let max = number("RangeMax").map_or(i128::from(not_available), |max| max.raw_floor(unit) - offset);
    (min, max.clamp(min, min.max(i128::from(not_available))))
}

/// Bits in the order of the bus, lowest first.
#[derive(Default)]
struct Bits {
    bytes: Vec<u8>,
    used: u32,
}

impl Bits {
    fn push(&mut self, value: u64, width: u32) {
        for bit in 0..width {
            if self.used == 0 {
                self.bytes.push(0);
            }
            let set = value.checked_shr(bit).unwrap_or(0) & 1;
            if let Some(last) = self.bytes.last_mut() {
                *last |= (set as u8) << self.used;
            }
            self.used = (self.used + 1) % 8;
        }
    }

    fn ones(&mut self, width: u32) {
        (0..width).for_each(|_| self.push(1, 1));
    }

    fn bytes_in(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.push(u64::from(*byte), 8));
    }

    fn bytes(mut self) -> Vec<u8> {
        while self.used != 0 {
            self.push(1, 1);
        }
        self.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn bits_fill_bytes_from_below() {
        let mut bits = Bits::default();
        bits.push(0b101, 3);
        bits.push(0xff, 6);
        assert_eq!(bits.bytes(), [0xfd, 0xff]);
    }

    #[test]
    fn a_seed_repeats_its_messages() {
        let database = json!({
            "LookupEnumerations": [{ "Name": "REF", "EnumValues": [{ "Name": "True", "Value": 0 }] }],
            "LookupFieldTypeEnumerations": [],
            "PGNs": [{ "PGN": 127_250, "Type": "Single", "Fields": [
                { "Id": "heading", "FieldType": "NUMBER", "BitLength": 16, "Resolution": 0.0001, "RangeMin": 0, "RangeMax": 6.5 },
                { "Id": "reference", "FieldType": "LOOKUP", "BitLength": 2, "LookupEnumeration": "REF" },
            ] }],
        });
        let payloads = |seed| {
            let mut generator = Generator::new(&database, Random::new(seed)).unwrap();
            assert_eq!(generator.size(), (1, 1));
            generator.messages(50).into_iter().map(|message| message.payload).collect::<Vec<_>>()
        };
        assert_eq!(payloads(1), payloads(1));
        assert_ne!(payloads(1), payloads(2));
        assert!(payloads(1).iter().all(|payload| (1..=8).contains(&payload.len())));
        assert!(payloads(1).iter().any(|payload| payload.len() < 8));
    }
}
