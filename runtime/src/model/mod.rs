//! The full data model: the latest value of each context, path and source.
//!
//! [`Model::apply`] is on the way of every delta, so it only overwrites the text of one reading;
//! trees are built when somebody asks ([`Model::json_at`]). Values count against
//! [`Limits::model_paths_max`] and [`Limits::model_bytes_max`]: when one is reached, the context
//! that was quiet for longest makes room, never the own vessel, and what still does not fit is
//! refused and counted. A plugin has a share of both, all plugins together leave one to the boat, and
//! what a removed plugin told goes with it.

mod by_path;
mod cached;
mod context;
mod intake;
mod known;
mod leaf;
mod notifications;
#[cfg(any(test, feature = "server-routes"))]
mod overview;
mod priorities;
#[cfg(any(test, feature = "server-routes"))]
mod priority_groups;
#[cfg(any(test, feature = "server-routes"))]
mod removal;
mod rename;
mod room;
mod sources;
mod tree;
pub(crate) mod zones;

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::sync::Arc;
use alloc::vec::Vec;

pub use cached::{CachedCursor, Scope};
pub use intake::TakenIn;
#[cfg(any(test, feature = "server-routes"))]
pub use known::schema;
pub use known::{PathMeta, known};
pub use notifications::Notification;
#[cfg(any(test, feature = "server-routes"))]
pub use overview::PathSources;
pub use priorities::{PATHS_MAX, Priorities, PriorityError, SOURCES_MAX, UNLISTED_TIMEOUT};
pub use room::Held;

use crate::budget::Limits;
use crate::delta::{Delta, DeltaVersion, UpdateRef};
use crate::time::Instant;
use context::{ContextTree, NodeUpdate};
use leaf::Told;
use notifications::Notifications;
use room::{Full, Owner, Room, SHARE};
use sources::Sources;
use zones::Zones;

/// Version of the Signal K schema that the model's form follows.
pub const SCHEMA_VERSION: &str = "1.7.0";

/// Latest value per context, path and source.
#[derive(Debug)]
pub struct Model {
    self_context: Arc<str>,
    own: ContextTree,
    foreign: BTreeMap<Box<str>, ContextTree>,
    sources: Sources,
    room: Room,
    contexts_max: usize,
    sequence: u64,
    counts: Counts,
    notifications: Notifications,
    zones: Zones,
    priorities: Priorities,
    /// Time that priorities are judged by.
    now: Instant,
    /// Somebody wants the values of lesser sources, too.
    tells_lesser: bool,
}

/// How full the model is and what it could not keep.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Deltas applied.
    pub deltas: u64,
    /// Paths held, over all contexts.
    pub paths: u32,
    /// Bytes of heap held, as counted.
    pub bytes: u64,
    /// Contexts held, the own vessel included.
    pub contexts: u32,
    /// Contexts that made room for others.
    pub contexts_evicted: u64,
    /// Values and meta entries that found no room or could not be kept.
    pub refused: u64,
    /// Values of a source that another one is preferred to.
    pub not_preferred: u64,
}

impl Model {
    /// Makes a model with only the own vessel, `vessels.urn:…`, in it.
    #[must_use]
    pub fn new(limits: &Limits, self_context: &str) -> Self {
        let mut model = Self {
            self_context: self_context.into(),
            own: ContextTree::default(),
            foreign: BTreeMap::new(),
            sources: Sources::default(),
            room: Room::new(limits.model_paths_max, limits.model_bytes_max),
            contexts_max: usize::from(limits.model_contexts_max.max(1)),
            sequence: 0,
            counts: Counts::default(),
            notifications: Notifications::new(limits.notifications_max),
            zones: Zones::new(limits.notifications_max),
            priorities: Priorities::default(),
            now: Instant::default(),
            tells_lesser: false,
        };
        let uuid = self_context.split_once('.').map_or("", |(_, urn)| urn);
        if uuid.starts_with("urn:mrn:signalk:uuid:") {
            model.describe_self("uuid", uuid);
        }
        model
    }

    /// Sets a text that stands below the own vessel without source and time: `name`, `communication.callsignVhf`.
    pub fn describe_self(&mut self, path: &str, text: &str) {
        self.store(None, path, &NodeUpdate::Bare(&crate::json::quoted(text)));
    }

    /// Returns the context of the own vessel, `vessels.urn:…`.
    #[must_use]
    pub fn self_context(&self) -> &Arc<str> {
        &self.self_context
    }

