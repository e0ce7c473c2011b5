//! No instruction of a guest makes the native stack grow with the number of times it is executed.
//!
//! The interpreter's fast dispatch relies on tail calls; an instruction that is none would overflow the host's
//! stack and take the process with it. Each runs on a thread with a small stack.

mod guests;

use guests::{limits, load_with};
use skiff_runtime::budget::{Board, Limits, PluginLimits};
use skiff_runtime::host::Call;

/// Stack of the thread: a tenth of what one frame per iteration would need.
const STACK_BYTES: usize = 512 * 1024;
/// Times each instruction is executed.
const ITERATIONS: u32 = 100_000;

/// Instructions by group, each leaving the value stack as it was.
const INSTRUCTIONS: &[&str] = &[
    "(drop (memory.grow (i32.const 0)))",
    "(drop (memory.grow (i32.const 1)))",
    "(drop (memory.grow (i32.const -1)))",
    "(drop (memory.size))",
    "(memory.copy (i32.const 0) (i32.const 8) (i32.const 8))",
    "(memory.fill (i32.const 0) (i32.const 8) (i32.const 8))",
    "(memory.init $data (i32.const 0) (i32.const 0) (i32.const 2))",
    "(data.drop $spare)",
    "(drop (table.grow $table (ref.null func) (i32.const 0)))",
    "(drop (table.grow $table (ref.null func) (i32.const 1000000)))",
    "(drop (table.size $table))",
    "(table.set $table (i32.const 1) (ref.func $leaf))",
    "(drop (table.get $table (i32.const 0)))",
    "(table.fill $table (i32.const 0) (ref.func $leaf) (i32.const 1))",
    "(table.copy $table $table (i32.const 0) (i32.const 1) (i32.const 1))",
    "(table.init $table $elem (i32.const 0) (i32.const 0) (i32.const 1))",
    "(elem.drop $spare_elem)",
    "(drop (ref.is_null (ref.func $leaf)))",
    "(drop (call $leaf (i32.const 1)))",
    "(drop (call_indirect $table (param i32) (result i32) (i32.const 1) (i32.const 0)))",
    "(drop (call $has (i32.const 0) (i32.const 4)))",
    "(call $date)",
    "(call $status (i32.const -1) (i32.const 4))",
    "(global.set $counter (i32.add (global.get $counter) (i32.const 1)))",
    "(i64.store (i32.const 8) (i64.div_s (i64.load (i32.const 8)) (i64.const 3)))",
    "(f64.store (i32.const 8) (f64.nearest (f64.sqrt (f64.ceil (f64.floor (f64.trunc (f64.load (i32.const 8))))))))",
    "(drop (i64.trunc_sat_f64_s (f64.load (i32.const 8))))",
    "(drop (f32.demote_f64 (f64.min (f64.load (i32.const 8)) (f64.copysign (f64.const 1) (f64.load (i32.const 16))))))",
    "(drop (select (i32.const 1) (i32.const 2) (local.get $left)))",
    "(block (block (block (br_table 0 1 2 (local.get $left)))))",
    "(if (i32.eqz (local.get $left)) (then (nop)) (else (nop)))",
    "(drop (i32.popcnt (i32.rotl (i32.clz (local.get $left)) (i32.ctz (local.get $left)))))",
];

fn module(instruction: &str) -> String {
    format!(
        r#"(module
            (import "env" "sk_has_capability" (func $has (param i32 i32) (result i32)))
            (import "env" "Date.now" (func $date))
            (import "env" "sk_set_status" (func $status (param i32 i32)))
            (memory (export "memory") 1)
            (global $counter (mut i32) (i32.const 0))
            (table $table 4 funcref)
            (elem (table $table) (i32.const 0) func $leaf)
            (elem $elem func $leaf)
            (elem $spare_elem func $leaf)
            (data $data "ab")
            (data $spare "cd")
            (func $leaf (param i32) (result i32) (local.get 0))
            (func (export "plugin_id") (param i32 i32) (result i32) (i32.const 0))
            (func (export "allocate") (param i32) (result i32) (i32.const 1024))
            (func (export "poll") (result i32) (local $left i32)
                (local.set $left (i32.const {ITERATIONS}))
                (loop $again
                    {instruction}
                    (br_if $again (local.tee $left (i32.sub (local.get $left) (i32.const 1)))))
                (i32.const 0)))"#
    )
}

#[test]
fn no_instruction_grows_the_native_stack() {
    // The slices of the board with the longest ones.
    let fuel_per_slice = Limits::of(Board::Linux).plugin.fuel_per_slice;
    let limits = PluginLimits { fuel_per_call: u64::MAX / 2, fuel_per_start: u64::MAX / 2, fuel_per_slice, ..limits() };
    for instruction in INSTRUCTIONS {
        // A crash ends the process: the last line printed names the instruction.
        println!("{instruction}");
        let text = module(instruction);
        std::thread::Builder::new()
            .stack_size(STACK_BYTES)
            .spawn(move || {
                let mut guest = load_with(&text, &limits);
                guest.call(Call::Poll).unwrap_or_else(|failure| panic!("{instruction}: {failure}"));
            })
            .expect("a thread")
            .join()
            .unwrap_or_else(|_| panic!("{instruction} failed"));
    }
}
