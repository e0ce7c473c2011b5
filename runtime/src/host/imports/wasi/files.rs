//! Descriptors.

use alloc::vec::Vec;

use super::folder::{
    FILETYPE_CHARACTER_DEVICE, FILETYPE_DIRECTORY, FILETYPE_REGULAR_FILE, entries, filestat, filestat_of,
};
use super::{Done, Errno, STDIO, check, output, put, vectors};
use crate::budget::PluginLimits;
use crate::host::Services;
use crate::host::engine::GuestSlice;
use crate::host::imports::Caller;
use crate::vfs::{Files, Kind, Medium, Whence};

pub(in crate::host::imports) use super::path::{
    path_create_directory, path_filestat_get, path_filestat_set_times, path_link, path_open, path_readlink,
    path_remove_directory, path_rename, path_symlink, path_unlink_file,
};

const PATH_WORK_BYTES: u32 = PluginLimits::PATH_WORK_BYTES;
const SYNC_WORK_BYTES: u32 = PluginLimits::SYNC_WORK_BYTES;

/// Bytes one call reads or writes at most; the guest goes on with the rest.
const TRANSFER_BYTES_MAX: u32 = 64 * 1024;
/// Right `fd_read`.
pub(super) const RIGHT_FD_READ: u64 = 1 << 1;
/// Right `fd_write`.
pub(super) const RIGHT_FD_WRITE: u64 = 1 << 6;
/// All rights of preview 1 but those of sockets.
const RIGHTS_ALL: u64 = (1 << 28) - 1;
/// `fdflags` bit `append`.
pub(super) const FDFLAG_APPEND: i32 = 1;
/// Name of the one preopened folder.
const PREOPEN: &[u8] = b"/";

/// An operation on the plugin's files.
pub(super) struct Operation<'o, 'c> {
    pub(super) caller: &'o mut Caller<'c>,
    pub(super) files: &'o mut Files,
    pub(super) medium: &'o mut dyn Medium,
    /// What the work costs, as bytes copied.
    pub(super) work: u32,
}

/// Carries out an operation on the plugin's files and takes fuel for it. There are none during the start section, and
/// none where the plugin promised that it has none.
pub(super) fn on_files(
    caller: &mut Caller<'_>,
    services: &mut dyn Services,
    act: &mut dyn FnMut(&mut Operation<'_, '_>) -> Done,
) -> Done {
    if caller.is_inert() {
        return Err(Errno::BADF);
    }
    let Some(mut files) = caller.state_mut().files.take() else { return Err(Errno::BADF) };
    // The answer when there is no file system.
    let (mut done, mut work) = (Err(Errno::NOTSUP), 0);
    services.with_files(&mut |medium| {
        let mut operation = Operation { caller: &mut *caller, files: &mut files, medium, work: PATH_WORK_BYTES };
        done = act(&mut operation);
        work = operation.work;
    });
    caller.state_mut().files = Some(files);
    caller.pay(work, 1);
    done
}

/// Open descriptors, without the standard streams.
fn open<'f>(caller: &'f Caller<'_>) -> Result<&'f Files, Errno> {
    caller.state().files.as_ref().ok_or(Errno::BADF)
}

fn open_mut<'f>(caller: &'f mut Caller<'_>) -> Result<&'f mut Files, Errno> {
    caller.state_mut().files.as_mut().ok_or(Errno::BADF)
}

pub(super) fn size_of(files: &Files, fd: u32) -> u32 {
    files.stat(fd).map_or(0, |stat| u32::try_from(stat.size).unwrap_or(u32::MAX))
}

/// What writing down costs: nothing where nothing waits.
fn written_down(files: &Files, fd: u32) -> u32 {
    if files.is_dirty() { SYNC_WORK_BYTES.saturating_add(size_of(files, fd)) } else { PATH_WORK_BYTES }
}

pub(in crate::host::imports) fn fd_write(
    caller: &mut Caller<'_>,
    services: &mut dyn Services,
    fd: u32,
    list: GuestSlice,
    written: u32,
) -> Done {
    if STDIO.contains(&fd) {
        return output::write_line(caller, services, fd, list, written);
    }
    write(caller, services, (fd, None), list, written)
}

pub(in crate::host::imports) fn fd_pwrite(
    caller: &mut Caller<'_>,
    services: &mut dyn Services,
    fd: u32,
    list: GuestSlice,
    offset: u64,
    written: u32,
) -> Done {
    if STDIO.contains(&fd) {
        return Err(Errno::SPIPE);
    }
    write(caller, services, (fd, Some(offset)), list, written)
}

fn write(
    caller: &mut Caller<'_>,
    services: &mut dyn Services,
    (fd, at): (u32, Option<u64>),
    list: GuestSlice,
    written: u32,
) -> Done {
    let mut data = Vec::new();
    for part in vectors(caller.memory(), list)? {
        let part = part.cut((TRANSFER_BYTES_MAX as usize).saturating_sub(data.len()));
        data.extend_from_slice(&caller.bytes(part).ok_or(Errno::FAULT)?);
    }
    on_files(caller, services, &mut |on| {
        check(on.caller, written, 4)?;
        on.files.write(on.medium, fd, at, &data)?;
        on.work = u32::try_from(data.len()).unwrap_or(u32::MAX);
        put(on.caller, written, &on.work.to_le_bytes())
    })
}

