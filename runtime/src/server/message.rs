//! What a request is answered with.

use alloc::borrow::{Cow, ToOwned};
use alloc::string::String;
use alloc::vec::Vec;

use crate::json;
use crate::package::Asks;

/// One response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    /// Status code.
    pub status: u16,
    /// Header fields; the carrier adds `content-length` and `date`.
    pub headers: Vec<(String, String)>,
    /// Body; for `HEAD` the carrier sends only its length.
    pub body: Cow<'static, [u8]>,
    /// Nothing in the core claims the address: a carrier with package folders at hand may send a file instead.
    pub unclaimed: bool,
}

impl Response {
    /// Returns a response of one content type.
    ///
    /// Nothing may be kept by caches, and browsers may not guess another type.
    #[must_use]
    pub fn new(status: u16, content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        let headers =
            [("content-type", content_type), ("cache-control", "no-store"), ("x-content-type-options", "nosniff")];
        let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        Self { status, headers, body: Cow::Owned(body.into()), unclaimed: false }
    }

    /// Returns bytes that the program holds anyway: a chip sends them from its flash.
    #[must_use]
    pub fn fixed(status: u16, content_type: &str, body: &'static [u8]) -> Self {
        Self { body: Cow::Borrowed(body), ..Self::new(status, content_type, Vec::new()) }
    }

    /// Returns JSON text.
    #[must_use]
    pub fn json(status: u16, json: impl Into<Vec<u8>>) -> Self {
        Self::new(status, "application/json; charset=utf-8", json)
    }

    /// Returns a response without a body.
    #[must_use]
    pub fn empty(status: u16) -> Self {
        let headers = alloc::vec![("cache-control".to_owned(), "no-store".to_owned())];
        Self { status, headers, body: Cow::Borrowed(&[]), unclaimed: false }
    }

    /// Returns `409 {"error":clause,"asks":[…]}`: nothing happens before somebody grants that.
    #[must_use]
    pub fn asks(clause: &str, asks: Asks) -> Self {
        let body = json::object(|body| {
            body.text("error", clause).list("asks", |names| asks.list(names));
        });
        Self::json(409, body)
    }

    /// Returns `{"error":clause}`.
    #[must_use]
    pub fn error(status: u16, clause: &str) -> Self {
        let body = json::object(|body| {
            body.text("error", clause);
        });
        Self::json(status, body)
    }

    /// Returns the page for what is not there, HTML as Signal K clients know it (plugin ABI §12.2).
    #[must_use]
    pub fn not_found() -> Self {
        let page = "<!DOCTYPE html>\n<html lang=\"en\">\n<head><meta charset=\"utf-8\"><title>Not found</title></head>\n\
                    <body><pre>Not found</pre></body>\n</html>\n";
        Self::new(404, "text/html; charset=utf-8", page)
    }

    /// Returns the response marked as one that a file of a package may take the place of.
    #[must_use]
    pub fn or_file(self) -> Self {
        Self { unclaimed: true, ..self }
    }

    /// Returns the answer to an address that nothing in the core claims.
    #[must_use]
    pub fn unclaimed() -> Self {
        Self::not_found().or_file()
    }

    /// Returns the answer to a method that the address does not take; `allow` lists those it does.
    #[must_use]
    pub fn method_not_allowed(allow: &str) -> Self {
        let mut clause = String::from("method not allowed here, only ");
        clause.push_str(allow);
        Self::error(405, &clause).with("allow", allow)
    }

    /// Returns the response with one more header field.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Returns the first header field of that name, in any case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| &**value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_are_escaped_json() {
        assert_eq!(&Response::error(400, "a \"b\"").body[..], br#"{"error":"a \"b\""}"#);
        assert_eq!(Response::method_not_allowed("GET").header("Allow"), Some("GET"));
    }
}
