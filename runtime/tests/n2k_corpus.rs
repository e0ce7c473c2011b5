//! Real boats' logs against the deltas that the peer makes of them.
//!
//! The logs are not part of the project; without them the test says so and passes. Numbers agree to
//! 1e-6 relative or 1e-9 absolute, coordinates to 5e-8 degrees; what else may differ is the closed list
//! of `docs/n2k-differences.md`, entry by entry.

use std::collections::BTreeMap;
use std::f64::consts::{PI, TAU};
use std::path::{Path, PathBuf};

use serde_json::Value;
use skiff_runtime::n2k::decode::Decoded;
use skiff_runtime::n2k::log::{Entry, Format, Item, LogStream, Mode};
use skiff_runtime::n2k::{Assembled, DeltaForm, Field, Receiver};
use skiff_runtime::time::{Instant, UnixMillis};

const MAPPED: [i64; 17] = [
    127_245, 127_250, 127_251, 127_257, 127_488, 127_489, 127_505, 127_508, 128_259, 128_267, 129_025, 129_026,
    129_029, 130_306, 130_310, 130_311, 130_312,
];

/// What one log line became: its message, and the delta if there was one.
struct Ours {
    message: Assembled,
    delta: Option<Value>,
}

fn corpus() -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/corpora/n2k");
    folder.join("manifest.json").is_file().then_some(folder)
}

fn json(path: &Path) -> Value {
    let text = std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap_or_default()
}

fn decode(log: &Path, mode: Mode) -> BTreeMap<u64, Ours> {
    let (mut stream, mut receiver) = (LogStream::new(Format::Auto, mode), Receiver::new("log"));
    let mut lines = BTreeMap::new();
    let bytes = std::fs::read(log).unwrap();
    let mut rest = bytes.as_slice();
    loop {
        let (number, record) = match stream.next_entry() {
            Some(Entry::Record { number, record }) => (number, record),
            Some(_) => continue,
            None if rest.is_empty() => break,
            None => {
                let taken = stream.feed(rest);
                rest = &rest[taken..];
                if rest.is_empty() {
                    stream.end();
                }
                continue;
            }
        };
        let message = match &record.item {
            Item::Frame(frame) => receiver.frame(frame, Instant(0)),
            Item::Whole { id, payload } => receiver.whole(*id, payload),
        };
        let Some(message) = message else { continue };
        let time = record.time.unwrap_or(UnixMillis(0)).to_string();
        let delta = receiver.delta(&message, &time, DeltaForm::Line { line: number });
        let delta = delta.map(|delta| serde_json::from_str(delta.text()).unwrap());
        lines.insert(number, Ours { message, delta });
    }
    lines
}

fn update(delta: &Value) -> &Value {
    &delta["updates"][0]
}

/// Returns path and value of each entry, a missing path as empty text.
fn values(delta: &Value) -> Vec<(&str, &Value)> {
    update(delta)["values"].as_array().unwrap().iter().map(|entry| (text(entry, "path"), &entry["value"])).collect()
}

fn close(path: &str, left: f64, right: f64) -> bool {
    let coordinate = path.ends_with("latitude") || path.ends_with("longitude");
    let relative = 1e-6 * left.abs().max(right.abs());
    (left - right).abs() <= relative.max(if coordinate { 5e-8 } else { 1e-9 })
}

fn same(path: &str, left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::Number(left), Value::Number(right)) => close(path, left.as_f64().unwrap(), right.as_f64().unwrap()),
        (Value::Object(left), Value::Object(right)) => {
            left.len() == right.len()
                && left.iter().all(|(key, value)| {
                    right.get(key).is_some_and(|other| same(&format!("{path}.{key}"), value, other))
                })
        }
        (Value::Array(left), Value::Array(right)) => {
            left.len() == right.len() && left.iter().zip(right).all(|(left, right)| same(path, left, right))
        }
        _ => left == right,
    }
}

/// Lowest value of the database's range for the paths that the peer lets fall below it.
fn range_min(path: &str) -> Option<f64> {
    Some(match path.rsplit('.').next()? {
        "rateOfTurn" => -67.108_863_968_75,
        "rudderAngle" | "yaw" | "pitch" | "roll" | "magneticVariation" | "magneticDeviation" => -PI, // the database says 3.1415926
        "latitude" => -90.0,
        "longitude" => -180.0,
        "voltage" | "alternatorVoltage" | "horizontalDilution" | "positionDilution" => -327.67,
        "current" => -3276.7,
        "rate" => -3276.7 / 3.6e6,
        "geoidalSeparation" => -21_474_836.47,
        "relativeHumidity" | "humidity" | "currentLevel" => -1.310_68,
        "trimState" => -127.0,
        "engineLoad" | "engineTorque" => -1.27,
        _ => return None,
    })
}

fn below_range(path: &str, expected: &Value) -> bool {
    match expected {
        Value::Number(number) => range_min(path).is_some_and(|min| number.as_f64().unwrap() < min),
        Value::Object(members) => members.iter().any(|(key, value)| below_range(key, value)),
        _ => false,
    }
}

