//! What is known of the machine that was measured.

use std::fs;

use serde_json::{Value, json};

/// The machine.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Machine {
    /// Name of the processor, or of the board it is on.
    pub processor: String,
    /// Processors that this process may use.
    pub processors: usize,
    /// Memory, bytes; 0 where it is not known.
    pub memory_bytes: u64,
    /// Operating system, its release and the architecture that this program is built for.
    pub system: String,
    /// This program runs in an emulator of another processor, so its times mean nothing.
    pub emulated: bool,
}

impl Machine {
    /// Asks the system.
    #[must_use]
    pub fn this() -> Self {
        let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
        let (cpuinfo, meminfo, status) = (read("/proc/cpuinfo"), read("/proc/meminfo"), read("/proc/self/status"));
        let board = read("/proc/device-tree/model");
        let uname = rustix::system::uname();
        Self {
            processor: processor(&cpuinfo, &board),
            processors: std::thread::available_parallelism().map_or(1, usize::from),
            memory_bytes: memory(&meminfo),
            system: format!(
                "{} {}, {}",
                uname.sysname().to_string_lossy(),
                uname.release().to_string_lossy(),
                std::env::consts::ARCH
            ),
            emulated: is_emulated(&cpuinfo, &status, std::env::consts::ARCH),
        }
    }

    /// Returns the members of the report.
    #[must_use]
    pub fn json(&self) -> Value {
        json!({
            "processor": self.processor,
            "processors": self.processors,
            "memoryBytes": self.memory_bytes,
            "system": self.system,
            "emulated": self.emulated,
        })
    }

    /// Returns it in one line.
    #[must_use]
    pub fn line(&self) -> String {
        let memory = skiff_measure::plot::Unit::Bytes;
        #[expect(clippy::cast_precision_loss, reason = "shown with three digits")]
        let memory = memory.text(self.memory_bytes as f64);
        format!("{}, {} processors, {memory} of memory, {}", self.processor, self.processors, self.system)
    }
}

/// The value of a field of proc(5) files such as `cpuinfo`.
fn field<'t>(text: &'t str, name: &str) -> Option<&'t str> {
    text.lines().find_map(|line| {
        let (found, value) = line.split_once(':')?;
        (found.trim() == name).then(|| value.trim())
    })
}

fn processor(cpuinfo: &str, board: &str) -> String {
    let board = board.trim_end_matches('\0').trim();
    let names = [board, field(cpuinfo, "model name").unwrap_or(""), field(cpuinfo, "Model").unwrap_or("")];
    names.into_iter().find(|name| !name.is_empty()).unwrap_or("unknown processor").to_owned()
}

fn memory(meminfo: &str) -> u64 {
    let kibibytes = field(meminfo, "MemTotal").and_then(|value| value.strip_suffix(" kB")?.parse::<u64>().ok());
    kibibytes.unwrap_or(0).saturating_mul(1024)
}

/// QEMU's user emulation leaves the name of the emulator, or the processor of the machine below, to be seen.
fn is_emulated(cpuinfo: &str, status: &str, built_for: &str) -> bool {
    let is_x86 = field(cpuinfo, "vendor_id").is_some();
    let by_name = field(status, "Name").is_some_and(|name| name.starts_with("qemu-"));
    by_name || (is_x86 && !built_for.starts_with("x86"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_come_from_the_board_or_the_processor() {
        assert_eq!(processor("model name\t: AMD EPYC\n", ""), "AMD EPYC");
        assert_eq!(processor("", "Raspberry Pi Zero 2 W Rev 1.0\0"), "Raspberry Pi Zero 2 W Rev 1.0");
        assert_eq!(processor("", ""), "unknown processor");
        assert_eq!(memory("MemTotal:       1000 kB\n"), 1_024_000);
        assert_eq!(memory(""), 0);
    }

    #[test]
    fn an_emulator_is_recognised() {
        assert!(is_emulated("", "Name:\tqemu-aarch64\n", "aarch64"));
        assert!(is_emulated("vendor_id\t: AuthenticAMD\n", "Name:\tskiff\n", "arm"));
        assert!(!is_emulated("vendor_id\t: AuthenticAMD\n", "Name:\tskiff\n", "x86_64"));
        assert!(!is_emulated("CPU implementer\t: 0x41\n", "Name:\tskiff\n", "aarch64"));
    }
}
