//! A toolchain for more targets from Debian's compiler, for machines where rustup reaches none.
//!
//! Debian's `rustc-web` comes with the source of its standard library (`rust-web-src`). The library
//! is built once per target with that compiler into a private sysroot below `~/.cache`, which also
//! borrows cargo and `rust-lld` from the toolchain in use; rustup then knows it as `skiff-cross`.
//! The compiler differs from the one in use, so modules built with it can differ in bytes.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::process;

/// Where packages are tried, Debian 12: older ones lack the version of the C library, newer ones have it.
pub const SUITE: &str = "bookworm";
/// Name of the toolchain in rustup.
pub const NAME: &str = "skiff-cross";

const RUSTC: &str = "/usr/bin/rustc";
const SOURCE: &str = "/usr/lib/rustlib/src/rust/library";
const WASI_LIBC: &str = "/usr/lib/wasm32-wasi/libc.a";

/// Installs Debian packages that are missing.
///
/// # Errors
/// What to type, when this machine is no Debian or the user is not allowed to.
pub fn packages(names: &[&str]) -> Result<(), String> {
    if names.iter().all(|name| installed(name)) {
        return Ok(());
    }
    let _alone = process::installing()?;
    let missing: Vec<&str> = names.iter().copied().filter(|name| !installed(name)).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let list = missing.join(" ");
    if !process::found("apt-get") {
        return Err(format!("install what Debian calls {list} (there is no apt-get here)"));
    }
    apt(&["update", "-q"])
        .and_then(|()| apt(&[&["install", "-y", "-q", "--no-install-recommends"], missing.as_slice()].concat()))
        .map_err(|reason| format!("{reason}; type: sudo apt-get install {list}"))
}

/// Runs apt-get as who may install.
fn apt(arguments: &[&str]) -> Result<(), String> {
    let root = process::output(&mut process::command("id", ["-u"])).is_ok_and(|id| id == "0");
    let mut command = if root {
        Command::new("apt-get")
    } else {
        let mut command = Command::new("sudo");
        command.args(["-n", "apt-get"]);
        command
    };
    process::run(command.env("DEBIAN_FRONTEND", "noninteractive").args(arguments))
}

/// Unpacks Debian packages into a folder, once, instead of installing them: what serves would be started with the machine.
///
/// # Errors
/// What cannot be fetched or unpacked.
pub fn unpacked(folder: &Path, names: &[&str]) -> Result<(), String> {
    for name in names {
        let done = folder.join(format!("{name}.unpacked"));
        if done.exists() {
            continue;
        }
        let loads = folder.join(format!("{name}.loads"));
        let _ = fs::remove_dir_all(&loads);
        fs::create_dir_all(&loads).map_err(|error| format!("{}: {error}", loads.display()))?;
        let fetch = || process::run(process::command("apt-get", ["download", "-q", name]).current_dir(&loads));
        // A machine that has never asked knows no packages.
        fetch().or_else(|_| apt(&["update", "-q"]).and_then(|()| fetch()))?;
        let found = fs::read_dir(&loads).into_iter().flatten().flatten().map(|entry| entry.path()).next();
        let archive = found.ok_or_else(|| format!("apt-get has not loaded {name}"))?;
        process::run(Command::new("dpkg").arg("-x").arg(&archive).arg(folder))?;
        let _ = fs::remove_dir_all(&loads);
        process::write(&done, "")?;
    }
    Ok(())
}

/// Makes an archive of Debian's minimum for a processor, and of more packages; only root may.
///
/// # Errors
/// What mmdebstrap said.
pub fn minimum(archive: &Path, architecture: &str, more: &[&str]) -> Result<(), String> {
    packages(&["mmdebstrap"])?;
    // Renamed when it is whole.
    let fresh = archive.with_extension("new.tar");
    let mut make = process::command("mmdebstrap", ["--quiet", "--variant=minbase", "--mode=root"]);
    make.arg(format!("--architectures={architecture}"));
    if !more.is_empty() {
        make.arg(format!("--include={}", more.join(",")));
    }
    process::run(make.arg(SUITE).arg(&fresh).args(mirror()))
        .map_err(|reason| format!("Debian cannot be unpacked: {reason}"))?;
    fs::rename(&fresh, archive).map_err(|error| format!("{}: {error}", archive.display()))
}

/// Returns where this machine has that Debian from; without updates, which are not asked for here and are the first to be missing
/// for other processors. Elsewhere mmdebstrap(1) knows a place.
fn mirror() -> Option<String> {
    let format = "$(ORIGIN) $(CODENAME) $(REPO_URI)";
    let known = process::output(&mut process::command("apt-get", ["indextargets", "--format", format])).ok()?;
    let place = known.lines().find_map(|line| line.strip_prefix(&format!("Debian {SUITE} ")))?.to_owned();
    Some(format!("deb {place} {SUITE} main"))
}

/// Tells whether a library folder of a sysroot is filled.
pub fn has_core(folder: &Path) -> bool {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries.map(|entry| entry.file_name()).any(|name| name.to_string_lossy().starts_with("libcore-"))
}

