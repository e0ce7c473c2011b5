//! Where a version of a plugin is on its way: at rest, due, live.
//!
//! State and reason are read off one value, and only the functions here change it. With an instance go its bytes in
//! the ledger, the call under way and what is planned for it: they come and go together.

use alloc::boxed::Box;
use alloc::string::String;
use core::mem;

use super::exchange::ExchangeId;
use super::faults::HandlerSum;
#[cfg(feature = "engine-chip")]
use super::image::{TRANSLATING, Translating};
use super::memory::Memory;
use crate::host::{Call, CallKind, Instance};
use crate::time::Instant;

/// State as the plugin list shows it (plugin ABI §5.6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PluginState {
    /// Disabled, or not started yet.
    Stopped,
    /// `plugin_start` has been called and has not returned.
    Starting,
    /// Runs.
    Running,
    /// Refused, or `plugin_start` returned an error.
    Error,
    /// Crashed; waits for its restart or has been given up.
    Crashed,
}

impl PluginState {
    /// Returns the word of the plugin list.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Stopped => "stopped",
            Self::Starting => "starting",
            Self::Running => "running",
            Self::Error => "error",
            Self::Crashed => "crashed",
        }
    }
}

/// Why there is no instance.
#[derive(Debug)]
pub(super) enum Why {
    /// Disabled, or not started yet; the note is the last instance's.
    Stopped(Option<String>),
    /// Refused, or `plugin_start` failed, with the reason.
    Error(String),
    /// The last instance crashed, with the reason.
    Crashed(String),
}

impl Why {
    fn state(&self) -> PluginState {
        match self {
            Self::Stopped(_) => PluginState::Stopped,
            Self::Error(_) => PluginState::Error,
            Self::Crashed(_) => PluginState::Crashed,
        }
    }

    fn reason(&self) -> Option<&str> {
        match self {
            Self::Stopped(note) => note.as_deref(),
            Self::Error(reason) | Self::Crashed(reason) => Some(reason),
        }
    }

    /// Answers the client that waits for its configuration to be in force.
    pub(super) fn result(&self) -> Result<(), String> {
        match self {
            Self::Stopped(_) => Ok(()),
            Self::Error(reason) | Self::Crashed(reason) => Err(reason.clone()),
        }
    }
}

/// The call under way.
#[derive(Clone, Copy, Debug)]
pub(super) struct Underway {
    pub(super) kind: CallKind,
    /// Who waits for the answer of a handler.
    pub(super) exchange: Option<ExchangeId>,
    /// Which handler it is.
    pub(super) handler: Option<HandlerSum>,
}

/// An instance with all that ends with it.
pub(super) struct Live {
    pub(super) instance: Instance,
    /// Its bytes in the ledger.
    pub(super) memory: Memory,
    call: Option<Underway>,
    /// Stop it as soon as its call has ended.
    stop_wanted: bool,
    /// When `poll` is called next, where it exports that and runs.
    pub(super) next_poll: Option<Instant>,
    /// When `skiff_update` may be called next, where it takes values; `None` until it was given what the model has.
    pub(super) next_update: Option<Instant>,
    /// Plugins that the delta or values being handled came through.
    pub(super) hops: u8,
    /// What the guest waits for, when it waits.
    pub(super) waits_for: Option<String>,
    /// A warning for its owner, although it runs.
    pub(super) note: Option<String>,
}

impl Live {
    /// Returns the call under way, `None` between two calls.
    pub(super) fn call(&self) -> Option<Underway> {
        self.call
    }

    /// Tells whether it is to be stopped when its call has ended.
    pub(super) fn stop_wanted(&self) -> bool {
        self.stop_wanted
    }

    /// Ends the sleep of a guest that is to be stopped.
    pub(super) fn rouse_to_stop(&mut self) {
        if self.stop_wanted {
            self.instance.rouse();
        }
    }

    fn is_coming_up(&self) -> bool {
        self.call.is_some_and(|call| call.kind.brings_up())
    }
}

