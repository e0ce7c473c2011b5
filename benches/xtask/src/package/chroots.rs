//! Tries a package where nothing else is: a fresh Debian of its processor, or a root with that one file.
//!
//! No systemd runs in a chroot. So the unit's own command is read from the installed unit and started as its user, in a network
//! of its own where port 3000 is free; this side is the service manager it tells that it is ready. What is checked stands
//! in `try.sh`.

use std::fs;
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use super::contents::{empty_folder, set_mode};
use super::elf::Linkage;
use super::systems::System;
use crate::debian::{self, SUITE};
use crate::{process, sample};

/// Checks of `try.sh` that must have been made with each kind of package; fewer means that it ended early.
const CHECKS_MIN: [usize; 2] = [32, 51];
/// What the root has beside Debian's minimum: what Venus OS runs its services and scripts with.
const MORE: [&str; 2] = ["busybox", "daemontools"];
/// From the beginning of the installation to the first value over REST, seconds, on this processor.
const SECONDS_MAX: u64 = 60;
/// Where the program tells that it is ready, below its root.
const NOTIFY: &str = "run/skiff-notify";

/// Installs a package in a fresh root, starts it and asks it. Where that cannot be on this machine, that is told.
///
/// # Errors
/// The first check that failed.
pub fn try_out(system: &System, linkage: Linkage, package: &Path) -> Result<(), String> {
    let name = package.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let base = match base(system) {
        Ok(base) => base,
        Err(reason) => {
            println!("SKIPPED: {name} was NOT TRIED on this machine: {reason}");
            return Ok(());
        }
    };
    let root = package.with_extension("root");
    empty_folder(&root)?;
    process::run(Command::new("tar").arg("-xpf").arg(&base).arg("-C").arg(&root))?;
    let script = root.with_extension("sh");
    process::write(&script, include_str!("try.sh"))?;
    set_mode(&script, 0o755)?;
    let notify = root.join(NOTIFY);
    let manager = UnixDatagram::bind(&notify).map_err(|error| format!("{}: {error}", notify.display()))?;
    manager.set_nonblocking(true).map_err(|error| error.to_string())?;
    // Whoever the service runs as.
    set_mode(&notify, 0o777)?;
    sample::write(&root.join("srv/sample.candump"))?;
    let began = Instant::now();
    let (kind, checks_min) = match linkage {
        Linkage::Dynamic => ("deb", CHECKS_MIN[0]),
        Linkage::Static => ("archive", CHECKS_MIN[1]),
    };
    let mut unshare = Command::new("unshare");
    unshare.args(["--net", "bash"]).arg(&script).arg(kind).arg(&root).arg(package);
    let output = process::output(&mut unshare)?;
    let ran = began.elapsed().as_secs();
    output.lines().for_each(|line| println!("{line}"));
    let count = output.lines().filter(|line| line.starts_with("ok ")).count();
    if count < checks_min {
        return Err(format!("{name}: only {count} checks were made"));
    }
    let told = told(&manager);
    for line in ["READY=1", "STOPPING=1"] {
        if !told.iter().any(|text| text.lines().any(|one| one == line)) {
            return Err(format!("{name}: the service did not tell {line}: {told:?}"));
        }
    }
    let first: Option<u64> =
        output.lines().find_map(|line| line.strip_prefix("first value after ")?.split(' ').next()?.parse().ok());
    match first {
        Some(seconds) if seconds <= SECONDS_MAX || !system.is_here() => {}
        _ => return Err(format!("{name}: the first value came after {first:?} s, wanted are {SECONDS_MAX}")),
    }
    println!("{name}: {count} checks passed in a fresh Debian ({SUITE}, {}), {ran} s", system.debian);
    // A whole Debian each.
    let _ = fs::remove_dir_all(&root);
    Ok(())
}

/// Returns what the service has told so far.
fn told(manager: &UnixDatagram) -> Vec<String> {
    let mut text = [0; 4096];
    std::iter::from_fn(|| {
        let length = manager.recv(&mut text).ok()?;
        Some(String::from_utf8_lossy(text.get(..length)?).into_owned())
    })
    .collect()
}

/// Returns an archive of Debian's minimum for a processor; the one of an earlier run is used again.
fn base(system: &System) -> Result<PathBuf, String> {
    if process::output(&mut process::command("id", ["-u"]))? != "0" {
        return Err("only root may change the root".into());
    }
    debian::packages(&["curl", "iproute2"])?;
    // Containers may not.
    process::output(&mut process::command("unshare", ["--net", "true"]))?;
    if !system.is_here() {
        debian::packages(&["arch-test", "binfmt-support", "qemu-user-static"])?;
        emulate(system)?;
    }
    let archive = process::target().join("package").join(format!("base-{SUITE}-{}.tar", system.debian));
    if archive.is_file() {
        return Ok(archive);
    }
    debian::minimum(&archive, system.debian, &MORE)?;
    Ok(archive)
}

/// Has the kernel start programs of another processor in its emulator.
fn emulate(system: &System) -> Result<(), String> {
    const KERNEL: &str = "/proc/sys/fs/binfmt_misc";
    let name = system.emulator.trim_end_matches("-static");
    let is_known = || Path::new(KERNEL).join(name).is_file();
    if is_known() {
        return Ok(());
    }
    if !Path::new(KERNEL).join("register").exists() {
        process::run(&mut process::command("mount", ["-t", "binfmt_misc", "binfmt_misc", KERNEL]))?;
    }
    process::run(&mut process::command("update-binfmts", ["--enable", name]))?;
    if is_known() { Ok(()) } else { Err(format!("the kernel does not start {} in {name}", system.debian)) }
}
