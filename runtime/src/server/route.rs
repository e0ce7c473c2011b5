//! Which part of the gateway a request goes to.
//!
//! This is the first step of two: it looks at the beginning of an address only. What lies below, and which methods it
//! takes, is one arm in the file of the part that answers. Streams are opened and not answered, so they are found here.

use alloc::borrow::Cow;
use alloc::string::String;
use alloc::vec::Vec;

use super::url::{decode, decode_all};
use crate::accounts::{self, Role};
use crate::http::{Method, Request};

/// Id of the plugin whose view of the log the host serves (plugin ABI §9.5).
pub(crate) const LOG_VIEWER: &str = "signalk-logviewer";
/// Bytes of path and query; RFC 9112 §3 recommends to take 8000.
const TARGET_BYTES_MAX: usize = 8192;
/// Segments of a path.
const SEGMENTS_MAX: usize = 150;

/// A part of the gateway, and what is asked of it. Segments are not decoded; a slash at the end makes no difference.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Route<'r> {
    /// `/`: the page that shows the vessel and the plugins.
    Index,
    /// `/setup`: the page of a board that is being set up.
    #[cfg(any(test, feature = "set-up"))]
    SetUp,
    /// `/login`: the page to log in, and where the link with the code leads.
    SignIn,
    /// The Signal K API; segments below `/signalk`.
    Signalk(Vec<&'r str>),
    /// A stream, with an upgrade to WebSocket.
    Stream(StreamRoute),
    /// One plugin, by `/plugins/<id>` or `/skServer/plugins/<id>`.
    Plugin {
        /// Plugin id, decoded.
        id: Cow<'r, str>,
        /// Path below it, begins with `/`, not decoded.
        what: &'r str,
    },
    /// Plugins and packages as a whole, who is logged in, what Signal K Server's admin UI is made of; the segments of the
    /// whole path.
    Admin(Vec<&'r str>),
    /// The board; segments below `/skiff/v1`.
    Board(Vec<&'r str>),
    /// The target is longer than 8192 bytes or has too many segments.
    TooLong,
    /// Nothing is there.
    NotFound,
}

/// A stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StreamRoute {
    /// `/signalk/v1/stream`: deltas.
    Deltas,
    /// `/signalk/v1/playback`: deltas of the past.
    #[cfg(any(test, feature = "history"))]
    Playback,
    /// Frames of a plugin (plugin ABI §10.4).
    Frames {
        /// Stream id.
        stream: String,
    },
}

/// What somebody needs to be let in to a part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// Nothing: what a browser or a sensor starts from, and where it asks to be let in.
    Nothing,
    /// To be one who may read the boat's data.
    Read,
    /// A token of this role, on loopback too.
    Role(Role),
}

