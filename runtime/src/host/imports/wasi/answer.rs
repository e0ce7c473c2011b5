//! File operations, carried out while the guest is suspended.

use alloc::string::String;
use alloc::vec::Vec;

use super::files::{FILETYPE_DIRECTORY, FILETYPE_REGULAR_FILE, TRANSFER_BYTES_MAX};
use super::{ERRNO_BADF, ERRNO_FAULT, ERRNO_INVAL, ERRNO_NOTSUP, ERRNO_SUCCESS, store_in};
use crate::budget::PluginLimits;
use crate::host::Services;
use crate::host::memory::GuestSlice;
use crate::vfs::{FileError, Files, Kind, Medium, OpenOptions, Stat};

const PATH_WORK_BYTES: u32 = PluginLimits::PATH_WORK_BYTES;
const SYNC_WORK_BYTES: u32 = PluginLimits::SYNC_WORK_BYTES;
/// Bytes of a `dirent` without its name.
const DIRENT_BYTES: usize = 24;

/// A file operation whose arguments have been checked.
#[derive(Debug)]
pub(in crate::host) struct FileAsk(pub(super) FileOp);

#[derive(Debug)]
pub(super) enum FileOp {
    Open { fd: u32, path: String, options: OpenOptions, into: u32 },
    Read { fd: u32, at: Option<u64>, parts: Vec<GuestSlice>, into: u32 },
    Write { fd: u32, at: Option<u64>, data: Vec<u8>, into: u32 },
    ReadFolder { fd: u32, into: GuestSlice, cookie: u64, used: u32 },
    StatPath { fd: u32, path: String, into: u32 },
    MakeFolder { fd: u32, path: String },
    RemoveFolder { fd: u32, path: String },
    RemoveFile { fd: u32, path: String },
    Rename { from: u32, from_path: String, to: u32, to_path: String },
    ReadLink { fd: u32, path: String },
    Close { fd: u32 },
    Sync { fd: u32 },
    SetSize { fd: u32, size: u64, grow_only: bool },
    Renumber { from: u32, to: u32 },
}

/// Why an operation has no result.
enum Stop {
    File(FileError),
    Number(i32),
}

impl From<FileError> for Stop {
    fn from(error: FileError) -> Self {
        Self::File(error)
    }
}

impl FileAsk {
    /// Carries it out; returns the error number and what the work costs, as bytes copied.
    pub(in crate::host) fn answer(
        &self,
        services: &mut dyn Services,
        memory: &mut [u8],
        files: Option<&mut Files>,
    ) -> (i32, u32) {
        let Some(files) = files else { return (ERRNO_BADF, 0) };
        // What is left of it where the core has no medium for this plugin.
        let (mut number, mut work) = (ERRNO_NOTSUP, 0);
        services.with_files(&mut |medium| {
            number = match self.0.run(files, medium, memory, &mut work) {
                Ok(()) => ERRNO_SUCCESS,
                Err(Stop::File(error)) => error.errno(),
                Err(Stop::Number(number)) => number,
            };
        });
        (number, work)
    }
}

fn put(memory: &mut [u8], ptr: u32, bytes: &[u8]) -> Result<(), Stop> {
    if store_in(memory, ptr, bytes) { Ok(()) } else { Err(Stop::Number(ERRNO_FAULT)) }
}

/// Tells whether `bytes` can be stored at `ptr`: asked before something happens that cannot be taken back.
fn check(memory: &[u8], ptr: u32, bytes: u32) -> Result<(), Stop> {
    GuestSlice { ptr, len: bytes }.read(memory).map(|_| ()).ok_or(Stop::Number(ERRNO_FAULT))
}

fn size_of(files: &Files, fd: u32) -> u32 {
    files.stat(fd).map_or(0, |stat| u32::try_from(stat.size).unwrap_or(u32::MAX))
}

