//! The same plugins in every language, built and played: one scenario gives one text, in whichever language, by JSON and by
//! rows.
//!
//! `plugins/scenarios/NAME.jsonl` beside each scenario is that text: what the plugin did (`app`) and its results, without
//! what tells languages apart. `skiff test` plays the scenario, and so does a small host in JavaScript
//! (`benches/xtask/kits/rows.mjs`), once with deltas as JSON and once with rows.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Map, Value};

use crate::toolchain::{GUEST, Toolchain};
use crate::{built, debian, go_guest, guests, process};

/// How a module is made.
enum Made {
    /// It is committed, and `xtask plugins` makes it.
    Committed,
    /// By cargo, of the package or of this example of it.
    Cargo(Option<&'static str>),
    /// With pages of one byte, for Skiff alone.
    Small,
    /// By the compiler of AssemblyScript, with this memory runtime, from this file.
    Script(&'static str, &'static str),
    /// By the same with the runtime that frees nothing; no call of the host may allocate.
    Heapless,
    /// By the command that `package.json` names.
    Build,
    /// By its other command, which needs TinyGo.
    TinyGo,
    /// By clang, as the build script of a package in C says.
    Clang,
}

/// A plugin: folder below `plugins`, how it is made, and the scenario that it plays.
struct Kit(&'static str, Made, &'static str);

const INDEX: &str = "assembly/index.ts";

const KITS: &[Kit] = &[
    Kit("rust/true-wind", Made::Committed, "true-wind"),
    Kit("rust/true-wind", Made::Small, "true-wind"),
    Kit("assemblyscript/true-wind", Made::Script("incremental", INDEX), "true-wind"),
    Kit("assemblyscript/true-wind", Made::Small, "true-wind"),
    Kit("assemblyscript/true-wind", Made::Heapless, "true-wind"),
    Kit("c/true-wind", Made::Build, "true-wind"),
    Kit("zig/true-wind", Made::Build, "true-wind"),
    Kit("go/true-wind", Made::Build, "true-wind"),
    Kit("go/true-wind", Made::TinyGo, "true-wind"),
    Kit("rust/shallow-water-alarm", Made::Cargo(None), "shallow-water-alarm"),
    Kit("rust/shallow-water-alarm", Made::Small, "shallow-water-alarm"),
    Kit("assemblyscript/shallow-water-alarm", Made::Committed, "shallow-water-alarm"),
    Kit("assemblyscript/shallow-water-alarm", Made::Small, "shallow-water-alarm"),
    Kit("assemblyscript/shallow-water-alarm", Made::Heapless, "shallow-water-alarm"),
    Kit("c/shallow-water-alarm", Made::Build, "shallow-water-alarm"),
    Kit("zig/shallow-water-alarm", Made::Build, "shallow-water-alarm"),
    Kit("go/shallow-water-alarm", Made::Build, "shallow-water-alarm"),
    Kit("go/shallow-water-alarm", Made::TinyGo, "shallow-water-alarm"),
    Kit("rust/anchor-watch", Made::Cargo(None), "anchor-watch"),
    Kit("rust/anchor-watch", Made::Small, "anchor-watch"),
    Kit("assemblyscript/anchor-watch", Made::Script("incremental", INDEX), "anchor-watch"),
    Kit("assemblyscript/anchor-watch", Made::Small, "anchor-watch"),
    Kit("assemblyscript/anchor-watch", Made::Heapless, "anchor-watch"),
    Kit("c/anchor-watch", Made::Build, "anchor-watch"),
    Kit("zig/anchor-watch", Made::Build, "anchor-watch"),
    Kit("go/anchor-watch", Made::Build, "anchor-watch"),
    Kit("go/anchor-watch", Made::TinyGo, "anchor-watch"),
    Kit("rust/anchor-watch", Made::Cargo(Some("every_kind")), "every-kind"),
    Kit("every-kind", Made::Script("incremental", "plugin.ts"), "every-kind"),
    Kit("every-kind", Made::Script("minimal", "plugin.ts"), "every-kind"),
    Kit("every-kind", Made::Script("stub", "plugin.ts"), "every-kind"),
    Kit("every-kind", Made::Clang, "every-kind"),
    Kit("rust/anchor-watch", Made::Cargo(Some("offers")), ON_SKIFF),
    Kit("rust/anchor-watch", Made::Cargo(Some("every_kind")), "every-kind-interval"),
    Kit("every-kind", Made::Script("incremental", "plugin.ts"), "every-kind-interval"),
    Kit("every-kind", Made::Clang, "every-kind-interval"),
];

/// What a package in each language plays.
const IN_EVERY_LANGUAGE: [&str; 3] = ["true-wind", "shallow-water-alarm", "anchor-watch"];
/// Rust packages with tests of their own.
const TESTED: [&str; 2] = ["plugins/rust/anchor-watch", "plugins/rust/shallow-water-alarm"];
/// Has the compiler of AssemblyScript and the toolkit among its packages.
const SCRIPT_HOME: &str = "plugins/assemblyscript/shallow-water-alarm";
/// Version of the package of PyPI that carries zig.
const ZIG: &str = "0.15.*";
/// `skiff test` moves no clock between two deltas, so that a least time between two updates lets none through.
const WITHOUT_SKIFF: &str = "every-kind-interval";
/// Needs more of a host than deltas: all that was done and answered is compared.
const ON_SKIFF: &str = "offers";

/// Runs `xtask kits [PART…]`: those whose folder has such a part, or all; with `BLESS=1` the texts are written.
///
/// # Errors
/// What cannot be built, or the first line that differs.
pub fn run(arguments: &[String]) -> Result<(), String> {
    let is_asked = |folder: &str| arguments.is_empty() || arguments.iter().any(|part| folder.contains(part.as_str()));
    if !KITS.iter().any(|Kit(folder, ..)| is_asked(folder)) {
        return Err(format!("no plugin lies in a folder with {}", arguments.join(" or ")));
    }
    for folder in TESTED.into_iter().filter(|folder| is_asked(folder)) {
        let mut cargo = process::command("cargo", ["test", "--quiet", "--locked"]);
        process::run(cargo.current_dir(process::top().join(folder)))?;
    }
    guests::node_packages()?;
    debian::packages(&["clang", "lld"])?;
    let lacking = tools();
    let skiff = built::tested()?;
    let mut blessed = std::env::var_os("BLESS").map(|_| Vec::new());
    let has_tinygo = process::found("tinygo");
    if !has_tinygo {
        println!("SKIPPED: no plugin is built by TinyGo, there is none here");
    }
    for Kit(folder, made, scenario) in KITS.iter().filter(|Kit(folder, ..)| is_asked(folder)) {
        let is_lacking = lacking.iter().any(|language| folder.starts_with(language));
        if is_lacking || (matches!(made, Made::TinyGo) && !has_tinygo) {
            continue;
        }
        let folder = process::top().join("plugins").join(folder);
        let module = make(&folder, made)?;
        let file = |ending: &str| process::top().join("plugins/scenarios").join(scenario).with_extension(ending);
        let mut played = Vec::new();
        if *scenario != ON_SKIFF && !matches!(made, Made::Small) {
            let rows = process::top().join("benches/xtask/kits/rows.mjs");
            let heap = matches!(made, Made::Heapless).then_some("--allocates-nothing");
            played.push(process::output(Command::new("node").arg(rows).arg(file("json")).arg(&module).args(heap))?);
        }
        if *scenario != WITHOUT_SKIFF {
            played.push(process::output(Command::new(&skiff).arg("test").arg(file("json")).arg(&module))?);
        }
        let golden = file("jsonl");
        for transcript in played {
            let found = lines(&transcript, *scenario == ON_SKIFF)?;
            if let Some(blessed) = blessed.as_mut().filter(|blessed| !blessed.contains(scenario)) {
                blessed.push(scenario);
                process::write(
                    &golden,
                    &found.iter().fold(String::new(), |text, line| text + &line.to_string() + "\n"),
                )?;
            }
            let text = std::fs::read_to_string(&golden).map_err(|error| format!("{}: {error}", golden.display()))?;
            let expected = lines(&text, true)?;
            same(&expected, &found).map_err(|reason| format!("{}, {scenario}: {reason}", module.display()))?;
        }
        println!(
            "{scenario}: {} does what the others do",
            module.strip_prefix(process::top()).unwrap_or(&module).display()
        );
    }
    Ok(())
}

fn make(folder: &Path, made: &Made) -> Result<PathBuf, String> {
    let target = process::target().join("kits");
    std::fs::create_dir_all(&target).map_err(|error| format!("{}: {error}", target.display()))?;
    let committed = folder.join("plugin.wasm");
    match made {
        Made::Committed => Ok(committed),
        Made::Build | Made::TinyGo => {
            let name = if matches!(made, Made::TinyGo) { "build:tinygo" } else { "build" };
            let command = build_script(folder, name)?;
            let mut shell = Command::new("sh");
            with_tools(&mut shell);
            process::run(shell.args(["-c", &command]).current_dir(folder))?;
            Ok(committed)
        }
        Made::Clang => {
            let module = target.join("every-kind-c.wasm");
            let command = build_script(&process::top().join("plugins/c/true-wind"), "build")?;
            let command = command.replace("-o plugin.wasm", &format!("-o '{}'", module.display()));
            process::run(Command::new("sh").args(["-c", &command]).current_dir(folder))?;
            Ok(module)
        }
        Made::Heapless => make(folder, &Made::Script("stub", INDEX)),
        Made::Script(runtime, source) => script(folder, source, runtime, &["--runtime", runtime]),
        Made::Cargo(Some(example)) => cargo(folder, "guests", &["--example", example], &format!("examples/{example}")),
        Made::Cargo(None) => cargo(folder, "guests", &[], &crate_name(folder)),
        // A committed one.
        Made::Small if folder.join("build.json").is_file() => Ok(folder.join(guests::SMALL_MODULE)),
        Made::Small if folder.join("asconfig.json").is_file() => {
            let module = script(folder, INDEX, "small", &guests::SMALL_SCRIPT_ARGUMENTS)?;
            guests::small_pages(&module).map(|()| module)
        }
        Made::Small => cargo(folder, "guests-small", &guests::SMALL_ARGUMENTS, &crate_name(folder)),
    }
}

/// Compiles a module of AssemblyScript; `name` tells it from others of the folder.
fn script(folder: &Path, source: &str, name: &str, arguments: &[&str]) -> Result<PathBuf, String> {
    let of = folder.file_name().unwrap_or_default().to_string_lossy();
    let module = process::target().join("kits").join(format!("{of}-{name}.wasm"));
    let home = process::top().join(SCRIPT_HOME);
    let mut asc = Command::new("node");
    asc.current_dir(&home).arg(home.join("node_modules/assemblyscript/bin/asc.js"));
    // From where it runs: an absolute path is no path of a module.
    let below = folder.strip_prefix(process::top()).unwrap_or(folder);
    asc.arg(Path::new("../../..").join(below).join(source)).args(["-O", "--exportRuntime"]);
    process::output(asc.args(arguments).arg("--outFile").arg(&module))?;
    Ok(module)
}

/// Builds a module with cargo in this folder of the target folder.
fn cargo(folder: &Path, target: &str, arguments: &[&str], module: &str) -> Result<PathBuf, String> {
    let target = process::target().join(target);
    let mut cargo = Toolchain::ensure(GUEST)?.cargo(folder);
    cargo.args(["build", "--quiet", "--release", "--locked", "--target", GUEST]).args(arguments);
    process::run(cargo.arg("--target-dir").arg(&target))?;
    Ok(target.join(GUEST).join("release").join(module).with_extension("wasm"))
}

fn crate_name(folder: &Path) -> String {
    folder.file_name().unwrap_or_default().to_string_lossy().replace('-', "_")
}

/// A package with its modules.
pub struct Package {
    /// Language, as the folder of all its packages is named.
    pub language: String,
    /// Where its `package.json` lies.
    pub folder: PathBuf,
    /// What it plays.
    pub scenario: PathBuf,
    /// Files of the package, and what was built for them.
    pub modules: Vec<(&'static str, PathBuf)>,
}

/// Builds the packages that there are in every language.
///
/// # Errors
/// What cannot be built.
pub fn packages() -> Result<Vec<Package>, String> {
    guests::node_packages()?;
    debian::packages(&["clang", "lld"])?;
    if let Some(language) = tools().first() {
        return Err(format!("there is no compiler for {language}"));
    }
    let mut packages: Vec<Package> = Vec::new();
    for Kit(below, made, scenario) in KITS.iter().filter(|kit| IN_EVERY_LANGUAGE.contains(&kit.2)) {
        let folder = process::top().join("plugins").join(below);
        let file = match made {
            Made::Heapless | Made::TinyGo => continue,
            Made::Small => guests::SMALL_MODULE,
            _ => guests::MODULE,
        };
        let module = (file, make(&folder, made)?);
        if let Some(package) = packages.iter_mut().find(|package| package.folder == folder) {
            package.modules.push(module);
            continue;
        }
        let language = below.split('/').next().unwrap_or_default().to_owned();
        let scenario = process::top().join("plugins/scenarios").join(scenario).with_extension("json");
        packages.push(Package { language, folder, scenario, modules: vec![module] });
    }
    Ok(packages)
}

/// Builds two modules of AssemblyScript with the toolkit, what a new plugin begins as and the anchor watch, and returns the
/// folder with both: `template.wasm`, `anchor-watch.wasm`.
///
/// # Errors
/// What cannot be built.
pub fn chip_modules() -> Result<PathBuf, String> {
    guests::node_packages()?;
    let folder = process::target().join("kits/chip");
    std::fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let sources =
        [("template", "hal-linux/templates/assemblyscript"), ("anchor-watch", "plugins/assemblyscript/anchor-watch")];
    for (name, below) in sources {
        let built = script(&process::top().join(below), INDEX, name, &["--runtime", "incremental"])?;
        process::copy(&built, &folder.join(name).with_extension("wasm"))?;
    }
    Ok(folder)
}

/// Installs the compilers of PyPI; returns the languages without one, and tells why.
pub fn tools() -> Vec<&'static str> {
    let tools = [("zig", zig()), ("go", go_guest::toolchain().map(drop))];
    let lacking = tools.into_iter().filter_map(|(language, tool)| {
        println!("SKIPPED: no plugin in {language} is built, there is no toolchain here: {}", tool.err()?);
        Some(language)
    });
    lacking.collect()
}

/// Lets a program find them.
pub fn with_tools(command: &mut Command) {
    let target = process::target();
    let path = std::env::var("PATH").unwrap_or_default();
    let folders = [target.join("zig/ziglang"), target.join("go/go/bin")].map(|folder| folder.display().to_string());
    command.env("PATH", format!("{}:{path}", folders.join(":")));
    go_guest::offline(command);
}

/// Installs Zig where it is missing, as `zig/ziglang/zig` below the target folder.
///
/// # Errors
/// What pip said.
pub fn zig() -> Result<(), String> {
    let target = process::target().join("zig");
    if target.join("ziglang/zig").is_file() {
        return Ok(());
    }
    let mut pip = process::command("python3", ["-m", "pip", "install", "--quiet", "--target"]);
    process::run(pip.arg(&target).arg(format!("ziglang=={ZIG}")))
}

fn build_script(folder: &Path, name: &str) -> Result<String, String> {
    let path = folder.join("package.json");
    let text = std::fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    let package: Value = serde_json::from_str(&text).map_err(|error| format!("{}: {error}", path.display()))?;
    let script = package["scripts"][name].as_str();
    script.map(str::to_owned).ok_or_else(|| format!("{}: no script {name}", path.display()))
}

/// What a plugin did and its results, of a transcript: without numbers of lines, and, unless it is asked for as a whole,
/// without what differs by language or by way.
fn lines(transcript: &str, whole: bool) -> Result<Vec<Value>, String> {
    let mut lines = Vec::new();
    for text in transcript.lines() {
        let line: Map<String, Value> = serde_json::from_str(text).map_err(|error| format!("{error}: {text}"))?;
        let keep = |names: &[&str]| {
            let members = names.iter().filter_map(|name| Some(((*name).to_owned(), line.get(*name)?.clone())));
            Value::Object(members.collect())
        };
        match line["t"].as_str() {
            // Only a host that reads rows says what it refuses of them.
            Some("app") if line["ev"] == "refused" => {}
            Some("app" | "result") if whole => {
                lines.push(Value::Object(line.into_iter().filter(|(name, _)| name != "seq").collect()));
            }
            Some("app") => lines.push(keep(&["t", "ev", "msg", "delta"])),
            Some("result") if ["name", "schema", "start", "stop"].iter().any(|step| line["step"] == **step) => {
                lines.push(keep(&["t", "step", "value"]));
            }
            _ => {}
        }
    }
    Ok(lines)
}

fn same(expected: &[Value], found: &[Value]) -> Result<(), String> {
    match expected.iter().zip(found).position(|(expected, found)| expected != found) {
        Some(at) => Err(format!("line {} is {}, not {}", at + 1, found[at], expected[at])),
        None if expected.len() != found.len() => {
            Err(format!("there are {} lines, not {}", found.len(), expected.len()))
        }
        None => Ok(()),
    }
}
