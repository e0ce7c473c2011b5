//! Programs of the workspace, each built in one way only, so that no command compiles the core a second time.
//!
//! What ships is built as README builds it. Everything else shares the build of `cargo test --workspace`: with
//! `--workspace` cargo gives the core the same features whichever program of it is asked for.

use std::path::PathBuf;

use crate::process;

/// Builds `skiff` as it ships and returns it.
///
/// # Errors
/// What cargo said.
pub fn shipped() -> Result<PathBuf, String> {
    process::run(&mut process::command("cargo", ["build", "--quiet", "--release", "-p", "skiff-gateway"]))?;
    Ok(process::target().join("release/skiff"))
}

/// Builds an example of `skiff-benches` and returns it.
///
/// # Errors
/// What cargo said.
pub fn example(name: &str) -> Result<PathBuf, String> {
    process::run(&mut process::command("cargo", ["build", "--quiet", "--workspace", "--example", name]))?;
    Ok(process::target().join("debug/examples").join(name))
}

/// Builds `skiff` as the tests have it and returns it.
///
/// # Errors
/// What cargo said.
pub fn tested() -> Result<PathBuf, String> {
    // An example is built with the features of the tests, a program alone is not.
    let words = ["build", "--quiet", "--workspace", "--bin", "skiff", "--example", "sample"];
    process::run(&mut process::command("cargo", words))?;
    Ok(process::target().join("debug/skiff"))
}
