//! A call as a small program: allocate, fill, invoke, read, free, each step resumable.
//!
//! The interpreter stops where its fuel slice ends or where an import asks the core; both resume
//! at the same place. Nothing here calls the guest while the guest is inside a call.

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::string::String;
use alloc::vec::Vec;
use core::task::Poll;

use skiff_abi::export::{
    self, AS_CLASS_ARRAY_BUFFER, AS_CLASS_STRING, GETTER_BUFFER_BYTES, PUT_RESPONSE_BUFFER_BYTES, RESPONSE_BUFFER_BYTES,
};
use wasmi::{F32, F64, Func, ResumableCall, ResumableCallHostTrap, ResumableCallOutOfFuel, Val, ValType};

use super::facts::Dialect;
use super::failure::Failure;
use super::fetch::{Fetched, Ticket};
use super::imports::{Ask, Pending, Ret};
use super::instance::Instance;
use super::memory::GuestSlice;
use super::start_section;
use super::text::{self, Managed};
use super::{Answer, Call, Progress, Services};
use crate::budget::PluginLimits;
use crate::json;
use crate::time::Instant;

/// Buffers one call hands to the guest: request and response.
const BUFFERS_MAX: usize = 3;

/// An argument of an export.
#[derive(Clone, Copy, Debug)]
enum Arg {
    /// Address of the buffer with this index.
    Buffer(usize),
    /// A number.
    Int(u32),
}

