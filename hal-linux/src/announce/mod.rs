//! How machines on the boat's network find the gateway.

pub mod reach;
