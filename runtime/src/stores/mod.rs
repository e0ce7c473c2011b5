//! What clients keep on the gateway: `applicationData` and resources of Signal K, as bounded JSON documents.
//!
//! A document is read, changed as a [`Tree`] and written whole: numbers keep the text that [`crate::json::compact`] gives
//! them, members their order. Nothing in here knows requests; the gateway's routes do. Boards leave the module out.

mod app_data;
mod patch;
pub mod resources;
mod search;
mod tree;

pub use app_data::{
    ALL_BYTES_MAX, AppId, FILE_BYTES_MAX, FILES_MAX, Owner, Place, StoreError, USER_BYTES_MAX, Version, load, save,
    versions,
};
pub use patch::{COPIED_BYTES_MAX, PATCH_STEPS_MAX, apply};
pub use search::Search;
pub use tree::{EditError, PADDED_ITEMS_MAX, Tree, segments};

/// Names that a client in JavaScript must never be given as members (prototype pollution).
#[must_use]
pub fn is_forbidden(name: &str) -> bool {
    matches!(name, "__proto__" | "constructor" | "prototype")
}
