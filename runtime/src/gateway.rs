//! The gateway: bus in, data model, plugins, clients, composed and driven by [`Gateway::poll`].
//!
//! Nothing in here waits. A HAL calls [`Gateway::poll`] whenever [`Wake`] says so or something
//! arrived, pushes requests and frames in, and takes responses and stream text out.

mod install;

use alloc::collections::{BTreeMap, VecDeque};
use alloc::format;
use alloc::string::{String, ToString};
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt::Write;

use crate::budget::Limits;
use crate::config::Vessel;
use crate::delta::{Delta, Stamp};
use crate::fetch::plain::PlainHttp;
use crate::hal::{Hal, Network};
use crate::model::Model;
use crate::n2k::log::{Item, Record};
use crate::n2k::{Assembled, Counters, DeltaForm, Receiver};
use crate::package::Package;
use crate::plugin::{
    self, Emitted, Enabled, ExchangeId, Finished, InstallError, Net, Outcome, Registry, ReplaceError, Unavailable,
    World,
};
use crate::server::endpoint::{self, Endpoints, Found};
use crate::server::stream::{Session, SessionEvent, StreamContext};
use crate::server::{self, Access, ClientCounters, Request, Response, Route};
use crate::time::{Instant, UnixMillis};

/// CAN frames taken from each interface in one poll.
const FRAMES_PER_POLL: usize = 64;
/// Events kept for whoever listens; with a listener that drains after each poll it is never reached.
const EVENTS_MAX: usize = 4096;

/// What a gateway is built from.
pub struct Setup {
    /// Limits of the board.
    pub limits: Limits,
    /// Name and MMSI.
    pub vessel: Vessel,
    /// Full context of the own vessel, `vessels.urn:…`.
    pub self_context: String,
    /// Who may do what.
    pub access: Access,
    /// Denies capabilities that a package did not declare.
    pub strict: bool,
    /// Version told to clients.
    pub version: &'static str,
    /// Keeps [`Event`]s for [`Gateway::next_event`].
    pub events: bool,
    /// Calls `poll` of plugins at whole seconds of the wall clock (`replay`).
    pub poll_on_whole_seconds: bool,
}

/// When the gateway wants to run again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Wake {
    /// There is more to do now.
    pub busy: bool,
    /// Otherwise at this time, or when something arrives.
    pub at: Option<Instant>,
}

/// Number of an input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InputId(usize);

/// Number of a stream client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StreamId(pub u64);

/// What a stream client gets next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StreamOut {
    /// This text.
    Text(Arc<str>),
    /// Nothing now.
    Idle,
    /// The stream is over.
    Closed,
}

/// Something that happened inside, for tools that show it.
#[derive(Clone, Debug)]
pub enum Event {
    /// A plugin emitted a delta.
    Emitted {
        /// Its package name.
        package: Arc<str>,
        /// The delta, stamped.
        delta: Arc<Delta>,
    },
}

struct Input {
    label: String,
    receiver: Receiver,
}

/// What a waiting exchange is about.
enum Pending {
    /// An HTTP handler of a plugin.
    Handler(String),
    /// A configuration of the package of this name.
    Configure(String),
    /// A package, with its record when it is still to be stored.
    Install { id: String, record: Option<Vec<u8>> },
    /// A plugin is being read again by whoever has its files.
    Reload { id: String },
    /// A plugin is being removed.
    Remove,
}

/// Counters of the whole gateway.
#[derive(Clone, Copy, Debug, Default)]
struct Totals {
    deltas: u64,
    emitted: u64,
    client_deltas: u64,
    refused_exchanges: u64,
    lost_events: u64,
    lost_frames: u64,
}

/// The whole gateway.
pub struct Gateway {
    setup: Setup,
    hal: Hal,
    model: Model,
    registry: Registry,
    inputs: Vec<Input>,
    /// Inputs of the CAN interfaces, in the order of `hal.can`.
    can_inputs: Vec<InputId>,
    sessions: BTreeMap<StreamId, Session>,
    next_stream: u64,
    pending: BTreeMap<ExchangeId, Pending>,
    next_exchange: u64,
    responses: VecDeque<(ExchangeId, Response)>,
    /// Compiled endpoints by plugin id, with the version they were compiled from.
    endpoints: BTreeMap<String, (u32, Endpoints)>,
    events: VecDeque<Event>,
    outbox: Vec<Emitted>,
    /// Plugins whose files whoever has them is to read again.
    reloads: VecDeque<(ExchangeId, String)>,
    plain: PlainHttp,
    totals: Totals,
    /// What the carrier said last; `None` where a HAL carries HTTP itself.
    clients: Option<ClientCounters>,
}

