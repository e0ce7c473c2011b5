//! Questions to the core, asked while the guest is suspended.

use alloc::format;
use alloc::string::String;
use core::time::Duration;

use super::sockets::SocketAsk;
use super::{FileAsk, Ret};
use crate::budget::PluginLimits;
use crate::delta::DeltaVersion;
use crate::host::Services;
use crate::host::fetch::FetchRequest;
use crate::host::memory::GuestSlice;
use crate::host::registration::Registration;
use crate::json;
use crate::time::Instant;
use crate::vfs::FileError;

/// What a suspended guest waits for.
#[derive(Debug)]
pub(in crate::host) enum Ask {
    /// A line for the plugin's log.
    Log(log::Level, String),
    /// A line for the log, with an integer to answer.
    LogThen(log::Level, String, i32),
    Status(String),
    ErrorText(String),
    ReadConfig {
        into: GuestSlice,
    },
    SaveConfig(String),
    Emit {
        delta: String,
        version: DeltaVersion,
    },
    SelfPath {
        path: String,
        into: GuestSlice,
    },
    Path {
        path: String,
        into: GuestSlice,
    },
    Notify {
        path: String,
        value: String,
    },
    Register(Registration),
    EmitBinary {
        stream: String,
        data: GuestSlice,
        of_radar: bool,
    },
    /// Random bytes into guest memory; answers 0 (WASI `random_get`).
    Random {
        into: GuestSlice,
    },
    /// An HTTP request whose answer the guest waits for.
    Fetch(FetchRequest),
    /// An HTTP request with a callback.
    FetchLater {
        request: FetchRequest,
        callback: i32,
    },
    /// A request with a callback that cannot be read.
    FetchRefused {
        clause: &'static str,
        callback: i32,
    },
    /// Sockets and serial ports.
    Socket(SocketAsk),
    /// A file operation; the call machine carries it out with the instance's open files.
    File(FileAsk),
    /// The guest sleeps for `span`, until `until`; answers 0.
    Sleep {
        until: Instant,
        span: Duration,
    },
    /// A number below 1 times `scale`.
    RandomNumber {
        scale: f64,
    },
}

/// Random bytes drawn at once.
const RANDOM_CHUNK_BYTES: usize = 64;

impl Ask {
    /// Gets the answer and writes into the guest's memory what belongs there; `work` gets the bytes that it took to make,
    /// where that is not seen in the arguments.
    pub(in crate::host) fn answer(self, services: &mut dyn Services, memory: &mut [u8], work: &mut u32) -> Ret {
        match self {
            Self::Log(level, text) => {
                services.log(level, &text);
                Ret::Nothing
            }
            Self::LogThen(level, text, answer) => {
                services.log(level, &text);
                Ret::Int(answer)
            }
            Self::Status(text) => {
                services.set_status(&text);
                Ret::Nothing
            }
            Self::ErrorText(text) => {
                services.set_error(&text);
                Ret::Nothing
            }
            Self::ReadConfig { into } => {
                // The file is read and parsed however small the buffer is.
                *work = PluginLimits::PATH_WORK_BYTES;
                let config = services.read_config();
                Ret::Int(written(memory, into, config.as_deref().unwrap_or("{}")))
            }
            Self::SaveConfig(text) => {
                *work = PluginLimits::SYNC_WORK_BYTES;
                Ret::Int(if services.save_config(&text) { 0 } else { -1 })
            }
            Self::Emit { delta, version } => {
                services.emit(&delta, version);
                Ret::Nothing
            }
            Self::SelfPath { path, into } => Ret::Int(node(memory, into, services.self_path(&path), work)),
            Self::Path { path, into } => Ret::Int(node(memory, into, services.path(&path), work)),
            Self::Notify { path, value } => Ret::Int(if services.publish_notification(&path, &value) { 0 } else { -1 }),
            Self::Register(registration) => Ret::Int(services.register(registration).into()),
            Self::EmitBinary { stream, data, of_radar } => {
                let data = data.read(memory).unwrap_or_default();
                Ret::Int(services.emit_binary(&stream, data, of_radar).into())
            }
            Self::Random { into } => Ret::Int(random(services, memory, into)),
            // The call machine carries it out; only a guest without an allocator comes here.
            Self::Fetch(_) => {
                services.log(log::Level::Warn, "a fetch was refused: the plugin has no __new to call for the answer");
                Ret::Int(0)
            }
            Self::FetchLater { request, callback } => {
                services.fetch_later(request, callback);
                Ret::Nothing
            }
            Self::FetchRefused { clause, callback } => {
                services.log(log::Level::Warn, &format!("a fetch was refused: {clause}"));
                services.fetch_refused(callback);
                Ret::Nothing
            }
            Self::Socket(ask) => {
                let opens = ask.is_of_the_system();
                let ret = ask.answer(services, memory);
                // What arrives is seen in the answer only.
                *work = match ret {
                    _ if opens => PluginLimits::PATH_WORK_BYTES,
                    Ret::Int(bytes) => u32::try_from(bytes).unwrap_or(0),
                    _ => 0,
                };
                ret
            }
            // Both are carried out by the call machine.
            Self::File(_) => Ret::Int(FileError::NotSupported.errno()),
            Self::Sleep { .. } => Ret::Int(0),
            Self::RandomNumber { scale } => Ret::Float(f64::from(services.random_word()) / 4_294_967_296.0 * scale),
        }
    }
}

/// Writes `text` whole or not at all; returns the bytes written, 0 when it does not fit.
fn written(memory: &mut [u8], into: GuestSlice, text: &str) -> i32 {
    if into.write(memory, text.as_bytes()) { i32::try_from(text.len()).unwrap_or(0) } else { 0 }
}

/// Writes a node of the model; where it does not fit, the node without `meta` and `values` (plugin ABI appendix E).
///
/// The whole node is work, also where it does not fit: a short path can lead to all there is.
fn node(memory: &mut [u8], into: GuestSlice, node: Option<String>, work: &mut u32) -> i32 {
    let Some(node) = node.filter(|node| node != "null") else { return 0 };
    *work = u32::try_from(node.len()).unwrap_or(u32::MAX);
    match written(memory, into, &node) {
        0 => lean(&node).map_or(0, |lean| written(memory, into, &lean)),
        bytes => bytes,
    }
}

fn lean(node: &str) -> Option<String> {
    let mut out = String::from("{");
    json::members::<json::JsonError>(node, |key, value| {
        if !matches!(key, "meta" | "values") {
            let comma = if out.len() > 1 { "," } else { "" };
            out.push_str(&format!("{comma}\"{key}\":{value}"));
        }
        Ok(())
    })
    .ok()?;
    out.push('}');
    Some(out)
}

/// Fills guest memory with randomness; WASI errno 0, or 21 (fault) outside of it.
fn random(services: &mut dyn Services, memory: &mut [u8], into: GuestSlice) -> i32 {
    if into.read(memory).is_none() {
        return super::wasi::ERRNO_FAULT;
    }
    let (mut at, mut left) = (into.ptr, into.len);
    let mut chunk = [0_u8; RANDOM_CHUNK_BYTES];
    while left > 0 {
        let count = left.min(u32::try_from(RANDOM_CHUNK_BYTES).unwrap_or(left));
        let Some(part) = chunk.get_mut(..count as usize) else { break };
        services.random(part);
        GuestSlice { ptr: at, len: count }.write(memory, part);
        at = at.saturating_add(count);
        left = left.saturating_sub(count);
    }
    0
}
