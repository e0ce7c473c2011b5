//! Host calls as a transcript shows them: decoded arguments and the natural result.
//!
//! Only `skiff test` asks for them ([`Instance::observe`](super::Instance::observe)); elsewhere the feature `trace` is
//! off and `untraced.rs` stands here. The shapes are those of the scenario format, "Transcript lines", and the
//! table of imports says which import has which.

use alloc::borrow::Cow;
use alloc::boxed::Box;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::cell::Cell;
use core::fmt::Write;

use sha2::{Digest, Sha256};
use skiff_abi::import::{self, Import, Shape};

use super::Services;
use super::engine::{GuestSlice, Linear, Val};
use super::imports::{Caller, Ret};

use super::state::HostState;
use super::text::{self, Managed};
use super::watch;
use crate::json;

/// One call of an import.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostCall {
    /// Import module.
    pub module: &'static str,
    /// Name in it.
    pub name: &'static str,
    /// Decoded arguments, a JSON object.
    pub args: String,
    /// The arguments as the guest gave them, a JSON array.
    pub raw: String,
    /// The natural result, JSON; `null` where the import gives none.
    pub ret: String,
    /// What WASI `fd_write` was given for standard output or standard error.
    pub written: Option<String>,
}

/// Calls that are shown of one call of the plugin, and the bytes of their arguments; more are counted.
const CALLS_SHOWN_MAX: u32 = 4096;
const BYTES_SHOWN_MAX: usize = 4 * 1024 * 1024;
/// A text with more UTF-16 units is shown by length, hash and beginning.
const TEXT_UNITS_MAX: usize = 20_000;
/// Units of its beginning.
const HEAD_UNITS: usize = 40;
/// Bytes of a hash that a transcript shows.
const HASH_SHOWN_BYTES: usize = 8;
/// Vectors of an `fd_write` that are looked at, and the text after which no more is.
const VECTORS_SHOWN_MAX: u32 = 1024;
const WRITTEN_BYTES_MAX: usize = 1024 * 1024;
/// Bytes of an AssemblyScript string that is shown.
const AS_TEXT_BYTES_MAX: u32 = 128 * 1024;

/// The row of an import, looked up when it is linked.
pub(super) type TracedImport = Option<&'static Import>;

/// A call that has begun, where it is shown.
pub(super) type Shown = Option<Box<HostCall>>;

/// The calls of an instance; none before a transcript is kept.
#[derive(Debug, Default)]
pub(super) struct Trace(Option<Calls>);

#[derive(Debug, Default)]
struct Calls {
    /// The calls that have ended since they were last taken.
    done: Vec<HostCall>,
    /// The call that waits for the core.
    open: Option<HostCall>,
    /// Shown and left out since the plugin's call began.
    shown: u32,
    shown_bytes: usize,
    left_out: u64,
}

/// Finds the row of an import.
pub(super) fn row(module: &str, name: &str) -> TracedImport {
    import::find(module, name)
}

/// Shows calls from now on.
pub(super) fn begin(state: &mut HostState) {
    state.trace.0.get_or_insert_default();
}

/// A call of the plugin begins: what is shown of it counts anew.
pub(super) fn begin_call(state: &mut HostState) {
    if let Some(calls) = &mut state.trace.0 {
        (calls.shown, calls.shown_bytes) = (0, 0);
    }
}

/// Writes down a call before it runs, where anybody wants to see it.
pub(super) fn shown(row: TracedImport, caller: &mut Caller<'_>, params: &[Val]) -> Shown {
    watch::note(row, caller, params);
    let row = row.filter(|row| row.shows != Shape::Hidden)?;
    let calls = caller.state_mut().trace.0.as_mut()?;
    if calls.shown >= CALLS_SHOWN_MAX || calls.shown_bytes >= BYTES_SHOWN_MAX {
        calls.left_out = calls.left_out.saturating_add(1);
        return None;
    }
    calls.shown = calls.shown.saturating_add(1);
    let shown = call(row, params, (!caller.is_inert()).then(|| caller.memory()));
    let bytes = shown.as_ref().map_or(0, |(_, looked_at)| *looked_at);
    if let Some(calls) = caller.state_mut().trace.0.as_mut() {
        calls.shown_bytes = calls.shown_bytes.saturating_add(bytes);
    }
    shown.map(|(call, _)| call)
}

