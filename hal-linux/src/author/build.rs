//! Compiles a plugin package with the tools of its language.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::children::Children;
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
pub const SOURCES: [&str; 15] = [
    "src",
    "sdk",
    "assembly",
    "toolkit/assembly",
    "Cargo.toml",
    ".cargo",
    "asconfig.json",
    "package.json",
    "plugin.c",
    "plugin.go",
    "plugin.zig",
    "skiff",
    "skiff.c",
    "skiff.h",
    "skiff.zig",
];

/// Builds the package in `folder`; returns the path of the module.
///
/// What the package says about it counts: the `build` script of its `package.json`; without one cargo builds its
/// `Cargo.toml`, for the target that cargo's own configuration names, else for `wasm32-unknown-unknown`. The tools talk on
/// stderr.
///
/// # Errors
/// [`BuildError`].
pub fn build(folder: &Path, children: &Children) -> Result<PathBuf, BuildError> {
    let Some(manifest) = packages::package_json(folder) else {
        return Err(BuildError::Folder(format!("{}: no package.json that can be read", folder.display())));
    };
    let Some(module) = manifest.get("wasmManifest").and_then(|path| path.as_str()) else {
        return Err(BuildError::Folder(format!("{}: package.json has no wasmManifest", folder.display())));
    };
    let module = folder.join(module);
    let script = manifest.get("scripts").and_then(|scripts| scripts.get("build")).and_then(|script| script.as_str());
    if let Some(script) = script {
        let needs = |kind| manifest.get(kind).and_then(|list| list.as_object()).is_some_and(|list| !list.is_empty());
        npm(folder, script, needs("dependencies") || needs("devDependencies"), children)?;
    } else if folder.join("Cargo.toml").is_file() {
        cargo(folder, &module, &[], children)?;
        if let Some(small) = small_module(folder, &manifest) {
            cargo(folder, &small, &SMALL_ARGUMENTS, children)?;
        }
    } else {
        let clause = "neither a Cargo.toml nor a build script in package.json: nothing says how it is built";
        return Err(BuildError::Folder(format!("{}: {clause}", folder.display())));
    }
    if module.is_file() {
        return Ok(module);
    }
    Err(BuildError::Module(format!("{}: the build made no such file, which wasmManifest names", module.display())))
}

/// What makes a module with pages of one byte and a small stack, for chips: one with pages of 64 KiB takes four times the
/// memory of a plugin that holds a few numbers.
const SMALL_ARGUMENTS: [&str; 4] = [
    "--features",
    "small-pages",
    "--config",
    "target.wasm32-unknown-unknown.rustflags=['-Clink-arg=-zstack-size=4096','-Clink-arg=--initial-memory=16384','-Clink-arg=--page-size=1']",
];

/// Returns the module for Skiff alone, where the package names one (`skiff.wasmManifest`) and its crate has the feature.
fn small_module(folder: &Path, manifest: &serde_json::Map<String, serde_json::Value>) -> Option<PathBuf> {
    let path = manifest.get("skiff")?.get("wasmManifest")?.as_str()?;
    let has_feature = fs::read_to_string(folder.join("Cargo.toml")).is_ok_and(|text| {
        text.lines().any(|line| line.split('=').next().is_some_and(|key| key.trim() == "small-pages"))
    });
    let differs = manifest.get("wasmManifest").and_then(|path| path.as_str()) != Some(path);
    (has_feature && differs && configured_target(folder).is_none_or(|target| target == TARGET))
        .then(|| folder.join(path))
}

fn cargo(folder: &Path, module: &Path, arguments: &[&str], children: &Children) -> Result<(), BuildError> {
    let mut command = Command::new("cargo");
    command.args(["build", "--release", "--message-format", "json-render-diagnostics"]).args(arguments);
    command.stdout(Stdio::piped());
    if configured_target(folder).is_none() {
        log::info!("built for {TARGET}: neither package.json nor cargo's configuration says how");
        command.args(["--target", TARGET]);
    }
    let advice = "install Rust, then the target: rustup target add wasm32-unknown-unknown";
    let told = output(&mut command, folder, "cargo", advice, children)?;
    let built = artifact(&told, folder).ok_or_else(|| {
        let clause =
            "cargo made no WebAssembly module of it: a plugin is a crate-type cdylib, built for a wasm32 target";
        BuildError::Module(format!("{}: {clause}", folder.display()))
    })?;
    // Put in place in one step: a gateway may be watching.
    let beside = module.with_extension("wasm.new");
    let placed = fs::copy(&built, &beside).and_then(|_| fs::rename(&beside, module));
    placed.map_err(|error| BuildError::Module(format!("{}: {error}", built.display())))
}

