//! What a request asks for.

use alloc::borrow::Cow;
use alloc::string::String;
use alloc::vec::Vec;

use super::url::decode;
use crate::http::{Method, Request};

/// Bytes of path and query; RFC 9112 §3 recommends to take 8000.
const TARGET_BYTES_MAX: usize = 8192;
/// Segments of a path.
const SEGMENTS_MAX: usize = 150;

/// One thing that can be asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Route<'r> {
    /// `GET /`: the page that shows the vessel and the plugins.
    Index,
    /// `GET /signalk`
    Discovery,
    /// `GET /signalk/v1/api/…`
    Api {
        /// Decoded segments below `/signalk/v1/api`.
        segments: Vec<Cow<'r, str>>,
    },
    /// `GET /signalk/v1/api/self`
    ApiSelf,
    /// `PUT /signalk/v1/api/…`
    ApiPut {
        /// Decoded segments below `/signalk/v1/api`.
        segments: Vec<Cow<'r, str>>,
    },
    /// `GET /signalk/v1/requests/<id>`
    RequestState {
        /// Id of the request, decoded.
        id: Cow<'r, str>,
    },
    /// Anything below `/signalk/v2/api/resources`.
    Resources {
        /// Decoded segments below it.
        segments: Vec<Cow<'r, str>>,
    },
    /// Anything below `/signalk/v2/api/weather`.
    Weather {
        /// Decoded segments below it.
        segments: Vec<Cow<'r, str>>,
    },
    /// Anything below `/signalk/v2/api/notifications`.
    Notifications {
        /// Decoded segments below it.
        segments: Vec<Cow<'r, str>>,
    },
    /// Anything below `/signalk/v2/api/vessels/self/radars`, except spokes.
    Radars {
        /// Decoded segments below it.
        segments: Vec<Cow<'r, str>>,
    },
    /// A binary stream, with an upgrade to WebSocket (plugin ABI §10.4).
    BinaryStream {
        /// Stream id.
        stream: String,
    },
    /// `GET /signalk/v1/stream` with an upgrade to WebSocket.
    Stream,
    /// `GET /signalk/v2/features`
    Features,
    /// Anything else below `/signalk/v2`, `/signalk/v1/requests`, `/signalk/v1/auth`, `/signalk/v1/applicationData`.
    Unsupported,
    /// `GET /skServer/loginStatus`
    LoginStatus,
    /// `GET /skServer/webapps`
    WebApps,
    /// `GET /skServer/plugins`, `GET /plugins`
    Plugins,
    /// `GET /plugins/<id>/`
    PluginInfo {
        /// Plugin id, decoded.
        id: Cow<'r, str>,
    },
    /// `GET /plugins/<id>/config`
    PluginConfigRead {
        /// Plugin id, decoded.
        id: Cow<'r, str>,
    },
    /// `POST /plugins/<id>/config`
    PluginConfigWrite {
        /// Plugin id, decoded.
        id: Cow<'r, str>,
    },
    /// Any other address below `/plugins/<id>`.
    PluginEndpoint {
        /// Plugin id, decoded.
        id: Cow<'r, str>,
        /// Path below the mount point, begins with `/`, not decoded.
        path: &'r str,
    },
    /// `GET /skiff/v1/wifi`
    Wifi,
    /// `PUT /skiff/v1/wifi`
    WifiSet,
    /// `DELETE /skiff/v1/wifi`
    WifiForget,
    /// `POST /skiff/v1/plugins`
    PluginInstall,
    /// `DELETE /skiff/v1/plugins/<id>`
    PluginRemove {
        /// Plugin id, decoded.
        id: Cow<'r, str>,
    },
    /// `POST /skiff/v1/plugins/<id>/reload`
    PluginReload {
        /// Plugin id, decoded.
        id: Cow<'r, str>,
    },
    /// `GET /skiff/v1/plugins/<id>/log`
    PluginLog {
        /// Plugin id, decoded.
        id: Cow<'r, str>,
    },
    /// `GET /skiff/v1/status`
    Status,
    /// `GET /skiff/v1/log`
    Log,
    /// `GET /skiff/v1/firmware`
    Firmware,
    /// `POST /skiff/v1/firmware`
    FirmwarePiece,
    /// `POST /skiff/v1/factory-reset`
    FactoryReset,
    /// The target is longer than 8192 bytes or has too many segments.
    TooLong,
    /// Nothing is there.
    NotFound,
    /// Something is there that does not take this method.
    MethodNotAllowed {
        /// Methods it takes, as the `allow` header field lists them.
        allow: &'static str,
    },
}

