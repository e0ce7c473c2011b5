//! Tests of logs by the question that they ask.

use super::*;

mod lines;
mod streams;
mod writing;

fn read(line: &str) -> Result<Option<Record>, LineError> {
    LogReader::new(Format::Auto, Mode::Auto).line(line.as_bytes())
}

fn frame(line: &str) -> (Option<i64>, CanFrame) {
    match read(line).unwrap().unwrap() {
        Record { time, item: Item::Frame(frame) } => (time.map(|time| time.0), frame),
        other => panic!("{other:?}"),
    }
}
