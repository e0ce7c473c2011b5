//! What a call of `delta_handler` did that lasts, for who looks for the deltas that a plugin needs.
//!
//! An instance that is watched ([`Instance::load_watched`]) is called with the twin of each delta before the delta itself
//! ([`twin`]). Seen are imports that change something outside, and bytes of its static data and its variables that
//! differ after the call and that no twin has ever changed ([`places`]). Not seen is what it keeps on its heap
//! alone, where every text leaves other bytes, and what it reads.

mod places;
mod twin;

use alloc::boxed::Box;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

use skiff_abi::import::{self, Import, Shape};

use super::call::Machine;
use super::engine::{Engine, Guest, GuestSlice, Reach, Val, Variable};
use super::imports::Caller;
use super::state::HostState;
use super::{Call, Instance, InstanceSpec, LoadError, ModuleFacts, Progress, Services};
use crate::delta::Delta;
use places::Places;
use twin::Muted;

/// Calls with the twin before an instance is given its first delta: garbage is collected in them for the first times.
const REHEARSALS: u32 = 64;

/// Imports that change nothing outside of the guest, or only its log.
const WITHOUT_EFFECT: &[(&str, &[&str])] = &[
    (
        import::ENV,
        &[
            "abort",
            "seed",
            "trace",
            "console.log",
            "console.debug",
            "console.info",
            "console.warn",
            "console.error",
            "Date.now",
            "performance.now",
            "Math.random",
            "sk_debug",
            "sk_read_config",
            "sk_has_capability",
            "sk_get_self_path",
            "sk_get_path",
            "sk_udp_pending",
            "sk_tcp_connected",
            "sk_tcp_pending",
        ],
    ),
    (import::AS_FETCH, &["_initAsyncify"]),
    (
        import::WASI,
        &[
            "args_get",
            "args_sizes_get",
            "environ_get",
            "environ_sizes_get",
            "clock_time_get",
            "clock_res_get",
            "random_get",
            "sched_yield",
            "poll_oneoff",
            "fd_tell",
            "fd_read",
            "fd_pread",
            "fd_seek",
            "fd_readdir",
            "fd_fdstat_get",
            "fd_filestat_get",
            "fd_prestat_get",
            "fd_prestat_dir_name",
            "path_filestat_get",
            "path_readlink",
        ],
    ),
];

/// Imports that say how a plugin is: the same words again are no news.
const WORDS: [&str; 2] = ["sk_set_status", "sk_set_error"];

/// What one call of `delta_handler` did.
#[derive(Clone, Debug)]
pub struct Acted {
    /// The delta it was called with.
    pub delta: Arc<Delta>,
    /// Imports that changed something outside, each once; a status or an error text only where it is another, and where
    /// the twin did not change it, too.
    pub imports: Vec<&'static str>,
    /// It changed its static data or a variable, where no twin ever did.
    pub memory: bool,
    /// It did not return: a trap, or no fuel left.
    pub failed: bool,
    /// Imports that its call with the twin used to change something outside: it does so for any delta.
    pub for_any: Vec<&'static str>,
    /// Fuel that the call took.
    pub fuel: u64,
}

impl Acted {
    /// Tells whether the call had an effect.
    #[must_use]
    pub fn has_effect(&self) -> bool {
        self.memory || self.failed || !self.imports.is_empty()
    }
}

/// Which call is under way.
#[derive(Debug)]
enum Watched {
    /// None of `delta_handler`.
    Other,
    /// One with a twin, and so many follow; then the delta.
    Twin { delta: Arc<Delta>, text: Arc<str>, again: u32 },
    /// One with a delta; the imports of its twin.
    Delta { delta: Arc<Delta>, twin: Vec<&'static str> },
}

/// What is known of an instance, where somebody watches.
pub(super) type Watching = Option<Box<Watch>>;

/// What is known of an instance that is watched.
#[derive(Debug)]
pub(super) struct Watch {
    places: Places,
    variables: Vec<Variable>,
    /// As they were before the call.
    data: Vec<u8>,
    values: Vec<u64>,
    /// Places that a twin has changed.
    data_of_any: Vec<bool>,
    values_of_any: Vec<bool>,
    call: Watched,
    rehearsals: u32,
    /// Imports of the call.
    imports: Vec<&'static str>,
    /// Its last words, and which they are.
    said: Option<(&'static str, Vec<u8>)>,
}

impl Watch {
    fn new(places: Places, variables: Vec<Variable>) -> Self {
        let (bytes, count) = (places.data.len(), variables.len());
        Self {
            places,
            variables,
            data: Vec::new(),
            values: Vec::new(),
            data_of_any: alloc::vec![false; bytes],
            values_of_any: alloc::vec![false; count],
            call: Watched::Other,
            rehearsals: REHEARSALS,
            imports: Vec::new(),
            said: None,
        }
    }

