//! Records as files below one folder, the configuration folder.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Read, Seek, SeekFrom};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use super::disk::{Disk, System};
use skiff_runtime::hal::{Capacity, Key, Storage, StorageError};
use skiff_runtime::time::UnixMillis;

/// Keys below this prefix hold secrets (token, identity): their files and folder are for the owner only.
const SECRET_PREFIX: &str = "skiff/";
/// Ending of the file that takes new content before it is renamed.
const TEMPORARY: &str = ".skiff-new";
/// Folders in folders that [`Storage::list`] descends; a key of 160 bytes has no more segments than 80.
const DEPTH_MAX: usize = 80;

/// A folder. Symbolic links in it are followed as long as they stay in it, so no record lies elsewhere.
#[derive(Clone, Debug)]
pub struct Folder<D = System> {
    root: PathBuf,
    disk: D,
}

impl Folder {
    /// Takes a folder, which need not exist: the first write creates it.
    #[must_use]
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self::on(System, root)
    }
}

impl<D: Disk> Folder<D> {
    /// Takes a folder of another disk than the system's.
    #[must_use]
    pub fn on(disk: D, root: impl Into<PathBuf>) -> Self {
        Self { root: root.into(), disk }
    }

    /// Returns the folder.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Returns the disk.
    pub fn disk(&self) -> &D {
        &self.disk
    }

    /// Returns the file of an existing record.
    fn existing(&self, key: &Key) -> Result<PathBuf, StorageError> {
        let root = self.root.canonicalize().map_err(|error| told(&error))?;
        let path = self.root.join(key.as_str()).canonicalize().map_err(|error| told(&error))?;
        if !path.starts_with(&root) {
            log::warn!(
                "{} leads out of the configuration folder and is not used",
                self.root.join(key.as_str()).display()
            );
            return Err(StorageError::Failed);
        }
        if !path.is_file() {
            return Err(StorageError::NotFound);
        }
        Ok(path)
    }

    /// Returns the file of a record to be written, with its folder made.
    fn writable(&self, key: &Key) -> Result<PathBuf, StorageError> {
        let path = self.root.join(key.as_str());
        let (Some(folder), Some(name)) = (path.parent(), path.file_name()) else {
            return Err(StorageError::Failed);
        };
        let mode = if is_secret(key) { 0o700 } else { 0o755 };
        self.make_folders(&self.root, 0o755).map_err(|error| told(&error))?;
        let root = self.root.canonicalize().map_err(|error| told(&error))?;
        // The deepest folder that exists decides where the rest would be made: checked before anything is.
        let nearest = folder.ancestors().find_map(|folder| folder.canonicalize().ok()).ok_or(StorageError::Failed)?;
        if !nearest.starts_with(&root) {
            log::warn!("{} leads out of the configuration folder and is not written", path.display());
            return Err(StorageError::Failed);
        }
        self.make_folders(folder, mode).map_err(|error| told(&error))?;
        Ok(folder.canonicalize().map_err(|error| told(&error))?.join(name))
    }

    /// Makes a folder and those above it that are not there, so that their names last.
    fn make_folders(&self, folder: &Path, mode: u32) -> io::Result<()> {
        if folder.is_dir() {
            return Ok(());
        }
        if let Some(above) = folder.parent() {
            self.make_folders(above, mode)?;
        }
        match self.disk.create_folder(folder, mode) {
            // Somebody else was faster.
            Err(error) if error.kind() == ErrorKind::AlreadyExists && folder.is_dir() => {}
            other => other?,
        }
        self.sync_folder_of(folder)
    }

