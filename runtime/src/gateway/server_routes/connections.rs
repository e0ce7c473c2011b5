//! Inputs and outputs as an admin changes them: the HAL keeps them, since only it can open and close them, and answers what
//! is wished. Where it keeps none they are rows that are looked at.

use alloc::boxed::Box;
use alloc::string::{String, ToString};

use super::inputs;
use crate::gateway::Gateway;
use crate::gateway::exchanges::Pending;
use crate::http::{Method, Request};
use crate::plugin::ExchangeId;
use crate::server::Response;
use crate::server::url::decode;

/// Who speaks: the same connections have two forms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConnectionForm {
    /// `/skiff/v1/connections`: a URL as on the command line.
    Own,
    /// `/skServer/providers`: the fields of Signal K Server's admin UI.
    AdminUi,
}

/// What an admin wishes of the connections; bodies are as they came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ConnectionWish {
    /// All of them.
    List(ConnectionForm),
    /// One more.
    Add(ConnectionForm, Box<str>),
    /// This one otherwise.
    Change(ConnectionForm, Box<str>, Box<str>),
    /// This one no more.
    Remove(ConnectionForm, Box<str>),
    /// Whether an address opens, and what is heard there.
    Test(Box<str>),
    /// What can be found on the network; told by [`Gateway::tell_found`].
    Discover,
    /// What another server is.
    Server(Box<str>),
    /// To be let in by another server.
    AskAccess(Box<str>),
    /// Whether it lets us in.
    CheckAccess(Box<str>),
}

/// Reads what is wished below `/skServer`.
pub(super) fn of_admin_ui(what: &[&str], request: &Request) -> Option<ConnectionWish> {
    use ConnectionForm::AdminUi;
    use Method::{Delete, Post, Put};
    let (body, reads) = (|| body(request), request.method.is_read());
    Some(match (what, request.method) {
        (["providers"], _) if reads => ConnectionWish::List(AdminUi),
        (["providers"], Post) => ConnectionWish::Add(AdminUi, body()?),
        (["providers", id], Put) => ConnectionWish::Change(AdminUi, name(id)?, body()?),
        (["providers", id], Delete) => ConnectionWish::Remove(AdminUi, name(id)?),
        (["runDiscovery"], Put) => ConnectionWish::Discover,
        (["testSignalKConnection"], Post) => ConnectionWish::Server(body()?),
        (["requestAccess"], Post) => ConnectionWish::AskAccess(body()?),
        (["checkAccessRequest"], Post) => ConnectionWish::CheckAccess(body()?),
        _ => return None,
    })
}

fn body(request: &Request) -> Option<Box<str>> {
    core::str::from_utf8(&request.body).ok().map(Box::from)
}

fn name(segment: &str) -> Option<Box<str>> {
    decode(segment).map(|name| name.to_string().into_boxed_str())
}

impl Gateway {
    /// Answers what is asked for below `/skiff/v1/connections`.
    pub(in crate::gateway) fn connection_request(
        &mut self,
        what: &[&str],
        request: &Request,
        exchange: ExchangeId,
    ) -> Option<Response> {
        use ConnectionForm::Own;
        use Method::{Delete, Get, Head, Post, Put};
        let no_text = || Some(Response::error(400, "the body must be JSON"));
        let wish = match (what, request.method) {
            ([], Get | Head) => ConnectionWish::List(Own),
            ([] | ["test"], Post) => {
                let Some(body) = body(request) else { return no_text() };
                if what.is_empty() { ConnectionWish::Add(Own, body) } else { ConnectionWish::Test(body) }
            }
            ([], _) => return Some(Response::method_not_allowed("GET, HEAD, POST")),
            (["test"], _) => return Some(Response::method_not_allowed("POST")),
            ([id], Put | Delete) => {
                let Some(id) = name(id) else { return Some(Response::unclaimed()) };
                match (request.method, body(request)) {
                    (Delete, _) => ConnectionWish::Remove(Own, id),
                    (_, Some(body)) => ConnectionWish::Change(Own, id, body),
                    (_, None) => return no_text(),
                }
            }
            ([_], _) => return Some(Response::method_not_allowed("PUT, DELETE")),
            _ => return Some(Response::unclaimed()),
        };
        self.wish(wish, exchange)
    }

    /// Hands a wish to the HAL; `None` when that answers it.
    pub(super) fn wish(&mut self, wish: ConnectionWish, exchange: ExchangeId) -> Option<Response> {
        if !self.board.parts.connections {
            return Some(match wish {
                ConnectionWish::List(ConnectionForm::AdminUi) => Response::json(200, self.providers()),
                _ => Response::error(501, inputs::NOT_HERE),
            });
        }
        self.clients.exchanges.open(exchange, Pending::Connection);
        self.server_routes.wishes.push_back((exchange, wish));
        None
    }

    /// Takes the next wish about connections; answer it with [`answer_wish`](Self::answer_wish), whenever it is done.
    pub fn next_wish(&mut self) -> Option<(ExchangeId, ConnectionWish)> {
        self.server_routes.wishes.pop_front()
    }

    /// Answers a wish of [`next_wish`](Self::next_wish).
    pub fn answer_wish(&mut self, exchange: ExchangeId, response: Response) {
        if self.clients.exchanges.close(exchange).is_some() {
            self.clients.exchanges.respond(exchange, response);
        }
    }

    /// Tells admins what was found on the network: a JSON list of connections that could be made.
    pub fn tell_found(&mut self, found: &str) {
        self.clients.tell_admins("DISCOVERY_CHANGED", found);
    }

    /// Keeps a list of connections in `skiff/settings.json`: `member` of the object `outer`, or of the file where that is
    /// `None`.
    ///
    /// # Errors
    /// A clause with what the storage says; what was kept before is kept then.
    pub fn keep_connections(&mut self, changes: &[(Option<&str>, &str, &str)]) -> Result<(), String> {
        crate::config::keep_settings(&mut *self.hal.storage, changes).map_err(|error| error.to_string())
    }
}