pub(in crate::host::imports) fn fd_read(
    caller: &mut Caller<'_>,
    services: &mut dyn Services,
    fd: u32,
    list: GuestSlice,
    read_bytes: u32,
) -> Done {
    if fd == 0 {
        // Nobody writes to a plugin's standard input: it is at its end.
        return put(caller, read_bytes, &[0; 4]);
    }
    read(caller, services, (fd, None), list, read_bytes)
}

pub(in crate::host::imports) fn fd_pread(
    caller: &mut Caller<'_>,
    services: &mut dyn Services,
    fd: u32,
    list: GuestSlice,
    offset: u64,
    read_bytes: u32,
) -> Done {
    if STDIO.contains(&fd) {
        return Err(Errno::SPIPE);
    }
    read(caller, services, (fd, Some(offset)), list, read_bytes)
}

fn read(
    caller: &mut Caller<'_>,
    services: &mut dyn Services,
    (fd, at): (u32, Option<u64>),
    list: GuestSlice,
    read_bytes: u32,
) -> Done {
    let parts = vectors(caller.memory(), list)?;
    let wanted = parts.iter().fold(0_u32, |sum, part| sum.saturating_add(part.len)).min(TRANSFER_BYTES_MAX);
    on_files(caller, services, &mut |on| {
        check(on.caller, read_bytes, 4)?;
        let mut rest = on.files.read(fd, at, wanted as usize)?;
        on.work = u32::try_from(rest.len()).unwrap_or(u32::MAX);
        for part in &parts {
            let (now, later) = rest.split_at(rest.len().min(part.len as usize));
            put(on.caller, part.ptr, now)?;
            rest = later;
        }
        put(on.caller, read_bytes, &on.work.to_le_bytes())
    })
}

pub(in crate::host::imports) fn fd_close(caller: &mut Caller<'_>, services: &mut dyn Services, fd: u32) -> Done {
    if STDIO.contains(&fd) {
        return Ok(());
    }
    on_files(caller, services, &mut |on| {
        on.work = written_down(on.files, fd);
        Ok(on.files.close(on.medium, fd)?)
    })
}

pub(in crate::host::imports) fn fd_sync(caller: &mut Caller<'_>, services: &mut dyn Services, fd: u32) -> Done {
    if STDIO.contains(&fd) {
        return Err(Errno::INVAL);
    }
    on_files(caller, services, &mut |on| {
        on.work = written_down(on.files, fd);
        Ok(on.files.sync(on.medium, fd)?)
    })
}

pub(in crate::host::imports) fn fd_datasync(caller: &mut Caller<'_>, services: &mut dyn Services, fd: u32) -> Done {
    fd_sync(caller, services, fd)
}

pub(in crate::host::imports) fn fd_seek(caller: &mut Caller<'_>, fd: u32, by: i64, whence: i32, into: u32) -> Done {
    let whence = match whence {
        0 => Whence::Start,
        1 => Whence::Current,
        2 => Whence::End,
        _ => return Err(Errno::INVAL),
    };
    seek(caller, fd, by, whence, into)
}

pub(in crate::host::imports) fn fd_tell(caller: &mut Caller<'_>, fd: u32, into: u32) -> Done {
    seek(caller, fd, 0, Whence::Current, into)
}

fn seek(caller: &mut Caller<'_>, fd: u32, by: i64, whence: Whence, into: u32) -> Done {
    if STDIO.contains(&fd) {
        return Err(Errno::SPIPE);
    }
    let offset = open_mut(caller)?.seek(fd, by, whence)?;
    put(caller, into, &offset.to_le_bytes())
}

pub(in crate::host::imports) fn fd_readdir(
    caller: &mut Caller<'_>,
    services: &mut dyn Services,
    fd: u32,
    into: GuestSlice,
    cookie: u64,
    used: u32,
) -> Done {
    on_files(caller, services, &mut |on| {
        check(on.caller, used, 4)?;
        check(on.caller, into.ptr, into.len)?;
        on.work = on.work.saturating_mul(8);
        let bytes = entries(&on.files.list(on.medium, fd)?, cookie, into.len as usize);
        put(on.caller, into.ptr, &bytes)?;
        put(on.caller, used, &u32::try_from(bytes.len()).unwrap_or(u32::MAX).to_le_bytes())
    })
}

