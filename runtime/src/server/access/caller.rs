//! From where somebody asks, also through a reverse proxy that the operator listed.

use core::net::{IpAddr, SocketAddr};

use crate::http::Request;

/// Returns the address that waits and shares are counted by: the peer's; of a request that one of `proxies` sends on, the
/// address that this proxy saw, which is the last that it wrote down (RFC 7239 §5.2, `X-Forwarded-For`). What stands before
/// that anybody can have written.
pub(super) fn caller(request: &Request, proxies: &[IpAddr]) -> Option<IpAddr> {
    let peer = request.peer.map(|peer| peer.to_canonical());
    if !peer.is_some_and(|peer| proxies.contains(&peer)) {
        return request.peer;
    }
    forwarded(request).or(request.peer)
}

fn forwarded(request: &Request) -> Option<IpAddr> {
    // A proxy appends: to the last field, at its end.
    let last = |name| request.headers_named(name).last().and_then(|value| value.rsplit(',').next());
    if let Some(element) = last("forwarded") {
        let pair = element.split(';').find_map(|pair| {
            let (name, value) = pair.split_once('=')?;
            name.trim().eq_ignore_ascii_case("for").then_some(value)
        });
        return pair.and_then(node);
    }
    last("x-forwarded-for").and_then(node)
}

/// Reads an address with or without a port; one of IPv6 stands in brackets, or, without a port, as it is.
fn node(text: &str) -> Option<IpAddr> {
    let text = text.trim().trim_matches('"');
    let bare = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(text);
    let address = bare.parse().ok().or_else(|| text.parse::<SocketAddr>().ok().map(|address| address.ip()));
    address.map(|address: IpAddr| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::get;
    use std::string::{String, ToString};

    fn asked(peer: &str, headers: &[(&str, &str)]) -> Option<String> {
        let mut request = get("/");
        request.peer = peer.parse().ok();
        request.headers.extend(headers.iter().map(|(name, value)| ((*name).into(), (*value).into())));
        caller(&request, &["10.0.0.1".parse().unwrap(), "::1".parse().unwrap()]).map(|address| address.to_string())
    }

    #[test]
    fn behind_a_listed_proxy_each_caller_is_his_own() {
        for (headers, seen) in [
            (&[("X-Forwarded-For", "192.0.2.7")][..], "192.0.2.7"),
            // Only the last was written by the proxy.
            (&[("X-Forwarded-For", "203.0.113.9, 192.0.2.7")], "192.0.2.7"),
            (&[("X-Forwarded-For", "203.0.113.9"), ("x-forwarded-for", "192.0.2.7")], "192.0.2.7"),
            (&[("Forwarded", "for=203.0.113.9, for=\"[2001:db8::5]:4711\";proto=https")], "2001:db8::5"),
            (&[("Forwarded", "proto=https; For=192.0.2.7:80")], "192.0.2.7"),
            (&[("X-Forwarded-For", "2001:db8::5")], "2001:db8::5"),
            (&[("X-Forwarded-For", "::ffff:192.0.2.7")], "192.0.2.7"),
        ] {
            assert_eq!(asked("10.0.0.1", headers).as_deref(), Some(seen), "{headers:?}");
            assert_eq!(asked("::ffff:10.0.0.1", headers).as_deref(), Some(seen), "{headers:?}");
        }
    }

    #[test]
    fn what_a_proxy_does_not_say_is_the_proxy() {
        for headers in [
            &[][..],
            &[("X-Forwarded-For", "unknown")],
            &[("Forwarded", "for=_hidden")],
            &[("Forwarded", "by=1.2.3.4")],
        ] {
            assert_eq!(asked("10.0.0.1", headers).as_deref(), Some("10.0.0.1"), "{headers:?}");
        }
    }

    #[test]
    fn nobody_else_chooses_his_address() {
        assert_eq!(asked("10.0.0.2", &[("X-Forwarded-For", "192.0.2.7")]).as_deref(), Some("10.0.0.2"));
    }
}
