//! Asks the linker for a smaller program that is no slower: relocations packed, functions of the same code kept once, tables
//! for unwinding left out of a program that never unwinds.
//!
//! Only lld folds functions, for every processor, and every toolchain of rustup brings it. Where it is missing or something else
//! was chosen, nothing is asked for: the program is larger then and otherwise the same. `runtime/docs/size.md` has the bytes.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

/// What a C library that reads packed relocations (since glibc 2.36) has as a version of its interface.
const PACKED_IN_GLIBC: &[u8] = b"GLIBC_ABI_DT_RELR";
/// The first Rust whose musl (1.2.5) reads them.
const PACKED_IN_MUSL: u32 = 93;
/// Beside the linker's own layout. What says how to unwind a stack is a tenth of the program; one that aborts on a panic reads it for
/// a backtrace alone, and has no names for one since it is stripped. A panic says file and line as before. cargo tells no build script
/// what the profile says of panics (`CARGO_CFG_PANIC` is always `unwind`); a program that would unwind aborts without the tables, too.
const NO_UNWINDING: &str = "SECTIONS { /DISCARD/ : { *(.eh_frame) *(.eh_frame_hdr) *(.gcc_except_table .gcc_except_table.*) } } INSERT AFTER .text;\n";

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    // Debug builds are linked more often than they are copied.
    if variable("PROFILE") != "release" || variable("CARGO_CFG_TARGET_OS") != "linux" {
        return;
    }
    // `-C linker=` or `-C link-arg=-fuse-ld=`: somebody knows better.
    if ["linker=", "-fuse-ld="].iter().any(|word| variable("CARGO_ENCODED_RUSTFLAGS").contains(word)) {
        return;
    }
    let linker = env::var("RUSTC_LINKER").unwrap_or_else(|_| "cc".to_owned());
    let Some(lld) = lld(&linker) else { return };
    let mut words = vec![format!("-B{}", lld.display()), "-fuse-ld=lld".to_owned(), "-Wl,--icf=all".to_owned()];
    let script = Path::new(&variable("OUT_DIR")).join("no-unwinding.ld");
    if fs::write(&script, NO_UNWINDING).is_ok() {
        words.push(format!("-Wl,--no-eh-frame-hdr,-T,{}", script.display()));
    }
    if reads_packed(&linker) {
        words.push("-Wl,-z,pack-relative-relocs".to_owned());
    }
    for word in words {
        println!("cargo::rustc-link-arg-bins={word}");
    }
}

/// Returns the folder of the toolchain's lld, when the driver of the linker can be told to use it.
fn lld(linker: &str) -> Option<PathBuf> {
    let sysroot = output(&variable("RUSTC"), &["--print", "sysroot"])?;
    let folder = Path::new(sysroot.trim()).join("lib/rustlib").join(variable("HOST")).join("bin/gcc-ld");
    let words = [format!("-B{}", folder.display()), "-fuse-ld=lld".to_owned(), "-Wl,--version".to_owned()];
    output(linker, &words.each_ref().map(String::as_str))?.contains("LLD").then_some(folder)
}

/// Tells whether the C library that the program is linked to reads packed relocations.
fn reads_packed(linker: &str) -> bool {
    match variable("CARGO_CFG_TARGET_ENV").as_str() {
        // One that needs them and does not find them does not start.
        "gnu" => output(linker, &["-print-file-name=libc.so.6"])
            .and_then(|path| fs::read(path.trim()).ok())
            .is_some_and(|library| library.windows(PACKED_IN_GLIBC.len()).any(|part| part == PACKED_IN_GLIBC)),
        // Rust's own copy: `rustc 1.95.0 (59807616e 2026-04-14)`.
        "musl" => output(&variable("RUSTC"), &["--version"])
            .and_then(|text| text.split('.').nth(1)?.parse().ok())
            .is_some_and(|minor: u32| minor >= PACKED_IN_MUSL),
        _ => false,
    }
}

fn variable(name: &str) -> String {
    env::var(name).unwrap_or_default()
}

fn output(program: &str, words: &[&str]) -> Option<String> {
    let output = Command::new(program).args(words).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}
