//! The log: to USB, and its last lines kept for `GET /skiff/v1/log`.

use alloc::string::String;
use core::cell::RefCell;
use core::fmt::Write;

use critical_section::Mutex;
use log::{LevelFilter, Log, Metadata, Record};
use skiff_board::ring::LogRing;

use crate::clock;

/// Bytes of the lines that are kept.
const RING_BYTES: usize = 4096;
/// Longest line.
const LINE_BYTES: usize = 200;

static RING: Mutex<RefCell<LogRing<RING_BYTES>>> = Mutex::new(RefCell::new(LogRing::new()));

struct Sink;

/// Lets `log` speak.
pub fn open() {
    // Nobody else sets a logger.
    let _ = log::set_logger(&Sink);
    log::set_max_level(LevelFilter::Info);
}

/// Returns the last lines.
pub fn lines() -> String {
    critical_section::with(|section| {
        let ring = RING.borrow_ref(section);
        let (first, second) = ring.as_slices();
        let mut text = String::new();
        if ring.lost() > 0 {
            // Writing into a String cannot fail.
            let _ = writeln!(text, "({} older lines are gone)", ring.lost());
        }
        for part in [first, second] {
            text.push_str(core::str::from_utf8(part).unwrap_or_default());
        }
        text
    })
}

/// A line cut to what is kept.
struct Line(heapless::String<LINE_BYTES>);

impl Write for Line {
    fn write_str(&mut self, text: &str) -> core::fmt::Result {
        text.chars().try_for_each(|character| self.0.push(character)).map_err(|_| core::fmt::Error)
    }
}

impl Log for Sink {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &Record<'_>) {
        let mut line = Line(heapless::String::new());
        // What does not fit is cut off.
        let _ = write!(line, "{:>8} {} {}", clock::now().as_millis(), record.level(), record.args());
        esp_println::println!("{}", line.0);
        critical_section::with(|section| RING.borrow_ref_mut(section).push(&line.0));
    }

    fn flush(&self) {}
}
