//! What lies in the data partition of the flash: boot words, the log, packages; written by `cargo xtask qemu`.

use alloc::format;
use alloc::string::String;

use skiff_runtime::budget::{Board, Limits};
use skiff_runtime::hal::CanFrame;
use skiff_runtime::n2k::log::{Item, Record};
use skiff_runtime::time::UnixMillis;
use skiff_virt::partition::entries;

/// Text: words that ask for something, for instance `wedge`.
const WORDS: u32 = 1;
/// The log: time of its start (64 bits, milliseconds), then records of [`RECORD_BYTES`].
const LOG: u32 = 2;
/// A `package.json`, or the bare name of a module that has none.
const MANIFEST: u32 = 3;
/// The module of the manifest before it.
const MODULE: u32 = 4;
/// The configuration of the package before it.
const CONFIG: u32 = 5;

/// Time since the start of the log, identifier with 8 - length in its upper three bits, data.
const RECORD_BYTES: usize = 16;

/// The partition.
#[derive(Clone, Copy)]
pub struct Partition;

/// A package as it lies there.
#[derive(Clone, Copy)]
pub struct PackageParts {
    /// `package.json`, or a bare name.
    pub manifest: &'static [u8],
    /// The module.
    pub module: &'static [u8],
    /// Its configuration, a JSON object.
    pub config: Option<&'static str>,
}

impl Partition {
    /// Tells whether a boot word is set.
    pub fn asks_for(&self, word: &str) -> bool {
        self.words().any(|one| one == word)
    }

    /// Returns the limits that are kept to: those of the boot word `board=NAME`, else this machine's own, whose plugins
    /// have the network's share where the boot word `net` does not ask for one.
    ///
    /// # Errors
    /// A clause that names an unknown board, or one that takes more than this machine has.
    pub fn limits(&self) -> Result<Limits, String> {
        let own = Limits::of(Board::QemuRiscv32);
        let Some(name) = self.words().find_map(|word| word.strip_prefix("board=")) else {
            return Ok(if self.asks_for("net") { own } else { own.without_network() });
        };
        let board = Board::from_name(name).filter(|board| matches!(board, Board::QemuRiscv32 | Board::Esp32C6));
        let board = board
            .ok_or_else(|| format!("board={name}: this machine has the memory of qemu-riscv32 and esp32c6 only"))?;
        Ok(Limits::of(board))
    }

    /// Visits the boot words.
    pub fn words(&self) -> impl Iterator<Item = &'static str> {
        let text = self.of(WORDS).next().and_then(|bytes| core::str::from_utf8(bytes).ok());
        text.unwrap_or_default().split_whitespace()
    }

    /// Visits the records of the log; `None` when there is none.
    pub fn log(&self) -> Option<(UnixMillis, impl Iterator<Item = Record> + use<>)> {
        let (start, records) = self.of(LOG).next()?.split_first_chunk::<8>()?;
        let start = UnixMillis(i64::from_le_bytes(*start));
        Some((start, records.chunks_exact(RECORD_BYTES).filter_map(move |bytes| record(start, bytes))))
    }

    /// Visits the packages.
    pub fn packages(&self) -> impl Iterator<Item = PackageParts> + use<> {
        let mut entries = entries().filter(|(kind, _)| matches!(*kind, MANIFEST | MODULE | CONFIG)).peekable();
        core::iter::from_fn(move || {
            let (_, manifest) = entries.find(|(kind, _)| *kind == MANIFEST)?;
            let (_, module) = entries.next_if(|(kind, _)| *kind == MODULE)?;
            let config = entries.next_if(|(kind, _)| *kind == CONFIG);
            let config = config.and_then(|(_, bytes)| core::str::from_utf8(bytes).ok());
            Some(PackageParts { manifest, module, config })
        })
    }

    fn of(self, wanted: u32) -> impl Iterator<Item = &'static [u8]> + use<> {
        entries().filter(move |(kind, _)| *kind == wanted).map(|(_, data)| data)
    }
}

fn record(start: UnixMillis, bytes: &[u8]) -> Option<Record> {
    let (time, rest) = bytes.split_first_chunk::<4>()?;
    let (id, data) = rest.split_first_chunk::<4>()?;
    let (time, id) = (u32::from_le_bytes(*time), u32::from_le_bytes(*id));
    let length = 8_usize.saturating_sub((id >> 29) as usize);
    let frame = CanFrame::new(id & CanFrame::ID_MAX, data.get(..length)?)?;
    Some(Record { time: Some(UnixMillis(start.0.saturating_add(time.into()))), item: Item::Frame(frame) })
}