/// Notes a call that was answered at once.
pub(super) fn finished(state: &mut HostState, shown: Shown, ret: Ret) {
    if let (Some(calls), Some(mut call)) = (&mut state.trace.0, shown) {
        call.ret = result(ret);
        calls.done.push(*call);
    }
}

/// Notes a call that the core has to answer.
pub(super) fn suspended(state: &mut HostState, shown: Shown) {
    if let (Some(calls), Some(call)) = (&mut state.trace.0, shown) {
        calls.open = Some(*call);
    }
}

/// Completes the call that waited.
pub(super) fn answered(state: &mut HostState, ret: Ret) {
    let open = state.trace.0.as_mut().and_then(|calls| calls.open.take());
    finished(state, open.map(Box::new), ret);
}

/// Hands over the calls that have ended.
pub(super) fn report(state: &mut HostState, services: &mut dyn Services) {
    let done = state.trace.0.as_mut().map(|calls| core::mem::take(&mut calls.done));
    for call in done.into_iter().flatten() {
        services.observe(call);
    }
    let left_out = state.trace.0.as_mut().map_or(0, |calls| core::mem::take(&mut calls.left_out));
    if left_out > 0 {
        services.overlook(left_out);
    }
}

/// Returns a text as a transcript shows it, JSON: one with more than 20,000 UTF-16 units by length, hash and beginning.
#[must_use]
pub fn shown_text(value: &str) -> String {
    let units = if value.len() <= TEXT_UNITS_MAX { 0 } else { value.encode_utf16().count() };
    if units <= TEXT_UNITS_MAX {
        return json::quoted(value);
    }
    let mut left = HEAD_UNITS;
    let head = value.chars().take_while(|character| {
        let fits = character.len_utf16() <= left;
        left = left.saturating_sub(character.len_utf16());
        fits
    });
    let head: String = head.collect();
    json::object(|short| {
        short.number("long", units).text("sha256", &hex(&Sha256::digest(value.as_bytes()))).text("head", &head);
    })
}

fn result(ret: Ret) -> String {
    match ret {
        Ret::Nothing => "null".into(),
        Ret::Int(value) => format!("{value}"),
        Ret::Float(value) => number(value),
        #[cfg(feature = "components")]
        Ret::Long(value) => format!("{value}"),
    }
}

fn number(value: f64) -> String {
    let mut out = String::new();
    // Writing into a String cannot fail.
    let _ = json::write_f64(&mut out, value);
    out
}

/// Writes down a call before it runs, with the bytes that were looked at; `None` for imports that a transcript does not
/// show.
fn call(row: &'static Import, params: &[Val], memory: Option<Linear<'_>>) -> Option<(Box<HostCall>, usize)> {
    if row.shows == Shape::Hidden {
        return None;
    }
    let given = Given { params, memory, looked_at: Cell::new(0) };
    let written = if row.shows == Shape::Output { given.written() } else { None };
    let args = given.decoded(row.shows).unwrap_or_else(|| {
        json::object(|out| {
            out.text("bad", "range");
        })
    });
    let raw = given.numbers(0);
    let looked_at = given.looked_at.get();
    let call = HostCall { module: row.module, name: row.name, args, raw, ret: String::new(), written };
    Some((Box::new(call), looked_at))
}

/// Arguments and the memory they point into.
struct Given<'g> {
    params: &'g [Val],
    memory: Option<Linear<'g>>,
    /// Bytes of the memory that were looked at.
    looked_at: Cell<usize>,
}

impl<'g> Given<'g> {
    fn uint(&self, index: usize) -> u32 {
        match self.params.get(index) {
            Some(Val::I32(value)) => value.cast_unsigned(),
            _ => 0,
        }
    }

    fn shown(&self, index: usize) -> Option<String> {
        Some(match self.params.get(index)? {
            Val::I32(value) => format!("{value}"),
            Val::I64(value) => format!("{value}"),
            Val::F32(value) => number(f64::from(*value)),
            Val::F64(value) => number(*value),
            _ => "null".into(),
        })
    }