/// Names the entry of the list that explains why `ours` is not `expected`.
fn explained(path: &str, expected: &Value, ours: Option<&Value>, message: &Assembled) -> Option<&'static str> {
    let numbers = expected.as_f64().zip(ours.and_then(Value::as_f64));
    let absent_instance =
        || Decoded::new(message.id.pgn, &message.payload).is_some_and(|decoded| decoded.raw(Field::Instance).is_none());
    if path.is_empty() && ours.is_none() {
        return Some("value-without-path");
    }
    if ours.is_none() && path.starts_with("propulsion.starboard.") && absent_instance() {
        return Some("engine-without-instance");
    }
    if path.ends_with("coolantPressure") || path.ends_with("fuel.pressure") {
        let (expected, ours) = numbers?;
        return close(path, expected, ours * 1000.0).then_some("pressure-in-pascal");
    }
    if path.ends_with("angleTrueWater") {
        let (expected, ours) = numbers?;
        return (expected > PI && close(path, expected - TAU, ours)).then_some("wind-angle-folded");
    }
    if let (Value::Object(expected), Some(Value::Object(ours))) = (expected, ours) {
        let kept = expected.iter().all(|(key, value)| {
            let other = ours.get(key).unwrap_or(&Value::Bool(false));
            same(key, value, other) || (other.is_null() && below_range(key, value))
        });
        return (kept && expected.len() == ours.len()).then_some("below-range");
    }
    if ours.is_none() && below_range(path, expected) {
        return Some("below-range");
    }
    if path.ends_with("trimState") {
        let (expected, ours) = numbers?;
        return (expected < 0.0 && close(path, expected, ours * 100.0)).then_some("trim-as-ratio");
    }
    None
}

/// Compares the deltas of one line; gives the names of the entries that were used, or what is wrong.
fn compare(expected: Option<&Value>, ours: &Ours) -> Result<Vec<&'static str>, String> {
    let none = Vec::new();
    let wanted = expected.map_or(none.clone(), values);
    let mut given = ours.delta.as_ref().map_or(none, values);
    let mut used = Vec::new();
    if expected.is_none() && !given.is_empty() {
        let cut = ours.message.id.pgn.0 == 127_489 && ours.message.payload.len() < 24;
        return if cut { Ok(vec!["cut-in-status"]) } else { Err(format!("extra delta {given:?}")) };
    }
    if let (Some(expected), Some(delta)) = (expected, &ours.delta) {
        let (left, right) = (update(expected), update(delta));
        let source = |update: &Value| (update["source"]["instance"].clone(), update["timestamp"].clone());
        if source(left) != source(right) {
            return Err(format!("source or time: {:?} {:?}", source(left), source(right)));
        }
    }
    for (path, value) in wanted {
        let at = given.iter().position(|(other, _)| *other == path);
        let found = at.map(|at| given.remove(at).1);
        if !found.is_some_and(|found| same(path, value, found)) {
            used.push(
                explained(path, value, found, &ours.message)
                    .ok_or_else(|| format!("{path}: expected {value}, ours {found:?}"))?,
            );
        }
    }
    if given.is_empty() { Ok(used) } else { Err(format!("extra values {given:?}")) }
}

#[test]
fn every_delta_of_the_corpus_is_the_peers_or_on_the_list() {
    let Some(folder) = corpus() else {
        eprintln!("SKIPPED: no logs in ../shared/corpora/n2k beside the project");
        return;
    };
    let (mut used, mut deltas, mut wrong) = (BTreeMap::<&str, usize>::new(), 0, Vec::new());
    for entry in json(&folder.join("manifest.json")).as_array().unwrap() {
        let name = text(entry, "file");
        let mode = Mode::from_name(text(entry, "mode")).unwrap();
        let ours = decode(&folder.join("input").join(name), mode);
        let lines = std::fs::read_to_string(folder.join("expected").join(format!("{name}.jsonl"))).unwrap();
        let expected: BTreeMap<u64, Value> = lines
            .lines()
            .map(|line| serde_json::from_str::<Value>(line).unwrap())
            .filter(|delta| MAPPED.contains(&update(delta)["source"]["pgn"].as_i64().unwrap()))
            .map(|delta| (delta["_line"].as_u64().unwrap(), delta))
            .collect();
        for (line, delta) in &expected {
            if !ours.contains_key(line) {
                wrong.push(format!("{name}:{line}: no message for {delta}"));
            }
        }
        deltas += expected.len();
        for (line, ours) in &ours {
            match compare(expected.get(line), ours) {
                Ok(names) => names.into_iter().for_each(|name| *used.entry(name).or_default() += 1),
                Err(reason) => wrong.push(format!("{name}:{line}: {reason}")),
            }
        }
    }
    eprintln!("{deltas} expected deltas, differences of the list used: {used:?}");
    assert!(wrong.is_empty(), "{} lines differ, first:\n{}", wrong.len(), wrong[..wrong.len().min(20)].join("\n"));
    assert!(deltas > 20_000, "{deltas}");
    let list = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/n2k-differences.md")).unwrap();
    for name in used.keys() {
        assert!(list.contains(&format!("| `{name}` |")), "{name} is not on the list");
    }
}
