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
/// Each leaves the value stack as it was. `cargo xtask test shipped` plays them with the program that ships.
const INSTRUCTIONS: &str = include_str!("data/native_stack/instructions.txt");
/// A plugin whose `poll` executes one of them 100,000 times.
const MODULE: &str = include_str!("data/native_stack/module.wat");

#[test]
fn no_instruction_grows_the_native_stack() {
    // The slices of the board with the longest ones.
    let fuel_per_slice = Limits::of(Board::Linux).plugin.fuel_per_slice;
    let limits = PluginLimits { fuel_per_call: u64::MAX / 2, fuel_per_start: u64::MAX / 2, fuel_per_slice, ..limits() };
    for instruction in INSTRUCTIONS.lines() {
        // A crash ends the process: the last line printed names the instruction.
        println!("{instruction}");
        let text = MODULE.replace("INSTRUCTION", instruction);
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
