//! One turn of one plugin: load, name, schema, start, work, stop, crash.

use alloc::boxed::Box;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::time::Duration;

use super::crash::{RESTARTS_MAX, Verdict};
use super::entry::{Activity, Phase, Plugin, State};
use super::filter::PathFilter;
use super::services::Loan;
use super::{Finished, Outcome, POLL_PERIOD, Turn, World, wear};
use crate::budget::Ledger;
use crate::config::{Operator, PluginConfig};
use crate::hal::Destinations;
use crate::host::{Answer, Call, Failure, Instance, InstanceSpec, Progress, Usage};
use crate::json;
use crate::time::Instant;
use skiff_abi::export;

/// Time until a plugin is started again whose `plugin_start` failed because a request did not get through.
const START_RETRY: Duration = Duration::from_secs(30);
/// Calls that may end in one turn, so that many small ones do not starve the bus.
const CALLS_PER_TURN: usize = 16;

impl Plugin {
    /// Does a bounded amount of work: at most one fuel slice of a long call, or a few short ones.
    pub(super) fn turn(&mut self, ledger: &mut Ledger, world: &mut World<'_>, finished: &mut Vec<Finished>) -> Turn {
        let asked = self.face.run_outside(self.stop_wanted, world);
        let mut turn = self.work(ledger, world, finished);
        if !matches!(self.phase, Phase::Live(..)) {
            self.face.release();
            self.waiting = None;
        }
        turn.wake = [turn.wake, asked].into_iter().flatten().min();
        turn
    }

    fn work(&mut self, ledger: &mut Ledger, world: &mut World<'_>, finished: &mut Vec<Finished>) -> Turn {
        let emitted_before = (world.outbox.len(), world.frames.len());
        for _ in 0..CALLS_PER_TURN {
            match core::mem::replace(&mut self.phase, Phase::Rest) {
                Phase::Rest => {
                    // A plugin that is refused or stays disabled answers its configuration exchanges here.
                    if !self.configuring.is_empty() {
                        let result = self.resting_result();
                        self.configured_as(&result, finished);
                    }
                    return Turn::default();
                }
                Phase::Load(at) if at > world.now => {
                    self.phase = Phase::Load(at);
                    return Turn { busy: false, wake: Some(at) };
                }
                Phase::Load(_) => {
                    self.load(ledger, world, finished);
                    return Turn { busy: true, wake: None };
                }
                // What was emitted is published before the next call, so that the outbox stays small.
                Phase::Live(instance, None) if (world.outbox.len(), world.frames.len()) != emitted_before => {
                    self.phase = Phase::Live(instance, None);
                    return Turn { busy: true, wake: None };
                }
                Phase::Live(instance, None) if self.is_worn(&instance, world.now) => {
                    self.recycle(&instance);
                    self.phase = Phase::Live(instance, None);
                }
                Phase::Live(mut instance, None) => match self.next_call(&instance, world.now) {
                    Some((activity, call)) => {
                        self.face.end_of_lines();
                        self.face.emitted_in_call = 0;
                        self.face.emitted_bytes_in_call = 0;
                        self.face.frame_bytes_in_call = 0;
                        if activity != Activity::Delta {
                            self.hops = 0;
                        }
                        instance.begin(call);
                        self.phase = Phase::Live(instance, Some(activity));
                    }
                    None => {
                        self.phase = Phase::Live(instance, None);
                        return Turn { busy: false, wake: self.next_poll };
                    }
                },
                Phase::Live(mut instance, Some(activity)) => {
                    let hops = self.hops.saturating_add(1);
                    // All plugins together never take more than the board has: what is free now is what this one may grow by.
                    instance.allow_growth(ledger.free());
                    if self.stop_wanted {
                        instance.rouse();
                    }
                    self.face.fetches.set_patient(activity == Activity::Start);
                    let progress = instance.run(&mut Loan { world, face: &mut self.face, hops });
                    let taken = self.taken(&instance.usage());
                    if let Some(memory) = &mut self.memory {
                        memory.resize(taken);
                    }
                    if matches!(progress, Progress::Done(_) | Progress::Failed(_)) {
                        self.face.end_of_lines();
                    }
                    match progress {
                        Progress::Running => {
                            self.waiting = None;
                            self.phase = Phase::Live(instance, Some(activity));
                            return Turn { busy: true, wake: None };
                        }
                        Progress::Waiting => {
                            let asleep = instance.wake();
                            self.phase = Phase::Live(instance, Some(activity));
                            self.wait(finished);
                            let wake = [self.face.fetches.wake(), asleep].into_iter().flatten().min();
                            return Turn { busy: false, wake };
                        }
                        Progress::Done(answer) => {
                            self.waiting = None;
                            self.fuel_spent = self.fuel_spent.saturating_add(instance.usage().fuel_in_call);
                            self.done(instance, activity, answer, world, finished);
                        }
                        Progress::Failed(failure) => {
                            self.fuel_spent = self.fuel_spent.saturating_add(instance.usage().fuel_in_call);
                            self.failed(instance, activity, failure, world, finished);
                        }
                    }
                }
            }
        }
        Turn { busy: true, wake: None }
    }

