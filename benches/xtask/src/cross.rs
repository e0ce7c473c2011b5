//! Builds for other processors: the chip without the standard library, ARM Linux with it.

use std::process::Command;

use crate::toolchain::{CHIP, Toolchain};
use crate::{debian, process};

/// An ARM Linux that boat computers run.
pub struct Arm {
    /// Rust's name.
    pub target: &'static str,
    /// What Debian calls linker, C library and emulator.
    packages: &'static [&'static str],
    linker: &'static str,
    emulator: &'static str,
    /// Where the C library's package puts the root of the other system.
    root: &'static str,
    /// Unit tests are run in the emulator; else `skiff` is built and linked, and measures there.
    is_tested: bool,
}

/// 64-bit (Raspberry Pi 3 and later) and 32-bit (older systems) ARM. What a 32-bit processor does otherwise the emulated
/// board shows, and what another Linux links otherwise one of them does.
pub const ARM: [Arm; 2] = [
    Arm {
        target: "aarch64-unknown-linux-gnu",
        packages: &["gcc-aarch64-linux-gnu", "libc6-dev-arm64-cross", "qemu-user"],
        linker: "aarch64-linux-gnu-gcc",
        emulator: "qemu-aarch64",
        root: "/usr/aarch64-linux-gnu",
        is_tested: true,
    },
    Arm {
        target: "armv7-unknown-linux-gnueabihf",
        packages: &["gcc-arm-linux-gnueabihf", "libc6-dev-armhf-cross", "qemu-user"],
        linker: "arm-linux-gnueabihf-gcc",
        emulator: "qemu-arm",
        root: "/usr/arm-linux-gnueabihf",
        is_tested: false,
    },
];

/// Overrides the dev profile: where only building is asked, optimising would take three times as long.
pub const UNOPTIMISED: [&str; 6] = [
    "--config",
    "profile.dev.opt-level=0",
    "--config",
    "profile.dev.package.skiff-runtime.opt-level=0",
    "--config",
    "profile.dev.package.skiff-gateway.opt-level=0",
];

/// But an emulated interpreter that is not optimised runs for minutes.
pub const OPTIMISED: [&str; 6] = [
    "--config",
    "profile.dev.package.wasmi.opt-level=2",
    "--config",
    "profile.dev.package.wasmi_core.opt-level=2",
    "--config",
    "profile.dev.package.wasmi_ir.opt-level=2",
];
/// What the bench is run with: the package that is the quicker one.
const BENCHED: &str = "plugins/assemblyscript/shallow-water-alarm";
/// What it has to say there.
const IN_EMULATOR: &str = "THIS PROGRAM RUNS IN AN EMULATOR";

impl Arm {
    /// Installs compiler, linker and emulator where they are missing.
    ///
    /// # Errors
    /// Why this target cannot be built on this machine.
    pub fn prepare(&self) -> Result<Toolchain, String> {
        if !process::found(self.linker) || !process::found(self.emulator) {
            debian::packages(self.packages)?;
        }
        Toolchain::ensure(self.target)
    }

    /// Returns `cargo` with these arguments, for this target.
    pub fn cargo(&self, toolchain: Toolchain, arguments: &[&str]) -> Command {
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

    /// Lets the program that was built measure, and looks at what it prints.
    fn bench(&self) -> Result<(), String> {
        let skiff = process::target().join(self.target).join("debug/skiff");
        let mut bench = process::command(self.emulator, ["-L", self.root]);
        let table = process::output(bench.arg(skiff).args(["bench", "--quick", "--quiet"]).arg(BENCHED))?;
        read_bench(&table)
    }
}

/// Checks that a table of an emulated bench says so, and has every row of it.
fn read_bench(table: &str) -> Result<(), String> {
    if !table.contains(IN_EMULATOR) {
        return Err("skiff bench did not say that it runs in an emulator".into());
    }
    let is_void = |line: &&str| line.trim_end().ends_with(" -");
    match table.lines().find(is_void) {
        Some(row) => Err(format!("skiff bench did not measure `{}`", row.trim())),
        None if table.contains("50 unfiltered") => Ok(()),
        None => Err("skiff bench printed no table".into()),
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
    process::run(
        cargo.args(["build", "-p", "skiff-runtime", "-p", "skiff-engine", "--target", CHIP]).args(UNOPTIMISED),
    )?;
    println!("skiff-runtime and skiff-engine build for {CHIP} without std ({})", toolchain.version()?);
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
        if arm.is_tested {
            process::run(&mut arm.cargo(toolchain, &["test", "-p", "skiff-runtime", "--lib"]))?;
            told.push(format!("{}: unit tests of skiff-runtime pass in {}", arm.target, arm.emulator));
        } else {
            let mut cargo = arm.cargo(toolchain, &["build", "-p", "skiff-gateway"]);
            process::run(cargo.args(UNOPTIMISED).args(OPTIMISED))?;
            arm.bench()?;
            told.push(format!("{}: skiff builds, and its bench runs in {}", arm.target, arm.emulator));
        }
    }
    for line in told {
        println!("{line}");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bench_in_an_emulator_says_so_and_measures_every_row() {
        let table = format!("{IN_EMULATOR}: its times\n  a frame, 50 unfiltered   45.0 ms   22\n");
        assert_eq!(read_bench(&table), Ok(()));
        assert!(read_bench(&table.replace("EMULATOR", "HURRY")).is_err());
        assert!(read_bench(&format!("{table}  a request to its endpoint     -\n")).unwrap_err().contains("endpoint"));
        assert!(read_bench(IN_EMULATOR).is_err());
    }
}
