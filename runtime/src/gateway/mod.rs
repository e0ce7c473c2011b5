//! The gateway: bus in, data model, plugins, clients, composed and driven by [`Gateway::poll`].
//!
//! Nothing in here waits. A HAL calls [`Gateway::poll`] whenever [`Wake`] says so or something
//! arrived, pushes requests and frames in, and takes responses and stream text out.

mod access_http;
mod admin_http;
#[cfg(any(test, feature = "appstore"))]
mod appstore;
#[cfg(any(test, feature = "appstore"))]
mod appstore_http;
#[cfg(any(test, feature = "autopilot"))]
mod autopilot_http;
mod board;
mod board_http;
mod boot;
mod clients;
#[cfg(any(test, feature = "course"))]
mod course;
#[cfg(any(test, feature = "course"))]
mod course_http;
#[cfg(any(test, feature = "devices"))]
mod devices;
#[cfg(not(any(test, feature = "devices")))]
#[path = "devices_none.rs"]
mod devices;
#[cfg(any(test, feature = "remote"))]
mod echoes;
mod exchanges;
#[cfg(any(test, feature = "history"))]
mod history;
#[cfg(any(test, feature = "history"))]
mod history_http;
mod http;
mod input;
mod inputs;
mod install;
mod interface;
#[cfg(any(test, feature = "remote"))]
mod live;
mod log_in;
#[cfg(any(test, feature = "page"))]
mod machine;
#[cfg(any(test, feature = "metrics"))]
mod metrics;
mod notices;
#[cfg(feature = "outputs")]
mod outputs;
mod own_meta;
mod plugin_http;
mod plugins;
mod puts;
mod receiving;
mod refusals;
#[cfg(feature = "outputs")]
mod relay;
#[cfg(any(test, feature = "remote"))]
mod remote;
#[cfg(any(test, feature = "stores"))]
mod resources_http;
#[cfg(not(any(test, feature = "stores")))]
#[path = "resources_none.rs"]
mod resources_http;
mod sending;
mod server_events;
#[cfg(any(test, feature = "server-routes"))]
mod server_routes;
#[cfg(any(test, feature = "set-up"))]
mod set_up;
mod signalk_http;
mod status;
#[cfg(any(test, feature = "stores"))]
mod stores_http;
mod streams;
#[cfg(feature = "outputs")]
mod tap;
#[cfg(not(feature = "outputs"))]
#[path = "tap_none.rs"]
mod tap;
#[cfg(any(test, feature = "tracks"))]
mod tracks;
mod users_http;

use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

use crate::budget::{BudgetRow, Limits};
use crate::config::Vessel;
use crate::delta::Delta;
#[cfg(any(test, feature = "mdns"))]
use crate::discovery::{Announced, service};
use crate::hal::{Hal, Network};
use crate::model::{Model, Priorities};
use crate::plugin::{Offer, Registry};
use crate::server::Access;
#[cfg(any(test, feature = "server-routes"))]
use crate::server::stream::Session;
use crate::server::stream::StreamText;
use crate::time::{Instant, UnixMillis};
use board::Board;
use clients::Clients;
use inputs::Inputs;
use plugins::Plugins;

pub use self::board::{BoardParts, Restart};
pub use self::boot::{Boot, BootError, Booted, BusPart};
pub use self::input::InputState;
pub use self::install::FilesWork;
#[cfg(any(test, feature = "page"))]
pub use self::machine::Doors;
#[cfg(feature = "outputs")]
pub use self::outputs::{OUTPUT_BYTES_MAX, OUTPUT_DELTAS_MAX, OutputStatus};
#[cfg(feature = "outputs")]
pub use self::relay::Relayed;
#[cfg(any(test, feature = "remote"))]
pub use self::remote::{HOPS_MAX, REMOTE_SOURCES_MAX};
#[cfg(any(test, feature = "stores"))]
pub use self::resources_http::ChartList;
#[cfg(any(test, feature = "server-routes"))]
pub use self::server_routes::{ConnectionForm, ConnectionWish};
#[cfg(any(test, feature = "set-up"))]
pub use self::set_up::SetUpParts;
#[cfg(feature = "outputs")]
pub use self::tap::{PASSED_MAX, Passed};

