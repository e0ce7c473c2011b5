//! Sentences of NMEA 0183 against the deltas that the peer makes of them.
//!
//! The sentences are not part of the project; without them the test says so and passes. Numbers agree to 1e-6 relative
//! or 1e-9 absolute; what else may differ is the closed list of `docs/nmea0183-differences.md`, entry by entry.

use std::collections::{BTreeMap, BTreeSet};
use std::f64::consts::TAU;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use skiff_runtime::n2k::DeltaForm;
use skiff_runtime::nmea0183::Sentences;
use skiff_runtime::time::UnixMillis;

/// Generated sentences that show every entry of the list; fewer need not.
const ALL_FROM: usize = 4000;
const SELF: &str = "vessels.urn:mrn:signalk:uuid:0";

/// Returns the file that the environment names (`cargo xtask differential` does), or the one beside the project.
fn corpus() -> Option<(PathBuf, bool)> {
    if let Some(file) = std::env::var_os("SKIFF_NMEA0183_DELTAS") {
        return Some((file.into(), true));
    }
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/corpora/nmea0183/peer-tests.jsonl");
    file.is_file().then_some((file, false))
}

/// What one sentence became: where, and path by path.
#[derive(Debug, Default)]
struct Told {
    context: Option<String>,
    values: BTreeMap<String, Value>,
}

impl Told {
    /// Adds a value. A path can come twice: the later one wins, and members of the vessel itself are joined.
    fn add(&mut self, path: &str, value: Value) {
        match (path, value) {
            ("", Value::Object(members)) => {
                for (name, value) in members {
                    self.values.insert(format!("{path}/{name}"), value);
                }
            }
            (path, value) => drop(self.values.insert(path.to_owned(), value)),
        }
    }
}

fn text<'a>(row: &'a Value, name: &str) -> &'a str {
    row[name].as_str().unwrap_or_default()
}

/// Returns what the peer makes of a row's sentence.
fn expected(row: &Value) -> Told {
    let mut told = Told { context: row["context"].as_str().map(str::to_owned), ..Told::default() };
    for value in row["values"].as_array().unwrap() {
        told.add(text(value, "path"), value["value"].clone());
    }
    told
}

/// Returns what we make of it, and the time stamp.
fn ours(row: &Value) -> (Told, Option<String>) {
    // The peer has the day of its run for a time of day.
    let now = row["timestamp"].as_str().or(row["now"].as_str()).unwrap_or("2026-11-29T12:00:00.000Z");
    let now = UnixMillis::parse_iso(now).unwrap();
    let form = DeltaForm::Stamped { self_context: SELF };
    let mut sentences = Sentences::new("gps");
    for before in row["before"].as_array().unwrap_or(&Vec::new()) {
        let _ = sentences.delta(before.as_str().unwrap(), now, form);
    }
    let Ok(Some(delta)) = sentences.delta(text(row, "sentence"), now, form) else { return Default::default() };
    let mut told = Told::default();
    if delta.context() != SELF {
        told.context = Some(delta.context().to_owned());
    }
    let update = delta.updates().next().unwrap();
    for (path, value) in update.values() {
        told.add(path, serde_json::from_str(value).unwrap());
    }
    (told, Some(update.timestamp().to_owned()))
}

fn close(left: f64, right: f64) -> bool {
    (left - right).abs() <= (1e-6 * left.abs().max(right.abs())).max(1e-9)
}

fn same(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::Number(left), Value::Number(right)) => close(left.as_f64().unwrap(), right.as_f64().unwrap()),
        (Value::Object(left), Value::Object(right)) => {
            left.len() == right.len()
                && left.iter().all(|(key, value)| right.get(key).is_some_and(|other| same(value, other)))
        }
        (Value::Array(left), Value::Array(right)) => {
            left.len() == right.len() && left.iter().zip(right).all(|(left, right)| same(left, right))
        }
        _ => left == right,
    }
}

/// A sentence as this judge reads it.
struct Sentence<'a> {
    kind: &'a str,
    fields: Vec<&'a str>,
}

