//! Builds what is linked to nothing where rustup has no library for the target.
//!
//! Zig carries musl and a linker, cargo-zigbuild tells cargo of them, and Rust's own library is built with the program from
//! the source that rustup brings. All three come as packages; nothing of the machine's C library is used.

use std::path::PathBuf;
use std::process::Command;

use crate::{kits, process};

/// Version of PyPI's `cargo-zigbuild`.
const ZIGBUILD: &str = "0.24.*";
/// The part of the library that a program needs; nothing unwinds in a release build.
const BUILD_STD: &str = "-Zbuild-std=std,panic_abort";

/// Zig and cargo-zigbuild, installed.
#[derive(Debug)]
pub struct Zig {
    program: PathBuf,
    zigbuild: PathBuf,
}

impl Zig {
    /// Installs both, and the source of Rust's library, where they are missing.
    ///
    /// # Errors
    /// What cannot be installed.
    pub fn prepare() -> Result<Self, String> {
        kits::zig()?;
        let target = process::target();
        let folder = target.join("zigbuild");
        let zig = Self { program: target.join("zig/ziglang/zig"), zigbuild: folder.join("bin/cargo-zigbuild") };
        if !zig.zigbuild.is_file() {
            let mut pip = Command::new("python3");
            pip.args(["-m", "pip", "install", "--quiet", "--no-deps", "--target"]).arg(&folder);
            process::run(pip.arg(format!("cargo-zigbuild=={ZIGBUILD}")))?;
        }
        let _alone = process::installing()?;
        process::output(&mut process::command("rustup", ["component", "add", "rust-src"]))
            .map_err(|reason| format!("rustup cannot add rust-src: {reason}"))?;
        Ok(zig)
    }

    /// Returns the command that builds `skiff` for a target with these words of `cargo rustc`.
    pub fn cargo(&self, target: &str, words: &[&str]) -> Command {
        let mut cargo = process::command(&self.zigbuild.to_string_lossy(), ["rustc", "-p", "skiff-gateway"]);
        cargo
            .args(words)
            // musl's first and last objects come from Zig, too.
            .args(["--bin", "skiff", BUILD_STD, "--target", target, "--", "-C", "link-self-contained=no"])
            .env("CARGO_ZIGBUILD_ZIG_PATH", &self.program)
            .env("CARGO_ZIGBUILD_CACHE_DIR", self.zigbuild.with_file_name("cache"))
            // The flag that builds the library is not stable; the program uses nothing that is not.
            .env("RUSTC_BOOTSTRAP", "1")
            .env_remove("RUSTFLAGS")
            .env_remove("CARGO_ENCODED_RUSTFLAGS");
        cargo
    }
}
