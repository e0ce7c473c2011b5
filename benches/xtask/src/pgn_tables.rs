//! Generates `runtime/src/n2k/tables.rs` from canboat's PGN database.
//!
//! The database comes out of one pinned npm package. Only facts go into the table (numbers, field
//! ids, lookup texts), under canboat's own notice; its prose stays outside. Widen [`MAPPED`] to
//! decode more PGNs. `--check` compares instead of writing, `--tarball FILE` works without a network.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use sha2::{Digest, Sha256};

/// PGNs whose fields are decoded, encoded and mapped; ascending.
const MAPPED: [u32; 79] = [
    65_005, 65_006, 65_007, 65_008, 65_009, 65_010, 65_011, 65_012, 65_013, 65_014, 65_015, 65_016, 65_017, 65_018,
    65_019, 65_020, 65_021, 65_022, 65_023, 65_024, 65_025, 65_026, 65_027, 65_028, 65_029, 65_030, 126_983, 126_992,
    127_237, 127_245, 127_250, 127_251, 127_257, 127_258, 127_488, 127_489, 127_493, 127_497, 127_501, 127_505,
    127_506, 127_507, 127_508, 127_509, 127_510, 127_511, 127_513, 127_744, 127_745, 127_746, 127_750, 127_751,
    128_259, 128_267, 128_275, 129_025, 129_026, 129_029, 129_038, 129_039, 129_040, 129_041, 129_283, 129_284,
    129_291, 129_793, 129_794, 129_798, 129_809, 129_810, 130_306, 130_310, 130_311, 130_312, 130_313, 130_314,
    130_316, 130_567, 130_577,
];

/// The package that carries the database which the peer decodes with.
const PACKAGE: &str = "@canboat/ts-pgns@1.11.18";
/// SHA-256 of that package's tarball.
const TARBALL_SHA256: &str = "95262e3aedd09d0acd9ced6b945e7af2a9b5755eb0867fbe74130a2ae434ca77";
/// Version key of the database inside.
const DATABASE_VERSION: &str = "6.2.0";
/// What is generated, from the top of the workspace.
const OUTPUT: &str = "runtime/src/n2k/tables.rs";

/// Runs `xtask pgn-tables [--check] [--tarball FILE]`.
///
/// # Errors
/// One clause: which argument, file or fact is wrong.
pub fn run(arguments: &[String]) -> Result<(), String> {
    let mut check = false;
    let mut tarball = None;
    let mut rest = arguments.iter();
    while let Some(argument) = rest.next() {
        match argument.as_str() {
            "--check" => check = true,
            "--tarball" => tarball = Some(PathBuf::from(rest.next().ok_or("--tarball needs a file")?)),
            other => return Err(format!("unknown argument {other}; known are --check and --tarball FILE")),
        }
    }
    let top =
        Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).ok_or("the workspace is not where it was built")?;
    let database = database(top, tarball)?;
    let generated = generate(&database)?;
    let output = top.join(OUTPUT);
    if !check {
        fs::write(&output, &generated).map_err(|error| format!("cannot write {OUTPUT}: {error}"))?;
        println!("{OUTPUT}: {} bytes", generated.len());
        return Ok(());
    }
    let present = fs::read_to_string(&output).map_err(|error| format!("cannot read {OUTPUT}: {error}"))?;
    if present == generated {
        println!("{OUTPUT} is what {PACKAGE} gives");
        return Ok(());
    }
    let line = present.lines().zip(generated.lines()).take_while(|(left, right)| left == right).count() + 1;
    Err(format!("{OUTPUT} differs from what {PACKAGE} gives, first in line {line}; run `cargo xtask pgn-tables`"))
}

