//! Skiff on CAN interfaces of a real kernel: a virtual one and two controllers on one bus at 250 kbit/s.
//!
//! Most machines that test have no CAN, and containers no modules. So Debian's own kernel boots in QEMU with an initial
//! file system that holds its CAN modules, `ip`, can-utils, this machine's C library and the `skiff` just built. What is
//! checked there stands in `guest.sh`.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::machine::{self, Kernel, Machine};
use crate::{built, debian, process};

/// A controller with a driver in Debian's kernel, on the bus of the machine.
const CONTROLLER: &str = "kvaser_pci,canbus=bus0";
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
    machine::prepare()?;
    debian::packages(&["busybox-static", "can-utils", "iproute2"])?;
    let skiff = built::shipped()?;
    let folder = process::target().join("can-guest");
    let kernel = Kernel::fetch()?;
    let image = pack(&folder, &kernel, &skiff)?;
    let controllers = ["-object", "can-bus,id=bus0", "-device", CONTROLLER, "-device", CONTROLLER];
    let machine = Machine { memory_mib: 512, devices: &controllers, append: "panic=-1", timeout: TIMEOUT };
    let output = machine.boot(&kernel, &image)?;
    let count = machine::judge(&output, CHECKS_MIN)?;
    println!("{count} checks passed on a real vcan and a pair of controllers at 250 kbit/s");
    Ok(())
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
        let module =
            machine::walk(&kernel.modules).into_iter().find(|path| path.file_name().is_some_and(|last| *last == *file));
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