impl<'a> Sentence<'a> {
    fn read(line: &'a str) -> Self {
        let mut parts = line.split('*').next().unwrap_or_default().split(',');
        let address = parts.next().unwrap_or_default();
        let kind = if address.starts_with("$P") { &address[1..] } else { address.get(3..6).unwrap_or_default() };
        Self { kind, fields: parts.map(str::trim).collect() }
    }

    fn field(&self, index: usize) -> &str {
        self.fields.get(index).copied().unwrap_or_default()
    }

    /// Tells whether the sentence says of itself that it is not valid.
    fn is_void(&self) -> bool {
        let is = |index: usize, letter: &str| self.field(index).eq_ignore_ascii_case(letter);
        match self.kind {
            "RMC" => !is(1, "A"),
            "GGA" => is(5, "0") || self.field(5).is_empty(),
            "GLL" => is(5, "V"),
            "GNS" => self.field(5).chars().all(|mode| mode == 'N'),
            "VTG" => is(8, "N"),
            "MWV" => !is(4, "A"),
            "ROT" | "RSA" => !is(1, "A"),
            "RPM" => is(4, "V"),
            "RMB" => is(0, "V"),
            "APB" | "XTE" => is(0, "V") || is(1, "V"),
            _ => false,
        }
    }

    fn has_empty_field(&self) -> bool {
        self.fields.iter().any(|field| field.is_empty())
    }
}

/// Tells whether `ours` has nothing where the peer has nothing, a zero, or what does not hold any more.
fn is_lost(sentence: &Sentence<'_>, expected: Option<&Value>, ours: &Value) -> bool {
    // Half a position, and the quality of no fix.
    let is_nothing = |expected: &Value| expected.as_f64() == Some(0.0) || expected.is_object() || expected == "no GPS";
    match (expected, ours) {
        (_, Value::Null) => sentence.is_void() || (expected.is_none_or(is_nothing) && sentence.has_empty_field()),
        (Some(Value::Object(expected)), Value::Object(ours)) => {
            let mut members = expected.iter().map(|(name, value)| (value, &ours[name]));
            expected.len() == ours.len()
                && members.all(|(value, other)| {
                    same(value, other) || is_folded(value, other) || is_lost(sentence, Some(value), other)
                })
        }
        _ => false,
    }
}

/// Tells whether two values are the same but for whole turns.
fn is_folded(expected: &Value, ours: &Value) -> bool {
    match (expected, ours) {
        (Value::Number(expected), Value::Number(ours)) => {
            close((expected.as_f64().unwrap() - ours.as_f64().unwrap()).abs(), TAU)
        }
        (Value::Object(expected), Value::Object(ours)) => {
            let mut members = expected.iter().map(|(name, value)| (value, &ours[name]));
            expected.len() == ours.len() && members.all(|(value, other)| same(value, other) || is_folded(value, other))
        }
        _ => false,
    }
}