impl Gateway {
    /// Builds a gateway on a HAL; its CAN interfaces become inputs.
    #[must_use]
    pub fn new(setup: Setup, hal: Hal) -> Self {
        let mut model = Model::new(&setup.limits, &setup.self_context);
        let vessel = &setup.vessel;
        model.describe_self(vessel.name.as_deref(), vessel.mmsi.as_deref(), None);
        let registry = Registry::new(setup.limits, setup.strict, setup.poll_on_whole_seconds);
        let mut gateway = Self {
            model,
            registry,
            inputs: Vec::new(),
            can_inputs: Vec::new(),
            sessions: BTreeMap::new(),
            next_stream: 1,
            pending: BTreeMap::new(),
            next_exchange: 1,
            responses: VecDeque::new(),
            endpoints: BTreeMap::new(),
            events: VecDeque::new(),
            outbox: Vec::new(),
            reloads: VecDeque::new(),
            plain: PlainHttp::default(),
            totals: Totals::default(),
            clients: None,
            setup,
            hal,
        };
        let labels: Vec<String> = gateway.hal.can.iter().map(|port| port.label.clone()).collect();
        gateway.can_inputs = labels.iter().map(|label| gateway.input(label)).collect();
        gateway
    }

    /// Installs a package; see [`Registry::install`].
    ///
    /// # Errors
    /// [`InstallError`]; nothing is installed then.
    pub fn install(&mut self, package: Package, enabled: Enabled) -> Result<(), InstallError> {
        self.registry.install(package, enabled, &mut *self.hal.storage)
    }

    /// Puts another version of an installed package in its place; see [`Registry::replace`].
    ///
    /// # Errors
    /// [`ReplaceError`]: the version before goes on.
    pub fn replace(&mut self, package: Package) -> Result<(), ReplaceError> {
        let world = world(&mut self.model, &mut self.hal, &mut self.plain, &self.setup.self_context, &mut self.outbox);
        self.registry.replace(package, None, &world)
    }

    /// Adds an input; `label` becomes the source label of its deltas.
    pub fn input(&mut self, label: &str) -> InputId {
        self.inputs.push(Input { label: label.to_string(), receiver: Receiver::new(label) });
        InputId(self.inputs.len() - 1)
    }

    /// Takes one record of an input: decodes it, and publishes the delta when it completes a message.
    ///
    /// Time stamps are the record's, else the wall clock's. Returns the message it completed.
    pub fn receive(&mut self, input: InputId, record: &Record) -> Option<Assembled> {
        let now = self.hal.clock.now();
        let wall = record.time.unwrap_or_else(|| self.wall());
        let receiver = &mut self.inputs.get_mut(input.0)?.receiver;
        let message = match &record.item {
            Item::Frame(frame) => receiver.frame(frame, now),
            Item::Whole { id, payload } => receiver.whole(*id, payload),
        }?;
        let timestamp = format!("{wall}");
        let delta = receiver.delta(&message, &timestamp, DeltaForm::Stamped { self_context: &self.setup.self_context });
        if let Some(delta) = delta {
            self.totals.deltas = self.totals.deltas.saturating_add(1);
            self.model.apply(&delta);
            self.publish(&Arc::new(delta), 0, now);
        }
        Some(message)
    }

    /// Does a bounded amount of work: CAN first, then one fuel slice per plugin, then answers.
    pub fn poll(&mut self) -> Wake {
        let mut wake = Wake { busy: self.receive_can(), at: None };
        let now = self.hal.clock.now();
        if let Some(network) = &mut self.hal.network {
            wake.at = network.poll(now);
        }
        let mut world =
            world(&mut self.model, &mut self.hal, &mut self.plain, &self.setup.self_context, &mut self.outbox);
        let turn = self.registry.turn(&mut world);
        self.publish_emitted(now);
        while let Some(finished) = self.registry.next_finished() {
            self.finish(finished);
        }
        wake.busy |= turn.busy;
        let sessions = self.sessions.values().filter_map(Session::due);
        wake.at = [wake.at, turn.wake].into_iter().flatten().chain(sessions).min();
        wake
    }

