//! Calls of a component: the canonical ABI, step by step.
//!
//! ```text
//! export   realloc ─► write text ─► ... ─► the function ─► read the answer ─► post-return
//! import   the function asks ─► realloc ─► write part ─► ... ─► write record ─► the function goes on
//! ```
//!
//! `realloc` and `post-return` run in fuel slices as everything else, and may ask nothing meanwhile.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

use super::machine::{After, Machine, Suspended};
use super::steps::{Arg, Args, CallStep, Steps};
use crate::delta::Delta;
use crate::host::component::{Answered, HTTP_HANDLE, PUT_HANDLE};
use crate::host::engine::{Engine, Function, GuestSlice, Lifted, Reach};
use crate::host::exports::Export;
use crate::host::failure::Failure;
use crate::host::imports::Ret;
use crate::host::instance::Instance;
use crate::host::{Answer, Call, Services, text};
use skiff_abi::export;

/// A step of a component's call.
#[derive(Debug)]
pub(in crate::host) enum LiftedStep {
    /// `realloc` gives room for a text: the next buffer.
    Room { realloc: Function, bytes: u32 },
    /// Writes a text into a buffer.
    Text { buffer: u8, text: Text },
    /// Reads the text whose place the function gave.
    Read { bytes_max: u32 },
    /// Tells the function that its answer was read.
    PostReturn(Function),
    /// `realloc` gives room for the next part of an answer, or none is left and the record is written.
    Answer { answer: Box<Answered>, realloc: Option<Function>, to: Suspended },
    /// Writes a part where `realloc` made room.
    Part { answer: Box<Answered>, realloc: Function, to: Suspended },
}

/// A text that a component is given.
#[derive(Debug)]
pub(in crate::host) enum Text {
    Own(String),
    Delta(Arc<Delta>),
    Shared(Arc<str>),
}

impl Text {
    fn bytes(&self) -> &[u8] {
        match self {
            Self::Own(text) => text.as_bytes(),
            Self::Delta(delta) => delta.text().as_bytes(),
            Self::Shared(text) => text.as_bytes(),
        }
    }

    fn length(&self) -> u32 {
        u32::try_from(self.bytes().len()).unwrap_or(u32::MAX)
    }
}

/// How an export answers.
enum Reads {
    Nothing,
    Code,
    Text,
}

/// Plans a call; returns the answer it has when no step sets another.
pub(super) fn plan(instance: &Instance, call: Call, steps: &mut Steps) -> Answer {
    let (name, texts, reads) = match call {
        Call::Id => (export::PLUGIN_ID, Vec::new(), Reads::Text),
        Call::Name => (export::PLUGIN_NAME, Vec::new(), Reads::Text),
        Call::Schema => (export::PLUGIN_SCHEMA, Vec::new(), Reads::Text),
        Call::Endpoints => (export::HTTP_ENDPOINTS, Vec::new(), Reads::Text),
        Call::Start { config } => (export::PLUGIN_START, [Text::Own(config)].into(), Reads::Code),
        Call::Stop => (export::PLUGIN_STOP, Vec::new(), Reads::Code),
        Call::Poll => (export::POLL, Vec::new(), Reads::Code),
        Call::Delta(delta) => (export::DELTA_HANDLER, [Text::Delta(delta)].into(), Reads::Nothing),
        Call::DeltaText(text) => (export::DELTA_HANDLER, [Text::Shared(text)].into(), Reads::Nothing),
        Call::Http { handler, request } => (HTTP_HANDLE, [Text::Own(handler), Text::Own(request)].into(), Reads::Text),
        Call::Put { handler, value } => (PUT_HANDLE, [Text::Own(handler), Text::Own(value)].into(), Reads::Text),
        Call::Collect | Call::Update | Call::Provider { .. } | Call::Fetched { .. } => return Answer::Absent,
    };
    let (Some(function), Some(lifted)) = (instance.function(name), instance.guest.lifted(name)) else {
        return Answer::Absent;
    };
    let Lifted { realloc, post_return } = lifted;
    let mut args = Args::new();
    for (buffer, text) in (0_u8..).zip(texts) {
        // The linker refuses an export that takes a text and has none.
        let Some(realloc) = realloc else { return Answer::Absent };
        let bytes = text.length();
        // Two texts are the most that an export takes, which is what `Args` holds.
        let _ = args.push(Arg::Buffer(buffer));
        let _ = args.push(Arg::Int(bytes));
        steps.push(CallStep::Lifted(LiftedStep::Room { realloc, bytes }));
        steps.push(CallStep::Lifted(LiftedStep::Text { buffer, text }));
    }
    steps.push(CallStep::Invoke { export: Export { name: name.into(), function }, args });
    match reads {
        Reads::Nothing => {}
        Reads::Code => steps.push(CallStep::ReadCode),
        Reads::Text => {
            steps.push(CallStep::Lifted(LiftedStep::Read { bytes_max: instance.limits.response_bytes_max }));
        }
    }
    if let Some(post_return) = post_return {
        steps.push(CallStep::Lifted(LiftedStep::PostReturn(post_return)));
    }
    Answer::Unit
}

