//! The wall clock of boards that have none: set from what the bus says about the time, and kept.
//!
//! A device that tells the time is heard ([`sighting`]); [`BusClock`] believes it once a second device agrees, or once
//! it has gone on for some seconds as a clock does, and follows it from then on.

mod bus_clock;
pub mod sighting;

pub use bus_clock::{BUILT_AFTER, BusClock, ClockState};
pub use sighting::{Origin, Sighting, SourceName};