/// Names the entry of the list that explains why `ours` is not `expected`; either can be absent.
fn explained(sentence: &Sentence<'_>, path: &str, [peer, told]: [&Told; 2]) -> Option<&'static str> {
    let (expected, ours) = (peer.values.get(path), told.values.get(path));
    let kind = sentence.kind;
    if expected.zip(ours).is_some_and(|(expected, ours)| is_folded(expected, ours)) {
        return Some("angle-folded");
    }
    if let Some(ours) = ours
        && is_lost(sentence, expected, ours)
    {
        return Some("lost");
    }
    if kind == "VDO" {
        return (ours.is_none() || peer.values.is_empty()).then_some("own-vessel");
    }
    if kind == "ALK" || kind == "PSMDST" {
        let first = usize::from(sentence.field(0) == "R");
        return match sentence.field(first).to_ascii_uppercase().as_str() {
            "00" if ours == Some(&Value::Null) => Some("lost"),
            "20" => Some("seatalk-speed"),
            "84" | "9C" if path.ends_with("headingMagnetic") && ours.is_some() && expected.is_some() => {
                Some("seatalk-heading")
            }
            "84" | "9C" if expected.is_none() && ours.is_some_and(|ours| ours.as_f64() == Some(0.0)) => {
                Some("seatalk-zero")
            }
            "54" | "56" if ours.is_none() => Some("impossible"),
            _ => None,
        };
    }
    if kind == "DSC" {
        if path == "navigation.position" && ours.is_none() {
            return Some("impossible");
        }
        let (expected, ours) = (expected?, ours?);
        let only_added = expected.as_object()?.iter().all(|(name, value)| ours.get(name) == Some(value));
        return (only_added && ours["state"].is_string()).then_some("dsc-alarm");
    }
    if kind == "MWV" && sentence.field(3).eq_ignore_ascii_case("S") && path.contains("speed") {
        return Some("miles-per-hour");
    }
    if kind == "MWV" && !["R", "T"].contains(&sentence.field(1)) {
        return Some("letter-missing");
    }
    // A side that is not told is the peer's west, or straight ahead.
    let is_side = match kind {
        "HDG" => sentence.field(2).is_empty() || sentence.field(4).is_empty(),
        "VWR" => sentence.field(1).is_empty() && ours.is_none(),
        "BOD" => ours.is_none(),
        _ => false,
    };
    if is_side {
        return Some("letter-missing");
    }
    if ["VTG", "VWT", "MWD", "PNKEP"].contains(&kind)
        && path.to_ascii_lowercase().contains("speed")
        && (sentence.has_empty_field() || sentence.fields.contains(&"m"))
        && ours.is_some_and(Value::is_number)
    {
        return Some("unit-missing");
    }
    if kind == "RMC" && sentence.field(8).is_empty() | sentence.field(0).is_empty() {
        return ours.is_none().then_some("no-date");
    }
    if kind == "VDM" {
        let is_impossible = expected.and_then(Value::as_str).is_some_and(|time| {
            path == "environment.date" && ["-00T", "T24:", ":60:"].iter().any(|part| time.contains(part))
        });
        return if is_impossible {
            Some("impossible")
        } else if peer.values.is_empty() {
            (!told.values.contains_key("navigation.position")).then_some("ais-without-position")
        } else if ours.is_none() && (path.contains("OverGround") || path.ends_with("headingTrue")) {
            Some("ais-number")
        } else if matches!(path, "offPosition" | "virtual") && expected.is_none() {
            Some("aton-without-type")
        } else if path == "design.aisShipType" && ours.is_none() {
            Some("ais-reserved-type")
        } else if peer.values.get("sensors.ais.functionalId").and_then(Value::as_u64) == Some(11) {
            let temperature = path.ends_with("emperature");
            (temperature || path.ends_with("pressure") || path.ends_with("level")).then_some("weather-of-old")
        } else {
            None
        };
    }
    if expected.is_none() && peer.values.is_empty() {
        // Nothing, because too many others are missing, or letters are in lower case.
        return ["GGA", "GNS", "GLL", "VWR", "VWT", "MWD", "DSC", "PNKEP"].contains(&kind).then_some("incomplete");
    }
    if expected.is_none() && kind == "VHW" && path.ends_with("speedThroughWater") {
        return Some("incomplete");
    }
    if expected.is_none_or(Value::is_null) && ["DBK", "DBS", "DBT"].contains(&kind) {
        return Some("incomplete");
    }
    if ours.is_none() {
        let expected = expected?;
        if expected.as_str() == Some("") {
            return Some("empty-text");
        }
        if kind == "RPM" && sentence.has_empty_field() {
            return Some("empty-text");
        }
        if kind == "MDA" {
            return Some("impossible");
        }
        return expected.is_number().then_some("impossible");
    }
    if path.ends_with("satellitesInView") {
        return Some("satellite-unknown");
    }
    None
}

#[test]
fn every_delta_of_the_corpus_is_the_peers_or_on_the_list() {
    let Some((file, is_generated)) = corpus() else {
        eprintln!("SKIPPED: no sentences in ../shared/corpora/nmea0183 beside the project");
        return;
    };
    let (mut used, mut wrong, mut count) = (BTreeMap::<&str, usize>::new(), Vec::new(), 0);
    let mut kinds = BTreeSet::new();
    for line in std::fs::read_to_string(&file).unwrap().lines() {
        let row: Value = serde_json::from_str(line).unwrap();
        let sentence = Sentence::read(text(&row, "sentence"));
        let (peer, (told, stamp)) = (expected(&row), ours(&row));
        count += 1;
        kinds.insert(sentence.kind.to_owned());
        if sentence.kind != "VDO"
            && peer.values.get("sensors.ais.designatedAreaCode") != Some(&json!(367))
            && !told.values.is_empty()
            && !peer.values.is_empty()
            && told.context != peer.context
        {
            wrong.push(format!("{}: context {:?}, expected {:?}", row["sentence"], told.context, peer.context));
        }
        // ZDA has its own time here as RMC has it there.
        if let (Some(expected), Some(stamp)) = (row["timestamp"].as_str(), &stamp)
            && expected[..19] != stamp[..19]
        {
            wrong.push(format!("{}: time {stamp}, expected {expected}", row["sentence"]));
        }
        for path in peer.values.keys().chain(told.values.keys()).collect::<BTreeSet<_>>() {
            let (expected, ours) = (peer.values.get(path), told.values.get(path));
            if expected.zip(ours).is_some_and(|(expected, ours)| same(expected, ours)) {
                continue;
            }
            match explained(&sentence, path, [&peer, &told]) {
                Some(name) => *used.entry(name).or_default() += 1,
                None => wrong.push(format!("{}: {path}: {ours:?}, expected {expected:?}", row["sentence"])),
            }
        }
    }
    println!("{count} sentences of {} kinds; differences: {used:?}", kinds.len());
    assert!(wrong.is_empty(), "{} of {count}:\n{}", wrong.len(), wrong.join("\n"));
    let list =
        std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/nmea0183-differences.md")).unwrap();
    let rows = list.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next());
    let listed: BTreeSet<_> = rows.collect();
    let found: BTreeSet<_> = used.keys().copied().collect();
    assert!(found.is_subset(&listed), "not on the list: {:?}", found.difference(&listed));
    if is_generated && count >= ALL_FROM {
        assert_eq!(found, listed, "the list has what does not differ");
    }
}

