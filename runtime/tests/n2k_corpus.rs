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
use skiff_runtime::n2k::encode::encode_as;
use skiff_runtime::n2k::log::{Format, Item, LogEntry, LogStream, Mode};
use skiff_runtime::n2k::{DeltaForm, Field, N2kMessage, Receiver, ReceiverLimits};
use skiff_runtime::time::{Instant, UnixMillis};

/// Entries of the list that the feature `peer-faults` switches off.
const SWITCHABLE: [&str; 14] = [
    "gone-is-null",
    "distance-to-keel",
    "transmission-text",
    "alert-category",
    "ais-padding",
    "pressure-in-pascal",
    "trim-as-ratio",
    "wind-angle-folded",
    "engine-without-instance",
    "ampere-hours-twice",
    "absent-is-zero",
    "aton-from-center",
    "names-stay-text",
    "fusion-source-per-device",
];

/// How often each entry of the list is needed in the logs of real boats. A rule of this judge that lets through more
/// than it should, or a fault that hides behind one, changes a count.
const USED_IN_REAL_LOGS: [(&str, usize); 21] = [
    ("additions-of-4-7", 2),
    ("ais-padding", 18),
    ("ampere-hours-twice", 69),
    ("aton-from-center", 18),
    ("below-range", 2),
    ("date-of-the-log", 1),
    ("distance-to-keel", 223),
    ("frame-of-nine-bytes", 1),
    ("gone-is-null", 18),
    ("name-as-sent", 20),
    ("names-stay-text", 22),
    ("out-of-order", 2),
    ("peukert-offset", 1),
    ("pressure-in-pascal", 7),
    ("raw-is-frames", 7),
    ("simnet-alarm", 4),
    ("speed-components", 88),
    ("time-of-day", 2),
    ("transport-protocol", 1),
    ("value-without-path", 24),
    ("wind-angle-folded", 11),
];

/// What one log line became: its message, and the delta if there was one.
struct Ours {
    message: N2kMessage,
    delta: Option<Value>,
}

