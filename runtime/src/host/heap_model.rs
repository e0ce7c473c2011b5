//! How much heap a load takes, predicted from what was counted in the module.
//!
//! It depends on how the interpreter lays translated code out: one model per layout, each held against measurements
//! (`tests/heap_prediction.rs` for Linux, `cargo xtask qemu` for boards).

use super::operators::Operators;
use crate::budget::CodeLayout;

/// What the model reckons for the host's copy of rows, and a start that lays them down.
pub const PREDICTED_ROW_BYTES: u64 = 1280;

/// Counts of a module.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Counts {
    pub(super) functions: u64,
    pub(super) code_bytes: u64,
    pub(super) largest_body_bytes: u64,
    pub(super) operators: Operators,
    pub(super) data_bytes: u64,
    /// Imports and exports.
    pub(super) names: u64,
    /// Elements of tables, globals, bytes of element segments.
    pub(super) elements: u64,
    /// 1 for a plugin that takes values, else 0.
    pub(super) takes_values: u64,
}

/// Bytes of heap per thing counted.
#[derive(Clone, Copy, Debug)]
pub(super) struct HeapModel {
    /// Engine, store, linker and the plugin's entry without a module.
    base: u64,
    /// Type, entry, code map.
    per_function: u64,
    /// Where operators are not weighed: translated code is at most this many times as large as a function body.
    per_code_byte: u64,
    /// On top for the largest body: translation grows its buffers by doubling.
    per_byte_of_largest: u64,
    /// The same, where operators are weighed.
    per_operator_of_largest: u64,
    per_plain: u64,
    per_memory: u64,
    per_branch: u64,
    per_target: u64,
    /// A call with [`Operators::ARGUMENTS`] arguments that have to be copied.
    per_call: u64,
    /// An argument beyond those.
    per_argument: u64,
    /// Import or export: name, type, closure.
    per_name: u64,
    /// Table element or global.
    per_element: u64,
    /// The host's copy of inputs and outputs, and a start that lays them down.
    of_values: u64,
    /// The value stack grows on demand; a plugin that recurses deeply pays up to its limit.
    modest_stack: u64,
}

const ADDRESSES: HeapModel = HeapModel {
    base: 24 * 1024,
    per_function: 240,
    per_code_byte: 12,
    per_byte_of_largest: 6,
    per_operator_of_largest: 0,
    per_plain: 0,
    per_memory: 0,
    per_branch: 0,
    per_target: 0,
    per_call: 0,
    per_argument: 0,
    per_name: 400,
    per_element: 16,
    of_values: PREDICTED_ROW_BYTES,
    modest_stack: 64 * 1024,
};

/// Fitted to the modules that `cargo xtask qemu` loads on the emulated board.
const NUMBERS: HeapModel = HeapModel {
    base: 5504,
    per_function: 196,
    per_code_byte: 0,
    per_byte_of_largest: 0,
    per_operator_of_largest: 6,
    per_plain: 5,
    per_memory: 8,
    per_branch: 13,
    per_target: 4,
    per_call: 40,
    per_argument: 13,
    per_name: 200,
    per_element: 8,
    of_values: PREDICTED_ROW_BYTES,
    modest_stack: 4 * 1024,
};

impl HeapModel {
    /// Returns the model of a layout.
    pub(super) const fn of(layout: CodeLayout) -> Self {
        match layout {
            CodeLayout::Addresses => ADDRESSES,
            CodeLayout::Numbers => NUMBERS,
        }
    }

    /// Predicts the peak of heap of a load, bytes; the linear memory is not in it.
    ///
    /// `value_stack_bytes_max` is what the value stack of the interpreter may grow to.
    pub(super) fn predict(&self, counts: &Counts, value_stack_bytes_max: u64) -> u64 {
        let operators = &counts.operators;
        [
            (1, self.base),
            (counts.functions, self.per_function),
            (counts.code_bytes, self.per_code_byte),
            (counts.largest_body_bytes, self.per_byte_of_largest),
            (operators.largest, self.per_operator_of_largest),
            (operators.plain, self.per_plain),
            (operators.memory, self.per_memory),
            (operators.branches, self.per_branch),
            (operators.targets, self.per_target),
            (operators.calls, self.per_call),
            (operators.more_arguments, self.per_argument),
            (counts.data_bytes, 1),
            (counts.names, self.per_name),
            (counts.elements, self.per_element),
            (counts.takes_values, self.of_values),
            (1, value_stack_bytes_max.min(self.modest_stack)),
        ]
        .into_iter()
        .fold(0, |sum, (count, each)| count.saturating_mul(each).saturating_add(sum))
    }
}
