//! Standard output and standard error: the plugin's log, line by line.

use alloc::vec::Vec;

use super::{Done, Errno, IOVECS_MAX, put};
use crate::budget::PluginLimits;
use crate::host::Services;
use crate::host::engine::{GuestSlice, Linear};
use crate::host::imports::Caller;
use crate::host::text;

/// Bytes of one line written to standard output.
const LINE_BYTES_MAX: usize = 4096;

/// `fd_write` to descriptor 1 or 2.
pub(super) fn write_line(
    caller: &mut Caller<'_>,
    services: &mut dyn Services,
    fd: u32,
    list: GuestSlice,
    written: u32,
) -> Done {
    let (level, stream) = match fd {
        1 => (log::Level::Info, 0),
        2 => (log::Level::Warn, 1),
        _ => return Err(Errno::BADF),
    };
    if list.len > IOVECS_MAX {
        return Err(Errno::INVAL);
    }
    let mut bytes = caller.state_mut().unfinished_lines.get_mut(stream).map(core::mem::take).unwrap_or_default();
    let kept = bytes.len();
    let gathered = gather(caller.memory(), list, &mut bytes).ok_or(Errno::FAULT);
    // Without a stored count the standard libraries of Rust and Go write again for ever.
    let stored = gathered.and_then(|total| put(caller, written, &total.to_le_bytes()).map(|()| total));
    if stored.is_err() {
        bytes.truncate(kept);
    }
    // A line that has no end yet waits for it, unless it is as long as a line may be.
    let end = match bytes.iter().rposition(|&byte| byte == b'\n') {
        _ if stored.is_err() => 0,
        Some(end) => end.saturating_add(1),
        None if bytes.len() >= LINE_BYTES_MAX => bytes.len(),
        None => 0,
    };
    let rest = bytes.split_off(end);
    if let Some(line) = caller.state_mut().unfinished_lines.get_mut(stream) {
        *line = rest;
    }
    caller.charge(stored?);
    let text = text::from_utf8(&bytes);
    let text = text.trim_end_matches(['\r', '\n']);
    caller.pay(u32::try_from(text.len()).unwrap_or(u32::MAX), PluginLimits::PARSE_WORK);
    if !text.is_empty() {
        services.log(level, text);
    }
    Ok(())
}

/// Appends what the vectors of a list name, up to the length of a line; returns all their bytes, `None` when one
/// leaves the memory.
fn gather(memory: Linear<'_>, list: GuestSlice, bytes: &mut Vec<u8>) -> Option<u32> {
    let mut total = 0_u32;
    for index in 0..list.len {
        let at = list.ptr.checked_add(index.checked_mul(8)?)?;
        let (ptr, len) = (memory.word(at)?, memory.word(at.checked_add(4)?)?);
        let part = GuestSlice { ptr, len };
        if !memory.holds(part) {
            return None;
        }
        bytes.extend_from_slice(&memory.bytes(part.cut(LINE_BYTES_MAX.saturating_sub(bytes.len())))?);
        total = total.saturating_add(len);
    }
    Some(total)
}
