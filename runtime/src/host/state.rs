//! What the host keeps for one instance, within its engine.

use alloc::string::String;
use alloc::vec::Vec;

use super::capabilities::Capabilities;
use super::engine::Val;
use super::imports::Pending;
use crate::budget::PluginLimits;
use crate::time::{Instant, UnixMillis};
use crate::vfs::{FileLimits, Files};

/// What imports act on, beside the guest's memory.
pub(super) struct HostState {
    pub(super) package: String,
    pub(super) capabilities: Capabilities,
    pub(super) limits: PluginLimits,
    /// Imports do something: not while the start section runs (plugin ABI §2.3).
    pub(super) imports_work: bool,
    /// Wall and monotonic time of the current slice.
    pub(super) wall: UnixMillis,
    pub(super) monotonic: Instant,
    /// What was written to standard output and standard error since the last end of line.
    pub(super) unfinished_lines: [Vec<u8>; 2],
    /// Its open files; `None` where it was promised that it has none (`storage: "none"`).
    pub(super) files: Option<Files>,
    /// Fuel of copies that the slice had no fuel left for: it counts for the call all the same.
    pub(super) fuel_debt: u64,
    /// The import that a parked guest waits for.
    pub(super) pending: Option<Pending>,
    /// The arguments of the import that was called last.
    pub(super) args: Vec<Val>,
    /// What is kept for a component.
    #[cfg(feature = "components")]
    pub(super) component: super::component::State,
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
