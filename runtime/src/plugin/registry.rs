//! Every installed plugin: which there are, and whose turn it is.

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::sync::Arc;
use alloc::vec::Vec;

use super::context::{Turn, TurnContext, World};
use super::errors::{ConfigureError, InstallError, ReplaceError};
use super::exchange::{ExchangeId, Finished, Outcome, Reply};
use super::installed::{Plugin, Waiting};
use super::interest::Interest;
use super::life::Why;
use super::offers::PutOffer;
use super::orphans::Orphans;
use super::seat::{Seat, Seats};
use super::services;
use super::unusable::{HAS_ROWS, Unusable, UnusableRows};
use super::values::Offer;
#[cfg(feature = "engine-chip")]
use crate::budget::PluginLimits;
use crate::budget::{Account, BudgetRow, Fixed, Ledger, Limits, MODEL, NETWORK, QUEUES, RUNTIME};
use crate::config::PluginConfig;
use crate::hal::Storage;
use crate::host::Call;
use crate::package::{Asks, Clash, Package, asks};
use crate::time::Instant;

/// Whether a plugin runs, at installation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Enabled {
    /// As its configuration file says; no file means disabled (plugin ABI §5.1).
    FromConfig,
    /// Yes once it has what it asks for, with this configuration object where it has no file yet.
    Always {
        /// JSON object; `None` means `{}`.
        config: Option<String>,
    },
}

/// Opens the ledger of a board: what everything but plugins may take is not free, its network and radio among it, so
/// that a board that is only tried out on another machine promises plugins no more than it would itself.
fn opened(limits: &Limits) -> Ledger {
    let mut ledger = Ledger::new(limits.total_bytes);
    let fixed = Fixed::of(limits);
    let accounts = [
        (Account::Runtime, fixed.runtime),
        (Account::Network, fixed.network),
        (Account::Model, fixed.model),
        (Account::Queues, fixed.queues),
    ];
    for (account, bytes) in accounts {
        if bytes > 0 {
            ledger.take(account, bytes);
        }
    }
    ledger
}

/// Every installed plugin.
pub struct Registry {
    limits: Limits,
    ledger: Ledger,
    plugins: Seats,
    next: usize,
    finished: VecDeque<Finished>,
    /// Plugins that are forgotten when they have stopped.
    removing: Vec<(Box<str>, ExchangeId)>,
    poll_on_whole_seconds: bool,
    /// A plugin has what stands in `skiff/grants.json`, not what its package declares.
    asks_consent: bool,
    interest: Interest,
    /// A plugin had something to do in the last turn.
    has_moved: bool,
    /// Resources of the HAL that removed plugins had open.
    orphans: Orphans,
    /// Packages that are there and are no plugins.
    unusable: UnusableRows,
    /// Images may lie in flash that nobody wants.
    #[cfg(feature = "engine-chip")]
    pub(super) prune_due: bool,
}

impl Registry {
    /// Builds an empty registry. `poll_on_whole_seconds` aligns `poll` with the wall clock, as `replay` needs.
    #[must_use]
    pub fn new(limits: Limits, poll_on_whole_seconds: bool) -> Self {
        Self {
            limits,
            ledger: opened(&limits),
            plugins: Seats::default(),
            next: 0,
            finished: VecDeque::new(),
            removing: Vec::new(),
            poll_on_whole_seconds,
            asks_consent: false,
            interest: Interest::default(),
            has_moved: false,
            orphans: Orphans::default(),
            unusable: UnusableRows::default(),
            #[cfg(feature = "engine-chip")]
            prune_due: true,
        }
    }

    /// From now on a plugin runs only with what was granted to it. Without this call each has what its package declares:
    /// whoever tries one out is its author.
    pub fn ask_consent(&mut self) {
        self.asks_consent = true;
    }

    /// Returns what a package asks for and nobody has granted.
    fn missing(&self, package: &Package, storage: &mut dyn Storage) -> Asks {
        let asks = package.asks();
        if !self.asks_consent || asks.is_empty() {
            return Asks::NONE;
        }
        let granted = asks::granted(storage, &package.name).unwrap_or_else(|error| {
            log::warn!("{error}: nothing is granted");
            Asks::NONE
        });
        asks.without(granted)
    }

