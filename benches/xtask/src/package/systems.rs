//! Processors that packages are made for, and how programs for them are built.

use std::path::PathBuf;
use std::process::Command;

use super::elf::Linkage;
use super::zig::Zig;
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

/// What builds a program.
pub enum Builder {
    /// A compiler that has Rust's library for the target, with the C compiler of the processor.
    Rustc(Toolchain),
    /// Zig; Rust's library is built, too.
    Zig(Zig),
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
    pub fn prepare(&self, linkage: Linkage) -> Result<Builder, String> {
        if linkage == Linkage::Dynamic {
            return self.arm.map_or(Ok(Toolchain::Default), Arm::prepare).map(Builder::Rustc);
        }
        match Toolchain::by_rustup(self.musl) {
            Ok(toolchain) => {
                self.arm.map_or_else(|| debian::packages(&["gcc", "libc6-dev"]), |arm| arm.prepare().map(drop))?;
                Ok(Builder::Rustc(toolchain))
            }
            Err(reason) => {
                eprintln!("{reason}; Zig links it, and Rust's library is built");
                Zig::prepare().map(Builder::Zig)
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
    pub fn build(&self, builder: &Builder, linkage: Linkage, is_quick: bool) -> Result<PathBuf, String> {
        let (how, profile) = if is_quick {
            ([cross::UNOPTIMISED, cross::OPTIMISED].concat(), "debug")
        } else {
            (vec!["--quiet", "--locked", "--release"], "release")
        };
        let build = [&["build", "-p", "skiff-gateway"], how.as_slice()].concat();
        let mut cargo = match (builder, linkage, self.arm) {
            (Builder::Zig(zig), ..) => zig.cargo(self.musl, &how),
            (Builder::Rustc(_), Linkage::Dynamic, None) => return built::shipped(),
            (Builder::Rustc(toolchain), Linkage::Dynamic, Some(arm)) => arm.cargo(*toolchain, &build),
            (Builder::Rustc(toolchain), Linkage::Static, _) => self.static_cargo(*toolchain, &build),
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
