//! What AssemblyScript and its library import (plugin ABI §3.1, §2.4).

use alloc::format;
use alloc::string::String;

use skiff_abi::import::{DATE, ENV, MATH};

use super::{Args, Ask, Guest, Known, Outcome, Ret, WrongType};

pub(super) const TABLE: &[Known] = &[
    Known { module: ENV, name: "abort", handler: abort, failure: Ret::Nothing },
    Known { module: ENV, name: "seed", handler: seed, failure: Ret::Float(0.0) },
    Known { module: ENV, name: "trace", handler: trace, failure: Ret::Nothing },
    Known { module: ENV, name: "console.log", handler: console_log, failure: Ret::Nothing },
    Known { module: ENV, name: "console.debug", handler: console_log, failure: Ret::Nothing },
    Known { module: ENV, name: "console.info", handler: console_info, failure: Ret::Nothing },
    Known { module: ENV, name: "console.warn", handler: console_warn, failure: Ret::Nothing },
    Known { module: ENV, name: "console.error", handler: console_error, failure: Ret::Nothing },
    Known { module: ENV, name: "Date.now", handler: date_now, failure: Ret::Float(0.0) },
    Known { module: ENV, name: "performance.now", handler: performance_now, failure: Ret::Float(0.0) },
    Known { module: ENV, name: "Math.random", handler: math_random, failure: Ret::Float(0.0) },
    Known { module: DATE, name: "now", handler: date_now, failure: Ret::Float(0.0) },
    Known { module: MATH, name: "random", handler: math_random, failure: Ret::Float(0.0) },
];

/// Logs message and place; the guest traps by itself afterwards.
fn abort(guest: &mut Guest<'_>, args: &Args<'_>) -> Result<Outcome, WrongType> {
    let message = guest.managed(args.uint(0)?).unwrap_or_else(|| String::from("no message"));
    let file = guest.managed(args.uint(1)?).unwrap_or_else(|| String::from("unknown file"));
    let (line, column) = (args.uint(2)?, args.uint(3)?);
    Ok(Outcome::Ask(Ask::Log(log::Level::Error, format!("abort: {message} in {file}:{line}:{column}"))))
}

/// Milliseconds since 1970 times a random number below 1.
fn seed(guest: &mut Guest<'_>, _: &Args<'_>) -> Result<Outcome, WrongType> {
    #[expect(clippy::cast_precision_loss, reason = "milliseconds since 1970 fit 53 bits")]
    let scale = guest.state().wall.0 as f64;
    Ok(Outcome::Ask(Ask::RandomNumber { scale }))
}

fn trace(guest: &mut Guest<'_>, args: &Args<'_>) -> Result<Outcome, WrongType> {
    let mut line = guest.managed(args.uint(0)?).unwrap_or_default();
    for index in 0..args.uint(1)?.min(5) {
        line.push_str(&format!(" {}", args.float(index as usize + 2)?));
    }
    Ok(Outcome::Ask(Ask::Log(log::Level::Debug, line)))
}

/// One parameter is an AssemblyScript string, two are a range of UTF-8.
fn console(guest: &mut Guest<'_>, args: &Args<'_>, level: log::Level) -> Result<Outcome, WrongType> {
    let text = if args.count() == 1 { guest.managed(args.uint(0)?) } else { guest.text(args.slice(0)?) };
    Ok(match text {
        Some(text) => Outcome::Ask(Ask::Log(level, text)),
        None => Outcome::Done(Ret::Nothing),
    })
}

fn console_log(guest: &mut Guest<'_>, args: &Args<'_>) -> Result<Outcome, WrongType> {
    console(guest, args, log::Level::Debug)
}

fn console_info(guest: &mut Guest<'_>, args: &Args<'_>) -> Result<Outcome, WrongType> {
    console(guest, args, log::Level::Info)
}

fn console_warn(guest: &mut Guest<'_>, args: &Args<'_>) -> Result<Outcome, WrongType> {
    console(guest, args, log::Level::Warn)
}

fn console_error(guest: &mut Guest<'_>, args: &Args<'_>) -> Result<Outcome, WrongType> {
    console(guest, args, log::Level::Error)
}

fn date_now(guest: &mut Guest<'_>, _: &Args<'_>) -> Result<Outcome, WrongType> {
    #[expect(clippy::cast_precision_loss, reason = "milliseconds since 1970 fit 53 bits")]
    let millis = guest.state().wall.0 as f64;
    Ok(Outcome::Done(Ret::Float(millis)))
}

fn performance_now(guest: &mut Guest<'_>, _: &Args<'_>) -> Result<Outcome, WrongType> {
    #[expect(clippy::cast_precision_loss, reason = "microseconds since boot fit 53 bits for 285 years")]
    let millis = guest.state().monotonic.0 as f64 / 1000.0;
    Ok(Outcome::Done(Ret::Float(millis)))
}

fn math_random(_: &mut Guest<'_>, _: &Args<'_>) -> Result<Outcome, WrongType> {
    Ok(Outcome::Ask(Ask::RandomNumber { scale: 1.0 }))
}
