//! The engine for chips: how a version gets its image, and what memory it is promised.
//!
//! A module that lies in flash is translated before its first start, a step a turn, into the area of images of the storage
//! below; later starts find it there. One module is translated at a time, and what that takes of the heap is in the ledger
//! meanwhile. Where there is no such area (Linux), or the module is not read in place, it is translated into the heap.
//!
//! ```text
//! Due ─► is its image there? ─yes─► try the start ─► promise ─► Live
//!              └─no─► Translating ─done─┘     └────────────┴─► Error, with both numbers
//! ```

use alloc::borrow::Cow;
use alloc::boxed::Box;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::context::TurnContext;
use super::life::Life;
use super::memory::{Memory, Promised};
use super::queues::Queues;
use super::registry::Registry;
use super::version::Version;
use crate::budget::{Account, Ledger, Reservation, Shortage};
use crate::hal::{Lease, Storage};
use crate::host::{HOST_BYTES, Instance, InstanceSpec, ModuleFacts};
use crate::images::{self, Doubt, Held, Installation, ModuleHash, Progress, Share, Start, Trial};

/// Slices that the trial of a start may last, in one piece: a sixth of the time that a load may take.
const TRIAL_SLICES: u64 = 10;
/// What a plugin that takes text is promised beside its start: a delta of some 2 KB, twice, and what its handler makes of it
/// (the AssemblyScript alarm takes 12,320 bytes more after 200 deltas; measured, `runtime/docs/engine.md`).
const WORK_BYTES_OF_TEXT: u64 = 12 * 1024 + 512;
/// The same for one that takes values.
const WORK_BYTES_OF_VALUES: u64 = 2 * 1024;
/// What is shown of a plugin whose module is translated.
pub(super) const TRANSLATING: &str = "its module is being translated";

/// A module that is being translated into the area of images.
pub(super) struct Translating {
    installation: Installation<'static>,
    /// Keeps the module where it lies.
    _module: Option<Lease>,
    /// Heap of the translator.
    _heap: Reservation,
}

/// Where the image of a version is.
pub(super) enum Found {
    /// In flash, or to be made in the heap.
    Ready(Option<Held>),
    /// Not yet: something else is to be done, or to end, before.
    Later,
    /// There will be none.
    Refused(String),
}

impl Version {
    /// Looks for the image, and begins to make it where it is not there.
    pub(super) fn find_image(&mut self, cx: &mut TurnContext<'_, '_>) -> Found {
        let Cow::Borrowed(wasm) = self.package.wasm else { return Found::Ready(None) };
        if !self.limits.is_promised() || self.facts.is_err() || cx.world.storage.images().is_none() {
            return Found::Ready(None);
        }
        let bounds = images::bounds(&self.limits);
        let known = self.module.and_then(|module| images::open(cx.world.storage, &module, &bounds));
        if known.is_some() {
            return Found::Ready(known);
        }
        if is_translating(cx.ledger) {
            return Found::Later;
        }
        let begun = Installation::new(wasm, &bounds, cx.ledger.free());
        let begun = begun.map_err(|refused| refused.to_string()).and_then(|installation| {
            let heap = cx.ledger.reserve(Account::Translation, installation.heap_bytes());
            Ok((installation, heap.map_err(|shortage| shortage.to_string())?))
        });
        match begun {
            Ok((installation, heap)) => {
                let module = self.package.lease.clone();
                self.life.translate(Translating { installation, _module: module, _heap: heap });
                Found::Later
            }
            Err(reason) => Found::Refused(reason),
        }
    }

    /// Does a step of the translation under way.
    pub(super) fn translate(&mut self, queues: &mut Queues, cx: &mut TurnContext<'_, '_>) {
        let Life::Translating(translating, _) = &mut self.life else { return };
        match translating.installation.step(cx.world.storage, self.limits.fuel_per_slice) {
            Progress::Working => {}
            Progress::Done(held) => {
                self.module = Some(ModuleHash(*held.image.key()));
                self.life.plan_again(cx.world.now);
                self.bring_up(Some(held), queues, cx);
            }
            Progress::Refused(refused) => {
                self.life.plan_again(cx.world.now);
                self.refuse(refused.to_string(), queues, cx);
            }
        }
    }

