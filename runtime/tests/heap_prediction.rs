//! What admission predicts is never below what a load takes: counted by an allocator of the test's own.

mod counting;
mod guests;

use std::fmt::Write;

use counting::Counting;
use guests::{Record, buffer_guest};
use skiff_runtime::budget::{Board, Limits, PluginLimits};
use skiff_runtime::host::{Call, Capabilities, Instance, InstanceSpec, ModuleFacts, Progress};

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn limits() -> PluginLimits {
    PluginLimits { code_heap_bytes_max: u32::MAX, functions_max: 100_000, ..Limits::of(Board::Linux).plugin }
}

/// Loads a module and calls it once; returns the peak of heap it took, bytes, linear memory left out.
fn measured(wasm: &[u8], facts: &ModuleFacts) -> i64 {
    let spec = InstanceSpec {
        package: "@test/guest".into(),
        id: "_test_guest".into(),
        capabilities: Capabilities::default(),
        limits: limits(),
        growth_bytes: u64::MAX,
    };
    let before = counting::start_peak();
    let mut instance = Instance::load(facts, wasm, &spec).expect("the module loads");
    let mut record = Record::default();
    instance.begin(Call::Name);
    while matches!(instance.run(&mut record), Progress::Running) {}
    let peak = counting::peak() - before;
    peak - i64::try_from(instance.usage().linear_bytes).expect("a small memory")
}

/// Functions of a kind, this many of them.
fn many(count: u32, body: impl Fn(u32) -> String) -> Vec<u8> {
    let mut functions = String::new();
    for index in 0..count {
        write!(functions, "(func $f{index} (param i32 i64 f64) (result i32) {})", body(index))
            .expect("writing a String");
    }
    wat::parse_str(buffer_guest("", &functions)).expect("the test's own module is well formed")
}

fn buffer(write: impl Fn(&mut String)) -> Vec<u8> {
    let mut functions = String::new();
    write(&mut functions);
    wat::parse_str(buffer_guest("", &functions)).expect("the test's own module is well formed")
}

/// A component with as many functions, and as many instances that only gather and rename.
#[cfg(feature = "components")]
fn component(count: u32, body: impl Fn(u32) -> String) -> Vec<u8> {
    let (mut functions, mut renamed) = (String::new(), String::new());
    for index in 0..count {
        write!(functions, "(func $f{index} (param i32 i64 f64) (result i32) {})", body(index))
            .expect("writing a String");
        write!(renamed, r#"(instance $i{index} (instantiate $renames (with "start" (func $start))))"#)
            .expect("writing a String");
    }
    let text = format!(
        r#"(component
          (import "signalk:plugin/signalk-api@1.0.0" (instance $api (export "sk-debug" (func (param "message" string)))))
          (core module $libc
            (memory (export "memory") 1)
            (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const 1024)))
          (core instance $libc (instantiate $libc))
          (alias core export $libc "memory" (core memory $memory))
          (alias core export $libc "realloc" (core func $realloc))
          (core func $debug (canon lower (func $api "sk-debug") (memory $memory)))
          (core module $main
            (import "libc" "memory" (memory 1))
            (import "api" "debug" (func $debug (param i32 i32)))
            {functions}
            (func (export "start") (param i32 i32) (result i32) (call $debug (local.get 0) (local.get 1)) (i32.const 0)))
          (core instance $main (instantiate $main
            (with "libc" (instance $libc)) (with "api" (instance (export "debug" (func $debug))))))
          (func $start (param "config" string) (result s32) (canon lift (core func $main "start") (memory $memory) (realloc $realloc)))
          (component $renames
            (import "start" (func $start (param "config" string) (result s32)))
            (export "plugin-start" (func $start)))
          (instance $plugin (instantiate $renames (with "start" (func $start))))
          {renamed}
          (export "signalk:plugin/plugin@1.0.0" (instance $plugin)))"#
    );
    wat::parse_str(text).expect("the test's own component is well formed")
}

