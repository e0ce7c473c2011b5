//! What may be used, what is used, and who decides.

mod limits;

pub use limits::{Board, Limits, PluginLimits};