/// Finds what cargo made of the package in `folder`, in the messages of its `--message-format json`: it knows the target
/// folder of a workspace and the name of a library.
fn artifact(messages: &[u8], folder: &Path) -> Option<PathBuf> {
    let manifest = folder.join("Cargo.toml").canonicalize().ok()?;
    let lines = messages.split(|byte| *byte == b'\n');
    let artifacts = lines.filter_map(|line| serde_json::from_slice::<serde_json::Value>(line).ok()).filter(|message| {
        let is_artifact = message.get("reason").is_some_and(|reason| reason == "compiler-artifact");
        let of = message.get("manifest_path").and_then(|path| path.as_str());
        is_artifact && of.is_some_and(|of| Path::new(of) == manifest)
    });
    let files = artifacts.filter_map(|message| Some(message.get("filenames")?.as_array()?.clone())).flatten();
    let mut modules = files.filter_map(|file| file.as_str().map(PathBuf::from));
    modules.rfind(|file| file.extension().is_some_and(|extension| extension == "wasm"))
}

/// Returns the target that cargo builds for without being told: `CARGO_BUILD_TARGET`, or `build.target` of the
/// configuration of the folder or one above it (The Cargo Book, "Configuration").
fn configured_target(folder: &Path) -> Option<String> {
    if let Some(target) = std::env::var("CARGO_BUILD_TARGET").ok().filter(|target| !target.is_empty()) {
        return Some(target);
    }
    let folder = folder.canonicalize().ok()?;
    let files =
        folder.ancestors().flat_map(|above| ["config.toml", "config"].map(|name| above.join(".cargo").join(name)));
    files.filter_map(|file| fs::read_to_string(file).ok()).find_map(|text| target_in(&text))
}

/// Reads `target` of the table `build`; a list is no one target, and cargo is told one then.
fn target_in(text: &str) -> Option<String> {
    let mut table = String::new();
    text.lines().map(|line| line.split('#').next().unwrap_or_default().trim()).find_map(|line| {
        if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            name.trim().clone_into(&mut table);
            return None;
        }
        let (key, value) = line.split_once('=')?;
        let is_target = match table.as_str() {
            "build" => key.trim() == "target",
            "" => key.trim() == "build.target",
            _ => false,
        };
        let value = value.trim();
        let quoted = |quote| value.strip_prefix(quote).and_then(|rest| rest.strip_suffix(quote));
        if is_target { quoted('"').or_else(|| quoted('\'')).map(str::to_owned) } else { None }
    })
}

/// Runs the `build` script as npm does; without npm, and where no package has to be loaded, the shell runs it.
fn npm(folder: &Path, script: &str, has_dependencies: bool, children: &Children) -> Result<(), BuildError> {
    let advice = "install Node.js with npm";
    if has_dependencies && !folder.join("node_modules").is_dir() {
        run(Command::new("npm").args(["install", "--no-audit", "--no-fund"]), folder, "npm", advice, children)?;
    }
    match run(Command::new("npm").args(["run", "--silent", "build"]), folder, "npm", advice, children) {
        Err(BuildError::Tool { .. }) if !has_dependencies => {
            run(Command::new("sh").args(["-c", script]), folder, "sh", "", children)
        }
        ended => ended,
    }
}

/// Runs a tool in a folder; what it prints goes to stderr, since stdout is data.
fn run(
    command: &mut Command,
    folder: &Path,
    tool: &'static str,
    advice: &'static str,
    children: &Children,
) -> Result<(), BuildError> {
    command.stdout(std::io::stderr());
    output(command, folder, tool, advice, children).map(drop)
}

