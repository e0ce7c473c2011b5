//! `wasi:clocks` and `wasi:random`.

use alloc::vec::Vec;
use core::time::Duration;

use super::super::super::answer::{Answered, Place};
use super::super::super::contract::Flat;
use super::super::super::handles::Handle;
use super::handle;
use crate::budget::PluginLimits;
use crate::host::Services;
use crate::host::imports::{Caller, ImportRow, Outcome, Ret, Run};

const MONOTONIC: &str = "wasi:clocks/monotonic-clock@0.2.";
const WALL: &str = "wasi:clocks/wall-clock@0.2.";
const RANDOM: &str = "wasi:random/random@0.2.";
const INSECURE: &str = "wasi:random/insecure@0.2.";

/// Nanoseconds in a millisecond, the resolution of both clocks.
const NANOS_PER_MILLI: u64 = 1_000_000;
const MILLIS_PER_SECOND: u64 = 1000;
/// Bytes of a time: seconds, nanoseconds, padding.
const DATETIME_BYTES: usize = 16;
/// Bytes of a list's address and count.
const LIST_BYTES: usize = 8;
/// Random bytes that one call gives at most.
const RANDOM_BYTES_MAX: u64 = 64 * 1024;

/// Monotonic time, nanoseconds. Never 0, which some take for a clock that is broken.
fn now(caller: &Caller<'_>) -> u64 {
    caller.state().monotonic.0.saturating_mul(1000).max(1)
}

fn long(number: u64) -> Outcome {
    Outcome::Ret(Ret::Long(number.cast_signed()))
}

fn datetime(to: u32, seconds: u64, nanos: u64) -> Outcome {
    let mut answer = Answered::record(to, DATETIME_BYTES);
    answer.set(0, &seconds.to_le_bytes());
    answer.set(8, &u32::try_from(nanos).unwrap_or(0).to_le_bytes());
    answer.into()
}

fn random_word(caller: &mut Caller<'_>, services: &mut dyn Services) -> u64 {
    caller.pay(8, PluginLimits::RANDOM_WORK);
    let mut bytes = [0; 8];
    services.random(&mut bytes);
    u64::from_le_bytes(bytes)
}

const RANDOM_BYTES: Run = Run::Core(|caller, services, args| {
    let (length, to): (u64, u32) = (args.take()?, args.take()?);
    let Some(length) = usize::try_from(length).ok().filter(|_| length <= RANDOM_BYTES_MAX) else {
        return Ok(Outcome::Trap("it asked for more random bytes than one call gives"));
    };
    caller.pay(u32::try_from(length).unwrap_or(u32::MAX), PluginLimits::RANDOM_WORK);
    let mut bytes: Vec<u8> = alloc::vec![0; length];
    services.random(&mut bytes);
    let mut answer = Answered::record(to, LIST_BYTES);
    answer.text(Place::Record(0), bytes);
    Ok(answer.into())
});

const RANDOM_WORD: Run = Run::Core(|caller, services, _| Ok(long(random_word(caller, services))));

pub(super) const ROWS: &[(&ImportRow, Flat)] = &[
    (&ImportRow::of(MONOTONIC, "now", Run::Core(|caller, _, _| Ok(long(now(caller))))), ">l"),
    (&ImportRow::of(MONOTONIC, "resolution", Run::Core(|_, _, _| Ok(long(NANOS_PER_MILLI)))), ">l"),
    (
        &ImportRow::of(
            MONOTONIC,
            "subscribe-duration",
            Run::Core(|caller, _, args| {
                let span = Duration::from_nanos(args.take()?);
                let until = caller.state().monotonic + span;
                Ok(handle(caller, Handle::Pollable(until)))
            }),
        ),
        "l>i",
    ),
    (
        &ImportRow::of(
            MONOTONIC,
            "subscribe-instant",
            Run::Core(|caller, _, args| {
                let at: u64 = args.take()?;
                let span = Duration::from_nanos(at.saturating_sub(now(caller)));
                let until = caller.state().monotonic + span;
                Ok(handle(caller, Handle::Pollable(until)))
            }),
        ),
        "l>i",
    ),
    (
        &ImportRow::of(
            WALL,
            "now",
            Run::Core(|caller, _, args| {
                let millis = u64::try_from(caller.state().wall.0).unwrap_or(0);
                let nanos = (millis % MILLIS_PER_SECOND).saturating_mul(NANOS_PER_MILLI);
                Ok(datetime(args.take()?, millis / MILLIS_PER_SECOND, nanos))
            }),
        ),
        "i>",
    ),
    (&ImportRow::of(WALL, "resolution", Run::Core(|_, _, args| Ok(datetime(args.take()?, 0, NANOS_PER_MILLI)))), "i>"),
    (&ImportRow::of(RANDOM, "get-random-bytes", RANDOM_BYTES), "li>"),
    (&ImportRow::of(RANDOM, "get-random-u64", RANDOM_WORD), ">l"),
    (&ImportRow::of(INSECURE, "get-insecure-random-bytes", RANDOM_BYTES), "li>"),
    (&ImportRow::of(INSECURE, "get-insecure-random-u64", RANDOM_WORD), ">l"),
    (
        &ImportRow::of(
            "wasi:random/insecure-seed@0.2.",
            "insecure-seed",
            Run::Core(|caller, services, args| {
                let mut answer = Answered::record(args.take()?, 16);
                answer.set(0, &random_word(caller, services).to_le_bytes());
                answer.set(8, &random_word(caller, services).to_le_bytes());
                Ok(answer.into())
            }),
        ),
        "i>",
    ),
];
