//! Rebuilds the plugin packages, or checks that the committed ones are what their source gives.
//!
//! Beside each committed `plugin.wasm` lies `build.json`: which compiler made it, and its SHA-256.
//! Where the compiler at hand is that one, `--check` compares bytes. Any other compiler may order
//! code differently, so then the rebuilt packages must behave alike: `skiff replay` plays the
//! sample's log through both, and the transcripts must be equal.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::toolchain::{GUEST, Toolchain};
use crate::{built, process};

/// A plugin package of the project.
pub struct Guest {
    /// Name on npm.
    pub package: &'static str,
    /// Folder from the top.
    pub folder: &'static str,
    language: Language,
    /// It has a second module with pages of one byte.
    small: bool,
}

/// The module for every host.
pub const MODULE: &str = "plugin.wasm";
/// The module with pages of one byte.
pub const SMALL_MODULE: &str = "plugin-small.wasm";
/// What `cargo` gets for it.
pub const SMALL_ARGUMENTS: [&str; 4] = [
    "--features",
    "small-pages",
    "--config",
    "target.wasm32-unknown-unknown.rustflags=['-Clink-arg=-zstack-size=4096','-Clink-arg=--initial-memory=16384','-Clink-arg=--page-size=1']",
];

/// What `asc` gets for it, as `asconfig.json` of the packages says.
pub const SMALL_SCRIPT_ARGUMENTS: [&str; 4] =
    ["--runtime", "node_modules/@skiff/assemblyscript-toolkit/small/runtime", "--stackSize", "512"];
/// Memory of one in AssemblyScript, bytes, as `package.json` says.
const SMALL_BYTES: &str = "16384";

/// Gives a module of AssemblyScript pages of one byte.
///
/// # Errors
/// What the toolkit's script said.
pub fn small_pages(module: &Path) -> Result<(), String> {
    let script = process::top().join("plugins/assemblyscript/toolkit/small/pages.mjs");
    process::output(process::command("node", [&script, module]).arg(SMALL_BYTES)).map(drop)
}

#[derive(Clone, Copy)]
enum Language {
    Rust,
    AssemblyScript,
}

/// Every plugin package.
pub const GUESTS: [Guest; 2] = [
    Guest { package: "@skiff/true-wind", folder: "plugins/rust/true-wind", language: Language::Rust, small: true },
    Guest {
        package: "@skiff/shallow-water-alarm",
        folder: "plugins/assemblyscript/shallow-water-alarm",
        language: Language::AssemblyScript,
        small: true,
    },
];