impl Route<'_> {
    /// Returns what a request with this method needs.
    #[must_use]
    pub fn need(&self, method: Method) -> Need {
        let reads = method.is_read();
        let or_reads = |role| if reads { Need::Read } else { Need::Role(role) };
        if self.is_secret() {
            return Need::Role(Role::Admin);
        }
        match self {
            Self::Signalk(below) => match below.as_slice() {
                [] if reads => Need::Nothing,
                // The id is random: who knows it has asked.
                ["v1", "requests", _] if reads && accounts::IS_KEPT => Need::Nothing,
                ["v1", "access", "requests"] if accounts::IS_KEPT => Need::Nothing,
                // What they need is in the request itself.
                auth if is_auth(auth) && accounts::IS_KEPT => Need::Nothing,
                // What is the same for all is not for one of them to change.
                ["v1", "applicationData", scope, ..] if is(scope, "global") => or_reads(Role::Admin),
                ["v1", "unitpreferences", ..] if SERVER_ROUTES => or_reads(Role::Admin),
                // What a path means is kept.
                ["v1", "api", path @ ..] if path.iter().any(|segment| is(segment, "meta")) => or_reads(Role::Admin),
                // Who answers where several plugins could is the operator's choice.
                ["v2", "api", path @ ..] if chooses_default(path) => or_reads(Role::Admin),
                // As is who may set the course.
                ["v2", "api", path @ ..] if path.iter().any(|segment| is(segment, "_config")) => or_reads(Role::Admin),
                _ => or_reads(Role::ReadWrite),
            },
            Self::Admin(address) if reads && address.as_slice() == ["skServer", "loginStatus"] => Need::Nothing,
            Self::SignIn => Need::Nothing,
            // What it changes, and for whom, is judged there.
            #[cfg(any(test, feature = "set-up"))]
            Self::SetUp => Need::Nothing,
            // Its files are no secret, and it has a form to log in by.
            Self::Admin(address) if reads && is_admin_ui(address) => Need::Nothing,
            // Files of web apps: a browser that is not let in yet needs them to ask for it. What is not there is no secret.
            Self::NotFound if reads && accounts::IS_KEPT => Need::Nothing,
            Self::Plugin { what, .. } if is_config(what) => Need::Role(Role::Admin),
            Self::Plugin { .. } | Self::Stream(_) => or_reads(Role::ReadWrite),
            Self::Index | Self::Admin(_) | Self::Board(_) | Self::TooLong | Self::NotFound => or_reads(Role::Admin),
        }
    }

    /// Tells whether the admin's door leads there: to nothing that a package brought, whose scripts would act for the admin.
    #[must_use]
    pub fn is_of_admin_door(&self) -> bool {
        match self {
            Self::Plugin { what, .. } => is_config(what) || *what == "/",
            Self::NotFound => false,
            Self::Stream(StreamRoute::Frames { .. }) => false,
            _ => true,
        }
    }

    /// Tells whether a page of another origin, or a program that knows nothing yet, begins there: what serves Signal K here,
    /// who is logged in, how to log in, how to ask to be let in.
    #[must_use]
    pub fn is_where_to_begin(&self) -> bool {
        match self {
            Self::Signalk(below) => {
                matches!(below.as_slice(), [] | ["v1", "requests", _] | ["v1", "access", "requests"]) || is_auth(below)
            }
            Self::Admin(address) => address.as_slice() == ["skServer", "loginStatus"],
            _ => false,
        }
    }

    /// Tells whether what is read there can hold passwords and the like: configurations, logs, who may do what.
    #[must_use]
    pub fn is_secret(&self) -> bool {
        match self {
            Self::Plugin { id, what } => {
                is_config(what) || id == LOG_VIEWER && what.trim_end_matches('/') == "/api/logs"
            }
            Self::Admin(address) => match address.as_slice() {
                [_, _, _, _, "log", ..] | ["skServer", "security", ..] => true,
                ["skServer", what, ..] if SERVER_ROUTES => !is_for_readers(what),
                // Addresses can hold a token.
                ["skiff", "v1", "connections" | "n2k", ..] if SERVER_ROUTES => true,
                address => is_store(address),
            },
            Self::Board(below) => matches!(below.as_slice(), ["log", ..]),
            _ => false,
        }
    }
}

/// Whether the routes of Signal K Server's admin UI are here.
pub(crate) const SERVER_ROUTES: bool = cfg!(any(test, feature = "server-routes"));

/// Tells whether a path leads to the files of the admin UI: `/admin`, and the name of its package, which is sent on there.
pub(crate) fn is_admin_ui(address: &[&str]) -> bool {
    SERVER_ROUTES && matches!(address, ["admin", ..] | ["@signalk", "server-admin-ui", ..])
}

/// Tells whether what stands below `/skServer` is boat data or the same for all; the rest are settings and the like.
fn is_for_readers(what: &str) -> bool {
    matches!(
        what,
        "plugins"
            | "webapps"
            | "addons"
            | "loginStatus"
            | "vessel"
            | "availablePaths"
            | "paths"
            | "nodeInfo"
            | "openapi"
            | "asyncapi"
    )
}

/// Tells whether a path is that of the app store or of backups; boards have neither.
fn is_store(address: &[&str]) -> bool {
    cfg!(any(test, feature = "appstore"))
        && matches!(address, ["skServer", "appstore" | "backup" | "validateBackup" | "restore", ..])
}

/// Tells whether a path below `/signalk` is about logging in.
fn is_auth(below: &[&str]) -> bool {
    matches!(below, ["v1", "auth", "login" | "logout" | "validate"])
}