    /// Prefers sources from now on as `priorities` say.
    pub fn prefer(&mut self, priorities: Priorities) {
        self.priorities = priorities;
    }

    /// Tells what time it is; [`take_in`](Self::take_in) judges the age of values by it.
    pub fn tick(&mut self, now: Instant) {
        self.now = now;
    }

    /// Takes over the values and meta of a delta; one sent for version 2 does not touch the model.
    pub fn apply(&mut self, delta: &Delta) {
        if delta.version() == DeltaVersion::V2 {
            return;
        }
        self.counts.deltas = self.counts.deltas.saturating_add(1);
        self.sequence = self.sequence.saturating_add(1);
        let context = (!delta.is_own(&self.self_context)).then(|| delta.context());
        if let Some(context) = context
            && !self.open_context(context)
        {
            self.refuse();
            return;
        }
        for update in delta.updates() {
            let time = update.time();
            let mut source = None;
            for (path, value) in update.entries() {
                if path.is_empty() {
                    self.merge_root(context, &value.shown(), update.source_ref() == DEFAULTS);
                    continue;
                }
                if source.is_none() {
                    source = self.source(context, &update);
                }
                match source {
                    Some((source, pgn)) => {
                        self.store(context, path, &NodeUpdate::Value(Told { value: &value, time, source, pgn }));
                    }
                    None => self.refuse(),
                }
            }
            for (path, meta) in update.meta() {
                self.store(context, path, &NodeUpdate::Meta(meta));
            }
        }
    }

    /// Takes over what the owner has set: who the vessel is is not taken out, as it is of what others say, and zones hold.
    pub fn apply_set(&mut self, delta: &Delta) {
        self.apply(delta);
        // Nothing is told before the start, and no value is there.
        drop(self.zones_of(delta));
    }

    /// Returns how full the model is.
    #[must_use]
    pub fn counts(&self) -> Counts {
        Counts {
            paths: self.room.paths(),
            bytes: self.room.bytes(),
            contexts: u32::try_from(self.foreign.len()).unwrap_or(u32::MAX).saturating_add(1),
            ..self.counts
        }
    }

    /// Returns what a package holds of the model.
    #[must_use]
    pub fn held(&self, package: &str) -> Held {
        self.room.held(package)
    }

    /// Returns the paths and bytes that a plugin may hold.
    #[must_use]
    pub fn share(&self) -> (u32, u64) {
        self.room.share()
    }

    /// Tells whether a plugin that is there lost something since it holds its share.
    #[must_use]
    pub fn is_over_share(&self) -> bool {
        self.room.is_over_share()
    }

    /// Drops what packages told that are not there any more.
    pub fn keep_packages(&mut self, is_there: impl Fn(&str) -> bool) {
        for gone in self.room.absent(is_there) {
            for context in core::iter::once(&mut self.own).chain(self.foreign.values_mut()) {
                context.forget(gone, &mut self.room);
            }
            self.foreign.retain(|_, context| context.owner != gone || !context.is_empty());
            for context in self.foreign.values_mut().filter(|context| context.owner == gone) {
                context.owner = Owner::BOAT;
            }
            self.notifications.forget(gone);
            self.sources.forget(gone, &mut self.room);
        }
    }

    /// Returns which sources have a value, by their numbers: a list, since the code of a `BTreeSet` takes a chip 3 KB.
    fn sources_used(&self) -> Vec<bool> {
        let mut used = Vec::new();
        for context in core::iter::once(&self.own).chain(self.foreign.values()) {
            context.mark_sources(&mut used);
        }
        used
    }

    fn refuse(&mut self) {
        self.counts.refused = self.counts.refused.saturating_add(1);
    }

    fn context(&self, context: &str) -> Option<&ContextTree> {
        if context.is_empty() || *context == *self.self_context { Some(&self.own) } else { self.foreign.get(context) }
    }

