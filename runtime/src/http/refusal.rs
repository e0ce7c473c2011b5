//! Why a request cannot be read.

use core::fmt;

/// A request that is answered with an error, after which the connection closes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Refusal {
    /// Not HTTP/1.1, or ambiguous about where it ends (RFC 9112 §2.2, §6.3).
    Malformed(&'static str),
    /// Request line and header fields are longer or more than the limit.
    HeadTooLarge,
    /// The body is longer than the limit.
    BodyTooLarge {
        /// The limit, bytes.
        limit: usize,
    },
    /// `Expect` asks for something other than `100-continue` (RFC 9110 §10.1.1).
    Expectation,
    /// `Transfer-Encoding` names something other than `chunked` (RFC 9112 §6.1).
    Coding,
    /// No memory for the body now.
    NoRoom,
}

impl Refusal {
    /// Returns the status code to answer with.
    #[must_use]
    pub const fn status(self) -> u16 {
        match self {
            Self::Malformed(_) => 400,
            Self::BodyTooLarge { .. } => 413,
            Self::Expectation => 417,
            Self::HeadTooLarge => 431,
            Self::Coding => 501,
            Self::NoRoom => 503,
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed(clause) => f.write_str(clause),
            Self::HeadTooLarge => f.write_str("request line and header fields are too long"),
            Self::BodyTooLarge { limit } => write!(f, "body longer than {limit} bytes"),
            Self::Expectation => f.write_str("the expectation cannot be met"),
            Self::Coding => f.write_str("the transfer coding is not supported, only chunked is"),
            Self::NoRoom => f.write_str("no memory for the request now, try again later"),
        }
    }
}

impl core::error::Error for Refusal {}
