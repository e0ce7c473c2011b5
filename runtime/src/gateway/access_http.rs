//! Devices that ask to be let in, and the owner's answers: Signal K's access requests and the security routes of its
//! server that are about devices.

use alloc::borrow::Cow;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::Gateway;
use crate::accounts::{
    AccessAnswer, AccessRequest, AskError, Asking, CLIENT_ID_BYTES_MAX, DESCRIPTION_BYTES_MAX, IS_KEPT, NewToken,
    RequestState, Role, TokenKind, Tokens, expiry,
};
use crate::config::random_uuid;
use crate::http::{Method, Request};
use crate::json;
use crate::server::put::PutState;
use crate::server::requests::Requests;
use crate::server::url::decode_all;
use crate::server::{OWNER, Response, body};

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
            return refused("the body must be a JSON object or a form");
        };
        let text = |name: &str| fields.text(name).filter(|text| !text.is_empty());
        let (Some(client_id), Some(description)) = (text("clientId"), text("description")) else {
            return refused("clientId and description are needed");
        };
        if client_id.len() > CLIENT_ID_BYTES_MAX || client_id.chars().any(char::is_control) {
            return refused("clientId must be a text of at most 128 bytes");
        }
        // What apps keep is kept under the name of the token.
        if client_id == OWNER {
            return refused("clientId is the owner's name, choose another one");
        }
        if description.len() > DESCRIPTION_BYTES_MAX || description.chars().any(char::is_control) {
            return refused("description must be a text of at most 256 bytes");
        }
        let Some(role) = text("permissions").map_or(Some(Role::ReadWrite), |name| Role::from_name(&name)) else {
            return refused("permissions must be readonly, readwrite or admin");
        };
        let asking = Asking { client_id: &client_id, description: &description, role, peer: request.peer };
        let (id, now) = (random_uuid(&mut *self.hal.rng), self.hal.clock.now());
        match self.clients.access_requests.ask(asking, id, now) {
            Ok(row) => {
                log::info!(
                    "the device {client_id:?} ({description:?}) asks for access: skiff device approve {client_id}"
                );
                state_of(row)
            }
            Err(AskError::AlreadyAsked(id)) => {
                let state = PutState::completed(400, "this device has asked already, and waits for the owner's answer");
                Response::json(400, state.json(Some(&id), Some(&Requests::href(&id))))
            }
            Err(AskError::TooMany) => {
                let state = PutState::completed(429, "too many devices wait for the owner's answer");
                Response::json(429, state.json(None, None))
            }
        }
    }

    /// Returns the state of an access request; `None` when none has this id.
    pub(super) fn access_state(&self, id: &str) -> Option<Response> {
        self.clients.access_requests.of_id(id, self.hal.clock.now()).map(state_of)
    }

    /// Answers what is asked below `/skServer/security`; who asks is `admin`.
    pub(super) fn security(&mut self, what: &[&str], request: &Request) -> Response {
        if !IS_KEPT {
            return Response::error(501, ONE_TOKEN);
        }
        let Some(what) = decode_all(what) else { return Response::not_found() };
        let what: Vec<&str> = what.iter().map(Cow::as_ref).collect();
        match (what.as_slice(), request.method) {
            (["devices"], Method::Get | Method::Head) => Response::json(200, self.devices()),
            (["devices", id], Method::Put) => self.change_device(id, request),
            (["devices", id], Method::Delete) => self.change_tokens(|tokens| tokens.revoke(TokenKind::Device, id)),
            (["access", "requests"], Method::Get | Method::Head) => Response::json(200, self.waiting_devices()),
            (["access", "requests", id, "approved"], Method::Put) => self.approve(id, request),
            (["access", "requests", id, "denied"], Method::Put) => {
                let denied = self.clients.access_requests.answer(id, AccessAnswer::Denied, self.hal.clock.now());
                if denied.is_some() { said("the device is not let in") } else { nobody(id) }
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
            for token in self.setup.access.tokens().of_kind(TokenKind::Device) {
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

    fn waiting_devices(&self) -> String {
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
        let mut tokens = self.setup.access.tokens().clone();
        let text = match tokens.issue(token, wall, &mut *self.hal.rng) {
            Ok(text) => text,
            Err(full) => return Response::error(507, &full.to_string()),
        };
        if let Err(error) = tokens.save(&mut *self.hal.storage) {
            return Response::error(500, &error.to_string());
        }
        self.setup.access.set_tokens(tokens);
        self.clients.access_requests.answer(client_id, AccessAnswer::Approved(text), now);
        log::info!("the device {client_id:?} is let in as {role}");
        said("the device is let in")
    }

    /// Gives a device another role or description: `{permissions?, description?}`.
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
        self.change_tokens(|tokens| tokens.change(TokenKind::Device, client_id, role, description.as_deref()))
    }

    /// Changes the list of tokens where it is stored, then in force; `change` tells whether there was such a device.
    fn change_tokens(&mut self, change: impl FnOnce(&mut Tokens) -> bool) -> Response {
        let mut tokens = self.setup.access.tokens().clone();
        if !change(&mut tokens) {
            return Response::error(404, "there is no such device");
        }
        if let Err(error) = tokens.save(&mut *self.hal.storage) {
            return Response::error(500, &error.to_string());
        }
        self.setup.access.set_tokens(tokens);
        said("done")
    }
}

fn nobody(client_id: &str) -> Response {
    Response::error(404, &format!("no device {client_id:?} waits for an answer"))
}

fn refused(clause: &str) -> Response {
    Response::json(400, PutState::completed(400, clause).json(None, None))
}

fn said(clause: &str) -> Response {
    Response::json(200, PutState::completed(200, clause).json(None, None))
}

/// Returns the state of a request as devices read it; the token is in it when there is one.
fn state_of(row: &AccessRequest) -> Response {
    let (state, status) = match row.state {
        RequestState::Pending => ("PENDING", 202),
        RequestState::Answered(_) => ("COMPLETED", 200),
    };
    let body = json::object(|out| {
        out.text("state", state).text("requestId", &row.id).number("statusCode", status);
        out.text("href", &Requests::href(&row.id));
        if let RequestState::Answered(answer) = &row.state {
            out.object("accessRequest", |out| match answer {
                AccessAnswer::Approved(token) => _ = out.text("permission", "APPROVED").text("token", token),
                AccessAnswer::Denied => _ = out.text("permission", "DENIED"),
            });
        }
    });
    Response::json(status, body)
}
