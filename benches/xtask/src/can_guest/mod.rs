//! Skiff on CAN interfaces of a real kernel: a virtual one and two controllers on one bus at 250 kbit/s.
//!
//! Most machines that test have no CAN, and containers no modules. So Debian's own kernel boots in QEMU with an initial
//! file system that holds its CAN modules, `ip`, can-utils, this machine's C library and the `skiff` just built. What is
//! checked there stands in `guest.sh`.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::{built, debian, process};

const EMULATOR: &str = "qemu-system-x86_64";
/// Modules of the kernel, in the order they are loaded; the list stands in `guest.sh` too.
const MODULES: [&str; 6] = ["can", "can-raw", "can-dev", "vcan", "sja1000", "kvaser_pci"];
/// Programs of this machine that the guest needs.
const PROGRAMS: [&str; 5] = ["busybox", "ip", "candump", "cansend", "cangen"];
/// Checks of `guest.sh` that must have been made; fewer means that it ended early.
const CHECKS_MIN: usize = 27;
/// Time for all of it on a slow machine without virtualization; about 20 s are usual.
const TIMEOUT: Duration = Duration::from_secs(170);

/// Runs `xtask can-guest`.
///
/// # Errors
/// What cannot be built or installed, or the first check that failed.
pub fn run(arguments: &[String]) -> Result<(), String> {
    if !arguments.is_empty() {
        return Err("takes no arguments".into());
    }
    if std::env::consts::ARCH != "x86_64" {
        return Err("runs on x86-64 only: the guest uses this machine's programs".into());
    }
    debian::packages(&["qemu-system-x86", "busybox-static", "can-utils", "iproute2"])?;
    let skiff = built::shipped()?;
    let folder = process::target().join("can-guest");
    let kernel = kernel(&folder)?;
    let image = pack(&folder, &kernel, &skiff)?;
    let output = boot(&kernel.image, &image)?;
    judge(&output)
}

/// Debian's kernel, unpacked.
struct Kernel {
    image: PathBuf,
    modules: PathBuf,
}

/// Fetches Debian's kernel package and unpacks it; the one of an earlier run is used again.
fn kernel(folder: &Path) -> Result<Kernel, String> {
    let unpacked = folder.join("kernel");
    if let Some(kernel) = find(&unpacked) {
        return Ok(kernel);
    }
    fs::create_dir_all(folder).map_err(|error| format!("cannot make {}: {error}", folder.display()))?;
    let depends = process::output(&mut process::command("apt-cache", ["depends", "linux-image-amd64"]))?;
    let package = depends.split_whitespace().find(|word| word.starts_with("linux-image-"));
    let package = depends.split_whitespace().skip(1).find(|word| word.starts_with("linux-image-")).or(package);
    let package = package.ok_or("apt-cache names no kernel for linux-image-amd64")?;
    process::run(Command::new("apt-get").args(["download", "-q", package]).current_dir(folder))?;
    let archive = files(folder).find(|file| file.extension().is_some_and(|end| end == "deb"));
    let archive = archive.ok_or("apt-get downloaded no package")?;
    process::run(Command::new("dpkg").arg("-x").arg(&archive).arg(&unpacked))?;
    let _ = fs::remove_file(&archive);
    find(&unpacked).ok_or_else(|| format!("{package} holds no kernel"))
}

fn find(unpacked: &Path) -> Option<Kernel> {
    let image = files(&unpacked.join("boot")).find(|file| file.to_string_lossy().contains("/vmlinuz-"))?;
    let modules = files(&unpacked.join("lib/modules")).next()?;
    Some(Kernel { image, modules })
}

fn files(folder: &Path) -> impl Iterator<Item = PathBuf> {
    fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path())
}