/// Settings of a gateway.
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
pub struct InputId(pub usize);

/// Number of a stream client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StreamId(pub u64);

/// The next message for a stream client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StreamOut {
    /// This text.
    Text(StreamText),
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

/// The whole gateway.
pub struct Gateway {
    setup: Setup,
    hal: Hal,
    model: Model,
    inputs: Inputs,
    plugins: Plugins,
    clients: Clients,
    board: Board,
    resources: resources_http::OwnResources,
    #[cfg(any(test, feature = "appstore"))]
    store: appstore::Store,
    #[cfg(feature = "outputs")]
    outputs: outputs::Outputs,
    /// The default autopilot that was told last.
    #[cfg(any(test, feature = "autopilot"))]
    default_pilot: Option<String>,
    #[cfg(any(test, feature = "course"))]
    course: course::CourseKeeper,
    #[cfg(any(test, feature = "history"))]
    history: history::HistoryKeeper,
    #[cfg(any(test, feature = "tracks"))]
    tracks: tracks::TrackKeeper,
    #[cfg(any(test, feature = "server-routes"))]
    server_routes: server_routes::ServerRoutes,
}

impl Gateway {
    /// Builds a gateway on a HAL; its CAN interfaces become inputs.
    #[must_use]
    pub fn new(setup: Setup, mut hal: Hal) -> Self {
        let mut model = Model::new(&setup.limits, &setup.self_context);
        for (path, text) in setup.vessel.described() {
            model.describe_self(path, text);
        }
        own_meta::load(&mut *hal.storage, &mut model);
        #[cfg(any(test, feature = "server-routes"))]
        let setup = Setup { vessel: server_routes::described(&model, setup.vessel), ..setup };
        let registry = Registry::new(setup.limits, setup.poll_on_whole_seconds);
        #[cfg(any(test, feature = "course"))]
        let course = course::CourseKeeper::load(&mut *hal.storage, &mut model, hal.clock.wall());
        let gateway = Self {
            model,
            plugins: Plugins::new(registry, setup.events),
            inputs: Inputs::new(core::mem::take(&mut hal.can), setup.limits.n2k),
            clients: Clients::new(&setup.limits, &mut *hal.storage),
            board: Board::new(hal.clock.wall().is_none()),
            resources: resources_http::OwnResources::default(),
            #[cfg(any(test, feature = "appstore"))]
            store: appstore::Store::default(),
            #[cfg(feature = "outputs")]
            outputs: outputs::Outputs::default(),
            #[cfg(any(test, feature = "autopilot"))]
            default_pilot: None,
            #[cfg(any(test, feature = "course"))]
            course,
            #[cfg(any(test, feature = "history"))]
            history: history::HistoryKeeper::default(),
            #[cfg(any(test, feature = "tracks"))]
            tracks: tracks::TrackKeeper::load(&mut *hal.storage),
            #[cfg(any(test, feature = "server-routes"))]
            server_routes: server_routes::ServerRoutes::load(&mut *hal.storage),
            setup,
            hal,
        };
        #[cfg(any(test, feature = "server-routes"))]
        let gateway = gateway.prefer_as_chosen(None);
        gateway
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
        let restart = self.board.drive(&mut self.hal, now);
        self.model.tick(now);
        if let Some(network) = &mut self.hal.network {
            wake.at = network.poll(now);
        }
        self.take_passwords();
        #[cfg(any(test, feature = "appstore"))]
        self.drive_store();
        let held = self.drive_streams(now);
        #[cfg(any(test, feature = "course"))]
        self.drive_course(now, &mut wake);
        #[cfg(any(test, feature = "history"))]
        self.drive_history(now, &mut wake);
        #[cfg(any(test, feature = "tracks"))]
        let points = self.drive_tracks(now);
        #[cfg(not(any(test, feature = "tracks")))]
        let points = None;
        let (registry, mut world) = self.lend();
        let turn = registry.turn(&mut world);
        self.publish_emitted(now);
        self.clients.streams.publish_frames(&mut self.plugins.frames);
        while let Some(finished) = self.plugins.registry.next_finished() {
            self.finish(finished);
        }
        #[cfg(any(test, feature = "autopilot"))]
        self.tell_default_pilot();
        let deadline = self.end_waiting(now);
        wake.busy |= turn.busy;
        #[cfg(any(test, feature = "appstore"))]
        {
            wake.busy |= self.store_is_ready();
        }
        let events = self.send_server_events(now);
        let streams = self.clients.streams.due();
        wake.at = [wake.at, inputs.at, turn.wake, deadline, events, restart, streams, held, points]
            .into_iter()
            .flatten()
            .min();
        wake
    }

