//! The steps of a call: each can be taken by itself, and the guest may stop in between.

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

use skiff_abi::export::AS_CLASS_STRING;

use super::machine::Suspended;
use super::plan::Again;
use crate::delta::Delta;
use crate::host::exports::Export;
use crate::host::text;

/// The steps that are left of a call.
#[derive(Debug)]
pub(super) struct Steps {
    /// What comes first, step by step.
    list: VecDeque<CallStep>,
    /// A call that comes often: its steps are told one by one, and no list is made of them.
    often: Option<Often>,
}

impl Steps {
    pub(super) fn new() -> Self {
        Self { list: VecDeque::new(), often: None }
    }

    /// Takes the next step.
    pub(super) fn next(&mut self) -> Option<CallStep> {
        self.list.pop_front().or_else(|| self.often.as_mut()?.next())
    }

    /// Tells whether the next one is the start section.
    pub(super) fn begins_with_start_section(&self) -> bool {
        matches!(self.list.front(), Some(CallStep::StartSection))
    }

    /// Tells whether the answer of a fetch is on its way into the guest: `__new` runs for it.
    pub(super) fn is_delivering(&self) -> bool {
        self.list.iter().any(|step| matches!(step, CallStep::Deliver { .. }))
    }

    /// Sets the call that follows what is planned.
    pub(super) fn then(&mut self, often: Often) {
        self.often = Some(often);
    }

    /// Adds a step at the end.
    pub(super) fn push(&mut self, step: CallStep) {
        self.list.push_back(step);
    }

    /// Adds steps at the end.
    pub(super) fn extend(&mut self, steps: impl IntoIterator<Item = CallStep>) {
        self.list.extend(steps);
    }

    /// Adds steps before what is left; the last one of them comes first.
    pub(super) fn insert<const N: usize>(&mut self, steps: [CallStep; N]) {
        steps.into_iter().for_each(|step| self.list.push_front(step));
    }
}

/// A call that comes often.
#[derive(Debug)]
pub(super) struct Often {
    export: Option<Export>,
    managed: bool,
    /// What `delta_handler` is given; other calls have no argument.
    text: Option<TextOf>,
    /// Bytes that the text takes in the guest; `None` without one.
    bytes: Option<u32>,
    /// Steps that were told.
    told: u8,
}

impl Often {
    /// Of an export that is given a text, or nothing.
    pub(super) fn new(export: Export, managed: bool, text: Option<TextOf>) -> Self {
        let bytes = text.as_ref().map(|text| match text.text() {
            text if managed => text::utf16_bytes(text),
            text => u32::try_from(text.len()).unwrap_or(u32::MAX),
        });
        Self { export: Some(export), managed, text, bytes, told: 0 }
    }

    fn next(&mut self) -> Option<CallStep> {
        let told = self.told;
        self.told = told.saturating_add(1);
        let invoke = |export: &mut Option<Export>, args| export.take().map(|export| CallStep::Invoke { export, args });
        let Some(bytes) = self.bytes else {
            // `skiff_update`, `poll`, `plugin_stop`.
            return match (self.managed, told) {
                (true, 0) => Some(CallStep::ArgumentsLength(0)),
                (true, 1) | (false, 0) => invoke(&mut self.export, args([])),
                (true, 2) | (false, 1) => Some(CallStep::ReadCode),
                _ => None,
            };
        };
        // `delta_handler`: its result is ignored, and most have none.
        match (self.managed, told) {
            (true, 0) => Some(CallStep::New { bytes, class: AS_CLASS_STRING }),
            (false, 0) => Some(CallStep::Allocate { bytes, getter: false }),
            (managed, 1) => self.text.take().map(|text| CallStep::FillText { text, bytes, managed }),
            (true, 2) => Some(CallStep::Help { helper: Helper::Pin, buffer: 0 }),
            (true, 3) => Some(CallStep::ArgumentsLength(1)),
            (true, 4) => invoke(&mut self.export, args([Arg::Buffer(0)])),
            (true, 5) => Some(CallStep::Help { helper: Helper::Unpin, buffer: 0 }),
            (false, 2) => invoke(&mut self.export, args([Arg::Buffer(0), Arg::Int(bytes)])),
            (false, 3) => Some(CallStep::Free { buffer: 0, bytes }),
            _ => None,
        }
    }
}

/// A text for the guest.
#[derive(Debug)]
pub(super) enum TextOf {
    /// That of a delta.
    Delta(Arc<Delta>),
    /// One that no delta was made of.
    Text(Arc<str>),
    /// A request.
    Own(String),
}

impl TextOf {
    /// Returns the text.
    pub(super) fn text(&self) -> &str {
        match self {
            Self::Delta(delta) => delta.text(),
            Self::Text(text) => text,
            Self::Own(text) => text,
        }
    }
}

/// An argument of an export.
#[derive(Clone, Copy, Debug)]
pub(super) enum Arg {
    /// Address of the buffer with this index.
    Buffer(u8),
    /// A number.
    Int(u32),
}

/// Helper exports that take the address of a managed object; a guest without them needs none.
#[derive(Clone, Copy, Debug)]
pub(super) enum Helper {
    /// `__pin`.
    Pin,
    /// `__unpin`.
    Unpin,
}

/// The arguments of an export.
pub(super) type Args = heapless::Vec<Arg, 4, u8>;

/// One step.
#[derive(Debug)]
pub(super) enum CallStep {
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
    Fill { buffer: u8, data: Vec<u8> },
    /// Writes a text into the first buffer, as UTF-16 where it is `managed`.
    FillText { text: TextOf, bytes: u32, managed: bool },
    /// Calls a helper with the address of a buffer, where it exists.
    Help { helper: Helper, buffer: u8 },
    /// Tells the number of arguments that follow.
    ArgumentsLength(u32),
    /// Calls the export.
    Invoke { export: Export, args: Args },
    /// Reads a managed string the export returned.
    ReadManaged { limit: u32 },
    /// Reads the text the export wrote into a buffer; `strict` where a negative count is an error. `again` where the
    /// export may be called once more with a larger buffer when its answer was cut.
    ReadBuffer { buffer: u8, max: u32, strict: bool, again: Option<Box<Again>> },
    /// Takes the export's result code.
    ReadCode,
    /// `plugin_start` has ended: where it gave 0, asks for the rows of a guest that takes values.
    AskForRows,
    /// Reads the descriptor whose address the export gave.
    Describe,
    /// Gives a buffer back.
    Free { buffer: u8, bytes: u32 },
    /// `__new` of the `ArrayBuffer` that the answer of a fetch goes into.
    NewBody { bytes: u32 },
    /// Writes the answer of a fetch and resumes the guest that waits for it.
    Deliver { body: Vec<u8>, to: Suspended },
    /// One of a component.
    #[cfg(feature = "components")]
    Lifted(super::lifted::LiftedStep),
}

/// Returns the arguments of an export.
pub(super) fn args<const N: usize>(list: [Arg; N]) -> Args {
    const { assert!(N <= 4, "the contract knows no export of more arguments") }
    list.into_iter().collect()
}
