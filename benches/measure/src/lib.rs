//! What every bench of Skiff measures with: the same inputs, rounds, statistics and plots.
//!
//! `skiff bench` and `cargo xtask bench` both use it, so that their numbers mean the same.
#![forbid(unsafe_code)]

pub mod baseline;
pub mod clock;
pub mod input;
pub mod plot;
pub mod rounds;
pub mod statistics;
pub mod virt;
