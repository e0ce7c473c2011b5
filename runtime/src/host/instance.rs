//! One running plugin: its guest, and the call it is in.

use alloc::boxed::Box;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::sync::Arc;
use alloc::vec::Vec;
#[cfg(feature = "engine-chip")]
use core::cell::Cell;

use skiff_abi::{Capability, export};

use super::call::Machine;
use super::capabilities::Capabilities;
#[cfg(feature = "engine-chip")]
use super::engine::Image;
use super::engine::{Engine, Function, Guest, GuestSlice, Linear, LinearMut, Module, Reach, StartSection, Val};
use super::exports::Exports;
use super::facts::{Dialect, ModuleFacts, Refusal};
use super::failure::{Failure, LoadError};
use super::state::{HostState, file_limits};
use super::trace;
use super::values::Values;
use super::{Arrival, Call, Delta, Progress, Services, text, watch};
#[cfg(feature = "engine-chip")]
use crate::budget::Ledger;
use crate::budget::PluginLimits;
#[cfg(feature = "engine-chip")]
use crate::images::{Share, Taken};
use crate::time::{Instant, UnixMillis};
use crate::vfs::Files;

/// A guest with nothing to do is asked to collect after the host has put this part of its memory limit into it: 256 KiB
/// on Linux, 1 KiB on a chip.
const COLLECT_SHARE_IDLE: u64 = 64;
/// The same for a guest that has always something to do.
const COLLECT_SHARE_BUSY: u64 = 8;
/// Calls after which an idle guest is asked whatever they brought.
const COLLECT_CALLS_IDLE: u32 = 64;

/// What the host holds for an instance beside its machine, its files and its rows, bytes: its state, what its exports and
/// imports are, and what the gateway keeps of its package (measured, `cargo xtask qemu --engine skiff`).
#[cfg(feature = "engine-chip")]
pub const HOST_BYTES: u64 = 6 * 1024 + 512;

/// Settings of an instance.
#[derive(Clone, Debug)]
pub struct InstanceSpec {
    /// npm package name; `PLUGIN_ID` of the WASI environment.
    pub package: String,
    /// Derived id, `_scope_name`.
    pub id: String,
    /// The package's capabilities.
    pub capabilities: Capabilities,
    /// Limits of the board.
    pub limits: PluginLimits,
    /// Bytes the linear memory may grow by while the module is set up; later [`Instance::allow_growth`] says.
    pub growth_bytes: u64,
}

/// Memory and fuel that an instance uses.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Linear memory now, bytes.
    pub linear_bytes: u64,
    /// Content of its open files and of `/tmp`, bytes.
    pub file_bytes: u64,
    /// The host's copy of its rows and of the values that wait for them, bytes.
    pub row_bytes: u64,
    /// Fuel the last or current call took.
    pub fuel_in_call: u64,
}

/// One instance of a plugin.
pub struct Instance {
    pub(super) guest: Guest,
    pub(super) exports: Exports,
    pub(super) dialect: Dialect,
    pub(super) limits: PluginLimits,
    machine: Option<Machine>,
    /// The start section has still to run, as a part of the first call.
    pub(super) start_section_waits: bool,
    /// The WASI entry has still to run, as a part of the first call.
    pub(super) entry: Option<&'static str>,
    fuel_in_call: u64,
    /// Set by a failure that cut the guest off: it must not be called again.
    dead: Option<Failure>,
    unknown_imports: Vec<String>,
    /// Calls, and bytes that the host allocated for them, since the last [`Call::Collect`].
    uncollected: (u32, u64),
    /// What frees nothing places one thing behind the other: the end of the last one.
    filled: Option<u64>,
    /// Its rows, where it takes values.
    pub(super) values: Option<Box<Values>>,
}

impl Instance {
    /// Translates, links and instantiates a module that was admitted.
    ///
    /// A start section runs here as long as [`PluginLimits::fuel_start_section`] lasts. One that takes longer is begun
    /// anew in slices as part of the first call, as is the WASI entry (`_start`, `_initialize`).
    ///
    /// # Errors
    /// [`LoadError`]; nothing of the instance is left then.
    pub fn load(facts: &ModuleFacts, wasm: &[u8], spec: &InstanceSpec) -> Result<Self, LoadError> {
        Self::load_module(
            facts,
            Module {
                wasm,
                #[cfg(feature = "engine-chip")]
                image: Cell::new(None),
                #[cfg(feature = "engine-chip")]
                ram_bytes_max: None,
                limits: &spec.limits,
                linear_bytes_max: facts.linear_bytes_min().saturating_add(spec.growth_bytes),
                start: StartSection::Runs,
            },
            spec,
        )
    }

