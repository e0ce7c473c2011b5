//! Finds a compiler that can build for a target, and installs one where none can.
//!
//! Three routes, in this order: the compiler in use has the target; rustup can add it; on Debian a
//! second toolchain is made from Debian's own compiler and library source ([`crate::debian`]).

use std::path::Path;
use std::process::Command;

use crate::{debian, process};

/// The chip build: bare metal, no operating system.
pub const CHIP: &str = "riscv32imac-unknown-none-elf";
/// Plugins without a system interface.
pub const GUEST: &str = "wasm32-unknown-unknown";
/// Plugins with the standard library.
pub const GUEST_WASI: &str = "wasm32-wasip1";

/// Which compiler builds for a target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Toolchain {
    /// The one in use.
    Default,
    /// The one made from Debian's packages, linked into rustup as `skiff-cross`.
    Debian,
}

impl Toolchain {
    /// Returns the toolchain for `target`, after installing what is missing.
    ///
    /// # Errors
    /// Why no route led to one.
    pub fn ensure(target: &str) -> Result<Self, String> {
        if has_target(target) {
            return Ok(Self::Default);
        }
        let alone = process::installing()?;
        if has_target(target) {
            return Ok(Self::Default);
        }
        let by_rustup = match process::found("rustup") {
            true => process::run(&mut process::command("rustup", ["target", "add", target])),
            false => Err("there is no rustup".to_string()),
        };
        drop(alone);
        match by_rustup {
            Ok(()) if has_target(target) => return Ok(Self::Default),
            Ok(()) => eprintln!("rustup added {target}, but not to the compiler in use; trying Debian's compiler"),
            Err(reason) => eprintln!("{reason}; trying Debian's compiler"),
        }
        debian::ensure(target).map_err(|reason| format!("no compiler for {target}: {reason}"))?;
        Ok(Self::Debian)
    }

    /// Returns the compiler in use for `target`, after rustup has added it where it was missing.
    ///
    /// # Errors
    /// What rustup said.
    pub fn by_rustup(target: &str) -> Result<Self, String> {
        if !has_target(target) {
            let _alone = process::installing()?;
            process::output(&mut process::command("rustup", ["target", "add", target]))
                .map_err(|_| format!("rustup cannot add {target}"))?;
        }
        if has_target(target) { Ok(Self::Default) } else { Err(format!("rustup has added no {target}")) }
    }

    /// Returns `cargo` with this toolchain, in the folder `folder`.
    pub fn cargo(self, folder: &Path) -> Command {
        let mut command = self.program("cargo");
        command.current_dir(folder);
        command
    }

    /// Lets a program that runs `cargo` by itself use this toolchain.
    pub fn for_children(self, program: &mut Command) {
        if self == Self::Debian {
            program.env("RUSTUP_TOOLCHAIN", debian::NAME);
        }
        program.env_remove("RUSTFLAGS").env_remove("CARGO_ENCODED_RUSTFLAGS");
    }

    /// Returns the compiler's full version.
    ///
    /// # Errors
    /// That it cannot be run.
    pub fn version(self) -> Result<String, String> {
        process::output(self.program("rustc").arg("--version"))
    }

    fn program(self, name: &str) -> Command {
        let mut command = match self {
            Self::Default => Command::new(name),
            Self::Debian => {
                let mut command = Command::new("rustup");
                command.args(["run", debian::NAME, name]);
                command
            }
        };
        // These would replace what the packages' own cargo configuration asks for.
        command.env_remove("RUSTFLAGS").env_remove("CARGO_ENCODED_RUSTFLAGS");
        process::keep_target(&mut command);
        command
    }
}

/// Tells whether the compiler in use has the core library for `target`.
fn has_target(target: &str) -> bool {
    let folder = process::output(&mut process::command("rustc", ["--print", "target-libdir", "--target", target]));
    folder.is_ok_and(|folder| debian::has_core(Path::new(&folder)))
}