pub(in crate::host::imports) fn fd_fdstat_get(caller: &mut Caller<'_>, fd: u32, into: u32) -> Done {
    let (filetype, flags, rights, inheriting) = if STDIO.contains(&fd) {
        (FILETYPE_CHARACTER_DEVICE, 0, if fd == 0 { RIGHT_FD_READ } else { RIGHT_FD_WRITE }, 0)
    } else {
        let files = open(caller)?;
        let (stat, (read, write, append)) = (files.stat(fd)?, files.modes(fd)?);
        let others = RIGHTS_ALL & !(RIGHT_FD_READ | RIGHT_FD_WRITE);
        if stat.kind == Kind::Folder {
            (FILETYPE_DIRECTORY, 0, others, RIGHTS_ALL)
        } else {
            let rights = if read { RIGHT_FD_READ } else { 0 } | if write { RIGHT_FD_WRITE } else { 0 };
            (FILETYPE_REGULAR_FILE, u16::from(append), others | rights, 0)
        }
    };
    let mut stat = Vec::with_capacity(24);
    stat.extend([filetype, 0]);
    stat.extend(flags.to_le_bytes());
    stat.extend([0; 4]);
    stat.extend(rights.to_le_bytes());
    stat.extend(inheriting.to_le_bytes());
    put(caller, into, &stat)
}

/// Appending can be switched; the other flags mean nothing to files that are whole at each sync.
pub(in crate::host::imports) fn fd_fdstat_set_flags(caller: &mut Caller<'_>, fd: u32, flags: i32) -> Done {
    if STDIO.contains(&fd) {
        return Ok(());
    }
    Ok(open_mut(caller)?.set_append(fd, flags & FDFLAG_APPEND != 0)?)
}

/// Calls that change nothing here: advice, rights that are given up, times.
fn accepted_if_open(caller: &Caller<'_>, fd: u32) -> Done {
    if STDIO.contains(&fd) {
        return Ok(());
    }
    open(caller)?.stat(fd)?;
    Ok(())
}

pub(in crate::host::imports) fn fd_fdstat_set_rights(
    caller: &mut Caller<'_>,
    fd: u32,
    _base: u64,
    _inheriting: u64,
) -> Done {
    accepted_if_open(caller, fd)
}

pub(in crate::host::imports) fn fd_advise(
    caller: &mut Caller<'_>,
    fd: u32,
    _offset: u64,
    _length: u64,
    _advice: i32,
) -> Done {
    accepted_if_open(caller, fd)
}

/// The medium keeps no times.
pub(in crate::host::imports) fn fd_filestat_set_times(
    caller: &mut Caller<'_>,
    fd: u32,
    _accessed: u64,
    _modified: u64,
    _flags: i32,
) -> Done {
    accepted_if_open(caller, fd)
}

pub(in crate::host::imports) fn fd_filestat_get(caller: &mut Caller<'_>, fd: u32, into: u32) -> Done {
    let bytes = if STDIO.contains(&fd) {
        filestat(FILETYPE_CHARACTER_DEVICE, 0, 0)
    } else {
        filestat_of(open(caller)?.stat(fd)?)
    };
    put(caller, into, &bytes)
}

pub(in crate::host::imports) fn fd_filestat_set_size(
    caller: &mut Caller<'_>,
    services: &mut dyn Services,
    fd: u32,
    size: u64,
) -> Done {
    on_files(caller, services, &mut |on| set_size(on, fd, size))
}

fn set_size(on: &mut Operation<'_, '_>, fd: u32, size: u64) -> Done {
    on.files.set_size(on.medium, fd, size)?;
    on.work = size_of(on.files, fd);
    Ok(())
}

pub(in crate::host::imports) fn fd_allocate(
    caller: &mut Caller<'_>,
    services: &mut dyn Services,
    fd: u32,
    offset: u64,
    length: u64,
) -> Done {
    let size = offset.checked_add(length).filter(|_| length > 0).ok_or(Errno::INVAL)?;
    on_files(caller, services, &mut |on| {
        if size <= u64::from(size_of(on.files, fd)) { Ok(()) } else { set_size(on, fd, size) }
    })
}

pub(in crate::host::imports) fn fd_renumber(
    caller: &mut Caller<'_>,
    services: &mut dyn Services,
    from: u32,
    to: u32,
) -> Done {
    if STDIO.contains(&from) || STDIO.contains(&to) {
        return Err(Errno::NOTSUP);
    }
    on_files(caller, services, &mut |on| {
        on.work = written_down(on.files, to);
        Ok(on.files.renumber(on.medium, from, to)?)
    })
}

fn is_preopened(caller: &Caller<'_>, fd: u32) -> Done {
    if open(caller)?.is_root(fd) { Ok(()) } else { Err(Errno::BADF) }
}

pub(in crate::host::imports) fn fd_prestat_get(caller: &mut Caller<'_>, fd: u32, into: u32) -> Done {
    is_preopened(caller, fd)?;
    // Tag 0 is a folder; the length of its name follows.
    put(caller, into, &[0, 0, 0, 0, 1, 0, 0, 0])
}

pub(in crate::host::imports) fn fd_prestat_dir_name(caller: &mut Caller<'_>, fd: u32, into: GuestSlice) -> Done {
    is_preopened(caller, fd)?;
    if (into.len as usize) < PREOPEN.len() {
        return Err(Errno::NAMETOOLONG);
    }
    put(caller, into.ptr, PREOPEN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rights_of_preview_1_end_before_those_of_sockets() {
        assert_eq!(RIGHTS_ALL & (1 << 28), 0, "sock_shutdown");
        assert_ne!(RIGHTS_ALL & (1 << 27), 0, "poll_fd_readwrite");
    }
}
