//! The emulated board: booted, and what it said.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::time::{Duration, Instant};

use skiff_measure::virt::{EMULATOR, emulator};
use tempfile::NamedTempFile;

use crate::files::path_from;
use crate::partition::Partition;

/// Silence after which a board is ended.
const SILENCE_MAX: Duration = Duration::from_secs(300);

/// What a board said until it ended.
#[derive(Debug, Default)]
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

/// Boots the board with a partition and listens until it ends.
///
/// # Errors
/// That the emulator cannot be run, or that the board fell silent.
pub fn boot(partition: &Partition) -> Result<Ended, String> {
    boot_image(&path_from("SKIFF_BOARD_IMAGE")?, partition)
}

/// Boots another image.
///
/// # Errors
/// As [`boot`].
pub fn boot_image(image: &Path, partition: &Partition) -> Result<Ended, String> {
    let flash = flash_of(partition)?;
    Live::start(&mut emulator(image, flash.path()), flash)?.end(SILENCE_MAX)
}

/// Boots the board with a network; its port 80 is `port` of this machine's loopback address.
///
/// # Errors
/// That the emulator cannot be run.
pub fn boot_live(partition: &Partition, port: u16) -> Result<Live, String> {
    boot_live_with(partition, port, &[])
}

/// The same, with UDP ports of the loopback address that lead to ports of the board.
///
/// # Errors
/// As there.
pub fn boot_live_with(partition: &Partition, port: u16, udp: &[(u16, u16)]) -> Result<Live, String> {
    let flash = flash_of(partition)?;
    let mut command = board(&flash)?;
    command.args(["-global", "virtio-mmio.force-legacy=false", "-device", "virtio-rng-device"]);
    let udp = udp.iter().map(|(here, there)| format!(",hostfwd=udp:127.0.0.1:{here}-:{there}"));
    let udp: String = udp.collect();
    command.arg("-netdev").arg(format!("user,id=net0,hostfwd=tcp:127.0.0.1:{port}-:80{udp}"));
    command.args(["-device", "virtio-net-device,netdev=net0"]);
    Live::start(&mut command, flash)
}

/// Writes a file of its own for each board: they run side by side.
fn flash_of(partition: &Partition) -> Result<NamedTempFile, String> {
    let failed = |error| format!("cannot write a partition: {error}");
    let mut file = NamedTempFile::new().map_err(failed)?;
    file.write_all(&partition.bytes()?).and_then(|()| file.flush()).map_err(failed)?;
    Ok(file)
}

fn board(flash: &NamedTempFile) -> Result<Command, String> {
    Ok(emulator(&path_from("SKIFF_BOARD_IMAGE")?, flash.path()))
}

/// A board that runs.
#[derive(Debug)]
pub struct Live {
    child: Child,
    /// Lines of the serial port.
    lines: Receiver<String>,
    said: Ended,
    began: Instant,
    /// The emulator reads it at every reset.
    _flash: NamedTempFile,
}

impl Live {
    fn start(command: &mut Command, flash: NamedTempFile) -> Result<Self, String> {
        let began = Instant::now();
        let mut child = command
            .stdin(Stdio::piped())
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
        let said =
            Ended { code: None, lines: Vec::new(), talk: Vec::new(), measured: Vec::new(), took: Duration::ZERO };
        Ok(Self { child, lines, said, began, _flash: flash })
    }

    /// Returns what the board has said so far, without its `#`.
    #[must_use]
    pub fn talk(&self) -> &[String] {
        &self.said.talk
    }

    /// Tells what the board has said when something is wrong.
    ///
    /// # Errors
    /// What `outcome` has, with that.
    pub fn explain(&self, outcome: Result<(), String>) -> Result<(), String> {
        outcome.map_err(|reason| format!("{reason}; the board said:\n  {}", self.talk().join("\n  ")))
    }

    /// Ends the board as its operator does, checks that it ended well, and prints measurements.
    ///
    /// # Errors
    /// How it ended instead, or what was not measured.
    pub fn finish(&mut self, wanted: &[&str], patience: Duration) -> Result<Ended, String> {
        self.send(b'q')?;
        self.wait_for("= heap peak ", patience)?;
        let ended = self.end(patience)?;
        ended.expect_exit(0)?;
        for name in wanted {
            println!("{name:<28} {:>12}", ended.measure(name).ok_or_else(|| format!("{name} was not measured"))?);
        }
        Ok(ended)
    }

    /// Sends a byte to the board's serial port.
    ///
    /// # Errors
    /// That the board is gone.
    pub fn send(&mut self, byte: u8) -> Result<(), String> {
        let port = self.child.stdin.as_mut().ok_or("the board's serial port is closed")?;
        port.write_all(&[byte]).and_then(|()| port.flush()).map_err(|error| format!("the board is gone: {error}"))
    }

    /// Waits for a line of talk with a text in it, and returns what stands behind the text.
    ///
    /// # Errors
    /// That the board ended, or was silent for this long.
    pub fn wait_for(&mut self, text: &str, patience: Duration) -> Result<String, String> {
        loop {
            let line = self.lines.recv_timeout(patience).map_err(|error| format!("`{text}` was not said: {error}"))?;
            self.said.take(&line);
            if let Some((_, rest)) = line.split_once(text).filter(|_| line.starts_with('#')) {
                return Ok(rest.trim().to_string());
            }
        }
    }

    /// Listens until the board ends.
    ///
    /// # Errors
    /// That it was silent for this long; it is stopped then.
    pub fn end(&mut self, patience: Duration) -> Result<Ended, String> {
        loop {
            match self.lines.recv_timeout(patience) {
                Ok(line) => self.said.take(&line),
                Err(mpsc::RecvTimeoutError::Disconnected) => break,
                Err(mpsc::RecvTimeoutError::Timeout) => {
                    let last = self.said.talk.last().cloned().unwrap_or_default();
                    return Err(format!("the board fell silent; its last words: {last}"));
                }
            }
        }
        let status = self.child.wait().map_err(|error| format!("cannot wait for {EMULATOR}: {error}"))?;
        self.said.code = status.code();
        self.said.took = self.began.elapsed();
        Ok(std::mem::take(&mut self.said))
    }
}

impl Drop for Live {
    /// Stops a board that still runs.
    fn drop(&mut self) {
        // One that has ended by itself is not there any more.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
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
    #[must_use]
    pub fn measure(&self, name: &str) -> Option<u64> {
        self.measured.iter().find(|(row, _)| row == name).map(|(_, value)| *value)
    }

    /// Visits lines of talk of the form `…MARK NAME: word NUMBER, word NUMBER, …`: name and numbers.
    pub fn numbers<'e>(&'e self, mark: &'e str) -> impl Iterator<Item = (&'e str, Vec<u64>)> {
        self.talk.iter().filter_map(move |line| {
            let (name, rest) = line.split_once(mark)?.1.split_once(": ")?;
            let numbers = rest.split(", ").filter_map(|part| part.rsplit(' ').next()?.parse().ok());
            Some((name, numbers.collect()))
        })
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