/// Tells whether a segment is this name, however it is coded.
fn is(segment: &str, name: &str) -> bool {
    decode(segment).is_some_and(|segment| segment == name)
}

/// Tells whether a path goes to the choice of a provider, however it is coded.
fn chooses_default(path: &[&str]) -> bool {
    path.iter().zip(path.iter().skip(1)).any(|(first, second)| is(first, "_providers") && is(second, "_default"))
}

/// Tells whether what lies below a plugin's address is its configuration.
fn is_config(what: &str) -> bool {
    what.trim_end_matches('/') == "/config"
}

/// Finds what `request` asks for.
#[must_use]
pub fn route(request: &Request) -> Route<'_> {
    if request.target.len() > TARGET_BYTES_MAX {
        return Route::TooLong;
    }
    let Some(path) = request.path().strip_prefix('/') else { return Route::NotFound };
    let mut segments: Vec<&str> = path.split('/').collect();
    if segments.len() > SEGMENTS_MAX {
        return Route::TooLong;
    }
    // A trailing slash makes no difference.
    segments.pop_if(|last| last.is_empty());
    match segments.as_slice() {
        [] | ["index.html"] => Route::Index,
        address if is_admin_ui(address) => Route::Admin(segments),
        ["login"] | ["admin"] if accounts::IS_KEPT => Route::SignIn,
        #[cfg(any(test, feature = "set-up"))]
        ["setup"] => Route::SetUp,
        ["signalk", "v1", "stream"] => Route::Stream(StreamRoute::Deltas),
        #[cfg(any(test, feature = "history"))]
        ["signalk", "v1", "playback"] => Route::Stream(StreamRoute::Playback),
        ["signalk", "v2", "api", "streams", stream @ ..] if !stream.is_empty() => frames(stream, |id| id.join("/")),
        ["signalk", "v2", "api", "vessels", "self", "radars", radar, "spokes"] => {
            frames(&[radar], |id| ["radars/", &id.concat()].concat())
        }
        ["signalk", below @ ..] => Route::Signalk(below.to_vec()),
        ["skiff", "v1", "connections", ..] | ["skiff", "v1", "n2k"] if SERVER_ROUTES => Route::Admin(segments),
        ["skiff", "v1", "plugins", ..]
        | ["plugins"]
        | ["skServer", "plugins" | "webapps" | "addons" | "loginStatus"]
        | ["skServer", "security", ..] => Route::Admin(segments),
        #[cfg(any(test, feature = "appstore"))]
        ["skiff", "v1", "webapps", ..]
        | ["skServer", "appstore", _, ..]
        | ["skServer", "backup" | "validateBackup" | "restore"] => Route::Admin(segments),
        #[cfg(any(test, feature = "metrics"))]
        // Where Prometheus looks when it is told no other path.
        ["metrics"] => Route::Board(segments),
        ["skiff", "v1", below @ ..] => Route::Board(below.to_vec()),
        ["plugins", id, ..] => plugin(id, path.strip_prefix("plugins/")),
        ["skServer", "plugins", id, ..] => plugin(id, path.strip_prefix("skServer/plugins/")),
        ["skServer", _, ..] | ["doc", "openapi", ..] | ["documentation", ..] if SERVER_ROUTES => Route::Admin(segments),
        _ => Route::NotFound,
    }
}

fn frames<'r>(segments: &[&str], name: impl Fn(&[Cow<'_, str>]) -> String) -> Route<'r> {
    decode_all(segments)
        .map_or(Route::NotFound, |decoded| Route::Stream(StreamRoute::Frames { stream: name(&decoded) }))
}

