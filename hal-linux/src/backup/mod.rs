//! Backups of a configuration folder: a zip as Signal K Server makes it, with secrets and grants in it.
//!
//! A backup is put in place in three steps: it is unpacked beside what is there (`skiff/restore/new`), a list of what is
//! wanted of it is written (`skiff/restore/ready`), and the next who takes the folder for itself, a starting gateway or a
//! command, gives it the place of what was there. Up to the second step a cut leaves everything as it was; behind it every
//! start goes on with the third.

mod read;
mod swap;
mod write;

use std::fmt;

pub use read::{Found, unpack_file, unpack_slice};
pub use swap::{commit, finish};
pub use write::{Written, write};

/// Where a backup is unpacked.
const FOLDER: &str = "skiff/restore";
/// Its files, in that folder.
const NEW: &str = "new";
/// What was there before, while it is exchanged.
const OLD: &str = "old";
/// The list of what is wanted.
const READY: &str = "skiff/restore/ready";

/// Files and folders of a backup.
const ENTRIES_MAX: usize = 200_000;
/// Bytes of a path.
const PATH_BYTES_MAX: usize = 1024;
/// Bytes of a name in it (limits.h, NAME_MAX).
const NAME_BYTES_MAX: usize = 255;
/// Folders in folders.
const DEPTH_MAX: usize = 64;

/// Below `skiff/`: what is of the running gateway alone, and what the exchange itself needs.
const PASSING: [&str; 4] = ["lock", "gateway.json", "restore", "run"];
/// Below `skiff/`: installed packages.
const PACKAGES: [&str; 4] = ["packages", "web", "apps", "app-files"];

/// Why a backup was not made, or not taken.
#[derive(Debug)]
#[non_exhaustive]
pub enum BackupError {
    /// It is damaged, or none.
    Corrupt(String),
    /// It is longer than that.
    TooLarge {
        /// Bytes allowed.
        limit: u64,
    },
    /// It has more files than that.
    TooMany,
    /// A path in it leads out of the folder.
    Path(String),
    /// A later version of Skiff has made it.
    Newer(String),
    /// Nothing was unpacked that could be put in place.
    NothingExamined,
    /// The folder was not read or written, with what the system says.
    Disk(std::io::Error),
}

impl fmt::Display for BackupError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Corrupt(reason) => write!(f, "no backup of a Signal K folder: {reason}"),
            Self::TooLarge { limit } => {
                write!(
                    f,
                    "the backup is longer than the {limit} bytes that are allowed here; use `skiff backup` and `skiff restore`"
                )
            }
            Self::TooMany => write!(f, "the backup has more than {ENTRIES_MAX} files"),
            Self::Path(path) => write!(f, "the backup is refused: a path leads out of the folder: {path}"),
            Self::Newer(reason) => write!(f, "the backup is of a later Skiff: {reason}"),
            Self::NothingExamined => f.write_str("no backup was sent that could be put in place; send it again"),
            Self::Disk(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for BackupError {}

impl From<std::io::Error> for BackupError {
    fn from(error: std::io::Error) -> Self {
        Self::Disk(error)
    }
}

/// Tells whether a file or folder belongs in a backup, by its path in the configuration folder.
fn belongs(path: &str, packages: bool) -> bool {
    let mut names = path.split('/');
    let (first, second) = (names.next().unwrap_or_default(), names.next());
    if path.ends_with(".skiff-new") {
        return false;
    }
    match (first, second) {
        ("skiff", Some(name)) if PASSING.contains(&name) => false,
        ("skiff", Some(name)) if PACKAGES.contains(&name) => packages,
        ("node_modules", _) => packages,
        // As Signal K Server leaves out; the last has the password of a registry.
        (".npmrc" | "signalk-server" | "appstore-cache", _) => false,
        (name, None) => ![".log", ".backup", ".backup.zip"].iter().any(|ending| name.ends_with(ending)),
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_of_the_moment_is_left_out() {
        for path in ["settings.json", "skiff", "skiff/grants.json", "skiff/tls/key.pem", "resources/notes/a.log"] {
            assert!(belongs(path, false), "{path}");
        }
        for path in ["skiff/packages/a.pkg", "skiff/app-files/a@1/x", "node_modules", "node_modules/a/x"] {
            assert!(belongs(path, true) && !belongs(path, false), "{path}");
        }
        for path in ["skiff/lock", "skiff/restore/new/a", ".npmrc", "skserver-raw.log", "old.backup", "a.skiff-new"] {
            assert!(!belongs(path, true), "{path}");
        }
    }
}