#[test]
fn the_prediction_is_never_below_what_a_load_takes() {
    let plugin = |bytes: &[u8]| bytes.to_vec();
    let sum =
        |terms: u32| "(i32.add (local.get 0) ".repeat(terms as usize) + "(i32.const 1)" + &")".repeat(terms as usize);
    let modules: Vec<(&str, Vec<u8>)> = vec![
        ("empty", many(0, |_| String::new())),
        ("1 function", many(1, |_| "(i32.const 1)".into())),
        ("5000 tiny functions", many(5000, |_| "(local.get 0)".into())),
        ("200 functions of 100 additions", many(200, |_| sum(100))),
        ("1 function of 20000 additions", many(1, |_| sum(500) + &format!("(drop) {} ", sum(500)).repeat(39))),
        ("branches", many(300, |_| "(block (br_if 0 (local.get 0))) ".repeat(50) + "(i32.const 1)")),
        (
            "calls",
            many(300, |n| {
                format!("(call $f{} (i32.const 1) (i64.const 2) (f64.const 3)) (drop) ", (n + 1) % 300).repeat(30)
                    + "(i32.const 1)"
            }),
        ),
        (
            "calls with 12 arguments",
            buffer(|out| {
                let parameters = "i64 ".repeat(12);
                let arguments = "(i64.const 7)".repeat(12);
                for index in 0..50 {
                    let call = format!("(call $w0 {arguments}) ").repeat(30);
                    writeln!(out, "(func $w{index} (param {parameters}) {call})").expect("writing a String");
                }
            }),
        ),
        (
            "br_table",
            many(20, |_| {
                "(block (block (br_table 0 1 0 1 0 1 0 1 0 1 0 1 0 1 0 1 (local.get 0)))) ".repeat(30) + "(i32.const 1)"
            }),
        ),
        (
            "constants",
            many(100, |n| {
                format!("(drop (i64.const {})) (drop (f64.const {}.5)) ", i64::MAX - i64::from(n), n).repeat(40)
                    + "(i32.const 1)"
            }),
        ),
        (
            "memory",
            many(100, |_| "(i32.store (local.get 0) (i32.load offset=4 (local.get 0))) ".repeat(60) + "(i32.const 1)"),
        ),
        ("loops", many(100, |_| "(loop (if (local.get 0) (then (nop)) (else (nop)))) ".repeat(40) + "(i32.const 1)")),
        ("@skiff/true-wind", plugin(include_bytes!("../../plugins/rust/true-wind/plugin.wasm"))),
        ("@skiff/true-wind, small", plugin(include_bytes!("../../plugins/rust/true-wind/plugin-small.wasm"))),
        (
            "@skiff/shallow-water-alarm",
            plugin(include_bytes!("../../plugins/assemblyscript/shallow-water-alarm/plugin.wasm")),
        ),
        (
            "@skiff/shallow-water-alarm, small",
            plugin(include_bytes!("../../plugins/assemblyscript/shallow-water-alarm/plugin-small.wasm")),
        ),
    ];
    #[cfg(feature = "components")]
    let modules = [
        modules,
        vec![
            ("component, empty", component(0, |_| String::new())),
            ("component, 300 functions", component(300, |index| sum(index % 40 + 1))),
        ],
    ]
    .concat();
    let mut table = String::new();
    let mut below = Vec::new();
    for (name, wasm) in &modules {
        let facts = ModuleFacts::read(wasm, &limits()).expect("the module is admitted");
        let (measured, predicted) = (measured(wasm, &facts), facts.predicted_heap_bytes(&limits()).cast_signed());
        #[expect(clippy::cast_precision_loss, reason = "a ratio for people")]
        let ratio = predicted as f64 / measured as f64;
        writeln!(
            table,
            "{name:32} wasm {:7} code {:7} functions {:5} measured {measured:8} predicted {predicted:8} ratio {ratio:.2}",
            facts.wasm_bytes, facts.code_bytes, facts.functions
        )
        .expect("writing a String");
        if predicted < measured {
            below.push(*name);
        }
    }
    println!("{table}");
    assert!(below.is_empty(), "predicted too little for {below:?}:\n{table}");
}
