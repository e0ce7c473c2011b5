//! WASI preview 1: enough for a guest's standard library to start, print and read the clock.
//!
//! There is no file system yet: no directory is preopened, and every path answers an error number.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use skiff_abi::import::WASI;

use super::{Args, Ask, Guest, Known, Outcome, Ret, WrongType};
use crate::host::memory::{GuestSlice, read_u32};
use crate::host::text;

/// Success.
const ERRNO_SUCCESS: i32 = 0;
/// Bad file descriptor.
const ERRNO_BADF: i32 = 8;
/// Bad address.
pub(super) const ERRNO_FAULT: i32 = 21;
/// Invalid argument.
const ERRNO_INVAL: i32 = 28;
/// Function not implemented.
const ERRNO_NOSYS: i32 = 52;
/// Not a socket; what `sock_*` answers where there are none.
const ERRNO_NOTSOCK: i32 = 57;
/// Not supported.
const ERRNO_NOTSUP: i32 = 58;

/// Buffers of one `fd_write`; POSIX allows 1024.
const IOVECS_MAX: u32 = 1024;
/// Bytes of one line written to standard output.
const LINE_BYTES_MAX: usize = 4096;
/// File type `character_device` of `fd_fdstat_get`.
const FILETYPE_CHARACTER_DEVICE: u8 = 2;
/// Right `fd_write`.
const RIGHT_FD_WRITE: u64 = 1 << 6;
/// Nanoseconds in a millisecond.
const NANOS_PER_MILLI: u64 = 1_000_000;

const fn entry(name: &'static str, handler: super::Handler) -> Known {
    Known { module: WASI, name, handler, failure: Ret::Int(ERRNO_INVAL) }
}

pub(super) const TABLE: &[Known] = &[
    entry("args_get", |_, _| errno(ERRNO_SUCCESS)),
    entry("args_sizes_get", args_sizes_get),
    entry("environ_get", environ_get),
    entry("environ_sizes_get", environ_sizes_get),
    entry("clock_time_get", clock_time_get),
    entry("clock_res_get", clock_res_get),
    entry("fd_write", fd_write),
    entry("fd_fdstat_get", fd_fdstat_get),
    entry("random_get", random_get),
    entry("sched_yield", |_, _| errno(ERRNO_SUCCESS)),
    entry("proc_exit", |_, args| Ok(Outcome::Exit(args.int(0)?))),
    // Standard input has no reader behind it; an end of file without a stored count would loop.
    entry("fd_read", |_, _| errno(ERRNO_BADF)),
    entry("fd_close", |_, _| errno(ERRNO_BADF)),
    entry("fd_filestat_get", |_, _| errno(ERRNO_BADF)),
    entry("fd_prestat_get", |_, _| errno(ERRNO_BADF)),
    entry("fd_prestat_dir_name", |_, _| errno(ERRNO_BADF)),
    entry("fd_readdir", |_, _| errno(ERRNO_BADF)),
    entry("fd_seek", |_, _| errno(ERRNO_BADF)),
    entry("fd_tell", |_, _| errno(ERRNO_BADF)),
    entry("fd_pread", |_, _| errno(ERRNO_BADF)),
    entry("fd_pwrite", |_, _| errno(ERRNO_BADF)),
    entry("fd_sync", |_, _| errno(ERRNO_BADF)),
    entry("fd_datasync", |_, _| errno(ERRNO_BADF)),
    entry("fd_filestat_set_size", |_, _| errno(ERRNO_BADF)),
    entry("fd_fdstat_set_flags", |_, _| errno(ERRNO_BADF)),
    entry("fd_advise", |_, _| errno(ERRNO_BADF)),
    entry("fd_allocate", |_, _| errno(ERRNO_BADF)),
    entry("fd_fdstat_set_rights", |_, _| errno(ERRNO_BADF)),
    entry("fd_filestat_set_times", |_, _| errno(ERRNO_BADF)),
    entry("fd_renumber", |_, _| errno(ERRNO_BADF)),
    entry("path_open", |_, _| errno(ERRNO_BADF)),
    entry("path_filestat_get", |_, _| errno(ERRNO_BADF)),
    entry("path_create_directory", |_, _| errno(ERRNO_BADF)),
    entry("path_remove_directory", |_, _| errno(ERRNO_BADF)),
    entry("path_unlink_file", |_, _| errno(ERRNO_BADF)),
    entry("path_rename", |_, _| errno(ERRNO_BADF)),
    entry("path_readlink", |_, _| errno(ERRNO_BADF)),
    entry("path_symlink", |_, _| errno(ERRNO_NOTSUP)),
    entry("path_filestat_set_times", |_, _| errno(ERRNO_BADF)),
    entry("path_link", |_, _| errno(ERRNO_NOTSUP)),
    entry("poll_oneoff", |_, _| errno(ERRNO_NOTSUP)),
    entry("proc_raise", |_, _| errno(ERRNO_NOSYS)),
    entry("sock_accept", |_, _| errno(ERRNO_NOTSOCK)),
    entry("sock_recv", |_, _| errno(ERRNO_NOTSOCK)),
    entry("sock_send", |_, _| errno(ERRNO_NOTSOCK)),
    entry("sock_shutdown", |_, _| errno(ERRNO_NOTSOCK)),
];

