//! The emulated board: built, booted, and what it said.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use super::partition::Partition;
use crate::process;
use crate::toolchain::{CHIP, Toolchain};

/// The emulator.
pub const EMULATOR: &str = "qemu-system-riscv32";
/// Where the partition lies, as `link.x` of the board says.
const PARTITION_AT: &str = "0x80300000";
/// After so long a board that says nothing more is ended.
const SILENCE_MAX: Duration = Duration::from_secs(300);

/// What a board said until it ended.
#[derive(Debug)]
pub struct Ended {
    /// Its exit status.
    pub code: Option<i32>,
    /// Lines of data: what plugins emitted.
    pub lines: Vec<String>,
    /// Lines of talk, without their `#`.
    pub talk: Vec<String>,
    /// Measurements by name.
    pub measured: Vec<(String, u64)>,
    /// How long it took here.
    pub took: Duration,
}

/// Builds the image.
///
/// # Errors
/// What cargo said.
pub fn build() -> Result<PathBuf, String> {
    let toolchain = Toolchain::ensure(CHIP)?;
    let folder = process::top().join("hal-esp32");
    let target = process::top().join("target/hal-esp32");
    let mut cargo = toolchain.cargo(&folder);
    cargo.args(["build", "--release", "--locked", "-p", "skiff-qemu-riscv32", "--target", CHIP, "--target-dir"]);
    process::run(cargo.arg(&target))?;
    Ok(target.join(CHIP).join("release/skiff-qemu-riscv32"))
}

/// Boots an image with a partition and listens until the board ends.
///
/// # Errors
/// That the emulator cannot be run, or that the board fell silent.
pub fn boot(image: &Path, partition: &Partition) -> Result<Ended, String> {
    let partition = super::target_file("partition.bin", &partition.bytes()?)?;
    let mut command = Command::new(EMULATOR);
    command.args(["-M", "virt", "-m", "8M", "-nographic", "-bios", "none", "-monitor", "none", "-serial", "stdio"]);
    // One virtual nanosecond an instruction: the same run every time.
    command.args(["-icount", "shift=0", "-kernel"]).arg(image);
    command.arg("-device").arg(format!("loader,file={},addr={PARTITION_AT},force-raw=on", partition.display()));
    let began = Instant::now();
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|error| format!("cannot start {EMULATOR}: {error}"))?;
    let output = child.stdout.take().ok_or("the emulator has no output")?;
    let (sender, lines) = mpsc::channel();
    std::thread::spawn(move || {
        for line in BufReader::new(output).split(b'\n').map_while(Result::ok) {
            if sender.send(String::from_utf8_lossy(&line).trim_end_matches('\r').to_string()).is_err() {
                return;
            }
        }
    });
    let mut ended =
        Ended { code: None, lines: Vec::new(), talk: Vec::new(), measured: Vec::new(), took: Duration::ZERO };
    loop {
        match lines.recv_timeout(SILENCE_MAX) {
            Ok(line) => ended.take(&line),
            Err(mpsc::RecvTimeoutError::Disconnected) => break,
            Err(mpsc::RecvTimeoutError::Timeout) => {
                let _ = child.kill();
                let _ = child.wait();
                let last = ended.talk.last().cloned().unwrap_or_default();
                return Err(format!("the board fell silent; its last words: {last}"));
            }
        }
    }
    let status = child.wait().map_err(|error| format!("cannot wait for {EMULATOR}: {error}"))?;
    ended.code = status.code();
    ended.took = began.elapsed();
    Ok(ended)
}

impl Ended {
    fn take(&mut self, line: &str) {
        let Some(talk) = line.strip_prefix('#') else {
            self.lines.push(line.to_string());
            return;
        };
        let talk = talk.trim_start();
        let measured = talk.strip_prefix("= ").and_then(|row| row.rsplit_once(' '));
        match measured.and_then(|(name, value)| Some((name.to_string(), value.parse().ok()?))) {
            Some(row) => self.measured.push(row),
            None => self.talk.push(talk.to_string()),
        }
    }

    /// Returns a measurement.
    pub fn measure(&self, name: &str) -> Option<u64> {
        self.measured.iter().find(|(row, _)| row == name).map(|(_, value)| *value)
    }

    /// Checks the exit status.
    ///
    /// # Errors
    /// The status and the last words.
    pub fn expect_exit(&self, code: i32) -> Result<(), String> {
        if self.code == Some(code) {
            return Ok(());
        }
        let from = self.talk.len().saturating_sub(8);
        let last = self.talk.get(from..).unwrap_or_default().join("\n  ");
        Err(format!("the board ended with {:?}, not {code}; its last words:\n  {last}", self.code))
    }

    /// Checks that a line of talk has a text in it.
    ///
    /// # Errors
    /// The text that is missing.
    pub fn expect_talk(&self, text: &str) -> Result<(), String> {
        let said = self.talk.iter().any(|line| line.contains(text));
        if said {
            Ok(())
        } else {
            Err(format!("the board did not say `{text}`; it said:\n  {}", self.talk.join("\n  ")))
        }
    }
}
