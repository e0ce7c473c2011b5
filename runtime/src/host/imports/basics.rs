//! What AssemblyScript and its library import (plugin ABI §3.1, §2.4).

use alloc::borrow::Cow;
use alloc::format;
use alloc::string::String;

use super::Caller;
use crate::host::Services;
use crate::host::engine::GuestSlice;

/// Two to the 32nd.
const WORDS: f64 = 4_294_967_296.0;

/// Logs message and place; the guest traps by itself afterwards.
pub(super) fn abort(
    caller: &mut Caller<'_>,
    services: &mut dyn Services,
    message: u32,
    file: u32,
    line: u32,
    column: u32,
) {
    let message = caller.managed(message).unwrap_or_else(|| String::from("no message"));
    let file = caller.managed(file).unwrap_or_else(|| String::from("unknown file"));
    services.log(log::Level::Error, &format!("abort: {message} in {file}:{line}:{column}"));
}

pub(super) fn seed(caller: &mut Caller<'_>, services: &mut dyn Services) -> f64 {
    math_random(caller, services) * date_now(caller)
}

#[expect(clippy::too_many_arguments, reason = "AssemblyScript's signature")]
pub(super) fn trace(
    caller: &mut Caller<'_>,
    services: &mut dyn Services,
    message: u32,
    count: u32,
    a: f64,
    b: f64,
    c: f64,
    d: f64,
    e: f64,
) {
    let mut line = caller.managed(message).unwrap_or_default();
    for number in [a, b, c, d, e].into_iter().take(count as usize) {
        line.push(' ');
        line.push_str(ryu_js::Buffer::new().format(number));
    }
    services.log(log::Level::Debug, &line);
}

/// One parameter is an AssemblyScript string, two are a range of UTF-8.
fn console(
    caller: &mut Caller<'_>,
    services: &mut dyn Services,
    (text, length): (u32, Option<i32>),
    level: log::Level,
) {
    let text = match length {
        None => caller.managed(text).map(Cow::Owned),
        Some(length) => caller.text_to_parse(GuestSlice { ptr: text, len: length.cast_unsigned() }, u32::MAX),
    };
    if let Some(text) = text {
        services.log(level, &text);
    }
}

pub(super) fn console_log(caller: &mut Caller<'_>, services: &mut dyn Services, text: u32, length: Option<i32>) {
    console(caller, services, (text, length), log::Level::Debug);
}

pub(super) fn console_debug(caller: &mut Caller<'_>, services: &mut dyn Services, text: u32, length: Option<i32>) {
    console(caller, services, (text, length), log::Level::Debug);
}

pub(super) fn console_info(caller: &mut Caller<'_>, services: &mut dyn Services, text: u32, length: Option<i32>) {
    console(caller, services, (text, length), log::Level::Info);
}

pub(super) fn console_warn(caller: &mut Caller<'_>, services: &mut dyn Services, text: u32, length: Option<i32>) {
    console(caller, services, (text, length), log::Level::Warn);
}

pub(super) fn console_error(caller: &mut Caller<'_>, services: &mut dyn Services, text: u32, length: Option<i32>) {
    console(caller, services, (text, length), log::Level::Error);
}

#[expect(clippy::cast_precision_loss, reason = "milliseconds since 1970 fit 53 bits")]
pub(super) fn date_now(caller: &mut Caller<'_>) -> f64 {
    caller.state().wall.0 as f64
}

#[expect(clippy::cast_precision_loss, reason = "microseconds since boot fit 53 bits for 285 years")]
pub(super) fn performance_now(caller: &mut Caller<'_>) -> f64 {
    caller.state().monotonic.0 as f64 / 1000.0
}

pub(super) fn math_random(_: &mut Caller<'_>, services: &mut dyn Services) -> f64 {
    f64::from(services.random_word()) / WORDS
}