    fn wall(&self) -> UnixMillis {
        self.hal.clock.wall().unwrap_or_default()
    }

    /// Takes up to [`FRAMES_PER_POLL`] frames of each interface; true when one had more.
    fn receive_can(&mut self) -> bool {
        let mut more = false;
        self.totals.lost_frames = self.hal.can.iter().map(|port| port.can.lost()).sum();
        for index in 0..self.hal.can.len() {
            let Some(&input) = self.can_inputs.get(index) else { continue };
            for count in 0..=FRAMES_PER_POLL {
                if count == FRAMES_PER_POLL {
                    more = true;
                    break;
                }
                let Some((frame, _)) = self.hal.can.get_mut(index).and_then(|port| port.can.receive()) else { break };
                self.receive(input, &Record { time: None, item: Item::Frame(frame) });
            }
        }
        more
    }

    /// Hands a delta to plugins and stream clients. The model has it already.
    fn publish(&mut self, delta: &Arc<Delta>, hops: u8, now: Instant) {
        self.registry.offer(delta, hops);
        for session in self.sessions.values_mut() {
            session.offer(delta, now);
        }
    }

    fn publish_emitted(&mut self, now: Instant) {
        for emitted in core::mem::take(&mut self.outbox) {
            self.totals.emitted = self.totals.emitted.saturating_add(1);
            self.publish(&emitted.delta, emitted.hops, now);
            if self.setup.events {
                if self.events.len() >= EVENTS_MAX {
                    self.totals.lost_events = self.totals.lost_events.saturating_add(1);
                    self.events.pop_front();
                }
                self.events.push_back(Event::Emitted { package: emitted.package, delta: emitted.delta });
            }
        }
    }

    /// Takes the next event; there are none unless [`Setup::events`] is set.
    pub fn next_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// Takes an HTTP request; its answer comes from [`next_response`](Self::next_response), perhaps after polls.
    pub fn request(&mut self, request: &Request) -> ExchangeId {
        let exchange = ExchangeId(self.next_exchange);
        self.next_exchange = self.next_exchange.wrapping_add(1);
        if let Some(response) = self.answer(request, exchange) {
            self.responses.push_back((exchange, response));
        }
        exchange
    }

    /// Takes a response that is ready.
    pub fn next_response(&mut self) -> Option<(ExchangeId, Response)> {
        self.responses.pop_front()
    }

    /// Answers at once, or returns `None` when a plugin has to be asked first.
    fn answer(&mut self, request: &Request, exchange: ExchangeId) -> Option<Response> {
        let route = server::route(request);
        if let Err(refused) = self.setup.access.check(request, &route) {
            return Some(refused);
        }
        if self.pending.len() >= usize::from(self.setup.limits.exchanges_max) {
            self.totals.refused_exchanges = self.totals.refused_exchanges.saturating_add(1);
            return Some(Response::error(503, "too many requests are waiting, try again later"));
        }
        match route {
            Route::Plugins => Some(server::plugins::list(&self.registry)),
            Route::PluginInfo { id } => Some(self.with_plugin(&id, server::plugins::info)),
            Route::PluginConfigRead { id } => Some(self.with_plugin(&id, server::plugins::config)),
            Route::PluginConfigWrite { id } => self.configure(&id, request, exchange),
            Route::PluginEndpoint { id, path } => self.endpoint(&id, path, request, exchange),
            Route::Status => Some(Response::json(200, self.status_json())),
            Route::Stream => Some(Response::error(426, "this address speaks WebSocket only")),
            Route::PluginInstall => self.install_request(request, exchange),
            Route::PluginRemove { id } => self.remove_request(&id, exchange),
            Route::PluginReload { id } => self.reload_request(&id, exchange),
            Route::PluginLog { id } => Some(self.with_plugin(&id, server::plugins::log)),
            other => Some(self.data_answer(request, &other)),
        }
    }

    /// Answers what asks for data only.
    fn data_answer(&self, request: &Request, route: &Route<'_>) -> Response {
        let plugins: Vec<server::PluginFacts<'_>> = self.registry.plugins().map(plugin_facts).collect();
        let facts = server::Facts {
            model: &self.model,
            access: &self.setup.access,
            version: self.setup.version,
            plugins: &plugins,
        };
        server::answer(request, route, &facts).unwrap_or_else(Response::not_found)
    }

