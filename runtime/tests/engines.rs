//! Both engines behind the seam: the same module says and does the same with each.

mod guests;
mod sample_world;

use std::fs;
use std::path::{Path, PathBuf};

use guests::try_load_binary;
use sample_world::Sample;
use skiff_runtime::budget::{Board, Engine, Limits, PluginLimits};
use skiff_runtime::host::{Answer, Call};
use skiff_runtime::scenario::{self, Scenario};

/// Seconds of the sample in which both plugins have much to say.
const SECONDS: i64 = 120;

fn limits(engine: Engine) -> Limits {
    let mut limits = Limits::of(Board::Linux);
    limits.plugin.engine = engine;
    limits
}

fn small_limits(engine: Engine) -> PluginLimits {
    PluginLimits { engine, ..guests::limits() }
}

#[test]
fn every_scenario_gives_the_transcript_of_wasmi_with_the_engine_for_chips() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/scenarios");
    let mut cases: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    cases.sort();
    let mut wrong = Vec::new();
    for case in &cases {
        let scenario = Scenario::parse(&fs::read_to_string(case.join("scenario.json")).unwrap()).unwrap();
        let wasm = wat::parse_file(case.join("plugin.wat")).unwrap();
        let mut found = Vec::new();
        scenario::play(&scenario, &wasm, &limits(Engine::Skiff).plugin, &mut |line| found.push(line.to_owned()));
        let expected = fs::read_to_string(case.join("expected.jsonl")).unwrap();
        let mut pairs = (1..).zip(expected.lines().zip(&found));
        if let Some((number, (expected, found))) = pairs.find(|(_, (expected, found))| expected != found) {
            wrong.push(format!("{}:{number}\n  {expected}\n  {found}", case.display()));
        } else if expected.lines().count() != found.len() {
            wrong.push(format!("{}: {} lines", case.display(), found.len()));
        }
    }
    assert!(cases.len() > 20, "only {} scenarios", cases.len());
    assert!(wrong.is_empty(), "{} of {} differ:\n{}", wrong.len(), cases.len(), wrong.join("\n"));
}

#[test]
fn the_sample_says_the_same_with_both() {
    let [of_wasmi, of_skiff] = Engine::ALL.map(|engine| Sample::new_with(limits(engine)).play(SECONDS));
    let of_plugins = of_wasmi.iter().filter(|line| line.starts_with("{\"_plugin\":")).count();
    assert!(of_plugins > 100, "only {of_plugins} lines of plugins");
    for (number, (wasmi, skiff)) in (1..).zip(of_wasmi.iter().zip(&of_skiff)) {
        assert_eq!(wasmi, skiff, "line {number}");
    }
    assert_eq!(of_wasmi.len(), of_skiff.len());
}

/// Calls of one kind each, and what they come to with either engine.
const CALLS: &[(&str, &str)] = &[
    ("(loop $again (br $again))", "did not return within its fuel limit of 10000000"),
    ("(drop (call $recurse (i32.const 1)))", "call stack exhausted"),
    ("(unreachable)", "trap: unreachable code executed (a panic or an abort of the plugin)"),
    ("(i32.store (i32.const -4) (i32.const 1))", "trap: memory access out of bounds"),
    ("(memory.fill (i32.const 65535) (i32.const 0) (i32.const 2))", "trap: memory access out of bounds"),
    ("(drop (i32.div_u (i32.const 1) (i32.const 0)))", "trap: integer divide by zero"),
    ("(drop (i32.div_s (i32.const 0x80000000) (i32.const -1)))", "trap: integer overflow"),
    ("(drop (i32.trunc_f64_s (f64.const nan)))", "trap: invalid conversion to integer"),
    ("(call_indirect (i32.const 0))", "trap: indirect call type mismatch"),
    ("(call_indirect (i32.const 1))", "trap: uninitialized element 2"),
    ("(call_indirect (i32.const 2))", "trap: undefined element: out of bounds table access"),
    ("(drop (call $strange))", "trap: called the import env.strange, which this host does not know"),
    ("(drop (call $long (i32.const 0) (i32.const 0)))", "trap: an import gives no 64-bit result"),
    (
        "(drop (call $long_by_core (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0)))",
        "trap: an import gives no 64-bit result",
    ),
    ("(call $exit (i32.const 7))", "exited with code 7"),
];

