//! Plays the log in flash through the gateway, as `skiff replay` does on Linux.

use alloc::format;
use alloc::string::String;

use skiff_runtime::budget::{Board, Limits};
use skiff_runtime::n2k::sample;
use skiff_runtime::replay::Replay;

use crate::partition::Partition;
use crate::{packages, report, uart, watchdog};

/// Plays the log to its end.
///
/// # Errors
/// A clause that says why that was not possible.
pub fn run(partition: &Partition) -> Result<(), String> {
    let (start, log) = partition.log().ok_or("there is no log in the flash partition")?;
    let mut replay = Replay::new(Limits::of(Board::QemuRiscv32), sample::LABEL, start, false).plugin_lines_only();
    report::mark("gateway, empty");
    for stored in packages::stored(partition) {
        let package = match packages::read(&stored) {
            Ok(package) => package,
            Err(reason) => {
                log::warn!("refused: {reason}");
                continue;
            }
        };
        let name = package.name.clone();
        let config = stored.config.map(String::from);
        replay.install(package, config).map_err(|error| format!("{name}: {error}"))?;
        report::mark(&name);
        watchdog::tick();
        print(&mut replay);
    }
    for (line, record) in (1..).zip(log) {
        replay.record(line, &record);
        print(&mut replay);
        watchdog::tick();
    }
    report::mark("log played");
    for plugin in replay.gateway().plugins().plugins() {
        let reason = plugin.reason().unwrap_or_default();
        log::info!("{}: {} {reason}", plugin.package_name(), plugin.state().name());
    }
    log::info!("status {}", replay.gateway().status_json());
    replay.finish();
    print(&mut replay);
    Ok(())
}

fn print(replay: &mut Replay) {
    while let Some(line) = replay.next_line() {
        uart::line(&line);
    }
}
