//! Standard output and standard error: the plugin's log, line by line.

use alloc::string::String;
use alloc::vec::Vec;

use super::{Args, Ask, ERRNO_FAULT, ERRNO_INVAL, ERRNO_SUCCESS, Guest, IOVECS_MAX, Outcome, WrongType, errno, store};
use crate::host::memory::{GuestSlice, read_u32};
use crate::host::text;

/// Bytes of one line written to standard output.
const LINE_BYTES_MAX: usize = 4096;

/// `fd_write` to descriptor 1 or 2.
pub(super) fn write_line(guest: &mut Guest<'_>, args: &Args<'_>) -> Result<Outcome, WrongType> {
    let (fd, list, count, written_at) = (args.int(0)?, args.uint(1)?, args.uint(2)?, args.uint(3)?);
    let (level, stream) = match fd {
        1 => (log::Level::Info, 0),
        2 => (log::Level::Warn, 1),
        _ => return errno(super::ERRNO_BADF),
    };
    if count > IOVECS_MAX {
        return errno(ERRNO_INVAL);
    }
    let mut bytes = guest.state_mut().unfinished_lines.get_mut(stream).map(core::mem::take).unwrap_or_default();
    let kept = bytes.len();
    let gathered = gather(guest.memory(), list, count, &mut bytes);
    // Without a stored count the standard libraries of Rust and Go write again for ever.
    let total = gathered.filter(|total| store(guest, written_at, &total.to_le_bytes()));
    let Some(total) = total else {
        bytes.truncate(kept);
        keep(guest, stream, bytes);
        return errno(ERRNO_FAULT);
    };
    guest.charge(total);
    // A line that has no end yet waits for it, unless it is as long as a line may be.
    let end = match bytes.iter().rposition(|&byte| byte == b'\n') {
        Some(end) => end.saturating_add(1),
        None if bytes.len() >= LINE_BYTES_MAX => bytes.len(),
        None => 0,
    };
    let rest = bytes.split_off(end);
    keep(guest, stream, rest);
    let text = text::from_utf8(&bytes);
    let text = text.trim_end_matches(['\r', '\n']);
    if text.is_empty() {
        return errno(ERRNO_SUCCESS);
    }
    Ok(Outcome::Ask(Ask::LogThen(level, String::from(text), ERRNO_SUCCESS)))
}

fn keep(guest: &mut Guest<'_>, stream: usize, rest: Vec<u8>) {
    if let Some(line) = guest.state_mut().unfinished_lines.get_mut(stream) {
        *line = rest;
    }
}

/// Appends what the vectors at `list` name, up to the length of a line; returns all their bytes, `None` when one
/// leaves the memory.
fn gather(memory: &[u8], list: u32, count: u32, bytes: &mut Vec<u8>) -> Option<u32> {
    let mut total = 0_u32;
    for index in 0..count {
        let at = list.checked_add(index.checked_mul(8)?)?;
        let (ptr, len) = (read_u32(memory, at)?, read_u32(memory, at.checked_add(4)?)?);
        let part = GuestSlice { ptr, len }.read(memory)?;
        let room = LINE_BYTES_MAX.saturating_sub(bytes.len());
        bytes.extend_from_slice(part.get(..room.min(part.len())).unwrap_or_default());
        total = total.saturating_add(len);
    }
    Some(total)
}
