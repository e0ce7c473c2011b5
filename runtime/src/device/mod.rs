//! What a board does beside the gateway: firmware updates, factory reset, set-up over Wi-Fi, health light, log.
//!
//! Each part is logic without hardware: it is told what happened and when, and says what is to be done. A HAL glues
//! pins, radio and flash to it.

pub mod factory_reset;
pub mod firmware;
mod light;
mod log_ring;
mod reset_reason;
mod wifi;

pub use light::{Health, HealthFacts};
pub use log_ring::{LOG_LINE_BYTES_MAX, LogRing};
pub use reset_reason::ResetReason;
pub use wifi::{RadioFacts, RadioPlan, SetUpAccess, WifiLink};
