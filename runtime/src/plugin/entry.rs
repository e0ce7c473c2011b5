//! One installed plugin: what others can see of it and what waits for it.

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::sync::Arc;
use alloc::vec::Vec;

use super::crash::CrashHistory;
use super::fetch::Fetches;
use super::filter::PathFilter;
use super::offers::{Offers, PutOffer};
use super::orphans::Orphans;
use super::ports::PortTable;
use super::reload::Reload;
use super::sockets::{SOCKET_PERIOD, SocketLimits, SocketTable};
use super::wear::Wear;
use super::{ConfigureError, ExchangeId, Finished, Outcome, Unavailable, World};
use crate::budget::PluginLimits;
use crate::config::PluginConfig;
use crate::delta::Delta;
use crate::host::{Call, Instance, ModuleFacts, Refusal};
use crate::package::Package;
use crate::queue::Queue;
use crate::time::Instant;
use skiff_abi::Capability;

/// State as the plugin list shows it (plugin ABI §5.6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Disabled, or not started yet.
    Stopped,
    /// `plugin_start` has been called and has not returned.
    Starting,
    /// Runs.
    Running,
    /// Refused, or `plugin_start` returned an error.
    Error,
    /// Crashed; waits for its restart or has been given up.
    Crashed,
}

impl State {
    /// Returns the word of the plugin list.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Stopped => "stopped",
            Self::Starting => "starting",
            Self::Running => "running",
            Self::Error => "error",
            Self::Crashed => "crashed",
        }
    }
}

/// What was lost on the way to or from a plugin.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Drops {
    /// Deltas the plugin was too slow for.
    pub deltas: u64,
    /// Deltas it emitted beyond its limit in one call.
    pub emitted: u64,
    /// Texts it emitted that were no delta.
    pub malformed: u64,
    /// Binary frames it emitted beyond its limit in one call.
    pub frames: u64,
    /// Deltas not given to it because they had come through too many plugins.
    pub looped: u64,
}

impl Drops {
    /// Returns the sum.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.deltas
            .saturating_add(self.emitted)
            .saturating_add(self.malformed)
            .saturating_add(self.frames)
            .saturating_add(self.looped)
    }
}

/// Lines that one call may log: a flood must not fill the log of the whole system.
const LOG_LINES_PER_CALL: u32 = 256;

/// What a guest's own calls can change of the plugin.
pub(super) struct Face {
    pub(super) package: Arc<str>,
    pub(super) id: Box<str>,
    pub(super) status: Option<String>,
    pub(super) error: Option<String>,
    pub(super) drops: Drops,
    pub(super) emitted_in_call: u16,
    pub(super) emitted_bytes_in_call: usize,
    pub(super) emit_max: u16,
    pub(super) emit_bytes_max: usize,
    pub(super) config_bytes_max: u32,
    pub(super) log: Queue<String>,
    pub(super) logged_in_call: u32,
    pub(super) offers: Offers,
    pub(super) registrations_max: usize,
    pub(super) frame_bytes_in_call: usize,
    pub(super) frame_bytes_max: usize,
    pub(super) fetches: Fetches,
    pub(super) sockets: SocketTable,
    pub(super) ports: PortTable,
    pub(super) orphans: Orphans,
    status_bytes_max: usize,
}

impl Face {
    /// Takes a text into the log, each of its lines by itself.
    pub(super) fn log(&mut self, level: log::Level, text: &str) {
        for line in text.split(['\n', '\r']).filter(|line| !line.trim().is_empty()) {
            self.logged_in_call = self.logged_in_call.saturating_add(1);
            if self.logged_in_call > LOG_LINES_PER_CALL {
                continue;
            }
            // Nothing of a plugin steers a terminal.
            let plain: String = line
                .chars()
                .map(|letter| match letter {
                    '\t' => ' ',
                    letter if letter.is_control() => '\u{fffd}',
                    letter => letter,
                })
                .collect();
            let line = cut(&plain, self.status_bytes_max);
            log::log!(target: "skiff::plugin", level, "{}: {line}", self.package);
            self.log.push(format!("{level} {line}"), line.len());
        }
    }