/// Makes `cargo +skiff-cross build --target TARGET` work.
///
/// # Errors
/// The step that failed.
pub fn ensure(target: &str) -> Result<(), String> {
    packages(&["rustc-web", "rust-web-src", "wasi-libc"])?;
    let _alone = process::installing()?;
    for file in [RUSTC, SOURCE, WASI_LIBC] {
        if !Path::new(file).exists() {
            return Err(format!("{file} is missing although its package is installed"));
        }
    }
    let root = sysroot()?;
    let library = root.join("lib/rustlib").join(target).join("lib");
    if !has_core(&library) {
        build(target, &library)?;
    }
    let root = root.to_string_lossy().into_owned();
    process::run(&mut process::command("rustup", ["toolchain", "link", NAME, &root]))
}

fn installed(package: &str) -> bool {
    let status = process::output(&mut process::command("dpkg-query", ["-W", "-f=${Status}", package]));
    status.is_ok_and(|status| status.ends_with(" installed"))
}

/// Makes the sysroot without the targets: compiler, cargo, linker and the host's own library.
fn sysroot() -> Result<PathBuf, String> {
    let version = process::output(&mut process::command(RUSTC, ["--version"]))?;
    let version = version.split_whitespace().nth(1).ok_or("Debian's rustc tells no version")?;
    let stable = PathBuf::from(process::output(&mut process::command("rustc", ["--print", "sysroot"]))?);
    let host = process::output(&mut process::command("rustc", ["--print", "host-tuple"]))?;
    let root = cache()?.join("skiff-cross").join(version);
    let failed = |error: std::io::Error| format!("cannot make {}: {error}", root.display());

    let bin = root.join("bin");
    let host_bin = root.join("lib/rustlib").join(&host).join("bin");
    fs::create_dir_all(&bin).and_then(|()| fs::create_dir_all(&host_bin)).map_err(failed)?;
    let rustc = bin.join("rustc");
    fs::write(&rustc, format!("#!/bin/sh\nexec {RUSTC} --sysroot '{}' \"$@\"\n", root.display())).map_err(failed)?;
    fs::set_permissions(&rustc, fs::Permissions::from_mode(0o755)).map_err(failed)?;

    let host_library = Path::new("/usr/lib/rustlib").join(&host).join("lib");
    let tools = stable.join("lib/rustlib").join(&host).join("bin");
    let mut links = vec![
        (stable.join("bin/cargo"), bin.join("cargo")),
        (host_library, root.join("lib/rustlib").join(&host).join("lib")),
    ];
    links.extend(["rust-lld", "gcc-ld", "rust-objcopy"].map(|tool| (tools.join(tool), host_bin.join(tool))));
    for (from, to) in links {
        let _ = fs::remove_file(&to);
        symlink(from, to).map_err(failed)?;
    }
    Ok(root)
}

/// Builds the standard library for one target with Debian's compiler.
fn build(target: &str, library: &Path) -> Result<(), String> {
    let bare = target.ends_with("-none-elf") || target == "wasm32-unknown-unknown";
    let crates = match target {
        _ if bare => "core,alloc,panic_abort",
        "wasm32-wasip1" => "std,panic_abort",
        // The test harness needs unwinding.
        _ => "std,panic_abort,panic_unwind,proc_macro,test",
    };
    let seed = process::target().join("skiff-cross-seed");
    process::write(&seed.join("src/lib.rs"), "#![no_std]\n")?;
    let manifest = "[package]\nname = \"seed\"\nversion = \"0.0.0\"\nedition = \"2021\"\n[profile.release]\ndebug = false\n[workspace]\n";
    process::write(&seed.join("Cargo.toml"), manifest)?;
    let mut cargo = Command::new("cargo");
    cargo
        .args(["build", "--release", "--target", target])
        .arg(format!("-Zbuild-std={crates}"))
        .env("RUSTC", RUSTC)
        .env("RUSTC_BOOTSTRAP", "1")
        .env("RUSTFLAGS", "-Cembed-bitcode=yes")
        .env("CARGO_TARGET_DIR", seed.join("target"))
        .current_dir(&seed);
    process::run(&mut cargo)?;

    let built = seed.join("target").join(target).join("release/deps");
    let fresh = library.with_extension("new");
    let _ = fs::remove_dir_all(&fresh);
    let entries = fs::read_dir(&built).map_err(|error| format!("cannot read {}: {error}", built.display()))?;
    for entry in entries.flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.starts_with("lib") && name.ends_with(".rlib") && !name.starts_with("libseed-") {
            process::copy(&entry.path(), &fresh.join(name))?;
        }
    }
    if target == "wasm32-wasip1" {
        for file in ["crt1-command.o", "crt1-reactor.o", "libc.a"] {
            process::copy(&Path::new("/usr/lib/wasm32-wasi").join(file), &fresh.join("self-contained").join(file))?;
        }
    }
    // Renamed last, so that an interrupted build is not taken for a whole one.
    let _ = fs::remove_dir_all(library);
    fs::rename(&fresh, library).map_err(|error| format!("cannot make {}: {error}", library.display()))
}

fn cache() -> Result<PathBuf, String> {
    let set = |name| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    set("XDG_CACHE_HOME")
        .or_else(|| Some(set("HOME")?.join(".cache")))
        .ok_or("neither XDG_CACHE_HOME nor HOME is set".into())
}