    /// Notes what the guest waits for, so that its owner can see it.
    fn wait(&mut self, finished: &mut Vec<Finished>) {
        let Some((what, offline)) = self.face.fetches.waits_for() else { return };
        if self.waiting.as_ref() != Some(&what) {
            if offline {
                self.face.log(log::Level::Info, &what);
                // Nobody knows how long: whoever changed the configuration gets his answer now.
                self.configured_as(&Err(what.clone()), finished);
            }
            self.waiting = Some(what);
        }
    }

    /// Returns what an instance takes: its predicted heap, its linear memory now, and what its files hold, bytes.
    fn taken(&self, usage: &Usage) -> u64 {
        let heap = self.facts.as_ref().map_or(0, |facts| facts.predicted_heap_bytes(&self.limits));
        heap.saturating_add(usage.linear_bytes).saturating_add(usage.file_bytes)
    }

    fn resting_result(&self) -> Result<(), String> {
        match (self.state, &self.reason) {
            (State::Error | State::Crashed, Some(reason)) => Err(reason.clone()),
            _ => Ok(()),
        }
    }

    /// Reserves memory and builds a fresh instance; the plugin is in state `error` with a reason otherwise.
    fn load(&mut self, ledger: &mut Ledger, world: &mut World<'_>, finished: &mut Vec<Finished>) {
        self.stop_wanted = false;
        // A plugin may have saved a configuration of its own since (sk_save_config).
        match PluginConfig::load(world.storage, &self.face.id, self.limits.config_bytes_max) {
            Ok(Some(config)) => self.config = Some(config),
            Ok(None) => {}
            Err(error) => self.face.log(log::Level::Warn, &format!("configuration not read: {error}")),
        }
        let mut refused = Vec::new();
        let limit = self.limits.path_filter_max;
        self.filter = PathFilter::of(&self.package, self.config.as_ref(), limit, |clause| refused.push(clause));
        refused.iter().for_each(|clause| self.face.log(log::Level::Warn, clause));
        self.face.release();
        self.open_ways_out(world);
        let loaded = self.try_load(ledger);
        match loaded {
            Ok(instance) => {
                for name in instance.unknown_imports() {
                    self.face.log(
                        log::Level::Warn,
                        &format!("imports {name}, which this host does not know: calling it is a trap"),
                    );
                }
                self.state = State::Starting;
                self.reason = None;
                self.phase = Phase::Live(Box::new(instance), Some(Activity::Name));
                if let Phase::Live(instance, _) = &mut self.phase {
                    instance.begin(Call::Name);
                }
            }
            Err(reason) => {
                self.memory = None;
                self.refuse(reason, finished);
            }
        }
    }

    /// Opens the ways out for a fresh instance: where its author narrows and its operator opens them.
    fn open_ways_out(&mut self, world: &mut World<'_>) {
        let operator = Operator::load(world.storage, &self.face.package).unwrap_or_else(|error| {
            self.face.log(log::Level::Warn, &format!("operator's settings not read: {error}"));
            Operator::default()
        });
        let (destinations, wrong) = Destinations::new(self.package.fetch.as_deref(), &operator.fetch);
        for entry in wrong {
            self.face.log(log::Level::Warn, &format!("no destination can be read from {entry:?}"));
        }
        self.face.fetches.open(destinations);
        self.face.ports.allow(operator.serial_ports);
    }