/// Finds what `request` asks for.
#[must_use]
pub fn route(request: &Request) -> Route<'_> {
    if request.target.len() > TARGET_BYTES_MAX {
        return Route::TooLong;
    }
    let path = request.path();
    let Some(below) = path.strip_prefix('/') else {
        return Route::NotFound;
    };
    let segments: Vec<&str> = below.split('/').collect();
    if segments.len() > SEGMENTS_MAX {
        return Route::TooLong;
    }
    // A trailing slash makes no difference.
    let segments = segments.strip_suffix(&[""]).unwrap_or(&segments);
    let read = |route: Route<'static>| only(request.method, route);
    match segments {
        [] | ["index.html"] => read(Route::Index),
        ["signalk"] => read(Route::Discovery),
        ["signalk", "v1", "api", "self"] => read(Route::ApiSelf),
        ["signalk", "v1", "api", rest @ ..] => api(request.method, rest),
        ["signalk", "v1", "stream"] => read(Route::Stream),
        ["signalk", "v2", "features"] => read(Route::Features),
        ["signalk", "v1", "requests", id] => match (request.method.is_read(), decode(id)) {
            (true, Some(id)) => Route::RequestState { id },
            (true, None) => Route::NotFound,
            (false, _) => Route::MethodNotAllowed { allow: "GET, HEAD" },
        },
        ["signalk", "v2", "api", rest @ ..] => version_2(request.method, rest),
        ["signalk", "v1", "requests" | "auth" | "applicationData", ..] | ["signalk", "v2", ..] => Route::Unsupported,
        ["skServer", "webapps"] => read(Route::WebApps),
        ["skServer", "loginStatus"] => read(Route::LoginStatus),
        ["skiff", "v1", "status"] => read(Route::Status),
        ["skiff", "v1", "log"] => read(Route::Log),
        ["skiff", "v1", "firmware"] => match request.method {
            Method::Get | Method::Head => Route::Firmware,
            Method::Post => Route::FirmwarePiece,
            _ => Route::MethodNotAllowed { allow: "GET, HEAD, POST" },
        },
        ["skiff", "v1", "wifi"] => match request.method {
            Method::Get | Method::Head => Route::Wifi,
            Method::Put => Route::WifiSet,
            Method::Delete => Route::WifiForget,
            _ => Route::MethodNotAllowed { allow: "GET, HEAD, PUT, DELETE" },
        },
        ["skiff", "v1", "factory-reset"] if request.method == Method::Post => Route::FactoryReset,
        ["skiff", "v1", "factory-reset"] => Route::MethodNotAllowed { allow: "POST" },
        ["skiff", "v1", "plugins"] if request.method == Method::Post => Route::PluginInstall,
        ["skiff", "v1", "plugins"] => Route::MethodNotAllowed { allow: "POST" },
        ["skiff", "v1", "plugins", id, rest @ ..] => installed(request.method, id, rest),
        ["plugins"] | ["skServer", "plugins"] => read(Route::Plugins),
        ["plugins", id, rest @ ..] => plugin(request.method, id, rest, below.strip_prefix("plugins/")),
        ["skServer", "plugins", id, rest @ ..] => {
            plugin(request.method, id, rest, below.strip_prefix("skServer/plugins/"))
        }
        _ => Route::NotFound,
    }
}

fn installed<'r>(method: Method, id: &'r str, rest: &[&str]) -> Route<'r> {
    let Some(id) = decode(id).filter(|id| !id.is_empty()) else { return Route::NotFound };
    match (rest, method) {
        ([], Method::Delete) => Route::PluginRemove { id },
        ([], _) => Route::MethodNotAllowed { allow: "DELETE" },
        (["reload"], Method::Post) => Route::PluginReload { id },
        (["reload"], _) => Route::MethodNotAllowed { allow: "POST" },
        (["log"], method) if method.is_read() => Route::PluginLog { id },
        (["log"], _) => Route::MethodNotAllowed { allow: "GET, HEAD" },
        _ => Route::NotFound,
    }
}

