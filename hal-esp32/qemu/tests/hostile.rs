//! Hostile modules on the board: each is refused or contained, and the plugin beside it gets the sample as if alone.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use board::{Ended, Partition, boot, config_of, file_of, top};

/// Seconds of the sample that flow past each module.
const SECONDS: u32 = 6;
/// Package of the plugin beside it.
const NEIGHBOUR: &str = "plugins/rust/true-wind";
/// Where a checkout of the project has the corpus beside it.
const CORPUS: &str = "../shared/corpora/hostile";
/// Boards that run at the same time for it.
const WORKERS: usize = 2;

const LOOP: &str = "(loop $again (br $again))";
const RECURSE: &str = "(drop (call $recurse (i32.const 1)))";
const GROW: &str = "(loop $again (br_if $again (i32.ne (memory.grow (i32.const 1)) (i32.const -1))) (unreachable))";
const FLOOD: &str = "(loop $again (call $emit (i32.const 64) (i32.const 51)) (br $again))";

#[test]
#[ignore = "boots the emulated board: cargo xtask qemu"]
fn a_loop_in_start_is_contained() -> Result<(), String> {
    contained("loop-in-start", &module(LOOP, "", ""))
}

#[test]
#[ignore = "boots the emulated board: cargo xtask qemu"]
fn a_loop_in_poll_is_contained() -> Result<(), String> {
    contained("loop-in-poll", &module("", LOOP, ""))
}

#[test]
#[ignore = "boots the emulated board: cargo xtask qemu"]
fn a_loop_in_the_delta_handler_is_contained() -> Result<(), String> {
    contained("loop-in-delta-handler", &module("", "", LOOP))
}

#[test]
#[ignore = "boots the emulated board: cargo xtask qemu"]
fn recursion_is_contained() -> Result<(), String> {
    contained("recursion", &module("", RECURSE, ""))
}

#[test]
#[ignore = "boots the emulated board: cargo xtask qemu"]
fn a_memory_bomb_is_contained() -> Result<(), String> {
    contained("memory-bomb", &module("", GROW, ""))
}

#[test]
#[ignore = "boots the emulated board: cargo xtask qemu"]
fn a_trap_is_contained() -> Result<(), String> {
    contained("trap", &module("", "", "(unreachable)"))
}

#[test]
#[ignore = "boots the emulated board: cargo xtask qemu"]
fn a_flood_of_deltas_is_contained() -> Result<(), String> {
    contained("flood", &module("", FLOOD, ""))
}

#[test]
#[ignore = "boots the emulated board: cargo xtask qemu"]
fn a_pointer_outside_of_the_memory_is_contained() -> Result<(), String> {
    contained("pointer-outside", &module("(call $emit (i32.const 0x7fffff00) (i32.const 0x7fffffff))", "", ""))
}

#[test]
#[ignore = "boots the emulated board: cargo xtask qemu"]
fn a_store_outside_of_the_memory_is_contained() -> Result<(), String> {
    contained("store-outside", &module("", "", "(i32.store (i32.const -4) (i32.const 1))"))
}

#[test]
#[ignore = "boots the emulated board: cargo xtask qemu"]
fn a_memory_of_4_gib_is_refused() -> Result<(), String> {
    contained("memory-of-4-gib", &module("", "", "").replace("\"memory\") 1", "\"memory\") 65536"))
}

/// `SKIFF_HOSTILE` names another folder; without one, and where the corpus is not beside the project, that is told.
#[test]
#[ignore = "boots the emulated board: cargo xtask qemu"]
fn every_module_of_the_corpus_is_contained() -> Result<(), String> {
    let folder = match env::var_os("SKIFF_HOSTILE") {
        Some(folder) => PathBuf::from(folder),
        None => top().join(CORPUS),
    };
    if !folder.is_dir() && env::var_os("SKIFF_HOSTILE").is_none() {
        println!("SKIPPED: the corpus of hostile modules is not beside the project");
        return Ok(());
    }
    let modules = modules_of(&folder)?;
    let next = AtomicUsize::new(0);
    let work = || {
        let taken = std::iter::from_fn(|| modules.get(next.fetch_add(1, Ordering::Relaxed)));
        taken.map(|(name, text)| contained_bytes(name, text)).collect::<Vec<_>>()
    };
    // The emulator has one thread, and modules that loop take it seconds.
    let outcomes: Vec<_> = thread::scope(|scope| {
        let workers = [(); WORKERS].map(|()| scope.spawn(work));
        workers.into_iter().flat_map(|worker| worker.join().expect("a worker")).collect()
    });
    outcomes.iter().filter_map(|outcome| outcome.as_ref().ok()).for_each(|said| println!("{said}"));
    let wrong: Vec<String> = outcomes.into_iter().filter_map(Result::err).collect();
    println!("{} hostile modules were booted, {} not contained", modules.len(), wrong.len());
    if wrong.is_empty() { Ok(()) } else { Err(format!("not contained:\n  {}", wrong.join("\n  "))) }
}