/// Where a version is on its way.
pub(super) enum Life {
    /// No instance, and none is planned.
    Resting(Why),
    /// A fresh instance is to be loaded at this time.
    Due(Instant, Why),
    /// The module is being translated; a fresh instance is loaded then.
    #[cfg(feature = "engine-chip")]
    Translating(Box<Translating>, Why),
    /// An instance is there.
    Live(Box<Live>),
}

/// What can be read off it.
impl Life {
    pub(super) fn state(&self) -> PluginState {
        match self {
            Self::Resting(why) | Self::Due(_, why) => why.state(),
            #[cfg(feature = "engine-chip")]
            Self::Translating(..) => PluginState::Starting,
            Self::Live(live) if live.is_coming_up() => PluginState::Starting,
            Self::Live(_) => PluginState::Running,
        }
    }

    /// Returns why it is in this state, where there is something to say.
    pub(super) fn reason(&self) -> Option<&str> {
        match self {
            Self::Resting(why) | Self::Due(_, why) => why.reason(),
            #[cfg(feature = "engine-chip")]
            Self::Translating(_, why) => why.reason().or(Some(TRANSLATING)),
            Self::Live(live) => live.waits_for.as_deref().or(live.note.as_deref()),
        }
    }

    pub(super) fn is_at_rest(&self) -> bool {
        matches!(self, Self::Resting(_))
    }

    /// Tells whether it is being loaded or started. A restart after a failure is none.
    pub(super) fn is_starting(&self) -> bool {
        match self {
            Self::Due(_, why) => matches!(why, Why::Stopped(_)),
            #[cfg(feature = "engine-chip")]
            Self::Translating(..) => true,
            Self::Live(live) => live.is_coming_up(),
            Self::Resting(_) => false,
        }
    }

    /// Tells whether no call is under way.
    pub(super) fn is_between_calls(&self) -> bool {
        self.live().is_none_or(|live| live.call.is_none())
    }

    /// Tells whether the instance is to be stopped.
    pub(super) fn stop_wanted(&self) -> bool {
        self.live().is_some_and(|live| live.stop_wanted)
    }

    /// Returns the bytes reserved for the instance.
    pub(super) fn reserved_bytes(&self) -> u64 {
        self.live().map_or(0, |live| live.memory.bytes())
    }

    pub(super) fn live(&self) -> Option<&Live> {
        match self {
            Self::Live(live) => Some(live),
            _ => None,
        }
    }

    pub(super) fn live_mut(&mut self) -> Option<&mut Live> {
        match self {
            Self::Live(live) => Some(live),
            _ => None,
        }
    }
}

/// The transitions. An instance that was there is gone after each that does not say otherwise.
impl Life {
    /// Comes to rest.
    pub(super) fn rest(&mut self, why: Why) {
        *self = Self::Resting(why);
    }

    /// Plans a fresh instance.
    pub(super) fn plan(&mut self, at: Instant, why: Why) {
        *self = Self::Due(at, why);
    }

    /// Plans a fresh instance; what can be said of the one before stays.
    pub(super) fn plan_again(&mut self, at: Instant) {
        *self = Self::Due(at, self.take_why());
    }

    /// A fresh instance is there; its first call begins.
    pub(super) fn come_up(&mut self, instance: Instance, memory: Memory) {
        *self = Self::Live(Box::new(Live {
            instance,
            memory,
            call: None,
            stop_wanted: false,
            next_poll: None,
            next_update: None,
            hops: 0,
            waits_for: None,
            note: None,
        }));
        self.begin(Call::Name, None);
    }

    /// Begins a call of the instance, which stays.
    pub(super) fn begin(&mut self, call: Call, exchange: Option<ExchangeId>) {
        if let Self::Live(live) = self {
            let handler = call.handler().map(HandlerSum::of);
            live.call = Some(Underway { kind: call.kind(), exchange, handler });
            live.instance.begin(call);
        }
    }

    /// The call under way has ended; the instance stays.
    pub(super) fn pause(&mut self) {
        if let Self::Live(live) = self {
            live.call = None;
        }
    }