/// Fetches the tarball where none is given, checks it, and reads the database out of it.
fn database(top: &Path, tarball: Option<PathBuf>) -> Result<Value, String> {
    let tarball = match tarball {
        Some(tarball) => tarball,
        None => fetch(&top.join("target/pgn-tables"))?,
    };
    let bytes = fs::read(&tarball).map_err(|error| format!("cannot read {}: {error}", tarball.display()))?;
    let found = Sha256::digest(&bytes).iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    });
    if found != TARBALL_SHA256 {
        return Err(format!("{} has SHA-256 {found}, pinned is {TARBALL_SHA256}", tarball.display()));
    }
    let json = output(Command::new("tar").arg("-xzOf").arg(&tarball).arg("package/canboat.json"))?;
    let database: Value =
        serde_json::from_slice(&json).map_err(|error| format!("canboat.json in {PACKAGE} is not JSON: {error}"))?;
    let version = text(&database, "Version")?;
    if version != DATABASE_VERSION {
        return Err(format!("database is version {version}, wanted is {DATABASE_VERSION}"));
    }
    Ok(database)
}

fn fetch(folder: &Path) -> Result<PathBuf, String> {
    fs::create_dir_all(folder).map_err(|error| format!("cannot create {}: {error}", folder.display()))?;
    let listing = output(Command::new("npm").args(["pack", "--silent", PACKAGE]).current_dir(folder))?;
    let listing = String::from_utf8_lossy(&listing);
    let name = listing.lines().last().ok_or_else(|| format!("npm pack {PACKAGE} named no file"))?;
    Ok(folder.join(name.trim()))
}

fn output(command: &mut Command) -> Result<Vec<u8>, String> {
    let name = command.get_program().to_string_lossy().into_owned();
    let run = command.output().map_err(|error| format!("cannot run {name}: {error}"))?;
    if run.status.success() {
        return Ok(run.stdout);
    }
    let error = String::from_utf8_lossy(&run.stderr);
    Err(format!("{name} failed: {}", error.lines().last().unwrap_or("no message")))
}

fn text<'a>(value: &'a Value, key: &str) -> Result<&'a str, String> {
    value.get(key).and_then(Value::as_str).ok_or_else(|| format!("no text {key} in {}", shortened(value)))
}

fn integer(value: &Value, key: &str) -> Result<u32, String> {
    let number = value.get(key).and_then(Value::as_u64).and_then(|number| u32::try_from(number).ok());
    number.ok_or_else(|| format!("no number {key} in {}", shortened(value)))
}

fn list<'a>(value: &'a Value, key: &str) -> Result<&'a [Value], String> {
    value
        .get(key)
        .and_then(Value::as_array)
        .map(Vec::as_slice)
        .ok_or_else(|| format!("no list {key} in {}", shortened(value)))
}

fn shortened(value: &Value) -> String {
    value.to_string().chars().take(80).collect()
}

/// A decimal number: `mantissa` × 10^`exponent`.
#[derive(Clone, Copy)]
struct Decimal {
    mantissa: i128,
    exponent: i32,
}

impl Decimal {
    /// Reads the shortest text of the database's number, so that 1e-07 is exact again.
    fn of(value: &Value, key: &str) -> Result<Option<Self>, String> {
        let Some(number) = value.get(key).and_then(Value::as_f64) else { return Ok(None) };
        let text = format!("{number:e}");
        let (digits, exponent) = text.split_once('e').ok_or("a number has no exponent")?;
        let fraction = digits.split_once('.').map_or(0, |(_, fraction)| fraction.len());
        let parsed = digits.replace('.', "").parse::<i128>().ok().zip(exponent.parse::<i32>().ok());
        let (mantissa, exponent) = parsed.ok_or_else(|| format!("{key} {text} is no decimal"))?;
        Ok(Some(Self { mantissa, exponent: exponent - i32::try_from(fraction).map_err(|error| error.to_string())? }))
    }

    /// Divides by `unit`, rounding down.
    fn divided_floor(self, unit: Self) -> i128 {
        let shift = self.exponent - unit.exponent;
        let scale = 10_i128.pow(shift.unsigned_abs());
        let (above, below) =
            if shift >= 0 { (self.mantissa * scale, unit.mantissa) } else { (self.mantissa, unit.mantissa * scale) };
        above.div_euclid(below)
    }

