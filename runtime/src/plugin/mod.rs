//! Installed plugins: who runs, who is stopped and why, and whose turn it is.
//!
//! [`Registry::turn`] gives each plugin with work one fuel slice, round robin. What a plugin emits
//! lands in the outbox of [`World`] and is published after its slice: a guest is never re-entered.

mod crash;
mod entry;
mod fetch;
mod files;
mod filter;
mod offers;
mod orphans;
mod ports;
mod reload;
mod services;
mod sockets;
mod turn;
mod wear;

use alloc::boxed::Box;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;
use core::time::Duration;

pub use crash::{CRASH_WINDOW, CrashHistory, RESTARTS_MAX};
pub use entry::{Drops, Plugin, State};
pub use fetch::OFFLINE_RETRY;
pub use offers::{Frame, Frames, Offers, PutOffer};
pub use reload::ReplaceError;
pub use services::Emitted;
pub use sockets::SOCKET_PERIOD;

use orphans::Orphans;

use crate::budget::{Fixed, Ledger, Limits, MODEL, NETWORK, QUEUES, RUNTIME, Row};
use crate::config::{ConfigError, PluginConfig, PostError};
use crate::delta::Delta;
use crate::fetch::Client;
use crate::fetch::plain::PlainHttp;
use crate::hal::{Fetch, Network, Rng, SerialPorts, Storage};
use crate::host::{Call, Failure};
use crate::model::Model;
use crate::package::Package;
use crate::time::{Instant, UnixMillis};

/// Time between two calls of `poll` (plugin ABI §4.1).
pub const POLL_PERIOD: Duration = Duration::from_secs(1);

/// Plugins that may answer one another's deltas in a row.
///
/// A delta from an input came through none. What a plugin emits while it handles a delta came through one more than that
/// delta; beyond this many it is not given to plugins any more, so that two that answer each other come to an end.
pub const HOPS_MAX: u8 = 8;

/// Number of an HTTP exchange that waits for an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ExchangeId(pub u64);

/// What plugins touch while they run, lent for one turn.
pub struct World<'w> {
    /// Latest values; a plugin sees its own deltas there at once.
    pub model: &'w mut Model,
    /// Configuration files.
    pub storage: &'w mut dyn Storage,
    /// Randomness.
    pub rng: &'w mut dyn Rng,
    /// Sockets and what goes over them.
    pub net: Net<'w>,
    /// Monotonic time of this turn.
    pub now: Instant,
    /// Wall time of this turn.
    pub wall: UnixMillis,
    /// Full context of the own vessel.
    pub self_context: &'w str,
    /// What plugins emitted, to be published after the turn.
    pub outbox: &'w mut Vec<Emitted>,
    /// Binary frames of plugins, to be published after the turn.
    pub frames: &'w mut Frames,
}

/// The parts of a HAL that lead outside.
pub struct Net<'n> {
    /// TCP/IP.
    pub network: Option<&'n mut (dyn Network + 'static)>,
    /// HTTP client of the HAL.
    pub fetch: Option<&'n mut (dyn Fetch + 'static)>,
    /// Requests that go over `network` because there is no `fetch`.
    pub plain: &'n mut PlainHttp,
    /// Serial ports.
    pub serial: Option<&'n mut (dyn SerialPorts + 'static)>,
}

impl Net<'_> {
    pub(crate) fn client(&mut self, now: Instant) -> Client<'_> {
        Client { fetch: self.fetch.as_deref_mut(), network: self.network.as_deref_mut(), plain: self.plain, now }
    }
}

/// Whether a plugin runs, at installation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Enabled {
    /// As its configuration file says; no file means disabled (plugin ABI §5.1).
    FromConfig,
    /// Yes, with this configuration object where it has no file yet.
    Always {
        /// JSON object; `None` means `{}`.
        config: Option<String>,
    },
}

/// Why a package was not installed. Its name is known to whoever asked.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum InstallError {
    /// A package of this name is there already.
    Duplicate,
    /// The board takes no more plugins.
    TooMany {
        /// How many it takes.
        limit: u16,
    },
    /// Its configuration file cannot be used.
    Config(ConfigError),
}

impl fmt::Display for InstallError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Duplicate => f.write_str("a package of this name is installed already"),
            Self::TooMany { limit } => write!(f, "this board takes {limit} plugins"),
            Self::Config(error) => error.fmt(f),
        }
    }
}

