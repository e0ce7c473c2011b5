//! The gateway: bus in, data model, plugins, clients, composed and driven by [`Gateway::poll`].
//!
//! Nothing in here waits. A HAL calls [`Gateway::poll`] whenever [`Wake`] says so or something
//! arrived, pushes requests and frames in, and takes responses and stream text out.

mod board;
mod exchanges;
mod http;
mod input;
mod inputs;
mod install;
mod interface;
mod notices;
mod sending;
mod server_events;
mod status;
mod streams;

use alloc::collections::VecDeque;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

use crate::budget::{Limits, Row};
use crate::config::Vessel;
use crate::delta::Delta;
use crate::fetch::plain::PlainHttp;
use crate::hal::{Hal, Network};
use crate::model::{Model, Priorities};
use crate::package::Package;
use crate::plugin::{Emitted, Enabled, ExchangeId, Frames, InstallError, Net, Registry, ReplaceError, World};
use crate::server::endpoint::Endpoints;
use crate::server::providers::Defaults;
use crate::server::requests::Requests;
use crate::server::stream::Session;
use crate::server::{Access, ClientCounters, Response};
use crate::sorted::SortedMap;
use crate::time::{Instant, UnixMillis};
use board::Board;
use exchanges::Exchanges;
use inputs::Inputs;
use server_events::ServerEvents;
use streams::BinaryClient;

pub use self::board::{BoardParts, Restart};
pub use self::input::InputState;

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
    /// This frame.
    Binary(Arc<[u8]>),
    /// The stream is over because the client took too little: close it with code 1008 (RFC 6455 §7.4.1).
    TooSlow,
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

/// Counters of the whole gateway.
#[derive(Clone, Copy, Debug, Default)]
struct Totals {
    emitted: u64,
    client_deltas: u64,
    refused_exchanges: u64,
}

/// The whole gateway.
pub struct Gateway {
    setup: Setup,
    hal: Hal,
    model: Model,
    registry: Registry,
    inputs: Inputs,
    sessions: SortedMap<StreamId, Session>,
    next_stream: u64,
    binary: SortedMap<StreamId, BinaryClient>,
    exchanges: Exchanges,
    requests: Requests,
    defaults: Defaults,
    next_exchange: u64,
    responses: VecDeque<(ExchangeId, Response)>,
    /// Compiled endpoints by plugin id, with the version they were compiled from.
    endpoints: SortedMap<String, (u32, Endpoints)>,
    events: VecDeque<Event>,
    outbox: Vec<Emitted>,
    frames: Frames,
    /// Plugins whose files whoever has them is to read again.
    reloads: VecDeque<(ExchangeId, String)>,
    plain: PlainHttp,
    totals: Totals,
    server_events: ServerEvents,
    /// What the carrier said last; `None` where a HAL carries HTTP itself.
    clients: Option<ClientCounters>,
    board: Board,
}

impl Gateway {
    /// Builds a gateway on a HAL; its CAN interfaces become inputs.
    #[must_use]
    pub fn new(setup: Setup, mut hal: Hal) -> Self {
        let mut model = Model::new(&setup.limits, &setup.self_context);
        let vessel = &setup.vessel;
        model.describe_self(vessel.name.as_deref(), vessel.mmsi.as_deref(), None);
        let registry = Registry::new(setup.limits, setup.strict, setup.poll_on_whole_seconds);
        let mut gateway = Self {
            model,
            registry,
            inputs: Inputs::new(core::mem::take(&mut hal.can), setup.limits.transfer_sessions_max),
            sessions: SortedMap::new(),
            next_stream: 1,
            binary: SortedMap::new(),
            exchanges: Exchanges::default(),
            requests: Requests::new(setup.limits.requests_max),
            defaults: Defaults::default(),
            frames: Frames::default(),
            next_exchange: 1,
            responses: VecDeque::new(),
            endpoints: SortedMap::new(),
            events: VecDeque::new(),
            outbox: Vec::new(),
            reloads: VecDeque::new(),
            plain: PlainHttp::default(),
            totals: Totals::default(),
            server_events: ServerEvents::default(),
            clients: None,
            board: Board::new(hal.clock.wall().is_none()),
            setup,
            hal,
        };
        match Defaults::load(&mut *gateway.hal.storage) {
            Ok(defaults) => gateway.defaults = defaults,
            Err(error) => log::warn!("default providers not read: {error}"),
        }
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
        let world = world(
            &mut self.model,
            &mut self.hal,
            &mut self.plain,
            &self.setup.self_context,
            &mut self.outbox,
            &mut self.frames,
        );
        self.registry.replace(package, None, &world)
    }

