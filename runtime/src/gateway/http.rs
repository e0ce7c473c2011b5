//! Requests in, responses out: which part of the gateway answers what.

use alloc::format;
use alloc::string::ToString;
use alloc::vec::Vec;

use super::exchanges::Pending;
use super::{Gateway, board_http, exchanges};
use crate::host::Call;
use crate::http::Request;
use crate::plugin::{self, ExchangeId, Reply};
use crate::server::endpoint::{self, Found};
use crate::server::providers::{self, Providers, Question, Step};
use crate::server::{self, Response, Route};

impl Gateway {
    /// Takes an HTTP request; its answer comes from [`next_response`](Self::next_response), perhaps after polls.
    pub fn request(&mut self, request: &Request) -> ExchangeId {
        let exchange = self.clients.exchanges.new_id();
        if let Some(response) = self.answer(request, exchange) {
            self.clients.exchanges.respond(exchange, response);
        }
        exchange
    }

    /// Answers at once, or returns `None` when a plugin has to be asked first.
    fn answer(&mut self, request: &Request, exchange: ExchangeId) -> Option<Response> {
        let route = server::route(request);
        if let Err(refused) = self.setup.access.check(request, &route) {
            return Some(refused);
        }
        self.board.note_served(self.hal.clock.now());
        if !self.clients.exchanges.admit() {
            return Some(Response::error(503, exchanges::TOO_MANY));
        }
        // A package has a limit of its own.
        let is_short = request.body.len() <= self.setup.limits.request_bytes_max as usize;
        if !request.method.is_read() && !is_short && !matches!(route, Route::PluginInstall) {
            return Some(Response::error(413, "the body is too long"));
        }
        match route {
            Route::Plugins => Some(server::plugins::list(&self.plugins.registry)),
            Route::PluginInfo { id } => Some(self.with_plugin(&id, server::plugins::info)),
            Route::PluginConfigRead { id } => Some(self.with_plugin(&id, server::plugins::config)),
            Route::PluginConfigWrite { id } => self.configure(&id, request, exchange),
            Route::PluginEndpoint { id, path } if self.is_log_viewer(&id, path, request) => {
                Some(self.board.log_viewer(request))
            }
            Route::PluginEndpoint { id, path } => {
                let step = self.endpoint(&id, path, request).unwrap_or_else(Step::from);
                self.take_step(exchange, step)
            }
            Route::ApiPut { segments } => {
                let segments: Vec<&str> = segments.iter().map(|segment| &**segment).collect();
                self.put_request(&segments, &request.body, exchange)
            }
            Route::RequestState { id } => Some(self.request_state(&id)),
            Route::Resources { segments } => self.provided(request, &segments, exchange, providers::resources),
            Route::Weather { segments } => self.provided(request, &segments, exchange, providers::weather),
            Route::Radars { segments } => self.provided(request, &segments, exchange, providers::radar),
            Route::Notifications { segments } => Some(self.notifications(request, &segments)),
            Route::Status => Some(Response::json(200, self.status_json())),
            Route::Log => Some(self.board.log_lines(request)),
            Route::Firmware => Some(self.board.firmware_state(self.setup.version)),
            Route::FirmwarePiece => Some(self.board.firmware_piece(request, self.setup.version, &mut self.hal)),
            Route::FactoryReset => Some(self.board.factory_reset(&mut self.hal)),
            Route::Wifi => Some(self.board.wifi_state(&mut self.hal)),
            Route::WifiSet => Some(self.board.wifi_set(request, &mut self.hal)),
            Route::WifiForget => Some(self.board.wifi_forget(&mut self.hal)),
            Route::Stream | Route::BinaryStream { .. } => {
                Some(Response::error(426, "this address speaks WebSocket only"))
            }
            Route::PluginInstall => self.install_request(request, exchange),
            Route::PluginRemove { id } => self.remove_request(&id, exchange),
            Route::PluginReload { id } => self.reload_request(&id, exchange),
            Route::PluginLog { id } => Some(self.with_plugin(&id, server::plugins::log)),
            other => Some(self.data_answer(request, &other)),
        }
    }

    /// Tells whether the host answers a request to a plugin by itself (plugin ABI §9.5).
    fn is_log_viewer(&self, id: &str, path: &str, request: &Request) -> bool {
        id == board_http::LOG_VIEWER
            && path == "/api/logs"
            && request.method.is_read()
            && self.plugins.registry.find(id).is_some()
    }

    /// Answers what asks for data only.
    fn data_answer(&self, request: &Request, route: &Route<'_>) -> Response {
        let plugins: Vec<server::PluginFacts<'_>> = self.plugins.registry.plugins().map(plugin_facts).collect();
        let facts = server::Facts {
            model: &self.model,
            access: &self.setup.access,
            version: self.setup.version,
            plugins: &plugins,
        };
        server::answer(request, route, &facts).unwrap_or_else(Response::not_found)
    }

    /// Answers through an API that plugins stand behind.
    fn provided(
        &mut self,
        request: &Request,
        segments: &[alloc::borrow::Cow<'_, str>],
        exchange: ExchangeId,
        api: fn(&Request, &[alloc::borrow::Cow<'_, str>], &Providers<'_>) -> Step,
    ) -> Option<Response> {
        let new_id = crate::config::random_uuid(&mut *self.hal.rng);
        let providers =
            Providers { registry: &self.plugins.registry, defaults: &self.clients.defaults, new_id: &new_id };
        let step = api(request, segments, &providers);
        self.take_step(exchange, step)
    }

    fn with_plugin(&self, id: &str, answer: impl Fn(&plugin::Plugin) -> Response) -> Response {
        self.plugins.registry.find(id).map_or_else(|| no_plugin(id), answer)
    }

    fn configure(&mut self, id: &str, request: &Request, exchange: ExchangeId) -> Option<Response> {
        let Some(plugin) = self.plugins.registry.find(id) else { return Some(no_plugin(id)) };
        let package = plugin.package_name().to_string();
        let body = match server::plugins::config_body(&request.body, self.setup.limits.plugin.config_bytes_max) {
            Ok(body) => body,
            Err(refused) => return Some(refused),
        };
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
            let running = plugin.state() == plugin::State::Running;
            return Err(if running {
                Response::not_found().or_file()
            } else {
                endpoint::plugin_not_running(plugin.state().name())
            });
        }
        if !plugin.package().capabilities.allows(skiff_abi::Capability::HttpEndpoints, self.setup.strict) {
            return Err(Response::error(403, "the package does not declare the capability httpEndpoints"));
        }
        let package = plugin.package_name().to_string();
        let found = self.plugins.endpoints(id).map(|endpoints| endpoints.find(request.method, path));
        let Some(Found::Endpoint(found, params)) = found else { return Err(Response::not_found().or_file()) };
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
        Reply::Busy => Response::error(503, "the plugin has too many requests waiting"),
    }
}

fn plugin_facts(plugin: &plugin::Plugin) -> server::PluginFacts<'_> {
    server::PluginFacts {
        id: plugin.id(),
        name: plugin.display_name(),
        version: &plugin.package().version,
        enabled: plugin.is_enabled(),
    }
}

pub(super) fn no_plugin(id: &str) -> Response {
    Response::error(404, &format!("no plugin has the id {id}"))
}
