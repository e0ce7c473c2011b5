//! Host calls as a transcript shows them: decoded arguments and the natural result.
//!
//! Only `skiff test` asks for them ([`Instance::observe`](super::Instance::observe)); a gateway pays one test per
//! call. The shapes are those of the scenario format, "Transcript lines".

use alloc::boxed::Box;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt::Write;

use sha2::{Digest, Sha256};
use skiff_abi::import;
use wasmi::Val;

use super::imports::Ret;
use super::memory::GuestSlice;
use super::text::{self, Managed};
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

/// Bytes of a hash that a transcript shows.
const HASH_SHOWN_BYTES: usize = 8;
/// Vectors of an `fd_write` that are looked at, and the text after which no more is.
const VECTORS_SHOWN_MAX: u32 = 1024;
const WRITTEN_BYTES_MAX: usize = 1024 * 1024;
/// Bytes of an AssemblyScript string that is shown.
const AS_TEXT_BYTES_MAX: u32 = 128 * 1024;

/// How the arguments of an import are shown.
#[derive(Clone, Copy)]
enum Shape {
    Nothing,
    Numbers,
    Text,
    /// Text, or one AssemblyScript string where the guest declares one parameter (plugin ABI §3.1).
    Console,
    TwoTexts,
    Delta,
    IdNumbers,
    IdOnly,
    IdPort,
    IdHex,
    Multicast,
    Datagram,
    Connect,
    Blob,
}

/// Imports that no transcript shows: the reference host does not wrap them.
const HIDDEN: &[&str] = &["trace", "Date.now", "Math.random", "performance.now"];

fn shape(name: &str) -> Shape {
    match name {
        "seed" | "sk_read_config" | "sk_tcp_create" => Shape::Nothing,
        "abort" | "sk_udp_create" => Shape::Numbers,
        "sk_publish_notification" | "sk_register_put_handler" => Shape::TwoTexts,
        name if name.starts_with("console.") => Shape::Console,
        "sk_handle_message" => Shape::Delta,
        "sk_udp_bind" => Shape::IdPort,
        "sk_udp_recv" => Shape::IdOnly,
        "sk_udp_join_multicast" | "sk_udp_leave_multicast" => Shape::Multicast,
        "sk_udp_send" => Shape::Datagram,
        "sk_tcp_connect" => Shape::Connect,
        "sk_tcp_send" | "sk_serial_write" => Shape::IdHex,
        "sk_emit_binary_stream" | "sk_radar_emit_spokes" => Shape::Blob,
        name if name.starts_with("sk_udp_") || name.starts_with("sk_tcp_") || name.starts_with("sk_serial_") => {
            Shape::IdNumbers
        }
        _ => Shape::Text,
    }
}

/// The calls since they were last taken.
#[derive(Debug, Default)]
pub(super) struct Trace {
    done: Vec<HostCall>,
    /// The call that waits for the core.
    open: Option<HostCall>,
}

impl Trace {
    /// Takes the finished calls.
    pub(super) fn take(&mut self) -> Vec<HostCall> {
        core::mem::take(&mut self.done)
    }

    /// Notes a call that was answered at once.
    pub(super) fn finished(&mut self, mut call: HostCall, ret: Ret) {
        call.ret = shown(ret);
        self.done.push(call);
    }

    /// Notes a call that the core has to answer.
    pub(super) fn suspended(&mut self, call: HostCall) {
        self.open = Some(call);
    }

    /// Completes the call that waited.
    pub(super) fn answered(&mut self, ret: Ret) {
        if let Some(call) = self.open.take() {
            self.finished(call, ret);
        }
    }
}

fn shown(ret: Ret) -> String {
    match ret {
        Ret::Nothing => "null".into(),
        Ret::Int(value) => format!("{value}"),
        Ret::Float(value) => number(value),
    }
}

fn number(value: f64) -> String {
    let mut out = String::new();
    // Writing into a String cannot fail.
    let _ = json::write_f64(&mut out, value);
    out
}

/// Writes down a call before it runs; `None` for imports that a transcript does not show.
pub(super) fn call(
    module: &'static str,
    name: &'static str,
    params: &[Val],
    memory: Option<&[u8]>,
) -> Option<Box<HostCall>> {
    if HIDDEN.contains(&name) || matches!(module, import::DATE | import::MATH) {
        return None;
    }
    let given = Given { params, memory };
    let (args, written) = match module {
        import::WASI => (String::from("{}"), given.written(name)),
        import::ENV => (given.decoded(shape(name)).unwrap_or_else(|| "{\"bad\":\"range\"}".into()), None),
        _ => (String::from("{}"), None),
    };
    Some(Box::new(HostCall { module, name, args, raw: given.numbers(0), ret: String::new(), written }))
}

/// Arguments and the memory they point into.
struct Given<'g> {
    params: &'g [Val],
    memory: Option<&'g [u8]>,
}

