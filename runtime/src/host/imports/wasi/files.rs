//! Descriptors and paths: arguments are read and checked here, and [`FileAsk`] carries them out.

use alloc::string::String;
use alloc::vec::Vec;

use super::answer::{FileOp, stat_bytes};
use super::{
    Args, Ask, ERRNO_BADF, ERRNO_FAULT, ERRNO_ILSEQ, ERRNO_INVAL, ERRNO_NAMETOOLONG, ERRNO_NOTSUP, ERRNO_PERM,
    ERRNO_SPIPE, ERRNO_SUCCESS, FileAsk, Guest, IOVECS_MAX, Outcome, STDIO, WrongType, errno, output, store, stored,
    vectors,
};
use crate::host::memory::GuestSlice;
use crate::vfs::{FileError, Kind, OpenOptions, Whence};

/// Bytes of a path a guest hands over; what a plugin's files can have is shorter (`vfs::path`).
const PATH_TEXT_BYTES_MAX: u32 = 1024;
/// Bytes one call reads or writes at most; the guest goes on with the rest.
pub(super) const TRANSFER_BYTES_MAX: u32 = 64 * 1024;

/// File type of standard input, output and error.
const FILETYPE_CHARACTER_DEVICE: u8 = 2;
/// File type of a folder.
pub(super) const FILETYPE_DIRECTORY: u8 = 3;
/// File type of a file.
pub(super) const FILETYPE_REGULAR_FILE: u8 = 4;
/// Right `fd_read`.
const RIGHT_FD_READ: u64 = 1 << 1;
/// Right `fd_write`.
const RIGHT_FD_WRITE: u64 = 1 << 6;
/// All rights of preview 1 but those of sockets.
const RIGHTS_ALL: u64 = (1 << 28) - 1;
/// `fdflags` bit `append`.
const FDFLAG_APPEND: i32 = 1;
/// Name of the one preopened folder.
const PREOPEN: &[u8] = b"/";

type Answer = Result<Outcome, WrongType>;

fn failed(error: FileError) -> Answer {
    errno(error.errno())
}

/// Asks for a file operation; during the start section there are no files.
fn ask(guest: &Guest<'_>, op: FileOp) -> Answer {
    if guest.state().memory.is_none() || guest.state().files.is_none() {
        return errno(ERRNO_BADF);
    }
    Ok(Outcome::Ask(Ask::File(FileAsk(op))))
}

/// Reads a path argument; the error number where it is none.
fn path(guest: &mut Guest<'_>, slice: GuestSlice) -> Result<String, i32> {
    if slice.len > PATH_TEXT_BYTES_MAX {
        return Err(ERRNO_NAMETOOLONG);
    }
    guest.charge(slice.len);
    let bytes = slice.read(guest.memory()).ok_or(ERRNO_FAULT)?;
    core::str::from_utf8(bytes).map(String::from).map_err(|_| ERRNO_ILSEQ)
}

/// Carries out what needs a path below descriptor `fd`.
fn with_path(guest: &mut Guest<'_>, slice: GuestSlice, op: impl FnOnce(String) -> FileOp) -> Answer {
    match path(guest, slice) {
        Ok(path) => ask(guest, op(path)),
        Err(number) => errno(number),
    }
}

pub(super) fn fd_write(guest: &mut Guest<'_>, args: &Args<'_>) -> Answer {
    match args.uint(0)? {
        fd if STDIO.contains(&fd) => output::write_line(guest, args),
        fd => write(guest, fd, None, args.slice(1)?, args.uint(3)?),
    }
}

pub(super) fn fd_pwrite(guest: &mut Guest<'_>, args: &Args<'_>) -> Answer {
    let fd = args.uint(0)?;
    if STDIO.contains(&fd) {
        return errno(ERRNO_SPIPE);
    }
    write(guest, fd, Some(args.long(3)?.cast_unsigned()), args.slice(1)?, args.uint(4)?)
}

