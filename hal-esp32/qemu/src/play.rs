//! Plays the log in flash through the gateway, as `skiff replay` does on Linux.

use alloc::format;
use alloc::string::String;

#[cfg(not(feature = "engine-chip"))]
use skiff_runtime::budget::Limits;
#[cfg(not(feature = "engine-chip"))]
use skiff_runtime::host::{Instance, InstanceSpec, ModuleFacts};
use skiff_runtime::n2k::sample;
#[cfg(not(feature = "engine-chip"))]
use skiff_runtime::package::Package;
use skiff_runtime::replay::Replay;
use skiff_virt::uart;

use crate::budget::Measured;
use crate::partition::Partition;
#[cfg(feature = "engine-chip")]
use crate::promised;
use crate::{frames, packages, report, watchdog};

/// Plays the log to its end.
///
/// # Errors
/// A clause that says why that was not possible.
pub fn run(partition: &Partition) -> Result<(), String> {
    let (start, log) = partition.log().ok_or("there is no log in the flash partition")?;
    let limits = partition.limits()?;
    frames::measure(partition);
    let mut measured = Measured::default();
    #[cfg(feature = "engine-chip")]
    let storage = promised::translate(partition, &limits)?;
    let span = report::begin();
    #[cfg(feature = "engine-chip")]
    let mut replay = Replay::with_storage(limits, sample::LABEL, start, false, storage);
    #[cfg(not(feature = "engine-chip"))]
    let mut replay = Replay::new(limits, sample::LABEL, start, false);
    replay.plugin_lines_only();
    replay.after_each_poll(watchdog::tick);
    span.end("gateway, empty");
    for stored in packages::stored(partition) {
        let package = match packages::read(&stored) {
            Ok(package) => package,
            Err(reason) => {
                log::warn!("refused: {reason}");
                continue;
            }
        };
        let name = package.name.clone();
        #[cfg(not(feature = "engine-chip"))]
        predict(&package, &limits);
        let span = report::begin();
        let config = stored.config.map(String::from);
        replay.install(package, config).map_err(|error| format!("{name}: {error}"))?;
        measured.note(&name, span.end(&name));
        print(&mut replay);
    }
    measured.print(replay.gateway());
    #[cfg(feature = "engine-chip")]
    let mut held = promised::Held::started(replay.gateway());
    let span = report::begin();
    for (line, record) in (1..).zip(log) {
        replay.record(line, &record);
        print(&mut replay);
        #[cfg(feature = "engine-chip")]
        held.look(replay.gateway());
    }
    span.end("the log");
    #[cfg(feature = "engine-chip")]
    held.print();
    for plugin in replay.gateway().plugins().plugins() {
        let (reason, fuel) = (plugin.reason().unwrap_or_default(), plugin.fuel_spent());
        log::info!("{}: {}, fuel {fuel} {reason}", plugin.package_name(), plugin.state().name());
    }
    measured.print(replay.gateway());
    log::info!("status {}", replay.gateway().status_json());
    replay.finish();
    print(&mut replay);
    Ok(())
}

/// Tells what admission thinks of a package, to be held against what the board measures, and how long its load takes.
// Not in `run`, whose frame lies below everything that is measured.
#[cfg(not(feature = "engine-chip"))]
#[inline(never)]
fn predict(package: &Package, limits: &Limits) {
    let Ok(facts) = ModuleFacts::read(&package.wasm, &limits.plugin) else { return };
    let (heap, linear) = (facts.predicted_heap_bytes(&limits.plugin), facts.linear_bytes_min());
    let load_us = facts.predicted_load_us(&limits.plugin);
    log::info!("predicted: {}: heap {heap}, linear memory {linear}, load in us {load_us}", package.name);
    let spec = InstanceSpec {
        package: package.name.clone(),
        id: package.name.clone(),
        capabilities: package.capabilities.clone(),
        limits: limits.plugin,
        growth_bytes: 0,
    };
    let span = report::begin();
    // Dropped at once: the gateway loads it again, and refuses with a reason what cannot be loaded.
    if Instance::load(&facts, &package.wasm, &spec).is_ok() {
        span.end(&format!("{}, its load", package.name));
    }
}

fn print(replay: &mut Replay) {
    while let Some(line) = replay.next_line() {
        uart::line(&line);
    }
}
