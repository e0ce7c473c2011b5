//! The opening handshake of a WebSocket, from the server's side (RFC 6455 §4.2).

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use base64ct::{Base64, Encoding};
use sha1::{Digest, Sha1};

use super::{Method, Request};

/// Suffix of a key before it is hashed (RFC 6455 §1.3).
const GUID: &[u8] = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
/// Bytes of a decoded `Sec-WebSocket-Key`.
const KEY_BYTES: usize = 16;
/// Bytes of a SHA-1 hash in Base64.
const ACCEPT_BYTES: usize = 28;

/// Why a request is no good opening handshake.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HandshakeError {
    /// A required field is missing or wrong: answer 400.
    Malformed(&'static str),
    /// Another version of the protocol: answer 426 with `Sec-WebSocket-Version: 13`.
    Version,
}

impl fmt::Display for HandshakeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Malformed(clause) => clause,
            Self::Version => "only version 13 of the WebSocket protocol is spoken",
        })
    }
}

impl core::error::Error for HandshakeError {}

/// Tells whether a request wants to become a WebSocket.
#[must_use]
pub fn is_upgrade(request: &Request) -> bool {
    request.has_token("upgrade", "websocket")
}

/// The value of `Sec-WebSocket-Accept` for a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Accept([u8; ACCEPT_BYTES]);

impl Accept {
    /// Returns the text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        core::str::from_utf8(&self.0).unwrap_or_default()
    }
}

/// Checks an opening handshake.
///
/// Host, origin and access are not looked at: that is the server's part.
///
/// # Errors
/// [`HandshakeError`] with what is wrong.
pub fn accept(request: &Request) -> Result<Accept, HandshakeError> {
    use HandshakeError::{Malformed, Version};
    if request.method != Method::Get {
        return Err(Malformed("a WebSocket opens with GET"));
    }
    if !is_upgrade(request) || !request.has_token("connection", "upgrade") {
        return Err(Malformed("a WebSocket needs the fields Upgrade and Connection"));
    }
    if !request.headers_named("sec-websocket-version").any(|version| version.trim() == "13") {
        return Err(Version);
    }
    let mut keys = request.headers_named("sec-websocket-key");
    let (Some(key), None) = (keys.next(), keys.next()) else {
        return Err(Malformed("a WebSocket needs one Sec-WebSocket-Key"));
    };
    let mut decoded = [0; KEY_BYTES];
    if !Base64::decode(key, &mut decoded).is_ok_and(|bytes| bytes.len() == KEY_BYTES) {
        return Err(Malformed("Sec-WebSocket-Key must be 16 bytes in Base64"));
    }
    Ok(accept_key(key))
}

/// Returns what answers a `Sec-WebSocket-Key` (RFC 6455 §4.2.2).
#[must_use]
pub fn accept_key(key: &str) -> Accept {
    let hash = Sha1::new().chain_update(key).chain_update(GUID).finalize();
    let mut text = [0; ACCEPT_BYTES];
    // 20 bytes have exactly 28 letters.
    let _ = Base64::encode(&hash, &mut text);
    Accept(text)
}

/// Appends the response that opens the WebSocket.
pub fn write_accept(out: &mut Vec<u8>, accept: &Accept) {
    let head =
        "HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade\r\nsec-websocket-accept: ";
    for part in [head, accept.as_str(), "\r\n\r\n"] {
        out.extend_from_slice(part.as_bytes());
    }
}

/// Returns the fields of a request that opens a WebSocket, for clients; `key` is random.
#[must_use]
pub fn request_fields(key: &[u8; KEY_BYTES]) -> String {
    let mut fields =
        String::from("Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ");
    fields.push_str(&Base64::encode_string(key));
    fields.push_str("\r\n");
    fields
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::{Limits, Reader, RequestStep};

    fn request(head: &str) -> Request {
        let mut reader = Reader::new(Limits { head_bytes_max: 1000, headers_max: 16, body_bytes_max: 10 });
        reader.push(head.as_bytes());
        match reader.step() {
            Ok(RequestStep::Request { request, .. }) => request,
            other => panic!("{other:?}"),
        }
    }

    const GOOD: &str = "GET /s HTTP/1.1\r\nHost: x\r\nUpgrade: WebSocket\r\nConnection: keep-alive, Upgrade\r\n\
                        Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

    #[test]
    fn the_example_of_the_rfc() {
        // RFC 6455 §1.3.
        let accept = accept(&request(GOOD)).unwrap();
        assert_eq!(accept.as_str(), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
        let mut out = Vec::new();
        write_accept(&mut out, &accept);
        assert!(out.ends_with(b"sec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n"));
    }

    #[test]
    fn half_a_handshake_is_refused() {
        for (part, instead) in [
            ("GET", "POST"),
            ("Upgrade: WebSocket", "Upgrade: h2c"),
            ("keep-alive, Upgrade", "keep-alive"),
            ("Sec-WebSocket-Key", "X-Key"),
            ("dGhlIHNhbXBsZSBub25jZQ==", "dGhlIHNhbXBsZSBub25j"),
            ("dGhlIHNhbXBsZSBub25jZQ==", "not base64 at all!!!!!!!"),
            ("Sec-WebSocket-Version: 13", "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="),
        ] {
            let broken = request(&GOOD.replacen(part, instead, 1));
            assert!(matches!(accept(&broken), Err(HandshakeError::Malformed(_))), "{instead}");
        }
        assert_eq!(accept(&request(&GOOD.replace(": 13", ": 8"))), Err(HandshakeError::Version));
    }

    #[test]
    fn own_requests_are_accepted() {
        let request = request(&std::format!("GET / HTTP/1.1\r\nHost: x\r\n{}\r\n", request_fields(&[7; 16])));
        assert!(accept(&request).is_ok());
    }
}
