//! Golden transcripts of the NMEA 2000 floor: `tests/data/n2k/CASE/{in.candump,expected.ndjson}`.
//!
//! All of it is made up or comes from our own simulator. `BLESS=1` writes what is found now; the change
//! is then reviewed like code. A line that is refused stands in the transcript with its reason.

use std::fmt::Write;
use std::path::{Path, PathBuf};

use skiff_runtime::n2k::log::{Format, Item, LogReader, Mode};
use skiff_runtime::n2k::sample::{self, Sample};
use skiff_runtime::n2k::{DeltaForm, Receiver};
use skiff_runtime::time::{Instant, UnixMillis};

/// Milliseconds of the simulator that the case `sample` holds.
const SAMPLE_MILLIS: i64 = 1200;

fn cases() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/n2k")
}

/// Compares, or writes under `BLESS=1`.
fn settle(file: &Path, found: &str) {
    if std::env::var_os("BLESS").is_some_and(|value| value == "1") {
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, found).unwrap();
        return;
    }
    let expected = std::fs::read_to_string(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    let differs = expected.lines().zip(found.lines()).position(|(left, right)| left != right);
    if let Some(line) = differs {
        let (left, right) = (expected.lines().nth(line).unwrap(), found.lines().nth(line).unwrap());
        panic!("{}:{}\nexpected {left}\nfound    {right}", file.display(), line + 1);
    }
    assert_eq!(expected.len(), found.len(), "{} has another length", file.display());
}

fn transcript(log: &str) -> String {
    let (mut reader, mut receiver) = (LogReader::new(Format::Auto, Mode::Auto), Receiver::new("golden"));
    let mut out = String::new();
    for (line, text) in (1..).zip(log.lines()) {
        let record = match reader.line(text.as_bytes()) {
            Ok(Some(record)) => record,
            Ok(None) => continue,
            Err(error) => {
                writeln!(out, "{{\"_line\":{line},\"refused\":\"{error}\"}}").unwrap();
                continue;
            }
        };
        let time = record.time.unwrap_or(UnixMillis(0));
        // These logs' clocks do not jump, so they can age fast packets.
        let now = Instant::from_millis(time.0.unsigned_abs());
        let message = match &record.item {
            Item::Frame(frame) => receiver.frame(frame, now),
            Item::Whole { id, payload } => receiver.whole(*id, payload),
        };
        let delta = message.and_then(|message| receiver.delta(&message, time, DeltaForm::Line { line }));
        if let Some(delta) = delta {
            writeln!(out, "{}", delta.text()).unwrap();
        }
    }
    let counters = receiver.counters();
    let mut rows = counters.losses().to_vec();
    rows.extend([("frames", counters.frames), ("messages", counters.messages), ("deltas", counters.deltas)]);
    rows.extend([
        ("unmapped", counters.unmapped),
        ("without_value", counters.without_value),
        ("null_address", counters.null_address),
    ]);
    let rows: Vec<String> = rows.into_iter().map(|(name, count)| format!("\"{name}\":{count}")).collect();
    writeln!(out, "{{\"counters\":{{{}}}}}", rows.join(",")).unwrap();
    out
}

#[test]
fn transcripts_are_as_they_were() {
    let mut seen = 0;
    for case in std::fs::read_dir(cases()).unwrap() {
        let case = case.unwrap().path();
        let log = std::fs::read_to_string(case.join("in.candump")).unwrap();
        settle(&case.join("expected.ndjson"), &transcript(&log));
        seen += 1;
    }
    assert!(seen >= 4, "{seen} cases");
}

#[test]
fn the_simulator_still_sends_the_same_frames() {
    let mut log = String::new();
    let end = sample::START.0 + SAMPLE_MILLIS;
    for (time, frame) in Sample::new(sample::SEED).take_while(|(time, _)| time.0 < end) {
        sample::write_candump_line(&mut log, time, &frame).unwrap();
        log.push('\n');
    }
    settle(&cases().join("sample/in.candump"), &log);
}
