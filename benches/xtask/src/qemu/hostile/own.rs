//! The project's own hostile modules, for machines that have no corpus beside the project.

/// What each does where: name, `plugin_start`, `poll`, `delta_handler`.
const MODULES: [(&str, &str, &str, &str); 9] = [
    ("loop-in-start", LOOP, "", ""),
    ("loop-in-poll", "", LOOP, ""),
    ("loop-in-delta-handler", "", "", LOOP),
    ("recursion", "", RECURSE, ""),
    ("memory-bomb", "", GROW, ""),
    ("trap", "", "", "(unreachable)"),
    ("flood", "", FLOOD, ""),
    ("pointer-outside", "(call $emit (i32.const 0x7fffff00) (i32.const 0x7fffffff))", "", ""),
    ("store-outside", "", "", "(i32.store (i32.const -4) (i32.const 1))"),
];

const LOOP: &str = "(loop $again (br $again))";
const RECURSE: &str = "(drop (call $recurse (i32.const 1)))";
const GROW: &str = "(loop $again (br_if $again (i32.ne (memory.grow (i32.const 1)) (i32.const -1))) (unreachable))";
const FLOOD: &str = "(loop $again (call $emit (i32.const 64) (i32.const 51)) (br $again))";

/// Returns the modules as text, by name; the last one asks for 4 GiB of memory.
pub fn modules() -> Vec<(String, Vec<u8>)> {
    let texts = MODULES.iter().map(|(name, start, poll, delta)| (name.to_string(), text(start, poll, delta)));
    let huge = ("memory-of-4-gib".to_string(), text("", "", "").replace("\"memory\") 1", "\"memory\") 65536"));
    texts.chain([huge]).map(|(name, text)| (name, text.into_bytes())).collect()
}

/// A module of the AssemblyScript dialect with these bodies.
fn text(start: &str, poll: &str, delta: &str) -> String {
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
