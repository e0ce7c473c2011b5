//! `wasi:io`: standard output is the plugin's log, waiting is a suspension.

use alloc::borrow::Cow;
use alloc::vec::Vec;
use core::time::Duration;

use super::super::super::answer::{Answered, Part, Place};
use super::super::super::contract::Flat;
use super::super::super::handles::Handle;
use super::{NO_HANDLE, handle};
use crate::budget::PluginLimits;
use crate::host::Services;
use crate::host::engine::GuestSlice;
use crate::host::imports::{Caller, ImportRow, Outcome, Ret, Run};
use crate::host::text;
use crate::time::Instant;

const POLL: &str = "wasi:io/poll@0.2.";
const STREAMS: &str = "wasi:io/streams@0.2.";

/// Bytes that may be written at once, and those of one line.
const WRITE_BYTES_MAX: u32 = 4096;
/// Pollables of one call.
const POLLABLES_MAX: u32 = 64;
/// A guest sleeps so long at most in one call and then wakes early; stops must not wait for it.
const SLEEP_MAX: Duration = Duration::from_secs(10);
/// Bytes of `result<u64, stream-error>`.
const LONG_RESULT_BYTES: usize = 16;
/// Bytes of `result<_, stream-error>` and `result<list<u8>, stream-error>`.
const RESULT_BYTES: usize = 12;
/// Bytes of a list's address and count.
const LIST_BYTES: usize = 8;

fn found(caller: &Caller<'_>, number: u32) -> Option<Handle> {
    caller.state().component.handles.get(number)
}

/// A stream that is written to, by its handle: 0 for standard output, 1 for standard error.
fn output(caller: &Caller<'_>, number: u32) -> Option<usize> {
    match found(caller, number) {
        Some(Handle::Output(stream)) => Some(stream),
        _ => None,
    }
}

/// Logs the lines that have ended; what has no end waits for it, unless it is as long as a line may be.
fn write(caller: &mut Caller<'_>, services: &mut dyn Services, stream: usize, bytes: GuestSlice, to: u32) -> Outcome {
    let data = caller.bytes_of(bytes, WRITE_BYTES_MAX).map(Cow::into_owned);
    let Some(data) = data else {
        return Outcome::Trap("it wrote more than it was let, or from outside of its memory");
    };
    let mut line = caller.state_mut().unfinished_lines.get_mut(stream).map(core::mem::take).unwrap_or_default();
    line.extend(data);
    let end = match line.iter().rposition(|&byte| byte == b'\n') {
        Some(end) => end.saturating_add(1),
        None if line.len() >= WRITE_BYTES_MAX as usize => line.len(),
        None => 0,
    };
    let rest = line.split_off(end);
    if let Some(unfinished) = caller.state_mut().unfinished_lines.get_mut(stream) {
        *unfinished = rest;
    }
    let said = text::from_utf8(&line);
    let said = said.trim_end_matches(['\r', '\n']);
    caller.pay(u32::try_from(said.len()).unwrap_or(u32::MAX), PluginLimits::PARSE_WORK);
    if !said.is_empty() {
        services.log(if stream == 0 { log::Level::Info } else { log::Level::Warn }, said);
    }
    Answered::record(to, RESULT_BYTES).into()
}

const WRITE: Run = Run::Core(|caller, services, args| {
    let (stream, bytes, to): (u32, GuestSlice, u32) = (args.take()?, args.take()?, args.take()?);
    Ok(match output(caller, stream) {
        Some(stream) => write(caller, services, stream, bytes, to),
        None => NO_HANDLE,
    })
});

/// Everything is written at once.
const FLUSH: Run = Run::Core(|caller, _, args| {
    let (stream, to): (u32, u32) = (args.take()?, args.take()?);
    Ok(output(caller, stream).map_or(NO_HANDLE, |_| Answered::record(to, RESULT_BYTES).into()))
});

/// Standard input is at its end.
fn closed(caller: &Caller<'_>, stream: u32, to: u32, bytes: usize, at: usize) -> Outcome {
    if found(caller, stream) != Some(Handle::Input) {
        return NO_HANDLE;
    }
    let mut answer = Answered::record(to, bytes);
    answer.set(0, &[1]);
    answer.set(at, &[1]);
    answer.into()
}

const READ: Run = Run::Core(|caller, _, args| {
    let (stream, _, to): (u32, u64, u32) = (args.take()?, args.take()?, args.take()?);
    Ok(closed(caller, stream, to, RESULT_BYTES, 4))
});

const SKIP: Run = Run::Core(|caller, _, args| {
    let (stream, _, to): (u32, u64, u32) = (args.take()?, args.take()?, args.take()?);
    Ok(closed(caller, stream, to, LONG_RESULT_BYTES, 8))
});

/// Streams are always ready.
const SUBSCRIBE: Run = Run::Core(|caller, _, args| {
    let stream: u32 = args.take()?;
    Ok(match found(caller, stream) {
        Some(Handle::Input | Handle::Output(_)) => handle(caller, Handle::Pollable(Instant::default())),
        _ => NO_HANDLE,
    })
});

