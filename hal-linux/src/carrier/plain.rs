//! What a request without TLS gets from a gateway that has it: pages are sent on, programs are served unless TLS is all
//! there is.

use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, Method, Request, StatusCode, Uri, header, uri::Authority};
use axum::response::Response;

use crate::tls::Tls;

use super::http::refuse;

/// First parts of the paths that programs read.
const FOR_PROGRAMS: [&str; 3] = ["signalk", "skServer", "skiff"];

/// Returns what is answered instead of serving a request that came without TLS from another machine; `None` serves it.
pub(super) fn instead<B>(tls: &Tls, request: &Request<B>) -> Option<Response> {
    let is_ready = tls.certificate().is_some();
    if is_ready
        && is_page(request)
        && let Some(moved) = send_on(request.uri(), request.headers())
    {
        return Some(moved);
    }
    match (tls.is_only(), is_ready) {
        (false, _) => None,
        (true, true) => Some(refuse(403, "this gateway is reached by https and wss only")),
        (true, false) => Some(refuse(503, "there is no certificate yet: the clock of this gateway is not set")),
    }
}

/// Tells whether a browser opens a page. `Sec-Fetch-Mode` would tell it better, and is not sent without TLS (Fetch Metadata
/// Request Headers §2.3).
fn is_page<B>(request: &Request<B>) -> bool {
    let reads = matches!(*request.method(), Method::GET | Method::HEAD);
    let takes_html = request.headers().get_all(header::ACCEPT).iter();
    let takes_html = takes_html.filter_map(|value| value.to_str().ok()).any(|value| value.contains("text/html"));
    let first = request.uri().path().split('/').nth(1).unwrap_or_default();
    reads && takes_html && !FOR_PROGRAMS.contains(&first) && !request.headers().contains_key(header::UPGRADE)
}

/// Sends a browser to the same address by HTTPS, this time: a permanent redirect would outlive a choice to go without.
fn send_on(uri: &Uri, headers: &HeaderMap) -> Option<Response> {
    let host: Authority = headers.get(header::HOST)?.to_str().ok()?.parse().ok()?;
    if host.as_str().contains('@') {
        return None;
    }
    let path = uri.path_and_query().map_or("/", |path| path.as_str());
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::FOUND;
    let fields = response.headers_mut();
    fields.insert(header::LOCATION, HeaderValue::from_str(&format!("https://{host}{path}")).ok()?);
    fields.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    fields.insert(header::VARY, HeaderValue::from_static("accept"));
    Some(response)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tls::{Choice, Names};

    fn tls(only: bool) -> Tls {
        let tls = Tls::open(Choice::Made, only, None, Names::of("boat", &[], &[])).unwrap();
        tls.look().unwrap();
        tls
    }

    fn request(method: Method, target: &str, accept: &str) -> Request<()> {
        let request = Request::builder().method(method).uri(target).header("host", "boat.local:3000");
        request.header("accept", accept).body(()).unwrap()
    }

    const BROWSER: &str = "text/html,application/xhtml+xml,*/*;q=0.8";

    #[test]
    fn pages_are_sent_on_and_programs_are_served() {
        let moved = instead(&tls(false), &request(Method::GET, "/kip/?a=b", BROWSER)).unwrap();
        assert_eq!(
            (moved.status(), &moved.headers()["location"]),
            (StatusCode::FOUND, &"https://boat.local:3000/kip/?a=b".parse().unwrap())
        );
        for (method, target, accept) in [
            (Method::GET, "/signalk/v1/api", BROWSER),
            (Method::GET, "/signalk", BROWSER),
            (Method::GET, "/kip/main.js", "*/*"),
            (Method::POST, "/plugins/tide/config", BROWSER),
        ] {
            assert!(instead(&tls(false), &request(method, target, accept)).is_none(), "{target}");
        }
    }

    #[test]
    fn with_tls_only_programs_are_refused() {
        let answer = |target: &str, accept: &str| instead(&tls(true), &request(Method::GET, target, accept)).unwrap();
        assert_eq!(answer("/signalk/v1/stream", "*/*").status(), StatusCode::FORBIDDEN);
        assert_eq!(answer("/", BROWSER).status(), StatusCode::FOUND);
    }

    #[test]
    fn a_host_that_is_none_sends_nobody_anywhere() {
        for host in ["", "evil@boat.local", "a b", "boat.local/x"] {
            let request = Request::builder().uri("/").header("host", host).header("accept", BROWSER).body(()).unwrap();
            assert!(instead(&tls(false), &request).is_none(), "{host}");
            assert_eq!(instead(&tls(true), &request).unwrap().status(), StatusCode::FORBIDDEN);
        }
    }
}