impl FileOp {
    fn run(&self, files: &mut Files, medium: &mut dyn Medium, memory: &mut [u8], work: &mut u32) -> Result<(), Stop> {
        *work = PATH_WORK_BYTES;
        match self {
            Self::Open { fd, path, options, into } => {
                check(memory, *into, 4)?;
                let opened = files.open(medium, *fd, path, *options)?;
                *work = work.saturating_add(size_of(files, opened));
                put(memory, *into, &opened.to_le_bytes())
            }
            Self::Read { fd, at, parts, into } => {
                check(memory, *into, 4)?;
                let wanted = parts.iter().fold(0_u32, |sum, part| sum.saturating_add(part.len));
                let bytes = files.read(*fd, *at, wanted.min(TRANSFER_BYTES_MAX) as usize)?;
                let count = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
                *work = count;
                let mut rest = bytes;
                for part in parts {
                    let (now, later) = rest.split_at(rest.len().min(part.len as usize));
                    put(memory, part.ptr, now)?;
                    rest = later;
                }
                put(memory, *into, &count.to_le_bytes())
            }
            Self::Write { fd, at, data, into } => {
                check(memory, *into, 4)?;
                files.write(medium, *fd, *at, data)?;
                let count = u32::try_from(data.len()).unwrap_or(u32::MAX);
                *work = count;
                put(memory, *into, &count.to_le_bytes())
            }
            Self::ReadFolder { fd, into, cookie, used } => {
                check(memory, *used, 4)?;
                check(memory, into.ptr, into.len)?;
                *work = work.saturating_mul(8);
                read_folder(files, medium, memory, *fd, *into, *cookie, *used)
            }
            Self::StatPath { fd, path, into } => {
                let stat = files.stat_at(medium, *fd, path)?;
                put(memory, *into, &stat.into_wasi())
            }
            Self::MakeFolder { fd, path } => {
                *work = SYNC_WORK_BYTES;
                Ok(files.make_folder(medium, *fd, path)?)
            }
            Self::RemoveFolder { fd, path } => {
                *work = SYNC_WORK_BYTES;
                Ok(files.remove_folder(medium, *fd, path)?)
            }
            Self::RemoveFile { fd, path } => {
                *work = SYNC_WORK_BYTES;
                Ok(files.remove_file(medium, *fd, path)?)
            }
            Self::Rename { from, from_path, to, to_path } => {
                let size = files.stat_at(medium, *from, from_path)?.size;
                *work = SYNC_WORK_BYTES.saturating_add(u32::try_from(size).unwrap_or(u32::MAX));
                Ok(files.rename(medium, (*from, from_path), (*to, to_path))?)
            }
            Self::ReadLink { fd, path } => {
                files.stat_at(medium, *fd, path)?;
                Err(Stop::Number(ERRNO_INVAL))
            }
            Self::Close { fd } => {
                *work = written(files, *fd);
                Ok(files.close(medium, *fd)?)
            }
            Self::Sync { fd } => {
                *work = written(files, *fd);
                Ok(files.sync(medium, *fd)?)
            }
            Self::SetSize { fd, size, grow_only } => {
                let before = u64::from(size_of(files, *fd));
                if *grow_only && *size <= before {
                    return Ok(());
                }
                files.set_size(medium, *fd, *size)?;
                *work = size_of(files, *fd);
                Ok(())
            }
            Self::Renumber { from, to } => {
                *work = written(files, *to);
                Ok(files.renumber(medium, *from, *to)?)
            }
        }
    }
}

/// What writing down costs: nothing where nothing waits.
fn written(files: &Files, fd: u32) -> u32 {
    if files.is_dirty() { SYNC_WORK_BYTES.saturating_add(size_of(files, fd)) } else { PATH_WORK_BYTES }
}

/// Writes directory entries from `cookie` on; the last one may be cut, as preview 1 has it.
fn read_folder(
    files: &mut Files,
    medium: &mut dyn Medium,
    memory: &mut [u8],
    fd: u32,
    into: GuestSlice,
    cookie: u64,
    used: u32,
) -> Result<(), Stop> {
    let entries = files.list(medium, fd)?;
    let room = into.len as usize;
    let mut bytes = Vec::new();
    for (index, entry) in entries.iter().enumerate().skip(usize::try_from(cookie).unwrap_or(usize::MAX)) {
        if bytes.len() >= room {
            break;
        }
        let next = (index as u64).saturating_add(1);
        let kind = if entry.is_folder { FILETYPE_DIRECTORY } else { FILETYPE_REGULAR_FILE };
        bytes.reserve(DIRENT_BYTES.saturating_add(entry.name.len()));
        bytes.extend(next.to_le_bytes());
        bytes.extend(entry.inode.to_le_bytes());
        bytes.extend(u32::try_from(entry.name.len()).unwrap_or(u32::MAX).to_le_bytes());
        bytes.extend([kind, 0, 0, 0]);
        bytes.extend(entry.name.as_bytes());
    }
    bytes.truncate(room);
    put(memory, into.ptr, &bytes)?;
    put(memory, used, &u32::try_from(bytes.len()).unwrap_or(u32::MAX).to_le_bytes())
}

/// Bytes of a `filestat`: device 1, no times.
pub(super) fn stat_bytes(filetype: u8, inode: u64, size: u64) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(64);
    bytes.extend(1_u64.to_le_bytes());
    bytes.extend(inode.to_le_bytes());
    bytes.extend([filetype, 0, 0, 0, 0, 0, 0, 0]);
    bytes.extend(1_u64.to_le_bytes());
    bytes.extend(size.to_le_bytes());
    bytes.extend([0; 24]);
    bytes
}

impl Stat {
    /// Returns the bytes of a `filestat`.
    pub(super) fn into_wasi(self) -> Vec<u8> {
        let filetype = if self.kind == Kind::Folder { FILETYPE_DIRECTORY } else { FILETYPE_REGULAR_FILE };
        stat_bytes(filetype, self.inode, self.size)
    }
}