    /// The range of the static data.
    fn range(&self) -> GuestSlice {
        let narrow = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        GuestSlice { ptr: narrow(self.places.data.start), len: narrow(self.places.data.len()) }
    }

    /// Notes what lasts as it is before a call.
    fn remember(&mut self, data: &[u8], values: Vec<u64>) {
        self.data.clear();
        self.data.extend_from_slice(data);
        self.values = values;
        self.imports.clear();
    }

    /// Visits the places that differ from what was remembered.
    fn changed(&mut self, data: &[u8], values: &[u64], visit: &mut dyn FnMut(&mut bool)) {
        if *data != *self.data {
            let bytes = data.iter().zip(&self.data).zip(&mut self.data_of_any);
            bytes.filter(|((now, before), _)| now != before).for_each(|(_, place)| visit(place));
        }
        let variables = values.iter().zip(&self.values).zip(&mut self.values_of_any);
        variables.filter(|((now, before), _)| now != before).for_each(|(_, place)| visit(place));
    }
}

/// The bits of the variables; what is no number counts as 0.
fn values(variables: &[Variable], guest: &Guest) -> Vec<u64> {
    let bits = |variable: &Variable| match guest.get(*variable) {
        Val::I32(value) => u64::from(value.cast_unsigned()),
        Val::I64(value) => value.cast_unsigned(),
        Val::F32(value) => u64::from(value.to_bits()),
        Val::F64(value) => value.to_bits(),
        Val::Reference => 0,
    };
    variables.iter().map(bits).collect()
}

fn has_effect(row: &Import) -> bool {
    row.module != import::MATH
        && row.module != import::DATE
        && !WITHOUT_EFFECT.iter().any(|(module, names)| *module == row.module && names.contains(&row.name))
}

/// Notes an import before it runs.
pub(super) fn note(row: Option<&'static Import>, caller: &mut Caller<'_>, params: &[Val]) {
    if let (Some(row), true) = (row, caller.state().watch.is_some()) {
        note_row(row, caller, params);
    }
}

#[cold]
fn note_row(row: &'static Import, caller: &mut Caller<'_>, params: &[Val]) {
    let state = caller.state();
    let is_allowed = row.capability.is_none_or(|capability| state.capabilities.allows(capability, false));
    if caller.is_inert() || !is_allowed || !has_effect(row) {
        return;
    }
    let number = |index: usize| match params.get(index) {
        Some(Val::I32(value)) => value.cast_unsigned(),
        _ => 0,
    };
    // Standard output and standard error are the log.
    if row.shows == Shape::Output && matches!(number(0), 1 | 2) {
        return;
    }
    let words = WORDS
        .contains(&row.name)
        .then(|| caller.memory().bytes(GuestSlice { ptr: number(0), len: number(1) }).unwrap_or_default().into_owned());
    let Some(watch) = &mut caller.state_mut().watch else { return };
    if let Some(words) = words {
        let said = Some((row.name, words));
        if watch.said == said {
            return;
        }
        if !matches!(watch.call, Watched::Twin { .. }) {
            watch.said = said;
        }
    }
    if !watch.imports.contains(&row.name) {
        watch.imports.push(row.name);
    }
}

impl Instance {
    /// Loads an instance as [`load`](Self::load) does, whose calls of `delta_handler` are told to [`Services::acted`].
    ///
    /// # Errors
    /// [`LoadError`]; nothing of the instance is left then.
    #[cold]
    pub fn load_watched(facts: &ModuleFacts, wasm: &[u8], spec: &InstanceSpec) -> Result<Self, LoadError> {
        #[cfg(feature = "components")]
        if facts.dialect == super::Dialect::Component {
            return Err(LoadError::Instantiate("what a component keeps is not watched".into()));
        }
        let exports_nothing = || LoadError::MissingExport(skiff_abi::export::MEMORY);
        let (wasm, mut places) = places::find(wasm).ok_or_else(exports_nothing)?;
        let mut instance = Self::load(facts, &wasm, spec)?;
        // The module may say anything of where its data end; static data are there from the start.
        let data = &mut places.data;
        let linear_bytes = usize::try_from(instance.guest.linear_bytes()).unwrap_or(usize::MAX);
        data.end = data.end.min(linear_bytes).max(data.start);
        let find = |name: &String| instance.guest.variable(name);
        let variables = places.variables.iter().filter_map(find).collect();
        instance.guest.state_mut().watch = Some(Box::new(Watch::new(places, variables)));
        Ok(instance)
    }

