//! A plugin's HTTP request from its URL to its answer: redirects, total time, where it may go.
//!
//! [`Exchange`] drives a HAL's client hop by hop; where the HAL has none, [`FetchClient`] carries plain HTTP over its
//! network by [`plain`].

mod client;
pub mod plain;
mod target;
#[cfg(test)]
mod tests;

use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::task::Poll;
use core::time::Duration;

use url::Url;

pub use client::FetchClient;

use crate::hal::{Destinations, Fetch, FetchError, FetchHop, FetchId, FetchMethod, FetchReply};
use crate::time::Instant;

/// Time a request may take, redirects included.
pub const FETCH_TIMEOUT: Duration = Duration::from_secs(30);
/// Redirects that are followed (Fetch standard, "HTTP-redirect fetch").
pub const REDIRECTS_MAX: u8 = 20;

/// Headers that belong to the connection and not to the request (RFC 9110 §7.6.1, Fetch standard "forbidden request
/// header"); the client sets them.
const CLIENT_HEADERS: [&str; 12] = [
    "accept-encoding",
    "connection",
    "content-length",
    "expect",
    "host",
    "keep-alive",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];
/// Headers that do not follow a redirect to another origin.
const CREDENTIAL_HEADERS: [&str; 2] = ["authorization", "cookie"];

/// A request to fetch.
#[derive(Clone, Debug)]
pub struct Order<'o> {
    /// HTTP method (RFC 9110 §9).
    pub method: FetchMethod,
    /// URL as the plugin wrote it.
    pub url: &'o str,
    /// Headers as the plugin wrote them.
    pub headers: &'o [(String, String)],
    /// Body of a `POST`.
    pub body: &'o [u8],
    /// Bytes of the answer's body.
    pub body_bytes_max: u32,
    /// Where it may go.
    pub destinations: &'o Destinations,
}

/// The answer at the end of all redirects.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fetched {
    /// Status code.
    pub status: u16,
    /// A redirect was followed.
    pub redirected: bool,
    /// Body, decoded.
    pub body: Vec<u8>,
}

/// A request on its way.
#[derive(Debug)]
pub struct Exchange {
    url: Url,
    hop: FetchHop,
    deadline: Instant,
    redirects: u8,
    id: FetchId,
}

impl Exchange {
    /// Starts a request.
    ///
    /// # Errors
    /// [`FetchError`] where it does not get as far as waiting.
    pub fn begin(order: &Order<'_>, now: Instant, client: &mut dyn Fetch) -> Result<Self, FetchError> {
        let url = target::parse(order.url)?;
        let mut hop = target::hop(&url)?;
        hop.method = order.method;
        hop.headers = sound_headers(order.headers)?;
        hop.body = order.body.to_vec();
        hop.body_bytes_max = order.body_bytes_max;
        hop.destinations = order.destinations.clone();
        hop.timeout = FETCH_TIMEOUT;
        let id = client.begin(hop.clone())?;
        Ok(Self { url, hop, deadline: now + FETCH_TIMEOUT, redirects: 0, id })
    }

    /// Goes on; `Ready` comes once.
    pub fn poll(&mut self, now: Instant, client: &mut dyn Fetch) -> Poll<Result<Fetched, FetchError>> {
        loop {
            let reply = match client.poll(self.id) {
                Poll::Pending if now >= self.deadline => {
                    client.cancel(self.id);
                    return Poll::Ready(Err(FetchError::Timeout));
                }
                Poll::Pending => return Poll::Pending,
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Ready(Ok(reply)) => reply,
            };
            match self.redirect(&reply, now, client) {
                Ok(true) => {}
                Ok(false) => {
                    let redirected = self.redirects > 0;
                    return Poll::Ready(Ok(Fetched { status: reply.status, redirected, body: reply.body }));
                }
                Err(error) => return Poll::Ready(Err(error)),
            }
        }
    }

    /// Returns the number of the request that is on its way now, for [`Fetch::cancel`].
    #[must_use]
    pub fn id(&self) -> FetchId {
        self.id
    }

    /// Returns when it is given up.
    #[must_use]
    pub fn deadline(&self) -> Instant {
        self.deadline
    }

    /// Follows a redirect; false when the reply is the answer (Fetch standard, "HTTP-redirect fetch").
    fn redirect(&mut self, reply: &FetchReply, now: Instant, client: &mut dyn Fetch) -> Result<bool, FetchError> {
        if !matches!(reply.status, 301 | 302 | 303 | 307 | 308) {
            return Ok(false);
        }
        let Some(location) = &reply.location else { return Ok(false) };
        if self.redirects >= REDIRECTS_MAX {
            return Err(FetchError::Redirects { limit: REDIRECTS_MAX });
        }
        let next = self.url.join(location).map_err(|_| FetchError::Request("a redirect leads to no URL"))?;
        let target = target::hop(&next)?;
        let hop = &mut self.hop;
        if matches!(reply.status, 301..=303) && hop.method == FetchMethod::Post {
            hop.method = FetchMethod::Get;
            hop.body.clear();
            hop.headers.retain(|(name, _)| !name.get(..8).is_some_and(|name| name.eq_ignore_ascii_case("content-")));
        }
        if self.url.origin() != next.origin() {
            hop.headers.retain(|(name, _)| !is_one_of(name, &CREDENTIAL_HEADERS));
        }
        (hop.secure, hop.host, hop.port, hop.target) = (target.secure, target.host, target.port, target.target);
        hop.timeout = self.deadline.since(now);
        if hop.timeout.is_zero() {
            return Err(FetchError::Timeout);
        }
        self.url = next;
        self.redirects = self.redirects.saturating_add(1);
        self.id = client.begin(hop.clone())?;
        Ok(true)
    }
}

fn is_one_of(name: &str, names: &[&str]) -> bool {
    names.iter().any(|other| name.eq_ignore_ascii_case(other))
}

/// Returns the headers to send: without those of the connection.
fn sound_headers(headers: &[(String, String)]) -> Result<Vec<(String, String)>, FetchError> {
    let mut sound = Vec::with_capacity(headers.len());
    for (name, value) in headers {
        let value = value.trim_matches([' ', '\t', '\r', '\n']);
        if !is_token(name) || value.bytes().any(|byte| (byte < b' ' && byte != b'\t') || byte == 0x7f) {
            return Err(FetchError::Request("a header cannot be sent like that"));
        }
        if !is_one_of(name, &CLIENT_HEADERS) {
            sound.push((name.clone(), value.to_string()));
        }
    }
    Ok(sound)
}

/// Token of RFC 9110 §5.6.2.
fn is_token(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte))
}
