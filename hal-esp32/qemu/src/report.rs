//! The measurements at the end: lines `# = NAME BYTES`, read by `cargo xtask qemu`.

use skiff_virt::{clock, heap, stack, uart};

/// Begins to measure; [`Span::end`] tells.
pub fn begin() -> Span {
    Span { cycles: clock::cycles(), used: heap::restart_peak() }
}

/// Tells what the heap holds at a point, and the most it ever held.
pub fn mark(point: &str) {
    let usage = heap::usage();
    uart::write_fmt(format_args!("# heap: {point}: used {}, peak {}\n", usage.used, usage.peak));
}

/// A stretch of the run that is measured.
pub struct Span {
    cycles: u64,
    used: usize,
}

impl Span {
    /// Tells what the heap took for this stretch, at its end and at its peak, and how many instructions it needed.
    /// Returns the peak, bytes.
    pub fn end(&self, what: &str) -> usize {
        let usage = heap::usage();
        uart::write_fmt(format_args!(
            "# took: {what}: heap {}, peak {}, instructions {}\n",
            usage.used.saturating_sub(self.used),
            usage.recent_peak.saturating_sub(self.used),
            clock::cycles() - self.cycles
        ));
        usage.recent_peak.saturating_sub(self.used)
    }
}

/// Prints one measurement.
pub fn value(name: &str, value: u64) {
    uart::write_fmt(format_args!("# = {name} {value}\n"));
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
