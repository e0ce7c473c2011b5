//! Answers that need only the model and a few facts.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::access::{self, session_cookie};
use super::url::{authority, decode_all};
use super::{Access, Response, Route, SERVER_ROUTES, index, sign_in};
use crate::accounts;
use crate::http::{Door, Method, Request};
use crate::json;
use crate::model::{Model, SCHEMA_VERSION};
use crate::time::UnixMillis;

/// Facts that answers are made of.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    /// The data model.
    pub model: &'a Model,
    /// Who may do what.
    pub access: &'a Access,
    /// Wall clock, for the age of a value.
    pub wall: UnixMillis,
    /// Version of the gateway.
    pub version: &'a str,
    /// The installed plugins, for `/signalk/v2/features`.
    pub plugins: &'a [PluginFacts<'a>],
}

/// A plugin as `/signalk/v2/features` lists it.
#[derive(Clone, Copy, Debug)]
pub struct PluginFacts<'a> {
    /// Plugin id.
    pub id: &'a str,
    /// Display name.
    pub name: &'a str,
    /// Version of the package.
    pub version: &'a str,
    /// Whether it is to run.
    pub enabled: bool,
}

/// Answers what asks for data only; `None` for everything else.
///
/// Call it after [`Access::check`]. A `HEAD` request is answered like `GET`; the carrier leaves the body out.
#[must_use]
pub fn answer(request: &Request, route: &Route<'_>, facts: &Facts<'_>) -> Option<Response> {
    Some(match route {
        Route::Index => read(request, || with_session(index::page(request), request, facts.access)),
        Route::Signalk(below) => match below.as_slice() {
            [] => read(request, || discovery(request, facts.version)),
            // The list of web apps; files, as theirs are.
            ["v1", "apps", "list"] if SERVER_ROUTES => read(request, || Response::json(200, "[]").or_file()),
            ["v1", "api", "self"] => read(request, || Response::json(200, json::quoted(facts.model.self_context()))),
            // A change is for the path's PUT handler.
            ["v1", "api", ..] if matches!(request.method, Method::Put | Method::Delete) => return None,
            ["v1", "api", ..] if !request.method.is_read() => Response::method_not_allowed("GET, HEAD, PUT"),
            // Charts are resources, which charts plugins of Signal K Server give here, too.
            ["v1", "api", "resources", "charts", ..] => return None,
            ["v1", "api", path @ ..] => api(path, facts),
            ["v2", "features"] => read(request, || features(request.query(), facts.plugins)),
            _ => return None,
        },
        Route::Admin(address) => match address.as_slice() {
            ["skServer", "loginStatus"] => {
                read(request, || Response::json(200, login_status(request, facts.access, facts.wall)))
            }
            // Web apps are files, which only a carrier with package folders has (plugin ABI §1.6).
            ["skServer", "webapps" | "addons"] => read(request, || Response::json(200, "[]").or_file()),
            // Which devices there are, a carrier can see.
            ["skServer", "serialports"] if SERVER_ROUTES => {
                read(request, || Response::json(200, no_serial_ports()).or_file())
            }
            #[cfg(any(test, feature = "server-routes"))]
            address if super::route::is_admin_ui(address) => read(request, || super::admin_ui::of(address, request)),
            _ => return None,
        },
        Route::SignIn if accounts::IS_KEPT => read(request, || sign_in::of(request)),
        Route::SignIn => Response::unclaimed(),
        Route::TooLong => Response::error(414, "the address is too long"),
        Route::NotFound => Response::unclaimed(),
        Route::Stream(_) | Route::Plugin { .. } | Route::Board(_) => return None,
        #[cfg(any(test, feature = "set-up"))]
        Route::SetUp => return None,
    })
}

/// Returns the answer of a machine that has no serial ports.
fn no_serial_ports() -> String {
    json::object(|out| {
        for kind in ["byId", "byPath", "byOpenPlotter", "serialports"] {
            out.list(kind, |_| {});
        }
    })
}

/// Answers what can only be read.
fn read(request: &Request, answer: impl FnOnce() -> Response) -> Response {
    if request.method.is_read() { answer() } else { Response::method_not_allowed("GET, HEAD") }
}

/// Gives a browser that opened the page with `?token=` a session for its later requests, which a page cannot give header
/// fields to. It is good for reading only ([`Access::check`]).
fn with_session(page: Response, request: &Request, access: &Access) -> Response {
    let is_here = request.door == Door::Boat;
    match access::token_in_query(request).filter(|token| is_here && access.is_token(token)) {
        Some(_) => {
            let (name, session) = (session_cookie(request.door), access.session());
            page.with("set-cookie", &format!("{name}={session}; Path=/; HttpOnly; SameSite=Strict"))
        }
        None => page,
    }
}

