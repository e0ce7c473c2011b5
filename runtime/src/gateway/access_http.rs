//! Devices that ask to be let in, and the owner's answers: Signal K's access requests and the security routes of its
//! server that are about devices.

use alloc::borrow::Cow;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::net::IpAddr;

use super::{Gateway, StreamId};
use crate::accounts::{
    AccessAnswer, AccessRequest, AskError, Asking, CLIENT_ID_BYTES_MAX, DESCRIPTION_BYTES_MAX, IS_KEPT, NewToken,
    RequestState, Role, TokenChange, TokenKind, Tokens, expiry,
};
use crate::config::random_uuid;
use crate::http::{Method, Request};
use crate::json;
use crate::plugin::ExchangeId;
use crate::server::put::PutState;
use crate::server::requests::Requests;
use crate::server::url::decode_all;
use crate::server::{OWNER, Response, body};
use crate::time::Instant;

/// Said where the gateway keeps one token only.
const ONE_TOKEN: &str = "this gateway has one token, its owner's, and lets no devices in beside it";

impl Gateway {
    /// Takes an access request: `{clientId, description, permissions?}` as JSON or as a form.
    pub(super) fn access_request(&mut self, request: &Request) -> Response {
        if !IS_KEPT {
            return Response::error(501, ONE_TOKEN);
        }
        if request.method != Method::Post {
            return Response::method_not_allowed("POST");
        }
        let Some(fields) = body::Fields::of(request) else {
            return said_with(400, "the body must be a JSON object or a form");
        };
        match self.ask_for_access(&fields, self.setup.access.caller(request), None) {
            Ok(text) => Response::json(202, text),
            Err(Refused { status, clause, href }) => {
                let (id, href) = href.map_or((None, None), |id| (Some(id.clone()), Some(Requests::href(&id))));
                let state = PutState::completed(status, &clause);
                Response::json(status, state.json(id.as_deref(), href.as_deref()))
            }
        }
    }

    /// Takes an access request that came over a stream; returns what to say there. The owner's answer comes there, too.
    pub(super) fn stream_access_request(&mut self, id: StreamId, request_id: Option<String>, asking: &str) -> String {
        let Ok(json) = json::compact(asking) else {
            return PutState::completed(400, "accessRequest must be an object").json(request_id.as_deref(), None);
        };
        let peer = self.clients.streams.peer(id);
        match self.ask_for_access(&body::Fields::Json(json), peer, Some((id.0, request_id.clone()))) {
            Ok(text) => text,
            Err(Refused { status, clause, href }) => {
                let href = href.map(|id| Requests::href(&id));
                PutState::completed(status, &clause).json(request_id.as_deref(), href.as_deref())
            }
        }
    }

    fn ask_for_access(
        &mut self,
        fields: &body::Fields,
        peer: Option<IpAddr>,
        stream: Option<(u64, Option<String>)>,
    ) -> Result<String, Refused> {
        if !self.setup.access.takes_requests() {
            let clause = "the owner of this gateway takes no requests to be let in".into();
            return Err(Refused { status: 403, clause, href: None });
        }
        let text = |name: &str| fields.text(name).filter(|text| !text.is_empty());
        let (Some(client_id), Some(description)) = (text("clientId"), text("description")) else {
            return Err(Refused::of("clientId and description are needed"));
        };
        if client_id.len() > CLIENT_ID_BYTES_MAX || client_id.chars().any(char::is_control) {
            return Err(Refused::of("clientId must be a text of at most 128 bytes"));
        }
        // What apps keep is kept under the name of the token.
        if client_id == OWNER || self.setup.access.accounts().users.of_name(&client_id).is_some() {
            return Err(Refused::of("clientId is the name of somebody here, choose another one"));
        }
        if description.len() > DESCRIPTION_BYTES_MAX || description.chars().any(char::is_control) {
            return Err(Refused::of("description must be a text of at most 256 bytes"));
        }
        let Some(role) = text("permissions").map_or(Some(Role::ReadWrite), |name| Role::from_name(&name)) else {
            return Err(Refused::of("permissions must be readonly, readwrite or admin"));
        };
        let asking = Asking { client_id: &client_id, description: &description, role, peer, stream };
        let (id, now) = (random_uuid(&mut *self.hal.rng), self.hal.clock.now());
        match self.clients.access_requests.ask(asking, id, now) {
            Ok(row) => {
                log::info!(
                    "the device {client_id:?} ({description:?}) asks for access: skiff device approve {client_id}"
                );
                Ok(state_text(row))
            }
            Err(AskError::AlreadyAsked(id)) => {
                let clause = "this device has asked already, and waits for the owner's answer".into();
                Err(Refused { status: 400, clause, href: Some(id) })
            }
            Err(AskError::TooMany) => {
                Err(Refused { status: 429, clause: "too many devices wait for the owner's answer".into(), href: None })
            }
        }
    }

