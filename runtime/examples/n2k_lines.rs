//! Decodes a candump or canboat log on standard input to one delta a line, as `skiff decode` does.
//!
//! `cargo run --release -p skiff-runtime --example n2k_lines [MODE] < LOG`; counters go to standard error.

use std::io::{BufRead, BufWriter, Write};

use skiff_runtime::n2k::log::{Format, LogReader, Mode};
use skiff_runtime::n2k::{DeltaForm, N2kMessage, Receiver};
use skiff_runtime::time::{Instant, UnixMillis};

fn main() -> std::io::Result<()> {
    let mode = std::env::args().nth(1).as_deref().map_or(Some(Mode::Auto), Mode::from_name);
    let Some(mode) = mode else {
        eprintln!("mode must be auto, fast, plain or mixed");
        std::process::exit(2);
    };
    let mut reader = LogReader::new(Format::Auto, mode);
    let mut receiver = Receiver::new("log");
    let mut out = BufWriter::new(std::io::stdout().lock());
    let mut refused = 0_u64;
    for (line, text) in (1..).zip(std::io::stdin().lock().split(b'\n')) {
        let record = match reader.line(&text?) {
            Ok(Some(record)) => record,
            Ok(None) => continue,
            Err(error) => {
                refused += 1;
                eprintln!("line {line}: {error}");
                continue;
            }
        };
        let mut message = N2kMessage::default();
        // A log's own times can jump, so fast packets are not aged here.
        if !receiver.item_into(&record.item, Instant(0), &mut message) {
            continue;
        }
        let time = record.time.unwrap_or(UnixMillis(0));
        if let Some(delta) = receiver.delta_text(&message, time, DeltaForm::Line { line }) {
            out.write_all(delta.as_bytes())?;
            out.write_all(b"\n")?;
        }
    }
    out.flush()?;
    eprintln!("{refused} lines refused, {:?}", receiver.counters());
    Ok(())
}
