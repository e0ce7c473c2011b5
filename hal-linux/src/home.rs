//! What a gateway leaves in its configuration folder for the other commands of `skiff`.

use std::borrow::Cow;
use std::fs::{self, File, TryLockError};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use skiff_runtime::hal::{Key, Storage};
use skiff_runtime::json;

use crate::hal::{Disk, Folder, System};

/// File that tells other commands where this gateway listens.
const ADDRESS_FILE: &str = "skiff/gateway.json";
/// File that the gateway of a folder has locked as long as it runs.
pub const LOCK_FILE: &str = "skiff/lock";
/// The command line's copy of the token.
pub const TOKEN_FILE: &str = "skiff/token";

/// Folder of the gateway that a package of the system runs as a service; `hal-linux/dist` makes it.
pub const SERVICE_FOLDER: &str = "/var/lib/skiff";

/// What there is of an installed service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Service {
    /// None is installed.
    None,
    /// Its folder can be read by this user.
    Open,
    /// Its folder is not for this user; what the system says.
    Closed(String),
}

/// Looks for the folder of a service.
#[must_use]
pub fn service(folder: &Path) -> Service {
    // The folder in it holds the token; before the first start there is none.
    match fs::metadata(folder).and_then(|_| fs::read_dir(folder)).and_then(|_| fs::read_dir(folder.join("skiff"))) {
        Ok(_) => Service::Open,
        Err(error) if error.kind() == io::ErrorKind::NotFound && folder.is_dir() => Service::Open,
        Err(error) if error.kind() == io::ErrorKind::NotFound => Service::None,
        Err(error) => Service::Closed(error.to_string()),
    }
}

/// Writes one of these files.
///
/// # Errors
/// What the system says.
pub fn write(storage: &mut dyn Storage, file: &str, text: &str) -> Result<(), String> {
    let key = Key::parse(file).map_err(|error| error.to_string())?;
    storage.replace(&key, text.as_bytes()).map_err(|error| error.to_string())
}

/// Keeps a folder to one gateway: two would overwrite each other's configurations. The system lets go of it when the
/// process ends, however it ends.
pub struct Lock {
    _file: File,
}

impl Lock {
    /// Locks the folder; `None` where another gateway has.
    ///
    /// # Errors
    /// What the system says where nothing can be locked: a folder that is read-only, say.
    pub fn take(folder: &Path) -> io::Result<Option<Self>> {
        let path = folder.join(LOCK_FILE);
        fs::create_dir_all(folder)?;
        // The token will lie in it.
        match System.create_folder(path.parent().unwrap_or(folder), 0o700) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
            _ => {}
        }
        let file = match System.create_file(&path, 0o600) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => File::options().write(true).open(&path),
            made => made,
        }?;
        match file.try_lock() {
            Ok(()) => Ok(Some(Self { _file: file })),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(error),
        }
    }
}

impl Lock {
    /// Tells whether a gateway has the folder, by what the kernel lists (proc(5), `/proc/locks`): whoever took the lock to
    /// find out would keep one that starts just now from it.
    #[must_use]
    pub fn is_taken(folder: &Path) -> bool {
        let Ok(file) = fs::metadata(folder.join(LOCK_FILE)) else { return false };
        let inode = format!(":{}", file.ino());
        let locks = fs::read_to_string("/proc/locks").unwrap_or_default();
        // `1: FLOCK  ADVISORY  WRITE 1234 08:01:5678 0 EOF`
        let is_it = |line: &str| {
            let mut fields = line.split_whitespace().skip(1);
            fields.next() == Some("FLOCK") && fields.nth(3).is_some_and(|place| place.ends_with(&inode))
        };
        locks.lines().any(is_it)
    }
}

/// Returns the address that the gateway of a folder has left there.
#[must_use]
pub fn address(folder: &Path) -> Option<String> {
    let text = fs::read_to_string(folder.join(ADDRESS_FILE)).ok()?;
    json::member(&text, "url").and_then(json::string).map(Cow::into_owned)
}

/// Returns the address by which other machines reach the gateway of a folder; `None` where only this one does.
#[must_use]
pub fn outside(folder: &Path) -> Option<String> {
    let text = fs::read_to_string(folder.join(ADDRESS_FILE)).ok()?;
    json::member(&text, "outside").and_then(json::string).map(Cow::into_owned)
}

/// Tells other commands where the gateway listens, as long as it does.
pub struct Marker {
    storage: Folder,
}

impl Marker {
    /// Writes the address, and the one for other machines; it goes when the marker is dropped.
    #[must_use]
    pub fn set(folder: &Path, url: &str, outside: Option<&str>) -> Self {
        let mut storage = Folder::new(folder);
        let address = json::object(|out| {
            out.text("url", url);
            if let Some(outside) = outside {
                out.text("outside", outside);
            }
        });
        if let Err(error) = write(&mut storage, ADDRESS_FILE, &format!("{address}\n")) {
            log::warn!("{}: {error}; `skiff plugin` needs --url {url}", folder.join(ADDRESS_FILE).display());
        }
        Self { storage }
    }
}

impl Drop for Marker {
    fn drop(&mut self) {
        if let Ok(key) = Key::parse(ADDRESS_FILE) {
            // What stays behind is found out by the next command: nobody answers there.
            let _ = self.storage.remove(&key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_is_known_by_its_folder() {
        let home = tempfile::tempdir().unwrap();
        let folder = home.path().join("lib");
        assert_eq!(service(&folder), Service::None);
        fs::create_dir(&folder).unwrap();
        assert_eq!(service(&folder), Service::Open, "not started yet");
        fs::create_dir(folder.join("skiff")).unwrap();
        assert_eq!(service(&folder), Service::Open);
        fs::remove_dir(folder.join("skiff")).unwrap();
        fs::write(folder.join("skiff"), "").unwrap();
        assert!(matches!(service(&folder), Service::Closed(_)), "what cannot be read is told");
    }

    #[test]
    fn addresses_are_there_as_long_as_the_gateway() {
        let home = tempfile::tempdir().unwrap();
        let marker = Marker::set(home.path(), "http://127.0.0.1:3000", Some("http://192.0.2.5:3000"));
        assert_eq!(address(home.path()).as_deref(), Some("http://127.0.0.1:3000"));
        assert_eq!(outside(home.path()).as_deref(), Some("http://192.0.2.5:3000"));
        drop(marker);
        assert_eq!((address(home.path()), outside(home.path())), (None, None));
        let _marker = Marker::set(home.path(), "http://127.0.0.1:3000", None);
        assert_eq!(outside(home.path()), None);
    }
}
