//! Every route by every method, for every role, at both doors: who gets in.

mod boat;
mod described;
mod guests;
mod owned;

use owned::{Owned, bearer, cookie, read};
use serde_json::json;
use skiff_runtime::http::{Door, Method, Request};

/// What somebody brings, in the order of the columns below.
const WHO: [&str; 13] = [
    "boat: nobody, from the network",
    "boat: nobody, on loopback",
    "boat: token readonly",
    "boat: token readwrite",
    "boat: token admin",
    "boat: cookie of a readonly user",
    "boat: cookie of an admin user",
    "admin: nobody, on loopback",
    "admin: token readonly",
    "admin: token admin",
    "admin: the boat's cookie of an admin user",
    "admin: cookie of a readonly user",
    "admin: cookie of an admin user",
];

/// `+` is let in, `-` is not. Columns as in [`WHO`]: the boat's door, then the admin's.
const TABLE: &[(Method, &str, &str, &str)] = &[
    (Method::Get, "/signalk", "+++++++", "++++++"),
    (Method::Get, "/skServer/loginStatus", "+++++++", "++++++"),
    (Method::Get, "/login", "+++++++", "++++++"),
    (Method::Post, "/signalk/v1/access/requests", "+++++++", "++++++"),
    (Method::Put, "/signalk/v1/auth/logout", "+++++++", "++++++"),
    (Method::Get, "/", "-++++++", "++++++"),
    (Method::Get, "/signalk/v1/api", "-++++++", "++++++"),
    (Method::Get, "/signalk/v1/stream", "-++++++", "++++++"),
    (Method::Get, "/signalk/v2/api/resources", "-++++++", "++++++"),
    (Method::Get, "/signalk/v2/api/notifications", "-++++++", "++++++"),
    (Method::Get, "/signalk/v1/applicationData/global/kip/1", "-++++++", "++++++"),
    (Method::Get, "/skServer/webapps", "-++++++", "++++++"),
    (Method::Get, "/skServer/plugins", "-++++++", "++++++"),
    (Method::Get, "/skiff/v1/status", "-++++++", "++++++"),
    (Method::Get, "/skiff/v1/machine", "-++++++", "++++++"),
    (Method::Put, "/signalk/v1/api/vessels/self/a/b", "---++-+", "--+--+"),
    (Method::Post, "/signalk/v2/api/notifications/x/silence", "---++-+", "--+--+"),
    (Method::Post, "/signalk/v2/api/resources/waypoints", "---++-+", "--+--+"),
    (Method::Post, "/signalk/v1/applicationData/user/kip/1", "---++-+", "--+--+"),
    (Method::Post, "/signalk/v1/applicationData/global/kip/1", "----+--", "--+--+"),
    (Method::Put, "/signalk/v1/api/vessels/self/a/meta/zones", "----+--", "--+--+"),
    (Method::Post, "/signalk/v2/api/resources/routes/_providers/_default/x", "----+--", "--+--+"),
    (Method::Post, "/signalk/v2/api/vessels/self/navigation/course/_config/apiOnly", "----+--", "--+--+"),
    (Method::Put, "/signalk/v2/api/vessels/self/navigation/course/destination", "---++-+", "--+--+"),
    (Method::Get, "/signalk/v2/api/vessels/self/navigation/course", "-++++++", "++++++"),
    (Method::Get, "/signalk/v1/api/tracks", "-++++++", "++++++"),
    (Method::Get, "/signalk/v1/apps/list", "-++++++", "++++++"),
    (Method::Get, "/signalk/v1/unitpreferences/active", "-++++++", "++++++"),
    (Method::Put, "/signalk/v1/unitpreferences/config", "----+--", "--+--+"),
    (Method::Get, "/skServer/n2kDeviceStatus", "----+--", "--+--+"),
    (Method::Get, "/skServer/deviceIdentities", "----+--", "--+--+"),
    (Method::Post, "/skServer/n2kDiscoverDevices", "----+--", "--+--+"),
    (Method::Post, "/skServer/n2kConfigDevice", "----+--", "--+--+"),
    (Method::Get, "/skServer/vessel", "-++++++", "++++++"),
    (Method::Get, "/skServer/availablePaths", "-++++++", "++++++"),
    (Method::Get, "/skServer/paths", "-++++++", "++++++"),
    (Method::Get, "/skServer/nodeInfo", "-++++++", "++++++"),
    (Method::Get, "/skServer/openapi", "-++++++", "++++++"),
    (Method::Get, "/skServer/asyncapi/deltas", "-++++++", "++++++"),
    (Method::Get, "/doc/openapi/course", "-++++++", "++++++"),
    (Method::Put, "/skServer/vessel", "----+--", "--+--+"),
    (Method::Get, "/skServer/settings", "----+--", "--+--+"),
    (Method::Put, "/skServer/settings", "----+--", "--+--+"),
    (Method::Get, "/skServer/security/config", "----+--", "--+--+"),
    (Method::Put, "/skServer/security/config", "----+--", "--+--+"),
    (Method::Get, "/skServer/security/oidc", "----+--", "--+--+"),
    (Method::Get, "/skServer/providers", "----+--", "--+--+"),
    (Method::Post, "/skServer/providers", "----+--", "--+--+"),
    (Method::Put, "/skServer/providers/x", "----+--", "--+--+"),
    (Method::Delete, "/skServer/providers/x", "----+--", "--+--+"),
    (Method::Put, "/skServer/runDiscovery", "----+--", "--+--+"),
    (Method::Post, "/skServer/inputTest", "----+--", "--+--+"),
    (Method::Post, "/skServer/testSignalKConnection", "----+--", "--+--+"),
    (Method::Post, "/skServer/requestAccess", "----+--", "--+--+"),
    (Method::Post, "/skServer/checkAccessRequest", "----+--", "--+--+"),
    (Method::Delete, "/skServer/removeSource", "----+--", "--+--+"),
    (Method::Delete, "/skServer/n2kRemoveSource", "----+--", "--+--+"),
    (Method::Post, "/skServer/resetN2kDevices", "----+--", "--+--+"),
    (Method::Get, "/skServer/cacheInspect", "----+--", "--+--+"),
    (Method::Get, "/skiff/v1/connections", "----+--", "--+--+"),
    (Method::Post, "/skiff/v1/connections", "----+--", "--+--+"),
    (Method::Put, "/skiff/v1/connections/input.x", "----+--", "--+--+"),
    (Method::Delete, "/skiff/v1/connections/input.x", "----+--", "--+--+"),
    (Method::Post, "/skiff/v1/connections/test", "----+--", "--+--+"),
    (Method::Get, "/skiff/v1/n2k", "----+--", "--+--+"),
    (Method::Put, "/skiff/v1/n2k", "----+--", "--+--+"),
    (Method::Get, "/skServer/priorities", "----+--", "--+--+"),
    (Method::Put, "/skServer/priorities", "----+--", "--+--+"),
    (Method::Delete, "/skServer/priorities", "----+--", "--+--+"),
    (Method::Put, "/skServer/sourceAliases", "----+--", "--+--+"),
    (Method::Get, "/skServer/multiSourcePaths", "----+--", "--+--+"),
    (Method::Get, "/skServer/serialports", "----+--", "--+--+"),
    (Method::Get, "/skServer/logfiles/", "----+--", "--+--+"),
    (Method::Put, "/skServer/restart", "----+--", "--+--+"),
    (Method::Post, "/skServer/debug", "----+--", "--+--+"),
    // Files of the admin UI are no secret, and at the boat's door its address is that of the form to log in by.
    (Method::Get, "/admin/", "+++++++", "++++++"),
    (Method::Get, "/signalk/v2/api/history/values", "-++++++", "++++++"),
    (Method::Post, "/signalk/v2/api/history/_providers/_default/x", "----+--", "--+--+"),
    (Method::Get, "/signalk/v1/snapshot", "-++++++", "++++++"),
    (Method::Get, "/signalk/v1/playback", "-++++++", "++++++"),
    (Method::Get, "/signalk/v2/api/vessels/self/autopilots", "-++++++", "++++++"),
    (Method::Put, "/signalk/v2/api/vessels/self/autopilots/p1/state", "---++-+", "--+--+"),
    (Method::Post, "/signalk/v2/api/vessels/self/autopilots/p1/engage", "---++-+", "--+--+"),
    (Method::Delete, "/signalk/v2/api/vessels/self/autopilots/p1/dodge", "---++-+", "--+--+"),
    (Method::Post, "/signalk/v2/api/vessels/self/autopilots/_providers/_default/p1", "----+--", "--+--+"),
    (Method::Get, "/plugins/x/config", "----+--", "--+--+"),
    (Method::Post, "/plugins/x/config", "----+--", "--+--+"),
    (Method::Post, "/skServer/plugins/x/config", "----+--", "--+--+"),
    (Method::Get, "/skServer/security/users", "----+--", "--+--+"),
    (Method::Get, "/skServer/security/devices", "----+--", "--+--+"),
    (Method::Get, "/skServer/security/tokens", "----+--", "--+--+"),
    (Method::Post, "/skServer/security/signInCode", "----+--", "--+--+"),
    (Method::Put, "/skServer/security/access/requests/x/approved", "----+--", "--+--+"),
    (Method::Get, "/skServer/appstore/available", "----+--", "--+--+"),
    (Method::Get, "/skServer/appstore/installLog/@a/b", "----+--", "--+--+"),
    (Method::Post, "/skServer/appstore/install/@a/b/1.0.0", "----+--", "--+--+"),
    (Method::Post, "/skServer/appstore/remove/a", "----+--", "--+--+"),
    (Method::Get, "/skServer/backup", "----+--", "--+--+"),
    (Method::Post, "/skServer/validateBackup", "----+--", "--+--+"),
    (Method::Post, "/skServer/restore", "----+--", "--+--+"),
    (Method::Get, "/skiff/v1/webapps", "-++++++", "++++++"),
    (Method::Post, "/skiff/v1/webapps/x", "----+--", "--+--+"),
    (Method::Get, "/skiff/v1/log", "----+--", "--+--+"),
    (Method::Get, "/skiff/v1/plugins/x/log", "----+--", "--+--+"),
    (Method::Get, "/plugins/signalk-logviewer/api/logs", "----+--", "------"),
    (Method::Post, "/skiff/v1/plugins", "----+--", "--+--+"),
    (Method::Delete, "/skiff/v1/plugins/x", "----+--", "--+--+"),
    (Method::Post, "/skiff/v1/restart", "----+--", "--+--+"),
    // What packages bring: at the admin's door it is not there, whoever asks.
    (Method::Get, "/@mxtommy/kip/index.html", "+++++++", "------"),
    (Method::Get, "/plugins/x/page", "-++++++", "------"),
    (Method::Post, "/plugins/x/do", "---++-+", "------"),
];

