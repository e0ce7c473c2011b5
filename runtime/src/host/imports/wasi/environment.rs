//! Arguments, environment, clocks and randomness.

use alloc::format;
use alloc::vec::Vec;

use super::{Args, Ask, ERRNO_INVAL, Guest, Outcome, WrongType, errno, store, stored};

/// Nanoseconds in a millisecond.
const NANOS_PER_MILLI: u64 = 1_000_000;

pub(super) fn args_sizes_get(guest: &mut Guest<'_>, args: &Args<'_>) -> Result<Outcome, WrongType> {
    let done = store(guest, args.uint(0)?, &[0; 4]) && store(guest, args.uint(1)?, &[0; 4]);
    stored(done)
}

/// The environment: `PLUGIN_ID=<package name>` and nothing else (plugin ABI §7).
fn environment(guest: &Guest<'_>) -> Vec<u8> {
    format!("PLUGIN_ID={}\0", guest.state().package).into_bytes()
}

pub(super) fn environ_sizes_get(guest: &mut Guest<'_>, args: &Args<'_>) -> Result<Outcome, WrongType> {
    let bytes = u32::try_from(environment(guest).len()).unwrap_or(0);
    let done = store(guest, args.uint(0)?, &1_u32.to_le_bytes()) && store(guest, args.uint(1)?, &bytes.to_le_bytes());
    stored(done)
}

pub(super) fn environ_get(guest: &mut Guest<'_>, args: &Args<'_>) -> Result<Outcome, WrongType> {
    let text = environment(guest);
    let at = args.uint(1)?;
    let done = store(guest, args.uint(0)?, &at.to_le_bytes()) && store(guest, at, &text);
    stored(done)
}

pub(super) fn clock_time_get(guest: &mut Guest<'_>, args: &Args<'_>) -> Result<Outcome, WrongType> {
    let state = guest.state();
    let nanos = match args.int(0)? {
        0 => u64::try_from(state.wall.0).unwrap_or(0).saturating_mul(NANOS_PER_MILLI),
        // Never 0, which Go takes for a clock that is broken.
        1..=3 => state.monotonic.0.saturating_mul(1000).max(1),
        _ => return errno(ERRNO_INVAL),
    };
    // The precision asked for stands between the two; a guest that leaves it out declares fewer parameters.
    let _ = args.long(1)?;
    let done = store(guest, args.uint(2)?, &nanos.to_le_bytes());
    stored(done)
}

pub(super) fn clock_res_get(guest: &mut Guest<'_>, args: &Args<'_>) -> Result<Outcome, WrongType> {
    if !(0..=3).contains(&args.int(0)?) {
        return errno(ERRNO_INVAL);
    }
    let done = store(guest, args.uint(1)?, &NANOS_PER_MILLI.to_le_bytes());
    stored(done)
}

pub(super) fn random_get(guest: &mut Guest<'_>, args: &Args<'_>) -> Result<Outcome, WrongType> {
    let into = args.slice(0)?;
    if into.read(guest.memory()).is_none() {
        return errno(super::ERRNO_FAULT);
    }
    guest.charge(into.len);
    Ok(Outcome::Ask(Ask::Random { into }))
}