    fn with_plugin(&self, id: &str, answer: impl Fn(&plugin::Plugin) -> Response) -> Response {
        self.registry.find(id).map_or_else(|| no_plugin(id), answer)
    }

    fn configure(&mut self, id: &str, request: &Request, exchange: ExchangeId) -> Option<Response> {
        let Some(plugin) = self.registry.find(id) else { return Some(no_plugin(id)) };
        let package = plugin.package_name().to_string();
        let body = match server::plugins::config_body(&request.body, self.setup.limits.plugin.config_bytes_max) {
            Ok(body) => body,
            Err(refused) => return Some(refused),
        };
        let mut world =
            world(&mut self.model, &mut self.hal, &mut self.plain, &self.setup.self_context, &mut self.outbox);
        match self.registry.configure(id, body, exchange, &mut world) {
            Ok(()) => {
                self.pending.insert(exchange, Pending::Configure(package));
                None
            }
            Err(error) => Some(server::plugins::not_configured(&error)),
        }
    }

    fn endpoint(&mut self, id: &str, path: &str, request: &Request, exchange: ExchangeId) -> Option<Response> {
        let Some(plugin) = self.registry.find(id) else { return Some(no_plugin(id)) };
        let Some((text, version)) = plugin.endpoints() else {
            let running = plugin.state() == plugin::State::Running;
            return Some(if running {
                Response::not_found()
            } else {
                endpoint::plugin_not_running(plugin.state().name())
            });
        };
        if !plugin.package().capabilities.allows(skiff_abi::Capability::HttpEndpoints, self.setup.strict) {
            return Some(Response::error(403, "the package does not declare the capability httpEndpoints"));
        }
        let package = plugin.package_name().to_string();
        if self.endpoints.get(id).is_none_or(|(compiled, _)| *compiled != version) {
            let compiled = match Endpoints::parse(text) {
                Ok((compiled, refused)) => {
                    refused.iter().for_each(|clause| log::warn!("{package}: {clause}"));
                    compiled
                }
                Err(error) => {
                    log::warn!("{package}: http_endpoints: {error}");
                    Endpoints::default()
                }
            };
            self.endpoints.insert(id.to_string(), (version, compiled));
        }
        let (_, endpoints) = self.endpoints.get(id)?;
        let Found::Endpoint(found, params) = endpoints.find(request.method, path) else {
            return Some(Response::not_found());
        };
        let handler = found.handler.clone();
        let object = match endpoint::request_object(request, path, &params, self.setup.limits.request_bytes_max) {
            Ok(object) => object,
            Err(refused) => return Some(refused.response()),
        };
        match self.registry.http(id, exchange, &handler, object) {
            Ok(()) => {
                self.pending.insert(exchange, Pending::Handler(handler));
                None
            }
            Err(Unavailable::NotRunning) => Some(endpoint::plugin_not_running("stopping")),
            Err(Unavailable::Busy) => Some(Response::error(503, "the plugin has too many requests waiting")),
        }
    }

    /// Turns the end of an exchange into its response.
    fn finish(&mut self, finished: Finished) {
        let Some(pending) = self.pending.remove(&finished.exchange) else { return };
        let response = match pending {
            Pending::Handler(handler) => {
                handled(&handler, finished.result, self.setup.limits.plugin.response_bytes_max)
            }
            Pending::Configure(package) => match finished.result {
                Outcome::Configured(result) => server::plugins::configured(&package, &result),
                _ => endpoint::plugin_not_running("stopped"),
            },
            Pending::Install { id, record } => self.installed(&id, record, &finished.result),
            Pending::Reload { id } => self.installed(&id, None, &finished.result),
            Pending::Remove => Response::json(200, "{\"removed\":true}"),
        };
        self.responses.push_back((finished.exchange, response));
    }

    /// Opens a delta stream for a WebSocket client (plugin ABI §12.4).
    ///
    /// # Errors
    /// The response to refuse the upgrade with.
    pub fn open_stream(&mut self, request: &Request) -> Result<StreamId, Response> {
        let route = server::route(request);
        if !matches!(route, Route::Stream) {
            return Err(Response::not_found());
        }
        self.setup.access.check(request, &route)?;
        if self.sessions.len() >= usize::from(self.setup.limits.clients_max) {
            return Err(Response::error(503, "too many stream clients"));
        }
        let may_write = self.setup.access.may_write(request);
        let context = StreamContext {
            self_context: &self.setup.self_context,
            version: self.setup.version,
            limits: &self.setup.limits,
            may_write,
            wall: self.wall(),
        };
        let session = Session::open(request, &context)?;
        let id = StreamId(self.next_stream);
        self.next_stream = self.next_stream.wrapping_add(1);
        self.sessions.insert(id, session);
        Ok(id)
    }

