//! Names and numbers of the Signal K WebAssembly plugin contract.
//!
//! One place for everything that host and guests must spell the same way: import modules, import
//! and export names, capability names, buffer sizes. Facts are those of Signal K Server 2.31
//! (plugin guide of version 3).
#![no_std]
#![forbid(unsafe_code)]

pub mod capability;
pub mod export;
pub mod import;
mod table;
pub mod values;

pub use capability::Capability;
