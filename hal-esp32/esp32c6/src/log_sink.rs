//! The log: to USB, and its last lines kept for `GET /skiff/v1/log`.

use alloc::string::String;
use core::cell::RefCell;

use critical_section::Mutex;
use log::{LevelFilter, Log, Metadata, Record};
use skiff_runtime::device::LogRing;
use skiff_runtime::hal::Logs;

use crate::clock;

/// Bytes of the lines that are kept.
const RING_BYTES: usize = 4096;

static RING: Mutex<RefCell<Option<LogRing>>> = Mutex::new(RefCell::new(None));

struct Sink;

/// Lets `log` speak; there must be a heap.
pub fn open() {
    let ring = LogRing::new(RING_BYTES);
    critical_section::with(|section| *RING.borrow_ref_mut(section) = Some(ring));
    // Nobody else sets a logger.
    let _ = log::set_logger(&Sink);
    log::set_max_level(LevelFilter::Info);
}

/// The lines that are kept.
pub struct Kept;

impl Logs for Kept {
    fn tail(&mut self, lines: usize) -> String {
        critical_section::with(|section| RING.borrow_ref(section).as_ref().map(|ring| ring.tail(lines)))
            .unwrap_or_default()
    }
}

impl Log for Sink {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &Record<'_>) {
        let now = clock::now();
        esp_println::println!("{:>8} {} {}", now.as_millis(), record.level(), record.args());
        critical_section::with(|section| {
            if let Some(ring) = RING.borrow_ref_mut(section).as_mut() {
                ring.push(now, None, record.level(), record.args());
            }
        });
    }

    fn flush(&self) {}
}