impl core::error::Error for InstallError {}

impl From<ConfigError> for InstallError {
    fn from(error: ConfigError) -> Self {
        Self::Config(error)
    }
}

/// Why a plugin does not do what it was asked to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unavailable {
    /// It does not run.
    NotRunning,
    /// Its queue is full.
    Busy,
}

/// An exchange that came to its end.
#[derive(Clone, Debug)]
pub struct Finished {
    /// The exchange.
    pub exchange: ExchangeId,
    /// What it was about.
    pub result: Outcome,
}

/// How an exchange ended.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// The handler's answer text, `None` where the guest gave none.
    Answered(Option<String>),
    /// The export that was asked for does not exist.
    MissingHandler,
    /// The call failed.
    Failed(Failure),
    /// The plugin stopped before it answered.
    Stopped,
    /// A new configuration is in force, and whether the plugin came up with it.
    Configured(Result<(), String>),
    /// Another version is in place, or why the one before is still, or again, in force.
    Replaced(Result<(), String>),
    /// The plugin is gone.
    Removed,
}

/// What is left to do after a turn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Turn {
    /// A plugin has more to do now.
    pub busy: bool,
    /// The next poll or restart.
    pub wake: Option<Instant>,
}

impl Turn {
    /// Joins what two have left to do.
    pub(crate) fn and(self, other: Self) -> Self {
        let wake = match (self.wake, other.wake) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        };
        Self { busy: self.busy || other.busy, wake }
    }
}

/// Why a configuration was not changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ConfigureError {
    /// No plugin has this id.
    NotFound,
    /// The request body is no configuration.
    Body(PostError),
    /// The file could not be read or written; it is as it was.
    File(ConfigError),
}

impl fmt::Display for ConfigureError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotFound => f.write_str("no such plugin"),
            Self::Body(error) => error.fmt(f),
            Self::File(error) => error.fmt(f),
        }
    }
}

impl core::error::Error for ConfigureError {}

impl From<ConfigError> for ConfigureError {
    fn from(error: ConfigError) -> Self {
        Self::File(error)
    }
}

impl From<PostError> for ConfigureError {
    fn from(error: PostError) -> Self {
        Self::Body(error)
    }
}

/// Opens the ledger of a board: what everything but plugins may take is not free, the network apart.
fn opened(limits: &Limits) -> Ledger {
    let mut ledger = Ledger::new(limits.total_bytes);
    let fixed = Fixed::of(limits);
    for (account, bytes) in [(RUNTIME, fixed.runtime), (MODEL, fixed.model), (QUEUES, fixed.queues)] {
        if bytes > 0 {
            ledger.take(account, bytes);
        }
    }
    ledger
}

/// Every installed plugin.
pub struct Registry {
    limits: Limits,
    strict: bool,
    ledger: Ledger,
    plugins: Vec<Plugin>,
    next: usize,
    finished: Vec<Finished>,
    /// Plugins that are forgotten when they have stopped.
    removing: Vec<(Box<str>, ExchangeId)>,
    poll_on_whole_seconds: bool,
    /// What plugins that are gone had open.
    orphans: Orphans,
}

impl Registry {
    /// Builds an empty registry. `poll_on_whole_seconds` aligns `poll` with the wall clock, as `replay` needs.
    #[must_use]
    pub fn new(limits: Limits, strict: bool, poll_on_whole_seconds: bool) -> Self {
        Self {
            limits,
            strict,
            ledger: opened(&limits),
            plugins: Vec::new(),
            next: 0,
            finished: Vec::new(),
            removing: Vec::new(),
            poll_on_whole_seconds,
            orphans: Orphans::default(),
        }
    }