/// Returns the logs that the environment names (`cargo xtask differential` does), or those beside the project.
fn corpus() -> Option<PathBuf> {
    if let Some(folder) = std::env::var_os("SKIFF_N2K_LOGS") {
        return Some(folder.into());
    }
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
    // The peer remembers without a limit; a chip's receiver would forget what a value is made of (65013).
    let mut receiver = Receiver::with_limits("log", ReceiverLimits::COMPUTER);
    let mut stream = LogStream::new(Format::Auto, mode);
    let mut lines = BTreeMap::new();
    let bytes = std::fs::read(log).unwrap();
    let mut rest = bytes.as_slice();
    loop {
        let (number, record) = match stream.next_entry() {
            Some(LogEntry::Record { number, record }) => (number, record),
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
        let time = record.time.unwrap_or(UnixMillis(0));
        let delta = receiver.delta(&message, time, DeltaForm::Line { line: number });
        let delta = delta.map(|delta| serde_json::from_str(delta.text()).unwrap());
        lines.insert(number, Ours { message, delta });
    }
    let counters = receiver.counters();
    let forgotten = [
        counters.forgotten_sources,
        counters.forgotten_power_factors,
        counters.forgotten_alert_texts,
        counters.forgotten_given,
    ];
    assert_eq!(forgotten, [0; 4], "{}: a delta that needs what was forgotten cannot be judged", log.display());
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

/// Tells whether a message holds a code outside of the database's range, in itself or in its repeating sets.
fn holds_refused_codes(message: &N2kMessage) -> bool {
    let Some(decoded) = Decoded::new(message.id.pgn, &message.payload) else { return false };
    decoded.refused().next().is_some()
        || decoded.groups().chain(decoded.second_groups()).any(|group| group.refused().next().is_some())
}

/// Tells whether `ours` is `expected` but for numbers that the peer takes from below their range.
fn same_but_below_range(expected: &Value, ours: &Value) -> bool {
    match (expected, ours) {
        (Value::Object(expected), Value::Object(ours)) => expected.iter().all(|(key, value)| {
            let other = ours.get(key).unwrap_or(&Value::Null);
            same(key, value, other) || same_but_below_range(value, other)
        }),
        (Value::Array(expected), Value::Array(ours)) => {
            expected.len() == ours.len()
                && expected
                    .iter()
                    .zip(ours)
                    .all(|(left, right)| same("", left, right) || same_but_below_range(left, right))
        }
        (expected, Value::Null) => expected.is_null() || is_negative(expected),
        _ => false,
    }
}

/// Tells whether a value is a negative number, or holds one.
fn is_negative(value: &Value) -> bool {
    match value {
        Value::Number(number) => number.as_f64().is_some_and(|number| number < 0.0),
        Value::Object(members) => members.values().any(is_negative),
        _ => false,
    }
}

/// Tells whether a number is the highest of a range that the peer computes through binary floating point, and finds a
/// little lower: 6553.2 / 0.1 is less than 65,532.
fn is_lost_top(number: f64) -> bool {
    const TOPS: [f64; 3] = [65_532.0, 32_764.0, 2_147_483_644.0];
    [0.1, 0.01, 0.001].into_iter().any(|resolution| {
        let raw = number / resolution;
        TOPS.contains(&raw.round()) && raw < raw.round()
    })
}

/// Tells whether `ours` has, beyond `expected`, only numbers that the peer lost at the top of their ranges.
fn same_but_lost_top(expected: &Value, ours: &Value) -> bool {
    match (expected, ours) {
        (Value::Object(expected), Value::Object(ours)) => {
            expected.keys().all(|key| ours.contains_key(key))
                && ours.iter().all(|(key, value)| {
                    let other = expected.get(key).unwrap_or(&Value::Null);
                    same(key, other, value) || same_but_lost_top(other, value)
                })
        }
        (Value::Null, ours) => ours.as_f64().is_some_and(is_lost_top),
        _ => false,
    }
}

/// Tells whether a path of 130820 depends on which source plays.
fn of_playing_source(path: &str) -> bool {
    path.starts_with("entertainment.device.fusion1.avsource.source")
        && [".track.", ".tuner.", ".playbackState"].iter().any(|part| path.contains(part))
}

/// Returns the letters of all texts in a value.
fn letters(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Object(members) => members.values().map(letters).collect(),
        _ => String::new(),
    }
}

/// Names the entry of the list that explains why `ours` is not `expected`; either can be absent.
fn explained(path: &str, expected: Option<&Value>, ours: Option<&Value>, message: &N2kMessage) -> Option<&'static str> {
    let pgn = message.id.pgn.0;
    if pgn == 130_820 && of_playing_source(path) && (expected.is_none() || ours.is_none()) {
        return Some("fusion-source-per-device");
    }
    let meter = (65_005..=65_030).contains(&pgn);
    let excess = meter && ["realPower", "reactivePower", "apparentPower"].iter().any(|leaf| path.ends_with(leaf));
    let numbers = expected.and_then(Value::as_f64).zip(ours.and_then(Value::as_f64));
    if excess {
        // The peer reads the excess code as a signed number: what is above zero falls below it or out of its range. So
        // does a product with the power factor, which can have either sign.
        let turned = |(expected, ours): (f64, f64)| {
            let wrapped = close(path, expected, ours - 4_294_967_296.0);
            let product = path.ends_with("apparentPower") && expected * ours <= 0.0;
            wrapped || product
        };
        // Not available, reserved and out of range (0xffffffff, …fe, …fd) are -1, -2 and -3 so; an apparent power is a
        // product of that.
        let is_code = |bytes: &[u8]| bytes[0] >= 0xfd && bytes[1..] == [0xff; 3];
        let no_number = |expected: &Value| {
            let offset = expected.as_f64().is_some_and(|number| (1.0..=3.0).contains(&(-2e9 - number)));
            offset || path.ends_with("apparentPower") && message.payload.windows(4).any(is_code)
        };
        let is_of_it = match (expected, ours.filter(|ours| !ours.is_null())) {
            (Some(expected), None) => no_number(expected),
            (_, Some(_)) => expected.is_none() || numbers.is_some_and(turned),
            (None, None) => false,
        };
        if is_of_it {
            return Some("power-offset");
        }
    }
    if ours.is_some_and(|ours| same_but_lost_top(expected.unwrap_or(&Value::Null), ours)) {
        return Some("top-of-range");
    }
    if path.ends_with(".followingPoint.name") && expected.is_none() {
        // Refused, not available, or behind the end of the message.
        let coordinates = [Field::WpLatitude, Field::WpLongitude];
        let third = Decoded::new(message.id.pgn, &message.payload)?.groups().nth(2)?;
        return coordinates.iter().any(|field| third.raw(*field).is_none()).then_some("third-point-name");
    }
    if path.starts_with("notifications.nmea.") && (expected.is_none() || ours.is_none()) {
        let listed = Decoded::new(message.id.pgn, &message.payload)?.text(Field::AlertCategory);
        return (listed.is_none() && path.contains("..") == expected.is_some()).then_some("alert-category");
    }
    // Once for each that went away; how often in real logs is counted.
    if expected.is_none() && ours.is_some_and(Value::is_null) {
        return Some("gone-is-null");
    }
    let expected = expected?;
    // What went away is null once, and absent afterwards: one reason for both.
    let ours = ours.filter(|ours| !ours.is_null());
    let decoded = || Decoded::new(message.id.pgn, &message.payload);
    let absent = |field| decoded().is_some_and(|decoded| decoded.raw(field).is_none());
    if path.is_empty() && ours.is_none() && expected.is_number() {
        return Some("value-without-path");
    }
    if holds_refused_codes(message) && same_but_below_range(expected, ours.unwrap_or(&Value::Null)) {
        return Some("below-range");
    }
    if ours.is_none() && path.contains("propulsion.starboard.") && absent(Field::Instance) {
        return Some("engine-without-instance");
    }
    if ours.is_none() && (path.contains("undefined") || path.contains("NaN") || letters(expected).contains("undefined"))
    {
        return Some("undefined-in-path");
    }
    if path.ends_with("coolantPressure") || path.ends_with("fuel.pressure") {
        let (expected, ours) = numbers?;
        return close(path, expected, ours * 1000.0).then_some("pressure-in-pascal");
    }
    if path.ends_with("angleTrueWater") || (pgn == 65_341 && path.ends_with("windAngleApparent")) {
        let (expected, ours) = numbers?;
        return (expected > PI && close(path, expected - TAU, ours)).then_some("wind-angle-folded");
    }
    if path.ends_with("capacity.nominal") && numbers.is_some() {
        let (expected, ours) = numbers?;
        return close(path, expected, ours * 3600.0).then_some("ampere-hours-twice");
    }
    if path.ends_with("capacity.nominal") || path.ends_with("energyImport") || path.ends_with("energyExport") {
        return (ours.is_none() && expected.as_f64() == Some(0.0)).then_some("absent-is-zero");
    }
    if path.ends_with("peukertExponent") {
        // (raw + 1) x 0.002 instead of raw x 0.002 + 1; outside of its range there is none.
        let exponent = expected.as_f64()? - 0.002 + 1.0;
        let ours = ours.and_then(Value::as_f64);
        return ours.map_or(exponent > 1.5, |ours| close(path, exponent, ours)).then_some("peukert-offset");
    }
    if path.ends_with("satellitesInView") {
        let count = |value: &Value| value["count"].as_u64();
        if count(expected) > ours.and_then(count) {
            return Some("satellite-of-reserved-bits");
        }
    }
    if path.ends_with("navigation.datetime") && ours.is_none() {
        // `2018-12-02T29:54:54.50970Z`
        let hours = expected.as_str()?.split_once('T')?.1.split(':').next()?.parse::<u16>().ok()?;
        return (hours >= 24).then_some("time-of-day");
    }
    if path.ends_with("antennaAltitude") && ours.is_none() {
        // 0x7FFFFFFFFFFFFFFD, in millionths.
        return (expected.as_f64()? > 9_223_372_036_854.7).then_some("reserved-altitude");
    }
    if path.ends_with("destination.eta") && decoded()?.refused().any(|field| field == Field::EtaTime) {
        return Some("time-of-day");
    }
    if path.ends_with("destination.eta") {
        let millis = |value: Option<&Value>| {
            let (_, time) = value?.as_str()?.split_once('T')?;
            time.get(..12)?.replace([':', '.'], "").parse::<i64>().ok()
        };
        return (millis(Some(expected))?.abs_diff(millis(ours)?) == 1).then_some("time-of-day");
    }
    if path.contains(".followingPoint.") && ours.is_none() {
        // A point without a position has no name.
        return holds_refused_codes(message).then_some("below-range");
    }
    if path.ends_with("transducerToKeel")
        && let Some((expected, ours)) = numbers
    {
        return (expected < 0.0 && close(path, expected, -ours)).then_some("distance-to-keel");
    }
    if path.ends_with(".transmission.checkTransmission") {
        let message = text(expected, "message").replace(" Engine", " Transmission");
        return ours.is_some_and(|ours| text(ours, "message") == message).then_some("transmission-text");
    }
    if path.ends_with("belowKeel") && ours.is_none() {
        return absent(Field::Offset).then_some("below-range");
    }
    if path.ends_with("fromCenter") && pgn == 129_041 {
        return (expected.is_null() && ours.is_some_and(Value::is_number)).then_some("aton-from-center");
    }
    if path.ends_with(".name") && expected.is_number() && ours.is_some_and(Value::is_string) {
        return Some("names-stay-text");
    }
    if let Some(ours) = ours {
        let (expected, ours) = (letters(expected), letters(ours));
        // Letters beyond ASCII are not UTF-8 either, blanks with a zero behind them are not trimmed, and what is cut is
        // cut in the middle.
        let readable = |text: &str| text.chars().filter(char::is_ascii_graphic).collect::<String>();
        // Half a letter at the end is a letter to the peer; a letter's zero at the end may have been taken off.
        let letters = expected.chars().count();
        let whole: String = expected.chars().take(letters - letters % 2).collect();
        if expected.contains('\0') && readable(&ours).starts_with(&readable(&whole)) {
            return Some("utf-16");
        }
        // Of the first letter only a half came: control byte 0, half a letter, end of the message.
        if letters == 1 && ours.is_empty() && message.payload.ends_with(&[0, expected.as_bytes()[0]]) {
            return Some("utf-16");
        }
        if expected.ends_with('@') && expected.trim_end_matches(['@', ' ']) == ours {
            return Some("ais-padding");
        }
        // "A NAME LONGER THAN TW" and a zero: the zero is taken off the twenty letters, not off the name.
        if pgn == 129_041 && ours.len() == 20 && ours.get(..19).is_some_and(|start| start.trim_end() == expected) {
            return Some("aton-name-letters");
        }
        if !ours.is_ascii() && expected.is_ascii() {
            return Some("seven-bit-text");
        }
    }
    if path.ends_with("trimState") {
        let (expected, ours) = numbers?;
        return (expected < 0.0 && close(path, expected, ours * 100.0)).then_some("trim-as-ratio");
    }
    None
}

