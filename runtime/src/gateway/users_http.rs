//! Users and tokens as the admin and the command line see them: routes of Signal K's server below `/skServer/security`, and
//! Skiff's own beside them.

use alloc::string::{String, ToString};

use super::Gateway;
use super::access_http::said;
use super::log_in::UserChange;
use crate::accounts::{
    DESCRIPTION_BYTES_MAX, NewToken, Role, TokenKind, User, UserError, check_name, check_password, expiry,
};
use crate::http::{Method, Request};
use crate::json;
use crate::plugin::ExchangeId;
use crate::server::{OWNER, Response, body};

/// Said of a role that is none.
const ROLES: &str = "type must be readonly, readwrite or admin";

impl Gateway {
    /// Answers what is asked about users, tokens and the link to sign in with; `None` for everything else.
    pub(super) fn users(&mut self, what: &[&str], request: &Request, exchange: ExchangeId) -> Option<Answered> {
        let now = |response| Some(Answered::Now(response));
        match (what, request.method) {
            (["users"], Method::Get | Method::Head) => now(Response::json(200, self.user_rows())),
            (["users", name], Method::Get | Method::Head) => {
                now(match self.setup.access.accounts().users.of_name(name) {
                    Some(user) => Response::json(200, json::object(|out| user_row(out, user))),
                    None => nobody(),
                })
            }
            (["users", name], Method::Post) => Some(self.add_user(name, request, exchange)),
            (["users", name], Method::Put) => Some(self.change_user(name, request, exchange)),
            (["users", name], Method::Delete) => now(self.remove_user(name)),
            (["user", name, "password"], Method::Put) => Some(self.change_password(name, request, exchange)),
            (["tokens"], Method::Get | Method::Head) => now(Response::json(200, self.token_rows())),
            (["tokens", name], Method::Post) => now(self.make_token(name, request)),
            (["tokens", name], Method::Delete) => now(self.revoke_token(name)),
            (["signInCode"], Method::Post) => {
                let code = self.new_sign_in_code();
                now(Response::json(200, json::object(|out| _ = out.text("code", &code))))
            }
            (["config"], Method::Get | Method::Head) => now(Response::json(200, self.security_settings())),
            (["users" | "tokens"], _) => now(Response::method_not_allowed("GET, HEAD")),
            (["users", _], _) => now(Response::method_not_allowed("GET, HEAD, POST, PUT, DELETE")),
            (["tokens", _], _) => now(Response::method_not_allowed("POST, DELETE")),
            (["user", _, "password"], _) => now(Response::method_not_allowed("PUT")),
            (["signInCode"], _) => now(Response::method_not_allowed("POST")),
            #[cfg(any(test, feature = "server-routes"))]
            (["config"], Method::Put) => {
                let body = core::str::from_utf8(&request.body).ok().and_then(|text| json::compact(text).ok());
                now(body.map_or_else(
                    || Response::error(400, "the body must be an object"),
                    |body| self.set_security(&body),
                ))
            }
            #[cfg(not(any(test, feature = "server-routes")))]
            (["config"], Method::Put) => now(Response::error(
                501,
                "settings of security are not changed here: --guests, or skiff.guests of settings.json",
            )),
            (["config"], _) => now(Response::method_not_allowed("GET, HEAD, PUT")),
            _ => None,
        }
    }

    fn user_rows(&self) -> String {
        json::list(|list| {
            for user in self.setup.access.accounts().users.iter() {
                list.object(|out| user_row(out, user));
            }
        })
    }

    /// What Signal K's server tells of its security settings; secrets are none of it.
    pub(super) fn security_settings(&self) -> String {
        json::object(|out| {
            out.boolean("allow_readonly", self.setup.access.lets_guests_read());
            let takes = self.setup.access.takes_requests();
            out.boolean("allowNewUserRegistration", false).boolean("allowDeviceAccessRequests", takes);
            out.text("expiration", "1d");
        })
    }

    /// Makes a user: `{password, type}`.
    fn add_user(&mut self, name: &str, request: &Request, exchange: ExchangeId) -> Answered {
        let accounts = self.setup.access.accounts();
        let is_taken = accounts.users.of_name(name).is_some()
            // What apps keep is kept under the name, be it that of a user or of a device.
            || accounts.tokens.of_kind(TokenKind::Device).any(|token| token.name == name);
        if is_taken {
            return Answered::Now(taken());
        }
        let Some(fields) = body::Fields::of(request) else { return no_object() };
        let (Some(password), Some(role)) = (fields.text("password"), fields.text("type")) else {
            return Answered::Now(Response::error(400, "password and type are needed"));
        };
        let Some(role) = Role::from_name(&role) else { return Answered::Now(Response::error(400, ROLES)) };
        // The owner's token is called so; a user of this name is the owner, and nobody else.
        if name == OWNER && role != Role::Admin {
            return Answered::Now(Response::error(400, "the user admin is the owner, and can only be admin"));
        }
        if let Err(error) = check_name(name).and_then(|()| check_password(&password)) {
            return Answered::Now(Response::error(400, &error.to_string()));
        }
        if accounts.users.is_full() {
            return Answered::Now(Response::error(507, &UserError::NoRoom.to_string()));
        }
        self.set_password(name, UserChange::New(role), password, exchange).into()
    }

