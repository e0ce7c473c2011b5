//! What `--sample` needs, inside the binary: the simulated boat and the project's two packages.

use skiff_runtime::n2k::log::{Item, Record};
use skiff_runtime::n2k::sample;
use skiff_runtime::package::{Package, PackageError};

/// Seed of the boat that `--sample` shows.
const SEED: u64 = 1;
/// Length of the sample: one round, in which the depth alarm rises and clears.
const LENGTH_MS: i64 = sample::LENGTH_SECONDS as i64 * 1000;

/// An embedded package with its sample configuration.
pub struct Embedded {
    package_json: &'static [u8],
    wasm: &'static [u8],
    /// Configuration it gets in the sample, a JSON object.
    pub config: &'static str,
}

impl Embedded {
    /// Reads the package.
    ///
    /// # Errors
    /// [`PackageError`]; a test reads every embedded package.
    pub fn package(&self) -> Result<Package, PackageError> {
        Package::from_parts(self.package_json, self.wasm)
    }
}

/// The embedded packages, in the order they are installed.
pub const PACKAGES: [Embedded; 2] = [
    Embedded {
        package_json: include_bytes!("../../plugins/rust/true-wind/package.json"),
        wasm: include_bytes!("../../plugins/rust/true-wind/plugin-small.wasm"),
        config: include_str!("../../plugins/rust/true-wind/sample-config.json"),
    },
    Embedded {
        package_json: include_bytes!("../../plugins/assemblyscript/shallow-water-alarm/package.json"),
        wasm: include_bytes!("../../plugins/assemblyscript/shallow-water-alarm/plugin-small.wasm"),
        config: include_str!("../../plugins/assemblyscript/shallow-water-alarm/sample-config.json"),
    },
];

/// The sample's records, with the times of the simulated boat.
pub struct Records {
    boat: sample::Sample,
}

impl Records {
    /// Starts at [`sample::START`].
    #[must_use]
    pub fn new() -> Self {
        Self { boat: sample::Sample::new(SEED) }
    }
}

impl Default for Records {
    fn default() -> Self {
        Self::new()
    }
}

impl Iterator for Records {
    type Item = Record;

    fn next(&mut self) -> Option<Record> {
        let (time, frame) = self.boat.next()?;
        (time.0 < sample::START.0.saturating_add(LENGTH_MS))
            .then_some(Record { time: Some(time), item: Item::Frame(frame) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_embedded_package_can_be_read() {
        let names: Vec<String> = PACKAGES.iter().map(|embedded| embedded.package().unwrap().name).collect();
        assert_eq!(names, ["@skiff/true-wind", "@skiff/shallow-water-alarm"]);
        for embedded in &PACKAGES {
            assert!(serde_json::from_str::<serde_json::Map<String, serde_json::Value>>(embedded.config).is_ok());
        }
    }

    #[test]
    fn the_sample_lasts_one_round_and_repeats() {
        let records: Vec<Record> = Records::new().collect();
        let last = records.last().unwrap().time.unwrap();
        assert!((LENGTH_MS - 1000..LENGTH_MS).contains(&(last.0 - sample::START.0)));
        assert_eq!(Records::new().count(), records.len());
    }
}
