use super::*;
use crate::budget::{Board, Limits};
use crate::delta::{DeltaVersion, Stamp};
use crate::host::{Answer, Capabilities};
use crate::time::{Instant, UnixMillis};
use alloc::format;
use alloc::string::ToString;

/// What reaches the outside.
#[derive(Default)]
struct Outside {
    acted: Vec<Acted>,
    emitted: Vec<String>,
    status: Vec<String>,
}

impl Services for Outside {
    fn wall(&self) -> UnixMillis {
        UnixMillis(0)
    }
    fn monotonic(&self) -> Instant {
        Instant::default()
    }
    fn random(&mut self, _: &mut [u8]) {}
    fn acted(&mut self, acted: Acted) {
        self.acted.push(acted);
    }
    fn log(&mut self, _: log::Level, _: &str) {}
    fn set_status(&mut self, text: &str) {
        self.status.push(text.to_string());
    }
    fn set_error(&mut self, _: &str) {}
    fn read_config(&mut self) -> Option<String> {
        None
    }
    fn save_config(&mut self, _: &str) -> bool {
        false
    }
    fn emit(&mut self, delta: &str, _: DeltaVersion) {
        self.emitted.push(delta.to_string());
    }
    fn self_path(&mut self, _: &str) -> Option<String> {
        None
    }
    fn path(&mut self, _: &str) -> Option<String> {
        None
    }
    fn publish_notification(&mut self, _: &str, _: &str) -> bool {
        true
    }
}

/// A guest whose handler has `$found` set where the delta speaks of a depth; static data lies at 16 to 64, the text that
/// the host hands over at 4096, a heap from 8192 on. `says` are its words and what it emits.
fn module(handler: &str) -> String {
    format!(
        r#"(module
            (import "env" "sk_set_status" (func $status (param i32 i32)))
            (import "env" "sk_debug" (func $debug (param i32 i32)))
            (import "env" "sk_handle_message" (func $emit (param i32 i32)))
            (memory (export "memory") 1)
            (global $count (mut i32) (i32.const 0))
            (global $depth (mut f64) (f64.const 0))
            (data (i32.const 16) "0123456789 says {{\"updates\":[]}}")
            (func (export "plugin_id") (param i32 i32) (result i32) (i32.const 0))
            (func (export "plugin_start") (param i32 i32) (result i32) (i32.const 0))
            (func (export "allocate") (param i32) (result i32) (i32.const ALLOCATED))
            (func $say (call $status (i32.const 16) (i32.const 10)))
            (func (export "delta_handler") (param $at i32) (param $length i32) (local $found i32)
                (loop $next
                    (if (i32.eq (i32.load (local.get $at)) (i32.const 0x74706564)) (then (local.set $found (i32.const 1))))
                    (local.set $at (i32.add (local.get $at) (i32.const 1)))
                    (local.set $length (i32.sub (local.get $length) (i32.const 1)))
                    (br_if $next (i32.gt_s (local.get $length) (i32.const 0))))
                {handler}))"#
    )
}

fn depth(handler: &str) -> String {
    format!("(if (local.get $found) (then {handler}))")
}

const ONE_MORE: &str = "(global.set $count (i32.add (global.get $count) (i32.const 1)))";
/// Writes down how often that was, and says so.
const SAY_MORE: &str = "(i32.store8 (i32.const 16) (i32.add (i32.load8_u (i32.const 16)) (i32.const 1))) (call $say)";