    /// Tells how many lines of a call were left out, and counts anew.
    pub(super) fn end_of_lines(&mut self) {
        let left_out = self.logged_in_call.saturating_sub(LOG_LINES_PER_CALL);
        self.logged_in_call = 0;
        if left_out > 0 {
            self.log(log::Level::Warn, &format!("{left_out} more lines of one call were left out"));
            self.logged_in_call = 0;
        }
    }

    /// Logs what requests came to nothing.
    pub(super) fn log_fetches(&mut self) {
        while let Some(note) = self.fetches.next_note() {
            self.log(log::Level::Warn, &note);
        }
    }

    /// Goes on with what leads outside; returns when it wants to be looked at again. `stopping` ends all requests, so
    /// that a guest that waits can come to its `plugin_stop`.
    pub(super) fn run_outside(&mut self, stopping: bool, world: &mut World<'_>) -> Option<Instant> {
        if stopping {
            self.fetches.close();
        }
        let wake = self.fetches.run(&mut world.net.client(world.now));
        self.log_fetches();
        if let Some(note) = self.ports.take_note() {
            self.log(log::Level::Warn, &note);
        }
        if self.sockets.is_empty() {
            return wake;
        }
        if let Some(network) = &mut world.net.network {
            self.sockets.run(*network);
        }
        Some(wake.map_or(world.now + SOCKET_PERIOD, |wake| wake.min(world.now + SOCKET_PERIOD)))
    }

    /// Lets go of everything that leads outside: the instance is gone.
    pub(super) fn release(&mut self) {
        self.fetches.release();
        self.sockets.release();
        self.ports.release();
    }

    pub(super) fn set_status(&mut self, text: &str) {
        self.status = (!text.is_empty()).then(|| cut(text, self.status_bytes_max).to_string());
        self.error = None;
    }

    pub(super) fn set_error(&mut self, text: &str) {
        self.error = (!text.is_empty()).then(|| cut(text, self.status_bytes_max).to_string());
    }
}

/// Returns at most `limit` bytes of `text`, whole characters.
fn cut(text: &str, limit: usize) -> &str {
    if text.len() <= limit {
        return text;
    }
    let mut end = limit;
    while !text.is_char_boundary(end) {
        end = end.saturating_sub(1);
    }
    text.get(..end).unwrap_or_default()
}

/// A request that waits for the plugin.
pub(super) struct Waiting {
    pub(super) exchange: ExchangeId,
    pub(super) call: Call,
}

/// A delta that waits for the plugin.
pub(super) struct Fed {
    pub(super) delta: Arc<Delta>,
    pub(super) hops: u8,
}

/// The export call that is under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Activity {
    Name,
    Schema,
    Endpoints,
    Start,
    Stop,
    Poll,
    Delta,
    /// A handler answers a request.
    Exchange(ExchangeId),
    Fetched,
    Collect,
}

/// Where an installed plugin is on its way.
pub(super) enum Phase {
    /// No instance, nothing planned.
    Rest,
    /// Load a fresh instance at this time.
    Load(Instant),
    /// An instance is there; `None` when it is idle.
    Live(Box<Instance>, Option<Activity>),
}

