//! Engines on the emulated RISC-V board: built for it, booted with each package, void where the answers differ.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::{Map, Value, json};
use skiff_measure::input::{Feed, as_text, feed};
use skiff_measure::virt::{Entries, emulator};

use super::engines;
use super::results::IN_ROWS;
use crate::size::Flash;
use crate::toolchain::{CHIP, Toolchain};
use crate::{process, qemu, wasmi_edits};

/// Kinds of entries in the flash, as `benches/engines/board/src/stored.rs` reads them.
const MANIFEST: u32 = 3;
const MODULE: u32 = 4;
const CONFIG: u32 = 5;
const EMPTY: u32 = 16;
const BEFORE: u32 = 17;
const ANSWERED: u32 = 18;
const UNWANTED: u32 = 19;

/// Seconds after which the emulator is ended.
const SECONDS_MAX: &str = "900";

/// Where it is built.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Built {
    /// From the registry.
    AsItComes,
    /// With the interpreter of Skiff's boards.
    Edited,
    /// Not at all, for this reason.
    Not(&'static str),
}

/// An engine on the board.
struct Engine {
    name: &'static str,
    title: &'static str,
    /// Package whose version is told.
    of: &'static str,
    /// Feature of `benches/engines/board`.
    feature: &'static str,
    built: Built,
}

const IN_C: Built = Built::Not("is C, and needs a compiler and a C library for a chip without an operating system");

/// Every engine, Skiff first.
const ENGINES: [Engine; 11] = [
    engine("skiff", "Skiff (its wasmi, fuel, limits)", "", "skiff", Built::Edited),
    engine(IN_ROWS, "Skiff, values in rows", "", "skiff", Built::Edited),
    engine("wasmi-edited", "wasmi with Skiff's edits, no fuel", "wasmi", "wasmi", Built::Edited),
    engine("wasmi-portable", "wasmi, portable, no fuel", "wasmi", "wasmi", Built::AsItComes),
    engine("tinywasm", "tinywasm", "tinywasm", "tinywasm", Built::AsItComes),
    engine("dlr", "dlr-wasm-interpreter", "dlr-wasm-interpreter", "dlr", Built::AsItComes),
    engine("pulley", "wasmtime, Pulley, compiled before", "wasmtime", "pulley", Built::AsItComes),
    engine("wasm3", "wasm3", "", "", IN_C),
    engine("wamr", "WAMR", "", "", IN_C),
    engine("wasmtime", "wasmtime, Cranelift", "", "", Built::Not("makes no code for RISC-V of 32 bits")),
    engine("v8", "V8", "", "", Built::Not("needs an operating system, and makes no code for a chip of this kind")),
];

const fn engine(
    name: &'static str,
    title: &'static str,
    of: &'static str,
    feature: &'static str,
    built: Built,
) -> Engine {
    Engine { name, title, of, feature, built }
}

/// Builds and boots every engine; what goes wrong is the row.
///
/// `answers` are those of the engines on Linux, by package.
///
/// # Errors
/// That nothing can be built for the board, or the emulator is missing and cannot be installed.
pub fn measured(packages: &[PathBuf], answers: &Value) -> Result<Value, String> {
    qemu::prepare()?;
    wasmi_edits::ensure()?;
    // The same program without an engine: what it takes is taken from what all others take.
    let bare = Flash::of(&image("none", Built::AsItComes)?)?;
    let mut rows: Vec<Value> = ENGINES.iter().map(|engine| row(engine, &bare, packages)).collect();
    for found in rows.iter_mut().flat_map(|row| row["packages"].as_array_mut().into_iter().flatten()) {
        let expected = found["package"].as_str().map(|name| &answers[name]);
        let is_other =
            expected.is_some_and(|expected| expected.is_array() && engines::said(&found["answers"]) != *expected);
        if found["failed"].is_null() && is_other {
            found["failed"] = "other results than on Linux".into();
            found["rows"] = Value::Null;
        }
    }
    engines::void_what_differs(&mut rows);
    put_ratios(&mut rows);
    Ok(json!({ "board": "qemu-riscv32", "rows": rows }))
}