fn contained(name: &str, text: &str) -> Result<(), String> {
    println!("{}", contained_bytes(name, text.as_bytes())?);
    Ok(())
}

/// Boots the board with a module, text or binary, beside the neighbour; returns what the board says of it.
fn contained_bytes(name: &str, text: &[u8]) -> Result<String, String> {
    let alone = alone()?;
    let wasm = wat::parse_bytes(text).map_err(|error| format!("{name}: the text does not parse: {error}"))?;
    let ended = boot(&neighbour()?.package(name.as_bytes(), &wasm, Some("{}")))?;
    judge(alone, &ended).map_err(|reason| format!("{name}: {reason}"))?;
    Ok(format!("{name}: {}", state(&ended, name)))
}

/// Returns what the board says with the neighbour alone.
fn alone() -> Result<&'static Ended, String> {
    static ALONE: OnceLock<Result<Ended, String>> = OnceLock::new();
    let alone = ALONE.get_or_init(|| {
        let alone = boot(&neighbour()?)?;
        alone.expect_exit(0)?;
        match alone.lines.is_empty() {
            true => Err("the plugin beside the hostile modules says nothing, so there is nothing to compare".into()),
            false => Ok(alone),
        }
    });
    alone.as_ref().map_err(Clone::clone)
}

/// Reads the modules of a folder, text or binary, by name.
fn modules_of(folder: &Path) -> Result<Vec<(String, Vec<u8>)>, String> {
    let unreadable = |error| format!("cannot read {}: {error}", folder.display());
    let mut modules = Vec::new();
    for entry in fs::read_dir(folder).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        if path.extension().is_some_and(|extension| extension == "wat" || extension == "wasm") {
            let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            modules.push((name, fs::read(&path).map_err(unreadable)?));
        }
    }
    modules.sort();
    if modules.is_empty() { Err(format!("{} has no module", folder.display())) } else { Ok(modules) }
}

/// Returns a partition with the sample and the plugin beside the module.
fn neighbour() -> Result<Partition, String> {
    let [manifest, module] = [file_of(NEIGHBOUR, "package.json")?, file_of(NEIGHBOUR, "plugin-small.wasm")?];
    Ok(Partition::sample_seconds(SECONDS).package(&manifest, &module, Some(&config_of(NEIGHBOUR)?)))
}

/// The board came to the end of the log without a reset, and its neighbour said what it says alone.
fn judge(alone: &Ended, ended: &Ended) -> Result<(), String> {
    ended.expect_exit(0)?;
    if ended.talk.iter().any(|line| line.contains("reset reason: watchdog")) {
        return Err("the board was reset".into());
    }
    let neighbour = |ended: &Ended| -> Vec<String> {
        ended.lines.iter().filter(|line| line.starts_with("{\"_plugin\":\"@skiff/true-wind\"")).cloned().collect()
    };
    let (wanted, got) = (neighbour(alone), neighbour(ended));
    if wanted == got { Ok(()) } else { Err(format!("its neighbour said {} lines of {}", got.len(), wanted.len())) }
}

/// Returns what the board says of the module.
fn state(ended: &Ended, name: &str) -> String {
    let mark = format!("{name}: ");
    let said = ended.talk.iter().rev().find_map(|line| line.split_once(&mark).map(|(_, rest)| rest.to_string()));
    said.unwrap_or_else(|| "the board says nothing of it".into())
}

/// A module of the AssemblyScript dialect with these bodies.
fn module(start: &str, poll: &str, delta: &str) -> String {
    format!(
        r#"(module
            (import "env" "sk_handle_message" (func $emit (param i32 i32)))
            (memory (export "memory") 1)
            (data (i32.const 64) "{{\"updates\":[{{\"values\":[{{\"path\":\"a.b\",\"value\":1}}]}}]}}")
            (global $heap (mut i32) (i32.const 1024))
            (func (export "__new") (param $size i32) (param i32) (result i32)
                (local $at i32)
                (local.set $at (i32.add (global.get $heap) (i32.const 20)))
                (i32.store (i32.sub (local.get $at) (i32.const 8)) (i32.const 2))
                (i32.store (i32.sub (local.get $at) (i32.const 4)) (local.get $size))
                (if (i32.gt_u (local.get $at) (i32.const 40000)) (then (global.set $heap (i32.const 1024)))
                    (else (global.set $heap
                        (i32.and (i32.add (i32.add (local.get $at) (local.get $size)) (i32.const 7)) (i32.const -8)))))
                (local.get $at))
            (func (export "plugin_name") (result i32) (i32.const 0))
            (func (export "plugin_schema") (result i32) (i32.const 0))
            (func $recurse (param i32) (result i32) (i32.add (i32.const 1) (call $recurse (local.get 0))))
            (func (export "plugin_start") (param i32 i32) (result i32) {start} (i32.const 0))
            (func (export "plugin_stop") (result i32) (i32.const 0))
            (func (export "poll") (result i32) {poll} (i32.const 0))
            (func (export "delta_handler") (param i32) {delta}))"#
    )
}
