//! Who gets in and who does not.

use super::owner::FILE;
use super::*;
use crate::config::fake::{Counting, Files};
use crate::http::Method;
use crate::http::get;
use crate::server::route;
use std::string::ToString;
use std::vec;

fn access() -> (Access, String) {
    let (access, token) = Access::with_new_token(&mut Counting(7));
    (access, token.as_str().to_string())
}

/// Status of the refusal, 0 when let in.
fn status(access: &Access, method: Method, target: &str, headers: &[(&str, &str)], local: bool) -> u16 {
    let headers = headers.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect();
    let request = Request { method, headers, local, ..get(target) };
    access.check(&request, &route(&request), NOW).err().map_or(0, |response| response.status)
}

const NOW: UnixMillis = UnixMillis(1_800_000_000_000);
const HOST: (&str, &str) = ("Host", "localhost:3000");

#[test]
fn a_token_is_made_once_and_only_its_hash_is_kept() {
    let mut files = Files::default();
    let (first, token) = Access::open_or_create(&mut files, &mut Counting(0)).unwrap();
    let token = token.unwrap();
    assert_eq!(token.as_str().len(), TOKEN_BYTES * 2);
    assert!(!files.text(FILE).contains(token.as_str()) && files.text(FILE).contains("\"sha256\""));
    let (second, none) = Access::open_or_create(&mut files, &mut Counting(99)).unwrap();
    assert!(none.is_none() && first.is_token(token.as_str()) && second.is_token(token.as_str()));
    assert!(!second.is_token("") && !second.is_token(&token.as_str()[1..]) && !second.is_token(&"a".repeat(9999)));
    assert_eq!(format!("{token:?}"), "NewToken(…)");
}

#[test]
fn a_token_that_is_lost_is_made_anew() {
    for text in ["", r#"{"algorithm":"sha256","salt":"00"}"#] {
        let mut files = Files::with(FILE, text);
        let token = Access::renew(&mut files, &mut Counting(3)).unwrap();
        let (access, none) = Access::open_or_create(&mut files, &mut Counting(9)).unwrap();
        assert!(none.is_none() && access.is_token(token.as_str()));
        let next = Access::renew(&mut files, &mut Counting(50)).unwrap();
        let (access, _) = Access::open_or_create(&mut files, &mut Counting(9)).unwrap();
        assert!(
            access.is_token(next.as_str()) && !access.is_token(token.as_str()),
            "the one before is good for nothing"
        );
    }
}

#[test]
fn configurations_and_logs_are_for_those_with_the_token() {
    let (access, token) = access();
    let (bearer, cookie) = (format!("Bearer {token}"), format!("{BOAT_COOKIE}={}", access.session()));
    for target in ["/plugins/x/config", "/skServer/plugins/x/config", "/skiff/v1/log", "/skiff/v1/plugins/x/log"] {
        assert_eq!(status(&access, Method::Get, target, &[HOST], true), 401, "{target}");
        assert_eq!(status(&access, Method::Get, target, &[HOST, ("Cookie", &cookie)], true), 401, "{target}");
        assert_eq!(status(&access, Method::Get, target, &[HOST, ("Authorization", &bearer)], true), 0, "{target}");
    }
}

#[test]
fn a_damaged_file_lets_nobody_in_and_is_kept() {
    for text in ["", "{}", r#"{"algorithm":"md5"}"#, r#"{"algorithm":"sha256","salt":"00","hash":""}"#] {
        let mut files = Files::with(FILE, text);
        let error = Access::open_or_create(&mut files, &mut Counting(0)).unwrap_err();
        assert!(error.to_string().starts_with("skiff/auth.json: "), "{error}");
        assert_eq!(files.text(FILE), text);
    }
}

#[test]
fn reading_is_open_on_loopback_only() {
    let (access, token) = access();
    let bearer = format!("Bearer {token}");
    for target in ["/", "/signalk/v1/api/self", "/signalk/v1/stream", "/plugins/x/api", "/skiff/v1/status"] {
        assert_eq!(status(&access, Method::Get, target, &[HOST], true), 0, "{target}");
        assert_eq!(status(&access, Method::Head, target, &[HOST], true), 0, "{target}");
        assert_eq!(status(&access, Method::Get, target, &[("Host", "192.168.1.5:3000")], false), 401, "{target}");
        assert_eq!(
            status(&access, Method::Get, target, &[("Host", "192.168.1.5:3000"), ("Authorization", &bearer)], false),
            0,
            "{target}"
        );
    }
}

