//! A client of MQTT brokers: packets, where a broker is and who logs in there, and the connection.
//!
//! [`crate::output`] publishes with it, [`crate::input`] subscribes. It keeps no session at the broker: what was not acknowledged waits
//! in the output's own store, and what is told while the gateway is away is no order to it when it comes back.

mod broker;
pub mod packet;
mod session;

pub use broker::{Broker, OPTIONS as BROKER_OPTIONS, read_secret};
pub use session::{Heard, NO_ANSWER, Session};

/// Segment of the sources of what came from a broker.
pub const FROM_BROKERS: &str = "mqtt";
