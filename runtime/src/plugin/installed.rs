//! An installed plugin as others see it: its facts, its state, and what they ask of it.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

use super::context::TurnContext;
use super::errors::ConfigureError;
use super::exchange::{ExchangeId, Reply};
use super::filter::PathFilter;
use super::guest_view::Drops;
use super::life::{PluginState, Why};
use super::offers::{Offers, PutOffer};
use super::orphans::Orphans;
use super::queues::{Incoming, Queues};
use super::reload::Reload;
use super::values::Offer;
use super::version::{KEEPS_CONFIG_BEFORE, Version};
use crate::budget::PluginLimits;
use crate::config::{PluginConfig, misfit};
use crate::delta::Delta;
use crate::hal::Storage;
use crate::host::{Call, Instance, ModuleFacts, Refusal};
use crate::package::{Asks, Package};
use crate::time::Instant;
use skiff_abi::Capability;

/// Plugins that may answer one another's deltas in a row.
///
/// A delta from an input came through none; what a plugin emits while it handles a delta came through one more than
/// that delta. One that came through this many is given to no plugin, so that two that answer each other come to an end.
const HOPS_MAX: u8 = 8;

/// A version that waits until what it asks for is granted; the one before runs meanwhile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// Its version.
    pub version: String,
    /// All that it asks for.
    pub asks: Asks,
}

/// An installed plugin.
pub struct Plugin {
    /// The version in force.
    pub(super) version: Version,
    pub(super) queues: Queues,
    /// A change of version under way.
    pub(super) reload: Option<Box<Reload>>,
    pub(super) waiting: Option<Box<Waiting>>,
}

impl Plugin {
    pub(super) fn new(package: Package, limits: &PluginLimits, poll_on_whole_seconds: bool, orphans: Orphans) -> Self {
        let version = Version::new(package, limits, poll_on_whole_seconds, orphans);
        Self { version, queues: Queues::new(limits), reload: None, waiting: None }
    }

    /// Sets the stored configuration.
    pub(super) fn configured(mut self, config: Option<PluginConfig>) -> Self {
        self.version.config = config;
        self
    }

