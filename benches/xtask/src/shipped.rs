//! Tests of the very program that ships: release profile, link-time optimisation, no unwinding.
//!
//! The tests of the workspace are built otherwise. What the profile could change is the interpreter: whether its handlers
//! are tail calls, and what it makes of a guest. So the program plays every conformance scenario, and every instruction
//! that could grow the native stack, on a small one.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::{built, process};

const SCENARIOS: &str = "runtime/tests/data/scenarios";
/// The module of `runtime/tests/native_stack.rs`, and what it executes.
const MODULE: &str = "runtime/tests/data/native_stack/module.wat";
const INSTRUCTIONS: &str = "runtime/tests/data/native_stack/instructions.txt";
/// Native stack, KiB: a tenth of what one frame per iteration would need.
const STACK_KIB: u32 = 512;
const SCRIPT: &str = r#"{"package":"native-stack","steps":[{"op":"start"},{"op":"poll"}]}"#;
/// The guest came to its end.
const POLLED: &str = r#""t":"result","step":"poll","value":0}"#;

/// Builds the program and has it play all of that.
///
/// # Errors
/// What cannot be built, the first line of a transcript that differs, or the instruction that ended it.
pub fn run() -> Result<(), String> {
    let skiff = built::shipped()?;
    let folder = process::target().join("shipped");
    fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let scenarios = scenarios(&skiff, &folder)?;
    let instructions = instructions(&skiff, &folder)?;
    println!("the program as it ships: {scenarios} scenarios give their transcripts byte for byte");
    println!("{instructions} instructions on a stack of {STACK_KIB} KiB leave it as it is");
    Ok(())
}

fn scenarios(skiff: &Path, folder: &Path) -> Result<usize, String> {
    let top = process::top().join(SCENARIOS);
    let entries = fs::read_dir(&top).map_err(|error| format!("{}: {error}", top.display()))?;
    let mut count = 0;
    for case in entries.flatten().map(|entry| entry.path()) {
        let name = case.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let wasm = module(folder, &read(&case.join("plugin.wat"))?).map_err(|error| format!("{name}: {error}"))?;
        let found = process::output(Command::new(skiff).arg("test").arg(case.join("scenario.json")).arg(&wasm))?;
        let expected = read(&case.join("expected.jsonl"))?;
        if found != expected.trim() {
            let line = found.lines().zip(expected.lines()).take_while(|(left, right)| left == right).count() + 1;
            return Err(format!("{name}: the program as it ships differs in line {line} of its transcript"));
        }
        count += 1;
    }
    if count == 0 { Err(format!("{} has no scenario", top.display())) } else { Ok(count) }
}

fn instructions(skiff: &Path, folder: &Path) -> Result<usize, String> {
    let (text, instructions) = (read(&process::top().join(MODULE))?, read(&process::top().join(INSTRUCTIONS))?);
    let script = folder.join("native-stack.json");
    process::write(&script, SCRIPT)?;
    for instruction in instructions.lines() {
        let wasm = module(folder, &text.replace("INSTRUCTION", instruction))
            .map_err(|error| format!("{instruction}: {error}"))?;
        let mut shell = Command::new("bash");
        shell.args(["-c", &format!("ulimit -s {STACK_KIB} && exec \"$@\""), "bash"]);
        let said = process::output(shell.arg(skiff).arg("test").arg(&script).arg(&wasm))
            .map_err(|error| format!("{instruction}: {error}"))?;
        if !said.lines().any(|line| line.ends_with(POLLED)) {
            return Err(format!("{instruction}: the guest did not come to its end: {said}"));
        }
    }
    match instructions.lines().count() {
        0 => Err(format!("{INSTRUCTIONS} is empty")),
        count => Ok(count),
    }
}

/// Writes a module given as text.
fn module(folder: &Path, text: &str) -> Result<std::path::PathBuf, String> {
    let path = folder.join("plugin.wasm");
    let bytes = wat::parse_str(text).map_err(|error| error.to_string())?;
    fs::write(&path, bytes).map_err(|error| format!("{}: {error}", path.display()))?;
    Ok(path)
}

fn read(path: &Path) -> Result<String, String> {
    fs::read_to_string(path).map_err(|error| format!("cannot read {}: {error}", path.display()))
}