fn row(engine: &Engine, bare: &Flash, packages: &[PathBuf]) -> Value {
    eprintln!("== board: {}", engine.title);
    let mut row = json!({ "name": engine.name, "title": engine.title });
    let found = match engine.built {
        Built::Not(reason) => Err(reason.to_owned()),
        built => of_image(engine, built, bare, packages),
    };
    match found {
        Ok(found) => row.as_object_mut().into_iter().for_each(|row| row.extend(found.clone())),
        Err(reason) => row["void"] = engines::short(&reason).into(),
    }
    row
}

fn of_image(engine: &Engine, built: Built, bare: &Flash, packages: &[PathBuf]) -> Result<Map<String, Value>, String> {
    let image = image(engine.feature, built)?;
    let flash = Flash::of(&image)?;
    let found: Vec<Value> = packages
        .iter()
        .map(|package| {
            let found = stored(engine, package).and_then(|(name, flash)| booted(&image, &name, &flash));
            found.unwrap_or_else(|reason| {
                let name = package.file_name().unwrap_or_default().to_string_lossy();
                json!({ "package": name, "failed": engines::short(&reason) })
            })
        })
        .collect();
    let mut row = Map::new();
    let version = if engine.of.is_empty() {
        env!("CARGO_PKG_VERSION").to_owned()
    } else {
        engines::locked(&engines::folder().join("board"), engine.of)?
    };
    row.insert("version".into(), version.into());
    row.insert("textBytes".into(), flash.text.saturating_sub(bare.text).into());
    row.insert("constantBytes".into(), flash.rodata.saturating_sub(bare.rodata).into());
    row.insert("packages".into(), found.into());
    Ok(row)
}

/// Builds the board's program with an engine.
fn image(feature: &str, built: Built) -> Result<PathBuf, String> {
    let toolchain = Toolchain::ensure(CHIP)?;
    let target = process::target().join("engines-board");
    let below = if built == Built::Edited { "board/edited" } else { "board" };
    // In the folder of the boards, so that the compiler gets the flags that they are built with.
    let mut cargo = toolchain.cargo(&process::top().join("hal-esp32"));
    cargo.args(["build", "--quiet", "--release", "--locked", "--features", feature, "--target", CHIP, "--target-dir"]);
    cargo.arg(&target).arg("--manifest-path").arg(engines::folder().join(below).join("Cargo.toml"));
    process::output(&mut cargo)?;
    Ok(target.join(CHIP).join("release/skiff-engines-board"))
}

/// Writes what the board finds in its flash; returns the package's name and the file.
fn stored(engine: &Engine, package: &Path) -> Result<(String, PathBuf), String> {
    let read = |name: &str| fs::read(package.join(name)).map_err(|error| format!("{name}: {error}"));
    let manifest = read("package.json")?;
    let name = name_of(&manifest)?;
    let Feed { before, answered, unwanted } = feed(&name).ok_or("has no deltas")?;
    let folder = process::target().join("bench");
    let empty = folder.join("empty.wasm");
    let text = wat::parse_str(include_str!("../../../engines/board/empty.wat")).map_err(|error| error.to_string())?;
    fs::write(&empty, text).map_err(|error| format!("{}: {error}", empty.display()))?;
    let module = package.join("plugin.wasm");
    let code = |module: &Path| -> Result<Vec<u8>, String> {
        let module = if engine.name == "pulley" { precompiled(module)? } else { module.to_path_buf() };
        let code = fs::read(&module).map_err(|error| format!("{}: {error}", module.display()))?;
        // The others know nothing of rows.
        Ok(Some(&code).filter(|_| engine.name == "skiff").and_then(|code| as_text(code)).unwrap_or(code))
    };
    let entries = Entries::default().entry(MANIFEST, &manifest).entry(CONFIG, &read("sample-config.json")?);
    let entries = entries.aligned_entry(MODULE, &code(&module)?).aligned_entry(EMPTY, &code(&empty)?);
    let add = |kind| move |entries: Entries, text: &String| entries.entry(kind, text.as_bytes());
    let entries = before.iter().fold(entries, add(BEFORE));
    let entries = answered.iter().fold(entries, add(ANSWERED)).entry(UNWANTED, unwanted.as_bytes());
    let file = folder.join("board.flash");
    fs::write(&file, entries.bytes()?).map_err(|error| format!("{}: {error}", file.display()))?;
    Ok((name, file))
}