/// Tells whether a message ends before the last of its fields begins.
fn is_cut(message: &N2kMessage) -> bool {
    let whole = Decoded::new(message.id.pgn, &message.payload)
        .and_then(|decoded| encode_as(decoded.definition(), &[], [&[], &[]]).ok());
    whole.is_some_and(|whole| message.payload.len() < whole.len())
}

/// Names the entry of the list for a delta that the peer does not have.
fn explained_extra(message: &N2kMessage) -> Option<&'static str> {
    match message.id.pgn.0 {
        127_489 if message.payload.len() < 24 => Some("cut-in-status"),
        130_820 if is_cut(message) => Some("cut-in-text"),
        129_802 | 129_808 | 130_567 => Some("additions-of-4-7"),
        130_578 => Some("speed-components"),
        130_850 => Some("simnet-alarm"),
        _ => None,
    }
}

/// Tells whether all that a delta has is told to be gone.
fn is_all_gone(delta: &Value) -> bool {
    values(delta).iter().all(|(_, value)| value.is_null())
}

/// Returns what must be equal beside the values.
fn head(delta: &Value) -> Value {
    let update = update(delta);
    let source = &update["source"];
    let number = source["src"].as_str().map_or(source["src"].clone(), |text| Value::from(text.parse::<u8>().unwrap()));
    let parts = ["canName", "deviceInstance", "instance", "pgn", "type"].map(|key| source[key].clone());
    Value::from(vec![delta["context"].clone(), update["timestamp"].clone(), number, Value::from(parts.to_vec())])
}

