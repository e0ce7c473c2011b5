//! Processors that packages are made for, and how programs for them are built.

use std::path::PathBuf;
use std::process::Command;

use super::elf::Linkage;
use crate::cross::{self, Arm};
use crate::toolchain::Toolchain;
use crate::{built, debian, process};

/// A processor.
pub struct System {
    /// Debian's name.
    pub debian: &'static str,
    /// As readelf(1) calls it.
    pub machine: &'static str,
    /// Emulates it on another one, with static linkage; started by the kernel where a chroot is of that system.
    pub emulator: &'static str,
    /// Rust's name of the target that is linked to nothing.
    musl: &'static str,
    /// Compiler of C and linker.
    linker: &'static str,
    /// Takes names of functions out of a program.
    pub strip: &'static str,
    /// Where the program is not this machine's.
    arm: Option<&'static Arm>,
}

/// PCs and 64-bit single board computers; Raspberry Pi 3 and later; 32-bit systems of these, and Cerbo GX.
pub const SYSTEMS: [System; 3] = [
    System {
        debian: "amd64",
        machine: "Advanced Micro Devices X86-64",
        emulator: "qemu-x86_64-static",
        musl: "x86_64-unknown-linux-musl",
        linker: "gcc",
        strip: "strip",
        arm: None,
    },
    System {
        debian: "arm64",
        machine: "AArch64",
        emulator: "qemu-aarch64-static",
        musl: "aarch64-unknown-linux-musl",
        linker: "aarch64-linux-gnu-gcc",
        strip: "aarch64-linux-gnu-strip",
        arm: Some(&cross::ARM[0]),
    },
    System {
        debian: "armhf",
        machine: "ARM",
        emulator: "qemu-arm-static",
        musl: "armv7-unknown-linux-musleabihf",
        linker: "arm-linux-gnueabihf-gcc",
        strip: "arm-linux-gnueabihf-strip",
        arm: Some(&cross::ARM[1]),
    },
];

impl System {
    /// Installs compiler and linker where they are missing.
    ///
    /// # Errors
    /// Why such a program cannot be built on this machine.
    pub fn prepare(&self, linkage: Linkage) -> Result<Toolchain, String> {
        let toolchain = self.arm.map_or(Ok(Toolchain::Default), Arm::prepare)?;
        match linkage {
            Linkage::Dynamic => Ok(toolchain),
            Linkage::Static => {
                if !process::found(self.linker) {
                    debian::packages(&["gcc", "libc6-dev"])?;
                }
                Toolchain::by_rustup(self.musl)
            }
        }
    }

    /// Returns Rust's name of a target for this processor.
    pub fn target(&self, linkage: Linkage) -> &'static str {
        match (linkage, self.arm) {
            (Linkage::Static, _) => self.musl,
            (Linkage::Dynamic, Some(arm)) => arm.target,
            (Linkage::Dynamic, None) => "x86_64-unknown-linux-gnu",
        }
    }

    /// Tells whether this machine runs such programs itself.
    pub fn is_here(&self) -> bool {
        self.arm.is_none() && std::env::consts::ARCH == "x86_64"
    }

    /// Builds `skiff` as it ships and returns it; or, in a hurry, those of other systems as `cross-test` builds them, so that
    /// no machine that has done that builds one twice.
    ///
    /// # Errors
    /// What cargo said.
    pub fn build(&self, toolchain: Toolchain, linkage: Linkage, is_quick: bool) -> Result<PathBuf, String> {
        let mut build = vec!["build", "-p", "skiff-gateway"];
        let profile = if is_quick {
            build.extend(cross::UNOPTIMISED.iter().chain(&cross::OPTIMISED));
            "debug"
        } else {
            build.extend(["--quiet", "--locked", "--release"]);
            "release"
        };
        let mut cargo = match (linkage, self.arm) {
            (Linkage::Dynamic, None) => return built::shipped(),
            (Linkage::Dynamic, Some(arm)) => arm.cargo(toolchain, &build),
            (Linkage::Static, _) => self.static_cargo(toolchain, &build),
        };
        process::run(&mut cargo)?;
        Ok(process::target().join(self.target(linkage)).join(profile).join("skiff"))
    }

    /// The C library lies beside Rust's own library for the target. The few files of C are compiled with the headers of
    /// this machine's library: they call nothing of it but what the two have in common.
    fn static_cargo(&self, toolchain: Toolchain, arguments: &[&str]) -> Command {
        let mut cargo = toolchain.cargo(&process::top());
        let variable = self.musl.to_uppercase().replace('-', "_");
        cargo
            .args(arguments)
            .args(["--target", self.musl])
            .env(format!("CARGO_TARGET_{variable}_LINKER"), self.linker)
            .env(format!("CC_{}", self.musl.replace('-', "_")), self.linker);
        cargo
    }
}