    /// Takes a text a stream client sent; unknown streams are ignored.
    pub fn stream_receive(&mut self, id: StreamId, text: &str) {
        let (now, wall) = (self.hal.clock.now(), self.wall());
        let Some(session) = self.sessions.get_mut(&id) else { return };
        let Some(event) = session.receive(text, now) else { return };
        match event {
            SessionEvent::Delta(text) => {
                let source_ref = format!("ws.{}", id.0);
                let stamp = Stamp { source_ref: &source_ref, self_context: &self.setup.self_context, now: wall };
                match Delta::parse(&text, &stamp) {
                    Ok(delta) => {
                        self.totals.client_deltas = self.totals.client_deltas.saturating_add(1);
                        self.model.apply(&delta);
                        self.publish(&Arc::new(delta), 0, now);
                    }
                    Err(error) => log::info!("delta of a stream client refused: {error}"),
                }
            }
        }
    }

    /// Takes the next text for a stream client.
    pub fn stream_next(&mut self, id: StreamId) -> StreamOut {
        let now = self.hal.clock.now();
        match self.sessions.get_mut(&id) {
            None => StreamOut::Closed,
            Some(session) => session.next(now, &self.model).map_or(StreamOut::Idle, StreamOut::Text),
        }
    }

    /// Forgets a stream client.
    pub fn close_stream(&mut self, id: StreamId) {
        self.sessions.remove(&id);
    }

    /// Returns the network of the HAL, for the carrier.
    pub fn network_mut(&mut self) -> Option<&mut (dyn Network + 'static)> {
        self.hal.network.as_deref_mut()
    }

    /// Returns the time since boot.
    #[must_use]
    pub fn now(&self) -> Instant {
        self.hal.clock.now()
    }

    /// Returns the wall clock, when it is known.
    #[must_use]
    pub fn wall_clock(&self) -> Option<UnixMillis> {
        self.hal.clock.wall()
    }

    /// Takes what the carrier counted, for [`status_json`](Self::status_json).
    pub fn set_client_counters(&mut self, counters: ClientCounters) {
        self.clients = Some(counters);
    }

    /// Asks every plugin to stop; poll until [`is_stopped`](Self::is_stopped).
    pub fn stop(&mut self) {
        self.registry.stop();
    }

    /// Tells whether every plugin has stopped.
    #[must_use]
    pub fn is_stopped(&self) -> bool {
        self.registry.is_stopped()
    }

    /// Tells whether a plugin is still on its way up.
    #[must_use]
    pub fn is_starting(&self) -> bool {
        self.registry.is_starting()
    }

    /// Returns the plugins.
    #[must_use]
    pub fn plugins(&self) -> &Registry {
        &self.registry
    }

    /// Returns the data model.
    #[must_use]
    pub fn model(&self) -> &Model {
        &self.model
    }

    /// Returns the full context of the own vessel.
    #[must_use]
    pub fn self_context(&self) -> &str {
        &self.setup.self_context
    }

    /// Returns who may do what.
    #[must_use]
    pub fn access(&self) -> &Access {
        &self.setup.access
    }

    /// Returns the counters of `GET /skiff/v1/status` (`product.md`): frames, deltas, drops by reason, restarts.
    #[must_use]
    pub fn status_json(&self) -> String {
        let mut out = String::from("{");
        // Writing into a String cannot fail.
        let _ = self.write_status(&mut out);
        out.push('}');
        out
    }