impl Given<'_> {
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
            Val::F32(value) => number(f64::from(f32::from(*value))),
            Val::F64(value) => number(f64::from(*value)),
            _ => "null".into(),
        })
    }

    fn numbers(&self, from: usize) -> String {
        let mut out = String::from("[");
        for index in from..self.params.len() {
            if index > from {
                out.push(',');
            }
            out.push_str(&self.shown(index).unwrap_or_default());
        }
        out.push(']');
        out
    }

    fn bytes(&self, index: usize) -> Option<&[u8]> {
        GuestSlice { ptr: self.uint(index), len: self.uint(index.saturating_add(1)) }.read(self.memory?)
    }

    /// The text at arguments `index`, `index + 1`, as JSON.
    fn text(&self, index: usize) -> Option<String> {
        self.bytes(index).map(|bytes| quoted(&text::from_utf8(bytes)))
    }

    fn hex(&self, index: usize) -> Option<String> {
        self.bytes(index).map(|bytes| format!("\"{}\"", hex(bytes)))
    }

    fn address(&self, index: usize) -> Option<String> {
        let host = text::from_utf8(self.bytes(index)?);
        Some(quoted(&format!("{host}:{}", self.shown(index.saturating_add(2)).unwrap_or_default())))
    }

    /// `None` when a range leaves the memory.
    fn decoded(&self, shape: Shape) -> Option<String> {
        let id = self.shown(0).unwrap_or_else(|| "null".into());
        Some(match shape {
            Shape::Nothing => "{}".into(),
            Shape::Numbers => format!("{{\"n\":{}}}", self.numbers(0)),
            Shape::Text => format!("{{\"s\":{}}}", self.text(0)?),
            Shape::Console if self.params.len() == 1 => {
                let read = text::managed_string(self.memory?, self.uint(0), AS_TEXT_BYTES_MAX);
                let shown = match read {
                    Managed::Text(text) => quoted(&text),
                    Managed::Null | Managed::Wrong => "null".into(),
                };
                format!("{{\"s\":{shown}}}")
            }
            Shape::Console => format!("{{\"s\":{}}}", self.text(0)?),
            Shape::TwoTexts => format!("{{\"s\":{},\"s2\":{}}}", self.text(0)?, self.text(2)?),
            Shape::Delta => {
                let version = self.shown(2).map(|version| format!(",\"version\":{version}")).unwrap_or_default();
                format!("{{\"s\":{}{version}}}", self.text(0)?)
            }
            Shape::IdNumbers => format!("{{\"id\":{id},\"n\":{}}}", self.numbers(1)),
            Shape::IdOnly => format!("{{\"id\":{id}}}"),
            Shape::IdPort => format!("{{\"id\":{id},\"port\":{}}}", self.shown(1).unwrap_or_else(|| "null".into())),
            Shape::IdHex => format!("{{\"id\":{id},\"hex\":{}}}", self.hex(1)?),
            Shape::Multicast => {
                let named = self.uint(4).cast_signed() > 0;
                let interface = if named { self.text(3)? } else { "null".into() };
                format!("{{\"id\":{id},\"group\":{},\"iface\":{interface}}}", self.text(1)?)
            }
            Shape::Datagram => format!("{{\"id\":{id},\"to\":{},\"hex\":{}}}", self.address(1)?, self.hex(4)?),
            Shape::Connect => format!("{{\"id\":{id},\"to\":{}}}", self.address(1)?),
            Shape::Blob => {
                let bytes = self.bytes(2)?;
                let (name, len) = (self.text(0)?, bytes.len());
                format!("{{\"s\":{name},\"len\":{len},\"sha256\":\"{}\"}}", short_sha256(bytes))
            }
        })
    }

    /// The text that `fd_write` has for standard output or standard error.
    fn written(&self, name: &str) -> Option<String> {
        if name != "fd_write" || !matches!(self.uint(0), 1 | 2) {
            return None;
        }
        let memory = self.memory?;
        let mut out = String::new();
        // More is refused by the import itself, and shown as it was refused.
        for index in 0..self.uint(2).min(VECTORS_SHOWN_MAX) {
            let at = self.uint(1).checked_add(index.checked_mul(8)?)?;
            let vector = GuestSlice { ptr: at, len: 8 }.read(memory)?;
            let word = |from: usize| vector.get(from..from.saturating_add(4))?.try_into().ok().map(u32::from_le_bytes);
            let part = GuestSlice { ptr: word(0)?, len: word(4)? }.read(memory)?;
            out.push_str(&text::from_utf8(part));
            if out.len() > WRITTEN_BYTES_MAX {
                break;
            }
        }
        Some(out)
    }
}

/// Writes `text` as a JSON string.
fn quoted(text: &str) -> String {
    let mut out = String::new();
    // Writing into a String cannot fail.
    let _ = json::write_string(&mut out, text);
    out
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

    fn args(name: &'static str, params: &[i32]) -> String {
        let params: Vec<Val> = params.iter().map(|value| Val::I32(*value)).collect();
        call(import::ENV, name, &params, Some(MEMORY)).map(|call| call.args).unwrap_or_default()
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
        let shown = |params: &[Val]| call(import::ENV, "console.log", params, Some(&memory)).unwrap().args;
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
        assert!(call(import::ENV, "trace", &[], Some(MEMORY)).is_none());
        assert!(call(import::DATE, "now", &[], Some(MEMORY)).is_none());
    }
}
