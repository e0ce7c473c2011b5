//! NMEA 2000 on one core: candump text to Signal K delta JSON, as `skiff decode` does it.
//!
//! ```text
//! cargo bench -p skiff-benches --bench n2k [-- LOG]           rates of LOG, else of the simulated boat
//! cargo bench -p skiff-benches --bench n2k -- --rounds N LOG   reads LOG this many times and says nothing but the counts
//! ```
//!
//! `cargo xtask n2k-speed` runs it beside the npm peer and counts instructions.

use std::fmt::Write as _;
use std::time::{Duration, Instant as Wall};

use skiff_runtime::n2k::log::{Format, LogEntry, LogStream, Mode, Record};
use skiff_runtime::n2k::sample::{LENGTH_SECONDS, SEED, START, Sample, write_candump_line};
use skiff_runtime::n2k::{DeltaForm, N2kMessage, Receiver};
use skiff_runtime::time::{Instant, UnixMillis};

/// Bytes given to the reader at once.
const CHUNK_BYTES: usize = 64 * 1024;
/// Time that one measurement takes at least; the best of [`TRIES`] counts, since other programs only ever make it slower.
const MEASURE: Duration = Duration::from_millis(800);
const TRIES: usize = 5;

/// What went through.
#[derive(Clone, Copy, Default)]
struct Counts {
    frames: u64,
    messages: u64,
    deltas: u64,
    bytes: u64,
}

/// Makes the delta of a record, and counts its text.
fn take(receiver: &mut Receiver, number: u64, record: &Record, counts: &mut Counts) {
    let mut message = N2kMessage::default();
    counts.frames += 1;
    if !receiver.item_into(&record.item, Instant(0), &mut message) {
        return;
    }
    counts.messages += 1;
    let time = record.time.unwrap_or(UnixMillis(0));
    if let Some(text) = receiver.delta_text(&message, time, DeltaForm::Line { line: number }) {
        counts.deltas += 1;
        counts.bytes += std::hint::black_box(text).len() as u64;
    }
}

/// Reads a log once, calling `each` with its records.
fn read(log: &[u8], mut each: impl FnMut(u64, Record)) {
    let mut stream = LogStream::new(Format::Auto, Mode::Auto);
    let mut rest = log;
    loop {
        match stream.next_entry() {
            Some(LogEntry::Record { number, record }) => each(number, record),
            Some(_) => {}
            None if rest.is_empty() => return,
            None => {
                let taken = stream.feed(rest.get(..CHUNK_BYTES).unwrap_or(rest));
                rest = rest.get(taken..).unwrap_or_default();
                if rest.is_empty() {
                    stream.end();
                }
            }
        }
    }
}

/// Text to text.
fn text_to_text(log: &[u8], receiver: &mut Receiver) -> Counts {
    let mut counts = Counts::default();
    read(log, |number, record| take(receiver, number, &record, &mut counts));
    counts
}

/// Returns the time that this thread had a processor, since other programs take their share of the wall clock; the wall
/// clock where the system does not tell.
fn busy(since: Wall) -> Duration {
    let told = std::fs::read_to_string("/proc/thread-self/schedstat").ok();
    let nanos = told.and_then(|text| text.split(' ').next()?.parse().ok());
    nanos.map_or_else(|| since.elapsed(), Duration::from_nanos)
}

/// Measures how often `run` can be done; returns its counts and the shortest time of one run.
fn measure(mut run: impl FnMut() -> Counts) -> (Counts, Duration) {
    let mut best = Duration::MAX;
    let mut counts = run();
    for _ in 0..TRIES {
        let (begun, mut rounds) = (Wall::now(), 0_u32);
        let before = busy(begun);
        while begun.elapsed() < MEASURE {
            counts = run();
            rounds += 1;
        }
        best = best.min((busy(begun) - before) / rounds.max(1));
    }
    (counts, best)
}

fn report(name: &str, (counts, time): (Counts, Duration)) {
    let rate = |count: u64| count as f64 / time.as_secs_f64();
    println!(
        "{name}: {:.0} frames/s, {:.0} messages/s, {:.0} deltas/s, {:.1} MB/s of JSON",
        rate(counts.frames),
        rate(counts.messages),
        rate(counts.deltas),
        rate(counts.bytes) / 1e6
    );
}

/// The simulated boat as candump text.
fn sample() -> Vec<u8> {
    let (mut boat, mut text) = (Sample::new(SEED), String::new());
    loop {
        let (time, frame) = boat.next_frame();
        if time.0 - START.0 >= i64::from(LENGTH_SECONDS) * 1000 {
            return text.into_bytes();
        }
        // Writing into a String cannot fail.
        let _ = write_candump_line(&mut text, time, &frame);
        let _ = writeln!(text);
    }
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|word| word != "--bench").collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let log = |file: &str| std::fs::read(file).unwrap_or_else(|error| panic!("{file}: {error}"));
    match words.as_slice() {
        ["--test"] => {
            let counts = text_to_text(&sample(), &mut Receiver::new(""));
            assert!(counts.deltas > 1000, "the sample decodes");
        }
        ["--rounds", rounds, file] => {
            let (log, mut receiver, mut counts) = (log(file), Receiver::new(""), Counts::default());
            for _ in 0..rounds.parse().unwrap_or(1) {
                counts = text_to_text(&log, &mut receiver);
            }
            println!("{} frames, {} messages, {} deltas", counts.frames, counts.messages, counts.deltas);
        }
        [] | [_] => {
            let log = words.first().map_or_else(sample, |file| log(file));
            let mut receiver = Receiver::new("");
            report("text to delta JSON", measure(|| text_to_text(&log, &mut receiver)));
            let mut records = Vec::new();
            read(&log, |number, record| records.push((number, record)));
            report(
                "frames to delta JSON",
                measure(|| {
                    let mut counts = Counts::default();
                    records.iter().for_each(|(number, record)| take(&mut receiver, *number, record, &mut counts));
                    counts
                }),
            );
            report(
                "text to frames",
                measure(|| {
                    let mut counts = Counts::default();
                    read(&log, |_, _| counts.frames += 1);
                    counts
                }),
            );
        }
        other => panic!("unknown arguments {other:?}"),
    }
}
