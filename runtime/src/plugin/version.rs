//! One version of a plugin: its package, what the module told of itself, and where it is on its way.

use alloc::boxed::Box;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::sync::Arc;

use super::context::TurnContext;
use super::crash::CrashHistory;
use super::filter::PathFilter;
use super::guest_view::GuestView;
#[cfg(doc)]
use super::interest::Interest;
use super::life::{Life, Why};
use super::orphans::Orphans;
use super::queues::Queues;
use super::trouble::Trouble;
use super::wear::Wear;
use crate::budget::{Account, PluginLimits};
use crate::config::PluginConfig;
use crate::host::{ModuleFacts, Refusal};
#[cfg(feature = "engine-chip")]
use crate::images::ModuleHash;
use crate::package::{Asks, Package};
use crate::time::Instant;

/// Boards keep the new configuration, whether it starts or not: the way back has no room there.
pub(super) const KEEPS_CONFIG_BEFORE: bool = cfg!(any(test, feature = "std"));

/// Answers of the guest about itself.
#[derive(Debug, Default)]
pub(super) struct Told {
    pub(super) display_name: Option<String>,
    pub(super) schema: Option<String>,
    endpoints: Option<String>,
    /// Counts up with each change of `endpoints`, so that compiled routes can be kept.
    endpoints_version: u32,
}

impl Told {
    pub(super) fn set_endpoints(&mut self, endpoints: Option<String>) {
        self.endpoints = endpoints;
        self.endpoints_version = self.endpoints_version.wrapping_add(1);
    }

    pub(super) fn endpoints(&self) -> Option<(&str, u32)> {
        self.endpoints.as_deref().map(|text| (text, self.endpoints_version))
    }
}

/// One version of a plugin.
pub(super) struct Version {
    pub(super) package: Package,
    pub(super) facts: Result<ModuleFacts, Refusal>,
    pub(super) limits: PluginLimits,
    /// Whose bytes its instance takes.
    pub(super) account: Account,
    pub(super) config: Option<PluginConfig>,
    /// The configuration it ran with before, until it has started with the new one.
    before: Option<Box<PluginConfig>>,
    /// What it asks for and was not granted: none of its code runs while there is any.
    pub(super) missing: Asks,
    pub(super) life: Life,
    pub(super) view: GuestView,
    pub(super) told: Told,
    /// Paths it wants as text; `None` means all.
    pub(super) filter: Option<Arc<PathFilter>>,
    /// What it is told of while it takes values, on machines where [`Interest`] remembers that; `None` within means all.
    pub(super) told_of: Option<Option<Arc<PathFilter>>>,
    pub(super) crashes: CrashHistory,
    pub(super) wear: Wear,
    pub(super) trouble: Trouble,
    pub(super) fuel_spent: u64,
    /// It is not started again: the gateway ends, or it is removed or replaced.
    pub(super) is_leaving: bool,
    pub(super) poll_on_whole_seconds: bool,
    /// What its image is known by, once that was made or found.
    #[cfg(feature = "engine-chip")]
    pub(super) module: Option<ModuleHash>,
    /// Memory that its operator has set for it, bytes.
    #[cfg(feature = "engine-chip")]
    pub(super) memory_set: Option<u64>,
}

impl Version {
    /// Reads the module; it is loaded at its first turn, unless it is refused.
    pub(super) fn new(package: Package, limits: &PluginLimits, poll_on_whole_seconds: bool, orphans: Orphans) -> Self {
        let facts = ModuleFacts::admit(&package.wasm, limits, &package.capabilities);
        let life = match &facts {
            Ok(_) => Life::Due(Instant::default(), Why::Stopped(None)),
            Err(refusal) => Life::Resting(Why::Error(refusal.to_string())),
        };
        Self {
            view: GuestView::new(&package, limits, orphans),
            facts,
            limits: *limits,
            account: Account::Plugin(package.id().into()),
            config: None,
            before: None,
            missing: Asks::NONE,
            life,
            told: Told::default(),
            filter: None,
            told_of: None,
            crashes: CrashHistory::default(),
            wear: Wear::default(),
            trouble: Trouble::default(),
            fuel_spent: 0,
            is_leaving: false,
            poll_on_whole_seconds,
            #[cfg(feature = "engine-chip")]
            module: None,
            #[cfg(feature = "engine-chip")]
            memory_set: None,
            package,
        }
    }

    /// Builds a version of another package with this one's configuration.
    pub(super) fn sibling(&self, package: Package) -> Self {
        let orphans = self.view.orphans.clone();
        let config = self.config.clone();
        Self { config, ..Self::new(package, &self.limits, self.poll_on_whole_seconds, orphans) }
    }