/// Returns the document a client starts from; its addresses are those the client used.
fn discovery(request: &Request, version: &str) -> Response {
    // Without checks of Host (`--allow-anyone`) it can be anything.
    let host = request.header("host").filter(|host| authority(host).is_some()).unwrap_or("localhost");
    let tls = if request.secure { "s" } else { "" };
    let body = json::object(|body| {
        body.object("endpoints", |endpoints| {
            endpoints.object("v1", |v1| {
                v1.text("version", SCHEMA_VERSION);
                v1.text("signalk-http", &format!("http{tls}://{host}/signalk/v1/api/"));
                v1.text("signalk-ws", &format!("ws{tls}://{host}/signalk/v1/stream"));
            });
        });
        body.object("server", |server| {
            server.text("id", "skiff").text("version", version);
        });
    });
    Response::json(200, body)
}

/// The age of a value is told; chips leave the code of it out, their clients have the time stamp.
const TELLS_AGE: bool = cfg!(any(test, feature = "std"));

fn api(path: &[&str], facts: &Facts<'_>) -> Response {
    let Some(path) = decode_all(path) else { return Response::unclaimed() };
    let path: Vec<&str> = path.iter().map(|segment| &**segment).collect();
    let Some(json) = facts.model.json_at(&path) else { return Response::not_found() };
    let told = Some(()).filter(|()| TELLS_AGE && facts.wall.is_known()).and_then(|()| facts.model.told_at(&path));
    let age = told.map(|told| facts.wall.0.saturating_sub(told.0) / 1000);
    let response = Response::json(200, json);
    match age {
        // A member of the answer would be none of the Signal K schema, and `Age` is that of a cache (RFC 9111 §5.1).
        Some(age) => response.with("skiff-age", &age.to_string()),
        None => response,
    }
}

/// The APIs of version 2.
const APIS: &[&str] = &[
    #[cfg(any(test, feature = "autopilot"))]
    "autopilot",
    #[cfg(any(test, feature = "course"))]
    "course",
    #[cfg(any(test, feature = "history"))]
    "history",
    "notifications",
    "radar",
    "resources",
    "weather",
];