    /// Asks for the end: an instance is stopped when its call has ended, and stays until then.
    pub(super) fn end(&mut self) {
        match self {
            Self::Live(live) => live.stop_wanted = true,
            Self::Due(..) => *self = Self::Resting(self.take_why()),
            #[cfg(feature = "engine-chip")]
            Self::Translating(..) => *self = Self::Resting(self.take_why()),
            Self::Resting(_) => {}
        }
    }

    pub(super) fn take_why(&mut self) -> Why {
        match mem::replace(self, Self::Resting(Why::Stopped(None))) {
            Self::Resting(why) | Self::Due(_, why) => why,
            #[cfg(feature = "engine-chip")]
            Self::Translating(_, why) => why,
            Self::Live(live) => Why::Stopped(live.note),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::budget::{Account, Board, Ledger, Limits};
    use crate::host::{Capabilities, InstanceSpec, ModuleFacts};
    use std::string::ToString;

    const SMALL: &str = r#"(module (memory (export "memory") 1)
        (func (export "plugin_id") (param i32 i32) (result i32) (i32.const 0))
        (func (export "allocate") (param i32) (result i32) (i32.const 0)))"#;

    fn instance() -> Instance {
        let (wasm, limits) = (wat::parse_str(SMALL).unwrap(), Limits::of(Board::Linux).plugin);
        let spec = InstanceSpec {
            package: "small".to_string(),
            id: "small".to_string(),
            capabilities: Capabilities::default(),
            limits,
            growth_bytes: 0,
        };
        Instance::load(&ModuleFacts::read(&wasm, &limits).unwrap(), &wasm, &spec).unwrap()
    }

    #[test]
    fn an_instance_ends_with_its_bytes_and_with_what_was_planned_for_it() {
        let mut ledger = Ledger::new(100);
        let mut life = Life::Resting(Why::Stopped(None));
        let reserved = ledger.reserve(Account::Plugin("small".into()), 60).unwrap();
        life.come_up(instance(), Memory::Reserved(reserved));
        assert_eq!((life.state(), life.is_starting(), life.is_between_calls()), (PluginState::Starting, true, false));
        life.end();
        assert!(life.stop_wanted() && !life.is_at_rest() && ledger.free() == 40, "its call ends first");
        life.pause();
        assert_eq!((life.state(), life.is_between_calls()), (PluginState::Running, true));
        life.live_mut().unwrap().note = Some("unknown imports".to_string());
        life.plan_again(Instant(5));
        assert_eq!((life.state(), life.reason()), (PluginState::Stopped, Some("unknown imports")));
        assert!(!life.stop_wanted() && ledger.free() == 100);
    }

    #[test]
    fn a_plan_keeps_what_is_known_and_its_end_too() {
        let mut life = Life::Resting(Why::Error("no network".to_string()));
        assert!(life.is_at_rest() && !life.is_starting());
        life.plan_again(Instant(5));
        assert_eq!((life.state(), life.reason(), life.is_starting()), (PluginState::Error, Some("no network"), false));
        life.end();
        assert!(life.is_at_rest() && life.reason() == Some("no network"));
    }

    #[test]
    fn only_a_first_start_counts_as_starting() {
        let mut life = Life::Resting(Why::Stopped(None));
        life.plan(Instant(5), Why::Stopped(None));
        assert_eq!((life.state(), life.is_starting(), life.reserved_bytes()), (PluginState::Stopped, true, 0));
        life.plan(Instant(6), Why::Crashed("unreachable".to_string()));
        assert_eq!((life.state(), life.is_starting(), life.is_at_rest()), (PluginState::Crashed, false, false));
        assert!(life.is_between_calls() && !life.stop_wanted());
    }

    #[test]
    fn who_waits_is_told_why_there_is_no_instance() {
        assert_eq!(Why::Stopped(Some("a note".to_string())).result(), Ok(()));
        assert_eq!(Why::Crashed("unreachable".to_string()).result(), Err("unreachable".to_string()));
    }
}
