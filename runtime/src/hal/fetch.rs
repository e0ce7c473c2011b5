//! HTTP requests that a HAL carries with a client of its own, one hop each.
//!
//! Redirects, their number and the total time are the core's business; a HAL resolves, asks the
//! policy about the very address it connects to, sends, and reads at most the cap.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use core::task::Poll;
use core::time::Duration;

use super::Destinations;

/// Method of a request; plugins know these two (plugin ABI §8.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FetchMethod {
    /// `GET`.
    Get,
    /// `POST`.
    Post,
}

impl FetchMethod {
    /// Returns the method's name on the wire.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
        }
    }
}

/// One request to one server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FetchHop {
    /// HTTP method (RFC 9110 §9).
    pub method: FetchMethod,
    /// Over TLS (`https`).
    pub secure: bool,
    /// Host name or address, without brackets.
    pub host: String,
    /// TCP port of the server.
    pub port: u16,
    /// Path and query, percent-encoded, beginning with `/`.
    pub target: String,
    /// Headers beside those the client sets by itself; names and values hold no line end.
    pub headers: Vec<(String, String)>,
    /// Body of a `POST`.
    pub body: Vec<u8>,
    /// Time the whole exchange may take.
    pub timeout: Duration,
    /// Bytes of the answer's body, decoded.
    pub body_bytes_max: u32,
    /// Where it may go.
    pub destinations: Destinations,
}

impl FetchHop {
    /// Returns `host[:port]` as the `Host` header and URLs write it: without the scheme's own port.
    #[must_use]
    pub fn authority(&self) -> String {
        let host = if self.host.contains(':') { alloc::format!("[{}]", self.host) } else { self.host.clone() };
        match (self.secure, self.port) {
            (false, 80) | (true, 443) => host,
            (_, port) => alloc::format!("{host}:{port}"),
        }
    }

    /// Returns the whole URL.
    #[must_use]
    pub fn url(&self) -> String {
        let scheme = if self.secure { "https" } else { "http" };
        alloc::format!("{scheme}://{}{}", self.authority(), self.target)
    }
}

/// The answer of a server.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FetchReply {
    /// Status code, 200 to 599.
    pub status: u16,
    /// Header `Location`.
    pub location: Option<String>,
    /// Body, decoded.
    pub body: Vec<u8>,
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FetchError {
    /// There is no network, or nobody to ask for names: worth trying again later.
    Offline,
    /// No such host.
    UnknownHost,
    /// The server refused the connection or cannot be reached.
    Unreachable,
    /// The policy forbids this destination.
    Denied,
    /// It took too long.
    Timeout,
    /// The body is longer than allowed.
    TooLarge {
        /// Bytes allowed.
        limit: u32,
    },
    /// The connection ended in mid-answer.
    Broken,
    /// What came back is no HTTP.
    Malformed,
    /// The server's certificate is not trusted, or TLS failed.
    Tls,
    /// This HAL has no TLS.
    NoTls,
    /// Too many requests are on their way.
    TooMany,
    /// The URL or a header cannot be used.
    Request(&'static str),
    /// More redirects than are followed.
    Redirects {
        /// How many are followed.
        limit: u8,
    },
    /// The plugin was stopped.
    Cancelled,
    /// There is no HTTP client here.
    Unsupported,
}

impl fmt::Display for FetchError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Offline => "the network is not there",
            Self::UnknownHost => "unknown host",
            Self::Unreachable => "the server cannot be reached",
            Self::Denied => "this destination is not allowed for plugins",
            Self::Timeout => "the server did not answer in time",
            Self::TooLarge { limit } => return write!(f, "the answer is longer than {limit} bytes"),
            Self::Broken => "the connection ended in mid-answer",
            Self::Malformed => "the answer is no HTTP",
            Self::Tls => "the TLS connection failed",
            Self::NoTls => "https is not supported on this board, only http",
            Self::TooMany => "too many requests are on their way",
            Self::Request(clause) => clause,
            Self::Redirects { limit } => return write!(f, "more than {limit} redirects"),
            Self::Cancelled => "the plugin was stopped",
            Self::Unsupported => "this gateway has no HTTP client",
        })
    }
}

impl core::error::Error for FetchError {}

/// Number of a request on its way; never reused while the HAL lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FetchId(pub u32);

/// An HTTP client.
pub trait Fetch {
    /// Starts a request.
    ///
    /// # Errors
    /// [`FetchError::TooMany`], [`FetchError::NoTls`].
    fn begin(&mut self, hop: FetchHop) -> Result<FetchId, FetchError>;

    /// Takes the answer, once; an unknown number gives [`FetchError::Cancelled`].
    fn poll(&mut self, id: FetchId) -> Poll<Result<FetchReply, FetchError>>;

    /// Forgets a request; unknown ones are ignored.
    fn cancel(&mut self, id: FetchId);
}
