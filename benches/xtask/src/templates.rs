//! A newcomer's path: a package from each template, built, tested, run on the sample, packed, installed into a gateway
//! that runs, its value read over REST, and checked against chips by every command; then AssemblyScript in each of its memory runtimes, fed for a quarter of an hour of simulated time.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::toolchain::{GUEST, Toolchain};
use crate::{built, debian, kits, newcomer, process, sample, verdicts};

const LANGUAGES: [&str; 5] = ["rust", "assemblyscript", "c", "zig", "go"];
/// The smallest chip that a new plugin has to fit.
const BOARD: &str = "qemu-riscv32";
/// The chip whose radio leaves less: AssemblyScript's page does not fit beside it.
const RADIO_BOARD: &str = "esp32c6";
/// What the template's plugin emits first on the sample.
const EMITS: &str = r#""path":"environment.depth.smallest","value":9.02"#;

/// What it says in its scenario.
const TESTED: [&str; 3] = [
    r#"{"path":"environment.depth.smallest","value":3.5}"#,
    r#"{"path":"environment.depth.smallest","value":3}"#,
    r#""step":"stop","value":0"#,
];

/// AssemblyScript's memory runtimes: the first frees by itself, the second when it is asked, the third never.
const RUNTIMES: [&str; 3] = ["incremental", "minimal", "stub"];
/// Frames that each of them is fed with; most give a delta, some two, and there is no filter.
const FRAMES: usize = 100_000;
/// A plugin that makes garbage of each delta and answers it.
const ECHO: &str = r#"import { emit } from '@signalk/assemblyscript-plugin-sdk/assembly/api'
import { createSimpleDelta } from '@signalk/assemblyscript-plugin-sdk/assembly/signalk'

export function plugin_id(): string {
  return 'flavour'
}
export function plugin_name(): string {
  return 'Flavour'
}
export function plugin_schema(): string {
  return '{}'
}
export function plugin_start(ptr: usize, len: usize): i32 {
  return 0
}
export function plugin_stop(): i32 {
  return 0
}
export function delta_handler(delta: string): void {
  if (delta.includes('"flavour.echo"')) return
  const parts = delta.split(',')
  emit(createSimpleDelta('flavour.echo', parts.length.toString()))
}
"#;
const ECHO_PACKAGE: &str = r#"{"name":"flavour","version":"1.0.0","keywords":["signalk-wasm-plugin"],
"wasmManifest":"plugin.wasm","wasmCapabilities":{"dataRead":true,"dataWrite":true}}"#;

/// Runs `xtask templates`.
///
/// # Errors
/// The step that failed, or what the plugin did not emit.
pub fn run(arguments: &[String]) -> Result<(), String> {
    if !arguments.is_empty() {
        return Err("takes no arguments".into());
    }
    let toolchain = Toolchain::ensure(GUEST)?;
    let shipped = built::shipped()?;
    let home = process::target().join("templates");
    debian::packages(&["clang", "lld"])?;
    let lacking = kits::tools();
    let log = home.join("boat.candump");
    fs::create_dir_all(&home).map_err(|error| format!("{}: {error}", home.display()))?;
    sample::write(&log)?;
    for language in LANGUAGES.into_iter().filter(|language| !lacking.contains(language)) {
        let folder = home.join(language);
        if folder.exists() {
            fs::remove_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
        }
        let skiff = || {
            let mut skiff = Command::new(&shipped);
            toolchain.for_children(&mut skiff);
            // The package is a workspace of its own, with its own target folder.
            skiff.env_remove("CARGO_TARGET_DIR");
            kits::with_tools(&mut skiff);
            skiff
        };
        let name = format!("@example/{language}-depth");
        process::run(skiff().args(["plugin", "new", &name, "--lang", language, "--folder"]).arg(&folder))?;
        // A module of standard Go has 2 MB.
        let board = if language == "go" { "linux" } else { BOARD };
        // Its last line is the pack.
        let built = process::output(skiff().args(["plugin", "build", "--pack", "--board", board]).arg(&folder))?;
        let pack = built.lines().last().filter(|path| Path::new(path).is_file());
        pack.ok_or_else(|| format!("{name} was not packed: {built}"))?;
        let did = process::output(skiff().arg("test").arg(folder.join("scenario.json")))?;
        if let Some(text) = TESTED.iter().find(|text| !did.contains(**text)) {
            return Err(format!("{name} did not say {text} in its scenario, but: {did}"));
        }
        if language == "rust" {
            process::run(toolchain.cargo(&folder).env_remove("CARGO_TARGET_DIR").args(["test", "--quiet"]))?;
        }
        let lines = process::output(skiff().args(["replay", "--sample", "--plugin"]).arg(&folder))?;
        let emitted = format!("{{\"_plugin\":\"{name}\"");
        match lines.lines().find(|line| line.starts_with(&emitted)) {
            Some(line) if line.contains(EMITS) => println!("{name}: built from its template, fits {board}, runs"),
            Some(line) => return Err(format!("{name} emitted {line}")),
            None => return Err(format!("{name} emitted nothing on the sample")),
        }
        let value = newcomer::on_board(&skiff, &folder, &name, &log, &home)?;
        println!("{name}: packed and installed into a gateway that runs, which serves {value} over REST");
        if language == "go" {
            // Far beyond any chip: what is refused, and how, is tried with the others.
            continue;
        }
        let fits = verdicts::same(&shipped, &folder, &name, RADIO_BOARD, &home)?;
        if fits && language == "assemblyscript" {
            return Err(format!("{name} fits {RADIO_BOARD}, so that no refusal was tried"));
        }
        let verdict = if fits { "fits" } else { "is refused for" };
        println!("{name}: {verdict} {RADIO_BOARD}, as check, replay, test and run say alike");
    }
    runtimes(&shipped, &home)
}

/// Feeds one plugin, compiled for each memory runtime, with more than its memory holds: each answers every delta.
fn runtimes(shipped: &Path, home: &Path) -> Result<(), String> {
    let log = home.join("long.candump");
    sample::write_frames(&log, FRAMES)?;
    let package = home.join("assemblyscript");
    process::write(&package.join("assembly/flavour.ts"), ECHO)?;
    let mut expected = None;
    for runtime in RUNTIMES {
        let folder = home.join("flavours").join(runtime);
        fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
        process::write(&folder.join("package.json"), ECHO_PACKAGE)?;
        let mut asc = Command::new(package.join("node_modules/.bin/asc"));
        asc.current_dir(&package).args([
            "assembly/flavour.ts",
            "--exportRuntime",
            "-O",
            "--runtime",
            runtime,
            "--outFile",
        ]);
        process::run(asc.arg(folder.join("plugin.wasm")))?;
        let mut skiff = Command::new(shipped);
        let lines = process::output(skiff.arg("replay").arg(&log).arg("--plugin").arg(&folder))?;
        let answers = lines.lines().filter(|line| line.starts_with("{\"_plugin\":\"flavour\"")).count();
        let deltas = lines.lines().filter(|line| line.starts_with("{\"_line\":")).count();
        if answers < deltas || deltas < FRAMES / 2 || *expected.get_or_insert(answers) != answers {
            return Err(format!(
                "runtime {runtime}: {answers} answers to {deltas} deltas, {expected:?} with the first"
            ));
        }
        println!("AssemblyScript, runtime {runtime}: {answers} answers to {deltas} lines with a delta");
    }
    Ok(())
}
