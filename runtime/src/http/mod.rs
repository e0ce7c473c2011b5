//! HTTP/1.1 (RFC 9112) and WebSocket (RFC 6455) as values, without a socket and without a clock.
//!
//! Bytes that arrived go into a [`Reader`], which gives whole [`Request`]s; [`write_head`] makes the
//! bytes of a response. After [`handshake::accept`] the bytes of a connection go through a
//! [`websocket::Decoder`] instead. Nothing here waits, and everything a peer can make grow has a
//! limit in [`Limits`]. What is parsed by hand is only what `httparse` leaves to its user.

mod chunked;
pub mod handshake;
mod head;
mod reader;
mod refusal;
mod request;
mod response;
pub mod websocket;

pub use reader::{Reader, RequestStep};
pub use refusal::Refusal;
#[cfg(test)]
pub(crate) use request::get;
pub use request::{Door, Method, Request};
pub use response::{NO_CONNECTION, ResponseHead, is_bodiless, write_head};

/// Header fields that the parser has room for; [`Limits::headers_max`] can only ask for fewer.
pub const HEADERS_MAX: usize = 64;

/// Limits of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of request line and header fields together, also of the trailer of a chunked body.
    pub head_bytes_max: usize,
    /// Header fields; at most [`HEADERS_MAX`].
    pub headers_max: usize,
    /// Bytes of the body, after chunks were joined.
    pub body_bytes_max: usize,
}