fn name_of(manifest: &[u8]) -> Result<String, String> {
    let manifest: Value = serde_json::from_slice(manifest).map_err(|error| error.to_string())?;
    manifest["name"].as_str().map(str::to_owned).ok_or_else(|| "has no name".into())
}

/// Compiles a module for Pulley, with the program that has wasmtime's compiler in it.
fn precompiled(module: &Path) -> Result<PathBuf, String> {
    let program = engines::program_of("wasmtime")?;
    let code = module.with_extension("pulley32");
    process::output(Command::new(program).arg("--precompile").arg(module).arg(&code))?;
    Ok(code)
}

/// Boots the board and reads what it says.
fn booted(image: &Path, package: &str, flash: &Path) -> Result<Value, String> {
    let board = emulator(image, flash);
    let mut command = Command::new("timeout");
    command.arg(SECONDS_MAX).arg(board.get_program()).args(board.get_args()).stdin(Stdio::null());
    let output = command.output().map_err(|error| format!("cannot start the emulator: {error}"))?;
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    if !output.status.success() {
        let last = said.lines().rfind(|line| !line.trim().is_empty() && !line.starts_with("# = "));
        return Err(last.unwrap_or("the board fell silent").trim_start_matches("# ").to_owned());
    }
    read(&said, package)
}

/// Reads rows and answers.
fn read(said: &str, package: &str) -> Result<Value, String> {
    let (mut rows, mut answers) = (Map::new(), Vec::new());
    for line in said.lines().map(str::trim_end).filter(|line| !line.is_empty()) {
        match line.strip_prefix("# = ").and_then(|row| row.rsplit_once(' ')) {
            Some((id, number)) => {
                let number: u64 = number.parse().map_err(|_| format!("the board said: {line}"))?;
                rows.insert(id.into(), json!({ "median": number }));
            }
            None => answers.push(Value::from(line)),
        }
    }
    Ok(json!({ "package": package, "rows": rows, "answers": answers }))
}

/// Puts into each row how many times the engine's number Skiff's is.
fn put_ratios(rows: &mut [Value]) {
    let own = rows.first().cloned().unwrap_or_default();
    for row in rows {
        for found in row["packages"].as_array_mut().into_iter().flatten() {
            let package = found["package"].as_str().unwrap_or_default().to_owned();
            for (id, cell) in found["rows"].as_object_mut().into_iter().flatten() {
                let other = cell["median"].as_f64().filter(|value| *value > 0.0);
                if let Some((own, other)) = super::value(&own, &package, id).zip(other) {
                    cell["ratio"] = (own / other).into();
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_and_answers_are_read_apart() {
        let said = "# = call.empty 12\r\n# = heap.peak 34\r\n{\"a\":1}\r\n\r\n";
        let found = read(said, "@a/b").unwrap();
        assert_eq!(found["package"], "@a/b");
        assert_eq!(found["rows"], json!({ "call.empty": { "median": 12 }, "heap.peak": { "median": 34 } }));
        assert_eq!(found["answers"], json!(["{\"a\":1}"]));
        assert!(read("# = heap much", "@a/b").is_err());
    }

    #[test]
    fn a_ratio_is_skiffs_number_by_the_others() {
        let row = |value: u64| json!({ "packages": [{ "package": "@a/b", "rows": { "load": { "median": value }, "bare": null } }] });
        let mut rows = [row(10), row(4), json!({ "void": "is C" })];
        put_ratios(&mut rows);
        assert_eq!(super::super::ratio(&rows[1], "@a/b", "load"), Some(2.5));
        assert_eq!(super::super::ratio(&rows[0], "@a/b", "load"), Some(1.0));
    }

    #[test]
    fn an_engine_is_built_in_one_way_or_has_a_reason() {
        for engine in &ENGINES {
            assert_eq!(matches!(engine.built, Built::Not(_)), engine.feature.is_empty(), "{}", engine.name);
        }
    }
}
