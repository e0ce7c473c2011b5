//! Plugins that are WebAssembly components (WASI 0.2): read here, linked at load, called by the canonical ABI.
//!
//! A component is a handful of core modules and a recipe. [`Layout`] is the recipe as this host understands it: which modules
//! there are, which core instances are made of them in which order, which core functions answer for which
//! import ([`Lowered`]) and which for which export ([`Lift`]). Index spaces, renaming components and types are gone by then.
//!
//! ```text
//! component ─ read ─► Layout ─ host/engine/wasmi/component.rs ─► core instances in one store
//!                       │ modules      translated each by itself, one linear memory for all
//!                       │ lowered      host functions: rows of `imports`, found by interface and name
//!                       └ lifts        functions under the names of the contract: plugin_id, plugin_start, …
//! ```
//!
//! Texts cross as UTF-8 in the guest's memory: the host asks the guest's `realloc` for room, writes, and calls `post-return`
//! when it has read an answer; each is a step of the call, in fuel slices, and may ask nothing of the host itself
//! (`host/call/lifted.rs`). Why the reader is ours and not wasmparser's: decision 054.

mod answer;
mod binary;
mod contract;
mod handles;
mod imports;
mod layout;
mod spaces;
mod types;

pub(in crate::host) use answer::Answered;
pub(in crate::host) use contract::{Exported, HTTP_HANDLE, PUT_HANDLE, linked, of_export};
pub(in crate::host) use layout::{CoreFunc, CoreInstance, CorePlace, Gives, Item, Layout, Lift, Lowered};

/// The version word of components: version 13 of the format, layer 1.
pub(super) const VERSION: u32 = 0x0001_000d;

/// Tells whether bytes begin as a component does.
pub(super) fn is_component(wasm: &[u8]) -> bool {
    wasm.get(..8).is_some_and(|head| head.starts_with(b"\0asm") && head.ends_with(&VERSION.to_le_bytes()))
}

/// What the host keeps for a guest that is a component.
#[derive(Debug, Default)]
pub(super) struct State {
    /// The guest allocates or cleans up for the host: it may ask nothing.
    pub(super) is_quiet: bool,
    /// Resources that it holds.
    pub(super) handles: handles::Handles,
}

/// Core modules of a component. componentize-py makes up to 38.
pub(super) const MODULES_MAX: usize = 64;
/// Core instances, those that only gather exports included. componentize-py makes up to 109.
pub(super) const CORE_INSTANCES_MAX: usize = 256;
/// Items of one core instance that only gathers exports.
pub(super) const GATHERED_MAX: usize = 1000;
/// Tables of all core instances, as many as one module may have. Toolchains make two: the program's and that of its shim.
pub(super) const TABLES_MAX: usize = 16;
/// Functions that are lowered or lifted. componentize-py lowers 111.
pub(super) const CANONICAL_MAX: usize = 1000;
/// Everything that is named or numbered in the recipe, each time it is read: what is kept of one takes at most 64 bytes.
pub(super) const ENTRIES_MAX: u32 = 32 * 1024;
/// How deep types and renaming components are nested.
pub(super) const NESTING_MAX: u8 = 8;