    /// Takes a package in and asks it for its name and schema; starts it when it is enabled.
    ///
    /// The module is read here, translated at its first turn. A module that is refused is installed all the
    /// same, in state `error` with the reason, so that its owner can see it.
    ///
    /// # Errors
    /// [`InstallError`]; nothing is installed then.
    pub fn install(
        &mut self,
        package: Package,
        enabled: Enabled,
        storage: &mut dyn Storage,
    ) -> Result<(), InstallError> {
        if self.plugins.len() >= usize::from(self.limits.plugins_max) {
            return Err(InstallError::TooMany { limit: self.limits.plugins_max });
        }
        let orphans = self.orphans.clone();
        let plugin = Plugin::new(package, &self.limits.plugin, self.strict, self.poll_on_whole_seconds, orphans);
        if self.plugins.iter().any(|other| other.id() == plugin.id()) {
            return Err(InstallError::Duplicate);
        }
        let stored = PluginConfig::load(storage, plugin.id(), self.limits.plugin.config_bytes_max)?;
        let config = match (stored, enabled) {
            (Some(config), _) => Some(config),
            (None, Enabled::FromConfig) => None,
            (None, Enabled::Always { config }) => {
                let config = PluginConfig { enabled: Some(true), configuration: config, ..PluginConfig::default() };
                config.save(storage, plugin.id())?;
                Some(config)
            }
        };
        let at = self.plugins.partition_point(|other| other.package_name() < plugin.package_name());
        self.plugins.insert(at, plugin.configured(config));
        Ok(())
    }

    /// Visits the plugins, sorted by package name.
    pub fn plugins(&self) -> impl Iterator<Item = &Plugin> {
        self.plugins.iter()
    }

    /// Finds a plugin by its id (`_acme_tide`).
    #[must_use]
    pub fn find(&self, id: &str) -> Option<&Plugin> {
        self.plugins.iter().find(|plugin| plugin.id() == id)
    }

    /// Returns what is reserved and free.
    #[must_use]
    pub fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// Takes the bytes of the board's network off what plugins may be promised; call it before plugins are installed.
    pub fn reserve_network(&mut self) {
        self.ledger.take(NETWORK, Fixed::of(&self.limits).network);
    }

    /// Returns the rows of the budget table; `model_bytes` is what the data model holds.
    ///
    /// The first four are what everything but plugins has, then comes each plugin.
    #[must_use]
    pub fn budget(&self, model_bytes: u64) -> Vec<Row> {
        let waiting = self.plugins.iter().map(|plugin| u64::from(plugin.waiting_deltas().1)).sum();
        let used = [(RUNTIME, None), (NETWORK, None), (MODEL, Some(model_bytes)), (QUEUES, Some(waiting))];
        let fixed = used.into_iter().map(|(name, used)| {
            let reserved = self.ledger.reserved(name);
            Row { name: name.into(), reserved, used, limit: reserved }
        });
        let plugins = self.plugins.iter().map(|plugin| Row {
            name: plugin.package_name().into(),
            reserved: self.ledger.reserved(plugin.id()),
            used: None,
            limit: self.limits.plugin_bytes_max(),
        });
        fixed.chain(plugins).collect()
    }

    /// Queues a delta for every running plugin that takes deltas. `hops` counts the plugins it came through.
    pub fn offer(&mut self, delta: &Arc<Delta>, hops: u8) {
        for plugin in &mut self.plugins {
            plugin.offer(delta, hops);
        }
    }

    /// Queues a call that answers a request; its end comes from [`next_finished`](Self::next_finished).
    ///
    /// # Errors
    /// [`Unavailable`] when the plugin does not run or has too many requests waiting.
    pub fn ask(&mut self, package: &str, exchange: ExchangeId, call: Call) -> Result<(), Unavailable> {
        let plugin = self.plugins.iter_mut().find(|plugin| plugin.package_name() == package);
        plugin.ok_or(Unavailable::NotRunning)?.request(exchange, call)
    }

    /// Saves a configuration and brings it into force: the plugin is stopped, and started when enabled.
    ///
    /// `body` is `{enabled?, enableDebug?, configuration?}`, JSON. The answer, [`Outcome::Configured`], comes when
    /// the plugin has come up or failed to.
    ///
    /// # Errors
    /// [`ConfigureError`]; nothing changes then.
    pub fn configure(
        &mut self,
        id: &str,
        body: &str,
        exchange: ExchangeId,
        world: &mut World<'_>,
    ) -> Result<(), ConfigureError> {
        let plugin = self.plugins.iter_mut().find(|plugin| plugin.id() == id).ok_or(ConfigureError::NotFound)?;
        plugin.abandon_reload(&mut self.ledger, &mut self.finished);
        plugin.configure(body, exchange, world)
    }

