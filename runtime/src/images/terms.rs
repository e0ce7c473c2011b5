//! Limits of a plugin in the terms of the engine.

use skiff_engine::{CHUNK_RAM_BYTES, Limits, Quota, translation_heap_bytes};

use crate::budget::PluginLimits;

/// More linear memory than [`Limits::CHIP`] takes.
const CHIP_LINEAR_BYTES_MAX: u32 = 1 << 20;
/// Activations inside of each other: one that waits for an answer, and the allocation for it.
const ACTIVATIONS_MAX: u32 = 2;
/// Bytes of a chunk of memory.
const CHUNK_BYTES: u32 = 1024;
/// Bytes of wasmi's value stack for a register here: its values have 64 bits, of which most need 32, and a value that is a
/// local or a number is not copied to the stack before it is used.
const STACK_BYTES_OF_A_REGISTER: u32 = 16;

/// Returns the bounds of a translation: those of chips where a plugin has the memory of a chip.
#[must_use]
pub fn bounds(limits: &PluginLimits) -> Limits {
    if limits.linear_bytes_max > CHIP_LINEAR_BYTES_MAX { Limits::LINUX } else { Limits::CHIP }
}

/// Returns the heap that translating a module may take, bytes, for as long as that lasts.
#[must_use]
pub fn heap_bytes(wasm: &[u8], limits: &PluginLimits) -> u64 {
    translation_heap_bytes(wasm, &bounds(limits)) as u64
}

/// Returns what the machine of a plugin may take whose memory may grow to so many bytes.
#[must_use]
pub fn quota(limits: &PluginLimits, linear_bytes_max: u64) -> Quota {
    let memory_bytes_max = u32::try_from(linear_bytes_max).unwrap_or(u32::MAX).min(limits.linear_bytes_max);
    Quota {
        registers: registers(limits),
        calls_max: limits.recursion_depth_max,
        activations_max: ACTIVATIONS_MAX,
        chunks: memory_bytes_max.div_ceil(CHUNK_BYTES),
        memory_bytes_max,
        table_elements_max: limits.table_elements_max,
    }
}

const fn registers(limits: &PluginLimits) -> u32 {
    limits.value_stack_bytes_max / STACK_BYTES_OF_A_REGISTER
}

/// Returns what every machine with these limits takes before it runs, bytes: registers, the table of a memory that is full
/// grown, one chunk.
#[must_use]
pub(crate) const fn least_bytes(limits: &PluginLimits) -> u64 {
    let table = limits.linear_bytes_max.div_ceil(CHUNK_BYTES).saturating_mul(2);
    registers(limits).saturating_mul(4).saturating_add(table).saturating_add(CHUNK_RAM_BYTES) as u64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::budget::{Board, Limits as Budget};

    #[test]
    fn a_chip_gives_what_the_engine_was_measured_with() {
        let limits = Budget::of(Board::Esp32C6).plugin;
        let quota = quota(&limits, u64::MAX);
        assert_eq!(quota.registers, Quota::CHIP.registers);
        assert_eq!((quota.memory_bytes_max, quota.chunks), (limits.linear_bytes_max, 64));
        assert_eq!(bounds(&limits), Limits::CHIP);
        assert_eq!(bounds(&Budget::of(Board::Linux).plugin), Limits::LINUX);
        assert!(least_bytes(&limits) < 6 * 1024, "{}", least_bytes(&limits));
    }
}