    /// Removes a file where there is one.
    fn forget(&self, path: &Path) -> io::Result<()> {
        match self.disk.remove_file(path) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    fn sync_folder_of(&self, path: &Path) -> io::Result<()> {
        let folder = path
            .parent()
            .map_or(Path::new("/"), |folder| if folder.as_os_str().is_empty() { Path::new(".") } else { folder });
        self.disk.sync_folder(folder)
    }
}

fn temporary_of(path: &Path) -> PathBuf {
    let mut temporary = path.to_owned().into_os_string();
    temporary.push(TEMPORARY);
    PathBuf::from(temporary)
}

fn is_secret(key: &Key) -> bool {
    key.as_str().starts_with(SECRET_PREFIX)
}

fn file_mode(key: &Key) -> u32 {
    if is_secret(key) { 0o600 } else { 0o644 }
}

/// Maps an operating system error; logs the ones that the core can only call a failure.
fn told(error: &io::Error) -> StorageError {
    match error.kind() {
        ErrorKind::NotFound | ErrorKind::NotADirectory => StorageError::NotFound,
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge => StorageError::Full,
        ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => StorageError::ReadOnly,
        _ => {
            log::warn!("storage: {error}");
            StorageError::Failed
        }
    }
}

impl<D: Disk> Storage for Folder<D> {
    fn len(&mut self, key: &Key) -> Result<u32, StorageError> {
        let metadata = fs::metadata(self.existing(key)?).map_err(|error| told(&error))?;
        u32::try_from(metadata.len()).map_err(|_| StorageError::TooLong { bytes: u32::MAX })
    }

    fn read(&mut self, key: &Key, offset: u32, buffer: &mut [u8]) -> Result<usize, StorageError> {
        let mut read = || {
            let mut file = File::open(self.existing(key)?).map_err(|error| told(&error))?;
            file.seek(SeekFrom::Start(offset.into())).map_err(|error| told(&error))?;
            file.read(buffer).map_err(|error| told(&error))
        };
        read()
    }

    fn replace(&mut self, key: &Key, data: &[u8]) -> Result<(), StorageError> {
        let path = self.writable(key)?;
        let temporary = temporary_of(&path);
        let write = || {
            // What a power cut left of an earlier write would keep its mode, and could be a link.
            self.forget(&temporary)?;
            let mut file = self.disk.create_file(&temporary, file_mode(key))?;
            self.disk.write(&mut file, data)?;
            self.disk.sync_file(&file)?;
            self.disk.rename(&temporary, &path)?;
            self.sync_folder_of(&path)
        };
        write().map_err(|error| {
            let _ = self.disk.remove_file(&temporary);
            told(&error)
        })
    }

    fn append(&mut self, key: &Key, data: &[u8]) -> Result<(), StorageError> {
        let path = match self.existing(key) {
            Ok(path) => path,
            Err(StorageError::NotFound) => self.writable(key)?,
            Err(error) => return Err(error),
        };
        let is_new = !path.exists();
        let mut file = self.disk.open_to_append(&path, file_mode(key)).map_err(|error| told(&error))?;
        let before = file.metadata().map_err(|error| told(&error))?.len();
        let written = self.disk.write(&mut file, data).and_then(|()| self.disk.sync_file(&file));
        let lasting = if is_new { written.and_then(|()| self.sync_folder_of(&path)) } else { written };
        lasting.map_err(|error| {
            // A full disk can have taken a part.
            let _ = self.disk.cut(&file, before);
            told(&error)
        })
    }

    fn remove(&mut self, key: &Key) -> Result<(), StorageError> {
        let path = match self.existing(key) {
            Err(StorageError::NotFound) => return Ok(()),
            other => other?,
        };
        self.disk.remove_file(&path).and_then(|()| self.sync_folder_of(&path)).map_err(|error| told(&error))
    }

    fn copy(&mut self, from: &Key, to: &Key) -> Result<(), StorageError> {
        let (source, path) = (self.existing(from)?, self.writable(to)?);
        let temporary = temporary_of(&path);
        // Records are replaced, never written into: a second name is as good as a copy. An append would reach both.
        let link = || {
            self.forget(&temporary)?;
            self.disk.link(&source, &temporary)?;
            self.disk.rename(&temporary, &path)?;
            // Two names of one file stay two when one is renamed to the other (rename(2)).
            self.forget(&temporary)?;
            self.sync_folder_of(&path)
        };
        if is_secret(from) == is_secret(to) && link().is_ok() {
            return Ok(());
        }
        // A file system without links, or records of different modes.
        let data = self.read_all(from, u32::MAX)?;
        self.replace(to, &data)
    }