    fn try_load(&mut self, ledger: &mut Ledger) -> Result<Instance, String> {
        let facts = self.facts.as_ref().map_err(ToString::to_string)?;
        self.memory = None;
        let bytes = facts.reserved_bytes(&self.limits);
        let memory = ledger.reserve(self.account.clone(), bytes).map_err(|refusal| format!("{refusal}"))?;
        self.memory = Some(memory);
        let spec = InstanceSpec {
            package: self.face.package.to_string(),
            id: self.face.id.to_string(),
            capabilities: self.package.capabilities.clone(),
            limits: self.limits,
            growth_bytes: ledger.free(),
        };
        Instance::load(facts, &self.package.wasm, &spec).map_err(|error| format!("{error}"))
    }

    /// Ends in state `error`, without a restart.
    fn refuse(&mut self, reason: String, finished: &mut Vec<Finished>) {
        self.wear.settled();
        self.face.log(log::Level::Error, &reason);
        self.state = State::Error;
        self.reason = Some(reason.clone());
        self.phase = Phase::Rest;
        self.withdraw(finished);
        self.configured_as(&Err(reason), finished);
    }

    /// Picks what an idle instance does next: stop, answer a request, poll, take a delta.
    fn next_call(&mut self, instance: &Instance, now: Instant) -> Option<(Activity, Call)> {
        if self.stop_wanted {
            return Some((Activity::Stop, Call::Stop));
        }
        if self.state != State::Running {
            return None;
        }
        if let Some((fetched, callback)) = self.face.fetches.next_answer() {
            return Some((Activity::Fetched, Call::Fetched { fetched, callback }));
        }
        if let Some(waiting) = self.requests.pop_front() {
            return Some((Activity::Exchange(waiting.exchange), waiting.call));
        }
        if let Some(due) = self.next_poll.filter(|&due| due <= now) {
            // Polls that were missed are not made up for.
            let next = due + POLL_PERIOD;
            self.next_poll = Some(if next <= now { now + POLL_PERIOD } else { next });
            return Some((Activity::Poll, Call::Poll));
        }
        if instance.wants_collection(self.deltas.is_empty()) {
            return Some((Activity::Collect, Call::Collect));
        }
        let fed = self.deltas.pop()?;
        if !instance.has(export::DELTA_HANDLER) {
            self.deltas.clear();
            return None;
        }
        self.hops = fed.hops;
        Some((Activity::Delta, Call::Delta(fed.delta)))
    }

    /// Goes on after a call that returned.
    fn done(
        &mut self,
        instance: Box<Instance>,
        activity: Activity,
        answer: Answer,
        world: &mut World<'_>,
        finished: &mut Vec<Finished>,
    ) {
        match activity {
            Activity::Name => {
                if let Answer::Text(Some(name)) = answer
                    && !name.is_empty()
                {
                    self.display_name = Some(name);
                }
                self.continue_with(instance, Activity::Schema, Call::Schema);
            }
            Activity::Schema => {
                let text = match answer {
                    Answer::Text(Some(text)) if !text.is_empty() => text,
                    _ => String::from("{}"),
                };
                match json::compact(&text) {
                    Ok(schema) => self.schema = Some(schema),
                    Err(error) => {
                        drop(instance);
                        self.memory = None;
                        return self.refuse(format!("plugin_schema gives no JSON: {error}"), finished);
                    }
                }
                if self.is_enabled() && !self.shutting_down {
                    self.continue_with(instance, Activity::Endpoints, Call::Endpoints);
                } else {
                    drop(instance);
                    self.come_to_rest(finished);
                }
            }
            Activity::Endpoints => {
                self.endpoints = match answer {
                    Answer::Text(Some(text)) if !text.is_empty() => Some(text),
                    _ => None,
                };
                self.endpoints_version = self.endpoints_version.wrapping_add(1);
                let config = self.start_config();
                self.continue_with(instance, Activity::Start, Call::Start { config });
            }
            Activity::Start => self.started(instance, &answer, world, finished),
            Activity::Stop => {
                if let Answer::Code(Some(code)) = answer
                    && code != 0
                {
                    self.face.log(log::Level::Warn, &format!("plugin_stop returned {code}"));
                }
                drop(instance);
                self.stopped(None, world, finished);
            }
            Activity::Poll => {
                if let Answer::Code(Some(code)) = answer
                    && code != 0
                {
                    self.face.log(log::Level::Debug, &format!("poll returned {code}"));
                }
                self.phase = Phase::Live(instance, None);
            }
            Activity::Fetched => {
                if answer == Answer::Absent {
                    self.face.log(log::Level::Warn, "an answer came, and the plugin has no responseHandler to take it");
                }
                self.phase = Phase::Live(instance, None);
            }
            Activity::Delta | Activity::Collect => self.phase = Phase::Live(instance, None),
            Activity::Exchange(exchange) => {
                let result = match answer {
                    Answer::Text(text) => Outcome::Answered(text),
                    Answer::Absent => Outcome::MissingHandler,
                    Answer::Code(_) | Answer::Unit => Outcome::Answered(None),
                };
                finished.push(Finished { exchange, result });
                self.phase = Phase::Live(instance, None);
            }
        }
    }