/// Sets whether the guest may ask anything of the host.
pub(super) fn let_ask(instance: &mut Instance, may: bool) {
    instance.guest.state_mut().component.is_quiet = !may;
}

impl LiftedStep {
    /// Gives an import its answer.
    pub(super) fn answer(answer: Box<Answered>, realloc: Option<Function>, to: Suspended) -> Self {
        Self::Answer { answer, realloc, to }
    }
}

/// Name under which a guest's allocator is told of in errors.
const REALLOC: &str = "realloc";

impl Machine {
    /// Takes a step; false when the slice ended in it.
    pub(super) fn lifted(
        &mut self,
        instance: &mut Instance,
        services: &mut dyn Services,
        step: LiftedStep,
    ) -> Result<bool, Failure> {
        match step {
            LiftedStep::Room { realloc, bytes } => {
                let after = After::Buffer { bytes, null_is_failure: bytes > 0 };
                self.quietly(instance, services, (REALLOC, realloc), &[0, 0, 1, bytes], after)
            }
            LiftedStep::Text { buffer, text } => {
                let slice = GuestSlice { ptr: self.buffer(buffer), len: text.length() };
                if instance.write(slice, text.bytes()) { Ok(true) } else { Err(no_room(slice.len)) }
            }
            LiftedStep::Read { bytes_max } => {
                self.answer = self.read_text(instance, bytes_max)?;
                Ok(true)
            }
            LiftedStep::PostReturn(function) => {
                let result = self.result_code().map_or(0, i32::cast_unsigned);
                self.quietly(instance, services, ("post-return", function), &[result], After::Nothing)
            }
            LiftedStep::Answer { answer, realloc, to } => self.go_on_with(instance, services, answer, realloc, to),
            LiftedStep::Part { mut answer, realloc, to } => {
                let at = self.result_code().map_or(0, i32::cast_unsigned);
                let Some(part) = answer.next() else { return Err(Failure::BadAnswer(NO_PART)) };
                let len = u32::try_from(part.data.len()).unwrap_or(u32::MAX);
                let is_aligned = at.checked_rem(part.align) == Some(0);
                if !is_aligned || !instance.write(GuestSlice { ptr: at, len }, &part.data) {
                    return Err(no_room(len));
                }
                answer.written(at);
                self.go_on_with(instance, services, answer, Some(realloc), to)
            }
        }
    }

    /// Asks for room for the next part of an answer; where none is left, writes the record, and the guest goes on.
    fn go_on_with(
        &mut self,
        instance: &mut Instance,
        services: &mut dyn Services,
        answer: Box<Answered>,
        realloc: Option<Function>,
        to: Suspended,
    ) -> Result<bool, Failure> {
        let Some(part) = answer.next() else {
            let (at, record) = answer.finished();
            let len = u32::try_from(record.len()).unwrap_or(u32::MAX);
            if !instance.write(GuestSlice { ptr: at, len }, record) {
                return Err(Failure::Trap("an import is to answer outside of the memory".into()));
            }
            if let Some((until, span)) = answer.sleeps() {
                self.sleep(until, span, to);
                return Ok(true);
            }
            return self.resume(instance, services, to, Ret::Nothing);
        };
        let Some(realloc) = realloc else {
            return Err(Failure::Trap("an import answers with a text, and the component gives no room for it".into()));
        };
        let room = [0, 0, part.align, u32::try_from(part.data.len()).unwrap_or(u32::MAX)];
        self.steps.insert([CallStep::Lifted(LiftedStep::Part { answer, realloc, to })]);
        self.quietly(instance, services, (REALLOC, realloc), &room, After::Result)
    }

    /// Calls a function that may ask nothing.
    fn quietly(
        &mut self,
        instance: &mut Instance,
        services: &mut dyn Services,
        (name, function): (&str, Function),
        args: &[u32],
        after: After,
    ) -> Result<bool, Failure> {
        let_ask(instance, false);
        self.invoke(instance, services, name, Some(function), args, after)
    }

    /// Reads the text whose address and length lie where the function says.
    fn read_text(&self, instance: &Instance, bytes_max: u32) -> Result<Answer, Failure> {
        let at = self.result_code().map_or(0, i32::cast_unsigned);
        let memory = instance.linear();
        let place = memory.word(at).zip(at.checked_add(4).and_then(|at| memory.word(at)));
        let Some((ptr, len)) = place else { return Err(Failure::Trap(OUTSIDE.into())) };
        if len > bytes_max {
            return Err(Failure::BadAnswer("the answer is longer than an answer may be"));
        }
        match memory.bytes(GuestSlice { ptr, len }) {
            Some(bytes) => Ok(Answer::Text(Some(text::of_guest(bytes).into_owned()))),
            None => Err(Failure::Trap(OUTSIDE.into())),
        }
    }
}

const OUTSIDE: &str = "the answer lies outside the linear memory";
const NO_PART: &str = "an answer without parts";

/// A `realloc` that gives no place in the memory is broken, and its guest with it.
fn no_room(bytes: u32) -> Failure {
    Failure::Trap(alloc::format!("realloc gave no room for {bytes} bytes in the linear memory"))
}
