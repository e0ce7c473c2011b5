//! From a URL to what a client connects to, by the URL standard.

use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::time::Duration;

use url::{Host, Url};

use crate::hal::{Destinations, FetchError, FetchHop, FetchMethod};

/// Parses an absolute URL.
pub(super) fn parse(text: &str) -> Result<Url, FetchError> {
    Url::parse(text).map_err(|error| match error {
        url::ParseError::IdnaError => FetchError::Request("the host name of the URL is not ASCII; write it as xn--…"),
        url::ParseError::RelativeUrlWithoutBase => FetchError::Request("the URL has no scheme and host"),
        _ => FetchError::Request("the URL cannot be read"),
    })
}

/// Returns the hop that a URL asks for, a `GET` without limits.
pub(super) fn hop(url: &Url) -> Result<FetchHop, FetchError> {
    let secure = match url.scheme() {
        "http" => false,
        "https" => true,
        _ => return Err(FetchError::Request("the scheme of the URL is neither http nor https")),
    };
    if !url.username().is_empty() || url.password().is_some() {
        return Err(FetchError::Request("the URL holds credentials"));
    }
    let host = match url.host() {
        // The URL standard has turned every spelling of an address (0x7f.1, 2130706433) into the address.
        Some(Host::Domain(name)) => name.to_string(),
        Some(Host::Ipv4(address)) => address.to_string(),
        Some(Host::Ipv6(address)) => address.to_string(),
        None => return Err(FetchError::Request("the URL has no host")),
    };
    let port = url.port_or_known_default().filter(|&port| port != 0);
    let mut target = String::from(url.path());
    if let Some(query) = url.query() {
        target.push('?');
        target.push_str(query);
    }
    Ok(FetchHop {
        method: FetchMethod::Get,
        secure,
        host,
        port: port.ok_or(FetchError::Request("the URL has port 0"))?,
        target,
        headers: Vec::new(),
        body: Vec::new(),
        timeout: Duration::ZERO,
        body_bytes_max: 0,
        destinations: Destinations::default(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> Result<String, FetchError> {
        hop(&parse(text)?).map(|hop| hop.url())
    }

    #[test]
    fn urls_are_read_by_the_standard() {
        for (text, meant) in [
            ("http://sea.example", "http://sea.example/"),
            ("HTTPS://Sea.Example:443/a b?q=ü#part", "https://sea.example/a%20b?q=%C3%BC"),
            ("http://0x7f.1:8080/x", "http://127.0.0.1:8080/x"),
            ("http://2130706433/", "http://127.0.0.1/"),
            ("http://[::1]:81/../a", "http://[::1]:81/a"),
            (" http:\\\\sea.example\\x ", "http://sea.example/x"),
        ] {
            assert_eq!(url(text).as_deref(), Ok(meant), "{text}");
        }
    }

    #[test]
    fn what_is_not_fetched_says_why() {
        for text in [
            "",
            "/relative",
            "file:///etc/passwd",
            "ftp://x/",
            "data:,x",
            "http://user:secret@sea.example/",
            "http://sea.example:0/",
            "http://",
            "http://möwe.example/",
            "gopher://x",
        ] {
            assert!(matches!(url(text), Err(FetchError::Request(_))), "{text}: {:?}", url(text));
        }
    }
}
