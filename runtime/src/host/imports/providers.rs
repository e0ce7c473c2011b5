//! PUT handlers, providers, binary streams (plugin ABI §3.3, §3.4).

use alloc::string::String;

use skiff_abi::{Capability, import::ENV};

use super::{Args, Ask, Guest, Known, Outcome, Ret, WrongType};
use crate::delta::is_plain;
use crate::host::memory::GuestSlice;
use crate::host::registration::{REGISTRATION_TEXT_BYTES_MAX, Registration};

pub(super) const TABLE: &[Known] = &[
    Known { module: ENV, name: "sk_register_put_handler", handler: put_handler, failure: Ret::Int(0) },
    Known { module: ENV, name: "sk_register_resource_provider", handler: resource_provider, failure: Ret::Int(0) },
    Known { module: ENV, name: "sk_register_weather_provider", handler: weather_provider, failure: Ret::Int(0) },
    Known { module: ENV, name: "sk_register_radar_provider", handler: radar_provider, failure: Ret::Int(0) },
    Known { module: ENV, name: "sk_emit_binary_stream", handler: emit_binary_stream, failure: Ret::Int(0) },
    Known { module: ENV, name: "sk_radar_emit_spokes", handler: emit_spokes, failure: Ret::Int(0) },
];

const REFUSED: Outcome = Outcome::Done(Ret::Int(0));
/// Prefix of the streams of radars.
const RADARS: &str = "radars/";

fn allows(guest: &Guest<'_>, capability: Capability) -> bool {
    guest.state().capabilities.allows(capability, false)
}

/// Reads a name: short, and without characters that would need an escape in JSON.
fn name(guest: &mut Guest<'_>, slice: GuestSlice) -> Option<String> {
    guest.text(slice).filter(|text| text.len() <= REGISTRATION_TEXT_BYTES_MAX && is_plain(text))
}

fn put_handler(guest: &mut Guest<'_>, args: &Args<'_>) -> Result<Outcome, WrongType> {
    let (context, path) = (name(guest, args.slice(0)?), name(guest, args.slice(2)?));
    Ok(match (context, path) {
        (Some(context), Some(path)) if allows(guest, Capability::PutHandlers) => {
            Outcome::Ask(Ask::Register(Registration::Put { context, path }))
        }
        _ => REFUSED,
    })
}

fn provider(
    guest: &mut Guest<'_>,
    args: &Args<'_>,
    capability: Capability,
    make: fn(String) -> Registration,
) -> Result<Outcome, WrongType> {
    Ok(match name(guest, args.slice(0)?) {
        Some(text) if allows(guest, capability) => Outcome::Ask(Ask::Register(make(text))),
        _ => REFUSED,
    })
}

fn resource_provider(guest: &mut Guest<'_>, args: &Args<'_>) -> Result<Outcome, WrongType> {
    provider(guest, args, Capability::ResourceProvider, |kind| Registration::Resources { kind })
}

fn weather_provider(guest: &mut Guest<'_>, args: &Args<'_>) -> Result<Outcome, WrongType> {
    provider(guest, args, Capability::WeatherProvider, |name| Registration::Weather { name })
}

fn radar_provider(guest: &mut Guest<'_>, args: &Args<'_>) -> Result<Outcome, WrongType> {
    provider(guest, args, Capability::RadarProvider, |name| Registration::Radar { name })
}

/// Stream ids are `radars/<id>`, or anything below `plugins/<own package name>/`.
fn emit_binary_stream(guest: &mut Guest<'_>, args: &Args<'_>) -> Result<Outcome, WrongType> {
    let (stream, data) = (name(guest, args.slice(0)?), args.slice(2)?);
    let Some(stream) = stream else { return Ok(REFUSED) };
    let is_radar = stream.strip_prefix(RADARS).is_some_and(|id| {
        !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'))
    });
    let package = &guest.state().package;
    let is_own = stream
        .strip_prefix("plugins/")
        .and_then(|rest| rest.strip_prefix(package.as_str()))
        .is_some_and(|rest| rest.starts_with('/'));
    if !is_radar && !is_own {
        return Ok(REFUSED);
    }
    Ok(emit(guest, stream, data, false))
}

fn emit_spokes(guest: &mut Guest<'_>, args: &Args<'_>) -> Result<Outcome, WrongType> {
    let (id, data) = (name(guest, args.slice(0)?), args.slice(2)?);
    let Some(id) = id.filter(|_| allows(guest, Capability::RadarProvider)) else { return Ok(REFUSED) };
    let mut stream = String::from(RADARS);
    stream.push_str(&id);
    Ok(emit(guest, stream, data, true))
}

fn emit(guest: &mut Guest<'_>, stream: String, data: GuestSlice, of_radar: bool) -> Outcome {
    if data.len > guest.state().limits.stream_frame_bytes_max || data.read(guest.memory()).is_none() {
        return REFUSED;
    }
    guest.charge(data.len);
    Outcome::Ask(Ask::EmitBinary { stream, data, of_radar })
}