#[test]
fn where_everybody_starts_from_is_open() {
    let (access, _) = access();
    for target in ["/signalk", "/skServer/loginStatus"] {
        for headers in
            [vec![("Host", "192.168.1.5:3000")], vec![("Host", "192.168.1.5"), ("Authorization", "Bearer old")]]
        {
            assert_eq!(status(&access, Method::Get, target, &headers, false), 0, "{target}");
            assert_eq!(status(&access, Method::Put, target, &headers, false), 401, "{target}");
        }
        assert_eq!(status(&access, Method::Get, target, &[("Host", "evil.example")], false), 403, "{target}");
    }
}

#[test]
fn a_caller_from_elsewhere_is_not_local() {
    let (access, _) = access();
    for (peer, expected) in [("127.0.0.1", 0), ("::1", 0), ("::ffff:127.0.0.1", 0), ("192.168.1.9", 401)] {
        let request = Request { peer: peer.parse().ok(), ..get("/signalk/v1/api/self") };
        assert_eq!(
            access.check(&request, &route(&request), NOW).err().map_or(0, |response| response.status),
            expected,
            "{peer}"
        );
    }
}

#[test]
fn every_change_needs_the_token() {
    let (access, token) = access();
    let bearer = format!("bearer {token}");
    for (method, target) in [
        (Method::Post, "/plugins/x/config"),
        (Method::Post, "/skiff/v1/plugins"),
        (Method::Put, "/signalk/v1/api/vessels/self/a"),
        (Method::Put, "/plugins/x/api"),
        (Method::Delete, "/plugins/x/api"),
        (Method::Options, "/plugins/x/api"),
        (Method::Other, "/"),
    ] {
        assert_eq!(status(&access, method, target, &[HOST], true), 401, "{method} {target}");
        assert_eq!(status(&access, method, target, &[HOST, ("authorization", "Bearer wrong")], true), 401);
        assert_eq!(status(&access, method, target, &[HOST, ("authorization", "Basic eDp5")], true), 401);
        assert_eq!(status(&access, method, target, &[HOST, ("Authorization", &bearer)], true), 0, "{method} {target}");
    }
}

#[test]
fn a_refusal_says_how_to_get_in() {
    let (access, _) = access();
    let request = Request { method: Method::Post, ..get("/plugins/x/config") };
    let response = access.check(&request, &route(&request), NOW).unwrap_err();
    assert_eq!(response.header("www-authenticate"), Some("Bearer realm=\"skiff\""));
}

#[test]
fn the_query_carries_a_token_on_streams_only() {
    let (access, token) = access();
    let host = [("Host", "boat.local")];
    assert_eq!(
        status(&access, Method::Get, &format!("/signalk/v1/stream?subscribe=all&token={token}"), &host, false),
        0
    );
    assert_eq!(status(&access, Method::Get, &format!("/signalk/v1/api/self?token={token}"), &host, false), 401);
    assert_eq!(status(&access, Method::Get, "/signalk/v1/stream?token=wrong", &[HOST], true), 401);
    let writes = |target: &str| access.may_write(&get(target), NOW);
    assert!(writes(&format!("/signalk/v1/stream?token={token}")));
    assert!(!writes("/signalk/v1/stream") && !writes("/signalk/v1/stream?token="));
}

