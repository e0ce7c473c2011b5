//! Reads the resident set of a running `skiff run --sample`.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use crate::process;

/// What the kernel says about a process's memory, bytes.
#[derive(Clone, Copy, Debug)]
pub struct Resident {
    /// Now (`VmRSS`).
    pub now: u64,
    /// At most since its start (`VmHWM`).
    pub peak: u64,
}

/// How long the sample runs before it is measured.
pub const SECONDS: u64 = 15;

/// Starts `skiff run --sample` on a free port, waits [`SECONDS`], measures and stops it.
///
/// # Errors
/// That it cannot be started, ended early, or that its plugins said nothing.
pub fn of_sample(skiff: &Path) -> Result<Resident, String> {
    let mut child = Command::new(skiff)
        .args(["run", "--sample", "--listen", "127.0.0.1:0"])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|error| format!("cannot start {}: {error}", skiff.display()))?;
    let lines = Arc::new(AtomicU64::new(0));
    if let Some(stdout) = child.stdout.take() {
        let lines = Arc::clone(&lines);
        thread::spawn(move || {
            for _ in BufReader::new(stdout).lines().map_while(Result::ok) {
                lines.fetch_add(1, Ordering::Relaxed);
            }
        });
    }
    thread::sleep(Duration::from_secs(SECONDS));
    let measured = match child.try_wait() {
        Ok(None) => read(&child),
        Ok(Some(status)) => Err(format!("skiff run --sample ended after less than {SECONDS} s ({status})")),
        Err(error) => Err(format!("cannot ask after skiff run --sample: {error}")),
    };
    process::stop(&mut child);
    let resident = measured?;
    if lines.load(Ordering::Relaxed) == 0 {
        return Err(format!("skiff run --sample printed no delta of a plugin in {SECONDS} s"));
    }
    Ok(resident)
}

fn read(child: &Child) -> Result<Resident, String> {
    let path = format!("/proc/{}/status", child.id());
    let status = fs::read_to_string(&path).map_err(|error| format!("cannot read {path}: {error}"))?;
    let field = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
        let kibibytes: Option<u64> = line.and_then(|line| line.trim().strip_suffix(" kB")?.parse().ok());
        kibibytes.map(|kibibytes| kibibytes * 1024).ok_or(format!("{path} has no {name}"))
    };
    Ok(Resident { now: field("VmRSS")?, peak: field("VmHWM")? })
}
