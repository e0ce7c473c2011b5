//! Arguments, environment, clocks, randomness, and the end.

use alloc::format;
use alloc::vec::Vec;

use super::{Done, Errno, check, put};
use crate::budget::PluginLimits;
use crate::host::Services;
use crate::host::engine::GuestSlice;
use crate::host::imports::{Caller, Outcome};

/// Nanoseconds in a millisecond.
const NANOS_PER_MILLI: u64 = 1_000_000;
/// Random bytes drawn at once.
const RANDOM_CHUNK_BYTES: usize = 64;

/// There are no arguments.
pub(in crate::host::imports) fn args_get(_: &mut Caller<'_>, _list: u32, _texts: u32) -> Done {
    Ok(())
}

pub(in crate::host::imports) fn args_sizes_get(caller: &mut Caller<'_>, count: u32, bytes: u32) -> Done {
    put(caller, count, &[0; 4])?;
    put(caller, bytes, &[0; 4])
}

/// The environment: `PLUGIN_ID=<package name>` and nothing else (plugin ABI §7).
fn environment(caller: &Caller<'_>) -> Vec<u8> {
    format!("PLUGIN_ID={}\0", caller.state().package).into_bytes()
}

pub(in crate::host::imports) fn environ_sizes_get(caller: &mut Caller<'_>, count: u32, bytes: u32) -> Done {
    let len = u32::try_from(environment(caller).len()).unwrap_or(0);
    put(caller, count, &1_u32.to_le_bytes())?;
    put(caller, bytes, &len.to_le_bytes())
}

pub(in crate::host::imports) fn environ_get(caller: &mut Caller<'_>, list: u32, texts: u32) -> Done {
    let text = environment(caller);
    put(caller, list, &texts.to_le_bytes())?;
    put(caller, texts, &text)
}

pub(in crate::host::imports) fn clock_time_get(
    caller: &mut Caller<'_>,
    clock: i32,
    _precision: i64,
    into: u32,
) -> Done {
    let state = caller.state();
    let nanos = match clock {
        0 => u64::try_from(state.wall.0).unwrap_or(0).saturating_mul(NANOS_PER_MILLI),
        // Never 0, which Go takes for a clock that is broken.
        1..=3 => state.monotonic.0.saturating_mul(1000).max(1),
        _ => return Err(Errno::INVAL),
    };
    put(caller, into, &nanos.to_le_bytes())
}

pub(in crate::host::imports) fn clock_res_get(caller: &mut Caller<'_>, clock: i32, into: u32) -> Done {
    if !(0..=3).contains(&clock) {
        return Err(Errno::INVAL);
    }
    put(caller, into, &NANOS_PER_MILLI.to_le_bytes())
}

pub(in crate::host::imports) fn random_get(
    caller: &mut Caller<'_>,
    services: &mut dyn Services,
    into: GuestSlice,
) -> Done {
    check(caller, into.ptr, into.len)?;
    caller.pay(into.len, PluginLimits::RANDOM_WORK);
    let (mut at, mut left) = (into.ptr, into.len as usize);
    let mut chunk = [0_u8; RANDOM_CHUNK_BYTES];
    while left > 0 {
        let Some(part) = chunk.get_mut(..left.min(RANDOM_CHUNK_BYTES)) else { break };
        services.random(part);
        put(caller, at, part)?;
        at = at.saturating_add(u32::try_from(part.len()).unwrap_or(u32::MAX));
        left = left.saturating_sub(part.len());
    }
    Ok(())
}

pub(in crate::host::imports) fn sched_yield(_: &mut Caller<'_>) -> Done {
    Ok(())
}

pub(in crate::host::imports) fn proc_exit(_: &mut Caller<'_>, code: i32) -> Outcome {
    Outcome::Exit(code)
}

pub(in crate::host::imports) fn proc_raise(_: &mut Caller<'_>, _signal: i32) -> Done {
    Err(Errno::NOSYS)
}