    fn continue_with(&mut self, mut instance: Box<Instance>, activity: Activity, call: Call) {
        instance.begin(call);
        self.phase = Phase::Live(instance, Some(activity));
    }

    /// Returns the argument of `plugin_start`: the saved members with `enableDebug` set (plugin ABI §4.1).
    fn start_config(&self) -> String {
        let config = self.config.as_ref();
        let debug = config.and_then(|config| config.enable_debug).unwrap_or(false);
        let saved = config.and_then(|config| config.configuration.as_deref()).unwrap_or("{}");
        json::with_member(saved, "enableDebug", if debug { "true" } else { "false" })
    }

    fn started(
        &mut self,
        instance: Box<Instance>,
        answer: &Answer,
        world: &mut World<'_>,
        finished: &mut Vec<Finished>,
    ) {
        let failure = match answer {
            Answer::Code(Some(0)) => None,
            // The wording upstream's users search for.
            Answer::Code(Some(code)) => Some(format!("Plugin start() returned error code: {code}")),
            Answer::Absent => Some(String::from("the plugin has no plugin_start export")),
            Answer::Code(None) | Answer::Unit | Answer::Text(_) => {
                Some(String::from("plugin_start gives no result code"))
            }
        };
        if let Some(reason) = failure {
            drop(instance);
            self.memory = None;
            return self.not_started(reason, world, finished);
        }
        self.state = State::Running;
        self.holding = false;
        self.wear.started(world.now, wear::taken(&instance));
        self.reason = (!instance.unknown_imports().is_empty())
            .then(|| format!("imports unknown to this host: {}", instance.unknown_imports().join(", ")));
        self.next_poll = instance.has(export::POLL).then(|| self.first_poll(world));
        self.phase = Phase::Live(instance, None);
        self.configured_as(&Ok(()), finished);
    }

    /// `plugin_start` failed: for good, or until the requests that failed in it may get through.
    fn not_started(&mut self, mut reason: String, world: &World<'_>, finished: &mut Vec<Finished>) {
        let again = self.face.fetches.has_failed() && self.is_enabled() && !self.shutting_down && !self.stop_wanted;
        if again {
            let seconds = START_RETRY.as_secs();
            reason = format!("{reason}; a request of it did not get through, it is started again in {seconds} s");
        }
        self.refuse(reason, finished);
        if again {
            self.phase = Phase::Load(world.now + START_RETRY);
        }
    }

    fn first_poll(&self, world: &World<'_>) -> Instant {
        if !self.poll_on_whole_seconds {
            return world.now + POLL_PERIOD;
        }
        let period = i64::try_from(POLL_PERIOD.as_millis()).unwrap_or(1000);
        let left = period - world.wall.0.rem_euclid(period);
        world.now + Duration::from_millis(u64::try_from(left).unwrap_or(1000))
    }

