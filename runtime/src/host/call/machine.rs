//! Takes the steps of a call.
//!
//! The interpreter stops where its fuel slice ends or where an import asks the core; both resume
//! at the same place. Nothing here calls the guest while the guest is inside a call.

use alloc::boxed::Box;
use core::task::Poll;
use core::time::Duration;

use skiff_abi::export::{self, AS_CLASS_ARRAY_BUFFER};
use skiff_abi::values;

#[cfg(feature = "components")]
use super::lifted::LiftedStep;
use super::plan::{BUFFERS_MAX, deliver, plan};
use super::steps::{Arg, Args, CallStep, Helper, Steps};
use crate::budget::PluginLimits;
use crate::host::engine::{Engine, Function, Guest as Engaged, GuestSlice, Parked, Ran, RanBy, Reach, Stopped, Val};
use crate::host::exports::Export;
use crate::host::failure::Failure;
use crate::host::fetch::Ticket;
use crate::host::imports::{Caller, Outcome, Ret};
use crate::host::instance::Instance;
use crate::host::text::{self, Managed};
use crate::host::{Answer, Call, Progress, Services, trace};
use crate::json;
use crate::time::Instant;

/// What to do with the result of the guest function that runs now.
#[derive(Debug)]
pub(super) enum After {
    Nothing,
    /// Keep it as a buffer of this many bytes.
    Buffer {
        bytes: u32,
        null_is_failure: bool,
    },
    /// Keep it as the export's result, or as the address of a fetched body.
    Result,
    /// The WASI entry: `proc_exit` ends it normally.
    Entry,
    /// The start section: imports work from now on.
    StartSection,
}

/// A guest function that waits for the result of an import.
#[derive(Debug)]
pub(super) struct Suspended {
    call: Parked,
    after: After,
}

/// Where the guest is.
#[derive(Debug)]
enum Guest {
    /// In no function.
    Idle,
    /// Where the fuel of the slice ended.
    OutOfFuel(OutOfFuel),
    /// In a fetch.
    Fetching { ticket: Ticket, suspended: Suspended },
    /// Asleep.
    Sleeping { until: Instant, suspended: Suspended },
}

/// A guest function whose slice of fuel has ended.
#[derive(Debug)]
struct OutOfFuel {
    call: Stopped,
    after: After,
}

/// A call under way.
#[derive(Debug)]
pub(in crate::host) struct Machine {
    pub(super) steps: Steps,
    buffers: heapless::Vec<u32, BUFFERS_MAX>,
    pub(super) result: Option<Val>,
    pub(super) answer: Answer,
    guest: Guest,
    spent: u64,
    limit: u64,
    /// Fuel the next step needs at least, when the slice was too small for it.
    required: u64,
    /// The start section has not returned yet.
    in_start_section: bool,
    /// The export has returned, and what it changed in rows was published.
    published: bool,
}

impl Machine {
    /// Plans a call in the dialect of the instance.
    pub(in crate::host) fn new(instance: &mut Instance, call: Call) -> Self {
        let limit = match &call {
            Call::Start { .. } | Call::Id | Call::Name | Call::Collect => instance.limits.fuel_per_start,
            _ => instance.limits.fuel_per_call,
        };
        // What a call that failed has left.
        instance.guest.forget();
        #[cfg(feature = "components")]
        super::lifted::let_ask(instance, true);
        let (steps, answer) = plan(instance, call);
        Self {
            in_start_section: steps.begins_with_start_section(),
            steps,
            buffers: heapless::Vec::new(),
            result: None,
            answer,
            guest: Guest::Idle,
            spent: 0,
            limit,
            required: 0,
            published: false,
        }
    }

    /// Returns the fuel spent so far.
    pub(in crate::host) fn spent(&self) -> u64 {
        self.spent
    }