    /// The arguments from `from` on, a JSON array.
    fn numbers(&self, from: usize) -> String {
        json::list(|out| {
            for index in from..self.params.len() {
                out.json(&self.shown(index).unwrap_or_default());
            }
        })
    }

    fn bytes(&self, index: usize) -> Option<Cow<'g, [u8]>> {
        let bytes =
            self.memory?.bytes(GuestSlice { ptr: self.uint(index), len: self.uint(index.saturating_add(1)) })?;
        self.looked_at.set(self.looked_at.get().saturating_add(bytes.len()));
        Some(bytes)
    }

    /// The text at arguments `index`, `index + 1`.
    fn text(&self, index: usize) -> Option<String> {
        self.bytes(index).map(|bytes| text::from_utf8(&bytes))
    }

    /// The same, as a transcript shows it; JSON.
    fn shown_text(&self, index: usize) -> Option<String> {
        self.text(index).map(|text| shown_text(&text))
    }

    fn hex(&self, index: usize) -> Option<String> {
        self.bytes(index).map(|bytes| hex(&bytes))
    }

    fn address(&self, index: usize) -> Option<String> {
        let host = text::from_utf8(&self.bytes(index)?);
        Some(format!("{host}:{}", self.shown(index.saturating_add(2)).unwrap_or_default()))
    }

    /// An object; `None` when a range leaves the memory.
    fn decoded(&self, shape: Shape) -> Option<String> {
        let mut read = Some(());
        let object = json::object(|out| read = self.decode(shape, out));
        read.map(|()| object)
    }

    fn decode(&self, shape: Shape, out: &mut json::Object<'_>) -> Option<()> {
        let or_null = |text: Option<String>| text.unwrap_or_else(|| "null".into());
        let id = or_null(self.shown(0));
        match shape {
            Shape::Hidden | Shape::Nothing | Shape::Output => out,
            Shape::Numbers => out.json("n", &self.numbers(0)),
            Shape::Console if self.params.len() == 1 => {
                match text::managed_string(self.memory?, self.uint(0), AS_TEXT_BYTES_MAX) {
                    Managed::Text(text) => out.text("s", &text),
                    Managed::Null | Managed::Wrong => out.null("s"),
                }
            }
            Shape::Text | Shape::Console => out.json("s", &self.shown_text(0)?),
            Shape::TwoTexts => out.json("s", &self.shown_text(0)?).json("s2", &self.shown_text(2)?),
            Shape::Delta => {
                out.json("s", &self.shown_text(0)?);
                if let Some(version) = self.shown(2) {
                    out.json("version", &version);
                }
                out
            }
            Shape::IdNumbers => out.json("id", &id).json("n", &self.numbers(1)),
            Shape::IdOnly => out.json("id", &id),
            Shape::IdPort => out.json("id", &id).json("port", &or_null(self.shown(1))),
            Shape::IdHex => out.json("id", &id).text("hex", &self.hex(1)?),
            Shape::Multicast => {
                let interface = if self.uint(4).cast_signed() > 0 { Some(self.text(3)?) } else { None };
                out.json("id", &id).text("group", &self.text(1)?).text_or_null("iface", interface.as_deref())
            }
            Shape::Datagram => out.json("id", &id).text("to", &self.address(1)?).text("hex", &self.hex(4)?),
            Shape::Connect => out.json("id", &id).text("to", &self.address(1)?),
            Shape::Blob => {
                let bytes = self.bytes(2)?;
                out.text("s", &self.text(0)?).number("len", bytes.len()).text("sha256", &short_sha256(&bytes))
            }
        };
        Some(())
    }

    /// The text that `fd_write` has for standard output or standard error.
    fn written(&self) -> Option<String> {
        if !matches!(self.uint(0), 1 | 2) {
            return None;
        }
        let memory = self.memory?;
        let mut out = String::new();
        // More is refused by the import itself, and shown as it was refused.
        for index in 0..self.uint(2).min(VECTORS_SHOWN_MAX) {
            let at = self.uint(1).checked_add(index.checked_mul(8)?)?;
            let part = GuestSlice { ptr: memory.word(at)?, len: memory.word(at.checked_add(4)?)? };
            let bytes = memory.bytes(part)?;
            self.looked_at.set(self.looked_at.get().saturating_add(bytes.len()));
            out.push_str(&text::from_utf8(&bytes));
            if out.len() > WRITTEN_BYTES_MAX {
                break;
            }
        }
        Some(out)
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut out, byte| {
        // Writing into a String cannot fail.
        let _ = write!(out, "{byte:02x}");
        out
    })
}

