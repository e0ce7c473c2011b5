//! The interpreter's configuration: features of the plugin contract, limits, fuel.

use ::wasmi::{CompilationMode, Config, Engine, OperatorCost, StoreLimits, StoreLimitsBuilder};

use crate::budget::PluginLimits;

/// Smallest value stack, bytes; it grows up to the plugin's limit.
const VALUE_STACK_BYTES_MIN: usize = 1024;

/// Builds the engine of one plugin. One engine per plugin, or unloading frees no translated code.
pub(super) fn engine(limits: &PluginLimits) -> Engine {
    let mut config = Config::default();
    let stack = limits.value_stack_bytes_max as usize;
    config
        .set_max_recursion_depth(limits.recursion_depth_max as usize)
        .set_min_stack_height(VALUE_STACK_BYTES_MIN.min(stack))
        .set_max_stack_height(stack)
        .set_max_cached_stacks(1)
        .consume_fuel(true)
        .operator_cost(costs())
        .ignore_custom_sections(true)
        // Only eagerly translated code can be cut into slices: running dry while translating is an error.
        .compilation_mode(CompilationMode::Eager)
        .wasm_mutable_global(true)
        .wasm_sign_extension(true)
        .wasm_saturating_float_to_int(true)
        .wasm_multi_value(true)
        .wasm_bulk_memory(true)
        .wasm_reference_types(true)
        .wasm_extended_const(true)
        .wasm_custom_page_sizes(true)
        .wasm_multi_memory(false)
        .wasm_tail_call(false);
    // Counts are limited by `ModuleFacts` before the engine sees the module; `EnforcedLimits::strict` would
    // refuse real plugins for the average size of their functions.
    Engine::new(&config)
}

/// Fuel of `memory.grow` and `table.grow`, the most the interpreter can charge for one instruction.
const FUEL_TO_GROW: u8 = u8::MAX;

/// Returns what each instruction costs.
///
/// Growing that is refused is the one thing wasmi's tail-call dispatch does not do by tail calls: each refusal leaves
/// a frame on the native stack until the slice ends. Its price bounds how many fit into a slice
/// (`tests/native_stack.rs` executes every kind of instruction on a small stack).
fn costs() -> OperatorCost {
    OperatorCost { memory_grow: FUEL_TO_GROW, table_grow: FUEL_TO_GROW, ..OperatorCost::default() }
}

/// Tables of one module; toolchains emit one.
const TABLES_MAX: usize = 16;

/// Limit of the interpreter: beyond it `memory.grow` and `table.grow` give -1.
pub(super) fn store_limits(limits: &PluginLimits, linear_bytes_max: u64) -> StoreLimits {
    let linear_bytes_max = linear_bytes_max.min(limits.linear_bytes_max.into());
    StoreLimitsBuilder::new()
        .memory_size(usize::try_from(linear_bytes_max).unwrap_or(usize::MAX))
        .table_elements(limits.table_elements_max as usize)
        .instances(1)
        .memories(1)
        .tables(TABLES_MAX)
        .trap_on_grow_failure(false)
        .build()
}