/// Builds the initial file system.
fn pack(folder: &Path, kernel: &Kernel, skiff: &Path) -> Result<PathBuf, String> {
    let root = folder.join("root");
    let _ = fs::remove_dir_all(&root);
    for name in ["proc", "sys", "dev", "tmp", "root"] {
        let place = root.join(name);
        fs::create_dir_all(&place).map_err(|error| format!("cannot make {}: {error}", place.display()))?;
    }
    let mut programs = vec![(skiff.to_path_buf(), "skiff")];
    for name in PROGRAMS {
        let folders = ["/bin", "/usr/bin", "/sbin", "/usr/sbin"];
        let found = folders.iter().map(|folder| Path::new(folder).join(name)).find(|file| file.is_file());
        programs.push((found.ok_or_else(|| format!("{name} is missing although its package is installed"))?, name));
    }
    for (from, name) in programs {
        let to = root.join("bin").join(name);
        process::copy(&from, &to)?;
        // Symbols would have to be unpacked by the guest.
        let _ = process::output(Command::new("strip").arg(&to));
        // A program without libraries makes ldd fail.
        let libraries = process::output(Command::new("ldd").arg(&from)).unwrap_or_default();
        for library in libraries.split_whitespace().filter(|word| word.starts_with('/')) {
            process::copy(Path::new(library), &root.join(library.trim_start_matches('/')))?;
        }
    }
    for name in MODULES {
        let file = format!("{name}.ko");
        let module = walk(&kernel.modules).into_iter().find(|path| path.file_name().is_some_and(|last| *last == *file));
        let module = module.ok_or_else(|| format!("Debian's kernel has no module {name}"))?;
        process::copy(&module, &root.join("modules").join(file))?;
    }
    let init = root.join("init");
    process::write(&init, include_str!("guest.sh"))?;
    fs::set_permissions(&init, fs::Permissions::from_mode(0o755)).map_err(|error| error.to_string())?;
    let image = folder.join("initrd");
    let mut archive = Command::new("sh");
    archive.args(["-c", "find . | busybox cpio -o -H newc 2>/dev/null > ../initrd"]).current_dir(&root);
    process::run(&mut archive)?;
    Ok(image)
}

/// Returns all files below a folder.
fn walk(folder: &Path) -> Vec<PathBuf> {
    let (mut found, mut open) = (Vec::new(), vec![folder.to_path_buf()]);
    while let Some(folder) = open.pop() {
        for path in files(&folder) {
            if path.is_dir() { open.push(path) } else { found.push(path) }
        }
    }
    found
}

/// Boots the guest, and returns what it wrote until it switched itself off.
fn boot(kernel: &Path, image: &Path) -> Result<String, String> {
    let started = Instant::now();
    let log = image.with_extension("log");
    let file = fs::File::create(&log).map_err(|error| format!("cannot write {}: {error}", log.display()))?;
    let controller = "kvaser_pci,canbus=bus0";
    let mut emulator = Command::new(EMULATOR);
    emulator
        .args(["-accel", "tcg", "-m", "512", "-nographic", "-no-reboot", "-nic", "none", "-monitor", "none"])
        .args(["-object", "can-bus,id=bus0", "-device", controller, "-device", controller])
        .args(["-append", "console=ttyS0 quiet panic=-1"])
        .arg("-kernel")
        .arg(kernel)
        .arg("-initrd")
        .arg(image)
        .stdin(Stdio::null())
        .stdout(file);
    let mut child = emulator.spawn().map_err(|error| format!("cannot start {EMULATOR}: {error}"))?;
    let ended = loop {
        match child.try_wait() {
            Ok(Some(_)) => break true,
            Ok(None) if started.elapsed() < TIMEOUT => std::thread::sleep(Duration::from_millis(100)),
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
        Err(format!("the guest did not end within {} s; it said:\n{output}", TIMEOUT.as_secs()))
    }
}

/// Counts the checks.
fn judge(output: &str) -> Result<(), String> {
    let lines: Vec<&str> = output.lines().map(str::trim_end).collect();
    let ok = lines.iter().filter(|line| line.starts_with("ok ")).count();
    lines.iter().filter(|line| line.starts_with("ok ")).for_each(|line| println!("{line}"));
    if let Some(failed) = lines.iter().find(|line| line.starts_with("FAILED ")) {
        return Err(format!("{failed}; the guest said:\n{output}"));
    }
    if ok < CHECKS_MIN || !lines.contains(&"done") {
        return Err(format!("only {ok} checks were made; the guest said:\n{output}"));
    }
    println!("{ok} checks passed on a real vcan and a pair of controllers at 250 kbit/s");
    Ok(())
}