fn only(method: Method, route: Route<'static>) -> Route<'static> {
    if method.is_read() { route } else { Route::MethodNotAllowed { allow: "GET, HEAD" } }
}

fn api<'r>(method: Method, segments: &[&'r str]) -> Route<'r> {
    if !method.is_read() && method != Method::Put {
        return Route::MethodNotAllowed { allow: "GET, HEAD, PUT" };
    }
    match segments.iter().map(|segment| decode(segment)).collect() {
        Some(segments) if method == Method::Put => Route::ApiPut { segments },
        Some(segments) => Route::Api { segments },
        None => Route::NotFound,
    }
}

fn version_2<'r>(method: Method, segments: &[&'r str]) -> Route<'r> {
    let Some(decoded) = segments.iter().map(|segment| decode(segment)).collect::<Option<Vec<_>>>() else {
        return Route::NotFound;
    };
    let below = |count: usize| decoded.iter().skip(count).cloned().collect();
    match segments {
        ["streams", _, ..] | ["vessels", "self", "radars", _, "spokes"] if !method.is_read() => {
            Route::MethodNotAllowed { allow: "GET, HEAD" }
        }
        ["streams", _, ..] => {
            let id: Vec<&str> = decoded.iter().skip(1).map(|segment| &**segment).collect();
            Route::BinaryStream { stream: id.join("/") }
        }
        ["vessels", "self", "radars", _, "spokes"] => {
            let mut stream = String::from("radars/");
            stream.push_str(decoded.get(3).map_or("", |id| &**id));
            Route::BinaryStream { stream }
        }
        ["vessels", "self", "radars", ..] => Route::Radars { segments: below(3) },
        ["resources", ..] => Route::Resources { segments: below(1) },
        ["notifications", ..] => Route::Notifications { segments: below(1) },
        ["weather", ..] => Route::Weather { segments: below(1) },
        _ => Route::Unsupported,
    }
}