    /// Divides by `unit`, rounding up.
    fn divided_ceil(self, unit: Self) -> i128 {
        -Self { mantissa: -self.mantissa, ..self }.divided_floor(unit)
    }

    /// Returns how many decimals the peer keeps: up to the first digit of the resolution.
    fn decimals(self) -> i32 {
        let digits = i32::try_from(self.mantissa.to_string().len()).unwrap_or(i32::MAX);
        (-(self.exponent + digits - 1)).max(0)
    }
}

/// Everything the tables are made of, in the order of first use.
#[derive(Default)]
struct Tables {
    field_ids: BTreeSet<String>,
    kinds: Vec<String>,
    lookups: Vec<String>,
    lookup_bodies: Vec<String>,
}

impl Tables {
    fn index_of(rows: &mut Vec<String>, row: String) -> usize {
        rows.iter().position(|known| *known == row).unwrap_or_else(|| {
            rows.push(row);
            rows.len() - 1
        })
    }

    /// Adds the lookup and returns its index and whether the all-ones code has a text.
    fn lookup(&mut self, database: &Value, name: &str, bits: u32) -> Result<(usize, bool), String> {
        let lookups = list(database, "LookupEnumerations")?;
        let lookup = lookups.iter().find(|lookup| lookup.get("Name").and_then(Value::as_str) == Some(name));
        let values = list(lookup.ok_or_else(|| format!("no lookup {name}"))?, "EnumValues")?;
        let all_ones = (1_u64 << bits) - 1;
        let (mut body, mut has_all_ones) = (String::new(), false);
        for value in values {
            let code = integer(value, "Value")?;
            has_all_ones |= u64::from(code) == all_ones;
            let _ = writeln!(body, "        ({code}, {:?}),", text(value, "Name")?);
        }
        let index = Self::index_of(&mut self.lookups, name.to_owned());
        if index == self.lookup_bodies.len() {
            self.lookup_bodies.push(body);
        }
        Ok((index, has_all_ones))
    }

    /// Adds the kind of `field` and returns its index.
    fn kind(&mut self, database: &Value, field: &Value) -> Result<usize, String> {
        let id = text(field, "Id")?;
        let bits = integer(field, "BitLength")?;
        let signed = field.get("Signed").and_then(Value::as_bool).unwrap_or(false);
        let all_ones = (1_i128 << (if signed { bits - 1 } else { bits })) - 1;
        let form = match text(field, "FieldType")? {
            "NUMBER" => "Number",
            "LOOKUP" => "Lookup",
            "BITLOOKUP" => "Bits",
            "DATE" => "Date",
            "TIME" => "Time",
            "DURATION" => "Duration",
            "RESERVED" | "SPARE" | "BINARY" | "ISO_NAME" => "Reserved",
            "MMSI" => "Number",
            other => return Err(format!("field {id} has type {other}, which the decoder does not know yet")),
        };
        let unit = Decimal::of(field, "Resolution")?.unwrap_or(Decimal { mantissa: 1, exponent: 0 });
        let (mut lookup, mut min, mut max) = (None, 0, all_ones);
        match form {
            "Reserved" => max = max.min(i128::from(i64::MAX)),
            "Lookup" => {
                let (index, has_all_ones) = self.lookup(database, text(field, "LookupEnumeration")?, bits)?;
                lookup = Some(index);
                max = if has_all_ones { all_ones } else { all_ones - 1 };
            }
            _ => {
                let missing = || format!("field {id} has no range");
                min = Decimal::of(field, "RangeMin")?.ok_or_else(missing)?.divided_ceil(unit);
                max = Decimal::of(field, "RangeMax")?.ok_or_else(missing)?.divided_floor(unit);
                if form != "Bits" {
                    max = max.min(all_ones - 1);
                }
                if signed && bits == 64 {
                    // The range of these is written in floating point, which hides the two reserved codes below all ones.
                    (min, max) = (min.max(i128::from(i64::MIN)), max.min(all_ones - 3));
                }
            }
        }
        let offset = field.get("Offset").and_then(Value::as_i64).unwrap_or(0);
        let row = format!(
            "Kind {{ form: Form::{form}, bits: {bits}, signed: {signed}, mantissa: {}, exponent: {}, decimals: {}, offset: {offset}, lookup: {}, min: {min}, max: {max} }}",
            unit.mantissa,
            unit.exponent,
            unit.decimals(),
            lookup.map_or_else(|| "NO_LOOKUP".to_owned(), |index| index.to_string()),
        );
        Ok(Self::index_of(&mut self.kinds, row))
    }
}