    /// Sets what it asks for in vain; where that is nothing any more, it is loaded at `now`.
    pub(super) fn lacks(&mut self, missing: Asks, now: Instant) {
        self.missing = missing;
        match (self.facts.is_ok(), missing.is_empty()) {
            // What cannot run says why.
            (false, _) => {}
            (true, true) => self.life.plan(now, Why::Stopped(None)),
            (true, false) => {
                self.life.rest(Why::Stopped(Some(format!("asks for {missing}, which nobody has granted"))));
            }
        }
    }

    /// Notes the configuration that was stored before the one in `config`: where it `ran` with that, it returns to it when it
    /// does not start with the new one. A configuration that nothing ran with is nothing to return to: who mends one that is
    /// wrong, or whose other end is away, would lose each try.
    pub(super) fn may_return_to(&mut self, before: Option<PluginConfig>, ran: bool) {
        if !KEEPS_CONFIG_BEFORE || !self.is_enabled() {
            self.before = None;
        } else if ran {
            self.before = before.map(Box::new);
        }
    }

    /// It has started with its configuration, or keeps it although it has not.
    pub(super) fn keep_config(&mut self) {
        self.before = None;
    }

    /// Puts the configuration before in force again, on disk too; false where there is none.
    pub(super) fn return_to_before(&mut self, reason: &str, queues: &mut Queues, cx: &mut TurnContext<'_, '_>) -> bool {
        let Some(before) = self.before.take().filter(|_| KEEPS_CONFIG_BEFORE && self.goes_on()) else { return false };
        if let Err(error) = before.save(cx.world.storage, &self.view.id) {
            self.view.log(log::Level::Error, &format!("the configuration before was not put back: {error}"));
            return false;
        }
        let reason = format!("{reason}; the configuration before is in force again");
        self.view.log(log::Level::Error, &reason);
        self.config = Some(*before);
        self.withdraw(queues, cx);
        // What the guest said of the configuration that is gone stands in the answer.
        self.view.status = None;
        self.view.error = None;
        self.life.plan(cx.world.now, Why::Stopped(None));
        queues.settle(&Err(reason), cx);
        true
    }

    /// Takes on from the version before what is the plugin's rather than a version's.
    pub(super) fn succeed(&mut self, before: &mut Self) {
        self.view.succeed(&mut before.view);
        // Its counters go on, so what was told of them is no news.
        self.trouble = core::mem::take(&mut before.trouble);
        self.fuel_spent = self.fuel_spent.saturating_add(before.fuel_spent);
        self.told.endpoints_version = before.told.endpoints_version.wrapping_add(1);
    }

    pub(super) fn is_enabled(&self) -> bool {
        self.config.as_ref().is_some_and(|config| config.enabled == Some(true))
    }

    /// Tells whether a turn would do nothing before its next poll.
    pub(super) fn may_rest(&self) -> bool {
        self.life.is_between_calls() && self.view.is_closed() && !self.is_worn_out()
    }

    /// Tells whether an instance that ends is followed by another.
    pub(super) fn goes_on(&self) -> bool {
        self.is_enabled() && !self.is_leaving
    }

    /// Ends it for good: what runs is stopped, what is planned is not begun.
    pub(super) fn shut_down(&mut self) {
        self.is_leaving = true;
        self.life.end();
    }

    /// Takes back what was offered to clients, and ends what waits; the instance is going.
    pub(super) fn withdraw(&mut self, queues: &mut Queues, cx: &mut TurnContext<'_, '_>) {
        queues.withdraw(cx);
        self.view.offers.clear();
        self.told.set_endpoints(None);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::budget::{Board, Limits};
    use crate::plugin::trouble::Losses;
    use core::time::Duration;

    #[test]
    fn what_a_version_lost_is_not_told_of_the_one_after_it() {
        let json = br#"{"name":"p","keywords":["signalk-wasm-plugin"],"wasmManifest":"p.wasm"}"#;
        let package = Package::from_parts(json, b"\0asm\x01\0\0\0".to_vec()).unwrap();
        let limits = Limits::of(Board::Linux).plugin;
        let version = || Version::new(package.clone(), &limits, false, Orphans::default());
        let (mut before, mut next) = (version(), version());
        let lost = Losses { dropped: 90, ..Losses::default() };
        before.trouble.look(Instant::from_millis(10_000), lost, Duration::ZERO);
        assert!(before.trouble.loses());
        next.succeed(&mut before);
        next.trouble.look(Instant::from_millis(20_000), lost, Duration::ZERO);
        assert_eq!((next.trouble.words(), next.trouble.loses()), (None, false));
    }
}
