//! A plugin's files as records of the storage: `plugin-config-data/<id>/vfs/…`, as upstream lays them out.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::ops::ControlFlow;

use crate::hal::{Key, KeyError, Storage, StorageError};
use crate::vfs::{FileError, Medium};

/// The files of the plugin with this id.
pub(super) struct StoredFiles<'s> {
    pub(super) storage: &'s mut dyn Storage,
    pub(super) id: &'s str,
}

impl StoredFiles<'_> {
    fn root(&self) -> String {
        format!("plugin-config-data/{}/vfs/", self.id)
    }

    fn key(&self, path: &str) -> Result<Key, FileError> {
        Key::parse(&(self.root() + path)).map_err(|error| match error {
            KeyError::TooLong => FileError::NameTooLong,
            KeyError::Invalid => FileError::Invalid,
        })
    }
}

fn told(error: StorageError) -> FileError {
    match error {
        StorageError::NotFound => FileError::NotFound,
        StorageError::Full => FileError::NoSpace,
        StorageError::ReadOnly => FileError::NotPermitted,
        StorageError::TooLong { .. } => FileError::TooLarge,
        StorageError::Failed => FileError::Failed,
    }
}

impl Medium for StoredFiles<'_> {
    fn read(&mut self, path: &str, limit: u32) -> Result<Vec<u8>, FileError> {
        let key = self.key(path)?;
        self.storage.read_all(&key, limit).map_err(told)
    }

    fn write(&mut self, path: &str, data: &[u8]) -> Result<(), FileError> {
        let key = self.key(path)?;
        self.storage.replace(&key, data).map_err(told)
    }

    fn remove(&mut self, path: &str) -> Result<(), FileError> {
        let key = self.key(path)?;
        self.storage.remove(&key).map_err(told)
    }

    fn list(&mut self, prefix: &str, visit: &mut dyn FnMut(&str, u32)) -> Result<(), FileError> {
        let root = self.root();
        let mut each = |key: &Key, bytes: u32| {
            if let Some(path) = key.as_str().strip_prefix(root.as_str()) {
                visit(path, bytes);
            }
            ControlFlow::Continue(())
        };
        self.storage.list(&[root.as_str(), prefix].concat(), &mut each).map_err(told)
    }
}

#[cfg(test)]
mod tests {
    use super::StoredFiles;
    use crate::hal::sim::SimStorage;
    use crate::hal::{Key, Storage};
    use crate::vfs::{FileError, Medium};
    use std::string::String;
    use std::vec::Vec;

    #[test]
    fn files_lie_where_upstream_has_them_and_nowhere_else() {
        let mut storage = SimStorage::new();
        let mut shared = storage.clone();
        let mut files = StoredFiles { storage: &mut shared, id: "_acme_tide" };
        files.write("data/a.txt", b"boat").unwrap();
        assert_eq!(files.read("data/a.txt", 10).as_deref(), Ok(&b"boat"[..]));
        assert_eq!(files.read("data/a.txt", 3), Err(FileError::TooLarge));
        let key = Key::parse("plugin-config-data/_acme_tide/vfs/data/a.txt").unwrap();
        assert_eq!(storage.len(&key), Ok(4));
        assert_eq!(files.write("../../../b", b"x"), Err(FileError::Invalid));
        assert_eq!(files.write(&"x".repeat(160), b"x"), Err(FileError::NameTooLong));
        let mut seen: Vec<(String, u32)> = Vec::new();
        let mut other = storage.clone();
        other.replace(&Key::parse("plugin-config-data/_acme_tides/vfs/data/b").unwrap(), b"z").unwrap();
        files.list("data/", &mut |path, bytes| seen.push((path.into(), bytes))).unwrap();
        assert_eq!(seen, [(String::from("data/a.txt"), 4)]);
        storage.set_read_only(true);
        assert_eq!(files.remove("data/a.txt"), Err(FileError::NotPermitted));
    }
}