#[test]
fn the_judge_lets_nothing_through_that_is_not_on_the_list() {
    let row = |sentence: &str, values: Value| json!({ "sentence": sentence, "values": values });
    let told = |row: &Value| {
        let (peer, (ours, _)) = (expected(row), ours(row));
        let sentence = Sentence::read(text(row, "sentence"));
        let paths: BTreeSet<_> = peer.values.keys().chain(ours.values.keys()).collect();
        let named = paths.into_iter().map(|path| {
            let (left, right) = (peer.values.get(path), ours.values.get(path));
            let is_same = left.zip(right).is_some_and(|(left, right)| same(left, right));
            if is_same { Some("same") } else { explained(&sentence, path, [&peer, &ours]) }
        });
        named.collect::<Vec<_>>()
    };
    let value = |path: &str, value: Value| json!([{ "path": path, "value": value }]);
    let depth = |depth: Value| row("$SDDBT,,f,3.0,M,,F", value("environment.depth.belowTransducer", depth));
    assert_eq!(told(&depth(json!(3))), [Some("same")]);
    assert_eq!(told(&depth(json!(3.0001))), [None]);
    assert_eq!(told(&depth(json!(0))), [None]);
    assert_eq!(told(&row("$SDDBT,,f,,M,,F", json!([]))), [Some("lost")]);
    assert_eq!(told(&row("$SDDBT,,f,,M,,F", value("environment.depth.belowTransducer", json!(2)))), [None]);
    assert_eq!(told(&row("$IIMTW,17.0,C", json!([]))), [None]);
}