#[test]
fn a_cookie_is_for_reading_only_and_no_token() {
    let (access, token) = access();
    let session = access.session();
    assert!(session != token && !access.is_token(&session), "another service of the host is sent it, too");
    let bearer = format!("Bearer {session}");
    assert_eq!(
        status(&access, Method::Get, "/signalk/v1/api", &[("Host", "boat.local"), ("Authorization", &bearer)], false),
        401
    );
    let cookie = format!("x=1; skiff-session={session}");
    let with = |method, target: &str, cookie: &str| {
        status(&access, method, target, &[("Host", "boat.local"), ("Cookie", cookie)], false)
    };
    assert_eq!(with(Method::Get, "/signalk/v1/api", &cookie), 0);
    assert_eq!(with(Method::Put, "/signalk/v1/api/vessels/self/a", &cookie), 401);
    assert_eq!(with(Method::Get, "/signalk/v1/api", "skiff-session=wrong"), 401);
    assert_eq!(with(Method::Get, "/signalk/v1/api", &format!("other-skiff-session={session}")), 401);
    let request = Request { headers: vec![("cookie".to_string(), cookie)], ..get("/signalk/v1/stream") };
    assert!(!access.may_write(&request, NOW), "a page of a web app must not write by being opened");
}

#[test]
fn foreign_hosts_are_refused() {
    let (access, _) = access();
    for host in ["localhost", "LOCALHOST:1", "127.0.0.1:3000", "[::1]:3000"] {
        assert_eq!(status(&access, Method::Get, "/", &[("Host", host)], true), 0, "{host}");
    }
    for host in
        ["evil.example", "localhost.evil.example", "127.0.0.1.evil.example", "boat.local", "192.168.1.5", ".local"]
    {
        assert_eq!(status(&access, Method::Get, "/", &[("Host", host)], true), 403, "{host}");
        assert_eq!(status(&access, Method::Get, "/signalk/v1/stream", &[("Host", host)], true), 403, "{host}");
    }
    for host in ["evil.example", "local", ".local", "1.2.3"] {
        assert_eq!(status(&access, Method::Get, "/", &[("Host", host)], false), 403, "{host}");
    }
    for host in ["boat.local", "192.168.1.5:3000", "[fe80::1]"] {
        assert_eq!(status(&access, Method::Get, "/", &[("Host", host)], false), 401, "{host}");
    }
    let named = access.named(vec!["gateway.example".to_string()]);
    assert_eq!(status(&named, Method::Get, "/", &[("Host", "gateway.example:80")], true), 0);
}

#[test]
fn a_request_needs_exactly_one_host() {
    let (access, _) = access();
    for headers in [&[][..], &[("Host", "")], &[("Host", "a/b")], &[HOST, HOST]] {
        assert_eq!(status(&access, Method::Get, "/", headers, true), 400);
    }
}

#[test]
fn pages_of_other_origins_get_what_their_token_allows_and_nothing_by_a_cookie() {
    let (access, token) = access();
    let (bearer, cookie) = (format!("Bearer {token}"), format!("{BOAT_COOKIE}={}", access.session()));
    for origin in [
        "http://evil.example",
        "http://localhost:8080",
        "http://localhost",
        "null",
        "file://",
        "ws://localhost:3000",
        "",
    ] {
        let from = ("Origin", origin);
        for (target, given) in [("/signalk/v1/stream", "Cookie"), ("/signalk/v1/api/self", "")] {
            let headers = [HOST, from, (given, &*cookie)];
            assert_eq!(status(&access, Method::Get, target, &headers, true), 403, "{origin} {target}");
        }
        assert_eq!(status(&access, Method::Post, "/plugins/x/config", &[HOST, from], true), 403, "{origin}");
        let (right, wrong) = (("Authorization", &*bearer), ("Authorization", "Bearer x"));
        assert_eq!(status(&access, Method::Post, "/plugins/x/config", &[HOST, from, right], true), 0, "{origin}");
        assert_eq!(status(&access, Method::Get, "/signalk/v1/stream", &[HOST, from, wrong], true), 401, "{origin}");
        assert_eq!(status(&access, Method::Get, "/signalk", &[HOST, from], true), 0, "{origin}");
        let anyone = access.clone().allow_anyone();
        assert_eq!(status(&anyone, Method::Get, "/signalk/v1/api/self", &[HOST, from, wrong], true), 403, "{origin}");
    }
    assert_eq!(
        status(&access, Method::Get, "/signalk/v1/stream", &[HOST, ("Origin", "http://localhost:3000")], true),
        0
    );
    assert_eq!(status(&access, Method::Get, "/", &[("Host", "localhost"), ("Origin", "http://localhost:80")], true), 0);
    assert_eq!(
        status(&access, Method::Get, "/", &[("Host", "localhost:443"), ("Origin", "https://localhost")], true),
        0
    );
}