    /// Takes a delta into the model and hands it out.
    fn take_in(&mut self, delta: Arc<Delta>, hops: u8) {
        let now = self.hal.clock.now();
        self.model.tick(now);
        let mut taken = self.model.take_in(delta);
        let lesser = taken.lesser.take();
        for delta in taken.into_deltas() {
            self.publish(&delta, hops, now);
        }
        self.publish_lesser(lesser.as_ref(), now);
    }

    /// Tells clients how plugins, inputs and sources are; returns when to do so again.
    fn send_server_events(&mut self, now: Instant) -> Option<Instant> {
        let wall = self.wall();
        #[cfg(any(test, feature = "server-routes"))]
        if self.clients.streams.sessions().any(Session::wants_server_events) && self.clients.server_events.is_due(now) {
            self.clients.server_events.inputs = self.input_rows();
        }
        let events = self.clients.send_server_events(&self.plugins.registry, wall, now);
        #[cfg(any(test, feature = "server-routes"))]
        let events = [events, self.drive_server_events(now)].into_iter().flatten().min();
        events
    }

    fn wall(&self) -> UnixMillis {
        self.hal.clock.wall().unwrap_or(UnixMillis::UNKNOWN)
    }

    /// Hands a delta to plugins and stream clients. The model has it already.
    fn publish(&mut self, delta: &Arc<Delta>, hops: u8, now: Instant) {
        self.inputs.offer(delta, &self.setup.self_context, now);
        #[cfg(any(test, feature = "remote"))]
        self.inputs.echoes.tell(delta);
        self.plugins.registry.offer(&Offer { delta, hops, self_context: &self.setup.self_context, now });
        self.clients.streams.offer(delta, &self.model, now);
        #[cfg(feature = "outputs")]
        self.put_out(delta);
        #[cfg(any(test, feature = "course"))]
        self.course.hear(delta, &self.setup.self_context);
        #[cfg(any(test, feature = "history"))]
        self.history.hear(delta, &mut self.hal);
    }

    /// Hands values to which others are preferred to the clients that ask for every source.
    fn publish_lesser(&mut self, delta: Option<&Arc<Delta>>, now: Instant) {
        let Some(delta) = delta else { return };
        for session in self.clients.streams.sessions_mut().filter(|session| session.wants_all_sources()) {
            session.offer(delta, &self.model, now);
        }
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

    /// Returns the rows of the budget table.
    #[must_use]
    pub fn budget(&self) -> Vec<BudgetRow> {
        self.plugins.registry.budget(self.model.counts().bytes)
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

    /// Returns what is told of the gateway by multicast DNS, on a stack of our own: plain HTTP, by the vessel's name.
    #[cfg(any(test, feature = "mdns"))]
    #[must_use]
    pub fn announced(&self, host: &str, port: u16) -> Announced {
        let (vessel, version) = (&self.setup.vessel, self.setup.version);
        Announced {
            host: host.into(),
            name: service::name(vessel, host),
            port,
            kinds: service::Offer::Plain.kinds(),
            texts: service::texts(version, self.self_context(), vessel),
        }
    }

    /// Returns who may do what.
    #[must_use]
    pub fn access(&self) -> &Access {
        &self.setup.access
    }
}