    fn rename(&mut self, from: &Key, to: &Key) -> Result<(), StorageError> {
        if is_secret(from) != is_secret(to) {
            // The other mode is that of a new file.
            let data = self.read_all(from, u32::MAX)?;
            self.replace(to, &data)?;
            return self.remove(from);
        }
        let (from, to) = (self.existing(from)?, self.writable(to)?);
        let moved = self.disk.rename(&from, &to).and_then(|()| self.sync_folder_of(&to));
        moved.and_then(|()| self.sync_folder_of(&from)).map_err(|error| told(&error))
    }

    fn list(&mut self, prefix: &str, visit: &mut dyn FnMut(&Key, u32) -> ControlFlow<()>) -> Result<(), StorageError> {
        // Only the folders that can hold such keys are read: a Signal K folder has all of node_modules in it.
        let folder = prefix.rsplit_once('/').map_or("", |(folder, _)| folder);
        match list_folder(&self.root.join(folder), folder, prefix, DEPTH_MAX, visit) {
            Ok(_) => Ok(()),
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => Ok(()),
            Err(error) => {
                log::warn!("storage: {error}");
                Err(StorageError::Failed)
            }
        }
    }

    /// As the trait has it, with the file looked up once: a listing of resources reads thousands.
    fn read_all(&mut self, key: &Key, limit_bytes: u32) -> Result<Vec<u8>, StorageError> {
        let read = || -> Result<Vec<u8>, StorageError> {
            let file = File::open(self.existing(key)?).map_err(|error| told(&error))?;
            let bytes = file.metadata().map_err(|error| told(&error))?.len();
            let bytes = u32::try_from(bytes).unwrap_or(u32::MAX);
            if bytes > limit_bytes {
                return Err(StorageError::TooLong { bytes });
            }
            let mut data = Vec::new();
            let wanted = usize::try_from(bytes).map_err(|_| StorageError::TooLong { bytes })?;
            data.try_reserve_exact(wanted).map_err(|_| StorageError::Full)?;
            // What is appended meanwhile is not of this record's length.
            file.take(bytes.into()).read_to_end(&mut data).map_err(|error| told(&error))?;
            Ok(data)
        };
        read()
    }

    fn modified(&mut self, key: &Key) -> Option<UnixMillis> {
        let modified = fs::metadata(self.existing(key).ok()?).and_then(|metadata| metadata.modified()).ok()?;
        let since_epoch = modified.duration_since(std::time::UNIX_EPOCH).ok()?;
        i64::try_from(since_epoch.as_millis()).ok().map(UnixMillis)
    }