fn plugin<'r>(id: &'r str, below: Option<&'r str>) -> Route<'r> {
    let (Some(id), Some(below)) = (decode(id).filter(|id| !id.is_empty()), below) else { return Route::NotFound };
    let what = below.find('/').and_then(|slash| below.get(slash..)).unwrap_or("/");
    Route::Plugin { id, what }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::{Method, get};
    use std::format;

    fn of(target: &str) -> String {
        let routes = [Method::Get, Method::Post, Method::Delete, Method::Other]
            .map(|method| format!("{:?}", route(&Request { method, ..get(target) })));
        assert!(routes.iter().all(|other| *other == routes[0]), "a route is the same for every method");
        routes[0].clone()
    }

    #[test]
    fn every_address_has_its_part() {
        for (target, expected) in [
            ("/", "Index"),
            ("/index.html", "Index"),
            ("/signalk", "Signalk([])"),
            ("/signalk/", "Signalk([])"),
            ("/signalk/v1/api", r#"Signalk(["v1", "api"])"#),
            ("/signalk/v1/api/", r#"Signalk(["v1", "api"])"#),
            ("/signalk/v1/api/vessels/self/a%20b?x", r#"Signalk(["v1", "api", "vessels", "self", "a%20b"])"#),
            ("/signalk/v1/stream?subscribe=none", "Stream(Deltas)"),
            ("/signalk/v1/playback?startTime=x", "Stream(Playback)"),
            ("/signalk/v2/features", r#"Signalk(["v2", "features"])"#),
            ("/signalk/v2/api/vessels/self/radars", r#"Signalk(["v2", "api", "vessels", "self", "radars"])"#),
            (
                "/signalk/v2/api/vessels/self/radars/r1/state",
                r#"Signalk(["v2", "api", "vessels", "self", "radars", "r1", "state"])"#,
            ),
            ("/signalk/v2/api/vessels/self/radars/r1/spokes", r#"Stream(Frames { stream: "radars/r1" })"#),
            ("/signalk/v2/api/streams/plugins/%40a%2Fb/c", r#"Stream(Frames { stream: "plugins/@a/b/c" })"#),
            ("/signalk/v2/api/streams/%ff", "NotFound"),
            ("/signalk/v2/api/streams", r#"Signalk(["v2", "api", "streams"])"#),
            ("/skServer/webapps", r#"Admin(["skServer", "webapps"])"#),
            ("/skServer/loginStatus", r#"Admin(["skServer", "loginStatus"])"#),
            ("/skServer/security/devices/a", r#"Admin(["skServer", "security", "devices", "a"])"#),
            ("/plugins", r#"Admin(["plugins"])"#),
            ("/skServer/plugins/", r#"Admin(["skServer", "plugins"])"#),
            ("/plugins/_acme_tide", r#"Plugin { id: "_acme_tide", what: "/" }"#),
            ("/skServer/plugins/%40x/", r#"Plugin { id: "@x", what: "/" }"#),
            ("/plugins/x/config", r#"Plugin { id: "x", what: "/config" }"#),
            ("/plugins/x/api/%41/?q=1", r#"Plugin { id: "x", what: "/api/%41/" }"#),
            ("/skServer/plugins/x/api", r#"Plugin { id: "x", what: "/api" }"#),
            ("/skiff/v1/plugins", r#"Admin(["skiff", "v1", "plugins"])"#),
            ("/skiff/v1/plugins/x/log", r#"Admin(["skiff", "v1", "plugins", "x", "log"])"#),
            ("/skiff/v1/status", r#"Board(["status"])"#),
            ("/skiff/v1/log?lines=5", r#"Board(["log"])"#),
            ("/skiff/v1/connections/input.gps", r#"Admin(["skiff", "v1", "connections", "input.gps"])"#),
            ("/skiff/v1/wifi/", r#"Board(["wifi"])"#),
            ("/skiff/v1", "Board([])"),
            ("/metrics", r#"Board(["metrics"])"#),
            ("/login?code=x", "SignIn"),
            ("/setup?code=x", "SetUp"),
            ("/admin/", r#"Admin(["admin"])"#),
            ("/admin/assets/a.js", r#"Admin(["admin", "assets", "a.js"])"#),
            ("/@signalk/server-admin-ui/", r#"Admin(["@signalk", "server-admin-ui"])"#),
            ("/nothing", "NotFound"),
            ("/skServer/other", r#"Admin(["skServer", "other"])"#),
            ("/doc/openapi/course", r#"Admin(["doc", "openapi", "course"])"#),
            ("/documentation/", r#"Admin(["documentation"])"#),
            ("/doc", "NotFound"),
            ("/skServer", "NotFound"),
            ("", "NotFound"),
            ("http://x/", "NotFound"),
            ("/plugins//config", "NotFound"),
            ("/plugins/%ff", "NotFound"),
        ] {
            assert_eq!(of(target), expected, "{target}");
        }
    }

    #[test]
    fn configurations_and_logs_are_secret() {
        for secret in [
            "/plugins/signalk-logviewer/api/logs",
            "/plugins/x/config",
            "/skServer/plugins/x/config/?a",
            "/skiff/v1/log?lines=1",
            "/skiff/v1/plugins/x/log/",
        ] {
            assert!(route(&get(secret)).is_secret(), "{secret}");
        }
        for open in ["/", "/plugins", "/plugins/x", "/plugins/x/config/more", "/skiff/v1/status", "/signalk/v1/api"] {
            assert!(!route(&get(open)).is_secret(), "{open}");
        }
    }

    #[test]
    fn each_part_has_its_need() {
        let (nothing, read) = (Need::Nothing, Need::Read);
        let [_, write, admin] = Role::ALL.map(Need::Role);
        for (target, get_needs, post_needs) in [
            ("/", read, admin),
            ("/signalk", nothing, write),
            ("/signalk/v1/api/vessels/self", read, write),
            ("/signalk/v1/api/vessels/self/a/met%61/zones", read, admin),
            ("/signalk/v1/access/requests", nothing, nothing),
            ("/signalk/v1/requests/r1", nothing, write),
            ("/signalk/v1/auth/login", nothing, nothing),
            ("/signalk/v1/auth/other", read, write),
            ("/login", nothing, nothing),
            ("/signalk/v1/stream", read, write),
            ("/signalk/v2/api/resources/routes", read, write),
            ("/signalk/v2/api/notifications", read, write),
            ("/signalk/v2/api/vessels/self/navigation/course", read, write),
            ("/signalk/v2/api/resources/routes/_providers/_default/x", read, admin),
            ("/signalk/v2/api/weather/%5Fproviders/_defaul%74/@a/b", read, admin),
            ("/signalk/v1/applicationData/global/kip/1", read, admin),
            ("/signalk/v1/applicationData/glob%61l/kip/1", read, admin),
            ("/signalk/v1/applicationData/user/kip/1", read, write),
            ("/skServer/loginStatus", nothing, admin),
            ("/skServer/security/devices", admin, admin),
            ("/skServer/security/access/requests/x/approved", admin, admin),
            ("/skServer/settings", admin, admin),
            ("/skServer/vessel", read, admin),
            ("/skServer/openapi/course", read, admin),
            ("/doc/openapi", read, admin),
            ("/admin/", nothing, admin),
            ("/plugins", read, admin),
            ("/plugins/x/api", read, write),
            ("/plugins/x/config", admin, admin),
            ("/skServer/plugins/x/config/", admin, admin),
            ("/skiff/v1/plugins", read, admin),
            ("/skiff/v1/plugins/x/log", admin, admin),
            ("/skiff/v1/status", read, admin),
            ("/skiff/v1/log", admin, admin),
            ("/metrics", read, admin),
            ("/some-web-app/", nothing, admin),
        ] {
            let request = get(target);
            let needs = [Method::Get, Method::Post].map(|method| route(&request).need(method));
            assert_eq!(needs, [get_needs, post_needs], "{target}");
        }
    }

    #[test]
    fn the_admins_door_leads_to_nothing_that_a_package_brought() {
        let leads = |target: &str| route(&get(target)).is_of_admin_door();
        for target in
            ["/", "/login", "/signalk/v1/api", "/skServer/plugins", "/plugins/x/config", "/plugins/x", "/skiff/v1/log"]
        {
            assert!(leads(target), "{target}");
        }
        for target in ["/plugins/x/api", "/plugins/x/", "/plugins/x/config/more", "/@mxtommy/kip/", "/some.js"] {
            assert_eq!(leads(target), target == "/plugins/x/", "{target}");
        }
    }

    #[test]
    fn long_targets_are_refused() {
        assert_eq!(of(&"/a".repeat(4097)), "TooLong");
        assert_eq!(of(&"/".repeat(500)), "TooLong");
    }

    proptest::proptest! {
        #[test]
        fn never_panics(target in "(/|/plugins/|/skServer/|/signalk/v1/api/|/signalk/v2/api/)\\PC{0,40}") {
            let _ = of(&target);
        }
    }
}