fn write(guest: &mut Guest<'_>, fd: u32, at: Option<u64>, list: GuestSlice, into: u32) -> Answer {
    if list.len > IOVECS_MAX {
        return errno(ERRNO_INVAL);
    }
    let Some(parts) = vectors(guest.memory(), list.ptr, list.len) else { return errno(ERRNO_FAULT) };
    let mut data = Vec::new();
    for part in parts {
        let room = (TRANSFER_BYTES_MAX as usize).saturating_sub(data.len());
        let bytes = part.read(guest.memory()).unwrap_or_default();
        data.extend_from_slice(bytes.get(..room.min(bytes.len())).unwrap_or_default());
    }
    ask(guest, FileOp::Write { fd, at, data, into })
}

pub(super) fn fd_read(guest: &mut Guest<'_>, args: &Args<'_>) -> Answer {
    match args.uint(0)? {
        // Nobody writes to a plugin's standard input: it is at its end.
        0 => {
            let done = store(guest, args.uint(3)?, &[0; 4]);
            stored(done)
        }
        fd => read(guest, fd, None, args.slice(1)?, args.uint(3)?),
    }
}

pub(super) fn fd_pread(guest: &mut Guest<'_>, args: &Args<'_>) -> Answer {
    let fd = args.uint(0)?;
    if STDIO.contains(&fd) {
        return errno(ERRNO_SPIPE);
    }
    read(guest, fd, Some(args.long(3)?.cast_unsigned()), args.slice(1)?, args.uint(4)?)
}

fn read(guest: &mut Guest<'_>, fd: u32, at: Option<u64>, list: GuestSlice, into: u32) -> Answer {
    if list.len > IOVECS_MAX {
        return errno(ERRNO_INVAL);
    }
    let Some(parts) = vectors(guest.memory(), list.ptr, list.len) else { return errno(ERRNO_FAULT) };
    ask(guest, FileOp::Read { fd, at, parts, into })
}

pub(super) fn fd_close(guest: &mut Guest<'_>, args: &Args<'_>) -> Answer {
    match args.uint(0)? {
        fd if STDIO.contains(&fd) => errno(ERRNO_SUCCESS),
        fd => ask(guest, FileOp::Close { fd }),
    }
}

pub(super) fn fd_sync(guest: &mut Guest<'_>, args: &Args<'_>) -> Answer {
    match args.uint(0)? {
        fd if STDIO.contains(&fd) => errno(ERRNO_INVAL),
        fd => ask(guest, FileOp::Sync { fd }),
    }
}

pub(super) fn fd_seek(guest: &mut Guest<'_>, args: &Args<'_>) -> Answer {
    let whence = match args.int(2)? {
        0 => Whence::Start,
        1 => Whence::Current,
        2 => Whence::End,
        _ => return errno(ERRNO_INVAL),
    };
    seek(guest, args.uint(0)?, args.long(1)?, whence, args.uint(3)?)
}

pub(super) fn fd_tell(guest: &mut Guest<'_>, args: &Args<'_>) -> Answer {
    seek(guest, args.uint(0)?, 0, Whence::Current, args.uint(1)?)
}

fn seek(guest: &mut Guest<'_>, fd: u32, by: i64, whence: Whence, into: u32) -> Answer {
    if STDIO.contains(&fd) {
        return errno(ERRNO_SPIPE);
    }
    let Some(files) = &mut guest.state_mut().files else { return errno(ERRNO_BADF) };
    match files.seek(fd, by, whence) {
        Ok(offset) => {
            let done = store(guest, into, &offset.to_le_bytes());
            stored(done)
        }
        Err(error) => failed(error),
    }
}

pub(super) fn fd_readdir(guest: &mut Guest<'_>, args: &Args<'_>) -> Answer {
    let (fd, into) = (args.uint(0)?, args.slice(1)?);
    let (cookie, used) = (args.long(3)?.cast_unsigned(), args.uint(4)?);
    ask(guest, FileOp::ReadFolder { fd, into, cookie, used })
}