    /// Goes on after a call that did not return.
    fn failed(
        &mut self,
        instance: Box<Instance>,
        activity: Activity,
        failure: Failure,
        world: &mut World<'_>,
        finished: &mut Vec<Finished>,
    ) {
        if let Activity::Exchange(exchange) = activity {
            finished.push(Finished { exchange, result: Outcome::Failed(failure.clone()) });
        }
        let export = match activity {
            Activity::Name => export::PLUGIN_NAME,
            Activity::Schema => export::PLUGIN_SCHEMA,
            Activity::Endpoints => export::HTTP_ENDPOINTS,
            Activity::Start => export::PLUGIN_START,
            Activity::Stop => export::PLUGIN_STOP,
            Activity::Poll => export::POLL,
            Activity::Delta => export::DELTA_HANDLER,
            Activity::Exchange(_) => "a handler",
            Activity::Fetched => export::RESPONSE_HANDLER,
            Activity::Collect => export::AS_COLLECT,
        };
        let reason = format!("{export}: {failure}");
        if activity == Activity::Stop {
            drop(instance);
            return self.stopped(Some(reason), world, finished);
        }
        if matches!(failure, Failure::InStartSection(_)) {
            drop(instance);
            self.memory = None;
            return self.refuse(failure.to_string(), finished);
        }
        if failure.is_fatal() {
            drop(instance);
            if activity == Activity::Start && self.face.fetches.has_failed() {
                self.memory = None;
                return self.not_started(reason, world, finished);
            }
            return self.crash(reason, world.now, finished);
        }
        self.face.log(log::Level::Warn, &reason);
        match activity {
            Activity::Name => self.continue_with(instance, Activity::Schema, Call::Schema),
            Activity::Schema => {
                drop(instance);
                self.memory = None;
                self.refuse(reason, finished);
            }
            Activity::Endpoints => {
                let config = self.start_config();
                self.continue_with(instance, Activity::Start, Call::Start { config });
            }
            Activity::Start => {
                drop(instance);
                self.memory = None;
                self.not_started(reason, world, finished);
            }
            Activity::Stop
            | Activity::Poll
            | Activity::Delta
            | Activity::Exchange(_)
            | Activity::Fetched
            | Activity::Collect => {
                self.phase = Phase::Live(instance, None);
            }
        }
    }

    /// The instance is gone: restart it by the schedule, or give it up.
    fn crash(&mut self, reason: String, now: Instant, finished: &mut Vec<Finished>) {
        self.memory = None;
        self.wear.settled();
        self.withdraw(finished);
        self.state = State::Crashed;
        self.stop_wanted = false;
        let plan = match self.crashes.crash(now) {
            _ if self.shutting_down || !self.is_enabled() => {
                self.phase = Phase::Rest;
                String::new()
            }
            Verdict::Restart { at, after_s, attempt } => {
                self.phase = Phase::Load(at);
                format!("; restart {attempt} of {RESTARTS_MAX} in {after_s} s")
            }
            Verdict::GiveUp => {
                self.phase = Phase::Rest;
                format!("; given up after {RESTARTS_MAX} restarts within ten minutes")
            }
        };
        let reason = format!("{reason}{plan}");
        self.face.log(log::Level::Error, &reason);
        self.reason = Some(reason.clone());
        self.configured_as(&Err(reason), finished);
    }

    /// The instance has been stopped: start a fresh one when the plugin is still enabled.
    fn stopped(&mut self, failure: Option<String>, world: &World<'_>, finished: &mut Vec<Finished>) {
        self.stop_wanted = false;
        self.memory = None;
        if !self.is_enabled() || self.shutting_down {
            self.wear.settled();
        }
        self.withdraw(finished);
        if let Some(reason) = &failure {
            self.face.log(log::Level::Error, reason);
        }
        if self.is_enabled() && !self.shutting_down {
            self.state = State::Stopped;
            self.phase = Phase::Load(world.now);
            return;
        }
        self.state = if failure.is_some() { State::Error } else { State::Stopped };
        self.reason = failure;
        self.face.status = None;
        self.face.error = None;
        self.phase = Phase::Rest;
        let result = self.resting_result();
        self.configured_as(&result, finished);
    }

    /// A disabled plugin has told its name and schema.
    fn come_to_rest(&mut self, finished: &mut Vec<Finished>) {
        self.memory = None;
        self.wear.settled();
        self.withdraw(finished);
        self.state = State::Stopped;
        self.reason = None;
        self.stop_wanted = false;
        self.phase = Phase::Rest;
        self.configured_as(&Ok(()), finished);
    }
}
