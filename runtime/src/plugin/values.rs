//! Values for plugins that take them: what arrives, what the model has at a start, when an update is due.

use alloc::sync::Arc;
use core::time::Duration;

use skiff_abi::Capability;

use super::context::World;
use super::filter::PathFilter;
use super::interest::Interest;
use super::life::Live;
use super::queues::Queues;
use super::version::Version;
use crate::budget::Account;
use crate::delta::Delta;
use crate::host::{Arrival, Values};
use crate::time::{Instant, UnixMillis};

/// A delta on its way to plugins.
#[derive(Clone, Copy)]
pub struct Offer<'o> {
    /// The delta.
    pub delta: &'o Arc<Delta>,
    /// Plugins it came through.
    pub hops: u8,
    /// Full context of the own vessel.
    pub self_context: &'o str,
    /// Monotonic time.
    pub now: Instant,
}

/// What a delta is to a plugin that takes values.
pub(super) struct Arrived {
    /// An update is due, and was not before.
    pub(super) wakes: bool,
    /// It has something else, which the plugin wants as text.
    pub(super) as_text: bool,
}

impl Version {
    /// Gives the values of a delta to an instance that takes values; `None` where there is none.
    pub(super) fn arrive(&mut self, offer: &Offer<'_>) -> Option<Arrived> {
        let values = self.life.live_mut()?.instance.values_mut()?;
        let was_due = values.is_due();
        let others = values.take_in(
            offer.delta,
            &Arrival {
                self_context: offer.self_context,
                own_source: &self.view.package,
                now: offer.now,
                wall: UnixMillis::UNKNOWN,
                hops: offer.hops,
            },
        );
        let is_wanted = || self.filter.as_ref().is_none_or(|filter| filter.wants(offer.delta));
        Some(Arrived { wakes: values.is_due() && !was_due, as_text: others && values.takes_others() && is_wanted() })
    }

    /// Tells whether an update is due now, and plans the one after it.
    #[inline(never)]
    pub(super) fn takes_update(&mut self, queues: &mut Queues, world: &World<'_>) -> bool {
        let Some(live) = self.life.live_mut() else { return false };
        // A version that is not in force yet is given what the model has when it is.
        if live.instance.values().is_none() || matches!(self.account, Account::NextVersion(_)) {
            return false;
        }
        if live.next_update.is_none() {
            live.next_update = Some(world.now);
            self.take_up(queues, world);
        }
        let Some(live) = self.life.live_mut() else { return false };
        let Some(values) = live.instance.values().filter(|values| values.is_due()) else { return false };
        let is_time = live.next_update.is_some_and(|at| at <= world.now);
        if is_time {
            live.hops = values.hops();
            live.next_update = Some(world.now + Duration::from_millis(values.interval_ms().into()));
        }
        is_time
    }

    /// Takes up an instance that takes values: it is given what the model has, and deltas that waited as text are values
    /// now.
    #[inline(never)]
    fn take_up(&mut self, queues: &mut Queues, world: &World<'_>) {
        let Some(values) = self.life.live_mut().and_then(|live| live.instance.values_mut()) else { return };
        let takes_others = values.takes_others();
        if !takes_others {
            queues.deltas.clear();
        }
        let text = self.filter.as_deref();
        values.close(&|path| text.is_some_and(|text| !text.allows_input(path)));
        if Interest::IS_KEPT {
            self.told_of = Some(PathFilter::of_values(text, takes_others, values.input_paths()).map(Arc::new));
        }
        if !self.package.capabilities.allows(Capability::DataRead, false) {
            return;
        }
        let arrival = Arrival {
            self_context: world.self_context,
            own_source: &self.view.package,
            now: world.now,
            wall: world.wall,
            hops: 0,
        };
        let model = &*world.model;
        values.take_up(&|path, take| model.visit_own(path, take), &arrival);
    }
}

impl Live {
    /// Returns when there is something to do although nothing comes: a poll, or an update that had to wait.
    pub(super) fn wake(&self) -> Option<Instant> {
        let update = self.next_update.filter(|_| self.instance.values().is_some_and(Values::is_due));
        [self.next_poll, update].into_iter().flatten().min()
    }
}
