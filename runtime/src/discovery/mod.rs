//! How machines on the network find a gateway that has a TCP/IP stack of its own.
//!
//! [`Responder`] answers for its name and its services by multicast DNS (RFC 6762, RFC 6763). On the network that a board
//! makes for being set up, [`AnyName`] answers for every name there is, so that a phone that joins is shown the way. Both
//! work over any [`hal::Network`](crate::hal::Network); a HAL that has a system below leaves the first to that system, and
//! shares what is said: [`service`].
//!
//! `edge-mdns` and `mdns-proto` were looked at: the first has neither probes nor conflicts, and comes with an executor and
//! the whole of `domain`; the second is 28,000 lines. A responder for three services needs what stands here.

mod any_name;
mod own;
mod responder;
pub mod service;
pub mod wire;

pub use any_name::AnyName;
pub use own::Announced;
pub use responder::{PORT, Responder};

#[cfg(test)]
mod tests;