    /// Runs until the call ends or the slice is spent.
    pub(in crate::host) fn slice(&mut self, instance: &mut Instance, services: &mut dyn Services) -> Progress {
        if self.waits(services) {
            return Progress::Waiting;
        }
        let left = self.limit.saturating_sub(self.spent);
        if left == 0 || self.required > left {
            return Progress::Failed(self.placed(Failure::OutOfFuel { limit: self.limit }));
        }
        let granted = instance.limits.fuel_per_slice.max(self.required).min(left);
        self.required = 0;
        instance.guest.refuel(granted);
        let outcome = self.run(instance, services);
        let rest = instance.guest.fuel();
        let debt = core::mem::take(&mut instance.guest.state_mut().fuel_debt);
        self.spent = self.spent.saturating_add(granted.saturating_sub(rest)).saturating_add(debt);
        match outcome {
            Ok(true) => Progress::Done(core::mem::replace(&mut self.answer, Answer::Unit)),
            Ok(false) => Progress::Running,
            Err(Failure::OutOfFuel { .. }) => Progress::Failed(self.placed(Failure::OutOfFuel { limit: self.limit })),
            Err(failure) => Progress::Failed(self.placed(failure)),
        }
    }

    /// Tells whether the guest has still to wait. An answer that is there is planned to be given to it.
    fn waits(&mut self, services: &mut dyn Services) -> bool {
        match core::mem::replace(&mut self.guest, Guest::Idle) {
            Guest::Fetching { ticket, suspended } => match services.fetch_poll(ticket) {
                Poll::Ready(fetched) => deliver(fetched.body, suspended, &mut self.steps),
                Poll::Pending => self.guest = Guest::Fetching { ticket, suspended },
            },
            guest => self.guest = guest,
        }
        match self.guest {
            Guest::Fetching { .. } => true,
            Guest::Sleeping { until, .. } => services.monotonic() < until,
            Guest::Idle | Guest::OutOfFuel(_) => false,
        }
    }

    /// Says so where a failure happened in the start section.
    fn placed(&self, failure: Failure) -> Failure {
        if self.in_start_section { Failure::InStartSection(Box::new(failure)) } else { failure }
    }

    /// Returns when a guest that sleeps wants to go on.
    pub(in crate::host) fn wake(&self) -> Option<Instant> {
        match self.guest {
            Guest::Sleeping { until, .. } => Some(until),
            _ => None,
        }
    }

    /// Ends the sleep of the guest.
    pub(in crate::host) fn rouse(&mut self) {
        if let Guest::Sleeping { until, .. } = &mut self.guest {
            *until = Instant::default();
        }
    }

    /// Goes on where the guest is, then takes steps; true at the end of the call, false at the end of the slice.
    fn run(&mut self, instance: &mut Instance, services: &mut dyn Services) -> Result<bool, Failure> {
        loop {
            let goes_on = match core::mem::replace(&mut self.guest, Guest::Idle) {
                Guest::Idle => {
                    let step = self.steps.next();
                    let gives_back = matches!(
                        step,
                        None | Some(CallStep::Free { .. } | CallStep::Help { helper: Helper::Unpin, .. })
                    );
                    if gives_back && !core::mem::replace(&mut self.published, true) {
                        instance.publish(services);
                    }
                    match step {
                        Some(step) => self.step(instance, services, step)?,
                        None => return Ok(true),
                    }
                }
                Guest::OutOfFuel(stopped) => {
                    let OutOfFuel { call, after } = stopped;
                    let ran = instance.guest.go_on(call);
                    self.settle(instance, services, ran, after)?
                }
                Guest::Sleeping { until, suspended } if services.monotonic() >= until => {
                    self.resume(instance, services, suspended, Ret::Int(0))?
                }
                // Nothing more until it is time, or until there is an answer.
                waiting @ (Guest::Sleeping { .. } | Guest::Fetching { .. }) => {
                    self.guest = waiting;
                    false
                }
            };
            if !goes_on {
                return Ok(false);
            }
        }
    }

