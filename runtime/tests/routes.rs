//! Every address has one answer: who answers, which methods it takes, and what is said where there is nothing.

mod boat;
mod guests;

use boat::Boat;
use skiff_runtime::accounts::IS_KEPT;
use skiff_runtime::budget::{Board, Limits};
use skiff_runtime::http::{Method, Request};
use skiff_runtime::server::Response;

const GET: Method = Method::Get;
const HTML: &str = "<!DOCTYPE html>";
const UNSUPPORTED: &str = r#"{"error":"this part of the Signal K API is not supported"}"#;

fn ask(boat: &mut Boat, method: Method, target: &str) -> Response {
    let exchange = boat.gateway.request(&Request::new(method, target));
    boat.answer(exchange).unwrap_or_else(|| panic!("{method} {target} has no answer"))
}

/// Returns as much of the body as `expected` has.
fn start<'r>(response: &'r Response, expected: &str) -> &'r str {
    let text = std::str::from_utf8(&response.body).unwrap();
    text.get(..expected.len()).unwrap_or(text)
}

#[test]
fn reads_have_their_answers_and_head_has_the_same() {
    let mut boat = Boat::new();
    for (target, status, beginning) in [
        ("/", 200, HTML),
        ("/index.html", 200, HTML),
        ("/signalk", 200, r#"{"endpoints":"#),
        ("/signalk/", 200, r#"{"endpoints":"#),
        ("/signalk/v1/api", 200, r#"{"version":"#),
        ("/signalk/v1/api/", 200, r#"{"version":"#),
        ("/signalk/v1/api/vessels/self/a%20b?x", 404, HTML),
        ("/signalk/v1/api/self", 200, "\"vessels.urn:mrn:signalk:uuid:"),
        ("/signalk/v1/stream?subscribe=none", 426, r#"{"error":"this address speaks WebSocket only"}"#),
        ("/signalk/v2/features", 200, r#"{"apis":"#),
        ("/signalk/v2/api/history/x", 404, UNSUPPORTED),
        ("/signalk/v2/other", 404, UNSUPPORTED),
        ("/signalk/v1/auth/validate", if IS_KEPT { 405 } else { 501 }, "{"),
        ("/signalk/v1/auth/other", 404, UNSUPPORTED),
        ("/signalk/v1/applicationData/x", if cfg!(feature = "stores") { 404 } else { 501 }, r#"{"error":"this "#),
        ("/signalk/v1/requests", 404, UNSUPPORTED),
        ("/signalk/v1/requests/7", 404, r#"{"error":"no such request"#),
        ("/signalk/v1/requests/%ff", 404, HTML),
        ("/signalk/v2/api/resources", 200, "{"),
        ("/signalk/v2/api/resources/routes/%41?x", 404, r#"{"state":"FAILED","statusCode":404,"#),
        ("/signalk/v2/api/weather/forecasts/daily", 400, r#"{"state":"FAILED","#),
        ("/signalk/v2/api/vessels/self/radars", 200, r#"{"version":"3.4.0","radars":"#),
        ("/signalk/v2/api/vessels/self/radars/r1/spokes", 426, "{"),
        ("/signalk/v2/api/streams/plugins/%40a%2Fb/c", 426, "{"),
        ("/signalk/v2/api/streams", 404, UNSUPPORTED),
        ("/signalk/v2/api/notifications", 200, "{}"),
        ("/signalk/v2/api/notifications/x", 404, r#"{"state":"FAILED","#),
        ("/skServer/webapps", 200, "[]"),
        ("/skServer/loginStatus", 200, r#"{"status":"#),
        ("/plugins", 200, "[]"),
        ("/skServer/plugins/", 200, "[]"),
        ("/plugins/_acme_tide", 404, r#"{"error":"no plugin has the id _acme_tide"}"#),
        ("/skServer/plugins/%40x/", 404, r#"{"error":"no plugin has the id @x"}"#),
        ("/plugins/x/config", 404, r#"{"error":"no plugin has the id x"}"#),
        ("/plugins/x/api/%41/?q=1", 404, r#"{"error":"no plugin has the id x"}"#),
        ("/skiff/v1/plugins/x/log", 404, r#"{"error":"no plugin has the id x"}"#),
        ("/skiff/v1/status", 200, r#"{"version":"test","#),
        ("/skiff/v1/log?lines=5", 501, "{"),
        ("/skiff/v1/firmware", 501, "{"),
        ("/skiff/v1/wifi", 501, "{"),
        ("/skiff/v1/other", 404, HTML),
        ("/skiff/v1/plugins/%ff", 404, HTML),
        ("/skiff/v1/plugins/x/other", 404, HTML),
        ("/nothing", 404, HTML),
        ("", 404, HTML),
        ("http://x/", 404, HTML),
        ("/plugins//config", 404, HTML),
        ("/signalk/v1/api/%ff", 404, HTML),
        ("/signalk/v2/api/%ff", 404, HTML),
        ("/signalk/v3", 404, HTML),
    ] {
        let (get, head) = (ask(&mut boat, GET, target), ask(&mut boat, Method::Head, target));
        assert_eq!((get.status, start(&get, beginning)), (status, beginning), "{target}");
        assert_eq!((head.status, &head.headers), (get.status, &get.headers), "HEAD {target}");
    }
}

#[test]
fn changes_have_theirs() {
    let mut boat = Boat::new();
    for (method, target, status, beginning) in [
        (Method::Post, "/plugins/x/config", 404, r#"{"error":"no plugin has the id x"}"#),
        (Method::Post, "/plugins/x", 404, r#"{"error":"no plugin has the id x"}"#),
        (Method::Put, "/plugins/x/config", 404, r#"{"error":"no plugin has the id x"}"#),
        (Method::Post, "/skiff/v1/plugins", 400, "{"),
        (Method::Delete, "/skiff/v1/plugins/x", 404, r#"{"error":"no plugin has the id x"}"#),
        (Method::Post, "/skiff/v1/plugins/x/reload", 404, r#"{"error":"no plugin has the id x"}"#),
        (Method::Post, "/skiff/v1/firmware?offset=0", 501, "{"),
        (Method::Post, "/skiff/v1/factory-reset", 501, "{"),
        (Method::Put, "/skiff/v1/wifi", 501, "{"),
        (Method::Delete, "/skiff/v1/wifi/", 501, "{"),
        (Method::Put, "/signalk/v1/api/vessels/self/a", 400, r#"{"state":"COMPLETED","requestId":"#),
        (Method::Put, "/signalk/v1/api/%ff", 404, HTML),
        (Method::Post, "/nothing", 404, HTML),
        (Method::Post, "/skiff/v1/other", 404, HTML),
    ] {
        let response = ask(&mut boat, method, target);
        assert_eq!((response.status, start(&response, beginning)), (status, beginning), "{method} {target}");
    }
}

#[test]
fn other_methods_are_told_what_is_allowed() {
    let mut boat = Boat::new();
    for (method, target, allow) in [
        (Method::Post, "/", "GET, HEAD"),
        (Method::Post, "/signalk", "GET, HEAD"),
        (Method::Delete, "/signalk/v1/api/a", "GET, HEAD"),
        (Method::Put, "/signalk/v1/api/self", "GET, HEAD"),
        (Method::Post, "/signalk/v1/stream", "GET, HEAD"),
        (Method::Post, "/signalk/v1/requests/7", "GET, HEAD"),
        (Method::Put, "/signalk/v2/features", "GET, HEAD"),
        (Method::Put, "/signalk/v2/api/streams/a", "GET, HEAD"),
        (Method::Post, "/signalk/v2/api/vessels/self/radars/r1/spokes", "GET, HEAD"),
        (Method::Delete, "/signalk/v2/api/notifications", "GET, HEAD, POST"),
        (Method::Post, "/skServer/loginStatus", "GET, HEAD"),
        (Method::Post, "/skServer/webapps", "GET, HEAD"),
        (Method::Post, "/plugins", "GET, HEAD"),
        (Method::Options, "/plugins/x/y", "GET, HEAD, POST, PUT, DELETE"),
        (Method::Patch, "/plugins/x/config", "GET, HEAD, POST, PUT, DELETE"),
        (Method::Other, "/plugins/x", "GET, HEAD, POST, PUT, DELETE"),
        (GET, "/skiff/v1/plugins", "POST"),
        (GET, "/skiff/v1/plugins/x", "DELETE"),
        (GET, "/skiff/v1/plugins/x/reload", "POST"),
        (Method::Post, "/skiff/v1/plugins/x/log", "GET, HEAD"),
        (Method::Post, "/skiff/v1/status", "GET, HEAD"),
        (Method::Post, "/skiff/v1/log", "GET, HEAD"),
        (Method::Put, "/skiff/v1/firmware", "GET, HEAD, POST"),
        (Method::Patch, "/skiff/v1/wifi", "GET, HEAD, PUT, POST, DELETE"),
        (GET, "/skiff/v1/factory-reset", "POST"),
    ] {
        let response = ask(&mut boat, method, target);
        assert_eq!((response.status, response.header("allow")), (405, Some(allow)), "{method} {target}");
    }
}

#[test]
fn addresses_and_bodies_that_are_too_long_are_refused() {
    let mut boat = Boat::new();
    assert_eq!(ask(&mut boat, GET, &"/a".repeat(4097)).status, 414);
    assert_eq!(ask(&mut boat, GET, &"/".repeat(500)).status, 414);
    let limits = Limits::of(Board::Linux);
    let mut post = |target: &str| {
        let body = vec![b' '; limits.request_bytes_max as usize + 1];
        let exchange = boat.gateway.request(&Request { body, ..Request::new(Method::Post, target) });
        let response = boat.answer(exchange).unwrap();
        (response.status, String::from_utf8(response.body.into_owned()).unwrap())
    };
    let too_long = (413, r#"{"error":"the body is too long"}"#.to_owned());
    assert_eq!(post("/plugins/x/config"), too_long);
    assert_eq!(post("/skiff/v1/plugins/x/reload"), too_long);
    let (status, package) = post("/skiff/v1/plugins");
    assert!(status == 413 && package.contains("the package has"), "a package has a limit of its own: {package}");
}

#[test]
fn only_what_nothing_claims_can_be_a_file() {
    let mut boat = Boat::new();
    for (target, unclaimed) in [
        ("/nothing", true),
        ("/skServer/webapps", true),
        ("/skiff/v1/other", true),
        ("/signalk/v1/api/%ff", true),
        ("/signalk/v1/api/vessels/self/x", false),
        ("/signalk/v2/api/history", false),
        ("/plugins/x/y", false),
    ] {
        assert_eq!(ask(&mut boat, GET, target).unclaimed, unclaimed, "{target}");
    }
}