    /// Gives a user another role or password: `{type?, password?}`.
    fn change_user(&mut self, name: &str, request: &Request, exchange: ExchangeId) -> Answered {
        let Some(fields) = body::Fields::of(request) else { return no_object() };
        let role = match fields.text("type").as_deref().map(Role::from_name) {
            Some(None) => return Answered::Now(Response::error(400, ROLES)),
            role => role.flatten(),
        };
        let password = fields.text("password");
        if let Some(Err(error)) = password.as_deref().map(check_password) {
            return Answered::Now(Response::error(400, &error.to_string()));
        }
        let mut accounts = self.setup.access.accounts().clone();
        let Some(user) = accounts.users.of_name(name) else { return Answered::Now(nobody()) };
        if name == OWNER && role.unwrap_or(user.role) != Role::Admin {
            return Answered::Now(Response::error(400, "the user admin is the owner, and can only be admin"));
        }
        if let Some(password) = password {
            return self.set_password(name, UserChange::Known(role), password, exchange).into();
        }
        let role = role.unwrap_or(user.role);
        accounts.users.set_role(name, role);
        Answered::Now(match self.keep_accounts(accounts) {
            Ok(()) => said("done"),
            Err(error) => Response::error(500, &error),
        })
    }

    /// Sets a password, which is the whole body, a JSON text.
    fn change_password(&mut self, name: &str, request: &Request, exchange: ExchangeId) -> Answered {
        let text = core::str::from_utf8(&request.body).ok().and_then(|text| json::string(text.trim()));
        let Some(password) = text else {
            return Answered::Now(Response::error(400, "the body must be the password, a JSON text"));
        };
        if self.setup.access.accounts().users.of_name(name).is_none() {
            return Answered::Now(nobody());
        }
        if let Err(error) = check_password(&password) {
            return Answered::Now(Response::error(400, &error.to_string()));
        }
        self.set_password(name, UserChange::Known(None), password.into_owned(), exchange).into()
    }

    fn remove_user(&mut self, name: &str) -> Response {
        let mut accounts = self.setup.access.accounts().clone();
        if !accounts.users.remove(name) {
            return nobody();
        }
        accounts.logins.close_all_of(name);
        match self.keep_accounts(accounts) {
            Ok(()) => said("the user is removed"),
            Err(error) => Response::error(500, &error),
        }
    }

    fn token_rows(&self) -> String {
        json::list(|list| {
            for token in self.setup.access.accounts().tokens.of_kind(TokenKind::Named) {
                list.object(|row| {
                    row.text("name", &token.name).text("role", token.role.name());
                    row.text("description", &token.description);
                    if let Some(ends) = token.ends {
                        row.text("expires", &ends.text());
                    }
                });
            }
        })
    }

    /// Makes a token for a program or a person: `{role, expiration?, description?}`; told this once.
    fn make_token(&mut self, name: &str, request: &Request) -> Response {
        let wall = self.wall();
        let Some(fields) = body::Fields::of(request) else {
            return Response::error(400, "the body must be a JSON object");
        };
        let Some(role) = fields.text("role").as_deref().and_then(Role::from_name) else {
            return Response::error(400, "role must be readonly, readwrite or admin");
        };
        let Some(ends) = fields.text("expiration").map_or(Some(None), |text| expiry(&text, wall)) else {
            return Response::error(400, "expiration must be like 30d, 12h, 1y or NEVER, and the time must be known");
        };
        let description = fields.text("description").unwrap_or_default();
        if description.len() > DESCRIPTION_BYTES_MAX || check_name(name).is_err() {
            return Response::error(400, "a name has at most 64 bytes, a description 256");
        }
        let mut accounts = self.setup.access.accounts().clone();
        let token = NewToken { kind: TokenKind::Named, name, role, description: &description, ends };
        let text = match accounts.tokens.issue(token, wall, &mut *self.hal.rng) {
            Ok(text) => text,
            Err(full) => return Response::error(507, &full.to_string()),
        };
        match self.keep_accounts(accounts) {
            Ok(()) => {
                log::info!("the token {name:?} is made, it is {role}");
                Response::json(201, json::object(|out| _ = out.text("token", &text)))
            }
            Err(error) => Response::error(500, &error),
        }
    }

    fn revoke_token(&mut self, name: &str) -> Response {
        let mut accounts = self.setup.access.accounts().clone();
        if !accounts.tokens.revoke(TokenKind::Named, name) {
            return Response::error(404, "there is no such token");
        }
        match self.keep_accounts(accounts) {
            Ok(()) => said("the token is revoked"),
            Err(error) => Response::error(500, &error),
        }
    }
}

/// An answer, or one that comes later.
pub(super) enum Answered {
    Now(Response),
    Later,
}

impl From<Option<Response>> for Answered {
    fn from(response: Option<Response>) -> Self {
        response.map_or(Self::Later, Self::Now)
    }
}

impl From<Answered> for Option<Response> {
    fn from(answered: Answered) -> Self {
        match answered {
            Answered::Now(response) => Some(response),
            Answered::Later => None,
        }
    }
}

fn user_row(out: &mut json::Object<'_>, user: &User) {
    out.text("userId", &user.name).text("type", user.role.name());
}

pub(super) fn taken() -> Response {
    Response::error(409, "there is somebody of this name already")
}

pub(super) fn nobody() -> Response {
    Response::error(404, "there is no such user")
}

fn no_object() -> Answered {
    Answered::Now(Response::error(400, "the body must be a JSON object"))
}