/// A module as the compiler at hand makes it.
struct Built {
    compiler: String,
    /// File in the package, and what was built for it.
    modules: Vec<(&'static str, PathBuf)>,
}

/// Runs `xtask plugins [--check]`.
///
/// # Errors
/// What cannot be built, or which package differs.
pub fn run(arguments: &[String]) -> Result<(), String> {
    let check = match arguments {
        [] => false,
        [flag] if flag == "--check" => true,
        _ => return Err("the only argument is --check".into()),
    };
    let mut others = Vec::new();
    for guest in &GUESTS {
        let built = guest.build()?;
        if !check {
            guest.commit(&built)?;
            continue;
        }
        let record = guest.record()?;
        let compiler = record["compiler"].as_str().unwrap_or_default();
        let mut same = true;
        for (file, wasm) in &built.modules {
            let committed = process::sha256(&guest.path(file))?;
            if record["sha256"][file] != committed {
                return Err(format!("{}: {file} is not the module that build.json describes", guest.package));
            }
            same &= process::sha256(wasm)? == committed;
        }
        if compiler != built.compiler {
            println!("{}: made by {compiler}, here is {}: transcripts are compared", guest.package, built.compiler);
            others.push((guest, built));
        } else if same {
            println!("{}: rebuilt by {}: bytes are equal", guest.package, built.compiler);
        } else {
            return Err(format!(
                "{}: rebuilt by {}: bytes differ; run `cargo xtask plugins`",
                guest.package, built.compiler
            ));
        }
    }
    if others.is_empty() { Ok(()) } else { compare_transcripts(&others) }
}

/// Returns the top folder by a name that is the same wherever it lies: cargo's names of packages beside a workspace have
/// their place in them, and the linker puts functions in the order of their names.
fn top_by_one_name() -> Result<PathBuf, String> {
    // Not where the environment says: the name is in what is built.
    let (link, top) = (PathBuf::from("/tmp/skiff-guests"), process::top());
    let failed = |error| format!("cannot link {} to {}: {error}", link.display(), top.display());
    if fs::read_link(&link).is_ok_and(|to| to == top) {
        return Ok(link);
    }
    let fresh = link.with_extension(std::process::id().to_string());
    std::os::unix::fs::symlink(&top, &fresh).map_err(failed)?;
    fs::rename(&fresh, &link).map_err(failed)?;
    Ok(link)
}

/// Installs the AssemblyScript compiler that the package's lock file names.
///
/// # Errors
/// What npm said.
pub fn node_packages() -> Result<(), String> {
    if !process::found("npm") {
        crate::debian::packages(&["nodejs", "npm"])?;
    }
    let _alone = process::installing()?;
    for guest in GUESTS.iter().filter(|guest| matches!(guest.language, Language::AssemblyScript)) {
        let (lock, done) = (guest.path("package-lock.json"), guest.path("node_modules/.package-lock.json"));
        let time = |path: &Path| fs::metadata(path).and_then(|data| data.modified()).ok();
        if time(&done).is_none_or(|done| time(&lock).is_some_and(|lock| lock > done)) {
            // The published SDK names an older AssemblyScript as its peer.
            let mut npm = process::command("npm", ["ci", "--legacy-peer-deps", "--no-audit", "--no-fund"]);
            process::run(npm.current_dir(guest.path("")))?;
        }
    }
    Ok(())
}

impl Guest {
    /// Tells whether it is a cargo package with tests of its own.
    pub fn is_rust(&self) -> bool {
        matches!(self.language, Language::Rust)
    }

    fn path(&self, file: &str) -> PathBuf {
        process::top().join(self.folder).join(file)
    }

    fn build(&self) -> Result<Built, String> {
        match self.language {
            Language::Rust => self.build_rust(),
            Language::AssemblyScript => self.build_assemblyscript(),
        }
    }

    fn build_rust(&self) -> Result<Built, String> {
        let toolchain = Toolchain::ensure(GUEST)?;
        let mut modules = vec![(MODULE, self.build_rust_module(toolchain, "guests", &[])?)];
        if self.small {
            modules.push((SMALL_MODULE, self.build_rust_module(toolchain, "guests-small", &SMALL_ARGUMENTS)?));
        }
        Ok(Built { compiler: toolchain.version()?, modules })
    }

    fn build_rust_module(&self, toolchain: Toolchain, target: &str, arguments: &[&str]) -> Result<PathBuf, String> {
        let target = process::target().join(target);
        let mut cargo = toolchain.cargo(&self.path(""));
        cargo
            .args(["build", "--release", "--locked", "--target", GUEST])
            .arg("--manifest-path")
            .arg(top_by_one_name()?.join(self.folder).join("Cargo.toml"))
            .args(arguments)
            .arg("--target-dir")
            .arg(&target);
        process::run(&mut cargo)?;
        let name = self.folder.rsplit('/').next().unwrap_or_default().replace('-', "_");
        Ok(target.join(GUEST).join("release").join(name).with_extension("wasm"))
    }

    /// Takes built modules into the package.
    fn commit(&self, built: &Built) -> Result<(), String> {
        let mut sums = serde_json::Map::new();
        for (file, wasm) in &built.modules {
            let committed = self.path(file);
            process::copy(wasm, &committed)?;
            sums.insert((*file).to_string(), process::sha256(&committed)?.into());
            println!("{}: {file}: {} bytes by {}", self.package, size(&committed)?, built.compiler);
        }
        let record = json!({ "compiler": built.compiler, "sha256": sums });
        let record = serde_json::to_string_pretty(&record).map_err(|error| error.to_string())?;
        process::write(&self.path("build.json"), &format!("{record}\n"))
    }