#[test]
fn what_a_proxy_sends_on_is_not_from_this_machine() {
    let (access, _) = access();
    let asked = |access: &Access, more: &[(&str, &str)], peer: &str| {
        let headers = [&[HOST], more].concat();
        let headers = headers.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect();
        let request = Request { headers, peer: peer.parse().ok(), ..get("/signalk/v1/api") };
        access.check(&request, &route(&request), NOW).err().map_or(0, |response| response.status)
    };
    for forwarded in [("X-Forwarded-For", "10.0.0.7"), ("Forwarded", "for=10.0.0.7"), ("x-forwarded-proto", "https")] {
        assert_eq!(asked(&access, &[forwarded], "127.0.0.1"), 401, "{forwarded:?}");
        let behind = access.clone().behind(vec!["127.0.0.1".parse().unwrap()]);
        assert_eq!(asked(&behind, &[forwarded], "127.0.0.1"), 0, "the owner says who is behind it");
        assert_eq!(asked(&behind, &[forwarded], "127.0.0.2"), 401);
    }
    assert_eq!(asked(&access, &[], "127.0.0.1"), 0);
    assert_eq!(asked(&access, &[("X-Forwardedfor", "x"), ("ä-forwarded-for", "x")], "127.0.0.1"), 0);
}

#[test]
fn images_and_scripts_on_other_sites_are_refused() {
    let (access, _) = access();
    for site in ["cross-site", "same-site"] {
        let embedded = [HOST, ("Sec-Fetch-Site", site), ("Sec-Fetch-Mode", "no-cors")];
        assert_eq!(status(&access, Method::Get, "/plugins/x/api", &embedded, true), 403);
        for (dest, expected) in [("document", 0), ("iframe", 403), ("frame", 403), ("object", 403), ("embed", 403)] {
            let link = [HOST, ("Sec-Fetch-Site", site), ("Sec-Fetch-Mode", "navigate"), ("Sec-Fetch-Dest", dest)];
            assert_eq!(status(&access, Method::Get, "/", &link, true), expected, "{dest}");
        }
    }
    assert_eq!(status(&access, Method::Get, "/", &[HOST, ("Sec-Fetch-Site", "same-origin")], true), 0);
}

#[test]
fn anyone_can_be_let_in() {
    let access = access().0.allow_anyone();
    assert!(access.allows_anyone() && access.may_write(&get("/"), NOW));
    let post = |headers: &[(&str, &str)]| status(&access, Method::Post, "/plugins/x/config", headers, false);
    assert_eq!(post(&[("Host", "boat.local")]), 0);
    // Not any page in the browser of somebody aboard.
    assert_eq!(post(&[("Host", "evil.example")]), 403);
    assert_eq!(post(&[("Host", "boat.local"), ("Origin", "http://x")]), 403);
}

proptest::proptest! {
    #[test]
    fn never_panics_and_never_lets_a_guess_in(host in "\\PC{0,30}", origin in "\\PC{0,30}", token in "\\PC{0,70}") {
        let (access, _) = access();
        let bearer = format!("Bearer {token}");
        let headers = [("Host", &*host), ("Origin", &*origin), ("Authorization", &*bearer)];
        proptest::prop_assert_ne!(status(&access, Method::Post, "/plugins/x/config", &headers, true), 0);
    }
}

#[test]
fn a_page_and_streams_take_the_token_in_their_address() {
    let (access, token) = access();
    let host = [("Host", "192.168.1.5:3000")];
    for path in ["/", "/signalk/v1/stream", "/signalk/v2/api/streams/radars/r1"] {
        assert_eq!(status(&access, Method::Get, &format!("{path}?token={token}"), &host, false), 0, "{path}");
        assert_eq!(status(&access, Method::Get, &format!("{path}?token=wrong"), &host, false), 401, "{path}");
    }
    assert_eq!(status(&access, Method::Get, &format!("/signalk/v1/api/self?token={token}"), &host, false), 401);
}