/// Lists APIs and plugins; `?enabled=1` or `0` keeps only the plugins that are or are not.
fn features(query: &str, plugins: &[PluginFacts<'_>]) -> Response {
    let wanted = query.split('&').find_map(|pair| match pair {
        "enabled=1" | "enabled=true" => Some(true),
        "enabled=0" | "enabled=false" => Some(false),
        _ => None,
    });
    let body = json::object(|body| {
        body.list("apis", |apis| {
            for api in APIS {
                apis.text(api);
            }
        });
        body.list("plugins", |rows| {
            for plugin in plugins.iter().filter(|plugin| wanted.is_none_or(|wanted| wanted == plugin.enabled)) {
                rows.object(|row| {
                    row.text("id", plugin.id).text("name", plugin.name).text("version", plugin.version);
                    row.boolean("enabled", plugin.enabled);
                });
            }
        });
    });
    Response::json(200, body)
}

/// Returns who is logged in.
pub(crate) fn login_status(request: &Request, access: &Access, wall: UnixMillis) -> String {
    let needed = !access.allows_anyone();
    let role = access.role(request, wall).filter(|_| needed);
    let logged_in = role.is_some();
    let name = access.name(request, wall).filter(|_| accounts::IS_KEPT && logged_in);
    json::object(|body| {
        body.text("status", if logged_in { "loggedIn" } else { "notLoggedIn" });
        if let Some(role) = role {
            body.text("userLevel", role.name());
        }
        if let Some(name) = name {
            body.text("username", name);
        }
        let guests_read = needed && access.is_guest_reader(request);
        body.boolean("readOnlyAccess", guests_read).boolean("authenticationRequired", needed);
        if request.door == Door::Admin {
            body.text("door", "admin");
        }
        body.boolean("allowNewUserRegistration", false).boolean("allowDeviceAccessRequests", access.takes_requests());
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::budget::{Board, Limits};
    use crate::config::fake::Counting;
    use crate::delta::{Delta, Stamp};
    use crate::http::get;
    use crate::server::route;
    use crate::time::UnixMillis;
    use std::string::ToString;

    const SELF: &str = "vessels.urn:mrn:signalk:uuid:00000000-0000-4000-8000-000000000001";
    const PLUGINS: [PluginFacts<'static>; 2] = [
        PluginFacts { id: "_acme_tide", name: "Tide \"1\"", version: "1.2.3", enabled: true },
        PluginFacts { id: "b", name: "b", version: "0.0.1", enabled: false },
    ];

    fn ask(request: &Request, access: &Access) -> Option<Response> {
        let mut model = Model::new(&Limits::of(Board::Linux), SELF);
        let stamp = Stamp { source_ref: "@acme/tide", self_context: SELF, now: UnixMillis(0) };
        model.apply(&Delta::parse(r#"{"updates":[{"values":[{"path":"a.b","value":1.5}]}]}"#, &stamp).unwrap());
        answer(
            request,
            &route(request),
            &Facts { model: &model, access, wall: UnixMillis(0), version: "0.1.0", plugins: &PLUGINS },
        )
    }

    fn text(target: &str) -> (u16, String) {
        let access = Access::with_new_token(&mut Counting(0)).0;
        let response = ask(&get(target), &access).unwrap();
        (response.status, String::from_utf8(response.body.into_owned()).unwrap())
    }

    #[test]
    fn discovery_gives_absolute_addresses() {
        let expected = r#"{"endpoints":{"v1":{"version":"1.7.0","signalk-http":"http://localhost:3000/signalk/v1/api/","signalk-ws":"ws://localhost:3000/signalk/v1/stream"}},"server":{"id":"skiff","version":"0.1.0"}}"#;
        assert_eq!(text("/signalk"), (200, expected.to_string()));
        let access = Access::with_new_token(&mut Counting(0)).0;
        let mut request = Request { secure: true, ..get("/signalk") };
        request.headers = alloc::vec![("host".to_string(), "x\",\"y".to_string())];
        let body = ask(&request, &access).unwrap().body;
        assert!(
            String::from_utf8(body.into_owned())
                .unwrap()
                .contains(r#""signalk-ws":"wss://localhost/signalk/v1/stream""#)
        );
    }

    #[test]
    fn rest_answers_json_or_an_html_404() {
        let leaf = r#"{"value":1.5,"$source":"@acme/tide","timestamp":"1970-01-01T00:00:00.000Z"}"#;
        assert_eq!(text("/signalk/v1/api/vessels/self/a/b"), (200, leaf.to_string()));
        assert_eq!(text("/signalk/v1/api/vessels/self/a/b/"), (200, leaf.to_string()));
        assert_eq!(text("/signalk/v1/api/vessels/self/a/b/value"), (200, "1.5".to_string()));
        assert_eq!(text("/signalk/v1/api/self"), (200, format!("\"{SELF}\"")));
        assert!(text("/signalk/v1/api/").1.starts_with(r#"{"version":"1.7.0","self":"vessels.urn"#));
        let (status, page) = text("/signalk/v1/api/vessels/self/x");
        assert!(status == 404 && page.starts_with("<!DOCTYPE html>"));
    }

    #[test]
    fn features_can_be_filtered() {
        let one = r#"{"id":"_acme_tide","name":"Tide \"1\"","version":"1.2.3","enabled":true}"#;
        let two = r#"{"id":"b","name":"b","version":"0.0.1","enabled":false}"#;
        assert_eq!(
            text("/signalk/v2/features").1,
            format!(
                r#"{{"apis":["autopilot","course","history","notifications","radar","resources","weather"],"plugins":[{one},{two}]}}"#
            )
        );
        assert_eq!(
            text("/signalk/v2/features?enabled=1").1,
            format!(
                r#"{{"apis":["autopilot","course","history","notifications","radar","resources","weather"],"plugins":[{one}]}}"#
            )
        );
        assert_eq!(
            text("/signalk/v2/features?enabled=0").1,
            format!(
                r#"{{"apis":["autopilot","course","history","notifications","radar","resources","weather"],"plugins":[{two}]}}"#
            )
        );
    }

    #[test]
    fn what_cannot_be_answered_says_so() {
        assert_eq!(text(&"/a".repeat(5000)).0, 414);
        assert!(text("/nothing").1.starts_with("<!DOCTYPE html>"));
        assert_eq!(text("/signalk/v1/api/%ff").0, 404);
        let access = Access::with_new_token(&mut Counting(0)).0;
        let delete = Request { method: Method::Delete, ..get("/signalk") };
        assert_eq!(ask(&delete, &access).unwrap().header("allow"), Some("GET, HEAD"));
    }

    #[test]
    fn login_status_follows_the_access_rules() {
        let (access, token) = Access::with_new_token(&mut Counting(0));
        let status = |request: &Request, access: &Access| {
            String::from_utf8(ask(request, access).unwrap().body.into_owned()).unwrap()
        };
        let mut request = get("/skServer/loginStatus");
        assert!(status(&request, &access).starts_with(r#"{"status":"notLoggedIn","readOnlyAccess":true"#));
        assert!(status(&request, &access.clone().allow_anyone()).contains(r#""authenticationRequired":false"#));
        request.headers.push(("authorization".into(), format!("Bearer {}", token.as_str())));
        assert!(
            status(&request, &access).starts_with(r#"{"status":"loggedIn","userLevel":"admin","username":"admin""#)
        );
        let away = Request { local: false, ..get("/skServer/loginStatus") };
        assert!(status(&away, &access).contains(r#""readOnlyAccess":false,"authenticationRequired":true"#));
        assert!(status(&away, &access.guests_read(true)).contains(r#""readOnlyAccess":true"#));
    }

    #[test]
    fn routes_of_others_are_left_to_them() {
        let access = Access::with_new_token(&mut Counting(0)).0;
        for target in [
            "/plugins",
            "/plugins/x/config",
            "/plugins/x/api",
            "/skiff/v1/status",
            "/signalk/v1/stream",
            "/signalk/v2/api/resources",
            "/signalk/v2/api/history",
        ] {
            assert_eq!(ask(&get(target), &access), None, "{target}");
        }
    }
}