    /// Prefers sources of the own vessel's paths from now on as `priorities` say.
    pub fn prefer(&mut self, priorities: Priorities) {
        self.model.prefer(priorities);
    }

    /// Does a bounded amount of work: CAN first, then one fuel slice per plugin, then answers.
    pub fn poll(&mut self) -> Wake {
        let inputs = self.drive_inputs();
        let mut wake = Wake { busy: inputs.busy, at: None };
        let now = self.hal.clock.now();
        let restart = self.drive_board(now);
        self.model.tick(now);
        if let Some(network) = &mut self.hal.network {
            wake.at = network.poll(now);
        }
        let mut world = world(
            &mut self.model,
            &mut self.hal,
            &mut self.plain,
            &self.setup.self_context,
            &mut self.outbox,
            &mut self.frames,
        );
        let turn = self.registry.turn(&mut world);
        self.publish_emitted(now);
        self.publish_frames();
        while let Some(finished) = self.registry.next_finished() {
            self.finish(finished);
        }
        let deadline = self.end_waiting(now);
        wake.busy |= turn.busy;
        let events = self.send_server_events(now);
        let sessions = self.sessions.values().filter_map(Session::due);
        wake.at =
            [wake.at, inputs.at, turn.wake, deadline, events, restart].into_iter().flatten().chain(sessions).min();
        wake
    }

    /// Takes a delta into the model and hands it out.
    fn take_in(&mut self, delta: Delta, hops: u8) {
        let now = self.hal.clock.now();
        self.model.tick(now);
        for delta in self.model.take_in(Arc::new(delta)).into_deltas() {
            self.publish(&delta, hops, now);
        }
    }

    fn wall(&self) -> UnixMillis {
        self.hal.clock.wall().unwrap_or(UnixMillis::UNKNOWN)
    }

    /// Hands a delta to plugins and stream clients. The model has it already.
    fn publish(&mut self, delta: &Arc<Delta>, hops: u8, now: Instant) {
        self.inputs.offer(delta, &self.setup.self_context, now);
        self.registry.offer(delta, hops);
        for session in self.sessions.values_mut() {
            session.offer(delta, now);
        }
    }

    fn publish_emitted(&mut self, now: Instant) {
        for emitted in core::mem::take(&mut self.outbox) {
            for delta in &emitted.parts {
                self.publish(delta, emitted.hops, now);
            }
            self.totals.emitted = self.totals.emitted.saturating_add(1);
            if self.setup.events {
                if self.events.len() >= EVENTS_MAX {
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

    /// Takes the bytes of the board's network off what plugins may be promised: for a board with a stack of its own,
    /// before plugins are installed.
    pub fn reserve_network(&mut self) {
        self.registry.reserve_network();
    }

    /// Returns the rows of the budget table.
    #[must_use]
    pub fn budget(&self) -> Vec<Row> {
        self.registry.budget(self.model.counts().bytes)
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
}

/// Lends the parts of a gateway that plugins touch.
fn world<'w>(
    model: &'w mut Model,
    hal: &'w mut Hal,
    plain: &'w mut PlainHttp,
    self_context: &'w str,
    outbox: &'w mut Vec<Emitted>,
    frames: &'w mut Frames,
) -> World<'w> {
    World {
        model,
        now: hal.clock.now(),
        wall: hal.clock.wall().unwrap_or(UnixMillis::UNKNOWN),
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
        frames,
    }
}
