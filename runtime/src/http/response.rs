//! The head of a response (RFC 9112 §4, §5).

use alloc::string::String;
use alloc::vec::Vec;

use crate::time::UnixMillis;

/// Said to clients for which there is no connection left.
pub const NO_CONNECTION: &[u8] =
    b"HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\nconnection: close\r\nretry-after: 1\r\n\r\n";

/// What stands before the body.
#[derive(Clone, Copy, Debug)]
pub struct ResponseHead<'a> {
    /// Status code.
    pub status: u16,
    /// Header fields; those that cannot stand on the wire and those the connection itself decides about are left out.
    pub headers: &'a [(String, String)],
    /// Length of the body, bytes, also where it is left out (`HEAD`).
    pub body_bytes: usize,
    /// Whether the connection goes on.
    pub keep_alive: bool,
    /// Wall clock, when it is known (RFC 9110 §6.6.1).
    pub date: Option<UnixMillis>,
}

/// Appends the head to `out`, up to and with its empty line.
pub fn write_head(out: &mut Vec<u8>, head: &ResponseHead<'_>) {
    let status = if (100..1000).contains(&head.status) { head.status } else { 500 };
    out.extend_from_slice(b"HTTP/1.1 ");
    number(out, usize::from(status));
    out.push(b' ');
    out.extend_from_slice(reason(status).as_bytes());
    out.extend_from_slice(b"\r\n");
    for (name, value) in head.headers {
        if is_name(name) && is_value(value) && !is_ours(name) {
            for part in [name.as_str(), ": ", value, "\r\n"] {
                out.extend_from_slice(part.as_bytes());
            }
        }
    }
    if !is_bodiless(status) {
        out.extend_from_slice(b"content-length: ");
        number(out, head.body_bytes);
        out.extend_from_slice(b"\r\n");
    }
    if let Some(date) = head.date {
        let mut text = heapless::String::<32>::new();
        // A date has 29 characters.
        let _ = core::fmt::Write::write_fmt(&mut text, format_args!("{}", date.http_date()));
        for part in ["date: ", text.as_str(), "\r\n"] {
            out.extend_from_slice(part.as_bytes());
        }
    }
    // HTTP/1.0 clients need the first, HTTP/1.1 clients the second.
    out.extend_from_slice(if head.keep_alive {
        b"connection: keep-alive\r\n\r\n"
    } else {
        b"connection: close\r\n\r\n"
    });
}

/// Tells whether a response of that status never has a body (RFC 9110 §6.4.1).
#[must_use]
pub const fn is_bodiless(status: u16) -> bool {
    matches!(status, 100..=199 | 204 | 304)
}

fn number(out: &mut Vec<u8>, value: usize) {
    let mut digits = heapless::String::<20>::new();
    // A usize has at most 20 digits.
    let _ = core::fmt::Write::write_fmt(&mut digits, format_args!("{value}"));
    out.extend_from_slice(digits.as_bytes());
}

/// A field name is a token (RFC 9110 §5.6.2).
fn is_name(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte))
}

/// A field value is visible text, blanks and tabs (RFC 9110 §5.5): no line break can be smuggled in.
fn is_value(value: &str) -> bool {
    value.bytes().all(|byte| byte == b'\t' || (byte >= b' ' && byte != 0x7f))
}

fn is_ours(name: &str) -> bool {
    ["date", "content-length", "transfer-encoding", "connection", "keep-alive", "upgrade"]
        .iter()
        .any(|ours| name.eq_ignore_ascii_case(ours))
}

/// Reason phrases of RFC 9110 §15 that the gateway uses; clients ignore them.
const fn reason(status: u16) -> &'static str {
    match status {
        100 => "Continue",
        200 => "OK",
        201 => "Created",
        202 => "Accepted",
        204 => "No Content",
        301 => "Moved Permanently",
        302 => "Found",
        304 => "Not Modified",
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        408 => "Request Timeout",
        409 => "Conflict",
        413 => "Content Too Large",
        414 => "URI Too Long",
        415 => "Unsupported Media Type",
        417 => "Expectation Failed",
        422 => "Unprocessable Content",
        426 => "Upgrade Required",
        429 => "Too Many Requests",
        431 => "Request Header Fields Too Large",
        500 => "Internal Server Error",
        501 => "Not Implemented",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        504 => "Gateway Timeout",
        507 => "Insufficient Storage",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::string::ToString;

    fn written(status: u16, headers: &[(&str, &str)], keep_alive: bool) -> String {
        let headers: Vec<_> = headers.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect();
        let mut out = Vec::new();
        write_head(&mut out, &ResponseHead { status, headers: &headers, body_bytes: 12, keep_alive, date: None });
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_head_has_status_fields_and_length() {
        assert_eq!(
            written(200, &[("content-type", "text/plain")], true),
            "HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: 12\r\nconnection: keep-alive\r\n\r\n"
        );
        assert_eq!(written(299, &[], false), "HTTP/1.1 299 \r\ncontent-length: 12\r\nconnection: close\r\n\r\n");
        assert_eq!(written(204, &[], true), "HTTP/1.1 204 No Content\r\nconnection: keep-alive\r\n\r\n");
        assert!(written(7, &[], true).starts_with("HTTP/1.1 500 "));
    }

    #[test]
    fn the_date_is_told_where_it_is_known() {
        let mut out = Vec::new();
        let date = UnixMillis::parse_iso("1994-11-06T08:49:37.999Z");
        write_head(&mut out, &ResponseHead { status: 204, headers: &[], body_bytes: 0, keep_alive: true, date });
        // The example of RFC 9110 §5.6.7.
        assert!(String::from_utf8(out).unwrap().contains("\r\ndate: Sun, 06 Nov 1994 08:49:37 GMT\r\n"));
    }

    #[test]
    fn no_field_can_split_the_response() {
        let bad = [
            ("x", "a\r\nset-cookie: b"),
            ("x\r\n", "a"),
            ("x: y", "a"),
            ("", "a"),
            ("x", "\0"),
            ("Content-Length", "1"),
            ("Transfer-Encoding", "chunked"),
            ("connection", "upgrade"),
            ("Date", "now"),
        ];
        assert_eq!(written(200, &bad, true), written(200, &[], true));
    }
}
