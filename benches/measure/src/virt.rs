//! QEMU's RISC-V machine `virt` as the boards of this project use it: how it is started, and what lies in its flash.
//!
//! `hal-esp32/virt` is the other side.

use std::path::Path;
use std::process::Command;

/// The emulator.
pub const EMULATOR: &str = "qemu-system-riscv32";
/// Where the data partition lies, as `link.x` of `hal-esp32/virt` says.
const PARTITION_AT: &str = "0x80300000";
/// Bytes it holds.
const PARTITION_BYTES: usize = 1024 * 1024;
const MAGIC: &[u8; 8] = b"SKPART01";
/// Kind of an entry that is there for its length only.
const FILLER: u32 = 99;

/// Returns the command that boots an image with a file as its data partition; its serial port is standard input and output.
#[must_use]
pub fn emulator(image: &Path, partition: &Path) -> Command {
    let mut command = Command::new(EMULATOR);
    command.args(["-M", "virt", "-m", "8M", "-nographic", "-bios", "none", "-monitor", "none", "-serial", "stdio"]);
    // One virtual nanosecond an instruction: the same run every time.
    command.args(["-icount", "shift=0", "-kernel"]).arg(image).arg("-device");
    command.arg(format!("loader,file={},addr={PARTITION_AT},force-raw=on", partition.display()));
    command
}

/// A data partition that is being written: magic, then entries of kind and length (32 bits each, little-endian) and data,
/// padded to four bytes; kind 0 ends it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entries(Vec<u8>);

impl Default for Entries {
    fn default() -> Self {
        Self(MAGIC.to_vec())
    }
}

impl Entries {
    /// Adds an entry.
    #[must_use]
    pub fn entry(mut self, kind: u32, data: &[u8]) -> Self {
        self.0.extend(kind.to_le_bytes());
        self.0.extend(u32::try_from(data.len()).unwrap_or(u32::MAX).to_le_bytes());
        self.0.extend(data);
        self.0.resize(self.0.len().next_multiple_of(4), 0);
        self
    }

    /// Adds an entry whose data begins at a multiple of 16 bytes.
    #[must_use]
    pub fn aligned_entry(self, kind: u32, data: &[u8]) -> Self {
        // Both heads are eight bytes long.
        let begins = self.0.len().saturating_add(16);
        let filler = vec![0; begins.next_multiple_of(16).saturating_sub(begins)];
        self.entry(FILLER, &filler).entry(kind, data)
    }

    /// Returns the bytes to load.
    ///
    /// # Errors
    /// How many too many there are.
    pub fn bytes(&self) -> Result<Vec<u8>, String> {
        let mut bytes = self.0.clone();
        bytes.extend([0; 8]);
        if bytes.len() > PARTITION_BYTES {
            return Err(format!("the partition takes {} bytes, the flash has {PARTITION_BYTES} for it", bytes.len()));
        }
        Ok(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_are_padded_and_ended() {
        let bytes = Entries::default().entry(3, b"abc").bytes().unwrap();
        assert_eq!(bytes, *b"SKPART01\x03\0\0\0\x03\0\0\0abc\0\0\0\0\0\0\0\0\0");
    }

    #[test]
    fn data_can_begin_at_a_multiple_of_sixteen() {
        for before in 0..20 {
            let bytes = Entries::default().entry(1, &vec![7; before]).aligned_entry(4, b"\0asm").bytes().unwrap();
            let at = bytes.windows(4).position(|four| four == b"\0asm").unwrap();
            assert_eq!(at % 16, 0, "{before}");
        }
    }

    #[test]
    fn what_does_not_fit_is_refused_with_its_size() {
        let full = Entries::default().entry(1, &vec![0; PARTITION_BYTES - 24]);
        assert_eq!(full.bytes().map(|bytes| bytes.len()), Ok(PARTITION_BYTES));
        assert!(full.entry(1, b"").bytes().unwrap_err().contains("1048584"));
    }
}
