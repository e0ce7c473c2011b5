//! A call as a small program: allocate, fill, invoke, read, free, each step resumable.
//!
//! [`plan`] turns a call into [`steps`] in the dialect of the guest; [`machine`] takes them, slice by slice.

#[cfg(feature = "components")]
mod lifted;
mod machine;
mod plan;
mod steps;

pub(super) use machine::Machine;
