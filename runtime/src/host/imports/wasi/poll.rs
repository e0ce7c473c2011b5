//! `poll_oneoff`: clocks by suspension, files at once.

use alloc::vec::Vec;
use core::time::Duration;

use super::{Errno, STDIO, put};
use crate::host::Services;
use crate::host::engine::GuestSlice;
use crate::host::imports::{Caller, Outcome};

/// Subscriptions of one call.
const SUBSCRIPTIONS_MAX: u32 = 64;
/// Bytes of a `subscription`.
const SUBSCRIPTION_BYTES: usize = 48;
/// Bytes of an `event`.
const EVENT_BYTES: usize = 32;
/// A guest sleeps so long at most in one call and then wakes early, as preview 1 allows; stops must not wait for it.
const SLEEP_MAX: Duration = Duration::from_secs(10);
/// Clock flag: the timeout is a time, not a span.
const ABSOLUTE: u16 = 1;
/// Nanoseconds in a microsecond.
const NANOS_PER_MICRO: u64 = 1000;
/// Microseconds in a millisecond.
const MICROS_PER_MILLI: u64 = 1000;

/// One subscription: who asks, and what happens.
struct Wish {
    userdata: [u8; 8],
    kind: u8,
    error: Option<Errno>,
    /// Time until it happens, microseconds; 0 for what is ready.
    in_micros: u64,
}

fn field<const N: usize>(bytes: &[u8], at: usize) -> [u8; N] {
    let found = bytes.get(at..at.saturating_add(N)).and_then(|part| part.try_into().ok());
    found.unwrap_or([0; N])
}

/// Reads one subscription; wall and monotonic time in microseconds.
fn wish(bytes: &[u8], caller: &Caller<'_>, wall: u64, monotonic: u64) -> Wish {
    let [kind] = field(bytes, 8);
    let userdata = field(bytes, 0);
    let ready = |error| Wish { userdata, kind, error, in_micros: 0 };
    match kind {
        0 => {
            let timeout = u64::from_le_bytes(field(bytes, 24)).div_ceil(NANOS_PER_MICRO);
            let now = match u32::from_le_bytes(field(bytes, 16)) {
                0 => wall,
                1..=3 => monotonic,
                _ => return ready(Some(Errno::INVAL)),
            };
            let is_time = u16::from_le_bytes(field(bytes, 40)) & ABSOLUTE != 0;
            let in_micros = if is_time { timeout.saturating_sub(now) } else { timeout };
            Wish { userdata, kind, error: None, in_micros }
        }
        1 | 2 => {
            let fd = u32::from_le_bytes(field(bytes, 16));
            let open = caller.state().files.as_ref().is_some_and(|files| files.stat(fd).is_ok());
            ready(if STDIO.contains(&fd) || open { None } else { Some(Errno::BADF) })
        }
        _ => ready(Some(Errno::NOTSUP)),
    }
}

/// Writes the events of whatever comes first, and lets the guest sleep until then.
pub(in crate::host::imports) fn poll_oneoff(
    caller: &mut Caller<'_>,
    _: &mut dyn Services,
    subscriptions: u32,
    events: u32,
    count: u32,
    into: u32,
) -> Outcome {
    match happened(caller, subscriptions, events, count, into) {
        // Nothing to wait for, or nobody to wake the guest: the start section runs in one piece.
        Ok(first) if first == 0 || caller.is_inert() => Outcome::from(Ok::<(), Errno>(())),
        Ok(first) => {
            let span = Duration::from_micros(first).min(SLEEP_MAX);
            Outcome::Sleep { until: caller.state().monotonic + span, span }
        }
        Err(number) => Outcome::from(Err::<(), _>(number)),
    }
}

/// Writes the events of whatever comes first; returns how far off that is, microseconds.
fn happened(caller: &mut Caller<'_>, subscriptions: u32, out: u32, count: u32, into: u32) -> Result<u64, Errno> {
    if count == 0 || count > SUBSCRIPTIONS_MAX {
        return Err(Errno::INVAL);
    }
    let list = GuestSlice { ptr: subscriptions, len: count.saturating_mul(48) };
    let (wall, monotonic) = (caller.state().wall.0, caller.state().monotonic.0);
    let wall = u64::try_from(wall).unwrap_or(0).saturating_mul(MICROS_PER_MILLI);
    let bytes = caller.bytes(list).ok_or(Errno::FAULT)?;
    let wishes: Vec<Wish> =
        bytes.chunks(SUBSCRIPTION_BYTES).map(|bytes| wish(bytes, caller, wall, monotonic)).collect();
    let first = wishes.iter().map(|wish| wish.in_micros).min().unwrap_or(0);
    let mut events = Vec::new();
    let mut happened = 0_u32;
    for wish in wishes.iter().filter(|wish| wish.in_micros == first) {
        happened = happened.saturating_add(1);
        events.extend(wish.userdata);
        events.extend(u16::try_from(wish.error.map_or(0, |Errno(number)| number)).unwrap_or(0).to_le_bytes());
        events.extend([wish.kind, 0, 0, 0, 0, 0]);
        events.resize(events.len().next_multiple_of(EVENT_BYTES), 0);
    }
    caller.charge(list.len);
    put(caller, out, &events)?;
    put(caller, into, &happened.to_le_bytes())?;
    Ok(first)
}
