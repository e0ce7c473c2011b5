//! How a fresh instance comes: configuration, filter, ways out, memory, module.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::sync::Arc;
use alloc::vec::Vec;

use super::context::{TurnContext, World};
use super::filter::PathFilter;
#[cfg(feature = "engine-chip")]
use super::image::Found;
use super::memory::Memory;
use super::queues::Queues;
use super::version::Version;
use crate::budget::Ledger;
use crate::config::{Operator, PluginConfig};
use crate::hal::Destinations;
use crate::host::{Instance, InstanceSpec};
#[cfg(feature = "engine-chip")]
use crate::images::Held;

impl Version {
    /// Makes a fresh instance ready, where its image is there or needs none.
    pub(super) fn load(&mut self, queues: &mut Queues, cx: &mut TurnContext<'_, '_>) {
        #[cfg(feature = "engine-chip")]
        match self.find_image(cx) {
            Found::Ready(held) => self.bring_up(held, queues, cx),
            Found::Later => {}
            Found::Refused(reason) => self.refuse(reason, queues, cx),
        }
        #[cfg(not(feature = "engine-chip"))]
        self.bring_up(queues, cx);
    }

    /// Reserves memory and builds a fresh instance; the plugin is in state `error` with a reason otherwise.
    pub(super) fn bring_up(
        &mut self,
        #[cfg(feature = "engine-chip")] held: Option<Held>,
        queues: &mut Queues,
        cx: &mut TurnContext<'_, '_>,
    ) {
        // A plugin may have saved a configuration of its own since (sk_save_config).
        match PluginConfig::load(cx.world.storage, &self.view.id, self.limits.config_bytes_max) {
            Ok(Some(config)) => self.config = Some(config),
            Ok(None) => {}
            Err(error) => self.view.log(log::Level::Warn, &format!("configuration not read: {error}")),
        }
        let mut refused = Vec::new();
        let limit = self.limits.path_filter_max;
        let filter = PathFilter::of(&self.package, self.config.as_ref(), limit, &mut |clause| refused.push(clause));
        self.filter = filter.filter(|_| !self.is_watched()).map(Arc::new);
        self.told_of = None;
        refused.iter().for_each(|clause| self.view.log(log::Level::Warn, clause));
        self.view.release();
        self.open_ways_out(cx.world);
        let instantiated = self.instantiate(
            #[cfg(feature = "engine-chip")]
            held,
            cx.ledger,
        );
        match instantiated {
            Ok(Some((instance, memory))) => {
                for name in instance.unknown_imports() {
                    self.view.log(
                        log::Level::Warn,
                        &format!("imports {name}, which this host does not know: calling it is a trap"),
                    );
                }
                self.life.come_up(instance, memory);
            }
            // It is due still.
            Ok(None) => {}
            Err(reason) => self.refuse(reason, queues, cx),
        }
    }

    /// Opens the ways out for a fresh instance: where its author narrows and its operator opens them.
    fn open_ways_out(&mut self, world: &mut World<'_>) {
        let operator = Operator::load(world.storage, &self.view.package).unwrap_or_else(|error| {
            self.view.log(log::Level::Warn, &format!("operator's settings not read: {error}"));
            Operator::default()
        });
        let (destinations, wrong) = Destinations::new(self.package.fetch.as_deref(), &operator.fetch);
        for entry in wrong {
            self.view.log(log::Level::Warn, &format!("no destination can be read from {entry:?}"));
        }
        self.view.fetches.open(destinations);
        let (sockets, wrong) = Destinations::new(None, &operator.sockets);
        for entry in wrong {
            self.view.log(log::Level::Warn, &format!("no place for sockets can be read from {entry:?}"));
        }
        self.view.sockets.open(sockets);
        self.view.ports.allow(operator.serial_ports);
        #[cfg(feature = "engine-chip")]
        {
            self.memory_set = operator.memory_bytes;
        }
    }

    /// Builds an instance in memory that the ledger has for it; `None` where others have to end first.
    fn instantiate(
        &self,
        #[cfg(feature = "engine-chip")] held: Option<Held>,
        ledger: &mut Ledger,
    ) -> Result<Option<(Instance, Memory)>, String> {
        let facts = self.facts.as_ref().map_err(ToString::to_string)?;
        let spec = InstanceSpec {
            package: self.view.package.to_string(),
            id: self.view.id.to_string(),
            capabilities: self.package.capabilities.clone(),
            limits: self.limits,
            growth_bytes: 0,
        };
        #[cfg(feature = "engine-chip")]
        if self.limits.is_promised() && !self.is_watched() {
            return self.instantiate_by_promise(held, facts, ledger, &spec);
        }
        let bytes = facts.reserved_bytes(&self.limits);
        let memory = ledger.reserve(self.account.clone(), bytes).map_err(|shortage| shortage.to_string())?;
        let spec = InstanceSpec { growth_bytes: ledger.free(), ..spec };
        let instance = self.instance(facts, &spec).map_err(|error| error.to_string())?;
        Ok(Some((instance, Memory::Reserved(memory))))
    }
}