    /// Returns the state of an access request; `None` when none has this id.
    pub(super) fn access_state(&self, id: &str) -> Option<Response> {
        self.clients.access_requests.of_id(id, self.hal.clock.now()).map(state_of)
    }

    /// Answers what is asked below `/skServer/security`; who asks is `admin`.
    pub(super) fn security(&mut self, what: &[&str], request: &Request, exchange: ExchangeId) -> Option<Response> {
        if !IS_KEPT {
            return Some(Response::error(501, ONE_TOKEN));
        }
        let Some(what) = decode_all(what) else { return Some(Response::not_found()) };
        let what: Vec<&str> = what.iter().map(Cow::as_ref).collect();
        match self.users(&what, request, exchange) {
            Some(answered) => answered.into(),
            None => Some(self.devices_and_requests(&what, request)),
        }
    }

    fn devices_and_requests(&mut self, what: &[&str], request: &Request) -> Response {
        match (what, request.method) {
            (["devices"], Method::Get | Method::Head) => Response::json(200, self.devices()),
            (["devices", id], Method::Put) => self.change_device(id, request),
            (["devices", id], Method::Delete) => self.change_tokens(|tokens| tokens.revoke(TokenKind::Device, id)),
            (["access", "requests"], Method::Get | Method::Head) => Response::json(200, self.waiting_devices()),
            (["access", "requests", id, "approved"], Method::Put) => self.approve(id, request),
            (["access", "requests", id, "denied"], Method::Put) => {
                let denied = self.answer_device(id, AccessAnswer::Denied, self.hal.clock.now());
                if denied { said("the device is not let in") } else { nobody(id) }
            }
            (["devices"] | ["access", "requests"], _) => Response::method_not_allowed("GET, HEAD"),
            (["devices", _], _) => Response::method_not_allowed("PUT, DELETE"),
            (["access", "requests", _, "approved" | "denied"], _) => Response::method_not_allowed("PUT"),
            (["access", "requests", _, _], _) => Response::error(400, "the answer is approved or denied"),
            _ => Response::error(404, "this part of the security routes is not supported"),
        }
    }

    fn devices(&self) -> String {
        json::list(|list| {
            for token in self.setup.access.accounts().tokens.of_kind(TokenKind::Device) {
                list.object(|row| {
                    row.text("clientId", &token.name).text("permissions", token.role.name());
                    row.text("description", &token.description);
                    if let Some(ends) = token.ends {
                        row.text("expires", &ends.text());
                    }
                });
            }
        })
    }

    pub(super) fn waiting_devices(&self) -> String {
        json::list(|list| {
            for asked in self.clients.access_requests.pending(self.hal.clock.now()) {
                list.object(|row| {
                    row.text("accessIdentifier", &asked.client_id).text("accessDescription", &asked.description);
                    row.text("permissions", asked.role.name()).text("requestId", &asked.id);
                    match asked.peer {
                        Some(peer) => row.text("ip", &peer.to_string()),
                        None => row.null("ip"),
                    };
                });
            }
        })
    }

    /// Lets a device in: `{permissions?, expiration?}`; without `permissions` with what it asked for, `readwrite` at most.
    fn approve(&mut self, client_id: &str, request: &Request) -> Response {
        let (now, wall) = (self.hal.clock.now(), self.wall());
        let Some(fields) = body::Fields::of(request) else {
            return Response::error(400, "the body must be a JSON object");
        };
        let Some(asked) = self.clients.access_requests.pending(now).find(|row| row.client_id == client_id) else {
            return nobody(client_id);
        };
        let (description, wanted) = (asked.description.clone(), asked.role.min(Role::ReadWrite));
        let Some(role) = fields.text("permissions").map_or(Some(wanted), |name| Role::from_name(&name)) else {
            return Response::error(400, "permissions must be readonly, readwrite or admin");
        };
        let Some(ends) = fields.text("expiration").map_or(Some(None), |text| expiry(&text, wall)) else {
            return Response::error(400, "expiration must be like 30d, 12h, 1y or NEVER, and the time must be known");
        };
        let token = NewToken { kind: TokenKind::Device, name: client_id, role, description: &description, ends };
        let mut accounts = self.setup.access.accounts().clone();
        let text = match accounts.tokens.issue(token, wall, &mut *self.hal.rng) {
            Ok(text) => text,
            Err(full) => return Response::error(507, &full.to_string()),
        };
        if let Err(error) = self.keep_accounts(accounts) {
            return Response::error(500, &error);
        }
        self.answer_device(client_id, AccessAnswer::Approved(text), now);
        log::info!("the device {client_id:?} is let in as {role}");
        said("the device is let in")
    }

