//! Requests in, responses out: which part of the gateway answers what.

use alloc::vec::Vec;
use core::convert::Infallible;

use super::exchanges::Mark;
use super::{Gateway, admin_http, exchanges};
use crate::accounts::IS_KEPT;
use crate::http::{Door, Method, Request};
use crate::plugin::{ExchangeId, Plugin};
use crate::server::{self, Access, Need, Response, Route, sign_in};

/// Status of a request without a valid token (RFC 9110 §15.5.2).
const UNAUTHORISED: u16 = 401;
/// Body of a request that changes nothing, or that anyone may send, bytes.
const READ_BODY_BYTES_MAX: usize = 8 * 1024;

impl Gateway {
    /// Takes an HTTP request; its answer comes from [`next_response`](Self::next_response), perhaps after polls.
    pub fn request(&mut self, request: &Request) -> ExchangeId {
        match self.request_unless(request, || None::<Infallible>) {
            Ok(exchange) => exchange,
            Err(never) => match never {},
        }
    }

    /// Takes an HTTP request, unless there is an answer `at_hand`, which is asked for only when the caller may have one:
    /// each request is judged once.
    ///
    /// # Errors
    /// The answer at hand.
    pub fn request_unless<A>(
        &mut self,
        request: &Request,
        at_hand: impl FnOnce() -> Option<A>,
    ) -> Result<ExchangeId, A> {
        let route = server::route(request);
        if let Some(preflight) = self.setup.access.preflight(request) {
            let exchange = self.clients.exchanges.new_id();
            self.clients.exchanges.respond(exchange, Access::readable(preflight));
            return Ok(exchange);
        }
        let admitted = self.admit(request, &route);
        if admitted.is_ok()
            && let Some(answer) = at_hand()
        {
            return Err(answer);
        }
        let exchange = self.clients.exchanges.new_id();
        if self.setup.access.is_read_elsewhere(request) {
            self.clients.exchanges.mark(exchange, Mark::Elsewhere);
        } else if IS_KEPT && request.door == Door::Admin {
            self.clients.exchanges.mark(exchange, Mark::Unframed);
        }
        let response = match admitted {
            Ok(()) => self.answer(request, &route, exchange),
            // Who opens the boat in a browser and is not let in yet is shown how to be.
            Err(refused) if is_shown_how(&refused, request, &route) => Some(sign_in::page(refused.status, "", "/")),
            Err(refused) => Some(refused),
        };
        if let Some(response) = response {
            self.clients.exchanges.respond(exchange, response);
        }
        Ok(exchange)
    }

    /// Judges a request by its head, before any of its body is read; returns the bytes the body may have.
    ///
    /// # Errors
    /// The answer to a request that is refused whatever its body says.
    pub fn judge(&mut self, head: &Request) -> Result<usize, Response> {
        let route = server::route(head);
        self.admit(head, &route)?;
        Ok(self.body_bytes_max(&route, head.method))
    }

    /// Checks who asks; those without a valid token are counted, and told of once a minute.
    pub(super) fn admit(&mut self, request: &Request, route: &Route<'_>) -> Result<(), Response> {
        #[cfg(any(test, feature = "set-up"))]
        match self.portal(request, route) {
            Some(response) => return Err(response),
            None => self.note_owner(request),
        }
        self.setup.access.check(request, route, self.wall()).inspect_err(|refused| {
            if refused.status == UNAUTHORISED {
                self.clients.refusals.note(request.peer, self.hal.clock.now());
            }
        })
    }

    /// Answers a request that was admitted at once, or returns `None` when a plugin has to be asked first.
    fn answer(&mut self, request: &Request, route: &Route<'_>, exchange: ExchangeId) -> Option<Response> {
        self.board.note_served(self.hal.clock.now());
        if !self.clients.exchanges.admit() {
            return Some(Response::error(503, exchanges::TOO_MANY));
        }
        if request.body.len() > self.body_bytes_max(route, request.method) {
            return Some(Response::error(413, "the body is too long"));
        }
        match route {
            Route::Signalk(below) => {
                #[cfg(any(test, feature = "tracks"))]
                if let Some(tracks) = self.tracks_below(below, request) {
                    return Some(tracks);
                }
                #[cfg(any(test, feature = "history"))]
                if let core::ops::ControlFlow::Break(answer) = self.history_below(below, request, exchange) {
                    return answer;
                }
                self.data(request, route).map_or_else(|| self.signalk(below, request, exchange), Some)
            }
            Route::Admin(address) => {
                self.data(request, route).map_or_else(|| self.admin(address, request, exchange), Some)
            }
            Route::Plugin { id, what } => self.plugin(id, what, request, exchange),
            Route::Board(below) => Some(self.board(below, request)),
            #[cfg(any(test, feature = "set-up"))]
            Route::SetUp => Some(self.set_up_page(request)),
            Route::Stream(_) if !request.method.is_read() => Some(Response::method_not_allowed("GET, HEAD")),
            Route::Stream(_) => Some(Response::error(426, "this address speaks WebSocket only")),
            Route::Index | Route::SignIn | Route::TooLong | Route::NotFound => {
                Some(self.data(request, route).unwrap_or_else(Response::unclaimed))
            }
        }
    }

    /// Returns the bytes that a body may have; a package's length is checked by its reader.
    fn body_bytes_max(&self, route: &Route<'_>, method: Method) -> usize {
        match route {
            // Nobody needs a token to send it.
            _ if method.is_read() || route.need(method) == Need::Nothing => READ_BODY_BYTES_MAX,
            Route::Admin(address) if admin_http::brings_package(address, method) => usize::MAX,
            _ => usize::try_from(self.setup.limits.request_bytes_max).unwrap_or(usize::MAX),
        }
    }

    /// Answers what asks for data only; `None` for everything else.
    fn data(&self, request: &Request, route: &Route<'_>) -> Option<Response> {
        let plugins: Vec<server::PluginFacts<'_>> = self.plugins.registry.plugins().map(plugin_facts).collect();
        let facts = server::Facts {
            model: &self.model,
            access: &self.setup.access,
            wall: self.wall(),
            version: self.setup.version,
            plugins: &plugins,
        };
        server::answer(request, route, &facts)
    }
}

/// Tells whether a browser that is refused gets the page to log in.
fn is_shown_how(refused: &Response, request: &Request, route: &Route<'_>) -> bool {
    IS_KEPT && refused.status == UNAUTHORISED && *route == Route::Index && sign_in::wants_page(request)
}

fn plugin_facts(plugin: &Plugin) -> server::PluginFacts<'_> {
    server::PluginFacts {
        id: plugin.id(),
        name: plugin.display_name(),
        version: &plugin.package().version,
        enabled: plugin.is_enabled(),
    }
}
