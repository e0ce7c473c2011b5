//! WASI preview 1: clocks, environment, randomness, and files below the plugin's own root (plugin ABI appendix B).

mod answer;
mod environment;
mod files;
mod output;
mod poll;

pub(in crate::host) use answer::FileAsk;

use alloc::vec::Vec;

use skiff_abi::import::WASI;

use super::{Args, Ask, Guest, Known, Outcome, Ret, WrongType};
use crate::host::memory::{GuestSlice, read_u32};

/// Success.
const ERRNO_SUCCESS: i32 = 0;
/// Bad file descriptor.
const ERRNO_BADF: i32 = 8;
/// Bad address.
pub(super) const ERRNO_FAULT: i32 = 21;
/// Illegal byte sequence.
const ERRNO_ILSEQ: i32 = 25;
/// Invalid argument.
const ERRNO_INVAL: i32 = 28;
/// Name too long.
const ERRNO_NAMETOOLONG: i32 = 37;
/// Function not implemented.
const ERRNO_NOSYS: i32 = 52;
/// Not a socket; what `sock_*` answers where there are none.
const ERRNO_NOTSOCK: i32 = 57;
/// Not supported.
const ERRNO_NOTSUP: i32 = 58;
/// Not permitted.
const ERRNO_PERM: i32 = 63;
/// Invalid seek.
const ERRNO_SPIPE: i32 = 70;

/// Vectors of one read or write; POSIX allows 1024.
const IOVECS_MAX: u32 = 1024;
/// Descriptors of standard input, output and error.
const STDIO: core::ops::RangeInclusive<u32> = 0..=2;

const fn entry(name: &'static str, handler: super::Handler) -> Known {
    Known { module: WASI, name, handler, failure: Ret::Int(ERRNO_INVAL) }
}

pub(super) const TABLE: &[Known] = &[
    entry("args_get", |_, _| errno(ERRNO_SUCCESS)),
    entry("args_sizes_get", environment::args_sizes_get),
    entry("environ_get", environment::environ_get),
    entry("environ_sizes_get", environment::environ_sizes_get),
    entry("clock_time_get", environment::clock_time_get),
    entry("clock_res_get", environment::clock_res_get),
    entry("random_get", environment::random_get),
    entry("sched_yield", |_, _| errno(ERRNO_SUCCESS)),
    entry("proc_exit", |_, args| Ok(Outcome::Exit(args.int(0)?))),
    entry("poll_oneoff", poll::poll_oneoff),
    entry("fd_write", files::fd_write),
    entry("fd_pwrite", files::fd_pwrite),
    entry("fd_read", files::fd_read),
    entry("fd_pread", files::fd_pread),
    entry("fd_close", files::fd_close),
    entry("fd_seek", files::fd_seek),
    entry("fd_tell", files::fd_tell),
    entry("fd_sync", files::fd_sync),
    entry("fd_datasync", files::fd_sync),
    entry("fd_readdir", files::fd_readdir),
    entry("fd_fdstat_get", files::fd_fdstat_get),
    entry("fd_fdstat_set_flags", files::fd_fdstat_set_flags),
    entry("fd_fdstat_set_rights", files::accepted_if_open),
    entry("fd_advise", files::accepted_if_open),
    entry("fd_filestat_get", files::fd_filestat_get),
    entry("fd_filestat_set_size", files::fd_filestat_set_size),
    // The medium keeps no times.
    entry("fd_filestat_set_times", files::accepted_if_open),
    entry("fd_allocate", files::fd_allocate),
    entry("fd_renumber", files::fd_renumber),
    entry("fd_prestat_get", files::fd_prestat_get),
    entry("fd_prestat_dir_name", files::fd_prestat_dir_name),
    entry("path_open", files::path_open),
    entry("path_filestat_get", files::path_filestat_get),
    entry("path_create_directory", files::path_create_directory),
    entry("path_remove_directory", files::path_remove_directory),
    entry("path_unlink_file", files::path_unlink_file),
    entry("path_rename", files::path_rename),
    entry("path_readlink", files::path_readlink),
    entry("path_symlink", files::path_symlink),
    entry("path_filestat_set_times", |_, _| errno(ERRNO_NOTSUP)),
    entry("path_link", |_, _| errno(ERRNO_NOTSUP)),
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
    store_in(guest.memory_mut(), ptr, bytes)
}

fn store_in(memory: &mut [u8], ptr: u32, bytes: &[u8]) -> bool {
    let len = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
    GuestSlice { ptr, len }.write(memory, bytes)
}

fn stored(done: bool) -> Result<Outcome, WrongType> {
    errno(if done { ERRNO_SUCCESS } else { ERRNO_FAULT })
}

/// Reads the vectors at `list`, each checked against the memory; `None` when one leaves it.
fn vectors(memory: &[u8], list: u32, count: u32) -> Option<Vec<GuestSlice>> {
    let mut all = Vec::new();
    for index in 0..count.min(IOVECS_MAX) {
        let at = list.checked_add(index.checked_mul(8)?)?;
        let slice = GuestSlice { ptr: read_u32(memory, at)?, len: read_u32(memory, at.checked_add(4)?)? };
        slice.read(memory)?;
        all.push(slice);
    }
    Some(all)
}