/// Returns the PGNs sent as fast packets, as ranges of neighbours.
///
/// The database's fallback definitions name ranges of PGNs in their ids (`0x1ff000x1ffff…`): all of such a
/// range that has no definition of its own is as the fallback says.
fn fast_ranges(database: &Value) -> Result<Vec<(u32, u32)>, String> {
    let is_fallback = |row: &&Value| row.get("Fallback").and_then(Value::as_bool) == Some(true);
    let mut fast = BTreeMap::new();
    let definitions = list(database, "PGNs")?;
    for definition in definitions.iter().filter(|row| !is_fallback(row)) {
        let pgn = integer(definition, "PGN")?;
        let is_fast = text(definition, "Type")? == "Fast";
        if fast.insert(pgn, is_fast).is_some_and(|other| other != is_fast) {
            return Err(format!("PGN {pgn} is defined both as a single frame and as a fast packet"));
        }
    }
    for definition in definitions.iter().filter(is_fallback).filter(|row| text(row, "Type") == Ok("Fast")) {
        let bounds: Vec<u32> = text(definition, "Id")?
            .split("0x")
            .skip(1)
            .filter_map(|part| u32::from_str_radix(part.get(..5)?, 16).ok())
            .collect();
        let &[first, last] = bounds.as_slice() else { continue };
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

fn variant(id: &str) -> String {
    let mut letters = id.chars();
    letters.next().map_or_else(String::new, |first| first.to_ascii_uppercase().to_string() + letters.as_str())
}

fn generate(database: &Value) -> Result<String, String> {
    let mut tables = Tables::default();
    let (mut rows, mut fields) = (String::new(), String::new());
    let mut field_count = 0;
    for pgn in MAPPED {
        let definitions: Vec<&Value> = list(database, "PGNs")?
            .iter()
            .filter(|row| row.get("PGN").and_then(Value::as_u64) == Some(pgn.into()))
            .collect();
        let &[definition] = definitions.as_slice() else {
            return Err(format!("PGN {pgn} has {} definitions, the decoder knows one", definitions.len()));
        };
        let repeated = definition.get("RepeatingFieldSet1Size").and_then(Value::as_u64).unwrap_or(0);
        let all = list(definition, "Fields")?;
        let fixed = all.len() - usize::try_from(repeated).map_err(|error| error.to_string())?;
        // Text and what follows it is not decoded yet.
        let decoded = all.iter().take_while(|field| text(field, "FieldType").is_ok_and(|form| !form.starts_with("STRING"))).count();
        let fixed = fixed.min(decoded);
        let _ = writeln!(rows, "    PgnRow {{ pgn: Pgn({pgn}), first: {field_count}, count: {fixed} }},");
        let _ = writeln!(fields, "    // {pgn}");
        for field in all.iter().take(fixed) {
            let kind = tables.kind(database, field)?;
            let id = text(field, "Id")?;
            let reserved = matches!(text(field, "FieldType")?, "RESERVED" | "SPARE" | "BINARY" | "ISO_NAME");
            let name = if reserved { "Reserved".to_owned() } else { variant(id) };
            let _ = writeln!(fields, "    FieldRow {{ field: Field::{name}, kind: {kind} }},");
            tables.field_ids.insert(name);
            field_count += 1;
        }
    }
    let mut out = String::new();
    let _ = writeln!(
        out,
        "//! Facts of canboat's PGN database {DATABASE_VERSION}; generated by `cargo xtask pgn-tables`, do not edit.\n//!\n\
         //! From the npm package {PACKAGE}; only numbers, field ids and lookup texts were taken. Its notice:\n"
    );
    for line in text(database, "Copyright")?.trim_end().lines() {
        let _ = writeln!(out, "{}", format!("// {line}").trim_end());
    }
    let _ = write!(
        out,
        "\nuse super::id::Pgn;\nuse super::table::{{FieldRow, Form, Kind, NO_LOOKUP, PgnRow}};\n\n\
         /// A field, by canboat's id; the same id in two PGNs is the same field.\n\
         #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]\n#[allow(missing_docs)]\npub enum Field {{\n"
    );
    for id in &tables.field_ids {
        let _ = writeln!(out, "    {id},");
    }
    let _ = writeln!(
        out,
        "}}\n\n/// Decoded PGNs, ascending.\npub(super) static PGNS: [PgnRow; {}] = [\n{rows}];",
        MAPPED.len()
    );
    let _ = writeln!(
        out,
        "\n/// Fields of all of [`PGNS`], in the order they stand in the payload.\npub(super) static FIELDS: [FieldRow; {field_count}] = [\n{fields}];"
    );
    let _ =
        writeln!(out, "\n/// What fields are made of.\npub(super) static KINDS: [Kind; {}] = [", tables.kinds.len());
    for (index, kind) in tables.kinds.iter().enumerate() {
        let _ = writeln!(out, "    /* {index} */ {kind},");
    }
    let _ = writeln!(
        out,
        "];\n\n/// Texts of codes, ascending.\npub(super) static LOOKUPS: [&[(u16, &str)]; {}] = [",
        tables.lookups.len()
    );
    for (name, body) in tables.lookups.iter().zip(&tables.lookup_bodies) {
        let _ = writeln!(out, "    // {name}\n    &[\n{body}    ],");
    }
    let ranges = fast_ranges(database)?;
    let _ = writeln!(
        out,
        "];\n\n/// All PGNs that travel as fast packets, first and last of each run, ascending.\npub(super) static FAST: [(u32, u32); {}] = [",
        ranges.len()
    );
    for (first, last) in ranges {
        let _ = writeln!(out, "    ({first}, {last}),");
    }
    out.push_str("];\n");
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decimal(number: f64) -> Decimal {
        Decimal::of(&serde_json::json!({ "n": number }), "n").unwrap().unwrap()
    }

    #[test]
    fn ranges_become_raw_codes_exactly() {
        assert_eq!(decimal(655.328).divided_floor(decimal(0.01)), 65_532);
        assert_eq!(decimal(-327.678).divided_ceil(decimal(0.01)), -32_767);
        assert_eq!(decimal(-67.108_863_968_75).divided_ceil(decimal(3.125e-8)), -2_147_483_647);
        assert_eq!(decimal(6_553_200.0).divided_floor(decimal(100.0)), 65_532);
    }

    #[test]
    fn decimals_reach_to_the_first_digit_of_the_resolution() {
        for (resolution, decimals) in [(1e-7, 7), (0.25, 1), (3.125e-8, 8), (0.004, 3), (1.0, 0), (100.0, 0)] {
            assert_eq!(decimal(resolution).decimals(), decimals, "{resolution}");
        }
    }

    #[test]
    fn refuses_unknown_arguments_and_other_tarballs() {
        assert!(run(&["--chek".to_owned()]).unwrap_err().contains("--chek"));
        let other = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml");
        let error = run(&["--check".to_owned(), "--tarball".to_owned(), other.to_owned()]).unwrap_err();
        assert!(error.contains("pinned is"), "{error}");
    }
}
