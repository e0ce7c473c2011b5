//! The plugins: what they are lent while they run, and what they leave to be published.

use alloc::collections::VecDeque;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::install::FilesWork;
use super::{Event, Gateway};
use crate::fetch::plain::PlainHttp;
use crate::hal::Hal;
use crate::model::Model;
use crate::package::Package;
use crate::plugin::{
    Emitted, Enabled, ExchangeId, Frames, InstallError, Net, Plugin, Registry, ReplaceError, Unusable, Waiting, World,
};
use crate::server::endpoint::Endpoints;
use crate::sorted::SortedMap;
use crate::time::{Instant, UnixMillis};

/// Events kept for a listener; one that drains after each poll never reaches it.
const EVENTS_MAX: usize = 4096;

/// Every plugin, and what they have under way.
pub(super) struct Plugins {
    pub registry: Registry,
    outbox: Vec<Emitted>,
    pub frames: Frames,
    plain: PlainHttp,
    /// Compiled endpoints by plugin id, with the version they were compiled from.
    endpoints: SortedMap<String, (u32, Endpoints)>,
    /// Plugins whose files the HAL has to read again.
    pub reloads: VecDeque<(ExchangeId, String)>,
    /// A package is on its way in.
    pub is_arriving: bool,
    /// What the HAL has to do with the files of packages.
    pub files: VecDeque<FilesWork>,
    /// `None` without a listener.
    events: Option<VecDeque<Event>>,
    /// Deltas emitted.
    emitted: u64,
}

impl Plugins {
    pub fn new(registry: Registry, keeps_events: bool) -> Self {
        Self {
            registry,
            outbox: Vec::new(),
            frames: Frames::default(),
            plain: PlainHttp::default(),
            endpoints: SortedMap::new(),
            reloads: VecDeque::new(),
            is_arriving: false,
            files: VecDeque::new(),
            events: keeps_events.then(VecDeque::new),
            emitted: 0,
        }
    }

    /// Returns how many deltas were emitted.
    pub fn emitted(&self) -> u64 {
        self.emitted
    }

    /// Lends the plugins what they touch while they run.
    fn lend<'w>(
        &'w mut self,
        model: &'w mut Model,
        hal: &'w mut Hal,
        self_context: &'w str,
    ) -> (&'w mut Registry, World<'w>) {
        let world = World {
            model,
            now: hal.clock.now(),
            wall: hal.clock.wall().unwrap_or(UnixMillis::UNKNOWN),
            storage: &mut *hal.storage,
            rng: &mut *hal.rng,
            net: Net {
                network: hal.network.as_deref_mut(),
                fetch: hal.fetch.as_deref_mut(),
                plain: &mut self.plain,
                serial: hal.serial.as_deref_mut(),
            },
            self_context,
            outbox: &mut self.outbox,
            frames: &mut self.frames,
        };
        (&mut self.registry, world)
    }

    /// Keeps emitted deltas for the listener, if there is one.
    fn note(&mut self, emitted: Emitted) {
        self.emitted = self.emitted.saturating_add(1);
        let Some(events) = &mut self.events else { return };
        if events.len() >= EVENTS_MAX {
            events.pop_front();
        }
        events.push_back(Event::Emitted { package: emitted.package, delta: emitted.delta });
    }

    /// Returns the compiled endpoints of a plugin, whose `text` is of this `version`; what is wrong in them is logged.
    pub fn endpoints(&mut self, plugin: &str) -> Option<&Endpoints> {
        let plugin = self.registry.find(plugin)?;
        let (text, version) = plugin.endpoints()?;
        if self.endpoints.get(plugin.id()).is_none_or(|(compiled, _)| *compiled != version) {
            self.endpoints.insert(plugin.id().to_string(), (version, compile(plugin, text)));
        }
        self.endpoints.get(plugin.id()).map(|(_, endpoints)| endpoints)
    }
}

