//! Which page a request comes from, and by which name it reached the gateway.

use alloc::borrow::ToOwned;
use alloc::string::String;
use core::net::{IpAddr, Ipv6Addr};

use crate::accounts::IS_KEPT;
use crate::http::{Method, Request};
use crate::server::Response;
use crate::server::url::authority;

/// Methods that a page of another origin may use with a token.
const METHODS: &str = "GET, HEAD, POST, PUT, PATCH, DELETE";
/// Seconds a browser may remember the answer to a preflight.
const REMEMBERED: &str = "600";

/// Checks by which name the gateway was reached (DNS rebinding); `names` are its own beside addresses.
///
/// # Errors
/// 400 without a usable `Host`, 403 for a foreign one.
pub(super) fn check_host(request: &Request, names: &[String], proxies: &[IpAddr]) -> Result<(), Response> {
    let mut hosts = request.headers_named("host");
    let (host, second) = (hosts.next(), hosts.next());
    let Some((name, _)) = host.and_then(authority).filter(|_| second.is_none()) else {
        return Err(Response::error(400, "one Host header field is needed"));
    };
    let named = names.iter().any(|known| known.eq_ignore_ascii_case(name));
    let local_name = name.eq_ignore_ascii_case("localhost") || matches!(name, "127.0.0.1" | "[::1]");
    // A name can be pointed at us by anyone, an address cannot; `.local` is answered on our own network only.
    let own_network = || is_address(name) || name.len() > 6 && ends_with_ignore_case(name, ".local");
    if named || local_name || !is_loopback(request, proxies) && own_network() {
        return Ok(());
    }
    Err(Response::error(403, "the gateway is not called by this name; open it by address or by a configured name"))
}

/// Tells whether a page of another origin sends the request (RFC 6454; Fetch Metadata).
pub(super) fn is_foreign(request: &Request) -> bool {
    let host = request.header("host").and_then(authority);
    for origin in request.headers_named("origin") {
        let same = match origin.split_once("://") {
            Some(("http", rest)) => authority(rest).is_some_and(|origin| is_same(origin, host, "80")),
            Some(("https", rest)) => authority(rest).is_some_and(|origin| is_same(origin, host, "443")),
            _ => false,
        };
        if !same {
            return true;
        }
    }
    // Images and the like carry no Origin; browsers say where they come from all the same.
    let elsewhere = matches!(request.header("sec-fetch-site"), Some("cross-site" | "same-site"));
    // Of a page elsewhere only a link may lead here, no frame.
    let is_link = request.header("sec-fetch-mode") == Some("navigate")
        && request.header("sec-fetch-dest").is_none_or(|dest| dest == "document");
    elsewhere && !is_link
}

/// Tells whether the request comes from the gateway's own page, from the address bar, or from what is no browser: all that
/// the admin's door lets in.
pub(super) fn is_own_page(request: &Request) -> bool {
    !is_foreign(request) && request.header("sec-fetch-site").is_none_or(|site| matches!(site, "same-origin" | "none"))
}

/// Lets nobody frame a page of the admin's door.
pub(super) fn unframed(response: Response) -> Response {
    let response = response.with("x-frame-options", "DENY");
    match response.header("content-security-policy") {
        Some(_) => response,
        None => response.with("content-security-policy", "frame-ancestors 'none'"),
    }
}

/// Returns the answer to a browser that asks whether a page of another origin may send a request (Fetch, "CORS protocol"):
/// it may, and then its token decides. `None` when it does not ask that.
pub(super) fn preflight(request: &Request) -> Option<Response> {
    if request.method != Method::Options || request.header("access-control-request-method").is_none() {
        return None;
    }
    let response = Response::empty(204)
        .with("access-control-allow-methods", METHODS)
        .with("access-control-allow-headers", "authorization, content-type")
        .with("access-control-max-age", REMEMBERED);
    Some(response)
}

/// Lets a page of another origin read an answer. Nobody says that cookies may come along, so they do not.
pub(super) fn readable_elsewhere(response: Response) -> Response {
    response.with("access-control-allow-origin", "*")
}

/// Tells whether the caller is on the same machine. What a proxy there sends on is not, unless it is one of `proxies`.
pub(super) fn is_loopback(request: &Request, proxies: &[IpAddr]) -> bool {
    let peer = request.peer.map(|peer| peer.to_canonical());
    let is_here = request.local && peer.is_none_or(|peer| peer.is_loopback());
    is_here && !(IS_KEPT && is_forwarded(request) && !peer.is_some_and(|peer| proxies.contains(&peer)))
}

/// Tells whether a proxy says for whom it sends a request (RFC 7239, and what was there before it).
fn is_forwarded(request: &Request) -> bool {
    let names = request.headers.iter().map(|(name, _)| name);
    names.into_iter().any(|name| {
        let before = name.get(..12).is_some_and(|start| start.eq_ignore_ascii_case("x-forwarded-"));
        before || name.eq_ignore_ascii_case("forwarded")
    })
}

fn is_same(origin: (&str, &str), host: Option<(&str, &str)>, default_port: &str) -> bool {
    let port = |port| match port {
        "" => default_port.to_owned(),
        _ => String::from(port),
    };
    host.is_some_and(|host| origin.0.eq_ignore_ascii_case(host.0) && port(origin.1) == port(host.1))
}

fn is_address(host: &str) -> bool {
    match host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        Some(inside) => inside.parse::<Ipv6Addr>().is_ok(),
        None => host.parse::<IpAddr>().is_ok(),
    }
}

fn ends_with_ignore_case(text: &str, end: &str) -> bool {
    let from = text.len().saturating_sub(end.len());
    text.get(from..).is_some_and(|tail| tail.eq_ignore_ascii_case(end))
}