#[expect(clippy::unnecessary_wraps, reason = "the shape of a handler")]
fn errno(number: i32) -> Result<Outcome, WrongType> {
    Ok(Outcome::Done(Ret::Int(number)))
}

/// Stores `bytes` at `ptr`, all or nothing.
fn store(guest: &mut Guest<'_>, ptr: u32, bytes: &[u8]) -> bool {
    let len = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
    GuestSlice { ptr, len }.write(guest.memory_mut(), bytes)
}

fn stored(done: bool) -> Result<Outcome, WrongType> {
    errno(if done { ERRNO_SUCCESS } else { ERRNO_FAULT })
}

fn args_sizes_get(guest: &mut Guest<'_>, args: &Args<'_>) -> Result<Outcome, WrongType> {
    let done = store(guest, args.uint(0)?, &[0; 4]) && store(guest, args.uint(1)?, &[0; 4]);
    stored(done)
}

/// The environment: `PLUGIN_ID=<package name>` and nothing else (plugin ABI §7).
fn environment(guest: &Guest<'_>) -> Vec<u8> {
    format!("PLUGIN_ID={}\0", guest.state().package).into_bytes()
}

fn environ_sizes_get(guest: &mut Guest<'_>, args: &Args<'_>) -> Result<Outcome, WrongType> {
    let bytes = u32::try_from(environment(guest).len()).unwrap_or(0);
    let done = store(guest, args.uint(0)?, &1_u32.to_le_bytes()) && store(guest, args.uint(1)?, &bytes.to_le_bytes());
    stored(done)
}

fn environ_get(guest: &mut Guest<'_>, args: &Args<'_>) -> Result<Outcome, WrongType> {
    let text = environment(guest);
    let at = args.uint(1)?;
    let done = store(guest, args.uint(0)?, &at.to_le_bytes()) && store(guest, at, &text);
    stored(done)
}

fn clock_time_get(guest: &mut Guest<'_>, args: &Args<'_>) -> Result<Outcome, WrongType> {
    let state = guest.state();
    let nanos = match args.int(0)? {
        0 => u64::try_from(state.wall.0).unwrap_or(0).saturating_mul(NANOS_PER_MILLI),
        1..=3 => state.monotonic.0.saturating_mul(1000),
        _ => return errno(ERRNO_INVAL),
    };
    // The precision asked for stands between the two; a guest that leaves it out declares fewer parameters.
    let _ = args.long(1)?;
    let done = store(guest, args.uint(2)?, &nanos.to_le_bytes());
    stored(done)
}

fn clock_res_get(guest: &mut Guest<'_>, args: &Args<'_>) -> Result<Outcome, WrongType> {
    if !(0..=3).contains(&args.int(0)?) {
        return errno(ERRNO_INVAL);
    }
    let done = store(guest, args.uint(1)?, &NANOS_PER_MILLI.to_le_bytes());
    stored(done)
}

fn fd_fdstat_get(guest: &mut Guest<'_>, args: &Args<'_>) -> Result<Outcome, WrongType> {
    if !(0..=2).contains(&args.int(0)?) {
        return errno(ERRNO_BADF);
    }
    let mut stat = [0_u8; 24];
    stat[0] = FILETYPE_CHARACTER_DEVICE;
    stat[8..16].copy_from_slice(&RIGHT_FD_WRITE.to_le_bytes());
    let done = store(guest, args.uint(1)?, &stat);
    stored(done)
}

fn random_get(_: &mut Guest<'_>, args: &Args<'_>) -> Result<Outcome, WrongType> {
    Ok(Outcome::Ask(Ask::Random { into: args.slice(0)? }))
}

/// Descriptors 1 and 2 go to the plugin's log, line by line.
fn fd_write(guest: &mut Guest<'_>, args: &Args<'_>) -> Result<Outcome, WrongType> {
    let (fd, list, count, written_at) = (args.int(0)?, args.uint(1)?, args.uint(2)?, args.uint(3)?);
    let (level, stream) = match fd {
        1 => (log::Level::Info, 0),
        2 => (log::Level::Warn, 1),
        _ => return errno(ERRNO_BADF),
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