    /// Tries the start, promises the memory that it takes, and builds an instance. `None` where somebody else has to end first.
    pub(super) fn instantiate_by_promise(
        &self,
        held: Option<Held>,
        facts: &ModuleFacts,
        ledger: &mut Ledger,
        spec: &InstanceSpec,
    ) -> Result<Option<(Instance, Memory)>, String> {
        let tried = self.try_promised(held, facts, ledger, spec);
        match tried {
            // What the translator of another plugin holds is free again soon.
            Err(NotPromised::Short(_)) if is_translating(ledger) => Ok(None),
            Err(NotPromised::Short(shortage)) => Err(shortage.to_string()),
            Err(NotPromised::Other(reason)) => Err(reason),
            Ok(loaded) => Ok(Some(loaded)),
        }
    }

    fn try_promised(
        &self,
        held: Option<Held>,
        facts: &ModuleFacts,
        ledger: &mut Ledger,
        spec: &InstanceSpec,
    ) -> Result<(Instance, Memory), NotPromised> {
        let other = |error: &dyn ToString| NotPromised::Other(error.to_string());
        let (image, lease) = match held {
            Some(held) => (held.image, held.lease),
            None => {
                let _heap =
                    ledger.reserve(Account::Translation, images::heap_bytes(&self.package.wasm, &self.limits))?;
                (Instance::translate(&self.package.wasm, &self.limits).map_err(|error| other(&error))?, None)
            }
        };
        let image_bytes = if image.is_in_place() { 0 } else { image.size_bytes() as u64 };
        let beside = HOST_BYTES.saturating_add(image_bytes);
        let free = ledger.free();
        // Registers and tables are taken at once, also for a trial.
        let least = facts.reserved_bytes(&self.limits).saturating_add(image_bytes);
        if least > free {
            return Err(Shortage { needed: least, free }.into());
        }
        let config = self.start_config();
        let trial = Trial {
            quota: images::quota(&self.limits, self.limits.linear_bytes_max.into()),
            fuel: self.limits.fuel_per_slice.saturating_mul(TRIAL_SLICES),
            config: &config,
            // What others give would be made up, and a start could take another way for it.
            is_plain: |module, _| module == "env",
        };
        let (start, image) = images::try_start(image, &trial, free.saturating_sub(beside));
        let image = image.ok_or_else(|| other(&"module cannot be set up: no memory for its registers and tables"))?;
        let bytes = self.memory_set.unwrap_or_else(|| promised(&start, facts, beside));
        if start.at_least.is_some_and(Doubt::is_shortage) && self.memory_set.is_none() {
            return Err(Shortage { needed: bytes.max(free.saturating_add(1)), free }.into());
        }
        let share = Share::reserve(ledger, self.account.clone(), bytes, self.limits.linear_bytes_max)?;
        let allowed = share.allowed(ledger).saturating_sub(image_bytes);
        let instance = Instance::load_image(facts, &self.package.wasm, image, allowed, spec);
        let mut memory = Memory::Promised(Promised::new(share, image_bytes, lease));
        let instance = instance.map_err(|error| other(&error))?;
        memory.note(&instance, 0);
        Ok((instance, memory))
    }
}

/// Why an instance was not built.
enum NotPromised {
    Short(Shortage),
    Other(String),
}

impl From<Shortage> for NotPromised {
    fn from(shortage: Shortage) -> Self {
        Self::Short(shortage)
    }
}

/// Returns what a plugin with this start is promised, bytes.
fn promised(start: &Start, facts: &ModuleFacts, beside: u64) -> u64 {
    let work = if facts.takes_values() { WORK_BYTES_OF_VALUES } else { WORK_BYTES_OF_TEXT };
    start.ram_bytes.saturating_add(work).saturating_add(beside)
}

/// Tells whether a module is translated now.
pub(super) fn is_translating(ledger: &Ledger) -> bool {
    ledger.reserved(&Account::Translation) > 0
}

impl Registry {
    /// Removes images that no plugin wants any more: once all are there after a start, and after one was removed or replaced.
    pub(super) fn prune(&mut self, storage: &mut dyn Storage) {
        if !self.prune_due || !self.plugin_limits().is_promised() {
            return;
        }
        // What is coming up may want one that nobody else knows of.
        if self.plugins().any(|plugin| plugin.is_starting() || plugin.reload.is_some()) {
            return;
        }
        let wanted: Vec<ModuleHash> = self.plugins().filter_map(|plugin| plugin.version.module).collect();
        let gone = images::prune(storage, &wanted, &images::bounds(self.plugin_limits()));
        self.prune_due = gone > 0;
    }
}

impl Life {
    /// Begins a translation, before the instance that is due.
    fn translate(&mut self, translating: Translating) {
        let why = self.take_why();
        *self = Self::Translating(Box::new(translating), why);
    }
}
