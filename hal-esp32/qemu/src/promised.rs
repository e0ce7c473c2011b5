//! Plugins on the engine for chips: their images are made before the log is played, and what they hold is watched while it is.

use alloc::borrow::Cow;
use alloc::boxed::Box;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::ops::ControlFlow;

use skiff_runtime::budget::Limits;
use skiff_runtime::flash::FlashStorage;
use skiff_runtime::gateway::Gateway;
use skiff_runtime::hal::sim::SimStorage;
use skiff_runtime::hal::{Capacity, IMAGES_MADE, Images, Key, Storage, StorageError};
use skiff_runtime::images::{self, Installation, Progress};
use skiff_virt::uart;

use crate::flash::RamFlash;
use crate::partition::Partition;
use crate::{flash, packages, report, watchdog};

/// Images in flash, records in RAM, as the board with wasmi has them while it plays a log: what finding a record in flash takes
/// is measured elsewhere (`cargo xtask qemu --storage`).
struct Parts {
    records: SimStorage,
    flash: FlashStorage<RamFlash>,
}

impl Parts {
    fn of(&mut self, key: &str) -> &mut dyn Storage {
        if key.starts_with(IMAGES_MADE) { &mut self.flash } else { &mut self.records }
    }
}

impl Storage for Parts {
    fn len(&mut self, key: &Key) -> Result<u32, StorageError> {
        self.of(key.as_str()).len(key)
    }

    fn read(&mut self, key: &Key, offset: u32, buffer: &mut [u8]) -> Result<usize, StorageError> {
        self.of(key.as_str()).read(key, offset, buffer)
    }

    fn replace(&mut self, key: &Key, data: &[u8]) -> Result<(), StorageError> {
        self.of(key.as_str()).replace(key, data)
    }

    fn append(&mut self, key: &Key, data: &[u8]) -> Result<(), StorageError> {
        self.of(key.as_str()).append(key, data)
    }

    fn remove(&mut self, key: &Key) -> Result<(), StorageError> {
        self.of(key.as_str()).remove(key)
    }

    fn list(&mut self, prefix: &str, visit: &mut dyn FnMut(&Key, u32) -> ControlFlow<()>) -> Result<(), StorageError> {
        // Images that no plugin wants yet are those of packages that are installed one after the other.
        self.records.list(prefix, visit)
    }

    fn images(&mut self) -> Option<&mut dyn Images> {
        Some(&mut self.flash)
    }

    fn capacity(&mut self) -> Capacity {
        self.records.capacity()
    }

    fn room_for(&mut self, key: &Key) -> u64 {
        self.of(key.as_str()).room_for(key)
    }
}

/// Opens the flash and translates each package that there is, as an installation does: a start finds its image then.
/// What is refused here the gateway refuses with its reason.
///
/// # Errors
/// A clause that says why the flash cannot be opened.
pub fn translate(partition: &Partition, limits: &Limits) -> Result<Box<dyn Storage>, String> {
    let mounted = FlashStorage::mount_or_format(RamFlash::open(), &flash::layout(limits.board));
    let flash = mounted.map_err(|error| format!("storage: {error}"))?;
    let mut storage = Parts { records: SimStorage::new(), flash };
    for stored in packages::stored(partition) {
        let Ok(package) = packages::read(&stored) else { continue };
        let Cow::Borrowed(wasm) = package.wasm else { continue };
        let name = package.name;
        let span = report::begin();
        let Ok(mut installation) = Installation::new(wasm, &images::bounds(&limits.plugin), limits.total_bytes) else {
            continue;
        };
        log::info!("translation: {name}: heap {} told before", installation.heap_bytes());
        loop {
            watchdog::tick();
            match installation.step(&mut storage, limits.plugin.fuel_per_slice) {
                Progress::Working => {}
                Progress::Done(held) => {
                    log::info!("image: {name}: bytes {}", held.image.size_bytes());
                    break;
                }
                Progress::Refused(refused) => {
                    log::info!("translation: {name}: {refused}");
                    break;
                }
            }
        }
        drop(installation);
        span.end(&format!("{name}, its translation"));
    }
    Ok(Box::new(storage))
}

/// What a plugin was promised and held.
struct Row {
    name: String,
    reserved: u64,
    started: u64,
    peak: u64,
}

/// What each plugin holds, and the most that it and all together ever held.
pub struct Held {
    rows: Vec<Row>,
    peak: u64,
    reserved_peak: u64,
}

impl Held {
    /// Takes down what they hold once all have started.
    pub fn started(gateway: &Gateway) -> Self {
        let plugins = gateway.plugins().plugins();
        let rows = plugins.map(|plugin| Row {
            name: plugin.package_name().to_string(),
            reserved: gateway.plugins().ledger().reserved_by_plugin(plugin.id()),
            started: plugin.memory_used().unwrap_or(0),
            peak: 0,
        });
        let mut held = Self { rows: rows.collect(), peak: 0, reserved_peak: 0 };
        held.look(gateway);
        held
    }

    /// Looks again.
    pub fn look(&mut self, gateway: &Gateway) {
        let (mut used, mut reserved) = (0, 0);
        // Plugins and rows are in the same order: none comes or goes while the log is played.
        for (row, plugin) in self.rows.iter_mut().zip(gateway.plugins().plugins()) {
            let now = plugin.memory_used().unwrap_or(0);
            row.peak = row.peak.max(now);
            used += now;
            reserved += gateway.plugins().ledger().reserved_by_plugin(plugin.id());
        }
        self.peak = self.peak.max(used);
        self.reserved_peak = self.reserved_peak.max(reserved);
    }

    /// Tells it.
    pub fn print(&self) {
        for Row { name, reserved, started, peak } in &self.rows {
            uart::write_fmt(format_args!("# promised: {name}: reserved {reserved}, started {started}, peak {peak}\n"));
        }
        let sum = |of: fn(&Row) -> u64| self.rows.iter().map(of).sum::<u64>();
        let (reserved, started) = (sum(|row| row.reserved), sum(|row| row.started));
        uart::write_fmt(format_args!("# promised: all: reserved {reserved}, started {started}, peak {}\n", self.peak));
        report::value("reserved by plugins, peak", self.reserved_peak);
    }
}