fn ready_at(caller: &Caller<'_>, number: u32) -> Option<Instant> {
    match found(caller, number) {
        Some(Handle::Pollable(at)) => Some(at),
        _ => None,
    }
}

/// Returns how long the guest sleeps until a time; `None` where it has come.
fn sleep(caller: &Caller<'_>, at: Instant) -> Option<(Instant, Duration)> {
    let now = caller.state().monotonic;
    let micros = at.0.checked_sub(now.0).filter(|micros| *micros > 0)?;
    let span = Duration::from_micros(micros).min(SLEEP_MAX);
    Some((now + span, span))
}

/// Waits for the first of some pollables: which one that is, is known before.
fn poll(caller: &Caller<'_>, list: GuestSlice, to: u32) -> Result<Outcome, &'static str> {
    if list.len == 0 || list.len > POLLABLES_MAX {
        return Err("it waits for nothing, or for more than 64 things at once");
    }
    let mut times = Vec::new();
    for index in 0..list.len {
        let at = index.checked_mul(4).and_then(|offset| list.ptr.checked_add(offset));
        let number = at.and_then(|at| caller.memory().word(at)).ok_or("a list lies outside of its memory")?;
        times.push(ready_at(caller, number).ok_or("it waits for a handle that is not there")?);
    }
    let now = caller.state().monotonic;
    let first = times.iter().copied().min().unwrap_or(now).max(now);
    let ready: Vec<u32> = (0_u32..).zip(&times).filter(|(_, at)| **at <= first).map(|(index, _)| index).collect();
    let data: Vec<u8> = ready.iter().flat_map(|index| index.to_le_bytes()).collect();
    let count = u32::try_from(ready.len()).unwrap_or(0);
    let mut answer = Answered::record(to, LIST_BYTES);
    answer.part(Part { data, align: 4, count, place: Place::Record(0) });
    answer.sleep(sleep(caller, first));
    Ok(answer.into())
}

pub(super) const ROWS: &[(&ImportRow, Flat)] = &[
    (
        &ImportRow::of(
            POLL,
            "[method]pollable.ready",
            Run::Core(|caller, _, args| {
                let pollable: u32 = args.take()?;
                let now = caller.state().monotonic;
                Ok(ready_at(caller, pollable).map_or(NO_HANDLE, |at| Outcome::Ret(Ret::Int((at <= now).into()))))
            }),
        ),
        "i>i",
    ),
    (
        &ImportRow::of(
            POLL,
            "[method]pollable.block",
            Run::Core(|caller, _, args| {
                let pollable: u32 = args.take()?;
                let Some(at) = ready_at(caller, pollable) else { return Ok(NO_HANDLE) };
                Ok(match sleep(caller, at) {
                    Some((until, span)) => Outcome::Sleep { until, span },
                    None => Outcome::Ret(Ret::Nothing),
                })
            }),
        ),
        "i>",
    ),
    (
        &ImportRow::of(
            POLL,
            "poll",
            Run::Core(|caller, _, args| {
                let (list, to): (GuestSlice, u32) = (args.take()?, args.take()?);
                caller.charge(list.len.saturating_mul(4));
                Ok(poll(caller, list, to).unwrap_or_else(Outcome::Trap))
            }),
        ),
        "iii>",
    ),
    (&ImportRow::of(STREAMS, "[method]input-stream.read", READ), "ili>"),
    (&ImportRow::of(STREAMS, "[method]input-stream.blocking-read", READ), "ili>"),
    (&ImportRow::of(STREAMS, "[method]input-stream.skip", SKIP), "ili>"),
    (&ImportRow::of(STREAMS, "[method]input-stream.blocking-skip", SKIP), "ili>"),
    (&ImportRow::of(STREAMS, "[method]input-stream.subscribe", SUBSCRIBE), "i>i"),
    (
        &ImportRow::of(
            STREAMS,
            "[method]output-stream.check-write",
            Run::Core(|caller, _, args| {
                let (stream, to): (u32, u32) = (args.take()?, args.take()?);
                let mut answer = Answered::record(to, LONG_RESULT_BYTES);
                answer.set(8, &u64::from(WRITE_BYTES_MAX).to_le_bytes());
                Ok(output(caller, stream).map_or(NO_HANDLE, |_| answer.into()))
            }),
        ),
        "ii>",
    ),
    (&ImportRow::of(STREAMS, "[method]output-stream.write", WRITE), "iiii>"),
    (&ImportRow::of(STREAMS, "[method]output-stream.blocking-write-and-flush", WRITE), "iiii>"),
    (&ImportRow::of(STREAMS, "[method]output-stream.flush", FLUSH), "ii>"),
    (&ImportRow::of(STREAMS, "[method]output-stream.blocking-flush", FLUSH), "ii>"),
    (&ImportRow::of(STREAMS, "[method]output-stream.subscribe", SUBSCRIBE), "i>i"),
];