    /// Reads again what is granted to a plugin; one that lacks nothing any more is loaded.
    pub fn reconsider(&mut self, id: &str, world: &mut World<'_>) {
        let missing = self.find(id).map(|plugin| self.missing(plugin.package(), world.storage));
        if let (Some(plugin), Some(missing)) = (self.plugins.find_mut(|plugin| plugin.id() == id), missing)
            && plugin.version.missing != missing
            && plugin.version.life.live().is_none()
        {
            plugin.version.lacks(missing, world.now);
        }
    }

    /// Notes the version of a plugin that waits for what it asks for.
    pub fn set_waiting(&mut self, id: &str, waiting: Option<Waiting>) {
        let plugin = self.plugins.find_mut(|plugin| cfg!(any(test, feature = "std")) && plugin.id() == id);
        if let Some(plugin) = plugin {
            plugin.waiting = waiting.map(Box::new);
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
        if self.plugins.list().len() >= usize::from(self.limits.plugins_max) {
            return Err(InstallError::TooMany { limit: self.limits.plugins_max });
        }
        let orphans = self.orphans.clone();
        let plugin = Plugin::new(package, &self.limits.plugin, self.poll_on_whole_seconds, orphans);
        if let Some(other) = self.find(plugin.id()) {
            let clash = Clash::between(plugin.package_name(), other.package_name());
            return Err(clash.map_or(InstallError::Duplicate, InstallError::Clash));
        }
        let missing = self.missing(plugin.package(), storage);
        let limit = self.limits.plugin.config_bytes_max;
        let (stored, damaged) = PluginConfig::load_or_keep_aside(storage, plugin.id(), limit)?;
        let config = match (stored, enabled) {
            (Some(config), _) => Some(config),
            (None, Enabled::FromConfig) => None,
            (None, Enabled::Always { .. }) if !missing.is_empty() => None,
            (None, Enabled::Always { config }) => {
                let config = PluginConfig { enabled: Some(true), configuration: config, ..PluginConfig::default() };
                config.save(storage, plugin.id())?;
                Some(config)
            }
        };
        self.unusable.forget(plugin.package_name());
        let mut plugin = plugin.configured(config);
        if let Some(damaged) = damaged {
            plugin.version.life.rest(Why::Error(format!("{damaged}; it is disabled, configure it anew")));
        }
        if !missing.is_empty() {
            plugin.version.lacks(missing, Instant::default());
        }
        if let Err(refusal) = &plugin.version.facts {
            plugin.version.view.log(log::Level::Error, &refusal.to_string());
        }
        self.plugins.insert(plugin);
        self.note_filters();
        Ok(())
    }

    /// Shows a package that cannot be used as a row of the plugin list, until a plugin of its name is installed. The row is
    /// named by the package where another plugin has its id; a package whose plugin is there needs none.
    pub fn note_unusable(&mut self, mut row: Unusable) {
        match self.find(&row.id) {
            _ if !HAS_ROWS => return,
            Some(plugin) if plugin.package_name() == row.package => return,
            Some(_) => row.id.clone_from(&row.package),
            None => {}
        }
        self.unusable.note(row);
    }

    /// Ends the row of a package that could not be used.
    pub fn forget_unusable(&mut self, package: &str) {
        self.unusable.forget(package);
    }

    /// Visits the packages that cannot be used, sorted by name.
    pub fn unusable(&self) -> impl Iterator<Item = &Unusable> {
        self.unusable.iter()
    }

    /// Visits the plugins, sorted by package name.
    pub fn plugins(&self) -> impl Iterator<Item = &Plugin> {
        self.plugins.list().iter().map(Seat::plugin)
    }

    /// Takes note of which deltas are wanted.
    fn note_filters(&mut self) {
        if !Interest::IS_KEPT {
            return;
        }
        self.interest.set(self.plugins.list().iter().map(|seat| seat.plugin().filter()));
    }

    /// Finds a plugin by its id (`_acme_tide`).
    #[must_use]
    pub fn find(&self, id: &str) -> Option<&Plugin> {
        self.plugins().find(|plugin| plugin.id() == id)
    }

    /// Finds a plugin by its id to be changed.
    #[cfg(any(test, feature = "trace"))]
    pub(super) fn find_mut(&mut self, id: &str) -> Option<&mut Plugin> {
        self.plugins.find_mut(|plugin| plugin.id() == id)
    }

    /// Returns the limits of each plugin.
    #[cfg(feature = "engine-chip")]
    pub(super) fn plugin_limits(&self) -> &PluginLimits {
        &self.limits.plugin
    }

    /// Returns what is reserved and free.
    #[must_use]
    pub fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// Returns the rows of the budget table; `model_bytes` is what the data model holds.
    ///
    /// The first four are what everything but plugins has, then comes each plugin.
    #[must_use]
    pub fn budget(&self, model_bytes: u64) -> Vec<BudgetRow> {
        let waiting = self.plugins().map(|plugin| u64::from(plugin.waiting_deltas().1)).sum();
        let used = [
            (RUNTIME, Account::Runtime, None),
            (NETWORK, Account::Network, None),
            (MODEL, Account::Model, Some(model_bytes)),
            (QUEUES, Account::Queues, Some(waiting)),
        ];
        let fixed = used.into_iter().map(|(name, account, used)| {
            let reserved = self.ledger.reserved(&account);
            BudgetRow { name: name.into(), reserved, used, limit: reserved }
        });
        let plugins = self.plugins().map(|plugin| BudgetRow {
            name: plugin.package_name().into(),
            reserved: self.ledger.reserved_by_plugin(plugin.id()),
            used: plugin.memory_used(),
            limit: Fixed::left_for_one_plugin(&self.limits),
        });
        fixed.chain(plugins).collect()
    }

    /// Gives a delta to every running plugin that wants it: as values, or as text that waits.
    pub fn offer(&mut self, offer: &Offer<'_>) {
        if self.plugins.list().is_empty() {
            return;
        }
        let delta = offer.delta;
        let Some(wanted) = self.interest.of(delta) else {
            for index in 0..self.plugins.list().len() {
                if self.plugins.list().get(index).is_some_and(|seat| seat.plugin().wants(delta)) {
                    self.plugins.offer(index, offer);
                }
            }
            return;
        };
        for index in wanted {
            if !self.plugins.offer(index, offer) {
                return;
            }
        }
    }

    /// Queues a call that answers a request; its end comes from [`next_finished`](Self::next_finished).
    ///
    /// # Errors
    /// The reply that is known at once: [`Reply::Stopped`] when the plugin does not run, [`Reply::Busy`] when too many
    /// requests wait for it.
    pub fn ask(&mut self, package: &str, exchange: ExchangeId, call: Call) -> Result<(), Reply> {
        let plugin = self.plugins.find_mut(|plugin| plugin.package_name() == package);
        plugin.ok_or(Reply::Stopped)?.request(exchange, call)
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
        let plugin = self.plugins.find_mut(|plugin| plugin.id() == id).ok_or(ConfigureError::NotFound)?;
        plugin.configure(
            body,
            exchange,
            &mut TurnContext { world, ledger: &mut self.ledger, finished: &mut self.finished },
        )
    }

    /// Saves a configuration as [`configure`](Self::configure) does, for the version that is about to come.
    ///
    /// # Errors
    /// [`ConfigureError`]; nothing changes then.
    pub fn store_config(&mut self, id: &str, body: &str, storage: &mut dyn Storage) -> Result<(), ConfigureError> {
        let plugin = self.plugins.find_mut(|plugin| plugin.id() == id).ok_or(ConfigureError::NotFound)?;
        plugin.store(body, storage).map(|_| ())
    }

    /// Forgets a plugin that was installed just now and had no turn yet.
    pub fn withdraw(&mut self, id: &str) {
        self.plugins.all_mut().retain(|seat| seat.plugin().id() != id);
        self.note_filters();
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
        world: &mut World<'_>,
    ) -> Result<(), ReplaceError> {
        let id = package.id();
        let missing = self.missing(&package, world.storage);
        let plugin = self.plugins.find_mut(|plugin| plugin.id() == id).ok_or(ReplaceError::NotFound)?;
        if let Some(clash) = Clash::between(&package.name, plugin.package_name()) {
            return Err(ReplaceError::Clash(clash));
        }
        #[cfg(feature = "engine-chip")]
        {
            self.prune_due = true;
        }
        plugin.replace(package, missing, exchange, &self.ledger, world.now)
    }

    /// Tells by [`Outcome::Configured`] when a plugin that was installed has come up, or failed to.
    pub fn tell_when_settled(&mut self, id: &str, exchange: ExchangeId) {
        if let Some(plugin) = self.plugins.find_mut(|plugin| plugin.id() == id) {
            plugin.queues.tell_when_settled(exchange);
        }
    }

    /// Stops a plugin and forgets it; [`Outcome::Removed`] tells when.
    pub fn remove(&mut self, id: &str, exchange: ExchangeId) {
        match self.plugins.find_mut(|plugin| plugin.id() == id) {
            Some(plugin) => {
                plugin.abandon_reload(&mut self.finished);
                plugin.shut_down();
                self.removing.push((plugin.id().into(), exchange));
            }
            None => self.finished.push_back(Finished { exchange, result: Outcome::Removed }),
        }
    }

    /// Forgets the plugins that were to be removed and have stopped.
    fn sweep(&mut self) {
        let (plugins, finished) = (self.plugins.all_mut(), &mut self.finished);
        self.removing.retain(|(id, exchange)| {
            let is_it = |plugin: &Plugin| plugin.id() == &**id;
            let gone = plugins.iter().position(|seat| is_it(seat.plugin()) && seat.plugin().is_at_rest());
            if let Some(index) = gone {
                plugins.remove(index);
                #[cfg(feature = "engine-chip")]
                {
                    self.prune_due = true;
                }
                finished.push_back(Finished { exchange: *exchange, result: Outcome::Removed });
            }
            gone.is_none() && plugins.iter().any(|seat| is_it(seat.plugin()))
        });
    }

    /// Asks every plugin to stop; turns go on until [`is_stopped`](Self::is_stopped).
    pub fn stop(&mut self) {
        for seat in self.plugins.all_mut() {
            seat.stirred().shut_down();
        }
    }

    /// Tells whether no plugin has an instance any more.
    #[must_use]
    pub fn is_stopped(&self) -> bool {
        self.plugins().all(Plugin::is_at_rest)
    }

    /// Tells whether a plugin is on its way up (loading or starting).
    #[must_use]
    pub fn is_starting(&self) -> bool {
        self.plugins().any(Plugin::is_starting)
    }

    /// Tells whether a plugin had something to do in the last turn: otherwise each is as it was before.
    #[must_use]
    pub fn has_moved(&self) -> bool {
        self.has_moved
    }

    /// Gives each plugin that has work one fuel slice.
    pub fn turn(&mut self, world: &mut World<'_>) -> Turn {
        self.orphans.close(&mut world.net, world.now);
        self.has_moved = !self.removing.is_empty();
        let turn = self.plugins.resting(world.now).filter(|_| !self.has_moved);
        let turn = turn.unwrap_or_else(|| self.turn_each(world));
        // The next turn begins with another plugin, so that none is always the last.
        let next = self.next.saturating_add(1);
        self.next = if next < self.plugins.list().len() { next } else { 0 };
        turn
    }

    /// Looks at each plugin.
    fn turn_each(&mut self, world: &mut World<'_>) -> Turn {
        let mut turn = Turn::default();
        let count = self.plugins.list().len();
        for offset in 0..count {
            let index = (self.next + offset) % count;
            let Some(seat) = self.plugins.all_mut().get_mut(index) else { continue };
            if let Some(rest) = seat.resting(world.now) {
                turn = turn.and(rest);
                continue;
            }
            self.has_moved = true;
            let mut context = TurnContext { world, ledger: &mut self.ledger, finished: &mut self.finished };
            turn = turn.and(seat.turn(&mut context));
            let gone = seat.take_withdrawn_puts();
            if !gone.is_empty() {
                let package = seat.plugin().shared_name();
                self.tell_withdrawn(&package, gone, world);
            }
        }
        self.plugins.note_rest();
        if !self.removing.is_empty() {
            self.sweep();
        }
        #[cfg(feature = "engine-chip")]
        self.prune(world.storage);
        if self.has_moved {
            self.note_filters();
        }
        turn
    }

    /// Tells clients which paths have no PUT handler any more.
    fn tell_withdrawn(&self, package: &Arc<str>, gone: Vec<PutOffer>, world: &mut World<'_>) {
        for offer in gone {
            if !self
                .plugins()
                .any(|plugin| plugin.offers().is_some_and(|offers| offers.puts().any(|other| *other == offer)))
            {
                services::withdraw_put(package, &offer, world);
            }
        }
    }

    /// Takes an exchange that has come to its end.
    pub fn next_finished(&mut self) -> Option<Finished> {
        self.finished.pop_front()
    }
}