pub(super) fn fd_fdstat_get(guest: &mut Guest<'_>, args: &Args<'_>) -> Answer {
    let fd = args.uint(0)?;
    let (filetype, flags, rights, inheriting) = if STDIO.contains(&fd) {
        (FILETYPE_CHARACTER_DEVICE, 0, if fd == 0 { RIGHT_FD_READ } else { RIGHT_FD_WRITE }, 0)
    } else {
        let Some(files) = &guest.state().files else { return errno(ERRNO_BADF) };
        match (files.stat(fd), files.modes(fd)) {
            (Ok(stat), Ok(_)) if stat.kind == Kind::Folder => {
                (FILETYPE_DIRECTORY, 0, RIGHTS_ALL & !(RIGHT_FD_READ | RIGHT_FD_WRITE), RIGHTS_ALL)
            }
            (Ok(_), Ok((read, write, append))) => {
                let mut rights = RIGHTS_ALL & !(RIGHT_FD_READ | RIGHT_FD_WRITE);
                rights |= if read { RIGHT_FD_READ } else { 0 } | if write { RIGHT_FD_WRITE } else { 0 };
                (FILETYPE_REGULAR_FILE, u16::from(append), rights, 0)
            }
            (Err(error), _) | (_, Err(error)) => return failed(error),
        }
    };
    let mut stat = Vec::with_capacity(24);
    stat.extend([filetype, 0]);
    stat.extend(flags.to_le_bytes());
    stat.extend([0; 4]);
    stat.extend(rights.to_le_bytes());
    stat.extend(inheriting.to_le_bytes());
    let done = store(guest, args.uint(1)?, &stat);
    stored(done)
}

/// Appending can be switched; the other flags mean nothing to files that are whole at each sync.
pub(super) fn fd_fdstat_set_flags(guest: &mut Guest<'_>, args: &Args<'_>) -> Answer {
    let (fd, flags) = (args.uint(0)?, args.int(1)?);
    if STDIO.contains(&fd) {
        return errno(ERRNO_SUCCESS);
    }
    let Some(files) = &mut guest.state_mut().files else { return errno(ERRNO_BADF) };
    match files.set_append(fd, flags & FDFLAG_APPEND != 0) {
        Ok(()) => errno(ERRNO_SUCCESS),
        Err(error) => failed(error),
    }
}

/// Calls that change nothing here: advice, rights that are given up, times.
pub(super) fn accepted_if_open(guest: &mut Guest<'_>, args: &Args<'_>) -> Answer {
    let fd = args.uint(0)?;
    if STDIO.contains(&fd) {
        return errno(ERRNO_SUCCESS);
    }
    let Some(files) = &guest.state().files else { return errno(ERRNO_BADF) };
    match files.stat(fd) {
        Ok(_) => errno(ERRNO_SUCCESS),
        Err(error) => failed(error),
    }
}

pub(super) fn fd_filestat_get(guest: &mut Guest<'_>, args: &Args<'_>) -> Answer {
    let fd = args.uint(0)?;
    let bytes = if STDIO.contains(&fd) {
        stat_bytes(FILETYPE_CHARACTER_DEVICE, 0, 0)
    } else {
        let Some(files) = &guest.state().files else { return errno(ERRNO_BADF) };
        match files.stat(fd) {
            Ok(stat) => stat.into_wasi(),
            Err(error) => return failed(error),
        }
    };
    let done = store(guest, args.uint(1)?, &bytes);
    stored(done)
}

pub(super) fn fd_filestat_set_size(guest: &mut Guest<'_>, args: &Args<'_>) -> Answer {
    let (fd, size) = (args.uint(0)?, args.long(1)?.cast_unsigned());
    ask(guest, FileOp::SetSize { fd, size, grow_only: false })
}

pub(super) fn fd_allocate(guest: &mut Guest<'_>, args: &Args<'_>) -> Answer {
    let (fd, offset, length) = (args.uint(0)?, args.long(1)?.cast_unsigned(), args.long(2)?.cast_unsigned());
    match offset.checked_add(length) {
        Some(size) if length > 0 => ask(guest, FileOp::SetSize { fd, size, grow_only: true }),
        _ => errno(ERRNO_INVAL),
    }
}

pub(super) fn fd_renumber(guest: &mut Guest<'_>, args: &Args<'_>) -> Answer {
    let (from, to) = (args.uint(0)?, args.uint(1)?);
    if STDIO.contains(&from) || STDIO.contains(&to) {
        return errno(ERRNO_NOTSUP);
    }
    ask(guest, FileOp::Renumber { from, to })
}