    /// Takes one step; false when the slice ended in it.
    fn step(&mut self, instance: &mut Instance, services: &mut dyn Services, step: CallStep) -> Result<bool, Failure> {
        match step {
            CallStep::StartSection => {
                let function = instance.guest.start_function();
                self.invoke(instance, services, "start", function, &[], After::StartSection)
            }
            CallStep::Entry(name) => {
                let function = instance.function(name);
                self.invoke(instance, services, name, function, &[], After::Entry)
            }
            CallStep::New { bytes, class } => {
                let after = After::Buffer { bytes, null_is_failure: true };
                self.invoke(instance, services, export::AS_NEW, instance.exports.new, &[bytes, class], after)
            }
            CallStep::Allocate { bytes, getter } => {
                let after = After::Buffer { bytes, null_is_failure: getter };
                self.invoke(instance, services, export::ALLOCATE, instance.exports.allocate, &[bytes], after)
            }
            CallStep::Fill { buffer, data } => {
                let ptr = self.buffer(buffer);
                let len = u32::try_from(data.len()).unwrap_or(u32::MAX);
                let filled = instance.write(GuestSlice { ptr, len }, &data);
                if filled { Ok(true) } else { Err(Failure::NoMemory { bytes: len }) }
            }
            CallStep::FillText { text, bytes, managed } => {
                let slice = GuestSlice { ptr: self.buffer(0), len: bytes };
                let filled = if managed {
                    instance.linear_mut().write_utf16(slice, text.text())
                } else {
                    instance.write(slice, text.text().as_bytes())
                };
                if filled { Ok(true) } else { Err(Failure::NoMemory { bytes }) }
            }
            CallStep::Help { helper, buffer } => {
                let (name, function) = match helper {
                    Helper::Pin => (export::AS_PIN, instance.exports.pin),
                    Helper::Unpin => (export::AS_UNPIN, instance.exports.unpin),
                };
                self.invoke_if_there(instance, services, name, function, &[self.buffer(buffer)])
            }
            CallStep::ArgumentsLength(count) => {
                instance.set_arguments_length(count.cast_signed());
                match instance.exports.set_arguments_length.clone() {
                    Some(Export { name, function }) => {
                        self.invoke(instance, services, &name, Some(function), &[count], After::Nothing)
                    }
                    None => Ok(true),
                }
            }
            CallStep::Invoke { export: Export { name, function }, args } => {
                let args: heapless::Vec<u32, 4> = args
                    .iter()
                    .map(|arg| match *arg {
                        Arg::Buffer(buffer) => self.buffer(buffer),
                        Arg::Int(value) => value,
                    })
                    .collect();
                self.invoke(instance, services, &name, Some(function), &args, After::Result)
            }
            CallStep::ReadManaged { limit } => {
                let ptr = self.result_code().map_or(0, i32::cast_unsigned);
                self.answer = match text::managed_string(instance.linear(), ptr, limit) {
                    Managed::Null => Answer::Text(None),
                    Managed::Text(text) => Answer::Text(Some(text)),
                    Managed::Wrong => return Err(Failure::BadAnswer("the export returned no string")),
                };
                Ok(true)
            }
            CallStep::ReadBuffer { buffer, max, strict, again } => {
                match again.filter(|again| again.max > max && self.is_cut(instance, buffer, max)) {
                    Some(again) => {
                        let next = u8::try_from(self.buffers.len()).unwrap_or(u8::MAX);
                        again.plan(next, strict, &mut self.steps);
                    }
                    None => self.answer = self.read_buffer(instance, buffer, max, strict)?,
                }
                Ok(true)
            }
            CallStep::ReadCode => {
                self.answer = Answer::Code(self.result_code());
                Ok(true)
            }
            CallStep::AskForRows => {
                if !matches!(self.answer, Answer::Code(Some(0))) {
                    return Ok(true);
                }
                match instance.values_export() {
                    Ok(None) => {}
                    Ok(Some(function)) => {
                        let export = Export { name: values::VALUES.into(), function };
                        self.steps.extend([
                            CallStep::ArgumentsLength(0),
                            CallStep::Invoke { export, args: Args::new() },
                            CallStep::Describe,
                        ]);
                    }
                    Err(reason) => refuse_rows(services, reason),
                }
                Ok(true)
            }
            CallStep::Describe => {
                if let Err(reason) = instance.describe(self.result_code().map_or(0, i32::cast_unsigned)) {
                    refuse_rows(services, reason);
                }
                Ok(true)
            }
            CallStep::NewBody { bytes } => {
                let args = [bytes, AS_CLASS_ARRAY_BUFFER];
                self.invoke(instance, services, export::AS_NEW, instance.exports.new, &args, After::Result)
            }
            CallStep::Deliver { body, to } => self.deliver(instance, services, &body, to),
            #[cfg(feature = "components")]
            CallStep::Lifted(step) => self.lifted(instance, services, step),
            CallStep::Free { buffer, bytes } => {
                let (function, args) = (instance.exports.deallocate, [self.buffer(buffer), bytes]);
                self.invoke_if_there(instance, services, export::DEALLOCATE, function, &args)
            }
        }
    }

