//! PUT handlers, providers, binary streams (plugin ABI §3.3, §3.4).

use alloc::string::String;

use super::Caller;
use crate::delta::is_plain;
use crate::host::Services;
use crate::host::engine::GuestSlice;
use crate::host::registration::{REGISTRATION_TEXT_BYTES_MAX, Registration};

/// Prefix of the streams of radars.
const RADARS: &str = "radars/";

/// Reads a name: short, and without characters that would need an escape in JSON.
fn name(caller: &mut Caller<'_>, slice: GuestSlice) -> Option<String> {
    let text = caller.text(slice)?;
    (text.len() <= REGISTRATION_TEXT_BYTES_MAX && is_plain(&text)).then(|| text.into_owned())
}

pub(super) fn sk_register_put_handler(
    caller: &mut Caller<'_>,
    services: &mut dyn Services,
    context: GuestSlice,
    path: GuestSlice,
) -> i32 {
    match (name(caller, context), name(caller, path)) {
        (Some(context), Some(path)) => services.register(Registration::Put { context, path }).into(),
        _ => 0,
    }
}

pub(super) fn sk_register_resource_provider(
    caller: &mut Caller<'_>,
    services: &mut dyn Services,
    kind: GuestSlice,
) -> i32 {
    name(caller, kind).map_or(0, |kind| services.register(Registration::Resources { kind }).into())
}

pub(super) fn sk_register_weather_provider(
    caller: &mut Caller<'_>,
    services: &mut dyn Services,
    provider: GuestSlice,
) -> i32 {
    name(caller, provider).map_or(0, |name| services.register(Registration::Weather { name }).into())
}

pub(super) fn sk_register_radar_provider(
    caller: &mut Caller<'_>,
    services: &mut dyn Services,
    provider: GuestSlice,
) -> i32 {
    name(caller, provider).map_or(0, |name| services.register(Registration::Radar { name }).into())
}

/// Stream ids are `radars/<id>`, or anything below `plugins/<own package name>/`.
pub(super) fn sk_emit_binary_stream(
    caller: &mut Caller<'_>,
    services: &mut dyn Services,
    stream: GuestSlice,
    data: GuestSlice,
) -> i32 {
    let Some(stream) = name(caller, stream) else { return 0 };
    let is_radar = stream.strip_prefix(RADARS).is_some_and(|id| {
        !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'))
    });
    let package = &caller.state().package;
    let is_own = stream
        .strip_prefix("plugins/")
        .and_then(|rest| rest.strip_prefix(package.as_str()))
        .is_some_and(|rest| rest.starts_with('/'));
    if is_radar || is_own { emit(caller, services, &stream, data, false) } else { 0 }
}

pub(super) fn sk_radar_emit_spokes(
    caller: &mut Caller<'_>,
    services: &mut dyn Services,
    radar: GuestSlice,
    data: GuestSlice,
) -> i32 {
    let Some(radar) = name(caller, radar) else { return 0 };
    let mut stream = String::from(RADARS);
    stream.push_str(&radar);
    emit(caller, services, &stream, data, true)
}

fn emit(caller: &mut Caller<'_>, services: &mut dyn Services, stream: &str, data: GuestSlice, of_radar: bool) -> i32 {
    let limit = caller.state().limits.stream_frame_bytes_max;
    caller.bytes_of(data, limit).map_or(0, |data| services.emit_binary(stream, &data, of_radar).into())
}
