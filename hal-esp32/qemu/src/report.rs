//! The measurements at the end: lines `# = NAME BYTES`, read by `cargo xtask qemu`.

use crate::{clock, heap, stack, uart};

/// Tells what the heap holds at a point, and the most it held since the last one.
pub fn mark(point: &str) {
    let usage = heap::usage();
    uart::write_fmt(format_args!("# heap: {point}: used {}, peak {}\n", usage.used, usage.peak));
}

/// Prints every measurement.
pub fn print() {
    let heap = heap::usage();
    for (name, value) in [
        ("stack size", stack::size()),
        ("stack used", stack::used()),
        ("heap arena", heap.arena),
        ("heap peak", heap.peak),
        ("heap reach", heap.reach),
        ("heap left at the end", heap.used),
        ("allocations refused", heap.refused),
    ] {
        uart::write_fmt(format_args!("# = {name} {value}\n"));
    }
    uart::write_fmt(format_args!("# = instructions {}\n", clock::cycles()));
}
