//! Writes the data partition of the emulated board's flash; `qemu/src/partition.rs` reads it.

use skiff_measure::virt::Entries;
use skiff_runtime::hal::CanFrame;
use skiff_runtime::n2k::sample::{LENGTH_SECONDS, SEED, START, Sample};

const WORDS: u32 = 1;
const LOG: u32 = 2;
const MANIFEST: u32 = 3;
const MODULE: u32 = 4;
const CONFIG: u32 = 5;

/// A partition being written.
#[derive(Clone, Debug)]
pub struct Partition(Entries);

impl Partition {
    /// Begins with a log of the whole sample.
    #[must_use]
    pub fn sample() -> Self {
        Self::sample_seconds(LENGTH_SECONDS)
    }

    /// Begins with a log of the first seconds of the sample.
    #[must_use]
    pub fn sample_seconds(seconds: u32) -> Self {
        let mut log = START.0.to_le_bytes().to_vec();
        for (time, frame) in Sample::new(SEED) {
            let since = u32::try_from(time.0 - START.0).unwrap_or(u32::MAX);
            if since >= seconds * 1000 {
                break;
            }
            put(&mut log, since, &frame);
        }
        Self(Entries::default().entry(LOG, &log))
    }

    /// Begins with a log of these frames, each at its time in milliseconds since the start, in order.
    #[must_use]
    pub fn frames(frames: impl IntoIterator<Item = (u32, CanFrame)>) -> Self {
        let mut log = START.0.to_le_bytes().to_vec();
        frames.into_iter().for_each(|(since, frame)| put(&mut log, since, &frame));
        Self(Entries::default().entry(LOG, &log))
    }

    /// Adds boot words, separated by blanks.
    #[must_use]
    pub fn words(self, words: &str) -> Self {
        Self(self.0.entry(WORDS, words.as_bytes()))
    }

    /// Adds a package: its `package.json` or a bare name, its module, its configuration.
    #[must_use]
    pub fn package(self, manifest: &[u8], module: &[u8], config: Option<&str>) -> Self {
        let with = self.0.entry(MANIFEST, manifest).entry(MODULE, module);
        Self(match config {
            Some(config) => with.entry(CONFIG, config.as_bytes()),
            None => with,
        })
    }

    /// Returns the bytes to load, or how many too many there are.
    ///
    /// # Errors
    /// That it does not fit.
    pub fn bytes(&self) -> Result<Vec<u8>, String> {
        self.0.bytes()
    }
}

/// Writes one frame of a log.
fn put(log: &mut Vec<u8>, since: u32, frame: &CanFrame) {
    // At most eight data bytes, so the difference fits three bits and one value more.
    let missing = 8 - u32::try_from(frame.data().len()).unwrap_or(8);
    let mut data = [0; 8];
    data[..frame.data().len()].copy_from_slice(frame.data());
    log.extend(since.to_le_bytes());
    log.extend((frame.id() | missing << 29).to_le_bytes());
    log.extend(data);
}
