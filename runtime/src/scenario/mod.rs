//! Scenarios: one plugin driven through a script against a mock world, written down line by line.
//!
//! The format is that of `skiff test`: a fixed clock, seeded randomness, canned answers, no real
//! network and a private empty file system, so that two runs give the same bytes.

mod lines;
mod network;
mod player;
mod providers;
mod rows;
mod script;
mod world;

pub use player::play;
pub use rows::{InputRow, Rows, kind_name, rows};
pub use script::{Scenario, ScenarioError};

#[cfg(test)]
mod tests;
