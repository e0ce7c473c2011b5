//! What a guest asks for with `as-fetch`, and what it gets (plugin ABI §8).

use alloc::string::String;
use alloc::vec::Vec;

pub use crate::hal::FetchMethod;

/// Bytes of a URL.
pub const URL_BYTES_MAX: usize = 8192;
/// Headers of a request.
pub const HEADERS_MAX: usize = 32;
/// Bytes of all names and values of a request's headers.
pub const HEADER_BYTES_MAX: usize = 8192;

/// An HTTP request as the guest wrote it: nothing in it was checked but its size.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FetchRequest {
    /// HTTP method (RFC 9110 §9).
    pub method: FetchMethod,
    /// URL, as the guest wrote it.
    pub url: String,
    /// Headers, names and values.
    pub headers: Vec<(String, String)>,
    /// Body; `None` where the guest gave none.
    pub body: Option<Vec<u8>>,
}

/// How a request ended.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fetched {
    /// Status code; 0 when no answer came.
    pub status: u16,
    /// A redirect was followed.
    pub redirected: bool,
    /// Body; empty when no answer came.
    pub body: Vec<u8>,
}

/// Number of a request a guest waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ticket(pub u32);
