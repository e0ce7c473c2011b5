//! Any bytes are entries of any format, the same in one piece and in small ones, and records can be written and read.

#![no_main]

use libfuzzer_sys::fuzz_target;
use skiff_runtime::n2k::DeltaForm;
use skiff_runtime::n2k::log::{Format, LogEntry, LogStream, LogWriter, Mode, To};
use skiff_runtime::nmea0183::Sentences;
use skiff_runtime::time::UnixMillis;

fn entries(format: Format, bytes: &[u8], chunk: usize) -> Vec<LogEntry> {
    let mut stream = LogStream::new(format, Mode::Auto);
    let mut found = Vec::new();
    for chunk in bytes.chunks(chunk.max(1)) {
        stream.feed(chunk);
        found.extend(std::iter::from_fn(|| stream.next_entry()));
    }
    stream.end();
    found.extend(std::iter::from_fn(|| stream.next_entry()));
    found
}

// The first byte names format and size of the pieces.
fuzz_target!(|bytes: &[u8]| {
    let Some((&head, bytes)) = bytes.split_first() else { return };
    let (_, format) = Format::ALL[usize::from(head & 0xf) % Format::ALL.len()];
    // A longer line is told with the length seen so far, which depends on the pieces.
    let bytes = &bytes[..bytes.len().min(8192)];
    let all = entries(format, bytes, bytes.len());
    assert_eq!(entries(format, bytes, usize::from(head >> 4) + 1), all);
    let mut writers = To::ALL.map(|(_, to)| LogWriter::new(to));
    let mut sentences = Sentences::new("fuzz");
    for entry in &all {
        match entry {
            LogEntry::Record { record, .. } => writers.iter_mut().for_each(|writer| {
                let mut line = String::new();
                let _ = writer.write(record, &mut line);
            }),
            LogEntry::Delta { .. } => {}
            LogEntry::Sentence { text, number, .. } => {
                let _ = sentences.delta(text, UnixMillis(0), DeltaForm::Line { line: *number });
            }
            LogEntry::Bad { error, .. } => assert!(!error.to_string().is_empty()),
        }
    }
});
