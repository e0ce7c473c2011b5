//! Values in rows of the guest's memory: its inputs as numbers, its outputs as numbers (abi-extensions.md, "Values").
//!
//! The guest lays rows down and says where they are; everything else is the host's. Its copy of paths, kinds and
//! addresses was checked once, and what a guest writes there later changes nothing.
//!
//! ```text
//! plugin_start gave 0 -> skiff_values -> describe: descriptor and rows are checked and copied
//! a delta arrives     -> arrival:    the latest value of each input waits here
//! any call begins     -> inputs:     input rows are written
//! any call has ended  -> outputs:    rows whose counter changed are published
//! ```
//!
//! What is `inline(never)` here and in `plugin/values.rs` has one caller: inlined, it would make the turn of a plugin 1 KB
//! longer on a chip.

mod arrival;
mod describe;
mod inputs;
mod outputs;
mod scalar;

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;

pub use arrival::Arrival;
use arrival::News;

use super::engine::{GuestSlice, Linear};

/// An input of a guest, and the latest value of it.
#[derive(Debug)]
struct Input {
    path: Path,
    kind: u8,
    /// Its arrival alone causes no update.
    is_quiet: bool,
    /// Where a text goes.
    buffer: GuestSlice,
    /// Its plugin must not know it.
    is_closed: bool,
    state: u8,
    /// A value arrived since the last update.
    is_new: bool,
    number: f64,
    /// As much of a text as the buffer takes.
    text: String,
    full_bytes: u32,
    /// Monotonic time at which the value arrived, ms; before the start of the gateway for one that the model had.
    arrived_ms: i64,
}

/// An output of a guest.
#[derive(Debug)]
struct Output {
    path: Path,
    /// Signal K allows its path.
    is_allowed: bool,
    /// The counter that was seen last.
    counter: u32,
    /// It has changed, and the row is to be published.
    is_changed: bool,
}

/// A Signal K path, or one member of the object at it.
#[derive(Debug)]
struct Path {
    /// As the guest has it: `navigation.position#latitude`.
    text: Box<str>,
    /// Bytes before the `#`, or all.
    path_bytes: usize,
}

impl Path {
    /// Tells whether this is the path.
    fn is(&self, path: &str) -> bool {
        self.path_bytes == path.len() && self.text.starts_with(path)
    }

    /// Returns the path.
    fn path(&self) -> &str {
        self.parts(&self.text).0
    }

    /// Returns the member of its value that is meant.
    fn member(&self) -> Option<&str> {
        self.parts(&self.text).1
    }

    /// Returns the two parts of its text.
    fn parts<'t>(&self, text: &'t str) -> (&'t str, Option<&'t str>) {
        let (path, member) = text.split_at_checked(self.path_bytes).unwrap_or_default();
        (path, member.strip_prefix('#'))
    }
}

/// What is known of a guest that takes values.
#[derive(Debug)]
pub struct Values {
    /// Address of the descriptor.
    at: u32,
    input_rows: u32,
    output_rows: u32,
    interval_ms: u32,
    takes_others: bool,
    inputs: Vec<Input>,
    outputs: Vec<Output>,
    /// Updates so far, the one under way among them.
    updates: u32,
    news: News,
    /// Bytes of heap it may take: a text takes no more than its buffer.
    heap_bytes: u64,
    /// A call begins: rows are to be written, `true` for an update.
    begins: Option<bool>,
}

impl Values {
    /// Returns the least time between two updates, milliseconds.
    #[must_use]
    pub fn interval_ms(&self) -> u32 {
        self.interval_ms
    }

    /// Tells whether deltas with other paths, or of other contexts, go to `delta_handler`.
    #[must_use]
    pub fn takes_others(&self) -> bool {
        self.takes_others
    }

    /// Visits the paths of the inputs, without a member.
    pub fn input_paths(&self) -> impl Iterator<Item = &str> {
        self.inputs.iter().map(|input| input.path.path())
    }

    /// Visits the inputs as the guest names them, each with its kind ([`skiff_abi::values`]) and whether it is quiet.
    pub fn inputs(&self) -> impl Iterator<Item = (&str, u8, bool)> {
        self.inputs.iter().map(|input| (&*input.path.text, input.kind, input.is_quiet))
    }

    pub(super) fn heap_bytes(&self) -> u64 {
        self.heap_bytes
    }
}

/// A number at an offset of a row or descriptor; they were checked to lie in the memory, which never shrinks.
fn word(memory: Linear<'_>, at: u32, offset: u32) -> u32 {
    memory.word(at.wrapping_add(offset)).unwrap_or(0)
}

#[cfg(test)]
mod tests;
