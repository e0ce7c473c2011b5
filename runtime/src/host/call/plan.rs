//! From a call to its steps, in the dialect of the guest.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;

use skiff_abi::export::{
    self, AS_CLASS_ARRAY_BUFFER, AS_CLASS_STRING, GETTER_BUFFER_BYTES, PUT_RESPONSE_BUFFER_BYTES, RESPONSE_BUFFER_BYTES,
};

use super::machine::Suspended;
use super::steps::{Arg, CallStep, Helper, Often, Steps, TextOf, args};
use crate::budget::PluginLimits;
use crate::host::exports::Export;
use crate::host::facts::Dialect;
use crate::host::fetch::Fetched;
use crate::host::instance::Instance;
use crate::host::{Answer, Call, text};

/// Buffers one call hands to the guest: request and response, and a larger one for a response that was cut.
pub(super) const BUFFERS_MAX: usize = 3;

/// How a call whose answer was cut is repeated.
#[derive(Debug)]
pub(super) struct Again {
    export: Export,
    /// Bytes of the request in buffer 0, where the export takes one.
    request: Option<u32>,
    /// Bytes of the larger buffer.
    pub(super) max: u32,
}

impl Again {
    /// Plans the same call with a larger buffer, the one with this index, before what is left to do.
    pub(super) fn plan(self, buffer: u8, strict: bool, steps: &mut Steps) {
        let Self { export, request, max } = self;
        let again = match request {
            Some(bytes) => args([Arg::Buffer(0), Arg::Int(bytes), Arg::Buffer(buffer), Arg::Int(max)]),
            None => args([Arg::Buffer(buffer), Arg::Int(max)]),
        };
        steps.insert([
            CallStep::Free { buffer, bytes: max },
            CallStep::ReadBuffer { buffer, max, strict, again: None },
            CallStep::Invoke { export, args: again },
            CallStep::Allocate { bytes: max, getter: true },
        ]);
    }
}

/// Plans how the answer of a fetch reaches the guest that waits for it: nothing else of the call runs before.
pub(super) fn deliver(body: Vec<u8>, to: Suspended, steps: &mut Steps) {
    let bytes = length(&body);
    steps.insert([CallStep::Deliver { body, to }, CallStep::NewBody { bytes }]);
}

/// Plans the steps of a call; returns the answer it has when no step sets another.
pub(super) fn plan(instance: &mut Instance, call: Call) -> (Steps, Answer) {
    let mut steps = Steps::new();
    if core::mem::take(&mut instance.start_section_waits) {
        steps.push(CallStep::StartSection);
    }
    if let Some(entry) = instance.entry.take() {
        steps.push(CallStep::Entry(entry));
    }
    #[cfg(feature = "components")]
    if instance.dialect == Dialect::Component {
        let answer = super::lifted::plan(instance, call, &mut steps);
        return (steps, answer);
    }
    let target = instance.exports.target(&call, |name| instance.function(name));
    let Some(export) = target else { return (steps, Answer::Absent) };
    let managed = instance.dialect == Dialect::AssemblyScript;
    let starts = matches!(call, Call::Start { .. });
    Planner { steps: &mut steps, limits: &instance.limits, export }.plan(call, managed);
    if starts {
        steps.push(CallStep::AskForRows);
    }
    (steps, Answer::Unit)
}

fn length(data: &[u8]) -> u32 {
    u32::try_from(data.len()).unwrap_or(u32::MAX)
}

/// The instance that a call is for, and the steps planned so far.
struct Planner<'p> {
    steps: &'p mut Steps,
    limits: &'p PluginLimits,
    export: Export,
}