/// One step.
#[derive(Debug)]
enum Op {
    /// The start section, once, where it was too long to run as part of the load.
    StartSection,
    /// The WASI entry, once.
    Entry(&'static str),
    /// AssemblyScript: `__new(bytes, class)` becomes the next buffer.
    New { bytes: u32, class: u32 },
    /// Buffer dialect: `allocate(bytes)` becomes the next buffer. Address 0 means failure only to a `getter`; upstream
    /// writes requests there (plugin ABI §2.7).
    Allocate { bytes: u32, getter: bool },
    /// Writes into a buffer.
    Fill { buffer: usize, data: Vec<u8> },
    /// Calls a one-parameter helper with the address of a buffer, where it exists: `__pin`, `__unpin`.
    Helper { name: &'static str, buffer: usize },
    /// Tells the number of arguments that follow.
    ArgumentsLength(u32),
    /// Calls the export.
    Invoke { name: String, args: Vec<Arg> },
    /// Reads a managed string the export returned.
    ReadManaged { limit: u32 },
    /// Reads the text the export wrote into a buffer; `strict` where a negative count is an error. `again` where the
    /// export may be called once more with a larger buffer when its answer was cut.
    ReadBuffer { buffer: usize, max: u32, strict: bool, again: Option<Again> },
    /// Takes the export's result code.
    ReadCode,
    /// Gives a buffer back.
    Free { buffer: usize, bytes: u32 },
    /// `__new` of the `ArrayBuffer` that the answer of a fetch goes into.
    NewBody { bytes: u32 },
    /// Writes the answer of a fetch and resumes the guest that waits for it.
    Deliver { body: Vec<u8> },
}

/// How a call whose answer was cut is repeated.
#[derive(Debug)]
struct Again {
    name: String,
    /// Bytes of the request in buffer 0, where the export takes one.
    request: Option<u32>,
    /// Bytes of the larger buffer.
    max: u32,
}

/// Where the interpreter stopped.
#[derive(Debug)]
enum Stopped {
    OutOfFuel(ResumableCallOutOfFuel),
    HostTrap(ResumableCallHostTrap, Vec<Val>),
}

/// What to do with the result of the guest function that runs now.
#[derive(Debug)]
enum After {
    Nothing,
    /// Keep it as a buffer of so many bytes.
    Buffer {
        bytes: u32,
        null_is_failure: bool,
    },
    /// Keep it as the export's result.
    Result,
    /// The WASI entry: `proc_exit` ends it normally.
    Entry,
    /// The start section: imports work from now on.
    StartSection,
    /// Keep it as the address of a fetched body.
    Body,
}

/// A guest function that waits for the answer of a fetch.
#[derive(Debug)]
struct Parked {
    call: ResumableCallHostTrap,
    results: Vec<ValType>,
    outputs: Vec<Val>,
    after: After,
    /// Its request, until the answer is there.
    ticket: Option<Ticket>,
    /// Address of the answer in guest memory.
    body: u32,
}

/// A guest function that sleeps.
#[derive(Debug)]
struct Sleeping {
    until: Instant,
    call: ResumableCallHostTrap,
    results: Vec<ValType>,
    outputs: Vec<Val>,
    after: After,
}

/// A call under way.
#[derive(Debug)]
pub(super) struct Machine {
    ops: VecDeque<Op>,
    buffers: heapless::Vec<u32, BUFFERS_MAX>,
    result: Option<Val>,
    answer: Answer,
    stopped: Option<(Stopped, Vec<Val>, After)>,
    parked: Option<Parked>,
    sleeping: Option<Sleeping>,
    spent: u64,
    limit: u64,
    /// Fuel the next step needs at least, when the slice was too small for it.
    required: u64,
    /// The start section has not returned yet.
    in_start_section: bool,
}

impl Machine {
    /// Plans a call in the dialect of the instance.
    pub(super) fn new(instance: &mut Instance, call: Call) -> Self {
        let limit = match &call {
            Call::Start { .. } | Call::Id | Call::Name | Call::Collect => instance.limits.fuel_per_start,
            _ => instance.limits.fuel_per_call,
        };
        let mut ops = VecDeque::new();
        let in_start_section = core::mem::take(&mut instance.start_section_waits);
        ops.extend(in_start_section.then_some(Op::StartSection));
        ops.extend(instance.entry.take().map(Op::Entry));
        let answer = plan(instance, call, &mut ops);
        Self {
            ops,
            buffers: heapless::Vec::new(),
            result: None,
            answer,
            stopped: None,
            parked: None,
            sleeping: None,
            spent: 0,
            limit,
            required: 0,
            in_start_section,
        }
    }

    /// Returns the fuel spent so far.
    pub(super) fn spent(&self) -> u64 {
        self.spent
    }

    /// Runs until the call ends or the slice is spent.
    pub(super) fn slice(&mut self, instance: &mut Instance, services: &mut dyn Services) -> Progress {
        if let Some(ticket) = self.parked.as_ref().and_then(|parked| parked.ticket) {
            let Poll::Ready(fetched) = services.fetch_poll(ticket) else { return Progress::Waiting };
            self.arrived(fetched.body);
        }
        if self.sleeping.as_ref().is_some_and(|sleeping| services.monotonic() < sleeping.until) {
            return Progress::Waiting;
        }
        let left = self.limit.saturating_sub(self.spent);
        if left == 0 || self.required > left {
            return Progress::Failed(self.placed(Failure::OutOfFuel { limit: self.limit }));
        }
        let granted = instance.limits.fuel_per_slice.max(self.required).min(left);
        self.required = 0;
        // Setting and reading fuel fail only where metering is off.
        let _ = instance.store.set_fuel(granted);
        let outcome = self.steps(instance, services);
        let rest = instance.store.get_fuel().unwrap_or(0);
        let debt = core::mem::take(&mut instance.store.data_mut().fuel_debt);
        self.spent = self.spent.saturating_add(granted.saturating_sub(rest)).saturating_add(debt);
        match outcome {
            Ok(true) => Progress::Done(core::mem::replace(&mut self.answer, Answer::Unit)),
            Ok(false) => Progress::Running,
            Err(Failure::OutOfFuel { .. }) => Progress::Failed(self.placed(Failure::OutOfFuel { limit: self.limit })),
            Err(failure) => Progress::Failed(self.placed(failure)),
        }
    }

    /// Says so where a failure happened in the start section.
    fn placed(&self, failure: Failure) -> Failure {
        if self.in_start_section { Failure::InStartSection(Box::new(failure)) } else { failure }
    }

    /// Returns when a guest that sleeps wants to go on.
    pub(super) fn wake(&self) -> Option<Instant> {
        self.sleeping.as_ref().map(|sleeping| sleeping.until)
    }

    /// Ends the sleep of the guest.
    pub(super) fn rouse(&mut self) {
        if let Some(sleeping) = &mut self.sleeping {
            sleeping.until = Instant::default();
        }
    }

    /// Plans how the answer of a fetch reaches the guest: nothing else of the call runs before.
    fn arrived(&mut self, body: Vec<u8>) {
        if let Some(parked) = &mut self.parked {
            parked.ticket = None;
        }
        self.ops.push_front(Op::Deliver { body });
        if let Some(Op::Deliver { body }) = self.ops.front() {
            self.ops.push_front(Op::NewBody { bytes: length(body) });
        }
    }

    /// Takes steps; true at the end of the call, false at the end of the slice.
    fn steps(&mut self, instance: &mut Instance, services: &mut dyn Services) -> Result<bool, Failure> {
        loop {
            if let Some((stopped, outputs, after)) = self.stopped.take() {
                if !self.resume(instance, services, stopped, outputs, after)? {
                    return Ok(false);
                }
                continue;
            }
            if let Some(Sleeping { until, call, results, outputs, after }) = self.sleeping.take() {
                if services.monotonic() < until {
                    self.sleeping = Some(Sleeping { until, call, results, outputs, after });
                    return Ok(false);
                }
                self.resume_with(Ret::Int(0), call, &results, outputs, after)?;
                continue;
            }
            // The guest waits: nothing more until there is an answer.
            if self.parked.as_ref().is_some_and(|parked| parked.ticket.is_some()) {
                return Ok(false);
            }
            let Some(op) = self.ops.pop_front() else { return Ok(true) };
            if !self.step(instance, services, op)? {
                return Ok(false);
            }
        }
    }

    /// Takes one step; false when the slice ended in it.
    fn step(&mut self, instance: &mut Instance, services: &mut dyn Services, op: Op) -> Result<bool, Failure> {
        match op {
            Op::StartSection => self.invoke(instance, services, start_section::EXPORT, &[], After::StartSection),
            Op::Entry(name) => self.invoke(instance, services, name, &[], After::Entry),
            Op::New { bytes, class } => self.invoke(
                instance,
                services,
                export::AS_NEW,
                &[bytes, class],
                After::Buffer { bytes, null_is_failure: true },
            ),
            Op::Allocate { bytes, getter } => {
                let after = After::Buffer { bytes, null_is_failure: getter };
                self.invoke(instance, services, export::ALLOCATE, &[bytes], after)
            }
            Op::Fill { buffer, data } => {
                let ptr = self.buffer(buffer);
                let len = u32::try_from(data.len()).unwrap_or(u32::MAX);
                let filled = GuestSlice { ptr, len }.write(instance.memory.data_mut(&mut instance.store), &data);
                if filled { Ok(true) } else { Err(Failure::NoMemory { bytes: len }) }
            }
            Op::Helper { name, buffer } => {
                let ptr = self.buffer(buffer);
                self.invoke_if_there(instance, services, name, ptr)
            }
            Op::ArgumentsLength(count) => {
                instance.set_arguments_length(count.cast_signed());
                for name in ["__setArgumentsLength", "__setargc"] {
                    if instance.has(name) {
                        return self.invoke(instance, services, name, &[count], After::Nothing);
                    }
                }
                Ok(true)
            }
            Op::Invoke { name, args } => {
                let args: Vec<u32> = args
                    .iter()
                    .map(|arg| match *arg {
                        Arg::Buffer(buffer) => self.buffer(buffer),
                        Arg::Int(value) => value,
                    })
                    .collect();
                self.invoke(instance, services, &name, &args, After::Result)
            }
            Op::ReadManaged { limit } => {
                let ptr = self.result_code().map_or(0, i32::cast_unsigned);
                self.answer = match text::managed_string(instance.memory.data(&instance.store), ptr, limit) {
                    Managed::Null => Answer::Text(None),
                    Managed::Text(text) => Answer::Text(Some(text)),
                    Managed::Wrong => return Err(Failure::BadAnswer("the export returned no string")),
                };
                Ok(true)
            }
            Op::ReadBuffer { buffer, max, strict, again } => {
                if let Some(again) = again.filter(|again| again.max > max && self.is_cut(instance, buffer, max)) {
                    self.repeat(again, strict);
                    return Ok(true);
                }
                self.answer = self.read_buffer(instance, buffer, max, strict)?;
                Ok(true)
            }
            Op::ReadCode => {
                self.answer = Answer::Code(self.result_code());
                Ok(true)
            }
            Op::NewBody { bytes } => {
                self.invoke(instance, services, export::AS_NEW, &[bytes, AS_CLASS_ARRAY_BUFFER], After::Body)
            }
            Op::Deliver { body } => self.deliver(instance, &body),
            Op::Free { buffer, bytes } => {
                let ptr = self.buffer(buffer);
                if instance.has(export::DEALLOCATE) {
                    return self.invoke(instance, services, export::DEALLOCATE, &[ptr, bytes], After::Nothing);
                }
                Ok(true)
            }
        }
    }

    fn deliver(&mut self, instance: &mut Instance, body: &[u8]) -> Result<bool, Failure> {
        let Some(parked) = self.parked.take() else { return Ok(true) };
        let slice = GuestSlice { ptr: parked.body, len: length(body) };
        let there = parked.body != 0 && slice.write(instance.memory.data_mut(&mut instance.store), body);
        let ret = Ret::Int(if there { parked.body.cast_signed() } else { 0 });
        if let Some(trace) = &mut instance.store.data_mut().trace {
            trace.answered(ret);
        }
        self.resume_with(ret, parked.call, &parked.results, parked.outputs, parked.after)
    }

    /// Plans to resume a guest function with the answer of its import.
    fn resume_with(
        &mut self,
        ret: Ret,
        call: ResumableCallHostTrap,
        results: &[ValType],
        outputs: Vec<Val>,
        after: After,
    ) -> Result<bool, Failure> {
        let Some(values) = ret.values(results) else {
            return Err(Failure::Trap(String::from("an import gives no 64-bit result")));
        };
        self.stopped = Some((Stopped::HostTrap(call, values), outputs, after));
        Ok(true)
    }

    fn buffer(&self, index: usize) -> u32 {
        self.buffers.get(index).copied().unwrap_or(0)
    }

    fn result_code(&self) -> Option<i32> {
        match self.result {
            Some(Val::I32(code)) => Some(code),
            #[expect(clippy::cast_possible_truncation, reason = "a code beyond 32 bits is no code")]
            Some(Val::I64(code)) => Some(code as i32),
            _ => None,
        }
    }

    /// Tells whether the answer in a buffer of `max` bytes is only the beginning of one: it fills the buffer and is no
    /// JSON, or the export names the bytes it would have needed (plugin ABI §2.7).
    fn is_cut(&self, instance: &Instance, buffer: usize, max: u32) -> bool {
        let Some(written) = self.result_code().and_then(|written| u32::try_from(written).ok()) else { return false };
        if written != max {
            return written > max;
        }
        let slice = GuestSlice { ptr: self.buffer(buffer), len: written };
        let text = slice.read(instance.memory.data(&instance.store)).map(text::from_utf8);
        text.is_some_and(|text| json::compact(&text).is_err())
    }

    /// Plans the same call with a larger buffer, before what is left to do.
    fn repeat(&mut self, again: Again, strict: bool) {
        let (buffer, max) = (self.buffers.len(), again.max);
        let mut args = Vec::new();
        if let Some(bytes) = again.request {
            args.extend([Arg::Buffer(0), Arg::Int(bytes)]);
        }
        args.extend([Arg::Buffer(buffer), Arg::Int(max)]);
        let steps = [
            Op::Allocate { bytes: max, getter: true },
            Op::Invoke { name: again.name, args },
            Op::ReadBuffer { buffer, max, strict, again: None },
            Op::Free { buffer, bytes: max },
        ];
        for step in steps.into_iter().rev() {
            self.ops.push_front(step);
        }
    }

    fn read_buffer(&self, instance: &Instance, buffer: usize, max: u32, strict: bool) -> Result<Answer, Failure> {
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
        match slice.read(instance.memory.data(&instance.store)) {
            Some(bytes) => Ok(Answer::Text(Some(text::from_utf8(bytes)))),
            None => Err(Failure::BadAnswer("the answer lies outside the linear memory")),
        }
    }

    fn invoke_if_there(
        &mut self,
        instance: &mut Instance,
        services: &mut dyn Services,
        name: &str,
        argument: u32,
    ) -> Result<bool, Failure> {
        if instance.has(name) { self.invoke(instance, services, name, &[argument], After::Nothing) } else { Ok(true) }
    }

    /// Calls an export with arguments adapted to what it declares; false when the slice ended in it.
    fn invoke(
        &mut self,
        instance: &mut Instance,
        services: &mut dyn Services,
        name: &str,
        args: &[u32],
        after: After,
    ) -> Result<bool, Failure> {
        let Some(function) = instance.function(name) else {
            return Err(Failure::BadSignature { export: name.into() });
        };
        let Some((inputs, mut outputs)) = adapt(function, instance, args) else {
            return Err(Failure::BadSignature { export: name.into() });
        };
        let called = function.call_resumable(&mut instance.store, &inputs, &mut outputs);
        self.settle(instance, services, called, outputs, after)
    }

    fn resume(
        &mut self,
        instance: &mut Instance,
        services: &mut dyn Services,
        stopped: Stopped,
        mut outputs: Vec<Val>,
        after: After,
    ) -> Result<bool, Failure> {
        let called = match stopped {
            Stopped::OutOfFuel(call) => call.resume(&mut instance.store, &mut outputs),
            Stopped::HostTrap(call, values) => call.resume(&mut instance.store, &values, &mut outputs),
        };
        self.settle(instance, services, called, outputs, after)
    }

    /// Takes in how a guest function returned or stopped; false when the slice ended.
    fn settle(
        &mut self,
        instance: &mut Instance,
        services: &mut dyn Services,
        called: Result<ResumableCall, wasmi::Error>,
        outputs: Vec<Val>,
        after: After,
    ) -> Result<bool, Failure> {
        match called {
            Ok(ResumableCall::Finished) => {
                self.finished(instance, outputs.into_iter().next(), &after)?;
                Ok(true)
            }
            Ok(ResumableCall::OutOfFuel(call)) => {
                self.required = call.required_fuel();
                self.stopped = Some((Stopped::OutOfFuel(call), outputs, after));
                Ok(false)
            }
            Ok(ResumableCall::HostTrap(call)) => {
                let Some(Pending { ask, results }) = instance.store.data_mut().pending.take() else {
                    return self.error(call.host_error(), &after);
                };
                instance.report_calls(services);
                let ask = match ask {
                    // A guest whose allocator fetches would wait for itself.
                    Ask::Fetch(request) if self.parked.is_none() && instance.has(export::AS_NEW) => {
                        let ticket = services.fetch(request);
                        self.parked = Some(Parked { call, results, outputs, after, ticket: Some(ticket), body: 0 });
                        return Ok(true);
                    }
                    Ask::Sleep { until, span } => {
                        let millis = u64::try_from(span.as_millis()).unwrap_or(u64::MAX).saturating_add(1);
                        self.spent = self.spent.saturating_add(millis.saturating_mul(PluginLimits::FUEL_PER_MS_ASLEEP));
                        if let Some(trace) = &mut instance.store.data_mut().trace {
                            trace.answered(Ret::Int(0));
                        }
                        self.sleeping = Some(Sleeping { until, call, results, outputs, after });
                        return Ok(true);
                    }
                    ask => ask,
                };
                let mut work = 0;
                let ret = match ask {
                    Ask::File(ask) => {
                        let (memory, state) = instance.memory.data_and_store_mut(&mut instance.store);
                        let (number, done) = ask.answer(services, memory, state.files.as_mut());
                        work = done;
                        Ret::Int(number)
                    }
                    ask => ask.answer(services, instance.memory.data_mut(&mut instance.store), &mut work),
                };
                instance.pay(work);
                if let Some(trace) = &mut instance.store.data_mut().trace {
                    trace.answered(ret);
                }
                self.resume_with(ret, call, &results, outputs, after)
            }
            Err(error) => self.error(&error, &after),
        }
    }

    fn error(&self, error: &wasmi::Error, after: &After) -> Result<bool, Failure> {
        match (Failure::of(error), after) {
            // A command ends with proc_exit(0) and stays usable (plugin ABI §2.3).
            (Failure::Exit(0), After::Entry) => Ok(true),
            (failure, _) => Err(failure),
        }
    }

    fn finished(&mut self, instance: &mut Instance, result: Option<Val>, after: &After) -> Result<(), Failure> {
        match after {
            After::Nothing | After::Entry => {}
            After::StartSection => {
                self.in_start_section = false;
                instance.imports_work();
            }
            After::Result => self.result = result,
            After::Body => {
                if let (Some(parked), Some(Val::I32(ptr))) = (&mut self.parked, result) {
                    parked.body = ptr.cast_unsigned();
                }
            }
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

/// Fits arguments to the declared parameters: surplus dropped, missing 0 or NaN; `None` for types of no use.
fn adapt(function: Func, instance: &Instance, args: &[u32]) -> Option<(Vec<Val>, Vec<Val>)> {
    let ty = function.ty(&instance.store);
    let inputs = ty.params().iter().enumerate().map(|(index, ty)| {
        let given = args.get(index).copied();
        match ty {
            ValType::I32 => Some(Val::I32(given.unwrap_or(0).cast_signed())),
            ValType::I64 => Some(Val::I64(i64::from(given.unwrap_or(0)))),
            ValType::F64 => Some(Val::F64(F64::from(given.map_or(f64::NAN, f64::from)))),
            #[expect(clippy::cast_precision_loss, reason = "what JavaScript passes to a 32-bit float")]
            ValType::F32 => Some(Val::F32(F32::from(given.map_or(f32::NAN, |value| value as f32)))),
            _ => None,
        }
    });
    let outputs = ty.results().iter().map(|ty| Some(Val::default_for_ty(*ty))).collect::<Option<Vec<Val>>>()?;
    Some((inputs.collect::<Option<Vec<Val>>>()?, outputs))
}

/// Plans the steps of a call; returns the answer it has when no step sets another.
fn plan(instance: &Instance, call: Call, ops: &mut VecDeque<Op>) -> Answer {
    let managed = instance.dialect == Dialect::AssemblyScript;
    let name = match &call {
        Call::Id => export::PLUGIN_ID,
        Call::Name => export::PLUGIN_NAME,
        Call::Schema => export::PLUGIN_SCHEMA,
        Call::Endpoints => export::HTTP_ENDPOINTS,
        Call::Start { .. } => export::PLUGIN_START,
        Call::Stop => export::PLUGIN_STOP,
        Call::Poll => export::POLL,
        Call::Collect => export::AS_COLLECT,
        Call::Delta(_) | Call::DeltaText(_) => export::DELTA_HANDLER,
        Call::Http { handler, .. } | Call::Put { handler, .. } => handler.as_str(),
        Call::Provider { export, .. } => export,
        Call::Fetched { .. } => export::RESPONSE_HANDLER,
    };
    if !instance.has(name) {
        return Answer::Absent;
    }
    let name = String::from(name);
    match call {
        Call::Id | Call::Name | Call::Schema | Call::Endpoints if managed => {
            ops.extend([
                Op::ArgumentsLength(0),
                Op::Invoke { name, args: Vec::new() },
                Op::ReadManaged { limit: instance.limits.response_bytes_max },
            ]);
        }
        Call::Id | Call::Name | Call::Schema | Call::Endpoints => {
            getter_call(ops, name, GETTER_BUFFER_BYTES, instance.limits.response_bytes_max);
        }
        Call::Collect => ops.push_back(Op::Invoke { name, args: Vec::new() }),
        Call::Stop | Call::Poll => {
            if managed {
                ops.push_back(Op::ArgumentsLength(0));
            }
            ops.extend([Op::Invoke { name, args: Vec::new() }, Op::ReadCode]);
        }
        // Both dialects get raw UTF-8 (plugin ABI §4.1); class 0 is a plain block.
        Call::Start { config } => bytes_call(ops, managed, name, config.into_bytes(), Op::ReadCode),
        Call::Delta(delta) => delta_call(ops, managed, name, delta.text()),
        Call::DeltaText(text) => delta_call(ops, managed, name, &text),
        Call::Fetched { fetched, callback } => fetched_call(ops, name, fetched, callback),
        Call::Http { request, .. } if managed => {
            managed_call(ops, name, &request, managed_limit(instance), true);
        }
        Call::Provider { request: text, .. } | Call::Put { value: text, .. } if managed => {
            managed_call(ops, name, &text, managed_limit(instance), false);
        }
        Call::Provider { export: export::RADAR_GET_RADARS, .. } => {
            let max = RESPONSE_BUFFER_BYTES.min(instance.limits.response_bytes_max);
            getter_call(ops, name, max, instance.limits.response_bytes_max);
        }
        // A change is never repeated: its effect stands even when its answer was cut.
        Call::Http { request, .. } => {
            let again = request.starts_with("{\"method\":\"GET\"") || request.starts_with("{\"method\":\"HEAD\"");
            request_call(instance, ops, name, request, RESPONSE_BUFFER_BYTES, again);
        }
        Call::Provider { export, request } => {
            let again = export.contains("_get_") || export.contains("_list_");
            request_call(instance, ops, name, request, RESPONSE_BUFFER_BYTES, again);
        }
        Call::Put { value, .. } => request_call(instance, ops, name, value, PUT_RESPONSE_BUFFER_BYTES, false),
    }
    Answer::Unit
}

fn length(data: &[u8]) -> u32 {
    u32::try_from(data.len()).unwrap_or(u32::MAX)
}

/// Bytes of a managed string that holds an answer: two for each character.
fn managed_limit(instance: &Instance) -> Option<u32> {
    Some(instance.limits.response_bytes_max.saturating_mul(2))
}

/// `export(out, max) -> written`.
fn getter_call(ops: &mut VecDeque<Op>, name: String, max: u32, larger: u32) {
    let again = Some(Again { name: name.clone(), request: None, max: larger });
    ops.extend([
        Op::Allocate { bytes: max, getter: true },
        Op::Invoke { name, args: alloc::vec![Arg::Buffer(0), Arg::Int(max)] },
        Op::ReadBuffer { buffer: 0, max, strict: false, again },
        Op::Free { buffer: 0, bytes: max },
    ]);
}

/// `export(request, length, response, max) -> written`.
fn request_call(
    instance: &Instance,
    ops: &mut VecDeque<Op>,
    name: String,
    request: String,
    max: u32,
    is_repeatable: bool,
) {
    let data = request.into_bytes();
    let bytes = length(&data);
    let larger = instance.limits.response_bytes_max;
    let max = max.min(larger);
    let again = is_repeatable.then(|| Again { name: name.clone(), request: Some(bytes), max: larger });
    ops.extend([
        Op::Allocate { bytes, getter: false },
        Op::Fill { buffer: 0, data },
        Op::Allocate { bytes: max, getter: false },
        Op::Invoke { name, args: alloc::vec![Arg::Buffer(0), Arg::Int(bytes), Arg::Buffer(1), Arg::Int(max)] },
        Op::ReadBuffer { buffer: 1, max, strict: true, again },
        Op::Free { buffer: 1, bytes: max },
        Op::Free { buffer: 0, bytes },
    ]);
}

/// `delta_handler`: its result is ignored, and most have none.
fn delta_call(ops: &mut VecDeque<Op>, managed: bool, name: String, text: &str) {
    if managed {
        return managed_call(ops, name, text, None, false);
    }
    bytes_call(ops, false, name, text.as_bytes().to_vec(), Op::ReadCode);
    ops.retain(|op| !matches!(op, Op::ReadCode));
}

/// `export(ptr, len)` with raw bytes.
fn bytes_call(ops: &mut VecDeque<Op>, managed: bool, name: String, data: Vec<u8>, read: Op) {
    let bytes = length(&data);
    ops.push_back(if managed { Op::New { bytes, class: 0 } } else { Op::Allocate { bytes, getter: false } });
    ops.push_back(Op::Fill { buffer: 0, data });
    if managed {
        ops.extend([Op::Helper { name: export::AS_PIN, buffer: 0 }, Op::ArgumentsLength(2)]);
    }
    ops.extend([Op::Invoke { name, args: alloc::vec![Arg::Buffer(0), Arg::Int(bytes)] }, read]);
    ops.push_back(if managed {
        Op::Helper { name: export::AS_UNPIN, buffer: 0 }
    } else {
        Op::Free { buffer: 0, bytes }
    });
}

/// `responseHandler(body, status, redirected, callback)`; only AssemblyScript has it.
fn fetched_call(ops: &mut VecDeque<Op>, name: String, fetched: Fetched, callback: i32) {
    let args = alloc::vec![
        Arg::Buffer(0),
        Arg::Int(fetched.status.into()),
        Arg::Int(fetched.redirected.into()),
        Arg::Int(callback.cast_unsigned())
    ];
    ops.extend([
        Op::New { bytes: length(&fetched.body), class: AS_CLASS_ARRAY_BUFFER },
        Op::Fill { buffer: 0, data: fetched.body },
        Op::Helper { name: export::AS_PIN, buffer: 0 },
        Op::ArgumentsLength(4),
        Op::Invoke { name, args },
        Op::Helper { name: export::AS_UNPIN, buffer: 0 },
    ]);
}

/// `export(string[, units]) -> string` in AssemblyScript.
fn managed_call(ops: &mut VecDeque<Op>, name: String, text: &str, answer_limit: Option<u32>, with_units: bool) {
    let data = text::to_utf16(text);
    let bytes = length(&data);
    let mut args = alloc::vec![Arg::Buffer(0)];
    if with_units {
        args.push(Arg::Int(bytes / 2));
    }
    let count = u32::try_from(args.len()).unwrap_or(1);
    ops.extend([
        Op::New { bytes, class: AS_CLASS_STRING },
        Op::Fill { buffer: 0, data },
        Op::Helper { name: export::AS_PIN, buffer: 0 },
        Op::ArgumentsLength(count),
        Op::Invoke { name, args },
    ]);
    ops.extend(answer_limit.map(|limit| Op::ReadManaged { limit }));
    ops.push_back(Op::Helper { name: export::AS_UNPIN, buffer: 0 });
}
