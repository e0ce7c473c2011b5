//! What of `node_modules` has been read already, so that a look at it reads only what has changed.
//!
//! A look asks the system for times and lengths: of the folders with packages, of each `package.json`, of the modules. A
//! folder is listed again and a file is read again when one of these differs. What was touched in the last two seconds is
//! read at each look: clocks of file systems are coarser than two writes can be apart.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use skiff_runtime::package::PackageError;

use super::folder::{self, ENTRIES_MAX};
use super::manifest;

/// How long after a change another one could leave the same times.
const SETTLED_AFTER: Duration = Duration::from_secs(2);

/// What shows that a file or folder is another one than before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Stamp {
    /// Seconds and nanoseconds since 1970 of the last change of the content, and of that or of owner, mode and name.
    pub(super) times: [(i64, i64); 2],
    pub(super) inode: u64,
    /// Bytes.
    pub(super) length: u64,
}

impl Stamp {
    fn of(path: &Path) -> Option<Self> {
        let found = fs::metadata(path).ok()?;
        let times = [(found.mtime(), found.mtime_nsec()), (found.ctime(), found.ctime_nsec())];
        Some(Self { times, inode: found.ino(), length: found.len() })
    }

    /// Tells whether what comes later has other times for sure.
    fn is_settled(self, now: SystemTime) -> bool {
        let now = now.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let settled = now.saturating_sub(SETTLED_AFTER).as_secs();
        self.times.iter().all(|(seconds, _)| i64::try_from(settled).is_ok_and(|settled| *seconds < settled))
    }
}

/// The files that make a version, `package.json` and the module, by package folder.
pub(super) type Versions = BTreeMap<PathBuf, Vec<(PathBuf, Stamp)>>;

/// What has been read, with the stamp of that moment: none where it was young then.
#[derive(Default)]
pub(super) struct Seen {
    /// Names in a folder.
    listings: BTreeMap<PathBuf, (Option<Stamp>, Vec<String>)>,
    /// By path of a `package.json`: the files of the plugin, none of anything else.
    packages: BTreeMap<PathBuf, (Option<Stamp>, Vec<PathBuf>)>,
    /// Files read and folders listed.
    reads: u64,
}

impl Seen {
    /// Looks at the packages of a configuration folder.
    pub fn look(&mut self, config: &Path) -> Versions {
        self.look_at(config, SystemTime::now())
    }

    fn look_at(&mut self, config: &Path, now: SystemTime) -> Versions {
        // What is not met again is forgotten.
        let mut before = std::mem::take(self);
        self.reads = before.reads;
        let root = folder::modules(config);
        let mut folders = Vec::new();
        for name in self.names(&root, &mut before, now) {
            let path = root.join(&name);
            if name.starts_with('@') {
                folders.extend(self.names(&path, &mut before, now).iter().map(|inner| path.join(inner)));
            } else {
                folders.push(path);
            }
        }
        folders.truncate(ENTRIES_MAX);
        let stamped = |path: PathBuf| Stamp::of(&path).map(|stamp| (path, stamp));
        let mut versions = Versions::new();
        for folder in folders {
            let files = self.files(&folder, &mut before, now);
            if !files.is_empty() {
                versions.insert(folder, files.into_iter().filter_map(stamped).collect());
            }
        }
        versions
    }

    /// Returns the names in a folder, without hidden ones.
    fn names(&mut self, folder: &Path, before: &mut Self, now: SystemTime) -> Vec<String> {
        let Some(stamp) = Stamp::of(folder) else { return Vec::new() };
        let kept = before.listings.remove(folder).filter(|(known, _)| *known == Some(stamp));
        let (stamp, names) = kept.unwrap_or_else(|| {
            self.reads += 1;
            let listing = fs::read_dir(folder).into_iter().flatten().flatten();
            let names = listing.filter_map(|entry| entry.file_name().into_string().ok());
            (
                stamp.is_settled(now).then_some(stamp),
                names.filter(|name| !name.starts_with('.')).take(ENTRIES_MAX).collect(),
            )
        });
        self.listings.insert(folder.to_owned(), (stamp, names.clone()));
        names
    }

    /// Returns the files that make the version of a plugin; none where a folder holds something else.
    fn files(&mut self, folder: &Path, before: &mut Self, now: SystemTime) -> Vec<PathBuf> {
        let path = folder.join("package.json");
        let Some(stamp) = Stamp::of(&path) else { return Vec::new() };
        let kept = before.packages.remove(&path).filter(|(known, _)| *known == Some(stamp));
        let (stamp, files) = kept.unwrap_or_else(|| {
            self.reads += 1;
            let files = match manifest(folder) {
                Ok((_, Err(PackageError::NotAPlugin))) => Vec::new(),
                Ok((_, Ok(manifest))) => vec![path.clone(), folder.join(manifest.wasm_path)],
                // It may be a plugin once it is mended.
                Ok((_, Err(_))) | Err(_) => vec![path.clone()],
            };
            (stamp.is_settled(now).then_some(stamp), files)
        });
        self.packages.insert(path, (stamp, files.clone()));
        files
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::write_package;
    use super::*;

    #[test]
    fn what_nobody_touches_is_not_read_again_and_what_is_edited_in_place_is() {
        let temporary = tempfile::tempdir().unwrap();
        let (config, modules) = (temporary.path(), temporary.path().join("node_modules"));
        write_package(&modules.join("@acme/tide"), "@acme/tide", "plugin.wasm");
        for number in 0..100 {
            let folder = modules.join(format!("library-{number}"));
            fs::create_dir_all(&folder).unwrap();
            fs::write(folder.join("package.json"), r#"{"a":1}"#).unwrap();
        }
        let (mut seen, mut now) = (Seen::default(), SystemTime::now());
        let mut look = |seconds: u64| {
            now += Duration::from_secs(seconds);
            let before = seen.reads;
            (seen.look_at(config, now), seen.reads - before)
        };
        // Two folders and 101 packages, again as long as their times are young.
        let (first, reads) = look(0);
        assert_eq!((first.len(), reads), (1, 103));
        assert_eq!(look(0).1, 103);
        assert_eq!(look(10).1, 103, "what was read while it was young is read once more");
        let (later, reads) = look(1);
        assert_eq!((later == first, reads), (true, 0));
        // Neither does an edit in place touch the folder, nor has it another length.
        let json = modules.join("library-7/package.json");
        let touched = fs::metadata(modules.join("library-7")).unwrap().mtime_nsec();
        fs::write(&json, r#"{"a":2}"#).unwrap();
        assert_eq!(fs::metadata(modules.join("library-7")).unwrap().mtime_nsec(), touched);
        assert_eq!(look(10), (first.clone(), 1));
        fs::write(modules.join("@acme/tide/plugin.wasm"), "other").unwrap();
        let (changed, reads) = look(1);
        assert_eq!((changed == first, reads), (false, 0), "a module is never read here");
        write_package(&modules.join("@acme/wind"), "@acme/wind", "plugin.wasm");
        let (more, reads) = look(10);
        assert_eq!((more.len(), reads), (2, 2), "its scope and its package.json");
        fs::remove_dir_all(modules.join("@acme")).unwrap();
        let (none, reads) = look(10);
        assert_eq!((none.len(), reads), (0, 1));
    }
}