/// An installed plugin.
pub struct Plugin {
    pub(super) package: Package,
    pub(super) facts: Result<ModuleFacts, Refusal>,
    pub(super) limits: PluginLimits,
    pub(super) face: Face,
    pub(super) config: Option<PluginConfig>,
    pub(super) state: State,
    pub(super) reason: Option<String>,
    /// What its guest waits for, when it waits.
    pub(super) waiting: Option<String>,
    pub(super) display_name: Option<String>,
    pub(super) schema: Option<String>,
    pub(super) endpoints: Option<String>,
    /// Counts up with each change of `endpoints`, so that compiled routes can be kept.
    pub(super) endpoints_version: u32,
    pub(super) phase: Phase,
    pub(super) crashes: CrashHistory,
    pub(super) deltas: Queue<Fed>,
    pub(super) requests: VecDeque<Waiting>,
    pub(super) next_poll: Option<Instant>,
    pub(super) poll_on_whole_seconds: bool,
    /// Hops of the delta being handled.
    pub(super) hops: u8,
    /// Stop the running instance as soon as its call has ended.
    pub(super) stop_wanted: bool,
    pub(super) shutting_down: bool,
    /// Configuration exchanges that wait for the plugin to come up.
    pub(super) configuring: Vec<ExchangeId>,
    pub(super) takes_deltas: bool,
    /// Paths it wants; `None` means all.
    pub(super) filter: Option<PathFilter>,
    pub(super) fuel_spent: u64,
    /// Name of its account in the ledger: its id, or for every other version another one.
    pub(super) account: Box<str>,
    /// A change of version is under way: deltas and requests wait although the plugin does not run.
    pub(super) holding: bool,
    pub(super) reload: Option<Box<Reload>>,
    pub(super) wear: Wear,
}

impl Plugin {
    pub(super) fn new(
        package: Package,
        limits: &PluginLimits,
        strict: bool,
        poll_on_whole_seconds: bool,
        orphans: Orphans,
    ) -> Self {
        let facts = ModuleFacts::read(&package.wasm, limits);
        let takes_deltas = package.capabilities.allows(Capability::DataRead, strict);
        Self {
            face: Face {
                package: Arc::from(package.name.as_str()),
                id: package.id().into(),
                status: None,
                error: None,
                drops: Drops::default(),
                emitted_in_call: 0,
                emitted_bytes_in_call: 0,
                emit_max: limits.emit_queue_len,
                emit_bytes_max: limits.emit_queue_bytes as usize,
                config_bytes_max: limits.config_bytes_max,
                offers: Offers::default(),
                registrations_max: usize::from(limits.registrations_max),
                frame_bytes_in_call: 0,
                frame_bytes_max: limits.stream_bytes_per_call as usize,
                log: Queue::new(limits.log_lines, u32::from(limits.log_lines) * u32::from(limits.status_bytes_max)),
                logged_in_call: 0,
                status_bytes_max: usize::from(limits.status_bytes_max),
                fetches: Fetches::new(limits, orphans.clone()),
                sockets: SocketTable::new(SocketLimits::of(limits), orphans.clone()),
                ports: PortTable::new(limits.serial_ports_max.into(), limits.socket_send_bytes as usize),
                orphans,
            },
            facts,
            limits: *limits,
            config: None,
            state: State::Stopped,
            reason: None,
            waiting: None,
            display_name: None,
            schema: None,
            endpoints: None,
            endpoints_version: 0,
            phase: Phase::Rest,
            crashes: CrashHistory::default(),
            deltas: Queue::new(limits.delta_queue_len, limits.delta_queue_bytes),
            requests: VecDeque::new(),
            next_poll: None,
            poll_on_whole_seconds,
            hops: 0,
            stop_wanted: false,
            shutting_down: false,
            configuring: Vec::new(),
            takes_deltas,
            filter: None,
            fuel_spent: 0,
            account: package.id().into(),
            holding: false,
            reload: None,
            wear: Wear::default(),
            package,
        }
    }

    /// Sets the stored configuration and plans the first load.
    pub(super) fn configured(mut self, config: Option<PluginConfig>) -> Self {
        self.config = config;
        match &self.facts {
            Ok(_) => self.phase = Phase::Load(Instant::default()),
            Err(reason) => {
                self.state = State::Error;
                self.reason = Some(reason.to_string());
            }
        }
        self
    }

