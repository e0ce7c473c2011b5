//! Generated modules on the engine for chips and on the reference: results, traps, memory and fuel are the same or less.

#![no_main]

#[path = "../../../engine/tests/differential/both.rs"]
mod both;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    if let Some(wasm) = both::generated(data) {
        let _ = both::compare(&wasm);
    }
});