    fn build_assemblyscript(&self) -> Result<Built, String> {
        node_packages()?;
        let asc = self.path("node_modules/assemblyscript/bin/asc.js");
        let node = || {
            let mut node = process::command("node", [&asc]);
            node.current_dir(self.path(""));
            node
        };
        let version = process::output(node().arg("--version"))?;
        let name = self.folder.rsplit('/').next().unwrap_or_default();
        let compile = |target: &str, folder: &str| {
            let wasm = process::target().join(folder).join(name).with_extension("wasm");
            let mut asc = node();
            asc.args(["assembly/index.ts", "--config", "asconfig.json", "--target", target, "--outFile"]).arg(&wasm);
            // asc reports each suboptimal pass of the optimizer on stderr, so its output is shown only on failure.
            process::output(&mut asc).map(|_| wasm)
        };
        let mut modules = vec![(MODULE, compile("release", "guests")?)];
        if self.small {
            let wasm = compile("small", "guests-small")?;
            small_pages(&wasm)?;
            modules.push((SMALL_MODULE, wasm));
        }
        Ok(Built { compiler: format!("asc {}", version.trim_start_matches("Version ")), modules })
    }

    /// Reads compiler and SHA-256 of the committed modules.
    fn record(&self) -> Result<Value, String> {
        let path = self.path("build.json");
        let text = fs::read_to_string(&path).map_err(|error| format!("cannot read {}: {error}", path.display()))?;
        serde_json::from_str(&text).map_err(|error| format!("{}: {error}", path.display()))
    }

    /// Every file of a module that the package has.
    fn modules(&self) -> impl Iterator<Item = &'static str> {
        [MODULE].into_iter().chain(self.small.then_some(SMALL_MODULE))
    }
}

/// Plays the sample's log through the committed packages and through rebuilt ones.
fn compare_transcripts(rebuilt: &[(&Guest, Built)]) -> Result<(), String> {
    let log = process::target().join("guests/sample.candump");
    crate::sample::write(&log)?;
    let shipped = built::shipped()?;
    let play = |folder: &dyn Fn(&Guest) -> PathBuf| {
        let mut skiff = process::command(&shipped.to_string_lossy(), ["replay"]);
        skiff.arg(&log);
        for guest in &GUESTS {
            skiff.arg("--plugin").arg(folder(guest));
            skiff.arg("--plugin-config").arg(format!(
                "{}={}",
                guest.package,
                guest.path("sample-config.json").display()
            ));
        }
        process::output(&mut skiff)
    };
    let committed = play(&|guest| guest.path(""))?;
    for guest in &GUESTS {
        let line = format!("{{\"_plugin\":\"{}\"", guest.package);
        if !committed.lines().any(|text| text.starts_with(&line)) {
            return Err(format!("{} says nothing on the sample, so there is nothing to compare", guest.package));
        }
    }
    let folder = process::target().join("guests/packages");
    for guest in &GUESTS {
        let built = rebuilt.iter().find(|(other, _)| other.package == guest.package).map(|(_, built)| built);
        let to = folder.join(guest.package);
        for file in guest.modules() {
            let fresh = built.and_then(|built| built.modules.iter().find(|(name, _)| *name == file));
            let fresh = fresh.map_or_else(|| guest.path(file), |(_, wasm)| wasm.clone());
            process::copy(&fresh, &to.join(file))?;
        }
        process::copy(&guest.path("package.json"), &to.join("package.json"))?;
    }
    let fresh = play(&|guest| folder.join(guest.package))?;
    if committed == fresh {
        println!("transcripts of the sample are equal: {} lines", committed.lines().count());
        return Ok(());
    }
    let line = committed.lines().zip(fresh.lines()).take_while(|(left, right)| left == right).count() + 1;
    Err(format!(
        "rebuilt packages behave otherwise than the committed ones, first in line {line} of the sample's transcript"
    ))
}

fn size(path: &Path) -> Result<u64, String> {
    fs::metadata(path).map(|data| data.len()).map_err(|error| format!("cannot read {}: {error}", path.display()))
}
