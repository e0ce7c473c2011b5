//! How much heap a load takes, predicted from what was counted in the module.
//!
//! Translated code holds addresses of handlers and of functions, so it depends on the width of a machine word: one
//! model per width, each held against measurements (`tests/heap_prediction.rs` for 64 bits, `cargo xtask qemu` for 32).

/// What was counted in a module.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Counts {
    pub(super) functions: u64,
    pub(super) code_bytes: u64,
    pub(super) largest_body_bytes: u64,
    pub(super) data_bytes: u64,
    /// Imports and exports.
    pub(super) names: u64,
    /// Elements of tables, globals, bytes of element segments.
    pub(super) elements: u64,
}

/// Bytes of heap per thing counted.
#[derive(Clone, Copy, Debug)]
pub(super) struct HeapModel {
    /// Engine, store and linker without a module.
    base: u64,
    /// Type, entry, code map.
    per_function: u64,
    /// Translated code is at most so many times as large as a function body.
    per_code_byte: u64,
    /// On top for the largest body: translation grows its buffers by doubling.
    per_byte_of_largest: u64,
    /// Import or export: name, type, closure.
    per_name: u64,
    /// Table element or global.
    per_element: u64,
    /// The value stack grows on demand; a plugin that recurses deeply pays up to its limit.
    modest_stack: u64,
}

const WORD_8: HeapModel = HeapModel {
    base: 24 * 1024,
    per_function: 240,
    per_code_byte: 12,
    per_byte_of_largest: 6,
    per_name: 400,
    per_element: 16,
    modest_stack: 64 * 1024,
};

const WORD_4: HeapModel = HeapModel {
    base: 8 * 1024,
    per_function: 120,
    per_code_byte: 5,
    per_byte_of_largest: 3,
    per_name: 200,
    per_element: 8,
    modest_stack: 4 * 1024,
};

impl HeapModel {
    /// Returns the model of a machine whose words have so many bytes.
    pub(super) const fn of(word_bytes: u8) -> Self {
        if word_bytes <= 4 { WORD_4 } else { WORD_8 }
    }

    /// Predicts the peak of heap of a load, bytes; the linear memory is not in it.
    ///
    /// `value_stack_bytes_max` is what the value stack of the interpreter may grow to.
    pub(super) fn predict(&self, counts: &Counts, value_stack_bytes_max: u64) -> u64 {
        self.base
            .saturating_add(counts.functions.saturating_mul(self.per_function))
            .saturating_add(counts.code_bytes.saturating_mul(self.per_code_byte))
            .saturating_add(counts.largest_body_bytes.saturating_mul(self.per_byte_of_largest))
            .saturating_add(counts.data_bytes)
            .saturating_add(counts.names.saturating_mul(self.per_name))
            .saturating_add(counts.elements.saturating_mul(self.per_element))
            .saturating_add(value_stack_bytes_max.min(self.modest_stack))
    }
}