    /// Returns the id used in paths and file names.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.face.id
    }

    /// Returns the npm package name, also the default `$source`.
    #[must_use]
    pub fn package_name(&self) -> &str {
        &self.face.package
    }

    /// Returns the package.
    #[must_use]
    pub fn package(&self) -> &Package {
        &self.package
    }

    /// Returns what is known of the module, or why it was refused.
    ///
    /// # Errors
    /// The refusal.
    pub fn facts(&self) -> Result<&ModuleFacts, &Refusal> {
        self.facts.as_ref()
    }

    /// Returns the name users see: what `plugin_name` gave, else the package name.
    #[must_use]
    pub fn display_name(&self) -> &str {
        self.display_name.as_deref().unwrap_or(&self.face.package)
    }

    /// Returns the JSON Schema of the configuration, `{}` when there is none.
    #[must_use]
    pub fn schema(&self) -> &str {
        self.schema.as_deref().unwrap_or("{}")
    }

    /// Returns the JSON text of `http_endpoints` and the number of its version; `None` while not running.
    #[must_use]
    pub fn endpoints(&self) -> Option<(&str, u32)> {
        self.endpoints.as_deref().map(|text| (text, self.endpoints_version))
    }

    /// Returns the stored configuration.
    #[must_use]
    pub fn config(&self) -> Option<&PluginConfig> {
        self.config.as_ref()
    }

    /// Tells whether it is to run.
    #[must_use]
    pub fn is_enabled(&self) -> bool {
        self.config.as_ref().is_some_and(|config| config.enabled == Some(true))
    }

    /// Returns the state.
    #[must_use]
    pub fn state(&self) -> State {
        self.state
    }

    /// Returns why it is in this state, where there is something to say.
    #[must_use]
    pub fn reason(&self) -> Option<&str> {
        self.waiting.as_deref().or(self.reason.as_deref())
    }

    /// Returns the message users see first: the guest's error; then its status while it runs, else the reason why not.
    #[must_use]
    pub fn status_message(&self) -> &str {
        let (reason, status) = (self.reason(), self.face.status.as_deref());
        let rest = if self.state == State::Running { status.or(reason) } else { reason.or(status) };
        self.face.error.as_deref().or(rest).unwrap_or_default()
    }

    /// Returns the last status text of the guest.
    #[must_use]
    pub fn status(&self) -> Option<&str> {
        self.face.status.as_deref()
    }

    /// Returns the last error text of the guest.
    #[must_use]
    pub fn error(&self) -> Option<&str> {
        self.face.error.as_deref()
    }

    /// Returns what was lost.
    #[must_use]
    pub fn drops(&self) -> Drops {
        Drops { deltas: self.deltas.counters().dropped, ..self.face.drops }
    }

    /// Returns how often it was restarted after a crash.
    #[must_use]
    pub fn restarts(&self) -> u32 {
        self.crashes.restarts()
    }

    /// Returns how often a fresh instance took the place of one whose memory was nearly used up.
    #[must_use]
    pub fn recycled(&self) -> u32 {
        self.wear.recycled()
    }

    /// Returns what it offers to clients while it runs.
    #[must_use]
    pub fn offers(&self) -> Option<&Offers> {
        (self.state == State::Running).then_some(&self.face.offers)
    }

    /// Returns all fuel its calls took.
    #[must_use]
    pub fn fuel_spent(&self) -> u64 {
        self.fuel_spent
    }

    /// Returns its instance, while it has one.
    #[must_use]
    pub fn instance(&self) -> Option<&Instance> {
        match &self.phase {
            Phase::Live(instance, _) => Some(instance),
            Phase::Rest | Phase::Load(_) => None,
        }
    }

    /// Returns count and bytes of the deltas that wait for it.
    #[must_use]
    pub fn waiting_deltas(&self) -> (usize, u32) {
        (self.deltas.len(), self.deltas.bytes())
    }

    /// Returns the limits it runs under.
    #[must_use]
    pub fn limits(&self) -> &PluginLimits {
        &self.limits
    }

    /// Visits the kept lines of its log, oldest first.
    pub fn log_lines(&self) -> impl Iterator<Item = &str> {
        self.face.log.iter().map(String::as_str)
    }

    /// Tells whether it has no instance and none is planned.
    #[must_use]
    pub fn is_at_rest(&self) -> bool {
        matches!(self.phase, Phase::Rest) && self.reload.is_none()
    }

    /// Tells whether it is being loaded or started.
    #[must_use]
    pub fn is_starting(&self) -> bool {
        match &self.phase {
            Phase::Load(_) => !matches!(self.state, State::Crashed | State::Error),
            Phase::Live(_, activity) => {
                matches!(activity, Some(Activity::Name | Activity::Schema | Activity::Endpoints | Activity::Start))
            }
            Phase::Rest => false,
        }
    }

    pub(super) fn offer(&mut self, delta: &Arc<Delta>, hops: u8) {
        if (self.state != State::Running && !self.is_holding()) || !self.takes_deltas {
            return;
        }
        if self.filter.as_ref().is_some_and(|filter| !filter.wants(delta)) {
            return;
        }
        if hops >= super::HOPS_MAX {
            self.face.drops.looped = self.face.drops.looped.saturating_add(1);
            return;
        }
        self.deltas.push(Fed { delta: delta.clone(), hops }, delta.text().len());
    }

    pub(super) fn request(&mut self, exchange: ExchangeId, call: Call) -> Result<(), Unavailable> {
        if (self.state != State::Running || self.stop_wanted) && !self.is_holding() {
            return Err(Unavailable::NotRunning);
        }
        if self.requests.len() >= usize::from(self.limits.request_queue_len) {
            return Err(Unavailable::Busy);
        }
        self.requests.push_back(Waiting { exchange, call });
        Ok(())
    }

    pub(super) fn configure(
        &mut self,
        body: &str,
        exchange: ExchangeId,
        world: &mut World<'_>,
    ) -> Result<(), ConfigureError> {
        // The file may have been changed by the plugin itself (sk_save_config) since it was read.
        let stored =
            PluginConfig::load(world.storage, &self.face.id, self.limits.config_bytes_max)?.unwrap_or_default();
        let mut config = stored.posted(body)?;
        config.enabled = config.enabled.or(Some(false));
        config.enable_debug = config.enable_debug.or(Some(false));
        config.save(world.storage, &self.face.id)?;
        self.config = Some(config);
        self.crashes.forgive();
        self.configuring.push(exchange);
        match &self.phase {
            Phase::Live(..) => self.stop_wanted = true,
            Phase::Rest | Phase::Load(_) => {
                if self.facts.is_ok() {
                    self.phase = Phase::Load(world.now);
                    self.state = State::Stopped;
                    self.reason = None;
                }
            }
        }
        Ok(())
    }

    pub(super) fn shut_down(&mut self) {
        self.shutting_down = true;
        match &self.phase {
            Phase::Live(..) => self.stop_wanted = true,
            Phase::Load(_) => self.phase = Phase::Rest,
            Phase::Rest => {}
        }
    }

    /// Deltas and requests wait for the instance to come.
    fn is_holding(&self) -> bool {
        self.holding || self.wear.is_recycling()
    }

    /// Takes the PUT handlers that are gone for good: not those that a fresh instance is about to register again, nor
    /// those that end with the gateway.
    pub(super) fn take_withdrawn_puts(&mut self) -> Vec<PutOffer> {
        if self.is_holding() {
            return Vec::new();
        }
        let gone = self.face.offers.take_withdrawn();
        if self.shutting_down { Vec::new() } else { gone }
    }

    /// Ends everything that waits for this plugin.
    pub(super) fn withdraw(&mut self, finished: &mut Vec<Finished>) {
        if !self.is_holding() {
            let waiting = self.requests.drain(..);
            finished.extend(waiting.map(|waiting| Finished { exchange: waiting.exchange, result: Outcome::Stopped }));
            self.deltas.clear();
        }
        self.face.offers.clear();
        self.next_poll = None;
        self.endpoints = None;
        self.endpoints_version = self.endpoints_version.wrapping_add(1);
    }

    /// Answers those who wait for a new configuration to be in force.
    pub(super) fn configured_as(&mut self, result: &Result<(), String>, finished: &mut Vec<Finished>) {
        finished.extend(
            self.configuring
                .drain(..)
                .map(|exchange| Finished { exchange, result: Outcome::Configured(result.clone()) }),
        );
    }
}
