//! Compiles a plugin package with the tools of its language.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::packages;

const TARGET: &str = "wasm32-unknown-unknown";

/// Why a package was not built.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BuildError {
    /// The folder is no package that can be built.
    Folder(String),
    /// A tool is not installed, or does not start.
    Tool {
        /// Its name.
        tool: &'static str,
        /// What to do about it.
        advice: &'static str,
    },
    /// The tool refused the sources; it has said why.
    Refused(&'static str),
    /// The module cannot be put in its place.
    Module(String),
}

impl fmt::Display for BuildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Folder(clause) | Self::Module(clause) => f.write_str(clause),
            Self::Tool { tool, advice } => write!(f, "{tool} cannot be run: {advice}"),
            Self::Refused(tool) => write!(f, "{tool} failed, see above"),
        }
    }
}

impl std::error::Error for BuildError {}

/// Files and folders of a package whose change means another build.
pub const SOURCES: [&str; 6] = ["src", "sdk", "assembly", "Cargo.toml", "asconfig.json", "package.json"];

/// Builds the package in `folder`; returns the path of the module.
///
/// A `Cargo.toml` is built with cargo, a `build` script in `package.json` with npm. The tools talk on stderr.
///
/// # Errors
/// [`BuildError`].
pub fn build(folder: &Path) -> Result<PathBuf, BuildError> {
    let Some(manifest) = packages::package_json(folder) else {
        return Err(BuildError::Folder(format!("{}: no package.json that can be read", folder.display())));
    };
    let Some(module) = manifest.get("wasmManifest").and_then(|path| path.as_str()) else {
        return Err(BuildError::Folder(format!("{}: package.json has no wasmManifest", folder.display())));
    };
    let module = folder.join(module);
    let has_script = manifest.get("scripts").is_some_and(|scripts| scripts.get("build").is_some());
    if folder.join("Cargo.toml").is_file() {
        cargo(folder, &module)?;
    } else if has_script {
        npm(folder)?;
    } else {
        let clause = "neither a Cargo.toml nor a build script in package.json: nothing says how it is built";
        return Err(BuildError::Folder(format!("{}: {clause}", folder.display())));
    }
    if module.is_file() {
        return Ok(module);
    }
    Err(BuildError::Module(format!("{}: the build made no such file, which wasmManifest names", module.display())))
}

fn cargo(folder: &Path, module: &Path) -> Result<(), BuildError> {
    let advice = "install Rust, then the target: rustup target add wasm32-unknown-unknown";
    run(Command::new("cargo").args(["build", "--release", "--target", TARGET]), folder, "cargo", advice)?;
    let name = crate_name(folder).ok_or_else(|| BuildError::Folder("Cargo.toml has no name".into()))?;
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| folder.join("target"), PathBuf::from);
    let built = target.join(TARGET).join("release").join(format!("{}.wasm", name.replace('-', "_")));
    // Put in place in one step: a gateway may be watching.
    let beside = module.with_extension("wasm.new");
    let placed = fs::copy(&built, &beside).and_then(|_| fs::rename(&beside, module));
    placed.map_err(|error| BuildError::Module(format!("{}: {error}", built.display())))
}

/// Reads the package name of a `Cargo.toml`: the first `name` of its first table that has one.
fn crate_name(folder: &Path) -> Option<String> {
    let text = fs::read_to_string(folder.join("Cargo.toml")).ok()?;
    let mut names = text.lines().filter_map(|line| {
        let (key, value) = line.split_once('=')?;
        (key.trim() == "name").then(|| value.trim().trim_matches('"').to_owned())
    });
    names.next()
}

fn npm(folder: &Path) -> Result<(), BuildError> {
    let advice = "install Node.js with npm";
    if !folder.join("node_modules").is_dir() {
        run(Command::new("npm").args(["install", "--no-audit", "--no-fund"]), folder, "npm", advice)?;
    }
    run(Command::new("npm").args(["run", "--silent", "build"]), folder, "npm", advice)
}

/// Runs a tool in a folder; what it prints goes to stderr, since stdout is data.
fn run(command: &mut Command, folder: &Path, tool: &'static str, advice: &'static str) -> Result<(), BuildError> {
    let command = command.current_dir(folder).stdin(Stdio::null()).stdout(std::io::stderr());
    match command.status() {
        Ok(status) if status.success() => Ok(()),
        Ok(_) => Err(BuildError::Refused(tool)),
        Err(_) => Err(BuildError::Tool { tool, advice }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_built_is_said() {
        let home = tempfile::tempdir().unwrap();
        let said = |json: &str| {
            fs::write(home.path().join("package.json"), json).unwrap();
            build(home.path()).unwrap_err().to_string()
        };
        assert!(build(&home.path().join("gone")).unwrap_err().to_string().contains("no package.json"));
        assert!(said("{").contains("no package.json that can be read"));
        assert!(said(r#"{"name":"a"}"#).contains("no wasmManifest"));
        assert!(said(r#"{"name":"a","wasmManifest":"p.wasm"}"#).contains("nothing says how it is built"));
    }

    #[test]
    fn the_name_of_a_crate_is_found() {
        let home = tempfile::tempdir().unwrap();
        fs::write(home.path().join("Cargo.toml"), "[package]\nversion = \"1\"\n  name = \"tide-table\"\n").unwrap();
        assert_eq!(crate_name(home.path()).as_deref(), Some("tide-table"));
    }
}