/// Parts of a NAME, shift and bits (ISO 11783-5), that hold codes for "reserved" and "error".
const NAME_PARTS: [(u32, u32); 6] = [(0, 21), (21, 11), (35, 5), (40, 8), (49, 7), (56, 4)];

/// Tells whether two NAMEs differ only as decoding and encoding again changes them: the reserved bit is set,
/// and so are parts that stand for "reserved" or "error".
fn encoded_again(expected: &Value, ours: &Value) -> bool {
    let name = |head: &Value| u64::from_str_radix(head[3][0].as_str()?, 16).ok();
    let (Some(theirs), Some(name)) = (name(expected), name(ours)) else { return false };
    let mut mask = 1 << 48;
    for (shift, bits) in NAME_PARTS {
        let ones = (1 << bits) - 1;
        if name >> shift & ones >= ones - 2 {
            mask |= ones << shift;
        }
    }
    let (mut left, mut right) = (expected.clone(), ours.clone());
    (left[3][0], right[3][0]) = (Value::Null, Value::Null);
    left == right && theirs | mask == name | mask
}

/// Compares the deltas of one line; gives the names of the entries that were used, or what is wrong.
fn compare(expected: Option<&Value>, ours: &Ours) -> Result<Vec<&'static str>, String> {
    let none = Vec::new();
    let wanted = expected.map_or(none.clone(), values);
    let mut given = ours.delta.as_ref().map_or(none, values);
    let mut used = Vec::new();
    if expected.is_none()
        && !given.is_empty()
        && !ours.delta.as_ref().is_some_and(is_all_gone)
        && let Some(name) = explained_extra(&ours.message)
    {
        return Ok(vec![name]);
    }
    if let (Some(expected), Some(delta)) = (expected, &ours.delta)
        && head(expected) != head(delta)
    {
        // The peer fills a claim that ends early with ones; here it is none.
        if text(&update(expected)["source"], "canName").starts_with("ffffffff") {
            return Ok(vec!["short-claim"]);
        }
        let (mut theirs, ours) = (head(expected), head(delta));
        if text(update(expected), "timestamp").starts_with("1970-01-01T") && text(update(delta), "timestamp") > "1990" {
            theirs[1] = ours[1].clone();
            used.push("date-of-the-log");
        }
        if theirs != ours {
            if !encoded_again(&theirs, &ours) {
                return Err(format!("source, context or time: {theirs} {ours}"));
            }
            used.push("name-as-sent");
        }
    }
    // A path can come twice (two lines of one inverter): what is equal finds its like first.
    let mut left = Vec::new();
    for (path, value) in wanted {
        match given.iter().position(|(other, found)| *other == path && same(path, value, found)) {
            Some(at) => drop(given.remove(at)),
            None => left.push((path, value)),
        }
    }
    for (path, value) in left {
        let at = given.iter().position(|(other, _)| *other == path);
        let found = at.map(|at| given.remove(at).1);
        let name = explained(path, Some(value), found, &ours.message);
        used.push(name.ok_or_else(|| format!("{path}: expected {value}, ours {found:?}"))?);
    }
    for (path, value) in given {
        let name = explained(path, None, Some(value), &ours.message);
        used.push(name.ok_or_else(|| format!("{path}: extra value {value}"))?);
    }
    Ok(used)
}

