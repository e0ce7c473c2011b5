//! Modules with many operators of one kind: what admission predicts for them holds on the board too.
//!
//! `runtime/tests/heap_prediction.rs` has larger ones, for the layout of translated code that Linux has.

use std::fmt::Write;

use board::{Partition, boot, expect_safe_predictions};
use skiff_runtime::budget::{Board, Limits};
use skiff_runtime::host::ModuleFacts;

#[test]
#[ignore = "boots the emulated board: cargo xtask qemu"]
fn memory_is_never_predicted_too_small_whatever_a_module_is_made_of() -> Result<(), String> {
    let mut below = Vec::new();
    println!("\n{:<36} {:>10} {:>10}  ratio", "memory of a plugin, peak", "predicted", "measured");
    for (name, module) in shapes()? {
        let ended = boot(&Partition::sample_seconds(0).package(name.as_bytes(), &module, None))?;
        ended.expect_exit(0).map_err(|error| format!("{name}: {error}"))?;
        below.extend(expect_safe_predictions(&ended).err());
    }
    if below.is_empty() { Ok(()) } else { Err(below.join("; ")) }
}

#[test]
fn every_shape_is_a_module_that_the_board_admits() -> Result<(), String> {
    let limits = Limits::of(Board::QemuRiscv32).plugin;
    for (name, module) in shapes()? {
        ModuleFacts::read(&module, &limits).map_err(|error| format!("{name}: {error}"))?;
    }
    Ok(())
}

/// Returns names and modules.
fn shapes() -> Result<Vec<(&'static str, Vec<u8>)>, String> {
    let sum = |terms: usize| "(i32.add (local.get 0) ".repeat(terms) + "(i32.const 1)" + &")".repeat(terms);
    let same = |count: usize, body: &str| format!("(func (param i32 i64 f64) (result i32) {body})").repeat(count);
    let mut calls = String::new();
    for index in 0..60 {
        let call = format!("(drop (call $f{} (i32.const 1) (i64.const 2) (f64.const 3)))", (index + 1) % 60);
        writeln!(calls, "(func $f{index} (param i32 i64 f64) (result i32) {} (i32.const 1))", call.repeat(15))
            .map_err(|error| error.to_string())?;
    }
    let call = format!("(call $w {}) ", "(i64.const 7)".repeat(12));
    let wide = format!("(func $w (param {}) {})", "i64 ".repeat(12), call.repeat(30))
        + &format!("(func {})", call.repeat(30)).repeat(12);
    let table = "(block (block (br_table 0 1 0 1 0 1 0 1 0 1 0 1 0 1 0 1 (local.get 0))))";
    let shapes = [
        ("nothing", String::new()),
        ("tiny-functions", same(300, "(local.get 0)")),
        ("additions", same(60, &sum(60))),
        ("one-large-function", same(1, &(sum(100) + &format!("(drop) {} ", sum(100)).repeat(35)))),
        ("branches", same(60, &("(block (br_if 0 (local.get 0))) ".repeat(30) + "(i32.const 1)"))),
        ("calls", calls),
        ("calls-with-12-arguments", wide),
        ("branch-tables", same(20, &(table.repeat(20) + "(i32.const 1)"))),
        (
            "constants",
            same(40, &("(drop (i64.const 9223372036854775807)) (drop (f64.const 0.1))".repeat(20) + "(i32.const 1)")),
        ),
        (
            "memory",
            same(40, &("(i32.store (local.get 0) (i32.load offset=4 (local.get 0))) ".repeat(40) + "(i32.const 1)")),
        ),
        ("loops", same(40, &("(loop (if (local.get 0) (then (nop)) (else (nop)))) ".repeat(30) + "(i32.const 1)"))),
    ];
    shapes
        .into_iter()
        .map(|(name, functions)| {
            guest(&functions).map(|module| (name, module)).map_err(|error| format!("{name}: {error}"))
        })
        .collect()
}

/// The least that is a plugin, and these functions.
fn guest(functions: &str) -> Result<Vec<u8>, wat::Error> {
    wat::parse_str(format!(
        r#"(module (memory (export "memory") 1)
            (func (export "plugin_id") (param i32 i32) (result i32) (i32.const 0))
            (func (export "allocate") (param i32) (result i32) (i32.const 4096))
            {functions})"#
    ))
}