fn play_module(text: &str, capabilities: &str) -> Outside {
    let limits = Limits::of(Board::Linux).plugin;
    let wasm = wat::parse_str(text).unwrap();
    let spec = InstanceSpec {
        package: "p".to_string(),
        id: "p".to_string(),
        capabilities: Capabilities::parse(capabilities),
        limits,
        growth_bytes: 0,
    };
    let mut instance = Instance::load_watched(&ModuleFacts::read(&wasm, &limits).unwrap(), &wasm, &spec).unwrap();
    let mut outside = Outside::default();
    let mut run = |call: Call| {
        instance.begin(call);
        loop {
            match instance.run(&mut outside) {
                Progress::Running => {}
                other => return other,
            }
        }
    };
    assert!(matches!(run(Call::Start { config: "{}".to_string() }), Progress::Done(Answer::Code(Some(0)))));
    for path in ["navigation.speed", "environment.depth", "environment.depth", "navigation.speed", "environment.depth"]
    {
        let text = format!(r#"{{"updates":[{{"values":[{{"path":"{path}","value":1}}]}}]}}"#);
        let stamp = Stamp { source_ref: "s", self_context: "vessels.x", now: UnixMillis(0) };
        run(Call::Delta(Arc::new(Delta::parse(&text, &stamp).unwrap())));
    }
    outside
}

fn play(handler: &str) -> Outside {
    play_module(&module(handler).replace("ALLOCATED", "4096"), r#"{"dataWrite":true}"#)
}

/// For each delta: was memory changed, by which imports was something.
fn of(outside: &Outside) -> Vec<(bool, Vec<&'static str>)> {
    assert!(outside.acted.iter().all(|acted| acted.fuel > 0 && !acted.failed));
    outside.acted.iter().map(|acted| (acted.memory, acted.imports.clone())).collect()
}

fn memory(handler: &str) -> Vec<bool> {
    let outside = play(handler);
    assert!(outside.acted.iter().all(|acted| acted.for_any.is_empty()));
    of(&outside).into_iter().map(|(memory, imports)| memory && imports.is_empty()).collect()
}

const NONE: [bool; 5] = [false; 5];
const OF_DEPTH: [bool; 5] = [false, true, true, false, true];

#[test]
fn a_variable_that_changes_is_an_effect() {
    assert_eq!(memory(&depth(ONE_MORE)), OF_DEPTH);
    let same = depth("(global.set $depth (f64.const 4.5))");
    assert_eq!(memory(&same), [false, true, false, false, false], "the same again changes nothing");
}

#[test]
fn static_data_that_changes_is_an_effect() {
    let store = "(i32.store (i32.const 20) (i32.add (i32.load (i32.const 20)) (i32.const 1)))";
    assert_eq!(memory(&depth(store)), OF_DEPTH);
}

#[test]
fn what_changes_with_any_delta_is_none() {
    assert_eq!(memory(ONE_MORE), NONE);
    assert_eq!(
        memory(&format!("{ONE_MORE} {}", depth("(global.set $depth (f64.const 4.5))"))),
        [false, true, false, false, false]
    );
}

#[test]
fn what_is_on_the_heap_alone_is_not_seen() {
    assert_eq!(
        memory(&depth("(i32.store (i32.const 8192) (i32.add (i32.load (i32.const 8192)) (i32.const 1)))")),
        NONE
    );
}

#[test]
fn the_text_of_a_delta_is_none_wherever_it_lies() {
    let inside = module("").replace("ALLOCATED", "24").replace(
        r#"(data (i32.const 16)"#,
        r#"(global (export "__data_end") i32 (i32.const 400)) (data (i32.const 16)"#,
    );
    assert!(of(&play_module(&inside, "{}")).iter().all(|(memory, _)| !memory));
}

#[test]
fn a_module_that_lies_about_its_data_takes_no_memory_for_it() {
    for end in ["-1", "3", "70000"] {
        let export = format!(r#"(global (export "__data_end") i32 (i32.const {end})) (data (i32.const 16)"#);
        let text = module(&depth(ONE_MORE)).replace("ALLOCATED", "4096").replace("(data (i32.const 16)", &export);
        let told: Vec<bool> = of(&play_module(&text, "{}")).into_iter().map(|(memory, _)| memory).collect();
        assert_eq!(told, OF_DEPTH, "{end}");
    }
}

#[test]
fn an_import_that_changes_something_outside_is_an_effect() {
    let emit = play(&depth("(call $emit (i32.const 32) (i32.const 14))"));
    let wanted: Vec<Vec<&str>> =
        OF_DEPTH.map(|is_so| if is_so { alloc::vec!["sk_handle_message"] } else { Vec::new() }).into();
    assert_eq!(of(&emit).into_iter().map(|(_, imports)| imports).collect::<Vec<_>>(), wanted);
    let emit = module(&depth("(call $emit (i32.const 32) (i32.const 14))")).replace("ALLOCATED", "4096");
    let refused = play_module(&emit, r#"{"dataWrite":false}"#);
    assert!(!refused.acted.iter().any(Acted::has_effect), "without the right to write nothing is");
    assert!(!play("(call $debug (i32.const 16) (i32.const 4))").acted.iter().any(Acted::has_effect), "nor is a log");
}

#[test]
fn a_twin_reaches_nobody_and_tells_who_acts_on_anything() {
    let echo = play("(call $emit (i32.const 32) (i32.const 14))");
    assert_eq!(echo.emitted.len(), 5, "one for each delta, none for its twin");
    assert!(echo.acted.iter().all(|acted| acted.for_any == ["sk_handle_message"] && acted.has_effect()));
}

#[test]
fn a_status_counts_where_it_is_another_and_not_for_any_delta() {
    let same = play("(call $say)");
    assert_eq!((same.status.len(), same.acted.iter().any(Acted::has_effect)), (5, false), "the same words each time");
    let counted = play(SAY_MORE);
    assert_eq!(counted.status.len(), 5);
    assert!(counted.acted.iter().all(|acted| !acted.has_effect() && acted.for_any.is_empty()), "a count of deltas");
    let of_depth = of(&play(&depth(SAY_MORE)));
    assert_eq!(of_depth.iter().map(|(_, imports)| !imports.is_empty()).collect::<Vec<_>>(), OF_DEPTH);
    assert_eq!(of_depth[1].1, ["sk_set_status"]);
}

#[test]
fn a_call_that_does_not_return_is_told() {
    let trap = play(&depth("unreachable"));
    let told: Vec<bool> = trap.acted.iter().map(|acted| acted.failed && acted.has_effect()).collect();
    assert_eq!(told, [false, true], "an instance that is gone is called no more");
    let any = play("unreachable");
    assert!(any.acted.len() == 1 && any.acted[0].failed && any.acted[0].fuel > 0);
}

#[test]
fn every_import_that_has_no_effect_is_one() {
    for (module, names) in WITHOUT_EFFECT {
        for name in *names {
            assert!(import::find(module, name).is_some_and(|row| !has_effect(row)), "{module}.{name}");
        }
    }
    assert!(WORDS.iter().all(|name| import::find(import::ENV, name).is_some_and(has_effect)));
}