    /// Loads an instance as [`load`](Self::load) does, of a module that skiff-engine has translated before, which takes at most
    /// `ram_bytes_max` while it is set up; wasmi translates it again.
    ///
    /// # Errors
    /// [`LoadError`]; nothing of the instance is left then.
    #[cfg(feature = "engine-chip")]
    pub fn load_image(
        facts: &ModuleFacts,
        wasm: &[u8],
        image: Image,
        ram_bytes_max: u64,
        spec: &InstanceSpec,
    ) -> Result<Self, LoadError> {
        let (limits, start) = (&spec.limits, StartSection::Runs);
        let ram_bytes_max = Some(ram_bytes_max.saturating_sub(HOST_BYTES));
        // The share bounds what is written; how far the memory grows costs next to nothing.
        let (image, linear_bytes_max) = (Cell::new(Some(image)), limits.linear_bytes_max.into());
        Self::load_module(facts, Module { wasm, image, ram_bytes_max, limits, linear_bytes_max, start }, spec)
    }

    /// Translates a module into the heap, for [`load_image`](Self::load_image).
    ///
    /// # Errors
    /// [`LoadError`]: it is not valid, asks for too much, or the heap has no room for it.
    #[cfg(feature = "engine-chip")]
    pub fn translate(wasm: &[u8], limits: &PluginLimits) -> Result<Image, LoadError> {
        super::engine::translate(wasm, limits)
    }

    fn load_module(facts: &ModuleFacts, module: Module<'_>, spec: &InstanceSpec) -> Result<Self, LoadError> {
        // Of what keeps a plugin from starting this alone keeps its module from being linked (plugin ABI §1.3).
        if let Some(refusal @ Refusal::Capability { .. }) = facts.hindrance(&spec.capabilities) {
            return Err(LoadError::Instantiate(refusal.to_string()));
        }
        match Self::set_up(facts, &module, spec) {
            // Nothing of the first attempt is left: imports do nothing during the start section (plugin ABI §2.3).
            Err(LoadError::Start(Failure::OutOfFuel { .. })) if facts.has_start => {
                Self::set_up(facts, &Module { start: StartSection::Waits, ..module }, spec)
            }
            done => done,
        }
    }

    /// Translates, links and instantiates.
    fn set_up(facts: &ModuleFacts, module: &Module<'_>, spec: &InstanceSpec) -> Result<Self, LoadError> {
        let start = module.start;
        // In the heap from the start: each frame down to the translator would hold it else.
        let state = Box::new(HostState {
            package: spec.package.clone(),
            capabilities: spec.capabilities.clone(),
            limits: spec.limits,
            imports_work: false,
            wall: UnixMillis::default(),
            monotonic: Instant::default(),
            unfinished_lines: [Vec::new(), Vec::new()],
            files: spec.capabilities.allows(Capability::Storage, false).then(|| Files::new(file_limits(&spec.limits))),
            fuel_debt: 0,
            pending: None,
            args: Vec::new(),
            #[cfg(feature = "components")]
            component: super::component::State::default(),
            #[cfg(any(test, feature = "trace"))]
            trace: trace::Trace::default(),
            #[cfg(any(test, feature = "trace"))]
            watch: None,
        });
        let guest = Guest::load(module, state)?;
        let exports = Exports::of(&guest);
        let entry = match facts.dialect {
            Dialect::WasiCommand => Some(export::START),
            Dialect::Buffer if facts.exports(export::INITIALIZE) => Some(export::INITIALIZE),
            _ => None,
        };
        let mut instance = Self {
            guest,
            exports,
            dialect: facts.dialect,
            limits: spec.limits,
            machine: None,
            start_section_waits: start == StartSection::Waits,
            entry,
            fuel_in_call: 0,
            dead: None,
            unknown_imports: facts.unknown_imports.clone(),
            uncollected: (0, 0),
            filled: facts.never_frees.then_some(0),
            values: None,
        };
        if start == StartSection::Runs {
            instance.imports_work();
        }
        Ok(instance)
    }

    /// The guest is set up: imports find its memory from now on.
    pub(super) fn imports_work(&mut self) {
        self.guest.state_mut().imports_work = true;
    }

