//! Imports that only components have.

pub(super) mod model;
pub(super) mod wasi;