fn is_preopened(guest: &Guest<'_>, fd: u32) -> bool {
    guest.state().files.as_ref().is_some_and(|files| files.is_root(fd))
}

pub(super) fn fd_prestat_get(guest: &mut Guest<'_>, args: &Args<'_>) -> Answer {
    if !is_preopened(guest, args.uint(0)?) {
        return errno(ERRNO_BADF);
    }
    // Tag 0 is a folder; the length of its name follows.
    let done = store(guest, args.uint(1)?, &[0, 0, 0, 0, 1, 0, 0, 0]);
    stored(done)
}

pub(super) fn fd_prestat_dir_name(guest: &mut Guest<'_>, args: &Args<'_>) -> Answer {
    if !is_preopened(guest, args.uint(0)?) {
        return errno(ERRNO_BADF);
    }
    let into = args.slice(1)?;
    if (into.len as usize) < PREOPEN.len() {
        return errno(ERRNO_NAMETOOLONG);
    }
    let done = store(guest, into.ptr, PREOPEN);
    stored(done)
}

pub(super) fn path_open(guest: &mut Guest<'_>, args: &Args<'_>) -> Answer {
    let (fd, slice, oflags) = (args.uint(0)?, args.slice(2)?, args.int(4)?);
    let (rights, flags, into) = (args.long(5)?.cast_unsigned(), args.int(7)?, args.uint(8)?);
    let options = OpenOptions {
        create: oflags & 1 != 0,
        folder: oflags & 2 != 0,
        exclusive: oflags & 4 != 0,
        truncate: oflags & 8 != 0,
        read: rights & RIGHT_FD_READ != 0,
        // A folder is asked for with every right there is.
        write: rights & RIGHT_FD_WRITE != 0 && oflags & 2 == 0,
        append: flags & FDFLAG_APPEND != 0,
    };
    with_path(guest, slice, |path| FileOp::Open { fd, path, options, into })
}

pub(super) fn path_filestat_get(guest: &mut Guest<'_>, args: &Args<'_>) -> Answer {
    let (fd, into) = (args.uint(0)?, args.uint(4)?);
    with_path(guest, args.slice(2)?, |path| FileOp::StatPath { fd, path, into })
}

pub(super) fn path_create_directory(guest: &mut Guest<'_>, args: &Args<'_>) -> Answer {
    let fd = args.uint(0)?;
    with_path(guest, args.slice(1)?, |path| FileOp::MakeFolder { fd, path })
}

pub(super) fn path_remove_directory(guest: &mut Guest<'_>, args: &Args<'_>) -> Answer {
    let fd = args.uint(0)?;
    with_path(guest, args.slice(1)?, |path| FileOp::RemoveFolder { fd, path })
}

pub(super) fn path_unlink_file(guest: &mut Guest<'_>, args: &Args<'_>) -> Answer {
    let fd = args.uint(0)?;
    with_path(guest, args.slice(1)?, |path| FileOp::RemoveFile { fd, path })
}

pub(super) fn path_rename(guest: &mut Guest<'_>, args: &Args<'_>) -> Answer {
    let (from, to, to_slice) = (args.uint(0)?, args.uint(3)?, args.slice(4)?);
    match path(guest, to_slice) {
        Ok(to_path) => with_path(guest, args.slice(1)?, |from_path| FileOp::Rename { from, from_path, to, to_path }),
        Err(number) => errno(number),
    }
}

/// There are no links: what is there is none (`inval`), anything else is not there.
pub(super) fn path_readlink(guest: &mut Guest<'_>, args: &Args<'_>) -> Answer {
    let fd = args.uint(0)?;
    with_path(guest, args.slice(1)?, |path| FileOp::ReadLink { fd, path })
}

/// An absolute target is refused as upstream refuses it; a relative one because there are no links here.
pub(super) fn path_symlink(guest: &mut Guest<'_>, args: &Args<'_>) -> Answer {
    match path(guest, args.slice(0)?) {
        Ok(target) => errno(if target.starts_with('/') { ERRNO_PERM } else { ERRNO_NOTSUP }),
        Err(number) => errno(number),
    }
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
