//! Builds a plugin with Rust's standard library for WASI and lets `skiff replay` run it.

use crate::toolchain::{GUEST_WASI, Toolchain};
use crate::{built, process};

const FOLDER: &str = "runtime/tests/std-guest";
/// What it says on the sample, whose first second is this one.
const SAYS: [&str; 3] = [
    "std guest std_guest at 1780308000",
    "squares 285, file there false",
    r#"files ["b.txt"] "one\ntwo\n" "e\ntwo\n" 8 bytes, refused [true, true, true, true]"#,
];

/// Runs `xtask std-guest`.
///
/// # Errors
/// What cannot be built, or what the guest did not say.
pub fn run(arguments: &[String]) -> Result<(), String> {
    if !arguments.is_empty() {
        return Err("takes no arguments".into());
    }
    let toolchain = Toolchain::ensure(GUEST_WASI)?;
    let target = process::target().join("guests");
    let mut cargo = toolchain.cargo(&process::top().join(FOLDER));
    process::run(cargo.args(["build", "--release", "--target", GUEST_WASI, "--target-dir"]).arg(&target))?;
    let skiff = built::shipped()?;
    let wasm = target.join(GUEST_WASI).join("release/std_guest.wasm");
    let play = format!("'{}' replay --sample -v --plugin '{}' 2>&1 >/dev/null", skiff.display(), wasm.display());
    let said = process::output(&mut process::command("bash", ["-c", &play]))?;
    match SAYS.iter().find(|text| !said.contains(**text)) {
        Some(text) => Err(format!("the std guest did not say {text:?}, but: {said}")),
        None => {
            println!(
                "a std plugin for {GUEST_WASI} prints, reads clock and environment, keeps files ({})",
                toolchain.version()?
            );
            Ok(())
        }
    }
}