/// Returns the first 16 hexadecimal digits of the SHA-256 of `bytes`, which is how a transcript names binary data.
#[must_use]
pub fn short_sha256(bytes: &[u8]) -> String {
    hex(Sha256::digest(bytes).get(..HASH_SHOWN_BYTES).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    const MEMORY: &[u8] = b"notifications.x{\"state\":\"alarm\"}10.0.0.1";

    fn find(name: &str) -> &'static Import {
        row(import::ENV, name).unwrap()
    }

    fn args(name: &'static str, params: &[i32]) -> String {
        let params: Vec<Val> = params.iter().map(|value| Val::I32(*value)).collect();
        call(find(name), &params, Some(Linear::of_bytes(MEMORY))).map(|(call, _)| call.args).unwrap_or_default()
    }

    #[test]
    fn each_import_shows_its_arguments_in_its_own_shape() {
        for (name, params, shown) in [
            ("sk_debug", &[0, 13][..], r#"{"s":"notifications"}"#),
            ("sk_publish_notification", &[0, 15, 15, 17], r#"{"s":"notifications.x","s2":"{\"state\":\"alarm\"}"}"#),
            ("sk_handle_message", &[15, 17], r#"{"s":"{\"state\":\"alarm\"}"}"#),
            ("sk_handle_message", &[15, 17, 2], r#"{"s":"{\"state\":\"alarm\"}","version":2}"#),
            ("sk_read_config", &[1, 2], "{}"),
            ("sk_udp_create", &[0], r#"{"n":[0]}"#),
            ("sk_udp_bind", &[1, 6678], r#"{"id":1,"port":6678}"#),
            ("sk_udp_send", &[1, 32, 8, 53, 0, 2], r#"{"id":1,"to":"10.0.0.1:53","hex":"6e6f"}"#),
            ("sk_udp_join_multicast", &[1, 32, 8, 0, 0], r#"{"id":1,"group":"10.0.0.1","iface":null}"#),
            ("sk_tcp_set_line_buffering", &[4, 1], r#"{"id":4,"n":[1]}"#),
        ] {
            assert_eq!(args(name, params), shown, "{name}");
        }
    }

    #[test]
    fn a_console_of_one_parameter_takes_an_assemblyscript_string() {
        let mut memory = [0_u8; 64];
        memory[8..12].copy_from_slice(&[2, 0, 0, 0]);
        memory[12..16].copy_from_slice(&[4, 0, 0, 0]);
        memory[16..20].copy_from_slice(b"h\0i\0");
        let shown = |params: &[Val]| call(find("console.log"), params, Some(Linear::of_bytes(&memory))).unwrap().0.args;
        assert_eq!(shown(&[Val::I32(16)]), r#"{"s":"hi"}"#);
        assert_eq!(shown(&[Val::I32(40)]), r#"{"s":null}"#);
        assert_eq!(shown(&[Val::I32(16), Val::I32(1)]), r#"{"s":"h"}"#);
    }

    #[test]
    fn a_range_outside_of_memory_is_shown_as_bad() {
        for params in [&[0, -1][..], &[40, 1], &[i32::MAX, 7]] {
            assert_eq!(args("sk_set_status", params), r#"{"bad":"range"}"#);
        }
        assert_eq!(args("sk_set_status", &[40, 0]), r#"{"s":""}"#);
    }

    #[test]
    fn what_the_reference_host_does_not_wrap_is_not_shown() {
        assert!(call(find("trace"), &[], Some(Linear::of_bytes(MEMORY))).is_none());
        assert!(call(row(import::DATE, "now").unwrap(), &[], Some(Linear::of_bytes(MEMORY))).is_none());
    }
}