#[test]
fn each_route_lets_in_whom_the_table_says() {
    let mut gateway = Owned::new();
    gateway.add("guest", "readonly");
    gateway.add("skipper", "admin");
    let mut token = |role: &str| {
        let made =
            gateway.as_owner(Method::Post, &format!("/skServer/security/tokens/{role}"), &json!({ "role": role }));
        bearer(&made.1["token"])
    };
    let [reads, writes, admin] = ["readonly", "readwrite", "admin"].map(&mut token);
    let mut log_in = |door: Door, name: &str| {
        gateway.door = door;
        let response = gateway.log_in(name, &format!("{name}-secret"));
        assert_eq!(response.status, 200, "{:?}", read(&response));
        cookie(&response)
    };
    let [boat_guest, boat_skipper] = ["guest", "skipper"].map(|name| log_in(Door::Boat, name));
    let [admin_guest, admin_skipper] = ["guest", "skipper"].map(|name| log_in(Door::Admin, name));
    assert!(boat_guest.starts_with("skiff-session=") && admin_guest.starts_with("skiff-admin="));
    let by_token = |token: &str| Some(("authorization", token.to_owned()));
    let by_cookie = |cookie: &str| Some(("cookie", cookie.to_owned()));
    let brought = [
        (Door::Boat, false, None),
        (Door::Boat, true, None),
        (Door::Boat, false, by_token(&reads)),
        (Door::Boat, false, by_token(&writes)),
        (Door::Boat, false, by_token(&admin)),
        (Door::Boat, false, by_cookie(&boat_guest)),
        // A browser sends both doors' cookies to both.
        (Door::Boat, false, by_cookie(&format!("{admin_skipper}; {boat_skipper}"))),
        (Door::Admin, true, None),
        (Door::Admin, true, by_token(&reads)),
        (Door::Admin, true, by_token(&admin)),
        (Door::Admin, true, by_cookie(&boat_skipper.replace("skiff-session", "skiff-admin"))),
        (Door::Admin, true, by_cookie(&admin_guest)),
        (Door::Admin, true, by_cookie(&admin_skipper)),
    ];
    let mut wrong = Vec::new();
    for (method, target, boat, admin) in TABLE {
        let expected: Vec<char> = boat.chars().chain(admin.chars()).collect();
        assert_eq!(expected.len(), brought.len(), "{target}");
        for (((door, local, given), who), expected) in brought.iter().zip(WHO).zip(expected) {
            let host = if *local { "localhost:3000" } else { "192.168.1.5:3000" };
            let mut headers = vec![("host".to_owned(), host.to_owned())];
            headers.extend(given.iter().map(|(name, value)| ((*name).to_owned(), value.clone())));
            let peer = if *local { "127.0.0.1" } else { "192.168.1.9" }.parse().ok();
            let request = Request {
                headers,
                peer,
                local: *local,
                door: *door,
                body: b"{}".into(),
                ..Request::new(*method, target)
            };
            // By its head alone: nothing is read or done before.
            let judged = gateway.boat.gateway.judge(&request);
            let is_in = judged.is_ok();
            let status = judged.err().map_or(0, |refused| refused.status);
            if is_in != (expected == '+') || !matches!(status, 0 | 401 | 403 | 404) {
                wrong.push(format!("{method} {target}, {who}: {status}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn each_route_of_the_apis_is_described() {
    let mut gateway = Owned::new();
    let operations = described::operations(&mut gateway);
    let streams: Vec<String> = described::documents(&mut gateway, "asyncapi")
        .iter()
        .flat_map(|(_, document)| document["channels"].as_object().unwrap().values())
        .filter_map(|channel| channel["address"].as_str().map(str::to_owned))
        .collect();
    let is_of_apis = |target: &str| target == "/signalk" || target.starts_with("/signalk/v");
    let missing: Vec<String> = TABLE
        .iter()
        .filter(|(_, target, ..)| is_of_apis(target))
        .filter(|(method, target, ..)| {
            let is_stream = *method == Method::Get && streams.iter().any(|address| described::is_of(address, target));
            !is_stream && !operations.iter().any(|one| one.method == *method && described::is_of(&one.path, target))
        })
        .map(|(method, target, ..)| format!("{method} {target}"))
        .collect();
    assert!(missing.is_empty(), "{missing:#?}");
}

#[test]
fn a_web_app_next_door_reads_nothing_of_the_admin() {
    let mut gateway = Owned::new();
    gateway.add("skipper", "admin");
    gateway.door = Door::Admin;
    let cookie = cookie(&gateway.log_in("skipper", "skipper-secret"));
    let own = [("cookie", &*cookie), ("sec-fetch-site", "same-origin")];
    let page = gateway.ask(Method::Get, "/skServer/security/users", &own, "");
    assert_eq!((page.status, page.header("x-frame-options")), (200, Some("DENY")));
    assert_eq!(page.header("content-security-policy"), Some("frame-ancestors 'none'"));
    let index = gateway.ask(Method::Get, "/", &own, "");
    assert!(index.header("content-security-policy").unwrap().contains("frame-ancestors 'none'"));
    // The boat's door is another port of the same host: the same site, another origin.
    for from in [
        vec![("sec-fetch-site", "same-site")],
        vec![("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "navigate"), ("sec-fetch-dest", "document")],
        vec![("origin", "http://192.168.1.5:3001")],
        vec![("origin", "null")],
    ] {
        for target in ["/skServer/security/users", "/signalk", "/login", "/"] {
            let headers: Vec<(&str, &str)> = [("cookie", &*cookie)].into_iter().chain(from.clone()).collect();
            let response = gateway.ask(Method::Get, target, &headers, "");
            assert_eq!(
                (response.status, response.header("access-control-allow-origin")),
                (403, None),
                "{target} {from:?}"
            );
        }
    }
    let asked = [("origin", "http://192.168.1.5:3001"), ("access-control-request-method", "GET")];
    assert_eq!(gateway.ask(Method::Options, "/signalk", &asked, "").status, 403, "not even a preflight");
    assert_eq!(gateway.stream("", &[("origin", "http://192.168.1.5:3001")]).unwrap_err().status, 403);
}