    fn capacity(&mut self) -> Capacity {
        let existing = self.root.ancestors().find(|folder| folder.is_dir()).unwrap_or(Path::new("/"));
        rustix::fs::statvfs(existing).map_or(Capacity::default(), |room| Capacity {
            total_bytes: room.f_blocks.saturating_mul(room.f_frsize),
            free_bytes: room.f_bavail.saturating_mul(room.f_frsize),
        })
    }
}

/// Visits the files below `folder`, whose keys begin with `name/`. Links are passed over, so that no circle is walked.
fn list_folder(
    folder: &Path,
    name: &str,
    prefix: &str,
    depth_left: usize,
    visit: &mut dyn FnMut(&Key, u32) -> ControlFlow<()>,
) -> io::Result<ControlFlow<()>> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let file_name = entry.file_name();
        let Some(file_name) = file_name.to_str().filter(|name| !name.ends_with(TEMPORARY)) else {
            continue;
        };
        let text = if name.is_empty() { file_name.to_owned() } else { format!("{name}/{file_name}") };
        let kind = entry.file_type()?;
        if kind.is_dir() {
            let reaches = prefix.starts_with(&format!("{text}/")) || format!("{text}/").starts_with(prefix);
            if reaches && depth_left > 0 && list_folder(&entry.path(), &text, prefix, depth_left - 1, visit)?.is_break()
            {
                return Ok(ControlFlow::Break(()));
            }
        } else if kind.is_file() && text.starts_with(prefix) {
            // A name that is no key was not written by us and cannot be read by one.
            let Ok(key) = Key::parse(&text) else { continue };
            let bytes = u32::try_from(entry.metadata()?.len()).unwrap_or(u32::MAX);
            if visit(&key, bytes).is_break() {
                return Ok(ControlFlow::Break(()));
            }
        }
    }
    Ok(ControlFlow::Continue(()))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;
    use skiff_runtime::hal::sim::contract;

    fn key(text: &str) -> Key {
        Key::parse(text).unwrap()
    }

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn keeps_the_storage_contract() {
        let temporary = tempfile::tempdir().unwrap();
        contract::storage(&mut Folder::new(temporary.path().join("made later"))).unwrap();
    }

    #[test]
    fn secrets_are_for_the_owner_only() {
        let temporary = tempfile::tempdir().unwrap();
        let mut folder = Folder::new(temporary.path());
        fs::create_dir(temporary.path().join("skiff")).unwrap();
        // A leftover that everyone may read must not lend its mode to the secret.
        fs::write(temporary.path().join("skiff/token.skiff-new"), "left over").unwrap();
        folder.replace(&key("skiff/token"), b"secret").unwrap();
        assert_eq!(mode(&temporary.path().join("skiff/token")), 0o600);
        let fresh = tempfile::tempdir().unwrap();
        Folder::new(fresh.path()).replace(&key("skiff/token"), b"secret").unwrap();
        assert_eq!(mode(&fresh.path().join("skiff")), 0o700);
    }

    #[test]
    fn links_do_not_lead_out_of_the_folder() {
        let temporary = tempfile::tempdir().unwrap();
        let (inside, outside) = (temporary.path().join("in"), temporary.path().join("out"));
        fs::create_dir_all(&inside).unwrap();
        fs::create_dir_all(&outside).unwrap();
        fs::write(outside.join("secret"), "x").unwrap();
        symlink(&outside, inside.join("linked")).unwrap();
        symlink(outside.join("secret"), inside.join("file")).unwrap();
        let mut folder = Folder::new(&inside);
        for name in ["linked/secret", "file"] {
            assert_eq!(folder.read(&key(name), 0, &mut [0; 4]), Err(StorageError::Failed), "{name}");
            assert_eq!(folder.append(&key(name), b"y"), Err(StorageError::Failed), "{name}");
            assert_eq!(folder.remove(&key(name)), Err(StorageError::Failed), "{name}");
        }
        assert_eq!(folder.replace(&key("linked/new"), b"y"), Err(StorageError::Failed));
        assert_eq!(folder.replace(&key("linked/deep/new"), b"y"), Err(StorageError::Failed));
        assert!(!outside.join("deep").exists() && !outside.join("new").exists());
        // A replacement puts a file in the link's place and leaves its target alone.
        assert_eq!(folder.replace(&key("file"), b"y"), Ok(()));
        assert_eq!(fs::read(outside.join("secret")).unwrap(), b"x");
    }

    #[test]
    fn a_refused_write_leaves_nothing_behind() {
        let temporary = tempfile::tempdir().unwrap();
        let mut folder = Folder::new(temporary.path());
        folder.replace(&key("a"), b"old").unwrap();
        // A folder stands where the record would go, so that the rename fails after everything else.
        fs::create_dir_all(temporary.path().join("b/c")).unwrap();
        assert!(folder.replace(&key("b"), b"new").is_err());
        let names: Vec<_> = fs::read_dir(temporary.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(names.len(), 2, "{names:?}");
        assert_eq!(folder.read_all(&key("a"), 10).unwrap(), b"old");
    }

    #[test]
    fn a_record_is_read_whole_or_not_at_all_and_tells_when_it_was_written() {
        let home = tempfile::tempdir().unwrap();
        let mut folder = Folder::new(home.path());
        folder.replace(&key("a/b"), b"12345").unwrap();
        assert_eq!(folder.read_all(&key("a/b"), 5).as_deref(), Ok(&b"12345"[..]));
        assert_eq!(folder.read_all(&key("a/b"), 4), Err(StorageError::TooLong { bytes: 5 }));
        assert_eq!(folder.read_all(&key("a"), 5), Err(StorageError::NotFound));
        let changed = std::time::UNIX_EPOCH + std::time::Duration::from_millis(1_764_000_000_123);
        File::options().write(true).open(home.path().join("a/b")).unwrap().set_modified(changed).unwrap();
        assert_eq!(folder.modified(&key("a/b")), Some(UnixMillis(1_764_000_000_123)));
        assert_eq!(folder.modified(&key("a/c")), None);
    }
}