fn module(start: &str) -> Vec<u8> {
    let text = format!(
        r#"(module
            (import "env" "strange" (func $strange (result i32)))
            (import "env" "sk_has_capability" (func $long (param i32 i32) (result i64)))
            (import "env" "sk_publish_notification" (func $long_by_core (param i32 i32 i32 i32) (result i64)))
            (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
            (memory (export "memory") 1)
            (table 2 funcref) (elem (i32.const 0) $recurse)
            (func $recurse (param i32) (result i32) (i32.add (call $recurse (local.get 0)) (i32.const 1)))
            (func (export "plugin_id") (param i32 i32) (result i32) (i32.const 0))
            (func (export "allocate") (param i32) (result i32) (i32.const 4096))
            (func (export "plugin_start") (param i32 i32) (result i32) {start} (i32.const 0)))"#
    );
    wat::parse_str(text).unwrap()
}

#[test]
fn a_call_that_fails_fails_with_the_same_words() {
    for (start, words) in CALLS {
        for engine in Engine::ALL {
            let mut guest = try_load_binary(&module(start), "{}", &small_limits(engine)).unwrap();
            let failure = guest.start().expect_err(start);
            assert_eq!(failure.to_string(), *words, "{engine:?}: {start}");
            assert!(guest.call(Call::Poll).is_err(), "{engine:?}: {start}: it was called again");
        }
    }
}

#[test]
fn what_grows_without_end_is_refused_by_both_at_the_same_size() {
    let grow = "(loop $again (br_if $again (i32.ne (memory.grow (i32.const 1)) (i32.const -1))))
        (memory.fill (i32.const 0) (i32.const 1) (i32.mul (memory.size) (i32.const 65536)))";
    for engine in Engine::ALL {
        let limits = small_limits(engine);
        let mut guest = try_load_binary(&module(grow), "{}", &limits).unwrap();
        assert_eq!(guest.start(), Ok(Answer::Code(Some(0))), "{engine:?}");
        assert_eq!(guest.instance.usage().linear_bytes, u64::from(limits.linear_bytes_max), "{engine:?}");
    }
}

#[test]
fn a_module_that_is_not_valid_is_loaded_by_neither() {
    // The body of `plugin_start` gives no result.
    let mut wasm = module("(nop)");
    let nop = wasm.windows(4).rposition(|bytes| bytes == [0x01, 0x41, 0x00, 0x0b]).unwrap();
    wasm[nop + 1] = 0x01;
    wasm[nop + 2] = 0x01;
    for engine in Engine::ALL {
        let refused = try_load_binary(&wasm, "{}", &small_limits(engine)).map(|_| ()).unwrap_err();
        assert!(refused.starts_with("invalid module: "), "{engine:?}: {refused}");
    }
}

/// The hostile modules beside the project, when they are there: what one engine contains the other does, too.
#[test]
fn every_hostile_module_is_contained_by_both() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/corpora/hostile");
    let Ok(entries) = fs::read_dir(&folder) else {
        eprintln!("SKIPPED: the hostile modules are not beside the project");
        return;
    };
    let mut differ = Vec::new();
    let mut seen = 0;
    for path in entries.map(|entry| entry.unwrap().path()).filter(|path| path.extension().is_some_and(|e| e == "wat")) {
        let Ok(wasm) = wat::parse_file(&path) else { continue };
        seen += 1;
        let [of_wasmi, of_skiff] = Engine::ALL.map(|engine| {
            let limits = PluginLimits { linear_bytes_max: 16 << 20, ..small_limits(engine) };
            let mut guest = try_load_binary(&wasm, "{}", &limits)?;
            let started = guest.start().map_err(|failure| failure.to_string());
            let polled = guest.call(Call::Poll).map_err(|failure| failure.to_string());
            Ok::<_, String>((started, polled, guest.instance.usage().linear_bytes))
        });
        // What is refused is refused by both, each in its own words.
        if of_wasmi != of_skiff && !(of_wasmi.is_err() && of_skiff.is_err()) {
            differ.push(format!("{}:\n  {of_wasmi:?}\n  {of_skiff:?}", path.display()));
        }
    }
    assert!(seen > 0, "the folder is there, but no module in it");
    assert!(differ.is_empty(), "{} of {seen} differ:\n{}", differ.len(), differ.join("\n"));
}

#[test]
fn the_engine_for_chips_never_takes_more_fuel() {
    let work = "(local $i i32) (loop $again (i32.store (i32.const 8) (i32.mul (local.get $i) (i32.const 3)))
        (br_if $again (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 1000))))";
    let [of_wasmi, of_skiff] = Engine::ALL.map(|engine| {
        let mut guest = try_load_binary(&module(work), "{}", &small_limits(engine)).unwrap();
        assert_eq!(guest.start(), Ok(Answer::Code(Some(0))));
        guest.instance.usage().fuel_in_call
    });
    assert!((1000..=of_wasmi).contains(&of_skiff), "{of_skiff} against {of_wasmi} of wasmi");
}
