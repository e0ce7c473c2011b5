//! The packages: those of the flash partition, else the project's own, linked into the image.

use alloc::format;
use alloc::string::String;

use skiff_runtime::package::Package;

use crate::partition::{PackageParts, Partition};

/// The project's packages with their sample configurations, in the order they are installed.
const LINKED: [PackageParts; 2] = [
    PackageParts {
        manifest: include_bytes!("../../../plugins/rust/true-wind/package.json"),
        module: include_bytes!("../../../plugins/rust/true-wind/plugin-small.wasm"),
        config: Some(include_str!("../../../plugins/rust/true-wind/sample-config.json")),
    },
    PackageParts {
        manifest: include_bytes!("../../../plugins/assemblyscript/shallow-water-alarm/package.json"),
        module: include_bytes!("../../../plugins/assemblyscript/shallow-water-alarm/plugin-small.wasm"),
        config: Some(include_str!("../../../plugins/assemblyscript/shallow-water-alarm/sample-config.json")),
    },
];

/// Visits what is to be installed.
pub fn stored(partition: &Partition) -> impl Iterator<Item = PackageParts> {
    let linked = partition.packages().next().is_none() && !partition.asks_for("no-packages");
    partition.packages().chain(LINKED.into_iter().filter(move |_| linked))
}

/// Reads a package; its module stays in flash.
///
/// # Errors
/// A clause that names what is wrong.
pub fn read(stored: &PackageParts) -> Result<Package, String> {
    if stored.manifest.starts_with(b"{") {
        return Package::from_parts(stored.manifest, stored.module).map_err(|error| format!("{error}"));
    }
    let name = core::str::from_utf8(stored.manifest).map_err(|_| String::from("the name is not UTF-8"))?;
    Package::from_wasm(name, stored.module).map_err(|error| format!("{name}: {error}"))
}
