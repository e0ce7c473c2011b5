//! A virtual machine that boots Debian's own kernel with a file system in memory, and is judged by what it writes.
//!
//! Most machines that test have no CAN, and containers neither modules nor a manager of services.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::{debian, process};

const EMULATOR: &str = "qemu-system-x86_64";

/// Installs what such machines need.
///
/// # Errors
/// What cannot be installed, or that this processor is another.
pub fn prepare() -> Result<(), String> {
    if std::env::consts::ARCH != "x86_64" {
        return Err("runs on x86-64 only: the guest uses this machine's programs".into());
    }
    debian::packages(&["qemu-system-x86"])
}

/// Debian's kernel, unpacked.
pub struct Kernel {
    pub image: PathBuf,
    /// The folder that is named after its version.
    pub modules: PathBuf,
}

impl Kernel {
    /// Fetches Debian's kernel package and unpacks it; the one of an earlier run is used again.
    ///
    /// # Errors
    /// What cannot be fetched or unpacked.
    pub fn fetch() -> Result<Self, String> {
        let folder = process::target().join("can-guest");
        let unpacked = folder.join("kernel");
        if let Some(kernel) = Self::find(&unpacked) {
            return Ok(kernel);
        }
        fs::create_dir_all(&folder).map_err(|error| format!("cannot make {}: {error}", folder.display()))?;
        let depends = process::output(&mut process::command("apt-cache", ["depends", "linux-image-amd64"]))?;
        let package = depends.split_whitespace().find(|word| word.starts_with("linux-image-"));
        let package = depends.split_whitespace().skip(1).find(|word| word.starts_with("linux-image-")).or(package);
        let package = package.ok_or("apt-cache names no kernel for linux-image-amd64")?;
        process::run(Command::new("apt-get").args(["download", "-q", package]).current_dir(&folder))?;
        let archive = files(&folder).find(|file| file.extension().is_some_and(|end| end == "deb"));
        let archive = archive.ok_or("apt-get downloaded no package")?;
        process::run(Command::new("dpkg").arg("-x").arg(&archive).arg(&unpacked))?;
        let _ = fs::remove_file(&archive);
        Self::find(&unpacked).ok_or_else(|| format!("{package} holds no kernel"))
    }

    fn find(unpacked: &Path) -> Option<Self> {
        let image = files(&unpacked.join("boot")).find(|file| file.to_string_lossy().contains("/vmlinuz-"))?;
        let modules = files(&unpacked.join("lib/modules")).next()?;
        Some(Self { image, modules })
    }
}

/// What a machine has beside a processor.
pub struct Machine<'m> {
    pub memory_mib: u32,
    /// Options of the emulator.
    pub devices: &'m [&'m str],
    /// Options of the kernel beside its console.
    pub append: &'m str,
    pub timeout: Duration,
}

impl Machine<'_> {
    /// Boots the guest, and returns what it wrote on its first serial port until it switched itself off.
    ///
    /// # Errors
    /// That the emulator does not start, or the guest does not end in time.
    pub fn boot(&self, kernel: &Kernel, image: &Path) -> Result<String, String> {
        let started = Instant::now();
        let log = image.with_extension("log");
        let file = fs::File::create(&log).map_err(|error| format!("cannot write {}: {error}", log.display()))?;
        let mut emulator = Command::new(EMULATOR);
        // Where the host is busy, the kernel would find its timer broken and stop.
        emulator
            .args(["-accel", "tcg", "-display", "none", "-no-reboot", "-nic", "none", "-monitor", "none"])
            .args(["-m", &self.memory_mib.to_string(), "-serial", "stdio"])
            .args(self.devices)
            .args(["-append", &format!("console=ttyS0 quiet no_timer_check {}", self.append)])
            .arg("-kernel")
            .arg(&kernel.image)
            .arg("-initrd")
            .arg(image)
            .stdin(Stdio::null())
            .stdout(file);
        let mut child = emulator.spawn().map_err(|error| format!("cannot start {EMULATOR}: {error}"))?;
        let ended = loop {
            match child.try_wait() {
                Ok(Some(_)) => break true,
                Ok(None) if started.elapsed() < self.timeout => std::thread::sleep(Duration::from_millis(100)),
                Ok(None) => break false,
                Err(error) => return Err(format!("{EMULATOR}: {error}")),
            }
        };
        if !ended {
            let _ = child.kill();
            let _ = child.wait();
        }
        let output = fs::read(&log).map_err(|error| format!("cannot read {}: {error}", log.display()))?;
        let output = String::from_utf8_lossy(&output).into_owned();
        if ended {
            eprintln!("the guest ran for {:.0} s", started.elapsed().as_secs_f64());
            Ok(output)
        } else {
            Err(format!("the guest did not end within {} s; it said:\n{output}", self.timeout.as_secs()))
        }
    }
}

/// Prints and counts the checks: a line `ok NAME` or `FAILED NAME` each, and `done` at the end.
///
/// # Errors
/// The first that failed, or that fewer than `least` were made.
pub fn judge(output: &str, least: usize) -> Result<usize, String> {
    let lines: Vec<&str> = output.lines().map(str::trim_end).collect();
    let ok = lines.iter().filter(|line| line.starts_with("ok ")).count();
    lines.iter().filter(|line| line.starts_with("ok ")).for_each(|line| println!("{line}"));
    if let Some(failed) = lines.iter().find(|line| line.starts_with("FAILED ")) {
        return Err(format!("{failed}; the guest said:\n{output}"));
    }
    if ok < least || !lines.contains(&"done") {
        return Err(format!("only {ok} checks were made; the guest said:\n{output}"));
    }
    Ok(ok)
}

/// Returns all files below a folder.
pub fn walk(folder: &Path) -> Vec<PathBuf> {
    let (mut found, mut open) = (Vec::new(), vec![folder.to_path_buf()]);
    while let Some(folder) = open.pop() {
        for path in files(&folder) {
            if path.is_dir() { open.push(path) } else { found.push(path) }
        }
    }
    found
}

fn files(folder: &Path) -> impl Iterator<Item = PathBuf> {
    fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_guest_passes_when_it_made_all_checks_and_came_to_its_end() {
        assert_eq!(judge("boot\r\nok one\r\nok two\r\ndone\r\n", 2), Ok(2));
        assert!(judge("ok one\nok two\n", 2).unwrap_err().contains("only 2"));
        assert!(judge("ok one\ndone\n", 2).unwrap_err().contains("only 1"));
        assert!(judge("ok one\nFAILED two\nok three\ndone\n", 2).unwrap_err().starts_with("FAILED two"));
    }
}
