//! What a board does beside the gateway: firmware updates, factory reset, health, the last lines of the log.
//!
//! Each part is logic without hardware: it is told what happened and when, and says what is to be done. A HAL glues
//! pins, radio and flash to it.

pub mod factory_reset;
pub mod firmware;
mod health;
mod log_ring;
mod reset_reason;
#[cfg(any(test, feature = "set-up"))]
pub mod set_up;
pub mod wifi;

pub use health::{Health, HealthFacts};
pub use log_ring::{LOG_LINE_BYTES_MAX, LogRing};
pub use reset_reason::ResetReason;
