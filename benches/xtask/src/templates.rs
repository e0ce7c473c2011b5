//! A plugin author's way: a package from each template, built, checked against the chip, and run on the sample.

use std::fs;
use std::process::Command;

use crate::process;
use crate::toolchain::{GUEST, Toolchain};

const LANGUAGES: [&str; 2] = ["rust", "assemblyscript"];
/// The smallest chip that a new plugin has to fit.
const BOARD: &str = "qemu-riscv32";
/// What the template's plugin emits first on the sample.
const EMITS: &str = r#""path":"environment.depth.smallest","value":9.02"#;

/// Runs `xtask templates`.
///
/// # Errors
/// The step that failed, or what the plugin did not emit.
pub fn run(arguments: &[String]) -> Result<(), String> {
    if !arguments.is_empty() {
        return Err("takes no arguments".into());
    }
    let toolchain = Toolchain::ensure(GUEST)?;
    process::run(&mut process::command("cargo", ["build", "--release", "-p", "skiff-gateway"]))?;
    let top = process::top();
    let home = top.join("target/templates");
    for language in LANGUAGES {
        let folder = home.join(language);
        if folder.exists() {
            fs::remove_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
        }
        let skiff = || {
            let mut skiff = Command::new(top.join("target/release/skiff"));
            toolchain.for_children(&mut skiff);
            // The package is a workspace of its own, with its own target folder.
            skiff.env_remove("CARGO_TARGET_DIR");
            skiff
        };
        let name = format!("@example/{language}-depth");
        process::run(skiff().args(["plugin", "new", &name, "--lang", language, "--folder"]).arg(&folder))?;
        process::run(skiff().args(["plugin", "build", "--board", BOARD]).arg(&folder))?;
        let lines = process::output(skiff().args(["replay", "--sample", "--plugin"]).arg(&folder))?;
        let emitted = format!("{{\"_plugin\":\"{name}\"");
        match lines.lines().find(|line| line.starts_with(&emitted)) {
            Some(line) if line.contains(EMITS) => println!("{name}: built from its template, fits {BOARD}, runs"),
            Some(line) => return Err(format!("{name} emitted {line}")),
            None => return Err(format!("{name} emitted nothing on the sample")),
        }
    }
    Ok(())
}
