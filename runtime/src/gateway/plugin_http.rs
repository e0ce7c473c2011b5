//! What is asked of one plugin: information, configuration, its own endpoints.

use alloc::string::ToString;

use super::Gateway;
use super::exchanges::Pending;
use crate::host::Call;
use crate::http::{Method, Request};
use crate::plugin::{ExchangeId, Plugin, PluginState, Reply};
use crate::server::endpoint::{self, Found};
use crate::server::providers::{Question, Step};
use crate::server::{self, LOG_VIEWER, Response};

impl Gateway {
    /// Answers what is asked for below `/plugins/<id>`; `what` is the path below it, not decoded.
    pub(super) fn plugin(&mut self, id: &str, what: &str, request: &Request, exchange: ExchangeId) -> Option<Response> {
        use Method::{Get, Head, Options, Other, Patch, Post};
        if let Some(response) = self.own_plugin(id, what, request) {
            return Some(response);
        }
        match (what.strip_suffix('/').unwrap_or(what), request.method) {
            ("", Get | Head) => Some(self.with_plugin(id, server::plugins::info)),
            ("/config", Get | Head) => Some(self.with_plugin(id, server::plugins::config)),
            ("/config", Post) => self.configure(id, request, exchange),
            (_, Other | Options | Patch) => Some(Response::method_not_allowed("GET, HEAD, POST, PUT, DELETE")),
            (_, Get | Head) if self.is_log_view(id, what) => Some(self.board.log_viewer(request)),
            _ => {
                let step = self.endpoint(id, what, request).unwrap_or_else(Step::from);
                self.take_step(exchange, step)
            }
        }
    }

    /// Tells whether the host answers by itself (plugin ABI §9.5).
    fn is_log_view(&self, id: &str, what: &str) -> bool {
        id == LOG_VIEWER && what == "/api/logs" && self.plugins.registry.find(id).is_some()
    }

    pub(super) fn with_plugin(&self, id: &str, answer: impl Fn(&Plugin) -> Response) -> Response {
        self.plugins.registry.find(id).map_or_else(|| no_plugin(id), answer)
    }

    fn configure(&mut self, id: &str, request: &Request, exchange: ExchangeId) -> Option<Response> {
        let Some(plugin) = self.plugins.registry.find(id) else { return Some(no_plugin(id)) };
        let package = plugin.package_name().to_string();
        let body = match server::plugins::config_body(&request.body, self.setup.limits.plugin.config_bytes_max) {
            Ok(body) => body,
            Err(refused) => return Some(refused),
        };
        match self.grant_request(id, request) {
            Ok(true) => {
                let storage = &mut *self.hal.storage;
                let stored = self.plugins.registry.store_config(id, body, storage);
                if let Err(error) = stored {
                    return Some(server::plugins::not_configured(&error));
                }
                return self.end_waiting_version(id, exchange);
            }
            Ok(false) => {}
            Err(refused) => return Some(refused),
        }
        let (registry, mut world) = self.lend();
        match registry.configure(id, body, exchange, &mut world) {
            Ok(()) => {
                self.clients.exchanges.open(exchange, Pending::Configuration(package));
                None
            }
            Err(error) => Some(server::plugins::not_configured(&error)),
        }
    }

    /// Finds the handler of a plugin's endpoint.
    fn endpoint(&mut self, id: &str, path: &str, request: &Request) -> Result<Step, Response> {
        let plugin = self.plugins.registry.find(id).ok_or_else(|| no_plugin(id))?;
        if plugin.endpoints().is_none() {
            let running = plugin.state() == PluginState::Running;
            return Err(if running {
                Response::unclaimed()
            } else {
                endpoint::plugin_not_running(plugin.state().name())
            });
        }
        if !plugin.package().capabilities.allows(skiff_abi::Capability::HttpEndpoints, self.setup.strict) {
            return Err(Response::error(403, "the package does not declare the capability httpEndpoints"));
        }
        let package = plugin.package_name().to_string();
        let found = self.plugins.endpoints(id).map(|endpoints| endpoints.find(request.method, path));
        let Some(Found::Endpoint(found, params)) = found else { return Err(Response::unclaimed()) };
        let handler = found.handler.clone();
        let object = endpoint::request_object(request, path, &params, self.setup.limits.request_bytes_max)
            .map_err(|refused| refused.response())?;
        let bytes_max = self.setup.limits.plugin.response_bytes_max;
        let question = Question { package, call: Call::Http { handler: handler.clone(), request: object } };
        Ok(Step::ask(question, move |reply| answered(&handler, &reply, bytes_max).into()))
    }
}

/// Turns a handler's reply into a response (plugin ABI §9.3, §9.4).
fn answered(handler: &str, reply: &Reply, bytes_max: u32) -> Response {
    match reply {
        Reply::Text(Some(text)) => endpoint::response(handler, text, bytes_max),
        Reply::Text(None) => endpoint::handler_failed(handler, "it answered nothing"),
        Reply::Missing => endpoint::handler_missing(handler),
        Reply::Late => endpoint::handler_slow(handler),
        Reply::Failed(reason) => endpoint::handler_failed(handler, reason),
        Reply::Stopped => endpoint::plugin_not_running("stopped"),
        Reply::Busy | Reply::Closed => Response::error(503, reply.trouble()),
    }
}

pub(super) fn no_plugin(id: &str) -> Response {
    Response::error(404, &alloc::format!("no plugin has the id {id}"))
}
