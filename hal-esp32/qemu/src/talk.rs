//! What the gateway has to say goes to the UART too, behind a `#`.

use log::{LevelFilter, Log, Metadata, Record};

use skiff_virt::uart;

struct Talk;

/// Lets `log` speak.
pub fn open() {
    // Nobody else sets a logger.
    let _ = log::set_logger(&Talk);
    log::set_max_level(LevelFilter::Info);
}

impl Log for Talk {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &Record<'_>) {
        uart::write_fmt(format_args!("# {}: {}\n", record.level(), record.args()));
    }

    fn flush(&self) {}
}