/// Names the entry of the list that explains why the transport finds a message at another line than the peer.
fn explained_line(file: &str, line: u64) -> Option<&'static str> {
    match (file, line) {
        // Nine bytes in a CAN frame.
        ("sample-YDWG02-2.txt", 76) => Some("frame-of-nine-bytes"),
        ("gateway-lines.txt", 12..=18) => Some("raw-is-frames"),
        // Messages whose frames come out of order.
        ("recombine-frames.raw", 39 | 55) => Some("out-of-order"),
        // The last packet of each transfer.
        ("iso-tp-test.raw", 33) => Some("transport-protocol"),
        _ => None,
    }
}

#[test]
fn every_delta_of_the_corpus_is_the_peers_or_on_the_list() {
    let Some(folder) = corpus() else {
        eprintln!("SKIPPED: no logs in ../shared/corpora/n2k beside the project");
        return;
    };
    let (mut used, mut deltas, mut wrong) = (BTreeMap::<&str, usize>::new(), 0, Vec::new());
    // Uses in the logs of real boats, which are held to exact counts.
    let mut real = BTreeMap::<&str, usize>::new();
    for entry in json(&folder.join("manifest.json")).as_array().unwrap() {
        let name = text(entry, "file");
        let mode = Mode::from_name(text(entry, "mode")).unwrap();
        let ours = decode(&folder.join("input").join(name), mode);
        // What the peer's deltas would be if its reader took every line, where that is known.
        let [next, of_peer] = ["expected-next", "expected"].map(|kind| folder.join(kind).join(format!("{name}.jsonl")));
        let lines = std::fs::read_to_string(if next.is_file() { next } else { of_peer }).unwrap();
        let expected: BTreeMap<u64, Value> = lines
            .lines()
            .map(|line| serde_json::from_str::<Value>(line).unwrap())
            .map(|delta| (delta["_line"].as_u64().unwrap(), delta))
            .collect();
        let before = used.clone();
        for (line, delta) in &expected {
            if !ours.contains_key(line) {
                match explained_line(name, *line) {
                    Some(difference) => *used.entry(difference).or_default() += 1,
                    None => wrong.push(format!("{name}:{line}: no message for {delta}")),
                }
            }
        }
        deltas += expected.len();
        for (line, ours) in &ours {
            if let Some(difference) = explained_line(name, *line) {
                *used.entry(difference).or_default() += 1;
                continue;
            }
            match compare(expected.get(line), ours) {
                Ok(names) => names.into_iter().for_each(|name| *used.entry(name).or_default() += 1),
                Err(reason) => wrong.push(format!("{name}:{line}: {reason}")),
            }
        }
        if !name.starts_with("synthetic") {
            for (difference, count) in &used {
                *real.entry(difference).or_default() += count - before.get(difference).unwrap_or(&0);
            }
        }
    }
    real.retain(|_, count| *count > 0);
    eprintln!("{deltas} expected deltas, differences of the list used: {used:?}, in real logs: {real:?}");
    assert!(wrong.is_empty(), "{} lines differ, first:\n{}", wrong.len(), wrong[..wrong.len().min(20)].join("\n"));
    assert!(deltas > if std::env::var_os("SKIFF_N2K_LOGS").is_some() { 500 } else { 20_000 }, "{deltas}");
    if std::env::var_os("SKIFF_N2K_LOGS").is_none() && !cfg!(feature = "peer-faults") {
        let wanted = BTreeMap::from(USED_IN_REAL_LOGS);
        assert_eq!(real, wanted, "an entry of the list explains more or less than it did");
    }
    if cfg!(feature = "peer-faults") {
        let used: Vec<_> = SWITCHABLE.iter().filter(|name| used.contains_key(*name)).collect();
        assert!(used.is_empty(), "the feature peer-faults does not make {used:?} again");
    }
    let list = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/n2k-differences.md")).unwrap();
    for name in used.keys() {
        assert!(list.contains(&format!("| `{name}` |")), "{name} is not on the list");
    }
}