fn plugin<'r>(method: Method, id: &'r str, rest: &[&str], below: Option<&'r str>) -> Route<'r> {
    let (Some(id), Some(below)) = (decode(id).filter(|id| !id.is_empty()), below) else {
        return Route::NotFound;
    };
    match (rest, method) {
        ([], Method::Get | Method::Head) => Route::PluginInfo { id },
        (["config"], Method::Get | Method::Head) => Route::PluginConfigRead { id },
        (["config"], Method::Post) => Route::PluginConfigWrite { id },
        (_, Method::Other | Method::Options | Method::Patch) => {
            Route::MethodNotAllowed { allow: "GET, HEAD, POST, PUT, DELETE" }
        }
        _ => {
            let path = below.find('/').and_then(|slash| below.get(slash..)).unwrap_or("/");
            Route::PluginEndpoint { id, path }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::get;
    use std::format;

    fn of(method: Method, target: &str) -> String {
        format!("{:?}", route(&Request { method, ..get(target) }))
    }

    #[test]
    fn reads_have_their_routes() {
        for (target, expected) in [
            ("/", "Index"),
            ("/signalk", "Discovery"),
            ("/signalk/", "Discovery"),
            ("/signalk/v1/api", "Api { segments: [] }"),
            ("/signalk/v1/api/", "Api { segments: [] }"),
            ("/signalk/v1/api/vessels/self/a%20b?x", r#"Api { segments: ["vessels", "self", "a b"] }"#),
            ("/signalk/v1/api/self", "ApiSelf"),
            ("/signalk/v1/stream?subscribe=none", "Stream"),
            ("/signalk/v2/features", "Features"),
            ("/signalk/v2/api/history/x", "Unsupported"),
            ("/signalk/v2/api/resources", "Resources { segments: [] }"),
            ("/signalk/v2/api/resources/routes/%41?x", r#"Resources { segments: ["routes", "A"] }"#),
            ("/signalk/v2/api/weather/forecasts/daily", r#"Weather { segments: ["forecasts", "daily"] }"#),
            ("/signalk/v2/api/vessels/self/radars", "Radars { segments: [] }"),
            ("/signalk/v2/api/vessels/self/radars/r1/state", r#"Radars { segments: ["r1", "state"] }"#),
            ("/signalk/v2/api/vessels/self/radars/r1/spokes", r#"BinaryStream { stream: "radars/r1" }"#),
            ("/signalk/v2/api/streams/plugins/%40a%2Fb/c", r#"BinaryStream { stream: "plugins/@a/b/c" }"#),
            ("/signalk/v2/api/notifications/x", r#"Notifications { segments: ["x"] }"#),
            ("/signalk/v1/requests/7", r#"RequestState { id: "7" }"#),
            ("/skServer/webapps", "WebApps"),
            ("/skServer/loginStatus", "LoginStatus"),
            ("/plugins", "Plugins"),
            ("/skServer/plugins/", "Plugins"),
            ("/plugins/_acme_tide", r#"PluginInfo { id: "_acme_tide" }"#),
            ("/skServer/plugins/%40x/", r#"PluginInfo { id: "@x" }"#),
            ("/plugins/x/config", r#"PluginConfigRead { id: "x" }"#),
            ("/plugins/x/api/%41/?q=1", r#"PluginEndpoint { id: "x", path: "/api/%41/" }"#),
            ("/skServer/plugins/x/api", r#"PluginEndpoint { id: "x", path: "/api" }"#),
            ("/skiff/v1/status", "Status"),
            ("/skiff/v1/log?lines=5", "Log"),
            ("/skiff/v1/firmware", "Firmware"),
            ("/skiff/v1/wifi", "Wifi"),
            ("/nothing", "NotFound"),
            ("", "NotFound"),
            ("http://x/", "NotFound"),
            ("/plugins//config", "NotFound"),
            ("/signalk/v1/api/%ff", "NotFound"),
        ] {
            assert_eq!(of(Method::Get, target), expected, "{target}");
            assert_eq!(of(Method::Head, target), expected, "{target}");
        }
    }

    #[test]
    fn changes_have_theirs() {
        assert_eq!(of(Method::Post, "/plugins/x/config"), r#"PluginConfigWrite { id: "x" }"#);
        assert_eq!(of(Method::Post, "/plugins/x"), r#"PluginEndpoint { id: "x", path: "/" }"#);
        assert_eq!(of(Method::Put, "/plugins/x/config"), r#"PluginEndpoint { id: "x", path: "/config" }"#);
        assert_eq!(of(Method::Post, "/skiff/v1/plugins"), "PluginInstall");
        assert_eq!(of(Method::Post, "/skiff/v1/firmware?offset=0"), "FirmwarePiece");
        assert_eq!(of(Method::Post, "/skiff/v1/factory-reset"), "FactoryReset");
        assert_eq!(of(Method::Put, "/skiff/v1/wifi"), "WifiSet");
        assert_eq!(of(Method::Delete, "/skiff/v1/wifi/"), "WifiForget");
        assert_eq!(
            of(Method::Put, "/signalk/v1/api/vessels/self/a"),
            r#"ApiPut { segments: ["vessels", "self", "a"] }"#
        );
    }

    #[test]
    fn other_methods_are_told_what_is_allowed() {
        assert_eq!(of(Method::Post, "/signalk"), r#"MethodNotAllowed { allow: "GET, HEAD" }"#);
        assert_eq!(of(Method::Get, "/skiff/v1/factory-reset"), r#"MethodNotAllowed { allow: "POST" }"#);
        assert_eq!(of(Method::Put, "/skiff/v1/firmware"), r#"MethodNotAllowed { allow: "GET, HEAD, POST" }"#);
        assert_eq!(of(Method::Delete, "/signalk/v1/api/a"), r#"MethodNotAllowed { allow: "GET, HEAD, PUT" }"#);
        assert_eq!(of(Method::Get, "/skiff/v1/plugins"), r#"MethodNotAllowed { allow: "POST" }"#);
        assert_eq!(
            of(Method::Options, "/plugins/x/y"),
            r#"MethodNotAllowed { allow: "GET, HEAD, POST, PUT, DELETE" }"#
        );
    }

    #[test]
    fn long_targets_are_refused() {
        assert_eq!(of(Method::Get, &"/a".repeat(4097)), "TooLong");
        assert_eq!(of(Method::Get, &"/".repeat(500)), "TooLong");
    }

    proptest::proptest! {
        #[test]
        fn never_panics(target in "(/|/plugins/|/skServer/|/signalk/v1/api/)\\PC{0,40}") {
            let _ = of(Method::Get, &target);
            let _ = of(Method::Post, &target);
        }
    }
}