    fn write_status(&self, out: &mut String) -> core::fmt::Result {
        let totals = &self.totals;
        let mut total = Counters::default();
        for input in &self.inputs {
            total.add(&input.receiver.counters());
        }
        write!(out, "\"version\":\"{}\",\"board\":\"{}\",", self.setup.version, self.setup.limits.board.name())?;
        write!(out, "\"uptime_ms\":{},", self.hal.clock.now().as_millis())?;
        write!(out, "\"frames\":{},\"messages\":{},", total.frames, total.messages)?;
        write!(
            out,
            "\"deltas\":{{\"n2k\":{},\"plugins\":{},\"clients\":{}}},",
            totals.deltas, totals.emitted, totals.client_deltas
        )?;
        out.push_str("\"drops\":{");
        for (name, count) in total.losses() {
            write!(out, "\"{name}\":{count},")?;
        }
        let sum = |pick: fn(&plugin::Drops) -> u64| self.registry.plugins().map(|one| pick(&one.drops())).sum::<u64>();
        write!(out, "\"can_receive\":{},", totals.lost_frames)?;
        write!(out, "\"plugin_queue\":{},", sum(|drops| drops.deltas))?;
        write!(out, "\"plugin_emitted\":{},", sum(|drops| drops.emitted))?;
        write!(out, "\"plugin_malformed\":{},", sum(|drops| drops.malformed))?;
        write!(out, "\"plugin_loop\":{},", sum(|drops| drops.looped))?;
        write!(
            out,
            "\"stream_collapsed\":{},",
            self.sessions.values().map(|session| session.counters().collapsed).sum::<u64>()
        )?;
        write!(out, "\"model_refused\":{},", self.model.counts().refused)?;
        write!(out, "\"requests\":{}}},", totals.refused_exchanges)?;
        let restarts: u64 = self.registry.plugins().map(|plugin| u64::from(plugin.restarts())).sum();
        write!(
            out,
            "\"restarts\":{restarts},\"streams\":{},\"exchanges\":{},",
            self.sessions.len(),
            self.pending.len()
        )?;
        write!(
            out,
            "\"model\":{{\"paths\":{},\"bytes\":{},\"contexts\":{}}},\"inputs\":[",
            self.model.counts().paths,
            self.model.counts().bytes,
            self.model.counts().contexts
        )?;
        for (index, input) in self.inputs.iter().enumerate() {
            let counters = input.receiver.counters();
            out.push_str(if index == 0 { "{\"label\":" } else { ",{\"label\":" });
            crate::json::write_string(out, &input.label)?;
            write!(
                out,
                ",\"frames\":{},\"messages\":{},\"deltas\":{}}}",
                counters.frames, counters.messages, counters.deltas
            )?;
        }
        out.push(']');
        if let Some(clients) = &self.clients {
            out.push_str(",\"clients\":{");
            for (index, (name, count)) in clients.named().into_iter().enumerate() {
                write!(out, "{}\"{name}\":{count}", if index == 0 { "" } else { "," })?;
            }
            out.push('}');
        }
        let ledger = self.registry.ledger();
        write!(
            out,
            ",\"memory\":{{\"limit\":{},\"reserved\":{}}}",
            ledger.total(),
            ledger.total().saturating_sub(ledger.free())
        )
    }
}

/// Lends the parts of a gateway that plugins touch.
fn world<'w>(
    model: &'w mut Model,
    hal: &'w mut Hal,
    plain: &'w mut PlainHttp,
    self_context: &'w str,
    outbox: &'w mut Vec<Emitted>,
) -> World<'w> {
    World {
        model,
        now: hal.clock.now(),
        wall: hal.clock.wall().unwrap_or_default(),
        storage: &mut *hal.storage,
        rng: &mut *hal.rng,
        net: Net {
            network: hal.network.as_deref_mut(),
            fetch: hal.fetch.as_deref_mut(),
            plain,
            serial: hal.serial.as_deref_mut(),
        },
        self_context,
        outbox,
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

/// Turns what a handler gave into its response.
fn handled(handler: &str, result: Outcome, response_bytes_max: u32) -> Response {
    match result {
        Outcome::Answered(Some(text)) => endpoint::response(handler, &text, response_bytes_max),
        Outcome::Answered(None) => endpoint::handler_failed(handler, "it answered nothing"),
        Outcome::MissingHandler => endpoint::handler_missing(handler),
        Outcome::Failed(failure) if failure.is_timeout() => endpoint::handler_slow(handler),
        Outcome::Failed(failure) => endpoint::handler_failed(handler, &format!("{failure}")),
        Outcome::Stopped | Outcome::Configured(_) | Outcome::Replaced(_) | Outcome::Removed => {
            endpoint::plugin_not_running("stopped")
        }
    }
}

fn no_plugin(id: &str) -> Response {
    Response::error(404, &format!("no plugin has the id {id}"))
}