    /// Puts another version of an installed package in its place, without a gap where memory allows it.
    ///
    /// With an exchange, [`Outcome::Replaced`] tells how it ended; until then the version before is in force, or
    /// comes back.
    ///
    /// # Errors
    /// [`ReplaceError`]: nothing changes then.
    pub fn replace(
        &mut self,
        package: Package,
        exchange: Option<ExchangeId>,
        world: &World<'_>,
    ) -> Result<(), ReplaceError> {
        let id = package.id();
        let plugin = self.plugins.iter_mut().find(|plugin| plugin.id() == id).ok_or(ReplaceError::NotFound)?;
        plugin.replace(package, self.strict, exchange, &mut self.ledger, world)
    }

    /// Tells by [`Outcome::Configured`] when a plugin that was installed has come up, or failed to.
    pub fn tell_when_settled(&mut self, id: &str, exchange: ExchangeId) {
        if let Some(plugin) = self.plugins.iter_mut().find(|plugin| plugin.id() == id) {
            plugin.configuring.push(exchange);
        }
    }

    /// Stops a plugin and forgets it; [`Outcome::Removed`] tells when.
    pub fn remove(&mut self, id: &str, exchange: ExchangeId) {
        match self.plugins.iter_mut().find(|plugin| plugin.id() == id) {
            Some(plugin) => {
                plugin.abandon_reload(&mut self.ledger, &mut self.finished);
                plugin.shut_down();
                self.removing.push((plugin.id().into(), exchange));
            }
            None => self.finished.push(Finished { exchange, result: Outcome::Removed }),
        }
    }

    /// Forgets the plugins that were to be removed and have stopped.
    fn sweep(&mut self) {
        let (plugins, finished) = (&mut self.plugins, &mut self.finished);
        self.removing.retain(|(id, exchange)| {
            let gone = plugins.iter().position(|plugin| plugin.id() == &**id && plugin.is_at_rest());
            if let Some(index) = gone {
                plugins.remove(index);
                finished.push(Finished { exchange: *exchange, result: Outcome::Removed });
            }
            gone.is_none() && plugins.iter().any(|plugin| plugin.id() == &**id)
        });
    }

    /// Asks every plugin to stop; turns go on until [`is_stopped`](Self::is_stopped).
    pub fn stop(&mut self) {
        for plugin in &mut self.plugins {
            plugin.shut_down();
        }
    }

    /// Tells whether no plugin has an instance any more.
    #[must_use]
    pub fn is_stopped(&self) -> bool {
        self.plugins.iter().all(Plugin::is_at_rest)
    }

    /// Tells whether a plugin is on its way up (loading or starting).
    #[must_use]
    pub fn is_starting(&self) -> bool {
        self.plugins.iter().any(Plugin::is_starting)
    }

    /// Gives each plugin that has work one fuel slice.
    pub fn turn(&mut self, world: &mut World<'_>) -> Turn {
        self.orphans.close(&mut world.net, world.now);
        let mut turn = Turn::default();
        let count = self.plugins.len();
        for offset in 0..count {
            let index = (self.next + offset) % count;
            let Some(plugin) = self.plugins.get_mut(index) else { continue };
            let one = plugin.turn_with_reload(self.strict, &mut self.ledger, world, &mut self.finished);
            turn = turn.and(one);
            let gone = plugin.take_withdrawn_puts();
            if !gone.is_empty() {
                let package = plugin.face.package.clone();
                self.tell_withdrawn(&package, gone, world);
            }
        }
        if !self.removing.is_empty() {
            self.sweep();
        }
        let count = self.plugins.len();
        // The next turn begins with another plugin, so that none is always the last.
        self.next = if count == 0 { 0 } else { (self.next + 1) % count };
        turn
    }

    /// Tells clients which paths nobody handles PUT for any more.
    fn tell_withdrawn(&self, package: &Arc<str>, gone: Vec<PutOffer>, world: &mut World<'_>) {
        for offer in gone {
            if !self
                .plugins
                .iter()
                .any(|plugin| plugin.offers().is_some_and(|offers| offers.puts().any(|other| *other == offer)))
            {
                services::emit_of_host(package, &services::supports_put(&offer, false, world.self_context), world);
            }
        }
    }

    /// Takes an exchange that has come to its end.
    pub fn next_finished(&mut self) -> Option<Finished> {
        if self.finished.is_empty() { None } else { Some(self.finished.remove(0)) }
    }
}