fn compile(plugin: &Plugin, text: &str) -> Endpoints {
    let package = plugin.package_name();
    match Endpoints::parse(text) {
        Ok((compiled, refused)) => {
            refused.iter().for_each(|clause| log::warn!("{package}: {clause}"));
            compiled
        }
        Err(error) => {
            log::warn!("{package}: http_endpoints: {error}");
            Endpoints::default()
        }
    }
}

impl Gateway {
    /// Lends the plugins what they touch while they run.
    pub(super) fn lend(&mut self) -> (&mut Registry, World<'_>) {
        self.plugins.lend(&mut self.model, &mut self.hal, &self.setup.self_context)
    }

    /// Installs a package; see [`Registry::install`].
    ///
    /// # Errors
    /// [`InstallError`]; nothing is installed then.
    pub fn install(&mut self, package: Package, enabled: Enabled) -> Result<(), InstallError> {
        self.plugins.registry.install(package, enabled, &mut *self.hal.storage)
    }

    /// Shows a package that cannot be used in the plugin list, and logs why; see [`Registry::note_unusable`].
    pub fn note_unusable(&mut self, row: Unusable) {
        log::warn!("{} cannot be used: {}", row.package, row.reason);
        self.plugins.registry.note_unusable(row);
    }

    /// Ends the row of a package that could not be used and is gone.
    pub fn forget_unusable(&mut self, package: &str) {
        self.plugins.registry.forget_unusable(package);
    }

    /// Puts another version of an installed package in its place; see [`Registry::replace`].
    ///
    /// # Errors
    /// [`ReplaceError`]: the version before goes on.
    pub fn replace(&mut self, package: Package) -> Result<(), ReplaceError> {
        let (id, waiting) = (package.id(), Waiting { version: package.version.clone(), asks: package.asks() });
        let (registry, mut world) = self.lend();
        let replaced = registry.replace(package, None, &mut world);
        if let Err(ReplaceError::Asks(_)) = &replaced {
            registry.set_waiting(&id, Some(waiting));
        }
        replaced
    }

    /// Watches a plugin; see [`Registry::watch`].
    #[cfg(any(test, feature = "trace"))]
    pub fn watch(&mut self, id: &str) {
        self.plugins.registry.watch(id);
    }

    /// Takes what the calls of a plugin that is watched did; see [`Registry::take_acted`].
    #[cfg(any(test, feature = "trace"))]
    pub fn take_acted(&mut self, id: &str) -> Vec<crate::host::Acted> {
        self.plugins.registry.take_acted(id)
    }

    /// Publishes what plugins emitted.
    pub(super) fn publish_emitted(&mut self, now: Instant) {
        for emitted in core::mem::take(&mut self.plugins.outbox) {
            for delta in &emitted.parts {
                self.publish(delta, emitted.hops, now);
            }
            self.publish_lesser(emitted.lesser.as_ref(), now);
            self.plugins.note(emitted);
        }
    }

    /// Takes the next event; there are none unless [`Setup::events`](super::Setup::events) is set.
    pub fn next_event(&mut self) -> Option<Event> {
        self.plugins.events.as_mut()?.pop_front()
    }

    /// Asks every plugin to stop; poll until [`is_stopped`](Self::is_stopped).
    pub fn stop(&mut self) {
        #[cfg(any(test, feature = "history"))]
        self.save_history();
        #[cfg(any(test, feature = "tracks"))]
        self.save_track(self.hal.clock.now());
        self.plugins.registry.stop();
    }

    /// Tells whether every plugin has stopped.
    #[must_use]
    pub fn is_stopped(&self) -> bool {
        self.plugins.registry.is_stopped()
    }

    /// Tells whether a plugin is still on its way up.
    #[must_use]
    pub fn is_starting(&self) -> bool {
        self.plugins.registry.is_starting()
    }

    /// Returns the plugins.
    #[must_use]
    pub fn plugins(&self) -> &Registry {
        &self.plugins.registry
    }
}
