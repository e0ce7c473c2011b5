//! `poll_oneoff`: clocks by suspension, files at once.

use alloc::vec::Vec;
use core::time::Duration;

use super::{
    Args, Ask, ERRNO_BADF, ERRNO_FAULT, ERRNO_INVAL, ERRNO_NOTSUP, ERRNO_SUCCESS, Guest, Outcome, STDIO, WrongType,
};
use super::{errno, store};
use crate::host::memory::GuestSlice;

/// Subscriptions of one call.
const SUBSCRIPTIONS_MAX: u32 = 64;
/// Bytes of a `subscription`.
const SUBSCRIPTION_BYTES: usize = 48;
/// Bytes of an `event`.
const EVENT_BYTES: usize = 32;
/// A guest sleeps so long at most in one call and then wakes early, as preview 1 allows; stops must not wait for it.
pub(in crate::host) const SLEEP_MAX: Duration = Duration::from_secs(10);
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
    error: i32,
    /// Time until it happens, microseconds; 0 for what is ready.
    in_micros: u64,
}

fn field<const N: usize>(bytes: &[u8], at: usize) -> [u8; N] {
    let found = bytes.get(at..at.saturating_add(N)).and_then(|part| part.try_into().ok());
    found.unwrap_or([0; N])
}

/// Reads one subscription; wall and monotonic time in microseconds.
fn wish(bytes: &[u8], guest: &Guest<'_>, wall: u64, monotonic: u64) -> Wish {
    let [kind] = field(bytes, 8);
    let userdata = field(bytes, 0);
    let ready = |error| Wish { userdata, kind, error, in_micros: 0 };
    match kind {
        0 => {
            let timeout = u64::from_le_bytes(field(bytes, 24)).div_ceil(NANOS_PER_MICRO);
            let now = match u32::from_le_bytes(field(bytes, 16)) {
                0 => wall,
                1..=3 => monotonic,
                _ => return ready(ERRNO_INVAL),
            };
            let is_time = u16::from_le_bytes(field(bytes, 40)) & ABSOLUTE != 0;
            let in_micros = if is_time { timeout.saturating_sub(now) } else { timeout };
            Wish { userdata, kind, error: ERRNO_SUCCESS, in_micros }
        }
        1 | 2 => {
            let fd = u32::from_le_bytes(field(bytes, 16));
            let open = guest.state().files.as_ref().is_some_and(|files| files.stat(fd).is_ok());
            ready(if STDIO.contains(&fd) || open { ERRNO_SUCCESS } else { ERRNO_BADF })
        }
        _ => ready(ERRNO_NOTSUP),
    }
}

/// Writes the events of whatever comes first, and lets the guest sleep until then.
pub(super) fn poll_oneoff(guest: &mut Guest<'_>, args: &Args<'_>) -> Result<Outcome, WrongType> {
    let (from, out, count, into) = (args.uint(0)?, args.uint(1)?, args.uint(2)?, args.uint(3)?);
    if count == 0 || count > SUBSCRIPTIONS_MAX {
        return errno(ERRNO_INVAL);
    }
    let list = GuestSlice { ptr: from, len: count.saturating_mul(48) };
    let (wall, monotonic) = (guest.state().wall.0, guest.state().monotonic.0);
    let wall = u64::try_from(wall).unwrap_or(0).saturating_mul(MICROS_PER_MILLI);
    let Some(bytes) = list.read(guest.memory()) else { return errno(ERRNO_FAULT) };
    let wishes: Vec<Wish> = bytes.chunks(SUBSCRIPTION_BYTES).map(|bytes| wish(bytes, guest, wall, monotonic)).collect();
    let first = wishes.iter().map(|wish| wish.in_micros).min().unwrap_or(0);
    let mut events = Vec::new();
    let mut happened = 0_u32;
    for wish in wishes.iter().filter(|wish| wish.in_micros == first) {
        happened = happened.saturating_add(1);
        events.extend(wish.userdata);
        events.extend(u16::try_from(wish.error).unwrap_or(0).to_le_bytes());
        events.extend([wish.kind, 0, 0, 0, 0, 0]);
        events.resize(events.len().next_multiple_of(EVENT_BYTES), 0);
    }
    guest.charge(list.len);
    if !store(guest, out, &events) || !store(guest, into, &happened.to_le_bytes()) {
        return errno(ERRNO_FAULT);
    }
    // Nothing to wait for, or nobody to wake the guest: the start section runs in one piece.
    if first == 0 || guest.state().memory.is_none() {
        return errno(ERRNO_SUCCESS);
    }
    let span = Duration::from_micros(first).min(SLEEP_MAX);
    let until = guest.state().monotonic + span;
    Ok(Outcome::Ask(Ask::Sleep { until, span }))
}
