//! HTTP requests and responses as values.

use alloc::borrow::ToOwned;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use core::net::IpAddr;

use crate::json;

/// Request method (RFC 9110 §9).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Method {
    /// `GET`
    Get,
    /// `HEAD`
    Head,
    /// `POST`
    Post,
    /// `PUT`
    Put,
    /// `DELETE`
    Delete,
    /// `PATCH`
    Patch,
    /// `OPTIONS`
    Options,
    /// Any other.
    Other,
}

impl Method {
    /// Finds a method by its name, which is upper case.
    #[must_use]
    pub fn from_name(name: &str) -> Self {
        let all = [Self::Get, Self::Head, Self::Post, Self::Put, Self::Delete, Self::Patch, Self::Options];
        all.into_iter().find(|method| method.name() == name).unwrap_or(Self::Other)
    }

    /// Returns the name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Head => "HEAD",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Delete => "DELETE",
            Self::Patch => "PATCH",
            Self::Options => "OPTIONS",
            Self::Other => "OTHER",
        }
    }

    /// Tells whether the method only reads.
    #[must_use]
    pub const fn is_read(self) -> bool {
        matches!(self, Self::Get | Self::Head)
    }
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// One request, as the carrier read it.
#[derive(Clone, Debug)]
pub struct Request {
    /// Method.
    pub method: Method,
    /// Path and query as they stood on the request line, not decoded.
    pub target: String,
    /// Header fields in order; names in any case.
    pub headers: Vec<(String, String)>,
    /// Body; the carrier keeps it below `Limits::request_bytes_max`.
    pub body: Vec<u8>,
    /// Address of the caller, when known.
    pub peer: Option<IpAddr>,
    /// Whether the listener that took it is bound to a loopback address.
    pub local: bool,
    /// Whether it came over TLS.
    pub secure: bool,
}

impl Request {
    /// Builds a request as a client on the same machine sends it, without a body.
    #[must_use]
    pub fn new(method: Method, target: &str) -> Self {
        Self {
            method,
            target: target.to_owned(),
            headers: alloc::vec![("host".to_owned(), "localhost".to_owned())],
            body: Vec::new(),
            peer: None,
            local: true,
            secure: false,
        }
    }

    /// Returns the first header field of that name, in any case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| &**value)
    }

    /// Visits all header fields of that name, in any case.
    pub fn headers_named<'r>(&'r self, name: &'r str) -> impl Iterator<Item = &'r str> {
        self.headers.iter().filter(move |(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| &**value)
    }

    /// Returns the path, not decoded.
    #[must_use]
    pub fn path(&self) -> &str {
        self.target.split(['?', '#']).next().unwrap_or_default()
    }

    /// Returns the query, not decoded, without its `?`.
    #[must_use]
    pub fn query(&self) -> &str {
        let before_fragment = self.target.split('#').next().unwrap_or_default();
        before_fragment.split_once('?').map_or("", |(_, query)| query)
    }
}

/// One response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    /// Status code.
    pub status: u16,
    /// Header fields; the carrier adds `content-length` and `date`.
    pub headers: Vec<(String, String)>,
    /// Body; for `HEAD` the carrier sends only its length.
    pub body: Vec<u8>,
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
        Self { status, headers, body: body.into(), unclaimed: false }
    }

    /// Returns JSON text.
    #[must_use]
    pub fn json(status: u16, json: impl Into<Vec<u8>>) -> Self {
        Self::new(status, "application/json; charset=utf-8", json)
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
pub(super) fn get(target: &str) -> Request {
    let headers = alloc::vec![("Host".to_owned(), "localhost:3000".to_owned())];
    Request { headers, ..Request::new(Method::Get, target) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn path_and_query_are_parted() {
        for (target, path, query) in
            [("/a?b=c?d", "/a", "b=c?d"), ("/a", "/a", ""), ("/a#x?y", "/a", ""), ("/a?b#c", "/a", "b"), ("", "", "")]
        {
            let request = get(target);
            assert_eq!((request.path(), request.query()), (path, query), "{target}");
        }
    }

    #[test]
    fn header_names_have_no_case() {
        assert_eq!(get("/").header("HOST"), Some("localhost:3000"));
        assert_eq!(get("/").header("cookie"), None);
    }

    #[test]
    fn errors_are_escaped_json() {
        assert_eq!(Response::error(400, "a \"b\"").body, br#"{"error":"a \"b\""}"#);
        assert_eq!(Response::method_not_allowed("GET").header("Allow"), Some("GET"));
    }

    #[test]
    fn methods_have_names() {
        assert_eq!(Method::from_name("DELETE"), Method::Delete);
        assert_eq!(Method::from_name("get"), Method::Other);
        assert!(Method::Head.is_read() && !Method::Options.is_read());
    }
}
