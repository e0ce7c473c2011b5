//! A plugin's own file system: paths that cannot leave it, quotas, open files (plugin ABI §7).
//!
//! The medium below keeps whole files and replaces them atomically; what a plugin writes is collected in memory and
//! goes down when the file is synced or closed, and at the end of each call of the plugin. So a power cut loses at
//! most what was not synced, never what stood before. `/tmp` is kept in memory and is empty at every start.

mod open;
pub mod path;
#[cfg(test)]
mod tests;

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

pub use open::{Files, FolderEntry, Kind, OpenOptions, ROOT, Stat, Whence};

/// Folders that every plugin has.
pub const FOLDERS: [&str; 3] = ["config", "data", "tmp"];
/// The folder that is kept in memory.
const TMP: &str = "tmp";
/// File that keeps an otherwise empty folder in a medium that knows only files. Guests do not see it.
const KEEPER: &str = ".folder";

/// Why a file operation failed; each has its WASI error number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FileError {
    /// Not an open descriptor, or not open for this.
    BadDescriptor,
    /// There already.
    Exists,
    /// Not there.
    NotFound,
    /// A folder where a file is needed.
    IsFolder,
    /// A file where a folder is needed.
    NotFolder,
    /// The folder has something in it.
    NotEmpty,
    /// An argument makes no sense.
    Invalid,
    /// A name or path is too long.
    NameTooLong,
    /// An absolute path: only what lies below a descriptor can be named.
    NotCapable,
    /// Too many descriptors.
    TooManyOpen,
    /// The file would be longer than a file may be.
    TooLarge,
    /// The quota, or the medium, is full.
    NoSpace,
    /// The root and its three folders stay.
    NotPermitted,
    /// Links and the like.
    NotSupported,
    /// The medium failed.
    Failed,
}

impl FileError {
    /// Returns the error number of WASI preview 1.
    #[must_use]
    pub const fn errno(self) -> i32 {
        match self {
            Self::BadDescriptor => 8,
            Self::Exists => 20,
            Self::TooLarge => 22,
            Self::Invalid => 28,
            Self::Failed => 29,
            Self::IsFolder => 31,
            Self::TooManyOpen => 33,
            Self::NameTooLong => 37,
            Self::NotFound => 44,
            Self::NoSpace => 51,
            Self::NotFolder => 54,
            Self::NotEmpty => 55,
            Self::NotSupported => 58,
            Self::NotPermitted => 63,
            Self::NotCapable => 76,
        }
    }
}

impl fmt::Display for FileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::BadDescriptor => "bad descriptor",
            Self::Exists => "exists already",
            Self::TooLarge => "file too large",
            Self::Invalid => "invalid argument",
            Self::Failed => "storage failed",
            Self::IsFolder => "is a folder",
            Self::TooManyOpen => "too many open files",
            Self::NameTooLong => "name too long",
            Self::NotFound => "no such file",
            Self::NoSpace => "no space left",
            Self::NotFolder => "not a folder",
            Self::NotEmpty => "folder not empty",
            Self::NotSupported => "not supported",
            Self::NotPermitted => "not permitted",
            Self::NotCapable => "path outside of the folder",
        })
    }
}

impl core::error::Error for FileError {}

/// How much a plugin may keep. Bytes unless the name says otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FileLimits {
    /// One file.
    pub file_bytes_max: u32,
    /// All files, `/tmp` apart.
    pub quota_bytes: u32,
    /// Number of files and kept folders, `/tmp` included.
    pub files_max: u16,
    /// Everything below `/tmp`.
    pub tmp_bytes_max: u32,
    /// Number of open descriptors.
    pub descriptors_max: u16,
    /// Content of open files held in memory.
    pub open_bytes_max: u32,
}

/// The medium of one plugin's files: whole files by path, such as `data/track.csv`.
pub trait Medium {
    /// Reads a whole file of at most `limit` bytes.
    ///
    /// # Errors
    /// [`FileError::NotFound`] and others.
    fn read(&mut self, path: &str, limit: u32) -> Result<Vec<u8>, FileError>;

    /// Makes `data` the whole content of a file, creating it; atomic and durable.
    ///
    /// # Errors
    /// [`FileError::NoSpace`] and others; the old content is kept then.
    fn write(&mut self, path: &str, data: &[u8]) -> Result<(), FileError>;

    /// Removes a file; none is no error.
    ///
    /// # Errors
    /// [`FileError::Failed`].
    fn remove(&mut self, path: &str) -> Result<(), FileError>;

    /// Visits path and length of every file whose path begins with `prefix`.
    ///
    /// # Errors
    /// [`FileError::Failed`].
    fn list(&mut self, prefix: &str, visit: &mut dyn FnMut(&str, u32)) -> Result<(), FileError>;
}

/// Files in memory: `/tmp`, and the file system of `skiff test`.
#[derive(Clone, Debug, Default)]
pub struct MemoryMedium(crate::sorted::SortedMap<String, Vec<u8>>);

impl MemoryMedium {
    fn bytes(&self) -> u64 {
        self.0.values().map(|data| data.len() as u64).sum()
    }
}

impl Medium for MemoryMedium {
    fn read(&mut self, path: &str, limit: u32) -> Result<Vec<u8>, FileError> {
        let data = self.0.get(path).ok_or(FileError::NotFound)?;
        if data.len() > limit as usize { Err(FileError::TooLarge) } else { Ok(data.clone()) }
    }

    fn write(&mut self, path: &str, data: &[u8]) -> Result<(), FileError> {
        self.0.insert(path.into(), data.to_vec());
        Ok(())
    }

    fn remove(&mut self, path: &str) -> Result<(), FileError> {
        self.0.remove(path);
        Ok(())
    }

    fn list(&mut self, prefix: &str, visit: &mut dyn FnMut(&str, u32)) -> Result<(), FileError> {
        for (path, data) in self.0.iter().filter(|(path, _)| path.starts_with(prefix)) {
            visit(path, u32::try_from(data.len()).unwrap_or(u32::MAX));
        }
        Ok(())
    }
}
