//! What belongs to one instance inside the interpreter's store.

use alloc::string::String;
use alloc::vec::Vec;

use wasmi::{Memory, StoreLimits, StoreLimitsBuilder, Val};

use super::capabilities::Capabilities;
use super::imports::Pending;
use crate::budget::PluginLimits;
use crate::time::{Instant, UnixMillis};
use crate::vfs::{FileLimits, Files};

/// Data of the store.
pub(super) struct HostState {
    pub(super) package: String,
    pub(super) capabilities: Capabilities,
    pub(super) limits: PluginLimits,
    /// The guest's memory; `None` while the start section runs, when imports are inert (plugin ABI §2.3).
    pub(super) memory: Option<Memory>,
    /// Wall and monotonic time of the current slice.
    pub(super) wall: UnixMillis,
    pub(super) monotonic: Instant,
    /// Limits of what can grow.
    pub(super) growth: StoreLimits,
    /// What was written to standard output and standard error since the last end of line.
    pub(super) unfinished_lines: [Vec<u8>; 2],
    /// Its open files; `None` where it was promised that it has none (`storage: "none"`).
    pub(super) files: Option<Files>,
    /// Fuel of copies that the slice had no fuel left for: it counts for the call all the same.
    pub(super) fuel_debt: u64,
    /// The import that a suspended guest waits for, and the arguments it gave.
    pub(super) pending: Option<Pending>,
    pub(super) args: Vec<Val>,
    /// Host calls for a transcript, when one is kept.
    #[cfg(any(test, feature = "trace"))]
    pub(super) trace: super::trace::Trace,
    /// What it did, when somebody wants to know.
    #[cfg(any(test, feature = "trace"))]
    pub(super) watch: super::watch::Watching,
}

/// The board's limits for files.
pub(super) fn file_limits(limits: &PluginLimits) -> FileLimits {
    FileLimits {
        file_bytes_max: limits.file_bytes_max,
        quota_bytes: limits.files_quota_bytes,
        files_max: limits.files_max,
        tmp_bytes_max: limits.tmp_bytes_max,
        descriptors_max: limits.descriptors_max,
        open_bytes_max: limits.open_files_bytes_max,
    }
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