impl Planner<'_> {
    fn plan(self, call: Call, managed: bool) {
        let larger = self.limits.response_bytes_max;
        match call {
            Call::Id | Call::Name | Call::Schema | Call::Endpoints if managed => {
                let export = self.export;
                self.steps.extend([
                    CallStep::ArgumentsLength(0),
                    CallStep::Invoke { export, args: args([]) },
                    CallStep::ReadManaged { limit: larger },
                ]);
            }
            Call::Id | Call::Name | Call::Schema | Call::Endpoints => self.getter(GETTER_BUFFER_BYTES),
            Call::Collect => self.steps.push(CallStep::Invoke { export: self.export, args: args([]) }),
            Call::Stop | Call::Poll | Call::Update => self.often(managed, None),
            // Both dialects get raw UTF-8 (plugin ABI §4.1); class 0 is a plain block.
            Call::Start { config } if managed => self.managed_bytes(config.into_bytes()),
            Call::Start { config } => self.bytes(config.into_bytes(), Some(CallStep::ReadCode)),
            Call::Delta(delta) => self.often(managed, Some(TextOf::Delta(delta))),
            Call::DeltaText(text) => self.often(managed, Some(TextOf::Text(text))),
            Call::Fetched { fetched, callback } => self.fetched(fetched, callback),
            Call::Http { request, .. } if managed => self.managed(request, Some(managed_limit(larger)), true),
            Call::Provider { request: text, .. } | Call::Put { value: text, .. } if managed => {
                self.managed(text, Some(managed_limit(larger)), false);
            }
            Call::Provider { export: export::RADAR_GET_RADARS, .. } => self.getter(RESPONSE_BUFFER_BYTES.min(larger)),
            // A change is never repeated: its effect stands even when its answer was cut.
            Call::Http { request, .. } => {
                let again = request.starts_with("{\"method\":\"GET\"") || request.starts_with("{\"method\":\"HEAD\"");
                self.request(request, RESPONSE_BUFFER_BYTES, again);
            }
            Call::Provider { export, request } => {
                let again = export.contains("_get_") || export.contains("_list_");
                self.request(request, RESPONSE_BUFFER_BYTES, again);
            }
            Call::Put { value, .. } => self.request(value, PUT_RESPONSE_BUFFER_BYTES, false),
        }
    }

    /// `export(out, max) -> written`.
    fn getter(self, max: u32) {
        let again = Again { export: self.export.clone(), request: None, max: self.limits.response_bytes_max };
        self.steps.extend([
            CallStep::Allocate { bytes: max, getter: true },
            CallStep::Invoke { export: self.export, args: args([Arg::Buffer(0), Arg::Int(max)]) },
            CallStep::ReadBuffer { buffer: 0, max, strict: false, again: Some(Box::new(again)) },
            CallStep::Free { buffer: 0, bytes: max },
        ]);
    }

    /// `export(request, length, response, max) -> written`.
    fn request(self, request: String, max: u32, is_repeatable: bool) {
        let data = request.into_bytes();
        let (bytes, larger) = (length(&data), self.limits.response_bytes_max);
        let max = max.min(larger);
        let again = Again { export: self.export.clone(), request: Some(bytes), max: larger };
        let given = args([Arg::Buffer(0), Arg::Int(bytes), Arg::Buffer(1), Arg::Int(max)]);
        self.steps.extend([
            CallStep::Allocate { bytes, getter: false },
            CallStep::Fill { buffer: 0, data },
            CallStep::Allocate { bytes: max, getter: false },
            CallStep::Invoke { export: self.export, args: given },
            CallStep::ReadBuffer { buffer: 1, max, strict: true, again: is_repeatable.then(|| Box::new(again)) },
            CallStep::Free { buffer: 1, bytes: max },
            CallStep::Free { buffer: 0, bytes },
        ]);
    }

    fn often(self, managed: bool, text: Option<TextOf>) {
        self.steps.then(Often::new(self.export, managed, text));
    }

    /// `export(ptr, len)` with raw bytes in the buffer dialect.
    fn bytes(self, data: Vec<u8>, read: Option<CallStep>) {
        let bytes = length(&data);
        self.steps.extend([
            CallStep::Allocate { bytes, getter: false },
            CallStep::Fill { buffer: 0, data },
            CallStep::Invoke { export: self.export, args: args([Arg::Buffer(0), Arg::Int(bytes)]) },
        ]);
        if let Some(read) = read {
            self.steps.push(read);
        }
        self.steps.push(CallStep::Free { buffer: 0, bytes });
    }

    /// `export(ptr, len) -> code` with raw bytes in AssemblyScript.
    fn managed_bytes(self, data: Vec<u8>) {
        let bytes = length(&data);
        self.steps.extend([
            CallStep::New { bytes, class: 0 },
            CallStep::Fill { buffer: 0, data },
            CallStep::Help { helper: Helper::Pin, buffer: 0 },
            CallStep::ArgumentsLength(2),
            CallStep::Invoke { export: self.export, args: args([Arg::Buffer(0), Arg::Int(bytes)]) },
            CallStep::ReadCode,
            CallStep::Help { helper: Helper::Unpin, buffer: 0 },
        ]);
    }

    /// `responseHandler(body, status, redirected, callback)`; only AssemblyScript has it.
    fn fetched(self, fetched: Fetched, callback: i32) {
        let given = args([
            Arg::Buffer(0),
            Arg::Int(fetched.status.into()),
            Arg::Int(fetched.redirected.into()),
            Arg::Int(callback.cast_unsigned()),
        ]);
        self.steps.extend([
            CallStep::New { bytes: length(&fetched.body), class: AS_CLASS_ARRAY_BUFFER },
            CallStep::Fill { buffer: 0, data: fetched.body },
            CallStep::Help { helper: Helper::Pin, buffer: 0 },
            CallStep::ArgumentsLength(4),
            CallStep::Invoke { export: self.export, args: given },
            CallStep::Help { helper: Helper::Unpin, buffer: 0 },
        ]);
    }

    /// `export(string[, units]) -> string` in AssemblyScript.
    fn managed(self, text: String, answer_limit: Option<u32>, with_units: bool) {
        let bytes = text::utf16_bytes(&text);
        let given = if with_units { args([Arg::Buffer(0), Arg::Int(bytes / 2)]) } else { args([Arg::Buffer(0)]) };
        self.steps.extend([
            CallStep::New { bytes, class: AS_CLASS_STRING },
            CallStep::FillText { text: TextOf::Own(text), bytes, managed: true },
            CallStep::Help { helper: Helper::Pin, buffer: 0 },
            CallStep::ArgumentsLength(if with_units { 2 } else { 1 }),
            CallStep::Invoke { export: self.export, args: given },
        ]);
        if let Some(limit) = answer_limit {
            self.steps.push(CallStep::ReadManaged { limit });
        }
        self.steps.push(CallStep::Help { helper: Helper::Unpin, buffer: 0 });
    }
}

/// Bytes of a managed string that holds an answer: two for each character.
fn managed_limit(response_bytes_max: u32) -> u32 {
    response_bytes_max.saturating_mul(2)
}