    /// Returns the id used in paths and file names.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.version.view.id
    }

    /// Returns the npm package name, also the default `$source`.
    #[must_use]
    pub fn package_name(&self) -> &str {
        &self.version.view.package
    }

    /// Returns the package.
    #[must_use]
    pub fn package(&self) -> &Package {
        &self.version.package
    }

    /// Returns what it asks for and nobody has granted: it does not run while there is any.
    #[must_use]
    pub fn missing(&self) -> Asks {
        self.version.missing
    }

    /// Returns the version that waits for what it asks for.
    #[must_use]
    pub fn waiting(&self) -> Option<&Waiting> {
        // None waits on chips, and nothing that speaks of one is compiled there.
        self.waiting.as_deref().filter(|_| cfg!(any(test, feature = "std")))
    }

    /// Returns what is known of the module, or why it was refused.
    ///
    /// # Errors
    /// The refusal.
    pub fn facts(&self) -> Result<&ModuleFacts, &Refusal> {
        self.version.facts.as_ref()
    }

    /// Returns the name users see: what `plugin_name` gave, else the package name.
    #[must_use]
    pub fn display_name(&self) -> &str {
        self.version.told.display_name.as_deref().unwrap_or(&self.version.view.package)
    }

    /// Returns the JSON Schema of the configuration, `{}` when there is none.
    #[must_use]
    pub fn schema(&self) -> &str {
        self.version.told.schema.as_deref().unwrap_or("{}")
    }

    /// Returns the JSON text of `http_endpoints` and the number of its version; `None` while not running.
    #[must_use]
    pub fn endpoints(&self) -> Option<(&str, u32)> {
        self.version.told.endpoints()
    }

    /// Returns the stored configuration.
    #[must_use]
    pub fn config(&self) -> Option<&PluginConfig> {
        self.version.config.as_ref()
    }

    /// Tells whether it is to run.
    #[must_use]
    pub fn is_enabled(&self) -> bool {
        self.version.is_enabled()
    }

    /// Returns the state.
    #[must_use]
    pub fn state(&self) -> PluginState {
        self.version.life.state()
    }

    /// Returns why it is in this state, where there is something to say.
    #[must_use]
    pub fn reason(&self) -> Option<&str> {
        let trouble = || self.version.trouble.words().filter(|_| self.is_running());
        self.version.life.reason().or_else(trouble)
    }

    /// Returns the message users see first: the guest's error; then its status while it runs, else the reason why not.
    #[must_use]
    pub fn status_message(&self) -> &str {
        let (reason, status) = (self.reason(), self.version.view.status.as_deref());
        let rest = if self.is_running() { status.or(reason) } else { reason.or(status) };
        self.version.view.error.as_deref().or(rest).unwrap_or_default()
    }

    /// Returns the message for everybody: the guest's status while it runs well, else its state. Errors and reasons can
    /// quote what was meant for the owner.
    #[must_use]
    pub fn public_message(&self) -> &str {
        let runs_well = self.is_running() && self.error().is_none();
        self.status().filter(|_| runs_well).unwrap_or_else(|| self.state().name())
    }

    /// Returns the last status text of the guest.
    #[must_use]
    pub fn status(&self) -> Option<&str> {
        self.version.view.status.as_deref()
    }

    /// Returns the last error text of the guest.
    #[must_use]
    pub fn error(&self) -> Option<&str> {
        self.version.view.error.as_deref()
    }

    /// Returns what was lost.
    #[must_use]
    pub fn drops(&self) -> Drops {
        Drops { deltas: self.queues.deltas.counters().dropped, ..self.version.view.drops }
    }

    /// Tells whether something of what it emitted was lost lately.
    #[must_use]
    pub fn loses(&self) -> bool {
        self.version.trouble.loses()
    }

    /// Returns how often it was restarted after a crash.
    #[must_use]
    pub fn restarts(&self) -> u32 {
        self.version.crashes.restarts()
    }

    /// Returns how often a fresh instance took the place of one whose memory was nearly used up.
    #[must_use]
    pub fn recycled(&self) -> u32 {
        self.version.wear.recycled()
    }

    /// Returns what it offers to clients while it runs.
    #[must_use]
    pub fn offers(&self) -> Option<&Offers> {
        (self.is_running()).then_some(&self.version.view.offers)
    }

    /// Returns all fuel its calls took.
    #[must_use]
    pub fn fuel_spent(&self) -> u64 {
        self.version.fuel_spent
    }

    /// Returns its instance, while it has one.
    #[must_use]
    pub fn instance(&self) -> Option<&Instance> {
        self.version.life.live().map(|live| &live.instance)
    }

    /// Returns what it holds of the memory that was promised to it, bytes; `None` where all of it is reserved at once, and
    /// while it does not run.
    #[must_use]
    pub fn memory_used(&self) -> Option<u64> {
        #[cfg(feature = "engine-chip")]
        return self.version.life.live().and_then(|live| live.memory.used());
        #[cfg(not(feature = "engine-chip"))]
        None
    }

    /// Returns count and bytes of the deltas that wait for it.
    #[must_use]
    pub fn waiting_deltas(&self) -> (usize, u32) {
        (self.queues.deltas.len(), self.queues.deltas.bytes())
    }

    /// Returns the limits it runs under.
    #[must_use]
    pub fn limits(&self) -> &PluginLimits {
        &self.version.limits
    }

    /// Visits the kept lines of its log, oldest first.
    pub fn log_lines(&self) -> impl Iterator<Item = &str> {
        self.version.view.log.iter().map(String::as_str)
    }

    /// Tells whether it has no instance and none is planned.
    #[must_use]
    pub fn is_at_rest(&self) -> bool {
        self.version.life.is_at_rest() && self.reload.is_none()
    }

    /// Tells whether it is being loaded or started.
    #[must_use]
    pub fn is_starting(&self) -> bool {
        self.version.life.is_starting()
    }

    fn is_running(&self) -> bool {
        self.state() == PluginState::Running
    }

    /// Returns its package name, to be kept.
    pub(super) fn shared_name(&self) -> Arc<str> {
        self.version.view.package.clone()
    }

    /// Returns the paths that the version in force is told of; `None` means that it gets every delta.
    pub(super) fn filter(&self) -> Option<&Arc<PathFilter>> {
        self.version.told_of.as_ref().unwrap_or(&self.version.filter).as_ref()
    }

    /// Tells whether it is to be told of a delta.
    pub(super) fn wants(&self, delta: &Delta) -> bool {
        self.instance().is_some_and(|instance| instance.values().is_some())
            || self.filter().is_none_or(|filter| filter.wants(delta))
    }

    /// Gives it a delta that it wants, while it runs or is about to; tells whether it has something to do now.
    pub(super) fn offer(&mut self, offer: &Offer<'_>) -> bool {
        // `strict` is about endpoints alone.
        let may_read = self.version.package.capabilities.allows(Capability::DataRead, false);
        if (!self.is_running() && !self.queues.is_holding()) || !may_read {
            return false;
        }
        if offer.hops >= HOPS_MAX {
            let drops = &mut self.version.view.drops;
            drops.looped = drops.looped.saturating_add(1);
            return false;
        }
        if let Some(arrived) = self.version.arrive(offer)
            && !arrived.as_text
        {
            return arrived.wakes;
        }
        let delta = offer.delta.clone();
        let bytes = delta.text_bytes_max();
        self.queues.deltas.push(Incoming { delta, hops: offer.hops }, bytes);
        true
    }

    /// Tells whether it may be passed over until its next poll or until it is given something: no call is under way,
    /// nothing leads outside, nothing waits for its time.
    pub(super) fn may_rest(&self) -> bool {
        self.reload.is_none() && self.queues.are_at_rest() && self.version.may_rest()
    }

    /// Returns when it is to be seen what it has lost.
    pub(super) fn look_due(&self) -> Instant {
        self.version.trouble.due()
    }

    pub(super) fn request(&mut self, exchange: ExchangeId, call: Call) -> Result<(), Reply> {
        let takes_requests = self.is_running() && !self.version.life.stop_wanted();
        if !takes_requests && !self.queues.is_holding() {
            return Err(Reply::Stopped);
        }
        self.queues.request(exchange, call)
    }

    pub(super) fn configure(
        &mut self,
        body: &str,
        exchange: ExchangeId,
        cx: &mut TurnContext<'_, '_>,
    ) -> Result<(), ConfigureError> {
        let ran = self.is_running();
        let before = self.store(body, cx.world.storage)?;
        self.abandon_reload(cx.finished);
        let version = &mut self.version;
        version.may_return_to(before, ran);
        version.crashes.forgive();
        self.queues.tell_when_settled(exchange);
        if version.life.live().is_some() {
            version.life.end();
        } else if version.facts.is_ok() && version.missing.is_empty() {
            version.life.plan(cx.world.now, Why::Stopped(None));
        }
        Ok(())
    }

    /// Saves a configuration without bringing it into force; returns the one that was stored before.
    pub(super) fn store(
        &mut self,
        body: &str,
        storage: &mut dyn Storage,
    ) -> Result<Option<PluginConfig>, ConfigureError> {
        let version = &mut self.version;
        // The file may have been changed by the plugin itself (sk_save_config) since it was read.
        let limit = version.limits.config_bytes_max;
        let (stored, _) = PluginConfig::load_or_keep_aside(storage, &version.view.id, limit)?;
        let before = if KEEPS_CONFIG_BEFORE { stored.clone() } else { None };
        let mut config = stored.unwrap_or_default().posted(body)?;
        let was = before.as_ref().and_then(|before| before.configuration.as_deref());
        if let (Some(schema), Some(next)) = (&version.told.schema, config.configuration.as_deref())
            && KEEPS_CONFIG_BEFORE
            && Some(next) != was
            && let Some(clause) = misfit(schema, next)
        {
            return Err(ConfigureError::Misfit(clause));
        }
        if config.enabled == Some(true) && !version.missing.is_empty() {
            return Err(ConfigureError::Asks(version.missing));
        }
        config.enabled = config.enabled.or(Some(false));
        config.enable_debug = config.enable_debug.or(Some(false));
        config.save(storage, &version.view.id)?;
        version.config = Some(config);
        Ok(before)
    }

    pub(super) fn shut_down(&mut self) {
        self.version.shut_down();
    }

    /// Takes the PUT handlers that are gone for good: not those that a fresh instance is about to register again, nor
    /// those that end with the gateway.
    pub(super) fn take_withdrawn_puts(&mut self) -> Vec<PutOffer> {
        if self.queues.is_holding() {
            return Vec::new();
        }
        let gone = self.version.view.offers.take_withdrawn();
        if self.version.is_leaving { Vec::new() } else { gone }
    }
}
