//! Where a server says that its stream is: `GET /signalk` (Signal K 1.7.0, "Discovery and Connection Establishment").

use super::ask::{Asked, exchange};
use super::{STREAM_PATH, Site, Trust};

/// Path of the answer.
pub(super) const PATH: &str = "/signalk";

/// Asks a server where its stream is. Scheme, port and path are taken from the answer; the host stays the one that was
/// reached, since a server behind a router or in a container does not know what it is called outside.
///
/// # Errors
/// What the system said, or what the answer lacks.
pub(super) fn stream(site: &Site, trust: &Trust) -> Result<Site, String> {
    let (head, body) = ask(site, trust)?;
    let status = head.split(' ').nth(1).unwrap_or_default();
    if matches!(status, "301" | "302" | "307" | "308") && !site.is_secure {
        let secure = location(&head).ok_or("the server sends on, and does not say where to")?;
        let (head, body) = ask(&secure, trust)?;
        return read(&head, &body, &secure);
    }
    read(&head, &body, site)
}

fn ask(site: &Site, trust: &Trust) -> Result<(String, String), String> {
    exchange(site, trust, &Asked { path: &site.path, ..Asked::default() })
}

/// Returns where an answer sends on to, when that is HTTPS.
fn location(head: &str) -> Option<Site> {
    let lines = head.lines().filter_map(|line| line.split_once(':'));
    let (_, place) = lines.into_iter().find(|(name, _)| name.eq_ignore_ascii_case("location"))?;
    Site::parse(place.trim().strip_prefix("https://")?, true, Some(443), PATH).ok()
}

/// Reads where the stream is.
fn read(head: &str, body: &str, site: &Site) -> Result<Site, String> {
    let status = head.split(' ').nth(1).unwrap_or_default();
    if status != "200" {
        return Err(format!("{PATH} is answered with {status}; is it a Signal K server?"));
    }
    let answer: serde_json::Value =
        serde_json::from_str(body).map_err(|_| format!("{PATH} is answered with no JSON"))?;
    let endpoints = answer.get("endpoints").and_then(|endpoints| endpoints.get("v1"));
    let url = |name: &str| endpoints?.get(name)?.as_str();
    let secure = url("signalk-wss").and_then(|url| url.strip_prefix("wss://")).map(|rest| (true, rest));
    let plain = url("signalk-ws").and_then(|url| url.strip_prefix("ws://")).map(|rest| (false, rest));
    let (is_secure, rest) =
        secure.filter(|_| site.is_secure).or(plain).or(secure).ok_or("the server offers no stream of version 1")?;
    let told = Site::parse(rest, is_secure, Some(if is_secure { 443 } else { 80 }), STREAM_PATH)?;
    Ok(Site { host: site.host.clone(), ..told })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn site(is_secure: bool) -> Site {
        Site { is_secure, host: "boat".into(), port: 3000, path: PATH.into() }
    }

    #[test]
    fn the_host_stays_the_one_that_was_reached() {
        let body = r#"{"endpoints":{"v1":{"version":"2.32.0","signalk-http":"http://x/signalk/v1/api/",
            "signalk-ws":"ws://172.17.0.2:3300/signalk/v1/stream"}}}"#;
        let found = read("HTTP/1.1 200 OK", body, &site(false)).unwrap();
        assert_eq!((&*found.authority(), &*found.path, found.is_secure), ("boat:3300", STREAM_PATH, false));
        let body = r#"{"endpoints":{"v1":{"signalk-ws":"ws://a:1/s","signalk-wss":"wss://a/s"}}}"#;
        assert_eq!(read("HTTP/1.1 200 OK", body, &site(false)).unwrap().authority(), "boat:1");
        assert_eq!(read("HTTP/1.1 200 OK", body, &site(true)).unwrap().authority(), "boat:443");
    }

    #[test]
    fn what_is_no_server_is_told() {
        for (head, body, wanted) in [
            ("HTTP/1.1 404 Not Found", "{}", "answered with 404"),
            ("HTTP/1.1 200 OK", "<html>", "no JSON"),
            ("HTTP/1.1 200 OK", r#"{"endpoints":{}}"#, "no stream of version 1"),
        ] {
            let error = read(head, body, &site(false)).unwrap_err();
            assert!(error.contains(wanted), "{error}");
        }
        let there = location("HTTP/1.1 302 Found\r\nlocation: https://boat:3443/signalk").unwrap();
        assert_eq!((there.is_secure, &*there.authority()), (true, "boat:3443"));
        assert_eq!(location("HTTP/1.1 302 Found\r\nLocation: http://elsewhere/"), None);
    }
}