    /// Writes the answer of a fetch where the guest has made room for it; an address of 0 says that it has not.
    fn deliver(
        &mut self,
        instance: &mut Instance,
        services: &mut dyn Services,
        body: &[u8],
        to: Suspended,
    ) -> Result<bool, Failure> {
        let ptr = match self.result.take() {
            Some(Val::I32(ptr)) => ptr.cast_unsigned(),
            _ => 0,
        };
        let slice = GuestSlice { ptr, len: u32::try_from(body.len()).unwrap_or(u32::MAX) };
        let there = ptr != 0 && instance.write(slice, body);
        let ret = Ret::Int(if there { ptr.cast_signed() } else { 0 });
        trace::answered(instance.guest.state_mut(), ret);
        self.resume(instance, services, to, ret)
    }

    pub(super) fn buffer(&self, index: u8) -> u32 {
        self.buffers.get(usize::from(index)).copied().unwrap_or(0)
    }

    pub(super) fn result_code(&self) -> Option<i32> {
        match self.result {
            Some(Val::I32(code)) => Some(code),
            #[expect(clippy::cast_possible_truncation, reason = "a code beyond 32 bits is no code")]
            Some(Val::I64(code)) => Some(code as i32),
            _ => None,
        }
    }

    /// Tells whether the answer in a buffer of `max` bytes is only the beginning of one: it fills the buffer and is no
    /// JSON, or the export names the bytes it would have needed (plugin ABI §2.7).
    fn is_cut(&self, instance: &Instance, buffer: u8, max: u32) -> bool {
        let Some(written) = self.result_code().and_then(|written| u32::try_from(written).ok()) else { return false };
        if written != max {
            return written > max;
        }
        let slice = GuestSlice { ptr: self.buffer(buffer), len: written };
        let text = instance.linear().bytes(slice).map(text::of_guest);
        text.is_some_and(|text| json::compact(&text).is_err())
    }

    fn read_buffer(&self, instance: &Instance, buffer: u8, max: u32, strict: bool) -> Result<Answer, Failure> {
        let Some(written) = self.result_code() else {
            return Err(Failure::BadAnswer("the export returned no length"));
        };
        let written = match u32::try_from(written) {
            Ok(0) => return Ok(Answer::Text(None)),
            Ok(written) => written,
            Err(_) if strict => return Err(Failure::BadAnswer("the handler returned an error length")),
            Err(_) => return Ok(Answer::Text(None)),
        };
        if written > max {
            return Err(Failure::BadAnswer("the export says it wrote more than its buffer holds"));
        }
        let slice = GuestSlice { ptr: self.buffer(buffer), len: written };
        match instance.linear().bytes(slice) {
            Some(bytes) => Ok(Answer::Text(Some(text::of_guest(bytes).into_owned()))),
            None => Err(Failure::BadAnswer("the answer lies outside the linear memory")),
        }
    }

    fn invoke_if_there(
        &mut self,
        instance: &mut Instance,
        services: &mut dyn Services,
        name: &'static str,
        function: Option<Function>,
        args: &[u32],
    ) -> Result<bool, Failure> {
        match function {
            Some(_) => self.invoke(instance, services, name, function, args, After::Nothing),
            None => Ok(true),
        }
    }

    /// Calls an export with arguments adapted to what it declares; false when the slice ended in it.
    pub(super) fn invoke(
        &mut self,
        instance: &mut Instance,
        services: &mut dyn Services,
        name: &str,
        function: Option<Function>,
        args: &[u32],
        after: After,
    ) -> Result<bool, Failure> {
        let Some(function) = function else { return Err(Failure::NoExport { export: name.into() }) };
        let Some(ran) = instance.guest.call(function, args) else {
            return Err(Failure::BadSignature { export: name.into() });
        };
        self.settle(instance, services, ran, after)
    }

    /// Lets a guest function sleep, which costs fuel, too.
    pub(super) fn sleep(&mut self, until: Instant, span: Duration, suspended: Suspended) {
        let millis = u64::try_from(span.as_millis()).unwrap_or(u64::MAX).saturating_add(1);
        self.spent = self.spent.saturating_add(millis.saturating_mul(PluginLimits::FUEL_PER_MS_ASLEEP));
        self.guest = Guest::Sleeping { until, suspended };
    }