    /// The guest's memory, to read from.
    pub(super) fn linear(&self) -> Linear<'_> {
        self.guest.memory()
    }

    /// The guest's memory, to write to.
    pub(super) fn linear_mut(&mut self) -> LinearMut<'_> {
        self.guest.memory_mut()
    }

    /// Writes at the start of a range of the guest's memory; false when the range leaves it or is too short.
    pub(super) fn write(&mut self, slice: GuestSlice, data: &[u8]) -> bool {
        self.linear_mut().write(slice, data)
    }

    /// Tells whether the guest exports a function of this name.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.function(name).is_some()
    }

    /// Tells whether it has a handler for deltas as text.
    #[must_use]
    pub fn takes_text(&self) -> bool {
        self.exports.delta_handler.is_some()
    }

    pub(super) fn function(&self, name: &str) -> Option<Function> {
        self.guest.function(name)
    }

    /// Notes an allocation that the host made in the guest.
    pub(super) fn handed(&mut self, at: u32, bytes: u32) {
        if let Some(filled) = &mut self.filled {
            *filled = u64::from(at).saturating_add(bytes.into());
        }
        self.uncollected.1 = self.uncollected.1.saturating_add(bytes.into());
        watch::handed(self.guest.state_mut(), at, bytes);
    }

    /// Returns how far its memory was filled when something was last placed there, bytes; `None` where that says nothing,
    /// because the guest frees and fills again.
    #[must_use]
    pub fn filled_bytes(&self) -> Option<u64> {
        self.filled
    }

    /// Tells whether [`Call::Collect`] is due: AssemblyScript's `minimal` runtime frees nothing without it (plugin ABI
    /// §2.6). `idle` where nothing else waits for the guest; a guest that is never idle is asked later.
    #[must_use]
    pub fn wants_collection(&self, idle: bool) -> bool {
        let (calls, bytes) = self.uncollected;
        let share = if idle { COLLECT_SHARE_IDLE } else { COLLECT_SHARE_BUSY };
        let due = bytes >= u64::from(self.limits.linear_bytes_max) / share || (idle && calls >= COLLECT_CALLS_IDLE);
        due && self.filled.is_none() && self.dialect == Dialect::AssemblyScript && self.exports.collect.is_some()
    }

    /// Lets the linear memory grow by at most `bytes` from now on, and never beyond the plugin's own limit.
    pub fn allow_growth(&mut self, bytes: u64) {
        let linear_bytes_max = self.usage().linear_bytes.saturating_add(bytes);
        self.guest.allow_growth(linear_bytes_max);
    }

    /// Lets it take memory of its share before a slice: what it was promised, and what nobody was promised. `image_bytes` is
    /// how long its image is where that lies in the heap.
    #[cfg(feature = "engine-chip")]
    pub fn allow_share(&mut self, share: &Share, image_bytes: u64, ledger: &Ledger) {
        let beside = self.beside_bytes().saturating_add(image_bytes);
        self.guest.allow_share(share, beside, ledger);
    }

    /// Notes after a slice what it holds of its share; `None` where its engine takes no memory by shares.
    #[cfg(feature = "engine-chip")]
    pub fn note_share(&self, share: &mut Share, image_bytes: u64) -> Option<Taken> {
        self.guest.note_share(share, self.beside_bytes().saturating_add(image_bytes))
    }

    /// What the host holds for it beside its machine, bytes.
    #[cfg(feature = "engine-chip")]
    fn beside_bytes(&self) -> u64 {
        let usage = self.usage();
        HOST_BYTES.saturating_add(usage.file_bytes).saturating_add(usage.row_bytes)
    }

    /// Shows every host call from now on to [`Services::observe`].
    #[cfg(any(test, feature = "trace"))]
    pub fn observe(&mut self) {
        trace::begin(self.guest.state_mut());
    }

    /// Begins a call; [`run`](Self::run) carries it out. A call that was under way is abandoned, and the guest with it.
    pub fn begin(&mut self, call: Call) {
        trace::begin_call(self.guest.state_mut());
        if self.machine.is_some() && self.dead.is_none() {
            self.dead = Some(Failure::BadAnswer("the call was abandoned"));
        }
        match call {
            Call::Collect => self.uncollected = (0, 0),
            // Nothing is allocated for it.
            Call::Update => {}
            _ => self.uncollected.0 = self.uncollected.0.saturating_add(1),
        }
        if let Some(values) = &mut self.values {
            values.begin(matches!(call, Call::Update));
        }
        self.fuel_in_call = 0;
        let call = watch::instead(self, call);
        self.plan(call);
    }

    /// Runs one fuel slice of the call that was begun.
    ///
    /// Answers [`Progress::Failed`] for ever once the guest was cut off, and when no call was begun.
    pub fn run(&mut self, services: &mut dyn Services) -> Progress {
        let Some(mut machine) = self.machine.take() else {
            return Progress::Failed(Failure::BadAnswer("no call was begun"));
        };
        if let Some(failure) = &self.dead {
            return Progress::Failed(failure.clone());
        }
        let state = self.guest.state_mut();
        (state.wall, state.monotonic) = (services.wall(), services.monotonic());
        self.write_inputs();
        let progress = watch::slice(&mut machine, self, services);
        trace::report(self.guest.state_mut(), services);
        self.fuel_in_call = machine.spent();
        if !matches!(progress, Progress::Running | Progress::Waiting) {
            self.flush_lines(services);
            self.sync_files(services);
        }
        match &progress {
            Progress::Running | Progress::Waiting => self.machine = Some(machine),
            Progress::Failed(failure) if failure.is_fatal() => self.dead = Some(failure.clone()),
            Progress::Failed(_) => self.pass_over_outputs(),
            Progress::Done(_) => {}
        }
        let (progress, next) = watch::go_on(self, progress, services);
        if let Some(call) = next {
            self.plan(call);
        }
        progress
    }

    fn plan(&mut self, call: Call) {
        self.machine = Some(Machine::new(self, call));
    }

    /// Writes down what the call left in open files.
    fn sync_files(&mut self, services: &mut dyn Services) {
        let Some(files) = self.guest.state_mut().files.as_mut().filter(|files| files.is_dirty()) else { return };
        let mut result = Ok(());
        services.with_files(&mut |medium| result = files.sync_all(medium));
        if let Err(error) = result {
            services.log(log::Level::Warn, &format!("files not written: {error}"));
        }
    }

    /// Returns when a guest that sleeps wants to go on.
    #[must_use]
    pub fn wake(&self) -> Option<Instant> {
        self.machine.as_ref().and_then(Machine::wake)
    }

    /// Ends the sleep of the guest, where it sleeps: its next slice goes on.
    pub fn rouse(&mut self) {
        if let Some(machine) = &mut self.machine {
            machine.rouse();
        }
    }

    /// Logs what the guest wrote without an end of line.
    fn flush_lines(&mut self, services: &mut dyn Services) {
        let levels = [log::Level::Info, log::Level::Warn];
        for (line, level) in self.guest.state_mut().unfinished_lines.iter_mut().zip(levels) {
            if !line.is_empty() {
                services.log(level, &text::from_utf8(line));
                line.clear();
            }
        }
    }

    /// Returns its rows, where it takes values: known from the first `plugin_start` on that returned 0.
    #[must_use]
    pub fn values(&self) -> Option<&Values> {
        self.values.as_deref()
    }

    /// Returns its rows, to give it values.
    pub fn values_mut(&mut self) -> Option<&mut Values> {
        self.values.as_deref_mut()
    }

    /// Returns the call that a delta is to a plugin by itself: one that takes values has them in its rows, and is called when
    /// one of them is an input, or else not.
    pub fn told(&mut self, delta: Arc<Delta>, arrival: &Arrival<'_>) -> Option<Call> {
        match self.values_mut() {
            None => Some(Call::Delta(delta)),
            Some(values) => {
                values.take_in(&delta, arrival);
                values.is_due().then_some(Call::Update)
            }
        }
    }

    /// Returns what it uses.
    #[must_use]
    pub fn usage(&self) -> Usage {
        Usage {
            linear_bytes: self.guest.linear_bytes(),
            file_bytes: self.guest.state().files.as_ref().map_or(0, Files::held_bytes),
            row_bytes: self.values.as_ref().map_or(0, |values| values.heap_bytes()),
            fuel_in_call: self.fuel_in_call,
        }
    }

    /// Returns how long the image is that its engine runs, bytes; `None` where the engine has none.
    #[must_use]
    pub fn image_bytes(&self) -> Option<usize> {
        self.guest.image_bytes()
    }

    /// Returns the imports this host does not know: calling one is a trap.
    #[must_use]
    pub fn unknown_imports(&self) -> &[String] {
        &self.unknown_imports
    }

    /// Tells AssemblyScript how many arguments follow (plugin ABI §2.5), where the module asks for it by a global.
    pub(super) fn set_arguments_length(&mut self, count: i32) {
        if let Some(variable) = self.exports.arguments_length {
            self.guest.set(variable, Val::I32(count));
        }
    }
}
