//! The package's units under a real systemd: installed, watched, killed, stopped and removed as on a boat computer.
//!
//! No systemd runs where most tests do. So a whole small Debian boots in QEMU, all of it in memory, with the kernel and the CAN modules
//! of `can-guest`. What is checked there stands in `guest.sh`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use crate::machine::{self, Kernel, Machine};
use crate::{debian, package, process};

/// What the guest has beside Debian's minimum.
const PACKAGES: [&str; 6] = ["systemd-sysv", "udev", "kmod", "iproute2", "can-utils", "curl"];
/// Folders of the guest that nobody there reads; they would take its memory.
const UNREAD: [&str; 5] = ["usr/share/doc", "usr/share/man", "usr/share/locale", "var/cache/apt", "var/lib/apt/lists"];
/// Folders of the kernel's modules that the guest has.
const MODULES: [&str; 2] = ["kernel/net/can", "kernel/drivers/net/can"];
/// Memory of the guest; its file system takes some 250 MiB of it.
const MEMORY_MIB: u32 = 1024;
/// Two serial ports beside the console, joined by a cable.
const CABLE: [&str; 8] = [
    "-chardev",
    "socket,id=left,path=cable,server=on,wait=off",
    "-serial",
    "chardev:left",
    "-chardev",
    "socket,id=right,path=cable",
    "-serial",
    "chardev:right",
];
/// A bus with one controller, whose driver the guest loads when it is told to.
const CONTROLLER: [&str; 4] = ["-object", "can-bus,id=bus0", "-device", "kvaser_pci,canbus=bus0"];
/// Checks of `guest.sh` that must have been made; fewer means that it ended early.
const CHECKS_MIN: usize = 51;
/// Time for all of it on a slow machine without virtualization; two to four minutes are usual.
const TIMEOUT: Duration = Duration::from_secs(900);

/// Runs `xtask unit-guest [PACKAGE.deb]`.
///
/// # Errors
/// What cannot be built or installed, or the first check that failed.
pub fn run(arguments: &[String]) -> Result<(), String> {
    let package = match arguments {
        [] => package::deb_of_this_machine()?,
        [file] => PathBuf::from(file),
        _ => return Err("the only argument is a package".into()),
    };
    machine::prepare()?;
    debian::packages(&["cpio"])?;
    let began = Instant::now();
    let folder = process::target().join("unit-guest");
    fs::create_dir_all(&folder).map_err(|error| format!("cannot make {}: {error}", folder.display()))?;
    let kernel = Kernel::fetch()?;
    let image = pack(&folder, &kernel, &package)?;
    eprintln!("the guest is packed ({} s)", began.elapsed().as_secs());
    let cable = folder.join("cable");
    let _ = fs::remove_file(&cable);
    let cable = CABLE.map(|word| word.replace("path=cable", &format!("path={}", cable.display())));
    let devices: Vec<&str> = cable.iter().map(String::as_str).chain(CONTROLLER).collect();
    // The console is for what is found.
    let append = "panic=-1 systemd.mask=serial-getty@ttyS0.service systemd.show_status=no";
    let machine = Machine { memory_mib: MEMORY_MIB, devices: &devices, append, timeout: TIMEOUT };
    let count = machine::judge(&machine.boot(&kernel, &image)?, CHECKS_MIN)?;
    println!("{count} checks passed under systemd in Debian {} ({} s)", debian::SUITE, began.elapsed().as_secs());
    Ok(())
}

/// Builds the file system of the guest.
fn pack(folder: &Path, kernel: &Kernel, package: &Path) -> Result<PathBuf, String> {
    let base = folder.join(format!("debian-{}.tar", debian::SUITE));
    if !base.is_file() {
        debian::minimum(&base, "amd64", &PACKAGES)?;
    }
    let root = folder.join("root");
    let _ = fs::remove_dir_all(&root);
    fs::create_dir_all(&root).map_err(|error| format!("cannot make {}: {error}", root.display()))?;
    let unread = UNREAD.map(|path| format!("--exclude=./{path}/*"));
    process::run(Command::new("tar").arg("-xpf").arg(&base).args(unread).arg("-C").arg(&root))?;
    put_modules(&root, kernel)?;
    process::copy(package, &root.join("srv/skiff.deb"))?;
    process::write(&root.join("srv/guest.sh"), include_str!("guest.sh"))?;
    process::write(&root.join("etc/systemd/system/guest.service"), include_str!("guest.service"))?;
    let wants = root.join("etc/systemd/system/multi-user.target.wants");
    fs::create_dir_all(&wants)
        .and_then(|()| std::os::unix::fs::symlink("../guest.service", wants.join("guest.service")))
        .and_then(|()| std::os::unix::fs::symlink("usr/lib/systemd/systemd", root.join("init")))
        .map_err(|error| format!("{}: {error}", wants.display()))?;
    process::write(&root.join("etc/hostname"), "boat\n")?;
    // Only when it is asked for: that is the adapter being plugged in.
    process::write(&root.join("etc/modprobe.d/guest.conf"), "blacklist kvaser_pci\n")?;
    let image = folder.join("initrd");
    let mut archive = Command::new("sh");
    archive.args(["-c", "find . | cpio --quiet -o -H newc > ../initrd"]).current_dir(&root);
    process::run(&mut archive)?;
    // Packed by now, and a whole Debian.
    let _ = fs::remove_dir_all(&root);
    Ok(image)
}

/// Puts the modules of CAN where modprobe looks for them.
fn put_modules(root: &Path, kernel: &Kernel) -> Result<(), String> {
    let version = kernel.modules.file_name().unwrap_or_default();
    let to = root.join("lib/modules").join(version);
    for part in MODULES {
        for file in machine::walk(&kernel.modules.join(part)) {
            let name = file.strip_prefix(&kernel.modules).map_err(|error| error.to_string())?;
            process::copy(&file, &to.join(name))?;
        }
    }
    for list in ["modules.builtin", "modules.builtin.modinfo", "modules.order"] {
        process::copy(&kernel.modules.join(list), &to.join(list))?;
    }
    process::run(Command::new("chroot").arg(root).arg("depmod").arg(version))
}
