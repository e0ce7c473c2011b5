//! Sizes the carrier keeps to.

use crate::budget::{Limits, NetLimits};
use crate::http;

/// Limits for the clients of a carrier.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CarrierLimits {
    /// Open connections; a new one beyond them takes the place of an idle one or gets 503.
    pub connections_max: usize,
    /// Sizes of a request.
    pub http: http::Limits,
    /// Bytes of a message of a stream client.
    pub message_bytes_max: usize,
    /// Bytes that all clients together may hold in heads, bodies, messages and responses.
    pub held_bytes_max: usize,
}

impl CarrierLimits {
    /// Returns the limits of a board.
    #[must_use]
    pub fn new(net: &NetLimits, limits: &Limits) -> Self {
        let size = |bytes: u32| usize::try_from(bytes).unwrap_or(usize::MAX);
        Self {
            connections_max: usize::from(net.connections_max),
            http: http::Limits {
                head_bytes_max: size(net.head_bytes_max),
                headers_max: usize::from(net.headers_max),
                body_bytes_max: size(limits.request_bytes_max.max(limits.package_bytes_max)),
            },
            message_bytes_max: size(net.message_bytes_max),
            held_bytes_max: size(net.held_bytes_max),
        }
    }
}
