//! Builds for other processors: the chip without the standard library, ARM Linux with it.

use std::process::Command;

use crate::toolchain::{CHIP, Toolchain};
use crate::{debian, process};

/// An ARM Linux that boat computers run.
pub struct Arm {
    /// Rust's name.
    pub target: &'static str,
    /// What Debian calls linker, C library and emulator.
    packages: [&'static str; 3],
    linker: &'static str,
    emulator: &'static str,
    /// Where the C library's package puts the root of the other system.
    root: &'static str,
}

/// 64-bit (Raspberry Pi 3 and later) and 32-bit (older systems) ARM.
pub const ARM: [Arm; 2] = [
    Arm {
        target: "aarch64-unknown-linux-gnu",
        packages: ["gcc-aarch64-linux-gnu", "libc6-dev-arm64-cross", "qemu-user"],
        linker: "aarch64-linux-gnu-gcc",
        emulator: "qemu-aarch64",
        root: "/usr/aarch64-linux-gnu",
    },
    Arm {
        target: "armv7-unknown-linux-gnueabihf",
        packages: ["gcc-arm-linux-gnueabihf", "libc6-dev-armhf-cross", "qemu-user"],
        linker: "arm-linux-gnueabihf-gcc",
        emulator: "qemu-arm",
        root: "/usr/arm-linux-gnueabihf",
    },
];

/// Overrides the dev profile of the dependencies.
const UNOPTIMISED: &str = "profile.dev.package.\"*\".opt-level=0";

impl Arm {
    /// Installs compiler, linker and emulator where they are missing.
    ///
    /// # Errors
    /// Why this target cannot be built on this machine.
    pub fn prepare(&self) -> Result<Toolchain, String> {
        if !process::found(self.linker) || !process::found(self.emulator) {
            debian::packages(&self.packages)?;
        }
        Toolchain::ensure(self.target)
    }

    fn cargo(&self, toolchain: Toolchain, arguments: &[&str]) -> Command {
        let mut cargo = toolchain.cargo(&process::top());
        let variable = self.target.to_uppercase().replace('-', "_");
        cargo
            .args(arguments)
            .args(["--target", self.target])
            .env(format!("CARGO_TARGET_{variable}_LINKER"), self.linker)
            .env(format!("CARGO_TARGET_{variable}_RUNNER"), format!("{} -L {}", self.emulator, self.root))
            .env(format!("CC_{}", self.target.replace('-', "_")), self.linker);
        cargo
    }
}

/// Runs `xtask no-std`.
///
/// # Errors
/// What cargo said.
pub fn no_std(arguments: &[String]) -> Result<(), String> {
    if !arguments.is_empty() {
        return Err("takes no arguments".into());
    }
    let toolchain = Toolchain::ensure(CHIP)?;
    let mut cargo = toolchain.cargo(&process::top());
    process::run(cargo.args(["build", "-p", "skiff-runtime", "--target", CHIP]))?;
    println!("skiff-runtime builds for {CHIP} without std ({})", toolchain.version()?);
    Ok(())
}

/// Runs `xtask cross-test`: a target that cannot be built here is told and passed over.
///
/// # Errors
/// A build or a test that failed.
pub fn test(arguments: &[String]) -> Result<(), String> {
    if !arguments.is_empty() {
        return Err("takes no arguments".into());
    }
    let mut told = Vec::new();
    for arm in &ARM {
        let toolchain = match arm.prepare() {
            Ok(toolchain) => toolchain,
            Err(reason) => {
                told.push(format!("{}: NOT BUILT, NOT TESTED on this machine: {reason}", arm.target));
                continue;
            }
        };
        process::run(&mut arm.cargo(toolchain, &["test", "-p", "skiff-runtime", "--lib"]))?;
        // Only that it builds and links is asked: optimising the dependencies would take three times as long.
        process::run(&mut arm.cargo(toolchain, &["build", "-p", "skiff-gateway", "--config", UNOPTIMISED]))?;
        told.push(format!("{}: skiff builds, unit tests of skiff-runtime pass in {}", arm.target, arm.emulator));
    }
    for line in told {
        println!("{line}");
    }
    Ok(())
}
