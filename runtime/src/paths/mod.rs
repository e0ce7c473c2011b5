//! Patterns of paths and contexts: which deltas a taker wants.
//!
//! A taker says with [`Pattern`]s what it wants; [`PatternSet`] keeps many of them cheap to ask.

mod pattern;
mod set;
mod wanted;

pub use pattern::{PATTERN_BYTES_MAX, Pattern, PatternError, WILDCARDS_MAX};
pub use set::{PatternSet, SetFull};
pub(crate) use wanted::{Marks, READERS, Wanted, WantedPaths};