    /// Gives a guest function the result of its import.
    pub(super) fn resume(
        &mut self,
        instance: &mut Instance,
        services: &mut dyn Services,
        suspended: Suspended,
        ret: Ret,
    ) -> Result<bool, Failure> {
        let Suspended { call, after } = suspended;
        let ran = instance.guest.answer(call, ret);
        self.settle(instance, services, ran, after)
    }

    /// Takes in how a guest function returned or stopped, answering what its imports ask; false when the slice ended.
    fn settle(
        &mut self,
        instance: &mut Instance,
        services: &mut dyn Services,
        mut ran: RanBy<Engaged>,
        after: After,
    ) -> Result<bool, Failure> {
        loop {
            let call = match ran {
                Ran::Asks(call) => call,
                Ran::Returned(result) => {
                    self.finished(instance, result, &after)?;
                    return Ok(true);
                }
                Ran::OutOfFuel { stopped: call, required } => {
                    self.required = required;
                    self.guest = Guest::OutOfFuel(OutOfFuel { call, after });
                    return Ok(false);
                }
                Ran::Ended(failure) => return ended(failure, &after),
            };
            let state = instance.guest.state_mut();
            let Some(pending) = state.pending.take() else { return Err(Failure::Trap("waits for nothing".into())) };
            trace::report(state, services);
            let args = core::mem::take(&mut state.args);
            let mut caller = Caller::of(instance.guest.access());
            let outcome = pending.run(&mut caller, services, &args);
            instance.guest.state_mut().args = args;
            let ret = match outcome {
                Outcome::Ret(ret) => ret,
                // A guest whose allocator fetches would wait for itself.
                Outcome::Fetch(request) if !self.steps.is_delivering() && instance.exports.new.is_some() => {
                    let ticket = services.fetch(request);
                    let suspended = Suspended { call, after };
                    self.guest = Guest::Fetching { ticket, suspended };
                    return Ok(true);
                }
                Outcome::Fetch(_) => {
                    services.log(log::Level::Warn, NOWHERE_TO_PUT);
                    Ret::Int(0)
                }
                Outcome::Sleep { until, span } => {
                    trace::answered(instance.guest.state_mut(), Ret::Int(0));
                    self.sleep(until, span, Suspended { call, after });
                    return Ok(true);
                }
                Outcome::Exit(code) => return ended(Failure::Exit(code), &after),
                #[cfg(feature = "components")]
                Outcome::Trap(clause) => return Err(Failure::Trap(clause.into())),
                #[cfg(feature = "components")]
                Outcome::Answer(answer) => {
                    let realloc = instance.guest.realloc();
                    self.steps.insert([CallStep::Lifted(LiftedStep::answer(
                        answer,
                        realloc,
                        Suspended { call, after },
                    ))]);
                    return Ok(true);
                }
            };
            trace::answered(instance.guest.state_mut(), ret);
            ran = instance.guest.answer(call, ret);
        }
    }

    fn finished(&mut self, instance: &mut Instance, result: Option<Val>, after: &After) -> Result<(), Failure> {
        #[cfg(feature = "components")]
        super::lifted::let_ask(instance, true);
        match after {
            After::Nothing | After::Entry => {}
            After::StartSection => {
                self.in_start_section = false;
                instance.imports_work();
            }
            After::Result => self.result = result,
            After::Buffer { bytes, null_is_failure } => {
                let ptr = match result {
                    Some(Val::I32(ptr)) if ptr != 0 || !null_is_failure => ptr.cast_unsigned(),
                    _ => return Err(Failure::NoMemory { bytes: *bytes }),
                };
                instance.handed(ptr, *bytes);
                if self.buffers.push(ptr).is_err() {
                    return Err(Failure::NoMemory { bytes: *bytes });
                }
            }
        }
        Ok(())
    }
}

/// A guest that seemed to take values is given deltas as text.
fn refuse_rows(services: &mut dyn Services, reason: &str) {
    services.refuse(1, &["takes no values: ", reason].concat());
}

/// Why a guest without an allocator that the host can call cannot wait for an answer.
const NOWHERE_TO_PUT: &str = "a fetch was refused: the plugin has no __new to call for the answer";

fn ended(failure: Failure, after: &After) -> Result<bool, Failure> {
    match (failure, after) {
        // A command ends with proc_exit(0) and stays usable (plugin ABI §2.3).
        (Failure::Exit(0), After::Entry) => Ok(true),
        (failure, _) => Err(failure),
    }
}
