//! Other Signal K servers as the admin UI asks about them: who they are, and to be let in (signalk-server 2.32
//! `serverroutes.js`).

use skiff_runtime::json;
use skiff_runtime::server::Response;

use crate::input::server::ask::{Asked, ask};

/// Said of whatever goes wrong on the way: what answers at an address is nobody's business but a server's.
const NO_SERVER: &str = "Could not connect to Signal K server";
/// Said where any certificate would be taken.
const CERTIFICATE: &str = "no unknown certificate is taken here: name it in skiff.inputs, wss://…?fingerprint=";
/// Bytes of a text of the form.
const TEXT_BYTES_MAX: usize = 4096;

/// Who is asked.
struct Peer {
    host: String,
    port: u16,
    is_secure: bool,
    body: String,
}

impl Peer {
    fn read(body: &str) -> Result<Self, &'static str> {
        let body = json::compact(body).map_err(|_| "the body must be JSON")?;
        let host = json::member(&body, "host").and_then(json::string).filter(|host| !host.is_empty());
        let port = json::member(&body, "port").map(|port| port.trim_matches('"')).and_then(|port| port.parse().ok());
        let flag = |name| json::member(&body, name) == Some("true");
        let (Some(host), Some(port)) = (host.map(String::from), port) else { return Err("host and port are needed") };
        if flag("selfsignedcert") && flag("useTLS") {
            return Err(CERTIFICATE);
        }
        Ok(Self { host, port, is_secure: flag("useTLS"), body })
    }

    fn text(&self, name: &str) -> Option<String> {
        let text = json::member(&self.body, name).and_then(json::string)?;
        Some(text.into_owned()).filter(|text| !text.is_empty() && text.len() <= TEXT_BYTES_MAX)
    }

    fn ask(&self, what: &Asked<'_>) -> Option<(u16, String)> {
        ask(&self.host, self.port, self.is_secure, what).ok()
    }
}

fn failed(clause: &str) -> Response {
    Response::json(200, json::object(|out| _ = out.boolean("success", false).text("error", clause)))
}

/// Answers `testSignalKConnection`.
pub(super) fn server(body: &str) -> Response {
    let peer = match Peer::read(body) {
        Ok(peer) => peer,
        Err(clause) => return failed(clause),
    };
    let about = peer.ask(&Asked { path: "/signalk", ..Asked::default() });
    let Some((200, about)) = about else { return failed(NO_SERVER) };
    // Of what answers there only a server's name and version are handed on.
    let server = json::member(&about, "server").map(|server| {
        let text = |name| json::member(server, name).and_then(json::string).unwrap_or_default().into_owned();
        json::object(|out| _ = out.text("id", &text("id")).text("version", &text("version")))
    });
    let status = peer.text("token").map(|token| {
        let answer = peer.ask(&Asked { path: "/skServer/loginStatus", token: Some(&token), ..Asked::default() });
        answer.filter(|(status, text)| *status == 200 && json::member(text, "status") == Some("\"loggedIn\""))
    });
    let answer = json::object(|out| {
        out.boolean("success", !matches!(status, Some(None)));
        match &status {
            None => _ = out.boolean("authenticated", false),
            Some(None) => {
                out.boolean("connected", true).text("error", "Authentication failed: token may be invalid or revoked");
            }
            Some(Some((_, text))) => {
                out.boolean("authenticated", true);
                for name in ["userLevel", "username"] {
                    if let Some(value) = json::member(text, name).and_then(json::string) {
                        out.text(name, &value);
                    }
                }
            }
        }
        if let Some(server) = &server {
            out.json("server", server);
        }
    });
    Response::json(200, answer)
}

/// Answers `requestAccess`.
pub(super) fn ask_access(body: &str) -> Response {
    let Ok(peer) = Peer::read(body) else { return no_reply(400, "host and port are needed") };
    let asks = json::object(|out| {
        for name in ["clientId", "description"] {
            if let Some(text) = peer.text(name) {
                out.text(name, &text);
            }
        }
    });
    let asked = Asked { path: "/signalk/v1/access/requests", body: Some(&asks), token: None };
    reply(peer.ask(&asked))
}

/// Answers `checkAccessRequest`.
pub(super) fn check_access(body: &str) -> Response {
    let Ok(peer) = Peer::read(body) else { return no_reply(400, "host and port are needed") };
    // It stands in a path.
    let sound = |id: &String| id.len() <= 64 && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    let Some(id) = peer.text("requestId").filter(sound) else { return no_reply(400, "requestId is needed") };
    reply(peer.ask(&Asked { path: &format!("/signalk/v1/requests/{id}"), ..Asked::default() }))
}

fn no_reply(status: u16, clause: &str) -> Response {
    Response::json(status, json::object(|out| _ = out.text("state", "ERROR").text("error", clause)))
}

/// Hands on what the page reads of an access request, and nothing else.
fn reply(answer: Option<(u16, String)>) -> Response {
    let Some((_, text)) = answer else { return no_reply(200, NO_SERVER) };
    let of = |object: &str, name: &str| json::member(object, name).and_then(json::string).map(String::from);
    let Some(state) = of(&text, "state") else { return no_reply(200, NO_SERVER) };
    let answer = json::object(|out| {
        out.text("state", &state);
        for name in ["requestId", "message"] {
            if let Some(value) = of(&text, name) {
                out.text(name, &value);
            }
        }
        if let Some(request) = json::member(&text, "accessRequest") {
            out.object("accessRequest", |out| {
                for name in ["permission", "token"] {
                    if let Some(value) = of(request, name) {
                        out.text(name, &value);
                    }
                }
            });
        }
    });
    Response::json(200, answer)
}
