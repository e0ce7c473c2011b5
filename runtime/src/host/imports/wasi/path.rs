//! Paths below a descriptor.

use alloc::string::String;

use super::files::{FDFLAG_APPEND, RIGHT_FD_READ, RIGHT_FD_WRITE, on_files, size_of};
use super::folder::filestat_of;
use super::{Done, Errno, check, put};
use crate::budget::PluginLimits;
use crate::host::Services;
use crate::host::engine::GuestSlice;
use crate::host::imports::Caller;
use crate::vfs::OpenOptions;

/// Bytes of a path a guest hands over; what a plugin's files can have is shorter (`vfs::path`).
const PATH_TEXT_BYTES_MAX: u32 = 1024;

/// Reads a path.
fn text(caller: &mut Caller<'_>, slice: GuestSlice) -> Result<String, Errno> {
    if slice.len > PATH_TEXT_BYTES_MAX {
        return Err(Errno::NAMETOOLONG);
    }
    caller.charge(slice.len);
    let bytes = caller.bytes(slice).ok_or(Errno::FAULT)?;
    core::str::from_utf8(&bytes).map(String::from).map_err(|_| Errno::ILSEQ)
}

#[expect(clippy::too_many_arguments, reason = "WASI's signature")]
pub(in crate::host::imports) fn path_open(
    caller: &mut Caller<'_>,
    services: &mut dyn Services,
    fd: u32,
    _lookup: i32,
    path: GuestSlice,
    how: i32,
    rights: u64,
    _inheriting: u64,
    flags: i32,
    into: u32,
) -> Done {
    let options = OpenOptions {
        create: how & 1 != 0,
        folder: how & 2 != 0,
        exclusive: how & 4 != 0,
        truncate: how & 8 != 0,
        read: rights & RIGHT_FD_READ != 0,
        // A folder is asked for with every right there is.
        write: rights & RIGHT_FD_WRITE != 0 && how & 2 == 0,
        append: flags & FDFLAG_APPEND != 0,
    };
    let path = text(caller, path)?;
    on_files(caller, services, &mut |on| {
        check(on.caller, into, 4)?;
        let opened = on.files.open(on.medium, fd, &path, options)?;
        on.work = on.work.saturating_add(size_of(on.files, opened));
        put(on.caller, into, &opened.to_le_bytes())
    })
}

pub(in crate::host::imports) fn path_filestat_get(
    caller: &mut Caller<'_>,
    services: &mut dyn Services,
    fd: u32,
    _lookup: i32,
    path: GuestSlice,
    into: u32,
) -> Done {
    let path = text(caller, path)?;
    on_files(caller, services, &mut |on| {
        let stat = on.files.stat_at(on.medium, fd, &path)?;
        put(on.caller, into, &filestat_of(stat))
    })
}

pub(in crate::host::imports) fn path_create_directory(
    caller: &mut Caller<'_>,
    services: &mut dyn Services,
    fd: u32,
    path: GuestSlice,
) -> Done {
    let path = text(caller, path)?;
    on_files(caller, services, &mut |on| {
        on.work = PluginLimits::SYNC_WORK_BYTES;
        Ok(on.files.make_folder(on.medium, fd, &path)?)
    })
}

pub(in crate::host::imports) fn path_remove_directory(
    caller: &mut Caller<'_>,
    services: &mut dyn Services,
    fd: u32,
    path: GuestSlice,
) -> Done {
    let path = text(caller, path)?;
    on_files(caller, services, &mut |on| {
        on.work = PluginLimits::SYNC_WORK_BYTES;
        Ok(on.files.remove_folder(on.medium, fd, &path)?)
    })
}

pub(in crate::host::imports) fn path_unlink_file(
    caller: &mut Caller<'_>,
    services: &mut dyn Services,
    fd: u32,
    path: GuestSlice,
) -> Done {
    let path = text(caller, path)?;
    on_files(caller, services, &mut |on| {
        on.work = PluginLimits::SYNC_WORK_BYTES;
        Ok(on.files.remove_file(on.medium, fd, &path)?)
    })
}

pub(in crate::host::imports) fn path_rename(
    caller: &mut Caller<'_>,
    services: &mut dyn Services,
    from_fd: u32,
    from: GuestSlice,
    to_fd: u32,
    to: GuestSlice,
) -> Done {
    let (to, from) = (text(caller, to)?, text(caller, from)?);
    on_files(caller, services, &mut |on| {
        let size = on.files.stat_at(on.medium, from_fd, &from)?.size;
        on.work = PluginLimits::SYNC_WORK_BYTES.saturating_add(u32::try_from(size).unwrap_or(u32::MAX));
        Ok(on.files.rename(on.medium, (from_fd, &from), (to_fd, &to))?)
    })
}

/// There are no links: what is there is none (`inval`), anything else is not there.
pub(in crate::host::imports) fn path_readlink(
    caller: &mut Caller<'_>,
    services: &mut dyn Services,
    fd: u32,
    path: GuestSlice,
    _into: GuestSlice,
    _used: u32,
) -> Done {
    let path = text(caller, path)?;
    on_files(caller, services, &mut |on| {
        on.files.stat_at(on.medium, fd, &path)?;
        Err(Errno::INVAL)
    })
}

/// An absolute target is refused as upstream refuses it; a relative one because there are no links here.
pub(in crate::host::imports) fn path_symlink(
    caller: &mut Caller<'_>,
    target: GuestSlice,
    _fd: u32,
    _path: GuestSlice,
) -> Done {
    let target = text(caller, target)?;
    Err(if target.starts_with('/') { Errno::PERM } else { Errno::NOTSUP })
}

pub(in crate::host::imports) fn path_filestat_set_times(
    _: &mut Caller<'_>,
    _fd: u32,
    _lookup: i32,
    _path: GuestSlice,
    _accessed: u64,
    _modified: u64,
    _flags: i32,
) -> Done {
    Err(Errno::NOTSUP)
}

pub(in crate::host::imports) fn path_link(
    _: &mut Caller<'_>,
    _from_fd: u32,
    _lookup: i32,
    _from: GuestSlice,
    _to_fd: u32,
    _to: GuestSlice,
) -> Done {
    Err(Errno::NOTSUP)
}