    /// Finds or makes a foreign context; false when its name has no group such as `vessels.`.
    fn open_context(&mut self, context: &str) -> bool {
        if let Some(known) = self.foreign.get_mut(context) {
            known.touched = self.sequence;
            return true;
        }
        if !context
            .split_once('.')
            .is_some_and(|(group, key)| !group.is_empty() && !key.is_empty() && !is_reserved(group))
        {
            return false;
        }
        let writer = self.room.writer;
        let is_own = |context: &ContextTree| context.owner == writer;
        let share = (self.contexts_max / SHARE as usize).max(1);
        if writer != Owner::BOAT && self.foreign.values().filter(|context| is_own(context)).count() >= share {
            self.evict_oldest(&|_, context| is_own(context));
        }
        while self.foreign.len().saturating_add(1) >= self.contexts_max {
            if !self.evict_oldest(&|_, _| true) {
                return false;
            }
        }
        self.foreign.insert(context.into(), ContextTree::touched_at(self.sequence, writer));
        true
    }

    /// Drops the foreign context that was quiet for longest, of those that may; false when there is none.
    fn evict_oldest(&mut self, may: &dyn Fn(&str, &ContextTree) -> bool) -> bool {
        let others = self.foreign.iter().filter(|(name, context)| may(name, context));
        let Some(name) = others.min_by_key(|(_, context)| context.touched).map(|(name, _)| name.clone()) else {
            return false;
        };
        if let Some(context) = self.foreign.remove(&name) {
            context.release(&mut self.room);
        }
        self.counts.contexts_evicted = self.counts.contexts_evicted.saturating_add(1);
        true
    }

    /// Stores one entry, making room as long as that helps.
    fn store(&mut self, context: Option<&str>, path: &str, entry: &NodeUpdate<'_>) {
        let writer = self.room.writer;
        loop {
            let target = match context {
                None => Some(&mut self.own),
                Some(name) => self.foreign.get_mut(name),
            };
            let stored = target.map_or(Err(Full::Entry), |target| target.store(path, entry, &mut self.room));
            match stored {
                Ok(()) => return,
                Err(Full::Model) if self.evict_oldest(&|name, _| Some(name) != context) => {}
                // A plugin that tells of vessels around goes on with the latest.
                Err(Full::Share) if self.evict_oldest(&|name, tree| tree.owner == writer && Some(name) != context) => {}
                Err(full) => {
                    if full == Full::Share {
                        self.room.over_share();
                    }
                    self.refuse();
                    return;
                }
            }
        }
    }

    /// Finds the number of a source of the writer; when the table is full, sources without values make room.
    fn source(&mut self, context: Option<&str>, update: &UpdateRef<'_>) -> Option<(u16, u32)> {
        let reference = update.source_ref();
        let of_plugin = self.room.package().map(|package| sources::called_by(package, reference));
        let reference = of_plugin.as_deref().unwrap_or(reference);
        if self.sources.is_full_for(reference, self.sequence) {
            let used = self.sources_used();
            self.sources.keep_only(&used, self.sequence, &mut self.room);
        }
        loop {
            match self.sources.seen(reference, update.origin(), update.time(), &mut self.room) {
                Ok(found) => return Some(found),
                Err(Full::Model) if self.evict_oldest(&|name, _| Some(name) != context) => {}
                Err(full) => {
                    if full == Full::Share {
                        self.room.over_share();
                    }
                    return None;
                }
            }
        }
    }

    /// Notes what a device of the bus says of itself, a JSON object, for `sources`: `label` is its input's. In a full model
    /// it is not told.
    #[cfg(any(test, feature = "devices"))]
    pub fn describe_device(&mut self, reference: &str, label: &str, address: u8, about: &str) {
        if self.sources.describe(reference, (label, address), about, &mut self.room).is_err() {
            self.refuse();
        }
    }

    /// Merges the object value of path `""` into the root of a context (plugin ABI §11.3).
    fn merge_root(&mut self, context: Option<&str>, object: &str, is_default: bool) {
        // Names of the own vessel come from its owner, not from the bus (plugin ABI §11.2 step 7).
        let own = context.is_none() && !is_default;
        let mut members = Vec::new();
        if context::flatten(object, &mut members).is_err() {
            self.refuse();
            return;
        }
        for (path, value) in members {
            if own && matches!(&*path, "name" | "mmsi" | "uuid" | "communication.callsignVhf") {
                self.refuse();
            } else {
                self.store(context, &path, &NodeUpdate::Bare(value));
            }
        }
    }
}

/// `$source` of what the owner of the vessel set.
const DEFAULTS: &str = "defaults";

/// Top-level members of the full model that are no context groups.
fn is_reserved(group: &str) -> bool {
    matches!(group, "version" | "self" | "sources")
}

#[cfg(test)]
mod tests;