    /// Gives a device another role, description or end: `{permissions?, description?, expiration?}`.
    fn change_device(&mut self, client_id: &str, request: &Request) -> Response {
        let Some(fields) = body::Fields::of(request) else {
            return Response::error(400, "the body must be a JSON object");
        };
        let role = fields.text("permissions");
        let role = match role.as_deref().map(Role::from_name) {
            Some(None) => return Response::error(400, "permissions must be readonly, readwrite or admin"),
            role => role.flatten(),
        };
        let description = fields.text("description");
        if description.as_ref().is_some_and(|text| text.len() > DESCRIPTION_BYTES_MAX) {
            return Response::error(400, "description must be a text of at most 256 bytes");
        }
        let ends = match fields.text("expiration").map(|text| expiry(&text, self.wall())) {
            Some(None) => {
                let clause = "expiration must be like 30d, 12h, 1y or NEVER, and the time must be known";
                return Response::error(400, clause);
            }
            ends => ends.flatten(),
        };
        let change = TokenChange { role, description: description.as_deref(), ends };
        self.change_tokens(|tokens| tokens.change(TokenKind::Device, client_id, change))
    }

    /// Changes the list of tokens where it is stored, then in force; `change` tells whether there was such a device.
    fn change_tokens(&mut self, change: impl FnOnce(&mut Tokens) -> bool) -> Response {
        let mut accounts = self.setup.access.accounts().clone();
        if !change(&mut accounts.tokens) {
            return Response::error(404, "there is no such device");
        }
        match self.keep_accounts(accounts) {
            Ok(()) => said("done"),
            Err(error) => Response::error(500, &error),
        }
    }

    /// Answers the request of a device, and tells it where it waits on a stream; false when it has none that waits.
    fn answer_device(&mut self, client_id: &str, answer: AccessAnswer, now: Instant) -> bool {
        let Some(row) = self.clients.access_requests.answer(client_id, answer, now) else { return false };
        let text = state_text(row);
        if let Some((stream, _)) = row.stream {
            self.clients.reply(StreamId(stream), &text);
        }
        true
    }
}

fn nobody(client_id: &str) -> Response {
    Response::error(404, &format!("no device {client_id:?} waits for an answer"))
}

/// Why an access request is not taken.
struct Refused {
    status: u16,
    clause: String,
    /// The id of the request that the device has made before.
    href: Option<String>,
}

impl Refused {
    fn of(clause: &str) -> Self {
        Self { status: 400, clause: clause.into(), href: None }
    }
}

fn said_with(status: u16, clause: &str) -> Response {
    Response::json(status, PutState::completed(status, clause).json(None, None))
}

pub(super) fn said(clause: &str) -> Response {
    said_with(200, clause)
}

/// Returns the state of a request as devices read it; the token is in it when there is one.
fn state_of(row: &AccessRequest) -> Response {
    Response::json(status_of(row), state_text(row))
}

fn status_of(row: &AccessRequest) -> u16 {
    if row.state == RequestState::Pending { 202 } else { 200 }
}

fn state_text(row: &AccessRequest) -> String {
    // On a stream the device knows its request by the id that it gave itself.
    let own_id = row.stream.as_ref().and_then(|(_, id)| id.as_deref());
    json::object(|out| {
        out.text("state", if row.state == RequestState::Pending { "PENDING" } else { "COMPLETED" });
        out.text("requestId", own_id.unwrap_or(&row.id)).number("statusCode", status_of(row));
        out.text("href", &Requests::href(&row.id));
        if let RequestState::Answered(answer) = &row.state {
            out.object("accessRequest", |out| match answer {
                AccessAnswer::Approved(token) => _ = out.text("permission", "APPROVED").text("token", token),
                AccessAnswer::Denied => _ = out.text("permission", "DENIED"),
            });
        }
    })
}