/// Runs a tool in a folder; returns what it printed where that is not sent elsewhere.
fn output(
    command: &mut Command,
    folder: &Path,
    tool: &'static str,
    advice: &'static str,
    children: &Children,
) -> Result<Vec<u8>, BuildError> {
    let command = command.current_dir(folder).stdin(Stdio::null());
    match children.output(command) {
        Ok((status, printed)) if status.success() => Ok(printed),
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
            build(home.path(), &Children::default()).unwrap_err().to_string()
        };
        assert!(
            build(&home.path().join("gone"), &Children::default()).unwrap_err().to_string().contains("no package.json")
        );
        assert!(said("{").contains("no package.json that can be read"));
        assert!(said(r#"{"name":"a"}"#).contains("no wasmManifest"));
        assert!(said(r#"{"name":"a","wasmManifest":"p.wasm"}"#).contains("nothing says how it is built"));
    }

    #[test]
    fn the_build_script_comes_first_and_needs_no_npm_of_its_own() {
        let home = tempfile::tempdir().unwrap();
        let json = r#"{"name":"a","wasmManifest":"p.wasm","scripts":{"build":"printf made > p.wasm"}}"#;
        fs::write(home.path().join("package.json"), json).unwrap();
        fs::write(home.path().join("Cargo.toml"), "[package]\nname = \"never-built\"\n").unwrap();
        let module = build(home.path(), &Children::default()).unwrap();
        assert_eq!(fs::read_to_string(module).unwrap(), "made");
        let refused = json.replace("printf made > p.wasm", "exit 3");
        fs::write(home.path().join("package.json"), refused).unwrap();
        assert!(matches!(build(home.path(), &Children::default()), Err(BuildError::Refused(_))));
    }

    #[test]
    fn cargos_configuration_says_for_what_it_builds() {
        for (text, target) in [
            ("[build]\ntarget = \"wasm32-wasip1\" # std\n", Some("wasm32-wasip1")),
            ("build.target = 'wasm32-wasip1'\n", Some("wasm32-wasip1")),
            ("[target.wasm32-unknown-unknown]\nrustflags = [\"-C\"]\ntarget = \"x\"\n", None),
            ("[build]\ntarget-dir = \"out\"\njobs = 2\n", None),
            ("[build]\ntarget = [\"a\", \"b\"]\n", None),
            ("", None),
        ] {
            assert_eq!(target_in(text).as_deref(), target, "{text}");
        }
        let home = tempfile::tempdir().unwrap();
        fs::create_dir_all(home.path().join(".cargo")).unwrap();
        fs::create_dir_all(home.path().join("plugins/tide")).unwrap();
        fs::write(home.path().join(".cargo/config.toml"), "[build]\ntarget = \"wasm32-wasip1\"\n").unwrap();
        assert_eq!(configured_target(&home.path().join("plugins/tide")).as_deref(), Some("wasm32-wasip1"));
    }

    #[test]
    fn a_second_module_is_built_where_package_and_crate_have_it() {
        let home = tempfile::tempdir().unwrap();
        let manifest = |json: &str| serde_json::from_str::<serde_json::Map<String, serde_json::Value>>(json).unwrap();
        let both = manifest(r#"{"wasmManifest":"a.wasm","skiff":{"wasmManifest":"b.wasm"}}"#);
        fs::write(home.path().join("Cargo.toml"), "[features]\nother = []\n").unwrap();
        assert_eq!(small_module(home.path(), &both), None);
        fs::write(home.path().join("Cargo.toml"), "[features]\nsmall-pages = []\n").unwrap();
        assert_eq!(small_module(home.path(), &both), Some(home.path().join("b.wasm")));
        assert_eq!(small_module(home.path(), &manifest(r#"{"wasmManifest":"a.wasm"}"#)), None);
        let same = manifest(r#"{"wasmManifest":"a.wasm","skiff":{"wasmManifest":"a.wasm"}}"#);
        assert_eq!(small_module(home.path(), &same), None);
    }

    #[test]
    fn cargo_says_which_file_it_made() {
        let home = tempfile::tempdir().unwrap();
        fs::write(home.path().join("Cargo.toml"), "").unwrap();
        let manifest = home.path().join("Cargo.toml").canonicalize().unwrap();
        let line = |manifest: &str, file: &str| {
            serde_json::json!({"reason":"compiler-artifact","manifest_path":manifest,"filenames":[file]}).to_string()
        };
        let lines = [
            line("/elsewhere/Cargo.toml", "/target/other.wasm"),
            "no JSON".into(),
            line(manifest.to_str().unwrap(), "/target/deps/libtide.rlib"),
            line(manifest.to_str().unwrap(), "/workspace/target/wasm32-wasip1/release/tide_plugin.wasm"),
            r#"{"reason":"build-finished","success":true}"#.into(),
        ]
        .join("\n");
        let found = artifact(lines.as_bytes(), home.path());
        assert_eq!(found, Some(PathBuf::from("/workspace/target/wasm32-wasip1/release/tide_plugin.wasm")));
        assert_eq!(artifact(b"", home.path()), None);
    }
}