    fn remember(&mut self, watch: &mut Watch) {
        let values = values(&watch.variables, &self.guest);
        watch.remember(&self.linear().bytes(watch.range()).unwrap_or_default(), values);
    }

    fn changed(&self, watch: &mut Watch, visit: &mut dyn FnMut(&mut bool)) {
        let values = values(&watch.variables, &self.guest);
        watch.changed(&self.linear().bytes(watch.range()).unwrap_or_default(), &values, visit);
    }
}

/// Passes over the memory that the guest gave for a text of the host, wherever it lies.
pub(super) fn handed(state: &mut HostState, at: u32, bytes: u32) {
    let Some(watch) = &mut state.watch else { return };
    let (Ok(at), Ok(bytes)) = (usize::try_from(at), usize::try_from(bytes)) else { return };
    let from = at.saturating_sub(watch.places.data.start);
    let to = at.saturating_add(bytes).saturating_sub(watch.places.data.start);
    let places = watch.data_of_any.iter_mut().take(to).skip(from);
    places.for_each(|place| *place = true);
}

/// Returns the call that is run in place of one that begins: the twin comes before a delta.
pub(super) fn instead(instance: &mut Instance, call: Call) -> Call {
    match instance.guest.state_mut().watch.take() {
        Some(watch) => begun(watch, instance, call),
        None => call,
    }
}

#[cold]
fn begun(mut watch: Box<Watch>, instance: &mut Instance, call: Call) -> Call {
    let call = match call {
        Call::Delta(delta) => {
            let text: Arc<str> = twin::of(delta.text()).into();
            watch.call = Watched::Twin { delta, text: text.clone(), again: core::mem::take(&mut watch.rehearsals) };
            instance.remember(&mut watch);
            Call::DeltaText(text)
        }
        call => {
            watch.call = Watched::Other;
            call
        }
    };
    instance.guest.state_mut().watch = Some(watch);
    call
}

/// Runs one slice: what a twin does reaches nobody.
pub(super) fn slice(machine: &mut Machine, instance: &mut Instance, services: &mut dyn Services) -> Progress {
    let watch = instance.guest.state().watch.as_ref();
    let is_twin = watch.is_some_and(|watch| matches!(watch.call, Watched::Twin { .. }));
    let mut muted = Muted(services);
    // One call of it, so that it is compiled once.
    let services: &mut dyn Services = if is_twin { &mut muted } else { &mut *muted.0 };
    machine.slice(instance, services)
}

/// Goes on after a slice: to the delta after its twin, which is not the end of the call.
pub(super) fn go_on(
    instance: &mut Instance,
    progress: Progress,
    services: &mut dyn Services,
) -> (Progress, Option<Call>) {
    match instance.guest.state_mut().watch.take_if(|_| !matches!(progress, Progress::Running | Progress::Waiting)) {
        Some(watch) => ended(watch, instance, progress, services),
        None => (progress, None),
    }
}

#[cold]
fn ended(
    mut watch: Box<Watch>,
    instance: &mut Instance,
    progress: Progress,
    services: &mut dyn Services,
) -> (Progress, Option<Call>) {
    let (failed, fuel) = (matches!(progress, Progress::Failed(_)), instance.usage().fuel_in_call);
    let mut next = None;
    match core::mem::replace(&mut watch.call, Watched::Other) {
        Watched::Other => {}
        Watched::Twin { delta, text, again } if !failed => {
            instance.changed(&mut watch, &mut |place| *place = true);
            let twin = core::mem::take(&mut watch.imports);
            instance.remember(&mut watch);
            next = Some(if again > 0 {
                watch.call = Watched::Twin { delta, text: text.clone(), again: again.saturating_sub(1) };
                Call::DeltaText(text)
            } else {
                watch.call = Watched::Delta { delta: delta.clone(), twin };
                Call::Delta(delta)
            });
        }
        Watched::Twin { delta, .. } => {
            services.acted(Acted {
                delta,
                imports: Vec::new(),
                memory: false,
                failed,
                for_any: core::mem::take(&mut watch.imports),
                fuel,
            });
        }
        Watched::Delta { delta, twin } => {
            let mut memory = false;
            instance.changed(&mut watch, &mut |is_of_any| memory |= !*is_of_any);
            let mut imports = core::mem::take(&mut watch.imports);
            imports.retain(|name| !(WORDS.contains(name) && twin.contains(name)));
            let for_any = twin.into_iter().filter(|name| !WORDS.contains(name)).collect();
            services.acted(Acted { delta, imports, memory, failed, for_any, fuel });
        }
    }
    instance.guest.state_mut().watch = Some(watch);
    (if next.is_some() { Progress::Running } else { progress }, next)
}

#[cfg(test)]
mod tests;
