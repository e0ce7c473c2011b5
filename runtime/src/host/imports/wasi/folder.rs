//! Bytes of what is in a folder: `dirent` and `filestat` of preview 1.

use alloc::vec::Vec;

use crate::vfs::{FolderEntry, Kind, Stat};

/// File type of standard input, output and error.
pub(super) const FILETYPE_CHARACTER_DEVICE: u8 = 2;
/// File type of a folder.
pub(super) const FILETYPE_DIRECTORY: u8 = 3;
/// File type of a file.
pub(super) const FILETYPE_REGULAR_FILE: u8 = 4;

/// Bytes of a `dirent` without its name.
const DIRENT_BYTES: usize = 24;

/// Returns the directory entries from `cookie` on that fit into `room` bytes; the last one may be cut, as preview 1
/// has it.
pub(super) fn entries(entries: &[FolderEntry], cookie: u64, room: usize) -> Vec<u8> {
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
    bytes
}

/// Bytes of a `filestat`: device 1, no times.
pub(super) fn filestat(filetype: u8, inode: u64, size: u64) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(64);
    bytes.extend(1_u64.to_le_bytes());
    bytes.extend(inode.to_le_bytes());
    bytes.extend([filetype, 0, 0, 0, 0, 0, 0, 0]);
    bytes.extend(1_u64.to_le_bytes());
    bytes.extend(size.to_le_bytes());
    bytes.extend([0; 24]);
    bytes
}

/// The same of a file or folder.
pub(super) fn filestat_of(stat: Stat) -> Vec<u8> {
    let filetype = if stat.kind == Kind::Folder { FILETYPE_DIRECTORY } else { FILETYPE_REGULAR_FILE };
    filestat(filetype, stat.inode, stat.size)
}
