//! One request.

use alloc::borrow::ToOwned;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use core::net::IpAddr;

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

/// Which of the gateway's two listeners took a request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Door {
    /// The boat's: data, web apps and the pages of plugins, for everybody on board.
    #[default]
    Boat,
    /// The admin's: the gateway's own page and nothing that a package brought, so that who administrates there
    /// is alone with it.
    Admin,
}

/// One request, as it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// Method of the request line (RFC 9112 §3.1).
    pub method: Method,
    /// Path and query (origin form), `*`, or what a proxy request names (RFC 9112 §3.2), not decoded.
    pub target: String,
    /// Header fields in order, names in any case. Bytes that are no ASCII are replaced.
    pub headers: Vec<(String, String)>,
    /// Body, chunks joined.
    pub body: Vec<u8>,
    /// Address of the caller, when known; a carrier says it.
    pub peer: Option<IpAddr>,
    /// Whether the listener that took it is bound to a loopback address; a carrier says it.
    pub local: bool,
    /// Whether it came over TLS.
    pub secure: bool,
    /// Which listener took it; a carrier says it.
    pub door: Door,
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
            door: Door::Boat,
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

    /// Tells whether a comma-separated field has `token`, in any case (RFC 9110 §5.6.1).
    #[must_use]
    pub fn has_token(&self, name: &str, token: &str) -> bool {
        self.headers_named(name).flat_map(|value| value.split(',')).any(|word| word.trim().eq_ignore_ascii_case(token))
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

/// Returns a request as a browser on the same machine sends it.
#[cfg(test)]
pub(crate) fn get(target: &str) -> Request {
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
    fn methods_have_names() {
        assert_eq!(Method::from_name("DELETE"), Method::Delete);
        assert_eq!(Method::from_name("get"), Method::Other);
        assert!(Method::Head.is_read() && !Method::Options.is_read());
    }
}
